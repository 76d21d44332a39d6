"""Letters for what is bound."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import sympy as sp

from genmath.proof.symbolic.polynomials import space_of


def fresh(name: str, like: Any = None) -> Any:
    """A letter that is used nowhere."""
    return sp.Dummy(name, **values_of(like))


def values_of(like: Any) -> dict[str, bool]:
    """What a bound letter may be: anything real, what is > 0, a count, an integer, one of some
    rational numbers, or a bit, which is known to be >= 0 and no more."""
    if like is not None and like.is_rational and not like.is_nonnegative:
        return {"integer": True} if like.is_integer else {"rational": True}
    if like is None or not like.is_nonnegative:
        return {"real": True}
    if like.is_integer:
        return {"nonnegative": True, "integer": True}
    return {"positive": True} if like.is_positive else {"nonnegative": True}


def on_line(v: Any) -> bool:
    """It may be any real number, as far as is known: there is no end but infinity."""
    return values_of(v) == {"real": True}


def lives_there(v: Any, key: Any, place: int, slots: dict[Any, tuple[str, ...]]) -> bool:
    """It runs through all that the density is a density of: a letter of half the line, or of the
    integers, may stand in a density of the line, whose mass is then not known."""
    return on_line(v) or slots.get(key, ())[place : place + 1] == (space_of(v),)


def unused(name: str, taken: Collection[Any], **assumptions: Any) -> Any:
    """A letter that nothing around uses, and the same one whenever it is asked for: so that what
    was worked out of a formula is recognised when the formula comes again."""
    known = tuple(assumptions.items()) or (("real", True),)
    return next(s for s in (_nth(name, n, known) for n in itertools.count()) if s not in taken)


def unused_like(letters: Iterable[Any], taken: Collection[Any]) -> list[Any]:
    """Unused letters for the same spaces, each different."""
    found: list[Any] = []
    for v in letters:
        found.append(unused(space_of(v), {*taken, *found}, **values_of(v)))
    return found


@cache
def _nth(name: str, n: int, assumptions: tuple[tuple[str, Any], ...]) -> Any:
    return sp.Dummy(name, **dict(assumptions))
