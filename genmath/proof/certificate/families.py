"""Members of a family as one another, times powers: x Gamma(x; k, b) = k/b Gamma(x; k + 1, b).

So the mean of a power, or of an exponential, by a Gamma law is what the other density lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from genmath.proof.coq.monomials import affine, apart_from, expand, product, total
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


def squares(x: str, own: Mapping[Term, int], signs: Signs) -> tuple[Other, int] | None:
    """A normal density, beside exponentials of squares, as another's; and a power that is left.

    N(x; m, v) exp(a x^2 + b x) is N(x; w (m/v + b), w) sqrt(w/v) exp((w (m/v + b)^2 - m^2/v) / 2),
    where w = v / (1 - 2 a v)."""
    laws = [t for t in own if t.data == "normal" and t.args[0] == var(x)]
    if len(laws) != 1 or own[laws[0]] != 1 or any(x in t.free for t in laws[0].args[1:]):
        return None
    (law,), powers = laws, dict(own)
    _, m, v = law.args
    del powers[law]
    k, exponents = powers.pop(var(x), 0), [_exponent(t) for t in powers]
    if k < 0 or not powers or any(u is None for u in exponents):
        return None
    whole = add(*(mul(num(n), u) for u, n in zip(exponents, powers.values(), strict=True) if u))
    parts = apart_from(expand(whole) or {}, frozenset([x]))
    a, b = (total(parts.pop(frozenset([(var(x), j)]), {})) for j in (2, 1))
    less = _sum(num(1), mul(num(-2), a, v))
    if parts or not signs.positive(v) or not signs.positive(less):
        return None
    w, line = div(v, less), add(div(m, v), b)
    more = add(mul(w, power(line, 2)), minus(num(0), div(power(m, 2), v)))
    weight = div(app("exp", div(more, num(2))), app("sqrt", less))
    return (app("normal", var(x), mul(w, line), w), weight), k


def _exponent(t: Term) -> Term | None:
    """Of an exponential, or of the root of one."""
    if t.data == "exp":
        return t.args[0]
    if t.data == "sqrt" and t.args[0].data == "exp":
        return div(t.args[0].args[0], num(2))
    return None


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
