"""Whether two integrals in one another may change places: not where the size of what they integrate
has none. Then each order has a value of its own, and nodes taken for both at once give a third."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from genmath.proof.language.binders import Between
from genmath.proof.language.obligations import factors
from genmath.proof.language.tree import Integral, Mul, Node, Number, Pow, Symbol
from genmath.proof.numeric.describe import without_value
from genmath.proof.numeric.ends import RANGES, Place, Way, between, way, weight_of
from genmath.proof.numeric.survey import Survey
from genmath.proof.numeric.worlds import World

STRIP = (2, 3, 5)  # how much farther one letter is than the other, in a strip around a ray
RAYS = ((1, 1), (2, 1), (1, 2))  # their logarithms grow at these rates


def unordered(sides_: Iterable[Node], survey: Survey, worlds: Sequence[World]
              ) -> dict[str, Any] | None:  # fmt: skip
    """Two integrals in one another that have no value in which order does not matter."""
    for whole in dict.fromkeys(n for side in sides_ for n in _outermost(side)):
        body, letters = _both(whole)
        for world in worlds[:1] if len(letters) == 2 else ():
            seen = _stays(body, letters, survey, world)
            if seen is not None:
                sizes = [float(m) for m in seen.masses() if m < 10**300]
                fails = "is not finite in size, and depends on the order"
                return without_value(whole, seen.keys, world, fails, sizes[-6:])
    return None


def _outermost(node: Node) -> Iterator[Node]:
    if isinstance(node, (Integral, Between)):
        yield node
        return
    for child in node.args:
        yield from _outermost(child)


def _both(whole: Node) -> tuple[Node, list[tuple[Symbol, list[Place]]]]:
    """What stands under integrals of which each is a factor of what the next integrates, and the
    ends of their letters."""
    letters: list[tuple[Symbol, list[Place]]] = []
    rest: list[Node] = [whole]
    while inner := [f for f in rest if isinstance(f, (Integral, Between))]:
        if len(inner) > 1:
            return whole, []
        one = inner[0]
        rest = [f for f in rest if f is not one] + factors(one.body)
        letters += [(v, _ends(one, v)) for v in one.bound]
    return Mul(*rest) if len(rest) > 1 else rest[0], letters


def _ends(whole: Node, letter: Symbol) -> list[Place]:
    if isinstance(whole, Between):
        return between(whole.low, whole.high)
    return between(*RANGES[letter.domain]) if letter.domain in RANGES else []


def _stays(
    body: Node, letters: Sequence[tuple[Symbol, list[Place]]], survey: Survey, world: World
) -> Way | None:
    """How it does not fall along a strip in which both letters go to ends of theirs."""
    (x, x_ends), (y, y_ends) = letters
    for first, last, (p, q) in itertools.product(x_ends, y_ends, RAYS):
        seen = None
        for k in STRIP:
            places = ((x, _scaled(first, k, p)), (y, _scaled(last, 1, q)))
            weight = _product(_scaled(weight_of(first), 1, p), _scaled(weight_of(last), 1, q))
            seen = way(body, places, survey, world, weight)
            if seen is None or not seen.stays():
                seen = None
                break
        if seen is not None:
            return seen
    return None


def _scaled(place: Place, by: int, power: int) -> Place:
    def at(h: Node) -> Node:
        far = h if power == 1 else Pow(h, Number(power))
        return place(far if by == 1 else Mul(Number(by), far))

    return at


def _product(one: Place, other: Place) -> Place:
    return lambda h: Mul(one(h), other(h))
