# SPDX-License-Identifier: Apache-2.0
"""Clocks read through the kernel by a flyballd that runs for this alone. A card's: it stands still, goes,
steps, stands again, and is taken away with its card, for good. And the system's, through a leap second."""
import json
import time

import box

DOOR, DEVICE = '/run/clock.sock', '/dev/ptp0'
# Set once a millisecond, on a machine that is emulated: it is late by some of them.
WITHIN_MS, STEP_MS, TAI_AHEAD_S = 40, 250, 37
LOST_S, PATIENCE_S, LEAP_S = 3, 60, 12
def site(terms):
    return f'''site: clock
nodes:
  - {{id: n, kind: main, volts: 400V, rating: 100A}}
redundancy: {{scheme: N}}
time: {{{terms}, lock_within: {WITHIN_MS}ms, lock_after: 2s, lost_after: {LOST_S}s,
       holdover_budget: 500ms}}
servers:
  - name: default
    ports: [{{role: both, driver: synthetic, interface: a, address: 10.0.0.1, udp: 7001}}]
    cores: {{lane: 1, decide: 1, housekeeping: 0}}
    door: {DOOR}
'''


SITES = {'card.yaml': site(f'source: phc, phc: {DEVICE}'), 'system.yaml': site('source: system')}


def ask(machine):
    answer = machine.text(f'flyball clock --door {DOOR} --json')
    return json.loads(answer) if answer.startswith('{') else None


def wait_until(machine, what, limit_s=PATIENCE_S):
    """The first answer that pleases `what`, else the last."""
    end = time.monotonic() + limit_s
    while True:
        told = ask(machine)
        if (told and what(told)) or time.monotonic() > end:
            return told or {}
        time.sleep(0.3)


def figure(told):
    return ', '.join(f'{key} {told.get(key)}' for key in (
        'state', 'fault', 'error', 'samples', 'steps', 'step_ns', 'system_offset_ns', 'unanswered', 'leaps',
        'tai_utc_s', 'sets'))


def apart_ms(told):
    return abs(told.get('step_ns', 0) / 1e6 - STEP_MS)


def check_standing(machine, verdict):
    told = wait_until(machine, lambda t: t['samples'] >= 8)
    verdict.check('a card whose clock stands still is never believed',
                  told.get('samples', 0) >= 8 and told['state'] == 'unsync' and not told['unanswered'] and
                  told['error'] is None, figure(told))


def check_going(machine, verdict):
    told = wait_until(machine, lambda t: t['state'] == 'locked')
    off_ms = told.get('system_offset_ns', 0) / 1e6 + TAI_AHEAD_S * 1e3
    verdict.check("a card's clock that goes is locked on, in TAI",
                  told.get('state') == 'locked' and told['scale'] == 'tai' and abs(off_ms) < WITHIN_MS,
                  f'{off_ms:.3f} ms off, {figure(told)}')
    return told


def check_step(machine, verdict, before):
    """Others are found where the loop that sets the clock stood still: of some milliseconds."""
    machine.run('kill -USR1 $(cat /run/phc_keep.pid)')
    told = wait_until(machine, lambda t: t['state'] == 'locked' and apart_ms(t) < WITHIN_MS)
    verdict.check('its step is found', told.get('steps', 0) > before.get('steps', 0) and
                  told['state'] == 'locked' and apart_ms(told) < WITHIN_MS,
                  f'{apart_ms(told):.3f} ms beside {STEP_MS}, {figure(told)}')


def check_loss(machine, verdict):
    machine.run('kill $(cat /run/phc_keep.pid)')
    told = wait_until(machine, lambda t: t['state'] != 'locked')
    verdict.check('it stands, and is no longer believed', told.get('state') != 'locked', figure(told))
    machine.run(f'echo {box.FAR_PCI} >/sys/bus/pci/drivers/e1000e/unbind')
    told = wait_until(machine, lambda t: t['fault'] == 'no_answer')
    verdict.check('a card that is taken away is said to be gone',
                  told.get('fault') == 'no_answer' and told['error'], figure(told))


class Daemon:
    def __init__(self, machine, name):
        self.machine, self.name = machine, name

    def __enter__(self):
        self.machine.run(f'flyballd /{self.name} >/run/clock.log 2>&1 </dev/null & echo $! >/run/clock.pid')

    def __exit__(self, *_):
        self.machine.run('kill $(cat /run/clock.pid)')


def check_card(machine, verdict):
    if not machine.text(f'ls {DEVICE} 2>/dev/null'):
        verdict.check("the kernel offers the card's clock", False, f'no {DEVICE}')
        return
    with Daemon(machine, 'card.yaml'):
        check_standing(machine, verdict)
        machine.run(f'phc_keep {DEVICE} >/run/phc_keep.log 2>&1 </dev/null & echo $! >/run/phc_keep.pid')
        check_step(machine, verdict, check_going(machine, verdict))
        check_loss(machine, verdict)


def check_leap(machine, verdict):
    """The kernel lives through it: the second before midnight comes twice."""
    said = machine.text('leap_soon')
    with Daemon(machine, 'system.yaml'):
        before = wait_until(machine, lambda t: t['state'] == 'locked' and t['leap_pending'] == 1, LEAP_S)
        after = wait_until(machine, lambda t: t['leaps'] == 1 and t['state'] == 'locked' and
                           t['leap_pending'] == 0)
    verdict.check('a leap second is announced', before.get('leap_pending') == 1 and
                  before['state'] == 'locked', f'{said}; {figure(before)}')
    verdict.check('it is lived through, counted, and no step',
                  after.get('leaps') == 1 and after['steps'] == after['sets'] == 0 and
                  after['state'] == 'locked' and
                  after['tai_utc_s'] == before.get('tai_utc_s', 0) + 1, figure(after))


def check(machine, verdict):
    check_card(machine, verdict)
    check_leap(machine, verdict)
