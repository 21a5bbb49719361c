# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Copies by copy and pickle: in band with every protocol, out of band with 5."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from gi.repository import Quire

from helpers import READ, WRITE, Code, address, counts, make, make_padded, refused

CONTENT = bytes(range(256)) * 8
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Frame(Quire.Memory):
    """A block with a time."""

    itself: 'Frame'

    def __new__(cls, size: int, time: object = 0) -> 'Frame':
        return super().__new__(cls, size)

    def __init__(self, size: int, time: object = 0) -> None:
        super().__init__(size)
        self.time = time


def make_frame() -> Frame:
    frame = Frame(len(CONTENT), time=[5])
    frame[:] = CONTENT
    return frame


def through_pickle(protocol: int) -> Callable[[Any], Any]:
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


# Each gives something like what it is given.
DUPLICATES: dict[str, Callable[[Any], Any]] = {
    'copy': copy.copy,
    'deepcopy': copy.deepcopy,
    **{f'pickle {protocol}': through_pickle(protocol) for protocol in PROTOCOLS},
}


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate(name: str) -> None:
    memory = make(CONTENT)
    twin = DUPLICATES[name](memory)
    assert type(twin) is Quire.Memory
    assert bytes(twin) == CONTENT
    assert twin.is_writable()
    twin[0] = 99
    assert memory[0] == 0
    assert counts(memory) == counts(twin) == {}


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate_of_a_share(name: str) -> None:
    memory = make(CONTENT)
    share = memory[100:200]
    twin = DUPLICATES[name](share)
    assert twin == CONTENT[100:200]
    assert twin.get_parent() is None
    # A copy can always be written; what comes out of a pickle is what went in.
    assert twin.is_writable() == ('copy' in name)
    share.close()
    assert counts(memory) == {}
    memory[100] = 0
    assert twin == CONTENT[100:200]


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate_of_nothing(name: str) -> None:
    assert len(DUPLICATES[name](Quire.Memory(0))) == 0
    assert len(DUPLICATES[name](make(b'abc')[1:1])) == 0


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate_under_a_share(name: str) -> None:
    memory = make(CONTENT)
    share = memory[:10]
    twin = DUPLICATES[name](memory)
    assert twin == CONTENT
    assert twin.is_writable()
    del share


@pytest.mark.parametrize('name', DUPLICATES)
def test_the_alignment_stays(name: str) -> None:
    memory = Quire.Memory(100, align=4095, prefix=16, fill=3)
    twin = DUPLICATES[name](memory)
    assert twin.is_aligned(4095)
    assert twin == memory


@pytest.mark.parametrize('name', DUPLICATES)
def test_only_what_is_valid(name: str) -> None:
    memory = make_padded(4, 4, 4)
    memory.fill(0, -1, 7)
    assert DUPLICATES[name](memory).get_sizes() == (4, 0, 4)


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate_of_a_subclass(name: str) -> None:
    frame = make_frame()
    frame.itself = frame
    twin = DUPLICATES[name](frame)
    assert type(twin) is Frame
    assert twin == CONTENT
    assert twin.time == [5]
    assert (twin.time is frame.time) == (name == 'copy')
    assert twin.itself is (frame if name == 'copy' else twin)


class Slotted(Quire.Memory):
    __slots__ = ('time', 'never')
    time: int
    more: int


class Stateful(Quire.Memory):
    def __getstate__(self) -> str:
        return 'state'

    def __setstate__(self, state: str) -> None:
        self.seen = state


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate_of_slots(name: str) -> None:
    memory = Slotted(10, fill=1)
    memory.time = 5
    memory.more = 6
    twin = DUPLICATES[name](memory)
    assert type(twin) is Slotted
    assert (twin.time, twin.more, bytes(twin)) == (5, 6, b'\1' * 10)
    assert not hasattr(twin, 'never')


@pytest.mark.parametrize('name', DUPLICATES)
def test_duplicate_of_a_state(name: str) -> None:
    twin = DUPLICATES[name](Stateful(10))
    assert type(twin) is Stateful
    assert twin.seen == 'state'


