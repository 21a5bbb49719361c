// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// How the data of a block is aligned: by default, as its params ask for, and with
// a prefix before it. A script sees no address, but may ask is_aligned().
//
//     gjs -m align.js

import Quire from 'gi://Quire?version=1.0';
import System from 'system';

// One block may be aligned by luck, but not so many, of odd sizes.
const BLOCKS = 100;

let failures = 0;

// What is promised is checked as it is shown.
function check(promise, what) {
    if (!promise) {
        failures++;
        print(`  NOT SO: ${what}`);
    }
}

function makeParams(align, prefix = 0) {
    const params = new Quire.AllocationParams();
    params.align = align;
    params.prefix = prefix;
    return params;
}

// Shows the alignment that many blocks have in common.
function show(what, params, mask) {
    const blocks = [];
    for (let i = 0; i < BLOCKS; i++) {
        const memory = Quire.Memory.new_with_params(2 * i + 1, params);
        const [size, offset] = memory.get_sizes();
        check(size === 2 * i + 1, 'the block is as large as it was asked for');
        check(offset === (params?.prefix ?? 0), 'the prefix is before the data');
        blocks.push(memory);
    }

    let common = 1;
    while (blocks.every(memory => memory.is_aligned(2 * common - 1)))
        common *= 2;

    const asked = `${mask + 1}`.padStart(5);
    print(`  ${what.padEnd(26)} ${asked}   ${`${common}`.padStart(5)} at least`);
    check(common > mask, 'the data is aligned as it was asked for');
}

print('Alignment of the data in bytes\n');
print(`  ${''.padEnd(26)} asked   found in ${BLOCKS} blocks`);

show('default', null, Quire.Allocator.get_default_align());

for (const mask of [7, 15, 63, 4095])
    show(`align ${mask}`, makeParams(mask), mask);

// It is the data that is aligned, not the prefix before it.
for (const mask of [7, 15, 63, 4095]) {
    for (const prefix of [16, 100])
        show(`align ${mask}, prefix ${prefix}`, makeParams(mask, prefix), mask);
}

// The alignment is a mask: a power of two, less 1.
try {
    Quire.Memory.new_with_params(1000, makeParams(5));
    check(false, 'an alignment that is no mask is refused');
} catch (error) {
    print(`\n  align 5 is refused: ${error.message}\n`);
    check(error.matches(Quire.MemoryError, Quire.MemoryError.NOT_SUPPORTED),
        'it is refused as what makes no sense');
}

print(failures === 0 ? 'ok' : 'failed');
System.exit(failures === 0 ? 0 : 1);
