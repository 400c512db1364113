#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each folder of src/ includes lower folders only (ARCHITECTURE.md, Folders), core and wire are pure,
DPDK stays where packets are."""
import re
import sys

import tree

BELOW_LOOP = {'msg', 'ring', 'probe', 'wire', 'core', 'site', 'port', 'act', 'time', 'record', 'sandbox',
              'auth', 'rt', 'spectra'}
MAY_INCLUDE = {
    'msg': set(),
    'ring': {'msg'},
    'probe': {'msg'},
    'wire': {'msg'},
    'core': {'msg'},
    'site': {'msg'},
    'port': {'msg'},
    'act': {'msg'},
    'auth': {'msg', 'wire', 'record'},
    'sandbox': {'msg'},
    'rt': {'msg'},
    'time': {'ring', 'msg'},
    'record': {'ring', 'msg', 'time'},
    'spectra': {'core', 'ring', 'msg'},
    'loop': BELOW_LOOP,
    'control': BELOW_LOOP | {'loop'},
    'agent': BELOW_LOOP | {'loop'},
    'sim': BELOW_LOOP | {'loop'},
    'cli': BELOW_LOOP | {'loop', 'sim', 'control', 'agent'},
}
PURE = {'core', 'wire'}
IMPURE_HEADERS = re.compile(
    r'(stdio|stdlib|time|unistd|fcntl|pthread|threads|signal|setjmp|locale|syslog|wchar|'
    r'sys/.*|linux/.*|net/.*|netinet/.*|arpa/.*)\.h$')
DPDK_FOLDERS = ('src/port/', 'src/sandbox/', 'bench/')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.M)


def folder_of(path):
    parts = path.split('/')
    if parts[0] == 'rt':
        return 'rt'
    if parts[0] == 'src' and len(parts) > 2:
        return parts[1]
    return None


def target_folder(path, quote, included, known):
    """The folder that an include points into, None for the system's and generated ones."""
    if quote == '<':
        return None
    if '/' not in included:
        return folder_of(path) if path.rsplit('/', 1)[0] + '/' + included in known else None
    first = included.split('/')[0]
    return first if first in MAY_INCLUDE else None


def check_include(path, folder, quote, included, known):
    if included.startswith('rte_') and not path.startswith(DPDK_FOLDERS):
        yield f'includes {included}: DPDK stays in {", ".join(DPDK_FOLDERS)}'
    if folder is None:
        return
    if included.startswith('../') or '/../' in included:
        yield f'includes {included}: write the path from src/'
    if folder in PURE and IMPURE_HEADERS.match(included):
        yield f'includes <{included}>: {folder} is pure'
    target = target_folder(path, quote, included, known)
    if target and target != folder and target not in MAY_INCLUDE[folder]:
        allowed = ', '.join(sorted(MAY_INCLUDE[folder])) or 'nothing'
        yield f'includes {included}: {folder} may use {allowed}'


def check(root):
    findings = []
    known = set(tree.tree_files(root))
    for path in sorted(known):
        if not path.endswith(tree.C_SUFFIXES):
            continue
        folder = folder_of(path)
        if path.startswith('src/') and folder not in MAY_INCLUDE:
            findings.append(f'{path}:1: folder {folder} has no layer in tests/lint/layers.py')
            continue
        text = tree.without_comments(tree.read_text(root, path))
        for match in INCLUDE.finditer(text):
            line = text.count('\n', 0, match.start()) + 1
            findings += [f'{path}:{line}: {what}'
                         for what in check_include(path, folder, match[1], match[2], known)]
    return findings


PROOF = [
    ('lower folders may be included', {
        'src/ring/ring.h': '#include "msg/slot.h"\n#include <stdint.h>\n',
        'src/record/a.c': '#include "ring/ring.h"\n#include "time/timebase.h"\n#include <stdio.h>\n',
        'src/cli/a.c': '#include "sim/plant.h"\n#include "loop/run.h"\n',
        'src/core/a.c': '#include "msg/slot.h"\n#include "core/b.h"\n#include "b.h"\n#include <string.h>\n',
        'src/core/b.h': '/* #include <stdio.h> */\n',
        'src/port/a.c': '#include <rte_mbuf.h>\n',
        'bench/a.c': '#include <rte_mbuf.h>\n#include "loop/run.h"\n',
        'tests/unit/a_test.c': '#include "cli/cli.h"\n#include <stdio.h>\n'}, []),
    ('core may not use ring', {'src/core/a.c': '#include "ring/ring.h"\n'}, [r'a\.c:1: .*core may use msg']),
    ('wire may not use core', {'src/wire/a.h': '\n#include "core/x.h"\n'}, [r'a\.h:2: .*wire may use msg']),
    ('msg uses nothing', {'src/msg/a.h': '#include "ring/x.h"\n'}, [r'msg may use nothing']),
    ('loop may not use cli', {'src/loop/a.c': '#  include "cli/cli.h"\n'}, [r'loop may use']),
    ('sim may not use cli', {'src/sim/a.c': '#include "cli/cli.h"\n'}, [r'sim may use']),
    ('core reads no clock', {'src/core/a.c': '#include <time.h>\n'}, [r'core is pure']),
    ('wire does no I/O', {'src/wire/a.c': '#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n'},
     [r'stdio', r'stdlib', r'unistd']),
    ('loop knows no DPDK', {'src/loop/a.c': '#include <rte_mbuf.h>\n'}, [r'DPDK stays']),
    ('tests know no DPDK', {'tests/a.c': '#include <rte_mbuf.h>\n'}, [r'DPDK stays']),
    ('a way around is seen', {'src/core/a.c': '#include "../ring/ring.h"\n'}, [r'path from src']),
    ('a folder without a layer', {'src/extra/a.c': '\n'}, [r'no layer']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
