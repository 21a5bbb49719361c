// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// The functions of the native helper are for the override alone. A script that gets at
// them all the same can do no more harm, whatever it gives them.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import QuireGjs from 'gi://QuireGjs?version=1.0';
import System from 'system';

import {collect, countingBlock} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws} from './tap.js';

const {MapFlags} = Quire;
const {READ, WRITE, READWRITE, UNIQUE} = MapFlags;

equal(QuireGjs.install(1), true);
const native = globalThis.__quireNative;
const names = Object.getOwnPropertyNames(native);

function handleOf(memory) {
    QuireGjs.offer(memory);
    return native.take();
}

function attempt(fn) {
    try {
        return fn();
    } catch (error) {
        ok(error instanceof Error || error instanceof GLib.Error || error === 'no', `${error}`);
        return error;
    }
}

let seed = 1;

function random(limit) {
    seed = (seed * 1103515245 + 12345) % 0x80000000;
    return Math.floor(seed / 65536) % limit;
}

// What a script has at hand: each has blocks of its own, so that closing one spoils
// nothing for the others.
function hostileValues() {
    const memory = countingBlock(64), handle = handleOf(memory);
    const other = countingBlock(16), closed = handleOf(countingBlock(8));
    const map = native.map(handle, READ, {}, memory), ended = native.map(handle, READ, {}, undefined);
    native.release(ended);
    native.close(closed);
    const dropped = native.map(handleOf(countingBlock(100)), WRITE, Object.prototype, null);
    const {proxy, revoke} = Proxy.revocable({}, {});
    revoke();
    return [
        undefined, null, NaN, Infinity, -Infinity, -1, 0, 1, 2, 3, 1.5, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, 1e300,
        1n, -(2n ** 64n), '', 'x', '1', true, false, Symbol('s'), {}, [], [1], Object.create(null), () => 1,
        new Proxy({}, {}), new Proxy(handle, {}), new Proxy(map, {}), proxy, globalThis, native, native.map,
        new Uint8Array(4), new ArrayBuffer(8), new GLib.Bytes('abc'), memory, other, memory.map(READ),
        other.map(READ).data, Quire.MapInfo.prototype, Quire.Memory.prototype, handle, closed, map, ended, dropped,
        native.data(map), Object.create(handle), Object.create(map), handleOf(other), handleOf(memory),
        {valueOf() { throw 'no'; }}, {valueOf() { System.gc(); return READ; }},
        {valueOf() { native.close(handle); return READWRITE; }},
        {valueOf() { native.release(map); collect(); return READ; }},
        {[Symbol.toPrimitive]() { return {}; }}, new (class extends Uint8Array {})(3),
    ];
}

test('nobody finds them, unless they are put there', () => {
    deepEqual(names.slice().sort(),
        ['about', 'close', 'data', 'error', 'map', 'release', 'take', 'unmap']);
    delete globalThis.__quireNative;
    equal(globalThis.__quireNative, undefined);
});

test('they do what the override needs', () => {
    const memory = countingBlock(8), prototype = {};
    const handle = handleOf(memory);
    const map = native.map(handle, READWRITE, prototype, memory);
    equal(Object.getPrototypeOf(map), prototype);
    equal(native.data(map), native.data(map));
    deepEqual(native.about(map).slice(0, 4), [READWRITE, 8, 8, false]);
    equal(native.about(map)[4], memory);
    equal(native.map(handle, READ | UNIQUE, prototype, memory), null);
    const [domain, code, message] = native.error();
    equal(domain, Quire.MemoryError.quark());
    equal(code, Quire.MemoryError.BUSY);
    ok(/READ\+UNIQUE/.test(message));
    throws(() => native.error());
    equal(native.unmap(handle, map), true);
    equal(native.unmap(handle, map), false);
    equal(native.data(map), null);
    equal(native.about(map)[3], true);
});

