#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball latency on a real flyballd under traffic: what programs in the kernel count agrees with the
daemon's own counters, and what it cannot do it says.

usage: latency_test.py CASE, with the environment of daemon_test.py. Exit code 77 skips."""
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import agent_test
from daemon_test import Bed, CLI, ask, finish, read, run_cli, skip

SENDER = os.environ['FLYBALL_SENDER']
APART_MOST, ROWS_LEAST, HEAVY_S = 0.05, 300, 2
HANGS_S = 0.3           # a driver's call, at least
UNDER_WAY = 64          # what a thread that stands still between a probe and a counter has in hand
STAGES = {'decoded', 'decided', 'sent', 'emergency', 'tick'}


def counts(bed):
    counters = ask(bed.door, b'counters')['counters']
    return {'slots': counters['decide']['slots'], 'sent': counters['egress']['sent'],
            'frames': sum(lane['frames'] for lane in counters['lanes'])}


def watch(bed, *options):
    done = run_cli('latency', '--door', bed.door, '--json', *options)
    if done.returncode == 5:
        skip(done.stderr.strip())
    assert done.returncode == 0, f'exit code {done.returncode}: {done.stderr} {done.stdout[-600:]}'
    return json.loads(done.stdout)


def check_rows(seen):
    assert set(seen['stages']) == STAGES
    for name, row in seen['stages'].items():
        assert row['n'] == sum(count for _, count in row['buckets']), name
        assert row['p50_ns'] <= row['p99_ns'] <= row['p999_ns'] <= row['max_ns'], (name, row)
    assert seen['stages']['decided']['n'] + seen['stages']['tick']['n'] <= seen['slots'] + UNDER_WAY
    mapped = sum(count for column in seen['map']['columns'] for _, count in column)
    assert mapped == seen['stages']['decided']['n'], (mapped, seen['stages']['decided']['n'])


def check_moments(seen):
    moments = seen['moments']
    assert 1 <= len(moments) <= 10, moments
    longest = max(seen['stages'][name]['max_ns'] for name in ('decoded', 'decided', 'sent', 'tick'))
    assert moments[0]['took_ns'] == longest or seen['lost']['moments'], (moments[0], longest)
    assert moments == sorted(moments, key=lambda moment: -moment['took_ns'])
    core_of = {thread['name']: thread['core'] for thread in seen['threads']}
    lane, decide = (core_of.get(name, core_of.get('fb-hot')) for name in ('fb-lane-0', 'fb-decide'))
    ends_on = {'decoded': lane, 'decided': decide, 'sent': lane, 'tick': decide}
    print(f'lane on {lane}, decide on {decide}; moments:', [moment['cores'] for moment in moments])
    for moment in moments:
        cores = moment['cores']
        assert cores and set(cores) <= {lane, decide} and cores[-1] == ends_on[moment['stage']], moment
        assert moment['stage'] not in ('decoded', 'tick') or len(cores) == 1, moment
        assert 0 <= moment['explained_ns'] <= moment['took_ns']
        assert sum(by['took_ns'] for by in moment['culprits']) >= moment['explained_ns'] or \
            len(moment['culprits']) == 4, moment


def case_agree():
    """Counted by probes, and by the daemon itself; with the daemon's threads apart, too."""
    for decide_core, threads in ((1, ['fb-hot']), (0, ['fb-decide', 'fb-lane-0'])):
        with Bed('dlat', decide_core=decide_core) as bed:
            daemon = bed.start()
            traffic = bed.traffic(60)
            time.sleep(0.5)
            before = counts(bed)
            seen = watch(bed, '--for', '1s')
            after = counts(bed)
            finish(traffic, early=True)
            bed.stop(daemon)
            print({name: seen[name] for name in ('slots', 'frames', 'entry_ns', 'probes', 'lost')})
            for name, row in seen['stages'].items():
                print(name, {key: row[key] for key in row if key != 'buckets'})
            assert sorted(thread['name'] for thread in seen['threads']) == threads
            assert seen['daemon']['agrees']
            own = {name: seen['daemon']['end'][name] - seen['daemon']['begin'][name] for name in before}
            counted = {'slots': seen['slots'], 'frames': seen['frames'], 'sent': seen['stages']['sent']['n']}
            print('daemon', own, 'probes', counted)
            for name, count in counted.items():
                assert own[name] > 20, 'nothing happened meanwhile'
                assert own[name] - UNDER_WAY <= count <= after[name] - before[name] + UNDER_WAY, name
            outer = {name: seen['daemon']['after'][name] - seen['daemon']['before'][name] for name in before}
            assert all(count <= outer[name] + UNDER_WAY for name, count in counted.items()), (outer, counted)
            check_rows(seen)
            check_moments(seen)
            if not seen['noise']['measured']:
                print('noise was not measured:', seen['noise']['why'])
            else:
                kinds = {row['by'].split()[0] for row in seen['noise']['rows']}
                print('noise:', kinds, 'without', [row['program'] for row in seen['noise']['lacking']])
                assert 'system_call' in kinds, 'the loop sent, and no call of it was seen'


