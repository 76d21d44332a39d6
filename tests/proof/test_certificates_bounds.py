"""Certificates of inequalities: which bounds are found, and that false ones are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    KL,
    TV,
    Density,
    E,
    Function,
    absolute,
    equal,
    exp,
    fractions,
    integral,
    log,
    nonnegatives,
    positives,
    reals,
    sqrt,
    variables,
)
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.coq.gaps import Cover
from genmath.proof.coq.monomials import expand
from genmath.proof.coq.terms import add, minus, mul, neg, num, var
from genmath.proof.language.claims import as_claim
from tests.proof.alterations import outcome

a, b, c = positives("a b c")
m = nonnegatives("m")
s, t, u = reals("s t u")
v, w = fractions("v w")
x, y = variables("x y")
p, q = Density("p", x), Density("q", x)
r = Density("r", y)
f, g = Function("f"), Function("g")
convex = Function("h", convex=True)
SIZES = absolute(s - t) + absolute(t - u)
SHARES = [a * p(x) ** 2 / (p(x) + q(x)), a * p(x) * q(x) / (p(x) + q(x))]


def proved(claim: Any, given: tuple[Any, ...] = (), because: tuple[Any, ...] = ()) -> Any:
    return outcome(certificate(stated(replace(as_claim(claim), given=given), because)))


BOUNDS: list[tuple[Any, tuple[Any, ...]]] = [
    (log(1 + a * exp(t)) > 0, ()),
    (log(a / b) >= 0, (a >= b,)),
    (log(a * b) >= 0, (a >= 1 / b,)),
    (exp(m) >= 1, ()),
    (exp(a) > 1, ()),
    (exp(-(a * b)) < 1, ()),
    (exp(-m) <= 1, ()),
    (exp(t) / (1 + exp(t)) > exp(s) / (1 + exp(s)), (t > s,)),
    (exp(t) >= exp(s), (t >= s,)),
    (a / (1 - v) >= a * b / ((1 - v) * b + a), ()),
    (v - v * w > 0, ()),
    (1 - v * w > 0, ()),
    (a + b >= s * (a - b), (s <= 1, s >= -1)),
    (absolute(s - u) <= SIZES, ()),
    (absolute(s) <= a, (s <= a, s >= -a)),
    (log((a + b) / 2) >= (log(a) + log(b)) / 2, ()),
    (a * log(a / b) - a + b >= 0, ()),
    (TV(p(x), q(x)) >= 0, ()),
    (integral((a - x) * (1 - exp(-x)), x, between=(0, a)) >= 0, ()),
    (integral(exp(x), x, between=(0, a)) > 0, ()),
    (integral(f(x) ** 2, x, between=(s, t)) >= 0, (s <= t,)),
    (convex(s) >= convex(t) + convex.prime(t) * (s - t), ()),
    (convex(s) + convex.conjugate(t) >= s * t, ()),
    (log(E(p(x), E(r(y), a * exp(x * y)))) >= log(E(p(x), E(r(y), a * exp(x * y)))), ()),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "given"), BOUNDS, ids=lambda one: str(one)[:60])
def test_a_bound_is_found(claim: Any, given: tuple[Any, ...]) -> None:
    assert not proved(claim, given).rejected


def test_what_differs_from_0_by_its_size() -> None:
    apart = absolute(a * s - b * t) > 0
    assert not proved(equal((a * s - b * t) / (a * s - b * t), 1), (apart,)).rejected
    assert not proved(equal(s / (b * (s - t)) * (s - t), s / b), (absolute(s - t) > 0,)).rejected
    for given in ((), (absolute(s - t) >= 0,), (absolute(s + t) > 0,)):
        with pytest.raises(NoProof):
            proved(equal((s - t) / (s - t), 1), given)


def test_a_line_above_0_where_its_letter_is_not_below() -> None:
    within = (s >= 0, s <= 1)
    assert not proved(s + (1 - s) * v > 0, within).rejected
    for given in ((), within[:1]):
        with pytest.raises(NoProof):
            proved(s + (1 - s) * 2 * a > 0, given)


def test_the_square_of_a_size_and_the_root_of_a_sum() -> None:
    for left, right in ((absolute(s) ** 2, s**2), (sqrt(1 + a / b), sqrt(a + b) / sqrt(b))):
        assert not proved(equal(left, right)).rejected
        with pytest.raises(NoProof):
            proved(equal(left, 2 * right))


WRONG: list[tuple[Any, tuple[Any, ...]]] = [
    (log(a) >= 0, ()),
    (log(a / b) >= 0, (a <= b,)),
    (log(a / b) > 0, (a >= b,)),
    (log(1 + m) > 0, ()),
    (log(1 - v) >= 0, ()),
    (exp(t) >= 1, ()),
    (exp(m) > 1, ()),
    (exp(-m) < 1, ()),
    (exp(a) <= 1, ()),
    (exp(t) > exp(s), (t >= s,)),
    (exp(s) >= exp(t), (t >= s,)),
    (v - v * a > 0, ()),
    (1 - v * a > 0, ()),
    (m * (1 - v) > 0, ()),
    (a + b >= s * (a - b), (s <= 1,)),
    (absolute(s - u) <= absolute(s - t) - absolute(t - u), ()),
    (absolute(s - u) < SIZES, ()),
    (absolute(s) <= a, (s <= a,)),
    (absolute(s) < a, (s <= a, s >= -a)),
    (log((a + b) / 2) >= log(a), ()),
    (log(a + b) >= log(a) + log(b), ()),
    ((log(a) + log(b)) / 2 >= log((a + b) / 2), ()),
    (TV(p(x), q(x)) > 0, ()),
    (integral((a - x) * (1 - exp(-x)), x, between=(0, b)) >= 0, ()),
    (integral(f(x) ** 2, x, between=(s, t)) >= 0, ()),
    (integral(f(x) ** 2, x, between=(s, t)) >= 0, (t <= s,)),
    (integral(exp(x), x, between=(s, t)) > 0, (s <= t,)),
    (f(s) >= f(t) + f.prime(t) * (s - t), ()),
    (convex(s) <= convex(t) + convex.prime(t) * (s - t), ()),
    (convex(s) >= convex(t) + convex.prime(s) * (s - t), ()),
    (convex(s) + convex.conjugate(t) >= s * s, ()),
    (convex(s) >= 0, ()),
]


@pytest.mark.parametrize(("claim", "given"), WRONG, ids=lambda one: str(one)[:60])
def test_what_is_no_bound_has_no_proof(claim: Any, given: tuple[Any, ...]) -> None:
    with pytest.raises(NoProof):
        proved(claim, given)


def test_a_convex_function_is_said_to_be_one() -> None:
    document = certificate(stated(as_claim(convex(s) >= convex(t) + convex.prime(t) * (s - t))))
    assert len(document["claim"]["always"]) == 1
    assert "always" not in certificate(stated(as_claim(f(s) ** 2 >= 0)))["claim"]


def test_jensen_for_two_densities() -> None:
    of = exp(x * y)
    whole = E(p(x), E(r(y), of))
    claim = log(whole) >= E(p(x), E(r(y), log(of)))
    gap = E(p(x), E(r(y), of / whole - 1 - log(of / whole)))
    assert not proved(claim, because=(gap,)).rejected
    with pytest.raises(NoProof):
        proved(log(whole) <= E(p(x), E(r(y), log(of))), because=(gap,))


# --- integrals over the same letters


def test_what_cancels_only_together() -> None:
    parts = [integral(share, x) for share in SHARES]
    whole = a * integral(p(x), x)
    assert not proved(equal(parts[0] + parts[1], whole)).rejected


def test_what_does_not_cancel_is_not_taken_together() -> None:
    parts = [integral(share, x) for share in SHARES]
    whole = a * integral(p(x), x)
    for claim in (equal(parts[0] + parts[1], 2 * whole), equal(parts[0] - parts[1], whole)):
        with pytest.raises(NoProof):
            proved(claim)


def test_squares_about_a_mean() -> None:
    d = p(x) / (p(x) + q(x))
    at_best = s * d + t * (1 - d)

    def loss(guess: Any) -> Any:
        return E(p(x), (guess - s) ** 2) + E(q(x), (guess - t) ** 2)

    gap = E(p(x), (g(x) - at_best) ** 2) + E(q(x), (g(x) - at_best) ** 2)
    assert not proved(loss(g(x)) >= loss(at_best), because=(gap,)).rejected
    for wrong in (2 * gap, E(p(x), (g(x) - at_best) ** 2)):
        with pytest.raises(NoProof):
            proved(loss(g(x)) >= loss(at_best), because=(wrong,))


# --- gaps times factors


def test_gaps_are_found_with_their_factors() -> None:
    h, k = var("h"), var("k")
    gaps = [(h, num(1), True), (num(0), k, True)]
    known = [(gap, expand(minus(gap[1], gap[0])) or {}) for gap in gaps]

    def covered(t: Any) -> Any:
        plain = {h, k}
        return Cover(known, lambda m: all(f in plain and e > 0 for f, e in m))(expand(t) or {})

    found = covered(add(k, neg(mul(h, k))))
    assert found is not None
    assert [(weight, gap) for weight, _, gap in found[0]] == [(1, gaps[0])]
    assert found[1] == {}
    assert covered(add(mul(h, k), neg(k))) is None
    assert covered(neg(num(1))) is None


def test_kl_is_convex() -> None:
    p_2, q_2 = Density("p_2", x), Density("q_2", x)
    mixed, other = v * p(x) + (1 - v) * p_2(x), v * q(x) + (1 - v) * q_2(x)
    parts = [
        (weight, of(x), mixed * by(x) / other)
        for weight, of, by in ((v, p, q), (1 - v, p_2, q_2))
    ]  # fmt: skip
    gap = integral(sum(k * (o * log(o / n) - o + n) for k, o, n in parts), x)
    whole = v * KL(p(x), q(x)) + (1 - v) * KL(p_2(x), q_2(x))
    assert not proved(whole >= KL(mixed, other), because=(gap,)).rejected
