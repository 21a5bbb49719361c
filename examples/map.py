#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Which maps of a block go together, and what two threads may do at once."""

import sys
import threading
from collections.abc import Iterable

import gi

gi.require_version('Quire', '1.0')
from gi.repository import GLib, Quire

READ = Quire.MapFlags.READ
WRITE = Quire.MapFlags.WRITE
UNIQUE = Quire.MapFlags.UNIQUE

SIZE = 1000
ROUNDS = 200

ASKED = {
    'READ': READ,
    'WRITE': WRITE,
    'READ+WRITE': READ | WRITE,
    'READ+UNIQUE': READ | UNIQUE,
}

# What is held, and whether each of what is asked is granted then.
HELD = {
    'nothing': (None, (True, True, True, True)),
    'READ': (READ, (True, False, False, False)),
    'WRITE': (WRITE, (False, True, False, False)),
    'READ+WRITE': (READ | WRITE, (True, True, True, False)),
    'READ+UNIQUE': (READ | UNIQUE, (False, False, False, False)),
    'WRITE+UNIQUE': (WRITE | UNIQUE, (False, False, False, False)),
}

failures: list[str] = []


def check(promise: bool, what: str) -> None:
    """What is promised is checked as it is shown."""
    if not promise:
        failures.append(what)
        print('  NOT SO:', what)


def is_busy(error: GLib.Error) -> bool:
    return error.matches(Quire.memory_error_quark(), Quire.MemoryError.BUSY)


def print_row(name: str, cells: Iterable[str]) -> None:
    print('  '.join(['', f'{name:12}', *(f'{cell:11}' for cell in cells)]).rstrip())


def show_table() -> None:
    """Tries each map over each other one."""
    refusal: str | None = None

    print('Which maps go together\n')
    print_row('held / asked', ASKED)

    for name, (held, expected) in HELD.items():
        memory = Quire.Memory(SIZE)
        first = memory.map(held) if held is not None else None

        granted = []
        for asked in ASKED.values():
            try:
                memory.unmap(memory.map(asked))
                granted.append(True)
            except GLib.Error as error:
                check(is_busy(error), 'a map is refused because of another one')
                refusal = refusal or error.message
                granted.append(False)

        if first is not None:
            memory.unmap(first)

        print_row(name, ('yes' if yes else 'busy' for yes in granted))
        check(tuple(granted) == expected, 'this is what the rules say')

    print(f'\n  A refusal says why: {refusal}\n')


def race(flags: Quire.MapFlags) -> int:
    """Lets two threads map, each until the other has tried too. Tells how many got
    in."""
    memory = Quire.Memory(SIZE)
    both_have_tried = threading.Barrier(2)
    got_in = []

    def enter(first: int, last: int) -> None:
        try:
            with memory.map(flags) as view:
                got_in.append(True)
                both_have_tried.wait()
                # Who is in fills a half of its own.
                view[first:last] = bytes([first % 251]) * (last - first)
        except GLib.Error as error:
            check(is_busy(error), 'a map is refused because of another one')
            both_have_tried.wait()

    threads = [threading.Thread(target=enter, args=half)
               for half in ((0, SIZE // 2), (SIZE // 2, SIZE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    if len(got_in) == 2:
        with memory.map(READ) as view:
            check(view[0] == 0 and view[SIZE - 1] == SIZE // 2 % 251, 'both wrote their half')
    return len(got_in)


def show_race(what: str, flags: Quire.MapFlags, expected: int) -> None:
    counts = {race(flags) for _ in range(ROUNDS)}
    print(f'  {what:12}  {min(counts)} of 2 got in, in each of {ROUNDS} rounds')
    check(counts == {expected}, 'so many get in, always')


def main() -> int:
    show_table()

    print('Two threads that map at the same time\n')
    show_race('WRITE', WRITE, 2)
    show_race('WRITE+UNIQUE', WRITE | UNIQUE, 1)
    print()

    print('failed' if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
