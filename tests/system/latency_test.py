#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball latency on a real flyballd under traffic: what programs in the kernel count agrees with the
daemon's own counters, and what it cannot do it says.

usage: latency_test.py CASE, with the environment of daemon_test.py. Exit code 77 skips."""
import json
import os
import shutil
import subprocess
import sys
import time

from daemon_test import Bed, CLI, ask, finish, run_cli, skip

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
    for moment in moments:
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
            seen = watch(bed, '--for', '5s' if decide_core else '2s')
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
                assert own[name] > 50, 'nothing happened meanwhile'
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


def case_blame():
    """Somebody else who spins on the loop's core is named as who took its time."""
    with Bed('dlat') as bed:
        daemon = bed.start()
        traffic = bed.traffic(60)
        spinner = subprocess.Popen(['bash', '-c', 'exec -a thief bash -c "while :; do :; done"'],
                                   preexec_fn=lambda: os.sched_setaffinity(0, {1}))
        bed.running.append(spinner)
        time.sleep(0.5)
        seen = watch(bed, '--for', '3s')
        finish(traffic, early=True)
        bed.stop(daemon)
        if not seen['noise']['measured']:
            skip('noise is not measured here: ' + seen['noise']['why'])
        thief = f'({spinner.pid})'
        took_ns = sum(row['total_ns'] for row in seen['noise']['rows'] if thief in row['by'])
        blamed = [moment for moment in seen['moments'] if any(thief in by['by'] for by in moment['culprits'])]
        print(f'the spinner took {took_ns / seen["duration_ns"]:.1%} of the time, and stands in '
              f'{len(blamed)} of {len(seen["moments"])} moments')
        # it shares the core with a loop that is an ordinary task here: less than its half is noise of others
        assert took_ns > seen['duration_ns'] / 20 and blamed


def case_refused():
    """What cannot be done is said, with the exit code that the manual names."""
    with Bed('dlat') as bed:
        daemon = bed.start()
        for arguments, code, words in [
                ((), 2, 'give one of'),
                (('--door', bed.door, '--pid', '1'), 2, 'give one of'),
                (('--pid', 'me'), 2, 'number of a process'),
                (('--door', bed.door, '--for', 'soon'), 2, '--for wants a time'),
                (('--door', bed.door, '--stage', 'first'), 2, 'none of'),
                (('--door', bed.folder + '/none'), 3, 'is flyballd running'),
                (('--pid', str(os.getpid())), 3, 'no thread of a loop'),
                (('--pid', '999999999'), 3, 'No such process')]:
            done = run_cli('latency', *arguments)
            print(done.returncode, done.stderr.strip())
            assert done.returncode == code and words in done.stderr and not done.stdout, arguments
        os.chmod(bed.folder, 0o755)
        copy = shutil.copy(CLI, bed.folder)
        done = subprocess.run([copy, 'latency', '--pid', str(daemon.pid), '--for', '1s'], capture_output=True,
                              encoding='utf-8', user=65534, group=65534, extra_groups=[], check=False)
        print(done.returncode, done.stderr.strip())
        assert done.returncode in (3, 5) and done.stderr.startswith('flyball latency: ')
        bed.stop(daemon)


def main():
    if os.geteuid():
        skip('namespaces and programs in the kernel need root')
    {'agree': case_agree, 'blame': case_blame, 'refused': case_refused}[sys.argv[1]]()


if __name__ == '__main__':
    main()
