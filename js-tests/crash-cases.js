// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// What a script may do wrong, one case after the other; test-crash.js puts a few lines
// before this that import Quire, GLib, GObject, Gio and System in the way of a module or
// of a plain script, and a line after it that runs one case. So there is no import here,
// and what is here must be good in strict and in sloppy code.

/* global Quire, GLib, GObject, Gio, System */
/* exported cases */

const {MapFlags} = Quire;
const {READ, WRITE, READWRITE, EXCLUSIVE, UNIQUE} = MapFlags;

function counting(size) {
    const memory = Quire.Memory.new(size);
    memory.write(0, Uint8Array.from({length: size}, (_, i) => i));
    return memory;
}

// An exception is a good answer, and so is none.
function attempt(fn) {
    try {
        return fn();
    } catch (error) {
        return error;
    }
}

function need(condition) {
    if (!condition)
        throw new Error('not as it should be');
}

function isError(value) {
    return value instanceof Error || value instanceof GLib.Error;
}

// That all is well afterwards: blocks are as good as ever.
function checkHealth() {
    const memory = counting(64);
    const info = memory.map(READWRITE | UNIQUE);
    need(info.data.length === 64 && info.data.every((byte, i) => byte === i));
    memory.unmap(info);
    need(memory.share(8, 8).to_bytes().toArray()[0] === 8);
    System.gc();
}

// Of every kind that a script has at hand. No size that a system might really give:
// that would only be slow.
function hostileValues() {
    const memory = counting(8), other = counting(16);
    const info = other.map(READ), done = other.map(READ);
    other.unmap(done);
    return [
        undefined, null, NaN, Infinity, -Infinity, -1, 0, 1, 1.5, -0, 3, 2 ** 53, 2 ** 62, 2 ** 63, 2 ** 64,
        -(2 ** 31), -(2 ** 63), 1e300, 8n, 2n ** 63n, 2n ** 64n, -1n, '', 'x', '\0', 'system', true, Symbol('s'),
        {}, [], [1, 2], [null], [memory], [memory, null], [{}], {length: 5}, () => 1, new Uint8Array(4),
        new Uint16Array(4), new ArrayBuffer(4), new GLib.Bytes('abc'), memory, other, memory.share(2, 4), info,
        done, info.data, Quire.Memory, Quire.Memory.prototype, Quire.MapInfo.prototype, Quire.MapFlags,
        new Quire.AllocationParams(), new Quire.AllocationParams({align: 5, prefix: 2n ** 64n - 1n}),
        Quire.Allocator.find('system'), new Gio.Cancellable(), new GLib.Error(Quire.MemoryError, 2, 'x'),
        Gio.MemoryInputStream.new_from_bytes(new GLib.Bytes('stream')), new Proxy({}, {}), globalThis,
        Object.create(Quire.Memory.prototype), Object.create(memory), {valueOf() { throw new Error('no'); }},
        {get length() { System.gc(); return 2; }, valueOf() { System.gc(); return 1; }},
    ];
}

let seed = 1;

function random(limit) {
    seed = (seed * 1103515245 + 12345) % 0x80000000;
    return Math.floor(seed / 65536) % limit;
}

const methods = () => Object.entries(Object.getOwnPropertyDescriptors(Quire.Memory.prototype))
    .filter(([name, {value}]) => name !== 'constructor' && typeof value === 'function')
    .map(([name]) => name);
const mappingNames = () => Object.getOwnPropertyNames(Quire.MapInfo.prototype)
    .filter(name => name !== 'constructor');

// Calls with each value at each place, and with values at random at the others.
function callWithAll(fn, count) {
    const values = hostileValues();
    for (let place = 0; place < count; place++) {
        for (const value of values) {
            for (let round = 0; round < 3; round++) {
                const args = Array.from({length: count}, () => values[random(values.length)]);
                args[place] = value;
                attempt(() => fn(args));
            }
        }
    }
    for (let length = 0; length <= count + 1; length++)
        attempt(() => fn(values.slice(0, length)));
}

