#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball-agent and its watchdog on eight simulated GPUs, behind the stand-in for NVIDIA's library that only
the loader's path chooses, governed by a real flyballd. What a GPU does wrong is told to it as it runs.

usage: gpu_test.py CASE, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import os
import re
import subprocess
import sys
import time

import agent_test
from agent_test import (ACTUATION_S, DEVICES, FAIL_SAFE_W, STALL_S, Host, Site, ask, fail_safe_in_time,
                        kill_daemon, skip)

STANDIN, LIBRARY = os.environ.get('FLYBALL_STANDIN', ''), os.environ.get('FLYBALL_STANDIN_FOLDER', '')
GPU_MAX_W = 700
# A device that was gone is looked for once a second; where it is not found for 3 s all are let go, once.
FOUND_S = 1 + 0.1
# From a driver that was loaded anew to fail-safe written: found, written, the machine at a standstill now
# and then.
BACK_S = FOUND_S + ACTUATION_S + STALL_S + 1


class GpuHost(Host):
    """A host whose devices are simulated GPUs."""

    def write_file(self, **changes):
        self.state = self.memory + '/gpus'
        self.tool('gpus', self.state, str(DEVICES))
        keys = {'actuator': 'nvml', 'devices': DEVICES, 'cap_max': f'{DEVICES * GPU_MAX_W} W'}
        keys.update(changes)
        super().write_file(**keys)

    def tool(self, *words):
        return subprocess.run([STANDIN, *words], check=True, stdout=subprocess.PIPE, encoding='utf-8').stdout

    def spawn(self, verb, *more, **how):
        os.environ.update({'LD_LIBRARY_PATH': LIBRARY, 'FLYBALL_STANDIN_STATE': self.state})
        try:
            return super().spawn(verb, *more, **how)
        finally:
            del os.environ['LD_LIBRARY_PATH']

    def tell(self, device, member, value):
        self.tool('set', self.state, str(device), member, str(value))

    def shown(self, member):
        return [int(value) for value in re.findall(member + r'=(\d+)', self.tool('show', self.state))]

    def caps_w(self):
        """The limits asked for, as they stand in the driver."""
        return [value / 1000 for value in self.shown('limit_mw')]

    def wait_until_above(self, device):
        """A lease reaches each device by itself."""
        self.wait_until(lambda: self.caps_w()[device] > FAIL_SAFE_W / DEVICES, 30, f'{device} is not leased')

    def draws_w(self):
        return [value / 1000 for value in self.shown('draw_mw')]


def start(site):
    daemon = site.bed.start()
    host = site.hosts[0]
    host.close()
    os.makedirs(host.memory)
    host = site.hosts[0] = GpuHost(site, 0, host.netns)
    return daemon, host.start()


def seen_by(site):
    rows = ask(site.bed.door, b'status')['hosts']
    return [row for row in rows if row['id'] == site.hosts[0].name][0]


def case_govern():
    """Leased up to what they take; draws follow within what dead time and settling allow; a clean stop leaves
    fail-safe."""
    with Site('ggov') as site:
        daemon, host = start(site)
        host.wait_for_lease(DEVICES * GPU_MAX_W * 0.85)
        host.wait_until(lambda: seen_by(site)['state'] == 'leased', 10, 'not seen as leased')
        summary = host.end()
        print(f'{summary}')
        assert summary['counters']['resets'] == 0 and summary['counters']['losses'] == 0
        assert max(host.caps_w()) == FAIL_SAFE_W / DEVICES
        host.wait_until(lambda: max(host.draws_w()) <= FAIL_SAFE_W / DEVICES * 1.06, 10, 'draws stay up')
        site.bed.stop(daemon)


def case_reload():
    """The driver is loaded anew under a lease: limits are its defaults, handles are lost, the order is
    another. Both processes find every GPU again, and fail-safe stands within a bounded time; three times, the
    last with the agent dead, so that the watchdog's handles have to be good."""
    with Site('grel') as site:
        daemon, host = start(site)
        for alive in (True, True, False):
            host.wait_for_lease()
            if not alive:
                host.agent.kill()
                host.agent.wait()
            host.tool('driver', host.state, 'load')
            assert max(host.caps_w()) == GPU_MAX_W
            # a dead agent's lease runs out first
            took_s = host.wait_for_fail_safe(BACK_S + (0 if alive else agent_test.LEASE_S + ACTUATION_S))
            print(f'{"alive" if alive else "dead"}: fail-safe {took_s:.2f} s after the driver was loaded')
        host.agent = host.spawn('run', host.folder + '/summary.json')
        host.wait_for_lease()
        host.end()
        _, summary = site.bed.stop(daemon)
        assert summary['counters']['core']['invariant_failures'] == 0


