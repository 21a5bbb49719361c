# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Threads that use one block at once: nothing is torn, lost or crashed.

As in test_crash.py, each script has an interpreter of its own.
"""

import pytest

from helpers import RunAll, Scripts, check_survived

# Runs functions in threads, each again and again, for about a second.
RUN = '''
sys.setswitchinterval(1e-5)
end = time.monotonic() + 0.8
broken = []

def forever(function):
    try:
        while time.monotonic() < end and not broken:
            for _ in range(20):
                try:
                    function()
                except (GLib.Error, ValueError):
                    pass
    except BaseException as error:
        broken.append(error)
        raise

def run(*functions):
    threads = [threading.Thread(target=forever, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken, broken
'''

SCRIPTS: Scripts = {}

SCRIPTS['close while others use the handle'] = '''
handles = [Memory(4096)]
handles[0].fill(0, -1, 7)
def renew():
    memory = Memory(4096)
    memory.fill(0, -1, 7)
    old, handles[0] = handles[0], memory
    share = old[:]
    old.close()
    assert set(bytes(share)) == {7}
def check(data):
    assert set(bytes(data)) <= {7}
run(renew,
    lambda: check(handles[0].map(Flags.READ)),
    lambda: check(handles[0].copy(0, -1)),
    lambda: check(handles[0][100:200]),
    lambda: check(handles[0].share(5, 50)),
    lambda: check(handles[0].to_bytes().get_data()),
    lambda: check(memoryview(handles[0])),
    lambda: check(handles[0] + handles[0]),
    lambda: handles[0].get_sizes(),
    lambda: handles[0].describe_lock(),
    lambda: handles[0].make_writable(),
    lambda: handles[0].compare(handles[0]))
'''

SCRIPTS['close while shares are made of it'] = '''
def race():
    memory = Memory(1 << 16)
    barrier = threading.Barrier(2)
    got = []
    def share():
        barrier.wait()
        for _ in range(3):
            got.append(attempt(memory.share, 0, -1))
            got.append(attempt(lambda: memory[10:]))
    thread = threading.Thread(target=share)
    thread.start()
    barrier.wait()
    memory.close()
    thread.join()
    del memory, thread, share
    for result in got:
        if isinstance(result, Memory):
            bytes(result)
run(race, race)
'''

SCRIPTS['resize while others map'] = '''
memory = Memory(1 << 16)
def resize(offset, size):
    def function():
        memory.resize(offset, size)
        memory.resize(-offset, 1 << 16)
    return function
def check():
    with memory.map(Flags.READ) as view:
        assert len(view) <= 1 << 16
        view.tobytes()
def look():
    size, offset, maxsize = memory.get_sizes()
    assert offset + size <= maxsize == 1 << 16
run(resize(1 << 15, 1 << 14), resize(100, 10), resize(1 << 16, 0), check, check, look,
    lambda: bytes(memory[100:]), lambda: bytes(memory.copy(0, -1)), lambda: memory.fill(0, 10, 1),
    lambda: memory.read(5, -1), lambda: memory[:10] + memory[10:])
'''

SCRIPTS['one at a time with UNIQUE'] = '''
memory = Memory(16)
memory.fill(0, -1, 0)
inside, total = [0], [0]
def enter():
    with memory.map(Flags.READWRITE | Flags.UNIQUE) as view:
        inside[0] += 1
        total[0] += 1
        assert inside[0] == 1
        number = view[0]
        time.sleep(0)
        view[0] = (number + 1) % 256
        inside[0] -= 1
run(*[enter] * 6)
assert total[0] > 0
assert memory.read(0, 1)[0] == total[0] % 256
assert memory.describe_lock() == 'free'
'''

SCRIPTS['no write while a share lives'] = '''
memory = Memory(1 << 12)
memory.fill(0, -1, 0)
written, shared = [0], [0]
def write():
    with memory.map(Flags.WRITE) as view:
        view[:] = bytes([written[0] % 256]) * len(view)
        written[0] += 1
def share():
    with memory[:] as share:
        first = bytes(share)
        time.sleep(0)
        assert bytes(share) == first
        shared[0] += 1
def show():
    shown = memory.to_bytes()
    first = shown.get_data()
    time.sleep(0)
    assert shown.get_data() == first
run(write, share, share, show)
# Who gets in how often is up to the scheduler; afterwards nothing is in the way.
write()
share()
gc.collect()
assert memory.describe_lock() == 'free'
'''

SCRIPTS['the counts come out even'] = '''
memory = Memory(1 << 12)
def hold(flags):
    def function():
        info = memory.map(flags)
        view = info.data
        attempt(memory.unmap, info)
        info.release()
        view.release()
    return function
run(hold(Flags.READ), hold(Flags.WRITE), hold(Flags.READWRITE), hold(Flags.READ | Flags.UNIQUE),
    hold(Flags.READ | Flags.EXCLUSIVE), lambda: memory[5:], lambda: memory.to_bytes(),
    lambda: memoryview(memory), lambda: Memory.wrap(memory)[3:])
gc.collect()
assert memory.describe_lock() == 'free', memory.describe_lock()
with memory.map(Flags.WRITE | Flags.UNIQUE): pass
'''

SCRIPTS['two threads end one mapping'] = '''
memory = Memory(100)
def race():
    info = memory.map(Flags.READ)
    barrier = threading.Barrier(2)
    ended = []
    def end():
        barrier.wait()
        ended.append(attempt(memory.unmap, info))
    thread = threading.Thread(target=end)
    thread.start()
    end()
    thread.join()
    assert sum(result is None for result in ended) == 1, ended
run(race)
assert memory.describe_lock() == 'free'
'''

SCRIPTS['wrapped exporters go in any thread'] = '''
alive = []
class Exporter(bytearray):
    def __init__(self, size):
        super().__init__(size)
        alive.append(None)
    def __del__(self):
        alive.pop()
shelf = [None] * 8
def put(i):
    def function():
        shelf[i] = Memory.wrap(Exporter(100))[1:]
        shelf[(i + 1) % 8] = None
        shelf[(i + 2) % 8] = attempt(lambda: shelf[i].to_bytes())
    return function
run(put(0), put(3), put(5))
shelf.clear()
gc.collect()
assert alive == []
'''

SCRIPTS['threads at exit'] = '''
import numpy
memory = Memory.wrap(bytearray(1 << 16))
def work():
    while True:
        view = memoryview(memory)
        other = Memory.wrap(bytearray(100))[1:]
        copied = memory.copy(0, -1)
        attempt(lambda: memory[1:5].to_bytes())
        numbers = numpy.frombuffer(copied, 'u1')
        del view, other, copied, numbers
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
'''


# With such an interval nobody has to give way: another thread runs only when it is let.
SCRIPTS['others run while it is long'] = '''
import numpy
sys.setswitchinterval(1e6)
turns, over = [], []
def watch():
    while not over:
        turns.append(None)
        time.sleep(0)
thread = threading.Thread(target=watch, daemon=True)

def lets_others_run(function, times):
    for _ in range(times):
        before = len(turns)
        function()
        if len(turns) > before:
            return True
    return False

def operations(size):
    memory, other, content = Memory(size, fill=1), Memory(size, fill=1), bytes(size)
    numbers, strided = numpy.ones(size, 'u1'), memoryview(bytes([1]) * (2 * size))[::2]
    info = Memory(size).map(Flags.WRITE)
    return {
        'copy': memory.copy, 'copy.copy': lambda: copy.copy(memory), 'fill': lambda: memory.fill(value=1),
        'write': lambda: memory.write(0, numbers), 'read': memory.read, 'compare': lambda: memory.compare(other),
        '==': lambda: memory == other, '== buffer': lambda: memory == numbers, 'in': lambda: 2 in memory,
        'slice': lambda: memory.__setitem__(slice(None), numbers), 'new': lambda: Memory(size, fill=1),
        'dlpack': lambda: memory.__dlpack__(copy=True), 'bytes': lambda: bytes(memory),
        '== strided': lambda: memory == strided, 'index': lambda: attempt(memory.index, 2), 'count': lambda: memory.count(1),
        'write_back': lambda: info.write_back(numbers),
    }

short, long = operations(1000), operations(64 << 20)
merging = Memory(32 << 20, fill=1), Memory(32 << 20, fill=1)
long['merge'] = lambda: merging[0] + merging[1]
long['merge_list'] = lambda: Memory.merge_list(merging)
long['introspected'] = lambda: Memory.__mro__[2].copy(merging[0], 0, -1)
thread.start()
for name, operation in long.items():
    assert lets_others_run(operation, 200), name
for name in ('copy', 'fill', 'write', 'read', 'compare', '==', '== buffer', 'in', 'slice', 'bytes', '== strided', 'index', 'count', 'write_back'):
    assert not lets_others_run(short[name], 200), name
over.append(None)
thread.join()
'''


@pytest.mark.parametrize('name', SCRIPTS)
def test_script(name: str, run_all: RunAll) -> None:
    scripts = {key: RUN + script for key, script in SCRIPTS.items()}
    check_survived(run_all(scripts)[name].result())
