#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real flyballd has of the kernel beyond SCHED_FIFO: a deadline for its hot thread, which the fair
server does not stop, and interrupts that keep off its core and come back.

usage: scheduler_test.py CASE, with the paths of the programs in FLYBALL_* variables
(tests/system/meson.build). Exit code 77 skips: not root, or the kernel refuses what the case is about."""
import ctypes
import os
import re
import struct
import subprocess
import sys
import time

from daemon_test import Bed, ask, read, skip, thread_named, throttle

DEADLINE, RESET_ON_FORK = 6, 0x40000000
GETATTR = {'x86_64': 315, 'aarch64': 275}
RUNTIME_NS, PERIOD_NS = 940000, 1000000
HOG = 'while True: pass'
SPAN_S = 5
HOT_CORE, OTHER_CORE = 1, 0
IRQS, DEFAULT = '/proc/irq', '/proc/irq/default_smp_affinity'


def change(bed, old, new):
    text = read(bed.site)
    assert old in text, f'the demo site has no "{old}" any more'
    with open(bed.site, 'w', encoding='utf-8') as file:
        file.write(text.replace(old, new))


def attributes(tid):
    """Policy, runtime and period of a thread, ns."""
    number = GETATTR.get(os.uname().machine)
    if number is None:
        skip(f'the number of sched_getattr on {os.uname().machine} is not known here')
    room = ctypes.create_string_buffer(48)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syscall(number, tid, room, len(room), 0) == 0, os.strerror(ctypes.get_errno())
    _, policy, _, _, _, runtime, _, period = struct.unpack('=IIQiIQQQ', room.raw)
    return policy, runtime, period


def hogs(bed):
    made = [subprocess.Popen([sys.executable, '-c', HOG],
                             preexec_fn=lambda core=core: os.sched_setaffinity(0, {core}))
            for core in (OTHER_CORE, HOT_CORE)]
    bed.running += made
    return made


def gaps(bed):
    """Of at least 1 and 20 ms, ms lost in them, and the longest."""
    thread, = ask(bed.door, b'counters')['budget']['threads']
    return [thread[key] for key in ('over_1ms', 'over_20ms', 'lost_ms', 'longest_ms')]


def beside_hogs(bed, daemon, name):
    """What the daemon lost in SPAN_S with an ordinary thread on each core that wants all of it."""
    made = hogs(bed)
    time.sleep(0.5)
    before = gaps(bed)
    time.sleep(SPAN_S)
    after = gaps(bed)
    for hog in made:
        hog.kill()
        hog.wait()
    bed.stop(daemon)
    over, big, lost_ms = (b - a for a, b in zip(before[:3], after[:3]))
    print(f'{name}, {SPAN_S} s: {over} gaps of 1 ms or more, {big} of 20 ms, {lost_ms:.0f} ms in all, '
          f'longest {after[3]:.1f} ms')
    return big


def start_deadline(bed):
    daemon = bed.start()
    if 'not SCHED_DEADLINE' in bed.output():
        skip(bed.output().splitlines()[0])
    tid = thread_named(daemon.pid, 'fb-hot')
    policy, runtime, period = attributes(tid)
    assert (policy & ~RESET_ON_FORK, runtime, period) == (DEADLINE, RUNTIME_NS, PERIOD_NS), (policy, runtime)
    others = [int(one) for one in os.listdir(f'/proc/{daemon.pid}/task') if int(one) != tid]
    assert others and all(os.sched_getscheduler(one) == os.SCHED_OTHER for one in others)
    return daemon, tid


def case_deadline():
    """Its thread is on its core where RT throttling is lifted, and loses no 50 ms at a time to a neighbour,
    as one of SCHED_FIFO does, time about, in the same minute."""
    big = {'deadline': 0, 'fifo': 0}
    with Bed('dsch', real_time=True) as bed:
        fifo = read(bed.site)
        change(bed, 'priority: 80', 'scheduler: deadline')
        deadline = read(bed.site)
        for name in ('deadline', 'fifo', 'fifo', 'deadline'):
            with open(bed.site, 'w', encoding='utf-8') as file:
                file.write(deadline if name == 'deadline' else fifo)
            if name == 'fifo':
                daemon = bed.start()
                tid = thread_named(daemon.pid, 'fb-hot')
                if os.sched_getscheduler(tid) != os.SCHED_FIFO:
                    skip('SCHED_FIFO is refused')
            else:
                daemon, tid = start_deadline(bed)
            assert os.sched_getaffinity(tid) == {HOT_CORE}, bed.output()
            big[name] += beside_hogs(bed, daemon, name)
    if big['fifo'] < SPAN_S:
        skip(f'{big["fifo"]} gaps of 20 ms at SCHED_FIFO: nobody serves ordinary threads here')
    # what else stands still does so under either
    assert big['deadline'] <= big['fifo'] / 2, f'{big}: a deadline spares nothing'


def case_unpinned():
    """Without RT throttling lifted the kernel takes it on all cores only: that is said, and it runs."""
    if throttle() < 0:
        skip('RT throttling is lifted by somebody else')
    with Bed('dsun', real_time=True) as bed:
        change(bed, 'priority: 80', 'scheduler: deadline')
        change(bed, 'rt_throttling: lift', 'rt_throttling: leave')
        daemon, tid = start_deadline(bed)
        cores = os.sched_getaffinity(tid)
        print(f'cores {cores}: {bed.output().splitlines()[0]}')
        assert (cores == {HOT_CORE}) != ('fb-hot not pinned to its core' in bed.output()), bed.output()
        assert cores in ({HOT_CORE}, os.sched_getaffinity(0))
        bed.stop(daemon)


def affinities():
    lists = {one: read(f'{IRQS}/{one}/smp_affinity_list').strip() for one in os.listdir(IRQS)
             if one.isdigit()}
    return {**lists, 'default': read(DEFAULT).strip()}


def cores_of(text):
    spans = (span.split('-') for span in text.split(','))
    return {core for span in spans for core in range(int(span[0]), int(span[-1]) + 1)}


def handled(number):
    return any(entry.is_dir() for entry in os.scandir(f'{IRQS}/{number}'))


def write(number, text):
    with open(f'{IRQS}/{number}/smp_affinity_list', 'w', encoding='utf-8') as file:
        file.write(text)


def look_at_interrupts(bed, before):
    """The numbers that moved; those that did not are named."""
    line, = (line for line in bed.output().splitlines() if 'interrupts keep away' in line)
    print(line)
    count = int(re.match(r'flyballd: (\d+) interrupts keep away from core 1 ', line).group(1))
    named = set(re.findall(r'(\d+) \(', line.partition('; not ')[2]))
    now = affinities()
    coming = {one for one, text in before.items()
              if one != 'default' and HOT_CORE in cores_of(text) and handled(one)}
    moved = {one for one in coming if HOT_CORE not in cores_of(now[one])}
    assert coming - moved == named and len(moved) == count, (coming, moved, named)
    assert all(cores_of(now[one]) == cores_of(before[one]) - {HOT_CORE} or before[one] == str(HOT_CORE)
               for one in moved)
    assert not int(now['default'].replace(',', ''), 16) >> HOT_CORE & 1
    assert all(now[one] == before[one] for one in before if one != 'default' and one not in moved)
    return sorted(moved, key=int)


def await_back(before):
    end = time.monotonic() + 20
    while affinities() != before and time.monotonic() < end:
        time.sleep(0.05)
    assert affinities() == before, 'not put back'


def case_interrupts():
    """They keep off its core while it runs, and are back after a clean stop and after a kill; what somebody
    else has moved meanwhile stays there."""
    if not os.access(DEFAULT, os.W_OK):
        skip(f'{DEFAULT} is not to be written')
    before = affinities()
    with Bed('dirq') as bed:
        change(bed, 'rt_throttling: leave', 'interrupts: away')
        daemon = bed.start()
        moved = look_at_interrupts(bed, before)
        if not moved:
            skip('no interrupt lets itself be moved here')
        bed.stop(daemon)
        assert affinities() == before, 'not put back at a clean stop'
        daemon = bed.start()
        look_at_interrupts(bed, before)
        daemon.kill()
        daemon.wait()
        await_back(before)
        daemon = bed.start()
        try:
            write(moved[0], str(HOT_CORE))
            bed.stop(daemon)
            assert affinities() == {**before, moved[0]: str(HOT_CORE)}
        finally:
            write(moved[0], before[moved[0]])


def main():
    if os.geteuid():
        skip('needs root')
    if not {OTHER_CORE, HOT_CORE} <= os.sched_getaffinity(0):
        skip('needs two cores')
    {'deadline': case_deadline, 'unpinned': case_unpinned, 'interrupts': case_interrupts}[sys.argv[1]]()


if __name__ == '__main__':
    main()
