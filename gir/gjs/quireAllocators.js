// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

/* exported makeAllocators */

// A part of the override of the Quire namespace.

const {GLib, GObject} = imports.gi;
const System = imports.system;

// Allocators whose functions are written in JavaScript. They are called on the thread of
// the engine only, and not while the collector is at work: so they have a home, where what
// comes at such a moment waits.
//
// GJS lends what it gives to these functions without a reference. Here they get what they
// may keep: of a block that a script is just using its own handle, of any other a new one.
function makeAllocators(Quire) {
    const {Allocator, Memory, MemoryError, binding_answer} = Quire;
    const {_init, alloc, bind, get_state} = Allocator.prototype;
    const {dispatch} = Allocator;
    const {merge_list} = Memory;
    const describe = Memory.prototype.toString;
    // The handles that the calls which run were given, the innermost last.
    const inUse = [];
    // The handles of the maps that the allocators were told of, by block.
    const standing = new Map();
    // What one of the functions has thrown, until it comes out of the call that made it run.
    let thrown = null;

    // What is the same for each handle of a block, and different for different blocks.
    function identify(memory) {
        return /native@(\w+)/.exec(describe.call(memory))?.[1];
    }

    function handleOf(lent, identity) {
        if (identity !== undefined) {
            for (const handle of inUse.flat()) {
                if (handle instanceof Memory && identify(handle) === identity)
                    return handle;
            }
        }
        return merge_list([lent])[0];
    }

    // Whether somebody asks for the handle again.
    function hearsOfEnd(allocator) {
        return allocator.vfunc_unmapped !== Allocator.prototype.vfunc_unmapped;
    }

    function isNotCalled(error) {
        return thrown === null && error instanceof GLib.Error &&
            error.matches(MemoryError, MemoryError.BUSY) && / is not called: /.test(error.message);
    }

    function toError(value) {
        if (value instanceof GLib.Error)
            return value;
        return new MemoryError({code: MemoryError.FAILED, message: String(value)});
    }

    // What goes through C in the place of something that was thrown.
    function note(value) {
        const error = toError(value);
        thrown = {value, message: error.message};
        return error;
    }

    // What was thrown where nobody can be given it is printed.
    function report(value) {
        logError(typeof value === 'object' && value !== null ? value : new Error(String(value)));
    }

    const wrappers = {
        vfunc_alloc: method => function (size, params) {
            binding_answer();
            thrown = null;
            try {
                const memory = method.call(this, size, params.copy());
                if (!(memory instanceof Memory))
                    throw new TypeError(`vfunc_alloc() gave no Quire.Memory, but ${String(memory)}`);
                memory.get_flags();
                return memory;
            } catch (value) {
                throw note(value);
            }
        },

        vfunc_mapped: method => function (lent, flags) {
            binding_answer();
            thrown = null;
            try {
                const identity = identify(lent);
                const memory = handleOf(lent, identity);
                method.call(this, memory, flags);
                if (identity !== undefined && hearsOfEnd(this))
                    standing.set(identity, [...standing.get(identity) ?? [], memory]);
            } catch (value) {
                throw note(value);
            }
        },

        vfunc_unmapped: method => function (lent) {
            binding_answer();
            try {
                const identity = identify(lent), memories = standing.get(identity);
                const memory = memories?.pop() ?? handleOf(lent, identity);
                if (memories?.length === 0)
                    standing.delete(identity);
                method.call(this, memory);
            } catch (value) {
                report(value);
            }
        },

        vfunc_released: method => function (state) {
            binding_answer();
            try {
                method.call(this, valueOf(state));
            } catch (value) {
                report(value);
            }
        },
    };

    // A state may be any value, for C it is an object. What is added to that keeps it for
    // as long as C has it.
    function wrapState(value) {
        const state = new GObject.Object();
        state._quireValue = value;
        return state;
    }

    function valueOf(state) {
        return state !== null && '_quireValue' in state ? state._quireValue : state;
    }

    // GJS takes an object whose _init() did not get to ours for none at all.
    const made = new WeakSet(), ready = new WeakSet();

    function checkReady(allocator) {
        if (ready.has(allocator))
            return;
        for (let prototype = allocator; prototype instanceof Allocator; prototype = Object.getPrototypeOf(prototype)) {
            if (made.has(prototype))
                throw new TypeError('This allocator was not initialized: super._init() was not called');
        }
    }

    const allocators = {
        checkReady,

        // Whether there is one; without, nobody has to do anything.
        any: false,

        // Calls a method that may have allocators called, and lets them know then what has
        // ended meanwhile. It is no function made for the call, as the engine keeps the last
        // one that was called here, and with it what that knows.
        during(handles, method, object, ...args) {
            inUse.push(handles);
            try {
                try {
                    return method.apply(object, args);
                } catch (error) {
                    // GJS calls no function of a script between the slices of a collection that
                    // sweeps, though scripts run there. The native helper ends such a one first;
                    // without it only this does.
                    if (!isNotCalled(error))
                        throw error;
                    System.gc();
                    return method.apply(object, args);
                }
            } catch (error) {
                if (thrown !== null && error instanceof GLib.Error && error.message === thrown.message)
                    throw thrown.value;
                throw error;
            } finally {
                inUse.pop();
                if (inUse.length === 0) {
                    thrown = null;
                    dispatch();
                }
            }
        },
    };

    Object.defineProperty(Allocator, '_classInit', {
        value(klass) {
            const {prototype} = klass;
            const own = {};
            for (const [name, wrap] of Object.entries(wrappers)) {
                const method = Object.getOwnPropertyDescriptor(prototype, name);
                if (typeof method?.value === 'function') {
                    own[name] = method;
                    Object.defineProperty(prototype, name, {...method, value: wrap(method.value)});
                }
            }
            // What a class that derives from this one finds by super is as it was written.
            try {
                klass = GObject.Object._classInit(klass);
            } finally {
                Object.defineProperties(prototype, own);
            }
            const bits = Object.keys(wrappers).map((name, i) => name in own ? 1 << i : 0);
            made.add(prototype);
            Quire.binding_expect_answers(klass.$gtype, bits.reduce((a, b) => a | b, 0));
            return klass;
        },
    });

    Object.assign(Allocator.prototype, {
        _init(...args) {
            _init.apply(this, args);
            ready.add(this);
            this.set_home();
            allocators.any = true;
        },

        // Allocates a block.
        alloc(size, params = null) {
            return allocators.during([], alloc, this, size, params);
        },

        // Makes a block of this allocator over another one. The state is what
        // vfunc_released() gets when the block is gone.
        bind(backing, state = null) {
            return allocators.during([backing], bind, this, backing, state === null ? null : wrapState(state));
        },

        get_state(memory) {
            return valueOf(get_state.call(this, memory));
        },
    });

    return allocators;
}
