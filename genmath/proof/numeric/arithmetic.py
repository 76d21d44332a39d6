"""The arithmetics of the numeric half: floats, decimals of 34 digits to confirm, of 70 where large
terms cancel, and of 200 far out.

Elementary functions are total: what is undefined is nan.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

Num = Any  # a float, or a Decimal in the pass that confirms
# a number too large or small even for decimals is no infinity or zero to compute with
CONTEXT = decimal.Context(
    prec=34,
    traps=[decimal.Overflow, decimal.Underflow],
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
)
MORE, MOST, CLEAR = CONTEXT.copy(), CONTEXT.copy(), CONTEXT.copy()
MORE.prec, MOST.prec, CLEAR.prec = 70, 200, 200
CLEAR.Emax = 160  # no number is so large that a smaller one is lost in it
PI_DIGITS = (
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534"
)


class Arithmetic:
    """How to make numbers, and the elementary functions of them by name."""

    def __init__(self, name: str, make: Callable[[Any], Num], pi: Any,
                 context: decimal.Context = CONTEXT,
                 **functions: Callable[..., Num]) -> None:  # fmt: skip
        self.name, self.make, self.pi, self.context = name, make, make(pi), context
        self.zero, self.one = make(0), make(1)
        self.nan, self.inf = make("nan"), make("inf")
        self.functions = {**functions, **self._shared(**functions)}

    def number(self, value: Any) -> Num:
        """An exact number: an int, a Fraction, or a float that means its shortest decimal."""
        if isinstance(value, Fraction):
            return self.make(value.numerator) / self.make(value.denominator)
        return self.make(value)

    def sqrt(self, u: Num) -> Num:
        return self.functions["sqrt"](u)

    def _shared(self, log: Callable[[Num], Num], power: Callable[[Num, Num], Num],
                **rest: Callable[..., Num]) -> dict[str, Callable[..., Num]]:  # fmt: skip
        """What is written alike for floats and decimals."""
        make, zero, one, nan, inf = self.make, self.zero, self.one, self.nan, self.inf
        tiny = make("1e-300")

        def pos(u: Num) -> Num:
            return u if u > 0 or u != u else zero

        def ind(u: Num) -> Num:
            return one if u > 0 else u if u != u else zero

        def sign(u: Num) -> Num:
            return one if u > 0 else -one if u < 0 else u

        def whole(u: Num) -> Num:
            return u // one

        def still(u: Num) -> Num:
            return u

        def prime(u: Num) -> Num:
            return make(_prime(int(u))) if math.isfinite(u) else u

        def pow(a: Num, b: Num) -> Num:
            if a > 0 and b == b:
                return power(a, b)
            if a != a or b != b:
                return nan
            if a == 0:
                return one if b == 0 else zero if b > 0 else nan
            return power(a, b) if b % 1 == 0 else nan

        def kl(p: Num, q: Num) -> Num:
            """p log(p/q); 0 where p is, whatever q is there."""
            if p == 0:
                return zero
            if p > 0 and q > 0:
                ratio = p / q
                return p * log(ratio) if ratio > 0 else p * (log(p) - log(q))
            if 0 < p < tiny and q == 0:  # half of the smallest float is 0
                return zero
            return inf if p > 0 and q == 0 else nan

        return {"pos": pos, "ind": ind, "sign": sign, "whole": whole, "still": still,
                "prime": prime, "pow": pow, "kl": kl}  # fmt: skip


@lru_cache(maxsize=1000)
def _prime(most: int) -> int:
    """The largest prime up to it, which is looked for only among numbers that are not too large;
    1 where there is none."""
    if most > 10**9:
        return most
    while most > 1 and any(most % k == 0 for k in range(2, math.isqrt(most) + 1)):
        most -= 1
    return max(most, 1)


# --- floats --------------------------------------------------------------------------------------


def _log(u: float) -> float:
    return math.log(u) if u > 0.0 else math.nan


def _exp(u: float) -> float:
    try:
        return math.exp(u)
    except OverflowError:
        return math.inf


def _sqrt(u: float) -> float:
    return math.sqrt(u) if u >= 0.0 else math.nan


def _power(a: float, b: float) -> float:
    try:
        return float(a**b)
    except OverflowError:
        return math.inf if a > 0.0 else math.nan


def _sigmoid(u: float) -> float:
    if u >= 0.0:
        return 1.0 / (1.0 + math.exp(-u))
    e = math.exp(u)
    return e / (1.0 + e)


def _softplus(u: float) -> float:
    return u + math.log1p(math.exp(-u)) if u > 0.0 else math.log1p(math.exp(u))


FLOAT = Arithmetic("float", float, PI_DIGITS, num=float, abs=abs, power=_power,
                   log=_log, exp=_exp, sqrt=_sqrt, sigmoid=_sigmoid,
                   softplus=_softplus)  # fmt: skip


# --- decimals ------------------------------------------------------------------------------------

ONE, UNDEFINED = Decimal(1), Decimal("nan")

# exp: tabulated at multiples of 1/64, times a series for the rest. A fifth of Decimal.exp's time.
EXP_TABLE: dict[int, tuple[Decimal, Decimal]] = {}
_C12, _C11, _C10, _C9, _C8, _C7, _C6, _C5, _C4, _C3, _C2 = (
    CONTEXT.divide(ONE, Decimal(math.factorial(k))) for k in range(12, 1, -1)
)


def decimal_exp(u: Decimal) -> Decimal:
    if not -400 < u < 400:
        return u.exp()
    k = int(float(u) * 64)
    entry = EXP_TABLE.get(k)
    if entry is None:
        near = Decimal(k) / 64
        entry = EXP_TABLE[k] = near, near.exp()
    r = u - entry[0]
    high = ((((_C12 * r + _C11) * r + _C10) * r + _C9) * r + _C8) * r + _C7
    low = (((((high * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _C2) * r
    return ((low + 1) * r + 1) * entry[1]


def decimal_log(u: Decimal) -> Decimal:
    if not u > 0:
        return UNDEFINED
    if u.is_infinite():
        return u
    if -150 < u.adjusted() < 150:  # one step of third order from the float's logarithm
        start = Decimal(math.log(u))
        e = decimal_exp(start)
        return start + 2 * (u - e) / (u + e)
    return u.ln()


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _decimal_sqrt(u: Decimal) -> Decimal:
    return u.sqrt() if u >= 0 else UNDEFINED


def _ln(u: Decimal) -> Decimal:
    return u.ln() if u > 0 else UNDEFINED


Function = Callable[[Decimal], Decimal]


def _decimals(name: str, context: decimal.Context, exp: Function, log: Function) -> Arithmetic:
    def sigmoid(u: Decimal) -> Decimal:
        return ONE / (ONE + exp(-u))

    def softplus(u: Decimal) -> Decimal:
        return u + log(ONE + exp(-u)) if u > 0 else log(ONE + exp(u))

    return Arithmetic(name, _decimal, PI_DIGITS, context, num=Decimal, abs=abs, power=pow, log=log,
                      exp=exp, sqrt=_decimal_sqrt, sigmoid=sigmoid, softplus=softplus)  # fmt: skip


EXACT = _decimals("decimal", CONTEXT, decimal_exp, decimal_log)
SHARP = _decimals("sharp", MORE, Decimal.exp, _ln)
LONG = _decimals("long", MOST, Decimal.exp, _ln)
BOUNDED = _decimals("bounded", CLEAR, Decimal.exp, _ln)
EVERY = (FLOAT, EXACT, SHARP, LONG, BOUNDED)
