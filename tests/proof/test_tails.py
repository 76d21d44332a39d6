"""Tails of named families as means of indicators, wherever their letters live, and Gumbel's kernel:
what is true is proved, false neighbours are refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Beta,
    E,
    Exponential,
    Function,
    Gamma,
    Laplace,
    Logistic,
    Uniform,
    absolute,
    copies,
    digamma,
    equal,
    exp,
    fractions,
    indicator,
    infinity,
    integral,
    number,
    numeric,
    positive_part,
    positives,
    reals,
    sigmoid,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.obligations import obligations
from genmath.proof.language.tree import Node, Operand

x = variables("x")
y = copies(x, 1)[0]
h, g = variables("h g", domain="positive")
u, v = variables("u v", domain="unit")
a, b, c, mu = reals("a b c mu")
l1, l2, l3 = reals("l_1 l_2 l_3")
s, t, lam = positives("s t lambda")
p = fractions("p")


def gumbel(at: Operand) -> Node:
    return exp(-at - exp(-at))


def below(at: Operand) -> Node:
    """Gumbel's distribution function."""
    return exp(-exp(-at))


three = exp(l1) + exp(l2) + exp(l3)
TRUE: dict[str, Claim] = {
    "exponential": equal(E(Exponential(h, lam), indicator(h > s)), exp(-lam * s)),
    "exponential, below": equal(E(Exponential(h, lam), indicator(h < s)), 1 - exp(-lam * s)),
    "gamma": equal(E(Gamma(h, 2, lam), indicator(h > s)), (1 + lam * s) * exp(-lam * s)),
    "uniform": equal(E(Uniform(x, 0, 1), indicator(x < p)), p),
    "uniform, any ends": Claim(
        E(Uniform(x, a, b), indicator(x < c)), "=", (c - a) / (b - a), given=(b > a, c > a, c < b)
    ),
    "between 0 and 1": equal(integral(indicator(u > p), u), 1 - p),
    "between limits": equal(integral(indicator(x > p), x, between=(0, 1)), 1 - p),
    "beta": equal(E(Beta(u, 2, 1), indicator(u < p)), p**2),
    "logistic": equal(E(Logistic(x, mu, s), indicator(x < a)), sigmoid((a - mu) / s)),
    "laplace": equal(E(Laplace(x, 0, s), indicator(x > t)), exp(-t / s) / 2),
    "inverse transform": equal(E(Uniform(x, 0, 1), indicator(x < sigmoid(a))), sigmoid(a)),
    "an interval": equal(
        E(Logistic(x, 0, 1), indicator(x > a) * indicator(x < a + s)), sigmoid(a + s) - sigmoid(a)
    ),
    "a positive part": equal(E(Exponential(h, lam), positive_part(h - s)), exp(-lam * s) / lam),
    "a distance": equal(E(Exponential(h, 1), absolute(h - s)), s - 1 + 2 * exp(-s)),
    "a distance, uniform": equal(E(Uniform(x, 0, 1), absolute(x - p)), (p**2 + (1 - p) ** 2) / 2),
    "who is first": equal(E((Exponential(h, s), Exponential(g, t)), indicator(g > h)), s / (s + t)),
    "two in order": equal(integral(integral(indicator(v > u), v), u), number(1) / 2),
    "far from each other": equal(
        E((Uniform(x, 0, 1), Uniform(y, 0, 1)), absolute(y - x)), number(1) / 3
    ),
    "gumbel": equal(integral(gumbel(x), x), 1),
    "gumbel, moved": equal(integral(gumbel((x - a) / s) / s, x), 1),
    "gumbel, mean": equal(integral(x * gumbel(x - a), x), a - digamma(1)),
    "gumbel, below": equal(integral(gumbel(x), x, between=(-infinity, a)), below(a)),
    "gumbel, above": equal(integral(gumbel(x) * indicator(x > a), x), 1 - below(a)),
    "gumbel-max of two": equal(integral(gumbel(x - a) * below(x - b), x), sigmoid(a - b)),
    "gumbel-max of three": equal(
        integral(gumbel(x - l1) * below(x - l2) * below(x - l3), x), exp(l1) / three
    ),
    "over the whole line": equal(
        integral(gumbel(x - a) * below(x - b), x, between=(-infinity, infinity)), sigmoid(a - b)
    ),
    "upside down": equal(integral(exp(x - exp(x)), x), 1),
}
FALSE: dict[str, Claim] = {
    "the other tail": equal(E(Exponential(h, lam), indicator(h > s)), 1 - exp(-lam * s)),
    "a place that may be < 0": equal(E(Exponential(h, lam), indicator(h > a)), exp(-lam * a)),
    "the tail of another shape": equal(E(Gamma(h, 2, lam), indicator(h > s)), exp(-lam * s)),
    "a place beyond the end": equal(E(Uniform(x, 0, 1), indicator(x < s)), s),
    "a place anywhere": equal(E(Uniform(x, a, a + s), indicator(x < c)), (c - a) / s),
    "another width": equal(E(Uniform(x, 0, 2), indicator(x < p)), p),
    "the other part": equal(integral(indicator(u > p), u), p),
    "a place beyond 1": equal(integral(indicator(u < s), u), s),
    "a place beyond a limit": equal(integral(indicator(x > a), x, between=(0, 1)), 1 - a),
    "beta, as if uniform": equal(E(Beta(u, s, t), indicator(u > p)), 1 - p),
    "variance for scale": equal(
        E(Logistic(x, mu, s), indicator(x < a)), sigmoid((a - mu) / s**2)
    ),
    "laplace, both sides": equal(E(Laplace(x, 0, s), indicator(x > a)), exp(-a / s) / 2),
    "a mean lost": equal(E(Exponential(h, lam), positive_part(h - s)), exp(-lam * s)),
    "who is last": equal(E((Exponential(h, s), Exponential(g, t)), indicator(g > h)), t / (s + t)),
    "no sigmoid": equal(
        E((Logistic(x, 0, 1), Logistic(y, mu, 1)), indicator(y > x)), sigmoid(mu)
    ),
    "gumbel, no scale": equal(integral(gumbel((x - a) / s), x), 1),
    "gumbel, the other sign": equal(integral(x * gumbel(x), x), digamma(1)),
    "gumbel, below and above": equal(
        integral(gumbel(x), x, between=(-infinity, a)), 1 - below(a)
    ),
    "gumbel, turned": equal(integral(gumbel(x), x, between=(-infinity, a)), below(-a)),
    "gumbel-max, the others": equal(integral(gumbel(x - a) * below(x - b), x), sigmoid(b - a)),
    "gumbel-max, one left out": equal(
        integral(gumbel(x - l1) * below(x - l2) * below(x - l3), x), exp(l1) / (exp(l1) + exp(l2))
    ),
    "no end to it": equal(integral(exp(-x + exp(-x)), x), 1),
    "nothing that falls": equal(integral(exp(-exp(-x)), x), 1),
    "a rate of either sign": equal(integral(exp(-x - a * exp(-x)), x), 1 / a),
    "a rate forgotten": equal(integral(exp(-x - s * exp(-x)), x), s),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_a_tail_is_proved(what: str) -> None:
    verdict = judge(TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


def test_the_mass_of_an_integral_over_the_whole_line_may_lie_far_away() -> None:
    claim = TRUE["over the whole line"]
    assert numeric.farther(claim).verdict == "agree"


def test_what_is_bound_outside_stays_in_what_has_to_be_finite() -> None:
    inner = integral(gumbel(x - l1) * gumbel(y - l2) * indicator(x > y), y)
    (one,) = (str(o) for o in obligations([integral(inner, x)]))
    assert "l_1" in one


def test_more_than_two_corners() -> None:
    many = absolute(x) + absolute(x - 1) + absolute(x + 1) + indicator(x > 2)
    wanted = E(Logistic(x, 0, 1), many)
    assert numeric.compare(equal(wanted, wanted + number(1) / 10**6)).verdict == "refuted"
    assert numeric.compare(equal(E(Logistic(y, 0, 1), indicator(y > 2)), 1 - sigmoid(2))
                           ).verdict == "agree"  # fmt: skip


F = Function("F")


@pytest.mark.parametrize(
    "claim",
    [
        Claim(integral(indicator(u < F(a)), u), "=", 1 - F(a), given=(F(a) > 0, F(a) < 1)),
        Claim(integral(indicator(u < F(a)), u), "=", F(a), given=(F(a) > 0,)),
        equal(E(Uniform(x, 0, 1), indicator(x < F(a))), F(a)),
    ],
    ids=repr,
)
def test_an_inverse_transform_needs_a_distribution_function(claim: Claim) -> None:
    assert judge(claim).verdict == "refuted"


def test_a_stated_sign_says_where_an_integral_is_cut() -> None:
    claim = equal(E(Exponential(h, 1), indicator(c * h > s)), exp(-s / c))
    assert judge(claim).verdict == "refuted"
    stated = Claim(claim.lhs, "=", claim.rhs, given=(c > 0,))
    assert judge(stated).verdict == "proved"
