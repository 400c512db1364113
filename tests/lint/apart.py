#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The plant's breakers share nothing with what the controller believes of breakers (ARCHITECTURE.md): the two
are held against each other, and an error in shared code would be in both."""
import posixpath
import re
import sys

import tree

JUDGED = re.compile(r'src/sim/tripunit\w*\.[ch]$')
# Settings as plain data, numbers, dice, and the files themselves; whatever these include is looked at too.
MAY_REACH = re.compile(r'src/(sim/tripunit\w*\.h|sim/random\.h|msg/limits\.h|site/device\.h)$')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.M)
THEIRS = re.compile(r'\b(?:curve|breaker|coordination)_\w+')


def target(path, included, known):
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), included))
    return beside if beside in known else posixpath.normpath('src/' + included)


def includes(root, path, known):
    """Each include of a file: line, and the path of what it brings in."""
    text = tree.without_comments(tree.read_text(root, path))
    for match in INCLUDE.finditer(text):
        yield text.count('\n', 0, match.start()) + 1, target(path, match[1], known)


def reached(root, path, known, seen, way):
    for line, brought in includes(root, path, known):
        if brought in seen:
            continue
        seen.add(brought)
        here = way + [brought]
        if not MAY_REACH.match(brought):
            yield line, here
        elif brought in known:
            for _, further in reached(root, brought, known, seen, here):
                yield line, further


def check(root):
    findings = []
    known = set(tree.tree_files(root))
    judged = sorted(p for p in known if JUDGED.match(p))
    if not judged:
        findings.append('src/sim:1: no tripunit*.c: this check has lost what it looks at')
    for path in judged:
        for line, way in reached(root, path, known, {path}, []):
            findings.append(f'{path}:{line}: brings in {" through ".join(reversed(way))}')
        code = tree.without_comments(tree.read_text(root, path))
        for match in THEIRS.finditer(code):
            line = code.count('\n', 0, match.start()) + 1
            findings.append(f'{path}:{line}: uses {match[0]} of the controller')
    return findings


GOOD = {'src/sim/tripunit.h': '#include "msg/limits.h"\n#include "site/device.h"\n',
        'src/msg/limits.h': '#include <stdint.h>\n',
        'src/site/device.h': '#include "msg/limits.h"\n'}
PROOF = [
    ('settings, limits and dice may be used', GOOD | {
        'src/sim/tripunit_relay.c': '#include <math.h>\n#include "sim/tripunit.h"\n#include "sim/random.h"\n'
                                    '/* curve_time_s() says the same */\n',
        'src/sim/grid.c': '#include "core/breaker.h"\n'}, []),
    ('the decision', GOOD | {'src/sim/tripunit.c': '\n#include "core/breaker.h"\n'},
     [r'tripunit\.c:2: brings in src/core/breaker\.h$']),
    ('the curves', GOOD | {'src/sim/tripunit_image.c': '#include "site/curve/curve.h"\n'},
     [r'image\.c:1: .*curve\.h']),
    ('compiled devices', GOOD | {'src/sim/tripunit_parts.h': '#include "msg/breaker.h"\n'},
     [r'parts\.h:1: .*msg/breaker\.h']),
    ('by way of another', GOOD | {
        'src/sim/tripunit.c': '#include "sim/tripunit.h"\n', 'src/site/device.h': '#include "msg/model.h"\n',
        'src/msg/model.h': '#include "msg/breaker.h"\n'},
     [r'tripunit\.h:2: brings in src/msg/model\.h through src/site/device\.h',
      r'tripunit\.c:1: brings in src/msg/model\.h through src/site/device\.h through src/sim/tripunit\.h']),
    ('beside, and upwards', GOOD | {'src/sim/tripunit.c': '#include "grid.h"\n#include "../core/breaker.h"\n',
                                    'src/sim/grid.h': '\n', 'src/core/breaker.h': '\n'},
     [r'c:1: brings in src/sim/grid\.h', r'c:2: brings in src/core/breaker\.h']),
    ('declared by hand', GOOD | {'src/sim/tripunit.c': 'double curve_time_s(double);\n'},
     [r'uses curve_time_s']),
    ('nothing to look at', {'src/sim/grid.c': '\n'}, [r'lost what it looks at']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
