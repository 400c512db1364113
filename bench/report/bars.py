# SPDX-License-Identifier: Apache-2.0
"""bench/bars.txt, and whether a result meets them: `met`, `not met`, or `cannot be said` with the reason."""
import os
import re
from dataclasses import dataclass

from . import histogram

KINDS = ('fact', 'whole', 'middle', 'tail')
STEP = re.compile(r'\.(?:"([^"]+)"|([A-Za-z_][A-Za-z_0-9]*))')
QUANTILE = re.compile(r'p(\d+)(_[a-z]+)?$')
BEYOND_LEAST = 10       # samples beyond a quantile without which it is nothing but the largest ones
PAIRS_LEAST = 10        # blocks of both, without which a ratio of their medians says little


class BadTable(Exception):
    pass


@dataclass(frozen=True)
class Bar:
    bench: str
    figure: str
    bar: str
    kind: str
    never: str
    aim: str
    what: str


def read(path):
    """All rows; BadTable with the line where one cannot be read."""
    rows = []
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith('#'):
                continue
            cells = line.split(None, 7)
            try:
                rows.append(row_of(cells))
            except (ValueError, IndexError) as error:
                raise BadTable(f'{path}:{number}: {error}') from None
    return rows


def row_of(cells):
    if len(cells) != 8:
        raise ValueError(f'{len(cells)} columns, not 8')
    bench, figure, bar, slow, kind, never, aim, what = cells
    if kind not in KINDS:
        raise ValueError(f'kind {kind} is none of {", ".join(KINDS)}')
    for limit in (bar, *(cell for cell in (slow, never, aim) if cell != '-')):
        float(limit.removeprefix('>='))
        if limit.startswith('>=') != bar.startswith('>='):
            raise ValueError(f'{limit} and {bar} look different ways')
    terms(figure)
    return Bar(bench, figure, bar, kind, never, aim, what.strip())


def standard():
    return read(os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), 'bars.txt'))


def terms(figure):
    """[(sign, [key, ...]), ...] of a figure such as .a.b+.c-."d/e".f"""
    found, rest = [], figure if figure[0] in '+-' else '+' + figure
    while rest:
        sign, rest, keys = rest[0], rest[1:], []
        while (step := STEP.match(rest)):
            keys.append(step[1] or step[2])
            rest = rest[step.end():]
        if sign not in '+-' or not keys:
            raise ValueError(f'figure {figure} cannot be read')
        found.append((1 if sign == '+' else -1, keys))
    return found


def walk(result, keys):
    """The objects on the way, and the number at its end; None without one."""
    way = [result]
    for key in keys:
        if not isinstance(way[-1], dict) or key not in way[-1]:
            return way, None
        way.append(way[-1][key])
    value = way.pop()
    return way, value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def value_of(result, figure):
    """The figure and the lowest and highest that its interval leaves; None where the result has none."""
    value = low = high = 0
    for sign, keys in terms(figure):
        way, one = walk(result, keys)
        if one is None:
            return None
        ends = [way[-1].get(f'{keys[-1]}_{end}', one) for end in ('low', 'high')]
        value += sign * one
        low, high = low + min(sign * end for end in ends), high + max(sign * end for end in ends)
    return value, low, high


def samples_beyond(result, figure):
    """(samples, samples beyond the quantile), of the worst of its terms; None where it is no quantile, or
    nobody counted."""
    worst = None
    for _, keys in terms(figure):
        digits = QUANTILE.search(keys[-1])
        way, _ = walk(result, keys)
        if not digits:
            continue
        found = histogram.printed_quantile(keys[-1])
        rows = way[-1].get(found[0]) if found else None
        between = [counted(result, name) for key in keys if '/' in key for name in key.split('/')]
        if between:
            n = min(between)
        elif histogram.is_histogram(rows):
            n = histogram.total(rows)
        else:
            n = next((place['n'] for place in reversed(way) if isinstance(place.get('n'), int)), None)
        if n is not None:
            beyond = n * (1 - histogram.quantile_of_digits(digits[1]))
            worst = min(worst or (n, beyond), (n, beyond), key=lambda pair: pair[1])
    return worst


