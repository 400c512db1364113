#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The short form of bench/heat: no trip with the heat margin, and trips as soon as a part of the argument is
taken away, so that the attacks are known to bite.

usage: check.py HEAT"""
import json
import subprocess
import sys

READINGS_PER_HOUR = 3600 * 1000 // 16
# Devices of the usual seed that trip where grants alone follow what is admissible (docs/testing.md).
OVERSHOOT = (103, 112, 144, 157, 195, 219)
failed = 0


def heat(bench, *options):
    run = subprocess.run([bench, '--json', *options], stdout=subprocess.PIPE, check=True, timeout=600)
    return json.loads(run.stdout)


def check(good, text):
    global failed
    failed += not good
    print('ok' if good else 'not ok', '-', text, flush=True)


def told(result):
    return (f'{result["trips"]} trips in {result["hours"]} h of {result["devices"]} devices, '
            f'seed {result["seed"]}, {result["duration_s"]:.1f} s')


def carries(result, hours):
    """Everything was played, and as near to the edge as leases permit."""
    check(result['hours'] == hours and result['n'] == hours * READINGS_PER_HOUR and
          result['devices_refused'] == 0, f'every hour of every device was played: {result["hours"]} h')
    idle = [name for group in ('by_adversary', 'by_kind') for name, row in result[group].items()
            if not row['hours']]
    check(not idle, f'every adversary and kind had its hours; none: {idle or "none"}')
    near, grant = result['heat_over_trip'], result['grant_over_steady']
    check(near['p50'] >= 0.4 and near['p90'] >= 0.75 and near['max'] < 1,
          f'half of the hours come to {near["p50"]} of a trip, a tenth to {near["p90"]}, '
          f'the most {near["max"]}')
    check(grant['p50'] >= 1.1 and grant['p90'] >= 2,
          f'half of the grants are {grant["p50"]} of the steady limit or more, a tenth {grant["p90"]}')
    check(result['share_above_steady'] >= 0.05,
          f'the load is above the steady limit for {result["share_above_steady"]} of the time')


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    bench = sys.argv[1]
    result = heat(bench, '--hours', '200')
    check(result['trips'] == 0, f'heat margin: {told(result)}')
    carries(result, 200)
    result = heat(bench, '--hours', '200', '--rule', 'permit')
    check(result['trips'] == 0, f'the permits of the decision itself: {told(result)}')
    check(result['grant_over_steady']['p90'] >= 1.5 and result['heat_over_trip']['p90'] >= 0.7,
          f'a tenth of the grants are {result["grant_over_steady"]["p90"]} of the steady limit or more, '
          f'a tenth of the hours come to {result["heat_over_trip"]["p90"]} of a trip')
    result = heat(bench, '--hours', '40', '--margin', 'time')
    check(result['trips'] >= 1, f'time margin instead: {told(result)}')
    trips = {device: heat(bench, '--hours', '1000', '--rule', 'grant', '--device', str(device))['trips']
             for device in OVERSHOOT}
    check(sum(trips.values()) >= 1,
          f'heat margin, but measured above admissible changes nothing: trips {trips}')
    again = heat(bench, '--hours', '6', '--jobs', '1'), heat(bench, '--hours', '6', '--jobs', '3')
    for one in again:
        for key in ('jobs', 'duration_s', 'ns_per_step'):
            del one[key]
    check(again[0] == again[1], 'one process or three: the same figures')
    for wrong in (['--hours', '0'], ['--margin', 'none'], ['--seed'], ['--jobs', '65'], ['--hours', '1x']):
        run = subprocess.run([bench, *wrong], capture_output=True, check=False)
        check(run.returncode == 2 and run.stderr and not run.stdout, f'{" ".join(wrong)} is refused')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
