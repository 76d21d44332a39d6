"""Named families in random worlds: densities of their own, and integrals over letters that live on
a half-line, between 0 and 1, on bits or counts, or where a family has moved them.

Corners of an integrand are ends of the parts that it is integrated over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial, reduce
from itertools import pairwise

from genmath.proof.language.notation import constant
from genmath.proof.language.tree import (
    Dens,
    Div,
    Divergence,
    Family,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Number,
    Symbol,
    event_variables,
    free_symbols,
)
from genmath.proof.numeric.evaluate import Evaluation, Inner, Weighted, summands
from genmath.proof.numeric.expressions import Env
from genmath.proof.numeric.graph import Loop, Scalar
from genmath.proof.numeric.linear import Value, each
from genmath.proof.numeric.quadrature import COUNTS
from genmath.proof.numeric.survey import Survey, Unsupported

GRIDS = {
    "positive": "half", "unit": "unit", "bit": "bit", "count": "count", "integer": "integer",
}  # fmt: skip
LIVES = {"Exponential": "positive", "Gamma": "positive", "Beta": "unit", "Bernoulli": "bit",
         "Poisson": "count", "Geometric": "count"}  # fmt: skip
FAR = {"Poisson": 40, "Gamma": 10}  # rates and shapes up to which the nodes serve as they are
WIDTH = 6  # standard deviations around a far rate that are seen at the coarsest level
PLACED = {"Laplace": 0, "Logistic": 0, "Student": 1}  # where the location stands


class Laws(Evaluation):
    """Densities of named families, and expectations under them."""

    def __init__(self, survey: Survey, dim: int, family: str = "") -> None:
        super().__init__(survey, dim, family)
        self.drawn: dict[tuple[int, Symbol], Family] = {}  # of each depth of the scope

    def meaning(self, node: Node, env: Env) -> Value:
        if isinstance(node, Family):
            return self.law(node, env)
        if isinstance(node, Dens) and any(
            self.survey.domains.get(s, "real") != "real"
            for s in (*node.density.event_slots, *node.density.given_slots)
        ):
            return self.mixture_of_laws(node, env)
        return super().meaning(node, env)

    # --- densities -------------------------------------------------------------------------------

    def law(self, node: Family, env: Env) -> Scalar:
        """0 where its letter cannot be, undefined at parameters that it does not have."""
        g = self.g
        x, *parameters = (self.scalar(a, env) for a in node.args)
        if node.name == "Categorical":
            return self.share(node, parameters[0], env)
        if node.name == "Uniform":
            low, high = parameters
            width = g.sub(high, low)
            inside = g.mul(g.fn("ind", g.sub(x, low)), g.fn("ind", g.sub(high, x)))
            return g.when(g.div(inside, width), g.fn("log", width))
        value = g.fn("exp", self.log_law(node.name, x, parameters))
        where = LIVES.get(node.name)
        if where is None or _declared_there(node):
            return value
        if where in ("bit", "count"):
            kind = "0 or 1" if where == "bit" else "a count"
            raise Unsupported(f"{node!r}: {node.point!r} is not known to be {kind}; expected a "
                              f"letter declared by variables(..., domain={where!r})")  # fmt: skip
        inside = g.fn("ind", x)
        if where == "unit":
            inside = g.mul(inside, g.fn("ind", g.sub(g.one, x)))
        proper = g.add(*(g.fn("log", p) for p in parameters))
        return g.when(g.mul(inside, value), proper)

    def share(self, node: Family, probability: Scalar, env: Env) -> Scalar:
        """Undefined where those of all members do not sum to 1, or one of them is not > 0."""
        g, (k, each_of_them) = self.g, node.args
        assert isinstance(k, Symbol)
        inner, loop = self.each_member(k, env)
        one = self.scalar(each_of_them, inner)
        off = g.sub(g.sum(loop, g.when(one, g.fn("log", one))), g.one)
        near = g.sub(g.const(Fraction(1, 10**20)), g.powi(off, 2))
        return g.when(probability, g.fn("log", near))

    def log_law(self, name: str, x: Scalar, parameters: list[Scalar]) -> Scalar:
        g = self.g
        one, neg = g.one, g.neg

        def log(u: Scalar) -> Scalar:
            return g.fn("log", u)

        def log_gamma(u: Scalar) -> Scalar:
            return g.tabulated("log_gamma", u, False)

        def times(u: Scalar, v: Scalar) -> Scalar:
            return g.mul(u, v)

        match name, parameters:
            case "Exponential", [rate]:
                return g.add(log(rate), neg(times(rate, x)))
            case "Gamma", [k, rate]:
                scaled = times(rate, x)
                power = times(g.sub(k, one), log(scaled))
                return g.add(log(rate), power, neg(scaled), neg(log_gamma(k)))
            case "Beta", [a, b]:
                powers = (times(g.sub(a, one), log(x)), times(g.sub(b, one), log(g.sub(one, x))))
                front = g.sub(log_gamma(g.add(a, b)), g.add(log_gamma(a), log_gamma(b)))
                return g.add(*powers, front)
            case "Bernoulli", [p]:
                return g.add(times(x, log(p)), times(g.sub(one, x), log(g.sub(one, p))))
            case "Poisson", [rate]:
                return g.add(times(x, log(rate)), neg(rate), neg(log_gamma(g.add(x, one))))
            case "Geometric", [p]:
                return g.add(times(x, log(g.sub(one, p))), log(p))
            case "Laplace", [location, scale]:
                t = g.div(g.sub(x, location), scale)
                return neg(g.add(g.fn("abs", t), log(g.mul(g.two, scale))))
            case "Logistic", [location, scale]:
                t = g.div(g.sub(x, location), scale)
                both = g.add(g.fn("softplus", t), g.fn("softplus", neg(t)))
                return neg(g.add(both, log(scale)))
            case "Student", [nu, location, scale]:
                t = g.div(g.sub(x, location), scale)
                half = g.const(Fraction(1, 2))
                top = g.mul(half, g.add(nu, one))
                tail = g.mul(top, log(g.add(one, g.div(g.powi(t, 2), nu))))
                front = g.sub(log_gamma(top), log_gamma(g.mul(half, nu)))
                size = g.add(g.mul(half, log(g.mul(g.input("pi"), nu))), log(scale))
                return g.sub(front, g.add(tail, size))
        raise Unsupported(f"{name} has no numeric meaning")

    def log_of(self, node: Node, env: Env) -> Scalar | None:
        if isinstance(node, Family) and node.name != "Uniform":
            if _declared_there(node) or node.name in PLACED:
                x, *parameters = (self.scalar(a, env) for a in node.args)
                return self.log_law(node.name, x, parameters)
            return None
        return super().log_of(node, env)

    def mixture_of_laws(self, node: Dens, env: Env) -> Scalar:
        """An arbitrary density of one letter that lives elsewhere than on the line."""
        g, density = self.g, node.density
        if len(density.event_slots) != 1 or density.given_slots or len(node.args) != 1:
            raise Unsupported(f"{density.name}: a density of several letters, not all of the line")
        domain = self.survey.domains[density.event_slots[0]]
        x = self.scalar(node.args[0], env)

        def number(*key: object) -> Scalar:
            return g.input("param", " ".join(map(str, (density.name, *key))), "positive")

        def component(k: int) -> Scalar:
            a, b = number("a", k), number("b", k)
            name, parameters = {
                "positive": ("Gamma", [a, b]),
                "unit": ("Beta", [a, b]),
                "count": ("Poisson", [a]),
                "bit": ("Bernoulli", [g.div(a, g.add(a, b))]),
            }[domain]
            return g.fn("exp", self.log_law(name, x, parameters))

        letter = density.events[0]
        if domain == "interval":
            return self.mixture_between(x, letter, number, env)
        if domain == "integer":
            return self.between_halves(x, number("a", 0), number("b", 0))
        if domain == "values":
            return self.table(x, letter, [number("w", k) for k in range(len(letter.args))])

        first, second = number("w", 0), number("w", 1)
        both = g.add(g.mul(first, component(0)), g.mul(second, component(1)))
        return g.div(both, g.add(first, second))

    def mixture_between(
        self, x: Scalar, letter: Symbol, number: Callable[..., Scalar], env: Env
    ) -> Scalar:
        """Polynomials on an interval, exponentials on a half-line: nothing that is infinite at an
        end."""
        g = self.g
        low, high = self.ends(letter, env)
        first, second = number("w", 0), number("w", 1)
        if isinstance(low, Scalar) and isinstance(high, Scalar):
            width = g.sub(high, low)
            u = g.div(g.sub(x, low), width)
            parts = [g.mul(g.two, u), g.mul(g.const(3), g.powi(g.sub(g.one, u), 2))]
        else:
            far = g.sub(x, low) if isinstance(low, Scalar) else g.sub(high, x)  # type: ignore[arg-type]
            rates = (number("a", k) for k in range(2))
            width, parts = g.one, [g.mul(r, g.fn("exp", g.neg(g.mul(r, far)))) for r in rates]
        both = g.add(g.mul(first, parts[0]), g.mul(second, parts[1]))
        return g.div(both, g.mul(width, g.add(first, second)))

    def between_halves(self, x: Scalar, location: Scalar, scale: Scalar) -> Scalar:
        """What a logistic law has between x - 1/2 and x + 1/2."""
        g, half = self.g, self.g.const(Fraction(1, 2))
        near = (g.sub(g.add(x, h), location) for h in (half, g.neg(half)))
        up, down = (g.fn("sigmoid", g.div(u, scale)) for u in near)
        return g.sub(up, down)

    def table(self, x: Scalar, letter: Symbol, weights: list[Scalar]) -> Scalar:
        """A weight for each of the numbers that a letter may be, over their sum."""
        g, found = self.g, []
        for a, w in zip(letter.args, weights, strict=True):
            gap = g.sub(x, self.scalar(a, Env({}, 0)))
            away = g.add(g.fn("ind", gap), g.fn("ind", g.neg(gap)))
            found.append(g.mul(w, g.sub(g.one, away)))
        return g.div(g.add(*found), g.add(*weights))

    # --- integrals -------------------------------------------------------------------------------

    def open(self, letters: tuple[Symbol, ...], env: Env) -> tuple[Env, Weighted]:
        loops: Weighted = []
        g = self.g
        for letter in letters:
            kind = GRIDS.get(letter.domain)
            if letter.domain == "member":
                env, loop = self.each_member(letter, env)
                loops.append((loop, g.one))
                continue
            if letter.domain == "interval":
                env, weighted = self.in_interval(letter, env)
                loops.append(weighted)
                continue
            if letter.domain == "values":
                kind = " ".join(["values", *(str(constant(a)) for a in letter.args)])
            if kind is None:
                env, more = super().open((letter,), env)
                loops += more
                continue
            loop = g.loop("grid", kind, env.depth)
            t, weight = g.loop_value(loop, "t"), g.loop_value(loop, "w")
            if kind == "unit":
                t = g.on_the_way(g.zero, g.one, t)
            elif laws := self.far_laws(letter, env):
                far = [[self.scalar(a, env) for a in law.args[1:]] for law in laws]
                if kind == "count":
                    rates = self.in_order([g.fn("still", rate) for (rate,) in far])
                    kept = g.loop_value(loop, "v")
                    spread = partial(self.around_rates, kept=kept, low=rates[0], high=rates[-1])
                    windows = partial(self.in_windows, rate=rates[-1])
                    t, weight = (windows if self.widening else spread)(t)
                elif len(far) == 1 and not self.widening:
                    t, weight = self.around_a_shape(t, weight, *far[0])
            loops.append((loop, weight))
            env = env.bind({letter: t}, 1)
        return env, loops

    def far_laws(self, letter: Symbol, env: Env) -> list[Family]:
        """The laws of a letter, if the mass of one of them may lie far out, or be narrow."""
        if not self.scope:
            return []
        body = self.scope[-1]
        own = {s for n in body.walk() for s in n.bound} - env.binds.keys()
        drawn = self.drawn.get((len(self.scope), letter))
        weighs = not isinstance(body, Divergence)
        laws = {drawn} if drawn is not None else _weights(body.args[0], letter) if weighs else set()
        laws = laws or {n for n in body.walk() if isinstance(n, Family) and n.point == letter}
        if any(n.name not in FAR or free_symbols_of(n.args[1:]) & own for n in laws):
            return []
        return sorted(laws, key=repr) if any(map(_may_be_far, laws)) else []

    @contextmanager
    def drawing(self, letter: Symbol, law: Family) -> Iterator[None]:
        """What is being integrated is so under this law of the letter."""
        key = len(self.scope), letter
        before = self.drawn.get(key)
        self.drawn[key] = law
        try:
            yield
        finally:
            del self.drawn[key]
            if before is not None:
                self.drawn[key] = before

    def around_rates(
        self, count: Scalar, kept: Scalar, low: Scalar, high: Scalar
    ) -> tuple[Scalar, Scalar]:
        """The last two thirds of the counts spread around the rates, if those are larger, ever
        wider and ever more closely. Each stands for a prime number of counts: what repeats itself
        every so many is not mistaken for what is alike at all."""
        g, half = self.g, self.g.const(Fraction(1, 2))
        rate, apart = g.mul(half, g.add(low, high)), g.mul(half, g.sub(high, low))
        if low is high:
            rate, apart = low, g.zero
        many = g.fn("sqrt", g.mul(g.const(COUNTS[0] // 3), kept))
        width = g.add(g.mul(g.const(WIDTH), g.fn("sqrt", high)), apart)
        stride = g.fn("prime", g.div(width, many))
        beyond = g.fn("whole", g.fn("pos", g.sub(rate, g.mul(kept, g.add(stride, g.one)))))
        later = g.sub(count, kept)
        last = g.fn("ind", g.add(later, g.const(Fraction(1, 2))))
        more = g.mul(last, g.sub(stride, g.one))
        return g.add(count, g.mul(last, beyond), g.mul(more, later)), g.add(g.one, more)

    def in_windows(self, count: Scalar, rate: Scalar) -> tuple[Scalar, Scalar]:
        """Counts so far from one another that windows reach as far beyond the rate as beyond one
        that is near."""
        g = self.g
        stride = g.add(g.one, g.fn("whole", g.div(rate, g.const(FAR["Poisson"]))))
        return g.mul(stride, count), stride

    def around_a_shape(
        self, t: Scalar, weight: Scalar, shape: Scalar, rate: Scalar
    ) -> tuple[Scalar, Scalar]:
        """In coordinates in which a large shape looks like one of FAR, and its mean near 1."""
        g, most = self.g, FAR["Gamma"]
        mean = g.fn("still", g.sub(g.fn("log", shape), g.fn("log", rate)))
        beyond = g.fn("pos", g.sub(g.fn("still", shape), g.const(most)))
        share = g.div(g.one, g.add(g.one, g.mul(g.const(Fraction(1, most)), beyond)))
        power = g.fn("sqrt", share)
        logarithm = g.add(g.mul(g.sub(g.one, share), mean), g.mul(power, g.fn("log", t)))
        place = g.fn("exp", logarithm)
        return place, g.mul(weight, power, g.div(place, t))

    def in_interval(self, letter: Symbol, env: Env) -> tuple[Env, tuple[Loop, Scalar]]:
        g = self.g
        low, high = self.ends(letter, env)
        finite = isinstance(low, Scalar) and isinstance(high, Scalar)
        loop = g.loop("grid", "unit" if finite else "half", env.depth)
        t, weight = g.loop_value(loop, "t"), g.loop_value(loop, "w")
        width = g.one
        if isinstance(low, Scalar) and isinstance(high, Scalar):
            width = g.sub(high, low)
            at = g.when(g.on_the_way(low, high, t), g.fn("log", width))
        elif isinstance(low, Scalar):
            at = g.beyond(low, t)
        else:
            assert isinstance(high, Scalar)
            at = g.beyond(high, g.neg(t))
        return env.bind({letter: at}, 1), (loop, g.mul(width, weight))

    def each_member(self, letter: Symbol, env: Env) -> tuple[Env, Loop]:
        """A letter that runs through its finite set, each member counted once."""
        member, loop = self.member_of(letter.space, env)
        return env.bind({letter: member}, 1), loop

    def expect(self, dists: list[Node], env: Env, inner: Inner) -> Value:
        if dists and isinstance(dists[0], Family):
            dist, rest = dists[0], dists[1:]
            letters = event_variables(dist)
            own = dist.name == "Categorical" or letters[0] not in free_symbols_of(dist.args[1:])
            if letters and own:
                if dist.name == "Uniform" or dist.name in PLACED:
                    return self.moved(
                        letters[0], dist, env,
                        lambda e: self.weigh(dist, e, self.expect(rest, e, inner)),
                    )  # fmt: skip
                with self.drawing(letters[0], dist):
                    return self.loop_over(
                        letters, env, lambda e: self.expect(rest, e, inner),
                        lambda e: self.scalar(dist, e),
                    )  # fmt: skip
            raise Unsupported(f"an expectation under {dist!r}, which is no density")
        return super().expect(dists, env, inner)

    def residual(self, law: Node) -> Node | None:
        if isinstance(law, Family) and law.name in PLACED:
            return law.args[0] - law.args[PLACED[law.name] + 1]
        if isinstance(law, Family) and law.name in ("Gamma", "Beta"):
            x, first, second = law.args
            return x - first / (second if law.name == "Gamma" else first + second)
        return super().residual(law)

    def weigh(self, dist: Node, env: Env, body: Value) -> Value:
        density = self.scalar(dist, env)
        return each(body, lambda u: self.g.weigh(density, u))

    def _integral(self, node: Integral, env: Env) -> Value:
        """A sum of laws of which one may lie far out term by term, each by its own nodes."""
        terms = summands(node.body)
        laws = [{f for v in node.bound for f in _weights(t, v) if f.name in FAR} for t in terms]
        if len(terms) < 2 or not all(laws) or not any(map(_may_be_far, set().union(*laws))):
            return super()._integral(node, env)
        parts = (self.lower(Integral(t, *node.bound), env) for t in terms)
        return reduce(self.plus, parts)

    def integrate(self, letters: tuple[Symbol, ...], scale: Node, env: Env, inner: Inner) -> Value:
        for v in letters:
            member = self.member(v, letters, scale)
            if member is not None:
                rest = tuple(u for u in letters if u != v)
                further = partial(self.integrate, rest, scale, inner=inner) if rest else inner
                return self.moved(v, member, env, further)
        return super().integrate(letters, scale, env, inner)

    def member(self, v: Symbol, letters: tuple[Symbol, ...], scale: Node) -> Family | None:
        """The member of a family that says where the mass of an integral over v is."""
        if v.domain != "real" or v.shape:
            return None
        at = [n for n in scale.walk() if isinstance(n, Family) and n.point == v
              and not set(letters) & free_symbols_of(n.args[1:])]  # fmt: skip
        uniform = [n for n in at if n.name == "Uniform"]
        if not uniform:
            return at[0] if at else None
        if len(uniform) > 1 or uniform[0] not in _factors(scale):
            raise Unsupported(f"an integral over {v.name} of what ends within")
        return uniform[0]

    def moved(self, v: Symbol, member: Family, env: Env, inner: Inner) -> Value:
        """The integral over a letter of the line, from corner to corner, as far from them as the
        member's scale says."""
        g = self.g
        body = self.scope[-1]
        kinks = [n.args[0] - n.args[1] for n in body.walk()
                 if isinstance(n, Family) and n.name == "Laplace"]  # fmt: skip
        more, places = self.peaks(v, env)
        found = self.corners(v, body, env, missing=False, more=[*kinks, *more])
        places = [*found, *(p for p in places if p not in found)]
        if member.name == "Uniform":
            low, high = (self.scalar(a, env) for a in member.args[1:])
            places = [p for p in places if p not in (low, high)]
            if not places:
                return self.inwards(v, low, high, env, inner)
            return self.piecewise(v, places, low, high, env, inner)
        place = PLACED[member.name] + 1
        location, scale = (self.scalar(a, env) for a in member.args[place : place + 2])
        places = self.in_order(places or [location])
        sides = ("other tail", "tail") if member.name == "Student" else ("half", "half")
        left = self.outward(v, places[0], g.neg(scale), sides[0], env, inner)
        total = self.plus(left, self.outward(v, places[-1], scale, sides[1], env, inner))
        for low, high in pairwise(places):
            between = self.inwards(v, low, high, env, inner)
            total = self.plus(total, each(between, lambda u: g.div(u, scale)))
        return each(total, lambda u: g.when(g.mul(scale, u), g.fn("log", scale)))

    def outward(
        self, v: Symbol, start: Scalar, step: Scalar, kind: str, env: Env, inner: Inner
    ) -> Value:
        g = self.g
        loop = g.loop("grid", kind, env.depth)
        t, w = g.loop_value(loop, "t"), g.loop_value(loop, "w")
        place = g.beyond(start, g.mul(step, t))
        return self.summed([(loop, w)], inner(env.bind({v: place}, 1)))

    def inwards(self, v: Symbol, low: Scalar, high: Scalar, env: Env, inner: Inner) -> Value:
        g = self.g
        loop = g.loop("grid", "unit", env.depth)
        t, w = g.loop_value(loop, "t"), g.loop_value(loop, "w")
        width = g.sub(high, low)
        body = inner(env.bind({v: g.on_the_way(low, high, t)}, 1))
        return self.summed([(loop, g.mul(width, w))], body)

    # --- divergences -----------------------------------------------------------------------------

    def relative(
        self,
        p: Node,
        bound: tuple[Symbol, ...],
        env: Env,
        other: Callable[[Env], Scalar],
        log_other: Callable[[Env], Scalar | None] = lambda e: None,
    ) -> Scalar:
        g = self.g

        def weighed(e: Env) -> Scalar:
            over, under = self.log_of(p, e), log_other(e)
            if over is None or under is None:
                return g.make("kl", (self.scalar(p, e), other(e)))
            return g.weigh(self.scalar(p, e), g.sub(over, under))

        law = p
        while isinstance(law, Named):
            law = law.body
        if not isinstance(law, Family):
            return super().relative(p, bound, env, other, log_other)
        with self.drawing(bound[0], law):
            value = self.integrate(bound, law, env, weighed)
        assert isinstance(value, Scalar)
        return value


