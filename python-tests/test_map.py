# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Mappings: with a block, by hand, with views that stay, and their ends."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from gi.repository import GLib, Quire

from helpers import (READ, READWRITE, UNIQUE, WRITE, Call, Code, Exporter, Flags, address, counts, make,
                     make_flagged, make_padded, memory_of, parent_of, refused)


def test_with() -> None:
    memory = make(b'abcd')
    with memory.map(WRITE) as view:
        assert type(view) is memoryview
        assert not view.readonly
        view[1:3] = b'BC'
        assert counts(memory) == {'WRITE': 1}
    assert counts(memory) == {}
    assert bytes(memory) == b'aBCd'
    uses: list[Call] = [
        lambda: view[0], view.tobytes, lambda: len(view), lambda: view.__setitem__(0, 1)]
    for use in uses:
        with pytest.raises(ValueError):
            use()


def test_flags_are_read_by_default() -> None:
    memory = make(b'abcd')
    with memory.map() as view:
        assert view.readonly
        assert counts(memory) == {'READ': 1}
    assert memory.map().flags == READ


@pytest.mark.parametrize('flags', [READ, WRITE, READWRITE, READ | UNIQUE, READWRITE | UNIQUE,
                                   READWRITE | Flags.EXCLUSIVE], ids=int)
def test_properties(flags: Quire.MapFlags) -> None:
    memory = make_padded(4, 10, 6)
    info = memory.map(flags)
    assert type(info) is Quire.MapInfo is Quire.Mapping
    assert memory_of(info).is_same(memory)
    assert info.flags == flags
    assert type(info.flags) is Flags
    assert (info.size, len(info), info.maxsize) == (10, 10, 16)
    assert info.data.readonly == (not flags & WRITE)
    assert memoryview(info).nbytes == 10
    assert not info.is_released()
    memory.unmap(info)
    assert info.is_released()
    # What it was can still be told.
    assert (info.size, info.maxsize, info.flags) == (10, 16, flags)
    assert memory_of(info).is_same(memory)


@pytest.mark.parametrize('name', ['memory', 'flags', 'size', 'maxsize', 'data'])
def test_properties_are_readonly(name: str) -> None:
    info = make(b'abcd').map(READWRITE)
    with pytest.raises(AttributeError):
        setattr(info, name, 1 << 30)
    with pytest.raises(AttributeError):
        delattr(info, name)
    assert info.data.tobytes() == b'abcd'


def test_read_map_is_readonly() -> None:
    memory = make(b'abcd')
    info = memory.map(READ)
    for view in (info.data, memoryview(info)):
        assert view.readonly
        with pytest.raises(TypeError):
            view[0] = 1
    assert not numpy.frombuffer(info, 'u1').flags.writeable
    assert bytes(memory) == b'abcd'


def test_data_is_the_block() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    start = address(info)
    assert address(info.data) == start
    numpy.frombuffer(info, 'u1')[0] = ord('A')
    assert info.data[0] == ord('A')
    memory.unmap(info)
    assert address(memory) == start
    assert bytes(memory) == b'Abcd'


def test_map_keeps_the_range_it_has() -> None:
    memory = make(bytes(range(16)))
    info = memory.map(READ)
    memory.resize(8, 4)
    assert info.data.tobytes() == bytes(range(16))
    assert memory.map(READ).data.tobytes() == bytes(range(8, 12))


def test_unmap_by_hand() -> None:
    memory = make(b'abcd')
    info = memory.map(WRITE)
    assert counts(memory) == {'WRITE': 1}
    assert memory.unmap(info) is None  # type: ignore[func-returns-value]
    assert counts(memory) == {}


def test_unmap_twice_is_refused() -> None:
    memory = make(b'abcd')
    other = memory.map(READ)
    info = memory.map(READ)
    memory.unmap(info)
    with refused(Code.CLOSED, 4, unchanged=[memory]):
        memory.unmap(info)
    assert counts(memory) == {'READ': 1}
    memory.unmap(other)


def test_unmap_of_another_block_is_refused() -> None:
    first, second = make(b'abcd'), make(b'efgh')
    info, other = first.map(READ), second.map(READ)
    with refused(Code.FAILED, 4, unchanged=[first, second]):
        first.unmap(other)
    share = first[:]
    with refused(Code.FAILED, unchanged=[first, share]):
        share.unmap(info)
    first.unmap(info)
    second.unmap(other)


