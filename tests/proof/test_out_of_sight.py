"""Mass that lies far out, or is very narrow: what B does not see refutes nothing, and what is false
there is still refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Function,
    Normal,
    equal,
    exp,
    infinity,
    integral,
    number,
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
    "a wide bell": equal(integral(bell(0, 10**12), x), sqrt(2 * pi * 10**12)),
    "a bell as wide as the window": equal(integral(bell(0, 10**4), x), sqrt(2 * pi * 10**4)),
    "a narrow bell": equal(integral(bell(5, number(1) / 1000), x), sqrt(2 * pi / 1000)),
    "a function on another scale": Claim(
        integral(g(x), x), "=", integral(g(x / s) / s, x), (1 >= 1000 * s,)),
}  # fmt: skip
FALSE = {
    "narrow and far": equal(integral(Normal(x, 100, tiny), x, between=line), number(101) / 100),
    "wide": equal(integral(Normal(x, 0, 10_000), x, between=line), number(101) / 100),
    "wide, on a half-line": equal(integral(Normal(x, 0, 10**12), x, between=(0, infinity)),
                                  number(101) / 200),
    "narrow, on a half-line": equal(integral(Normal(x, 100, tiny), x, between=(100, infinity)),
                                    number(101) / 200),
    "a wide bell": equal(integral(bell(0, 10**12), x), 1_010_000 * sqrt(2 * pi)),
    "a far bell": equal(integral(bell(100, 1), x), number(101) / 100 * sqrt(2 * pi)),
    "a function on another scale": Claim(
        integral(g(x), x), "=", integral(g(x / s), x), (s >= 1000,)),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_mass_out_of_sight_refutes_nothing(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict in ("proved", "open"), found.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"
