"""Limits of explicit functions: by continuity, and by which term of a quotient outgrows the others
at infinity. What is not decided stays open."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import is_nonnegative, is_positive, substitute
from genmath.proof.symbolic.atoms import AbsAtom, Fun, Key, Log
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.supports import Unsupported


def limit_of(e: Any, letter: Any, to: Any) -> Any:
    """The value, or None."""
    if isinstance(to, Key):
        if letter.is_nonnegative and to.name != "infinity":
            return None
        ahead = sp.Dummy("ahead", positive=True)
        sign = 1 if to.name == "infinity" else -1
        try:
            return _at_infinity(substitute(e, {letter: sign * ahead}), ahead)
        except Unsupported:
            return None
    if letter.is_nonnegative and not is_nonnegative(to):
        return None  # it may be that no value of the letter is near
    return _by_continuity(e, letter, to)


def _by_continuity(e: Any, letter: Any, to: Any) -> Any:
    try:
        return substitute(e, {letter: to}) if _continuous(e, letter, to) else None
    except Unsupported:
        return None


def _continuous(e: Any, letter: Any, to: Any) -> bool:
    """Continuous in the letter where it is `to`, and in a neighbourhood."""
    if not e.has(letter) or e == letter:
        return True
    if e.is_Add or e.is_Mul or isinstance(e, sp.exp):
        return all(_continuous(a, letter, to) for a in e.args)
    if e.is_Pow and not e.exp.has(letter):
        if not _continuous(e.base, letter, to):
            return False
        if e.exp.is_Integer and e.exp > 0:
            return True
        base = substitute(e.base, {letter: to})
        return is_positive(base) or (bool(e.exp.is_Integer) and is_positive(-base))
    if isinstance(e, Log):
        return _continuous(e.args[0], letter, to) and is_positive(
            substitute(e.args[0], {letter: to})
        )
    if isinstance(e, AbsAtom):
        return _continuous(e.args[0], letter, to)
    if isinstance(e, Fun):
        inner = e.args[1]
        real = e.row.domain == "real" or is_positive(substitute(inner, {letter: to}))
        return e.row.derivative is not None and real and _continuous(inner, letter, to)
    return False


# --- at infinity ---


def _at_infinity(e: Any, u: Any) -> Any:
    """Of a quotient of sums of c u^a exp(b u): the ratio of the terms that outgrow the others."""
    over, under = sp.fraction(canon(e))
    top, bottom = _dominant(over, u), _dominant(under, u)
    if top is None or bottom is None or bottom[0] == 0:
        return None
    if not (is_positive(bottom[0]) or is_positive(-bottom[0])):
        return None
    order = _compare(top[1:], bottom[1:])
    if top[0] == 0 or order == -1:
        return sp.S.Zero
    return canon(top[0] / bottom[0]) if order == 0 else None


def _dominant(e: Any, u: Any) -> tuple[Any, Any, Any] | None:
    """The coefficient, the power and the rate of the terms that outgrow all others; None where
    that is not decided."""
    found: dict[tuple[Any, Any], Any] = {}
    for t in terms(expand(e)):
        shape = _shape(t, u)
        if shape is None:
            return None
        c, power, rate = shape
        found[power, rate] = found.get((power, rate), sp.S.Zero) + c
    found = {k: c for k, c in found.items() if expand(c) != 0}
    if not found:
        return sp.S.Zero, sp.S.Zero, sp.S.Zero
    first, *others = found
    for other in others:
        order = _compare(other, first)
        if order is None or order == 0:
            return None
        if order > 0:
            first = other
    return expand(found[first]), *first


def _shape(t: Any, u: Any) -> tuple[Any, Any, Any] | None:
    c, rest = t.as_independent(u, as_Add=False)
    power, rate = sp.S.Zero, sp.S.Zero
    for f in sp.Mul.make_args(rest):
        base, k = (f, sp.S.One) if isinstance(f, sp.exp) else f.as_base_exp()
        if f == 1:
            continue
        if base == u and k.is_Rational:
            power += k
        elif isinstance(base, sp.exp) and not k.has(u):
            fixed, moving = expand(k * base.args[0]).as_independent(u, as_Add=True)
            slope = expand(moving / u)
            if slope.has(u):
                return None
            c *= sp.exp(fixed) if fixed != 0 else 1
            rate += slope
        else:
            return None
    return c, power, rate


def _compare(a: tuple[Any, Any], b: tuple[Any, Any]) -> int | None:
    """Whether u^a0 exp(a1 u) outgrows (1) the other or is outgrown (-1)."""
    for gap in (expand(a[1] - b[1]), expand(a[0] - b[0])):
        if gap == 0:
            continue
        return 1 if is_positive(gap) else -1 if is_positive(-gap) else None
    return 0
