# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Refusals: each says why, and changes nothing."""

import builtins
import socket
from collections.abc import Callable

import pytest
from gi.repository import Gio, GLib, Quire

from helpers import (DOMAIN, EXCLUSIVE, READ, READWRITE, UNIQUE, WRITE, Call, Code, Kind, Use, counts, make,
                     make_flagged, parent_of, refused, state)


def test_domain() -> None:
    assert DOMAIN == 'quire-memory-error-quark'
    assert GLib.quark_from_string(DOMAIN) == Quire.memory_error_quark()


def test_buffer_error_is_both() -> None:
    assert issubclass(Quire.BufferError, GLib.Error)
    assert issubclass(Quire.BufferError, builtins.BufferError)
    memory = make(b'abcd')
    with memory.map(WRITE):
        with pytest.raises(builtins.BufferError) as caught:
            memoryview(memory)
    error = caught.value
    assert type(error) is Quire.Error.Busy
    assert isinstance(error, Quire.BufferError)
    assert (error.domain, error.code) == (DOMAIN, Code.BUSY)
    assert error.message in str(error)
    assert not isinstance(error, Quire.MemoryError)


def end_twice() -> None:
    memory = make(bytes(77))
    info = memory.map(READ)
    memory.unmap(info)
    memory.unmap(info)


def map_under_a_share() -> None:
    memory = make(bytes(77))
    share = memory[:]
    try:
        memory.map(WRITE)
    finally:
        share.close()


REACHED: dict[str, tuple[Call, int]] = {
    'FAILED': (lambda: make(bytes(77)).unlock(READ), 77),
    'READ_ONLY': (lambda: Quire.Memory.wrap(bytes(77)).map(WRITE), 77),
    'BUSY': (map_under_a_share, 77),
    'NOT_MAPPABLE': (lambda: make_flagged(77, Quire.MemoryFlags.NOT_MAPPABLE).map(READ), 77),
    'NOT_SHAREABLE': (lambda: make_flagged(77, Quire.MemoryFlags.NO_SHARE)[:], 77),
    'OUT_OF_RANGE': (lambda: make(bytes(77)).share(0, 78), 77),
    'NO_SPACE': (lambda: Quire.Memory(1 << 62), 1 << 62),
    'TOO_LARGE': (lambda: Quire.Memory(1 << 63), 1 << 63),
    'CLOSED': (end_twice, 77),
    'NOT_SUPPORTED': (lambda: make(bytes(77)).map(UNIQUE), 8),
}


@pytest.mark.parametrize('name', REACHED)
def test_every_code(name: str) -> None:
    provoke, number = REACHED[name]
    with pytest.raises(GLib.Error) as caught:
        provoke()
    error = caught.value
    assert error.domain == DOMAIN
    assert error.code == getattr(Code, name)
    # In the hexadecimal of flags, or as it is.
    assert str(number) in error.message or hex(number) in error.message


CLASSES: dict[str, tuple[str, tuple[type[Exception], ...]]] = {
    'FAILED': ('Failed', ()),
    'READ_ONLY': ('ReadOnly', (BufferError, TypeError)),
    'BUSY': ('Busy', (BufferError,)),
    'NOT_MAPPABLE': ('NotMappable', (BufferError,)),
    'NOT_SHAREABLE': ('NotShareable', ()),
    'OUT_OF_RANGE': ('OutOfRange', (IndexError, ValueError)),
    'NO_SPACE': ('NoSpace', (MemoryError,)),
    'TOO_LARGE': ('TooLarge', (OverflowError, MemoryError)),
    'CLOSED': ('Closed', (BufferError, ValueError)),
    'NOT_SUPPORTED': ('NotSupported', (ValueError,)),
}
CONVENTIONS = {BufferError, TypeError, IndexError, ValueError, MemoryError, OverflowError}


