"""The numeric judge: is a claim true in random concrete worlds?

    outcome = compare(claim)
    worlds = make_worlds(claim); compare(mutant, worlds=worlds)

A disagreement counts only when it persists at 34 digits in the same world and when the quadrature,
if there is any, has converged to it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, Overflow, Underflow
from typing import Any, Literal

from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node, Relation
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT, Arithmetic, Num
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.describe import describe
from genmath.proof.numeric.quadrature import LEVELS
from genmath.proof.numeric.survey import Survey, Unsupported
from genmath.proof.numeric.worlds import World

__all__ = ["Outcome", "Unsupported", "Worlds", "compare", "make_worlds", "satisfiable"]

Verdict = Literal["agree", "refuted", "undefined"]
TRIES = 200  # draws of a world before hypotheses count as contradictory
MAX_POINTS = 400_000  # of a quadrature
FREE = 8  # assignments of the free letters in a world, at most


@dataclass(frozen=True)
class Outcome:
    """What random worlds say. `counterexample` is JSON-able and comes with "refuted"."""

    verdict: Verdict
    counterexample: dict[str, Any] | None = None
    worlds_defined: int = 0
    worlds_tried: int = 0
    reason: str = ""


@dataclass
class Worlds:
    """Random worlds in which a claim's hypotheses hold; use them again for its mutants."""

    survey: Survey
    given: tuple[Relation, ...]
    members: list[World]
    seed: int = 0
    contradictory: bool = False
    _elsewhere: dict[frozenset[str], Worlds] = field(default_factory=dict)


def make_worlds(claim: Claim, seed: int = 0, count: int = 6) -> Worlds:
    """Up to `count` worlds that satisfy claim.given; none if 200 draws do not."""
    return _draw(Survey((claim.lhs, claim.rhs), claim.given), claim.given, claim.dims, seed, count)


def satisfiable(claim: Claim, seed: int = 0) -> bool:
    """Whether some random world satisfies the hypotheses."""
    return not claim.given or not make_worlds(claim, seed, 1).contradictory


def compare(
    claim: Claim, *, seed: int = 0, worlds: int | Worlds = 6, exact_confirm: bool = True
) -> Outcome:
    """Evaluate both sides in random worlds. `worlds` is how many, or the worlds to use."""
    if isinstance(worlds, Worlds):
        survey = Survey((claim.lhs, claim.rhs), claim.given, worlds.survey)
        drawn = _adapt(worlds, survey, claim)
    else:
        drawn = make_worlds(claim, seed, worlds)
        survey = drawn.survey
    if drawn.contradictory:
        return Outcome("undefined", reason="contradictory hypotheses")
    programs: dict[int, Program] = {}
    defined, reason = 0, "undefined in every world"
    for tried, world in enumerate(drawn.members, 1):
        if world.dim not in programs:
            programs[world.dim] = Program((claim.lhs, claim.rhs), survey, world.dim)
        trial = _Trial(programs[world.dim], world, claim.relation, exact_confirm)
        found = trial.judge()
        if found is not None:
            return Outcome("refuted", found, defined + 1, tried, found["reason"])
        defined += trial.defined
        reason = trial.reason or reason
    tried = len(drawn.members)
    if defined < min(2, tried) or not tried:
        return Outcome("undefined", None, defined, tried, reason)
    return Outcome("agree", None, defined, tried)


# --- drawing worlds -----------------------------------------------------------------------------


