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
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from gi.repository import GObject, Quire

SOURCE = pathlib.Path(__file__).resolve().parent.parent
STUB = SOURCE / 'gir' / 'python' / 'gi-stubs' / 'repository' / 'Quire.pyi'
TREE = ast.parse(STUB.read_text())
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}

# What is written for Quire in Python, and what is written to try it.
PROGRAMS = sorted(path.relative_to(SOURCE) for folder in ('examples', 'python-tests')
                  for path in (SOURCE / folder).rglob('*.py'))


def mypy(*arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, '-m', 'mypy', *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **kwargs)


@pytest.fixture(scope='module')
def packages(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with stub packages, as Quire installs them, beside others."""
    pytest.importorskip('mypy')
    folder = tmp_path_factory.mktemp('packages')
    shutil.copytree(SOURCE / 'python-tests' / 'typing' / 'gi-stubs', folder / 'gi-stubs')

    # mypy before 1.4 does not know of __buffer__: to it, what is no class of its own list
    # is no buffer, and Buffer is anything.
    text = STUB.read_text()
    [(major, minor)] = re.findall(r'^mypy (\d+)\.(\d+)', mypy('--version').stdout)
    if (int(major), int(minor)) < (1, 4):
        text = re.sub(r'^class (Memory|Mapping)\((.*)\):', r'class \1(\2, mmap.mmap):', text,
                      flags=re.MULTILINE)
        text = text.replace('import Buffer, Self', 'import Self')
        text = ('import mmap\nimport numpy\nfrom _typeshed import ReadableBuffer\n' + text +
                '\nBuffer = ReadableBuffer | numpy.ndarray[Any, Any]\n')
    (folder / 'gi-stubs' / 'repository' / 'Quire.pyi').write_text(text)
    return folder


def programs_of_pages(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Those of README.md and docs/python.md, of which each is one from top to bottom."""
    for page in (SOURCE / 'README.md', SOURCE / 'docs' / 'python.md'):
        programs = re.findall(r'^```python\n(.*?)^```$', page.read_text(), re.MULTILINE | re.DOTALL)
        path = folder / f'page_{page.stem}.py'
        path.write_text('\n'.join(programs))
        yield path


def test_mypy(packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    paths = [*PROGRAMS, *programs_of_pages(tmp_path)]
    done = mypy('--strict', '--cache-dir', str(tmp_path), '--config-file', '', *map(str, paths),
                cwd=SOURCE, env={'PYTHONPATH': str(packages), 'PATH': '/usr/bin:/bin'})
    assert done.returncode == 0, done.stdout
    assert f'no issues found in {len(paths)} source files' in done.stdout


def test_mypy_reads_it(packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Were the types not found, nothing would be wrong."""
    (tmp_path / 'wrong.py').write_text('from gi.repository import Quire\nQuire.Memory("size").nothing()\n')
    done = mypy('--strict', '--cache-dir', str(tmp_path), str(tmp_path / 'wrong.py'),
                env={'PYTHONPATH': str(packages), 'PATH': '/usr/bin:/bin'})
    assert '[arg-type]' in done.stdout and '[attr-defined]' in done.stdout, done.stdout


def name_of(node: ast.expr) -> str:
    assert isinstance(node, ast.Name)
    return node.id


def members(node: ast.ClassDef) -> Iterator[tuple[str, ast.FunctionDef | ast.AnnAssign]]:
    """The names in the stub of a class."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef):
            yield child.name, child
        elif isinstance(child, ast.AnnAssign):
            yield name_of(child.target), child


def public(names: Iterable[str]) -> set[str]:
    return {name for name in names if not name.startswith('_')}


def test_the_namespace() -> None:
    found = {node.name for node in TREE.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    found |= {name_of(node.target) for node in TREE.body if isinstance(node, ast.AnnAssign)}
    found |= {name_of(target) for node in TREE.body if isinstance(node, ast.Assign) for target in node.targets}
    assert public(found) == public(dir(Quire))


# The fields of the classes of allocators are for C.
@pytest.mark.parametrize('name', sorted(name for name in public(CLASSES) if not name.endswith('AllocatorClass')))
def test_the_members_of_a_class(name: str) -> None:
    cls = getattr(Quire, name)
    above = {'Error': RuntimeError, 'BufferError': Quire.Error}.get(name, cls.__base__)
    if name in ('Memory', 'Mapping', 'AllocationParams', 'PoolStats'):
        above = object
    elif name.endswith('Allocator'):
        # Between them is PyGObject's own class.
        above = cls.__mro__[2]
    inherited = set(dir(above))
    real = public(set(dir(cls)) - inherited) - {'parent_instance', 'matches', 'new_literal'}
    told = {member for member, _ in members(CLASSES[name])}
    # What each error has of its own; and what is told once more of a class, as it says more there.
    assert public(told) - {'message', 'domain', 'code'} - inherited == real
    for special in told - public(told):
        if special not in ('__buffer__', '__release_buffer__'):
            assert hasattr(cls, special), special


@pytest.mark.parametrize('name', ['Memory', 'Mapping', 'AllocationParams', 'Allocator', 'MemfdAllocator',
                                  'PoolAllocator', 'PoolStats', 'GuardAllocator', 'SecureAllocator'])
def test_the_arguments_of_methods(name: str) -> None:
    cls = getattr(Quire, name)
    seen = 0
    for member, node in members(CLASSES[name]):
        real = inspect.getattr_static(cls, member, None)
        # What C calls takes what C gives; and props is PyGObject's.
        if not isinstance(node, ast.FunctionDef) or member.startswith(('__', 'do_')) or member == 'props':
            continue
        if 'overload' in [name_of(decorator) for decorator in node.decorator_list]:
            continue
        if isinstance(real, (property, types.GetSetDescriptorType)):
            assert [name_of(decorator) for decorator in node.decorator_list] == ['property']
            continue
        try:
            signature = inspect.signature(getattr(cls, member))
        except (TypeError, ValueError):
            pytest.fail(f'{member} has no signature')
        told = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        told += [node.args.vararg.arg] if node.args.vararg else []
        if node.decorator_list and name_of(node.decorator_list[0]) == 'classmethod':
            told.remove('cls')
        assert list(signature.parameters) == told, member
        n_defaults = sum(parameter.default is not parameter.empty for parameter in signature.parameters.values())
        n_told = len(node.args.defaults) + sum(default is not None for default in node.args.kw_defaults)
        assert n_told == n_defaults, member
        seen += 1
    assert seen > 0


RESULTS: dict[str, Callable[[Quire.Memory], tuple[object, ...]]] = {
    '_Sizes': Quire.Memory.get_sizes,
    '_Span': lambda memory: memory.is_span(memory),
    '_Descriptor': Quire.Memory.get_fd,
    '_Copied': lambda memory: Quire.memory_merge_list([memory]),
    '_Merged': lambda memory: memory.merge(memory),
}


@pytest.mark.parametrize('name', RESULTS)
def test_the_names_of_results(name: str) -> None:
    names = [member for member, _ in members(CLASSES[name])]
    result = RESULTS[name](Quire.Memory(5))
    # Where one has no name, it is the first.
    assert [getattr(result, name) for name in names] == list(result[-len(names):])
    assert hasattr(result, '_fields') is (len(names) == len(result))


def test_allocators_that_are_always_there() -> None:
    [told] = re.findall(r'Literal\[(.*?)\]', STUB.read_text())
    names = re.findall(r"'(\w+)'", told)
    assert len(names) > 1
    for name in names:
        assert isinstance(Quire.Allocator.find(name), Quire.Allocator), name


@pytest.mark.parametrize('name', ['FdFlags', 'MapFlags', 'MemoryFlags', 'Seals'])
def test_what_operators_give(name: str) -> None:
    cls = getattr(Quire, name)
    assert type(cls(1) | cls(2)) is type(cls(1) & cls(2)) is type(cls(1) ^ cls(2)) is cls
    # Which PyGObject may make the flags again, but need not.
    for number in (cls(1) | 2, cls(1) & 2, cls(1) ^ 2):
        assert isinstance(number, int)
    with pytest.raises(TypeError):
        cls()


def test_it_is_one_of_the_classes_of_abc() -> None:
    """From Python 3.12 on, what has the slots of a buffer is a collections.abc.Buffer."""
    if sys.version_info < (3, 12):
        assert Quire.Memory.__flags__ and memoryview(Quire.Memory(1)).nbytes == 1
        assert not hasattr(Quire.Memory, '__buffer__')
        return
    import collections.abc
    assert issubclass(Quire.Memory, collections.abc.Buffer)
    assert issubclass(Quire.Mapping, collections.abc.Buffer)
