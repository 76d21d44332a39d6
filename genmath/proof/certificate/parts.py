"""Integration by parts beside a normal law N of mean m and variance v: the integral of x g N is m
times that of g N and v times that of g' N. For (g N)' is g' N - g (x - m) N / v, and it integrates
to 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from genmath.proof.certificate import said
from genmath.proof.certificate.bounds import Bounds
from genmath.proof.certificate.scope import Place
from genmath.proof.coq.linear import LARGEST_POWER
from genmath.proof.coq.reading import DERIVATIVE
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, lam, mul, neg, num, power, replaced, var

SLOT = "d0"  # a letter that is bound where nothing else is


class Writer(Protocol):
    """What proves equalities."""

    def bounds(self, place: Place) -> Bounds: ...
    def same(self, a: Term, b: Term, place: Place, depth: int) -> int: ...


def beside_law(x: str, powers: Mapping[Term, int], signs: Signs) -> tuple[Term, Term, Term] | None:
    """What is under the integral over x as x times g times the law: all of it, g and the law."""
    own = {t: k for t, k in powers.items() if x in t.free}
    laws = [t for t in own if t.data == "normal"]
    others = {t: k for t, k in own.items() if t not in laws and t != var(x)}
    enough = others or own.get(var(x), 0) > LARGEST_POWER
    if len(laws) != 1 or var(x) not in own or not enough or min(own.values()) < 0:
        return None
    (law,) = laws
    at, m, v = law.args
    if at != var(x) or x in m.free | v.free or own[law] != 1 or not signs.positive(v):
        return None
    left = {var(x): own[var(x)] - 1} | others
    g = mul(*(power(t, k) if k > 1 else t for t, k in left.items() if k))
    return mul(var(x), g, law), g, law


def left(integral: str, letters: Term, g: Term, law: Term) -> Term:
    """m times the integral of g N and v times that of g' N."""
    ((x, _),) = letters.data
    _, m, v = law.args
    slope = app(DERIVATIVE, lam(((SLOT, ()),), replaced(g, {x: SLOT})), var(x))
    parts = ((m, mul(g, law)), (v, mul(slope, law)))
    return add(*(mul(c, app(integral, lam(letters.data, t))) for c, t in parts))


def shown(writer: Writer, integral: Term, place: Place) -> int:
    """That the integral of x g N is what it leaves."""
    function = integral.args[0]
    ((x, _),) = function.data
    _, g, law = function.args[0].args
    _, m, v = law.args
    target = left(integral.data, function, g, law)

    def over(t: Term) -> Term:
        return app(integral.data, lam(function.data, t))

    (_, first), (_, second) = (t.args for t in target.args)
    product = replaced(mul(g, law), {x: SLOT})
    slope = app(DERIVATIVE, lam(((SLOT, ()),), product), var(x))
    writer.bounds(place).positive(v)
    scaled, summed = over(mul(v, slope)), over(add(
        mul(m, first.args[0].args[0]), mul(v, second.args[0].args[0]),
        mul(num(-1), function.args[0]),
    ))  # fmt: skip
    by = [place.add("equal", "linear", said.of(summed)), writer.same(scaled, summed, place, 0)]
    beside = add(target, neg(scaled))
    by = [place.add("identity", ["=", said.of(integral), said.of(beside)], by)]
    by.insert(0, place.add("equal", "linear", said.of(scaled)))
    by.insert(0, place.add("equal", "flux", said.of(over(slope))))
    return place.add("identity", ["=", said.of(integral), said.of(target)], by)
