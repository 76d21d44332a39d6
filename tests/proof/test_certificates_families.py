"""Named families: their densities are read as the table of the language defines them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    KL,
    TV,
    Bernoulli,
    Beta,
    Density,
    E,
    Exponential,
    Gamma,
    H,
    Laplace,
    absolute,
    equal,
    exp,
    fractions,
    gamma,
    log,
    log_gamma,
    number,
    positives,
    reals,
    sqrt,
    variables,
)
from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.shown import shown
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.kernel.claims import claim as read
from genmath.proof.language.claims import as_claim
from tests.proof.alterations import outcome

a, b, k, s = positives("a b k s")
c = reals("c")
t, u = variables("t u", domain="positive")
w = variables("w", domain="unit")
x = variables("x")
n = variables("n", domain="count")
bit = variables("b", domain="bit")
v, q = fractions("v q")
p = Density("p", x, positive=True)
CONSTANT = "a density integrates to one"


def supposed(claim: Any) -> tuple[str, ...]:
    found = outcome(certificate(stated(as_claim(claim))))
    assert found is not None
    assert not found.rejected
    return tuple(found.supposed)


BY_DEFINITION = [
    equal(log(Exponential(a, b)), log(b) - a * b),
    equal(log(Gamma(a, 2, b)), 2 * log(b) + log(a) - a * b),
    equal(log(Gamma(a, k, b)), k * log(b) - log_gamma(k) + (k - 1) * log(a) - b * a),
    equal(log(Laplace(c, 0, b)), -absolute(c) / b - log(2 * b)),
    equal(gamma(k + 2), (k + 1) * k * gamma(k)),
    equal(gamma(4 * a / a), 6),
    equal(log(gamma(k + 1) / gamma(k)), log(k)),
    equal(TV(Bernoulli(bit, v), Bernoulli(bit, q)), absolute(v - q)),
]
BY_LAW = [
    equal(E(Exponential(t, b), t), 1 / b),
    equal(E(Gamma(t, k, b), t**2), k * (k + 1) / b**2),
    equal(E(Gamma(t, k, b), sqrt(t)), gamma(k + number(1) / 2) / (gamma(k) * sqrt(b))),
    equal(E(Exponential(t, b), exp(-a * t)), b / (a + b)),
    equal(E(Gamma(t, 3, b), exp(-a * t)), (b / (a + b)) ** 3),
    equal(E((Gamma(t, k, b), Gamma(u, a, b)), t * u), k * a / b**2),
    equal(E(Beta(w, a, b), w), a / (a + b)),
    equal(H(Laplace(x, c, b)) - E(Laplace(x, c, b), absolute(x - c)) / b, log(2 * b)),
]


@pytest.mark.parametrize("claim", BY_DEFINITION, ids=repr)
def test_what_they_are_by_definition(claim: Any) -> None:
    assert not supposed(claim)


@pytest.mark.parametrize("claim", BY_LAW, ids=repr)
def test_what_they_leave_under_integrals(claim: Any) -> None:
    assert CONSTANT in supposed(claim)


@pytest.mark.parametrize("claim", BY_DEFINITION + BY_LAW, ids=repr)
def test_what_is_not_equal_is_not(claim: Any) -> None:
    one = as_claim(claim)
    for wrong in (one.rhs + 1, 2 * one.rhs):
        with pytest.raises(NoProof):
            certificate(stated(replace(one, rhs=wrong)))


@pytest.mark.parametrize(
    "claim",
    [
        equal(E(Exponential(t, b), t), b),
        equal(E(Gamma(t, k, b), t**2), k**2 / b**2),
        equal(E(Gamma(t, k, b), exp(a * t)), (b / (b - a)) ** 2),  # it need not be finite
        equal(E(Exponential(t, b), exp(a * t)), b / (b - a)),
        equal(E(Gamma(t, k, b), 1 / t), b / (k - 1)),
        equal(E(Beta(w, a, b), w), b / (a + b)),
        equal(log(Laplace(c, 0, b)), -(c**2) / b - log(2 * b)),
        equal(log(Exponential(c, b)), log(b) - c * b),  # c may be < 0
        equal(gamma(c + 1), c * gamma(c)),
        equal(gamma(k + a), a * gamma(k)),
        equal(TV(Bernoulli(bit, v), Bernoulli(bit, q)), v - q),
    ],
    ids=repr,
)
def test_what_is_false_or_not_known_has_no_proof(claim: Any) -> None:
    with pytest.raises(NoProof):
        certificate(stated(as_claim(claim)))


def test_a_divergence_to_a_member_is_no_less_than_0() -> None:
    assert "KL is >= 0" in supposed(KL(p(x), Laplace(x, 0, s)) >= 0)


def test_a_claim_says_what_a_member_is_and_where() -> None:
    lines = shown(read(said.claim(stated(as_claim(BY_LAW[1])))))
    density = "exp(@2 * ln(@3) - ln(gamma(@2)) + (@2 - 1) * ln(@1) - @3 * @1)"
    premises = "where, for all @1, @2, @3 with 0 < @1 with 0 < @2 with 0 < @3"
    assert f"{premises}: Gamma(@1, @2, @3) = {density}" in lines
    assert "where gamma(1) = 1" in lines
    assert "where, for all @1 with 0 < @1: gamma(@1 + 1) = @1 * gamma(@1)" in lines


def test_an_integral_of_its_own_for_each_space() -> None:
    functions = said.claim(stated(as_claim(BY_LAW[5])))["functions"]
    margins = {name: f["margins"] for name, f in functions.items() if name.startswith("Gamma")}
    assert margins == {"Gamma": [["Int", ""]], "Gamma_2": [["Int_2", ""]]}
