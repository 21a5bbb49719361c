# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What all files with classes of the override use: words for people."""

from gi.types import StructMeta

from ..overrides import override


class Documented(StructMeta):
    """PyGObject's classes for structs show a list of functions in the place of a docstring."""

    @property
    def __doc__(cls):
        return vars(cls).get('__doc__')


def names(flags):
    """The names of flags, for people."""
    nicks = [nick for nick in flags.value_nicks if nick not in ('none', 'readwrite')]
    return '|'.join(nicks).replace('-', '_').upper() or 'NONE'


def type_name(thing):
    """Of which class it is, with the module: that of Quire's own is Quire."""
    cls = type(thing)
    return f'{cls.__module__}.{cls.__qualname__}'.removeprefix('gi.overrides.')


def override_quire(cls):
    """As PyGObject's override(), which goes by the name of the file."""
    cls.__module__ = 'gi.overrides.Quire'
    return override(cls)


def field(struct, name, doc, convert=None):
    """A field of a struct in C, with a docstring; one to read only if there is nothing to
    convert what is set."""
    inherited = vars(struct)[name]
    if convert is None:
        return property(inherited.fget, doc=doc)
    return property(inherited.fget, lambda self, value: inherited.fset(self, convert(value)), doc=doc)
