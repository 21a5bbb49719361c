// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Which of the three ways to make views is under test. The build says so, for what is
// under test should not be asked:
//
//     native  arrays that are the block, and end with their map
//     bytes   arrays that are the block, by way of GLib.Bytes
//     copies  arrays that are copies, written back when the map ends

import GLib from 'gi://GLib';

export const mode = GLib.getenv('QUIRE_JS_MODE') ?? 'native';

if (!['native', 'bytes', 'copies'].includes(mode))
    throw new Error(`QUIRE_JS_MODE is ${mode}`);

export const isNative = mode === 'native';
export const isZeroCopy = mode !== 'copies';
