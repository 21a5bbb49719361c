# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""DLPack: tensors of blocks and blocks of tensors, with and without a version."""

import ctypes
import gc
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from gi.repository import Quire

from helpers import READ, WRITE, Call, Code, Make, address, counts, make, make_flagged, refused

CONTENT = bytes(range(100))


class Tensor(ctypes.Structure):
    """As the specification has it."""
    _fields_ = [('data', ctypes.c_void_p), ('device_type', ctypes.c_int32), ('device_id', ctypes.c_int32),
                ('ndim', ctypes.c_int32), ('code', ctypes.c_uint8), ('bits', ctypes.c_uint8),
                ('lanes', ctypes.c_uint16), ('shape', ctypes.POINTER(ctypes.c_int64)),
                ('strides', ctypes.POINTER(ctypes.c_int64)), ('byte_offset', ctypes.c_uint64)]


class Managed(ctypes.Structure):
    pass


class Versioned(ctypes.Structure):
    pass


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
Managed._fields_ = [('tensor', Tensor), ('context', ctypes.c_void_p), ('deleter', DELETER)]
Versioned._fields_ = [('major', ctypes.c_uint32), ('minor', ctypes.c_uint32), ('context', ctypes.c_void_p),
                      ('deleter', DELETER), ('flags', ctypes.c_uint64), ('tensor', Tensor)]
READ_ONLY, IS_COPIED = 1, 2

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
get_name = ctypes.pythonapi.PyCapsule_GetName
get_name.restype = ctypes.c_char_p
get_name.argtypes = [ctypes.py_object]
set_name = ctypes.pythonapi.PyCapsule_SetName
set_name.argtypes = [ctypes.py_object, ctypes.c_char_p]
get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
get_pointer.restype = ctypes.c_void_p
get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

USED = ctypes.c_char_p(b'used_dltensor')


class Taken:
    """A consumer: takes the tensor out of a capsule."""

    def __init__(self, capsule: object) -> None:
        name = get_name(capsule)
        kind = Versioned if name == b'dltensor_versioned' else Managed
        self.managed = kind.from_address(get_pointer(capsule, name))
        self.tensor = self.managed.tensor
        # The capsule keeps the pointer to its name.
        set_name(capsule, USED)

    def array(self) -> ctypes.Array[ctypes.c_uint8]:
        size = self.tensor.shape[0]
        kind: type[ctypes.Array[ctypes.c_uint8]] = ctypes.c_uint8 * size
        return kind.from_address(self.tensor.data)

    def delete(self) -> None:
        self.managed.deleter(ctypes.addressof(self.managed))


def export(memory: Quire.Memory, **arguments: Any) -> Taken:
    return Taken(memory.__dlpack__(**arguments))


VERSIONS: dict[str, dict[str, Any]] = {
    'no version': {}, 'None': {'max_version': None}, '0.8': {'max_version': (0, 8)},
    '1.0': {'max_version': (1, 0)}, '1.1': {'max_version': (1, 1)}, '2.0': {'max_version': [2, 0]}}


@pytest.mark.parametrize('version', VERSIONS)
def test_export(version: str) -> None:
    memory = make(CONTENT)
    capsule = memory.__dlpack__(**VERSIONS[version])
    versioned = version[0] in '12'
    assert get_name(capsule) == (b'dltensor_versioned' if versioned else b'dltensor')
    taken = Taken(capsule)
    if versioned:
        assert (taken.managed.major, taken.managed.minor, taken.managed.flags) == (1, 0, 0)
    tensor = taken.tensor
    assert (tensor.device_type, tensor.device_id, tensor.ndim, tensor.byte_offset) == (1, 0, 1, 0)
    assert (tensor.code, tensor.bits, tensor.lanes) == (1, 8, 1)
    assert (tensor.shape[0], tensor.strides[0]) == (100, 1)
    assert tensor.data == address(memory)
    taken.array()[5] = 99
    assert memoryview(memory)[5] == 99

    # The tensor is a map, whatever becomes of capsule and handle.
    del capsule
    assert counts(memory) == {'READ+WRITE': 1}
    with refused(Code.BUSY, 100, 1, unchanged=[memory]):
        memory[:]
    taken.delete()
    assert counts(memory) == {}


@pytest.mark.parametrize('version', VERSIONS)
def test_a_capsule_that_nobody_takes(version: str) -> None:
    memory = make(CONTENT)
    capsule = memory.__dlpack__(**VERSIONS[version])
    assert counts(memory) == {'READ+WRITE': 1}
    del capsule
    assert counts(memory) == {}


