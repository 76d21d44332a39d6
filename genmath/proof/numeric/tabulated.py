"""Functions of the table by their values alone: a derivative is a difference of values, in more
digits than are asked for. What a row says about derivatives, identities or signs is not read here.
"""

from __future__ import annotations

import decimal
import importlib
import math
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from genmath.proof.language.elementary import TABLE, Elementary, call
from genmath.proof.numeric.arithmetic import (
    BOUNDED,
    EXACT,
    FLOAT,
    LONG,
    SHARP,
    Arithmetic,
    Num,
)

# bits, and the digits that are kept; a float has 53 bits, 34 digits are 113, 70 are 233, 200 665
PRECISION = {FLOAT.name: 80, EXACT.name: 150, SHARP.name: 280, LONG.name: 720, BOUNDED.name: 720}
DIGITS = {EXACT: 42, SHARP: 80, LONG: 210, BOUNDED: 210}
LARGE, SMALL, HUGE = 9, -300, 100_000  # digits, digits and bits beyond which nothing is computed
LARGER = {"log_gamma": 15}  # of what changes little when the last digit does


def tabulated(arithmetic: Arithmetic, name: str, order: int) -> Callable[[Num], Num]:
    """A function of the table, or its derivative of some order; nan where it is not defined."""
    return _tabulated(arithmetic, TABLE[name], order)


@lru_cache(maxsize=100)
def _tabulated(arithmetic: Arithmetic, row: Elementary, order: int) -> Callable[[Num], Num]:
    if arithmetic is not FLOAT:
        return _remembered(lambda u: _decimal(arithmetic, row, order, u))
    if order:
        return _remembered(lambda u: _slope_of_floats(row, order, u))
    return lambda u: _float(row, u)


def _remembered(f: Callable[[Num], Num]) -> Callable[[Num], Num]:
    """The same places come again in every mutant of a claim."""
    return lru_cache(maxsize=20_000)(f)


def _float(row: Elementary, u: float) -> float:
    if not row.defined(u):
        return math.nan
    try:
        return float(call(row, "math", math, u))
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan


def _slope_of_floats(row: Elementary, order: int, u: float) -> float:
    if not math.isfinite(u) or not row.defined(u):
        return math.nan
    value = _in(FLOAT, row, order, u)
    return float(value) if value is not None else math.nan


def _decimal(arithmetic: Arithmetic, row: Elementary, order: int, u: Decimal) -> Decimal:
    if not u.is_finite() or not row.defined(u):
        return EXACT.nan  # type: ignore[no-any-return]
    if u and u.adjusted() > LARGER.get(
        row.name, LARGE
    ):  # the digits left of a sine would be chance
        raise decimal.Overflow
    if u and u.adjusted() < SMALL:
        raise decimal.Underflow
    value = _in(arithmetic, row, order, str(u))
    if value is None:
        return EXACT.nan  # type: ignore[no-any-return]
    context = _context(arithmetic.name)
    if value and abs(context.mag(value)) > HUGE:
        raise decimal.Overflow if abs(value) > 1 else decimal.Underflow
    return Decimal(context.nstr(value, DIGITS[arithmetic]))


@lru_cache(maxsize=4)
def _context(arithmetic: str) -> Any:
    """mpmath with a precision of its own; loaded where a claim speaks of such a function."""
    context = importlib.import_module("mpmath").mp.clone()
    context.prec = PRECISION[arithmetic]
    return context


def _in(arithmetic: Arithmetic, row: Elementary, order: int, u: float | str) -> Any:
    """The value as one of mpmath's numbers, None where there is none."""
    context = _context(arithmetic.name)

    def at(x: Any) -> Any:
        return call(row, "mpmath", context, x) if row.defined(x) else context.nan

    try:
        value = context.diff(at, context.mpf(u), order) if order else at(context.mpf(u))
    except (ValueError, ZeroDivisionError):
        return None
    return value if isinstance(value, context.mpf) and context.isfinite(value) else None
