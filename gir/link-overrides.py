#!/usr/bin/env python3
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Links overrides into the folder in which a language looks for them, so that
they are found without an installation.

usage: link-overrides.py FOLDER STAMP FILE...
"""

import pathlib
import sys


def main(folder, stamp, *files):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = pathlib.Path(file).resolve()
        link = folder / target.name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    pathlib.Path(stamp).touch()


if __name__ == '__main__':
    main(*sys.argv[1:])