@pytest.mark.parametrize('version', VERSIONS)
def test_a_tensor_keeps_the_bytes(version: str) -> None:
    memory = make(CONTENT)
    taken = export(memory, **VERSIONS[version])
    memory.close()
    del memory
    gc.collect()
    assert bytes(taken.array()) == CONTENT
    thread = threading.Thread(target=taken.delete)
    thread.start()
    thread.join()


@pytest.mark.parametrize('make_readonly', [
    lambda: Quire.Memory.wrap(CONTENT), lambda: make(CONTENT)[:], lambda: make_flagged(4, Quire.MemoryFlags.READONLY),
], ids=['bytes', 'share', 'flag'])
def test_export_of_what_is_readonly(make_readonly: Make) -> None:
    memory = make_readonly()
    with refused(Code.READ_ONLY, len(memory), kind=BufferError, unchanged=[memory]):
        memory.__dlpack__()
    with refused(Code.READ_ONLY, kind=BufferError):
        numpy.from_dlpack(memory)
    taken = export(memory, max_version=(1, 0))
    assert taken.managed.flags == READ_ONLY
    assert counts(memory) == {'READ': 1}
    taken.delete()
    # A copy can be written.
    taken = export(memory, copy=True)
    assert counts(memory) == {}
    taken.array()[0] = 77
    taken.delete()


def test_export_beside_other_maps() -> None:
    memory = make(CONTENT)
    with memory.map(READ):
        with refused(Code.BUSY, 100, 1, kind=BufferError, unchanged=[memory]):
            memory.__dlpack__()
        taken = export(memory, max_version=(1, 0))
        assert taken.managed.flags == READ_ONLY
        taken.delete()
    with memory.map(WRITE):
        for arguments in (VERSIONS['no version'], VERSIONS['1.0']):
            with refused(Code.BUSY, 100, 1, kind=BufferError, unchanged=[memory]):
                memory.__dlpack__(**arguments)
    memory.close()
    uses: list[Call] = [
        memory.__dlpack__, lambda: memory.__dlpack__(copy=True), memory.__dlpack_device__]
    for use in uses:
        with refused(Code.CLOSED, kind=BufferError):
            use()


def test_export_of_a_copy() -> None:
    memory = make(CONTENT)
    taken = export(memory, copy=True, max_version=(1, 0))
    assert taken.managed.flags == IS_COPIED
    assert counts(memory) == {}
    taken.array()[0] = 55
    assert memory[0] == 0
    assert bytes(taken.array())[1:] == CONTENT[1:]
    taken.delete()
    for nothing in (False, None):
        taken = export(memory, copy=nothing, dl_device=(1, 0), stream=None)
        assert taken.tensor.data == address(memory)
        taken.delete()


def test_export_of_nothing() -> None:
    taken = export(Quire.Memory(0))
    assert (taken.tensor.data, taken.tensor.shape[0]) == (None, 0)
    taken.delete()


