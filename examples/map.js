// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Which maps of a block go together.
//
//     gjs -m map.js

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

const {READ, WRITE, UNIQUE} = Quire.MapFlags;

const SIZE = 1000;

const ASKED = [
    ['READ', READ],
    ['WRITE', WRITE],
    ['READ+WRITE', READ | WRITE],
    ['READ+UNIQUE', READ | UNIQUE],
];

// What is held, and whether each of what is asked is granted then.
const HELD = [
    ['nothing', null, [true, true, true, true]],
    ['READ', READ, [true, false, false, false]],
    ['WRITE', WRITE, [false, true, false, false]],
    ['READ+WRITE', READ | WRITE, [true, true, true, false]],
    ['READ+UNIQUE', READ | UNIQUE, [false, false, false, false]],
    ['WRITE+UNIQUE', WRITE | UNIQUE, [false, false, false, false]],
];

let failures = 0;
let refusal = null;

// What is promised is checked as it is shown.
function check(promise, what) {
    if (!promise) {
        failures++;
        print(`  NOT SO: ${what}`);
    }
}

// A mapping, or null if another one is in the way.
function tryMap(memory, flags) {
    try {
        return memory.map(flags);
    } catch (error) {
        check(error instanceof GLib.Error &&
            error.matches(Quire.MemoryError, Quire.MemoryError.BUSY),
        'a map is refused because of another one');
        refusal ??= error.message;
        return null;
    }
}

// Tries each map over each other one.
function showTable() {
    const printRow = (name, cells) => print(
        `  ${name.padEnd(12)}  ${cells.map(cell => cell.padEnd(11)).join('  ')}`.trimEnd());

    print('Which maps go together\n');
    printRow('held / asked', ASKED.map(([name]) => name));

    for (const [name, held, expected] of HELD) {
        const memory = Quire.Memory.new(SIZE);
        const first = held !== null ? memory.map(held) : null;

        const granted = ASKED.map(([, flags]) => {
            const second = tryMap(memory, flags);
            if (second !== null)
                memory.unmap(second);
            return second !== null;
        });

        if (first !== null)
            memory.unmap(first);

        printRow(name, granted.map(yes => yes ? 'yes' : 'busy'));
        check(granted.every((yes, i) => yes === expected[i]), 'this is what the rules say');
    }

    print(`\n  A refusal says why: ${refusal}\n`);
}

// Maps a block through two handles. Tells how many got in.
function showHandles(what, flags, expected) {
    const one = Quire.Memory.new(SIZE);
    const temporary = one.map(READ);
    const other = temporary.memory;
    one.unmap(temporary);

    const first = tryMap(one, flags);
    const second = tryMap(other, flags);
    const gotIn = [first, second].filter(mapping => mapping !== null);

    print(`  ${what.padEnd(12)}  ${gotIn.length} of 2 got in`);
    check(gotIn.length === expected, 'so many get in');

    if (gotIn.length === 2) {
        first.data[SIZE - 1] = 11;
        second.data[0] = 22;
        check(first.data[0] === 22 && second.data[SIZE - 1] === 11,
            'both write the same block');
    }

    for (const mapping of gotIn)
        mapping.release();
}

showTable();

print('JavaScript has no threads that share a block; so here two handles map one\n');
showHandles('WRITE', WRITE, 2);
showHandles('WRITE+UNIQUE', WRITE | UNIQUE, 1);
print('');

print(failures === 0 ? 'ok' : 'failed');
System.exit(failures === 0 ? 0 : 1);
