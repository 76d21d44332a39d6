"""Corners and jumps that nobody wrote down, as |p - q| where p = q, and laws that are narrow or far
beside others: B sees them, so that it agrees with what is true and refutes its neighbours."""

from __future__ import annotations

import math

import pytest

from genmath.proof import (
    JS,
    TV,
    Density,
    E,
    Exponential,
    Gamma,
    Laplace,
    Logistic,
    Normal,
    Poisson,
    Student,
    Uniform,
    absolute,
    copies,
    diff,
    equal,
    erf,
    exp,
    fractions,
    gamma,
    indicator,
    integral,
    log,
    naturals,
    number,
    numeric,
    pi,
    positive_part,
    positives,
    reals,
    sin,
    sqrt,
    tanh,
    variables,
)
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node
from genmath.proof.numeric import pieces
from genmath.proof.numeric.arithmetic import EXACT, FLOAT

x = variables("x")
y = copies(x, 1)[0]
r = variables("r", domain="positive")
u = variables("u", domain="unit")
k = variables("k", domain="count")
a, b, c = reals("a b c")
s, lam = positives("s lambda")
n = naturals("n")
p = fractions("p")
P = Density("P", x, positive=True)
half = number(1) / 2
more = number(101) / 100
standard, other, narrow = Normal(x, 0, 1), Normal(x, a, s), Normal(x, 3, number(1) / 10_000)
mixed = (Normal(x, -2, 1) + Normal(x, 2, 1)) / 2


def above(first: Node, second: Node) -> Node:
    return integral(positive_part(first - second), x)


def smaller(first: Node, second: Node) -> Node:
    return (first + second - absolute(first - second)) / 2


EQUAL: dict[str, tuple[Node, Node]] = {
    "two Laplace laws": (
        TV(Laplace(x, a, 1), Laplace(x, a, n + 1)), TV(Laplace(x, a, n + 1), Laplace(x, a, 1))),
    "two logistic laws": (
        TV(Logistic(x, a, 1), Logistic(x, a, n + 1)), TV(Logistic(x, a, n + 1), Logistic(x, a, 1))),
    "logistic laws, in closed form": (
        TV(Logistic(x, a, 1), Logistic(x, b, 1)), tanh(absolute(a - b) / 4)),
    "normal laws, in closed form": (
        TV(Normal(x, a, s), Normal(x, b, s)), erf(absolute(a - b) / (2 * sqrt(2 * s)))),
    "exponential laws": (TV(Exponential(r, s), Exponential(r, 2 * s)), number(1) / 4),
    "exponential laws, scaled": (
        TV(Exponential(r, s), Exponential(r, lam)), TV(Exponential(r, 1), Exponential(r, lam / s))),
    "a mixture": (TV(mixed, other), above(mixed, other)),
    "laws of different families": (TV(Laplace(x, 0, 1), other), above(other, Laplace(x, 0, 1))),
    "tails that touch": (
        TV(Student(x, 3, 0, 1), Student(x, 5, a, s)), above(Student(x, 3, 0, 1),
                                                            Student(x, 5, a, s))),
    "tails that floats do not hold": (
        JS(Student(x, 3, 0, 1), other), JS(other, Student(x, 3, 0, 1))),
    "a narrow law in a mixture": (
        integral((Logistic(x, 0, 1) + Logistic(x, 3, number(1) / 10_000)) / 2, x), number(1)),
    "a density": (TV(P(x), other), above(P(x), other)),
    "as the smaller": (TV(standard, other), 1 - integral(smaller(standard, other), x)),
    "as an event": (TV(standard, other), integral((standard - other) * indicator(standard > other),
                                                  x)),
    "a narrow law": (TV(standard, narrow), above(narrow, standard)),
    "a far law": (TV(standard, Normal(x, 100, 4)), above(standard, Normal(x, 100, 4))),
    "a narrow law, by roots": (
        integral((sqrt(standard) - sqrt(narrow)) ** 2, x), 2 - 2 * integral(sqrt(standard * narrow),
                                                                          x)),
    "a narrow Laplace law": (
        TV(Laplace(x, 0, 1), Laplace(x, 50, number(1) / 10_000)),
        above(Laplace(x, 50, number(1) / 10_000), Laplace(x, 0, 1))),
    "a parabola": (E(standard, absolute(x**2 - 1)), 4 * Normal(1, 0, 1)),
    "a narrow dip": (E(standard, indicator(x**2 < s)), erf(sqrt(s / 2))),
    "a root that touches 0": (E(standard, sqrt((x**2 - 1) ** 2)), 4 * Normal(1, 0, 1)),
    "a root within": (
        E(standard, positive_part(1 - absolute(x))), E(standard, positive_part(1 - sqrt(x**2)))),
    "many turns": (integral(absolute(sin(10 * x)), x, between=(0, 2 * pi)), number(4)),
    "uniform": (E(Uniform(x, 0, 1), absolute(x**2 - p**2)),
                number(1) / 3 - p**2 + 4 * p**3 / 3),
    "a law as a function": (E(standard, Uniform(x, -1, 1)), erf(1 / sqrt(number(2))) / 2),
    "its slope": (
        diff(E(Normal(x, 0, 1), absolute(x**2 - s)), s),
        E(standard, indicator(x**2 < s) - indicator(x**2 > s))),
    "two letters": (E((standard, Normal(y, 0, 1)), absolute(x * y)), 2 / pi),
    "a sum that converges slowly": (
        integral((k + 1) ** (-number(3) / 2), k), integral(1 / ((k + 1) * sqrt(k + 1)), k)),
    "a series": (integral(lam**k / gamma(k + 1), k), exp(lam)),
    "two far rates": (
        TV(Poisson(k, 1000), Poisson(k, 1010)),
        integral(positive_part(Poisson(k, 1010) - Poisson(k, 1000)), k)),
    "two rates, one of them far": (
        TV(Poisson(k, 1), Poisson(k, 1000)), TV(Poisson(k, 1000), Poisson(k, 1))),
    "an even slower sum": (
        integral(1 / ((k + 2) * log(k + 2) ** 2), k), integral(1 / ((k + 2) * log(k + 2) ** 2), k)),
    "a slow exponential": (E(Laplace(x, 0, 1), exp(number(99) / 100 * x)), number(10_000) / 199),
    "two far shapes": (
        TV(Gamma(r, 1000, 1), Gamma(r, 1010, 1)), TV(Gamma(r, 1010, 1), Gamma(r, 1000, 1))),
}  # fmt: skip
# B says nothing of them, at this precision
SLOW = {"a sum that converges slowly", "an even slower sum", "a slow exponential", "two far rates",
        "two far shapes"}  # fmt: skip
