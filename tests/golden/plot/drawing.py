# SPDX-License-Identifier: Apache-2.0
"""A sheet of time-current curves, read back by its own scales."""
import math
import re
import xml.etree.ElementTree as tree

SVG = '{http://www.w3.org/2000/svg}'


def text_of(element):
    return ''.join(element.itertext())


def words(place):
    return [text_of(t).replace('\u00a0', ' ') for t in place.iter(SVG + 'text')]


def number(label):
    """'5k', '10 000', '0.01'"""
    return float(label.replace(' ', '').replace('k', '')) * (1000 if label.endswith('k') else 1)


class Sheet:
    """Places of the drawing as amperes and seconds: found by two labels of each scale, nothing else."""

    def __init__(self, root):
        self.root = root
        scale = [t for t in root.iter(SVG + 'text') if 'scale' in t.get('class', '').split()]
        across = sorted((number(text_of(t)), float(t.get('x'))) for t in scale
                        if t.get('text-anchor') == 'middle')
        up = sorted((number(text_of(t)), float(t.get('y')) - 4) for t in scale
                    if t.get('class') == 'scale' and t.get('text-anchor') == 'end')
        (a0, x0), (a1, x1), (s0, y0), (s1, y1) = across[0], across[-1], up[0], up[-1]
        self.decade_x = (x1 - x0) / math.log10(a1 / a0)
        self.decade_y = (y0 - y1) / math.log10(s1 / s0)
        self.x1k = x0 + self.decade_x * math.log10(1000 / a0)
        self.y1 = y0 - self.decade_y * math.log10(1 / s0)

    def x(self, amperes):
        return self.x1k + self.decade_x * math.log10(amperes / 1000)

    def y(self, seconds):
        return self.y1 - self.decade_y * math.log10(seconds)

    def devices(self):
        return {g.get('data-node'): g for g in self.root.iter(SVG + 'g') if g.get('class') == 'device'}

    def edge(self, node, edge):
        path = next(p for p in self.devices()[node].iter(SVG + 'path') if p.get('class') == edge)
        return points(path.get('d'))

    def height(self, node, edge, amperes):
        """The y of an edge at a current, from the right where it jumps; None where the edge is not."""
        x, line = self.x(amperes), self.edge(node, edge)
        for (ax, ay), (bx, by) in reversed(list(zip(line, line[1:]))):
            if ax <= x <= bx:
                return ay + (by - ay) * (x - ax) / (bx - ax) if bx > ax else by
        return None

    def marks(self, row):
        """Letters of one row of operating currents, with the x of their ticks."""
        strip = next(g for g in self.root.iter(SVG + 'g') if g.get('class') == 'strip')
        found, at = {}, -1
        children = list(strip)
        for i, child in enumerate(children):
            at += child.get('class') == 'lane'
            if at == row and child.get('class') == 'mark':
                found[text_of(children[i + 1])] = points(child.get('d'))[1][0]
        return found


def points(d):
    """M, L, H and V of a path as places."""
    place, x, y = [], 0.0, 0.0
    for letter, rest in re.findall(r'([MLHVZ])([^MLHVZ]*)', d):
        n = [float(v) for v in rest.split()]
        x = n[0] if letter in 'MLH' else x
        y = n[0] if letter == 'V' else n[1] if letter in 'ML' else y
        if letter != 'Z':
            place.append((x, y))
    return place


def read(path):
    return Sheet(tree.parse(path).getroot())
