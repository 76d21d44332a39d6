"""Integrals that converge slowly towards an end of theirs are finite; their neighbours are not."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Beta,
    E,
    Gamma,
    Student,
    absolute,
    cos,
    equal,
    exp,
    infinity,
    integral,
    log,
    number,
    numeric,
    sqrt,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.tree import Node

x = variables("x")
u = variables("u", domain="unit")
r = variables("r", domain="positive")
more = number(101) / 100
below, above = -number(99) / 100, -number(101) / 100


def near_0(body: Node, to: int = 1) -> Node:
    return integral(body, x, between=(0, to))


def far_out(body: Node) -> Node:
    return integral(body, x, between=(2, infinity))


FINITE = {
    "a letter between 0 and 1": integral(u**below, u),
    "both ends": integral(u**below * (1 - u) ** below, u),
    "hardly": integral(u ** (-number(9999) / 10_000), u),
    "between limits": near_0(x**below),
    "beside something smooth": near_0(x**below * cos(x), 3),
    "a half-line": integral(r**below * exp(-r), r),
    "far out": integral(x**above, x, between=(1, infinity)),
    "far out on the line": integral((1 + x**2) ** (above / 2), x),
    "far out, with a logarithm": far_out(1 / (x * log(x) ** 2)),
    "far out, by little more than its logarithm": far_out(log(x) * x ** -(number(11) / 10)),
}
NOT_FINITE = {
    "a letter between 0 and 1": integral(1 / u, u),
    "by little": integral(u**above, u),
    "between limits": near_0(1 / x),
    "between limits, by little": near_0(x**above),
    "with a logarithm": near_0(1 / (x * (50 + log(1 / x)))),
    "with a logarithm of a letter": integral(1 / (u * (1 + log(1 / u))), u),
    "around a pole": integral(1 / absolute(x), x, between=(-1, 1)),
    "a half-line": integral(r**below, r),
    "far out": integral(x**below, x, between=(1, infinity)),
    "far out on the line": integral((1 + x**2) ** (below / 2), x),
    "far out, with a logarithm": far_out(1 / (x * log(x))),
    "far out, with its root": far_out(1 / (x * sqrt(log(x)))),
    "the mean of a Cauchy law": integral(x / (1 + x**2), x),
}


@pytest.mark.parametrize("what", FINITE)
def test_what_converges_slowly_is_finite(what: str) -> None:
    assert judge(equal(FINITE[what] - FINITE[what], 0)).verdict in ("proved", "open")


@pytest.mark.parametrize("what", NOT_FINITE)
def test_what_diverges_slowly_is_not(what: str) -> None:
    found = judge(equal(NOT_FINITE[what] - NOT_FINITE[what], 0))
    assert found.verdict == "refuted"
    assert "not finite" in found.reason


NEAR = {
    "a letter between 0 and 1": (integral(u**below, u), 100),
    "slower": (integral(u ** (-number(999) / 1000), u), 1000),
    "between limits": (near_0(x ** (-number(999) / 1000)), 1000),
    "a law of the half-line": (integral(Gamma(r, number(1) / 1000, 1), r), 1),
    "its mean": (E(Gamma(r, number(1) / 10**6, 1), r), number(1) / 10**6),
    "both ends": (integral(Beta(u, number(1) / 500, number(1) / 1000), u), 1),
    "tails": (integral(Student(x, number(1) / 300, 0, 1), x), 1),
}


@pytest.mark.parametrize("what", NEAR)
def test_its_value(what: str) -> None:
    whole, value = NEAR[what]
    assert judge(equal(whole, value)).verdict in ("proved", "open")
    assert numeric.compare(equal(whole, value)).verdict == "agree"
    assert judge(equal(whole, more * value)).verdict == "refuted"
    assert judge(equal(whole, -number(1) * value)).verdict == "refuted"


@pytest.mark.parametrize("by", [3, 4, 6, 9, 20])
def test_what_is_slower_than_can_be_seen_refutes_nothing(by: int) -> None:
    d = number(1) / 10**by
    for law in (Gamma(r, d, 1), Beta(u, d, 1), Beta(u, d, d), Student(x, d, 0, 1)):
        found = judge(equal(integral(law, law.args[0]), 1))
        assert found.verdict in ("proved", "open"), law
