#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Looks at the frames that across.c hands over, in place, with numpy.

across.c starts it, with its end of the connection as descriptor 3.
"""

import struct

import gi
gi.require_version('Quire', '1.0')
from gi.repository import Gio, Quire
import numpy
from numpy.typing import NDArray


def connect() -> Gio.UnixConnection:
    connection = Gio.Socket.new_from_fd(3).connection_factory_create_connection()
    assert isinstance(connection, Gio.UnixConnection)
    return connection


connection = connect()
answers = connection.get_output_stream()
number = 0


def receive() -> Quire.Memory | None:
    """The next frame; None when there are no more."""
    try:
        # Frames of a process that isn't trusted must not shrink under the reader.
        return Quire.Memory.receive(connection, Quire.FdFlags.READONLY | Quire.FdFlags.STABLE, None)
    except gi.repository.GLib.Error as error:
        if error.matches(Quire.MemoryError.quark(), Quire.MemoryError.CLOSED):
            return None
        raise


def answer(words: NDArray[numpy.uint32]) -> None:
    answers.write_all(struct.pack('=II', number, int(words.sum(dtype=numpy.uint32))))


# The first one changes while it is looked at: so the view is the block of the producer.
frame = receive()
assert frame is not None
words = numpy.frombuffer(frame, numpy.uint32)
answer(words)
connection.get_input_stream().read_bytes(1)
answer(words)
del words

while (frame := receive()) is not None:
    answer(numpy.frombuffer(frame, numpy.uint32))
    number += 1
