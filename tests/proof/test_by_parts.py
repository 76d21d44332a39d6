"""Densities differentiated in their variable, integration by parts, functions of several arguments,
gradients by a vector: what is proved, and false neighbours that are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    absolute,
    covariances,
    diff,
    dot,
    equal,
    exp,
    identity,
    indicator,
    integral,
    inverse,
    log,
    mean_vectors,
    norm2,
    number,
    numeric,
    pi,
    positives,
    reals,
    trace,
    transpose,
    variables,
    vectors,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.symbolic.judge import prove
from genmath.proof.symbolic.supports import SMOOTH_ZEROS

x, y, z = variables("x y z")
a, b = reals("a b")
s = positives("s")
p = Density("p", x, positive=True)
r = Density("r", x)
q = Density("q", x, positive=True)
kernel = exp(-((x - a) ** 2) / (2 * s))
j = Density("j", x, z, positive=True)
k = Density("k", x, y, positive=True)
f, g, F = Function("f"), Function("g"), Function("F")
score = diff(log(p(x)), x)
X = vectors("x")
m = mean_vectors("mu")
S = covariances("Sigma")
by_x, by_y = diff(log(k(x, y)), x), diff(log(k(x, y)), y)

TRUE: dict[str, Callable[[], Claim]] = {
    "the score averages to zero": lambda: equal(E(p(x), score), 0),
    "a density that may vanish": lambda: equal(integral(diff(r(x), x), x), 0),
    "Stein": lambda: equal(E(p(x), f(x) * score), -E(p(x), f.prime(x))),
    "Stein, the position": lambda: equal(integral(x * diff(p(x), x), x), -1),
    "a square": lambda: equal(integral(x**2 * diff(p(x), x), x), -2 * E(p(x), x)),
    "twice": lambda: equal(
        integral(f(x) * diff(diff(p(x), x), x), x), E(p(x), diff(f.prime(x), x))
    ),
    "a product of functions": lambda: equal(
        E(p(x), f(x) * g(x) * score), -E(p(x), f.prime(x) * g(x) + f(x) * g.prime(x))
    ),
    "with a normal factor": lambda: equal(
        integral(Normal(x, a, s) * diff(p(x), x), x), E(p(x), Normal(x, a, s) * (x - a) / s)
    ),
    "marginal of a derivative": lambda: equal(integral(diff(j(x, z), x), z), diff(j(x), x)),
    "over both variables": lambda: equal(integral(diff(j(x, z), x), x, z), 0),
    "one conditional score": lambda: equal(
        E(j(x, z), f(x) * diff(log(j(x | z)), x)), E(j(x), f(x) * diff(log(j(x)), x))
    ),
    "mixed partial derivatives": lambda: equal(
        diff(diff(F(a, b), a), b), diff(diff(F(a, b), b), a)
    ),
    "chain rule in two arguments": lambda: equal(
        diff(log(1 + F(a, a) ** 2), a),
        2 * F(a, a) * diff(F(a, a), a) / (1 + F(a, a) ** 2),
    ),
    "a typed normal kernel": lambda: equal(
        integral(kernel * diff(p(x), x), x), E(p(x), kernel * (x - a) / s)
    ),
    "de Bruijn": lambda: equal(integral(diff(diff(p(x), x), x) * log(p(x)), x), -E(p(x), score**2)),
    "against the logarithm of another": lambda: equal(
        integral(diff(p(x), x) * log(q(x)), x), -E(p(x), diff(log(q(x)), x))
    ),
    "the ratio of two": lambda: equal(
        integral(p(x) / q(x) * diff(diff(q(x), x), x), x),
        -integral(diff(q(x), x) * diff(p(x) / q(x), x), x),
    ),
    "divergence": lambda: equal(E(k(x, y), F(x, y) * by_x), -E(k(x, y), diff(F(x, y), x))),
    "gradient of a normal log-density": lambda: equal(
        diff(log(Normal(X, m, S)), X), -(inverse(S) * (X - m))
    ),
    "gradient by the mean": lambda: equal(diff(log(Normal(X, m, S)), m), inverse(S) * (X - m)),
    "gradient of a square": lambda: equal(diff(norm2(X), X), 2 * X),
    "trace of the Hessian": lambda: equal(trace(diff(diff(norm2(X), X), X)), 2 * trace(identity)),
}

# fmt: off
FALSE: dict[str, Callable[[], Claim]] = {
    "the logarithm does not decay": lambda: equal(integral(diff(log(p(x)), x), x), 0),
    "a function does not decay": lambda: equal(integral(f.prime(x), x), 0),
    "the flux 1": lambda: equal(integral(p(x) * diff(1 / p(x), x), x), E(p(x), score / p(x))),
    "no sign": lambda: equal(E(p(x), f(x) * score), E(p(x), f.prime(x))),
    "twice, with a sign": lambda: equal(
        integral(f(x) * diff(diff(p(x), x), x), x), -E(p(x), diff(f.prime(x), x))
    ),
    "a jump": lambda: equal(integral(indicator(x > a) * diff(p(x), x), x), 0),
    "a kink": lambda: equal(integral(absolute(x) * diff(p(x), x), x), -1),
    "over another variable": lambda: equal(integral(diff(j(x, z), x), z), 0),
    "under a condition": lambda: equal(integral(diff(j(x | z), z), x, z), 1),
    "derivative by the condition": lambda: equal(
        E(j(x, z), f(x) * diff(log(j(x | z)), z)), E(j(x), f(x) * diff(log(j(x)), x))
    ),
    "conditional for marginal": lambda: equal(diff(log(j(x | z)), x), diff(log(j(x)), x)),
    "Hyvarinen without the factor 2": lambda: equal(
        E(p(x), (f(x) - score) ** 2), E(p(x), f(x) ** 2 + f.prime(x)) + E(p(x), score**2)
    ),
    "Fisher information is not zero": lambda: equal(E(p(x), score**2), E(p(x), score) ** 2),
    "by the wrong argument": lambda: equal(
        E(k(x, y), F(x, y) * by_x), -E(k(x, y), diff(F(x, y), y))
    ),
    "arguments swapped": lambda: equal(diff(F(a, b), a), diff(F(b, a), a)),
    "total for partial": lambda: equal(diff(F(a, a), a), diff(F(a, b), a)),
    "symmetric partial derivatives": lambda: equal(diff(F(a, b), a), diff(F(a, b), b)),
    "second for mixed": lambda: equal(diff(diff(F(a, b), a), a), diff(diff(F(a, b), a), b)),
    "gradient with the wrong sign": lambda: equal(
        diff(log(Normal(X, m, S)), X), inverse(S) * (X - m)
    ),
    "covariance for precision": lambda: equal(diff(log(Normal(X, m, S)), X), -(S * (X - m))),
    "Jacobian transposed": lambda: equal(
        diff(dot(X, m) * X, X), transpose(diff(dot(X, m) * X, X))
    ),
    "de Bruijn, the sign": lambda: equal(
        integral(diff(diff(p(x), x), x) * log(p(x)), x), E(p(x), score**2)
    ),
    "de Bruijn for another": lambda: equal(
        integral(diff(diff(p(x), x), x) * log(p(x)), x), -E(p(x), score * diff(log(q(x)), x))
    ),
    "the ratio, once too often": lambda: equal(
        integral(p(x) / q(x) * diff(diff(q(x), x), x), x),
        -integral(diff(p(x), x) * diff(q(x) / p(x), x), x),
    ),
    "the flux p'/p": lambda: equal(
        integral(diff(diff(p(x), x), x) / p(x), x), E(p(x), score**2 / p(x))
    ),
    "typed kernel, sign": lambda: equal(
        integral(kernel * diff(p(x), x), x), -E(p(x), kernel * (x - a) / s)
    ),
    "exponentials outgrow": lambda: equal(integral(exp(x) * diff(p(x), x), x), 0),
}
# fmt: on


@pytest.mark.parametrize("name", TRUE)
def test_true_claims_are_proved_and_agreed(name: str) -> None:
    claim = TRUE[name]()
    dims = (1, 2, 3) if {X, m} & {n for e in (claim.lhs, claim.rhs) for n in e.walk()} else (1,)
    verdict = judge(Claim(claim.lhs, "=", claim.rhs, (), dims))
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("name", FALSE)
def test_false_neighbours_are_not_proved(name: str) -> None:
    claim = FALSE[name]()
    claim = Claim(claim.lhs, "=", claim.rhs, (), (2, 3))
    assert not prove(claim).proved
    assert numeric.compare(claim).verdict in ("refuted", "undefined")


def test_the_flux_that_has_to_vanish_is_listed() -> None:
    proof = prove(equal(E(p(x), f(x) * score), -E(p(x), f.prime(x))))
    assumed = list(map(str, proof.assumed))
    assert "p(x)*f(x) → 0 at infinity" in assumed
    assert any("smooth" in a for a in assumed)


def test_parts_are_not_assumed_where_none_are_needed() -> None:
    proof = prove(TRUE["one conditional score"]())
    assert proof.proved
    assert not any("infinity" in str(a) for a in proof.assumed)


def test_two_densities_do_not_toss_a_derivative_to_and_fro() -> None:
    u = Density("u", x, positive=True)
    claim = equal(integral(p(x) * diff(u(x), x), x), -integral(u(x) * diff(p(x), x), x))
    assert not prove(claim).proved  # true, and beyond the rule: it must end
    assert numeric.compare(claim).verdict == "agree"


@pytest.mark.parametrize("weight", [r(x), absolute(p(x) - r(x))])
def test_a_logarithm_of_what_may_vanish_is_left_alone(weight) -> None:
    """Where it vanishes the flux may have further ends."""
    claim = equal(integral(diff(diff(r(x), x), x) * log(p(x) + weight), x), 0)
    assert not prove(claim).proved


def test_a_bare_normal_kernel_says_that_its_letter_is_real() -> None:
    proof = prove(equal(integral(kernel, x), (2 * pi * s) ** (number(1) / 2)))
    assert proof.proved
    assert "x ranges over the real line" in proof.assumed
    for wrong in (2 * pi * s, (pi * s) ** (number(1) / 2), (2 * pi) ** (number(1) / 2) * s):
        assert not prove(equal(integral(kernel, x), wrong)).proved
    assert not prove(equal(integral(exp((x - a) ** 2 / s), x), 1)).proved
    assert not prove(equal(integral(exp(-x), x), 1)).proved
    assert not prove(equal(integral(exp(-(x**4) - x**2), x), pi ** (number(1) / 2))).proved


@pytest.mark.parametrize("weight", [exp(x), exp(x**2 / s)])
def test_a_flux_that_grows_is_not_dropped(weight) -> None:
    claim = equal(integral(weight * diff(p(x), x), x), -E(p(x), diff(weight, x)))
    assert not prove(claim).proved


def test_parts_need_a_density_above_zero() -> None:
    claim = equal(integral(diff(r(x), x) * log(q(x)), x), -E(r(x), diff(log(q(x)), x)))
    assert not prove(claim).proved


def test_zeros_of_a_density_are_assumed_smooth() -> None:
    for density, said in ((r, True), (p, False)):
        proof = prove(equal(integral(f(x) * diff(diff(density(x), x), x), x),
                            E(density(x), diff(f.prime(x), x))))  # fmt: skip
        assert proof.proved
        assert (SMOOTH_ZEROS in proof.assumed) is said
