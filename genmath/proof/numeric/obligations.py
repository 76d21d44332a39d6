"""Breaking what a proof takes for granted: integrals that grow with every window have no value."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from genmath.proof.language.obligations import factors, obligations
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Fn,
    Integral,
    Neg,
    Node,
    NotationError,
    Number,
    Pow,
)
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.describe import describe
from genmath.proof.numeric.hypotheses import ROUNDING, assignments
from genmath.proof.numeric.quadrature import LEVELS, WINDOWS
from genmath.proof.numeric.survey import Survey, Unsupported
from genmath.proof.numeric.worlds import World

MOST = 60_000  # points of the widest window
STEADY = 0.7  # an integral converges if what a wider window adds falls faster than this


def broken(sides: Sequence[Node], survey: Survey, worlds: Sequence[World]) -> dict[str, Any] | None:
    """A counterexample to the first obligation that fails in some world; arbitrary functions are
    taken to be such that it holds."""
    if (found := _null_denominator(sides, survey, worlds)) is not None:
        return found
    for whole in obligations(sides):
        if any(isinstance(n, Apply) for n in whole.walk()):
            continue
        for world in worlds[:2]:
            found = _diverges(whole, survey, world)
            if found is not None:
                return found
    return None


def _diverges(whole: Node, survey: Survey, world: World) -> dict[str, Any] | None:
    try:
        program = Program((whole,), survey, world.dim)
    except Unsupported:
        return None
    if not program.has_grid:
        return None
    free = assignments(program, world, 1)[0]
    sizes: list[float] = []
    for level in range(LEVELS, LEVELS + WINDOWS):
        if program.cost(world, level) > MOST:
            break
        ((value,),) = program.run(world, FLOAT, level, free)
        sizes.append(float(value))
    finite = [s for s in sizes if math.isfinite(s)]
    added = [b - a for a, b in itertools.pairwise(finite)]
    grows = len(added) >= 3 and all(b >= STEADY * a > 0 for a, b in itertools.pairwise(added[-3:]))
    grows = grows and added[-1] > 1e-6 * finite[-1]
    rises = len(finite) < 2 or finite[-1] > 10 * finite[-2]
    beyond = sizes.count(math.inf) > 1 and len(finite) > 0 and rises
    beyond = beyond and _beyond(program, world, LEVELS + sizes.index(math.inf), free, finite[-1])
    if not grows and not beyond:
        return None
    return {
        "reason": f"{text(whole)} is not finite",
        "dimension": world.dim,
        "world": describe(world, program.keys, FLOAT),
        "lhs": text(whole),
        "rhs": "finite",
        "difference": ", ".join(f"{s:.4g}" for s in finite),
        "digits": 16,
        "windows": [float(f"{s:.6g}") for s in finite],
    }


def _beyond(program: Program, world: World, level: int, free: Any, before: float) -> bool:
    """Whether a window in which floats overflow holds more indeed: a density that underflows in a
    denominator looks like infinity, too. Decimals do neither."""
    if program.cost(world, level) > MOST // 4:
        return False
    try:
        ((value,),) = program.run(world, EXACT, level, free)
    except decimal.Overflow:
        return True
    except ArithmeticError:
        return False
    return not value.is_finite() or value > 10 * decimal.Decimal(before)


def _null_denominator(
    sides: Sequence[Node], survey: Survey, worlds: Sequence[World]
) -> dict[str, Any] | None:
    """A denominator that is 0 in several worlds drawn at random is 0 on more than a null set. Only
    what has corners can be: what is analytic vanishes everywhere or almost nowhere."""
    cornered = {f for s in sides for f in _divisors(s) if any(_corner(n) for n in f.walk())}
    for under in sorted(cornered, key=text):
        size = Add(*(Fn("abs", t) for t in under.args)) if isinstance(under, Add) else under
        try:
            programs = {w.dim: Program((under, size), survey, w.dim) for w in worlds}
        except NotationError:
            continue
        zeros: list[World] = []
        for k in range(30):
            world = World(survey, worlds[0].seed, 1000 + k, worlds[0].dim, 8 * (k % 5))
            program = programs[world.dim]
            if program.has_grid or program.free:
                break
            try:
                ((value,), (whole,)) = program.run(world, EXACT, 0, {})
            except (decimal.Overflow, decimal.Underflow):
                continue
            with decimal.localcontext(CONTEXT):
                if abs(value) <= ROUNDING * abs(whole):
                    zeros.append(world)
        if len(zeros) > 1:
            here = describe(zeros[0], programs[zeros[0].dim].keys, EXACT)
            return {
                "reason": f"the denominator {text(under)} is 0 on more than a null set",
                "dimension": zeros[0].dim,
                "world": here,
                "lhs": text(under),
                "rhs": "not 0",
                "difference": "0",
                "digits": 34,
            }
    return None


def _divisors(node: Node) -> Iterator[Node]:
    """The factors that something is divided by, outside binders."""
    if isinstance(node, (Integral, Expect, Divergence, Entropy, Big, Deriv)):
        return
    if isinstance(node, Div):
        yield from factors(node.args[1])
    if isinstance(node, Pow) and isinstance(node.args[1], Neg):
        yield from factors(node.args[0])
    if isinstance(node, Fn) and node.name == "log":  # of |u|, and of even powers
        yield from factors(node.args[0])
    for child in node.args:
        yield from _divisors(child)


def _corner(n: Node) -> bool:
    if isinstance(n, Fn):
        return n.name in ("abs", "sqrt", "positive_part", "indicator")
    power = n.args[1].args[0] if isinstance(n, Pow) and isinstance(n.args[1], Neg) else None
    power = n.args[1] if isinstance(n, Pow) and power is None else power
    return power is not None and not (isinstance(power, Number) and power.value.denominator == 1)
