# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A block is a buffer: everything that takes one works on the block itself."""

import array
import ctypes
import hashlib
import io
import os
import pathlib
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
from gi.repository import GLib, Quire
from numpy.typing import NDArray

from helpers import (FORMAT, FULL_RO, ND, READ, READWRITE, SIMPLE, STRIDES, UNIQUE, WRITABLE,
                     WRITE, Code, Exporter, Make, Use, address, buffer_of, counts, make, make_flagged, refused)

RW_HELD = {'READ+WRITE': 1}
PATTERN = bytes(range(256)) * 16


def test_memoryview_shape() -> None:
    memory = make(b'abcdef')
    view = memoryview(memory)
    assert (view.nbytes, view.shape, view.strides, view.ndim) == (6, (6,), (1,), 1)
    assert (view.format, view.itemsize) == ('B', 1)
    assert view.c_contiguous and view.f_contiguous
    assert view.obj is memory
    assert not view.readonly


def test_memoryview_is_the_block() -> None:
    memory = make(b'abcdef')
    view = memoryview(memory)
    view[0] = ord('A')
    view[4:] = b'EF'
    assert view.tobytes() == bytes(memory) == b'AbcdEF'
    memory.write(1, b'B')
    assert view[1] == ord('B')
    assert address(view) == address(memory)


def test_casts_of_a_view() -> None:
    memory = make(bytes(8))
    view = memoryview(memory).cast('I')
    view[1] = 0x01020304
    assert bytes(memory)[4:] == struct.pack('I', 0x01020304)
    with pytest.raises(TypeError):
        memoryview(memory).toreadonly()[0] = 1
    with pytest.raises(TypeError):
        memoryview(make(bytes(7))).cast('I')


def test_numpy_frombuffer_is_the_block() -> None:
    memory = make(PATTERN)
    numbers = numpy.frombuffer(memory, dtype='u1')
    assert numbers.flags.writeable
    assert not numbers.flags.owndata
    numbers[100:200] = 9
    assert memory.read(100, 100) == b'\t' * 100
    memory.fill(0, 10, 3)
    assert list(numbers[:11]) == [3] * 10 + [10]
    with memory.map(READWRITE) as view:
        assert address(view) == numbers.ctypes.data


def test_numpy_asarray_is_the_block() -> None:
    memory = make(PATTERN)
    numbers = numpy.asarray(memory)
    assert (numbers.dtype, numbers.shape) == (numpy.dtype('u1'), (4096,))
    assert numbers.ctypes.data == address(memory)
    words = numpy.frombuffer(memory, dtype='<u4').reshape(64, 16)
    words[1, 2] = 0
    assert bytes(memory)[72:76] == bytes(4)


def test_ctypes_is_the_block() -> None:
    memory = make(bytes(16))

    class Pair(ctypes.Structure):
        _fields_ = [('first', ctypes.c_uint32), ('second', ctypes.c_uint64)]

    pair = Pair.from_buffer(memory)
    assert ctypes.addressof(pair) == address(memory)
    pair.second = 0x1122334455667788
    assert bytes(memory)[8:] == struct.pack('Q', 0x1122334455667788)
    octets = (ctypes.c_uint8 * 4).from_buffer(memory, 12)
    assert ctypes.addressof(octets) == address(memory) + 12
    # Both hold the block until they go.
    assert counts(memory)['READ+WRITE'] == 2
    with pytest.raises(ValueError):
        (ctypes.c_uint8 * 17).from_buffer(memory)


def test_readinto(tmp_path: pathlib.Path) -> None:
    path = tmp_path / 'file'
    path.write_bytes(PATTERN)
    memory = make(bytes(len(PATTERN) + 4))
    for buffering in (0, -1):
        memory.fill(0, -1, 0)
        with open(path, 'rb', buffering=buffering) as file:
            assert isinstance(file, (io.RawIOBase, io.BufferedIOBase))
            assert file.readinto(memory) == len(PATTERN)
        assert bytes(memory) == PATTERN + bytes(4)
    assert counts(memory) == {}


def test_readinto_of_bytes_io() -> None:
    memory = make(bytes(5))
    assert io.BytesIO(b'abc').readinto(memory) == 3
    assert bytes(memory) == b'abc\0\0'


def test_readinto_a_piece() -> None:
    memory = make(bytes(8))
    assert io.BytesIO(b'abc').readinto(memoryview(memory)[2:4]) == 2
    assert bytes(memory) == b'\0\0ab\0\0\0\0'


def test_readv_and_writev() -> None:
    first, second = make(bytes(3)), make(bytes(5))
    reader, writer = os.pipe()
    try:
        assert os.writev(writer, [make(b'abcd'), make(b'efgh')]) == 8
        assert os.readv(reader, [first, second]) == 8
    finally:
        os.close(reader)
        os.close(writer)
    assert (bytes(first), bytes(second)) == (b'abc', b'defgh')


