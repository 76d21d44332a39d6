"""What has no value in a random world may be attacked all the same: a supremum by the values under
it, a limit by where its function settles. What withstands is not confirmed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from genmath.proof.language.binders import Infinity, Limit, Over, sides
from genmath.proof.language.claims import Claim
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.tree import (
    Add,
    Big,
    Div,
    Mul,
    Named,
    Neg,
    Node,
    NotationError,
    Number,
    Pow,
    Symbol,
)

TURNED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
DEPTH = 24  # points of a sequence towards a limit
DEPTHS = (DEPTH, 10)  # by how many sums stand in one another, whose terms are twice as many at each
EXTREME = 10**6  # numbers beyond, or below its reciprocal, may settle late


def has_no_value(node: Node) -> bool:
    return node.contains(Limit, Infinity, Over) and any(
        isinstance(n, (Limit, Infinity)) or (isinstance(n, Over) and n.kind in ("sup", "inf"))
        for n in _outside_integrals(node)
    )


def without_common(claim: Claim) -> Claim:
    """Without the terms that stand on both sides and have no value: what is left may have one."""
    left, right = _terms(claim.lhs), _terms(claim.rhs)
    common = [t for t in left if t in right and has_no_value(t)]
    if not common:
        return claim
    for t in common:
        if t in right:
            left.remove(t)
            right.remove(t)
    return replace(claim, lhs=_sum(left), rhs=_sum(right))


def _terms(node: Node) -> list[Node]:
    match node:
        case Add():
            return [t for a in node.args for t in _terms(a)]
        case Neg(args=(Add() as inner,)):
            return [t.args[0] if isinstance(t, Neg) else Neg(t) for t in _terms(inner)]
        case Named():
            return _terms(node.body) if has_no_value(node) else [node]
    return [node]


def _sum(terms: list[Node]) -> Node:
    return Add(*terms) if len(terms) > 1 else terms[0] if terms else Number(0)


def _outside_integrals(node: Node) -> Iterator[Node]:
    """The nodes, but not the limits of integrals, where infinity has its meaning."""
    yield node
    inner = () if isinstance(node, Symbol) else node.args
    if type(node).__name__ == "Between":
        inner = tuple(a for i, a in enumerate(node.args) if i == 0 or not sides(a))
    for child in inner:
        yield from _outside_integrals(child)


# --- suprema ---


def consequences(claim: Claim) -> list[Claim]:
    """Bounds that follow from the claim and hold, if it does, for every value of a letter: each
    supremum on the side that is to be small is replaced by a value under it."""
    relations = ("<=", ">=") if claim.relation == "=" else (claim.relation,)
    found = []
    for relation in relations:
        low, high = (claim.lhs, claim.rhs) if relation[0] == "<" else (claim.rhs, claim.lhs)
        taken = {s.name for side in (low, high) for s in _letters(side)}
        names = (f"v_{{{k}}}" for k in itertools.count())
        free = (n for n in names if n not in taken)
        small, large = _lowered(low, 1, free), _lowered(high, -1, free)
        if not has_no_value(small) and not has_no_value(large):
            found.append(replace(claim, lhs=small, relation=relation[0].replace(">", "<") + "=",
                                 rhs=large))  # fmt: skip
    return found


def _letters(node: Node) -> Iterator[Symbol]:
    for n in node.walk():
        yield from (*n.bound, *n.letters)
        if isinstance(n, Symbol):
            yield n


def _lowered(node: Node, sign: int, names: Iterator[str]) -> Node:
    """Something that is at most the node; with sign -1, at least."""
    match node:
        case Named():
            return _lowered(node.body, sign, names) if has_no_value(node) else node
        case Over() if node.kind == ("sup" if sign > 0 else "inf"):
            s = node.letter
            new = s.renamed(next(names), s.space)
            try:
                body = instantiate(node.body, ((s, new),))
            except NotationError:
                return node
            return _lowered(body, sign, names)
        case Add():
            return Add(*(_lowered(a, sign, names) for a in node.args))
        case Neg():
            return Neg(_lowered(node.args[0], -sign, names))
        case Mul(args=(Number() as k, *rest)) if len(rest) == 1:
            return Mul(k, _lowered(rest[0], sign, names))
        case Div(args=(over, Number() as k)):
            return Div(_lowered(over, sign, names), k)
    return node


# --- limits ---


@dataclass(frozen=True)
class Sequence:
    """A claim with its one limit replaced by a value, and the letter that brings it nearer."""

    claim: Claim
    letter: Symbol
    values: tuple[Fraction, ...]


def sequence(claim: Claim) -> Sequence | None:
    """None where a value of the claim's sides may not depend on its limit continuously, or may
    settle late."""
    whole = [n for side in (claim.lhs, claim.rhs) for n in side.walk()]
    limits = {n for n in whole if isinstance(n, Limit)}
    numbers = [n.value for n in whole if isinstance(n, Number) and n.value]
    if len(limits) != 1 or any(not Fraction(1, EXTREME) < v < EXTREME for v in numbers):
        return None
    (one,) = limits
    end = sides(one.to)
    if end < 0 and one.letter.domain != "real":
        return None
    taken = {s.name for s in (*_letters(claim.lhs), *_letters(claim.rhs))}
    name = next(n for k in itertools.count() if (n := f"h_{{{k}}}") not in taken)
    domain = "natural" if one.letter.domain == "natural" else "positive"
    h = Symbol(name, domain=domain)
    at = Add(one.to, h) if not end else h if end > 0 else Neg(h)
    try:
        value = instantiate(one.body, ((one.letter, at),))
    except NotationError:
        return None
    lhs, rhs = _put(claim.lhs, one, value), _put(claim.rhs, one, value)
    sums = _sums(value)
    if has_no_value(lhs) or has_no_value(rhs) or sums >= len(DEPTHS):
        return None
    steps = (Fraction(2) ** (k if end else -k) for k in range(4, 4 + DEPTHS[sums]))
    return Sequence(replace(claim, lhs=lhs, rhs=rhs), h, tuple(steps))


def _sums(node: Node) -> int:
    """How many sums or products over a range stand in one another."""
    return isinstance(node, Big) + max(map(_sums, node.args), default=0)


def _put(node: Node, one: Limit, value: Node) -> Node:
    """The limit replaced, below operations that are continuous."""
    if node == one:
        return value
    if isinstance(node, Named):
        return _put(node.body, one, value) if has_no_value(node) else node
    if isinstance(node, (Add, Neg, Mul, Div, Pow)):
        return node.rebuild(tuple(_put(a, one, value) for a in node.args))
    return node