def _may_be_far(law: Family) -> bool:
    first = law.args[1]
    return not (isinstance(first, Number) and first.value <= FAR[law.name])


def _weights(body: Node, letter: Symbol) -> set[Family]:
    """The laws of a letter that are factors of what is summed over it."""
    return {f for f in _factors(body) if isinstance(f, Family) and f.point == letter}


def free_symbols_of(nodes: tuple[Node, ...]) -> frozenset[Symbol]:
    return frozenset[Symbol]().union(*map(free_symbols, nodes))


def _declared_there(node: Family) -> bool:
    """Whether its point is declared to lie where the family lives."""
    point, where = node.point, LIVES.get(node.name, "real")
    if isinstance(point, Symbol) and point.is_variable:
        return True  # that was asked where it was written
    if isinstance(point, Number):
        whole = point.value.denominator == 1 and (where != "bit" or point.value <= 1)
        return whole and where in ("bit", "count")
    allowed = {"count": ("bit", "count", "natural")}.get(where, (where,))
    return isinstance(point, (Symbol, Indexed)) and point.domain in allowed


def _factors(node: Node) -> list[Node]:
    if isinstance(node, (Named, Neg, Div)):
        return _factors(node.args[0])
    if isinstance(node, Mul):
        return [f for a in node.args for f in _factors(a)]
    return [node]
