# SPDX-License-Identifier: Apache-2.0
"""The report in words: what page and terminal have in common, and the terminal's form of it."""
from . import draw, findings, histogram

KIND = {'fact': 'no', 'whole': 'no', 'middle': 'yes', 'tail': 'yes'}
FEW = 10        # samples beyond a quantile, below which it stands in brackets


def bar(limit):
    return f'≥ {limit[2:]}' if limit.startswith('>=') else f'≤ {limit}'


def value(number):
    return '' if number is None else f'{number:.4g}'


def listed(entry):
    if isinstance(entry, list):
        return ', '.join(str(part) for part in entry)
    return str(entry)


def without_histograms(result):
    if isinstance(result, dict):
        return {key: f'histogram: n {histogram.total(part)}' if histogram.is_histogram(part)
                else without_histograms(part) for key, part in result.items()}
    return result


def counts(report):
    states = [row['state'] for row in report['bars']]
    return {state: states.count(state) for state in ('met', 'not met', 'cannot be said')}


def troubles(report):
    """Benches that crashed, hung, printed nonsense or are not there: no noise does that."""
    return [name for name, row in report['benches'].items()
            if row['state'] in ('failed', 'nonsense', 'stopped', 'missing')]


def verdict(report):
    n = counts(report)
    said = (f'{len(report["bars"])} bars: {n["met"]} met, {n["not met"]} not met, {n["cannot be said"]} '
            'cannot be said here.')
    bad = troubles(report)
    failing = sum(row['fails'] for row in report['bars'])
    if n['not met']:
        said += f' {failing} of those not met in a way that no noise explains.'
    return said + (f' Benches that failed: {", ".join(bad)}.' if bad else '')


def origin(report):
    built, machine = report['built'], report['machine']
    dirty = ', with changes that are not committed' if built['dirty'] else ''
    return (f'commit {built["commit"][:12]}{dirty}; {machine["host"]}, {machine["processor"]}, '
            f'{machine["cores"]} cores, Linux {machine["kernel"].split()[0]}; {report["started"]}, '
            f'{report["form"]} form, {report["took_s"]:.0f} s')


def quantiles(rows):
    """n, p50, p99, p99.9, max; in brackets what has too few samples beyond it."""
    d = findings.digits(rows)
    yield f'{d["n"]:,}'
    for key, q in zip(findings.QUANTILE_KEYS, findings.QUANTILES):
        told = draw.time_words(d[key])
        yield told if d['n'] * (1 - q) >= FEW else f'({told})'
    yield draw.time_words(d['max'])


def columns(rows, right=()):
    wide = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        yield '  '.join(cell.rjust(wide[k]) if k in right else cell.ljust(wide[k])
                        for k, cell in enumerate(row)).rstrip()


def curve_rows(report):
    yield ['', 'n', 'p50', 'p99', 'p99.9', 'max']
    for title, series in findings.curves(report):
        yield [title, '', '', '', '', '']
        for name, rows in series:
            yield [f'  {name}', *quantiles(rows)]


def terminal(report):
    lines = [origin(report), '', 'benches']
    lines += columns([[f'  {name}', row['state'], f'{row["took_s"]:.1f} s', row['why']]
                      for name, row in report['benches'].items()], right=(2,))
    floor = findings.floor_of(report)
    told = f'lost {floor["lost_share"]:.2%} of the core, p99.9 {floor["p999_us"]:.4g} µs' if floor else \
        'not measured'
    lines += ['', f'noise floor: {told}']
    lines += [f'lacking: {row["name"]}: {row["said"]}' for row in report['lacks']]
    lines += [f'saturation: {name} {rate} a second ({n} searches): {why}'
              for name, rate, n, why in findings.saturation_rows(report)]
    lines += ['', *columns(list(curve_rows(report)), right=range(1, 6)), '']
    lines += columns([['verdict', 'bench', 'here', 'bar', 'what', 'why']] +
                     [[row['state'], row['bench'], value(row['value']), bar(row['bar']), row['what'],
                       row['why']] for row in report['bars']], right=(2, 3))
    return '\n'.join([*lines, '', verdict(report)]) + '\n'
