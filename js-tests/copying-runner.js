// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Runs a test as it would run where GLib.Bytes are copied:
//
//     gjs -m copying-runner.js TEST.js

import './copying-bytes.js';

import Gio from 'gi://Gio';

await import(Gio.File.new_for_commandline_arg(ARGV.shift()).get_uri());
