#!/usr/bin/env python3
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Counts the instructions of the hot paths, and of what grows, with callgrind.

    test-instructions.py VALGRIND HOT-PATHS

Unlike a time, a count is the same on a machine that has other things to do. A budget is for
Quire's own code, so the C library does not matter. It is a tenth above what gcc 12 and
clang 14 make of it, whichever is more: there is room for another compiler, but not for a
detour. What grows is counted at n and at 2 n.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

# How often hot-paths.c does each.
REPEAT = 100

# Path, what that is, and the most instructions of Quire's own for it.
PATHS = [
    ('alloc_64', 'alloc and unref of 64 B', 105),
    ('alloc_4096', 'alloc and unref of 4 KiB', 105),
    ('alloc_aligned', 'alloc aligned to 64 B, and unref', 243),
    ('acquire', 'alloc from a pool, and unref', 506),
    ('wrap', 'wrap and unref', 171),
    ('ref', 'ref and unref', 32),
    ('map_read', 'map READ and unmap', 155),
    ('map_write', 'map WRITE and unmap', 155),
    ('map_readwrite', 'map READ+WRITE and unmap', 155),
    ('map_refused', 'map WRITE of a share, which is refused', 92),
    ('map_share', 'map READ of a share, and unmap', 155),
    ('map_memfd', 'map READ of a memfd, and unmap', 155),
    ('share', 'share and unref', 174),
    ('share_share', 'share of a share, and unref', 174),
    ('is_span', 'is span', 54),
    ('merge', 'merge of a span, and unref', 255),
    ('copy_64', 'copy of 64 B, and unref', 232),
    ('binding_map', 'map for a binding, and unmap', 278),
]

# Path, what that is, and how much more it may be for twice as many.
GROWTH = [
    ('merge_spans', 'merge_list of spans', 2),
    ('merge_copies', 'merge_list of blocks that have to be copied', 2),
    ('share_all', 'as many shares of one block', 2),
    ('unref_all', 'the unref of them all', 2),
    ('weak_all', 'as many weak notifies', 2),
    ('unweak_half', 'half of them taken back', 2),
    ('notify_half', 'the run of the other half', 2),
    ('map_deep', 'a map within many', 1),
]


def read(path):
    """The instructions in a file of callgrind: all, and those of libquire."""
    total = own = 0
    in_quire = False
    objects = {}
    calls = False
    for line in path.read_text().splitlines():
        if match := re.match(r'ob=\((\d+)\)(?: (.*))?', line):
            number, name = match.groups()
            in_quire = 'libquire' in objects.setdefault(number, name)
        elif match := re.match(r'cob=\((\d+)\)(?: (.*))?', line):
            objects.setdefault(*match.groups())
        elif line.startswith('calls='):
            calls = True
        elif re.match(r'[+\-*\d]', line):
            # What follows a call is the cost of the callee.
            if not calls:
                cost = int(line.split()[1])
                total += cost
                own += cost if in_quire else 0
            calls = False
    return total, own


def count(valgrind, program):
    """Path to the counts of each time that it was gone."""
    counts = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([valgrind, '--quiet', '--tool=callgrind', '--instr-atstart=no',
                               f'--callgrind-out-file={folder}/out', program],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            # Valgrind 3.19 can't read what clang 14 writes.
            if 'debuginfo reader' in done.stderr:
                print('1..0 # SKIP valgrind does not know the debug information')
                sys.exit(0)
            sys.exit(done.stderr)
        dumps = sorted(pathlib.Path(folder).glob('out.*'),
                       key=lambda path: int(path.name.split('.')[-1]))
        for dump in dumps:
            if match := re.search(r'^desc: Trigger: Client Request: (\w+)', dump.read_text(), re.M):
                counts[match[1]].append(read(dump))
    return counts


def main():
    valgrind, program = sys.argv[1:]
    counts = count(valgrind, program)
    failed = 0
    number = 0

    print(f'1..{len(PATHS) + len(GROWTH)}')
    loop = counts['nothing'][-1][0]
    malloc = (counts['malloc_64'][-1][0] - loop) / REPEAT
    print(f'# instructions, a figure that does not depend on the load of the machine; '
          f'malloc and free of 64 B: {malloc:.0f}')

    def tell(well, text):
        nonlocal number, failed
        number += 1
        failed += not well
        print(f'{"ok" if well else "not ok"} {number} - {text}')

    for path, what, budget in PATHS:
        total, own = counts[path][-1]
        total, own = (total - loop) / REPEAT, own / REPEAT
        tell(0 < own <= budget,
             f'{what}: {total:.0f} instructions, {own:.0f} of them Quire\'s, of at most {budget}')

    for path, what, factor in GROWTH:
        (once, _), (twice, _) = counts[path]
        ratio = twice / once
        tell(0 < ratio <= factor * 1.1,
             f'{what}: {once} instructions for n, {ratio:.2f} times as many for 2 n')

    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
