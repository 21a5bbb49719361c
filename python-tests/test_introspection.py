# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What scripts see, and what they must not see."""

import gc
import inspect
import pydoc
import re
from collections.abc import Callable, Iterator

import pytest
from gi.repository import Gio, GLib, GObject, Quire

from helpers import READ, READWRITE, Code, address, make

MEMORY = {
    'align', 'allocator', 'flags', 'maxsize', 'offset', 'parent', 'size',
    'cast', 'close', 'closed', 'compare', 'copy', 'count', 'describe_lock', 'fill', 'from_dlpack', 'get_align', 'get_allocator',
    'get_flags', 'get_parent', 'index', 'get_sizes', 'is_aligned', 'is_closed', 'is_same', 'is_span', 'is_type', 'is_writable', 'lock',
    'make_mapped', 'make_writable', 'map', 'merge', 'merge_list', 'new', 'new_from_bytes', 'new_with_params',
    'read', 'read_from_stream', 'resize', 'share', 'to_bytes', 'unlock', 'unmap', 'wrap', 'write',
}
# Of blocks over descriptors.
MEMORY |= {
    'add_seals', 'dup_fd', 'get_fd', 'get_seals', 'is_stable', 'new_from_fd', 'receive', 'receive_async',
    'receive_finish', 'send', 'send_async', 'send_finish',
}
MAPPING = {
    'copy', 'data', 'flags', 'get_flags', 'get_maxsize', 'get_memory', 'get_size', 'is_released', 'maxsize',
    'memory', 'release', 'size', 'unmap', 'view_bytes', 'write_back',
}
ALLOCATOR = {
    'alloc', 'bind', 'dispatch', 'do_alloc', 'do_mapped', 'do_released', 'do_unmapped', 'find', 'get_default_align',
    'get_mem_type', 'get_state', 'register', 'set_default', 'set_home',
}
PARAMS = {'align', 'copy', 'flags', 'new', 'padding', 'prefix'}
NAMESPACE = {
    'AllocationParams', 'Allocator', 'AllocatorClass', 'BufferError', 'Error', 'MAJOR_VERSION', 'MICRO_VERSION',
    'MINOR_VERSION', 'MapFlags', 'MapInfo', 'Mapping', 'Memory', 'MemoryError', 'MemoryFlags',
    'binding_answer', 'binding_expect_answers', 'memory_error_quark', 'memory_merge_list',
}
NAMESPACE |= {
    'FdAllocator', 'FdAllocatorClass', 'FdFlags', 'MemfdAllocator', 'MemfdAllocatorClass', 'Seals',
    'memory_receive', 'memory_receive_async', 'memory_receive_finish', 'memory_send_finish',
}
NAMESPACE |= {
    'GuardAllocator', 'GuardAllocatorClass', 'PoolAllocator', 'PoolAllocatorClass', 'PoolStats', 'SecureAllocator',
    'SecureAllocatorClass',
}

ENUMS = {
    'MapFlags': {
        'NONE': 0, 'READ': 1, 'WRITE': 2, 'READWRITE': 3, 'EXCLUSIVE': 4, 'UNIQUE': 8, 'LAST': 1 << 16,
    },
    'MemoryFlags': {
        'NONE': 0, 'READONLY': 1, 'NO_SHARE': 2, 'ZERO_PREFIXED': 4, 'ZERO_PADDED': 8,
        'PHYSICALLY_CONTIGUOUS': 16, 'NOT_MAPPABLE': 32, 'LAST': 1 << 16,
    },
    'MemoryError': {
        'FAILED': 0, 'READ_ONLY': 1, 'BUSY': 2, 'NOT_MAPPABLE': 3, 'NOT_SHAREABLE': 4, 'OUT_OF_RANGE': 5,
        'NO_SPACE': 6, 'TOO_LARGE': 7, 'CLOSED': 8, 'NOT_SUPPORTED': 9,
    },
    'FdFlags': {'NONE': 0, 'TAKE': 1, 'READONLY': 2, 'PRIVATE': 4, 'STABLE': 8, 'BORROW': 16},
    'Seals': {'NONE': 0, 'SEAL': 1, 'SHRINK': 2, 'GROW': 4, 'WRITE': 8, 'FUTURE_WRITE': 16},
}


def public(cls: object, *above: type) -> set[str]:
    """The public names of a class, without those of the classes above it."""
    inherited = {name for base in above for name in dir(base)}
    return {name for name in dir(cls) if not name.startswith('_')} - inherited


def test_public_names() -> None:
    assert public(Quire.Memory) == MEMORY
    assert public(Quire.Mapping) == MAPPING
    assert public(Quire.AllocationParams) == PARAMS
    assert public(Quire.Allocator, GObject.Object) == ALLOCATOR
    assert {name for name in dir(Quire) if not name.startswith('_')} == NAMESPACE


