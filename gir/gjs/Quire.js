// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

/* exported _init */

// Blocks of memory for JavaScript: the override of the Quire namespace.
//
// Introspection gives the functions. Here a map gets its data, a Uint8Array that is the
// block itself; and blocks and maps get the manners of JavaScript.

const GLib = imports.gi.GLib;
const System = imports.system;
const {makeAllocators} = imports.overrides.quireAllocators;

// From this size on the collector is told of a block before it is mapped.
const LARGE = 65536;

// What a map is made of. There are two ways: the native helper, whose arrays are the
// block and have no length any more when the map has ended; and, where that is missing,
// GLib.Bytes. Each has the same functions.

// The native helper gives maps that are objects of its own. It knows no introspected
// objects, so each block has a handle there.
function makeNativeMaps(prototype) {
    // For tests, and to tell whose fault something is.
    if (GLib.getenv('QUIRE_GJS_NATIVE') === '0')
        return null;

    let QuireGjs;
    try {
        imports.gi.versions.QuireGjs = '1.0';
        QuireGjs = imports.gi.QuireGjs;
    } catch {
        return null;
    }
    if (!QuireGjs.install(1))
        return null;

    const native = globalThis.__quireNative;
    delete globalThis.__quireNative;
    const handles = new WeakMap();

    function handleOf(memory) {
        let handle = handles.get(memory);
        if (handle === undefined) {
            QuireGjs.offer(memory);
            handle = native.take();
            handles.set(memory, handle);
        }
        return handle;
    }

    function fail() {
        const [domain, code, message] = native.error();
        throw new GLib.Error(domain, code, message);
    }

    return {
        zeroCopy: true,
        map: (memory, flags) => native.map(handleOf(memory), flags, prototype, memory) ?? fail(),
        unmap: (memory, info) => native.unmap(handleOf(memory), info) || fail(),
        release: info => native.release(info),
        data: info => native.data(info),
        about: info => native.about(info),
        close: memory => native.close(handleOf(memory)),

        // The collector learns of the size of a block by its handle.
        adopt: memory => handleOf(memory),
    };
}

// Whether GLib.Bytes.toArray() gives an array over the bytes themselves. Some versions
// of GJS copy; nothing but a try tells.
function probeZeroCopy(Memory, map, READWRITE) {
    const bytes = map.call(Memory.new(1), READWRITE).view_bytes();
    const view = bytes.toArray();
    view[0] = 0x51;
    const first = bytes.toArray()[0];
    view[0] = 0xae;
    return first === 0x51 && bytes.toArray()[0] === 0xae;
}

// The way over GLib.Bytes: a map is a plain object, and an introspected mapping behind
// it. Where GJS copies, what a script wrote is written back at the end of the map.
function makeBytesMaps(Quire, prototype) {
    const {map, unmap, get_flags, get_parent} = Quire.Memory.prototype;
    const {READWRITE, WRITE} = Quire.MapFlags;
    const {READONLY} = Quire.MemoryFlags;
    const states = new WeakMap();
    let zeroCopy;

    function stateOf(info) {
        const state = states.get(info);
        if (state === undefined)
            throw new TypeError('This is no Quire.MapInfo');
        return state;
    }

    function writeBack({mapping, view}) {
        if (view !== undefined && !maps.zeroCopy && (mapping.get_flags() & WRITE) !== 0)
            mapping.write_back(view);
    }

    const maps = {
        get zeroCopy() {
            zeroCopy ??= probeZeroCopy(Quire.Memory, map, READWRITE);
            return zeroCopy;
        },

        map(memory, flags) {
            const info = Object.create(prototype);
            states.set(info, {memory, mapping: map.call(memory, flags), view: undefined});
            return info;
        },

        unmap(memory, info) {
            const state = stateOf(info);
            if (!state.mapping.is_released())
                writeBack(state);
            unmap.call(memory, state.mapping);
            state.memory = null;
        },

        release(info) {
            const state = stateOf(info);
            if (state.mapping.is_released())
                return;
            writeBack(state);
            state.mapping.release();
            state.memory = null;
        },

        data(info) {
            const state = stateOf(info);
            if (state.mapping.is_released())
                return null;
            if (state.view === undefined) {
                const {memory, mapping} = state;
                const view = mapping.view_bytes().toArray();
                // A write to pages that can't be written, as of a file that is mapped,
                // would end the process; and here nothing tells which they are.
                const root = get_parent.call(memory) ?? memory;
                state.view = (get_flags.call(root) & READONLY) !== 0 ? view.slice() : view;
            }
            return state.view;
        },

        about(info) {
            const {mapping, memory} = stateOf(info);
            return [mapping.get_flags(), mapping.get_size(), mapping.get_maxsize(),
                mapping.is_released(), memory];
        },

        // What the block holds goes with its wrapper, when the collector has come.
        close() {},

        adopt() {},
    };
    return maps;
}

