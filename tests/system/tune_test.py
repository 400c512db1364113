#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyball tune on af_packet between the namespaces of tools/net: the kernels of the far ends answer
echo requests.

usage: tune_test.py CASE, with the paths of the programs in FLYBALL_* variables (tests/system/meson.build).
Exit code 77 skips: not root, or the machine is in a state that the test must not touch."""
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

from daemon_test import Bed, CLI, ask, finish, read, skip, throttle

HOSTS = 60
NONE_TOO_SMALL = (0, 1)     # 1: some term is too small for this machine, which is the machine's affair


def tune(bed, *options):
    return subprocess.run([CLI, 'tune', bed.site, *options], capture_output=True, encoding='utf-8',
                          timeout=100)


def spaces(bed):
    return ['--meters-netns', f'flyball-meters-{bed.suffix}', '--hosts-netns', f'flyball-hosts-{bed.suffix}']


def split(text):
    """The file without its measured block, and the block."""
    lines = text.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if line.startswith('    measured:')), len(lines))
    last = first + 1
    while last < len(lines) and lines[last].startswith('      '):
        last += 1
    return ''.join(lines[:first] + lines[last:]), ''.join(lines[first:last])


def leftovers(bed):
    return [name for name in os.listdir(bed.folder) if '.tune-' in name]


def case_measure():
    """60 hosts answer, rings are filled for real, the file gains one block and keeps all else."""
    with Bed('tun1', small=False) as bed:
        before, mode = read(bed.site), stat.S_IMODE(os.stat(bed.site).st_mode)
        ran = tune(bed, '--seconds', '0.5', '--json', *spaces(bed))
        print(ran.stderr)
        assert ran.returncode in NONE_TOO_SMALL, ran.stderr
        found = json.loads(ran.stdout)
        path = found['path']
        print('path', path)
        assert path['hosts'] == path['answered'] == HOSTS
        assert path['sent'] >= HOSTS and path['lost'] <= path['sent'] // 10
        assert 0 < path['min_ns'] <= path['p50_ns'] <= path['p99_ns'] <= path['max_ns']
        assert len(path['worst']) == 10 and path['silent'] == []
        print('rings', found['rings'])
        assert [ring['interface'] for ring in found['rings']] == ['fb-meters-tun1', 'fb-hosts-tun1']
        for ring in found['rings']:
            assert ring['offered'] > 32768 and ring['absorbed'] == 32768
        for stage in ['wake_timer', 'wake_event', 'reading', 'report', 'tick_part', 'emergency']:
            figures = [found[stage][key] for key in ('p50_ns', 'p99_ns', 'p999_ns', 'max_ns')]
            assert found[stage]['n'] > 0 and figures[0] > 0 and figures == sorted(figures), stage
        assert found['hiccups']['span_ns'] >= 5e8 and found['hiccups']['longest_ns'] > 0
        terms = {term['term'] for term in found['terms']}
        assert {'ring of fb-meters-tun1', 'ring of fb-hosts-tun1', 'lease', 'report'} <= terms
        rest, block = split(read(bed.site))
        assert rest == before and 'hosts: 60, answered: 60' in block
        assert stat.S_IMODE(os.stat(bed.site).st_mode) == mode and not leftovers(bed)
        assert subprocess.run([CLI, 'check', bed.site], stdout=subprocess.DEVNULL).returncode == 0
        again = tune(bed, '--seconds', '0.2', '--no-port')
        print(again.stdout)
        assert again.returncode in NONE_TOO_SMALL, again.stderr
        rest, second = split(read(bed.site))
        assert rest == before and second.count('measured:') == 1
        assert 'path:' not in second and 'left out by --no-port' in again.stdout


def case_silent():
    """Two hosts are gone: they are counted and named, and the others measured."""
    with Bed('tun2') as bed:
        for last in (69, 70):
            subprocess.run(['ip', '-netns', f'flyball-hosts-{bed.suffix}', 'address', 'delete',
                            f'203.0.113.{last}/24', 'dev', 'eth0'], check=True)
        before = read(bed.site)
        ran = tune(bed, '--seconds', '0.2', '--dry-run', '--json')
        assert ran.returncode in NONE_TOO_SMALL, ran.stderr
        found = json.loads(ran.stdout)
        assert found['path']['answered'] == HOSTS - 2
        assert found['path']['silent'] == ['b3-09', 'b3-10']
        assert found['rings'] == []
        assert any('receive burst of fb-hosts-tun2: not measured' in note for note in found['not_measured'])
        block = tune(bed, '--seconds', '0.1', '--dry-run', '--no-port')
        assert block.stdout.startswith('    measured:') and 'hiccups: {span: ' in block.stdout
        assert read(bed.site) == before


def case_kernel():
    """Ports that are the kernel's sockets: echo goes through the kernel, the burst is counted as well."""
    with Bed('tun5') as bed:
        for link, address in (('meters', '198.51.100.1'), ('hosts', '203.0.113.1')):
            subprocess.run(['ip', 'address', 'add', f'{address}/24', 'dev', f'fb-{link}-{bed.suffix}'],
                           check=True)
        site = read(bed.site).replace('driver: af_packet', 'driver: uring')
        site = site.replace('ring: 32768', 'ring: 1024')
        with open(bed.site, 'w', encoding='utf-8') as file:
            file.write(site)
        ran = tune(bed, '--seconds', '0.2', '--json', *spaces(bed))
        assert ran.returncode in NONE_TOO_SMALL, ran.stderr
        found = json.loads(ran.stdout)
        print(found['path'], found['rings'], found['not_measured'])
        assert found['path']['answered'] == HOSTS and found['path']['p50_ns'] > 0
        assert [ring['interface'] for ring in found['rings']] == ['fb-meters-tun5', 'fb-hosts-tun5']
        for ring in found['rings']:
            assert 0 < ring['absorbed'] <= ring['offered']
        assert split(read(bed.site))[0] == site


