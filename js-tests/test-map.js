// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Mappings and their data.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {
    blockOf, collect, contentOf, countingBlock, isSameBlock, paddedBlock, residentSize,
} from './blocks.js';
import {isZeroCopy} from './mode.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE, READWRITE, EXCLUSIVE, UNIQUE} = MapFlags;

// What needs arrays that are the block.
const testZeroCopy = isZeroCopy ? test : () => {};

// All that a script may still do with an array whose map has ended. It has what it had,
// or nothing at all, and then some of this throws; the length tells.
function useStale(view) {
    ok(view instanceof Uint8Array);
    view[0] = 0xee;
    for (const use of [
        () => view.fill(0xee),
        () => view.set([0xee], view.length - 1),
        () => [...view, view.at(-1), view.subarray(1).length],
        () => new Uint8Array(view.buffer).fill(0xee),
    ]) {
        try {
            use();
        } catch (error) {
            ok(view.length === 0 && (error instanceof TypeError || error instanceof RangeError), `${error}`);
        }
    }
    return view.length;
}

test('a mapping tells what it maps', () => {
    const memory = paddedBlock(16, 8, 4);
    const info = memory.map(READ);
    ok(info instanceof Quire.MapInfo);
    equal(info.flags, READ);
    equal(info.size, 16);
    equal(info.maxsize, 20);
    equal(info.data.length, 16);
    ok(info.memory instanceof Quire.Memory);
    ok(isSameBlock(info.memory, memory));
    equal(info.is_released(), false);
    memory.unmap(info);
    equal(info.is_released(), true);
});

test('the flags are those that were asked for', () => {
    const memory = Quire.Memory.new(8);
    for (const access of [READ, WRITE, READWRITE]) {
        for (const more of [0, EXCLUSIVE, UNIQUE, EXCLUSIVE | UNIQUE]) {
            const info = memory.map(access | more);
            equal(info.flags, access | more);
            memory.unmap(info);
        }
    }
});

test('the data is a Uint8Array, the same at each access', () => {
    const memory = countingBlock(8);
    for (const flags of [READ, WRITE, READWRITE]) {
        const info = memory.map(flags);
        ok(info.data instanceof Uint8Array);
        equal(info.data, info.data);
        deepEqual([info.data.length, info.data.byteLength], [8, 8]);
        memory.unmap(info);
    }
    const first = memory.map(READ), second = memory.map(READ);
    ok(first.data !== second.data);
});

test('zeroCopy says what a view is', () => {
    equal(typeof Quire.zeroCopy, 'boolean');
    const memory = countingBlock(1);
    const one = memory.map(READWRITE), two = memory.map(READWRITE);
    one.data[0] = 0x77;
    equal(two.data[0] === 0x77, Quire.zeroCopy);
});

test('zeroCopy can not be set', () => {
    const before = Quire.zeroCopy;
    throws(() => { Quire.zeroCopy = !before; });
    equal(Quire.zeroCopy, before);
});

testZeroCopy('the data writes through: another view sees it', () => {
    const memory = countingBlock(8);
    const one = memory.map(WRITE), two = memory.map(WRITE);
    one.data[3] = 0xaa;
    two.data[5] = 0xbb;
    equal(two.data[3], 0xaa);
    equal(one.data[5], 0xbb);
    deepEqual(one.data, [0, 1, 2, 0xaa, 4, 0xbb, 6, 7]);
});

testZeroCopy('the data writes through: read() sees it, while it is mapped and after', () => {
    const memory = countingBlock(8);
    const info = memory.map(READWRITE);
    info.data.set([9, 8, 7], 5);
    deepEqual(contentOf(memory), [0, 1, 2, 3, 4, 9, 8, 7]);
    memory.unmap(info);
    deepEqual(contentOf(memory), [0, 1, 2, 3, 4, 9, 8, 7]);
});

