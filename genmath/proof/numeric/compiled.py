"""Graphs as programs: one Python function for the two sides of a claim, run in many worlds.

The source runs on floats and, to confirm, on decimals of 34 digits. What does not depend on a loop
is computed outside it.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from types import CodeType
from typing import Any

from genmath.proof.language.tree import Node
from genmath.proof.numeric.arithmetic import FLOAT, Arithmetic, Num
from genmath.proof.numeric.binders import Binders
from genmath.proof.numeric.expressions import Env
from genmath.proof.numeric.graph import Graph, Loop, Scalar
from genmath.proof.numeric.linear import components, kind
from genmath.proof.numeric.pieces import cut, signs
from genmath.proof.numeric.quadrature import grid
from genmath.proof.numeric.survey import Key, Survey
from genmath.proof.numeric.tabulated import tabulated
from genmath.proof.numeric.worlds import World

CALLS = {"gather", "seq", "kl", "log", "exp", "sqrt", "abs", "pos", "ind", "sign", "sigmoid",
         "softplus", "pow", "num", "tabulated", "whole", "still", "prime"}  # fmt: skip
EXTREME = "if {t} is None or b != b or ({t} == {t} and b %s {t}): {t} = b"  # nan stays nan
FOLDS = {
    "sum": ("ZERO", ("{t} += {body}",)),
    "prod": ("ONE", ("{t} *= {body}",)),
    "max": ("None", ("b = {body}", EXTREME % ">")),
    "min": ("None", ("b = {body}", EXTREME % "<")),
}
FREE = ("free", "freeindex")
Chains = dict[tuple[tuple[str, Any], ...], int]  # loops within loops, and how many of them are cut
PIECES = 2  # times as many nodes as a grid has, about, where it is cut
TESTED = {"weigh": 0, "div": 1, "when": 1}


class Scope:
    """The lines of a loop's body, and the names of what they compute."""

    __slots__ = ("cut", "lines", "loop", "names")

    def __init__(self, loop: int | None) -> None:
        self.loop, self.lines, self.cut = loop, list[str](), False
        self.names: dict[int, str] = {}


