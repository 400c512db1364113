#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many mutants of the switched core its tests notice; nothing is compiled between them.

Every program of this folder runs once without a mutant, which tells its time and the functions it calls. A
mutant is tried against the programs that call its function: those first that noticed most of the same
function and of the same file, then those named like the file, then the quick ones; the first that fails ends
it. Processor time is bounded, so that a loop without an end is noticed, too.

Survivors are printed with what is known of each: nobody calls the function, or how many did without
noticing, or that tests/mutants/equivalent.mutants shows that the change makes no difference, or says why the
difference that it makes is let be. All count as survivors; the score without equivalents is printed, too.
"""
import argparse
import collections
import glob
import json
import os
import queue
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
EQUIVALENT = os.path.join(HERE, 'equivalent.mutants')
DEMO = [os.path.join(ROOT, 'config/demo-2n', name) for name in ('site.yaml', 'workload.yaml')]
NEEDED = {'handover_property': DEMO}
# What is left of the properties where each survivor pays for all of them.
SHORT = {'cluster_property': [['--cases', '8000']], 'waterfill_property': [['--cases', '8000'],
                                                                           ['--extremes', '--cases', '2000']],
         'lease_property': [['--cases', '4000', '--planted', '0']], 'breaker_property': [['--cases', '3000']],
         'ledger_property': [['--cases', '3']], 'pace_property': [['--cases', '40']]}
KINDS = ['comparison', 'constant', 'statement']
FAILS = 'fails without a mutant'


class Run:
    """One program with its arguments."""

    def __init__(self, path, arguments):
        self.path, self.arguments = path, arguments
        self.name = os.path.basename(path)[:-len('_switched')]
        self.cpu_s, self.reached = 0.0, set()
        self.caught = collections.Counter()     # by function, and by file

    def __str__(self):
        return ' '.join([self.name, *(word for word in self.arguments if not word.startswith('/'))])

    def passes(self, extra):
        """With these words in its surroundings; None where it took too long by the clock on the wall."""
        start = time.monotonic()
        with subprocess.Popen([self.path, *self.arguments], env={**os.environ, **extra},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                code = process.wait(120 + 40 * self.cpu_s)
            except subprocess.TimeoutExpired:
                process.kill()
                return None
        self.took_s = time.monotonic() - start
        if code == 125:
            sys.exit(f'{self.name} does not have {extra.get("FLYBALL_SWITCH")}: build it again')
        return code == 0

    def prepare(self):
        with tempfile.NamedTemporaryFile('r') as file:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            passed = self.passes({'FLYBALL_SWITCH_REACHED': file.name})
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.reached = {int(line) for line in file}
        return passed

    def notices(self, change):
        bound_ms = int(300 + 6000 * self.cpu_s)
        return self.passes({'FLYBALL_SWITCH': change['name'],
                            'FLYBALL_SWITCH_CPU_MS': str(bound_ms)}) is False

    def rank(self, change):
        stem = os.path.splitext(os.path.basename(change['file']))[0]
        return (-self.caught[change['index']], not self.name.startswith(stem),
                -self.caught[change['file']] / (0.02 + self.cpu_s), self.cpu_s)


def runs_in(folder, deep):
    found = []
    for path in sorted(glob.glob(os.path.join(folder, '*_switched'))):
        name = os.path.basename(path)[:-len('_switched')]
        if os.access(path, os.X_OK) and name.endswith(('_test', '_property')):
            forms = [[]] if deep else SHORT.get(name, [[]])
            found += [Run(path, [*NEEDED.get(name, []), *form]) for form in forms]
    return found


def kind_of(change):
    return {'statement out': 'statement'}.get(change['kind'], change['kind'])


def keys_of(changes):
    """{number: what a mutant is known by}: its line, wherever that stands, the column of the change without
    indentation, and which it is of several such in a function."""
    sources, keys, seen = {}, {}, collections.Counter()
    for change in changes:
        path = os.path.join(ROOT, change['file'])
        if path not in sources:
            with open(path, encoding='utf-8') as file:
                sources[path] = [' '.join(line.split()) for line in file]
        key = (f'{change["file"]} {change["function"]}, {change["column"]}: {change["what"]}: '
               f'{sources[path][change["line"] - 1]}')
        seen[key] += 1
        keys[change['number']] = f'{key} ({seen[key]})' if seen[key] > 1 else key
    return keys


def reasons():
    """{key: reason} of the equivalents, and of those let be: it stands behind the mutants that it is for."""
    told, waiting = {'because': {}, 'let be:': {}}, []
    with open(EQUIVALENT, encoding='utf-8') as file:
        for line in file:
            word = next((word for word in told if line.startswith(word)), None)
            if word:
                told[word].update((key, line[len(word):].strip()) for key in waiting)
                waiting = []
            elif line.strip() and not line.startswith('#'):
                waiting.append(' '.join(line.split()))
    return told['because'], told['let be:']


def judge(runs, change, lock):
    """The run that noticed, or None and how many were tried."""
    left = [run for run in runs if change['index'] in run.reached]
    tried = 0
    while left:
        with lock:
            run = min(left, key=lambda run: run.rank(change))
        left.remove(run)
        tried += 1
        if run.notices(change):
            with lock:
                run.caught[change['index']] += 1
                run.caught[change['file']] += 1
            return run, tried
    return None, tried


def over(changes, runs, jobs, tell):
    waiting, lock = queue.Queue(), threading.Lock()
    for change in changes:
        waiting.put(change)

    def work():
        while True:
            try:
                change = waiting.get_nowait()
            except queue.Empty:
                return
            by, tried = judge(runs, change, lock)
            with lock:
                tell(change, by, tried)
    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def score(caught, of):
    return 100 * caught / of if of else 0.0


def chosen(said, arguments):
    """The mutants asked for; drawn by seed from those of the kinds that count."""
    kinds = set(KINDS) if arguments.kinds == 'three' else None
    mutants = [change for change in said['changes'] if change['kind'] != 'rule' and
               (kinds is None or kind_of(change) in kinds) and
               (not arguments.files or change['file'] in arguments.files)]
    if arguments.all or len(mutants) <= arguments.count:
        return mutants
    at = sorted(random.Random(arguments.seed).sample(range(len(mutants)), arguments.count))
    print(f'{arguments.count} of {len(mutants)} mutants, seed {arguments.seed}')
    return [mutants[i] for i in at]


class Report:
    def __init__(self, verbose, keys):
        self.verbose, self.keys = verbose, keys
        self.known, self.let_be = reasons()
        self.total, self.caught, self.shown = (collections.Counter() for _ in range(3))
        self.survivors, self.mistaken = [], []

    def tell(self, change, by, tried):
        groups = 'all', kind_of(change), change['file']
        key = self.keys[change['number']]
        self.total.update(groups)
        if by:
            self.caught.update(groups)
            self.mistaken += [f'{key}\n    is noticed by {by}'] if key in self.known else []
        else:
            self.shown.update(groups if key in self.known else ())
            self.survivors.append((change['number'], key, self.why(key, tried), change))
        if self.verbose:
            print(f'{"caught" if by else "survived"} {change["name"]} {key}'
                  f'{f" (by {by})" if by else ""}', flush=True)

    def why(self, key, tried):
        if key in self.known:
            return f'equivalent: {self.known[key]}'
        if key in self.let_be:
            return f'let be: {self.let_be[key]}'
        return f'{tried} programs call it, none notices' if tried else 'no program calls it'

    def differing(self):
        return score(self.caught['all'], self.total['all'] - self.shown['all'])

    def print(self, elsewhere, same):
        for mistake in self.mistaken:
            print(f'not equivalent: {mistake}')
        for _, key, why, change in sorted(self.survivors, key=lambda survivor: survivor[0]):
            print(f'survived {change["name"]} line {change["line"]}: {key}\n    {why}')
        for group in sorted(self.total, key=lambda group: (group == 'all', group in self.caught, group)):
            shown = self.shown[group]
            print(f'{group:32} {self.caught[group]:5} of {self.total[group]:5}, '
                  f'{score(self.caught[group], self.total[group]):5.1f} %; without {shown} equivalents '
                  f'{score(self.caught[group], self.total[group] - shown):5.1f} %')
        print(f'{elsewhere} mutants lie outside functions or do not compile, {same} compile to the code that '
              'they change: these are not counted')
        total, caught = self.total['all'], self.caught['all']
        print(f'mutation: {caught} caught, {total - caught} survived, {self.shown["all"]} of these shown '
              f'equivalent, score {score(caught, total):.1f} %, '
              f'{self.differing():.1f} % of those that make a difference')


def parse(argv):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument('files', nargs='*', help='only mutants of these')
    parser.add_argument('--built', required=True, help='build folder')
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--kinds', choices=['three', 'every'], default='three',
                        help='comparison, constant and statement; or operator, condition and return, too')
    parser.add_argument('--deep', action='store_true', help='properties in the length of the test suite')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--min-score', type=float, default=0, help='percent; of all')
    parser.add_argument('--min-differing', type=float, default=0, help='percent; without the equivalents')
    return parser.parse_args(argv)


def main(argv):
    arguments = parse(argv)
    folder = os.path.join(arguments.built, 'tests/mutants')
    with open(os.path.join(folder, 'core/switches.json'), encoding='utf-8') as file:
        said = json.load(file)
    runs = runs_in(folder, arguments.deep)
    for run in runs:
        if not run.prepare():
            print(f'{run} {FAILS}')
            return 1
    print(f'{len(runs)} runs, {sum(run.cpu_s for run in runs):.1f} s of processor time without a mutant',
          flush=True)
    report = Report(arguments.verbose, keys_of(said['changes']))
    over(chosen(said, arguments), runs, arguments.jobs, report.tell)
    report.print(sum(change['kind'] != 'rule' for why in ('invalid', 'not switchable')
                     for change in said[why]), len(said['same']))
    return 0 if (score(report.caught['all'], report.total['all']) >= arguments.min_score and
                 report.differing() >= arguments.min_differing and not report.mistaken) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
