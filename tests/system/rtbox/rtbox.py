#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The box: Debian's PREEMPT_RT kernel under emulation, two e1000e cards bound to DPDK, flyballd inside, the
demo's plant outside. A matter of function: what is emulated says nothing about time.

usage: rtbox.py [--break receive|send|link] [--self-test] [--keep DIR] SOURCE BUILD

  --break PART   plays the same with a flyballd whose pci driver has that part broken: must end with 1
  --self-test    after the verdict, each of the three in turn: the right check must fail, and only that one
  --keep DIR     leaves console, logs, journal and outcomes there

Exit code: 0 every check is good, 1 one is not, 2 bad usage, 77 skipped: this machine cannot, and why."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import box
import card_clock
import image

HERE = os.path.dirname(os.path.abspath(__file__))
DOOR = '/run/door.sock'
HOSTS, MOST_HOSTS, METERS = 60, 54, 9
LEASE_S, CUT_S, PATIENCE_S = 2, 4, 20
# Ungoverned a breaker trips after 15.2 s: a run that proves that none does goes on for longer.
WHOLE_S, SHORT_S, MOST_S = 18, 6, 120
# What each defect must break, and nothing else. Without frames from outside nothing is heard at all: that one
# comes last, because what it never took stands in the emulated card when the next daemon begins.
BREAKS = {'link': {'the cut is seen inside'},
          'send': {'hosts hold leases', 'leases arrive'},
          'receive': {'meters are heard', 'hosts hold leases', 'leases arrive'}}


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def site_text(source):
    """The demo's site with the box's cards. Lease and ages leave room for the slowness of emulation."""
    text = read(f'{source}/config/demo/site.yaml')
    changes = [('lease: 1s', f'lease: {LEASE_S}s'), ('fresh: 100ms', 'fresh: 1s'),
               ('hugepages: auto', 'hugepages: yes'), ('memory: 256MiB', 'memory: 128MiB'),
               ('/run/flyball/demo.sock', DOOR)]
    changes += [(f'driver: af_packet, interface: fb-{side}', f'driver: pci, interface: "{address}"')
                for side, address in box.PCI.items()]
    for old, new in changes:
        assert old in text, f'the demo site has no "{old}" any more'
        text = text.replace(old, new)
    return text


class Verdict:
    """Named checks, each with its figure."""

    def __init__(self, indent=''):
        self.failed, self.indent = set(), indent

    def check(self, name, good, figure):
        print(f'{self.indent}{"ok" if good else "NOT OK"}: {name}: {figure}', flush=True)
        if not good:
            self.failed.add(name)
        return good


