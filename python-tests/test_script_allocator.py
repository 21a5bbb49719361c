# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Allocators that are written in Python: what they make, and what they are told."""

import gc
import mmap
import threading
import weakref

import numpy
import pytest
from gi.repository import Gio, GLib, Quire

from helpers import DOMAIN, Call, Kind, Use, refused
from recorder import Recorder

Code = Quire.MemoryError
Flags = Quire.MapFlags


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_life(recorder: Recorder) -> None:
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


def read_into(memory: Quire.Memory) -> None:
    with open('/dev/zero', 'rb', buffering=0) as file:
        file.readinto(memory)


USES: dict[str, tuple[Use, list[int]]] = {
    'map': (lambda m: m.map(Flags.WRITE), [2]),
    'with': (lambda m: m.map(Flags.READ).__enter__().release(), [1]),
    'memoryview': (lambda m: memoryview(m), [3]),
    'numpy': (lambda m: numpy.frombuffer(m, numpy.uint8).sum(), [3]),
    'bytes': (lambda m: bytes(m), [1]),
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
def test_pairs(recorder: Recorder, name: str) -> None:
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


def test_map_is_a_pair_with_its_lock(recorder: Recorder) -> None:
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


def test_closed_handle(recorder: Recorder) -> None:
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
def test_state_is_the_very_object(recorder: Recorder, state: object) -> None:
    found: list[object] = []
    setattr(recorder, 'do_released', found.append)
    block = recorder.bind(Quire.Memory(8), state)
    assert recorder.get_state(block) is state
    assert recorder.get_state(block[1:2]) is state
    assert Recorder().get_state(block) is None
    assert recorder.get_state(Quire.Memory(1)) is None
    del block
    assert len(found) == 1 and found[0] is state


def test_state_goes_with_the_block(recorder: Recorder) -> None:
    class State:
        pass

    state = State()
    weak = weakref.ref(state)
    block = recorder.bind(Quire.Memory(8), state)
    setattr(recorder, 'do_released', lambda state: None)
    del state
    assert weak() is not None
    del block
    assert weak() is None


def test_backing_is_free_when_released_is_called() -> None:
    class Mapped(Quire.Allocator):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            file = mmap.mmap(-1, size)
            return self.bind(Quire.Memory.wrap(file), file)

        def do_released(self, file: mmap.mmap) -> None:
            # This raises BufferError while somebody has a view.
            file.close()
            closed.append(file.closed)

    closed: list[bool] = []
    memory = Mapped().alloc(mmap.PAGESIZE)
    memoryview(memory)[0] = 1
    del memory
    assert closed == [True]


def test_allocator_lives_with_its_blocks() -> None:
    class Named(Quire.Allocator):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return self.bind(Quire.Memory(size), size)

        def do_released(self, state: int) -> None:
            found.append((self.name, state))

    found: list[tuple[str, int]] = []
    allocator = Named('vellum')
    weak = weakref.ref(allocator)
    memory = allocator.alloc(8)
    del allocator
    gc.collect()
    owner = memory.get_allocator()
    assert isinstance(owner, Named) and owner.name == 'vellum'
    del owner
    share = memory[0:2]
    del memory
    gc.collect()
    assert found == []
    del share
    gc.collect()
    assert found == [('vellum', 8)]
    assert weak() is None


def test_params() -> None:
    class Asked(Quire.Allocator):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            asked.append((size, params))
            return self.bind(Quire.Memory(size + params.prefix + params.padding + params.align))

    asked: list[tuple[int, Quire.AllocationParams]] = []
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


def test_bind_is_refused(recorder: Recorder) -> None:
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
    for wrong in (None, b'abc', 5, Quire.Memory):
        with pytest.raises(TypeError):
            recorder.bind(wrong)  # type: ignore[arg-type]


def test_calls_within(recorder: Recorder) -> None:
    """A function may use the block, and be called for others, while it is called."""
    def mapped(memory: Quire.Memory, flags: Quire.MapFlags) -> None:
        gc.collect()
        with memory.map(Flags.READ) as view:
            assert len(view) == 8
        nested.append(memory.copy(0, 2))
        nested.append(other.alloc(3))
        thread = threading.Thread(target=lambda: other.alloc(2))
        thread.start()
        thread.join()

    def unmapped(memory: Quire.Memory) -> None:
        memory.fill(0, -1, 9)
        nested.append(memory[1:3])

    other = Recorder()
    nested: list[Quire.Memory] = []
    memory = recorder.alloc(8)
    setattr(recorder, 'do_mapped', mapped)
    setattr(recorder, 'do_unmapped', unmapped)
    view = memoryview(memory)
    view.release()
    del recorder.do_mapped, recorder.do_unmapped
    assert bytes(nested[-1]) == b'\x09\x09'
    assert other.take_log() == ['alloc 3', 'alloc 2', 'released 2']


def test_released_may_allocate() -> None:
    class Endless(Quire.Allocator):
        left = 30

        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return self.bind(Quire.Memory(size), size)

        def do_released(self, state: int) -> None:
            if self.left:
                self.left -= 1
                self.alloc(state + 1)

    allocator = Endless()
    allocator.alloc(1)
    assert allocator.left == 0


def test_default_allocator(recorder: Recorder) -> None:
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


def test_by_name(recorder: Recorder) -> None:
    Quire.Allocator.register('python-recorder', recorder)
    found = Quire.Allocator.find('python-recorder')
    assert found is not None and found is recorder
    memory = found.alloc(4)
    assert recorder.take_log() == ['alloc 4']
    assert memory.is_type(recorder.get_mem_type())
    Quire.Allocator.register('python-recorder', Quire.Allocator.find('system'))


def test_name_of_type() -> None:
    class Named(Quire.Allocator):
        __gtype_name__ = 'VellumAllocator'

        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return self.bind(Quire.Memory(size))

    assert Named().alloc(1).is_type('VellumAllocator')


def test_subclasses() -> None:
    class Base(Quire.Allocator):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            log.append('base')
            return self.bind(Quire.Memory(size))

        def do_released(self, state: object) -> None:
            log.append('base released')

    class Derived(Base):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            log.append('derived')
            return super().do_alloc(size, params)

        def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
            # To the functions of the library, which do nothing.
            super().do_mapped(memory, flags)
            log.append('mapped')

        def do_unmapped(self, memory: Quire.Memory) -> None:
            super().do_unmapped(memory)

    class Mixin:
        def do_released(self, state: object) -> None:
            log.append('mixin')
            super().do_released(state)  # type: ignore[misc]

    class Mixed(Mixin, Derived):
        pass

    log: list[str] = []
    memory = Mixed().alloc(1)
    bytes(memory)
    del memory
    assert log == ['derived', 'base', 'mapped', 'mixin', 'base released']


def test_methods_may_be_replaced(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, 'do_mapped', lambda self, memory, flags: self.log.append('instead'))
    memory = recorder.alloc(1)
    bytes(memory)
    assert recorder.take_log() == ['alloc 1', 'instead', 'unmapped 1']


def test_without_functions() -> None:
    class Nothing(Quire.Allocator):
        pass

    with refused(Code.NOT_SUPPORTED) as caught:
        Nothing().alloc(8)  # type: ignore[abstract]
    assert 'does not say how to allocate' in caught.value.message
    block = Nothing().bind(Quire.Memory(8))  # type: ignore[abstract]
    assert len(bytes(block)) == 8

    with pytest.raises(TypeError):
        Quire.Allocator()  # type: ignore[abstract]


def test_functions_called_by_hand(recorder: Recorder) -> None:
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
            Quire.Allocator.do_released(wrong, None)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Quire.Allocator.alloc(wrong, 8)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Quire.Allocator.bind(wrong, Quire.Memory(1))  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Quire.Allocator.get_state(wrong, memory)  # type: ignore[arg-type]


@pytest.mark.parametrize('arguments', [(), ('8',), (1.5,), (None,), (8, 5), (8, None, None), (-1,), (1 << 64,)])
def test_wrong_arguments_of_alloc(recorder: Recorder, arguments: tuple[object, ...]) -> None:
    kind: Kind = Quire.Error.OutOfRange if arguments == (-1,) else (TypeError, OverflowError)
    with pytest.raises(kind):
        recorder.alloc(*arguments)  # type: ignore[arg-type]
    assert recorder.take_log() == []


def test_requests_that_make_no_sense_are_not_asked(recorder: Recorder) -> None:
    params = Quire.AllocationParams()
    params.align = 5
    with refused(Code.NOT_SUPPORTED, 5):
        recorder.alloc(8, params)
    with refused(Code.TOO_LARGE, 1 << 63):
        recorder.alloc(1 << 63)
    assert recorder.take_log() == []


def test_threads(recorder: Recorder) -> None:
    """The functions run on whichever thread it is."""
    problems: list[Exception] = []
    together = threading.Barrier(4)

    def work() -> None:
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


def test_threads_of_c(recorder: Recorder) -> None:
    """A thread that Python does not know drops bytes of a block."""
    memory = recorder.alloc(1000)
    loop = GLib.MainLoop()

    def written(stream: Gio.OutputStream, result: Gio.AsyncResult) -> None:
        stream.write_bytes_finish(result)
        loop.quit()

    stream = Gio.File.new_for_path('/dev/null').append_to(Gio.FileCreateFlags.NONE)
    stream.write_bytes_async(memory.to_bytes(), GLib.PRIORITY_DEFAULT, None, written)
    loop.run()
    del stream
    gc.collect()
    assert recorder.take_log() == ['alloc 1000', 'mapped 1 1', 'unmapped 1']


def test_home(recorder: Recorder) -> None:
    assert recorder.set_home()
    memory = recorder.alloc(8)
    view = memoryview(memory)
    problems: list[object] = []

    def work() -> None:
        if recorder.set_home():
            problems.append('home')
        uses: list[Call] = [lambda: recorder.alloc(8), lambda: memory.map(), lambda: memoryview(memory)]
        for use in uses:
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


def test_leaks() -> None:
    """Nothing stays behind that calls leave."""
    class Plain(Quire.Allocator):
        refuses: bool

        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return self.bind(Quire.Memory(size), Marker())

        def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
            if self.refuses:
                raise ValueError(Marker())

        def do_unmapped(self, memory: Quire.Memory) -> None:
            pass

        def do_released(self, state: object) -> None:
            pass

    class Marker:
        alive = 0

        def __init__(self) -> None:
            Marker.alive += 1

        def __del__(self) -> None:
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
