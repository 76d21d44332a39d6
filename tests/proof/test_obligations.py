"""What analysis must supply is named, and broken where it fails: then the step is refuted."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import (
    KL,
    TV,
    Density,
    E,
    Exponential,
    Function,
    Gamma,
    Normal,
    absolute,
    copies,
    derivation,
    equal,
    exp,
    gamma,
    infimum,
    infinity,
    integral,
    limit,
    log,
    naturals,
    number,
    pi,
    positive_part,
    positives,
    reals,
    sigmoid,
    sqrt,
    supremum,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.obligations import at_sight, obligations
from genmath.proof.language.text import text
from genmath.proof.language.tree import Node
from genmath.proof.report import check_derivation
from genmath.proof.symbolic.judge import prove

x, y = variables("x y")
z = variables("z", domain="positive")
a, b = reals("a b")
s, t, rate = positives("s t lambda")
quarter = number(1) / 4
root = ((a - 3) ** 2) ** quarter
half_line = root**2 - (a - 3)
standard = Normal(x, 0, 1)
lorentz = 1 / (pi * (1 + x**2))
u = reals("u")
line = integral(u / (1 + u**2), u, between=(-infinity, infinity))
wild = E((Normal(y, 0, 1), Normal(x, 0, exp(y**2))), x**2)
cauchy = integral(x / (pi * (1 + x**2)), x)
f = Function("f")
p = Density("p", x, given=rate, positive=True)


def shifted(by: Node | int, at: int) -> Node:
    near, far = Normal(y, x + by, 1), Normal(y, x, 1)
    return integral(E(near, sigmoid(y - at)) - E(far, sigmoid(y - at)), x)


BROKEN: dict[str, tuple[Node, Any]] = {
    "integrals exchanged": (shifted(1, 50), 0),
    "integrals exchanged, farther": (shifted(1, 900), 0),
    "integrals exchanged, by a": (shifted(a, 50), 0),
    "integrals exchanged, the other way": (
        integral(E(Normal(y, x, s), absolute(y) / (1 + y**2)), x)
        - integral(E(Normal(y, x + 1, s), absolute(y) / (1 + y**2)), x), 0),
    "infinity minus infinity": (E(standard, exp(x**2) + 1) - E(standard, exp(x**2)), 1),
    "infinity over infinity": (E(standard, 2 * exp(x**2)) / E(standard, exp(x**2)), 2),
    "a mean of Cauchy": (cauchy - cauchy, 0),
    "a second moment of Cauchy": (
        integral(x**2 / (1 + x**2), x) - integral(x**2 / (1 + x**2), x) + 1, 1),
    "just too much": (E(standard, exp(x**2 / 2)) - E(standard, exp(x**2 / 2)), 0),
    "too much for some": (E(standard, exp(s * x**2)) - E(standard, exp(s * x**2)) + 1, 1),
    "a constant": (integral(exp(x - x), x) - integral(exp(x - x), x), 0),
    "an exponential": (integral(exp(a * x), x) / integral(exp(a * x), x), 1),
    "between limits": (integral(u, u, between=(0, infinity))
                       - integral(u, u, between=(0, infinity)), 0),
    "between limits, split": (integral(u + 1, u, between=(0, infinity))
                              - integral(u, u, between=(0, infinity))
                              - integral(u**0, u, between=(0, infinity)) + 1, 1),
    "a mean of Cauchy, between limits": (line - line, 0),
    "a divergence": (KL(lorentz, standard, over=x) + 1 - KL(lorentz, standard, over=x), 1),
    "a divergence from what falls too fast": (
        KL(standard, exp(-exp(x**2)), over=x) - KL(standard, exp(-exp(x**2)), over=x), 0),
    "a total variation": (TV(x**2 * lorentz, lorentz, over=x)
                          - TV(lorentz, x**2 * lorentz, over=x), 0),
    "a variance that is too wild": (wild - wild, 0),
    "a mean that is too wild": (
        E((Normal(y, 0, 1), Normal(x, exp(y**2), 1)), x + 1)
        - E((Normal(y, 0, 1), Normal(x, exp(y**2), 1)), x), 1),
    "over a density that falls fast": (
        E(Normal(x, 0, 4), 1 / standard) - E(Normal(x, 0, 4), 1 / standard), 0),
    "over a density of any width": (
        E(standard, 1 / Normal(x, 0, s)) - E(standard, 1 / Normal(x, 0, s)), 0),
    "too much for large letters": (
        E(standard, exp(s * x**2 / 40)) - E(standard, exp(s * x**2 / 40)), 0),
    "a product of letters": (
        E((standard, Normal(y, 0, 1)), exp(2 * x * y) + 1)
        - E((standard, Normal(y, 0, 1)), exp(2 * x * y)), 1),
    "beyond all floats": (E(standard, gamma(1 + x**4) + 1) - E(standard, gamma(1 + x**4)), 1),
    "null on a half-line": (half_line / half_line, 1),
    "null on a half-line, twice": (1 / half_line - 1 / half_line, 0),
    "a size and itself": ((absolute(a) + a) / (absolute(a) + a), 1),
    "a positive part": (positive_part(a) / positive_part(a), 1),
    "a root and its base": ((sqrt(a**2) - a) / (sqrt(a**2) - a), 1),
    "two sizes": ((absolute(a + b) - absolute(a) - absolute(b)) ** 0
                  / (absolute(a + b) - absolute(a) - absolute(b)) ** 0
                  * ((absolute(a + b) - absolute(a) - absolute(b))
                     / (absolute(a + b) - absolute(a) - absolute(b))), 1),
}  # fmt: skip
KEPT: dict[str, tuple[Node, Any]] = {
    "a normal integral": (integral(Normal(y, x, 1) * sigmoid(x) * (1 - sigmoid(x)), x, y),
                          integral(sigmoid(x) * (1 - sigmoid(x)), x)),
    "just enough": (E(standard, exp(x**2 / 4)) - E(standard, exp(x**2 / 4)), 0),
    "a heavy tail that converges": (
        integral(1 / (1 + x**2), x) - integral(1 / (1 + x**2), x) + 1, 1),
    "far from where it is drawn": (E(standard, exp(a * x) + 1) - E(standard, exp(a * x)), 1),
    "a moment far out": (E(standard, x**40 * exp(x)), E(standard, exp(x) * x**40)),
    "a tail between limits": (
        integral(1 / (1 + u**2), u, between=(0, infinity))
        - integral(1 / (1 + u**2), u, between=(0, infinity)) + 1, 1),
    "an arbitrary function": (2 * integral(f(a * x), x), integral(2 * f(a * x), x)),
    "an arbitrary energy": (integral(exp(-f(x)), x) / integral(exp(-f(x)), x), 1),
    "an exponential moment": (E(standard, exp(a * x)), exp(a**2 / 2)),
    "singular, and integrated": (
        integral(Normal(y, x, 1) * (sigmoid(y) * (1 - sigmoid(y))), x, y),
        integral(sigmoid(y) * (1 - sigmoid(y)), y)),
    "singular, and zero": (integral(Normal(y, x, 1) * (y - y), x, y), 0),
    "singular, with a variance": (
        integral(Normal(x, y, s) * exp(-(y**4)), x, y), integral(exp(-(y**4)), y)),
    "a scale that is a square": (
        integral(exp(-(s**2) * u), u, between=(0, infinity)), 1 / s**2),
    "a pole that is a square away": (
        integral(1 / (a**2 + 1 + u) ** 2, u, between=(0, infinity)), 1 / (a**2 + 1)),
    "a scale that is a square, over the line": (
        integral(exp(-(s**2) * absolute(x)), x), 2 / s**2),
    "a density that falls little faster": (E(Exponential(z, s + t), exp(s * z)), (s + t) / t),
    "a width that is a square": (integral(1 / (s**4 + x**2), x), pi / s**2),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_refutes(what: str) -> None:
    lhs, rhs = BROKEN[what]
    found = judge(Claim(lhs, "=", number(rhs)))
    assert found.verdict == "refuted"
    assert found.outcome.counterexample


@pytest.mark.parametrize("what", KEPT)
def test_what_holds_is_proved(what: str) -> None:
    lhs, rhs = KEPT[what]
    found = judge(Claim(lhs, "=", rhs if isinstance(rhs, Node) else number(rhs)))
    assert found.verdict == "proved", found.reason


def test_what_no_function_makes_finite_is_open() -> None:
    for e in (exp(x**2) * (1 + f(x) ** 2), exp(x) * exp(f(x) ** 2)):
        found = judge(Claim(integral(e, x) - integral(e, x), "=", number(0)))
        assert found.verdict == "open"
        assert "no world found in which ∫" in found.reason


def test_a_quadrature_that_sees_no_mass_refutes_nothing() -> None:
    for k in (30, 200):
        claim = Claim(E(standard, exp(k * x)), "=", exp(number(k * k) / 2))
        assert judge(claim).verdict != "refuted"


def test_what_a_lemma_takes_for_granted_is_attacked_where_it_is_used() -> None:
    """Neither side of the claim shows the integral: it stands between the lemma's two ends."""
    r = Density("r", x)

    @derivation("through an integral", takes=s)
    def through(d: Derivation) -> None:
        d.start(s)
        d.equals(s + E(standard, exp(x**2 / (2 * s))) - E(standard, exp(x**2 / (2 * s))), by="so")
        d.equals(s * E(r(x), 1), by="back")

    @derivation("at 1/2")
    def at_half(d: Derivation) -> None:
        d.start(number(1) / 2)
        d.equals(number(1) / 2 * E(r(x), 1), by="at 1/2", because=through(number(1) / 2))

    found = judge(at_half.steps[0].claim, at_half.steps[0].because)
    assert not found.proof.lemmas or found.verdict == "refuted"


