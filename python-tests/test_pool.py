# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Pools: blocks that are used again, and what is done when all are out."""

import gc
import threading
import time

import numpy
import pytest
from gi.repository import Gio, GLib, GObject, Quire

from helpers import address, Call, check_survived, Code, Flags, refused, run_script

SIZE = 4096


def new_pool(max_blocks: int = 0, size: int = SIZE) -> Quire.PoolAllocator:
    return Quire.PoolAllocator.new(None, size, None, max_blocks)


def figures(pool: Quire.PoolAllocator) -> tuple[int, int, int]:
    """The blocks of a pool: how many there are, how many of them are free, and out."""
    stats = pool.get_stats()
    return stats.n_blocks, stats.n_free, stats.n_out


def test_recycle() -> None:
    pool = new_pool()
    first, second = pool.alloc(SIZE, None), pool.alloc(SIZE, None)
    assert isinstance(first, Quire.Memory)
    assert first.is_type('pool') and first.get_allocator() is pool
    first.fill(0, -1, 7)
    where = address(first)
    assert figures(pool) == (2, 0, 2)

    del first
    assert figures(pool) == (2, 1, 1)
    again = pool.alloc(SIZE, None)
    assert address(again) == where
    assert bytes(again) == bytes([7]) * SIZE

    stats = pool.get_stats()
    assert (stats.n_made, stats.n_recycled, stats.max_out, stats.n_waiting) == (2, 1, 2, 0)
    del again, second
    assert figures(pool) == (2, 2, 0)


@pytest.mark.parametrize('size', [0, 1, 100, SIZE])
def test_smaller(size: int) -> None:
    pool = new_pool()
    memory = pool.alloc(size, None)
    assert len(memory) == size
    assert memory.get_sizes() == (size, 0, SIZE)
    memory.resize(0, SIZE)
    assert len(memoryview(memory)) == SIZE


def test_larger() -> None:
    pool = new_pool()
    with refused(Code.OUT_OF_RANGE, SIZE + 1, SIZE):
        pool.alloc(SIZE + 1, None)
    with refused(Code.OUT_OF_RANGE, -1):
        pool.alloc(-1, None)
    assert figures(pool) == (0, 0, 0)


def test_params() -> None:
    params = Quire.AllocationParams.new()
    params.align, params.prefix, params.padding = 63, 16, 8
    pool = Quire.PoolAllocator.new(None, 100, params, 0)
    assert pool.props.params.align == 63
    memory = pool.alloc(100, params)
    assert memory.get_sizes() == (100, 16, 124)
    assert memory.is_aligned(63)

    for name, value, numbers in [('align', 127, [63, 127]), ('prefix', 17, [16, 17]), ('padding', 9, [8, 9])]:
        more = params.copy()
        setattr(more, name, value)
        with refused(Code.NOT_SUPPORTED, *numbers):
            pool.alloc(100, more)


def test_bounded() -> None:
    pool = new_pool(2)
    blocks = [pool.alloc(1, None), pool.alloc(1, None)]
    with refused(Code.BUSY, 2, SIZE):
        pool.alloc(1, None)
    with refused(Code.BUSY, 2, SIZE):
        pool.acquire(0, None)
    blocks.pop()
    assert len(pool.acquire(0, None)) == SIZE


def test_views_keep_their_block() -> None:
    pool = new_pool(1)
    memory = pool.alloc(SIZE, None)
    view = memoryview(memory)
    del memory
    with refused(Code.BUSY):
        pool.alloc(1, None)
    view[0] = 9
    del view

    memory = pool.alloc(SIZE, None)
    numbers = numpy.frombuffer(memory, 'u1')
    assert numbers[0] == 9
    del memory
    with refused(Code.BUSY):
        pool.alloc(1, None)
    del numbers

    memory = pool.alloc(SIZE, None)
    content = memory.to_bytes()
    del memory
    with refused(Code.BUSY):
        pool.alloc(1, None)
    del content

    # Here, numpy has an address and no map.
    memory = pool.alloc(SIZE, None)
    numbers = numpy.ndarray(SIZE, 'u1', buffer=memory)
    memory.close()
    with refused(Code.BUSY):
        pool.alloc(1, None)
    assert numbers[0] == 9
    del memory, numbers
    assert len(pool.alloc(1, None)) == 1


