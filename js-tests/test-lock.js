// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Which maps and locks stand together.

import Quire from 'gi://Quire?version=1.0';

import {collect, paddedBlock} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags} = Quire;
const {READ, WRITE, READWRITE, EXCLUSIVE, UNIQUE} = MapFlags;

// What is held, what is asked, and whether it is granted.
const TABLE = {
    [READ]: {[READ]: true, [WRITE]: false, [READWRITE]: false},
    [WRITE]: {[READ]: false, [WRITE]: true, [READWRITE]: false},
    [READWRITE]: {[READ]: true, [WRITE]: true, [READWRITE]: true},
};
const ACCESS = [READ, WRITE, READWRITE];
// Every request there is: the last one is a lock and no map.
const REQUESTS = [
    ...ACCESS.flatMap(access => [0, EXCLUSIVE, UNIQUE, EXCLUSIVE | UNIQUE].map(more => access | more)),
    EXCLUSIVE,
];

function isGranted(held, asked) {
    const maps = held.filter(flags => flags & READWRITE);
    const writers = maps.filter(flags => flags & WRITE);
    const owners = held.filter(flags => flags & EXCLUSIVE).length;

    if (asked & EXCLUSIVE && owners > 0 && writers.length > 0)
        return false;
    if ((asked & READWRITE) === 0)
        return true;
    if (asked & WRITE && owners + (asked & EXCLUSIVE ? 1 : 0) >= 2)
        return false;
    if (maps.length > 0 && [asked, ...maps].some(flags => flags & UNIQUE))
        return false;

    const kinds = maps.map(flags => flags & READWRITE);
    return kinds.includes(READWRITE) || kinds.every(kind => TABLE[kind][asked & READWRITE]);
}

function take(memory, flags) {
    if (flags === EXCLUSIVE) {
        memory.lock(flags);
        return () => memory.unlock(flags);
    }
    const info = memory.map(flags);
    return () => memory.unmap(info);
}

// Null where it is refused for another reason than that the block is busy.
function tryTake(memory, flags) {
    try {
        return take(memory, flags);
    } catch (error) {
        return error.matches(MemoryError, MemoryError.BUSY) ? undefined : null;
    }
}

function words(flags) {
    return Object.entries({READ, WRITE, EXCLUSIVE, UNIQUE})
        .filter(([, bit]) => flags & bit).map(([name]) => name).join('+');
}

// Asks for everything while this is held; tells where the answer is wrong.
function askAll(memory, held, wrong) {
    for (const asked of REQUESTS) {
        const release = tryTake(memory, asked);
        release?.();
        if (release === null || (release !== undefined) !== isGranted(held, asked))
            wrong.push(`${held.map(words)} held, ${words(asked)} ${release ? 'granted' : 'refused'}`);
    }
    return REQUESTS.length;
}

test('the table of the locks, every request in every state of up to three', () => {
    const memory = Quire.Memory.new(8);
    const wrong = [];
    let states = 0, answers = 0;

    const visit = (held, releases) => {
        states++;
        answers += askAll(memory, held, wrong);
        if (held.length === 3)
            return;
        for (const flags of REQUESTS.filter(asked => isGranted(held, asked))) {
            const release = tryTake(memory, flags);
            if (release) {
                visit([...held, flags], [...releases, release]);
                release();
            }
        }
    };
    visit([], []);

    deepEqual(wrong, []);
    equal(memory.describe_lock(), 'free');
    ok(states > 100 && answers === states * REQUESTS.length, `${states} states, ${answers} answers`);
});

test('what stands now decides, whatever stood before', () => {
    const memory = Quire.Memory.new(8);
    const wrong = [];
    let states = 0;

    // Three are taken, one is dropped, and that in every order.
    for (const first of REQUESTS) {
        for (const second of REQUESTS) {
            for (const third of REQUESTS) {
                const held = [], releases = [];
                for (const flags of [first, second, third]) {
                    const release = tryTake(memory, flags);
                    if (release) {
                        held.push(flags);
                        releases.push(release);
                    }
                }
                const dropped = states++ % held.length;
                releases[dropped]();
                releases.splice(dropped, 1);
                held.splice(dropped, 1);
                askAll(memory, held, wrong);
                releases.forEach(release => release());
            }
        }
    }

    deepEqual(wrong, []);
    equal(states, REQUESTS.length ** 3);
    equal(memory.describe_lock(), 'free');
});

