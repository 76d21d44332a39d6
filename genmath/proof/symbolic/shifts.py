"""How far the index of a sum or product may be shifted, so that a[i + 1] and a[i] meet."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.symbolic.atoms import Log, Member, Unknown

FARTHEST = 4  # terms that are written apart at each end of the range


def shift(term: Any, index: Any, low: Any) -> int:
    """c where the members, logarithms and denominators of a term begin at index + c. What is not
    defined for every whole number is looked at from 1 on alone."""
    found: list[Any] = []
    everywhere = _offsets(term, index, found)
    if not found or None in found:
        return 0
    least = min(found)
    if not -FARTHEST <= least <= FARTHEST:
        return 0
    first = low + min(least, 0)
    return int(least) if everywhere or first.is_positive else 0


def _offsets(e: Any, index: Any, found: list[Any]) -> bool:
    """Gather the offsets, None for what is no shift; whether all is defined at every index."""
    if not e.has(index):
        return True
    if isinstance(e, Member):
        found.append(_offset(e.args[1], index))
        return True
    if isinstance(e, Unknown):
        found += [_offset(u, index) for u in e.args[2:] if u.has(index)]
        return True
    if isinstance(e, Log):
        if e.args[0].has(Member):
            return _offsets(e.args[0], index, found)
        found.append(_offset(e.args[0], index))
        return False
    if e.is_Pow and e.exp.is_Integer and e.exp.is_negative and not e.base.has(Member):
        found.append(_offset(e.base, index))
        return False
    if e.is_Add or e.is_Mul or (e.is_Pow and e.exp.is_Rational) or isinstance(e, sp.exp):
        defined = [_offsets(a, index, found) for a in e.args]
        return all(defined)
    if e == index or (e.is_Pow and e.base == -1):
        return True  # a polynomial follows any shift, and so does a sign
    found.append(None)
    return False


def _offset(u: Any, index: Any) -> Any:
    """The whole number in k (index + number + rest), neither k nor the rest with the index."""
    times = sp.expand(u).coeff(index)
    if times == 0 or times.has(index):
        return None
    rest = sp.expand(u / times - index)
    number = rest.as_coeff_Add()[0]
    return sp.floor(number) if number.is_Rational and not rest.has(index) else None


def sign_power(exponent: Any) -> Any:
    """(-1)^k with every even multiple left out; None where k is not seen to be whole."""
    result = sp.S.One
    for t in sp.Add.make_args(sp.expand(exponent)):
        times, rest = t.as_coeff_Mul()
        if not (times.is_Integer and rest.is_integer):
            return None
        if times % 2:
            result *= -sp.S.One if rest == 1 else sp.Pow(-sp.S.One, rest)
    return result
