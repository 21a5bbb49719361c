# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Draws lines over logarithmic axes, as SVG, with nothing but Python."""

import html
import math

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 36, 48

# One look for each who is drawn, in any order; dashes tell them apart without colours.
LOOKS = {
    'quire': ('Quire', '#0b6e99', '#5cc4ee', ''),
    'gstreamer': ('GStreamer', '#c2410c', '#ff9d66', '7 3'),
    'gbytes': ('GBytes', '#6b7280', '#a7b0bd', '2 3'),
    'floor': ('floor', '#3f7d20', '#8fd06a', '10 3 2 3'),
}

STYLE = '''
text { font: 12px sans-serif; fill: #222 }
.title { font-weight: bold; font-size: 13px }
.grid { stroke: #ddd } .axis { stroke: #888; fill: none }
.line { fill: none; stroke-width: 2 }
''' + ''.join(f'.{who} {{ stroke: {light} }} .dot.{who} {{ fill: {light} }}\n'
              for who, (_, light, _, _) in LOOKS.items()) + '''
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .grid { stroke: #444 }
''' + ''.join(f'.{who} {{ stroke: {dark} }} .dot.{who} {{ fill: {dark} }}\n'
              for who, (_, _, dark, _) in LOOKS.items()) + '}\n'


def decades(low, high):
    return [10 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def span(values):
    """From one round number to another, at least a decade apart."""
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(values) * 1.001))
    return low, max(high, low * 10)


def time_label(ns):
    for unit, size in (('s', 1e9), ('ms', 1e6), ('µs', 1e3)):
        if ns >= size:
            return f'{ns / size:g} {unit}'
    return f'{ns:g} ns'


def size_label(size):
    for unit, scale in (('MiB', 1 << 20), ('KiB', 1 << 10)):
        if size >= scale:
            return f'{size / scale:g} {unit}'
    return f'{size:g} B'


def count_label(count):
    return f'{count:,.0f}'


class Panel:
    """One chart: what a series of points, each a dict with x and who's figures, shows."""

    def __init__(self, title, points, x_title, x_label=count_label, ticks=None, plain_x=False):
        self.title = title
        self.points = points
        self.x_title = x_title
        self.x_label = x_label
        self.ticks = ticks or [point['x'] for point in points]
        self.plain_x = plain_x
        values = [value for point in points for who, value in point.items() if who in LOOKS]
        self.y_low, self.y_high = span(values)
        self.x_low, self.x_high = points[0]['x'], points[-1]['x']

    def x(self, value):
        if self.plain_x:
            part = (value - self.x_low) / max(self.x_high - self.x_low, 1)
        else:
            part = math.log(value / self.x_low) / max(math.log(self.x_high / self.x_low), 1e-9)
        return LEFT + 10 + part * (WIDTH - LEFT - RIGHT - 20)

    def y(self, value):
        part = math.log(value / self.y_low) / math.log(self.y_high / self.y_low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def draw(self):
        parts = [f'<text class="title" x="{LEFT}" y="16">{html.escape(self.title)}</text>']
        for value in decades(self.y_low, self.y_high):
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                         f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{time_label(value)}</text>')
        for tick in self.ticks:
            x = self.x(tick)
            parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 4}"/>'
                         f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{self.x_label(tick)}</text>')
        parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
                     f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{html.escape(self.x_title)}</text>')
        for who, (_, _, _, dash) in LOOKS.items():
            line = [(self.x(point['x']), self.y(point[who])) for point in self.points if who in point]
            if not line:
                continue
            path = 'M' + 'L'.join(f'{x:.1f} {y:.1f}' for x, y in line)
            parts.append(f'<path class="line {who}" stroke-dasharray="{dash}" d="{path}"/>')
            parts += [f'<circle class="dot {who}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in line]
        return '\n'.join(parts)


def legend(panels, x, y):
    shown = [who for who in LOOKS if any(who in point for panel in panels for point in panel.points)]
    parts = []
    for who in shown:
        name, _, _, dash = LOOKS[who]
        parts.append(f'<path class="line {who}" stroke-dasharray="{dash}" d="M{x} {y - 4}h28"/>'
                     f'<text x="{x + 34}" y="{y}">{name}</text>')
        x += 112
    return '\n'.join(parts)


def draw(panels):
    """An SVG of panels one below the other, with one legend."""
    height = len(panels) * HEIGHT + 24
    body = '\n'.join(f'<g transform="translate(0 {24 + i * HEIGHT})">\n{panel.draw()}\n</g>'
                     for i, panel in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">\n'
            f'<title>{html.escape("; ".join(panel.title for panel in panels))}</title>\n'
            f'<style>{STYLE}</style>\n{legend(panels, LEFT, 16)}\n{body}\n</svg>\n')
