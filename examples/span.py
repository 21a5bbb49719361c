#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Which shares lie side by side, so that they merge without a copy."""

import sys

import gi
import numpy as np

gi.require_version('Quire', '1.0')
from gi.repository import Quire

SIZE = 1000

Blocks = tuple[Quire.Memory, Quire.Memory]
Ranges = tuple[tuple[int, int], tuple[int, int]]

failures: list[str] = []


def check(promise: bool, what: str) -> None:
    """What is promised is checked as it is shown."""
    if not promise:
        failures.append(what)
        print('  NOT SO:', what)


def counting_block(first: int) -> Quire.Memory:
    """A block that counts up from first."""
    memory = Quire.Memory(SIZE)
    np.frombuffer(memory, np.uint8)[:] = np.arange(first, first + SIZE) % 256
    return memory


def address_of(memory: Quire.Memory) -> int:
    return np.frombuffer(memory, np.uint8).ctypes.data


def show(what: str, parents: Blocks, ranges: Ranges, expected: bool) -> int:
    """Shares a range of each parent, asks whether they are a span, and merges them.
    Returns how many bytes the merge of a span copied; of anything else, 0."""
    parent = parents[0]
    (start, _), _ = ranges
    first, second = (p[begin:end] for p, (begin, end) in zip(parents, ranges))

    span, offset = first.is_span(second)
    merged, copied = first.merge(second)        # first + second, and how it was done
    in_place = address_of(merged) == address_of(parent) + start

    shown = ''.join(f'{begin:5}..{end:<4}' for begin, end in ranges)
    print(f'  {what:20}{shown}   {"yes" if span else "no":5} '
          f'{"in place" if in_place else "elsewhere":10} {copied}')

    check(span == expected, 'this is what the rules say')
    check(offset == (parent.get_sizes().offset + start if span else 0),
          'a span begins where its first share does')
    check(in_place == span, 'a span stays where it is, and nothing else does')
    check(copied == (0 if span else len(first) + len(second)), 'a span copies nothing')
    check(bytes(merged) == bytes(first) + bytes(second),
          'the merged block has the bytes of both')

    return copied if span else 0


def main() -> int:
    memory, other = counting_block(0), counting_block(100)
    window = memory[500:]
    copied = 0

    print(f'Two shares of a block of {SIZE} bytes\n')
    print(f'  {"":20}{"first":>7}{"second":>12}      span  merged     bytes copied')

    copied += show('adjacent', (memory, memory), ((0, 400), (400, 1000)), True)
    copied += show('adjacent, inside', (memory, memory), ((100, 300), (300, 350)), True)
    copied += show('shares of a share', (window, window), ((0, 100), (100, 200)), True)
    copied += show('share and its share', (memory, window), ((400, 500), (0, 100)), True)
    show('gap of 10', (memory, memory), ((0, 100), (110, 210)), False)
    show('overlap of 10', (memory, memory), ((0, 100), (90, 190)), False)
    show('reversed', (memory, memory), ((100, 200), (0, 100)), False)
    show('other parents', (memory, other), ((0, 100), (100, 200)), False)

    check(not memory.is_span(other)[0], 'two blocks that are no shares are no span')

    print('\nBy all that are a span:')
    print(f'bytes copied: {copied}')
    print('failed' if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
