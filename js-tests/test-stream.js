// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Reading from a stream straight into a block.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

import {
    blockOf, contentOf, countingBlock, paddedBlock, refusalOfRange, residentSize,
} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE} = MapFlags;

function streamOf(...bytes) {
    return Gio.MemoryInputStream.new_from_bytes(new GLib.Bytes(bytes));
}

// Calls fn with a file that has these bytes.
function withFile(bytes, fn) {
    const [file, stream] = Gio.File.new_tmp('quire-XXXXXX');
    try {
        stream.output_stream.write_all(bytes, null);
        stream.close(null);
        fn(file);
    } finally {
        file.delete(null);
    }
}

test('a stream is read to the end of the block', () => {
    const memory = Quire.Memory.new(4);
    const stream = streamOf(1, 2, 3, 4, 5, 6);
    equal(memory.read_from_stream(0, -1, stream, null), 4);
    deepEqual(contentOf(memory), [1, 2, 3, 4]);
    equal(memory.describe_lock(), 'free');

    // The rest is still in the stream.
    equal(memory.read_from_stream(0, 2, stream, null), 2);
    deepEqual(contentOf(memory), [5, 6, 3, 4]);
});

test('a stream is read to a place in the block', () => {
    const memory = countingBlock(8);
    equal(memory.read_from_stream(2, 3, streamOf(21, 22, 23, 24), null), 3);
    deepEqual(contentOf(memory), [0, 1, 21, 22, 23, 5, 6, 7]);
    equal(memory.read_from_stream(7, -1, streamOf(31, 32), null), 1);
    deepEqual(contentOf(memory), [0, 1, 21, 22, 23, 5, 6, 31]);
});

test('the place counts from the data', () => {
    const memory = paddedBlock(4, 4, 4);
    memory.fill(0, -1, 0);
    memory.read_from_stream(1, 2, streamOf(1, 2), null);
    deepEqual(contentOf(memory), [0, 1, 2, 0]);
});

test('a stream that ends early is no error, and the count tells', () => {
    const memory = countingBlock(8);
    const stream = streamOf(11, 12, 13);
    equal(memory.read_from_stream(0, -1, stream, null), 3);
    deepEqual(contentOf(memory), [11, 12, 13, 3, 4, 5, 6, 7]);
    equal(memory.read_from_stream(0, -1, stream, null), 0);
    deepEqual(contentOf(memory), [11, 12, 13, 3, 4, 5, 6, 7]);
});

test('nothing is read where nothing is asked for', () => {
    const memory = countingBlock(2);
    const stream = streamOf(9);
    equal(memory.read_from_stream(0, 0, stream, null), 0);
    equal(memory.read_from_stream(2, -1, stream, null), 0);
    equal(Quire.Memory.new(0).read_from_stream(0, -1, stream, null), 0);
    equal(memory.read_from_stream(0, 1, stream, null), 1);
    deepEqual(contentOf(memory), [9, 1]);
});

test('a file is read into a block', () => {
    const bytes = Uint8Array.from({length: 100000}, (_, i) => i * 7);
    withFile(bytes, file => {
        const memory = Quire.Memory.new(bytes.length);
        const stream = file.read(null);
        equal(memory.read_from_stream(0, 60000, stream, null), 60000);
        equal(memory.read_from_stream(60000, -1, stream, null), 40000);
        equal(memory.read_from_stream(0, -1, stream, null), 0);
        stream.close(null);
        equal(memory.compare(blockOf(bytes)), 0);
    });
});

test('a file is read without a buffer between', () => {
    const size = 64 << 20;
    const memory = Quire.Memory.new(size);
    memory.fill(0, -1, 0xff);
    const before = residentSize();
    const stream = Gio.File.new_for_path('/dev/zero').read(null);
    equal(memory.read_from_stream(0, -1, stream, null), size);
    ok(residentSize() - before < 16 << 20, `${residentSize() - before} bytes more`);
    deepEqual(contentOf(memory, size - 2), [0, 0]);
});

test('what comes in pieces is read to the end', () => {
    const process = Gio.Subprocess.new(['sh', '-c', 'for i in 1 2 3 4; do printf $i; sleep 0.02; done'],
        Gio.SubprocessFlags.STDOUT_PIPE);
    const memory = countingBlock(6);
    equal(memory.read_from_stream(1, -1, process.get_stdout_pipe(), null), 4);
    deepEqual(contentOf(memory), [0, 49, 50, 51, 52, 5]);
    ok(process.wait(null));
});

