# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks for what is secret. That they are wiped is seen to in C."""

import os
import re

import pytest
from gi.repository import Quire

from helpers import address, check_survived, Code, Flags, memory_of, refused, run_script, SANITIZED

needs_mlock = pytest.mark.skipif(SANITIZED, reason='the sanitizer locks no memory')


@pytest.fixture
def secure() -> Quire.Allocator:
    return Quire.Allocator.find('secure')


def make_secret(secure: Quire.Allocator, content: bytes) -> Quire.Memory:
    memory = secure.alloc(len(content), None)
    memory.write(0, content)
    return memory


def kernel_flags(memory: Quire.Memory) -> set[str]:
    """What the kernel knows of the pages of a block."""
    where = address(memory)
    inside = False
    with open('/proc/self/smaps') as smaps:
        for line in smaps:
            limits = re.match(r'([0-9a-f]+)-([0-9a-f]+) ', line)
            if limits:
                inside = int(limits[1], 16) <= where < int(limits[2], 16)
            elif inside and line.startswith('VmFlags:'):
                return set(line.split()[1:])
    raise AssertionError(f'{where:x} is not mapped')


def test_is_a_block(secure: Quire.Allocator) -> None:
    assert isinstance(secure, Quire.SecureAllocator)
    assert secure.get_mem_type() == 'secure'
    memory = make_secret(secure, b'secret')
    assert memory.is_type('secure')
    assert bytes(memory) == b'secret'
    assert bytes(memory[1:3]) == b'ec'
    assert bytes(secure.alloc(100, None)) == bytes(100)
    assert len(Quire.SecureAllocator.new().alloc(0, None)) == 0


@needs_mlock
def test_pages(secure: Quire.Allocator) -> None:
    assert kernel_flags(secure.alloc(100, None)) >= {'lo', 'dd', 'wf'}
    assert not kernel_flags(Quire.Memory(100)) & {'lo', 'dd', 'wf'}


@needs_mlock
def test_copies_are_secure(secure: Quire.Allocator) -> None:
    memory = make_secret(secure, b'0123456789')
    share = memory[2:6]
    for copy, content in [(memory.copy(1, 3), b'123'),
                          (share.copy(0, -1), b'2345'),
                          (share.make_writable(), b'2345'),
                          (memory_of(share.make_mapped(Flags.WRITE)), b'2345'),
                          (share + memory, b'23450123456789'),
                          (Quire.Memory(0) + share, b'2345'),
                          (Quire.Memory.merge_list([memory[5:], memory[:5]]).memory, b'5678901234')]:
        assert copy.is_type('secure')
        assert bytes(copy) == content
        assert kernel_flags(copy) >= {'lo', 'dd', 'wf'}
    assert (memory[:5] + memory[5:]).get_parent() is not None


def test_fork(secure: Quire.Allocator) -> None:
    """A child sees zeros, and no harm comes of what it does to them."""
    memory = make_secret(secure, b'secret')
    view = memoryview(memory)
    child = os.fork()
    if child == 0:
        try:
            assert bytes(view) == bytes(6)
            view[0] = 1
            view.release()
            memory.close()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert bytes(view) == b'secret'


@needs_mlock
def test_limit() -> None:
    """Beyond what the process may lock there is nothing, and the error has the numbers."""
    check_survived(run_script('''
import resource
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
secure = Quire.Allocator.find('secure')
kept = secure.alloc(16384, None)
error = attempt(secure.alloc, 60000, None)
assert error.code == Code.NO_SPACE, error
assert '61440' in error.message and '65536' in error.message, error.message
for _ in range(20):
    secure.alloc(40000, None).fill(0, -1, 1)
'''))


def test_no_space(secure: Quire.Allocator) -> None:
    with refused(Code.NO_SPACE, (1 << 63) - 1):
        secure.alloc((1 << 63) - 1, None)
    with refused(Code.OUT_OF_RANGE, -1):
        secure.alloc(-1, None)


def test_mappings_do_not_leak(secure: Quire.Allocator) -> None:
    def count() -> int:
        with open('/proc/self/maps') as maps:
            return len(maps.readlines())

    before = count()
    for _ in range(100):
        make_secret(secure, b'secret').copy(0, -1)
    assert count() <= before + 4
