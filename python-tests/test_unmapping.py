# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Blocks of a C program's allocator whose unmap() really unmaps: what Python has an address
of stays mapped, with a view and without.

As in test_crash.py, each script has an interpreter of its own.
"""

import pytest

from helpers import RunAll, Scripts, check_survived

PRELUDE = '''
import numpy
library = ctypes.CDLL(os.environ['QUIRE_BUILD_ROOT'] + '/python-tests/libunmapping-allocator.so')
class Counts(ctypes.Structure):
    _fields_ = [('standing', ctypes.c_uint), ('total', ctypes.c_uint)]
library.unmapping_allocator_counts.restype = Counts
counts = library.unmapping_allocator_counts
for kind in (0, 1):
    library.unmapping_allocator_add(kind)
SIZE = 1 << 16
def make():
    return Memory(SIZE, prefix=16, allocator=NAME, fill=1)
'''

SCRIPTS: Scripts = {}

SCRIPTS['arrays without a view'] = '''
for derive in (lambda m: m, lambda m: m.map(Flags.READWRITE), lambda m: m.map(Flags.WRITE), lambda m: memoryview(m)):
    memory = make()
    pointer = numpy.ndarray(SIZE, 'u1', buffer=derive(memory))
    gc.collect()
    pointer[:] = 7
    assert pointer.sum() == 7 * SIZE
    memory.close()
    del memory
    gc.collect()
    pointer[:] = 8
    assert pointer.sum() == 8 * SIZE
    del pointer
gc.collect()
assert counts().standing == 0
'''

SCRIPTS['arrays to read'] = '''
memory = make()
pointers = [numpy.ndarray(SIZE - 10, 'u1', buffer=memory[10:]), numpy.ndarray(10, 'u1', buffer=memory.map(Flags.READ))]
share = memory[:]
pointers.append(numpy.ndarray(SIZE, 'u1', buffer=memory))
del share
assert not any(pointer.flags.writeable for pointer in pointers)
for pointer in pointers:
    assert set(pointer) == {1}
memory.close()
for pointer in pointers:
    assert set(pointer) == {1}
del memory, pointers, pointer
gc.collect()
assert counts().standing == 0
'''

SCRIPTS['views after all'] = '''
memory = make()
info = memory.map(Flags.READWRITE)
view, numbers = info.data, numpy.frombuffer(memory, 'u1')
assert isinstance(attempt(memory.unmap, info), Quire.Error.Busy)
info.release()
memory.close()
del memory, info
gc.collect()
view[0] = 9
assert numbers[0] == 9
del view, numbers
gc.collect()
assert counts().standing == 0
'''

SCRIPTS['as many maps as there are kinds'] = '''
memory = make()
for _ in range(200):
    memoryview(memory)[0] = 1
    memory[0] = memory[1]
    bytes(memory[5:]), memory == bytes(5), 5 in memory
    with memory.map(Flags.READ) as view: bytes(view)
    with memory.map(Flags.WRITE) as view: view[0] = 1
    assert counts().standing <= 3
assert counts().standing == 3
del memory, view
gc.collect()
assert counts().standing == 0
'''

SCRIPTS['bytes of a map'] = '''
memory = make()
info = memory.map(Flags.READWRITE)
shown = info.view_bytes()
info.data[0] = 4
memory.unmap(info)
del info
assert shown.get_data()[0] == 4
del shown
assert counts().standing == 1
'''

SCRIPTS['threads'] = '''
memory = make()
def work():
    for _ in range(300):
        info = memory.map(Flags.READWRITE)
        views = [info.data, memoryview(memory), numpy.frombuffer(info, 'u1')]
        pointer = numpy.ndarray(SIZE, 'u1', buffer=info)
        info.release()
        del views, info
        pointer[5] = 1
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert memory.describe_lock() == 'free'
assert counts().standing == 1
del memory
gc.collect()
assert counts().standing == 0
'''

ALL = {f'{name}, {kind}': f'NAME = {kind!r}\n' + PRELUDE + script
       for name, script in SCRIPTS.items() for kind in ('unmapping-each', 'unmapping-together')}


@pytest.mark.parametrize('name', ALL)
def test_script(name: str, run_all: RunAll) -> None:
    check_survived(run_all(ALL)[name].result())
