# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The lock: what may stand together, and what a map is refused for."""

import threading
from collections.abc import Callable

import pytest
from gi.repository import GLib, Quire

from helpers import (EXCLUSIVE, READ, READWRITE, UNIQUE, WRITE, Code, counts, make, make_flagged,
                     refused)

Drop = Callable[[], object]
Ask = Callable[[Quire.Memory, Quire.MapFlags], Drop]

KINDS = {'READ': READ, 'WRITE': WRITE, 'READ+WRITE': READWRITE}

# Held, asked for: granted?
TABLE = {
    (None, 'READ'): True, (None, 'WRITE'): True, (None, 'READ+WRITE'): True,
    ('READ', 'READ'): True, ('READ', 'WRITE'): False, ('READ', 'READ+WRITE'): False,
    ('WRITE', 'READ'): False, ('WRITE', 'WRITE'): True, ('WRITE', 'READ+WRITE'): False,
    ('READ+WRITE', 'READ'): True, ('READ+WRITE', 'WRITE'): True, ('READ+WRITE', 'READ+WRITE'): True,
}


def by_map(memory: Quire.Memory, flags: Quire.MapFlags | int) -> Drop:
    info = memory.map(flags)
    return lambda: memory.unmap(info)


def by_lock(memory: Quire.Memory, flags: Quire.MapFlags) -> Drop:
    memory.lock(flags)
    return lambda: memory.unlock(flags)


def by_introspected_map(memory: Quire.Memory, flags: Quire.MapFlags) -> Drop:
    info = memory.make_mapped(flags)
    assert info.memory == memory
    return lambda: memory.unmap(info)


@pytest.mark.parametrize('ask', [by_map, by_lock])
@pytest.mark.parametrize('hold', [by_map, by_lock, by_introspected_map])
@pytest.mark.parametrize('held, asked', TABLE)
def test_table(hold: Ask, ask: Ask, held: str | None, asked: str) -> None:
    memory = make(b'abcd')
    if held is not None:
        drop = hold(memory, KINDS[held])
    if TABLE[held, asked]:
        ask(memory, KINDS[asked])()
    else:
        with refused(Code.BUSY, 4, 1, unchanged=[memory]) as caught:
            ask(memory, KINDS[asked])
        assert f'refuses {asked}: 1 {held} map' in str(caught.value)
    if held is not None:
        drop()
    assert counts(memory) == {}


@pytest.mark.parametrize('ask', [by_map, by_lock])
@pytest.mark.parametrize('held', KINDS.values(), ids=KINDS)
@pytest.mark.parametrize('asked', KINDS.values(), ids=KINDS)
def test_unique_asks_for_an_unmapped_block(ask: Ask, held: Quire.MapFlags, asked: Quire.MapFlags) -> None:
    memory = make(b'abcd')
    drop = by_map(memory, held)
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        ask(memory, asked | UNIQUE)
    drop()
    ask(memory, asked | UNIQUE)()


@pytest.mark.parametrize('ask', [by_map, by_lock])
@pytest.mark.parametrize('held', KINDS.values(), ids=KINDS)
@pytest.mark.parametrize('asked', [*KINDS.values(), *(kind | UNIQUE for kind in KINDS.values())],
                         ids=int)
def test_unique_keeps_everybody_out(ask: Ask, held: Quire.MapFlags, asked: Quire.MapFlags) -> None:
    memory = make(b'abcd')
    drop = by_map(memory, held | UNIQUE)
    assert counts(memory)['UNIQUE'] == 1
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        ask(memory, asked)
    drop()
    ask(memory, asked)()


def test_two_threads_may_both_write_but_one_if_unique() -> None:
    for flags, expected in ((WRITE, 2), (WRITE | UNIQUE, 1)):
        memory = make(b'abcd')
        barrier = threading.Barrier(2, timeout=30)
        got = []

        def write() -> None:
            barrier.wait()
            try:
                with memory.map(flags):
                    got.append(True)
                    barrier.wait()
            except GLib.Error as error:
                assert error.code == Code.BUSY
                barrier.wait()

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == expected


