#!/usr/bin/env python3
#
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the studies and the frames job in C, Python and JavaScript, shows what they
print, and ends in a table.

    run-demo.py BUILDDIR

How each one is run is what the build says of its tests, so there is nothing to
set up. The exit status is 1 if anything failed, or was not built.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

LANGUAGES = {'c': 'C', 'py': 'Python', 'js': 'JavaScript'}
STUDIES = ['align', 'map', 'span']
MAIN_JOB = 'frames'
# What there is in one language only.
MORE = {
    'c': ['across'],
    'py': ['tracing-allocator', 'mmap-file-allocator'],
    'js': ['counting-allocator', 'edit-picture'],
}
TIMEOUT = 120

# As meson tells of it.
Test = dict[str, Any]

PROJECT = pathlib.Path(__file__).resolve().parent.parent


def shown(text: object) -> str:
    """A text with the paths in it as a reader would type them in the project."""
    return str(text).replace(f'{PROJECT}{os.sep}', '')


def load_examples(build: pathlib.Path) -> dict[str, Test]:
    """The tests of the build that are examples, by name."""
    introspection = build / 'meson-info' / 'intro-tests.json'
    try:
        tests = json.loads(introspection.read_text())
    except FileNotFoundError:
        sys.exit(f'{build} is no build directory: {introspection} is missing')
    return {test['name']: test for test in tests
            if any(suite.endswith('examples') for suite in test['suite'])}


def outputs_of(test: Test) -> tuple[pathlib.Path, pathlib.Path]:
    ppm = pathlib.Path(test['cmd'][-1])
    return ppm, ppm.with_suffix('.png')


def run(test: Test, build: pathlib.Path) -> tuple[str, str | None, str]:
    """Runs an example as meson does. Returns what it printed, how many bytes it says were copied,
    if it says so, and whether all was well."""
    try:
        process = subprocess.run(test['cmd'], env=os.environ | test['env'], cwd=build,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 encoding='utf-8', errors='replace', timeout=TIMEOUT)
        printed, status = process.stdout, process.returncode
    except subprocess.TimeoutExpired:
        return f'took more than {TIMEOUT} seconds', None, 'timed out'
    except OSError as error:
        return str(error), None, 'failed'

    copied = re.search(r'^bytes copied: (\d+)$', printed, re.MULTILINE)
    lines = printed.rstrip().splitlines()
    result = 'ok' if status == 0 and lines and lines[-1] == 'ok' else f'failed ({status})'
    return printed, copied[1] if copied else None, result


def print_table(rows: list[tuple[str, ...]]) -> None:
    header = ('language', 'what ran', 'bytes copied', 'result')
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, ['-' * width for width in widths], *rows]:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main() -> int:
    if len(sys.argv) != 2:
        print(f'usage: {sys.argv[0]} BUILDDIR', file=sys.stderr)
        return 2

    build = pathlib.Path(sys.argv[1]).resolve()
    examples = load_examples(build)
    rows: list[tuple[str, ...]] = []
    outputs = {}

    for key, language in LANGUAGES.items():
        for name in [*STUDIES, MAIN_JOB, *MORE.get(key, [])]:
            test = examples.get(f'{name}-{key}')
            if test is None:
                rows.append((language, name, '-', 'not built'))
                continue

            # What an earlier run left is no result of this one.
            if name == MAIN_JOB:
                outputs[language] = outputs_of(test)
                for path in outputs[language]:
                    path.unlink(missing_ok=True)

            print(f'=== {language}: {name}\n', flush=True)
            printed, copied, result = run(test, build)
            print(shown(printed.rstrip()), end='\n\n', flush=True)
            rows.append((language, name, copied or '-', result))

    pictures = [ppm.read_bytes() for ppm, _ in outputs.values() if ppm.exists()]
    print('=== The pictures\n')
    for language, paths in outputs.items():
        written = [shown(path) for path in paths if path.exists()]
        print(f'{language:12}{"  ".join(written) or "none"}')
    same = len(pictures) == len(LANGUAGES) and len(set(pictures)) == 1
    print(f'{"":12}{"the same, byte for byte" if same else "not all there, or not the same"}\n')

    print_table(rows)
    return 0 if same and all(row[-1] == 'ok' for row in rows) else 1


if __name__ == '__main__':
    sys.exit(main())
