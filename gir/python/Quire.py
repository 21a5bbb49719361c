# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks of memory for Python: the override of the Quire namespace.

A Quire.Memory is a buffer: memoryview(m), numpy.frombuffer(m), f.readinto(m) and
the like work on the block itself, and hold a map of it as long as they live.
"""

import collections
import collections.abc
import operator

from gi.module import get_introspection_module

from . import (_quire, _quire_allocators, _quire_error, _quire_functions, _quire_multiprocessing,
               _quire_pickle)
from ._quire_allocators import *
from ._quire_documented import Documented as _Documented, names as _names, type_name as _type_name
from ._quire_functions import *
from ..overrides import override

Quire = get_introspection_module('Quire')

# help(Quire) has the text above.
__all__ = ['__doc__', *_quire_allocators.__all__, *_quire_functions.__all__]


# PyGObject has a name for no result that is returned.
Merged = collections.namedtuple('Merged', ['memory', 'copied'])
Merged.__doc__ = 'A block made of others, and how many bytes had to be copied.'
Sizes = collections.namedtuple('Sizes', ['size', 'offset', 'maxsize'])
Sizes.__doc__ = 'How large the data of a block is, where it begins, and how large all of the block is.'
Span = collections.namedtuple('Span', ['is_span', 'offset'])
Span.__doc__ = 'Whether two blocks are one piece of their parent, and where that is.'
Descriptor = collections.namedtuple('Descriptor', ['fd', 'offset'])
Descriptor.__doc__ = 'The descriptor that a block is over, or -1, and where in its file the data is.'

# As PyGObject has them, without what is added here.
_Memory = Quire.Memory
_Mapping = Quire.Mapping


def _to_flags(cls, value):
    """The flags that a number stands for: PyGObject's constructor takes any, and cuts it off."""
    number = operator.index(value)
    if not 0 <= number < 1 << 32:
        raise OverflowError(f'{number} is no Quire.{cls.__name__}')
    return cls(number)


def _refuse_other_types(cls):
    """PyGObject would take a block for what another boxed type has in C."""
    for base in cls.__mro__:
        info = vars(base).get('__info__')
        if info is not None and info.get_g_type() != cls.__gtype__:
            raise TypeError(f'{cls.__name__} can\'t be derived from {base.__name__} as well')


