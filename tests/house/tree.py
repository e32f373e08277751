"""What the house tests read: the files of the project and their syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Import(NamedTuple):
    """One imported module, wherever in a file it stands; `from a import b` tells both `a` and `a.b`."""

    module: str
    line: int


def python_files(*folders: str) -> list[Path]:
    """Every Python file below the folders, relative to the checkout, sorted."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts)


@cache
def syntax(path: Path) -> ast.Module:
    """A file's tree."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def is_module(name: str) -> bool:
    """Whether a dotted name is a file or a package of the project."""
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file; lazy ones and those under TYPE_CHECKING count too."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            inner = [f"{base}.{alias.name}" for alias in node.names if is_module(f"{base}.{alias.name}")]
            yield from (Import(name, node.lineno) for name in inner or [base])
            if inner and len(inner) < len(node.names):
                yield Import(base, node.lineno)


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file, nested ones too."""
    return (node for node in ast.walk(syntax(path)) if isinstance(node, Function))


def decorators(function: Function) -> set[str]:
    """The plain names of a function's decorators: `kernel`, `jit.kernel` and `kernel(...)` are all `kernel`."""
    names = set()
    for node in function.decorator_list:
        target = node.func if isinstance(node, ast.Call) else node
        names.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    return names


def is_compiled(function: Function) -> bool:
    """Whether numba compiles it (the decorators of agent/jit.py)."""
    return bool(decorators(function) & {"kernel", "brief", "inline", "leaf"})
