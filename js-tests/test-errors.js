// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// What is refused: with which code and which message, and that nothing changes.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {contentOf, countingBlock, paddedBlock} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE} = MapFlags;

// The state of a block, as far as a script can see it.
function stateOf(memory) {
    return [
        memory.get_sizes(), memory.describe_lock(), memory.get_flags(), memory.get_align(),
        memory.is_writable(), memory.is_closed(),
    ];
}

function ended(memory) {
    const info = memory.map(READ);
    memory.unmap(info);
    return info;
}

// For each code: what is done with which block, and what the message must say.
const WAYS = [
    ['FAILED', () => countingBlock(10), m => m.unlock(READ), /10 bytes/],
    ['FAILED', () => countingBlock(10), m => m.unmap(countingBlock(11).map(READ)), /11 bytes/],
    ['READ_ONLY', () => paddedBlock(12, 0, 0, MemoryFlags.READONLY), m => m.map(WRITE), /12 bytes/],
    ['READ_ONLY', () => countingBlock(12).share(1, 5), m => m.fill(0, -1, 0), /5 bytes/],
    ['BUSY', () => countingBlock(13), m => m.merge(m.share(0, 1))[0] && m.fill(0, -1, 0), /13 bytes .*1 share/],
    ['NOT_MAPPABLE', () => paddedBlock(14, 0, 0, MemoryFlags.NOT_MAPPABLE), m => m.map(READ), /14 bytes/],
    ['NOT_SHAREABLE', () => paddedBlock(15, 0, 0, MemoryFlags.NO_SHARE), m => m.share(0, 1), /15 bytes/],
    ['OUT_OF_RANGE', () => countingBlock(16), m => m.share(3, 14), /14 bytes at offset 3 of 16/],
    ['OUT_OF_RANGE', () => countingBlock(16), m => m.copy(17, -1), /from offset 17 to the end of 16/],
    ['OUT_OF_RANGE', () => countingBlock(16), m => m.resize(-1, 4), /4 bytes at offset -1.* 16 bytes/],
    ['OUT_OF_RANGE', () => countingBlock(16), m => m.read(4, 13), /13 bytes at offset 4 of 16/],
    ['OUT_OF_RANGE', () => countingBlock(16), m => m.write(15, [1, 2]), /2 bytes at offset 15 of 16/],
    ['NO_SPACE', () => countingBlock(17), () => Quire.Memory.new(2 ** 60), /1152921504606846976 bytes/],
    ['TOO_LARGE', () => countingBlock(18), () => Quire.Memory.new(2 ** 63), /9223372036854775808 bytes/],
    ['CLOSED', () => countingBlock(19), m => ended(m).data, /19 bytes/],
    ['CLOSED', () => countingBlock(19), m => m.unmap(ended(m)), /19 bytes/],
    ['NOT_SUPPORTED', () => countingBlock(20), m => m.map(0), /0x0/],
    ['NOT_SUPPORTED', () => countingBlock(20), () => {
        const params = new Quire.AllocationParams({align: 5});
        return Quire.Memory.new_with_params(20, params);
    }, /mask 5/],
];

test('each code is reachable, with numbers in its message', () => {
    for (const [code, make, act, message] of WAYS) {
        const memory = make();
        throwsError(() => act(memory), MemoryError[code], message, code);
    }
    const codes = Object.keys(MemoryError).filter(name => typeof MemoryError[name] === 'number');
    deepEqual(codes.filter(name => !WAYS.some(([code]) => code === name)), []);
});

test('what is refused changes nothing', () => {
    for (const [code, make, act] of WAYS.filter(([name]) => name !== 'BUSY')) {
        const memory = make();
        const before = stateOf(memory);
        for (let i = 0; i < 3; i++)
            throws(() => act(memory), code);
        deepEqual(stateOf(memory), before, code);
    }
});

test('what is refused leaves the content alone', () => {
    const memory = countingBlock(8);
    const info = memory.map(READ);
    for (const act of [
        () => memory.fill(0, -1, 9), () => memory.write(0, [9]), () => memory.fill(9, 1, 9),
        () => memory.resize(0, 9), () => memory.map(WRITE), () => memory.share(-1, 1),
    ])
        throws(act);
    deepEqual(info.data, [0, 1, 2, 3, 4, 5, 6, 7]);
    deepEqual(memory.get_sizes(), [8, 0, 8]);
    equal(memory.describe_lock(), '1 READ map');
});

test('an error is a GLib.Error, with domain and code', () => {
    const error = throws(() => countingBlock(8).map(0));
    ok(error instanceof GLib.Error);
    ok(error instanceof MemoryError);
    equal(error.code, MemoryError.NOT_SUPPORTED);
    equal(error.domain, MemoryError.quark());
    ok(error.matches(MemoryError, MemoryError.NOT_SUPPORTED));
    ok(!error.matches(MemoryError, MemoryError.BUSY));
    ok(!error.matches(GLib.FileError, MemoryError.NOT_SUPPORTED));
    ok(error.stack.includes('test-errors.js'));
    equal(GLib.quark_to_string(MemoryError.quark()), 'quire-memory-error-quark');
});

test('an error of the override is of the same kind', () => {
    const error = throws(() => ended(countingBlock(8)).data);
    ok(error instanceof GLib.Error);
    equal(error.domain, MemoryError.quark());
});

