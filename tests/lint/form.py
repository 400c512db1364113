#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How files look: length of files and lines, no tabs, no dumping grounds, nothing marked unfinished,
nothing left over."""
import os
import re
import sys

import tree

FILE_LINES_MAX = 400
LINE_COLUMNS_MAX = 110
SHORT_FILES = ('src/', 'bpf/', 'rt/')
CODE_SUFFIXES = ('.c', '.h', '.py', '.sh', '.proto', '.build')
CODE_FOLDERS = ('src/', 'bpf/', 'rt/', 'bench/', 'tests/', 'tools/', '.ci/')
DUMPING_GROUNDS = re.compile(r'^(util|utils|common|helper|helpers|misc)(\.|$)')
STRAY = re.compile(r'\.(o|a|so|profraw|profdata|gcda|gcno|orig|rej|log|swp)$')
UNFINISHED = re.compile('|'.join([r'\bTO' r'DO\b', r'\bFIX' r'ME\b', r'\bX' r'XX\b']))
# Lines longer than the rule that were there before it; the count of a file may only fall.
RATCHET = 'tests/lint/long_lines'


def is_code(root, path):
    if path.endswith(CODE_SUFFIXES):
        return True
    return path.startswith(CODE_FOLDERS) and '.' not in os.path.basename(path) and tree.is_text(root, path)


def read_ratchet(root):
    allowed = {}
    if os.path.exists(os.path.join(root, RATCHET)):
        for line in tree.read_text(root, RATCHET).splitlines():
            if line and not line.startswith('#'):
                count, path = line.split()
                allowed[path] = int(count)
    return allowed


def check_lines(path, lines, long_allowed):
    too_long = [n for n, line in enumerate(lines, 1) if len(line) > LINE_COLUMNS_MAX]
    if len(too_long) > long_allowed:
        where = ', '.join(str(n) for n in too_long[:12])
        yield f'{path}:{too_long[0]}: {len(too_long)} lines over {LINE_COLUMNS_MAX} columns ' \
              f'(lines {where}), {long_allowed} allowed'
    for number, line in enumerate(lines, 1):
        if '\t' in line and path.endswith(tree.C_SUFFIXES):
            yield f'{path}:{number}: a tab'
        if line != line.rstrip():
            yield f'{path}:{number}: white space at the end'
        if UNFINISHED.search(line):
            yield f'{path}:{number}: marked unfinished: {line.strip()[:60]}'


def lower_ratchet(root):
    """Writes each count anew where fewer long lines are left; never raises one."""
    path = os.path.join(root, RATCHET)
    head = [line for line in tree.read_text(root, RATCHET).splitlines() if line.startswith('#')]
    rows = []
    for name, count in read_ratchet(root).items():
        if os.path.exists(os.path.join(root, name)):
            now = sum(len(line) > LINE_COLUMNS_MAX for line in tree.read_text(root, name).splitlines())
            if min(now, count) > 0:
                rows.append(f'{min(now, count)} {name}')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(head + rows) + '\n')


def check(root, ratchet=False):
    if ratchet:
        lower_ratchet(root)
    return check_tree(root, read_ratchet(root))


def check_tree(root, ratchet):
    findings = []
    for path in tree.tree_files(root):
        if DUMPING_GROUNDS.match(os.path.basename(path)) and path != '.git':
            findings.append(f'{path}:1: a name that says nothing about what is inside')
        if STRAY.search(path):
            findings.append(f'{path}:1: left over from a build or an editor')
        if not is_code(root, path):
            continue
        text = tree.read_text(root, path)
        lines = text.splitlines()
        findings += check_lines(path, lines, ratchet.get(path, 0))
        if text and not text.endswith('\n'):
            findings.append(f'{path}:{len(lines)}: no newline at the end')
        if path.startswith(SHORT_FILES) and path.endswith(tree.C_SUFFIXES) and len(lines) > FILE_LINES_MAX:
            findings.append(f'{path}:{len(lines)}: {len(lines)} lines, {FILE_LINES_MAX} allowed: '
                            'which second thing does it do?')
    return findings


PROOF = [
    ('good files pass', {'src/core/a.c': 'int a;\n' * 400, 'tools/test': 'x' * 110 + '\n',
                         'tests/a.c': '/* mkdtemp: /tmp/aXXXX' 'XX */\n', 'docs/a.md': 'x' * 300 + '\n'}, []),
    ('401 lines', {'src/core/a.c': 'int a;\n' * 401}, [r'401 lines, 400 allowed']),
    ('111 columns', {'src/a/a.h': '\n' + 'x' * 111 + '\n'}, [r'a\.h:2: 1 lines over 110']),
    ('111 columns in a script', {'tools/test': 'x' * 111 + '\n'}, [r'lines over 110']),
    ('a tab', {'src/a/a.c': '\tint a;\n'}, [r'a\.c:1: a tab']),
    ('white space at the end', {'src/a/a.c': 'int a; \n'}, [r'white space']),
    ('no last newline', {'src/a/a.c': 'int a;'}, [r'no newline']),
    ('dumping grounds', {'src/a/util.c': '\n', 'src/b/common.h': '\n', 'tests/helpers.py': '\n'},
     [r'util\.c', r'common\.h', r'helpers\.py']),
    ('left-overs', {'default.profraw': '\n', 'src/a/a.o': '\n'}, [r'default.profraw.*left', r'a\.o.*left']),
    ('marked unfinished', {'src/a/a.c': '/* TO' 'DO: x */\n/* FIX' 'ME */\n'},
     [r':1: marked', r':2: marked']),
    ('the ratchet holds', {RATCHET: '# why\n1 src/a/a.h\n', 'src/a/a.h': ('x' * 111 + '\n') * 2},
     [r'2 lines over']),
    ('the ratchet lets be', {RATCHET: '2 src/a/a.h\n', 'src/a/a.h': ('x' * 111 + '\n') * 2}, []),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF, lambda args: args.add_argument('--ratchet', action='store_true')))
