// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// What maps cost in JavaScript, beside what else a script could do:
//
//     gjs -m bench-gjs.js [ROUNDS]
//
// All cases take turns in one run, so that a machine that is busy is so for all of them.
// What is told is the median over the rounds. The result is a table in Markdown.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

const {READ, READWRITE} = Quire.MapFlags;

const KIB = 1024;
const MIB = 1024 * KIB;

// How long a case runs in a round, in microseconds.
const SLICE = 3000;

const rounds = Number(ARGV[0] ?? 41);
const cases = [];

// A case is a function that does something many times.
function add(name, size, run) {
    cases.push({name, size, run, times: [], count: 1});
}

function addQuire(size, name) {
    const memory = new Quire.Memory(size);

    add('map, data, unmap', name, count => {
        for (let i = 0; i < count; i++) {
            const info = memory.map(READWRITE);
            info.data[0] = i;
            memory.unmap(info);
        }
    });
    add('map, unmap', name, count => {
        for (let i = 0; i < count; i++)
            memory.unmap(memory.map(READ));
    });
    add('withMap', name, count => {
        const callback = data => { data[0] = 1; };
        for (let i = 0; i < count; i++)
            memory.withMap(READWRITE, callback);
    });
    // Where close() waits for the collector, the shares would keep the block from being
    // written.
    const shared = new Quire.Memory(size);
    add('share, close', name, count => {
        for (let i = 0; i < count; i++)
            shared.share(0, -1).close();
    });
}

// What the same takes in GStreamer, whose data is a copy in JavaScript.
async function addGstreamer(size, name) {
    let Gst;
    try {
        Gst = (await import('gi://Gst?version=1.0')).default;
    } catch {
        return;
    }
    Gst.init(null);
    const memory = Gst.Allocator.find(null).alloc(size, null);
    add('GStreamer: map, data, unmap', name, count => {
        for (let i = 0; i < count; i++) {
            const [, info] = memory.map(Gst.MapFlags.READWRITE);
            info.data[0] = i;
            memory.unmap(info);
        }
    });
}

function addArray(size, name) {
    add('new Uint8Array', name, count => {
        for (let i = 0; i < count; i++)
            new Uint8Array(size)[0] = i;
    });
}

function median(values) {
    return values.sort((a, b) => a - b)[values.length >> 1];
}

// Runs a case for about a slice, and gives the nanoseconds that each time took.
function measure(run, count) {
    const start = GLib.get_monotonic_time();
    run(count);
    return (GLib.get_monotonic_time() - start) * 1000 / count;
}

// Finds how often a case runs in a slice. The first times are slow: pages are touched,
// code is compiled.
function calibrate(each) {
    for (let warm = 0; warm < 3; warm++) {
        let ns = measure(each.run, each.count);
        while (ns * each.count < SLICE * 1000 / 2) {
            each.count *= 2;
            ns = measure(each.run, each.count);
        }
        each.count = Math.max(1, Math.round(SLICE * 1000 / ns));
    }
}

function format(ns) {
    return ns < 10000 ? `${Math.round(ns)} ns` : ns < 1e7 ? `${(ns / 1000).toFixed(1)} µs` : `${(ns / 1e6).toFixed(1)} ms`;
}

add('an introspected call', '', count => {
    for (let i = 0; i < count; i++)
        Quire.Allocator.get_default_align();
});
for (const [size, name] of [[4 * KIB, '4 KiB'], [256 * MIB, '256 MiB']]) {
    addQuire(size, name);
    addArray(size, name);
    await addGstreamer(size, name);
}

cases.forEach(calibrate);
for (let round = 0; round < rounds; round++) {
    for (const each of cases) {
        each.times.push(measure(each.run, each.count));
        // What one case drops is no work for the next one.
        if (round % 4 === 0)
            System.gc();
    }
}

const [call] = cases.map(each => median(each.times));
print(`| what (${rounds} rounds, zero copy: ${Quire.zeroCopy}) | size | median | least | of an introspected call |`);
print('| --- | --- | --- | --- | --- |');
for (const {name, size, times} of cases) {
    const middle = median(times);
    print(`| ${name} | ${size} | ${format(middle)} | ${format(times[0])} | ${(middle / call).toFixed(2)} |`);
}
