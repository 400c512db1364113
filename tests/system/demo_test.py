#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/demo, shortened to 14 s, as root and as an ordinary user call it: the figures it promises are there,
nothing trips, nothing is lost, the run replays exactly here and with every compiler; and a wrong argument
changes nothing. The energy figures are promised for a whole run and only have to be numbers here.

usage: demo_test.py SOURCE BUILD CASE
Exit code 77 skips: not root, or a demo is under way on this machine."""
import json
import os
import pwd
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

SECONDS = 14            # the first 12 do not count
PATIENCE_S = 90         # for a demo that is under way elsewhere
# The figures that readers of the JSON may rely on.
NUMBERS = ['ungoverned.trips', 'governed.trips', 'governed.energy_vs_derated', 'governed.energy_vs_static',
           'governed.energy_vs_oracle', 'governed.caps_sent', 'governed.caps_enforced', 'packets.received',
           'packets.refused', 'packets.lost', 'latency_us.loop.p50', 'latency_us.loop.p99',
           'latency_us.loop.p999', 'latency_us.loop.max', 'replay.seconds', 'replay.slots',
           'governed.work_vs_static', 'governed.slowdown.training',
           'oracle.slowdown.serving']
NUMBERS_2N = [f'redundancy.{part}.{name}' for part in ('governed', 'killed')
              for name in ('trips', 'duration_s', 'energy_wh', 'slowdown.training', 'slowdown.serving',
                           'fail_safe_falls', 'invariant_failures')]
NUMBERS_2N += [f'redundancy.minute.{name}' for name in ('energy_vs_static', 'energy_vs_oracle',
                                                        'work_vs_static', 'slowdown.training')]
USAGE = [(['--nonsense'], 'unknown argument'), (['--site', '3n'], '--site'), (['--site'], 'wants a value'),
         (['--site', '2n', '--svg', 'demo.svg'], '--svg'), (['--seconds', '13'], '--seconds'),
         (['--seconds', 'soon'], '--seconds'), (['--json'], 'wants a value'),
         (['--driver', 'tap'], '--driver'),
         (['--json', '/nowhere/at/all/demo.json'], 'no folder'),
         (['--seconds', '16', 'more'], 'unknown argument')]


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


def check_numbers(result, paths):
    for path in paths:
        value = figure(result, path)
        assert isinstance(value, (int, float)) and not isinstance(value, bool), f'{path} is {value!r}'


def check_redundancy(result):
    """Feeds at 60 %, one lost: the survivor trips unless governed, also when flyballd dies in the transfer,
    and when a row of hosts resets its caps after it."""
    check_numbers(result, NUMBERS_2N)
    assert figure(result, 'redundancy.ungoverned.trips') >= 1
    assert figure(result, 'redundancy.ungoverned.trip')[0]['node'] == 'feed-b'
    for feed in ('feed-a', 'feed-b'):
        share = figure(result, f'redundancy.load_share.{feed}')
        assert 0.57 <= share <= 0.63, f'{feed} carries {share} of its limit'
    for part in ('governed', 'killed'):
        assert figure(result, f'redundancy.{part}.trips') == 0
        assert figure(result, f'redundancy.{part}.invariant_failures') == 0
        assert figure(result, f'redundancy.{part}.duration_s') > figure(result, 'redundancy.lost_at_s') + 3
        for feed in ('feed-a', 'feed-b'):       # the reserve is in use before the loss
            assert figure(result, f'redundancy.{part}.load_share.{feed}') >= 0.55
    assert figure(result, 'redundancy.governed.virtual_trips') == 0
    killed = figure(result, 'redundancy.killed')
    assert killed['restart_ms'] > 0 and killed['taken_ms'] > 0
    assert killed['taken_invariant_failures'] == 0
    # The first kill costs no host its cap, the second, where nobody waits, every host at most once. A machine
    # that was so busy that the lease time was over claims anew, as it should.
    if killed['taken_ms'] < 900:
        assert killed['handed'] == killed['hosts'] > 0 and killed['claims'] == 0
        assert killed['fail_safe_falls'] <= killed['hosts']
    assert figure(result, 'redundancy.reset.trips') == 0
    assert figure(result, 'redundancy.reset.hosts') >= 9
    assert figure(result, 'redundancy.reset.reset_at_s') + 3 < figure(result, 'redundancy.reset.duration_s')


def check_figures(result):
    check_numbers(result, NUMBERS)
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
            result = json.load(file)
        check_figures(result)
        check_redundancy(result)
        left = said('ip', 'netns', 'list')
        assert 'flyball-meters ' not in left.replace('\n', ' ') + ' ', f'left behind: {left}'
        subprocess.run([f'{source}/tests/system/replay_compilers.sh', source, build,
                        f'{folder}/kept/demo.journal'], check=True)


def as_nobody(source, build, folder, before=(), more=()):
    """The demo as user nobody, at home in `folder`; `before` stands before the command, `more` behind."""
    nobody = pwd.getpwnam('nobody')
    os.chmod(folder, 0o755)
    home = f'{folder}/home'
    os.mkdir(home)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    user = ['setpriv', f'--reuid={nobody.pw_uid}', f'--regid={nobody.pw_gid}', '--clear-groups']
    command = [*user, 'env', f'HOME={home}', f'TMPDIR={home}', f'{source}/tools/demo', '--build', build,
               '--site', 'plain', '--seconds', str(SECONDS), '--json', 'demo.json', *more]
    for path in (f'{source}/tools/demo', f'{build}/src/cli/flyballd'):
        if subprocess.run([*user, 'test', '-x', path], check=False).returncode:
            skip(f'user nobody may not read {path}')
    return subprocess.run([*before, *command], cwd=home, stdin=subprocess.DEVNULL, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120), home


def play_as_user(source, build, *more):
    """What was said, and the outcome; in a user namespace of its own."""
    with tempfile.TemporaryDirectory(prefix='flyball-demo-') as folder:
        done, home = as_nobody(source, build, folder, more=more)
        result = None
        if done.returncode == 0:
            with open(f'{home}/demo.json', encoding='utf-8') as file:
                result = json.load(file)
            assert os.listdir(home) == ['demo.json'], f'left behind: {os.listdir(home)}'
        return done, result


def check_as_user(done, result):
    print(done.stdout)
    if 'no user and network namespaces' in done.stdout:
        skip('an ordinary user may make no namespaces on this machine')
    assert done.returncode == 0, f'exit code {done.returncode}'
    assert done.stdout.rstrip().endswith('\ndemo: ok')
    words = [line for line in done.stdout.splitlines() if line.startswith('as an ordinary user, so: ')]
    assert len(words) == 1, f'{len(words)} lines say what it does without'
    for without in ('RT throttling not lifted', 'no hugepages'):
        assert without in words[0], f'"{without}" is missing in: {words[0]}'
    assert 'going on without' not in done.stdout
    check_figures(result)


def case_users(source, build):
    """Two ordinary users at once, each in a user namespace: no word is missing about what it does without.
    The second goes through the kernel's own sockets, which own the address then."""
    if os.geteuid() != 0:
        skip('needs root to become user nobody')
    with ThreadPoolExecutor(2) as both:
        plays = [both.submit(play_as_user, source, build, *more) for more in ((), ('--driver', 'uring'))]
        done = [play.result() for play in plays]
    for play in done:
        check_as_user(*play)
    words = done[1][0].stdout
    assert words.count('flyballd: port uring on ') == 2 and words.count('for the kernel <->') == 2


