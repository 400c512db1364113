#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""measure_check.py FLYBALL DATA: `flyball measure` against sums by the definition, on a waveform written here
and on recordings of others, and what it says of files that are wrong. Without DATA the recordings are skipped
by name."""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

FLYBALL, DATA = sys.argv[1:3]
RATE, HERTZ, VOLTS, AMPERES, LAG = 8000, 60, 277.128, 600.0, 0.3
failures = []


def expect(good, what):
    print('ok' if good else 'FAILED', what)
    if not good:
        failures.append(what)


def near(value, wanted, relative, what):
    expect(abs(value - wanted) <= relative * abs(wanted), f'{what}: {value:.9g}, by hand {wanted:.9g}')


def measure(path, *options):
    run = subprocess.run([FLYBALL, 'measure', path, *options], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def lines_of(path, *options):
    code, out, said = measure(path, '--json', *options)
    expect(code == 0 and not said, f'{os.path.basename(path)} is read {said}')
    return [json.loads(line) for line in out.splitlines()]


# ---- a waveform of our own ----

def row(n):
    t = n / RATE
    depth = [0.7 if 0.6 <= t < 0.7 else 1, 1, 1]
    volts = [depth[p] * VOLTS * math.sqrt(2) * (math.sin(2 * math.pi * (HERTZ * t - p / 3)) +
             0.02 * math.sin(5 * 2 * math.pi * (HERTZ * t - p / 3) + 1)) for p in range(3)]
    amperes = [AMPERES * math.sqrt(2) * (math.sin(2 * math.pi * (HERTZ * t - p / 3) - LAG) +
               0.1 * math.sin(3 * 2 * math.pi * (HERTZ * t - p / 3) + 0.5)) for p in range(3)]
    return t, *volts, *amperes


def write(path, rows, header='t_s,va,vb,vc,ia,ib,ic'):
    with open(path, 'w', encoding='ascii') as file:
        file.write(header + '\n')
        for values in rows:
            file.write(f'{values[0]:.6f},' + ','.join(f'{value:.9f}' for value in values[1:]) + '\n')


def own_waveform(folder):
    path = os.path.join(folder, 'own.csv')
    rows = [row(n) for n in range(RATE) if not 6800 <= n < 6900]
    write(path, rows)
    said = lines_of(path)
    readings = [line for line in said if line.get('reading') == 'cycles']
    clean = [line for line in readings if not line['flags']]
    expect(len(clean) >= 1, f'{len(clean)} readings without a flag')
    window = rows[1600:3200]            # 12 cycles, wherever they begin
    for p in range(3):
        got = clean[0]['phases'][p]
        v, i = [r[1 + p] for r in window], [r[4 + p] for r in window]
        near(got['voltage_v'], math.sqrt(math.fsum(x * x for x in v) / len(v)), 1e-6, f'volts of phase {p}')
        near(got['current_a'], math.sqrt(math.fsum(x * x for x in i) / len(i)), 1e-6, f'amperes of phase {p}')
        watts = math.fsum(a * b for a, b in zip(v, i)) / len(v)
        near(got['power_active_w'], watts, 1e-6, f'watts of phase {p}')
        near(got['power_reactive_var'], VOLTS * AMPERES * math.sin(LAG), 1e-6, f'vars of phase {p}')
    near(clean[0]['frequency_hz'], HERTZ, 1e-6, 'frequency')
    neutral = [sum(r[4:]) for r in window]
    near(clean[0]['neutral_a'], math.sqrt(math.fsum(x * x for x in neutral) / len(neutral)), 1e-6, 'neutral')
    sags = [line for line in said if line.get('event') == 'sag']
    expect([line['state'] for line in sags] == ['start', 'end'], 'one sag')
    near(sags[1]['t_s'], 0.6 + 0.5 / HERTZ, 1e-4, 'it begins')
    near(sags[1]['duration_s'], 0.1 + 0.5 / HERTZ, 1e-4, 'it lasts')
    near(sags[1]['residual'], 0.7, 1e-3, 'residual')
    expect(any(line['flags'] == ['gap'] and 'phases' not in line for line in readings),
           'the window with the gap has no values')
    blocks = [line['t_s'] for line in lines_of(path, '--block', '8') if line.get('reading') == 'cycles']
    expect(len(blocks) == len(readings), 'blocks of 8 give as many readings')


# ---- files that are wrong ----

GOOD = [row(n) for n in range(64)]
HEAD = 't_s,va,vb,vc,ia,ib,ic'


def text_of(rows, header=HEAD):
    return header + '\n' + ''.join(','.join(f'{value:.6f}' for value in r) + '\n' for r in rows)


def with_line(number, line):
    lines = text_of(GOOD).splitlines()
    lines[number - 1] = line
    return '\n'.join(lines) + '\n'


WRONG = [
    ('nothing', '', ': error: fewer than three samples'),
    ('a name twice', text_of(GOOD, 't_s,va,va,vc,ia,ib,ic'), ':1: error: column va: twice'),
    ('an unknown name', text_of(GOOD, 't_s,va,vb,vc,ia,ib,xx'), ':1: error: column xx: unknown'),
    ('no time', text_of(GOOD, 'va,vb,vc,ia,ib,ic'), ':1: error: the header lacks t_s or va'),
    ('one of two phases', 't_s,va,vb\n0,1,1\n', ':1: error: the header has one of vb and vc only'),
    ('a word', with_line(9, '0.000875,1,2,x,4,5,6'), ':9: error: column vc: no number'),
    ('not a number', with_line(9, '0.000875,1,2,nan,4,5,6'), ':9: error: column vc: no number'),
    ('a cell short', with_line(9, '0.000875,1,2,3,4,5'), ':9: error: column ib: the last; the header has'),
    ('a cell more', with_line(9, '0.000875,1,2,3,4,5,6,7'), ':9: error: more cells than the header has'),
    ('back in time', with_line(9, '0.000500,1,2,3,4,5,6'), ':9: error: column t_s: not later'),
    ('between samples', with_line(9, '0.000930,1,2,3,4,5,6'), ':9: error: column t_s: between two samples'),
    ('too slow', text_of([(n / 100, *r[1:]) for n, r in enumerate(GOOD)]), ':3: error: samples come at less'),
    ('a huge value', with_line(9, '0.000875,1,2,1e13,4,5,6'), ':9: error: column vc: too large'),
    ('a time beyond all', with_line(9, '5e9,1,2,3,4,5,6'), ':9: error: column t_s: too large'),
    ('a little too fast', text_of([(n / 16100, *r[1:]) for n, r in enumerate(GOOD)]),
     ':3: error: samples come at less'),
    ('a zero byte', text_of(GOOD) + '\0', ': error: not text'),
]


def wrong_files(folder):
    path = os.path.join(folder, 'wrong.csv')
    for name, text, wanted in WRONG:
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        code, out, said = measure(path, '--json')
        expect(code == 4 and path + wanted in said and not out, f'{name}: {said.strip()}')
    expect(measure(os.path.join(folder, 'none.csv'))[0] == 3, 'a file that is not there')
    for options in [['--voltage', 'x'], ['--nominal', '10'], ['--block', '0'], ['--channels', '1,2'],
                    ['--ticks']]:
        expect(measure(path, *options)[0] == 2, f'{" ".join(options)} is refused')


# ---- recordings of others: a sag that three substations saw ----

def samples_of(base, channel, count):
    """Of a binary file of 1999: number, stamp, analog words, status words; scaled to the primary side."""
    with open(base + '.cfg', 'rb') as file:
        text = file.read().split(b'\n')
    analogs, statuses = (int(cell[:-1]) for cell in text[1].split(b',')[1:3])
    fields = text[1 + channel].split(b',')
    a, b, ratio = float(fields[5]), float(fields[6]), float(fields[10]) / float(fields[11])
    size = 8 + 2 * analogs + 2 * ((statuses + 15) // 16)
    with open(base + '.dat', 'rb') as file:
        data = file.read()
    return [(a * struct.unpack_from('<h', data, n * size + 8 + 2 * (channel - 1))[0] + b) * ratio
            for n in range(count)]


def rms_of_cycles(values, samples):
    """Of one cycle, beginning at every sample."""
    return [math.sqrt(math.fsum(x * x for x in values[n:n + samples]) / samples)
            for n in range(len(values) - samples)]


# name, samples and rate of the first part; ygz saw a fault of its own that lasts beyond it
SAGS = [('xtz', 1280, 3200), ('ymz', 1120, 4000)]


def recordings():
    folder = os.path.join(DATA, 'comtrade_220kv')
    if not os.path.isdir(folder):
        print('skipped: no ../shared/data/comtrade_220kv beside the repository')
        return
    for name, count, rate in SAGS:
        base = os.path.join(folder, name)
        said = lines_of(base + '.cfg')
        sag = next(line for line in said if line.get('event') == 'sag' and line['state'] == 'end')
        cycle = rate // 50
        phases = [rms_of_cycles(samples_of(base, channel, count), cycle) for channel in (1, 2, 3)]
        declared = math.fsum(phase[n] for phase in phases for n in range(cycle)) / cycle / 3
        near(said[0]['settings']['voltage_v'], declared, 2e-3, f'{name}: declared')
        worst = min(range(3), key=lambda p: min(phases[p]))
        expect(sag['phase'] == 'abc'[worst], f'{name}: of phase {sag["phase"]}')
        # every half cycle sees the deepest within the noise of where it begins
        lowest = min(phases[worst])
        expect(lowest - 1 <= sag['worst_v'] <= lowest * 1.02,
               f'{name}: {sag["worst_v"]:.1f} V, {lowest:.1f} V at the lowest of all cycles')
        ends = [((n + cycle) / rate, rms / declared) for n, rms in enumerate(phases[worst])]
        below = next(t for t, rms in ends if rms < 0.9)
        back = next(t for t, rms in ends if t > below and rms >= 0.92)
        expect(0 <= sag['t_s'] - below <= 0.0101, f'{name}: begins at {sag["t_s"]:.6f}, {below:.6f}')
        expect(0 <= sag['end_s'] - back <= 0.0101, f'{name}: ends at {sag["end_s"]:.6f}, {back:.6f} first')
    others = [os.path.join(folder, name) for name in ('ygz.cfg', 'D51_RCD_2346_20150917_105253_065_F.cfg')]
    readings = [lines_of(path)[-1]['end']['readings'] for path in others]
    expect(all(readings), f'mixed rates and names in GBK are read: {readings}')


with tempfile.TemporaryDirectory() as place:
    own_waveform(place)
    wrong_files(place)
recordings()
sys.exit(1 if failures else 0)
