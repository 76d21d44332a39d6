"""Strict inequalities: never proved where the sides may be equal. And what random worlds do not
meet by chance: bounds that fail only where they are tightest."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    NotationError,
    derivation,
    exp,
    fractions,
    integral,
    log,
    nonnegatives,
    number,
    positive_part,
    positives,
    reals,
    sigmoid,
    sin,
    sqrt,
    tanh,
    variables,
)
from genmath.proof.check import check, judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.tree import Node, Relation

u, w = positives("u w")
k = nonnegatives("k")
v, t, a = reals("v t a")
p, q = fractions("p q")
x = variables("x")
P = Density("P", x)
f = Function("f", positive=True)
kl = p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))
slope = integral(exp(t) - 1, t, between=(0, u))

TRUE: dict[str, tuple[Relation, Node | None]] = {
    "exp": (exp(v) > 0, None),
    "exp above its tangent": (exp(u) > 1 + u, slope),
    "log below a line": (log(1 + u) < u, integral(t / (1 + t), t, between=(0, u))),
    "a range that is not attained": (tanh(v) < 1, None),
    "the other end": (sigmoid(v) > 0, None),
    "the mean of a positive function": (E(P(x), f(x)) > 0, None),
    "a square and a positive letter": (v**2 + u > 0, None),
    "fractions": (p * (1 - p) > 0, None),
    "far into the range": (sigmoid(v) < 1, None),
}
REFUTED: dict[str, tuple[Relation, Node | None]] = {
    "equal at 0": (exp(v) > 1 + v, integral(exp(t) - 1, t, between=(0, v))),
    "a square": (v**2 > 0, v**2),
    "itself": (v > v, None),
    "what may be 0": (k > 0, None),
    "means of equal numbers": ((u + w) / 2 > sqrt(u * w), (sqrt(u) - sqrt(w)) ** 2 / 2),
    "a positive part": (positive_part(v) > 0, None),
    "the wrong way": (exp(u) < 1 + u, slope),
    "Kullback-Leibler at p = q": (kl > 0, None),
    "Pinsker, a little more": (kl >= number(201) / 100 * (p - q) ** 2, None),
    "Pinsker with 4": (kl >= 4 * (p - q) ** 2, None),
    "a line a little steeper": (exp(v) >= 1 + number(101) / 100 * v, None),
    "means, a little less": (number(999) / 1000 * (u + w) / 2 >= sqrt(u * w), None),
    "a narrow dip": ((v - 1) ** 2 - number(1) / 10**5 >= 0, None),
}
OPEN: dict[str, tuple[Relation, Node | None]] = {
    "a range that is attained": (sin(v) < 1, None),
    "a mean that may be 0": (E(P(x), x**2) > 0, E(P(x), x**2)),
}


@pytest.mark.parametrize("name", REFUTED)
def test_false_is_refuted(name: str) -> None:
    statement, certificate = REFUTED[name]
    found = judge(as_claim(statement), () if certificate is None else (certificate,))
    assert found.verdict == "refuted", found.reason
    assert not found.proof.proved


@pytest.mark.parametrize("name", OPEN)
def test_what_may_be_equal_is_not_proved(name: str) -> None:
    statement, certificate = OPEN[name]
    reasons = () if certificate is None else (certificate,)
    assert judge(as_claim(statement), reasons).verdict == "open"


@pytest.mark.parametrize("name", TRUE)
def test_true_is_proved(name: str) -> None:
    statement, certificate = TRUE[name]
    found = judge(as_claim(statement), () if certificate is None else (certificate,))
    assert found.verdict == "proved", found.reason


def test_hypotheses_are_strict_or_not() -> None:
    assert judge(Claim(v - a, ">", v * 0, (v > a,))).verdict == "proved"
    assert judge(Claim(v - a, ">", v * 0, (v >= a,))).verdict != "proved"
    assert judge(Claim(v**2 - a, ">", v * 0, (v**2 > a,))).verdict == "proved"
    assert judge(Claim(v**2 - a, ">", v * 0, (v**2 >= a,))).verdict != "proved"


def chain(first: str, second: str) -> Derivation:
    @derivation("exp, by two steps")
    def both(d):  # type: ignore[no-untyped-def]
        d.start(exp(u))
        getattr(d, first)(1 + u, by="its slope", because=slope)
        getattr(d, second)(u, by="one more")

    return both


def test_a_chain_is_strict_where_a_step_is() -> None:
    assert chain("at_least", "at_least").conclusion.relation == ">="
    assert chain("more_than", "at_least").conclusion.relation == ">"
    assert chain("at_least", "more_than").conclusion.relation == ">"
    assert check(chain("at_least", "more_than")).ok
    for second in ("at_most", "less_than"):
        with pytest.raises(NotationError, match="cannot mix"):
            chain("more_than", second)


def test_a_strict_result_as_a_lemma() -> None:
    @derivation("exp is above its tangent", takes=u)
    def above(d):  # type: ignore[no-untyped-def]
        d.start(exp(u))
        d.more_than(1 + u, by="slope", because=slope)

    assert judge(as_claim(exp(w) > 1 + w), (above(w),)).verdict == "proved"
    assert judge(as_claim(exp(w) >= 1 + w), (above(w),)).verdict == "proved"
    assert judge(as_claim(exp(k) > 1 + k), (above(k),)).verdict == "refuted"

    @derivation("exp is at least its tangent", takes=u)
    def at_least(d):  # type: ignore[no-untyped-def]
        d.start(exp(u))
        d.at_least(1 + u, by="slope", because=slope)

    assert judge(as_claim(exp(w) > 1 + w), (at_least(w),)).verdict == "open"


def test_equality_cases_belong_to_bounds_that_have_them() -> None:
    with pytest.raises(NotationError, match="after a bound"):

        @derivation("never tight")
        def strict(d):  # type: ignore[no-untyped-def]
            d.start(exp(u))
            d.more_than(1 + u, by="slope", because=slope)
            d.tight_when(u, equals=1)
