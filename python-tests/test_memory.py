# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks: how they are made, what they tell, what they are to Python."""

import gc
import io
import weakref
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from gi.repository import Gio, GLib, Quire

from helpers import (EXCLUSIVE, READ, WRITE, Call, Code, Exporter, address, counts, make, make_flagged,
                     make_padded, parent_of, refused)


@pytest.mark.parametrize('size', [0, 1, 15, 4096, 1 << 20])
def test_new(size: int) -> None:
    memory = Quire.Memory(size)
    assert type(memory) is Quire.Memory
    assert len(memory) == size
    assert memory.get_sizes() == (size, 0, size)
    assert memory.get_flags() == Quire.MemoryFlags.NONE
    assert memory.get_parent() is None
    assert memory.is_writable()
    assert not memory.closed
    assert counts(memory) == {}


def test_what_it_tells() -> None:
    memory = Quire.Memory(100, align=4095, prefix=16, padding=4, allocator='guard')
    assert memory.get_sizes()._asdict() == {'size': 100, 'offset': 16, 'maxsize': 120}
    assert (memory.size, memory.offset, memory.maxsize, memory.align) == (100, 16, 120, 4095)
    assert memory.allocator is Quire.Allocator.find('guard')
    assert memory.parent is None

    share = memory[10:]
    assert (share.size, share.offset, share.flags) == (90, 26, Quire.MemoryFlags.READONLY)
    assert share.parent is not None and share.parent.is_same(memory)
    span = memory[:10].is_span(share)
    assert (span.is_span, span.offset) == span == (True, 0)

    for name in ('size', 'offset', 'maxsize', 'align', 'flags', 'allocator', 'parent'):
        with pytest.raises(AttributeError):
            setattr(memory, name, getattr(memory, name))
    memory.close()
    for name in ('size', 'offset', 'maxsize', 'align', 'flags', 'allocator', 'parent'):
        with refused(Code.CLOSED):
            getattr(memory, name)


def test_constructors_agree() -> None:
    for memory in (Quire.Memory(7), Quire.Memory(size=7), Quire.Memory.new(7),
                   Quire.Memory.new_with_params(7, None),
                   Quire.Allocator.find(None).alloc(7, None)):
        assert type(memory) is Quire.Memory
        assert len(memory) == 7
        assert memory.is_type('system')


def test_keywords() -> None:
    memory = Quire.Memory(100, align=4095, prefix=16, padding=4, fill=7, allocator='system',
                          flags=Quire.MemoryFlags.ZERO_PREFIXED | Quire.MemoryFlags.ZERO_PADDED)
    assert memory.get_sizes() == (100, 16, 120)
    assert memory.is_aligned(4095)
    assert memory.get_flags() == Quire.MemoryFlags.ZERO_PREFIXED | Quire.MemoryFlags.ZERO_PADDED
    memory.resize(-16, 120)
    assert memory == bytes(16) + b'\7' * 100 + bytes(4)
    allocator = Quire.Allocator.find('system')
    assert Quire.Memory(5, allocator=allocator).get_allocator() == allocator
    nothings: list[dict[str, Any]] = [{'allocator': None}, {'fill': None}, {'flags': 0}, {'align': 0}]
    for nothing in nothings:
        assert Quire.Memory(size=5, **nothing).get_sizes() == (5, 0, 5)
    assert Quire.Memory(1 << 20, fill=0) == bytes(1 << 20)
    assert Frame(16, time=5).get_sizes() == (16, 0, 16)


