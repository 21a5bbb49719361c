// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Nothing leaks: not with maps that end, not with maps that are dropped. What leaks a
// block of 20 MB each time is found by the size of the process, what leaks less by what
// is left after many more rounds.

import Quire from 'gi://Quire?version=1.0';

import {collect, residentSize} from './blocks.js';
import {isNative, isZeroCopy} from './mode.js';
import {equal, finish, ok, test, throws} from './tap.js';

const {READ, WRITE, READWRITE} = Quire.MapFlags;

const MIB = 1 << 20;
const LARGE = 20 * MIB;

// How much larger the process was at its largest, in bytes, than before.
function growth(rounds, body, every = 50) {
    collect();
    const before = residentSize();
    let largest = before;
    for (let i = 0; i < rounds; i++) {
        body(i);
        if (i % every === every - 1)
            largest = Math.max(largest, residentSize());
    }
    return largest - before;
}

// A map of a large block, and a write to each of its pages.
function touch(info) {
    const {data} = info;
    for (let i = 0; i < data.length; i += 4096)
        data[i] = 1;
}

// Copies of large blocks are not what these are about.
if (isZeroCopy) {
    test('thousands of maps of a large block', () => {
        const memory = Quire.Memory.new(LARGE);
        touch(memory.map(READWRITE));
        const size = growth(5000, i => {
            const info = memory.map(i % 2 ? READWRITE : READ);
            info.data[i] ^= 1;
            if (i % 3)
                memory.unmap(info);
            else
                info.release();
        });
        ok(size < 2 * LARGE, `${size / MIB} MiB`);
    });

    test('thousands of maps of a large block that are dropped', () => {
        const memory = Quire.Memory.new(LARGE);
        touch(memory.map(READWRITE));
        const size = growth(4000, i => {
            const info = memory.map(READWRITE);
            if (i % 2)
                info.data[i] = 1;
            // There are no more than 4095 at once.
            if (i % 1000 === 999)
                collect();
        });
        ok(size < 2 * LARGE, `${size / MIB} MiB`);
        collect();
        equal(memory.describe_lock(), 'free');
    });
}

// The collector knows the size of the blocks, as it does of arrays.
if (isNative) {
    test('large blocks that are dropped, with no other reason to collect', () => {
        const source = Quire.Memory.new(LARGE);
        source.fill(0, -1, 1);
        for (const body of [
            () => {
                const memory = Quire.Memory.new(LARGE), info = memory.map(READWRITE);
                touch(info);
                memory.unmap(info);
            },
            () => touch(Quire.Memory.new(LARGE).map(READWRITE)),
            () => {
                const memory = Quire.Memory.new(LARGE);
                memory.withMap(WRITE, data => touch({data}));
                memory.close();
            },
            () => Quire.Memory.wrap(new Uint8Array(LARGE)),
            () => Quire.Memory.new(LARGE).fill(0, -1, 1),
            () => new Quire.Memory(LARGE).fill(0, -1, 1),
            () => source.copy(0, -1),
            () => source.merge(source),
        ]) {
            const size = growth(150, body, 1);
            ok(size < 600 * MIB, `${size / MIB} MiB`);
        }
    });
}

test('blocks, shares and maps of every fate', () => {
    const blocks = [];
    const round = i => {
        const memory = Quire.Memory.new(64 + i % 64);
        const share = memory.share(0, 8), info = share.map(READ), bytes = memory.to_bytes();
        void info.data;
        void bytes;
        if (i % 2)
            info.unmap();
        if (i % 3 === 0)
            share.close();
        if (i % 5 === 0)
            memory.close();
        throws(() => share.map(WRITE));
        throws(() => memory.map(0));
        for (const _ of share.is_closed() ? [] : share)
            break;
        if (i % 100 === 0)
            blocks.push(memory);
        if (i % 1000 === 999)
            collect();
    };
    for (let i = 0; i < 3000; i++)
        round(i);
    const size = growth(12000, round, 1000);
    ok(size < 12 * MIB, `${size / MIB} MiB`);
    collect();
    // A map or share that leaked would still stand here.
    ok(blocks.every((memory, i) => i % 5 === 0 || memory.is_closed() || memory.describe_lock() === 'free'));
});

finish();
