// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// The manners of JavaScript: what the override adds to what is introspected.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {blockOf, collect, contentOf, countingBlock, paddedBlock} from './blocks.js';
import {isNative} from './mode.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError} = Quire;
const {READ, WRITE, READWRITE} = MapFlags;

test('new makes a block', () => {
    const memory = new Quire.Memory(24);
    ok(memory instanceof Quire.Memory);
    equal(memory.length, 24);
    equal(new Quire.Memory(0).length, 0);
    throws(() => new Quire.Memory());
    throwsError(() => new Quire.Memory(2 ** 63), MemoryError.TOO_LARGE, /9223372036854775808/);
});

test('length is the size, and follows it', () => {
    const memory = paddedBlock(16, 8, 4);
    equal(memory.length, 16);
    memory.resize(-8, 28);
    equal(memory.length, 28);
    equal(memory.share(3, 4).length, 4);
    throws(() => { memory.length = 5; });
    equal(memory.length, 28);
});

test('wrap copies what has an ArrayBuffer', () => {
    const {buffer} = Uint8Array.from({length: 32}, (_, i) => i);
    const bytes = (offset, length) => Array.from({length}, (_, i) => offset + i);
    for (const [data, expected] of [
        [buffer, bytes(0, 32)], [new Uint8Array(buffer), bytes(0, 32)], [new Uint8Array(buffer, 3, 5), bytes(3, 5)],
        [new Int8Array(buffer, 1, 2), bytes(1, 2)], [new Uint8ClampedArray(buffer, 30), bytes(30, 2)],
        [new Uint16Array(buffer, 2, 3), bytes(2, 6)], [new Int16Array(buffer, 2, 3), bytes(2, 6)],
        [new Uint32Array(buffer, 4, 2), bytes(4, 8)], [new Int32Array(buffer, 4, 2), bytes(4, 8)],
        [new Float32Array(buffer, 8, 2), bytes(8, 8)], [new Float64Array(buffer, 8, 1), bytes(8, 8)],
        [new BigInt64Array(buffer, 16), bytes(16, 16)], [new BigUint64Array(buffer, 16, 1), bytes(16, 8)],
        [new DataView(buffer, 5, 7), bytes(5, 7)], [new Uint8Array(0), []], [new ArrayBuffer(0), []],
        [new (class extends Uint8Array {})([4, 5]), [4, 5]],
    ]) {
        const memory = Quire.Memory.wrap(data);
        ok(memory instanceof Quire.Memory);
        deepEqual(contentOf(memory), expected);
        equal(memory.describe_lock(), 'free');
    }

    const array = Uint8Array.of(1, 2, 3);
    const memory = Quire.Memory.wrap(array);
    array[0] = 9;
    equal(contentOf(memory)[0], 1);
    memory.fill(1, 1, 8);
    equal(array[1], 2);
});

test('wrap takes the data of a map, also of the same block', () => {
    const memory = countingBlock(8);
    const copy = memory.withMap(READ, data => Quire.Memory.wrap(data.subarray(2, 5)));
    deepEqual(contentOf(copy), [2, 3, 4]);
});

test('wrap takes nothing else', () => {
    for (const value of [
        undefined, null, 5, 5n, 'text', true, {}, [], [1, 2, 3], {length: 3}, {buffer: new ArrayBuffer(3)},
        new GLib.Bytes('abc'), countingBlock(3), countingBlock(3).map(READ), () => 1, Uint8Array, Symbol('s'),
        Object.create(Uint8Array.prototype), new Proxy(new Uint8Array(3), {}),
    ])
        ok(throws(() => Quire.Memory.wrap(value)) instanceof TypeError);
    ok(throws(() => Quire.Memory.wrap()) instanceof TypeError);
});

test('a block is iterable', () => {
    const memory = blockOf([3, 1, 2]);
    deepEqual([...memory], [3, 1, 2]);
    deepEqual(Array.from(memory, byte => byte * 2), [6, 2, 4]);
    equal(Math.max(...memory), 3);
    const [first, ...rest] = memory;
    deepEqual([first, rest], [3, [1, 2]]);
    deepEqual([...Quire.Memory.new(0)], []);
    deepEqual([...countingBlock(9).share(4, 3)], [4, 5, 6]);
    equal(memory.describe_lock(), 'free');
});

test('a loop over a block has it mapped, and leaves it free however it ends', () => {
    const memory = countingBlock(8);
    for (const byte of memory) {
        equal(memory.describe_lock(), '1 READ map');
        if (byte === 3)
            break;
    }
    equal(memory.describe_lock(), 'free');

    throws(() => {
        for (const byte of memory)
            throw new Error(`${byte}`);
    });
    equal(memory.describe_lock(), 'free');

    for (const _ of memory)
        throwsError(() => memory.map(WRITE), MemoryError.BUSY, /1 READ map/);
    for (const one of memory) {
        for (const two of memory) {
            if (one + two > 4)
                break;
        }
    }
    equal(memory.describe_lock(), 'free');
});

