"""Normal laws of vectors: their densities as exponentials, and moments."""

from __future__ import annotations

from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, lam, mul, neg, num, power, replaced, var

ONE, TWO = num(1), num(2)


def vector_density(law: Term, signs: Signs) -> Term | None:
    """Where all of its numbers are independent, of one variance > 0."""
    head = signs.heads.get(law.data)
    if head is None or not head.normal:
        return None
    by, spread = head.normal, law.args[2]
    (i, _), (j, _) = spread.data
    v, own = spread.args[0].args if spread.args[0].op == "mul" else (ONE, spread.args[0])
    unit = app(signs.heads[by].unit, var(i), var(j))
    if own != unit or not v.free.isdisjoint((i, j)) or not signs.positive(v):
        return None
    x, m = law.args[:2]
    body = add(x.args[0], neg(replaced(m.args[0], {m.data[0][0]: x.data[0][0]})))
    each = add(div(power(body, 2), v), app("ln", mul(TWO, var("PI"), v)))
    return app("exp", neg(div(app(by, lam(x.data[:1], each)), TWO)))


def moment(law: Term, at: list[Term]) -> Term:
    """The mean of the product of coordinates: each is its mean, or goes with another."""
    if not at:
        return ONE
    first, *rest = at
    terms = [mul(entry(law.args[1], first, first), moment(law, rest))]
    for k, other in enumerate(rest):
        pair = entry(law.args[2], first, other)
        terms.append(mul(pair, moment(law, rest[:k] + rest[k + 1 :])))
    return add(*terms)


def entry(table: Term, i: Term, j: Term) -> Term:
    (one, _), (other, _) = table.data
    return replaced(table.args[0], {one: i, other: j})
