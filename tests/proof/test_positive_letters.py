"""Integrals of a letter > 0: in its logarithm, and in a power of it; those of what is positive over
an interval. False neighbours beside them."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    absolute,
    diff,
    digamma,
    exp,
    gamma,
    integral,
    log,
    number,
    pi,
    positives,
    reals,
    sqrt,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, equal
from genmath.proof.language.tree import Node

x = variables("x")
w = variables("w", domain="positive")
u = variables("u", domain="unit")
p = Density("p", x)
f = Function("f")
a, mu = reals("a mu")
s, c, k = positives("s c k")


def up_to(end: Node) -> Node:
    return integral(exp(f(x)), x, between=(a, end))


TRUE: dict[str, Claim] = {
    "log-normal": equal(integral(Normal(log(w), mu, s) / w, w), 1),
    "its mean": equal(integral(Normal(log(w), mu, s), w), exp(mu + s / 2)),
    "logit-normal": equal(integral(Normal(log(u / (1 - u)), mu, s) / (u * (1 - u)), u), 1),
    "of any law": equal(integral(p(log(w)) / w * log(w), w), E(p(x), x)),
    "on (0, 1)": equal(integral(p(log(u) - log(1 - u)) / (u * (1 - u)), u), 1),
    "Rayleigh": equal(integral(w / s * exp(-(w**2) / (2 * s)), w), 1),
    "its second moment": equal(integral(w**3 / s * exp(-(w**2) / (2 * s)), w), 2 * s),
    "half a normal": equal(integral(exp(-(w**2) / (2 * s)), w), sqrt(pi * s / 2)),
    "a cube": equal(integral(3 * c * w**2 * exp(-c * w**3), w), 1),
    "any power before it": equal(
        integral(w ** (k - 1) * exp(-(w**2)), w), gamma(k / 2) / 2
    ),
    "of its logarithm": equal(
        integral(log(w) * 2 * w * exp(-(w**2)), w), digamma(number(1)) / 2
    ),
    "a positive integral": equal(log(up_to(a + s)), log(up_to(a + s) / c) + log(c)),
    "backwards": equal(log(-up_to(a - s)), log(-up_to(a - s) / c) + log(c)),
}  # fmt: skip
FALSE: dict[str, Claim] = {
    "log-normal": equal(integral(Normal(log(w), mu, s) / w, w), s),
    "without its slope": equal(integral(Normal(log(w), mu, s), w), 1),
    "its mean": equal(integral(Normal(log(w), mu, s), w), exp(mu + s)),
    "of any law": equal(integral(p(log(w)) / w * log(w), w), E(p(x), exp(x))),
    "on (0, 1)": equal(integral(p(log(u) - log(1 - u)) / u, u), 1),
    "Rayleigh": equal(integral(w / s * exp(-(w**2) / s), w), 1),
    "a whole normal": equal(integral(exp(-(w**2) / (2 * s)), w), sqrt(2 * pi * s)),
    "a cube": equal(integral(c * w**2 * exp(-c * w**3), w), 1),
    "any power before it": equal(integral(w ** (k - 1) * exp(-(w**2)), w), gamma(k / 2)),
    "of its logarithm": equal(integral(log(w) * 2 * w * exp(-(w**2)), w), digamma(number(1))),
    "the wrong sign": equal(integral(w * exp(w**2), w), number(1) / 2),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_is_proved(name: str) -> None:
    found = judge(TRUE[name])
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("name", FALSE)
def test_false_is_not_proved(name: str) -> None:
    found = judge(FALSE[name])
    assert not found.proof.proved
    assert found.verdict == "refuted", found.reason


def test_an_integral_of_unknown_direction_has_no_sign() -> None:
    for whole in (up_to(reals("b")), up_to(a - s), -up_to(a + s)):
        claim = equal(log(whole), log(whole / c) + log(c))
        assert not judge(claim).proof.proved


def test_a_slope_that_may_be_missing_is_said_to_be() -> None:
    found = judge(equal(diff(absolute(a), a), a / absolute(a)))
    assert "where a may be 0, at which there is no slope" in found.reason
