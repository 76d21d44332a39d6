"""What settles far out, or slowly, settles; what has no end has none; what depends on an order, or
fails at one value of a letter, is not true."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import (
    E,
    Exponential,
    Student,
    absolute,
    diff,
    equal,
    exp,
    infinity,
    integral,
    limit,
    log,
    naturals,
    number,
    pi,
    positives,
    reals,
    sin,
    sqrt,
    supremum,
    tanh,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node, Symbol
from genmath.proof.numeric.ends import far_out, way
from genmath.proof.numeric.survey import Survey
from genmath.proof.numeric.worlds import World

n = naturals("n")
a, b, v, w = reals("a b v w")
u, h, s = positives("u h s")
x = variables("x")
r, q = variables("r q", domain="positive")
k, m = variables("k m", domain="count")
one, third = number(1), number(1) / 3
million = number(10) ** 6

SETTLES = {
    "a far scale": (u / (u + million), 1),
    "a far scale, bounded": (tanh(u / million), 1),
    "a slow decay": (exp(-u / million), 0),
    "compound interest, high": ((1 + 1000 / n) ** n, exp(1000)),
    "a base near 1": ((1 - 1 / million) ** n, 0),
    "a power and a logarithm": (log(u) ** 3 / u**third, 0),
    "a slow power and a large one": (log(u) ** 40 / u ** (one / 20), 0),
    "two logarithms": (log(1 + u) - log(1 + u / 10**9), log(10**9)),
}
ENDLESS = {
    "a logarithm": log(u),
    "its root": sqrt(log(1 + u)),
    "a small power": u ** (one / 5),
    "an exponential": exp(exp(u)),
    "a power of a whole number": (-2) ** n,
    "a sign": (-1) ** n,
    "a sign, and what vanishes": (-1) ** n + 1 / n,
    "a wave": sin(u),
}
UNSEEN = {  # neither is told from its neighbour
    "the size of a logarithm": log(u) / (1 + log(u) / 10**40),
    "a sign that fades": (-1) ** n / log(log(n + 20)),
    "a wave that fades": sin(u) / log(log(u + 20)),
    "beyond all digits": u / (1 + u * exp(-(number(10) ** 6))),
}


def letter_of(body: Node) -> Symbol:
    return n if any(node == n for node in body.walk()) else u


@pytest.mark.parametrize("what", SETTLES)
def test_what_settles_late_has_a_limit(what: str) -> None:
    body, value = SETTLES[what]
    found = judge(equal(limit(body, letter_of(body), infinity), value))
    assert found.verdict == "proved", found.reason


def test_near_a_number_too() -> None:
    for body in (h / (h + 1 / million), h ** (one / 5) * log(h) ** 5):
        assert judge(equal(limit(body, h, 0), 0)).verdict == "proved"
    endless = limit(log(h), h, 0)
    assert "does not exist" in judge(equal(endless - endless, 0)).reason


@pytest.mark.parametrize("what", ENDLESS)
def test_what_has_no_end_has_no_limit(what: str) -> None:
    body = ENDLESS[what]
    whole = limit(body, letter_of(body), infinity)
    found = judge(equal(whole - whole, 0))
    assert found.verdict == "refuted"
    assert "does not exist" in found.reason


@pytest.mark.parametrize("what", UNSEEN)
def test_what_numbers_may_hide_refutes_nothing(what: str) -> None:
    body = UNSEEN[what]
    letter = letter_of(body)
    survey = Survey((body,))
    for doubling in (False, True):
        seen = way(body, ((letter, far_out()),), survey, World(survey, 0, 0, 1), doubling=doubling)
        assert seen is not None
        assert len(seen.values) > 5
        assert not any((seen.grows(1) and not doubling, seen.swings(), seen.waves()))


def test_a_supremum_that_is_far() -> None:
    def bounded(by: Node) -> str:
        whole = supremum(u / (1 + u / by), u)
        return judge(equal(whole - whole, 0)).verdict

    assert bounded(number(10) ** 12) == bounded(number(10) ** 100) == "proved"
    whole = supremum(u / (1 + sqrt(u)), u)
    assert "has no bound" in judge(equal(whole - whole, 0)).reason


# --- integrals ------------------------------------------------------------------------------------

FINITE = {
    "a geometric series": integral((1 - one / 500) ** k, k),
    "a heavy tail": E(Student(x, number(201) / 100, 0, 1), x**2),
    "a power": integral(v ** (-number(1001) / 1000), v, between=(1, infinity)),
    "a power, moved": integral((v + 1) ** (-number(1001) / 1000), v, between=(0, infinity)),
    "a root in an exponent": integral(exp(-(v ** (one / 8))), v, between=(0, infinity)),
    "a power of a logarithm": integral(
        1 / (v * log(v) ** (number(11) / 10)), v, between=(2, infinity)
    ),
    "little is left of a rate": E(Exponential(r, 1), exp(r * 99 / 100)),
}
NOT_FINITE = {
    "a series": integral(1 / (k + 1), k),
    "a heavier tail": E(Student(x, 2, 0, 1), x**2),
    "a power": integral(v ** (-number(999) / 1000), v, between=(1, infinity)),
    "with a logarithm": integral(1 / (v * log(v)), v, between=(2, infinity)),
    "a pole inside": integral(1 / absolute(v - 1), v, between=(0, 3)),
    "nothing is left of a rate": E(Exponential(r, 1), exp(r)),
}


@pytest.mark.parametrize("what", FINITE)
def test_an_integral_that_converges_farther_out_than_windows(what: str) -> None:
    assert judge(equal(FINITE[what] - FINITE[what], 0)).verdict in ("proved", "open")


@pytest.mark.parametrize("what", NOT_FINITE)
def test_its_neighbour_does_not(what: str) -> None:
    found = judge(equal(NOT_FINITE[what] - NOT_FINITE[what], 0))
    assert found.verdict == "refuted"
    assert "not finite" in found.reason


# --- an order, and a value of a letter ------------------------------------------------------------


def saddle(x: Node, y: Node) -> Node:
    return ((x + 1) ** 2 - (y + 1) ** 2) / ((x + 1) ** 2 + (y + 1) ** 2) ** 2


@pytest.mark.parametrize(("one", "other"), [(r, q), (k, m)])
def test_an_order_that_matters(one: Any, other: Any) -> None:
    """pi/4 = -pi/4, over numbers."""
    f = saddle(one, other)
    found = judge(equal(integral(integral(f, one), other), integral(integral(f, other), one)))
    assert found.verdict == "refuted"
    assert "depends on the order" in found.reason


def test_an_order_that_does_not() -> None:
    for f in (1 / ((r + 1) ** 2 * (q + 1) ** 2), (r - q) / (r + q + 1) ** 4):
        found = judge(equal(integral(integral(f, r), q), integral(integral(f, q), r)))
        assert found.verdict == "proved", found.reason


def test_a_value_in_one_order_is_not_refuted_by_nodes_of_both() -> None:
    f = (v - w) / (v + w) ** 3
    inner = integral(integral(f, v, between=(1, infinity)), w, between=(1, infinity))
    for claim in (equal(inner, one / 2), equal(integral(integral(saddle(r, q), r), q), pi / 4)):
        assert judge(claim).verdict == "open"


def test_a_derivative_that_passes_but_at_0() -> None:
    """At 0 it is 1 = 0."""

    def passed(f: Node, *given: Any) -> str:
        inside = integral(diff(f, a), v, between=(1, infinity))
        outside = diff(integral(f, v, between=(1, infinity)), a)
        return judge(Claim(outside, "=", inside, given=given)).verdict

    assert passed(a**3 * exp(-(a**2) * v)) == "refuted"
    assert passed((a - b) ** 3 * exp(-((a - b) ** 2) * v)) == "refuted"
    assert passed(a**3 * exp(-(a**2) * v), a > 0) == "proved"
    assert passed(a**3 * exp(-(a**2 + 1) * v)) != "refuted"
    assert passed(exp(-v) / (1 + a**2 * v)) == "proved"


@pytest.mark.parametrize("by", [10**7, 10**8, 10**12])
@pytest.mark.parametrize("at", [0, 7])
def test_a_peak_between_nodes_refutes_nothing(by: int, at: int) -> None:
    width = integral(1 / ((v - at) ** 2 + one / by), v, between=(-infinity, infinity))
    assert judge(equal(width, pi * sqrt(number(by)))).verdict in ("proved", "open")
    wide = integral(1 / ((v - at) ** 2 + 1), v, between=(-infinity, infinity))
    assert judge(equal(wide, 3)).verdict == "refuted"
