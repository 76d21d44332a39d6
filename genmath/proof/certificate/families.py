"""Members of a family as one another, times powers: x Gamma(x; k, b) = k/b Gamma(x; k + 1, b).

So the mean of a power, or of an exponential, by a Gamma law is what the other density lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from genmath.proof.coq.monomials import affine, expand, product, total
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, minus, mul, num, power, var

ONE, HALF = num(1), Fraction(1, 2)
LARGEST_POWER = 12
Other = tuple[Term, Term]  # another member, and the weight with which it is the product


def tilted(x: str, measure: str, own: Mapping[Term, int], signs: Signs) -> Other | None:
    """The product of a member's density and powers of its letter, as another's."""
    laws = [t for t in own if (head := signs.heads.get(t.data)) and head.family]
    if len(laws) != 1 or own[laws[0]] != 1 or len(own) == 1:
        return None
    (law,) = laws
    head, (at, *parameters) = signs.heads[law.data], law.args
    if head.margins != ((measure, ""),) or at != var(x) or any(x in t.free for t in parameters):
        return None
    rest = {t: k for t, k in own.items() if t != law}
    found = {"Gamma": _gamma, "Beta": _beta}.get(head.family)
    other = found(x, law, rest, signs) if found else None
    return other if other and signs.law(other[0]) and signs.law(law) else None


def quotient(law: Term, own: Mapping[Term, int], other: Other) -> Term:
    """What a density is, by that of the other member."""
    rest = frozenset((t, k) for t, k in own.items() if t != law)
    return div(mul(other[1], other[0]), product(rest, {}))


def _gamma(x: str, law: Term, rest: Mapping[Term, int], signs: Signs) -> Other | None:
    at, shape, rate = law.args
    more, less = Fraction(0), num(0)
    for t, k in rest.items():
        line = affine(t.args[0], x) if t.data == "exp" else None
        if t in (var(x), app("sqrt", var(x))):
            more += k if t == var(x) else k * HALF
        elif line and line[1] == num(0):
            less = add(less, mul(num(k), line[0]))
        else:
            return None
    shape_, rate_ = _sum(shape, num(more)), _sum(minus(rate, less), num(0))
    if rate_ == _sum(rate, num(0)):
        weight = div(_gammas(signs, shape_), mul(_gammas(signs, shape), _power(rate, more)))
        return app(law.data, at, shape_, rate), weight
    if more or shape.op != "num" or shape.data not in range(1, LARGEST_POWER):
        return None
    return app(law.data, at, shape, rate_), power(div(rate, rate_), int(shape.data))


def _beta(x: str, law: Term, rest: Mapping[Term, int], signs: Signs) -> Other | None:
    at, a, b = law.args
    if not rest.keys() <= {var(x)}:
        return None
    k = num(Fraction(rest[var(x)]))
    more = _sum(a, k)
    over = mul(_gammas(signs, more), _gammas(signs, _sum(a, b)))
    under = mul(_gammas(signs, a), _gammas(signs, _sum(a, b, k)))
    return app(law.data, at, more, b), div(over, under)


def _gammas(signs: Signs, t: Term) -> Term:
    return app(next(h.name for h in signs.heads.values() if h.gamma), t)


def _sum(*terms: Term) -> Term:
    p = expand(add(*terms)) or {}
    return total(p) if p.keys() - {frozenset()} else num(p.get(frozenset(), Fraction(0)))


def _power(t: Term, k: Fraction) -> Term:
    """Of a whole number or a half."""
    whole, left = divmod(k, 1)
    found = power(t, int(abs(whole))) if whole >= 0 else div(ONE, power(t, int(-whole)))
    return mul(found, app("sqrt", t)) if left else found
