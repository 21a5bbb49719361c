# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks that go through multiprocessing: the same pages arrive.

Each case is a program of its own, as multiprocessing wants to import the main module.
"""

import pathlib
import subprocess
import sys
import textwrap

import pytest

METHODS = ['fork', 'spawn', 'forkserver']

HEAD = '''
import multiprocessing
import os
import sys
import time

import gi
gi.require_version('Quire', '1.0')
from gi.repository import Quire


def memfd(size):
    return Quire.Allocator.find('memfd').alloc(size, None)

'''

CASES = {}

CASES['argument'] = '''
def work(memory):
    memory.write(1000, b'written by the child')

def main(context):
    memory = memfd(8192)
    process = context.Process(target=work, args=(memory,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert bytes(memoryview(memory)[1000:1020]) == b'written by the child'
'''

CASES['queue'] = '''
def work(tasks, results):
    while (memory := tasks.get()) is not None:
        memory.fill(0, 1, 0x51)
        results.put(memory)

def main(context):
    tasks, results = context.Queue(), context.Queue()
    process = context.Process(target=work, args=(tasks, results))
    process.start()
    memories = [memfd(5000) for _ in range(20)]
    for memory in memories:
        memory.fill(0, -1, 7)
        tasks.put(memory)
    back = [results.get() for _ in memories]
    tasks.put(None)
    process.join()
    assert process.exitcode == 0
    for memory in memories:
        assert memoryview(memory)[0] == 0x51 and memoryview(memory)[1] == 7
    # What has come back is the same pages once more.
    for memory, again in zip(memories, back):
        memory.fill(0, -1, 8)
        assert bytes(again) == bytes([8]) * 5000
'''

CASES['pipe'] = '''
def work(end):
    memory = end.recv()
    memory.fill(0, -1, 0x52)
    end.send('done')
    # A block that was made in the child outlives it.
    made = memfd(100)
    made.fill(0, -1, 0x53)
    end.send(made)
    end.recv()

def main(context):
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there,))
    process.start()
    memory = memfd(4096)
    here.send(memory)
    assert here.recv() == 'done'
    assert bytes(memory) == bytes([0x52]) * 4096
    made = here.recv()
    here.send('got it')
    process.join()
    assert bytes(made) == bytes([0x53]) * 100
'''

CASES['pool'] = '''
def work(memory, value):
    memory.fill(0, -1, value)
    return memory

def main(context):
    memories = [memfd(4096) for _ in range(8)]
    with context.Pool(2) as pool:
        back = pool.starmap(work, [(memory, i) for i, memory in enumerate(memories)])
        for i, (memory, again) in enumerate(zip(memories, back)):
            assert bytes(memory) == bytes([i]) * 4096
            again.fill(0, -1, 99)
            assert bytes(memory) == bytes([99]) * 4096
'''

CASES['share'] = '''
def work(share, answers):
    view = memoryview(share)
    answers.put((bytes(view), view.readonly))

def main(context):
    memory = memfd(10000)
    memory.write(4090, bytes(range(256)))
    answers = context.Queue()
    process = context.Process(target=work, args=(memory[4090:4346], answers))
    process.start()
    assert answers.get() == (bytes(range(256)), True)
    process.join()
'''

CASES['no descriptor'] = '''
def work(memory, answers):
    answers.put(bytes(memory))

def main(context):
    memory = Quire.Memory(256)
    memory.write(0, bytes(range(256)))
    answers = context.Queue()
    queue = context.Queue()
    process = context.Process(target=work, args=(memory, answers))
    process.start()
    assert answers.get() == bytes(range(256))
    process.join()
    # Through a queue it is a copy, as with everything that is pickled.
    queue.put(memory)
    copy = queue.get()
    copy.fill(0, -1, 1)
    assert bytes(memory) == bytes(range(256))
'''

CASES['nothing left'] = '''
def work(memory):
    memory.fill(0, -1, 1)

def main(context):
    # What multiprocessing itself opens once is open then.
    with context.Pool(1) as pool:
        pool.map(work, [memfd(10)])
        before = len(os.listdir('/proc/self/fd'))
        names = set(os.listdir('/dev/shm'))
        for _ in range(50):
            pool.map(work, [memfd(10)])
        # multiprocessing answers who asks for a descriptor in a thread, which may not yet have
        # closed the last one.
        for _ in range(1000):
            if len(os.listdir('/proc/self/fd')) <= before:
                break
            time.sleep(0.01)
        else:
            raise AssertionError(os.listdir('/proc/self/fd'))
        assert set(os.listdir('/dev/shm')) == names
'''


def run_main(tmp_path: pathlib.Path, case: str, method: str) -> None:
    path = tmp_path / 'program.py'
    path.write_text(HEAD + textwrap.dedent(case) + f'''
if __name__ == '__main__':
    main(multiprocessing.get_context({method!r}))
''')
    process = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120)
    assert (process.returncode, process.stdout, process.stderr) == (0, '', '')


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('name', CASES)
def test_multiprocessing(tmp_path: pathlib.Path, name: str, method: str) -> None:
    run_main(tmp_path, CASES[name], method)


def test_a_gigabyte_is_passed_without_a_copy(tmp_path: pathlib.Path) -> None:
    """The worker has less memory to its name than a copy would take."""
    run_main(tmp_path, '''
import resource

def resident():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith('RssAnon'))

def work(queue, answers):
    before = resident()
    memory = queue.get()
    assert len(memory) == 1 << 30
    assert memoryview(memory)[-1] == 0x51
    memory.write(12345, b'here')
    answers.put(resident() - before)

def main(context):
    memory = memfd(1 << 30)
    memory.write((1 << 30) - 1, b'Q')
    queue, answers = context.Queue(), context.Queue()
    process = context.Process(target=work, args=(queue, answers))
    process.start()
    queue.put(memory)
    assert answers.get() < 1 << 26
    process.join()
    assert bytes(memoryview(memory)[12345:12349]) == b'here'
''', 'spawn')


def test_who_never_uses_multiprocessing_pickles_as_ever(tmp_path: pathlib.Path) -> None:
    run_main(tmp_path, '''
import pickle

def main(context):
    memory = memfd(100)
    memory.fill(0, -1, 5)
    copy = pickle.loads(pickle.dumps(memory))
    memory.fill(0, -1, 6)
    assert bytes(copy) == bytes([5]) * 100
''', 'fork')


def test_a_class_of_ones_own_arrives_as_such(tmp_path: pathlib.Path) -> None:
    run_main(tmp_path, '''
class Frame(Quire.Memory):
    pass

def work(frame):
    assert type(frame) is Frame and frame.number == 7
    frame.fill(0, -1, 0x51)

def main(context):
    frame = Frame(4096, allocator='memfd')
    frame.number = 7
    process = context.Process(target=work, args=(frame,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert bytes(frame) == bytes([0x51]) * 4096
''', 'spawn')
