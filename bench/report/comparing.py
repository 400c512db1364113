# SPDX-License-Identifier: Apache-2.0
"""bench/compare: runs one bench of two builds in turn, A B B A A B ..., and says of each figure whether they
differ."""
import argparse
import dataclasses
import json
import os
import signal
import sys

from . import bars, catalogue, histogram, host, pairs, quiet, running, sides
from .everything import ROUNDS_A_SECOND, SOURCE, Refused, stop, whole_number

SHORTFALL = 2       # pairs more than asked for are tried where some give no figure


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog='bench/compare',
        description='Runs one bench of two builds in turn and says whether they differ.',
        epilog='A and B are commits, which are built outside the tree with the options of --like, or build '
               'folders. Exit code: 0 no figure differs, as far as could be told; 1 one does; 2 bad use; 3 '
               'one could not be built or run.')
    parser.add_argument('A')
    parser.add_argument('B')
    parser.add_argument('--bench', default='pipeline', metavar='NAME', help='(pipeline)')
    parser.add_argument('--pairs', type=whole_number, default=pairs.PAIRS_LEAST, metavar='N',
                        help=f'at least and usually {pairs.PAIRS_LEAST}')
    parser.add_argument('--metric', action='append', metavar='FIGURE', default=[],
                        help='as in bench/bars.txt, such as .tick_ms_p50; again for more '
                             '(those of the table)')
    parser.add_argument('--margin', type=float, default=pairs.MARGIN * 100, metavar='PERCENT',
                        help='as far as that two count as the same (3)')
    parser.add_argument('--seconds', type=whole_number, default=2, metavar='N',
                        help='of each run, where the bench takes it (2)')
    parser.add_argument('--like', default='build', metavar='DIR', help='whose options commits get (build)')
    parser.add_argument('--json', metavar='FILE', help='with every figure of every run; - standard output')
    return parser.parse_args(arguments)


def check(options):
    bench = catalogue.by_name(options.bench)
    if not bench or not bench.json:
        raise Refused(f'--bench {options.bench}: no such bench; there are '
                      f'{", ".join(bench.name for bench in catalogue.BENCHES if bench.json)}')
    if options.pairs < pairs.PAIRS_LEAST:
        raise Refused(f'--pairs {options.pairs}: at least {pairs.PAIRS_LEAST}, fewer tell nothing')
    if not 0.1 <= options.margin <= 100:
        raise Refused(f'--margin {options.margin}: from 0.1 to 100 percent')
    folder = os.path.dirname(options.json or '') or '.'
    if options.json and options.json != '-' and (not os.path.isdir(folder) or os.path.isdir(options.json)):
        raise Refused(f'--json {options.json}: no file can be written there')
    for name in (options.A, options.B):
        if not sides.is_build(name) and not sides.commit_of(SOURCE, name):
            raise Refused(f'{name}: neither a build folder nor a commit')
    for figure in options.metric:
        try:
            bars.terms(figure)
        except (ValueError, IndexError):
            raise Refused(f'--metric {figure}: cannot be read; such as .first.ratio_p50') from None
    return bench


def figures(options, result):
    """What is compared: as told, else its rows of bench/bars.txt that are times, else every quantile."""
    if options.metric:
        return options.metric
    rows = [bar.figure for bar in bars.standard()
            if bar.bench == options.bench and bar.kind in ('middle', 'tail')]
    return rows or [f'{path}.{key}' for path, holder in histogram.objects(result)
                    for key, value in holder.items() if isinstance(value, (int, float)) and
                    (histogram.printed_quantile(key) or key.startswith('ns_per_'))]


def in_turn(count):
    """AB BA AB ...: a machine that grows slower meanwhile grows slower for both."""
    for number in range(count):
        yield (0, 1) if number % 2 == 0 else (1, 0)


