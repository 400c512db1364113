#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Some tens of real agents with their watchdogs against one flyballd, struck in random order: killed,
stopped, cut off the network, each alone or both processes at once, and flyballd killed and stopped. No device
stands above its fail-safe cap later than the deadline that its agent left and A. When a device came down is
read from its own trace (act/dry.h), what its deadline was from the word that agent and watchdog share.

Where both processes of a host were away (killed or stopped together, as in a sleep of the machine), nobody
could write: there the bound counts from when the first of them is back, which writes fail-safe first.

usage: hosts_test.py [--hosts N] [--strikes N] [--over SECONDS] [--seed N]
Exit code 77 skips: not root, or no file system in memory."""
import argparse
import collections
import heapq
import json
import mmap
import os
import random
import signal
import struct
import subprocess
import time

import agent_test
import crowd_test
from agent_test import STALL_S, WORD, Host
from daemon_test import Bed, skip

DEVICES, FAIL_SAFE_W, ACTUATION_S = 2, 400, 0.12
PART_MW = FAIL_SAFE_W * 1000 // DEVICES
# struct dry_state: mark, devices, then of each device its newest writes
TRACE, TRACE_AT, WRITE = 64, 8 + 16 * agent_test.DEVICE.size, struct.Struct('=qq')
# A word below this is no time: 0 is "fail-safe is in force", what lies this far back "has passed for ever".
NO_TIME_NS = 1000
START_S = 1.0                       # of a process, until what it knows is in force
ALLOWED_NS = int((ACTUATION_S + STALL_S) * 1e9)


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def in_front():
    """As in its unit: Nice=-15."""
    os.nice(-15)


class Watched(Host):
    """A host, and what was seen of it so far."""

    def __init__(self, site, number, netns):
        self.number = number
        super().__init__(site, number, netns)
        address = 10 + number
        self.address = f'198.18.{address // 256}.{address % 256}'
        self.name, self.until_ns, self.busy = f'r0-{number + 1:02}', 0, False
        self.write_file(host=self.name, controller='198.18.240.1:7002', listen=f'{self.address}:7002',
                        fail_safe=f'{FAIL_SAFE_W} W', phys_max='1.8 kW', cap_min='200 W', cap_max='1400 W',
                        base='200 W', dry_devices=DEVICES, dry_min='50 W', dry_max='1 kW')
        self.noted, self.above = [0] * DEVICES, [True] * DEVICES
        self.raises = 0

    def launch(self, verb):
        more = [self.folder + '/summary.json'] if verb == 'run' else []
        process = self.spawn(verb, *more, inside=in_front)
        process.stands = False
        setattr(self, 'agent' if verb == 'run' else 'watchdog', process)

    def map(self):
        def mapped(name):
            with open(f'{self.memory}/{name}', 'r+b') as file:
                return mmap.mmap(file.fileno(), 0)
        self.record, self.shared = mapped('devices'), mapped('word-2')

    def deadline_ns(self):
        return struct.unpack_from('=q', self.shared, WORD['deadline_ns'])[0]

    def writes(self, device):
        """What was applied since the last look, in its order: (time, cap)."""
        count = struct.unpack_from('=Q', self.record, 8 + device * agent_test.DEVICE.size + 8)[0]
        found = []
        for number in range(max(self.noted[device], count - TRACE), count):
            at = TRACE_AT + (device * TRACE + number % TRACE) * WRITE.size
            when_ns, cap_mw = WRITE.unpack_from(self.record, at)
            if when_ns == 0:            # its writer is not there yet
                break
            found.append((when_ns, cap_mw))
            self.noted[device] = number + 1
        return found

    def cap_mw(self, device):
        return struct.unpack_from('=q', self.record, 8 + device * agent_test.DEVICE.size)[0]

    def are_away(self):
        """Both are dead or stand still."""
        return all(process.poll() is not None or process.stands for process in (self.agent, self.watchdog))


class Judge:
    """Looks every few ms; what it sees late is no later than it was."""

    def __init__(self, hosts):
        self.hosts, self.violations, self.late, self.looks = hosts, [], [], 0
        self.looked_ns, self.longest_gap_ns = now_ns(), 0

    def allow(self, host, until_ns):
        host.until_ns = max(host.until_ns, until_ns)

    def believe(self, host, word_ns):
        """A word that names a time beyond any lease would excuse whatever stands above."""
        ahead_ns = agent_test.word_ahead_ns(word_ns, agent_test.LEASE_S)
        if ahead_ns > 0:
            self.violations.append(f'{host.name}: its word names a deadline {ahead_ns / 1e6:.1f} ms beyond '
                                   'any lease')
        self.allow(host, word_ns - max(ahead_ns, 0))

    def look(self):
        gap_ns = now_ns() - self.looked_ns
        self.longest_gap_ns = max(self.longest_gap_ns, gap_ns)
        for host in self.hosts:
            self.look_at(host, gap_ns)
        self.looked_ns = now_ns()
        self.looks += 1

    def look_at(self, host, gap_ns):
        before_ns = host.deadline_ns()
        traces = [host.writes(device) for device in range(DEVICES)]
        caps = [host.cap_mw(device) for device in range(DEVICES)]
        seen_ns = now_ns()
        after_ns = host.deadline_ns()
        for word_ns in (before_ns, after_ns):
            if word_ns > NO_TIME_NS:
                self.believe(host, word_ns)
        for device, trace in enumerate(traces):
            for when_ns, cap_mw in trace:
                self.take_write(host, device, when_ns, cap_mw, gap_ns)
            # nobody has written since the last look: what stands there now stands there still
            if not trace and caps[device] > PART_MW and not host.are_away():
                self.bound(host, device, seen_ns, gap_ns, 'stands above')

    def take_write(self, host, device, when_ns, cap_mw, gap_ns):
        if host.above[device] and cap_mw <= PART_MW:
            self.bound(host, device, when_ns, gap_ns, 'came down')
        elif not host.above[device] and cap_mw > PART_MW:
            host.raises += 1
        if cap_mw > PART_MW:
            self.bound(host, device, when_ns, gap_ns, 'was raised')
        host.above[device] = cap_mw > PART_MW

    def bound(self, host, device, when_ns, gap_ns, what):
        late_ns = when_ns - host.until_ns
        if host.until_ns and what == 'came down':
            self.late.append(late_ns)
        if host.until_ns and late_ns > ALLOWED_NS + gap_ns:
            self.violations.append(f'{host.name}: device {device} {what} {late_ns / 1e6:.0f} ms after '
                                   f'its deadline; {host.output("run")[-600:]} {host.output("watch")[-600:]}')


class Strikes:
    """What is done to hosts and the daemon, and when it is undone."""

    KINDS = ('kill_agent', 'kill_watchdog', 'stop_agent', 'stop_watchdog', 'kill_both', 'stop_both', 'cut',
             'restart')

    def __init__(self, hosts, judge, netns, dice):
        self.hosts, self.judge, self.netns, self.dice = hosts, judge, netns, dice
        self.later, self.count, self.struck = [], 0, collections.Counter()

    def after(self, seconds, what):
        self.count += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.count, what))

    def turn(self):
        while self.later and self.later[0][0] <= time.monotonic():
            heapq.heappop(self.later)[2]()

    def strike(self):
        free = [host for host in self.hosts if not host.busy]
        if not free:
            return False
        host, kind = self.dice.choice(free), self.dice.choice(self.KINDS)
        host.busy = True
        self.struck[kind] += 1
        getattr(self, kind)(host, self.dice.uniform(0.05, 2.2))
        return True

    def free(self, host):
        host.busy = False

    def back(self, host, *verbs):
        """Whoever starts writes fail-safe before it obeys anything."""
        for verb in verbs:
            host.launch(verb)
        self.judge.allow(host, now_ns() + int(START_S * 1e9) if len(verbs) == 2 else 0)
        self.after(1.5, lambda: self.free(host))

    def kill(self, process):
        process.kill()
        process.wait()

    def kill_agent(self, host, seconds):
        self.kill(host.agent)
        self.after(seconds, lambda: self.back(host, 'run'))

    def kill_watchdog(self, host, seconds):
        self.kill(host.watchdog)
        self.after(seconds, lambda: self.back(host, 'watch'))

    def kill_both(self, host, seconds):
        self.kill(host.agent)
        self.kill(host.watchdog)
        self.after(seconds, lambda: self.back(host, 'watch', 'run'))

    def restart(self, host, _):
        host.agent.send_signal(signal.SIGTERM)
        self.after(0.5, lambda: (self.kill(host.agent), self.back(host, 'run')))

    def halt(self, host, processes, seconds):
        for process in processes:
            process.send_signal(signal.SIGSTOP)
            process.stands = True
        self.after(seconds, lambda: self.go_on(host, processes))

    def go_on(self, host, processes):
        if len(processes) == 2:
            self.judge.look()
            self.judge.allow(host, now_ns())
        for process in self.dice.sample(processes, len(processes)):
            process.stands = False
            process.send_signal(signal.SIGCONT)
        self.after(1.0, lambda: self.free(host))

    def stop_agent(self, host, seconds):
        self.halt(host, [host.agent], seconds)

    def stop_watchdog(self, host, seconds):
        self.halt(host, [host.watchdog], seconds)

    def stop_both(self, host, seconds):
        self.halt(host, [host.agent, host.watchdog], seconds)

    def route(self, verb, host):
        """Its address is nobody's: nothing comes in, and what it sends is refused."""
        subprocess.run(['nsenter', f'--net=/run/netns/{self.netns}', 'ip', 'route', verb, 'blackhole',
                        f'{host.address}/32', 'table', 'local'], check=True)

    def cut(self, host, seconds):
        self.route('add', host)

        def mend():
            self.route('del', host)
            self.after(0.5, lambda: self.free(host))
        self.after(seconds, mend)