@pytest.mark.parametrize('wrong', [None, 5, 'info', b'', object(), GLib.Bytes.new(b'')], ids=str)
def test_unmap_of_what_is_no_mapping(wrong: object) -> None:
    memory = make(b'abcd')
    with pytest.raises(TypeError):
        memory.unmap(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        memory.unmap(memory)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        memory.unmap()  # type: ignore[call-arg]


def test_unmap_by_another_name_of_the_block() -> None:
    memory = make(b'abcd')
    share = memory[:]
    again = parent_of(share)
    info = memory.map(READ)
    again.unmap(info)
    assert info.is_released()


def test_unmap_under_a_view_is_refused() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    views = [info.data, memoryview(info)]
    with refused(Code.BUSY, 4, 2, kind=BufferError, unchanged=[memory]):
        memory.unmap(info)
    views.pop()
    with refused(Code.BUSY, 4, 1, kind=BufferError, unchanged=[memory]):
        memory.unmap(info)
    # Nothing of it is lost: a new view can be had.
    assert info.data.tobytes() == b'abcd'
    views.pop().release()
    memory.unmap(info)
    assert counts(memory) == {}


def test_release() -> None:
    memory = make(b'abcd')
    info = memory.map(READ)
    info.release()
    assert counts(memory) == {}
    info.release()
    with refused(Code.CLOSED, 4):
        memory.unmap(info)


def test_release_waits_for_the_views() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    view = info.data
    info.release()
    assert info.is_released()
    assert counts(memory) == {'READ+WRITE': 1}
    with refused(Code.CLOSED, 4, kind=BufferError):
        memoryview(info)
    view[0] = ord('A')
    view.release()
    assert counts(memory) == {}
    assert bytes(memory) == b'Abcd'


def test_no_view_after_the_end() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    memory.unmap(info)
    uses: list[Call] = [lambda: memoryview(info), lambda: info.data, lambda: bytes(info),
                                        lambda: numpy.frombuffer(info, 'u1'), info.__enter__]
    for use in uses:
        with refused(Code.CLOSED, 4, kind=BufferError, unchanged=[memory]):
            use()


@pytest.mark.parametrize('derive', [
    lambda view: numpy.frombuffer(view, 'u1'),
    lambda view: Quire.Memory.wrap(view),
], ids=['numpy', 'wrap'])
def test_views_of_the_view_keep_the_map(derive: Callable[[memoryview], Exporter]) -> None:
    memory = make(b'abcd')
    with memory.map(WRITE) as view:
        derived = derive(view)
    assert counts(memory) == {'WRITE': 1}
    numpy.frombuffer(derived, 'u1')[0] = ord('A')
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        memory.map(READ)
    del derived, view
    assert counts(memory) == {}
    assert bytes(memory) == b'Abcd'


def test_slices_of_the_view_keep_the_map() -> None:
    memory = make(b'abcd')
    with memory.map(WRITE) as view:
        piece = view[1:3]
    with pytest.raises(ValueError):
        view[0]
    piece[0] = ord('B')
    assert counts(memory) == {'WRITE': 1}
    del piece
    assert counts(memory) == {}
    assert bytes(memory) == b'aBcd'


def test_the_view_can_be_released_inside() -> None:
    memory = make(b'abcd')
    with memory.map(WRITE) as view:
        view.release()
        assert counts(memory) == {'WRITE': 1}
    assert counts(memory) == {}


def test_the_view_can_be_dropped_inside() -> None:
    memory = make(b'abcd')
    with memory.map(READWRITE) as view:
        del view
        assert counts(memory) == {'READ+WRITE': 1}
    assert counts(memory) == {}


def test_unmap_inside_the_block() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    with info as view:
        with refused(Code.BUSY, 1, kind=BufferError, unchanged=[memory]):
            memory.unmap(info)
        view.release()
        memory.unmap(info)
        assert counts(memory) == {}
    assert counts(memory) == {}


@pytest.mark.parametrize('keep', [False, True])
def test_an_exception_inside_is_not_lost(keep: bool) -> None:
    memory = make(b'abcd')
    kept = []
    with pytest.raises(KeyError, match='mine'):
        with memory.map(WRITE) as view:
            if keep:
                kept.append(numpy.frombuffer(view, 'u1'))
            raise KeyError('mine')
    assert counts(memory) == ({'WRITE': 1} if keep else {})
    kept.clear()
    del view
    assert counts(memory) == {}


def test_nested_blocks_of_two_maps() -> None:
    memory = make(b'abcd')
    with memory.map(READ) as outer, memory.map(READ) as inner:
        assert counts(memory) == {'READ': 2}
        assert address(outer) == address(inner)
    assert counts(memory) == {}


def test_nested_blocks_of_one_map() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    with info as outer:
        with info as inner:
            inner[0] = ord('A')
        with pytest.raises(ValueError):
            inner[0]
        # The outer one stands, and its view is good.
        outer[1] = ord('B')
        assert counts(memory) == {'READ+WRITE': 1}
    with pytest.raises(ValueError):
        outer[0]
    assert counts(memory) == {}
    assert bytes(memory) == b'ABcd'


def test_a_mapping_ends_with_its_last_name() -> None:
    memory = make(b'abcd')
    info = memory.map(WRITE)
    copied = info.copy()
    del info
    assert counts(memory) == {'WRITE': 1}
    del copied
    assert counts(memory) == {}


def test_a_mapping_in_a_cycle_ends() -> None:
    memory = make(b'abcd')
    info = memory.map(WRITE)
    info.itself = info  # type: ignore[attr-defined]
    reference = weakref.ref(info)
    del info
    gc.collect()
    assert reference() is None
    assert counts(memory) == {}


def test_copies_are_one_mapping() -> None:
    memory = make(b'abcd')
    info = memory.map(READ)
    copied = info.copy()
    assert counts(memory) == {'READ': 1}
    memory.unmap(copied)
    assert info.is_released()
    for name in (info, copied):
        with refused(Code.CLOSED, 4, unchanged=[memory]):
            memory.unmap(name)


def test_a_mapping_keeps_the_block() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    del memory
    info.data[0] = ord('A')
    assert bytes(info) == b'Abcd'
    again = memory_of(info)
    again.unmap(info)
    assert bytes(again) == b'Abcd'


def test_after_the_end_a_mapping_keeps_no_block() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    memory.unmap(info)
    assert memory_of(info).is_same(memory)
    del memory
    assert info.memory is None
    assert info.size == 4


def test_map_of_a_share() -> None:
    memory = make(b'abcdef')
    share = memory[2:5]
    info = share.map(READ)
    assert info.data.tobytes() == b'cde'
    assert memory_of(info).is_same(share)
    assert address(info) == address(memory) + 2
    assert (counts(share), counts(memory)) == ({'READ': 1}, {'share': 1})
    # The mapping alone keeps the share and with it the rule.
    del share
    with refused(Code.BUSY, 6, 1, unchanged=[memory]):
        memory.map(WRITE)
    info.release()
    del info
    memory.map(WRITE)


def test_make_mapped() -> None:
    memory = make(b'abcd')
    info = memory.make_mapped(WRITE)
    assert memory_of(info).is_same(memory)
    memory.unmap(info)

    share = memory[1:3]
    info = share.make_mapped(READWRITE)
    assert not memory_of(info).is_same(share)
    assert info.data.tobytes() == b'bc'
    info.data[:] = b'XX'
    assert bytes(memory) == b'abcd'

    with refused(Code.NOT_MAPPABLE, 4):
        make_flagged(4, Quire.MemoryFlags.NOT_MAPPABLE).make_mapped(READ)


def test_view_bytes_take_no_lock() -> None:
    memory = make(b'abcd')
    info = memory.map(WRITE)
    shown = info.view_bytes()
    assert counts(memory) == {'WRITE': 1}
    memory.unmap(info)
    assert shown.get_data() == b'abcd'
    with refused(Code.CLOSED, 4):
        info.view_bytes()


def test_bare_mappings_are_refused() -> None:
    with pytest.raises(TypeError):
        Quire.Mapping()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Quire.MapInfo()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Quire.Mapping(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Quire.Mapping.__new__(Quire.Mapping)  # type: ignore[call-arg]


@pytest.mark.parametrize('data', [
    b'abcd', bytearray(b'abcd'), memoryview(b'abcd'), numpy.frombuffer(b'abcd', 'u1'), numpy.frombuffer(b'abcd', 'u2'),
    numpy.frombuffer(b'abcd', 'u1').reshape(2, 2), memoryview(b'dcba')[::-1], memoryview(b'axbxcxdx')[::2],
    list(b'abcd'), tuple(b'abcd'), range(97, 101), make(b'abcd'), make(b'abcd').map(), dict.fromkeys(b'abcd'),
], ids=range(14))
@pytest.mark.parametrize('flags', [WRITE, READWRITE])
def test_write_back(data: Any, flags: Quire.MapFlags) -> None:
    memory = make(bytes(4))
    with memory.map(flags):
        info = memory.map(flags)
        info.write_back(data)
        info.unmap()
    assert bytes(memory) == b'abcd'
    assert counts(memory) == {}


def test_write_back_of_itself() -> None:
    memory = make_padded(0, 8, 4)
    memory[:] = b'abcdefgh'
    with memory.map(READWRITE) as view:
        info = memory.map(READWRITE)
        info.write_back(data=view)
        info.write_back(info)
        info.write_back(memory)
    assert bytes(memory) == b'abcdefgh'
    # Two windows that overlap.
    first = memory.map(READWRITE)
    memory.resize(4, 8)
    first.write_back(memory)
    memory.resize(-4, 12)
    assert bytes(first) == b'efgh\0\0\0\0'


def test_write_back_that_is_refused() -> None:
    memory = make(b'abcd')
    with memory.map(READ):
        with refused(Code.READ_ONLY, 4):
            memory.map(READ).write_back(b'abcd')
    info = memory.map(WRITE)
    for size in (0, 3, 5):
        with refused(Code.OUT_OF_RANGE, 4, size, unchanged=[memory]):
            info.write_back(bytes(size))
    # It may be written only.
    with refused(Code.BUSY, 4, unchanged=[memory]):
        info.write_back(memory)
    for wrong in (None, 4, 'abcd', [1, 2, 3, 'x'], object()):
        with pytest.raises(TypeError):
            info.write_back(wrong)  # type: ignore[arg-type]
    for wrong in ([1, 2, 3, 256], [1, 2, 3, -1]):
        with pytest.raises(ValueError):
            info.write_back(wrong)
    info.release()
    with refused(Code.CLOSED):
        info.write_back(b'abcd')
    assert bytes(memory) == b'abcd'
    assert counts(memory) == {}
