"""What a Python file imports, read from its text: nothing is run.

Caches and the rules of the house ask this: a recorded verdict belongs to the files that made it.
`chapter("vae")` counts as an import of derivations.vae.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

LOADERS = ("import_module", "__import__")


def imported(
    source: str, module: str, is_package: bool = False, within_functions: bool = True
) -> set[str]:
    """Every module a source text imports, anywhere in it, with relative imports made absolute.

    `from a import b` yields both a and a.b, since b may be a module. Without `within_functions`
    only what importing the text itself imports: functions do not run then.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    names: set[str] = set()
    todo: list[ast.AST] = [ast.parse(source)]
    for node in todo:
        if within_functions or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo += ast.iter_child_nodes(node)
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
                if word in LOADERS:
                    names.add(name)
                if word == "chapter":
                    names.add(f"derivations.{name}")
    return names


def imports_of(file: Path, root: Path, within_functions: bool = True) -> set[str]:
    """What a file imports; `root` is the folder from which its package is imported."""
    parts = file.relative_to(root).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    return imported(file.read_text(encoding="utf-8"), module, is_package, within_functions)


def closure(
    starts: Iterable[Path],
    root: Path,
    without: Collection[Path] = (),
    within_functions: bool = True,
) -> set[Path]:
    """The files themselves and every file below `root` that importing them runs.

    Importing a.b.c runs a/__init__.py and a/b/__init__.py, too. What is only reached through a file
    in `without` is left out with it.
    """
    found: set[Path] = set()
    todo = list(starts)
    while todo:
        file = todo.pop()
        if file not in found and file not in without:
            found.add(file)
            todo += _needed(file, root, within_functions, file.stat().st_mtime_ns)
    return found


def read_by(file: Path, root: Path) -> set[Path]:
    """The files below `root` that a text names in quotes: it reads them, and runs none."""
    named = re.findall(r'"([\w./-]+\.\w+)"', file.read_text(encoding="utf-8"))
    return {root / name for name in named if "/" in name and (root / name).is_file()}


def fingerprint(files: Iterable[Path], root: Path) -> str:
    """One number for the texts of these files and their places below `root`."""
    digest = hashlib.sha256()
    for file in sorted(files):
        place = file.relative_to(root) if file.is_relative_to(root) else file.name
        digest.update(f"{place}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def _needed(file: Path, root: Path, within_functions: bool, _changed: int) -> tuple[Path, ...]:
    names = imports_of(file, root, within_functions)
    return tuple(path for name in names for path in files_of(name, root))


def files_of(name: str, root: Path) -> list[Path]:
    """The files below `root` that importing the module `name` runs, its packages included."""
    words = name.split(".")
    packages = [root.joinpath(*words[:n], "__init__.py") for n in range(1, len(words) + 1)]
    return [f for f in (*packages, root.joinpath(*words).with_suffix(".py")) if f.is_file()]
