"""Sums from one whole number to another: the last term apart, equal terms counted."""

from __future__ import annotations

from dataclasses import dataclass

from genmath.proof.coq.monomials import Monomial, expand, total
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, mul, neg, num, replaced

ONE = num(1)
MOST = 12  # last terms that are taken off one sum


@dataclass(frozen=True)
class Stepped:
    """By a rule of the kernel that needs something of a gap. `before`: the shorter sum as the rule
    gives it."""

    written: Term
    rule: str
    needs: tuple[str, Term]
    target: Term
    before: Term | None = None


def whole(t: Term, signs: Signs) -> bool:
    """As the kernel sees it."""
    match t.op:
        case "num":
            return bool(t.data.denominator == 1)
        case "var":
            return t.data in signs.whole
        case "add" | "neg" | "mul" | "pow":
            return all(whole(a, signs) for a in t.args)
    return False


def quotient(m: Monomial, n: Monomial) -> Monomial:
    powers = dict(m)
    for a, k in n:
        powers[a] = powers.get(a, 0) - k
    return frozenset((a, k) for a, k in powers.items() if k)


def stepped(term: Term, signs: Signs) -> Stepped | None:
    if len(term.args) != 3:
        return None
    function, low, high = term.args
    over, length = add(low, neg(high)), add(high, neg(low), ONE)
    if signs.positive(over):
        return Stepped(term, "empty", ("<", over), num(0))
    if not (whole(low, signs) and whole(high, signs)):
        return None
    ((letter, _),) = function.data
    body = function.args[0]
    if letter not in body.free:
        if not signs.nonnegative(length):
            return None
        count = total(expand(length) or {})
        return Stepped(term, "count", ("<=", length), count if body == ONE else mul(count, body))
    p = expand(high) or {}
    number = low.data if low.op == "num" and p.keys() <= {frozenset()} else 1
    if number <= p.get(frozenset(), 0) <= number + MOST and signs.positive(length):
        before = app(term.data, function, low, add(high, num(-1)))
        shorter = app(term.data, function, low, total(expand(before.args[2]) or {}))
        target = add(shorter, replaced(body, {letter: high}))
        return Stepped(term, "last", ("<", length), target, before)
    return None