class Memory(_quire.MemoryBase, _Memory, metaclass=_Documented):
    """A block of memory.

    Quire.Memory(size) allocates one, with these keywords:

    align      the alignment of the data as a mask, its bytes less 1
    prefix     bytes before the data, for resize() to grow into
    padding    bytes after the data
    flags      Quire.MemoryFlags, or-ed
    allocator  a Quire.Allocator, or the name of one that is registered
    fill       what each byte shall be; else it is undefined

    Quire.Memory.wrap(obj) makes a block over the buffer of an object.

    A block is a buffer: memoryview(m), and everything else that takes one, has the bytes
    themselves, and a map of the block as long as it lives. map() is the explicit way.

    It is a sequence too: len(m) is its size in bytes, m[i] a byte, m[i] = byte and
    m[a:b] = data write, and a slice m[a:b] is a share: a read-only window without a copy.
    a + b merges, m == data compares the bytes. As they may change, a block has no hash.

    It is a context manager that closes the handle: with m[a:b] as share: ...

    What is refused raises a class of Quire.Error, and changes nothing.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        _refuse_other_types(cls)
        _quire.complete_class(cls)
        _quire_multiprocessing.register(cls)

    @staticmethod
    def new(size):
        """Allocates a block from the default allocator, as Quire.Memory(size) does."""
        return Memory(size)

    @staticmethod
    def new_with_params(size, params=None):
        """Allocates a block from the default allocator, as Quire.AllocationParams say."""
        return _Memory.new_with_params(_quire.check_size(size), params)

    @staticmethod
    def new_from_bytes(bytes):
        """Makes a read-only block over a GLib.Bytes, without a copy.

        Quire.Memory.wrap() takes Python's own bytes.
        """
        return _Memory.new_from_bytes(bytes)

    @staticmethod
    def new_from_fd(fd, offset=0, size=-1, flags=Quire.FdFlags.NONE):
        """Makes a block over a descriptor that can be mapped, or a file that has one.

        A size of -1 means all to the end of the file. By default the block has a duplicate
        of the descriptor.
        """
        number = fd
        # The file stays open as long as somebody has it, and be it only fd here.
        if hasattr(fd, 'fileno'):
            # Both would close it.
            if flags & Quire.FdFlags.TAKE:
                raise TypeError('what belongs to an object can not be taken: detach() it, or give its number')
            number = fd.fileno()
        # PyGObject would take 1.5 for 1.
        return _Memory.new_from_fd(operator.index(number), _quire.check_size(offset),
                                   _quire.check_ssize(size), flags)

    @staticmethod
    def receive(connection, flags=Quire.FdFlags.NONE, cancellable=None):
        """Receives a block that another process has sent over a Gio.UnixConnection: the same
        pages, without a copy."""
        return _Memory.receive(connection, flags, cancellable)

    @staticmethod
    def receive_async(connection, flags=Quire.FdFlags.NONE, cancellable=None, callback=None, *user_data):
        """Receives a block as receive() does; the callback calls receive_finish()."""
        _Memory.receive_async(connection, flags, cancellable, callback, *user_data)

    @staticmethod
    def receive_finish(result):
        """Gives the block that receive_async() received."""
        return _Memory.receive_finish(result)

    @staticmethod
    def merge_list(memories):
        """Makes one block of all of an iterable, and tells how many bytes had to be copied."""
        return Merged(*_quire.MemoryBase.merge_list(memories))

    def merge(self, second):
        """Makes one block of this one and another, and tells how many bytes had to be
        copied: none, if they are shares side by side."""
        return Merged(*_Memory.merge(self, second))

    def cast(self, format, shape=None):
        """Gives a typed view of the block: memoryview(m).cast(format, shape)."""
        view = memoryview(self)
        return view.cast(format) if shape is None else view.cast(format, shape)

    def make_mapped(self, flags=Quire.MapFlags.READ):
        """Maps the block, or, if that is refused, a copy of it; the info's memory tells
        which."""
        return _Memory.make_mapped(self, _to_flags(Quire.MapFlags, flags))

    def make_writable(self):
        """Gives a block that may be written: this one if it may be, else a copy."""
        return _Memory.make_writable(self)

    def to_bytes(self):
        """Gives a GLib.Bytes without a copy, which counts as a share while it lives.

        bytes(m) gives Python's own, which are a copy.
        """
        return _Memory.to_bytes(self)

    def read_from_stream(self, offset, size, stream, cancellable=None):
        """Reads from a Gio.InputStream straight into the block, and tells how many bytes.

        A size of -1 means all to the end.
        """
        offset, size = _quire.check_size(offset), _quire.check_ssize(size)
        return _Memory.read_from_stream(self, offset, size, stream, cancellable)

    def get_fd(self):
        """Tells the descriptor that the block is over, or -1, and where in its file the data
        is. The descriptor is the block's."""
        _quire.check_open(self)
        return Descriptor(*_Memory.get_fd(self))

    def dup_fd(self):
        """Gives a descriptor of one's own for the file that the block is over."""
        return _Memory.dup_fd(self)

    def is_stable(self):
        """Tells whether the data can't vanish under a map, as that of a file can that
        somebody truncates."""
        _quire.check_open(self)
        return _Memory.is_stable(self)

    def get_seals(self):
        """Tells the Quire.Seals of the file that the block is over."""
        _quire.check_open(self)
        return _Memory.get_seals(self)

    def add_seals(self, seals):
        """Seals the file that the block is over, for all processes that have it."""
        _Memory.add_seals(self, _to_flags(Quire.Seals, seals))

    def send(self, connection, cancellable=None):
        """Hands the block over a Gio.UnixConnection, so that the other process has the same
        pages."""
        return _Memory.send(self, connection, cancellable)

    def send_async(self, connection, cancellable=None, callback=None, *user_data):
        """Hands the block over as send() does; the callback calls send_finish()."""
        _Memory.send_async(self, connection, cancellable, callback, *user_data)

    @staticmethod
    def send_finish(result):
        """Tells what has become of send_async()."""
        return _Memory.send_finish(result)

    def lock(self, flags):
        """Takes a lock, as a map with these flags would, until unlock()."""
        _Memory.lock(self, _to_flags(Quire.MapFlags, flags))

    def unlock(self, flags):
        """Ends a lock of lock() with the same flags."""
        _Memory.unlock(self, _to_flags(Quire.MapFlags, flags))

    def describe_lock(self):
        """Tells in words what stands on the block."""
        _quire.check_open(self)
        return _Memory.describe_lock(self)

    def get_sizes(self):
        """Gives size, offset and maxsize: that of the data, where it begins in the whole
        block, and that of the whole block, in bytes."""
        _quire.check_open(self)
        return Sizes(*_Memory.get_sizes(self))

    def get_flags(self):
        """Tells the Quire.MemoryFlags of the block."""
        _quire.check_open(self)
        return _Memory.get_flags(self)

    def get_align(self):
        """Tells how the data was aligned when the block was made, as a mask."""
        _quire.check_open(self)
        return _Memory.get_align(self)

    def get_allocator(self):
        """Tells the Quire.Allocator of the block."""
        _quire.check_open(self)
        return _Memory.get_allocator(self)

    def get_parent(self):
        """Gives the block that this one is a share of, or None."""
        _quire.check_open(self)
        return _Memory.get_parent(self)

    def is_aligned(self, align):
        """Tells whether the data begins at a multiple of an alignment, given as a mask."""
        _quire.check_open(self)
        return _Memory.is_aligned(self, _quire.check_size(align))

    def is_closed(self):
        """Tells whether the handle was closed, as the attribute closed does."""
        return self.closed

    def is_same(self, other):
        """Tells whether this and another are handles of one and the same block."""
        return _quire.is_same(self, other)

    def is_span(self, second):
        """Tells whether another block begins where this one ends, both of one parent, and
        where that is in the parent."""
        _quire.check_open(self)
        _quire.check_open(second)
        return Span(*_Memory.is_span(self, second))

    def is_type(self, mem_type):
        """Tells whether the block comes from an allocator of this type, as 'system'."""
        _quire.check_open(self)
        return _Memory.is_type(self, mem_type)

    def is_writable(self):
        """Tells whether the block may be written, whatever maps stand at the moment."""
        _quire.check_open(self)
        return _Memory.is_writable(self)

    @property
    def size(self):
        """How many bytes the data has, as len() tells."""
        return len(self)

    @property
    def offset(self):
        """Where the data begins in the whole block, in bytes."""
        return self.get_sizes().offset

    @property
    def maxsize(self):
        """How many bytes the whole block has."""
        return self.get_sizes().maxsize

    @property
    def flags(self):
        """The Quire.MemoryFlags of the block."""
        return self.get_flags()

    @property
    def align(self):
        """How the data was aligned when the block was made, as a mask."""
        return self.get_align()

    @property
    def allocator(self):
        """The Quire.Allocator of the block."""
        return self.get_allocator()

    @property
    def parent(self):
        """The block that this one is a share of, or None."""
        return self.get_parent()

    def __reversed__(self):
        return reversed(memoryview(self.map()))

    def __repr__(self):
        name = _type_name(self)
        if self.closed:
            return f'<{name}, closed>'
        size, offset, maxsize = self.get_sizes()
        return (f'<{name} of {size} bytes at {offset} of {maxsize}, flags {_names(self.flags)}, '
                f'allocator {self.allocator.get_mem_type()}, lock {self.describe_lock()}>')

    def __copy__(self):
        return _quire_pickle.duplicate(self)

    def __deepcopy__(self, memo):
        return _quire_pickle.duplicate(self, memo)

    def __reduce_ex__(self, protocol):
        return _quire_pickle.reduce(self, protocol)