def is_blamed(seen, pid):
    """It shares the core with a loop that is an ordinary task here: where it is most of what was taken,
    moments are its doing."""
    if not seen['noise']['measured']:
        skip('noise is not measured here: ' + seen['noise']['why'])
    rows, thief = seen['noise']['rows'], f'({pid})'
    took_ns = sum(row['total_ns'] for row in rows if thief in row['by'])
    taken_ns = sum(row['total_ns'] for row in rows if row['by'].startswith('switch'))
    blamed = sum(any(thief in by['by'] for by in moment['culprits']) for moment in seen['moments'])
    print(f'the spinner took {took_ns / seen["duration_ns"]:.1%} of the time, '
          f'{took_ns / max(1, taken_ns):.1%} of what was taken, and stands in {blamed} of '
          f'{len(seen["moments"])} moments')
    return took_ns > seen['duration_ns'] / 50 and (blamed or took_ns < taken_ns / 2)


def case_blame():
    """Somebody else who spins on the loop's core is named as who took its time."""
    with Bed('dlat') as bed:
        daemon = bed.start()
        traffic = bed.traffic(60)
        spinner = subprocess.Popen(['bash', '-c', 'exec -a thief bash -c "while :; do :; done"'],
                                   preexec_fn=lambda: os.sched_setaffinity(0, {1}))
        bed.running.append(spinner)
        time.sleep(0.5)
        # others may want the core, too, and take all of one watch
        assert any(is_blamed(watch(bed, '--for', '2s'), spinner.pid) for _ in range(3))
        finish(traffic, early=True)
        bed.stop(daemon)


