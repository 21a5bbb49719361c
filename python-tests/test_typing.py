# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The types that Quire.pyi tells: mypy agrees with them, and so does what is there."""

import ast
import inspect
import pathlib
import re
import shutil
import subprocess
import sys
import types

import pytest
from gi.repository import GObject, Quire

SOURCE = pathlib.Path(__file__).resolve().parent.parent
STUB = SOURCE / 'gir' / 'python' / 'gi-stubs' / 'repository' / 'Quire.pyi'
TREE = ast.parse(STUB.read_text())
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}

EXAMPLES = ['align', 'frames', 'map', 'span']


def mypy(*arguments, **kwargs):
    return subprocess.run([sys.executable, '-m', 'mypy', *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **kwargs)


@pytest.fixture(scope='module')
def packages(tmp_path_factory):
    """A folder with stub packages, as Quire installs them, beside others."""
    pytest.importorskip('mypy')
    folder = tmp_path_factory.mktemp('packages')
    shutil.copytree(SOURCE / 'python-tests' / 'typing' / 'gi-stubs', folder / 'gi-stubs')

    # mypy before 1.4 does not know of __buffer__: to it, what is no class of its own list
    # is no buffer.
    text = STUB.read_text()
    version = re.match(r'mypy (\d+)\.(\d+)', mypy('--version').stdout)
    if (int(version[1]), int(version[2])) < (1, 4):
        text = re.sub(r'^class (Memory|Mapping)\(GObject\.GBoxed\)', r'class \1(mmap.mmap, GObject.GBoxed)',
                      'import mmap\n' + text, flags=re.MULTILINE)
    (folder / 'gi-stubs' / 'repository' / 'Quire.pyi').write_text(text)
    return folder


def test_mypy(packages, tmp_path):
    paths = ['python-tests/typing/cases.py', *(f'examples/{name}.py' for name in EXAMPLES)]
    done = mypy('--strict', '--cache-dir', str(tmp_path), '--config-file', '', *paths,
                cwd=SOURCE, env={'PYTHONPATH': str(packages), 'PATH': '/usr/bin:/bin'})
    assert done.returncode == 0, done.stdout
    assert f'no issues found in {len(paths)} source files' in done.stdout


def test_mypy_reads_it(packages, tmp_path):
    """Were the types not found, nothing would be wrong."""
    (tmp_path / 'wrong.py').write_text('from gi.repository import Quire\nQuire.Memory("size").nothing()\n')
    done = mypy('--strict', '--cache-dir', str(tmp_path), str(tmp_path / 'wrong.py'),
                env={'PYTHONPATH': str(packages), 'PATH': '/usr/bin:/bin'})
    assert '[arg-type]' in done.stdout and '[attr-defined]' in done.stdout, done.stdout


def members(node):
    """The names in the stub of a class."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef):
            yield child.name, child
        elif isinstance(child, ast.AnnAssign):
            yield child.target.id, child


def public(names):
    return {name for name in names if not name.startswith('_')}


def test_the_namespace():
    found = {node.name for node in TREE.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    found |= {node.target.id for node in TREE.body if isinstance(node, ast.AnnAssign)}
    found |= {target.id for node in TREE.body if isinstance(node, ast.Assign) for target in node.targets}
    assert public(found) == public(dir(Quire))


# The fields of the classes of allocators are for C.
@pytest.mark.parametrize('name', sorted(name for name in public(CLASSES) if not name.endswith('AllocatorClass')))
def test_the_members_of_a_class(name):
    cls = getattr(Quire, name)
    above = {'Error': RuntimeError, 'BufferError': Quire.Error}.get(name, cls.__base__)
    if name in ('Memory', 'Mapping', 'AllocationParams', 'PoolStats'):
        above = object
    if name == 'Allocator':
        above = GObject.Object
    inherited = set(dir(above))
    real = public(set(dir(cls)) - inherited) - {'parent_instance', 'matches', 'new_literal', 'quark'}
    told = {member for member, _ in members(CLASSES[name])}
    # What each error has of its own.
    assert public(told) - {'message', 'domain', 'code'} == real
    for special in told - public(told):
        if special not in ('__buffer__', '__release_buffer__'):
            assert hasattr(cls, special), special


@pytest.mark.parametrize('name', ['Memory', 'Mapping', 'AllocationParams'])
def test_the_arguments_of_methods(name):
    cls = getattr(Quire, name)
    seen = 0
    for member, node in members(CLASSES[name]):
        real = inspect.getattr_static(cls, member, None)
        if not isinstance(node, ast.FunctionDef) or member.startswith('__'):
            continue
        if isinstance(real, (property, types.GetSetDescriptorType)):
            assert [decorator.id for decorator in node.decorator_list] == ['property']
            continue
        try:
            signature = inspect.signature(getattr(cls, member))
        except (TypeError, ValueError):
            pytest.fail(f'{member} has no signature')
        told = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        told += [node.args.vararg.arg] if node.args.vararg else []
        if node.decorator_list and node.decorator_list[0].id == 'classmethod':
            told.remove('cls')
        assert list(signature.parameters) == told, member
        n_defaults = sum(parameter.default is not parameter.empty for parameter in signature.parameters.values())
        assert len(node.args.defaults) == n_defaults, member
        seen += 1
    assert seen > 1


def test_it_is_one_of_the_classes_of_abc():
    """From Python 3.12 on, what has the slots of a buffer is a collections.abc.Buffer."""
    if sys.version_info < (3, 12):
        assert Quire.Memory.__flags__ and memoryview(Quire.Memory(1)).nbytes == 1
        assert not hasattr(Quire.Memory, '__buffer__')
        return
    import collections.abc
    assert issubclass(Quire.Memory, collections.abc.Buffer)
    assert issubclass(Quire.Mapping, collections.abc.Buffer)
