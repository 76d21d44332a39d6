"""Normal laws of vectors: their densities as exponentials, and moments."""

from __future__ import annotations

from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, lam, mul, num, replaced, var

ONE = num(1)


def vector_density(law: Term, signs: Signs) -> Term | None:
    """Where all of its numbers are independent, of one variance > 0."""
    head = signs.heads.get(law.data)
    if head is None or not head.normal:
        return None
    by, spread = head.normal, law.args[2]
    (i, _), (j, _) = spread.data
    *v, own = spread.args[0].args if spread.args[0].op == "mul" else (spread.args[0],)
    fixed = all(t.free.isdisjoint((i, j)) and signs.positive(t) for t in v)
    if own != app(signs.heads[by].unit, var(i), var(j)) or not fixed:
        return None
    x, m = law.args[:2]
    letter = x.data[0][0] if x.args[0].height >= m.args[0].height else m.data[0][0]
    at = var(letter)
    each = app("normal", entry(x, at, at), entry(m, at, at), mul(ONE, *v))
    ((name, said),) = signs.heads[by].letters
    where = tuple((s, replaced(a, {name: letter}), replaced(b, {name: letter})) for s, a, b in said)
    return app("exp", app(by, lam(((letter, where),), app("ln", each))))


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
