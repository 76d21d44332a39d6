"""Monomials, multiplied out term by term or, where there are many, in a ring of polynomials."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from genmath.proof.symbolic import polynomials
from genmath.proof.symbolic.atoms import AbsAtom
from genmath.proof.symbolic.polynomials import terms

a, b, c, x, y = sp.symbols("a b c x y", real=True)
s = sp.Symbol("s", positive=True)
size = AbsAtom(a - b)

AT = {a: sp.Rational(2, 3), b: sp.Rational(-5, 7), c: sp.Rational(4, 3), x: sp.Rational(9, 5)}
AT |= {y: sp.Rational(-1, 2), s: sp.Integer(4)}
SIZE = {size.xreplace(AT): sp.Rational(29, 21)}

EXPRESSIONS = (
    (a + b + c + 1) ** 4 * (a - b) ** 2,
    (a + sp.Rational(1, 3) - b) ** 5 * (x / s + y) * (c - 1),
    (sp.sqrt(s) + a + b) ** 4 * (sp.sqrt(s) - c),
    (size + a + b) ** 3 * (size - c) ** 2,
    (1 / (a + b) + c) ** 3 * (a + b + x) ** 2 * (x - y),
    (sp.sqrt(a**2 + 1) + b + c) ** 3 * (x + y) ** 2,
    (x + a + b * c) ** 3 * (y + a + c) ** 3,
    (a - a * b + b * a + 2) ** 6 * (x + y + c),
)


def _by_hand(monkeypatch: pytest.MonkeyPatch, e: Any, within: Any) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(polynomials, "MANY", 10**9)
        return terms(e, within)


@pytest.mark.parametrize("e", EXPRESSIONS, ids=str)
@pytest.mark.parametrize("within", [None, {x, y}, {x}], ids=["all", "x and y", "x"])
def test_both_ways_come_to_the_same_monomials(
    e: Any, within: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polynomials, "MANY", 1)
    made = terms(e, within)
    assert sp.Add(*made) == sp.Add(*_by_hand(monkeypatch, e, within))
    assert not any(polynomials._has_sum(t, within) for t in made)
    assert abs(sp.N((sp.Add(*made) - e).xreplace(AT).xreplace(SIZE))) < 1e-9


def test_a_polynomial_of_many_terms_meets_each_monomial_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    e = (a + b + c + x + y) ** 5
    assert len(terms(e)) == 126
    assert len(set(terms(e))) == 126
