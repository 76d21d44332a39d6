"""Wide formulas stand in lines: nothing of them is lost."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from genmath import book
from genmath.proof.language.latex import latex, latex_claim
from tests.site.conftest import ROOT


def module() -> Any:
    spec = importlib.util.spec_from_file_location("breaking", ROOT / "docs/_site/breaking.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


breaking = module()


def displays() -> Iterator[str]:
    for topic in book.topics():
        for derivation in book.chapter(topic).derivations:
            for chain in derivation.chains:
                yield latex(chain.start)
                yield from (latex(step.rhs) for step in chain.steps if not step.missing)
                yield latex_claim(derivation.result(chain))
            for slip in derivation.slips:
                yield latex_claim(slip.right)


@pytest.mark.parametrize("room", [8, 18, 33, 44])
def test_lines_are_all_that_is_added(room: float) -> None:
    changed = 0
    for tex in displays():
        made = breaking.broken(tex, room)
        assert breaking.unbroken(made) == tex
        assert made == tex or breaking.width(tex) > room
        assert made.count("{") == made.count("}")
        changed += made != tex
    assert changed >= 10


def test_where_it_breaks() -> None:
    assert breaking.broken("a + b", 9) == "a + b"
    assert breaking.broken("a = b + c - d", 4) == (
        r"\begin{aligned}& a = b \\ & \quad{} + c \\ & \quad{} - d\end{aligned}"
    )
    one = r"\mathbb{E}_{p(x)}\left[\frac{a + b + c + d}{2}\right]"
    assert breaking.broken(one, 7) == (
        r"\mathbb{E}_{p(x)}\left[\frac{\begin{aligned}& a + b \\ & \quad{} + c \\ & \quad{} + d"
        r"\end{aligned}}{2}\right]"
    )
    for whole in (r"f(a + b)", r"x_{i + j}", r"\frac{1}{a + b + c + d}", "-a"):
        assert breaking.broken(whole, 1) == whole