class Emitter:
    """Writes a graph as Python source."""

    def __init__(
        self, graph: Graph, sums: Sums | None, outputs: Sequence[Sequence[Scalar]]
    ) -> None:
        """`sums` computes what is summed outside any loop, unless that alone is the output."""
        self.graph, self.sums = graph, sums
        self.whole = outputs[0][0] if [len(u) for u in outputs] == [1] else None
        self.root = Scope(None)
        self.open = [self.root]
        self.inputs: dict[Key, str] = {}
        self.read: dict[Key, None] = {}  # of a world, by the sums as well
        self.chains: Chains = {}
        self.tabulated: set[tuple[str, int]] = set()
        self._count = 0
        self._uses: dict[int, int] = {}
        for scalars in outputs:
            for u in scalars:
                self.count(u)

    def count(self, u: Scalar) -> None:
        """How often each operation is used; what is used once is written where it is used."""
        seen = self._uses.get(id(u), 0)
        self._uses[id(u)] = seen + 1
        if not seen and not self.apart(u):
            for a in u.args:
                self.count(a)

    def apart(self, u: Scalar) -> bool:
        """Whether it is computed elsewhere."""
        return bool(self.sums and u.op in FOLDS and not u.loops and u is not self.whole)

    def fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def input(self, key: Key) -> str:
        if key not in self.inputs:
            self.inputs[key] = self.fresh("k")
            if key[0] == "total":
                self.read |= dict.fromkeys(key[1].keys)
                gather(self.chains, key[1].chains)
            else:
                self.read[key] = None
        return self.inputs[key]

    def emit(self, u: Scalar, within: int = -1) -> str:
        """A name for u, or an expression if it is used once, and that in scope `within`."""
        if u.op == "const":
            return self.input(("const", u.data.numerator, u.data.denominator))
        if u.op == "input":
            return self.input(u.data)
        if u.op == "i.const":
            return f"({u.data})" if u.data < 0 else str(u.data)
        at = len(self.open) - 1
        if u.loops:
            while at and self.open[at].loop not in u.loops:
                at -= 1
        else:
            at = 0
        scope = self.open[at]
        name = scope.names.get(id(u))
        if name is not None:
            return name
        if self.sums and self.apart(u):
            return self.input(("total", self.sums.total(u)))
        if u.op in FOLDS:
            name = scope.names[id(u)] = self._loop(u, at)
            return name
        op, args = u.op, u.args
        if op == "mul" and not u.safe:
            names = [self.emit(a) for a in args]
        elif op in TESTED:  # one of the two is tested, so it needs a name
            names = [self.emit(a, -1 if i == TESTED[op] else at) for i, a in enumerate(args)]
        else:
            names = [self.emit(a, -1 if op == "powi" else at) for a in args]
        text = self._expression(u, names)
        if at == within and self._uses[id(u)] == 1 and len(text) < 300:
            return text if op in CALLS else f"({text})"
        name = scope.names[id(u)] = self.fresh("v")
        scope.lines.append(f"{name} = {text}")
        return name

    def _expression(self, u: Scalar, a: list[str]) -> str:
        op = u.op
        if op == "add" or op == "i.add":
            return " + ".join(a)
        if op == "i.mul":
            return " * ".join(a)
        if op == "neg" or op == "i.neg":
            return f"-{a[0]}"
        if op == "mul":
            product = " * ".join(a)
            if u.safe or len(a) == 1:
                return product
            tests = " and ".join(n for n, x in zip(a, u.args, strict=True) if x.op != "const")
            return f"{product} if {tests} else ZERO"
        if op == "weigh":
            return f"{a[0]} * {a[1]}" if u.args[1].safe else f"{a[0]} * {a[1]} if {a[0]} else ZERO"
        if op == "div":
            return f"{a[0]} / {a[1]} if {a[1]} else NAN"
        if op == "when":
            return f"{a[0]} if {a[1]} == {a[1]} else NAN"
        if op == "powi":
            return " * ".join([a[0]] * u.data) if u.data <= 4 else f"{a[0]} ** {u.data}"
        if op == "gather":
            return self.input(u.data) + "".join(f"[{i}]" for i in a)
        if op == "seq":
            return f"{self.input(u.data)}[{a[0]}]"
        if op == "tabulated":
            name, _, order = u.data
            self.tabulated.add((name, order))
            return f"{name}_{order}_({a[0]})"
        if op == "leaf" or op == "loop":
            raise AssertionError(f"a {op} escaped its scope")
        return f"{op}_({', '.join(a)})"

    def _loop(self, u: Scalar, at: int) -> str:
        loop = self.graph.loops[u.data]
        saved = self.open
        if any(s.loop == loop.id for s in saved[: at + 1]):
            raise AssertionError("a loop inside itself")
        bounds = [self.emit(b) for b in u.args[1:]]
        inside = Scope(loop.id)
        self.open = [*saved[: at + 1], inside]
        total = self.fresh("s")
        g = self.graph
        if loop.kind == "grid":
            nodes = self._nodes(u.args[0], loop, at)
            fields = {f: self.fresh(f) for f in "twv"}
            header = f"for {', '.join(fields.values())} in {nodes}:"
            for f, n in fields.items():
                inside.names[id(g.loop_value(loop, f))] = n
        else:
            i = self.fresh("i")
            inside.names[id(g.loop_value(loop, "i"))] = i
            over = (
                self.input(("range", loop.key))
                if loop.kind == "points"
                else f"range({bounds[0]}, {bounds[1]} + 1)"
            )
            header = f"for {i} in {over}:"
        chain = tuple((g.loops[s.loop].kind, g.loops[s.loop].key)
                      for s in self.open if s.loop is not None)  # fmt: skip
        gather(self.chains, {chain: sum(s.cut for s in self.open)})
        body = self.emit(u.args[0], len(self.open) - 1)
        self.open = saved
        start, fold = FOLDS[u.op]
        lines = saved[at].lines
        lines.append(f"{total} = {start}")
        lines.append(header)
        lines += [f" {line}" for line in inside.lines]
        lines += [f" {line.format(t=total, body=body)}" for line in fold]
        return total

    def _nodes(self, body: Scalar, loop: Loop, at: int) -> str:
        """Those of the grid, or, where what is read for its sign may change it along the loop, such
        as are cut there: a function says where."""
        read = signs(body, loop.id, {s.loop for s in self.open[: at + 1]})
        if not read:
            return self.input(("grid", loop.key))
        self.open[-1].cut = True
        saved = self.open
        inside = Scope(loop.id)
        self.open = [*saved[: at + 1], inside]
        name, t = self.fresh("f"), self.fresh("t")
        inside.names[id(self.graph.loop_value(loop, "t"))] = t
        values = "".join(f"{self.emit(u, len(self.open) - 1)}, " for u in read)
        self.open = saved
        lines = saved[at].lines
        lines += [f"def {name}({t}):", *(f" {line}" for line in inside.lines)]
        lines.append(f" return ({values})")
        return f"{self.input(('cut', loop.key))}({name})"


