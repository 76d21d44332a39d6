"""Certificates of sums and products with limits, of powers, and by induction."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import (
    FiniteSet,
    Function,
    Sequence,
    attained,
    diff,
    equal,
    exp,
    fractions,
    induction,
    log,
    naturals,
    number,
    positives,
    product,
    reals,
    sqrt,
    total,
)
from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.shown import shown
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.kernel.claims import claim as read
from genmath.proof.language.claims import as_claim
from tests.proof.alterations import outcome

a, b, v, w = positives("a b v w")
x, y = reals("x y")
m, g = fractions("m g")
n, k, t = naturals("n k t")
z = naturals("z")
f = Sequence("f")
p = Sequence("p", domain="positive")
u = Sequence("u", domain="unit")


def proved(claim: Any, *because: Any) -> tuple[str, ...] | None:
    """What its certificate supposes; None if there is none."""
    try:
        found = outcome(certificate(stated(as_claim(claim), because)))
    except NoProof:
        return None
    assert found is not None
    assert not found.rejected
    return found.supposed


SUMS = [
    (total(f[k], k, 1, n + 1), total(f[k], k, 1, n) + f[n + 1]),
    (total(f[k], k, 1, n + 3) - f[n + 3] - f[n + 2], total(f[k], k, 1, n + 1)),
    (total(f[k], k, 1, 3), f[1] + f[2] + f[3]),
    (total(f[k], k, 1, 0), 0),
    (total(x, k, 1, n), n * x),
    (total(x, k, 0, n), (n + 1) * x),
    (total(1 / (2 * n), k, 1, 2 * n), 1),
    (total((f[k] - x) ** 2, k, 1, n),
     total(f[k] ** 2, k, 1, n) - 2 * x * total(f[k], k, 1, n) + n * x**2),
    (total(u[k] / (1 - u[k]), k, 1, n), total(1 / (1 - u[k]), k, 1, n) - n),
    (log(total(exp(f[k] - x), k, 1, n)), log(total(exp(f[k]), k, 1, n)) - x),
    (product(p[k], k, 1, n + 1), p[n + 1] * product(p[k], k, 1, n)),
    (product(1 - u[k], k, 1, 0), 1),
    (log(product(p[k], k, 1, n)), total(log(p[k]), k, 1, n)),
    (product(exp(f[k]), k, 1, n), exp(total(f[k], k, 1, n))),
    (product(a, k, 1, n), a**n),
    (exp(total(log(p[k]), k, 1, n) / n), product(p[k], k, 1, n) ** (1 / n)),
    (exp(total(log(a), k, 1, n) / n), a),
]  # fmt: skip
POWERS = [
    (a**x * a**y, a ** (x + y)),
    (a ** (x + 2) / a**x, a**2),
    (log(a**x), x * log(a)),
    (a ** (n + 1) - a**n, (a - 1) * a**n),
    (a ** (0 * x), 1),
    (log(a + a * b), log(a) + log(1 + b)),
    (log(1 + b * ((a**x - 1) / b)), x * log(a)),
    (diff(a**x, x), a**x * log(a)),
    (diff(a**x, a), x * a**x / a),
    ((sqrt(a) * b ** (x / 2)) ** 2, a * b**x),
]
BY_INDUCTION = [
    (total(k, k, 1, n), n * (n + 1) / 2),
    (total(k**2, k, 1, n), n * (n + 1) * (2 * n + 1) / 6),
    (total(m ** (k - 1), k, 1, n), (1 - m**n) / (1 - m)),
    (x + total(number(2) ** k, k, 1, n), x - 2 + number(2) ** (n + 1)),
    (total(f[k - 1] - f[k], k, 1, n), f[0] - f[n]),
    (total(f[k], k, 0, n), f[0] + total(f[k], k, 1, n)),
    (total((1 - g) * g ** (n - k) * x, k, 1, n), x * (1 - g**n)),
]


@pytest.mark.parametrize("sides", SUMS + POWERS, ids=str)
def test_sums_and_powers(sides: Any) -> None:
    assert proved(equal(*sides)) == ()
    assert proved(equal(sides[0], sides[1] + 1)) is None
    assert proved(equal(sides[0], 2 * sides[1] + 1)) is None


@pytest.mark.parametrize("sides", BY_INDUCTION, ids=str)
def test_by_induction(sides: Any) -> None:
    claim = equal(*sides)
    assert proved(claim, induction(n)) == ()
    assert proved(equal(sides[0], sides[1] + 1), induction(n)) is None
    assert proved(equal(sides[0], n * sides[1]), induction(n)) is None


FALSE = [
    (total(f[k], k, 1, n), total(f[k], k, 1, n - 1) + f[n + 1]),
    (total(f[k], k, 1, x), total(f[k], k, 1, x - 1) + f[x]),  # what is no whole number
    (total(x, k, 1, n - 2), (n - 2) * x),  # less than none, for n = 1
    (product(f[k], k, 1, n), exp(total(log(f[k]), k, 1, n))),
    (log(product(f[k], k, 1, n)), total(log(f[k]), k, 1, n)),
    (x**y, exp(y * log(x))),
    (log(x**y), y * log(x)),
    (x ** (y + n), x**y * x**n),
    (log(x + x * b), log(x) + log(1 + b)),
    (a**x, a**y),
    (diff(x**y, x), y * x**y / x),
    (total(f[k] / (1 - f[k]), k, 1, n), total(1 / (1 - f[k]), k, 1, n) - n),
]


@pytest.mark.parametrize("sides", FALSE, ids=str)
def test_what_does_not_hold_of_all_numbers_has_no_certificate(sides: Any) -> None:
    assert proved(equal(*sides)) is None
    assert proved(equal(*sides), induction(n)) is None


def test_other_methods_have_no_certificate() -> None:
    with pytest.raises(NoProof, match="method of analysis"):
        stated(as_claim(equal(x, x)), (attained(n, 1),))
    claim = as_claim(total(k, k, 1, n) <= n**2)
    with pytest.raises(NoProof):
        certificate(stated(claim, (induction(n),)))


def test_a_claim_says_which_letters_are_whole_numbers_and_what_sums_are_over() -> None:
    claim = said.claim(stated(as_claim(equal(product(p[k], k, 1, n) * x, z))))
    assert claim["whole"] == ["n", "z"]
    steps = {"takes": [1, 0, 0]}
    assert claim["functions"]["sum"] == steps | {"is": "sum"}
    assert claim["functions"]["prod"] == steps | {"is": "product", "by": "sum"}
    assert "where n, z are whole numbers" in shown(read(claim))
    assert "whole" not in said.claim(stated(as_claim(equal(x, x))))


def test_a_power_is_none_that_the_claim_declares() -> None:
    assert said.claim(stated(as_claim(equal(x**y, x**y))))["functions"] == {}


def test_a_sum_over_a_set_may_be_over_nothing() -> None:
    i, h = FiniteSet("C").members("i"), Function("h")
    of_set = equal(log(total(exp(h(i) - x), i)), log(total(exp(h(i)), i)) - x)
    assert proved(of_set) == ("sum is over more than nothing",)