def test_what_stands_now_decides() -> None:
    # In GStreamer the first map's mode stays until the last one ends.
    memory = make(b'abcd')
    drop_both = by_map(memory, READWRITE)
    drop_read = by_map(memory, READ)
    drop_write = by_map(memory, WRITE)
    drop_both()
    for flags in KINDS.values():
        with refused(Code.BUSY, 4, 1, unchanged=[memory]):
            memory.map(flags)
    drop_write()
    memory.map(READ)
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        memory.map(WRITE)
    drop_read()
    memory.map(WRITE)


def test_one_owner_may_write() -> None:
    memory = make(b'abcd')
    memory.lock(EXCLUSIVE)
    assert counts(memory) == {'owner': 1}
    for flags in KINDS.values():
        by_map(memory, flags)()
    memory.unlock(EXCLUSIVE)
    assert counts(memory) == {}


@pytest.mark.parametrize('flags', [WRITE, READWRITE], ids=int)
def test_two_owners_may_not_write(flags: Quire.MapFlags) -> None:
    memory = make(b'abcd')
    memory.lock(EXCLUSIVE)
    memory.lock(EXCLUSIVE)
    with refused(Code.BUSY, 4, 2, unchanged=[memory]):
        memory.map(flags)
    with refused(Code.BUSY, 4, 2, unchanged=[memory]):
        memory.map(flags | EXCLUSIVE)
    by_map(memory, READ)()
    memory.unlock(EXCLUSIVE)
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        memory.map(flags | EXCLUSIVE)
    by_map(memory, flags)()


@pytest.mark.parametrize('flags', [WRITE, READWRITE], ids=int)
def test_no_second_owner_while_somebody_writes(flags: Quire.MapFlags) -> None:
    memory = make(b'abcd')
    drop = by_map(memory, flags | EXCLUSIVE)
    assert counts(memory)['owner'] == 1
    with refused(Code.BUSY, 4, 1, unchanged=[memory]):
        memory.lock(EXCLUSIVE)
    # But it does not keep a plain nested write out.
    by_map(memory, flags)()
    drop()
    memory.lock(EXCLUSIVE)
    memory.lock(EXCLUSIVE)


def test_owners_have_a_limit() -> None:
    memory = make(b'abcd')
    for _ in range(127):
        memory.lock(EXCLUSIVE)
    with refused(Code.BUSY, 4, 127, unchanged=[memory]):
        memory.lock(EXCLUSIVE)
    assert counts(memory) == {'owner': 127}
    for _ in range(127):
        memory.unlock(EXCLUSIVE)
    memory.map(WRITE)


@pytest.mark.parametrize('name', KINDS)
def test_nesting_has_a_limit_and_leaves_no_trace(name: str) -> None:
    memory = make(b'abcd')
    infos: list[Quire.Mapping] = []
    with refused(Code.BUSY, 4) as caught:
        while len(infos) < 10000:
            infos.append(memory.map(KINDS[name]))
    assert len(infos) >= 4000
    assert f'{len(infos)} {name} maps' in str(caught.value)
    assert counts(memory) == {name: len(infos)}
    for info in infos:
        memory.unmap(info)
    assert counts(memory) == {}
    by_map(memory, WRITE | UNIQUE)()


def test_shares_have_a_limit() -> None:
    memory = make(b'abcd')
    shares: list[Quire.Memory] = []
    with refused(Code.BUSY, 4) as caught:
        while len(shares) < 200000:
            shares.append(memory[1:2])
    assert len(shares) >= 100000
    assert f'{len(shares)} shares' in str(caught.value)
    shares.clear()
    memory.map(WRITE | UNIQUE)


@pytest.mark.parametrize('flags', [WRITE, READWRITE, WRITE | UNIQUE, WRITE | EXCLUSIVE], ids=int)
def test_readonly_blocks_are_not_written(flags: Quire.MapFlags) -> None:
    memory = make_flagged(4, Quire.MemoryFlags.READONLY)
    asks: list[Callable[[Quire.MapFlags], object]] = [memory.map, memory.lock]
    for ask in asks:
        with refused(Code.READ_ONLY, 4, unchanged=[memory]):
            ask(flags)
    by_map(memory, READ | UNIQUE)()


@pytest.mark.parametrize('flags', [Quire.MapFlags(0), UNIQUE, UNIQUE | EXCLUSIVE], ids=int)
def test_flags_without_access(flags: Quire.MapFlags) -> None:
    memory = make(b'abcd')
    asks: list[Callable[[Quire.MapFlags], object]] = [
        memory.map, memory.lock, memory.unlock, memory.make_mapped]
    for ask in asks:
        with refused(Code.NOT_SUPPORTED, 0, unchanged=[memory]):
            ask(flags)


