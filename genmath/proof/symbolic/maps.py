"""Maps of the line onto itself with a slope that is never 0, and their inverses.

    an inverse of the letter      v = f(w), dv = |f'(w)| dw
    f(v) beside its slope         w = f(v), |f'(v)| dv = dw

The first leaves fewer inverses, the second fewer maps, so that this ends. A term of a sum is left
as it is, unless a density makes it an expectation: w(v + 1) - w(v) may have an integral where
neither term has.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import abs_of, substitute
from genmath.proof.symbolic.atoms import MAP_KINDS, Bell, Log, Rho, Unknown, turned
from genmath.proof.symbolic.bound import fresh
from genmath.proof.symbolic.polynomials import canon, space_of
from genmath.proof.symbolic.supports import LINE, Rules


def inverse_slope(key: Any, at: Any) -> Any:
    """The slope of an inverse is 1 over the map's own there."""
    return 1 / Unknown(turned(key), 1, Unknown(key, 0, at))


def through_map(v: Any, local: list[Any], rules: Rules) -> tuple[Any, Any] | None:
    """The factors that contain v, in another letter over the same line."""
    body = sp.Mul(*local)
    maps = [u for u in body.atoms(Unknown) if u.args[0].facts & MAP_KINDS and u.args[2] == v]
    for u in sorted(maps, key=sp.default_sort_key):
        key, order, _ = u.args
        new = sp.Dummy(space_of(v), real=True)
        if "inverse" in key.facts:
            f = turned(key)
            done = substitute(body, {v: Unknown(f, 0, new)}) * abs_of(Unknown(f, 1, new))
        elif order == 0:
            rest = body / abs_of(Unknown(key, 1, v))
            done = rest.xreplace({u: new})
            if v in done.free_symbols:
                continue
        else:
            continue
        rules.on_the_line(space_of(v))
        return named_after_density(done, new, rules)
    return None


def through_logarithm(v: Any, local: list[Any], rules: Rules) -> tuple[Any, Any] | None:
    """The factors that contain v > 0, in its logarithm, if at that alone functions and densities
    stand, normal ones, too: the logarithm is a map of the half-line onto the line."""
    if not v.is_positive or v.is_rational:
        return None
    body, new = canon(sp.Mul(*local)), fresh(LINE)
    spoken = [u for u in body.atoms(Unknown, Rho, Bell) if u.has(v)]
    if not spoken or any(u.xreplace({Log(v): new}).has(v) for u in spoken):
        return None
    moved = substitute(body, {v: sp.exp(new)}) * sp.exp(new)
    done, named = named_after_density(moved, new, rules)
    rules.on_the_line(space_of(named))
    return done, named


def named_after_density(body: Any, letter: Any, rules: Rules) -> tuple[Any, Any]:
    """A letter of which a density is a density is one of that density's space."""
    for r in sorted(body.atoms(Rho), key=sp.default_sort_key):
        for space, event in zip(rules.slots.get(r.args[0], ()), r.args[1], strict=False):
            if event == letter and space != letter.name:
                new = sp.Dummy(space, real=True)
                return body.xreplace({letter: new}), new
    return body, letter


def through_map_between(
    body: Any, v: Any, new: Any, low: Any, high: Any
) -> tuple[Any, Any, Any] | None:
    """The body, with dv, in the new letter, and the ends where that stands."""
    maps = [u for u in body.atoms(Unknown) if u.args[0].facts & MAP_KINDS and u.args[2:] == (v,)]
    for u in sorted(maps, key=sp.default_sort_key):
        key, order, _ = u.args
        if order != 0:
            continue
        ends = [_end(key, e) for e in (low, high)]
        if None in ends:
            continue
        if "inverse" in key.facts:
            f = turned(key)
            return substitute(body, {v: Unknown(f, 0, new)}) * Unknown(f, 1, new), *ends
        done = (body / Unknown(key, 1, v)).xreplace({u: new})
        if v not in done.free_symbols:
            return done, *ends
    return None


def _end(key: Any, end: Any) -> Any | None:
    if end not in (sp.oo, -sp.oo):
        return Unknown(key, 0, end)
    if "invertible" in key.facts:
        return None
    return end if "increasing" in key.facts else -end
