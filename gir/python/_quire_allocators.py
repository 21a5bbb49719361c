# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The allocators, and what they are told and tell."""

import operator

from gi.module import get_introspection_module

from . import _quire, _quire_allocator
from ._quire_documented import Documented, field, names, override_quire, type_name

Quire = get_introspection_module('Quire')

__all__ = [
    'AllocationParams', 'Allocator', 'FdAllocator', 'GuardAllocator', 'MemfdAllocator', 'PoolAllocator', 'PoolStats',
    'SecureAllocator',
]

# As PyGObject has them, without what is added here.
_AllocationParams = Quire.AllocationParams
_PoolStats = Quire.PoolStats
_Allocator = Quire.Allocator

# Where C has the struct of its parent.
del _Allocator.parent_instance


@override_quire
class AllocationParams(_AllocationParams, metaclass=Documented):
    """How a block shall be allocated: flags, align, prefix and padding.

    Quire.AllocationParams(align=4095, prefix=16) sets what is given; all else asks for
    nothing special. Quire.Memory(), Quire.PoolAllocator() and alloc() take the same as
    keywords.
    """

    # With a slot it differs in layout from other boxed types, of which the __class__ could
    # be set to it otherwise; in C they would still be what they are.
    __slots__ = ('_layout',)

    flags = field(_AllocationParams, 'flags', 'Quire.MemoryFlags, or-ed, that the block shall have.',
                  lambda flags: flags)
    # PyGObject would take 1.5 for 1.
    align = field(_AllocationParams, 'align', 'The alignment of the data as a mask, its bytes less 1.',
                  _quire.check_size)
    prefix = field(_AllocationParams, 'prefix', 'How many bytes there shall be before the data.',
                   _quire.check_size)
    padding = field(_AllocationParams, 'padding', 'How many bytes there shall be after the data.',
                    _quire.check_size)

    def __new__(cls, *, flags=0, align=0, prefix=0, padding=0):
        params = _AllocationParams.new()
        params.flags = flags
        params.align = align
        params.prefix = prefix
        params.padding = padding
        return params

    def __init__(self, **kwargs):
        # __new__ has made it all.
        pass

    @staticmethod
    def new():
        """Makes parameters that ask for nothing special."""
        return _AllocationParams.new()

    def copy(self):
        """Makes others that ask for the same."""
        return _AllocationParams.copy(self)

    def __repr__(self):
        return (f'Quire.AllocationParams(flags={names(self.flags)}, align={self.align}, '
                f'prefix={self.prefix}, padding={self.padding})')


def _join_params(params, align, prefix, padding, flags):
    """Makes parameters of keywords."""
    if params is not None:
        raise TypeError('align, prefix, padding and flags are in the params already, or else there are no params')
    return AllocationParams(flags=flags, align=align, prefix=prefix, padding=padding)


def _find(allocator):
    """Gives an allocator, of which there may only be the name, as Quire.Memory() does."""
    if isinstance(allocator, str):
        found = _Allocator.find(allocator)
        if found is None:
            raise LookupError(f'no allocator is registered as {allocator!r}')
        return found
    if allocator is not None and not isinstance(allocator, Allocator):
        raise TypeError(f'expected a Quire.Allocator or the name of one, got {type(allocator).__name__}')
    return allocator


