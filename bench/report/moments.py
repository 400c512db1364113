# SPDX-License-Identifier: Apache-2.0
"""How much of the 10 worst moments that flyball latency shows is explained by who took time in them."""
from . import histogram


def waits(floor, chance):
    """What who comes at any moment must wait with that chance, by the gap meter."""
    curve = histogram.residual_curve(floor['gap_ns'], floor['span_s']) if floor['gap_ns'] else []
    return max((wait_ns for tail, wait_ns in curve if 1 / tail >= chance), default=0)


def share(part, whole):
    """1 where there is nothing to explain."""
    return part / whole if whole else 1.0


def explained(seen, floor):
    """Beyond the median of its stage, and beyond that and what the machine alone makes of one as rare: how
    much somebody inside it took. The k-th worst moment is as rare as k of all that passed its stage."""
    rows, beyond_ns, over_ns, by_ns, by_over_ns = [], 0, 0, 0, 0
    for place, moment in enumerate(seen['moments'], 1):
        stage = seen['stages'][moment['stage']]
        floor_ns = waits(floor, place / max(1, stage['n']))
        beyond = max(0, moment['took_ns'] - stage['p50_ns'])
        over = max(0, beyond - floor_ns)
        beyond_ns, over_ns = beyond_ns + beyond, over_ns + over
        by_ns += min(beyond, moment['explained_ns'])
        by_over_ns += min(over, moment['explained_ns'])
        rows.append({'stage': moment['stage'], 'took_us': moment['took_ns'] / 1e3,
                     'usual_us': stage['p50_ns'] / 1e3, 'floor_us': floor_ns / 1e3, 'over_us': over / 1e3,
                     'explained_us': moment['explained_ns'] / 1e3,
                     'culprits': [[by['by'], by['took_ns'] / 1e3] for by in moment['culprits']]})
    return {'noise_measured': seen['noise']['measured'], 'explained_share': share(by_ns, beyond_ns),
            'over_floor': {'excess_us': over_ns / 1e3, 'explained_us': by_over_ns / 1e3,
                           'explained_share': share(by_over_ns, over_ns), 'moments': len(rows)},
            'floor': {key: value for key, value in floor.items() if key not in ('bench', 'commit')},
            'moments': rows}