def test_an_obligation_names_its_integrand_and_its_letters() -> None:
    named = [str(o) for o in obligations((shifted(1, 50),))]
    assert named == [
        "∫ (E[N(y; x + 1, 1)] sigmoid(y - 50)) dx < ∞",
        "∫ (E[N(y; x, 1)] sigmoid(y - 50)) dx < ∞",
    ]
    z, _ = copies(x, 2)
    sides = (E(standard, x**2), E(Density("q", x)(z), 2 * f(z)))
    assert [str(o) for o in obligations(sides)] == ["E[q(x_1)] abs(f(x_1)) < ∞"]


def test_it_is_printed_and_inherited() -> None:
    @derivation("the moment generating function", takes=a)
    def moments(d: Derivation) -> None:
        d.start(E(standard, exp(a * x)))
        d.equals(exp(a**2 / 2), by="complete the square")

    @derivation("at 2")
    def at_two(d: Derivation) -> None:
        d.start(1 + E(standard, exp(2 * x)))
        d.equals(1 + exp(number(4) / 2), by="at a = 2", because=moments(2))

    expected = "E[N(x; 0, 1)] exp(a·x) < ∞"
    assert expected in check_derivation(moments)["assumed"]
    found = check_derivation(at_two)
    assert found["ok"]
    assert "E[N(x; 0, 1)] exp(2·x) < ∞" in found["assumed"]


