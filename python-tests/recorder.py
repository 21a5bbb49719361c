# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""An allocator that the tests look over the shoulder of."""

import threading

from gi.repository import Quire


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
