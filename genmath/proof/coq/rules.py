"""What a logarithm, an exponential, a root is in terms of others, where signs allow it."""

from __future__ import annotations

import math
from fractions import Fraction

from genmath.proof.coq.linear import apart, meaning
from genmath.proof.coq.monomials import expand, product, shared, together, total
from genmath.proof.coq.normals import vector_density
from genmath.proof.coq.reading import DERIVATIVE, POWER
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.slopes import NoSlope, derivative
from genmath.proof.coq.terms import (
    ARITHMETIC,
    Term,
    add,
    app,
    div,
    lam,
    mul,
    named_alike,
    neg,
    num,
    power,
    replaced,
    var,
)

LARGEST_POWER = 13
TACTICS = {
    "ln": "logs",
    "exp": "exps",
    "sqrt": "roots",
    "log_gap": "unfold log_gap; logs",
    "Rabs": "sizes",
}


def expanded(term: Term, signs: Signs) -> Term | None:
    """The same in terms of others; None if it stays as it is."""
    if not signs.apart:
        return _expanded(term, signs)
    if term not in signs.expansions:
        signs.expansions[term] = _expanded(term, signs)
    return signs.expansions[term]


def _expanded(term: Term, signs: Signs) -> Term | None:
    if term in signs.equal:
        return signs.equal[term][0]
    if term.op == "app" and term.data == DERIVATIVE:
        return _slope(term, signs)
    if term.op != "app":
        return None
    if signs.everywhere and ("=", term, num(1)) in signs.conditions:
        return num(1)  # what is known of an index
    if signs.everywhere and not signs.bound and (law := vector_density(term, signs)):
        return law  # under an integral it stays what its moments are known of
    if signs.apart and (new := by_map(term, signs) or reduced(term, signs)):
        return new
    head = signs.heads.get(term.data)
    if head is not None and head.limited and signs.apart:
        return signs.apart(term, signs, opened)
    if signs.laws and head is not None:
        if head.linear:
            return (signs.apart or apart)(term, signs, opened)
        if head.means and (signs.apart or head.means != "TV"):
            return meaning(term, head)
        if head.ratio:
            at = {f"a{k}": a for k, a in enumerate(term.args, 1)}
            return div(*(replaced(t, at) for t in head.ratio))
        if head.chain and signs.apart:
            at = {f"a{k}": a for k, a in enumerate(term.args, 1)}
            return mul(*(replaced(t, at) for t in head.chain))
    if signs.apart and (new := finite(term, signs)):
        return new
    if term.data == "normal" and signs.normals:
        return density(term)
    if term.data not in TACTICS:
        return None
    (inner,) = term.args
    match term.data:
        case "ln":
            new = _ln(inner, signs)
        case "exp":
            new = _exp(inner, signs)
        case "Rabs":
            new = _size(inner, signs)
        case "log_gap":
            new = add(inner, neg(num(1)), neg(_ln(inner, signs)))
        case _:
            new = _sqrt(inner, signs)
    return None if new == term else new


def by_map(term: Term, signs: Signs) -> Term | None:
    """A map of its inverse, and the derivative of an inverse."""
    head = signs.heads.get(term.data)
    if head and head.inverse:
        (at,) = term.args
        inner = at.args[0] if at.data == head.inverse else by_map(at, signs)
        return inner if at.data == head.inverse or not inner else app(term.data, inner)
    if head and all(head.turned):
        return div(num(1), app(head.turned[0], app(head.turned[1], *term.args)))
    return None


def reduced(term: Term, signs: Signs) -> Term | None:
    """A function at a quotient in which a letter cancels."""
    if term.data not in signs.heads or len(term.args) != 1 or term.args[0].op != "div":
        return None
    (at,) = term.args
    products = expand(at) if signs.nonzero(at.args[1]) else None
    new = at if products is None else total(products)
    return app(term.data, new) if new.free != at.free else None


def finite(term: Term, signs: Signs) -> Term | None:
    """A power, or a finite product, of what is > 0, as an exponential."""
    if term.data == POWER and signs.positive(term.args[0]):
        return app("exp", mul(term.args[1], app("ln", term.args[0])))
    head = signs.heads.get(term.data)
    if head and head.logs and signs.positive(term):
        function, *limits = term.args
        logs = lam(function.data, app("ln", function.args[0]))
        return app("exp", app(head.logs, logs, *limits))
    return None


