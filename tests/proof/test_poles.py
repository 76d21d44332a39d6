"""Integrals past what is divided by: those that do not exist are refuted, whatever they are said to
be, and those that do are not."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Beta,
    E,
    Exponential,
    Function,
    Gamma,
    Logistic,
    Normal,
    Uniform,
    absolute,
    equal,
    exp,
    infinity,
    integral,
    log,
    number,
    numeric,
    positives,
    reals,
    sin,
    sqrt,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.obligations import Obligation
from genmath.proof.numeric.judge import make_worlds
from genmath.proof.numeric.obligations import broken

x = variables("x")
h = variables("h", domain="positive")
u = variables("u", domain="unit")
a = reals("a")
s = positives("s")
f = Function("f")

NONE: dict[str, Claim] = {
    "a square": equal(integral(1 / x**2, x, between=(-1, 1)), -2),
    "as many above as below": equal(integral(1 / x, x, between=(-1, 1)), 0),
    "not at 0": equal(integral(1 / (1 - x), x, between=(0, 2)), 0),
    "at a letter": equal(integral((x - a) ** -2, x, between=(a - 1, a + 1)), -2),
    "at an end": equal(integral(1 / x, x, between=(0, s)), log(s)),
    "on the line": equal(integral(1 / x, x), 0),
    "a square on the line": equal(integral(1 / x**2, x), 0),
    "under a normal density": equal(E(Normal(x, 0, 1), 1 / x), 0),
    "under any normal density": equal(E(Normal(x, a, s), 1 / x**2), 1 / (a**2 + s)),
    "a size": equal(E(Normal(x, 0, 1), 1 / absolute(x - 1)), 1),
    "uniform": equal(E(Uniform(x, -1, 1), 1 / x), 0),
    "beta": equal(E(Beta(u, 2, 2), 1 / (u - number(1) / 2)), 0),
    "waiting": equal(E(Exponential(h, 1), 1 / (h - 1)), 0),
    "logistic": equal(E(Logistic(x, 0, 1), 1 / (x - a)), 0),
    "no end to a wave": equal(integral(sin(x), x), 0),
    "nor on a half-line": equal(integral(sin(x), x, between=(0, infinity)), 1),
}
TRUE: dict[str, Claim] = {
    "beyond the pole": equal(integral(1 / x, x, between=(1, s + 1)), log(s + 1)),
    "before the pole": equal(integral(1 / (2 - x), x, between=(0, 1)), log(2)),
    "between poles": equal(
        integral(1 / ((2 - x) * (2 + x)), x, between=(-1, 1)), log(3) / 2
    ),
    "it falls off in time": equal(E(Gamma(h, 3, s), 1 / h), s / 2),
}  # fmt: skip


@pytest.mark.parametrize("what", NONE)
def test_an_integral_that_does_not_exist_is_refuted(what: str) -> None:
    assert judge(NONE[what]).verdict == "refuted"


@pytest.mark.parametrize("what", TRUE)
def test_an_integral_that_exists_is_proved(what: str) -> None:
    verdict = judge(TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


def test_a_pole_that_is_weak_enough() -> None:
    """Its windows do not grow, and its value is found."""
    weak = integral(1 / sqrt(absolute(x)), x, between=(-1, 1))
    assert numeric.compare(equal(weak, 4)).verdict == "agree"
    assert numeric.compare(equal(weak, number(400001) / 100000)).verdict == "refuted"


def test_what_is_open_for_some_functions_does_not_hide_what_fails_for_all() -> None:
    claim = equal(integral(f(x) * exp(x**2), x) + E(Normal(x, 0, 1), 1 / x), 0)
    drawn = make_worlds(claim)
    stated = [
        Obligation("finite", integral(absolute(f(x) * exp(x**2)), x)),
        Obligation("finite", E(Normal(x, 0, 1), absolute(1 / x))),
    ]
    found = broken(stated, drawn.survey, drawn.members, list)
    assert found is not None
    assert "abstract" not in found
    assert "abstract" in (broken(stated[:1], drawn.survey, drawn.members, list) or {})
