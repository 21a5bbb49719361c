# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks that are handed over a Unix socket."""

import os
import socket
import struct
import threading
from collections.abc import Iterator

import numpy
import pytest
from gi.repository import Gio, GLib, Quire

from helpers import WRITE, check_survived, run_script

NONE = Quire.FdFlags.NONE
Ends = tuple[Gio.UnixConnection, Gio.UnixConnection]


def connection_of(sock: socket.socket) -> Gio.UnixConnection:
    connection = Gio.Socket.new_from_fd(sock.detach()).connection_factory_create_connection()
    assert isinstance(connection, Gio.UnixConnection)
    return connection


@pytest.fixture
def ends() -> Iterator[Ends]:
    here, there = (connection_of(sock) for sock in socket.socketpair())
    yield here, there
    here.close()
    there.close()


def memfd(size: int) -> Quire.Memory:
    return Quire.Allocator.find('memfd').alloc(size, None)


def hand_over(memory: Quire.Memory, ends: Ends, flags: Quire.FdFlags = NONE) -> Quire.Memory:
    memory.send(ends[0], None)
    return Quire.Memory.receive(ends[1], flags, None)


def test_the_same_pages_arrive(ends: Ends) -> None:
    memory = memfd(10000)
    received = hand_over(memory, ends)
    assert len(received) == 10000

    numpy.frombuffer(memory, 'u1')[5000] = 0x51
    assert memoryview(received)[5000] == 0x51
    numpy.frombuffer(received, 'u1')[9999] = 0x52
    assert memoryview(memory)[9999] == 0x52


def test_a_share_arrives_read_only(ends: Ends) -> None:
    memory = memfd(10000)
    memory.write(4000, bytes(range(256)))
    received = hand_over(memory[4000:4256], ends)
    assert bytes(received) == bytes(range(256))
    assert memoryview(received).readonly
    with pytest.raises(GLib.Error) as caught:
        received.map(WRITE)
    assert caught.value.code == Quire.MemoryError.READ_ONLY

    fd, offset = received.get_fd()
    assert offset == 4000
    with pytest.raises(OSError):
        os.pwrite(fd, b'x', 0)


def test_what_has_no_descriptor_is_not_sent(ends: Ends) -> None:
    with pytest.raises(GLib.Error, match='system') as caught:
        Quire.Memory(10).send(ends[0], None)
    assert caught.value.code == Quire.MemoryError.NOT_SUPPORTED


def test_a_closed_handle_is_not_sent(ends: Ends) -> None:
    memory = memfd(10)
    memory.close()
    with pytest.raises(GLib.Error) as caught:
        memory.send(ends[0], None)
    assert caught.value.code == Quire.MemoryError.CLOSED


def test_the_end_of_the_connection(ends: Ends) -> None:
    ends[0].close()
    with pytest.raises(GLib.Error) as caught:
        Quire.Memory.receive(ends[1], NONE, None)
    assert caught.value.code == Quire.MemoryError.CLOSED


def test_a_lie_is_refused(ends: Ends) -> None:
    fd = os.memfd_create('lie')
    os.truncate(fd, 4096)
    message = struct.pack('=8sIIQQ', b'QUIRE\0\0\1', 0, 0, 0, 4097)
    sender = socket.socket(fileno=os.dup(ends[0].get_socket().get_fd()))
    with sender:
        socket.send_fds(sender, [message], [fd])
    os.close(fd)
    with pytest.raises(GLib.Error, match='4097') as caught:
        Quire.Memory.receive(ends[1], NONE, None)
    assert caught.value.code == Quire.MemoryError.OUT_OF_RANGE


def test_other_threads_run_while_one_waits(ends: Ends) -> None:
    """The lock of the interpreter is not held: else this would wait for ever."""
    received: list[Quire.Memory] = []
    thread = threading.Thread(target=lambda: received.append(Quire.Memory.receive(ends[1], NONE, None)))
    thread.start()
    memory = memfd(10)
    memory.send(ends[0], None)
    thread.join(30)
    assert len(received[0]) == 10


def test_without_blocking(ends: Ends) -> None:
    memory = memfd(100)
    memory.fill(0, -1, 9)
    loop = GLib.MainLoop()
    done: list[bool] = []
    arrived: list[Quire.Memory] = []

    def sent(source: Quire.Memory | None, result: Gio.AsyncResult) -> None:
        done.append(Quire.Memory.send_finish(result))

    def received(source: object, result: Gio.AsyncResult) -> None:
        arrived.append(Quire.Memory.receive_finish(result))
        loop.quit()

    Quire.Memory.receive_async(ends[1], NONE, None, received)
    memory.send_async(ends[0], None, sent)
    loop.run()
    assert bytes(arrived[0]) == bytes([9]) * 100


def test_nothing_is_left_behind(ends: Ends) -> None:
    memory = memfd(4096)
    hand_over(memory, ends)
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(200):
        hand_over(memory, ends)
    assert len(os.listdir('/proc/self/fd')) == before


def test_rubbish_crashes_nothing() -> None:
    check_survived(run_script('''
import socket
from gi.repository import Gio
a, b = socket.socketpair()
connection = Gio.Socket.new_from_fd(a.detach()).connection_factory_create_connection()
memory = Quire.Allocator.find('memfd').alloc(10, None)
for call in (
        lambda: memory.send(None, None),
        lambda: memory.send(memory, None),
        lambda: Quire.Memory.receive(None, 0, None),
        lambda: Quire.Memory.receive(connection, -1, None),
        lambda: Quire.Memory.receive(connection, 1 << 20, None),
        lambda: Quire.Memory.receive_finish(None)):
    try:
        call()
    except (TypeError, OverflowError, ValueError, GLib.Error):
        pass
    else:
        raise AssertionError
b.sendall(b'rubbish' * 100)
try:
    Quire.Memory.receive(connection, 0, None)
except GLib.Error:
    pass
'''))
