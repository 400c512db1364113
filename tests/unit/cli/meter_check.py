#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""meter_check.py FLYBALL: packets of `flyball meter` in captures, taken apart here by their layouts, against
the waveform by its formula; and what it says of options that are wrong."""
import json
import math
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

FLYBALL = sys.argv[1]
START_NS = 1751538645123456789
failures = []


def expect(good, what):
    print('ok' if good else 'FAILED', what)
    if not good:
        failures.append(what)


def run(*options):
    done = subprocess.run([FLYBALL, 'meter', *options], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def packets(path, skip):
    """(time, bytes) of each record of a capture, less the headers of UDP."""
    with open(path, 'rb') as file:
        data = file.read()
    magic, _, _, _, _, _, link = struct.unpack_from('<IHHIIII', data)
    expect(magic == 0xa1b23c4d and link == 1, 'the capture is Ethernet with nanoseconds')
    at = 24
    while at < len(data):
        seconds, ns, bytes_, _ = struct.unpack_from('<IIII', data, at)
        yield seconds * 10**9 + ns, data[at + 16 + skip:at + 16 + bytes_]
        at += 16 + bytes_


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def wave(t, channel):
    """What was asked for below: 230 V, 100 A, 50 Hz, 30 degrees, two harmonics, a sag of phase b, a step."""
    phase, angle = channel % 3, 2 * math.pi * (50 * t - channel % 3 / 3)
    if channel < 3:
        value = 230 * (math.cos(angle) + 0.02 * math.cos(5 * angle + math.radians(30)))
        value *= 0.7 if 0.05 <= t < 0.1 and phase == 1 else 1
    else:
        value = 100 * (math.cos(angle - math.radians(30)) + 0.1 * math.cos(3 * angle))
        value *= 1 + 0.65 * min(max((t - 0.1) / 0.008, 0), 1)
    return math.sqrt(2) * value * (1, 0.99, 1.01)[phase]


WAVE = ('--voltage', '230', '--current', '100', '--frequency', '50', '--lag', '30', '--harmonic', 'v5,2,30',
        '--harmonic', 'i3,10', '--sag', '0.05,0.05,70,2', '--step', '0.1,1.65,0.008', '--unbalance', '1',
        '--start', str(START_NS), '--seconds', '0.2')


def raw(folder):
    path = os.path.join(folder, 'raw.pcap')
    code, out, said = run('--protocol', 'raw', '--capture', path, '--to', '10.1.2.3:4711', '--meters', '2',
                          '--first', '7', '--json', *WAVE)
    expect(code == 0 and not said, f'raw samples are captured {said}')
    found = list(packets(path, 42))
    expect(json.loads(out)['sent'] == len(found) > 90, f'{len(found)} packets, as told')
    worst, sequence, begin, places = 0, {7: 0, 8: 0}, {}, set()
    for t_ns, data in found:
        magic, version, flags, channels, samples, meter, number, t0_ns, period_ps, v_lsb, i_lsb, crc = \
            struct.unpack_from('<4sBBBBIIqIffI', data)
        zeroed = data[:36] + bytes(4) + data[40:]
        head = (magic, version, flags, channels, samples, period_ps, number)
        places.add(head == (b'UPM1', 1, 17, 6, 32, 125000000, sequence[meter]) and crc32c(zeroed) == crc and
                   len(data) == 40 + 32 * 12 and 0 <= t_ns - t0_ns - 4000000 <= 1)
        sequence[meter] += 1
        origin = begin.setdefault('first', t0_ns)
        for n in range(32):
            t = (t0_ns - origin) * 1e-9 + n / 8000
            for c, count in enumerate(struct.unpack_from('<6h', data, 40 + 12 * n)):
                lsb = v_lsb if c < 3 else i_lsb
                # at the very edge of a sag or step a rounded time may stand on either side
                if min(abs(t - edge) for edge in (0.05, 0.1)) > 1e-6:
                    worst = max(worst, abs(count * lsb - wave(t, c)) / lsb)
    expect(places == {True}, 'every header, size and checksum is as the layout has it')
    expect(worst < 0.52, f'every sample within {worst:.3f} counts of the formula (0.5 is rounding)')
    expect(begin['first'] - START_NS in range(0, 125000), 'the first sample is the first from the start on')


def sampled_values(folder):
    path = os.path.join(folder, 'sv.pcap')
    code, _, said = run('--protocol', 'sv', '--capture', path, '--rate', '4000', '--vlan', '9', '--name',
                        'MU#', *WAVE)
    expect(code == 0 and not said, f'sampled values are captured {said}')
    worst, frames, counter, good = 0, 0, None, set()
    for _, data in packets(path, 0):
        tag, vlan, kind, appid, length = struct.unpack_from('>HHHHH', data, 12)
        good.add((tag, vlan, kind, appid, length + 18) == (0x8100, 0x8009, 0x88BA, 0x4001, len(data)))
        for at in range(len(data) - 65):
            if data[at:at + 2] != b'\x87\x40':
                continue
            values = struct.unpack_from('>16i', data, at + 2)[::2]
            (count,) = struct.unpack_from('>H', data, data.rindex(b'\x82\x02', 0, at) + 2)
            counter = count if counter is None else (counter + 1) % 4000
            good.add(count == counter)
            first = math.ceil(START_NS % 10**9 * 4000 / 10**9)
            t = (count - first) / 4000
            for c in range(6):
                value = values[c] / 1000 if c < 3 else values[c + 1] / 100
                if min(abs(t - edge) for edge in (0.05, 0.1)) > 1e-6:
                    worst = max(worst, abs(value - wave(t, (c + 3) % 6)) / (1 if c < 3 else 3))
            frames += 1
    expect(good == {True} and frames == 800, f'{frames} samples, counted on, in frames with their tag')
    expect(worst < 0.006, f'every value within {worst:.5f} of the formula')


def readings(folder):
    path = os.path.join(folder, 'upmu.pcap')
    code, _, said = run('--protocol', 'upmu', '--capture', path, '--to', '10.1.2.3:4711', '--seconds', '1',
                        '--voltage', '230', '--current', '100', '--frequency', '50', '--lag', '30',
                        '--harmonic', 'i5,20', '--start', str(START_NS), '--name', 'M-#')
    expect(code == 0 and not said, f'readings are captured {said}')
    found = list(packets(path, 42))
    _, data = found[-1]
    at = data.index(b'\x1a\x36')
    volts, amperes, watts, vars_, _, factor = (struct.unpack_from('<d', data, at + 3 + 9 * k)[0]
                                               for k in range(6))
    expect(data[:4] == b'FLY1' and b'\x12\x03M-1' in data and 45 <= len(found) <= 51,
           f'{len(found)} frames of the meter')
    amperes_wanted = 100 * math.sqrt(1.04)      # what the harmonic adds is no reactive power
    for name, value, wanted in (('V', volts, 230), ('A', amperes, amperes_wanted),
                                ('W', watts, 23000 * math.cos(math.radians(30))),
                                ('var', vars_, 11500),
                                ('pf', factor, math.cos(math.radians(30)) / math.sqrt(1.04))):
        expect(abs(value / wanted - 1) < 1e-4, f'{name}: {value:.8g}, by hand {wanted:.8g}')


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def synchrophasors(folder, kind, hertz, tolerance, *options):
    """Angles are against a cosine at its top at each whole second; the signal's own is 0 at the start."""
    path = os.path.join(folder, 'c37.pcap')
    code, _, said = run('--protocol', 'c37118', '--capture', path, '--to', '10.1.2.3:4713', '--rate', '30',
                        '--seconds', '1', '--frequency', str(hertz), '--voltage', '230', '--current', '100',
                        '--lag', '30', '--start', '1751538645000000000', '--first', '12', '--cfg-every',
                        '0.5', *options)
    expect(code == 0 and not said, f'synchrophasors are captured {said}')
    frames = [data for _, data in packets(path, 42)]
    expect(all(struct.unpack_from('>HH', data, 2) == (len(data), 12) and
               crc16(data[:-2]) == struct.unpack_from('>H', data, len(data) - 2)[0] for data in frames),
           f'{len(frames)} frames with their size, ID code and check')
    configs = [data for data in frames if data[1] >> 4 == kind]
    values = [data for data in frames if data[1] >> 4 == 0]
    expect(len(configs) == 2 and frames[0] == configs[0] and len(values) in range(26, 31),
           f'CFG-{2 if kind == 3 else 3} first and again, {len(values)} frames of data')
    worst = 0
    for k, data in enumerate(values):
        soc, fraction = struct.unpack_from('>II', data, 6)
        phasors = struct.unpack_from('>12f', data, 16)
        hz, _, watts = struct.unpack_from('>3f', data, 64)
        t = (soc - 1751538645) + fraction * 1e-6
        nominal = 50 if hertz < 55 else 60
        worst = max(worst, abs(hz - hertz), abs(watts / (69000 * math.cos(math.radians(30))) - 1))
        for c in range(6):
            size, angle = (230, 0) if c < 3 else (100, -math.pi / 6)
            angle += 2 * math.pi * ((hertz - nominal) * t - c % 3 / 3)
            off = math.remainder(phasors[2 * c + 1] - angle, 2 * math.pi)
            worst = max(worst, abs(phasors[2 * c] / size - 1), abs(off))
        expect(k == 0 or abs(t - last - 1 / 30) < 2e-6, 'one thirtieth after the other')
        last = t
    expect(worst < tolerance, f'{hertz} Hz: magnitudes, angles, frequency and power within {worst:.2e}')


