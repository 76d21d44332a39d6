"""What a typed expression means, as a graph: letters, algebra, functions, densities.

Vectors and matrices are unrolled into scalars. E, integrals and derivatives are in `evaluate`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from genmath.proof.language.binders import sides
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.matrix_functions import MATRICES
from genmath.proof.language.shapes import entries, size_of
from genmath.proof.language.tree import (
    MASS,
    Add,
    Apply,
    Dens,
    Div,
    Fn,
    Identity,
    Indexed,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
)
from genmath.proof.numeric.families import Families
from genmath.proof.numeric.graph import Loop, Scalar
from genmath.proof.numeric.linear import LinearAlgebra, Matrix, Value, Vector, each, kind
from genmath.proof.numeric.steps import Steps
from genmath.proof.numeric.survey import Survey, Unsupported


class Point:
    """A letter of a discrete space: the index of its point."""

    __slots__ = ("index",)

    def __init__(self, index: Scalar) -> None:
        self.index = index


Bound = Scalar | Vector | Point


class Env:
    """What the bound letters are, and how many loops are open."""

    __slots__ = ("binds", "depth", "memo")

    def __init__(self, binds: dict[Symbol, Bound], depth: int) -> None:
        self.binds, self.depth = binds, depth
        self.memo: dict[Node, Value] = {}

    def bind(self, letters: dict[Symbol, Bound], loops: int = 0) -> Env:
        return Env({**self.binds, **letters}, self.depth + loops)


class Expressions(LinearAlgebra):
    """Lowers trees, for one dimension of vectors."""

    def __init__(self, survey: Survey, dim: int, family: str = "") -> None:
        super().__init__(Steps())
        self.survey, self.dim = survey, dim
        self.families = Families(self.g, survey, dim, family)

    def lower(self, node: Node, env: Env) -> Value:
        found = env.memo.get(node)
        if found is None:
            found = env.memo[node] = self.meaning(node, env)
        return found

    def meaning(self, node: Node, env: Env) -> Value:
        match node:
            case Number():
                return self.g.const(node.value)
            case Pi():
                return self.g.input("pi")
            case Identity():
                return self.identity(node.size or self.dim)
            case Symbol():
                return self._symbol(node, env)
            case Named():
                return self.lower(node.body, env)
            case Indexed():
                return self._indexed(node, env)
            case Add():
                return self._add(node, env)
            case Mul():
                return self._mul(node, env)
            case Neg():
                return each(self.lower(node.args[0], env), self.g.neg)
            case Div():
                return self._div(node, env)
            case Pow():
                return self._pow(node, env)
            case Fn():
                return self._fn(node, env)
            case Apply():
                return self._apply(node, env)
            case Dens():
                return self._dens(node, env)
            case Normal():
                return self.g.fn("exp", self.log_normal(node, env))
        raise Unsupported(f"{type(node).__name__} has no numeric meaning")

    def scalar(self, node: Node, env: Env) -> Scalar:
        value = self.lower(node, env)
        if isinstance(value, Scalar):
            return value
        raise Unsupported(f"expected a number, found a {kind(value)}: {node!r}")

    # --- leaves ----------------------------------------------------------------------------------

    def identity(self, size: int) -> Matrix:
        g = self.g
        return Matrix([g.one if i == j else g.zero for j in range(size)] for i in range(size))

    def bound(self, symbol: Symbol, env: Env) -> Bound | Matrix:
        """What a letter is here: bound by a loop, or free."""
        known = env.binds.get(symbol)
        if known is not None:
            return known
        g, name = self.g, symbol.name
        if symbol.is_variable:
            if symbol.space not in self.survey.real:
                return Point(g.input("freeindex", name, symbol.space))
            if symbol.shape:
                count = entries(symbol.sized, self.dim)
                return Vector([g.input("free", name, symbol.sized, i) for i in range(count)])
            at = g.input("free", name, "", 0)
            return self.on_the_way(symbol, at, env) if symbol.domain == "interval" else at
        if symbol.shape:
            rows, columns = (n or self.dim for n in size_of(symbol.sized))
            if self.survey.kind_of(name)[0] == "orthogonal" and columns > rows:
                raise Unsupported(f"{name}: {columns} orthonormal vectors of {rows} entries")
            if symbol.shape == "vector":
                return Vector([g.input("vector", name, i) for i in range(rows)])
            return Matrix([g.input(symbol.shape, name, i, j) for j in range(columns)]
                       for i in range(rows))  # fmt: skip
        if symbol.domain == "member":
            point = g.input("freeindex", name, symbol.space)
            return g.gather(("coordinate", symbol.space, 0), point)
        if symbol.domain == "natural":
            return g.make("num", (g.input("natural", name),))
        return g.input("param", name, symbol.domain)

    def on_the_way(self, letter: Symbol, part: Scalar, env: Env) -> Scalar:
        """Between the ends as they are outside, which are held where one differentiates."""
        g, outside = self.g, Env({}, env.depth)
        low, high = (None if sides(e) else self.scalar(e, outside) for e in letter.args)
        odds = g.div(part, g.sub(g.one, part))
        if low is None or high is None:
            assert low is not None or high is not None
            return g.add(low, odds) if high is None else g.sub(high, odds)  # type: ignore[arg-type]
        width = g.sub(high, low)
        return g.when(g.add(low, g.mul(part, width)), g.fn("log", width))

    def _symbol(self, node: Symbol, env: Env) -> Value:
        value = self.bound(node, env)
        if not isinstance(value, Point):
            return value
        parts = [
            self.g.gather(("coordinate", node.space, i), value.index)
            for i in range(entries(node.sized, self.dim))
        ]
        return Vector(parts) if node.shape == "vector" else parts[0]

    def _indexed(self, node: Indexed, env: Env) -> Value:
        index = self.integer(node.index, env)
        return self.g.make("seq", (index,), ("seq", node.name, node.domain), True)

    def integer(self, node: Node, env: Env) -> Scalar:
        """An index, or a limit of a sum: integers by the way they are built."""
        g = self.g
        if isinstance(node, Named):
            return self.integer(node.body, env)
        if isinstance(node, Number) and node.value.denominator == 1:
            return g.make("i.const", (), int(node.value))
        if isinstance(node, Symbol) and node.domain == "natural":
            value = self.bound(node, env)
            if isinstance(value, Scalar) and value.op == "num":
                return value.args[0]
        if isinstance(node, (Add, Mul)):
            op = "i.add" if isinstance(node, Add) else "i.mul"
            return g.make(op, tuple(self.integer(a, env) for a in node.args))
        if isinstance(node, Neg):
            return g.make("i.neg", (self.integer(node.args[0], env),))
        if isinstance(node, Pow):
            power = self.integer(node.args[1], env)
            if power.op == "i.const" and power.data > 0:
                return g.make("i.mul", (self.integer(node.args[0], env),) * power.data)
        raise Unsupported(
            f"{node!r} is no index and no limit of a sum: build them by +, -, * and powers from"
            " integers and letters declared by naturals()"
        )

    # --- algebra ---------------------------------------------------------------------------------

    def _add(self, node: Add, env: Env) -> Value:
        values = [self.lower(a, env) for a in node.args]
        total = values[0]
        if all(isinstance(v, Scalar) for v in values):
            return self.g.add(*(v for v in values if isinstance(v, Scalar)))
        for v in values[1:]:
            total = self.plus(total, v)
        return total

    def _mul(self, node: Mul, env: Env) -> Value:
        values = [self.lower(a, env) for a in node.args]
        if all(isinstance(v, Scalar) for v in values):
            return self.g.mul(*(v for v in values if isinstance(v, Scalar)))
        total = values[0]
        for v in values[1:]:
            total = self.times(total, v)
        return total

    def _div(self, node: Div, env: Env) -> Value:
        under = self.scalar(node.args[1], env)
        return each(self.lower(node.args[0], env), lambda a: self.g.div(a, under))

    def _pow(self, node: Pow, env: Env) -> Value:
        base, exponent = self.lower(node.args[0], env), self.scalar(node.args[1], env)
        if isinstance(base, Scalar):
            return self.g.pow(base, exponent)
        if isinstance(base, Matrix) and exponent.op == "const" and exponent.data.denominator == 1:
            power = int(exponent.data)
            if power < 0:
                base, power = self.inverse(base), -power
            out: Value = self.identity(len(base.rows))
            for _ in range(power):
                out = self.times(out, base)
            return out
        raise Unsupported(f"a {kind(base)} has no such power: write norm2(v) for a squared length")

    def _fn(self, node: Fn, env: Env) -> Value:
        name, g = node.name, self.g
        if name == "log" and (direct := self.log_of(node.args[0], env)) is not None:
            return direct
        if name in MATRICES:
            return self.linear(name, [self.lower(a, env) for a in node.args])
        u = self.scalar(node.args[0], env)
        match name:
            case "log" | "exp" | "sqrt" | "abs" | "sigmoid" | "softplus":
                return g.fn(name, u)
            case "log_gap":
                return g.sub(g.sub(u, g.one), g.fn("log", u))
            case "positive_part":
                return g.fn("pos", u)
            case "indicator":
                return g.fn("ind", u)
        return g.tabulated(name, u, TABLE[name].domain == "real")

    # --- arbitrary functions ---------------------------------------------------------------------

    def _apply(self, node: Apply, env: Env) -> Value:
        g = self.g
        spaces = self.survey.table(node.name, len(node.args))
        if spaces is not None:
            points = [self.bound(a, env) for a in node.args if isinstance(a, Symbol)]
            if all(isinstance(p, Point) for p in points):
                indices = [p.index for p in points if isinstance(p, Point)]
                return g.gather(("ftab", node.name, spaces), *indices)
        args: list[Scalar] = []
        for a in node.args:
            value = self.lower(a, env)
            if isinstance(value, Matrix):
                raise Unsupported(f"{node.name}() of a matrix")
            args += value.items if isinstance(value, Vector) else (value,)
        if any(t.startswith(MASS) for t in node.traits):
            return self.probability(node, args, env)
        if not node.order:
            return self.families.function(node, args)
        if len(args) != 1:
            raise Unsupported(f"{node.name}: f.prime(u) is for functions of one scalar")
        leaf = g.leaf()
        body = self.families.function(node, [leaf])
        for _ in range(node.order):
            body = g.diff(body, leaf, {})
        return g.put(body, {id(leaf): args[0]}, {})

    def probability(self, node: Apply, args: list[Scalar], env: Env) -> Scalar:
        """A positive function, over its sum at the members of a finite set."""
        if node.order:
            raise Unsupported(f"{node.name}: what is counted has no slopes")
        member, loop = self.member_of(node.traits[1].removeprefix(MASS), env)
        whole = self.g.sum(loop, self.families.function(node, [member, *args[1:]]))
        return self.g.div(self.families.function(node, args), whole)

    def member_of(self, space: str, env: Env) -> tuple[Scalar, Loop]:
        """Each member of a finite set in turn."""
        loop = self.g.loop("points", space, env.depth)
        return self.g.gather(("coordinate", space, 0), self.g.loop_value(loop, "i")), loop

    # --- densities -------------------------------------------------------------------------------

    def _dens(self, node: Dens, env: Env) -> Value:
        g, density = self.g, node.density
        real = self.survey.real
        every = density.event_slots + density.given_slots
        args = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
        index: dict[str, Scalar] = {}
        value: dict[str, list[Scalar]] = {}
        for slot, arg in args.items():
            if slot in real:
                v = self.lower(arg, env)
                if isinstance(v, Matrix):
                    raise Unsupported(f"{density.name}: a matrix is not a point")
                value[slot] = list(v.items) if isinstance(v, Vector) else [v]
                if slot in node.given_slots and isinstance(v, Scalar):
                    value[slot] = [self.within(density, slot, arg, v)]
                continue
            where = self.bound(arg, env) if isinstance(arg, Symbol) else None
            if not isinstance(where, Point):
                raise Unsupported(f"{density.name}: {slot} is a discrete space")
            index[slot] = where.index
        if not any(s in real for s in every):
            own = any(s in density.event_slots for s in node.given_slots)
            key = ("dens", density.name, node.event_slots, node.given_slots)
            return g.gather(key, *index.values(), safe=not own)
        kept = set(args)
        top = self.families.mass(density, kept, index, value, env.depth)
        below = kept - set(node.event_slots)
        if any(s in density.event_slots for s in below):
            return g.div(top, self.families.mass(density, below, index, value, env.depth))
        return top

    def within(self, density: Any, slot: str, arg: Node, v: Scalar) -> Scalar:
        """A family at a parameter outside the domain it is declared for is undefined."""
        g = self.g
        letter = next((s for s in density.given if s.space == slot), None)
        domain = "real" if letter is None or arg == letter else letter.domain
        need = {
            "positive": [g.fn("log", v)],
            "unit": [g.fn("log", v), g.fn("log", g.sub(g.one, v))],
            "nonnegative": [g.fn("sqrt", v)],
            "at_least_one": [g.fn("sqrt", g.sub(v, g.one))],
        }.get(domain, [])
        return g.when(v, g.add(*need)) if need else v

    # --- Gaussians -------------------------------------------------------------------------------

    def log_normal(self, node: Normal, env: Env) -> Scalar:
        g = self.g
        x, mean, var = self.normal_parts(node, env)
        half = g.const(Fraction(-1, 2))
        residual = [g.sub(a, b) for a, b in zip(x, mean, strict=True)]
        two_pi = g.mul(g.two, g.input("pi"))
        if isinstance(var, Scalar):
            quad = g.div(g.powi(residual[0], 2), var)
            return g.mul(half, g.add(quad, g.fn("log", g.mul(two_pi, var))))
        inverse = self.inverse(var)
        quad = self.inner(residual, [self.inner(r, residual) for r in inverse.rows])
        logdet = g.fn("log", self.det(var.rows))
        return g.mul(half, g.add(quad, logdet, g.mul(g.const(len(x)), g.fn("log", two_pi))))

    def normal_parts(
        self, node: Normal, env: Env
    ) -> tuple[list[Scalar], list[Scalar], Scalar | Matrix]:
        g = self.g
        x, mean, var = (self.lower(a, env) for a in node.args)
        if isinstance(x, Scalar):
            if not isinstance(mean, Scalar) or not isinstance(var, Scalar):
                raise Unsupported("Normal(x, mean, variance): x is a scalar, so the others must be")
            return [x], [mean], var
        if isinstance(x, Vector) and mean is g.zero:
            mean = Vector([g.zero] * len(x.items))
        if not isinstance(x, Vector) or not isinstance(mean, Vector) or not isinstance(var, Matrix):
            raise Unsupported("Normal(x, mean, covariance) of a vector: write s * identity for s I")
        return list(x.items), list(mean.items), var

    def log_of(self, node: Node, env: Env) -> Scalar | None:
        """log of a product or ratio of Gaussians and exponentials, without under- or overflow."""
        if isinstance(node, Normal):
            return self.log_normal(node, env)
        if isinstance(node, Named):
            return self.log_of(node.body, env)
        if isinstance(node, Fn) and node.name == "exp":
            return self.scalar(node.args[0], env)
        if isinstance(node, (Mul, Div)):
            parts: list[Scalar] = []
            for a in node.args:
                part = self.log_of(a, env)
                if part is None:
                    return None
                parts.append(part)
            return self.g.add(*parts) if isinstance(node, Mul) else self.g.sub(parts[0], parts[1])
        return None