def test_renewed() -> None:
    pool = new_pool(1)
    params = Quire.AllocationParams.new()
    params.flags = Quire.MemoryFlags.READONLY | Quire.MemoryFlags.NO_SHARE
    memory = pool.alloc(100, params)
    assert memory.get_flags() == params.flags
    memory.resize(10, 20)
    memory.lock(Flags.READ)
    del memory

    memory = pool.alloc(SIZE, None)
    assert memory.get_flags() == 0
    assert memory.get_sizes() == (SIZE, 0, SIZE)
    assert memory.describe_lock() == 'free'
    memory.fill(0, -1, 1)
    assert set(bytes(memory[5:10])) == {1}


def test_prealloc_trim_flush() -> None:
    pool = new_pool(10)
    assert pool.prealloc(4) is None  # type: ignore[func-returns-value]
    assert figures(pool) == (4, 4, 0)
    memory = pool.alloc(1, None)
    pool.prealloc(8)
    assert figures(pool) == (8, 7, 1)
    assert pool.trim(5) == 2
    assert pool.trim(5) == 0
    assert pool.flush() == 5
    assert figures(pool) == (1, 0, 1)
    with refused(Code.OUT_OF_RANGE, 11, 10):
        pool.prealloc(11)
    del memory
    assert figures(pool) == (1, 1, 0)


def test_close() -> None:
    pool = new_pool()
    memory = pool.alloc(SIZE, None)
    pool.prealloc(3)
    assert not pool.is_closed()
    pool.close()
    pool.close()
    assert pool.is_closed()
    asks: list[Call] = [lambda: pool.alloc(1, None), lambda: pool.acquire(-1, None), lambda: pool.prealloc(9)]
    for ask in asks:
        with refused(Code.CLOSED, SIZE):
            ask()
    memory.fill(0, -1, 5)
    assert bytes(memory) == bytes([5]) * SIZE
    assert figures(pool) == (1, 0, 1)
    del memory
    assert figures(pool) == (0, 0, 0)


def test_pool_goes_before_its_blocks() -> None:
    pool = new_pool()
    memory = pool.alloc(SIZE, None)
    gone: list[str] = []
    pool.weak_ref(gone.append, 'pool')
    del pool
    gc.collect()
    allocator = memory.get_allocator()
    assert isinstance(allocator, Quire.PoolAllocator) and allocator.get_block_size() == SIZE
    del allocator
    memory.fill(0, -1, 3)
    assert gone == []
    del memory
    gc.collect()
    assert gone == ['pool']


def test_properties() -> None:
    pool = Quire.PoolAllocator(block_size=100, max_blocks=5, max_wait=1000, initial_blocks=3)
    assert (pool.props.block_size, pool.get_block_size()) == (100, 100)
    assert (pool.props.max_blocks, pool.get_max_blocks()) == (5, 5)
    assert pool.get_max_wait() == 1000
    assert pool.props.allocator is Quire.Allocator.find(None) is pool.get_allocator()
    assert figures(pool) == (3, 3, 0)

    seen: list[int] = []
    pool.connect('notify::max-wait', lambda pool, _: seen.append(pool.props.max_wait))
    pool.props.max_wait = 7
    pool.set_max_wait(-5)
    assert seen == [7, -1]


