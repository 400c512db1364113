#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball-agent with keys, governed by a real flyballd that asks for tags.

usage: tagged_test.py CASE, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from agent_test import AGENT, CAP_MAX_W, FAIL_SAFE_W, STALL_S, Site
from auth_test import refused
from daemon_test import CLI, SEAL, ask, read, skip

ATTACK = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tagged_attack.py')
# Leases as long that a machine which stands still for a while ends none.
LEASE_S = 3
# A key file is looked at once a second, and the other end once a second, too.
ROTATED_S = 2 + 2 * STALL_S
PATIENCE_S = 60
# As what an agent counts each kind of frame of tagged_attack.py. A replay is one of several.
COUNTED = {'flip': 'tag', 'wrong_key': 'tag', 'up_reflected': 'tag', 'up_disguised': 'tag',
           'unknown_id': 'key', 'bare': 'bare', 'noise': 'unreadable', 'stranger': 'not_mine'}
REPLAYED = ('old_sequence', 'old_epoch', 'old_incarnation')
RATE, ATTACK_S = 20000, 5


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
                         ('lease: 1s', f'lease: {LEASE_S}s'),
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
            self.configure(host)
        return self

    def configure(self, host, **changes):
        host.write_file(**{'keys': self.key_of(host), 'lease': f'{LEASE_S} s', **changes})

    @staticmethod
    def key_of(host):
        return host.folder + '/key'

    def give_keys(self, host):
        lines = self.cli('keys', 'host', self.bed.site, host.name, '--server', 'default')
        write_private(self.key_of(host), lines)

    def rotate(self, host, host_first):
        """One more key, which comes to one end sooner; then those before are revoked at both."""
        ahead = self.folder + '/ahead'
        shutil.copy2(self.keys, ahead)
        self.cli('keys', 'rotate', self.bed.site, host.name, '--server', 'default', '--file', ahead)
        lines = self.cli('keys', 'host', self.bed.site, host.name, '--server', 'default', '--file', ahead)
        steps = [lambda: write_private(self.keys, read(ahead)),
                 lambda: write_private(self.key_of(host), lines)]
        for step in reversed(steps) if host_first else steps:
            step()
            time.sleep(ROTATED_S)
        for path in (self.keys, self.key_of(host)):
            revoke_old(path)
            time.sleep(ROTATED_S)

    def keep_ledger(self):
        """What one flyballd leaves to the next."""
        door = f'door: {self.bed.door}'
        text = read(self.bed.site)
        with open(self.bed.site, 'w', encoding='utf-8') as file:
            file.write(text.replace(door, f'{door}\n    ledger: {self.hosts[0].memory}/ledger'))

    @staticmethod
    def cli(*words):
        done = subprocess.run([CLI, *words], capture_output=True, encoding='utf-8')
        assert done.returncode == 0, f'flyball {words}: {done.returncode} {done.stdout} {done.stderr}'
        return done.stdout

    def daemon(self):
        """What flyballd refused by reason, and its counters."""
        counters = ask(self.bed.door, b'status')['counters']
        return refused(counters), counters


    def wait_governed(self, host):
        """Seconds until this flyballd leases to the host what it asks for."""
        def is_leased():
            row = [row for row in ask(self.bed.door, b'status')['hosts'] if row['id'] == host.name][0]
            return row['accepted'] and row['state'] == 'leased' and sum(host.caps_w()) == CAP_MAX_W
        return host.wait_until(is_leased, PATIENCE_S, 'not governed again')

    def attack(self, *words):
        """Somebody among the hosts is at it."""
        process = subprocess.Popen(
            ['nsenter', f'--net=/run/netns/flyball-hosts-{self.suffix}', sys.executable, ATTACK,
             *[str(word) for word in words]], stdout=subprocess.PIPE, encoding='utf-8')
        self.bed.running.append(process)
        return process

    def record(self, name, seconds=1.5):
        path = f'{self.folder}/{name}.recorded'
        assert self.attack('record', path, seconds).wait(PATIENCE_S) == 0
        with open(path, encoding='utf-8') as file:
            kept = json.load(file)
        assert len(kept['down']) > 2 and len(kept['up']) > 2, 'nothing to record'
        return path


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


