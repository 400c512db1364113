#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone and twice, with gcc and with clang, without a warning."""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import tree

COMPILERS = ('gcc', 'clang')
FLAGS = ['-std=c17', '-D_GNU_SOURCE', '-fsyntax-only', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow',
         '-Wstrict-prototypes', '-Wmissing-prototypes', '-Werror']
FOLDERS = ('src/', 'rt/', 'bench/')


def package_flags():
    """Include paths of the libraries that headers may name, as system paths."""
    found = subprocess.run(['pkg-config', '--cflags', 'libdpdk', 'libbpf', 'liburing', 'libfyaml', 'jansson'],
                           capture_output=True, text=True, check=False)
    return [flag.replace('-I', '-isystem', 1) if flag.startswith('-I') else flag
            for flag in found.stdout.split()]


def compile_alone(root, compiler, header, packages):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'alone.c')
        include = f'#include "{os.path.join(root, header)}"\n'
        tree.plant(folder, 'alone.c', include + include + 'extern int alone;\n')
        own = ['-I', os.path.join(root, 'src'), '-I', root]
        done = subprocess.run([compiler, *FLAGS, *own, *packages, source], capture_output=True, text=True,
                              check=False)
    if done.returncode == 0:
        return None
    first = next((line for line in done.stderr.splitlines() if 'error' in line), done.stderr[:200])
    return f'{header}: alone with {compiler}: {first.replace(root + "/", "")}'


def check(root):
    headers = [p for p in tree.tree_files(root) if p.endswith('.h') and p.startswith(FOLDERS)]
    packages = package_flags()
    jobs = [(compiler, header) for header in headers for compiler in COMPILERS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda job: compile_alone(root, *job, packages), jobs)
    return [finding for finding in results if finding]


GUARD = '#ifndef A\n#define A\n{}\n#endif\n'
PROOF = [
    ('a whole header passes', {'src/a/a.h': GUARD.format('#include <stdint.h>\nuint8_t f(void);')}, []),
    ('a header of another', {'src/a/a.h': GUARD.format('#include "b/b.h"\nstruct b f(void);'),
                             'src/b/b.h': '#ifndef B\n#define B\nstruct b { int x; };\n#endif\n'}, []),
    ('a type from nowhere', {'src/a/a.h': GUARD.format('uint8_t f(void);')}, [r'alone with (gcc|clang)']),
    ('no guard', {'src/a/a.h': 'struct a { int x; };\n'}, [r'a\.h: alone with (gcc|clang): .*redefinition']),
    ('a warning', {'src/a/a.h': GUARD.format('int f();')}, [r'alone with (gcc|clang): .*prototype']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
