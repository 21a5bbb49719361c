// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Pools: blocks that are used again, and what is done when all are out.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';

import {collect, contentOf} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, MemoryError, MemoryFlags, PoolAllocator} = Quire;
const {READ, READWRITE, WRITE} = MapFlags;

const SIZE = 4096;

function poolOf(maxBlocks = 0, size = SIZE) {
    return PoolAllocator.new(null, size, null, maxBlocks);
}

// How many blocks there are, how many of them are free, and out.
function figures(pool) {
    const {n_blocks: blocks, n_free: free, n_out: out} = pool.get_stats();
    return [blocks, free, out];
}

// Calls a function with a block, which nobody has any more then.
function use(pool, callback, size = SIZE) {
    callback(pool.alloc(size, null));
}

test('a block comes back, and is given again', () => {
    const pool = poolOf();
    use(pool, memory => {
        ok(memory instanceof Quire.Memory);
        ok(memory.is_type('pool'));
        equal(memory.get_allocator(), pool);
        equal(memory.length, SIZE);
        memory.fill(0, -1, 7);
        deepEqual(figures(pool), [1, 0, 1]);
    });
    collect();
    deepEqual(figures(pool), [1, 1, 0]);

    use(pool, memory => deepEqual(contentOf(memory, 0, 3), [7, 7, 7]));
    collect();
    const stats = pool.get_stats();
    deepEqual([stats.n_made, stats.n_recycled, stats.max_out, stats.n_waiting], [1, 1, 1, 0]);
});

test('smaller ones, and larger ones', () => {
    const pool = poolOf();
    for (const size of [0, 1, 100, SIZE])
        deepEqual(pool.alloc(size, null).get_sizes(), [size, 0, SIZE]);
    throwsError(() => pool.alloc(SIZE + 1, null), MemoryError.OUT_OF_RANGE, /4097 bytes.* 4096/);
    throws(() => pool.alloc(1.5, null));
    throws(() => pool.alloc(-1, null));
});

test('params', () => {
    const params = new Quire.AllocationParams();
    params.align = 63;
    params.prefix = 16;
    params.padding = 8;
    const pool = PoolAllocator.new(null, 100, params, 0);
    equal(pool.params.align, 63);
    const memory = pool.alloc(100, params);
    deepEqual(memory.get_sizes(), [100, 16, 124]);
    ok(memory.is_aligned(63));
    params.align = 127;
    throwsError(() => pool.alloc(100, params), MemoryError.NOT_SUPPORTED, /63.* 127/);
});

test('all are out', () => {
    const pool = poolOf(2);
    const blocks = [pool.alloc(1, null), pool.alloc(1, null)];
    throwsError(() => pool.alloc(1, null), MemoryError.BUSY, /All 2 blocks of 4096 bytes/);
    throwsError(() => pool.acquire(0, null), MemoryError.BUSY, /All 2 blocks/);
    throwsError(() => pool.acquire(1000, null), MemoryError.BUSY, / 1000 µs/);
    pool.max_wait = 2000;
    throwsError(() => pool.alloc(1, null), MemoryError.BUSY, / 2000 µs/);
    equal(blocks.length, 2);
});

test('the collector comes before a block is refused', () => {
    const pool = poolOf(2);
    let all = 0;
    for (let i = 0; i < 50; i++) {
        use(pool, memory => memory.withMap(WRITE, data => {
            data.fill(i);
            all += data.length;
        }));
        use(pool, memory => memory.close(), 1);
        all += pool.acquire(0, null).length;
    }
    equal(all, 100 * SIZE);
    equal(pool.get_stats().n_made, 2);
});

test('a view and a share keep their block', () => {
    const pool = poolOf(1);
    let kept;
    use(pool, memory => {
        kept = memory.map(READWRITE);
    });
    throwsError(() => pool.alloc(1, null), MemoryError.BUSY, /All 1 /);
    kept.data[0] = 9;
    kept.release();
    kept = null;
    use(pool, memory => {
        equal(contentOf(memory, 0, 1)[0], 9);
        kept = memory.share(0, 10);
    });
    throwsError(() => pool.alloc(1, null), MemoryError.BUSY, /All 1 /);
    deepEqual(contentOf(kept, 0, 1), [9]);
    kept = null;
    equal(pool.alloc(1, null).length, 1);
});

test('a block that was used is as a new one', () => {
    const pool = poolOf(1);
    const params = new Quire.AllocationParams();
    params.flags = MemoryFlags.READONLY | MemoryFlags.NO_SHARE;
    (() => {
        const memory = pool.alloc(100, params);
        equal(memory.get_flags(), params.flags);
        memory.resize(10, 20);
        memory.lock(READ);
    })();
    use(pool, memory => {
        equal(memory.get_flags(), 0);
        deepEqual(memory.get_sizes(), [SIZE, 0, SIZE]);
        equal(memory.describe_lock(), 'free');
        memory.fill(0, -1, 1);
        equal(memory.share(0, 5).length, 5);
    });
});

test('made ahead, trimmed and flushed', () => {
    const pool = poolOf(10);
    pool.prealloc(8);
    deepEqual(figures(pool), [8, 8, 0]);
    equal(pool.trim(5), 3);
    equal(pool.flush(), 5);
    deepEqual(figures(pool), [0, 0, 0]);
    throwsError(() => pool.prealloc(11), MemoryError.OUT_OF_RANGE, /11 .* 10 /);
});

