"""Integrands that are infinite at an end, or undefined there: a place keeps its distance from it
with all its digits, and what digits hide is no counterexample."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genmath.proof import (
    E,
    Laplace,
    Uniform,
    absolute,
    equal,
    exp,
    infinity,
    integral,
    log,
    number,
    pi,
    reals,
    sqrt,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.numeric.graph import Scalar
from genmath.proof.numeric.steps import Steps

a, b = reals("a b")
q = variables("q")
x, y = variables("x", domain=(a, b)), variables("y", domain=(-1, 2))
up, down = variables("u", domain=(a, infinity)), variables("d", domain=(-infinity, b))
e, t = variables("e", domain=(-1, 1)), variables("t", domain="unit")
w = variables("w", domain="positive")
beyond = number(1) / 1000


def apart(left: object, right: object) -> Claim:
    return replace(equal(left, right), given=(b > a,))  # type: ignore[arg-type]


PROVED = [
    apart(integral(1 / sqrt(x - a), x), 2 * sqrt(b - a)),
    apart(integral(1 / sqrt(b - x), x), 2 * sqrt(b - a)),
    apart(integral(1 / sqrt(2 * b - 2 * x), x), sqrt(2) * sqrt(b - a)),
    apart(integral(1 / sqrt((b - x) * (x - a)), x), pi),
    apart(integral(1 / sqrt(b * x - a * b - x**2 + a * x), x), pi),
    apart(integral(log(x - a), x), (b - a) * log(b - a) - (b - a)),
    apart(E(Uniform(q, a, b), 1 / sqrt(q - a)), 2 / sqrt(b - a)),
    apart(E(Uniform(q, a, b), 1 / sqrt(b - q)), 2 / sqrt(b - a)),
    equal(integral((y + 1) ** (number(-9) / 10), y), 10 * number(3) ** (number(1) / 10)),
    equal(integral(1 / sqrt(2 + y - y**2), y), pi),
    equal(integral(exp(-(up - a)) / sqrt(up - a), up), sqrt(pi)),
    equal(integral(exp(-(b - down)) / sqrt(b - down), down), sqrt(pi)),
    equal(integral(1 / sqrt(1 - e**2), e), pi),
    equal(integral(log(1 - e**2), e), 4 * log(number(2)) - 4),
    equal(integral(e / sqrt(1 - e**2), e), 0),
    equal(integral(1 / sqrt(t - t**2), t), pi),
]
FALSE = [
    apart(integral(1 / sqrt(x - a), x), 3 * sqrt(b - a)),
    apart(integral(1 / sqrt(b - x), x), sqrt(b - a)),
    apart(integral(1 / sqrt((b - x) * (x - a)), x), 3),
    apart(integral(1 / (x - a), x), integral(1 / (b - x), x)),
    apart(integral(1 / (x - a) - 1 / (b - x), x), 0),
    apart(integral(1 / (x - a) ** 2, x), 1 / (b - a)),
    apart(E(Uniform(q, a, b), 1 / (b - q)), 1),
    equal(E(Laplace(q, a, 1), 1 / absolute(q - a)), 1),
    equal(integral(1 / sqrt(1 - e**2), e), 3),
    equal(integral(1 / (1 - e**2), e), 3),
    equal(integral(1 / sqrt(t - number(1) / 2), t), pi),
    equal(integral(sqrt(t - beyond), t), 1),
    equal(integral(log(exp(t) - 1 - beyond), t), 1),
    equal(integral(1 / (exp(t) - 1), t), 1),
    equal(integral(w**3, w), 1),
]
HIDDEN = [  # which digits hide from B: true ones, and one that is false
    equal(integral(1 / sqrt(-log(t)), t), sqrt(pi)),
    equal(integral(exp(t) / sqrt(exp(t) - 1), t), 2 * sqrt(exp(number(1)) - 1)),
    equal(integral(w / (exp(w) - 1), w), pi**2 / 6),
    equal(integral(w / (exp(w) - 1), w), 1),
]


@pytest.mark.parametrize("claim", PROVED, ids=repr)
def test_it_is_proved_and_not_contradicted(claim: Claim) -> None:
    assert judge(claim).verdict == "proved"


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_false_neighbours_are_refuted(claim: Claim) -> None:
    assert judge(claim).verdict == "refuted"


@pytest.mark.parametrize("claim", HIDDEN, ids=repr)
def test_what_digits_hide_refutes_nothing(claim: Claim) -> None:
    verdict = judge(claim)
    assert verdict.verdict == "open"
    assert verdict.outcome.verdict in ("agree", "undefined")


# --- the sums of the graph ------------------------------------------------------------------------


def interval(g: Steps) -> tuple[Scalar, Scalar, Scalar]:
    low, high = g.input("low"), g.input("high")
    loop = g.loop("grid", "unit", 0)
    return low, high, g.on_the_way(low, high, g.loop_value(loop, "t"))


def test_distances_from_both_ends_are_found() -> None:
    g = Steps()
    low, high, place = interval(g)
    step, back = g.sub(place, low), g.sub(high, place)
    assert {step.op, back.op} == {"mul"}
    assert g.add(g.mul(g.two, place), g.neg(g.mul(g.two, low))) is g.mul(g.two, step)
    both = g.sub(g.mul(g.add(low, high), place), g.add(g.mul(low, high), g.powi(place, 2)))
    assert both.op == "mul"
    assert {step, back} <= set(both.args)


def test_what_does_not_vanish_at_an_end_stays_a_sum() -> None:
    g = Steps()
    low, high, place = interval(g)
    other = g.input("other")
    for u in (g.sub(place, other), g.add(place, low), g.add(g.powi(place, 2), g.neg(low))):
        assert u.op == "add"
    assert g.sub(high, low).op == "add"


def test_an_end_that_is_undefined_is_not_forgotten() -> None:
    g = Steps()
    low = g.fn("log", g.input("a"))
    t = g.loop_value(g.loop("grid", "line", 0), "t")
    distance = g.sub(g.beyond(low, t), low)
    assert distance is g.when(t, low)
    assert distance is not t