class Play:
    """The box, the daemon in it, and a plant outside."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.build = os.path.abspath(arguments.build)
        self.flyball = f'{self.build}/src/cli/flyball'
        self.network = box.Network(f'r{os.getpid() & 0xfff:03x}')
        self.machine, self.plant, self.starts, self.at = None, None, 0, 0

    def boot(self):
        release, kernel, system = image.kernel()
        site = site_text(self.arguments.source)
        with open(f'{self.folder}/site.yaml', 'w', encoding='utf-8') as file:
            file.write(site)
        programs = {'flyball': self.flyball, 'flyballd': f'{self.build}/src/cli/flyballd',
                    'flyballd-broken': f'{self.build}/tests/system/flyballd_broken',
                    'card_test': f'{self.build}/tests/system/card_test',
                    'phc_keep': f'{self.build}/tests/system/phc_keep',
                    'leap_soon': f'{self.build}/tests/system/leap_soon'}
        sites = {name: (text, 0o644) for name, text in card_clock.SITES.items()}
        image.pack(f'{self.folder}/image', system, programs,
                   {'init': (read(f'{HERE}/init'), 0o755), 'site.yaml': (site, 0o644), **sites})
        self.network.up()
        self.machine = box.Machine(self.folder, kernel, f'{self.folder}/image', self.network.tap)
        began = time.monotonic()
        self.machine.start()
        print(f'{release} is up after {time.monotonic() - began:.1f} s', flush=True)

    def close(self):
        if self.plant and self.plant.poll() is None:
            self.plant.kill()
            self.plant.wait()
        if self.machine:
            self.machine.stop()
        self.network.down()

    def status(self):
        code, answer = self.machine.run(f'flyball status --door {DOOR} --json 2>/dev/null')
        return json.loads(answer) if code in (0, 1) and answer.startswith(b'{') else None

    def wait_until(self, what, limit_s=PATIENCE_S):
        """The first status that pleases `what`, else the last."""
        end = time.monotonic() + limit_s
        while True:
            status = self.status()
            if (status and what(status)) or time.monotonic() > end:
                return status
            time.sleep(0.2)

    def boot_again(self):
        """A machine that knows nothing of what went before, behind the same cables."""
        self.machine.stop()
        self.machine = box.Machine(self.folder, self.machine.kernel, self.machine.image, self.network.tap)
        self.machine.start()
        self.starts = 0

    def tell(self):
        """What a reader of the log wants to know of a run that went wrong."""
        for side, space in self.network.space.items():
            for what in (['-s', 'link', 'show', 'eth0'], ['neighbour', 'show']):
                told = subprocess.run(['ip', '-netns', space, *what], capture_output=True, text=True,
                                      check=False)
                print(f'    {side}: ip {" ".join(what)}\n{told.stdout.rstrip()}')
        lanes = self.machine.text('grep -o \'"lanes": .*\' /run/summary.json')
        daemon = self.machine.text(f'tail -n 5 /run/flyballd.{self.starts}.log')
        plant = read(f'{self.folder}/plant.log')
        print(f'    lanes: {lanes[:3000]}\n    daemon: {daemon}\n    plant: {plant[-700:]}', flush=True)

    def start_daemon(self, broken=None):
        program = f'export FLYBALL_BREAK={broken}; PROGRAM=flyballd-broken' if broken else 'PROGRAM=flyballd'
        self.machine.run(f"echo '{program}' >/run/flyballd.env; rm -f /run/hold")
        self.starts += 1
        return self.wait_until(lambda status: True)

    def stop_daemon(self):
        seen = len(self.machine.said())
        self.machine.run('touch /run/hold; kill $(cat /run/flyballd.pid)')
        return int(self.machine.wait_for(r'box: flyballd \d+ left with (\d+)', PATIENCE_S, seen).group(1))

    def start_plant(self):
        self.outcome = f'{self.folder}/plant.json'
        with open(f'{self.folder}/plant.log', 'a', encoding='utf-8') as log:
            self.plant = subprocess.Popen(
                [self.flyball, 'plant', f'{self.folder}/site.yaml', '--workload',
                 f'{self.arguments.source}/config/demo/workload.yaml', '--mode', 'governed', '--duration',
                 f'{MOST_S}s', '--meters-netns', self.network.space['meters'], '--hosts-netns',
                 self.network.space['hosts'], '--json', self.outcome], stdout=log, stderr=log,
                preexec_fn=box.die_with_parent)
        self.playing_since = time.monotonic()

    def finish_plant(self, at_least_s=0):
        time.sleep(max(0.0, self.playing_since + at_least_s - time.monotonic()))
        self.plant.send_signal(signal.SIGTERM)
        assert self.plant.wait(timeout=30) == 0, read(f'{self.folder}/plant.log')
        return json.loads(read(self.outcome))


def holding(status):
    """Hosts that were heard within a lease and hold one."""
    return sum(host['state'] == 'leased' and host['accepted'] and host['report_age_ms'] < LEASE_S * 1000
               for host in status['hosts']) if status else 0


def fresh(status):
    return sum(meter['age_ms'] is not None and meter['age_ms'] < 1000
               for meter in status['meters']) if status else 0


def settled(status):
    return holding(status) >= MOST_HOSTS and fresh(status) == METERS


def hosts_lane(status):
    return status['counters']['lanes'][-1] if status else {'link': 'unknown'}


def check_machine(play, verdict):
    run = play.machine.text
    real_time, version = run('cat /sys/kernel/realtime'), run('uname -v')
    verdict.check('the kernel is real-time', real_time == '1', f'/sys/kernel/realtime is {real_time}')
    verdict.check('the kernel says PREEMPT_RT', 'PREEMPT_RT' in version, version)
    show = 'echo $(cat vendor device) $(basename $(readlink driver))'
    cards = [run(f'cd /sys/bus/pci/devices/{address}; {show}') for address in box.PCI.values()]
    verdict.check('both cards are e1000e and given to userspace',
                  cards == ['0x8086 0x10d3 uio_pci_generic'] * 2, ', '.join(cards))
    wrong = f's/{box.PCI["meters"]}/{box.FAR_PCI}/'
    refused = run(f"sed '{wrong}' /site.yaml >/tmp/wrong.yaml; flyballd /tmp/wrong.yaml 2>&1")
    verdict.check('a card that the kernel has is refused by name',
                  f"{box.FAR_PCI}: the kernel's driver e1000e has this device" in refused, refused)


def check_card(play, verdict):
    """What every port must do, on a card whose cable ends at one of the kernel's."""
    # A new MTU takes the kernel's card down and up again.
    play.machine.run('ip link set eth0 mtu 9000; sleep 0.1; n=0; '
                     'until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ] || [ $((n += 1)) -gt 200 ]; '
                     'do sleep 0.1; done')
    for driver, pages, mtu in [('uio_pci_generic', 'huge', 1500), ('uio_pci_generic', 'huge', 9000),
                               ('vfio-pci', 'small', 1500)]:
        play.machine.run(f'cd /sys/bus/pci/devices/{box.NEAR_PCI}; echo {box.NEAR_PCI} >driver/unbind; '
                         f'echo {driver} >driver_override; echo {box.NEAR_PCI} >/sys/bus/pci/drivers_probe')
        code, answer = play.machine.run(f'card_test {box.NEAR_PCI} eth0 {pages} {mtu}', 120)
        said = answer.decode(errors='replace')
        wrong = re.findall(r'(?:ERROR|LINE|FAILED) +\] (?:--- )?(.*)', said)
        verdict.check(f'a card with {driver} carries what a port must, MTU {mtu}, {pages} pages',
                      code == 0 and 'OK ]' in said,
                      f'{said.count("OK ]")} tests passed' + ''.join('; ' + line for line in wrong[:8]))


