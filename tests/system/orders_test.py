#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Orders over the real door of a real flyballd, daemon_traffic at the far ends.

usage: orders_test.py CASE, with the environment of daemon_test.py. Exit code 77 skips."""
import json
import os
import re
import signal
import subprocess
import sys
import time

from daemon_test import AS_NOBODY, CLI, JOURNAL, Bed, ask, finish, run_cli, skip

CAP_KW, LOG_RECORD = 250, 432


def order(bed, *words):
    return run_cli('order', '--door', bed.door, *words)


def listed(bed):
    return json.loads(order(bed, 'list', '--json').stdout)


def in_force(bed):
    """Which orders, without the times that pass."""
    return [(c['number'], c['name'], c['nodes'], c['kind']) for c in listed(bed)['contracts']]


def leased_w(bed):
    """What hosts below the main may draw by their newest leases, by what status shows of each."""
    return sum(host['exposure_w'] for host in ask(bed.door, b'status')['hosts'])


def settle(bed, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        hosts = ask(bed.door, b'status')['hosts']
        if all(host['state'] == 'leased' and host['accepted'] for host in hosts):
            return
        time.sleep(0.2)
    raise AssertionError('the hosts were not leased in time')


def taken(done, number):
    assert done.returncode == 0 and done.stdout == f'order {number} taken\n', done.stdout + done.stderr


def refused(done, code, words):
    assert done.returncode == code and words in done.stderr, f'{done.returncode}: {done.stdout}{done.stderr}'


def as_nobody(bed, request, *groups):
    """A request by user nobody, with further groups."""
    further = [*AS_NOBODY[:2], '--regid=65533', '--groups=' + ','.join(groups)]
    user = further if groups else AS_NOBODY
    done = subprocess.run([*user, sys.executable, '-c', f'''
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect({bed.door!r})
s.send(b"{request}")
print(s.recv(4096).decode())'''], capture_output=True, encoding='utf-8', check=True)
    return json.loads(done.stdout)


def check_refusals(bed):
    """Each with its exit code and a sentence; none changes anything, none uses a number up but core's own."""
    before = in_force(bed)
    refused(order(bed, 'cap', 'nowhere', '100kW'), 5, 'the site has no node nowhere')
    refused(order(bed, 'forecast', 'nobody', '1kW'), 5, 'the site has no host nobody')
    refused(order(bed, 'lift', 'nothing'), 5, 'no contract named nothing is in force')
    refused(order(bed, 'cap', 'main', '100'), 2, 'is not a power')
    refused(order(bed, 'cap', 'main'), 2, 'too many words, or too few')
    refused(order(bed, 'cap', 'main', '1kW', '--within', 'soon'), 2, 'is not a time')
    refused(order(bed, 'cap', 'main', '1kW', '--down', '1kW/s'), 2, 'an option that this order does not take')
    refused(order(bed, 'shut', 'main'), 2, 'one of cap, ramp')
    refused(order(bed, 'mode', 'fast'), 5, 'mode: fast')
    refused(order(bed, 'cap', 'x' * 200, '1kW'), 5, 'node: xxx')
    assert in_force(bed) == before
    done = order(bed, 'cap', 'main', '0W')
    refused(done, 5, 'refused (value): a value out of range')
    assert in_force(bed) == before
    told = as_nobody(bed, 'order\\tmode\\tmode=off')
    assert told['verdict'] == 'forbidden', told
    assert 'not for nobody: the site file names no order_group' in told['text'], told
    assert in_force(bed) == before


def case_give():
    """A cap from the shell reaches the hosts, is listed, lifted, and the journal with it replays exactly."""
    with Bed('ordg') as bed:
        os.chmod(bed.folder, 0o755)
        daemon = bed.start('--journal', bed.journal)
        traffic = bed.traffic(60, '--hungry')
        settle(bed)
        time.sleep(1)
        before_w = leased_w(bed)
        assert before_w > CAP_KW * 1000, before_w
        began = time.monotonic()
        taken(order(bed, 'cap', 'main', f'{CAP_KW}kW', '--within', '1s', '--for', '1h', '--name', 'dr'), 1)
        said_s = time.monotonic() - began
        while leased_w(bed) > CAP_KW * 1000:
            assert time.monotonic() - began < 5, 'not reached'
        print(f'{before_w / 1e3:.1f} kW of leases, {CAP_KW} kW ordered: answered in {said_s * 1e3:.0f} ms, '
              f'leases confirmed below it after {(time.monotonic() - began) * 1e3:.0f} ms')
        contract, = listed(bed)['contracts']
        assert contract['name'] == 'dr' and contract['cap_w'] == CAP_KW * 1000, contract
        assert contract['nodes'] == ['main'], contract
        assert 3500 < contract['ends_in_s'] < 3601 and contract['from'] == 'order'
        assert contract['by'] == 'root' and 'root' in order(bed, 'list').stdout
        check_refusals(bed)
        taken(order(bed, 'lift', 'dr'), 3)
        assert listed(bed)['contracts'] == []
        taken(order(bed, 'mode', 'shadow'), 4)
        assert listed(bed)['others'][0]['kind'] == 'mode'
        time.sleep(1.5)
        finish(traffic, early=True)
        _, summary = bed.stop(daemon)
        core = summary['counters']['core']
        assert core['orders'] == 3 and core['orders_refused'] == 1 and core['trims'] >= 1
        assert core['invariant_failures'] == 0
        replayed = run_cli('replay', bed.journal)
        print(replayed.stdout.splitlines()[0])
        assert replayed.returncode == 0, replayed.stdout


