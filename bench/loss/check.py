#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The short form of bench/loss: no trip when a feed is lost while all that may be lent is lent, and trips as
soon as a part of the rule is taken away, so that the attacks are known to bite. FLYBALL_TEST_LONG=1 plays
forty times as many.

usage: check.py LOSS"""
import json
import os
import subprocess
import sys

RUNS = 4000 if os.environ.get('FLYBALL_TEST_LONG') == '1' else 100
# Runs of the usual seed that trip where T_resp is cut (docs/testing.md).
OVERSHOOT = (1284, 1849, 1894, 2059)
failed = 0


def start(bench, *options):
    return subprocess.Popen([bench, '--json', *map(str, options)], stdout=subprocess.PIPE)


def finish(process):
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f'{process.args} left with {process.returncode}')
    return json.loads(output)


def check(good, text):
    global failed
    failed += not good
    print('ok' if good else 'not ok', '-', text, flush=True)


def holds(part):
    """Every attack was played with as much lent as may be, and nothing tripped."""
    runs, full = part['n'], part['full']
    heat = part['full_heat_over_trip']
    check(part['trips'] == 0 and part['invariant_failures'] == 0,
          f'{part["trips"]} trips in {runs} losses, {part["invariant_failures"]} failed invariants; '
          f'survivors come to {heat["p50"]} of a trip, a tenth to {heat["p90"]}, the most {heat["max"]}')
    check(full >= 0.35 * runs and part['full_exposure_over_steady']['p50'] >= 1.2,
          f'in {full} of {runs} exposure stands at what may be lent, in half of these at '
          f'{part["full_exposure_over_steady"]["p50"]} of the steady limit')
    idle = [name for group in ('by_scheme', 'by_device', 'by_attack', 'by_demand')
            for name, row in part[group].items() if not row['full']]
    # what a UPS has carried before a start is not known, and it forgets slowly: nothing is lent there so soon
    check(set(idle) <= {'UPS'}, f'so it does in every scheme, attack and demand; not: {idle or "none"}')
    check(heat['p90'] >= 0.4, 'the attacks come near enough to a trip to mean something')


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    bench = sys.argv[1]
    parts = [start(bench, '--runs', RUNS), start(bench, '--runs', RUNS, '--first', RUNS)]
    for part in parts:
        holds(finish(part))
    bare = start(bench, '--runs', 40, '--rule', 'reserve')
    cut = [finish(start(bench, '--runs', 1, '--first', run, '--rule', 'horizon'))['trips']
           for run in OVERSHOOT]
    check(sum(cut) >= 1, f'with T_resp cut, runs {", ".join(map(str, OVERSHOOT))} trip: {cut}')
    result = finish(bare)
    check(result['trips'] >= 1, f'the reserve lent without a permit: {result["trips"]} of {result["n"]} trip')
    again = [finish(start(bench, '--runs', 1, '--first', 3)) for _ in range(2)]
    for one in again:
        del one['duration_s']
    check(again[0] == again[1], 'the same run twice: the same figures')
    for wrong in (['--runs', '0'], ['--rule', 'none'], ['--seed'], ['--first', '1x']):
        run = subprocess.run([bench, *wrong], capture_output=True, check=False)
        check(run.returncode == 2 and run.stderr and not run.stdout, f'{" ".join(wrong)} is refused')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
