"""Integrals, expectations and sums term by term: c f + g under the sign, c times f and g apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from genmath.proof.coq.reading import Head
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, lam, mul, neg, num, power, var

MOST, LARGEST_POWER = 24, 4  # terms under one sign; powers that are multiplied out
LARGEST_MOMENT = 8
Parts = list[tuple[list[Term], list[Term]]]  # factors that are constants, and the others


def apart(term: Term, signs: Signs, opened: Callable[[Term, Signs], Term]) -> Term | None:
    """A function of functions that is linear in the first of them, term by term; None where there
    is but one. An expectation of 1 is 1."""
    function, others = term.args[0], term.args[1:]
    weighted = signs.heads[term.data].linear == "expectation"
    bound = frozenset(name for name, _ in function.data)
    body = opened(function.args[0], signs.inside(function))
    parts = parts_of(body, bound)
    if len(parts) > MOST:
        return None
    terms = []
    for constants, rest in parts:
        if rest or not weighted:
            known = moment(function, others, rest, signs) if weighted else None
            inside = mul(*rest) if rest else num(1)
            one = known or app(term.data, lam(function.data, inside), *others)
            constants = [*constants, one]
        terms.append(mul(*constants) if constants else num(1))
    new = add(*terms)
    return None if new == term else new


def meaning(term: Term, head: Head) -> Term:
    """A divergence, or an entropy, as expectations of logarithms."""

    def expectation(of: Term, by: Term) -> Term:
        *few, (name, said) = by.data
        where = (*few, (name, (*said, ("<", num(0), by.args[0]))))
        return app(head.under, lam(where, app("ln", of)), by)

    p = term.args[0]
    if head.means == "H":
        return neg(expectation(p.args[0], p))
    q = term.args[1]
    if p.data != q.data:
        return term
    a, b = p.args[0], q.args[0]
    if head.means == "TV":
        return div(app(head.under, lam(p.data, app("Rabs", add(a, neg(b))))), num(2))
    if head.means == "KL":
        return expectation(div(a, b), p)
    middle = div(add(a, b), num(2))
    both = add(expectation(div(a, middle), p), expectation(div(b, middle), q))
    return div(both, num(2))


def moment(function: Term, others: tuple[Term, ...], rest: list[Term], signs: Signs) -> Term | None:
    """Of a normal law."""
    if len(others) != 1 or len(function.data) != 1:
        return None
    letter, law = var(function.data[0][0]), others[0].args[0]
    if law.op != "app" or law.data != "normal" or law.args[0] != var(others[0].data[0][0]):
        return None
    if not set(rest) <= {letter}:
        return None
    return moment_of(law, letter.data, len(rest), signs) if rest else None


def moment_of(law: Term, x: str, k: int, signs: Signs) -> Term | None:
    """The k-th moment of a normal law of x."""
    if law.data != "normal" or law.args[0] != var(x):
        return None
    _, m, v = law.args
    if x in m.free | v.free or not signs.positive(v):
        return None
    if k > LARGEST_POWER and not (signs.apart and k <= LARGEST_MOMENT):
        return None
    moments = [num(1), m, add(power(m, 2), v)]
    for j in range(2, k):
        moments.append(add(mul(m, moments[j]), mul(num(j), v, moments[j - 1])))
    return moments[k]


def parts_of(term: Term, bound: frozenset[str]) -> Parts:
    if term.free.isdisjoint(bound):
        return [([], [])] if term == num(1) else [([term], [])]
    match term.op:
        case "add":
            return [p for a in term.args for p in parts_of(a, bound)]
        case "neg":
            return [([num(-1), *c], r) for c, r in parts_of(term.args[0], bound)]
        case "mul":
            return _product([parts_of(a, bound) for a in term.args], term)
        case "pow" if term.args[0].op != "app" and term.data <= LARGEST_POWER:
            return _product([parts_of(term.args[0], bound)] * term.data, term)
        case "div":
            over, under = term.args
            below: Parts = [([], [div(num(1), under)])]
            if under.free.isdisjoint(bound):
                below = [([div(num(1), under)], [])]
            return _product([parts_of(over, bound), below], term)
    return [([], [term])]


def _product(factors: list[Parts], whole: Term) -> Parts:
    count = 1
    for f in factors:
        count *= len(f)
    if count > MOST:
        return [([], [whole])]
    return [
        ([c for one in chosen for c in one[0]], [r for one in chosen for r in one[1]])
        for chosen in itertools.product(*factors)
    ]
