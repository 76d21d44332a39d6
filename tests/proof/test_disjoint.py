"""Densities that are never positive together, and means that are divided by."""

from __future__ import annotations

import pytest

from genmath.proof import (
    JS,
    KL,
    TV,
    Density,
    E,
    Function,
    absolute,
    equal,
    integral,
    log,
    number,
    positive_part,
    reals,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.symbolic.judge import prove

x, y = variables("x y")
p, q, r = Density("p", x), Density("q", x), Density("r", x)
f, T = Function("f"), Function("T")
a = reals("a")
apart = p(x) * q(x) <= 0
log2 = log(number(2))

TRUE = [
    equal(JS(p(x), q(x)), log2),
    equal(KL(p(x), (p(x) + q(x)) / 2), log2),
    equal(E(p(x), log((p(x) + q(x)) / p(x))), 0),
    equal(E(p(x), q(x)), 0),
    equal(integral((p(x) + q(x)) ** 2, x), integral(p(x) ** 2, x) + integral(q(x) ** 2, x)),
    equal(TV(p(x), q(x)), 1),
    equal(integral(absolute(p(x) - 2 * q(x)), x), 3),
    equal(integral(absolute(f(x) * p(x) + q(x)), x), E(p(x), absolute(f(x))) + 1),
    equal(integral(positive_part(p(x) - q(x)), x), 1),
]
FALSE = [
    equal(TV(p(x), q(x)), 2),
    equal(TV(p(x), r(x)), 1),
    equal(integral(absolute(p(x) - 2 * q(x)), x), 2),
    equal(integral(absolute(p(x) - q(x) + r(x)), x), 3),
    equal(integral(absolute(f(x) * p(x) + q(x)), x), E(p(x), f(x)) + 1),
    equal(JS(p(x), q(x)), log2 / 2),
    equal(JS(p(x), r(x)), log2),
    equal(KL(p(x), q(x)), log2),
    equal(integral((p(x) + q(x)) ** 2, x), 1),
    equal(E(p(x), f(x)), 0),
    equal(E(p(x), q(x) / q(x)), 1),
]
m, n = E(p(x), f(x)), E(q(x), T(x))
DIVIDED = [
    equal(m / m, 1),
    equal(m / (2 * m), number(1) / 2),
    equal(a * m / m, a),
    equal(E(p(x), f(x) * n) / n, m),
]
ZERO = [
    equal(m / m, 2),
    equal((m - m) / (m - m), 1),
    equal(E(p(x), x - E(p(x), x)) / E(p(x), x - E(p(x), x)), 1),
    equal(E(p(x), T(y)) / E(p(x), T(y)), 1),
    equal(E(p(x), positive_part(f(x))) / E(p(x), positive_part(f(x))), 1),
    equal(E(p(x), positive_part(-absolute(f(x)))) / E(p(x), positive_part(-absolute(f(x)))), 1),
]


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_one_is_0_where_the_other_is_a_factor(claim: Claim) -> None:
    found = judge(Claim(claim.lhs, "=", claim.rhs, (apart,)))
    assert found.verdict == "proved", found.reason
    assert not prove(claim).proved


@pytest.mark.parametrize("claim", FALSE, ids=repr)
def test_no_more_than_that(claim: Claim) -> None:
    assert judge(Claim(claim.lhs, "=", claim.rhs, (apart,))).verdict == "refuted"


@pytest.mark.parametrize("claim", DIVIDED, ids=repr)
def test_a_mean_that_is_divided_by_is_an_obligation(claim: Claim) -> None:
    found = judge(claim)
    assert found.verdict == "proved", found.reason
    assert any(str(o).endswith("≠ 0") for o in found.proof.assumed)


@pytest.mark.parametrize("claim", ZERO, ids=repr)
def test_what_may_be_0_on_more_is_not_divided_by(claim: Claim) -> None:
    assert judge(claim).verdict != "proved"
