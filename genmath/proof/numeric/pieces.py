"""Quadrature of what has corners or jumps that nobody wrote down, as |p - q| where p = q.

What is read for its sign is followed along the nodes; where it changes, the integral is cut, and
each piece is integrated by Gauss-Legendre, in the coordinate in which the nodes lie evenly.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from genmath.proof.numeric.arithmetic import Arithmetic, Num
from genmath.proof.numeric.graph import Scalar
from genmath.proof.numeric.quadrature import LEVELS, Node, even, grid, node

READ = ("abs", "pos", "ind", "sign", "sqrt")
POSITIVE = ("exp", "sigmoid", "softplus")
DOMAINS = ("positive", "unit", "at_least_one")
ORDER, PANEL = 16, 8  # nodes of a panel, and steps of the grid that it spans
HALVINGS = 60
Signs = Callable[[Num], Sequence[Num]]


def signs(body: Scalar, loop: int, outer: set[int | None]) -> list[Scalar]:
    """What is read for its sign in the body of a loop, and depends on where in the loop one is, but
    on no loop within, nor on what a node weighs."""
    known: dict[int, int] = {}
    read = [u.args[0] for u in _within(body, loop) if u.op in READ]
    read = [
        u for u in read if loop in u.loops and u.loops <= outer | {loop} and not _sign(u, known)
    ]
    weights = {(loop, "w"), (loop, "v")}
    found = {id(u): u for u in read if all(a.data not in weights for a in _within(u, loop))}
    return list(found.values())


def _within(body: Scalar, loop: int) -> Iterator[Scalar]:
    """What depends on where in a loop one is."""
    seen: set[int] = set()
    below = [body]
    while below:
        u = below.pop()
        if id(u) not in seen and loop in u.loops:
            seen.add(id(u))
            below += u.args
            yield u


def _sign(u: Scalar, known: dict[int, int]) -> int:
    """1 or -1 where by its form it has no other and is not 0; 0 if that is not known."""
    if id(u) not in known:
        known[id(u)] = _sign_of(u, known)
    return known[id(u)]


def _sign_of(u: Scalar, known: dict[int, int]) -> int:
    if u.op in POSITIVE:
        return 1
    if u.op == "const":
        return 1 if u.data > 0 else -1 if u.data < 0 else 0
    if u.op == "input":
        return int(u.data == ("pi",) or (u.data[0] == "param" and u.data[2] in DOMAINS))
    if u.op in ("neg", "mul", "div"):
        product = math.prod(_sign(a, known) for a in u.args)
        return -product if u.op == "neg" else product
    if u.op in ("abs", "powi", "sqrt", "when"):
        below = _sign(u.args[0], known)
        return below**2 if u.op == "abs" else below**u.data if u.op == "powi" else below
    if u.op == "add":
        parts = {_sign(a, known) for a in u.args}
        return parts.pop() if len(parts) == 1 else 0
    return 0


def cut(arithmetic: Arithmetic, kind: str, level: int, here: float, read: Signs) -> list[Node]:
    """Nodes of a grid, which begins elsewhere by `here`, that is cut where one of what is read
    changes its sign."""
    nodes = grid(arithmetic, kind, level)
    shift = arithmetic.number(here)
    if here:
        nodes = [(t + shift, w, v) for t, w, v in nodes]
    lattice = even(kind, level) if level < LEVELS else None
    if lattice is None:
        return nodes
    start, step, many = lattice

    def values(t: Num) -> Sequence[Num]:
        try:
            return read(t)
        except (OverflowError, decimal.Overflow, decimal.Underflow):
            return ()

    def at(s: float) -> Sequence[Num]:
        return values(node(arithmetic, kind, s)[0] + shift)

    along = [start + step * i for i in range(many)]
    evenly = len(nodes) == many
    rows = [values(t) for t, _, _ in nodes] if evenly else [at(s) for s in along]
    places = sorted(changes(at, along, rows))
    if not places:
        return nodes
    ends = [start - step / 2, *places, start + step * (many - 0.5)]
    found = []
    for low, high in pairwise(ends):
        for s, width in panels(low, high, PANEL * step, level + 1):
            t, w, v = node(arithmetic, kind, s)
            share = arithmetic.make(width)
            found.append((t + shift, share * w, share * v))
    return found


def changes(
    at: Callable[[float], Sequence[Num]], along: Sequence[float], rows: Sequence[Sequence[Num]]
) -> set[float]:
    """Where one of several values changes its sign, or touches 0: between two places, or next to
    one where it is nearest to 0."""
    found: set[float] = set()
    for i in range(max(map(len, rows))):

        def value(s: float, i: int = i) -> float:
            values = at(s)
            return float(values[i]) if values else math.nan

        seen = [(s, float(row[i])) for s, row in zip(along, rows, strict=True) if row]
        seen = [(s, u) for s, u in seen if u and u == u]
        for (s, u), (t, v) in pairwise(seen):
            if (u > 0) != (v > 0):
                found.add(_root(value, s, u, t, v))
        far = [abs(u) for _, u in seen]
        for k in range(1, len(seen) - 1):
            if far[k - 1] >= far[k] < far[k + 1]:
                (a, u), (b, v), (c, w) = seen[k - 1 : k + 2]
                if (u > 0) == (v > 0) == (w > 0):
                    found |= _dip(value, a, (b, v), c)
    return found


def _dip(
    f: Callable[[float], float], low: float, at: tuple[float, float], high: float
) -> set[float]:
    """Two changes of sign around the place between where |f| is least, or the place where f only
    touches 0, or neither."""
    (a, c), (b, v), side = (low, high), at, 1.0 if at[1] > 0 else -1.0
    first, size = abs(v), abs(v)
    for _ in range(HALVINGS):
        left, right = (b - a), (c - b)
        if max(left, right) <= 1e-9 * (high - low):
            break
        s = b + 0.382 * right if right > left else b - 0.382 * left
        value = side * f(s)
        if value != value:
            return set()
        if value < 0:
            u, w = f(low), f(high)
            return {_root(f, low, u, s, -side), _root(f, s, -side, high, w)}
        if value < size:
            a, c, b, size = (b, c, s, value) if s > b else (a, b, s, value)
        elif s > b:
            c = s
        else:
            a = s
    return {b} if size <= 1e-6 * first else set()


def _root(f: Callable[[float], float], low: float, u: float, high: float, v: float) -> float:
    """Between two places of different sign: where a line crosses, or half way."""
    for k in range(HALVINGS):
        middle, width = (low + high) / 2, high - low
        if width <= 1e-15 * max(abs(low), abs(high)):
            break
        if k % 3 < 2 and math.isfinite(u - v):
            guess = low + width * (u / (u - v))
            nudge = 1e-3 * width * (k % 3)  # so that the root is soon between two near places
            middle = min(max(guess + (nudge if guess < middle else -nudge), low), high)
        value = f(middle)
        if value == 0 or value != value:
            return middle
        if (value > 0) == (u > 0):
            low, u = middle, value
        else:
            high, v = middle, value
    return (low + high) / 2


def panels(low: float, high: float, most: float, least: int) -> Iterator[tuple[float, float]]:
    """Gauss-Legendre nodes and weights in panels of equal length, at most so long, and at least so
    many: were they the same at two levels, what they miss would look as if it had settled."""
    many = max(least, math.ceil((high - low) / most))
    half = (high - low) / (2 * many)
    for k in range(many):
        middle = low + (2 * k + 1) * half
        for x, w in legendre():
            yield middle + half * x, half * w


@lru_cache(maxsize=1)
def legendre() -> list[tuple[float, float]]:
    """Nodes and weights between -1 and 1."""
    found = []
    for i in range(ORDER):
        x = math.cos(math.pi * (i + 0.75) / (ORDER + 0.5))
        for _ in range(8):
            before, value = 1.0, x
            for k in range(2, ORDER + 1):
                before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
            slope = ORDER * (x * value - before) / (x * x - 1)
            x -= value / slope
        found.append((x, 2 / ((1 - x * x) * slope * slope)))
    return found
