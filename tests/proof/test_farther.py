"""Where no proof vouches for a claim, judge B looks beyond its habitual worlds."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    absolute,
    at_least_one,
    derivation,
    diff,
    equal,
    exp,
    fractions,
    indicator,
    integral,
    naturals,
    number,
    numeric,
    pi,
    positives,
    reals,
    sigmoid,
    sqrt,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.tree import Node
from genmath.proof.report import check_derivation

n, m, i = naturals("n m i")
a, b = reals("a b")
s, t = positives("s t")
k = fractions("k")
w = at_least_one("w")
x, y = variables("x y")
p = Density("p", x, positive=True)
q = Density("q", x)
f, g = Function("f"), Function("g", positive=True)


def derivatives(order: int) -> Node:
    found: Node = f(a)
    for _ in range(order):
        found = diff(found, a)
    return found


FALSE = {
    "four natural numbers": equal((n - 1) * (n - 2) * (n - 3) * (n - 4), 0),
    "at most eleven": n <= 11,
    "reals are small": a <= 2,
    "reals are not very small": a >= -40,
    "no number is near 0": absolute(a) >= number(1) / 20,
    "positives are bounded": s <= 1000,
    "positives are bounded below": s >= number(1) / 1000,
    "fractions keep off the ends": k <= number(99) / 100,
    "what is at least one is at most 5": w <= 5,
    "two letters differ": indicator(absolute(a - b) > 0) >= 1,
    "no letter is 0": indicator(absolute(a) > 0) >= 1,
    "no mass beyond 9": equal(E(p(x), indicator(x > 9)), 0),
    "no mass below -9": equal(E(q(x), indicator(-x > 9)), 0),
    "the mean is small": E(p(x), x) <= 10,
    "an integral around 40": equal(integral(exp(-((x - 40) ** 2) / 2), x), 0),
    "an integral around -70": equal(integral(exp(-((x + 70) ** 2) / 2), x), 0),
    "one family of functions": equal(derivatives(4) ** 2, derivatives(3) * derivatives(5)),
    "functions grow": f(number(1000)) ** 2 >= 4,
    "a long sum": total(i, i, 1, n) <= 70,
}
TRUE = {
    "a normal integral, mean 40": equal(integral(exp(-((x - 40) ** 2) / 2), x), sqrt(2 * pi)),
    "a normal integral, mean -30": equal(
        integral(exp(-((x + 30) ** 2) / 8), x), 2 * sqrt(2 * pi)
    ),
    "a logistic density, mean 50": equal(
        integral(sigmoid(x - 50) * (1 - sigmoid(x - 50)), x), 1
    ),
    "far and narrow": equal(integral(exp(-5000 * (x - 40) ** 2), x), sqrt(pi / 5000)),
    "far beyond": equal(integral(exp(-((x - 4000) ** 2) / 2), x), sqrt(2 * pi)),
    "normal of a far mean": equal(E(Normal(x, 1000 * a, s), x), 1000 * a),
}  # fmt: skip


@pytest.mark.parametrize("what", FALSE)
def test_what_fails_far_away_is_refuted(what: str) -> None:
    claim = FALSE[what]
    assert judge(claim if isinstance(claim, Claim) else as_claim(claim)).verdict == "refuted"


@pytest.mark.parametrize("what", TRUE)
def test_what_is_true_far_away_is_not_refuted(what: str) -> None:
    assert judge(TRUE[what]).verdict in ("proved", "open")
    assert numeric.farther(TRUE[what]).verdict == "agree"


def test_on_instances_means_on_those_too() -> None:
    @derivation("small", instances=True)
    def small(d: Derivation) -> None:
        d.start(a)
        d.at_most(2, by="as the samples show")

    found = check_derivation(small)
    assert not found["ok"]
    assert found["label"] == "not proved"


def test_what_is_undefined_far_away_says_nothing() -> None:
    for claim in (equal(a / a, 1), equal((a - b) / (a - b), 1), equal(1 / a * a, 1)):
        assert judge(claim).verdict == "proved"
        assert numeric.farther(claim).verdict == "agree"