@pytest.mark.parametrize('name', REACHED)
def test_every_code_has_a_class(name: str) -> None:
    class_name, conventions = CLASSES[name]
    cls = getattr(Quire.Error, class_name)
    with pytest.raises(cls) as caught:
        REACHED[name][0]()
    assert type(caught.value) is cls
    assert issubclass(cls, Quire.Error)
    assert issubclass(cls, GLib.Error)
    assert {kind for kind in CONVENTIONS if issubclass(cls, kind)} == set(conventions)
    assert issubclass(cls, Quire.BufferError) == (BufferError in conventions)
    # Others are not caught by it.
    for other, _ in CLASSES.values():
        assert other == class_name or not isinstance(caught.value, getattr(Quire.Error, other))


def test_classes_have_names() -> None:
    for name, (class_name, _) in CLASSES.items():
        cls = getattr(Quire.Error, class_name)
        assert (cls.__module__, cls.__qualname__) == ('gi.repository.Quire', f'Error.{class_name}')
        assert cls.__doc__
        error = cls('why')
        assert (error.message, error.domain, error.code) == ('why', DOMAIN, getattr(Code, name))
        assert str(error) == 'why'
        assert repr(error) == f"Quire.Error.{class_name}('why')"
        assert error.matches(Quire.memory_error_quark(), getattr(Code, name))
        twin = error.copy()
        assert (type(twin), twin.message) == (cls, 'why')
    classes = {value for value in vars(Quire.Error).values() if isinstance(value, type)}
    assert classes == {getattr(Quire.Error, class_name) for class_name, _ in CLASSES.values()}


def introspected(name: str) -> Callable[..., object]:
    """A method as PyGObject has it, which knows nothing of the classes."""
    base = Quire.Memory.__mro__[2]
    assert base.__module__ == 'gi.repository.Quire'
    method: Callable[..., object] = getattr(base, name)
    return method


@pytest.mark.parametrize('cls, provoke', [
    ('Busy', lambda: introspected('map')(busy(), READ)),
    ('Busy', lambda: introspected('share')(busy(), 0, -1)),
    ('Busy', lambda: busy().lock(READ)),
    ('Busy', lambda: busy().make_writable() and busy().to_bytes()),
    ('OutOfRange', lambda: introspected('copy')(make(b'abc'), 5, 5)),
    ('OutOfRange', lambda: introspected('resize')(make(b'abc'), 0, 5)),
    ('Failed', lambda: make(b'abc').unlock(READ)),
    ('NotSupported', lambda: make(b'abc').make_mapped(UNIQUE)),
    ('Closed', lambda: closed().to_bytes()),
    ('Closed', lambda: introspected('merge')(make(b'abc'), closed())),
    ('TooLarge', lambda: Quire.Allocator.find(None).alloc((1 << 64) - 1, None)),
    ('NoSpace', lambda: Quire.Memory.new_with_params(1 << 62, None)),
    ('NotSupported', lambda: Quire.Memory.new_with_params(1, Quire.AllocationParams(align=2))),
])
def test_errors_of_introspected_calls_have_the_classes(cls: str, provoke: Call) -> None:
    with pytest.raises(getattr(Quire.Error, cls)) as caught:
        provoke()
    assert type(caught.value) is getattr(Quire.Error, cls)
    assert caught.value.domain == DOMAIN


class Held(Quire.Memory):
    info: Quire.Mapping


def busy() -> Quire.Memory:
    memory = Held(77)
    memory.info = memory.map(WRITE)
    return memory


def closed() -> Quire.Memory:
    memory = make(bytes(77))
    memory.close()
    return memory


def test_errors_made_by_hand() -> None:
    ways: list[Callable[[], GLib.Error]] = [
        lambda: GLib.Error('why', DOMAIN, Code.BUSY),
        lambda: GLib.Error(message='why', domain=DOMAIN, code=Code.BUSY),
        lambda: GLib.Error.new_literal(Quire.memory_error_quark(), 'why', Code.BUSY),
        lambda: Quire.Error('why', code=Code.BUSY)]
    for make_error in ways:
        error = make_error()
        assert type(error) is Quire.Error.Busy
        assert (error.message, error.domain, error.code) == ('why', DOMAIN, Code.BUSY)
    assert type(Quire.Error('why')) is Quire.Error.Failed
    assert type(Quire.Error('why', code=77)) is Quire.Error
    assert type(GLib.Error('why', DOMAIN, 77)) is Quire.Error


