#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyballd as a process, on af_packet between the namespaces of tools/net, daemon_traffic at the far ends.

usage: daemon_test.py CASE [DRIVER], with the paths of the programs in FLYBALL_* variables
(tests/system/meson.build); seal and syscalls take a driver.
Exit code 77 skips: not root, or the machine is in a state that the test must not touch."""
import errno
import fcntl
import json
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SOURCE, DAEMON, TRAFFIC, JOURNAL, CLI = (os.environ[f'FLYBALL_{name}'] for name in
                                         ('SOURCE', 'DAEMON', 'TRAFFIC', 'JOURNAL', 'CLI'))
SEAL, PLANTED = os.environ.get('FLYBALL_SEAL', ''), os.environ.get('FLYBALL_PLANTED', '')
THROTTLE = '/proc/sys/kernel/sched_rt_runtime_us'
# The calls that are each driver's own, under traffic: af_packet and af_xdp hand a transmit ring to the kernel
# by one sendto a burst and need none to receive (af_xdp on a veth); with uring io_uring_enter sends a burst
# and takes in what has come.
OWN_CALLS = {'af_packet': {'sendto'}, 'af_xdp': {'sendto'}, 'uring': {'io_uring_enter'}}
SENDING_CALL = {'af_packet': 'sendto', 'af_xdp': 'sendto', 'uring': 'io_uring_enter'}
START_S, STOP_S = 60, 2.0
HELD_S = 0.03
STAMP_ROWS = ('frames', 'stamped', 'stamps_narrow', 'stamps_unsure')


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def throttle():
    return int(read(THROTTLE))


class Bed:
    """Two namespaces and a site file that names them. Real time only where the case is about it."""

    def __init__(self, suffix, real_time=False, mode='enforce', decide_core=1, queues=False,
                 driver='af_packet', source='demo', small=True, stamps='off'):
        self.suffix, self.driver = suffix, driver
        self.folder = tempfile.mkdtemp(prefix='flyball-')
        self.site, self.summary = self.folder + '/site.yaml', self.folder + '/summary.json'
        self.journal, self.door = self.folder + '/run.journal', self.folder + '/door/door.sock'
        text = read(f'{SOURCE}/config/{source}/site.yaml')
        changes = [('fb-meters', f'fb-meters-{suffix}'), ('fb-hosts', f'fb-hosts-{suffix}'),
                   (f'/run/flyball/{source}.sock', self.door), ('mode: enforce', f'mode: {mode}'),
                   ('lane: 1, decide: 1', f'lane: 1, decide: {decide_core}'),
                   ('driver: af_packet', f'driver: {driver}, stamps: {stamps}')]
        if not real_time:
            changes += [('priority: 80', 'priority: 0'), ('rt_throttling: lift', 'rt_throttling: leave')]
        if queues:
            changes += [('udp: 7002, mtu: 1500, ring: 32768', 'udp: 7002, mtu: 1500, ring: 4096, queues: 2'),
                        ('lane: 1, decide', 'lane: [1, 0], decide')]
        for old, new in changes:
            assert old in text, f'the demo site has no "{old}" any more'
            text = text.replace(old, new)
        # most of what a start takes is that the kernel clears these; af_xdp has its frames in that memory
        small = small and not real_time
        if small:
            text = text.replace('ring: 32768', 'ring: 4096')
        if small and driver != 'af_xdp':
            text = text.replace('memory: 256MiB', 'memory: 64MiB')
        with open(self.site, 'w', encoding='utf-8') as file:
            file.write(text)
        self.running = []

    def __enter__(self):
        self.net('up')
        return self

    def __exit__(self, *_):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.net('down')
        shutil.rmtree(self.folder)

    def net(self, verb):
        kernel = ['--kernel'] if verb == 'up' and self.driver == 'uring' else []
        subprocess.run([SOURCE + '/tools/net', verb, self.suffix, *kernel], check=True,
                       stdout=subprocess.DEVNULL)

    def ask_for_tags(self):
        """Before the start: whose frames carry none is refused. The new key file of all."""
        keys, text = self.folder + '/keys', read(self.site)
        for old, new in [('auth: none', 'auth: required'),
                         (f'door: {self.door}', f'door: {self.door}\n    keys: {keys}')]:
            assert old in text, f'the demo site has no "{old}" any more'
            text = text.replace(old, new)
        with open(self.site, 'w', encoding='utf-8') as file:
            file.write(text)
        done = subprocess.run([CLI, 'keys', 'make', self.site, '--server', 'default'], check=False,
                              capture_output=True, encoding='utf-8')
        assert done.returncode == 0, done.stdout + done.stderr
        return keys

    def start(self, *options, preload='', wait=True):
        environment = dict(os.environ)
        if preload:
            environment['LD_PRELOAD'] = preload
        with open(self.folder + '/output', 'w', encoding='utf-8') as output:
            daemon = subprocess.Popen([DAEMON, self.site, '--summary', self.summary, *options],
                                      env=environment, stdout=output, stderr=subprocess.STDOUT)
        self.running.append(daemon)
        end = time.monotonic() + START_S
        while wait and '; door ' not in self.output():
            assert daemon.poll() is None, f'the daemon ended with {daemon.returncode}: {self.output()}'
            assert time.monotonic() < end, f'the daemon did not start: {self.output()}'
            time.sleep(0.05)
        return daemon

    def output(self):
        return read(self.folder + '/output')

    def traffic(self, seconds, *options):
        traffic = subprocess.Popen([TRAFFIC, self.site, self.suffix, str(seconds), *options],
                                   stdout=subprocess.PIPE, encoding='utf-8')
        self.running.append(traffic)
        return traffic

    def stop(self, daemon):
        """Seconds that a clean stop took, and the summary."""
        began = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(timeout=30)
        took_s = time.monotonic() - began
        assert code == 0, f'exit code {code}: {self.output()}'
        return took_s, json.loads(read(self.summary))


def finish(traffic, early=False):
    """What it has played; `early` ends it where its seconds are only the most that it may take."""
    if early:
        traffic.send_signal(signal.SIGTERM)
    text, _ = traffic.communicate(timeout=60)
    assert traffic.returncode == 0
    return json.loads(text)


def thread_named(pid, name):
    for tid in os.listdir(f'/proc/{pid}/task'):
        if read(f'/proc/{pid}/task/{tid}/comm').strip() == name:
            return int(tid)
    raise AssertionError(f'no thread {name}')


def refusals(summary):
    total = {}
    for lane in summary['counters']['lanes']:
        for name, count in lane['refused'].items():
            total[name] = total.get(name, 0) + count
    return total


def sealed_run(bed):
    daemon = bed.start(preload=SEAL)
    played = finish(bed.traffic(2))
    _, summary = bed.stop(daemon)
    core = summary['counters']['core']
    print(f'sealed: {core["readings"]} readings, {core["leases"]} leases, {played["accepted"]} accepted')
    assert core['readings'] > 100 and core['leases'] > 100 and played['accepted'] > 100

# af_packet covers the shapes; another driver needs the one with the most of its own: several threads and
# queues. A veth has one channel, which is all that af_xdp has there.
SEAL_ROWS = {'af_packet': ({'decide_core': 0}, {'queues': True}), 'af_xdp': ({'decide_core': 0},),
             'uring': ({'queues': True},)}


def case_seal(driver='af_packet'):
    """No allocation in the hot threads under traffic, however many; and a planted one does abort."""
    if not SEAL:
        skip('a sanitizer brings an allocator of its own')
    for row in SEAL_ROWS[driver]:
        with Bed('dsea', driver=driver, **row) as bed:
            sealed_run(bed)
    if driver != 'af_packet':
        return
    with Bed('dsea') as bed:
        sealed_run(bed)
        os.environ['FLYBALL_PLANT'] = 'allocation'
        daemon = bed.start(preload=f'{PLANTED} {SEAL}')
        finish(bed.traffic(3))      # a busy machine sends more at a time, and fewer than 50 times in a second
        code = daemon.wait(timeout=20)
        print(f'planted: exit code {code}: {bed.output().splitlines()[-1]}')
        assert code == -signal.SIGABRT


def case_stall():
    """A hot thread that stands still in a call for longer than 5 s ends the process, and says so."""
    with Bed('dsta') as bed:
        os.environ['FLYBALL_PLANT'] = 'stall'
        daemon = bed.start(preload=PLANTED)
        began = time.monotonic()
        finish(bed.traffic(3))
        code = daemon.wait(timeout=30)
        took_s = time.monotonic() - began
        print(f'exit code {code} after {took_s:.1f} s: {bed.output().splitlines()[-1]}')
        assert code == 1 and 'stood still' in bed.output() and 5 < took_s < 12


def case_starts():
    """What cannot start says why, with the exit code that the help promises."""
    with Bed('dsts') as bed:
        site = read(bed.site)
        for old, new, code, words in [
                ('fb-meters-dsts', 'fb-nowhere', 3, 'fb-nowhere'),
                ('kind: main', 'kind: mian', 4, 'error'),
                ('housekeeping: 0}\n    priority: 0', 'housekeeping: 1}\n    priority: 5', 4, 'hot core'),
                (f'door: {bed.door}', f'journal: {bed.folder}/none/x', 3, 'none/x'),
                ('auth: none', '', 4, 'mode enforce wants auth'),
                ('auth: none', 'auth: required', 4, 'names no key file'),
                (site[site.index('servers:'):site.index('auth:')], '', 4, 'no servers: section')]:
            assert old in site
            with open(bed.site, 'w', encoding='utf-8') as file:
                file.write(site.replace(old, new))
            daemon = bed.start(wait=False)
            got = daemon.wait(timeout=START_S)
            print(f'{new}: exit code {got}: {bed.output().splitlines()[-1]}')
            assert got == code and words in bed.output()
        usage = subprocess.run([DAEMON, bed.site, '--seconds', 'soon'], capture_output=True)
        assert usage.returncode == 2
        assert subprocess.run([DAEMON, '--help'], capture_output=True).returncode == 0


def attach(bed, tids):
    """System calls of each thread in the same 2 s, counted from outside."""
    counts = [f'{bed.folder}/counts-{tid}' for tid in tids]
    straces = [subprocess.Popen(['strace', '-c', '-p', str(tid), '-o', path], stderr=subprocess.PIPE)
               for tid, path in zip(tids, counts)]
    bed.running += straces
    time.sleep(2)
    found = []
    for strace, path in zip(straces, counts):
        strace.send_signal(signal.SIGINT)
        _, said = strace.communicate(timeout=20)
        if not os.path.exists(path) or b'Operation not permitted' in said:
            skip(f'this machine does not let strace attach: {said.decode()}')
        found.append({line.split()[-1]: int(line.split()[3]) for line in read(path).splitlines()
                      if re.match(r'^ *\d+[.,]\d+ ', line) and line.split()[-1] != 'total'})
    return found


def case_syscalls(driver='af_packet'):
    """Counted from outside under traffic: a hot thread makes the port's own calls and no others."""
    if not shutil.which('strace'):
        skip('strace is not installed')
    rows = ((1, ['fb-hot'], 'off'), (0, ['fb-lane-0', 'fb-decide'], 'off'))
    if driver != 'af_packet':
        rows = rows[:1]
    if driver == 'uring':       # clocks are read for them
        rows += ((1, ['fb-hot'], 'kernel'),)
    for decide_core, threads, stamps in rows:
        with Bed('dsys', decide_core=decide_core, driver=driver, stamps=stamps) as bed:
            daemon = bed.start('--journal', bed.journal)
            traffic = bed.traffic(60)
            time.sleep(1)
            tids = [thread_named(daemon.pid, name) for name in threads]
            for name, calls in zip(threads, attach(bed, tids)):
                print(f'{name} in 2 s: {calls}')
                allowed = OWN_CALLS[driver] if name != 'fb-decide' else set()
                assert set(calls) <= allowed, f'not the port\'s own: {set(calls) - allowed}'
                sends = calls.get(SENDING_CALL[driver], 0)
                assert name == 'fb-decide' or sends > 10, 'nothing was answered meanwhile'
            finish(traffic, early=True)
            bed.stop(daemon)


