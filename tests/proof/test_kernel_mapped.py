"""Integrals over the line, with a map of the line onto itself in place of their letter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proof.certificates import line, relation

LINE = {"takes": [1], "is": "integral", "line": True}
FUNCTIONS: dict[str, Any] = {
    "X": LINE | {"each": ["X"]},
    "Y": LINE | {"each": ["Y"]},
    "I": {"takes": [1], "ranges": [["<", "0", ["#", 0]]], "is": "integral", "each": ["I"]},
    "J": {"takes": [1], "is": "integral", "each": ["J"]},
    "f": {"takes": [0]},
    "k": {"takes": [0, 0]},
    "g": {"takes": [0], "smooth": True, "slope": "g_d"},
    "h": {"takes": [0]},
    "g_d": {"takes": [0]},
}
UNDONE = (1, (), "(g (h (# 0))) = (# 0)"), (1, (), "(h (g (# 0))) = (# 0)")
STATES = "(X (=> 1 (f (# 0)))) = (Y (=> 1 (* (abs (g_d (# 0))) (f (g (# 0))))))"


def mapped(
    states: str,
    *names: Any,
    functions: dict[str, Any] = FUNCTIONS,
    always: tuple[Any, ...] = UNDONE,
    given: tuple[str, ...] = (),
) -> Any:
    step = ["mapped", relation(states)[1], *(names or ("Y", "g", "h"))]
    return line(states, [step], given, functions, always=always)


def test_a_map_in_place_of_the_letter() -> None:
    found = mapped(STATES)
    assert (found.rejected, found.supposed) == (
        "", ("integrals over the line exist, and may be substituted in",)
    )  # fmt: skip
    assert not mapped(STATES.replace("(Y", "(X"), "X", "g", "h").rejected


def test_what_stands_under_other_binders_goes_by_it_too() -> None:
    states = (
        "(X (=> 1 (Y (=> 1 (k (# 0) (# 1))))))"
        " = (Y (=> 1 (* (abs (g_d (# 0))) (Y (=> 1 (k (# 0) (g (# 1))))))))"
    )
    assert not mapped(states).rejected
    assert mapped(states.replace("(g (# 1))", "(g (# 0))")).rejected  # captured


@pytest.mark.parametrize(
    "states",
    [
        STATES.replace("(abs (g_d (# 0)))", "(g_d (# 0))"),
        STATES.replace("(abs (g_d (# 0)))", "1"),
        STATES.replace("(g_d (# 0))", "(g_d (g (# 0)))"),
        STATES.replace("(f (g (# 0)))", "(f (h (# 0)))"),
        STATES.replace("(f (g (# 0)))", "(f (# 0))"),
        STATES.replace("(Y", "(X"),
        STATES.replace("(X", "(I"),
        STATES.replace("(X", "(J"),
    ],
    ids=str,
)
def test_nothing_else_follows(states: str) -> None:
    assert states != STATES
    assert mapped(states).rejected


@pytest.mark.parametrize("other", ["I", "J", "f", "Z", "", None, 0, ["Y"]], ids=str)
def test_both_are_over_the_line(other: Any) -> None:
    assert mapped(STATES, other, "g", "h").rejected
    if isinstance(other, str) and other in FUNCTIONS:
        assert mapped(STATES.replace("(Y", f"({other}"), other, "g", "h").rejected


@pytest.mark.parametrize(
    "always",
    [
        (),
        UNDONE[:1],  # it need not be onto the line
        UNDONE[1:],  # it may take a value twice
        (UNDONE[0], (1, (), "(h (g (# 0))) = (g (# 0))")),
        (UNDONE[0], (1, ("0 < (# 0)",), UNDONE[1][2])),
        (UNDONE[0], (2, (), UNDONE[1][2])),
        (UNDONE[0], (1, (), UNDONE[1][2].replace(" =", " <="))),
    ],
    ids=str,
)
def test_both_undo_one_another_everywhere(always: tuple[Any, ...]) -> None:
    assert mapped(STATES, always=always).rejected
    if not always:
        given = "(g (h a)) = a", "(h (g a)) = a"
        assert mapped(STATES, always=always, given=given).rejected


def test_it_is_declared_smooth_with_its_slope() -> None:
    for left in ("smooth", "slope"):
        less = {k: v for k, v in FUNCTIONS["g"].items() if k != left}
        assert mapped(STATES, functions=FUNCTIONS | {"g": less}).rejected
    assert mapped(STATES, "Y", "h", "g").rejected  # of h no slope is known


@pytest.mark.parametrize("name", ["exp", "Z", "", None, 0, ["g"], "X"], ids=str)
def test_it_is_the_name_of_a_function(name: Any) -> None:
    assert mapped(STATES, "Y", name, "h").rejected
    assert mapped(STATES, "Y", "g", name).rejected
