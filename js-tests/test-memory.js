// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Blocks as such: size, valid range, flags, type, alignment.

import Quire from 'gi://Quire?version=1.0';

import {contentOf, countingBlock, isSameBlock, paddedBlock} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MemoryError, MemoryFlags, MapFlags} = Quire;

function alignedBlock(size, align, prefix = 0) {
    const params = new Quire.AllocationParams();
    params.align = align;
    params.prefix = prefix;
    return Quire.Memory.new_with_params(size, params);
}

test('a new block has the size asked for, and nothing beside it', () => {
    for (const size of [0, 1, 7, 4096, 1 << 20])
        deepEqual(Quire.Memory.new(size).get_sizes(), [size, 0, size]);
});

test('the constructor does what new() does', () => {
    deepEqual(new Quire.Memory(24).get_sizes(), [24, 0, 24]);
});

test('a size may be a BigInt', () => {
    deepEqual(Quire.Memory.new(24n).get_sizes(), [24, 0, 24]);
});

test('a block is of the class, and no mapping', () => {
    const memory = Quire.Memory.new(1);
    ok(memory instanceof Quire.Memory);
    ok(!(memory instanceof Quire.Mapping));
});

test('a new block is open, free, writable and without a parent', () => {
    const memory = Quire.Memory.new(8);
    equal(memory.is_closed(), false);
    equal(memory.describe_lock(), 'free');
    equal(memory.is_writable(), true);
    equal(memory.get_parent(), null);
    equal(memory.get_flags(), MemoryFlags.NONE);
});

test('sizes that no system has are refused', () => {
    throwsError(() => Quire.Memory.new(2 ** 62), MemoryError.NO_SPACE, /4611686018427387904/);
    throwsError(() => Quire.Memory.new(2n ** 62n), MemoryError.NO_SPACE, /4611686018427387904/);
    throwsError(() => Quire.Memory.new(2 ** 63), MemoryError.TOO_LARGE, /9223372036854775808/);
    throwsError(() => Quire.Memory.new(2n ** 64n - 1n), MemoryError.TOO_LARGE,
        /18446744073709551615/);
    throws(() => Quire.Memory.new(-1));
    throws(() => Quire.Memory.new(2n ** 64n));
    throws(() => Quire.Memory.new());
});

test('prefix and padding lie around the data', () => {
    const memory = paddedBlock(16, 8, 4);
    deepEqual(memory.get_sizes(), [16, 8, 28]);
});

test('prefix and padding that are too large together are refused', () => {
    const params = new Quire.AllocationParams();
    params.prefix = 2n ** 62n;
    params.padding = 2n ** 62n;
    throwsError(() => Quire.Memory.new_with_params(8, params), MemoryError.TOO_LARGE,
        /8 bytes .* 4611686018427387904 .* 4611686018427387904/);

    params.prefix = 2n ** 64n - 1n;
    params.padding = 0;
    throwsError(() => Quire.Memory.new_with_params(8, params), MemoryError.TOO_LARGE,
        /18446744073709551615/);
});

test('prefix and padding are zero where the flags ask', () => {
    // Blocks that were used before make it likely that there is something to clear.
    for (let i = 0; i < 64; i++) {
        const used = Quire.Memory.new(64);
        used.fill(0, -1, 0xa5);
    }
    const flags = MemoryFlags.ZERO_PREFIXED | MemoryFlags.ZERO_PADDED;
    const memory = paddedBlock(16, 24, 24, flags);
    memory.fill(0, -1, 0x5a);

    equal(memory.get_flags(), flags);
    memory.resize(-24, 64);
    deepEqual(contentOf(memory),
        [...Array(24).fill(0), ...Array(16).fill(0x5a), ...Array(24).fill(0)]);
});

test('parameters are null, or what they were set to', () => {
    deepEqual(Quire.Memory.new_with_params(8, null).get_sizes(), [8, 0, 8]);

    const params = new Quire.AllocationParams({align: 63, prefix: 2, padding: 3});
    const copy = params.copy();
    params.prefix = 5;
    deepEqual([copy.flags, copy.align, copy.prefix, copy.padding], [0, 63, 2, 3]);
    deepEqual(Quire.Memory.new_with_params(8, params).get_sizes(), [8, 5, 16]);
    deepEqual(Quire.Memory.new_with_params(8, copy).get_sizes(), [8, 2, 13]);

    const nothing = Quire.AllocationParams.new();
    deepEqual([nothing.flags, nothing.align, nothing.prefix, nothing.padding], [0, 0, 0, 0]);
});

