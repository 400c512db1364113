# SPDX-License-Identifier: Apache-2.0
"""Drawings in SVG. Colours are classes of the page's style (c0 to c7, floor), so that they follow light and
dark; legends stand below a drawing as text of the page, where nothing can overlap."""
import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 74, 36, 14, 52
COLOURS = 8
DASHES = ('', '7 3', '2 3', '9 3 2 3')


def dash(number):
    """Beyond the colours there are, lines differ by their dashes."""
    words = DASHES[number // COLOURS % len(DASHES)]
    return f' stroke-dasharray="{words}"' if words else ''


def colour(number):
    return f'c{number % COLOURS}'


def short_number(value):
    """1500 as 1500, 0.25 as 0.25, 12000 as 12 k."""
    if value == 0:
        return '0'
    for limit, unit in ((1e9, ' G'), (1e6, ' M'), (1e4, ' k')):
        if abs(value) >= limit:
            return f'{value / (1e3 if unit == " k" else limit):.3g}{unit}'
    return f'{value:.4g}'


def time_words(ns):
    """A time for people: three digits and the unit that suits it."""
    for limit, unit in ((1e9, 's'), (1e6, 'ms'), (1e3, 'us')):
        if ns >= limit:
            return f'{ns / limit:.3g} {unit}'.replace('us', 'µs')
    return f'{ns:.3g} ns'


class Log:
    """A logarithmic axis over whole decades, or halves of them where it would stand mostly empty."""

    def __init__(self, low, high, start, end):
        low, high = max(low, 1e-12), max(high, low * 1.001, 1e-12)
        self.low = math.floor(math.log10(low) * 2) / 2
        self.high = max(math.ceil(math.log10(high) * 2) / 2, self.low + 0.5)
        self.start, self.end = start, end

    def at(self, value):
        share = (math.log10(max(value, 1e-12)) - self.low) / (self.high - self.low)
        return self.start + min(1, max(0, share)) * (self.end - self.start)

    def ticks(self):
        first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
        steps = (1,) if last - first >= 4 else (1, 2, 5)
        values = [10.0 ** power * step for power in range(first - 1, last + 1) for step in steps]
        return [value for value in values if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9]


class Linear:
    """From nothing up."""

    def __init__(self, high, start, end):
        high = high or 1
        step = 10 ** math.floor(math.log10(high))
        self.step = next(part * step for part in (0.2, 0.5, 1, 2, 5) if high / (part * step) <= 6)
        self.high = math.ceil(high / self.step - 1e-9) * self.step
        self.start, self.end = start, end

    def at(self, value):
        return self.start + value / self.high * (self.end - self.start)

    def ticks(self):
        return [k * self.step for k in range(round(self.high / self.step) + 1)]


def text(x, y, words, anchor='middle', kind='tick', turn=False):
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ''
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{turned}>'
            f'{escape(words)}</text>')


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def sheet(title, parts, height=HEIGHT):
    return (f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}">'
            f'<title>{escape(title)}</title>{"".join(parts)}</svg>')


def frame(x_ticks, y_ticks, x_title, y_title, height=HEIGHT):
    """Grid, numbers and titles: ticks are (place, words)."""
    right, bottom = WIDTH - RIGHT, height - BOTTOM
    parts = []
    for x, words in x_ticks:
        parts += [line(x, TOP, x, bottom, 'grid'), text(x, bottom + 18, words)]
    for y, words in y_ticks:
        parts += [line(LEFT, y, right, y, 'grid'), text(LEFT - 8, y + 4, words, 'end')]
    parts += [line(LEFT, bottom, right, bottom, 'axis'), line(LEFT, TOP, LEFT, bottom, 'axis'),
              text((LEFT + right) / 2, height - 10, x_title, kind='title'),
              text(16, (TOP + bottom) / 2, y_title, kind='title', turn=True)]
    return parts


def path(points, kind, more=''):
    steps = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
    return f'<polyline points="{steps}" class="line {kind}"{more}/>'


def thinned(points):
    """Of points that would fall on one another to a third of a pixel the first."""
    kept = points[:1]
    for x, y in points[1:]:
        if abs(x - kept[-1][0]) >= 0.3 or abs(y - kept[-1][1]) >= 0.3:
            kept.append((x, y))
    return kept


def share_words(power):
    """0 as all, 1 as 90 %, 3 as 99.9 %."""
    return '0 %' if power == 0 else f'{100 - 10.0 ** (2 - power):.{max(0, power - 2)}f} %'


