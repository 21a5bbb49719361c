// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Blocks over descriptors, of memfd and of files.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {contentOf, residentSize} from './blocks.js';
import {isNative, isZeroCopy} from './mode.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {FdFlags, MapFlags, Memory, MemoryError, MemoryFlags, Seals} = Quire;
const {READ, WRITE} = MapFlags;

function memfd(size) {
    return Quire.Allocator.find('memfd').alloc(size, null);
}

function countDescriptors() {
    const children = Gio.File.new_for_path('/proc/self/fd').enumerate_children('standard::name', 0, null);
    let count = 0;
    while (children.next_file(null) !== null)
        count++;
    children.close(null);
    return count;
}

// Calls fn with the path of a file that has these bytes, and a block over it.
function withFile(bytes, fn) {
    const [file, stream] = Gio.File.new_tmp('quire-XXXXXX');
    try {
        stream.output_stream.write_all(bytes, null);
        fn(file.get_path(), stream.output_stream.get_fd(), stream);
    } finally {
        stream.close(null);
        file.delete(null);
    }
}

test('a block of memfd', () => {
    const memory = memfd(10000);
    ok(memory.is_type('memfd'));
    ok(memory.is_stable());
    const [fd, offset] = memory.get_fd();
    ok(fd > 2);
    equal(offset, 0);
    deepEqual(memory.share(100, 10).get_fd(), [fd, 100]);
    equal(memory.get_seals(), Seals.SHRINK | Seals.GROW);
});

test('other blocks have no descriptor', () => {
    deepEqual(Memory.new(10).get_fd(), [-1, 0]);
    throwsError(() => Memory.new(10).dup_fd(), MemoryError.NOT_SUPPORTED, /10 bytes.*system/);
});

test('an allocator with a name and seals', () => {
    const allocator = new Quire.MemfdAllocator({name: 'frames', seals: Seals.SHRINK});
    equal(allocator.name, 'frames');
    equal(allocator.alloc(10, null).get_seals(), Seals.SHRINK);
    equal(Quire.MemfdAllocator.new('other', Seals.NONE).get_name(), 'other');
    equal(allocator.getSeals(), Seals.SHRINK);
    throws(() => Quire.MemfdAllocator.new('other', 1.5));
    throws(() => Quire.MemfdAllocator.new('other', 'x'));
    throwsError(() => new Quire.MemfdAllocator({name: 'x'.repeat(250)}).alloc(10, null), MemoryError.TOO_LARGE, /250/);
});

