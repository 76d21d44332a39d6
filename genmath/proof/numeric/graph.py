"""A graph of scalar operations: what a claim computes, before it becomes a program.

Equal operations are one node. What is undefined is nan; a product with a factor that is exactly 0
is 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from genmath.proof.numeric.survey import Key, Unsupported


class Scalar:
    """A scalar operation. `loops` are the loops it depends on; `safe` if it cannot be undefined."""

    __slots__ = ("args", "data", "loops", "op", "safe")

    def __init__(
        self, op: str, args: tuple[Scalar, ...], data: Any, loops: frozenset[int], safe: bool
    ) -> None:
        self.op, self.args, self.data, self.loops, self.safe = op, args, data, loops, safe


class Loop:
    """Something to sum over. kind: "points" of a space, a "grid" of nodes, or "int" (lo..hi)."""

    __slots__ = ("id", "key", "kind")

    def __init__(self, id: int, kind: str, key: Any) -> None:
        self.id, self.kind, self.key = id, kind, key


NONE: frozenset[int] = frozenset()
FLAT = ("gather", "seq", "num", "ind", "sign", "whole", "still", "prime")
FOLDED = ("sum", "prod", "max", "min")
SAFE_OPS = {"add", "mul", "weigh", "neg", "exp", "powi", "abs", "pos", "ind", "sign", "sigmoid",
            "softplus", "sum", "prod", "num"}  # fmt: skip


class Graph:
    """Hash-consed operations, with the obvious folding of constants."""

    def __init__(self) -> None:
        self._table: dict[tuple[Any, ...], Scalar] = {}
        self._consts: dict[tuple[int, int], Scalar] = {}
        self.loops: dict[int, Loop] = {}
        self._loop_ids: dict[tuple[Any, ...], Loop] = {}
        self._leaves = 0
        self.zero, self.one = self.const(0), self.const(1)
        self.two = self.const(2)

    def make(self, op: str, args: tuple[Scalar, ...] = (), data: Any = None, safe: bool = False,
             loops: frozenset[int] = NONE) -> Scalar:  # fmt: skip
        key = (op, data, *map(id, args))
        found = self._table.get(key)
        if found is None:
            for a in args:
                if a.loops:
                    loops = loops | a.loops if loops else a.loops
            if op in FOLDED:
                loops = loops - {data}
            if op in SAFE_OPS:
                safe = all(a.safe for a in args)
            found = self._table[key] = Scalar(op, args, data, loops, safe)
        return found

    def const(self, value: int | Fraction) -> Scalar:
        key = (value.numerator, value.denominator)
        found = self._consts.get(key)
        if found is None:
            found = self._consts[key] = Scalar("const", (), Fraction(value), NONE, True)
        return found

    def input(self, *key: Any) -> Scalar:
        return self.make("input", (), key, True)

    def leaf(self) -> Scalar:
        self._leaves += 1
        return self.make("leaf", (), self._leaves, True)

    def nan(self) -> Scalar:
        return self.make("input", (), ("nan",))

    def loop(self, kind: str, key: Any, depth: int, *bounds: Scalar) -> Loop:
        """Loops at one depth over one domain are one loop, so that equal sums are one node."""
        name = (kind, key, depth, *map(id, bounds))
        if name not in self._loop_ids:
            loop = Loop(len(self.loops), kind, key)
            self._loop_ids[name] = self.loops[loop.id] = loop
        return self._loop_ids[name]

    def loop_value(self, loop: Loop, field: str) -> Scalar:
        # where nodes lie very far out, what is made of them may overflow, and so be undefined
        near = loop.kind != "grid" or loop.key in ("line", "gauss")
        return self.make("loop", (), (loop.id, field), near, frozenset((loop.id,)))

    def gather(self, key: Key, *indices: Scalar, safe: bool = True) -> Scalar:
        if not indices:
            return self.make("input", (), key, safe)
        return self.make("gather", indices, key, safe)

    # --- arithmetic -----------------------------------------------------------------------------

    def add(self, *terms: Scalar) -> Scalar:
        total, rest = Fraction(0), []
        for t in terms:
            if t.op == "const":
                total += t.data
            else:
                rest.append(t)
        if not rest:
            return self.const(total)
        if total == 1 and len(rest) == 1 and rest[0].op == "neg":
            (inner,) = rest[0].args
            if inner.op == "sigmoid":  # with all its digits
                return self.fn("sigmoid", self.neg(inner.args[0]))
        if total:
            rest.append(self.const(total))
        return rest[0] if len(rest) == 1 else self.make("add", tuple(rest))

    def neg(self, u: Scalar) -> Scalar:
        if u.op == "const":
            return self.const(-u.data)
        return u.args[0] if u.op == "neg" else self.make("neg", (u,))

    def sub(self, u: Scalar, v: Scalar) -> Scalar:
        return self.add(u, self.neg(v))

    def mul(self, *factors: Scalar) -> Scalar:
        total, rest = Fraction(1), []
        for f in factors:
            if f.op == "const":
                total *= f.data
            else:
                rest.append(f)
        if total == 0 or not rest:
            return self.const(total)
        if total == -1:
            inner = rest[0] if len(rest) == 1 else self.make("mul", tuple(rest))
            return self.neg(inner)
        if total != 1:
            rest.insert(0, self.const(total))
        return rest[0] if len(rest) == 1 else self.make("mul", tuple(rest))

    def weigh(self, measure: Scalar, body: Scalar) -> Scalar:
        """measure * body, visiting only where the measure is not 0."""
        return self.make("weigh", (measure, body))

    def div(self, u: Scalar, v: Scalar) -> Scalar:
        if v.op == "const":
            return self.mul(self.const(1 / v.data), u) if v.data else self.nan()
        return self.make("div", (u, v))

    def when(self, u: Scalar, other: Scalar) -> Scalar:
        """u, but undefined where the other is."""
        return u if other.safe or u is other else self.make("when", (u, other))

    def powi(self, u: Scalar, n: int) -> Scalar:
        if n < 0:
            return self.div(self.one, self.powi(u, -n))
        if n == 0:
            return self.when(self.one, u)
        if n == 1:
            return u
        if u.op == "const":
            return self.const(u.data**n)
        return self.make("powi", (u,), n)

    def pow(self, u: Scalar, v: Scalar) -> Scalar:
        if v.op == "const":
            if v.data.denominator == 1 and abs(v.data) < 200:
                return self.powi(u, int(v.data))
            if v.data == Fraction(1, 2):
                return self.fn("sqrt", u)
            if v.data == Fraction(-1, 2):
                return self.div(self.one, self.fn("sqrt", u))
        return self.make("pow", (u, v))

    def fn(self, name: str, u: Scalar) -> Scalar:
        if u.op == "const" and (
            (name == "log" and u.data == 1) or (name == "sqrt" and u.data in (0, 1))
        ):
            return self.const(0 if name == "log" else u.data)
        return self.make(name, (u,))

    def tabulated(self, name: str, u: Scalar, everywhere: bool, order: int = 0) -> Scalar:
        """A function of the table, known by its values; `order` counts derivatives."""
        return self.make("tabulated", (u,), (name, everywhere, order), everywhere and u.safe)

    def sum(
        self, loop: Loop, body: Scalar, kind: str = "sum", bounds: tuple[Scalar, ...] = ()
    ) -> Scalar:
        if kind == "sum" and body is self.zero:
            return body
        return self.make(kind, (body, *bounds), loop.id)

    # --- calculus --------------------------------------------------------------------------------

    def diff(self, u: Scalar, leaf: Scalar, memo: dict[int, Scalar]) -> Scalar:
        """The derivative by rule alone: it may be defined where u is not, see `when`."""
        if u is leaf:
            return self.one
        if not u.args:
            return self.zero
        found = memo.get(id(u))
        if found is None:
            found = memo[id(u)] = self._diff(u, leaf, memo)
        return found

    def _diff(self, u: Scalar, leaf: Scalar, memo: dict[int, Scalar]) -> Scalar:
        op, zero = u.op, self.zero
        if op in (
            "gather",
            "seq",
            "num",
            "ind",
            "sign",
            "whole",
            "still",
            "prime",
        ) or op.startswith("i."):
            return zero
        if op in FOLDED:
            if self._jumps(u.args[0], leaf, u.data):
                raise Unsupported("the slope of a jump that moves under a sum or an integral")
            inner = self.diff(u.args[0], leaf, memo)
            if inner is zero:
                return zero
            loop = self.loops[u.data]
            if op not in ("sum", "prod"):
                raise Unsupported(f"no derivative of {op}")
            if op == "sum":
                return self.sum(loop, inner, "sum", u.args[1:])
            return self.mul(u, self.sum(loop, self.div(inner, u.args[0]), "sum", u.args[1:]))
        if op == "when":
            return self.when(self.diff(u.args[0], leaf, memo), u.args[1])
        ds = [self.diff(a, leaf, memo) for a in u.args]
        if all(d is zero for d in ds):
            return zero
        a, da = u.args[0], ds[0]
        if op == "add":
            return self.add(*ds)
        if op == "neg":
            return self.neg(da)
        if op == "mul":
            return self.add(
                *(
                    self.mul(*u.args[:i], d, *u.args[i + 1 :])
                    for i, d in enumerate(ds)
                    if d is not zero
                )
            )
        if op == "exp":
            return self.mul(u, da)
        if op == "log":
            return self.div(da, a)
        if op == "sqrt":
            return self.div(da, self.mul(self.two, u))
        if op == "abs":
            return self.mul(self.fn("sign", a), da)
        if op == "pos":
            return self.mul(self.fn("ind", a), da)
        if op == "sigmoid":
            return self.mul(u, self.sub(self.one, u), da)
        if op == "softplus":
            return self.mul(self.fn("sigmoid", a), da)
        if op == "tabulated":
            name, everywhere, order = u.data
            return self.mul(self.tabulated(name, a, everywhere, order + 1), da)
        if op == "powi":
            return self.mul(self.const(u.data), self.powi(a, u.data - 1), da)
        b, db = u.args[1], ds[1]
        if op == "weigh":
            first = self.mul(da, b)
            return first if db is zero else self.add(first, self.weigh(a, db))
        if op == "div":
            if db is zero:
                return self.div(da, b)
            return self.div(self.sub(da, self.mul(u, db)), b)
        if op == "pow":
            if db is zero:
                return self.mul(b, self.pow(a, self.sub(b, self.one)), da)
            return self.mul(
                u, self.add(self.mul(db, self.fn("log", a)), self.div(self.mul(b, da), a))
            )
        if op == "kl":
            log = self.add(self.fn("log", self.div(a, b)), self.one)
            return self.sub(self.mul(da, log), self.mul(a, self.div(db, b)))
        raise Unsupported(f"no derivative of {op}")

    def _jumps(self, body: Scalar, leaf: Scalar, loop: int) -> bool:
        """Whether something jumps where the leaf and the point of the loop say: then the slope of
        the sum is not the sum of slopes, which are 0."""
        seen: dict[int, Scalar] = {}
        below = [body]
        while below:
            u = below.pop()
            if id(u) not in seen and loop in u.loops:
                seen[id(u)] = u
                below += u.args
        jumps = [u for u in seen.values() if u.op in ("ind", "sign")]
        return bool(jumps) and any(self.depends(u, {id(leaf)}, {}) for u in jumps)

    def put(self, u: Scalar, values: dict[int, Scalar], memo: dict[int, Scalar]) -> Scalar:
        """u with leaves replaced; `values` is keyed by id(leaf)."""
        if not u.args:
            return values.get(id(u), u)
        found = memo.get(id(u))
        if found is None:
            args = tuple(self.put(a, values, memo) for a in u.args)
            found = (
                u
                if all(x is y for x, y in zip(args, u.args, strict=True))
                else self._rebuild(u, args)
            )
            memo[id(u)] = found
        return found

    def _rebuild(self, u: Scalar, args: tuple[Scalar, ...]) -> Scalar:
        if u.op in ("add", "mul", "div", "pow", "neg"):
            return getattr(self, u.op)(*args)  # type: ignore[no-any-return]
        if u.op == "powi":
            return self.powi(args[0], u.data)
        if u.op == "tabulated":
            name, everywhere, order = u.data
            return self.tabulated(name, args[0], everywhere, order)
        return self.make(u.op, args, u.data, u.safe)

    def depends(self, u: Scalar, leaves: set[int], memo: dict[int, bool]) -> bool:
        """What is still says where nodes are put, and they do not move."""
        if not u.args or u.op == "still":
            return id(u) in leaves
        if id(u) not in memo:
            memo[id(u)] = any(self.depends(a, leaves, memo) for a in u.args)
        return memo[id(u)]