def clocks(folder):
    """Head and STAT of a synchrophasor say the same of the clock; CFG-3 says how long its window is."""
    path = os.path.join(folder, 'clock.pcap')
    for name, quality, stat in (('none', 15, 0x21C0), ('local', 7, 0x2140), ('global', 0, 0x0040)):
        run('--protocol', 'c37118', '--cfg3', '--capture', path, '--to', '10.1.2.3:1', '--count', '3',
            '--clock', name, '--start', str(START_NS))
        frames = [data for _, data in packets(path, 42)]
        said = {(data[10], struct.unpack_from('>H', data, 14)[0]) for data in frames if not data[1] >> 4}
        expect(said == {(quality, stat)} and frames[0][10] == quality, f'a clock that is {name}: {said}')
    expect([data[1] >> 4 for data in frames] == [5, 0, 0, 0], 'three packets, and the configuration')
    # the last fields: window and delay (4 each), nominal frequency, changes, rate, checksum (2 each)
    (window_us,) = struct.unpack_from('>i', frames[0], len(frames[0]) - 16)
    expect(window_us == 33333, f'a window of {window_us} us')


def numbers_of(folder):
    """How many packets there are, and where the first sample lies."""
    path = os.path.join(folder, 'numbers.pcap')
    to = ('--capture', path, '--to', '10.1.2.3:1', '--json')
    _, out, _ = run('--protocol', 'raw', '--meters', '20', '--seconds', '0.5', *to)
    expect(json.loads(out)['sent'] == 2500, 'each of 20 meters has its half of a second')
    for protocol in ('raw', 'upmu'):
        _, out, _ = run('--protocol', protocol, '--meters', '3', '--count', '4', *to)
        expect(json.loads(out)['sent'] == 12, f'{protocol}: four packets of each of three meters')
    off = 0
    for ns in range(0, 1000000000, 9125000):
        start_ns = START_NS // 10**9 * 10**9 + ns
        run('--protocol', 'raw', '--block', '8', '--count', '1', '--start', str(start_ns), '--from',
            '10.9.8.7', *to)
        (_, data), = packets(path, 26)
        (t0_ns,) = struct.unpack_from('<q', data, 16 + 16)
        off += t0_ns != start_ns
        expect(data[:4] == bytes((10, 9, 8, 7)), 'it comes from where it was said to')
    expect(off == 0, f'{off} of 110 starts at a sample were put off to the next one')