test('an iterator that is not begun has no map, and one that is dropped gives it back', () => {
    const memory = countingBlock(8);
    (() => {
        const iterator = memory[Symbol.iterator]();
        equal(memory.describe_lock(), 'free');
        deepEqual(iterator.next(), {value: 0, done: false});
        equal(memory.describe_lock(), '1 READ map');
        memory[Symbol.iterator]().next();
    })();
    collect();
    equal(memory.describe_lock(), 'free');
});

test('a block that can not be read can not be iterated', () => {
    const memory = countingBlock(8);
    const info = memory.map(WRITE);
    throwsError(() => [...memory], MemoryError.BUSY, /1 WRITE map/);
    info.unmap();
});

test('toString says what there is', () => {
    const memory = paddedBlock(16, 8, 4);
    equal(`${memory}`, '[Quire.Memory 16 bytes at 8 of 28, system: free]');
    const info = memory.map(READ);
    equal(`${memory}`, '[Quire.Memory 16 bytes at 8 of 28, system: 1 READ map]');
    equal(`${info}`, `[Quire.MapInfo 16 bytes, flags ${READ}]`);
    info.unmap();
    equal(`${info}`, `[Quire.MapInfo 16 bytes, flags ${READ}, ended]`);
    memory.close();
    equal(`${memory}`, '[Quire.Memory, closed]');
});

test('what has underscores has a name in camel case as well', () => {
    let found = 0;
    for (const object of [
        Quire.Memory, Quire.Memory.prototype, Quire.MapInfo.prototype, Quire.Allocator, Quire.Allocator.prototype,
    ]) {
        for (const name of Object.getOwnPropertyNames(object)) {
            if (!/[^_]_[a-z]/.test(name) || typeof object[name] !== 'function')
                continue;
            const camel = name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
            equal(object[camel], object[name], name);
            ok(!Object.keys(object).includes(camel));
            found++;
        }
    }
    ok(found > 25, `${found}`);
});

test('the names in camel case do the same', () => {
    const memory = countingBlock(8);
    deepEqual(memory.getSizes(), [8, 0, 8]);
    equal(memory.describeLock(), 'free');
    equal(memory.isWritable(), true);
    equal(memory.isType('system'), true);
    equal(memory.isClosed(), false);
    equal(memory.toBytes().toArray()[7], 7);
    deepEqual(contentOf(Quire.Memory.mergeList([memory, memory])[0]), [...memory, ...memory]);
    deepEqual(Quire.Memory.newWithParams(8, null).getSizes(), [8, 0, 8]);
    deepEqual(contentOf(Quire.Memory.newFromBytes(new GLib.Bytes([1, 2]))), [1, 2]);
    equal(memory.getAllocator().getMemType(), 'system');
    const info = memory.makeMapped(READ);
    deepEqual([info.getSize(), info.getFlags(), info.isReleased()], [8, READ, false]);
    equal(info.getMemory(), memory);
});

test('a map knows its block as the very object that was mapped', () => {
    const memory = countingBlock(8);
    const info = memory.map(READ);
    equal(info.memory, memory);
    info.unmap();
    equal(info.memory, null);
});

test('a map can not be made, and its methods take no other this', () => {
    throws(() => new Quire.MapInfo());
    throws(() => Quire.MapInfo());
    throws(() => Reflect.construct(Object, [], Quire.MapInfo).data);
    const {prototype} = Quire.MapInfo;
    for (const value of [undefined, null, 5, 'x', {}, prototype, Object.create(prototype), countingBlock(8),
        Object.create(countingBlock(8).map(READ)), new Proxy(countingBlock(8).map(READ), {})]) {
        for (const name of Object.getOwnPropertyNames(prototype)) {
            const {get, value: fn} = Object.getOwnPropertyDescriptor(prototype, name);
            if (!/^constructor$|^get/.test(name))
                throws(() => (get ?? fn).call(value), name);
        }
    }
});

test('unmap of a map ends it; twice is an error, release and close are not', () => {
    const memory = countingBlock(8);
    const info = memory.map(READWRITE);
    info.unmap();
    equal(memory.describe_lock(), 'free');
    throwsError(() => info.unmap(), MemoryError.CLOSED, /8 bytes has ended already/);
    info.release();
    info.close();
    equal(info.is_released(), true);
});

