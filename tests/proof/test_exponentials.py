"""Rational functions of exponentials, as sigmoids make them: what cancels is seen to cancel, also
under an integral and beside a normal density, and its false neighbours are not proved."""

from __future__ import annotations

import pytest

from genmath.proof import numeric
from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.notation import (
    E,
    Normal,
    absolute,
    diff,
    exp,
    integral,
    log,
    positives,
    reals,
    sigmoid,
    variables,
)
from genmath.proof.language.tree import Node
from genmath.proof.symbolic.judge import prove

x = variables("x")
a, m = reals("a m")
r, s = positives("r s")


def logit_normal(t: Node) -> Node:
    return Normal(log(t / (1 - t)), m, s**2) / (t * (1 - t))


slope = sigmoid(a) * (1 - sigmoid(a))

TRUE = {
    "slope of a sigmoid": equal(diff(sigmoid(a), a), slope),
    "log-odds of a sigmoid": equal(log(sigmoid(a) / (1 - sigmoid(a))), a),
    "a double exponent": equal((exp(2 * a) - 1) / (exp(a) + 1), exp(a) - 1),
    "a fraction in the exponent": equal(exp(a) / (1 + exp(a / 2)), exp(a / 2) * sigmoid(a / 2)),
    "pulled back": equal(logit_normal(sigmoid(a)) * slope, Normal(a, m, s**2)),
    "beside a normal": equal(Normal(a, m, s) * exp(a) / (1 + exp(a)), Normal(a, m, s) * sigmoid(a)),
    "under an integral": equal(
        integral(logit_normal(sigmoid(x)) * sigmoid(x) * (1 - sigmoid(x)), x), 1
    ),
    "two terms cancel": equal(E(Normal(x, m, s), sigmoid(x) + sigmoid(-x)), 1),
    "decayed": equal(absolute(1 - exp(-s)), 1 - exp(-s)),
    "grown": equal(absolute(1 - exp(s)), exp(s) - 1),
    "the slower decay is above": as_claim(exp(-s) >= exp(-2 * s)),
    "a factor on both": equal(absolute(s * exp(-s) - s), s - s * exp(-s)),
    "a variance": equal(E(Normal(x, 0, 1 - exp(-2 * s)), x**2), 1 - exp(-2 * s)),
    "well above the decay": equal(absolute(3 - exp(-s)), 3 - exp(-s)),
}

FALSE = {
    "slope without the other factor": equal(diff(sigmoid(a), a), sigmoid(a)),
    "slope of the wrong sign": equal(diff(sigmoid(a), a), -slope),
    "log-odds upside down": equal(log((1 - sigmoid(a)) / sigmoid(a)), a),
    "a double exponent, halved": equal((exp(2 * a) - 1) / (exp(a) + 1), exp(a / 2) - 1),
    "exp 2a for exp a": equal(exp(a) / (1 + exp(2 * a)), sigmoid(a)),
    "pulled back twice": equal(logit_normal(sigmoid(a)) * slope**2, Normal(a, m, s**2)),
    "not pulled back": equal(logit_normal(sigmoid(a)), Normal(a, m, s**2)),
    "pulled back, spread for variance": equal(
        logit_normal(sigmoid(a)) * slope, Normal(a, m, s)
    ),
    "not pulled back, under an integral": equal(integral(logit_normal(sigmoid(x)), x), 1),
    "half pulled back": equal(integral(logit_normal(sigmoid(x)) * sigmoid(x), x), 1),
    "two terms do not cancel": equal(E(Normal(x, m, s), sigmoid(x) + sigmoid(x)), 1),
    "decayed, of either sign": equal(absolute(1 - exp(-a)), 1 - exp(-a)),
    "decayed below a half": as_claim(2 * exp(-s) <= 1),
    "the faster decay is above": as_claim(exp(-2 * s) >= exp(-s)),
    "another factor": as_claim(exp(-s) >= 3 * exp(-2 * s)),
    "grown from nothing": as_claim(exp(s) - 2 >= 0),
    "two unknown rates": as_claim(exp(-s) >= exp(-r)),
    "below a half of the decay": as_claim(exp(-s) <= 2 * exp(-2 * s)),
    "above a half, of either sign": equal(absolute(2 * exp(a) - 1), 2 * exp(a) - 1),
    "a logarithm of either sign": as_claim(log(s) >= 0),
    "a factor of either side of one": as_claim(r >= exp(-s)),
    "a sum, not a difference": as_claim(exp(-s) + exp(s) <= 1),
}  # fmt: skip

# zero by identity, or at a point that a random variable may take: not to be divided by
UNDEFINED = {
    "zero by a double exponent": equal(
        (exp(2 * a) - exp(a) ** 2) / (exp(2 * a) - exp(a) ** 2), 1
    ),
    "zero by a square": equal(
        ((exp(a) - 1) ** 2 - exp(2 * a) + 2 * exp(a) - 1)
        / ((exp(a) - 1) ** 2 - exp(2 * a) + 2 * exp(a) - 1), 1
    ),
    "zero by sigmoids": equal(
        (1 - sigmoid(a) - sigmoid(-a)) / (1 - sigmoid(a) - sigmoid(-a)), 1
    ),
    "a pole under a mean": equal(E(Normal(x, 0, 1), (exp(x) - 1) / (exp(x) - 1)), 1),
    "a pole under an integral": equal(
        integral(Normal(x, 0, 1) * (exp(2 * x) - 1) / (exp(x) - 1), x),
        E(Normal(x, 0, 1), exp(x) + 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_a_true_claim_is_proved(name: str) -> None:
    assert prove(TRUE[name]).proved
    assert numeric.compare(TRUE[name]).verdict == "agree"


@pytest.mark.parametrize("name", FALSE)
def test_a_false_neighbour_is_refuted_and_not_proved(name: str) -> None:
    assert not prove(FALSE[name]).proved
    assert numeric.compare(FALSE[name]).verdict == "refuted"


@pytest.mark.parametrize("name", UNDEFINED)
def test_what_may_be_divided_by_zero_is_not_proved(name: str) -> None:
    claim: Claim = UNDEFINED[name]
    assert not prove(claim).proved
