"""Limits of explicit functions: by continuity, and elsewhere, or at infinity, by which terms
outgrow the others. What is not decided stays open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import is_nonnegative, is_positive, substitute
from genmath.proof.symbolic.atoms import AbsAtom, Fun, Key, Log
from genmath.proof.symbolic.growth import limit_at_infinity
from genmath.proof.symbolic.polynomials import canon
from genmath.proof.symbolic.supports import Unsupported


def limit_of(e: Any, letter: Any, to: Any) -> Any:
    """The value, or None."""
    if isinstance(to, Key):
        if letter.is_nonnegative and to.name != "infinity":
            return None
        ahead = sp.Dummy("ahead", positive=True, integer=True if letter.is_integer else None)
        return _far_out(e, letter, ahead if to.name == "infinity" else -ahead, ahead)
    if letter.is_nonnegative and not is_nonnegative(to):
        return None  # it may be that no value of the letter is near
    found = _by_continuity(e, letter, to)
    return found if found is not None else _beside(e, letter, to)


def beside(to: Any, letter: Any) -> list[tuple[Any, Any]]:
    """Places of the letter near a number, but not that number, and what grows as they come nearer:
    above it and, unless the letter ends there, below."""
    ahead = sp.Dummy("ahead", positive=True)
    ends = bool(letter.is_nonnegative and to == 0)
    return [(to + side / ahead, ahead) for side in ((1,) if ends else (1, -1))]


def _far_out(e: Any, letter: Any, at: Any, ahead: Any) -> Any:
    try:
        return limit_at_infinity(substitute(e, {letter: at}), ahead)
    except Unsupported:
        return None


def _beside(e: Any, letter: Any, to: Any) -> Any:
    if letter.is_nonnegative and to != 0 and not is_positive(to):
        return None
    return alike(_far_out(e, letter, at, ahead) for at, ahead in beside(to, letter))


def alike(values: Iterable[Any]) -> Any:
    """The one value, None where there are several or one is not known."""
    first, *others = values
    same = all(o is not None and canon(first - o) == 0 for o in others if first is not None)
    return first if same else None


def _by_continuity(e: Any, letter: Any, to: Any) -> Any:
    try:
        return substitute(e, {letter: to}) if _continuous(e, letter, to) else None
    except Unsupported:
        return None


def _continuous(e: Any, letter: Any, to: Any) -> bool:
    """Continuous in the letter where it is `to`, and in a neighbourhood."""
    if not e.has(letter) or e == letter:
        return True
    if e.is_Add or e.is_Mul or isinstance(e, sp.exp):
        return all(_continuous(a, letter, to) for a in e.args)
    if e.is_Pow and not e.exp.has(letter):
        if not _continuous(e.base, letter, to):
            return False
        if e.exp.is_Integer and e.exp > 0:
            return True
        base = substitute(e.base, {letter: to})
        return is_positive(base) or (bool(e.exp.is_Integer) and is_positive(-base))
    if isinstance(e, Log):
        return _continuous(e.args[0], letter, to) and is_positive(
            substitute(e.args[0], {letter: to})
        )
    if isinstance(e, AbsAtom):
        return _continuous(e.args[0], letter, to)
    if isinstance(e, Fun):
        inner = e.args[1]
        real = e.row.domain == "real" or is_positive(substitute(inner, {letter: to}))
        return e.row.derivative is not None and real and _continuous(inner, letter, to)
    return False