def case_refused():
    """Whoever governs is not disturbed; what is not a site, or not a number, is said."""
    with Bed('tun3') as bed:
        before = read(bed.site)
        daemon = bed.start()
        ran = tune(bed, '--seconds', '0.1')
        print(ran.stderr)
        assert ran.returncode == 5 and f'a flyballd answers at {bed.door}' in ran.stderr
        bed.stop(daemon)
        assert tune(bed, '--seconds', '0.1', '--no-port').returncode in NONE_TOO_SMALL
        with open(bed.site, 'w', encoding='utf-8') as file:
            file.write(before)
        assert tune(bed, '--seconds', 'soon').returncode == 2
        assert tune(bed, '--seconds', '0').returncode == 2
        assert subprocess.run([CLI, 'tune'], capture_output=True).returncode == 2
        assert subprocess.run([CLI, 'tune', bed.folder + '/none'], capture_output=True).returncode == 3
        with open(bed.site, 'w', encoding='utf-8') as file:
            file.write(before.replace('kind: main', 'kind: mian'))
        assert tune(bed).returncode == 4


def case_interrupt():
    """Ctrl-C in the middle: the file and RT throttling are as they were."""
    was = throttle()
    if was < 0:
        skip('RT throttling is lifted on this machine already')
    with Bed('tun4', real_time=True) as bed:
        before = read(bed.site)
        running = subprocess.Popen([CLI, 'tune', bed.site, '--seconds', '10'], stderr=subprocess.PIPE,
                                   encoding='utf-8')
        bed.running.append(running)
        end = time.monotonic() + 20
        while throttle() >= 0:
            assert time.monotonic() < end and running.poll() is None
            time.sleep(0.02)
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=5)
        words = running.stderr.read()
        print(words)
        assert code == 1 and 'interrupted; the site file is as it was' in words
        end = time.monotonic() + 3
        while throttle() != was:
            assert time.monotonic() < end, f'RT throttling is {throttle()}, was {was}'
            time.sleep(0.02)
        assert read(bed.site) == before and not leftovers(bed)


def fresh_ms(bed):
    return {meter['fresh_ms'] for meter in ask(bed.door, b'status')['meters']}


def case_ages():
    """T_fresh that is measured: refused without a measurement, by hiccups first, then by the ages that a
    running daemon has seen; what else was measured stays."""
    with Bed('tun6') as bed:
        text = read(bed.site).replace('period: 16ms, fresh: 100ms', 'period: 16ms, fresh: measured')
        with open(bed.site, 'w', encoding='utf-8') as file:
            file.write(text)
        line = text[:text.index('fresh: measured')].count('\n') + 1
        checked = subprocess.run([CLI, 'check', bed.site, '--server', 'default'], capture_output=True,
                                 encoding='utf-8')
        assert checked.returncode == 4, checked.stdout
        assert re.search(f':{line}:[0-9]+: error: fresh is measured, but', checked.stderr), checked.stderr
        early = tune(bed, '--ages')
        assert early.returncode == 4 and 'has no measured: yet' in early.stderr, early.stderr
        assert read(bed.site) == text
        ran = tune(bed, '--no-port', '--seconds', '0.3')
        assert ran.returncode in NONE_TOO_SMALL and split(read(bed.site))[0] == text, ran.stderr
        before = split(read(bed.site))[1]
        daemon = bed.start()
        first = fresh_ms(bed)
        assert len(first) == 1 and 42 <= min(first) <= 1000, first      # two periods and the bound; the lease
        early = tune(bed, '--ages')
        assert early.returncode == 5 and 'fewer than 1000' in early.stderr, early.stderr
        traffic = bed.traffic(60)
        end = time.monotonic() + 50
        while (ran := tune(bed, '--ages')).returncode == 5 and time.monotonic() < end:
            time.sleep(1)
        assert ran.returncode in NONE_TOO_SMALL, ran.stderr
        finish(traffic, early=True)
        bed.stop(daemon)
        rest, block = split(read(bed.site))
        age, = [line for line in block.splitlines() if line.startswith('      age: {n: ')]
        print(age)
        assert rest == text and block.replace(age + '\n', '') == before and not leftovers(bed)
        daemon = bed.start()
        second = fresh_ms(bed)
        print(f'T_fresh {first} ms by hiccups, {second} ms by ages as well')
        assert len(second) == 1 and min(first) <= min(second) <= 1000
        bed.stop(daemon)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    globals()['case_' + sys.argv[1]]()
