#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real flyballd with meters at their rate, hosts that report, emergencies, and neighbours that take what
they can: nothing misses its budget but what a gap explains.

usage: budget_test.py, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build). Three
minutes; with FLYBALL_TEST_LONG=1 an hour. Exit code 77 skips: not root."""
import os
import signal
import subprocess
import sys
import time

from daemon_test import Bed, ask, finish, read, skip, thread_named

LONG = os.environ.get('FLYBALL_TEST_LONG', '') not in ('', '0')
# Beside the loop's core, then on it, too, where the kernel takes a twentieth of every second for it from any
# SCHED_FIFO thread (docs/realtime.md).
PHASES = (('neighbours beside it', 2200 if LONG else 110, ()),
          ('and one on its core', 1400 if LONG else 70, (1,)))
ROUND_S, SHOCK_ROUNDS = 0.5, 10
BIG_MS = 20
OWN = ('gap', 'long', 'backlog', 'work', 'peer')        # all but the way's
HOG = 'while True: pass'
COPIER = 'a = bytearray(64 << 20)\nwhile True: b = bytes(a)'
WRITER = 'import os, sys\nf = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)\n' \
         'while True:\n    os.pwrite(f, b"x" * (1 << 20), 0)\n    os.fsync(f)'


class Noise:
    """Processes that take a core, memory and the disk, each pinned."""

    def __init__(self, bed, cores):
        works = [(0, HOG), (0, COPIER), (0, WRITER), *((core, HOG) for core in cores)]
        self.processes = [subprocess.Popen([sys.executable, '-c', work, bed.folder + '/noise'],
                                           preexec_fn=lambda core=core: os.sched_setaffinity(0, {core}))
                          for core, work in works]
        bed.running += self.processes

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


class Watch:
    """What the loop says of its budgets, round by round: every miss that is not the way's has to be seen one
    by one, and to have a gap of over 20 ms in it: many short gaps explain none."""

    def __init__(self, door, pid):
        self.door, self.pid = door, pid
        self.tid = thread_named(pid, 'fb-hot')
        self.seen, self.own, self.gaps, self.leases = set(), 0, 0, False
        self.unexplained, self.listed = [], []

    def own_misses(self, budget):
        return sum(row[cause] for row in budget['stages'] for cause in OWN)

    def look(self):
        told = ask(self.door, b'counters')
        budget = told['budget']
        fresh = [miss for miss in budget['newest']
                 if (key := (miss['t_ns'], miss['stage'], miss['ms'], miss['of'])) not in self.seen
                 and not self.seen.add(key)]
        self.listed += fresh
        own = self.own_misses(budget)
        gaps = sum(thread['over_20ms'] for thread in budget['threads'])
        mine = [miss for miss in fresh if miss['cause'] in OWN]
        self.unexplained += [miss for miss in mine if miss['longest_gap_ms'] <= BIG_MS]
        # more than are kept one by one, and no long gap since the last look: nothing would explain them, but
        # for leases, of which the first of a slot is listed for all
        leases = any(miss['lease'] for miss in mine)
        if own - self.own > len(mine) and gaps == self.gaps and not (leases or self.leases):
            self.unexplained.append({'not listed': own - self.own - len(mine)})
        self.own, self.gaps, self.leases = own, gaps, leases
        return told

    def waited_ms(self):
        """What the kernel says: on its core's queue, and not running."""
        return int(read(f'/proc/{self.pid}/task/{self.tid}/schedstat').split()[1]) / 1e6


def lost(told):
    """ms, and how many, of at least 1 ms; how many of these while it worked; the same two of 20 ms."""
    threads = told['budget']['threads']
    return [sum(thread[key] for thread in threads)
            for key in ('lost_ms', 'over_1ms', 'working_1ms', 'over_20ms', 'working_20ms')]