def pairs_of(result, figure):
    """Blocks that a ratio of medians comes from; None where it is no such ratio."""
    found = [walk(result, keys)[0][-1] for _, keys in terms(figure) if keys[-1] == 'p50']
    return min((place['pairs'] for place in found if isinstance(place.get('pairs'), int)), default=None)


def counted(result, name):
    """Samples of a contender that a ratio names."""
    row = result.get('contender', {}).get(name)
    return row['n'] if isinstance(row, dict) and isinstance(row.get('n'), int) else 0


def within(value, limit):
    return value >= float(limit[2:]) if limit.startswith('>=') else value <= float(limit)


def noise(bar, machine):
    """Why a missed middle or tail says nothing of the program on this machine; '' where it does."""
    if machine.get('virtual'):
        return 'this is a virtual machine: its cores are somebody else\'s threads'
    floor = machine.get('floor')
    if not floor:
        return 'no noise floor was measured'
    if floor['lost_share'] > 0.01:
        return f'the machine itself took {floor["lost_share"]:.1%} of the core'
    if bar.kind == 'tail' and floor['p999_us'] > 20:
        return f'the machine\'s own p99.9 is {floor["p999_us"]:.0f} us'
    if machine['load_before'] > machine['cores'] / 2:
        return f'the load was {machine["load_before"]:.1f} on {machine["cores"]} cores'
    return ''


def judge(bar, result, form, machine, absent=''):
    """One row of the report. `absent`: why there is no result."""
    row = {'bench': bar.bench, 'figure': bar.figure, 'what': bar.what, 'bar': bar.bar, 'kind': bar.kind,
           'never': bar.never, 'aim': bar.aim, 'value': None, 'aim_met': None, 'fails': False,
           'state': 'cannot be said'}
    if result is None:
        return row | {'why': absent}
    found = value_of(result, bar.figure)
    if found is None:
        return row | lacking(bar)
    value, low, high = found
    row |= {'value': value, 'low': low, 'high': high}
    if bar.aim != '-':
        row['aim_met'] = within(value, bar.aim)
    state, why, fails = verdict(bar, found, samples_beyond(result, bar.figure), form, machine)
    pairs = pairs_of(result, bar.figure)
    if pairs is not None and pairs < PAIRS_LEAST:
        state, why, fails = 'cannot be said', f'{pairs} pairs of blocks, and it takes {PAIRS_LEAST}', False
    return row | {'state': state, 'why': why, 'fails': fails}


def lacking(bar):
    """A fact that is not told is no fact; a contender may be out of a machine's reach."""
    fact = bar.kind in ('fact', 'whole')
    return {'state': 'not met' if fact else 'cannot be said', 'fails': fact,
            'why': 'the result lacks this figure'}


def verdict(bar, found, samples, form, machine):
    """(state, why, whether no noise explains it)"""
    value, low, high = found
    near, far = (high, low) if bar.bar.startswith('>=') else (low, high)
    if bar.kind == 'whole' and form != 'whole':
        return 'cannot be said', 'only the whole form plays enough hours', False
    if bar.kind == 'tail' and samples and samples[1] < BEYOND_LEAST:
        return 'cannot be said', f'{samples[0]} samples have {samples[1]:.0f} beyond that quantile', False
    if within(value, bar.bar) and within(far, bar.bar):
        return 'met', '', False
    if bar.kind in ('fact', 'whole'):
        return 'not met', 'no noise makes that', True
    if bar.never != '-' and not within(near, bar.never):
        return 'not met', f'beyond {bar.never}, which no noise makes', True
    if within(near, bar.bar):
        return 'cannot be said', f'the interval is {low:.4g} to {high:.4g}', False
    why = noise(bar, machine)
    if not why:
        return 'not met', 'on a machine that is quiet enough', True
    if low < high:
        return 'not met', f'the interval is {low:.4g} to {high:.4g}, though {why}', False
    return 'cannot be said', why, False