test('the data writes through: to_bytes() and a share see it', () => {
    const memory = countingBlock(4);
    const info = memory.map(WRITE);
    info.data.reverse();
    memory.unmap(info);
    deepEqual(memory.to_bytes().toArray(), [3, 2, 1, 0]);
    deepEqual(contentOf(memory.share(1, 2)), [2, 1]);
});

test('what others write shows in the data', () => {
    const memory = countingBlock(4);
    const info = memory.map(READWRITE);
    memory.fill(1, 2, 0x33);
    memory.write(3, [0x44]);
    deepEqual(info.data, [0, 0x33, 0x33, 0x44]);
});

testZeroCopy('other typed arrays over its buffer are the block as well', () => {
    const memory = countingBlock(8);
    const info = memory.map(READWRITE);
    const {buffer, byteOffset, byteLength} = info.data;
    new DataView(buffer, byteOffset, byteLength).setUint16(2, 0xabcd);
    info.data.subarray(6)[1] = 0xef;
    deepEqual(contentOf(memory), [0, 1, 0xab, 0xcd, 4, 5, 6, 0xef]);
});

test('the data ends where the block does', () => {
    const memory = paddedBlock(4, 4, 4);
    memory.resize(-4, 12);
    memory.fill(0, -1, 0x11);
    memory.resize(4, 4);

    const info = memory.map(WRITE);
    const {data} = info;
    equal(data.buffer.byteLength, 4);
    data[4] = data[-1] = 0xff;
    throws(() => data.set([1, 2], 3));
    throws(() => new Uint8Array(data.buffer, data.byteOffset, 5));
    memory.unmap(info);

    memory.resize(-4, 12);
    deepEqual(contentOf(memory), Array(12).fill(0x11));
});

test('a block of no bytes has a view of no bytes', () => {
    for (const memory of [Quire.Memory.new(0), countingBlock(4).share(4, 0), paddedBlock(0, 4, 4)]) {
        const info = memory.map(READ);
        ok(info.data instanceof Uint8Array);
        equal(info.data.length, 0);
        equal(info.data, info.data);
        equal(info.size, 0);
        memory.unmap(info);
    }
    const memory = Quire.Memory.new(0);
    const info = memory.map(READWRITE);
    equal(info.data.length, 0);
    throwsError(() => memory.share(0, -1), MemoryError.BUSY, /0 bytes refuses/);
});

test('unmap gives the lock back, and ends the data', () => {
    const memory = countingBlock(8);
    const info = memory.map(WRITE);
    ok(info.data.length === 8);
    memory.unmap(info);
    equal(memory.describe_lock(), 'free');
    throwsError(() => info.data, MemoryError.CLOSED, /mapping of 8 bytes has ended/);
    memory.unmap(memory.map(READ));
});

test('the data of a map that has ended can not be had for the first time either', () => {
    const memory = countingBlock(8);
    const info = memory.map(READ);
    memory.unmap(info);
    throwsError(() => info.data, MemoryError.CLOSED, /8 bytes/);
    equal(info.size, 8);
    equal(info.flags, READ);
});

test('a second unmap is refused, and takes nothing from others', () => {
    const memory = countingBlock(8);
    const first = memory.map(READ), second = memory.map(READ);
    memory.unmap(first);
    throwsError(() => memory.unmap(first), MemoryError.CLOSED, /8 bytes has ended already/);
    throwsError(() => memory.unmap(first), MemoryError.CLOSED, /8 bytes has ended already/);
    equal(memory.describe_lock(), '1 READ map');
    equal(second.data.length, 8);
    memory.unmap(second);
    equal(memory.describe_lock(), 'free');
});

test("another block's mapping is refused, and nothing changes", () => {
    const one = countingBlock(8), other = countingBlock(9);
    const info = one.map(READ), its = other.map(READ);
    throwsError(() => other.unmap(info), MemoryError.FAILED, /8 bytes is of another block/);
    throwsError(() => one.unmap(its), MemoryError.FAILED, /9 bytes is of another block/);
    deepEqual([one.describe_lock(), other.describe_lock()], ['1 READ map', '1 READ map']);
    equal(info.data.length, 8);

    const share = one.share(0, -1);
    throwsError(() => share.unmap(info), MemoryError.FAILED, /another block/);
    one.unmap(info);
    other.unmap(its);
});

