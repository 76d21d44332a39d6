"""Normal laws of vectors: their densities as exponentials, and moments."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, lam, mul, neg, num, replaced, var

OWN = 90  # in names of letters that nothing else binds
TEMPORARY = map("··{}".format, itertools.count())
ZERO, ONE, TWO = num(0), num(1), num(2)


def vector_density(law: Term, signs: Signs) -> Term | None:
    """Of a covariance v C, where v > 0, and C is the identity matrix or one that is declared."""
    head = signs.heads.get(law.data)
    if head is None or not head.normal:
        return None
    (x, m, spread), by, unit = law.args, head.normal, signs.heads[head.normal].unit
    (i, _), (j, _) = spread.data
    *factors, core = spread.args[0].args if spread.args[0].op == "mul" else (spread.args[0],)
    fixed = all(t.free.isdisjoint((i, j)) and signs.positive(t) for t in factors)
    matrix = signs.heads.get(core.data)
    if core.args != (var(i), var(j)) or not fixed or matrix is None:
        return None
    if core.data != unit and not matrix.inverted:
        return None
    inverse = unit if core.data == unit else matrix.inverted
    v = mul(ONE, ONE, *factors)

    def off(k: Term) -> Term:
        return add(at(x, k), neg(at(m, k)))

    def part(k: Term) -> Term:
        row = _sum(by, lambda n: mul(app(inverse, k, n), off(n)), signs)
        return add(_ln_normal(ZERO, ZERO, v), neg(div(div(mul(off(k), row), v), TWO)))

    rest = ZERO if core.data == unit else app("ln", app(matrix.det))
    return app("exp", add(_sum(by, part, signs), neg(div(rest, TWO))))


def _ln_normal(x: Term, m: Term, v: Term) -> Term:
    return app("ln", app("normal", x, m, v))


def _sum(by: str, body: Callable[[Term], Term], signs: Signs) -> Term:
    inner = body(var(old := next(TEMPORARY)))
    letter = f"v{inner.height}_{OWN}"
    ((name, said),) = signs.heads[by].letters
    where = tuple((s, replaced(a, {name: letter}), replaced(b, {name: letter})) for s, a, b in said)
    return app(by, lam(((letter, where),), replaced(inner, {old: letter})))


def moment(law: Term, places: list[Term]) -> Term:
    """The mean of the product of coordinates: each is its mean, or goes with another."""
    if not places:
        return ONE
    first, *rest = places
    terms = [mul(entry(law.args[1], first, first), moment(law, rest))]
    for k, other in enumerate(rest):
        pair = entry(law.args[2], first, other)
        terms.append(mul(pair, moment(law, rest[:k] + rest[k + 1 :])))
    return add(*terms)


def at(table: Term, k: Term) -> Term:
    return entry(table, k, k)


def entry(table: Term, i: Term, j: Term) -> Term:
    (one, _), (other, _) = table.data
    return replaced(table.args[0], {one: i, other: j})
