"""A hostile reader's claims about lemmas, denominators, names and ranges; most were once proved.

A lemma is one line: what it takes and where it is called is the attack.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import numeric
from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.derivation import Derivation, derivation
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    Normal,
    NotationError,
    Sequence,
    absolute,
    at_least_one,
    copies,
    diff,
    exp,
    fractions,
    integral,
    log,
    mean_vectors,
    naturals,
    nonnegatives,
    norm2,
    number,
    positive_part,
    positives,
    reals,
    sqrt,
    total,
    variables,
    vectors,
)
from genmath.proof.language.tree import Node, Relation
from genmath.proof.symbolic.judge import prove

x, y, z = variables("x y z")
X = vectors("X")
mu, nu = mean_vectors("mu nu")
a, b, c, t = reals("a b c t")
s, u = positives("s u")
h, h_2 = nonnegatives("h h_2")
k, l = fractions("k l")
v = at_least_one("v")
i, m, n = naturals("i m n")
f = Function("f")
P, W = Sequence("P", "positive"), Sequence("W", "nonnegative")
p, q, r = Density("p", x), Density("q", z), Density("r", y)
kernel = Density("k", z, given=x)
also_x = reals("x")  # a parameter called like the variable


def ratio(e: Node) -> Claim:
    return equal(e / e, 1)


def spread(slope: Node) -> Node:
    """1, unless the slope is 0."""
    return absolute(slope) * integral(Normal(slope * x, 0, 1), x)


def lemma(lhs: Any, rhs: Any, takes: Any = (), because: Any = ()) -> Derivation:
    def build(d: Derivation) -> None:
        d.start(lhs)
        d.equals(rhs, by="it is", because=because)

    return derivation("A line", takes=takes)(build)


one = lemma(a / a, 1, (a,))
difference = lemma((a - b) ** 2 / (a - b), a - b, (a, b))
apart = lemma(1 / (k - l) * (k - l), 1, (k, l))
above = lemma((v - a) / (v - a), 1, (v, a))
length = lemma(norm2(mu) / norm2(mu), 1, (mu,))
logs = lemma(log(s) / log(s), 1, (s,))
squeezed = lemma(spread(a), 1, (a,))
variance = lemma(E(Normal(x, b, a**2), (x - b) ** 2), a**2, (a, b))
over_n = lemma(n / (n + a) * (n + a), n, (a,))
nested = lemma(c / c + 1, 2, (c,), one(c))
inherited = lemma(c / c + 1, 2, (c,), lemma(c / c, 1)())
size = lemma(absolute(n), n)
root = lemma(sqrt(n**2), n, (n,))
whole = lemma(n / n, 1)
same_name = lemma(E(p(x), also_x), also_x, (p(x),))

far = derivation("A line under a hypothesis")(
    lambda d: (d.given_that(n >= 2), d.start(absolute(n - 2)), d.equals(n - 2, by="it is"))
)
square = derivation("A square", takes=p(x))(
    lambda d: (d.start(integral(p(x) * x**2, x)), d.at_least(0, by="it is"))
)
(x_1,) = copies(x, 1)
A, B, C, joint = Density("A", z), Density("B", z), Density("C", x), Density("J", z, y)
above_p = Density("D", x, dominates=p)
twice = lemma(integral(p(x) * f(x), x), integral(p(x_1) * f(x_1), x_1), (p(x),))
to_normal = lemma(integral(p(x) * log(p(x) / Normal(x, 0, 1)), x), c, (p(x),))
two_of_x = lemma(integral(p(x) * log(p(x) / above_p(x)), x), c, (p(x), above_p(x)))
slope_of_x = lemma(integral(diff(p(x), x) ** 2, x), c, (p(x),))
cancelled = lemma(integral(p(x) / above_p(x) * above_p(x), x), 1, (above_p(x),))

FALSE: dict[str, Callable[[], Any]] = {
    # a lemma's denominators at its arguments
    "0/0": lambda: (equal(number(0) / number(0), 1), one(0)),
    "a+/a+": lambda: (ratio(positive_part(b)), one(positive_part(b))),
    "n - 1": lambda: (ratio(n - 1), one(n - 1)),
    "two letters become one": lambda: (equal((a - a) ** 2 / (a - a), a - a), difference(a, a)),
    "(n - 1)^2/(n - 1)": lambda: (equal((n - 1) ** 2 / (n - 1), n - 1), difference(n, 1)),
    "two fractions become one": lambda: (equal(1 / (k - k) * (k - k), 1), apart(k, k)),
    "commuted fractions": lambda: (
        equal(1 / (k * l - l * k) * (k * l - l * k), 1),
        apart(k * l, l * k),
    ),
    "at the end of a range": lambda: (ratio(number(1) - 1), above(1, 1)),
    "at the end of a letter's range": lambda: (ratio((1 + h) - 1), above(1 + h, 1)),
    "a zero vector": lambda: (ratio(norm2(0 * mu)), length(0 * mu)),
    "log 1": lambda: (ratio(log(number(1))), logs(1)),
    "log(1 + h)": lambda: (ratio(log(1 + h)), logs(1 + h)),
    "a slope of 0": lambda: (equal(spread(number(0)), 1), squeezed(0)),
    "a slope b+": lambda: (equal(spread(positive_part(b)), 1), squeezed(positive_part(b))),
    "a slope h": lambda: (equal(spread(h), 1), squeezed(h)),
    "a variance of 0": lambda: (
        equal(E(Normal(x, b, number(0) ** 2), (x - b) ** 2), number(0) ** 2),
        variance(0, b),
    ),
    "n - 1 again": lambda: (equal(n / (n + -1 * number(1)) * (n + -1 * number(1)), n), over_n(-1)),
    "through another lemma": lambda: (equal(number(0) / number(0) + 1, 2), nested(0)),
    "through a lemma that takes nothing": lambda: (
        equal(number(0) / number(0) + 1, 2),
        inherited(0),
    ),
    # a lemma about natural numbers, at an index that is none
    "|n| from -2": lambda: (equal(total(absolute(n), n, -2, 2), total(n, n, -2, 2)), size()),
    "|n| from -i": lambda: (equal(total(absolute(n), n, -i, i), total(n, n, -i, i)), size()),
    "sqrt(m^2) from -2": lambda: (
        equal(total(sqrt(m**2), m, -2, 2), total(m, m, -2, 2)),
        root(m),
    ),
    "n/n from 0": lambda: (equal(total(n / n, n, 0, 2), 3), whole()),
    # nor does what a lemma supposes of a letter hold of an index
    "|n - 2| from 1": lambda: (
        replace(equal(total(absolute(n - 2), n, 1, m), total(n - 2, n, 1, m)), given=(n >= 2,)),
        far(),
    ),
    # a density that dominates must still do so
    "p A/A": lambda: (equal(integral(p(x) / C(x) * C(x), x), 1), cancelled(C(x))),
    # two terms of which neither has a sign
    "a (e^2s - e^s) <= 0": lambda: a * exp(2 * s) - a * exp(s) <= 0,
    "a (e^2s - e^s) >= 0": lambda: a * exp(2 * s) - a * exp(s) >= 0,
    # a parameter called like a variable
    "a parameter turned into a variable": lambda: (equal(E(q(z), z), z), same_name(q(z))),
    # a letter >= 0 that is 0
    "W_1/W_1": lambda: ratio(W[1]),
    "h a": lambda: ratio(h * a),
    "h - h a": lambda: ratio(h - h * a),
    "sqrt(1 + h) - 1": lambda: ratio(sqrt(1 + h) - 1),
    "log(1 + h) by itself": lambda: ratio(log(1 + h)),
    "variance W_1": lambda: equal(E(Normal(x, 0, W[1]), x**2), W[1]),
    "slope h, typed": lambda: equal(spread(h), 1),
    "slope h a, typed": lambda: equal(spread(h * a), 1),
}

# where few random worlds show it: values have to be met exactly, or a density has to be chosen
SILENT: dict[str, Callable[[], Any]] = {
    "W_1 a + W_2": lambda: ratio(W[1] * a + W[2]),
    "h - h_2": lambda: ratio(h - h_2),
    "h a + h_2 b": lambda: ratio(a * h + b * h_2),
    "e^h - e^h_2": lambda: ratio(exp(h) - exp(h_2)),
    "log v": lambda: ratio(log(v)),
    "x/x at a point of mass 0 < P(x = 0)": lambda: (equal(E(p(x), x / x), 1), one(x)),
    "a slope that is random": lambda: (equal(E(r(y), spread(y)), 1), squeezed(y)),
    "f/f": lambda: (ratio(f(a)), one(f(a))),
    "p/p": lambda: (ratio(p(x)), one(p(x))),
    "(f - b)^2/(f - b)": lambda: (equal((f(a) - b) ** 2 / (f(a) - b), f(a) - b),
                                  difference(f(a), b)),
    "a random length": lambda: (ratio(norm2(X)), length(X)),
    "a random length, typed": lambda: ratio(norm2(X)),
    "a kernel conditioned on its own letter may have no mass": lambda: equal(
        log(integral(kernel(z | 2 * z), z)) - log(integral(kernel(z | 2 * z), z)), 0
    ),
    "the slope of a root where a density vanishes": lambda: equal(
        2 * sqrt(p(x)) * diff(sqrt(p(x)), x), diff(p(x), x)
    ),
    "the slope of a root of 0": lambda: equal(diff(sqrt(h * s / s), s), 0),
    "integrates to one and is no density": lambda: (
        integral((2 * A(z) - B(z)) * z**2, z) >= 0,
        square(2 * A(z) - B(z)),
    ),
    "a function of a vector, and of a number": lambda: equal(f(mu) + f(a), f(a) + f(mu)),
    "a vector for a number": lambda: (equal(mu - mu, 0 * mu), lemma(a - a, 0, (a,))(mu)),
}  # fmt: skip

TRUE: dict[str, Callable[[], Any]] = {
    "another letter": lambda: (ratio(b), one(b)),
    "two letters": lambda: (equal((s - u) ** 2 / (s - u), s - u), difference(s, u)),
    "above 1": lambda: (ratio((1 + s) - a), above(1 + s, a)),
    "another vector": lambda: (ratio(norm2(nu)), length(nu)),
    "a slope s": lambda: (equal(spread(s), 1), squeezed(s)),
    "nested": lambda: (equal(b / b + 1, 2), nested(b)),
    "inherited": lambda: (equal(b / b + 1, 2), inherited(b)),
    "|n| from 1": lambda: (equal(total(absolute(n), n, 1, m), total(n, n, 1, m)), size()),
    "a parameter stays": lambda: (equal(E(q(z), b), b), lemma(E(p(x), b), b, (p(x),))(q(z))),
    "a + h": lambda: ratio(a + h),
    "1 + h": lambda: ratio(1 + h),
    "1 + W_1": lambda: ratio(1 + W[1]),
    "slope a, typed": lambda: equal(spread(a), 1),
}

# refused where the lemma is called, before there is a claim
REFUSED: dict[str, Callable[[], Any]] = {
    "the lemma uses p(x_1) besides p(x)": lambda: twice(q(z)),
    "the lemma uses x by itself": lambda: to_normal(joint(z, y)),
    "give it one variable": lambda: slope_of_x(joint(z, y)),
    "x would stand for": lambda: two_of_x(q(z), r(y)),
    "1 is not a density": lambda: square(number(1)),
}


def verdict(build: Callable[[], Any]) -> tuple[Claim, bool]:
    made = build()
    claim, because = made if isinstance(made, tuple) else (made, ())
    claim = as_claim(claim)
    try:
        return claim, prove(claim, because if isinstance(because, tuple) else (because,)).proved
    except NotationError:
        return claim, False


@pytest.mark.parametrize("name", FALSE)
def test_it_is_refuted_and_not_proved(name: str) -> None:
    claim, proved = verdict(FALSE[name])
    assert not proved
    assert numeric.compare(claim).verdict == "refuted"


@pytest.mark.parametrize("name", SILENT)
def test_what_random_worlds_do_not_show_is_not_proved_either(name: str) -> None:
    assert not verdict(SILENT[name])[1]


@pytest.mark.parametrize("name", TRUE)
def test_its_true_neighbour_is_proved(name: str) -> None:
    assert verdict(TRUE[name])[1]


@pytest.mark.parametrize("reason", REFUSED)
def test_a_lemma_is_refused_where_it_is_called(reason: str) -> None:
    with pytest.raises(NotationError, match=re.escape(reason)):
        REFUSED[reason]()


def test_the_hypothesis_of_a_namesake_is_no_hypothesis() -> None:
    given: tuple[Relation, ...] = (at_least_one("w") - 1 >= 5,)
    claim = replace(as_claim(nonnegatives("w") - 5 >= 0), given=given)
    assert not prove(claim).proved


def test_a_number_too_large_for_decimals_refutes_nothing() -> None:
    tower = exp(exp(exp(s + 3)))
    claim = equal(1 / tower * tower, 1)
    assert prove(claim).proved
    assert numeric.compare(claim).verdict != "refuted"


def test_two_coarse_quadratures_may_be_wrong_alike() -> None:
    after, c = variables("x_{k+1}"), fractions("c")
    m, mu, v = reals("m_k"), reals("mu"), positives("v_k")
    h = 2 * c * m**2
    move = Normal(after, x + h * diff(log(Normal(x, mu, m**2)), x), 2 * h)
    claim = equal(
        integral(move * Normal(x, m, v), x),
        Normal(after, mu + (1 - 2 * c) * (m - mu), (1 - 2 * c) ** 2 * v + 2 * h),
    )
    assert prove(claim).proved
    assert numeric.compare(claim).verdict == "agree"