def test_a_family_means_nothing_outside_its_parameters() -> None:
    assert judge(Claim(integral(p(x | -1), x), "=", number(1))).verdict == "refuted"
    for outside in (a, a - 1, -rate, 1 - rate):
        assert judge(Claim(integral(p(x | outside), x), "=", number(1))).verdict != "proved"
        squared = Claim(log(p(x | outside) ** 2), "=", 2 * log(p(x | outside)))
        assert judge(squared).verdict != "proved"
    for inside in (rate, number(2), rate + t, exp(a), 1 + a**2):
        assert judge(Claim(integral(p(x | inside), x), "=", number(1))).verdict == "proved"
    claim = Claim(integral(p(x | a), x), "=", number(1), (a > 0,))
    assert judge(claim).verdict == "proved"


def test_a_slip_is_refuted_or_it_is_none() -> None:
    @derivation("the second moment")
    def second(d: Derivation) -> None:
        q = Density("q", x)
        d.start(E(q(x), f(x) ** 2))
        d.at_least(0, by="a square")
        d.slip(
            "jensen",
            wrong=E(q(x), f(x) ** 2) >= E(q(x), f(x)) ** 2,
            right=E(q(x), f(x) ** 2) >= 0,
            source="a true bound",
        )

    found = check_derivation(second)
    assert not found["ok"]
    assert "not refuted but proved" in str(found["problems"])


