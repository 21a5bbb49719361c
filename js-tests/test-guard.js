// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Guarded blocks. A script has no address to go astray with; so here it is shown that it
// does not, with the blocks that would tell.

import Quire from 'gi://Quire?version=1.0';

import {collect, contentOf} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throwsError} from './tap.js';

const {GuardAllocator, MapFlags, MemoryError} = Quire;
const {READ, READWRITE, WRITE} = MapFlags;

test('there is one from the start', () => {
    const guard = Quire.Allocator.find('guard');
    ok(guard instanceof GuardAllocator);
    equal(guard.get_mem_type(), 'guard');
    deepEqual([guard.quarantine, guard.get_quarantine(), guard.aborts, guard.n_damaged], [256, 256, false, 0]);
    ok(guard.alloc(1, null).is_type('guard'));
    equal(GuardAllocator.new().alloc(0, null).length, 0);
});

test('all of a block, and what is beside it', () => {
    const guard = new GuardAllocator({quarantine: 3, aborts: true});
    const params = new Quire.AllocationParams();
    for (const [size, align] of [[1, 0], [13, 0], [13, 15], [4096, 0], [4097, 63], [70000, 4095]]) {
        params.align = align;
        const memory = guard.alloc(size, params);
        const info = memory.map(READWRITE);
        const {data} = info;
        data.fill(7);
        data[size] = data[size + 100] = data[-1] = 1;
        data.subarray(size - 1).fill(8);
        equal(data.length, size);
        info.unmap();
        deepEqual(contentOf(memory, size - 1, 1), [8]);
        memory.write(0, new Uint8Array(size).fill(9));
        memory.fill(0, -1, 10);
        equal(memory.copy(0, -1).withMap(READ, view => view[size - 1]), 10);
        equal(memory.read(0, -1).toArray().length, size);
        throwsError(() => memory.fill(0, size + 1, 0), MemoryError.OUT_OF_RANGE, new RegExp(`${size + 1} bytes`));
    }
    collect();
    equal(guard.n_damaged, 0);
});

test('a view of a block that is gone', () => {
    const guard = new GuardAllocator({aborts: true});
    let memory = guard.alloc(100, null);
    const info = memory.map(WRITE);
    const {data} = info;
    data[0] = 1;
    info.unmap();
    memory.close();
    memory = null;
    collect();
    // It is empty; or it is the block still, which is there as long as the view.
    data[0] = 2;
    ok(data[0] === undefined || data[0] === 2);
    collect();
    equal(guard.n_damaged, 0);
});

test('there is no space', () => {
    throwsError(() => Quire.Allocator.find('guard').alloc(2 ** 62, null), MemoryError.NO_SPACE, /4611686018427387904 bytes/);
});

finish();