def hold(daemon, rounds):
    for _ in range(rounds):
        daemon.send_signal(signal.SIGSTOP)
        time.sleep(HELD_S)
        daemon.send_signal(signal.SIGCONT)
        time.sleep(HELD_S)


def case_stamps():
    """A daemon that stands still 30 ms at a time: of most frames that it then finds the kernel's stamps
    say more than the polls; none is behind its poll. Where a driver has none, it says so."""
    for driver, stamps in (('uring', 'kernel'), ('uring', 'off'), ('af_packet', 'kernel')):
        with Bed('dstm', driver=driver, stamps=stamps) as bed:
            daemon = bed.start()
            traffic = bed.traffic(60)
            time.sleep(3)           # the clock of stamps is believed after a second
            before = ask(bed.door, b'counters')['counters']['lanes']
            hold(daemon, 30)
            after = ask(bed.door, b'counters')['counters']['lanes']
            finish(traffic, early=True)
            bed.stop(daemon)
            print(driver, stamps, [{name: now[name] - then[name] for name in STAMP_ROWS}
                                   for now, then in zip(after, before)])
            without = 'there are no stamps of the kernel' in bed.output()
            assert without == (driver == 'af_packet'), bed.output()
            for now, then in zip(after, before):
                frames, stamped, narrow = (now[name] - then[name] for name in STAMP_ROWS[:3])
                assert frames > 100 and now['stamps_late'] == 0
                if driver == 'af_packet' or stamps == 'off':
                    assert stamped == 0
                else:
                    assert stamped == frames - now['aside'] + then['aside'] and narrow > frames / 8


