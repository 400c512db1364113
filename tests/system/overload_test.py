#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real flyballd that is offered far more than it can decide on: what is shed is requests for power and
readings, never a report; every frame is accounted for; emergencies go on, orders are taken; and afterwards
all is as before. With `tags` every frame has one, and the flood brings wrong ones, which count for nothing.

usage: overload_test.py plain|tags, with the paths of the programs in FLYBALL_* variables
(tests/system/meson.build). Exit code 77 skips: not root."""
import json
import os
import signal
import subprocess
import sys
import time

from daemon_test import Bed, ask, finish, run_cli, skip

FLOOD_S, FLOOD_MOST_S, FLOOD, METER = 12, 45, 600, 'm-rack-b2'
CAP_KW = 5000       # of the main: far above what there is, it changes no cap
HOG = 'while True: pass'


def shed(told):
    return {name: sum(lane['shed'][name] for lane in told['counters']['lanes'])
            for name in ('detail', 'reading', 'reserved')}


def hogs(bed, count):
    """Beside the deciding thread, on its core: it falls behind, its lanes do not."""
    processes = [subprocess.Popen([sys.executable, '-c', HOG],
                                  preexec_fn=lambda: os.sched_setaffinity(0, {0})) for _ in range(count)]
    bed.running += processes
    return processes


def on_links(bed):
    """Frames that left the senders' links, and those that the kernel threw away behind them."""
    left = thrown = 0
    for role in ('meters', 'hosts'):
        here, there = (json.loads(subprocess.run(
            [*inside, 'ip', '-j', '-s', 'link', 'show', 'dev', link], check=True, capture_output=True
        ).stdout)[0]['stats64'] for inside, link in (
            ([], f'fb-{role}-{bed.suffix}'),
            (['nsenter', f'--net=/run/netns/flyball-{role}-{bed.suffix}'], 'eth0')))
        left += there['tx']['packets']
        thrown += here['rx']['dropped']
    return left, thrown


def order(bed, number):
    """Somebody's hand reaches the core through the same flood."""
    began = time.monotonic()
    done = run_cli('order', '--door', bed.door, 'cap', 'main', f'{CAP_KW}kW', '--for', '1h', '--name',
                   f'flood-{number}')
    assert done.returncode == 0, f'the order was not taken: {done.stdout}{done.stderr}'
    return time.monotonic() - began


def flood(bed):
    """Until something of each class that may be was shed, or the time is over. Orders are given once
    something is shed."""
    traffic = bed.traffic(120, '--flood', str(FLOOD), METER)
    os.sched_setaffinity(traffic.pid, {1})
    beside, began, first, orders_s = hogs(bed, 8), time.monotonic(), None, []
    while True:
        time.sleep(0.5)
        traffic.send_signal(signal.SIGUSR1)     # a load far above its limits, and away again
        now, took_s = shed(ask(bed.door, b'counters')), time.monotonic() - began
        first = first or (now if any(now.values()) else None)
        if first and len(orders_s) < 3:
            orders_s.append(order(bed, len(orders_s)))
        if took_s > FLOOD_S and now['detail'] and now['reading'] and len(orders_s) == 3:
            break
        if took_s > FLOOD_MOST_S:
            skip(f'this machine cannot be offered more than it takes: shed {now}')
    for hog in beside:
        hog.kill()
    print(f'first seen shed: {first}; in the end {now}; orders taken in '
          + ', '.join(f'{order_s * 1e3:.0f} ms' for order_s in orders_s))
    return finish(traffic, early=True)


def check_account(bed, played):
    """Left = received + lost by the port + thrown away by the kernel; received = refused + aside + accepted;
    accepted = decided + shed."""
    before, _ = on_links(bed)
    told = ask(bed.door, b'status')
    after, thrown = on_links(bed)
    lanes, core, gone = told['counters']['lanes'], told['counters']['core'], shed(told)
    frames, lost = sum(lane['frames'] for lane in lanes), sum(lane['port']['lost'] for lane in lanes)
    refused = sum(sum(lane['refused'].values()) for lane in lanes)
    accepted = sum(lane['accepted'] for lane in lanes)
    requests = core['tokens_granted'] + core['tokens_denied'] + core['tokens_repeated']
    decided = core['readings'] + core['reports'] + requests
    print(f'played {played}; left {after}: received {frames}, lost by the port {lost}, the kernel {thrown}')
    print(f'refused {refused}, accepted {accepted}: decided {decided}, shed {gone}')
    assert before <= frames + lost + thrown <= after, 'frames are not accounted for'
    assert frames == accepted + refused + sum(lane['aside'] for lane in lanes)
    assert accepted == decided + sum(gone.values()), (accepted, decided, gone, core)
    wrong = sum(lane['refused']['tag'] for lane in lanes)
    assert wrong <= played['forged'] and (wrong > 0) == (played['forged'] > 0), (wrong, played)
    return told


def check_shedding(told):
    gone, counters = shed(told), told['counters']
    queues = told['queues']
    print(f'queues {queues["lane0"]}, {queues["lane1"]}; budget {counters["budget"]}; '
          f'{counters["egress"]["emergencies"]} leases of emergencies, {told["latency_us"]["emergency"]}')
    assert gone['reserved'] == 0, 'a report was shed'
    assert counters['egress']['emergencies'] > 0, 'no emergency went through'
    unexplained = [miss for miss in told['budget']['newest'] if miss['emergency'] and
                   miss['cause'] in ('work', 'peer') and miss['longest_gap_ms'] <= 20]
    assert not unexplained, unexplained


def check_recovery(bed, before):
    """Without a restart: all meters fresh, all hosts hold a lease, nothing waits, nothing more is shed."""
    traffic = bed.traffic(40, '--heavy', METER)
    end = time.monotonic() + 20
    while True:
        told = ask(bed.door, b'status')
        leased = sum(host['state'] == 'leased' for host in told['hosts'])
        fresh = sum(meter['state'] == 'ok' for meter in told['meters'])
        if leased == 60 and fresh == 9 and time.monotonic() > end - 15:
            break
        assert time.monotonic() < end, f'{leased} hosts leased, {fresh} meters fresh: {told["words"]}'
        time.sleep(0.2)
    print(f'afterwards: {leased} hosts leased, {fresh} meters fresh, shed {shed(told)}; {told["words"]}')
    assert shed(told) == before and told['epoch'] > 0
    finish(traffic, early=True)


def main():
    with Bed('dovl', decide_core=0) as bed:
        if sys.argv[1] == 'tags':
            os.environ['FLYBALL_KEYS'] = bed.ask_for_tags()
        daemon = bed.start()
        played = flood(bed)
        time.sleep(1)
        told = check_account(bed, played)
        check_shedding(told)
        check_recovery(bed, shed(told))
        bed.stop(daemon)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    if os.cpu_count() < 2:
        skip('the loop wants a core for itself')
    main()
