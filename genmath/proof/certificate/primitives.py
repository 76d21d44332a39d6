"""Integrals with limits: what has the integrand as its slope, as far as it is found.

Powers of the letter by exponentials have such by the textbook. Beside the derivative of a function
of which nothing is known these are integrated by parts: so derivatives go, and what is left under
the integral is the function itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import perm

from genmath.proof.coq.monomials import affine, apart_from, expand, product, total
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import (
    Condition,
    Term,
    add,
    app,
    div,
    lam,
    mul,
    neg,
    num,
    power,
    replaced,
    var,
)

ZERO = num(0)
Opened = Callable[[Term, Signs], Term]
Powers = dict[Term, int]  # factors, with their exponents
Found = tuple[list[Term], list[Term]]  # of a primitive, and what is left under the integral


@dataclass(frozen=True)
class Primitive:
    """The integral `known` is that of the slope of `whole`, and `rest` is what it leaves."""

    whole: Term  # a function
    known: Term
    rest: Term | None
    target: Term


def primitive(term: Term, signs: Signs, opened: Opened) -> Primitive | None:
    function, *limits = term.args
    if not signs.heads[term.data].limited or any(t.data == "Infinity" for t in limits):
        return None
    ((x, _),) = function.data
    here = signs.within([x], between(x, term, signs))
    parts = expand(opened(function.args[0], here))
    if parts is None:
        return None
    found, rest = list[Term](), list[Term]()
    for m, weight in apart_from(parts, frozenset([x])).items():
        own, others = _integrated(dict(m), x, here)
        found += (mul(total(weight), t) for t in own)
        rest += (mul(total(weight), t) for t in others)
    if rest and not (found and signs.laws):
        return None
    whole = add(*found) if found else ZERO
    low, high = (replaced(whole, {x: t}) for t in limits)
    if not rest:
        return Primitive(lam(function.data, whole), term, None, add(high, neg(low)))

    def integral(t: Term) -> Term:
        return app(term.data, lam(function.data, t), *limits)

    beside = add(ZERO, *rest)
    known, left = integral(add(function.args[0], neg(beside))), integral(beside)
    return Primitive(lam(function.data, whole), known, left, add(high, neg(low), left))


def between(x: str, integral: Term, signs: Signs) -> list[Condition]:
    """Where the letter lies, if the limits are seen to be in order."""
    _, low, high = integral.args
    if not signs.nonnegative(add(high, neg(low))):
        return []
    return [("<=", low, var(x)), ("<=", var(x), high)]


def _integrated(powers: Powers, x: str, signs: Signs) -> Found:
    """The primitive of a product, and what is left under the integral."""
    own = dict(powers)
    k = own.pop(var(x), 0)
    grows = {t: own.pop(t) for t in powers if t.data == "exp" and affine(t.args[0], x)}
    rate = _rate(grows, x)
    if k < 0 or len(own) > 1 or not (rate == ZERO or signs.nonzero(rate)):
        return [], [_product(powers)]
    if not own:
        return [mul(_by_exponential(k, rate, x), _product(grows))], []
    ((slope, n),) = own.items()
    lower = _lower(slope, x, signs)
    if n != 1 or lower is None:
        return [], [_product(powers)]
    return _by_parts({var(x): k} | grows, rate, *lower, x, signs)


def _by_parts(beside: Powers, rate: Term, lower: Term, inner: Term, x: str, signs: Signs) -> Found:
    """That of w g', where g' has the primitive g / c: w g / c, less that of w' g / c."""
    k, once = beside[var(x)], div(num(1), inner)
    found, rest = [mul(once, _product(beside), lower)], list[Term]()
    for weight, fewer in ((num(k), {var(x): k - 1}), (rate, {var(x): k})):
        if weight != ZERO:
            own, left = _integrated(beside | fewer | {lower: 1}, x, signs)
            found += (neg(mul(once, weight, t)) for t in own)
            rest += (neg(mul(once, weight, t)) for t in left)
    return found, rest


def _by_exponential(k: int, rate: Term, x: str) -> Term:
    """What times exp(rate x) is the primitive of x^k exp(rate x)."""
    if rate == ZERO:
        return div(power(var(x), k + 1), num(k + 1))
    return add(
        *(
            div(mul(num((-1) ** j * perm(k, j)), power(var(x), k - j)), power(rate, j + 1))
            for j in range(k + 1)
        )
    )


def _rate(grows: Powers, x: str) -> Term:
    """By which exp(a x) to some powers grow together."""
    slopes = [mul(num(k), found[0]) for t, k in grows.items() if (found := affine(t.args[0], x))]
    return total(expand(add(ZERO, *slopes)) or {})


def _lower(t: Term, x: str, signs: Signs) -> tuple[Term, Term] | None:
    """Of what a function is the derivative, and the slope of its argument."""
    head = next((h for h in signs.heads.values() if h.slope == t.data), None)
    line = affine(t.args[0], x) if head and t.op == "app" else None
    if head is None or line is None or not signs.nonzero(line[0]):
        return None
    return app(head.name, t.args[0]), line[0]


def _product(powers: Powers) -> Term:
    return product(frozenset((t, k) for t, k in powers.items() if k), {})