test('release ends a mapping, and does nothing a second time', () => {
    const memory = countingBlock(8);
    const first = memory.map(READ), second = memory.map(READ);
    first.release();
    first.release();
    equal(memory.describe_lock(), '1 READ map');
    throwsError(() => first.data, MemoryError.CLOSED, /8 bytes/);
    throwsError(() => memory.unmap(first), MemoryError.CLOSED, /8 bytes/);
    memory.unmap(second);
    second.release();
    equal(memory.describe_lock(), 'free');
});

test('what a mapping tells can not be set', () => {
    const memory = countingBlock(8);
    const info = memory.map(READWRITE);
    for (const name of ['memory', 'flags', 'size', 'maxsize', 'data'])
        throws(() => { info[name] = 1 << 30; }, name);
    deepEqual([info.size, info.maxsize, info.flags], [8, 8, READWRITE]);
    equal(info.data.length, 8);
    throws(() => { info.data.length = 100; });
    throws(() => { info.data.buffer.byteLength = 100; });
    equal(info.data.length, 8);
});

test('a view lives on when all else is forgotten', () => {
    const view = (() => countingBlock(4096).map(READWRITE).data)();
    for (let i = 0; i < 4; i++) {
        collect();
        Quire.Memory.new(4096).fill(0, -1, 0xff);
    }
    equal(view.length, 4096);
    ok(view.every((byte, i) => byte === (i & 0xff)));
    view.fill(1);
    ok(view.every(byte => byte === 1));
});

test('a mapping keeps its block and the lock', () => {
    const info = (() => countingBlock(64).map(WRITE))();
    collect();
    equal(info.memory.describe_lock(), '1 WRITE map');
    equal(info.data[63], 63);
    info.memory.unmap(info);
    throwsError(() => info.data, MemoryError.CLOSED, /64 bytes/);
});

test('a mapping of a block that is gone has no block', () => {
    const info = (() => {
        const memory = countingBlock(64);
        const mapping = memory.map(READ);
        memory.unmap(mapping);
        return mapping;
    })();
    collect();
    equal(info.memory, null);
    equal(info.is_released(), true);
    equal(info.size, 64);
    throwsError(() => info.data, MemoryError.CLOSED, /64 bytes/);
    throwsError(() => countingBlock(64).unmap(info), MemoryError.FAILED, /another block/);
});

testZeroCopy('a forgotten mapping gives its lock back when it is collected', () => {
    const memory = countingBlock(8);
    (() => {
        for (const flags of [READ, READWRITE, WRITE])
            memory.map(READWRITE).data[0] = flags;
    })();
    collect();
    equal(memory.describe_lock(), 'free');
    equal(contentOf(memory)[0], WRITE);

    (() => memory.map(WRITE | UNIQUE | EXCLUSIVE))();
    collect();
    equal(memory.describe_lock(), 'free');
    memory.unmap(memory.map(WRITE | UNIQUE));
});

test('a view that outlives its map is no view of another block', () => {
    const stale = [];
    for (let i = 0; i < 32; i++) {
        const memory = countingBlock(4096);
        const info = memory.map(READWRITE);
        stale.push(info.data);
        memory.unmap(info);
    }
    collect();

    const blocks = [];
    for (let i = 0; i < 64; i++) {
        const memory = Quire.Memory.new(4096);
        memory.fill(0, -1, 0x11);
        blocks.push(memory);
    }
    stale.forEach(useStale);
    const want = contentOf(blocks[0]);
    ok(want.every(byte => byte === 0x11));
    ok(blocks.every(memory => memory.compare(blocks[0]) === 0));

    collect();
    stale.forEach(useStale);
    ok(blocks.every(memory => memory.compare(blocks[0]) === 0));
});

