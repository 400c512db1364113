# SPDX-License-Identifier: Apache-2.0
"""The report as one page of HTML: nothing is fetched, nothing runs, it prints."""
import json
from html import escape

from . import draw, findings, histogram, words

STYLE = '''
:root { --paper: #ffffff; --ink: #1c1f23; --pale: #5c646d; --rule: #d9dde2; --soft: #f4f6f8; --good: #1a7f37;
  --bad: #b42318; --open: #8a5a00; --c0: #0b62c4; --c1: #c4420b; --c2: #0f7b53; --c3: #8b3fb0; --c4: #a86a00;
  --c5: #0c8193; --c6: #c02671; --c7: #5b6b1f; --floor: #8d949c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec; --pale: #9aa3ad;
  --rule: #343a41; --soft: #1d2126; --good: #58c27d; --bad: #ff8277; --open: #e0b050; --c0: #62a8ff;
  --c1: #ff8f5c; --c2: #4fca98; --c3: #cf93f0; --c4: #e5b04d; --c5: #4cc4d6; --c6: #ff7db5; --c7: #b3c95e;
  --floor: #7d858e; } }
@media print { :root { --paper: #ffffff; --ink: #000000; --pale: #444444; --rule: #bbbbbb; --soft: #ffffff;
  --good: #1a7f37; --bad: #b42318; --open: #8a5a00; --c0: #0b62c4; --c1: #c4420b; --c2: #0f7b53;
  --c3: #8b3fb0; --c4: #a86a00; --c5: #0c8193; --c6: #c02671; --c7: #5b6b1f; --floor: #8d949c; }
  figure, tr { break-inside: avoid; } h2 { break-after: avoid; } main { max-width: none; padding: 0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
p { max-width: 46rem; } .pale { color: var(--pale); }
.verdict { font-size: 1.05rem; margin: .8rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; margin: .6rem 0 1rem; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
th { color: var(--pale); font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.s { white-space: nowrap; font-weight: 600; } td.what { min-width: 11rem; }
.met { color: var(--good); } .not-met { color: var(--bad); } .cannot-be-said { color: var(--open); }
figure { margin: 1.2rem 0 2rem; } figcaption { font-weight: 600; margin-bottom: .3rem; }
figure > svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font-size: 12px; font-family: inherit; }
svg text.tick, svg text.title, svg text.figure { fill: var(--pale); }
svg text.title { font-size: 12.5px; } svg text.figure { font-size: 10.5px; }
.grid { stroke: var(--rule); stroke-width: 1; } .axis { stroke: var(--pale); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .floor { stroke-width: 5; opacity: .55; }
.line.floor { stroke: var(--floor); }
''' + ''.join(f'.line.c{k} {{ stroke: var(--c{k}); }} .dot.c{k}, .bar.c{k} {{ fill: var(--c{k}); }}\n'
              for k in range(draw.COLOURS)) + '''
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1.3rem; padding: 0; margin: .3rem 0;
  font-size: .85rem; }
.legend svg { width: 26px; height: 8px; margin-right: .45rem; vertical-align: middle; }
code { font: .86em ui-monospace, "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
details { margin: .4rem 0; } summary { cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .8rem/1.4 ui-monospace, "DejaVu Sans Mono",
  Consolas, monospace; background: var(--soft); padding: .6rem .8rem; }
'''

READING = (
    'A curve tells, for each share of all samples, how long the quickest of that share took at most. The '
    'scale below is 1/(1-q), logarithmic: from 90 to 99 % is as far as from 99 to 99.9 %, so the tail is as '
    'wide as the middle. A curve ends where its own samples end: what lies further right was not seen.',
    'The broad grey line is the machine by itself: what anybody who comes at a random moment waits, because '
    'the core does not run, from a meter that does nothing but read the clock on the same core. Where a '
    'curve runs along it, the machine is what is seen.',
    'In the tables a quantile with fewer than ten samples beyond it stands in brackets: it is hardly more '
    'than the largest few.',
    '"From the moment it was due" counts from when a packet should have been sent, not from when it was: '
    'a sender that waits for a late answer sends less while things are slow, and so would not see most of '
    'what a real meter would (coordinated omission).',
)


def cells(kind, row):
    return '<tr>' + ''.join(f'<{kind}{words_class}>{escape(str(cell))}</{kind}>'
                            for cell, words_class in row) + '</tr>'


def table(head, rows, numeric=(), state=None):
    """Columns in `numeric` are set right; the one called `state` takes its colour from its words."""
    def classed(row, header=False):
        out = []
        for number, cell in enumerate(row):
            if number == state and not header:
                out.append((cell, f' class="s {cell.replace(" ", "-")}"'))
            else:
                wide = ' class="what"' if row[0] and number == 1 and state else ''
                out.append((cell, ' class="n"' if number in numeric else wide))
        return out
    body = ''.join(cells('td', classed(row)) for row in rows)
    return (f'<div class="wide"><table><thead>{cells("th", classed(head, True))}</thead>'
            f'<tbody>{body}</tbody></table></div>')


def figure(title, drawing, below=''):
    return f'<figure><figcaption>{escape(title)}</figcaption>{drawing}{below}</figure>'


def figures_table(rows):
    """Numbers of what was drawn, for who wants them exactly."""
    body = [[name, *words.quantiles(counts)] for name, counts in rows]
    return table(['', 'n', 'p50', 'p99', 'p99.9', 'max'], body, numeric=range(1, 6))


