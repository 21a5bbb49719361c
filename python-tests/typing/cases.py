# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the types of Quire say, and what they refuse. It is only read by mypy: where a line
is wrong on purpose, the comment tells so, and mypy complains of a comment without need."""

from __future__ import annotations

import builtins
import copy
import pickle
from collections.abc import Iterator, Sequence

import gi

gi.require_version('Quire', '1.0')
from gi.repository import Gio, GLib, Quire
from typing_extensions import assert_type

READ = Quire.MapFlags.READ


def create() -> None:
    memory = Quire.Memory(4096, align=4095, prefix=16, padding=4, allocator='system', fill=0,
                          flags=Quire.MemoryFlags.ZERO_PREFIXED | Quire.MemoryFlags.ZERO_PADDED)
    assert_type(memory, Quire.Memory)
    assert_type(Quire.Memory.new(5), Quire.Memory)
    assert_type(Quire.Memory.wrap(b'abc'), Quire.Memory)
    assert_type(Quire.Memory.from_dlpack(memory), Quire.Memory)
    assert_type(Quire.Memory.new_from_bytes(memory.to_bytes()), Quire.Memory)
    params = Quire.AllocationParams(align=255)
    params.prefix = 5
    Quire.Memory.new_with_params(5, params)
    allocator = Quire.Allocator.find('frames')
    assert_type(allocator, Quire.Allocator | None)
    if allocator is not None:
        assert_type(allocator.alloc(5), Quire.Memory)
        Quire.Memory(5, allocator=allocator)
    assert_type(Quire.Allocator.find(), Quire.Allocator)
    assert_type(Quire.Allocator.find('memfd'), Quire.Allocator)

    Quire.Memory()  # type: ignore[call-arg]
    Quire.Memory('5')  # type: ignore[arg-type]
    Quire.Memory(5, 4095)  # type: ignore[misc]
    Quire.Memory(5, aligned=4095)  # type: ignore[call-arg]
    Quire.Memory(5, allocator=5)  # type: ignore[arg-type]
    Quire.Memory(5, fill=b'x')  # type: ignore[arg-type]
    Quire.Allocator.find('frames').alloc(5)  # type: ignore[union-attr]
    Quire.Allocator()  # type: ignore[abstract]
    Quire.Memory.new_wrapped(0, b'')  # type: ignore[attr-defined]
    Quire.Memory.from_dlpack(5)  # type: ignore[arg-type]
    Quire.Memory.new_from_fd('file')  # type: ignore[arg-type]


class Frame(Quire.Memory):
    time: float = 0

    def __new__(cls, size: int, time: float = 0) -> Frame:
        self = super().__new__(cls, size)
        self.time = time
        return self


def derive() -> None:
    frame = Frame(5, time=1)
    assert_type(frame, Frame)
    assert_type(Frame.wrap(bytearray(5)), Frame)
    assert_type(Frame.from_dlpack(frame), Frame)
    assert_type(frame[1:2], Quire.Memory)
    assert_type(copy.copy(frame), Frame)
    assert_type(copy.deepcopy(frame), Frame)
    with frame as same:
        assert_type(same, Frame)


def use(memory: Quire.Memory) -> None:
    assert_type(memory[0], int)
    assert_type(memory[1:2], Quire.Memory)
    memory[0] = 1
    memory[0:1] = b'x'
    assert_type(iter(memory), Iterator[int])
    assert_type(memory + memory, Quire.Memory)
    assert_type(5 in memory, bool)
    assert_type(memory.index(5, 1, None), int)
    assert_type(memory.count(b'x'), int)
    numbers: Sequence[int] = memory
    assert_type(bytes(memory), bytes)
    Quire.Memory.merge_list(share for share in (memory, memory[:]))
    memory.map().write_back(memory)
    memory.map().write_back(numbers)
    assert_type(memory == b'', bool)
    assert_type(len(memory), int)
    assert_type(memory.copy(size=5), Quire.Memory)
    assert_type(memory.read(5, 5), bytes)
    assert_type(memory.share(), Quire.Memory)
    assert_type(memory.cast('I', [2, 2]), memoryview)
    assert_type(memory.merge(memory).copied, int)
    merged, copied = Quire.Memory.merge_list([memory, memory])
    assert_type(merged, Quire.Memory)
    assert_type(Quire.memory_merge_list([memory]).copied, int)
    assert_type(memory.get_sizes().offset, int)
    assert_type(memory.size + memory.offset + memory.maxsize + memory.align, int)
    assert_type((memory.flags, memory.allocator), tuple[Quire.MemoryFlags, Quire.Allocator])
    assert_type(memory.parent, Quire.Memory | None)
    size, offset, _ = memory.get_sizes()
    assert_type(size, int)
    assert_type(memory.is_span(memory).is_span, bool)
    assert_type(memory.is_span(memory).offset, int)
    fd, offset = memory.get_fd()
    assert_type(fd, int)
    assert_type(memory.get_parent(), Quire.Memory | None)
    assert_type(memory.get_flags() & Quire.MemoryFlags.READONLY, Quire.MemoryFlags)
    assert_type(memory.get_flags() & 1, int)
    assert_type(memory.read_from_stream(0, -1, Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b''))), int)
    assert_type(memory.closed, bool)
    memoryview(memory)
    pickle.dumps(memory)

    memory['a']  # type: ignore[call-overload]
    memory[0] = b'x'  # type: ignore[call-overload]
    memory + b'x'  # type: ignore[operator]
    memory.copy('a')  # type: ignore[arg-type]
    memory.fill(0, -1, b'x')  # type: ignore[arg-type]
    memory.closed = True  # type: ignore[misc]
    memory.cast('B', range(4))  # type: ignore[arg-type]
    memory.nothing()  # type: ignore[attr-defined]
    Quire.memory_merge_list([memory]).memory  # type: ignore[attr-defined]
    {memory: 1}
    memory.get_parent().close()  # type: ignore[union-attr]


def look(memory: Quire.Memory) -> None:
    with memory.map(READ | Quire.MapFlags.UNIQUE) as view:
        assert_type(view, memoryview)
        assert_type(view[0], int)
    info = memory.map()
    assert_type(info, Quire.Mapping)
    typed: Quire.MapInfo = info
    assert_type(typed.data, memoryview)
    assert_type(info.memory, Quire.Memory | None)
    assert_type(info.flags, Quire.MapFlags)
    assert_type(info.size, int)
    memoryview(info)
    info.unmap()
    memory.unmap(info)

    memory.map('r')  # type: ignore[arg-type]
    memory.unmap(memory)  # type: ignore[arg-type]
    info.size = 5  # type: ignore[misc]
    memory.lock(1)
    memory.lock(READ | 1)
    Quire.MapFlags()  # type: ignore[call-arg]
    Quire.MemoryError()  # type: ignore[call-arg]
    Quire.Mapping()  # type: ignore[call-arg]


def fail(memory: Quire.Memory) -> None:
    try:
        memory.map()
    except Quire.Error.Busy as error:
        assert_type(error.message, str)
        assert_type(error.code, int)
        both: Quire.BufferError = error
        python: builtins.BufferError = both
        raise python from error
    except (Quire.Error.OutOfRange, Quire.Error.NoSpace) as error:
        raise error
    except Quire.Error as error:
        assert_type(error.matches(Quire.memory_error_quark(), Quire.MemoryError.BUSY), bool)
    except GLib.Error:
        pass

    out: IndexError = Quire.Error.OutOfRange('why')
    space: MemoryError = Quire.Error.NoSpace('why')
    closed: ValueError = Quire.Error.Closed('why')
    Quire.Error.Nothing  # type: ignore[attr-defined]
    print(out, space, closed)


def allocate() -> None:
    with Quire.PoolAllocator(4096, max_blocks=8, max_wait=-1, allocator='memfd', align=4095) as pool:
        assert_type(pool, Quire.PoolAllocator)
        assert_type(pool.acquire(), Quire.Memory)
        assert_type(pool.acquire(5, Gio.Cancellable()), Quire.Memory)
        assert_type(pool.alloc(5, prefix=16, fill=0), Quire.Memory)
        assert_type(pool.stats.n_out, int)
        assert_type(pool.closed, bool)
        assert_type(pool.allocator, Quire.Allocator)
        assert_type(pool.params.align, int)
        pool.max_wait = 5
    Quire.PoolAllocator(block_size=5, params=Quire.AllocationParams(), allocator=pool)
    assert_type(Quire.PoolAllocator.new(None, 5), Quire.PoolAllocator)
    assert_type(Quire.MemfdAllocator('frames').seals, Quire.Seals)
    assert_type(Quire.MemfdAllocator.new(), Quire.MemfdAllocator)
    assert_type(Quire.GuardAllocator(quarantine=5).n_damaged, int)
    assert_type(Quire.SecureAllocator().alloc(5), Quire.Memory)

    Quire.PoolAllocator()  # type: ignore[call-arg]
    Quire.PoolAllocator(5, 8)  # type: ignore[misc]
    Quire.PoolAllocator(1.5)  # type: ignore[arg-type]
    Quire.PoolAllocator(5, allocator=5)  # type: ignore[arg-type]
    pool.acquire(1.5)  # type: ignore[arg-type]
    pool.alloc(5, fill=b'x')  # type: ignore[arg-type]
    pool.stats.n_out = 5  # type: ignore[misc]
    pool.block_size = 5  # type: ignore[misc]
    Quire.MemfdAllocator(5)  # type: ignore[arg-type]
