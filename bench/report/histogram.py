# SPDX-License-Identifier: Apache-2.0
"""Raw histograms as benches print them, [[lower edge in ns, count], ...]: the buckets of
src/record/histogram.c, read without it."""
import re

SUB_BITS = 5
SUB_COUNT = 1 << SUB_BITS
TOP_NS = 1 << 40        # everything above is in the last bucket
PRINTED = re.compile(r'^(?:(?P<stem>.+)_)?(?P<unit>ns|us|ms)_p(?P<digits>\d+)$')
PRINTED_SHORT = re.compile(r'^p(?P<digits>\d+)_(?P<unit>ns|us|ms)$')
NS_PER = {'ns': 1, 'us': 1e3, 'ms': 1e6}


def is_histogram(value):
    return isinstance(value, list) and bool(value) and all(
        isinstance(row, list) and len(row) == 2 and all(type(x) is int and x >= 0 for x in row)
        for row in value)


def width(floor_ns):
    """Of the bucket with that lower edge; 0 where no bucket begins there."""
    if floor_ns < SUB_COUNT:
        return 1
    wide = 1 << (floor_ns.bit_length() - 1 - SUB_BITS)
    return 0 if floor_ns % wide else wide


def upper(floor_ns):
    """The highest value that the bucket holds."""
    return floor_ns + width(floor_ns) - 1


def total(rows):
    return sum(count for _, count in rows)


def faults(rows, layout=True):
    """What no histogram of ours says; without `layout`, of those that have buckets of their own."""
    edges = [floor_ns for floor_ns, _ in rows]
    if edges != sorted(set(edges)):
        return 'its edges do not rise'
    odd = [edge for edge in edges if edge >= TOP_NS or not width(edge)]
    if odd and layout:
        return f'no bucket begins at {odd[0]} ns'
    if any(count == 0 for _, count in rows):
        return 'a bucket is told that holds nothing'
    return ''


def rank(count, q):
    """The nearest rank, from one up: the smallest value with at least q of all at or below it."""
    exact = q * count
    low = int(exact)
    return min(count, max(1, low + (low < exact)))


def bucket_at(rows, q):
    """Lower and upper edge of the bucket that holds quantile q."""
    wanted, below = rank(total(rows), q), 0
    for floor_ns, count in rows:
        below += count
        if below >= wanted:
            return floor_ns, upper(floor_ns)
    raise ValueError('an empty histogram')


def quantile(rows, q):
    return bucket_at(rows, q)[1]


def merged(several):
    counts = {}
    for rows in several:
        for floor_ns, count in rows:
            counts[floor_ns] = counts.get(floor_ns, 0) + count
    return [[floor_ns, counts[floor_ns]] for floor_ns in sorted(counts)]


def curve(rows):
    """(1 / (1 - q), ns) of each bucket: up to this value there are so many. The last one has its own half
    sample, for nothing measured says more."""
    count, below, points = total(rows), 0, []
    for floor_ns, held in rows:
        below += held
        left = max(count - below, 0.5)
        points.append((count / left, upper(floor_ns)))
    return points


def residual_curve(gaps, span_s):
    """What somebody who comes at any moment must wait, from the gaps in which the machine stood still and how
    long it was watched: (1 / (1 - q), ns). Who comes within a gap of length g waits longer than w for g - w
    of it."""
    span_ns, points = span_s * 1e9, []
    longest = upper(gaps[-1][0]) if gaps else 0
    waits = sorted({floor_ns for floor_ns, _ in gaps} | {longest * k // 64 for k in range(1, 64)})
    for wait_ns in waits:
        beyond = sum((upper(floor_ns) - wait_ns) * count for floor_ns, count in gaps
                     if upper(floor_ns) > wait_ns)
        if 0 < beyond < span_ns:
            points.append((span_ns / beyond, wait_ns))
    return points


def quantile_of_digits(digits):
    """0.999 of 999: what p999 means."""
    return int(digits) / 10 ** len(digits)


def printed_quantile(key):
    """(key of its histogram, q, ns per unit) of a key such as tick_us_p99 or p50_us; None for others."""
    match = PRINTED.match(key)
    if match:
        stem = match['stem']
        return (f'{stem}_ns' if stem else 'ns'), quantile_of_digits(match['digits']), NS_PER[match['unit']]
    match = PRINTED_SHORT.match(key)
    return match and ('ns', quantile_of_digits(match['digits']), NS_PER[match['unit']])


def objects(value, path=''):
    """Each nested object with its path."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from objects(inner, f'{path}.{key}')


def histograms(result):
    """(path, rows, object that holds it) of each."""
    for path, holder in objects(result):
        for key, value in holder.items():
            if is_histogram(value):
                yield f'{path}.{key}', value, holder


def printed(result):
    """(path, what was printed, rows, q, ns per unit) of each quantile whose histogram stands beside it."""
    for path, holder in objects(result):
        own = f'{path.rsplit(".", 1)[-1]}_ns'
        for key, value in holder.items():
            found = printed_quantile(key)
            if not found or not isinstance(value, (int, float)):
                continue
            name, q, ns_per_unit = found
            rows = holder.get(name, holder.get(own) if name == 'ns' else None)
            if is_histogram(rows):
                yield f'{path}.{key}', value, rows, q, ns_per_unit


def disagreements(result):
    """Where a result contradicts its own histograms: broken ones, counts that do not add up, quantiles that
    are not theirs (printed to six digits, and never above the largest sample)."""
    for path, rows, holder in histograms(result):
        fault = faults(rows, result.get('bench') != 'decode')    # one bucket a ns
        if fault:
            yield f'{path}: {fault}'
        counted = holder.get(f'{path.rsplit(".", 1)[-1][:-3]}_n') if path.endswith('_ns') else None
        if isinstance(counted, int) and counted != total(rows):
            yield f'{path}: {total(rows)} samples, of {counted} counted'
    for path, value, rows, q, ns_per_unit in printed(result):
        low, high = bucket_at(rows, q)
        told = value * ns_per_unit
        if not low * (1 - 1e-5) <= told <= high * (1 + 1e-5):
            yield f'{path}: {value} is not in the bucket of its histogram, {low} to {high} ns'
