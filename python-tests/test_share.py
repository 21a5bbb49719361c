# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Shares, spans and merges, bytes, and handles that are closed."""

import gc
from collections.abc import Callable

import numpy
import pytest
from gi.repository import GLib, Quire
from numpy.typing import NDArray

from helpers import (READ, READWRITE, UNIQUE, WRITE, Call, Code, address, counts, make, make_flagged,
                     make_padded, parent_of, refused)

CONTENT = bytes(range(100))

Merge = Callable[[Quire.Memory, Quire.Memory], tuple[Quire.Memory, int]]
Pick = Callable[[Quire.Memory], tuple[Quire.Memory, Quire.Memory]]


@pytest.mark.parametrize('start', [None, 0, 1, 50, 99, 100, 101, 1 << 62, 1 << 70,
                                   -1, -50, -100, -101, -(1 << 62), -(1 << 70)])
@pytest.mark.parametrize('stop', [None, 0, 1, 50, 100, 101, 1 << 63, -1, -99, -100, -(1 << 64)])
def test_slices_are_those_of_python(start: int | None, stop: int | None) -> None:
    memory = make(CONTENT)
    share = memory[start:stop]
    first = slice(start, stop).indices(100)[0]
    assert bytes(share) == CONTENT[start:stop]
    assert len(share) == len(CONTENT[start:stop])
    if len(share) > 0:
        assert address(share) == address(memory) + first
    assert counts(memory) == {'share': 1}


@pytest.mark.parametrize('step', [2, -1, -2, 1 << 70])
def test_slices_with_a_step_are_refused(step: int) -> None:
    memory = make(CONTENT)
    with pytest.raises(ValueError):
        memory[::step]
    assert counts(memory) == {}
    assert bytes(memory[::1]) == CONTENT


@pytest.mark.parametrize('offset, size, expected', [
    (0, -1, CONTENT), (10, -1, CONTENT[10:]), (10, 20, CONTENT[10:30]), (100, 0, b''), (100, -1, b''),
])
def test_share(offset: int, size: int, expected: bytes) -> None:
    memory = make(CONTENT)
    share = memory.share(offset, size)
    assert type(share) is Quire.Memory
    assert bytes(share) == expected
    assert share.get_sizes() == (len(expected), offset, 100)
    assert share.get_parent() == memory
    assert share.get_flags() & Quire.MemoryFlags.READONLY


@pytest.mark.parametrize('offset, size', [
    (-1, 1), (0, 101), (1, 100), (101, 0), (101, -1), (50, 51), (0, -2), (0, -(1 << 63)),
    ((1 << 63) - 1, -1), ((1 << 63) - 1, (1 << 63) - 1), (-(1 << 63), (1 << 63) - 1), (1, (1 << 63) - 1),
])
def test_share_out_of_range(offset: int, size: int) -> None:
    memory = make(CONTENT)
    for take in (memory.share, memory.copy):
        numbers = (offset, 100) if size == -1 else (offset, size, 100)
        with refused(Code.OUT_OF_RANGE, *numbers, unchanged=[memory]):
            take(offset, size)


def test_share_reaches_into_the_prefix_only() -> None:
    memory = make_padded(4, 8, 4)
    memory.fill(0, -1, 1)
    assert bytes(memory.share(-4, 6)) == b'\0\0\0\0\1\1'
    for offset, size in ((-5, 1), (-4, 13), (0, 9), (8, 1)):
        with refused(Code.OUT_OF_RANGE, offset, size, unchanged=[memory]):
            memory.share(offset, size)


def test_share_of_a_share_refers_to_the_root() -> None:
    memory = make(CONTENT)
    share = memory[10:60]
    piece = share[5:10]
    assert piece.get_parent() == memory
    assert bytes(piece) == CONTENT[15:20]
    assert address(piece) == address(memory) + 15
    assert (counts(memory), counts(share)) == ({'share': 2}, {})
    share.close()
    assert bytes(piece) == CONTENT[15:20]
    # Back before its own beginning, as far as the root goes.
    assert bytes(piece.share(-15, 2)) == CONTENT[:2]


def test_a_share_keeps_the_root() -> None:
    memory = make(CONTENT)
    piece = memory[10:20][1:3]
    del memory
    gc.collect()
    assert bytes(piece) == CONTENT[11:13]


