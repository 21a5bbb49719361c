// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Which shares lie side by side, so that they merge without a copy. A script sees
// no address: parent and offset tell where a memory is.
//
//     gjs -m span.js

import Quire from 'gi://Quire?version=1.0';
import System from 'system';

const {READ, WRITE} = Quire.MapFlags;

const SIZE = 1000;

let failures = 0;

// What is promised is checked as it is shown.
function check(promise, what) {
    if (!promise) {
        failures++;
        print(`  NOT SO: ${what}`);
    }
}

// A block that counts up from first.
function countingBlock(first) {
    const memory = Quire.Memory.new(SIZE);
    const info = memory.map(WRITE);
    info.data.forEach((_, i, data) => {
        data[i] = first + i;
    });
    memory.unmap(info);
    return memory;
}

function bytesOf(memory) {
    const info = memory.map(READ);
    const bytes = Array.from(info.data);
    memory.unmap(info);
    return bytes;
}

// Whether memory is the range of parent's data that begins there. Each name of a
// block is a JavaScript object of its own, so parents are not compared with ===;
// but what continues an empty share of the parent has the same one.
function isInPlace(memory, parent, begin) {
    const [span, offset] = parent.share(begin, 0).is_span(memory);
    return memory.get_parent() !== null && span && offset === parent.get_sizes()[1] + begin;
}

// Shares a range of each parent, asks whether they are a span, and merges them.
// Returns how many bytes the merge of a span copied; of anything else, 0.
function show(what, parents, ranges, expected) {
    const [parent] = parents;
    const [[begin]] = ranges;
    const [first, second] = ranges.map(([from, to], i) => parents[i].share(from, to - from));

    const [span, offset] = first.is_span(second);
    const [merged, copied] = first.merge(second);
    const inPlace = isInPlace(merged, parent, begin);

    const shown = ranges.map(([from, to]) => `${`${from}`.padStart(5)}..${`${to}`.padEnd(4)}`);
    print(`  ${what.padEnd(20)}${shown.join('')}   ${(span ? 'yes' : 'no').padEnd(5)} ` +
        `${(inPlace ? 'in place' : 'elsewhere').padEnd(10)} ${copied}`);

    const bytes = [...bytesOf(first), ...bytesOf(second)];
    check(span === expected, 'this is what the rules say');
    check(offset === (span ? parent.get_sizes()[1] + begin : 0),
        'a span begins where its first share does');
    check(inPlace === span, 'a span stays where it is, and nothing else does');
    check(copied === (span ? 0 : bytes.length), 'a span copies nothing');
    check(bytesOf(merged).join() === bytes.join(), 'the merged block has the bytes of both');

    return span ? copied : 0;
}

const memory = countingBlock(0);
const other = countingBlock(100);
const window = memory.share(500, -1);
let copied = 0;

print(`Two shares of a block of ${SIZE} bytes\n`);
print(`  ${''.padEnd(20)}  first      second      span  merged     bytes copied`);

copied += show('adjacent', [memory, memory], [[0, 400], [400, 1000]], true);
copied += show('adjacent, inside', [memory, memory], [[100, 300], [300, 350]], true);
copied += show('shares of a share', [window, window], [[0, 100], [100, 200]], true);
copied += show('share and its share', [memory, window], [[400, 500], [0, 100]], true);
show('gap of 10', [memory, memory], [[0, 100], [110, 210]], false);
show('overlap of 10', [memory, memory], [[0, 100], [90, 190]], false);
show('reversed', [memory, memory], [[100, 200], [0, 100]], false);
show('other parents', [memory, other], [[0, 100], [100, 200]], false);

check(!memory.is_span(other)[0], 'two blocks that are no shares are no span');

print('\nBy all that are a span:');
print(`bytes copied: ${copied}`);
print(failures === 0 ? 'ok' : 'failed');
System.exit(failures === 0 ? 0 : 1);