@pytest.mark.parametrize('keywords, kind', [
    ({'align': 2}, Quire.Error.NotSupported), ({'align': -1}, Quire.Error.OutOfRange), ({'align': 'x'}, TypeError),
    ({'prefix': (1 << 64) - 1}, Quire.Error.TooLarge), ({'padding': 1 << 64}, OverflowError),
    ({'prefix': None}, TypeError), ({'flags': 1 << 40}, OverflowError), ({'flags': 'x'}, TypeError),
    ({'flags': 1 << 15}, Quire.Error.NotSupported), ({'fill': 256}, ValueError), ({'fill': b'x'}, TypeError),
    ({'allocator': 'nobody'}, LookupError), ({'allocator': 5}, TypeError), ({'allocator': Gio.Cancellable()}, TypeError),
    ({'allocator': '\udcff'}, UnicodeError), ({'alignment': 5}, TypeError), ({'params': None}, TypeError),
    ({'fill': 1, 'flags': Quire.MemoryFlags.READONLY}, Quire.Error.ReadOnly),
    ({'fill': 1, 'flags': Quire.MemoryFlags.NOT_MAPPABLE}, Quire.Error.NotMappable),
], ids=repr)
def test_keywords_that_make_no_sense(keywords: dict[str, object], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Quire.Memory(100, **keywords)  # type: ignore[arg-type]


@pytest.mark.parametrize('data', [b'abc', bytearray(5), memoryview(b'abc'), make(b'abc')], ids=repr)
def test_data_is_no_size(data: Exporter) -> None:
    with pytest.raises(TypeError, match='wrap'):
        Quire.Memory(data)  # type: ignore[arg-type]


def test_arguments_of_methods() -> None:
    memory = make(bytes(range(16)))
    assert memory.copy() == memory.copy(0) == memory.copy(size=-1) == memory.copy(offset=0, size=16) == memory
    assert memory.share(size=2, offset=1) == memory.read(1, size=2) == b'\1\2'
    assert memory.read() == memory.share() == memory
    memory.fill(offset=14)
    memory.fill(value=9, size=1)
    assert memory == bytes((9, *range(1, 14), 0, 0))
    memory.resize(size=2, offset=1)
    assert memory.compare(second=make(b'\1\2')) == 0
    assert memory.merge(second=make(b'\3')).memory == b'\1\2\3'
    assert memory.map(flags=READ).flags == memory.make_mapped().flags == READ
    wrongs: list[Call] = [
        lambda: memory.copy(0, -1, 5),  # type: ignore[call-arg]
        lambda: memory.copy(0, offset=0),  # type: ignore[misc]
        lambda: memory.copy(length=5),  # type: ignore[call-arg]
        lambda: memory.resize(0),  # type: ignore[call-arg]
        lambda: memory.resize(size=0),  # type: ignore[call-arg]
        lambda: memory.write(b'abc'),  # type: ignore[call-arg, arg-type]
        lambda: memory.map(READ, READ),  # type: ignore[call-arg]
        lambda: memory.compare(),  # type: ignore[call-arg]
        lambda: memory.close(1),  # type: ignore[call-arg]
        lambda: memory.map(mode=READ),  # type: ignore[call-arg]
        lambda: memory.copy(**{'\udcff': 5}),
    ]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            wrong()


def test_params_by_keyword() -> None:
    params = Quire.AllocationParams(align=255, prefix=1, padding=2, flags=Quire.MemoryFlags.ZERO_PADDED)
    assert type(params) is type(params.copy()) is Quire.AllocationParams
    assert (params.align, params.prefix, params.padding, int(params.flags)) == (255, 1, 2, 8)
    assert repr(params) == 'Quire.AllocationParams(flags=ZERO_PADDED, align=255, prefix=1, padding=2)'
    assert Quire.Memory.new_with_params(10, params).get_sizes() == (10, 1, 13)
    assert Quire.Allocator.find(None).alloc(10, params).is_aligned(255)
    assert repr(Quire.AllocationParams()) == repr(Quire.AllocationParams.new())
    with pytest.raises(TypeError):
        Quire.AllocationParams(5)  # type: ignore[misc]


def test_two_blocks_are_apart() -> None:
    first, second = make(b'aaaa'), make(b'bbbb')
    first.fill(0, -1, 1)
    assert bytes(second) == b'bbbb'
    assert first != second
    assert not first.is_same(second)


def test_params() -> None:
    memory = make_padded(3, 10, 5)
    assert memory.get_sizes() == (10, 3, 18)
    memory.fill(0, -1, 7)
    memory.resize(-3, 18)
    assert bytes(memory) == bytes(3) + b'\7' * 10 + bytes(5)


@pytest.mark.parametrize('align', [0, 7, 15, 63, 4095])
@pytest.mark.parametrize('prefix', [0, 1, 16])
def test_alignment(align: int, prefix: int) -> None:
    params = Quire.AllocationParams.new()
    params.align = align
    params.prefix = prefix
    memory = Quire.Memory.new_with_params(100, params)
    expected = align | Quire.Allocator.get_default_align()
    assert memory.get_align() == expected
    assert address(memory) & expected == 0
    assert memory.is_aligned(expected)


@pytest.mark.parametrize('align', [1, 3, 7, 4095])
def test_is_aligned_looks_at_the_data(align: int) -> None:
    memory = Quire.Memory(64)
    memory.resize(1, 8)
    assert memory.is_aligned(align) == (address(memory) & align == 0)
    assert memory.is_aligned(0)
    assert not memory.is_aligned(6)


def test_resize_moves_no_byte() -> None:
    memory = make(bytes(range(64)))
    start = address(memory)
    memory.resize(10, 20)
    assert memory.get_sizes() == (20, 10, 64)
    assert bytes(memory) == bytes(range(10, 30))
    assert address(memory) == start + 10
    memory.resize(-10, 64)
    assert bytes(memory) == bytes(range(64))
    memory.resize(64, 0)
    assert memory.get_sizes() == (0, 64, 64)


def test_resize_leaves_views_alone() -> None:
    memory = make(bytes(range(64)))
    view = memoryview(memory)
    memory.resize(32, 1)
    assert view.tobytes() == bytes(range(64))
    assert memoryview(memory).tobytes() == b'\x20'


def test_content() -> None:
    memory = Quire.Memory(10)
    memory.fill(0, -1, 0xee)
    memory.fill(2, 3, 0)
    memory.write(7, b'xyz')
    assert bytes(memory) == b'\xee\xee\0\0\0\xee\xeexyz'
    assert memory.read(5, 3) == b'\xee\xeex'
    assert memory.read(8, -1) == b'yz'
    assert memory.read(10, -1) == b''
    memory.write(10, b'')
    memory.fill(10, 0, 1)


@pytest.mark.parametrize('make_source', [
    bytes, bytearray, memoryview, lambda content: numpy.frombuffer(content, 'u1'), make, list,
], ids=['bytes', 'bytearray', 'memoryview', 'numpy', 'Memory', 'list'])
def test_write_takes_any_bytes(make_source: Callable[[bytes], Exporter | list[int]]) -> None:
    memory = make(bytes(6))
    memory.write(1, make_source(b'abc'))
    assert bytes(memory) == b'\0abc\0\0'


def test_write_of_its_own_bytes() -> None:
    memory = make(bytes(range(16)))
    memory.write(2, memoryview(memory)[:8])
    assert bytes(memory) == bytes((0, 1, *range(8), *range(10, 16)))
    memory.write(0, memory)
    with refused(Code.BUSY, 16, 1):
        memory.write(0, memory[:2])
    assert bytes(memory) == bytes((0, 1, *range(8), *range(10, 16)))
    assert counts(memory) == {}


def test_write_by_keyword_and_with_any_integer() -> None:
    memory = make(bytes(4))
    memory.write(offset=1, data=b'ab')
    memory.write(numpy.int64(3), b'c')
    assert bytes(memory) == b'\0abc'


def test_read_bytes_are_a_copy() -> None:
    memory = make(b'before')
    copied = memory.read(0, -1)
    memory.write(0, b'after!')
    assert copied == b'before'
    assert memory.is_writable()


def test_compare() -> None:
    memory = make(b'abc')
    assert memory.compare(make(b'abc')) == 0
    assert memory.compare(make(b'abd')) < 0
    assert memory.compare(make(b'abb')) > 0
    assert memory.compare(make(b'ab')) > 0
    assert memory.compare(make(b'abcd')) < 0
    assert memory.compare(memory) == 0


def test_copy_has_data_of_its_own() -> None:
    memory = make(bytes(range(32)))
    copied = memory.copy(4, 8)
    assert bytes(copied) == bytes(range(4, 12))
    assert copied.get_parent() is None
    copied.fill(0, -1, 0)
    assert bytes(memory) == bytes(range(32))
    assert bytes(memory.copy(30, -1)) == b'\x1e\x1f'


def test_copy_reaches_into_the_prefix() -> None:
    memory = make_padded(4, 4, 4)
    memory.fill(0, -1, 1)
    assert bytes(memory.copy(-4, 8)) == b'\0\0\0\0\1\1\1\1'


def test_copy_of_a_readonly_block_is_writable() -> None:
    memory = Quire.Memory.wrap(b'constant')
    assert not memory.is_writable()
    copied = memory.copy(0, -1)
    assert copied.is_writable()
    copied.write(0, b'C')
    assert bytes(memory) == b'constant'


def test_make_writable() -> None:
    memory = make(b'data')
    assert address(memory.make_writable()) == address(memory)
    fixed = Quire.Memory.wrap(b'data')
    copied = fixed.make_writable()
    assert copied.is_writable()
    assert address(copied) != address(fixed)
    assert bytes(copied) == b'data'


def test_a_name_more_makes_nothing_readonly() -> None:
    memory = make(b'data')
    names = [memory] * 10
    share = memory[:]
    again = parent_of(share)
    del share
    assert again.is_same(memory)
    assert again is not memory
    assert memory.is_writable()
    memory.write(0, b'D')
    assert [bytes(name) for name in (*names, again)] == [b'Data'] * 11


def test_read_from_stream() -> None:
    memory = make(bytes(8))
    stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b'abcdef'))
    assert memory.read_from_stream(1, 4, stream, None) == 4
    assert bytes(memory) == b'\0abcd\0\0\0'
    assert memory.read_from_stream(6, -1, stream, None) == 2
    assert bytes(memory) == b'\0abcd\0ef'
    assert memory.read_from_stream(0, -1, stream, None) == 0