def test_errors_of_others_are_as_they_were() -> None:
    assert type(GLib.Error()) is GLib.Error
    assert type(GLib.Error('why', 'g-io-error-quark', 1)) is GLib.Error
    assert GLib.Error('why', 'g-io-error-quark', 1).args == ('why',)

    class Own(GLib.Error):
        def __init__(self, first: str, *, second: int) -> None:
            super().__init__(first, DOMAIN, second)

    assert type(Own('why', second=2)) is Own
    with pytest.raises(GLib.Error) as caught:
        Gio.File.new_for_path('/nowhere').read(None)
    assert type(caught.value) is GLib.Error
    assert not isinstance(caught.value, Quire.Error)


def test_errors_are_no_others() -> None:
    with pytest.raises(TypeError):
        Quire.Error.Busy(1, 2, 3, 4)  # type: ignore[call-arg, arg-type]
    assert not issubclass(Quire.Error, tuple(CONVENTIONS))
    for name in vars(Quire.Error):
        assert name.startswith('_') or name in {'copy', *(cls for cls, _ in CLASSES.values())}


def test_every_code_is_reached() -> None:
    assert set(REACHED) == {name for name in dir(Code) if name.isupper()}


@pytest.mark.parametrize('size, code', [
    (1 << 62, Code.NO_SPACE), ((1 << 63) - 1, Code.NO_SPACE), (1 << 63, Code.TOO_LARGE),
    ((1 << 64) - 1, Code.TOO_LARGE),
], ids=hex)
def test_new_of_too_much(size: int, code: Quire.MemoryError) -> None:
    ways: list[Callable[[int], Quire.Memory]] = [
        Quire.Memory, Quire.Memory.new, lambda n: Quire.Memory.new_with_params(n, None),
        lambda n: Quire.Allocator.find(None).alloc(n, None)]
    for allocate in ways:
        with refused(code, size):
            allocate(size)


@pytest.mark.parametrize('field', ['prefix', 'padding'])
@pytest.mark.parametrize('value', [1 << 62, 1 << 63, (1 << 64) - 1, (1 << 64) - 100], ids=hex)
def test_new_with_too_much_beside(field: str, value: int) -> None:
    params = Quire.AllocationParams.new()
    setattr(params, field, value)
    code = Code.NO_SPACE if value == 1 << 62 else Code.TOO_LARGE
    with refused(code, value + 100 if code == Code.NO_SPACE else value):
        Quire.Memory.new_with_params(100, params)


@pytest.mark.parametrize('align', [2, 5, 6, 8, 4096, 1 << 63, (1 << 64) - 2], ids=hex)
def test_alignment_that_is_no_mask(align: int) -> None:
    params = Quire.AllocationParams.new()
    params.align = align
    with refused(Code.NOT_SUPPORTED, align):
        Quire.Memory.new_with_params(100, params)


@pytest.mark.parametrize('align', [(1 << 62) - 1, (1 << 63) - 1, (1 << 64) - 1], ids=hex)
def test_alignment_beyond_all_memory(align: int) -> None:
    params = Quire.AllocationParams.new()
    params.align = align
    with refused(Code.NO_SPACE):
        Quire.Memory.new_with_params(100, params)


@pytest.mark.parametrize('bit', range(8, 16))
def test_flags_that_scripts_do_not_have(bit: int) -> None:
    # The library keeps flags of its own there: closed, window, share.
    params = Quire.AllocationParams.new()
    params.flags = 1 << bit  # type: ignore[assignment]
    try:
        memory = Quire.Memory.new_with_params(100, params)
    except GLib.Error as error:
        assert error.matches(Quire.memory_error_quark(), Code.NOT_SUPPORTED)
        return
    assert not memory.closed
    assert int(memory.get_flags()) == 0
    memory.fill(0, -1, 1)
    assert bytes(memory[10:20]) == b'\1' * 10


@pytest.mark.parametrize('wrong, kind', [
    (-1, ValueError), (-(1 << 200), ValueError), (1 << 64, OverflowError), (1 << 200, OverflowError), (1.5, TypeError),
    (float('nan'), (TypeError, ValueError)), ('5', TypeError), (None, TypeError), (b'5', TypeError),
    ([5], TypeError), (object(), TypeError), (5j, TypeError),
], ids=repr)
def test_new_of_no_size(wrong: object, kind: Kind) -> None:
    with pytest.raises(kind):
        Quire.Memory(wrong)  # type: ignore[arg-type]


