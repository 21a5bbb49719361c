// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Shares, spans, merges and copies.

import Quire from 'gi://Quire?version=1.0';

import {
    blockOf, collect, contentOf, countingBlock, isSameBlock, paddedBlock, refusalOfRange, residentSize,
} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE, READWRITE, EXCLUSIVE, UNIQUE} = MapFlags;

test('a share is a read-only window', () => {
    const memory = countingBlock(16);
    const share = memory.share(4, 8);
    deepEqual(share.get_sizes(), [8, 4, 16]);
    deepEqual(contentOf(share), [4, 5, 6, 7, 8, 9, 10, 11]);
    equal(share.get_flags() & MemoryFlags.READONLY, MemoryFlags.READONLY);
    equal(share.is_writable(), false);
    for (const flags of [WRITE, READWRITE])
        throwsError(() => share.map(flags), MemoryError.READ_ONLY, /8 bytes is read-only/);
    throwsError(() => share.fill(0, -1, 0), MemoryError.READ_ONLY, /8 bytes/);
    throwsError(() => share.write(0, [1]), MemoryError.READ_ONLY, /8 bytes/);
    deepEqual(contentOf(memory), contentOf(countingBlock(16)));
});

test('the size -1 means to the end', () => {
    const memory = countingBlock(16);
    deepEqual(memory.share(0, -1).get_sizes(), [16, 0, 16]);
    deepEqual(memory.share(10, -1).get_sizes(), [6, 10, 16]);
    deepEqual(memory.share(16, -1).get_sizes(), [0, 16, 16]);
    deepEqual(memory.share(7, 0).get_sizes(), [0, 7, 16]);
});

test('a share may reach back into the prefix, but not beyond the data', () => {
    const memory = paddedBlock(16, 8, 4);
    memory.resize(-8, 28);
    memory.write(0, Array.from({length: 28}, (_, i) => i));
    memory.resize(8, 16);

    deepEqual(contentOf(memory.share(-8, 4)), [0, 1, 2, 3]);
    deepEqual(memory.share(-8, -1).get_sizes(), [24, 0, 28]);
    for (const [offset, size] of [
        [-9, 1], [-9, -1], [0, 17], [16, 1], [17, 0], [17, -1], [8, 9], [0, -2],
        [-8, 25], [-(2n ** 63n), 1], [2n ** 63n - 1n, 1], [1, 2n ** 63n - 1n], [2 ** 32, 1], [0, 2 ** 32],
    ]) {
        const numbers = refusalOfRange(offset, size, 'of 16, with 8 before them$');
        throwsError(() => memory.share(offset, size), MemoryError.OUT_OF_RANGE, numbers);
        throwsError(() => memory.copy(offset, size), MemoryError.OUT_OF_RANGE, numbers);
    }
    collect();
    equal(memory.describe_lock(), 'free');
});

test('a share is of the valid range of today', () => {
    const memory = countingBlock(16);
    memory.resize(4, 4);
    const share = memory.share(0, -1);
    deepEqual(contentOf(share), [4, 5, 6, 7]);
    throwsError(() => memory.share(0, 5), MemoryError.OUT_OF_RANGE, /5 bytes at offset 0 of 4/);

    memory.resize(-4, 16);
    deepEqual(contentOf(share), [4, 5, 6, 7]);
});

test('the parent of a share is the block', () => {
    const memory = countingBlock(16);
    const share = memory.share(4, 8);
    ok(share.get_parent() instanceof Quire.Memory);
    ok(isSameBlock(share.get_parent(), memory));
    ok(!isSameBlock(share, memory));
    equal(memory.get_parent(), null);
});

test('the parent of a share of a share is the root', () => {
    const memory = countingBlock(16);
    const share = memory.share(4, 8);
    const second = share.share(2, 4);
    const third = second.share(1, -1);
    deepEqual(second.get_sizes(), [4, 6, 16]);
    deepEqual(third.get_sizes(), [3, 7, 16]);
    deepEqual(contentOf(third), [7, 8, 9]);
    for (const piece of [second, third]) {
        ok(isSameBlock(piece.get_parent(), memory));
        ok(!isSameBlock(piece.get_parent(), share));
        equal(piece.get_parent().get_parent(), null);
    }
    equal(memory.describe_lock(), '3 shares alive');
    throwsError(() => share.share(0, 9), MemoryError.OUT_OF_RANGE, /9 bytes at offset 0 of 8/);
    deepEqual(contentOf(share.share(-4, 4)), [0, 1, 2, 3]);
});

