// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Arrays over blocks that are larger than what fits 32 bits. They want a malloc that does
// not touch what it gives.

import Quire from 'gi://Quire?version=1.0';

import {contentOf} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws} from './tap.js';

const {MapFlags, MemoryError} = Quire;
const {READ, READWRITE} = MapFlags;

test('three gigabytes, without a copy', () => {
    const size = 3 * 2 ** 30;
    const memory = Quire.Memory.new(size);
    const info = memory.map(READWRITE);
    const {data} = info;
    equal(data.length, size);
    data[size - 1] = data[2 ** 31 + 5] = 7;
    deepEqual([...contentOf(memory, 2 ** 31 + 5, 1), ...contentOf(memory, size - 1, 1)], [7, 7]);
    memory.fill(size - 2, 1, 8);
    equal(data[size - 2], 8);
    equal(data.subarray(size - 2).length, 2);
    info.unmap();
    equal(data.length, 0);
});

test('what is too large for an array is an error, and a block all the same', () => {
    // The engine has no arrays of more than 8 GiB.
    let memory;
    try {
        memory = Quire.Memory.new(2 ** 34);
    } catch (error) {
        ok(error.matches(MemoryError, MemoryError.NO_SPACE));
        return;
    }
    const info = memory.map(READWRITE);
    throws(() => info.data);
    throws(() => info.data);
    equal(info.size, 2 ** 34);
    throws(() => memory.withMap(READ, () => {}));
    equal(memory.describe_lock(), '1 READ+WRITE map');
    info.unmap();
    equal(memory.describe_lock(), 'free');
});

finish();
