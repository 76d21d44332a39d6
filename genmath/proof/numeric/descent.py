"""A bound that nobody vouches for is tried where it is tightest: letters move to where the smaller
side comes nearest to the larger, in ratio, until it passes it or no step helps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

from genmath.proof.numeric.arithmetic import FLOAT
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.hypotheses import Hypotheses, assignments
from genmath.proof.numeric.survey import Key
from genmath.proof.numeric.worlds import World, inside

STEPS = 250  # from one start
SIMPLE = (0.0, 1.0, -1.0, 0.5, 2.0)
Free = dict[str, Any]


def tightest(
    program: Program,
    world: World,
    sign: int,
    hypotheses: Hypotheses,
    decide: Callable[[Free], Any],
) -> Any:
    """What `decide` says where left - right, times the sign, is found to be negative, or, among
    simple values of the letters, 0."""
    if program.has_grid or any(hypotheses.equal):
        return None
    letters = [k for k in program.keys if k[0] in ("param", "natural")]
    rng = world.rng("descent")
    for free in assignments(program, world, 2):
        reals = [key for _, key in program.free if key[0] == "free" and key[2] != "vector"]
        here = _Place(program, world, sign, hypotheses, letters, reals, dict(free))
        found = here.search(rng, decide)
        if found is not None:
            return found
    return None


class _Place:
    """Where the letters are, and how tight the bound is there."""

    def __init__(self, program: Program, world: World, sign: int, hypotheses: Hypotheses,
                 letters: list[Key], reals: list[Key], free: Free) -> None:  # fmt: skip
        self.program, self.world, self.sign, self.hypotheses = program, world, sign, hypotheses
        self.letters, self.reals, self.free = letters, reals, free
        self.width = len(letters) + len(reals)

    def search(self, rng: random.Random, decide: Callable[[Free], Any]) -> Any:
        start = self.best = self.values()
        least = self.gap()
        try:
            for values in self.proposals(rng):
                if not self.put(values):
                    continue
                gap = self.gap()
                if gap <= 0 and self.allowed() and (found := decide(self.free)) is not None:
                    return found
                if 0 < gap < least:
                    self.best, least = values, gap
        finally:
            self.put(start)
        return None

    def proposals(self, rng: random.Random) -> Iterator[list[float]]:
        """Simple values, ties, and steps of every size from the best place so far."""
        if not self.width:
            return
        for simple in SIMPLE:
            yield [simple] * self.width
        for i in range(self.width):
            for simple in (*SIMPLE, *(v for v in self.best if v != self.best[i])):
                yield [simple if k == i else v for k, v in enumerate(self.best)]
        for step in range(STEPS):
            scale = math.exp(-rng.uniform(0, 8))
            values = list(self.best)
            for i in range(self.width):
                if rng.random() < 0.6 or self.width == 1:
                    values[i] = self.moved(i, values[i], scale, rng)
            if step % 5 == 4 and self.width > 1:  # near another letter
                i, k = rng.sample(range(self.width), 2)
                values[i] = self.moved(i, values[k], scale, rng)
            yield values

    def moved(self, i: int, value: float, scale: float, rng: random.Random) -> float:
        if i < len(self.letters) and self.letters[i][0] == "natural":
            return float(max(1, round(value) + rng.choice((-3, -1, 1, 3))))
        domain = self.letters[i][2] if i < len(self.letters) else "real"
        if domain == "unit" and 0 < value < 1:
            odds = math.log(value / (1 - value)) + rng.gauss(0, 2) * scale
            return 1 / (1 + math.exp(-odds))
        if domain == "at_least_one":
            return 1 + (value - 1) * math.exp(rng.gauss(0, 2) * scale)
        if domain == "real" and rng.random() < 0.5:
            return value + rng.gauss(0, 1) * scale
        return value * math.exp(rng.gauss(0, 2) * scale)

    def values(self) -> list[float]:
        own = [float(self.world.raw(*k)) for k in self.letters]
        return own + [float(self.free[k[1]][0]) for k in self.reals]

    def put(self, values: list[float]) -> bool:
        """Move all letters, if each is of its domain."""
        for key, value in zip(self.letters, values, strict=False):
            domain = key[2] if key[0] == "param" else "natural"
            if not inside(value, domain, self.world.bounds(key)):
                return False
        for key, value in zip(self.reals, values[len(self.letters) :], strict=True):
            if not self.world.may_be(key[1], value):
                return False
        for key, value in zip(self.letters, values, strict=False):
            self.world.move(key, int(value) if key[0] == "natural" else value)
        for key, value in zip(self.reals, values[len(self.letters) :], strict=True):
            self.free[key[1]] = [value]
        return True

    def gap(self) -> float:
        """Of the sides, in ratio to them; infinite where they are no numbers."""
        try:
            (left, *_), (right, *_) = self.program.run(self.world, FLOAT, 0, self.free)
        except (ArithmeticError, ValueError):
            return math.inf
        gap = self.sign * (left - right) / (max(abs(left), abs(right)) + 1e-6)
        return gap if math.isfinite(gap) else math.inf

    def allowed(self) -> bool:
        given = self.hypotheses
        if not given.given:
            return True
        return given._everywhere(given.program(self.world), self.world, set())
