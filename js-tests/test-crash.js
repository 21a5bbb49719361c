// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// No script crashes the process, whatever it does: each case of crash-cases.js in a
// process of its own, as a module and as a plain script.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {equal, finish, ok, test} from './tap.js';

const PREAMBLES = {
    module: [
        "import Gio from 'gi://Gio';",
        "import GLib from 'gi://GLib';",
        "import GObject from 'gi://GObject';",
        "import Quire from 'gi://Quire?version=1.0';",
        "import System from 'system';",
    ],
    script: [
        "imports.gi.versions.Quire = '1.0';",
        'const {Gio, GLib, GObject, Quire} = imports.gi;',
        'const System = imports.system;',
    ],
};
const RUN = `
const wanted = System.programArgs[0];
if (wanted === undefined) {
    print(JSON.stringify(Object.keys(cases)));
} else {
    cases[wanted]();
    checkHealth();
    print('survived');
}
`;

// The interpreter that runs this.
const gjs = GLib.file_read_link('/proc/self/exe');
const folder = GLib.dir_make_tmp('quire-XXXXXX');
const cases = Gio.File.new_for_uri(import.meta.url).get_parent().get_child('crash-cases.js');
const [, source] = GLib.file_get_contents(cases.get_path());

const launcher = new Gio.SubprocessLauncher({
    flags: Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE,
});
launcher.setenv('G_DEBUG', 'fatal-criticals', true);
// It is in the way of the large blocks.
launcher.unsetenv('MALLOC_PERTURB_');

const programs = {};
for (const [mode, preamble] of Object.entries(PREAMBLES)) {
    programs[mode] = GLib.build_filenamev([folder, `${mode}.js`]);
    GLib.file_set_contents(programs[mode], `${preamble.join('\n')}\n${new TextDecoder().decode(source)}${RUN}`);
}

function start(mode, ...args) {
    return launcher.spawnv([gjs, ...mode === 'module' ? ['-m'] : [], programs[mode], ...args]);
}

function end(process) {
    const [, out, errors] = process.communicate_utf8(null, null);
    return {
        out: out.trim(),
        errors: errors.split('\n').filter(line => !/JS WARNING|safely stored|^$/.test(line)).slice(-8).join('\n'),
        status: process.get_if_exited() ? process.get_exit_status() : `signal ${process.get_term_sig()}`,
    };
}

const names = JSON.parse(end(start('module')).out);

// All of them at once would need a lot of memory.
const waiting = names.flatMap(name => ['module', 'script'].map(mode => ({name, mode})));
const running = [];
while (waiting.length > 0 || running.length > 0) {
    while (waiting.length > 0 && running.length < 3) {
        const next = waiting.shift();
        running.push({...next, process: start(next.mode, next.name)});
    }
    const {name, mode, process} = running.shift();
    const {out, errors, status} = end(process);
    test(`${name}, in a ${mode}`, () => {
        equal(status, 0, errors);
        equal(out, 'survived', errors);
    });
}

test('the cases ran', () => {
    ok(names.length > 20, `${names.length}`);
});

for (const path of Object.values(programs))
    GLib.unlink(path);
GLib.rmdir(folder);
finish();
