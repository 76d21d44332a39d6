"""Mass that lies far out, or is very narrow: what B does not see refutes nothing, and what is false
there is still refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    KL,
    Beta,
    E,
    Function,
    Gamma,
    Logistic,
    Normal,
    Poisson,
    absolute,
    cos,
    diff,
    equal,
    exp,
    gamma,
    infinity,
    integral,
    log,
    number,
    numeric,
    pi,
    positives,
    sin,
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
narrow = number(9) / 10_000
many_digits = 10**12 * log(number(2))
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
    "a narrow logistic law": equal(integral(Logistic(x, 100, tiny), x, between=line), 1),
    "a number of many digits": equal(exp(many_digits) * exp(-many_digits), 1),
    "a very narrow law": equal(integral(Beta(u, 10**6, 10**6), u), 1),
    "a very slow fall": equal(integral(exp(-absolute(x) / 10**9), x), 2 * 10**9),
    "a wide bell": equal(integral(bell(0, 10**12), x), sqrt(2 * pi * 10**12)),
    "a bell as wide as the window": equal(integral(bell(0, 10**4), x), sqrt(2 * pi * 10**4)),
    "a narrow bell": equal(integral(bell(5, number(1) / 1000), x), sqrt(2 * pi / 1000)),
    "a narrow bell, far": equal(integral(bell(100, narrow), x), sqrt(2 * pi * narrow)),
    "half of it": equal(integral(bell(100, narrow), x, between=(100, infinity)),
                        sqrt(2 * pi * narrow) / 2),
    "two of them": equal(integral(bell(100, narrow) + bell(-50, 1), x),
                         sqrt(2 * pi * narrow) + sqrt(2 * pi)),
    "its mean": equal(integral(x * bell(100, narrow), x), 100 * sqrt(2 * pi * narrow)),
    "a bell that another factor moves": equal(
        integral(bell(0, 1) * (exp(5 * x) + exp(-5 * x)), x),
        2 * sqrt(2 * pi) * exp(number(25) / 2)),
    "a bell that is divided by its square": equal(
        integral(exp(x**2) / exp(2 * x**2), x), sqrt(pi)),
    "a bell that another undoes": equal(
        integral(exp(-(x**2) / s) * exp(x**2 / s) / (1 + x**2), x), pi),
    "a function on another scale": Claim(
        integral(g(x), x), "=", integral(g(x / s) / s, x), (1 >= 1000 * s,)),
}  # fmt: skip
FALSE = {
    "backwards": equal(integral(Normal(x, 100, tiny), x, between=(infinity, -infinity)), 1),
    "from elsewhere": equal(integral(Normal(x, 100, tiny), x, between=(0, infinity)), more),
    "narrow and far": equal(integral(Normal(x, 100, tiny), x, between=line), more),
    "a narrow logistic law": equal(integral(Logistic(x, 100, tiny), x, between=line), more),
    "wide": equal(integral(Normal(x, 0, 10_000), x, between=line), more),
    "wide, on a half-line": equal(integral(Normal(x, 0, 10**12), x, between=(0, infinity)),
                                  number(101) / 200),
    "narrow, on a half-line": equal(integral(Normal(x, 100, tiny), x, between=(100, infinity)),
                                    number(101) / 200),
    "a wide bell": equal(integral(bell(0, 10**12), x), 1_010_000 * sqrt(2 * pi)),
    "a far bell": equal(integral(bell(100, 1), x), more * sqrt(2 * pi)),
    "a narrow bell, far": equal(integral(bell(100, narrow), x), more * sqrt(2 * pi * narrow)),
    "half of it": equal(integral(bell(100, narrow), x, between=(100, infinity)),
                        more * sqrt(2 * pi * narrow) / 2),
    "on a half-line": equal(integral(bell(100, narrow), x, between=(0, infinity)),
                            more * sqrt(2 * pi * narrow)),
    "two of them": equal(integral(bell(100, narrow) + bell(-50, 1), x),
                         sqrt(2 * pi * narrow) + more * sqrt(2 * pi)),
    "its mean": equal(integral(x * bell(100, narrow), x), 101 * sqrt(2 * pi * narrow)),
    "a bell that another factor moves": equal(
        integral(bell(0, 1) * (exp(5 * x) + exp(-5 * x)), x), sqrt(2 * pi) * exp(number(25) / 2)),
    "a bell upside down": equal(integral(exp(x**2), x) - integral(exp(x**2), x), 0),
    "a function on another scale": Claim(
        integral(g(x), x), "=", integral(g(x / s), x), (s >= 1000,)),
}  # fmt: skip
LAWS = {
    "Poisson": lambda at: (Poisson(k, at), k, at),
    "Gamma": lambda at: (Gamma(r, at, 3), r, number(at) / 3),
}
PLACES = [("Poisson", at) for at in (200, 1000, 3000, 10**4, 10**8, 10**12)]
PLACES += [("Gamma", at) for at in (600, 10**6, 10**9, 10**12)]


@pytest.mark.parametrize(("name", "at"), PLACES)
def test_a_law_far_out_is_seen_where_it_is(name: str, at: int) -> None:
    law, letter, mean = LAWS[name](at)
    assert judge(equal(integral(law, letter), 1)).verdict == "proved"
    assert judge(equal(E(law, letter), mean)).verdict in ("proved", "open")
    assert judge(equal(integral(law, letter), more)).verdict == "refuted"
    assert judge(equal(E(law, letter), more * mean)).verdict == "refuted"
    assert numeric.compare(equal(E(law, letter), mean)).verdict == "agree"


def two(parts: list[Node]) -> Node:
    return (parts[0] + parts[1]) / 2


MIXED = {
    "counts": (two([Poisson(k, 5), Poisson(k, 2000)]), k, number(2005) / 2),
    "counts, both far": (two([Poisson(k, 500), Poisson(k, 10**6)]), k, number(1_000_500) / 2),
    "on a half-line": (two([Gamma(r, 2, 1), Gamma(r, 10**4, 1)]), r, number(10_002) / 2),
}


@pytest.mark.parametrize("what", MIXED)
def test_each_law_of_a_mixture_is_seen_where_it_is(what: str) -> None:
    law, letter, mean = MIXED[what]
    assert judge(equal(integral(law, letter), 1)).verdict == "proved"
    assert numeric.compare(equal(integral(letter * law, letter), mean)).verdict == "agree"
    assert judge(equal(integral(law, letter), more)).verdict == "refuted"
    assert judge(equal(integral(letter * law, letter), more * mean)).verdict == "refuted"


def test_laws_far_apart() -> None:
    near, far = Poisson(k, 5), Poisson(k, 2000)
    for apart, value in ((KL(near, far), 5 * log(number(5) / 2000) + 1995),
                         (KL(far, near), 2000 * log(number(400)) - 1995)):  # fmt: skip
        assert judge(equal(apart, value)).verdict == "proved"
        assert judge(equal(apart, more * value)).verdict == "refuted"


@pytest.mark.parametrize("rate", [700, 10**8])
@pytest.mark.parametrize("period", [2, 3, 7])
def test_what_repeats_itself_is_not_taken_for_what_is_alike(rate: int, period: int) -> None:
    """Not every count is a node where the rate is large."""
    turn = 2 * pi / period
    mean = exp(rate * (cos(turn) - 1)) * cos(rate * sin(turn))
    assert judge(equal(E(Poisson(k, rate), cos(turn * k)), mean)).verdict in ("proved", "open")


@pytest.mark.parametrize("rate", [1000, 3000])
@pytest.mark.parametrize("base", [2, number(1) / 2, number(3) / 2])
def test_a_law_that_an_integrand_moves_refutes_nothing(rate: int, base: Node | int) -> None:
    generated = E(Poisson(k, rate), number(1) * base**k)
    assert judge(equal(generated * exp(rate * (1 - number(1) * base)), 1)).verdict in (
        "proved", "open")  # fmt: skip


@pytest.mark.parametrize("rate", [100, 1000, 3000])
def test_what_no_large_rate_makes_finite_is_not(rate: int) -> None:
    diverging = E(Poisson(k, rate), gamma(k + 1))
    assert judge(equal(diverging - diverging, 0)).verdict == "refuted"
    alternating = E(Poisson(k, rate), (-number(1)) ** k)
    assert judge(equal(alternating - alternating, 0)).verdict == "proved"


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