def test_new_takes_one_size() -> None:
    for arguments in ((), (1, 2)):
        with pytest.raises(TypeError):
            Quire.Memory(*arguments)
    with pytest.raises(TypeError):
        Quire.Memory(length=5)  # type: ignore[call-arg]


RANGED: dict[str, Callable[[Quire.Memory, int, int], object]] = {
    'share': lambda memory, offset, size: memory.share(offset, size),
    'copy': lambda memory, offset, size: memory.copy(offset, size),
    'fill': lambda memory, offset, size: memory.fill(offset, size, 1),
    'read': lambda memory, offset, size: memory.read(offset, size),
    'resize': lambda memory, offset, size: memory.resize(offset, size),
    'read_from_stream': lambda memory, offset, size: memory.read_from_stream(
        offset, size, Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(bytes(200))), None),
}


@pytest.mark.parametrize('name', RANGED)
@pytest.mark.parametrize('offset, size', [
    (0, 101), (1, 100), (101, 0), (50, 51), (1 << 62, 1), (0, 1 << 62), (1 << 62, 1 << 62),
    ((1 << 63) - 1, 1), (1, (1 << 63) - 1),
])
def test_out_of_range(name: str, offset: int, size: int) -> None:
    memory = make(bytes(range(100)))
    with refused(Code.OUT_OF_RANGE, offset, size, 100, unchanged=[memory]):
        RANGED[name](memory, offset, size)
    assert bytes(memory) == bytes(range(100))


@pytest.mark.parametrize('name', RANGED)
@pytest.mark.parametrize('wrong, kind', [
    (1 << 64, OverflowError), (-(1 << 64), ValueError), ('1', TypeError), (None, TypeError),
    (b'1', TypeError), ([], TypeError), (0.9, TypeError), (1.0, TypeError), (float('inf'), TypeError),
    (float('nan'), TypeError),
], ids=repr)
def test_ranges_that_are_no_numbers(name: str, wrong: object, kind: Kind) -> None:
    memory = make(bytes(range(100)))
    before = state(memory)
    for arguments in ((wrong, 1), (0, wrong)):
        with pytest.raises(kind):
            RANGED[name](memory, *arguments)  # type: ignore[arg-type]
    assert state(memory) == before
    assert bytes(memory) == bytes(range(100))


@pytest.mark.parametrize('name', ['share', 'copy', 'fill', 'read', 'read_from_stream'])
@pytest.mark.parametrize('size', [-2, -(1 << 62), -(1 << 63)])
def test_negative_sizes(name: str, size: int) -> None:
    memory = make(bytes(100))
    with refused(Code.OUT_OF_RANGE, size, unchanged=[memory]):
        RANGED[name](memory, 0, size)


@pytest.mark.parametrize('name', ['share', 'copy', 'resize'])
@pytest.mark.parametrize('offset', [-1, -(1 << 62), -(1 << 63)])
def test_negative_offsets(name: str, offset: int) -> None:
    memory = make(bytes(100))
    with refused(Code.OUT_OF_RANGE, offset, unchanged=[memory]):
        RANGED[name](memory, offset, 1)


@pytest.mark.parametrize('name', ['fill', 'read', 'read_from_stream'])
def test_offsets_that_have_no_sign(name: str) -> None:
    memory = make(bytes(100))
    for offset in (-1, -(1 << 63), -(1 << 200)):
        with refused(Code.OUT_OF_RANGE, offset, kind=ValueError, unchanged=[memory]):
            RANGED[name](memory, offset, 1)
    for offset in (1 << 63, (1 << 64) - 1):
        with refused(Code.OUT_OF_RANGE, offset, unchanged=[memory]):
            RANGED[name](memory, offset, 1)


