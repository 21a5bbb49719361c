// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// What Quire.d.ts declares is what there is, name by name.

import Gio from 'gi://Gio';
import GIRepository from 'gi://GIRepository?version=2.0';
import GLib from 'gi://GLib';

// Quire.d.ts declares what engines have that know this.
if (Symbol.dispose === undefined)
    Object.defineProperty(Symbol, 'dispose', {value: Symbol('Symbol.dispose')});

const {default: Quire} = await import('gi://Quire?version=1.0');
const {deepEqual, equal, finish, ok, test} = await import('./tap.js');

const file = Gio.File.new_for_uri(import.meta.url).get_parent()
    .resolve_relative_path('../gir/gjs/Quire.d.ts');
const [, content] = GLib.file_get_contents(file.get_path());
const source = new TextDecoder().decode(content).replace(/\/\*\*.*?\*\//gs, '').replace(/^ *\/\/.*$/gm, '');

// What the namespace declares: each name with the names that are declared in it, those
// of a class itself as 'static name'. It is enough to know how the file is indented.
function parse(text) {
    const found = new Map();
    let members = null;
    for (const line of text.split('\n')) {
        const outer = /^ {8}(?:(?:class|enum) (\w+).*\{|(?:const|function) (\w+)\b.*;)$/.exec(line);
        if (outer !== null) {
            members = new Set();
            found.set(outer[1] ?? outer[2], members);
            continue;
        }
        const inner = /^ {12}(static )?(?:readonly )?(?:\[')?([\w$]+|\[Symbol\.\w+\])(?:'\])?[<(:,]/.exec(line);
        if (inner !== null && inner[2] !== 'constructor')
            members.add(`${inner[1] ?? ''}${inner[2]}`);
    }
    return found;
}

// The same of what there is.
function look() {
    const found = new Map();
    const repository = GIRepository.Repository.get_default();
    const names = new Set(Object.keys(Quire));
    // GJS knows of a virtual function when it is asked for it.
    const virtual = new Map();
    for (let i = 0; i < repository.get_n_infos('Quire'); i++) {
        const info = repository.get_info('Quire', i);
        names.add(info.get_name());
        if (info.get_type() === GIRepository.InfoType.OBJECT) {
            virtual.set(info.get_name(), Array.from(
                {length: GIRepository.object_info_get_n_vfuncs(info)},
                (_, n) => `vfunc_${GIRepository.object_info_get_vfunc(info, n).get_name()}`));
        }
    }

    const namesOf = (object, ...without) => Reflect.ownKeys(object)
        .map(key => typeof key === 'symbol' ? `[${key.description}]` : key)
        .filter(key => !without.includes(key) && !/^\[?_|toStringTag/.test(key));
    for (const name of names) {
        const value = Quire[name];
        if (value === undefined)
            continue;
        let members = [];
        if (typeof value === 'object') {
            members = namesOf(value, '$gtype');
        } else if (typeof value === 'function' && value.prototype !== undefined) {
            members = [
                ...namesOf(value, 'prototype', 'length', 'name', 'valueOf', '[Symbol.hasInstance]')
                    .map(key => `static ${key}`),
                ...namesOf(value.prototype, 'constructor'),
            ];
        }
        found.set(name, new Set([...members, ...virtual.get(name) ?? []]));
    }
    return found;
}

const declared = parse(source), there = look();
const sorted = names => [...names].sort();

test('the names of the namespace', () => {
    deepEqual(sorted(declared.keys()), sorted(there.keys()), `${sorted(declared.keys())} | ${sorted(there.keys())}`);
    ok(declared.size > 10);
});

for (const [name, members] of there) {
    test(`the names of ${name}`, () => {
        const missing = sorted(members).filter(member => !declared.get(name)?.has(member));
        const surplus = sorted(declared.get(name) ?? []).filter(member => !members.has(member));
        // These come from Object and from GLib.Error.
        equal(surplus.filter(member => !['toString', 'valueOf'].includes(member)).join(' '), '', 'only declared');
        equal(missing.join(' '), '', 'not declared');
    });
}

test('there was something to compare', () => {
    ok(declared.get('Memory').size > 50);
    ok(declared.get('MapInfo').has('data'));
    ok(there.get('Allocator').has('vfunc_alloc'));
    ok(declared.get('Memory').has('static wrap') && declared.get('Memory').has('[Symbol.iterator]'));
});

finish();
