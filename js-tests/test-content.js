// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// fill, write, read and compare.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {blockOf, contentOf, countingBlock, paddedBlock, refusalOfRange} from './blocks.js';
import {isZeroCopy} from './mode.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

// What needs arrays that are the block.
const testZeroCopy = isZeroCopy ? test : () => {};

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE, READWRITE, UNIQUE} = MapFlags;

test('fill sets bytes, and no other', () => {
    const memory = countingBlock(8);
    memory.fill(2, 3, 0xaa);
    deepEqual(contentOf(memory), [0, 1, 0xaa, 0xaa, 0xaa, 5, 6, 7]);
    memory.fill(6, -1, 0xbb);
    deepEqual(contentOf(memory), [0, 1, 0xaa, 0xaa, 0xaa, 5, 0xbb, 0xbb]);
    memory.fill(3, 0, 0xcc);
    memory.fill(8, -1, 0xcc);
    deepEqual(contentOf(memory), [0, 1, 0xaa, 0xaa, 0xaa, 5, 0xbb, 0xbb]);
    memory.fill(0, -1, 255);
    deepEqual(contentOf(memory), Array(8).fill(255));
    equal(memory.describe_lock(), 'free');
});

test('a byte that is none is refused', () => {
    const memory = countingBlock(4);
    for (const value of [256, -1, 1000])
        throws(() => memory.fill(0, -1, value), `${value}`);
    deepEqual(contentOf(memory), [0, 1, 2, 3]);
    equal(memory.describe_lock(), 'free');
});

test('write copies bytes in', () => {
    const memory = countingBlock(8);
    memory.write(1, Uint8Array.of(11, 12));
    memory.write(4, [14, 15]);
    memory.write(8, []);
    memory.write(0, new Uint8Array(0));
    deepEqual(contentOf(memory), [0, 11, 12, 3, 14, 15, 6, 7]);

    const source = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    memory.write(0, source);
    source.fill(0);
    deepEqual(contentOf(memory), [1, 2, 3, 4, 5, 6, 7, 8]);
    memory.write(6, source.subarray(2, 4));
    deepEqual(contentOf(memory), [1, 2, 3, 4, 5, 6, 0, 0]);
    equal(memory.describe_lock(), 'free');
});

testZeroCopy('write takes the bytes of another map, or of its own', () => {
    const source = countingBlock(4), target = Quire.Memory.new(4);
    const info = source.map(READ);
    target.write(0, info.data);
    deepEqual(contentOf(target), [0, 1, 2, 3]);
    source.unmap(info);

    const memory = countingBlock(8);
    const own = memory.map(READWRITE);
    memory.write(2, own.data.subarray(0, 6));
    deepEqual(own.data, [0, 1, 0, 1, 2, 3, 4, 5]);
});

test('read copies bytes out', () => {
    const memory = countingBlock(8);
    const bytes = memory.read(2, 3);
    ok(bytes instanceof GLib.Bytes);
    deepEqual(bytes.toArray(), [2, 3, 4]);
    deepEqual(memory.read(5, -1).toArray(), [5, 6, 7]);
    equal(memory.read(8, -1).get_size(), 0);
    equal(memory.read(3, 0).get_size(), 0);
    equal(memory.describe_lock(), 'free');
});

test('offsets count from the data', () => {
    const memory = countingBlock(8);
    memory.resize(2, 4);
    deepEqual(contentOf(memory), [2, 3, 4, 5]);
    memory.fill(1, 1, 0xff);
    memory.write(2, [0xee]);
    memory.resize(-2, 8);
    deepEqual(contentOf(memory), [0, 1, 2, 0xff, 0xee, 5, 6, 7]);
    deepEqual(contentOf(memory.share(2, 4), 1, 2), [0xff, 0xee]);
});

test('ranges out of the data are refused: all or nothing', () => {
    const memory = paddedBlock(4, 4, 4);
    memory.write(0, [0, 1, 2, 3]);
    for (const [offset, size] of [
        [5, 0], [0, 5], [4, 1], [1, 4], [5, -1], [0, -2],
        [2n ** 64n - 1n, 1], [2n ** 64n - 1n, 2], [2 ** 32, 1], [0, 2 ** 32], [0, 2n ** 63n - 1n],
    ]) {
        const numbers = refusalOfRange(offset, size, 'of 4$');
        throwsError(() => memory.fill(offset, size, 9), MemoryError.OUT_OF_RANGE, numbers);
        throwsError(() => memory.read(offset, size), MemoryError.OUT_OF_RANGE, numbers);
    }
    for (const [offset, length] of [[0, 5], [1, 4], [4, 1], [5, 0], [2n ** 64n - 1n, 2]]) {
        throwsError(() => memory.write(offset, Array(length).fill(9)), MemoryError.OUT_OF_RANGE,
            new RegExp(`write ${length} bytes at offset ${offset} of 4$`));
    }
    throws(() => memory.fill(-1, 1, 9));
    throws(() => memory.read(-1, 1));
    throws(() => memory.write(-1, [9]));
    deepEqual(contentOf(memory), [0, 1, 2, 3]);
    equal(memory.describe_lock(), 'free');
});