def measured(options, bench, two, note):
    """[(result of A, result of B), ...] and why some are missing."""
    prefix, _ = quiet.calm_prefix()
    seconds = options.seconds
    arguments = catalogue.arguments(bench, bool(bench.short), seconds, seconds * ROUNDS_A_SECOND)
    found, lost = [], []
    with quiet.Throttling():
        for order in in_turn(options.pairs + SHORTFALL):
            if len(found) == options.pairs:
                break
            pair = [None, None]
            for side in order:
                row = running.run(bench, two[side]['build'], arguments, prefix if bench.calm else ())
                if row['state'] != 'ran':
                    lost.append(f'{"AB"[side]}: {row["why"]}')
                    note(lost[-1])
                pair[side] = row['result'] if row['state'] == 'ran' else None
            if None not in pair:
                found.append(tuple(pair))
                note(f'pair {len(found)} of {options.pairs}')
    return found, lost


def judged(options, found):
    rows = []
    for figure in figures(options, found[0][0]):
        values = [[bars.value_of(one, figure) for one in pair] for pair in found]
        both = [(a[0], b[0]) for a, b in values if a and b and a[0] > 0 and b[0] > 0]
        row = {'figure': figure, 'before': [a for a, _ in both], 'after': [b for _, b in both]}
        if len(both) < pairs.PAIRS_LEAST:
            rows.append(row | {'state': 'cannot tell',
                               'why': f'{len(both)} pairs have it, above zero, in both'})
            continue
        row |= pairs.verdict(row['before'], row['after'], options.margin / 100)
        rows.append(row | {'why': pairs.sentence(row)})
    return rows


def told(options, two, rows):
    lines = [f'A: {two[0]["name"]} {two[0]["commit"][:12]}', f'B: {two[1]["name"]} {two[1]["commit"][:12]}',
             f'{options.bench}: B over A, the median of pairs and its interval of 95 %']
    wide = max(len(row['figure']) for row in rows)
    for row in rows:
        medians = f'{pairs.median(row["before"]):10.4g} {pairs.median(row["after"]):10.4g}' \
            if row['before'] else f'{"":21}'
        lines.append(f'  {row["figure"]:{wide}}  {medians}  {row["why"]}')
    if len(rows) > 1:
        lines.append(f'Of {len(rows)} figures, one in twenty may seem to differ though nothing does.')
    return '\n'.join(lines) + '\n'


def write(options, bench, two, rows, lost):
    text = told(options, two, rows)
    if options.json:
        answer = json.dumps({
            'report': 'flyball bench/compare', 'format': 1, 'bench': bench.name, 'sides': two, 'rows': rows,
            'lost': lost, 'machine': host.machine(), 'load_after': host.load(),
            'method': 'median of paired log ratios; sign-test order statistics, 95 %'}) + '\n'
        if options.json == '-':
            sys.stdout.write(answer)
            return
        with open(options.json, 'w', encoding='utf-8') as file:
            file.write(answer)
    sys.stdout.write(text)


def compared(options, bench, note):
    with sides.Sides(SOURCE, (options.A, options.B), bench.program, options.like, note) as two:
        found, lost = measured(options, bench, two, note)
        if len(found) < pairs.PAIRS_LEAST:
            note(f'{len(found)} whole pairs: too few to say anything')
            return 3
        rows = judged(options, found)
        write(options, bench, two, rows, lost)
    return 1 if any(row['state'] == 'differ' for row in rows) else 0


def main(arguments):
    options = parse(arguments)

    def note(said):
        print(f'bench/compare: {said}', file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, stop)
    try:
        bench = dataclasses.replace(check(options), noise_exits=())
        return compared(options, bench, note)
    except Refused as error:
        note(error)
        return 2
    except sides.CannotBuild as error:
        note(error)
        return 3
    except OSError as error:
        note(f'{error.filename}: {error.strerror}')
        return 3
    except KeyboardInterrupt:
        note('stopped; what was changed is put back')
        return 130
