# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Allocators as Python has them: arguments, attributes, and what they are for people."""

import re

import pytest
from gi.repository import Gio, GLib, Quire

from helpers import Call, Code, refused

MemoryFlags, Seals = Quire.MemoryFlags, Quire.Seals


class Whole:
    """A number, to Python, that is no int."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


def test_a_pool_wants_a_size() -> None:
    with pytest.raises(TypeError, match='block_size'):
        Quire.PoolAllocator()  # type: ignore[call-arg]
    assert Quire.PoolAllocator(100).block_size == Quire.PoolAllocator(block_size=100).block_size == 100
    # An empty one is one that was asked for.
    assert len(Quire.PoolAllocator(0).acquire()) == 0
    with pytest.raises(TypeError):
        Quire.PoolAllocator(100, 5)  # type: ignore[misc]


def test_all_of_a_pool() -> None:
    pool = Quire.PoolAllocator(100, max_blocks=5, initial_blocks=2, max_wait=-1, allocator='secure', align=63,
                               prefix=16, padding=8)
    assert (pool.block_size, pool.max_blocks, pool.max_wait, pool.closed) == (100, 5, -1, False)
    assert pool.allocator is Quire.Allocator.find('secure')
    assert (pool.params.align, pool.params.prefix, pool.params.padding) == (63, 16, 8)
    assert (pool.props.initial_blocks, pool.stats.n_free) == (2, 2)
    assert pool.acquire().get_sizes() == (100, 16, 124)
    # A copy.
    pool.params.align = 1
    assert pool.params.align == 63
    pool.max_wait = 7
    assert pool.get_max_wait() == pool.props.max_wait == 7

    again = Quire.PoolAllocator(100, params=pool.params, allocator=pool.allocator)
    assert again.params.prefix == 16
    assert Quire.PoolAllocator.new(None, 5).acquire().is_type('pool')


@pytest.mark.parametrize('keyword', ['block_size', 'max_blocks', 'initial_blocks', 'max_wait', 'align', 'prefix',
                                     'padding'])
def test_numbers_are_whole(keyword: str) -> None:
    for wrong in (1.9, '1', None):
        with pytest.raises(TypeError):
            Quire.PoolAllocator(**{'block_size': 64, keyword: wrong})  # type: ignore[arg-type]
    Quire.PoolAllocator(**{'block_size': 64, keyword: Whole(1)})  # type: ignore[arg-type]


def test_numbers_of_methods_are_whole() -> None:
    pool = Quire.PoolAllocator(64)
    calls: list[Call] = [
        lambda: pool.acquire(1.5),  # type: ignore[arg-type]
        lambda: pool.acquire_async(1.5),  # type: ignore[arg-type]
        lambda: pool.prealloc(1.5),  # type: ignore[arg-type]
        lambda: pool.trim(1.5),  # type: ignore[arg-type]
        lambda: pool.set_max_wait(1.5),  # type: ignore[arg-type]
        lambda: setattr(pool, 'max_wait', 1.5),
        lambda: Quire.PoolAllocator.new(None, 1.5),  # type: ignore[arg-type]
        lambda: Quire.MemfdAllocator(huge_page_size=1.5),  # type: ignore[arg-type]
        lambda: Quire.GuardAllocator(quarantine=1.5),  # type: ignore[arg-type]
        lambda: Quire.AllocationParams(align=1.5),  # type: ignore[arg-type]
        lambda: setattr(Quire.AllocationParams(), 'padding', 1.5),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
    assert pool.max_wait == pool.stats.n_blocks == 0
    with pytest.raises(OverflowError):
        pool.acquire(1 << 63)


def test_no_such_pool() -> None:
    with pytest.raises(LookupError, match='nowhere'):
        Quire.PoolAllocator(1, allocator='nowhere')
    with pytest.raises(TypeError, match='int'):
        Quire.PoolAllocator(1, allocator=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='params'):
        Quire.PoolAllocator(1, params=Quire.AllocationParams(), align=1)
    with refused(Code.TOO_LARGE, 1 << 63):
        Quire.PoolAllocator(1 << 63)
    with refused(Code.OUT_OF_RANGE, 1 << 24):
        Quire.PoolAllocator(1, max_blocks=1 << 24)
    with refused(Code.NOT_SUPPORTED, 2):
        Quire.PoolAllocator(1, align=2)
    # In C, that is told of when a block is asked for.
    with refused(Code.OUT_OF_RANGE, 2, 1):
        Quire.PoolAllocator(1, max_blocks=1, initial_blocks=2)
    with refused(Code.NOT_SUPPORTED):
        Quire.PoolAllocator(1, allocator='fd', initial_blocks=1)


def test_acquire_by_default() -> None:
    pool = Quire.PoolAllocator(64, max_blocks=1)
    memory = pool.acquire()
    with refused(Code.BUSY, 1, 64):
        pool.acquire()
    pool.max_wait = 1000
    calls: list[Call] = [
        pool.acquire, lambda: pool.acquire(None, None), lambda: pool.acquire(cancellable=Gio.Cancellable())]
    for call in calls:
        with refused(Code.BUSY, 1, 64, 1000):
            call()
    with refused(Code.BUSY, 1, 64, 2000):
        pool.acquire(max_wait=2000)
    # No time, though the pool has some.
    with refused(Code.BUSY, 1, 64) as caught:
        pool.acquire(0)
    assert '1000' not in caught.value.message
    memory.close()
    del memory
    assert len(pool.acquire()) == 64

    cancellable = Gio.Cancellable()
    cancellable.cancel()
    with pytest.raises(GLib.Error) as error:
        pool.acquire(cancellable=cancellable)
    assert error.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)


def test_acquire_async_by_default() -> None:
    pool = Quire.PoolAllocator(64)
    loop = GLib.MainLoop()
    results: list[object] = []

    def done(source: Quire.PoolAllocator, result: Gio.AsyncResult, *data: object) -> None:
        results.extend((len(source.acquire_finish(result)), *data))
        loop.quit()

    pool.acquire_async(callback=done)
    loop.run()
    pool.acquire_async(None, None, done, 'data')
    loop.run()
    assert results == [64, 64, 'data']


def test_a_pool_closes_itself() -> None:
    with Quire.PoolAllocator(64) as pool:
        memory = pool.acquire()
        assert not pool.closed
    assert pool.closed and pool.is_closed()
    with refused(Code.CLOSED):
        pool.acquire()
    memory.fill(value=1)
    with pytest.raises(ZeroDivisionError):
        with Quire.PoolAllocator(64) as pool:
            1 / 0
    assert pool.closed


@pytest.mark.parametrize('name', ['system', 'guard', 'memfd', 'secure'])
def test_alloc_takes_what_a_block_takes(name: str) -> None:
    allocator = Quire.Allocator.find(name)
    assert allocator is not None
    memory = allocator.alloc(100, align=63, prefix=16, padding=8, fill=7)
    assert bytes(memory) == bytes([7]) * 100
    assert memory.is_aligned(63)
    size, offset, maxsize = memory.get_sizes()
    assert (size, offset) == (100, 16) and maxsize >= 124
    assert allocator.alloc(1, flags=MemoryFlags.NO_SHARE).get_flags() == MemoryFlags.NO_SHARE
    with pytest.raises(TypeError, match='params'):
        allocator.alloc(1, Quire.AllocationParams(), prefix=1)
    with pytest.raises(TypeError):
        allocator.alloc(1, align=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        allocator.alloc(1, fill=256)
    assert len(allocator.alloc(5, Quire.AllocationParams(align=7), fill=0)) == 5


def test_memfd() -> None:
    usual = Quire.MemfdAllocator()
    assert (usual.name, usual.seals, usual.huge_page_size) == ('quire', Seals.SHRINK | Seals.GROW, 0)
    assert Quire.MemfdAllocator.new().name == 'quire' and Quire.MemfdAllocator.new().seals == usual.seals
    named = Quire.MemfdAllocator('frames', seals=Seals.SHRINK, huge_page_size=1 << 21)
    assert (named.name, named.seals, named.huge_page_size) == ('frames', Seals.SHRINK, 1 << 21)
    assert (named.get_name(), named.get_seals(), named.get_huge_page_size()) == ('frames', Seals.SHRINK, 1 << 21)
    assert Quire.MemfdAllocator.new('frames').name == 'frames'
    assert usual.alloc(10).get_seals() == usual.seals


def test_guard() -> None:
    usual = Quire.GuardAllocator()
    assert (usual.quarantine, usual.aborts, usual.n_damaged) == (256, False, 0)
    assert Quire.GuardAllocator.new().quarantine == 256
    mine = Quire.GuardAllocator(quarantine=5, aborts=True)
    assert (mine.quarantine, mine.get_quarantine(), mine.aborts, mine.get_aborts(), mine.get_n_damaged()) == \
        (5, 5, True, True, 0)


def test_for_people() -> None:
    pool = Quire.PoolAllocator(4096, initial_blocks=4)
    memory = pool.acquire()
    assert repr(pool) == '<Quire.PoolAllocator of 4 blocks of 4096 bytes, 1 out>'
    pool.close()
    assert repr(pool) == '<Quire.PoolAllocator of 1 blocks of 4096 bytes, 1 out, closed>'
    assert repr(Quire.PoolAllocator(64, max_blocks=8)) == \
        '<Quire.PoolAllocator of 0 blocks of 64 bytes, 0 out, at most 8>'
    stats = pool.stats
    assert repr(stats) == ('<Quire.PoolStats: n_blocks=1, n_free=0, n_out=1, max_out=1, n_waiting=0, n_made=4, '
                           'n_recycled=1>')
    assert {name for name in dir(stats) if re.match('n_|max_', name)} == set(re.findall(r'(\w+)=', repr(stats)))
    assert repr(Quire.MemfdAllocator('frames')) == "<Quire.MemfdAllocator 'frames', seals SHRINK|GROW>"
    assert repr(Quire.MemfdAllocator(huge_page_size=1 << 21)) == \
        "<Quire.MemfdAllocator 'quire', seals SHRINK|GROW, pages of 2097152 bytes>"
    assert repr(Quire.GuardAllocator(quarantine=5, aborts=True)) == \
        '<Quire.GuardAllocator with a quarantine of 5 blocks, aborts, 0 damaged>'
    assert repr(Quire.SecureAllocator()) == '<Quire.SecureAllocator>'
    assert repr(Quire.Allocator.find('fd')) == '<Quire.FdAllocator>'
    del memory


def test_numbers_of_a_moment_are_not_written() -> None:
    stats = Quire.PoolAllocator(64).stats
    with pytest.raises(AttributeError):
        stats.n_out = 5  # type: ignore[misc]


def test_classes_are_those_of_the_namespace() -> None:
    for name, cls in [('memfd', Quire.MemfdAllocator), ('guard', Quire.GuardAllocator), ('fd', Quire.FdAllocator),
                      ('secure', Quire.SecureAllocator)]:
        assert type(Quire.Allocator.find(name)) is cls
    pool = Quire.PoolAllocator(64)
    assert type(pool) is type(Quire.PoolAllocator.new(None, 64)) is Quire.PoolAllocator
    assert pool.acquire().get_allocator() is pool
    assert issubclass(Quire.MemfdAllocator, Quire.FdAllocator) and issubclass(Quire.PoolAllocator, Quire.Allocator)


def test_those_of_python_have_it_too() -> None:
    class Mine(Quire.Allocator):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return self.bind(Quire.Memory(size + params.prefix + params.align), (size, params.prefix))

    mine = Mine()
    memory = mine.alloc(4, align=63, prefix=5, fill=3)
    assert bytes(memory) == bytes([3]) * 4 and memory.is_aligned(63)
    assert mine.get_state(memory) == (4, 5)
    pool = Quire.PoolAllocator(8, allocator=mine, initial_blocks=1)
    assert bytes(pool.alloc(4, fill=1)) == bytes([1]) * 4
    assert pool.allocator is mine


def test_initial_blocks_that_can_not_be_made() -> None:
    class Empty(Quire.Allocator):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            raise Quire.Error.NoSpace('no room')

    assert Quire.PoolAllocator(8, allocator=Empty()).stats.n_blocks == 0
    with refused(Code.NO_SPACE):
        Quire.PoolAllocator(8, allocator=Empty(), initial_blocks=1)
