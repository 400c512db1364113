# SPDX-License-Identifier: Apache-2.0
"""For benches that play what a system test plays: its module, on the programs of this build."""
import fcntl
import importlib
import os
import sys

BUILT = {'DAEMON': 'src/cli/flyballd', 'TRAFFIC': 'tests/system/daemon_traffic',
         'JOURNAL': 'tests/system/daemon_journal', 'CLI': 'src/cli/flyball'}
LOCK_FILE = '/run/lock/flyball-bench.lock'      # bench/alone.h


def test_module(name, source, build):
    os.environ.update({f'FLYBALL_{key}': os.path.join(build, path) for key, path in BUILT.items()})
    os.environ['FLYBALL_SOURCE'] = source
    sys.path.insert(0, f'{source}/tests/system')
    return importlib.import_module(name)


def alone():
    """What spins in real time runs one at a time on a machine. The lock goes with what is returned."""
    lock = os.open(LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
