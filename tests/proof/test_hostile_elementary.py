"""Claims about the functions of the table: the true ones that a row suffices for are proved; of
hundreds of false ones, made from them by every slip and by hand, none is."""

from __future__ import annotations

import pytest

from genmath.proof import numeric
from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.notation import (
    E,
    Normal,
    arctan,
    cos,
    diff,
    digamma,
    erf,
    exp,
    gamma,
    log,
    log_gamma,
    naturals,
    nonnegatives,
    number,
    pi,
    positives,
    reals,
    sigmoid,
    sin,
    sqrt,
    tan,
    tanh,
    trigamma,
    variables,
)
from genmath.proof.mutate import mutants, reversed_claim
from genmath.proof.symbolic.judge import prove

x = variables("x")
a, b = reals("a b")
s, t = positives("s t")
k = nonnegatives("k")
n = naturals("n")

EQUALITIES = [
    equal(sin(a) ** 2 + cos(a) ** 2, 1),
    equal(cos(a) ** 4 - sin(a) ** 4, 2 * cos(a) ** 2 - 1),
    equal(diff(sin(a), a), cos(a)),
    equal(diff(cos(2 * a + b), a), -2 * sin(2 * a + b)),
    equal(diff(sin(a) * cos(a), a), 1 - 2 * sin(a) ** 2),
    equal(sin(b - a), -sin(a - b)),
    equal(tan(a), sin(a) / cos(a)),
    equal(diff(tan(a), a), 1 + tan(a) ** 2),
    equal(tanh(a), 2 * sigmoid(2 * a) - 1),
    equal(diff(tanh(a), a), 1 - tanh(a) ** 2),
    equal(diff(arctan(s * a), a), s / (1 + s**2 * a**2)),
    equal(arctan(-a) + arctan(a), 0),
    equal(diff(erf(a), a), 2 / sqrt(pi) * exp(-(a**2))),
    equal(diff(erf(a / s), s), -2 * a / (sqrt(pi) * s**2) * exp(-(a**2) / s**2)),
    equal(gamma(s + 1), s * gamma(s)),
    equal(gamma(s + 3) / gamma(s + 1), (s + 2) * (s + 1)),
    equal(gamma(n + 1) / gamma(n), n),
    equal(gamma(number(5)), 24),
    equal(log_gamma(s + 1), log_gamma(s) + log(s)),
    equal(diff(log_gamma(s), s), digamma(s)),
    equal(diff(gamma(s), s), gamma(s) * digamma(s)),
    equal(digamma(s + 2), digamma(s) + 1 / s + 1 / (s + 1)),
    equal(diff(diff(log_gamma(s), s), s), trigamma(s)),
    equal(trigamma(s + 2), trigamma(s) - 1 / s**2 - 1 / (s + 1) ** 2),
    equal(trigamma(3), pi**2 / 6 - number(5) / 4),
]
AVERAGED = equal(E(Normal(x, a, s**2), sin(x) ** 2 + cos(x) ** 2), 1)
BOUNDS = [
    as_claim(gamma(s) >= 0),
    as_claim(tanh(a) <= 1),
    as_claim(tanh(a) >= -1),
    as_claim(tanh(k) >= 0),
    as_claim(sin(a) <= 1),
    as_claim(cos(a) >= -1),
    as_claim(erf(a) <= 1),
    as_claim(erf(k) >= 0),
    as_claim(erf(s + t) >= erf(s)),
    as_claim(digamma(s + t) >= digamma(s)),
    as_claim(trigamma(s) > 0),
    as_claim(arctan(a) <= pi / 2),
    as_claim(log(2 + sin(a)) >= 0),
]
FALSE = {
    "the sine is even": equal(sin(-a), sin(a)),
    "the cosine is odd": equal(cos(-a), -cos(a)),
    "a period of pi": equal(sin(a + pi), sin(a)),
    "the sine of a sum": equal(sin(a + b), sin(a) + sin(b)),
    "a double angle": equal(sin(2 * a), 2 * sin(a)),
    "sine and cosine": equal(sin(a), cos(a)),
    "the root forgets a sign": equal(sqrt(1 - cos(a) ** 2), sin(a)),
    "the sine of its angle": equal(arctan(tan(2 * a)), 2 * a),
    "a sine is positive": as_claim(sin(9 * s) >= 0),
    "a cosine is positive": as_claim(cos(4 * a) >= 0),
    "3 sin(a) <= 2": as_claim(3 * sin(a) <= 2),
    "2 + 3 sin(a) >= 0": as_claim(2 + 3 * sin(a) >= 0),
    "a sine increases": as_claim(sin(s + t) >= sin(s)),
    "a tangent increases": as_claim(tan(a + s) >= tan(a)),
    "a tangent is bounded": as_claim(tan(a) <= 2),
    "Gamma increases": as_claim(gamma(s + t) >= gamma(s)),
    "Gamma is at least one": as_claim(gamma(s) >= 1),
    "log Gamma is positive": as_claim(log_gamma(s) >= 0),
    "digamma is positive": as_claim(digamma(s) >= 0),
    "digamma is a logarithm": equal(digamma(s), log(s)),
    "Gamma of a product": equal(gamma(s * t), gamma(s) * gamma(t)),
    "Gamma of a double": equal(gamma(2 * s), 2 * gamma(s)),
    "Gamma a step too far": equal(gamma(s + 2), s * (s + 2) * gamma(s)),
    "n factorial": equal(gamma(n + 1), n * gamma(n + 1)),
    "digamma is Gamma's derivative": equal(diff(gamma(s), s), digamma(s)),
    "trigamma": equal(diff(digamma(s), s), 1 / s),
    "trigamma a step too far": equal(trigamma(s + 1), trigamma(s) + 1 / s**2),
    "trigamma is the slope of a logarithm": as_claim(trigamma(s) <= 1 / s),
    "trigamma increases": as_claim(trigamma(s + t) >= trigamma(s)),
    "trigamma's slope": equal(diff(trigamma(s), s), digamma(s)),
    "erf without its constant": equal(diff(erf(a), a), exp(-(a**2))),
    "erf is positive": as_claim(erf(a - 2) >= 0),
    "erf reaches one": as_claim(erf(s) >= 1),
    "tanh reaches one": as_claim(tanh(s) >= 1),
    "tanh is a sigmoid": equal(tanh(a), sigmoid(2 * a)),
    "tanh is an arctangent": equal(tanh(a), arctan(a)),
    "an arctangent is at most one": as_claim(arctan(2 * a) <= 1),
    "the mean of a cosine": equal(E(Normal(x, a, 1), cos(x)), cos(a)),
    "the mean of tanh": equal(E(Normal(x, a, 1), tanh(x)), tanh(a)),
    "Stein without the slope": equal(E(Normal(x, 0, 1), x * sin(x)), E(Normal(x, 0, 1), sin(x))),
}
# Without a value for some arguments, or for all: nothing about them is proved, not even u = u.
MEANINGLESS = {
    "divided by the cosine of pi/2": equal(cos(pi / 2) / cos(pi / 2), 1),
    "the tangent of pi/2": equal(tan(pi / 2), tan(pi / 2)),
    "divided by a sine that is 0": equal(sin(a - a) / sin(a - a), 1),
    "divided by sin^2 + cos^2 - 1": equal(1 / (sin(a) ** 2 + cos(a) ** 2 - 1), 0),
    "divided by the sine of pi n": equal(sin(pi * n) / sin(pi * n), 1),
    "divided by a sine that may be 0": equal(sin(k) / sin(k), 1),
    "the logarithm of a cosine": equal(diff(log(cos(a)), a), -tan(a)),
    "Gamma of any number": equal(gamma(a + 1), a * gamma(a)),
    "Gamma at 0": equal(gamma(k + 1), k * gamma(k)),
    "log Gamma of any number": equal(log_gamma(a), log(gamma(a))),
    "digamma of any number": equal(digamma(a), digamma(a)),
    "trigamma of any number": equal(trigamma(a), trigamma(a)),
    "the root of a sine": equal(sqrt(sin(a)) ** 2, sin(a)),
    "Gamma of a difference": equal(gamma(s - t), gamma(s - t)),
}