def steps_in_time(folder):
    one, two = (os.path.join(folder, name) for name in ('steps.pcap', 'other.pcap'))
    steps = [('--step', '0.02,1.5'), ('--step', '0.05,0.5')]
    for path, order in ((one, steps), (two, steps[::-1])):
        run('--protocol', 'raw', '--capture', path, '--to', '10.1.2.3:1', '--seconds', '0.1', '--start',
            str(START_NS), *order[0], *order[1])
    with open(one, 'rb') as first, open(two, 'rb') as second:
        expect(first.read() == second.read(), 'steps come in the order of their times')


def dissected(folder):
    """What tshark makes of them, where it is there."""
    path = os.path.join(folder, 'c37.pcap')
    if not shutil.which('tshark'):
        print('skipped: no tshark to dissect synchrophasors')
        return
    shown = subprocess.run(['tshark', '-r', path, '-Y', 'synphasor', '-V'], capture_output=True, text=True,
                           check=False, env={**os.environ, 'LC_ALL': 'C'}).stdout
    expect(shown.count('[correct]') >= 28 and 'alformed' not in shown and 'ncorrect' not in shown and
           'Station: "meter-12' in shown, 'tshark dissects them without a complaint')


def recording(folder):
    """Samples at 3.2 kHz come out at 8 kHz as the waveform that they are of; its ends stand still."""
    path, out_path = os.path.join(folder, 'in.csv'), os.path.join(folder, 'again.pcap')

    def value(t, c):
        angle = 2 * math.pi * (50 * t - c % 3 / 3)
        return (300 if c < 3 else 90) * (math.cos(angle) + 0.1 * math.cos(7 * angle + 1))
    with open(path, 'w', encoding='ascii') as file:
        file.write('t_s,va,vb,vc,ia,ib,ic\n')
        for n in range(1600):
            file.write(f'{n / 3200:.7f},' + ','.join(f'{value(n / 3200, c):.9f}' for c in range(6)) + '\n')
    code, _, said = run('--protocol', 'raw', '--recording', path, '--capture', out_path, '--to', '10.1.2.3:1',
                        '--start', '1751538645000000000')
    found = [data for _, data in packets(out_path, 42)]
    expect(code == 0 and not said and len(found) == 125, f'a recording of 0.5 s: {len(found)} packets {said}')
    worst = 0
    for k, data in enumerate(found):
        v_lsb, i_lsb = struct.unpack_from('<ff', data, 28)
        for n in range(32):
            t = (k * 32 + n) / 8000
            for c, count in enumerate(struct.unpack_from('<6h', data, 40 + 12 * n)):
                if 0.006 < t < 0.494:
                    worst = max(worst, abs(count * (v_lsb if c < 3 else i_lsb) / (300 if c < 3 else 90) -
                                           value(t, c) / (300 if c < 3 else 90)))
    expect(worst < 2e-4, f'at 8 kHz it is the same waveform within {worst:.1e} of its amplitude')
    code, out, _ = run('--protocol', 'raw', '--recording', path, '--again', '--seconds', '2', '--capture',
                       out_path, '--to', '10.1.2.3:1', '--json')
    expect(code == 0 and json.loads(out)['sent'] in (499, 500), 'and it begins again')
    code, _, said = run('--protocol', 'raw', '--recording', path + 'x', '--to', '10.1.2.3:1')
    expect(code == 3 and 'cannot be read' in said, f'a recording that is not there: {said.strip()}')