@pytest.mark.parametrize('make_exporter, readonly', [
    (bytes, True), (bytearray, False), (memoryview, True),
    (lambda content: memoryview(bytearray(content)), False),
    (lambda content: memoryview(bytearray(content)).toreadonly(), True),
    (lambda content: numpy.array(list(content), 'u1'), False),
    (lambda content: io.BytesIO(content).getbuffer(), False),
    (make, False),
], ids=['bytes', 'bytearray', 'memoryview', 'memoryview of bytearray', 'readonly view', 'numpy',
        'BytesIO', 'Memory'])
def test_wrap(make_exporter: Callable[[bytes], Exporter], readonly: bool) -> None:
    exporter = make_exporter(b'12345678')
    memory = Quire.Memory.wrap(exporter)
    assert type(memory) is Quire.Memory
    assert memory.get_sizes() == (8, 0, 8)
    assert address(memory) == address(exporter)
    assert memory.is_writable() == (not readonly)
    assert bool(memory.get_flags() & Quire.MemoryFlags.READONLY) == readonly
    assert memoryview(memory).readonly == readonly
    if readonly:
        with refused(Code.READ_ONLY, 8, unchanged=[memory]):
            memory.write(0, b'X')
    else:
        memory.write(0, b'X')
        assert numpy.frombuffer(exporter, 'u1')[0] == ord('X')


