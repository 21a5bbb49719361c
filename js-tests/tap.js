// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// A little TAP: test() runs a function and prints a line for it, finish() prints the
// plan and ends the process. A test that checks nothing fails.

import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

let tests = 0;
let failures = 0;
let checks = 0;

class Failure extends Error {}

function show(value) {
    if (typeof value === 'bigint')
        return `${value}n`;
    if (ArrayBuffer.isView(value))
        return `[${value.slice(0, 32)}${value.length > 32 ? '…' : ''}]`;
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function fail(problem, what) {
    throw new Failure(what === undefined ? problem : `${what}: ${problem}`);
}

export function test(name, body) {
    const before = checks;
    tests++;
    try {
        body();
        if (checks === before)
            fail('the test checks nothing');
        print(`ok ${tests} - ${name}`);
    } catch (error) {
        failures++;
        print(`not ok ${tests} - ${name}`);
        print(`  ${error}\n${error.stack ?? ''}`.trimEnd().replace(/^/gm, '# '));
    }
}

export function finish() {
    print(`1..${tests}`);
    System.exit(failures === 0 ? 0 : 1);
}

export function ok(value, what) {
    checks++;
    if (!value)
        fail(`got ${show(value)}`, what);
}

export function equal(actual, expected, what) {
    checks++;
    if (!Object.is(actual, expected))
        fail(`got ${show(actual)}, expected ${show(expected)}`, what);
}

// Of arrays, typed or not, and of plain objects.
function isDeepEqual(a, b) {
    if (Object.is(a, b))
        return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
        return false;

    if (ArrayBuffer.isView(a))
        a = [...a];
    if (ArrayBuffer.isView(b))
        b = [...b];
    if (Array.isArray(a) !== Array.isArray(b))
        return false;

    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length &&
        keys.every(key => Object.hasOwn(b, key) && isDeepEqual(a[key], b[key]));
}

export function deepEqual(actual, expected, what) {
    checks++;
    if (!isDeepEqual(actual, expected))
        fail(`got ${show(actual)}, expected ${show(expected)}`, what);
}

// What fn throws; it has to throw something that is an Error.
export function throws(fn, what) {
    checks++;
    let result;
    try {
        result = fn();
    } catch (error) {
        if (!(error instanceof Error) && !(error instanceof GLib.Error))
            fail(`threw ${show(error)}`, what);
        return error;
    }
    return fail(`nothing was thrown, but ${show(result)} returned`, what);
}

// The same for an error of Quire, its code and its message.
export function throwsError(fn, code, message, what) {
    const error = throws(fn, what);
    const {MemoryError} = Quire;
    if (!(error instanceof GLib.Error) || !error.matches(MemoryError, code))
        fail(`threw ${error}, with the code ${error.code} and not ${code}`, what);
    if (!message.test(error.message))
        fail(`the message "${error.message}" does not match ${message}`, what);
    return error;
}
