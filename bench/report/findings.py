# SPDX-License-Identifier: Apache-2.0
"""What of the results is drawn: curves, stages, scales, and the white paper's budget beside what was
measured."""
from . import histogram

CURVES_MOST = 7
QUANTILES = (0.5, 0.99, 0.999)
QUANTILE_KEYS = ('p50', 'p99', 'p999')

# Stage, its milliseconds in the white paper, what stands for it here: (bench, path of a histogram, words).
BUDGET = (
    ('event detection', 2.3, (('loops', ('stage', 'decoded'), 'from the poll that found a frame to its slot'),
                              ('lane', ('upmu', 'ns_per_packet'), 'a packet to a reading, mean'))),
    ('edge processing', 1.8, (('lane', ('raw_64', 'ns_per_packet'), '64 samples measured, mean'),)),
    ('rack coordination', 12.5, (('loops', ('stage', 'sent_emergency'),
                                  'an emergency, from the poll that found the frame to its lease sent'),
                                 ('pipeline', ('emergency_ns',),
                                  'an emergency while an arbitration runs, in memory'))),
    ('cluster decision', 18.7, (('pipeline', ('tick_ns',),
                                 'an arbitration over 10,000 hosts, in memory'),)),
    ('all four, the software', 35.3, (('loops', ('contender', 'flyball-af_packet-auth', 'last', 'ns'),
                                       'a reading\'s frame to the last of 16 cap frames, wire and noise '
                                       'included'),)),
    ('GPU power capping', 15.2, ()),
)


def result_of(report, bench):
    row = report['benches'].get(bench)
    return row and row['result']


def digits(rows):
    """n, p50, p99, p99.9 and the upper edge of the last bucket, in ns."""
    return {'n': histogram.total(rows), 'max': histogram.upper(rows[-1][0]),
            **{key: histogram.quantile(rows, q) for key, q in zip(QUANTILE_KEYS, QUANTILES)}}


def floor_of(report):
    """The gap meter of this run: its figures and its curve; None where none ran."""
    result = result_of(report, 'loops')
    hiccup = result.get('floor', {}).get('hiccup') if result else None
    if not isinstance(hiccup, dict) or not all(isinstance(hiccup.get(key), (int, float))
                                               for key in ('lost_share', 'p999_us', 'span_s')):
        return None
    return hiccup


def floor_curve(report):
    hiccup = floor_of(report)
    if not hiccup or not histogram.is_histogram(hiccup.get('gap_ns')):
        return None
    return histogram.residual_curve(hiccup['gap_ns'], hiccup['span_s']) or None


def contenders(report):
    result = result_of(report, 'loops')
    found = result.get('contender') if result else None
    return {name: row for name, row in found.items() if isinstance(row, dict)} \
        if isinstance(found, dict) else {}


def question(name, row):
    """What a contender at rest is drawn for: like is compared with like."""
    one = name.endswith(('-report', '-one'))
    if row.get('neighbour'):
        return 'With a noisy neighbour'
    if row.get('load') == 'saturated':
        return 'At the highest rate held'
    if '-wire' in name:
        return 'By the kernel\'s stamps of the client\'s socket'
    if row.get('load') != 'idle':
        return f'Under load, {row.get("load")}'
    if 'armed' in name or 'detached' in name:
        return 'With probes'
    if row.get('path') == 'echo' and row.get('driver') not in ('af_packet', 'blocking', 'af_xdp', 'uring'):
        return 'Bare echoes of sockets'
    if row.get('driver') in ('af_xdp', 'uring'):
        return 'On other port drivers'
    return 'A report and its lease' if one else 'An emergency and its leases'


def in_groups(report):
    """(title, [(name, row), ...]) of each drawing."""
    groups = {}
    for name, row in contenders(report).items():
        groups.setdefault(question(name, row), []).append((name, row))
    for title, rows in groups.items():
        for first in range(0, len(rows), CURVES_MOST):
            part = f', {first // CURVES_MOST + 1}' if len(rows) > CURVES_MOST else ''
            yield title + part, rows[first:first + CURVES_MOST]


def drawn(rows, moment):
    return [(name, row[moment]['ns']) for name, row in rows
            if isinstance(row.get(moment), dict) and histogram.is_histogram(row[moment].get('ns'))]