@override_quire
class Allocator(_Allocator, metaclass=_quire_allocator.Meta):
    """Where blocks come from.

    Quire.Allocator.find(name) gives one that is registered. alloc() makes a block.

    A class that derives from this one says how, in do_alloc(size, params): it takes a
    block from elsewhere and returns self.bind(block, state). It may also have
    do_mapped(memory, flags), which refuses a map by raising an exception,
    do_unmapped(memory), and do_released(state). They are called on any thread.
    """

    def alloc(self, size, params=None, *, align=0, prefix=0, padding=0, flags=0, fill=None):
        """Allocates a block of so many bytes.

        How, is said by Quire.AllocationParams, or by the keywords that Quire.Memory() has;
        and fill is what each byte shall be.
        """
        if align != 0 or prefix != 0 or padding != 0 or flags != 0:
            params = _join_params(params, align, prefix, padding, flags)
        memory = _quire.allocator_alloc(self, size, params)
        if fill is not None:
            memory.fill(value=fill)
        return memory

    def bind(self, backing, state=None):
        """Makes a block of this allocator over another one, which nobody else can map then.

        The state, any object, is what do_released() gets when the block is gone.
        """
        return _quire.allocator_bind(self, backing, state)

    def get_state(self, memory):
        """Gives the state of a block of this allocator, or of a share of one; else None."""
        return _quire.allocator_get_state(self, memory)

    def get_mem_type(self):
        """Tells the type of the blocks, as 'system'; Memory.is_type() asks for it."""
        return _Allocator.get_mem_type(self)

    def set_default(self):
        """Makes it the allocator that Quire.Memory(size) takes blocks from."""
        _Allocator.set_default(self)

    def set_home(self):
        """Has its functions called on this thread only, and tells whether that is so now."""
        return _Allocator.set_home(self)

    @staticmethod
    def find(name=None):
        """Gives the allocator that is registered by this name, or None; without a name, the
        default one.

        From the start there are 'system', 'fd', 'memfd', 'guard' and 'secure'.
        """
        return _Allocator.find(name)

    @staticmethod
    def register(name, allocator):
        """Registers an allocator, for good, by a name that is not taken yet."""
        _Allocator.register(name, allocator)

    @staticmethod
    def dispatch():
        """Calls what waits to be called on this thread, as the main loop does, and tells how
        many calls that were. See set_home()."""
        return _Allocator.dispatch()

    @staticmethod
    def get_default_align():
        """Tells how all blocks of the system's allocator are aligned, as a mask."""
        return _Allocator.get_default_align()


_quire_allocator.complete(Allocator)


@override_quire
class FdAllocator(Quire.FdAllocator):
    """The allocator 'fd', of blocks over descriptors that were there before.

    Quire.Memory.new_from_fd() makes them. There is nothing to allocate here: that does
    Quire.MemfdAllocator.
    """

    def __repr__(self):
        return f'<{type_name(self)}>'


_MemfdAllocator = Quire.MemfdAllocator
_DEFAULT_SEALS = _MemfdAllocator.props.seals.default_value


@override_quire
class MemfdAllocator(_MemfdAllocator):
    """The allocator 'memfd', of blocks that other processes can have: each is a file of its
    own that has no name in any folder.

    Quire.Allocator.find('memfd') is one. Quire.MemfdAllocator() makes another, with these
    arguments:

    name            what the files are called in the lists of the system: 'quire'
    seals           the Quire.Seals that a block has from the start: SHRINK|GROW
    huge_page_size  the size of the pages in bytes; 0 for those of the ordinary size
    """

    def __init__(self, name=None, *, seals=_DEFAULT_SEALS, huge_page_size=0):
        super().__init__(name=name, seals=seals, huge_page_size=_quire.check_size(huge_page_size))

    @staticmethod
    def new(name=None, seals=_DEFAULT_SEALS):
        """Makes an allocator, as Quire.MemfdAllocator(name, seals=seals) does."""
        return _MemfdAllocator.new(name, seals)

    @property
    def name(self):
        """What the files are called in the lists of the system."""
        return _MemfdAllocator.get_name(self)

    @property
    def seals(self):
        """The Quire.Seals that a block has from the start."""
        return _MemfdAllocator.get_seals(self)

    @property
    def huge_page_size(self):
        """The size of the huge pages in bytes; 0 for pages of the ordinary size."""
        return _MemfdAllocator.get_huge_page_size(self)

    def get_name(self):
        """Tells what the attribute name does."""
        return self.name

    def get_seals(self):
        """Tells what the attribute seals does."""
        return self.seals

    def get_huge_page_size(self):
        """Tells what the attribute huge_page_size does."""
        return self.huge_page_size

    def __repr__(self):
        pages = f', pages of {self.huge_page_size} bytes' if self.huge_page_size else ''
        return f'<{type_name(self)} {self.name!r}, seals {names(self.seals)}{pages}>'


_GuardAllocator = Quire.GuardAllocator
_DEFAULT_QUARANTINE = _GuardAllocator.props.quarantine.default_value