def check_ports(play, verdict):
    said = play.machine.text(f'cat /run/flyballd.{play.starts}.log')
    ports = re.findall(r'port (\S+) on (\S+)', said)
    return verdict.check('the driver in use is pci on both cards',
                         ports == [('pci', address) for address in box.PCI.values()],
                         ', '.join(' on '.join(port) for port in ports) or said)


def check_settled(play, verdict):
    status = play.wait_until(settled)
    heard, held = fresh(status), holding(status)
    verdict.check('meters are heard', heard == METERS, f'{heard} of {METERS} fresh')
    verdict.check('hosts hold leases', held >= MOST_HOSTS, f'{held} of {HOSTS}, {MOST_HOSTS} wanted')


def is_cut(status):
    return hosts_lane(status)['link'] == 'down' and status['verdict'] == 'alarm'


def cut(play, verdict):
    """The hosts' cable out for longer than a lease, then in again."""
    play.machine.set_link('hosts', False)
    end = time.monotonic() + CUT_S
    status = play.wait_until(is_cut, CUT_S - 1)
    seen = is_cut(status) and 'link down on port pci' in status['words']
    verdict.check('the cut is seen inside', seen, f'link {hosts_lane(status)["link"]}, '
                  f'{status["verdict"]}: {status["words"]}' if status else 'no status')
    while time.monotonic() < end:
        time.sleep(0.05)
    play.machine.set_link('hosts', True)


def check_restored(play, verdict):
    status = play.wait_until(lambda s: settled(s) and hosts_lane(s)['link'] == 'up')
    link, held = hosts_lane(status)['link'], holding(status)
    verdict.check('after the cut hosts hold leases again', held >= MOST_HOSTS and link == 'up',
                  f'{held} of {HOSTS}, link {link}')


def check_outcome(outcome, verdict, what, cut_long_enough):
    caps, branch = outcome['caps'], outcome['node']['branch-a']
    verdict.check(f'no breaker tripped {what}', outcome['trips'] == 0,
                  f'{outcome["trips"]} trips in {outcome["duration_s"]:.0f} s, branch-a at most '
                  f'{branch["peak_a"]:.0f} A of {branch["limit_a"]:.0f}')
    verdict.check(f'leases arrive {what}' if cut_long_enough else 'leases arrive', caps['accepted'] > 0,
                  f'{caps["accepted"]} accepted, {caps["enforced"]} changes of caps enforced')
    if cut_long_enough:
        verdict.check(f'hosts fell to fail-safe by themselves {what}', caps['fail_safe_falls'] >= MOST_HOSTS,
                      f'{caps["fail_safe_falls"]} falls, {MOST_HOSTS} wanted')


def play_cut(play, verdict):
    play.start_plant()
    check_settled(play, verdict)
    cut(play, verdict)
    check_restored(play, verdict)
    check_outcome(play.finish_plant(WHOLE_S), verdict, 'through the cut', True)


