"""Stein's identities where a letter begins at 0, and second moments of logarithms: what is left at
0, or moves by one, is not forgotten."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Beta,
    E,
    Exponential,
    Function,
    Gamma,
    Geometric,
    Logistic,
    Poisson,
    diff,
    equal,
    exp,
    fractions,
    integral,
    log,
    pi,
    positives,
    reals,
    trigamma,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node

h = variables("h", domain="positive")
u = variables("u", domain="unit")
n = variables("n", domain="count")
x = variables("x")
lam, s, t = positives("lambda s t")
p = fractions("p")
mu = reals("mu")
f = Function("f")
counts, waits = Poisson(n, lam), Exponential(h, lam)
slope = diff(f(h), h)
gumbel = exp(-x - exp(-x))


def covariance(law: Node, a: Node, b: Node) -> Node:
    return E(law, a * b) - E(law, a) * E(law, b)


TRUE: dict[str, Claim] = {
    "counts": equal(E(counts, n * f(n)), lam * E(counts, f(n + 1))),
    "counts, squared": equal(E(counts, n**2 * f(n)), lam * E(counts, (n + 1) * f(n + 1))),
    "counts, two steps": equal(E(counts, n * (n - 1) * f(n)), lam**2 * E(counts, f(n + 2))),
    "counts, by their mean": equal(diff(E(counts, f(n)), lam), E(counts, f(n + 1) - f(n))),
    "waiting": equal(E(waits, slope), lam * E(waits, f(h)) - lam * f(0)),
    "waiting, nothing at 0": equal(E(waits, h * slope), E(waits, (lam * h - 1) * f(h))),
    "waiting, two slopes": equal(
        E(waits, diff(slope, h)), lam**2 * E(waits, f(h)) - lam**2 * f(0) - lam * f.prime(0)
    ),
    "log of a gamma": equal(covariance(Gamma(h, s, t), log(h), log(h)), trigamma(s)),
    "log of a beta": equal(
        covariance(Beta(u, s, t), log(u), log(u)), trigamma(s) - trigamma(s + t)
    ),
    "both logs": equal(covariance(Beta(u, s, t), log(u), log(1 - u)), -trigamma(s + t)),
    "gumbel": equal(integral(x**2 * gumbel, x) - integral(x * gumbel, x) ** 2, pi**2 / 6),
    "logistic": equal(E(Logistic(x, mu, s), (x - mu) ** 2), s**2 * pi**2 / 3),
}
FALSE: dict[str, Claim] = {
    "counts, no rate": equal(E(counts, n * f(n)), E(counts, f(n + 1))),
    "counts, no step": equal(E(counts, n * f(n)), lam * E(counts, f(n))),
    "counts, squares as two steps": equal(E(counts, n**2 * f(n)), lam**2 * E(counts, f(n + 2))),
    "another law": equal(E(Geometric(n, p), n * f(n)), E(Geometric(n, p), f(n + 1))),
    "waiting, 0 forgotten": equal(E(waits, slope), lam * E(waits, f(h))),
    "waiting, the other sign": equal(E(waits, slope), lam * E(waits, f(h)) + lam * f(0)),
    "waiting, a slope forgotten": equal(E(waits, h * slope), E(waits, lam * h * f(h))),
    "log of a beta, as of a gamma": equal(covariance(Beta(u, s, t), log(u), log(u)), trigamma(s)),
    "both logs, the other sign": equal(
        covariance(Beta(u, s, t), log(u), log(1 - u)), trigamma(s + t)
    ),
    "gumbel, the mean forgotten": equal(integral(x**2 * gumbel, x), pi**2 / 6),
    "log of a gamma, the mean forgotten": equal(E(Gamma(h, s, t), log(h) ** 2), trigamma(s)),
}


@pytest.mark.parametrize("what", TRUE)
def test_what_a_textbook_states(what: str) -> None:
    verdict = judge(TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"
