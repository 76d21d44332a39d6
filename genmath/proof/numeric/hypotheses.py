"""Worlds in which the hypotheses hold: tried, and steered towards where they may.

A letter keeps to its domain. Equalities are solved for letters, at 34 digits; a comparison holds
where it does so by more than the rounding, or without any.
"""

from __future__ import annotations

import decimal
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from genmath.proof.language.tree import Node, Relation
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT, Num
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.quadrature import LEVELS
from genmath.proof.numeric.survey import Key, Survey, Unsupported
from genmath.proof.numeric.worlds import World, candidates, inside

LINE = (-7.1, -4.3, -2.2, -0.4, 0.6, 2.7, 4.9, 7.3)  # points of the real line, and far ones
WHOLE = (0.0, 1.0, 2.0, 3.0, 17.0)
FAR = (-1e9, -3e4, -110.0, -17.0, -0.01, 1e-7, 0.02, 13.0, 150.0, 2e4, 1e9)
ROUNDING = Decimal("1e-28")  # of decimals of 34 digits, after some operations
Values = list[tuple[Decimal, Decimal]]  # the two sides of each hypothesis


@dataclass
class Hypotheses:
    """Comparisons that a world has to satisfy, for every value of their random variables."""

    given: tuple[Relation, ...]
    survey: Survey
    _programs: dict[tuple[int, str], Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Two bounds that leave one value are an equality."""
        self.equal = [g.sign == "=" for g in self.given]
        for i, j in itertools.combinations(range(len(self.given)), 2):
            g, h = self.given[i], self.given[j]
            turned = g.sign in ("<=", ">=") and h.sign in ("<=", ">=")
            same = (g.left, g.right) == (h.left, h.right) and g.sign != h.sign
            if turned and (same or ((g.left, g.right) == (h.right, h.left) and g.sign == h.sign)):
                self.equal[i] = self.equal[j] = True

    def program(self, world: World) -> Program:
        key = (world.dim, world.family)
        if key not in self._programs:
            nodes: list[Node] = [side for r in self.given for side in (r.left, r.right)]
            self._programs[key] = Program(nodes, self.survey, *key)
        return self._programs[key]

    def hold(self, world: World) -> bool:
        """Whether every one holds in this world, whose letters may be moved to that end."""
        if not self.given:
            return True
        program = self.program(world)
        if self._everywhere(program, world, set()):
            return True
        solved = self._steer(program, world)
        return solved is not None and self._everywhere(program, world, solved)

    # --- as the world is -------------------------------------------------------------------------

    def _everywhere(self, program: Program, world: World, solved: set[int]) -> bool:
        near = assignments(program, world, 64)
        for k, free in enumerate(near + along(program, near[0])):
            rough = program.run(world, FLOAT, 0, free)
            for relation, left, right in zip(self.given, rough[::2], rough[1::2], strict=True):
                if relation in self.survey.built_in:
                    continue
                for a, b in pairs(left, right):
                    slack = 1e-9 * (abs(a) + abs(b)) + 1e-300
                    low, high = relation.sign in ("=", ">=", ">"), relation.sign in ("=", "<=", "<")
                    if (low and a < b - slack) or (high and a > b + slack):
                        return False
            for i, (a, b, exact) in enumerate(self._exact(program, world, free)):
                if k >= len(near) and (a.is_nan() or b.is_nan()):
                    continue  # too far to compute with
                if not self._one(i % len(self.given), a, b, exact, solved):
                    return False
        return True

    def _exact(
        self, program: Program, world: World, free: dict[str, Any]
    ) -> list[tuple[Decimal, Decimal, bool]]:
        """Both sides of each, component by component, and whether nothing was rounded."""
        level = LEVELS - 1 if program.has_grid and program.cost(world, LEVELS - 1) < 2000 else 0
        try:
            sides = program.run(world, EXACT, level, free)
        except (decimal.Overflow, decimal.Underflow):
            return [(Decimal("nan"), Decimal("nan"), False)] * len(self.given)
        exact = not program.rounded
        found = [pairs(left, right) for left, right in zip(sides[::2], sides[1::2], strict=True)]
        width = max(map(len, found))
        return [(*f[min(k, len(f) - 1)], exact) for k in range(width) for f in found]

    def _one(self, i: int, a: Decimal, b: Decimal, exact: bool, solved: set[int]) -> bool:
        sign = self.given[i].sign
        if a.is_nan() or b.is_nan():
            return False
        if self.given[i] in self.survey.built_in:
            return True
        if a.is_infinite() or b.is_infinite():
            return (a > b and sign in (">=", ">")) or (a < b and sign in ("<=", "<"))
        with decimal.localcontext(CONTEXT):
            rounding, gap = ROUNDING * (abs(a) + abs(b)), abs(a - b)
        if self.equal[i] and i in solved:
            return gap <= rounding
        if a == b:
            return exact and sign in ("=", ">=", "<=")
        if sign == "=" or (a > b) != (sign in (">=", ">")):
            return False
        return exact or gap > rounding

    # --- moved -----------------------------------------------------------------------------------

    def _steer(self, program: Program, world: World) -> set[int] | None:
        """Move letters until all holds somewhere; which equalities were solved, or None."""
        letters = [k for k in program.keys if k[0] in ("param", "natural")]
        rng = world.rng("steer")
        rng.shuffle(letters)
        free = assignments(program, world, 1)[0]
        solved: set[int] = set()
        for _ in range(3):
            if not letters:
                return None
            bad = self._bad(program, world, free, solved)
            if not bad:
                return solved
            for i in bad:
                if not self.equal[i]:
                    self._push(i, program, world, free, letters, rng, solved)
            equalities = [i for i, e in enumerate(self.equal) if e]
            with decimal.localcontext(CONTEXT):
                if equalities and not self._solve(equalities, program, world, free, letters):
                    return None
            solved = set(equalities)
        return None if self._bad(program, world, free, solved) else solved

    def _bad(
        self, program: Program, world: World, free: dict[str, Any], solved: set[int]
    ) -> list[int]:
        n = len(self.given)
        values = self._exact(program, world, free)
        return sorted({i % n for i, v in enumerate(values) if not self._one(i % n, *v, solved)})

    def _push(self, i: int, program: Program, world: World, free: dict[str, Any],
              letters: list[Key], rng: random.Random, solved: set[int]) -> None:  # fmt: skip
        """Give letters other values of their domains, one by one, until hypothesis i holds."""
        sign = self.given[i].sign

        def missing() -> Decimal:
            a, b, _ = self._exact(program, world, free)[i]
            with decimal.localcontext(CONTEXT):
                gap = b - a if sign in (">=", ">") else a - b
            return gap if gap == gap else Decimal("inf")

        for key in letters:
            best, least = world.raw(*key), missing()
            for value in candidates(key, rng, world.bounds(key)):
                world.move(key, value)
                if i not in self._bad(program, world, free, solved):
                    return
                if (now := missing()) < least:
                    best, least = value, now
            world.move(key, best)

    def _solve(self, equalities: list[int], program: Program, world: World, free: dict[str, Any],
               letters: list[Key]) -> bool:  # fmt: skip
        """Newton's method for as many letters as it takes; False where it finds no simple root."""
        chosen: list[Key] = []
        rows: list[int] = []
        step = Decimal("1e-12")

        def gaps() -> list[Decimal]:
            found = self._exact(program, world, free)[: len(self.given)]
            return [found[i][0] - found[i][1] for i in equalities]

        def slopes(keys: list[Key]) -> list[list[Decimal]]:
            here, columns = gaps(), []
            for key in keys:
                old = EXACT.number(world.raw(*key))
                world.move(key, old + step)
                columns.append([(b - a) / step for a, b in zip(here, gaps(), strict=True)])
                world.move(key, old)
            return columns

        real = [k for k in letters if k[0] == "param"]
        try:
            columns = slopes(real)
            rest = [list(c) for c in columns]
            for r in range(len(equalities)):  # a pivot for each equality that says anything new
                usable = [c for c in range(len(real)) if real[c] not in chosen]
                best = max(usable, key=lambda c: abs(rest[c][r]), default=None)
                if best is None or abs(rest[best][r]) < Decimal("1e-9"):
                    continue
                chosen.append(real[best])
                rows.append(r)
                for c in range(len(real)):
                    if real[c] not in chosen:
                        factor = rest[c][r] / rest[best][r]
                        rest[c] = [u - factor * v for u, v in zip(rest[c], rest[best], strict=True)]
            if not chosen:
                return False
            for _ in range(14):
                columns = slopes(chosen)
                here = gaps()
                change = _linear([[c[r] for c in columns] for r in rows], [here[r] for r in rows])
                for key, delta in zip(chosen, change, strict=True):
                    value = EXACT.number(world.raw(*key)) - delta
                    if not inside(value, key[2], world.bounds(key)):
                        return False
                    world.move(key, value)
                if all(abs(d) <= Decimal("1e-32") * 10 for d in change):
                    break
            return all(any(abs(c[r]) > Decimal("1e-6") for c in columns) for r in rows)
        except (decimal.DecimalException, ArithmeticError):
            return False


def _linear(matrix: list[list[Decimal]], right: list[Decimal]) -> list[Decimal]:
    n = len(right)
    rows = [[*row, r] for row, r in zip(matrix, right, strict=True)]
    for i in range(n):
        best = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[n] for row in rows]


def assignments(program: Program, world: World, limit: int) -> list[dict[str, Any]]:
    """Values for the free random variables: all points of discrete spaces, or some."""
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
    return out


def along(program: Program, start: dict[str, Any]) -> list[dict[str, Any]]:
    """Values of each free letter all along the real line, and far away."""
    found = []
    for _, key in program.free:
        if key[0] == "free" and key[2]:
            found += [{**start, key[1]: [v * far for v in start[key[1]]]} for far in FAR]
        elif key[0] == "free":
            symbol = program.survey.symbols.get(key[1])
            domain = "real" if symbol is None else symbol.domain
            found += [{**start, key[1]: [at]} for at in LINE + FAR + WHOLE if inside(at, domain)]
    return found


def pairs(left: Sequence[Num], right: Sequence[Num]) -> list[tuple[Num, Num]]:
    """Components side by side; a scalar 0 stands for a zero vector or matrix."""
    if len(left) != len(right):
        if len(right) == 1 and right[0] == 0:
            right = (right[0],) * len(left)
        elif len(left) == 1 and left[0] == 0:
            left = (left[0],) * len(right)
        else:
            raise Unsupported("the two sides have different shapes")
    return list(zip(left, right, strict=True))