test('a share keeps the block', () => {
    const share = (() => countingBlock(4096).share(1, 3))();
    for (let i = 0; i < 4; i++) {
        collect();
        Quire.Memory.new(4096).fill(0, -1, 0xff);
    }
    deepEqual(contentOf(share), [1, 2, 3]);
    equal(share.get_parent().describe_lock(), '1 share alive');
});

test('while a share lives nobody writes', () => {
    const memory = countingBlock(16);
    const share = memory.share(0, 1);
    const refusal = /16 bytes refuses .*: 1 share alive$/;
    for (const flags of [WRITE, READWRITE, WRITE | UNIQUE, WRITE | EXCLUSIVE]) {
        throwsError(() => memory.map(flags), MemoryError.BUSY, refusal);
        throwsError(() => memory.lock(flags), MemoryError.BUSY, refusal);
    }
    throwsError(() => memory.fill(8, -1, 0), MemoryError.BUSY, refusal);
    throwsError(() => memory.write(8, [0]), MemoryError.BUSY, refusal);
    equal(memory.is_writable(), false);
    memory.unmap(memory.map(READ));
    deepEqual(contentOf(memory), contentOf(countingBlock(16)));
    deepEqual(contentOf(share), [0]);
});

test('when the last share goes the block can be written again', () => {
    const memory = countingBlock(16);
    (() => {
        const share = memory.share(0, 8);
        share.share(4, 4);
        equal(memory.describe_lock(), '2 shares alive');
    })();
    collect();
    equal(memory.describe_lock(), 'free');
    memory.fill(0, -1, 1);
});

test('while somebody may write there is no share', () => {
    const memory = countingBlock(16);
    const info = memory.map(WRITE);
    throwsError(() => memory.share(0, -1), MemoryError.BUSY, /16 bytes refuses a share: 1 WRITE map$/);
    const nested = memory.map(WRITE);
    throwsError(() => memory.share(0, -1), MemoryError.BUSY, /refuses a share: 2 WRITE maps$/);
    memory.unmap(nested);
    memory.unmap(info);
    equal(memory.share(0, -1).get_sizes()[0], 16);
});

test('a reader does not keep a share out', () => {
    const memory = countingBlock(16);
    const info = memory.map(READ);
    const share = memory.share(2, 2);
    equal(memory.describe_lock(), '1 READ map, 1 share alive');
    deepEqual(contentOf(share), [2, 3]);
    memory.unmap(info);
});