NEGATIVE: dict[str, Callable[[int], object]] = {
    'Memory': Quire.Memory,
    'Memory align': lambda n: Quire.Memory(5, align=n),
    'Memory prefix': lambda n: Quire.Memory(5, prefix=n),
    'Memory padding': lambda n: Quire.Memory(5, padding=n),
    'new': Quire.Memory.new,
    'new_with_params': lambda n: Quire.Memory.new_with_params(n, None),
    'new_from_fd': lambda n: Quire.Memory.new_from_fd(0, n),
    'alloc': lambda n: Quire.Allocator.find(None).alloc(n),
    'resize': lambda n: make(b'abcd').resize(0, n),
    'write': lambda n: make(b'abcd').write(n, b'x'),
    'is_aligned': lambda n: make(b'abcd').is_aligned(n),
    'params align': lambda n: Quire.AllocationParams(align=n),
    'params prefix': lambda n: Quire.AllocationParams(prefix=n),
    'params padding': lambda n: Quire.AllocationParams(padding=n),
}


@pytest.mark.parametrize('name', NEGATIVE)
def test_what_can_not_be_negative(name: str) -> None:
    for number in (-1, -(1 << 63), -(1 << 64), -(1 << 200)):
        with refused(Code.OUT_OF_RANGE, number, kind=ValueError):
            NEGATIVE[name](number)
    # More digits than Python shows.
    with refused(Code.OUT_OF_RANGE, kind=ValueError):
        NEGATIVE[name](-(1 << 20000))
    with pytest.raises(OverflowError):
        NEGATIVE[name](1 << 64)
    for wrong in (1.0, 0.5, '1', None):
        with pytest.raises(TypeError):
            NEGATIVE[name](wrong)  # type: ignore[arg-type]


def test_write_out_of_range() -> None:
    memory = make(bytes(range(100)))
    for offset, size in ((100, 1), (99, 2), (0, 101), ((1 << 64) - 1, 1), (1 << 62, 5)):
        with refused(Code.OUT_OF_RANGE, offset, size, 100, unchanged=[memory]):
            memory.write(offset, bytes(size))
    for wrong in (None, 5, 'text', [256], [-1], object()):
        with pytest.raises((TypeError, ValueError)):
            memory.write(0, wrong)  # type: ignore[arg-type]
    assert bytes(memory) == bytes(range(100))


@pytest.mark.parametrize('value', [-1, 256, 1 << 64, 'x', None])
def test_fill_with_what_is_no_byte(value: object) -> None:
    memory = make(bytes(range(100)))
    with pytest.raises((TypeError, ValueError)):
        memory.fill(0, -1, value)  # type: ignore[arg-type]
    assert bytes(memory) == bytes(range(100))


def connection() -> Gio.UnixConnection:
    left, right = socket.socketpair()
    right.close()
    made = Gio.Socket.new_from_fd(left.detach()).connection_factory_create_connection()
    assert isinstance(made, Gio.UnixConnection)
    return made