def plant(folder):
    """What flows at the main is what flows at both branches, but for what the wires between them lose."""
    path, root = os.path.join(folder, 'plant.pcap'), os.path.join(os.path.dirname(__file__), '../../..')
    demo = os.path.join(root, 'config', 'demo')
    code, out, said = run('--protocol', 'upmu', '--plant', os.path.join(demo, 'site.yaml'), '--workload',
                          os.path.join(demo, 'workload.yaml'), '--capture', path, '--to', '10.1.2.3:1',
                          '--seconds', '1', '--json')
    expect(code == 0 and not said and json.loads(out)['meters'] == 9, f'the demo site has nine meters {said}')
    watts = {}
    for _, data in packets(path, 42):
        name = data[data.index(b'\x12', 40) + 2:][:data[data.index(b'\x12', 40) + 1]].decode()
        phases, at = [], 0
        while (at := data.find(b'\x1a\x36\x09', at + 1)) > 0:
            phases.append(struct.unpack_from('<d', data, at + 21)[0])
        watts[name] = sum(phases)
    below = watts['m-branch-a'] + watts['m-branch-b']
    expect(below > 10e3 and abs(watts['m-main'] / below - 1) < 0.05,
           f'main {watts["m-main"]:.0f} W, branches {below:.0f} W')