test('a handle or a map of another kind is refused', () => {
    const handle = handleOf(countingBlock(8));
    const map = native.map(handle, READ, {}, null);
    for (const wrong of [undefined, null, 5, {}, map, Object.create(handle), new Proxy(handle, {})]) {
        throws(() => native.map(wrong, READ, {}, null));
        throws(() => native.unmap(wrong, map));
        throws(() => native.close(wrong));
    }
    for (const wrong of [undefined, null, 5, {}, handle, Object.create(map), new Proxy(map, {})]) {
        throws(() => native.unmap(handle, wrong));
        throws(() => native.release(wrong));
        throws(() => native.data(wrong));
        throws(() => native.about(wrong));
    }
    for (const flags of [-1, 1.5, NaN, Infinity, 2 ** 32, {}, 'x', 1n, Symbol('s'), undefined])
        throws(() => native.map(handle, flags, {}, null));
    for (const prototype of [undefined, null, 5, 'x'])
        throws(() => native.map(handle, READ, prototype, null));
    throws(() => native.take());
    throws(() => QuireGjs.offer(null));
    throws(() => QuireGjs.offer({}));
    throws(() => QuireGjs.offer());
    native.close(handle);
    equal(native.unmap(handle, map), true);
    throws(() => native.map(handle, READ, {}, null));
    throws(() => native.unmap(handle, map));
    native.close(handle);
});

test('they take any argument at any place', () => {
    for (let round = 0; round < 6; round++) {
        for (const name of names) {
            const fn = native[name];
            for (let place = 0; place < 4; place++) {
                const values = hostileValues();
                for (const value of values) {
                    const args = Array.from({length: random(6)}, () => values[random(values.length)]);
                    args[place] = value;
                    const result = attempt(() => fn.call(values[random(values.length)], ...args));
                    ok(!(typeof result === 'number' || typeof result === 'bigint'), name);
                }
                attempt(() => new fn(...values));
                attempt(() => Reflect.construct(fn, values, Uint8Array));
            }
        }
        collect();
    }
});

test('a walk at random over blocks, handles and maps', () => {
    const memories = [], handles = [], maps = [], views = [];
    const pick = list => list[random(list.length)];
    const drop = list => list.splice(random(list.length), 1);
    const steps = [
        () => memories.push(countingBlock(1 + random(5000))),
        () => memories.push(pick(memories).share(0, -1)),
        () => handles.push(handleOf(pick(memories))),
        () => handles.push(handleOf(pick(memories))),
        () => maps.push(native.map(pick(handles), 1 + random(3), {}, pick([undefined, ...memories]))),
        () => maps.push(native.map(pick(handles), READWRITE, {}, undefined)),
        () => maps.push(pick(memories).map(1 + random(3))),
        () => views.push(native.data(pick(maps))),
        () => views.push(pick(views).subarray(1)),
        () => pick(views).fill(1),
        () => native.unmap(pick(handles), pick(maps)),
        () => native.release(pick(maps)),
        () => native.close(pick(handles)),
        () => pick(memories).close(),
        () => pick(memories).fill(0, -1, 3),
        () => pick(memories).to_bytes(),
        () => pick(memories).toString(),
        () => drop(memories), () => drop(handles), () => drop(handles), () => drop(maps), () => drop(maps),
        () => drop(views), () => drop(views),
    ];
    for (let i = 0; i < 20000; i++) {
        attempt(pick(steps));
        if (i % 500 === 0)
            System.gc();
    }
    ok(true);
});

test('all is well afterwards', () => {
    collect();
    const memory = countingBlock(64);
    const info = memory.map(READWRITE | UNIQUE);
    deepEqual(info.data, [...countingBlock(64)]);
    info.unmap();
    equal(memory.describe_lock(), 'free');
});

test('they can be put there again, and again', () => {
    for (let i = 0; i < 100; i++)
        equal(QuireGjs.install(1), true);
    delete globalThis.__quireNative;

    // Where they can't be put, there is no exception, but a refusal.
    Object.defineProperty(globalThis, '__quireNative', {value: 1, configurable: false});
    equal(QuireGjs.install(1), false);
    equal(globalThis.__quireNative, 1);
});

finish();
