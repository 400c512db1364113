#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What misses its budget in a flyballd in real time, with meters at their rate, hosts that report,
emergencies, and neighbours that take what they can: first beside its core, then on it, too. It is what
tests/system/budget_test.py plays for three minutes or an hour.

usage: budget [--json] [--seconds N], in the folder of benches of a build, as root: N seconds in all (180).
Exit code 77 skips.
"""
import argparse
import json
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = '@SOURCE@'
sys.dont_write_bytecode = True
sys.path.insert(0, SOURCE + '/bench')
from report import host, system         # noqa: E402 pylint: disable=wrong-import-position

BESIDE = 0.6        # of the time, neighbours are beside its core alone


def phases(seconds):
    beside = max(1, round(seconds * BESIDE))
    return (('neighbours beside it', beside, ()), ('and one on its core', max(1, seconds - beside), (1,)))


def told(found, took_s):
    """Every figure that the bench prints, of what was played."""
    counters, budget = found['summary']['counters'], found['told']['counters']['budget']
    watch, core = found['watch'], counters['core']
    inputs, without = found['told']['counters']['decide']['slots'], watch.unexplained
    return {
        'bench': 'budget', 'driver': 'af_packet', 'seed': 0, 'duration_s': round(took_s, 1),
        'commit': host.said_by('git', 'describe', '--always', '--dirty', '--abbrev=12', cwd=SOURCE),
        'n': inputs, 'inputs': inputs,
        'readings': core['readings'], 'reports': core['reports'],
        'emergency_leases': counters['egress']['emergencies'],
        'fifo': found['fifo'], 'seconds': sum(row['seconds'] for row in found['phases']),
        'misses': budget['misses'], 'by_gap': budget['by_gap'], 'by_network': budget['by_network'],
        'emergency_misses': budget['emergency_misses'],
        'without_long_gap': sum(miss.get('not listed', 1) for miss in without), 'those': without[:20],
        'longest_gap_ms': budget['longest_gap_us'] / 1e3,
        'gaps_20ms': sum(row['big'] for row in found['phases']),
        'gaps_lost_ms': sum(row['lost_ms'] for row in found['phases']),
        'kernel_waited_ms': sum(row['waited_ms'] for row in found['phases']),
        'phases': {row['name']: row for row in found['phases']}, 'stages': found['told']['budget']['stages'],
        'latency_us': found['told']['latency_us'],
    }


def say(found):
    for key, value in found.items():
        if not isinstance(value, (list, dict)):
            print(f'{key:18} {value}')
    for row in [*found['phases'].values(), *found['stages'], *found['those']]:
        print('  ' + ', '.join(f'{key} {value}' for key, value in row.items()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--json', action='store_true')
    parser.add_argument('--seconds', type=int, default=180)
    options = parser.parse_args()
    if options.seconds < 2:
        parser.error('--seconds: from 2')
    for lacking, why in ((os.geteuid() != 0, 'needs root: network namespaces, packet sockets, SCHED_FIFO'),
                         ((os.cpu_count() or 1) < 2, 'the loop wants a core for itself')):
        if lacking:
            print(f'budget: skipped: {why}', file=sys.stderr)
            return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    lock, began = system.alone(), time.monotonic()
    played = system.test_module('budget_test', SOURCE, HERE + '/..').play(
        f'{os.getpid() & 0xff:x}b', phases(options.seconds))
    os.close(lock)
    found = told(played, time.monotonic() - began)
    print(json.dumps(found)) if options.json else say(found)
    return 0


if __name__ == '__main__':
    sys.exit(main())