def gather(into: Chains, chains: Chains) -> None:
    for chain, cuts in chains.items():
        into[chain] = max(into.get(chain, 0), cuts)


@lru_cache(maxsize=10_000)
def _bytecode(source: str) -> CodeType:
    """Mutants often differ in what they read only, not in what is done with it."""
    return compile(source, "<claim>", "exec")


class Code:
    """Scalars of a graph, compiled. `keys` are the values of a world that it reads."""

    def __init__(
        self, graph: Graph, outputs: Sequence[Sequence[Scalar]], sums: Sums | None = None
    ) -> None:
        """With `sums`, what is summed outside any loop is computed there, once in each world."""
        emitter = Emitter(graph, sums, outputs)
        results = [[emitter.emit(u) for u in scalars] for scalars in outputs]
        self.sizes = [len(r) for r in results]
        self.keys = tuple(emitter.read)
        self.chains = emitter.chains
        self._names = tuple(emitter.inputs)
        self._sums = [(i, k[1]) for i, k in enumerate(self._names) if k[0] == "total"]
        self._tabulated = sorted(emitter.tabulated)
        self.settle()
        unpack = "".join(f"{n}, " for n in emitter.inputs.values())
        head = [f"({unpack}) = K"] if unpack else []
        out = ", ".join("(" + "".join(f"{n}, " for n in r) + ")" for r in results)
        self.source = (
            "\n ".join(["def run(K):", *head, *emitter.root.lines, f"return ({out},)"]) + "\n"
        )
        self._code = _bytecode(self.source)
        self._runs: dict[str, Callable[[Any], Any]] = {}
        self._inputs: dict[tuple[str, int], tuple[tuple[World, int], list[Any]]] = {}
        self._free = [(i, k) for i, k in enumerate(self._names) if k[0] in FREE]

    def settle(self) -> None:
        """What its keys and loops say of it."""
        self.has_grid = any(loop == "grid" for chain in self.chains for loop, _ in chain)
        self.free = tuple((i, k) for i, k in enumerate(self.keys) if k[0] in FREE)

    def cost(self, world: World, level: int) -> int:
        """About how many times the innermost bodies run."""
        total = 1
        for chain, cuts in self.chains.items():
            size: int = PIECES**cuts
            for loop, key in chain:
                if loop == "points":
                    size *= world.size(key)
                else:
                    size *= 4 if loop == "int" else len(grid(FLOAT, key, level))
            total += size
        return total

    def compute(
        self, world: World, arithmetic: Arithmetic, level: int, free: dict[str, Any]
    ) -> list[tuple[Num, ...]]:
        name = arithmetic.name
        run = self._runs.get(name)
        if run is None:
            space = {f"{op}_": f for op, f in arithmetic.functions.items()}
            for function, order in self._tabulated:
                space[f"{function}_{order}_"] = tabulated(arithmetic, function, order)
            space |= {"ZERO": arithmetic.zero, "ONE": arithmetic.one, "NAN": arithmetic.nan}
            exec(self._code, space)
            run = self._runs[name] = space["run"]
        here, inputs = self._inputs.get((name, level), (None, []))
        if here != (world, world.moves):
            inputs = [self._read(world, arithmetic, level, k) for k in self._names]
            self._inputs[name, level] = ((world, world.moves), inputs)
        for i, key in self._free:
            inputs[i] = arithmetic.number(chosen(key, free)) if key[0] == "free" else free[key[1]]
        for i, total in self._sums:
            inputs[i] = total.value(world, arithmetic, level, free)
        return list(run(inputs))

    def _read(self, world: World, arithmetic: Arithmetic, level: int, key: Key) -> Any:
        if key[0] in (*FREE, "total"):
            return None
        if key[0] in ("grid", "cut"):
            here = world.location if key[1] == "line" else 0.0
            if key[0] == "cut":
                return partial(cut, arithmetic, key[1], level, here)
            nodes = grid(arithmetic, key[1], level)
            if here:
                return [(t + arithmetic.number(here), w, v) for t, w, v in nodes]
            return nodes
        return world.value(arithmetic, key)


