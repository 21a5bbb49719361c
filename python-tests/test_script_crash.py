# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Whatever an allocator that is written in Python does, the interpreter does not crash.
Each script runs in an interpreter of its own, as those of test_crash.py.
"""

import pytest

from helpers import check_survived, run_script

BASE = '''
class Own(Quire.Allocator):
    def do_alloc(self, size, params):
        return self.bind(Memory(size), [size])
    def do_mapped(self, memory, flags):
        pass
    def do_unmapped(self, memory):
        pass
    def do_released(self, state):
        pass
'''

SCRIPTS = {}

SCRIPTS['exit with blocks alive'] = BASE + '''
own = Own()
kept = [own.alloc(10) for _ in range(10)]
views = [memoryview(memory) for memory in kept[:5]]
arrays = [memory.map() for memory in kept[5:]]
kept.append(own.alloc(7).to_bytes())
'''

SCRIPTS['exit with C holding the last reference'] = BASE + '''
stream = Gio.MemoryInputStream.new_from_bytes(Own().alloc(100).to_bytes())
gobject = ctypes.CDLL('libgobject-2.0.so.0')
gobject.g_object_ref.argtypes = [ctypes.c_void_p]
# Dropped when the interpreter has gone: functions of C's atexit() run later.
gobject.g_object_ref(hash(stream))
ctypes.CDLL('libc.so.6').__cxa_atexit(gobject.g_object_unref, ctypes.c_void_p(hash(stream)), None)
'''

SCRIPTS['default at exit'] = BASE + '''
own = Own()
own.set_default()
kept = [Memory(5), Memory(6)[1:2], Memory(7).to_bytes()]
class Late:
    def __del__(self):
        attempt(lambda: own.alloc(5))
        attempt(lambda: memoryview(kept[0]))
        attempt(lambda: Quire.Memory.new(5))
late = Late()
sys.late = Late()
'''

SCRIPTS['used at exit'] = BASE + '''
own = Own()
memory = own.alloc(8)
@atexit.register
def late():
    with memory.map() as view:
        assert len(view) == 8
    own.alloc(9)
'''

SCRIPTS['threads at exit'] = BASE + '''
own = Own()
stop = False
def work():
    while True:
        memory = own.alloc(64)
        bytes(memory[:3])
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
'''

SCRIPTS['recursion without end'] = '''
class Endless(Quire.Allocator):
    def do_alloc(self, size, params):
        return self.alloc(size + 1)
    def do_mapped(self, memory, flags):
        self.alloc(1)
    def do_released(self, state):
        self.bind(Memory(1))
error = attempt(Endless().alloc, 1)
assert isinstance(error, GLib.Error), error
assert 'within one another' in error.message, error
class Maps(Endless):
    def do_alloc(self, size, params):
        block = self.bind(Memory(size))
        bytes(block)
        return block
    def do_released(self, state):
        pass
assert isinstance(attempt(Maps().alloc, 1), (GLib.Error, Memory))
def in_thread():
    attempt(Endless().alloc, 1)
threading.stack_size(256 * 1024)
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
'''

SCRIPTS['released without end'] = '''
class Endless(Quire.Allocator):
    left = 5000
    def do_alloc(self, size, params):
        return self.bind(Memory(size))
    def do_released(self, state):
        self.left -= 1
        if self.left:
            self.alloc(1)
own = Endless()
own.alloc(1)
assert own.left == 0
'''

SCRIPTS['blocks over blocks'] = BASE + '''
own = Own()
memory = Memory(8)
for _ in range(100000):
    memory = own.bind(memory)
del memory
memory = None
for _ in range(100000):
    memory = own.bind(Memory(1), memory)
del memory
'''

SCRIPTS['handles closed within'] = '''
class Closing(Quire.Allocator):
    def do_alloc(self, size, params):
        backing = Memory(size)
        block = self.bind(backing, backing)
        attempt(backing.close)
        return block
    def do_mapped(self, memory, flags):
        kept.append(memory)
        target[0].close()
        gc.collect()
    def do_unmapped(self, memory):
        memory.close()
        memory.close()
        target[0].close()
    def do_released(self, state):
        attempt(state.close)
        attempt(bytes, state)
kept = []
target = [None]
own = Closing()
for use in (lambda m: memoryview(m).release(), lambda m: m.map().release(), bytes, lambda m: m.copy(0, -1),
            lambda m: m.fill(0, -1, 1), lambda m: m + m, lambda m: m.to_bytes(), lambda m: m[2:5].map(),
            lambda m: m.unmap(m.map()), lambda m: m.make_mapped(Flags.READ)):
    target[0] = own.alloc(8)
    attempt(use, target[0])
    for memory in list(kept):
        attempt(bytes, memory)
    kept.clear()
target[0] = None
gc.collect()
'''

SCRIPTS['rubbish from every function'] = '''
class Giving(Quire.Allocator):
    def do_alloc(self, size, params):
        return self.value
    def do_mapped(self, memory, flags):
        return self.value
    def do_unmapped(self, memory):
        return self.value
    def do_released(self, state):
        return self.value
own = Giving()
values = [None, 5, -1, 1.5, 'x', b'x', [], {}, object(), Memory, Memory(8), Memory(8).map(), Giving, Quire.Allocator,
          own, lambda: 1, GLib.Bytes.new(b'abc'), Quire.AllocationParams(), Memory(8)[1:2]]
for value in values:
    own.value = value
    assert isinstance(attempt(own.alloc, 8), GLib.Error)
    block = own.bind(Memory(8), value)
    assert len(bytes(block)) == 8
    del block
own.value = None
gc.collect()
'''

SCRIPTS['methods that are none'] = '''
for value in (None, 5, 'x', [], object(), int, property(), staticmethod(lambda: 1), classmethod(lambda cls, *a: None),
              type('Callable', (), {'__call__': lambda self, *a: None})(), lambda: None, Memory):
    cls = attempt(type, 'Own', (Quire.Allocator,), {
        'do_alloc': value, 'do_mapped': value, 'do_unmapped': value, 'do_released': value})
    if isinstance(cls, Exception):
        continue
    sys.unraisablehook = lambda args: None
    own = attempt(cls)
    attempt(own.alloc, 8)
    block = attempt(own.bind, Memory(8), 5)
    attempt(bytes, block)
    for name in ('do_alloc', 'do_mapped', 'do_unmapped', 'do_released'):
        attempt(delattr, cls, name)
    attempt(own.alloc, 8)
    attempt(bytes, block)
    del block
    gc.collect()
'''

SCRIPTS['fork'] = BASE + '''
own = Own()
memory = own.alloc(8)
view = memoryview(memory)
pid = os.fork()
if pid == 0:
    view[0] = 1
    view.release()
    del memory
    own.alloc(9)
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
own.alloc(3)
'''

SCRIPTS['gc in every function'] = '''
class Collecting(Quire.Allocator):
    def do_alloc(self, size, params):
        gc.collect()
        block = self.bind(Memory(size), self)
        gc.collect()
        return block
    def do_mapped(self, memory, flags):
        gc.collect()
    def do_unmapped(self, memory):
        gc.collect()
    def do_released(self, state):
        assert state is self
        gc.collect()
gc.set_threshold(1)
for _ in range(20):
    memory = Collecting().alloc(8)
    bytes(memory[1:3])
'''

SCRIPTS['no init'] = BASE + '''
class Lazy(Own):
    def __init__(self):
        pass
lazy = attempt(Lazy)
for use in (lambda: lazy.alloc(8), lambda: lazy.bind(Memory(3)), lambda: lazy.get_state(Memory(3)),
            lambda: lazy.set_home(), lambda: lazy.set_default(), lambda: lazy.do_alloc(3, None)):
    attempt(use)
bare = attempt(Own.__new__, Own)
for use in (lambda: bare.alloc(8), lambda: bare.bind(Memory(3)), lambda: bare.get_state(Memory(3)), lambda: bare.get_mem_type()):
    attempt(use)
'''

SCRIPTS['home thread that ends'] = BASE + '''
blocks = []
def home():
    own = Own()
    own.set_home()
    for _ in range(5):
        blocks.append(own.alloc(8))
    blocks.append(own.alloc(8).to_bytes())
thread = threading.Thread(target=home)
thread.start()
thread.join()
assert isinstance(attempt(blocks[0].map), GLib.Error)
while blocks:
    blocks.pop()
gc.collect()
Quire.Allocator.dispatch()
'''


@pytest.mark.parametrize('name', SCRIPTS)
def test_no_crash(name: str) -> None:
    check_survived(run_script(SCRIPTS[name]))
