"""What hypotheses say of vectors and matrices, and signs that are seen by structure."""

from __future__ import annotations

import pytest

from genmath.proof import (
    covariances,
    det,
    dot,
    equal,
    identity,
    identity_of,
    inverse,
    matrices,
    mean_vectors,
    norm2,
    reals,
    trace,
    transpose,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.tree import Relation
from genmath.proof.symbolic.judge import prove

u, v = mean_vectors("u v")
A, B, W = matrices("A"), matrices("B"), matrices("W", columns=2)
S, T = covariances("S T")
I, tr = identity, transpose
unit = equal(norm2(u), 1)
orthogonal = equal(tr(A) * A, I)

TRUE = [
    (equal(norm2(v - u * tr(u) * v), norm2(v) - (tr(u) * v) ** 2), unit),
    (equal(norm2(v - u * dot(u, v)), norm2(v) - dot(u, v) ** 2), equal(1, dot(u, u))),
    (equal(u * tr(u) * u, u), equal(tr(u) * u, 1)),
    (equal(norm2(A * v), norm2(v)), orthogonal),
    (equal(A * tr(A), I), orthogonal),
    (equal(det(A) ** 2, 1), equal(A * tr(A), I)),
    (equal(tr(A) * A, I), equal(tr(A), inverse(A))),
    (equal(tr(u) * A * v, tr(v) * A * u), equal(tr(A), A)),
    (equal(S * T * S, T * S * S), equal(S * T, T * S)),
    (equal(norm2(W * identity_of(2) * tr(W) * v), tr(v) * W * tr(W) * v),
     equal(tr(W) * W, identity_of(2))),
]  # fmt: skip
FALSE = [
    (equal(norm2(v - u * tr(u) * v), norm2(v) + (tr(u) * v) ** 2), unit),
    (equal(u, v), unit),
    (equal(tr(u) * v, 1), unit),
    (equal(norm2(A * v), 2 * norm2(v)), orthogonal),
    (equal(A * v, v), orthogonal),
    (equal(A * A, I), orthogonal),
    (equal(det(A), 1), orthogonal),
    (equal(det(A), -1), orthogonal),
    (equal(A, I), equal(tr(A), inverse(A))),
    (equal(A * B, B * A), equal(tr(A), A)),
    (equal(S * T, S * S), equal(S * T, T * S)),
    (equal(W * tr(W), I), equal(tr(W) * W, identity_of(2))),
]
SIGNED = [
    tr(u) * S * u >= 0,
    dot(u, S * u) >= 0,
    tr(A * u) * S * A * u >= 0,
    tr(u) * inverse(S + T) * u >= 0,
    tr(u) * (S + v * tr(v)) * u >= 0,
    2 * tr(u) * A * S * tr(A) * u >= 0,
    det(S + A * tr(A)) > 0,
    det(A * S * tr(A)) >= 0,
    trace(A * S * tr(A)) >= 0,
    trace(S) > 0,
]
UNSIGNED = [
    tr(u) * A * u >= 0,
    tr(u) * S * v >= 0,
    tr(u) * (S - T) * u >= 0,
    tr(u) * S * T * u >= 0,
    -tr(u) * S * u >= 0,
    det(S - T) >= 0,
    trace(A * A) >= 0,
    trace(A * S) >= 0,
    dot(S * u, T * u) >= 0,
    det(A * tr(A)) >= 1,
]


def given(claim: Claim, stated: Claim, *dims: int) -> Claim:
    hypothesis = Relation(stated.lhs, stated.relation, stated.rhs)
    return Claim(claim.lhs, claim.relation, claim.rhs, (hypothesis,), dims)


@pytest.mark.parametrize(("claim", "stated"), TRUE, ids=repr)
def test_true(claim: Claim, stated: Claim) -> None:
    found = judge(
        given(claim, stated, 2, 3) if W in claim.lhs.walk() else given(claim, stated, 1, 2)
    )
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize(("claim", "stated"), FALSE, ids=repr)
def test_false(claim: Claim, stated: Claim) -> None:
    assert judge(given(claim, stated, 3)).verdict == "refuted"


@pytest.mark.parametrize("bound", SIGNED, ids=repr)
def test_a_sign_is_seen(bound: Relation) -> None:
    c = as_claim(bound)
    found = judge(Claim(c.lhs, c.relation, c.rhs, (), (1, 2)))
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("bound", UNSIGNED, ids=repr)
def test_a_sign_is_not_seen(bound: Relation) -> None:
    c = as_claim(bound)
    assert judge(Claim(c.lhs, c.relation, c.rhs, (), (2,))).verdict == "refuted"


@pytest.mark.parametrize("bound", [tr(u) * S * u > 0, det(A * tr(A)) > 0], ids=repr)
def test_what_may_be_zero_is_not_positive(bound: Relation) -> None:
    c = as_claim(bound)
    assert not prove(Claim(c.lhs, c.relation, c.rhs, (), (1,))).proved


@pytest.mark.parametrize("bound", [A**2 >= 0, u >= 0, S >= T, u * tr(u) > 0], ids=repr)
def test_only_numbers_are_ordered(bound: Relation) -> None:
    c = as_claim(bound)
    assert prove(Claim(c.lhs, c.relation, c.rhs, (), (1, 2))).meaningless


def test_a_stated_number_is_no_bound_of_a_vector() -> None:
    """The sign of u' was asked on the way, and a vector less a number was taken."""
    a, b = reals("a b")
    form = Claim(tr(u) * S * u, ">=", as_claim(equal(a, 0)).rhs, (a > b,), (2,))
    assert prove(form).proved
    assert not prove(Claim(tr(u) * A * u, ">=", form.rhs, (a > b,), (2,))).proved
