#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A thousand node agents in one process (crowd/) against one flyballd: leases on time while nothing happens,
and no device above its fail-safe cap later than its deadline + A while agents and watchdogs are killed,
stopped, restarted, cut off and put to sleep, and flyballd is killed and stopped, in random order.

usage: crowd_test.py [--long] [--seed N]   short: 1,000 strikes in 18 s; long: 20,000 in 500 s
Exit code 77 skips: not root."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

from daemon_test import Bed, skip

CROWD = os.environ['FLYBALL_CROWD']
HOSTS, ROW = 1000, 100
SITE = """site: crowd
mode: enforce
auth: none
policy: {{lease: 1s, report: 100ms, tick: 20ms, clock_rate_error: 1%, shed: none}}
nodes:
  - {{id: hall, kind: main, phases: 3, volts: 480V, rating: 1600A, rated: 100%}}
{nodes}
host_types:
  - {{id: small, cap: {{min: 200W, max: 1400W}}, base: 200W, overshoot: 5%, efficiency: 96%, phys_max: 1.8kW,
     inrush: 300W, power_factor: 0.98, actuation: 120ms, quantum: 10W, fail_safe: 400W}}
hosts:
{hosts}
redundancy: {{scheme: N}}
servers:
  - name: default
    ports:
      - {{role: meters, driver: af_packet, interface: fb-meters-{suffix}, address: 198.51.100.1, udp: 7001,
         mtu: 1500, ring: 4096}}
      - {{role: hosts, driver: af_packet, interface: fb-hosts-{suffix}, address: 198.18.240.1, udp: 7002,
         mtu: 1500, ring: 16384}}
    cores: {{lane: 1, decide: 1, housekeeping: 0}}
    priority: 0
    lock_memory: yes
    rt_throttling: leave
    hugepages: auto
    memory: 128MiB
    door: {door}
"""


def write_site(bed):
    """Ten rows of a hundred hosts; the hall holds less than all want. Host N: 198.18.0.0 + 10 + N."""
    rows = HOSTS // ROW
    nodes = [f'  - {{id: row-{r}, kind: branch, parent: hall, phases: 3, volts: 480V, rating: 200A, '
             'rated: 100%}' for r in range(rows)]
    firsts = [10 + ROW * r for r in range(rows)]
    hosts = [f'  - {{id: r{r}, count: {ROW}, type: small, cord: row-{r}, '
             f'address: 198.18.{first // 256}.{first % 256}}}' for r, first in enumerate(firsts)]
    with open(bed.site, 'w', encoding='utf-8') as file:
        file.write(SITE.format(nodes='\n'.join(nodes), hosts='\n'.join(hosts), suffix=bed.suffix,
                               door=bed.door))


def address_hosts(suffix):
    """All addresses of hosts are the one interface's, without being listed: a route to itself."""
    inside = ['nsenter', f'--net=/run/netns/flyball-hosts-{suffix}', 'ip']
    for words in ('address add 198.18.240.2/24 dev eth0', 'route add local 198.18.0.0/20 dev lo',
                  'link set lo up'):
        subprocess.run([*inside, *words.split()], check=True)


class Daemon:
    """flyballd, killed and stopped when the crowd asks for it."""

    def __init__(self, bed):
        self.bed, self.process, self.kills, self.stops = bed, bed.start(), 0, 0

    def obey(self, words):
        if words[0] == 'kill':
            self.process.kill()
            self.process.wait()
            self.bed.running.remove(self.process)
            self.process = self.bed.start()
            self.kills += 1
        elif words[0] == 'stop':
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(int(words[1]) / 1000)
            self.process.send_signal(signal.SIGCONT)
            self.stops += 1


def play(bed, daemon, options, stderr=None):
    """Figures of the crowd, and its exit code. Orders to the daemon are worked off beside its reading."""
    process = subprocess.Popen([CROWD, bed.site, f'flyball-hosts-{bed.suffix}', *options],
                               stdout=subprocess.PIPE, stderr=stderr, encoding='utf-8')
    bed.running.append(process)
    figures, orders = None, []

    def work_off():
        for order in iter(lambda: orders.pop(0) if orders else (time.sleep(0.02), 'wait')[1], 'end'):
            if order != 'wait':
                daemon.obey(order.split()[1:])
    worker = threading.Thread(target=work_off)
    worker.start()
    try:
        for line in process.stdout:
            if line.startswith('daemon '):
                orders.append(line)
            elif line.startswith('{'):
                figures = json.loads(line)
    finally:
        orders.append('end')
        worker.join()
    return figures, process.wait()


def check(figures, code, strikes):
    assert figures, f'the crowd said nothing: exit code {code}'
    print(json.dumps(figures))
    struck = figures['struck']
    hosts_struck = sum(count for name, count in struck.items() if not name.startswith('daemon_'))
    assert figures['violations'] == 0, 'a device stood above its fail-safe cap after its deadline + A'
    assert figures['falls_unexplained'] == 0, 'hosts fell to fail-safe while flyballd answered others'
    assert figures['recovered_s'] >= 0, 'not every host came back'
    assert hosts_struck == strikes and all(count > 0 for count in struck.values()), struck
    assert figures['leases_obeyed'] > HOSTS and figures['report_to_lease_us']['count'] > HOSTS
    assert figures['lease_to_actuator_us']['count'] > 0 and figures['checks'] > HOSTS * strikes
    assert code == 0, f'exit code {code}'


def check_that_it_can_fail(bed, daemon, seed):
    """Watchdogs that see nothing leave the devices of a killed or stopped agent as they are."""
    figures, code = play(bed, daemon, ['--seed', seed, '--quiet', '0', '--over', '2', '--strikes', '100',
                                       '--blind', '1'], stderr=subprocess.DEVNULL)
    assert figures and figures['violations'] > 0 and code == 1, (figures, code)


def main():
    if os.geteuid() != 0:
        skip('needs root, for network namespaces')
    arguments = sys.argv[1:]
    is_long = '--long' in arguments
    seed = arguments[arguments.index('--seed') + 1] if '--seed' in arguments else str(time.time_ns())
    strikes, over, quiet, kills = (20000, 500, 60, 20) if is_long else (1000, 18, 5, 2)
    with Bed('crwd') as bed:
        write_site(bed)
        address_hosts(bed.suffix)
        daemon = Daemon(bed)
        check_that_it_can_fail(bed, daemon, seed)
        figures, code = play(bed, daemon, ['--seed', seed, '--quiet', str(quiet), '--over', str(over),
                                           '--strikes', str(strikes), '--kills', str(kills),
                                           '--stops', str(kills)])
        check(figures, code, strikes)
        assert daemon.kills == daemon.stops == kills
        _, summary = bed.stop(daemon.process)
        assert summary['counters']['core']['invariant_failures'] == 0, summary['counters']['core']


if __name__ == '__main__':
    main()
