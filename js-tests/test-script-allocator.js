// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Allocators that are written in JavaScript: what they make, what they are told, and that
// whatever they do wrong is the error of who called.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

import {countingBlock, isSameBlock} from './blocks.js';
import {isNative} from './mode.js';
import {deepEqual, equal, finish, ok, test, throws, throwsError} from './tap.js';

const {MapFlags, Memory, MemoryError} = Quire;
const {READ, WRITE, READWRITE} = MapFlags;

const Recorder = GObject.registerClass(class Recorder extends Quire.Allocator {
    _init() {
        super._init();
        this.log = [];
        this.count = 0;
    }

    vfunc_alloc(size, params) {
        this.log.push(`alloc ${size}`);
        this.params = params;
        return this.bind(Memory.new(params.prefix + size + params.align), {n: ++this.count});
    }

    vfunc_mapped(memory, flags) {
        this.log.push(`mapped ${this.get_state(memory).n} ${flags}`);
        this.last = memory;
    }

    vfunc_unmapped(memory) {
        this.log.push(`unmapped ${this.get_state(memory).n}`);
        this.same = memory === this.last;
    }

    vfunc_released(state) {
        this.log.push(`released ${state.n}`);
    }

    takeLog() {
        const log = this.log.join(', ');
        this.log = [];
        return log;
    }
});

// The collector comes, and then what waited for it.
function collect() {
    System.gc();
    System.gc();
    Quire.Allocator.dispatch();
    System.gc();
    while (Quire.Allocator.dispatch() > 0)
        System.gc();
}

// In a function of its own, so that nothing of it is on the stack when the collector comes.
function life(recorder) {
    const memory = recorder.alloc(100);
    ok(memory instanceof Memory);
    equal(memory.length, 100);
    equal(memory.get_allocator(), recorder);
    equal(recorder.takeLog(), 'alloc 100');

    memory.withMap(WRITE, data => data.fill(7));
    equal(recorder.takeLog(), `mapped 1 ${WRITE}, unmapped 1`);

    const share = memory.share(10, 5);
    equal(share.get_allocator(), recorder);
    const info = share.map(READ);
    equal(recorder.takeLog(), `mapped 1 ${READ}`);
    equal(info.data[4], 7);
    info.unmap();
    equal(recorder.takeLog(), 'unmapped 1');
}

test('a block is the allocator\'s own, and tells of its maps and its end', () => {
    const recorder = new Recorder();
    life(recorder);
    recorder.last = null;
    collect();
    equal(recorder.takeLog(), 'released 1');
});

test('each use of a block is a pair', () => {
    const stream = () => Gio.MemoryInputStream.new_from_bytes(new GLib.Bytes('abc'));
    const uses = {
        map: [memory => memory.map(WRITE).unmap(), WRITE],
        release: [memory => memory.map(READ).release(), READ],
        close: [memory => memory.map(READ).close(), READ],
        'unmap of the block': [memory => memory.unmap(memory.map(READ)), READ],
        withMap: [memory => memory.withMap(READWRITE, data => data.fill(1)), READWRITE],
        'withMap that throws': [memory => throws(() => memory.withMap(READ, () => {
            throw new Error('on purpose');
        })), READ],
        iterator: [memory => [...memory], READ],
        fill: [memory => memory.fill(0, -1, 1), WRITE],
        write: [memory => memory.write(0, [1, 2]), WRITE],
        read: [memory => memory.read(0, 2), READ],
        copy: [memory => memory.copy(0, -1), READ],
        merge: [memory => memory.merge(Memory.new(1)), READ],
        read_from_stream: [memory => memory.read_from_stream(0, -1, stream(), null), WRITE],
        make_mapped: [memory => memory.make_mapped(READ).unmap(), READ],
    };
    const recorder = new Recorder();
    for (const [name, [use, flags]] of Object.entries(uses)) {
        const memory = recorder.alloc(8);
        recorder.takeLog();
        use(memory);
        const n = recorder.count;
        equal(recorder.takeLog(), `mapped ${n} ${flags}, unmapped ${n}`, name);
        equal(memory.describe_lock(), 'free', name);
    }

    const memory = recorder.alloc(8);
    recorder.takeLog();
    memory.compare(memory);
    equal(recorder.log.length, 4);
    recorder.takeLog();
    memory.is_aligned(1);
    memory.is_writable();
    memory.get_sizes();
    String(memory);
    equal(recorder.takeLog(), '');
});

