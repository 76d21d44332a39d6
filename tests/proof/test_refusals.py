"""A refusal names the whole argument as it was typed, and what to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    define,
    equal,
    exp,
    integral,
    log,
    number,
    positives,
    reals,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim

x, z, x_0, x_s, x_t = variables("x z x_0 x_s x_t")
m, b, r = reals("m b r")
a, alpha_ts, sigma_s, sigma_t = positives("a alpha_ts sigma_s sigma_t")
p = Density("p", x, z)
q = Density("q", x)
f = Function("f")
v = define("v", E(q(x), x**2) - E(q(x), x) ** 2)

REFUSED: dict[str, tuple[Callable[[], Claim], str]] = {
    "a product": (
        lambda: equal(log(m * a), log(m) + log(a)),
        "the argument of the logarithm m·a is not known to be > 0, for its factor m; "
        "state it with given_that(... > 0)",
    ),
    "a density": (
        lambda: equal(log(p(x, z)), log(p(z | x)) + log(p(x))),
        "the argument of the logarithm p(x,z) is not known to be > 0; "
        "declare it with Density(..., positive=True)",
    ),
    "what is defined": (
        lambda: equal(log(v), log(v) + 0 * m),
        "the argument of the logarithm v is not known to be > 0; state it with given_that(... > 0)",
    ),
    "a mean below": (
        lambda: equal(E(q(x), f(x + b)) / E(q(x), f(x + b)), number(1)),
        "the denominator E[q(x)] f(x + b) is not known to be > 0; "
        "state it with given_that(... > 0)",
    ),
    "a letter": (
        lambda: equal(Normal(x, 0, m), 0 * b + Normal(x, 0, m)),
        "the variance m is not known to be > 0; "
        "declare it with positives(...), or state it with given_that(...)",
    ),
    "a power": (
        lambda: equal((1 - m) ** r, exp(r * log(1 - m))),
        "the base of the power 1 - m is not known to be > 0; state it with given_that(... > 0)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wanting(what: str) -> None:
    claim, said = REFUSED[what]
    found = judge(claim())
    assert found.verdict == "open"
    assert found.reason == said


def test_a_variance_is_named_whole_even_where_a_world_refutes_it() -> None:
    step = Normal(x_t, alpha_ts * x_s, sigma_t**2 - alpha_ts**2 * sigma_s**2)
    both = integral(step * Normal(x_s, x_0, sigma_s**2), x_s)
    found = judge(equal(both, Normal(x_t, alpha_ts * x_0, sigma_t**2)))
    assert "the variance σ_t^2 - α_ts^2·σ_s^2 is not known to be > 0" in found.reason