def test_no_pool() -> None:
    with refused(Code.OUT_OF_RANGE, 1 << 24):
        new_pool(1 << 24)
    with refused(Code.TOO_LARGE, 1 << 63):
        new_pool(0, 1 << 63)
    params = Quire.AllocationParams.new()
    params.align = 2
    with refused(Code.NOT_SUPPORTED, 2):
        Quire.PoolAllocator.new(None, 1, params, 0)
    with refused(Code.NOT_SUPPORTED, 2):
        Quire.PoolAllocator(1, params=params, initial_blocks=2)
    # As a property, it is told of when a block is asked for.
    pool = GObject.new(Quire.PoolAllocator, params=params, initial_blocks=2)  # type: ignore[attr-defined]
    assert isinstance(pool, Quire.PoolAllocator)
    with refused(Code.NOT_SUPPORTED, 2):
        pool.alloc(0, None)


@pytest.mark.parametrize('name', ['system', 'guard', 'secure'])
def test_over_all(name: str) -> None:
    pool = Quire.PoolAllocator.new(Quire.Allocator.find(name), 1000, None, 1)
    for _ in range(3):
        memory = pool.alloc(500, None)
        memory.fill(0, -1, 3)
        assert set(bytes(memory)) == {3}
        del memory
    assert pool.get_stats().n_made == 1


def test_secret() -> None:
    pool = Quire.PoolAllocator.new(Quire.Allocator.find('secure'), 32, None, 1)
    memory = pool.alloc(32, None)
    memory.write(0, b'secret')
    assert memory[0:6].copy(0, -1).is_type('secure')
    del memory
    assert bytes(pool.alloc(32, None)) == bytes(32)


def test_wait_in_vain() -> None:
    pool = new_pool(1)
    memory = pool.alloc(1, None)
    start = time.monotonic()
    with refused(Code.BUSY, 1, SIZE, 30000):
        pool.acquire(30000, None)
    assert time.monotonic() - start >= 0.03
    pool.set_max_wait(20000)
    with refused(Code.BUSY, 1, SIZE, 20000):
        pool.alloc(1, None)
    del memory


def test_wait_lets_others_run() -> None:
    """While one thread waits, another can run, and gives its block back."""
    pool = new_pool(1)
    blocks = [pool.alloc(1, None)]

    def give_back() -> None:
        while pool.get_stats().n_waiting == 0:
            time.sleep(0.001)
        blocks.clear()

    thread = threading.Thread(target=give_back)
    thread.start()
    assert len(pool.acquire(-1, None)) == SIZE
    thread.join()


def test_cancel() -> None:
    pool = new_pool(1)
    memory = pool.alloc(1, None)
    cancellable = Gio.Cancellable()

    def cancel() -> None:
        while pool.get_stats().n_waiting == 0:
            time.sleep(0.001)
        cancellable.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(GLib.Error) as caught:
        pool.acquire(-1, cancellable)
    thread.join()
    assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
    assert pool.get_stats().n_waiting == 0
    del memory


def test_async() -> None:
    pool = new_pool(1)
    blocks = [pool.alloc(1, None)]
    loop = GLib.MainLoop()
    results: list[Quire.Memory] = []

    def done(source: Quire.PoolAllocator, result: Gio.AsyncResult) -> None:
        assert source is pool
        results.append(source.acquire_finish(result))
        with refused(Code.CLOSED):
            source.acquire_finish(result)
        with refused(Code.NOT_SUPPORTED):
            new_pool().acquire_finish(result)
        loop.quit()

    def give_back() -> bool:
        if pool.get_stats().n_waiting == 0:
            return GLib.SOURCE_CONTINUE
        blocks.clear()
        return GLib.SOURCE_REMOVE

    pool.acquire_async(-1, None, done)
    GLib.timeout_add(1, give_back)
    loop.run()
    [memory] = results
    assert len(memory) == SIZE
    assert figures(pool) == (1, 0, 1)


