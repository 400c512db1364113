#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball-agent as a file: for which machine it is, what it needs there, and how old a glibc may be.

usage: binary_test.py AGENT MACHINE"""
import os
import re
import subprocess
import sys

# docs/agent.md names both; Debian 12, Ubuntu 22.04, RHEL 9 and what came later have them
GLIBC_NEWEST = (2, 34)
LIBRARIES = {'libc.so.6', 'libcrypto.so.3', 'ld-linux-aarch64.so.1', 'ld-linux-x86-64.so.2'}
MACHINES = {'x86_64': 'Advanced Micro Devices X86-64', 'aarch64': 'AArch64'}
BYTES_MOST = 1 << 20


def elf(*arguments):
    return subprocess.run(['readelf', '--wide', *arguments], capture_output=True, check=True,
                          encoding='utf-8', env=dict(os.environ, LC_ALL='C')).stdout


def newest_glibc(symbols):
    """The newest version of glibc that a symbol is asked of, and one such symbol."""
    found = re.findall(r'(\S+)@GLIBC_(\d+)\.(\d+)', symbols)
    assert found, 'no symbol of glibc'
    return max(((int(major), int(minor)), name) for name, major, minor in found)


def is_old_enough(symbols):
    return newest_glibc(symbols)[0] <= GLIBC_NEWEST


def main(agent, machine):
    header, dynamic, symbols = elf('-h', agent), elf('-d', agent), elf('--dyn-syms', agent)
    needed = set(re.findall(r'\(NEEDED\).*\[(.*)\]', dynamic))
    version, name = newest_glibc(symbols)
    print(f'{machine}, {os.path.getsize(agent)} bytes, needs {sorted(needed)} and glibc '
          f'{version[0]}.{version[1]} ({name})')
    assert MACHINES[machine] in header, header
    assert 'libc.so.6' in needed and needed <= LIBRARIES, needed
    assert is_old_enough(symbols), f'{name} needs glibc {version}, newer than {GLIBC_NEWEST}'
    assert 'BIND_NOW' in dynamic or 'NOW' in dynamic, 'symbols are looked up while it runs'
    assert os.path.getsize(agent) < BYTES_MOST
    # that this can fail
    assert not is_old_enough(symbols + ' 9: 0 0 FUNC GLOBAL DEFAULT UND later@GLIBC_2.38 (9)')
    assert not is_old_enough(symbols + ' 9: 0 0 FUNC GLOBAL DEFAULT UND later@GLIBC_3.0 (9)')


if __name__ == '__main__':
    main(*sys.argv[1:])
