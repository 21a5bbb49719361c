# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Guarded blocks: who goes outside is stopped, or found out.

What stops a process is tried in one of its own.
"""

import signal

import pytest
from gi.repository import Quire

from helpers import check_survived, Code, Flags, refused, run_script

SETUP = '''
import signal
# A sanitizer, and the interpreter itself, would have a word with who catches it.
signal.signal(signal.SIGSEGV, signal.SIG_DFL)
guard = Quire.Allocator.find('guard')
def at(memory):
    """Where the data is; its address stays good as long as the block."""
    import numpy
    return numpy.frombuffer(memory, 'u1').ctypes.data
def peek(where):
    return ctypes.string_at(where, 1)
def poke(where, value=1):
    ctypes.memset(where, value, 1)
'''


def is_stopped(script: str) -> bool:
    """Whether a script is stopped by a fault, and that in its last line."""
    *lines, last = script.strip().split('\n')
    before = '\n'.join(lines) + '\nprint("here", flush=True)\n'
    result = run_script(SETUP + before + last + '\nprint("there", flush=True)')
    assert result.stdout.startswith('here'), result.stderr
    stopped = result.returncode == -signal.SIGSEGV
    assert stopped or result.returncode == 0, result.stderr
    assert ('there' in result.stdout) is not stopped
    return stopped


@pytest.mark.parametrize('size', [1, 13, 4096])
@pytest.mark.parametrize('access', ['peek', 'poke'])
def test_one_byte_too_far(size: int, access: str) -> None:
    assert is_stopped(f'''
memory = guard.alloc({size}, None)
where = at(memory)
{access}(where + {size})
''')


def test_all_of_it() -> None:
    assert not is_stopped('''
memory = guard.alloc(5000, None)
where = at(memory)
poke(where), poke(where + 4999), peek(where)
''')


def test_before() -> None:
    assert is_stopped('''
memory = guard.alloc(4096, None)
where = at(memory)
peek(where - 1)
''')


def test_after_free() -> None:
    assert is_stopped('''
memory = guard.alloc(100, None)
where = at(memory)
del memory
peek(where)
''')


def test_out_of_quarantine() -> None:
    """Nothing is kept without a quarantine: what comes next may be where the last one was."""
    result = run_script(SETUP + '''
for quarantine in (0, 3):
    mine = Quire.GuardAllocator(quarantine=quarantine)
    assert mine.props.quarantine == mine.get_quarantine() == quarantine
    places = set()
    for _ in range(20):
        places.add(at(mine.alloc(100, None)))
    assert (len(places) == 1) == (quarantine == 0), places
''')
    check_survived(result)


def test_found_at_the_end() -> None:
    """With an alignment there is room for a byte or two; it is looked at at the end."""
    result = run_script(SETUP + '''
os.environ.pop('G_DEBUG')
params = Quire.AllocationParams.new()
params.align = 15
mine = Quire.GuardAllocator()
memory = mine.alloc(13, params)
where = at(memory)
poke(where + 14, peek(where + 14)[0] ^ 1)
assert mine.props.n_damaged == 0
GLib.log_set_always_fatal(GLib.LogLevelFlags.LEVEL_ERROR)
del memory
assert mine.props.n_damaged == mine.get_n_damaged() == 1
''')
    assert result.returncode == 0, result.stderr
    assert 'A block of 13 bytes was written outside: the byte at 1 after the end' in result.stderr


def test_aborts() -> None:
    result = run_script(SETUP + '''
mine = Quire.GuardAllocator(aborts=True)
memory = mine.alloc(13, None)
where = at(memory)
poke(where - 2, peek(where - 2)[0] ^ 1)
print('here', flush=True)
del memory
print('there', flush=True)
''')
    assert result.returncode in (-signal.SIGTRAP, -signal.SIGABRT)
    assert result.stdout == 'here\n'
    assert 'the byte at 2 before the start' in result.stderr


def test_is_a_block() -> None:
    guard = Quire.Allocator.find('guard')
    assert isinstance(guard, Quire.GuardAllocator)
    assert guard.get_mem_type() == 'guard'
    memory = guard.alloc(1000, None)
    assert memory.is_type('guard')
    with memory.map(Flags.WRITE) as view:
        view[:] = bytes(range(250)) * 4
    assert bytes(memory[1:3]) == b'\x01\x02'
    assert bytes(memory.copy(0, -1)) == bytes(range(250)) * 4
    assert Quire.GuardAllocator.new().alloc(0, None).get_sizes() == (0, 0, 0)


def test_no_space() -> None:
    guard = Quire.Allocator.find('guard')
    with refused(Code.NO_SPACE, (1 << 63) - 1):
        guard.alloc((1 << 63) - 1, None)
    params = Quire.AllocationParams.new()
    params.align = (1 << 64) - 1
    with refused(Code.NO_SPACE, 8, params.align):
        guard.alloc(8, params)


def test_mappings_do_not_leak() -> None:
    mine = Quire.GuardAllocator(quarantine=5)

    def count() -> int:
        with open('/proc/self/maps') as maps:
            return len(maps.readlines())

    before = count()
    for _ in range(200):
        mine.alloc(5000, None).fill(0, -1, 1)
    assert count() <= before + 8
