"""Slips that only matrices allow are made, and noticed."""

from __future__ import annotations

import pytest

from genmath.proof import (
    E,
    Normal,
    covariances,
    det,
    equal,
    identity,
    inverse,
    log,
    matrices,
    mean_vectors,
    numeric,
    trace,
    transpose,
    vectors,
)
from genmath.proof.language.claims import Claim
from genmath.proof.mutate import mutants
from genmath.proof.symbolic.judge import prove

X, mu = vectors("x"), mean_vectors("mu")
A, B = matrices("A B")
S = covariances("S")
CLAIMS = [
    (equal(transpose(A * B), transpose(B) * transpose(A)),
     {"factors swapped", "dropped transpose", "inverse for transpose"}),
    (equal(inverse(A * B), inverse(B) * inverse(A)),
     {"factors swapped", "dropped inverse", "transpose for inverse"}),
    (equal(E(Normal(X, mu, S), transpose(X) * A * X), trace(A * S) + transpose(mu) * A * mu),
     {"det for trace"}),
    (equal(log(det(S)) + log(det(inverse(S))), 0), {"trace for det", "dropped inverse"}),
    (equal(transpose(mu) * inverse(A + identity) * mu, transpose(mu) * inverse(transpose(A)
     + identity) * mu), {"dropped inverse", "dropped transpose"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "expected"), CLAIMS, ids=[repr(c) for c, _ in CLAIMS])
def test_a_slip_is_made_and_refuted_or_proved(claim: Claim, expected: set[str]) -> None:
    made = [(what, Claim(m.lhs, "=", m.rhs, (), (2,))) for what, m in mutants(claim)]
    assert expected <= {what for what, _ in made}
    for what, m in made:
        if what in expected:
            refuted = numeric.compare(m).verdict == "refuted"
            assert refuted != prove(m).proved, (what, m)