@pytest.mark.parametrize('name', ENUMS)
def test_values_are_those_of_the_headers(name: str) -> None:
    enum = getattr(Quire, name)
    assert {member: int(getattr(enum, member)) for member in dir(enum) if member.isupper()} == ENUMS[name]
    assert issubclass(enum, (GObject.GFlags, GObject.GEnum))


@pytest.mark.parametrize('name', [
    # Counting is the binding's, and so is the stack.
    'ref', 'unref', 'replace', 'take', 'steal', 'free', 'init', 'ref_count',
    # Pointers and callbacks with pointers.
    'new_wrapped', 'try_new_wrapped', 'set_qdata', 'get_qdata', 'steal_qdata', 'weak_ref', 'weak_unref',
    'add_weak', 'remove_weak', 'dup_qdata',
    # What the overrides are made of.
    'acquire_view', 'release_view', 'peek_info', 'pin', 'unpin', 'dup_memory', 'dup_parent',
    # Twins: scripts have the one that tells errors, under the short name.
    'try_map', 'try_unmap', 'map_full', 'try_share', 'try_copy', 'try_new', 'try_resize', 'read_bytes',
    'try_to_bytes',
    # The struct.
    'lock_word', 'base', 'qdata', 'user_data', 'address',
])
def test_not_exposed(name: str) -> None:
    for cls in (Quire.Memory, Quire.Mapping, Quire):
        assert not hasattr(cls, name), cls
    assert name not in public(Quire.Allocator, GObject.Object)
    memory = make(b'abcd')
    assert not hasattr(memory, name)
    assert not hasattr(memory.map(READ), name)


def test_no_function_stands_alone() -> None:
    assert not [name for name in dir(Quire) if name.startswith(('allocator_', 'mapping_', 'map_info'))]
    with pytest.raises(AttributeError):
        Quire.memory_new_wrapped  # type: ignore[attr-defined]


def test_the_struct_of_c_is_not_that_of_scripts() -> None:
    assert Quire.MapInfo is Quire.Mapping
    info = Quire.MapInfo.__mro__[2].__info__  # type: ignore[attr-defined]
    assert info.get_name() == 'Mapping'
    assert info.get_fields() == ()
    assert Quire.Memory.__info__.get_fields() == ()  # type: ignore[attr-defined]


def test_virtual_functions_of_c_are_not_for_scripts() -> None:
    assert not hasattr(Quire.Allocator, 'do_free')
    assert not hasattr(Quire.Allocator, 'do_mem_map')
    info = Quire.Allocator.__info__  # type: ignore[attr-defined]
    assert sorted(vfunc.get_name() for vfunc in info.get_vfuncs()) == [
        'alloc', 'mapped', 'released', 'unmapped']


def results_of(thing: object) -> Iterator[tuple[str, object]]:
    """What its methods without arguments and its properties give."""
    for name in dir(thing):
        if name.startswith('_') or name in ('close', 'release', 'unmap', 'make_writable'):
            continue
        value = getattr(thing, name)
        if callable(value):
            try:
                value = value()
            except (TypeError, GLib.Error):
                continue
        yield name, value


def test_no_address_reaches_a_script() -> None:
    memory = make(b'abcd')
    info = memory.map(READWRITE)
    for thing in (memory, info):
        for name, value in results_of(thing):
            for number in value if isinstance(value, tuple) else (value,):
                assert not isinstance(number, int) or int(number) < 4096, name
            assert str(address(info)) not in str(value), name


SENTENCE = re.compile(r'[A-Z].*[.:]', re.DOTALL)
# What PyGObject makes of a signature, or Python of a class.
GENERATED = re.compile(r'\s*:Constructors:|gi\.FunctionInfo|\w+\(.*\)( -> .*)?$')


def words(thing: object) -> str:
    """The docstring of a class, or of a member as it stands in the class."""
    return inspect.getdoc(getattr(thing, '__func__', thing)) or ''


def is_ours(text: str) -> bool:
    """In sentences, and not generated."""
    return SENTENCE.search(text) is not None and GENERATED.match(text) is None


# The structs of classes are for C.
DOCUMENTED = sorted(name for name in NAMESPACE
                    if isinstance(getattr(Quire, name), type) and not name.endswith('AllocatorClass'))
# Whose members are told of by PyGObject, or by Python.
ABOVE = (GObject.Object, GObject.GEnum, GObject.GFlags, GObject.GBoxed, GLib.Error)


def test_the_namespace_has_a_docstring() -> None:
    assert SENTENCE.match(Quire.__doc__ or '')
    assert len(DOCUMENTED) > 10
    for name in NAMESPACE:
        if callable(getattr(Quire, name)) and not name.endswith('AllocatorClass'):
            assert is_ours(words(getattr(Quire, name))), name