def test_wrap_counts_bytes_not_items() -> None:
    values = numpy.arange(10, dtype='<u4')
    memory = Quire.Memory.wrap(values)
    assert len(memory) == 40
    memory.write(4, b'\xff\0\0\0')
    assert values[1] == 255


def test_wrap_of_a_shared_block_is_readonly() -> None:
    memory = make(b'abc')
    share = memory[:]
    assert not Quire.Memory.wrap(share).is_writable()
    assert not Quire.Memory.wrap(memory).is_writable()


def test_wrapped_block_holds_the_lock() -> None:
    memory = make(b'abc')
    wrapped = Quire.Memory.wrap(memory)
    with refused(Code.BUSY, unchanged=[memory]):
        memory[:]
    del wrapped
    assert bytes(memory[:]) == b'abc'


@pytest.mark.parametrize('other', ['text', None, 5, [1, 2], object()], ids=repr)
def test_wrap_of_what_is_no_buffer(other: object) -> None:
    with pytest.raises(TypeError):
        Quire.Memory.wrap(other)  # type: ignore[arg-type]


def test_wrap_of_what_is_not_contiguous() -> None:
    exporters: tuple[Exporter, ...] = (numpy.zeros((4, 4))[:, 1], memoryview(b'abcdef')[::2])
    for exporter in exporters:
        with pytest.raises((BufferError, ValueError)):
            Quire.Memory.wrap(exporter)


