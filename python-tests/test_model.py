# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Random sequences of everything, against a model in plain Python."""

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import TypeVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gi.repository import GLib, Quire

from helpers import EXCLUSIVE, READ, READWRITE, WRITE, Code, Use, counts, memory_of, parent_of
from model import FLAGS, Block, Refused

Real = TypeVar('Real')
Model = TypeVar('Model')
Thing = TypeVar('Thing')

Duplicate = Callable[[Quire.Memory], Quire.Memory]

DUPLICATES: list[Duplicate] = [copy.copy, copy.deepcopy, *(
    lambda memory, protocol=protocol: pickle.loads(pickle.dumps(memory, protocol)) for protocol in (2, 4, 5))]

# What is asked of a closed handle.
ASKED: list[Use] = [
    len, bytes, iter, lambda m: m[0], lambda m: m[:], lambda m: m.map(), lambda m: m.copy(), lambda m: m + m,
    lambda m: m.__setitem__(0, 1), lambda m: m.index(0), lambda m: m.count(0), lambda m: m.to_bytes(),
    lambda m: m.get_sizes(), lambda m: m.__dlpack__(), copy.copy]


class Handle:
    """A block by a name in Python."""

    def __init__(self, memory: Quire.Memory, block: Block) -> None:
        self.memory = memory
        self.block = block


class Tensor:
    """A tensor of a block, that nobody has taken out of its capsule."""

    def __init__(self, memory: Quire.Memory, versioned: bool) -> None:
        self.capsule: object = memory.__dlpack__(max_version=(1, 0) if versioned else None)

    def end(self) -> None:
        self.capsule = None


class Held:
    """A mapping, a view, or a tensor, and what it keeps in the model."""

    def __init__(self, thing: Quire.Mapping | memoryview | Tensor, block: Block, flags: Quire.MapFlags) -> None:
        self.thing = thing
        self.block = block
        self.flags = flags
        # It keeps the range that the block has now.
        self.offset = block.offset

    def end(self) -> None:
        if isinstance(self.thing, Tensor):
            self.thing.end()
        else:
            self.thing.release()


HeldThing = TypeVar('HeldThing', Quire.Mapping, memoryview, Tensor)

with_handles = precondition(lambda self: bool(self.handles))
with_held = precondition(lambda self: bool(self.held))
with_bytes_held = precondition(lambda self: bool(self.bytes_held))

