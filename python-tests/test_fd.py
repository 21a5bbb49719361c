# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks over descriptors: of memfd, of files, of shared memory."""

import gc
import io
import mmap
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

import numpy
import pytest
from gi.repository import GLib, Quire
from numpy.typing import NDArray

from helpers import READ, WRITE, check_survived, run_script

FdFlags, Seals, Code = Quire.FdFlags, Quire.Seals, Quire.MemoryError
File = IO[bytes]


def memfd(size: int) -> Quire.Memory:
    return Quire.Allocator.find('memfd').alloc(size, None)


def descriptors() -> int:
    gc.collect()
    return len(os.listdir('/proc/self/fd'))


@pytest.fixture
def file() -> Iterator[File]:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(range(256)) * 40)
        file.flush()
        yield file


def refused(code: Quire.MemoryError, call: Callable[..., object], *args: object,
            match: str | None = None) -> None:
    with pytest.raises(GLib.Error, match=match) as caught:
        call(*args)
    assert caught.value.code == code


def test_memfd_is_a_file_without_a_name() -> None:
    memory = memfd(10000)
    fd, offset = memory.get_fd()
    with mmap.mmap(fd, 0) as other:
        numpy.frombuffer(memory, 'u1')[1234] = 7
        assert other[offset + 1234] == 7
        other[offset + 4321] = 8
    assert memoryview(memory)[4321] == 8
    assert 'memfd:quire' in pathlib.Path('/proc/self/maps').read_text()
    assert not [name for name in os.listdir('/dev/shm') if 'quire' in name]


def test_a_share_is_found_in_the_file() -> None:
    memory = memfd(10000)
    memory.fill(5000, 10, 7)
    fd, offset = memory[5000:5010].get_fd()
    assert os.pread(fd, 10, offset) == bytes([7]) * 10


def test_an_allocator_of_ones_own() -> None:
    allocator = Quire.MemfdAllocator(name='frames', seals=Seals.SHRINK | Seals.GROW | Seals.SEAL)
    memory = allocator.alloc(100, None)
    assert memory.get_allocator() is allocator
    assert memory.get_seals() == Seals.SHRINK | Seals.GROW | Seals.SEAL
    assert 'memfd:frames' in pathlib.Path('/proc/self/maps').read_text()
    refused(Code.READ_ONLY, memory.add_seals, Seals.WRITE)
    refused(Code.TOO_LARGE, Quire.MemfdAllocator(name='x' * 250).alloc, 1, None, match='250')


@pytest.mark.parametrize('offset, size', [(0, -1), (1, -1), (4096, 10), (5000, 0), (10240, -1)])
def test_a_range_of_a_file(file: File, offset: int, size: int) -> None:
    memory = Quire.Memory.new_from_fd(file.fileno(), offset, size, FdFlags.NONE)
    data = (bytes(range(256)) * 40)[offset:]
    assert bytes(memory) == (data if size < 0 else data[:size])
    if len(memory) > 0:
        numpy.frombuffer(memory, 'u1')[0] = 0x51
        assert os.pread(file.fileno(), 1, offset) == b'\x51'


def test_all_of_a_file_if_nothing_else_is_said(file: File) -> None:
    data = bytes(range(256)) * 40
    assert bytes(Quire.Memory.new_from_fd(file)) == data
    assert bytes(Quire.Memory.new_from_fd(file.fileno())) == data
    assert bytes(Quire.Memory.new_from_fd(file, 100)) == data[100:]
    assert bytes(Quire.Memory.new_from_fd(fd=file, offset=100, size=10, flags=FdFlags.READONLY)) == data[100:110]


def test_what_belongs_to_an_object_is_not_taken(file: File) -> None:
    with pytest.raises(TypeError):
        Quire.Memory.new_from_fd(file, flags=FdFlags.TAKE)
    os.fstat(file.fileno())
    for rubbish in (None, 'x', 1.5, 2 ** 40):
        with pytest.raises((TypeError, OverflowError)):
            Quire.Memory.new_from_fd(rubbish)  # type: ignore[arg-type]


