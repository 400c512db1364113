#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source says its licence in its first lines: Apache-2.0, under bpf/ GPL-2.0-only OR Apache-2.0."""
import os
import re
import sys

import tree

SUFFIXES = ('.c', '.h', '.py', '.sh', '.proto', '.build', '.options', '.pml')
SCRIPT_FOLDERS = ('tools/', '.ci/', 'tests/', 'bench/', 'rt/')
LINE = re.compile(r'SPDX-License-Identifier: (.+?)\s*(\*/|-->)?$', re.M)
# Inputs of tests are what they are; a comment would change them.
INPUTS = re.compile(r'^tests/(.*/)?(corpus|golden|bad|data|inputs)/.*\.(yaml|proto)$')
BPF = 'GPL-2.0-only OR Apache-2.0'


def wants_line(root, path):
    if INPUTS.match(path):
        return False
    if path.endswith(SUFFIXES):
        return True
    name = os.path.basename(path)
    return path.startswith(SCRIPT_FOLDERS) and '.' not in name and tree.read_text(root, path).startswith('#!')


def check(root):
    findings = []
    for path in tree.tree_files(root):
        if not wants_line(root, path):
            continue
        head = '\n'.join(tree.read_text(root, path).splitlines()[:3])
        found = LINE.search(head)
        wanted = BPF if path.startswith('bpf/') and path.endswith(tree.C_SUFFIXES) else 'Apache-2.0'
        if not found:
            findings.append(f'{path}:1: no SPDX line')
        elif found[1] != wanted:
            findings.append(f'{path}:1: licence is {found[1]}, should be {wanted}')
    return findings


SPDX = 'SPDX-License-Identifier: '
PROOF = [
    ('good files pass', {
        'src/a/a.c': f'/* {SPDX}Apache-2.0 */\n', 'tools/x': f'#!/bin/sh\n# {SPDX}Apache-2.0\n',
        'bpf/a.bpf.c': f'// {SPDX}GPL-2.0-only OR Apache-2.0\n', 'meson.build': f'# {SPDX}Apache-2.0\n',
        'docs/a.md': '\n', 'tests/fuzz/corpus/a.yaml': 'a: 1\n'}, []),
    ('a source without', {'src/a/a.c': '/* Apache */\n'}, [r'a\.c:1: no SPDX']),
    ('a script without', {'tools/x': '#!/bin/sh\n'}, [r'tools/x:1: no SPDX']),
    ('too far down', {'src/a/a.h': f'\n\n\n/* {SPDX}Apache-2.0 */\n'}, [r'no SPDX']),
    ('another licence', {'src/a/a.h': f'/* {SPDX}GPL-2.0-only */\n'}, [r'is GPL-2.0-only, should be Apache']),
    ('kernel side without the GPL', {'bpf/a.bpf.c': f'/* {SPDX}Apache-2.0 */\n'}, [r'should be GPL-2.0']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
