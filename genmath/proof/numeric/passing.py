"""Whether a derivative passes under an integral at the values of its letter that no random world
meets: at 0, and where it is another letter."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from genmath.proof.language.binders import Between
from genmath.proof.language.obligations import EXCHANGE, Obligation
from genmath.proof.language.tree import Apply, Dens, Deriv, Integral, Number, free_symbols
from genmath.proof.numeric.arithmetic import FLOAT
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.describe import without_value
from genmath.proof.numeric.hypotheses import assignments
from genmath.proof.numeric.quadrature import LEVELS
from genmath.proof.numeric.survey import Key, Survey
from genmath.proof.numeric.worlds import World

STEPS = (2.0**-3, 2.0**-4, 2.0**-5)  # of a difference quotient
ALIKE = 1e-6  # what two levels of a quadrature agree to
LEAST, TIMES = 0.1, 20.0  # how far off a slope is, at least, and in last steps of it
ORDINARY = Fraction(1, 10)  # numbers beyond, or below it, may hide a slope from such steps
MOST = 20_000  # points


def may_not_pass(one: Obligation) -> bool:
    """Whether it can be tried: the derivative by a number, under one integral that a function or a
    density does not hide."""
    whole, letter = one.whole, one.letter
    if one.kind != EXCHANGE or letter is None or letter.is_variable or letter.shape:
        return False
    single = isinstance(whole, (Integral, Between)) and len(whole.bound) == 1
    moves = any(letter in free_symbols(e) for e in whole.args[1:])
    if letter.domain != "real" or not single or moves:
        return False
    inside = list(whole.walk())
    numbers = [abs(n.value) for n in inside if isinstance(n, Number) and n.value]
    hidden = any(isinstance(n, (Apply, Dens, Deriv)) for n in inside)
    return not hidden and all(ORDINARY <= v <= 1 / ORDINARY for v in numbers)


def does_not_pass(one: Obligation, base: Survey, world: World) -> dict[str, Any] | None:
    """A value at which the slope of the integral is another than the integral of the slope."""
    assert one.letter is not None
    body, key = one.whole.args[0], ("param", one.letter.name, "real")
    slope = one.whole.rebuild((Deriv(body, one.letter), *one.whole.args[1:]))
    trees = (one.whole, slope)
    program = Program(trees, Survey(trees, base=base), world.dim, world.family)
    if key not in program.keys or program.cost(world, LEVELS - 1) > MOST:
        return None
    others = [k for k in program.keys if k[0] == "param" and k != key]
    before = world.raw(*key)
    try:
        for at in (0.0, *(world.raw(*k) for k in others)):
            values = _slopes(program, key, at, world)
            if values is None:
                continue
            *found, wanted = values
            gap, last = abs(found[-1] - wanted), abs(found[-1] - found[-2])
            if gap > LEAST and gap > TIMES * last and last <= abs(found[-2] - found[-3]):
                fails = f"has a derivative by {one.letter!r} that does not pass under it"
                world.move(key, at)
                return without_value(one.whole, program.keys, world, fails, found, f"{wanted:.4g}")
    finally:
        world.move(key, before)
    return None


def _slopes(program: Program, key: Key, at: float, world: World) -> list[float] | None:
    """Difference quotients of the integral there, and last the integral of the slope."""
    whole = [_settled(program, key, at + s * h, world, 0) for h in STEPS for s in (1, -1)]
    values = [*whole, _settled(program, key, at, world, 1)]
    if any(v is None for v in values):
        return None
    known = [v for v in values if v is not None]
    quotients = ((known[2 * i] - known[2 * i + 1]) / (2 * h) for i, h in enumerate(STEPS))
    return [*quotients, known[-1]]


def _settled(program: Program, key: Key, at: float, world: World, which: int) -> float | None:
    """One of the two integrals, where two levels agree on it."""
    world.move(key, at)
    free = assignments(program, world, 1)[0]
    rough, fine = (
        float(program.run(world, FLOAT, level, free)[which][0])
        for level in (LEVELS - 2, LEVELS - 1)
    )
    alike = math.isfinite(fine) and abs(rough - fine) <= ALIKE * (1 + abs(fine))
    return fine if alike else None
