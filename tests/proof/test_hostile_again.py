"""What a second hostile reader tried: false claims once proved, or that crashed the checker."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import FiniteSet, absolute, equal, exp, number, reals, total
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