def test_a_density_that_underflows_in_a_denominator_is_no_infinity() -> None:
    """Far out the mixture m is 0 in floats, and m/m is not infinite."""
    channel = Normal(y, s * x, 1)
    r = Density("r", x, positive=True)
    mixture = integral(r(x) * channel, x)
    posterior = r(x) * channel / mixture
    claim = Claim(integral(mixture * integral(x**2 * posterior, x), y), "=", E(r(x), x**2))
    assert judge(claim).verdict == "proved"


@pytest.mark.parametrize(
    "end",
    [
        supremum(exp(u), u), supremum(exp(u**2), u), supremum(exp(exp(u)), u), supremum(exp(-u), u),
        infimum(-exp(u), u), limit(exp(u), u, infinity), limit(exp(1 / s), s, 0),
        supremum(exp(u) / exp(2 * u), u),
    ],
    ids=text,
)  # fmt: skip
def test_what_outgrows_all_floats_has_no_end_either(end: Any) -> None:
    """On the way to 2^29 the exponential leaves them, and no obligation was broken."""
    judged = judge(equal(end - end, 0))
    assert judged.verdict == "refuted"
    assert "has no bound" in judged.reason or "does not exist" in judged.reason


def test_beside_a_limit_nobody_looks_whether_integrals_may_change_places() -> None:
    n = naturals("n")
    f = (x - y) * exp(-absolute(x * y))
    zero = limit(1 / n, n, infinity)
    swapped = equal(zero + integral(integral(f, x), y), integral(integral(f, y), x))
    judged = judge(swapped)
    assert judged.verdict == "open"
    assert "< ∞" in judged.reason
    once = integral(x * Normal(x, 0, 1), x)
    assert judge(equal(zero + once, once)).verdict == "proved"


def test_a_sequence_of_two_values_has_no_limit() -> None:
    """At powers of two alone it is one of them."""
    n = naturals("n")
    swings = limit((-1) ** n, n, infinity)
    for claim in (equal(swings - swings, 0), equal(swings, swings), swings + 1 >= swings):
        assert "does not exist" in judge(as_claim(claim)).reason
    still = limit((-1) ** (2 * n), n, infinity)
    assert judge(equal(still - still, 0)).verdict != "refuted"


@pytest.mark.parametrize(
    "end",
    [
        supremum(exp(10 * u - u**2 / 1000), u), supremum(exp(-(u**2)), u), supremum(-exp(-u), u),
        supremum(exp(u) - exp(2 * u), u), limit(exp(-u), u, infinity),
    ],
    ids=text,
)  # fmt: skip
def test_what_is_large_on_the_way_has_an_end(end: Any) -> None:
    assert judge(equal(end - end, 0)).verdict == "proved"


# --- powers that are no polynomials ---------------------------------------------------------------


@pytest.mark.parametrize("k", ["-2", "-1", "-1/2", "1/2"])
def test_only_whole_powers_from_0_on_are_finite_at_sight(k: str) -> None:
    assert at_sight(E(standard, x**2))
    assert not at_sight(E(standard, x ** number(k)))
    assert not at_sight(E((standard, Normal(y, x ** number(k), 1)), y))


FINITE_OR_NOT = [
    equal(E(Exponential(z, s), a * z**-1), a * E(Exponential(z, s), z**-1)),
    equal(E(Gamma(z, s, t), z**-1) - E(Gamma(z, s, t), z**-1), 0),
]


@pytest.mark.parametrize("claim", FINITE_OR_NOT, ids=repr)
def test_a_mean_of_a_negative_power_is_attacked(claim: Claim) -> None:
    assert prove(claim).proved
    verdict = judge(claim)
    assert verdict.verdict == "refuted"
    assert "is not finite" in verdict.reason
