"""Mass that lies far out, or is very narrow: what B does not see refutes nothing, and what is false
there is still refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Beta,
    E,
    Function,
    Gamma,
    Normal,
    Poisson,
    absolute,
    diff,
    equal,
    exp,
    infinity,
    integral,
    log,
    number,
    numeric,
    pi,
    positives,
    sqrt,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node

x = variables("x")
s = positives("s")
g = Function("g")
k = variables("k", domain="count")
r = variables("r", domain="positive")
u = variables("u", domain="unit")
more = number(101) / 100
line = (-infinity, infinity)
tiny = number(1) / 10**12


def bell(mean: int, variance: Node | int) -> Node:
    """No density says where it lies."""
    return exp(-((x - mean) ** 2) / (2 * variance))


TRUE = {
    "narrow and far": equal(integral(Normal(x, 100, tiny), x, between=line), 1),
    "far": equal(integral(Normal(x, 1_000_000, 1), x, between=line), 1),
    "wide": equal(integral(Normal(x, 0, 10_000), x, between=line), 1),
    "wide, on a half-line": equal(integral(Normal(x, 0, 10**12), x, between=(0, infinity)),
                                  number(1) / 2),
    "narrow, on a half-line": equal(integral(Normal(x, 100, tiny), x, between=(100, infinity)),
                                    number(1) / 2),
    "backwards": equal(integral(Normal(x, 100, tiny), x, between=(infinity, -infinity)), -1),
    "from elsewhere": Claim(
        integral(Normal(x, 100, tiny), x, between=(0, infinity)), ">=", number(99) / 100),
    "a very narrow law": equal(integral(Beta(u, 10**6, 10**6), u), 1),
    "a very slow fall": equal(integral(exp(-absolute(x) / 10**9), x), 2 * 10**9),
    "a wide bell": equal(integral(bell(0, 10**12), x), sqrt(2 * pi * 10**12)),
    "a bell as wide as the window": equal(integral(bell(0, 10**4), x), sqrt(2 * pi * 10**4)),
    "a narrow bell": equal(integral(bell(5, number(1) / 1000), x), sqrt(2 * pi / 1000)),
    "a function on another scale": Claim(
        integral(g(x), x), "=", integral(g(x / s) / s, x), (1 >= 1000 * s,)),
}  # fmt: skip
FALSE = {
    "backwards": equal(integral(Normal(x, 100, tiny), x, between=(infinity, -infinity)), 1),
    "from elsewhere": equal(integral(Normal(x, 100, tiny), x, between=(0, infinity)), more),
    "narrow and far": equal(integral(Normal(x, 100, tiny), x, between=line), more),
    "wide": equal(integral(Normal(x, 0, 10_000), x, between=line), more),
    "wide, on a half-line": equal(integral(Normal(x, 0, 10**12), x, between=(0, infinity)),
                                  number(101) / 200),
    "narrow, on a half-line": equal(integral(Normal(x, 100, tiny), x, between=(100, infinity)),
                                    number(101) / 200),
    "a wide bell": equal(integral(bell(0, 10**12), x), 1_010_000 * sqrt(2 * pi)),
    "a far bell": equal(integral(bell(100, 1), x), more * sqrt(2 * pi)),
    "a function on another scale": Claim(
        integral(g(x), x), "=", integral(g(x / s), x), (s >= 1000,)),
}  # fmt: skip
LAWS = {
    "Poisson": lambda at: (Poisson(k, at), k, at),
    "Gamma": lambda at: (Gamma(r, at, 3), r, number(at) / 3),
}
PLACES = [("Poisson", at) for at in (200, 1000)] + [("Gamma", at) for at in (600, 10**6)]


@pytest.mark.parametrize(("name", "at"), PLACES)
def test_a_law_far_out_is_seen_where_it_is(name: str, at: int) -> None:
    law, letter, mean = LAWS[name](at)
    assert judge(equal(integral(law, letter), 1)).verdict == "proved"
    assert judge(equal(E(law, letter), mean)).verdict in ("proved", "open")
    assert judge(equal(integral(law, letter), more)).verdict == "refuted"
    assert judge(equal(E(law, letter), more * mean)).verdict == "refuted"
    assert numeric.compare(equal(E(law, letter), mean)).verdict == "agree"


@pytest.mark.parametrize("at", [10**4, 10**8, 10**12])
def test_a_law_that_nodes_do_not_cover_is_not_judged(at: int) -> None:
    assert judge(equal(integral(Poisson(k, at), k), 1)).verdict == "open"


def test_a_rate_that_is_said_to_be_large() -> None:
    mean = E(Poisson(k, s), k)
    assert judge(Claim(mean, "=", s, (s >= 200,))).verdict == "proved"
    assert judge(Claim(mean, "=", more * s, (s >= 200,))).verdict == "refuted"


def test_what_the_law_makes_small_is_seen_near_0_too() -> None:
    """exp(-630) times exp(630), at counts around 70 where the rate is 700."""
    generated = E(Poisson(k, 700), (number(1) / 10) ** k)
    assert numeric.compare(equal(generated * exp(number(630)), 1)).verdict == "agree"
    assert judge(equal(generated * exp(number(630)), 2)).verdict == "refuted"


def test_nodes_stay_where_they_are_when_a_rate_moves() -> None:
    slope = diff(E(Poisson(k, s), k**2), s)
    assert numeric.compare(Claim(slope, "=", 2 * s + 1, (s >= 200,))).verdict == "agree"
    assert judge(Claim(slope, "=", 2 * s, (s >= 200,))).verdict == "refuted"
    spread = diff(E(Gamma(r, s, 1), log(r) * r), s)
    for factor, verdict in ((1, "agree"), (2, "refuted")):
        as_weight = E(Gamma(r, s, 1), factor * log(r) * r * diff(log(Gamma(r, s, 1)), s))
        assert numeric.compare(Claim(spread, "=", as_weight, (s >= 600,))).verdict == verdict


@pytest.mark.parametrize("what", TRUE)
def test_mass_out_of_sight_refutes_nothing(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict in ("proved", "open"), found.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"
