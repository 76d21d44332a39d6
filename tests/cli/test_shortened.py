"""What a derivation assumes fits into a line of the terminal, and nothing is told twice."""

from __future__ import annotations

from genmath.cli.reports import shortened
from genmath.proof import Density, E, define, derivation, log, variables
from genmath.proof.language.derivation import Derivation
from genmath.proof.report import check_derivation


def test_alike_ones_stand_together() -> None:
    assert shortened(["a < ∞", "b → 0 at infinity", "c < ∞", "p is smooth"]) == (
        "a, c < ∞; b → 0 at infinity; p is smooth"
    )


def test_of_many_a_few_are_shown_the_shortest_first() -> None:
    many = [f"{'x' * k} < ∞" for k in (6, 5, 4, 3, 2, 1)]
    assert shortened(many) == "x, xx, xxx, and 3 more, < ∞"
    assert shortened(many[2:]) == "x, xx, xxx, xxxx < ∞"


def test_a_defined_letter_and_its_meaning_are_one() -> None:
    x = variables("x")
    p, q = Density("p", x, positive=True), Density("q", x, positive=True)
    ratio = define("r", p(x) / q(x))

    @derivation("twice")
    def twice(d: Derivation) -> None:
        d.start(E(p(x), log(ratio)) + E(p(x), log(p(x) / q(x))))
        d.equals(2 * E(p(x), log(ratio)), by="definition of r")

    assert check_derivation(twice)["assumed"] == ["E[p(x)] abs(log(r)) < ∞"]
