"""What is stated of a letter is not known where a letter of that name is bound."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from genmath.proof import (
    Sequence,
    arctan,
    define,
    derivation,
    exp,
    infinity,
    integral,
    limit,
    naturals,
    positives,
    product,
    reals,
    total,
)
from genmath.proof.language.derivation import Derivation
from genmath.proof.report import check_derivation
from genmath.proof.symbolic.definitions import definition_letter
from genmath.proof.symbolic.facts import assuming
from genmath.proof.symbolic.stated import around, without

u = positives("u")
k, n = naturals("k n")
c, v = reals("c v")
a = Sequence("a")
D = define("D", n - 5)


def side(e: Any) -> Any:
    """pi/2 where e > 0, -pi/2 where e < 0; the numbers of judge B do not go that far."""
    return limit(arctan(u * e), u, infinity)


def verdict(given: Any, left: Any, strict: bool = False) -> str:
    @derivation("a sign")
    def sign(d: Derivation) -> None:
        d.given_that(given)
        d.start(left)
        (d.more_than if strict else d.at_least)(0, by="given")

    return str(check_derivation(sign)["steps"][0]["verdict"])


FALSE = {
    "of a sum": (n > 5, total(side(n - 5), n, 1, 4)),
    "of a product": (n > 5, product(side(n - 5), n, 1, 3)),
    "of a sum, beside another": (n > k, total(side(n - k), k, 1, 4)),
    "in a definition": (D > 0, total(side(D), n, 1, 4)),
    "of a member": (a[n] > 5, total(side(a[n] - 5), n, 1, 4)),
}


@pytest.mark.parametrize("what", FALSE)
def test_nothing_is_known_of_a_bound_letter(what: str) -> None:
    assert verdict(*FALSE[what]) != "proved"


def test_nor_of_the_letter_of_an_integral() -> None:
    whole = integral(exp(-(v**2)) * side(v), v, between=(-infinity, infinity))
    assert verdict(v > 0, whole, strict=True) != "proved"


def test_what_is_free_under_a_sum_keeps_what_is_known() -> None:
    assert verdict(c > 5, total(side(n * (c - 5)), n, 1, 4)) == "proved"


def test_of_which_letters_a_fact_speaks() -> None:
    letter = sp.Symbol("c", real=True)
    facts = [(e, False) for e in (letter, sp.Symbol("c[1]"), definition_letter("d", letter - 5))]
    for fact in facts:
        with assuming((fact,)):
            assert without(c) == around(c) == ()
            assert without(v) == around(v) == (fact,)
        with assuming(((fact[0], True),)):
            assert around(c)  # what is > 0 at one place is so near it
