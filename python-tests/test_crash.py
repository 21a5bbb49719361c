# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Whatever a script does, the interpreter does not crash.

Each script runs in an interpreter of its own, with the debug allocators of Python and
of the C library, and with GLib's criticals fatal. It must end as scripts do.
"""

import pytest

SCRIPTS = {}


SCRIPTS['bare objects'] = '''
for cls in (Memory, Quire.Mapping, Quire.MapInfo, Memory.__mro__[2], Quire.Mapping.__mro__[2]):
    for arguments in ((), (None,), ('5',), ([],), (1, 2, 3)):
        assert isinstance(attempt(cls, *arguments), Exception), cls
for base in Memory.__mro__[1:]:
    for cls in (Memory, Quire.Mapping):
        attempt(base.__new__, cls)
        attempt(base.__init__, Memory(5))
        attempt(base.__init__, Memory(5).map())
        attempt(base.__new__, cls, 5)
'''

SCRIPTS['bases alone'] = '''
class Nothing(_quire.MemoryBase): pass
class Neither(_quire.MappingBase): pass
class Foreign(_quire.MemoryBase, Quire.AllocationParams): pass
others = [_quire.MemoryBase(), _quire.MappingBase(), Nothing(), Neither(), GLib.Bytes.new(b'abc'),
          attempt(Foreign), attempt(Foreign.new), Quire.AllocationParams.new(), 5, None, 'text', object]
for other in others:
    for use in (memoryview, len, bytes, lambda o: o[1:2], lambda o: o + o, lambda o: o.map(), lambda o: o.close(),
                lambda o: o.unmap(o), lambda o: o.closed, lambda o: Memory(1) + o, lambda o: o + Memory(1),
                lambda o: Memory(1).unmap(o), _quire.check_open, Memory.wrap):
        attempt(use, other)
    for cls in (Memory, Quire.Mapping):
        for name in dir(cls):
            member = getattr(cls, name, None)
            if callable(member) and name not in ('__class__', '__init_subclass__', '__subclasshook__', '_clear_boxed'):
                attempt(member, other)
                attempt(member, other, other)
            attempt(lambda: vars(cls)[name].__get__(other))
'''

SCRIPTS['every call with every argument'] = '''
def arguments():
    yield from ((), (None,), (0,), (-1,), (1 << 62,), (1 << 64,), (1.5,), ('x',), (b'x',), ([],), (object(),))
    yield from ((0, -1), (-1, -1), (1 << 62, 1 << 62), ((1 << 63) - 1, (1 << 63) - 1), (None, None), ('a', 'b'))
    yield from ((0, -1, 5), (0, -1, None, None), (0, -1, 0, 0), (Flags.READ,), (Flags.UNIQUE,), (int, int))
    yield from ((Memory(5),), (Memory(5), Memory(5)), (Memory(5).map(),), (GLib.Bytes.new(b'abc'),))
    closed = Memory(5); closed.close()
    yield from ((closed,), ([closed],), ([closed, Memory(1)],), (0, -1, Gio.MemoryInputStream.new(), None))

def things():
    yield Memory(5)
    yield Memory(0)
    yield Memory(10)[2:4]
    yield Memory.wrap(bytearray(5))
    yield Memory(5).map(Flags.READ)
    yield Memory(5).map(Flags.WRITE)
    closed = Memory(5); closed.close(); yield closed
    ended = Memory(5).map(); ended.release(); yield ended

# What PyGObject has for all types has scripts of its own.
skipped = {'__class__', '__init_subclass__', '__subclasshook__', '__setattr__', '__delattr__', '_clear_boxed'}
for name in sorted(set(dir(Memory)) | set(dir(Quire.Mapping))):
    if name in skipped:
        continue
    for thing in things():
        for argument in arguments():
            member = attempt(getattr, thing, name)
            if callable(member):
                attempt(member, *argument)
            attempt(repr, thing)
        attempt(len, thing)
        attempt(bytes, thing)
gc.collect()
'''

SCRIPTS['assignment to any attribute'] = '''
for make in (lambda: Memory(64), lambda: Memory(64).map(), lambda: Memory(64).map(Flags.READWRITE)):
    for name in (*dir(make()), '_views', 'anything', '__foo__'):
        for value in (None, 5, -1, 'x', [], [5], {}, (), object(), Memory, Quire.Mapping, int, GLib.Bytes,
                      Memory(3), b'abc', lambda *arguments: 5, 1 << 64, [memoryview(b'abc')]):
            thing = make()
            view = memoryview(thing)
            attempt(setattr, thing, name, value)
            for use in (len, bytes, lambda t: t.map(), lambda t: t.__enter__(), lambda t: t.get_size(),
                        lambda t: t.get_sizes(), lambda t: t.release(), lambda t: t[1:2], lambda t: t.data, repr,
                        lambda t: t.__exit__(None, None, None), hash, lambda t: t == t, lambda t: t.close()):
                attempt(use, thing)
            view.release()
        thing = make()
        view = memoryview(thing)
        attempt(delattr, thing, name)
        attempt(bytes, thing)
        attempt(thing.__exit__, None, None, None)
'''

SCRIPTS['assignment to any attribute of a class'] = '''
for name in sorted(set(dir(Memory)) | set(dir(Quire.Mapping)) | {'__bases__', '__mro__', '__name__', '__abc__'}):
    for value in (None, 5, object(), lambda *arguments: None, property(), [], (object,), (Quire.Mapping,)):
        class Frame(Memory):
            pass
        frame = Frame(16)
        view = memoryview(frame)
        attempt(setattr, Frame, name, value)
        attempt(setattr, _quire.MemoryBase, name, value) if name.startswith('_x') else None
        for use in (Frame, lambda n: frame[:n], lambda n: memoryview(frame), lambda n: len(frame), lambda n: frame + frame,
                    lambda n: frame.close(), lambda n: repr(frame), lambda n: frame.get_sizes()):
            attempt(use, 5)
        attempt(view.release)
        attempt(delattr, Frame, name)
        del frame, view
gc.collect()
'''

SCRIPTS['change of class'] = '''
class Frame(Memory): pass
class Other(Memory): pass
classes = [Memory, Frame, Other, Quire.Mapping, GLib.Bytes, Quire.AllocationParams, object, int, bytearray,
           _quire.MemoryBase, _quire.MappingBase, GObject.Object]
for cls in classes:
    for make in (lambda: Memory(100), lambda: Frame(100), lambda: Memory(100).map(Flags.WRITE), lambda: GLib.Bytes.new(b'abc'),
                 Quire.AllocationParams.new):
        thing = make()
        view = attempt(memoryview, thing)
        attempt(setattr, thing, '__class__', cls)
        for name in {*dir(Memory), *dir(Quire.Mapping)}:
            member = attempt(getattr, thing, name)
            if callable(member) and not name.startswith('_'):
                attempt(member)
        attempt(memoryview, thing)
        del view, thing
gc.collect()
'''

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

SCRIPTS['unmap of what is not there'] = '''
memory, other = Memory(100), Memory(1 << 20)
info = memory.map(Flags.WRITE)
share = Memory(10)[:]
for thing in (other, share):
    assert isinstance(attempt(thing.unmap, info), GLib.Error)
memory.unmap(info)
for _ in range(100):
    assert isinstance(attempt(memory.unmap, info), GLib.Error)
    assert isinstance(attempt(other.unmap, info), GLib.Error)
assert memory.describe_lock() == other.describe_lock() == 'free'
assert isinstance(attempt(memory.__class__.__mro__[2].unmap, memory, info), GLib.Error)
'''

SCRIPTS['unlock under a map'] = '''
for flags in (Flags.READ, Flags.WRITE, Flags.READWRITE):
    memory = Memory(1 << 20)
    info = memory.map(flags)
    view = memoryview(info)
    for _ in range(3):
        attempt(memory.unlock, flags)
    attempt(memory.unlock, flags | Flags.EXCLUSIVE)
    attempt(memory.unlock, flags | Flags.UNIQUE)
    view.release()
    info.release()
    # The lock is as before, and counts on.
    assert memory.describe_lock() == 'free', memory.describe_lock()
    with memory.map(Flags.WRITE | Flags.UNIQUE): pass
    memory.lock(flags)
    memory.close()
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

SCRIPTS['the boxed pointer was cleared'] = '''
for make in (lambda: Memory(100), lambda: Memory(100)[:], lambda: Memory(100).map()):
    thing = make()
    attempt(thing._clear_boxed)
    for name in dir(thing):
        member = attempt(getattr, thing, name)
        if callable(member) and not name.startswith('__'):
            for arguments in ((), (0, -1), (0, -1, 0), (Flags.READ,), (0, b'abc'), (Memory(1),), ('system',), (0,), (thing,)):
                attempt(member, *arguments)
    for use in (len, bytes, memoryview, repr, hash, lambda t: t + t, lambda t: t[:], lambda t: Memory.merge_list([t, t])):
        attempt(use, thing)
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

SCRIPTS['clear while slicing'] = SCRIPTS['close while slicing'].replace('.close()\n        return', '._clear_boxed()\n        return')

SCRIPTS['merge_list of nothing'] = '''
for wrong in ([None], [Memory(1), None], [None] * 5, [5], 'text', {}, iter([Memory(1)]), [[Memory(1)]], [GLib.Bytes.new(b'a')],
              {Memory(1): 1}, None, 5, object()):
    assert isinstance(attempt(Memory.merge_list, wrong), TypeError), wrong
    assert isinstance(attempt(Quire.memory_merge_list, wrong), TypeError), wrong
'''

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
for delay in range(16):
    memory = Memory(1000)
    memory.fill(0, -1, 1)
    empty, whole = memory[0:0], memory[0:1000]
    memories = [empty] * 1000000 + [whole]
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(attempt(Memory.merge_list, memories)))
    thread.start()
    time.sleep(0.005)
    start = time.perf_counter()
    while time.perf_counter() < start + 0.0005 * delay:
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
for delay in range(16):
    memory = Memory(1 << 24)
    empty, whole = memory[0:0], memory[0:1000]
    memories = (empty,) * 1000000 + (whole,)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(attempt(Memory.merge_list, memories)))
    thread.start()
    time.sleep(0.005)
    start = time.perf_counter()
    while time.perf_counter() < start + 0.0005 * delay:
        pass
    memory.close(); empty.close(); whole.close()
    thread.join()
    merged = outcome.pop()
    del memory, empty, whole, memories, thread
    gc.collect()
    if isinstance(merged, tuple):
        assert len(bytes(merged[0])) == 1000
        del merged
'''

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
source.memory.close()
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

SCRIPTS['an allocator in Python'] = '''
class Incomplete(Quire.Allocator): pass
allocator = Incomplete()
error = attempt(allocator.alloc, 10, None)
assert isinstance(error, GLib.Error), error
assert error.domain == 'quire-memory-error-quark'
allocator.set_default()
assert isinstance(attempt(Memory, 10), GLib.Error)
assert isinstance(attempt(Memory.wrap(b'abc').copy, 0, -1), GLib.Error)
Quire.Allocator.find('system').set_default()
Quire.Allocator.register('mine', allocator)
attempt(Quire.Allocator.find('mine').alloc, 10, None)
assert isinstance(attempt(Quire.Allocator), TypeError)
attempt(Quire.Allocator.alloc, None, 5, None)
attempt(Quire.Allocator.register, None, None)
assert isinstance(attempt(GObject.new, Quire.Allocator), TypeError)
other = attempt(type(Quire.Allocator.find('system')))
assert bytes(attempt(other.alloc, 5, None) + Memory(1)[:]) is not None
del allocator, other
gc.collect()
Memory(5)
'''

SCRIPTS['parameters of all kinds'] = '''
for name in ('flags', 'align', 'prefix', 'padding'):
    for value in (0, 1, 5, 255, 1 << 8, 1 << 9, 1 << 10, 0xff00, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 62, 1 << 63, (1 << 64) - 1,
                  -1, None, 'x', 1.5, []):
        params = Quire.AllocationParams.new()
        attempt(setattr, params, name, value)
        for size in (0, 100, 1 << 62, (1 << 64) - 1):
            memory = attempt(Memory.new_with_params, size, params)
            if isinstance(memory, Memory) and len(memory) < 1000:
                attempt(bytes, memory)
                share = attempt(memory.share, 0, -1)
                attempt(bytes, share)
                attempt(memory.copy, 0, -1)
                del memory
                attempt(bytes, share)
copied = params.copy()
del params
attempt(Memory.new_with_params, 10, copied)
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
memory = Memory(16)
for _ in range(100000):
    memory = Memory.new_from_bytes(memory.to_bytes())
assert len(bytes(memory)) == 16
del memory
gc.collect()
'''

SCRIPTS['wrapped exporters that change'] = '''
import array
for exporter, change in ((bytearray(100), lambda e: e.extend(b'abc')), (array.array('i', range(9)), lambda e: e.append(1)),
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

SCRIPTS['duplicates'] = '''
for thing in (Memory(5), Memory(5).map(), Memory(5)[:]):
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps, lambda t: pickle.dumps(t, 5), lambda t: t.__reduce__(),
                      lambda t: t.__reduce_ex__(4), lambda t: t.__getstate__(), lambda t: copy.replace(t),
                      lambda t: t.__class__.__new__(t.__class__), lambda t: GObject.GBoxed.copy(t)):
        result = attempt(duplicate, thing)
        attempt(bytes, result)
    weakref.ref(thing)(), weakref.proxy(thing).__class__
    repr(thing), str(thing), hash(thing), thing == thing, thing != 5, {thing: 1}
'''

SCRIPTS['strange subclasses'] = '''
class Slots(Memory): __slots__ = ('x',)
class Empty(Memory): __slots__ = ()
class Twice(Memory, _quire.MemoryBase): pass
class NoInit(Memory):
    def __init__(self): pass
class NoNew(Memory):
    def __new__(cls, *arguments): return None
class Other(Memory):
    def __new__(cls, *arguments): return Memory(5).map()
class Dying(Memory):
    def __del__(self): self.close(); self.kept = memoryview(self) if not self.closed else None
class Rising(Memory):
    risen = []
    def __del__(self): Rising.risen.append(self)
class Overriding(Memory):
    def __len__(self): return 1 << 40
    def __getitem__(self, key): return self
    def get_sizes(self): return None
for cls in (Slots, Empty, Twice, NoInit, NoNew, Other, Dying, Rising, Overriding):
    for arguments in ((), (5,), (5, 5)):
        thing = attempt(cls, *arguments)
        for use in (len, bytes, memoryview, lambda t: t[:], lambda t: t + t, lambda t: t.close()):
            attempt(use, thing)
        del thing
gc.collect()
for memory in Rising.risen:
    attempt(bytes, memory)
attempt(type, 'X', (Memory, bytearray), {})
attempt(type, 'X', (Memory, Quire.Mapping), {})
attempt(type, 'X', (Quire.Mapping, bytes), {})
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

SCRIPTS['deep recursion'] = '''
memory = Memory(10)
def recurse():
    with memory.map(Flags.READWRITE) as view:
        recurse()
assert isinstance(attempt(recurse), RecursionError)
assert memory.describe_lock() == 'free'
'''

SCRIPTS['no memory to be had'] = '''
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
assert isinstance(attempt(Memory, 1 << 31), GLib.Error)
source = Memory(400 << 20)
assert isinstance(attempt(source.copy, 0, -1), (GLib.Error, Memory))
copies = [attempt(source.copy, 0, -1) for _ in range(5)]
assert isinstance(copies[-1], GLib.Error)
assert isinstance(attempt(lambda: source + source), GLib.Error)
assert source.describe_lock() == 'free'
'''


@pytest.mark.parametrize('name', SCRIPTS)
def test_script(name, run_all):
    result = run_all(SCRIPTS)[name].result()
    assert result.returncode == 0, result.stderr[-4000:]
    # Nothing went wrong behind the back of the script either.
    assert 'Traceback' not in result.stderr, result.stderr[-4000:]
    assert 'CRITICAL' not in result.stderr, result.stderr[-4000:]
