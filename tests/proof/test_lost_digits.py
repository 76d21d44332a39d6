"""Where large terms cancel, what is left of 34 digits may be rounding: that refutes nothing."""

from __future__ import annotations

import pytest

from genmath.proof import (
    E,
    Normal,
    absolute,
    equal,
    identity,
    log,
    naturals,
    positives,
    reals,
    sin,
    sqrt,
    total,
    transpose,
    variables,
    vectors,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node, Relation

x = variables("x")
Z = vectors("z")
a = reals("a")
s = positives("s")
i, n = naturals("i n")
far, tiny = a >= 100_000, 1 >= 1_000_000 * s
fourth = E(Normal(x, a, s**2), x**4) - a**4 - 6 * a**2 * s**2


def powers(middle: int) -> Node:
    return (
        middle * a**6 * s**2 + 56 * a**5 * s**3 + 70 * a**4 * s**4
        + 56 * a**3 * s**5 + 28 * a**2 * s**6 + 8 * a * s**7 + s**8
    )  # fmt: skip


def at(lhs: Node, rhs: Node, *given: Relation) -> Claim:
    return Claim(lhs, "=", rhs, given)


eighth = (a + s) ** 8 - a**8 - 8 * a**7 * s
small = (sqrt(a**2 + s) - a) * (sqrt(a**2 + s) + a) - s
TRUE = {
    "powers": at(eighth, powers(28), far, tiny),
    "a root": at(log(1 + s) + small, log(1 + s), a >= 1_000_000, tiny),
    "a function of the table": at(eighth * sin(a), powers(28) * sin(a), far, tiny),
    "a fourth moment": at(fourth, 3 * s**4, far, tiny),
}
FALSE = {
    "powers": at(eighth, powers(27), far, tiny),
    "a root": at(log(1 + s) + 2 * small, log(1 + s) + s, a >= 1_000_000, tiny),
    "a root, by little": at(log(1 + s) + small, log(1 + s) + s**2, a >= 1_000_000, tiny),
    "one entry of a matrix": Claim(
        E(Normal(Z, 0, identity), Z * transpose(Z)), "=", 2 * identity, (), (2,)
    ),
    "a fourth moment, anywhere": equal(fourth, 4 * s**4),
}
series, root = total(a**i, i, 0, n), sqrt(a ** (2 * n) + 1)
LOST = {  # at any number of digits: a = 15.3, n = 94
    "the geometric series": equal((a - 1) * series - a ** (n + 1), -1),
    "its first term": equal(series - total(a**i, i, 1, n), 1),
    "a difference of squares": equal((root - absolute(a) ** n) * (root + absolute(a) ** n), 1),
}


@pytest.mark.parametrize("what", TRUE)
def test_a_true_claim_is_not_refuted_by_rounding(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("what", FALSE)
def test_what_is_false_by_more_than_rounding_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


@pytest.mark.parametrize("what", LOST)
def test_what_is_lost_whole_refutes_nothing(what: str) -> None:
    claim = LOST[what]
    found = judge(claim)
    assert found.verdict == "open"
    assert found.outcome is not None
    assert found.outcome.verdict == "agree"
    assert judge(equal(claim.lhs, 2 * claim.rhs)).verdict == "refuted"
