"""Sums over indices: which are known, and by which index an identity matrix replaces another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from genmath.proof.coq.monomials import Monomial, product
from genmath.proof.coq.reading import Head
from genmath.proof.coq.signs import Always, Signs
from genmath.proof.coq.terms import Term, app, mul, replaced, var

MOST = 720  # orders of letters
Known = tuple[int, tuple[Term, ...], Term, Term]  # its number, at which indices, both sides


def sifted(x: str, own: Monomial, unit: str) -> tuple[Term, Term] | None:
    """unit(x, t) f(x), and f(t)."""
    for f, k in own:
        others = [a for a in f.args if a != var(x)] if f.data == unit else []
        if k > 0 and len(others) == 1 and x not in others[0].free:
            rest = own - {(f, k)} | ({(f, k - 1)} if k > 1 else frozenset())
            left = product(rest, {})
            law = app(unit, var(x), others[0])
            return mul(law, left) if rest else law, replaced(left, {x: others[0]})
    return None


def known_sum(body: Term, x: str, measure: str, signs: Signs) -> Known | None:
    """What is said of the sum of this over x."""
    for k, (names, needs, (_, one, value)) in enumerate(_equations(signs)):
        if one.data != measure:
            continue
        ((letter, _),) = one.args[0].data
        for at in _matches(one.args[0].args[0], body, {letter: var(x)}, names, signs.heads):
            if at.keys() != {letter, *names} or any(x in at[n].free for n in names):
                continue
            said = [tuple(replaced(t, at) for t in c[1:]) for c in needs]
            if all(("=", *c) in signs.conditions for c in said):
                inner = replaced(one.args[0].args[0], at)
                return k, tuple(at[n] for n in names), inner, replaced(value, at)
    return None


def _equations(signs: Signs) -> Iterator[Always]:
    """Those of all indices; then those that are given."""
    yield from (a if a[2][1].args[0].op == "lam" else ((), (), a[2]) for a in signs.everywhere)
    for c in signs.conditions:
        if c[0] == "=" and c[1].op == "app" and c[1].args and c[1].args[0].op == "lam":
            yield (), (), c


def _matches(
    pattern: Term,
    body: Term,
    at: dict[str, Term],
    names: tuple[str, ...],
    heads: Mapping[str, Head],
) -> Iterator[dict[str, Term]]:
    one, other = _factors(pattern), _factors(body)
    if sorted(str(t.data) for t in one) != sorted(str(t.data) for t in other):
        return
    both = [[t, _turned(t)] if _symmetric(t, heads) else [t] for t in other]
    for order in itertools.permutations(both):
        for chosen in itertools.product(*order):
            found = dict(at)
            if all(_fits(p, t, found, names) for p, t in zip(one, chosen, strict=True)):
                yield found


def _symmetric(t: Term, heads: Mapping[str, Head]) -> bool:
    return t.op == "app" and t.data in heads and heads[t.data].symmetric


def _turned(t: Term) -> Term:
    return Term(t.op, t.args[::-1], t.data)


def _factors(t: Term) -> list[Term]:
    if t.op == "mul":
        return [f for a in t.args for f in _factors(a)]
    return _factors(t.args[0]) * int(t.data) if t.op == "pow" else [t]


def _fits(pattern: Term, t: Term, at: dict[str, Term], names: tuple[str, ...]) -> bool:
    if pattern.op == "var" and (pattern.data in names or pattern.data in at):
        return at.setdefault(pattern.data, t) == t
    if (pattern.op, pattern.data, len(pattern.args)) != (t.op, t.data, len(t.args)):
        return False
    return all(_fits(p, a, at, names) for p, a in zip(pattern.args, t.args, strict=True))


def in_order(t: Term, heads: Mapping[str, Head], names: Mapping[str, str]) -> Term:
    """With the indices of a symmetric matrix in an order in which letters go by other names."""
    if not _symmetric(t, heads):
        return t
    return Term(t.op, tuple(sorted(t.args, key=lambda a: str(replaced(a, names)))), t.data)


def orders(groups: list[list[str]]) -> Iterator[list[str]]:
    """Letters that stand in the same, in each order."""
    every = itertools.product(*(itertools.permutations(g) for g in groups))
    for chosen in itertools.islice(every, MOST):
        yield [x for g in chosen for x in g]