def chosen(key: Key, free: dict[str, Any]) -> Any:
    """An index, or a coordinate."""
    return free[key[1]] if key[0] == "freeindex" else free[key[1]][key[3]]


class Total(Code):
    """A sum that stands in no loop; it remembers its values."""

    def __init__(self, graph: Graph, whole: Scalar, sums: Sums) -> None:
        super().__init__(graph, ((whole,),), sums)
        self._values: dict[tuple[Any, ...], Num] = {}

    def value(self, world: World, arithmetic: Arithmetic, level: int, free: dict[str, Any]) -> Num:
        at = (chosen(key, free) for _, key in self.free)
        key = (world, world.moves, arithmetic.name, level, *at)
        if key not in self._values:
            ((self._values[key],),) = self.compute(world, arithmetic, level, free)
        return self._values[key]


class Sums:
    """What a claim and its mutants share in the same worlds: one graph, in which what is alike is
    one node, and its sums, which are computed once."""

    def __init__(self, survey: Survey, dim: int, family: str) -> None:
        self.evaluation, self.env = Binders(survey, dim, family), Env({}, 0)
        self.values: dict[tuple[Any, ...], dict[int, Any]] = {}  # of what stands in no loop
        self._totals: dict[int, Total] = {}

    def total(self, u: Scalar) -> Total:
        if id(u) not in self._totals:
            self._totals[id(u)] = Total(self.evaluation.g, u, self)
        return self._totals[id(u)]


class Program(Code):
    """Some trees, compiled."""

    def __init__(
        self,
        nodes: Sequence[Node],
        survey: Survey,
        dim: int,
        family: str = "",
        *,
        widening: bool = False,
    ) -> None:
        evaluation, env = Binders(survey, dim, family), Env({}, 0)
        evaluation.widening = widening
        self.survey = survey
        values = [evaluation.lower(n, env) for n in nodes]
        self.shapes = [kind(v) for v in values]
        super().__init__(evaluation.g, [components(v) for v in values])
        self.rounded = False  # in the last run, something was: of decimals alone

    def run(
        self,
        world: World,
        arithmetic: Arithmetic,
        level: int,
        free: dict[str, Any],
        flushed: bool = False,
    ) -> list[tuple[Num, ...]]:
        """The values of the trees. `free` gives the free letters: an index or coordinates each.
        `flushed`: what is too small for a decimal is 0, what is too large infinite."""
        with decimal.localcontext(arithmetic.context) as context:
            context.clear_flags()
            context.traps[decimal.Underflow] = not flushed
            context.traps[decimal.Overflow] = not flushed
            try:
                return self.compute(world, arithmetic, level, free)
            except OverflowError:  # of floats
                return [(math.nan,) * n for n in self.sizes]
            finally:
                self.rounded = bool(context.flags[decimal.Inexact])
