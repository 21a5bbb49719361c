# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What an allocator that is written in Python raises is the error of who called it."""

import errno
import gc
import weakref
from collections.abc import Callable

import pytest
from gi.repository import Gio, GLib, Quire

from helpers import Call, Use, refused
from recorder import Recorder

Code = Quire.MemoryError
Flags = Quire.MapFlags


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


# What do_alloc() gives, which may be anything.
Given = Callable[[Quire.Allocator, int], object]


def make_giving(result: Given) -> Quire.Allocator:
    class Giving(Quire.Allocator):
        __gtype_name__ = None

        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return result(self, size)  # type: ignore[return-value]

    return Giving()


RUBBISH: dict[str, tuple[Given, str]] = {
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
def test_rubbish(name: str) -> None:
    result, words = RUBBISH[name]
    with refused(Code.FAILED) as caught:
        make_giving(result).alloc(8)
    assert words in caught.value.message


def test_closed_block() -> None:
    def closed(self: Quire.Allocator, size: int) -> Quire.Memory:
        block = self.bind(Quire.Memory(size))
        block.close()
        return block

    with refused(Code.FAILED, 8) as caught:
        make_giving(closed).alloc(8)
    assert 'closed' in caught.value.message


def test_the_same_block_twice() -> None:
    kept: list[Quire.Memory] = []

    def same(self: Quire.Allocator, size: int) -> Quire.Memory:
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


class Failing(Quire.Allocator):
    """Raises what it is told to."""

    error: BaseException | None = None

    def fail(self) -> None:
        if self.error is not None:
            raise self.error

    def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
        self.fail()
        return self.bind(Quire.Memory(size))

    def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
        self.fail()

    def do_unmapped(self, memory: Quire.Memory) -> None:
        self.fail()

    def do_released(self, state: object) -> None:
        self.fail()


ERRORS: dict[str, tuple[Exception, Quire.MemoryError, str]] = {
    'ValueError': (ValueError('not so many'), Code.FAILED, 'ValueError: not so many'),
    'no text': (RuntimeError(), Code.FAILED, 'RuntimeError'),
    'MemoryError': (MemoryError('full'), Code.NO_SPACE, 'MemoryError: full'),
    'OSError': (OSError(errno.ENOENT, 'No such thing'), Code.FAILED, 'FileNotFoundError: [Errno 2] No such thing'),
    'not ascii': (KeyError('Blatt \u2767'), Code.FAILED, "KeyError: 'Blatt \u2767'"),
}


@pytest.mark.parametrize('name', ERRORS)
def test_exception_of_alloc(name: str, capfd: pytest.CaptureFixture[str]) -> None:
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


MAPS: dict[str, tuple[Use, type[Exception]]] = {
    'map': (lambda m: m.map(Flags.WRITE), GLib.Error),
    'memoryview': (lambda m: memoryview(m), Quire.BufferError),
    'write': (lambda m: m.write(0, b'abc'), GLib.Error),
    'merge': (lambda m: m + Quire.Memory(1), GLib.Error),
}


@pytest.mark.parametrize('name', MAPS)
def test_exception_of_mapped(name: str, capfd: pytest.CaptureFixture[str]) -> None:
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
def test_exception_of_mapped_in_other_calls(use: Use) -> None:
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


def test_errors_of_glib_come_through_unchanged() -> None:
    allocator = Failing()
    memory = allocator.alloc(8)
    allocator.error = GLib.Error.new_literal(Gio.io_error_quark(), 'Not today', Gio.IOErrorEnum.PERMISSION_DENIED)
    uses: list[Call] = [lambda: allocator.alloc(8), lambda: memory.map(), lambda: memory.fill(0, -1, 0)]
    for use in uses:
        with pytest.raises(GLib.Error) as caught:
            use()
        assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.PERMISSION_DENIED)
        assert caught.value.message == 'Not today'

    # One that is not whole is an exception as any other.
    allocator.error = GLib.Error('Whatever')
    allocator.error.domain = None  # type: ignore[assignment]
    with refused(Code.FAILED) as caught:
        allocator.alloc(8)
    assert 'Whatever' in caught.value.message


def test_map_may_be_refused_by_its_flags() -> None:
    class ReadOnly(Quire.Allocator):
        def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
            return self.bind(Quire.Memory(size))

        def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
            if flags & Flags.WRITE:
                raise PermissionError('read only')

    memory = ReadOnly().alloc(8)
    assert memoryview(memory).readonly
    with refused(Code.FAILED, unchanged=[memory]):
        memory.map(Flags.WRITE)
    assert len(bytes(memory)) == 8


@pytest.mark.parametrize('kind', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_ends_of_programs_are_no_errors(kind: type[BaseException]) -> None:
    allocator = Failing()
    memory = allocator.alloc(8)
    allocator.error = kind('now')
    uses: list[Call] = [lambda: allocator.alloc(8), lambda: memory.map(), lambda: memoryview(memory)]
    for use in uses:
        with pytest.raises(kind) as caught:
            use()
        assert caught.value is allocator.error
    allocator.error = None
    assert memory.describe_lock() == 'free'


def test_exceptions_that_nobody_gets(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_pending_exceptions_are_left_alone(recorder: Recorder) -> None:
    """A block may die, and a map end, while an exception is on its way."""
    def function() -> None:
        memory = recorder.alloc(8)
        view = memoryview(memory)
        raise KeyError(len(view))

    try:
        function()
    except KeyError as error:
        assert error.args == (8,)
        error.__traceback__ = None
    assert recorder.take_log() == ['alloc 8', 'mapped 1 3', 'unmapped 1', 'released 1']


def test_cause_keeps_nothing_alive() -> None:
    allocator = Failing()
    memory = allocator.alloc(8)
    released: list[object] = []
    setattr(allocator, 'do_released', released.append)
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