def caps_while(host, process):
    """Every sum of caps that was in force while that process ran."""
    seen = set()
    while process.poll() is None:
        seen.add(sum(host.caps_w()))
        time.sleep(0.001)
    assert process.returncode == 0, process.returncode
    return seen, json.loads(process.communicate()[0])


def begin_anew(host):
    host.agent.kill()
    host.agent.wait()
    said = host.output('run').count('ready: fail-safe')
    host.agent = host.spawn('run', host.folder + '/summary.json')
    host.wait_until(lambda: host.output('run').count('ready: fail-safe') > said, PATIENCE_S, 'not ready')


def check_counted(sent, counted):
    """Each kind by its reason. What found the socket full, where the agent had no core for a while, was never
    seen."""
    for reason in set(COUNTED.values()):
        most = sum(count for kind, count in sent.items() if COUNTED.get(kind) == reason)
        assert most >= counted[reason] > most / 100 > 0, (reason, most, counted)
    replayed = sum(counted[reason] for reason in REPLAYED)
    assert sent['replay'] >= replayed > sent['replay'] / 100, (sent, counted)
    assert all(counted[reason] > 0 for reason in REPLAYED), counted
    assert counted['key_ended'] == counted['unsealed'] == 0, counted


def case_attack():
    """Recordings of this agent, of the one before it and of the controller before, with true tags, flipped,
    under keys that are none, bare, sent back, and noise, 20,000 a second: no cap changes, neither under a
    lease nor at fail-safe; each is counted by its reason; leases go on."""
    with Tagged('tatt') as site:
        daemon, host = site.bed.start(), site.hosts[0].start()
        host.wait_for_lease(CAP_MAX_W - 1)
        recordings = [site.record('agent before')]
        begin_anew(host)
        host.wait_for_lease(CAP_MAX_W - 1)
        recordings.append(site.record('controller before'))
        daemon.kill()
        daemon.wait()
        daemon = site.bed.start()
        site.wait_governed(host)
        recordings.append(site.record('now'))
        began = site.daemon()[1]['egress']['sent']
        everything = (','.join(recordings), ','.join((*COUNTED, 'replay')))
        addresses = ('203.0.113.11', '203.0.113.1')
        seen, sent = caps_while(host, site.attack('send', *everything, RATE, ATTACK_S, *addresses))
        losses, counters = site.daemon()
        print(f'caps {seen} W; leases {counters["egress"]["sent"] - began}, sent {sent}')
        assert seen == {CAP_MAX_W}, seen
        assert losses['tag'] == losses['bare'] == losses['key'] == 0, losses
        daemon.kill()
        daemon.wait()
        host.wait_for_fail_safe(LEASE_S + STALL_S + PATIENCE_S)
        seen, again = caps_while(host, site.attack('send', *everything, RATE // 10, 3, *addresses))
        assert seen == {FAIL_SAFE_W}, seen
        daemon = site.bed.start()
        host.wait_for_lease(CAP_MAX_W - 1)
        counted = host.end()['counters']
        print(json.dumps(counted))
        check_counted({kind: count + again[kind] for kind, count in sent.items()}, counted)
        site.bed.stop(daemon)


def case_status():
    """What an agent refuses is told by reason on standard error, and to systemd for `systemctl status`."""
    with Tagged('tsta') as site, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        host, path = site.hosts[0], site.folder + '/notify'
        peer.bind(path)
        peer.settimeout(PATIENCE_S)
        os.environ['NOTIFY_SOCKET'] = path
        host.start()
        made = site.folder + '/made.recorded'
        lease = b'FLY1' + struct.pack('<BBHHHIQ16s', 1, 3, 1, 8, 0, host.number, 1, b'x' * 16) + b'x' * 8
        with open(made, 'w', encoding='utf-8') as file:
            json.dump({'down': [lease.hex()], 'up': []}, file)
        kinds = 'bare,flip,unknown_id,stranger'
        sent = site.attack('send', made, kinds, 100, 1, '203.0.113.11', '203.0.113.1')
        assert sent.wait(PATIENCE_S) == 0
        end, told = time.monotonic() + PATIENCE_S, ''
        while told != 'STATUS=frames refused: not_mine 25 bare 25 key 25 tag 25':
            assert time.monotonic() < end, told
            told = peer.recv(512).decode()
        for words in ('frames without a tag, where this host has keys', 'tag is not that of the frame'):
            host.wait_for('run', words)
        host.end()


class Watched:
    """Every sum of a host's caps while something is done to somebody."""

    def __init__(self, *hosts):
        self.hosts, self.seen = hosts, {host.name: set() for host in hosts}
        self.thread, self.done = threading.Thread(target=self.look), threading.Event()

    def look(self):
        while not self.done.wait(0.001):
            for host in self.hosts:
                self.seen[host.name].add(sum(host.caps_w()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def restart_agents(site, host, other):
    """A host whose agent begins anew is at fail-safe until it is leased again; the other notices nothing."""
    for clean in (False, True):
        with Watched(host, other) as watched:
            began = time.monotonic()
            if clean:
                host.end()
                host.agent = host.spawn('run', host.folder + '/summary.json')
            else:
                begin_anew(host)
            site.wait_governed(host)
            took_s = time.monotonic() - began
        print(f'an agent {"stopped" if clean else "killed"} and started: leased again after {took_s:.2f} s; '
              f'{watched.seen}')
        assert watched.seen[other.name] == {CAP_MAX_W}, watched.seen
        assert watched.seen[host.name] >= {FAIL_SAFE_W}, watched.seen
        assert took_s < LEASE_S + 20 * STALL_S, took_s


def restart_controller(site, daemon, sign, hosts):
    """Nobody's cap changes, from one ledger to the next. The new one."""
    with Watched(*hosts) as watched:
        began = time.monotonic()
        daemon.send_signal(sign)
        daemon.wait()
        daemon = site.bed.start()
        gap_s = time.monotonic() - began
        time.sleep(LEASE_S + STALL_S)
    losses, counters = site.daemon()
    print(f'a flyballd ended by {sign.name} and another after {gap_s:.2f} s: {watched.seen}, '
          f'handed {counters["core"]["handed"]}, unproven {counters["lanes"][0]["unproven"]}')
    if gap_s > LEASE_S - 2 * STALL_S:
        print('this machine stood still: leases may have run out')
        return daemon
    assert all(seen == {CAP_MAX_W} for seen in watched.seen.values()), watched.seen
    assert counters['core']['handed'] == len(hosts), counters['core']
    assert losses['tag'] == losses['bare'] == losses['key'] == 0, losses
    return daemon


def case_restart():
    """An agent and a controller that start anew are in their place within a lease time, with tags; a
    controller's start changes no cap, an agent's none but its own host's, and none where that is at
    fail-safe."""
    with Tagged('tres', hosts=2) as site:
        site.keep_ledger()
        daemon, (host, other) = site.bed.start(), (host.start() for host in site.hosts)
        for one in site.hosts:
            site.wait_governed(one)
        restart_agents(site, host, other)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            daemon = restart_controller(site, daemon, sign, site.hosts)
        daemon.kill()
        daemon.wait()
        for one in site.hosts:
            one.wait_for_fail_safe(LEASE_S + STALL_S + PATIENCE_S)
        with Watched(*site.hosts) as watched:
            begin_anew(host)
            time.sleep(STALL_S)
        assert all(seen == {FAIL_SAFE_W} for seen in watched.seen.values()), watched.seen
        daemon = site.bed.start()
        for one in site.hosts:
            print(f'{one.name} leased {site.wait_governed(one):.2f} s after a flyballd was there')
            counted = one.end()['counters']
            no_tag_was_wrong(counted)
        site.bed.stop(daemon)


def revoke_old(path):
    lines = [line + ' revoked' if 'not-after' in line else line for line in read(path).splitlines()]
    write_private(path, '\n'.join(lines) + '\n')


def case_rotate():
    """Keys are replaced and the old ones revoked, the controller first and then the host first: no lease runs
    out. Revoked without another, a host is at fail-safe a lease time later, and leased again with a new
    key."""
    with Tagged('trot') as site:
        daemon, host = site.bed.start(), site.hosts[0].start()
        site.wait_governed(host)
        with Watched(host) as watched:
            for host_first in (False, True):
                site.rotate(host, host_first)
        losses, counters = site.daemon()
        print(watched.seen, counters['keys'], {name: count for name, count in losses.items() if count})
        assert watched.seen[host.name] == {CAP_MAX_W}, watched.seen
        assert losses['tag'] == losses['bare'] == 0 and counters['keys']['failures'] == 0, losses
        site.cli('keys', 'revoke', site.bed.site, host.name, '--server', 'default')
        began = time.monotonic()
        host.wait_for_fail_safe(PATIENCE_S)
        took_s = time.monotonic() - began
        print(f'at fail-safe {took_s:.2f} s after its keys were revoked')
        assert took_s < ROTATED_S + LEASE_S + STALL_S, took_s
        assert site.daemon()[0]['key_ended'] > 0
        site.cli('keys', 'rotate', site.bed.site, host.name, '--server', 'default')
        site.give_keys(host)
        print(f'leased {site.wait_governed(host):.2f} s after it had a new key')
        counted = host.end()['counters']
        assert counted['tag'] == counted['bare'] == counted['unreadable'] == 0, counted
        assert counted['falls'] == 1, counted
        site.bed.stop(daemon)


def refuses(host, code, words):
    """`check` and `run` both, before anything is written to a device."""
    for verb in ('check', 'run'):
        said = subprocess.run([AGENT, verb, host.file], capture_output=True, encoding='utf-8')
        assert said.returncode == code and words in said.stderr, (verb, said)
    assert not os.path.exists(host.memory + '/devices')


def case_config():
    """`flyball agent-config` names a file of keys where the site asks for tags. A mistake there is told with
    its place, and stops whom it concerns: the watchdog does not read it."""
    with Tagged('tcon', hosts=2) as site:
        host, other = site.hosts
        made = site.cli('agent-config', site.bed.site, host.name)
        assert 'keys = /etc/flyball/key' in made.splitlines(), made
        assert f'`flyball keys host {site.bed.site} {host.name}`' in made, made
        said = subprocess.run([AGENT, 'check', host.file], capture_output=True, encoding='utf-8')
        assert said.returncode == 0 and 'frames with tags' in said.stdout, said
        key, own = site.key_of(host), read(site.key_of(host))
        write_private(key, read(site.key_of(other)))
        refuses(host, 4, f'{key}:1: error: no key of host {host.name} stands in it, but of host {other.name}')
        write_private(key, own.replace(' 1 ', ' one '))
        refuses(host, 4, f'{key}:1: error: the key id is a whole number from 1 to 65535')
        write_private(key, own)
        os.chmod(key, 0o644)
        refuses(host, 4, f'{key}: error: mode 0644: others than its owner may open it; chmod 0600')
        os.unlink(key)
        refuses(host, 3, f'{key}: error: No such file or directory')
        host.watchdog = host.spawn('watch')
        word = host.memory + '/word-2'
        host.wait_until(lambda: os.path.exists(word) and os.path.getsize(word) >= 48 and
                        host.word('watchdog_beat_ns'), PATIENCE_S, 'the watchdog waits for keys')


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces')
    if not os.path.isdir('/dev/shm'):
        skip('no file system in memory at /dev/shm')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
