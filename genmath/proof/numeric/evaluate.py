"""What a typed tree means, as a graph: expectations, integrals, divergences, derivatives, sums.

This half has its own meaning for every node and shares no code with the symbolic one. An integral
is a loop over points, over an equispaced grid, or over quadrature nodes in whitened coordinates; a
derivative is taken exactly, on the graph, and is undefined where what it differentiates is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import islice, pairwise
from itertools import product as choices

from genmath.proof.language.binders import sides
from genmath.proof.language.shapes import entries
from genmath.proof.language.tree import (
    Add,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
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
from genmath.proof.numeric.bells import bell
from genmath.proof.numeric.expressions import Bound, Env, Expressions, Point
from genmath.proof.numeric.graph import Loop, Scalar
from genmath.proof.numeric.linear import Matrix, Value, Vector, components, each
from genmath.proof.numeric.survey import Survey, Unsupported

Inner = Callable[[Env], Value]
LONGEST = 10_000  # terms of a sum that are evaluated
Weighted = list[tuple[Loop, Scalar]]  # loops, outermost first, and the weight of a point of each


CORNERS = ("indicator", "abs", "positive_part")
# domains of letters that one integrates over piece by piece
PIECED = ("real", "positive", "unit", "interval")


class Evaluation(Expressions):
    """Lowers whole trees. `scope`: what is being integrated, the innermost last."""

    def __init__(self, survey: Survey, dim: int, family: str = "") -> None:
        super().__init__(survey, dim, family)
        self.scope: list[Node] = []
        self.widening = False  # for wider and wider windows: lines are taken as they are

    def meaning(self, node: Node, env: Env) -> Value:
        match node:
            case Expect() | Integral() | Divergence() | Entropy():
                self.scope.append(node)
                try:
                    return self._over(node, env)
                finally:
                    self.scope.pop()
            case Deriv():
                return self._deriv(node, env)
            case Big():
                return self._big(node, env)
        return super().meaning(node, env)

    def _over(self, node: Node, env: Env) -> Value:
        match node:
            case Expect():
                return self._expect(node, env)
            case Integral():
                return self._integral(node, env)
            case Divergence():
                return self._divergence(node, env)
            case Entropy():
                return self._entropy(node, env)
        raise AssertionError(node)

    # --- loops -----------------------------------------------------------------------------------

    def summed(self, loops: Weighted, body: Value, measure: Scalar | None = None) -> Value:
        """Sum weights * body over loops; with a measure, only where that is not 0."""
        g = self.g
        weight = g.mul(*([] if measure is None else [measure]), *(w for _, w in loops))

        def one(component: Scalar) -> Scalar:
            total = (g.mul if measure is None else g.weigh)(weight, component)
            for loop, _ in reversed(loops):
                total = g.sum(loop, total)
            return total

        return each(body, one)

    def open(self, letters: tuple[Symbol, ...], env: Env) -> tuple[Env, Weighted]:
        """Loops over the points of each letter's space, or over the grid on its real line."""
        g = self.g
        loops: Weighted = []
        for letter in letters:
            space = letter.space
            if space not in self.survey.real:
                loop = g.loop("points", space, env.depth)
                i = g.loop_value(loop, "i")
                loops.append((loop, g.gather(("weights", space), i)))
                env = env.bind({letter: Point(i)}, 1)
                continue
            grids = [g.loop("grid", "line", env.depth + k) for k in range(self.size(letter))]
            loops += [(loop, g.loop_value(loop, "w")) for loop in grids]
            ts = [g.loop_value(loop, "t") for loop in grids]
            env = env.bind({letter: self.point(letter, ts)}, len(ts))
        return env, loops

    def size(self, letter: Symbol) -> int:
        return entries(letter.sized, self.dim)

    def point(self, letter: Symbol, coordinates: list[Scalar]) -> Bound:
        return Vector(coordinates) if letter.shape == "vector" else coordinates[0]

    # --- expectations ----------------------------------------------------------------------------

    def _expect(self, node: Expect, env: Env) -> Value:
        if len(set(node.bound)) < len(node.bound):
            raise Unsupported("an expectation draws a letter twice")
        return self.expect(_ordered(node.dists), env, lambda inner: self.lower(node.body, inner))

    def expect(self, dists: list[Node], env: Env, inner: Inner) -> Value:
        """E over the first distribution of E over the others."""
        if not dists:
            return inner(env)
        g, dist, rest = self.g, dists[0], dists[1:]
        letters = event_variables(dist)
        if isinstance(dist, Named):
            return self.expect([dist.body, *rest], env, inner)
        if isinstance(dist, Mul):
            mine = [f for f in dist.args if event_variables(f)]
            others = [f for f in dist.args if not event_variables(f)]
            apart = sum(len(event_variables(f)) for f in mine) == len(letters)
            if mine and apart and not any(free_symbols(f) & set(letters) for f in others):
                value = self.expect([*_ordered(mine), *rest], env, inner)
                for f in others:
                    value = self.times(self.scalar(f, env), value)
                return value
        if isinstance(dist, Div) and not free_symbols(dist.args[1]) & set(letters):
            under = self.scalar(dist.args[1], env)
            return each(self.expect([dist.args[0], *rest], env, inner), lambda v: g.div(v, under))
        if isinstance(dist, Add) and all(
            set(event_variables(t)) == set(letters) for t in dist.args
        ):
            total = self.expect([dist.args[0], *rest], env, inner)
            for t in dist.args[1:]:
                total = self.plus(total, self.expect([t, *rest], env, inner))
            return total
        if isinstance(dist, Normal) and letters:
            return self.expect_normal(dist, letters[0], env, lambda e: self.expect(rest, e, inner))
        if not letters:
            raise Unsupported(f"an expectation under {type(dist).__name__}, which is no density")
        return self.loop_over(
            letters, env, lambda at: self.expect(rest, at, inner), lambda at: self.scalar(dist, at)
        )

    def expect_normal(self, dist: Normal, letter: Symbol, env: Env, inner: Inner) -> Value:
        """x = mean + L t with t standard normal."""
        g = self.g
        if letter in free_symbols(dist.args[1]) | free_symbols(dist.args[2]):
            raise Unsupported(
                f"an expectation under a Gaussian whose mean depends on {letter.name}"
            )
        if self.jumps(letter, env):
            return self.loop_over((letter,), env, inner, lambda at: self.scalar(dist, at))
        _, mean, var = self.normal_parts(dist, env)
        low = self.cholesky([[var]] if isinstance(var, Scalar) else var.rows)
        loops = [g.loop("grid", "gauss", env.depth + k) for k in range(len(mean))]
        ts = [g.loop_value(loop, "t") for loop in loops]
        xs = [g.add(m, self.inner(row, ts)) for m, row in zip(mean, low, strict=True)]
        body = inner(env.bind({letter: self.point(letter, xs)}, len(mean)))
        total = self.summed([(loop, g.loop_value(loop, "w")) for loop in loops], body)
        defined = g.add(*mean, *(v for row in low for v in row))
        return each(total, lambda v: g.when(v, defined))

    # --- integrals -------------------------------------------------------------------------------

    def _integral(self, node: Integral, env: Env) -> Value:
        letters = {v for v in node.bound if v.space in self.survey.real}
        terms = summands(node.body) if letters else []
        if not all(is_located(t, node.bound, letters) for t in terms):
            terms = []
        total: Value | None = None
        for term in terms or [node.body]:  # each sum of Gaussians by its own nodes
            part = self.integrate(node.bound, term, env, partial(self.lower, term))
            total = part if total is None else self.plus(total, part)
        assert total is not None
        return total

    def integrate(self, letters: tuple[Symbol, ...], scale: Node, env: Env, inner: Inner) -> Value:
        """The integral of inner over letters. `scale` is the tree whose Gaussian factors say where
        the mass is; a sum of Gaussians is integrated term by term."""
        real = [v for v in letters if v.space in self.survey.real]
        if not real:
            return self.loop_over(letters, env, inner)
        events = {a for n in scale.walk() if isinstance(n, Dens) for a in n.events}
        factors: list[Normal | Fn] = [f for f in _gaussian_factors(scale)
                   if not {s for n in f.args[1:] for s in _bound_below(n)}]  # fmt: skip
        if len(letters) == 1 and (found := bell(scale, letters[0])) is not None:
            factors = [found]
        covered = tuple(
            v
            for v in real
            if v.domain == "real"
            and v not in events
            and any(v in free_symbols(f) for f in factors)
            and not self.jumps(v, env)
        )
        others = tuple(v for v in letters if v not in covered)
        if not covered:
            return self.loop_over(letters, env, inner)
        factors = [f for f in factors if free_symbols(f) & set(covered)]
        return self.loop_over(others, env, lambda e: self.whiten(covered, factors, e, inner))

    def loop_over(
        self,
        letters: tuple[Symbol, ...],
        env: Env,
        inner: Inner,
        measure: Callable[[Env], Scalar] | None = None,
    ) -> Value:
        """Letters at whose values something jumps come last, and piece by piece."""
        broken = next((v for v in letters if self.jumps(v, env)), None)
        if broken is not None:
            rest = tuple(v for v in letters if v != broken)
            return self.loop_over(rest, env, lambda e: self.in_pieces(broken, e, inner, measure))
        at, loops = self.open(letters, env)
        return self.summed(loops, inner(at), measure and measure(at))

    # --- where something jumps -------------------------------------------------------------------

    def jumps(self, letter: Symbol, env: Env) -> list[Scalar]:
        """Values of a letter at which an indicator or its like in what is integrated has a corner;
        where functions decay, 0, so that what falls slowly is seen far out."""
        plain = letter.space in self.survey.real and letter.domain in PIECED and not letter.shape
        if not plain or not self.scope:
            return []
        on_line, body = letter.domain == "real", self.scope[-1]
        more, places = self.peaks(letter, env)
        found = self.corners(letter, body, env, missing=on_line, more=more)
        found += [p for p in places if p not in found]
        located = on_line and self.families.family == "located" and isinstance(body, Integral)
        return found or ([self.g.zero] if located and not self.widening else [])

    def corners(
        self, letter: Symbol, body: Node, env: Env, missing: bool, more: Iterable[Node] = ()
    ) -> list[Scalar]:
        """Where what is read for its sign, what is divided by, or one of `more` is 0: the places of
        those a + b times the letter, but for ends of where it lives. `missing`: an indicator of
        another kind may be left out. In windows that widen, poles alone."""
        g, leaf = self.g, self.g.leaf()
        own = {s for n in body.walk() for s in n.bound} - env.binds.keys() - {letter}
        at = env.bind({letter: leaf})
        found: dict[int, Scalar] = {}
        looked = [(u, u) for u in poles(body)]
        if not self.widening:
            cornered = (n for n in body.walk() if isinstance(n, Fn) and n.name in CORNERS)
            looked += [*((n, n.args[0]) for n in cornered), *((u, u) for u in more)]
        ends = () if letter.domain == "real" else (g.zero, g.one, *self.ends(letter, env))
        for n, u in looked:
            if letter not in free_symbols(n) or free_symbols(n) & own:
                continue
            if letter in plain_letters(u):
                value = self.scalar(u, at)
                slope = g.diff(value, leaf, {})
                if not g.depends(slope, {id(leaf)}, {}):
                    if slope is not g.zero:
                        root = self.root(g.put(value, {id(leaf): g.zero}, {}), slope)
                        if root not in ends:
                            found[id(root)] = root
                    continue
            if not missing and isinstance(n, Fn) and n.name == "indicator":
                raise Unsupported(f"an integral over {letter.name} of what has jumps")
        return list(found.values())

    def peaks(self, letter: Symbol, env: Env) -> tuple[list[Node], list[Scalar]]:
        """What is 0 where the laws of a letter are highest, and where densities are, if one of them
        says more than where to look: it may be narrow, or far from the others."""
        body = self.scope[-1]
        own = {s for n in body.walk() for s in n.bound} - env.binds.keys() - {letter}
        seen = (n for n in body.walk() if letter in free_symbols(n) and not free_symbols(n) & own)
        laws = [(n, r) for n in seen if (r := self.residual(n)) is not None]
        alone = self.widening or len(body.bound) != 1
        if alone or Counter(n for n, _ in laws) <= Counter(_places(body)):
            return [], []
        drawn = letter.domain == "real" and any(
            isinstance(n, Dens) and letter in n.events for n in body.walk()
        )
        return [r for _, r in laws], [self.g.input("location")] * drawn

    def residual(self, law: Node) -> Node | None:
        """How far its point is from where a law is highest, if that is said."""
        return law.args[0] - law.args[1] if isinstance(law, Normal) else None

    def root(self, start: Scalar, slope: Scalar) -> Scalar:
        """Of what is linear; 0, as good as any place, where it is constant."""
        g = self.g
        found = g.neg(g.div(start, slope))
        if slope.op == "const":
            return found
        return g.weigh(g.fn("abs", g.fn("sign", slope)), found)

    def ends(self, letter: Symbol, env: Env) -> tuple[Scalar | int, Scalar | int]:
        """1 and -1 for infinity."""
        if letter.domain == "real":
            return -1, 1
        if letter.domain == "interval":
            low, high = (sides(e) or self.scalar(e, env) for e in letter.args)
            return low, high
        return self.g.zero, 1 if letter.domain == "positive" else self.g.one

    def in_order(self, places: list[Scalar]) -> list[Scalar]:
        g, found = self.g, list(places)
        for i in range(len(found)):
            for j in range(len(found) - 1 - i):
                a, b = found[j : j + 2]
                half, gap = g.const(Fraction(1, 2)), g.fn("abs", g.sub(a, b))
                found[j] = g.mul(half, g.sub(g.add(a, b), gap))
                found[j + 1] = g.mul(half, g.add(a, b, gap))
        return found

    def clamped(self, place: Scalar, low: Scalar | int, high: Scalar | int) -> Scalar:
        """The place, or the end beyond which it lies."""
        g = self.g
        if isinstance(low, Scalar):
            place = g.add(low, g.fn("pos", g.sub(place, low)))
        if isinstance(high, Scalar):
            place = g.sub(high, g.fn("pos", g.sub(high, place)))
        return place

    def in_pieces(
        self,
        letter: Symbol,
        env: Env,
        inner: Inner,
        measure: Callable[[Env], Scalar] | None,
    ) -> Value:
        low, high = self.ends(letter, env)
        return self.piecewise(letter, self.jumps(letter, env), low, high, env, inner, measure)

    def piecewise(
        self,
        letter: Symbol,
        places: list[Scalar],
        low: Scalar | int,
        high: Scalar | int,
        env: Env,
        inner: Inner,
        measure: Callable[[Env], Scalar] | None = None,
    ) -> Value:
        """From low to high, 1 and -1 for infinity, with the places between them apart."""
        g = self.g
        total: Value | None = None
        inside = self.in_order([self.clamped(p, low, high) for p in places])
        for start, end, sign in self.from_places(low, inside, high):
            loop, place, width = self.along(start, end, env)
            width = width if sign > 0 else g.neg(width)
            at = env.bind({letter: place}, 1)
            weight = g.mul(width, measure(at)) if measure else width
            part = each(inner(at), partial(self._weighed, loop, weight))
            total = part if total is None else self.plus(total, part)
        assert total is not None
        return total

    def from_places(
        self, low: Scalar | int, inside: list[Scalar], high: Scalar | int
    ) -> Iterator[tuple[Scalar | int, Scalar | int, int]]:
        """The pieces, and their signs. Numbers are told apart best near where a piece begins, so
        that each begins at such a place: between two of them there are two pieces."""
        g = self.g
        if not inside:
            yield low, high, 1
            return
        yield (inside[0], low, -1) if isinstance(low, Scalar) else (low, inside[0], 1)
        for a, b in pairwise(inside):
            middle = g.mul(g.const(Fraction(1, 2)), g.add(a, b))
            yield a, middle, 1
            yield b, middle, -1
        yield inside[-1], high, 1

    def _weighed(self, loop: Loop, weight: Scalar, u: Scalar) -> Scalar:
        return self.g.sum(loop, self.g.weigh(weight, u))

    def along(self, low: Scalar | int, high: Scalar | int, env: Env) -> tuple[Loop, Scalar, Scalar]:
        """From low to high, 1 and -1 for infinity: the letter as a function of t on the whole line,
        with ends that are reached doubly exponentially: s = sinh(t/4), then the logistic curve of
        pi s, or exp(pi s / 2); and how much of it a node stands for."""
        g = self.g
        finite = not (isinstance(low, int) and isinstance(high, int))
        loop = g.loop("grid", "ends" if finite else "line", env.depth)
        t, step = g.loop_value(loop, "t"), g.loop_value(loop, "w")
        up = g.fn("exp", g.mul(g.const(Fraction(1, 4)), t))
        down = g.div(g.one, up)
        half_pi = g.mul(g.const(Fraction(1, 2)), g.input("pi"))
        s = g.mul(half_pi, g.add(up, g.neg(down)))  # pi sinh(t/4)
        slope = g.mul(g.const(Fraction(1, 4)), half_pi, g.add(up, down))
        if not isinstance(low, int) and not isinstance(high, int):
            width = g.sub(high, low)
            place = g.on_the_way(low, high, s)
            slope = g.mul(width, g.fn("sigmoid", s), g.fn("sigmoid", g.neg(s)), slope)
        elif isinstance(low, int) and isinstance(high, int):
            if low == high:
                raise Unsupported("an integral from infinity to the same")
            place, slope = t, g.const(high)
        else:
            start, outward = (high, low) if isinstance(low, int) else (low, high)
            sign = 1 if isinstance(high, int) else -1  # from the finite end out, or in to it
            assert isinstance(outward, int)
            assert isinstance(start, Scalar)
            far = g.fn("exp", g.mul(g.const(Fraction(1, 2)), s))
            place = g.beyond(start, g.mul(g.const(outward), far))
            slope = g.mul(g.const(Fraction(sign * outward, 2)), slope, far)
        return loop, place, g.mul(slope, step)

    def whiten(
        self, letters: tuple[Symbol, ...], factors: list[Normal | Fn], env: Env, inner: Inner
    ) -> Value:
        """Integrate over letters in coordinates in which the product of the factors is standard."""
        g = self.g
        sizes = [self.size(letter) for letter in letters]
        n = sum(sizes)
        leaves = [g.leaf() for _ in range(n)]

        def placed(coordinates: list[Scalar]) -> dict[Symbol, Bound]:
            left = iter(coordinates)
            return {v: self.point(v, list(islice(left, size)))
                    for v, size in zip(letters, sizes, strict=True)}  # fmt: skip

        at = env.bind(placed(leaves))
        marks = {id(leaf) for leaf in leaves}
        origin = {id(leaf): g.zero for leaf in leaves}
        precision: list[list[Scalar]] = [[g.zero] * n for _ in range(n)]
        pull: list[Scalar] = [g.zero] * n
        used: set[int] = set()
        rows: list[list[Scalar]] = []
        for factor in factors:
            if isinstance(factor, Normal):
                x, mean, var = self.normal_parts(factor, at)
            else:
                x = [leaves[0]]
                mean, var = self.bell_parts(factor, letters[0], env)
            residual = [g.sub(a, b) for a, b in zip(x, mean, strict=True)]
            slopes = [[g.diff(r, leaf, {}) for leaf in leaves] for r in residual]
            parts = [*(s for row in slopes for s in row)]
            parts += [var] if isinstance(var, Scalar) else [v for row in var.rows for v in row]
            memo: dict[int, bool] = {}
            if any(g.depends(p, marks, memo) for p in parts):
                continue
            inverse = (
                Matrix([[g.div(g.one, var)]]) if isinstance(var, Scalar) else self.inverse(var)
            )
            start = [g.put(r, origin, {}) for r in residual]
            rows += slopes
            for i in range(n):
                column = [self.inner(row, [s[i] for s in slopes]) for row in inverse.rows]
                if any(s[i] is not g.zero for s in slopes):
                    used.add(i)
                pull[i] = g.sub(pull[i], self.inner(column, start))
                for j in range(n):
                    precision[i][j] = g.add(
                        precision[i][j], self.inner(column, [s[j] for s in slopes])
                    )
        if len(used) < n:
            return self.loop_over(letters, env, inner)
        if rank(rows) < n:  # they leave a direction free, which is integrated over as it is
            kept, free = letters[:-1], letters[-1:]
            if not kept:
                return self.loop_over(letters, env, inner)
            return self.loop_over(free, env, lambda e: self.whiten(kept, factors, e, inner))
        low = self.cholesky(precision)
        half: list[Scalar] = []  # low half = pull
        for i in range(n):
            rest = g.sub(pull[i], self.inner(low[i][:i], half) if i else g.zero)
            half.append(g.div(rest, low[i][i]))
        loops = [g.loop("grid", "gauss", env.depth + k) for k in range(n)]
        shifted = [g.add(h, g.loop_value(loop, "t")) for h, loop in zip(half, loops, strict=True)]
        xs: list[Scalar] = [g.zero] * n  # low^T x = shifted
        for i in reversed(range(n)):
            below = [g.mul(low[k][i], xs[k]) for k in range(i + 1, n)]
            xs[i] = g.div(g.sub(shifted[i], g.add(*below)), low[i][i])
        jacobian = g.div(g.one, g.mul(*(low[i][i] for i in range(n))))
        flat = [(loop, g.loop_value(loop, "v")) for loop in loops]
        total = self.summed(flat, inner(env.bind(placed(xs), n)))
        return each(total, lambda v: g.mul(jacobian, v))

    def bell_parts(self, found: Fn, letter: Symbol, env: Env) -> tuple[list[Scalar], Scalar]:
        """Where an exponent of second degree is largest, and the variance there; where it has no
        largest value, those of what bends the other way."""
        g, leaf = self.g, self.g.leaf()
        slope = g.diff(self.scalar(found.args[0], env.bind({letter: leaf})), leaf, {})
        origin = {id(leaf): g.zero}
        bend = g.put(g.diff(slope, leaf, {}), origin, {})
        peak = g.neg(g.div(g.put(slope, origin, {}), bend))
        return [peak], g.div(g.one, g.fn("abs", bend))

    # --- divergences -----------------------------------------------------------------------------

    def _divergence(self, node: Divergence, env: Env) -> Value:
        p, q = node.args
        g, bound, kind = self.g, node.bound, node.kind
        if kind == "KL":
            return self.relative(
                p, bound, env, lambda e: self.scalar(q, e), lambda e: self.log_of(q, e)
            )
        half = g.const(Fraction(1, 2))

        def middle(e: Env) -> Scalar:
            return g.mul(half, g.add(self.scalar(p, e), self.scalar(q, e)))

        if kind == "JS":
            first = self.relative(p, bound, env, middle)
            return g.mul(half, g.add(first, self.relative(q, bound, env, middle)))
        if kind != "TV":
            raise Unsupported(f"the divergence {kind!r} has no numeric meaning")

        def gap(e: Env) -> Scalar:
            return g.fn("abs", g.sub(self.scalar(p, e), self.scalar(q, e)))

        many = len(bound) > 1 or bool(bound[0].shape)
        if many and self.gaussian(p, bound) and self.gaussian(q, bound):
            ratio = [
                self.expect([d], env, lambda e: g.div(gap(e), middle(e))) for d in (p, q)
            ]  # the integral of |p - q| against (p + q) / 2
            return each(self.plus(*ratio), lambda v: g.mul(g.const(Fraction(1, 4)), v))
        return each(self.integrate(bound, Add(p, q), env, gap), lambda v: g.mul(half, v))

    def gaussian(self, p: Node, bound: tuple[Symbol, ...]) -> bool:
        """Whether E under p is taken in whitened coordinates."""
        return set(event_variables(p)) == set(bound) and any(
            isinstance(n, Normal) and n.args[0] in bound for n in _measures(p)
        )

    def relative(
        self,
        p: Node,
        bound: tuple[Symbol, ...],
        env: Env,
        other: Callable[[Env], Scalar],
        log_other: Callable[[Env], Scalar | None] = lambda e: None,
    ) -> Scalar:
        """The integral of p log(p/other), where p > 0."""
        g = self.g

        def ratio(e: Env) -> Scalar:
            over, under = self.log_of(p, e), log_other(e)
            if over is not None and under is not None:
                return g.sub(over, under)
            return g.fn("log", g.div(self.scalar(p, e), other(e)))

        if self.gaussian(p, bound):
            value = self.expect([p], env, ratio)
        else:
            value = self.integrate(
                bound, p, env, lambda e: g.make("kl", (self.scalar(p, e), other(e)))
            )
        assert isinstance(value, Scalar)
        return value

    def _entropy(self, node: Entropy, env: Env) -> Value:
        g = self.g
        return g.neg(
            self.relative(node.args[0], node.bound, env, lambda e: g.one, lambda e: g.zero)
        )

    # --- derivatives and sums --------------------------------------------------------------------

    def _deriv(self, node: Deriv, env: Env) -> Value:
        g, var = self.g, node.var
        actual = self.bound(var, env)
        if isinstance(actual, (Point, Matrix)) or var.domain == "natural":
            raise Unsupported(f"a derivative with respect to {var.name}")
        old = components(actual)
        leaves = [g.leaf() for _ in old]
        body = self.lower(node.body, env.bind({var: self.point(var, leaves)}))
        values = {id(leaf): o for leaf, o in zip(leaves, old, strict=True)}
        memo: dict[int, Scalar] = {}

        def slope(u: Scalar, leaf: Scalar) -> Scalar:
            return g.put(g.when(g.diff(u, leaf, {}), u), values, memo)

        if not isinstance(actual, Vector):
            return each(body, lambda u: slope(u, leaves[0]))
        if isinstance(body, Scalar):
            return Vector([slope(body, leaf) for leaf in leaves])
        if isinstance(body, Vector):
            return Matrix([slope(u, leaf) for leaf in leaves] for u in body.items)
        raise Unsupported("a derivative of a matrix with respect to a vector")

    def _big(self, node: Big, env: Env) -> Value:
        g = self.g
        if any(isinstance(n, Number) and n.value > LONGEST for n in (node.low, node.high)):
            raise Unsupported(f"a sum or product beyond {LONGEST} terms")
        low, high = self.integer(node.low, env), self.integer(node.high, env)
        loop = g.loop("int", node.kind, env.depth, low, high)
        index = g.make("num", (g.loop_value(loop, "i"),))
        body = self.lower(node.body, env.bind({node.index: index}, 1))
        if node.kind == "prod" and not isinstance(body, Scalar):
            raise Unsupported("a product over an index of vectors or matrices")
        return each(body, lambda u: g.sum(loop, u, node.kind, (low, high)))