def test_async_refused() -> None:
    pool = new_pool(1)
    memory = pool.alloc(1, None)
    loop = GLib.MainLoop()
    errors: list[GLib.Error] = []

    def done(source: Quire.PoolAllocator, result: Gio.AsyncResult) -> None:
        try:
            source.acquire_finish(result)
        except GLib.Error as error:
            errors.append(error)
        loop.quit()

    pool.acquire_async(0, None, done)
    loop.run()
    pool.acquire_async(1000, None, done)
    loop.run()
    assert [error.code for error in errors] == [Code.BUSY, Code.BUSY]
    assert '1000' in errors[1].message
    del memory


def test_threads() -> None:
    """No block is had by two; all who wait get theirs."""
    pool = new_pool(2)
    out: set[int] = set()
    most: list[int] = []
    done: list[int] = []

    def work(number: int) -> None:
        for _ in range(200):
            memory = pool.acquire(-1, None)
            where = address(memory)
            assert where not in out
            out.add(where)
            most.append(len(out))
            memory.fill(0, -1, number)
            assert set(bytes(memory)) == {number}
            out.remove(where)
            del memory
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(5))
    assert max(most) <= 2
    stats = pool.get_stats()
    assert stats.n_free == stats.n_blocks == stats.n_made <= 2
    assert stats.n_recycled + stats.n_made == 5 * 200


def test_wrong_arguments() -> None:
    pool = new_pool()
    calls: list[Call] = [
        lambda: Quire.PoolAllocator.new('system', 1, None, 0),  # type: ignore[arg-type]
        lambda: Quire.PoolAllocator.new(None, None, None, 0),  # type: ignore[arg-type]
        lambda: Quire.PoolAllocator.new(None, 1, 2, 0),  # type: ignore[arg-type]
        lambda: pool.acquire('0', None),  # type: ignore[arg-type]
        lambda: pool.acquire(0, pool),  # type: ignore[arg-type]
        lambda: pool.acquire_finish(None),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
    calls = [
        lambda: Quire.PoolAllocator.new(None, -1, None, 0),
        lambda: Quire.PoolAllocator.new(None, 1, None, -1),
        lambda: Quire.PoolAllocator(-1),
        lambda: Quire.PoolAllocator(1, initial_blocks=-1),
        lambda: Quire.AllocationParams(align=-1),
        lambda: pool.prealloc(-1),
        lambda: pool.trim(-1)]
    for call in calls:
        with pytest.raises(Quire.Error.OutOfRange, match='-1 is negative'):
            call()


def test_stats() -> None:
    stats = Quire.PoolStats()
    assert (stats.n_blocks, stats.n_recycled) == (0, 0)
    pool = new_pool()
    pool.prealloc(3)
    stats = pool.get_stats()
    kept = stats.copy()
    pool.flush()
    assert (stats.n_blocks, kept.n_free, pool.get_stats().n_blocks) == (3, 3, 0)


def test_survives() -> None:
    check_survived(run_script('''
pool = Quire.PoolAllocator(block_size=64, max_blocks=2, initial_blocks=2)
memory = pool.alloc(64, None)
view = memoryview(memory)
pool.run_dispose()
assert attempt(pool.alloc, 1, None).code == Code.CLOSED
assert attempt(pool.acquire, -1, None).code == Code.CLOSED
assert pool.get_stats().n_blocks == 1
memory.close()
del pool, memory
gc.collect()
view[0] = 1
class Mine(Quire.Allocator): pass
attempt(Mine)
attempt(lambda: Quire.PoolAllocator.new(Mine(), 64, None, 0).alloc(1, None))
left = Quire.PoolAllocator(block_size=64, max_blocks=1)
kept = left.alloc(64, None)
left.acquire_async(-1, None, lambda *args: None)
attempt(left.acquire_finish, None)
Quire.Allocator.register('left', left)
Quire.Allocator.set_default(left)
assert attempt(Memory, 1).code == Code.BUSY
assert attempt(Memory, 65).code == Code.OUT_OF_RANGE
'''))