def same_again(folder):
    paths = [os.path.join(folder, name) for name in ('one.pcap', 'two.pcap', 'three.pcap')]
    for path, seed in zip(paths, '112'):
        run('--protocol', 'raw', '--capture', path, '--to', '10.1.2.3:1', '--noise', '2', '--seed', seed,
            *WAVE)
    one, two, three = (open(path, 'rb').read() for path in paths)
    expect(one == two != three, 'a seed gives the same bytes again, another one others')


def paced():
    code, out, said = run('--protocol', 'raw', '--to', '127.0.0.1:9', '--seconds', '0.5', '--json')
    told = json.loads(out) if code == 0 else {}
    expect(told.get('blocks') == 125 and told.get('seconds', 0) > 0.49 and not said,
           f'half a second of packets takes no less {said}')


def stopped():
    """A signal ends it while it waits: the first reading is due after 19 s and more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([FLYBALL, 'meter', '--protocol', 'upmu', '--rate', '0.1', '--to',
                               '127.0.0.1:9'], stdout=subprocess.PIPE) as waits:
            asleep = False
            for _ in range(1000):
                with open(f'/proc/{waits.pid}/status', 'rb') as status:
                    said = status.read()
                # SigBlk would not tell: what sigtimedwait waits for is let through meanwhile
                asleep = b'python' not in said and b'State:\tS' in said
                if asleep:
                    break
                time.sleep(0.01)
            began = time.monotonic()
            waits.send_signal(number)
            out, _ = waits.communicate()
            took = time.monotonic() - began
        expect(asleep and waits.returncode == 0 and b'0 packets' in out, f'{number.name} after {took:.2f} s')


def lost(folder):
    code, out, said = run('--protocol', 'raw', '--capture', '/dev/full', '--to', '10.1.2.3:1', '--seconds',
                          '1e6')
    expect(code == 3 and '/dev/full: No space' in said and not out, f'a full disk: {said.strip()}')
    code, out, said = run('--protocol', 'raw', '--to', '255.255.255.255:9', '--count', '2')
    expect(code == 3 and 'nothing was sent: ' in said and not out, f'nobody takes it: {said.strip()}')
    code, _, said = run('--protocol', 'sv', '--capture', os.path.join(folder, 'long.pcap'), '--count', '1',
                        '--name', 'x' * 34)
    expect(code == 0 and not said, f'an svID of 34 bytes {said}')


def swings(folder):
    path = os.path.join(folder, 'swings.pcap')
    code, _, said = run('--protocol', 'raw', '--capture', path, '--to', '10.1.2.3:1', '--seconds', '2',
                        '--rate', '1000', '--start', str(START_NS), '--current', '100', '--lag', '0',
                        '--frequency', '50', '--swing', '1.5,25')
    worst, begin = 0, None
    for _, data in packets(path, 42):
        t0_ns, _, v_lsb, i_lsb = struct.unpack_from('<qIff', data, 16)
        begin = begin or t0_ns
        for n in range(32):
            t = (t0_ns - begin) * 1e-9 + n / 1000
            volts, _, _, amperes, _, _ = struct.unpack_from('<6h', data, 40 + 12 * n)
            wanted = math.sqrt(2) * math.cos(2 * math.pi * 50 * t)
            swung = 100 * (1 + 0.25 * math.sin(2 * math.pi * 1.5 * t))
            worst = max(worst, abs(amperes * i_lsb - wanted * swung) / i_lsb,
                        abs(volts * v_lsb - wanted * 277.128) / v_lsb)
    expect(code == 0 and not said and worst < 0.6, f'a swing is within {worst:.3f} counts of its formula')


def refusals():
    raw_to, sv_lo = ('--protocol', 'raw', '--to', '10.0.0.1:1'), ('--protocol', 'sv', '--interface', 'lo')
    for options, words in (
            ((*raw_to, '--vlan', '1'), '--vlan is nothing that raw has'),
            ((*raw_to, '--cfg3'), '--cfg3 is nothing'), ((*raw_to, '--cfg-every', '1'), '--cfg-every is'),
            (('--protocol', 'upmu', '--to', '10.0.0.1:1', '--neutral'), '--neutral is nothing'),
            (('--protocol', 'upmu', '--to', '10.0.0.1:1', '--clock', 'none'), '--clock is nothing'),
            ((*sv_lo, '--volts-full', '9'), '--volts-full is nothing'),
            ((*sv_lo, '--amperes-full', '9'), '--amperes-full is nothing'),
            ((*raw_to, '--again'), 'of a --recording'), ((*raw_to, '--start', '5'), '--start is for'),
            ((*sv_lo, '--capture', '/dev/null', '--count', '1'), 'one of --interface and --capture'),
            ((*sv_lo, '--name', 'x' * 35), 'at most 34 bytes'),
            ((*sv_lo, '--name', 'x' * 33 + '#', '--meters', '10'), 'at most 34 bytes'),
            ((*raw_to, '--capture', '/dev/null', '--count', '1', '--from', 'x'), 'x is no IPv4 address'),
            ((), '--protocol says'), (('--protocol', 'x'), '--protocol is'),
            (('--protocol', 'raw'), 'where to? --to'), (('--protocol', 'sv'), 'where to? --interface'),
            (('--protocol', 'raw', '--to', 'x:1'), 'x:1 is no IPv4 address'),
            (('--protocol', 'raw', '--to', '10.0.0.1:70000'), 'is no IPv4 address'),
            (('--protocol', 'raw', '--interface', 'lo'), '--to, not --interface'),
            (('--protocol', 'sv', '--to', '10.0.0.1:1'), 'not --to'),
            (('--protocol', 'raw', '--to', '10.0.0.1:1', '--block', '128'), 'do not fit'),
            (('--protocol', 'raw', '--to', '10.0.0.1:1', '--block', '9'), '8, 16, 32, 64 or 128'),
            (('--protocol', 'sv', '--interface', 'lo', '--block', '9'), '1 to 8'),
            (('--protocol', 'upmu', '--to', '10.0.0.1:1', '--block', '8'), '--rate says'),
            (('--protocol', 'raw', '--to', '10.0.0.1:1', '--capture', '/dev/null'), 'wants an end'),
            (('--protocol', 'raw', '--rate', '20000'), '--rate: 20000'),
            (('--protocol', 'raw', '--harmonic', '5,2'), '--harmonic wants'),
            (('--protocol', 'raw', '--sag', '1,2'), '--sag wants'),
            (('--protocol', 'raw', '--step', '1'), '--step wants'),
            (('--protocol', 'raw', '--swing', '2'), '--swing wants'),
            (('--protocol', 'raw', '--swing', '2,101'), '--swing wants'),
            (('--protocol', 'raw', '--swing', '31,5'), '--swing wants'),
            (('--protocol', 'raw', '--clock', 'x'), '--clock: x'),
            (('--protocol', 'raw', '--meters', '1.5'), 'no whole number'),
            (('--protocol', 'raw', '--count', '-1'), 'no whole number'),
            (('--protocol', 'raw', 'x'), "'x' is nothing")):
        code, out, said = run(*options)
        expect(code == 2 and words in said and not out, f'{" ".join(options)}: {said.strip()}')
    code, _, said = run('--protocol', 'sv', '--interface', 'none-such', '--seconds', '1')
    expect(code == 3 and 'none-such' in said, f'an interface that is not there: {said.strip()}')


with tempfile.TemporaryDirectory() as made:
    raw(made)
    sampled_values(made)
    readings(made)
    synchrophasors(made, 5, 50, 1e-5, '--cfg3')
    synchrophasors(made, 3, 60, 1e-5)
    synchrophasors(made, 3, 60.5, 1e-4)
    clocks(made)
    numbers_of(made)
    steps_in_time(made)
    swings(made)
    lost(made)
    dissected(made)
    recording(made)
    plant(made)
    same_again(made)
paced()
stopped()
refusals()
sys.exit(f'{len(failures)} failed' if failures else 0)
