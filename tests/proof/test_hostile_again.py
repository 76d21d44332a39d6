"""What a second hostile reader tried: false claims once proved, or that crashed the checker."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import (
    Density,
    E,
    FiniteSet,
    Function,
    Geometric,
    Normal,
    NotationError,
    Poisson,
    absolute,
    define,
    diff,
    equal,
    exp,
    fractions,
    indicator,
    infimum,
    infinity,
    limit,
    log,
    naturals,
    number,
    positives,
    reals,
    sin,
    supremum,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node, Relation

a, b = reals("a b")
labels = FiniteSet("Y")
k, m = labels.members("k m")


def verdict(lhs: Any, rhs: Any, *given: Any, relation: str = "=") -> str:
    stated = tuple(g if isinstance(g, Relation) else Relation(g.lhs, "=", g.rhs) for g in given)
    lhs, rhs = (e if isinstance(e, Node) else number(e) for e in (lhs, rhs))
    return judge(Claim(lhs, relation, rhs, stated)).verdict


def test_members_of_a_finite_set_may_be_0_or_each_other() -> None:
    """A set may have one member, so that k - m is 0 whatever is drawn."""
    for under in (k, k - m, k * a - m * a):
        assert verdict(under / under, 1) != "proved"
    assert verdict(total(k / k, k), labels.size) != "proved"
    assert verdict(k - m, -(m - k)) == "proved"


THIN = (
    (absolute(a - b) <= 0,),
    ((a - b) ** 2 <= 0,),
    (a <= b, exp(a) >= exp(b)),
    (equal(exp(a), exp(b)),),
    (equal(a**3, b**3),),
)  # fmt: skip


@pytest.mark.parametrize("given", THIN, ids=str)
def test_hypotheses_without_room_let_no_denominator_pass(given: tuple[Any, ...]) -> None:
    """a - b is 0 on a null set of the plane, but wherever these hold."""
    assert verdict((a - b) / (a - b), 1, *given) != "proved"


@pytest.mark.parametrize("given", [(a >= b,), (absolute(a - b) <= 1,), (a * b >= 0,)], ids=str)
def test_hypotheses_with_room_do(given: tuple[Any, ...]) -> None:
    assert verdict((a + b) / (a + b), 1, *given) == "proved"


t = reals("t")
s = positives("s")
n = naturals("n")
x = variables("x")
WANDERING = {
    "a sum of limits": (limit(n + 1, n, infinity) - limit(n, n, infinity), 1),
    "a slow growth": (limit(log(s), s, infinity) - limit(log(s), s, infinity), 0),
    "at a pole": (limit(1 / s, s, 0) - limit(1 / s, s, 0), 0),
    "to and fro": (limit(sin(t), t, infinity) - limit(sin(t), t, infinity), 0),
    "a supremum": (supremum(t, t) + 1 - supremum(t, t), 1),
    "a supremum, scaled": (supremum(t, t), supremum(2 * t, t) / 2),
    "an infimum": (infimum(log(s), s) - infimum(log(s), s), 0),
    "a supremum of some letters": (supremum(a * t, t) - supremum(a * t, t), 0),
}  # fmt: skip


@pytest.mark.parametrize("what", WANDERING)
def test_what_is_infinite_or_does_not_settle_is_no_number(what: str) -> None:
    assert verdict(*WANDERING[what]) == "refuted"


def test_what_settles_is_one() -> None:
    assert verdict(limit(1 - 1 / n, n, infinity) * 1, 1) == "proved"
    assert verdict(supremum(sin(t), t) - supremum(sin(t), t), 0) == "proved"
    assert verdict(infimum(1 + exp(t), t) - infimum(exp(t), t), 1) == "proved"


def agrees(slope: Node) -> bool:
    """Whether judge B takes a slope for 0."""
    outcome = judge(Claim(slope, "=", number(0))).outcome
    return outcome is not None and bool(outcome.verdict == "agree")


def test_the_slope_of_a_jump_that_moves_is_not_0() -> None:
    """By rule it is 0 at every point; a bell at which something jumps says otherwise."""
    standard, p = Normal(x, 0, 1), Density("p", x)
    for law in (standard, p(x)):
        moving = E(law, indicator(x > t))
        assert not agrees(diff(moving, t))
        bent = E(law, absolute(x - t))
        assert not agrees(diff(diff(bent, t), t))
    assert verdict(diff(E(standard, indicator(x > 0) * t), t), E(standard, indicator(x > 0))) == (
        "proved"
    )


def test_what_letters_are_called_decides_nothing() -> None:
    found = []
    for names in ("x p q f a b", "q_1 x z beta mu alpha", "b a f q p x"):
        letter, p, q, f, c, d = names.split()
        at = variables(letter)
        first, second, g = Density(p, at), Density(q, at, positive=True), Function(f)
        u, v = reals(f"{c} {d}")
        for lhs, rhs in (
            (E(first(at), g(at) ** 2), E(second(at), g(at)) ** 2),
            (u * v + u, u * v + v),
            (E(first(at), g(u) * v), E(first(at), g(v) * u)),
        ):
            outcome = judge(Claim(lhs, "=", rhs)).outcome
            example = outcome.counterexample
            found.append((example["lhs"], example["rhs"], example["difference"]))
    assert found[:3] == found[3:6] == found[6:]


def test_nothing_is_called_as_a_known_function() -> None:
    """Of a function called sin it would be proved that sin(t) > 0."""
    for name in ("sin", "erf", "Gamma", "psi", "lim", "digamma"):
        for make in (Function, lambda word: Density(word, x), lambda word: define(f"{word}(t)", t)):
            with pytest.raises(NotationError):
                make(name)
    assert reals("Gamma psi")


def test_a_count_is_on_no_line() -> None:
    """What it is compared with may be the count itself."""
    count = variables("K", domain="count")
    law = Density("c", count, positive=True)
    for at in (number(1), t, n):
        for one in (law(count), Poisson(count, s), Geometric(count, fractions("v"))):
            both = E(one, indicator(count > at)) + E(one, indicator(count < at))
            assert verdict(both, 1) != "proved"
