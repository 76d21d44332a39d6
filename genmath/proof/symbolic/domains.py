"""Whether an expression may stand for a letter."""

from __future__ import annotations

import sympy as sp

from genmath.proof.language.shapes import size_of
from genmath.proof.language.tree import Node, Ranging, Symbol
from genmath.proof.symbolic.algebra import is_nonnegative, is_positive
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.supports import Assumed, Rules, Unsupported


def outside_domain(pattern: Symbol, actual: Node, dimension: int, assumed: set[Assumed]) -> str:
    plain = pattern.shape in ("vector", "matrix") and pattern.domain == "real"
    if plain:
        inner = Rules()
        try:
            column = Lowering(inner, dimension)(actual)
        except Unsupported as error:
            return f"no rule for {error}"
        if inner.needs:
            return str(inner.needs[0])
        assumed |= inner.assumed
        rows, columns = (n or dimension for n in size_of(pattern.sized))
        fits = isinstance(column, sp.MatrixBase) and column.shape == (rows, columns)
        return "" if fits else f"{actual!r} is not a {pattern.shape} of that size"
    if isinstance(pattern, Ranging):
        return "" if actual == pattern else f"{actual!r} cannot stand for {pattern!r}"
    if pattern.shape or pattern.domain in ("natural", "member", "bit", "count", "integer"):
        same = isinstance(actual, Symbol) and (actual.sized, actual.domain) == (
            pattern.sized,
            pattern.domain,
        )
        if pattern.domain == "commuting":
            same = actual == pattern
        if same and pattern.domain == "member":
            same = isinstance(actual, Symbol) and actual.space == pattern.space
        return "" if same else f"{actual!r} cannot stand for {pattern!r}"
    rules = Rules()
    try:
        value = Lowering(rules, dimension)(actual)
    except Unsupported as error:
        return f"no rule for {error}"
    if isinstance(value, sp.MatrixBase):
        return f"{actual!r} is not a number"
    ok = {
        "real": True,
        "positive": is_positive(value),
        "nonnegative": is_nonnegative(value),
        "unit": is_positive(value) and is_positive(1 - value),
        "at_least_one": is_nonnegative(value - 1),
    }[pattern.domain]
    assumed |= rules.assumed
    return "" if ok and not rules.needs else f"{actual!r} is not shown to be {pattern.domain}"
