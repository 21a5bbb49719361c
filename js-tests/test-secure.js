// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Blocks for what is secret. That they are wiped is seen to in C.

import Quire from 'gi://Quire?version=1.0';

import {contentOf} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throwsError} from './tap.js';

const {MapFlags, MemoryError, SecureAllocator} = Quire;

const secure = Quire.Allocator.find('secure');

function secretOf(...bytes) {
    const memory = secure.alloc(bytes.length, null);
    memory.write(0, bytes);
    return memory;
}

test('there is one from the start', () => {
    ok(secure instanceof SecureAllocator);
    equal(secure.get_mem_type(), 'secure');
    ok(contentOf(secure.alloc(100, null)).every(byte => byte === 0));
    equal(new SecureAllocator().alloc(0, null).length, 0);
    ok(SecureAllocator.new().alloc(1, null).is_type('secure'));
});

test('a block as any', () => {
    const memory = secretOf(1, 2, 3, 4);
    memory.withMap(MapFlags.READWRITE, data => {
        deepEqual([...data], [1, 2, 3, 4]);
        data[0] = 9;
    });
    deepEqual(contentOf(memory.share(0, 2)), [9, 2]);
});

test('copies are secure', () => {
    const memory = secretOf(1, 2, 3, 4, 5);
    const share = memory.share(1, 3);
    const plain = Quire.Memory.wrap(Uint8Array.of(7));
    for (const [copy, content] of [
        [memory.copy(1, 2), [2, 3]],
        [share.copy(0, -1), [2, 3, 4]],
        [share.make_writable(), [2, 3, 4]],
        [share.make_mapped(MapFlags.WRITE).memory, null],
        [share.merge(memory)[0], [2, 3, 4, 1, 2, 3, 4, 5]],
        [plain.merge(share)[0], [7, 2, 3, 4]],
        [Quire.Memory.merge_list([plain, plain, share])[0], [7, 7, 2, 3, 4]],
    ]) {
        ok(copy.is_type('secure'));
        if (content !== null)
            deepEqual(contentOf(copy), content);
    }
    ok(plain.merge(plain)[0].is_type('system'));
});

test('there is no space', () => {
    throwsError(() => secure.alloc(2 ** 62, null), MemoryError.NO_SPACE, /4611686018427387904 bytes/);
});

finish();
