"""Integrals over the line, at a line of their letter: a function at a line of a normal number is
that function at a normal number of other mean and variance; a density at a line is that density."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from genmath.proof.coq.monomials import Monomial, affine, expand
from genmath.proof.coq.reading import Head
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, mul, neg, num, power, replaced, var

Line = tuple[Term, Term]  # its slope, and its value at 0


def motion(x: str, measure: str, factors: Iterable[Term], signs: Signs) -> tuple[Line, str] | None:
    """The line at which all functions of which nothing is known stand beside a normal law of x, or
    at which densities stand, and over what; None where that is x itself."""
    factors = [t for t in factors if x in t.free]
    laws = [t for t in factors if t.data == "normal" and t.args[0] == var(x)]
    densities = [] if laws else [t for t in factors if _known(t, signs.heads, True)]
    own = densities or [t for t in factors if _known(t, signs.heads, False)]
    places = {a for t in own for a in t.args if x in a.free}
    fixed = len(laws) == 1 and x not in laws[0].args[1].free | laws[0].args[2].free
    line = affine(places.pop(), x) if len(places) == 1 and (fixed or densities) else None
    if line is None or not signs.positive(line[0]):
        return None
    target = first_line(signs.heads) if laws else _measure(densities[0], x, signs.heads)
    still = expand(back(x, line)) == expand(var(x))
    return None if not target or (still and (densities or target == measure)) else (line, target)


def mapped(x: str, own: Monomial, signs: Signs) -> tuple[str, str] | None:
    """The map by which a letter goes, and over what: g' stands there, or beneath it the derivative
    of the inverse of g, at g; its sign is known, or it stands in an absolute value."""
    heads = signs.heads
    for t, k in own:
        slope = t.args[0] if t.data == "Rabs" else t
        head = next(
            (h for h in heads.values() if slope.op == "app" and h.slope == slope.data), None
        )
        sized = t.data == "Rabs" or signs.positive(t) or signs.positive(neg(t))
        if head is None or not head.inverse or not sized:
            continue
        (at,) = slope.args
        one = head.inverse if k == 1 and at == var(x) else ""
        back = one or (head.name if k == -1 and at == app(head.inverse, var(x)) else "")
        if back and heads[back].slope:
            here = app(heads[back].inverse, var(x))
            laws = [u for u, _ in own if u.args[:1] == (here,) and _is_density(u, heads)]
            return back, (laws and _measure(laws[0], x, heads)) or first_line(heads)
    return None


def through(back: str, law: Term, x: str, heads: Mapping[str, Head]) -> Term:
    """What stands under an integral, with that map for its letter."""
    scale = app("Rabs", app(heads[back].slope, var(x)))
    return mul(scale, replaced(law, {x: app(back, var(x))}))


def undone_maps(t: Term, heads: Mapping[str, Head]) -> Term:
    """With the letter for a map of its inverse, wherever that stands."""
    args = tuple(undone_maps(a, heads) for a in t.args)
    inverse = heads[t.data].inverse if t.op == "app" and t.data in heads else ""
    if inverse and args[0].data == inverse:
        return args[0].args[0]
    return Term(t.op, args, t.data)


def _measure(law: Term, x: str, heads: Mapping[str, Head]) -> str:
    """Over what a density is one in x, if that is the line."""
    (i, *_) = (i for i, a in enumerate(law.args) if x in a.free)
    measure = heads[law.data].margins[i : i + 1]
    return measure[0][0] if measure and measure[0][0] and heads[measure[0][0]].line else ""


def moved(t: Term, x: str, line: Line, signs: Signs) -> Term:
    """A factor in terms of the number at that line, by the name of x; with the slope, if it is the
    law."""
    slope, start = line
    if t.data == "normal" and t.args[0] == var(x):
        _, m, v = t.args
        return app("normal", var(x), add(mul(slope, m), start), mul(power(slope, 2), v))
    if any(_known(t, signs.heads, density) for density in (False, True)):
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


def _is_density(t: Term, heads: Mapping[str, Head]) -> bool:
    head = heads.get(t.data)
    return head is not None and bool(head.margins)


def _known(t: Term, heads: Mapping[str, Head], density: bool) -> bool:
    """Whether it is a function of numbers, as it was declared, or such a density."""
    head = heads.get(t.data) if t.op == "app" else None
    return head is not None and head.density == density and {*head.takes} == {"R"}
