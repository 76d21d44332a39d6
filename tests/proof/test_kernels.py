"""What judge A takes for the value of an integral is what mpmath finds, wherever A finds one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy as sp

from genmath.proof.symbolic.algebra import abs_of, exp_of, log_of, power_of
from genmath.proof.symbolic.atoms import AbsAtom, Fun, Int, Log
from genmath.proof.symbolic.integrals import integrate
from genmath.proof.symbolic.polynomials import canon
from genmath.proof.symbolic.supports import Rules

TRIED = 60  # of each kind, in each run


def rational(rng: random.Random, low: int = -3, high: int = 8) -> Any:
    return sp.Rational(rng.randint(low * 4, high * 4), 4)


def value(e: Any) -> Any:
    """A closed form as a number; None where an integral is left."""
    return None if e.has(Int) else number(e)


def number(e: Any) -> Any:
    if e.is_Add:
        return mpmath.fsum(number(a) for a in e.args)
    if e.is_Mul:
        return mpmath.fprod(number(a) for a in e.args)
    if isinstance(e, sp.exp):
        return mpmath.exp(number(e.args[0]))
    if e.is_Pow:
        return mpmath.power(number(e.base), number(e.exp))
    if isinstance(e, Log):
        return mpmath.log(number(e.args[0]))
    if isinstance(e, AbsAtom):
        return abs(number(e.args[0]))
    if isinstance(e, Fun):
        functions = {
            "gamma": mpmath.gamma,
            "digamma": mpmath.digamma,
            "trigamma": lambda u: mpmath.psi(1, u),
        }
        return functions[e.row.name](number(e.args[1]))
    return mpmath.mpf(sp.N(e, 40)._to_mpmath(140)) if not e.is_Rational else mpmath.mpf(e.p) / e.q


def tried(
    make: Callable[[random.Random], tuple[Any, Any, Callable[[Any], Any]]],
    points: list[Any],
    seed: int,
) -> int:
    """How many values A found; each is what mpmath finds."""
    rng, found = random.Random(seed), 0
    for _ in range(TRIED):
        letter, body, plain = make(rng)
        got = value(integrate(body, (letter,), Rules()))
        if got is None:
            continue
        found += 1
        with mpmath.workdps(25):
            expected = (
                mpmath.nsum(lambda k, f=plain: f(k), [0, mpmath.inf])
                if points == ["counts"]
                else mpmath.quad(plain, points, maxdegree=9)
            )
        assert abs(got - expected) <= mpmath.mpf("1e-6") * (1 + abs(expected)), (
            body,
            got,
            expected,
        )
    return found


def half_line(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", positive=True)
    s, c, m, k = rational(rng, -2, 3), rational(rng, -1, 3), rng.randint(0, 1), rng.randint(0, 2)
    body = power_of(v, s) * exp_of(-c * v) * log_of(v) ** m * v**k
    return (
        v,
        body,
        lambda x: mpmath.power(x, float(s) + k) * mpmath.exp(-float(c) * x) * mpmath.log(x) ** m,
    )


def odds(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", positive=True)
    s, r, a, b = rational(rng, -2, 2), rational(rng, 0, 6), rng.randint(1, 3), rng.randint(1, 3)
    m, n = rng.choice(((0, 0), (1, 0), (0, 1)))
    base = a + b * v
    body = power_of(v, s) * power_of(base, -r) * log_of(v) ** m * log_of(base) ** n

    def plain(x: Any) -> Any:
        here = mpmath.power(x, float(s)) * mpmath.power(a + b * x, -float(r))
        return here * mpmath.log(x) ** m * mpmath.log(a + b * x) ** n

    return v, body, plain


def counted(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", nonnegative=True, integer=True)
    z, k, factorial = sp.Rational(rng.randint(1, 14), 8), rng.randint(0, 4), rng.randint(0, 1)
    body = v**k * exp_of(v * log_of(z)) * (Fun("gamma", v + 1) ** -1 if factorial else 1)

    def plain(x: Any) -> Any:
        n = int(x)
        under = mpmath.factorial(n) if factorial else 1
        return mpmath.mpf(n) ** k * mpmath.power(mpmath.mpf(z.p) / z.q, n) / under

    return v, body, plain


def two_sided(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", real=True)
    a, m, t = rational(rng, 0, 2), rational(rng, -1, 1), rational(rng, -1, 1)
    k, j, o = rng.randint(0, 3), rng.randint(0, 3), rational(rng, -1, 1)
    far = rng.random() < 0.3
    body = exp_of(canon(-a * abs_of(v - m)))
    body *= abs_of(v - o) if far else v**k * abs_of(v - m) ** j * exp_of(t * v)

    def plain(x: Any) -> Any:
        here = mpmath.exp(-float(a) * abs(x - float(m)))
        if far:
            return here * abs(x - float(o))
        return here * x**k * abs(x - float(m)) ** j * mpmath.exp(float(t) * x)

    return v, body, plain


def sigmoidal(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", real=True)
    p, r, a, b = rational(rng, -1, 2), rational(rng, 0, 4), rng.randint(1, 2), rng.randint(1, 3)
    c, low = rng.choice((-2, -1, 1, 2)), rng.choice((0, 0, 1, -1))
    k, n = rng.randint(0, 2), rng.randint(0, 1)
    base = a * sp.exp(low * v) + b * sp.exp((low + c) * v)
    body = sp.exp(p * v) * power_of(base, -r) * v**k * log_of(base) ** n

    def plain(x: Any) -> Any:
        here = a * mpmath.exp(low * x) + b * mpmath.exp((low + c) * x)
        return mpmath.exp(float(p) * x) * here ** (-float(r)) * x**k * mpmath.log(here) ** n

    return v, body, plain


def doubly(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", real=True)
    p, a, b, k = rational(rng, -1, 3), rng.randint(1, 3), rng.randint(-1, 2), rng.randint(0, 2)
    c = rng.choice((-2, -1, 1, 2))
    body = v**k * sp.exp(p * v - a * sp.exp(c * v) - b * sp.exp(c * v + 1))

    def plain(x: Any) -> Any:
        if c * x > 20:
            return mpmath.mpf(0)
        steep = a * mpmath.exp(c * x) + b * mpmath.exp(c * x + 1)
        return x**k * mpmath.exp(float(p) * x - steep)

    return v, body, plain


def algebraic(rng: random.Random) -> tuple[Any, Any, Callable[[Any], Any]]:
    v = sp.Dummy("v", real=True)
    r, a, b = rational(rng, 0, 5), rng.randint(1, 3), rng.randint(1, 3)
    k, n = rng.randint(0, 4), rng.randint(0, 1)
    base = a + b * v**2
    body = v**k * power_of(base, -r) * log_of(base) ** n

    def plain(x: Any) -> Any:
        here = a + b * x * x
        return x**k * here ** (-float(r)) * mpmath.log(here) ** n

    return v, body, plain


INF = mpmath.inf
KINDS = {
    "half_line": (half_line, [0, 0.1, 1, 5, 20, INF]),
    "odds": (odds, [0, 0.01, 1, 10, 100, INF]),
    "counted": (counted, ["counts"]),
    "two_sided": (two_sided, [-INF, -5, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 5, INF]),
    "sigmoidal": (sigmoidal, [-INF, -10, -2, 0, 2, 10, INF]),
    "doubly": (doubly, [-300, -60, -10, 0, 10, 60, 300]),
    "algebraic": (algebraic, [-INF, -10, -1, 0, 1, 10, INF]),
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_values_of_integrals(kind: str, seed: int) -> None:
    make, points = KINDS[kind]
    assert tried(make, points, seed) > 3