def run_phase(bed, watch, traffic, name, seconds, cores):
    """What was lost meanwhile, by the loop's own meter and by the kernel's."""
    before, waited_ms = lost(watch.look()), watch.waited_ms()
    noise = Noise(bed, cores)
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(ROUND_S)
        rounds += 1
        if rounds % SHOCK_ROUNDS == 0:
            traffic.send_signal(signal.SIGUSR1)     # a load far above its limits, and away again
        told = watch.look()
    noise.end()
    after, waited_ms = lost(told), watch.waited_ms() - waited_ms
    keys = ('lost_ms', 'gaps', 'working', 'big', 'working_big')
    return {'name': name, 'seconds': seconds, 'waited_ms': waited_ms,
            **{key: b - a for key, a, b in zip(keys, before, after)}}


def judge_phase(row):
    print('{name}, {seconds} s: {gaps} gaps of 1 ms or more, {big} of 20 ms, {lost_ms:.0f} ms in all, '
          '{working} and {working_big} while it worked; the kernel says that it waited '
          '{waited_ms:.0f} ms'.format(**row))
    # Two meters of the same: what the kernel knows the loop has seen, where it is enough to be told from
    # stretches of less than 1 ms and from the edges of the phase.
    assert row['lost_ms'] >= row['waited_ms'] / 2 - 200, 'the loop has not seen what the kernel knows'
    # What takes time from it does so at any moment, and it works for a small part of its time.
    assert row['working'] <= row['gaps'] / 2 + 20, f'{row["working"]} of {row["gaps"]} gaps in its own work'
    assert row['working_big'] <= row['big'] / 2 + 5, \
        f'{row["working_big"]} of {row["big"]} gaps of {BIG_MS} ms in its own work'


def print_misses(watch, told):
    budget, counters = told['budget'], told['counters']['budget']
    for row in budget['stages']:
        print('  ' + ', '.join(f'{key} {value}' for key, value in row.items()))
    alike = {}
    for miss in watch.listed:
        alike.setdefault((miss['stage'], miss['cause'], miss['longest_gap_ms']), []).append(miss)
    for (stage, cause, gap_ms), misses in alike.items():
        worst = max(misses, key=lambda miss: miss['ms'])
        what = 'emergency' if worst['emergency'] else worst['class']
        print(f'  missed: {len(misses)} in {stage} by {cause}, longest gap {gap_ms:.1f} ms; '
              f'the worst {worst["ms"]:.1f} ms, {what} {worst["of"]}')
    for name in ('budget_reading', 'budget_report', 'loop', 'emergency'):
        print(f'  {name}: {told["latency_us"][name]}')
    print(f'{counters["misses"]} misses of {told["counters"]["decide"]["slots"]} inputs, '
          f'{counters["by_gap"]} by gaps, {counters["by_network"]} on their way (senders or the kernel '
          f'between stood still), {counters["emergency_misses"]} of emergencies; longest gap '
          f'{counters["longest_gap_us"] / 1e3:.1f} ms')


def play(suffix, phases):
    """What a daemon, its traffic and what watched it say at the end of all phases."""
    with Bed(suffix, real_time=True) as bed:
        daemon = bed.start()
        traffic = bed.traffic(sum(seconds for _, seconds, _ in phases) + 120, '--heavy', 'm-rack-b2')
        time.sleep(4)
        watch = Watch(bed.door, daemon.pid)
        fifo = os.sched_getscheduler(watch.tid) == os.SCHED_FIFO
        rows = [run_phase(bed, watch, traffic, *phase) for phase in phases]
        told = watch.look()
        played = finish(traffic, early=True)
        _, summary = bed.stop(daemon)
    return {'fifo': fifo, 'phases': rows, 'watch': watch, 'told': told, 'played': played, 'summary': summary}


def main():
    found = play('dbud', PHASES)
    watch, counters = found['watch'], found['summary']['counters']
    print(f'SCHED_FIFO {"holds" if found["fifo"] else "was not permitted"}')
    for row in found['phases']:
        judge_phase(row)
    print_misses(watch, found['told'])
    core, emergencies = counters['core'], counters['egress']['emergencies']
    print(f'played: {found["played"]}; {core["readings"]} readings, {core["reports"]} reports, {emergencies} '
          f'leases of emergencies')
    assert core['readings'] > 1000 and core['reports'] > 1000 and emergencies > 0
    assert not watch.unexplained, f'missed, and no gap of over {BIG_MS} ms to explain it: {watch.unexplained}'


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    if os.cpu_count() < 2:
        skip('the loop wants a core for itself')
    main()
