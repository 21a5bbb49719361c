# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Allocators that are written in Python: how their methods are called."""

from gi.types import GObjectMeta

from . import _quire

# What a class that derives from Quire.Allocator may have.
FUNCTIONS = {
    'do_alloc': 'Makes a block of so many bytes, and gives what bind() gives.',
    'do_mapped': 'Is told of a map, and refuses it by raising an exception.',
    'do_unmapped': 'Is told that a map has ended.',
    'do_released': 'Is told that a block is gone, and what its state was.',
}


# Has the methods of a class called in our way, not in PyGObject's.
class Meta(GObjectMeta):
    # A docstring would stand for those of the classes.
    __doc__ = vars(GObjectMeta)['__doc__']

    # The class of the override itself.
    base = None

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace, **kwargs)
        if Meta.base is not None:
            methods = [getattr(cls, name, None) for name in FUNCTIONS]
            _quire.adopt_allocator_class(cls, *(
                callable(method) and method is not getattr(Meta.base, name)
                for name, method in zip(FUNCTIONS, methods)))


def _inherited(name, doc):
    function = getattr(_quire, name.replace('do', 'inherited'))

    def method(self, *args):
        return function(self, *args)

    method.__name__ = name
    method.__qualname__ = f'Allocator.{name}'
    method.__doc__ = doc
    return method


def complete(cls):
    """Gives the class of the override what others find by super(): the functions of the
    library, or of a class in C. Were they there before, PyGObject would make them those of
    the library."""
    for name, doc in FUNCTIONS.items():
        setattr(cls, name, _inherited(name, doc))
    Meta.base = cls