small = st.integers(-3, 40)
sizes = st.integers(-2, 40)
picks = st.integers(0, 1 << 16)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.handles: list[Handle] = []
        self.held: list[Held] = []
        self.bytes_held: list[tuple[GLib.Bytes, Block, bytes]] = []
        self.locked: list[tuple[Block, Quire.MapFlags]] = []

    def pick(self, things: Sequence[Thing], number: int) -> Thing:
        return things[number % len(things)]

    def agree(self, model: Callable[[], Model], real: Callable[[], Real]) -> tuple[Real, Model] | None:
        """Does the same in the model and in Quire; both refuse for the same reason."""
        try:
            expected = model()
        except Refused as refusal:
            try:
                real()
            except GLib.Error as error:
                assert error.code == refusal.code, (error.message, refusal.code)
                return None
            raise AssertionError(f'expected {refusal.code}')
        return real(), expected

    def add(self, result: tuple[Quire.Memory, Block] | None) -> None:
        if result is not None:
            self.handles.append(Handle(*result))

    @rule(content=st.binary(max_size=32))
    def wrap_bytes(self, content: bytes) -> None:
        self.add((Quire.Memory.wrap(content), Block(bytearray(content), readonly=True)))

    @rule(content=st.binary(max_size=32))
    def allocate(self, content: bytes) -> None:
        memory = Quire.Memory(len(content))
        memory.write(0, content)
        self.add((memory, Block(bytearray(content))))

    @rule(content=st.binary(max_size=32))
    def wrap_bytearray(self, content: bytes) -> None:
        # The model reads where Quire writes.
        exporter = bytearray(content)
        self.add((Quire.Memory.wrap(exporter), Block(exporter)))

    @with_handles
    @rule(number=picks, offset=small, size=sizes)
    def share(self, number: int, offset: int, size: int) -> None:
        handle = self.pick(self.handles, number)
        self.add(self.agree(lambda: handle.block.share(offset, size), lambda: handle.memory.share(offset, size)))

    def share_slice(self, handle: Handle, start: int | None, stop: int | None) -> None:
        first, last, _ = slice(start, stop).indices(handle.block.size)
        self.add(self.agree(lambda: handle.block.share(first, max(0, last - first)),
                            lambda: handle.memory[start:stop]))

    @with_handles
    @rule(number=picks, start=st.none() | small, stop=st.none() | small)
    def slice(self, number: int, start: int | None, stop: int | None) -> None:
        self.share_slice(self.pick(self.handles, number), start, stop)

    @with_handles
    @rule(number=picks, at=small)
    def split(self, number: int, at: int) -> None:
        handle = self.pick(self.handles, number)
        n_handles = len(self.handles)
        self.share_slice(handle, None, at)
        self.share_slice(handle, at, None)
        if len(self.handles) == n_handles + 2:
            first, second = self.handles[-2:]
            whole = first.memory.merge(second.memory)
            assert (bytes(whole.memory), whole.copied) == (handle.block.bytes(), 0)

    @with_handles
    @rule(number=picks, offset=small, size=sizes)
    def copy(self, number: int, offset: int, size: int) -> None:
        handle = self.pick(self.handles, number)

        def model() -> Block:
            length = handle.block.check_range(offset, size, before=handle.block.offset)
            handle.block.check(READ)
            start = handle.block.offset + offset
            return Block(bytearray(handle.block.content[start:start + length]))

        self.add(self.agree(model, lambda: handle.memory.copy(offset, size)))

    @with_handles
    @rule(first=picks, second=picks)
    def merge(self, first: int, second: int) -> None:
        one, other = self.pick(self.handles, first), self.pick(self.handles, second)
        a, b = one.block, other.block
        span = a.root is not a and a.root is b.root and b.root is not b and a.offset + a.size == b.offset
        assert one.memory.is_span(other.memory)[0] == span

        def model() -> Block:
            if span:
                return Block(a.content, root=a.root, offset=a.offset, size=a.size + b.size)
            a.check(READ)
            b.check(READ)
            return Block(bytearray(a.bytes() + b.bytes()))

        result = self.agree(model, lambda: one.memory.merge(other.memory))
        if result is not None:
            (merged, copied), block = result
            assert copied == (0 if span else block.size)
            self.add((merged, block))

    @with_handles
    @rule(number=picks, offset=small, size=st.integers(0, 40))
    def resize(self, number: int, offset: int, size: int) -> None:
        handle = self.pick(self.handles, number)
        block = handle.block

        def model() -> None:
            start = block.offset + offset
            if not (0 <= start <= len(block.content) and size <= len(block.content) - start):
                raise Refused(Code.OUT_OF_RANGE)
            block.offset, block.size = start, size

        self.agree(model, lambda: handle.memory.resize(offset, size))

    @with_handles
    @rule(number=picks, offset=st.integers(0, 40), content=st.binary(max_size=16))
    def write(self, number: int, offset: int, content: bytes) -> None:
        handle = self.pick(self.handles, number)
        block, memory = handle.block, handle.memory

        def model() -> None:
            block.check(WRITE)
            block.check_range(offset, len(content))
            start = block.offset + offset
            block.content[start:start + len(content)] = content

        self.agree(model, lambda: memory.write(offset, content))

    @with_handles
    @rule(number=picks, offset=st.integers(0, 40), size=sizes, value=st.integers(0, 255))
    def fill(self, number: int, offset: int, size: int, value: int) -> None:
        handle = self.pick(self.handles, number)
        block = handle.block

        def model() -> None:
            block.check(WRITE)
            length = block.check_range(offset, size)
            start = block.offset + offset
            block.content[start:start + length] = bytes([value]) * length

        self.agree(model, lambda: handle.memory.fill(offset, size, value))

    @with_handles
    @rule(numbers=st.lists(picks, max_size=4))
    def merge_list(self, numbers: list[int]) -> None:
        handles = [self.pick(self.handles, number) for number in numbers]
        blocks = [handle.block for handle in handles]
        if len(blocks) < 2:
            return
        root = blocks[0].root
        span = all(block.root is root and block is not root for block in blocks) and all(
            first.offset + first.size == second.offset for first, second in zip(blocks, blocks[1:]))

        def model() -> Block:
            if span:
                size = sum(block.size for block in blocks)
                return Block(root.content, root=root, offset=blocks[0].offset, size=size)
            for block in blocks:
                block.check(READ)
            return Block(bytearray(b''.join(block.bytes() for block in blocks)))

        result = self.agree(model, lambda: Quire.Memory.merge_list([handle.memory for handle in handles]))
        if result is not None:
            (merged, copied), block = result
            assert copied == (0 if span else block.size)
            self.add((merged, block))

    @rule(size=st.integers(0, 20), prefix=st.integers(0, 9), padding=st.integers(0, 9), fill=st.integers(0, 255))
    def allocate_with_room(self, size: int, prefix: int, padding: int, fill: int) -> None:
        flags = Quire.MemoryFlags.ZERO_PREFIXED | Quire.MemoryFlags.ZERO_PADDED
        memory = Quire.Memory(size, prefix=prefix, padding=padding, flags=flags, fill=fill)
        content = bytearray(bytes(prefix) + bytes([fill]) * size + bytes(padding))
        self.add((memory, Block(content, offset=prefix, size=size)))

    @with_handles
    @rule(number=picks, index=st.integers(-25, 25))
    def look_at_a_byte(self, number: int, index: int) -> None:
        handle = self.pick(self.handles, number)

        def model() -> int:
            handle.block.check(READ)
            return handle.block.bytes()[handle.block.check_index(index)]

        result = self.agree(model, lambda: handle.memory[index])
        assert result is None or result[0] == result[1]

    @with_handles
    @rule(number=picks, index=st.integers(-25, 25), value=st.integers(0, 255))
    def write_a_byte(self, number: int, index: int, value: int) -> None:
        handle = self.pick(self.handles, number)
        block = handle.block

        def model() -> None:
            block.check(WRITE)
            block.content[block.offset + block.check_index(index)] = value

        self.agree(model, lambda: handle.memory.__setitem__(index, value))

    @with_handles
    @rule(number=picks, start=st.none() | small, stop=st.none() | small, value=st.integers(0, 255))
    def write_a_slice(self, number: int, start: int | None, stop: int | None, value: int) -> None:
        handle = self.pick(self.handles, number)
        block = handle.block
        first, last, _ = slice(start, stop).indices(block.size)
        content = bytes([value]) * max(0, last - first)

        def model() -> None:
            block.check(WRITE)
            block.content[block.offset + first:block.offset + first + len(content)] = content

        self.agree(model, lambda: handle.memory.__setitem__(slice(start, stop), content))

    @with_handles
    @rule(number=picks, needle=st.integers(0, 255) | st.binary(max_size=3))
    def contains(self, number: int, needle: int | bytes) -> None:
        handle = self.pick(self.handles, number)

        def model() -> bool:
            handle.block.check(READ)
            return needle in handle.block.bytes()

        result = self.agree(model, lambda: needle in handle.memory)
        assert result is None or result[0] == result[1]

    @with_handles
    @rule(number=picks, needle=st.integers(0, 255) | st.binary(max_size=3), start=st.none() | small,
          stop=st.none() | small)
    def search(self, number: int, needle: int | bytes, start: int | None, stop: int | None) -> None:
        handle = self.pick(self.handles, number)

        def model() -> tuple[int, int]:
            handle.block.check(READ)
            content = handle.block.bytes()
            return content.count(needle, start, stop), content.find(needle, start, stop)

        result = self.agree(model, lambda: handle.memory.count(needle, start, stop))
        if result is None:
            return
        count, (expected, first) = result
        assert count == expected
        try:
            assert handle.memory.index(needle, start, stop) == first
        except ValueError:
            assert first == -1

    @with_handles
    @rule(first=picks, second=picks, with_bytes=st.booleans())
    def equal(self, first: int, second: int, with_bytes: bool) -> None:
        one, other = self.pick(self.handles, first), self.pick(self.handles, second)
        a, b = one.block, other.block

        def model() -> bool:
            # One block is itself, whoever has it; and what differs in size needs no look.
            if a.size != b.size:
                return False
            if a is not b or with_bytes:
                a.check(READ)
            if a is not b and not with_bytes:
                b.check(READ)
            return a.bytes() == b.bytes()

        compared = b.bytes() if with_bytes else other.memory
        result = self.agree(model, lambda: one.memory == compared)
        assert result is None or result[0] == result[1]

    @with_handles
    @rule(number=picks, how=st.sampled_from(DUPLICATES))
    def duplicate(self, number: int, how: Duplicate) -> None:
        handle = self.pick(self.handles, number)
        # The pickle of what is read-only is read-only again, a copy is not.
        readonly = handle.block.readonly and how not in DUPLICATES[:2]

        def model() -> Block:
            handle.block.check(READ)
            return Block(bytearray(handle.block.bytes()), readonly=readonly)

        self.add(self.agree(model, lambda: how(handle.memory)))

    @with_handles
    @rule(number=picks)
    def make_writable(self, number: int) -> None:
        handle = self.pick(self.handles, number)
        block = handle.block
        owners = block.counts().get('owner', 0)

        def model() -> Block:
            if not block.readonly and not block.shares and owners < 2:
                block.users += 1
                return block
            block.check(READ)
            return Block(bytearray(block.bytes()))

        self.add(self.agree(model, handle.memory.make_writable))

    @with_handles
    @rule(number=picks, versioned=st.booleans())
    def tensor(self, number: int, versioned: bool) -> None:
        handle = self.pick(self.handles, number)
        flags = READWRITE
        if versioned:
            try:
                handle.block.check(READWRITE)
            except Refused:
                flags = READ
        self.hold(handle, flags, lambda: Tensor(handle.memory, versioned))

    @with_handles
    @rule(number=picks, ask=st.sampled_from(ASKED))
    def ask_a_closed_handle(self, number: int, ask: Use) -> None:
        handle = self.handles.pop(number % len(self.handles))
        handle.memory.close()
        handle.block.drop()
        try:
            # That it is no other one it can tell yet.
            closed = handle.memory
            assert closed == closed and not closed != closed
            for other in (b'', Quire.Memory(0), *(handle.memory for handle in self.handles)):
                assert closed != other and not closed == other and other != closed
            ask(closed)
        except Quire.Error.Closed:
            assert repr(handle.memory) == '<Quire.Memory, closed>'
            return
        raise AssertionError('a closed handle gave an answer')

    @with_handles
    @rule(first=picks, second=picks)
    def compare(self, first: int, second: int) -> None:
        one, other = self.pick(self.handles, first), self.pick(self.handles, second)

        def model() -> int:
            one.block.check(READ)
            other.block.check(READ)
            a, b = one.block.bytes(), other.block.bytes()
            return (a > b) - (a < b)

        result = self.agree(model, lambda: one.memory.compare(other.memory))
        if result is not None:
            assert (result[0] > 0) - (result[0] < 0) == result[1]

    def hold(self, handle: Handle, flags: Quire.MapFlags, ask: Callable[[], HeldThing]) -> HeldThing | None:
        block = handle.block

        def model() -> None:
            block.lock(flags)
            block.users += 1

        result = self.agree(model, ask)
        if result is None:
            return None
        self.held.append(Held(result[0], block, flags))
        return result[0]

    @with_handles
    @rule(number=picks, flags=st.sampled_from(FLAGS))
    def map(self, number: int, flags: Quire.MapFlags) -> None:
        handle = self.pick(self.handles, number)
        info = self.hold(handle, flags, lambda: handle.memory.map(flags))
        assert info is None or info.data.readonly == (not flags & WRITE)

    @with_handles
    @rule(number=picks)
    def view(self, number: int) -> None:
        handle = self.pick(self.handles, number)
        flags = READWRITE
        try:
            handle.block.check(READWRITE)
        except Refused:
            flags = READ
        view = self.hold(handle, flags, lambda: memoryview(handle.memory))
        assert view is None or view.readonly == (flags == READ)

    @with_held
    @rule(number=picks, position=picks, value=st.integers(0, 255))
    def write_through(self, number: int, position: int, value: int) -> None:
        held = self.pick(self.held, number)
        if isinstance(held.thing, Tensor):
            return
        view = memoryview(held.thing)
        if view.readonly or not view.nbytes:
            return
        index = position % view.nbytes
        view[index] = value
        held.block.content[held.offset + index] = value

    @with_held
    @rule(number=picks)
    def end(self, number: int) -> None:
        held = self.held.pop(number % len(self.held))
        held.end()
        held.block.locks.remove(held.flags)
        held.block.drop()

    @precondition(lambda self: any(isinstance(held.thing, Quire.Mapping) for held in self.held))
    @rule(number=picks, other=picks)
    def unmap(self, number: int, other: int) -> None:
        held, info = self.pick([(held, held.thing) for held in self.held
                                if isinstance(held.thing, Quire.Mapping)], number)
        handle = self.pick(self.handles, other) if self.handles else Handle(memory_of(info), held.block)

        def model() -> None:
            if handle.block is not held.block:
                raise Refused(Code.FAILED)
            held.block.locks.remove(held.flags)
            held.block.drop()
            self.held.remove(held)

        self.agree(model, lambda: handle.memory.unmap(info))

    @with_handles
    @rule(number=picks, flags=st.sampled_from([*FLAGS, EXCLUSIVE]))
    def lock(self, number: int, flags: Quire.MapFlags) -> None:
        handle = self.pick(self.handles, number)
        result = self.agree(lambda: handle.block.lock(flags), lambda: handle.memory.lock(flags))
        if result is not None:
            self.locked.append((handle.block, flags))

    @precondition(lambda self: bool(self.locked and self.handles))
    @rule(number=picks)
    def unlock(self, number: int) -> None:
        for block, flags in self.locked:
            names = [handle for handle in self.handles if handle.block is block]
            if names:
                self.pick(names, number).memory.unlock(flags)
                block.locks.remove(flags)
                self.locked.remove((block, flags))
                return

    @with_handles
    @rule(number=picks)
    def to_bytes(self, number: int) -> None:
        handle = self.pick(self.handles, number)
        result = self.agree(lambda: handle.block.share(0, -1), handle.memory.to_bytes)
        if result is not None:
            self.bytes_held.append((*result, result[1].bytes()))

    @with_bytes_held
    @rule(number=picks)
    def drop_bytes(self, number: int) -> None:
        shown, block, content = self.bytes_held.pop(number % len(self.bytes_held))
        assert (shown.get_data() or b'') == content == block.bytes()
        del shown
        block.drop()

    @with_handles
    @rule(number=picks)
    def name_of_the_parent(self, number: int) -> None:
        handle = self.pick(self.handles, number)
        if handle.block.root is handle.block:
            assert handle.memory.get_parent() is None
        else:
            handle.block.root.users += 1
            self.add((parent_of(handle.memory), handle.block.root))

    @with_handles
    @rule(number=picks, close=st.booleans())
    def drop(self, number: int, close: bool) -> None:
        handle = self.handles.pop(number % len(self.handles))
        if close:
            handle.memory.close()
            assert handle.memory.closed
        del handle.memory
        handle.block.drop()

    @invariant()
    def the_same(self) -> None:
        for handle in self.handles:
            memory, block = handle.memory, handle.block
            assert memory.get_sizes() == (block.size, block.offset, len(block.content))
            assert counts(memory) == block.counts()
            owners = block.counts().get('owner', 0)
            assert memory.is_writable() == (not block.readonly and not block.shares and owners < 2)
            try:
                block.check(READ)
            except Refused:
                continue
            assert bytes(memory) == block.bytes()

    def teardown(self) -> None:
        for held in self.held:
            held.end()


Machine.TestCase.settings = hypothesis.settings(
    derandomize=True, database=None, deadline=None, max_examples=100, stateful_step_count=60,
    suppress_health_check=list(hypothesis.HealthCheck))

TestModel = Machine.TestCase
