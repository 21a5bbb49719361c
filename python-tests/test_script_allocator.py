# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Allocators that are written in Python: what they make, what they are told, and that
whatever they do wrong is the error of who called.
"""

import errno
import gc
import mmap
import threading
import weakref

import numpy
import pytest
from gi.repository import Gio, GLib, GObject, Quire

from helpers import DOMAIN, check_survived, refused, run_script

Code = Quire.MemoryError
Flags = Quire.MapFlags


class Recorder(Quire.Allocator):
    """Writes down what it is told."""

    def __init__(self):
        super().__init__()
        self.log = []
        self.count = 0
        self.threads = set()

    def do_alloc(self, size, params):
        self.count += 1
        self.log.append(f'alloc {size}')
        return self.bind(Quire.Memory(size), self.count)

    def do_mapped(self, memory, flags):
        self.threads.add(threading.get_ident())
        self.log.append(f'mapped {self.get_state(memory)} {int(flags)}')

    def do_unmapped(self, memory):
        self.log.append(f'unmapped {self.get_state(memory)}')

    def do_released(self, state):
        self.log.append(f'released {state}')

    def take_log(self):
        log, self.log = self.log, []
        return log


@pytest.fixture
def recorder():
    return Recorder()


def test_life(recorder):
    memory = recorder.alloc(100)
    assert type(memory) is Quire.Memory
    assert len(memory) == 100
    assert memory.get_allocator() is recorder
    assert recorder.take_log() == ['alloc 100']

    memoryview(memory)[3] = 7
    share = memory[2:5]
    assert share.get_allocator() is recorder
    assert recorder.take_log() == ['mapped 1 3', 'unmapped 1']

    del memory
    assert bytes(share)[1] == 7
    assert recorder.take_log() == ['mapped 1 1', 'unmapped 1']
    del share
    assert recorder.take_log() == ['released 1']


def read_into(memory):
    with open('/dev/zero', 'rb', buffering=0) as file:
        file.readinto(memory)


USES = {
    'map': (lambda m: m.map(Flags.WRITE), [2]),
    'with': (lambda m: m.map(Flags.READ).__enter__().release(), [1]),
    'memoryview': (lambda m: memoryview(m), [3]),
    'numpy': (lambda m: numpy.frombuffer(m, numpy.uint8).sum(), [3]),
    'bytes': (lambda m: bytes(m), [3]),
    'to_bytes': (lambda m: m.to_bytes(), [1]),
    'fill': (lambda m: m.fill(0, -1, 1), [2]),
    'write': (lambda m: m.write(0, b'abc'), [2]),
    'read': (lambda m: m.read(0, -1), [1]),
    'copy': (lambda m: m.copy(0, -1), [1]),
    'merge': (lambda m: m + Quire.Memory(1), [1]),
    'compare': (lambda m: m.compare(m), [1, 1]),
    'readinto': (read_into, [3]),
    'stream': (lambda m: m.read_from_stream(0, -1, Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b'abc'))),
               [2]),
    'make_mapped': (lambda m: m.make_mapped(Flags.READ), [1]),
    'questions': (lambda m: (m.is_writable(), m.is_aligned(1), m.describe_lock(), m.get_sizes(), len(m)), []),
}


@pytest.mark.parametrize('name', USES)
def test_pairs(recorder, name):
    use, flags = USES[name]
    memory = recorder.alloc(8)
    recorder.take_log()
    result = use(memory)
    del result
    gc.collect()
    log = recorder.take_log()
    assert [entry for entry in log if entry.startswith('mapped')] == [f'mapped 1 {flag}' for flag in flags]
    assert len(log) == 2 * len(flags)
    assert memory.describe_lock() == 'free'


def test_map_is_a_pair_with_its_lock(recorder):
    memory = recorder.alloc(8)
    info = memory.map(Flags.READ)
    with info as view:
        array = numpy.frombuffer(view, numpy.uint8)
    assert recorder.take_log() == ['alloc 8', 'mapped 1 1']
    del view, array
    assert recorder.take_log() == ['unmapped 1']
    del info

    info = memory.map(Flags.READ)
    memory.unmap(info)
    assert recorder.take_log() == ['mapped 1 1', 'unmapped 1']
    del info
    assert recorder.take_log() == []


def test_closed_handle(recorder):
    memory = recorder.alloc(8)
    view = memoryview(memory)
    memory.close()
    assert recorder.take_log() == ['alloc 8', 'mapped 1 3']
    view.release()
    assert recorder.take_log() == ['unmapped 1']
    # A pointer of ndarray(buffer=...) may still be in somebody's hands.
    del view
    assert recorder.take_log() == []
    del memory
    assert recorder.take_log() == ['released 1']


@pytest.mark.parametrize('state', [None, 0, 'text', [1], object(), (), Quire.Memory(3), GLib.Bytes.new(b'x')],
                         ids=lambda state: type(state).__name__)
def test_state_is_the_very_object(recorder, state):
    found = []
    recorder.do_released = found.append
    block = recorder.bind(Quire.Memory(8), state)
    assert recorder.get_state(block) is state
    assert recorder.get_state(block[1:2]) is state
    assert Recorder().get_state(block) is None
    assert recorder.get_state(Quire.Memory(1)) is None
    del block
    assert len(found) == 1 and found[0] is state


def test_state_goes_with_the_block(recorder):
    class State:
        pass

    state = State()
    weak = weakref.ref(state)
    block = recorder.bind(Quire.Memory(8), state)
    recorder.do_released = lambda state: None
    del state
    assert weak() is not None
    del block
    assert weak() is None


def test_backing_is_free_when_released_is_called():
    class Mapped(Quire.Allocator):
        def do_alloc(self, size, params):
            file = mmap.mmap(-1, size)
            return self.bind(Quire.Memory.wrap(file), file)

        def do_released(self, file):
            # This raises BufferError while somebody has a view.
            file.close()
            closed.append(file.closed)

    closed = []
    memory = Mapped().alloc(mmap.PAGESIZE)
    memoryview(memory)[0] = 1
    del memory
    assert closed == [True]


def test_allocator_lives_with_its_blocks():
    class Named(Quire.Allocator):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def do_alloc(self, size, params):
            return self.bind(Quire.Memory(size), size)

        def do_released(self, state):
            found.append((self.name, state))

    found = []
    allocator = Named('vellum')
    weak = weakref.ref(allocator)
    memory = allocator.alloc(8)
    del allocator
    gc.collect()
    assert memory.get_allocator().name == 'vellum'
    share = memory[0:2]
    del memory
    gc.collect()
    assert found == []
    del share
    gc.collect()
    assert found == [('vellum', 8)]
    assert weak() is None


def test_params():
    class Asked(Quire.Allocator):
        def do_alloc(self, size, params):
            asked.append((size, params))
            return self.bind(Quire.Memory(size + params.prefix + params.padding + params.align))

    asked = []
    params = Quire.AllocationParams()
    params.align, params.prefix, params.padding = 63, 5, 7
    memory = Asked().alloc(10, params)
    size, offset, maxsize = memory.get_sizes()
    assert size == 10 and offset >= 5 and maxsize - offset - size >= 7
    assert memory.is_aligned(63)
    [(size, seen)] = asked
    # It is a copy that may be kept.
    params.prefix = 1000
    assert (size, seen.align, seen.prefix, seen.padding) == (10, 63, 5, 7)

    assert Asked().alloc(3).get_sizes() == (3, 0, 3)
    assert asked[1][1].prefix == 0


def make_giving(result):
    class Giving(Quire.Allocator):
        __gtype_name__ = None

        def do_alloc(self, size, params):
            return result(self, size)

    return Giving()


RUBBISH = {
    'None': (lambda self, size: None, 'do_alloc() returned None'),
    'a number': (lambda self, size: 5, 'TypeError: expected a Quire.Memory, got int'),
    'bytes': (lambda self, size: b'12345678', 'TypeError: expected a Quire.Memory, got bytes'),
    'a class': (lambda self, size: Quire.Memory, 'TypeError'),
    'a map': (lambda self, size: Quire.Memory(size).map(), 'TypeError'),
    'a block of another': (lambda self, size: Quire.Memory(size), 'a block of system'),
    'a share': (lambda self, size: self.bind(Quire.Memory(size))[:], 'a share of'),
    'a small block': (lambda self, size: self.bind(Quire.Memory(size - 1)), 'no place for 8 bytes'),
    'of another such allocator': (lambda self, size: Recorder().bind(Quire.Memory(size)), 'a block of'),
}


@pytest.mark.parametrize('name', RUBBISH)
def test_rubbish(name):
    result, words = RUBBISH[name]
    with refused(Code.FAILED) as caught:
        make_giving(result).alloc(8)
    assert words in caught.value.message


def test_closed_block():
    def closed(self, size):
        block = self.bind(Quire.Memory(size))
        block.close()
        return block

    with refused(Code.FAILED, 8) as caught:
        make_giving(closed).alloc(8)
    assert 'closed' in caught.value.message


def test_the_same_block_twice():
    kept = []

    def same(self, size):
        if not kept:
            kept.append(self.bind(Quire.Memory(size)))
        return kept[0]

    allocator = make_giving(same)
    first = allocator.alloc(8)
    first.fill(0, -1, 7)
    with refused(Code.FAILED, 8) as caught:
        allocator.alloc(8)
    assert 'gave before' in caught.value.message
    assert bytes(first) == bytes(kept[0]) == b'\7' * 8


def test_bind_is_refused(recorder):
    backing = Quire.Memory(8)
    view = memoryview(backing)
    with refused(Code.BUSY, 8):
        recorder.bind(backing)
    view.release()
    block = recorder.bind(backing)
    with refused(Code.BUSY, 8):
        recorder.bind(backing)
    with refused(Code.BUSY, 8):
        backing.map()
    del block
    backing.close()
    with refused(Code.CLOSED):
        recorder.bind(backing)
    with refused(Code.NOT_SUPPORTED) as caught:
        Quire.Allocator.find('system').bind(Quire.Memory(8))
    assert 'system' in caught.value.message
    for backing in (None, b'abc', 5, Quire.Memory):
        with pytest.raises(TypeError):
            recorder.bind(backing)


class Failing(Quire.Allocator):
    """Raises what it is told to."""

    error = None

    def fail(self):
        if self.error is not None:
            raise self.error

    def do_alloc(self, size, params):
        self.fail()
        return self.bind(Quire.Memory(size))

    def do_mapped(self, memory, flags):
        self.fail()

    def do_unmapped(self, memory):
        self.fail()

    def do_released(self, state):
        self.fail()


ERRORS = {
    'ValueError': (ValueError('not so many'), Code.FAILED, 'ValueError: not so many'),
    'no text': (RuntimeError(), Code.FAILED, 'RuntimeError'),
    'MemoryError': (MemoryError('full'), Code.NO_SPACE, 'MemoryError: full'),
    'OSError': (OSError(errno.ENOENT, 'No such thing'), Code.FAILED, 'FileNotFoundError: [Errno 2] No such thing'),
    'not ascii': (KeyError('Blatt \u2767'), Code.FAILED, "KeyError: 'Blatt \u2767'"),
}


@pytest.mark.parametrize('name', ERRORS)
def test_exception_of_alloc(name, capfd):
    error, code, message = ERRORS[name]
    allocator = Failing()
    allocator.error = error
    with refused(code) as caught:
        allocator.alloc(8)
    assert caught.value.message == message
    assert caught.value.__cause__ is error
    assert error.__traceback__ is not None
    # Who called has it; it is not printed, too.
    assert capfd.readouterr().err == ''


MAPS = {
    'map': (lambda m: m.map(Flags.WRITE), GLib.Error),
    'memoryview': (lambda m: memoryview(m), Quire.BufferError),
    'write': (lambda m: m.write(0, b'abc'), GLib.Error),
    'merge': (lambda m: m + Quire.Memory(1), GLib.Error),
}


@pytest.mark.parametrize('name', MAPS)
def test_exception_of_mapped(name, capfd):
    use, kind = MAPS[name]
    allocator = Failing()
    memory = allocator.alloc(8)
    for error, code, message in ERRORS.values():
        allocator.error = error
        with refused(code, kind=kind, unchanged=[memory]) as caught:
            use(memory)
        assert caught.value.message == message
        assert caught.value.__cause__ is error
    allocator.error = None
    use(memory)
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize('use', [lambda m: m.fill(0, -1, 1), lambda m: m.copy(0, -1), lambda m: m.read(0, 4),
                                 lambda m: m.to_bytes(), lambda m: m.compare(m),
                                 lambda m: m.make_mapped(Flags.READ)])
def test_exception_of_mapped_in_other_calls(use):
    allocator = Failing()
    memory = allocator.alloc(8)
    allocator.error = ValueError('not so many')
    with refused(Code.FAILED) as caught:
        use(memory)
    assert caught.value.message == 'ValueError: not so many'
    # The traceback has what do_mapped() was given, such as a share.
    del caught, allocator.error
    gc.collect()
    assert len(memory) == 8
    assert memory.describe_lock() == 'free'


def test_errors_of_glib_come_through_unchanged():
    allocator = Failing()
    memory = allocator.alloc(8)
    allocator.error = GLib.Error.new_literal(Gio.io_error_quark(), 'Not today', Gio.IOErrorEnum.PERMISSION_DENIED)
    for use in (lambda: allocator.alloc(8), lambda: memory.map(), lambda: memory.fill(0, -1, 0)):
        with pytest.raises(GLib.Error) as caught:
            use()
        assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.PERMISSION_DENIED)
        assert caught.value.message == 'Not today'

    # One that is not whole is an exception as any other.
    allocator.error = GLib.Error('Whatever')
    allocator.error.domain = None
    with refused(Code.FAILED) as caught:
        allocator.alloc(8)
    assert 'Whatever' in caught.value.message


def test_map_may_be_refused_by_its_flags():
    class ReadOnly(Quire.Allocator):
        def do_alloc(self, size, params):
            return self.bind(Quire.Memory(size))

        def do_mapped(self, memory, flags):
            if flags & Flags.WRITE:
                raise PermissionError('read only')

    memory = ReadOnly().alloc(8)
    assert memoryview(memory).readonly
    with refused(Code.FAILED, unchanged=[memory]):
        memory.map(Flags.WRITE)
    assert len(bytes(memory)) == 8


@pytest.mark.parametrize('kind', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_ends_of_programs_are_no_errors(kind):
    allocator = Failing()
    memory = allocator.alloc(8)
    allocator.error = kind('now')
    for use in (lambda: allocator.alloc(8), lambda: memory.map(), lambda: memoryview(memory)):
        with pytest.raises(kind) as caught:
            use()
        assert caught.value is allocator.error
    allocator.error = None
    assert memory.describe_lock() == 'free'


def test_exceptions_that_nobody_gets(monkeypatch):
    unraisable = []
    monkeypatch.setattr('sys.unraisablehook', lambda args: unraisable.append((args.exc_value, args.object)))
    allocator = Failing()
    memory = allocator.alloc(8)
    info = memory.map()
    allocator.error = ValueError('too late')
    info.release()
    assert unraisable == [(allocator.error, allocator)]
    assert memory.describe_lock() == 'free'
    # The traceback has what do_unmapped() was given.
    allocator.error.__traceback__ = None
    del memory, info
    assert unraisable == [(allocator.error, allocator)] * 2
    unraisable.clear()


def test_pending_exceptions_are_left_alone(recorder):
    """A block may die, and a map end, while an exception is on its way."""
    def function():
        memory = recorder.alloc(8)
        view = memoryview(memory)
        raise KeyError(len(view))

    try:
        function()
    except KeyError as error:
        assert error.args == (8,)
        error.__traceback__ = None
    assert recorder.take_log() == ['alloc 8', 'mapped 1 3', 'unmapped 1', 'released 1']


def test_cause_keeps_nothing_alive():
    allocator = Failing()
    memory = allocator.alloc(8)
    released = []
    allocator.do_released = lambda state: released.append(state)
    class Error(Exception):
        pass

    allocator.error = Error()
    with pytest.raises(GLib.Error):
        memory.map()
    allocator.error.__traceback__ = None
    weak = weakref.ref(allocator.error)
    allocator.error = None
    del memory
    gc.collect()
    assert released == [None]
    assert weak() is None


def test_calls_within(recorder):
    """A function may use the block, and be called for others, while it is called."""
    def mapped(memory, flags):
        gc.collect()
        with memory.map(Flags.READ) as view:
            assert len(view) == 8
        nested.append(memory.copy(0, 2))
        nested.append(other.alloc(3))
        nested.append(threading.Thread(target=lambda: other.alloc(2)))
        nested[-1].start()
        nested[-1].join()

    def unmapped(memory):
        memory.fill(0, -1, 9)
        nested.append(memory[1:3])

    other, nested = Recorder(), []
    memory = recorder.alloc(8)
    recorder.do_mapped, recorder.do_unmapped = mapped, unmapped
    view = memoryview(memory)
    view.release()
    del recorder.do_mapped, recorder.do_unmapped
    assert bytes(nested[-1]) == b'\x09\x09'
    assert other.take_log() == ['alloc 3', 'alloc 2', 'released 2']


def test_released_may_allocate():
    class Endless(Quire.Allocator):
        left = 30

        def do_alloc(self, size, params):
            return self.bind(Quire.Memory(size), size)

        def do_released(self, state):
            if self.left:
                self.left -= 1
                self.alloc(state + 1)

    allocator = Endless()
    allocator.alloc(1)
    assert allocator.left == 0


def test_default_allocator(recorder):
    system = Quire.Allocator.find('system')
    recorder.set_default()
    try:
        # do_alloc() itself takes Quire.Memory(size), which is another one's then.
        memory = Quire.Memory(8)
        assert memory.get_allocator() is recorder
        assert memory.copy(0, -1).get_allocator() is recorder
        assert Quire.Allocator.find(None) is recorder
    finally:
        system.set_default()
    assert recorder.take_log()[:2] == ['alloc 8', 'mapped 1 1']


def test_by_name(recorder):
    Quire.Allocator.register('python-recorder', recorder)
    assert Quire.Allocator.find('python-recorder') is recorder
    memory = Quire.Allocator.find('python-recorder').alloc(4)
    assert recorder.take_log() == ['alloc 4']
    assert memory.is_type(recorder.get_mem_type())
    Quire.Allocator.register('python-recorder', Quire.Allocator.find('system'))


def test_name_of_type():
    class Named(Quire.Allocator):
        __gtype_name__ = 'VellumAllocator'

        def do_alloc(self, size, params):
            return self.bind(Quire.Memory(size))

    assert Named().alloc(1).is_type('VellumAllocator')


def test_subclasses():
    class Base(Quire.Allocator):
        def do_alloc(self, size, params):
            log.append('base')
            return self.bind(Quire.Memory(size))

        def do_released(self, state):
            log.append('base released')

    class Derived(Base):
        def do_alloc(self, size, params):
            log.append('derived')
            return super().do_alloc(size, params)

        def do_mapped(self, memory, flags):
            # To the functions of the library, which do nothing.
            super().do_mapped(memory, flags)
            log.append('mapped')

        def do_unmapped(self, memory):
            super().do_unmapped(memory)

    class Mixin:
        def do_released(self, state):
            log.append('mixin')
            super().do_released(state)

    class Mixed(Mixin, Derived):
        pass

    log = []
    memory = Mixed().alloc(1)
    bytes(memory)
    del memory
    assert log == ['derived', 'base', 'mapped', 'mixin', 'base released']


def test_methods_may_be_replaced(recorder, monkeypatch):
    monkeypatch.setattr(Recorder, 'do_mapped', lambda self, memory, flags: self.log.append('instead'))
    memory = recorder.alloc(1)
    bytes(memory)
    assert recorder.take_log() == ['alloc 1', 'instead', 'unmapped 1']


def test_without_functions():
    class Nothing(Quire.Allocator):
        pass

    with refused(Code.NOT_SUPPORTED) as caught:
        Nothing().alloc(8)
    assert 'does not say how to allocate' in caught.value.message
    block = Nothing().bind(Quire.Memory(8))
    assert len(bytes(block)) == 8

    with pytest.raises(TypeError):
        Quire.Allocator()


def test_functions_called_by_hand(recorder):
    params = Quire.AllocationParams()
    memory = recorder.do_alloc(8, params)
    recorder.do_mapped(memory, Flags.READ)
    recorder.do_released('anything')
    assert recorder.take_log() == ['alloc 8', 'mapped 1 1', 'released anything']

    # Those of the library.
    Quire.Allocator.do_mapped(recorder, memory, Flags.READ)
    Quire.Allocator.do_unmapped(recorder, memory)
    Quire.Allocator.do_released(recorder, None)
    with refused(Code.NOT_SUPPORTED):
        Quire.Allocator.do_alloc(recorder, 8, params)
    for wrong in (None, 5, memory, object(), Quire.Allocator):
        with pytest.raises(TypeError):
            Quire.Allocator.do_released(wrong, None)
        with pytest.raises(TypeError):
            Quire.Allocator.alloc(wrong, 8)
        with pytest.raises(TypeError):
            Quire.Allocator.bind(wrong, Quire.Memory(1))
        with pytest.raises(TypeError):
            Quire.Allocator.get_state(wrong, memory)


@pytest.mark.parametrize('arguments', [(), ('8',), (1.5,), (None,), (8, 5), (8, None, None), (-1,), (1 << 64,)])
def test_wrong_arguments_of_alloc(recorder, arguments):
    with pytest.raises((TypeError, OverflowError)):
        recorder.alloc(*arguments)
    assert recorder.take_log() == []


def test_requests_that_make_no_sense_are_not_asked(recorder):
    params = Quire.AllocationParams()
    params.align = 5
    with refused(Code.NOT_SUPPORTED, 5):
        recorder.alloc(8, params)
    with refused(Code.TOO_LARGE, 1 << 63):
        recorder.alloc(1 << 63)
    assert recorder.take_log() == []


def test_threads(recorder):
    """The functions run on whichever thread it is."""
    problems = []
    together = threading.Barrier(4)

    def work():
        try:
            together.wait()
            for _ in range(50):
                memory = recorder.alloc(64)
                with memory.map(Flags.READWRITE) as view:
                    view[:] = bytes(64)
                bytes(memory[1:9])
            together.wait()
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    del threads
    gc.collect()
    assert problems == []
    assert len(recorder.threads) >= 4
    log = recorder.take_log()
    kinds = [entry.split()[0] for entry in log]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == \
        {'alloc': 200, 'mapped': 400, 'unmapped': 400, 'released': 200}


def test_threads_of_c(recorder):
    """A thread that Python does not know drops bytes of a block."""
    memory = recorder.alloc(1000)
    loop = GLib.MainLoop()

    def written(stream, result):
        stream.write_bytes_finish(result)
        loop.quit()

    stream = Gio.File.new_for_path('/dev/null').append_to(Gio.FileCreateFlags.NONE)
    stream.write_bytes_async(memory.to_bytes(), GLib.PRIORITY_DEFAULT, None, written)
    loop.run()
    del stream
    gc.collect()
    assert recorder.take_log() == ['alloc 1000', 'mapped 1 1', 'unmapped 1']


def test_home(recorder):
    assert recorder.set_home()
    memory = recorder.alloc(8)
    view = memoryview(memory)
    problems = []

    def work():
        if recorder.set_home():
            problems.append('home')
        for use in (lambda: recorder.alloc(8), lambda: memory.map(), lambda: memoryview(memory)):
            try:
                use()
            except GLib.Error as error:
                if (error.domain, error.code) == (DOMAIN, Code.NOT_SUPPORTED):
                    continue
            problems.append(use)
        view.release()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert problems == []
    del memory
    assert recorder.take_log() == ['alloc 8', 'mapped 1 3']
    assert Quire.Allocator.dispatch() == 1
    assert recorder.take_log() == ['unmapped 1']
    # The block was kept by what waited.
    while GLib.MainContext.default().iteration(False):
        pass
    assert recorder.take_log() == ['released 1']


def test_leaks():
    """Nothing stays behind that calls leave."""
    class Plain(Quire.Allocator):
        def do_alloc(self, size, params):
            return self.bind(Quire.Memory(size), Marker())

        def do_mapped(self, memory, flags):
            if self.refuses:
                raise ValueError(Marker())

        def do_unmapped(self, memory):
            pass

        def do_released(self, state):
            pass

    class Marker:
        alive = 0

        def __init__(self):
            Marker.alive += 1

        def __del__(self):
            Marker.alive -= 1

    allocator = Plain()
    for _ in range(50):
        allocator.refuses = False
        memory = allocator.alloc(8)
        bytes(memory[1:2])
        allocator.refuses = True
        with pytest.raises(GLib.Error):
            memory.map()
        with pytest.raises(Quire.BufferError):
            bytes(memory)
    del memory
    gc.collect()
    weak = weakref.ref(allocator)
    del allocator
    gc.collect()
    assert Marker.alive == 0
    assert weak() is None


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
def test_no_crash(name):
    check_survived(run_script(SCRIPTS[name]))
