#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wire to wire, seen by programs in the kernel (flyball latency --wire) and by the sender itself: from a
meter's frame that calls an emergency to the first lease that cuts a host for it, tags both ways. Then, of a
flyballd without real-time priority, the 10 worst moments, who took time in them, and how much that explains
of what they took beyond the median, and beyond that and the machine's own noise: a gap meter of the same
priority on the same core, just before. What a hypervisor takes explains nothing.

usage: wire [--json] [--seconds N], in the folder of benches of a build, as root: watches of N seconds (5).
Exit code 77 skips; 1: the two measurements are further apart than 5 %.
"""
import argparse
import bisect
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = '@SOURCE@'
sys.dont_write_bytecode = True
sys.path.insert(0, SOURCE + '/bench')
from report import moments, system      # noqa: E402 pylint: disable=wrong-import-position

CLI = os.path.join(HERE, '..', system.BUILT['CLI'])
LOOP_CORE = 1               # of the demo's site
PREQUEUE = '/proc/sys/net/core/netdev_tstamp_prequeue'
BAR, PATIENCE_S, ROWS_LEAST, TRIES = 0.05, 60, 300, 5
# Emergencies that lie across an end of the watch, or that one of the two lost, by share of all.
UNPAIRED_MOST, ENDS = 0.02, 3


def skip(reason):
    print(f'wire: skipped: {reason}', file=sys.stderr)
    sys.exit(77)


def write(path, value):
    with open(path, 'r+', encoding='utf-8') as file:
        before = file.read()
        file.seek(0)
        file.write(value)
    return before


def quantile(values, q):
    """The least that at least that part of them does not exceed, as histograms here have it."""
    values = sorted(values)
    return values[max(0, -(-int(q * 1e6) * len(values) // 10**6) - 1)]


def width_ns(edge_ns):
    """Of a bucket: 32 an octave."""
    return 1 << max(0, edge_ns.bit_length() - 6)


def middle_ns(row, q):
    """The quantile of a histogram, spread evenly over its bucket: edges alone may be 3 % off."""
    rank = max(1, -(-int(q * 1e6) * row['n'] // 10**6))
    for edge_ns, count in row['buckets']:
        if rank <= count:
            return edge_ns + width_ns(edge_ns) * (rank - 0.5) / count
        rank -= count
    raise AssertionError('an empty histogram')


def histogram(values):
    """Buckets as flyball's own histograms have them."""
    edges = {}
    for value in values:
        edge = value // width_ns(value) * width_ns(value)
        edges[edge] = edges.get(edge, 0) + 1
    return [[edge, edges[edge]] for edge in sorted(edges)]


class Sender:
    """wire_own, which has the loop in it."""

    def __init__(self):
        self.suffix = f'{os.getpid() & 0xfff:x}w'
        self.process = subprocess.Popen([os.path.join(HERE, 'wire_own'), self.suffix], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, encoding='utf-8')
        said = ''
        for line in self.process.stderr:
            if line == 'ready\n':
                return
            said += line
        raise SystemExit(f'wire: {said}')

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        text, _ = self.process.communicate(timeout=PATIENCE_S)
        return json.loads(text)

    def leave(self):
        """It takes its network away itself."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def watch(process, seconds, *options):
    done = subprocess.run([CLI, 'latency', '--pid', str(process.pid), '--json', '--for', f'{seconds}s',
                           *options], capture_output=True, encoding='utf-8', check=False, timeout=PATIENCE_S)
    if done.returncode == 5:
        skip(done.stderr.strip())
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(f'wire: flyball latency: {done.stderr}')
    return json.loads(done.stdout)


def compare(seen, said):
    """The same emergencies by both; one may lie across either end."""
    end_ns = seen['began_ns'] + seen['duration_ns']
    rows = [row for row in said['rows'] if seen['began_ns'] < row[0] < end_ns]
    first = seen['wire']['rows']['first']
    if seen['wire']['egress_unseen']:
        skip('this kernel shows nothing of what leaves an interface: Linux 6.6 does')
    if len(rows) < ROWS_LEAST or abs(first['n'] - len(rows)) > len(rows) * UNPAIRED_MOST + ENDS:
        return None
    own = [row[1] for row in rows]
    apart = [abs(middle_ns(first, q) / quantile(own, q) - 1) for q in (0.5, 0.99)]
    return {'commit': said['commit'], 'n': len(own), 'seen_n': first['n'],
            'apart_p50': apart[0], 'apart_p99': apart[1],
            'own_us_p50': quantile(own, 0.5) / 1e3, 'own_us_p99': quantile(own, 0.99) / 1e3,
            'seen_us_p50': middle_ns(first, 0.5) / 1e3, 'seen_us_p99': middle_ns(first, 0.99) / 1e3,
            'calls_us_p50': quantile([row[2] for row in rows], 0.5) / 1e3,
            'ambiguous': seen['wire']['ambiguous'], 'unmatched': seen['wire']['unmatched'],
            'own_ns': histogram(own), 'seen_ns': first['buckets']}


def worse_part(found):
    return max(found['apart_p50'], found['apart_p99'])


def gap_meter(seconds):
    """What the loop's core does to a thread that only reads the clock, while nobody else is there."""
    done = subprocess.run([os.path.join(HERE, 'gaps'), str(LOOP_CORE), str(seconds)], capture_output=True,
                          encoding='utf-8', check=False, timeout=PATIENCE_S)
    if done.returncode:
        raise SystemExit(f'wire: gaps: {done.stderr}')
    return json.loads(done.stdout)


