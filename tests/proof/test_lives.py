"""A letter lives where it was declared to: a density of the line has no mass that is known on a
part of it, a joint density that is apart from another says nothing of the marginals, and a bound
that holds of the integers is not refuted between them."""

from __future__ import annotations

import pytest

from genmath.proof import (
    KL,
    TV,
    Density,
    Function,
    NotationError,
    absolute,
    diff,
    equal,
    exp,
    integral,
    log,
    mean_vectors,
    nonnegatives,
    number,
    positives,
    reals,
    supremum,
    variables,
    vectors,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.symbolic.judge import prove

x, z = variables("x z")
w, k = variables("w", domain="positive"), variables("k", domain="count")
n, side = variables("n", domain="integer"), variables("e", domain={-1, 1})
few, t = variables("g", domain={0, number(1) / 2, 3}), variables("t", domain="unit")
v, mu = vectors("v"), mean_vectors("mu")
r, o = Density("r", v), Density("o", v)
q = Density("q", x)
i = variables("i", domain=(0, 3))
p, one, other = Density("p", x), Density("j", x, z), Density("h", x, z)
a, s = reals("a"), positives("s")
f = Function("f")
phi = reals("phi")
first, second = Density("w_1", x, given=phi), Density("w_2", x, given=phi)
at_phi = first(x | phi) * second(x | phi) <= 0
apart = one(x, z) * other(x, z) <= 0
top = supremum(f(a), a)
split = f(w) ** 2 / (1 + f(w) ** 2)
FALSE = {
    "mass on a half-line": equal(integral(p(w + 0), w), 1),
    "mass on the counts": equal(integral(p(k + 0), k), 1),
    "mass on the integers": equal(integral(p(n + 0), n), 1),
    "mass between 0 and 1": equal(integral(p(t + 0), t), 1),
    "mass on an interval": equal(integral(p(i + 0), i), 1),
    "beside what no world has a value of": equal(integral(p(w + 0), w) * top, top),
    "what sums to one beside it": equal(
        integral(split * p(w + 0), w), 1 - integral(p(w + 0) / (1 + f(w) ** 2), w)),
    "marginals": Claim(TV(one(x), other(x)), "=", number(1), (apart,)),
    "marginals, in a product": Claim(
        integral(one(z) * other(z), z), "=", number(0), (apart,)),
    "marginals, in a logarithm": Claim(
        KL(one(x), (one(x) + other(x)) / 2), "=", log(number(2)), (apart,)),
    "at another value of a parameter": Claim(
        integral(absolute(first(x | 2) - second(x | 2)), x), "=", number(2), (at_phi,)),
    "apart at a parameter": Claim(
        integral(p(x) * q(x), x), "=", number(0), (p(a) * q(a) <= 0,)),
    "apart on a half-line": Claim(TV(p(x), q(x)), "=", number(1), (p(w + 0) * q(w + 0) <= 0,)),
    "apart at the integers": Claim(
        integral(p(x) * q(x), x), "=", number(0), (p(n + 0) * q(n + 0) <= 0,)),
    "apart at a vector": Claim(
        integral(r(v) * o(v), v), "=", number(0), (r(mu) * o(mu) <= 0,)),
    "the second slope at a value of a parameter": Claim(
        diff(diff(integral(first(x | phi) * second(x | phi), x), phi), phi), "=", number(0),
        (at_phi,)),
    "the slope of a distance at a value of a parameter": Claim(
        diff(integral(absolute(first(x | phi) - second(x | phi)), x), phi), "=", number(0),
        (at_phi,)),
    "a geometric series both ways": equal(integral(exp(-s * n), n), 1 / (1 - exp(-s))),
}  # fmt: skip
TRUE = {
    "of the line": equal(integral(p(x + 1), x), 1),
    "joint": Claim(
        integral(absolute(one(x, z) - other(x, z)), x, z), "=", number(2), (apart,)),
    "of a line": Claim(TV(p(x), q(x)), "=", number(1), (p(x) * q(x) <= 0,)),
    "of a plane": Claim(integral(r(v) * o(v), v), "=", number(0), (r(v) * o(v) <= 0,)),
    "a geometric series": equal(integral(exp(-s * k), k), 1 / (1 - exp(-s))),
}  # fmt: skip
BOUNDS = [n**2 >= n, k**2 >= k, side**2 >= 1, few >= 0, w**3 + 1 > w**2, t >= t**3]


@pytest.mark.parametrize("what", FALSE)
def test_false_is_not_proved(what: str) -> None:
    assert not prove(FALSE[what]).proved


@pytest.mark.parametrize("what", TRUE)
def test_true_is_proved(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict == "proved", found.reason


def test_at_the_value_of_a_parameter_that_is_spoken_of() -> None:
    """Judge B finds no such densities of the line."""
    distance = integral(absolute(first(x | phi) - second(x | phi)), x)
    assert prove(Claim(distance, "=", number(2), (at_phi,))).proved


@pytest.mark.parametrize("bound", BOUNDS, ids=repr)
def test_what_holds_where_a_letter_lives_is_not_refuted(bound: object) -> None:
    assert judge(as_claim(bound)).verdict != "refuted"


@pytest.mark.parametrize("bound", [n**2 >= n + 1, k**2 >= 2 * k, few >= 1, w**2 >= w], ids=repr)
def test_what_fails_there_is_refuted(bound: object) -> None:
    assert judge(as_claim(bound)).verdict == "refuted"


def test_an_expression_of_a_letter_of_its_space_that_lives_elsewhere() -> None:
    with pytest.raises(NotationError, match="is declared"):
        p(variables("x", domain="positive") + 0)


@pytest.mark.parametrize("letter", [reals("x"), nonnegatives("x") + 1], ids=repr)
def test_a_parameter_that_is_called_like_the_variable(letter: object) -> None:
    with pytest.raises(NotationError, match="is declared a parameter"):
        p(letter)
