"""Tangents, Jensen, Cauchy and Schwarz without a certificate. Each guard has a claim beside it that
is false, or not known, without the guard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genmath.proof import (
    Density,
    E,
    Exponential,
    FiniteSet,
    Function,
    Normal,
    Sequence,
    absolute,
    arctan,
    attained,
    dot,
    exp,
    fractions,
    infimum,
    integral,
    log,
    mean_vectors,
    naturals,
    nonnegatives,
    norm2,
    number,
    positives,
    reals,
    sin,
    sqrt,
    supremum,
    total,
    transpose,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import as_claim, equal
from genmath.proof.language.tree import Node, Relation
from genmath.proof.symbolic.means import _sum_to_one

x, z = variables("x z")
w = variables("w", domain="positive")
a, c, m = reals("a c m")
s, t, u = positives("s t u")
r = nonnegatives("r")
theta, D = fractions("theta D")
i, n = naturals("i n")
p, R = Density("p", x), Density("R", x, positive=True)
q, back = Density("q", x, given=z), Density("r", z, given=x)
f, g, h = Function("f"), Function("g"), Function("h", convex=True)
P = Function("P", positive=True)
A, B = Sequence("A"), Sequence("B")
K = FiniteSet("K")
k = K.members("k")
M, V = mean_vectors("M V")


def mean(body: Node) -> Node:
    return E(p(x), body)


TRUE: dict[str, Relation] = {
    "log(1 + s)": log(1 + s) <= s,
    "log from below": log(s) >= 1 - 1 / s,
    "log(1 + s) from below": log(1 + s) >= s / (1 + s),
    "s log s": s * log(s) >= s - 1,
    "a KL of masses": s * log(s / t) - s + t >= 0,
    "the log-sum inequality": s * log(s / t) + u * log(u / t) >= s + u - 2 * t,
    "exp": exp(a) >= 1 + a,
    "exp of a square": exp(a**2) >= 1 + a**2,
    "exp from above": exp(-s) <= 1 / (1 + s),
    "1 - exp": 1 - exp(-s) <= s,
    "sqrt": sqrt(1 + s) <= 1 + s / 2,
    "sin": sin(r) <= r,
    "arctan": arctan(-r) >= -r,
    "the entropy of a bit": -theta * log(theta) - (1 - theta) * log(1 - theta) <= log(number(2)),
    "two bits": theta * log(theta) + (1 - theta) * log(1 - theta)
    >= theta * log(D) + (1 - theta) * log(1 - D),
    "a second moment": mean(f(x) ** 2) >= mean(f(x)) ** 2,
    "a fourth": mean(f(x) ** 4) >= mean(f(x)) ** 4,
    "times s": s * mean(f(x)) ** 2 / t <= s * mean(f(x) ** 2) / t,
    "log of a mean": log(E(R(x), P(x))) >= E(R(x), log(P(x))),
    "exp of a mean": exp(mean(f(x))) <= mean(exp(f(x))),
    "sqrt of a mean": sqrt(mean(P(x))) >= mean(sqrt(P(x))),
    "a convex function": mean(h(f(x))) >= h(mean(f(x))),
    "a normal one": E(Normal(x, m, s), f(x)) ** 2 <= E(Normal(x, m, s), f(x) ** 2),
    "a family": E(Exponential(w, s), f(w)) ** 2 <= E(Exponential(w, s), f(w) ** 2),
    "one after the other": E((p(x), back(z | x)), f(z)) ** 2 <= E((p(x), back(z | x)), f(z) ** 2),
    "Cauchy-Schwarz": mean(f(x) * g(x)) ** 2 <= mean(f(x) ** 2) * mean(g(x) ** 2),
    "of integrals": integral(f(x) * g(x), x) ** 2
    <= integral(f(x) ** 2, x) * integral(g(x) ** 2, x),
    "of sums": total(A[i] * B[i], i, 1, n) ** 2
    <= total(A[i] ** 2, i, 1, n) * total(B[i] ** 2, i, 1, n),
    "the mean of n": total(A[i], i, 1, n) ** 2 <= n * total(A[i] ** 2, i, 1, n),
    "over a set": total(f(k), k) ** 2 <= K.size * total(f(k) ** 2, k),
    "the triangle under a mean": mean(absolute(f(x) + g(x)))
    <= mean(absolute(f(x))) + mean(absolute(g(x))),
    "and of sums": total(absolute(A[i] - B[i]), i, 1, n)
    <= total(absolute(A[i] - a), i, 1, n) + total(absolute(a - B[i]), i, 1, n),
}
FALSE: dict[str, Relation] = {
    "half the tangent of log": log(1 + s) <= s / 2,
    "log, turned": log(s) >= s - 1,
    "the wrong weight": s * log(t / s) - s + t >= 0,
    "the wrong sign of a mass": s * log(s / t) - s - t >= 0,
    "a coefficient of either sign": a * log(s) >= a - a / s,
    "another of a log": a * log(s) <= a * (s - 1),
    "log|a|": log(a**2) <= a - 1,
    "exp, too steep": exp(a) >= 1 + 2 * a,
    "exp of either sign": a * exp(c) >= a * (1 + c),
    "exp from above, too far": exp(s) <= 1 / (1 - s),
    "exp from above, too steep": exp(-s) <= 1 / (1 + 2 * s),
    "minus exp": -s * exp(a) >= -s * (1 + a),
    "sqrt, too low": sqrt(s) <= s / 2,
    "sqrt, turned": sqrt(s) >= (1 + s) / 2,
    "a third": (s + t) / 3 >= sqrt(s * t),
    "sin on the left": sin(a) <= a,
    "sin, turned": sin(s) >= s,
    "half the entropy": -theta * log(theta) - (1 - theta) * log(1 - theta) <= log(number(2)) / 2,
    "two bits, crossed": theta * log(theta) + (1 - theta) * log(1 - theta)
    >= theta * log(1 - D) + (1 - theta) * log(1 - D),
    "a second moment, turned": mean(f(x) ** 2) <= mean(f(x)) ** 2,
    "a third moment": mean(f(x) ** 3) >= mean(f(x)) ** 3,
    "times a": a * mean(f(x)) ** 2 <= a * mean(f(x) ** 2),
    "log, convex": log(E(R(x), P(x))) <= E(R(x), log(P(x))),
    "exp, concave": exp(mean(f(x))) >= mean(exp(f(x))),
    "convex, turned": mean(h(f(x))) <= h(mean(f(x))),
    "no mean": integral(f(x) ** 2, x) >= integral(f(x), x) ** 2,
    "a sum is no mean": total(A[i], i, 1, n) ** 2 <= total(A[i] ** 2, i, 1, n),
    "one less": total(A[i], i, 1, n) ** 2 <= (n - 1) * total(A[i] ** 2, i, 1, n),
    "laws that speak of each other": E((q(x | z), back(z | x)), f(x)) ** 2
    <= E((q(x | z), back(z | x)), f(x) ** 2),
    "one square": mean(f(x) * g(x)) ** 2 <= mean(f(x) ** 2) * mean(g(x)),
    "no square": mean(f(x) * g(x)) <= mean(f(x) ** 2) * mean(g(x) ** 2),
    "the triangle, minus": mean(absolute(f(x) - g(x)))
    <= mean(absolute(f(x))) - mean(absolute(g(x))),
    "under two laws": mean(absolute(f(x) + g(x)))
    <= mean(absolute(f(x))) + E(R(x), absolute(g(x))),
}  # fmt: skip
MAY_STAY_OPEN = {"laws that speak of each other"}


@pytest.mark.parametrize("name", TRUE)
def test_true_is_proved(name: str) -> None:
    found = judge(as_claim(TRUE[name]))
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("name", FALSE)
def test_false_is_not_proved(name: str) -> None:
    found = judge(as_claim(FALSE[name]))
    assert not found.proof.proved
    assert found.verdict == "refuted" or name in MAY_STAY_OPEN, found.reason


def test_of_vectors() -> None:
    inner = as_claim(dot(M, V) ** 2 <= norm2(M) * norm2(V))
    assert judge(replace(inner, dims=(1, 2, 3, 4))).verdict == "proved"
    half = as_claim(dot(M, V) ** 2 <= norm2(M) * norm2(V) / 2)
    assert judge(replace(half, dims=(1, 2, 3))).verdict == "refuted"
    product = as_claim(mean(f(x) * transpose(M) * V) ** 2 <= mean(f(x) ** 2) * norm2(M))
    assert judge(replace(product, dims=(1, 2))).verdict == "refuted"


def test_what_is_a_mean() -> None:
    """Whoever reads a tree refuses these, too; a bound does not rely on it."""
    assert _sum_to_one([p(x), back(z | x)])
    assert _sum_to_one([q(x | z), Normal(z, m, s)])
    assert not _sum_to_one([q(x | z), back(z | x)])
    assert not _sum_to_one([Normal(x, x, s)])
    assert not _sum_to_one([p(x + a)])
    assert not _sum_to_one([p(x) * p(x)])
    law = Normal(x, x, s)
    assert not judge(as_claim(E(law, f(x)) ** 2 <= E(law, f(x) ** 2))).proof.proved


def test_strictly_they_may_touch() -> None:
    assert not judge(as_claim(exp(a) > 1 + a)).proof.proved
    assert not judge(as_claim(log(s) < s - 1)).proof.proved
    assert judge(as_claim(exp(s) > s)).verdict == "proved"


def test_the_bound_of_a_supremum() -> None:
    conjugate = supremum(s * log(t) - t, t)
    shown = judge(equal(conjugate, s * log(s) - s), (attained(t, s),))
    assert shown.verdict == "proved", shown.reason
    assert not judge(equal(conjugate, s * log(s)), (attained(t, s),)).proof.proved
    gan = supremum(s * log(D) + t * log(1 - D), D)
    best = s * log(s / (s + t)) + t * log(t / (s + t))
    shown = judge(equal(gan, best), (attained(D, s / (s + t)),))
    assert shown.verdict == "proved", shown.reason
    assert not judge(equal(gan, s * log(s / (s + t))), (attained(D, s / (s + t)),)).proof.proved
    assert judge(equal(infimum((a - c) ** 2, c), 0), (attained(c, a),)).verdict == "proved"
