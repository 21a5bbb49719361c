#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""An allocator whose blocks live in a file: what is written to them is there for the next
program that opens it.

    mmap-file-allocator.py FILE

The file is an arena: a page that says how much is taken, and blocks one after the other."""

import errno
import mmap
import os
import struct
import sys

import gi
import numpy

gi.require_version('Quire', '1.0')
from gi.repository import GLib, Quire

READ = Quire.MapFlags.READ

PAGE = mmap.PAGESIZE
MAGIC = b'quire example\0\0\0'
HEADER = struct.Struct('=16sQ')

# The first page of a block, how many it has, and where they are mapped.
State = tuple[int, int, mmap.mmap]

failures: list[str] = []


def check(promise: bool, what: str) -> None:
    """What is promised is checked as it is shown."""
    if not promise:
        failures.append(what)
        print('  NOT SO:', what)


class FileAllocator(Quire.Allocator):
    """Blocks in a file. What is released at the end of the arena can be had again."""

    __gtype_name__ = 'ExampleFileAllocator'

    def __init__(self, path: str, pages: int) -> None:
        super().__init__()
        self.file = open(path, 'r+b' if os.path.exists(path) else 'w+b')
        os.truncate(self.file.fileno(), (1 + pages) * PAGE)
        self.header = mmap.mmap(self.file.fileno(), PAGE)
        magic, taken = HEADER.unpack_from(self.header)
        self.taken = taken if magic == MAGIC else 0
        self.gone: set[tuple[int, int]] = set()
        self.pages = pages
        self.note()

    def note(self) -> None:
        HEADER.pack_into(self.header, 0, MAGIC, self.taken)

    def open_block(self, first: int, pages: int) -> Quire.Memory:
        """A block over pages of the file. They are unmapped with it."""
        view = mmap.mmap(self.file.fileno(), pages * PAGE, offset=(1 + first) * PAGE)
        return self.bind(Quire.Memory.wrap(view), (first, pages, view))

    def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
        # The library finds the place for the data in what it gets, so there is room for all.
        pages = -(-(params.prefix + size + params.padding + params.align) // PAGE) or 1
        if self.taken + pages > self.pages:
            raise OSError(errno.ENOSPC, f'{pages} pages are wanted, {self.pages - self.taken} are left')
        block = self.open_block(self.taken, pages)
        self.taken += pages
        self.note()
        return block

    def do_unmapped(self, memory: Quire.Memory) -> None:
        # Who has written shall find it there whatever happens to the machine.
        if not memory.get_flags() & Quire.MemoryFlags.READONLY:
            self.get_state(memory)[2].flush()

    def do_released(self, state: State) -> None:
        first, pages, view = state
        view.close()
        self.gone.add((first, pages))
        self.shrink()

    def shrink(self) -> None:
        for first, pages in sorted(self.gone, reverse=True):
            if first + pages == self.taken:
                self.gone.remove((first, pages))
                self.taken = first
        self.note()


def show_arena(path: str) -> None:
    print('Blocks in a file\n')
    arena = FileAllocator(path, pages=8)

    first = arena.alloc(1000)
    params = Quire.AllocationParams()
    params.align, params.prefix = 255, 16
    second = arena.alloc(5000, params)
    for name, sizes in (('first', first.get_sizes()), ('second', second.get_sizes())):
        print(f'  {name:7} {sizes[0]} bytes at {sizes[1]:4} of {sizes[2]}')
    check(second.is_aligned(255) and second.get_sizes().offset >= 16, 'prefix and alignment are as asked')
    check(arena.taken == 3, 'so many pages are taken')

    try:
        arena.alloc(6 * PAGE)
        check(False, 'the arena is not large enough for this')
    except GLib.Error as error:
        print(f'  refused {error.message}')

    numbers = numpy.frombuffer(first, numpy.int32)
    numbers[:] = numpy.arange(250) ** 2
    del numbers
    second.fill(0, -1, 0x51)

    # A share goes to whoever wants bytes, without a copy.
    with open(path, 'rb') as file:
        file.seek(PAGE)
        check(file.read(1000) == bytes(first[:]), 'what was written is in the file')

    del second
    check(arena.taken == 1, 'what was released at the end can be had again')
    print(f'  taken   {arena.taken} of {arena.pages} pages, when the second is gone\n')


def show_reopened(path: str) -> None:
    print('The same file, opened once more\n')
    arena = FileAllocator(path, pages=8)
    # The file does not know of blocks, so whoever wants one back knows where it was.
    memory = arena.open_block(0, 1)
    with memory.map(READ) as view:
        numbers = numpy.frombuffer(view, numpy.int32, count=250)
        print(f'  found   {numbers[:6]} … {numbers[-1]}')
        check((numbers == numpy.arange(250) ** 2).all(), 'it is all there')
        del numbers
    print()


def main() -> int:
    if len(sys.argv) != 2:
        print(f'usage: {sys.argv[0]} FILE', file=sys.stderr)
        return 2

    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    show_arena(path)
    show_reopened(path)

    print('failed' if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
