"""Where exponentials and logarithms lie beside 1 and 0, by the gap of the logarithm alone.

u - 1 - ln u >= 0 at u = e^v is e^v >= 1 + v, and at u = 1/v it is ln v >= 1 - 1/v.
"""

from __future__ import annotations

from typing import Protocol

from genmath.proof.certificate import said
from genmath.proof.certificate.scope import Place, Weighted
from genmath.proof.coq.terms import Term, app, div, neg, num

ZERO, ONE = num(0), num(1)


class Bounds(Protocol):
    """What shows where terms lie, at a place."""

    place: Place

    def positive(self, t: Term) -> int | None: ...
    def nonnegative(self, t: Term) -> int | None: ...
    def divisors(self, *terms: Term) -> None: ...


def above(bounds: Bounds, exp: Term, low: Term, sign: str) -> int:
    """low <= exp u where u >= low - 1 >= 0."""
    (u,) = exp.args
    gap, by = _gap(bounds, exp)
    terms: list[Weighted] = [["1", gap]]
    at = bounds.nonnegative(u)
    terms.append([str(u.data)] if at is None else ["1", at])
    return _combined(bounds, sign, low, exp, terms, by)


def below(bounds: Bounds, exp: Term, sign: str) -> int:
    """exp u <= 1 where u <= 0: the gap is exp u times that of exp(-u)."""
    (u,) = exp.args
    minus, positive = app("exp", neg(u)), bounds.place.add("bound", "exp", said.of(exp))
    gap, by = _gap(bounds, minus)
    by.insert(0, bounds.place.add("equal", "exp_minus", said.of(minus)))
    at = bounds.nonnegative(neg(u))
    terms: list[Weighted] = [["1", positive, gap]]
    terms.append(["1", positive, *([at] if at is not None else [])])
    return _combined(bounds, sign, exp, ONE, terms, by)


def ordered(bounds: Bounds, low: Term, high: Term, sign: str) -> int:
    """exp u <= exp v where u <= v: the gap is exp u times that of 1 and exp(v - u)."""
    (u,), (v,) = low.args, high.args
    ratio, minus = app("exp", Term("add", (v, neg(u)))), app("exp", neg(u))
    first = bounds.place.add("bound", "exp", said.of(low))
    beyond = above(bounds, ratio, ONE, sign)
    rules = ("exp_minus", minus), ("exp_sum", ratio)
    by = [bounds.place.add("equal", rule, said.of(t)) for rule, t in rules]
    return _combined(bounds, sign, low, high, [["1", first, beyond]], by)


def logarithm(bounds: Bounds, ln: Term, sign: str) -> int:
    """0 <= ln u where u >= 1."""
    (u,) = ln.args
    add = bounds.place.add
    bounds.positive(u)
    inverse = add("bound", "inverse", said.of(u))
    over = app("log_gap", div(ONE, u))
    gap = add("bound", "log_gap", said.of(over))
    by = [
        add("equal", "ln_one", said.of(app("ln", ONE))),
        add("equal", "ln_quotient", said.of(app("ln", div(ONE, u)))),
        add("equal", "log_gap", said.of(over)),
    ]
    beyond = bounds.nonnegative(minus_one(u))
    terms: list[Weighted] = [["1", gap]]
    if beyond is not None:
        terms.append(["1", beyond, inverse])
    return _combined(bounds, sign, ZERO, ln, terms, by)


def minus_one(u: Term) -> Term:
    return Term("add", (u, neg(ONE)))


def _gap(bounds: Bounds, exp: Term) -> tuple[int, list[int]]:
    """exp u - 1 - u >= 0, and what the gap is."""
    add, gap = bounds.place.add, app("log_gap", exp)
    bounds.divisors(*exp.args)
    add("bound", "exp", said.of(exp))
    by = [
        add("equal", "ln_exp", said.of(app("ln", exp))),
        add("equal", "log_gap", said.of(gap)),
    ]
    return add("bound", "log_gap", said.of(gap)), by


def _combined(
    bounds: Bounds, sign: str, low: Term, high: Term, terms: list[Weighted], by: list[int]
) -> int:
    claim = [sign, said.of(low), said.of(high)]
    bounds.divisors(low, high, *low.args, *high.args)
    return bounds.place.add("combination", claim, terms, by)