// Each name_with_underscores of an object also asCamelCase, as GJS has it for
// properties.
function addCamelCase(object) {
    for (const name of Object.getOwnPropertyNames(object)) {
        const camel = name.replace(/(?<=[^_])_([a-z])/g, (_, letter) => letter.toUpperCase());
        if (camel !== name && typeof object[name] === 'function' && !(camel in object))
            Object.defineProperty(object, camel, {value: object[name], writable: true, configurable: true});
    }
}

// The bytes of an ArrayBuffer, or of a view of one.
function bytesOfBuffer(data) {
    if (data instanceof Uint8Array)
        return data;
    if (data instanceof ArrayBuffer)
        return new Uint8Array(data);
    if (ArrayBuffer.isView(data))
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    throw new TypeError('An ArrayBuffer or a view of one is wanted');
}

// The same, of GLib.Bytes, or of an array of numbers.
function bytesOf(data) {
    if (data instanceof GLib.Bytes)
        return data.toArray();
    if (!Array.isArray(data))
        return bytesOfBuffer(data);

    for (const byte of data) {
        if (!Number.isInteger(byte) || byte < 0 || byte > 255)
            throw new TypeError(`${String(byte)} is no byte`);
    }
    return Uint8Array.from(data);
}

function _init() {
    const Quire = this;
    const {Memory, MemoryError, MapFlags} = Quire;
    const allocators = makeAllocators(Quire);
    const closed = new WeakSet();
    let anyClosed = false;
    const getSizes = Memory.prototype.get_sizes;

    // GJS makes 0 of what is no number, and cuts off fractions.
    function checkNumbers(object, name, places) {
        const method = object[name];
        object[name] = function (...args) {
            for (const place of places) {
                const value = args[place];
                if (place < args.length && typeof value !== 'bigint' && !Number.isInteger(value))
                    throw new TypeError(`${name}: argument ${place + 1} is no whole number: ${String(value)}`);
            }
            return method.apply(this, args);
        };
    }

    function refuseClosed(...handles) {
        if (anyClosed && handles.some(handle => closed.has(handle))) {
            throw new MemoryError({
                code: MemoryError.CLOSED,
                message: 'The handle of the block was closed',
            });
        }
    }

    function fail(info) {
        throw new MemoryError({
            code: MemoryError.CLOSED,
            message: `The mapping of ${info.size} bytes has ended already`,
        });
    }

    function checkFlags(flags) {
        if (!Number.isInteger(flags) || flags < 0 || flags > 0xffffffff)
            throw new TypeError(`${String(flags)} are no flags of Quire.MapFlags`);
    }

    // The result of a function. A script that makes large blocks in a loop would run out of
    // memory, were the collector not told.
    function told(result) {
        const memory = Array.isArray(result) ? result[0] : result;
        if (memory instanceof Memory && getSizes.call(memory)[2] >= LARGE)
            maps.adopt(memory);
        return result;
    }

    // A map of a block, as Memory.map() gives it.
    class MapInfo {
        constructor() {
            throw new TypeError('A Quire.MapInfo comes from Quire.Memory.map()');
        }

        // A Uint8Array over the block, the same at each access. JavaScript can't forbid
        // to write to it, so with a map to read that is up to the script.
        get data() {
            return maps.data(this) ?? fail(this);
        }

        get flags() {
            return maps.about(this)[0];
        }

        get size() {
            return maps.about(this)[1];
        }

        get maxsize() {
            return maps.about(this)[2];
        }

        // The block; null when the map has ended.
        get memory() {
            return maps.about(this)[4];
        }

        get_flags() {
            return this.flags;
        }

        get_size() {
            return this.size;
        }

        get_maxsize() {
            return this.maxsize;
        }

        get_memory() {
            return this.memory;
        }

        is_released() {
            return maps.about(this)[3];
        }

        // Ends the map; a second time that is an error.
        unmap() {
            unmap(this.memory ?? fail(this), this);
        }

        // Ends the map, if it has not ended.
        release() {
            if (allocators.any)
                allocators.during([], maps.release, maps, this);
            else
                maps.release(this);
        }

        close() {
            this.release();
        }

        toString() {
            const [flags, size, , ended] = maps.about(this);
            return `[Quire.MapInfo ${size} bytes, flags ${flags}${ended ? ', ended' : ''}]`;
        }
    }

    function unmap(memory, info) {
        if (allocators.any)
            allocators.during([memory], maps.unmap, maps, memory, info);
        else
            maps.unmap(memory, info);
    }

    const maps = makeNativeMaps(MapInfo.prototype) ?? makeBytesMaps(Quire, MapInfo.prototype);

    // Whether the data of a map is the block, or a copy that is written back when the
    // map ends.
    Object.defineProperty(Quire, 'zeroCopy', {enumerable: true, get: () => maps.zeroCopy});

    // What introspection gives knows nothing of handles that were closed; and it hands
    // out the success of what tells something else, and throws where there is none.
    const tellsMore = ['compare', 'read_from_stream'];
    const makesBlock = ['copy', 'make_writable', 'merge'];
    for (const name of Object.getOwnPropertyNames(Memory.prototype)) {
        const method = Memory.prototype[name];
        if (['constructor', 'toString', 'map', 'unmap', 'make_mapped'].includes(name))
            continue;
        Memory.prototype[name] = function (...args) {
            refuseClosed(this, ...args);
            const result = allocators.any
                ? allocators.during([this, ...args], method, this, ...args)
                : method.apply(this, args);
            if (makesBlock.includes(name))
                return told(result);
            return tellsMore.includes(name) ? result[1] : result;
        };
    }
    const mergeList = Memory.merge_list;
    Memory.merge_list = function (memories) {
        refuseClosed(...memories);
        return told(allocators.during([...memories], mergeList, Memory, memories));
    };
    Quire.memory_merge_list = Memory.merge_list;

    const numbers = {
        share: [0, 1], copy: [0, 1], resize: [0, 1], fill: [0, 1, 2], read: [0, 1], write: [0],
        is_aligned: [0], read_from_stream: [0, 1], add_seals: [0],
    };
    for (const [name, places] of Object.entries(numbers))
        checkNumbers(Memory.prototype, name, places);
    checkNumbers(Memory, 'new', [0]);
    checkNumbers(Memory, 'new_with_params', [0]);
    checkNumbers(Memory, 'new_from_fd', [0, 1, 2, 3]);
    checkNumbers(Memory, 'receive', [1]);
    checkNumbers(Memory, 'receive_async', [1]);

    for (const name of ['alloc', 'bind', 'get_mem_type', 'get_state', 'set_default', 'set_home']) {
        const method = Quire.Allocator.prototype[name];
        Quire.Allocator.prototype[name] = function (...args) {
            allocators.checkReady(this);
            refuseClosed(...args);
            return told(method.apply(this, args));
        };
    }
    checkNumbers(Quire.Allocator.prototype, 'alloc', [0]);

    const {register} = Quire.Allocator;
    Quire.Allocator.register = function (name, allocator) {
        allocators.checkReady(allocator);
        register(name, allocator);
    };

    for (const name of ['new', 'new_with_params', 'new_from_bytes', 'new_from_fd', 'receive', 'receive_finish']) {
        const method = Memory[name];
        Memory[name] = function (...args) {
            return told(allocators.during([], method, Memory, ...args));
        };
    }

    // Blocks that a script has dropped have their descriptors until the collector comes, and
    // it does not know how few a process may have.
    function collecting(object, name, concerns = () => true) {
        const method = object[name];
        object[name] = function (...args) {
            try {
                return method.apply(this, args);
            } catch (error) {
                if (!(error instanceof GLib.Error) || !error.matches(MemoryError, MemoryError.NO_SPACE) ||
                    !concerns(this))
                    throw error;
            }
            // The second one waits for what the first one does in the background.
            System.gc();
            System.gc();
            return method.apply(this, args);
        };
    }

    const newFromFd = Memory.new_from_fd;
    Memory.new_from_fd = function (fd, offset = 0, size = -1, flags = Quire.FdFlags.NONE) {
        return newFromFd(fd, offset, size, flags);
    };
    collecting(Quire.Allocator.prototype, 'alloc', allocator => allocator instanceof Quire.FdAllocator);
    collecting(Memory, 'new_from_fd');
    collecting(Memory.prototype, 'dup_fd');

    // Introspection has functions of a class in the namespace too.
    for (const name of ['receive', 'receive_async', 'receive_finish', 'send_finish'])
        Quire[`memory_${name}`] = Memory[name];

    for (const name of ['lock', 'unlock']) {
        const method = Memory.prototype[name];
        Memory.prototype[name] = function (flags) {
            checkFlags(flags);
            return method.call(this, flags);
        };
    }

    // GJS takes whatever has a length for an array of bytes, a block among them, and makes
    // bytes of what is none.
    const {write} = Memory.prototype;
    Memory.prototype.write = function (offset, data) {
        refuseClosed(this);
        return write.call(this, offset, bytesOf(data));
    };

    Object.assign(Memory.prototype, {
        map(flags) {
            checkFlags(flags);
            refuseClosed(this);
            return allocators.any
                ? allocators.during([this], maps.map, maps, this, flags)
                : maps.map(this, flags);
        },

        unmap(info) {
            refuseClosed(this);
            unmap(this, info);
        },

        // Maps the block, or, if that is refused, a copy of it: info.memory tells.
        make_mapped(flags) {
            checkFlags(flags);
            try {
                return this.map(flags);
            } catch {
                return this.copy(0, -1).map(flags);
            }
        },

        // Calls a function with the data of a map, which ends with it, even if it
        // throws. Gives what the function gives.
        withMap(flags, callback) {
            const info = this.map(flags);
            try {
                return callback(info.data, info);
            } finally {
                info.release();
            }
        },

        // Gives the handle up at once: a share no longer keeps its block from being
        // written. Maps that stand are good until they end. A second time it does
        // nothing.
        close() {
            if (closed.has(this))
                return;
            maps.close(this);
            closed.add(this);
            anyClosed = true;
        },

        is_closed() {
            return closed.has(this);
        },

        // The bytes, under a map to read that lasts as long as the loop.
        *[Symbol.iterator]() {
            const info = this.map(MapFlags.READ);
            try {
                yield* info.data;
            } finally {
                info.release();
            }
        },

        toString() {
            if (closed.has(this))
                return '[Quire.Memory, closed]';
            const [size, offset, maxsize] = this.get_sizes();
            return `[Quire.Memory ${size} bytes at ${offset} of ${maxsize}, ` +
                `${this.get_allocator().get_mem_type()}: ${this.describe_lock()}]`;
        },
    });

    Object.defineProperty(Memory.prototype, 'length', {
        configurable: true,
        get() {
            return this.get_sizes()[0];
        },
    });

    // A block with a copy of the bytes of an array, or of what else has an ArrayBuffer.
    Memory.wrap = function (data) {
        data = bytesOfBuffer(data);
        const memory = Memory.new(data.length);
        memory.withMap(MapFlags.WRITE, view => view.set(data));
        return memory;
    };

    if (Symbol.dispose !== undefined) {
        Memory.prototype[Symbol.dispose] = Memory.prototype.close;
        MapInfo.prototype[Symbol.dispose] = MapInfo.prototype.close;
    }

    const {Allocator, PoolAllocator} = Quire;
    checkNumbers(Allocator.prototype, 'alloc', [0]);
    checkNumbers(PoolAllocator, 'new', [1, 3]);
    checkNumbers(Quire.MemfdAllocator, 'new', [1]);
    for (const name of ['acquire', 'acquire_async', 'prealloc', 'trim', 'set_max_wait'])
        checkNumbers(PoolAllocator.prototype, name, [0]);

    // A block that a script has dropped, closed or not, is back in its pool when the
    // collector has come: so that comes before a block is refused, or waited for.
    function collectForPool(pool) {
        const {n_free: free, n_blocks: blocks} = pool.get_stats();
        if (free === 0 && blocks === pool.get_max_blocks()) {
            System.gc();
            System.gc();
        }
    }

    const {alloc} = Allocator.prototype;
    Allocator.prototype.alloc = function (...args) {
        if (this instanceof PoolAllocator)
            collectForPool(this);
        return told(alloc.apply(this, args));
    };
    for (const name of ['acquire', 'acquire_async']) {
        const method = PoolAllocator.prototype[name];
        PoolAllocator.prototype[name] = function (...args) {
            collectForPool(this);
            return told(method.apply(this, args));
        };
    }
    const acquireFinish = PoolAllocator.prototype.acquire_finish;
    PoolAllocator.prototype.acquire_finish = function (result) {
        return told(acquireFinish.call(this, result));
    };

    for (const object of [Memory, Memory.prototype, MapInfo.prototype,
        Allocator, Allocator.prototype, PoolAllocator, PoolAllocator.prototype,
        Quire.GuardAllocator.prototype, Quire.MemfdAllocator.prototype])
        addCamelCase(object);

    // Quire.Mapping stays what introspection knows; but nothing gives one any more.
    Quire.MapInfo = MapInfo;
}