def _in_order(t: Term) -> Term:
    """With exponentials of sums of products in an order of their own."""
    if t.op == "app" and t.data == "exp" and (p := expand(t.args[0])):
        return app("exp", total(p))
    args = t.args if t.op not in ARITHMETIC else tuple(map(_in_order, t.args))
    return Term(t.op, args, t.data)


def opened(term: Term, signs: Signs) -> Term:
    """With all that can be expanded, not counting what stands in functions."""
    if term.op == "app":
        new = expanded(term, signs)
        return term if new is None else opened(new, signs)
    if term.op not in ARITHMETIC:
        return term
    if term.op == "pow" and signs.apart and term.args[0].data == "Rabs" and term.data % 2 == 0:
        return opened(power(term.args[0].args[0], term.data), signs)
    return Term(term.op, tuple(opened(a, signs) for a in term.args), term.data)


def _slope(term: Term, signs: Signs) -> Term | None:
    """The derivative; of what has derivatives in it, first with what these are at every place."""
    function, at = term.args
    ((letter, _),) = function.data
    body = with_slopes(function.args[0], letter, signs)
    if body != function.args[0]:
        return app(DERIVATIVE, lam(function.data, body), at)
    try:
        slope = derivative(term, signs, signs.heads)[0]
    except NoSlope:
        return None
    return None if slope == term else slope


def with_slopes(term: Term, letter: str, signs: Signs) -> Term:
    if letter not in term.free:
        return term
    if term.op == "app" and term.data == DERIVATIVE:
        return expanded(term, signs) or term
    head = signs.heads.get(term.data) if term.op == "app" and signs.apart and signs.laws else None
    if head and (head.ratio or head.chain):
        return expanded(term, signs) or term
    moving = any(letter in a.free for a in term.args[1:])
    if head and (head.means or (head.linear == "expectation" and moving)):
        return opened(term, signs)
    if term.op == "lam":
        return term
    if term.data == "ln" and signs.everywhere and vector_density(term.args[0], signs):
        return expanded(term, signs) or term
    args = tuple(with_slopes(a, letter, signs) for a in term.args)
    return Term(term.op, args, term.data)


def _ln(u: Term, signs: Signs) -> Term:
    positive = signs.positive
    head = signs.heads.get(u.data) if signs.laws and u.op == "app" else None
    if head and (head.ratio or (head.chain and signs.apart)):
        u = expanded(u, signs) or u
    match u.op:
        case "num" if u.data == 1:
            return num(0)
        case "num" if signs.apart and (factors := factored(u.data)):
            return add(*(mul(num(k), app("ln", num(p))) for p, k in factors))
        case "num" if u.data.denominator != 1 and u.data > 0:
            return add(_ln(num(u.data.numerator), signs), neg(app("ln", num(u.data.denominator))))
        case "mul" if all(map(positive, u.args)):
            return add(*(_ln(a, signs) for a in u.args))
        case "div" if all(map(positive, u.args)):
            over, under = (_ln(a, signs) for a in u.args)
            return neg(under) if over == num(0) else add(over, neg(under))
        case "pow" if positive(u.args[0]):
            return mul(num(u.data), _ln(u.args[0], signs))
        case "add" if signs.apart and (parts := signs.fraction(opened(u, signs))):
            return add(_ln(parts[0], signs), neg(_ln(parts[1], signs)))
        case "add" if signs.apart and (parts := common(u, signs)):
            return add(*(_ln(a, signs) for a in parts))
        case "app" if signs.apart and (outer := outside(u, signs)):
            return add(*(_ln(a, signs) for a in outer))
        case "app" if signs.apart and (new := finite(u, signs)):
            return new.args[0]
        case "app" if u.data == "exp":
            return u.args[0]
        case "app" if u.data == "sqrt" and positive(u.args[0]):
            return div(_ln(u.args[0], signs), num(2))
        case "app" if signs.everywhere and (law := vector_density(u, signs)):
            return law.args[0]
        case "app" if u.data == "normal" and positive(u.args[2]):
            x, m, v = u.args
            spread = mul(num(2), var("PI"), v)
            square = power(add(x, neg(m)), 2)
            return add(neg(div(square, mul(num(2), v))), neg(div(_ln(spread, signs), num(2))))
    return app("ln", u)