def case_kill():
    """kill -9 between the log and the lane: in force after the restart, once, for what is left."""
    with Bed('ordk') as bed:
        daemon = bed.start('--journal', bed.journal)
        taken(order(bed, 'cap', 'main', '300kW', '--for', '1h', '--name', 'old'), 1)
        taken(order(bed, 'cap', 'branch-a', '90kW'), 2)
        taken(order(bed, 'lift', 'branch-a'), 3)
        refused(order(bed, 'cap', 'branch-a', '0W'), 5, 'value')
        # A daemon that is stopped logs the order and decides nothing: what a kill in between leaves behind.
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        log = bed.folder + '/demo.orders'
        with open(log, 'rb') as file:
            records = file.read()
        assert len(records) == 5 * LOG_RECORD, len(records)    # the refused one and its refusal are two
        # As if the process had been killed right after fsync of the first order: nothing else is in the log.
        with open(log, 'wb') as file:
            file.write(records[:LOG_RECORD])
        for start in range(2):
            daemon = bed.start('--journal', bed.journal)
            contract, = listed(bed)['contracts']
            assert contract['number'] == 1 and contract['name'] == 'old' and contract['cap_w'] == 300000
            assert 3400 < contract['ends_in_s'] < 3600
            assert ask(bed.door, b'status')['counters']['core']['orders'] == 1
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
        # the whole log, and a record that broke off: the same contract, numbers go on behind all of them
        with open(log, 'wb') as file:
            file.write(records + records[:70])
        daemon = bed.start('--journal', bed.journal)
        assert [c['name'] for c in listed(bed)['contracts']] == ['old']
        taken(order(bed, 'cap', 'main', '250kW', '--name', 'new'), 5)
        taken(order(bed, 'cap', 'main', '240kW', '--name', 'new'), 6)
        assert sorted((c['name'], c['cap_w']) for c in listed(bed)['contracts']) == [('new', 240000),
                                                                                     ('old', 300000)]
        bed.stop(daemon)


def take_out(bed, *words):
    return subprocess.Popen([CLI, 'maintenance', '--door', bed.door, 'take-out', *words], encoding='utf-8',
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def case_out():
    """A node is taken out under load: told what it waits for, then safe; Ctrl-C leaves the order in force."""
    with Bed('ordo', source='demo-2n') as bed:
        daemon = bed.start('--journal', bed.journal)
        refused(run_cli('maintenance', '--door', bed.door, 'take-out', 'r9'), 5, 'the site has no node r9')
        refused(run_cli('maintenance', '--door', bed.door, 'put-back', 'feed-a'), 5, 'no such node')
        waiting = take_out(bed, 'feed-a')
        line = waiting.stdout.readline()
        assert re.match(r'order \d+ taken\n', line), line
        line = waiting.stdout.readline()
        print(line.strip())
        assert 'lowering, do not transfer yet' in line
        time.sleep(0.5)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=10)
        print(said.strip())
        assert waiting.returncode == 1 and 'the order stays in force' in said
        status = run_cli('maintenance', '--door', bed.door, 'status')
        assert status.returncode == 1 and 'hosts silent or at phys_max, first ' in status.stdout, status
        traffic = bed.traffic(60, '--hungry')
        waiting = take_out(bed, 'feed-a')
        said, _ = waiting.communicate(timeout=20)
        print(said.splitlines()[-1])
        assert waiting.returncode == 0, said
        assert said.splitlines()[-1] == 'feed-a: SAFE TO TRANSFER (order 3 by root)', said
        finish(traffic, early=True)
        time.sleep(2)       # nobody is heard any more
        status = run_cli('maintenance', '--door', bed.door, 'status', 'feed-a')
        assert status.returncode == 1 and 'lowering' in status.stdout, status
        taken(run_cli('maintenance', '--door', bed.door, 'put-back', 'feed-a'), 4)
        assert run_cli('maintenance', '--door', bed.door, 'status').stdout == 'nothing is being taken out\n'
        bed.stop(daemon)


