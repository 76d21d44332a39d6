"""log|u|: that u is not 0 is an obligation, named, inherited and attacked; no false neighbour of a
true claim about sizes is proved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, equal
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    absolute,
    diff,
    exp,
    log,
    positive_part,
    reals,
    sqrt,
    variables,
)
from genmath.proof.language.tree import Relation
from genmath.proof.symbolic.judge import prove

z, r, s = reals("z r s")
x = variables("x")
p = Density("p", x)
f, h = Function("f"), Function("h")


def size(u: object) -> object:
    return log(absolute(u))  # type: ignore[arg-type]


TRUE = [
    (equal(size(r * s), size(r) + size(s)), {"r ≠ 0", "s ≠ 0"}),
    (equal(size(r / s), size(r) - size(s)), {"r ≠ 0", "s ≠ 0"}),
    (equal(size(r), log(r**2) / 2), {"r ≠ 0"}),
    (equal(log(r**4), 4 * size(r)), {"r ≠ 0"}),
    (equal(exp(size(r) + size(s)), absolute(r * s)), {"r ≠ 0", "s ≠ 0"}),
    (equal(size(1 / r), -size(r)), {"r ≠ 0"}),
    (equal(diff(size(z), z), 1 / z), {"z ≠ 0"}),
    (equal(size(diff(z + r * h(s * z), z)), size(1 + r * s * h.prime(s * z))),
     {"r*s*h'(s*z) + 1 ≠ 0"}),
    (equal(size(diff(f(h(z)), z)), size(f.prime(h(z))) + size(h.prime(z))),
     {"f'(h(z)) ≠ 0", "h'(z) ≠ 0"}),
    (equal(E(p(x), size(x * r)), E(p(x), size(x)) + size(r)), {"r ≠ 0", "x ≠ 0"}),
    (equal(log(1 + r**2), log(1 + r**2) * 1), set()),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "named"), TRUE, ids=[str(c.lhs) for c, _ in TRUE])
def test_true_and_what_is_not_0_is_named(claim: Claim, named: set[str]) -> None:
    verdict = judge(claim)
    assert verdict.verdict == "proved", verdict.reason
    assert {a for a in map(str, verdict.proof.assumed) if a.endswith("≠ 0")} == named


FALSE = [
    equal(size(r + s), size(r) + size(s)),
    equal(size(r), log(r**2)),
    equal(log(r**2), 2 * log(r)),
    equal(log(-r), size(r)),
    equal(exp(2 * size(r)), absolute(r)),
    equal(diff(size(z), z), 1 / absolute(z)),
    equal(size(diff(f(h(z)), z)), size(f.prime(z)) + size(h.prime(z))),
    equal(E(p(x), size(x * r)), E(p(x), size(x)) + absolute(r)),
    equal(size(r - r), size(s - s)),  # of 0
    equal(size(f(z) - f(z)), 0),
    equal(size(positive_part(r)) - size(positive_part(r)), 0),  # of 0 on a half-line
    equal(size(absolute(r) + r) - size(absolute(r) + r), 0),
    equal(size(sqrt(r**2) - r), size(sqrt(r**2) - r) + 0 * r),
]


@pytest.mark.parametrize("claim", FALSE, ids=str)
def test_false_is_refuted(claim: Claim) -> None:
    assert judge(claim).verdict == "refuted"


def test_a_letter_that_is_0_has_no_logarithm() -> None:
    claim = equal(size(r * s), size(r) + size(s))
    assert not prove(replace(claim, given=(Relation(r, "=", r - r),))).proved


def test_a_hypothesis_discharges_the_obligation_and_is_used() -> None:
    apart = (absolute(r) > 0, absolute(s) > 0)
    proof = prove(replace(equal(size(r * s), size(r) + size(s)), given=apart))
    assert proof.proved
    assert set(proof.hypotheses) == set(apart)
    assert not any(str(a).endswith("≠ 0") for a in proof.assumed)
