#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/compare: what it says of series whose truth is known, made by dice with fixed seeds (no clock), of
planted builds, and of bad use.

usage: compare_test.py SOURCE"""
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
sys.dont_write_bytecode = True
sys.path.insert(0, f'{SOURCE}/bench')
from report import comparing, pairs     # noqa: E402

PAIRS, SERIES = 30, 20


def told(name, faults, said=''):
    print('not ok' if faults else 'ok', '-', name, flush=True)
    if faults:
        print('\n'.join(f'    {fault}' for fault in faults), said[-3000:], sep='\n')
    return not faults


def noisy_machine(seed):
    """What a shared machine makes of a figure: a level that wanders, 2 % from run to run, and one run in ten
    that is up to three times as slow."""
    dice, level = random.Random(seed), 0.0
    while True:
        level += dice.gauss(0, 0.01)
        spike = math.log(1 + 2 * dice.random()) if dice.random() < 0.1 else 0
        yield math.exp(level + dice.gauss(0, 0.02) + spike)


def series(seed, slower, count):
    """What bench/compare would measure in turn: ([A ...], [B ...])."""
    machine, before, after = noisy_machine(seed), [], []
    for order in comparing.in_turn(count):
        pair = [0.0, 0.0]
        for side in order:
            pair[side] = 100 * (slower if side else 1) * next(machine)
        before.append(pair[0])
        after.append(pair[1])
    return before, after


def states(slower, count, seeds):
    found = [pairs.verdict(*series(seed, slower, count))['state'] for seed in seeds]
    return {state: found.count(state) for state in ('differ', 'do not differ', 'cannot tell')}


def against_itself():
    n = states(1.0, pairs.PAIRS_LEAST, range(SERIES))
    many = states(1.0, PAIRS, range(100, 500))
    faults = []
    if n['differ'] > 1:
        faults.append(f'{n} of {SERIES}')
    if many['differ'] > 0.05 * 400 + 3 * math.sqrt(400 * 0.05 * 0.95):
        faults.append(f'{many} of 400, which is more than one in twenty')
    print(f'# against itself: {n} of {SERIES} with {pairs.PAIRS_LEAST} pairs; {many} of 400 with {PAIRS}')
    return told('a build is not called different from itself on a noisy machine', faults)


def slower():
    n = states(1.05, PAIRS, range(SERIES))
    least = states(1.05, pairs.PAIRS_LEAST, range(SERIES))
    print(f'# 5 % slower: {n} with {PAIRS} pairs, {least} with {pairs.PAIRS_LEAST}')
    faults = [] if n['differ'] >= 19 else [f'{n}']
    faults += [f'{least}: 5 % are called none'] if least['do not differ'] else []
    return told('a build that is 5 % slower is found', faults)


def order():
    """Of ten, the second and the ninth: with the eighth the chance would be 11 %."""
    faults = [f'{n}: {pairs.order(n)}, not {k}' for n, k in ((5, 0), (6, 1), (8, 1), (9, 2), (10, 2), (20, 6))
              if pairs.order(n) != k]
    for n in range(6, 40):
        k = pairs.order(n)
        if not 2 * pairs.sided(n, k) <= 0.05 < 2 * pairs.sided(n, k + 1):
            faults.append(f'{n}: {k}')
    low, high = pairs.interval([math.log(x) for x in range(1, 11)])[1:]
    faults += [] if (round(low, 9), round(high, 9)) == (2, 9) else [f'{low} to {high}']
    return told('the interval is that of the sign test', faults)


def drift():
    """A machine that slows down by 1 % a run, without other noise: B is never first twice."""
    level, before, after = 1.0, [], []
    for both in comparing.in_turn(12):
        pair = [0.0, 0.0]
        for side in both:
            level *= 1.01
            pair[side] = level
        before.append(pair[0])
        after.append(pair[1])
    row = pairs.verdict(before, after)
    return told('a machine that drifts makes nothing differ', [] if row['state'] != 'differ' else [str(row)])


def needs():
    """What it asks for is about what it takes."""
    row = pairs.verdict(*series(7, 1.0, pairs.PAIRS_LEAST))
    if row['state'] != 'cannot tell' or row['needs'] <= pairs.PAIRS_LEAST:
        return told('what cannot be told says how many pairs it would take', [str(row)])
    more = states(1.0, row['needs'], range(20, 40))
    print(f'# {pairs.sentence(row)}; with so many: {more}')
    faults = [] if more['cannot tell'] <= 10 and 'needs about' in pairs.sentence(row) else [f'{row}, {more}']
    return told('what cannot be told says how many pairs it would take', faults)


# Prints what its own file of figures has for this run, one more line on each run.
PLANTED = '''#!/usr/bin/env python3
import json, os
count = f'{__file__}.count'
n = int(open(count).read()) if os.path.exists(count) else 0
open(count, 'w').write(str(n + 1))
open(os.environ['FLYBALL_ORDER'], 'a').write(__file__.split('/')[-3])
print(json.dumps({'bench': 'decode', 'n': 1, 'ratio': FIGURE * (1 + 0.01 * (n * 7 % 5)), 'more': -1}))
'''


def compare(folder, figures, *options):
    for side, text in zip('AB', figures):
        os.makedirs(f'{folder}/{side}/bench', exist_ok=True)
        with open(f'{folder}/{side}/build.ninja', 'w', encoding='utf-8') as file:
            file.write('')
        with open(f'{folder}/{side}/bench/decode', 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(f'{folder}/{side}/bench/decode', 0o755)
    done = subprocess.run([f'{SOURCE}/bench/compare', f'{folder}/A', f'{folder}/B', '--bench', 'decode',
                           *options], capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, 'FLYBALL_ORDER': f'{folder}/order'})
    runs = ''
    if os.path.exists(f'{folder}/order'):
        with open(f'{folder}/order', encoding='utf-8') as file:
            runs = file.read()
    return done.returncode, runs, done.stdout, done.stderr


def good(figure):
    return PLANTED.replace('FIGURE', str(figure))


# name, the two benches, options, exit code, patterns in what is said
CASES = [
    ('the same figures', (good(2), good(2)), (), 0,
     [r'\.ratio +2\S* +2\S* +do not differ by more than 3 %: \+0']),
    ('a slower one', (good(2), good(2.2)), (), 1, [r'\.ratio .* differ: \+10\.0 % \(']),
    ('another margin', (good(2), good(2)), ('--margin', '0.1', '--pairs', '11'), 0,
     [r'do not differ by more']),
    ('a figure that is not there', (good(2), good(2)), ('--metric', '.nothing', '--metric', '.ratio'), 0,
     [r'\.nothing .*0 pairs have it', r'\.ratio .* do not differ', 'Of 2 figures']),
    ('a figure below zero', (good(2), good(2)), ('--metric', '.more'), 0, [r'0 pairs have it, above zero']),
    ('one that crashes', (good(2), '#!/bin/sh\necho broken >&2\nexit 3\n'), (), 3,
     [r'B: \S+/B/bench/decode: left with 3: broken', r'0 whole pairs: too few']),
    ('one that is gone', (good(2), '#!/nowhere\n'), (), 3, [r'B/bench/decode: No such file']),
]
REFUSED = [
    (('--pairs', '9'), r'--pairs 9: at least 10'),
    (('--pairs', 'x'), r'--pairs: invalid'),
    (('--bench', 'nonsense'), r'--bench nonsense: no such bench; there are loops'),
    (('--bench', 'leaf'), r'--bench leaf: no such bench'),
    (('--metric', 'ratio'), r'--metric ratio: cannot be read'),
    (('--margin', '0'), r'--margin 0\.0: from 0\.1'),
    (('--json', '/nowhere/x'), r'--json /nowhere/x: no file'),
    (('--loud',), r'unrecognized arguments'),
]


def judge(name, figures, options, code, patterns):
    with tempfile.TemporaryDirectory(prefix='flyball-compare-') as folder:
        returned, runs, out, said = compare(folder, figures, '--json', f'{folder}/r.json', *options)
        faults = [] if returned == code else [f'exit code {returned}, not {code}']
        faults += [f'nothing like {pattern}' for pattern in patterns if not re.search(pattern, out + said)]
        if code < 3:
            with open(f'{folder}/r.json', encoding='utf-8') as file:
                report = json.load(file)
            wanted = ('ABBA' * 6)[:len(runs)]
            faults += [] if runs == wanted and len(runs) >= 20 else [f'the order was {runs}']
            faults += [] if report['rows'] and report['method'] else ['no rows']
        return told(name, faults, out + said)


def refused(options, pattern):
    with tempfile.TemporaryDirectory(prefix='flyball-compare-') as folder:
        returned, runs, out, said = compare(folder, (good(1), good(1)), *options)
        faults = [] if returned == 2 and not runs and not out else [f'exit code {returned}, runs {runs}']
        faults += [] if re.search(pattern, said) else [f'nothing like {pattern}']
        return told(f'{" ".join(options)} is refused', faults, said)


def no_commit():
    done = subprocess.run([f'{SOURCE}/bench/compare', 'no-such-commit', SOURCE], capture_output=True,
                          text=True, check=False, timeout=60)
    fine = done.returncode == 2 and 'no-such-commit: neither a build folder nor a commit' in done.stderr
    return told('what is neither a commit nor a build folder is refused', [] if fine else [done.stderr])


def main():
    done = [order(), against_itself(), slower(), drift(), needs(), *(judge(*case) for case in CASES),
            *(refused(*case) for case in REFUSED), no_commit()]
    return 0 if all(done) else 1


if __name__ == '__main__':
    sys.exit(main())