def curves_of_loops(report):
    """One drawing for each group and for each of the moments that count; where the first answer is the last
    there is but one."""
    for title, rows in in_groups(report):
        first, last = drawn(rows, 'first'), drawn(rows, 'last')
        words = 'until the answer' if first == last else 'until the first answer'
        if first:
            yield f'{title}: {words}', first
        if last and first != last:
            yield f'{title}: until the last answer', last
        due = drawn(rows, 'scheduled')
        if due:
            yield f'{title}: from the moment it was due', due


def curves_of_rtt(report):
    for part, words in (('first', 'until the first of 16 leases'), ('last', 'until the last of 16 leases')):
        series = []
        for bench, told in (('rtt', ''), ('rtt-auth', ' with authentication'), ('rtt-af_xdp', ' on af_xdp'),
                            ('rtt-uring', ' on io_uring')):
            result = result_of(report, bench)
            rows = result.get(part, {}) if result else {}
            series += [(f'{side}{told}', rows[key])
                       for side, key in (('flyball', 'full_ns'), ('bare echo', 'echo_ns'))
                       if histogram.is_histogram(rows.get(key))]
        if series:
            yield f'A meter\'s packet, {words}', series


def curves_of_memory(report):
    """The decision alone, in memory."""
    series = [(words, result_of(report, bench)[key])
              for bench, key, words in (('pipeline', 'tick_part_ns', 'a part of an arbitration'),
                                        ('ledger', 'tick_part_ns', 'the same with everything on'),
                                        ('pipeline', 'emergency_idle_ns', 'an emergency'),
                                        ('pipeline', 'emergency_ns', 'an emergency during an arbitration'))
              if histogram.is_histogram((result_of(report, bench) or {}).get(key))]
    if series:
        yield 'The decision in memory, without network', series


def curves(report):
    """(title, [(name, rows), ...]) of every drawing of percentiles."""
    yield from curves_of_loops(report)
    yield from curves_of_rtt(report)
    yield from curves_of_memory(report)


def stage_rows(report):
    """(name, rows) of each stage that somebody took apart."""
    result = result_of(report, 'loops') or {}
    stage = result.get('stage')
    found = [(name, rows) for name, rows in stage.items() if histogram.is_histogram(rows)] \
        if isinstance(stage, dict) else []
    for bench, key, words in (('pipeline', 'emergency_idle_ns', 'emergency, in memory'),
                              ('pipeline', 'tick_part_ns', 'part of a tick, in memory'),
                              ('pipeline', 'tick_ns', 'whole tick, in memory'),
                              ('auth', None, '')):
        rows = (result_of(report, bench) or {}).get(key)
        if histogram.is_histogram(rows):
            found.append((words, rows))
    auth = result_of(report, 'auth') or {}
    for key, words in (('accepted', 'tag checked'), ('sealed', 'tag made')):
        rows = auth.get(key, {}).get(f'{key}_ns')
        if histogram.is_histogram(rows):
            found.append((words, rows))
    return found


def reached(result, keys):
    for key in keys:
        result = result.get(key) if isinstance(result, dict) else None
    return result


def budget_rows(report):
    """Each line of the white paper with what stands beside it: {stage, budget_ms, what, n, p50 ...}."""
    for stage, budget_ms, candidates in BUDGET:
        row = {'stage': stage, 'budget_ms': budget_ms, 'what': '', 'bench': ''}
        for bench, keys, words in candidates:
            value = reached(result_of(report, bench), keys)
            if histogram.is_histogram(value):
                row |= {'what': words, 'bench': bench, **digits(value)}
            elif isinstance(value, (int, float)):
                row |= {'what': words, 'bench': bench, 'mean': value}
            else:
                continue
            break
        yield row