test('closed', () => {
    const pool = poolOf();
    const memory = pool.alloc(SIZE, null);
    ok(!pool.is_closed());
    pool.close();
    pool.close();
    ok(pool.isClosed());
    for (const ask of [() => pool.alloc(1, null), () => pool.acquire(-1, null), () => pool.prealloc(1e3)])
        throwsError(ask, MemoryError.CLOSED, /4096 bytes was closed/);
    memory.fill(0, -1, 5);
    deepEqual(contentOf(memory, 0, 1), [5]);
});

test('properties', () => {
    const pool = new PoolAllocator({block_size: 100, max_blocks: 5, max_wait: 7, initial_blocks: 3});
    deepEqual([pool.block_size, pool.blockSize, pool.get_block_size()], [100, 100, 100]);
    deepEqual([pool.max_blocks, pool.get_max_blocks(), pool.initial_blocks], [5, 5, 3]);
    equal(pool.allocator, Quire.Allocator.find(null));
    deepEqual(figures(pool), [3, 3, 0]);
    const seen = [];
    pool.connect('notify::max-wait', () => seen.push(pool.max_wait));
    pool.max_wait = 8;
    pool.set_max_wait(-5);
    deepEqual(seen, [8, -1]);
    throws(() => pool.set_max_wait(1.5));
    throws(() => pool.trim(0.5));
});

test('no pool', () => {
    throwsError(() => poolOf(1 << 24), MemoryError.OUT_OF_RANGE, /16777216/);
    throws(() => poolOf(-1));
    throws(() => poolOf(0, -1));
    throws(() => poolOf(0, 1.5));
    throws(() => PoolAllocator.new('system', 1, null, 0));
    const params = new Quire.AllocationParams();
    params.align = 2;
    throwsError(() => PoolAllocator.new(null, 1, params, 0), MemoryError.NOT_SUPPORTED, /mask 2 /);
    throwsError(() => new PoolAllocator({params}).alloc(0, null), MemoryError.NOT_SUPPORTED, /mask 2 /);
});

test('over other allocators', () => {
    for (const name of ['system', 'guard', 'secure']) {
        const pool = PoolAllocator.new(Quire.Allocator.find(name), 1000, null, 1);
        for (let i = 0; i < 3; i++)
            use(pool, memory => memory.fill(0, -1, i), 500);
        equal(pool.get_stats().n_made, 1, name);
    }
});

test('what is secret is wiped for the next', () => {
    const pool = PoolAllocator.new(Quire.Allocator.find('secure'), 32, null, 1);
    use(pool, memory => {
        memory.fill(0, -1, 7);
        ok(memory.share(0, 3).copy(0, -1).is_type('secure'));
    }, 32);
    use(pool, memory => ok(contentOf(memory).every(byte => byte === 0)), 32);
});

test('cancelled', () => {
    const pool = poolOf(1);
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    const error = throws(() => pool.acquire(-1, cancellable));
    ok(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED));
});

// What the callback of an acquire_async() gets, when the loop has come so far.
function acquireInLoop(pool, maxWait, cancellable, meanwhile = () => GLib.SOURCE_REMOVE) {
    const loop = new GLib.MainLoop(null, false);
    let outcome;
    pool.acquire_async(maxWait, cancellable, (source, result) => {
        try {
            outcome = source.acquire_finish(result);
            throwsError(() => source.acquire_finish(result), MemoryError.CLOSED, /given already/);
        } catch (error) {
            outcome = error;
        }
        loop.quit();
    });
    GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, meanwhile);
    loop.run();
    return outcome;
}

test('the main loop goes on while a block is awaited', () => {
    const pool = poolOf(1);
    equal(acquireInLoop(pool, 0, null).length, SIZE);
    collect();

    let memory = pool.alloc(SIZE, null);
    const got = acquireInLoop(pool, -1, null, () => {
        if (pool.get_stats().n_waiting === 0)
            return GLib.SOURCE_CONTINUE;
        memory = null;
        collect();
        return GLib.SOURCE_REMOVE;
    });
    equal(got.length, SIZE);
    deepEqual(figures(pool), [1, 0, 1]);

    const error = acquireInLoop(pool, 1000, null);
    ok(error.matches(MemoryError, MemoryError.BUSY), `${error}`);
    const cancellable = new Gio.Cancellable();
    const cancelled = acquireInLoop(pool, -1, cancellable, () => {
        if (pool.get_stats().n_waiting === 0)
            return GLib.SOURCE_CONTINUE;
        cancellable.cancel();
        return GLib.SOURCE_REMOVE;
    });
    ok(cancelled.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED), `${cancelled}`);
    equal(got.length, SIZE);
});

test('a pool may go before its blocks', () => {
    let memory = (() => {
        const pool = poolOf();
        pool.prealloc(3);
        return pool.alloc(SIZE, null);
    })();
    collect();
    memory.fill(0, -1, 3);
    deepEqual(contentOf(memory, 0, 1), [3]);
    equal(memory.get_allocator().get_block_size(), SIZE);
    memory = null;
    collect();
});

finish();