ASKED_OF_A_HANDLE: dict[str, Use] = {
    'map': lambda memory: memory.map(),
    'lock': lambda memory: memory.lock(READ),
    'lock exclusive': lambda memory: memory.lock(EXCLUSIVE),
    'unlock': lambda memory: memory.unlock(READ),
    'unlock exclusive': lambda memory: memory.unlock(EXCLUSIVE),
    'make_mapped': lambda memory: memory.make_mapped(READ),
    'make_writable': lambda memory: memory.make_writable(),
    'share': lambda memory: memory.share(0, -1),
    'share out of range': lambda memory: memory.share(5000, -1),
    'slice': lambda memory: memory[1:2],
    'copy': lambda memory: memory.copy(0, -1),
    'resize': lambda memory: memory.resize(0, 0),
    'resize out of range': lambda memory: memory.resize(0, 5000),
    'fill': lambda memory: memory.fill(0, -1, 0),
    'read': lambda memory: memory.read(0, 0),
    'write': lambda memory: memory.write(0, b''),
    'compare': lambda memory: memory.compare(Quire.Memory(0)),
    'compare with': lambda memory: Quire.Memory(0).compare(memory),
    'merge': lambda memory: memory.merge(Quire.Memory(1)),
    'merge with': lambda memory: Quire.Memory(1).merge(memory),
    '+': lambda memory: memory + memory,
    'merge_list of one': lambda memory: Quire.Memory.merge_list([memory]),
    'merge_list of two': lambda memory: Quire.Memory.merge_list([Quire.Memory(1), memory]),
    'to_bytes': lambda memory: memory.to_bytes(),
    'read_from_stream': lambda memory: memory.read_from_stream(0, -1, Gio.MemoryInputStream.new(), None),
    'is_span': lambda memory: memory.is_span(Quire.Memory(1)),
    'is_span with': lambda memory: Quire.Memory(1).is_span(second=memory),
    'get_sizes': lambda memory: memory.get_sizes(),
    'get_flags': lambda memory: memory.get_flags(),
    'get_parent': lambda memory: memory.get_parent(),
    'get_align': lambda memory: memory.get_align(),
    'get_allocator': lambda memory: memory.get_allocator(),
    'is_aligned': lambda memory: memory.is_aligned(0),
    'is_type': lambda memory: memory.is_type('system'),
    'is_writable': lambda memory: memory.is_writable(),
    'describe_lock': lambda memory: memory.describe_lock(),
    'get_fd': lambda memory: memory.get_fd(),
    'dup_fd': lambda memory: memory.dup_fd(),
    'is_stable': lambda memory: memory.is_stable(),
    'get_seals': lambda memory: memory.get_seals(),
    'add_seals': lambda memory: memory.add_seals(Quire.Seals.SHRINK),
    'send': lambda memory: memory.send(connection(), None),
    'cast': lambda memory: memory.cast('I'),
    'len': len,
    'index': lambda memory: memory[0],
    'index write': lambda memory: memory.__setitem__(0, 1),
    'slice write': lambda memory: memory.__setitem__(slice(1, 2), b'x'),
    'in': lambda memory: 5 in memory,
    'iter': iter,
    'reversed': reversed,
    'index of': lambda memory: memory.index(5),
    'count': lambda memory: memory.count(5),
    'with': lambda memory: memory.__enter__(),
    'memoryview': memoryview,
    'bytes': bytes,
    'wrap': Quire.Memory.wrap,
}


@pytest.mark.parametrize('name', ASKED_OF_A_HANDLE)
def test_a_closed_handle_is_of_no_use(name: str) -> None:
    memory = make(bytes(100))
    share = memory[:]
    share.close()
    memory.lock(READ)
    with refused(Code.CLOSED, unchanged=[memory]):
        ASKED_OF_A_HANDLE[name](share)
    assert share.closed
    assert 'Memory' in repr(share)


def test_every_method_was_asked() -> None:
    methods = {name for name in dir(Quire.Memory)
               if not name.startswith('_') and callable(getattr(Quire.Memory, name))}
    asked = {name.split()[0] for name in ASKED_OF_A_HANDLE}
    # Those that ask no handle, and those that are for closed ones too.
    assert methods - asked == {'new', 'new_with_params', 'new_from_bytes', 'close', 'from_dlpack', 'is_closed', 'is_same',
                               'new_from_fd', 'receive', 'receive_async', 'receive_finish', 'send_async', 'send_finish',
                               'unmap'}


def test_unmap_of_a_closed_handle() -> None:
    memory = make(bytes(100))
    share = memory[:]
    again = parent_of(share)
    info = again.map(READWRITE & READ)
    again.close()
    with refused(Code.CLOSED, unchanged=[memory]):
        again.unmap(info)
    assert not info.is_released()
    memory.unmap(info)
    assert counts(memory) == {'share': 1}


def test_new_from_what_is_no_bytes() -> None:
    for wrong in (None, b'bytes', 5, make(b'abc')):
        with pytest.raises(TypeError):
            Quire.Memory.new_from_bytes(wrong)  # type: ignore[arg-type]


def test_stream_that_fails() -> None:
    memory = make(bytes(8))
    stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b'abcd'))
    stream.close(None)
    with pytest.raises(GLib.Error) as caught:
        memory.read_from_stream(0, -1, stream, None)
    assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED)
    cancellable = Gio.Cancellable()
    cancellable.cancel()
    file = Gio.File.new_for_path(__file__).read(None)
    with pytest.raises(GLib.Error) as caught:
        memory.read_from_stream(0, -1, file, cancellable)
    file.close(None)
    assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
    assert counts(memory) == {}
