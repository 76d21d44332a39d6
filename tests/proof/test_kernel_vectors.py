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
    "R": {"takes": [0, 0], "inverse": ["R_inverse", "R_det"], "by": "S"},
    "R_inverse": {"takes": [0, 0]},
    "R_det": {"takes": []},
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
        without("V", ranges=[INDEX]),
        without("V", takes=[2], each=None),
        without("R", inverse=["R_inverse"]),
        without("R", inverse=["R_det", "R_inverse"]),
        without("R", inverse=["m", "R_det"]),
        without("R", inverse=["none", "R_det"]),
        without("R", takes=[0]),
        without("R", by=None),
        without("R", by="I"),
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


def written(
    x: str = "(C a (# 0))",
    y: str = "(C a (# 0))",
    mean: str = "(m (# 0))",
    v: str = "(* 1 1 b)",
    inverse: str = "unit",
    rest: str = "0",
) -> str:
    row = f"(S (=> 1 (* ({inverse} (# 1) (# 0)) (+ {y} (- {mean})))))"
    spread = f"(- (/ (/ (* (+ {x} (- {mean})) {row}) {v}) 2))"
    return f"(exp (+ (S (=> 1 (+ (ln (normal 0 0 {v})) {spread}))) (- (/ {rest} 2))))"


def test_a_normal_law_of_vectors() -> None:
    found = law("normals", f"{density()} = {written()}", ("0 < b",))
    assert (found.rejected, found.supposed) == ("", ())
    standard = f"{density(spread='(unit (# 0) (# 1))')} = {written(v='(* 1 1)')}"
    assert not law("normals", standard).rejected
    own = {"inverse": "R_inverse", "rest": "(ln (R_det))"}
    shaped = f"{density(spread='(R (# 0) (# 1))')} = {written(v='(* 1 1)', **own)}"
    assert not law("normals", shaped).rejected
    scaled = f"{density(spread='(* b (R (# 0) (# 1)))')} = {written(**own)}"
    assert not law("normals", scaled, ("0 < b",)).rejected
    assert law("normals", scaled).rejected


def test_a_covariance_is_one_over_the_indices_of_the_law() -> None:
    own = {"inverse": "R_inverse", "rest": "(ln (R_det))"}
    shaped = f"{density(spread='(R (# 0) (# 1))')} = {written(v='(* 1 1)', **own)}"
    inside = ["=", ["other", ["#", 0], ["#", 0]], "1"]
    functions = FUNCTIONS | {"T": SUM | {"ranges": [inside], "each": ["T"], "unit": "other"}}
    assert not law("normals", shaped, (), functions).rejected
    elsewhere = functions | {"R": FUNCTIONS["R"] | {"by": "T"}}
    assert "covariance" in law("normals", shaped, (), elsewhere).rejected


def test_the_law_of_independent_numbers_is_the_product_of_theirs() -> None:
    """In one dimension it is that of a number."""
    one = density("c", "a", "(* b (unit (# 0) (# 1)))")
    right = written("c", "c", "a")
    states = f"(* {one} 1) = (* {right} 1)"
    steps = [["equal", "normals", relation(f"{one} = {right}")[1]],
             ["identity", relation(states), [1]]]  # fmt: skip
    assert accepted(states, steps, ("0 < b",), FUNCTIONS)


