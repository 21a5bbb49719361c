#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""An allocator in a few lines of Python: it takes blocks from another one, and tells who maps
them, for how long, and when they are gone."""

import collections
import itertools
import sys
import time

import gi
import numpy

gi.require_version('Quire', '1.0')
from gi.repository import GLib, Quire

READ = Quire.MapFlags.READ
WRITE = Quire.MapFlags.WRITE

MODES = {READ: 'READ', WRITE: 'WRITE', READ | WRITE: 'READ+WRITE'}
SIZE = 4096

failures: list[str] = []


def check(promise: bool, what: str) -> None:
    """What is promised is checked as it is shown."""
    if not promise:
        failures.append(what)
        print('  NOT SO:', what)


class Tracing(Quire.Allocator):
    """Tells what is done to the blocks of another allocator."""

    def __init__(self, below: Quire.Allocator) -> None:
        super().__init__()
        self.below = below
        self.numbers = itertools.count(1)
        self.alive: set[int] = set()
        # By block, when the maps that stand began.
        self.began: dict[int, list[float]] = collections.defaultdict(list)
        self.held: dict[int, float] = collections.defaultdict(float)
        self.counts: collections.Counter[str] = collections.Counter()

    def tell(self, what: str, number: int, more: str = '') -> None:
        self.counts[what] += 1
        print(f'    {what:9} block {number}  {more}'.rstrip())

    def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
        number = next(self.numbers)
        self.alive.add(number)
        self.tell('alloc', number, f'{size} bytes of {self.below.get_mem_type()}')
        # The number is what comes back with the block, and when it is gone.
        return self.bind(self.below.alloc(size, params), number)

    def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
        number = self.get_state(memory)
        size, offset, _ = memory.get_sizes()
        what = 'a share, ' if memory.get_parent() else ''
        self.tell('mapped', number, f'{what}{size} bytes at {offset}, {MODES[flags & (READ | WRITE)]}')
        self.began[number].append(time.monotonic())

    def do_unmapped(self, memory: Quire.Memory) -> None:
        number = self.get_state(memory)
        self.held[number] += time.monotonic() - self.began[number].pop()
        self.tell('unmapped', number)

    def do_released(self, number: int) -> None:
        self.alive.remove(number)
        self.tell('released', number)


def work() -> None:
    """Something that knows nothing of who allocates."""
    print('  a block, from numpy')
    memory = Quire.Memory(SIZE)
    pixels = numpy.frombuffer(memory, numpy.uint8)
    pixels[:] = numpy.arange(SIZE) % 256
    del pixels

    print('  two shares, and their merge')
    head, tail = memory[:SIZE // 2], memory[SIZE // 2:]
    merged, copied = head.merge(tail)
    check(copied == 0, 'the shares are side by side, whoever made the block')
    check(bytes(merged) == bytes(i % 256 for i in range(SIZE)), 'the merged block has the bytes')

    print('  a copy')
    copy = memory.copy(0, 16)
    check(bytes(copy) == bytes(range(16)), 'the copy has the bytes')
    print('  all dropped')


def show_trace(tracing: Tracing) -> None:
    print('What a program does with blocks that it takes for ordinary ones\n')
    tracing.set_default()
    try:
        work()
    finally:
        Quire.Allocator.find('system').set_default()

    counts = tracing.counts
    print(f'\n  {counts["alloc"]} blocks, {counts["mapped"]} maps, '
          f'{counts["released"]} blocks gone, {len(tracing.alive)} left\n')
    check(counts['alloc'] == 2 and counts['released'] == 2, 'each block is gone once')
    check(counts['mapped'] == counts['unmapped'] > 0, 'each map has ended once')
    check(not any(tracing.began.values()) and sum(tracing.held.values()) > 0, 'they took some time')


class ReadOnly(Tracing):
    """Refuses what is mapped to write."""

    def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
        if flags & WRITE:
            raise PermissionError('these blocks are for looking only')
        super().do_mapped(memory, flags)


def show_refusal(system: Quire.Allocator) -> None:
    print('What is raised in the allocator is what the caller gets\n')
    memory = ReadOnly(system).alloc(16)
    try:
        memory.map(WRITE)
        check(False, 'such a map is refused')
    except GLib.Error as error:
        print(f'    {type(error).__name__}: {error.message}')
        check(isinstance(error.__cause__, PermissionError), 'it is raised from what was raised')
    check(memory.describe_lock() == 'free', 'a map that is refused leaves nothing behind')
    check(memoryview(memory).readonly, 'a view that may be read-only is')
    print()


def main() -> int:
    system = Quire.Allocator.find('system')
    show_trace(Tracing(system))
    show_refusal(system)

    print('failed' if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