def play_kill(play, verdict):
    play.start_plant()
    before = play.wait_until(settled)
    seen = len(play.machine.said())
    play.machine.run('kill -9 $(cat /run/flyballd.pid)')
    code = int(play.machine.wait_for(r'box: flyballd \d+ left with (\d+)', PATIENCE_S, seen).group(1))
    play.starts += 1
    first = before['epoch'] if before else 0
    after = play.wait_until(lambda s: s['epoch'] > first and settled(s))
    second = after['epoch'] if after else 0
    verdict.check('killed, it is started again with a higher epoch', code == 137 and second > first > 0,
                  f'exit code {code}, epoch {first}, then {second}')
    verdict.check('after the kill hosts hold leases again', holding(after) >= MOST_HOSTS,
                  f'{holding(before)} of {HOSTS} before, {holding(after)} after')
    check_outcome(play.finish_plant(WHOLE_S), verdict, 'through the kill', True)


def check_end(play, verdict):
    code = play.stop_daemon()
    summary = json.loads(play.machine.run('cat /run/summary.json')[1] or b'{}')
    core = summary.get('counters', {}).get('core', {})
    verdict.check('it ends when told to', code == 0 and core.get('invariant_failures') == 0,
                  f'exit code {code}, {core.get("invariant_failures")} invariants failed, '
                  f'{core.get("leases")} leases decided')
    journal = f'{play.folder}/box.journal'
    with open(journal, 'wb') as file:
        file.write(play.machine.run(f'cat /run/{play.starts}.journal')[1])
    replay = subprocess.run([play.flyball, 'replay', journal, '--json'], capture_output=True, text=True,
                            check=False)
    found = json.loads(replay.stdout) if replay.returncode in (0, 1) else {}
    verdict.check('its journal replays exactly outside', bool(found.get('exact')),
                  f'{os.path.getsize(journal) >> 10} KiB, {found.get("seconds")} seconds, '
                  f'{found.get("slots")} slots' if found else replay.stderr)


def whole(play, broken):
    verdict = Verdict()
    check_machine(play, verdict)
    check_card(play, verdict)
    card_clock.check(play.machine, verdict)
    play.start_daemon(broken)
    if check_ports(play, verdict):
        play_cut(play, verdict)
        play_kill(play, verdict)
        check_end(play, verdict)
    return not verdict.failed


def notices(play, part):
    """A short run with one part of the driver broken; true where exactly the right checks fail."""
    print(f'the driver with its part "{part}" broken:')
    verdict = Verdict('    ')
    play.start_daemon(part)
    check_ports(play, verdict)
    play.start_plant()
    status = play.wait_until(settled, SHORT_S)
    verdict.check('meters are heard', fresh(status) == METERS, f'{fresh(status)} of {METERS} fresh')
    verdict.check('hosts hold leases', holding(status) >= MOST_HOSTS, f'{holding(status)} of {HOSTS}')
    cut(play, verdict)
    check_outcome(play.finish_plant(), verdict, 'meanwhile', False)
    play.stop_daemon()
    good = verdict.failed == BREAKS[part]
    if not good:
        play.tell()
    by = ', '.join(sorted(verdict.failed)) or 'nothing'
    print(f'{"ok" if good else "NOT OK"}: a broken "{part}" is noticed by: {by}', flush=True)
    return good


def notices_anew(play, part):
    """Once more: the question is whether it is noticed, not what an emulated card kept from before."""
    print('the same in a machine that has just started:')
    play.boot_again()
    return notices(play, part)


def parse():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--break', dest='broken', choices=sorted(BREAKS))
    parser.add_argument('--self-test', action='store_true')
    parser.add_argument('--keep')
    parser.add_argument('-h', '--help', action='store_true')
    parser.add_argument('source', nargs='?')
    parser.add_argument('build', nargs='?')
    arguments = parser.parse_args()
    if arguments.help or not arguments.build:
        print(__doc__)
        sys.exit(0 if arguments.help else 2)
    return arguments


def main():
    arguments = parse()
    if os.geteuid() != 0:
        skip('needs root: network namespaces and tap devices')
    if not os.path.exists('/dev/net/tun'):
        skip('this machine has no /dev/net/tun')
    folder = arguments.keep or tempfile.mkdtemp(prefix='flyball-rtbox-')
    os.makedirs(folder, exist_ok=True)
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(stop, lambda *_: sys.exit(130))
    began, play, good = time.monotonic(), Play(arguments, folder), False
    try:
        play.boot()
        good = whole(play, arguments.broken)
        for part in BREAKS if arguments.self_test and good else []:
            good = (notices(play, part) or notices_anew(play, part)) and good
    except image.Unavailable as reason:
        skip(reason)
    finally:
        play.close()
        if not arguments.keep:
            shutil.rmtree(folder)
        print(f'{time.monotonic() - began:.0f} s in all', flush=True)
    print(f'rtbox: {"ok" if good else "NOT OK"}')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
