"""Integrals of finite sums: what a textbook states of mixtures is proved, over the members of a set
and over an index; its false neighbours are refuted, and what has no integral term by term is not
proved."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Categorical,
    Density,
    E,
    Exponential,
    FiniteSet,
    Function,
    Normal,
    Sequence,
    diff,
    equal,
    exp,
    integral,
    log,
    log_gap,
    naturals,
    positives,
    sigmoid,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import as_claim
from genmath.proof.language.obligations import obligations
from genmath.proof.language.tree import Node, Symbol

Y = FiniteSet("Y")
i, j, l = Y.members("i j l")
x, y = variables("x y")
r = variables("r", domain="positive")
s, t = positives("s t")
n, k = naturals("n k")
p = Density("p", x)
f, mu, w = Function("f"), Function("mu"), Function("w")
rho, tau = Function("rho", probability=Y), Function("tau", probability=Y)
v, rate = Function("v", positive=True), Function("lambda", positive=True)
a, m = Sequence("a", domain="positive"), Sequence("m")


def at(member: Symbol) -> Node:
    return Normal(x, mu(member), s)


mix = total(rho(i) * at(i), i)
other = total(rho(j) * Normal(x, mu(j), t), j)
widths = total(rho(i) * Normal(x, mu(i), v(i)), i)
mean = total(rho(j) * mu(j), j)
steps = total(a[k] * Normal(x, m[k], s), k, 1, n)
waits = total(rho(i) * Exponential(r, rate(i)), i)

TRUE = {
    "mass": equal(integral(mix, x), 1),
    "mean": equal(integral(x * mix, x), mean),
    "mean, as one of members": equal(integral(x * mix, x), E(Categorical(i, rho(i)), mu(i))),
    "second moment": equal(integral(x**2 * mix, x), total(rho(i) * mu(i) ** 2, i) + s),
    "variance, within and between": equal(
        integral((x - mean) ** 2 * mix, x), s + total(rho(i) * (mu(i) - mean) ** 2, i)),
    "each of its width": equal(
        integral(x**2 * widths, x), total(rho(i) * (mu(i) ** 2 + v(i)), i)),
    "a function": equal(
        integral(f(x) * mix, x), total(rho(i) * E(Normal(x, mu(i), s), f(x)), i)),
    "first a member, then x": equal(
        E((Categorical(i, rho(i)), at(i)), f(x)), integral(f(x) * mix, x)),
    "entropy, term by term": equal(
        integral(mix * log(mix), x), total(rho(j) * E(at(j), log(mix)), j)),
    "noise is added": equal(
        integral(mix * Normal(y, x, t), x), total(rho(i) * Normal(y, mu(i), s + t), i)),
    "the mean of the posterior mean": equal(
        integral(mix * (total(rho(j) * at(j) * mu(j), j) / mix), x), mean),
    "score": equal(s * diff(log(mix), x), total(rho(j) * at(j) * mu(j), j) / mix - x),
    "overlap": equal(
        integral(mix * other, x),
        total(total(rho(i) * rho(j) * Normal(mu(i), mu(j), s + t), i), j)),
    "overlap with itself": equal(
        integral(mix**2, x), total(total(rho(i) * rho(j) * Normal(mu(i), mu(j), 2 * s), j), i)),
    "sums in either order": equal(
        total(total(w(i) * Normal(mu(i), f(j), s), i), j),
        total(total(w(i) * Normal(mu(i), f(j), s), j), i)),
    "over an index": equal(integral(x * steps, x), total(a[k] * m[k], k, 1, n)),
    "a mean over an index": equal(
        E(p(x), total(a[k] * f(x - m[k]), k, 1, n)), total(a[k] * E(p(x), f(x - m[k])), k, 1, n)),
    "waiting times": equal(integral(r * waits, r), total(rho(i) / rate(i), i)),
    "between limits": equal(integral(total(w(i) * x, i), x, between=(0, 1)), total(w(i), i) / 2),
}  # fmt: skip
FALSE = {
    "without weights": equal(integral(total(at(i), i), x), 1),
    "a mean without weights": equal(integral(x * mix, x), total(mu(j), j)),
    "the variance within alone": equal(integral((x - mean) ** 2 * mix, x), s),
    "the variance between alone": equal(
        integral((x - mean) ** 2 * mix, x), total(rho(i) * (mu(i) - mean) ** 2, i)),
    "a letter that is caught": equal(integral(mu(i) * mix, x), mean),
    "one term too many": equal(integral(x * steps, x), total(a[k] * m[k], k, 1, n + 1)),
    "the diagonal of an overlap": equal(
        integral(mix**2, x), total(rho(i) ** 2 * Normal(mu(i), mu(i), 2 * s), i)),
    "sums of another term": equal(
        total(total(w(i) * Normal(mu(i), f(j), s), i), j),
        total(total(w(j) * Normal(mu(i), f(j), s), j), i)),
    "entropy of the members": equal(
        integral(mix * log(mix), x), total(rho(j) * E(at(j), log(at(j))), j)),
    "one rate": equal(integral(r * waits, r), 1 / total(rho(i) * rate(i), i)),
    "moved by less than nothing": equal(
        integral(total(rho(i) * (sigmoid(x + mu(i)) - sigmoid(x)), i), x), 0),
    "moved under a law that is undone": equal(
        E(Normal(x, 0, 1), total(rho(i) * exp(x**2 / 2) * (sigmoid(x + mu(i)) - sigmoid(x)), i)),
        0),
}  # fmt: skip
kl = total(rho(i) * log(rho(i) / tau(i)), i)
ratio = rho(i) / tau(i)
BOUNDS = {
    "KL": (kl >= 0, total(rho(i) * log_gap(tau(i) / rho(i)), i)),
    "KL, as an f-divergence": (kl >= 0, total(tau(i) * (ratio * log(ratio) - ratio + 1), i)),
    "Gibbs": (
        -total(rho(i) * log(tau(i)), i) >= -total(rho(i) * log(rho(i)), i),
        total(rho(i) * log_gap(tau(i) / rho(i)), i)),
    "the entropy is at most that of a uniform law": (
        -total(rho(i) * log(rho(i)), i) <= log(Y.size),
        total(rho(i) * log_gap(1 / (rho(i) * Y.size)), i)),
    "Jensen": (
        log(total(rho(i) * exp(f(i)), i)) >= total(rho(i) * f(i), i),
        total(rho(i) * log_gap(exp(f(i)) / total(rho(j) * exp(f(j)), j)), i)),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_a_finite_sum_is_integrated_term_by_term(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


@pytest.mark.parametrize("what", BOUNDS)
def test_a_gap_of_sums_over_members(what: str) -> None:
    bound, because = BOUNDS[what]
    found = judge(as_claim(bound), (because,))
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize(
    "moved",
    [E(Normal(y, x + 1, 1), sigmoid(y - 50)), E(Normal(y, x + mu(i), 1), sigmoid(y))],
    ids=["by a number", "by a number for each member"],
)
def test_what_has_no_integral_term_by_term_is_not_proved(moved: Node) -> None:
    """The integral of the sum is the mean of the moves."""
    still = E(Normal(y, x, 1), sigmoid(y))
    assert judge(equal(integral(total(rho(i) * (moved - still), i), x), 0)).verdict != "proved"


def test_a_density_integrates_what_sums_to_one_beside_it() -> None:
    split = E(p(x), f(x) ** 2 / (1 + f(x) ** 2))
    assert judge(equal(split, 1 - E(p(x), 1 / (1 + f(x) ** 2)))).verdict == "proved"
    assert judge(equal(split, 2 - E(p(x), 1 / (1 + f(x) ** 2)))).verdict == "refuted"


def test_each_term_has_an_integral_is_stated() -> None:
    (stated,) = map(str, obligations((E(p(x), total(rho(i) * f(x - mu(i)), i)),)))
    assert stated == "E[p(x)] (Σ[i∈Y] abs(ρ(i)·f(x - μ(i)))) < ∞"
