# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The functions of the namespace, which are not those of a class: PyGObject has no words for
them."""

from gi.module import get_introspection_module

Quire = get_introspection_module('Quire')

__all__ = [
    'binding_answer', 'binding_expect_answers', 'memory_error_quark', 'memory_merge_list', 'memory_receive',
    'memory_receive_async', 'memory_receive_finish', 'memory_send_finish',
]


def binding_answer():
    """Says that a function of an allocator was really called. Only bindings of other languages
    have a use for it."""
    Quire.binding_answer()


def binding_expect_answers(allocator_type, functions):
    """Says which functions of an allocator call binding_answer(). Only bindings of other
    languages have a use for it."""
    Quire.binding_expect_answers(allocator_type, functions)


def memory_error_quark():
    """Tells the domain of Quire's errors, for GLib.Error.matches()."""
    return Quire.memory_error_quark()


def memory_merge_list(memories):
    """Makes one block of many, as Quire.Memory.merge_list() does."""
    return Quire.memory_merge_list(memories)


def memory_receive(connection, flags=Quire.FdFlags.NONE, cancellable=None):
    """Receives a block, as Quire.Memory.receive() does."""
    return Quire.memory_receive(connection, flags, cancellable)


def memory_receive_async(connection, flags=Quire.FdFlags.NONE, cancellable=None, callback=None, *user_data):
    """Receives a block, as Quire.Memory.receive_async() does."""
    Quire.memory_receive_async(connection, flags, cancellable, callback, *user_data)


def memory_receive_finish(result):
    """Gives the block that memory_receive_async() received."""
    return Quire.memory_receive_finish(result)


def memory_send_finish(result):
    """Tells what has become of Quire.Memory.send_async()."""
    return Quire.memory_send_finish(result)