def test_pread_and_write(tmp_path: pathlib.Path) -> None:
    memory = make(b'0123456789')
    with open(tmp_path / 'file', 'w+b', buffering=0) as file:
        assert file.write(memory) == 10
        assert os.write(file.fileno(), memory[:3]) == 3
        target = make(bytes(4))
        assert os.preadv(file.fileno(), [target], 8) == 4
    assert bytes(target) == b'8901'


def test_sockets() -> None:
    left, right = socket.socketpair()
    with left, right:
        source, target = make(b'through a socket'), make(bytes(20))
        left.sendall(source)
        assert right.recv_into(target) == 16
        assert bytes(target) == b'through a socket' + bytes(4)
        left.sendmsg([source, b'!'])
        assert right.recvmsg_into([target])[0] == 17
        assert bytes(target)[:17] == b'through a socket!'
    assert counts(source) == counts(target) == {}


def test_array_and_struct() -> None:
    memory = make(bytes(8))
    struct.pack_into('<H', memory, 2, 0xabcd)
    assert struct.unpack_from('<H', memory, 2) == (0xabcd,)
    numbers = array.array('H')
    numbers.frombytes(memory)
    assert numbers.tolist() == list(struct.unpack('4H', bytes(memory)))
    with pytest.raises(struct.error):
        struct.pack_into('<H', memory, 7, 1)


def test_consumers() -> None:
    memory = make(PATTERN)
    assert hashlib.sha256(memory).digest() == hashlib.sha256(PATTERN).digest()
    assert zlib.crc32(memory) == zlib.crc32(PATTERN)
    assert zlib.decompress(zlib.compress(memory)) == PATTERN
    assert bytearray(memory) == PATTERN
    assert b''.join([memory, b'x', memory[:2]]) == PATTERN + b'x' + PATTERN[:2]
    assert io.BytesIO(memory).getvalue() == PATTERN
    assert int.from_bytes(memory[1:3], 'big') == 0x0102
    assert bytes(memory) == PATTERN


@pytest.mark.parametrize('make_readonly', [
    lambda: make_flagged(4, Quire.MemoryFlags.READONLY),
    lambda: make(b'abcd')[:],
    lambda: make(b'abcdef')[1:][:4],
    lambda: Quire.Memory.wrap(b'abcd'),
    lambda: Quire.Memory.new_from_bytes(GLib.Bytes.new(b'abcd')),
], ids=['flag', 'share', 'share of share', 'wrapped bytes', 'GBytes'])
def test_readonly_blocks_give_readonly_views(make_readonly: Make) -> None:
    memory = make_readonly()
    before = bytes(memory)
    view = memoryview(memory)
    assert view.readonly
    with pytest.raises(TypeError):
        view[0] = 1
    assert not numpy.frombuffer(memory, 'u1').flags.writeable
    view.release()
    with refused(Code.READ_ONLY, 4, kind=BufferError, unchanged=[memory]):
        with buffer_of(memory, WRITABLE):
            pass
    # These consumers hide whose error it was.
    writes: list[Use] = [io.BytesIO(b'x').readinto, lambda target: struct.pack_into('B', target, 0, 1),
                         (ctypes.c_uint8 * 4).from_buffer]
    for write in writes:
        with pytest.raises((TypeError, BufferError)):
            write(memory)
    assert bytes(memory) == before


def test_view_of_a_shared_block_is_readonly() -> None:
    memory = make(b'abcd')
    assert not memoryview(memory).readonly
    share = memory[:2]
    view = memoryview(memory)
    assert view.readonly
    assert counts(memory) == {'READ': 1, 'share': 1}
    del share
    # It stays what it was.
    assert view.readonly
    view.release()
    assert not memoryview(memory).readonly


def test_view_beside_a_read_map_is_readonly() -> None:
    memory = make(b'abcd')
    with memory.map(READ):
        assert memoryview(memory).readonly
        with refused(Code.BUSY, 4, 1, kind=BufferError, unchanged=[memory]):
            with buffer_of(memory, WRITABLE):
                pass


def test_view_beside_a_write_map_is_refused() -> None:
    memory = make(b'abcd')
    for flags in (WRITE, READ | UNIQUE, WRITE | UNIQUE, READWRITE | UNIQUE):
        with memory.map(flags):
            with refused(Code.BUSY, 4, 1, kind=BufferError, unchanged=[memory]):
                memoryview(memory)


def test_not_mappable_block_has_no_view() -> None:
    memory = make_flagged(4, Quire.MemoryFlags.NOT_MAPPABLE)
    with refused(Code.NOT_MAPPABLE, 4, kind=BufferError, unchanged=[memory]):
        memoryview(memory)


@pytest.mark.parametrize('flags', [SIMPLE, WRITABLE, ND, FORMAT | ND, STRIDES,
                                   STRIDES | WRITABLE, FULL_RO, FULL_RO | WRITABLE])
@pytest.mark.parametrize('ask', [lambda memory: memory, lambda memory: memory.map(READWRITE)],
                         ids=['memory', 'mapping'])