BOUNDS = {
    "a narrow law": Claim(JS(standard, narrow), "<=", log(number(2)) * TV(standard, narrow)),
    "a density": Claim(JS(P(x), other), "<=", log(number(2)) * TV(P(x), other)),
    "mixtures": Claim(JS(mixed, other), "<=", log(number(2)) * TV(mixed, other)),
    "Pinsker": Claim(JS(standard, other), ">=", TV(standard, other) ** 2 / 2),
}


def seen(claim: Claim) -> str:
    found = numeric.compare(claim)
    return found.verdict if found.verdict == "refuted" else numeric.farther(claim).verdict


@pytest.mark.parametrize("what", EQUAL)
def test_what_is_equal_is_not_refuted(what: str) -> None:
    claim = equal(*EQUAL[what])
    assert seen(claim) == "agree"
    assert what in SLOW or numeric.compare(claim).verdict == "agree"


@pytest.mark.parametrize("what", EQUAL)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    left, right = EQUAL[what]
    assert seen(equal(left, 2 * right)) == "refuted"
    assert what in SLOW or seen(equal(left, more * right)) == "refuted"


@pytest.mark.parametrize("what", BOUNDS)
def test_a_bound_that_holds_is_not_refuted(what: str) -> None:
    claim = BOUNDS[what]
    assert seen(claim) == "agree"
    turned = Claim(claim.lhs, "<=" if claim.relation == ">=" else ">=", claim.rhs)
    assert seen(turned) == "refuted"


@pytest.mark.parametrize("arithmetic", [FLOAT, EXACT], ids=lambda a: a.name)
@pytest.mark.parametrize("kind", ["line", "gauss", "half", "tail", "unit"])
@pytest.mark.parametrize("level", [3, 5])
def test_a_jump_is_cut_where_it_is(kind: str, level: int, arithmetic: pieces.Arithmetic) -> None:
    """The standard normal law above 1/3, as each grid integrates it."""
    at = arithmetic.number(1) / 3
    place = arithmetic.functions["log"](at / (1 - at)) if kind == "unit" else at
    nodes = pieces.cut(arithmetic, kind, level, 0.0, lambda t: (t - place,))
    beyond = [(float(t), float(w)) for t, w, _ in nodes if t > place]
    mass = math.fsum(w * (math.exp(-t * t / 2) / math.sqrt(2 * math.pi) if kind in
                          ("line", "half", "tail") else 1) for t, w in beyond)  # fmt: skip
    wanted = 2 / 3 if kind == "unit" else math.erfc(1 / (3 * math.sqrt(2))) / 2
    assert mass == pytest.approx(wanted, rel=1e-9)


def test_what_has_one_sign_needs_no_cut() -> None:
    assert pieces.cut(FLOAT, "line", 2, 0.0, lambda t: (t * t + 1, math.nan)) == pieces.grid(
        FLOAT, "line", 2
    )
