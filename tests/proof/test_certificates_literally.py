"""What a claim says, read literally: hypotheses say nothing of what their letters cannot be."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Poisson,
    equal,
    integral,
    number,
    positives,
    reals,
    variables,
)
from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.shown import shown
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.kernel.claims import claim as read
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.tree import Relation
from tests.proof.alterations import outcome

a, b = positives("a b")
c, r = reals("c r")
y = variables("y")
m, n = variables("m", domain="integer"), variables("n", domain="count")
z, bit = variables("z", domain={0, 1, 2}), variables("w", domain="bit")
between, unit = variables("x", domain=(c, r)), variables("u", domain=(0, 1))
f, convex = Function("f"), Function("g", convex=True)
p = Density("p", y)
AVERAGE = E(p(y), f(y)) >= 0


def under(claim: Any, *hypotheses: Any) -> Claim:
    said_of = (
        Relation(g.lhs, g.relation, g.rhs) if isinstance(g, Claim) else g for g in hypotheses
    )
    return replace(as_claim(claim), given=tuple(said_of))


@pytest.mark.parametrize(
    "claim",
    [
        under(AVERAGE, f(m) >= 0),
        under(AVERAGE, f(n) >= 0),
        under(AVERAGE, f(z) >= 0),
        under(integral(f(y), y) >= 0, f(m) >= 0),
        under(r - c > 0, f(between) >= 0),
        under(r - c > 0, -1 - between**2 >= 0),  # it may say nothing
        under(convex.conjugate(2) >= 2 * a - convex(a), equal(convex(y), y)),
        as_claim(Poisson(number(1) / 2, b) > 0),
    ],
    ids=repr,
)
def test_what_does_not_follow_has_no_proof(claim: Claim) -> None:
    with pytest.raises(NoProof):
        certificate(stated(claim))


@pytest.mark.parametrize(
    "claim",
    [
        under(AVERAGE, f(y) >= 0),
        under(f(m) >= 0, f(m) >= 0),
        under(f(z) >= -1, f(z) >= 0),
        under(f(between) >= 0, f(between) >= 0),
        under(r - c > 0, r - c > 1),
        under(f(unit) + unit > 0, f(unit) >= 0),
        under(f(bit) + 1 > 0, f(bit) >= 0),
        as_claim(convex.conjugate(2) >= 2 * a - convex(a)),
    ],
    ids=repr,
)
def test_what_follows_has_one(claim: Claim) -> None:
    found = outcome(certificate(stated(claim)))
    assert found is not None
    assert not found.rejected


@pytest.mark.parametrize("letter", [m, n, z], ids=repr)
def test_what_holds_of_some_numbers_is_not_given_of_all(letter: Any) -> None:
    claim = said.claim(stated(under(a + b > 0, letter**2 >= letter)))
    assert "always" not in claim
    kept = said.claim(stated(under(a + b > 0, y**2 + 1 >= y)))
    assert len(kept["always"]) == 1


def test_an_interval_that_may_hold_nothing_is_a_premise_alone() -> None:
    claim = said.claim(stated(under(a + b > 0, f(between) >= 0)))
    assert claim["given"] == [["<", "0", "a"], ["<", "0", "b"]]
    ((_, premises, _),) = claim["always"]
    assert len(premises) == 2


# --- as a claim is shown

FUNCTIONS: dict[str, Any] = {
    "X": {"takes": [1], "is": "sum", "each": ["Y"]},
    "Y": {"takes": [1], "is": "sum", "each": ["Y"]},
    "q": {"takes": [0], "ratio": ["a1", "1"]},
    "k": {"takes": [0], "chain": [["#", 0], "a1"]},
}
CLAIM: dict[str, Any] = {
    "letters": ["a1"], "functions": FUNCTIONS, "given": [], "results": [],
    "always": [[1, [], ["=", ["#", 0], "a1"]]], "states": ["=", "1", "2"],
}  # fmt: skip


def test_names_of_arguments_are_no_letters() -> None:
    lines = shown(read(CLAIM))
    assert "where, for all @1: @1 = a1" in lines
    (ratio,) = (line for line in lines if " q(" in line)
    (chain,) = (line for line in lines if " k(" in line)
    assert "which is a1 / 1" in ratio
    assert "which is @1 * a1" in chain
    for line in lines:
        bound = re.findall(r"for all (.*?):", line)
        assert not any("a1" in names for names in bound)


def test_of_what_an_integral_consists_is_shown_unless_it_is_itself() -> None:
    lines = shown(read(CLAIM))
    (one,) = (line for line in lines if " X(" in line)
    (other,) = (line for line in lines if " Y(" in line)
    assert "of Y" in one
    assert "of Y" not in other
