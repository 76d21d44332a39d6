"""Worlds for the claims of the kernel: a number for each letter, a function for each function.

An integral over one letter is a sum over a grid, an expectation the integral of its argument and
its densities. A density is a mixture of two in each of which its letters are independent, so that
what it leaves of fewer letters is known. What no rule of the kernel speaks of, such as ln(-1) and
1/0, is some number here too. Each world is built on two grids: where they differ nothing is said.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from genmath.proof.kernel.claims import Claim, Function
from genmath.proof.kernel.terms import Fact, Term, spoken

CELLS, MOST = 2_000_000, 15_000_000  # at once; in all
GRIDS = ((1.0, 0.004), (0.75, 0.006))  # how fine; the step of differences
OFFSETS = np.array([1, 2, 3, -1, -2, -3])
WEIGHTS = np.array([45, -9, 1, -45, 9, -1]) / 60
TRIES, ENOUGH, DRAWS = 40, 3, 400
LIMITED = ("sum", "product", "between")
OF_DENSITIES = ("integrates to one", "is > 0", "is >= 0", "are >= 0", "far out", "keeps signs")
CANDIDATES: tuple[Callable[[Any], Any], ...] = (
    lambda z: z, np.exp, lambda z: 0.5 + 0.4 * z, lambda z: 1 + np.exp(z),
    lambda z: -np.exp(z), lambda z: 1.0 * (z > 0), lambda z: 0.0 * z, lambda z: 1 + 0.0 * z,
)  # fmt: skip


class NoWorld(ArithmeticError):
    """Nothing is to be said of it here."""


class TooLarge(Exception):
    """Nor in any other."""


@dataclass
class Measure:
    """Points and weights; `at` gives the place on the grid's own line, and the slope there."""

    points: Any
    weights: Any
    at: Callable[[Any], tuple[Any, Any]] | None
    spread: float = 0.6


@dataclass
class Family:
    """A density of all of its letters: which measure each of them has, "" for a parameter."""

    name: str
    measures: list[str]


