#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""measure_check.py FLYBALL DATA: `flyball measure` against sums by the definition, on a waveform written here
and on recordings of others, and what it says of files that are wrong. Without DATA the recordings are skipped
by name."""
import cmath
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


    still = [line for line in lines_of(others[0]) if line.get('state') == 'open']
    lowest = min(rms_of_cycles(samples_of(others[0][:-4], 1, 1280), 64))
    expect(len(still) == 1 and still[0]['event'] == 'sag' and still[0]['phase'] == 'a' and
           abs(still[0]['until_s'] - still[0]['t_s'] - still[0]['lasted_s']) < 1e-6 and
           lowest - 1 <= still[0]['worst_v'] <= lowest * 1.02,
           f'a sag that lasts where its part ends is told: {still}')


# ---- and one of 30.7 kHz in a building, with transients ----

def building():
    """Channels 1 to 3 are amperes, 5 to 7 volts; lines are numbered and have no stamps."""
    base = os.path.join(DATA, 'comtrade_600v', 'keating_1999')
    if not os.path.isfile(base + '.CFG'):
        print('skipped: no ../shared/data/comtrade_600v beside the repository')
        return
    with open(base + '.CFG', encoding='latin-1') as file:
        config = [line.split(',') for line in file.read().splitlines()]
    rate = float(config[12][0])
    with open(base + '.DAT', encoding='latin-1') as file:
        lines = [line.split(',') for line in file.read().splitlines() if line.count(',') > 5]
    channels = [[float(config[1 + c][5]) * float(line[1 + c]) + float(config[1 + c][6]) for line in lines]
                for c in (5, 6, 7, 1, 2, 3)]
    said = lines_of(base + '.CFG', '--harmonics', '--ticks', '--peak', '250')
    near(said[0]['settings']['rate_hz'], rate / 2, 1e-7, '30.7 kHz come to half of it')
    told = next(line for line in said if line.get('reading') == 'harmonics')
    expect(told['cycles'] == 3, f'{told["cycles"]} whole cycles')
    spectra(channels, rate, told)
    ticks = [line for line in said if line.get('reading') == '1ms']
    worst = 0
    for tick in ticks[1:]:
        begin, end = (round((tick['t_s'] - ms * 1e-3) * rate) for ms in (1, 0))
        for p in range(3):
            highest = max(abs(x) for x in channels[3 + p][begin:end + 1])
            worst = max(worst, abs(tick['peak_a'][p] - highest))
    expect(len(ticks) > 60 and worst < 12, f'{len(ticks)} ms, their peaks within {worst:.1f} A')
    peaks = [line for line in said if line.get('event') == 'peak']
    first = next(n for n in range(len(lines)) if max(abs(channels[3 + p][n]) for p in range(3)) >= 250)
    highest = max(abs(x) for p in range(3) for x in channels[3 + p])
    expect([line['state'] for line in peaks] == ['start', 'open'], 'one run of peaks, which lasts')
    expect(abs(peaks[0]['t_s'] - first / rate) <= 2 / rate, f'its first at {peaks[0]["t_s"]:.6f} s')
    near(peaks[1]['worst_a'], highest, 2e-3, 'its highest')


def spectra(channels, rate, told):
    """By the definition over the same time, of the samples before the filter."""
    hertz, begin = told['frequency_hz'], round(told['from_s'] * rate)
    expect(abs(begin / rate - told['from_s']) < 1e-8, 'it begins at a sample')
    length = told['cycles'] * rate / hertz
    whole, part = int(length), length - int(length)
    # of the line between two samples the end has a share: weights of the trapezoid's two last ones
    weight = [0.5] + [1.0] * (whole - 1) + [0.5 + part - part * part / 2, part * part / 2]
    off = {'volts': 0, 'amperes': 0}
    for h in range(1, 51):
        turned = [cmath.exp(-2j * math.pi * h * hertz * n / rate) * w for n, w in enumerate(weight)]
        for c, x in enumerate(channels):
            wanted = abs(sum(a * b for a, b in zip(x[begin:], turned))) / length * math.sqrt(2)
            phase = told['phases'][c % 3]
            got = (phase['harmonics_v'] if c < 3 else phase['harmonics_a'])[h]
            first = told['phases'][c % 3]['harmonics_v' if c < 3 else 'harmonics_a'][1]
            name = 'volts' if c < 3 else 'amperes'
            off[name] = max(off[name], abs(got - wanted) / first)
    expect(max(off.values()) < 1e-3, f'harmonics to the 50th within {off} of the fundamental')


def lines_that_are_wrong(folder):
    """COMTRADE in text: the line of the samples that cannot be is named."""
    base = os.path.join(folder, 'line')
    with open(base + '.cfg', 'w', encoding='ascii') as file:
        file.write('A,P,1999\n6,6A,0D\n' + ''.join(
            f'{c + 1},{n},{n[1]},,{"V" if c < 3 else "A"},1e6,0,0,-99999999,99999999,1,1,P\n'
            for c, n in enumerate(('VA', 'VB', 'VC', 'IA', 'IB', 'IC'))) +
            '60\n1\n8000,90\n03/07/2025,10:30:45.0\n03/07/2025,10:30:45.0\nASCII\n1\n')
    for line, cell, wanted in ((7, '1000001', ':7: error: samples: channel 4: beyond 1e12'),
                               (90, '1e99', ':90: error: samples: channel 4'),
                               (1, '-1000001', ':1: error: samples: channel 4: beyond 1e12')):
        with open(base + '.dat', 'w', encoding='ascii') as file:
            for n in range(1, 91):
                file.write(f'{n},{(n - 1) * 125},1,2,3,{cell if n == line else 4},5,6\n')
        code, out, said = measure(base + '.cfg', '--json')
        expect(code == 4 and wanted in said and not out, f'a sample too large: {said.strip()}')


with tempfile.TemporaryDirectory() as place:
    own_waveform(place)
    wrong_files(place)
    lines_that_are_wrong(place)
recordings()
building()
sys.exit(1 if failures else 0)