test('maps that are dropped are told when the collector has come', () => {
    const recorder = new Recorder();
    const memory = recorder.alloc(8);
    (() => {
        memory.map(READ);
        memory.to_bytes();
    })();
    recorder.last = null;
    equal(recorder.takeLog(), `alloc 8, mapped 1 ${READ}, mapped 1 ${READ}`);
    collect();
    equal(recorder.takeLog(), 'unmapped 1, unmapped 1');
    memory.fill(0, -1, 1);
});

test('the main loop tells them, too', () => {
    const recorder = new Recorder();
    const memory = recorder.alloc(8);
    (() => memory.map(READ))();
    System.gc();
    System.gc();
    equal(recorder.takeLog(), `alloc 8, mapped 1 ${READ}`);
    const context = GLib.MainContext.default();
    while (context.iteration(false))
        ;
    equal(recorder.takeLog(), 'unmapped 1');
});

test('the handle that is given is the one that was mapped', () => {
    const recorder = new Recorder();
    const memory = recorder.alloc(8);
    const info = memory.map(READ);
    equal(recorder.last, memory);
    info.unmap();
    ok(recorder.same);

    // So a share that was closed keeps nobody from writing.
    const share = memory.share(0, 4);
    share.withMap(READ, data => data.length);
    equal(recorder.last, share);
    ok(recorder.same);
    recorder.last = null;
    share.close();
    if (isNative)
        memory.fill(0, -1, 1);

    memory.copy(0, 2);
    equal(recorder.last, memory);
});

test('a handle may be kept, and so may the parameters', () => {
    const recorder = new Recorder();
    const params = new Quire.AllocationParams({align: 63, prefix: 4});
    (() => {
        const memory = recorder.alloc(8, params);
        memory.write(0, [1, 2, 3]);
        // The bytes map a share that no script has a handle of.
        memory.to_bytes();
    })();
    System.gc();
    recorder.last.map(READ).unmap();
    equal(recorder.last.length, 8);
    deepEqual([...recorder.last].slice(0, 3), [1, 2, 3]);
    equal(recorder.params.align, 63);
    equal(recorder.params.prefix, 4);
    params.prefix = 1000;
    equal(recorder.params.prefix, 4);
});

test('prefix, padding and alignment', () => {
    const Roomy = GObject.registerClass(class Roomy extends Quire.Allocator {
        vfunc_alloc(size, {prefix, padding, align}) {
            return this.bind(Memory.new(prefix + size + padding + align));
        }
    });
    const memory = new Roomy().alloc(10, new Quire.AllocationParams({align: 255, prefix: 5, padding: 7}));
    const [size, offset, maxsize] = memory.get_sizes();
    equal(size, 10);
    ok(offset >= 5 && maxsize - offset - size >= 7);
    ok(memory.is_aligned(255));
});

test('the state is the very value', () => {
    const values = [0, NaN, '', 'text', true, false, 1n, Symbol('state'), {}, [], () => 1, new Date(), Memory.new(1),
        new GLib.Bytes('x'), new GObject.Object(), undefined, null, class {}];
    const found = [];
    const Keeping = GObject.registerClass(class Keeping extends Quire.Allocator {
        vfunc_released(state) {
            found.push(state);
        }
    });
    const keeping = new Keeping();
    (() => {
        for (const value of values) {
            const block = keeping.bind(Memory.new(4), value);
            ok(Object.is(keeping.get_state(block), value ?? null) || Object.is(keeping.get_state(block), value),
                String(value));
            equal(keeping.get_state(Memory.new(1)), null);
        }
    })();
    collect();
    equal(found.length, values.length);
    for (const value of values)
        ok(found.some(each => Object.is(each, value)) || value === undefined, String(value));
});

