// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Quire.zeroCopy tells the truth of each way to make views, and what a script writes
// gets into the block in each.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {blockOf, contentOf, countingBlock} from './blocks.js';
import {isNative, isZeroCopy, mode} from './mode.js';
import {deepEqual, equal, finish, ok, test, throws} from './tap.js';

const {READ, WRITE, READWRITE} = Quire.MapFlags;

test(`zeroCopy is right: ${mode}`, () => {
    equal(Quire.zeroCopy, isZeroCopy);
    equal(Quire.zeroCopy, isZeroCopy);
    equal(Object.keys(Quire).includes('zeroCopy'), true);
});

test('the way is the one that the build says', () => {
    const view = new GLib.Bytes([1, 2, 3]);
    view.toArray()[0] = 9;
    equal(view.toArray()[0] === 9, mode !== 'copies');

    const memory = countingBlock(4);
    const info = memory.map(READ);
    const {data} = info;
    memory.unmap(info);
    equal(data.length, isNative ? 0 : 4);
});

test('a write is in the block at once, or when the map ends', () => {
    for (const end of [
        (memory, info) => memory.unmap(info), (_, info) => info.unmap(), (_, info) => info.release(),
        (_, info) => info.close(),
    ]) {
        const memory = countingBlock(4);
        const info = memory.map(READWRITE);
        info.data[1] = 0x77;
        equal(contentOf(memory)[1], isZeroCopy ? 0x77 : 1);
        end(memory, info);
        deepEqual(contentOf(memory), [0, 0x77, 2, 3]);
    }
});

test('a write is in the block after withMap, even if it throws', () => {
    const memory = countingBlock(4);
    memory.withMap(WRITE, data => data.fill(5));
    deepEqual(contentOf(memory), [5, 5, 5, 5]);
    throws(() => memory.withMap(WRITE, data => {
        data[3] = 6;
        throw new Error('no');
    }));
    deepEqual(contentOf(memory), [5, 5, 5, 6]);
});

test('data that was never asked for writes nothing', () => {
    const memory = countingBlock(4);
    const info = memory.map(WRITE);
    memory.fill(0, 1, 9);
    memory.unmap(info);
    deepEqual(contentOf(memory), [9, 1, 2, 3]);
});

test('a map to read is never written back', () => {
    const memory = blockOf([1, 2, 3]);
    const info = memory.map(READ);
    info.data[0] = 9;
    memory.unmap(info);
    // What is no copy can't be kept from writing: JavaScript has no arrays to read.
    equal(contentOf(memory)[0], isZeroCopy ? 9 : 1);
});

test('an unmap that is refused writes nothing, and the map stands', () => {
    const memory = countingBlock(4), other = countingBlock(4);
    const info = memory.map(WRITE);
    info.data[0] = 8;
    throws(() => other.unmap(info));
    deepEqual(contentOf(other), [0, 1, 2, 3]);
    equal(info.is_released(), false);
    memory.unmap(info);
    equal(contentOf(memory)[0], 8);
    ok(info.is_released());
});

test('what no one can write does not end the process', () => {
    const [file] = Gio.File.new_tmp('quire-XXXXXX');
    const path = file.get_path();
    GLib.file_set_contents(path, 'x'.repeat(10000));
    const memory = Quire.Memory.new_from_bytes(GLib.MappedFile.new(path, false).get_bytes());
    GLib.unlink(path);

    const share = memory.share(4000, 5000), part = share.share(4000, -1);
    const merged = memory.share(0, 5000).merge(memory.share(5000, -1))[0];
    for (const block of [memory, share, part, merged]) {
        for (let round = 0; round < 2; round++) {
            const info = block.map(READ);
            const {data} = info;
            equal(data.length, block.length);
            ok(data.every(byte => byte === 0x78));
            equal(info.data, data);
            data.fill(1);
            info.unmap();
            equal(data.length, isNative ? 0 : block.length);
        }
        ok([...block].every(byte => byte === 0x78));
    }
});

test('a read-only block over memory is no copy, where that is known', () => {
    const bytes = new GLib.Bytes(new Uint8Array(5000));
    for (const [memory, isArray] of [
        [Quire.Memory.new_from_bytes(bytes), isNative],
        [Quire.Memory.new_from_bytes(bytes).share(1000, 2000), isNative],
        [Quire.Memory.new_from_bytes(countingBlock(5000).to_bytes()), isNative],
        [countingBlock(5000).share(1000, 2000), isZeroCopy],
    ]) {
        const one = memory.map(READ), two = memory.map(READ);
        one.data[100] = 0x99;
        equal(two.data[100] === 0x99, isArray);
        one.unmap();
        two.unmap();
    }
});

finish();
