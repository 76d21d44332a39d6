"""Induction, suprema, limits: what each step of theirs may not be, and what it then proves."""

from __future__ import annotations

import json

import pytest

from genmath.proof import (
    FiniteSet,
    Function,
    NotationError,
    Sequence,
    absolute,
    attained,
    equal,
    exp,
    fractions,
    indicator,
    induction,
    infimum,
    infinity,
    limit,
    log,
    log_gap,
    maximum,
    minimum,
    naturals,
    number,
    positives,
    product,
    reals,
    sigmoid,
    sin,
    supremum,
    tanh,
    total,
    within,
)
from genmath.proof.check import Verdict, judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.tree import Node, Relation

u, w, c, h = positives("u w c h")
v, a, m = reals("v a m")
n, i, k = naturals("n i k")
p = fractions("p")
Y = FiniteSet("Y")
j, l = Y.members("j l")
s = Sequence("s", domain="positive")
f = Function("f")
parabola, bump = 2 * v * a - v**2, u / (1 + u)
upto, before = product(1 + s[k], k, 1, i), product(1 + s[k], k, 1, i - 1)
all_of_them, late = product(1 + s[k], k, 1, n), total(product(s[k], k, i, 2), i, 1, 3)

Step = tuple[Claim | Relation, Node | tuple[Node, ...]]
TRUE: dict[str, Step] = {
    "triangle": (equal(total(i, i, 1, n), n * (n + 1) / 2), induction(n)),
    "fifth powers": (
        equal(total(i**5, i, 1, n), n**2 * (n + 1) ** 2 * (2 * n**2 + 2 * n - 1) / 12),
        induction(n),
    ),
    "geometric, any ratio": (
        equal((c - 1) * total(c ** (i - 1), i, 1, n), c**n - 1),
        induction(n),
    ),
    "Bernoulli": (
        (1 + h) ** n >= 1 + n * h,
        (induction(n), (1 + h) * ((1 + h) ** n - (1 + n * h)) + n * h**2),
    ),
    "products before each": (
        equal(total(s[i] * before, i, 1, n), all_of_them - 1),
        induction(n),
    ),
    "products up to each": (equal(total(s[i] / upto, i, 1, n), 1 - 1 / all_of_them), induction(n)),
    "factorials": (
        equal(total(i * product(k, k, 1, i), i, 1, n), product(k, k, 1, n + 1) - 1),
        induction(n),
    ),
    "sums up to each": (
        equal(total(total(s[k], k, 1, i), i, 1, n), total((n + 1 - k) * s[k], k, 1, n)),
        induction(n),
    ),
    "powers of two": (2**n >= n + 1, induction(n)),
    "strictly": (2**n > n, (induction(n), 2 * (2**n - n) + (n - 1))),
    "a maximum is no less than a member": (maximum(f(j), j) >= f(l), attained(j, l)),
    "a minimum is no more": (minimum(f(j), j) <= f(l), attained(j, l)),
    "a maximum is bounded where members are": (maximum(1 - f(j) ** 2, j) <= 1, f(j) ** 2),
    "attained": (equal(supremum(parabola, v), a**2), (attained(v, a), (v - a) ** 2)),
    "a bound alone": (supremum(parabola, v) <= a**2, (v - a) ** 2),
    "a value alone": (supremum(parabola, v) >= 2 * m * a - m**2, attained(v, m)),
    "an infimum": (equal(infimum(u + 1 / u, u), 2), (attained(u, 1), (u - 1) ** 2 / u)),
    "on the right": (equal(2, infimum(u + 1 / u, u)), (attained(u, 1), (u - 1) ** 2 / u)),
    "approached": (equal(supremum(bump, u), 1), (attained(u, infinity), 1 / (1 + u))),
    "approached, a range": (equal(supremum(tanh(v), v), 1), attained(v, infinity)),
    "approached at an end": (equal(infimum(u, u), 0), attained(u, 0)),
    "a convex conjugate": (
        equal(supremum(v * u - u * log(u) + u, u), exp(v)),
        (attained(u, exp(v)), u * log_gap(exp(v) / u)),
    ),
    "between two bounds": (equal(limit(sin(v) / u, u, infinity), 0), within(1 / u)),
}
FALSE: dict[str, Step] = {  # refuted
    "a wrong base": (equal(total(i, i, 1, n), n * (n + 1) / 2 + 1), induction(n)),
    "a wrong step": (equal(total(i, i, 1, n), n * (n + 1) / 2 + n - 1), induction(n)),
    "right for 1 and 2": (equal(total(i, i, 1, n), n**2 - n + 1 + (n - 1) * (n - 2)), induction(n)),
    "Bernoulli, more": (
        (1 + h) ** n >= 1 + n * h + h,
        (induction(n), (1 + h) * ((1 + h) ** n - (1 + n * h) - h) + n * h**2),
    ),
    "squares before 4": (2**n >= n**2, induction(n)),
    "squares, with a certificate of n >= 4": (
        2**n >= n**2,
        (induction(n), 2 * (2**n - n**2) + (n - 1) ** 2 - 2),
    ),
    "products up to each, for those before": (
        equal(total(s[i] * upto, i, 1, n), all_of_them - 1),
        induction(n),
    ),
    "products before each, for those up to it": (
        equal(total(s[i] / before, i, 1, n), 1 - 1 / all_of_them),
        induction(n),
    ),
    "factorials, one less": (
        equal(total(i * product(k, k, 1, i), i, 1, n), product(k, k, 1, n) - 1),
        induction(n),
    ),
    "sums up to each, by what is left": (
        equal(total(total(s[k], k, 1, i), i, 1, n), total((n - k) * s[k], k, 1, n)),
        induction(n),
    ),
    "every other number": (equal((-1) ** n, -1), induction(n)),
    "strict at the base": (2**n > n + 1, (induction(n), 2 * (2**n - n - 1) + n)),
    "a product": (equal(product(s[i], i, 1, n), s[1] ** n), induction(n)),
    "too small a bound": (supremum(parabola, v) <= a**2 - 1, (v - a) ** 2 - 1),
    "a maximum is no member": (maximum(f(j), j) <= f(l), attained(j, l)),
    "a maximum, more": (maximum(f(j), j) >= f(l) + 1, attained(j, l)),
    "an infimum that is not": (equal(infimum(u, u), 1), attained(u, 1)),
    "free and bound": (supremum(v - a, a) <= v - a, 0 * v),
    "a limit from the wrong side": (equal(limit(indicator(v > 0), v, 0), 0), within(v**2)),
    "the other infinity": (equal(limit(tanh(v), v, -infinity), 1), within(exp(v))),
    "a coefficient lost": (equal(limit(c * u / (u + 1), u, infinity), 1), within(1 / u)),
}
OPEN: dict[str, Step] = {  # and never proved
    "a supremum outside the domain": (
        equal(supremum(-((u + 1) ** 2), u), 0),
        (attained(u, -1), (u + 1) ** 2),
    ),
    "another maximiser": (
        equal(supremum(parabola, v), a**2),
        (attained(v, 2 * a), (v - a) ** 2),
    ),
    "a bound that is not met": (
        equal(supremum(parabola, v), a**2 + 1),
        (attained(v, a), (v - a) ** 2 + 1),
    ),
    "no strict bound of a supremum": (supremum(bump, u) < 1, 1 / (1 + u)),
    "nor where it is approached": (supremum(bump, u) >= 1 + 0 * w, attained(u, w)),
    "approached strictly": (supremum(bump, u) > 1 - 0 * w, attained(u, infinity)),
    "approached at the other end": (equal(infimum(exp(v), v), 0), attained(v, infinity)),
    "an end that is excluded": (equal(supremum(p, p), 1), (attained(p, 1), 1 - p)),
    "infinity for a fraction": (equal(supremum(p, p), 1), (attained(p, infinity), 1 - p)),
    "a sign where no value is near": (limit(u, u, -1) >= 0, ()),
    "no value is near": (supremum(-u, u) >= limit(-u, u, -1), attained(u, -1)),
    "infinity at the other end": (
        supremum(-u, u) >= limit(-u, u, -infinity),
        attained(u, -infinity),
    ),
    "another letter": (equal(supremum(parabola, v), a**2), (attained(m, a), (v - a) ** 2)),
    "a supremum over nothing of the kind": (equal(v, v + 0 * a), attained(v, a)),
    "a bound that does not go to 0": (equal(limit(sin(u), u, infinity), 0), within(number(1))),
    "a bound that is too small": (equal(limit(sin(u) / u, u, infinity), 0), within(1 / u**2)),
    "another limit within it": (equal(limit(sin(u) / u + 1, u, infinity), 0), within(1 / u)),
    "a pole": (equal(limit(1 / u, u, 0), 0), within(u)),
    "a jump": (equal(limit(v / absolute(v), v, 0), 1), within(absolute(v))),
    "a rate of either sign": (equal(limit(exp(-m * u), u, infinity), 0), ()),
    "a coefficient that may be 0": (equal(limit((m * u + 1) / (m * u + 2), u, infinity), 1), ()),
    "what outgrows": (equal(limit(u * exp(c * u) / (1 + exp(c * u)), u, infinity), 1), ()),
    "out of the domain": (equal(limit(u, u, -1), -1), ()),
}
LIMITS = {
    "rational": equal(limit(u / (1 + u), u, infinity), 1),
    "leading coefficients": equal(limit((c * v**2 + v) / (v**2 + 1), v, infinity), c),
    "exponential": equal(limit(u**3 * exp(-c * u), u, infinity), 0),
    "tanh, both ways": equal(limit(tanh(v), v, infinity) + limit(tanh(v), v, -infinity), 0),
    "sigmoid": equal(limit(sigmoid(v), v, -infinity), 0),
    "continuous": equal(limit(exp(v) * log(1 + v**2), v, a), exp(a) * log(1 + a**2)),
    "to the end of a domain": equal(limit(log(1 + u), u, 0), 0),
    "Ornstein-Uhlenbeck": equal(
        limit(m * exp(-c * u) + (1 - exp(-2 * c * u)) / (2 * c), u, infinity), 1 / (2 * c)
    ),
    "whole numbers": equal(limit((2 * n + 1) / n, n, infinity), 2),
}  # fmt: skip