def test_a_share_does_not_follow_a_resize() -> None:
    memory = make(CONTENT)
    share = memory[10:20]
    memory.resize(50, 10)
    assert bytes(share) == CONTENT[10:20]
    assert bytes(memory[:2]) == CONTENT[50:52]


def test_share_of_an_unshareable_block() -> None:
    memory = make_flagged(10, Quire.MemoryFlags.NO_SHARE)
    takes: list[Call] = [lambda: memory.share(0, -1), lambda: memory[:], memory.to_bytes]
    for take in takes:
        with refused(Code.NOT_SHAREABLE, 10, unchanged=[memory]):
            take()
    assert len(memory.copy(0, 5)) == 5


@pytest.mark.parametrize('flags', [WRITE, READWRITE], ids=int)
def test_nobody_writes_while_a_share_lives(flags: Quire.MapFlags) -> None:
    memory = make(CONTENT)
    shares = [memory[:1], memory[50:]]
    piece = shares[1][1:]
    for number in (3, 2, 1):
        with refused(Code.BUSY, 100, number, unchanged=[memory]) as caught:
            memory.map(flags)
        assert f'{number} share' in str(caught.value)
        with refused(Code.BUSY, unchanged=[memory]):
            memory.lock(flags)
        if shares:
            shares.pop()
    with refused(Code.BUSY, 100, 1, unchanged=[memory]):
        memory.fill(0, -1, 0)
    with refused(Code.BUSY, 100, 1, unchanged=[memory]):
        memory.write(0, b'x')
    assert memory.map(READ).data.tobytes() == CONTENT
    del piece
    memory.unmap(memory.map(flags))


@pytest.mark.parametrize('flags', [WRITE, READWRITE, WRITE | UNIQUE], ids=int)
def test_nobody_shares_while_a_write_map_stands(flags: Quire.MapFlags) -> None:
    memory = make(CONTENT)
    older = memory.map(READ | UNIQUE)
    share = memory[:]
    share.close()
    memory.unmap(older)
    info = memory.map(flags)
    takes: list[Call] = [lambda: memory.share(0, 1), lambda: memory[:0], memory.to_bytes]
    for take in takes:
        with refused(Code.BUSY, 100, 1, unchanged=[memory]) as caught:
            take()
        assert 'refuses a share' in str(caught.value)
    memory.unmap(info)
    assert bytes(memory[:1]) == b'\0'


def test_the_refusal_says_how_many_views_are_out() -> None:
    memory = make(CONTENT)
    views = [memoryview(memory) for _ in range(3)]
    with refused(Code.BUSY, 100, 3, unchanged=[memory]):
        memory[:]
    views.clear()


def test_a_share_may_stand_beside_readers() -> None:
    memory = make(CONTENT)
    with memory.map(READ):
        share = memory[:]
        with share.map(READ | UNIQUE) as view:
            assert view.tobytes() == CONTENT
    assert counts(memory) == {'share': 1}


def test_shares_are_never_written() -> None:
    memory = make(CONTENT)
    share = memory[10:20]
    attempts: list[Call] = [
        lambda: share.map(WRITE), lambda: share.lock(READWRITE), lambda: share.write(0, b'x'),
        lambda: share.fill(0, -1, 0), lambda: share[:5].map(WRITE)]
    for attempt in attempts:
        with refused(Code.READ_ONLY, unchanged=[memory, share]):
            attempt()


def test_is_span() -> None:
    memory = make(CONTENT)
    first, second, third = memory[10:20], memory[20:30], memory[30:]
    assert first.is_span(second) == (True, 10)
    assert second.is_span(third) == (True, 20)
    assert type(first.is_span(second)[0]) is bool
    for apart in ((first, third), (second, first), (first, first), (first, memory), (memory, first),
                  (first, make(CONTENT)), (first, make(CONTENT)[20:30]), (memory[5:15], second)):
        assert apart[0].is_span(apart[1]) == (False, 0)
    empty = memory[20:20]
    assert first.is_span(empty) == (True, 10)
    assert empty.is_span(second) == (True, 20)


def test_is_span_counts_from_the_data_of_the_parent() -> None:
    memory = make_padded(16, 32, 0)
    assert memory[4:8].is_span(memory[8:10]) == (True, 4)