def test_new_from_bytes() -> None:
    memory = Quire.Memory.new_from_bytes(GLib.Bytes.new(b'constant'))
    assert bytes(memory) == b'constant'
    assert not memory.is_writable()
    assert memoryview(memory).readonly


def test_truth_is_that_of_a_container() -> None:
    assert Quire.Memory(1)
    assert not Quire.Memory(0)


def test_weak_reference_and_cycle() -> None:
    memory = Quire.Memory(10)
    memory.itself = memory  # type: ignore[attr-defined]
    reference = weakref.ref(memory)
    del memory
    gc.collect()
    assert reference() is None


class Frame(Quire.Memory):
    """A block with a time."""

    def __new__(cls, size: int, time: int = 0) -> 'Frame':
        return super().__new__(cls, size)

    def __init__(self, size: int, time: int = 0) -> None:
        super().__init__(size)
        self.time = time

    def clear(self) -> None:
        self.fill(0, -1, 0)


def test_subclass() -> None:
    frame = Frame(16, time=5)
    assert type(frame) is Frame
    assert frame.time == 5
    assert len(frame) == 16
    frame.clear()
    assert bytes(frame) == bytes(16)
    numpy.frombuffer(frame, 'u1')[3] = 3
    assert bytes(frame) == b'\0\0\0\3' + bytes(12)
    assert type(frame[1:2]) is Quire.Memory
    assert address(frame[2:4]) == address(frame) + 2
    frame.close()
    assert frame.closed


class Slotted(Quire.Memory):
    __slots__ = ('time',)
    time: int


def test_subclass_with_slots() -> None:
    memory = Slotted(4, fill=1)
    memory.time = 5
    assert (type(memory), memory.time, bytes(memory)) == (Slotted, 5, b'\1' * 4)
    memory.close()
    assert memory.time == 5


def test_constructors_of_a_subclass() -> None:
    exporter = bytearray(b'abc')
    memory = Slotted.wrap(exporter)
    assert type(memory) is Slotted
    assert address(memory) == address(exporter)
    assert type(Frame.wrap(b'abc')) is Frame
    for static in (Frame.new(5), Frame.merge_list([make(b'a')]).memory, Frame.new_with_params(5)):
        assert type(static) is Quire.Memory


def test_no_other_boxed_type_in_one_class() -> None:
    for bases in ((Quire.Memory, GLib.Bytes), (GLib.Bytes, Quire.Memory), (Frame, Quire.AllocationParams),
                  (Quire.Memory, Quire.Mapping), (Quire.MapInfo, GLib.Bytes), (Quire.Memory, bytearray)):
        with pytest.raises(TypeError):
            type('Both', bases, {})


def test_subclass_that_forgets_super() -> None:
    class Forgetful(Quire.Memory):
        def __init__(self, size: int) -> None:
            pass

    memory = Forgetful(4)
    memory.write(0, b'abcd')
    assert bytes(memory) == b'abcd'


def test_a_second_init_changes_nothing() -> None:
    memory = make(b'abc')
    memory.__init__(1000)  # type: ignore[misc]
    assert bytes(memory) == b'abc'


def test_a_dead_parent_has_no_name() -> None:
    memory = make(b'abc')
    share = memory[1:]
    del memory
    parent = parent_of(share)
    assert parent.get_sizes() == (3, 0, 3)
    assert bytes(parent) == b'abc'


def test_is_writable_asks_for_what_lasts() -> None:
    memory = Quire.Memory(4)
    with memory.map(WRITE):
        assert memory.is_writable()
    with memory.map(READ):
        assert memory.is_writable()
    share = memory[:1]
    assert not memory.is_writable()
    del share
    memory.lock(EXCLUSIVE)
    assert memory.is_writable()
    memory.lock(EXCLUSIVE)
    assert not memory.is_writable()
    memory.unlock(EXCLUSIVE)
    assert memory.is_writable()
    memory.unlock(EXCLUSIVE)
    assert not make_flagged(4, Quire.MemoryFlags.READONLY).is_writable()


def test_is_type() -> None:
    memory = Quire.Memory(1)
    assert memory.is_type('system')
    assert memory[:].is_type('system')
    assert not memory.is_type('memfd')
    assert memory.get_allocator() == Quire.Allocator.find('system')
