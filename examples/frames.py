#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A picture goes from file to file through one block of memory, and is never
copied:

    frames.py PICTURE.ppm OUTPUT.ppm

reads it into the block, inverts a band of rows in place, shares bands of rows out
of it, merges them back, and writes what it then has.
"""

import os
import re
import sys

import gi
import numpy as np

gi.require_version('Quire', '1.0')
from gi.repository import GLib, Quire

try:
    gi.require_version('GdkPixbuf', '2.0')
    from gi.repository import GdkPixbuf
except (ImportError, ValueError):
    GdkPixbuf = None  # type: ignore[assignment]

BANDS = 6

# Width, height and depth, with space and comments between.
HEADER = re.compile(rb'P6(?:\s|#.*\n)+(\d+)(?:\s|#.*\n)+(\d+)(?:\s|#.*\n)+255\s')

failures: list[str] = []


def check(promise: bool, what: str) -> None:
    """What is promised is checked as it is shown."""
    if not promise:
        failures.append(what)
        print('  NOT SO:', what)


def address_of(memory: Quire.Memory) -> int:
    return np.frombuffer(memory, np.uint8).ctypes.data


def read_block(path: str) -> Quire.Memory:
    """Reads a whole file straight into a block."""
    memory = Quire.Memory(os.stat(path).st_size)
    with open(path, 'rb', buffering=0) as file:
        done = file.readinto(memory)
    if done != len(memory):
        raise ValueError(f'{path}: only {done} of {len(memory)} bytes could be read')

    print(f'read      {done} bytes into a block at {address_of(memory):#x}')
    return memory


def parse_header(memory: Quire.Memory) -> tuple[int, int, int]:
    """Finds out what is in the block, through a view of it."""
    with memory.map(Quire.MapFlags.READ) as view:
        match = HEADER.match(view)
        if match:
            header, width, height = match.end(), int(match[1]), int(match[2])
            if width > 0 and height >= BANDS and len(view) == header + 3 * width * height:
                return header, width, height
    raise ValueError('This is no binary PPM picture of 8 bits, or not a whole one')


def share_and_merge(memory: Quire.Memory, header: int, height: int, stride: int) -> tuple[Quire.Memory, int]:
    """Shares the picture out, header and bands of rows, and merges them back one
    after the other."""
    start = address_of(memory)
    rows = height // BANDS
    merged = memory[:header]
    bytes_copied = 0

    for i in range(BANDS):
        # What the division left over is the last one's.
        begin = header + i * rows * stride
        band = memory[begin:begin + rows * stride] if i < BANDS - 1 else memory[begin:]
        print(f'shared    rows from {i * rows:4} on, {len(band):7} bytes at {address_of(band):#x}')
        check(address_of(band) == start + begin, 'a band is where the picture has it')

        merged, copied = merged.merge(band)
        bytes_copied += copied

    print(f'merged    {len(merged)} bytes at {address_of(merged):#x}, copied: {bytes_copied}')
    check(address_of(merged) == start and bytes_copied == 0, 'the merged bands are the block itself')

    try:
        memory.map(Quire.MapFlags.WRITE)
        check(False, 'nobody writes what others have shares of')
    except GLib.Error as error:
        print('refused   a write meanwhile:', error.message)

    return merged, bytes_copied


def write_bytes(gbytes: GLib.Bytes, path: str, address: int) -> None:
    """Writes GBytes, which go to whoever knows GLib. A block over them is a buffer."""
    received = Quire.Memory.new_from_bytes(gbytes)
    print(f'bytes     {len(received)} of them at {address_of(received):#x}')
    check(address_of(received) == address, 'the GBytes are the block itself')

    with open(path, 'wb', buffering=0) as file:
        check(file.write(received) == len(received), 'all is written')
    print('written  ', path)


def write_png(pixels: Quire.Memory, width: int, height: int, path: str) -> None:
    """The pixels as a PNG file: the pixbuf stands on the block itself."""
    stride = 3 * width
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(pixels.to_bytes(), GdkPixbuf.Colorspace.RGB,
                                             False, 8, width, height, stride)
    same = Quire.Memory.new_from_bytes(pixbuf.read_pixel_bytes())
    check(address_of(same) == address_of(pixels), 'the pixbuf has the pixels of the block')

    pixbuf.savev(path, 'png', [], [])
    print('written  ', path)

    meant = memoryview(pixels)
    loaded = GdkPixbuf.Pixbuf.new_from_file(path)
    found, rowstride = memoryview(loaded.get_pixels()), loaded.get_rowstride()
    check(all(found[y * rowstride:y * rowstride + stride] == meant[y * stride:(y + 1) * stride]
              for y in range(height)), 'the PNG has the same pixels')


def run(source: str, output: str) -> int:
    memory = read_block(source)
    header, width, height = parse_header(memory)
    stride = 3 * width
    print(f'found     a picture of {width} x {height} pixels')

    # A band of rows, an eighth of the picture, is changed where it stands.
    first, last = height // 2, height // 2 + height // 8
    pixels = np.frombuffer(memory, np.uint8, offset=header).reshape(height, width, 3)
    band = pixels[first:last]
    np.subtract(255, band, out=band)
    print(f'inverted  rows from {first:4} on, {band.nbytes:7} bytes in place')
    del pixels, band        # an array is a map: only without it there are shares

    merged, bytes_copied = share_and_merge(memory, header, height, stride)

    write_bytes(merged.to_bytes(), output, address_of(memory))
    if GdkPixbuf is not None:
        write_png(merged[header:], width, height, os.path.splitext(output)[0] + '.png')

    # When the last share goes, the block may be written again.
    merged.close()
    with memory.map(Quire.MapFlags.WRITE) as view:
        check(not view.readonly, 'the block is free again')

    # What was written is the input with that band inverted, made without Quire.
    meant, written = np.fromfile(source, np.uint8), np.fromfile(output, np.uint8)
    meant[header + first * stride:header + last * stride] ^= 255
    check(np.array_equal(written, meant), 'what was written is what was meant')

    return bytes_copied


def main() -> int:
    if len(sys.argv) != 3:
        print(f'usage: {sys.argv[0]} PICTURE.ppm OUTPUT.ppm', file=sys.stderr)
        return 2

    try:
        bytes_copied = run(*sys.argv[1:])
    except (OSError, ValueError, GLib.Error) as error:
        print(error, file=sys.stderr)
        return 1

    print(f'bytes copied: {bytes_copied}')
    print('failed' if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