test('resize moves the valid range, and no byte', () => {
    const memory = countingBlock(16);
    memory.resize(4, 8);
    deepEqual(memory.get_sizes(), [8, 4, 16]);
    deepEqual(contentOf(memory), [4, 5, 6, 7, 8, 9, 10, 11]);

    memory.resize(2, 1);
    deepEqual(memory.get_sizes(), [1, 6, 16]);
    deepEqual(contentOf(memory), [6]);

    memory.resize(-6, 16);
    deepEqual(memory.get_sizes(), [16, 0, 16]);
    deepEqual(contentOf(memory), contentOf(countingBlock(16)));

    memory.resize(16, 0);
    deepEqual(memory.get_sizes(), [0, 16, 16]);
});

test('resize grows into prefix and padding', () => {
    const memory = paddedBlock(16, 8, 4);
    memory.resize(0, 20);
    deepEqual(memory.get_sizes(), [20, 8, 28]);
    memory.resize(-8, 28);
    deepEqual(memory.get_sizes(), [28, 0, 28]);
});

test('resize out of the block is refused, and nothing changes', () => {
    const memory = paddedBlock(16, 8, 4);
    for (const [offset, size] of [
        [0, 21], [-9, 1], [21, 0], [20, 1], [-8, 29], [1, 20],
        [2n ** 63n - 1n, 0], [-(2n ** 63n), 0], [0, 2n ** 64n - 1n], [-8, 2n ** 64n - 1n],
    ]) {
        throwsError(() => memory.resize(offset, size), MemoryError.OUT_OF_RANGE,
            new RegExp(`to ${size} bytes at offset ${offset}: .* 28 bytes, .* at 8$`));
        deepEqual(memory.get_sizes(), [16, 8, 28]);
    }
});

test('a map that stands keeps its range when the block is resized', () => {
    const memory = countingBlock(16);
    const info = memory.map(MapFlags.READ);
    memory.resize(4, 4);
    deepEqual(info.data, countingBlock(16).read(0, -1).toArray());
    equal(info.size, 16);
    memory.unmap(info);

    const second = memory.map(MapFlags.READ);
    deepEqual(second.data, [4, 5, 6, 7]);
    equal(second.maxsize, 12);
    memory.unmap(second);
});

test('the flags that were asked for are the flags of the block', () => {
    for (const flags of [
        MemoryFlags.READONLY, MemoryFlags.NO_SHARE, MemoryFlags.NOT_MAPPABLE,
        MemoryFlags.PHYSICALLY_CONTIGUOUS, MemoryFlags.READONLY | MemoryFlags.NO_SHARE,
        MemoryFlags.LAST,
    ])
        equal(paddedBlock(8, 0, 0, flags).get_flags(), flags);
});

test('flags that mean nothing are refused', () => {
    const params = new Quire.AllocationParams();
    for (const flags of [1 << 6, 1 << 8, 1 << 9, 1 << 10, -1, 2 ** 40])
        throws(() => { params.flags = flags; }, `flags ${flags}`);
    equal(params.flags, 0);
});

test('a block knows its type and its allocator', () => {
    const memory = Quire.Memory.new(8);
    equal(memory.is_type('system'), true);
    equal(memory.is_type('memfd'), false);
    equal(memory.is_type(''), false);
    equal(memory.get_allocator().get_mem_type(), 'system');
    equal(memory.get_allocator(), Quire.Allocator.find('system'));
});

test('an allocator is found by name, and allocates', () => {
    const allocator = Quire.Allocator.find(null);
    ok(allocator instanceof Quire.Allocator);
    equal(allocator, Quire.Allocator.find('system'));
    equal(Quire.Allocator.find('there is none'), null);
    deepEqual(allocator.alloc(8, null).get_sizes(), [8, 0, 8]);
    deepEqual(allocator.alloc(8, new Quire.AllocationParams({prefix: 3})).get_sizes(), [8, 3, 11]);
    throwsError(() => allocator.alloc(2 ** 63, null), MemoryError.TOO_LARGE, /\d{19}/);
});

