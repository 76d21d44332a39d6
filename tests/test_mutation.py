"""What `benchmarks/mutation.py` changes, and that what is argued about is still there."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = '''
def step(x, eta=0.0, *, n: int = 2):
    """Prose with 3 numbers and a - b."""
    eta = real("eta", eta, "a number", 0.0)
    if n < 1 or x is None:
        raise ValueError(f"{n - 1} is small")
    check(x)
    return -(x[1:] - eta * n) if n and eta else [y for y in x if y]
'''
GUARDS = {
    'real("eta", eta, "a number", 0.0) → (eta)',
    "n < 1 or x is None → False",
    "n < 1 or x is None → (x is None)",
    "n < 1 or x is None → (n < 1)",
    "n < 1 → (n <= 1)",
    "check(x) → None",
    "n and eta → False",
    "n and eta → (eta)",
    "n and eta → (n)",
    "y → True",
}
COEFFICIENTS = {
    "0.0 → 0.5",
    "2 → 3",
    "1 → 2",
    "-(x[1:] - eta * n) → (x[1:] - eta * n)",
    "x[1:] - eta * n → (x[1:] + eta * n)",
    "eta * n → (eta / n)",
}


@pytest.fixture(scope="module")
def tool() -> Any:
    file = ROOT / "benchmarks" / "_mutants.py"
    spec = importlib.util.spec_from_file_location("_mutants", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["_mutants"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("kind", "expected"), [("guard", GUARDS), ("coefficient", COEFFICIENTS)])
def test_every_guard_and_every_coefficient_is_changed(tool, kind, expected) -> None:
    made = tool.mutants(SOURCE, "a.py", (kind,))
    assert {m.name.split(": ")[-1].removesuffix(" (no. 2)") for m in made} == expected
    assert len({m.name for m in made}) == len(made)
    for mutant in made:
        assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(SOURCE))


def test_what_is_argued_about_is_still_there(tool) -> None:
    argued = json.loads((ROOT / "benchmarks" / "mutation_argued.json").read_text(encoding="utf-8"))
    assert list(argued) == sorted(argued)
    for file in {name.split(":")[0] for name in argued}:
        made = {m.name for m in tool.mutants((ROOT / file).read_text(encoding="utf-8"), file)}
        assert [n for n in argued if n.startswith(f"{file}:") and not tool.named(n, made)] == []