test('allocator and state live as long as a block', () => {
    const found = [];
    const Named = GObject.registerClass(class Named extends Quire.Allocator {
        vfunc_alloc(size) {
            return this.bind(Memory.new(size), {text: 'leaf', self: this});
        }

        vfunc_released(state) {
            found.push(`${this.name} ${state.text} ${state.self === this}`);
        }
    });
    const make = () => {
        const named = new Named();
        named.name = 'vellum';
        return named.alloc(8).share(1, 3);
    };
    let share = make();
    for (let i = 0; i < 5; i++)
        System.gc();
    collect();
    deepEqual(found, []);
    equal(share.get_allocator().name, 'vellum');
    share = null;
    collect();
    deepEqual(found, ['vellum leaf true']);
});

test('what is below is free when a block is gone', () => {
    const found = [];
    const Below = GObject.registerClass(class Below extends Quire.Allocator {
        vfunc_released(backing) {
            found.push(backing.describe_lock());
        }
    });
    const backing = Memory.new(8);
    (() => {
        const below = new Below();
        below.bind(backing, backing);
        throwsError(() => backing.map(READ), MemoryError.BUSY, /UNIQUE/);
        throwsError(() => below.bind(backing), MemoryError.BUSY, /UNIQUE/);
    })();
    collect();
    deepEqual(found, ['free']);
});

const Failing = GObject.registerClass(class Failing extends Quire.Allocator {
    fail() {
        if (this.error !== undefined)
            throw this.error;
    }

    vfunc_alloc(size) {
        this.fail();
        return this.result !== undefined ? this.result(size) : this.bind(Memory.new(size));
    }

    vfunc_mapped() {
        this.fail();
    }

    vfunc_unmapped() {
        this.fail();
    }

    vfunc_released() {
        this.fail();
    }
});

test('what is no block of the allocator is an error', () => {
    const failing = new Failing();
    const give = result => {
        failing.result = result;
        return throws(() => failing.alloc(8));
    };
    for (const value of [undefined, null, 5, 'x', {}, [], new Uint8Array(8), Memory, new GLib.Bytes('abc'),
        Object.create(Memory.prototype), Symbol('s'), () => 1, Quire.AllocationParams]) {
        const error = give(() => value ?? null);
        ok(error instanceof TypeError, `${String(error)}`);
    }
    ok(/Quire\.Memory/.test(give(() => 5).message));
    ok(give(() => Memory.new(8).map(READ)) instanceof TypeError);

    failing.result = () => Memory.new(8);
    throwsError(() => failing.alloc(8), MemoryError.FAILED, /a block of system/);
    failing.result = () => failing.bind(Memory.new(8)).share(0, -1);
    throwsError(() => failing.alloc(8), MemoryError.FAILED, /a share of/);
    failing.result = () => failing.bind(Memory.new(7));
    throwsError(() => failing.alloc(8), MemoryError.FAILED, /no place for 8 bytes/);
    failing.result = () => {
        const block = failing.bind(Memory.new(8));
        block.close();
        return block;
    };
    throwsError(() => failing.alloc(8), MemoryError.CLOSED, /closed/);

    const block = failing.bind(countingBlock(8));
    failing.result = () => block;
    ok(isSameBlock(failing.alloc(8), block));
    throwsError(() => failing.alloc(8), MemoryError.FAILED, /gave before/);
    equal(block.read(7, 1).toArray()[0], 7);
});

test('what a function throws is what the caller catches', () => {
    class OwnError extends Error {}
    const failing = new Failing();
    const memory = failing.alloc(8);
    const errors = [new TypeError('a type'), new OwnError('own'), new Error(''), 'text', 5, undefined, null, {},
        new GLib.Error(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT, 'late'),
        new MemoryError({code: MemoryError.BUSY, message: 'busy'})];
    const uses = {
        alloc: () => failing.alloc(8),
        map: () => memory.map(READ),
        withMap: () => memory.withMap(WRITE, () => 1),
        fill: () => memory.fill(0, -1, 1),
        copy: () => memory.copy(0, -1),
        read: () => memory.read(0, -1),
        write: () => memory.write(0, [1]),
        to_bytes: () => memory.to_bytes(),
        compare: () => memory.compare(memory),
        merge: () => memory.merge(Memory.new(1)),
        merge_list: () => Memory.merge_list([memory, Memory.new(1)]),
        iterator: () => [...memory],
    };
    for (const error of errors) {
        for (const [name, use] of Object.entries(uses)) {
            failing.error = error;
            failing.fail = () => {
                throw error;
            };
            let caught = 'nothing';
            try {
                use();
            } catch (each) {
                caught = each;
            }
            ok(Object.is(caught, error), `${name}: ${String(caught)} and not ${String(error)}`);
        }
        System.gc();
        equal(memory.describe_lock(), 'free');
    }
    delete failing.fail;
    failing.error = undefined;
    memory.map(READ).unmap();
});

