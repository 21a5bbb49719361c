// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// What the tests do with blocks again and again.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

// A block that has these bytes.
export function blockOf(bytes) {
    const memory = Quire.Memory.new(bytes.length);
    memory.write(0, Uint8Array.from(bytes));
    return memory;
}

// A block with 0, 1, 2, … in it.
export function countingBlock(size) {
    return blockOf(Array.from({length: size}, (_, i) => i & 0xff));
}

// A copy of what is in a block, or in a piece of it.
export function contentOf(memory, offset = 0, size = -1) {
    return [...memory.read(offset, size).toArray()];
}

export function paddedBlock(size, prefix, padding, flags = 0) {
    const params = new Quire.AllocationParams();
    params.prefix = prefix;
    params.padding = padding;
    params.flags = flags;
    return Quire.Memory.new_with_params(size, params);
}

// GJS makes a new object each time that it is given a block; whether two are the same
// block shows in the lock that they have in common.
export function isSameBlock(a, b) {
    const before = b.describe_lock();
    a.lock(Quire.MapFlags.EXCLUSIVE);
    const after = b.describe_lock();
    a.unlock(Quire.MapFlags.EXCLUSIVE);
    return before !== after;
}

// The second collection waits for what the first one does in the background.
export function collect() {
    System.gc();
    System.gc();
}

// How much memory the process uses, in bytes.
export function residentSize() {
    const [, content] = GLib.file_get_contents('/proc/self/status');
    return parseInt(/^VmRSS:\s+(\d+) kB$/m.exec(new TextDecoder().decode(content))[1]) * 1024;
}

// How a refusal speaks of a range, which is to the end if its size is -1.
export function refusalOfRange(offset, size, rest) {
    const range = size === -1 ? `from offset ${offset} to the end` : `${size} bytes at offset ${offset}`;
    return new RegExp(` ${range} ${rest}`);
}