test('they are maps, and wait for the others', () => {
    const memory = countingBlock(4);
    memory.lock(READ);
    throwsError(() => memory.fill(0, -1, 1), MemoryError.BUSY, /refuses WRITE: 1 READ map$/);
    throwsError(() => memory.write(0, [1]), MemoryError.BUSY, /refuses WRITE: 1 READ map$/);
    deepEqual(contentOf(memory), [0, 1, 2, 3]);
    memory.unlock(READ);

    memory.lock(WRITE);
    throwsError(() => memory.read(0, -1), MemoryError.BUSY, /refuses READ: 1 WRITE map$/);
    throwsError(() => memory.compare(countingBlock(4)), MemoryError.BUSY, /refuses READ: 1 WRITE map$/);
    throwsError(() => countingBlock(4).compare(memory), MemoryError.BUSY, /refuses READ: 1 WRITE map$/);
    memory.fill(0, 1, 1);
    memory.unlock(WRITE);

    memory.lock(READ | UNIQUE);
    throwsError(() => memory.read(0, -1), MemoryError.BUSY, /UNIQUE/);
    memory.unlock(READ | UNIQUE);
    deepEqual(contentOf(memory), [1, 1, 2, 3]);
    equal(memory.describe_lock(), 'free');
});

test('what is read-only or not mappable stays as it is', () => {
    const readOnly = paddedBlock(4, 0, 0, MemoryFlags.READONLY);
    const before = contentOf(readOnly);
    throwsError(() => readOnly.fill(0, -1, 1), MemoryError.READ_ONLY, /4 bytes is read-only/);
    throwsError(() => readOnly.write(0, [1]), MemoryError.READ_ONLY, /4 bytes is read-only/);
    deepEqual(contentOf(readOnly), before);

    const noMap = paddedBlock(4, 0, 0, MemoryFlags.NOT_MAPPABLE);
    for (const fn of [
        () => noMap.fill(0, -1, 1), () => noMap.write(0, [1]), () => noMap.read(0, -1),
        () => noMap.compare(readOnly), () => readOnly.compare(noMap), () => noMap.copy(0, -1),
    ])
        throwsError(fn, MemoryError.NOT_MAPPABLE, /4 bytes can't be mapped/);
    equal(readOnly.describe_lock(), 'free');
});

test('compare orders as memcmp does, and by length', () => {
    const sign = (a, b) => Math.sign(blockOf(a).compare(blockOf(b)));
    equal(sign([1, 2, 3], [1, 2, 3]), 0);
    equal(sign([1, 2, 3], [1, 2, 4]), -1);
    equal(sign([1, 2, 4], [1, 2, 3]), 1);
    equal(sign([200], [100]), 1);
    equal(sign([1, 2], [1, 2, 3]), -1);
    equal(sign([1, 2, 3], [1, 2]), 1);
    equal(sign([2], [1, 2, 3]), 1);
    equal(sign([], []), 0);
    equal(sign([], [0]), -1);
});

test('compare gives a number, and compares with itself and its shares', () => {
    const memory = countingBlock(8);
    equal(typeof memory.compare(memory), 'number');
    equal(memory.compare(memory), 0);
    equal(memory.compare(memory.share(0, -1)), 0);
    ok(memory.compare(memory.share(1, -1)) < 0);
    equal(memory.compare(memory.copy(0, -1)), 0);
    for (const other of [null, undefined, 5, {}, memory.map(READ)])
        throws(() => memory.compare(other));
    throws(() => memory.compare());
});

test('bytes of every kind are written', () => {
    const bytes = [1, 2, 3, 255];
    for (const data of [
        bytes, new Uint8Array(bytes), new Uint8Array(bytes).buffer, new DataView(new Uint8Array(bytes).buffer),
        new Uint16Array(new Uint8Array(bytes).buffer), new Uint8Array([0, ...bytes]).subarray(1),
        new GLib.Bytes(bytes),
    ]) {
        const memory = countingBlock(6);
        memory.write(1, data);
        deepEqual(contentOf(memory), [0, ...bytes, 5]);
    }
    for (const wrong of [[300], [-1], ['1'], [2.5], [NaN], [null], [undefined], new Array(2)])
        throws(() => countingBlock(6).write(0, wrong));
});

test('what are no bytes are not written', () => {
    const memory = countingBlock(4);
    for (const data of [null, undefined, 5, {}, [{}, 'x', null], [256], [-1], new GLib.Bytes('abc'), memory]) {
        try {
            memory.write(0, data);
        } catch (error) {
            deepEqual(contentOf(memory), [0, 1, 2, 3]);
            continue;
        }
        ok(data instanceof GLib.Bytes || Array.isArray(data), 'only what is like bytes is taken');
        memory.write(0, [0, 1, 2, 3]);
    }
    equal(memory.describe_lock(), 'free');
});

finish();
