"""Integrals over the line, with a line in place of their letter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proof.certificates import line, relation, term

LINE = {"takes": [1], "is": "integral", "line": True}
FUNCTIONS: dict[str, Any] = {
    "X": LINE | {"each": ["X"]},
    "Y": LINE | {"each": ["Y"]},
    "I": {"takes": [1], "ranges": [["<", "0", ["#", 0]]], "is": "integral", "each": ["I"]},
    "J": {"takes": [1], "is": "integral", "each": ["J"]},
    "f": {"takes": [0]},
    "g": {"takes": [0, 0]},
}
STATES = "(X (=> 1 (f (# 0)))) = (Y (=> 1 (* b (f (+ a (* b (# 0)))))))"


def moved(states: str, other: Any = "Y", shift: Any = "a", factor: Any = "b", *given: str) -> Any:
    step = ["moved", relation(states)[1], other, shift, factor]
    return line(states, [step], given or ("0 < b",), FUNCTIONS)


def test_a_line_in_place_of_the_letter() -> None:
    found = moved(STATES)
    assert (found.rejected, found.supposed) == (
        "", ("integrals over the line exist, and may be substituted in",)
    )  # fmt: skip
    assert not moved(STATES.replace("(Y", "(X"), "X").rejected
    two = "(X (=> 1 (f (# 0)))) = (Y (=> 1 (* 2 (f (+ a (* 2 (# 0)))))))"
    assert not moved(two, "Y", "a", "2").rejected


def test_what_stands_under_other_binders_moves_too() -> None:
    states = (
        "(X (=> 1 (Y (=> 1 (g (# 0) (# 1))))))"
        " = (Y (=> 1 (* b (Y (=> 1 (g (# 0) (+ a (* b (# 1)))))))))"
    )
    assert not moved(states).rejected
    assert moved(states.replace("(* b (# 1))", "(* b (# 0))")).rejected  # captured


@pytest.mark.parametrize(
    "states",
    [
        STATES.replace("(* b (f", "(* a (f"),
        STATES.replace("(* b (f", "(* 1 (f"),
        STATES.replace("(+ a (* b (# 0)))", "(# 0)"),
        STATES.replace("(+ a (* b (# 0)))", "(+ b (* a (# 0)))"),
        STATES.replace("(Y", "(X"),
        STATES.replace("(X", "(I"),
        STATES.replace("(X", "(J"),
        STATES.replace("(X", "(f", 1).replace("(=> 1 (f (# 0)))", "a"),
    ],
    ids=str,
)
def test_nothing_else_follows(states: str) -> None:
    assert states != STATES
    assert moved(states).rejected


@pytest.mark.parametrize("other", ["I", "J", "f", "Z", "", None, 0, ["Y"]], ids=str)
def test_both_are_over_the_line(other: Any) -> None:
    assert moved(STATES, other).rejected
    if isinstance(other, str) and other in FUNCTIONS:
        assert moved(STATES.replace("(Y", f"({other}"), other).rejected


def test_it_is_scaled_by_what_is_positive() -> None:
    for given in (("0 <= b",), ("b != 0",), ("b < 0",), ("0 < a",)):
        assert moved(STATES, "Y", "a", "b", *given).rejected
    for number in ("0", "-1"):
        by = STATES.replace("(* b", f"(* {number}")
        assert moved(by, "Y", "a", number).rejected
    letter = term("(# 0)")
    assert moved(STATES.replace("(+ a", "(+ (# 0)"), "Y", letter).rejected
