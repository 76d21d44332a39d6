"""Whatever names a `Result:` is tied to it: some test compares it with the checked result.

The ties stand in the tests of each topic, as `TIES = {function: {result: test}}`. They are read,
not run, so this holds where torch is absent too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from genmath import book

ROOT = Path(__file__).parents[1]


def named_by(node: ast.AST, within: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every function, class and method of a module with the results that its docstring names."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            line = re.search(r"^\s*Result: (.+)$", ast.get_docstring(child) or "", re.MULTILINE)
            yield within + child.name, line[1].split(", ") if line else []
            if isinstance(child, ast.ClassDef):
                yield from named_by(child, f"{within}{child.name}.")


def ties_in(file: Path) -> dict[str, dict[str, str]]:
    """The TIES of a test file; each leads to a test of that file."""
    body = ast.parse(file.read_text("utf-8")).body
    tests = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    found: dict[str, dict[str, str]] = {}
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TIES":
            assert isinstance(node.value, ast.Dict)
            for name, ties in zip(node.value.keys, node.value.values, strict=True):
                assert isinstance(ties, ast.Dict)
                pairs = zip(ties.keys, ties.values, strict=True)
                values = {ast.literal_eval(result): ast.unparse(test) for result, test in pairs}
                assert all(t in tests and t.startswith("test_") for t in values.values()), values
                found[ast.literal_eval(name)] = values
    return found


def imported_by(recipe: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(recipe.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.name for alias in node.names}
            if node.module.startswith("genmath.train.recipes."):
                found |= imported_by(recipe.with_name(f"{node.module.rpartition('.')[2]}.py"))
    return found


NAMED: dict[str, list[str]] = {}
RECIPES = sorted((ROOT / "genmath/train/recipes").glob("[!_]*.py"))
READ = [file for file in sorted((ROOT / "genmath").rglob("*.py")) if file not in RECIPES]
for file in READ:
    for name, results in named_by(ast.parse(file.read_text("utf-8"))):
        if results:
            NAMED.setdefault(name, []).extend(results)
TIES: dict[str, set[str]] = {}
for test_file in sorted((ROOT / "tests").glob("test_*.py")):
    if test_file != Path(__file__):
        for function, tied in ties_in(test_file).items():
            TIES.setdefault(function, set()).update(tied)


def test_every_room_is_read() -> None:
    nested = [file for file in READ if "    Result: " in file.read_text("utf-8")]
    assert {file.parent.name for file in nested} >= {"genmath", "nets"}


@pytest.mark.parametrize("name", NAMED)
def test_what_names_a_result_is_tied_to_it(name: str) -> None:
    assert set(NAMED[name]) <= TIES.get(name, set())


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_trains_what_its_result_says(file: Path) -> None:
    """It implements nothing: among what it imports, with the methods of classes, is what is tied to
    the result it names. A recipe that changes another one has what that one imports."""
    tree = ast.parse(file.read_text("utf-8"))
    said = {result for _, results in named_by(tree) for result in results}
    assert said
    names = imported_by(file)
    assert said <= {r for name in NAMED if name.split(".")[0] in names for r in NAMED[name]}


@pytest.mark.parametrize("name", TIES)
def test_a_tie_binds_something_to_a_result(name: str) -> None:
    assert name in NAMED
    for result in TIES[name]:
        topic, short = result.split(".")
        getattr(book.chapter(topic), short)  # raises if there is none


@pytest.mark.parametrize("topic", book.topics())
def test_every_chapter_is_implemented_somewhere(topic: str) -> None:
    assert any(result.startswith(f"{topic}.") for results in NAMED.values() for result in results)
