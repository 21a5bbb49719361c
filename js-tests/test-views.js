// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Arrays that are the block, and that have no length any more when their map has ended.

import Quire from 'gi://Quire?version=1.0';

import {collect, contentOf, countingBlock} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError} = Quire;
const {READ, WRITE, READWRITE, UNIQUE} = MapFlags;

// Each way to end a map.
const ENDS = {
    'unmap of the block': (memory, info) => memory.unmap(info),
    'unmap of the map': (_, info) => info.unmap(),
    'release': (_, info) => info.release(),
    'close': (_, info) => info.close(),
};

function isGone(view) {
    if (view instanceof DataView) {
        throws(() => view.byteLength);
        throws(() => view.getUint8(0));
        throws(() => view.setUint8(0, 1));
        return true;
    }
    if (view instanceof ArrayBuffer)
        return view.byteLength === 0;
    view[0] = view instanceof BigInt64Array || view instanceof BigUint64Array ? 1n : 1;
    return view.length === 0 && view.byteLength === 0 && view.byteOffset === 0 && view[0] === undefined;
}

// Arrays of every kind over a buffer of 16 bytes or more.
function everyViewOf({buffer}) {
    return [
        Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array,
        Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView,
    ].map(Kind => new Kind(buffer));
}

for (const [name, end] of Object.entries(ENDS)) {
    test(`${name} ends all arrays over the block`, () => {
        const memory = countingBlock(64);
        const info = memory.map(READWRITE);
        const {data} = info;
        const views = [data, data.buffer, data.subarray(3), data.subarray(1, 9).subarray(2), ...everyViewOf(data),
            new Uint8Array(data.buffer, 60), new DataView(data.buffer, 8, 4)];
        ok(views.every(view => view.byteLength > 0));
        end(memory, info);
        ok(views.every(isGone));
        equal(memory.describe_lock(), 'free');
        deepEqual(contentOf(memory, 0, 3), [0, 1, 2]);
    });
}

test('withMap ends its array, and gives what the function gives', () => {
    const memory = countingBlock(8);
    let kept;
    const result = memory.withMap(READWRITE, (data, info) => {
        equal(info.data, data);
        equal(info.memory, memory);
        equal(memory.describe_lock(), '1 READ+WRITE map');
        data[0] = 9;
        kept = data;
        return data[7];
    });
    equal(result, 7);
    equal(kept.length, 0);
    equal(memory.describe_lock(), 'free');
    equal(contentOf(memory)[0], 9);
});

test('withMap ends its array when the function throws, and throws the same', () => {
    const memory = countingBlock(8);
    const error = new Error('no');
    let kept;
    equal(throws(() => memory.withMap(READ, data => {
        kept = data;
        throw error;
    })), error);
    equal(kept.length, 0);
    equal(memory.describe_lock(), 'free');
});

test('withMap does not mind a function that ends the map', () => {
    const memory = countingBlock(8);
    for (const end of Object.values(ENDS))
        equal(memory.withMap(READ, (_, info) => end(memory, info)), undefined);
    equal(memory.describe_lock(), 'free');
});

test('withMap nests', () => {
    const memory = countingBlock(8);
    memory.withMap(READ, outer => {
        memory.withMap(READ, inner => {
            ok(inner !== outer);
            equal(memory.describe_lock(), '2 READ maps');
        });
        equal(outer.length, 8);
        throwsError(() => memory.withMap(WRITE, () => {}), MemoryError.BUSY, /1 READ map/);
    });
    equal(memory.describe_lock(), 'free');
});

test('withMap calls no function if the map is refused', () => {
    const memory = countingBlock(8);
    const share = memory.share(0, -1);
    let called = false;
    throwsError(() => share.withMap(WRITE, () => { called = true; }), MemoryError.READ_ONLY, /./);
    throwsError(() => memory.withMap(0, () => { called = true; }), MemoryError.NOT_SUPPORTED, /0x0/);
    equal(called, false);
    throws(() => memory.withMap(READ, null));
    throws(() => memory.withMap(READ));
    equal(memory.describe_lock(), '1 share alive');
});

test('each map has an array of its own, and ends only that', () => {
    const memory = countingBlock(8);
    const one = memory.map(READWRITE), two = memory.map(READWRITE);
    const [first, second] = [one.data, two.data];
    equal(one.data, first);
    ok(first !== second && first.buffer !== second.buffer);
    first[3] = 0x33;
    equal(second[3], 0x33);
    one.unmap();
    deepEqual([first.length, second.length], [0, 8]);
    second[3] = 0x44;
    two.unmap();
    equal(contentOf(memory)[3], 0x44);
});

