#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What of bench/loops cannot be noise: every contender answers, the counts add up, a loop that stood still
has not noticed, and wrong use is refused.

usage: check.py LOOPS"""
import json
import subprocess
import sys

TICK_S = 0.02
LONG_S = 120


def run(loops, *arguments):
    return subprocess.run([loops, *arguments], capture_output=True, text=True, timeout=LONG_S, check=False)


def say(good, what, why=''):
    print(f'{"ok" if good else "not ok"} - {what}{": " + str(why) if why and not good else ""}')
    return good


def wrong_use(loops):
    good = True
    for arguments in (['--seconds', '0'], ['--seconds', 'x'], ['--seconds'], ['--only', 'nobody'], ['--only'],
                      ['--only', 'echo-spin,'], ['--fast'], ['echo-spin']):
        done = run(loops, *arguments)
        good &= say(done.returncode == 2 and done.stderr and not done.stdout,
                    f'refused: loops {" ".join(arguments)}', (done.returncode, done.stderr))
    return good


def histogram_count(part):
    return sum(count for _, count in part['ns'])


def check_contender(name, row):
    if 'why' in row:
        print(f'# {name} is not here: {row["why"]}')
        return True
    counts = {key: row[key] for key in ('sent', 'n', 'warm', 'lost')}
    # a machine that is never quiet for a block holds no rate
    good = say(row['n'] > 0 or row['load'] == 'saturated', f'{name} answers', counts)
    good &= say(row['sent'] == row['n'] + row['warm'] + row['lost'], f'{name}: counts add up', counts)
    for part in ('first', 'last', 'scheduled'):
        if part in row:
            good &= say(histogram_count(row[part]) == row['n'], f'{name}: {part} has them all', counts)
    if row['path'] == 'emergency' or name in ('user-sockets', 'user-sockets-paced'):
        good &= say(row['cut_share'] > 0.5, f'{name}: emergencies cut', (row['not_raised'], counts))
    for stage, took in row.get('stage', {}).items():
        good &= say(histogram_count(took) == took['n'], f'{name}: stage {stage} has them all')
    if row['n']:
        good &= say(row['first']['p50_us'] <= row['last']['p50_us'] > 0, f'{name}: first before last')
    return good


# Every kind of contender; one beside a neighbour stands for the others, which take as long.
def check_all(names, done):
    if not say(done.returncode == 0, 'all contenders, one round', done.stderr):
        return False
    found = json.loads(done.stdout)
    good = say(sorted(found['contender']) == sorted(names), 'each of them is there')
    for name, row in found['contender'].items():
        good &= check_contender(name, row)
    good &= check_searches(found)
    for kind in ('hiccup', 'hiccup_neighbour'):
        good &= say(found['floor'][kind]['span_s'] > 0.1, f'the floor was measured: {kind}')
    return good


def check_searches(found):
    good = True
    names = [name for name, row in found['contender'].items() if row['load'] == 'saturated']
    for name in names:
        row = found['saturation'].get(name, {'searches': 0, 'steps': {}})
        good &= say(row['searches'] > 0 and len(row['steps']) > 0, f'{name}: a rate was searched for', row)
        for rate, step in row['steps'].items():
            what = f'{name}: {rate} a second'
            good &= say(step['held'] <= 1 <= step['tries'] and step['sent'] > 0, f'{what} was tried', step)
            good &= say(histogram_count(step) == step['sent'] - step['lost'], f'{what} has all answers')
    return good


# Reports skip no time. Had the loop noticed where it stood still, all these ticks would be missed, and leases
# would have run out.
def check_parked(loops):
    done = run(loops, '--json', '--seconds', '8', '--only',
               'flyball-af_packet-auth-report,echo-af_packet-one,echo-spin-one')
    if not say(done.returncode == 0, 'a loop that stands still', done.stderr):
        return False
    row = json.loads(done.stdout)['loop']['af_packet-auth']
    parked_ticks = row['parked_s'] / TICK_S
    good = say(row['parked'] >= 3 and parked_ticks > 100, 'it stood still', row)
    good &= say(row['ticks_missed'] < parked_ticks / 2, 'its ticks were not missed', row)
    good &= say(row['ticks'] > 0, 'it ran between', row)
    for key in ('fail_safes', 'resets', 'recoveries', 'invariant_failures'):
        good &= say(row[key] == 0, f'{key} 0', row)
    return good


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    loops = sys.argv[1]
    good = wrong_use(loops)
    listed = run(loops, '--list')
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    good &= say(listed.returncode == 0 and len(names) > 20, '--list names the contenders')
    names = [name for name in names if not name.endswith('-hog') or name == 'flyball-af_packet-auth-hog']
    done = run(loops, '--json', '--seconds', '1', '--only', ','.join(names))
    if done.returncode == 77:
        print(done.stderr, end='')
        return 77 if good else 1
    good &= check_all(names, done)
    good &= check_parked(loops)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
