"""What is said of a step: numbers that round sensibly, and only what matters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from genmath.cli.reports import why
from genmath.proof import (
    Density,
    Derivation,
    E,
    Function,
    derivation,
    indicator,
    log,
    number,
    positives,
    sqrt,
    variables,
    vectors,
)
from genmath.proof.language.text import text
from genmath.proof.report import check_derivation

x, y = variables("x y")
f, g = Function("f"), Function("g")
plan = Density("pi", x, y)
a, sigma = positives("a sigma")


def lines(left: Any, right: Any, relation: str = "equals", **options: Any) -> list[str]:
    def build(d: Derivation) -> None:
        d.start(left)
        getattr(d, relation)(right, by="so it is said")

    made: Callable[..., Derivation] = derivation("judged in a test", **options)
    return list(why(check_derivation(made(build))["steps"][0]))


def test_a_zero_is_0_and_a_number_has_six_digits() -> None:
    said = lines(E(plan(x), f(x)) - E(plan(x), f(x)), E(plan(x, y), indicator(f(x) > f(y))))
    (values,) = [line for line in said if line.startswith("counterexample: ")]
    assert re.fullmatch(r"counterexample: lhs = 0, rhs = (0\.\d{6}), difference = -\1", values)
    assert any(line.strip().startswith("π(x, y)") for line in said)
    assert any(line.strip().startswith("f(u) = ") for line in said)


def test_where_nothing_was_drawn_there_is_no_world() -> None:
    assert lines(number(1), 2)[-1] == "counterexample: lhs = 1, rhs = 2, difference = -1"


def test_sides_that_are_close_are_told_apart() -> None:
    (values,) = [line for line in lines(number(1), 1 + number(1) / 10**7) if "lhs" in line]
    assert values == "counterexample: lhs = 1, rhs = 1.0000001, difference = -1e-07"


def test_letters_are_the_authors_and_only_those_of_the_claim() -> None:
    said = lines(sigma, 2 * sigma)
    assert said[-3:-1] == ["  world:", "    parameters:"]
    assert said[-1].startswith("      σ = ")


def test_a_dimension_is_shown_where_it_is_not_1() -> None:
    u = vectors("u")
    assert not any(", d = " in line for line in lines(u, 2 * u))
    assert any(line.endswith(", d = 2") for line in lines(u, 2 * u, dims=(2,)))


def test_an_open_step_says_in_which_worlds_its_sides_agree() -> None:
    p = Density("p", x, y)
    said = lines(log(p(x, y)), log(p(y | x)) + log(p(x)))
    (agrees,) = [line for line in said if line.startswith("agrees in ")]
    assert agrees.endswith(" worlds: discrete tables")
    said = lines((a + sigma) / 2, sqrt(a * sigma), "at_least")
    assert said[-1].endswith(" worlds: random values of the letters")


def test_an_indicator_prints_as_it_is_typed() -> None:
    assert text(indicator(f(x) > f(y))) == "indicator(f(x) > f(y))"
    assert text(indicator(f(x) + a > 0)) == "indicator(f(x) + a > 0)"
    assert text(indicator(f(x) > g(y) + a)) == "indicator(f(x) > g(y) + a)"
