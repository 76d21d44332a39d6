"""Terms of a sum that need not exist each for itself, and other things that only look the same."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    arctan,
    diff,
    equal,
    exp,
    infinity,
    integral,
    log,
    number,
    pi,
    reals,
    sigmoid,
    sqrt,
    supremum,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.symbolic.judge import prove

x = variables("x")
t, c, b = reals("t c b")
p, q = Density("p", x, positive=True), Density("q", x, positive=True)
f = Function("f")
LINE = (-infinity, infinity)
anything = supremum(f(c), c)


def shifted(g):
    """∫ g(x + 1) - g(x), which is 0 only where g has an integral."""
    return equal(integral(g(x + 1) - g(x), x), 0)


NOT_EXPECTATIONS = {
    "a discriminator": shifted(lambda x: p(x) / (p(x) + q(x))),
    "a ratio": shifted(lambda x: p(x) / q(x)),
    "a root of one": shifted(lambda x: sqrt(p(x) / q(x))),
    "its logarithm": shifted(lambda x: log(1 + p(x) / q(x))),
    "through a sigmoid": shifted(lambda x: sigmoid(log(p(x) / q(x)))),
    "a difference of logarithms": shifted(lambda x: log(p(x) + q(x)) - log(p(x))),
    "times a function": shifted(lambda x: f(x) * p(x) / (p(x) + q(x))),
    "of normal densities": shifted(
        lambda x: f(x) * Normal(x, 0, 1) / (Normal(x, 0, 1) + Normal(x, 1, 1))
    ),
    "a density at a function": equal(
        integral(p(sigmoid(t)) * f(t + 1) - p(sigmoid(t - 1)) * f(t), t, between=LINE), 0
    ),
}


@pytest.mark.parametrize("name", NOT_EXPECTATIONS)
def test_a_term_that_is_no_expectation_keeps_its_letter(name: str) -> None:
    assert not prove(NOT_EXPECTATIONS[name]).proved
    with_it = Claim(NOT_EXPECTATIONS[name].lhs + anything, "=", anything)
    assert not prove(with_it).proved


def test_only_given_is_not_drawn() -> None:
    z = variables("z")
    k = Density("k", x, given=z, positive=True)
    assert not prove(equal(integral(k(x | z + 1) - k(x | z), z), 0)).proved


def test_an_expectation_that_moves_is_said_to_exist() -> None:
    for claim in (
        shifted(lambda x: p(x) * f(x)),
        equal(integral(2 * p(2 * x) * f(2 * x) - p(x) * f(x), x), 0),
        equal(E(Normal(x, 0, 1), exp(-x - number(1) / 2) * f(x + 1) - f(x)), 0),
    ):
        found = prove(claim)
        assert found.proved
        assert any("has a finite integral" in str(a) for a in found.assumed)


def test_halves_of_a_line_are_put_together_whole() -> None:
    def halves(g):
        return integral(g, t, between=(-infinity, 0)) + integral(g, t, between=(0, infinity))

    assert not prove(equal(halves(f(t + 1) - f(t)), 0)).proved
    assert not prove(equal(halves(2 * f(2 * t) - f(t)), 0)).proved
    assert prove(equal(halves(p(t) * f(t)), integral(p(t) * f(t), t, between=LINE))).proved


v, u = variables("v", domain=(-infinity, 3)), variables("u", domain=(-infinity, b))


def test_a_letter_below_an_end_is_integrated_upwards() -> None:
    low = Density("r", v, positive=True)
    upwards = arctan(number(3)) + pi / 2
    assert prove(equal(integral(1 / (1 + v**2), v), upwards)).proved
    assert not prove(equal(integral(1 / (1 + v**2), v), -upwards)).proved
    assert prove(equal(integral(low(v), v), 1)).proved
    assert not prove(equal(integral(low(v), v), -1)).proved
    assert prove(equal(diff(integral(f(u), u), b), f(b))).proved
    assert not prove(equal(diff(integral(f(u), u), b), -f(b))).proved


def test_what_stands_on_both_sides_hides_nothing() -> None:
    plain = equal(t**2, t**2 + number(1) / 1000)
    assert judge(plain).verdict == "refuted"
    for lhs, rhs in (
        (plain.lhs + anything, plain.rhs + anything),
        (anything + plain.lhs, plain.rhs + anything),
        (plain.lhs - anything, -anything + plain.rhs),
        (-(anything - plain.lhs), -(anything - plain.rhs)),
    ):
        assert judge(Claim(lhs, "=", rhs)).verdict == "refuted"
    assert judge(Claim(plain.lhs + anything, "=", plain.lhs + anything)).verdict == "proved"
    assert judge(Claim(anything + anything, "=", anything)).verdict != "proved"
