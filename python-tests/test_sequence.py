# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A block as a sequence of bytes: index, slice, iteration, in, ==, repr."""

import array
import bisect
import collections.abc
import ctypes
import gc
import operator
import random
import re
from collections.abc import Callable
from typing import SupportsIndex

import numpy
import pytest
from gi.repository import Gio, GLib, Quire

from helpers import (READ, READWRITE, WRITE, Call, Code, Exporter, Use, counts, make, make_flagged, make_padded,
                     parent_of, refused)

CONTENT = bytes(range(10, 20))


@pytest.mark.parametrize('index', [0, 1, 9, -1, -10, True, numpy.int64(3)], ids=repr)
def test_index(index: SupportsIndex) -> None:
    memory = make(CONTENT)
    assert memory[index] == CONTENT[index]
    assert type(memory[index]) is int
    memory[index] = 99
    expected = bytearray(CONTENT)
    expected[index] = 99
    assert bytes(memory) == expected
    assert counts(memory) == {}


@pytest.mark.parametrize('index', [10, -11, 1 << 62, -(1 << 62)])
def test_index_out_of_range(index: int) -> None:
    memory = make(CONTENT)
    uses: list[Call] = [lambda: memory[index], lambda: memory.__setitem__(index, 1)]
    for use in uses:
        with refused(Code.OUT_OF_RANGE, index, 10, kind=IndexError, unchanged=[memory]):
            use()
    assert bytes(memory) == CONTENT


@pytest.mark.parametrize('index', [1 << 63, -(1 << 64), 1 << 200])
def test_index_beyond_all_numbers(index: int) -> None:
    memory = make(CONTENT)
    uses: list[Call] = [lambda: memory[index], lambda: memory.__setitem__(index, 1)]
    for use in uses:
        with pytest.raises(IndexError):
            use()


@pytest.mark.parametrize('key', ['a', b'a', 1.0, None, (0, 1), ..., object()], ids=repr)
def test_index_of_no_kind(key: object) -> None:
    memory = make(CONTENT)
    uses: list[Call] = [
        lambda: memory[key],  # type: ignore[call-overload]
        lambda: memory.__setitem__(key, 1),  # type: ignore[call-overload]
    ]
    for use in uses:
        with pytest.raises(TypeError, match='integer or a slice'):
            use()


@pytest.mark.parametrize('value, kind', [
    (256, ValueError), (-1, ValueError), (1 << 70, ValueError), (-(1 << 70), ValueError), ('a', TypeError),
    (b'a', TypeError), (None, TypeError), (1.0, TypeError),
], ids=repr)
def test_assignment_of_what_is_no_byte(value: object, kind: type[Exception]) -> None:
    memory = make(CONTENT)
    with pytest.raises(kind):
        memory[0] = value  # type: ignore[call-overload]
    assert bytes(memory) == CONTENT


SLICES = [slice(None), slice(0, 0), slice(2, 5), slice(-3, None), slice(None, -3), slice(5, 2), slice(0, 100),
          slice(-100, 100), slice(100, 200), slice(None, None, 1), slice(numpy.int64(1), numpy.int64(2))]


@pytest.mark.parametrize('key', SLICES, ids=str)
def test_slice_is_a_share(key: slice) -> None:
    memory = make(CONTENT)
    share = memory[key]
    assert type(share) is Quire.Memory
    assert bytes(share) == CONTENT[key]
    assert parent_of(share).is_same(memory)
    with refused(Code.READ_ONLY, kind=TypeError):
        share[:] = bytes(share)


@pytest.mark.parametrize('key', SLICES, ids=str)
@pytest.mark.parametrize('make_value', [bytes, bytearray, memoryview, make, lambda b: numpy.frombuffer(b, 'u1')],
                         ids=['bytes', 'bytearray', 'memoryview', 'Memory', 'numpy'])
