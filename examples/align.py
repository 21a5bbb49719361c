#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""How the data of a block is aligned: by default, as its params ask for, and with
a prefix before it."""

import sys

import gi
import numpy as np

gi.require_version('Quire', '1.0')
from gi.repository import GLib, Quire

# One block may be aligned by luck, but not so many, of odd sizes.
BLOCKS = 100

failures: list[str] = []


def check(promise: bool, what: str) -> None:
    """What is promised is checked as it is shown."""
    if not promise:
        failures.append(what)
        print('  NOT SO:', what)


def address_of(memory: Quire.Memory) -> int:
    return np.frombuffer(memory, np.uint8).ctypes.data


def make_params(align: int, prefix: int = 0) -> Quire.AllocationParams:
    params = Quire.AllocationParams()
    params.align = align
    params.prefix = prefix
    return params


def show(what: str, params: Quire.AllocationParams | None, mask: int) -> None:
    """Shows the alignment that the addresses of many blocks have in common."""
    blocks = [Quire.Memory.new_with_params(2 * i + 1, params) for i in range(BLOCKS)]

    bits = 0
    for memory in blocks:
        bits |= address_of(memory)
        check(memory.is_aligned(mask), 'is_aligned() agrees')
        check(memory.get_sizes().offset == (params.prefix if params else 0),
              'the prefix is before the data')

    common = bits & -bits
    print(f'  {what:26} {mask + 1:5}   {common:5} at least')
    check(common > mask, 'the data is aligned as it was asked for')


def main() -> int:
    print('Alignment of the data in bytes\n')
    print(f'  {"":26} asked   found in {BLOCKS} blocks')

    show('default', None, Quire.Allocator.get_default_align())

    for mask in 7, 15, 63, 4095:
        show(f'align {mask}', make_params(mask), mask)

    # It is the data that is aligned, not the prefix before it.
    for mask in 7, 15, 63, 4095:
        for prefix in 16, 100:
            show(f'align {mask}, prefix {prefix}', make_params(mask, prefix), mask)

    # The alignment is a mask: a power of two, less 1.
    try:
        Quire.Memory.new_with_params(1000, make_params(5))
        check(False, 'an alignment that is no mask is refused')
    except GLib.Error as error:
        print(f'\n  align 5 is refused: {error.message}\n')
        check(error.matches(Quire.memory_error_quark(), Quire.MemoryError.NOT_SUPPORTED),
              'it is refused as what makes no sense')

    print('failed' if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