def case_forbidden(source, build):
    """Where user namespaces are forbidden, as in a chroot, it says so, and what to do, and does no more."""
    if os.geteuid() != 0:
        skip('needs root to become user nobody in a chroot')
    with tempfile.TemporaryDirectory(prefix='flyball-demo-') as folder:
        root = f'{folder}/root'
        os.mkdir(root)
        enter = f'mount --rbind / {root} && exec chroot {root} "$@"'
        inside = ['unshare', '--mount', 'sh', '-c', enter, 'sh']
        done, home = as_nobody(source, build, folder, before=inside)
        print(done.stdout)
        assert done.returncode == 1
        assert 'no user and network namespaces' in done.stdout and 'run it as root' in done.stdout
        assert not os.path.exists(f'{home}/demo.json')


def case_xdp(source, build):
    """What an ordinary user cannot have is refused before anything is made."""
    if os.geteuid() != 0:
        skip('needs root to become user nobody')
    with tempfile.TemporaryDirectory(prefix='flyball-demo-') as folder:
        done, home = as_nobody(source, build, folder, more=('--driver', 'af_xdp'))
        print(done.stdout)
        assert done.returncode == 1 and 'af_xdp' in done.stdout and 'run it as root' in done.stdout
        assert '== build' not in done.stdout and not os.listdir(home)


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
