"""The addition theorem: sines and cosines of sums and of multiples, in those of single angles.

A term of an angle that is a multiple of pi goes into the sign, or into a root.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import big_sum, substitute, value_of
from genmath.proof.symbolic.atoms import BigSum, Binder, Fun, Int, Key
from genmath.proof.symbolic.finite_sets import opened, sum_over
from genmath.proof.symbolic.integrals import integrate, open_integral
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.shifts import sign_power
from genmath.proof.symbolic.supports import Rules, Unsupported

MOST = 12  # of what the multiples of the angles in a sum add up to
EXACT = (1, 2, 3, 4, 6)  # parts of pi whose sines are roots
Wave = tuple[Any, Any]  # cosine and sine of an angle


def in_single_angles(e: Any, rules: Rules) -> Any:
    """The same, or e itself where there is nothing to take apart."""
    waves = [f for f in e.atoms(Fun) if _is_wave(f)]
    if not waves:
        return e
    parts = math.lcm(*(int(c.q) for f in waves for c, _ in _angles(f)))
    return _apart(e, parts, rules)


def _apart(e: Any, parts: int, rules: Rules) -> Any:
    """`parts`: of which all angles are whole multiples."""
    values: dict[Any, Any] = {s: s for s in e.free_symbols}
    for x in _outermost(e):
        if isinstance(x, Fun):
            values[x] = _wave(x, parts)
        elif isinstance(x, Int):
            body, letters = open_integral(x)
            if (new := _apart(body, parts, rules)) != body:
                values[x] = integrate(expand(new), tuple(letters), rules, False)
        elif isinstance(x, BigSum):
            body, *around = x.args
            if (new := _apart(body, parts, rules)) != body:
                values[x] = big_sum(expand(new), *around)
        elif x.args[0] == Key("sum"):
            body, own, space = opened(x)
            if (new := _apart(body, parts, rules)) != body:
                values[x] = sum_over(new, own, space)
        values.setdefault(x, x)
    known = {x: value for x, value in values.items() if not x.free_symbols}
    try:
        return substitute(e.xreplace(known), values)
    except Unsupported:  # it is divided by
        return e


def _outermost(e: Any) -> Iterator[Any]:
    if isinstance(e, (Int, BigSum, Binder)) or _is_wave(e):
        yield e
        return
    for a in e.args:
        yield from _outermost(a)


def _is_wave(e: Any) -> bool:
    return isinstance(e, Fun) and e.row.name in ("sin", "cos")


def _angles(wave: Any) -> list[tuple[Any, Any]]:
    """The terms of its angle: a rational number times the rest."""
    over, under = sp.fraction(canon(wave.args[1]))
    return [canon(t / under).as_coeff_Mul() for t in terms(expand(over))]


def _wave(wave: Any, parts: int) -> Any:
    whole: Wave = (sp.S.One, sp.S.Zero)
    multiples = 0
    for c, angle in _angles(wave):
        known = _of_pi(c * angle)
        if known is None:
            times = int(c * parts)
            multiples += abs(times)
            if multiples > MOST:
                return wave
            known = _multiple(times, angle / parts)
        whole = _turned(whole, known)
    return expand(whole[0 if wave.row.name == "cos" else 1])


def _of_pi(angle: Any) -> Wave | None:
    """Where the angle is a whole multiple of pi, or a simple part of one."""
    half_turns = canon(angle / sp.pi)
    if half_turns.is_Rational and half_turns.q in EXACT:
        return sp.cos(angle), sp.sin(angle)
    return (sign_power(half_turns), sp.S.Zero) if half_turns.is_integer else None


def _multiple(times: int, angle: Any) -> Wave:
    once: Wave = (value_of("cos", angle), value_of("sin", angle))
    back = (once[0], -once[1])
    whole: Wave = (sp.S.One, sp.S.Zero)
    for _ in range(abs(times)):
        whole = _turned(whole, once if times > 0 else back)
    return whole


def _turned(one: Wave, other: Wave) -> Wave:
    (a, b), (c, d) = one, other
    return expand(a * c - b * d), expand(a * d + b * c)