@dataclass
class World:
    claim: Claim
    seed: Any
    letters: dict[str, float]
    grid: tuple[float, float] = GRIDS[0]
    family: dict[str, tuple[Family, tuple[int, ...]]] = field(default_factory=dict)
    defined: dict[str, tuple[Term, ...]] = field(default_factory=dict)
    measured: dict[str, Measure] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)  # by slope: the function that is chosen
    cells: int = 0

    def __post_init__(self) -> None:
        functions = self.claim.functions
        left = {other for f in functions.values() for _, other in f.margins}
        tops = [n for n, f in functions.items() if f.margins and n not in left]
        for name in tops:
            f = functions[name]
            measures = [m for m, _ in f.margins] + [""] * (len(f.takes) - len(f.margins))
            self._assign(name, Family(name, measures), tuple(range(len(f.takes))))
        if any(f.margins and n not in self.family for n, f in functions.items()):
            raise NoWorld("densities that leave one another")
        slopes = {f.slope for f in functions.values() if f.slope}
        for name in sorted(functions, key=lambda n: (functions[n].slope != n, n not in slopes)):
            self.first.setdefault(functions[name].slope, name)
        for name in functions:
            self._height(name)
        for name, f in functions.items():
            if f.ratio:
                self.defined[name] = ("/", *f.ratio)
        for name, f in functions.items():
            if f.chain:
                self._chain(name, f)

    def _height(self, name: str) -> None:
        above, k = name, 0
        while (before := self.first.get(above)) and before != above:
            above, k = before, k + 1
            if k > len(self.claim.functions):
                raise NoWorld("functions that are slopes of one another")

    def _assign(self, name: str, family: Family, slots: tuple[int, ...]) -> None:
        if self.family.setdefault(name, (family, slots))[1] != slots:
            raise NoWorld("a density that is left twice")
        f = self.claim.functions[name]
        for i, (measure, other) in enumerate(f.margins):
            if i >= len(slots) or (measure and measure != family.measures[slots[i]]):
                raise NoWorld("two integrals over one letter")
            if other:
                self._assign(other, family, (*slots[:i], *slots[i + 1 :]))

    def _chain(self, name: str, f: Function) -> None:
        """j(x, z) = p(x) p(z|x): the second is their quotient, where j is a density by itself."""
        own = self.family.get(name)
        for k in (1, 0):
            factor, other = f.chain[k], f.chain[1 - k]
            if not isinstance(factor, tuple) or factor[0] not in self.claim.functions:
                continue
            places = [a[1] if isinstance(a, tuple) and a[0] == "#" else -1 for a in factor[1:]]
            there = self.family.get(factor[0])
            same = own is not None and there is not None and there[0] is own[0]
            if sorted(places) == [*range(len(f.takes))] and factor[0] not in self.defined:
                if own is None:
                    self.defined[name] = ("*", *f.chain)
                    return
                if not same:
                    back = tuple(("#", places.index(i)) for i in range(len(places)))
                    self.defined[factor[0]] = ("/", (name, *back), _moved(other, back))
                    return
        if own is None:
            self.defined[name] = ("*", *f.chain)

    def _spend(self, cells: int, axes: int) -> None:
        self.cells += cells
        if cells > CELLS or self.cells > MOST or axes > 12:
            raise TooLarge

    def number(self, *what: Any) -> float:
        """By chance, between 0 and 1."""
        return random.Random(f"{self.seed!r}{what!r}").random()

    # --- terms

    def holds(self, fact: Fact, bound: tuple[Any, ...] = (), slack: float = 0.0) -> bool:
        sign, left, right = fact
        a, b = (self.one(t, bound) for t in (left, right))
        slack *= 1 + abs(a) + abs(b)
        match sign:
            case "=":
                return abs(a - b) <= slack
            case "!=":
                return a != b
        return a <= b + slack if sign == "<=" else a < b + slack

    def lies(self, where: Fact, value: float) -> bool:
        """Whether a value is where it is declared to be; what is less is so by no rounding."""
        return self.holds(where, (value,), 0.0 if where[0] == "<" else 1e-9)

    def one(self, t: Term, bound: tuple[Any, ...] = ()) -> float:
        with np.errstate(all="ignore"):
            found = float(np.asarray(self(t, bound, ())))
        if not abs(found) < 1e8:
            raise NoWorld("too large, or no number")
        return found

    def __call__(self, t: Term, bound: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        """On axes of that shape, one for each letter that is summed over."""
        if isinstance(t, Fraction):
            return float(t)
        if isinstance(t, str):
            return self.letters[t]
        match t[0]:
            case "#":
                return bound[t[1]]
            case "^":
                return self(t[1], bound, shape) ** t[2]
            case "Deriv":
                return self._slope(t[1][2], self(t[2], bound, shape), bound, shape)
        if any(isinstance(a, tuple) and a[0] == "=>" for a in t[1:]):
            return self._functional(t, bound, shape)
        return self._function(t[0], [self(a, bound, shape) for a in t[1:]], shape)

    def _slope(self, body: Term, x: Any, bound: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        step = self.grid[1]
        self._spend(len(OFFSETS) * math.prod(shape), len(shape))
        axis = (len(OFFSETS), *[1] * len(shape))
        found = self(body, (x + step * OFFSETS.reshape(axis), *bound), (len(OFFSETS), *shape))
        return np.sum(WEIGHTS.reshape(axis) * found, axis=0) / step

    def _function(self, name: str, args: list[Any], shape: tuple[int, ...]) -> Any:
        match name:
            case "+":
                return sum(args[1:], start=args[0])
            case "*":
                return math.prod(args[1:], start=args[0])
            case "-":
                return -args[0]
            case "/":
                return _total(args[1], args[1] != 0, lambda u: args[0] / u, self.number("/"))
            case "abs":
                return abs(args[0])
            case "ln":
                other = self.number("ln") * np.log(abs(args[0])) + self.number("ln", 1)
                return _total(args[0], args[0] > 0, np.log, np.where(args[0] == 0, 1.0, other))
            case "sqrt":
                other = np.sqrt(abs(args[0])) * self.number("sqrt") - 0.3
                return _total(args[0], args[0] >= 0, np.sqrt, other)
            case "exp" | "sin" | "cos":
                return getattr(np, name)(args[0])
            case "log_gap":
                return args[0] - 1 - self._function("ln", args, shape)
            case "normal":
                x, m, v = args
                spread = self._function("/", [(x - m) ** 2, 2 * v], shape)
                root = self._function("sqrt", [2 * math.pi * v], shape)
                return self._function("/", [np.exp(-spread), root], shape)
            case "power":
                log = self._function("ln", args[:1], shape)
                return _total(args[0], args[0] > 0, lambda _: np.exp(args[1] * log), 0.4)
        if name not in self.claim.functions:
            raise NoWorld("a function of which no world knows")
        declared = self.claim.functions[name]
        if declared.kind == "indicator":
            return np.where(args[0] > 0, 1.0, 0.0)
        if name in self.defined:
            return self(self.defined[name], tuple(args), shape)
        if name in self.family:
            return self._density(name, args)
        if declared.slope == name:
            return np.exp(args[0])
        if name in self.first:
            return self._slope((self.first[name], ("#", 0)), args[0], (), shape)
        if declared.slope and self.first[declared.slope] != name:
            return self._function(self.first[declared.slope], args, shape) + self.number(name)
        place = self.number(name)
        z = np.sin(place + sum((k + 1 + place) * a for k, a in enumerate(args)))
        return self._valued(declared)(z)

    def _valued(self, declared: Function) -> Callable[[Any], Any]:
        """What takes numbers between -1 and 1 to values as they are declared."""
        for candidate in CANDIDATES if declared.values else CANDIDATES[:1]:
            tried = [float(candidate(np.asarray(z))) for z in (-1, -0.3, 0.2, 0.9)]
            if all(self.lies(f, z) for f in declared.values for z in tried):
                return candidate
        raise NoWorld("no such values")

    # --- integrals, and what else takes functions

    def _functional(self, t: Any, bound: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        declared = self.claim.functions[t[0]]
        if declared.kind and declared.values:
            raise NoWorld("values of what is linear")
        if any(getattr(declared, more, "") for more in ("unit", "points", "inverse")):
            raise NoWorld("vectors")
        if declared.kind in LIMITED and declared.takes == (1, 0, 0):
            return self._limited(t, declared, bound, shape)
        if declared.kind in ("KL", "JS", "TV", "H"):
            return self(_meaning(t, declared), bound, shape)
        letters, weights, axes = self._points(t[0], declared, len(shape))
        m = len(axes)
        wider = (*axes, *shape)
        self._spend(math.prod(wider), len(wider))
        inside = (*letters, *bound)
        bodies = [a[2] for a in t[1:] if isinstance(a, tuple) and a[0] == "=>"]
        body, *densities = (self(b, inside, wider) for b in bodies)
        numbers = [self(a, bound, shape) for a in t[1:] if not isinstance(a, tuple) or a[0] != "=>"]
        place = self.number(t[0])
        around = sum((k + 1 + place) * a for k, a in enumerate(numbers))
        over = tuple(range(m))
        if declared.kind in ("sum", "integral", "expectation") and numbers:
            weights = weights * np.exp(0.3 * np.sin(place + around))
        if declared.kind in ("between", "endless"):
            weights = weights * np.sin(place + around)
        if declared.kind == "expectation":
            by = math.prod(densities[1:], start=densities[0])
            return np.sum(weights * np.where(by > 0, by * body, 0.0), axis=over)
        if declared.kind == "product":
            return np.prod(body * np.ones(np.shape(weights)), axis=over)
        if declared.kind in ("sum", "integral", "between", "endless"):
            return np.sum(weights * body, axis=over)
        if declared.kind:
            raise NoWorld("a kind of which no world knows")
        seen = sum(
            np.sum(weights * b, axis=over) / (k + 1) for k, b in enumerate([body, *densities])
        )
        return self._valued(declared)(np.sin(place + around + seen))

    def _limited(self, t: Any, f: Function, bound: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        """From one number to another: an integral by points of its own, or a sum or product."""
        low, high = (self(a, bound, shape) for a in t[2:])
        if f.kind == "between":
            nodes, weights = np.polynomial.legendre.leggauss(round(16 / self.grid[0]))
            half, middle = (high - low) / 2, (high + low) / 2
        else:
            if np.ndim(low) or np.ndim(high) or high - low > 50:
                raise NoWorld("a sum between what moves")
            nodes = np.arange(max(math.floor(high - low + 1e-9) + 1, 0))
            weights = np.ones(len(nodes))
            half, middle = 1.0, low
        axis = (len(nodes), *[1] * len(shape))
        self._spend(len(nodes) * math.prod(shape), len(shape) + 1)
        letter = middle + half * nodes.reshape(axis)
        body = self(t[1][2], (letter, *bound), (len(nodes), *shape))
        body = body * np.ones(axis)
        if f.kind == "product":
            return np.prod(body, axis=0)
        return half * np.sum(weights.reshape(axis) * body, axis=0)

    def _points(self, name: str, f: Function, rank: int) -> tuple[list[Any], Any, tuple[int, ...]]:
        """Letters, the weight of each place, and the axes that they lie on."""
        if f.each:
            found = [self.measure(n) for n in f.each]
            sizes = tuple(len(m.points) for m in found)
            shapes = [
                (*[1] * i, n, *[1] * (len(sizes) - 1 - i + rank)) for i, n in enumerate(sizes)
            ]
            pairs = list(zip(found, shapes, strict=True))
            weights = math.prod((m.weights.reshape(s) for m, s in pairs), start=1.0)
            return [m.points.reshape(s) for m, s in pairs], weights, sizes
        table = self._places(name, f)
        shape = (len(table), *[1] * rank)
        weights = np.array([0.4 + self.number(name, "weight", k) for k in range(len(table))])
        if f.kind == "sum":
            weights = np.ones(len(table))
        letters = [np.array(c).reshape(shape) for c in zip(*table, strict=True)]
        return letters, weights.reshape(shape), shape[:1]

    def _places(self, name: str, f: Function) -> list[tuple[float, ...]]:
        """Three where it may look."""
        chance = random.Random(f"{self.seed!r}{name!r} places")
        found: list[tuple[float, ...]] = []
        for _ in range(600):
            if len(found) == 3:
                return found
            place = tuple(_some(chance) for _ in range(max(f.takes)))
            if all(self.holds(r, place) for r in f.ranges):
                found.append(place)
        raise NoWorld("no place where it looks")

    def measure(self, name: str) -> Measure:
        if name not in self.measured:
            self.measured[name] = self._measure(name)
        return self.measured[name]

    def _measure(self, name: str) -> Measure:
        f, fine = self.claim.functions[name], self.grid[0]
        ends = [one for r in f.ranges if (one := _end(r))]
        if len(ends) < len(f.ranges):
            places = np.array([x for (x,) in self._places(name, f)])
            return Measure(places, np.array([0.4 + self.number(name, x) for x in places]), None)
        low = max([self.one(t) for side, t in ends if side == "low"], default=-math.inf)
        high = min([self.one(t) for side, t in ends if side == "high"], default=math.inf)
        if low >= high:
            raise NoWorld("an empty interval")
        if low == -math.inf and high == math.inf:
            step = 0.4 * fine
            t = (np.arange(round(36 / fine)) + 0.5) * step - 7.2
            return Measure(t, np.full(len(t), step), lambda x: (x, 1.0))
        step = 0.17 * fine
        t = (np.arange(round(40 / fine)) + 0.5) * step - 3.4
        if high == math.inf or low == -math.inf:
            end, s = (low, 1) if high == math.inf else (high, -1)

            def half(x: Any) -> tuple[Any, Any]:
                off = np.maximum(s * (x - end), 1e-9)
                return np.log(off), 1 / off

            return Measure(end + s * np.exp(t), step * np.exp(t), half, 0.33)
        width = high - low

        def within(x: Any) -> tuple[Any, Any]:
            u = np.clip((x - low) / width, 1e-9, 1 - 1e-9)
            return np.log(u / (1 - u)), 1 / (u * (1 - u)) / width

        u = 1 / (1 + np.exp(-t))
        return Measure(low + width * u, step * width * u * (1 - u), within, 0.33)

    def _density(self, name: str, args: list[Any]) -> Any:
        family, slots = self.family[name]
        parameters = [(s, a) for s, a in zip(slots, args, strict=True) if not family.measures[s]]
        number = self.number

        def moved(k: int, s: int) -> Any:
            own = number(family.name, "mean", k, s) - 0.5
            return own + sum(
                0.4 * np.sin(number(family.name, k, s, q) * 2 * a + q) for q, a in parameters
            )

        total: Any = 0.0
        share = 0.3 + 0.3 * number(family.name, "share")
        for k, part in enumerate((share, 1 - share)):
            for s, a in zip(slots, args, strict=True):
                if not family.measures[s]:
                    continue
                measure = self.measure(family.measures[s])
                wide = measure.spread * (1 + 0.4 * number(family.name, "wide", k, s))
                mean = moved(k, s) * measure.spread * 2
                if measure.at is None:
                    above = np.exp(np.sin(3 * a + mean))
                    below = sum(
                        w * np.exp(np.sin(3 * x + mean))
                        for x, w in zip(measure.points, measure.weights, strict=True)
                    )
                    part = part * above / below
                    continue
                t, slope = measure.at(a)
                bell = np.exp(-(((t - mean) / wide) ** 2) / 2) / (wide * math.sqrt(2 * math.pi))
                part = part * bell * slope
            total = total + part
        return total

    # --- whether it is what the claim supposes

    @cached_property
    def lawful(self) -> bool:
        """Densities leave what they are said to leave, and are quotients and products as said."""
        for name, f in self.claim.functions.items():
            seen = f.margins or f.ratio or f.chain or f.slope
            if not (seen or (name in self.first and f.values)):
                continue
            at = tuple(self.number(name, "at", k) + 0.1 for k in range(len(f.takes)))
            here: Term = (name, *(("#", k) for k in range(len(at))))
            for k in range(-12, 13):
                moved = (*(a + 0.3 * k for a in at),)
                if not all(self.lies(v, self.one(here, moved)) for v in f.values):
                    return False
            pairs: list[tuple[Term, Term]] = []
            if f.slope:
                slope = ("Deriv", ("=>", 1, (name, ("#", 0))), ("#", 0))
                pairs.append((slope, (f.slope, ("#", 0))))
            pairs += [(here, ("/", *f.ratio))] * bool(f.ratio)
            pairs += [(here, ("*", *f.chain))] * bool(f.chain)
            for i, (measure, other) in enumerate(f.margins):
                if measure:
                    inner = [("#", 0) if k == i else ("#", k + 1) for k in range(len(at))]
                    rest = [("#", k) for k in range(len(at)) if k != i]
                    whole = (measure, ("=>", 1, (name, *inner)))
                    pairs.append((whole, (other, *rest) if other else Fraction(1)))
            if not all(abs(self.one(a, at) - self.one(b, at)) < 1e-5 for a, b in pairs):
                return False
        return True


def _total(u: Any, fits: Any, rule: Callable[[Any], Any], other: Any) -> Any:
    """What is some number where its rule does not apply."""
    if isinstance(u, float):
        return rule(u) if fits else other
    return np.where(fits, rule(np.where(fits, u, 1.0)), other)


def _some(chance: random.Random) -> float:
    ways = (chance.gauss(0, 1), chance.random(), 1 + 2 * chance.random(), -chance.random(),
            float(chance.randint(0, 4)))  # fmt: skip
    return chance.choice(ways)


def _end(fact: Fact) -> tuple[str, Term] | None:
    sign, left, right = fact
    if sign in ("<", "<=") and right == ("#", 0) and not spoken(left):
        return "low", left
    if sign in ("<", "<=") and left == ("#", 0) and not spoken(right):
        return "high", right
    return None


def _moved(t: Term, places: Sequence[Term]) -> Term:
    """With other terms for the letters bound around it."""
    if not isinstance(t, tuple):
        return t
    if t[0] == "#":
        return places[t[1]]
    return (t[0], *(_moved(a, places) if not isinstance(a, int) else a for a in t[1:]))


def _meaning(t: Any, f: Function) -> Term:
    """What the kernel's law of this name says."""
    p, q = t[1], t[-1]

    def mean(body: Term, by: Any) -> Term:
        return (f.by, ("=>", by[1], ("ln", body)), by)

    match f.kind:
        case "H":
            return ("-", mean(p[2], p))
        case "KL":
            return mean(("/", p[2], q[2]), p)
        case "TV":
            return ("/", (f.by, ("=>", p[1], ("abs", ("+", p[2], ("-", q[2]))))), Fraction(2))
    middle = ("/", ("+", p[2], q[2]), Fraction(2))
    return ("/", ("+", *(mean(("/", u[2], middle), u) for u in (p, q))), Fraction(2))


# --- a claim in some worlds


def truth(claim: Claim, chance: random.Random, supposed: Iterable[str] | None = None) -> str:
    """Under what is given, and the laws and earlier results that it rests on: all, or those that
    are named."""
    if supposed is None:
        return _truth(claim, chance, [f for _, f in claim.results])
    named = frozenset(supposed)
    results = [f for n, f in claim.results if f"the result {n}" in named]
    found = _truth(claim, chance, results)
    functions = {n: _less(n, f, named) for n, f in claim.functions.items()}
    if found == "not evaluated" and functions != claim.functions:
        return _truth(replace(claim, functions=functions), chance, results)
    return found


def _truth(claim: Claim, chance: random.Random, results: list[Fact]) -> str:
    seen = 0
    for _ in range(TRIES):
        try:
            found = _tried(claim, chance, results)
        except TooLarge:
            break
        except (ArithmeticError, ValueError, RecursionError):
            continue
        if found is False:
            return "FALSE"
        seen += found is True
        if seen == ENOUGH:
            break
    return "true" if seen else "not evaluated"


def _less(name: str, f: Function, named: frozenset[str]) -> Function:
    """As it is declared, without what no law that is named says of it."""
    densities = any(law.endswith(OF_DENSITIES) for law in named)
    return replace(
        f,
        margins=f.margins if densities else (),
        ratio=f.ratio if f"{name} is a quotient of densities" in named else (),
        chain=f.chain if f"{name} is a product of densities" in named else (),
    )


def _tried(claim: Claim, chance: random.Random, results: list[Fact]) -> bool | None:
    """In one world; None where it is none that the claim speaks of."""
    seed = chance.random()
    letters = _letters(claim, chance, seed)
    worlds = [World(claim, seed, letters, grid) for grid in GRIDS]
    first = worlds[0]
    for fact in (*claim.given, *results, *_instances(claim, first, chance)):
        if not all(w.holds(fact, (), 1e-7 if fact[0] == "=" else 0.0) for w in worlds):
            return None
    if not first.lawful:
        return None
    sign, left, right = claim.states
    slack = 1e-5
    for t in (left, right):
        a, b = (w.one(t) for w in worlds)
        slack += 10 * abs(a - b) / (1 + abs(a))
    if slack > (2e-5 if sign == "=" else 0.1):
        raise NoWorld("two grids differ")
    return first.holds(claim.states, (), slack + (1e-4 if sign == "=" else 0.0))


def _letters(claim: Claim, chance: random.Random, seed: float) -> dict[str, float]:
    """As what is given says, where that is of numbers alone."""
    functions = claim.functions.keys()
    plain = [g for g in claim.given if not any(_names(t) & functions for t in g[1:])]
    names = sorted(claim.read.letters - {"PI"})
    for _ in range(DRAWS):
        letters = {n: chance.choice((1, 1, -1, 0.3, 2)) * (0.2 + chance.random()) for n in names}
        letters |= {n: float(chance.randint(0, 5)) for n in sorted(claim.whole)}
        letters["PI"] = math.pi
        world = World(claim, seed, letters)
        for equation in (g for g in plain if g[0] == "="):
            _solve(world, equation, chance)
        if all(world.holds(g, (), 1e-9 if g[0] == "=" else 0.0) for g in plain):
            return letters
    raise NoWorld("no such letters")


def _solve(world: World, equation: Fact, chance: random.Random) -> None:
    """For one of its letters, if there is a change of sign."""
    names = sorted(
        set().union(*(_names(t) for t in equation[1:]))
        & world.letters.keys() - {"PI", *world.claim.whole}
    )
    if not names or world.holds(equation, (), 1e-9):
        return
    name, gap = chance.choice(names), ("+", equation[1], ("-", equation[2]))

    def at(x: float) -> float:
        world.letters[name] = x
        return world.one(gap)

    kept = world.letters[name]
    grid = [k / 7.3 for k in range(-22, 23)]
    values = [at(x) for x in grid]
    changes = [k for k in range(len(grid) - 1) if values[k] * values[k + 1] <= 0]
    if not changes:
        world.letters[name] = kept
        return
    k = chance.choice(changes)
    a, b, low = grid[k], grid[k + 1], values[k]
    for _ in range(60):
        middle = (a + b) / 2
        a, b = (middle, b) if at(middle) * low > 0 else (a, middle)
    at((a + b) / 2)


def _instances(claim: Claim, world: World, chance: random.Random) -> Iterable[Fact]:
    """What is given of all numbers, of some."""
    for m, premises, fact in claim.always:
        tried = 0
        for _ in range(200):
            values = tuple(_some(chance) for _ in range(m))
            if tried < 30 and all(world.holds(p, values) for p in premises):
                tried += 1
                if not world.holds(fact, values, 1e-7 if fact[0] == "=" else 0.0):
                    raise NoWorld("not of all numbers")
    return ()


def _names(t: Term) -> set[str]:
    if isinstance(t, str):
        return {t}
    if not isinstance(t, tuple):
        return set()
    return {t[0]}.union(*(_names(a) for a in t[1:] if not isinstance(a, int)))
