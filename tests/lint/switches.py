#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/switches puts changes in where they belong and chooses one at run time: tried on a few lines."""
import json
import os
import subprocess
import sys
import tempfile

import tree

HERE = os.path.dirname(os.path.abspath(__file__))
SWITCHES = os.path.join(HERE, '..', '..', 'tools', 'switches')
MUTANTS = os.path.join(HERE, '..', 'mutants')
FILES = {
    'src/core/pool.h': '''#ifndef POOL_H
#define POOL_H
int lesser(int a, int b);
void count_to(int n, int *count);
static inline int twice(int a)
{
    return a + a;
}
#endif
''',
    'src/core/pool.c': '''#include "core/pool.h"
enum { MOST = 100 };
/* a { in a comment */
static int at_most(int a, int (*tell)(const char *text))
{
    int unasked = 7;
    return a < MOST ? a : tell("{") + MOST;
}
static int silent(const char *text)
{
    return text[0] - '{';
}
int lesser(int a, int b)
{
    if (at_most(a, silent) < b)
        return a;
    return b;
}
void count_to(int n, int *count)
{
    while ((*count)++ < n)
        ;
}
''',
    'tests/rules/pool.rules': '''rule   the lesser is given
file   src/core/pool.c
-    if (at_most(a, silent) < b)
+    if (at_most(a, silent) > b)
by     pool_test
id     the-lesser

rule   there is a most
file   src/core/pool.c
-enum { MOST = 100 };
+enum { MOST = 200 };
by     pool_test

rule   twice is twice
file   src/core/pool.h
-    return a + a;
+    return a + a + a;
by     pool_test
''',
    'tests/unit/core/pool_test.c': '''#include <stdio.h>
#include "core/pool.h"
int main(void)
{
    int count = 0;
    count_to(4, &count);
    printf("%d %d %d %d\\n", lesser(1, 2), lesser(3, 2), count, twice(4));
    return 0;
}
''',
}


def run(command, **surroundings):
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, **surroundings})
    return done.returncode, done.stdout.strip(), done.stderr


def number_of(said, words):
    return next(change['name'] for change in said['changes'] if words in change['what'])


def look(root, failures):
    out = os.path.join(root, 'out/core')
    code, _, error = run([sys.executable, SWITCHES, '--root', root, '--out', out, '--mutants', 'all', '--cc',
                          'cc'])
    if code:
        failures.append(f'the copies are made: {error}')
        return
    with open(os.path.join(out, 'switches.json'), encoding='utf-8') as file:
        said = json.load(file)
    outside = [change['name'] for change in said['not switchable'] if change['kind'] == 'rule']
    if outside != ['rule:pool.rules:8']:
        failures.append(f'what lies outside functions is told: {outside}')
    same = sorted(change['what'] for change in said['same'])
    if same != ["constant: '7' -> '6'", "constant: '7' -> '8'"]:
        failures.append(f'what changes no code is told: {same}')
    program = os.path.join(root, 'program')
    code, _, error = run(['cc', '-w', '-I', MUTANTS, '-I', os.path.join(root, 'out'), '-I',
                          os.path.join(root, 'src'), '-o', program,
                          *(os.path.join(out, name) for name in ('pool.c', 'switch_table.c')),
                          os.path.join(MUTANTS, 'switch.c'),
                          os.path.join(root, 'tests/unit/core/pool_test.c')])
    if code:
        failures.append(f'the copies compile: {error}')
        return
    expected = [('', '1 2 5 8', 'no switch, no change'), ('rule:the-lesser', '2 3 5 8', 'a rule by its id'),
                ('rule:pool.rules:1', '2 3 5 8', 'a rule by its place'),
                ('rule:pool.rules:14', '1 2 5 12', 'a rule in a header'),
                (number_of(said, "'<' -> '<='"), '1 2 5 8', 'a mutant that makes no difference'),
                (number_of(said, "'b' -> '0'"), '1 0 5 8', 'a mutant that does')]
    for name, wanted, what in expected:
        if run([program], FLYBALL_SWITCH=name)[1] != wanted:
            failures.append(f'{what}: {name} gives {run([program], FLYBALL_SWITCH=name)[1]}, not {wanted}')
    if run([program], FLYBALL_SWITCH='rule:gone')[0] != 125:
        failures.append('a switch that is not there ends the process')


def main():
    failures = []
    with tempfile.TemporaryDirectory() as root:
        for path, text in FILES.items():
            tree.plant(root, path, text)
        look(root, failures)
    for failure in failures:
        print('FAILED:', failure)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
