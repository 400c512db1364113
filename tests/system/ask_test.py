#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs ask flyball-agent for power, and a real flyballd decides; Slurm's prolog and epilog with it; and the
history of the host over it all.

usage: ask_test.py CASE, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or no file system in memory."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from agent_test import Site
from daemon_test import SOURCE, ask, read, skip

CLI = os.environ.get('FLYBALL_CLI', '')
# A controller that takes over, an agent that hears of it, on a machine that is busy.
PATIENCE_S = 60


class Desk:
    """The desk of one host's agent, as a job sees it."""

    def __init__(self, host):
        self.host, self.socket = host, host.memory + '/ask'

    def run(self, *words):
        """(exit code, answer). A machine that stands still makes the controller seem away: asked again."""
        end = time.monotonic() + PATIENCE_S
        while True:
            done = subprocess.run([CLI, 'ask', *words, '--json', '--socket', self.socket], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
            if done.returncode != 3 or time.monotonic() > end:
                assert done.stdout, f'{words}: {done.returncode}: {done.stderr}'
                return done.returncode, json.loads(done.stdout)
            time.sleep(0.2)

    def status(self):
        return self.run('--status')[1]

    def wait_for(self, what, why):
        end = time.monotonic() + PATIENCE_S
        while not what(told := self.status()):
            assert time.monotonic() < end, f'{why}: {told}; {self.host.output("run")}'
            time.sleep(0.05)
        return told


def start(site):
    daemon = site.bed.start()
    host = site.hosts[0].start()
    desk = Desk(host)
    desk.wait_for(lambda now: now['epoch'] > 0, 'no controller is obeyed')
    return daemon, host, desk


def case_ask():
    """Granted, denied with an alternative, extended, released; and again by a controller that took over."""
    with Site('aask') as site:
        daemon, host, desk = start(site)
        code, answer = desk.run('6kW', '--for', '120s', '--job', '7')
        print(f'granted: {answer}')
        assert code == 0 and answer['amount_w'] == 6000 and 100e3 < answer['for_ms'] <= 120e3
        code, answer = desk.run('100kW', '--for', '60s', '--job', '8')
        print(f'denied: {answer}')
        assert code == 5 and answer['reason'] == 'host_limit' and 0 < answer['alternative_w'] < 100e3
        code, answer = desk.run(f'{answer["alternative_w"]}W', '--for', '60s', '--job', '8')
        print(f'the alternative: {answer}')
        assert code == 0 or (answer['reason'] == 'pool_empty' and answer['alternative_w'] > 0)
        if code:
            # what the controller has to give is less than what the host could draw
            code, answer = desk.run(f'{answer["alternative_w"]}W', '--for', '60s', '--job', '8')
            assert code == 0, answer
        code, answer = desk.run('--extend', '--for', '600s', '--job', '7')
        assert code == 0 and answer['for_ms'] > 500e3, answer
        code, answer = desk.run('--release', '--job', '8')
        assert code == 0 and answer['outcome'] == 'released'
        told = json.dumps(ask(site.bed.door, b'counters'))
        assert sum(map(int, re.findall(r'"details": (\d+)', told))) >= 1, told
        before = desk.wait_for(lambda now: now['total_w'] == 6000 and len(now['grants']) == 1,
                               'job 7 holds no grant any more')
        daemon.kill()
        daemon.wait()
        daemon = site.bed.start()
        desk.wait_for(lambda now: now['epoch'] > before['epoch'] and now['total_w'] == 6000,
                      'the controller that took over was not asked again')
        print(f'{before} before, {desk.status()} after')
        code, answer = desk.run('--release', '--job', '7')
        assert code == 0
        code, answer = desk.run('--release', '--job', '7')
        assert code == 5 and answer['outcome'] == 'unknown'
        summary = host.end()
        assert summary['counters']['asked'] >= 4, summary
        assert not os.path.exists(desk.socket)
        site.bed.stop(daemon)


def case_slurm():
    """The prolog asks, requeues where it is denied; without a controller jobs run unless it is strict."""
    with Site('aslu') as site:
        daemon, host, desk = start(site)
        folder = site.folder + '/slurm'
        shutil.copytree(SOURCE + '/config/slurm', folder)
        called = folder + '/called'
        with open(folder + '/scontrol', 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\necho "$@" >>{called}\n[ ! -e {folder}/refuse ]\n')
        os.chmod(folder + '/scontrol', 0o755)

        def set_up(**changes):
            values = {'POWER': '5kW', 'LENGTH': '10min', 'WAIT_S': '4', 'STRICT': 'no', 'FLYBALL': CLI,
                      'SCONTROL': folder + '/scontrol', 'SOCKET': desk.socket, **changes}
            with open(folder + '/flyball.conf', 'w', encoding='utf-8') as file:
                file.writelines(f'{key}={value}\n' for key, value in values.items())

        def script(name, job, comment=''):
            began = time.monotonic()
            done = subprocess.run([f'{folder}/{name}.sh'], check=False, stderr=subprocess.PIPE,
                                  encoding='utf-8',
                                  env={'SLURM_JOB_ID': str(job), 'SLURM_JOB_COMMENT': comment})
            took_s = time.monotonic() - began
            print(f'{name} of {job}: {done.returncode} after {took_s:.1f} s: {done.stderr.strip()}')
            assert took_s < 40, 'it blocked'
            return done.returncode

        def requeued():
            return read(called).split('\n')[:-1] if os.path.exists(called) else []

        set_up(WAIT_S='20')     # a busy machine may make the controller seem away for a while
        assert script('prolog', 41) == 0 and not requeued()
        assert [grant['job'] for grant in desk.status()['grants']] == ['41']
        assert script('epilog', 41) == 0 and not desk.status()['grants']
        set_up()
        assert script('prolog', 42, 'debug flyball=900kW') == 0 and requeued() == ['requeue 42']
        open(folder + '/refuse', 'w', encoding='utf-8').close()
        assert script('prolog', 43, 'flyball=900kW') == 0 and requeued()[1:] == ['requeue 43']
        set_up(STRICT='yes')
        assert script('prolog', 44, 'flyball=900kW') == 1
        os.remove(folder + '/refuse')
        daemon.kill()
        daemon.wait()
        # the host forgets nobody: until its leases run out the grant may be had; then nobody answers
        host.wait_for_fail_safe(PATIENCE_S)
        set_up()
        before = len(requeued())
        assert script('prolog', 45) == 0 and len(requeued()) == before
        set_up(STRICT='yes')
        assert script('prolog', 46) == 0 and requeued()[-1] == 'requeue 46'
        host.end()
        set_up()
        assert script('prolog', 47) == 0 and script('epilog', 47) == 0 and requeued()[-1] == 'requeue 46'


def case_history():
    """What the agent did stands in its file: lease, its own death as a gap, fail-safe; for its host alone."""
    with Site('ahis') as site:
        daemon, host, _ = start(site)
        host.wait_for_lease(seconds=3 * PATIENCE_S)     # a raise may be held for a minute
        time.sleep(2)
        host.agent.send_signal(signal.SIGKILL)
        host.agent.wait()
        time.sleep(2)
        host.agent = host.spawn('run', host.folder + '/summary.json')
        end = time.monotonic() + PATIENCE_S
        while host.output('run').count('ready') < 2:
            assert time.monotonic() < end, host.output('run')
            time.sleep(0.05)
        time.sleep(2)
        site.bed.stop(daemon)
        host.wait_for_fail_safe(PATIENCE_S)
        time.sleep(1)
        host.end()
        path = host.folder + '/state/history'
        done = subprocess.run([CLI, 'host', host.name, '--file', path, '--last', '1h', '--json'], check=True,
                              stdout=subprocess.PIPE, encoding='utf-8')
        told = json.loads(done.stdout)
        records = told['records']
        states = [record['state'] for record in records]
        print(f'{len(records)} samples, {told["newest_breaks"]}, states {sorted(set(states))}')
        assert len(records) >= 20 and 'leased' in states and states[-1] == 'fail-safe'
        assert any(gap['what'] == 'gap' and gap['amount_ns'] > 1e9 for gap in told['newest_breaks'])
        numbers = [record['number'] for record in records]
        assert numbers == list(range(1, len(numbers) + 1))
        assert max(record['enforced_mw'] or 0 for record in records) > 2e6
        assert records[-1]['asked_mw'] == records[-1]['enforced_mw'] == 1600000
        page = subprocess.run([CLI, 'host', host.name, '--file', path, '--last', '1h'], check=True,
                              stdout=subprocess.PIPE, encoding='utf-8').stdout
        assert 'no samples for' in page and max(len(line) for line in page.splitlines()) <= 80, page
        wrong = subprocess.run([CLI, 'host', 'other', '--file', path], check=False, stderr=subprocess.PIPE,
                               encoding='utf-8')
        assert wrong.returncode == 5 and f'is the history of {host.name}, not of other' in wrong.stderr


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces')
    if not os.path.isdir('/dev/shm'):
        skip('no file system in memory at /dev/shm')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
