"""The fundamental theorem, distribution functions, indicators of half-lines and intervals: what a
textbook states is proved; a wrong end, a pole on the way, what diverges is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from genmath.proof.check import judge
from genmath.proof.language.binders import infinity as oo
from genmath.proof.language.claims import Claim, equal
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    Normal,
    absolute,
    arctan,
    copies,
    cos,
    diff,
    erf,
    exp,
    indicator,
    integral,
    log,
    nonnegatives,
    number,
    pi,
    positives,
    reals,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tan,
    tanh,
    variables,
)
from genmath.proof.language.tree import Node, Operand, Relation, Symbol
from genmath.proof.symbolic.judge import prove

x, y = variables("x y")
(z,) = copies(x, 1)
a, b, c, m = reals("a b c m")
s, t, rate = positives("s t lambda")
least = nonnegatives("eta")
p = Density("p", x)
f, g = Function("f", increasing=True), Function("g", decreasing=True)
h = Function("h", invertible=True)
k, w = Function("k"), Function("w", positive=True)
root2 = sqrt(number(2))


def over(body: Operand, low: Operand, high: Operand, v: Symbol = x) -> Node:
    return integral(body, v, between=(low, high))


def F(at: Operand) -> Node:
    return over(p(x), -oo, at)


def above(u: Operand, v: Operand) -> Node:
    return indicator(u - v > 0)  # type: ignore[operator]


def given(claim: Claim, *relations: Relation) -> Claim:
    return replace(claim, given=relations)


TRUE: dict[str, Claim] = {
    # an interval, known functions
    "length": equal(integral(above(x, 0) * above(1, x), x), 1),
    "uniform": given(equal(over(x / (b - a), a, b), (a + b) / 2), a < b),
    "polynomial": equal(over(3 * x**2, a, b), b**3 - a**3),
    "cosine": equal(over(cos(x), 0, a), sin(a)),
    "logarithm": equal(over(1 / x, 1, t + 1), log(t + 1)),
    "of a logarithm": equal(over(log(x), 1, 1 + t), (1 + t) * log(1 + t) - t),
    "softplus": equal(over(sigmoid(x), 0, a), softplus(a) - log(number(2))),
    "power to infinity": equal(over(1 / x**2, 1, oo), 1),
    # the exponential and the logistic law, Cauchy's, Laplace's, the normal one
    "exponential, mass": equal(over(rate * exp(-rate * x), 0, oo), 1),
    "exponential, mean": equal(over(x * rate * exp(-rate * x), 0, oo), 1 / rate),
    "exponential, distribution": equal(over(rate * exp(-rate * x), 0, t), 1 - exp(-rate * t)),
    "exponential, by an indicator": equal(integral(above(x, 0) * exp(-rate * x), x), 1 / rate),
    "a third moment": equal(over(x**3 * exp(-x), 0, oo), 6),
    "logistic, mass": equal(integral(diff(sigmoid(x), x), x), 1),
    "logistic, far": equal(integral(sigmoid(x - 50) * (1 - sigmoid(x - 50)), x), 1),
    "logistic, scaled": equal(
        integral(sigmoid((x - m) / s) * (1 - sigmoid((x - m) / s)) / s, x), 1),
    "logistic, distribution": equal(integral(diff(sigmoid(x), x) * above(c, x), x), sigmoid(c)),
    "hyperbolic tangent": equal(integral(diff(tanh(x), x), x), 2),
    "Cauchy, mass": equal(integral(1 / (pi * s * (1 + ((x - m) / s) ** 2)), x), 1),
    "Cauchy, distribution": equal(
        over(1 / (pi * (1 + x**2)), -oo, a), arctan(a) / pi + number(1) / 2),
    "Laplace, mass": equal(integral(exp(-absolute(x - m) / s) / (2 * s), x), 1),
    "normal, distribution": equal(
        over(Normal(x, m, s**2), -oo, a), (1 + erf((a - m) / (s * root2))) / 2),
    "normal, half a mean": equal(over(x * exp(-(x**2) / 2), 0, oo), 1),
    # any function
    "f'": equal(over(k.prime(x), a, b), k(b) - k(a)),
    "f' f": equal(over(k(x) * k.prime(x), a, b), (k(b) ** 2 - k(a) ** 2) / 2),
    "(f g)'": equal(over(diff(k(x) * w(x), x), a, b), k(b) * w(b) - k(a) * w(a)),
    "by parts": equal(over(k(x) * diff(w(x), x), a, b),
                      k(b) * w(b) - k(a) * w(a) - over(k.prime(x) * w(x), a, b)),
    "f' exp f": equal(over(k.prime(x) * exp(k(x)), a, b), exp(k(b)) - exp(k(a))),
    "backwards": equal(over(k(x), a, b) + over(k(x), b, a), 0),
    "two in a row": equal(over(k(x), a, b) + over(k(x), b, c), over(k(x), a, c)),
    "slope in the limit": equal(diff(over(k(x), a, b), b), k(b)),
    "slope in both": equal(diff(over(exp(-x * b), 0, b), b),
                           exp(-(b**2)) + over(-x * exp(-x * b), 0, b)),
    "an interval": given(
        equal(integral(above(x, a) * above(b, x) * k(x), x), over(k(x), a, b)), a < b),
    # distribution functions
    "F' = p": equal(diff(F(a), a), p(a)),
    "F(b) - F(a)": equal(over(p(x), a, b), F(b) - F(a)),
    "the rest": equal(over(p(x), a, oo), 1 - F(a)),
    "P(x < a)": equal(E(p(x), above(a, x)), F(a)),
    "P(x > a)": equal(E(p(x), above(x, a)), 1 - F(a)),
    "P(a < x < b)": given(equal(E(p(x), above(x, a) * above(b, x)), F(b) - F(a)), a < b),
    "either side": equal(E(p(x), above(x, a) + above(a, x)), 1),
    # change of variables
    "substitution": equal(over(k(f(x)) * f.prime(x), a, b), over(k(y), f(a), f(b), y)),
    "substitution, falling": equal(over(k(g(x)) * g.prime(x), a, b), over(k(y), g(a), g(b), y)),
    "substitution, either": equal(over(k(h(x)) * h.prime(x), a, b), over(k(y), h(a), h(b), y)),
    "pushed forward": equal(
        over(p(f.inverse(y)) * f.inverse.prime(y), -oo, a, y), F(f.inverse(a))),
    "pushed forward, falling": equal(
        over(p(g.inverse(y)) * absolute(g.inverse.prime(y)), -oo, a, y), 1 - F(g.inverse(a))),
    "scaled": equal(over(p((x - m) / s) / s, -oo, a), F((a - m) / s)),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_what_a_textbook_states(what: str) -> None:
    verdict = judge(TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


FALSE: dict[str, Claim] = {
    "the wrong end": equal(over(k.prime(x), a, b), k(a) - k(b)),
    "the other tail": equal(F(a), over(p(x), a, oo)),
    "limits swapped": equal(over(p(x), a, b), F(a) - F(b)),
    "no order": equal(E(p(x), above(x, a) * above(b, x)), F(b) - F(a)),
    "falling slope": equal(diff(F(a), a), -p(a)),
    "twice the mass": equal(integral(diff(sigmoid(x), x), x), 2),
    "from -1": equal(integral(diff(tanh(x), x), x), 1),
    "the other half-line": equal(integral(diff(sigmoid(x), x) * above(x, c), x), sigmoid(c)),
    "falling map": equal(
        over(p(g.inverse(y)) * absolute(g.inverse.prime(y)), -oo, a, y), F(g.inverse(a))),
    "either map": equal(
        over(p(h.inverse(y)) * absolute(h.inverse.prime(y)), -oo, a, y), F(h.inverse(a))),
    "no factor": equal(over(p((x - m) / s), -oo, a), F((a - m) / s)),
    "any sign": equal(over(p((x - m) / c) / absolute(c), -oo, a), F((a - m) / c)),
    "limits that stay": equal(over(k(f(x)) * f.prime(x), a, b), over(k(y), a, b, y)),
    "a jump of arctan": equal(over(1 / (1 + x**2), -1, 1), -pi / 2),
    "diverges": equal(integral(above(x, 0) * exp(rate * x), x), -1 / rate),
    "a shift": equal(over(sigmoid(x + 1) - sigmoid(x), -oo, oo), 0),
    "of a sign": equal(over(x / absolute(x), -1, 1), 2),
    "a pole that leaves at 0": equal(over(least / (1 + least * x) ** 2, 0, oo), 1),
    "no factor of two": equal(integral(exp(-absolute(x)), x), 1),
}  # fmt: skip


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


NEVER: dict[str, Claim] = {  # of what does not exist
    "a pole": equal(over(1 / x**2, -1, 1), -2),
    "a pole that cancels": equal(over(1 / x, -1, 1), 0),
    "a pole anywhere": equal(over(1 / (x - a) ** 2, 0, 1), 1 / (a - 1) - 1 / a),
    "a pole of the tangent": equal(over(1 + tan(x) ** 2, 0, 3), tan(number(3))),
    "a logarithm of both signs": equal(over(1 / x, -2, 1), -log(number(2))),
    "infinite less infinite": equal(over(x, 0, oo) - over(x, 1, oo), number(1) / 2),
    "grows": equal(over(exp(x), -oo, oo), 0),
    "swings": equal(over(sin(x), 0, oo), 1),
    "no limit": equal(over(k.prime(x), 0, oo), -k(0)),
    "terms of a sum": equal(over(k(x + 1) - k(x), 0, oo), -over(k(x), 0, 1)),
    "two poles": equal(over(1 / (x**2 - 1), 0, 2), log(number(1) / 3) / 2),
}


@pytest.mark.parametrize("what", NEVER)
def test_what_does_not_exist_is_not_proved(what: str) -> None:
    assert not prove(NEVER[what]).proved
    assert judge(NEVER[what]).verdict in ("open", "refuted")


def test_at_infinity_another_term_leads_where_the_first_may_be_0() -> None:
    assert not prove(FALSE["a pole that leaves at 0"]).proved


def test_two_bounds_whose_order_is_not_known() -> None:
    claim = equal(E(p(x), above(x, a) * above(b, x)), F(b) - F(a))
    assert "is the larger is not known; state it with given_that" in prove(claim).reason


def test_a_draw_may_be_the_same_twice_where_x_is_not_said_to_range_over_the_line() -> None:
    """Two draws are equal with probability 0 on the line alone."""
    claim = equal(E((p(x), p(z)), above(x, z) + above(z, x)), 1)
    verdict = judge(claim)
    assert verdict.verdict == "refuted" or "ranges over the real line" in str(verdict.proof.assumed)


CASES: list[Callable[[], Claim]] = [
    lambda: equal(E(p(x), above(x, a) * k(x)), over(p(x) * k(x), a, oo)),
    lambda: equal(E(p(x), absolute(x - a)),
                  over(p(x) * (x - a), a, oo) - over(p(x) * (x - a), -oo, a)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_means_over_half_lines(case: Callable[[], Claim]) -> None:
    verdict = judge(case())
    assert verdict.verdict == "proved", verdict.reason
    assert "x ranges over the real line" in verdict.proof.assumed
