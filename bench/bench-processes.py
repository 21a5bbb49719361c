#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What it costs to have memory in common with another process: blocks of memfd beside
multiprocessing.shared_memory, in one run, turn by turn.

A row is what one call takes: the median, in microseconds, and the ratio of the two.
"""

import multiprocessing
import statistics
import sys
import time
from multiprocessing.shared_memory import SharedMemory

import gi
gi.require_version('Quire', '1.0')
from gi.repository import Quire

NOTE = '''
A block of memfd has its pages from the start, so that a system that has none left says so
then; shared_memory gets them when they are written to, and SIGBUS if there are none: *create*
is no comparison of like with like, *create, fill* is. A block goes to a worker as a
descriptor, for which multiprocessing opens a connection each time; shared_memory goes as a
name, which somebody has to remove. Neither depends on the size.'''

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
memfd = Quire.Allocator.find('memfd')
ZEROES = memoryview(bytes(64 * MIB))


def quire_create(size, fill):
    memory = memfd.alloc(size, None)
    if fill:
        memoryview(memory)[:] = ZEROES[:size]
    memory.close()


def shared_create(size, fill):
    memory = SharedMemory(create=True, size=size)
    if fill:
        memory.buf[:size] = ZEROES[:size]
    memory.close()
    memory.unlink()


def work(tasks, answers):
    """Looks at the first and the last byte of what comes."""
    while (task := tasks.get()) is not None:
        if isinstance(task, str):
            memory = SharedMemory(task)
            view = memory.buf
        else:
            memory = task
            view = memoryview(memory)
        answers.put(view[0] + view[-1])
        view.release()
        memory.close()


def passer(context):
    """Two functions that each pass 1 GiB to the worker, and one that ends it."""
    tasks, answers = context.SimpleQueue(), context.SimpleQueue()
    process = context.Process(target=work, args=(tasks, answers))
    process.start()
    block = memfd.alloc(GIB, None)
    shared = SharedMemory(create=True, size=GIB)
    for view in (memoryview(block), shared.buf):
        view[0], view[-1] = 1, 2
        if view is not shared.buf:
            view.release()

    def passing(task):
        def call():
            tasks.put(task)
            assert answers.get() == 3
        return call

    def end():
        tasks.put(None)
        process.join()
        shared.close()
        shared.unlink()
        block.close()

    return passing(block), passing(shared.name), end


def measure(first, second, rounds):
    """The median of each, called in turn."""
    times = ([], [])
    for _ in range(rounds):
        for call, kept in zip((first, second), times):
            start = time.perf_counter()
            call()
            kept.append(time.perf_counter() - start)
    return [statistics.median(kept) * 1e6 for kept in times]


def main():
    context = multiprocessing.get_context(sys.argv[1] if len(sys.argv) > 1 else 'spawn')
    rows = []
    for words, size in (('4 KiB', 4 * KIB), ('1 MiB', MIB), ('64 MiB', 64 * MIB)):
        for fill in (False, True):
            rows.append((f'create{", fill" if fill else ""}, close {words}',
                         measure(lambda: quire_create(size, fill), lambda: shared_create(size, fill),
                                 201 if size < 64 * MIB else 15)))

    pass_block, pass_name, end = passer(context)
    rows.append(('pass 1 GiB to a worker', measure(pass_block, pass_name, 201)))
    end()

    print(f'| {"":30} | Quire, µs | shared_memory, µs | ratio |')
    print('| --- | ---: | ---: | ---: |')
    for words, (ours, theirs) in rows:
        print(f'| {words:30} | {ours:9.1f} | {theirs:17.1f} | {ours / theirs:5.2f} |')
    print(NOTE)


if __name__ == '__main__':
    main()
