// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Makes this GJS one of those whose GLib.Bytes.toArray() gives a copy. To be imported
// before Quire.

import GLib from 'gi://GLib';

const {toArray} = GLib.Bytes.prototype;

GLib.Bytes.prototype.toArray = function () {
    return toArray.call(this).slice();
};