def _draw(
    survey: Survey, given: tuple[Relation, ...], dims: tuple[int, ...], seed: int, count: int
) -> Worlds:
    members: list[World] = []
    checks: dict[int, Program] = {}
    for index in range(count):
        for attempt in range(TRIES if not members else TRIES // 4):
            world = World(survey, seed, index, dims[index % len(dims)], attempt)
            if _holds(given, survey, world, checks):
                members.append(world)
                break
        if not members:
            return Worlds(survey, given, members, seed, contradictory=True)
    return Worlds(survey, given, members, seed)


def _adapt(worlds: Worlds, survey: Survey, claim: Claim) -> Worlds:
    """The same worlds for another claim: drawn anew where it needs the real line for a space."""
    base = worlds.survey
    base.densities.update(survey.densities)
    for space, shape in survey.shapes.items():
        base.shapes.setdefault(space, shape)
    if survey.real == base.real and claim.given == worlds.given:
        return worlds
    if survey.real == base.real:
        checks: dict[int, Program] = {}
        members = [w for w in worlds.members if _holds(claim.given, survey, w, checks)]
        return Worlds(base, claim.given, members, worlds.seed, worlds.contradictory)
    key = frozenset(survey.real)
    if key not in worlds._elsewhere:
        dims = tuple(w.dim for w in worlds.members) or claim.dims
        count = max(len(worlds.members), 1)
        worlds._elsewhere[key] = _draw(survey, worlds.given, dims, worlds.seed, count)
    moved = worlds._elsewhere[key]
    moved.survey.densities.update(survey.densities)
    return moved


def _holds(
    given: tuple[Relation, ...],
    survey: Survey,
    world: World,
    checks: dict[int, Program],
) -> bool:
    """Whether every hypothesis holds, for every value tried of its free random variables."""
    if not given:
        return True
    program = checks.get(world.dim)
    if program is None:
        nodes: list[Node] = [side for r in given for side in (r.left, r.right)]
        program = checks[world.dim] = Program(nodes, survey, world.dim)
    for free in _assignments(program, world, 64, everywhere=True):
        values = program.run(world, FLOAT, 0, free)
        for relation, left, right in zip(given, values[::2], values[1::2], strict=True):
            for a, b in _pairs(left, right):
                if not _satisfied(a, relation.sign, b):
                    return False
    return True


def _satisfied(a: float, sign: str, b: float) -> bool:
    if sign == ">":
        return a > b
    if sign == "<":
        return a < b
    slack = 1e-12 * (abs(a) + abs(b))
    return a >= b - slack if sign == ">=" else a <= b + slack


def _assignments(
    program: Program, world: World, limit: int, everywhere: bool = False
) -> list[dict[str, Any]]:
    """Values for the free random variables: all points of discrete spaces, or some; `everywhere`
    adds points all along the real line."""
    indices: dict[str, int] = {}
    reals: dict[str, str] = {}
    for _, key in program.free:
        if key[0] == "freeindex":
            indices[key[1]] = world.size(key[2])
        else:
            reals[key[1]] = key[2]
    combos = list(itertools.product(*(range(n) for n in indices.values())))
    draws = 3 if reals and not indices else 2 if reals else 1
    if len(combos) * draws > limit:
        combos = world.rng("combos").sample(combos, min(len(combos), max(1, limit // draws)))
    out = []
    for combo in combos:
        for draw in range(draws):
            free: dict[str, Any] = dict(zip(indices, combo, strict=True))
            for name, shape in reals.items():
                free[name] = world.raw("free", name, shape)[draw]
            out.append(free)
    for name, shape in reals.items() if everywhere else ():
        if shape != "vector":
            out += [{**out[0], name: [x]} for x in (-7.1, -4.3, -2.2, -0.4, 0.6, 2.7, 4.9, 7.3)]
    return out


def _pairs(left: Sequence[Num], right: Sequence[Num]) -> list[tuple[Num, Num]]:
    """Components side by side; a scalar 0 stands for a zero vector or matrix."""
    if len(left) != len(right):
        if len(right) == 1 and right[0] == 0:
            right = (right[0],) * len(left)
        elif len(left) == 1 and left[0] == 0:
            left = (left[0],) * len(right)
        else:
            raise Unsupported("the two sides have different shapes")
    return list(zip(left, right, strict=True))


# --- judging one world --------------------------------------------------------------------------


class _Trial:
    """A claim in one world."""

    def __init__(self, program: Program, world: World, relation: str, confirm: bool) -> None:
        if program.shapes[0] != program.shapes[1] and "scalar" not in program.shapes:
            raise Unsupported(f"a {program.shapes[0]} is compared with a {program.shapes[1]}")
        if relation != "=" and program.shapes != ["scalar", "scalar"]:
            raise Unsupported("only scalars are ordered")
        self.program, self.world, self.relation, self.confirm = program, world, relation, confirm
        self.defined, self.reason = False, ""
        last = LEVELS if program.has_grid else 1
        self.levels = [k for k in range(last) if program.cost(world, k) <= MAX_POINTS]

    def judge(self) -> dict[str, Any] | None:
        """A counterexample, or None; `defined` says whether any assignment was decided."""
        if not self.levels:
            self.reason = "too many points for this quadrature"
            return None
        for free in _assignments(self.program, self.world, FREE):
            found = self._assignment(free)
            if found is not None:
                return found
        return None

    def _assignment(self, free: dict[str, Any]) -> dict[str, Any] | None:
        start = self.world.index % 2 if len(self.levels) > 1 else 0
        gaps: dict[int, float] = {}
        for level in self.levels[start:]:
            pairs = self._values(FLOAT, level, free)
            status = self._status(pairs, 1e-9, 1e-11 if self.program.has_grid else 1e-13)
            if status == "discard":
                self.reason = self.reason or "both sides are undefined"
                return None
            if status == "true":
                self.defined = True
                return None
            if status == "odd" or not self.program.has_grid:
                return self._decide(level, free, 0.0)
            gap = gaps[level] = max(abs(a - b) for a, b in pairs)
            drift = abs(gap - gaps.get(level - 1, math.inf))
            before = abs(gap - gaps.get(level - 2, math.inf))
            once = before > 0.02 * gap and level != self.levels[-1]  # may be by chance
            if drift <= (1e-4 if once else 0.02) * gap:
                near = [k for k, g in gaps.items() if abs(g - gap) <= 0.05 * gap]
                return self._decide(min(near), free, 0.3 * gap)
        self.reason = "the quadrature did not converge"
        return None

    def _values(
        self, arithmetic: Arithmetic, level: int, free: dict[str, Any]
    ) -> list[tuple[Num, Num]]:
        left, right = self.program.run(self.world, arithmetic, level, free)
        return _pairs(left, right)

    def _status(self, pairs: list[tuple[Num, Num]], relative: float, absolute: float) -> str:
        """true, false, discard, or odd: one side undefined or infinite where the other is not."""
        worst = "true"
        for a, b in pairs:
            one = self._one(float(a), float(b), float(_gap(a, b)), relative, absolute)
            if one == "discard":
                return "discard"
            if one == "odd" or (one == "false" and worst == "true"):
                worst = one
        return worst

    def _one(self, a: float, b: float, gap: float, relative: float, absolute: float) -> str:
        if a != a or b != b:
            other = b if a != a else a
            return "odd" if math.isfinite(other) else "discard"
        if math.isinf(a) or math.isinf(b):
            if a == b:
                return "discard"
            good = self.relation != "=" and (a > b) == (self.relation == ">=")
            return "true" if good else "odd"
        slack = relative * max(abs(a), abs(b)) + absolute
        if self.relation == "=":
            return "true" if abs(gap) <= slack else "false"
        return "true" if (gap if self.relation == ">=" else -gap) >= -slack else "false"

    def _decide(self, level: int, free: dict[str, Any], least: float) -> dict[str, Any] | None:
        """Confirm a disagreement at 34 digits, or let the exact values decide."""
        arithmetic = EXACT if self.confirm else FLOAT
        try:
            pairs = self._values(arithmetic, level, free)
        except (Overflow, Underflow):
            self.reason = "a number is too large or too small to compute with"
            return None
        status = "false"
        if self.confirm and self.program.has_grid and not least:
            status = self._status(pairs, 1e-9, 1e-11)
            if status == "false":  # defined at 34 digits, after all; whether equal is not known
                self.reason = "the quadrature did not converge"
                return None
        elif self.confirm:
            status = self._status(pairs, 1e-20, max(least, 1e-25))
        if status == "discard":
            self.reason = self.reason or "both sides are undefined"
            return None
        if status == "true":
            self.defined = True
            return None
        return self._counterexample(pairs, free, arithmetic)

    def _counterexample(
        self, pairs: list[tuple[Num, Num]], free: dict[str, Any], arithmetic: Arithmetic
    ) -> dict[str, Any]:
        undefined = any((a != a) != (b != b) for a, b in pairs)
        described = describe(self.world, self.program.keys, arithmetic)
        letters: dict[str, Any] = {}
        for _, key in self.program.free:
            value = free[key[1]]
            if key[0] == "freeindex":
                letters[key[1]] = f"point {value} of {key[2]}"
            else:
                letters[key[1]] = value if key[2] == "vector" else value[0]
        if letters:
            described["free"] = letters
        left, right = zip(*pairs, strict=True)
        gaps = [_gap(a, b) for a, b in pairs]
        one = len(pairs) == 1
        return {
            "reason": "undefined where the other side is not" if undefined else "the sides differ"
            if self.relation == "=" else f"{self.relation} fails",
            "dimension": self.world.dim,
            "world": described,
            "lhs": _show(left[0]) if one else [_show(v) for v in left],
            "rhs": _show(right[0]) if one else [_show(v) for v in right],
            "difference": _show(gaps[0], 6) if one else [_show(v, 6) for v in gaps],
            "digits": 34 if arithmetic is EXACT else 16,
        }  # fmt: skip


def _gap(a: Num, b: Num) -> Num:
    """a - b; decimals of any size, which outside their own context would overflow."""
    return CONTEXT.subtract(a, b) if isinstance(a, Decimal) else a - b


def _show(value: Num, digits: int = 15) -> str:
    if value != value:
        return "undefined"
    return f"{value:.{digits}g}"