@pytest.mark.parametrize('arguments, kind', [
    ({'stream': 1}, ValueError), ({'dl_device': (2, 0)}, BufferError), ({'dl_device': (1, 1)}, BufferError),
    ({'dl_device': 1}, TypeError), ({'dl_device': (1,)}, TypeError), ({'max_version': '10'}, TypeError),
    ({'max_version': (1, 0, 0)}, TypeError), ({'max_version': 1}, TypeError), ({'max_version': (1 << 70, 0)}, OverflowError),
    ({'device': None}, TypeError),
], ids=repr)
def test_export_that_makes_no_sense(arguments: dict[str, object], kind: type[Exception]) -> None:
    memory = make(CONTENT)
    with pytest.raises(kind):
        memory.__dlpack__(**arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        memory.__dlpack__(None)  # type: ignore[misc]
    assert counts(memory) == {}


def test_device() -> None:
    assert make(CONTENT).__dlpack_device__() == (1, 0)


def test_numpy_takes_a_block() -> None:
    memory = make(CONTENT)
    numbers = numpy.from_dlpack(memory)
    assert (numbers.dtype, numbers.shape) == (numpy.dtype('u1'), (100,))
    assert numbers.ctypes.data == address(memory)
    assert counts(memory) == {'READ+WRITE': 1}
    memory.close()
    del memory
    assert numbers.tobytes() == CONTENT


@pytest.mark.parametrize('make_numbers', [
    lambda: numpy.arange(100, dtype='u1'), lambda: numpy.arange(25, dtype='f4').reshape(5, 5),
    lambda: numpy.arange(24, dtype='i8').reshape(2, 3, 4), lambda: numpy.arange(9, dtype='c16')[3:6],
    lambda: numpy.array(5.0), lambda: numpy.zeros((3, 1, 4))[:, :, :], lambda: numpy.zeros((0, 5)),
    lambda: numpy.zeros((5, 4))[2:3, :], lambda: numpy.zeros(1)[::-1],
], ids=range(9))
def test_block_of_numpy(make_numbers: Callable[[], numpy.ndarray[Any, Any]]) -> None:
    numbers = make_numbers()
    before = sys.getrefcount(numbers)
    memory = Quire.Memory.from_dlpack(numbers)
    assert type(memory) is Quire.Memory
    assert memory == numbers.tobytes()
    assert memory.is_writable()
    if len(memory):
        assert address(memory) == numbers.ctypes.data
        memory[0] = 5
        assert numbers.tobytes()[0] == 5
    assert sys.getrefcount(numbers) > before
    share = memory[:]
    memory.close()
    del memory
    assert sys.getrefcount(numbers) > before
    del share
    assert sys.getrefcount(numbers) == before


def test_block_of_a_block() -> None:
    memory = make(CONTENT)
    again = Quire.Memory.from_dlpack(memory)
    assert again == memory
    assert address(again) == address(memory)
    assert counts(memory) == {'READ+WRITE': 1}
    # What can't be written stays so: the capsule has a version.
    fixed = Quire.Memory.from_dlpack(make(CONTENT)[10:20])
    assert fixed == CONTENT[10:20]
    assert not fixed.is_writable()
    del again
    assert counts(memory) == {}


class Frame(Quire.Memory):
    pass


def test_block_of_a_class() -> None:
    assert type(Frame.from_dlpack(make(CONTENT))) is Frame


def test_numpy_that_is_not_compact() -> None:
    for numbers in (numpy.zeros((4, 4))[:, 1], numpy.zeros((4, 4)).T[:2], numpy.zeros(9)[::-1],
                    numpy.zeros((4, 4))[:, :3]):
        before = sys.getrefcount(numbers)
        with pytest.raises(BufferError, match='one after the other'):
            Quire.Memory.from_dlpack(numbers)
        assert sys.getrefcount(numbers) == before
    with pytest.raises(BufferError):
        Quire.Memory.from_dlpack(numpy.frombuffer(b'readonly', 'u1'))


class Producer:
    """A tensor that is made as one likes."""

    def __init__(self, versioned: bool = True, content: bytes = CONTENT, shape: tuple[int, ...] = (100,),
                 strides: tuple[int, ...] | None = None, major: int = 1, flags: int = 0, deletes: bool = True,
                 code: int = 1, bits: int = 8, lanes: int = 1, ndim: int | None = None,
                 device: tuple[int, int] = (1, 0), byte_offset: int = 0, data: int | None = None,
                 asked: object = True, name: bytes | None = None) -> None:
        self.deleted = 0
        self.calls: list[dict[str, object]] = []
        self.versioned = versioned
        self.asked_device = device if asked is True else asked
        self.name = name or (b'dltensor_versioned' if versioned else b'dltensor')
        self.content = (ctypes.c_uint8 * max(len(content), 1)).from_buffer_copy(content or b'\0')
        self.shape = (ctypes.c_int64 * len(shape))(*shape)
        self.strides = (ctypes.c_int64 * len(strides))(*strides) if strides else None
        self.managed = (Versioned if versioned else Managed)()
        self.deleter = DELETER(self.delete)
        if deletes:
            self.managed.deleter = self.deleter
        if versioned:
            self.managed.major, self.managed.flags = major, flags
        tensor = self.managed.tensor
        tensor.data = ctypes.addressof(self.content) if data is None else data
        tensor.device_type, tensor.device_id = device
        tensor.ndim = len(shape) if ndim is None else ndim
        tensor.code, tensor.bits, tensor.lanes = code, bits, lanes
        tensor.shape = ctypes.cast(self.shape, ctypes.POINTER(ctypes.c_int64))
        if self.strides:
            tensor.strides = ctypes.cast(self.strides, ctypes.POINTER(ctypes.c_int64))
        tensor.byte_offset = byte_offset

    def delete(self, pointer: int) -> None:
        assert pointer == ctypes.addressof(self.managed)
        self.deleted += 1

    def __dlpack_device__(self) -> object:
        return self.asked_device

    def __dlpack__(self, **arguments: object) -> object:
        self.calls.append(arguments)
        if not self.versioned and arguments:
            raise TypeError('an old producer')
        # No destructor: what is not taken is the producer's.
        self.capsule = new_capsule(ctypes.addressof(self.managed), self.name, None)
        return self.capsule


@pytest.mark.parametrize('versioned', [False, True])
def test_block_of_a_tensor(versioned: bool) -> None:
    producer = Producer(versioned)
    memory = Quire.Memory.from_dlpack(producer)
    assert memory == CONTENT
    assert memory.is_writable()
    assert address(memory) == ctypes.addressof(producer.content)
    assert get_name(producer.capsule) == (b'used_dltensor_versioned' if versioned else b'used_dltensor')
    assert producer.calls == [{'max_version': (1, 0)}] + ([] if versioned else [{}])
    share = memory[5:]
    del memory
    assert producer.deleted == 0
    assert share == CONTENT[5:]
    del share
    assert producer.deleted == 1


@pytest.mark.parametrize('arguments, expected', [
    ({'flags': READ_ONLY}, CONTENT), ({'flags': IS_COPIED}, CONTENT), ({'strides': (1,)}, CONTENT),
    ({'shape': (10, 10)}, CONTENT), ({'shape': (10, 10), 'strides': (10, 1)}, CONTENT),
    ({'shape': (1, 100, 1), 'strides': (7, 1, 9)}, CONTENT), ({'shape': (50,), 'byte_offset': 50}, CONTENT[50:]),
    ({'shape': (25,), 'code': 2, 'bits': 32}, CONTENT), ({'shape': (10,), 'bits': 16, 'lanes': 5}, CONTENT),
    ({'shape': (50,), 'bits': 4, 'lanes': 4}, CONTENT), ({'shape': ()}, CONTENT[:1]),
    ({'shape': (0,), 'data': 0}, b''), ({'shape': (5, 0, 5), 'strides': (3, 3, 3)}, b''),
    ({'deletes': False}, CONTENT), ({'versioned': False, 'deletes': False}, CONTENT),
], ids=repr)
def test_tensors_of_all_kinds(arguments: dict[str, Any], expected: bytes) -> None:
    producer = Producer(**arguments)
    memory = Quire.Memory.from_dlpack(producer)
    assert memory == expected
    assert memory.is_writable() == (arguments.get('flags') != READ_ONLY)
    del memory
    assert producer.deleted == (0 if 'deletes' in arguments else 1)


@pytest.mark.parametrize('arguments', [
    {'device': (2, 0)}, {'device': (2, 0), 'asked': (1, 0)}, {'asked': (2, 0)}, {'strides': (2,), 'shape': (50,)},
    {'strides': (-1,)}, {'shape': (10, 10), 'strides': (1, 10)}, {'bits': 4}, {'bits': 0}, {'lanes': 0}, {'bits': 1},
    {'shape': (-1,)}, {'shape': (1 << 62, 4)}, {'shape': (1 << 62, 2), 'bits': 64}, {'shape': (1 << 62,) * 5},
    {'ndim': -1}, {'data': 0}, {'major': 2}, {'major': 0}, {'name': b'used_dltensor'},
    {'name': b'used_dltensor_versioned'}, {'name': b'other'},
], ids=repr)
def test_tensors_that_are_refused(arguments: dict[str, Any]) -> None:
    producer = Producer(**arguments)
    with pytest.raises(BufferError):
        Quire.Memory.from_dlpack(producer)
    # It was not taken.
    assert producer.deleted == 0
    if producer.calls:
        assert get_name(producer.capsule) == producer.name


def test_what_is_no_producer() -> None:
    class Wrong:
        def __init__(self, result: object) -> None:
            self.result = result

        def __dlpack__(self, **arguments: object) -> object:
            if isinstance(self.result, Exception):
                raise self.result
            return self.result

    for other in (None, 5, b'bytes', object()):
        with pytest.raises(TypeError):
            Quire.Memory.from_dlpack(other)  # type: ignore[arg-type]
    for result in (None, 5, b'bytes', new_capsule(1, b'x', None)):
        with pytest.raises(BufferError):
            Quire.Memory.from_dlpack(Wrong(result))
    for error in (KeyError('mine'), BufferError('mine'), TypeError('mine'), AttributeError('mine')):
        with pytest.raises(type(error), match='mine'):
            Quire.Memory.from_dlpack(Wrong(error))
    for device in (None, 5, (1,), ('a', 'b'), (1, 2, 3)):
        if device is not None:
            with pytest.raises(TypeError):
                Quire.Memory.from_dlpack(Producer(asked=device))


def test_a_tensor_is_taken_once() -> None:
    producer = Producer()
    capsule = producer.__dlpack__()

    class Same:
        def __dlpack__(self, **arguments: object) -> object:
            return capsule

    memory = Quire.Memory.from_dlpack(Same())
    with pytest.raises(BufferError):
        Quire.Memory.from_dlpack(Same())
    del memory
    assert producer.deleted == 1


def test_deleter_on_another_thread() -> None:
    producer = Producer()
    held = [Quire.Memory.from_dlpack(producer)]
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    assert producer.deleted == 1
