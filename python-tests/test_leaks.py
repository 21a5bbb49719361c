# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What is held is given back: exactly when the last user goes, and all of it."""

import ctypes
import gc
import os
import pickle
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import numpy
import pytest
from gi.repository import Gio, GLib, Quire
from numpy.typing import NDArray

from helpers import READ, READWRITE, SANITIZED, WRITE, Use, counts, make, make_flagged


class Exporter(bytearray):
    """A buffer that can be watched."""


Thing = TypeVar('Thing')


def alive(reference: weakref.ref[Thing]) -> Thing:
    thing = reference()
    assert thing is not None
    return thing


def watched(size: int = 64) -> tuple[Exporter, weakref.ref[Exporter]]:
    exporter = Exporter(size)
    return exporter, weakref.ref(exporter)


@pytest.mark.parametrize('derive', [
    lambda memory: memory,
    lambda memory: memory[1:],
    lambda memory: memory[1:][1:],
    lambda memory: memory[:5] + memory[5:],
    lambda memory: memory.share(0, -1).get_parent(),
    lambda memory: memory.to_bytes(),
    lambda memory: memory.to_bytes().new_from_bytes(1, 2),
    lambda memory: Quire.Memory.new_from_bytes(memory.to_bytes()),
    lambda memory: Quire.Memory.wrap(memory),
    lambda memory: memory.map(READ),
    lambda memory: memory.map(READ).copy(),
    lambda memory: memory.map(READ).data,
    lambda memory: memory.map(WRITE).view_bytes(),
    lambda memory: memoryview(memory),
    lambda memory: memoryview(memory)[3:4].cast('b'),
    lambda memory: numpy.frombuffer(memory, 'u1'),
    lambda memory: numpy.ndarray(4, 'u1', buffer=memory),
    lambda memory: (ctypes.c_char * 8).from_buffer(memory),
], ids=['memory', 'share', 'share of share', 'merge', 'parent', 'bytes', 'bytes of bytes', 'from bytes', 'wrap',
        'map', 'copied map', 'view of a map', 'view bytes', 'view', 'cast', 'numpy', 'pointer', 'ctypes'])
def test_the_exporter_is_held_until_the_last_user_goes(derive: Use) -> None:
    exporter, reference = watched()
    held = derive(Quire.Memory.wrap(exporter))
    del exporter
    gc.collect()
    assert reference() is not None
    with pytest.raises(BufferError):
        alive(reference).append(1)
    del held
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize('make_derived', [
    lambda memory: memory.copy(0, -1),
    lambda memory: memory.read(0, -1),
    lambda memory: memory + make(b'x'),
    lambda memory: bytes(memory),
], ids=['copy', 'read', 'merge', 'bytes'])
def test_copies_hold_nothing(make_derived: Use) -> None:
    exporter, reference = watched()
    derived = make_derived(Quire.Memory.wrap(exporter))
    del exporter
    assert reference() is None
    assert derived is not None


def test_wrap_holds_one_buffer() -> None:
    exporter = Exporter(8)
    before = sys.getrefcount(exporter)
    memory = Quire.Memory.wrap(exporter)
    assert sys.getrefcount(exporter) == before + 1
    share, view, info = memory[1:], None, memory.map(READ)
    view = memoryview(share)
    assert sys.getrefcount(exporter) == before + 1
    del memory, share, view, info
    assert sys.getrefcount(exporter) == before
    exporter.append(1)


def test_wrap_that_fails_holds_nothing() -> None:
    strided = numpy.zeros((4, 4))[:, 1]
    before = sys.getrefcount(strided)
    for _ in range(10):
        with pytest.raises((BufferError, ValueError)):
            Quire.Memory.wrap(strided)
    assert sys.getrefcount(strided) == before


def test_a_view_holds_its_object_until_it_goes() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    for thing in (memory, info):
        before = sys.getrefcount(thing)
        view = memoryview(thing)
        assert sys.getrefcount(thing) == before + 1
        view.release()
        assert sys.getrefcount(thing) == before
    before = sys.getrefcount(info)
    with info:
        assert sys.getrefcount(info) > before
    assert sys.getrefcount(info) == before


class Holder:
    memory: Quire.Memory


class Words(ctypes.Structure):
    _fields_ = [('words', ctypes.c_uint64 * 8), ('object', ctypes.py_object)]


Exporting = bytearray | memoryview | Words | Quire.Memory | NDArray[numpy.uint8] | pickle.PickleBuffer