test('ranges out of the block are refused, and nothing is read', () => {
    const memory = countingBlock(4);
    const stream = streamOf(9, 9, 9, 9, 9);
    for (const [offset, size] of [
        [5, 0], [5, -1], [0, 5], [4, 1], [1, 4], [0, -2],
        [2n ** 64n - 1n, 1], [2 ** 32, 1], [0, 2n ** 63n - 1n], [0, -(2n ** 63n)],
    ]) {
        throwsError(() => memory.read_from_stream(offset, size, stream, null), MemoryError.OUT_OF_RANGE,
            refusalOfRange(offset, size, 'of 4$'));
    }
    deepEqual(contentOf(memory), [0, 1, 2, 3]);
    equal(memory.describe_lock(), 'free');
    equal(stream.tell(), 0);
});

test('what may not be written is not read into', () => {
    const stream = streamOf(9, 9, 9, 9);
    const memory = countingBlock(4);

    const info = memory.map(READ);
    throwsError(() => memory.read_from_stream(0, -1, stream, null), MemoryError.BUSY,
        /4 bytes refuses WRITE: 1 READ map/);
    memory.unmap(info);

    const share = memory.share(0, -1);
    throwsError(() => share.read_from_stream(0, -1, stream, null), MemoryError.READ_ONLY, /4 bytes/);
    throwsError(() => memory.read_from_stream(0, -1, stream, null), MemoryError.BUSY, /1 share alive/);
    throwsError(() => paddedBlock(4, 0, 0, MemoryFlags.NOT_MAPPABLE).read_from_stream(0, -1, stream, null),
        MemoryError.NOT_MAPPABLE, /4 bytes/);
    deepEqual(contentOf(memory), [0, 1, 2, 3]);
    equal(stream.tell(), 0);
});

test('an error of the stream is the error, and the lock is given back', () => {
    const memory = countingBlock(4);
    const stream = streamOf(1, 2);
    stream.close(null);
    let error = throws(() => memory.read_from_stream(0, -1, stream, null));
    ok(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED), `${error}`);

    const directory = Gio.File.new_for_path('/');
    error = throws(() => memory.read_from_stream(0, -1, directory.read(null), null));
    ok(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.IS_DIRECTORY), `${error}`);

    deepEqual(contentOf(memory), [0, 1, 2, 3]);
    equal(memory.describe_lock(), 'free');
    memory.fill(0, -1, 0);
});

// GJS calls no function of a script between the slices of a collection. After this there is
// none under way.
function endCollections() {
    System.gc();
    System.gc();
}

test('an exception in a stream written in JavaScript comes through', () => {
    const Failing = GObject.registerClass(class Failing extends Gio.InputStream {
        vfunc_read_fn() {
            throw new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, 'too late');
        }
    });
    const memory = countingBlock(4);
    endCollections();
    const error = throws(() => memory.read_from_stream(0, -1, new Failing(), null));
    ok(/too late/.test(`${error}`), `${error}`);
    equal(memory.describe_lock(), 'free');
});

test('the block is locked while the stream is read', () => {
    const memory = countingBlock(4);
    let state = null;
    const Curious = GObject.registerClass(class Curious extends Gio.InputStream {
        vfunc_read_fn() {
            state = memory.describe_lock();
            return 0;
        }
    });
    endCollections();
    equal(memory.read_from_stream(0, -1, new Curious(), null), 0);
    equal(state, '1 WRITE map');
    equal(memory.describe_lock(), 'free');
});

test('a cancellable stops it', () => {
    const cancellable = new Gio.Cancellable();
    withFile(Uint8Array.of(1, 2, 3, 4), file => {
        const memory = countingBlock(4);
        const stream = file.read(null);
        cancellable.cancel();
        const error = throws(() => memory.read_from_stream(0, -1, stream, cancellable));
        ok(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED), `${error}`);
        deepEqual(contentOf(memory), [0, 1, 2, 3]);
        equal(memory.describe_lock(), 'free');

        cancellable.reset();
        equal(memory.read_from_stream(0, -1, stream, cancellable), 4);
        deepEqual(contentOf(memory), [1, 2, 3, 4]);
    });
});

test('what is no stream is refused', () => {
    const memory = countingBlock(4);
    for (const stream of [null, undefined, 5, 'stream', {}, new Gio.Cancellable(), memory])
        throws(() => memory.read_from_stream(0, -1, stream, null));
    for (const cancellable of [5, 'x', {}, streamOf(1)])
        throws(() => memory.read_from_stream(0, -1, streamOf(1), cancellable));
    throws(() => memory.read_from_stream(0, -1));
    equal(memory.describe_lock(), 'free');
    deepEqual(contentOf(memory), [0, 1, 2, 3]);
});

test('what was read can be mapped to write', () => {
    const memory = Quire.Memory.new(3);
    memory.read_from_stream(0, -1, streamOf(1, 2, 3), null);
    const info = memory.map(WRITE);
    deepEqual(info.data, [1, 2, 3]);
    memory.unmap(info);
});

finish();