# --- trees ---------------------------------------------------------------------------------------


def plain_letters(node: Node) -> set[Symbol]:
    """The letters of sums and products, beside densities and functions."""
    if isinstance(node, Symbol):
        return {node}
    if not isinstance(node, (Add, Mul, Neg, Div, Named)):
        return set()
    return {s for child in node.args for s in plain_letters(child)}


def poles(body: Node) -> Iterator[Node]:
    """What is divided by: the bases of powers in it."""
    for n in body.walk():
        if isinstance(n, Div):
            yield from _bases(n.args[1])
        if isinstance(n, Pow) and isinstance(n.args[1], Neg):
            yield from _bases(n.args[0])


def _bases(under: Node) -> Iterator[Node]:
    match under:
        case Mul():
            for f in under.args:
                yield from _bases(f)
        case Pow() | Neg() | Named() | Fn(name="sqrt" | "abs"):
            yield from _bases(under.args[0])
        case _:
            yield under


def _ordered(dists: Iterable[Node]) -> list[Node]:
    """Distributions sorted so that each comes after those whose events it depends on."""
    left, done = list(dists), []
    while left:
        for d in left:
            needs = free_symbols(d) - set(event_variables(d))
            if not any(needs & set(event_variables(o)) for o in left if o is not d):
                break
        else:
            raise Unsupported(
                "an expectation under densities that depend on each other in a circle"
            )
        left.remove(d)
        done.append(d)
    return done


