#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`flyball measure --spectra` of recordings that are made by a formula: harmonics and what lies between them,
and how power swings once a minute was heard.  spectra_check.py FLYBALL"""
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

FLYBALL = sys.argv[1]


def lines_of(folder, name, rate, seconds, values, *options):
    path = Path(folder) / name
    with path.open('w') as out:
        out.write('t_s,va,vb,vc,ia,ib,ic\n')
        for n in range(int(rate * seconds)):
            out.write(f'{n / rate:.9f},' + ','.join(f'{value:.6f}' for value in values(n / rate)) + '\n')
    told = subprocess.run([FLYBALL, 'measure', path, '--json', '--spectra', *options], check=True,
                          stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def near(value, wanted, within):
    assert abs(value - wanted) <= within, f'{value} where {wanted} is wanted'


def harmonics(t):
    """277 V with 2 % of 7th; 300 A with 6 % of 5th and 3 % at the 22.5th, between 22 and 23."""
    for phase in range(3):
        turn = 2 * math.pi * (50.3 * t - phase / 3)
        yield math.sqrt(2) * 277 * (math.sin(turn) + 0.02 * math.sin(7 * turn))
    for phase in range(3):
        turn = 2 * math.pi * (50.3 * t - phase / 3)
        yield math.sqrt(2) * 300 * (math.sin(turn) + 0.06 * math.sin(5 * turn) + 0.03 * math.sin(22.5 * turn))


def swinging(t):
    """600 kW, 20 kW of it (peak) to and fro at 2 Hz."""
    amperes = (600e3 + 20e3 * math.sin(2 * math.pi * 2 * t)) / 3 / 277
    for size in (277, amperes):
        for phase in range(3):
            yield math.sqrt(2) * size * math.sin(2 * math.pi * (60 * t - phase / 3))


def main():
    with tempfile.TemporaryDirectory() as folder:
        told = lines_of(folder, 'harmonics.csv', 8000, 2.5, harmonics)
        spectra = [line for line in told if line.get('reading') == 'spectrum']
        assert len(spectra) >= 10, len(spectra)
        for line in spectra[-4:]:      # the first ones while the oscillator's phase is still drawn
            near(line['frequency_hz'], 50.3, 0.005)
            assert line['cycles'] == 10 and not line['clipped'] and len(line['phases']) == 3
            for phase in line['phases']:
                voltage, current = phase['voltage'], phase['current']
                near(voltage['harmonics'][0], 277, 0.02)
                near(voltage['harmonics'][6], 277 * 0.02, 0.01)
                near(voltage['thd_percent'], 2, 0.01)
                near(current['thd_percent'], 6, 0.02)
                near(current['subgroups'][4], 18, 0.03)
                near(current['between'][21], 9, 0.03)
                near(phase['k_factor'], (1 + 25 * 0.0036) / 1.0036, 2e-4)
                assert len(voltage['harmonics']) == 50 and max(voltage['harmonics'][7:]) < 0.05
        told = lines_of(folder, 'swing.csv', 1000, 63, swinging)
        swings = [line for line in told if line.get('reading') == 'swing']
        assert 1 <= len(swings) <= 4, len(swings)
        for line in swings:
            near(line['peak_hz'], 2, 0.01)
            near(line['peak_w'], 20e3 / math.sqrt(2), 300)
            near(line['mean_w'], 600e3, 1000)
            near(line['bands'][0]['share_percent'], 100, 1)
            assert line['held_percent'] == 0


if __name__ == '__main__':
    main()
