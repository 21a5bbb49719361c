# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What README.md says is so: its commands and its programs are run, and what it shows of
the demo is what the demo prints.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
from gi.repository import Quire

SOURCE = pathlib.Path(__file__).resolve().parent.parent
README = (SOURCE / 'README.md').read_text()
BUILD = pathlib.Path(os.environ['QUIRE_BUILD_ROOT'])


def blocks(language: str) -> list[str]:
    return re.findall(rf'^```{language}\n(.*?)^```$', README, re.MULTILINE | re.DOTALL)


def run(command: str | Sequence[str], cwd: pathlib.Path | None = None,
        env: Mapping[str, str] | None = None) -> str:
    """Runs a command, or the lines of a shell, and gives what it prints."""
    done = subprocess.run(command, shell=isinstance(command, str), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, env=env)
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_programs(folder: pathlib.Path, env: Mapping[str, str]) -> list[str]:
    """Runs the one program of each language, and the command that compiles C."""
    [compile_c] = [block for block in blocks('sh') if block.startswith('cc ')]
    [c], [python], [js] = blocks('c'), blocks('python'), blocks('js')
    (folder / 'example.c').write_text(c)
    (folder / 'example.py').write_text(python)
    (folder / 'example.js').write_text(js)

    run(compile_c, cwd=folder, env=env)
    return [
        run(['./example'], cwd=folder, env=env),
        run([sys.executable, 'example.py'], cwd=folder, env=env),
        run(['gjs', '-m', 'example.js'], cwd=folder, env=env),
    ]


def check_programs(outputs: list[str]) -> None:
    c, python, js = outputs
    assert c == 'The block of 4096 bytes refuses WRITE: 1 share alive\n'
    assert python == 'The block of 4096 bytes refuses WRITE: 3 shares alive\n'
    assert js == ('4096 bytes, 0 of them copied\n'
                  'The block of 4096 bytes refuses WRITE: 3 shares alive\n')


def test_programs(tmp_path: pathlib.Path) -> None:
    check_programs(run_programs(tmp_path, os.environ))


def test_programs_of_the_page_on_python(tmp_path: pathlib.Path) -> None:
    """Those of docs/python.md are one program, from top to bottom."""
    page = (SOURCE / 'docs' / 'python.md').read_text()
    programs = re.findall(r'^```python\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)
    assert len(programs) > 2
    (tmp_path / 'page.py').write_text('\n'.join(programs))
    output = run([sys.executable, '-W', 'error', '-W', 'ignore::ImportWarning', 'page.py'], cwd=tmp_path, env=os.environ)
    [told] = re.findall(r'^    print\(error.message\) +# (.*)$', page, re.MULTILINE)
    assert output == f'80\n{told}\n'


def test_the_page_on_python_names_every_error() -> None:
    page = (SOURCE / 'docs' / 'python.md').read_text()
    for name, bases in re.findall(r'^\| ((?:`Quire\.Error\.\w+`(?:, )?)+) \| (.*) \|$', page, re.MULTILINE):
        for cls in re.findall(r'Error\.(\w+)', name):
            error = getattr(Quire.Error, cls)
            told = re.findall(r'`(\w+)`', bases)
            assert {base.__name__ for base in error.__mro__ if base.__module__ == 'builtins'} >= set(told)
    for name, value in vars(Quire.Error).items():
        assert not isinstance(value, type) or f'`Quire.Error.{name}`' in page, name


def test_demo_prints_what_is_shown() -> None:
    [shown] = blocks('text')
    # The tests may run below another make, which would have its say.
    clean = {name: value for name, value in os.environ.items() if not name.startswith('MAKE')}
    printed = run(['make', 'demo', f'BUILD={BUILD}'], cwd=SOURCE, env=clean)

    assert shown
    assert printed.endswith(shown)


@pytest.fixture(scope='module')
def tree(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A tree in which nothing was built yet."""
    folder = tmp_path_factory.mktemp('tree') / 'quire'
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns('build*', '.git', '__pycache__'))
    return folder


def test_build_commands_and_installation(tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
    [commands] = [block for block in blocks('sh') if block.startswith('meson setup')]
    run('set -e\n' + commands, cwd=tree, env={**os.environ, 'DESTDIR': str(tmp_path / 'destdir')})
    assert list((tmp_path / 'destdir').rglob('quire-1.0.pc'))

    # Once more, to a place where it can be used.
    prefix = tmp_path / 'prefix'
    run(['meson', 'configure', 'build', f'--prefix={prefix}'], cwd=tree)
    run(['meson', 'install', '-C', 'build'], cwd=tree)
    [pkgconfig] = prefix.rglob('pkgconfig')
    library = pkgconfig.parent
    [vapi] = prefix.rglob('quire-1.0.vapi')
    assert vapi == prefix / 'share' / 'vala' / 'vapi' / 'quire-1.0.vapi'
    [stub] = prefix.rglob('Quire.pyi')
    assert stub == prefix / 'lib' / 'python3' / 'dist-packages' / 'gi-stubs' / 'repository' / 'Quire.pyi'

    check_programs(run_programs(tmp_path, {
        **os.environ,
        'PKG_CONFIG_PATH': str(pkgconfig),
        'LD_LIBRARY_PATH': str(library),
        'GI_TYPELIB_PATH': str(library / 'girepository-1.0'),
        'PYTHONPATH': str(prefix / 'lib' / 'python3' / 'dist-packages'),
        'GJS_PATH': '',
        'XDG_DATA_DIRS': f'{prefix / "share"}:/usr/local/share:/usr/share',
    }))


def test_devenv() -> None:
    [command] = [block for block in blocks('sh') if block.startswith('meson devenv')]
    program = 'from gi.repository import Quire; assert memoryview(Quire.Memory(1)).nbytes'

    clean = {name: value for name, value in os.environ.items()
             if name not in ('PYTHONPATH', 'GI_TYPELIB_PATH', 'LD_LIBRARY_PATH', 'GJS_PATH')}
    devenv = command.split()
    assert devenv[-1] == 'build'
    devenv[-1] = str(BUILD)
    run([*devenv, sys.executable, '-c', program], env=clean)
    run([*devenv, 'gjs', '-c',
         'if (imports.gi.Quire.Memory.new(1).map(1).data.length !== 1) throw new Error();'],
        env=clean)


def test_every_command_is_known() -> None:
    """A command that is new in README.md wants a test here. `make test` is what runs this."""
    commands = [line for block in blocks('sh') for line in block.splitlines()]
    assert [command for command in commands
            if command.split()[0] not in ('cc', 'meson')] == ['make demo', 'make test']
    run(['make', '-n', 'test', 'deps', 'valgrind'], cwd=SOURCE)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r'\]\((?!https?:)([^)#]+)\)', README):
        assert (SOURCE / target).exists(), target