@override_quire
class GuardAllocator(_GuardAllocator):
    """The allocator 'guard', for debugging: who reads or writes outside of a block is stopped
    there and then, by SIGSEGV.

    Quire.Allocator.find('guard') is one. Quire.GuardAllocator() makes another, with these
    keywords:

    quarantine  how many blocks that were freed are kept, so that who uses one is stopped
    aborts      whether the program ends when it was written between a block and its fence,
                which is found only when the block is freed
    """

    def __init__(self, *, quarantine=_DEFAULT_QUARANTINE, aborts=False):
        super().__init__(quarantine=_quire.check_size(quarantine), aborts=aborts)

    @staticmethod
    def new():
        """Makes an allocator, as Quire.GuardAllocator() does."""
        return _GuardAllocator.new()

    @property
    def quarantine(self):
        """How many blocks that were freed are kept."""
        return _GuardAllocator.get_quarantine(self)

    @property
    def aborts(self):
        """Whether the program ends when it was written beside a block."""
        return _GuardAllocator.get_aborts(self)

    @property
    def n_damaged(self):
        """Beside how many blocks it was written."""
        return _GuardAllocator.get_n_damaged(self)

    def get_quarantine(self):
        """Tells what the attribute quarantine does."""
        return self.quarantine

    def get_aborts(self):
        """Tells what the attribute aborts does."""
        return self.aborts

    def get_n_damaged(self):
        """Tells what the attribute n_damaged does."""
        return self.n_damaged

    def __repr__(self):
        aborts = ', aborts' if self.aborts else ''
        return (f'<{type_name(self)} with a quarantine of {self.quarantine} blocks{aborts}, '
                f'{self.n_damaged} damaged>')


_SecureAllocator = Quire.SecureAllocator


@override_quire
class SecureAllocator(_SecureAllocator):
    """The allocator 'secure', for what is secret: blocks that are locked in memory, left out of
    core dumps, empty in the child of a fork, and wiped when they are freed.

    Quire.Allocator.find('secure') is one. The system bounds how much a process may lock.
    """

    @staticmethod
    def new():
        """Makes an allocator, as Quire.SecureAllocator() does."""
        return _SecureAllocator.new()

    def __repr__(self):
        return f'<{type_name(self)}>'


@override_quire
class PoolStats(_PoolStats, metaclass=Documented):
    """What a pool has done, and what it has, at one moment: Quire.PoolAllocator.stats."""

    # As that of AllocationParams.
    __slots__ = ('_layout',)

    n_blocks = field(_PoolStats, 'n_blocks', 'How many blocks the pool has, those that are out included.')
    n_free = field(_PoolStats, 'n_free', 'How many of them wait for the next who asks.')
    n_out = field(_PoolStats, 'n_out', 'How many are out.')
    max_out = field(_PoolStats, 'max_out', 'How many have been out at once, at most.')
    n_waiting = field(_PoolStats, 'n_waiting', 'How many threads wait for a block.')
    n_made = field(_PoolStats, 'n_made', 'How many blocks were ever made, from the other allocator.')
    n_recycled = field(_PoolStats, 'n_recycled',
                       'How often an allocation got a block that was used before, or made ahead.')

    def copy(self):
        """Makes others with the same numbers."""
        return _PoolStats.copy(self)

    def __repr__(self):
        return (f'<{type_name(self)}: n_blocks={self.n_blocks}, n_free={self.n_free}, n_out={self.n_out}, '
                f'max_out={self.max_out}, n_waiting={self.n_waiting}, n_made={self.n_made}, '
                f'n_recycled={self.n_recycled}>')


_PoolAllocator = Quire.PoolAllocator


