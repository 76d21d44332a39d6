"""Random concrete worlds: what every letter of a claim stands for.

Values are drawn lazily and reproducibly: each depends on the seed, the world's number and the place
of the letter among those of the claim, however it is called, so that a mutated claim is judged in
the same worlds as the claim it came from.

A space is *discrete* (two to four points with random measure weights, and coordinates where its
letters are used in arithmetic) unless something in the claim needs the real line.
"""

from __future__ import annotations

import decimal
import itertools
import math
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from genmath.proof.language.shapes import entries, size_of
from genmath.proof.language.tree import NotationError
from genmath.proof.numeric.arithmetic import EVERY, Arithmetic, Num
from genmath.proof.numeric.survey import EVERYWHERE, Bounds, Key, Survey, constant

COMPONENTS = 2  # of every mixture on the real line
HABITUAL = 6  # worlds
FAMILIES = ("polynomial", "bump", "oscillating", "kinked", "fading")  # of arbitrary functions
FARTHER = ("near", "far", "farthest", "ties", "elsewhere", *FAMILIES)
DOMAIN = {
    "real": EVERYWHERE,
    "positive": (0.0, math.inf),
    "nonnegative": (0.0, math.inf),
    "unit": (0.0, 1.0),
    "at_least_one": (1.0, math.inf),
    "natural": (1.0, math.inf),
    "bit": (0.0, 1.0),
    "count": (0.0, math.inf),
    "integer": EVERYWHERE,
    "interval": (0.0, 1.0),  # how much of the way
    "values": (math.inf, -math.inf),  # none but those that it names
}


TIES = {
    "real": (0, 0, 1, 1, -1),
    "positive": (1, 1, 2),
    "nonnegative": (0, 0, 1),
    "unit": (0.5,),
    "at_least_one": (1, 1, 2),
    "natural": (1, 2, 2),
    "bit": (0, 1),
    "count": (0, 0, 1),
}


class NoWorldError(Exception):
    """A hypothesis leaves a letter no value of its domain."""


