"""Programs of a claim and its mutants, which differ in little: values of what stands in no loop are
kept, so that of a mutant only what changed is computed, and compiled."""

from __future__ import annotations

import decimal
import itertools
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from genmath.proof.language.tree import Node
from genmath.proof.numeric.arithmetic import Arithmetic, Num
from genmath.proof.numeric.compiled import FOLDS, FREE, Program, Sums, chosen, gather
from genmath.proof.numeric.graph import Scalar
from genmath.proof.numeric.linear import components, kind
from genmath.proof.numeric.survey import Key, Survey
from genmath.proof.numeric.tabulated import tabulated
from genmath.proof.numeric.worlds import World


class Shared(Program):
    """Trees, computed as a `Program` of them would be."""

    def __init__(self, nodes: Sequence[Node], survey: Survey, sums: Sums) -> None:
        self.survey, self.sums = survey, sums
        values = [sums.evaluation.lower(n, sums.env) for n in nodes]
        self.shapes = [kind(v) for v in values]
        self.outputs = [components(v) for v in values]
        self.sizes = [len(scalars) for scalars in self.outputs]
        self.chains = {}
        read: dict[Key, None] = {}
        seen: set[int] = set()

        def visit(u: Scalar) -> None:
            if id(u) in seen:
                return
            seen.add(id(u))
            if u.op in FOLDS:
                total = sums.total(u)
                gather(self.chains, total.chains)
                read.update(dict.fromkeys(total.keys))
                return
            for a in u.args:
                visit(a)
            if u.op == "const":
                read["const", u.data.numerator, u.data.denominator] = None
            if u.op in ("input", "gather", "seq"):
                read[u.data] = None

        for u in itertools.chain(*self.outputs):
            visit(u)
        self.keys = tuple(read)
        self.settle()

    def compute(
        self, world: World, arithmetic: Arithmetic, level: int, free: dict[str, Any]
    ) -> list[tuple[Num, ...]]:
        functions, zero, nan = arithmetic.functions, arithmetic.zero, arithmetic.nan
        flushed = not decimal.getcontext().traps[decimal.Underflow]
        letters = tuple((name, str(at)) for name, at in free.items())
        place = (world, world.moves, arithmetic.name, level, flushed, letters)
        known: dict[int, Any] = self.sums.values.setdefault(place, {})

        def read(key: Key) -> Any:
            if key[0] in FREE:
                at = chosen(key, free)
                return at if key[0] == "freeindex" else arithmetic.number(at)
            return world.value(arithmetic, key)

        def value(u: Scalar) -> Any:
            if id(u) not in known:
                known[id(u)] = meaning(u)
            return known[id(u)]

        def meaning(u: Scalar) -> Any:
            op, args = u.op, u.args
            if op in FOLDS:
                return self.sums.total(u).value(world, arithmetic, level, free)
            if op == "const":
                return read(("const", u.data.numerator, u.data.denominator))
            if op == "input":
                return read(u.data)
            if op == "i.const":
                return u.data
            if op == "div":
                under = value(args[1])
                return value(args[0]) / under if under else nan
            if op == "weigh":
                weight = value(args[0])
                return weight * value(args[1]) if weight or args[1].safe else zero
            if op == "when":
                other = value(args[1])
                return value(args[0]) if other == other else nan
            at = [value(a) for a in args]
            if op in ("add", "i.add"):
                return reduce(operator.add, at)
            if op in ("neg", "i.neg"):
                return -at[0]
            if op in ("mul", "i.mul"):
                defined = op == "i.mul" or u.safe or len(at) == 1 or all(at)
                return reduce(operator.mul, at) if defined else zero
            if op == "powi":
                return reduce(operator.mul, at * u.data) if u.data <= 4 else at[0] ** u.data
            if op in ("gather", "seq"):
                return reduce(operator.getitem, at, read(u.data))
            if op == "tabulated":
                name, _, order = u.data
                return tabulated(arithmetic, name, order)(at[0])
            return functions[op](*at)

        return [tuple(map(value, scalars)) for scalars in self.outputs]
