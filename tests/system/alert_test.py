#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts of the site file over the real door of a real flyballd, daemon_traffic at the far ends: raised, kept
by their hysteresis, cleared, and what no meter tells said so.

usage: alert_test.py, with the environment of daemon_test.py. Exit code 77 skips."""
import json
import os
import signal
import time

from daemon_test import Bed, ask, finish, run_cli, skip

METER = 'm-rack-a1'
# Of daemon_traffic: 240 kW while heavy, some kW as it is, 480 W where hungry; 60 Hz, no word of distortion.
ALERTS = f'''
alerts:
  - {{id: heavy, meter: {METER}, when: power > 200kW clear 1kW for 100ms, severity: alarm}}
  - {{id: mains, kind: rack, when: frequency > 59Hz and not sag, severity: info}}
  - {{id: distorted, when: thd_current > 8% and power > 1W}}
'''
WITHIN_S = 30


def alerts(bed):
    return {alert['id']: alert for alert in ask(bed.door, b'status')['alerts']}


def wait_for(bed, what, holds):
    """The machine may stand still, and meters be lost for it: what is waited for comes all the same."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        seen = alerts(bed)
        if holds(seen):
            return seen
        time.sleep(0.05)
    raise AssertionError(f'{what}: {seen}')


def toggle(traffic):
    traffic.send_signal(signal.SIGUSR1)


def check_raised(bed, traffic):
    seen = wait_for(bed, 'mains at six racks', lambda seen: seen['mains']['now'] == 6)
    assert seen['heavy']['now'] == seen['heavy']['raised'] == 0, seen
    assert seen['mains']['meters'] == 6 and seen['distorted']['meters'] == 9
    toggle(traffic)
    seen = wait_for(bed, 'heavy is raised', lambda seen: seen['heavy']['now'] == 1)
    heavy = seen['heavy']
    assert heavy['newest'] == METER and heavy['severity'] == 'alarm' and heavy['raised'] == 1, heavy
    assert heavy['when'] == 'power > 200kW clear 1kW for 100ms', heavy
    assert heavy['values'][0]['quantity'] == 'power' and heavy['values'][0]['value'] == '240kW', heavy
    said = run_cli('status', '--door', bed.door, '--alerts')
    while said.stdout.startswith('starting'):       # for 3 s, nothing is an alarm
        time.sleep(0.1)
        said = run_cli('status', '--door', bed.door, '--alerts')
    assert said.returncode == 1 and 'alerts: 1 (heavy)' in said.stdout, said.stdout
    assert '-> power 240kW' in said.stdout and '9 of 9 meters do not tell' in said.stdout, said.stdout


def check_kept(bed, traffic):
    """Between the bound and what clears it: it stands where it stood."""
    toggle(traffic)
    seen = wait_for(bed, 'the load is back', lambda seen: seen['heavy']['values'][0]['value'] != '240kW')
    assert seen['heavy']['now'] == 1 and seen['heavy']['cleared'] == 0, seen
    assert 1 < float(seen['heavy']['values'][0]['value'].removesuffix('kW')) < 200, seen


def check_cleared(bed):
    with_little = bed.traffic(WITHIN_S + 10, '--hungry')
    seen = wait_for(bed, 'heavy is cleared', lambda seen: seen['heavy']['now'] == 0)
    assert seen['heavy']['raised'] == seen['heavy']['cleared'] == 1, seen
    assert seen['heavy']['newest'] is None and seen['heavy']['values'][0]['value'] is None, seen
    said = run_cli('status', '--door', bed.door, '--alerts')
    assert 'alerts: ' not in said.stdout.splitlines()[0], said.stdout
    assert seen['distorted']['now'] == 0 and seen['distorted']['unknown'] == 9, seen
    finish(with_little, early=True)


def main():
    if os.geteuid():
        skip('namespaces need root')
    with Bed('dalt', mode='shadow') as bed:
        with open(bed.site, 'a', encoding='utf-8') as file:
            file.write(ALERTS)
        daemon = bed.start()
        traffic = bed.traffic(3 * WITHIN_S, '--heavy', METER)
        check_raised(bed, traffic)
        check_kept(bed, traffic)
        finish(traffic, early=True)
        check_cleared(bed)
        _, summary = bed.stop(daemon)
        core = summary['counters']['core']
        print(json.dumps({name: core[name] for name in core if name.startswith('alerts')}))
        assert core['alerts_unknown'] > 100 and core['alerts_raised'] >= 7, core


if __name__ == '__main__':
    main()
