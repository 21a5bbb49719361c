# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What Quire should do, in plain Python."""

import builtins

from gi.repository import Quire

from helpers import EXCLUSIVE, READ, READWRITE, UNIQUE, WRITE, Code

NAMES = {int(READ): 'READ', int(WRITE): 'WRITE', int(READWRITE): 'READ+WRITE'}
FLAGS = [kind | extra for kind in (READ, WRITE, READWRITE)
         for extra in (Quire.MapFlags(0), EXCLUSIVE, UNIQUE, EXCLUSIVE | UNIQUE)]


class Refused(Exception):
    def __init__(self, code: Quire.MemoryError) -> None:
        super().__init__(code)
        self.code = code


class Block:
    """What Quire should know of a block: the bytes are those of its root."""

    def __init__(self, content: bytearray, readonly: bool = False, root: 'Block | None' = None,
                 offset: int = 0, size: int | None = None) -> None:
        self.content = content
        self.root = root or self
        self.offset = offset
        self.size = len(content) if size is None else size
        self.readonly = readonly or root is not None
        self.locks: list[Quire.MapFlags] = []
        # Handles, locks of maps, and shares, each of which keeps the block.
        self.users = 1
        self.shares = 0
        if root is not None:
            root.shares += 1
            root.users += 1

    def drop(self) -> None:
        self.users -= 1
        if self.users == 0 and self.root is not self:
            self.root.shares -= 1
            self.root.drop()

    def bytes(self) -> builtins.bytes:
        return bytes(self.content[self.offset:self.offset + self.size])

    def count(self, *accesses: int) -> int:
        return sum(flags & READWRITE in accesses for flags in self.locks)

    def counts(self) -> dict[str, int]:
        found = {name: self.count(access) for access, name in NAMES.items()}
        found['UNIQUE'] = sum(bool(flags & UNIQUE) for flags in self.locks)
        found['owner'] = sum(bool(flags & EXCLUSIVE) for flags in self.locks)
        found['share'] = self.shares
        return {name: number for name, number in found.items() if number}

    def check(self, flags: Quire.MapFlags) -> None:
        """The rules of the lock."""
        owners = sum(bool(held & EXCLUSIVE) for held in self.locks)
        access = flags & READWRITE
        if flags & WRITE and self.readonly:
            raise Refused(Code.READ_ONLY)
        if flags & EXCLUSIVE and owners >= 1 and self.count(WRITE, READWRITE):
            raise Refused(Code.BUSY)
        if not access:
            return
        maps = self.count(READ, WRITE, READWRITE)
        if any(held & UNIQUE for held in self.locks) or (flags & UNIQUE and maps):
            raise Refused(Code.BUSY)
        if flags & WRITE and (self.shares or owners + bool(flags & EXCLUSIVE) >= 2):
            raise Refused(Code.BUSY)
        if not self.count(READWRITE):
            others = {READ: (WRITE,), WRITE: (READ,), READWRITE: (READ, WRITE)}[access]
            if self.count(*others):
                raise Refused(Code.BUSY)

    def lock(self, flags: Quire.MapFlags) -> None:
        self.check(flags)
        self.locks.append(flags)

    def check_range(self, offset: int, size: int, before: int = 0) -> int:
        if not (-before <= offset <= self.size and (size == -1 or 0 <= size <= self.size - offset)):
            raise Refused(Code.OUT_OF_RANGE)
        return self.size - offset if size == -1 else size

    def check_index(self, index: int) -> int:
        if not -self.size <= index < self.size:
            raise Refused(Code.OUT_OF_RANGE)
        return index % self.size

    def share(self, offset: int, size: int) -> 'Block':
        size = self.check_range(offset, size, before=self.offset)
        if self.root.count(WRITE, READWRITE):
            raise Refused(Code.BUSY)
        return Block(self.content, root=self.root, offset=self.offset + offset, size=size)
