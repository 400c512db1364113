#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The archives of core and wire need a short list of symbols only and hold no mutable state at file scope."""
import os
import re
import subprocess
import sys
import tempfile

import tree

PURE_ARCHIVES = ['src/core/libflyball_core.a', 'src/wire/libflyball_wire.a']
ALLOWED = {
    'memcpy', 'memset', 'memmove', 'memcmp',            # what compilers call by themselves
    'sqrt', 'fabs',                                     # exact by IEEE 754; nothing else of libm is
    '_GLOBAL_OFFSET_TABLE_',
    '__stack_chk_fail',                                 # hardening
}
# Arithmetic wider than the machine's, from the compiler's own runtime.
COMPILER_RUNTIME = re.compile(r'__(u?(div|mod|mul|divmod)[a-z]*[dt]i[34]|mulo[dt]i4|popcount[dt]i2'
                              r'|fix\w*ti|float\w*ti\w+)$')
INSTRUMENTED = re.compile(r'__(asan|ubsan|tsan|msan|lsan|sanitizer|sancov|gcov|llvm_prof)')
MUTABLE_SECTION = re.compile(r'^(\.(data|bss|tdata|tbss)(\.|$)|\*COM\*)')
READ_ONLY_SECTION = re.compile(r'^\.data\.rel\.ro(\.|$)')


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def members_symbols(archive):
    """Names needed from outside and names defined, over all members."""
    needed, defined = {}, set()
    for line in run('nm', '-A', archive).splitlines():
        where, _, rest = line.rpartition(':')
        fields = rest.split()
        kind, name = fields[-2], fields[-1]
        if kind in 'Uwv':
            needed.setdefault(name, os.path.basename(where.split(':')[-1]))
        else:
            defined.add(name)
    return needed, defined


def check_needed(archive):
    needed, defined = members_symbols(archive)
    for name, member in sorted(needed.items()):
        if name in defined or name in ALLOWED or COMPILER_RUNTIME.match(name) or INSTRUMENTED.match(name):
            continue
        yield f'{os.path.basename(archive)}({member}): needs {name}, which is not on the list'


def is_instrumented(archive):
    needed, _ = members_symbols(archive)
    return any(INSTRUMENTED.match(name) for name in needed)


def check_state(archive):
    member = '?'
    for line in run('objdump', '-t', archive).splitlines():
        header = re.match(r'(\S+):\s+file format', line)
        if header:
            member = header[1]
        # address, seven flag characters, section, size, name; a section's own symbol has the flag d
        row = re.match(r'[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+)\s+(?:\.hidden )?(\S+)$', line)
        if not row or 'd' in row[1] or 'f' in row[1] or int(row[3], 16) == 0:
            continue
        if MUTABLE_SECTION.match(row[2]) and not READ_ONLY_SECTION.match(row[2]):
            yield f'{os.path.basename(archive)}({member}): {row[4]} is mutable state at file scope ({row[2]})'


def check_archive(archive):
    findings = list(check_needed(archive))
    if not is_instrumented(archive):        # instrumentation keeps tables of its own
        findings += check_state(archive)
    return findings


def check(root, build=None):
    archives = [os.path.join(build or root, name) for name in PURE_ARCHIVES]
    archives = [a for a in archives if os.path.exists(a)]
    if not archives:
        tree.skip('neither ' + ' nor '.join(PURE_ARCHIVES) + ' is built yet')
    for archive in archives:
        print('looked at', os.path.relpath(archive, build or root))
    return [finding for archive in archives for finding in check_archive(archive)]


CLEAN = '''
#include <string.h>
#include <math.h>
static const char *const names[] = {"a", "b"};
static const int table[] = {1, 2, 3};
int other(int);
const char *pick(int i) { return names[i]; }
double root_of(double x) { return sqrt(x) + fabs(x) + table[(int)x & 1]; }
void copy(void *a, const void *b, unsigned long n) { memcpy(a, b, n); memset(b ? a : 0, other(1), n); }
__int128 wide(__int128 a, __int128 b) { return a / b; }
'''
OTHER = 'int other(int x) { return x + 1; }\n'
PROOF = [
    ('a pure library passes', [CLEAN, OTHER], []),
    ('allocation', ['#include <stdlib.h>\nvoid *f(void) { return malloc(8); }\n'], [r'needs malloc']),
    ('printing', ['#include <stdio.h>\nvoid f(int x) { printf("%d", x); }\n'], [r'needs printf']),
    ('the clock', ['#include <time.h>\nlong f(void) { return time(0); }\n'], [r'needs time']),
    ('libm beyond sqrt', ['#include <math.h>\ndouble f(double x) { return pow(x, 1.7); }\n'], [r'needs pow']),
    ('assert', ['#undef NDEBUG\n#include <assert.h>\nvoid f(int x) { assert(x); }\n'],
     [r'needs __assert_fail']),
    ('errno', ['#include <errno.h>\nint f(void) { return errno; }\n'], [r'needs __errno_location']),
    ('a counter', ['static int calls;\nint f(void) { return ++calls; }\n'], [r'calls is mutable']),
    ('a global', ['int level = 3;\n'], [r'level is mutable']),
    ('a static in a function', ['int f(void) { static long seen = 7; return (int)seen++; }\n'],
     [r'seen.* is mutable']),
    ('a thread local', ['_Thread_local int mine;\n'], [r'mine is mutable']),
]


def prove():
    failures = 0
    for compiler in ('gcc', 'clang'):
        for name, sources, expected in PROOF:
            with tempfile.TemporaryDirectory() as folder:
                findings = check_archive(make_archive(folder, compiler, sources))
            missing = [e for e in expected if not any(re.search(e, f) for f in findings)]
            surplus = [f for f in findings if not any(re.search(e, f) for e in expected)]
            failures += bool(missing or surplus)
            print('FAILED' if missing or surplus else 'ok', compiler, name, missing, surplus)
    return 1 if failures else 0


def make_archive(folder, compiler, sources):
    archive = os.path.join(folder, 'libproof.a')
    objects = []
    for number, text in enumerate(sources):
        tree.plant(folder, f'{number}.c', text)
        objects.append(os.path.join(folder, f'{number}.o'))
        source = os.path.join(folder, f'{number}.c')
        run(compiler, '-O2', '-fPIE', '-fno-math-errno', '-c', source, '-o', objects[-1])
    run('ar', 'rcs', archive, *objects)
    return archive


if __name__ == '__main__':
    if '--self-test' in sys.argv:
        sys.exit(prove())
    sys.exit(tree.main(check, [], lambda parser: parser.add_argument('--build')))