def judged(step: Step) -> Verdict:
    statement, because = step
    return judge(as_claim(statement), because if isinstance(because, tuple) else (because,))


@pytest.mark.parametrize("name", FALSE)
def test_false_is_refuted(name: str) -> None:
    found = judged(FALSE[name])
    assert found.verdict == "refuted", found.reason
    assert not found.proof.proved


@pytest.mark.parametrize("name", OPEN)
def test_what_is_not_shown_is_not_proved(name: str) -> None:
    found = judged(OPEN[name])
    assert not found.proof.proved
    assert found.verdict != "proved"


@pytest.mark.parametrize("name", TRUE)
def test_true_is_proved(name: str) -> None:
    found = judged(TRUE[name])
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_proved_and_assume_nothing(name: str) -> None:
    found = judge(LIMITS[name])
    assert found.verdict == "proved", found.reason
    assert not found.proof.assumed
    assert found.outcome.verdict == "silent"  # no value in a world, nothing found against it


def test_a_hypothesis_does_not_speak_of_every_value() -> None:
    given = (v <= 1,)
    claim = Claim(supremum(v, v), "<=", number(1), given)
    found = judge(claim, (1 - v,))
    assert found.verdict == "refuted"  # v is bound: it has every value
    assert "speaks of v" in found.proof.reason
    claim = Claim(2**n, ">=", n**2, (n >= 4,))
    found = judge(claim, (induction(n), 2 * (2**n - n**2) + ((n - 1) ** 2 - 2)))
    assert found.verdict == "open"
    assert "speaks of n" in found.reason


