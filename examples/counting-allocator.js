// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// An allocator in a few lines of JavaScript: it knows how much is allocated, and lets a
// program have no more than it wants to give.

import GObject from 'gi://GObject';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

const {READ, WRITE} = Quire.MapFlags;

let failures = 0;

// What is promised is checked as it is shown.
function check(promise, what) {
    if (!promise) {
        failures++;
        print(`  NOT SO: ${what}`);
    }
}

const Counting = GObject.registerClass(class Counting extends Quire.Allocator {
    _init(limit) {
        super._init();
        this.limit = limit;
        this.used = 0;
        this.most = 0;
        this.blocks = 0;
        this.maps = {now: 0, all: 0};
    }

    vfunc_alloc(size, {prefix, padding, align}) {
        const whole = prefix + size + padding + align;
        if (this.used + whole > this.limit)
            throw new RangeError(`${whole} bytes are wanted, ${this.limit - this.used} are left`);

        // The state, any value, is what comes back when the block is gone.
        const block = this.bind(Quire.Memory.new(whole), {whole});
        this.used += whole;
        this.most = Math.max(this.most, this.used);
        this.blocks++;
        return block;
    }

    vfunc_mapped() {
        this.maps.now++;
        this.maps.all++;
    }

    vfunc_unmapped() {
        this.maps.now--;
    }

    vfunc_released({whole}) {
        this.used -= whole;
        this.blocks--;
    }

    show(what) {
        print(`  ${what.padEnd(24)} ${`${this.blocks}`.padStart(2)} blocks, ${`${this.used}`.padStart(5)} bytes, ` +
            `${this.maps.now} of ${this.maps.all} maps stand`);
    }
});

// What is dropped here is gone when the collector has come.
function work(counting) {
    const memory = counting.alloc(1000);
    memory.withMap(WRITE, data => data.fill(7));
    counting.show('a block, filled');

    const info = memory.map(READ);
    counting.show('mapped');
    check(counting.maps.now === 1 && info.data.every(byte => byte === 7), 'the map stands, and shows it');
    info.unmap();

    // In a loop: the engine may keep a function that was just called, and what that knows.
    const shares = [];
    for (let begin = 0; begin < 1000; begin += 250)
        shares.push(memory.share(begin, 250));
    const [merged, copied] = Quire.Memory.merge_list(shares);
    check(copied === 0 && merged.length === 1000, 'shares are merged in place, whoever made the block');
    counting.show('shared and merged');

    for (let i = 0; i < 9; i++)
        counting.alloc(500, new Quire.AllocationParams({align: 63}));
    counting.show('nine more');
    return memory;
}

function refuse(counting) {
    try {
        counting.alloc(5000);
        check(false, 'this is too much');
    } catch (error) {
        print(`  ${'refused'.padEnd(24)} ${error}`);
        check(error instanceof RangeError, 'what is thrown is what the caller catches');
    }
}

function collect(counting) {
    System.gc();
    // What has ended while the collector was at work is told now; a main loop does it, too.
    Quire.Allocator.dispatch();
    counting.show('after the collector');
}

function main(counting) {
    const memory = work(counting);
    refuse(counting);
    collect(counting);
    check(counting.blocks === 1 && counting.used === 1000, 'only what is kept is left');
    check(memory.read(999, 1).toArray()[0] === 7, 'and it is as it was');
}

print('A program may have 8000 bytes\n');
const counting = new Counting(8000);
main(counting);
collect(counting);
check(counting.blocks === 0 && counting.used === 0 && counting.maps.now === 0, 'nothing is left');
print(`\n  at most ${counting.most} bytes\n`);

print(failures === 0 ? 'ok' : 'failed');
System.exit(failures === 0 ? 0 : 1);
