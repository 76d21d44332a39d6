"""Integrals with limits: what has the integrand as its slope, as far as it is found.

Powers of the letter by exponentials have such by the textbook. Beside the derivative of a function
of which nothing is known these are integrated by parts: so derivatives go, and what is left under
the integral is the function itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, perm

from genmath.proof.certificate.fractions import partial
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
    for divide in (False, True):
        found, rest = list[Term](), list[Term]()
        for m, weight in apart_from(partial(parts, [x], here, divide), frozenset([x])).items():
            own, others = _integrated(dict(m), x, here)
            found += (mul(total(weight), t) for t in own)
            rest += (mul(total(weight), t) for t in others)
        if not rest:
            break
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
    return signs.between(var(x), low, high)


def _integrated(powers: Powers, x: str, signs: Signs) -> Found:
    """The primitive of a product, and what is left under the integral."""
    if logarithm := _logarithm(powers, x, signs):
        return [logarithm], []
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


def _logarithm(powers: Powers, x: str, signs: Signs) -> Term | None:
    """The primitive of ln u, of x^k u^n or, with an exponential t, of t u^n, where n < 0: u is a
    line in x, or in t."""
    under = [(u, n) for u, n in powers.items() if n < 0] or [(u, n) for u, n in powers.items()]
    if len(under) != 1:
        return None
    ((u, n),) = under
    rest = {t: k for t, k in powers.items() if t != u}
    if not rest and n == 1 and u.data == "ln" and (inner := affine(u.args[0], x)):
        u = add(mul(inner[0], var(x)), inner[1])
        return div(add(mul(u, app("ln", u)), neg(u)), inner[0]) if signs.positive(u) else None
    if n > 0 or len(rest) > 1:
        return None
    ((t, k),) = rest.items() or ((var(x), 0),)
    line = _line(u, t, x, signs)
    if line is None:
        return None
    sign, slope, constant = line
    weight = num(sign**-n)
    u = add(mul(slope, t), constant)
    if t == var(x):
        return _by_line(u, k, n, weight, slope, constant) if k >= 0 else None
    moving = affine(t.args[0], x) if t.data == "exp" and k == 1 else None
    return moving and div(mul(weight, _powered(u, n)), mul(slope, moving[0]))


def _by_line(u: Term, k: int, n: int, weight: Term, slope: Term, constant: Term) -> Term:
    """The primitive of x^k u^n, where u = slope x + constant: x is (u - constant) / slope."""
    over = power(slope, k + 1)
    return add(
        *(
            mul(weight, num(comb(k, j)), power(neg(constant), k - j), div(_powered(u, j + n), over))
            for j in range(k + 1)
        )
    )


def _line(u: Term, t: Term, x: str, signs: Signs) -> tuple[int, Term, Term] | None:
    """Of which number times t, and another, it is the sum; or minus it, if that is > 0."""
    parts = apart_from(expand(u) or {}, frozenset([x]))
    slope, constant = parts.pop(frozenset([(t, 1)]), {}), parts.pop(frozenset(), {})
    if parts or not slope:
        return None
    for sign in (1, -1):
        line = [total({m: sign * c for m, c in p.items()}) for p in (slope, constant)]
        if signs.positive(add(mul(line[0], t), line[1])) and signs.nonzero(line[0]):
            return sign, line[0], line[1]
    return None


def _powered(u: Term, n: int) -> Term:
    """The primitive of u^n by u."""
    if n == -1:
        return app("ln", u)
    if n > -1:
        return div(power(u, n + 1), num(n + 1))
    return neg(div(num(1), mul(num(-n - 1), power(u, -n - 1))))


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