def start_all(hosts, judge):
    for host in hosts:
        host.launch('watch')
        host.launch('run')
    for host in hosts:
        host.wait_for('run', 'ready', 60)
        host.wait_for('watch', 'devices by', 60)
        host.map()
    judge.looked_ns = now_ns()


def run_until(judge, strikes, done, seconds):
    """Looks and undoes until it is done; False where it was not in time."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        judge.look()
        strikes.turn()
        time.sleep(0.004)
    return True


def all_leased(hosts):
    return lambda: all(host.cap_mw(0) > PART_MW for host in hosts)


def strike_daemon(bed, strikes, daemon, kind):
    strikes.struck['daemon_' + kind] += 1
    if kind == 'stop':
        daemon[0].send_signal(signal.SIGSTOP)
        strikes.after(1.6, lambda: daemon[0].send_signal(signal.SIGCONT))
        return
    strikes.kill(daemon[0])
    bed.running.remove(daemon[0])
    daemon[0] = bed.start(wait=False)


def play(bed, hosts, options, dice):
    judge, daemon = Judge(hosts), [bed.start()]
    strikes = Strikes(hosts, judge, f'flyball-hosts-{bed.suffix}', dice)
    start_all(hosts, judge)
    assert run_until(judge, strikes, all_leased(hosts), 60), 'not every host is leased at first'
    began, made = time.monotonic(), 0
    events = {options.strikes // 3: 'kill', 2 * options.strikes // 3: 'stop'}
    while made < options.strikes:
        due = began + options.over * made / options.strikes
        assert run_until(judge, strikes, lambda: time.monotonic() >= due, 600)
        if strikes.strike():
            made += 1
            if made in events:
                strike_daemon(bed, strikes, daemon, events[made])
        else:
            began += 0.02
            assert run_until(judge, strikes, lambda: any(not host.busy for host in hosts), 60)
    struck_s = time.monotonic() - began
    assert run_until(judge, strikes, lambda: not strikes.later, 30)
    recovered = run_until(judge, strikes, all_leased(hosts), 90)
    return judge, strikes, daemon[0], struck_s, recovered


def check_that_it_can_fail(hosts, strikes):
    """A word names a time that no lease has; an agent is killed whose watchdog stands still without the
    judge's knowledge."""
    host = hosts[0]
    judge = Judge(hosts[:1])
    for _ in range(1000):               # its agent may write another one before that is looked at
        struct.pack_into('=q', host.shared, WORD['deadline_ns'], now_ns() + int(10e9 * agent_test.LEASE_S))
        judge.look()
        if judge.violations:
            break
    assert any('beyond any lease' in said for said in judge.violations), judge.violations
    print('blind to its word:', judge.violations[0])
    end = time.monotonic() + 20
    while agent_test.word_ahead_ns(host.deadline_ns(), agent_test.LEASE_S) > 0:
        assert time.monotonic() < end, 'no lease came'
        time.sleep(0.01)
    judge = strikes.judge = Judge(hosts[:1])
    assert run_until(judge, strikes, all_leased([host]), 60)
    host.watchdog.send_signal(signal.SIGSTOP)
    strikes.kill(host.agent)
    assert run_until(judge, strikes, lambda: judge.violations, 20), 'the judge saw nothing'
    assert 'its deadline;' in judge.violations[0], judge.violations[0]
    print('blind watchdog:', judge.violations[0].split(';')[0])
    host.watchdog.send_signal(signal.SIGCONT)


