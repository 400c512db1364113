#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball-agent with keys, governed by a real flyballd that asks for tags.

usage: tagged_test.py CASE, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import json
import os
import subprocess
import sys
import time

from agent_test import ACTUATION_S, CAP_MAX_W, FAIL_SAFE_W, LEASE_S, STALL_S, DEVICES, Site
from auth_test import refused
from daemon_test import CLI, SEAL, ask, read, skip

# The key file is looked at once a second, and a table is used from the next turn of a loop on.
ROTATED_S = 2 + STALL_S


def write_private(path, text):
    """As `flyball keys` does it: beside it, then under its name."""
    beside = path + '.new'
    with open(beside, 'w', encoding='utf-8', opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        out.write(text)
    os.rename(beside, path)


class Tagged(Site):
    """A site whose hosts' frames carry tags, each host with its own file of keys."""

    def __init__(self, suffix, hosts=1):
        super().__init__(suffix, hosts)
        self.keys = self.folder + '/keys'
        text = read(self.bed.site)
        for old, new in [('auth: none', 'auth: {hosts: required, meters: none}'),
                         (f'door: {self.bed.door}', f'door: {self.bed.door}\n    keys: {self.keys}')]:
            assert old in text, f'the demo site has no "{old}" any more'
            text = text.replace(old, new)
        with open(self.bed.site, 'w', encoding='utf-8') as file:
            file.write(text)
        self.cli('keys', 'make', self.bed.site, '--server', 'default')

    def __enter__(self):
        super().__enter__()
        for host in self.hosts:
            self.give_keys(host)
            host.write_file(keys=self.key_of(host))
        return self

    @staticmethod
    def key_of(host):
        return host.folder + '/key'

    def give_keys(self, host):
        lines = self.cli('keys', 'host', self.bed.site, host.name, '--server', 'default')
        write_private(self.key_of(host), lines)

    @staticmethod
    def cli(*words):
        done = subprocess.run([CLI, *words], capture_output=True, encoding='utf-8')
        assert done.returncode == 0, f'flyball {words}: {done.returncode} {done.stdout} {done.stderr}'
        return done.stdout

    def daemon(self):
        """What flyballd refused by reason, and its counters."""
        counters = ask(self.bed.door, b'status')['counters']
        return refused(counters), counters


def no_tag_was_wrong(counted):
    for name in ('bare', 'key', 'key_ended', 'tag', 'unsealed', 'unreadable', 'not_mine'):
        assert counted[name] == 0, f'{name}: {counted}'


def case_govern():
    """Leases flow, every frame with a tag on both sides; nothing is allocated for it."""
    with Tagged('tgov') as site:
        daemon = site.bed.start()
        host = site.hosts[0].start(preload=SEAL)
        took_s = host.wait_for_lease(CAP_MAX_W - 900)
        print(f'leased up to {sum(host.caps_w())} W after {took_s:.2f} s')
        time.sleep(2)
        losses, counters = site.daemon()
        assert losses['bare'] == losses['tag'] == losses['key'] == 0, losses
        summary = host.end()
        print(json.dumps(summary['counters']))
        no_tag_was_wrong(summary['counters'])
        assert summary['counters']['accepted'] > 10 and summary['counters']['falls'] == 0
        site.bed.stop(daemon)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces')
    if not os.path.isdir('/dev/shm'):
        skip('no file system in memory at /dev/shm')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
