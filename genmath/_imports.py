"""What a Python file imports, read from its text: nothing is run.

Caches and the rules of the house ask this: a recorded verdict belongs to the files that made it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

LOADERS = ("import_module", "__import__")


def imported(source: str, module: str, is_package: bool = False) -> set[str]:
    """Every module a source text imports, anywhere in it, with relative imports made absolute.

    `from a import b` yields both a and a.b, since b may be a module.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                above = package[: len(package) - node.level + 1] if node.level else []
                base = ".".join([*above, *filter(None, [node.module])])
                names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
            case ast.Call(func=called, args=[ast.Constant(value=str(name)), *_]):
                word = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                if word in ("import_module", "__import__"):
                    names.add(name)
    return names


def imports_of(file: Path, root: Path) -> set[str]:
    """What a file imports; `root` is the folder from which its package is imported."""
    parts = file.relative_to(root).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    return imported(file.read_text(encoding="utf-8"), module, is_package)


def closure(starts: Iterable[Path], root: Path) -> set[Path]:
    """The files themselves and every file below `root` that importing them runs.

    Importing a.b.c runs a/__init__.py and a/b/__init__.py, too.
    """
    found: set[Path] = set()
    todo = list(starts)
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            todo += _needed(file, root, file.stat().st_mtime_ns)
    return found


@cache
def _needed(file: Path, root: Path, _changed: int) -> tuple[Path, ...]:
    return tuple(path for name in imports_of(file, root) for path in files_of(name, root))


def files_of(name: str, root: Path) -> list[Path]:
    """The files below `root` that importing the module `name` runs, its packages included."""
    words = name.split(".")
    packages = [root.joinpath(*words[:n], "__init__.py") for n in range(1, len(words) + 1)]
    return [f for f in (*packages, root.joinpath(*words).with_suffix(".py")) if f.is_file()]
