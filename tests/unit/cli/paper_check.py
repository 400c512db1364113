#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`flyball measure --paper-compat`: the white paper's windows are as wrong as arithmetic says, and say so.
paper_check.py FLYBALL"""
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

FLYBALL, RATE, VOLTS, AMPERES, FIFTH = sys.argv[1], 8000, 277.0, 300.0, 0.06
# Error of rms over 128 samples at worst, percent; what a flat top over 1000 samples reads of an odd order.
EXPECTED = {50: (-9.959, 9.053, 1.00026), 60: (-2.084, 2.041, 0.99887)}


def record(path, hertz, gap=()):
    with path.open('w') as out:
        out.write('t_s,va,vb,vc,ia,ib,ic\n')
        for n in range(RATE):
            if n in gap:
                continue
            turns = [2 * math.pi * (hertz * n / RATE - phase / 3) for phase in range(3)]
            volts = [math.sqrt(2) * VOLTS * math.sin(turn) for turn in turns]
            amperes = [math.sqrt(2) * AMPERES * (math.sin(turn) + FIFTH * math.sin(5 * turn))
                       for turn in turns]
            out.write(f'{n / RATE:.9f},' + ','.join(f'{value:.6f}' for value in volts + amperes) + '\n')


def lines_of(path):
    told = subprocess.run([FLYBALL, 'measure', path, '--json', '--paper-compat'], check=True,
                          stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def of_kind(lines, kind):
    found = [line for line in lines if line.get('reading') == kind]
    assert all(line['compatibility'].startswith('white paper') for line in found)
    return found


def check(path, hertz):
    record(path, hertz)
    low, high, flat = EXPECTED[hertz]
    lines = lines_of(path)
    rms, spectra = of_kind(lines, 'paper_rms'), of_kind(lines, 'paper_harmonics')
    assert len(rms) == 62 and len(spectra) == 8, (len(rms), len(spectra))
    errors = [(value / VOLTS - 1) * 100 for line in rms for value in line['v']]
    assert low - 0.01 <= min(errors) < 0.95 * low and 0.9 * high < max(errors) <= high + 0.01, \
        f'{hertz} Hz: {min(errors)} to {max(errors)} %'
    for line in rms:    # the sum of three phases has no ripple: good in any window but for the 5th's
        assert abs(line['power_w'] / (3 * VOLTS * AMPERES) - 1) < 0.02, line
    for line in spectra:
        for order, share in ((1, 1.0), (5, FIFTH)):
            read = line['ia'][order - 1] / (AMPERES * share)
            assert abs(read - flat) < 4e-4, (hertz, order, read)
        assert len(line['va']) == 50 and abs(line['thd_ia_percent'] / 100 - FIFTH) < 0.001
        assert line['thd_vb_percent'] < 0.1


def check_gap(path):
    """Windows with a gap in them are not there; they begin anew behind it."""
    record(path, 60, range(1000, 1010))
    rms = of_kind(lines_of(path), 'paper_rms')
    assert len(rms) == 7 + (RATE - 1010) // 128, len(rms)
    assert abs(rms[7]['from_s'] - 1010 / RATE) < 1e-9, rms[7]


def main():
    with tempfile.TemporaryDirectory() as folder:
        for hertz in EXPECTED:
            check(Path(folder) / 'even.csv', hertz)
        check_gap(Path(folder) / 'gap.csv')


if __name__ == '__main__':
    main()
