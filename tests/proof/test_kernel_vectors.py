"""Sums over indices and normal laws of vectors: what the kernel accepts, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proof.certificates import accepted, line, relation

INDEX = ["=", ["unit", ["#", 0], ["#", 0]], "1"]
OTHER = ["=", ["unit", ["#", 1], ["#", 1]], "1"]
SUM: dict[str, Any] = {
    "takes": [1], "ranges": [INDEX], "is": "sum", "each": ["S"], "unit": "unit",
}  # fmt: skip
POINTS: dict[str, Any] = {
    "takes": [1],
    "is": "integral",
    "each": ["V"],
    "points": "entry",
    "by": "S",
}
NORMAL: dict[str, Any] = {
    "takes": [2, 2, 2], "ranges": [INDEX, OTHER], "is": "normal", "by": "S",
}  # fmt: skip
FUNCTIONS: dict[str, Any] = {
    "S": SUM,
    "V": POINTS,
    "N": NORMAL,
    "I": {"takes": [1], "is": "integral", "each": ["I"]},
    "unit": {"takes": [0, 0]},
    "entry": {"takes": [0, 0]},
    "other": {"takes": [0, 0]},
    "m": {"takes": [0]},
    "C": {"takes": [0, 0]},
    "Q": {"takes": [0, 0]},
}
AT_A, AT_B = "(unit a a) = 1", "(unit b b) = 1"


def without(name: str, **other: Any) -> dict[str, Any]:
    """The same functions, of which one is declared otherwise."""
    return FUNCTIONS | {name: {k: v for k, v in (FUNCTIONS[name] | other).items() if v is not None}}


def law(
    rule: str, states: str, given: tuple[str, ...] = (), functions: dict[str, Any] = FUNCTIONS
) -> Any:
    return line(states, [["equal", rule, relation(states)[1]]], given, functions)


SIFT = "(S (=> 1 (* (unit (# 0) a) (m (# 0))))) = (* 1 (m a))"


def test_an_identity_matrix_leaves_one_term_of_a_sum() -> None:
    found = law("sift", SIFT, (AT_A,))
    assert (found.rejected, found.supposed) == ("", ())
    inside = (
        "(S (=> 1 (* (unit (# 0) a) (S (=> 1 (C (# 1) (# 0))))))) = (* 1 (S (=> 1 (C a (# 0)))))"
    )
    assert not law("sift", inside, (AT_A,)).rejected


@pytest.mark.parametrize("given", [(), (AT_B,), ("(unit a b) = 1",), ("0 < (unit a a)",)])
def test_only_at_what_is_known_to_be_an_index(given: tuple[str, ...]) -> None:
    assert law("sift", SIFT, given).rejected


@pytest.mark.parametrize(
    "states",
    [
        "(S (=> 1 (* (unit (# 0) a) (m (# 0))))) = (* 1 (m b))",
        "(S (=> 1 (* (C (# 0) a) (m (# 0))))) = (* 1 (m a))",
        "(S (=> 1 (* (unit (# 0) (# 0)) (m (# 0))))) = (* 1 (m a))",
        "(S (=> 1 (* (m (# 0)) (unit (# 0) a)))) = (* 1 (m a))",
        "(S (=> 1 (^ (unit (# 0) a) 2))) = 1",
        "(S (=> 1 (# 0))) = a",
        "(I (=> 1 (* (unit (# 0) a) (m (# 0))))) = (* 1 (m a))",
        "(m a) = (m a)",
    ],
)
def test_only_of_an_identity_matrix_at_the_letter_of_the_sum(states: str) -> None:
    assert law("sift", states, (AT_A,)).rejected


@pytest.mark.parametrize(
    "other",
    [
        without("S", ranges=None),
        without("S", ranges=[["=", ["unit", ["#", 0], "1"], "1"]]),
        without("S", ranges=[["=", ["C", ["#", 0], ["#", 0]], "1"]]),
        without("S", **{"is": "integral"}),
        without("S", **{"is": None, "each": None}),
        without("S", unit="m"),
        without("S", unit="none"),
        without("S", takes=[2], each=None),
        without("V", points="m"),
        without("V", points="none"),
        without("V", line=True),
        without("V", **{"is": "sum"}),
        without("V", each=None),
        without("V", by=None),
        without("V", by="I"),
        without("N", by=None),
        without("N", by="I"),
        without("N", by="V"),
        without("N", takes=[1, 1, 1]),
        without("N", takes=[2, 2]),
        without("N", ranges=[INDEX]),
        without("N", ranges=None),
        without("I", **{"is": "normal", "by": "S"}),
    ],
)
def test_declarations_fit(other: dict[str, Any]) -> None:
    assert accepted("a = a", [["identity", relation("a = a"), []]], (), FUNCTIONS)
    assert not accepted("a = a", [["identity", relation("a = a"), []]], (), other)


TWICE = "(S (=> 1 (S (=> 1 (C (# 1) (# 0)))))) = (S (=> 1 (S (=> 1 (C (# 0) (# 1))))))"


def iterated(states: str, order: list[int], body: str, functions: dict[str, Any]) -> Any:
    _, left, right = relation(states)
    steps = [["identity", relation(body), []]]
    return line(
        states, [["iterated", left, right, order, ["u", "v"], steps]], (), functions
    )  # fmt: skip


def test_finite_sums_may_be_taken_in_any_order() -> None:
    inside = "(* 1 (* 1 (C u v))) = (* 1 (* 1 (C u v)))"
    found = iterated(TWICE, [1, 0], inside, FUNCTIONS)
    assert (found.rejected, found.supposed) == ("", ())
    assert iterated(TWICE, [0, 1], inside, FUNCTIONS).rejected
    mixed = "(S (=> 1 (I (=> 1 (C (# 1) (# 0)))))) = (I (=> 1 (S (=> 1 (C (# 0) (# 1))))))"
    found = iterated(mixed, [1, 0], inside, FUNCTIONS)
    assert not found.rejected
    assert found.supposed == ("integrals exist, and may be taken in any order",)
    other = TWICE.replace("(C (# 0) (# 1))", "(C (# 0) (# 0))")
    assert iterated(other, [1, 0], inside, FUNCTIONS).rejected


def density(
    x: str = "(C a (# 0))", mean: str = "(m (# 0))", spread: str = "(* b (unit (# 0) (# 1)))"
) -> str:
    return f"(N (=> 2 {x}) (=> 2 {mean}) (=> 2 {spread}))"


def independent(x: str = "(C a (# 0))", mean: str = "(m (# 0))", v: str = "(* 1 b)") -> str:
    return f"(exp (S (=> 1 (ln (normal {x} {mean} {v})))))"


def test_a_normal_law_of_independent_numbers_is_the_product_of_theirs() -> None:
    found = law("normals", f"{density()} = {independent()}", ("0 < b",))
    assert (found.rejected, found.supposed) == ("", ())
    standard = f"{density(spread='(unit (# 0) (# 1))')} = {independent(v='1')}"
    assert not law("normals", standard).rejected


@pytest.mark.parametrize(
    ("states", "given"),
    [
        (f"{density()} = {independent()}", ()),
        (f"{density()} = {independent()}", ("0 <= b",)),
        (f"{density()} = {independent(v='b')}", ("0 < b",)),
        (f"{density(spread='(* 2 b (unit (# 0) (# 1)))')} = {independent()}", ("0 < b",)),
        (f"{density(spread='(unit (# 1) (# 0))')} = {independent(v='1')}", ()),
        (f"{density(spread='(C (# 0) (# 1))')} = {independent(v='1')}", ()),
        (f"{density(spread='(unit (# 0) (# 0))')} = {independent(v='1')}", ()),
        (f"{density(spread='b')} = {independent()}", ("0 < b",)),
        (f"{density(spread='(* (m (# 0)) (unit (# 0) (# 1)))')} = {independent(v='1')}", ()),
        (f"{density(x='(C a (# 1))')} = {independent()}", ("0 < b",)),
        (f"{density(mean='(m (# 1))')} = {independent()}", ("0 < b",)),
        (f"{independent()} = {independent()}", ("0 < b",)),
        ("(S (=> 1 (# 0))) = a", ()),
    ],
)
def test_only_of_one_variance_above_zero(states: str, given: tuple[str, ...]) -> None:
    assert law("normals", states, given).rejected


def mean_of(*at: str, law: str = "", function: str = "entry") -> str:
    law = law or density("(entry (# 2) (# 0))", "(m (# 0))", "(C (# 0) (# 1))")
    return f"(V (=> 1 (* {' '.join(f'({function} (# 0) {t})' for t in at)} {law})))"


def moment(states: str, given: tuple[str, ...] = (AT_A, AT_B), by: bool = True) -> Any:
    """That both sides are equal, by what the rule gives for the left one."""
    steps = [["equal", "moments", relation(states)[1]]]
    fact = len(given)
    return line(states, [*steps, ["identity", relation(states), [fact]]], given, FUNCTIONS)


def test_moments_of_coordinates() -> None:
    found = moment(f"{mean_of('a')} = (m a)")
    assert not found.rejected
    assert found.supposed == ("the moments of a normal law of vectors",)
    assert not moment(f"{mean_of('a', 'b')} = (+ (* (m a) (m b)) (C a b))").rejected
    fourth = "(+ (^ (m a) 4) (* 6 (^ (m a) 2) (C a a)) (* 3 (^ (C a a) 2)))"  # as of one number
    assert not moment(f"{mean_of(*'aaaa')} = {fourth}").rejected
    assert not moment(f"{mean_of(*'aaa')} = (+ (^ (m a) 3) (* 3 (m a) (C a a)))").rejected
    mixed = (
        "(+ (* (^ (m a) 2) (^ (m b) 2)) (* (^ (m a) 2) (C b b)) (* (^ (m b) 2) (C a a))"
        " (* 2 (m a) (m b) (C a b)) (* 2 (m a) (m b) (C a b)) (* (C a a) (C b b))"
        " (* 2 (^ (C a b) 2)))"
    )
    assert not moment(f"{mean_of(*'aabb')} = {mixed}").rejected
    law_ = density("(entry (# 2) (# 0))", "(m (# 0))", "(C (# 0) (# 1))")
    assert not moment(f"(V (=> 1 {law_})) = 1").rejected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (mean_of("a"), "(m b)"),
        (mean_of("a", "b"), "(* (m a) (m b))"),
        (mean_of(*"aaaaa"), "1"),
        (mean_of("(# 0)"), "(m a)"),
        (mean_of("a", function="other"), "(m a)"),
        (mean_of("a", function="C"), "(m a)"),
        (mean_of("c"), "(m c)"),
        (mean_of("a", law=density("(other (# 2) (# 0))", "(m (# 0))", "(C (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density("(entry (# 2) (# 1))", "(m (# 0))", "(C (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density("(entry a (# 0))", "(m (# 0))", "(C (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density("(entry (# 2) (# 0))", "(entry (# 2) (# 0))", "(C (# 0) (# 1))")),
         "(m a)"),
        (mean_of("a", law=density("(entry (# 2) (# 0))", "(m (# 0))", "(C (# 0) (# 2))")), "(m a)"),
        (mean_of("a", law="(m (# 0))"), "(m a)"),
        ("(V (=> 1 (# 0)))", "1"),
        ("(S (=> 1 (* (entry (# 0) a) (m (# 0)))))", "(m a)"),
        (mean_of("a").replace("(V ", "(I "), "(m a)"),
    ],
)  # fmt: skip
def test_only_of_coordinates_by_their_law(left: str, right: str) -> None:
    assert moment(f"{left} = {right}").rejected


def test_only_at_indices() -> None:
    more = FUNCTIONS | {"S2": SUM | {"each": ["S2"]}}
    of_others = [["equal", "moments", relation(f"{mean_of('a')} = (m a)")[1]]]
    assert accepted("a = a", [*of_others, ["identity", relation("a = a"), []]], (AT_A,), more)
    more |= {"N": NORMAL | {"by": "S2"}}
    assert not accepted("a = a", [*of_others, ["identity", relation("a = a"), []]], (AT_A,), more)
    assert moment(f"{mean_of('a')} = (m a)", (AT_B,)).rejected
    assert moment(f"{mean_of('a', 'b')} = (+ (* (m a) (m b)) (C a b))", (AT_A,)).rejected