class World:
    """Values for every letter, drawn when asked for. `dim` is the dimension of vectors."""

    def __init__(self, survey: Survey, seed: int, index: int, dim: int, attempt: int = 0) -> None:
        self.survey, self.seed, self.index = survey, seed, index
        self.dim, self.attempt, self.moves = dim, attempt, 0
        self.located = False  # whether arbitrary functions decay, so that they have integrals
        self._raw: dict[Key, Any] = {}
        self._values: dict[Key, Any] = {}

    def rng(self, what: str, *key: Any) -> random.Random:
        """`key` begins with a name, which counts by its place."""
        places = tuple(self.survey.place(k) for k in key)
        text = repr((self.seed, self.index, self.attempt, what, *places))
        return random.Random(zlib.crc32(text.encode()))

    @property
    def zeros(self) -> str:
        """Whether densities vanish somewhere here: "no", "random" or "disjoint"."""
        kinds = ("no", "random", "no", "disjoint", "no", "random")
        return kinds[(self.index + self.attempt // 8) % 6]

    @property
    def reach(self) -> float:
        """How far letters lie, in ratio: the longer no world is found, the farther."""
        sought = (1, 1, 10, 1, 100, 10, 1e4)[min(self.attempt // 8, 6)]
        return max(sought, {"near": 10, "far": 100, "farthest": 1e6}.get(self.kind, 1))

    @property
    def kind(self) -> str:
        """The first worlds are habitual; the others are of one kind each, see FARTHER."""
        return FARTHER[(self.index - HABITUAL) % len(FARTHER)] if self.index >= HABITUAL else ""

    @property
    def family(self) -> str:
        """The family that arbitrary functions are of."""
        if self.located:
            return "located"
        return self.kind if self.kind in FAMILIES else ""

    @property
    def location(self) -> float:
        """Where the densities of the real line are."""
        if self.kind != "elsewhere":
            return 0.0
        side = 1 if (self.index - HABITUAL) < len(FARTHER) else -1
        return side * round(self.rng("location").uniform(12, 100), 1)

    # --- raw values: plain Python, with few digits so that they can be shown ---------------------

    def raw(self, *key: Any) -> Any:
        if key not in self._raw:
            self._raw[key] = getattr(self, "_raw_" + key[0])(*key[1:])
        return self._raw[key]

    def size(self, space: str) -> int:
        return int(self.raw("size", space))

    def _raw_size(self, space: str) -> int:
        return self.rng("size", space).choice((2, 3, 3, 4))

    def _raw_weights(self, space: str) -> list[float]:
        rng = self.rng("weights", space)
        scale = rng.choice((0.25, 0.6, 1.3))
        return [round(scale * rng.uniform(0.4, 1.6), 3) for _ in range(self.size(space))]

    def _raw_coordinates(self, space: str) -> list[list[float]]:
        rng = self.rng("coordinates", space)
        dims = entries(self.survey.shapes.get(space, ""), self.dim)
        # Only what is integrated is looked for where the densities are: a law whose place depends
        # on a member of a finite set would else lie where no point of a quadrature is.
        finite = any(
            s.domain == "member" and s.space == space for s in self.survey.symbols.values()
        )
        location = 0.0 if finite else self.location
        return [
            [round(location + _draw("real", rng, self.reach), 7) for _ in range(dims)]
            for _ in range(self.size(space))
        ]

    def _raw_param(self, name: str, domain: str) -> float:
        rng = self.rng("param", name)
        return self._within(("sym", name), domain, rng)

    def _raw_vector(self, name: str) -> list[float]:
        rng = self.rng("vector", name)
        if self.kind == "ties":
            return [float(rng.choice(TIES["real"])) for _ in range(self.extent(name)[0])]
        return [_draw("real", rng, self.reach) for _ in range(self.extent(name)[0])]

    def extent(self, name: str) -> tuple[int, int]:
        """How many rows and columns a letter has here."""
        rows, columns = size_of(self.survey.symbols[name].sized)
        return rows or self.dim, columns or self.dim

    def _raw_matrix(self, name: str) -> list[list[float]]:
        """Few digits; what makes it orthogonal or symmetric comes with its values."""
        rng = self.rng("matrix", name)
        (rows, columns), ties = self.extent(name), self.kind == "ties" and self.attempt < 8

        def entry(i: int, j: int) -> float:
            if ties:
                return float(rng.choice(TIES["real"]))
            return _draw("real", rng, self.reach) if i == j or rng.random() < 0.9 else 0.0

        return [[entry(i, j) for j in range(columns)] for i in range(rows)]

    def _raw_mirrors(self, name: str, size: int) -> list[list[float]]:
        """Every orthogonal matrix is a product of reflections, at most one for each row."""
        rng = self.rng("mirrors", name)
        if size == 1:
            return [[1.0]] * rng.randint(0, 1)
        return [[_real(rng) for _ in range(size)] for _ in range(rng.randint(1, size))]

    def _raw_spectrum(self, name: str) -> list[float]:
        rng = self.rng("spectrum", name)
        return [_draw("positive", rng) for _ in range(self.extent(name)[0])]

    def _raw_covariance(self, name: str) -> list[list[float]]:
        rng, d = self.rng("covariance", name), self.extent(name)[0]
        long = bool(self.kind)  # and thin, such that products of two are far from symmetric
        sizes, slants = ((10, 300), (50, 400)) if long else ((60, 140), (10, 50))
        lower = [
            [
                rng.randint(*sizes)
                if i == j
                else rng.choice((-1, 1)) * rng.randint(*slants)
                if j < i
                else 0
                for j in range(d)
            ]
            for i in range(d)
        ]
        return [
            [sum(a * b for a, b in zip(lower[i], lower[j], strict=True)) / 10000 for j in range(d)]
            for i in range(d)
        ]

    def _raw_free(self, name: str, shape: str) -> list[list[float]]:
        """Values to try for a free letter of the real line."""
        rng = self.rng("free", name)
        symbol = self.survey.symbols.get(name)
        if symbol is not None and symbol.domain == "values":
            return [[constant(rng.choice(symbol.args)) or 0.0] for _ in range(4)]
        if symbol is not None and symbol.is_variable and symbol.domain != "real":
            domain = "unit" if symbol.domain == "interval" else symbol.domain
            return [[_draw(domain, rng)] for _ in range(4)]
        size = entries(shape, self.dim)
        return [[self.location + _real(rng, 0.2, 1.5) for _ in range(size)] for _ in range(4)]

    def _raw_natural(self, name: str) -> int:
        return int(self._within(("sym", name), "natural", self.rng("natural", name)))

    def _raw_member(self, name: str, domain: str, index: int) -> float:
        if domain == "natural":
            return float(self.rng("member", name, index).randint(1, 4))
        return self._within(("seq", name), domain, self.rng("member", name, index))

    def _within(self, key: Key, domain: str, rng: random.Random) -> float:
        bounds = self._stated(key)
        if self.kind == "ties" and self.attempt < 8:
            value = float(rng.choice(TIES[domain]))
            if inside(value, domain, bounds):
                return value
        for _ in range(20):
            value = _draw(domain, rng, self.reach, self._corner(key[1]))
            if bounds[0] < value < bounds[1]:
                return value
        low, high = (f(u, v) for f, u, v in zip((max, min), bounds, DOMAIN[domain], strict=True))
        if not low < high:
            if low == high and inside(low, domain, bounds):
                return low
            raise NoWorldError(f"no {domain} number lies between {bounds[0]} and {bounds[1]}")
        if domain == "natural":
            return rng.randint(math.ceil(low), int(min(high, math.ceil(low) + 4)))
        if math.isinf(low):
            return round(high - rng.uniform(0.2, 2.0) * self.reach, 3)
        if math.isinf(high):
            return round(low + rng.uniform(0.2, 2.0) * self.reach, 3)
        return round(low + (high - low) * rng.uniform(0.08, 0.92), 6)

    def _stated(self, key: Key) -> Bounds:
        """What is stated of one member or value is left to chance, so that it holds of that one
        alone; where that does not happen, it is made to hold of all."""
        low, high = self.survey.bounds.get(key, EVERYWHERE)
        if self.attempt < 8:
            return low, high
        least, most = self.survey.alone.get(key, EVERYWHERE)
        return max(low, least), min(high, most)

    def _corner(self, name: str) -> int | None:
        """Large or small, positive or negative: in turn, and not for all letters alike."""
        if self.kind not in ("near", "far", "farthest") or self.attempt:
            return None
        cycle, kind = divmod(self.index - HABITUAL, len(FARTHER))
        return int(3 * cycle + kind + 5 * self.survey.place(name)) % 4

    def bounds(self, key: Key) -> Bounds:
        """What simple hypotheses leave of a letter's domain."""
        return self.survey.bounds.get(("sym", key[1]), EVERYWHERE)

    def move(self, key: Key, value: Any) -> None:
        """Give a letter another value."""
        self._raw[key] = value
        self.moves += 1
        for arithmetic in EVERY:
            self._values.pop((arithmetic.name, *key), None)

    def _raw_ftab(self, name: str, spaces: tuple[str, ...]) -> Any:
        rng = self.rng("ftab", name, spaces)
        bounded = self._stated(("fn", name)) != EVERYWHERE

        def build(left: tuple[str, ...]) -> Any:
            if left:
                return [build(left[1:]) for _ in range(self.size(left[0]))]
            return self._within(("fn", name), "real", rng) if bounded else _real(rng)

        return build(spaces)

    def _raw_fn(self, name: str, count: int) -> dict[str, Any]:
        """f(u) = c + sum d_i u_i + sum e_ij u_i u_j + a exp(sum b_i u_i)."""
        rng = self.rng("fn", name, count)
        return {
            "c": _real(rng, 0.1, 0.9),
            "d": [_real(rng, 0.3, 1.2) for _ in range(count)],
            "e": {(i, j): _real(rng, 0.1, 0.5) for i in range(count) for j in range(i, count)},
            "a": _real(rng, 0.3, 0.9),
            "b": [_real(rng, 0.15, 0.4) for _ in range(count)],
        }

    def _raw_convex(self, name: str) -> dict[str, float]:
        """f(u) = a (1 + (r (u - s))^2)^(3/2) + b u + c."""
        rng = self.rng("convex", name)
        return {
            "a": round(rng.uniform(0.5, 1.2), 3),
            "b": _real(rng, 0.2, 1.0),
            "c": _real(rng, 0.5, 3.0),
            "r": round(rng.uniform(0.5, 0.9), 3),
            "s": _real(rng, 0.2, 0.8),
        }

    def _raw_map(self, name: str, kind: str) -> dict[str, float]:
        """The letters of `families.map`; the sign of q says whether it rises or falls."""
        rng = self.rng("map", name)
        falls = kind == "decreasing" or (kind == "invertible" and rng.random() < 0.5)
        return {
            "k": round(rng.uniform(0.5, 1.9), 3),
            "m": _real(rng, 0.2, 0.9),
            "q": round(rng.uniform(0.6, 1.4), 3) * (-1 if falls else 1),
            "r": round(rng.uniform(0.6, 1.4), 3),
            "s": _real(rng, 0.2, 0.9),
        }

    def may_be(self, name: str, value: float) -> bool:
        """Whether a free letter takes that value: of an interval, that much of the way."""
        symbol = self.survey.symbols.get(name)
        if symbol is None or not symbol.is_variable:
            return True
        if symbol.domain == "values":
            return any(constant(a) == value for a in symbol.args)
        return inside(value, symbol.domain)

    def _raw_mixing(self, name: str, n: int) -> list[list[float]]:
        """A matrix with a determinant of either sign, never near 0."""
        rng = self.rng("mixing", name, n)
        lower = [[_real(rng, 0.1, 0.5) if j < i else float(i == j) for j in range(n)]
                 for i in range(n)]  # fmt: skip
        upper = [[_real(rng, 0.1, 0.5) if j > i else _real(rng, 0.6, 1.4) if i == j else 0.0
                  for j in range(n)] for i in range(n)]  # fmt: skip
        return [[round(sum(lower[i][k] * upper[k][j] for k in range(n)), 6) for j in range(n)]
                for i in range(n)]  # fmt: skip

    # --- densities -------------------------------------------------------------------------------

    def is_discrete(self, slot: str) -> bool:
        return slot not in self.survey.real

    def layout(self, density: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...],
                                            tuple[str, ...]]:  # fmt: skip
        """The slots of a density: discrete events, real events, discrete givens, real givens."""
        events, givens = density.event_slots, density.given_slots
        return (
            tuple(s for s in events if self.is_discrete(s)),
            tuple(s for s in events if not self.is_discrete(s)),
            tuple(s for s in givens if self.is_discrete(s)),
            tuple(s for s in givens if not self.is_discrete(s)),
        )

    def cells(self, spaces: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
        return itertools.product(*(range(self.size(s)) for s in spaces))

    def _raw_mask(self, name: str) -> dict[tuple[int, ...], bool]:
        """Where the discrete part of a density is > 0: cells of (events, givens)."""
        density = self.survey.densities[name]
        events, _, givens, _ = self.layout(density)
        rng = self.rng("mask", name)
        full = dict.fromkeys(self.cells(events + givens), True)
        other = density.dominates
        keep_all = density.positive or self.zeros == "no" or not events
        keep_all = keep_all or (self.zeros == "random" and rng.random() < 0.25)
        if other is not None and other.positive:
            keep_all = True
        if keep_all:
            return full
        rivals = [
            d.name for d in self.survey.densities.values() if d.event_slots == density.event_slots
        ]
        side = (rivals.index(name) + self.index // 6) % 2  # rivals have disjoint supports
        mask = dict.fromkeys(full, False)
        event_cells = list(self.cells(events))
        for given_cell in self.cells(givens):
            if self.zeros == "disjoint":
                kept = [c for c in event_cells if sum(c) % 2 == side]
            else:
                kept = [c for c in event_cells if rng.random() < 0.6]
            for cell in kept or [rng.choice(event_cells)]:
                mask[cell + given_cell] = True
        if other is not None:
            self._dominate(mask, events + givens, other)
        return mask

    def _dominate(
        self, mask: dict[tuple[int, ...], bool], slots: tuple[str, ...], other: Any
    ) -> None:
        events, _, givens, _ = self.layout(other)
        theirs = events + givens
        shared = [(slots.index(s), theirs.index(s)) for s in slots if s in theirs]
        support = {
            tuple(cell[j] for _, j in shared)
            for cell, on in self.raw("mask", other.name).items()
            if on
        }
        for cell in mask:
            if tuple(cell[i] for i, _ in shared) in support:
                mask[cell] = True

    def _raw_mass(self, name: str) -> dict[tuple[int, ...], float]:
        """Unnormalised masses of the discrete part, zero where the mask says so."""
        rng = self.rng("mass", name)
        return {
            cell: round(rng.uniform(0.15, 2.5), 2) if on else 0.0
            for cell, on in self.raw("mask", name).items()
        }

    def _raw_mixture(self, name: str) -> dict[str, Any]:
        """The real part: for each component and each cell of the discrete slots, logits, means and
        slopes; a lower triangular factor of each component's covariance."""
        density = self.survey.densities[name]
        events, real_events, givens, real_givens = self.layout(density)
        size = sum(self.width(s) for s in real_events)
        inputs = sum(self.width(s, density) for s in real_givens)
        rng, at = self.rng("mixture", name), self.location
        cells = list(self.cells(events + givens))
        lower = [
            [
                [
                    round(rng.uniform(0.5, 0.75), 2) if i == j
                    else round(rng.choice((-1, 1)) * rng.uniform(0.1, 0.3), 2) if j < i else 0.0
                    for j in range(size)
                ]
                for i in range(size)
            ]
            for _ in range(COMPONENTS)
        ]  # fmt: skip
        return {
            "size": size,
            "inputs": inputs,
            "weight": {cell: round(rng.uniform(0.25, 0.75), 3) for cell in cells},
            "mean": [
                {cell: [at + _real(rng, 0.1, 0.9) for _ in range(size)] for cell in cells}
                for _ in range(COMPONENTS)
            ],
            "lower": lower,
            "kappa": [round(rng.uniform(0.4, 0.8), 3) for _ in range(inputs)],
            "tilt": [_real(rng, 0.4, 1.2) for _ in range(inputs)],
            "slope": [[[_real(rng, 0.2, 0.5) for _ in range(inputs)] for _ in range(size)]
                      for _ in range(COMPONENTS)],
            "logit": {cell: [_real(rng, 0.3, 1.5) for _ in range(inputs + 1)] for cell in cells},
        }  # fmt: skip

    def width(self, slot: str, density: Any = None) -> int:
        """How many coordinates a letter of a real space has."""
        shape = self.survey.shapes.get(slot, "")
        if density is not None:
            for letter in density.given:
                if letter.space == slot:
                    shape = letter.sized
        return entries(shape, self.dim)

    # --- values in one arithmetic ----------------------------------------------------------------

    def value(self, arithmetic: Arithmetic, key: Key) -> Any:
        full = (arithmetic.name, *key)
        if full not in self._values:
            with decimal.localcontext(arithmetic.context):
                self._values[full] = getattr(self, "_value_" + key[0])(arithmetic, *key[1:])
        return self._values[full]

    def _value_const(self, a: Arithmetic, over: int, under: int) -> Num:
        return a.make(over) / a.make(under)

    def _value_pi(self, a: Arithmetic) -> Num:
        return a.pi

    def _value_location(self, a: Arithmetic) -> Num:
        return a.number(self.location)

    def _value_nan(self, a: Arithmetic) -> Num:
        return a.nan

    def _value_range(self, a: Arithmetic, space: str) -> range:
        return range(self.size(space))

    def _value_weights(self, a: Arithmetic, space: str) -> list[Num]:
        return [a.number(w) for w in self.raw("weights", space)]

    def _value_coordinate(self, a: Arithmetic, space: str, component: int) -> list[Num]:
        return [a.number(point[component]) for point in self.raw("coordinates", space)]

    def _value_param(self, a: Arithmetic, name: str, domain: str) -> Num:
        return a.number(self.raw("param", name, domain))

    def _value_vector(self, a: Arithmetic, name: str, component: int) -> Num:
        if self.survey.kind_of(name)[0] == "direction":
            return self.value(a, ("mirrored", name, self.extent(name)[0]))[component][0]
        return a.number(self.raw("vector", name)[component])

    def _value_covariance(self, a: Arithmetic, name: str, i: int, j: int) -> Num:
        kind, together = self.survey.kind_of(name)
        if kind != "commuting":
            return a.number(self.raw("covariance", name)[i][j])
        axes = self.value(a, ("mirrored", together, self.extent(name)[0]))
        sizes = [a.number(v) for v in self.raw("spectrum", name)]
        return _dot([u * s for u, s in zip(axes[i], sizes, strict=True)], axes[j])

    def _value_matrix(self, a: Arithmetic, name: str, i: int, j: int) -> Num:
        match self.survey.kind_of(name)[0]:
            case "orthogonal":
                return self.value(a, ("mirrored", name, self.extent(name)[0]))[i][j]
            case "diagonal" if i != j:
                return a.number(0)
            case "symmetric":
                i, j = max(i, j), min(i, j)
        return a.number(self.raw("matrix", name)[i][j])

    def _value_mirrored(self, a: Arithmetic, name: str, size: int) -> list[list[Num]]:
        """An orthogonal matrix."""
        rows = [[a.number(int(i == j)) for j in range(size)] for i in range(size)]
        for mirror in self.raw("mirrors", name, size):
            normal = [a.number(v) for v in mirror]
            square = _dot(normal, normal)
            rows = [
                [v - 2 * _dot(row, normal) * n / square for v, n in zip(row, normal, strict=True)]
                for row in rows
            ]
        return rows

    def _value_natural(self, a: Arithmetic, name: str) -> int:
        return int(self.raw("natural", name))

    def _value_seq(self, a: Arithmetic, name: str, domain: str) -> _Members:
        return _Members(self, a, name, domain)

    def _value_ftab(self, a: Arithmetic, name: str, spaces: tuple[str, ...]) -> Any:
        return each(self.raw("ftab", name, spaces), a.number)

    def _value_fn(self, a: Arithmetic, name: str, count: int, *path: Any) -> Num:
        found = self.raw("fn", name, count)
        for step in path:
            found = found[step]
        return a.number(found)

    def _value_fbound(self, a: Arithmetic, name: str, side: int) -> Num:
        return a.number(self.survey.bounds[("fn", name)][side])

    def _value_convex(self, a: Arithmetic, name: str, letter: str) -> Num:
        return a.number(self.raw("convex", name)[letter])

    def _value_map(self, a: Arithmetic, name: str, kind: str, letter: str) -> Num:
        return a.number(self.raw("map", name, kind)[letter])

    def _value_mixing(self, a: Arithmetic, name: str, n: int, i: int, j: int) -> Num:
        return a.number(self.raw("mixing", name, n)[i][j])

    def _value_joint(self, a: Arithmetic, name: str) -> dict[tuple[int, ...], Num]:
        """Normalised masses over the cells of (discrete events, discrete givens)."""
        events, _, _, _ = self.layout(self.survey.densities[name])
        mass = {cell: a.number(v) for cell, v in self.raw("mass", name).items()}
        weights = [self.value(a, ("weights", s)) for s in events]
        totals: dict[tuple[int, ...], Num] = {}
        for cell, v in mass.items():
            given = cell[len(events) :]
            for w, i in zip(weights, cell[: len(events)], strict=True):
                v = v * w[i]
            totals[given] = totals.get(given, a.number(0)) + v
        return {cell: v / totals[cell[len(events) :]] for cell, v in mass.items()}

    def _value_marginal(
        self, a: Arithmetic, name: str, kept: tuple[str, ...]
    ) -> dict[tuple[int, ...], Num]:
        """The masses of the slots kept, the other discrete events integrated out."""
        events, _, givens, _ = self.layout(self.survey.densities[name])
        slots = events + givens
        places = [slots.index(s) for s in kept]
        dropped = [(i, self.value(a, ("weights", s))) for i, s in enumerate(slots) if s not in kept]
        out: dict[tuple[int, ...], Num] = {}
        for cell, v in self.value(a, ("joint", name)).items():
            for i, w in dropped:
                v = v * w[cell[i]]
            to = tuple(cell[i] for i in places)
            out[to] = out.get(to, a.number(0)) + v
        return out

    def _value_dens(
        self, a: Arithmetic, name: str, event: tuple[str, ...], given: tuple[str, ...]
    ) -> Any:
        """A table indexed [events..., givens...]; undefined given an event of mass zero."""
        own = self.survey.densities[name].event_slots
        top = self.value(a, ("marginal", name, event + given))
        if any(s in own for s in given):
            below = self.value(a, ("marginal", name, given))
            n = len(event)
            top = {c: v / below[c[n:]] if below[c[n:]] else a.nan for c, v in top.items()}
        return self._nest(top, event + given)

    def _nest(self, cells: dict[tuple[int, ...], Any], spaces: tuple[str, ...]) -> Any:
        def build(prefix: tuple[int, ...]) -> Any:
            if len(prefix) == len(spaces):
                return cells[prefix]
            return [build((*prefix, i)) for i in range(self.size(spaces[len(prefix)]))]

        return build(())

    def _slots(self, name: str) -> tuple[str, ...]:
        events, _, givens, _ = self.layout(self.survey.densities[name])
        return events + givens

    def _value_mask(self, a: Arithmetic, name: str) -> Any:
        cells = {c: a.number(int(on)) for c, on in self.raw("mask", name).items()}
        return self._nest(cells, self._slots(name))

    def _value_logit(self, a: Arithmetic, name: str, i: int) -> Any:
        cells = {c: a.number(v[i]) for c, v in self.raw("mixture", name)["logit"].items()}
        return self._nest(cells, self._slots(name))

    def _value_mixweight(self, a: Arithmetic, name: str, k: int) -> Any:
        """The weight of a component."""
        cells = {
            c: a.number(v) if k == 0 else a.number(1) - a.number(v)
            for c, v in self.raw("mixture", name)["weight"].items()
        }
        return self._nest(cells, self._slots(name))

    def _value_mixmean(self, a: Arithmetic, name: str, k: int, i: int) -> Any:
        cells = {c: a.number(v[i]) for c, v in self.raw("mixture", name)["mean"][k].items()}
        return self._nest(cells, self._slots(name))

    def _value_mixture(self, a: Arithmetic, name: str, *path: Any) -> Num:
        found = self.raw("mixture", name)
        for step in path:
            found = found[step]
        return a.number(found)

    def _value_precision(
        self, a: Arithmetic, name: str, k: int, kept: tuple[int, ...]
    ) -> tuple[list[list[Num]], Num]:
        """The inverse covariance of some coordinates, and the density's constant."""
        lower = [[a.number(v) for v in row] for row in self.raw("mixture", name)["lower"][k]]
        cov = [[_dot(lower[i], lower[j]) for j in kept] for i in kept]
        inverse, det = invert(cov, a)
        norm = a.number(1) / a.sqrt(det * (2 * a.pi) ** len(kept))
        return inverse, norm

    def _value_prec(
        self, a: Arithmetic, name: str, k: int, kept: tuple[int, ...], i: int, j: int
    ) -> Num:
        return self.value(a, ("precision", name, k, kept))[0][i][j]

    def _value_norm(self, a: Arithmetic, name: str, k: int, kept: tuple[int, ...]) -> Num:
        return self.value(a, ("precision", name, k, kept))[1]


class _Members(dict[int, Num]):
    """The members of a sequence, drawn when an index is first used."""

    def __init__(self, world: World, arithmetic: Arithmetic, name: str, domain: str) -> None:
        super().__init__()
        self._of = world, arithmetic, name, domain

    def __missing__(self, index: int) -> Num:
        world, arithmetic, name, domain = self._of
        self[index] = value = arithmetic.number(world.raw("member", name, domain, index))
        return value


def _real(rng: random.Random, low: float = 0.25, high: float = 1.8) -> float:
    return round(rng.choice((-1, 1)) * rng.uniform(low, high), 3)


def _draw(domain: str, rng: random.Random, reach: float = 1.0, corner: int | None = None) -> float:
    if domain == "integer":
        return float(rng.randint(-5, 5))
    if domain in ("bit", "count"):
        return float(rng.randint(0, 1 if domain == "bit" else 5))
    if domain == "natural":
        return float(rng.randint(1, 4 if reach == 1 else 12 if reach == 10 else 100))
    scale = 1.0
    if reach > 1:  # large or small
        up = rng.choice((-1, 1)) if corner is None else 1 - 2 * (corner % 2)
        scale = math.exp(up * rng.uniform(0.7, 1) * math.log(reach))
    if domain == "real":
        value = _real(rng) if corner is None else abs(_real(rng)) * (1 - corner // 2 * 2)
        return _short(value * scale)
    if domain == "unit":
        far = rng.uniform(0.06, 0.94) * min(scale, 1 / scale)
        return round(far if scale <= 1 else 1 - far, 7)
    if domain == "at_least_one" and rng.random() < 0.15:
        return 1.0
    if domain == "at_least_one":
        return round(1 + rng.uniform(0.05, 1.7) ** 2 * scale, 7)
    if domain == "nonnegative" and rng.random() < 0.15:
        return 0.0
    if domain in ("positive", "nonnegative"):
        return _short(math.exp(rng.uniform(math.log(0.25), math.log(3.0))) * scale)
    raise NotationError(f"domain {domain!r} has no random values")


def _short(value: float) -> float:
    """With few digits, so that it can be shown."""
    return round(value, 3) if 0.2 < abs(value) < 10 else float(f"{value:.3g}")


def inside(value: Any, domain: str, bounds: Bounds = EVERYWHERE) -> bool:
    """Whether a number is of the domain, and in closed bounds."""
    low, high = DOMAIN[domain]
    open_ = domain in ("positive", "unit", "interval")
    if value != value or not (low < value < high if open_ else low <= value <= high):
        return False
    whole = domain in ("natural", "bit", "count", "integer")
    return bool(bounds[0] <= value <= bounds[1]) and (not whole or value == int(value))


def candidates(key: Key, rng: random.Random, bounds: Bounds) -> list[Any]:
    """Values to try for a letter, near and far."""
    if key[0] == "natural":
        low = max(1, math.ceil(bounds[0])) if math.isfinite(bounds[0]) else 1
        values: list[Any] = [*range(low, low + 13), 2 * low + 20, 100 * low]
        return [v for v in values if inside(v, "natural", bounds)]
    domain = key[2]
    values = [_draw(domain, rng, reach) for reach in (1, 1, 10, 10, 100, 100, 1e4, 1e4, 1e6)]
    rng.shuffle(values)
    return [v for v in [*values, 1.0, 0.0] if inside(v, domain, bounds)]


def each(table: Any, f: Callable[[Any], Any]) -> Any:
    return [each(t, f) for t in table] if isinstance(table, list) else f(table)


def _dot(u: list[Num], v: list[Num]) -> Num:
    return sum((a * b for a, b in zip(u[1:], v[1:], strict=True)), u[0] * v[0])


def invert(matrix: list[list[Num]], a: Arithmetic) -> tuple[list[list[Num]], Num]:
    """The inverse and determinant of a positive definite matrix (no pivoting needed)."""
    n = len(matrix)
    rows = [[*row, *(a.number(int(i == j)) for j in range(n))] for i, row in enumerate(matrix)]
    det = a.number(1)
    for i in range(n):
        pivot = rows[i][i]
        det = det * pivot
        rows[i] = [v / pivot for v in rows[i]]
        for k in range(n):
            if k != i:
                factor = rows[k][i]
                rows[k] = [v - factor * w for v, w in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows], det