def percentiles(title, series, floor=None):
    """Times by percentile, the tail as wide as the middle: x is 1 / (1 - q), logarithmic. series: [(name,
    [(1 / (1 - q), ns), ...]), ...]; the floor is a curve of the machine's own."""
    curves = [(points, colour(number), dash(number)) for number, (_, points) in enumerate(series)]
    if floor:
        curves.insert(0, (floor, 'floor', ''))
    far = max(point[0] for points, _, _ in curves[1 if floor and series else 0:] for point in points)
    times = [point[1] for points, _, _ in curves for point in points if point[1] > 0]
    x_axis = Log(1, max(far, 100), LEFT, WIDTH - RIGHT)
    y_axis = Log(max(min(times), 10), max(times), HEIGHT - BOTTOM, TOP)
    x_ticks = [(x_axis.at(10.0 ** power), share_words(power)) for power in range(0, int(x_axis.high) + 1)]
    x_ticks.insert(1, (x_axis.at(2), '50 %'))
    y_ticks = [(y_axis.at(value), time_words(value)) for value in y_axis.ticks()]
    parts = frame(x_ticks, y_ticks, 'share of all that took no longer (percentile)', 'time')
    for points, kind, more in curves:
        inside = [point for point in points if point[0] <= far * 1.0001]
        places = [(x_axis.at(tail), y_axis.at(max(ns, 1))) for tail, ns in inside]
        if places:
            parts.append(path(thinned([(x_axis.at(1), places[0][1]), *places]), kind, more))
    return sheet(title, parts)


def stages(title, rows):
    """Three bars a stage, p50, p99 and p99.9, on one logarithmic axis. rows: [(name, (ns, ns, ns)), ...]"""
    left, pitch = 190, 46
    height = TOP + BOTTOM + pitch * len(rows)
    times = [ns for _, three in rows for ns in three if ns > 0] or [1]
    axis = Log(min(times) / 2, max(times) * 1.6, left, WIDTH - RIGHT - 40)
    bottom = height - BOTTOM
    parts = []
    for value in axis.ticks():
        parts += [line(axis.at(value), TOP, axis.at(value), bottom, 'grid'),
                  text(axis.at(value), bottom + 18, time_words(value))]
    for number, (name, three) in enumerate(rows):
        top = TOP + number * pitch
        parts.append(text(left - 10, top + 24, name, 'end', 'name'))
        for part, ns in enumerate(three):
            y = top + 5 + part * 12
            parts.append(f'<rect x="{left}" y="{y}" width="{max(1, axis.at(ns) - left):.1f}" height="10" '
                         f'class="bar {colour(part)}"/>')
            parts.append(text(axis.at(ns) + 5, y + 9, time_words(ns), 'start', 'figure'))
    parts += [line(left, TOP, left, bottom, 'axis'),
              text((left + WIDTH) / 2, height - 10, 'time, logarithmic', kind='title')]
    return sheet(title, parts, height)


def scale(title, series, x_title, y_title, y_words=short_number):
    """Cost against size: [(name, [(x, y), ...]), ...]; sizes logarithmic, cost from nothing up where it spans
    less than a decade."""
    places = [point for _, points in series for point in points]
    sizes, costs = [x for x, _ in places], [y for _, y in places]
    x_axis = Log(min(sizes) * 0.8, max(sizes) * 1.25, LEFT, WIDTH - RIGHT)
    wide = min(costs) > 0 and max(costs) / min(costs) > 10
    y_axis = Log(min(costs) * 0.8, max(costs) * 1.2, HEIGHT - BOTTOM, TOP) if wide else \
        Linear(max(costs), HEIGHT - BOTTOM, TOP)
    x_ticks = [(x_axis.at(x), short_number(x)) for x in x_axis.ticks()]
    y_ticks = [(y_axis.at(y), y_words(y)) for y in y_axis.ticks()]
    parts = frame(x_ticks, y_ticks, x_title, y_title)
    for number, (_, points) in enumerate(series):
        here = [(x_axis.at(x), y_axis.at(y)) for x, y in sorted(points)]
        parts.append(path(here, colour(number), dash(number)))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="dot {colour(number)}"/>'
                  for x, y in here]
    return sheet(title, parts)


def legend(names, floor=''):
    """Below a drawing: what each line is."""
    items = [(name, colour(number), dash(number)) for number, name in enumerate(names)]
    if floor:
        items.insert(0, (floor, 'floor', ''))
    return '<ul class="legend">' + ''.join(
        f'<li><svg viewBox="0 0 26 8" aria-hidden="true"><line x1="0" y1="4" x2="26" y2="4" '
        f'class="line {kind}"{more}/></svg>{escape(name)}</li>' for name, kind, more in items) + '</ul>'
