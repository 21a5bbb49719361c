# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks over a descriptor go to another process as that: the same pages arrive.

multiprocessing pickles what goes through a Queue, a Pipe or a Pool, or to a process that
is spawned, with a pickler of its own, which knows how to hand a descriptor over. There is
no name that anybody could find or has to remove, and so nothing is left when a process
dies.
"""

from multiprocessing.reduction import DupFd, ForkingPickler

from gi.repository import Quire


def _receive(descriptor, offset, size, flags):
    return Quire.Memory.new_from_fd(descriptor.detach(), offset, size,
                                    Quire.FdFlags(flags) | Quire.FdFlags.TAKE)


def _reduce(memory):
    fd, offset = memory.get_fd()
    if fd < 0:
        # What has no descriptor goes as every pickle of it: as its bytes.
        return memory.__reduce_ex__(4)

    readonly = memory.get_flags() & Quire.MemoryFlags.READONLY
    flags = Quire.FdFlags.READONLY if readonly else Quire.FdFlags.NONE
    return _receive, (DupFd(fd), offset, len(memory), int(flags))


ForkingPickler.register(Quire.Memory, _reduce)
