"""The rules of the house: which way imports point, what an import costs, one topic one name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import genmath
from genmath._imports import files_of, imported, imports_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "genmath"
CHAPTERS = sorted((ROOT / "derivations").glob("[!_]*.py"))
STDLIB = set(sys.stdlib_module_names)

PACKAGE_FILES = sorted(PACKAGE.rglob("*.py"))
PROOF = [file for file in PACKAGE_FILES if file.is_relative_to(PACKAGE / "proof")]
# What may join the checker to the rest, besides the checker itself.
JOINTS = [
    file
    for file in PACKAGE_FILES
    if file.is_relative_to(PACKAGE / "cli") or file.name in ("book.py", "_imports.py", "_topics.py")
]
IMPLEMENTATIONS = [file for file in PACKAGE_FILES if file not in PROOF and file not in JOINTS]
IMPORTS = {file: imports_of(file, ROOT) for file in [*PACKAGE_FILES, *CHAPTERS]}


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def circle(arrows: dict[Path, set[Path]]) -> list[str]:
    """Some files that import one another in a circle, or nothing."""
    left = {file: set(to) for file, to in arrows.items()}
    while ends := [file for file, to in left.items() if not to & left.keys()]:
        for file in ends:
            del left[file]
    return sorted(map(name, left))


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def forbidden_in_implementation(names: set[str]) -> set[str]:
    return {name for name in names if within(name, "genmath.proof", "genmath.book", "derivations")}


def forbidden_in_proof(names: set[str]) -> set[str]:
    def allowed(name: str) -> bool:
        return name.split(".")[0] in STDLIB | {"sympy", "mpmath"} or within(name, "genmath.proof")

    return {name for name in names if not allowed(name)}


# The rooms of the checker, and which of them each may look into besides itself.
ROOMS = {
    "language": (),
    "symbolic": ("language",),
    "numeric": ("language",),
    "functions": ("language",),
    "coq": ("language",),
    "kernel": (),
    "certificate": ("language", "coq", "kernel", "check"),
}


def forbidden_in_room(room: str, names: set[str]) -> set[str]:
    """What a room of the checker may not import: another judge's code, above all."""
    mine = [f"genmath.proof.{known}" for known in (room, *ROOMS[room])]
    return {n for n in names if within(n, "genmath.proof") and n != "genmath.proof"} - {
        n for n in names if within(n, *mine)
    }


def forbidden_in_chapter(names: set[str]) -> set[str]:
    def allowed(name: str) -> bool:
        # `from genmath import book` also reads as the name genmath itself.
        if name in ("__future__", "genmath"):
            return True
        return within(name, "genmath.proof", "genmath.book", "derivations")

    return {name for name in names if not allowed(name)}


@pytest.mark.parametrize("file", IMPLEMENTATIONS, ids=name)
def test_implementations_never_import_the_checker(file: Path) -> None:
    assert not forbidden_in_implementation(IMPORTS[file])


@pytest.mark.parametrize("file", PROOF, ids=name)
def test_the_checker_imports_only_sympy_mpmath_and_the_standard_library(file: Path) -> None:
    assert not forbidden_in_proof(IMPORTS[file])


@pytest.mark.parametrize("file", PROOF, ids=name)
def test_the_judges_share_the_language_and_nothing_else(file: Path) -> None:
    room = file.relative_to(PACKAGE / "proof").parts[0]
    if room in ROOMS:
        assert not forbidden_in_room(room, IMPORTS[file])


def test_every_folder_of_the_checker_is_a_room_with_a_rule() -> None:
    assert {file.parent.name for file in PROOF} - {"proof"} == set(ROOMS)


def test_no_import_goes_in_a_circle() -> None:
    """A package's face names what is inside it, and counts as one with the file that it names."""
    arrows = {
        file: {g for n in IMPORTS[file] for g in files_of(n, ROOT)[-1:] if g != file}
        for file in PACKAGE_FILES
    }
    faces = {file for file in PACKAGE_FILES if file.name == "__init__.py"}
    assert circle({file: arrows[file] - faces for file in PACKAGE_FILES if file not in faces}) == []


@pytest.mark.parametrize("file", CHAPTERS, ids=name)
def test_chapters_import_only_the_checker_and_the_book(file: Path) -> None:
    assert not forbidden_in_chapter(IMPORTS[file])


@pytest.mark.parametrize("file", JOINTS, ids=name)
def test_the_book_and_the_command_line_never_import_torch(file: Path) -> None:
    assert not {n for n in IMPORTS[file] if within(n, "torch", "genmath._base")}


def test_no_topic_imports_what_trains_it() -> None:
    trains = PACKAGE / "train"
    topics = [file for file in IMPLEMENTATIONS if not file.is_relative_to(trains)]
    assert [f for f in topics if any(within(n, "genmath.train") for n in IMPORTS[f])] == []


TWO_PI = re.compile(r"(log|sqrt)\(.*2 \* (math|torch)\.pi")


def test_the_density_of_the_normal_law_is_written_once() -> None:
    found = [name(f) for f in IMPLEMENTATIONS if TWO_PI.search(f.read_text(encoding="utf-8"))]
    assert found == ["genmath/_base/normal.py"]


CODE = re.compile(r"^[a-z_][a-z_., ]* = [\w.]+\(", re.MULTILINE)


def test_what_a_module_shows_as_code_is_indented() -> None:
    """Else the page runs its lines together. The formatter takes the indent away where nothing
    stands before it at the margin."""
    assert CODE.search("model = CycleGAN(to_y, to_x)")
    for file in IMPLEMENTATIONS:
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")), clean=False)
        assert not CODE.search(said or ""), name(file)


def test_there_are_chapters_and_files_to_look_at() -> None:
    """Else every test above passes on an empty list."""
    assert CHAPTERS
    assert {PACKAGE / "proof/check.py", PACKAGE / "proof/language/tree.py"} <= {*PROOF}
    assert {PACKAGE / "vae.py", PACKAGE / "nets/mlp.py", PACKAGE / "_base/batch.py"} <= {
        *IMPLEMENTATIONS
    }
    assert {PACKAGE / "book.py", PACKAGE / "cli/reports.py"} <= {*JOINTS}


in_symbolic, in_numeric, in_language = (
    partial(forbidden_in_room, room) for room in ("symbolic", "numeric", "language")
)


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
        (
            partial(forbidden_in_room, "symbolic"),
            "genmath.proof.symbolic.judge",
            "from ..numeric import judge",
        ),
        (
            partial(forbidden_in_room, "numeric"),
            "genmath.proof.numeric.judge",
            "def f():\n    from genmath.proof.symbolic import zero",
        ),
        (
            partial(forbidden_in_room, "language"),
            "genmath.proof.language.tree",
            "import genmath.proof.check",
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


def test_a_circle_is_seen() -> None:
    a, b, c = (PACKAGE / f"{letter}.py" for letter in "abc")
    assert circle({a: {b}, b: {c}, c: {b}})
    assert not circle({a: {b, c}, b: {c}, c: set()})


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


def test_to_handle_certificates_no_judge_is_loaded() -> None:
    assert not loaded_by("import genmath.proof.certificate.files") & {"sympy", "mpmath"}


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
