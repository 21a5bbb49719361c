// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Blocks that are handed over a Unix socket.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {contentOf} from './blocks.js';
import {isNative} from './mode.js';
import {deepEqual, equal, finish, test, throws, throwsError} from './tap.js';

const {FdFlags, MapFlags, Memory, MemoryError} = Quire;
const {READ, WRITE} = MapFlags;

// Two ends of a connection: GJS knows no socketpair().
function connect() {
    const path = `${GLib.get_tmp_dir()}/quire-${GLib.uuid_string_random()}`;
    const address = Gio.UnixSocketAddress.new(path);
    const listener = new Gio.SocketListener();
    listener.add_address(address, Gio.SocketType.STREAM, Gio.SocketProtocol.DEFAULT, null);
    const here = new Gio.SocketClient().connect(address, null);
    const [there] = listener.accept(null);
    listener.close();
    GLib.unlink(path);
    return [here, there];
}

const [here, there] = connect();

function memfd(size) {
    return Quire.Allocator.find('memfd').alloc(size, null);
}

function handOver(memory, flags = FdFlags.NONE) {
    memory.send(here, null);
    return Memory.receive(there, flags, null);
}

test('the same pages arrive', () => {
    const memory = memfd(10000);
    const received = handOver(memory);
    equal(received.length, 10000);
    memory.withMap(WRITE, data => (data[5000] = 0x51));
    equal(received.withMap(READ, data => data[5000]), 0x51);
    received.withMap(WRITE, data => (data[9999] = 0x52));
    equal(memory.withMap(READ, data => data[9999]), 0x52);
});

test('what changes shows in a view that is open', () => {
    const memory = memfd(4096);
    const received = handOver(memory, FdFlags.READONLY | FdFlags.STABLE);
    // Without the helper, what is read-only is looked at as a copy.
    received.withMap(READ, data => {
        memory.fill(0, -1, 7);
        equal(data[4095], isNative ? 7 : 0);
    });
});

test('a share arrives read-only', () => {
    const memory = memfd(8);
    memory.write(0, [1, 2, 3, 4, 5, 6, 7, 8]);
    const received = handOver(memory.share(2, 3));
    deepEqual(contentOf(received), [3, 4, 5]);
    throwsError(() => received.map(WRITE), MemoryError.READ_ONLY, /3 bytes/);
});

test('what a script writes where it may only read stays with it', () => {
    const memory = memfd(100);
    memory.fill(0, -1, 1);
    const received = handOver(memory, FdFlags.READONLY);
    received.withMap(READ, data => data.fill(2));
    equal(memory.withMap(READ, data => data[0]), 1);
});

test('what has no descriptor is not sent', () => {
    throwsError(() => Memory.new(10).send(here, null), MemoryError.NOT_SUPPORTED, /10 bytes.*system/);
});

test('a closed handle is not sent', () => {
    const memory = memfd(10);
    memory.close();
    throwsError(() => memory.send(here, null), MemoryError.CLOSED, /closed/);
});

test('flags that make no sense', () => {
    throwsError(() => Memory.receive(there, FdFlags.TAKE, null), MemoryError.NOT_SUPPORTED, /0x/);
});

test('what is no connection', () => {
    const memory = memfd(10);
    for (const rubbish of [null, undefined, 1, 'here', memory, {}]) {
        throws(() => memory.send(rubbish, null));
        throws(() => Memory.receive(rubbish, FdFlags.NONE, null));
    }
});

test('without blocking', () => {
    const loop = GLib.MainLoop.new(null, false);
    const memory = memfd(3);
    memory.write(0, [7, 8, 9]);
    let received, error;
    Memory.receive_async(there, FdFlags.NONE, null, (source, result) => {
        try {
            received = Memory.receive_finish(result);
        } catch (caught) {
            error = caught;
        }
        loop.quit();
    });
    memory.send_async(here, null, (source, result) => Memory.send_finish(result));
    loop.run();
    equal(error, undefined);
    deepEqual(contentOf(received), [7, 8, 9]);
});

test('rubbish on the connection', () => {
    here.get_output_stream().write_all(new Uint8Array(32), null);
    throwsError(() => Memory.receive(there, FdFlags.NONE, null), MemoryError.FAILED, /no message/);
});

test('the end of the connection', () => {
    here.close(null);
    throwsError(() => Memory.receive(there, FdFlags.NONE, null), MemoryError.CLOSED, /connection/);
});

finish();
