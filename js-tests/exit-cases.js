// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Ways for a script to end with maps out; test-exit.js puts a few lines before this that
// import Quire, GLib, GObject and System in the way of a module or of a plain script, and a line
// after it that runs one case. Its name says how it ends.

/* global Quire, GLib, GObject, System */
/* exported cases */

const {READ, WRITE, READWRITE} = Quire.MapFlags;

function keepViews(count = 100) {
    globalThis.kept = [];
    for (let i = 0; i < count; i++) {
        const memory = Quire.Memory.new(1000 + i);
        const info = memory.map(READWRITE);
        info.data.fill(i);
        globalThis.kept.push(info, info.data, info.data.subarray(1), new DataView(info.data.buffer),
            memory.copy(0, -1).map(READ).data, memory.copy(0, -1).to_bytes());
    }
    return globalThis.kept;
}

// An allocator in JavaScript, with blocks in several states.
function keepBlocks() {
    const Own = GObject.registerClass(class Own extends Quire.Allocator {
        act() {}

        vfunc_alloc(size) {
            this.act();
            return this.bind(Quire.Memory.new(size), {size});
        }

        vfunc_mapped() {
            this.act();
        }

        vfunc_unmapped() {
            this.act();
        }

        vfunc_released() {
            this.act();
        }
    });
    const own = new Own();
    globalThis.kept = [];
    for (let i = 1; i < 20; i++) {
        globalThis.kept.push(own.alloc(i), own.alloc(i).map(READ), own.alloc(i).map(WRITE).data, own.alloc(i).to_bytes());
        own.alloc(i).map(READ);
    }
    return own;
}

const cases = {
    'the end of the script'() {
        keepViews();
    },

    'System.exit'() {
        keepViews();
        System.exit(7);
    },

    'System.exit in withMap'() {
        keepViews();
        Quire.Memory.new(100).withMap(WRITE, data => {
            data.fill(1);
            System.exit(7);
        });
    },

    'System.exit in a loop over a block'() {
        for (const _ of Quire.Memory.new(100))
            System.exit(7);
    },

    'System.exit in a finalizer of JavaScript'() {
        const registry = new FinalizationRegistry(() => System.exit(7));
        (() => registry.register(Quire.Memory.new(100).map(READ)))();
        System.gc();
    },

    'an exception that nobody catches'() {
        keepViews();
        throw new Error('on purpose');
    },

    'an exception in withMap'() {
        Quire.Memory.new(100).withMap(WRITE, () => {
            keepViews();
            throw new Error('on purpose');
        });
    },

    'an exception of Quire'() {
        const memory = Quire.Memory.new(100);
        globalThis.kept = memory.map(READ).data;
        memory.map(WRITE);
    },

    'closed handles with maps'() {
        globalThis.kept = [];
        for (let i = 0; i < 50; i++) {
            const share = Quire.Memory.new(100).share(0, -1);
            globalThis.kept.push(share, share.map(READ), share.map(READ).data);
            share.close();
        }
    },

    'an allocator with blocks'() {
        keepBlocks();
    },

    'System.exit with an allocator\'s blocks'() {
        keepBlocks();
        System.gc();
        System.exit(7);
    },

    'System.exit in a function of an allocator'() {
        const own = keepBlocks();
        own.act = () => System.exit(7);
        own.alloc(8);
    },

    'System.exit when a block is gone'() {
        const own = keepBlocks();
        globalThis.kept = null;
        own.act = () => System.exit(7);
        System.gc();
        Quire.Allocator.dispatch();
    },

    'an exception of an allocator'() {
        const own = keepBlocks();
        own.act = () => {
            throw new Error('on purpose');
        };
        own.alloc(8);
    },

    'the default allocator'() {
        keepBlocks().set_default();
        globalThis.more = [Quire.Memory.new(8), Quire.Memory.new(9).to_bytes()];
    },

    'detached arrays'() {
        for (const thing of keepViews())
            thing.release?.();
    },

    'a main loop with maps'() {
        const loop = GLib.MainLoop.new(null, false);
        let rounds = 0;
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
            keepViews(10);
            System.gc();
            if (++rounds < 20)
                return GLib.SOURCE_CONTINUE;
            loop.quit();
            return GLib.SOURCE_REMOVE;
        });
        loop.run();
    },

    'System.exit in a main loop'() {
        const memory = Quire.Memory.new(100);
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => memory.withMap(READWRITE, () => System.exit(7)));
        GLib.MainLoop.new(null, false).run();
    },

    'a collection after each step'() {
        const kept = [];
        for (let i = 0; i < 40; i++) {
            const memory = Quire.Memory.new(256);
            System.gc();
            const share = memory.share(1, 100);
            System.gc();
            const info = share.map(READ);
            System.gc();
            const {data} = info;
            System.gc();
            kept.push(data, info);
            if (i % 2)
                share.close();
            System.gc();
            if (i % 3 === 0)
                info.unmap();
            System.gc();
            kept.splice(0, i % 4);
            memory.close();
            System.gc();
        }
        globalThis.kept = kept;
    },

    'what is global is gone or changed'() {
        keepViews();
        for (const name of ['Uint8Array', 'ArrayBuffer', 'WeakMap', 'Object', 'Symbol', 'TypeError', 'Error'])
            globalThis[name] = undefined;
        // Whether it works then is another matter.
        try {
            const memory = Quire.Memory.new(8);
            const info = memory.map(READWRITE);
            info.data[0] = 1;
            info.unmap();
        } catch {
        }
    },
};
