#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One flyballd after the other over the plant of the demo, under load: no host may notice.

usage: takeover_test.py CASE, with the paths of the programs in FLYBALL_* variables
(tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import json
import os
import signal
import subprocess
import sys
import time

from daemon_test import CLI, DAEMON, SOURCE, Bed, read, skip

HOSTS, FAIL_SAFE_W, START_S, LEASE_S = 60, 1600, 60, 3


class Succession:
    """Daemons of one site, one after the other, and the plant that they govern."""

    def __init__(self, bed, lends=False):
        """Leases of LEASE_S, so that a busy machine does not decide: what a daemon needs is printed."""
        self.bed, self.daemons, self.site, self.lends = bed, [], bed.site, lends
        self.ledger = f'/dev/shm/flyball-test-{os.getpid()}'
        with open(bed.site, encoding='utf-8') as file:
            text = file.read()
        changes = [(f'door: {bed.door}', f'door: {bed.door}\n    ledger: {self.ledger}'),
                   ('lease: 1s', f'lease: {LEASE_S}s')]
        if not lends:
            changes.append(('oversubscribe: yes', 'oversubscribe: no'))
        for old, new in changes:
            assert old in text, f'the demo site has no "{old}" any more'
            text = text.replace(old, new)
        with open(bed.site, 'w', encoding='utf-8') as file:
            file.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.path.exists(self.ledger):
            os.unlink(self.ledger)

    def path(self, number, kind):
        return f'{self.bed.folder}/{kind}-{number}'

    def spawn(self, *options):
        number = len(self.daemons)
        with open(self.path(number, 'output'), 'w', encoding='utf-8') as output:
            daemon = subprocess.Popen([DAEMON, self.site, '--summary', self.path(number, 'summary'),
                                       '--journal', self.path(number, 'journal'), *options],
                                      stdout=output, stderr=subprocess.STDOUT)
        self.daemons.append(daemon)
        self.bed.running.append(daemon)
        return daemon

    def output(self, number=-1):
        return read(self.path(number % len(self.daemons), 'output'))

    def wait_for(self, words):
        """Seconds until the newest daemon says so."""
        began = time.monotonic()
        while words not in self.output():
            assert self.daemons[-1].poll() is None, f'it ended: {self.output()}'
            assert time.monotonic() < began + START_S, self.output()
            time.sleep(0.002)
        return time.monotonic() - began

    def play(self):
        plant = subprocess.Popen(
            [CLI, 'plant', self.bed.site, '--workload', SOURCE + '/config/demo/workload.yaml',
             '--mode', 'governed', '--meters-netns', f'flyball-meters-{self.bed.suffix}',
             '--hosts-netns', f'flyball-hosts-{self.bed.suffix}', '--duration', '100s',
             '--json', self.bed.folder + '/outcome'],
            stdout=subprocess.DEVNULL)
        self.bed.running.append(plant)
        return plant

    def end(self, plant):
        """Ends the plant. Its outcome and the summary of the newest daemon; the journal replays exactly."""
        plant.send_signal(signal.SIGTERM)
        assert plant.wait(timeout=60) == 0
        self.daemons[-1].send_signal(signal.SIGTERM)
        assert self.daemons[-1].wait(timeout=30) == 0, self.output()
        number = len(self.daemons) - 1
        replayed = subprocess.run([CLI, 'replay', self.path(number, 'journal')], capture_output=True,
                                  encoding='utf-8')
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        return json.loads(read(self.bed.folder + '/outcome')), json.loads(read(self.path(number, 'summary')))


def nobody_noticed(succession, plant, gap_s):
    """No cap changes, also of what is lent above a steady limit: heat and permits go on. Whoever got nothing
    from the new one falls within a lease time."""
    time.sleep(LEASE_S + 0.5)
    outcome, summary = succession.end(plant)
    core = summary['counters']['core']
    print(f'gap {gap_s * 1e3:.0f} ms; handed {core["handed"]} and '
          f'{core["handed_meters"]} meters, claims {core["claims"]}, fail_safes '
          f'{core["fail_safes"]}, recoveries {core["recoveries"]}, limit_cuts {core["limit_cuts"]}; '
          f'falls {outcome["caps"]["fail_safe_falls"]}, '
          f'trips {outcome["trips"]}, refused {outcome["caps"]["refused"]}')
    assert core['handed'] == HOSTS and core['claims'] == 0 and core['invariant_failures'] == 0
    assert core['limit_cuts'] == 0 and core['handed_meters'] > 0
    assert succession.lends or core['recoveries'] == 0
    assert outcome['caps']['fail_safe_falls'] == 0 and outcome['trips'] == 0


def governed(succession):
    """A plant that has been governed for 4 s by the first daemon."""
    succession.spawn()
    succession.wait_for('; door ')
    plant = succession.play()
    time.sleep(4)
    return plant


def fall(succession, sign):
    """The first daemon ends by that signal. When it was sent."""
    began = time.monotonic()
    succession.daemons[0].send_signal(sign)
    return began


def restart(sign, driver):
    with Bed('tkov', driver=driver) as bed, Succession(bed) as succession:
        plant = governed(succession)
        began = fall(succession, sign)
        succession.daemons[0].wait(timeout=30)
        ended_s = time.monotonic() - began
        succession.spawn()
        succession.wait_for('; door ')
        print(f'{driver}, {signal.Signals(sign).name}: the first was gone after {ended_s * 1e3:.0f} ms')
        gap_s = time.monotonic() - began
        nobody_noticed(succession, plant, gap_s)


def standby(sign, driver, lends):
    with Bed('tkov', driver=driver) as bed, Succession(bed, lends) as succession:
        plant = governed(succession)
        succession.spawn()
        # not without being told
        assert succession.daemons[-1].wait(timeout=START_S) == 5, succession.output()
        succession.spawn('--take-over')
        ready_s = succession.wait_for('ready; waits for process')
        began = fall(succession, sign)
        succession.wait_for('; door ')
        gap_s = time.monotonic() - began
        print(f'{driver}, {signal.Signals(sign).name}: the second was ready after {ready_s:.2f} s')
        nobody_noticed(succession, plant, gap_s)


def elsewhere(succession):
    """From now on daemons start as if on another machine: no ledger and no door in common."""
    text = read(succession.bed.site)
    succession.site = succession.bed.folder + '/elsewhere.yaml'
    with open(succession.site, 'w', encoding='utf-8') as file:
        file.write(text.replace('/door/', '/other/').replace(succession.ledger, 'none'))


def case_zombie():
    """A controller stands still for longer than D, is replaced by one that knows nothing of it, and goes on:
    no host obeys it any more, it sees why, and sends nothing above fail-safe."""
    with Bed('tkov', driver='af_packet') as bed, Succession(bed) as succession:
        plant = governed(succession)
        first = succession.daemons[0]
        first.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_S + 0.2)
        elsewhere(succession)
        succession.spawn()
        succession.wait_for('; door ')
        time.sleep(2.5)
        first.send_signal(signal.SIGCONT)
        time.sleep(2)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=30) == 0
        outcome, summary = succession.end(plant)
        old = json.loads(read(succession.path(0, 'summary')))
        zombie, core, caps = old['counters']['core'], summary['counters']['core'], outcome['caps']
        print(f'the old one: newer_epochs {zombie["newer_epochs"]}, {old["words"]}; the new one: claims '
              f'{core["claims"]}, resets {core["resets"]}, foreign caps {core["foreign_caps"]}, '
              f'newer_epochs {core["newer_epochs"]}; '
              f'hosts refused {caps["refused"]}, trips {outcome["trips"]}')
        leased = [host for host in old['hosts'] if host['accepted'] or host['lease_w'] > FAIL_SAFE_W]
        assert zombie['newer_epochs'] > HOSTS and not leased, leased
        assert caps['refused']['old_epoch'] > HOSTS and outcome['trips'] == 0
        assert core['newer_epochs'] == 0 and core['foreign_caps'] == 0 and core['handed'] == 0
        accepted = sum(host['accepted'] for host in summary['hosts'])
        assert accepted == HOSTS, accepted


def case_restart():
    """Ends, and is started again. Only a driver that is open at once makes that in a lease time."""
    restart(signal.SIGKILL, 'uring')
    restart(signal.SIGTERM, 'uring')


def case_standby():
    """The next one is ready before the first one ends, however long that takes."""
    standby(signal.SIGTERM, 'af_packet', False)
    standby(signal.SIGKILL, 'af_packet', True)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    if not os.access('/dev/shm', os.W_OK):
        skip('no file system in memory')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