test('an allocator may be registered by other names', () => {
    const allocator = Quire.Allocator.find('system');
    Quire.Allocator.register('another name', allocator);
    equal(Quire.Allocator.find('another name'), allocator);
    throws(() => Quire.Allocator.register('another name', null));
    throws(() => Quire.Allocator.register(null, allocator));
    equal(Quire.Allocator.find('another name'), allocator);
});

test('the default alignment is that of malloc', () => {
    const align = Quire.Allocator.get_default_align();
    ok(align >= 7 && (align & (align + 1)) === 0, `${align}`);
    for (let i = 0; i < 32; i++) {
        const memory = Quire.Memory.new(i);
        equal(memory.get_align(), align);
        ok(memory.is_aligned(align));
    }
});

test('the data is aligned as asked, whatever the prefix', () => {
    for (const align of [0, 1, 7, 15, 63, 4095, (1 << 16) - 1]) {
        for (const prefix of [0, 1, 8, 16, 17, 4096]) {
            // Many at once: one alone may be aligned by chance.
            const blocks = [];
            for (let i = 0; i < 8; i++) {
                const memory = alignedBlock(10, align, prefix);
                blocks.push(memory);
                ok(memory.is_aligned(align), `mask ${align}, prefix ${prefix}`);
                ok(memory.is_aligned(Quire.Allocator.get_default_align()));
                equal(memory.get_align() & align, align);
                deepEqual(memory.get_sizes(), [10, prefix, 10 + prefix]);
            }
        }
    }
});

test('is_aligned looks at where the data is', () => {
    const memory = alignedBlock(256, 63);
    memory.resize(32, 8);
    equal(memory.is_aligned(63), false);
    equal(memory.is_aligned(31), true);
    memory.resize(1, 7);
    equal(memory.is_aligned(1), false);
    equal(memory.is_aligned(0), true);
    memory.resize(-1, 8);
    equal(memory.share(4, 4).is_aligned(7), false);
    equal(memory.share(4, 4).is_aligned(3), true);
});

test('is_aligned wants a mask', () => {
    const memory = alignedBlock(8, 4095);
    for (const align of [2, 5, 6, 8, 4096])
        equal(memory.is_aligned(align), false, `${align}`);
    equal(memory.is_aligned(4095), true);
});

test('an alignment that is no mask is refused, with its number', () => {
    for (const align of [2, 4, 5, 6, 8, 16, 4096])
        throwsError(() => alignedBlock(8, align), MemoryError.NOT_SUPPORTED, new RegExp(`\\b${align}\\b`));
});

test('an alignment beyond all memory is an error', () => {
    throwsError(() => alignedBlock(8, 2n ** 60n - 1n), MemoryError.NO_SPACE, /1152921504606846975/);
    throwsError(() => alignedBlock(8, 2n ** 64n - 1n), MemoryError.NO_SPACE, /18446744073709551615/);
});

test('make_writable gives the block itself, or a copy', () => {
    const memory = countingBlock(8);
    ok(isSameBlock(memory.make_writable(), memory));

    const share = memory.share(2, 4);
    const writable = share.make_writable();
    ok(!isSameBlock(writable, share));
    equal(writable.is_writable(), true);
    writable.fill(0, 1, 0xff);
    deepEqual(contentOf(writable), [0xff, 3, 4, 5]);
    deepEqual(contentOf(share), [2, 3, 4, 5]);
    ok(!isSameBlock(memory.make_writable(), memory), 'a block that has a share');
});

test('is_writable tells of flags, owners and shares', () => {
    equal(paddedBlock(8, 0, 0, MemoryFlags.READONLY).is_writable(), false);

    const memory = Quire.Memory.new(8);
    memory.lock(MapFlags.EXCLUSIVE);
    equal(memory.is_writable(), true);
    memory.lock(MapFlags.EXCLUSIVE);
    equal(memory.is_writable(), false);
    memory.unlock(MapFlags.EXCLUSIVE);
    equal(memory.is_writable(), true);

    const share = memory.share(0, -1);
    equal(share.is_writable(), false);
    equal(memory.is_writable(), false);
});

finish();
