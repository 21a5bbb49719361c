// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// What scripts see of the library, and what they must not.

import GIRepository from 'gi://GIRepository?version=2.0';
import GObject from 'gi://GObject';
import Quire from 'gi://Quire?version=1.0';

import {countingBlock} from './blocks.js';
import {deepEqual, equal, finish, ok, test, throws} from './tap.js';

const repository = GIRepository.Repository.get_default();

function methodsOf(info) {
    const isObject = info.get_type() === GIRepository.InfoType.OBJECT;
    const count = isObject
        ? GIRepository.object_info_get_n_methods(info)
        : GIRepository.struct_info_get_n_methods(info);
    return Array.from({length: count}, (_, i) => isObject
        ? GIRepository.object_info_get_method(info, i)
        : GIRepository.struct_info_get_method(info, i));
}

// Every function of the typelib, methods included.
function allFunctions() {
    const functions = [];
    for (let i = 0; i < repository.get_n_infos('Quire'); i++) {
        const info = repository.get_info('Quire', i);
        switch (info.get_type()) {
        case GIRepository.InfoType.FUNCTION:
            functions.push(['', info]);
            break;
        case GIRepository.InfoType.STRUCT:
        case GIRepository.InfoType.BOXED:
        case GIRepository.InfoType.OBJECT:
            methodsOf(info).forEach(method => functions.push([`${info.get_name()}.`, method]));
            break;
        }
    }
    return functions;
}

function isPointer(type) {
    return GIRepository.type_info_get_tag(type) === GIRepository.TypeTag.VOID &&
        GIRepository.type_info_is_pointer(type);
}

test('the names of the types', () => {
    for (const name of ['Memory', 'Mapping', 'Allocator', 'AllocationParams', 'MemoryFlags', 'MapFlags']) {
        ok(Quire[name], name);
        equal(GObject.type_name(Quire[name].$gtype), `Quire${name}`);
    }
    equal(typeof Quire.MapInfo, 'function');
    ok(GObject.type_is_a(Quire.Memory.$gtype, GObject.TYPE_BOXED));
    ok(GObject.type_is_a(Quire.Mapping.$gtype, GObject.TYPE_BOXED));
    ok(GObject.type_is_a(Quire.Allocator.$gtype, GObject.TYPE_OBJECT));
});

test('the version', () => {
    equal(Quire.__version__, '1.0');
    equal(Quire.MAJOR_VERSION, 1);
    for (const name of ['MINOR_VERSION', 'MICRO_VERSION'])
        ok(Number.isInteger(Quire[name]), name);
});

test('the values of the flags', () => {
    const values = (type, names) => names.map(name => type[name]);
    deepEqual(values(Quire.MapFlags, ['NONE', 'READ', 'WRITE', 'READWRITE', 'EXCLUSIVE', 'UNIQUE', 'LAST']),
        [0, 1, 2, 3, 4, 8, 1 << 16]);
    deepEqual(values(Quire.MemoryFlags, [
        'NONE', 'READONLY', 'NO_SHARE', 'ZERO_PREFIXED', 'ZERO_PADDED', 'PHYSICALLY_CONTIGUOUS',
        'NOT_MAPPABLE', 'LAST',
    ]), [0, 1, 2, 4, 8, 16, 32, 1 << 16]);
});

test('the codes of the errors', () => {
    const names = [
        'FAILED', 'READ_ONLY', 'BUSY', 'NOT_MAPPABLE', 'NOT_SHAREABLE', 'OUT_OF_RANGE', 'NO_SPACE',
        'TOO_LARGE', 'CLOSED', 'NOT_SUPPORTED',
    ];
    deepEqual(names.map(name => Quire.MemoryError[name]), names.map((_, i) => i));
    equal(Quire.MemoryError.quark(), Quire.memory_error_quark());
});

test('what a block can do', () => {
    for (const name of ['new', 'new_with_params', 'new_from_bytes', 'merge_list'])
        equal(typeof Quire.Memory[name], 'function', name);
    for (const name of [
        'get_sizes', 'resize', 'map', 'unmap', 'make_mapped', 'share', 'is_span', 'merge', 'copy', 'fill',
        'compare', 'read', 'write', 'read_from_stream', 'is_writable', 'make_writable', 'is_type',
        'is_aligned', 'get_align', 'get_flags', 'get_allocator', 'get_parent', 'to_bytes', 'lock', 'unlock',
        'describe_lock', 'is_closed',
    ])
        equal(typeof Quire.Memory.prototype[name], 'function', name);
});