def quantile(values, q):
    """The least that at least that part of them does not exceed, as histograms here have it."""
    values = sorted(values)
    return values[max(0, -(-int(q * 1e6) * len(values) // 10**6) - 1)]


def lacks_egress(seen):
    if seen['wire']['egress_unseen']:
        skip('this kernel shows nothing of what leaves an interface: Linux 6.6 does')


def middle_ns(row, q):
    """The quantile of a histogram, spread evenly over its bucket: edges alone may be 3 % off."""
    rank = max(1, -(-int(q * 1e6) * row['n'] // 10**6))
    for floor_ns, count in row['buckets']:
        if rank <= count:
            return floor_ns + (1 << max(0, floor_ns.bit_length() - 6)) * (rank - 0.5) / count
        rank -= count
    raise AssertionError('an empty histogram')


PREQUEUE = '/proc/sys/net/core/netdev_tstamp_prequeue'


class StampAtHand:
    """Stamps of frames received are taken where programs see them, too: behind the queue between two ends of
    a veth, not before it."""

    def __enter__(self):
        with open(PREQUEUE, encoding='utf-8') as file:
            self.before = file.read()
        self.put('0')
        return self

    def __exit__(self, *_):
        self.put(self.before)

    @staticmethod
    def put(value):
        try:
            with open(PREQUEUE, 'w', encoding='utf-8') as file:
                file.write(value)
        except OSError as error:
            skip(f'{PREQUEUE}: {error}')


def measured_alike(bed):
    """One report at a time and the lease that answers it, measured by its sender and by programs at its
    interface: how far the two are apart, by quantile and in number. None: too few to say."""
    # a pipe that nobody empties would hold it up after some two thousand answers
    with open(bed.folder + '/answers', 'w', encoding='utf-8') as output:
        sender = subprocess.Popen([SENDER, bed.site, bed.suffix, '60'], stdout=output)
    bed.running.append(sender)
    time.sleep(0.3)
    seen = watch(bed, '--for', '2s', '--no-noise', '--wire', f'flyball-hosts-{bed.suffix}:eth0')
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(timeout=60) == 0
    text = read(bed.folder + '/answers')
    lacks_egress(seen)
    end_ns = seen['began_ns'] + seen['duration_ns']
    rows = [row for row in json.loads(text) if seen['began_ns'] < row[0] < end_ns]
    answer = seen['wire']['rows']['answer']
    # answers that were waited for in vain, and such as lie across an end, are in one of the two alone
    apart = {'n': abs(answer['n'] - len(rows))}
    if len(rows) < ROWS_LEAST:
        print(f'{len(rows)} answers: too few')
        return None
    for q in (0.5, 0.99):
        own, calls = (quantile([row[i] for row in rows], q) for i in (1, 2))
        apart[q] = abs(middle_ns(answer, q) / own - 1)
        print(f'p{q * 100:.0f}: {middle_ns(answer, q):.0f} of {own} ns, {apart[q]:.1%} apart; {calls} ns '
              'around the calls')
    mean_ns = answer['sum_ns'] / answer['n'] - sum(row[1] for row in rows) / len(rows)
    print(f'n {answer["n"]} of {len(rows)}; {mean_ns:.0f} ns apart on average')
    assert seen['wire']['ambiguous'] == 0
    return apart


def are_alike(apart):
    return apart and apart['n'] <= 1 and max(apart[0.5], apart[0.99]) < APART_MOST


def emergencies(bed):
    return ask(bed.door, b'counters')['counters']['egress']['emergencies']


def is_cut(bed, traffic):
    """Heavy for a while, and light again. Nothing is cut before leases are above fail-safe."""
    before, end = emergencies(bed), time.monotonic() + HEAVY_S
    traffic.send_signal(signal.SIGUSR1)
    while emergencies(bed) == before and time.monotonic() < end:
        time.sleep(0.05)
    traffic.send_signal(signal.SIGUSR1)
    return emergencies(bed) - before


def caused_by_readings(bed, traffic):
    """Cap frames of an emergency are known as those of the reading that called it."""
    watching = subprocess.Popen(
        [CLI, 'latency', '--door', bed.door, '--json', '--no-noise', '--wire',
         f'flyball-hosts-{bed.suffix}:eth0', '--wire', f'flyball-meters-{bed.suffix}:eth0'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
    bed.running.append(watching)
    assert 'watching' in watching.stderr.readline()
    cut, rounds = 0, 0
    while not cut and rounds < 6:
        time.sleep(1)
        cut, rounds = is_cut(bed, traffic), rounds + 1
    watching.send_signal(signal.SIGTERM)
    text, _ = watching.communicate(timeout=60)
    seen = json.loads(text)
    rows = {name: {key: row[key] for key in ('n', 'p50_ns', 'max_ns')}
            for name, row in seen['wire']['rows'].items()}
    sent = seen['stages']['sent']['n']
    print(f'{cut} cut, at the {rounds}. time', rows, sent, 'sent',
          {key: seen['wire'][key] for key in ('meter_frames', 'cap_frames', 'unmatched')})
    assert cut, 'readings far above every limit, and no host was cut'
    assert rows['answer']['n'] > 20 and seen['wire']['meter_frames'] > 20, rows
    assert rows['first']['n'] >= 1 and rows['all']['n'] >= rows['first']['n'], rows


def case_wire_xdp():
    """The same on af_xdp, whose frames pass none of the kernel's hooks on the daemon's side."""
    case_wire('af_xdp')


def case_wire(driver='af_packet'):
    """Wire to wire agrees with the sender's own measurement; a reading's cap frames are known as its own."""
    with StampAtHand(), Bed('dlat', driver=driver) as bed:
        daemon = bed.start()
        tried = []
        # a stall that lies in one of the two alone moves the tail: what is systematic shows each time
        while len(tried) < 5 and not any(are_alike(apart) for apart in tried):
            tried.append(measured_alike(bed))
        judged = [apart for apart in tried if apart]
        if judged:
            assert min(apart['n'] for apart in judged) <= 1, judged
            assert min(apart[0.5] for apart in judged) < APART_MOST, judged
            assert len(judged) < 3 or min(apart[0.99] for apart in judged) < APART_MOST, judged
        traffic = bed.traffic(90, '--heavy', 'm-rack-a1')
        caused_by_readings(bed, traffic)
        finish(traffic, early=True)
        bed.stop(daemon)
        if not judged:
            skip(f'this machine is too slow: fewer than {ROWS_LEAST} answers in 2 s, five times')


def case_agent():
    """What an agent sent, was told and wrote, as it counts that itself."""
    with agent_test.Site('alat') as site:
        daemon, host = site.bed.start(), site.hosts[0].start()
        host.wait_for_lease()
        done = run_cli('latency', '--agent', str(host.agent.pid), '--for', '3s', '--json')
        if done.returncode == 5:
            skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        counters = host.end()['counters']
        site.bed.stop(daemon)
        steps = {name: {key: row[key] for key in ('n', 'p50_ns', 'p99_ns', 'max_ns')}
                 for name, row in seen['steps'].items()}
        print({key: seen[key] for key in ('reports', 'leases', 'writes', 'failed')}, steps)
        assert 5 < seen['reports'] <= counters['reports'] and 5 < seen['leases'] <= counters['received']
        assert 0 < steps['answered']['n'] <= seen['leases'] and steps['ordered']['n'] == seen['writes']
        assert seen['writes'] <= counters['writes'] and seen['failed'] == 0


def case_writes():
    """Caps that an agent writes as its leases run out: each call of a driver, how long it took, those that
    failed. One device hangs, one fails."""
    with agent_test.Site('alaw') as site:
        daemon, host = site.bed.start(), site.hosts[0].start()
        host.wait_for_lease()
        before = agent_test.write_counts(host)
        watching = subprocess.Popen([CLI, 'latency', '--agent', str(host.agent.pid), '--json'],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
        host.running.append(watching)
        said = watching.stderr.readline()
        if 'watching' not in said:
            watching.wait()
            skip(said.strip())
        host.tell(0, 'hang', 1)
        host.tell(1, 'fail', errno.EIO)
        daemon.kill()
        host.wait_for_fail_safe(30, devices=range(2, agent_test.DEVICES))
        time.sleep(HANGS_S)
        host.tell(0, 'hang', 0)
        host.tell(1, 'fail', 0)
        host.wait_for_fail_safe(30)
        time.sleep(0.5)
        watching.send_signal(signal.SIGTERM)
        seen = json.loads(watching.communicate(timeout=60)[0])
        written = [now - then for now, then in zip(agent_test.write_counts(host), before)]
        counters = host.end()['counters']
        ordered, called = seen['steps']['ordered'], seen['steps']['call']
        print({key: seen[key] for key in ('writes', 'failed')}, called['n'], called['max_ns'],
              ordered['max_ns'], 'the devices took', written, counters['writes'])
        # its watchdog writes, too, where it is late: the devices may have taken more than it wrote
        assert agent_test.DEVICES <= seen['writes'] <= counters['writes']
        assert seen['writes'] - seen['failed'] <= sum(written)
        assert ordered['n'] == called['n'] == seen['writes'] and 1 <= seen['failed'] < seen['writes']
        # it hung where it was asked for its cap, and then what it was to be told waited, or in the telling
        assert HANGS_S <= max(called['max_ns'], ordered['max_ns']) / 1e9


def case_refused():
    """What cannot be done is said, with the exit code that the manual names."""
    with Bed('dlat') as bed:
        daemon, without = bed.start(), ''
        for arguments, code, words in [
                ((), 2, 'give one of'),
                (('--door', bed.door, '--pid', '1'), 2, 'give one of'),
                (('--pid', 'me'), 2, 'number of a process'),
                (('--agent', '0'), 2, 'number of a process'),
                (('--agent', str(daemon.pid)), 3, 'the probe reported'),
                (('--door', bed.door, '--for', '1s', '--wire', 'fb-nowhere'), 3, '--wire fb-nowhere'),
                (('--door', bed.door, '--for', '1s', '--wire', 'nowhere:eth0'), 3, '--wire nowhere:eth0'),
                (('--door', bed.door, '--wire', ''), 2, '--wire wants'),
                (('--door', bed.door, '--for', 'soon'), 2, '--for wants a time'),
                (('--door', bed.door, '--stage', 'first'), 2, 'none of'),
                (('--door', bed.folder + '/none'), 3, 'is flyballd running'),
                (('--pid', str(os.getpid())), 3, 'no thread of a loop'),
                (('--pid', '999999999'), 3, 'No such process')]:
            done = run_cli('latency', *arguments)
            print(done.returncode, done.stderr.strip())
            if done.returncode == 5 and words.startswith(('the probe', '--wire fb', '--wire nowhere')):
                without = done.stderr.strip()       # a target that is there, and a kernel without programs
                continue
            assert done.returncode == code and words in done.stderr and not done.stdout, arguments
        os.chmod(bed.folder, 0o755)
        copy = shutil.copy(CLI, bed.folder)
        done = subprocess.run([copy, 'latency', '--pid', str(daemon.pid), '--for', '1s'], capture_output=True,
                              encoding='utf-8', user=65534, group=65534, extra_groups=[], check=False)
        print(done.returncode, done.stderr.strip())
        assert done.returncode in (3, 5) and done.stderr.startswith('flyball latency: ')
        bed.stop(daemon)
        if without:
            skip('probes and interfaces that are not there were not tried: ' + without)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))      # what was set is put back
    if os.geteuid():
        skip('namespaces and programs in the kernel need root')
    {'agree': case_agree, 'wire': case_wire, 'wire_xdp': case_wire_xdp, 'agent': case_agent,
     'writes': case_writes, 'blame': case_blame, 'refused': case_refused}[sys.argv[1]]()


if __name__ == '__main__':
    main()
