"""The distance W1 of two laws: how far their quantiles are apart, or their distributions."""

from __future__ import annotations

import pytest

from genmath.proof import (
    absolute,
    equal,
    exp,
    indicator,
    infinity,
    integral,
    log,
    number,
    positive_part,
    positives,
    reals,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim

x = variables("x")
r = variables("r", domain="positive")
u = variables("u", domain="unit")
a, b = positives("a b")
c, d = reals("c d")
uniform = integral(absolute(a * u - b * u), u)
exponential = integral(absolute(b * log(1 - u) - a * log(1 - u)), u)
tails = integral(absolute(exp(-r / a) - exp(-r / b)), r)
moved = integral(absolute((c + (d - c) * u) - (c + 1 + (d - c) * u)), u)
shares = [(x - positive_part(x - t)) / t for t in (a, b)]
between = integral(absolute(shares[0] - shares[1]), x, between=(0, infinity))
TRUE = {
    "uniform laws": Claim(uniform, "=", absolute(a - b) / 2),
    "exponential laws": Claim(exponential, "=", absolute(a - b)),
    "exponential laws, by their tails": Claim(tails, "=", a - b, (a > b,)),
    "a law that is moved": Claim(moved, "=", number(1), (d > c,)),
    "a corner that goes away": equal(integral(indicator(1 + a * u - a * u > 0), u), 1),
}
FALSE = {
    "uniform laws": Claim(uniform, "=", absolute(a - b)),
    "exponential laws": Claim(exponential, "=", 2 * absolute(a - b)),
    "exponential laws, by their tails": Claim(tails, "=", b - a, (a > b,)),
    "a law that is moved": Claim(moved, "=", number(2), (d > c,)),
    "two ways for uniform laws": Claim(uniform, "=", 2 * between),
}


@pytest.mark.parametrize("what", TRUE)
def test_a_distance_of_quantiles(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict == "proved", found.reason


def test_two_ways_to_the_same_distance() -> None:
    """min(x, a) / a - min(x, b) / b is 0 far out, and in floats what rounding leaves of it."""
    assert judge(Claim(uniform, "=", between)).verdict in ("proved", "open")


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    found = judge(FALSE[what])
    assert found.verdict == "refuted"
    assert "not finite" not in found.reason
