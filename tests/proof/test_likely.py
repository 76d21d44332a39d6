"""A refuted step names its likely mistake: what both judges agree to with one thing changed."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.cli.reports import why
from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    H,
    Normal,
    Sequence,
    derivation,
    diff,
    equal,
    integral,
    log,
    naturals,
    pi,
    positives,
    product,
    reals,
    sqrt,
    total,
    variables,
)
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.tree import Node
from genmath.proof.likely import likely
from genmath.proof.report import check_derivation

x, y, z = variables("x y z")
m, mu = reals("m mu")
a, s, sigma, al, alb = positives("a s sigma alpha alpha_bar")
k, t, T = naturals("k t T")
beta, gamma = Sequence("beta", domain="unit"), Sequence("gamma", domain="unit")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x, positive=True)
f = Function("f")

KL_NORMAL = KL(Normal(z, mu, sigma**2), Normal(z, 0, 1))
ELBO = E(q(z | x), log(p(x, z)) - log(q(z | x)))
CHAINED = integral(Normal(x, a * z, s**2) * Normal(z, m, sigma**2), z)
NOISED = integral(Normal(x, sqrt(alb) * z, 1) * Normal(z, m, al**2), z)
SCORE = diff(log(Normal(x, m, s**2)), x)
SURVIVAL = log(product(1 - beta[k], k, 1, T))

SLIPS: dict[str, tuple[Node, Node, str]] = {
    "log of the variance": (
        KL_NORMAL,
        (mu**2 + sigma**2 - 1) / 2 - log(sigma**2),
        "σ in place of σ^2",
    ),
    "a sign": (
        KL_NORMAL,
        (mu**2 + sigma**2 + 1) / 2 - log(sigma),
        "- in place of + before 1",
    ),
    "the standard deviation": (
        KL_NORMAL,
        (mu**2 + sigma - 1) / 2 - log(sigma),
        "σ^2 in place of σ",
    ),
    "a term forgotten": (
        KL_NORMAL,
        (sigma**2 - 1) / 2 - log(sigma),
        "the term μ^2 put in",
    ),
    "a half forgotten": (
        KL_NORMAL,
        mu**2 + sigma**2 - 1 - 2 * log(sigma),
        "(μ^2 + σ^2 - 1 - 2·log(σ))/2 in place of this side",
    ),
    "swapped arguments": (
        ELBO,
        log(p(x)) - KL(p(z | x), q(z | x)),
        "KL(q(z|x) ‖ p(z|x)) in place of KL(p(z|x) ‖ q(z|x))",
    ),
    "the gap added": (
        ELBO,
        log(p(x)) + KL(q(z | x), p(z | x)),
        "- in place of + before KL(q(z|x) ‖ p(z|x))",
    ),
    "another density": (
        log(p(x)) - KL(q(z | x), p(z | x)),
        E(q(z | x), log(p(x, z)) - log(p(x | z))),
        "q(z|x) in place of p(x|z)",
    ),
    "a variance scaled by a": (
        CHAINED,
        Normal(x, a * m, s**2 + a * sigma**2),
        "a^2 in place of a",
    ),
    "α for ᾱ": (
        NOISED,
        Normal(x, sqrt(al) * m, 1 + alb * al**2),
        "α\u0304 in place of α",
    ),
    "the score's sign": (SCORE, (x - m) / s**2, "-(x - m)/s^2 in place of this side"),
    "the score's scale": (SCORE, (m - x) / s, "s^2 in place of s"),
    "the entropy's half": (
        H(Normal(x, m, s**2)),
        log(2 * pi * s**2) / 2,
        "the term 0.5 put in",
    ),
    "t for t - 1": (
        beta[t - 1] * (1 - beta[t]) + beta[t],
        1 - (1 - beta[t]) * (1 - beta[t]),
        "β[t - 1] in place of β[t]",
    ),
    "another sequence": (
        product(1 - beta[k], k, 1, T) * (1 - beta[T + 1]),
        product(1 - gamma[k], k, 1, T + 1),
        "β[k] in place of γ[k]",
    ),
    "the last step forgotten": (
        SURVIVAL,
        total(log(1 - beta[k]), k, 1, T - 1),
        "T in place of T - 1",
    ),
    "β for 1 - β": (SURVIVAL, total(log(beta[k]), k, 1, T), "1 - β[k] in place of β[k]"),
    "a term too many": (
        E(p(x), (f(x) - E(p(x), f(x))) ** 2),
        E(p(x), f(x) ** 2) - E(p(x), f(x)) ** 2 - E(p(x), f(x)),
        "the term - E[p(x)] f(x) left out",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named(slip: str) -> None:
    left, right, what = SLIPS[slip]
    found = likely(equal(left, right))
    assert found is not None
    assert found.what == what
    assert found.side == "rhs"
    assert found.claim.lhs == left


def test_what_is_wrong_in_two_places_has_no_name() -> None:
    wrong = (mu**2 + sigma + 1) / 2 - 3 * log(sigma)
    assert likely(equal(KL_NORMAL, wrong)) is None


def test_a_mistake_on_the_left_is_found_last() -> None:
    left, right = KL(Normal(z, mu, sigma), Normal(z, 0, 1)), (mu**2 + sigma**2 - 1) / 2 - log(sigma)
    found = likely(equal(left, right))
    assert found is not None
    assert (found.side, found.what) == ("lhs", "σ^2 in place of σ")


def test_a_bound_the_wrong_way_round() -> None:
    found = likely(Claim(a * s, ">=", (a**2 + s**2) / 2), ((a - s) ** 2 / 2,))
    assert found is not None
    assert found.what == "≤ in place of ≥"


def test_a_bound_that_nothing_supports_is_no_guide() -> None:
    assert likely(Claim(a, ">=", a**2)) is None


def test_so_is_one_that_needs_no_support() -> None:
    found = likely(Claim(log(a), ">=", a))
    assert found is not None
    assert found.what == "≤ in place of ≥"


# --- in a report ----------------------------------------------------------------------------------


def judged(body: Any) -> dict[str, Any]:
    made: Derivation = derivation("judged in a test")(body)
    (step,) = check_derivation(made)["steps"]
    found: dict[str, Any] = step
    return found


def test_the_report_names_it_and_shows_the_side() -> None:
    def slip(d: Any) -> None:
        d.start(SCORE)
        d.equals((m - x) / s, by="the derivative")

    step = judged(slip)
    assert step["verdict"] == "refuted"
    assert step["likely"]["side"] == "rhs"
    assert step["likely"]["rhs_text"] == "(m - x)/s^2"
    assert "proved with s^2 in place of s here: (m - x)/s^2" in list(why(step))


def test_a_true_step_names_nothing() -> None:
    def true(d: Any) -> None:
        d.start(SCORE)
        d.equals((m - x) / s**2, by="the derivative")

    step = judged(true)
    assert step["verdict"] == "proved"
    assert step["likely"] is None


def test_an_open_step_in_which_the_sides_agree_names_nothing() -> None:
    r = Density("r", x, z)

    def unknown(d: Any) -> None:
        d.start(log(r(x, z)))
        d.equals(log(r(x)) + log(r(z | x)), by="Bayes, where r is positive")

    step = judged(unknown)
    assert step["verdict"] == "open"
    assert step["likely"] is None
