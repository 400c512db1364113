#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rail_check.py FLYBALL DATA [--full]: power of a GPU's rails as an external meter saw it every 0.2 ms, of a
thousand such GPUs, as currents of three phases at 8 kHz through `flyball measure`. Edges are found here in
the power itself; each must be an event in time, and what is an event without an edge is counted."""
import bisect
import csv
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile

SKIP = 77
FLYBALL, DATA = sys.argv[1:3]
FULL = '--full' in sys.argv
GPUS, VOLTS, HERTZ, RATE = 1000, 277.128, 60, 8000
BLOCK = 32                      # samples in a packet: 4 ms
SLOPE_LATE_S, AHEAD_S = 0.0062, 0.003
# folder, seconds in the short form, slope in W/s that is an event, amperes, watts of one GPU that are an edge
RUNS = [('SQ_A100', 3.2, 9e6, 260, 60), ('A100_TR', 1.6, 9e6, 260, 60), ('3090_TR', 1.6, 9e6, 640, 70)]
failures = []


def expect(good, what):
    print('ok' if good else 'FAILED', what)
    if not good:
        failures.append(what)


def rail(folder, seconds):
    """(times, watts of one GPU)"""
    with gzip.open(os.path.join(DATA, 'gpu_rail_5khz', folder, 'rail.csv.gz'), 'rt') as file:
        rows = list(csv.reader(file))[1:]
    times, watts = [float(row[0]) for row in rows], [float(row[-1]) for row in rows]
    end = bisect.bisect(times, seconds) if seconds else len(times)
    return times[:end], watts[:end]


def edges_of(times, watts, least):
    """Where the means of 2 ms before and behind differ most, and by `least` at least: (time, watts). The time
    is that of the level halfway between both."""
    width = 10
    sums = [0.0]
    for x in watts:
        sums.append(sums[-1] + x)

    def mean(first, last):
        return (sums[last] - sums[first]) / (last - first)

    steps = [mean(n, n + width) - mean(n - width, n) for n in range(width, len(watts) - width)]
    found = []
    for n, step in enumerate(steps):
        if abs(step) < least or abs(step) < max(map(abs, steps[max(0, n - 24):n + 25])):
            continue
        at = n + width
        if found and at - found[-1][0] < 24:
            continue
        low, high = mean(at - 2 * width, at - width // 2), mean(at + width // 2, at + 2 * width)
        middle = min(range(at - width, at + width), key=lambda k: abs(mean(k - 2, k + 2) - (low + high) / 2))
        found.append((middle, high - low))
    return [(times[n], step) for n, step in found]


def currents(times, watts, path):
    """Power factor 1; between what was read lie straight lines. Returns the amperes of all phases."""
    rows, at = [], 0
    with open(path, 'w', encoding='ascii') as file:
        file.write('t_s,va,vb,vc,ia,ib,ic\n')
        for n in range(int(times[-1] * RATE)):
            t = n / RATE
            while times[at + 1] < t:
                at += 1
            share = (t - times[at]) / (times[at + 1] - times[at])
            rms = GPUS * (watts[at] + share * (watts[at + 1] - watts[at])) / 3 / VOLTS
            wave = [math.sqrt(2) * math.sin(2 * math.pi * (HERTZ * t - p / 3)) for p in range(3)]
            rows.append([rms * w for w in wave])
            file.write(f'{t:.6f},' + ','.join(f'{VOLTS * w:.4f}' for w in wave) + ',' +
                       ','.join(f'{a:.4f}' for a in rows[-1]) + '\n')
    return rows


def match(edges, events, late_s):
    """(missed edges, greatest delay, events that belong to none). One edge may have several events."""
    missed, worst, used = 0, 0.0, set()
    for t, _ in edges:
        hits = [k for k, event in enumerate(events) if -AHEAD_S <= event - t <= late_s]
        used.update(k for k, event in enumerate(events) if -AHEAD_S <= event - t <= 0.02)
        missed += not hits
        worst = max([worst] + [events[k] - t for k in hits[:1]])
    return missed, worst, len(events) - len(used)


def replay(folder, seconds, slope, amperes, least, place):
    times, watts = rail(folder, seconds)
    path = os.path.join(place, folder + '.csv')
    rows = currents(times, watts, path)
    # nobody knows the frequency before a few cycles were seen
    edges = [edge for edge in edges_of(times, watts, least) if edge[0] > 0.3]
    run = subprocess.run([FLYBALL, 'measure', path, '--json', '--voltage', str(VOLTS), '--nominal', '60',
                          '--slope', str(slope), '--peak', str(amperes), '--block', str(BLOCK)],
                         capture_output=True, text=True, check=True)
    said = [json.loads(line) for line in run.stdout.splitlines()]
    starts = {kind: [line['t_s'] for line in said if line.get('event') == kind and line['state'] == 'start']
              for kind in ('edge', 'ramp', 'peak')}
    packet = BLOCK / RATE
    for kind in ('edge', 'ramp'):
        events = [t for t in starts[kind] if t > 0.3]
        missed, worst, false = match(edges, events, SLOPE_LATE_S + packet)
        expect(missed == 0 and edges, f'{folder}: {len(edges)} edges, {kind}: {missed} missed, the latest '
               f'{worst * 1e3:.2f} ms behind halfway, {false} events without one')
    peaks(folder, rows, starts['peak'], amperes, packet)


def peaks(folder, rows, events, amperes, packet):
    """A run of samples over the threshold begins where none was for 30 ms: told with its first sample."""
    over = [n for n, row in enumerate(rows) if max(map(abs, row)) >= amperes]
    begins = [n / RATE for k, n in enumerate(over) if not k or n - over[k - 1] > 0.03 * RATE]
    late = [min((event - t for event in events if event >= t - 1.5 / RATE), default=9) for t in begins]
    expect(begins and max(late) <= packet, f'{folder}: {len(begins)} runs of peaks, each an event within '
           f'{max(late) * 1e3:.3f} ms, {len(events) - len(begins)} events more')


def main():
    if not os.path.isdir(os.path.join(DATA, 'gpu_rail_5khz')):
        print('skipped: no ../shared/data/gpu_rail_5khz beside the repository')
        return SKIP
    with tempfile.TemporaryDirectory() as place:
        for folder, seconds, slope, amperes, least in RUNS:
            if FULL or seconds:
                replay(folder, 0 if FULL else seconds, slope, amperes, least, place)
    return 1 if failures else 0


sys.exit(main())