def test_what_is_borrowed_is_not_closed(file: File) -> None:
    memory = Quire.Memory.new_from_fd(file, flags=FdFlags.BORROW)
    assert memory.get_fd() == (file.fileno(), 0)
    del memory
    gc.collect()
    os.fstat(file.fileno())
    refused(Code.NOT_SUPPORTED, Quire.Memory.new_from_fd, file.fileno(), 0, -1, FdFlags.BORROW | FdFlags.TAKE, match='0x11')


def test_a_descriptor_that_a_script_closed() -> None:
    """It knows the number, and the system gives it away again."""
    check_survived(run_script('''
import os, tempfile
file = tempfile.TemporaryFile()
file.truncate(100000)
memory = Memory.new_from_fd(file)
stable = Quire.Allocator.find('memfd').alloc(100000, None)
for block in (memory, stable):
    os.close(block.get_fd()[0])
short = [os.memfd_create('short') for _ in range(4)]
assert memory.get_fd()[0] in short and stable.get_fd()[0] in short
for call in (lambda: memoryview(memory), lambda: memory.copy(0, -1), lambda: memory.fill(0, -1, 1),
             lambda: stable.dup_fd(), lambda: stable.add_seals(Quire.Seals.WRITE)):
    try:
        call()
    except (GLib.Error, BufferError) as error:
        assert 'not that of the block' in str(error), error
    else:
        raise AssertionError
stable.fill(0, -1, 7)
assert bytes(stable) == bytes([7]) * 100000
'''))


def test_bad_ranges(file: File) -> None:
    for offset, size in [(10241, -1), (0, 10241), (2 ** 64 - 1, 1), (2 ** 63 - 1, 2 ** 63 - 1)]:
        refused(Code.OUT_OF_RANGE, Quire.Memory.new_from_fd, file.fileno(), offset, size, FdFlags.NONE, match='10240')
    refused(Code.OUT_OF_RANGE, Quire.Memory.new_from_fd, file.fileno(), -1, 1, FdFlags.NONE, match='-1')
    with pytest.raises(OverflowError):
        Quire.Memory.new_from_fd(file.fileno(), 2 ** 64, 1, FdFlags.NONE)


def test_private_and_read_only(file: File) -> None:
    private = Quire.Memory.new_from_fd(file.fileno(), 0, -1, FdFlags.PRIVATE)
    numpy.frombuffer(private, 'u1')[0] = 0x51
    readonly = Quire.Memory.new_from_fd(file.fileno(), 0, -1, FdFlags.READONLY)
    view = memoryview(readonly)
    assert view.readonly and view[0] == 0
    os.pwrite(file.fileno(), b'\x52', 0)
    assert view[0] == 0x52
    refused(Code.READ_ONLY, readonly.map, WRITE)


def test_a_truncated_file_is_an_error_and_no_signal() -> None:
    check_survived(run_script('''
import os, tempfile
file = tempfile.TemporaryFile()
file.truncate(100000)
memory = Memory.new_from_fd(file.fileno(), 0, -1, Quire.FdFlags.NONE)
share = memory[:]
file.truncate(100)
for call in (lambda: memoryview(memory), lambda: bytes(share), lambda: memory.map(Flags.READ),
             lambda: memory.copy(0, -1), lambda: memory.fill(0, -1, 1), lambda: share.to_bytes(),
             lambda: memory.merge(share), lambda: memory.write(0, b'x')):
    try:
        call()
    except (GLib.Error, BufferError) as error:
        assert 'truncated to 100 bytes' in str(error) or 'share' in str(error), error
    else:
        raise AssertionError
assert memory.describe_lock() == '1 share alive'
'''))


def test_what_can_be_truncated_can_be_refused(file: File) -> None:
    assert not Quire.Memory.new_from_fd(file.fileno(), 0, -1, FdFlags.NONE).is_stable()
    assert memfd(10).is_stable() and Quire.Memory(10).is_stable()
    refused(Code.NOT_SUPPORTED, Quire.Memory.new_from_fd, file.fileno(), 0, -1, FdFlags.STABLE, match='shrink')