def case_sigterm():
    """SIGTERM under traffic: exit 0 within 2 s; the journal holds every slot decided and replays exactly."""
    with Bed('dter') as bed:
        daemon = bed.start('--journal', bed.journal)
        bed.traffic(8)
        time.sleep(2.5)
        took_s, summary = bed.stop(daemon)
        found = json.loads(subprocess.run([JOURNAL, bed.journal], check=True, capture_output=True).stdout)
        decided = summary['counters']['decide']['slots']
        print(f'stopped in {took_s:.2f} s; decided {decided}; journal {found}')
        assert took_s < STOP_S
        assert found['slots'] == decided and found['gaps'] == 0 and found['clean_end']
        assert found['readings'] > 100 and found['reports'] > 100 and found['ticks'] > 50
        assert found['digests'] >= 2 and found['digests_wrong'] == 0
        assert not os.path.exists(bed.door)


def case_rt():
    """Pinned, SCHED_FIFO, locked; RT throttling lifted, and put back after SIGTERM and after SIGKILL."""
    before = throttle()
    if before < 0:
        skip('RT throttling is lifted already, by somebody else')
    with Bed('drt', real_time=True) as bed:
        for end in ('SIGTERM', 'SIGKILL'):
            daemon = bed.start()
            hot = thread_named(daemon.pid, 'fb-hot')
            locked_kib = int(re.search(r'VmLck:\s+(\d+)', read(f'/proc/{daemon.pid}/status')).group(1))
            print(f'cores {os.sched_getaffinity(hot)}, policy {os.sched_getscheduler(hot)}, priority '
                  f'{os.sched_getparam(hot).sched_priority}, locked {locked_kib} KiB, throttle {throttle()}')
            assert os.sched_getaffinity(hot) == {1}
            assert os.sched_getscheduler(hot) == os.SCHED_FIFO and os.sched_getparam(hot).sched_priority == 80
            assert locked_kib > 64 * 1024 and throttle() == -1
            if end == 'SIGTERM':
                bed.stop(daemon)
                assert throttle() == before
                continue
            daemon.kill()
            daemon.wait()
            for _ in range(100):
                if throttle() == before:
                    break
                time.sleep(0.02)
            assert throttle() == before