def test_what_a_consumer_in_c_gets(flags: int, ask: Callable[[Quire.Memory], Exporter]) -> None:
    memory = make(b'abcdef')
    memory.resize(2, 3)
    exporter = ask(memory)
    with buffer_of(exporter, flags) as buffer:
        assert ctypes.string_at(buffer.buf, buffer.len) == b'cde'
        assert buffer.obj is exporter
        assert (buffer.itemsize, buffer.readonly, buffer.ndim) == (1, 0, 1)
        assert buffer.format == (b'B' if flags & FORMAT else None)
        assert bool(buffer.shape) == bool(flags & ND)
        assert bool(buffer.strides) == bool(flags & STRIDES == STRIDES)
        assert not buffer.suboffsets
        assert counts(memory) == RW_HELD
        ctypes.memset(buffer.buf, ord('X'), 1)
    assert bytes(exporter) == b'Xde'


def test_each_view_is_a_map() -> None:
    memory = make(b'abcd')
    views = [memoryview(memory) for _ in range(3)]
    assert counts(memory) == {'READ+WRITE': 3}
    views.pop().release()
    assert counts(memory) == {'READ+WRITE': 2}
    del views[:]
    assert counts(memory) == {}


@pytest.mark.parametrize('derive', [
    lambda view: view[1:3],
    lambda view: view.cast('H'),
    lambda view: view.toreadonly(),
    memoryview,
    lambda view: numpy.frombuffer(view, 'u1'),
    lambda view: numpy.frombuffer(view, 'u1').reshape(2, 2)[::-1, 1:],
    lambda view: Quire.Memory.wrap(view),
    lambda view: (ctypes.c_uint8 * 2).from_buffer(view, 1),
], ids=['slice', 'cast', 'toreadonly', 'memoryview', 'numpy', 'strided', 'wrap', 'ctypes'])
def test_the_lock_stands_until_the_last_view_goes(derive: Callable[[memoryview], object]) -> None:
    memory = make(b'abcd')
    derived = derive(memoryview(memory))
    assert counts(memory) == RW_HELD
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        memory[:]
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        memory.map(READ | UNIQUE)
    del derived
    assert counts(memory) == {}


def test_views_outlive_the_handle() -> None:
    memory = make(PATTERN)
    view = memoryview(memory)
    numbers = numpy.frombuffer(memory, 'u1')
    memory.close()
    assert view.tobytes() == PATTERN
    numbers[:] = 1
    assert view[0] == 1
    del memory
    assert view.tobytes() == b'\1' * len(PATTERN)


def test_pointer_without_a_lock_stays_good() -> None:
    # numpy.ndarray(buffer=...) gives the buffer back at once and keeps the pointer.
    memory = make(PATTERN)
    numbers: NDArray[numpy.uint8] = numpy.ndarray(len(PATTERN), 'u1', buffer=memory)
    assert counts(memory) == {}
    memory.close()
    assert numbers.tobytes() == PATTERN
    numbers[:] = 5
    assert numbers.tobytes() == b'\5' * len(PATTERN)


@pytest.mark.parametrize('make_empty', [
    lambda: Quire.Memory(0),
    lambda: make(b'abc')[1:1],
    lambda: Quire.Memory.wrap(b''),
    lambda: Quire.Memory.wrap(bytearray()),
    lambda: Quire.Memory.new_from_bytes(GLib.Bytes.new(b'')),
], ids=['new', 'share', 'wrapped bytes', 'wrapped bytearray', 'GBytes'])
def test_empty_blocks(make_empty: Make) -> None:
    memory = make_empty()
    view = memoryview(memory)
    assert (view.nbytes, view.shape, len(view)) == (0, (0,), 0)
    view.release()
    assert bytes(memory) == b''
    assert numpy.frombuffer(memory, 'u1').size == 0
    assert io.BytesIO(memory).read() == b''
    assert len(memory.copy(0, -1)) == 0
    share = memory[:]
    assert len(share) == 0
    assert bytes(share + memory[0:0]) == b''
    del share
    assert memory.to_bytes().get_size() == 0
    with memory.map() as view:
        assert view.nbytes == 0


def test_views_follow_a_resize() -> None:
    memory = make(bytes(range(16)))
    memory.resize(4, 8)
    assert memoryview(memory).tobytes() == bytes(range(4, 12))
    assert numpy.frombuffer(memory, 'u1').size == 8


def test_nothing_is_written_byte_by_byte() -> None:
    # PyGObject alone would ask all but bytes for one item after the other.
    class Watched(bytearray):
        asked = 0

        def __getitem__(self, index: Any) -> Any:
            Watched.asked += 1
            return super().__getitem__(index)

        def __iter__(self) -> Iterator[int]:
            Watched.asked += 1
            return super().__iter__()

    memory = Quire.Memory(1000)
    memory.write(0, Watched(b'\x51' * 1000))
    assert bytes(memory) == b'\x51' * 1000
    assert Watched.asked == 0
