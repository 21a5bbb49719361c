# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What several test files use."""

import concurrent.futures
import contextlib
import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy
import pytest
from gi.repository import GLib, Quire
from numpy.typing import NDArray

DOMAIN = GLib.quark_to_string(Quire.memory_error_quark())

Code = Quire.MemoryError
Flags = Quire.MapFlags

READ = Flags.READ
WRITE = Flags.WRITE
READWRITE = Flags.READ | Flags.WRITE
EXCLUSIVE = Flags.EXCLUSIVE
UNIQUE = Flags.UNIQUE

# What tests are parametrized with.
Call = Callable[[], object]
Make = Callable[[], Quire.Memory]
Use = Callable[[Quire.Memory], object]
# What pytest.raises() takes.
Kind = type[Exception] | tuple[type[Exception], ...]
# Whose bytes the tests ask the address of.
Exporter = Quire.Memory | Quire.Mapping | memoryview | bytes | bytearray | NDArray[Any]


def address(exporter: Exporter) -> int:
    """Where the bytes of a buffer are."""
    return numpy.frombuffer(exporter, dtype='u1').ctypes.data


class PyBuffer(ctypes.Structure):
    """Py_buffer, as CPython's stable ABI has it."""

    _fields_ = [
        ('buf', ctypes.c_void_p), ('obj', ctypes.py_object), ('len', ctypes.c_ssize_t),
        ('itemsize', ctypes.c_ssize_t), ('readonly', ctypes.c_int), ('ndim', ctypes.c_int),
        ('format', ctypes.c_char_p), ('shape', ctypes.POINTER(ctypes.c_ssize_t)),
        ('strides', ctypes.POINTER(ctypes.c_ssize_t)), ('suboffsets', ctypes.c_void_p),
        ('internal', ctypes.c_void_p),
    ]


SIMPLE, WRITABLE, FORMAT, ND, STRIDES, FULL_RO = 0, 0x1, 0x4, 0x8, 0x18, 0x11c


@contextlib.contextmanager
def buffer_of(exporter: object, flags: int) -> Iterator[PyBuffer]:
    """Asks for a buffer as a consumer in C does. Most of Python's own hide why they
    did not get one."""
    buffer = PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(exporter), ctypes.byref(buffer), flags)
    try:
        yield buffer
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))


def make(content: bytes) -> Quire.Memory:
    """A block that has these bytes."""
    memory = Quire.Memory(len(content))
    with memory.map(Flags.WRITE) as view:
        view[:] = content
    return memory


def make_flagged(size: int, flags: Quire.MemoryFlags) -> Quire.Memory:
    """A block that its allocator gave some flags."""
    params = Quire.AllocationParams.new()
    params.flags = flags
    return Quire.Memory.new_with_params(size, params)


def make_padded(prefix: int, size: int, padding: int) -> Quire.Memory:
    """A block with room on both sides, all of it zero but for the data."""
    params = Quire.AllocationParams.new()
    params.prefix = prefix
    params.padding = padding
    params.flags = Quire.MemoryFlags.ZERO_PREFIXED | Quire.MemoryFlags.ZERO_PADDED
    memory = Quire.Memory.new_with_params(size, params)
    memory.fill(0, -1, 0)
    return memory


def parent_of(share: Quire.Memory) -> Quire.Memory:
    """The block that a share is one of; there is one."""
    parent = share.get_parent()
    assert parent is not None
    return parent


def memory_of(info: Quire.Mapping) -> Quire.Memory:
    """The block that is mapped, which is there yet."""
    memory = info.memory
    assert memory is not None
    return memory


def counts(memory: Quire.Memory) -> dict[str, int]:
    """What stands on a block: the numbers in Memory.describe_lock() by their names."""
    words = memory.describe_lock().replace(' (UNIQUE)', ', 1 UNIQUE')
    return {name: int(number)
            for number, name in re.findall(r'(\d+) (READ\+WRITE|READ|WRITE|UNIQUE|owner|share|part)', words)}


def state(memory: Quire.Memory) -> tuple[object, ...]:
    """All there is to know of a block, to see that a refusal changed nothing."""
    return (memory.get_sizes(), memory.get_flags(), memory.describe_lock(),
            memory.is_writable(), memory.closed)


@contextlib.contextmanager
def refused(code: int, *numbers: int, kind: Kind = GLib.Error,
            unchanged: Collection[Quire.Memory] = ()) -> Iterator[pytest.ExceptionInfo[GLib.Error]]:
    """Expects an error of Quire with this code and these numbers in its message, and
    that the blocks are as before."""
    before = [state(memory) for memory in unchanged]
    with pytest.raises(GLib.Error) as caught:
        yield caught

    error = caught.value
    assert isinstance(error, kind)
    assert error.domain == DOMAIN
    assert error.code == code, error.message
    assert error.matches(Quire.memory_error_quark(), code)
    found = [int(number) for number in re.findall(r'-?\d+', error.message)]
    for number in numbers:
        assert number in found, error.message
    assert [state(memory) for memory in unchanged] == before


PREAMBLE = '''\
import atexit, copy, ctypes, gc, mmap, os, pickle, signal, sys, threading, time, weakref
import gi
gi.require_version('Quire', '1.0')
from gi.repository import Gio, GLib, GObject, Quire
from gi.overrides import _quire
Memory, Flags, Code = Quire.Memory, Quire.MapFlags, Quire.MemoryError

def attempt(function, *args):
    """Calls what may be refused, but may not crash."""
    try:
        return function(*args)
    except Exception as error:
        return error
'''


# Under the address sanitizer or valgrind: they take their time, and want the memory of
# Python's objects to be that of malloc().
SANITIZED = 'QUIRE_SANITIZED' in os.environ

Result = subprocess.CompletedProcess[str]
# By their names, scripts, and what will have become of them.
Scripts = dict[str, str]
Results = dict[str, concurrent.futures.Future[Result]]
RunAll = Callable[[Scripts], Results]


def run_script(script: str, timeout: float = 1200 if SANITIZED else 60) -> Result:
    """Runs a script in an interpreter of its own, as sensitive as they come."""
    return subprocess.run(
        [sys.executable, '-X', 'dev', '-W', 'ignore::ImportWarning', '-c', PREAMBLE + script],
        env={**os.environ,
             'G_DEBUG': 'fatal-criticals',
             'MALLOC_PERTURB_': '165',
             'PYTHONMALLOC': 'malloc' if SANITIZED else 'debug'},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=timeout)


def check_survived(result: Result) -> None:
    """A script of run_script() came to its end, and nothing went wrong behind its back."""
    assert result.returncode == 0, result.stderr[-4000:]
    for trouble in ('Traceback', 'Exception ignored', 'CRITICAL'):
        assert trouble not in result.stderr, result.stderr[-4000:]