@pytest.mark.parametrize("claim", [*EQUALITIES, AVERAGED, *BOUNDS], ids=repr)
def test_what_a_row_suffices_for_is_proved(claim: Claim) -> None:
    found = prove(claim)
    assert found.proved, found.reason
    assert numeric.compare(claim).verdict == "agree"


@pytest.mark.parametrize("name", FALSE)
def test_a_false_claim_is_refuted_and_not_proved(name: str) -> None:
    assert not prove(FALSE[name]).proved
    assert numeric.compare(FALSE[name]).verdict == "refuted"


@pytest.mark.parametrize("name", MEANINGLESS)
def test_what_may_have_no_meaning_is_not_proved(name: str) -> None:
    assert not prove(MEANINGLESS[name]).proved


def test_of_every_slip_in_the_true_ones_none_is_proved() -> None:
    """Nor does one survive: it is refuted, or true and proved, or has no meaning."""
    refuted = 0
    for claim in EQUALITIES:
        for what, broken in mutants(claim):
            verdict = numeric.compare(broken).verdict
            proved = prove(broken).proved
            assert not (proved and verdict == "refuted"), (what, broken)
            assert proved or verdict != "agree", f"survived: {what}: {broken}"
            refuted += verdict == "refuted"
    for claim in BOUNDS:
        turned = reversed_claim(claim)
        assert not prove(turned).proved
        assert numeric.compare(turned).verdict == "refuted"
        refuted += 1
    assert refuted > 500
