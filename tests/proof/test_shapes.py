"""Rows, columns and numbers: quadratic forms and outer products as books print them."""

from __future__ import annotations

import contextlib

import pytest

from genmath.proof import (
    NotationError,
    covariances,
    dot,
    equal,
    inverse,
    mean_vectors,
    norm2,
    numeric,
    positives,
    trace,
    transpose,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.symbolic.judge import prove

u, v = mean_vectors("u v")
A, B = covariances("A B")
s = positives("s")

TRUE = [
    equal(transpose(u) * A * u, dot(u, A * u)),
    equal(transpose(u) * A * v + 1, 1 + dot(v, A * u)),
    equal(transpose(u) * u, norm2(u)),
    equal(trace(u * transpose(u)), norm2(u)),
    equal(trace(A * u * transpose(v)), transpose(v) * A * u),
    equal(transpose(A * u) * B * v, transpose(u) * A * B * v),
    equal(s * transpose(u) * v * s, s**2 * dot(u, v)),
    equal(u * transpose(u) * v, dot(u, v) * u),
]
FALSE = [
    equal(transpose(u) * A * v, dot(u, v)),
    equal(transpose(u) * A * B * u, transpose(u) * B * A * v),
    equal(trace(u * transpose(v)), norm2(u)),
    equal(u * transpose(u) * v, norm2(u) * v),
    equal(transpose(u) * inverse(A) * u, dot(u, A * u)),
]
MEANINGLESS = [
    equal(u * A * u, dot(u, A * u)),
    equal(u * v, dot(u, v)),
    equal(transpose(u) * A, A * u),
    equal(u * transpose(u), norm2(u)),
    equal(A * transpose(u), A * u),
]


def on(claim: Claim, *dims: int) -> Claim:
    return Claim(claim.lhs, "=", claim.rhs, (), dims)


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_true(claim: Claim) -> None:
    verdict = judge(on(claim, 1, 2, 3))
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_false(claim: Claim) -> None:
    assert not prove(on(claim, 2, 3)).proved
    assert numeric.compare(on(claim, 2, 3)).verdict == "refuted"


@pytest.mark.parametrize("dims", [(1,), (1, 2), (2, 3)])
@pytest.mark.parametrize("claim", MEANINGLESS, ids=repr)
def test_meaningless(claim: Claim, dims: tuple[int, ...]) -> None:
    """On the line, too, a vector is no number."""
    with contextlib.suppress(NotationError):
        assert not prove(on(claim, *dims)).proved
