#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real ptp4l: a master in the meters' namespace, a slave beside a real flyballd, over its own veth, software
timestamps. Both have this machine's clock and none steers it; a master that is ahead is made by latencies
that it is told its port has. So what flyballd must find is known to the microsecond: killed, restarted and
stepped, another grandmaster, a leap second, 30 % of its frames lost.

usage: ptp_test.py, with the environment of daemon_test.py. Exit code 77 skips."""
import contextlib
import json
import os
import shutil
import subprocess
import time

from daemon_test import SOURCE, Bed, ask, finish, run_cli, skip

WITHIN_S = 40
NS_PER_MS = 1000000
# What software timestamps under load may do to a line of robust samples, beside what it says itself.
SLACK_NS = 300000
# This test asks ten times a second: where it could not for so long, the machine stood still, and ptp4l on it.
STALL_S = 0.5
FIRST_NS, STEPPED_NS, OTHER_NS = 20 * NS_PER_MS, -250 * NS_PER_MS, 5 * NS_PER_MS
TIME = '''
time: {{source: ptp, ptp: {folder}/slave, lock_within: 500us, lock_after: 1s, lost_after: 2s,
       holdover_budget: 2ms, drift: 200ppm, meter_within: 100ms, meter_drift: 1%}}
'''
COMMON = '''[global]
network_transport L2
time_stamping software
free_running 1
logSyncInterval -3
logMinDelayReqInterval -3
logAnnounceInterval -1
'''
MASTER = COMMON + '''clockClass 6
clockAccuracy 0x21
announceReceiptTimeout 3
uds_address {path}
clockIdentity {identity}
priority1 {priority}
egressLatency {ahead}
ingressLatency {behind}
[eth0]
'''
SLAVE = COMMON + '''slaveOnly 1
announceReceiptTimeout 10
uds_address {path}
[{link}]
'''
IDENTITY = ['02f1ba.fffe.110002', '02f1ba.fffe.11000a']


class Ptp:
    """ptp4l as processes, by name."""

    def __init__(self, bed):
        self.bed, self.running = bed, {}

    def start(self, name, text, inside=()):
        path = f'{self.bed.folder}/{name}.cfg'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        with open(f'{self.bed.folder}/{name}.log', 'a', encoding='utf-8') as log:
            process = subprocess.Popen([*inside, 'ptp4l', '-f', path, '-m'], stdout=log, stderr=log)
        self.bed.running.append(process)
        self.running[name] = process

    def master(self, name, which, priority, ahead_ns):
        text = MASTER.format(path=f'{self.bed.folder}/{name}', identity=IDENTITY[which], priority=priority,
                             ahead=ahead_ns, behind=-ahead_ns)
        self.start(name, text, ['nsenter', f'--net=/run/netns/flyball-meters-{self.bed.suffix}'])

    def slave(self):
        self.start('slave', SLAVE.format(path=self.bed.folder + '/slave',
                                         link=f'fb-meters-{self.bed.suffix}'))

    def kill(self, name):
        self.running[name].kill()
        self.running[name].wait()

    def log(self, name):
        with open(f'{self.bed.folder}/{name}.log', encoding='utf-8') as file:
            return file.read()[-1500:]


def inside(bed, *words):
    subprocess.run(['nsenter', f'--net=/run/netns/flyball-meters-{bed.suffix}', *words], check=True)


def ends(bed):
    """(run, link) of both ends of the meters' veth."""
    return ((lambda *words: inside(bed, *words), 'eth0'),
            (lambda *words: subprocess.run(words, check=True), f'fb-meters-{bed.suffix}'))


def clock(bed):
    """Notes steps as they come, one by one: only the newest is told. None for those that were missed."""
    seen = ask(bed.door, b'clock')
    new = seen['steps'] - len(bed.steps)
    bed.steps.extend([None] * (new - 1) + [seen['step_ns']] if new > 0 else [])
    return seen


def polls(bed, seconds):
    """Again and again for so long. A stall that is seen here excuses what ptp4l's stamps do meanwhile."""
    last = time.monotonic()
    end = last + seconds
    while time.monotonic() < end:
        yield clock(bed)
        time.sleep(0.1)
        gap_s, last = time.monotonic() - last, time.monotonic()
        bed.stalls += gap_s > STALL_S


def wait_for(bed, what, holds):
    for seen in polls(bed, WITHIN_S):
        if holds(seen):
            return seen
    raise AssertionError(f'{what}: {seen}')


def assert_steps(bed, wanted_ns):
    """Steps beyond what software's stamps do are those wanted, in that order; missed ones only in a stall."""
    known = [step for step in bed.steps if step is not None and abs(step) > SLACK_NS]
    missed = bed.steps.count(None)
    assert not missed or bed.stalls, bed.steps
    assert len(known) <= len(wanted_ns) <= len(known) + missed, (known, wanted_ns, bed.steps)
    for found, wanted in zip(known, wanted_ns):
        assert missed or abs(found - wanted) < 2 * NS_PER_MS, (known, wanted_ns, bed.steps)


