# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Where bytes are in a block, and how often: index() and count() as bytes has them."""

import numpy
import pytest

from helpers import WRITE, Code, counts, make, refused

CONTENT = bytes(range(10, 20))

NEEDLES = [10, 19, 9, 12, True, numpy.uint8(15), b'', b'\x0a', CONTENT, CONTENT + b'x', CONTENT[3:6], b'\x13',
           bytearray(b'\x0e\x0f'), b'\x0b\x0d']
BOUNDS = [None, 0, 1, 3, 9, 10, 11, 100, -1, -3, -10, -11, 1 << 70, -(1 << 70), numpy.int64(2)]


@pytest.mark.parametrize('needle', NEEDLES, ids=repr)
def test_index_and_count(needle: int | bytes) -> None:
    for content in (CONTENT, CONTENT * 3, b'', b'\x0a' * 9):
        memory = make(content)
        for start in BOUNDS:
            for stop in BOUNDS:
                assert memory.count(needle, start, stop) == content.count(needle, start, stop), (start, stop)
                expected = content.find(needle, start, stop)
                if expected >= 0:
                    assert memory.index(needle, start, stop) == expected
                else:
                    with pytest.raises(ValueError, match='no such bytes'):
                        memory.index(needle, start, stop)
        assert memory.count(needle) == content.count(needle)
        assert memory.count(needle, 1) == content.count(needle, 1)
        assert counts(memory) == {}


def test_index_and_count_of_blocks() -> None:
    memory = make(CONTENT * 2)
    assert memory.index(memory) == 0
    assert memory.index(memory[3:6], 5) == 13
    assert memory.count(make(CONTENT[3:6])) == 2
    assert make(b'aaaaa').count(b'aa') == 2
    assert make(bytes(1 << 20) + b'ab').index(b'ab') == 1 << 20
    assert make(bytes(1 << 20)).count(0) == 1 << 20


@pytest.mark.parametrize('arguments, kind', [
    ((), TypeError), ((256,), ValueError), ((-1,), ValueError), (('a',), TypeError), ((None,), TypeError),
    ((1.5,), TypeError), (([10],), TypeError), ((10, 0.5), TypeError), ((10, 0, 'x'), TypeError), ((10, 0, 1, 2), TypeError),
], ids=repr)
def test_index_and_count_of_no_bytes(arguments: tuple[object, ...], kind: type[Exception]) -> None:
    memory = make(CONTENT)
    for search in (memory.index, memory.count):
        with pytest.raises(kind):
            search(*arguments)  # type: ignore[arg-type]
    assert counts(memory) == {}


def test_a_search_takes_a_map() -> None:
    memory = make(CONTENT)
    with memory.map(WRITE):
        for search in (memory.index, memory.count):
            with refused(Code.BUSY, 10, 1, unchanged=[memory]):
                search(10)
