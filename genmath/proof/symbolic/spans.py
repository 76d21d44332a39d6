"""Integrals over a letter of an interval that stay open in its odds, between its ends instead."""

from __future__ import annotations

from typing import Any, NamedTuple

import sympy as sp

from genmath.proof.symbolic.atoms import Rho
from genmath.proof.symbolic.bound import unused
from genmath.proof.symbolic.integrals import change, over_interval
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.supports import Rules


class Within(NamedTuple):
    """A letter > 0, and the letter of an interval that it stands for: its space, where it is, and
    its ends."""

    letter: Any
    space: str
    at: Any
    low: Any
    high: Any

    def odds(self, place: Any) -> Any:
        """What the letter > 0 is at a place of the interval."""
        if self.high == sp.oo:
            return place - self.low
        if self.low == -sp.oo:
            return self.high - place
        return (place - self.low) / (self.high - place)


def between_ends(body: Any, v: Within, rules: Rules) -> Any:
    """The integral of what stands in the letter > 0."""
    slope = sp.diff(v.at, v.letter)
    if v.high != sp.oo and v.low == -sp.oo:
        slope = -slope  # the letter counts downwards from the end
    place = unused(v.space, body.free_symbols | v.low.free_symbols | v.high.free_symbols)
    inside = expand(canon(change(canon(body / slope), v.letter, v.odds(place), rules)))
    total, left = sp.S.Zero, sp.S.Zero
    for t in terms(inside):
        outside, rest = t.as_independent(place, as_Add=False)
        if _is_whole_density(rest, place, v.space, rules):
            total += outside
        else:
            left += t
    return total + (over_interval(left, place, v.low, v.high, rules) if left != 0 else 0)


def _is_whole_density(rest: Any, place: Any, space: str, rules: Rules) -> bool:
    """A density of just the letter, which is declared to live in the interval."""
    if not isinstance(rest, Rho) or rules.slots.get(rest.args[0]) != (space,):
        return False
    return bool(rest.args[1] == sp.Tuple(place) and not rest.args[3])