test('two blocks over one descriptor have the same pages', () => {
    const memory = memfd(10);
    const other = Memory.new_from_fd(memory.get_fd()[0], 2, 5, FdFlags.NONE);
    memory.withMap(WRITE, data => data.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    deepEqual(contentOf(other), [2, 3, 4, 5, 6]);
    other.withMap(WRITE, data => data.fill(0x51));
    deepEqual(contentOf(memory), [0, 1, 0x51, 0x51, 0x51, 0x51, 0x51, 7, 8, 9]);
});

test('a block over a file', () => {
    withFile([1, 2, 3, 4, 5], (path, fd) => {
        const memory = Memory.new_from_fd(fd, 0, -1, FdFlags.NONE);
        ok(memory.is_type('fd'));
        ok(!memory.is_stable());
        deepEqual(contentOf(memory), [1, 2, 3, 4, 5]);
        memory.write(1, [7, 8]);
        deepEqual([...GLib.file_get_contents(path)[1]], [1, 7, 8, 4, 5]);

        const copy = Memory.new_from_fd(fd, 0, -1, FdFlags.PRIVATE);
        copy.fill(0, -1, 9);
        deepEqual(contentOf(memory), [1, 7, 8, 4, 5]);
        throwsError(() => Memory.new_from_fd(fd, 0, -1, FdFlags.STABLE), MemoryError.NOT_SUPPORTED, /5 bytes/);
    });
});

test('a file that was truncated is an error', () => {
    withFile(new Uint8Array(10000), (path, fd, stream) => {
        const memory = Memory.new_from_fd(fd, 0, -1, FdFlags.NONE);
        const share = memory.share(0, -1);
        stream.output_stream.truncate(10, null);
        throwsError(() => memory.map(READ), MemoryError.OUT_OF_RANGE, /truncated to 10 bytes.*10000/);
        throwsError(() => share.map(READ), MemoryError.OUT_OF_RANGE, /truncated/);
        throwsError(() => memory.copy(0, -1), MemoryError.OUT_OF_RANGE, /truncated/);
        throwsError(() => [...memory], MemoryError.OUT_OF_RANGE, /truncated/);
        equal(memory.describe_lock(), '1 share alive');
    });
});

test('a block to read only', () => {
    const memory = memfd(4);
    memory.write(0, [1, 2, 3, 4]);
    const readonly = Memory.new_from_fd(memory.get_fd()[0], 0, 4, FdFlags.READONLY);
    throwsError(() => readonly.map(WRITE), MemoryError.READ_ONLY, /4 bytes/);
    // Who writes nevertheless does it to himself.
    readonly.withMap(READ, data => data.fill(9));
    deepEqual(contentOf(memory), [1, 2, 3, 4]);
});

test('sealed against writing', () => {
    const memory = memfd(4);
    memory.fill(0, -1, 7);
    const info = memory.map(READ);
    throwsError(() => memory.add_seals(Seals.WRITE), MemoryError.BUSY, /1 READ map/);
    info.unmap();
    memory.add_seals(Seals.WRITE);
    ok((memory.get_seals() & Seals.WRITE) !== 0);
    ok((memory.get_flags() & MemoryFlags.READONLY) !== 0);
    throwsError(() => memory.map(WRITE), MemoryError.READ_ONLY, /4 bytes/);
    memory.withMap(READ, data => data.fill(9));
    const [fd] = memory.get_fd();
    deepEqual([...GLib.file_get_contents(`/proc/self/fd/${fd}`)[1].slice(0, 4)], [7, 7, 7, 7]);
});

test('the descriptor is taken, or duplicated', () => {
    const before = countDescriptors();
    const memory = memfd(10);
    const taken = Memory.new_from_fd(memory.dup_fd(), 0, 10, FdFlags.TAKE);
    equal(countDescriptors(), before + 2);
    taken.close();
    memory.close();
    // They go with their wrappers, when the collector has come; here they are counted only.
    ok(taken.is_closed());
});

test('what can not be mapped', () => {
    throwsError(() => Memory.new_from_fd(-1, 0, 1, FdFlags.NONE), MemoryError.CLOSED, /-1/);
    const memory = memfd(10);
    const [fd] = memory.get_fd();
    throwsError(() => Memory.new_from_fd(fd, 0, 10000, FdFlags.NONE), MemoryError.OUT_OF_RANGE, /10000.*10 bytes/);
    throws(() => Memory.new_from_fd(fd, 0, 1, 1 << 10));
    for (const rubbish of [NaN, 1.5, 'x', null, {}])
        throws(() => Memory.new_from_fd(fd, rubbish, 1, FdFlags.NONE));
});

test('all of a file, if nothing else is said', () => {
    withFile([1, 2, 3, 4, 5], (path, fd) => {
        deepEqual(contentOf(Memory.new_from_fd(fd)), [1, 2, 3, 4, 5]);
        deepEqual(contentOf(Memory.newFromFd(fd, 2)), [3, 4, 5]);
        deepEqual(contentOf(Memory.new_from_fd(fd, 2, 2)), [3, 4]);
    });
});

test('what is borrowed is not closed', () => {
    const memory = memfd(10);
    const [fd] = memory.get_fd();
    equal(Memory.new_from_fd(fd, 0, -1, FdFlags.BORROW).get_fd()[0], fd);
    throwsError(() => Memory.new_from_fd(fd, 0, -1, FdFlags.BORROW | FdFlags.TAKE), MemoryError.NOT_SUPPORTED, /0x11/);
});

// A script has few descriptors, and the collector does not know of them. In a process of
// its own, which has fewer still.
if (isZeroCopy) {
    test('blocks that were dropped give their descriptors back', () => {
        const program = `
            imports.gi.versions.Quire = '1.0';
            const {Quire} = imports.gi;
            const allocator = Quire.Allocator.find('memfd');
            const kept = allocator.alloc(1, null);
            for (let i = 0; i < 300; i++) {
                allocator.alloc(1, null);
                Quire.Memory.new_from_fd(kept.get_fd()[0]);
                Quire.Memory.new_from_fd(kept.dup_fd(), 0, -1, Quire.FdFlags.TAKE);
            }
            const all = [];
            try {
                while (true)
                    all.push(allocator.alloc(1, null));
            } catch (error) {
                print(all.length > 50 && error.matches(Quire.MemoryError, Quire.MemoryError.NO_SPACE));
            }`;
        const gjs = GLib.file_read_link('/proc/self/exe');
        const process = Gio.Subprocess.new(['sh', '-c', 'ulimit -n 100 && exec "$@"', 'sh', gjs, '-c', program],
            Gio.SubprocessFlags.STDOUT_PIPE);
        equal(process.communicate_utf8(null, null)[1], 'true\n');
    });
}

// Without the helper the collector is not told how large they are.
if (isNative) {
    test('large blocks that were dropped are collected in time', () => {
        const before = residentSize();
        let largest = 0;
        for (let i = 0; i < 100; i++) {
            memfd(4 << 20).fill(0, -1, 1);
            largest = Math.max(largest, residentSize() - before);
        }
        ok(largest < 200 << 20, `${largest}`);
    });
}

test('a closed handle', () => {
    const memory = memfd(10);
    memory.close();
    for (const method of ['get_fd', 'dup_fd', 'get_seals', 'is_stable'])
        throwsError(() => memory[method](), MemoryError.CLOSED, /closed/);
    throwsError(() => memory.add_seals(Seals.GROW), MemoryError.CLOSED, /closed/);
});

test('there is nothing to allocate over descriptors', () => {
    throwsError(() => Quire.Allocator.find('fd').alloc(10, null), MemoryError.NOT_SUPPORTED, /from_fd/);
});

finish();
