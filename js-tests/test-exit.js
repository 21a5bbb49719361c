// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// A script that ends with maps and arrays alive ends as any other: each case of
// exit-cases.js in a process of its own, as a module and as a plain script.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {equal, finish, ok, test} from './tap.js';

const PREAMBLES = {
    module: [
        "import GLib from 'gi://GLib';",
        "import GObject from 'gi://GObject';",
        "import Quire from 'gi://Quire?version=1.0';",
        "import System from 'system';",
    ],
    script: [
        "imports.gi.versions.Quire = '1.0';",
        'const {GLib, GObject, Quire} = imports.gi;',
        'const System = imports.system;',
    ],
};
const RUN = `
const wanted = System.programArgs[0];
if (wanted === undefined)
    print(JSON.stringify(Object.keys(cases)));
else
    cases[wanted]();
`;

const STATUS = [
    [/^System.exit in a finalizer/, [0, 7]],
    [/^System.exit/, [7]],
    [/^an exception/, [1]],
    [/./, [0]],
];

// The interpreter that runs this.
const gjs = GLib.file_read_link('/proc/self/exe');
const folder = GLib.dir_make_tmp('quire-XXXXXX');
const here = Gio.File.new_for_uri(import.meta.url).get_parent();
const [, source] = GLib.file_get_contents(here.get_child('exit-cases.js').get_path());

// Exceptions that nobody catches are criticals of GJS: those are no failures here.
const launcher = new Gio.SubprocessLauncher({
    flags: Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE,
});
launcher.unsetenv('G_DEBUG');

const programs = {};
for (const [mode, preamble] of Object.entries(PREAMBLES)) {
    programs[mode] = GLib.build_filenamev([folder, `${mode}.js`]);
    GLib.file_set_contents(programs[mode],
        `${preamble.join('\n')}\n${new TextDecoder().decode(source)}${RUN}`);
}

function run(mode, ...args) {
    const process = launcher.spawnv([gjs, ...mode === 'module' ? ['-m'] : [], programs[mode], ...args]);
    const [, out, errors] = process.communicate_utf8(null, null);
    return {
        out,
        errors,
        status: process.get_if_exited() ? process.get_exit_status() : `signal ${process.get_term_sig()}`,
    };
}

const names = JSON.parse(run('module').out);
for (const name of names) {
    for (const mode of Object.keys(PREAMBLES)) {
        test(`${name}, in a ${mode}`, () => {
            const {status, errors} = run(mode, name);
            const [, expected] = STATUS.find(([pattern]) => pattern.test(name));
            ok(expected.includes(status), `${status} ${errors}`);
            // The only complaints are about exceptions.
            const others = errors.split('\n').filter(line => /CRITICAL|WARNING \*\*|ERROR \*\*/.test(line))
                .filter(line => !/JS ERROR|threw an exception|terminated with an uncatchable/.test(line));
            equal(others.join('\n'), '');
        });
    }
}

test('the cases ran', () => {
    ok(names.length > 10, `${names.length}`);
});

for (const path of Object.values(programs))
    GLib.unlink(path);
GLib.rmdir(folder);
finish();
