"""Normal and other densities of vectors: moments, divergences, what is linear in them, marginals,
posteriors, scores and Stein's identity; and false neighbours, which nobody proves."""

from __future__ import annotations

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    H,
    Normal,
    absolute,
    copies,
    covariances,
    det,
    diff,
    dot,
    equal,
    exp,
    identity,
    identity_of,
    integral,
    inverse,
    log,
    matrices,
    mean_vectors,
    norm2,
    number,
    numeric,
    pi,
    positives,
    sqrt,
    trace,
    transpose,
    vectors,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.symbolic.judge import prove

X, y = vectors("x y")
(x1,) = copies(X, 1)
mu, nu, b, m = mean_vectors("mu nu b m")
A, W, Q = matrices("A"), matrices("W", columns=2), matrices("Q", domain="orthogonal")
W1, z1 = matrices("V", columns=1), vectors("w", size=1)
S, T = covariances("S T")
L, M = covariances("L M", commuting=True)
z, s, f = vectors("z", size=2), positives("s"), Function("f")
P, P2 = Density("P", X), Density("p", X, positive=True)
I, I1, I2, tr, half = identity, identity_of(1), identity_of(2), transpose, number(1) / 2
dd = trace(identity)

TRUE = [
    equal(log(Normal(X, m, L * L)), log(Normal(inverse(L) * (X - m), 0, I)) + log(det(inverse(L)))),
    equal(log(Normal(X, m, S * S)), log(Normal(inverse(S) * (X - m), 0, I)) + log(det(inverse(S)))),
    equal(
        log(Normal(X, m, L * M)),
        -half * tr(X - m) * inverse(L) * inverse(M) * (X - m)
        - half * log(det(L))
        - half * log(det(M))
        - half * dd * log(2 * pi),
    ),
    equal(
        log(Normal(X, mu, S)),
        -half * tr(X - mu) * inverse(S) * (X - mu) - half * log(det(2 * pi * S)),
    ),
    equal(
        Normal(X, mu, S), exp(-half * tr(X - mu) * inverse(S) * (X - mu)) / sqrt(det(2 * pi * S))
    ),
    equal(E(Normal(X, mu, S), X * tr(X)), S + mu * tr(mu)),
    equal(E(Normal(X, mu, S), X), mu),
    equal(E(Normal(X, mu, S), (X - mu) * tr(X - mu)), S),
    equal(E(Normal(X, mu, S), A * (X - mu) * tr(A * (X - mu))), A * S * tr(A)),
    equal(E(Normal(X, mu, S), tr(X) * A * X), trace(A * S) + tr(mu) * A * mu),
    equal(E(Normal(X, mu, S), norm2(X)), trace(S) + norm2(mu)),
    equal(E(Normal(X, mu, S), tr(X - mu) * inverse(S) * (X - mu)), dd),
    equal(
        KL(Normal(X, mu, S), Normal(X, nu, T)),
        half
        * (
            trace(inverse(T) * S) + tr(nu - mu) * inverse(T) * (nu - mu) - dd + log(det(T) / det(S))
        ),
    ),
    equal(KL(Normal(X, mu, S), Normal(X, 0, I)), half * (trace(S) + norm2(mu) - dd - log(det(S)))),
    equal(H(Normal(X, mu, S)), half * log(det(2 * pi * S)) + dd / 2),
    equal(log(Normal(A * X, A * mu, A * S * tr(A))), log(Normal(X, mu, S)) - log(absolute(det(A)))),
    equal(Normal(Q * X, Q * mu, Q * S * tr(Q)), Normal(X, mu, S)),
    equal(Normal(Q * X, Q * mu, s * I), Normal(X, mu, s * I)),
    equal(E(Normal(X, mu, S + T), X * tr(X)), S + T + mu * tr(mu)),
    equal(
        E(Normal(X, mu, A * S * tr(A) + T), norm2(X)), trace(A * S * tr(A)) + trace(T) + norm2(mu)
    ),
    equal(E(Normal(X, mu, inverse(S)), (X - mu) * tr(X - mu)), inverse(S)),
    equal(E(Normal(X, mu, S), E(Normal(y, A * X + b, T), y)), A * mu + b),
    equal(
        E(Normal(X, mu, S), E(Normal(y, A * X + b, T), (y - A * mu - b) * tr(y - A * mu - b))),
        A * S * tr(A) + T,
    ),
    equal(integral(Normal(X, mu, S) * Normal(y, X, T), X), Normal(y, mu, S + T)),
    equal(
        Normal(X, 0, I) * Normal(y, A * X, s * I),
        Normal(y, 0, A * tr(A) + s * I)
        * Normal(X, inverse(tr(A) * A + s * I) * tr(A) * y, s * inverse(tr(A) * A + s * I)),
    ),
    equal(
        log(Normal(X, mu, S) * Normal(X, nu, T)),
        log(Normal(mu, nu, S + T))
        + log(
            Normal(
                X,
                inverse(inverse(S) + inverse(T)) * (inverse(S) * mu + inverse(T) * nu),
                inverse(inverse(S) + inverse(T)),
            )
        ),
    ),
    equal(diff(log(Normal(X, mu, S)), X), -inverse(S) * (X - mu)),
    equal(
        E(Normal(X, mu, S), diff(log(Normal(X, mu, S)), X) * tr(diff(log(Normal(X, mu, S)), X))),
        inverse(S),
    ),
    equal(E(Normal(X, mu, S), f(X) * (X - mu)), S * E(Normal(X, mu, S), diff(f(X), X))),
    equal(E(Normal(X, 0, I), dot(X, mu) * f(X)), dot(mu, E(Normal(X, 0, I), diff(f(X), X)))),
    equal(E(P(X), norm2(X)), E(P(X), dot(X, X))),
    equal(integral(P(X), X), 1),
    equal(E(P(X), A * X + b), A * E(P(X), X) + b),
    equal(
        E(P(X), A * (X - E(P(X), X)) * tr(A * (X - E(P(X), X)))),
        A * (E(P(X), X * tr(X)) - E(P(X), X) * tr(E(P(X), X))) * tr(A),
    ),
    equal(E(P(X), tr(X) * A * X), trace(A * E(P(X), X * tr(X)))),
    equal(E(P(X), norm2(X - mu)), E(P(X), norm2(X - E(P(X), X))) + norm2(E(P(X), X) - mu)),
    equal(KL(P2(X), Normal(X, mu, S)), -H(P2(X)) - E(P2(X), log(Normal(X, mu, S)))),
    equal(E(P2(X), dot(diff(log(P2(X)), X), mu)), 0),
    equal(
        Normal(z, 0, I2) * Normal(X, W * z + mu, s * I),
        Normal(X, mu, W * tr(W) + s * I)
        * Normal(
            z, inverse(tr(W) * W + s * I2) * tr(W) * (X - mu), s * inverse(tr(W) * W + s * I2)
        ),
    ),
    equal(
        Normal(z1, 0, I1) * Normal(X, W1 * z1 + mu, s * I),
        Normal(X, mu, W1 * tr(W1) + s * I)
        * Normal(
            z1, inverse(tr(W1) * W1 + s * I1) * tr(W1) * (X - mu), s * inverse(tr(W1) * W1 + s * I1)
        ),
    ),
    equal(
        integral(Normal(X, mu, S) * Normal(y, A * X + b, T), X),
        Normal(y, A * mu + b, A * S * tr(A) + T),
    ),
    equal(E(Normal(X, mu, S), Normal(y, X, T)), Normal(y, mu, S + T)),
    equal(integral(Normal(X, mu, S) * Normal(X, nu, T), X), Normal(mu, nu, S + T)),
    equal(integral(Normal(X, 0, I) * Normal(y, A * X, s * I), X), Normal(y, 0, A * tr(A) + s * I)),
    equal(
        integral(Normal(z, 0, I2) * Normal(X, W * z + mu, s * I), z),
        Normal(X, mu, W * tr(W) + s * I),
    ),
    equal(E(P2(X), E(Normal(x1, X, s * I), norm2(diff(log(Normal(x1, X, s * I)), x1)))), dd / s),
    equal(
        E(Normal(z, 0, I2), E(Normal(X, W * z + mu, s * I), (X - mu) * tr(X - mu))),
        W * tr(W) + s * I,
    ),
    equal(E(P2(X), dot(diff(log(P2(X)), X), X)), -dd),
    equal(integral(-Normal(X, mu, S) * Normal(y, X, T), X), -Normal(y, mu, S + T)),
    equal(E(Normal(X, mu, S), norm2(diff(log(Normal(X, mu, S)), mu))), trace(inverse(S))),
    equal(E(P2(X), E(Normal(x1, X, S), norm2(diff(log(Normal(x1, X, S)), X)))), trace(inverse(S))),
    # what an observation leaves of a covariance
    equal(
        S - S * tr(A) * inverse(A * S * tr(A) + T) * A * S,
        inverse(inverse(S) + tr(A) * inverse(T) * A),
    ),
    equal(
        Normal(X, mu, S - S * inverse(S + T) * S), Normal(X, mu, inverse(inverse(S) + inverse(T)))
    ),
    # what a student types of regression, of moments and of generating functions
    equal(
        norm2(b - A * mu) + s * norm2(mu),
        norm2(b) - 2 * tr(mu) * tr(A) * b + tr(mu) * (tr(A) * A + s * I) * mu,
    ),
    equal(
        tr(mu) * S * mu - 2 * tr(b) * mu,
        tr(mu - inverse(S) * b) * S * (mu - inverse(S) * b) - tr(b) * inverse(S) * b,
    ),
    equal(diff(norm2(A * X - b), X), 2 * tr(A) * (A * X - b)),
    equal(E(Normal(X, 0, I), norm2(X) ** 2), dd**2 + 2 * dd),
    equal(E(Normal(X, mu, S), exp(tr(b) * X)), exp(tr(b) * mu + half * tr(b) * S * b)),
    equal(E(Normal(X, 0, S * S * S), X * tr(X)), S**3),
    equal(E(Normal(X, mu, inverse(L) * M), norm2(X)), trace(inverse(L) * M) + norm2(mu)),
    equal(log(Normal(X, 0, S * T * S)), log(Normal(inverse(S) * X, 0, T)) - log(det(S))),
    equal(E(Normal(X, 0, I), norm2(mu + S * X - nu - T * X)), norm2(mu - nu) + trace((S - T) ** 2)),
]
FALSE = [
    equal(integral(-Normal(X, mu, S) * Normal(y, X, T), X), Normal(y, mu, S + T)),
    equal(E(Normal(X, mu, S), -Normal(y, X, T)), Normal(y, mu, S + T)),
    # what was moved by a letter is held where one differentiates by it
    equal(E(Normal(X, mu, S), norm2(diff(log(Normal(X, mu, S)), mu))), 0),
    equal(E(P2(X), E(Normal(x1, X, S), norm2(diff(log(Normal(x1, X, S)), X)))), 0),
    equal(log(Normal(X, m, L * L)), log(Normal(inverse(L) * (X - m), 0, I)) - log(det(inverse(L)))),
    equal(
        log(Normal(X, m, L * L)), log(Normal(inverse(L) * (X - m), 0, I)) + 2 * log(det(inverse(L)))
    ),
    equal(log(Normal(X, m, L * L)), log(Normal(L * (X - m), 0, I)) + log(det(inverse(L)))),
    equal(
        log(Normal(X, m, L * M)),
        -half * tr(X - m) * inverse(L) * inverse(M) * (X - m)
        - half * log(det(L))
        + half * log(det(M))
        - half * dd * log(2 * pi),
    ),
    equal(log(Normal(X, mu, S)), -half * tr(X - mu) * S * (X - mu) - half * log(det(2 * pi * S))),
    equal(
        log(Normal(X, mu, S)),
        -half * tr(X - mu) * inverse(S) * (X - mu) - half * log(2 * pi * det(S)),
    ),
    equal(Normal(X, mu, S), exp(-half * tr(X - mu) * inverse(S) * (X - mu)) / det(2 * pi * S)),
    equal(E(Normal(X, mu, S), X * tr(X)), S - mu * tr(mu)),
    equal(E(Normal(X, mu, S), X * tr(X)), S),
    equal(E(Normal(X, mu, S), X), S * mu),
    equal(E(Normal(X, mu, S), A * (X - mu) * tr(A * (X - mu))), tr(A) * S * A),
    equal(E(Normal(X, mu, S), A * (X - mu) * tr(A * (X - mu))), A * S),
    equal(E(Normal(X, mu, S), tr(X) * A * X), trace(A * S) - tr(mu) * A * mu),
    equal(E(Normal(X, mu, S), tr(X) * A * X), trace(A) * trace(S) + tr(mu) * A * mu),
    equal(E(Normal(X, mu, S), tr(X) * A * X), trace(A * inverse(S)) + tr(mu) * A * mu),
    equal(
        KL(Normal(X, mu, S), Normal(X, nu, T)),
        half
        * (
            trace(inverse(S) * T) + tr(nu - mu) * inverse(T) * (nu - mu) - dd + log(det(T) / det(S))
        ),
    ),
    equal(
        KL(Normal(X, mu, S), Normal(X, nu, T)),
        half
        * (
            trace(inverse(T) * S) + tr(nu - mu) * inverse(T) * (nu - mu) - dd + log(det(S) / det(T))
        ),
    ),
    equal(
        KL(Normal(X, mu, S), Normal(X, nu, T)),
        half
        * (
            trace(inverse(T) * S) + tr(nu - mu) * inverse(S) * (nu - mu) - dd + log(det(T) / det(S))
        ),
    ),
    equal(
        KL(Normal(X, mu, S), Normal(X, nu, T)),
        half
        * (trace(inverse(T) * S) + tr(nu - mu) * inverse(T) * (nu - mu) + log(det(T) / det(S))),
    ),
    equal(H(Normal(X, mu, S)), half * log(det(2 * pi * S))),
    equal(H(Normal(X, mu, S)), log(det(2 * pi * S)) + dd / 2),
    equal(log(Normal(A * X, A * mu, A * S * tr(A))), log(Normal(X, mu, S)) + log(absolute(det(A)))),
    equal(log(Normal(A * X, A * mu, A * S * tr(A))), log(Normal(X, mu, S))),
    equal(Normal(A * X, A * mu, A * S * tr(A)), Normal(X, mu, S) / det(A)),
    equal(Normal(Q * X, mu, Q * S * tr(Q)), Normal(X, mu, S)),
    equal(Normal(Q * X, Q * mu, S), Normal(X, mu, S)),
    equal(Normal(Q * X, Q * mu, tr(Q) * S * Q), Normal(X, mu, S)),
    equal(E(Normal(X, mu, S + T), X * tr(X)), S - T + mu * tr(mu)),
    equal(
        E(Normal(X, mu, S), E(Normal(y, A * X + b, T), (y - A * mu - b) * tr(y - A * mu - b))),
        A * S * tr(A) - T,
    ),
    equal(
        E(Normal(X, mu, S), E(Normal(y, A * X + b, T), (y - A * mu - b) * tr(y - A * mu - b))),
        tr(A) * S * A + T,
    ),
    equal(integral(Normal(X, mu, S) * Normal(y, X, T), X), Normal(y, mu, S)),
    equal(integral(Normal(X, mu, S) * Normal(y, X, T), X), Normal(y, mu, T)),
    equal(
        integral(Normal(X, mu, S) * Normal(y, A * X + b, T), X),
        Normal(y, A * mu + b, tr(A) * S * A + T),
    ),
    equal(
        integral(Normal(X, mu, S) * Normal(y, A * X + b, T), X),
        Normal(y, A * mu, A * S * tr(A) + T),
    ),
    equal(
        integral(Normal(X, mu, S) * Normal(y, A * X + b, T), X), Normal(y, A * mu + b, A * S + T)
    ),
    equal(
        integral(Normal(X, mu, S) * Normal(X, nu, T), X),
        Normal(mu, nu, inverse(inverse(S) + inverse(T))),
    ),
    equal(
        Normal(X, 0, I) * Normal(y, A * X, s * I),
        Normal(y, 0, A * tr(A) + s * I)
        * Normal(X, inverse(tr(A) * A + s * I) * A * y, s * inverse(tr(A) * A + s * I)),
    ),
    equal(
        Normal(X, 0, I) * Normal(y, A * X, s * I),
        Normal(y, 0, A * tr(A) + s * I)
        * Normal(X, inverse(tr(A) * A + s * I) * tr(A) * y, inverse(tr(A) * A + s * I)),
    ),
    equal(diff(log(Normal(X, mu, S)), X), inverse(S) * (X - mu)),
    equal(diff(log(Normal(X, mu, S)), X), -S * (X - mu)),
    equal(
        E(Normal(X, mu, S), diff(log(Normal(X, mu, S)), X) * tr(diff(log(Normal(X, mu, S)), X))), S
    ),
    equal(E(Normal(X, mu, S), f(X) * (X - mu)), E(Normal(X, mu, S), diff(f(X), X))),
    equal(E(Normal(X, mu, S), f(X) * (X - mu)), -S * E(Normal(X, mu, S), diff(f(X), X))),
    equal(E(Normal(X, mu, S), f(X) * (X - mu)), inverse(S) * E(Normal(X, mu, S), diff(f(X), X))),
    equal(E(Normal(X, mu, S), f(X) * X), S * E(Normal(X, mu, S), diff(f(X), X))),
    equal(E(P(X), norm2(X)), norm2(E(P(X), X))),
    equal(E(P(X), A * X + b), tr(A) * E(P(X), X) + b),
    equal(
        E(P(X), A * (X - E(P(X), X)) * tr(A * (X - E(P(X), X)))),
        A * (E(P(X), X * tr(X)) + E(P(X), X) * tr(E(P(X), X))) * tr(A),
    ),
    equal(E(P(X), tr(X) * A * X), trace(A) * E(P(X), norm2(X))),
    equal(E(P(X), norm2(X - mu)), E(P(X), norm2(X - E(P(X), X))) - norm2(E(P(X), X) - mu)),
    equal(E(P2(X), dot(diff(log(P2(X)), X), X)), 0),
    equal(E(P2(X), dot(diff(log(P2(X)), X), X)), dd),
    equal(
        Normal(z, 0, I2) * Normal(X, W * z + mu, s * I),
        Normal(X, mu, W * tr(W) + s * I)
        * Normal(z, inverse(tr(W) * W + s * I2) * tr(W) * (X - mu), inverse(tr(W) * W + s * I2)),
    ),
    equal(
        E(Normal(z, 0, I2), E(Normal(X, W * z + mu, s * I), (X - mu) * tr(X - mu))),
        W * tr(W) - s * I,
    ),
    equal(E(P2(X), E(Normal(x1, X, s * I), norm2(diff(log(Normal(x1, X, s * I)), x1)))), dd * s),
]


