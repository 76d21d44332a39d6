"""A hypothesis is a fact for the proof and a filter for the worlds; what cannot hold is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    Normal,
    absolute,
    at_least_one,
    cos,
    define,
    derivation,
    diff,
    equal,
    exp,
    fractions,
    log,
    naturals,
    nonnegatives,
    number,
    numeric,
    positives,
    reals,
    sin,
    sqrt,
    total,
    variables,
)
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.report import check_derivation
from genmath.proof.symbolic.judge import prove

Given = Any
x, y = variables("x y")
a, b, c, u, v = reals("a b c u v")
s, t = positives("s t")
k = fractions("k")
w = nonnegatives("w")
m = at_least_one("m")
n, i = naturals("n i")
f = Function("f")
p = Density("p", x, positive=True)
q, r = Density("q", x), Density("r", x)
mean = E(p(x), f(x))
spread = define("K", E(p(x), (x - E(p(x), x)) ** 2))


def check(given: tuple[Given, ...], claim: Any, because: Any = ()) -> dict[str, Any]:
    @derivation("under hypotheses")
    def under(d: Derivation) -> None:
        for g in given:
            d.given_that(g)
        claimed = claim if isinstance(claim, Claim) else Claim(claim.left, claim.sign, claim.right)
        d.start(claimed.lhs)
        write = {"=": d.equals, ">=": d.at_least, "<=": d.at_most}[claimed.relation]
        write(claimed.rhs, by="the hypotheses", because=because)

    return check_derivation(under)


IMPOSSIBLE: dict[str, tuple[tuple[Given, ...], Any, Any]] = {
    "a variable of the line is bounded": (
        (x**2 <= 60,), E(Normal(x, a, s), x**2) <= 60, E(Normal(x, a, s), 60 - x**2)),
    "a variable of the line has a sign": (
        (x >= 0,), E(Normal(x, a, s), x) >= 0, E(Normal(x, a, s), x)),
    "a line is bounded by a letter": (
        (x <= s,), E(Normal(x, a, t), x) <= s, E(Normal(x, a, t), s - x)),
    "an underflow": ((exp(-exp(10 * s)) <= 0,), -exp(-exp(10 * s)) >= 0, ()),
    "an overflow": ((1 / exp(exp(20 * s)) <= 0,), -1 / exp(exp(20 * s)) >= 0, ()),
    "a rounding": ((1 + exp(-100 * s) <= 1,), -exp(-100 * s) >= 0, ()),
    "a small amount": ((number(1) >= 1 + number(1) / 10**14,), number(0) >= 1, ()),
    "a smaller amount": ((a >= a + s / 10**40,), number(0) >= 1, ()),
    "a fraction above one": ((k >= 2,), k >= 2, k - 2),
    "a fraction below none": ((k <= 0,), number(0) >= k, 0 - k),
    "a positive letter at 0": ((s <= 0,), number(0) >= s, 0 - s),
    "no less than 1, and less": ((m < 1,), number(0) >= 1, ()),
    "a natural number below 1": ((n < 1,), number(0) >= 1, ()),
    "no less than 0, and less": ((w < 0,), number(0) >= 1, ()),
    "a circle of bounds": ((a > b, b > c, c > a), number(0) >= 1, ()),
    "two that leave nothing": ((a >= 2, a <= 1), number(0) >= 1, ()),
    "an equality out of the domain": ((equal(s, -1),), number(0) >= 1, ()),
    "two equalities": ((equal(a, b), equal(a, b + 1)), number(0) >= 1, ()),
    "a negative square": ((a**2 <= -1,), number(0) >= 1, ()),
}  # fmt: skip


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_from_what_cannot_hold_nothing_follows(what: str) -> None:
    found = check(*IMPOSSIBLE[what])
    assert not found["ok"]
    assert found["steps"][0]["verdict"] != "proved"
    assert any("contradictory hypotheses" in problem for problem in found["problems"])


@pytest.mark.parametrize(
    "given",
    [
        (n >= 5,), (n >= 12, n <= 12), (a >= b, b >= a), (a <= b, a >= b), (s * t >= 100,),
        (s + t >= 10,), (a >= 50, b <= -50), (k <= number(1) / 1000,), (s <= number(1) / 10**5,),
        (a**2 + b**2 <= number(1) / 100,), (equal(a, b),), (equal(a + b, 1), equal(a - b, c)),
        (equal(s * t, 1),), (equal(a**2 + b**2, 1),), (equal(s, 3),), (a > b, b > c, c > 0),
        (q(x) * r(x) <= 0,), (f(x) >= 0, f(x) <= 1), (absolute(a) > 100,), (m >= 30,), (w <= 0,),
        (exp(a) >= 1000,), (equal(exp(a), 2 * exp(b)),),
    ],
)  # fmt: skip
def test_what_can_hold_has_worlds(given: tuple[Given, ...]) -> None:
    sides = tuple(q(x) + r(x) + f(x) if "x" in map(str, given) else a for _ in range(2))
    relations = tuple(g if not isinstance(g, Claim) else _relation(g) for g in given)
    worlds = numeric.make_worlds(Claim(sides[0], "=", sides[1], relations))
    assert len(worlds.members) >= 4


def _relation(claim: Claim) -> Any:
    @derivation("for its hypothesis")
    def holder(d: Derivation) -> None:
        d.given_that(claim)
        d.start(number(0))
        d.equals(0, by="0")

    return holder.given[0]


TRUE: dict[str, Callable[[], tuple[tuple[Given, ...], Any, Any]]] = {
    "log": lambda: ((a > 0,), equal(log(a**2), 2 * log(a)), ()),
    "log of a difference": lambda: ((u > v,), equal(log((u - v) ** 2), 2 * log(u - v)), ()),
    "log, scaled": lambda: (
        (2 * u > 3 * v,), equal(log((2 * u - 3 * v) ** 2), 2 * log(2 * u - 3 * v)), ()),
    "log of a product with a sign": lambda: (
        (a < 0,), equal(log(-2 * a), log(number(2)) + log(-a)), ()),
    "root": lambda: ((u >= v,), equal(sqrt(u - v) ** 2, u - v), ()),
    "root of a square": lambda: ((a <= 0,), equal(sqrt(a**2), -a), ()),
    "absolute value": lambda: ((a >= b,), equal(absolute(a - b), a - b), ()),
    "variance": lambda: ((u > v,), equal(E(Normal(x, 0, u - v), x**2), u - v), ()),
    "covariance of two": lambda: (
        (u > v,), equal(KL(Normal(x, 0, u - v), Normal(x, 0, s)),
                        ((u - v) / s - 1 - log((u - v) / s)) / 2), ()),
    "denominator": lambda: ((mean > 0,), equal(1 / mean + a, a + 1 / mean), ()),
    "negative denominator": lambda: ((mean < 0,), equal(mean / mean, 1), ()),
    "log of a mean": lambda: ((mean > 0,), equal(log(mean) + a, a + log(mean)), ()),
    "a slope": lambda: (
        (f.prime(u) > 0,), equal(log(2 * f.prime(u)), log(number(2)) + log(f.prime(u))), ()),
    "a named variance": lambda: ((spread > 0,), equal(1 / spread + a, a + 1 / spread), ()),
    "sizes": lambda: ((absolute(a) > 0, absolute(b) > 0),
                      equal(log(absolute(a * b)), log(absolute(a)) + log(absolute(b))), ()),
    "between": lambda: ((a > 0, a < 1), equal(log(a * (1 - a)), log(a) + log(1 - a)), ()),
    "equal letters": lambda: ((equal(a, b),), equal(a**2, a * b), ()),
    "an equality, solved": lambda: ((equal(s * a, b),), equal(exp(s * a), exp(b)), ()),
    "a sum of one": lambda: ((equal(u + v, 1),), equal(u**2 + 2 * u * v + v**2, 1), ()),
    "no less than 1": lambda: ((a >= 1,), equal(sqrt((a - 1) ** 2), a - 1), ()),
    "a bound of a factor": lambda: ((n >= 5,), n**2 >= 5 * n, n * (n - 5)),
    "a slope where it is positive": lambda: ((a > 0,), equal(diff(log(a), a), 1 / a), ()),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_a_hypothesis_is_a_fact(what: str) -> None:
    given, claim, because = TRUE[what]()
    found = check(given, claim, because)
    assert found["steps"][0]["verdict"] == "proved", found["steps"][0]["reason"]
    assert not any("unused hypothesis: given" in problem for problem in found["problems"])
    alone = (
        "denominator",
        "negative denominator",
        "equal letters",
        "sizes",
        "a named variance",
    )
    if what not in alone:
        # a mean that is divided by is an obligation; a variance is > 0 where its variable varies
        assert not check((), claim, because)["ok"]


FALSE: dict[str, tuple[tuple[Given, ...], Any]] = {
    "the other way round": ((u > v,), equal(log((u - v) ** 2), 2 * log(v - u))),
    "not strict": ((a >= 0,), equal(a / a, 1)),
    "divided by 0": ((equal(a, 0),), equal(a / a, 1)),
    "divided by a difference of 0": ((a >= b, b >= a), equal((a - b) / (a - b), 1)),
    "divided by 0 on a curve": ((equal(a * b, 1),), equal((1 - a * b) / (1 - a * b), 1)),
    "a slope across an equality": ((equal(a, b),), equal(diff(a, a), diff(b, a))),
    "a slope of what is equal here": ((equal(a, b),), equal(diff(a**2, a), diff(a * b, a))),
    "the wrong letter": ((a > 0,), equal(sqrt(b**2), b)),
    "a point, not a function": ((f(a) > 0,), equal(absolute(f(b)), f(b))),
    "an index of the same name": ((n >= 5,), total(n - 5, n, 1, 3) >= 0),
    "too little": ((a > -1,), equal(log(a**2), 2 * log(a))),
}  # fmt: skip


@pytest.mark.parametrize("what", FALSE)
def test_and_no_more_than_that(what: str) -> None:
    given, claim = FALSE[what]
    found = check(given, claim)
    assert found["steps"][0]["verdict"] in ("refuted", "open")
    assert not found["steps"][0]["symbolic"]


def test_a_factor_of_which_nothing_is_given_is_said() -> None:
    claim = equal(b * sin(a) / (sin(a) * cos(a)), b / cos(a))
    for given, left in (((sin(a) > 0,), True), ((sin(a) > 0, cos(a) < 0), False)):
        assert any("cos(a) ≠ 0" in said for said in check(given, claim)["assumed"]) == left


def test_a_lemma_asks_for_its_equality() -> None:
    @derivation("where they are equal", takes=(a, b))
    def alike(d: Derivation) -> None:
        d.given_that(equal(a, b))
        d.start(a**2)
        d.equals(a * b, by="given")

    assert check_derivation(alike)["ok"]
    square, product = alike(s, t).claim.lhs, alike(s, t).claim.rhs
    for lemma in (alike(s, t), alike(s + 1, s)):
        claim = Claim(lemma.claim.lhs, "=", lemma.claim.rhs)
        assert "is not shown" in prove(claim, (lemma,)).reason
    assert prove(Claim(square, "=", product, alike(s, t).claim.given), (alike(s, t),)).proved
    same = alike(s + s, 2 * s)
    assert prove(Claim(same.claim.lhs, "=", same.claim.rhs), (same,)).proved


def test_a_lemma_is_not_proved_by_what_its_user_knows() -> None:
    """A lemma's own proof does not see the hypotheses of whoever uses it."""

    @derivation("not so", takes=())
    def lemma(d: Derivation) -> None:
        d.start(log(c**2))
        d.equals(2 * log(c), by="so")

    found = check((c > 0,), equal(log(c**2), 2 * log(c)), lemma())
    assert not check_derivation(lemma)["ok"]
    assert found["ok"] == (not found["uses"])


def test_worlds_keep_to_the_domains() -> None:
    claim = Claim(k + s + m + n, "=", k + s + m + n, (k + s + m + n >= 40,))
    for world in numeric.make_worlds(claim).members:
        assert 0 < world.raw("param", "k", "unit") < 1
        assert world.raw("param", "s", "positive") > 0
        assert world.raw("param", "m", "at_least_one") >= 1
        assert world.raw("natural", "n") >= 1


def test_a_letter_called_as_new_ones_are_is_another_letter() -> None:
    """a > b puts b and some amount for a; a letter of the author's is not that amount."""
    amount = positives("a_{above}")
    assert not prove(Claim(a, "=", b + amount, (a > b,))).proved
    assert not prove(Claim(a, ">=", b + amount, (a > b,))).proved
    assert prove(Claim(absolute(a - b) + amount, "=", a - b + amount, (a > b,))).proved