def assert_kept(bed, before, seen):
    assert seen['losses'] == before or bed.stalls, (before, bed.stalls, seen)


def assert_knows(seen, ahead_ns):
    """The master's time lies within what is said of it."""
    truth_ns = seen['now']['system_ns'] + ahead_ns
    assert seen['now']['earliest_ns'] - SLACK_NS <= truth_ns <= seen['now']['latest_ns'] + SLACK_NS, \
        (truth_ns - seen['now']['earliest_ns'], seen)


def wait_locked(bed, what, ahead_ns):
    seen = wait_for(bed, what, lambda seen: seen['state'] == 'locked' and
                    abs(seen['system_offset_ns'] + ahead_ns) < 2 * SLACK_NS)
    assert seen['uncertainty_ns'] < 2 * NS_PER_MS and seen['fault'] == 'none', seen
    assert seen['clock_class'] == 6 and seen['accuracy_ns'] == 100 and seen['has_master'], seen
    assert_knows(seen, ahead_ns)
    return seen


def check_first(bed, ptp):
    seen = wait_for(bed, 'a first look', lambda seen: seen['unanswered'] > 0)
    assert (seen['state'], seen['fault'], seen['now']) == ('unsync', 'no_answer', None), seen
    assert seen['error'] == 'No such file or directory', seen
    assert run_cli('clock', '--door', bed.door).returncode == 1
    ptp.slave()
    wait_for(bed, 'no master', lambda seen: (seen['state'], seen['fault']) == ('unsync', 'no_master'))
    ptp.master('first', 0, 100, FIRST_NS)
    seen = wait_locked(bed, 'locked to the first', FIRST_NS)
    assert seen['grandmaster'] == IDENTITY[0] and seen['port_state'] == 'uncalibrated', seen
    assert (seen['masters'], seen['leaps']) == (0, 0), seen
    assert_steps(bed, [])
    assert_kept(bed, 0, seen)
    print(f'locked to a master {FIRST_NS / 1e6} ms ahead: off by '
          f'{(seen["system_offset_ns"] + FIRST_NS) / 1e3:.2f} us, says {seen["uncertainty_ns"] / 1e3:.1f} us')
    said = run_cli('clock', '--door', bed.door)
    assert said.returncode == 0 and 'time           locked for' in said.stdout, said.stdout
    assert IDENTITY[0] in said.stdout and 'm-rack-a1' in said.stdout, said.stdout


def begin_loss(bed):
    """Where frames come in: one that is lost where it leaves is an error to who sends it. What this machine
    lacks for it is raised."""
    program, machine = bed.folder + '/loss.o', f'-I/usr/include/{os.uname().machine}-linux-gnu'
    compiler = shutil.which('clang-14') or shutil.which('clang') or 'clang'
    subprocess.run([compiler, '-O2', '-g', '-target', 'bpf', machine, '-c',
                    SOURCE + '/tests/system/ptp_loss.bpf.c', '-o', program], check=True)
    for run, link in ends(bed):
        run('tc', 'qdisc', 'add', 'dev', link, 'clsact')
        run('tc', 'filter', 'add', 'dev', link, 'ingress', 'bpf', 'da', 'obj', program, 'sec', 'some')


def end_loss(bed):
    for run, link in ends(bed):
        run('tc', 'qdisc', 'del', 'dev', link, 'clsact')


def check_loss(bed):
    """Nothing is lost by it but samples. A machine that stood still meanwhile excuses a state that was left,
    and nothing else."""
    try:
        begin_loss(bed)
    except (OSError, subprocess.CalledProcessError) as error:
        print('without loss, which takes clang, and tc with clsact and programs:', error)
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            end_loss(bed)       # of the first end, where it is the second that failed
        return
    before = clock(bed)
    for seen in polls(bed, 5):
        assert_knows(seen, FIRST_NS)
    assert seen['samples'] > before['samples'], (before, seen)
    assert_kept(bed, before['losses'], seen)
    end_loss(bed)
    wait_locked(bed, 'locked after the loss', FIRST_NS)
    print(f'30 % loss: {seen["samples"] - before["samples"]} samples in 5 s, says '
          f'{seen["uncertainty_ns"] / 1e3:.1f} us, lost {seen["losses"]} times')


def check_holdover(bed, ptp):
    ptp.kill('first')
    seen = wait_for(bed, 'holdover', lambda seen: seen['state'] == 'holdover')
    assert seen['fault'] in ('silent', 'rough', 'no_master'), seen
    assert_knows(seen, FIRST_NS)
    later = wait_for(bed, 'unsync', lambda seen: seen['state'] == 'unsync')
    assert later['uncertainty_ns'] > 2 * NS_PER_MS > seen['uncertainty_ns'], (seen, later)
    assert_knows(later, FIRST_NS)
    assert later['losses'] >= 1, later
    wait_for(bed, 'ptp4l has given up', lambda seen: seen['fault'] == 'no_master')
    print(f'killed: holdover at {seen["uncertainty_ns"] / 1e3:.0f} us, unsync at '
          f'{later["uncertainty_ns"] / 1e3:.0f} us')


