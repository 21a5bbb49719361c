// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// A picture is edited in place, pixel by pixel, and then a GdkPixbuf stands on the very
// block:
//
//     gjs -m edit-picture.js PICTURE.ppm OUTPUT.png
//
// There is no cairo here: what GJS has of it makes surfaces with pixels of their own
// only, and an array can't get into one without a copy.

import GdkPixbuf from 'gi://GdkPixbuf?version=2.0';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

const {READ, WRITE, READWRITE} = Quire.MapFlags;

const HEADER = /^P6\s+(\d+)\s+(\d+)\s+255\s/;

let failures = 0;

// What is promised is checked as it is shown.
function check(promise, what) {
    if (!promise) {
        failures++;
        print(`  NOT SO: ${what}`);
    }
}

// Reads a file straight into a block.
function readBlock(path) {
    const file = Gio.File.new_for_path(path);
    const info = file.query_info(Gio.FILE_ATTRIBUTE_STANDARD_SIZE, Gio.FileQueryInfoFlags.NONE, null);
    const memory = new Quire.Memory(info.get_size());
    const stream = file.read(null);
    memory.read_from_stream(0, -1, stream, null);
    stream.close(null);
    print(`read      ${memory.length} bytes into a block`);
    return memory;
}

function parseHeader(data) {
    const match = HEADER.exec(new TextDecoder('latin1').decode(data.subarray(0, 100)));
    if (match === null)
        throw new Error('This is no binary PPM picture of 8 bits');
    const picture = {start: match[0].length, width: Number(match[1]), height: Number(match[2])};
    if (data.length !== picture.start + 3 * picture.width * picture.height)
        throw new Error('This is not a whole picture');
    return picture;
}

// Darkens the picture towards its corners, and inverts a disc in its midst.
function edit(pixels, width, height) {
    const radius = Math.min(width, height) / 4;
    const corner = Math.hypot(width / 2, height / 2);
    for (let y = 0, i = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i += 3) {
            const distance = Math.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2);
            const light = 1 - (distance / corner) ** 2;
            for (let c = i; c < i + 3; c++)
                pixels[c] = distance < radius ? 255 - pixels[c] : pixels[c] * light;
        }
    }
}

// That the pixbuf has no pixels of its own. Nobody may write while it lives; but
// JavaScript can't forbid to write what is mapped to read, and this one time that serves.
function prove(memory, pixbuf, start) {
    try {
        memory.map(WRITE);
        check(false, 'nobody writes under a pixbuf');
    } catch (error) {
        print(`refused   a write meanwhile: ${error.message}`);
    }

    // Where views are copies there is nothing to see.
    if (!Quire.zeroCopy)
        return;

    // To ask for the pixels of this one would give it some of its own; so it is its
    // copy that is asked.
    const firstPixel = () => pixbuf.copy().get_pixels()[0];
    memory.withMap(READ, data => {
        const before = data[start];
        data[start] = 255 - before;
        const seen = firstPixel();
        data[start] = before;
        print(`proved    a ${255 - before} in the block is a ${seen} in the pixbuf, where ${before} was`);
        check(seen === 255 - before, 'the pixbuf stands on the block');
        check(firstPixel() === before, 'and shows what is there');
    });
}

// What was written is what is in the block.
function compare(memory, path, {start, width, height}) {
    const loaded = GdkPixbuf.Pixbuf.new_from_file(path);
    const [found, rowstride] = [loaded.get_pixels(), loaded.get_rowstride()];
    const same = memory.withMap(READ, data => {
        for (let y = 0; y < height; y++) {
            for (let x = 0; x < 3 * width; x++) {
                if (found[y * rowstride + x] !== data[start + y * 3 * width + x])
                    return false;
            }
        }
        return loaded.get_width() === width && loaded.get_height() === height;
    });
    check(same, 'the PNG has the pixels of the block');
}

// All that has to do with the pixbuf, which is gone after this when the collector comes.
function write(memory, path, picture) {
    const {start, width, height} = picture;
    const share = memory.share(start, -1);
    const pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(share.to_bytes(), GdkPixbuf.Colorspace.RGB,
        false, 8, width, height, 3 * width);
    share.close();
    prove(memory, pixbuf, start);
    pixbuf.savev(path, 'png', [], []);
    check(!memory.is_writable(), 'the pixbuf is still on the block');
    print(`written   ${path}`);
    compare(memory, path, picture);
}

function run(input, output) {
    const memory = readBlock(input);
    const picture = memory.withMap(READWRITE, data => {
        const found = parseHeader(data);
        edit(data.subarray(found.start), found.width, found.height);
        return found;
    });
    print(`edited    ${picture.width} x ${picture.height} pixels in place`);

    write(memory, output, picture);

    System.gc();
    check(memory.is_writable(), 'the block is free again when the pixbuf is gone');
    print(`free      the pixbuf is gone: ${memory}`);
}

function main(args) {
    if (args.length !== 2) {
        printerr('usage: gjs -m edit-picture.js PICTURE.ppm OUTPUT.png');
        return 2;
    }

    try {
        run(...args);
    } catch (error) {
        printerr(error instanceof GLib.Error ? error.message : `${error}`);
        return 1;
    }

    print(failures === 0 ? 'ok' : 'failed');
    return failures === 0 ? 0 : 1;
}

System.exit(main(ARGV));
