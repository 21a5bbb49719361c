// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Blocks as GLib.Bytes, and the other way round.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {blockOf, collect, contentOf, countingBlock, paddedBlock, residentSize} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE, READWRITE} = MapFlags;

test('to_bytes gives the data as bytes', () => {
    const memory = countingBlock(8);
    const bytes = memory.to_bytes();
    ok(bytes instanceof GLib.Bytes);
    equal(bytes.get_size(), 8);
    deepEqual(bytes.toArray(), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('to_bytes gives the valid range, and that of a share', () => {
    const memory = countingBlock(8);
    memory.resize(2, 4);
    deepEqual(memory.to_bytes().toArray(), [2, 3, 4, 5]);
    deepEqual(memory.share(1, 2).to_bytes().toArray(), [3, 4]);
    equal(Quire.Memory.new(0).to_bytes().get_size(), 0);
});

test('the bytes count as a share', () => {
    const memory = countingBlock(8);
    const bytes = memory.to_bytes();
    equal(memory.describe_lock(), '1 share alive');
    for (const flags of [WRITE, READWRITE])
        throwsError(() => memory.map(flags), MemoryError.BUSY, /8 bytes refuses .*WRITE: 1 share alive$/);
    throwsError(() => memory.fill(0, -1, 0), MemoryError.BUSY, /1 share alive$/);
    equal(memory.is_writable(), false);
    memory.unmap(memory.map(READ));
    equal(bytes.get_size(), 8);
});

test('while somebody may write there are no bytes', () => {
    const memory = countingBlock(8);
    for (const flags of [WRITE, READWRITE]) {
        const info = memory.map(flags);
        throwsError(() => memory.to_bytes(), MemoryError.BUSY, /8 bytes refuses a share: 1 .*WRITE map$/);
        memory.unmap(info);
    }
    equal(memory.describe_lock(), 'free');
});

// Nothing here calls a method of GLib.Bytes: GJS, as of 1.74, never gives back the
// reference that such a call takes.
test('when the bytes are collected the block can be written again', () => {
    const memory = countingBlock(8);
    (() => {
        memory.to_bytes();
        equal(memory.to_bytes().toArray().length, 8);
        equal(memory.share(2, 2).to_bytes().toArray().length, 2);
        equal(memory.describe_lock(), '4 shares alive');
    })();
    collect();
    equal(memory.describe_lock(), 'free');
    memory.fill(0, -1, 9);
});

test('the bytes keep the block', () => {
    const bytes = (() => countingBlock(4096).to_bytes())();
    for (let i = 0; i < 4; i++) {
        collect();
        Quire.Memory.new(4096).fill(0, -1, 0xff);
    }
    ok(bytes.toArray().every((byte, i) => byte === (i & 0xff)));
});

test('a block from bytes is read-only, and has what is in them', () => {
    const memory = Quire.Memory.new_from_bytes(new GLib.Bytes([5, 6, 7]));
    deepEqual(memory.get_sizes(), [3, 0, 3]);
    deepEqual(contentOf(memory), [5, 6, 7]);
    equal(memory.get_flags(), MemoryFlags.READONLY);
    equal(memory.is_type('system'), true);
    throwsError(() => memory.map(WRITE), MemoryError.READ_ONLY, /3 bytes is read-only/);
    throwsError(() => memory.fill(0, -1, 0), MemoryError.READ_ONLY, /3 bytes is read-only/);
    deepEqual(contentOf(memory.share(1, -1)), [6, 7]);

    const copy = memory.copy(0, -1);
    copy.fill(0, -1, 1);
    deepEqual([contentOf(copy), contentOf(memory)], [[1, 1, 1], [5, 6, 7]]);
});

test('a block from no bytes is empty', () => {
    const memory = Quire.Memory.new_from_bytes(new GLib.Bytes([]));
    deepEqual(memory.get_sizes(), [0, 0, 0]);
    const info = memory.map(READ);
    equal(info.data.length, 0);
    memory.unmap(info);
});

test('a block keeps its bytes', () => {
    const info = (() => Quire.Memory.new_from_bytes(countingBlock(4096).to_bytes()).map(READ))();
    for (let i = 0; i < 4; i++) {
        collect();
        Quire.Memory.new(4096).fill(0, -1, 0xff);
    }
    ok(info.data.every((byte, i) => byte === (i & 0xff)));
});

test('a block from the bytes of a block keeps that one shared', () => {
    const memory = countingBlock(8);
    const second = (() => Quire.Memory.new_from_bytes(memory.to_bytes()))();
    collect();
    equal(memory.describe_lock(), '1 share alive');
    throwsError(() => memory.map(WRITE), MemoryError.BUSY, /1 share alive/);
    equal(second.compare(memory), 0);
});

test('a block goes through many bytes without a copy', () => {
    const size = 64 << 20;
    const memory = Quire.Memory.new(size);
    memory.fill(0, -1, 3);
    const before = residentSize();

    // A hundred copies would be more than 6 GB.
    const blocks = [memory];
    for (let i = 0; i < 100; i++)
        blocks.push(Quire.Memory.new_from_bytes(blocks.at(-1).to_bytes()));
    deepEqual(contentOf(blocks.at(-1), size - 2), [3, 3]);
    ok(residentSize() - before < 16 << 20, `${residentSize() - before} bytes more`);

    // Where the data is tells the same: a block that is resized as the first one is
    // aligned as that one is.
    for (const mask of [63, 4095, (1 << 20) - 1]) {
        for (const offset of [0, 16, 48, 4080]) {
            memory.resize(offset, 16);
            blocks[100].resize(offset, 16);
            equal(blocks[100].is_aligned(mask), memory.is_aligned(mask));
            memory.resize(-offset, size);
            blocks[100].resize(-offset, size);
        }
    }
});

test('read gives bytes that are a copy', () => {
    const memory = countingBlock(8);
    const bytes = memory.read(2, 3);
    equal(memory.describe_lock(), 'free');
    memory.fill(0, -1, 0xff);
    deepEqual(bytes.toArray(), [2, 3, 4]);
});

test('what is no GLib.Bytes makes no block', () => {
    for (const value of [null, undefined, 5, 'bytes', {}, [1, 2], Quire.Memory.new(4), GLib.Bytes])
        throws(() => Quire.Memory.new_from_bytes(value), `${typeof value}`);
    deepEqual(contentOf(Quire.Memory.new_from_bytes(new GLib.Bytes('ab'))), [97, 98]);
});

test('what can not be shared or mapped has no bytes', () => {
    const noShare = paddedBlock(4, 0, 0, MemoryFlags.NO_SHARE);
    throwsError(() => noShare.to_bytes(), MemoryError.NOT_SHAREABLE, /4 bytes can't be shared/);
    const noMap = paddedBlock(4, 0, 0, MemoryFlags.NOT_MAPPABLE);
    throwsError(() => noMap.to_bytes(), MemoryError.NOT_MAPPABLE, /4 bytes can't be mapped/);
    collect();
    deepEqual([noShare.describe_lock(), noMap.describe_lock()], ['free', 'free']);
});

test('bytes of blocks are good for GLib', () => {
    const text = blockOf(new TextEncoder().encode('abc'));
    equal(GLib.compute_checksum_for_bytes(GLib.ChecksumType.SHA1, text.to_bytes()),
        'a9993e364706816aba3e25717850c26c9cd0d89d');
    ok(text.to_bytes().equal(new GLib.Bytes('abc')));
});

finish();
