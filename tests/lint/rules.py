#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/rules tells a rule whose test notices from one that nobody does, and a row that fits from one that
does not: tried on a few lines and their test."""
import os
import re
import subprocess
import sys
import tempfile

import tree

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'rules')
FILES = {
    'meson.build': "project('proof', 'c')\nsubdir('tests/unit/core')\n",
    'tests/unit/core/meson.build':
        "test('caps', executable('caps_test', 'caps_test.c', '../../../src/core/caps.c'))\n",
    'src/core/caps.h': 'int capped(int cap, int floor, int wanted);\n',
    'src/core/caps.c': '''#include "caps.h"
int capped(int cap, int floor, int wanted)
{
    if (wanted > cap)
        return cap;
    if (wanted < floor)
        return floor;
    return wanted;
}
/*
 * twice
 * twice
 */
''',
    'tests/unit/core/caps_test.c': '''#include "../../../src/core/caps.h"
int main(void) { return !(capped(3, 1, 9) == 3 && capped(3, 1, 2) == 2); }
''',
}
TABLE = '''# three rules
rule   nobody has more than his cap
file   src/core/caps.c
     if (wanted > cap)
-        return cap;
+        return wanted;
by     caps_test
id     his-cap

rule   nobody has less than his floor
file   src/core/caps.c
-    if (wanted < floor)
+    if (wanted < cap - cap)
by     caps_test

rule   this does not compile when it is broken
file   src/core/caps.c
-    return wanted;
+    return want;
by     caps_test
'''
EXPECTED = [
    (r'^red .*: nobody has more than his cap  \(caps_test\)$', 'a rule that its test holds'),
    (r'^not red .*: nobody has less than his floor  \(caps_test did not notice\)$',
     'a rule that nobody holds'),
    (r'^errors .*: this does not compile.*\(does not compile with the rule broken\)$',
     'a row that says nothing'),
    (r'^rules: 1 red, 1 not red, 1 errors$', 'the line at the end'),
]
MISFITS = [
    ('-    return wanted;\n', '-    return gone;\n', 'not found in src/core/caps.c'),
    ('-    return wanted;\n', '- * twice\n', 'found 2 times in src/core/caps.c'),
    ('file   src/core/caps.c\n-    return wanted;', 'file   src/core/cups.c\n-    return wanted;', 'cups.c'),
    ('+    return want;\nby     caps_test', '+    return want;\nby     cups_test', 'no test cups_test'),
    ('+    return want;\nby     caps_test', '+    return want;', 'names the test'),
    ('this does not compile when it is broken', 'nobody has less than his floor', 'told before'),
    ('-    return wanted;\n+    return want;', '     return wanted;', 'changes lines'),
    ('+    return want;\nby', '+    return want;\nid     his-cap\nby', 'told before'),
    ('id     his-cap', 'id     His Cap', 'an id is of small letters'),
]


def rules(root, *arguments):
    done = subprocess.run([sys.executable, RULES, '--root', root, *arguments], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout.splitlines() + done.stderr.splitlines()


def main():
    failures = []
    with tempfile.TemporaryDirectory() as root:
        for path, text in FILES.items():
            tree.plant(root, path, text)
        for old, new, words in MISFITS:
            assert old in TABLE
            tree.plant(root, 'tests/rules/caps.rules', TABLE.replace(old, new))
            code, said = rules(root, '--check')
            if code != 1 or words not in ' '.join(said):
                failures.append(f'a row that does not fit is an error: {words}: {said}')
        tree.plant(root, 'tests/rules/caps.rules', TABLE)
        code, said = rules(root, '--check')
        if code or said != ['3 rules, each breaks lines that are there']:
            failures.append(f'a table that fits passes: {said}')
        code, said = rules(root)
        failures += [what for pattern, what in EXPECTED if not any(re.search(pattern, line) for line in said)]
        if code != 1:
            failures.append('a rule that nobody holds means exit code 1')
        if rules(root, 'his cap')[0]:
            failures.append('a rule that is held means exit code 0')
        if 'NOBODY' not in ' '.join(rules(root, '--find', 'floor')[1]):
            failures.append('who looks for tests is told of none')
        tree.plant(root, 'tests/unit/core/caps_test.c', 'int main(void) { return 1; }\n')
        code, said = rules(root, 'his cap')
        if code != 1 or 'a test fails with the rule as it is' not in ' '.join(said):
            failures.append('a test that fails anyway proves nothing')
    for failure in failures:
        print('FAILED:', failure)
    if failures:
        print('\n'.join(said))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
