"""Fractions whose denominators are sums, as partial fractions: p/(p + q) is 1 - q/(p + q)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from genmath.proof.coq.monomials import (
    Monomial,
    Polynomial,
    expand,
    product,
    shared,
    together,
    total,
)
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, power

MOST = 60  # times that a numerator is divided


def partial(p: Polynomial, letters: Iterable[str], signs: Signs, divide: bool = True) -> Polynomial:
    """The same, where no numerator can be divided by a denominator that speaks of the letters, and
    no root or indicator stands in a power. Not `divide`: with such denominators as products."""
    names = dict.fromkeys(letters, "_")
    found, left = Polynomial(), list(p.items())
    for _ in range(MOST):
        if not left:
            return found
        m, c = left.pop()
        divided = _lowered(m, signs) or _divided(m, names, divide)
        if divided is None:
            found[m] = found.get(m, Fraction(0)) + c
        else:
            left += [(n, c * d) for n, d in divided.items()]
        found = {m: c for m, c in found.items() if c}
    return p


def _lowered(m: Monomial, signs: Signs) -> Polynomial | None:
    """Powers of a root and of what stands under it as one; an indicator is its own square."""
    powers = dict(m)
    for t, k in m:
        rest = m - {(t, k)}
        if t.data == signs.indicator and t.op == "app" and k > 1:
            return {_powers(dict(rest), {t: 1}): Fraction(1)}
        if t.op != "app" or t.data != "sqrt" or not signs.nonnegative(t.args[0]):
            continue
        (u,) = t.args
        if u.op == "add" and k > 1 and (under := expand(power(u, k // 2))):
            return {_powers(dict(rest), {t: k % 2}, dict(n)): d for n, d in under.items()}
        whole = k + 2 * powers.get(u, 0)
        if k != whole % 2 and u.op in ("app", "var"):
            rest -= {(u, powers.get(u, 0))}
            return {_powers(dict(rest), {t: whole % 2, u: whole // 2}): Fraction(1)}
    return None


def _divided(m: Monomial, names: dict[str, str], divide: bool) -> Polynomial | None:
    """By one denominator, written without a number of its own; None if nothing is to be done."""
    for t, k in sorted(m, key=lambda f: str(f[0])) if any(k < 0 for _, k in m) else ():
        if k > 0 or names.keys().isdisjoint(t.free):
            continue
        rest = dict(m - {(t, k)})
        if simple := _simple(t):
            c, factors = simple
            return {_powers(rest, {a: n * k for a, n in factors}): c**k}
        parts = expand(t)
        if parts is None or len(parts) < 2 or any(n < 0 for one in parts for _, n in one):
            continue
        lead = _leading(parts, names)
        if both := shared(t):
            return {_powers(rest, dict.fromkeys(both, k)): Fraction(1)}
        c = parts[lead]
        plain = total({n: d / c for n, d in parts.items()})
        if plain != t:
            return {_powers(rest, {plain: k}): c**k}
        over = {a: -n for a, n in lead}
        if divide and all(rest.get(a, 0) >= n for a, n in lead):
            once = _powers(rest, over, {t: k + 1})
            others = {n: -d for n, d in parts.items() if n != lead}
            return {once: Fraction(1)} | {
                _powers(rest, over, dict(n), {t: k}): d for n, d in others.items()
            }
    return None


def _simple(t: Term) -> tuple[Fraction, Monomial] | None:
    """As a number times powers of others, where it is no sum, or a sum of fractions."""
    if t.op == "add":
        both = together(t)
        return both and (Fraction(1), frozenset(_powers({both[0]: 1}, {both[1]: -1})))
    parts = expand(t, deep=False)
    if parts is None or len(parts) != 1:
        return None
    ((factors, c),) = parts.items()
    return None if factors == {(t, 1)} else (c, factors)


def _leading(parts: Polynomial, names: dict[str, str]) -> Monomial:
    """The largest product in an order that products keep."""
    atoms = sorted(
        {a for m in parts for a, _ in m}, key=lambda a: str(product(frozenset([(a, 1)]), names))
    )
    return max(parts, key=lambda m: [dict(m).get(a, 0) for a in atoms])


def _powers(*factors: dict[Term, int]) -> Monomial:
    whole: dict[Term, int] = {}
    for one in factors:
        for a, k in one.items():
            whole[a] = whole.get(a, 0) + k
    return frozenset((a, k) for a, k in whole.items() if k)
