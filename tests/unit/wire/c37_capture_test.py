#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""c37_capture_test.py C37_TOOL SOURCE_ROOT: every field of every synchrophasor frame in the captures equals
what an independent decoder read there."""
import os
import struct
import subprocess
import sys
from collections import Counter

SKIP = 77
CAPTURES = ('1PMU_UDP', '1PMU_TCP', '4in1PMU_TCP')
COMMANDS = {1: 'Data off', 2: 'Data on', 3: 'Send HDR', 4: 'Send CFG-1', 5: 'Send CFG-2', 6: 'Send CFG-3'}
FIELDS = {
    'cfg': ['frame_type', 'frame_size', 'pmu_count_actual', 'data_rate'],
    'cfg_detail': ['pmu_idx', 'station_name', 'data_source_id', 'phasor_shape', 'phasor_format',
                   'analog_format', 'freq_format', 'phnmr', 'annmr', 'dgnmr', 'phnam', 'annam', 'dgnam',
                   'phasor_conv_phunit', 'phasor_conv_phvalue', 'analog_conv_analog_flags',
                   'analog_conv_user_defined_scaling', 'digital_conv_normal_status_mask',
                   'digital_conv_valid_inputs_mask', 'fnom', 'cfgcnt'],
    'cmd': ['frame_size', 'command'],
    'data': ['frame_size', 'pmu_count_actual'],
    'data_detail': ['pmu_idx', 'trigger_reason', 'unlocked_time', 'pmu_time_quality', 'data_modified',
                    'config_change', 'pmu_trigger_pickup', 'data_sorting_type', 'pmu_sync_error',
                    'data_error_indicator', 'est_rectangular_real', 'est_rectangular_imaginary',
                    'est_polar_magnitude', 'est_polar_angle', 'freq_dev_mhz', 'rocof', 'analog_data',
                    'digital'],
}


def packets(path):
    """IPv4 payloads of a capture: addresses, protocol, and what stands behind the IP header."""
    with open(path, 'rb') as file:
        data = file.read()
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + 'I', data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b'\x08\x00':
            continue
        ip = frame[14:14 + struct.unpack_from('>H', frame, 16)[0]]
        yield ip[12:20], ip[9], ip[(ip[0] & 15) * 4:]


def cut_frames(stream):
    """C37.118 frames that follow each other in a stream of bytes."""
    at = 0
    while at + 4 <= len(stream):
        size = struct.unpack_from('>H', stream, at + 2)[0]
        if stream[at] != 0xAA or at + size > len(stream):
            raise ValueError(f'no frame at byte {at}')
        yield stream[at:at + size]
        at += size


def frames_of(path):
    """All frames, those of each TCP direction in its order."""
    flows, frames = {}, []
    for addresses, protocol, rest in packets(path):
        if protocol == 17:
            frames += cut_frames(rest[8:])
        elif protocol == 6:
            payload = rest[(rest[12] >> 4) * 4:]
            if payload:
                sequence = struct.unpack_from('>I', rest, 4)[0]
                flows.setdefault((addresses, rest[:4]), {}).setdefault(sequence, payload)
    for segments in flows.values():
        stream, expected = b'', None
        for sequence in sorted(segments):
            if expected is not None and sequence != expected:
                raise ValueError(f'{path}: a segment is missing before {sequence}')
            stream += segments[sequence]
            expected = sequence + len(segments[sequence])
        frames += cut_frames(stream)
    return frames


def expected_rows(folder, capture, name):
    path = os.path.join(folder, 'expected', f'{capture}_synchrophasor_{name}.log')
    with open(path, encoding='utf-8') as file:
        lines = file.read().splitlines()
    header = next(line for line in lines if line.startswith('#fields')).split('\t')[1:]
    return [[line.split('\t')[header.index(field)] for field in FIELDS[name]]
            for line in lines if line and not line.startswith('#')]


def plain(text):
    """Numbers with six places, wherever the expected files have fewer."""
    def one(word):
        try:
            return f'{float(word) + 0.0:.6f}' if '.' in word else word
        except ValueError:
            return word
    return ','.join(one(word) for word in text.split(','))


def unit_columns(row):
    """The words of units, as we print them, in the columns of the expected files. Those split PHUNIT and
    ANUNIT behind the last byte, the standard behind the first: all bits are compared all the same."""
    phasors, analogs, digitals = ([int(word, 16) for word in cell.split(',') if word]
                                  for cell in row[13:16])

    def join(values):
        return ','.join(str(value) for value in values) or '(empty)'
    return row[:13] + [join(u & 0xff for u in phasors), join(u >> 8 for u in phasors),
                       join(u & 0xff for u in analogs), join(u >> 8 for u in analogs),
                       join(u >> 16 for u in digitals), join(u & 0xffff for u in digitals)] + row[16:]


def compare(name, found, wanted):
    """As sets with counts: the expected files are sorted and say nothing of order."""
    found = Counter(tuple(plain(cell) for cell in row) for row in found)
    wanted = Counter(tuple(plain(cell) for cell in row) for row in wanted)
    for row in list((wanted - found).keys())[:2]:
        print(f'  {name}: not found: {row}')
    for row in list((found - wanted).keys())[:2]:
        print(f'  {name}: not expected: {row}')
    return sum((wanted - found).values()) + sum((found - wanted).values())


def read_frames(tool, frames):
    """Rows by kind; configurations first, for the two directions of TCP are not interleaved here."""
    config_first = sorted(frames, key=lambda frame: frame[1] >> 4 != 3)
    done = subprocess.run([tool], input='\n'.join(frame.hex() for frame in config_first) + '\n',
                          capture_output=True, text=True, check=True)
    rows = {name: [] for name in ('cfg', 'cfg_detail', 'cmd', 'data', 'data_detail', 'refused', 'frame',
                              'again')}
    for line in done.stdout.splitlines():
        kind, *cells = line.split('\t')
        rows[kind].append(cells)
    rows['cfg_detail'] = [unit_columns(row) for row in rows['cfg_detail']]
    rows['cmd'] = [[size, COMMANDS[int(command)]] for size, command in rows['cmd']]
    rows['data'] = [row[:2] for row in rows['data']]
    return rows


def check_capture(tool, folder, capture):
    frames = frames_of(os.path.join(folder, f'C37.118_{capture}.pcap'))
    rows = read_frames(tool, frames)
    wrong = len(rows['refused']) + (len(rows['frame']) != len(frames))
    if rows['refused']:
        print(f'  refused: {Counter(cells[0] for cells in rows["refused"])}')
    again = Counter(cells[0] for cells in rows['again'])
    print(f'{capture}: written again: {dict(again)}')
    wrong += again['differs'] + (again['same'] < len(rows['data']))
    compared = 0
    for name in FIELDS:
        expected = expected_rows(folder, capture, name)
        wrong += compare(f'{capture} {name}', rows[name], expected)
        compared += sum(cell.count(',') + 1 for row in expected for cell in row)
    print(f'{capture}: {len(frames)} frames, {compared} values compared, {wrong} rows differ')
    return wrong


def main():
    tool, root = sys.argv[1:]
    folder = os.path.join(root, '..', 'shared', 'data', 'c37118')
    if not os.path.isdir(folder):
        print('skipped: no ../shared/data/c37118 beside the repository')
        return SKIP
    return 1 if sum(check_capture(tool, folder, capture) for capture in CAPTURES) else 0


if __name__ == '__main__':
    sys.exit(main())
