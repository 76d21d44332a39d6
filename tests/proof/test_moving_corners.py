"""Means of what has a corner, or a jump, that moves with the letter of a derivative."""

from __future__ import annotations

import pytest

from genmath.proof.check import judge
from genmath.proof.language.claims import equal
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    Normal,
    absolute,
    diff,
    indicator,
    infinity,
    limit,
    naturals,
    positive_part,
    positives,
    reals,
    variables,
)

x = variables("x")
u = variables("u", domain="positive")
a, t = reals("a t")
s = positives("s")
n = naturals("n")
p, q = Density("p", x, positive=True), Density("q", u, positive=True)
f = Function("f")

below, above = E(p(x), indicator(x < t)), E(p(x), indicator(x > t))
distance = E(p(x), absolute(x - t))
tilted = E(p(x), a * positive_part(x - t) + (1 - a) * positive_part(t - x))
SLOPES = {
    "a distance": (diff(distance, t), below - above, above - below),
    "twice": (diff(diff(distance, t), t), 2 * p(t), p(t)),
    "the loss of a quantile": (diff(tilted, t), below - a, below + a),
    "on a half-line": (
        diff(E(q(u), positive_part(u - s)), s),
        -E(q(u), indicator(u > s)),
        E(q(u), indicator(u > s)),
    ),
    "a tail": (diff(above, t), -p(t), p(t)),
    "of a normal law": (diff(E(Normal(x, 0, 1), indicator(x > t)), t), -Normal(t, 0, 1), 0 * t),
    "at a place that stays": (diff(E(p(x), absolute(s * x)), s), E(p(x), absolute(x)), 0 * s),
}


@pytest.mark.parametrize("what", SLOPES)
def test_the_slope_is_that_of_the_integrals_on_both_sides(what: str) -> None:
    slope, value, other = SLOPES[what]
    verdict = judge(equal(slope, value))
    assert verdict.verdict == "proved", verdict.reason
    assert judge(equal(slope, other)).verdict in ("refuted", "open")
    assert not judge(equal(slope, other)).proof.proved


def test_no_corner_is_found_where_a_function_decides() -> None:
    for corner in (f(x) - t, t * x):
        assert not judge(equal(diff(E(p(x), absolute(corner)), t), 0)).proof.proved


def test_terms_whose_limits_are_known_leave_a_limit() -> None:
    whole, rest = limit(f(n) + n / (n + 1), n, infinity), limit(f(n), n, infinity)
    assert judge(equal(whole, rest + 1)).verdict == "proved"
    assert not judge(equal(whole, rest)).proof.proved
    assert not judge(equal(limit(f(n) + n, n, infinity), rest)).proof.proved
