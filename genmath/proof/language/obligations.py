"""What analysis must supply for a claim to mean what its proof makes of it.

Integrals are exchanged and sums are integrated term by term: that is so where the integral of the
absolute value is finite. An obligation is that integral, with its integrand and its letters; those
that a density makes finite at sight are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from genmath.proof.language.families import row_of
from genmath.proof.language.tree import (
    Add,
    Dens,
    Div,
    Expect,
    Family,
    Fn,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pow,
    Symbol,
    event_variables,
    free_symbols,
)

MANY = 12  # terms of one integrand that are looked at


def obligations(sides: Iterable[Node]) -> list[Node]:
    """The integrals that must be finite, each of something >= 0."""
    found: dict[Node, None] = {}
    for side in sides:
        for node in _outermost(side):
            for whole in itertools.islice(_absolute(node), MANY):
                if _at_risk(whole):
                    found.setdefault(whole)
    return list(found)


def _outermost(node: Node) -> Iterator[Node]:
    if isinstance(node, (Integral, Expect)):
        yield node
        return
    for child in node.args:
        yield from _outermost(child)


def _absolute(node: Node) -> Iterator[Node]:
    """The integral of the absolute value: of the whole integrand, or term by term where another
    integral stands inside, since the two are then exchanged."""
    assert isinstance(node, (Integral, Expect))
    nested = any(True for _ in _outermost(node.body))
    for term in _terms(node.body) if nested else [node.body]:
        for sized in itertools.product(*(_sized(f) for f in factors(term))):
            body = sized[0] if len(sized) == 1 else Mul(*sized)
            if isinstance(node, Integral):
                yield Integral(body, *node.bound)
            else:
                yield Expect(node.dists, body)


def _terms(node: Node) -> list[Node]:
    match node:
        case Named():
            return _terms(node.body)
        case Add():
            return [t for a in node.args for t in _terms(a)]
        case Neg():
            return _terms(node.args[0])
        case Div():
            return [Div(t, node.args[1]) for t in _terms(node.args[0])]
        case Mul():
            parts = [_terms(a) for a in node.args]
            products = list(itertools.islice(itertools.product(*parts), MANY + 1))
            return [Mul(*p) for p in products] if 1 < len(products) <= MANY else [node]
    return [node]


def factors(node: Node) -> list[Node]:
    match node:
        case Named() if not isinstance(node.body, Symbol):
            return factors(node.body)
        case Mul():
            return [f for a in node.args for f in factors(a)]
        case Neg():
            return factors(node.args[0])
        case Div():
            return [*factors(node.args[0]), Div(Number(1), node.args[1])]
    return [node]


def _sized(factor: Node) -> list[Node]:
    """|factor|, in every way that its own integrals give."""
    if isinstance(factor, (Integral, Expect)):
        return list(itertools.islice(_absolute(factor), MANY))
    if isinstance(factor, (Normal, Family, Dens, Number)) or (
        isinstance(factor, Fn) and factor.name in ("exp", "sigmoid", "abs", "indicator")
    ):
        return [factor]
    return [Fn("abs", factor)]


def _at_risk(node: Node) -> bool:
    """No density makes it finite at sight: a letter has none, or what grows fast stands beside."""
    for n in node.walk():
        if isinstance(n, Integral):
            events = {v for d in _measures(n.body) for v in event_variables(d)}
            if set(n.bound) - events:
                return True
        if isinstance(n, (Integral, Expect)):
            fast = (m for m in n.body.walk() if _grows(m))
            if any(free_symbols(m) & set(n.bound) for m in fast):
                return True
            if _has_few_moments(n):
                return True
    return False


def _has_few_moments(n: Node) -> bool:
    """A family with heavy tails, or one letter of a family in a denominator."""
    laws = [m for m in n.walk() if isinstance(m, Family) and m.point in n.bound]
    letters = {s for m in laws for s in free_symbols(m.point)}
    if any(row_of(m).heavy for m in laws) and isinstance(n, Expect):
        return bool(free_symbols(n.body) & letters)
    beside = list(_beside_laws(n))
    under = [m.args[1] for m in beside if isinstance(m, Div)]
    under += [m.args[0] for m in beside if isinstance(m, Pow) and isinstance(m.args[1], Neg)]
    return any(free_symbols(u) & letters for u in under)


def _beside_laws(n: Node) -> Iterator[Node]:
    if not isinstance(n, Family):
        yield n
        for child in n.args:
            yield from _beside_laws(child)


def _measures(body: Node) -> list[Node]:
    """The densities whose letters are their own: N(y; x, 1) is one of y, given x."""
    found: list[Node] = []
    for f in factors(body):
        given = f.givens if isinstance(f, Dens) else None
        given = f.args[1:] if isinstance(f, (Normal, Family)) else given
        if given is not None and not any(s.is_variable for a in given for s in free_symbols(a)):
            found.append(f)
    return found


def _grows(m: Node) -> bool:
    if isinstance(m, Fn) and m.name == "exp":
        return True
    return isinstance(m, Pow) and not isinstance(m.args[1], (Number, Neg))
