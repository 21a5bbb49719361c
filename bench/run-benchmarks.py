#!/usr/bin/env python3
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs every benchmark of every language that was built, shows the tables, and writes
docs/benchmarks.md, the charts of docs/scaling.md, and JSON.

    run-benchmarks.py BUILDDIR [--pages FOLDER] [NAME…]

How each one is run is what the build says. With a NAME only those are run, and no page is
written.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import chart

PROJECT = pathlib.Path(__file__).resolve().parent.parent

# In the order in which they are shown. Which of them write JSON on demand, and which
# write nothing else.
BENCHMARKS = {
    'c': 'C',
    'python': 'Python',
    'processes': 'Memory in common with another process, in Python',
    'gjs': 'JavaScript',
    'scaling': 'How the cost grows',
}
WITH_JSON = {'c', 'python'}
ONLY_JSON = {'scaling'}

PAGE = '''Title: Benchmarks
Slug: benchmarks

# Benchmarks

`make bench` measures what Quire costs beside what else there is, and writes this page. It
was written on {date}, on this machine:

{machine}

The cases of a table take turns in one process, a fraction of a millisecond each, so that
whatever the machine does happens to all of them alike. A figure is the median of the
turns. In C it is processor time, and turns in which the processor was slow, because somebody
else had the other half of it, are done again for a while. A ratio is that of two medians,
Quire over GStreamer, with the quartiles of the ratios turn by turn behind it; *aim* is what
it shall be at most.

[How the cost grows](scaling.html) has the same against sizes, counts and threads, and
[what the hot paths are made of](performance.html) the instructions and the atomic
operations, which are the same on every machine.

## C

The *floor* is what it would take without any library of blocks: nothing that does the same
could be faster. Where it is nearly all there is, as in the copy of a megabyte, which is one
`memcpy`, and in the memfd, which is system calls, all are as fast, and a ratio is within a few
hundredths of 1 from run to run. Of two threads the table has how much more they get done than
one alone, and in brackets what one time takes for one thread, and for each of two.

{c}
'''

LANGUAGE = '''
## {title}

{table}
'''


def benchmarks(build):
    """Name to the command and the environment."""
    introspection = build / 'meson-info' / 'intro-benchmarks.json'
    return {each['name']: each for each in json.loads(introspection.read_text(encoding='utf-8'))}


def run(each, *more):
    """What a benchmark prints; None if it failed."""
    environment = {**os.environ, **each['env']}
    done = subprocess.run([*each['cmd'], *more], env=environment, cwd=each['workdir'],
                          stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def processor():
    try:
        text = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except OSError:
        text = ''
    match = re.search(r'^(?:model name|Model)\s*:\s*(.*)$', text, re.M)
    return match[1] if match else platform.machine()


def huge_pages():
    try:
        text = pathlib.Path('/sys/kernel/mm/transparent_hugepage/enabled').read_text(encoding='ascii')
    except OSError:
        return 'unknown'
    return re.search(r'\[(\w+)\]', text)[1]


def machine(figures):
    """A list of what the figures depend on, and no name of the machine."""
    libc = ' '.join(platform.libc_ver())
    rows = [
        ('processor', f'{processor()}, {os.cpu_count()} of them'),
        ('kernel', f'{platform.system()} {platform.release().split("-")[0]}, transparent huge pages: {huge_pages()}'),
        ('compiler', figures['compiler']),
        ('libraries', f'{libc}, GLib {figures["glib"]}, {figures.get("peer", "no GStreamer")}'),
        ('Quire', figures['quire']),
    ]
    return '\n'.join(['| | |', '| --- | --- |', *(f'| {name} | {what} |' for name, what in rows)])


def charts(figures):
    """File name to SVG."""
    sizes = [64, 1024, 16384, 262144, 4194304, 67108864]

    def panel(name, title, *rest, **options):
        return chart.Panel(title, figures[name], *rest, **options)

    def sized(name, title):
        return panel(name, title, 'size of the block', chart.size_label, sizes)

    return {
        'scaling-size.svg': chart.draw([
            sized('alloc', 'alloc, unref'),
            sized('fill', 'alloc, fill, unref'),
            sized('copy', 'copy, unref'),
        ]),
        'scaling-shares.svg': chart.draw([panel('shares', 'share, unref', 'shares of the block that are alive')]),
        'scaling-depth.svg': chart.draw([
            panel('depth', 'map READ, unmap', 'maps of the block that stand', ticks=[1, 8, 64, 512, 4096]),
        ]),
        'scaling-merge.svg': chart.draw([panel('merge', 'merge_list, for each span', 'spans')]),
        'scaling-threads.svg': chart.draw([
            panel('threads', 'alloc, unref of 64 B, in each thread', 'threads', plain_x=True),
        ]),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build', type=pathlib.Path)
    parser.add_argument('--pages', type=pathlib.Path, default=PROJECT / 'docs')
    parser.add_argument('names', nargs='*')
    options = parser.parse_args()

    found = benchmarks(options.build)
    folder = options.build / 'bench'
    tables = {}
    failed = []
    for name, title in BENCHMARKS.items():
        if name not in found or options.names and name not in options.names:
            continue
        print(f'\n{title}\n', flush=True)
        more = ['--json', str(folder / f'{name}.json')] if name in WITH_JSON else []
        text = run(found[name], *more)
        if text is None:
            failed.append(title)
        elif name in ONLY_JSON:
            (folder / f'{name}.json').write_text(text, encoding='utf-8')
            print(f'{folder / name}.json')
        else:
            tables[name] = text.strip()
            print(tables[name], flush=True)

    if failed:
        print(f'\nFailed: {", ".join(failed)}', file=sys.stderr)
        return 1
    if options.names:
        return 0

    figures = json.loads((folder / 'c.json').read_text(encoding='utf-8'))
    page = PAGE.format(date=datetime.date.today().isoformat(), machine=machine(figures), c=tables['c'])
    for name in ('python', 'processes', 'gjs'):
        if name in tables:
            page += LANGUAGE.format(title=BENCHMARKS[name], table=tables[name])
    written = {'benchmarks.md': page}
    written.update(charts(json.loads((folder / 'scaling.json').read_text(encoding='utf-8'))))

    print()
    for name, text in written.items():
        (options.pages / name).write_text(text, encoding='utf-8')
        print(f'Wrote {options.pages / name}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
