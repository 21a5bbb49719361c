#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Renders the picture that the frames examples work on: a mountain lake at
sunset, as a binary PPM of 1280 x 720 pixels. The same picture every time.

    make-picture.py OUTPUT.ppm
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1280, 720
HORIZON = 430
SUN = (845.0, 355.0)

Numbers = NDArray[Any]
# Positions, and the colours there.
Stops = Sequence[tuple[float, tuple[int, int, int]]]


def noise(positions: Numbers, seed: int) -> Numbers:
    """Smooth noise in 0..1 over a line, from a table of random values."""
    table = np.random.RandomState(seed).random_sample(4096)
    cell = np.floor(positions).astype(int)
    t = positions - cell
    t = t * t * (3 - 2 * t)
    values: Numbers = table[cell % 4096] * (1 - t) + table[(cell + 1) % 4096] * t
    return values


def fractal(positions: Numbers, seed: int, octaves: int, gain: float = 0.5) -> Numbers:
    """Noise on top of finer noise, in 0..1."""
    octave: list[Numbers] = [gain ** i * noise(positions * 2 ** i, seed + i) for i in range(octaves)]
    total: Numbers = np.asarray(sum(octave)) / sum(gain ** i for i in range(octaves))
    return total


def gradient(t: Numbers, stops: Stops) -> Numbers:
    """Colours along t, from a list of (position, colour)."""
    positions = [position for position, _ in stops]
    return np.stack([np.interp(t, positions, [colour[c] for _, colour in stops])
                     for c in range(3)], axis=-1)


def blend(below: Numbers, above: Numbers, alpha: Numbers) -> Numbers:
    blended: Numbers = below + (above - below) * np.asarray(alpha)[..., None]
    return blended


def sky(x: Numbers, y: Numbers) -> Numbers:
    image = gradient(y / HORIZON, [(0.00, (24, 32, 78)), (0.35, (84, 72, 134)),
                                   (0.62, (198, 104, 118)), (0.82, (250, 164, 104)),
                                   (1.00, (255, 216, 150))])
    distance = np.hypot(x - SUN[0], y - SUN[1])
    image = blend(image, np.array((255, 196, 120)), 0.75 * np.exp(-distance / 150))
    image = blend(image, np.array((255, 246, 214)), np.clip(47 - distance, 0, 1))

    random = np.random.RandomState(7)
    stars = np.zeros((HEIGHT, WIDTH))
    rows = (random.random_sample(260) ** 1.7 * 210).astype(int)
    stars[rows, random.randint(0, WIDTH, 260)] = random.random_sample(260) * (1 - rows / 230)
    image = blend(image, np.array((255, 250, 240)), stars[y.astype(int), x.astype(int)])

    # Streaks of cloud, lit from below.
    for i, (height, thickness, density) in enumerate(((112, 17, .50), (178, 11, .60),
                                                      (232, 13, .55), (286, 8, .70))):
        along = x / 190 + i * 37
        centre = height + 26 * (noise(along * 0.7, 50 + i) - 0.5)
        shape = np.exp(-((y - centre) / (thickness * (0.4 + noise(along, 60 + i)))) ** 2)
        texture = np.clip(fractal(along * 2 + y / 60, 70 + i, 5) * 2.6 - 0.9, 0, 1)
        light = gradient(np.clip((y - centre) / thickness * 0.5 + 0.5, 0, 1),
                         [(0, (150, 104, 146)), (1, (255, 188, 148))])
        image = blend(image, light, density * shape * texture)
    return image


def mountains(image: Numbers, x: Numbers, y: Numbers) -> Numbers:
    #         base height rough seed  crest              foot             scale
    ranges = ((392, 150, 0.52, 11, (150, 104, 146), (236, 166, 144), 240),
              (412, 128, 0.50, 23, (98, 76, 122), (190, 128, 132), 200),
              (430, 100, 0.47, 41, (52, 48, 88), (112, 84, 108), 165))
    for base, height, rough, seed, crest, foot, scale in ranges:
        column = np.arange(WIDTH) / scale + seed
        line = base - height * (fractal(column, seed, 8, rough) * 1.5 - 0.38)
        line = np.minimum(line, base - 4)[x.astype(int)]
        depth = y - line
        colour = gradient(np.clip(depth / height, 0, 1), [(0, crest), (1, foot)])
        # Slopes that fall towards the sun are lit.
        slope = fractal(x / 26 + depth / 34 + seed, seed + 90, 4) - 0.5
        colour = colour * (1 + 0.34 * slope[..., None] * np.exp(-depth / 90)[..., None])
        image = blend(image, colour, np.clip(depth + 0.5, 0, 1))
    return image


def shore(image: Numbers, x: Numbers, y: Numbers) -> Numbers:
    """A dark line of firs where the far shore is."""
    column = np.arange(WIDTH)
    trees = np.zeros(WIDTH)
    random = np.random.RandomState(5)
    for _ in range(420):
        at, size = random.uniform(-20, WIDTH + 20), random.uniform(7, 21)
        if fractal(np.array([at / 130]), 300, 3)[0] < 0.42:
            continue
        trees = np.maximum(trees, size - np.abs(column - at) * 3.4)
    line = HORIZON - 4 - 5 * fractal(column / 90, 310, 4) - np.maximum(trees, 0)
    return blend(image, np.array((26, 28, 52)), np.clip(y - line[x.astype(int)] + 0.5, 0, 1))


def render() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    land = shore(mountains(sky(x, np.minimum(y, HORIZON)), x, y), x, y)

    # The lake shows the land upside down, shaken by waves that grow towards us.
    depth = np.clip(y - HORIZON, 0, None)
    near = depth / (HEIGHT - HORIZON)
    waves = (np.sin(depth ** 0.72 * 3.1 + 2.4 * noise(x / 120 + depth / 9, 400))
             + 0.8 * (noise(x / 26 + 7 * np.sqrt(depth), 410) - 0.5))
    source_y = np.clip(HORIZON - 1 - depth * 1.38 + waves * (1 + 9 * near), 0, HORIZON - 1)
    source_x = np.clip(x + waves * (1 + 5 * near), 0, WIDTH - 1)
    lake = land[source_y.astype(int), source_x.astype(int)]
    lake = blend(lake * 0.86, np.array((20, 34, 76)), 0.12 + 0.40 * near)

    # Sparks of the sun on the waves.
    glitter = (np.exp(-((x - SUN[0]) / (16 + 90 * near)) ** 2)
               * np.clip(noise(x / 11 + 31 * np.floor(depth ** 0.8), 420) * 2.4 - 1.35, 0, 1))
    lake = blend(lake, np.array((255, 224, 168)), 0.9 * glitter * (1 - 0.45 * near))

    image = np.where((y >= HORIZON)[..., None], lake, land)
    image += np.random.RandomState(1).random_sample((HEIGHT, WIDTH, 1)) - 0.5   # no banding
    pixels: NDArray[np.uint8] = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return pixels


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(f'usage: {sys.argv[0]} OUTPUT.ppm')
    with open(sys.argv[1], 'wb') as file:
        file.write(b'P6\n%d %d\n255\n' % (WIDTH, HEIGHT))
        file.write(render().data)


if __name__ == '__main__':
    main()
