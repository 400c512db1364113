#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball-agent as processes, governed by a real flyballd between the namespaces of tools/net: agents run
where the hosts' addresses are, on dry devices whose caps stand in a file that outlives every process.

usage: agent_test.py CASE, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

from daemon_test import SOURCE, Bed, ask, read, skip

AGENT = os.environ.get('FLYBALL_AGENT', '')
DEVICES, FAIL_SAFE_W, CAP_MAX_W, LEASE_S, ACTUATION_S = 8, 1600, 8000, 1.0, 0.12
# A shared machine stands still for so long now and then; a bound of time is not meant to catch that.
STALL_S = 0.5
# struct dry_device and struct dry_state of src/act/dry.h: 8 bytes of mark, then each device
DEVICE = struct.Struct('=qQqqIIIi')
TOLD = {'foreign_mw': (16, 'q'), 'demand_mw': (24, 'q'), 'lost': (32, 'I'), 'hang': (36, 'I'),
        'sticky': (40, 'I'), 'fail': (44, 'i')}
# struct word of src/agent/word.h
WORD = {'deadline_ns': 24, 'agent_beat_ns': 32, 'watchdog_beat_ns': 40}


class Shared:
    """A file that a program maps, too."""

    def __init__(self, path, size):
        self.file = open(path, 'r+b')
        self.map = mmap.mmap(self.file.fileno(), size)

    def get(self, at, kind='q'):
        return struct.unpack_from('=' + kind, self.map, at)[0]

    def put(self, at, kind, value):
        struct.pack_into('=' + kind, self.map, at, value)


class Host:
    """One host: its files, its agent and its watchdog."""

    def __init__(self, site, number, netns='', folder=None):
        self.site, self.number, self.netns = site, number, netns
        self.name = f'a1-{number + 1:02}'
        self.folder = folder or f'{site.folder}/{self.name}'
        self.memory = f'/dev/shm/flyball-agent-{os.getpid()}-{number}'
        self.running = []
        for path in (self.folder, self.folder + '/state', self.memory):
            os.makedirs(path, exist_ok=True)
        self.file = self.folder + '/agent.conf'
        self.write_file()

    def write_file(self, **changes):
        keys = {'host': self.name, 'id': self.number, 'controller': '203.0.113.1:7002',
                'listen': f'203.0.113.{11 + self.number}:7002', 'fail_safe': f'{FAIL_SAFE_W} W',
                'phys_max': '10.3 kW', 'cap_min': '1600 W', 'cap_max': f'{CAP_MAX_W} W',
                'lease': f'{LEASE_S} s', 'actuation': f'{int(ACTUATION_S * 1000)} ms', 'base': '1500 W',
                'efficiency': '96 %', 'actuator': 'dry', 'dry_devices': DEVICES, 'dry_min': '200 W',
                'dry_max': '1 kW', 'dry_file': self.memory + '/devices', 'state': self.folder + '/state',
                'run': self.memory}
        keys.update(changes)
        with open(self.file, 'w', encoding='utf-8') as file:
            file.write(''.join(f'{key} = {value}\n' for key, value in keys.items()))

    def spawn(self, verb, *more, preload='', inside=None):
        command = [AGENT, verb, self.file, *more]
        if verb == 'run' and self.netns:
            command = ['nsenter', f'--net=/run/netns/{self.netns}'] + command
        environment = dict(os.environ, **({'LD_PRELOAD': preload} if preload else {}))
        with open(f'{self.folder}/{verb}.out', 'a', encoding='utf-8') as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment,
                                       preexec_fn=inside)
        self.running.append(process)
        return process

    def start(self, **how):
        self.watchdog = self.spawn('watch')
        self.agent = self.spawn('run', self.folder + '/summary.json', **how)
        self.wait_for('run', 'ready')
        return self

    def output(self, verb):
        path = f'{self.folder}/{verb}.out'
        return read(path) if os.path.exists(path) else ''

    def wait_for(self, verb, words, seconds=30):
        end = time.monotonic() + seconds
        while words not in self.output(verb):
            assert time.monotonic() < end, f'no "{words}": {self.output(verb)}'
            time.sleep(0.01)

    def devices(self):
        return Shared(self.memory + '/devices', 8 + 16 * DEVICE.size)

    def word(self, member):
        return Shared(self.memory + '/word-1', 40).get(WORD[member])

    def caps_w(self):
        shared = self.devices()
        return [shared.get(8 + i * DEVICE.size) / 1000 for i in range(DEVICES)]

    def tell(self, device, member, value):
        at, kind = TOLD[member]
        self.devices().put(8 + device * DEVICE.size + at, kind, value)

    def wait_until(self, what, seconds, why):
        """Seconds until it is true."""
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < seconds, f'{why}: {self.caps_w()}; {self.output("run")}'
            time.sleep(0.002)
        return time.monotonic() - began

    def wait_for_lease(self, above_w=FAIL_SAFE_W + 400, seconds=60):
        return self.wait_until(lambda: sum(self.caps_w()) > above_w, seconds, 'no lease above fail-safe')

    def wait_for_fail_safe(self, seconds, devices=range(DEVICES)):
        least_w = FAIL_SAFE_W / DEVICES
        return self.wait_until(lambda: all(self.caps_w()[i] <= least_w for i in devices), seconds,
                               'not at fail-safe')

    def end(self, process=None):
        process = process or self.agent
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, self.output('run')
        return json.loads(read(self.folder + '/summary.json'))

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.memory, ignore_errors=True)


class Site:
    """A bed whose site has two hosts and one rack that holds them with ease."""

    def __init__(self, suffix, hosts=1):
        self.bed, self.hosts, self.suffix = Bed(suffix), [], suffix
        self.folder, self.count = self.bed.folder, hosts
        text = read(self.bed.site)
        begin, end = text.index('\nhosts:'), text.index('\nmeters:')
        row = f'  - {{id: a1, count: {max(hosts, 2)}, type: gpu8, cord: rack-a1, address: 203.0.113.11}}\n'
        with open(self.bed.site, 'w', encoding='utf-8') as file:
            file.write(text[:begin] + '\nhosts:\n' + row + text[end:])

    def __enter__(self):
        self.bed.__enter__()
        for number in range(self.count):
            self.hosts.append(Host(self, number, f'flyball-hosts-{self.suffix}'))
        return self

    def __exit__(self, *what):
        for host in self.hosts:
            host.close()
        self.bed.__exit__(*what)


def case_govern():
    """Leases flow, caps are written, the daemon sees them in force; a clean stop leaves fail-safe."""
    with Site('agov') as site:
        daemon = site.bed.start()
        host = site.hosts[0].start()
        took_s = host.wait_for_lease(CAP_MAX_W - 900)
        status = ask(site.bed.door, b'status')
        seen = [row for row in status['hosts'] if row['id'] == host.name][0]
        print(f'leased up to {sum(host.caps_w())} W after {took_s:.2f} s; the daemon says {seen}')
        assert seen['state'] == 'leased' and seen['accepted']
        time.sleep(3)
        summary = host.end()
        print(f'{summary}')
        assert summary['counters']['accepted'] > 10 and summary['counters']['reports'] > 10
        assert summary['counters']['falls'] == 0 and max(host.caps_w()) == FAIL_SAFE_W / DEVICES
        assert host.word('deadline_ns') == 0
        site.bed.stop(daemon)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces')
    if not os.path.isdir('/dev/shm'):
        skip('no file system in memory at /dev/shm')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
