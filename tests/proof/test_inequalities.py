"""The triangle inequality, Cauchy-Schwarz, Jensen; variances that are positive; a stated sign of a
product. False neighbours first."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Sequence,
    absolute,
    copies,
    define,
    equal,
    fractions,
    integral,
    log,
    naturals,
    number,
    reals,
    tangent_gap,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.tree import Node, Relation

x, y = variables("x y")
x1, x2 = copies(x, 2)
P, Q, R = Density("P", x), Density("Q", x), Density("R", x, positive=True)
J = Density("J", x, y, positive=True)
f, g, F = Function("f"), Function("g"), Function("F", convex=True)
a, b, c, m = reals("a b c m")
lam = fractions("lambda")
n, i, k = naturals("n i k")
A, B = Sequence("A"), Sequence("B")
mean = E(P(x), x)
lagrange = E((P(x1), P(x2)), (f(x1) * g(x2) - f(x2) * g(x1)) ** 2) / 2
between = lam * a + (1 - lam) * b
marginal = E(J(x), x**2) - E(J(x), x) ** 2
variance, may_be_0 = E(R(x), x**2) - E(R(x), x) ** 2, E(P(x), x**2) - E(P(x), x) ** 2
centred = define("v", E(R(x), (x - E(R(x), x)) ** 2))

TRUE: dict[str, tuple[Claim | Relation, Node | None]] = {
    "triangle": (absolute(a + b) <= absolute(a) + absolute(b), None),
    "triangle of distances": (absolute(a - c) <= absolute(a - b) + absolute(b - c), None),
    "triangle, reversed": (absolute(absolute(a) - absolute(b)) <= absolute(a - b), None),
    "triangle of a mean": (absolute(E(P(x), f(x))) <= E(P(x), absolute(f(x))), None),
    "triangle of a sum": (absolute(total(A[i], i, 1, n)) <= total(absolute(A[i]), i, 1, n), None),
    "triangle of an integral": (
        absolute(integral(P(x) * f(x) - Q(x) * f(x), x))
        <= integral(absolute(f(x)) * absolute(P(x) - Q(x)), x),
        None,
    ),
    "Cauchy-Schwarz": (
        E(P(x), f(x) * g(x)) ** 2 <= E(P(x), f(x) ** 2) * E(P(x), g(x) ** 2),
        lagrange,
    ),
    "Cauchy-Schwarz of sums": (
        total(A[i] * B[i], i, 1, n) ** 2 <= total(A[i] ** 2, i, 1, n) * total(B[i] ** 2, i, 1, n),
        total(total((A[i] * B[k] - A[k] * B[i]) ** 2, k, 1, n), i, 1, n) / 2,
    ),
    "Jensen": (E(P(x), F(x)) >= F(mean), E(P(x), tangent_gap(F, x, mean))),
    "Jensen of two points": (
        lam * F(a) + (1 - lam) * F(b) >= F(between),
        lam * tangent_gap(F, a, between) + (1 - lam) * tangent_gap(F, b, between),
    ),
    "a variance over itself": (equal(variance / variance, 1), None),
    "of a marginal": (equal(marginal / marginal, 1), None),
    "two forms of a variance": (equal(log(centred), log(variance)), None),
    "a variance stated": (Claim(may_be_0 / may_be_0, "=", number(1), (may_be_0 > 0,)), None),
    "a product stated": (
        Claim(
            log((1 - m) * (1 - b) / 2), "=", log((1 - m) * (1 - b)) - log(number(2)),
            ((1 - m) * (1 - b) > 0,),
        ),
        None,
    ),
}  # fmt: skip
FALSE: dict[str, tuple[Claim | Relation, Node | None]] = {
    "triangle, minus": (absolute(a - b) <= absolute(a) - absolute(b), None),
    "triangle, the other way": (absolute(a + b) >= absolute(a) + absolute(b), None),
    "triangle, one lost": (absolute(a + b + c) <= absolute(a) + absolute(b), None),
    "triangle of a mean, outside": (E(P(x), absolute(f(x))) <= absolute(E(P(x), f(x))), None),
    "triangle, weight of either sign": (
        absolute(a * f(m)) <= a * absolute(f(m)),
        None,
    ),
    "half of it": (absolute(a + b) <= (absolute(a) + absolute(b)) / 2, None),
    "Cauchy-Schwarz without the square": (
        E(P(x), f(x) * g(x)) <= E(P(x), f(x) ** 2) * E(P(x), g(x) ** 2),
        lagrange,
    ),
    "Cauchy-Schwarz, one square": (
        E(P(x), f(x) * g(x)) ** 2 <= E(P(x), f(x) ** 2) * E(P(x), g(x)) ** 2,
        lagrange,
    ),
    "Cauchy-Schwarz reversed": (
        E(P(x), f(x) * g(x)) ** 2 >= E(P(x), f(x) ** 2) * E(P(x), g(x) ** 2),
        lagrange,
    ),
    "Jensen, concave": (E(P(x), F(x)) <= F(mean), E(P(x), tangent_gap(F, x, mean))),
    "Jensen, any function": (E(P(x), f(x)) >= f(mean), E(P(x), f(x) - f(mean))),
    "Jensen, at another point": (E(P(x), F(x)) >= F(a), E(P(x), tangent_gap(F, x, a))),
    "Jensen, weights of sum 2": (
        F(a) + F(b) >= F(a + b),
        tangent_gap(F, a, a + b) + tangent_gap(F, b, a + b),
    ),
    "a variance may be 0": (equal(may_be_0 / may_be_0, 1), None),
    "no variance": (equal(log((E(R(x), x) - E(R(x), x**2)) ** 2), 2 * log(variance)), None),
    "a variance of two densities": (
        equal(log((E(R(x), x**2) - E(P(x), x) ** 2) ** 2),
              2 * log(E(R(x), x**2) - E(P(x), x) ** 2)),
        None,
    ),
    "half a variance": (
        equal(log((variance - E(R(x), x**2) / 2) ** 2), 2 * log(variance - E(R(x), x**2) / 2)),
        None,
    ),
    "a factor of what is stated": (
        Claim(log((1 - m) ** 2), "=", 2 * log(1 - m), ((1 - m) * (1 - b) > 0,)),
        None,
    ),
    "a negative multiple of it": (
        Claim(log(((m - 1) * (1 - b)) ** 2), "=", 2 * log((m - 1) * (1 - b)),
              ((1 - m) * (1 - b) > 0,)),
        None,
    ),
}  # fmt: skip


MAY_STAY_OPEN = {"a variance of two densities", "a factor of what is stated"}


@pytest.mark.parametrize("name", FALSE)
def test_false_is_not_proved(name: str) -> None:
    statement, certificate = FALSE[name]
    found = judge(as_claim(statement), () if certificate is None else (certificate,))
    assert not found.proof.proved
    assert found.verdict == "refuted" or name in MAY_STAY_OPEN, found.reason


@pytest.mark.parametrize("name", TRUE)
def test_true_is_proved(name: str) -> None:
    statement, certificate = TRUE[name]
    found = judge(as_claim(statement), () if certificate is None else (certificate,))
    assert found.verdict == "proved", found.reason


def test_what_a_positive_variance_takes_is_said() -> None:
    found = judge(equal(variance / variance, 1))
    assert "x takes more than one value" in found.proof.assumed