def test_assignment_to_a_slice(key: slice, make_value: Callable[[bytes], Exporter]) -> None:
    memory = make(CONTENT)
    expected = bytearray(CONTENT)
    expected[key] = bytes(len(CONTENT[key]))
    memory[key] = make_value(bytes(len(CONTENT[key])))
    assert bytes(memory) == expected
    assert counts(memory) == {}


@pytest.mark.parametrize('size', [0, 2, 4, 100])
def test_assignment_of_another_size(size: int) -> None:
    memory = make(CONTENT)
    with pytest.raises(ValueError, match=f'3 bytes.*{size}'):
        memory[2:5] = bytes(size)
    assert bytes(memory) == CONTENT
    assert counts(memory) == {}


@pytest.mark.parametrize('value', [5, 'abc', None, [1, 2, 3], object()], ids=repr)
def test_assignment_of_no_bytes(value: object) -> None:
    memory = make(CONTENT)
    with pytest.raises(TypeError):
        memory[2:5] = value  # type: ignore[call-overload]
    assert bytes(memory) == CONTENT


@pytest.mark.parametrize('step', [2, -1, -2, 100])
def test_slice_with_a_step(step: int) -> None:
    memory = make(CONTENT)
    uses: list[Call] = [lambda: memory[::step], lambda: memory.__setitem__(slice(None, None, step), b'')]
    for use in uses:
        with pytest.raises(ValueError, match=f'step {step} .*memoryview'):
            use()
    assert bytes(memoryview(memory)[::step]) == CONTENT[::step]


def test_nothing_can_be_deleted() -> None:
    memory = make(CONTENT)
    for key in (0, slice(0, 1), slice(None)):
        with pytest.raises(TypeError, match='deleted'):
            operator.delitem(memory, key)  # type: ignore[call-overload]


def test_writes_want_a_map() -> None:
    memory = make(CONTENT)
    share = memory[:]
    writes: list[Call] = [lambda: memory.__setitem__(0, 1), lambda: memory.__setitem__(slice(0, 1), b'x')]
    for write in writes:
        with refused(Code.BUSY, 10, 1, unchanged=[memory]):
            write()
    del share
    with memory.map(READ):
        with refused(Code.BUSY, 10, 1, unchanged=[memory]):
            memory[0] = 1
    with memory.map(WRITE):
        memory[0] = 1
        with refused(Code.BUSY, 10, 1, unchanged=[memory]):
            memory[0]
    with memory.map(READWRITE) as view:
        memory[1] = memory[0]
        assert view[1] == 1
    readonly = make_flagged(4, Quire.MemoryFlags.READONLY)
    writes = [lambda: readonly.__setitem__(0, 1), lambda: readonly.__setitem__(slice(0, 1), b'x')]
    for write in writes:
        with refused(Code.READ_ONLY, 4, kind=TypeError, unchanged=[readonly]):
            write()


def test_overlapping_assignment() -> None:
    memory = make(CONTENT)
    memory[1:9] = memoryview(memory)[:8]
    assert bytes(memory) == CONTENT[:1] + CONTENT[:8] + CONTENT[9:]


def test_index_of_a_window() -> None:
    memory = make_padded(4, 4, 4)
    memory[0] = 1
    memory[-1] = 2
    memory.resize(-4, 12)
    assert bytes(memory) == b'\0\0\0\0\1\0\0\2\0\0\0\0'


@pytest.mark.parametrize('content', [b'', b'a', CONTENT])
def test_iteration(content: bytes) -> None:
    memory = make(content)
    assert list(memory) == list(content)
    assert list(reversed(memory)) == list(reversed(content))
    assert bytes(iter(memory)) == content
    assert sum(memory) == sum(content)
    assert counts(memory) == {}


def test_an_iterator_holds_a_map_to_read() -> None:
    memory = make(CONTENT)
    iterator = iter(memory)
    assert next(iterator) == 10
    assert counts(memory) == {'READ': 1}
    with refused(Code.BUSY, 10, 1):
        memory[0] = 1
    memory.close()
    assert list(iterator) == list(CONTENT[1:])

    memory = make(CONTENT)
    for byte in memory:
        break
    gc.collect()
    assert counts(memory) == {}
    for byte in memory:
        pass
    assert counts(memory) == {}