test('a handle that was closed refuses all, with CLOSED', () => {
    const memory = countingBlock(8), other = countingBlock(8);
    equal(memory.is_closed(), false);
    memory.close();
    memory.close();
    equal(memory.is_closed(), true);
    equal(memory.isClosed(), true);

    const refuses = (act, what) => throwsError(act, MemoryError.CLOSED, /./, what);
    for (const name of Object.getOwnPropertyNames(Quire.Memory.prototype)) {
        if (['constructor', 'length', 'close', 'is_closed', 'isClosed', 'toString'].includes(name))
            continue;
        refuses(() => memory[name](READ, 0, 0, 0), name);
    }
    refuses(() => memory.length);
    refuses(() => [...memory]);
    refuses(() => memory.withMap(READ, () => {}));
    for (const name of ['merge', 'is_span', 'compare'])
        refuses(() => other[name](memory), name);
    refuses(() => Quire.Memory.merge_list([other, memory]));
    refuses(() => Quire.Memory.mergeList([memory]));
    equal(other.describe_lock(), 'free');
});

test('a handle that was closed is nobody else\'s', () => {
    const memory = countingBlock(8);
    const handle = memory.share(0, -1).get_parent();
    memory.close();
    deepEqual([...handle], [0, 1, 2, 3, 4, 5, 6, 7]);
    equal(handle.is_closed(), false);
});

test('maps that stand are good until they end, when the handle is closed', () => {
    const memory = countingBlock(8);
    const info = memory.map(READWRITE), second = memory.map(READ);
    memory.close();
    collect();
    equal(info.data[7], 7);
    info.data[0] = 9;
    equal(info.memory, memory);
    equal(second.size, 8);
    info.release();
    second.close();
    equal(info.is_released(), true);
});

if (isNative) {
    test('close of a share lets its block be written at once', () => {
        const memory = countingBlock(8);
        const share = memory.share(2, 4);
        throwsError(() => memory.map(WRITE), MemoryError.BUSY, /1 share alive/);
        share.close();
        equal(memory.describe_lock(), 'free');
        memory.unmap(memory.map(WRITE));

        const shares = Array.from({length: 50}, (_, i) => memory.share(0, i % 8));
        shares.push(shares[7].share(1, 2));
        shares.forEach(each => each.close());
        equal(memory.describe_lock(), 'free');
        collect();
        equal(memory.describe_lock(), 'free');
    });

    test('close of a share that is mapped lets go with the last map', () => {
        const memory = countingBlock(8);
        const share = memory.share(2, 4);
        const one = share.map(READ), two = share.map(READ);
        share.close();
        equal(memory.describe_lock(), '1 share alive');
        one.release();
        equal(memory.describe_lock(), '1 share alive');
        equal(two.data[0], 2);
        two.unmap();
        equal(memory.describe_lock(), 'free');
    });

    test('close of a share lets go whatever became of its maps before', () => {
        const memory = countingBlock(8);
        const share = memory.share(2, 4);
        (() => {
            for (let i = 0; i < 5; i++) {
                share.unmap(share.map(READ));
                share.map(READ);
            }
        })();
        collect();
        const info = share.map(READ);
        share.close();
        equal(memory.describe_lock(), '1 share alive');
        info.release();
        equal(memory.describe_lock(), 'free');
    });

    test('close of a share lets go when its last map is collected', () => {
        const memory = countingBlock(8);
        const share = memory.share(2, 4);
        (() => share.map(READ).data[0])();
        share.close();
        equal(memory.describe_lock(), '1 share alive');
        collect();
        equal(memory.describe_lock(), 'free');
        equal(share.is_closed(), true);
    });

    test('close of one handle leaves the share to the other', () => {
        const memory = countingBlock(8);
        const share = memory.share(0, 4);
        const bytes = share.to_bytes();
        share.close();
        equal(memory.describe_lock(), '1 share alive');
        deepEqual(bytes.toArray(), [0, 1, 2, 3]);
    });
}

test('a closed handle is none in a list either', () => {
    const memory = countingBlock(8);
    const open = memory.share(0, 4), share = memory.share(4, 4);
    share.close();
    for (const mergeList of [Quire.Memory.merge_list, Quire.Memory.mergeList, Quire.memory_merge_list])
        throwsError(() => mergeList([open, share]), MemoryError.CLOSED, /closed/);
});

test('flags are whole numbers', () => {
    const memory = countingBlock(8);
    for (const flags of [1.5, NaN, -1, 2 ** 32, '1', null, undefined, 1n]) {
        for (const name of ['map', 'lock', 'unlock', 'make_mapped'])
            throws(() => memory[name](flags), `${name}(${String(flags)})`);
    }
    equal(memory.describe_lock(), 'free');
});

finish();