def rank(rows: list[list[Scalar]]) -> int:
    """Of a matrix, for almost all values of what its entries are computed from."""
    known: dict[int, Fraction] = {}

    def value(u: Scalar) -> Fraction:
        parts = [value(a) for a in u.args] if u.op in ("add", "mul", "neg", "div") else []
        if u.op == "const":
            return Fraction(u.data)
        if u.op == "add":
            return sum(parts, Fraction(0))
        if u.op == "mul":
            return math.prod(parts, start=Fraction(1))
        if u.op == "neg":
            return -parts[0]
        if u.op == "div" and parts[1]:
            return parts[0] / parts[1]
        return known.setdefault(id(u), Fraction(7 * len(known) ** 2 + 3, 2 * len(known) + 5))

    values = [[value(u) for u in row] for row in rows]
    found = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((r for r in range(found, len(values)) if values[r][column]), None)
        if pivot is None:
            continue
        values[found], values[pivot] = values[pivot], values[found]
        for r in range(found + 1, len(values)):
            factor = values[r][column] / values[found][column]
            values[r] = [a - factor * b for a, b in zip(values[r], values[found], strict=True)]
        found += 1
    return found


def _measures(p: Node) -> list[Node]:
    if isinstance(p, Named):
        return _measures(p.body)
    if isinstance(p, (Mul, Add)):
        return [m for a in p.args for m in _measures(a)]
    if isinstance(p, Div):
        return _measures(p.args[0])
    return [p]