def ask(door, request):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(door)
        peer.send(request)
        answer = b''
        while packet := peer.recv(1 << 16):
            answer += packet
    return json.loads(answer)

# Struct view_header of src/loop/view_share.h.
HEADER = struct.Struct('=8s14I9QQqqQ')


def ask_view(door):
    """The header's fields, and a descriptor of the view's memory."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(door)
        peer.send(b'view')
        header, descriptors, _, _ = socket.recv_fds(peer, 4096, 4)
        assert len(header) == HEADER.size and len(descriptors) == 1 and peer.recv(1) == b''
    names = ['magic', 'version', 'bytes', 'record', 'counters', 'degradations', 'nodes', 'hosts', 'meters',
             'node_records', 'host_records', 'detail_records', 'devices', 'alerts',
             'alert_records', 'at_counter', 'at_degraded', 'at_node', 'at_host', 'at_meter', 'at_stale',
             'at_detail', 'at_alert', 'end', 'epoch', 'start', 'now', 'tsc']
    return dict(zip(names, HEADER.unpack(header))), descriptors[0]


def refused(number, call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return error.errno == number
    return False


def check_sealed(fd, size, opens):
    """Nobody can write into the view: not through what the door gave, not by opening it once more."""
    assert refused(errno.EPERM, mmap.mmap, fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    assert refused(errno.EPERM, os.pwrite, fd, b'x', 0)
    assert refused(errno.EPERM, os.ftruncate, fd, 0) and refused(errno.EPERM, os.ftruncate, fd, 2 * size)
    assert refused(errno.EPERM, fcntl.fcntl, fd, 1033, 8)       # F_ADD_SEALS, F_SEAL_WRITE
    if opens:
        again = os.open(f'/proc/self/fd/{fd}', os.O_RDWR)
        assert refused(errno.EPERM, mmap.mmap, again, size, mmap.MAP_SHARED, mmap.PROT_WRITE)
        os.close(again)
    else:
        assert refused(errno.EACCES, os.open, f'/proc/self/fd/{fd}', os.O_RDWR)


def peek(door, nobody):
    """What any process may do with the view. Run as its own process where it is nobody's."""
    header, fd = ask_view(door)
    size = os.fstat(fd).st_size
    assert header['magic'] == b'flyview\0' and header['version'] == 7 and header['record'] == 64
    assert (header['nodes'], header['hosts'], header['meters']) == (9, 60, 9) and header['end'] <= size
    check_sealed(fd, size, not nobody)
    seen = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ)
    before, leases = seen[:], []
    time.sleep(0.5)
    assert seen[:] != before, 'the records stand still under traffic'
    step = 64 * header['host_records']
    for at in range(header['at_host'], header['at_meter'], step):
        leases.append(struct.unpack_from('=Qq', seen, at)[1])
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert all(lease > 0 for lease in leases) and 0 <= now - header['now'] < 5e9
    seen.close()
    os.close(fd)
    print(f'view: {size} bytes, {len(leases)} hosts hold {sum(leases) / 1e6:.1f} kW')


AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs']


def run_cli(*arguments):
    return subprocess.run([CLI, *arguments], capture_output=True, encoding='utf-8')


def read_as_nobody(bed):
    """The door, status and top work without root; the checkout may be root's alone, so copies are run."""
    os.chmod(bed.folder, 0o755)
    copies = [shutil.copy(path, bed.folder) for path in (CLI, __file__)]
    environment = {**os.environ, 'FLYBALL_CLI': copies[0], 'PYTHONDONTWRITEBYTECODE': '1'}
    for case in ('peek', 'status', 'top'):
        command = {'peek': [sys.executable, copies[1], '--peek', bed.door],
                   'status': [copies[0], 'status', '--door', bed.door],
                   'top': [copies[0], 'top', '--door', bed.door, '--batch', '2', '--interval', '0.2']}[case]
        done = subprocess.run([*AS_NOBODY, *command], env=environment, capture_output=True, encoding='utf-8')
        said = (done.stdout or done.stderr).splitlines()[0]
        print(f'{case} as nobody: exit code {done.returncode}: {said}')
        if case == 'peek':
            assert done.returncode == 0, done.stderr
        else:
            check_exit(done)
        assert case != 'top' or done.stdout.count('[nodes]') == 2
    assert os.stat(bed.door).st_mode & 0o777 == 0o666
    assert os.stat(os.path.dirname(bed.door)).st_mode & 0o777 == 0o755


def check_exit(shown):
    """The exit code is the verdict's. The meters played here know nothing of leases, so both may be."""
    verdict = shown.stdout.split(':')[0]
    assert verdict in ('ok', 'alarm'), shown.stdout + shown.stderr
    assert shown.returncode == (verdict == 'alarm'), shown.stdout


def check_status(bed, status):
    shown = run_cli('status', '--door', bed.door)
    check_exit(shown)
    assert len(shown.stdout.splitlines()) <= 60
    whole = run_cli('status', '--door', bed.door, '--all').stdout
    counters = whole[whole.index('\ncounters\n') + 10:].splitlines()
    assert len(counters) > 80
    for line in counters:
        assert re.match(r'^\S+ +\d+  [^ ].* ', line), f'a counter without a meaning: {line}'
    hosts = run_cli('status', '--door', bed.door, '--hosts').stdout
    assert hosts.count(' leased ') >= 60 and 'counters' not in hosts and 'm-main' not in hosts
    assert json.loads(run_cli('status', '--door', bed.door, '--json').stdout)['epoch'] == status['epoch']
    assert run_cli('status', '--door', bed.door, '--json', '--nodes').returncode == 2