@pytest.mark.parametrize('merge', [
    lambda first, second: (first + second, 0),
    lambda first, second: first.merge(second),
    lambda first, second: Quire.Memory.merge_list([first, second]),
    lambda first, second: Quire.Memory.merge_list((first, second)),
], ids=['+', 'merge', 'merge_list', 'merge_list of a tuple'])
def test_a_span_merges_without_a_copy(merge: Merge) -> None:
    memory = make(CONTENT)
    merged, copied = merge(memory[10:20], memory[20:45])
    assert copied == 0
    assert address(merged) == address(memory) + 10
    assert merged.get_parent() == memory
    assert bytes(merged) == CONTENT[10:45]
    assert merged.get_flags() & Quire.MemoryFlags.READONLY
    assert counts(memory) == {'share': 1}


def test_halves_merge_back_to_the_whole() -> None:
    memory = make(CONTENT)
    whole = memory[:33] + memory[33:70] + memory[70:]
    assert (address(whole), len(whole)) == (address(memory), 100)
    assert whole.get_sizes() == (100, 0, 100)


@pytest.mark.parametrize('pick', [
    lambda memory: (memory[10:20], memory[21:30]),
    lambda memory: (memory[10:20], memory[19:30]),
    lambda memory: (memory[20:30], memory[10:20]),
    lambda memory: (memory[10:20], make(b'other')),
    lambda memory: (memory[10:20], make(CONTENT)[20:30]),
    lambda memory: (memory, memory),
    lambda memory: (memory[:50], Quire.Memory.wrap(CONTENT)[50:]),
], ids=['gap', 'overlap', 'reversed', 'other block', 'other parent', 'itself', 'wrapped'])
def test_what_is_no_span_is_copied(pick: Pick) -> None:
    memory = make(CONTENT)
    first, second = pick(memory)
    expected = bytes(first) + bytes(second)
    merged, copied = first.merge(second)
    assert copied == len(expected)
    assert bytes(merged) == bytes(first + second) == expected
    assert merged.get_parent() is None
    merged.fill(0, -1, 0xff)
    assert bytes(memory) == CONTENT


def test_merge_list() -> None:
    memory = make(CONTENT)
    pieces = [memory[i:i + 10] for i in range(0, 100, 10)]
    merged, copied = Quire.Memory.merge_list(pieces)
    assert (address(merged), len(merged), copied) == (address(memory), 100, 0)
    result = Quire.Memory.merge_list(pieces[::-1])
    assert result.copied == 100
    assert bytes(result[0]) == b''.join(bytes(piece) for piece in pieces[::-1])
    alone, copied = Quire.Memory.merge_list(pieces[:1])
    assert (alone, copied) == (pieces[0], 0)
    nothing, copied = Quire.Memory.merge_list([])
    assert (len(nothing), copied) == (0, 0)


def test_merge_of_many_is_quick() -> None:
    memory = Quire.Memory(100000)
    merged, copied = Quire.Memory.merge_list([memory[i:i + 1] for i in range(100000)])
    assert (len(merged), copied) == (100000, 0)
    assert counts(memory) == {'share': 1}


def test_merge_asks_for_the_right_to_read() -> None:
    memory, other = make(CONTENT), make(CONTENT)
    with other.map(WRITE):
        merges: list[Call] = [lambda: memory + other, lambda: other + memory, lambda: memory.merge(other)]
        for merge in merges:
            with refused(Code.BUSY, 100, 1, unchanged=[memory, other]):
                merge()


@pytest.mark.parametrize('wrong', [None, 5, b'bytes', 'text', [], object(), GLib.Bytes.new(b'')], ids=str)
def test_merge_with_what_is_no_block(wrong: object) -> None:
    memory = make(CONTENT)
    merges: list[Call] = [
        lambda: memory + wrong,  # type: ignore[operator]
        lambda: memory.merge(wrong),  # type: ignore[arg-type]
        lambda: memory.is_span(wrong),  # type: ignore[arg-type]
        lambda: memory.compare(wrong),  # type: ignore[arg-type]
    ]
    for merge in merges:
        with pytest.raises(TypeError):
            merge()
    assert counts(memory) == {}


