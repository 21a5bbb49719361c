# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""An allocator that the tests look over the shoulder of."""

import threading

from gi.repository import Quire


class Recorder(Quire.Allocator):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.count = 0
        self.threads: set[int] = set()

    def do_alloc(self, size: int, params: Quire.AllocationParams) -> Quire.Memory:
        self.count += 1
        self.log.append(f'alloc {size}')
        return self.bind(Quire.Memory(size), self.count)

    def do_mapped(self, memory: Quire.Memory, flags: Quire.MapFlags) -> None:
        self.threads.add(threading.get_ident())
        self.log.append(f'mapped {self.get_state(memory)} {int(flags)}')

    def do_unmapped(self, memory: Quire.Memory) -> None:
        self.log.append(f'unmapped {self.get_state(memory)}')

    def do_released(self, state: object) -> None:
        self.log.append(f'released {state}')

    def take_log(self) -> list[str]:
        log, self.log = self.log, []
        return log