@pytest.mark.parametrize('name', DUPLICATES)
def test_refusals(name: str) -> None:
    memory = make(CONTENT)
    with memory.map(WRITE):
        with refused(Code.BUSY, 2048, 1, unchanged=[memory]):
            DUPLICATES[name](memory)
    memory.close()
    with refused(Code.CLOSED):
        DUPLICATES[name](memory)


@pytest.mark.parametrize('name', DUPLICATES)
def test_a_map_is_no_thing_to_copy(name: str) -> None:
    memory = make(CONTENT)
    info = memory.map(READ)
    with pytest.raises(TypeError, match='MapInfo'):
        DUPLICATES[name](info)
    del info
    assert counts(memory) == {}


def test_out_of_band() -> None:
    memory = make(CONTENT)
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps([memory, memory], 5, buffer_callback=buffers.append)
    assert len(pickled) < 400
    [buffer] = buffers
    # It is the block itself that is handed over.
    with buffer.raw() as raw:
        assert address(raw) == address(memory)
        assert counts(memory) == {'READ+WRITE': 2}
    first, second = pickle.loads(pickled, buffers=buffers)
    assert first is second
    assert address(first) == address(memory)
    first[0] = 77
    assert memoryview(memory)[0] == 77
    del first, second, buffer, buffers, raw
    assert counts(memory) == {}


def test_out_of_band_into_other_buffers() -> None:
    pickled = pickle.dumps(make(CONTENT), 5, buffer_callback=lambda buffer: False)
    received = bytearray(CONTENT)
    memory = pickle.loads(pickled, buffers=[received])
    assert address(memory) == address(received)
    # What can't be written was not what went in.
    memory = pickle.loads(pickled, buffers=[CONTENT])
    assert memory == CONTENT
    assert memory.is_writable()


def test_out_of_band_of_what_is_readonly() -> None:
    share = make(CONTENT)[:]
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(share, 5, buffer_callback=buffers.append)
    assert memoryview(buffers[0]).readonly
    givens: list[pickle.PickleBuffer | bytes | bytearray] = [buffers[0], bytearray(CONTENT), CONTENT]
    for received in givens:
        twin = pickle.loads(pickled, buffers=[received])
        assert not twin.is_writable()
        assert address(twin) == address(memoryview(received))
        assert twin == CONTENT


def test_a_process_that_has_not_heard_of_quire() -> None:
    program = 'import pickle, sys; m = pickle.load(sys.stdin.buffer); print(type(m).__name__, sum(m), m.is_writable())'
    for protocol in PROTOCOLS:
        done = subprocess.run([sys.executable, '-W', 'error', '-W', 'ignore::ImportWarning', '-c', program],
                              input=pickle.dumps(make(CONTENT), protocol), stdout=subprocess.PIPE, check=True)
        assert done.stdout == f'Memory {sum(CONTENT)} True\n'.encode()


def test_pickled_errors() -> None:
    with pytest.raises(Quire.Error.OutOfRange) as caught:
        make(CONTENT)[5000]
    for protocol in PROTOCOLS:
        twin = pickle.loads(pickle.dumps(caught.value, protocol))
        assert type(twin) is Quire.Error.OutOfRange
        assert (twin.domain, twin.code, twin.message) == (caught.value.domain, caught.value.code, caught.value.message)
    assert copy.copy(caught.value).message == caught.value.message


@pytest.mark.parametrize('protocol', PROTOCOLS[:5])
def test_bytes_in_band_are_copied_as_by_bytes(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that other threads run meanwhile; whatever a derived class makes of itself."""
    class Own(Quire.Memory):
        def __bytes__(self) -> bytes:
            raise AssertionError('asked')

    assert Own(3, fill=5).__reduce_ex__(protocol)[1][1] == bytes([5] * 3)
    base = Quire.Memory.__mro__[1]
    monkeypatch.setattr(base, '__bytes__', lambda memory: b'instead')
    assert make(CONTENT).__reduce_ex__(protocol)[1][1] == b'instead'