def watch_daemon(seconds):
    """Time is skipped in the loop above, which no stage of it survives: this one is a whole daemon."""
    play = system.test_module('daemon_test', SOURCE, HERE + '/..')
    floor = gap_meter(seconds)
    with play.Bed(f'{os.getpid() & 0xff:x}m') as bed:
        daemon = bed.start()
        traffic = bed.traffic(PATIENCE_S)
        time.sleep(1)
        seen = watch(daemon, seconds)
        play.finish(traffic, early=True)
        bed.stop(daemon)
    return moments.explained(seen, floor)


def tell(found, began):
    said = f'{found["n"]} emergencies, {worse_part(found):.1%} apart' if found else 'too few that both saw'
    print(f'wire: {time.monotonic() - began:.1f} s: {said}', file=sys.stderr)


def one_watch(seconds):
    began, sender = time.monotonic(), Sender()
    try:
        seen = watch(sender.process, seconds, '--no-noise', '--wire',
                     f'flyball-hosts-{sender.suffix}:eth0')
        found = compare(seen, sender.end())
        tell(found, began)
        return found
    finally:
        sender.leave()


def measure(seconds):
    """One watch that meets the bar is enough; else the median of five: a stall that lies in one of the two
    measurements alone moves the tail of one, what is systematic shows each time."""
    before, found = write(PREQUEUE, '0'), []
    try:
        for _ in range(TRIES):
            found += filter(None, [one_watch(seconds)])
            if len(found) == 1 and worse_part(found[0]) < BAR:
                break
    finally:
        write(PREQUEUE, before)
    if not found:
        skip(f'this machine is too slow: fewer than {ROWS_LEAST} emergencies that both saw')
    found.sort(key=worse_part)
    return found[len(found) // 2] | {'watches': len(found)}


def say(found):
    for key, value in found.items():
        if not isinstance(value, (list, dict)):
            print(f'{key:18} {value}')
    for moment in found['moments']:
        print(f'{moment["stage"]:10} {moment["took_us"]:10.1f} us, usual {moment["usual_us"]:.1f}, '
              f'the machine {moment["floor_us"]:.1f}: '
              f'{moment["explained_us"]:.1f} us by {moment["culprits"]}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--json', action='store_true')
    parser.add_argument('--seconds', type=int, default=5)
    options = parser.parse_args()
    if os.geteuid():
        skip('needs root for namespaces and programs in the kernel')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = {'bench': 'wire'} | measure(options.seconds) | watch_daemon(options.seconds)
    print(json.dumps(found)) if options.json else say(found)
    return 0 if worse_part(found) < BAR else 1


if __name__ == '__main__':
    sys.exit(main())
