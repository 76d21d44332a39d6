"""What an expression comes to as a letter goes to infinity; None where no rule says so."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import abs_of, exp_of, is_positive, log_of, power_of, value_of
from genmath.proof.symbolic.atoms import AbsAtom, Fun, Log, Unknown
from genmath.proof.symbolic.polynomials import canon
from genmath.proof.symbolic.rows import ends

INFINITE = (sp.oo, -sp.oo)


def far(e: Any, v: Any, sign: int) -> Any | None:
    """The limit as `v` goes to infinity, or to minus infinity: a number, or sp.oo or -sp.oo."""
    if not e.has(v):
        return e
    if e.is_rational_function(v):
        return _of_fraction(e, v, sign)
    match e:
        case sp.Add():
            return _of_sum([far(a, v, sign) for a in e.args])
        case sp.Mul():
            return _of_product(e, v, sign)
        case sp.exp():
            return _of_exponential(far(e.args[0], v, sign))
        case sp.Pow():
            return _of_power(e, far(e.base, v, sign))
        case Log():
            u = far(e.args[0], v, sign)
            if u == sp.oo:
                return u
            return log_of(u) if _number(u) and is_positive(u) else None
        case AbsAtom():
            u = far(e.args[0], v, sign)
            return sp.oo if u in INFINITE else abs_of(u) if _number(u) else None
        case Fun():
            return _of_function(e, far(e.args[1], v, sign))
        case Unknown() if len(e.args) == 3 and not isinstance(e.args[1], sp.Tuple):
            key, order, at = e.args
            u = far(at, v, sign)
            if _number(u):
                return Unknown(key, order, u)
            kinds = {"increasing": 1, "decreasing": -1}.keys() & key.facts
            if u in INFINITE and order == 0 and kinds:
                return u if "increasing" in kinds else -u
    return None


def _number(u: Any) -> bool:
    return u is not None and u not in INFINITE


def _signed(e: Any, v: Any) -> int | None:
    return 1 if is_positive(e) else -1 if is_positive(-e) else None


def _nonzero(e: Any) -> bool:
    return bool(e.is_nonzero or is_positive(e) or is_positive(-e))


def _of_fraction(e: Any, v: Any, sign: int) -> Any | None:
    over, under = (sp.Poly(part, v) for part in sp.fraction(sp.together(e)))
    if not _nonzero(under.LC()):
        return None  # where it is 0, another term leads
    gap = over.degree() - under.degree()
    if gap < 0:
        return sp.S.Zero
    lead = canon(over.LC() / under.LC())
    if gap == 0:
        return lead
    side = _signed(lead, v)
    return None if side is None else side * sign**gap * sp.oo


def _of_sum(parts: list[Any]) -> Any | None:
    infinite = {p for p in parts if p in INFINITE}
    if None in parts or len(infinite) > 1:
        return None
    return infinite.pop() if infinite else sp.Add(*parts)


def _of_product(e: Any, v: Any, sign: int) -> Any | None:
    constant, rest = e.as_independent(v, as_Add=False)
    factors = sp.Mul.make_args(rest)
    found = [far(f, v, sign) for f in factors]
    if None in found:
        return None
    if not any(f in INFINITE for f in found):
        return constant * sp.Mul(*found)
    if any(f == 0 for f in found):  # a falling exponential outweighs any power
        falls = any(isinstance(f, sp.exp) and u == 0 for f, u in zip(factors, found, strict=True))
        tame = all(
            _number(u) or f.is_rational_function(v) for f, u in zip(factors, found, strict=True)
        )
        return sp.S.Zero if falls and tame else None
    whole = 1
    for u in (constant, *found):
        side = (1 if u == sp.oo else -1) if u in INFINITE else _signed(u, v)
        if side is None:
            return None
        whole *= side
    return whole * sp.oo


def _of_exponential(u: Any) -> Any | None:
    if u in INFINITE:
        return u if u == sp.oo else sp.S.Zero
    return None if u is None else exp_of(u)


def _of_power(e: Any, base: Any) -> Any | None:
    k = e.exp
    if base is None or not k.is_Rational or (not k.is_Integer and not is_positive(e.base)):
        return None
    if base in INFINITE:
        return sp.S.Zero if k < 0 else base**k
    if k < 0 and not (is_positive(base) or is_positive(-base)):
        return None
    return base**k if k.is_Integer else power_of(base, k)


def _of_function(e: Any, u: Any) -> Any | None:
    if u is None or e.row.derivative is None or e.row.domain != "real":
        return None
    if u in INFINITE:
        low, high = ends(e.row)
        return high if u == sp.oo else low
    return value_of(e.row.name, u)