def check_top(bed):
    words = {'nodes': 'branch-a ', 'hosts': 'b3-10 ', 'meters': 'm-main ', 'stages': 'decided '}
    for pane, word in words.items():
        shown = run_cli('top', '--door', bed.door, '--batch', '1', '--pane', pane, '--size', '100x70')
        check_exit(shown)
        assert word in shown.stdout and '\033' not in shown.stdout, pane
    # no terminal: one frame
    assert run_cli('top', '--door', bed.door).stdout.count('[nodes]') == 1
    for wrong in ('--batch 0', '--batch x', '--pane x', '--interval 0', '--size 9x9', '--order x'):
        assert run_cli('top', '--door', bed.door, *wrong.split()).returncode == 2, wrong


def outlast_start(bed):
    """Within 3 s of a start what is amiss is `starting`, neither ok nor an alarm."""
    while ask(bed.door, b'status')['uptime_s'] < 3.1:
        time.sleep(0.1)


def case_door():
    """The door answers anybody, hands out a view that nobody can write, refuses what it does not know, and
    keeps a second daemon out."""
    with Bed('ddoo') as bed:
        daemon = bed.start()
        traffic = bed.traffic(60)
        outlast_start(bed)
        status = ask(bed.door, b'status')
        assert [m['id'] for m in status['meters']][0] == 'm-main' and len(status['hosts']) == 60
        assert all(m['age_ms'] is not None and m['age_ms'] < 1000 for m in status['meters'])
        leased = sum(h['state'] == 'leased' and h['accepted'] for h in status['hosts'])
        print(f'{status["verdict"]}: {status["words"]}; leased {leased}; loop {status["latency_us"]["loop"]}')
        assert leased == 60 and status['latency_us']['loop']['n'] > 0
        assert all(len(n['phases']) == 3 for n in status['nodes'])
        brief, names = ask(bed.door, b'counters'), ask(bed.door, b'names')
        assert brief['epoch'] == names['epoch'] == status['epoch'] and 'hosts' not in brief
        assert names['hosts'] == [h['id'] for h in status['hosts']]
        assert 'error' in ask(bed.door, b'reboot') and 'error' in ask(bed.door, b'view ')
        peek(bed.door, False)
        check_status(bed, status)
        check_top(bed)
        read_as_nobody(bed)
        second = bed.start(wait=False)
        code = second.wait(timeout=START_S)
        assert code == 5, f'the second daemon ended with {code}: {bed.output()}'
        assert ask(bed.door, b'status')['epoch'] == status['epoch']
        finish(traffic, early=True)
        time.sleep(1.5)     # a lease time without a report, and meters long silent
        assert run_cli('status', '--door', bed.door).returncode == 1
        alarm = run_cli('top', '--door', bed.door, '--batch', '1', '--pane', 'hosts')
        assert alarm.returncode == 1 and 'meters silent or stale: 9 (m-main, ...)' in alarm.stdout
        assert alarm.stdout.count('QUIET') > 20
        _, summary = bed.stop(daemon)
        assert summary['counters']['door']['refused'] == 2 and summary['counters']['door']['answered'] > 20
        for verb in ('status', 'top'):
            assert run_cli(verb, '--door', bed.door).returncode == 3


def play(bed, seconds):
    """The plant, which obeys leases as hosts do."""
    plant = subprocess.Popen([CLI, 'plant', bed.site, '--workload', SOURCE + '/config/demo/workload.yaml',
                              '--mode', 'governed', '--duration', f'{seconds}s',
                              '--meters-netns', f'flyball-meters-{bed.suffix}',
                              '--hosts-netns', f'flyball-hosts-{bed.suffix}'], stdout=subprocess.DEVNULL)
    bed.running.append(plant)
    return plant


def check_screen(bed, name):
    """What people see: one screen of 80 columns."""
    shown = run_cli('why', '--door', bed.door, name)
    lines = shown.stdout.splitlines()
    assert shown.returncode == 0 and lines[0].split(':')[0].split()[1] == name, shown.stdout + shown.stderr
    assert len(lines) <= 45 and all(len(line) <= 80 for line in lines), shown.stdout
    assert 'more by ' in shown.stdout


