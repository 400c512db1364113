#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is really full below a running flyballd: a small tmpfs in a mount namespace of this test.

usage: disk_test.py, with the environment of daemon_test.py. The journal shares the tmpfs with a ballast,
fills what is left, and is given the room of the ballast later. Exit code 77 skips."""
import contextlib
import ctypes
import json
import os
import subprocess
import time

from daemon_test import JOURNAL, Bed, ask, finish, rows, skip

CLONE_NEWNS = 0x20000
SIZE_KIB, BALLAST_KIB = 16384, 15360        # 1 MiB is left: about 2 s of the demo site
FULL_S = 2.5                                # and so long nothing can be written


@contextlib.contextmanager
def small_disk(place):
    """Nobody outside sees it, and it goes with this process, however that ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        skip(f'no mount namespace of its own: {os.strerror(ctypes.get_errno())}')
    os.mkdir(place)
    for command in (['mount', '--make-rprivate', '/'],
                    ['mount', '-t', 'tmpfs', '-o', f'size={SIZE_KIB}k', 'tmpfs', place]):
        done = subprocess.run(command, capture_output=True, encoding='utf-8')
        if done.returncode != 0:
            skip(f'{" ".join(command)}: {done.stderr.strip()}')
    try:
        yield place
    finally:
        subprocess.run(['umount', '--lazy', place], check=False)


def fill(path):
    with open(path, 'wb') as file:
        file.write(bytes(BALLAST_KIB << 10))


def look(bed):
    """The row of the journal, its counters, and what the decision has done."""
    status = ask(bed.door, b'status')
    counters = status['counters']
    return {'level': status['verdict'], 'words': status['words'], 'row': rows(bed)['journal'],
            **counters['journal'],
            'leases': counters['core']['leases'], 'readings': counters['core']['readings'],
            'failed': counters['core']['invariant_failures'],
            'tap': sum(counters['tap'][f'dropped_{kind}'] for kind in ('readings', 'reserved'))}


def wait_until(bed, what, so, seconds):
    end = time.monotonic() + seconds
    while not so(seen := look(bed)):
        assert time.monotonic() < end, f'{what}: not within {seconds} s: {seen}'
        time.sleep(0.05)
    return seen


def goes_on(before, after, seconds):
    """The loop has not noticed: readings and leases go on, and nothing is lost before the journal. How evenly
    depends on who else is on this machine."""
    assert after['readings'] - before['readings'] > 50 * seconds, (before, after)
    assert after['leases'] - before['leases'] > 50 * seconds, (before, after)
    assert after['failed'] == 0 and after['tap'] == 0, after


def main():
    if os.geteuid() != 0:
        skip('needs root: namespaces, mount')
    with Bed('dful') as bed, small_disk(bed.folder + '/disk') as disk:
        fill(disk + '/ballast')
        daemon = bed.start('--journal', disk + '/run.journal')
        traffic = bed.traffic(60)
        well = wait_until(bed, 'a journal that is written', lambda seen: seen['bytes'] > 200000, 10)
        assert well['row']['entered'] == well['write_errors'] == well['dropped'] == 0, well

        full = wait_until(bed, 'a disk that is full', lambda seen: seen['row']['now'], 15)
        time.sleep(FULL_S)
        worse = look(bed)
        print(f'full: {full}\nand {FULL_S} s later: {worse}')
        assert os.statvfs(disk).f_bavail == 0
        assert worse['row']['now'] == 1 and worse['row']['entered'] == 1 and worse['row']['newest'] == 'disk'
        assert worse['level'] == 'alarm' and 'journal writes refused' in worse['words']
        assert worse['write_errors'] > full['write_errors'] > 0 and worse['dropped'] > full['dropped']
        goes_on(full, worse, FULL_S)

        os.unlink(disk + '/ballast')
        again = wait_until(bed, 'a journal that goes on', lambda seen: not seen['row']['now'], 10)
        time.sleep(1)
        later = look(bed)
        print(f'room again: {later}')
        assert later['row']['left'] == later['row']['entered'] == 1 and later['row']['now'] == 0
        assert later['bytes'] > again['bytes'] and 'journal' not in later['words']
        assert (later['write_errors'], later['dropped']) == (again['write_errors'], again['dropped'])
        goes_on(again, later, 1)

        finish(traffic, early=True)
        _, summary = bed.stop(daemon)
        found = json.loads(subprocess.run([JOURNAL, disk + '/run.journal'], check=True,
                                          capture_output=True).stdout)
        decided = summary['counters']['decide']['slots']
        print(f'decided {decided}; journal {found}')
        assert found['clean_end'] and 1 <= found['gaps'] and found['slots'] < decided
        assert decided - found['slots'] <= summary['counters']['journal']['dropped']


if __name__ == '__main__':
    main()
