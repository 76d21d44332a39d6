"""A sum is >= 0 if it is with its terms replaced by what lies below them: a convex function by a
tangent, a concave one that is taken away as well.

Each bound holds wherever the term itself has a meaning:

    c log u >= c (1 - 1/u)  for c >= 0, u > 0        -c exp u >= -c / (1 - u)   for u < 1
    c exp u >= c (1 + u)    for c >= 0               -c sqrt u >= -c (1 + u)/2  for u >= 0
    -c f(u) >= -c u  for f = sin, arctan and u >= 0, and c f(u) >= c u for u <= 0

The first of them, for 1/u, also bounds -c log u, and all are equalities at one point: u = 1 or 0.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import is_nonnegative, is_positive
from genmath.proof.symbolic.atoms import AbsAtom, Fun, Log
from genmath.proof.symbolic.conditions import powers
from genmath.proof.symbolic.polynomials import HALF, canon, expand, terms

UNDER_THE_DIAGONAL = ("sin", "arctan")  # f(u) <= u for u >= 0, and f is odd
MOST = 6  # coefficients of logarithms


def lowered(value: Any) -> Iterator[Any]:
    """What lies below the value, by some of these bounds for all terms that they are of."""
    for below in dict.fromkeys((value, *_logarithms(value))):
        ways = [way for way in (_exponentials, _roots, _odd) if way(below) != below]
        for count in range(len(ways) + 1):
            for chosen in itertools.combinations(ways, count):
                found = below
                for way in chosen:
                    found = way(found)
                if found != value:
                    yield canon(found)


def _logarithms(value: Any) -> Iterator[Any]:
    """Those with one coefficient together: c log u - c log v = c log(u/v)."""
    inside: dict[Any, Any] = defaultdict(lambda: sp.S.One)
    rest = sp.S.Zero
    for t in terms(value):
        found = _one(t, Log)
        if found is None or isinstance(found.args[0], AbsAtom):  # which may be log 0
            rest += t
            continue
        c = expand(t / found)
        sign = -1 if -c in inside else 1
        inside[sign * c] *= found.args[0] ** sign
    if not inside or len(inside) > MOST:
        return
    for shared in _shared(dict(inside)):
        below = rest
        for c, u in shared.items():
            if is_nonnegative(c):
                below += c * (1 - 1 / u)
            elif is_nonnegative(-c):
                below += c * (u - 1)
            else:
                below += sum(c * k * Log(b) for b, k in powers(u))
        yield below


def _shared(inside: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    """As they are; with a coefficient that is the sum of all others, up to its sign, shared out:
    log 2 + c log u + (1 - c) log v; and with what a larger coefficient is above a smaller one set
    apart: c log u + log v = c log(u v) + (1 - c) log v."""
    yield inside
    for c, u in inside.items():
        others = {e: v for e, v in inside.items() if e != c}
        for sign in (1, -1):
            if len(others) > 1 and expand(sp.Add(*others) - sign * c) == 0:
                yield {e: v * u**sign for e, v in others.items()}
    for (c, u), (e, v) in itertools.permutations(inside.items(), 2):
        for sign in (1, -1):
            more = expand(e - sign * c)
            if more not in inside and any(
                is_nonnegative(s * sign * c) and is_nonnegative(s * more) for s in (1, -1)
            ):
                yield {**inside, c: u * v**sign, e: sp.S.One, more: v}


def _exponentials(value: Any) -> Any:
    def below(c: Any, e: Any) -> Any | None:
        u = e.args[0]
        if is_nonnegative(c):
            return c * (1 + u)
        return c / (1 - u) if is_nonnegative(-c) and is_positive(1 - u) else None

    return _each(value, sp.exp, below)


def _roots(value: Any) -> Any:
    total = sp.S.Zero
    for t in terms(value):
        roots = [f for f in sp.Mul.make_args(t) if f.is_Pow and f.exp == HALF]
        u = sp.Mul(*(f.base for f in roots))
        c = t / sp.Mul(*roots)
        total += c * (1 + u) / 2 if roots and is_nonnegative(-c) else t
    return total


def _odd(value: Any) -> Any:
    def below(c: Any, e: Any) -> Any | None:
        u = e.args[1]
        if e.row.name not in UNDER_THE_DIAGONAL:
            return None
        over = is_nonnegative(-c) and is_nonnegative(u)
        return c * u if over or (is_nonnegative(c) and is_nonnegative(-u)) else None

    return _each(value, Fun, below)


def _each(value: Any, kind: Any, below: Callable[[Any, Any], Any | None]) -> Any:
    """Every term c e with one e of a kind, where something is known to lie below it."""
    total = sp.S.Zero
    for t in terms(value):
        e = _one(t, kind)
        under = None if e is None else below(canon(t / e), e)
        total += t if under is None else under
    return total


def _one(t: Any, kind: Any) -> Any | None:
    """The one factor of that kind, to the first power."""
    found = [f for f in sp.Mul.make_args(t) if isinstance(f, kind)]
    others = any(f.has(kind) for f in sp.Mul.make_args(t) if f not in found)
    return found[0] if len(found) == 1 and not others else None
