"""Integrals that cancel against a number, beside a normal density; exponentials of sums. What
follows is proved, and its false neighbours are refuted and not proved."""

from __future__ import annotations

import pytest

from genmath.proof import numeric
from genmath.proof.language.claims import Claim, equal
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    Normal,
    diff,
    exp,
    integral,
    log,
    positives,
    reals,
    sigmoid,
    variables,
)
from genmath.proof.symbolic.judge import prove

x, y, z = variables("x y z")
a, b, m = reals("a b m")
s, t = positives("s t")
f = Function("f")
p = Density("p", y)
share = f(x) ** 2 / (1 + f(x) ** 2)
bell = Normal(x, m, s)
two = Normal(x, -m, 1) / 2 + Normal(x, m, 1) / 2
kernel = Normal(x, a * y, s)
noisy = integral(kernel * p(y), y)
posterior_mean = integral(y * kernel * p(y), y) / noisy

TRUE = {
    "parts of one": equal(E(bell, share) + E(bell, 1 / (1 + f(x) ** 2)), 1),
    "parts of a multiple": equal(E(bell, 3 * a * share) + E(bell, 3 * a / (1 + f(x) ** 2)), 3 * a),
    "a mean off the letter": equal(
        E(Normal(x, a + b, s), share - 1) + 1, E(Normal(x, a + b, s), share)
    ),
    "a density that sits in a sum": equal(
        two, exp(-(m**2) / 2) * Normal(x, 0, 1) * (exp(-m * x) + exp(m * x)) / 2
    ),
    "exponentials of sums": equal(
        (exp(a + b) - 1) / (exp(a) * exp(b) - 1 + exp(s)),
        (exp(a) * exp(b) - 1) / (exp(a + b) - 1 + exp(s)),
    ),
    "halves": equal((exp(a) - exp(b)) / (exp(a / 2) + exp(b / 2)), exp(a / 2) - exp(b / 2)),
    "a share of two": equal(diff(log(two), x), m * (2 * sigmoid(2 * m * x) - 1) - x),
    "mean of squares": equal(
        integral((y - posterior_mean) ** 2 * kernel * p(y), y) / noisy,
        integral(y**2 * kernel * p(y), y) / noisy - posterior_mean**2,
    ),
}

FALSE = {
    "parts of two": equal(E(bell, share) + E(bell, 1 / (1 + f(x) ** 2)), 2),
    "parts of one, one twice": equal(E(bell, share) + E(bell, 2 / (1 + f(x) ** 2)), 1),
    "parts under two densities": equal(
        E(bell, share) + E(Normal(x, m + 1, s), 1 / (1 + f(x) ** 2)), 1
    ),
    "parts under two variances": equal(
        E(bell, share) + E(Normal(x, m, 2 * s), 1 / (1 + f(x) ** 2)), 1
    ),
    "another multiple": equal(E(bell, 3 * a * share) + E(bell, 3 * a / (1 + f(x) ** 2)), a),
    "a mean that moves with the letter": equal(
        integral(Normal(x, x / 2, s) * share, x)
        + integral(Normal(x, x / 2, s) / (1 + f(x) ** 2), x),
        1,
    ),
    "a variance that moves with the letter": equal(
        integral(Normal(x, 0, exp(x)) * sigmoid(x), x)
        + integral(Normal(x, 0, exp(x)) * sigmoid(-x), x),
        1,
    ),
    "the letter scaled": equal(
        integral(Normal(2 * x, m, s) * share, x)
        + integral(Normal(2 * x, m, s) / (1 + f(x) ** 2), x),
        1,
    ),
    "a square of a density": equal(
        integral(bell**2 * share, x) + integral(bell**2 / (1 + f(x) ** 2), x), 1
    ),
    "a sum for a product": equal(
        (exp(a + b) - 1) / (1 + exp(s)), (exp(a) + exp(b) - 1) / (1 + exp(s))
    ),
    "halves for wholes": equal((exp(a) - exp(b)) / (exp(a / 2) + exp(b / 2)), exp(a) - exp(b)),
    "a power of a half too many": equal(
        (exp(3 * a / 2) - 1) / (exp(a / 2) - 1 + exp(s)),
        (exp(a) * exp(a) - 1) / (exp(a / 2) - 1 + exp(s)),
    ),
    "thirds for halves": equal(
        exp(a / 3) * exp(a / 2) / (1 + exp(a)), exp(2 * a / 3) / (1 + exp(a))
    ),
    "the sign of one exponent": equal(exp(a - b) / (1 + exp(s)), exp(a + b) / (1 + exp(s))),
    "a density that sits in a sum, a width for a mean": equal(
        two, exp(-(m**2)) * Normal(x, 0, 1) * (exp(-m * x) + exp(m * x)) / 2
    ),
    "a share with half the slope": equal(diff(log(two), x), m * (2 * sigmoid(m * x) - 1) - x),
    "mean of squares, the mean once": equal(
        integral((y - posterior_mean) ** 2 * kernel * p(y), y) / noisy,
        integral(y**2 * kernel * p(y), y) / noisy - posterior_mean,
    ),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_follows_is_proved(name: str) -> None:
    claim: Claim = TRUE[name]
    assert prove(claim).proved
    assert numeric.compare(claim).verdict == "agree"


@pytest.mark.parametrize("name", FALSE)
def test_its_false_neighbours_are_refuted_and_not_proved(name: str) -> None:
    assert not prove(FALSE[name]).proved
    assert numeric.compare(FALSE[name]).verdict == "refuted"