def scales(report):
    """(title, x title, y title, [(name, [(x, y), ...]), ...]) of each drawing of cost against size."""
    by_samples = {}
    for bench, words in (('lane', 'a lane, raw samples'), ('measure', 'measurement alone')):
        for key, row in (result_of(report, bench) or {}).items():
            stem, _, samples = key.rpartition('_')
            if stem in ('raw', 'block') and samples.isdigit() and isinstance(row, dict):
                by_samples.setdefault(words, []).append((int(samples), row['ns_per_packet']))
    if by_samples:
        yield ('Cost of a packet by how many samples it carries', 'samples in a packet', 'ns a packet',
               list(by_samples.items()))
    by_bytes = {}
    for key, row in (result_of(report, 'auth') or {}).items():
        for size, figures in (row.items() if isinstance(row, dict) else ()):
            if size.startswith('bytes_') and isinstance(figures, dict):
                by_bytes.setdefault(key.replace('_', '-'), []).append((int(size[6:]), figures['ns_p50']))
    if by_bytes:
        yield ('Cost of a tag by how long a frame is', 'bytes', 'ns a tag, p50', list(by_bytes.items()))
    yield from scales_of_size(report)
    yield from scales_of_loops(report)
    yield from scales_of_saturation(report)


BY_SIZE = (
    ('The decision in memory, by hosts', 'µs', (
        ('a reading, mean', 'ns_per_reading', 1e-3), ('a report, mean', 'ns_per_report', 1e-3),
        ('an emergency, p50', 'emergency_idle_us_p50', 1), ('a part of a tick, p50', 'tick_part_us_p50', 1))),
    ('A whole arbitration in memory, by hosts', 'ms', (
        ('p50', 'tick_ms_p50', 1), ('p99', 'tick_ms_p99', 1))),
)


def scales_of_size(report):
    """What a decision takes against how many hosts there are, with a fifth as many meters."""
    found = [result_of(report, bench) or {} for bench in ('pipeline-400', 'pipeline-2000', 'pipeline')]
    found = [row for row in found if isinstance(row.get('hosts'), int)]
    for title, y_title, figures in BY_SIZE:
        lines = [(words, [(row['hosts'], row[key] * factor) for row in found
                          if isinstance(row.get(key), (int, float)) and row[key] > 0])
                 for words, key, factor in figures]
        lines = [line for line in lines if len(line[1]) > 1]
        if lines:
            yield title, 'hosts', y_title, lines


def load_of(words):
    """2000 of "rate 2000"."""
    kind, _, number = str(words).partition(' ')
    number = number.split('/')[0].removesuffix('hz').strip()
    return int(number) if kind == 'rate' and number.isdigit() else None


def scales_of_loops(report):
    """What a frame takes against how many come: contenders that differ by their rate alone."""
    lines = {}
    for name, row in contenders(report).items():
        rate = load_of(row.get('load'))
        figures = row.get('scheduled') or row.get('last')
        if rate and isinstance(figures, dict) and not row.get('neighbour'):
            stem = name.replace(f'{rate}', '').strip('-_ ')
            for q in ('p50_us', 'p99_us'):
                if isinstance(figures.get(q), (int, float)):
                    lines.setdefault(f'{stem}, {q[:-3]}', []).append((rate, figures[q]))
    if lines:
        yield ('Time from the moment a frame was due, by load', 'frames a second', 'µs', list(lines.items()))


def scales_of_saturation(report):
    """Every rate that a search has tried: what a datagram took, and in which of them nothing was lost."""
    lines = {}
    for name, row in ((result_of(report, 'loops') or {}).get('saturation') or {}).items():
        for rate, step in (row.get('steps') or {}).items():
            for q in ('p50_us', 'p99_us'):
                if rate.isdigit() and isinstance(step.get(q), (int, float)) and step[q] > 0:
                    lines.setdefault(f'{name.removeprefix("saturation-")}, {q[:-3]}', []).append(
                        (int(rate), step[q]))
    if lines:
        yield ('Search for the highest rate held: time from the moment a datagram was due',
               'datagrams a second', 'µs', list(lines.items()))


def saturation_rows(report):
    """[name, highest rate held, searches, why no higher] of each that was searched."""
    for name, row in ((result_of(report, 'loops') or {}).get('saturation') or {}).items():
        failed = [step for rate, step in row['steps'].items()
                  if int(rate) > row['highest_per_s'] and step['held'] < step['tries']]
        lost = sum(step['lost'] for step in failed)
        tries, late = sum(step['tries'] for step in failed), sum(step['late_senders'] for step in failed)
        why = f'above it {lost} lost; the client itself was late in {late} of {tries} tries' if tries else \
            'the highest rate tried'
        yield [name.removeprefix('saturation-'), f'{row["highest_per_s"]:,}', str(row['searches']), why]
