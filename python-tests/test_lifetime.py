# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Whatever goes before something else, the interpreter does not crash: blocks before views,
handles before calls that use them, the interpreter before all of them.

As in test_crash.py, each script has an interpreter of its own.
"""

import pytest

from helpers import RunAll, Scripts, check_survived

SCRIPTS: Scripts = {}

SCRIPTS['mapping whose memory has no name'] = '''
info = Memory(1 << 20).map(Flags.READWRITE)
gc.collect()
info.data[:] = bytes(1 << 20)
memory = info.memory
memory.unmap(info)
del memory
gc.collect()
assert info.memory is None
assert isinstance(attempt(memoryview, info), BufferError)
info.release()
attempt(info.__enter__)
attempt(Memory(5).unmap, info)
assert info.size == 1 << 20
'''

SCRIPTS['copies of a mapping'] = '''
memory = Memory(1 << 20)
info = memory.map(Flags.WRITE)
copies = [info.copy() for _ in range(10)]
memory.unmap(copies[3])
for other in (*copies, info):
    assert isinstance(attempt(memory.unmap, other), GLib.Error)
    other.release()
    assert isinstance(attempt(memoryview, other), BufferError)
assert memory.describe_lock() == 'free'
del memory
copies.clear()
gc.collect()
'''

SCRIPTS['use after close'] = '''
memory = Memory(1 << 24)
share = memory[5:]
info, view = share.map(), memoryview(share)
shown = share.to_bytes()
share.close(); memory.close()
for name in dir(share):
    for handle in (memory, share):
        member = attempt(getattr, handle, name)
        if callable(member) and not name.startswith('__') and name != '_clear_boxed':
            attempt(member)
            attempt(member, 0, -1)
            attempt(member, info)
del memory
gc.collect()
assert len(bytes(view)) == len(bytes(info)) == (1 << 24) - 5
assert shown.get_size() == (1 << 24) - 5
del share
gc.collect()
bytes(view), bytes(info), info.memory
'''

# numpy.ndarray(buffer=...) gives the buffer back and keeps the address.
SCRIPTS['pointer after close'] = '''
import numpy
memory = Memory(1 << 24)
share = memory[:]
pointers = [numpy.ndarray(1 << 24, 'u1', buffer=memory), numpy.ndarray(1 << 24, 'u1', buffer=share)]
writable = numpy.ndarray(1 << 24, 'u1', buffer=Memory(1 << 24))
share.close(); memory.close()
del memory, share
gc.collect()
other = Memory(1 << 24)
for pointer in pointers:
    pointer.sum()
writable[:] = 1
'''

SCRIPTS['pointer after unmap'] = '''
import numpy
memory = Memory(1 << 24)
info = memory.map(Flags.READWRITE)
pointer = numpy.ndarray(1 << 24, 'u1', buffer=info)
memory.unmap(info)
memory.close()
del memory, info
gc.collect()
pointer[:] = 1
assert pointer.sum() == 1 << 24
'''

SCRIPTS['pointer after the boxed pointer was cleared'] = '''
import numpy
for make in (lambda: Memory(1 << 24), lambda: Memory(1 << 24).map(Flags.READWRITE)):
    thing = make()
    pointer = numpy.ndarray(1 << 24, 'u1', buffer=thing)
    attempt(thing._clear_boxed)
    pointer[:] = 1
'''

# What an argument's __index__() does meanwhile.
SCRIPTS['close while slicing'] = '''
class Closing:
    def __init__(self, memory): self.memory = memory
    def __index__(self):
        self.memory.close()
        return 0
    __int__ = __index__
for use in (lambda m, i: m[i:], lambda m, i: m[:i], lambda m, i: m.share(i, -1), lambda m, i: m.copy(i, -1),
            lambda m, i: m.fill(i, -1, 0), lambda m, i: m.read(i, -1), lambda m, i: m.write(i, b'abc'),
            lambda m, i: m.resize(i, 100), lambda m, i: m.is_aligned(i), lambda m, i: m.map(i)):
    for make in (lambda: Memory(1 << 24), lambda: Memory(1 << 24)[1:], lambda: Memory.wrap(bytearray(1 << 24))):
        memory = make()
        result = attempt(use, memory, Closing(memory))
        del memory
        gc.collect()
        for read in (bytes, len, lambda r: bytes(r[1:]), lambda r: r.get_parent(), lambda r: r.close()):
            attempt(read, result)
        del result
'''

SCRIPTS['clear while slicing'] = SCRIPTS['close while slicing'].replace(
    'self.memory.close()', 'self.memory._clear_boxed()')

SCRIPTS['a list that changes while it is merged'] = '''
memories = [Memory(1 << 20) for _ in range(200)]
outcome = []
thread = threading.Thread(target=lambda: outcome.append(attempt(Memory.merge_list, memories)))
thread.start()
time.sleep(0.02)
memories.clear()
gc.collect()
thread.join()
assert len(outcome) == 1
'''

# The lists are long, so that the merge takes a while; the resize has to come in the midst of it.
SCRIPTS['a resize while a span is merged'] = '''
for delay in range(14):
    memory = Memory(1000)
    memory.fill(0, -1, 1)
    empty, whole = memory[0:0], memory[0:1000]
    memories = [empty] * 2000000 + [whole]
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(attempt(Memory.merge_list, memories)))
    thread.start()
    time.sleep(0.005)
    start = time.perf_counter()
    while time.perf_counter() < start + 0.0007 * delay:
        pass
    empty.resize(500, 0)
    whole.resize(500, 500)
    thread.join()
    merged = outcome.pop()
    if isinstance(merged, tuple):
        size, offset, maxsize = merged[0].get_sizes()
        assert offset + size <= maxsize
        assert set(bytes(merged[0])) <= {1}
'''

SCRIPTS['a close while a span is merged'] = '''
for _ in range(8):
    memory = Memory(1 << 24)
    empty, whole = memory[0:0], memory[0:1000]
    memories = (empty,) * 3000000 + (whole,)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(attempt(Memory.merge_list, memories)))
    thread.start()
    time.sleep(0.005)
    memory.close(); empty.close(); whole.close()
    thread.join()
    merged = outcome.pop()
    del memory, empty, whole, memories, thread
    gc.collect()
    if isinstance(merged, tuple):
        assert len(bytes(merged[0])) == 1000
        del merged
'''

# PyGObject lends a handler what is in the values of a signal; ours it may keep.
SCRIPTS['blocks in signals'] = '''
class Source(GObject.Object):
    memory = GObject.Property(type=Memory)
    @GObject.Signal(arg_types=(Memory,), return_type=Memory)
    def arrived(self, memory):
        return memory
    @GObject.Signal(arg_types=(Quire.Mapping,))
    def mapped(self, info):
        pass

source, kept = Source(), []
def keep(source, thing):
    kept.append(thing)
    return thing
def close(source, memory):
    memory.close()
source.connect('arrived', keep)
source.connect('mapped', keep)
result = source.emit('arrived', Memory(1 << 24))
gc.collect()
assert len(bytes(result)) == 1 << 24
del result
assert len(bytes(kept[0])) == 1 << 24
source.emit('mapped', Memory(1 << 24).map())
gc.collect()
assert len(bytes(kept[1])) == 1 << 24
kept[1].release()
kept.clear()

closing = Source()
closing.connect('arrived', close)
memory = Memory(1 << 24)
attempt(closing.emit, 'arrived', memory)
assert len(bytes(memory)) == 1 << 24
source.memory = memory
del memory
gc.collect()
assert len(bytes(source.memory)) == 1 << 24
value = GObject.Value(Memory, source.memory)
memories = [value.get_boxed(), value.get_value()]
source.memory = None
del value
gc.collect()
assert all(len(bytes(memory)) == 1 << 24 for memory in memories)
'''

SCRIPTS['deep nesting of wraps'] = '''
memory = Memory(16)
for _ in range(100000):
    memory = Memory.wrap(memory)
memoryview(memory)[0] = 1
del memory
gc.collect()
'''

SCRIPTS['deep nesting of bytes'] = '''
for again in (lambda m: m.to_bytes(), lambda m: m[1:].to_bytes(), lambda m: m[:].to_bytes().new_from_bytes(0, 100)):
    memory = Memory(100100)
    for _ in range(100000):
        memory = Memory.new_from_bytes(again(memory))
    assert len(bytes(memory)) >= 100
    del memory
    gc.collect()
'''

SCRIPTS['deep nesting of the bytes of maps'] = '''
memory = Memory(16)
for _ in range(100000):
    memory = Memory.new_from_bytes(memory.map().view_bytes())
assert len(bytes(memory)) == 16
del memory
gc.collect()
'''

SCRIPTS['wrapped exporters that change'] = '''
import array
for exporter, change in ((bytearray(100), lambda e: e.extend(b'abc')),
                         (array.array('i', range(9)), lambda e: e.append(1)),
                         (mmap.mmap(-1, 4096), lambda e: e.close()), (mmap.mmap(-1, 4096), lambda e: e.resize(8192)),
                         (memoryview(bytearray(9)), lambda e: e.release()), (bytearray(8), lambda e: e.clear())):
    memory = Memory.wrap(exporter)
    assert isinstance(attempt(change, exporter), (BufferError, SystemError)), exporter
    memory.fill(0, -1, 1)
    share = memory[1:]
    del exporter
    gc.collect()
    assert set(bytes(share)) == {1}
    memory.close()
    del memory
    bytes(share)
'''

SCRIPTS['released views'] = '''
memory = Memory(16)
view = memoryview(memory)
view.release(); view.release()
assert isinstance(attempt(Memory.wrap, view), ValueError)
cast = memoryview(memory).cast('I').cast('B', (4, 4))
wrapped = Memory.wrap(cast)
attempt(cast.release)
wrapped.fill(0, -1, 7)
del cast
assert bytes(wrapped) == bytes(7 for _ in range(16))
with memoryview(memory) as view:
    attempt(memory.map, Flags.READ | Flags.UNIQUE)
'''

SCRIPTS['finalizers'] = '''
class Holder:
    def __init__(self):
        self.memory = Memory(1 << 20)
        self.info = self.memory.map(Flags.READWRITE)
        self.view = memoryview(self.info)
        self.itself = self
    def __del__(self):
        self.view[0] = 1
        attempt(self.memory.unmap, self.info)
        self.memory.close()
        self.view[1] = 2
        self.info.release()
for _ in range(20):
    Holder()
gc.collect()
class Exporter(bytearray):
    def __del__(self): Memory.wrap(bytearray(5))[1:]; gc.collect()
for _ in range(20):
    Memory.wrap(Exporter(10))[1:].to_bytes()
'''

SCRIPTS['cycles'] = '''
for _ in range(50):
    memory = Memory(1 << 16)
    memory.view = memoryview(memory)
    memory.info = info = memory.map(Flags.READWRITE)
    info.memory_too = memory
    info.view = info.data
    exporter = type('Exporter', (bytearray,), {})(100)
    exporter.block = Memory.wrap(exporter)
    del memory, info, exporter
gc.collect()
'''

# It comes before the block is given up, or after.
SCRIPTS['a finalizer keeps an address'] = '''
import numpy
kept = []
class Exporter(bytearray):
    def __del__(self):
        if not self.block.closed:
            kept.append(numpy.ndarray(len(self), 'u1', buffer=self.block))
for _ in range(20):
    exporter = Exporter(b'\\7' * (1 << 20))
    exporter.block = Memory.wrap(exporter)
    del exporter
    gc.collect()
    for _ in range(3):
        bytearray(1 << 20)
    for numbers in kept:
        assert numbers.min() == numbers.max() == 7
        numbers[:] = 7
assert kept
'''

SCRIPTS['views at exit'] = '''
import numpy
memory = Memory(1 << 20)
view, numbers = memoryview(memory), numpy.frombuffer(memory, 'u1')
info = memory.map(Flags.READWRITE)
context = memory.map(Flags.READWRITE).__enter__()
pointer = numpy.ndarray(5, 'u1', buffer=info)
wrapped = Memory.wrap(bytearray(100))
wrapped_array = Memory.wrap(numpy.zeros(100))
shown = wrapped.to_bytes()
sys.everything = [memory, view, numbers, info, context, pointer, wrapped, shown, wrapped_array]
sys.everything.append(sys.everything)
sys.modules['kept'] = wrapped
'''

SCRIPTS['use at exit'] = '''
memory = Memory(1 << 20)
wrapped = Memory.wrap(bytearray(100))
def leave():
    global memory, wrapped
    view = memoryview(memory)
    memory.close()
    view[0] = 1
    share = wrapped[1:]
    memory = wrapped = None
    assert bytes(share) == bytes(99)
    Memory.wrap(bytearray(5)).to_bytes()
atexit.register(leave)
class Late:
    def __init__(self): self.memory, self.view = memory, memoryview(memory)
    def __del__(self):
        self.view[0] = 1
        self.memory.close()
sys.late = Late()
'''

SCRIPTS['tensors at exit'] = '''
import numpy
memory = Memory(1 << 20)
numbers = numpy.from_dlpack(memory)
again = Memory.from_dlpack(memory)
imported = Memory.from_dlpack(numpy.zeros(1 << 20))
capsules = [memory.__dlpack__(), memory.__dlpack__(max_version=(1, 0))]
buffers = []
pickled = pickle.dumps(memory, 5, buffer_callback=buffers.append)
sys.everything = [memory, numbers, again, imported, capsules, buffers, imported.to_bytes()]
sys.everything.append(sys.everything)
'''

SCRIPTS['iterators at exit'] = '''
memory = Memory(1 << 20)
iterators = [iter(memory), reversed(memory), memory.cast('I')]
next(iterators[0])
sys.everything = [memory, iterators]
sys.everything.append(sys.everything)
'''

# PyGObject itself hangs there when it imports GLib, which comes before Quire's override. What
# can be reached without that is refused.
SCRIPTS['a subinterpreter'] = '''
import _xxsubinterpreters
memory = Memory(100, fill=1)
for program in ('import gi.overrides._quire', 'import gi.overrides._quire_pickle'):
    interpreter = _xxsubinterpreters.create()
    error = attempt(_xxsubinterpreters.run_string, interpreter, program)
    assert isinstance(error, _xxsubinterpreters.RunFailedError), error
    assert 'ImportError' in str(error) and 'subinterpreter' in str(error), error
    _xxsubinterpreters.destroy(interpreter)
assert bytes(memory) == b'\\1' * 100
assert isinstance(attempt(memory.map, 0), Quire.Error.NotSupported)
'''

SCRIPTS['a second import'] = '''
import importlib
memory = Memory(100, fill=1)
before = _quire.MemoryBase
for name in ('gi.overrides._quire', 'gi.overrides._quire_error'):
    del sys.modules[name]
again = importlib.import_module('gi.overrides._quire')
assert again is not _quire and again.MemoryBase is before
assert bytes(memory[5:]) == b'\\1' * 95
assert isinstance(attempt(memory.map, 0), GLib.Error)
'''

SCRIPTS['a fork with all kinds of things'] = '''
import numpy
exporter = bytearray(100)
memory = Memory.wrap(exporter)
things = [memoryview(memory), memory.map(Flags.READWRITE), iter(Memory(10)), numpy.from_dlpack(Memory(10)),
          Memory(10)[5:], Memory(10).to_bytes(), Memory(1 << 20, fill=1), memory.__dlpack__()]
for _ in range(3):
    child = os.fork()
    if child == 0:
        things.clear()
        del memory
        Memory(1 << 20, fill=2).copy()
        gc.collect()
        threading.Thread(target=lambda: Memory(1 << 20, fill=2).copy()).start()
        exporter.append(1)
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert memoryview(memory).nbytes == 100
'''

# There is nobody left to give the buffer back to.
SCRIPTS['a wrapped exporter goes after the interpreter'] = '''
libc, glib = ctypes.CDLL(None), ctypes.CDLL('libglib-2.0.so.0')
glib.g_bytes_ref.argtypes = [ctypes.c_void_p]
libc.__cxa_atexit.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
shown = Memory.wrap(bytearray(100)).to_bytes()
# The hash of a boxed object is its address.
glib.g_bytes_ref(hash(shown))
libc.__cxa_atexit(ctypes.cast(glib.g_bytes_unref, ctypes.c_void_p), hash(shown), None)
'''

SCRIPTS['exit from a with'] = '''
with Memory(100).map(Flags.WRITE) as view, Memory(100)[:] as share:
    sys.exit(0)
'''

SCRIPTS['a signal while reading'] = '''
reader, writer = os.pipe()
memory = Memory(10)
class Enough(Exception): pass
def handle(*arguments):
    assert isinstance(attempt(lambda: memory[:]), GLib.Error)
    memory.close()
    raise Enough
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.05)
with open(reader, 'rb', buffering=0) as file:
    assert isinstance(attempt(file.readinto, memory), Enough)
del memory
gc.collect()
'''

SCRIPTS['fork with views'] = '''
import numpy
memory = Memory.wrap(bytearray(100))
view, info, share = memoryview(memory), memory.map(Flags.READWRITE), Memory(10)[:]
numbers = numpy.frombuffer(memory, 'u1')
child = os.fork()
if child == 0:
    numbers[:] = 1
    view.release(); info.release(); share.close()
    del memory, numbers
    gc.collect()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert bytes(memory) == bytes(100)
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
'''


@pytest.mark.parametrize('name', SCRIPTS)
def test_script(name: str, run_all: RunAll) -> None:
    check_survived(run_all(SCRIPTS)[name].result())
