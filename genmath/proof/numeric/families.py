"""The concrete families that arbitrary functions and densities are drawn from, as graphs.

A function is a quadratic plus an exponential, or one of other families (see `worlds.FAMILIES`), or
a convex function with its conjugate. A density
with a real part is a mixture of Gaussians whose weights and means depend on what is given; its
discrete part is a table, or a softmax where something real is given. A density that is all
discrete is a table, which `worlds` draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from genmath.proof.language.shapes import entries
from genmath.proof.language.tree import MAPS, Apply
from genmath.proof.numeric.graph import Graph, Scalar
from genmath.proof.numeric.survey import Survey, Unsupported
from genmath.proof.numeric.worlds import COMPONENTS


class Families:
    """Functions and densities at a point. `dim` is the dimension of vectors."""

    def __init__(self, graph: Graph, survey: Survey, dim: int, family: str = "") -> None:
        self.g, self.survey, self.dim, self.family = graph, survey, dim, family

    # --- functions -------------------------------------------------------------------------------

    def function(self, node: Apply, args: list[Scalar]) -> Scalar:
        g, name, n = self.g, node.name, len(args)
        if "convex" in node.traits or "conjugate" in node.traits:
            if n != 1:
                raise Unsupported(f"{name}: a convex function takes one scalar")
            return self.convex(name, args[0], "conjugate" in node.traits)
        if kind := next((t for t in node.traits if t in MAPS), ""):
            return self.map(name, kind, args[0], "inverse" in node.traits)
        terms = [g.input("fn", name, n, "c")]
        for i, u in enumerate(args):
            terms.append(g.mul(g.input("fn", name, n, "d", i), u))
            terms += [g.mul(g.input("fn", name, n, "e", (i, j)), u, args[j]) for j in range(i, n)]
        inner = g.add(*(g.mul(g.input("fn", name, n, "b", i), u) for i, u in enumerate(args)))
        top = g.input("fn", name, n, "a")
        match self.family:
            case "polynomial":  # upwards on both sides
                terms.append(g.mul(g.fn("abs", top), g.add(g.powi(inner, 3), g.powi(inner, 4))))
            case "bump" | "located":  # bounded, and level far out
                terms = [terms[0], g.div(top, g.add(g.one, g.powi(g.mul(g.const(4), inner), 2)))]
            case "oscillating":
                wave = g.tabulated("sin", g.mul(g.const(20), inner), everywhere=True)
                terms = [terms[0], g.mul(top, wave)]
            case "kinked":  # smooth, but for no eye
                edge = g.add(g.const(Fraction(1, 10_000)), g.powi(g.add(inner, terms[0]), 2))
                terms.append(g.mul(top, g.fn("sqrt", edge)))
            case "fading":
                terms = [g.mul(top, g.fn("exp", g.neg(g.powi(g.mul(g.const(4), inner), 2))))]
            case _:
                terms.append(g.mul(top, g.fn("exp", inner)))
        body = g.add(*terms)
        low, high = self.survey.bounds.get(("fn", name), (-math.inf, math.inf))
        if math.isfinite(low) and math.isfinite(high):
            lo, hi = g.input("fbound", name, 0), g.input("fbound", name, 1)
            return g.add(lo, g.mul(g.sub(hi, lo), g.fn("sigmoid", body)))
        positive = g.fn("exp", g.mul(g.const(Fraction(1, 2)), body))
        if self.family == "fading":
            positive = g.fn("exp", g.neg(g.powi(g.mul(g.const(4), inner), 2)))
        if self.family == "polynomial":
            positive = g.add(g.const(Fraction(1, 20)), g.powi(body, 2))
        if self.family == "located":
            squares = g.add(*(g.powi(u, 2) for u in args))
            decay = g.fn("exp", g.mul(g.const(Fraction(-1, 2)), squares))
            body, positive = g.mul(body, decay), g.mul(positive, decay)
        if math.isfinite(low):
            return g.add(g.input("fbound", name, 0), positive)
        if math.isfinite(high):
            return g.sub(g.input("fbound", name, 1), positive)
        return body

    def convex(self, name: str, u: Scalar, conjugate: bool) -> Scalar:
        """a (1 + v^2)^(3/2) + b u + c with v = r (u - s), and its conjugate: convex on the whole
        line, and growing like a power, so that expectations exist."""
        g = self.g
        a, b, c, r, s = (g.input("convex", name, letter) for letter in "abcrs")
        if not conjugate:
            w = g.add(g.one, g.powi(g.mul(r, g.sub(u, s)), 2))
            return g.add(g.mul(a, w, g.fn("sqrt", w)), g.mul(b, u), c)
        t = u
        slope = g.div(g.sub(t, b), g.mul(g.const(3), a, r))  # v sqrt(1 + v^2) at the best u
        root = g.fn("sqrt", g.add(g.one, g.mul(g.const(4), g.powi(slope, 2))))
        w = g.mul(g.const(Fraction(1, 2)), g.add(g.one, root))  # 1 + v^2
        v = g.div(slope, g.fn("sqrt", w))
        best = g.add(s, g.div(v, r))
        return g.sub(g.mul(t, best), self.convex(name, best, False))

    def map(self, name: str, kind: str, u: Scalar, inverse: bool) -> Scalar:
        """The map of the line that takes u to t where b(r (u - s)) = k b(q (t - m)), with the bend
        b(v) = v sqrt(1 + v^2); in one of the families without the bend on the right, so that it
        grows like a square, in another without that on the left, like a root."""
        g = self.g
        k, m, q, r, s = (g.input("map", name, kind, letter) for letter in "kmqrs")
        bends = (self.family != "bump", self.family != "polynomial")
        if inverse:
            k, m, q, r, s, bends = g.div(g.one, k), s, r, q, m, bends[::-1]
        v = g.mul(r, g.sub(u, s))
        if bends[0]:
            v = g.mul(v, g.fn("sqrt", g.add(g.one, g.powi(v, 2))))
        v = g.div(v, k)
        if bends[1]:  # v = w sqrt(1 + w^2)
            root = g.fn("sqrt", g.add(g.one, g.mul(g.const(4), g.powi(v, 2))))
            v = g.div(v, g.fn("sqrt", g.mul(g.const(Fraction(1, 2)), g.add(g.one, root))))
        return g.add(m, g.div(v, q))

    # --- densities -------------------------------------------------------------------------------

    def mass(self, density: Any, kept: set[str], index: dict[str, Scalar],
             value: dict[str, list[Scalar]], depth: int) -> Scalar:  # fmt: skip
        """A density with a real part at the event slots kept, the others integrated out."""
        events = density.event_slots
        if not any(s in kept for s in events):
            return self.g.one
        dropped = [s for s in events if s not in self.survey.real and s not in kept]
        below = depth + len(dropped)
        return self.total(
            dropped, index, depth, lambda at: self.cell(density, kept, at, value, below)
        )

    def total(self, slots: list[str], index: dict[str, Scalar], depth: int,
              body: Callable[[dict[str, Scalar]], Scalar]) -> Scalar:  # fmt: skip
        """The integral of body over some discrete slots."""
        g = self.g
        loops = [g.loop("points", s, depth + k) for k, s in enumerate(slots)]
        points = [g.loop_value(loop, "i") for loop in loops]
        value = body({**index, **dict(zip(slots, points, strict=True))})
        for loop, s, i in reversed(list(zip(loops, slots, points, strict=True))):
            value = g.sum(loop, g.mul(g.gather(("weights", s), i), value))
        return value

    def cell(self, density: Any, kept: set[str], index: dict[str, Scalar],
             value: dict[str, list[Scalar]], depth: int) -> Scalar:  # fmt: skip
        """The density with every discrete event at a point."""
        g, name, real = self.g, density.name, self.survey.real
        slots = [s for s in (*density.event_slots, *density.given_slots) if s not in real]
        discrete = [s for s in density.event_slots if s not in real]
        where = [index[s] for s in slots]
        inputs = [v for s in density.given_slots if s in real for v in value[s]]
        taus = [self.bend(name, j, v) for j, v in enumerate(inputs)]
        factors: list[Scalar] = []
        if discrete and inputs:
            factors.append(self.softmax(density, discrete, slots, index, taus, depth))
        elif discrete:
            given = tuple(s for s in density.given_slots if s not in real)
            factors.append(g.gather(("dens", name, tuple(discrete), given), *where))
        coordinates: list[Scalar] = []
        places: list[int] = []
        at = 0
        for s in density.event_slots:
            if s in real:
                width = entries(self.survey.shapes.get(s, ""), self.dim)
                if s in kept:
                    coordinates += value[s]
                    places += range(at, at + width)
                at += width
        if places:
            factors.append(self.mixture(name, tuple(places), coordinates, where, taus))
        return g.mul(*factors) if factors else g.one

    def bend(self, name: str, j: int, v: Scalar) -> Scalar:
        """tanh(kappa v / 2): how kernels depend on what is given."""
        g = self.g
        inner = g.fn("sigmoid", g.mul(g.input("mixture", name, "kappa", j), v))
        return g.sub(g.mul(g.two, inner), g.one)

    def softmax(self, density: Any, discrete: list[str], slots: list[str], index: dict[str, Scalar],
                taus: list[Scalar], depth: int) -> Scalar:  # fmt: skip
        g, name = self.g, density.name

        def mass(at: dict[str, Scalar]) -> Scalar:
            where = [at[s] for s in slots]
            terms = [g.gather(("logit", name, 0), *where)]
            terms += [
                g.mul(
                    g.gather(("logit", name, j + 1), *where),
                    t,
                    g.add(g.one, t) if j == 0 else g.one,
                )
                for j, t in enumerate(taus)
            ]
            return g.mul(g.gather(("mask", name), *where), g.fn("exp", g.add(*terms)))

        return g.div(mass(index), self.total(discrete, index, depth, mass))

    def mixture(
        self,
        name: str,
        kept: tuple[int, ...],
        xs: list[Scalar],
        where: list[Scalar],
        taus: list[Scalar],
    ) -> Scalar:
        g = self.g
        tilt = g.add(*(g.mul(g.input("mixture", name, "tilt", j), t) for j, t in enumerate(taus)))
        terms = []
        for k in range(COMPONENTS):
            rs = []
            for i, x in zip(kept, xs, strict=True):
                mean = [g.gather(("mixmean", name, k, i), *where)]
                mean += [
                    g.mul(g.input("mixture", name, "slope", k, i, j), t) for j, t in enumerate(taus)
                ]
                rs.append(g.sub(x, g.add(*mean)))
            quad = g.add(*(
                g.mul(g.input("prec", name, k, kept, i, j), rs[i], rs[j],
                      g.const(Fraction(-1, 2)) if i == j else g.const(-1))
                for i in range(len(rs)) for j in range(i + 1)
            ))  # fmt: skip
            weight = g.gather(("mixweight", name, k), *where)
            if taus:  # w e^(-tilt) and (1 - w) e^(tilt), normalised
                first, second = (g.gather(("mixweight", name, m), *where) for m in (0, 1))
                own, other = (first, second) if k == 0 else (second, first)
                sign = g.mul(g.const(2 if k == 0 else -2), tilt)
                weight = g.div(own, g.add(own, g.mul(other, g.fn("exp", sign))))
            terms.append(g.mul(weight, g.input("norm", name, k, kept), g.fn("exp", quad)))
        return g.add(*terms)
