"""Distribution functions and their inverses. F(x) is the logistic curve of an increasing map of x:
so is each that increases on the whole line with a slope that is never 0. And the logarithm of a
letter > 0 is a letter of the line."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Exponential,
    Function,
    Gamma,
    Normal,
    diff,
    equal,
    exp,
    fractions,
    infinity,
    integral,
    log,
    naturals,
    number,
    pi,
    reals,
    sigmoid,
    sqrt,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node

h, k = Function("h", increasing=True), Function("k", increasing=True)
f, g = Function("f"), Function("g", positive=True)
x, y = variables("x y")
u, w = variables("u", domain="unit"), variables("w", domain="positive")
z, s = reals("z"), fractions("s")
few, n, i = variables("e", domain={1, 2}), variables("n", domain="count"), naturals("i")
p = Density("p", w)


def below(m: Function, at: Node) -> Node:
    """A distribution function."""
    return sigmoid(m.inverse(at))


def quantile(m: Function, at: Node) -> Node:
    return m(log(at / (1 - at)))


def over_the_line(body: Node) -> Node:
    return integral(body, z, between=(-infinity, infinity))


mean = integral(f(x) * diff(below(h, x), x), x)
TRUE: dict[str, Claim] = {
    "F of its quantile": equal(below(h, quantile(h, s)), s),
    "the quantile of F": equal(quantile(h, below(h, x)), x),
    "mass": equal(integral(diff(below(h, x), x), x), 1),
    "a mean by the quantile function": equal(mean, integral(f(quantile(h, u)), u)),
    "from the other end": equal(mean, integral(f(quantile(h, 1 - u)), u)),
    "by the logistic law": equal(
        integral(f(quantile(h, u)), u), over_the_line(f(h(z)) * exp(z) / (1 + exp(z)) ** 2)
    ),
    "lognormal": equal(
        integral(f(log(w)) * exp(-(log(w) ** 2) / 2) / w, w),
        sqrt(2 * pi) * E(Normal(y, 0, 1), f(y)),
    ),
    "a scale": equal(integral(f(log(w)) / w, w), over_the_line(f(z))),
    "Gumbel": equal(E(Exponential(w, 1), f(-log(w))), over_the_line(f(z) * exp(-z - exp(-z)))),
    "the logarithm of a gamma": equal(
        E(Gamma(w, 2, 1), f(log(w))), over_the_line(f(z) * exp(2 * z - exp(z)))
    ),
    "of two numbers": equal(integral(f(log(few)), few), f(0) + f(log(number(2)))),
    "a density": equal(E(p(w), f(log(w)) + 1), E(p(w), f(log(w))) + 1),
}
FALSE: dict[str, Claim] = {
    "F of its quantile, from above": equal(below(h, quantile(h, s)), 1 - s),
    "F of another's quantile": equal(below(h, quantile(k, s)), s),
    "the quantile, turned": equal(quantile(h, below(h, x)), -x),
    "a mean by another's": equal(mean, integral(f(quantile(k, u)), u)),
    "a mean, twice": equal(mean, 2 * integral(f(quantile(h, u)), u)),
    "a mean without the law": equal(mean, over_the_line(f(h(z)) * exp(-(z**2)))),
    "by the exponential of z": equal(
        integral(f(quantile(h, u)), u), over_the_line(f(h(z)) * exp(z) / (1 + exp(z)))
    ),
    "lognormal, no slope": equal(
        integral(f(log(w)) * exp(-(log(w) ** 2) / 2), w), sqrt(2 * pi) * E(Normal(y, 0, 1), f(y))
    ),
    "a scale, no slope": equal(integral(g(log(w)), w), over_the_line(g(z))),
    "Gumbel, turned": equal(
        E(Exponential(w, 1), f(log(w))), over_the_line(f(z) * exp(-z - exp(-z)))
    ),
    "two numbers are no line": equal(integral(f(log(few)), few), over_the_line(f(z) * exp(z))),
}


@pytest.mark.parametrize("what", TRUE)
def test_true(what: str) -> None:
    verdict = judge(TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_false(what: str) -> None:
    verdict = judge(FALSE[what])
    assert not verdict.proof.proved
    assert verdict.verdict == "refuted"


def test_a_difference_need_not_have_integrals_of_its_terms() -> None:
    """Of f(v + 1) - f(v) it is f(infinity) - f(-infinity), which is not 0."""
    gap = integral((f(log(w) + 1) - f(log(w))) / w, w)
    assert not judge(equal(gap, 0)).proof.proved
    counted = total(f(log(i)), i, 1, 2)
    assert judge(equal(counted, f(0) + f(log(number(2))))).verdict == "proved"
    assert (
        judge(equal(integral(f(log(n + 1)) * 2 ** (-n), n), over_the_line(f(z)))).verdict
        != "proved"
    )
