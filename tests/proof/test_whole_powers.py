"""Whole powers of numbers of any sign, and a convex function's conjugate where its slope is."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    absolute,
    attained,
    equal,
    fenchel_gap,
    induction,
    log,
    naturals,
    positives,
    reals,
    sqrt,
    supremum,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.tree import Node

n, k, i = naturals("n k i")
a, b = reals("a b")
s = positives("s")
x = variables("x")
p, q = Density("p", x, positive=True), Density("q", x, positive=True)
phi = Function("phi", convex=True)
ratio = p(x) / q(x)
bernoulli = (induction(n), (1 + a) * ((1 + a) ** n - (1 + n * a)) + n * a**2)

TRUE: dict[str, tuple[Claim, tuple[Node, ...]]] = {
    "one more": (equal((1 + a) ** (n + 1), (1 + a) * (1 + a) ** n), ()),
    "of a product": (equal((a * b) ** n, a**n * b**n), ()),
    "of a quotient": (equal((a / s) ** n, a**n / s**n), ()),
    "of a negative": (equal((-2 * a) ** n, (-1) ** n * 2**n * a**n), ()),
    "of a sum of exponents": (equal(a ** (n + k), a**n * a**k), ()),
    "of a square": (equal((a**2) ** n, a ** (2 * n)), ()),
    "an even power": (as_claim(a ** (2 * n) >= 0), ()),
    "a root of it": (equal(sqrt(a ** (2 * n)), absolute(a**n)), ()),
    "a geometric sum": (
        equal((1 - a) * total(a ** (i - 1), i, 1, n), 1 - a**n), (induction(n),),
    ),
    "Bernoulli": (Claim((1 + a) ** n, ">=", 1 + n * a, given=(a >= -1,)), bernoulli),
    "where the slope is": (equal(phi(a) + phi.conjugate(phi.prime(a)), a * phi.prime(a)), ()),
    "Fenchel and Moreau": (
        equal(supremum(a * b - phi.conjugate(b), b), phi(a)),
        (attained(b, phi.prime(a)), fenchel_gap(phi, a, b)),
    ),
    "the best critic": (
        equal(E(p(x), phi.prime(ratio)) - E(q(x), phi.conjugate(phi.prime(ratio))),
              E(q(x), phi(ratio))), (),
    ),
}  # fmt: skip
FALSE: dict[str, Claim] = {
    "one more, added": equal((1 + a) ** (n + 1), (1 + a) ** n + 1),
    "a sign lost": equal((-a) ** n, a**n),
    "a square lost": equal((a**2) ** n, a**n),
    "exponents multiplied": equal(a ** (n * k), a**n * a**k),
    "of a sum": equal((a + b) ** n, a**n + b**n),
    "any power": as_claim(a**n >= 0),
    "even from 2 on": Claim(a**n, ">=", 0 * a, given=(n >= 2,)),
    "a root forgets a sign": equal(sqrt(a ** (2 * n)), a**n),
    "a size forgotten": equal(absolute(a) ** n, a**n),
    "one less": equal(a ** (n + 1), a ** (n + 1) / a * 2 * a / 2 + a),
    "the logarithm of an even power": equal(log(a ** (2 * n)), 2 * n * log(a)),
    "Bernoulli below -1": as_claim((1 + a) ** n >= 1 + n * a),
    "no point for the slope": equal(phi(a) + phi.conjugate(phi.prime(a)), phi.prime(a)),
    "any slope": equal(phi.conjugate(a), a * phi.prime(a) - phi(a)),
    "the critic of the other ratio": equal(
        E(p(x), phi.prime(ratio)) - E(q(x), phi.conjugate(phi.prime(q(x) / p(x)))),
        E(q(x), phi(ratio)),
    ),
}


@pytest.mark.parametrize("what", TRUE)
def test_what_is_so_is_proved(what: str) -> None:
    verdict = judge(*TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


def test_a_power_that_may_be_of_0_is_not_divided_by() -> None:
    for claim in (equal(a ** (n - 1), a**n / a), equal(a**n / a**n, 1)):
        assert judge(claim).verdict == "open"