def _places(body: Node) -> list[Node]:
    """The laws in what is integrated that its nodes are made for, and those whose logarithm is read
    alone."""
    found = [f for n in body.walk() if isinstance(n, Fn) and n.name == "log"
             for f in _law_factors(n.args[0])]  # fmt: skip
    match body:
        case Expect():
            found += [m for d in body.dists for m in _measures(d)]
        case Divergence(kind="KL") | Entropy():
            found += [f for d in body.args for f in _law_factors(d)]
        case Integral():
            terms = summands(body.body)
            if not all(is_located(t, body.bound, set(body.bound)) for t in terms):
                terms = [body.body]
            found += [f for t in terms for f in _law_factors(t)]
    return found


def _law_factors(node: Node) -> list[Node]:
    """The factors of a product."""
    if isinstance(node, (Neg, Div, Named)):
        return _law_factors(node.args[0])
    return [f for a in node.args for f in _law_factors(a)] if isinstance(node, Mul) else [node]


def _bound_below(node: Node) -> set[Symbol]:
    return {s for n in node.walk() for s in n.bound}


def summands(node: Node) -> list[Node]:
    """The terms of a sum, multiplied out."""
    if isinstance(node, Named):
        return summands(node.body)
    if isinstance(node, Add):
        return [t for a in node.args for t in summands(a)]
    if isinstance(node, Neg):
        return [Neg(t) for t in summands(node.args[0])]
    if isinstance(node, Div):
        return [Div(t, node.args[1]) for t in summands(node.args[0])]
    if isinstance(node, Mul):
        parts = [summands(a) for a in node.args]
        if 1 < math.prod(map(len, parts)) <= 8:
            return [Mul(*choice) for choice in choices(*parts)]
    return [node]


def is_located(term: Node, bound: tuple[Symbol, ...], letters: set[Symbol]) -> bool:
    """Whether a factor of a term says where the mass of its integral over letters is."""
    if any(letters & free_symbols(f) for f in _gaussian_factors(term)):
        return True
    return len(bound) == 1 and bell(term, bound[0]) is not None


def _gaussian_factors(node: Node) -> list[Normal]:
    """The Gaussian factors of a product."""
    if isinstance(node, Normal):
        return [node]
    if isinstance(node, Named):
        return _gaussian_factors(node.body)
    if isinstance(node, (Neg, Div)):
        return _gaussian_factors(node.args[0])
    if isinstance(node, Mul):
        return [f for a in node.args for f in _gaussian_factors(a)]
    return []