test('an array is the block in both directions, of every kind', () => {
    const memory = countingBlock(64);
    const info = memory.map(READWRITE);
    for (const view of everyViewOf(info.data)) {
        memory.fill(0, -1, 0);
        new Uint8Array(view.buffer).fill(0x41, 8, 16);
        ok(contentOf(memory).every((byte, i) => byte === (i >= 8 && i < 16 ? 0x41 : 0)));
        memory.fill(0, -1, 0xff);
        ok(new Uint8Array(view.buffer).every(byte => byte === 0xff));
    }
    const floats = new Float64Array(info.data.buffer);
    floats[1] = Math.PI;
    equal(new DataView(Uint8Array.from(contentOf(memory, 8, 8)).buffer).getFloat64(0, true), Math.PI);
});

test('the array of a share begins where the share does', () => {
    const memory = countingBlock(64);
    const share = memory.share(10, 5);
    share.withMap(READ, data => {
        deepEqual(data, [10, 11, 12, 13, 14]);
        equal(data.buffer.byteLength, 5);
        equal(data.byteOffset, 0);
    });
});

test('a write to the array of a READ map is a write to the block', () => {
    // JavaScript has no arrays that can only be read, so this is up to the script: another
    // reader sees it.
    const memory = countingBlock(8);
    const one = memory.map(READ), two = memory.map(READ);
    one.data[0] = 0x99;
    equal(two.data[0], 0x99);
    equal(contentOf(memory)[0], 0x99);
});

test('no bytes have an array that ends as well', () => {
    const memory = Quire.Memory.new(0);
    const info = memory.map(READWRITE);
    const {data} = info;
    equal(data, info.data);
    equal(data.length, 0);
    equal(memory.describe_lock(), '1 READ+WRITE map');
    info.unmap();
    equal(memory.describe_lock(), 'free');
    throwsError(() => info.data, MemoryError.CLOSED, /0 bytes has ended/);
});

test('a thousand at once', () => {
    const blocks = Array.from({length: 1000}, (_, i) => countingBlock(1 + (i & 63)));
    const infos = blocks.map(memory => memory.map(READWRITE));
    const views = infos.map(info => info.data);
    collect();
    ok(views.every((view, i) => view.length === 1 + (i & 63) && view === infos[i].data));
    infos.forEach((info, i) => {
        if (i % 2)
            info.unmap();
    });
    collect();
    ok(views.every((view, i) => view.length === (i % 2 ? 0 : 1 + (i & 63))));
    ok(blocks.every((memory, i) => memory.describe_lock() === (i % 2 ? 'free' : '1 READ+WRITE map')));
});

test('a thousand of one block', () => {
    const memory = countingBlock(16);
    const infos = Array.from({length: 1000}, () => memory.map(READWRITE));
    infos.forEach((info, i) => { info.data[3] = i & 0xff; });
    ok(infos.every(({data}) => data[3] === (999 & 0xff)));
    infos.forEach(info => info.release());
    equal(memory.describe_lock(), 'free');
});

test('what a script drops without unmap is unmapped by the collector', () => {
    const memory = countingBlock(4096);
    (() => {
        for (let i = 0; i < 300; i++) {
            const info = memory.map(READWRITE);
            if (i % 3)
                info.data[i] = 1;
            if (i % 7 === 0)
                info.unmap();
        }
    })();
    collect();
    equal(memory.describe_lock(), 'free');
    memory.unmap(memory.map(WRITE | UNIQUE));
});

test('an array keeps its map when the map is forgotten', () => {
    const memory = countingBlock(8);
    let view = (() => memory.map(WRITE).data)();
    collect();
    equal(memory.describe_lock(), '1 WRITE map');
    view[2] = 0x22;
    equal(memory.withMap(WRITE, data => data[2]), 0x22);
    throwsError(() => memory.share(0, -1), MemoryError.BUSY, /1 WRITE map/);

    let part = view.subarray(1);
    view = null;
    collect();
    equal(part[1], 0x22);
    equal(memory.describe_lock(), '1 WRITE map');
    part = null;
    collect();
    equal(memory.describe_lock(), 'free');
});

