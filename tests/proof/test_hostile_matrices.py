"""Identities of matrices as books print them, and false neighbours of each, which nobody proves."""

from __future__ import annotations

import pytest

from genmath.proof import (
    NotationError,
    covariances,
    det,
    dot,
    equal,
    identity,
    identity_of,
    inverse,
    log,
    matrices,
    mean_vectors,
    norm2,
    numeric,
    positives,
    trace,
    transpose,
    vectors,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node
from genmath.proof.symbolic.judge import prove

u, v = mean_vectors("u v")
A, B, C = matrices("A B C")
S, T = covariances("S T")
L, M = covariances("L M", commuting=True)
Q = matrices("Q", domain="orthogonal")
D = matrices("D", domain="diagonal")
Y = matrices("Y", domain="symmetric")
e = mean_vectors("e", domain="direction")
W, z = matrices("W", columns=2), vectors("z", size=2)
s = positives("s")
I, I2, tr = identity, identity_of(2), transpose

TRUE = [
    equal(trace(A * B), trace(B * A)),
    equal(trace(A * B * C), trace(C * A * B)),
    equal(trace(tr(A) * B), trace(tr(B) * A)),
    equal(trace(u * tr(v)), dot(u, v)),
    equal(det(A * B), det(A) * det(B)),
    equal(det(tr(A)), det(A)),
    equal(det(inverse(A)), 1 / det(A)),
    equal(tr(A * B), tr(B) * tr(A)),
    equal(inverse(A * B), inverse(B) * inverse(A)),
    equal(inverse(inverse(A)), A),
    equal(inverse(A) * A, I),
    equal(inverse(tr(A)), tr(inverse(A))),
    equal(A**2 * A**-1, A),
    equal(tr(u) * tr(A) * A * u, norm2(A * u)),
    equal(inverse(I + u * tr(u)), I - u * tr(u) / (1 + norm2(u))),
    equal(det(I + u * tr(v)), 1 + tr(v) * u),
    equal(det(A + u * tr(v)), det(A) * (1 + tr(v) * inverse(A) * u)),
    equal(log(det(s * S)), log(det(S)) + trace(I) * log(s)),
    equal(tr(Q) * Q, I),
    equal(Q * tr(Q), I),
    equal(inverse(Q), tr(Q)),
    equal(norm2(Q * u), norm2(u)),
    equal(dot(Q * u, Q * v), dot(u, v)),
    equal(det(Q) ** 2, 1),
    equal(det(Q * A * tr(Q)), det(A)),
    equal(trace(Q * A * tr(Q)), trace(A)),
    equal(det(D * D), det(D) ** 2),
    equal(tr(Y), Y),
    equal(tr(u) * Y * v, tr(v) * Y * u),
    equal(L * M, M * L),
    equal(tr(L * M), L * M),
    equal(inverse(L) * M, M * inverse(L)),
    equal(norm2(e), 1),
    equal(norm2(u - e * tr(e) * u), norm2(u) - (tr(e) * u) ** 2),
    equal(e * tr(e) * e * tr(e), e * tr(e)),
    equal(norm2(W * z), tr(z) * tr(W) * W * z),
    equal(det(I + W * tr(W)), det(I2 + tr(W) * W)),
    equal(inverse(I + W * tr(W)) * W, W * inverse(I2 + tr(W) * W)),
]
LONG = [  # three rows of them take seconds
    equal(
        inverse(A + u * tr(v)),
        inverse(A) - inverse(A) * u * tr(v) * inverse(A) / (1 + tr(v) * inverse(A) * u),
    ),
    equal(inverse(S + T), inverse(S) - inverse(S) * inverse(inverse(S) + inverse(T)) * inverse(S)),
]
FALSE = [
    equal(trace(A * B), trace(A) * trace(B)),
    equal(trace(A * B), trace(A * tr(B))),
    equal(trace(A * B * C), trace(B * A * C)),
    equal(trace(u * tr(v)), norm2(u)),
    equal(det(A + B), det(A) + det(B)),
    equal(det(s * S), s * det(S)),
    equal(det(-A), det(A)),
    equal(det(-A), -det(A)),
    equal(tr(A * B), tr(A) * tr(B)),
    equal(A, tr(A)),
    equal(inverse(A * B), inverse(A) * inverse(B)),
    equal(inverse(A + B), inverse(A) + inverse(B)),
    equal(inverse(tr(A)), inverse(A)),
    equal((A + B) ** 2, A**2 + 2 * A * B + B**2),
    equal(inverse(I + u * tr(u)), I - u * tr(u)),
    equal(det(I + u * tr(v)), 1 - tr(v) * u),
    equal(det(I + u * tr(v)), 1 + norm2(u)),
    equal(det(u * tr(u)), norm2(u)),
    equal(log(det(s * S)), log(det(S)) + log(s)),
    equal(Q * Q, I),
    equal(tr(Q), Q),
    equal(Q * u, u),
    equal(det(Q), 1),
    equal(det(Q), -1),
    equal(dot(Q * u, v), dot(u, Q * v)),
    equal(trace(Q * A), trace(A)),
    equal(Q * A * tr(Q), A),
    equal(D * A, A * D),
    equal(D, I * trace(D)),
    equal(Y * A, A * Y),
    equal(S * T, T * S),
    equal(tr(S * T), S * T),
    equal(L * S, S * L),
    equal(norm2(u), 1),
    equal(norm2(u - e * tr(e) * u), norm2(u) + (tr(e) * u) ** 2),
    equal(norm2(u - e * tr(e) * u), norm2(u) - tr(e) * u),
    equal(norm2(u - e * tr(e) * u), norm2(u) - 2 * (tr(e) * u) ** 2),
    equal(e * tr(e) * u, u),
    equal(
        inverse(A + u * tr(v)),
        inverse(A) + inverse(A) * u * tr(v) * inverse(A) / (1 + tr(v) * inverse(A) * u),
    ),
    equal(
        inverse(A + u * tr(v)),
        inverse(A) - inverse(A) * v * tr(u) * inverse(A) / (1 + tr(v) * inverse(A) * u),
    ),
    equal(inverse(S + T), inverse(S) + inverse(S) * inverse(inverse(S) + inverse(T)) * inverse(S)),
    equal(det(I + W * tr(W)), det(I2 - tr(W) * W)),
    equal(det(W * tr(W)), det(tr(W) * W)),
    equal(inverse(I + W * tr(W)) * W, W * inverse(I2 - tr(W) * W)),
    equal(W * tr(W), I),
    equal(tr(W) * W, I2),
]


def on(claim: Claim, *dims: int) -> Claim:
    return Claim(claim.lhs, claim.relation, claim.rhs, claim.given, dims)


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_true(claim: Claim) -> None:
    verdict = judge(on(claim, 1, 2, 3))
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("claim", LONG, ids=repr)
def test_true_in_the_plane(claim: Claim) -> None:
    assert judge(on(claim, 1, 2)).verdict == "proved"


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_false(claim: Claim) -> None:
    assert not prove(on(claim, 2, 3)).proved
    assert numeric.compare(on(claim, 2, 3)).verdict == "refuted"


def assumed(claim: Claim) -> set[str]:
    found = prove(on(claim, 2))
    assert found.proved, found.reason
    return set(map(str, found.assumed))


def test_an_inverse_has_to_exist() -> None:
    """What may be singular is an obligation; what is positive definite, or orthogonal, is not."""
    assert assumed(equal(inverse(A) * A, I)) == {"det(A) ≠ 0"}
    assert assumed(equal(inverse(A * B) * A * B, I)) == {"det(A) ≠ 0", "det(B) ≠ 0"}
    assert assumed(equal(inverse(inverse(A)), A)) == {"det(A) ≠ 0"}
    for m in (S, S + T, Q, s * L * M, I + u * tr(u), inverse(S), S + W * tr(W)):
        assert assumed(equal(inverse(m) * m, I)) == set()


@pytest.mark.parametrize("m", [A - A, u * tr(v), e * tr(e) * A], ids=repr)
def test_what_is_singular_has_no_inverse(m: Node) -> None:
    assert not prove(on(equal(inverse(m) * m, I), 2, 3)).proved


def test_sizes_have_to_fit() -> None:
    for claim in (equal(W * u, W * z), equal(tr(W) * W, I),
                  equal(trace(W), trace(W)), equal(inverse(W), W), equal(W * W, W)):  # fmt: skip
        found = prove(on(claim, 1, 3))
        assert not found.proved
        assert found.meaningless


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: matrices("A", columns=-1),
        lambda: matrices("A", columns=2, domain="symmetric"),
        lambda: matrices("A", rows=2, columns=3, domain="orthogonal"),
        lambda: matrices("A", domain="unitary"),
        lambda: mean_vectors("u", size=99),
        lambda: identity_of(0),
    ],
)
def test_what_is_no_declaration(wrong: object) -> None:
    with pytest.raises(NotationError):
        wrong()  # type: ignore[operator]
