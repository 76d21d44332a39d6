"""The rules of the house: which way imports point, what an import costs, one topic one name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import genmath

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "genmath"
CHAPTERS = sorted((ROOT / "derivations").glob("[!_]*.py"))
STDLIB = set(sys.stdlib_module_names)

# The modules that may join the checker to the rest, besides the checker itself.
COMMANDS = {"cli.py", "classroom.py", "console.py", "workers.py"}
JOINTS = {"book.py", "_reports.py", "exchange.py", "homework.py", "workbook.py", *COMMANDS}
IMPLEMENTATIONS = sorted(file for file in PACKAGE.glob("*.py") if file.name not in JOINTS)
PROOF = sorted((PACKAGE / "proof").rglob("*.py"))


def imported(source: str, module: str, is_package: bool = False) -> set[str]:
    """Every module a source text imports, anywhere in it, with relative imports made absolute.

    `from a import b` yields both a and a.b, since b may be a module.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if called in ("import_module", "__import__"):
                names.add(str(node.args[0].value))
    return names


def imports_of(file: Path) -> set[str]:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    is_package = parts[-1] == "__init__"
    return imported(
        file.read_text(encoding="utf-8"), ".".join(parts[:-1] if is_package else parts), is_package
    )


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def forbidden_in_implementation(names: set[str]) -> set[str]:
    return {name for name in names if within(name, "genmath.proof", "genmath.book", "derivations")}


def forbidden_in_proof(names: set[str]) -> set[str]:
    def allowed(name: str) -> bool:
        return name.split(".")[0] in STDLIB | {"sympy", "mpmath"} or within(name, "genmath.proof")

    return {name for name in names if not allowed(name)}


def forbidden_in_chapter(names: set[str]) -> set[str]:
    def allowed(name: str) -> bool:
        # `from genmath import book` also reads as the name genmath itself.
        return name in ("__future__", "genmath") or within(name, "genmath.proof", "genmath.book")

    return {name for name in names if not allowed(name)}


@pytest.mark.parametrize("file", IMPLEMENTATIONS, ids=lambda file: file.name)
def test_implementations_never_import_the_checker(file: Path) -> None:
    assert not forbidden_in_implementation(imports_of(file))


@pytest.mark.parametrize("file", PROOF, ids=lambda file: file.name)
def test_the_checker_imports_only_sympy_mpmath_and_the_standard_library(file: Path) -> None:
    assert not forbidden_in_proof(imports_of(file))


@pytest.mark.parametrize("file", CHAPTERS, ids=lambda file: file.name)
def test_chapters_import_only_the_checker_and_the_book(file: Path) -> None:
    assert not forbidden_in_chapter(imports_of(file))


def test_the_book_and_the_command_line_never_import_torch() -> None:
    for name in JOINTS:
        assert not {n for n in imports_of(PACKAGE / name) if within(n, "torch", "genmath._torch")}


@pytest.mark.parametrize("file", CHAPTERS, ids=lambda file: file.stem)
def test_one_topic_one_name(file: Path) -> None:
    for room in (PACKAGE / file.name, ROOT / "tests" / f"test_{file.name}"):
        assert room.is_file(), f"{file.stem} lacks {room.relative_to(ROOT)}"


def test_there_are_chapters_and_files_to_look_at() -> None:
    """Else every test above passes on an empty list."""
    assert CHAPTERS
    assert PROOF
    assert IMPLEMENTATIONS


@pytest.mark.parametrize(
    ("rule", "module", "line"),
    [
        (forbidden_in_implementation, "genmath.vae", "from genmath import proof"),
        (forbidden_in_implementation, "genmath.vae", "from . import book"),
        (forbidden_in_implementation, "genmath.vae", "from .proof import latex"),
        (forbidden_in_implementation, "genmath.vae", "def f():\n    import genmath.proof.check"),
        (
            forbidden_in_implementation,
            "genmath.vae",
            "import importlib\nimportlib.import_module('genmath.book')",
        ),
        (forbidden_in_proof, "genmath.proof.check", "import numpy as np"),
        (forbidden_in_proof, "genmath.proof.check", "from .. import book"),
        (forbidden_in_proof, "genmath.proof.check", "from genmath.paths import Path"),
        (forbidden_in_proof, "genmath.proof.deep.er", "from ...vae import elbo"),
        (forbidden_in_chapter, "derivations.vae", "import torch"),
        (forbidden_in_chapter, "derivations.vae", "from genmath import vae"),
        (forbidden_in_chapter, "derivations.vae", "from genmath.vae import elbo"),
        (forbidden_in_chapter, "derivations.vae", "import sympy"),
    ],
)
def test_the_rules_see_what_they_forbid(rule, module: str, line: str) -> None:
    assert rule(imported(line, module))


@pytest.mark.parametrize(
    ("rule", "module", "line"),
    [
        (forbidden_in_implementation, "genmath.vae", "import torch\nfrom . import paths"),
        (
            forbidden_in_proof,
            "genmath.proof.check",
            "import sympy\nfrom .tree import Node\nimport json",
        ),
        (
            forbidden_in_chapter,
            "derivations.vae",
            "from genmath.proof import *\nfrom genmath.book import chapter",
        ),
        (forbidden_in_chapter, "derivations.vae", "from genmath import book"),
    ],
)
def test_the_rules_allow_what_they_allow(rule, module: str, line: str) -> None:
    assert not rule(imported(line, module))


def loaded_by(statement: str) -> set[str]:
    """The top-level packages in memory after a statement, in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(run.stdout.split())


def test_import_genmath_loads_nothing_heavy() -> None:
    assert not loaded_by("import genmath") & {"torch", "numpy", "sympy", "mpmath", "rich", "typer"}


def test_import_genmath_proof_loads_neither_torch_nor_numpy() -> None:
    assert not loaded_by("import genmath.proof") & {"torch", "numpy", "matplotlib", "scipy"}


def test_the_whole_checker_runs_without_torch_and_numpy() -> None:
    loaded = loaded_by("import genmath.proof.check")
    assert "sympy" in loaded
    assert not loaded & {"torch", "numpy", "matplotlib", "scipy"}


def test_the_version_is_said_once() -> None:
    cited = re.search(
        r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert cited
    assert cited[1] == genmath.__version__


def test_how_to_cite_names_this_version() -> None:
    page = (ROOT / "docs" / "cite.md").read_text(encoding="utf-8")
    said = set(re.findall(r"\b\d+\.\d+\.\d+\b", page))
    assert said == {genmath.__version__}