test('what a mapping can do', () => {
    for (const name of ['release', 'is_released'])
        equal(typeof Quire.MapInfo.prototype[name], 'function', name);
    for (const name of ['memory', 'flags', 'size', 'maxsize', 'data']) {
        const {get, set} = Object.getOwnPropertyDescriptor(Quire.MapInfo.prototype, name);
        equal(typeof get, 'function', name);
        equal(set, undefined, name);
    }
});

test('what allocators and their parameters can do', () => {
    for (const name of ['find', 'register', 'get_default_align'])
        equal(typeof Quire.Allocator[name], 'function', name);
    for (const name of ['alloc', 'get_mem_type', 'set_default'])
        equal(typeof Quire.Allocator.prototype[name], 'function', name);
    const params = new Quire.AllocationParams();
    for (const name of ['flags', 'align', 'prefix', 'padding'])
        equal(params[name], 0, name);
    equal(typeof params.copy, 'function');
});

test('counts, pointers and dying memories are not for scripts', () => {
    const memory = countingBlock(8);
    const mapping = memory.map(Quire.MapFlags.READ);
    for (const name of [
        'ref', 'unref', 'init', 'init_base', 'weak_ref', 'weak_unref', 'set_qdata', 'get_qdata', 'steal_qdata',
        'replace', 'take', 'steal', 'new_wrapped', 'try_new_wrapped', 'map_full', 'dup_parent', 'pin', 'unpin',
        'allocator', 'parent', 'maxsize', 'align', 'offset', 'ref_count', 'pins', 'base', 'qdata',
    ]) {
        equal(memory[name], undefined, `a block's ${name}`);
        equal(Quire.Memory[name], undefined, `Quire.Memory.${name}`);
        equal(Quire[`memory_${name}`], undefined, `Quire.memory_${name}`);
    }
    for (const name of [
        'ref', 'unref', 'dup_memory', 'acquire_view', 'release_view', 'peek_info', 'info', 'ref_count', 'state',
        'user_data', 'clear',
    ]) {
        equal(mapping[name], undefined, `a mapping's ${name}`);
        equal(Quire.MapInfo[name], undefined, `Quire.MapInfo.${name}`);
    }
    for (const name of ['free', 'init'])
        equal(Quire.AllocationParams.prototype[name], undefined, `AllocationParams.${name}`);
});

test('the C forms that the languages do not need are hidden', () => {
    for (const [where, info] of allFunctions()) {
        const name = info.get_name();
        ok(!/^(try_|memory_try_)|_full$|_internal/.test(name), `${where}${name}`);
    }
    ok(allFunctions().length > 30);
});

test('no function has to do with a bare pointer', () => {
    for (const [where, info] of allFunctions()) {
        const name = `${where}${info.get_name()}`;
        ok(!isPointer(GIRepository.callable_info_get_return_type(info)), name);
        const args = [];
        for (let i = 0; i < GIRepository.callable_info_get_n_args(info); i++)
            args.push(GIRepository.callable_info_get_arg(info, i));
        // That of a callback is the language's own.
        const closures = args.map(arg => GIRepository.arg_info_get_closure(arg));
        args.forEach((arg, i) => ok(closures.includes(i) || !isPointer(GIRepository.arg_info_get_type(arg)),
            `${name}(${arg.get_name()})`));
    }
});

test('blocks and mappings have no fields, and C has the map info for itself', () => {
    for (const name of ['Memory', 'Mapping'])
        equal(GIRepository.struct_info_get_n_fields(repository.find_by_name('Quire', name)), 0, name);
    equal(repository.find_by_name('Quire', 'MapInfo'), null);
});

test('allocators have no functions for C to override', () => {
    const info = repository.find_by_name('Quire', 'Allocator');
    for (let i = 0; i < GIRepository.object_info_get_n_vfuncs(info); i++) {
        const name = GIRepository.object_info_get_vfunc(info, i).get_name();
        ok(!/^(free|mem_)/.test(name), name);
    }
    throws(() => GObject.registerClass(class extends Quire.Allocator {
        vfunc_free() {}
    }));
    throws(() => GObject.registerClass(class extends Quire.Allocator {
        vfunc_mem_map() {}
    }));
});

test('a method gives what it tells, without its success', () => {
    const memory = countingBlock(8);
    equal(typeof memory.compare(memory), 'number');
    equal(typeof memory.is_closed(), 'boolean');
    deepEqual(memory.is_span(memory), [false, 0]);
    equal(memory.merge(memory).length, 2);
});

finish();