@pytest.mark.parametrize('wrong', [None, 5, {'a': 1}, object(), 'text', b'bytes', [5], [b''], [[]]],
                         ids=str)
def test_merge_list_of_what_is_no_list_of_blocks(wrong: object) -> None:
    with pytest.raises(TypeError):
        Quire.Memory.merge_list(wrong)  # type: ignore[arg-type]


def test_bytes_go_out_and_in_without_a_copy() -> None:
    memory = make(CONTENT)
    shown = memory.to_bytes()
    assert shown.get_size() == 100
    again = Quire.Memory.new_from_bytes(shown)
    assert address(again) == address(memory)
    assert bytes(again) == shown.get_data() == CONTENT
    piece = Quire.Memory.new_from_bytes(memory[20:30].to_bytes())
    assert address(piece) == address(memory) + 20
    # A piece of the bytes is one of the block too.
    piece = Quire.Memory.new_from_bytes(shown.new_from_bytes(5, 10))
    assert address(piece) == address(memory) + 5


def test_bytes_count_as_a_share() -> None:
    memory = make(CONTENT)
    shown = memory.to_bytes()
    again = Quire.Memory.new_from_bytes(shown)
    assert counts(memory) == {'share': 1}
    with refused(Code.BUSY, 100, 1, unchanged=[memory]):
        memory.map(WRITE)
    assert memoryview(memory).readonly
    del shown
    assert counts(memory) == {'share': 1}
    view = memoryview(again)
    del again
    assert counts(memory) == {'share': 1}
    view.release()
    assert counts(memory) == {}
    with memory.map(WRITE):
        with refused(Code.BUSY, 100, 1, unchanged=[memory]):
            memory.to_bytes()


def test_bytes_keep_the_block() -> None:
    memory = make(CONTENT)
    shown = memory.to_bytes()
    memory.close()
    del memory
    assert shown.get_data() == CONTENT


def test_close_frees_the_block_at_once() -> None:
    memory = make(CONTENT)
    share = memory[:]
    with refused(Code.BUSY, 1, unchanged=[memory]):
        memory.map(WRITE)
    share.close()
    assert counts(memory) == {}
    memory.map(WRITE)


def test_close_twice() -> None:
    memory = make(CONTENT)
    assert not memory.closed
    memory.close()
    assert memory.closed
    memory.close()
    assert memory.closed
    assert memory.is_closed()


def test_close_is_of_one_handle() -> None:
    memory = make(CONTENT)
    share = memory[:]
    again = parent_of(share)
    again.close()
    assert not memory.closed
    assert bytes(memory) == CONTENT
    share.close()


def test_close_leaves_maps_and_views() -> None:
    memory = make(CONTENT)
    share = memory[:10]
    info = share.map(READ)
    view = memoryview(share)
    share.close()
    assert info.data.tobytes() == view.tobytes() == CONTENT[:10]
    assert counts(memory) == {'share': 1}
    view.release()
    assert counts(memory) == {'share': 1}
    info.release()
    assert counts(memory) == {}


def test_with_closes_the_handle() -> None:
    memory = make(CONTENT)
    with memory[10:20] as share:
        assert bytes(share) == CONTENT[10:20]
        assert counts(memory) == {'share': 1}
    assert share.closed
    assert counts(memory) == {}
    with refused(Code.CLOSED):
        with share:
            pytest.fail('it was closed')


def test_with_closes_the_handle_after_an_exception() -> None:
    memory = make(CONTENT)
    with pytest.raises(KeyError, match='mine'):
        with memory[:]:
            raise KeyError('mine')
    assert counts(memory) == {}


def test_with_may_close_inside() -> None:
    memory = make(CONTENT)
    with memory[:] as share:
        share.close()
    assert counts(memory) == {}


def test_close_and_pointers_that_remain() -> None:
    memory = make(CONTENT)
    share = memory[10:]
    numbers: NDArray[numpy.uint8] = numpy.ndarray(90, 'u1', buffer=share)
    share.close()
    # No lock of it is left, so it is as good as the next write.
    memory.fill(10, 1, 0xaa)
    assert numbers[0] == 0xaa
    memory.close()
    del memory, share
    assert numbers.tobytes() == b'\xaa' + CONTENT[11:]