@pytest.mark.parametrize('name', DOCUMENTED)
def test_everything_has_a_docstring(name: str) -> None:
    """Ours, in sentences; not what PyGObject makes of a signature."""
    cls = getattr(Quire, name)
    assert is_ours(vars(cls)['__doc__'])
    seen = 0
    for member in public(cls, *(base for base in ABOVE if issubclass(cls, base))):
        # A value of an enumeration is named there.
        if not member.isupper():
            assert is_ours(words(inspect.getattr_static(cls, member))), member
            seen += 1
    # Flags have nothing but values.
    assert seen > 0 or issubclass(cls, (GObject.GFlags, GLib.Error))
    assert len(pydoc.render_doc(cls)) > 500


def test_generated_text_is_no_docstring() -> None:
    class Bare(Quire.AllocationParams.__base__): pass  # type: ignore[misc, name-defined]
    for cls in (Quire.AllocatorClass, Quire.PoolAllocator.__mro__[1], GLib.Bytes, Bare):
        assert not is_ours(cls.__doc__ or '')
    for function in (GLib.Bytes.get_size, Quire.PoolAllocator.__mro__[1].flush):  # type: ignore[attr-defined]
        assert not is_ours(words(function))


def test_enum_of_errors_says_what_it_is_not() -> None:
    assert 'no exception' in (Quire.MemoryError.__doc__ or '') and 'Quire.Error' in (Quire.MemoryError.__doc__ or '')


def test_the_constructor_says_what_it_takes() -> None:
    class Frame(Quire.Memory):
        def __new__(cls, size: int, time: int) -> 'Frame':
            return super().__new__(cls, size)

    parameters = inspect.signature(Quire.Memory).parameters
    assert list(parameters) == ['size', 'align', 'prefix', 'padding', 'flags', 'allocator', 'fill']
    given = {name: parameter.default for name, parameter in parameters.items() if name != 'size'}
    assert Quire.Memory(5, **given).get_sizes() == (5, 0, 5)
    assert {str(parameters[name].kind) for name in given} == {'KEYWORD_ONLY'}
    assert 'Memory(size, *, align=0' in pydoc.plain(pydoc.render_doc(Quire.Memory))
    assert list(inspect.signature(Frame).parameters) == ['size', 'time']
    assert 'MapFlags.READ is 1' in (Quire.Memory.map.__doc__ or '')


def test_functions_say_what_they_take() -> None:
    assert 'Quire.Memory' in (Quire.Memory.wrap.__doc__ or '')
    assert 'MapInfo' in (Quire.Memory.map.__doc__ or '')


def test_tuples_have_names() -> None:
    sizes = make(b'abcd').get_sizes()
    assert (sizes.offset, sizes.maxsize) == (0, 4)
    memory = make(b'abcd')
    assert memory[:1].is_span(memory[1:]).offset == 0
    assert memory.merge(make(b'')).copied == 4


def test_constructors_are_static() -> None:
    # PyGObject lends no instance to them.
    for name in ('new', 'new_from_bytes', 'new_with_params', 'wrap', 'merge_list'):
        with pytest.raises(TypeError):
            getattr(Quire.Memory, name)()


def test_memory_travels_through_glib() -> None:
    memory = make(b'abcd')
    value = GObject.Value(Quire.Memory, memory)
    again = value.get_boxed()
    assert address(again) == address(memory)
    store = Gio.ListStore.new(GObject.Object)

    class Holder(GObject.Object):
        memory = GObject.Property(type=Quire.Memory)

        @GObject.Signal(arg_types=(Quire.Memory,))
        def arrived(self, memory: Quire.Memory) -> None:
            self.memory = memory

    holder = Holder()
    store.append(holder)
    holder.emit('arrived', memory)
    item = store.get_item(0)
    assert isinstance(item, Holder) and bytes(item.memory) == b'abcd'
    holder.memory.write(0, b'A')
    holder.memory.close()
    assert bytes(memory) == b'Abcd'
    del holder, store, item, value, again
    gc.collect()
    assert bytes(memory) == b'Abcd'


def test_enum_of_errors_is_no_exception() -> None:
    assert not issubclass(Quire.MemoryError, BaseException)
    assert Code.BUSY.value_nick == 'busy'
    assert GLib.quark_to_string(Quire.memory_error_quark()) == 'quire-memory-error-quark'


@pytest.mark.parametrize('make', [
    lambda: Quire.Memory(1), lambda: Quire.Memory(1).map(), Quire.AllocationParams.new, Quire.PoolStats,
])
def test_what_is_of_another_type_in_c_stays_so(make: Callable[[], object]) -> None:
    """A method would take the one struct for the other."""
    thing, others = make(), [Quire.Memory, Quire.Mapping, Quire.AllocationParams, Quire.PoolStats, GLib.Bytes]
    others.remove(type(thing))
    for other in others:
        with pytest.raises(TypeError, match='object layout differs'):
            thing.__class__ = other
    with pytest.raises(TypeError, match='object layout differs'):
        GLib.Bytes.new(b'abc').__class__ = type(thing)  # type: ignore[assignment]