@pytest.mark.parametrize('needle', [10, 19, 9, 20, 255, 0, True, numpy.uint8(15), b'', b'\x0a', CONTENT, CONTENT + b'x',
                                    CONTENT[3:6], b'\x0b\x0d', bytearray(b'\x0e\x0f')], ids=repr)
def test_in(needle: int | bytes | bytearray) -> None:
    memory = make(CONTENT)
    assert (needle in memory) == (needle in CONTENT)
    assert counts(memory) == {}


def test_in_finds_blocks_and_arrays() -> None:
    memory = make(CONTENT)
    assert memory[3:6] in memory
    assert memory in memory
    assert make(b'\x0c\x0d') in memory
    assert numpy.frombuffer(b'\x0c\x0d', 'u1') in memory
    assert numpy.frombuffer(b'\x0c\x0e', 'u1') not in memory
    # To mypy what is in a sequence of numbers is a number.
    assert b'' in Quire.Memory(0)  # type: ignore[comparison-overlap]
    assert 0 not in Quire.Memory(0)


@pytest.mark.parametrize('needle, kind', [
    (256, ValueError), (-1, ValueError), (1 << 70, ValueError), ('a', TypeError), (None, TypeError),
    ([10], TypeError), (1.5, TypeError),
], ids=repr)
def test_in_of_no_bytes(needle: object, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        needle in make(CONTENT)  # type: ignore[operator]


EQUAL: list[Callable[[bytes], object]] = [
    bytes, bytearray, memoryview, make, lambda b: make(b)[:], Quire.Memory.wrap,
    lambda b: array.array('B', b), lambda b: (ctypes.c_uint8 * len(b)).from_buffer_copy(b),
    lambda b: memoryview(bytes(2 * len(b)))[::2] if not any(b) else memoryview(b[::-1])[::-1],
    lambda b: memoryview(b).cast('H'), lambda b: memoryview(b).cast('B', (2, 5))]


@pytest.mark.parametrize('make_other', EQUAL, ids=range(len(EQUAL)))
def test_equality_is_by_content(make_other: Callable[[bytes], object]) -> None:
    memory = make(CONTENT)
    for same, content in ((True, CONTENT), (False, bytes(10))):
        other = make_other(content)
        assert (memory == other) is same
        assert (memory != other) is not same
        assert (other == memory) is same or not isinstance(other, Quire.Memory)
    assert counts(memory) == {}


def test_equality_with_less_and_more() -> None:
    memory = make(CONTENT)
    for other in (CONTENT[:-1], CONTENT + b'x', b''):
        assert memory != other
        assert memory != make(other)
    assert Quire.Memory(0) == b''
    assert Quire.Memory(0) == Quire.Memory(0)


def test_sizes_that_differ_need_no_lock() -> None:
    memory, other = make(CONTENT), make(CONTENT + b'x')
    with memory.map(WRITE), other.map(WRITE):
        for unequal in (other, b'', CONTENT[:-1], memoryview(bytes(22))[::2], make_flagged(4, Quire.MemoryFlags.NOT_MAPPABLE)):
            assert (memory == unequal) is False
            assert (memory != unequal) is True
            assert memory not in [unequal]


def test_a_closed_handle_equals_only_itself() -> None:
    memory, closed, also_closed = make(CONTENT), make(CONTENT), make(CONTENT)
    closed.close()
    also_closed.close()
    assert closed == closed
    assert not closed != closed
    for other in (memory, also_closed, Quire.Memory(0), CONTENT, b'', None):
        assert (closed == other) is False
        assert (closed != other) is True
        assert (other == closed) is False
    assert closed not in [memory, b'', also_closed]
    assert [memory, closed].index(closed) == 1


def test_what_has_ended_equals_nothing() -> None:
    memory = make(CONTENT)
    view, info = memoryview(CONTENT), memory.map(READ)
    view.release()
    info.release()
    for ended in (view, info):
        assert (memory == ended) is False
        assert (memory != ended) is True


@pytest.mark.parametrize('shape, dtype', [((24,), 'u1'), ((4, 6), 'u1'), ((2, 3, 4), 'u1'), ((12,), 'u2'),
                                          ((3, 2, 2), 'u2'), ((1, 6, 1, 4), 'u1'), ((3,), 'u8'), ((2, 1, 2), 'c8')])
def test_equality_with_strides(shape: tuple[int, ...], dtype: str) -> None:
    """As bytes in the order of C, whatever lies between them; and every byte counts."""
    source = random.Random(1)
    content = bytes(source.randrange(1, 100) for _ in range(numpy.dtype(dtype).itemsize * numpy.prod(shape)))
    memory = make(content)
    array = numpy.frombuffer(content, dtype).reshape(shape)
    spread = numpy.zeros([3 * length for length in shape], dtype)[tuple(slice(1, None, 3) for _ in shape)]
    flipped = numpy.zeros(shape, dtype)[tuple(slice(None, None, -1) for _ in shape)]
    columns = numpy.zeros(shape, dtype, order='F')
    swapped = numpy.zeros(shape[::-1], dtype).transpose()
    for other in (spread, flipped, columns, swapped, spread[::-1], flipped[..., ::-1][..., ::-1]):
        other[...] = array
        assert memory.__eq__(other) is True
        assert bytes(other) == content
    for position in range(len(content)):
        wrong = bytearray(content)
        wrong[position] = 200
        spread[...] = numpy.frombuffer(wrong, dtype).reshape(shape)
        assert memory.__eq__(spread) is False, position
    assert counts(memory) == {}


def test_equality_with_one_that_is_spread_over_itself() -> None:
    memory = make(b'abab')
    assert memory.__eq__(numpy.lib.stride_tricks.as_strided(numpy.frombuffer(b'ab', 'u1'), (2, 2), (0, 1))) is True
    assert make(b'aaaa').__eq__(numpy.broadcast_to(numpy.frombuffer(b'a', 'u1'), (2, 2))) is True
    assert make(b'aaba').__eq__(numpy.broadcast_to(numpy.frombuffer(b'a', 'u1'), (2, 2))) is False
    assert Quire.Memory(0).__eq__(numpy.zeros((0, 5), 'u1')[:, ::2]) is True


def test_equality_in_columns() -> None:
    # The order of what is compared is that of C.
    columns = numpy.asfortranarray(numpy.arange(6, dtype='u1').reshape(2, 3))
    memory = make(bytes(range(6)))
    assert memory.__eq__(columns) is True
    assert memory.__eq__(columns[:, ::2]) is False
    assert make(b'\0\2\3\5').__eq__(columns[:, ::2]) is True


@pytest.mark.parametrize('other', [None, 5, 'text', [10, 11], object()], ids=repr)
def test_what_is_no_buffer_is_not_equal(other: object) -> None:
    memory = make(CONTENT)
    assert (memory == other) is False
    assert (memory != other) is True


def test_equality_takes_a_map() -> None:
    memory, other = make(CONTENT), make(CONTENT)
    with memory.map(WRITE):
        assert memory == memory
        assert memory.map(WRITE).memory == memory
        compares: list[Call] = [lambda: memory == CONTENT, lambda: memory == other, lambda: other == memory]
        for compare in compares:
            with refused(Code.BUSY, 10, 1, unchanged=[memory, other]):
                compare()


def test_no_order() -> None:
    compares: list[Call] = [
        lambda: make(b'a') < make(b'b'),  # type: ignore[operator]
        lambda: make(b'a') >= b'b',  # type: ignore[operator]
    ]
    for compare in compares:
        with pytest.raises(TypeError):
            compare()


def test_no_hash() -> None:
    with pytest.raises(TypeError, match='unhashable'):
        hash(make(CONTENT))
    assert Quire.Memory.__hash__ is None


def test_it_is_a_sequence() -> None:
    assert issubclass(Quire.Memory, collections.abc.Sequence)
    memory = make(CONTENT)
    match memory:
        case [first, *middle, last]:
            assert (first, bytes(middle), last) == (10, CONTENT[1:-1], 19)
        case _:
            raise AssertionError('no sequence')
    match Frame(3):
        case [_, _, _]:
            pass
        case _:
            raise AssertionError('no sequence')
    assert bisect.bisect(memory, 14) == 5
    assert random.sample(memory, 1)[0] in CONTENT
    assert operator.concat(memory, memory) == CONTENT * 2
    assert operator.indexOf(memory, 12) == 2
    with pytest.raises(TypeError):
        operator.concat(memory, CONTENT)
    assert counts(memory) == {}


def test_functions_of_glib_take_it() -> None:
    for memory in (make(CONTENT), make(CONTENT)[:]):
        assert GLib.Bytes.new(memory).get_data() == CONTENT
        assert GLib.base64_encode(memory) == GLib.base64_encode(CONTENT)
        stream = Gio.MemoryOutputStream.new_resizable()
        assert stream.write_all(memory, None) == (True, 10)
        stream.close(None)
        assert stream.steal_as_bytes().get_data() == CONTENT
    memory.close()
    with refused(Code.CLOSED):
        GLib.base64_encode(memory)


@pytest.mark.parametrize('cls', ['Memory', 'Frame'])
def test_the_item_of_a_consumer_in_c(cls: str) -> None:
    """PySequence_GetItem() has added the length to what it hands on."""
    memory = (Frame if cls == 'Frame' else Quire.Memory)(10)
    memory[:] = CONTENT
    get = ctypes.pythonapi.PySequence_GetItem
    get.restype, get.argtypes = ctypes.py_object, [ctypes.py_object, ctypes.c_ssize_t]
    assert [get(memory, index) for index in range(-10, 10)] == [*CONTENT, *CONTENT]
    for index in (-11, -15, -20, -21, 10, 1 << 62, -(1 << 62)):
        with refused(Code.OUT_OF_RANGE, 10, kind=IndexError, unchanged=[memory]):
            get(memory, index)
    with memory.map(WRITE):
        with refused(Code.BUSY):
            get(memory, 0)


def test_the_item_of_a_class_with_its_own() -> None:
    class Own(Quire.Memory):
        def __getitem__(self, key: object) -> int:  # type: ignore[override]
            return 5

    get = ctypes.pythonapi.PySequence_GetItem
    get.restype, get.argtypes = ctypes.py_object, [ctypes.py_object, ctypes.c_ssize_t]
    assert get(Own(3), 0) == 5
    assert get(Own(3), 50) == 5


def test_an_iterator_tells_how_many_are_to_come() -> None:
    memory = make(CONTENT)
    iterator = iter(memory)
    assert operator.length_hint(iterator) == 10
    next(iterator)
    assert operator.length_hint(iterator) == 9
    assert bytes(iterator) == CONTENT[1:]
    assert operator.length_hint(iterator) == 0
    assert next(iterator, None) is next(iterator, None) is None
    assert isinstance(iterator, collections.abc.Iterator)
    assert operator.length_hint(reversed(memory)) == 10
    with pytest.raises(TypeError):
        type(iterator)()
    assert counts(memory) == {}


def test_bytes_take_a_map_to_read() -> None:
    memory = make(CONTENT)
    for standing in (READ, READWRITE):
        with memory.map(standing):
            assert bytes(memory) == memory.__bytes__() == CONTENT
    with memory.map(WRITE):
        with refused(Code.BUSY, 10, 1, kind=BufferError, unchanged=[memory]):
            bytes(memory)
    with refused(Code.NOT_MAPPABLE, kind=BufferError):
        bytes(make_flagged(4, Quire.MemoryFlags.NOT_MAPPABLE))
    assert bytes(Quire.Memory(0)) == b''
    assert bytes(memory[2:4]) == CONTENT[2:4]
    assert bytearray(memory) == CONTENT


class Refusing(Quire.Allocator):
    def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
        return self.bind(Quire.Memory(size))

    def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
        raise LookupError('no map')


def test_bytes_that_an_allocator_refuses() -> None:
    """As a buffer that is not to be had."""
    memory = Refusing().alloc(4)
    uses: list[Use] = [memoryview, bytes, lambda memory: memory.__bytes__()]
    for use in uses:
        with pytest.raises(BufferError, match='no map') as caught:
            use(memory)
        assert isinstance(caught.value.__cause__, LookupError)


def test_merge_list_of_any_iterable() -> None:
    memory = make(CONTENT)
    for parts in ([memory[:3], memory[3:]], (memory[:3], memory[3:]), iter([memory[:3], memory[3:]]),
                  (memory[a:b] for a, b in ((0, 3), (3, 10))), {1: memory[:3], 2: memory[3:]}.values()):
        merged, copied = Quire.Memory.merge_list(parts)
        assert (bytes(merged), copied) == (CONTENT, 0)


def test_is_same() -> None:
    memory = make(CONTENT)
    share = memory[:]
    assert parent_of(share).is_same(memory)
    assert share.get_parent() is not memory
    assert not share.is_same(memory)
    assert not memory.is_same(memory.copy())
    assert not memory.is_same(None)
    assert not memory.is_same(GLib.Bytes.new(b''))


def test_sum_and_product_are_none_of_a_sequence() -> None:
    memory = make(CONTENT)
    wrongs: list[Call] = [
        lambda: memory + b'x',  # type: ignore[operator]
        lambda: memory * 2,  # type: ignore[operator]
        lambda: memory + 1,  # type: ignore[operator]
    ]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            wrong()


def test_casts() -> None:
    memory = make(bytes(24))
    memory.cast('I')[1] = 0x01020304
    assert memory.cast('I')[1] == 0x01020304
    assert memory.cast('H', (3, 4)).shape == (3, 4)
    assert memory.cast('H', shape=[12]).tolist()[2] == numpy.frombuffer(memory, 'u2')[2]
    assert counts(memory) == {}
    view = memory.cast('d')
    assert counts(memory) == {'READ+WRITE': 1}
    assert memory.cast('d').readonly is False
    del view
    assert memory[:8].cast('d').readonly is True
    with pytest.raises(TypeError):
        memory[:7].cast('d')
    with pytest.raises(ValueError):
        memory.cast('no format')


class Frame(Quire.Memory):
    pass


def test_repr() -> None:
    memory = Quire.Memory(100, prefix=16, padding=4, align=4095)
    share = memory[:10]
    assert repr(memory) == '<Quire.Memory of 100 bytes at 16 of 120, flags NONE, allocator system, lock 1 share alive>'
    assert 'flags READONLY' in repr(share)
    assert ' of 10 bytes' in repr(share)
    del share
    with memory.map(READ):
        assert 'lock 1 READ map' in repr(memory)
    assert 'lock free' in repr(memory)
    assert 'flags ZERO_PREFIXED|ZERO_PADDED' in repr(make_padded(1, 1, 1))
    assert repr(Frame(3)).startswith(f'<{__name__}.Frame of 3 bytes')
    memory.close()
    assert repr(memory) == '<Quire.Memory, closed>'


def test_repr_of_a_map() -> None:
    info = make(CONTENT).map(READ)
    assert repr(info) == '<Quire.MapInfo of 10 bytes, flags READ, mapped>'
    info.release()
    assert repr(info) == '<Quire.MapInfo of 10 bytes, flags READ, ended>'
    assert 'flags READ|WRITE|UNIQUE' in repr(make(CONTENT).map(READWRITE | Quire.MapFlags.UNIQUE))


def test_no_address_in_a_repr() -> None:
    memory = make(CONTENT)
    for thing in (memory, memory[:], memory.map(READ), Quire.AllocationParams()):
        assert not re.search('0x|object at', repr(thing))