def cycle_through(make_exporter: Callable[[Holder], Exporting]) -> weakref.ref[Holder]:
    """An exporter that refers to the block over its buffer, and something to watch it by."""
    holder = Holder()
    holder.memory = Quire.Memory.wrap(make_exporter(holder))
    return weakref.ref(holder)


def referring(thing: Thing, holder: Holder) -> Thing:
    """Something that refers to the holder of the block over it."""
    setattr(thing, 'holder', holder)
    return thing


class Array(numpy.ndarray[Any, numpy.dtype[numpy.uint8]]):
    pass


# In each of these the exporter is not held by anybody but the block and the cycle.
EXPORTERS: dict[str, Callable[[Holder], Exporting]] = {
    'bytearray': lambda holder: referring(Exporter(64), holder),
    'memoryview': lambda holder: memoryview(referring(Exporter(64), holder)),
    'view of a view': lambda holder: memoryview(memoryview(referring(Exporter(64), holder)))[8:],
    # ctypes frees the memory when it is cleared.
    'ctypes': lambda holder: Words(object=holder),
    'Memory': lambda holder: referring(Quire.Memory(64), holder),
    'numpy': lambda holder: referring(numpy.zeros(64, 'u1').view(Array), holder),
    'PickleBuffer': lambda holder: pickle.PickleBuffer(referring(Exporter(64), holder)),
}


@pytest.mark.parametrize('name', EXPORTERS)
def test_a_cycle_through_an_exporter_is_collected(name: str) -> None:
    references = [cycle_through(EXPORTERS[name]) for _ in range(20)]
    gc.collect()
    gc.collect()
    assert [reference() for reference in references] == [None] * 20


class Chained(bytearray):
    """An exporter that has a name for the block."""

    block: Quire.Memory
    attribute: str


def chain() -> Chained:
    exporter = Chained(64)
    exporter.block = Quire.Memory.wrap(exporter)
    return exporter


def test_an_exporter_with_its_block_is_collected() -> None:
    reference = weakref.ref(chain())
    gc.collect()
    assert reference() is None


def test_what_is_in_use_is_not_collected() -> None:
    uses: list[Use] = [
        lambda block: block, lambda block: block[1:], lambda block: block.map(), memoryview,
        lambda block: block.to_bytes(), lambda block: numpy.frombuffer(block, 'u1'),
        lambda block: block[1:].get_parent(), lambda block: numpy.ndarray(64, 'u1', buffer=block)]
    for use in uses:
        exporter = chain()
        exporter.attribute = 'kept'
        reference, held = weakref.ref(exporter), use(exporter.block)
        del exporter
        gc.collect()
        exporter = alive(reference)
        assert exporter.attribute == 'kept'
        assert not exporter.block.closed
        assert held is not None
        del exporter.block
        del exporter, held
        gc.collect()
        assert reference() is None


def test_a_share_that_outlives_the_cycle() -> None:
    exporter = chain()
    reference, share = weakref.ref(exporter), exporter.block[:]
    del exporter
    gc.collect()
    assert share == bytes(64)
    # The handle of wrap() is alone again only when the share has gone.
    del share
    gc.collect()
    assert reference() is None


def test_a_finalizer_brings_the_exporter_back() -> None:
    risen: list[tuple[Rising, Quire.Memory] | NDArray[numpy.uint8]] = []

    class Rising(bytearray):
        block: Quire.Memory

        def __del__(self) -> None:
            risen.append((self, self.block))
            if not self.block.closed:
                risen.append(numpy.ndarray(64, 'u1', buffer=self.block))

    for _ in range(20):
        exporter = Rising(64)
        exporter.block = Quire.Memory.wrap(exporter)
        del exporter
        gc.collect()
    assert len(risen) >= 20
    for thing in risen:
        if isinstance(thing, numpy.ndarray):
            thing[:] = 1
        else:
            exporter, block = thing
            if not block.closed:
                block.fill(value=1)
            assert len(exporter) == 64
    risen.clear()
    del thing, exporter, block
    gc.collect()


def test_a_closed_handle_holds_the_exporter() -> None:
    # An address may be in use yet. So the cycle is there until the handle is dropped.
    exporter = chain()
    reference, block = weakref.ref(exporter), exporter.block
    block.close()
    del exporter
    gc.collect()
    assert reference() is not None
    del block
    del alive(reference).block
    gc.collect()
    assert reference() is None


