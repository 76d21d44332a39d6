"""Certificates of what is said of densities, of fractions and of absolute values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    JS,
    KL,
    TV,
    Density,
    E,
    Function,
    H,
    Normal,
    absolute,
    diff,
    equal,
    exp,
    fractions,
    indicator,
    integral,
    log,
    positive_part,
    positives,
    reals,
    sqrt,
    variables,
)
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.language.claims import as_claim
from tests.proof.alterations import outcome

x, y, z = variables("x y z")
a, b, theta, m = reals("a b theta m")
s, t, v = positives("s t v")
u, w = fractions("u w")
c = positives("c")
f = Function("f")
g, h = Function("g", invertible=True), Function("h", increasing=True)
p, q = Density("p", x), Density("q", x)
q_theta = Density("q", x, given=theta, positive=True)
joint = Density("r", x, y, z)
best = p(x) / (p(x) + q_theta(x | theta))
score = diff(log(q_theta(x | theta)), theta)
mean = E(joint(y | x), y)
prior, told = Density("p", x, positive=True)(x), Density("q", y, given=x, positive=True)(y | x)
there = integral(prior * told, x)
law = u * exp(-(a**2)) / (1 - u)

TRUE = [
    # fractions of densities
    equal(
        E(q_theta(x | theta), log(1 - best) * score), diff(2 * JS(p(x), q_theta(x | theta)), theta)
    ),
    equal(
        E(p(x), p(x) / (p(x) + q(x)) - 1) + E(q(x), q(x) / (p(x) + q(x)) - 1),
        -2 * integral(p(x) * (q(x) / (p(x) + q(x))), x),
    ),
    equal(JS(p(x), q(x)), H((p(x) + q(x)) / 2) - (H(p(x)) + H(q(x))) / 2),
    # joint densities, put together and taken apart
    equal(E(joint(y), KL(joint(x | y), joint(x))), H(joint(x)) - E(joint(y), H(joint(x | y)))),
    equal(E(joint(x), mean**2), E(joint(y), y**2) - E(joint(x, y), (y - mean) ** 2)),
    equal(
        E(joint(x), H(joint(y, z | x))),
        E(joint(x), H(joint(y | x))) + E(joint(x, y), H(joint(z | (x, y)))),
    ),
    equal(integral(there * integral(prior * told / there * f(x), x), y), E(prior, f(x))),
    # indicators and absolute values
    equal(
        E(p(x), indicator(p(x) > q(x))) - E(q(x), indicator(p(x) > q(x))),
        integral(positive_part(p(x) - q(x)), x),
    ),
    equal((2 * indicator(a > 0) - 1) * a, absolute(a)),
    equal(E(q(x), absolute(p(x) / q(x) - 1) / 2), TV(p(x), q(x))),
    equal(E(p(x), absolute(x + a - x)), absolute(a)),
    # roots
    equal(2 * E(p(x), 1 - sqrt(q(x) / p(x))), integral((sqrt(p(x)) - sqrt(q(x))) ** 2, x)),
    equal(E(p(x), sqrt(s**2 + (x - x) ** 2)), s),
    equal(sqrt(s**2 + s**2), sqrt(2) * s),
    # mixtures of what is > 0
    equal(log(s * u / (1 + (s - 1) * u)), log(s) + log(u) - log(1 + (s - 1) * u)),
    equal((t + (s - t) * u) / (t + (s - t) * u), 1),
    equal(1 / (s + (v - 2 * s) * u * (1 - u)) * (s + (v - 2 * s) * u * (1 - u)), 1),
    # logarithms
    equal(log(s * t + s * v), log(s) + log(t + v)),
    equal(log(E(p(x), s * exp(x))), log(s) + log(E(p(x), exp(x)))),
    equal(exp(s * (log(t) + a) / s), t * exp(a)),
    # a function at a quotient in which a letter cancels
    equal(E(q(x), f(q(x) / q(x))), f(1)),
    equal(E(p(x), f(a * p(x) / p(x)) + x), f(a) + E(p(x), x)),
    # by parts
    equal(
        E(Normal(x, m, v), x * f(x)),
        m * E(Normal(x, m, v), f(x)) + v * E(Normal(x, m, v), diff(f(x), x)),
    ),
    equal(
        E(Normal(x, m, v), (x - m) ** 2 * f(x)),
        v * E(Normal(x, m, v), f(x)) + v**2 * E(Normal(x, m, v), diff(diff(f(x), x), x)),
    ),
    equal(E(Normal(x, 0, v), x**6), 15 * v**3),
    equal(log(diff(m + exp(a) * b, b)), a),
    equal(diff(m + exp(a) * b, b) / diff(exp(a) * b, b), 1),
    # invertible functions
    equal(g.inverse(h.inverse(h(g(a)))), a),
    equal(
        log(absolute(diff(h(g(a)), a))), log(absolute(h.prime(g(a)))) + log(absolute(g.prime(a)))
    ),
    equal(log(absolute(g.prime(g.inverse(a)))), -log(absolute(g.inverse.prime(a)))),
    equal(p(g(a)) * h.prime(a) / h.prime(a), p(g(a))),
    # normal laws written out
    equal(Normal(m + a, m, v), Normal(m, m + a, v)),
    equal(Normal(x, a, v) * Normal(x, -a, v), Normal(x, 0, v) ** 2 * exp(-(a**2) / v)),
]


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_it_is_proved(claim: Any) -> None:
    found = outcome(certificate(stated(as_claim(claim))))
    assert found is not None
    assert not found.rejected


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_what_is_not_equal_is_not(claim: Any) -> None:
    other = as_claim(claim)
    for wrong in (other.rhs + 1, 2 * other.rhs if other.rhs != 1 else 2):
        with pytest.raises(NoProof):
            certificate(stated(replace(other, rhs=wrong)))


FALSE = [
    equal(E(joint(y), KL(joint(x | y), joint(x))), H(joint(y)) - E(joint(y), H(joint(x | y)))),
    equal((2 * indicator(a > 0) - 1) * b, absolute(b)),
    equal(indicator(a > 0) * indicator(b > 0), indicator(a > 0)),
    equal(1 / (1 + (b - 1) * u) * (1 + (b - 1) * u), 1),  # it may be 0
    equal(1 / (s + (v - 5 * s) * u * (1 - u)) * (s + (v - 5 * s) * u * (1 - u)), 1),
    equal(log(a * t + a * v), log(a) + log(t + v)),
    equal(E(q(x), absolute(p(x) / b - 1)), integral(q(x) * absolute(p(x) - b), x) / b),
    equal(sqrt(a**2 + a**2), sqrt(2) * a),
    equal(g.inverse(h.inverse(g(h(a)))), a),
    equal(f.prime(a) / f.prime(a), 1),  # it may be 0
    equal(E(p(x), f(x / x)), f(1)),
    equal(g.inverse.prime(a), g.prime(g.inverse(a))),
    equal(absolute(g.prime(a)), g.prime(a)),
]


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_what_may_be_false_is_not_proved(claim: Any) -> None:
    with pytest.raises(NoProof):
        certificate(stated(as_claim(claim)))


def test_a_density_cancels_where_it_is_positive_or_is_supposed_to_be() -> None:
    for of, supposed in ((p(x), False), (q(x), True)):
        found = outcome(certificate(stated(equal(E(p(x), f(of / of)), f(1)))))
        assert found is not None
        assert not found.rejected
        assert (f"{of.density.name} is > 0" in found.supposed) == supposed


def test_a_mixture_of_positive_numbers_is_positive() -> None:
    found = outcome(certificate(stated(as_claim(s * (1 - u) + (t - s) * u * w + s * u > 0))))
    assert found is not None
    assert not found.rejected
    with pytest.raises(NoProof):
        certificate(stated(as_claim(s * (1 - u) + (t - 2 * s) * u * w > 0)))