test('an array keeps the block when all else is forgotten', () => {
    const views = [];
    for (let i = 0; i < 100; i++)
        views.push((() => countingBlock(4096).map(READWRITE).data)());
    for (let round = 0; round < 3; round++) {
        collect();
        for (let i = 0; i < 100; i++)
            Quire.Memory.new(4096).fill(0, -1, 0xff);
    }
    ok(views.every(view => view.length === 4096 && view.every((byte, i) => byte === (i & 0xff))));
});

test('loops that are hot do not outlive the map', () => {
    // Enough for the engine to compile them, with the length of the array in a register.
    const memory = Quire.Memory.new(1 << 16);
    function sum(view) {
        let total = 0;
        for (let i = 0; i < view.length; i++) {
            view[i] = i;
            total += view[i];
        }
        return total;
    }
    function sumAndEnd(view, at, end) {
        let total = 0;
        for (let i = 0; i < 1 << 16; i++) {
            if (i === at)
                end();
            total += view[i] ?? 0;
        }
        return total;
    }
    for (let round = 0; round < 50; round++) {
        const info = memory.map(READWRITE);
        ok(sum(info.data) > 0);
        const {data} = info;
        info.data.fill(1);
        equal(sumAndEnd(data, 1000 * round, () => info.unmap()), 1000 * round);
        equal(sum(data), 0);
    }
});

test('an array that goes while it is sorted, filled or copied does no harm', () => {
    const memory = countingBlock(256);
    for (const use of [
        (data, end) => data.sort((a, b) => (end(), b - a)),
        (data, end) => data.fill({valueOf: () => (end(), 7)}),
        (data, end) => data.set({length: 20, get 3() { end(); return 1; }}),
        (data, end) => data.copyWithin(0, {valueOf: () => (end(), 100)}),
        (data, end) => data.map(byte => (end(), byte)),
        (data, end) => data.forEach(end),
        (data, end) => data.subarray({valueOf: () => (end(), 5)}),
        (data, end) => data.slice({valueOf: () => (end(), 5)}),
        (data, end) => Uint16Array.from(data, byte => (end(), byte)),
        (data, end) => new DataView(data.buffer).setUint8(0, {valueOf: () => (end(), 5)}),
        (data, end) => { for (const byte of data) end(byte); },
        (data, end) => data.join({toString: () => (end(), '-')}),
    ]) {
        const info = memory.map(READWRITE);
        const {data} = info;
        try {
            use(data, () => info.release());
        } catch (error) {
            ok(error instanceof TypeError || error instanceof RangeError, `${error}`);
        }
        info.release();
        equal(data.length, 0);
        equal(memory.describe_lock(), 'free');
    }
});

test('an array that asm.js holds fast keeps its map from ending', () => {
    const memory = Quire.Memory.new(1 << 16);
    const info = memory.map(READWRITE);
    const {data} = info;
    let module;
    try {
        module = new Function('stdlib', 'foreign', 'heap', `
            "use asm";
            var bytes = new stdlib.Uint8Array(heap);
            function poke(i, v) { i = i | 0; v = v | 0; bytes[i >> 0] = v; }
            return poke;`)(globalThis, {}, data.buffer);
    } catch {
        ok(true, 'this engine has none of it');
        return;
    }

    module(5, 77);
    equal(data[5], 77);
    if (data.length > 0) {
        try {
            info.unmap();
        } catch (error) {
            ok(error instanceof TypeError);
            throws(() => info.release());
            equal(memory.describe_lock(), '1 READ+WRITE map');
            equal(data.length, 1 << 16);
        }
    }
    equal(data.length === 0, memory.describe_lock() === 'free');
});

test('nothing is left on the global object', () => {
    const names = Reflect.ownKeys(globalThis).map(String);
    ok(names.every(name => !/quire|native/i.test(name)), `${names}`);
});

test('a map has nothing on it but what its class has', () => {
    const memory = countingBlock(8);
    const info = memory.map(READ);
    void info.data;
    deepEqual(Reflect.ownKeys(info), []);
    equal(Object.getPrototypeOf(info), Quire.MapInfo.prototype);
    deepEqual(Reflect.ownKeys(info.data.buffer), []);
    ok(!/0x[0-9a-f]{6}|\d{9}/.test(`${info} ${JSON.stringify(info)} ${memory}`));
});

finish();