def part_bars(report):
    rows = [[row['bench'], row['what'], words.bar(row['bar']), words.value(row['value']),
             words.bar(row['aim']) if row['aim'] != '-' else '', row['state'], row['why'],
             words.KIND[row['kind']]] for row in report['bars']]
    return ('<p>"Cannot be said" is a figure that this run did not measure, or that is beyond its bar on a '
            'machine whose own noise could have put it there (last column: whether noise can do that at all).'
            '</p>') + table(['bench', 'what', 'bar', 'here', 'aim', 'verdict', 'why', 'noise?'], rows,
                 numeric=(2, 3, 4), state=5)


def part_curves(report):
    floor, parts = findings.floor_curve(report), []
    for title, series in findings.curves(report):
        curves = [(name, histogram.curve(rows)) for name, rows in series]
        below = draw.legend([name for name, _ in series], 'the machine by itself' if floor else '')
        parts.append(figure(title, draw.percentiles(title, curves, floor), below + figures_table(series)))
    if not floor:
        parts.insert(0, '<p class="pale">No noise floor was measured in this run, so none is drawn.</p>')
    return ''.join(f'<p>{escape(text)}</p>' for text in READING) + ''.join(parts)


def part_stages(report):
    rows = findings.stage_rows(report)
    if not rows:
        return '<p class="pale">No bench that ran takes stages apart.</p>'
    three = [(name, tuple(histogram.quantile(counts, q) for q in findings.QUANTILES))
             for name, counts in rows]
    return figure('Time in each stage: p50, p99 and p99.9', draw.stages('Time in each stage', three),
                  draw.legend(['p50', 'p99', 'p99.9']) + figures_table(rows))


def part_scales(report):
    parts = [figure(title, draw.scale(title, series, x_title, y_title),
                    draw.legend([name for name, _ in series]))
             for title, x_title, y_title, series in findings.scales(report)]
    held = list(findings.saturation_rows(report))
    if held:
        parts.append(table(['saturation', 'datagrams a second', 'searches', 'why no higher'], held,
                           numeric=(1, 2)))
    return ''.join(parts) or '<p class="pale">No bench that ran tells cost by size.</p>'


def part_budget(report):
    rows = []
    for row in findings.budget_rows(report):
        times = [draw.time_words(row[key]) if key in row else '' for key in ('p50', 'p99', 'p999')]
        if 'mean' in row:
            times[0] = f'mean {draw.time_words(row["mean"])}'
        tail = row.get('p999') or row.get('mean')
        share = f'{row["budget_ms"] * 1e6 / tail:,.0f} times' if tail else ''
        what = f'{row["what"]} ({row["bench"]})' if row['what'] else 'not measured by any bench'
        rows.append([row['stage'], f'{row["budget_ms"]} ms', what, *times, share])
    return (table(['stage of the white paper', 'its budget', 'what stands beside it here', 'p50', 'p99',
                   'p99.9', 'quicker by'], rows, numeric=(1, 3, 4, 5, 6)) +
            '<p class="pale">The white paper\'s figures are those of a whole path with its windows and '
            'cadences; beside them stands the software\'s part alone. 35.3 ms of its 50.5 ms are software: '
            'detection, edge, rack and cluster.</p>')


def flat(row, prefix=''):
    for key, value in row.items():
        name = f'{prefix}{key.replace("_", " ")}'
        if isinstance(value, dict):
            yield from flat(value, f'{name}: ')
        else:
            yield [name, 'yes' if value is True else 'no' if value is False else words.listed(value)]


def part_fingerprint(report):
    lacking = [[row['name'], row['said'], row['why']] for row in report['lacks']]
    said = (table(['flyball doctor', 'found', 'why it matters'], lacking) if lacking else
            f'<p class="pale">{escape(report["lacks_why"] or "flyball doctor finds nothing lacking.")}</p>')
    every = {'started': report['started'], 'took': f'{report["took_s"]} s', **report['machine'],
             'settings': report['settings'], 'built': report['built']}
    return table(['', ''], list(flat(every))) + '<h3>What this host lacks for hard real time</h3>' + said


def part_benches(report):
    rows = [[name, row['state'], row['what'], row['why'], f'{row["took_s"]:.1f} s',
             f'{row["load_before"]:.2f} / {row["load_after"]:.2f}']
            for name, row in report['benches'].items()]
    said = table(['bench', 'state', 'what it is', 'why', 'took', 'load before / after'], rows, numeric=(4, 5))
    for name, row in report['benches'].items():
        if row['result']:
            bare = json.dumps(words.without_histograms(row['result']), indent=1, ensure_ascii=False)
            said += (f'<details><summary>{escape(name)}: every figure</summary><p><code>'
                     f'{escape(" ".join(row["command"]))}</code></p><pre>{escape(bare)}</pre></details>')
    return said


PARTS = (
    ('Bars', part_bars),
    ('Percentiles, with the noise floor', part_curves),
    ('Stages', part_stages),
    ('Cost by size', part_scales),
    ('The white paper\'s budget, line by line', part_budget),
    ('Benches', part_benches),
    ('Fingerprint', part_fingerprint),
)


def page(report):
    parts = ''.join(f'<section><h2>{escape(title)}</h2>{part(report)}</section>' for title, part in PARTS)
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
            '<meta name="color-scheme" content="light dark"/>'
            f'<title>flyball benches: {escape(report["built"]["commit"][:12])}</title>'
            f'<style>{STYLE}</style></head><body><main><header><h1>flyball: what the benches found</h1>'
            f'<p class="pale">{escape(words.origin(report))}</p>'
            f'<p class="verdict">{escape(words.verdict(report))}</p></header>{parts}</main></body></html>\n')
