#!/usr/bin/env python3
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs every test of every language, plain; and again with the address and the undefined
behaviour sanitizers those in C and in Python, and those in C with the thread sanitizer.
Prints a closing line for each runner, and last the sum of them all.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('BUILD', SOURCE / 'build'))

# What runs again, as what, with which sanitizers, which suites, and what is not built.
SANITIZED = [
    ('ASan and UBSan', 'asan', 'address,undefined', ['c', 'examples', 'python'], ['docs', 'gjs', 'vapi']),
    ('TSan', 'tsan', 'thread', ['c'], ['introspection']),
]
OPTIONS = ['-Db_lundef=false', '--buildtype=debug']


def build(folder, *options):
    if not (folder / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', folder, SOURCE, '-Dwerror=true', *options], check=True)
    # What makes the GIR runs a program of the library, and does not tidy up.
    subprocess.run(['ninja', '--quiet', '-C', folder], check=True,
                   env={**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'})


def run(folder, *suites):
    """Returns whether all is well; what went how is in the logs."""
    arguments = [argument for suite in suites for argument in ('--suite', suite)]
    return subprocess.run(['meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs',
                           *arguments]).returncode == 0


def show_instructions(build):
    """What the hot paths are counted to take, as test-instructions.py tells it."""
    with open(build / 'meson-logs' / 'testlog.json', encoding='utf-8') as log:
        for test in map(json.loads, log):
            if test['name'].endswith('instructions') and test.get('stdout'):
                print('\nInstructions, which do not depend on the load of the machine:')
                for text in re.findall(r'^(?:not )?ok \d+ - (.*)$', test['stdout'], re.M):
                    print(f'  {text}')


def meson_runner(suite, case):
    """The suite of a test, which meson gives as project:suite / test: in the name of the
    case, or, for a program that prints TAP, of the suite."""
    name = suite if '/' in suite else case
    return name.split(' / ')[0].split(':')[-1]


def junit_counts(path, runner_of):
    """Counts the cases of a JUnit file per runner, as passed, failed and skipped."""
    counts = collections.defaultdict(collections.Counter)
    for suite in ElementTree.parse(path).getroot().iter('testsuite'):
        for case in suite.iter('testcase'):
            runner = runner_of(suite.get('name'), case.get('name'))
            if case.find('failure') is not None or case.find('error') is not None:
                counts[runner]['failed'] += 1
            elif case.find('skipped') is not None:
                counts[runner]['skipped'] += 1
            else:
                counts[runner]['passed'] += 1
    return counts


def count_all(folder):
    """The counts of each runner of a build, after its tests were run."""
    counts = junit_counts(folder / 'meson-logs' / 'testlog.junit.xml', meson_runner)
    # pytest counts for itself: to meson it is one test.
    if counts.pop('python', None):
        counts.update(junit_counts(folder / 'python-tests' / 'python-tests.xml', lambda suite, case: 'python'))
    return counts


def line(count):
    text = f'{count["passed"]} passed, {count["failed"]} failed'
    return text + (f', {count["skipped"]} skipped' if count['skipped'] else '')


def main():
    build(BUILD)
    well = run(BUILD)
    counts = count_all(BUILD)

    for name, suffix, sanitizers, suites, without in SANITIZED:
        folder = BUILD.with_name(f'{BUILD.name}-{suffix}')
        build(folder, f'-Db_sanitize={sanitizers}', *OPTIONS, *(f'-D{feature}=disabled' for feature in without))
        well = run(folder, *suites) and well
        for runner, count in count_all(folder).items():
            counts[f'{runner}, with {name}'] = count

    show_instructions(BUILD)
    print()
    for runner in sorted(counts):
        print(f'{runner}: {line(counts[runner])}')

    total = sum(counts.values(), collections.Counter())
    # A program that died without a word counts too.
    if not well and not total['failed']:
        total['failed'] = 1
    print()
    print(line(total))
    return 0 if well and not total['failed'] else 1


if __name__ == '__main__':
    sys.exit(main())
