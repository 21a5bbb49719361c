# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Whatever a script does to objects and calls, the interpreter does not crash.

Each script runs in an interpreter of its own, with the debug allocators of Python and
of the C library, and with GLib's criticals fatal. It must end as scripts do.
"""

import pytest

from helpers import SANITIZED, RunAll, Scripts, check_survived

SCRIPTS: Scripts = {}

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
class Foreign(_quire.MemoryBase, GLib.Bytes): pass
others = [_quire.MemoryBase(5), attempt(_quire.MemoryBase), attempt(_quire.MappingBase), Nothing(5), attempt(Neither), GLib.Bytes.new(b'abc'),
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
        for use in (Frame, lambda n: frame[:n], lambda n: memoryview(frame), lambda n: len(frame),
                    lambda n: frame + frame, lambda n: frame.close(), lambda n: repr(frame),
                    lambda n: frame.get_sizes()):
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
    for make in (lambda: Memory(100), lambda: Frame(100), lambda: Memory(100).map(Flags.WRITE),
                 lambda: GLib.Bytes.new(b'abc'), Quire.AllocationParams.new):
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

SCRIPTS['the boxed pointer was cleared'] = '''
for make in (lambda: Memory(100), lambda: Memory(100)[:], lambda: Memory(100).map()):
    thing = make()
    attempt(thing._clear_boxed)
    for name in dir(thing):
        member = attempt(getattr, thing, name)
        if callable(member) and not name.startswith('__'):
            for arguments in ((), (0, -1), (0, -1, 0), (Flags.READ,), (0, b'abc'), (Memory(1),), ('system',), (0,),
                              (thing,)):
                attempt(member, *arguments)
    for use in (len, bytes, memoryview, repr, hash, lambda t: t + t, lambda t: t[:],
                lambda t: Memory.merge_list([t, t])):
        attempt(use, thing)
'''

SCRIPTS['merge_list of nothing'] = '''
def failing():
    yield Memory(1)
    raise TypeError
for wrong in ([None], [Memory(1), None], [None] * 5, [5], 'text', iter([Memory(1), 5]), [[Memory(1)]],
              [GLib.Bytes.new(b'a')], {1: Memory(1)}, None, 5, object(), failing(), Memory(1)):
    for merge_list in (Memory.merge_list, Quire.memory_merge_list):
        assert isinstance(attempt(merge_list, wrong), (TypeError, GLib.Error)), wrong
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
no_numbers = (-1, None, 'x', 1.5, [], 1 << 64)
for name, values in (('flags', (0, *(1 << bit for bit in range(32)), 0xff00, (1 << 32) - 1)),
                     ('align', (0, 1, 5, 255, (1 << 16) - 1, 1 << 62, (1 << 63) - 1, (1 << 64) - 1)),
                     ('prefix', (0, 1, 255, 1 << 16, 1 << 62, 1 << 63, (1 << 64) - 1)),
                     ('padding', (0, 1, 255, 1 << 16, 1 << 62, 1 << 63, (1 << 64) - 1))):
    for value in (*values, *no_numbers):
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

SCRIPTS['duplicates'] = '''
for thing in (Memory(5), Memory(5).map(), Memory(5)[:]):
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps, lambda t: pickle.dumps(t, 5), lambda t: t.__reduce__(),
                      lambda t: t.__reduce_ex__(4), lambda t: t.__getstate__(), lambda t: copy.replace(t),
                      lambda t: t.__class__.__new__(t.__class__), lambda t: GObject.GBoxed.copy(t)):
        result = attempt(duplicate, thing)
        attempt(bytes, result)
    weakref.ref(thing)(), weakref.proxy(thing).__class__
    repr(thing), str(thing), attempt(hash, thing), thing == thing, thing != 5, {id(thing): 1}
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
resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))
assert isinstance(attempt(Memory, 1 << 30), GLib.Error)
source = Memory(150 << 20)
assert isinstance(attempt(source.copy, 0, -1), (GLib.Error, Memory))
copies = [attempt(source.copy, 0, -1) for _ in range(5)]
assert isinstance(copies[-1], GLib.Error)
assert isinstance(attempt(lambda: source + source), GLib.Error)
assert source.describe_lock() == 'free'
'''


@pytest.mark.parametrize('name', SCRIPTS)
def test_script(name: str, run_all: RunAll) -> None:
    if name == 'no memory to be had' and SANITIZED:
        pytest.skip('the sanitizer wants more of it than there is')
    check_survived(run_all(SCRIPTS)[name].result())