@override_quire
class PoolAllocator(_PoolAllocator):
    """An allocator that keeps the blocks that come back, and gives them out again.

    Quire.PoolAllocator(block_size) makes one, with these keywords:

    max_blocks      how many blocks there may be; 0 for as many as are asked for
    initial_blocks  how many to make at once
    max_wait        how long alloc() waits when all are out, in microseconds: 0 for not at
                    all, -1 for as long as it takes
    allocator       where the blocks come from: a Quire.Allocator, or the name of one that
                    is registered
    params          Quire.AllocationParams for the blocks, or these instead: align, prefix,
                    padding, flags

    alloc() gives a block of at most block_size bytes, acquire() one of all of them, and can
    wait otherwise. A block comes back when nobody can reach it any more.

    It is a context manager that closes the pool: with Quire.PoolAllocator(4096) as pool: ...
    """

    def __init__(self, block_size, *, max_blocks=0, initial_blocks=0, max_wait=0, allocator=None, params=None,
                 align=0, prefix=0, padding=0, flags=0):
        allocator = _find(allocator)
        if align != 0 or prefix != 0 or padding != 0 or flags != 0:
            params = _join_params(params, align, prefix, padding, flags)
        block_size, max_blocks, initial_blocks = map(_quire.check_size, (block_size, max_blocks, initial_blocks))
        max_wait = operator.index(max_wait)

        # This one tells what is wrong, which an object that is made of properties can not.
        _PoolAllocator.new(allocator, block_size, params, max_blocks)
        super().__init__(allocator=allocator, block_size=block_size, params=params, max_blocks=max_blocks,
                         initial_blocks=initial_blocks, max_wait=max_wait)
        # Those that could not be made.
        if initial_blocks > 0:
            self.prealloc(initial_blocks)

    @staticmethod
    def new(allocator, block_size, params=None, max_blocks=0):
        """Makes a pool, as Quire.PoolAllocator() does."""
        return _PoolAllocator.new(allocator, _quire.check_size(block_size), params, _quire.check_size(max_blocks))

    def acquire(self, max_wait=None, cancellable=None):
        """Gives a block of all the bytes that a block of the pool has.

        If all are out it waits for one to come back, on another thread, for so many
        microseconds: 0 for not at all, -1 for as long as it takes, None for what the pool's
        max_wait says. A Gio.Cancellable ends the wait, and so does Ctrl-C.
        """
        return _quire.pool_acquire(self, max_wait, cancellable)

    def acquire_async(self, max_wait=None, cancellable=None, callback=None, *user_data):
        """Asks for a block as acquire() does, while the main loop goes on; the callback calls
        acquire_finish()."""
        max_wait = self.max_wait if max_wait is None else operator.index(max_wait)
        _PoolAllocator.acquire_async(self, max_wait, cancellable, callback, *user_data)

    def acquire_finish(self, result):
        """Gives the block that acquire_async() asked for."""
        return _PoolAllocator.acquire_finish(self, result)

    def prealloc(self, n_blocks):
        """Makes blocks ahead, until the pool has so many, those that are out included."""
        _PoolAllocator.prealloc(self, _quire.check_size(n_blocks))

    def trim(self, keep):
        """Gives free blocks back to the other allocator until no more than these are free, and
        tells how many those were."""
        return _PoolAllocator.trim(self, _quire.check_size(keep))

    def flush(self):
        """Gives all free blocks back, as trim(0) does."""
        return _PoolAllocator.flush(self)

    def close(self):
        """Ends the pool, for those who wait too: who asks for a block gets Quire.Error.Closed.

        Blocks that are out stay good, and are freed when they come back.
        """
        _PoolAllocator.close(self)

    def is_closed(self):
        """Tells whether the pool was closed, as the attribute closed does."""
        return _PoolAllocator.is_closed(self)

    @property
    def closed(self):
        """Whether the pool was closed."""
        return _PoolAllocator.is_closed(self)

    @property
    def allocator(self):
        """Where the blocks come from."""
        return _PoolAllocator.get_allocator(self)

    @property
    def block_size(self):
        """How many bytes of data a block may have."""
        return _PoolAllocator.get_block_size(self)

    @property
    def params(self):
        """How blocks are made: a copy of the Quire.AllocationParams."""
        return self.props.params

    @property
    def max_blocks(self):
        """How many blocks there may be; 0 if there is no limit."""
        return _PoolAllocator.get_max_blocks(self)

    @property
    def max_wait(self):
        """How long alloc() waits for a block when all are out, in microseconds: 0 for not at
        all, -1 for as long as it takes. It may be set."""
        return _PoolAllocator.get_max_wait(self)

    @max_wait.setter
    def max_wait(self, max_wait):
        _PoolAllocator.set_max_wait(self, operator.index(max_wait))

    @property
    def stats(self):
        """What goes on in the pool now, as Quire.PoolStats."""
        return _PoolAllocator.get_stats(self)

    def get_allocator(self):
        """Tells what the attribute allocator does."""
        return self.allocator

    def get_block_size(self):
        """Tells what the attribute block_size does."""
        return self.block_size

    def get_max_blocks(self):
        """Tells what the attribute max_blocks does."""
        return self.max_blocks

    def get_max_wait(self):
        """Tells what the attribute max_wait does."""
        return self.max_wait

    def set_max_wait(self, max_wait):
        """Sets the attribute max_wait."""
        self.max_wait = max_wait

    def get_stats(self):
        """Tells what the attribute stats does."""
        return self.stats

    def __enter__(self):
        return self

    def __exit__(self, type, value, traceback):
        self.close()

    def __repr__(self):
        stats = self.stats
        most = f', at most {self.max_blocks}' if self.max_blocks else ''
        closed = ', closed' if self.closed else ''
        return (f'<{type_name(self)} of {stats.n_blocks} blocks of {self.block_size} bytes, '
                f'{stats.n_out} out{most}{closed}>')
