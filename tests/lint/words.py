#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing in the tree depends on, or speaks of, the machine and the place it was written on."""
import re
import sys

import tree

# Brackets keep this file from finding itself.
FORBIDDEN = [
    (r'(?<![\w.])/wor[k]/', 'a path of one machine'),
    (r'(?<![\w.])/hom[e]/\w', 'a path of one machine'),
    (r'(?<![\w.])/roo[t]/', 'a path of one machine'),
    (r'(?<![\w.])/Use[r]s/\w', 'a path of one machine'),
    (r'/tmp/(bas[h]_jobs|brie[f])', 'a path of one machine'),
    (r'(?i)\bclaud[e]\b|\banthropi[c]\b|\bchatgp[t]\b|\bcopilo[t]\b', 'a tool that is no part of it'),
    (r'(?i)\bas an A[I]\b|\bA[I] (assistant|helper|agent|coder)', 'a tool that is no part of it'),
    (r'(?i)\b(in|of|from|for) (this|my|the last|the next|an earlier) sessio[n]\b',
     'how the work was organised'),
    (r'(?i)\bworkplac[e]\b|\bsub-?agen[t]s?\b|\bbefore-sto[p]\b', 'how the work was organised'),
    (r'shared/(desig[n]|hook[s]|reference[s])\b', 'a folder outside the repository'),
    (r'(?i)\bissue [#]?[0-9]+ of [0-9]+\b|\b[Pp]ar[t] [0-9] of 8\b', 'how the work was organised'),
]
COMPILED = [(re.compile(pattern), what) for pattern, what in FORBIDDEN]


def check(root):
    findings = []
    for path in tree.tree_files(root):
        if not tree.is_text(root, path):
            continue
        for number, line in enumerate(tree.read_text(root, path).splitlines(), 1):
            for pattern, what in COMPILED:
                found = pattern.search(line)
                if found:
                    findings.append(f'{path}:{number}: {what}: {found[0]!r}')
    return findings


PROOF = [
    ('plain words pass', {
        'a.md': 'optional data in ../shared/data, a PTP session, one TLS session per peer, agent\n',
        'b.c': '/* /proc/self/maps, /tmp/flyball, work/done, network/home/x */\n'}, []),
    ('a path of one machine', {'a.md': 'see /wor' 'k/main\n'}, [r'a\.md:1: a path']),
    ('a home', {'a.c': '\nopen("/hom' 'e/joe/x")\n'}, [r'a\.c:2: a path']),
    ('root has a home too', {'a.c': 'open("/roo' 't/x")\n'}, [r'a path']),
    ('a tool', {'a.md': 'written with Claud' 'e\n'}, [r'a tool']),
    ('an organisation', {'a.md': 'left for the next sessio' 'n\n'}, [r'organised']),
    ('design outside', {'a.md': '../shared/desig' 'n/style.md\n'}, [r'outside']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