const cases = {
    'bare constructors'() {
        for (const make of [
            () => new Quire.Memory(), () => Quire.Memory(), () => new Quire.Mapping(), () => Quire.Mapping(),
            () => new Quire.MapInfo(), () => new Quire.Allocator(), () => new Quire.AllocatorClass(),
            () => Reflect.construct(Quire.Memory, [8], Object),
            () => Reflect.construct(Quire.Memory, [8], Quire.Mapping),
            () => Reflect.construct(Quire.Mapping, [], Quire.Memory), () => Reflect.construct(Quire.Mapping, [8]),
            () => new (class extends Quire.Memory {})(8), () => new (class extends Quire.Mapping {})(),
            () => new Quire.Mapping(Quire.Memory.new(8)), () => new Quire.Mapping(Quire.Mapping.prototype),
            () => new Quire.Memory(Quire.Memory.prototype), () => new Quire.Mapping(null),
            () => GObject.Object.new(Quire.Allocator.$gtype, {}), () => new GObject.Object({gtype: 5}),
        ]) {
            const result = attempt(make);
            for (const name of [...methods(), ...mappingNames()])
                attempt(() => result[name]?.());
        }
        need(isError(attempt(() => new Quire.Memory())));
        need(isError(attempt(() => new Quire.Mapping())));
    },

    'the constructors with hostile arguments'() {
        for (const name of ['new', 'new_with_params', 'new_from_bytes', 'merge_list'])
            callWithAll(args => Quire.Memory[name](...args), 2);
        callWithAll(args => new Quire.Memory(...args), 1);
        callWithAll(args => new Quire.Mapping(...args), 1);
        callWithAll(args => new Quire.AllocationParams(...args), 1);
        callWithAll(args => Quire.Allocator.find(...args), 1);
        callWithAll(args => Quire.Allocator.find('system').alloc(...args), 2);
        callWithAll(args => Quire.Allocator.register(...args), 2);
        callWithAll(args => new Quire.MemoryError(...args), 1);
    },

    'the methods with hostile arguments'() {
        for (const name of methods()) {
            const count = Quire.Memory.prototype[name].length || 4;
            callWithAll(args => counting(8)[name](...args), Math.min(count, 4));
        }
    },

    'the methods with hostile arguments on one block'() {
        const memory = counting(8);
        for (const name of methods().filter(each => each !== 'close')) {
            const count = Quire.Memory.prototype[name].length || 4;
            callWithAll(args => memory[name](...args), Math.min(count, 4));
        }
        need(!/\d{6}/.test(memory.describe_lock()));
    },

    'methods on a wrong this'() {
        for (const value of hostileValues()) {
            for (const name of methods())
                attempt(() => Quire.Memory.prototype[name].call(value, value, value, value, value));
            for (const name of mappingNames()) {
                const {get, value: fn} = Object.getOwnPropertyDescriptor(Quire.MapInfo.prototype, name);
                attempt(() => (get ?? fn).call(value));
            }
            for (const name of ['alloc', 'get_mem_type', 'set_default'])
                attempt(() => Quire.Allocator.prototype[name].call(value, 8, null));
            attempt(() => Quire.AllocationParams.prototype.copy.call(value));
            for (const name of ['domain', 'code', 'message'])
                attempt(() => Object.getOwnPropertyDescriptor(Quire.MemoryError.prototype, name).get.call(value));
        }
        need(isError(attempt(() => Quire.MapInfo.prototype.data)));
        Quire.Allocator.find('system').set_default();
    },

    'assignment to every attribute'() {
        const memory = counting(8);
        const info = memory.map(READWRITE);
        const params = new Quire.AllocationParams();
        const names = new Set([...methods(), ...mappingNames(), 'length', 'data', 'memory', 'allocator', '_reserved',
            'flags', 'align', 'prefix', 'padding', '__proto__', 'constructor', '$gtype', 'nothing']);
        for (const value of hostileValues()) {
            for (const name of names) {
                for (const object of [counting(8), counting(8).map(READ), new Quire.AllocationParams()]) {
                    attempt(() => { object[name] = value; });
                    attempt(() => Object.defineProperty(object, name, {value}));
                    attempt(() => object[name]);
                    for (const method of ['map', 'get_sizes', 'view_bytes', 'copy', 'data'])
                        attempt(() => object[method]?.(READ));
                }
            }
            for (const name of ['flags', 'align', 'prefix', 'padding', '_reserved']) {
                attempt(() => { params[name] = value; });
                attempt(() => params[name]);
            }
            attempt(() => { Quire.zeroCopy = value; });
            attempt(() => { delete Quire.Mapping.prototype.data; });
        }
        for (const name of ['memory', 'flags', 'size', 'maxsize', 'data'])
            attempt(() => { info[name] = 1 << 30; });
        need(info.size === 8 && info.data.length === 8);
    },

    'prototypes that are swapped'() {
        for (const [object, prototype] of [
            [counting(8), Quire.Mapping.prototype], [counting(8).map(READ), Quire.Memory.prototype],
            [new GLib.Bytes('abc'), Quire.Memory.prototype], [counting(8), GLib.Bytes.prototype],
            [{}, Quire.Mapping.prototype], [new Gio.Cancellable(), Quire.Memory.prototype],
            [counting(8), Quire.Allocator.prototype], [[], Quire.Memory.prototype],
        ]) {
            Object.setPrototypeOf(object, prototype);
            for (const name of [...methods(), ...mappingNames(), 'toArray', 'get_size', 'get_data', 'alloc']) {
                const value = attempt(() => object[name]);
                attempt(() => value(8, 8));
            }
        }
    },

    'methods that are replaced'() {
        const info = counting(8).map(READWRITE);
        for (const value of hostileValues()) {
            attempt(() => { info.view_bytes = () => value; });
            attempt(() => { info.get_flags = () => value; });
            attempt(() => info.data);
        }
        const other = counting(8).map(READWRITE);
        const {prototype} = Quire.Mapping;
        for (const name of ['view_bytes', 'get_flags', 'get_size', 'get_memory']) {
            const before = prototype[name];
            for (const value of hostileValues()) {
                attempt(() => { prototype[name] = () => value; });
                attempt(() => new Quire.Mapping(other).data);
                attempt(() => other.memory);
            }
            attempt(() => { prototype[name] = before; });
        }
    },

    'unmap in every wrong way'() {
        const memory = counting(8), other = counting(8);
        for (let round = 0; round < 50; round++) {
            const info = memory.map(READ);
            const {data} = info;
            attempt(() => other.unmap(info));
            attempt(() => memory.share(0, -1).unmap(info));
            memory.unmap(info);
            attempt(() => memory.unmap(info));
            attempt(() => info.unmap());
            info.release();
            attempt(() => info.memory.unmap(info));
            attempt(() => info.data);
            attempt(() => data.fill(1));
            attempt(() => memory.unlock(READ));
        }
        need(memory.describe_lock() === 'free' || /share/.test(memory.describe_lock()));
    },

    'locks that are dropped under a mapping'() {
        for (const flags of [READ, WRITE, READWRITE, READ | EXCLUSIVE, WRITE | UNIQUE]) {
            const memory = counting(8);
            const info = memory.map(flags);
            const {data} = info;
            attempt(() => memory.unlock(flags));
            attempt(() => memory.unmap(info));
            attempt(() => memory.unmap(info));
            attempt(() => memory.share(0, -1).to_bytes());
            attempt(() => data.fill(7));
            System.gc();
            attempt(() => memory.map(READWRITE).data.fill(1));
        }
    },

    'mappings of memory that is dropped'() {
        const infos = [], views = [];
        for (let i = 0; i < 300; i++) {
            const info = counting(1000).map(READWRITE);
            if (i % 3 === 0)
                views.push(info.data);
            if (i % 5 === 0)
                info.memory.unmap(info);
            if (i % 2 === 0)
                infos.push(info);
            if (i % 50 === 0)
                System.gc();
        }
        System.gc();
        for (const view of views)
            attempt(() => view.fill(view[0] ?? 0));
        for (const info of infos) {
            attempt(() => info.memory?.unmap(info));
            attempt(() => info.data);
            attempt(() => info.memory?.fill(0, -1, 1));
        }
    },

    'a thousand mappings, in any order, with collections between'() {
        const memory = counting(4096);
        (() => {
            const infos = [];
            for (let i = 0; i < 1000; i++) {
                infos.push(memory.map(i % 3 ? READWRITE : READ));
                void infos[random(infos.length)].data;
                if (i % 4 === 0) {
                    const [info] = infos.splice(random(infos.length), 1);
                    if (i % 8)
                        attempt(() => memory.unmap(info));
                }
                if (i % 100 === 0)
                    System.gc();
            }
        })();
        System.gc();
        System.gc();
        need(memory.describe_lock() === 'free');
    },

    'collections all the time'() {
        const kept = [];
        for (let i = 0; i < 60; i++) {
            const memory = counting(256);
            System.gc();
            const info = memory.map(READWRITE);
            System.gc();
            const {data} = info;
            System.gc();
            data.fill(i);
            memory.unmap(info);
            kept.push(data, memory.share(0, 100).to_bytes().toArray(), memory.copy(1, 20).map(READ).data);
            System.gc();
            attempt(() => kept.splice(0, random(3)));
        }
        kept.forEach(view => attempt(() => view.fill(1)));
        need(kept.length > 3);
    },

    'views that outlive everything'() {
        const views = [];
        for (let i = 0; i < 200; i++) {
            const memory = counting(i);
            const info = memory.map(READWRITE);
            views.push(info.data, new DataView(info.data.buffer), info.data.subarray(i >> 1));
            memory.unmap(info);
        }
        System.gc();
        for (let round = 0; round < 3; round++) {
            for (const view of views) {
                attempt(() => { view[0] = view[view.length - 1]; });
                attempt(() => view.set([1, 2, 3], 0));
                attempt(() => view.setFloat64(0, 1.5));
                attempt(() => view.sort());
                attempt(() => view.copyWithin(1, 0));
                attempt(() => new TextDecoder().decode(view));
                attempt(() => Quire.Memory.new(4).write(0, view));
                attempt(() => new GLib.Bytes(view));
            }
            System.gc();
        }
    },

    'resized while it is mapped'() {
        const memory = counting(4096);
        const info = memory.map(READWRITE);
        const {data} = info;
        memory.resize(4000, 1);
        data.fill(1);
        const small = memory.map(READWRITE);
        need(small.data.length === 1);
        memory.resize(-4000, 0);
        small.data.fill(2);
        memory.resize(0, 4096);
        need(data.length === 4096 && data[4000] === 2);
    },

    'streams that lie, throw and call back'() {
        const memory = counting(8);
        const answers = [9, 1e9, -1, 2 ** 31, NaN, null, undefined, 'x', {}, 2 ** 63];
        let answer;
        const Stream = GObject.registerClass({GTypeName: 'Stream'}, class extends Gio.InputStream {
            vfunc_read_fn() {
                attempt(() => memory.map(READWRITE).data);
                attempt(() => memory.share(0, -1));
                attempt(() => memory.read_from_stream(0, -1, this, null));
                attempt(() => memory.resize(0, 0));
                System.gc();
                if (answer === undefined)
                    throw new Error('no');
                return answer;
            }
        });
        for (answer of answers) {
            attempt(() => memory.read_from_stream(0, -1, new Stream(), null));
            need(memory.describe_lock() === 'free');
            attempt(() => memory.resize(0, 8));
        }
    },

    'blocks in values, properties and signals'() {
        const Holder = GObject.registerClass({
            GTypeName: 'Holder',
            Properties: {
                memory: GObject.ParamSpec.boxed('memory', '', '', GObject.ParamFlags.READWRITE, Quire.Memory.$gtype),
                mapping: GObject.ParamSpec.boxed('mapping', '', '', GObject.ParamFlags.READWRITE, Quire.Mapping.$gtype),
            },
            Signals: {full: {param_types: [Quire.Memory.$gtype]}},
        }, class extends GObject.Object {});
        const holder = new Holder();
        const kept = [];
        holder.connect('full', (_, memory) => kept.push(memory));
        for (let i = 0; i < 50; i++) {
            const memory = counting(100);
            holder.memory = memory;
            const info = holder.memory.map(READ);
            holder.emit('full', memory);
            attempt(() => { holder.memory = info; });
            attempt(() => { holder.mapping = info; });
            attempt(() => { holder.mapping = memory; });
            attempt(() => holder.emit('full', info));
            info.unmap();
            if (i % 10 === 0)
                System.gc();
        }
        holder.memory = null;
        holder.mapping = null;
        System.gc();
        need(kept.length === 50 && kept.every(memory => memory.length === 100));
        need(kept[0].describe_lock() === 'free');
    },

    'allocators written in JavaScript'() {
        const Own = GObject.registerClass({GTypeName: 'Own'}, class extends Quire.Allocator {});
        const own = new Own();
        Quire.Allocator.register('own', own);
        attempt(() => own.get_mem_type());
        need(isError(attempt(() => own.alloc(8, null))));
        own.set_default();
        need(isError(attempt(() => Quire.Memory.new(8))));
        attempt(() => Quire.Memory.merge_list([]));
        System.gc();
        Quire.Allocator.find('system').set_default();
    },

    'functions of an allocator that do anything'() {
        const kept = [];
        let act = () => {};
        const Own = GObject.registerClass(class Own extends Quire.Allocator {
            vfunc_alloc(size, params) {
                kept.push(params);
                act(params);
                return this.bind(counting(size), this.state);
            }

            vfunc_mapped(memory, flags) {
                kept.push(memory);
                act(memory, flags);
            }

            // What these throw is printed.
            vfunc_unmapped(memory) {
                kept.push(memory);
                attempt(() => act(memory));
            }

            vfunc_released(state) {
                kept.push(state);
                attempt(() => act(state));
            }
        });
        const own = new Own();
        const uses = [
            memory => memory.map(READ).unmap(), memory => memory.map(READ), memory => memory.withMap(READWRITE, d => d),
            memory => memory.copy(0, -1), memory => memory.share(1, 2).map(READ), memory => memory.to_bytes(),
            memory => memory.merge(memory), memory => [...memory], memory => memory.make_mapped(WRITE),
            memory => memory.close(), memory => own.bind(memory, memory), memory => memory.is_aligned(1),
        ];
        const acts = [
            () => {}, () => System.gc(), () => { throw new Error('no'); }, () => { throw null; },
            value => value?.close?.(), value => value?.map?.(READ), value => value?.fill?.(0, -1, 1),
            value => kept.push(value?.to_bytes?.()), () => kept.splice(0, 3), () => Quire.Allocator.dispatch(),
            value => own.bind(value, value), value => own.get_state(value), () => own.set_default(),
            value => { value.align = 5; }, () => GLib.MainContext.default().iteration(false),
            () => { Quire.Allocator.find('system').set_default(); }, value => value?.copy?.(),
        ];
        for (const each of acts) {
            for (const use of uses) {
                act = () => {};
                own.state = kept.length;
                const memory = attempt(() => own.alloc(8));
                act = each;
                attempt(() => use(memory));
                attempt(() => own.alloc(8, new Quire.AllocationParams({prefix: 3})));
                if (kept.length > 100)
                    kept.splice(0, 50);
            }
            System.gc();
            Quire.Allocator.dispatch();
        }
        Quire.Allocator.find('system').set_default();
        act = () => {};
        for (const value of kept.splice(0)) {
            attempt(() => value.get_sizes());
            attempt(() => value.map(READ).data);
            attempt(() => value.copy().align);
        }
    },

    'functions of an allocator called by hand'() {
        const Own = GObject.registerClass(class OwnByHand extends Quire.Allocator {
            vfunc_alloc(size) {
                return this.bind(Quire.Memory.new(size));
            }
        });
        const own = new Own();
        for (const name of ['vfunc_alloc', 'vfunc_mapped', 'vfunc_unmapped', 'vfunc_released', 'alloc', 'bind',
            'get_state', 'set_home', 'set_default', 'get_mem_type']) {
            for (const object of [Own.prototype, Quire.Allocator.prototype]) {
                callWithAll(args => object[name].apply(own, args), 2);
                for (const value of hostileValues())
                    attempt(() => object[name].call(value, value, value));
            }
        }
        Quire.Allocator.find('system').set_default();
        callWithAll(args => Quire.Allocator.dispatch(...args), 1);
    },

    'classes of allocators that are odd'() {
        for (const value of [null, 5, 'x', {}, class {}, () => 1, Quire.Memory, async () => 1, function* () {}]) {
            // What the others throw is printed.
            const names = typeof value === 'function' ? ['alloc', 'mapped'] : ['alloc', 'mapped', 'unmapped', 'released'];
            const members = Object.fromEntries(
                names.map(name => [`vfunc_${name}`, {value, configurable: true, writable: true}]));
            const klass = class extends Quire.Allocator {};
            Object.defineProperties(klass.prototype, members);
            const Own = attempt(() => GObject.registerClass({GTypeName: `Odd${random(1e9)}`}, klass));
            const own = attempt(() => new Own());
            attempt(() => own.alloc(8));
            attempt(() => own.bind(counting(8), 1).map(READ).unmap());
            System.gc();
            attempt(() => Quire.Allocator.dispatch());
        }
        class NoInit extends Quire.Allocator {
            _init() {}
        }
        const Lazy = GObject.registerClass(NoInit);
        const lazy = attempt(() => new Lazy());
        for (const name of ['alloc', 'bind', 'get_state', 'set_home', 'set_default', 'get_mem_type'])
            attempt(() => lazy[name](counting(8), null));
        attempt(() => Quire.Allocator.register('lazy', lazy));
        attempt(() => { Quire.Allocator._classInit = null; });
        Quire.Allocator.find('system').set_default();
    },

    'sizes that are too much'() {
        for (const size of [2 ** 47, 2 ** 53, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n])
            need(isError(attempt(() => Quire.Memory.new(size))));
        const memory = counting(8);
        for (const size of [2n ** 63n - 1n, 2n ** 62n, 2 ** 53]) {
            for (const offset of [0, 1, 8, -1, 2n ** 63n - 1n, -(2n ** 63n)]) {
                for (const name of ['share', 'copy', 'read', 'resize'])
                    need(isError(attempt(() => memory[name](offset, size))));
                attempt(() => memory.fill(offset, size, 1));
            }
        }
    },

    'exit with views alive'() {
        globalThis.kept = [];
        for (let i = 0; i < 1000; i++) {
            const memory = counting(100);
            const info = memory.map(READWRITE);
            globalThis.kept.push(info, info.data, memory.copy(0, -1).map(READ).data, counting(9).to_bytes());
        }
    },

    'System.exit with views alive'() {
        cases['exit with views alive']();
        print('survived');
        System.exit(0);
    },

    'three gigabytes'() {
        const size = 3 * 2 ** 30;
        const memory = Quire.Memory.new(size);
        const info = memory.map(READWRITE);
        const {data} = info;
        need(data.length === size);
        data[size - 1] = data[2 ** 31] = 7;
        need(memory.read(2 ** 31, 1).toArray()[0] === 7 && memory.read(size - 1, -1).toArray()[0] === 7);
    },
};