def test_one_method_for_one_step() -> None:
    found = judge(equal(total(i, i, 1, n), n * (n + 1) / 2), (induction(n), attained(v, a)))
    assert found.verdict == "open"
    assert "two methods" in found.reason


@pytest.mark.parametrize("method", [induction(n), attained(v, a + 1), within(1 / u)], ids=repr)
def test_a_method_is_no_expression_and_goes_as_data(method: Node) -> None:
    assert decode_tree(json.loads(json.dumps(encode_tree(method)))) == method
    assert judge(as_claim(method >= 0)).verdict == "open"
    assert judge(equal(method, method)).verdict == "open"


def test_what_no_author_writes() -> None:
    with pytest.raises(NotationError, match="declared by naturals"):
        induction(v)
    with pytest.raises(NotationError, match="depends on the letter itself"):
        attained(v, v + 1)


def test_a_place_that_is_the_square_of_a_far_letter_is_no_divergence() -> None:
    top = judge(equal(supremum(2 * v * a**2 - v**2, v), a**4), (attained(v, a**2),))
    near = judge(equal(limit(1 / (h**6 + v**2), v, 0), 1 / h**6))
    assert (top.verdict, near.verdict) == ("proved", "proved")


def test_a_product_or_sum_within_a_sum_is_written_out() -> None:
    """From i to 2, which is nothing for i = 3: then a product is 1 and a sum 0."""
    one, other = s[1] * s[2] + s[2] + 1, s[1] + 2 * s[2]
    within_it = total(total(s[k], k, i, 2), i, 1, 3)
    assert judge(equal(late, one)).verdict == "proved"
    assert judge(equal(within_it, other)).verdict == "proved"
    assert judge(equal(late, one - 1)).verdict == "refuted"
    assert judge(equal(within_it, other + 1)).verdict == "refuted"