def common(u: Term, signs: Signs) -> tuple[Term, Term] | None:
    """A sum as a product, both factors > 0."""
    now = _in_order(opened(u, signs))
    one = expand(now) or {}
    parts = (total(one), num(1)) if len(one) == 1 else shared(now)
    return parts if parts and all(map(signs.positive, parts)) else None


def density(t: Term) -> Term:
    """Of a normal law, as it is defined."""
    x, m, v = t.args
    square = power(add(x, neg(m)), 2)
    return div(app("exp", neg(div(square, mul(num(2), v)))), app("sqrt", mul(num(2), var("PI"), v)))


def outside(u: Term, signs: Signs) -> tuple[Term, ...] | None:
    """An integral, derivative or absolute value as a product, all factors > 0."""
    head = signs.heads.get(u.data)
    other = u.data in (DERIVATIVE, "Rabs") or (head and head.linear)
    found = opened(u, signs) if other else u
    factors = found.args if found.op == "mul" else (found,)
    return factors if found != u and all(map(signs.positive, factors)) else None


def factored(value: Fraction) -> list[tuple[int, int]]:
    """The prime factors of a small whole number that is none, with their powers."""
    left, found = int(value), []
    if value.denominator != 1 or not 1 < value < 10_000:
        return []
    for p in range(2, left + 1):
        k = 0
        while left % p == 0:
            left, k = left // p, k + 1
        if k:
            found.append((p, k))
        if left == 1:
            break
    return found if found != [(int(value), 1)] else []


def _exp(u: Term, signs: Signs) -> Term:
    if signs.everywhere and (other := collected(u, signs)) != u:
        return _exp(other, signs)
    match u.op:
        case "num" if u.data == 0:
            return num(1)
        case "neg":
            return div(num(1), _exp(u.args[0], signs))
        case "add":
            return mul(*(_exp(a, signs) for a in u.args))
        case "app" if u.data == "ln" and signs.positive(u.args[0]):
            return u.args[0]
        case "mul" | "div" | "app" if signs.apart and (new := multiplied_out(u, signs)):
            return _exp(new, signs)
        case "mul" | "div" if signs.apart and (twice := doubled(u)):
            return _sqrt(_exp(twice, signs), signs)
    return app("exp", u)


def collected(u: Term, signs: Signs) -> Term:
    """Opened, with equal products as one."""
    new = named_alike(opened(u, signs))
    p = expand(new)
    return new if p is None else total(p)


def doubled(u: Term) -> Term | None:
    """Twice a product, if that has no fraction as its coefficient and the product has."""
    p = expand(u)
    return total({m: 2 * c for m, c in p.items()}) if p and _halves(*p.values()) else None


def _halves(*coefficients: Fraction) -> bool:
    return all(c.denominator == 2 for c in coefficients)


def multiplied_out(u: Term, signs: Signs) -> Term | None:
    """A product that is a sum, or 0, or < 0, or a few times the same, once all in it is taken
    apart; of functions at arguments, sums alone are."""
    head = signs.heads.get(u.data) if u.op == "app" else None
    now = opened(u, signs) if u.op != "app" or (head and head.linear == "sum") else u
    p = expand(now)
    if p is None or (len(p) == 1 and u.op == "app" and now == u):
        return None
    if len(p) > 1 or min(p.values(), default=-1) < 0:
        return total(p)
    ((m, c),) = p.items()
    ((t, k), *others) = m or ((u, 0),)
    once = t.data == "ln" and k == 1 and not others
    if m and c in range(1 if once else 2, LARGEST_POWER):
        return add(*[product(m, {})] * int(c))
    return total(p) if now != u else None


