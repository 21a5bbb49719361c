# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Copies of blocks by copy and pickle. What is in a pickle is the data; with protocol 5 it
can go beside it, out of band, and need not be copied at all.

A process that loads a pickle may not have heard of Quire: so this can be imported by itself.
"""

import copy
import pickle

import gi

from . import _quire

# Quire.MemoryFlags.READONLY
READONLY = 1


def get_state(memory):
    """What a class derived in Python has added. Before Python 3.11 that is what has no slot."""
    if hasattr(memory, '__getstate__'):
        return memory.__getstate__()
    return vars(memory) or None


def set_state(memory, state):
    """Adds it to another block, as pickle does."""
    if hasattr(memory, '__setstate__'):
        memory.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    vars(memory).update(attributes or {})
    for name, value in (slots or {}).items():
        setattr(memory, name, value)


def duplicate(memory, memo=None):
    """A block of the same class with the same data and, where the class was derived in
    Python, with the same attributes, or with copies of them."""
    twin = _quire.make_handle(type(memory), memory.copy())
    state = get_state(memory)
    if memo is not None:
        memo[id(memory)] = twin
        state = copy.deepcopy(state, memo)
    if state is not None:
        set_state(twin, state)
    return twin


def reduce(memory, protocol):
    """What __reduce_ex__() gives."""
    data = pickle.PickleBuffer(memory) if protocol >= 5 else _quire.MemoryBase.__bytes__(memory)
    readonly = memory.get_flags() & READONLY != 0
    # The class has the name of a module that is no module of its own.
    cls = type(memory) if type(memory).__module__ != 'gi.overrides.Quire' else None
    return rebuild, (cls, data, readonly, memory.get_align()), get_state(memory)


def rebuild(cls, data, readonly, align):
    """Makes a block of what a pickle had. A buffer that came beside the pickle is the
    block's own from then on, if it is what is asked for."""
    gi.require_version('Quire', '1.0')
    from gi.repository import Quire

    cls = cls or Quire.Memory
    if readonly:
        return cls.wrap(memoryview(data).toreadonly())

    memory = cls.wrap(data)
    if memory.is_writable() and memory.is_aligned(align):
        return memory

    twin = Quire.Memory(len(memory), align=align)
    twin[:] = data
    return _quire.make_handle(cls, twin)