def degraded_clocks(bed):
    return next(row['now'] for row in ask(bed.door, b'status')['degraded'] if row['row'] == 'clock')


def check_step(bed, ptp):
    """The same grandmaster, elsewhere."""
    ptp.master('first', 0, 100, STEPPED_NS)
    seen = wait_locked(bed, 'locked after the step', STEPPED_NS)
    assert seen['masters'] == 0, seen
    assert_steps(bed, [STEPPED_NS - FIRST_NS])
    seen = wait_for(bed, 'meters are off', lambda seen: all(meter['off'] for meter in seen['meters']))
    for meter in seen['meters']:
        assert abs(meter['offset_us'] * 1e3 + STEPPED_NS) < 50 * NS_PER_MS, meter
    said = run_cli('clock', '--door', bed.door)
    assert said.returncode == 1 and ' OFF' in said.stdout, said.stdout
    end = time.monotonic() + WITHIN_S
    while degraded_clocks(bed) < len(seen['meters']):
        assert time.monotonic() < end, degraded_clocks(bed)
        time.sleep(0.1)
    print(f'stepped by {(STEPPED_NS - FIRST_NS) / 1e6} ms: found {bed.steps} ns')


def check_other(bed, ptp):
    ptp.master('other', 1, 50, OTHER_NS)
    seen = wait_for(bed, 'the other grandmaster', lambda seen: seen['grandmaster'] == IDENTITY[1])
    seen = wait_locked(bed, 'locked to the other', OTHER_NS)
    assert seen['masters'] == 1, seen
    seen = wait_for(bed, 'meters are well', lambda seen: not any(meter['off'] for meter in seen['meters']))
    for meter in seen['meters']:
        assert abs(meter['offset_us'] * 1e3 + OTHER_NS) < 50 * NS_PER_MS, meter
    assert_steps(bed, [STEPPED_NS - FIRST_NS, OTHER_NS - STEPPED_NS])
    print(f'another grandmaster {OTHER_NS / 1e6} ms ahead: off by '
          f'{(seen["system_offset_ns"] + OTHER_NS) / 1e3:.2f} us; steps so far {seen["steps"]}')


def tell_utc(bed, seconds):
    """Not traceable: a ptp4l would hand such an offset on to this machine's kernel."""
    inside(bed, 'pmc', '-u', '-b', '0', '-s', bed.folder + '/other', '-i', bed.folder + '/pmc',
           'SET GRANDMASTER_SETTINGS_NP clockClass 6 clockAccuracy 0x21 offsetScaledLogVariance 0x4e5d '
           f'currentUtcOffset {seconds} leap61 0 leap59 0 currentUtcOffsetValid 1 ptpTimescale 0 '
           'timeTraceable 0 frequencyTraceable 0 timeSource 0x20')


def check_leap(bed):
    tell_utc(bed, 37)
    wait_for(bed, 'TAI - UTC is known', lambda seen: seen['tai_utc_s'] == 37)
    tell_utc(bed, 38)
    seen = wait_for(bed, 'a leap second', lambda seen: seen['tai_utc_s'] == 38)
    assert seen['leaps'] == 1, seen
    assert_steps(bed, [STEPPED_NS - FIRST_NS, OTHER_NS - STEPPED_NS])
    assert_knows(seen, OTHER_NS)


def check_slave(bed, ptp):
    ptp.kill('slave')
    seen = wait_for(bed, 'no answer', lambda seen: seen['fault'] == 'no_answer')
    assert seen['state'] != 'locked' and seen['error'], seen
    ptp.slave()
    wait_locked(bed, 'locked to a new slave', OTHER_NS)


def main():
    if os.geteuid():
        skip('namespaces need root')
    if not shutil.which('ptp4l') or not shutil.which('pmc'):
        skip('linuxptp is not installed')
    with Bed('ptp', mode='shadow') as bed:
        with open(bed.site, 'a', encoding='utf-8') as file:
            file.write(TIME.format(folder=bed.folder))
        bed.steps, bed.stalls = [], 0
        began, daemon, ptp = time.monotonic(), bed.start(), Ptp(bed)
        traffic = bed.traffic(10 * WITHIN_S)
        try:
            check_first(bed, ptp)
            check_loss(bed)
            check_holdover(bed, ptp)
            check_step(bed, ptp)
            check_other(bed, ptp)
            check_leap(bed)
            check_slave(bed, ptp)
        except AssertionError:
            print('\n'.join(f'{name}: {ptp.log(name)}' for name in ptp.running))
            raise
        finish(traffic, early=True)
        seen = clock(bed)
        assert seen['malformed'] == seen['sets'] == 0, seen
        bed.stop(daemon)
        assert not os.path.exists(bed.door + '.ptp')
        print(json.dumps({'seconds': round(time.monotonic() - began, 1),
                          **{name: seen[name] for name in ('samples', 'outliers', 'steps', 'losses')}}))


if __name__ == '__main__':
    main()