def case_site():
    """A contract of the site file holds from the start on, is given by every start; no order lifts it."""
    with Bed('ords') as bed:
        with open(bed.site, 'a', encoding='utf-8') as site:
            site.write('\ncontracts:\n  - {id: grid, node: main, cap: 260kW, ramp: {up: 50kW/s}}\n')
        for start in range(2):
            daemon = bed.start('--journal', bed.journal)
            end = time.monotonic() + 10
            while len(listed(bed)['contracts']) < 2:
                assert time.monotonic() < end, listed(bed)
                time.sleep(0.1)
            cap, ramp = sorted(listed(bed)['contracts'], key=lambda c: c['kind'])
            assert cap['name'] == ramp['name'] == 'grid' and cap['from'] == ramp['from'] == 'site'
            assert cap['cap_w'] == 260000 and ramp['up_w_per_s'] == 50000 and cap['ends_in_s'] is None
            for words in (['lift', 'grid'], ['cap', 'main', '300kW', '--name', 'grid']):
                refused(order(bed, *words), 5, 'contract grid stands in the site file')
            done = order(bed, 'cap', 'main', '300kW')       # another one may stand beside it: the least holds
            assert done.returncode == 0, done.stderr
            assert len(listed(bed)['contracts']) == 3
            assert order(bed, 'lift', 'main').returncode == 0
            bed.stop(daemon)


def case_group():
    """Members of order_group give orders, by their own group or one they have besides; nobody else does."""
    with Bed('ordn') as bed:
        os.chmod(bed.folder, 0o755)
        with open(bed.site, encoding='utf-8') as site:
            text = site.read()
        with open(bed.site, 'w', encoding='utf-8') as site:
            site.write(text.replace(f'door: {bed.door}', f'door: {bed.door}\n    order_group: nogroup'))
        daemon = bed.start('--journal', bed.journal)
        assert as_nobody(bed, 'order\\tcap\\tnode=main\\tvalue_mw=300000000')['verdict'] == 'taken'
        assert as_nobody(bed, 'order\\ttake_out\\tnode=main', '65534')['verdict'] == 'node'
        assert listed(bed)['contracts'][0]['by'] == 'nobody'
        told = as_nobody(bed, 'order\\tlift\\tname=main', '65532')
        assert told['verdict'] == 'forbidden', told
        assert 'members of group nogroup, not for nobody' in told['text'], told
        assert len(listed(bed)['contracts']) == 1
        # who may give no order cannot say either that somebody takes shed actions: that silences an alarm
        told = as_nobody(bed, 'shed\\tbeat', '65532')
        assert not told['taken'] and 'members of group nogroup' in told['text'], told
        assert as_nobody(bed, 'shed\\tbeat')['taken']
        bed.stop(daemon)


def case_roots():
    """Demand response over both feeds of a 2N site: 30 % less within a second, shown."""
    with Bed('ordr', source='demo-2n') as bed:
        daemon = bed.start('--journal', bed.journal)
        traffic = bed.traffic(60, '--hungry')
        settle(bed)
        time.sleep(2)
        before_w = leased_w(bed)
        asked_kw = round(before_w * 0.7 / 1000)
        began = time.monotonic()
        taken(order(bed, 'cap', 'site', f'{asked_kw}kW', '--within', '1s', '--name', 'dr'), 1)
        while leased_w(bed) > asked_kw * 1000:
            assert time.monotonic() - began < 1, 'not reached within a second'
        print(f'{before_w / 1e3:.1f} kW of leases over two roots, {asked_kw} kW ordered: leases confirmed '
              f'below it after {(time.monotonic() - began) * 1e3:.0f} ms')
        time.sleep(2)
        contract, = listed(bed)['contracts']
        assert len(contract['nodes']) == 2 and contract['cap_w'] == asked_kw * 1000, contract
        assert leased_w(bed) <= asked_kw * 1000
        host = next(h for h in ask(bed.door, b'status')['hosts'] if h['held_by'] == 'contract')['id']
        told = run_cli('why', '--door', bed.door, host).stdout
        print(order(bed, 'list').stdout + told)
        assert 'contract dr: feed-a + feed-b at most' in told, told
        assert 'the end of contract dr' in ' '.join(told.split()), told
        status = run_cli('status', '--door', bed.door).stdout
        assert 'feed-a + feed-b' in status, status
        taken(order(bed, 'lift', 'dr'), 2)
        finish(traffic, early=True)
        bed.stop(daemon)
        replayed = run_cli('replay', bed.journal)
        assert replayed.returncode == 0, replayed.stdout


if __name__ == '__main__':
    if os.geteuid():
        skip('not root')
    globals()['case_' + sys.argv[1]]()
