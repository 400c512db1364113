#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/mutate tells what a test notices from what it does not: tried on a few lines and their test."""
import os
import re
import subprocess
import sys
import tempfile

import tree

MUTATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'mutate')
FILES = {
    'meson.build': "project('proof', 'c')\nsubdir('tests/unit/core')\n",
    'tests/unit/core/meson.build':
        "test('sums', executable('sums', 'sums_test.c', '../../../src/core/sums.c'))\n",
    'src/core/sums.h': 'int lesser(int a, int b);\nint sum_to(int n);\n',
    'src/core/sums.c': '''#include "sums.h"
/* a < b in a comment, and "a < b" in a string, are no mutants */
static const char *const name = "a < b";
int lesser(int a, int b)
{
    if (a < b)
        return a;
    return b;
}
int sum_to(int n)
{
    int sum = 0;
    while (n > 0) {
        sum += n;
        n--;
    }
    return sum + 0 * (name == 0);
}
''',
    'tests/unit/core/sums_test.c': '''#include "../../../src/core/sums.h"
int main(void) { return !(lesser(1, 2) == 1 && sum_to(4) == 10); }
''',
}
EXPECTED = [
    (r"^caught .*:6: operator: '<' -> '>='", 'a comparison turned round'),
    (r"^same .*:6: operator: '<' -> '<='", 'a difference that no test can see'),
    (r"^survived .*:13: operator: '>' -> '>='", 'a difference that this test does not see'),
    (r"^caught .*:7: return value: 'a' -> '0'", 'a wrong return value'),
    (r"^survived .*:8: return value: 'b' -> '0'", 'a branch without a test'),
    (r"^caught .*:14: statement out: 'sum \+= n;'", 'a statement out'),
    (r"^caught .*:15: statement out: 'n--;'", 'a loop without an end'),
    (r"^caught .*:14: operator: '\+=' -> '-='", 'a wrong sign'),
    (r"^mutation: \d+ caught, \d+ survived, \d+ invalid, score \d+\.\d %$", 'the line at the end'),
]


def mutate(root, *arguments):
    done = subprocess.run([sys.executable, MUTATE, '--root', root, *arguments], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout.splitlines() + done.stderr.splitlines()


def main():
    failures = []
    with tempfile.TemporaryDirectory() as root:
        for path, text in FILES.items():
            tree.plant(root, path, text)
        code, said = mutate(root, '--all', '--min-score', '99')
        failures += [what for pattern, what in EXPECTED if not any(re.search(pattern, line) for line in said)]
        if any(':2:' in line or ':3:' in line for line in said):
            failures.append('comments and strings are no mutants')
        if code != 1:
            failures.append('a score below the bar means exit code 1')
        if mutate(root, '--count', '1', '--seed', '3')[0]:
            failures.append('no bar means exit code 0')
        tree.plant(root, 'tests/unit/core/sums_test.c', 'int main(void) { return 1; }\n')
        if 'fails without a defect' not in ' '.join(mutate(root)[1]):
            failures.append('a test that fails anyway proves nothing')
    for failure in failures:
        print('FAILED:', failure)
    if failures:
        print('\n'.join(said))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