@pytest.mark.parametrize(
    ("spread", "given"),
    [
        ("(* b (unit (# 0) (# 1)))", ()),
        ("(* b (unit (# 0) (# 1)))", ("0 <= b",)),
        ("(* b (unit (# 0) (# 1)))", ("b < 0",)),
        ("(* 0 (unit (# 0) (# 1)))", ()),
        ("(* -1 (unit (# 0) (# 1)))", ()),
        ("(- (unit (# 0) (# 1)))", ()),
        ("(unit (# 1) (# 0))", ()),
        ("(unit (# 0) (# 0))", ()),
        ("(C (# 0) (# 1))", ()),
        ("(R (# 0) (# 0))", ()),
        ("(R a (# 1))", ()),
        ("(* (m (# 0)) (unit (# 0) (# 1)))", ("0 < b",)),
        ("(* (unit (# 0) (# 1)) b)", ("0 < b",)),
        ("(+ (# 0) (# 1))", ()),
        ("b", ("0 < b",)),
        ("1", ()),
    ],
)
def test_only_of_what_is_known_to_be_a_covariance(spread: str, given: tuple[str, ...]) -> None:
    whole = density("(entry a (# 0))", spread=spread)
    assert line("a = a", [["equal", "normals", relation(f"{whole} = 1")[1]]], given,
                FUNCTIONS).rejected  # fmt: skip
    mean = mean_of("a", law=density("(entry (# 2) (# 0))", spread=spread))
    steps = [["equal", "moments", relation(f"{mean} = 1")[1]]]
    assert line("a = a", steps, (AT_A, *given), FUNCTIONS).rejected


@pytest.mark.parametrize(
    ("states", "given"),
    [
        (f"{density()} = {written(v='(* 1 b)')}", ("0 < b",)),
        (f"{density()} = {written(inverse='C')}", ("0 < b",)),
        (f"{density()} = {written(rest='1')}", ("0 < b",)),
        (f"{density(x='(C a (# 1))')} = {written()}", ("0 < b",)),
        (f"{density(mean='(m (# 1))')} = {written()}", ("0 < b",)),
        (f"{density()} = {written(y='(C a (# 1))')}", ("0 < b",)),
        (f"{written()} = {written()}", ("0 < b",)),
        ("(S (=> 1 (# 0))) = a", ()),
        ("(m a) = a", ()),
    ],
)
def test_only_as_it_is_defined(states: str, given: tuple[str, ...]) -> None:
    assert law("normals", states, given).rejected


def mean_of(*at: str, law: str = "", function: str = "entry") -> str:
    law = law or density("(entry (# 2) (# 0))", "(m (# 0))", "(R (# 0) (# 1))")
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
    assert not moment(f"{mean_of('a', 'b')} = (+ (* (m a) (m b)) (R a b))").rejected
    fourth = "(+ (^ (m a) 4) (* 6 (^ (m a) 2) (R a a)) (* 3 (^ (R a a) 2)))"  # as of one number
    assert not moment(f"{mean_of(*'aaaa')} = {fourth}").rejected
    assert not moment(f"{mean_of(*'aaa')} = (+ (^ (m a) 3) (* 3 (m a) (R a a)))").rejected
    mixed = (
        "(+ (* (^ (m a) 2) (^ (m b) 2)) (* (^ (m a) 2) (R b b)) (* (^ (m b) 2) (R a a))"
        " (* 2 (m a) (m b) (R a b)) (* 2 (m a) (m b) (R a b)) (* (R a a) (R b b))"
        " (* 2 (^ (R a b) 2)))"
    )
    assert not moment(f"{mean_of(*'aabb')} = {mixed}").rejected
    law_ = density("(entry (# 2) (# 0))", "(m (# 0))", "(R (# 0) (# 1))")
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
        (mean_of("a", law=density("(other (# 2) (# 0))", "(m (# 0))", "(R (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density("(entry (# 2) (# 1))", "(m (# 0))", "(R (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density("(entry a (# 0))", "(m (# 0))", "(R (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density(*["(entry (# 2) (# 0))"] * 2, "(R (# 0) (# 1))")), "(m a)"),
        (mean_of("a", law=density("(entry (# 2) (# 0))", "(m (# 0))",
                                  "(* (m (# 2)) (R (# 0) (# 1)))")), "(m a)"),
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
    assert moment(f"{mean_of('a', 'b')} = (+ (* (m a) (m b)) (R a b))", (AT_A,)).rejected
