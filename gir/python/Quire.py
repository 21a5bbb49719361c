# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks of memory for Python: the override of the Quire namespace.

A Quire.Memory is a buffer: memoryview(m), numpy.frombuffer(m), f.readinto(m) and
the like work on the block itself, and hold a map of it as long as they live.
"""

import builtins
import collections
import functools
import operator

from gi.module import get_introspection_module

from . import _quire
from ..overrides import override

Quire = get_introspection_module('Quire')

__all__ = []


# What merge_list() gives, as merge() does.
Merged = collections.namedtuple('Merged', ['memory', 'copied'])


class Memory(_quire.MemoryBase, Quire.Memory):
    """A block of memory.

    Quire.Memory(n) allocates one of n bytes, Quire.Memory.wrap(obj) makes one over
    the buffer of an object. len(m) is its size in bytes, m[a:b] a share of it, and
    a + b a merge of two. memoryview(m) and everything else that takes a buffer has
    its bytes.

    It is a context manager that closes the handle: with m[a:b] as s: ...
    """

    # A layout of its own: no assignment to __class__ makes another boxed type of a
    # Memory, or the other way round, and a pointer of what it isn't.
    __slots__ = ('_memory_layout',)

    def __new__(cls, size):
        memory = Memory.new(operator.index(size))
        # The constructor makes no instance of a class derived in Python.
        if type(memory) is not cls:
            memory.__class__ = cls
        return memory

    def __init__(self, *args, **kwargs):
        # __new__ has made it all; that of the introspected class makes one more.
        pass

    @staticmethod
    def merge_list(memories):
        """Makes one block of many, and tells how many bytes had to be copied."""
        return Merged(*_quire.MemoryBase.merge_list(memories))

    def __enter__(self):
        _quire.check_open(self)
        return self

    def __exit__(self, *exc_info):
        self.close()


def _refuse_closed(method):
    """C can't tell an error where there is none to tell: here a handle that was
    closed is asked before, be it the block itself or an argument."""

    @functools.wraps(method)
    def call(self, *args, **kwargs):
        for handle in (self, *args, *kwargs.values()):
            if isinstance(handle, Memory):
                _quire.check_open(handle)
        return method(self, *args, **kwargs)

    return call


for _name in ('describe_lock', 'get_align', 'get_allocator', 'get_fd', 'get_flags', 'get_parent',
              'get_seals', 'get_sizes', 'is_aligned', 'is_span', 'is_stable', 'is_type', 'is_writable'):
    setattr(Memory, _name, _refuse_closed(getattr(Quire.Memory, _name)))

Memory = override(Memory)
__all__.append('Memory')


class Mapping(_quire.MappingBase, Quire.Mapping):
    """A map of a block, as Memory.map() gives it.

    As a context manager it yields a memoryview of the data, which is released, and
    the block unmapped, at the end. If views that were made from that one live on,
    they keep the map until they go.

    It is a buffer too. While a view of it lives, Memory.unmap() raises BufferError.
    """

    # The views that __enter__() gave. As with Memory, a slot guards the layout too.
    __slots__ = ('_views',)

    def __init__(self, *args, **kwargs):
        raise TypeError('a Quire.MapInfo comes from Quire.Memory.map()')

    def __len__(self):
        return self.get_size()

    def __enter__(self):
        view = memoryview(self)
        self._views = [*getattr(self, '_views', ()), view]
        return view

    def __exit__(self, *exc_info):
        views = getattr(self, '_views', None)
        if views:
            try:
                views.pop().release()
            except builtins.BufferError:
                # What was made from it, such as an array, is still there.
                pass
        self.release()

    @property
    def memory(self):
        """The block that is mapped; None if the map has ended and it is gone."""
        return self.get_memory()

    @property
    def flags(self):
        """How it is mapped."""
        return self.get_flags()

    @property
    def size(self):
        """The size of the data in bytes."""
        return self.get_size()

    @property
    def maxsize(self):
        """The bytes there are from the start of the data to the end of the block."""
        return self.get_maxsize()

    @property
    def data(self):
        """A new memoryview of the data, to write if the map is one."""
        return memoryview(self)


Mapping = override(Mapping)
__all__.append('Mapping')

MapInfo = Mapping
__all__.append('MapInfo')


# What a class that derives from Allocator may have.
_FUNCTIONS = ('do_alloc', 'do_mapped', 'do_unmapped', 'do_released')


class _AllocatorMeta(type(Quire.Allocator)):
    """Has the methods of a class that derives from Allocator called in our way, not in
    PyGObject's."""

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace, **kwargs)
        if cls.__gtype__ != Quire.Allocator.__gtype__:
            methods = [getattr(cls, name, None) for name in _FUNCTIONS]
            _quire.adopt_allocator_class(cls, *(
                callable(method) and method is not getattr(Allocator, name)
                for name, method in zip(_FUNCTIONS, methods)))


class Allocator(Quire.Allocator, metaclass=_AllocatorMeta):
    """Where blocks come from.

    A class that derives from this one says how, in do_alloc(size, params): it takes a
    block from elsewhere and returns self.bind(block, state). It may also have
    do_mapped(memory, flags), which refuses a map by raising an exception,
    do_unmapped(memory), and do_released(state). They are called on any thread.
    """

    def alloc(self, size, params=None):
        """Allocates a block of so many bytes."""
        return _quire.allocator_alloc(self, size, params)

    def bind(self, backing, state=None):
        """Makes a block of this allocator over another one. The state, any object, is
        what do_released() gets when the block is gone."""
        return _quire.allocator_bind(self, backing, state)

    def get_state(self, memory):
        """The state of a block of this allocator, or of a share of one."""
        return _quire.allocator_get_state(self, memory)


Allocator = override(Allocator)
__all__.append('Allocator')


def _inherited(name):
    """What a class finds by super(): the function of the library, or of a class in C.
    Were it in the class above, PyGObject would make it that of the library."""
    function = getattr(_quire, name.replace('do', 'inherited'))

    def method(self, *args):
        return function(self, *args)

    method.__name__ = name
    method.__qualname__ = f'Allocator.{name}'
    return method


for _name in _FUNCTIONS:
    setattr(Allocator, _name, _inherited(_name))

# The class that a flag of a map has is made when it is asked for; do_mapped() gets one.
Quire.MapFlags


BufferError = _quire.BufferError
__all__.append('BufferError')