Memory = override(Memory)
_quire_multiprocessing.register(Memory)
collections.abc.Sequence.register(Memory)
__all__.append('Memory')


class Mapping(_quire.MappingBase, _Mapping, metaclass=_Documented):
    """A map of a block, as Quire.Memory.map() gives it.

    As a context manager it yields a memoryview of the data, which is released, and
    the block unmapped, at the end. If views that were made from that one live on,
    they keep the map until they go.

    Or unmap() ends it; while a view of it lives, that raises Quire.Error.Busy.

    It is a buffer too, and ends by itself when nobody has it any more.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        _refuse_other_types(cls)

    @property
    def flags(self):
        """How it is mapped."""
        return _Mapping.get_flags(self)

    def copy(self):
        """Gives another handle of the same map."""
        return _Mapping.copy(self)

    def get_flags(self):
        """Tells how it is mapped, as the attribute flags does."""
        return _Mapping.get_flags(self)

    def get_maxsize(self):
        """Tells what the attribute maxsize does."""
        return self.maxsize

    def get_memory(self):
        """Gives what the attribute memory does."""
        return self.memory

    def get_size(self):
        """Tells what the attribute size does."""
        return self.size

    def is_released(self):
        """Tells whether the map has ended, or ends with its last view."""
        return _Mapping.is_released(self)

    def view_bytes(self):
        """Gives the data as a GLib.Bytes without a copy and without a lock of its own."""
        return _Mapping.view_bytes(self)

    def __repr__(self):
        return (f'<Quire.MapInfo of {self.size} bytes, flags {_names(self.flags)}, '
                f'{"ended" if self.is_released() else "mapped"}>')

    def __reduce_ex__(self, protocol):
        raise TypeError('a Quire.MapInfo can be copied or pickled by nobody: it is a lock of this process')


Mapping = override(Mapping)
__all__.append('Mapping')

_quire.set_classes(Memory, Mapping)

MapInfo = Mapping
__all__.append('MapInfo')


# PyGObject has no words for what it makes of enumerations.
for _name, _doc in {
        'MapFlags': 'How a block is mapped or locked: READ, WRITE, both, EXCLUSIVE, UNIQUE. They may be or-ed.',
        'MemoryFlags': 'What is so of a block for as long as it lives. They may be or-ed.',
        'MemoryError': 'The codes of errors, an enumeration. It is no exception: except Quire.Error catches all '
                       'errors of Quire, and has a class for each code.',
        'FdFlags': 'How a block is made over a descriptor. They may be or-ed.',
        'Seals': 'What nobody can do any more with a file that is sealed. They may be or-ed.'}.items():
    getattr(Quire, _name).__doc__ = _doc
Quire.MemoryError.quark = staticmethod(_quire_functions.memory_error_quark)

Error = _quire_error.Error
__all__.append('Error')

BufferError = _quire_error.BufferError
__all__.append('BufferError')
