"""Named families: what is true of them is proved from their densities, what is false is not, what
does not exist is refuted, and letters stay where they live."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genmath.book import chapter
from genmath.proof import (
    KL,
    Bernoulli,
    Beta,
    Density,
    E,
    Exponential,
    FiniteSet,
    Function,
    Gamma,
    Geometric,
    H,
    Laplace,
    Logistic,
    Normal,
    NotationError,
    Poisson,
    Sequence,
    Student,
    Uniform,
    absolute,
    copies,
    derivation,
    diff,
    digamma,
    equal,
    exp,
    fractions,
    integral,
    latex,
    log,
    log_gamma,
    naturals,
    number,
    pi,
    positives,
    product,
    reals,
    sigmoid,
    softplus,
    sqrt,
    text,
    total,
    variables,
)
from genmath.proof.check import Contradiction, check, judge
from genmath.proof.functions import compile_tree
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.families import FAMILIES
from genmath.proof.language.tree import Family, Node
from genmath.proof.mutate import mutants
from genmath.proof.numeric.judge import compare, make_worlds
from genmath.proof.symbolic.judge import prove
from tests.proof.latex_parser import parse

x, y = variables("x y", domain="positive")
t, theta = variables("t theta", domain="unit")
bit, other = variables("u w", domain="bit")
n, i = variables("n i", domain="count")
z, v = variables("z v")
a, b, c, k, s, lam, r, nu = positives("a b c k s lambda r nu")
mu, m = reals("mu m")
p, q = fractions("p q")
f = Function("f")
Y = FiniteSet("Y")
kind = Y.members("kappa")
share = Function("rho", probability=Y)


def var(law: Node, letter: Node) -> Node:
    return E(law, letter**2) - E(law, letter) ** 2


def true(claim: Claim) -> bool:
    return judge(claim).verdict == "proved"


TRUE: dict[str, Claim] = {
    str(number): equal(left, right)
    for number, (left, right) in enumerate((
        # a half-line
        (integral(lam * exp(-lam * x), x), 1),
        (integral(Exponential(x, lam), x), 1),
        (E(Exponential(x, lam), x), 1 / lam),
        (var(Exponential(x, lam), x), 1 / lam**2),
        (H(Exponential(x, lam)), 1 - log(lam)),
        (KL(Exponential(x, a), Exponential(x, b)), log(a / b) + b / a - 1),
        (integral(Gamma(x, k, lam), x), 1),
        (E(Gamma(x, k, lam), x), k / lam),
        (var(Gamma(x, k, lam), x), k / lam**2),
        (E(Gamma(x, k, lam), log(x)), digamma(k) - log(lam)),
        (H(Gamma(x, k, lam)), k - log(lam) + log_gamma(k) + (1 - k) * digamma(k)),
        (KL(Gamma(x, k, lam), Gamma(x, c, b)),
         (k - c) * digamma(k) - log_gamma(k) + log_gamma(c) + c * (log(lam) - log(b))
         + k * (b - lam) / lam),
        (Gamma(x, 1, lam), Exponential(x, lam)),
        (E(Gamma(x, k + 1, lam), 1 / x), lam / k),
        (KL(Exponential(x, a), Gamma(x, 1, b)), log(a / b) + b / a - 1),
        # memory
        (integral(Exponential(x + s, lam), x), exp(-lam * s)),
        (Exponential(x + s, lam) / integral(Exponential(x + s, lam), x), Exponential(x, lam)),
        # between 0 and 1
        (integral(Beta(t, a, b), t), 1),
        (integral(t * (1 - t), t), number(1) / 6),
        (E(Beta(t, a, b), t), a / (a + b)),
        (var(Beta(t, a, b), t), a * b / ((a + b) ** 2 * (a + b + 1))),
        (E(Beta(t, a, b), log(t)), digamma(a) - digamma(a + b)),
        (E(Beta(t, a, b), log(1 - t)), digamma(b) - digamma(a + b)),
        (H(Beta(t, a, b)), log_gamma(a) + log_gamma(b) - log_gamma(a + b) - (a - 1) * digamma(a)
         - (b - 1) * digamma(b) + (a + b - 2) * digamma(a + b)),
        (KL(Beta(t, a, b), Beta(t, c, s)),
         log_gamma(a + b) - log_gamma(a) - log_gamma(b) - log_gamma(c + s) + log_gamma(c)
         + log_gamma(s) + (a - c) * digamma(a) + (b - s) * digamma(b)
         + (c - a + s - b) * digamma(a + b)),
        (H(Beta(t, 1, 1)), 0),
        # bits and counts
        (integral(Bernoulli(bit, p), bit), 1),
        (E(Bernoulli(bit, p), bit), p),
        (var(Bernoulli(bit, p), bit), p * (1 - p)),
        (H(Bernoulli(bit, p)), -p * log(p) - (1 - p) * log(1 - p)),
        (KL(Bernoulli(bit, p), Bernoulli(bit, q)),
         p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))),
        (-E(Bernoulli(bit, p), log(Bernoulli(bit, q))), -p * log(q) - (1 - p) * log(1 - q)),
        (bit**2, bit),
        (E(Bernoulli(bit, p), f(bit)), p * f(1) + (1 - p) * f(0)),
        (integral(Poisson(n, lam), n), 1),
        (E(Poisson(n, lam), n), lam),
        (E(Poisson(n, lam), n * (n - 1)), lam**2),
        (var(Poisson(n, lam), n), lam),
        (KL(Poisson(n, a), Poisson(n, b)), a * log(a / b) - a + b),
        (E(Poisson(n, lam), exp(m * n)), exp(lam * (exp(m) - 1))),
        (integral(Geometric(n, p), n), 1),
        (E(Geometric(n, p), n), (1 - p) / p),
        (var(Geometric(n, p), n), (1 - p) / p**2),
        (H(Geometric(n, p)), -log(p) - (1 - p) / p * log(1 - p)),
        (KL(Geometric(n, p), Geometric(n, q)),
         log(p / q) + (1 - p) / p * log((1 - p) / (1 - q))),
        # the line
        (integral(Uniform(z, 0, b), z), 1),
        (E(Uniform(z, 0, b), z), b / 2),
        (var(Uniform(z, 0, b), z), b**2 / 12),
        (H(Uniform(z, 0, b)), log(b)),
        (E(Uniform(z, m, m + b), z), m + b / 2),
        (E(Uniform(z, 0, 1), log(z)), -1),
        (KL(Uniform(z, 0, b), Uniform(z, 0, b + c)), log((b + c) / b)),
        (integral(Laplace(z, mu, s), z), 1),
        (E(Laplace(z, mu, s), z), mu),
        (var(Laplace(z, mu, s), z), 2 * s**2),
        (E(Laplace(z, mu, s), absolute(z - mu)), s),
        (H(Laplace(z, mu, s)), 1 + log(2 * s)),
        (KL(Laplace(z, mu, a), Laplace(z, m, b)),
         log(b / a) - 1 + absolute(mu - m) / b + a / b * exp(-absolute(mu - m) / a)),
        (integral(Logistic(z, mu, s), z), 1),
        (E(Logistic(z, mu, s), z), mu),
        (var(Logistic(z, mu, s), z), pi**2 * s**2 / 3),
        (H(Logistic(z, mu, s)), log(s) + 2),
        (Logistic(z, mu, s), diff(sigmoid((z - mu) / s), z)),
        (integral(diff(sigmoid(z), z), z), 1),
        (integral(Student(z, nu, mu, s), z), 1),
        (E(Student(z, nu + 1, mu, s), z), mu),
        (var(Student(z, nu + 2, mu, s), z), s**2 * (nu + 2) / nu),
        (E(Student(z, nu, 0, 1), log(1 + z**2 / nu)), digamma((nu + 1) / 2) - digamma(nu / 2)),
        (Student(z, 1, 0, 1), 1 / (pi * (1 + z**2))),
        (integral(exp(-(z**2) / 2), z), sqrt(2 * pi)),
        # what is learnt from data
        (Bernoulli(bit, theta) * Beta(theta, a, b)
         / integral(Bernoulli(bit, theta) * Beta(theta, a, b), theta),
         Beta(theta, a + bit, b + 1 - bit)),
        (Poisson(n, x) * Gamma(x, k, r) / integral(Poisson(n, x) * Gamma(x, k, r), x),
         Gamma(x, k + n, r + 1)),
        (Exponential(y, x) * Gamma(x, k, r) / integral(Exponential(y, x) * Gamma(x, k, r), x),
         Gamma(x, k + 1, r + y)),
        (Geometric(n, theta) * Beta(theta, a, b)
         / integral(Geometric(n, theta) * Beta(theta, a, b), theta), Beta(theta, a + 1, b + n)),
        (E((Gamma(x, k, r), Poisson(n, x)), n), k / r),
    ))
}  # fmt: skip


@pytest.mark.parametrize("claim", TRUE.values(), ids=[repr(c.lhs) for c in TRUE.values()])
def test_true_of_a_family(claim: Claim) -> None:
    assert true(claim), judge(claim).reason


FALSE = [
    (E(Exponential(x, lam), x), lam),
    (var(Exponential(x, lam), x), 1 / lam),
    (H(Exponential(x, lam)), 1 + log(lam)),
    (KL(Exponential(x, a), Exponential(x, b)), log(b / a) + a / b - 1),
    (E(Gamma(x, k, lam), x), k * lam),
    (E(Gamma(x, k, lam), log(x)), digamma(k) + log(lam)),
    (E(Gamma(x, k, lam), log(x)), log(k / lam)),
    (E(Gamma(x, k, lam), 1 / x), lam / k),
    (integral(Exponential(x - s, lam), x), exp(lam * s)),
    (integral(Exponential(x + s, lam), x), 1),
    (integral(Normal(x, 0, 1), x), 1),  # half of it
    (E(Exponential(x, lam), (x - 1 / lam) ** 3), 0),
    (E(Beta(t, a, b), t), b / (a + b)),
    (var(Beta(t, a, b), t), a * b / ((a + b) ** 2 * (a + b))),
    (E(Beta(t, a, b), 1 / t), (a + b) / a),
    (integral(t, t), 1),
    (E(Bernoulli(bit, p), bit**2), p**2),
    (H(Bernoulli(bit, p)), -p * log(p)),
    (KL(Bernoulli(bit, p), Bernoulli(bit, q)), p * log(p / q)),
    (bit**2, 2 * bit),
    (bit, 1),
    (var(Poisson(n, lam), n), lam**2),
    (E(Poisson(n, lam), n**2), lam),
    (E(Geometric(n, p), n), 1 / p),
    (integral(Poisson(n, lam), n), 1 - exp(-lam)),
    (H(Uniform(z, 0, b)), -log(b)),
    (E(Uniform(z, a, b), z), (b - a) / 2),
    (var(Uniform(z, 0, b), z), b**2 / 3),
    (KL(Uniform(z, 0, b + c), Uniform(z, 0, b)), log(b / (b + c))),  # infinite
    (KL(Uniform(z, 0, b + c), Uniform(z, 0, b)), log((b + c) / b)),
    (KL(Normal(z, 0, 1), Uniform(z, 0, 1)), 0),
    (var(Laplace(z, mu, s), z), s**2),
    (H(Laplace(z, mu, s)), log(2 * s)),
    (KL(Laplace(z, mu, a), Laplace(z, m, b)), log(b / a) - 1 + absolute(mu - m) / b + a / b),
    (var(Logistic(z, mu, s), z), s**2),
    (H(Logistic(z, mu, s)), log(s) + 1),
    (Logistic(z, mu, s), sigmoid((z - mu) / s)),
    (E(Student(z, nu, mu, s), z), mu),  # there is none up to one degree of freedom
    (E(Student(z, 1, mu, s), z), mu),
    (E(Student(z, 1, 0, 1), z), 0),
    (var(Student(z, nu, mu, s), z), s**2 * nu / (nu - 2)),
    (E(Student(z, 2, 0, 1), z**2), 2),
    (var(Student(z, nu + 2, mu, s), z), s**2),
    (Bernoulli(bit, theta) * Beta(theta, a, b)
     / integral(Bernoulli(bit, theta) * Beta(theta, a, b), theta),
     Beta(theta, a + 1 - bit, b + bit)),
    (Poisson(n, x) * Gamma(x, k, r) / integral(Poisson(n, x) * Gamma(x, k, r), x),
     Gamma(x, k + n, r + n)),
    (integral(Beta(t, a - 1, b), t), 1),
    (integral(Gamma(x, k, -lam), x), 1),
    (integral(Beta(t, 0, b), t), 1),
    (integral(Bernoulli(bit, 1 + p), bit), 1),
    (integral(Poisson(n, mu), n), 1),
    (integral(Uniform(z, a, b), z), 1),
    (integral(exp(x), x), -1),
    (integral(exp(-mu * x), x), 1 / mu),
    (integral(1 / (1 + x) ** a, x), 1 / (a - 1)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), FALSE, ids=[repr(left) for left, _ in FALSE])
def test_false_of_a_family(left: Node, right: Any) -> None:
    claim = equal(left, right)
    assert not prove(claim).proved
    assert judge(claim).verdict in ("refuted", "open")


REFUTED = [
    equal(E(Student(z, 1, 0, 1), z), 0),
    equal(E(Student(z, 1, 0, 1), z), E(Student(z, 1, 0, 1), z) + 0),
    equal(E(Student(z, 2, mu, s), z**2), s**2),
    equal(E(Student(z, nu, mu, s), z), mu),
    equal(E(Gamma(x, k / 4, lam), 1 / x), E(Gamma(x, k / 4, lam), 1 / x) + 0),
    equal(KL(Uniform(z, 0, b + c), Uniform(z, 0, b)), log((b + c) / b)),
    equal(KL(Normal(z, 0, 1), Uniform(z, 0, 1)), 1),
    equal(integral(Normal(x, 0, 1), x), 1),
    equal(integral(lam * x, x), lam),
]  # fmt: skip


@pytest.mark.parametrize("claim", REFUTED, ids=[repr(c) for c in REFUTED])
def test_what_does_not_exist_is_refuted(claim: Claim) -> None:
    assert judge(claim).verdict == "refuted"


def test_hypotheses_make_a_moment_exist() -> None:
    def given(claim: Claim, hypothesis: Any) -> Claim:
        return replace(claim, given=(hypothesis,))

    variance = equal(var(Student(z, nu, mu, s), z), s**2 * nu / (nu - 2))
    assert judge(given(variance, nu > 2)).verdict == "proved"
    assert judge(given(variance, nu > 1)).verdict != "proved"
    inverse = equal(E(Gamma(x, k, lam), 1 / x), lam / (k - 1))
    assert judge(given(inverse, k > 1)).verdict == "proved"
    assert judge(inverse).verdict != "proved"
    nested = equal(KL(Uniform(z, 0, a), Uniform(z, 0, b)), log(b / a))
    assert judge(given(nested, b >= a)).verdict == "proved"
    assert judge(given(nested, a >= b)).verdict != "proved"
    ends = equal(E(Uniform(z, m, mu), z), (m + mu) / 2)
    assert judge(given(ends, mu > m)).verdict == "proved"
    assert judge(given(ends, m > mu)).verdict != "proved"


# --- letters stay where they live -------------------------------------------------------------


def test_a_family_wants_a_letter_of_its_own_kind() -> None:
    for make in (lambda: Exponential(z, lam), lambda: Beta(x, a, b), lambda: Laplace(x, 0, 1),
                 lambda: Poisson(bit, lam), lambda: Bernoulli(n, p),
                 lambda: Uniform(t, 0, 1)):  # fmt: skip
        with pytest.raises(NotationError, match=r"is declared .*write variables\("):
            make()
    with pytest.raises(NotationError, match="normal density is one of the line"):
        E(Normal(x, 0, 1), x)
    with pytest.raises(NotationError, match="expected one of real, positive"):
        variables("x", domain="interval")
    with pytest.raises(NotationError, match="is a parameter"):
        E(Exponential(lam, 2), lam)


def test_nothing_of_the_line_is_used_elsewhere() -> None:
    g = Density("g", x, positive=True)
    h = Density("h", z, positive=True)
    for letter, density, holds in ((x, g, False), (z, h, True)):
        vanishing = equal(integral(diff(density(letter), letter), letter), 0)
        assert prove(vanishing).proved == holds  # a density may not be 0 where a half-line ends
        shifted = equal(integral(Normal(letter, 0, 1) * f(letter), letter),
                        integral(Normal(letter - 1, 0, 1) * f(letter - 1), letter))  # fmt: skip
        assert prove(shifted).proved == holds
    assert prove(equal(integral(g(x), x), 1)).proved
    assert judge(equal(integral(g(x), x), 1)).verdict == "proved"
    assert copies(x, 2)[1].domain == "positive"


def test_a_lemma_of_any_measure_is_one_of_a_half_line_and_one_of_the_line_is_not() -> None:
    bound = chapter("divergences").kl_nonnegative
    law = Exponential(x, lam), Exponential(x, mu * mu + 1)
    step = as_claim(KL(*law) >= 0)
    assert prove(step, (bound(*law),)).proved

    h = Density("h", z, positive=True)

    @derivation("A total derivative", takes=h(z))
    def ends(d: Any) -> None:
        d.start(integral(diff(h(z), z), z))
        d.equals(0, by="it vanishes at infinity")

    claim = equal(integral(diff(Exponential(x, lam), x), x), 0)
    found = prove(claim, (ends(Exponential(x, lam)),))
    assert not found.proved


def test_the_largest_entropy_is_that_of_a_family() -> None:
    g = Density("g", x, positive=True)
    gap = equal(KL(g(x), Exponential(x, lam)), -H(g(x)) - log(lam) + lam * E(g(x), x))
    assert judge(gap).verdict == "proved"
    wrong = equal(KL(g(x), Exponential(x, lam)), -H(g(x)) + log(lam) + lam * E(g(x), x))
    assert judge(wrong).verdict == "refuted"
    counts = Density("g", n, positive=True)
    mass = equal(KL(counts(n), Geometric(n, p)),
                 -H(counts(n)) - log(p) - log(1 - p) * E(counts(n), n))  # fmt: skip
    assert judge(mass).verdict == "proved"


def test_a_free_bit_takes_both_its_values() -> None:
    assert judge(equal(Bernoulli(bit, p), bit * p + (1 - bit) * (1 - p))).verdict == "proved"
    assert judge(equal(bit * other * (bit - 1), 0)).verdict == "proved"
    assert judge(equal(bit * other, bit)).verdict == "refuted"
    assert judge(equal(bit * z, z)).verdict == "refuted"


def test_what_is_moved_by_a_parameter_keeps_its_slope_by_it() -> None:
    """x = location + scale t under an expectation, and the location is no part of the integrand."""
    laws = [(Laplace(z, mu, s), mu), (Uniform(z, 0, b), b), (Logistic(z, mu, s), mu)]
    laws.append((Student(z, nu + 1, mu, s), mu))
    for law, letter in laws:
        for factor in (2, 3):
            assert not prove(equal(E(law, diff(z * letter, letter)), factor * letter)).proved
    assert true(equal(E(Laplace(z, mu, s), diff(z * mu, mu)), mu))
    wrong = equal(E(Laplace(z, mu, s), diff(z * mu, mu)), 2 * mu)
    assert judge(wrong).verdict == "refuted"


def test_letters_of_one_another_are_drawn_in_turn() -> None:
    chained = (Laplace(v, z, 1), Laplace(z, mu, 1))
    assert true(equal(E(chained, v), mu))
    assert true(equal(integral(Laplace(v, z, 1) * Laplace(z, mu, 1) * v, v, z), mu))
    for wrong in (
        equal(E(chained, v), z),
        equal(E((Uniform(v, 0, z), Uniform(z, 1, 2)), v), z / 2),
    ):
        assert not prove(wrong).proved
    assert true(equal(E((Uniform(v, 0, z), Uniform(z, 1, 2)), v), number(3) / 4))
    assert true(equal(E(Uniform(z, 0, b), f(z)), E(Uniform(z, 0, 1), f(b * z))))
    assert true(equal(E(Laplace(z, mu, s), f(z)), E(Laplace(z, 0, 1), f(mu + s * z))))


def test_a_bit_of_an_arbitrary_density_is_not_counted() -> None:
    g = Density("g", bit)
    for wrong in (1 + p / (1 - p), 1 / (1 - p), 2):
        assert not prove(equal(integral(g(bit) + p ** (bit + 1), bit), wrong)).proved
    assert (
        judge(equal(integral(g(bit) + p ** (bit + 1), bit), 1 + p / (1 - p))).verdict == "refuted"
    )
    with pytest.raises(NotationError, match="counted"):
        diff(f(bit), bit)
    with pytest.raises(NotationError, match="counted"):
        diff(f(n), n)


# --- likelihood -------------------------------------------------------------------------------

N, j = naturals("N j")
xs, bits = Sequence("x", domain="positive"), Sequence("b", domain="bit")
counts, ys = Sequence("c", domain="count"), Sequence("y")


def over(body: Node) -> Node:
    return total(body, j, 1, N)


LIKELIHOODS = [
    (over(log(Exponential(xs[j], lam))), N * log(lam) - lam * over(xs[j])),
    (over(log(Bernoulli(bits[j], p))), over(bits[j]) * log(p) + (N - over(bits[j])) * log(1 - p)),
    (over(log(Poisson(counts[j], lam))),
     over(counts[j]) * log(lam) - N * lam - over(log_gamma(counts[j] + 1))),
    (over(log(Geometric(counts[j], p))), N * log(p) + over(counts[j]) * log(1 - p)),
    (over(log(Laplace(ys[j], mu, s))), -N * log(2 * s) - over(absolute(ys[j] - mu)) / s),
    (diff(over(log(Exponential(xs[j], lam))), lam), N / lam - over(xs[j])),
    (diff(over(log(Bernoulli(bits[j], p))), p), over(bits[j]) / p - (N - over(bits[j])) / (1 - p)),
    (diff(over(log(Poisson(counts[j], lam))), lam), over(counts[j]) / lam - N),
    (log(Bernoulli(bit, sigmoid(z))), bit * z - softplus(z)),
    (diff(log(Bernoulli(bit, sigmoid(z))), z), bit - sigmoid(z)),
    (E(Exponential(x, lam), diff(log(Exponential(x, lam)), lam) ** 2), 1 / lam**2),
    (E(Poisson(n, lam), diff(log(Poisson(n, lam)), lam) ** 2), 1 / lam),
    (E(Bernoulli(bit, p), diff(log(Bernoulli(bit, p)), p) ** 2), 1 / (p * (1 - p))),
    (product(Exponential(xs[j], lam), j, 1, N), lam**N * exp(-lam * over(xs[j]))),
    (product(Bernoulli(bits[j], p), j, 1, N), p ** over(bits[j]) * (1 - p) ** (N - over(bits[j]))),
    (Bernoulli(1, p), p),
    (Bernoulli(0, p), 1 - p),
    (Poisson(0, lam), exp(-lam)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), LIKELIHOODS, ids=[repr(u) for u, _ in LIKELIHOODS])
def test_likelihoods_and_their_slopes(left: Node, right: Node) -> None:
    assert true(equal(left, right))
    assert not prove(equal(left, 2 * right)).proved
    assert not prove(equal(left, -right)).proved


# --- the table, and what follows from a row ----------------------------------------------------

POINT = {"positive": x, "unit": t, "bit": bit, "count": n, "real": z, "member": kind}
PARAMETER = {"positive": (lam, k), "unit": (p, q), "real": (mu, m)}


def member(name: str) -> Family:
    row = FAMILIES[name]
    found = [PARAMETER[domain][j % 2] for j, domain in enumerate(row.parameters.values())]
    if name == "Uniform":
        found = [mu, mu + lam]
    if name == "Categorical":
        found = [share(kind)]
    made = Family(name, POINT[row.letter_lives], *found)
    assert decode_tree(encode_tree(made)) == made
    return made


@pytest.mark.parametrize("name", FAMILIES)
def test_a_row(name: str) -> None:
    law = member(name)
    letter = law.point
    assert true(equal(integral(law, letter), 1))  # type: ignore[arg-type]
    if name != "Uniform":  # both judges' densities, at a point
        assert true(equal(log(law), FAMILIES[name].log_of(law)))
    data = json.loads(json.dumps(encode_tree(E(law, letter))))
    assert decode_tree(data) == E(law, letter)
    assert text(law).startswith(f"{name}(")
    declared = {"x": x, "t": t, "u": bit, "n": n, "z": z, "lambda": lam, "k": k, "p": p, "q": q,
                "mu": mu, "m": m, "kappa": kind, "Y": Y, "rho": share}  # fmt: skip
    for node in (law, E(law, letter), KL(law, law), H(law), 2 * law * law):
        assert parse(latex(node), declared) == node
    assert {w for w, _ in mutants(equal(law, 1))} >= {"sign", "factor 2"}


def test_the_density_is_a_function_of_numbers() -> None:
    assert math.isclose(
        compile_tree(Exponential(x, lam))(x=2.0, **{"lambda": 3.0}), 3 * math.exp(-6)
    )
    assert compile_tree(Exponential(x, lam))(x=-2.0, **{"lambda": 3.0}) == 0
    flat = compile_tree(Uniform(z, 0, b))
    assert [flat(z=u, b=4.0) for u in (-1.0, 1.0, 5.0)] == [0, 0.25, 0]
    arrays = compile_tree(log(Uniform(z, 0, b)), backend="numpy")
    assert arrays(z=np.array([1.0, 5.0]), b=4.0).tolist() == [-math.log(4), -math.inf]
    whole = compile_tree(Gamma(x, 3, lam))  # log_gamma(3) is one of a plain number
    assert math.isclose(whole(x=2.0, **{"lambda": 1.0}), 2 * math.exp(-2))
    far = compile_tree(log(Gamma(x, k, lam)))(x=900.0, k=2.0, **{"lambda": 1.0})
    assert math.isclose(far, math.log(900) - 900)


def test_parameters_outside_their_domain_are_none() -> None:
    for law in (Exponential(x, -lam), Gamma(x, 0, lam), Beta(t, a, -b), Laplace(z, 0, -s),
                Student(z, -nu, 0, 1), Uniform(z, b, 0), Poisson(n, -lam),
                Bernoulli(bit, 1 + a), Bernoulli(bit, -a)):  # fmt: skip
        whole = equal(integral(law, law.args[0]), 1)  # type: ignore[arg-type]
        assert not prove(whole).proved
        assert judge(whole).verdict != "proved"


# --- random false claims -------------------------------------------------------------------------

SLIPS = 1500


def _random_slips() -> Iterator[tuple[str, Claim]]:
    """Slips of true claims, and slips of those."""
    rng = random.Random(11)
    claims = list(TRUE.values())
    pool = [list(mutants(claim)) for claim in claims]
    for _ in range(SLIPS):
        what, broken = rng.choice(rng.choice(pool))
        if rng.random() < 0.5:
            further = list(mutants(broken))
            more, broken = rng.choice(further)
            what += f", {more}"
        yield what, broken


@pytest.mark.slow
def test_random_slips_are_not_proved() -> None:
    refuted = proved = 0
    for what, claim in _random_slips():
        try:
            outcome = compare(claim)
            shown = prove(claim).proved
        except NotationError:
            continue
        if outcome.verdict == "refuted":
            refuted += 1
            assert not shown or outcome.obligation, (what, claim)
        else:
            proved += shown
    assert refuted > SLIPS // 2
    assert proved > 0


CHANGES: tuple[Callable[[Node], Node], ...] = (
    lambda e: e + 1, lambda e: 2 * e, lambda e: e / 3, lambda e: e**2 + 1, lambda e: e + lam,
    lambda e: e * (1 + a), lambda e: e - b / 7,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_moments_are_false_unless_they_are_true(seed: int) -> None:
    """Random bodies under random members, against values that are off: nothing is proved."""
    rng = random.Random(seed)
    values = [c for c in TRUE.values() if c.lhs != c.rhs]
    refuted = 0
    for _ in range(100):
        claim = rng.choice(values)
        wrong = Claim(claim.lhs, "=", rng.choice(CHANGES)(claim.rhs))
        assert not prove(wrong).proved, wrong
        with_worlds = compare(wrong, worlds=make_worlds(wrong, seed, 3))
        refuted += with_worlds.verdict == "refuted"
    assert refuted > 90


def test_a_derivation_of_a_student() -> None:
    @derivation("The entropy of an exponential")
    def entropy(d: Any) -> None:
        d.start(H(Exponential(x, lam)))
        d.equals(-E(Exponential(x, lam), log(lam) - lam * x), by="the log-density")
        d.equals(1 - log(lam), by="its mean")

    judged = check(entropy, with_mutants=True)
    assert judged.ok, judged.problems
    assert judged.standing.label == "proved"
    assert all(j.mutants and not j.mutants["survived"] for j in judged.steps)


def test_judges_disagree_where_a_row_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """B has densities of its own: a rate taken for a mean in the table sets them against A's."""
    row = FAMILIES["Exponential"]
    wrong = replace(row, log_density=lambda u, rate: -log(rate) - u / rate)
    monkeypatch.setitem(FAMILIES, "Exponential", wrong)
    z_rate = positives("kappa_w")  # nothing of it is remembered
    with pytest.raises(Contradiction):
        judge(equal(E(Exponential(x, z_rate), x), z_rate))