test('a view that outlives its map holds no lock', () => {
    const memory = countingBlock(8);
    const info = memory.map(READWRITE);
    const {data} = info;
    memory.unmap(info);
    equal(memory.describe_lock(), 'free');
    const unique = memory.map(WRITE | UNIQUE);
    equal(unique.data.length, 8);
    ok([0, 8].includes(useStale(data)));
    memory.unmap(unique);
});

test('make_mapped maps the block, or a copy where that is refused', () => {
    const memory = countingBlock(8);
    const direct = memory.make_mapped(READWRITE);
    ok(isSameBlock(direct.memory, memory));
    memory.unmap(direct);

    const share = memory.share(2, 3);
    const info = share.make_mapped(WRITE);
    ok(!isSameBlock(info.memory, share));
    deepEqual(info.data, [2, 3, 4]);
    info.data.fill(0xff);
    deepEqual(contentOf(memory), [0, 1, 2, 3, 4, 5, 6, 7]);

    throwsError(() => paddedBlock(8, 0, 0, MemoryFlags.NOT_MAPPABLE).make_mapped(READ),
        MemoryError.NOT_MAPPABLE, /8 bytes/);
    throwsError(() => memory.make_mapped(0), MemoryError.NOT_SUPPORTED, /0x0/);
});

test('what is not mappable has no mapping', () => {
    const memory = paddedBlock(8, 0, 0, MemoryFlags.NOT_MAPPABLE);
    for (const flags of [READ, WRITE, READWRITE])
        throwsError(() => memory.map(flags), MemoryError.NOT_MAPPABLE, /8 bytes can't be mapped/);
    equal(memory.describe_lock(), 'free');
});

testZeroCopy('a large block is mapped without a copy', () => {
    const size = 64 << 20;
    const memory = Quire.Memory.new(size);
    memory.fill(0, -1, 0);
    const one = memory.map(READWRITE);
    const before = residentSize();

    // A hundred copies would be more than 6 GB.
    const infos = [];
    for (let i = 0; i < 100; i++) {
        const info = memory.map(READWRITE);
        info.data[i] = i;
        info.data[size - 1 - i] = i + 100;
        infos.push(info);
    }
    ok(residentSize() - before < 16 << 20, `${residentSize() - before} bytes more`);

    equal(one.data.length, size);
    for (let i = 0; i < 100; i++)
        deepEqual([one.data[i], one.data[size - 1 - i]], [i, i + 100]);
    infos.forEach(info => memory.unmap(info));
    memory.unmap(one);
    deepEqual(contentOf(memory, 0, 3), [0, 1, 2]);
    deepEqual(contentOf(memory, size - 3), [102, 101, 100]);
});

testZeroCopy('thousands of mappings at once', () => {
    const memory = countingBlock(16);
    const infos = Array.from({length: 4095}, () => memory.map(READWRITE));
    infos.forEach((info, i) => { info.data[i & 15] = i & 0xff; });
    deepEqual(infos[0].data, infos.at(-1).data);
    throwsError(() => memory.map(READWRITE), MemoryError.BUSY, /4095 READ\+WRITE maps/);
    infos.forEach(info => memory.unmap(info));
    equal(memory.describe_lock(), 'free');
    memory.unmap(memory.map(WRITE | UNIQUE));
});

test('views of many blocks do not mix', () => {
    const infos = Array.from({length: 1000}, (_, i) => blockOf([i & 0xff, i >> 8]).map(READ));
    collect();
    ok(infos.every(({data}, i) => data.length === 2 && data[0] === (i & 0xff) && data[1] === i >> 8));
});

test('the views are good for GLib', () => {
    const memory = blockOf(new TextEncoder().encode('The quick brown fox'));
    const info = memory.map(READ);
    equal(new TextDecoder().decode(info.data), 'The quick brown fox');
    equal(GLib.compute_checksum_for_data(GLib.ChecksumType.MD5, info.data),
        GLib.compute_checksum_for_bytes(GLib.ChecksumType.MD5, memory.to_bytes()));
    memory.unmap(info);
});

finish();