test('READ+WRITE held, READ taken, READ+WRITE dropped: WRITE is busy', () => {
    const memory = Quire.Memory.new(8);
    const both = memory.map(READWRITE);
    const read = memory.map(READ);
    memory.unmap(both);
    throwsError(() => memory.map(WRITE), MemoryError.BUSY, /8 bytes refuses WRITE: 1 READ map$/);
    memory.unmap(read);
    memory.unmap(memory.map(WRITE));
    equal(memory.describe_lock(), 'free');
});

test('every refusal says what was asked, and what stands', () => {
    const memory = Quire.Memory.new(24);
    const infos = [memory.map(READ), memory.map(READ)];
    throwsError(() => memory.map(READWRITE), MemoryError.BUSY, /24 bytes refuses READ\+WRITE: 2 READ maps$/);
    throwsError(() => memory.map(READ | UNIQUE), MemoryError.BUSY, /refuses READ\+UNIQUE: 2 READ maps$/);
    equal(memory.describe_lock(), '2 READ maps');
    infos.forEach(info => memory.unmap(info));

    const unique = memory.map(READWRITE | UNIQUE);
    throwsError(() => memory.map(READ), MemoryError.BUSY, /refuses READ: 1 READ\+WRITE map \(UNIQUE\)$/);
    memory.unmap(unique);

    memory.lock(EXCLUSIVE);
    memory.lock(EXCLUSIVE);
    throwsError(() => memory.map(WRITE), MemoryError.BUSY, /refuses WRITE: 2 owners$/);
    memory.unlock(EXCLUSIVE);
    memory.unlock(EXCLUSIVE);
    equal(memory.describe_lock(), 'free');
});

test('flags that ask for nothing, or for what there is not, are refused', () => {
    const memory = Quire.Memory.new(8);
    for (const flags of [0, EXCLUSIVE, UNIQUE, EXCLUSIVE | UNIQUE, MapFlags.LAST])
        throwsError(() => memory.map(flags), MemoryError.NOT_SUPPORTED, new RegExp(`0x${flags.toString(16)} ask`));
    for (const flags of [0, UNIQUE, EXCLUSIVE | UNIQUE])
        throwsError(() => memory.lock(flags), MemoryError.NOT_SUPPORTED, /neither READ nor WRITE/);
    equal(memory.describe_lock(), 'free');
});

test('a bit for an allocator of its own does not disturb', () => {
    const memory = Quire.Memory.new(8);
    const info = memory.map(READ | MapFlags.LAST);
    equal(info.flags, READ | MapFlags.LAST);
    memory.unmap(info);
    equal(memory.describe_lock(), 'free');
});

test('a lock is a map without a map', () => {
    const memory = Quire.Memory.new(8);
    memory.lock(READ);
    equal(memory.describe_lock(), '1 READ map');
    throwsError(() => memory.map(WRITE), MemoryError.BUSY, /1 READ map$/);
    memory.unlock(READ);
    memory.lock(READWRITE | UNIQUE);
    throwsError(() => memory.map(READ), MemoryError.BUSY, /UNIQUE/);
    memory.unlock(READWRITE | UNIQUE);
    equal(memory.describe_lock(), 'free');
});

test('what is not held can not be unlocked, and nothing changes', () => {
    const memory = Quire.Memory.new(8);
    for (const flags of [READ, WRITE, READWRITE, READ | UNIQUE, EXCLUSIVE, READ | EXCLUSIVE])
        throwsError(() => memory.unlock(flags), MemoryError.FAILED, /8 bytes has no .* lock to drop: free$/);
    throwsError(() => memory.unlock(0), MemoryError.NOT_SUPPORTED, /0x0/);

    memory.lock(READ);
    for (const flags of [WRITE, READWRITE, READ | UNIQUE, EXCLUSIVE, READ | EXCLUSIVE])
        throwsError(() => memory.unlock(flags), MemoryError.FAILED, /: 1 READ map$/);
    memory.unlock(READ);
    throwsError(() => memory.unlock(READ), MemoryError.FAILED, /no READ lock to drop: free$/);

    memory.lock(WRITE | UNIQUE);
    throwsError(() => memory.unlock(WRITE), MemoryError.FAILED, /UNIQUE/);
    memory.unlock(WRITE | UNIQUE);
    equal(memory.describe_lock(), 'free');
});