def case_vanish():
    """A GPU falls off the bus: the host is at fail-safe and told as such, the others are written; it comes
    back with its default limit, is written, and the host is leased anew. One that was missing at the start is
    taken up, too."""
    with Site('gvan') as site:
        daemon, host = start(site)
        host.wait_for_lease()
        host.tell(3, 'lost', 1)
        others = [i for i in range(DEVICES) if i != 3]
        host.wait_for_fail_safe(1 + ACTUATION_S + STALL_S, others)
        host.wait_until(lambda: seen_by(site)['exposed_by'] == 'device_lost', 10, 'the daemon does not know')
        time.sleep(5)           # longer than until all are let go for a moment
        assert max(host.caps_w()[i] for i in others) <= FAIL_SAFE_W / DEVICES
        host.tell(3, 'lost', 0)
        host.wait_for_fail_safe(BACK_S)
        print(f'leased {host.wait_for_lease():.2f} s after it was back')
        host.tell(5, 'lost', 1)
        host.end()
        host.watchdog.kill()
        host.watchdog.wait()
        host.start()
        host.wait_for('run', f'device {DEVICES} of {DEVICES} is not there')
        host.tell(5, 'lost', 0)
        host.wait_for_lease()
        host.end()
        site.bed.stop(daemon)


def case_errors():
    """Reads that fail for seconds, writes that fail, a GPU that takes limits and does not obey: it is written
    all the time, nothing above fail-safe is allowed meanwhile, and all is well behind it. A lease's end comes
    in time for the others."""
    with Site('gerr') as site:
        daemon, host = start(site)
        for member, value in (('fail_get', 999), ('fail_set', 999), ('sticky', 1)):
            host.wait_for_lease()
            host.wait_until_above(2)
            host.tell(2, member, value)
            others = [i for i in range(DEVICES) if i != 2]
            if member == 'fail_get':
                host.wait_for_fail_safe(2 + ACTUATION_S + STALL_S)
                before = host.shown('writes')[2]
                host.wait_until(lambda: host.shown('writes')[2] > before + 10, 20, 'it is written no more')
                assert host.word('deadline_ns') != 0, 'fail-safe counts as read back'
                assert seen_by(site)['exposed_by'] in ('device_lost', 'boot')
            else:
                fail_safe_in_time(host, member, kill_daemon(host, daemon), others)
                assert host.word('deadline_ns') != 0
                host.tell(2, member, 0)
                host.wait_for_fail_safe(ACTUATION_S + STALL_S)
                daemon = site.bed.start()
            host.tell(2, member, 0)
        host.wait_for_lease()
        host.tell(1, 'foreign_mw', 250000)
        host.wait_for('run', 'limits of somebody else')
        host.tell(1, 'foreign_mw', 0)
        summary = host.end()
        assert summary['counters']['blind'] == 1 and summary['counters']['foreign'] >= 1, summary
        site.bed.stop(daemon)


def case_held_up():
    """Somebody else's lower limit is in force on a GPU that then takes limits and changes nothing: what it
    keeps, and what would be in force without that limit, is above fail-safe and hidden. Agent and watchdog
    know it, write it all the time and never take fail-safe for read back; once it obeys it is written, though
    what is in force never changed."""
    with Site('ghel') as site:
        daemon, host = start(site)
        host.wait_for_lease()
        host.wait_until_above(2)
        host.tell(2, 'foreign_mw', 210000)
        host.wait_for('run', 'limits of somebody else')
        host.tell(2, 'sticky', 1)
        others = [i for i in range(DEVICES) if i != 2]
        fail_safe_in_time(host, 'held up', kill_daemon(host, daemon), others)
        assert host.caps_w()[2] > FAIL_SAFE_W / DEVICES
        before, word = host.shown('writes')[2], set()

        def is_written():
            word.add(host.word('deadline_ns'))
            return host.shown('writes')[2] > before + 10
        host.wait_until(is_written, 20, 'it is written no more')
        assert 0 not in word, 'fail-safe counts as read back'
        host.agent.kill()       # the watchdog's eyes are its own
        host.agent.wait()
        before = host.shown('writes')[2]
        host.wait_until(lambda: host.shown('writes')[2] > before + 10, 20, 'the watchdog takes it for obeyed')
        host.tell(2, 'sticky', 0)
        took_s = host.wait_for_fail_safe(ACTUATION_S + STALL_S)
        print(f'fail-safe stands {took_s:.3f} s after it obeyed, under a lower limit all the time')
        os.unlink(host.folder + '/run.out')
        host.agent = host.spawn('run', host.folder + '/summary.json')
        host.wait_for('run', 'ready: fail-safe caps are read back')
        host.end()


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces')
    if not os.path.isdir('/dev/shm'):
        skip('no file system in memory at /dev/shm')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
