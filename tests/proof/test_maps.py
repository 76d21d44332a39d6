"""Change of variables by declared maps of the line: what a textbook states is proved, and its false
neighbours (no |.|, no slope, the wrong sign, the slope at the wrong place) are refuted."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import numeric, sigmoid
from genmath.proof.check import hypotheses, judge
from genmath.proof.language.binders import infinity
from genmath.proof.language.claims import Claim, equal
from genmath.proof.language.derivation import Derivation, derivation
from genmath.proof.language.notation import (
    KL,
    Density,
    E,
    Function,
    H,
    Normal,
    NotationError,
    absolute,
    diff,
    integral,
    log,
    positives,
    reals,
    variables,
)
from genmath.proof.language.tree import Node
from genmath.proof.report import hypotheses_latex
from genmath.proof.symbolic.judge import prove

x, y = variables("x y")
a, b, c = reals("a b c")
s = positives("s")
p, q = Density("p", x, positive=True), Density("q", x, positive=True)
r = Density("r", x)
f = Function("f", increasing=True)
g = Function("g", decreasing=True)
h = Function("h", invertible=True)
k, w = Function("k"), Function("w", positive=True)
MAPS = {"increasing": f, "decreasing": g, "invertible": h}


def pushed(density: Density, m: Function, at: Any) -> Node:
    """The density of m(x) at a place."""
    return density(m.inverse(at)) * absolute(m.inverse.prime(at))


TRUE = {
    "mass": lambda m: equal(integral(pushed(r, m, y), y), 1),
    "a mean": lambda m: equal(integral(k(y) * pushed(r, m, y), y), E(r(x), k(m(x)))),
    "inverses": lambda m: equal(m(m.inverse(a)) + m.inverse(m(b)), a + b),
    "slope": lambda m: equal(m.inverse.prime(a), 1 / m.prime(m.inverse(a))),
    "second slope": lambda m: equal(
        diff(m.inverse.prime(a), a), diff(1 / m.prime(m.inverse(a)), a)),
    "log-density": lambda m: equal(
        log(pushed(p, m, m(x))), log(p(x)) - log(absolute(m.prime(x)))),
    "KL stays": lambda m: equal(KL(pushed(p, m, y), pushed(q, m, y), over=y), KL(p(x), q(x))),
    "entropy": lambda m: equal(-integral(pushed(p, m, y) * log(pushed(p, m, y)), y),
                               H(p(x)) + E(p(x), log(absolute(m.prime(x))))),
    "two in a row": lambda m: equal(
        integral(r(f.inverse(m.inverse(y))) * absolute(diff(f.inverse(m.inverse(y)), y)), y), 1),
    "log-slopes add": lambda m: equal(
        log(absolute(diff(f(m(x)), x))), log(f.prime(m(x))) + log(absolute(m.prime(x)))),
    "forward": lambda m: equal(integral(r(m(x)) * absolute(m.prime(x)), x), 1),
    "forward, a function": lambda m: equal(
        integral(w(m(x)) * absolute(m.prime(x)), x),
        integral(w(y), y, between=(-infinity, infinity))),
    "the whole line": lambda m: equal(
        integral(x * pushed(r, m, x), x, between=(-infinity, infinity)), E(r(x), m(x))),
}  # fmt: skip

FALSE = {
    "no slope": lambda m: equal(integral(r(m.inverse(y)), y), 1),
    "slope at the wrong place": lambda m: equal(m.inverse.prime(a), 1 / m.prime(a)),
    "slope the wrong way up": lambda m: equal(
        integral(r(m.inverse(y)) * absolute(m.prime(m.inverse(y))), y), 1),
    "wrong sign": lambda m: equal(
        log(pushed(p, m, m(x))), log(p(x)) + log(absolute(m.prime(x)))),
    "entropy stays": lambda m: equal(
        -integral(pushed(p, m, y) * log(pushed(p, m, y)), y), H(p(x))),
    "the other mean": lambda m: equal(
        integral(k(y) * pushed(r, m, y), y), E(r(x), k(m.inverse(x)))),
    "inverse of itself": lambda m: equal(m(m(a)), a),
    "not the inverse of another": lambda m: equal(k(m.inverse(a)), a),
}  # fmt: skip


@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("what", TRUE)
def test_what_a_textbook_states(what: str, kind: str) -> None:
    verdict = judge(TRUE[what](MAPS[kind]))
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str, kind: str) -> None:
    assert judge(FALSE[what](MAPS[kind])).verdict == "refuted"


AFFINE = [
    (equal(integral(r((x - a) / s) / s, x), 1), "proved"),
    (equal(integral(r((x - a) / c) / absolute(c), x), 1), "proved"),
    (equal(integral(x * r((x - a) / s) / s, x), s * E(r(x), x) + a), "proved"),
    (equal(integral(w((x - a) / s) / s, x), integral(w(x), x)), "proved"),
    (equal(integral(w((x - a) / s, b) / s, x), integral(w(x, b), x)), "proved"),
    (equal(integral(r((x - a) / s) * w((x - a) / s, b) / s, x), E(r(x), w(x, b))), "proved"),
    (equal(integral(r((x - a) / c) / c, x), 1), "refuted"),
    (equal(integral(r((x - a) / s), x), 1), "refuted"),
    (equal(integral(r(s * x) / s, x), 1), "refuted"),
    (equal(integral(w((x - a) / s), x), integral(w(x), x)), "refuted"),
    (equal(integral(w((x - a) / s, x) / s, x), integral(w(x, x), x)), "refuted"),
    (equal(integral(r(x**2), x), 1), "refuted"),  # no map of the line
    (equal(integral(r(x**2) * absolute(2 * x), x), 1), "refuted"),  # it takes every value twice
    (equal(integral(x * r((x - a) / s) / s, x), s * E(r(x), x) - a), "refuted"),
]


@pytest.mark.parametrize(("claim", "expected"), AFFINE, ids=[str(c.lhs) for c, _ in AFFINE])
def test_affine_maps(claim: Claim, expected: str) -> None:
    assert judge(claim).verdict == expected


SIGNED = [
    (equal(integral(r(f.inverse(y)) * f.inverse.prime(y), y), 1), "proved"),
    (equal(integral(r(g.inverse(y)) * g.inverse.prime(y), y), -1), "proved"),
    (equal(integral(r(g.inverse(y)) * g.inverse.prime(y), y), 1), "refuted"),
    (equal(integral(r(h.inverse(y)) * h.inverse.prime(y), y), 1), "refuted"),
    (equal(integral(r(h.inverse(y)) * h.inverse.prime(y), y), -1), "refuted"),
    (equal(integral(r(g(x)) * g.prime(x), x), 1), "refuted"),
    (equal(integral(Normal(f(x), a, s) * f.prime(x), x), 1), "proved"),
    (equal(absolute(g.prime(a)), -g.prime(a)), "proved"),
    (equal(absolute(h.prime(a)), h.prime(a)), "refuted"),
    (equal(integral(r(k(x)) * absolute(k.prime(x)), x), 1), "refuted"),  # no map
]


@pytest.mark.parametrize(("claim", "expected"), SIGNED, ids=[str(c.lhs) for c, _ in SIGNED])
def test_the_sign_of_the_slope(claim: Claim, expected: str) -> None:
    assert judge(claim).verdict == expected


def test_that_a_letter_ranges_over_the_line_is_said() -> None:
    substituted = equal(integral(w((x - a) / s) / s, x), integral(w(x), x))
    assert "x ranges over the real line" in judge(substituted).proof.assumed
    forward = equal(integral(w(f(x)) * f.prime(x), x), integral(w(y), y))
    verdict = judge(forward)
    assert verdict.verdict == "open"
    assert "y ranges over the real line" in verdict.reason
    assert "between=(-infinity, infinity)" in verdict.reason


@pytest.mark.parametrize("moved", [w(x + 1), w(2 * x) * 2, w(f(x)) * f.prime(x)], ids=str)
def test_terms_of_a_sum_are_not_substituted_one_by_one(moved: Node) -> None:
    """Of a w that rises from 0 to 1 the integral of w(x + 1) - w(x) is 1."""
    assert not prove(equal(integral(moved - w(x), x), 0)).proved
    assert not prove(equal(integral((moved - w(x)) * integral(Normal(y, 0, 1), y), x), 0)).proved


def test_functions_that_decay_are_no_reason_to_drop_a_boundary_term() -> None:
    assert judge(equal(integral(k.prime(x), x), 0)).verdict == "refuted"


def test_only_maps_have_inverses() -> None:
    with pytest.raises(NotationError, match="increasing=True"):
        _ = k.inverse
    with pytest.raises(NotationError, match="takes one"):
        f(a, b)
    with pytest.raises(NotationError, match="at once"):
        Function("f", increasing=True, convex=True)
    assert f.inverse.inverse == f or f.inverse.inverse.traits == f.traits


def test_a_map_is_a_hypothesis() -> None:
    @derivation("inverse of an inverse")
    def holder(d: Derivation) -> None:
        d.start(f(f.inverse(a)))
        d.equals(a, by="inverse")

    assert list(hypotheses(holder)) == ["increasing f"]
    assert "increasing" in hypotheses_latex(holder)[0]


def test_densities_far_away_do_not_hide_from_a_divergence() -> None:
    claim = equal(KL(pushed(p, g, y), pushed(q, g, y), over=y), KL(p(x), q(x)))
    assert numeric.farther(claim).verdict == "agree"


def test_mass_that_lies_farther_out_than_was_looked_refutes_nothing() -> None:
    """A root of the letter in a logistic law: half of its mean may lie beyond a hundred."""
    below = sigmoid(f.inverse(x))
    u = variables("u", domain="unit")
    mean, by_quantiles = integral(k(x) * diff(below, x), x), integral(k(f(log(u / (1 - u)))), u)
    assert judge(equal(mean, by_quantiles)).verdict != "refuted"
    assert judge(equal(mean, 2 * by_quantiles)).verdict == "refuted"
    assert judge(equal(mean, by_quantiles + 1)).verdict == "refuted"
