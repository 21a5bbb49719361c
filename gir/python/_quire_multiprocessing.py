# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks over a descriptor go to another process as that: the same pages arrive.

multiprocessing pickles what goes through a Queue, a Pipe or a Pool, or to a process that
is spawned, with a pickler of its own, which knows how to hand a descriptor over. There is
no name that anybody could find or has to remove, and so nothing is left when a process
dies.

A process that loads such a pickle may not have heard of Quire: so this can be imported by
itself.
"""

from multiprocessing.reduction import DupFd, ForkingPickler

import gi

from . import _quire, _quire_pickle


def register(cls):
    """Has blocks of this class go to other processes as descriptors."""
    # The class stays registered for ever. One within a function can't be pickled anyhow,
    # and must be able to go.
    if '<locals>' not in cls.__qualname__:
        ForkingPickler.register(cls, reduce)


def reduce(memory):
    """What the pickler of multiprocessing makes of a block."""
    fd, offset = memory.get_fd()
    if fd < 0:
        # What has no descriptor goes as its bytes, as with any other pickler.
        return memory.__reduce_ex__(4)

    # The class has the name of a module that is no module of its own.
    cls = type(memory) if type(memory).__module__ != 'gi.overrides.Quire' else None
    readonly = memory.get_flags() & _quire_pickle.READONLY != 0
    return rebuild, (cls, DupFd(fd), offset, len(memory), readonly), _quire_pickle.get_state(memory)


def rebuild(cls, descriptor, offset, size, readonly):
    """Makes a block over the descriptor that came."""
    gi.require_version('Quire', '1.0')
    from gi.repository import Quire

    flags = Quire.FdFlags.TAKE | (Quire.FdFlags.READONLY if readonly else Quire.FdFlags.NONE)
    memory = Quire.Memory.new_from_fd(descriptor.detach(), offset, size, flags)
    return memory if cls is None else _quire.make_handle(cls, memory)
