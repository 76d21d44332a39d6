"""What is left over is said in the author's letters."""

from __future__ import annotations

import pytest
import sympy as sp

from genmath.proof import (
    E,
    Normal,
    Sequence,
    at_least_one,
    covariances,
    det,
    equal,
    exp,
    fractions,
    log,
    naturals,
    product,
    reals,
    sqrt,
    total,
    variables,
)
from genmath.proof.language.claims import Claim
from genmath.proof.symbolic.atoms import Log
from genmath.proof.symbolic.author import in_authors_letters
from genmath.proof.symbolic.judge import prove
from genmath.proof.symbolic.residual import residual_text

beta, gamma = fractions("beta gamma")
k = at_least_one("kappa")
A = covariances("A")
t, T, i = naturals("t T i")
alpha = Sequence("alpha", domain="unit")
w = Sequence("w", domain="at_least_one")
x_hat, eps = reals("x_hat eps")
x = variables("x")


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (equal(1 - beta, 1), "-β"),
        (equal(beta * gamma, gamma), "β*γ - γ"),
        (equal(1 / (1 - beta), 1), "-β/(β - 1)"),
        (equal(k, 1), "κ - 1"),
        (equal(sqrt(beta) * x_hat + sqrt(1 - beta) * eps, x_hat), "sqrt(β)*x̂ + ϵ*sqrt(1 - β) - x̂"),
        (equal(log(1 - beta), 0), "log(1 - β)"),
        (equal(log(beta), 0), "log(β)"),
        (equal(exp(beta), 1), "exp(β) - 1"),
        (equal(alpha[t], 1), "α[t] - 1"),
        (equal(w[t], 1), "w[t] - 1"),
        (
            equal(product(alpha[i], i, 1, T), product(alpha[i], i, 1, t)),
            "(Π[index=1..T] α[index]) - (Π[index=1..t] α[index])",
        ),
        (equal(total(alpha[i], i, 1, t), 0), "(Σ[index=1..t] α[index])"),
        (equal(E(Normal(x, 0, beta), x**2), 0), "β"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_residual_is_the_difference_as_typed(claim: Claim, said: str) -> None:
    proof = prove(claim)
    assert not proof.proved
    assert residual_text(in_authors_letters(proof.residual, proof.known, proof.dimension)) == said


def test_a_covariance_is_not_its_root() -> None:
    proof = prove(Claim(log(det(A)), "=", 0 * beta, (), (2,)))
    assert (
        residual_text(in_authors_letters(proof.residual, proof.known, proof.dimension))
        == "log(det A)"
    )


def test_half_a_diagonal_is_no_determinant() -> None:
    first, second = (Log(sp.Symbol(f"A[{i},{i}]", positive=True)) for i in range(2))
    known = {"A": A}
    assert residual_text(in_authors_letters(2 * first, known, 1)) == "log(det A)"
    assert residual_text(in_authors_letters(2 * first + 2 * second, known, 2)) == "log(det A)"
    assert "det" not in residual_text(in_authors_letters(2 * first, known, 2))
    assert "det" not in residual_text(in_authors_letters(2 * first + second, known, 2))
