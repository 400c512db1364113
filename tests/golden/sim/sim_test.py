#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball sim: its keys, that a printed command repeats its run, that a run that fails is shortened to one
that still does, and its words for bad input.  usage: sim_test.py FLYBALL SOURCE_ROOT"""
import json
import os
import shlex
import subprocess
import sys
import tempfile

KEYS = {'ok', 'site', 'site_mode', 'workload', 'scenario', 'faults', 'seed', 'hours', 'warmup_s', 'hosts',
        'trips', 'guard_hits', 'exposure_short', 'recovery_s', 'heat', 'overshoot_w', 'over_ms',
        'throttled_fraction', 'useful_fraction', 'tightness_p99', 'tightness_samples', 'sim_speed_x',
        'energy_wh', 'demand_wh', 'energy_vs_derated', 'energy_vs_static', 'energy_vs_oracle', 'trip',
        'fault', 'bounds', 'command', 'shrunk', 'missed', 'governor'}
WRONG = [
    ('SITE --fault "reset nobody at 3s"', 2, "--fault 'reset nobody at 3s': "),
    ('SITE --fault "melt a1-01 at 3s"', 2, "--fault 'melt a1-01 at 3s': "),
    ('SITE --random --faults lots', 2, "--faults 'lots' is not none, some, many or hostile"),
    ('SITE --scenario lots', 2, "--scenario 'lots' is not one of those that --list shows"),
    ('SITE', 2, 'one of --scenario, --random, --fault and --trace is needed'),
    ('no-such.yaml --random', 3, 'no-such.yaml'),
    ('SITE --random --workload no-such.yaml', 3, 'no-such.yaml'),
    ('SITE --random --workload BROKEN', 4, ':1:1: error: '),
    ('BROKEN --random', 4, ': error: '),
    ('SITE --trace no-such-folder', 3, 'no-such-folder'),
    ('SITE --random --duration 1s --json no-such-folder/out', 3, 'no-such-folder/out'),
]


class Test:
    def __init__(self, flyball, root):
        self.flyball, self.failed = flyball, 0
        self.site = os.path.join(root, 'config/demo/site.yaml')

    def check(self, holds, what):
        if not holds:
            print('FAILED:', what)
            self.failed += 1

    def run(self, words):
        return subprocess.run([self.flyball, 'sim', *words], capture_output=True, text=True, timeout=240)

    def document(self, words):
        """Exit code and the object of --json; the words for people must be on standard error then."""
        run = self.run([*words, '--json', '-'])
        told = 'passed' in run.stderr or 'FAILED' in run.stderr
        self.check(told, f'{words}: words on standard error: {run.stderr}')
        return run.returncode, json.loads(run.stdout)

    def again(self, command):
        """What the printed command comes to; its first two words are the program and the verb."""
        words = shlex.split(command)
        self.check(words[:2] == ['flyball', 'sim'], command)
        return self.document(words[2:])

    def repeats(self):
        words = [self.site, '--random', '--faults', 'some', '--seed', '5', '--duration', '20s']
        code, first = self.document(words)
        self.check(set(first) == KEYS, f'keys: {sorted(set(first) ^ KEYS)}')
        self.check((code == 0) == first['ok'], 'exit code and ok agree')
        other_code, second = self.again(first['command'])
        for run in (first, second):
            self.check(run.pop('sim_speed_x') > 0, 'a speed')
        self.check(code == other_code and first == second, 'the printed command repeats every figure')
        self.check(first['tightness_samples'] > 50, f'tightness is sampled: {first["tightness_samples"]}')
        self.check(0.3 < first['energy_vs_oracle'] < 1.1, f'against the oracle: {first["energy_vs_oracle"]}')

    def fails_and_shrinks(self):
        words = [self.site, '--seed', '3', '--duration', '30s', '--fault', 'reset b1-02 at 14s',
                 '--fault', 'other branch-a 320kW at 16s for 6s', '--fault', 'loss rack-b1 20% at 18s for 2s']
        code, run = self.document(words)
        self.check(code == 1 and not run['ok'] and run['trips'] > 0, f'such a load trips: {run["trips"]}')
        self.check(run['trip'] and run['trip'][0]['node'] == 'branch-a', f'the trip: {run["trip"]}')
        shrunk = run['shrunk']
        self.check(len(shrunk['fault']) == 1 and shrunk['fault'][0].startswith('other branch-a'),
                   f'one fault is left: {shrunk["fault"]}')
        self.check(shrunk['until_s'] < 29, f'the end came nearer: {shrunk["until_s"]}')
        code, again = self.again(shrunk['command'] + ' --no-shrink')
        self.check(code == 1 and again['trips'] > 0 and again['shrunk'] is None, 'the shortened run fails')

    def keeps_what_is_missing(self):
        """Trims are wanted and nothing orders a limit: a run of no length is no shorter one of that."""
        code, run = self.document([self.site, '--scenario', 'limit-ordered', '--only', 'none'])
        broken = [bound['what'] for bound in run['bounds'] if not bound['holds']]
        self.check(code == 1 and broken == ['trims'], f'trims alone are missing: {run["bounds"]}')
        shorter_s = run['hours'] * 3600 - run['shrunk']['until_s']
        self.check(abs(shorter_s) < 1e-6, f'it keeps its length: {run["shrunk"]}')

    def tells_what_is_too_short(self):
        run = self.run([self.site, '--random', '--duration', '2s'])
        self.check('nothing but trips' in run.stdout, f'nothing is measured in 2 s: {run.stdout}')

    def refuses(self, folder):
        broken = os.path.join(folder, 'broken.yaml')
        with open(broken, 'w', encoding='utf-8') as out:
            out.write('nothing: here\n')
        for words, code, said in WRONG:
            words = words.replace('SITE', self.site).replace('BROKEN', broken)
            run = self.run(shlex.split(words))
            self.check(run.returncode == code, f'{words}: exit {run.returncode}, not {code}')
            self.check(said in run.stderr, f'{words}: said {run.stderr!r}, not {said!r}')

    def lists(self):
        run = self.run(['--list'])
        numbers = [int(line.split()[0]) for line in run.stdout.splitlines()]
        self.check(numbers and numbers == sorted(set(numbers)), f'numbers rise: {numbers}')


def main():
    test = Test(os.path.realpath(sys.argv[1]), sys.argv[2])
    test.lists()
    test.repeats()
    test.fails_and_shrinks()
    test.keeps_what_is_missing()
    test.tells_what_is_too_short()
    with tempfile.TemporaryDirectory() as folder:
        test.refuses(folder)
    print(f'{test.failed} differences')
    return 1 if test.failed else 0


if __name__ == '__main__':
    sys.exit(main())