test('what can not be shared can be copied', () => {
    const memory = paddedBlock(8, 0, 0, MemoryFlags.NO_SHARE);
    memory.fill(0, -1, 5);
    throwsError(() => memory.share(0, -1), MemoryError.NOT_SHAREABLE, /8 bytes can't be shared/);
    throwsError(() => memory.to_bytes(), MemoryError.NOT_SHAREABLE, /8 bytes can't be shared/);
    deepEqual(contentOf(memory.copy(0, -1)), Array(8).fill(5));
    equal(memory.describe_lock(), 'free');
});

test('a share has the flags of the block that go with it', () => {
    const memory = paddedBlock(8, 8, 8, MemoryFlags.ZERO_PREFIXED | MemoryFlags.ZERO_PADDED |
        MemoryFlags.PHYSICALLY_CONTIGUOUS | MemoryFlags.LAST);
    equal(memory.share(0, -1).get_flags(),
        MemoryFlags.READONLY | MemoryFlags.PHYSICALLY_CONTIGUOUS | MemoryFlags.LAST);
});

test('shares copy nothing', () => {
    const size = 64 << 20;
    const memory = Quire.Memory.new(size);
    memory.fill(0, -1, 3);
    const before = residentSize();
    const shares = Array.from({length: 100}, () => memory.share(0, -1));
    const [merged, copied] = Quire.Memory.merge_list(
        Array.from({length: 64}, (_, i) => memory.share(i << 20, 1 << 20)));
    ok(shares.every(share => share.get_sizes()[0] === size));
    deepEqual([copied, merged.get_sizes()], [0, [size, 0, size]]);
    ok(residentSize() - before < 16 << 20, `${residentSize() - before} bytes more`);
});

test('adjacent shares are a span', () => {
    const memory = countingBlock(16);
    const a = memory.share(2, 4), b = memory.share(6, 4), c = memory.share(10, -1);
    deepEqual(a.is_span(b), [true, 2]);
    deepEqual(b.is_span(c), [true, 6]);
    deepEqual(a.is_span(memory.share(6, 0)), [true, 2]);
    deepEqual(memory.share(6, 0).is_span(b), [true, 6]);
    deepEqual(a.is_span(memory.share(2, 8).share(4, 2)), [true, 2]);
});

test('a gap, an overlap, the reverse and other parents are no span', () => {
    const memory = countingBlock(16), other = countingBlock(16);
    const a = memory.share(2, 4), b = memory.share(6, 4);
    for (const [first, second, what] of [
        [a, memory.share(7, 4), 'a gap'],
        [a, memory.share(5, 4), 'an overlap'],
        [a, memory.share(0, 16), 'a cover'],
        [b, a, 'the reverse'],
        [a, a, 'itself'],
        [a, other.share(6, 4), 'another parent'],
        [a, other, 'another block'],
        [a, memory, 'a share and its parent'],
        [memory, b, 'a parent and its share'],
        [memory, other, 'no parent at all'],
        [a, a.copy(0, -1), 'a share and a copy'],
    ])
        deepEqual(first.is_span(second), [false, 0], what);
});

test('a span that begins in the prefix has a negative offset', () => {
    const memory = paddedBlock(16, 8, 0);
    const a = memory.share(-8, 4), b = memory.share(-4, 4), c = memory.share(0, 4);
    deepEqual(b.is_span(c), [true, -4]);
    deepEqual(a.is_span(b), [true, -8]);
});

test('the offset of a span is one to share from', () => {
    const memory = paddedBlock(16, 8, 0);
    memory.fill(0, -1, 0);
    memory.resize(4, 12);
    const a = memory.share(2, 4), b = memory.share(6, 4);
    const [, offset] = a.is_span(b);
    equal(offset, 2);
    equal(memory.share(offset, 8).compare(a.merge(b)[0]), 0);
});

test('a span merges without a copy', () => {
    const memory = countingBlock(16);
    const a = memory.share(2, 4), b = memory.share(6, 4);
    const [merged, copied] = a.merge(b);
    equal(copied, 0);
    deepEqual(merged.get_sizes(), [8, 2, 16]);
    deepEqual(contentOf(merged), [2, 3, 4, 5, 6, 7, 8, 9]);
    ok(isSameBlock(merged.get_parent(), memory));
    deepEqual(merged.is_span(memory.share(10, 6)), [true, 2]);
    equal(merged.is_writable(), false);
    equal(memory.describe_lock(), '4 shares alive');
});

test('anything else merges with a copy, and says how much', () => {
    const memory = countingBlock(16);
    const a = memory.share(2, 4), b = memory.share(8, 3);
    const [merged, copied] = a.merge(b);
    equal(copied, 7);
    equal(merged.get_parent(), null);
    deepEqual(contentOf(merged), [2, 3, 4, 5, 8, 9, 10]);
    equal(merged.is_writable(), true);
    merged.fill(0, -1, 0xff);
    deepEqual(contentOf(memory), contentOf(countingBlock(16)));

    const [reversed, count] = b.merge(a);
    deepEqual([contentOf(reversed), count], [[8, 9, 10, 2, 3, 4, 5], 7]);
    const [twice, both] = memory.merge(memory);
    deepEqual([contentOf(twice), both], [[...contentOf(memory), ...contentOf(memory)], 32]);
});

test('a copying merge leaves no lock behind', () => {
    const one = countingBlock(4), two = countingBlock(4);
    one.merge(two);
    deepEqual([one.describe_lock(), two.describe_lock()], ['free', 'free']);

    two.lock(WRITE);
    throwsError(() => one.merge(two), MemoryError.BUSY, /4 bytes refuses READ: 1 WRITE map$/);
    equal(one.describe_lock(), 'free');
});

test('a list of neighbours merges without a copy', () => {
    const memory = countingBlock(64);
    const shares = Array.from({length: 16}, (_, i) => memory.share(i * 4, 4));
    const [merged, copied] = Quire.Memory.merge_list(shares);
    equal(copied, 0);
    deepEqual(merged.get_sizes(), [64, 0, 64]);
    ok(isSameBlock(merged.get_parent(), memory));

    const [copy, count] = Quire.Memory.merge_list(shares.reverse());
    equal(count, 64);
    deepEqual(contentOf(copy, 0, 8), [60, 61, 62, 63, 56, 57, 58, 59]);
});

test('a list of one is that one, and of none an empty block', () => {
    const memory = countingBlock(8);
    const [same, copied] = Quire.Memory.merge_list([memory]);
    ok(isSameBlock(same, memory));
    equal(copied, 0);

    const [empty, nothing] = Quire.Memory.merge_list([]);
    deepEqual(empty.get_sizes(), [0, 0, 0]);
    equal(nothing, 0);
});

test('a list of what are no blocks is refused', () => {
    const memory = countingBlock(8);
    for (const list of [[null], [memory, null], [undefined], [1], [{}], [memory, [memory]], null, memory, 5])
        throws(() => Quire.Memory.merge_list(list));
    equal(memory.describe_lock(), 'free');
});

test('shares of many blocks merge in the order of the list', () => {
    const list = [[1, 2], [], [3], [4, 5, 6]].map(blockOf);
    const [merged, copied] = Quire.Memory.merge_list(list);
    deepEqual([contentOf(merged), copied], [[1, 2, 3, 4, 5, 6], 6]);
});

test('a copy has data of its own, and can be written', () => {
    const memory = countingBlock(8);
    const copy = memory.share(2, 4).copy(1, 2);
    deepEqual(contentOf(copy), [3, 4]);
    deepEqual(copy.get_sizes(), [2, 0, 2]);
    equal(copy.get_parent(), null);
    equal(copy.get_flags(), 0);
    copy.fill(0, -1, 0xff);
    deepEqual(contentOf(memory), [0, 1, 2, 3, 4, 5, 6, 7]);

    const readOnly = paddedBlock(4, 0, 0, MemoryFlags.READONLY);
    equal(readOnly.copy(0, -1).is_writable(), true);
});

test('a copy is aligned as the block', () => {
    const params = new Quire.AllocationParams({align: 4095});
    const memory = Quire.Memory.new_with_params(64, params);
    for (let i = 0; i < 8; i++)
        ok(memory.copy(8, 16).is_aligned(4095));
});

test('a block is copied while it is read or shared, but not while it is written', () => {
    const memory = countingBlock(4);
    const share = memory.share(0, -1);
    memory.lock(READ);
    deepEqual(contentOf(memory.copy(0, -1)), [0, 1, 2, 3]);
    memory.unlock(READ);
    equal(share.get_sizes()[0], 4);

    const other = countingBlock(4);
    other.lock(WRITE);
    throwsError(() => other.copy(0, -1), MemoryError.BUSY, /4 bytes refuses READ: 1 WRITE map$/);
    other.unlock(WRITE);
});

test('shares are counted to a limit, and a block is writable again after it', () => {
    const memory = countingBlock(8);
    (() => {
        const shares = [];
        for (let i = 0; i < 126976; i++)
            shares.push(memory.share(0, 1));
        throwsError(() => memory.share(0, 1), MemoryError.BUSY, /126976 shares alive$/);
        deepEqual(contentOf(shares.at(-1)), [0]);
    })();
    collect();
    equal(memory.describe_lock(), 'free');
    memory.fill(0, -1, 0);
});

finish();