def check_host(host):
    lease, bound = host['lease'], host['bound']
    assert host['kind'] == 'host' and host['state'] == 'leased' and not host['quiet']
    assert host['fail_safe_w'] <= lease['cap_w'] <= host['cap_max_w'] and lease['runs_out_ms'] > 0
    assert 0 <= lease['sent_ms_ago'] <= lease['echo_ms_old'] + 1000
    assert host['input']['kind'] in ('report', 'tick', 'reading') and host['input']['slot'] > 0
    assert bound['term'] in TERMS and bound['meaning'] and host['more']
    assert bound['term'] not in ('steady', 'exposure') or bound['sum_a'] <= bound['limit_a'] * 1.001
    above = [node['id'] for node in host['above']]
    assert above == ['rack-' + host['id'][:2], 'branch-' + host['id'][0], 'main'], above
    assert host['exposure']['draw_w'] >= lease['cap_w']
    device, = host['devices']
    assert host['agent']['version'] == 'plant' and host['agent']['watchdog_ms_ago'] == 0
    assert 0 < device['enforced_w'] <= host['cap_max_w']
    assert device['write_worst_ms'] >= device['write_ms'] > 0
    assert host['jobs'] == [] and set(device['held_by']) <= {'cap'}


def check_node(node):
    made, exposed = node['made_of'], node['exposed']
    parts = sum(made[f'{part}_a'] for part in ('base', 'fail_safe', 'lent', 'bad', 'other'))
    # the loop goes on while the daemon answers
    assert node['kind'] == 'node' and abs(parts - exposed['sum_a']) < 0.1, (parts, exposed)
    assert abs(made['left_a'] - (exposed['limit_a'] - exposed['sum_a'])) < 0.1
    assert len(node['hosts']) == 5 and len(node['phases']) == 3 and node['measured_w'] > 0
    holds = [host['holds_a'] for host in node['hosts']]
    assert holds == sorted(holds, reverse=True) and node['steady']['set_by']


TERMS = re.findall(r'X\(BOUND_\w+, "(\w+)"', read(SOURCE + '/src/core/bound.h'))


def rows(bed):
    return {row['row']: row for row in ask(bed.door, b'status')['degraded']}


def wait_until_all_is_there(bed):
    """A machine that stands still for 100 ms loses every meter for that long."""
    for _ in range(30):
        if all(row['now'] == 0 for row in rows(bed).values()):
            return
        time.sleep(0.1)
    raise AssertionError(rows(bed))


def settled(bed, node):
    """Records of one answer may be a turn apart: what is made of the sum is asked for again."""
    for _ in range(20):
        made = node['made_of']
        parts = sum(made[f'{part}_a'] for part in ('base', 'fail_safe', 'lent', 'bad', 'other'))
        holds = [host['holds_a'] for host in node['hosts']]
        if abs(parts - node['exposed']['sum_a']) < 0.1 and holds == sorted(holds, reverse=True):
            break
        node = ask(bed.door, f'why {node["id"]}'.encode())
    return node


def case_why():
    """Every host and node of a governed site can say why; and what is lost when all fall silent is told."""
    with Bed('dwhy') as bed:
        daemon = bed.start()
        plant = play(bed, 60)
        time.sleep(4)
        names = ask(bed.door, b'names')
        wait_until_all_is_there(bed)
        hosts = [ask(bed.door, f'why {name}'.encode()) for name in names['hosts']]
        nodes = [ask(bed.door, f'why {node["id"]}'.encode()) for node in names['nodes']]
        for host in hosts:
            check_host(host)
        for node in nodes:
            check_node(settled(bed, node))
        terms = {}
        for host in hosts:
            terms[host['bound']['term']] = terms.get(host['bound']['term'], 0) + 1
        print(f'why: {len(hosts)} hosts held by {terms}, {len(nodes)} nodes')
        for name in ('a1-03', 'b3-07', 'branch-a', 'main', 'rack-b2'):
            check_screen(bed, name)
        wrong = run_cli('why', '--door', bed.door, 'a1-3')
        assert wrong.returncode == 2 and "did you mean 'a1-03'?" in wrong.stderr, wrong.stderr
        assert run_cli('why', '--door', bed.door).returncode == 2
        assert 'error' in ask(bed.door, b'why nobody') and 'error' in ask(bed.door, b'why ')
        as_json = run_cli('why', bed.site, 'a1-03', '--json')
        assert as_json.returncode == 0 and json.loads(as_json.stdout)['id'] == 'a1-03'
        plant.send_signal(signal.SIGTERM)
        assert plant.wait(timeout=60) == 0
        time.sleep(1.6)         # a lease time, and meters long silent
        lost = rows(bed)
        assert lost['agent']['now'] == 60 and lost['meter']['now'] == 9, lost
        assert lost['agent']['newest'] in names['hosts'] and lost['meter']['since_s'] > 0.5
        said = run_cli('status', '--door', bed.door, '--degraded')
        assert said.returncode == 1 and "a host's agent: silent" in said.stdout
        quiet = ask(bed.door, b'why a1-03')
        assert quiet['quiet'] and quiet['lease']['runs_out_ms'] < 0
        check_screen(bed, 'a1-03')
        bed.stop(daemon)
        assert run_cli('why', '--door', bed.door, 'a1-03').returncode == 3


