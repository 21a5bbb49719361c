// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

/* exported _init */

// Blocks of memory for JavaScript: the override of the Quire namespace.
//
// What introspection gives is nearly all there is: m.map(flags), m.unmap(info),
// m.share(offset, size) and the rest. Here a mapping gets its data, a Uint8Array
// that is the block itself.

const GLib = imports.gi.GLib;

// Whether GLib.Bytes.toArray() gives an array over the bytes themselves. Some
// versions of GJS copy; nothing but a try tells.
function probeZeroCopy(Quire) {
    const info = Quire.Memory.new(1).map(Quire.MapFlags.READWRITE);
    const bytes = info.view_bytes();
    const view = bytes.toArray();
    view[0] = 0x51;
    const first = bytes.toArray()[0];
    view[0] = 0xae;
    return first === 0x51 && bytes.toArray()[0] === 0xae;
}

function _init() {
    const Quire = this;
    const views = new WeakMap();
    let zeroCopy;

    // True if the data of a mapping is the block. If it is a copy, a map to write has
    // no data: what a script wrote there would be lost.
    Object.defineProperty(Quire, 'zeroCopy', {
        enumerable: true,
        get() {
            zeroCopy ??= probeZeroCopy(Quire);
            return zeroCopy;
        },
    });

    // A Uint8Array over the block, the same at each access. After the end of the map
    // there is none; an array that the script has kept stays memory-safe, but is
    // outside the lock. JavaScript can't forbid to write to it, so with a map to read
    // that is up to the script.
    function getData() {
        let view = views.get(this);
        if (view !== undefined && !this.is_released())
            return view;

        // This throws if the map has ended.
        const bytes = this.view_bytes();
        if (!Quire.zeroCopy && (this.get_flags() & Quire.MapFlags.WRITE) !== 0) {
            throw new GLib.Error(Quire.MemoryError, Quire.MemoryError.NOT_SUPPORTED,
                'This version of GJS has no array over the block to write to');
        }
        view = bytes.toArray();
        views.set(this, view);
        return view;
    }

    Object.defineProperties(Quire.Mapping.prototype, {
        memory: {get() {
            return this.get_memory();
        }},
        flags: {get() {
            return this.get_flags();
        }},
        size: {get() {
            return this.get_size();
        }},
        maxsize: {get() {
            return this.get_maxsize();
        }},
        data: {get: getData},
    });

    Quire.MapInfo = Quire.Mapping;

    // GJS hands out the success of these beside what they tell, and throws where there
    // is none.
    for (const name of ['compare', 'read_from_stream']) {
        const method = Quire.Memory.prototype[name];
        Quire.Memory.prototype[name] = function (...args) {
            const [, told] = method.apply(this, args);
            return told;
        };
    }
}