def on(claim: Claim, *dims: int) -> Claim:
    return Claim(claim.lhs, claim.relation, claim.rhs, claim.given, dims)


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_true(claim: Claim) -> None:
    verdict = judge(on(claim, 1, 2))
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_false(claim: Claim) -> None:
    assert not prove(on(claim, 2)).proved
    assert numeric.compare(on(claim, 2)).verdict == "refuted"


def test_what_is_no_covariance() -> None:
    """Symmetric, singular and negative ones, and products that do not commute."""
    Y = matrices("Y", domain="symmetric")
    G = A * S * tr(A) + T
    complements = (
        S - S * inverse(S) * S,
        S - T * inverse(S + T) * T,
        S - S * inverse(T) * S,
        S - S * inverse(S - T) * S,
        S - 2 * S * inverse(S + T) * S,
        S - S * A * inverse(G) * tr(A) * S,
        S - S * tr(A) * inverse(A * S * tr(A)) * A * S,
    )
    for c in (
        *complements,
        Y,
        A,
        S - T,
        S * T,
        mu * tr(mu),
        W * tr(W),
        -S,
        Q,
        S * Q,
        Q * S,
        tr(A) * S * tr(A),
    ):
        assert not prove(on(equal(log(Normal(X, mu, c)), log(Normal(X, mu, c)) + 0), 2, 3)).proved
