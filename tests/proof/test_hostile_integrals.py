"""What a hostile reader tried on integrals, sums and limits."""

from __future__ import annotations

import time

import pytest

from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, equal
from genmath.proof.language.derivation import Derivation, derivation
from genmath.proof.language.notation import (
    KL,
    Normal,
    Relation,
    Uniform,
    absolute,
    diff,
    exp,
    fractions,
    infinity,
    integral,
    limit,
    log,
    naturals,
    number,
    pi,
    positives,
    reals,
    total,
    variables,
)
from genmath.proof.symbolic.judge import prove

x = variables("x")
u = variables("u", domain="positive")
a, c = reals("a c")
s = positives("s")
e = fractions("e")
n, i = naturals("n i")

moments = ((2 * a - 1) ** 2 + (2 * a - 1) / s + 1 / (3 * s**2)) / (2 * exp(a))
CONSTANTS = {
    "on a half-line": (integral(u / (exp(c) * u + exp(c)) ** 4, u), exp(-4 * c) / 6, number(1) / 6),
    "on the line": (
        integral(1 / (exp(c) + exp(c) * x**2) ** 2, x), exp(-2 * c) * pi / 2, pi / 2),
    "between a uniform and a normal law": (
        KL(Uniform(x, 2 * a, 2 * a + 1 / s), Normal(x, 1, exp(a))),
        log(s) + log(2 * pi) / 2 + a / 2 + moments,
        log(s) + log(2 * pi) / 2 + a / 2 + 2 * moments),
}  # fmt: skip


@pytest.mark.parametrize("where", CONSTANTS)
def test_an_exponential_that_is_a_factor_of_a_denominator_is_not_lost(where: str) -> None:
    whole, value, other = CONSTANTS[where]
    assert judge(equal(whole, value)).verdict == "proved"
    assert judge(equal(whole, other)).verdict == "refuted"


@derivation("A square at one place")
def square_at_one(d: Derivation) -> None:
    d.given_that(equal(a, 1))
    d.start(a**2)
    d.equals(a, by="it is 1")


@derivation("A size on one side")
def size_above(d: Derivation) -> None:
    d.given_that(a >= 0)
    d.start(absolute(a))
    d.equals(a, by="its sign")


def test_what_holds_at_one_place_says_nothing_of_slopes() -> None:
    at_one, above = Relation(a, "=", number(1)), Relation(a, ">=", number(0))
    for slope, given, lemma in (
        (equal(diff(a**2, a), 1), at_one, square_at_one()),
        (equal(diff(absolute(a), a), 1), above, size_above()),
    ):
        claim = Claim(slope.lhs, "=", slope.rhs, (given,))
        assert not prove(claim, (lemma,)).proved
    there = Claim(a**2 * diff(c**2, c), "=", a * diff(c**2, c), (at_one,))
    assert judge(there, (square_at_one(),)).verdict == "proved"


def test_the_limit_of_a_series_is_looked_at_in_a_moment() -> None:
    """At 2^27 its sum would have as many terms."""
    began = time.process_time()
    series = limit(total(e**i, i, 1, n), n, infinity)
    assert judge(equal(series, e / (1 - e))).verdict == "proved"
    assert judge(equal(series, 1 / (1 - e))).verdict == "refuted"
    twice = limit(total(total(e**i, i, 1, n) / n, i, 1, n), n, infinity)
    assert judge(equal(twice, e / (1 - e))).verdict in ("proved", "open")
    assert time.process_time() - began < 20
