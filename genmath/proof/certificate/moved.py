"""Normal laws that are shifted and scaled: a function at a line of a normal number is that function
at a normal number of other mean and variance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from genmath.proof.coq.monomials import affine
from genmath.proof.coq.reading import Head
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, mul, neg, num, power, replaced, var

Line = tuple[Term, Term]  # its slope, and its value at 0


def motion(x: str, factors: Iterable[Term], signs: Signs) -> Line | None:
    """The line at which all functions of which nothing is known stand beside a normal law of x."""
    factors = [t for t in factors if x in t.free]
    places = {a for t in factors if _unknown(t, signs.heads) for a in t.args if x in a.free}
    laws = [t for t in factors if t.data == "normal" and t.args[0] == var(x)]
    if len(places) != 1 or len(laws) != 1 or x in laws[0].args[1].free | laws[0].args[2].free:
        return None
    line = affine(places.pop(), x)
    return line if line and signs.positive(line[0]) else None


def moved(t: Term, x: str, line: Line, signs: Signs) -> Term:
    """A factor in terms of the number at that line, by the name of x; with the slope, if it is the
    law."""
    slope, start = line
    if t.data == "normal" and t.args[0] == var(x):
        _, m, v = t.args
        return app("normal", var(x), add(mul(slope, m), start), mul(power(slope, 2), v))
    if _unknown(t, signs.heads):
        return app(t.data, *(var(x) if x in a.free else a for a in t.args))
    return replaced(t, {x: back(x, line)})


def back(x: str, line: Line) -> Term:
    """The letter, from the number at the line: shift and factor."""
    shift, factor = inverse(line)
    return add(shift, mul(factor, var(x)))


def inverse(line: Line) -> Line:
    slope, start = line
    return neg(div(start, slope)), div(num(1), slope)


def first_line(heads: Mapping[str, Head]) -> str:
    """Of all integrals over the line that one to which others are moved."""
    return min(h.name for h in heads.values() if h.line)


def _unknown(t: Term, heads: Mapping[str, Head]) -> bool:
    head = heads.get(t.data) if t.op == "app" else None
    return head is not None and not head.density and {*head.takes} == {"R"}
