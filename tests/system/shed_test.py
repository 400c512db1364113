#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A load that no lease governs, a real flyballd, a real flyball shed and a command that it runs.

usage: shed_test.py, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from daemon_test import CLI, Bed, read, skip

WAIT_S, STILL_S = 20, 1.0
METER, NODE, PATH = 'm-rack-a1', 'rack-a1', 'main/branch-a/rack-a1'
# What the site's own program does here: it says that it was run, waits while told to, fails while told to.
PROGRAM = '''#!/bin/sh
echo "$FLYBALL_DO $FLYBALL_NODE $FLYBALL_PATH try $FLYBALL_TRY hosts $FLYBALL_HOST_COUNT" \\
    "above $(test "${FLYBALL_MEASURED_A%.*}" -gt "${FLYBALL_LIMIT_A%.*}" && echo yes) $*" >>FOLDER/log
while [ -e FOLDER/hold ]; do sleep 0.02; done
[ ! -e FOLDER/fail ] || { rm FOLDER/fail; exit 7; }
'''


def until(what, condition):
    """Waits for it; what it came to."""
    end = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < end, f'not within {WAIT_S} s: {what}'
        time.sleep(0.05)
    return found


class Shedding:
    """One site with one shed action, and who takes it."""

    def __init__(self, bed):
        self.bed, self.running, self.last = bed, 0, None
        self.ledger = f'/dev/shm/flyball-test-{os.getpid()}'
        self.program = bed.folder + '/feeder'
        with open(self.program, 'w', encoding='utf-8') as file:
            file.write(PROGRAM.replace('FOLDER', bed.folder))
        os.chmod(self.program, 0o755)
        text = read(bed.site)
        # -h is a word of the command, not asked of flyball
        changes = [(f'door: {bed.door}', f'door: {bed.door}\n    ledger: {self.ledger}'),
                   ('lease: 1s', 'lease: 3s'), ('  shed: none ', '  shed: open-feeder '),
                   ('redundancy: {scheme: N}', 'redundancy: {scheme: N}\nshed:\n  - {id: open-feeder, '
                    f'command: [{self.program}, -h, "bus 1"], restore: [{self.program}, back], '
                    'restore_after: 1s, tries: 2, again: 200ms}')]
        for old, new in changes:
            assert old in text, f'the demo site has no "{old}" any more'
            text = text.replace(old, new)
        with open(bed.site, 'w', encoding='utf-8') as file:
            file.write(text)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if failed:
            print(self.log(), self.said(), self.last, sep='\n')
        for path in (self.ledger, self.bed.folder + '/hold'):
            if os.path.exists(path):
                os.unlink(path)

    def watch(self):
        self.running += 1
        with open(f'{self.bed.folder}/shed-{self.running}', 'w', encoding='utf-8') as output:
            process = subprocess.Popen([CLI, 'shed', self.bed.site], stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        self.bed.running.append(process)
        return process

    def said(self):
        return read(f'{self.bed.folder}/shed-{self.running}')

    def status(self):
        asked = subprocess.run([CLI, 'status', '--door', self.bed.door, '--json'], capture_output=True,
                               encoding='utf-8')
        self.last = json.loads(asked.stdout)
        return self.last

    def order(self, *words):
        subprocess.run([CLI, 'order', '--door', self.bed.door, *words], check=True, stdout=subprocess.DEVNULL)

    def node(self):
        return next(node for node in self.status()['nodes'] if node['id'] == NODE)

    def deaf(self):
        return next(row for row in self.status()['degraded'] if row['row'] == 'shed')

    def log(self):
        path = self.bed.folder + '/log'
        return read(path).splitlines() if os.path.exists(path) else []

    def flag(self, name):
        with open(f'{self.bed.folder}/{name}', 'w', encoding='utf-8'):
            pass

    def unflag(self, name):
        os.unlink(f'{self.bed.folder}/{name}')

    def still(self, lines):
        """Nothing more is run."""
        time.sleep(STILL_S)
        assert self.log() == lines, self.log()


def line(done, tried, words):
    return f'{done} {NODE} {PATH} try {tried} hosts 10 above yes {words}'


def killed(shedding, process):
    """Whoever watches is killed with all of his session, and another takes his place."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return shedding.watch()


def main():
    with Bed('shed', driver='uring') as bed, Shedding(bed) as shedding:
        daemon = bed.start()
        traffic = bed.traffic(100, '--heavy', METER)
        deaf = until('nobody listens', lambda: (row := shedding.deaf())['now'] and row)
        assert 'nobody would take a shed action: 1 (flyball shed)' in shedding.status()['words'], deaf
        process = shedding.watch()
        until('somebody listens', lambda: not shedding.deaf()['now'])
        second = subprocess.run([CLI, 'shed', bed.site], capture_output=True, encoding='utf-8')
        assert second.returncode == 5 and 'another flyball shed watches' in second.stderr, second.stderr

        # the load stays whatever hosts are told: three stages, then the command; who watches dies meanwhile
        shedding.flag('hold')
        traffic.send_signal(signal.SIGUSR1)
        first = [line('shed', 1, '-h bus 1')]
        until('the command runs', lambda: shedding.log() == first)
        node = until('it is told', lambda: (n := shedding.node())['shed_state'] == 'running' and n)
        assert node['emergency_stage'] == 'shed' and node['shed_action'] == 'open-feeder', node
        process = killed(shedding, process)
        until('the next one watches', lambda: 'watching' in shedding.said())
        shedding.still(first)
        shedding.unflag('hold')
        node = until('done', lambda: (n := shedding.node())['shed_state'] == 'done' and n)
        assert node['shed_end'] == 'exit code 0' and node['shed_tries'] == 1, node
        assert f'nodes shed and not restored: 1 ({NODE})' in shedding.status()['words']
        process = killed(shedding, process)
        until('the next one watches', lambda: 'done' in shedding.said())
        shedding.still(first)

        # another daemon takes over, the emergency is the same
        daemon.kill()
        daemon.wait()
        began = time.monotonic()
        daemon = bed.start()
        print(f'the daemon was away for {time.monotonic() - began:.2f} s')
        until('it is watched', lambda: shedding.said().count('watching') == 2)
        node = until('it is told again', lambda: (n := shedding.node())['shed_state'] == 'done' and n)
        assert node['emergency_stage'] == 'shed', node
        shedding.still(first)

        # over for a second: restored by itself
        traffic.send_signal(signal.SIGUSR1)
        lines = until('restored', lambda: len(shedding.log()) == 2 and shedding.log())
        assert lines[1] == f'restore {NODE} {PATH} try 1 hosts 10 above  back', lines
        until('it is told', lambda: shedding.node()['shed_state'] == 'restored')
        assert 'shed' not in shedding.status()['words'], shedding.status()['words']

        # while nothing is sent, nothing is shed: fail-safe was told to nobody
        shedding.order('mode', 'shadow')
        traffic.send_signal(signal.SIGUSR1)
        until('the third stage', lambda: shedding.node()['emergency_stage'] == 'shed')
        shedding.still(lines)

        # the second emergency is shed again; its first try fails
        shedding.flag('fail')
        shedding.order('mode', 'enforce')
        wanted = lines + [line('shed', 1, '-h bus 1'), line('shed', 2, '-h bus 1')]
        until('shed again', lambda: shedding.log() == wanted)
        until('done', lambda: shedding.node()['shed_state'] == 'done')
        why = subprocess.run([CLI, 'why', '--door', bed.door, NODE], capture_output=True, encoding='utf-8')
        assert 'open-feeder: done' in why.stdout, why.stdout
        shedding.still(wanted)

        # it can be restored where the site file names no action there any more, too
        site, state = bed.folder + '/none.yaml', bed.folder + '/none.shed'
        with open(site, 'w', encoding='utf-8') as file:
            file.write(read(bed.site).replace(f'id: {NODE},', f'id: {NODE}, shed: none,'))
        shutil.copy(bed.door + '.shed', state)

        def by_hand(*words):
            done = subprocess.run([CLI, 'shed', site, '--state', state, *words], capture_output=True,
                                  encoding='utf-8')
            return done.returncode, done.stdout + done.stderr
        assert by_hand('--list')[0] == 1, by_hand('--list')
        assert by_hand('--try', NODE, '--yes') == (2, f"flyball shed: no shed action at node '{NODE}'; "
                                                   '--list shows which nodes have one\n')
        assert by_hand('--restore', NODE, '--yes') == (
            0, f'{NODE} counts as restored; there is no restore command\n')
        assert by_hand('--list')[0] == 0, by_hand('--list')
        assert shedding.log() == wanted, shedding.log()

        # without a daemon nothing more happens
        bed.stop(daemon)
        until('it says so', lambda: 'no daemon answers' in shedding.said())
        shedding.still(wanted)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        print(shedding.said())


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    if not os.access('/dev/shm', os.W_OK):
        skip('no file system in memory')
    main()
    sys.exit(0)
