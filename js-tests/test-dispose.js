// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Where the engine knows Symbol.dispose, blocks and maps are disposable. This one may not
// know it; so it is put there before Quire is loaded.

if (Symbol.dispose === undefined)
    Object.defineProperty(Symbol, 'dispose', {value: Symbol('Symbol.dispose')});

const {default: Quire} = await import('gi://Quire?version=1.0');
const {isNative} = await import('./mode.js');
const {equal, finish, test, throws, throwsError} = await import('./tap.js');

const {MapFlags, MemoryError} = Quire;

test('the end of a using closes a block', () => {
    const memory = new Quire.Memory(8);
    const share = memory.share(0, -1);
    share[Symbol.dispose]();
    equal(share.is_closed(), true);
    share[Symbol.dispose]();
    throwsError(() => share.map(MapFlags.READ), MemoryError.CLOSED, /closed/);
    if (isNative)
        equal(memory.describe_lock(), 'free');
});

test('the end of a using ends a map', () => {
    const memory = new Quire.Memory(8);
    const info = memory.map(MapFlags.WRITE);
    info[Symbol.dispose]();
    equal(info.is_released(), true);
    equal(memory.describe_lock(), 'free');
    info[Symbol.dispose]();
    throws(() => info.data);
});

finish();
