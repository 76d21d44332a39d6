"""Certificates for vectors and matrices: what they claim, and none for what is false."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    Normal,
    copies,
    covariances,
    det,
    diff,
    dot,
    equal,
    exp,
    identity,
    inverse,
    log,
    matrices,
    mean_vectors,
    norm2,
    positives,
    reals,
    trace,
    transpose,
    vectors,
)
from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.shown import shown
from genmath.proof.certificate.vectors import Vectors
from genmath.proof.certificate.written import certificate, readings, stated
from genmath.proof.kernel import Line, check
from genmath.proof.kernel.claims import claim as read
from genmath.proof.language.claims import as_claim

a, b = reals("a b")
u, v = positives("u v")
m, w, z = mean_vectors("m w z")
e, f = mean_vectors("e f", domain="direction")
A, B = matrices("A B")
O = matrices("O", domain="orthogonal")
T = matrices("T", columns=2, domain="orthogonal")
S, R = covariances("S R")
x, y = vectors("x y")
phi = Function("phi")
d = trace(identity)
standard = Normal(x, 0, identity)
round_, shaped = Normal(x, m, v * identity), Normal(x, m, S)

WHOLE = [
    equal(a * (m + w) - a * w, a * m),
    equal((m + w) / u, m / u + w / u),
    equal(norm2(e - f), 2 - 2 * dot(e, f)),
    equal(exp(-norm2(e)), exp(-norm2(f))),
    equal(A * B * w, A * (B * w)),
    equal(transpose(A * B), transpose(B) * transpose(A)),
    equal(trace(A * B), trace(B * A)),
    equal(dot(A * w, z), dot(w, transpose(A) * z)),
    equal(norm2(A * w), dot(w, transpose(A) * A * w)),
    equal(dot(m, S * w), dot(w, S * m)),
    equal(identity * w, w),
    equal(trace(A * identity), trace(A)),
    equal(transpose(O) * O, identity),
    equal(O * (transpose(O) * w), w),
    equal(norm2(O * w), norm2(w)),
    equal(transpose(T) * T * transpose(T), transpose(T)),
    equal(inverse(A) * (A * w), w),
    equal(A * inverse(A) * A, A),
    equal(inverse(S) * S, S * inverse(S)),
    equal(log(Normal(x, m, v * identity)) - log(Normal(x, w, v * identity)),
          (norm2(x - w) - norm2(x - m)) / (2 * v)),
    equal(log(Normal(x, m, S)) - log(Normal(x, w, S)),
          (dot(x - w, inverse(S) * (x - w)) - dot(x - m, inverse(S) * (x - m))) / 2),
]  # fmt: skip
BY_LAWS = [
    equal(E(standard, norm2(x)), d),
    equal(E(round_, dot(x, w)), dot(m, w)),
    equal(E(round_, norm2(x)), norm2(m) + d * v),
    equal(E(standard, norm2(x) ** 2), d**2 + 2 * d),
    equal(E(shaped, norm2(x - m)), trace(S)),
    equal(E(shaped, dot(x, A * x)), dot(m, A * m) + trace(A * S)),
    equal(KL(round_, Normal(x, w, v * identity)), norm2(m - w) / (2 * v)),
    equal(KL(shaped, Normal(x, w, S)), dot(m - w, inverse(S) * (m - w)) / 2),
    equal(diff(norm2(x - m), x), 2 * (x - m)),
    equal(diff(dot(x, A * x), x), A * x + transpose(A) * x),
    equal(diff(phi(dot(x, w)), x), phi.prime(dot(x, w)) * w),
    equal(diff(log(round_), x), (m - x) / v),
    equal(E(round_, norm2(diff(log(round_), x))), d / v),
]
FALSE = [
    equal(a * (m + w), a * m),
    equal(m, w),
    equal(A * B, B * A),
    equal(transpose(A) * w, A * w),
    equal(transpose(A * B), transpose(A) * transpose(B)),
    equal(norm2(m - w), 2 - 2 * dot(m, w)),
    equal(dot(e, f), 1),
    equal(norm2(A * w), norm2(w)),
    equal(dot(m, A * w), dot(w, A * m)),
    equal(T * transpose(T) * w, w),
    equal(norm2(transpose(T) * w), norm2(w)),
    equal(inverse(A) * (B * w), w),
    equal(inverse(A), inverse(S)),
    equal(A * S, S * A),
    equal(S * R, R * S),
    equal(trace(A * B * S), trace(B * A * S)),
    equal(trace(identity), 1),
    equal(trace(A) * trace(B), trace(A * B)),
    equal(norm2(m) * norm2(w), dot(m, w) ** 2),
    equal(Normal(O * m, z, identity), Normal(m, z, identity)),
    equal(Normal(A * m, 0, identity), Normal(m, 0, identity)),
    equal(log(Normal(x, m, v * identity)) - log(Normal(x, m, u * identity)), 0),
    equal(E(standard, norm2(x)), 1),
    equal(E(round_, norm2(x)), norm2(m) + v),
    equal(E(shaped, norm2(x)), norm2(m)),
    equal(E(shaped, dot(x, A * x)), dot(m, A * m) + trace(A) * trace(S)),
    equal(E(Normal(x, m, a * identity), norm2(x)), norm2(m) + d * a),
    equal(E(Normal(x, m, A), norm2(x - m)), trace(A)),
    equal(E(standard, norm2(x) ** 2), d**2),
    equal(KL(round_, Normal(x, m, u * identity)), 0),
    equal(KL(shaped, Normal(x, m, R)), 0),
    equal(diff(norm2(x), x), x),
    equal(diff(dot(x, A * x), x), 2 * (A * x)),
    equal(det(S), det(R)),
    equal(log(det(S)), trace(S)),
]


def outcome(claim: Any) -> Line:
    """Of the first reading that has a certificate."""
    why = NoProof("")
    for one in readings(as_claim(claim)):
        try:
            line = {"line": 1, **certificate(one)}
        except NoProof as error:
            why = error
        else:
            text = json.dumps({"format": 1, "derivation": "own", "lines": [line]})
            return check(text).lines[0]
    raise why


@pytest.mark.parametrize("claim", WHOLE, ids=repr)
def test_vectors_are_proved_by_coordinates(claim: Any) -> None:
    found = outcome(claim)
    assert (found.rejected, found.supposed) == ("", ())


@pytest.mark.parametrize("claim", BY_LAWS, ids=repr)
def test_normal_laws_and_gradients_are_proved_up_to_laws(claim: Any) -> None:
    found = outcome(claim)
    assert not found.rejected
    assert found.supposed


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_what_is_false_of_vectors_has_no_certificate(claim: Any) -> None:
    with pytest.raises(NoProof):
        outcome(claim)


def test_a_rotation_leaves_a_round_law_as_it_is() -> None:
    assert not outcome(equal(Normal(O * m, 0, identity), Normal(m, 0, identity))).rejected


def test_a_reason_may_be_a_squared_length() -> None:
    (*_, claim) = readings(as_claim(dot(e, f) <= 1), (norm2(e - f) / 2,))
    assert certificate(claim)


def test_a_claim_says_what_its_vectors_are() -> None:
    claim = as_claim(equal(transpose(O) * (O * m) + e, m + e))
    lines = shown(read(said.claim(stated(claim, (), Vectors()))))
    assert lines == [
        "for all numbers coordinate",
        "for all functions O(_, _)",
        "for all functions Sum((@1 -> _)); looking only where unit(@1, @1) = 1; sum; "
        "over the letters of which unit(letter, letter) = 1, else 0",
        "for all functions e(_)",
        "for all functions m(_)",
        "for all functions unit(_, _)",
        "where unit(coordinate, coordinate) = 1",
        "where Sum(@1 -> e(@1) * e(@1)) = 1",
        "where, for all @1, @2 with unit(@1, @1) = 1 with unit(@2, @2) = 1: "
        "Sum(@3 -> O(@3, @1) * O(@3, @2)) = unit(@1, @2)",
        "where, for all @1, @2 with unit(@1, @1) = 1 with unit(@2, @2) = 1: "
        "Sum(@3 -> O(@1, @3) * O(@2, @3)) = unit(@1, @2)",
        "where, for all @1, @2: unit(@1, @2) = unit(@2, @1)",
        "Sum(@1 -> O(@1, coordinate) * Sum(@2 -> O(@1, @2) * m(@2))) + e(coordinate) = "
        "m(coordinate) + e(coordinate)",
    ]


def test_a_gradient_is_along_one_coordinate() -> None:
    lines = shown(read(said.claim(stated(as_claim(equal(diff(norm2(x), x), m)), (), Vectors()))))
    assert lines[-1] == (
        "Deriv(@1 -> Sum(@2 -> (x(@2) + @1 * unit(@2, coordinate))^2), 0) = m(coordinate)"
    )


@pytest.mark.parametrize(
    "claim",
    [
        equal(diff(E(standard, norm2(x)), x), m),  # the letter is bound within
        equal(diff(Density("p", x)(x), x), m),  # of what is no number of coordinates
        equal(norm2(diff(norm2(diff(norm2(x), x)), x)), a),
    ],
    ids=repr,
)
def test_some_gradients_are_not_read(claim: Any) -> None:
    with pytest.raises(NoProof):
        stated(as_claim(claim), (), Vectors())


def test_bound_vectors_are_told_apart() -> None:
    other = copies(x, 1)[0]
    p = Density("p", x)

    def mean(of: Any) -> Any:
        return E(p(x), E(p(x), E(p(other), of)))

    with pytest.raises(NoProof):
        outcome(equal(mean(dot(x, other)), mean(dot(x, x))))
    with pytest.raises(NoProof):
        outcome(equal(E((standard, Normal(y, 0, identity)), dot(x, y)), E(standard, norm2(x))))