// Whoever drops the lock of a mapping by its flags may lose that lock; but the block
// must not be left with a count below zero, nor with one that nobody can drop.
test('a lock that is dropped twice leaves the block usable', () => {
    for (const [flags, dropped] of [
        [READ, READ], [WRITE, WRITE], [READWRITE, READWRITE],
        [READ | EXCLUSIVE, EXCLUSIVE], [WRITE | UNIQUE, WRITE | UNIQUE],
    ]) {
        for (const end of [
            (memory, info) => memory.unmap(info),
            (memory, info) => info.release(),
            () => {},
        ]) {
            const memory = Quire.Memory.new(8);
            (() => {
                const info = memory.map(flags);
                try {
                    memory.unlock(dropped);
                } catch (error) {
                    // That, too, would be an answer.
                }
                try {
                    end(memory, info);
                } catch (error) {
                    ok(error.matches(MemoryError, MemoryError.FAILED), `${error}`);
                }
            })();
            collect();
            equal(memory.describe_lock(), 'free', words(flags));
            memory.unmap(memory.map(WRITE));
        }
    }
});

test('a share waits for the writer to go, and no reader disturbs it', () => {
    const memory = Quire.Memory.new(8);
    for (const flags of [WRITE, READWRITE, WRITE | UNIQUE, WRITE | EXCLUSIVE]) {
        memory.lock(flags);
        throwsError(() => memory.share(0, -1), MemoryError.BUSY, /refuses a share: 1 .*WRITE map/);
        throwsError(() => memory.to_bytes(), MemoryError.BUSY, /refuses a share: 1 .*WRITE map/);
        memory.unlock(flags);
    }
    memory.lock(READ | UNIQUE);
    const share = memory.share(0, -1);
    equal(share.get_sizes()[0], 8);
    equal(memory.describe_lock(), '1 READ map (UNIQUE), 1 share alive');
    memory.unlock(READ | UNIQUE);
});

test('a share has locks of its own', () => {
    const memory = Quire.Memory.new(8);
    const share = memory.share(0, 4), other = memory.share(0, 4);
    share.lock(READ | UNIQUE);
    equal(share.describe_lock(), '1 READ map (UNIQUE)');
    equal(other.describe_lock(), 'free');
    equal(memory.describe_lock(), '2 shares alive');
    memory.unmap(memory.map(READ));
    share.unlock(READ | UNIQUE);
});

test('a read-only block refuses what writes, and leaves its lock alone', () => {
    const memory = paddedBlock(12, 0, 0, MemoryFlags.READONLY);
    for (const flags of [WRITE, READWRITE, WRITE | UNIQUE, WRITE | EXCLUSIVE]) {
        throwsError(() => memory.map(flags), MemoryError.READ_ONLY, /12 bytes is read-only/);
        throwsError(() => memory.lock(flags), MemoryError.READ_ONLY, /12 bytes is read-only/);
    }
    memory.unmap(memory.map(READ));
    equal(memory.describe_lock(), 'free');
});

test('maps nest to a limit, then are refused, then the block can be written again', () => {
    for (const [flags, limit] of [[READ, 4096], [WRITE, 4096], [READWRITE, 4095]]) {
        const memory = Quire.Memory.new(8);
        for (let i = 0; i < limit; i++)
            memory.lock(flags);
        for (let i = 0; i < 3; i++)
            throwsError(() => memory.lock(flags), MemoryError.BUSY, new RegExp(`${limit} .*maps$`));
        throwsError(() => memory.map(flags), MemoryError.BUSY, new RegExp(`${limit} .*maps$`));
        for (let i = 0; i < limit; i++)
            memory.unlock(flags);
        equal(memory.describe_lock(), 'free');
        memory.fill(0, -1, 1);
    }
});

test('owners are counted to a limit', () => {
    const memory = Quire.Memory.new(8);
    for (let i = 0; i < 127; i++)
        memory.lock(EXCLUSIVE);
    throwsError(() => memory.lock(EXCLUSIVE), MemoryError.BUSY, /refuses EXCLUSIVE: 127 owners$/);
    memory.unmap(memory.map(READ));
    for (let i = 0; i < 127; i++)
        memory.unlock(EXCLUSIVE);
    equal(memory.describe_lock(), 'free');
});

test('EXCLUSIVE does not keep a plain WRITE out, UNIQUE does', () => {
    const memory = Quire.Memory.new(8);
    const exclusive = memory.map(WRITE | EXCLUSIVE);
    memory.unmap(memory.map(WRITE));
    memory.unmap(exclusive);

    const unique = memory.map(WRITE | UNIQUE);
    throwsError(() => memory.map(WRITE), MemoryError.BUSY, /refuses WRITE: 1 WRITE map \(UNIQUE\)$/);
    memory.unmap(unique);
    memory.unmap(memory.map(WRITE));
});

finish();