def case_refusals():
    """Every tenth measurement damaged in one of five ways: each counted by its name, to the frame."""
    with Bed('dref') as bed:
        daemon = bed.start()
        played = finish(bed.traffic(2, '--damage'))
        time.sleep(0.2)
        _, summary = bed.stop(daemon)
        counted = refusals(summary)
        meters = summary['counters']['lanes'][0]
        print(f'{played}; refused {counted}')
        assert played['damaged'] >= 20
        ways = ['magic', 'truncated', 'malformed', 'duplicate', 'unknown_meter']
        for turn, name in enumerate(ways, 1):
            assert counted[name] == (played['damaged'] - turn) // len(ways) + 1, name
        # a duplicate is one frame more; of the other four ways none is accepted, nor what a stall made late
        whole = played['measurements'] - played['damaged'] + counted['duplicate']
        assert meters['accepted'] == whole - counted['stale']
        assert counted['not_ours'] == 0 and counted['stale'] <= 5


def case_queues():
    """Two queues on the hosts' port, two packet threads: flows land on both, senders move, none is lost."""
    with Bed('dque', queues=True) as bed:
        for option in ([], ['--move']):
            daemon = bed.start('--journal', bed.journal + ''.join(option))
            for name in ('fb-hot', 'fb-lane-1'):
                thread_named(daemon.pid, name)
            played = finish(bed.traffic(3, *option))
            time.sleep(0.3)
            _, summary = bed.stop(daemon)
            meters, first, second = summary['counters']['lanes']
            refused, core, stages = refusals(summary), summary['counters']['core'], summary['latency_us']
            print(f'{played}; frames {first["frames"]} and {second["frames"]}; refused '
                  f'{({name: count for name, count in refused.items() if count})}; {stages}')
            assert (meters['queue'], first['queue'], second['queue']) == (0, 0, 1)
            assert first['interface'] == second['interface'] != meters['interface']
            assert first['frames'] > 100 and second['frames'] > 100
            assert first['port']['lost'] == 0 and 'port' not in second
            frames, aside = first['frames'] + second['frames'], first['aside'] + second['aside']
            assert first['port']['received'] == frames == played['reports'] + aside and aside <= 10
            passed = refused['held'] + refused['reordered']
            assert first['accepted'] + second['accepted'] == played['reports'] - passed == core['reports']
            assert passed <= (played['reports'] / 100 if option else 0) and core['reports_stale'] == 0
            assert sum(refused.values()) == passed + refused['stale'] and refused['stale'] <= 5
            assert meters['accepted'] == played['measurements'] - refused['stale']
            assert first['port']['sent'] >= summary['counters']['egress']['sent'] == core['leases']
            assert 100 < played['accepted'] <= played['leases'] <= core['leases']
            assert list(stages) == ['decoded_meters', 'decoded_hosts_0', 'decoded_hosts_1', 'age_meters',
                                    'decided', 'loop', 'emergency', 'budget_reading', 'budget_report',
                                    'budget_order']


def case_shadow():
    """In shadow everything is decided and nothing leaves."""
    with Bed('dsha', mode='shadow') as bed:
        daemon = bed.start()
        played = finish(bed.traffic(2))
        _, summary = bed.stop(daemon)
        egress = summary['counters']['egress']
        print(f'{egress}; {summary["words"]}')
        assert played['leases'] == 0 and egress['sent'] == 0 and egress['withheld'] > 0
        lane = summary['counters']['lanes'][1]      # the port still answers for its own address
        own = sum(lane['ip'][name] for name in ('arp_answered', 'arp_asked', 'announced', 'echo_answered'))
        assert lane['port']['sent'] == own and own >= 2


if __name__ == '__main__':
    if sys.argv[1] == '--peek':
        peek(sys.argv[2], True)
        sys.exit(0)
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    globals()['case_' + sys.argv[1]](*sys.argv[2:])