test('an exception that nobody can be given stops nothing', () => {
    const failing = new Failing();
    const memory = failing.alloc(8);
    for (const error of [new Error('This one is printed on purpose'), 'and this one', null, 5]) {
        failing.error = undefined;
        const info = memory.map(READ);
        failing.error = error;
        info.unmap();
        equal(memory.describe_lock(), 'free');
    }
    failing.error = undefined;
});

test('functions that use the block, allocate, collect', () => {
    const seen = [];
    const Busy = GObject.registerClass(class Busy extends Recorder {
        vfunc_mapped(memory, flags) {
            super.vfunc_mapped(memory, flags);
            System.gc();
            memory.withMap(READ, data => seen.push(data.length));
            seen.push(other.alloc(3).length);
            memory.copy(0, 2);
            Quire.Allocator.dispatch();
        }

        vfunc_unmapped(memory) {
            super.vfunc_unmapped(memory);
            memory.fill(0, -1, 9);
            System.gc();
        }

        vfunc_released(state) {
            super.vfunc_released(state);
            if (this.count < 5)
                this.alloc(1);
        }
    });
    const other = new Recorder(), busy = new Busy();
    (() => {
        const memory = busy.alloc(8);
        memory.withMap(READWRITE, data => data.fill(1));
        equal(memory.read(0, 1).toArray()[0], 9);
    })();
    deepEqual(seen, [8, 3, 8, 3]);
    busy.last = null;
    equal(busy.takeLog(), `alloc 8, mapped 1 ${READWRITE}, unmapped 1, mapped 1 ${READ}, unmapped 1`);
    for (let i = 0; i < 10; i++)
        collect();
    equal(busy.count, 5);
    equal(busy.takeLog(), 'released 1, alloc 1, released 2, alloc 1, released 3, alloc 1, released 4, ' +
        'alloc 1, released 5');
});

test('the default allocator, and by name', () => {
    const recorder = new Recorder();
    recorder.set_default();
    // vfunc_alloc() takes Memory.new() itself, which is another one's then.
    const memory = Memory.new(8);
    equal(memory.get_allocator(), recorder);
    equal(memory.copy(0, -1).get_allocator(), recorder);
    equal(new Memory(3).get_allocator(), recorder);
    Quire.Allocator.find('system').set_default();
    equal(Memory.new(8).get_allocator(), Quire.Allocator.find('system'));

    Quire.Allocator.register('js-recorder', recorder);
    equal(Quire.Allocator.find('js-recorder'), recorder);
    Quire.Allocator.register('js-recorder', Quire.Allocator.find('system'));
});

test('a class without functions, and what is inherited', () => {
    const Nothing = GObject.registerClass({GTypeName: 'NothingAllocator'}, class extends Quire.Allocator {});
    throwsError(() => new Nothing().alloc(8), MemoryError.NOT_SUPPORTED, /NothingAllocator does not say how/);
    const block = new Nothing().bind(Memory.new(8));
    ok(block.is_type('NothingAllocator'));
    block.map(WRITE).unmap();

    const Derived = GObject.registerClass(class Derived extends Recorder {
        vfunc_alloc(size, params) {
            this.log.push('derived');
            return super.vfunc_alloc(size, params);
        }
    });
    const derived = new Derived();
    derived.alloc(3).map(READ).unmap();
    equal(derived.takeLog(), `derived, alloc 3, mapped 1 ${READ}, unmapped 1`);

    const Chained = GObject.registerClass(class Chained extends Quire.Allocator {
        vfunc_alloc(size, params) {
            return super.vfunc_alloc(size, params);
        }

        vfunc_mapped(memory, flags) {
            super.vfunc_mapped(memory, flags);
        }

        vfunc_unmapped(memory) {
            super.vfunc_unmapped(memory);
        }

        vfunc_released(state) {
            super.vfunc_released(null);
        }
    });
    const chained = new Chained();
    throwsError(() => chained.alloc(8), MemoryError.NOT_SUPPORTED, /does not say how/);
    chained.bind(Memory.new(8)).map(READ).unmap();
});

