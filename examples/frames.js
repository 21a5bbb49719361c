// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// A picture goes from file to file through one block of memory, and is never
// copied:
//
//     gjs -m frames.js PICTURE.ppm OUTPUT.ppm
//
// reads it into the block, inverts a band of rows in place, shares bands of rows
// out of it, merges them back, and writes what it then has.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Quire from 'gi://Quire?version=1.0';
import System from 'system';

let GdkPixbuf = null;
try {
    GdkPixbuf = (await import('gi://GdkPixbuf?version=2.0')).default;
} catch {
    // There is no PNG then.
}

const {READ, WRITE} = Quire.MapFlags;

const BANDS = 6;

// Width, height and depth, with space and comments between.
const HEADER = /^P6(?:\s|#.*\n)+(\d+)(?:\s|#.*\n)+(\d+)(?:\s|#.*\n)+255\s/;

let failures = 0;

// What is promised is checked as it is shown.
function check(promise, what) {
    if (!promise) {
        failures++;
        print(`  NOT SO: ${what}`);
    }
}

// Calls a function with a Uint8Array that is the block.
function withView(memory, flags, callback) {
    const info = memory.map(flags);
    try {
        return callback(info.data);
    } finally {
        memory.unmap(info);
    }
}

// Reads a whole file straight into a block.
function readBlock(path) {
    const file = Gio.File.new_for_path(path);
    const info = file.query_info(Gio.FILE_ATTRIBUTE_STANDARD_SIZE, Gio.FileQueryInfoFlags.NONE, null);
    const memory = Quire.Memory.new(info.get_size());

    const stream = file.read(null);
    const done = memory.read_from_stream(0, -1, stream, null);
    stream.close(null);
    if (done !== memory.get_sizes()[0])
        throw new Error(`${path}: only ${done} of ${memory.get_sizes()[0]} bytes could be read`);

    print(`read      ${done} bytes into a block`);
    return memory;
}

// Finds out what is in the block, through a view of it.
function parseHeader(memory) {
    return withView(memory, READ, data => {
        const start = new TextDecoder('latin1').decode(data.subarray(0, 1000));
        const match = HEADER.exec(start);
        if (match !== null) {
            const [header, width, height] = [match[0].length, Number(match[1]), Number(match[2])];
            if (width > 0 && height >= BANDS && data.length === header + 3 * width * height)
                return [header, width, height];
        }
        throw new Error('This is no binary PPM picture of 8 bits, or not a whole one');
    });
}

function invert(data) {
    for (let i = 0; i < data.length; i++)
        data[i] = 255 - data[i];
}

// Shares the picture out, header and bands of rows, and merges them back one after
// the other.
function shareAndMerge(memory, header, height, stride) {
    const rows = Math.floor(height / BANDS);
    let merged = memory.share(0, header);
    let bytesCopied = 0;

    for (let i = 0; i < BANDS; i++) {
        // What the division left over is the last one's.
        const begin = header + i * rows * stride;
        const band = memory.share(begin, i < BANDS - 1 ? rows * stride : -1);
        const [size, offset] = band.get_sizes();
        print(`shared    rows from ${`${i * rows}`.padStart(4)} on, ` +
            `${`${size}`.padStart(7)} bytes at offset ${offset}`);

        const [span] = merged.is_span(band);
        check(span, 'a band is the neighbour of those before it');

        let copied;
        [merged, copied] = merged.merge(band);
        bytesCopied += copied;
    }

    const [size, offset] = merged.get_sizes();
    print(`merged    ${size} bytes at offset ${offset}, copied: ${bytesCopied}`);
    check(offset === 0 && size === memory.get_sizes()[0] && bytesCopied === 0,
        'the merged bands are the whole block');

    try {
        memory.map(WRITE);
        check(false, 'nobody writes what others have shares of');
    } catch (error) {
        print(`refused   a write meanwhile: ${error.message}`);
    }

    return [merged, bytesCopied];
}

// Writes a memory as GBytes, which go to whoever knows GLib. GJS leaks a reference
// whenever a method of GLib.Bytes is called, and this one is a share of the block:
// so the memory is asked for the size.
function writeBytes(memory, path) {
    const [size] = memory.get_sizes();
    const bytes = memory.to_bytes();
    print(`bytes     ${size} of them`);

    const stream = Gio.File.new_for_path(path).replace(null, false, Gio.FileCreateFlags.NONE, null);
    check(stream.write_bytes(bytes, null) === size, 'all is written');
    stream.close(null);
    print(`written   ${path}`);
}

// The pixels as a PNG file: the pixbuf stands on the block itself.
function writePng(pixels, width, height, path) {
    const stride = 3 * width;
    const pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(pixels.to_bytes(), GdkPixbuf.Colorspace.RGB,
        false, 8, width, height, stride);
    pixbuf.savev(path, 'png', [], []);
    print(`written   ${path}`);

    const loaded = GdkPixbuf.Pixbuf.new_from_file(path);
    const found = loaded.get_pixels();
    const rowstride = loaded.get_rowstride();
    withView(pixels, READ, meant => {
        let same = true;
        for (let y = 0; y < height && same; y++) {
            for (let x = 0; x < stride; x++)
                same &&= found[y * rowstride + x] === meant[y * stride + x];
        }
        check(same, 'the PNG has the same pixels');
    });
}

// The merged bands are the block itself, if a write to the block shows in them. Nobody
// may write what others have shares of; but JavaScript can't forbid to write what is
// mapped to read, and this one time that serves.
function prove(memory, merged, position) {
    // Where views are copies there is nothing to see.
    if (!Quire.zeroCopy)
        return;

    withView(memory, READ, data => withView(merged, READ, seen => {
        const before = seen[position];
        data[position] = 255 - before;
        const after = seen[position];
        data[position] = before;
        print(`proved    a write of ${255 - before} to the block shows in what was merged: ` +
            `${before} became ${after}`);
        check(after === 255 - before, 'a write to the block shows in the merged bands');
    }));
}

// All that is done with shares. They go when this is over and the collector has run.
function handOn(memory, header, width, height, output) {
    const [merged, bytesCopied] = shareAndMerge(memory, header, height, 3 * width);

    writeBytes(merged, output);
    if (GdkPixbuf !== null)
        writePng(merged.share(header, -1), width, height, output.replace(/\.ppm$/, '') + '.png');
    prove(memory, merged, header);

    return bytesCopied;
}

function run(input, output) {
    const memory = readBlock(input);
    const [header, width, height] = parseHeader(memory);
    const stride = 3 * width;
    print(`found     a picture of ${width} x ${height} pixels`);

    // A band of rows, an eighth of the picture, is changed where it stands.
    const first = Math.floor(height / 2);
    const [begin, end] = [first, first + Math.floor(height / 8)].map(row => header + row * stride);
    withView(memory, READ | WRITE, data => invert(data.subarray(begin, end)));
    print(`inverted  rows from ${`${first}`.padStart(4)} on, ` +
        `${`${end - begin}`.padStart(7)} bytes in place`);

    const bytesCopied = handOn(memory, header, width, height, output);
    System.gc();
    check(memory.is_writable(), 'the block is free again when the shares are gone');

    // What was written is the input with that band inverted, made without Quire.
    const [, meant] = GLib.file_get_contents(input);
    const [, written] = GLib.file_get_contents(output);
    invert(meant.subarray(begin, end));
    check(written.length === meant.length && written.every((byte, i) => byte === meant[i]),
        'what was written is what was meant');

    return bytesCopied;
}

function main(args) {
    if (args.length !== 2) {
        printerr('usage: gjs -m frames.js PICTURE.ppm OUTPUT.ppm');
        return 2;
    }

    let bytesCopied;
    try {
        bytesCopied = run(...args);
    } catch (error) {
        printerr(error.message);
        return 1;
    }

    print(`bytes copied: ${bytesCopied}`);
    print(failures === 0 ? 'ok' : 'failed');
    return failures === 0 ? 0 : 1;
}

System.exit(main(ARGV));
