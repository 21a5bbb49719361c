#!/usr/bin/env python3
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What blocks cost in Python, beside what else a program could use:

    bench-python.py [--rounds N] [--json FILE]

The cases of a row take turns, so that a machine that is busy is so for all of them.
What is told is the median over the rounds, and what that is of the median of gst-python,
whose GstMemory is the neighbour that Quire is measured by. The result is a table in
Markdown, and JSON if a file is named.
"""

import argparse
import gc
import itertools
import json
import platform
import statistics
import sys
import time

import gi

gi.require_version('Quire', '1.0')
from gi.repository import Quire

try:
    import numpy
except ImportError:
    numpy = None

try:
    gi.require_version('Gst', '1.0')
    from gi.repository import Gst
    Gst.init(None)
except (ImportError, ValueError):
    Gst = None

KIB = 1024
MIB = 1024 * KIB

# How long a case runs in a round, in nanoseconds.
SLICE = 2_000_000


class Case:
    """One way to do one thing."""

    def __init__(self, what, who, statement, names):
        self.what = what
        self.who = who
        self.statement = statement
        # The loop is part of what is compiled: a call of a function each time would
        # cost more than some of what is measured.
        source = f'def run(count):\n    for _ in range(count):\n        {statement}\n'
        exec(source, names)
        self.run = names['run']
        self.count = 1
        self.times = []

    def measure(self):
        """The nanoseconds that each time takes."""
        start = time.perf_counter_ns()
        self.run(self.count)
        return (time.perf_counter_ns() - start) / self.count

    def calibrate(self):
        """Finds how often it runs in a slice. The first times are slow."""
        for _ in range(3):
            while True:
                each = self.measure()
                if each * self.count >= SLICE / 2:
                    break
                self.count *= 2
            self.count = max(1, round(SLICE / each))

    @property
    def median(self):
        return statistics.median(self.times)


def gst_memory(size):
    """A block that has been written: before that all its pages are one, which is full of
    zeros and always in the nearest cache."""
    memory = Gst.Allocator.find(None).alloc(size, None)
    with memory.map(Gst.MapFlags.WRITE) as info:
        info.data[:] = bytes(b'\1') * size
    return memory


def cases():
    """What each of them does for one thing; where one has nothing of the kind, it is
    left out."""
    def add(what, setup, **statements):
        for who, statement in statements.items():
            who = {'quire': 'Quire', 'bytearray': 'bytearray', 'numpy': 'numpy', 'gst': 'gst-python'}[who]
            if who == 'numpy' and numpy is None or who == 'gst-python' and Gst is None:
                continue
            names = {'Quire': Quire, 'numpy': numpy, 'Gst': Gst, 'Memory': Quire.Memory,
                     'READ': Quire.MapFlags.READ, **setup(who)}
            found.append(Case(what, who, statement, names))

    def block(size):
        def setup(who):
            if who == 'Quire':
                memory = Quire.Memory(size)
                memory.fill(0, -1, 1)
                return {'m': memory, 'n': memory.copy(0, -1)}
            if who == 'numpy':
                return {'m': numpy.ones(size, 'u1'), 'n': numpy.ones(size, 'u1')}
            if who == 'gst-python':
                memory = gst_memory(size)
                return {'m': memory, 'alloc': Gst.Allocator.find(None), 'READ': Gst.MapFlags.READ}
            return {'m': bytearray(b'\1') * size, 'n': bytearray(b'\1') * size, 'zeros': bytes(size)}
        return setup

    found = []
    add('allocate 4 KiB', block(1), quire='Memory(4096)', bytearray='bytearray(4096)',
        numpy="numpy.empty(4096, 'u1')", gst='alloc.alloc(4096, None)')
    add('view of 64 MiB', block(64 * MIB), quire='memoryview(m)', bytearray='memoryview(m)',
        numpy='memoryview(m)', gst='i = m.map(READ); i.data; m.unmap(i)')
    add('with a map to read', block(4 * KIB), quire='with m.map(READ) as v: pass',
        bytearray='with memoryview(m) as v: pass', gst='with m.map(READ) as v: pass')
    add('with a map, its data', block(4 * KIB), quire='with m.map(READ) as v: v[0]',
        bytearray='with memoryview(m) as v: v[0]', gst='with m.map(READ) as v: v.data[0]')
    add('map, unmap', block(4 * KIB), quire='m.unmap(m.map(READ))', gst='m.unmap(m.map(READ))')
    add('window of 64 bytes', block(4 * KIB), quire='m[64:128]', bytearray='memoryview(m)[64:128]',
        numpy='m[64:128]', gst='m.share(64, 64)')
    add('a byte', block(4 * KIB), quire='m[100]', bytearray='m[100]', numpy='m[100]')
    add('length', block(4 * KIB), quire='len(m)', bytearray='len(m)', numpy='len(m)', gst='m.size')
    add('copy 64 bytes', block(64), quire='m.copy(0, -1)', bytearray='bytearray(m)', numpy='m.copy()',
        gst='m.copy(0, -1)')
    add('copy 1 MiB', block(MIB), quire='m.copy(0, -1)', bytearray='bytearray(m)', numpy='m.copy()',
        gst='m.copy(0, -1)')
    add('fill 1 MiB', block(MIB), quire='m.fill(0, -1, 0)', bytearray='m[:] = zeros', numpy='m.fill(0)')
    add('compare 1 MiB', block(MIB), quire='m == n', bytearray='m == n', numpy='numpy.array_equal(m, n)')
    return found


def form(ns):
    for unit, size in (('ms', 1e6), ('µs', 1e3)):
        if ns >= 10 * size:
            return f'{ns / size:.1f} {unit}'
    return f'{ns:.0f} ns'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=101)
    parser.add_argument('--json', metavar='FILE')
    options = parser.parse_args()

    found = cases()
    gc.disable()
    # Row by row: who has to bring a row's memory into the caches would pay for the others.
    for _, row in itertools.groupby(found, key=lambda case: case.what):
        row = list(row)
        for case in row:
            case.calibrate()
        for number in range(options.rounds):
            for case in row:
                case.times.append(case.measure())
            if number % 8 == 0:
                gc.collect()

    peers = ('Quire', 'gst-python', 'bytearray', 'numpy')
    medians = {(case.what, case.who): case.median for case in found}
    print(f'| what ({options.rounds} rounds) | ' + ' | '.join(peers) + ' | Quire : gst-python |')
    print('| --- |' + ' --- |' * (len(peers) + 1))
    rows = []
    for what in dict.fromkeys(case.what for case in found):
        row = {who: medians.get((what, who)) for who in peers}
        ratio = row['Quire'] / row['gst-python'] if row['gst-python'] else None
        print(f'| {what} | ' + ' | '.join(form(row[who]) if row[who] else '' for who in peers)
              + f' | {f"{ratio:.3f}" if ratio else ""} |')
        rows.append({'what': what, 'ratio': ratio, 'medians_ns': row})

    if options.json:
        versions = {'python': platform.python_version(), 'pygobject': gi.__version__,
                    'numpy': numpy and numpy.__version__, 'gst': Gst and Gst.version_string()}
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump({'rounds': options.rounds, 'versions': versions, 'rows': rows}, file, indent=2)
            file.write('\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
