"""Integrals that the writer finds: with limits, by named laws, of normal laws that are moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    Bernoulli,
    Density,
    E,
    Function,
    Normal,
    Uniform,
    absolute,
    diff,
    equal,
    exp,
    fractions,
    infinity,
    integral,
    log,
    positives,
    reals,
    sqrt,
    variables,
)
from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.shown import shown
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.kernel.claims import claim as read
from genmath.proof.language.claims import as_claim
from genmath.proof.language.tree import as_node
from tests.proof.alterations import outcome

a, b = reals("a b")
h, s = positives("h s")
u = reals("u")
F = Function("F")


def supposed(claim: Any) -> tuple[str, ...]:
    found = outcome(certificate(stated(as_claim(claim))))
    assert found is not None
    assert not found.rejected
    return tuple(found.supposed)


def unproved(claim: Any) -> bool:
    with pytest.raises(NoProof):
        certificate(stated(as_claim(claim)))
    return True


LIMITS = [
    equal(integral(1 / u, u, between=(s, s + h)), log((s + h) / s)),
    equal(integral(log(u), u, between=(s, s + h)), (s + h) * log(s + h) - s * log(s) - h),
    equal(integral(u / (u + s), u, between=(0, h)), h - s * log((h + s) / s)),
    equal(integral(1 / (u - s) ** 2, u, between=(s + h, s + 2 * h)), 1 / (2 * h)),
    equal(
        integral(exp(u / s) / (1 + exp(u / s)) ** 2 / s, u, between=(a, b)),
        1 / (1 + exp(a / s)) - 1 / (1 + exp(b / s)),
    ),
    equal(integral(u**2, u, between=(a, b)), (b**3 - a**3) / 3),
    equal(integral(a, u, between=(b, a)), a**2 - a * b),
    equal(integral(0 * u, u, between=(a, b)), 0),
    equal(integral(u * exp(-s * u), u, between=(0, h)),
          1 / s**2 - (h / s + 1 / s**2) * exp(-s * h)),
    equal(integral(exp(u) ** 2 * exp(-2 * u), u, between=(0, h)), h),
    equal(integral(F.prime(u), u, between=(a, b)), F(b) - F(a)),
    equal(integral(u * F.prime(2 * u), u, between=(0, h)) * 2
          + integral(F(2 * u), u, between=(0, h)), h * F(2 * h)),
    equal(integral((h - u) * diff(F.prime(a + u), u), u, between=(0, h)),
          F(a + h) - F(a) - h * F.prime(a)),
]  # fmt: skip


@pytest.mark.parametrize("claim", LIMITS, ids=repr)
def test_an_integral_with_limits(claim: Any) -> None:
    assert supposed(claim) in ((), ("Between is linear",))
    assert unproved(replace(as_claim(claim), rhs=as_claim(claim).rhs + 1))
    assert unproved(replace(as_claim(claim), rhs=2 * as_claim(claim).rhs + a))


def test_what_cannot_be_integrated_stays() -> None:
    beside = integral(F(u), u, between=(0, h))
    assert supposed(equal(integral(F(u) + u, u, between=(0, h)), beside + h**2 / 2)) == (
        "Between is linear",
    )
    whole = integral(F(u), u, between=(0, 1))
    assert supposed(equal(integral(2 * F(u), u, between=(0, 1)), 2 * whole))
    assert unproved(equal(whole, F(0) + F(1)))  # it is no sum from 0 to 1
    assert unproved(equal(integral(F(u) * F.prime(u), u, between=(0, h)), F(h) ** 2))
    assert unproved(equal(integral(1 / u, u, between=(0, h)), log(h)))
    assert unproved(equal(integral(exp(-u), u, between=(0, infinity)), 1 - exp(-infinity)))
    assert unproved(equal(integral(exp(a * u), u, between=(0, 1)), (exp(a) - 1) / a))


v, w, x, y = *positives("v w"), *reals("x y")
t, r = fractions("t r")


PRODUCTS = [
    equal(sqrt(v**2 - t * v**2), v * sqrt(1 - t)),
    equal(sqrt(w**4 * v**3), w**2 * v * sqrt(v)),
    equal(sqrt(w**2 - w**2 * (1 - v**2)), w * v),
    equal(sqrt(1 - t - (1 - t) / (1 - r * t) * (1 - r)), sqrt(r) * (1 - t) / sqrt(1 - r * t)),
    equal(sqrt(t - t**2 * (2 - t)), sqrt(t) * (1 - t)),
    equal(exp(x / 2) ** 2, exp(x)),
    equal(exp(3 * x), exp(x) ** 3),
    equal(exp(-log(v) / 2), 1 / sqrt(v)),
    equal(absolute((1 + v) ** 2 * w - w), 2 * v * w + v**2 * w),
    equal(Normal(x, y, (1 - t) ** 2), Normal(x, y, 1 - t * (2 - t))),
]


@pytest.mark.parametrize("claim", PRODUCTS, ids=repr)
def test_sums_as_products_and_roots_of_them(claim: Any) -> None:
    assert supposed(claim) == ()
    assert unproved(replace(as_claim(claim), rhs=as_claim(claim).rhs + 1))
    assert unproved(replace(as_claim(claim), rhs=-as_claim(claim).rhs))


def test_what_may_be_negative_has_no_such_root() -> None:
    z = reals("z")
    assert unproved(equal(sqrt(z**2 - t * z**2), z * sqrt(1 - t)))
    assert unproved(equal(sqrt(x**2 - x**2 * t * 2), absolute(x) * sqrt(1 - 2 * t)))
    assert unproved(equal(sqrt(t**2 * (v - 1) ** 2), t * (v - 1)))


z, n = variables("z n")
f = Function("f")
bits = variables("b1 b2", domain="bit")

BY_LAW = [
    equal(E(Bernoulli(bits[0], t), f(bits[0])), t * f(1) + (1 - t) * f(0)),
    equal(E((Bernoulli(bits[0], t), Bernoulli(bits[1], r)), bits[0] * bits[1]), t * r),
    equal(E(Bernoulli(bits[0], t), log(Bernoulli(bits[0], t))),
          t * log(t) + (1 - t) * log(1 - t)),
    equal(E(Uniform(z, 0, v), z**2), v**2 / 3),
    equal(E(Uniform(z, a, a + v), F.prime(z)) * v, F(a + v) - F(a)),
]  # fmt: skip


@pytest.mark.parametrize("claim", BY_LAW, ids=repr)
def test_an_expectation_is_read_as_its_law_defines_it(claim: Any) -> None:
    assert supposed(claim) == ()
    assert unproved(replace(as_claim(claim), rhs=as_claim(claim).rhs + 1))
    assert unproved(replace(as_claim(claim), rhs=2 * as_claim(claim).rhs))


def test_a_law_of_which_another_speaks_is_left_as_it_is() -> None:
    both = Bernoulli(bits[0], t), Bernoulli(bits[1], (1 + bits[0]) / 3)
    (stated_line,) = shown(read(said.claim(stated(as_claim(equal(E(both, bits[1]), 0))))))[-1:]
    assert stated_line.count("Bernoulli") == 2
    assert unproved(equal(E(both, bits[1]), (1 + bits[0]) / 3))


MOVED = [
    equal(E(Normal(z, 0, 1), f(a + v * z)), E(Normal(n, a, v**2), f(n))),
    equal(E(Normal(z, b, w), f(a + v * z)), E(Normal(z, a + v * b, v**2 * w), f(z))),
    equal(E(Normal(z, 0, 1), z * f(v * z)), E(Normal(n, 0, v**2), n * f(n)) / v),
    equal(E((Normal(z, 0, 1), Normal(n, 0, 1)), f(v * z + w * n)),
          E(Normal(n, 0, v**2 + w**2), f(n))),
    equal(E(Normal(z, 0, v), z * f(z)), v * E(Normal(z, 0, v), f.prime(z))),
]  # fmt: skip


@pytest.mark.parametrize("claim", MOVED, ids=repr)
def test_normal_laws_are_moved(claim: Any) -> None:
    assert "integrals exist, and may be taken in any order" in supposed(claim)
    assert unproved(replace(as_claim(claim), rhs=2 * as_claim(claim).rhs))
    assert unproved(replace(as_claim(claim), rhs=as_claim(claim).rhs + a))


def test_a_density_is_moved() -> None:
    """As its letter is measured in another unit."""
    p = Density("p", z)
    claim = equal(integral(p((n - a) / v) * n, n), v * (v * E(p(z), z) + a))
    assert "a density integrates to one" in supposed(claim)
    assert unproved(replace(as_claim(claim), rhs=as_claim(claim).rhs / v))
    assert unproved(equal(integral(p(b * n), n), 1 / b))


def test_high_moments_of_normal_laws() -> None:
    for claim, false in (
        (equal(E(Normal(z, 0, v), z**6), 15 * v**3), 16 * v**3),
        (equal(E(Normal(z, a, v), z**5), a**5 + 10 * a**3 * v + 15 * a * v**2), a**5),
    ):
        assert supposed(claim)
        assert unproved(replace(as_claim(claim), rhs=as_node(false)))


def test_what_may_be_turned_round_is_not_moved() -> None:
    """By a factor that may be < 0; to another variance; or another function."""
    assert unproved(equal(E(Normal(z, 0, 1), f(a + b * z)), E(Normal(n, a, b**2), f(n))))
    assert unproved(equal(E(Normal(z, 0, 1), f(a + v * z)), E(Normal(n, a, v), f(n))))
    assert unproved(equal(E(Normal(z, 0, 1), f(v * z) * f(z)), E(Normal(n, 0, v**2), f(n) ** 2)))