test('functions called by hand', () => {
    const recorder = new Recorder();
    const memory = recorder.vfunc_alloc(8, new Quire.AllocationParams());
    recorder.vfunc_mapped(memory, READ);
    recorder.vfunc_released({n: 7});
    equal(recorder.takeLog(), `alloc 8, mapped 1 ${READ}, released 7`);
    throws(() => Recorder.prototype.vfunc_alloc.call({}, 8, null));
    throws(() => Quire.Allocator.prototype.vfunc_alloc.call({}, 8, null));
    throws(() => Quire.Allocator.prototype.vfunc_released.call(memory, null));
    throws(() => Quire.Allocator.prototype.alloc.call(memory, 8, null));
    throws(() => Quire.Allocator.prototype.bind.call({}, memory, null));
    throws(() => new Quire.Allocator());
});

test('wrong arguments', () => {
    const recorder = new Recorder();
    for (const size of ['8', NaN, 1.5, undefined, null, {}, []])
        throws(() => recorder.alloc(size, null), String(size));
    throws(() => recorder.alloc(-1, null));
    throws(() => recorder.alloc(8, 5));
    for (const backing of [undefined, null, 5, 'x', {}, new Uint8Array(4), new GLib.Bytes('abc')])
        throws(() => recorder.bind(backing), String(backing));
    const closed = Memory.new(4);
    closed.close();
    throwsError(() => recorder.bind(closed), MemoryError.CLOSED, /closed/);
    throwsError(() => recorder.get_state(closed), MemoryError.CLOSED, /closed/);
    throwsError(() => Quire.Allocator.find('system').bind(Memory.new(4)), MemoryError.NOT_SUPPORTED, /system/);
    equal(recorder.takeLog(), '');
});

test('endless calls end', () => {
    const Endless = GObject.registerClass(class Endless extends Quire.Allocator {
        vfunc_alloc(size) {
            return this.alloc(size + 1, null);
        }
    });
    const error = throws(() => new Endless().alloc(1, null));
    ok(/within one another|too much recursion/.test(error.message), error.message);
});

test('bytes that a thread of C drops', () => {
    const recorder = new Recorder();
    const loop = GLib.MainLoop.new(null, false);
    (() => {
        const memory = recorder.alloc(1000);
        const stream = Gio.File.new_for_path('/dev/null').append_to(Gio.FileCreateFlags.NONE, null);
        stream.write_bytes_async(memory.to_bytes(), GLib.PRIORITY_DEFAULT, null, (_, result) => {
            equal(stream.write_bytes_finish(result), 1000);
            loop.quit();
        });
    })();
    loop.run();
    collect();
    const log = recorder.takeLog();
    ok(log.startsWith(`alloc 1000, mapped 1 ${READ}`), log);
});

test('every call is made, whatever the collector is at', () => {
    const recorder = new Recorder();
    const memory = recorder.alloc(8);
    let kept = [], expected = 0;
    for (let i = 0; i < 10000; i++) {
        kept.push(new GLib.Bytes('abc'), {i}, new Gio.Cancellable());
        if (kept.length > 3000)
            kept = [];
        if (i % 5 === 0) {
            memory.map(READ).unmap();
            expected++;
        }
    }
    equal(recorder.log.filter(entry => entry.startsWith('mapped')).length, expected);
    equal(recorder.log.filter(entry => entry.startsWith('unmapped')).length, expected);
});

test('the names in camel case', () => {
    const recorder = new Recorder();
    ok(recorder.setHome());
    equal(recorder.getState(recorder.bind(Memory.new(1), 5)), 5);
});

finish();