def constant(u: Term) -> Fraction | None:
    values = [constant(a) for a in u.args]
    if u.op not in ("num", "add", "neg", "mul", "div", "pow") or None in values:
        return None
    known = [Fraction(v or 0) for v in values]
    match u.op:
        case "num":
            return Fraction(u.data)
        case "add":
            return sum(known, Fraction(0))
        case "neg":
            return -known[0]
        case "mul":
            return math.prod(known, start=Fraction(1))
        case "pow":
            return known[0] ** int(u.data)
    return known[0] / known[1] if known[1] else None


def root_of(value: Fraction) -> Fraction | None:
    if value < 0:
        return None
    root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
    return root if root**2 == value else None


def _size(u: Term, signs: Signs) -> Term:
    if signs.nonnegative(u):
        return u
    if signs.nonnegative(neg(u)):
        return neg(u)
    if signs.apart and signs.indicator:
        return by_indicator(u, signs)
    match u.op:
        case "app" if signs.apart and u.data == DERIVATIVE and (new := expanded(u, signs)):
            return _size(new, signs)
        case "app" if signs.apart and (new := by_map(u, signs)):
            return _size(new, signs)
        case "div" if signs.apart and signs.nonzero(u.args[1]):
            return div(*(_size(a, signs) for a in u.args))
        case "neg" if signs.apart:
            return _size(u.args[0], signs)
        case "mul" if signs.apart:
            return mul(*(_size(a, signs) for a in u.args))
        case "add" if signs.apart and (other := plainer(u) or scaled(u, signs)):
            return _size(other, signs)
        case "add" if signs.apart and (other := turned(u)):
            return app("Rabs", other)
    return app("Rabs", u)


def plainer(u: Term) -> Term | None:
    """A sum that is a product, or does not depend on a letter that stands in it."""
    p = expand(u)
    new = u if p is None else total(p)
    return new if new.op != "add" or new.free != u.free else None


def scaled(u: Term, signs: Signs) -> Term | None:
    """A sum of fractions with its denominator, which is > 0, apart; or a sum as a product."""
    parts = together(opened(u, signs))
    if parts and signs.positive(parts[1]):
        return mul(parts[0], div(num(1), parts[1]))
    factors = signs.factors(u)
    return mul(*factors) if factors else None


def by_indicator(u: Term, signs: Signs) -> Term:
    """The absolute value: u where u > 0, and else -u."""
    return mul(add(mul(num(2), app(signs.indicator, u)), neg(num(1))), u)


def turned(u: Term) -> Term | None:
    """Minus a sum that begins with a minus, in an order of its own."""
    p = expand(u)
    if not p or p[min(p, key=lambda m: str(product(m, {})))] > 0:
        return None
    return total({m: -c for m, c in p.items()})


def _sqrt(u: Term, signs: Signs) -> Term:
    value = constant(u)
    if value is not None and (root := root_of(value)) is not None:
        return num(root)
    if signs.apart and u.op == "add" and (other := plainer(u)):
        return _sqrt(other, signs)
    match u.op:
        case "num" if u.data.denominator != 1:
            return div(_sqrt(num(u.data.numerator), signs), _sqrt(num(u.data.denominator), signs))
        case "mul" if all(map(signs.nonnegative, u.args)):
            return mul(*(_sqrt(a, signs) for a in u.args))
        case "div" if signs.nonnegative(u.args[0]) and signs.positive(u.args[1]):
            return div(*(_sqrt(a, signs) for a in u.args))
        case "pow" if u.data == 2 and signs.nonnegative(u.args[0]):
            return u.args[0]
        case "pow" if signs.apart and u.data > 2 and signs.nonnegative(u.args[0]):
            return mul(*(_sqrt(power(u.args[0], k), signs) for k in halves(u.data)))
        case "add" if signs.apart and (parts := rooted(u, signs)):
            return _sqrt(parts, signs)
    return app("sqrt", u)


def halves(k: int) -> list[int]:
    """A power as a product of squares, and one more where it is odd."""
    return [2] * (k // 2) + [1] * (k % 2)


def rooted(u: Term, signs: Signs) -> Term | None:
    """A sum as a quotient or product of what is >= 0."""
    u = opened(u, signs)
    if fraction := signs.fraction(u):
        return div(*fraction)
    parts = signs.factors(u)
    return mul(*parts) if parts and all(map(signs.nonnegative, parts)) else None
