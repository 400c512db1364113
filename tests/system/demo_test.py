#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/demo, shortened to 8 s, as a user calls it: the figures it promises are there, nothing trips, nothing
is lost, the run replays exactly here and with every compiler; and a wrong argument changes nothing. The
energy figures are promised for a whole run and only have to be numbers here.

usage: demo_test.py SOURCE BUILD CASE
Exit code 77 skips: not root, or a demo is under way on this machine."""
import json
import os
import subprocess
import sys
import tempfile
import time

SECONDS = 8
PATIENCE_S = 90         # for a demo that is under way elsewhere
# The figures that readers of the JSON may rely on.
NUMBERS = ['ungoverned.trips', 'governed.trips', 'governed.energy_vs_derated', 'governed.energy_vs_static',
           'governed.energy_vs_oracle', 'governed.caps_sent', 'governed.caps_enforced', 'packets.received',
           'packets.refused', 'packets.lost', 'latency_us.loop.p50', 'latency_us.loop.p99',
           'latency_us.loop.p999', 'latency_us.loop.max', 'replay.seconds', 'replay.slots']
USAGE = [(['--nonsense'], 'unknown argument'), (['--seconds', '4'], '--seconds'),
         (['--seconds', 'soon'], '--seconds'), (['--json'], 'wants a value'),
         (['--json', '/nowhere/at/all/demo.json'], 'no folder'),
         (['--seconds', '8', 'more'], 'unknown argument')]


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def figure(result, path):
    for key in path.split('.'):
        assert isinstance(result, dict) and key in result, f'{path} is missing'
        result = result[key]
    return result


def check_figures(result):
    for path in NUMBERS:
        value = figure(result, path)
        assert isinstance(value, (int, float)) and not isinstance(value, bool), f'{path} is {value!r}'
    expected = {'governed.trips': 0, 'packets.lost': 0, 'replay.exact': True,
                'governed.invariant_failures': 0}
    for path, value in expected.items():
        assert figure(result, path) == value, f'{path} is {figure(result, path)!r}, not {value!r}'
    # The plant sends 9 meters' readings every 16 ms and each host speaks many times a second.
    floors = {'ungoverned.trips': 1, 'governed.caps_sent': 60, 'governed.caps_enforced': 60,
              'packets.received': 4000, 'replay.seconds': SECONDS - 2, 'latency_us.loop.p50': 0.1}
    for path, least in floors.items():
        assert figure(result, path) >= least, f'{path} is {figure(result, path)}, not {least} or more'
    latency = [figure(result, f'latency_us.loop.{q}') for q in ('p50', 'p99', 'p999', 'max')]
    assert latency == sorted(latency), f'latencies out of order: {latency}'


def play(source, build, folder):
    """The demo's own words; waits for one that is under way in another checkout."""
    command = [f'{source}/tools/demo', '--seconds', str(SECONDS), '--json', 'demo.json', '--keep', 'kept',
               '--build', build]
    give_up = time.monotonic() + PATIENCE_S
    while True:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if 'another demo is under way' not in done.stdout:
            return done
        if time.monotonic() > give_up:
            skip(f'another demo is under way on this machine, for {PATIENCE_S} s now')
        time.sleep(2)


def case_run(source, build):
    if os.geteuid() != 0:
        skip('needs root for network namespaces and packet sockets')
    if 'flyball-meters ' in said('ip', 'netns', 'list').replace('\n', ' ') + ' ':
        skip('the namespace flyball-meters is there: a demo is under way, or was killed (tools/net down)')
    with tempfile.TemporaryDirectory(prefix='flyball-demo-') as folder:
        done = play(source, build, folder)
        print(done.stdout)
        assert done.returncode == 0, f'exit code {done.returncode}'
        with open(f'{folder}/demo.json', encoding='utf-8') as file:
            check_figures(json.load(file))
        left = said('ip', 'netns', 'list')
        assert 'flyball-meters ' not in left.replace('\n', ' ') + ' ', f'left behind: {left}'
        subprocess.run([f'{source}/tests/system/replay_compilers.sh', source, build,
                        f'{folder}/kept/demo.journal'], check=True)


def state(source):
    """What a demo touches, as far as it can be seen."""
    run = os.listdir('/run/flyball') if os.path.isdir('/run/flyball') else None
    return os.listdir(source), run, [name for name in os.listdir('/sys/class/net') if name == 'fb-meters']


def case_usage(source, _build):
    before = state(source)
    for arguments, words in USAGE:
        done = subprocess.run([f'{source}/tools/demo', *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=20, check=False)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}, not 2'
        assert words in done.stderr, f'{arguments}: "{words}" is not in: {done.stderr}'
        assert not done.stdout, f'{arguments}: does something before it complains: {done.stdout}'
    assert state(source) == before, f'{state(source)}\nwas {before}'


if __name__ == '__main__':
    globals()['case_' + sys.argv[3]](sys.argv[1], sys.argv[2])