def test_exclusive_alone_is_a_lock_but_no_map() -> None:
    memory = make(b'abcd')
    by_lock(memory, EXCLUSIVE)()
    with refused(Code.NOT_SUPPORTED, unchanged=[memory]):
        memory.map(EXCLUSIVE)


@pytest.mark.parametrize('bit', [4, 7, 15])
def test_flags_that_mean_nothing(bit: int) -> None:
    memory = make(b'abcd')
    with refused(Code.NOT_SUPPORTED, unchanged=[memory]):
        memory.map(READ | 1 << bit)
    with refused(Code.NOT_SUPPORTED, unchanged=[memory]):
        memory.lock(Quire.MapFlags(READ | 1 << bit))


def test_custom_flags_are_the_allocators() -> None:
    memory = make(b'abcd')
    by_map(memory, int(READ) | 1 << 20)()
    assert counts(memory) == {}


@pytest.mark.parametrize('wrong, kind', [
    (-1, OverflowError), (1 << 32, OverflowError), ((1 << 32) + 1, OverflowError),
    (1 << 64, OverflowError), (1.0, TypeError), ('r', TypeError), (None, TypeError),
    ([READ], TypeError),
], ids=str)
def test_flags_that_are_none(wrong: object, kind: type[Exception]) -> None:
    memory = make(b'abcd')
    with pytest.raises(kind):
        memory.map(wrong)  # type: ignore[arg-type]
    asks: list[Callable[[Quire.MapFlags], object]] = [memory.lock, memory.unlock, memory.make_mapped]
    for ask in asks:
        # PyGObject cuts off what is beyond 64 bits, so that no flag is left.
        with pytest.raises((TypeError, OverflowError, GLib.Error)):
            ask(wrong)  # type: ignore[arg-type]
    assert counts(memory) == {}


@pytest.mark.parametrize('flags', [READ, WRITE, READWRITE, EXCLUSIVE, READ | UNIQUE], ids=int)
def test_unlock_of_what_is_not_held(flags: Quire.MapFlags) -> None:
    memory = make(b'abcd')
    with refused(Code.FAILED, 4, unchanged=[memory]):
        memory.unlock(flags)
    other = WRITE if flags == READ else READ
    memory.lock(other)
    with refused(Code.FAILED, 4, unchanged=[memory]):
        memory.unlock(flags)
    memory.unlock(other)


@pytest.mark.parametrize('flags', [READ, WRITE, READWRITE, WRITE | UNIQUE, WRITE | EXCLUSIVE],
                         ids=int)
def test_unlock_does_not_end_a_map(flags: Quire.MapFlags) -> None:
    # A script that could drop the lock under a map could share what is being written,
    # and the end of the map would take from the lock word what is not there.
    memory = make(b'abcd')
    info = memory.map(flags)
    with refused(Code.FAILED, 4, unchanged=[memory]):
        memory.unlock(flags)
    memory.unmap(info)
    assert counts(memory) == {}
    by_map(memory, WRITE | UNIQUE)()


def test_unlock_does_not_end_a_view() -> None:
    memory = make(b'abcd')
    view = memoryview(memory)
    with refused(Code.FAILED, 4, unchanged=[memory]):
        memory.unlock(READWRITE)
    view.release()
    assert bytes(memory[:]) == b'abcd'


def test_locks_of_scripts_are_counted_beside_maps() -> None:
    memory = make(b'abcd')
    drop = by_map(memory, READ)
    memory.lock(READ)
    assert counts(memory) == {'READ': 2}
    memory.unlock(READ)
    with refused(Code.FAILED, 4, unchanged=[memory]):
        memory.unlock(READ)
    drop()
    assert counts(memory) == {}


def test_flags_as_a_number() -> None:
    """What PyGObject makes of flags and a number is a number."""
    memory = Quire.Memory(10)
    memory.lock(READ | 2)
    assert counts(memory) == {'READ+WRITE': 1}
    memory.unlock(3)
    assert memory.make_mapped(1).flags == READ
    for wrong in ('READ', 1.5, None):
        with pytest.raises(TypeError):
            memory.lock(wrong)  # type: ignore[arg-type]
    assert counts(memory) == {}
