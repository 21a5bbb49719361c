# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What all tests have in common."""

import concurrent.futures
import os
import sys
from collections.abc import Iterator

import gi
import pytest

gi.require_version('Quire', '1.0')

from helpers import SANITIZED, Results, RunAll, Scripts, run_script  # noqa: E402 (the version comes first)

# These run programs of others.
collect_ignore = ['test_readme.py', 'test_typing.py'] if SANITIZED else []


@pytest.fixture(autouse=True)
def no_swallowed_exception(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which an exception had nobody to be raised to.

    PyGObject prints those of callbacks with sys.excepthook; those of finalizers and
    threads are warnings of pytest, which pytest.ini makes errors.
    """
    swallowed: list[BaseException] = []
    monkeypatch.setattr(sys, 'excepthook', lambda *args: swallowed.append(args[1]))
    yield
    assert swallowed == []


@pytest.fixture(scope='module')
def run_all(request: pytest.FixtureRequest) -> Iterator[RunAll]:
    """Runs those scripts of a module that are asked for by name, some at a time."""
    names = [str(item.callspec.params['name']) for item in request.session.items
             if isinstance(item, pytest.Function) and item.path == request.path
             and 'run_all' in item.fixturenames]
    results: Results = {}

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        def run(scripts: Scripts) -> Results:
            if not results:
                results.update({name: pool.submit(run_script, scripts[name]) for name in names})
            return results

        yield run
        for result in results.values():
            result.cancel()
