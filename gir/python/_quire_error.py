# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The exceptions of Quire: a class for each code of Quire.MemoryError.

Each is a GLib.Error, with domain, code and message, and what Python's own types raise in
the same case. It does not matter how an error comes to Python: PyGObject makes a GLib.Error
of it, and a GLib.Error of Quire's domain is made one of these.
"""

import builtins

from gi._error import GError

DOMAIN = 'quire-memory-error-quark'

# By code; filled below.
CLASSES = {}


class Error(GError):
    """What Quire refuses. Whatever is refused changes nothing.

    The classes below tell why: Quire.Error.Busy, Quire.Error.ReadOnly and so on, one for
    each code of Quire.MemoryError. All are GLib.Error, with domain, code and message.
    """

    _code = 0

    def __init__(self, message='unknown error', domain=DOMAIN, code=None):
        super().__init__(message, domain, self._code if code is None else code)

    def __str__(self):
        return self.message

    def __repr__(self):
        return f'Quire.{type(self).__qualname__}({self.message!r})'

    def copy(self):
        """Another error that says the same."""
        return type(self)(self.message, self.domain, self.code)


class BufferError(Error, builtins.BufferError):
    """A view that can't be had, or that stands in the way."""


def _define(code, name, doc, *bases):
    """Makes the class of a code."""
    namespace = {'__doc__': doc, '__qualname__': f'Error.{name}', '__module__': 'gi.repository.Quire',
                 '_code': code}
    cls = type(name, bases, namespace)
    setattr(Error, name, cls)
    CLASSES[code] = cls


_define(0, 'Failed', 'Something failed that has no class of its own.', Error)
_define(1, 'ReadOnly', 'The block, or the map, is read-only.', BufferError, TypeError)
_define(2, 'Busy', """A map, a view, a share or an owner stands in the way, or one of their counters is at
    its limit. Later it may work.""", BufferError)
_define(3, 'NotMappable', "The block can't be mapped.", BufferError)
_define(4, 'NotShareable', "The block can't be shared.", Error)
_define(5, 'OutOfRange', 'An index, an offset or a size lies outside the block, or is negative.',
        Error, IndexError, ValueError)
_define(6, 'NoSpace', 'The system has not so much memory to give.', Error, MemoryError)
_define(7, 'TooLarge', 'A size is beyond what an address space holds.', Error, OverflowError, MemoryError)
_define(8, 'Closed', 'What is used was closed: a handle of a block, a pool, a descriptor; or the map has ended.',
        BufferError, ValueError)
_define(9, 'NotSupported', "The request makes no sense, or the allocator can't do it.", Error, ValueError)

for _cls in (Error, BufferError):
    _cls.__module__ = 'gi.repository.Quire'


def _make(cls, *args, **kwargs):
    """The class of an error that is made as GLib.Error or Quire.Error."""
    if cls is Error or cls is GError:
        domain, code = (*args, None, None, None)[1:3]
        domain, code = kwargs.get('domain', domain), kwargs.get('code', code)
        if cls is Error and domain is None or domain == DOMAIN:
            cls = CLASSES.get(code or 0, Error)
    return RuntimeError.__new__(cls, *args, **kwargs)


# PyGObject makes all errors of introspected functions in one place, by calling this class.
GError.__new__ = staticmethod(_make)