def test_sealed_against_writing() -> None:
    memory = memfd(10000)
    memory.fill(0, -1, 7)
    info = memory.map(READ)
    refused(Code.BUSY, memory.add_seals, Seals.WRITE, match='1 READ map')
    memory.unmap(info)
    memory.add_seals(Seals.WRITE)
    assert memoryview(memory).readonly
    assert memory.get_flags() & Quire.MemoryFlags.READONLY
    with pytest.raises(PermissionError):
        os.pwrite(memory.get_fd()[0], b'x', 0)


def test_an_array_that_numpy_kept_is_harmless_after_the_seal() -> None:
    """It has the address and no lock; so the seal can't know of it."""
    memory = memfd(10000)
    stale: NDArray[numpy.uint8] = numpy.ndarray(buffer=memory, shape=(10000,), dtype='u1')
    stale[:] = 7
    memory.add_seals(Seals.WRITE)
    assert stale[9999] == 7
    stale[9999] = 8
    fd, offset = memory.get_fd()
    assert os.pread(fd, 1, offset + 9999) == b'\x07'


def test_posix_shared_memory_and_others_memfd() -> None:
    fd = os.memfd_create('other')
    os.truncate(fd, 100)
    memory = Quire.Memory.new_from_fd(fd, 0, -1, FdFlags.TAKE)
    assert memory.get_fd() == (fd, 0)
    memory.fill(0, -1, 7)
    assert os.pread(fd, 100, 0) == bytes([7]) * 100


def test_what_can_not_be_mapped() -> None:
    read_end, write_end = os.pipe()
    for fd in (read_end, write_end):
        refused(Code.NOT_MAPPABLE, Quire.Memory.new_from_fd, fd, 0, 1, FdFlags.NONE)
        os.close(fd)
    refused(Code.CLOSED, Quire.Memory.new_from_fd, read_end, 0, 1, FdFlags.NONE)
    refused(Code.CLOSED, Quire.Memory.new_from_fd, -1, 0, 1, FdFlags.NONE)
    refused(Code.NOT_SUPPORTED, Quire.Memory(10).dup_fd, match='system')


def test_closed_handles() -> None:
    memory = memfd(10)
    memory.close()
    for call in (memory.get_fd, memory.dup_fd, memory.get_seals, memory.is_stable):
        refused(Code.CLOSED, call)
    refused(Code.CLOSED, memory.add_seals, Seals.GROW)


def test_no_descriptor_is_left() -> None:
    memory = memfd(10)
    before = descriptors()
    for _ in range(100):
        memfd(10000)
        Quire.Memory.new_from_fd(memory.get_fd()[0], 0, -1, FdFlags.NONE)
        Quire.Memory.new_from_fd(memory.dup_fd(), 0, -1, FdFlags.TAKE)
        refused(Code.OUT_OF_RANGE, Quire.Memory.new_from_fd, memory.get_fd()[0], 0, 99999, FdFlags.NONE)
    assert descriptors() == before


def test_a_file_that_nobody_else_has(tmp_path: pathlib.Path) -> None:
    """It is closed when the call is over, and not before."""
    class Closing(io.FileIO):
        def __del__(self) -> None:
            self.close()

    (tmp_path / 'file').write_bytes(b'content')
    # Not within an assertion, of which pytest keeps all parts.
    memory = Quire.Memory.new_from_fd(Closing(tmp_path / 'file', 'r+'))
    assert memory == b'content'


def test_no_descriptor_to_be_had() -> None:
    check_survived(run_script('''
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    Quire.Allocator.find('memfd').alloc(10, None)
except GLib.Error as error:
    assert error.code == Quire.MemoryError.NO_SPACE and 'Too many open files' in error.message, error
else:
    raise AssertionError
'''))


def test_a_child_has_the_same_pages() -> None:
    memory = memfd(4096)
    pid = os.fork()
    if pid == 0:
        memory.fill(0, -1, 0x51)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert bytes(memory) == bytes([0x51]) * 4096