def test_release_in_another_thread() -> None:
    exporter, reference = watched()
    held = [Quire.Memory.wrap(exporter)[1:]]
    del exporter
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    assert reference() is None


def test_release_in_a_thread_that_python_does_not_know() -> None:
    glib = ctypes.CDLL('libglib-2.0.so.0')
    glib.g_thread_new.restype = ctypes.c_void_p
    glib.g_thread_new.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
    glib.g_thread_join.argtypes = [ctypes.c_void_p]
    glib.g_bytes_ref.restype = ctypes.c_void_p
    glib.g_bytes_ref.argtypes = [ctypes.c_void_p]
    glib.g_bytes_get_size.restype = ctypes.c_size_t
    glib.g_bytes_get_size.argtypes = [ctypes.c_void_p]

    exporter, reference = watched(7654)
    shown = Quire.Memory.wrap(exporter).to_bytes()
    # That of a boxed object is its address.
    pointer = hash(shown)
    assert glib.g_bytes_get_size(pointer) == 7654
    glib.g_bytes_ref(pointer)
    del exporter, shown
    gc.collect()
    assert reference() is not None

    unref = ctypes.cast(glib.g_bytes_unref, ctypes.c_void_p)
    glib.g_thread_join(glib.g_thread_new(b'foreign', unref, pointer))
    assert reference() is None


def test_the_exporters_finalizer_may_use_quire() -> None:
    seen = []

    class Chatty(bytearray):
        def __del__(self) -> None:
            seen.append(bytes(Quire.Memory.wrap(b'in a finalizer')[3:4]))

    memory = Quire.Memory.wrap(Chatty(10))
    del memory
    assert seen == [b'a']


def test_release_keeps_the_exception_that_is_raised() -> None:
    class Chatty(bytearray):
        def __del__(self) -> None:
            try:
                raise ValueError('inner')
            except ValueError:
                pass

    def fail() -> None:
        memory = Quire.Memory.wrap(Chatty(10))
        assert len(memory) == 10
        raise KeyError('outer')

    with pytest.raises(KeyError, match='outer'):
        fail()


class Mallinfo(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        'arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks', 'fsmblks', 'uordblks', 'fordblks', 'keepcost')]