test('a script may make such an error itself', () => {
    const error = new MemoryError({code: MemoryError.BUSY, message: 'not now'});
    ok(error.matches(MemoryError, MemoryError.BUSY));
    throwsError(() => { throw error; }, MemoryError.BUSY, /^not now$/);
});

// A size that came out of a wrong sum must not become an empty block, or the start of
// one.
test('what is no number is refused as one', () => {
    const memory = countingBlock(8);
    for (const value of [NaN, Infinity, -Infinity, 'x', {}, undefined, null]) {
        for (const [name, act] of Object.entries({
            new: () => Quire.Memory.new(value),
            constructor: () => new Quire.Memory(value),
            new_with_params: () => Quire.Memory.new_with_params(value, null),
            share: () => memory.share(value, 1),
            share_size: () => memory.share(0, value),
            copy: () => memory.copy(value, 1),
            copy_size: () => memory.copy(0, value),
            resize: () => memory.resize(value, 1),
            resize_size: () => memory.resize(0, value),
            fill: () => memory.fill(value, 1, 9),
            fill_size: () => memory.fill(0, value, 9),
            fill_value: () => memory.fill(0, 1, value),
            read: () => memory.read(value, 1),
            read_size: () => memory.read(0, value),
            write: () => memory.write(value, [9]),
        }))
            throws(act, `${name} ${value}`);
    }
    deepEqual(memory.get_sizes(), [8, 0, 8]);
    deepEqual(contentOf(memory), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('what is no flag is refused as one', () => {
    const memory = countingBlock(8);
    for (const value of [NaN, 'READ', {}, undefined, null, -1, 16, 2 ** 33 + 1, 1.5e300]) {
        throws(() => memory.map(value), `map ${value}`);
        throws(() => memory.lock(value), `lock ${value}`);
        throws(() => memory.unlock(value), `unlock ${value}`);
    }
    throws(() => memory.map());
    throws(() => memory.lock());
    equal(memory.describe_lock(), 'free');
});

test('numbers beyond what C takes are refused, not cut off', () => {
    const memory = countingBlock(8);
    for (const value of [2n ** 64n, 2 ** 64, 2 ** 70]) {
        for (const act of [
            () => Quire.Memory.new(value), () => memory.share(value, 1), () => memory.share(0, value),
            () => memory.copy(value, 1), () => memory.resize(value, 1), () => memory.resize(0, value),
            () => memory.fill(value, 1, 9), () => memory.read(value, 1), () => memory.write(value, [9]),
        ])
            throws(act, `${value}`);
    }
    // These would be 1, were they cut to 32 bits.
    for (const value of [2 ** 32 + 1, -(2 ** 32) + 1]) {
        throwsError(() => memory.share(value, 1), MemoryError.OUT_OF_RANGE, new RegExp(`offset ${value} `));
        throwsError(() => memory.copy(value, 1), MemoryError.OUT_OF_RANGE, new RegExp(`offset ${value} `));
        throwsError(() => memory.resize(value, 1), MemoryError.OUT_OF_RANGE, new RegExp(`offset ${value}:`));
    }
    throwsError(() => memory.read(2 ** 32 + 1, 1), MemoryError.OUT_OF_RANGE, /offset 4294967297 /);
    throwsError(() => memory.write(2 ** 32 + 1, [9]), MemoryError.OUT_OF_RANGE, /offset 4294967297 /);
    throwsError(() => memory.fill(2 ** 32 + 1, 1, 9), MemoryError.OUT_OF_RANGE, /offset 4294967297 /);
    deepEqual(contentOf(memory), [0, 1, 2, 3, 4, 5, 6, 7]);
    deepEqual(memory.get_sizes(), [8, 0, 8]);
});

test('what is no block or mapping is refused as one', () => {
    const memory = countingBlock(8);
    const info = memory.map(READ);
    const values = [null, undefined, 5, 'x', {}, [], new GLib.Bytes('x')];
    for (const value of [...values, memory, Quire.Mapping, Quire.Mapping.prototype])
        throws(() => memory.unmap(value), 'unmap');
    for (const value of [...values, info, Quire.Memory, Quire.Memory.prototype]) {
        throws(() => memory.is_span(value), 'is_span');
        throws(() => memory.merge(value), 'merge');
        throws(() => memory.compare(value), 'compare');
    }
    for (const value of [5, 'x', {}, memory, undefined])
        throws(() => Quire.Memory.new_with_params(8, value), 'new_with_params');
    for (const value of [null, undefined, 5])
        throws(() => memory.is_type(value), 'is_type');
    memory.unmap(info);
    equal(memory.describe_lock(), 'free');
});

test('arguments that are missing are', () => {
    const memory = countingBlock(8);
    for (const name of [
        'share', 'copy', 'resize', 'fill', 'read', 'write', 'compare', 'merge', 'is_span', 'is_type',
        'is_aligned', 'map', 'unmap', 'lock', 'unlock', 'make_mapped', 'read_from_stream',
    ])
        throws(() => memory[name](), name);
    throws(() => Quire.Memory.new(), 'new');
    throws(() => new Quire.Memory(), 'constructor');
    throws(() => Quire.Memory.merge_list(), 'merge_list');
    equal(memory.describe_lock(), 'free');
});

finish();