def write_site(bed, count):
    with open(bed.site, 'w', encoding='utf-8') as file:
        file.write(crowd_test.SITE.format(
            nodes='  - {id: row-0, kind: branch, parent: hall, phases: 3, volts: 480V, rating: 200A, '
                  'rated: 100%}',
            hosts=f'  - {{id: r0, count: {count}, type: small, cord: row-0, address: 198.18.0.10}}',
            suffix=bed.suffix, door=bed.door))


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--hosts', type=int, default=24)
    options.add_argument('--strikes', type=int, default=300)
    options.add_argument('--over', type=float, default=40)
    options.add_argument('--seed', type=int, default=time.time_ns() % 10**9)
    options = options.parse_args()
    print(f'seed {options.seed}', flush=True)
    with Bed('hsts') as bed:
        write_site(bed, options.hosts)
        crowd_test.address_hosts(bed.suffix)
        hosts = [Watched(bed, number, f'flyball-hosts-{bed.suffix}') for number in range(options.hosts)]
        try:
            judge, strikes, daemon, struck_s, recovered = play(bed, hosts, options,
                                                               random.Random(options.seed))
            late = sorted(judge.late)
            figures = {'struck': dict(strikes.struck), 'over_s': round(struck_s, 1), 'looks': judge.looks,
                       'longest_gap_ms': judge.longest_gap_ns // 10**6, 'came_down': len(late),
                       'late_ms': {part: round(late[int((len(late) - 1) * share)] / 1e6, 1)
                                   for part, share in (('p50', 0.5), ('p99', 0.99), ('max', 1))},
                       'raises': sum(host.raises for host in hosts)}
            print(json.dumps(figures))
            assert not judge.violations, '\n'.join(judge.violations[:5])
            assert recovered, 'not every host is leased again'
            assert sum(strikes.struck.values()) == options.strikes + 2
            assert options.strikes < 100 or all(strikes.struck[kind] for kind in Strikes.KINDS)
            assert len(late) > options.strikes // 4 and figures['raises'] > options.strikes // 4
            check_that_it_can_fail(hosts, strikes)
            _, summary = bed.stop(daemon)
            assert summary['counters']['core']['invariant_failures'] == 0, summary['counters']['core']
        finally:
            for host in hosts:
                for process in host.running:
                    process.send_signal(signal.SIGCONT)
                host.close()


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces')
    if not os.path.isdir('/dev/shm'):
        skip('no file system in memory at /dev/shm')
    main()