def in_use() -> tuple[int, int]:
    """How many bytes of malloc() and how many objects of Python are in use."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Mallinfo
    info = mallinfo2()
    return info.uordblks + info.hblkhd, sys.getallocatedblocks()


def refuse(function: Callable[..., object], *arguments: object) -> None:
    try:
        function(*arguments)
    except (GLib.Error, TypeError, ValueError, OverflowError):
        return
    pytest.fail('it was not refused')


def map_and_unmap(memory: Quire.Memory) -> None:
    memory.unmap(memory.map(READWRITE))


def map_with(memory: Quire.Memory) -> None:
    with memory.map(WRITE) as view:
        view[0] = 1


def map_with_view_that_stays(memory: Quire.Memory) -> None:
    with memory.map(WRITE) as view:
        numbers = numpy.frombuffer(view, 'u1')
        numbers[0] = 2


def forget_a_map(memory: Quire.Memory) -> None:
    memory.map(READ)


def lock_and_unlock(memory: Quire.Memory) -> None:
    memory.lock(READ)
    memory.unlock(READ)


def share_and_close(memory: Quire.Memory) -> None:
    with memory[1:] as share:
        bytes(share)


def close_under_a_view(memory: Quire.Memory) -> None:
    share = memory[1:]
    view = memoryview(share)
    share.close()
    assert view.readonly


def refused_share(memory: Quire.Memory) -> None:
    with memory.map(WRITE):
        refuse(memory.share, 0, -1)
        refuse(memory.to_bytes)


def refused_write(memory: Quire.Memory) -> None:
    share = memory[:]
    refuse(memory.map, WRITE)
    refuse(share.map, WRITE)


def refused_view(memory: Quire.Memory) -> None:
    with memory.map(WRITE):
        refuse(memoryview, memory)


def double_unmap(memory: Quire.Memory) -> None:
    info = memory.map(READ)
    memory.unmap(info)
    refuse(memory.unmap, info)


def stream(memory: Quire.Memory) -> None:
    memory.read_from_stream(0, -1, Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(bytes(64))), None)


def through_bytes(memory: Quire.Memory) -> None:
    Quire.Memory.new_from_bytes(memory.to_bytes())[1:2].to_bytes()


def subclass(memory: Quire.Memory) -> None:
    class Frame(Quire.Memory):
        pass

    Frame(100)


@pytest.mark.parametrize('cycle, times', [
    (map_and_unmap, 1000), (map_with, 1000), (map_with_view_that_stays, 1000), (forget_a_map, 1000),
    (lock_and_unlock, 1000), (share_and_close, 1000), (close_under_a_view, 1000), (refused_share, 1000),
    (refused_write, 1000), (refused_view, 1000), (double_unmap, 1000), (stream, 1000), (through_bytes, 1000),
    (subclass, 100),
    (lambda memory: Quire.Memory(5000), 1000),
    (lambda memory: refuse(Quire.Memory, 1 << 62), 1000),
    (lambda memory: memory.copy(0, -1), 1000),
    (lambda memory: memory[:4] + memory[4:], 1000),
    (lambda memory: memory + memory, 1000),
    (lambda memory: Quire.Memory.merge_list([memory, memory[:3]]), 1000),
    (lambda memory: memoryview(memory)[1:], 1000),
    (lambda memory: bytes(memory), 1000),
    (lambda memory: bytes(iter(memory)), 1000),
    (lambda memory: next(iter(memory)), 1000),
    (lambda memory: memory.index(0) + memory.count(b'\0') + memory.index(memory), 1000),
    (lambda memory: refuse(memory.index, 5), 1000),
    (lambda memory: refuse(memory.read, -1), 1000),
    (lambda memory: memory == memoryview(bytes(128))[::2], 1000),
    (lambda memory: memory == memory.copy(), 1000),
    (lambda memory: memory.map(READWRITE).write_back(memory), 1000),
    (lambda memory: memory.map(READWRITE).write_back(list(memory)), 1000),
    (lambda memory: Quire.Memory.merge_list(part for part in (memory, memory[3:])), 1000),
    (lambda memory: GLib.base64_encode(memory), 100),
    (lambda memory: Quire.Memory.wrap(bytearray(100)), 1000),
    (lambda memory: Quire.Memory.wrap(Quire.Memory.wrap(b'100')), 1000),
    (lambda memory: refuse(Quire.Memory.wrap, 5), 1000),
    (lambda memory: memory.to_bytes(), 1000),
    (lambda memory: memory.read(1, 5), 1000),
    (lambda memory: memory.write(1, b'abc'), 1000),
    (lambda memory: refuse(memory.write, 100000, b'abc'), 1000),
    (lambda memory: memory.describe_lock(), 1000),
    (lambda memory: memory.get_allocator(), 1000),
    (lambda memory: memory[:].get_parent(), 1000),
    (lambda memory: memory.map(READ).memory, 1000),
    (lambda memory: memory.map(READ).view_bytes(), 1000),
    (lambda memory: memory[:].make_writable(), 1000),
    (lambda memory: memory[:].make_mapped(WRITE), 1000),
    (lambda memory: memory.make_writable(), 1000),
    (lambda memory: memory.map(READ).copy().copy(), 1000),
    (lambda memory: refuse(make_flagged(8, Quire.MemoryFlags.NOT_MAPPABLE).map), 1000),
])
def test_a_cycle_leaves_nothing(cycle: Use, times: int) -> None:
    memory = make(bytes(64))

    def growth() -> list[int]:
        before = in_use()
        for _ in range(times):
            cycle(memory)
        gc.collect()
        return [now - then for now, then in zip(in_use(), before)]

    # What is lost is lost each time; what caches take, once. The least that can be lost
    # in a cycle is more than these.
    growths = [growth() for _ in range(3)]
    assert min(bytes_more for bytes_more, _ in growths) < 8 * times
    assert min(objects_more for _, objects_more in growths) < times // 2
    assert counts(memory) == {}


@pytest.mark.skipif(SANITIZED, reason='what was freed is kept, to find who uses it')
def test_large_blocks_go_back_to_the_system() -> None:
    page = os.sysconf('SC_PAGE_SIZE')

    def resident() -> int:
        with open('/proc/self/statm') as statm:
            return int(statm.read().split()[1]) * page

    memory = Quire.Memory(16 << 20)
    memory.fill(0, -1, 1)
    before = resident()
    for _ in range(20):
        other = memory.copy(0, -1)
        view = memoryview(other)
        other.close()
        del view, other
    assert resident() < before + (24 << 20)


def test_descriptors() -> None:
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(200):
        make(b'abcd').map(READ)
    assert len(os.listdir('/proc/self/fd')) == before
