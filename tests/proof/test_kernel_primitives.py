"""Integrals with limits, by what has their integrand as its slope."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from genmath.proof.kernel import Rejected
from genmath.proof.kernel.claims import claim
from genmath.proof.kernel.limits import Work
from genmath.proof.kernel.proof import Scope
from genmath.proof.kernel.terms import Term
from tests.proof.certificates import accepted, document, line, relation, term
from tests.proof.test_kernel_facts import term as drawn

BETWEEN = {"takes": [1, 0, 0], "is": "between"}
FUNCTIONS: dict[str, Any] = {
    "B": BETWEEN,
    "F": {"takes": [0], "slope": "f", "smooth": True},
    "f": {"takes": [0], "smooth": True},
    "G": {"takes": [0], "slope": "g"},
    "g": {"takes": [0]},
    "h": {"takes": [0, 0], "smooth": True},
}


def primitive(
    integrand: str,
    whole: str,
    steps: list[Any],
    given: tuple[str, ...] = (),
    functions: dict[str, Any] = FUNCTIONS,
    says: str | None = None,
    ends: tuple[str, str] = ("a", "b"),
) -> Any:
    """That the integral of what holds `@` for the letter is F(b) - F(a)."""
    low, high = (whole.replace("@", end) for end in ends)
    t = f"(B (=> 1 {integrand.replace('@', '(# 0)')}) {' '.join(ends)})"
    step = ["primitive", term(t), term(whole.replace("@", "(# 0)")), ["x"], steps]
    return line(says or f"{t} = (+ {high} (- {low}))", [step], given, functions)


def slope(integrand: str, whole: str, k: int, *before: Any) -> list[Any]:
    """Steps that show it at the letter x, by the fact of number k."""
    at = ["Deriv", ["=>", 1, term(whole.replace("@", "(# 0)"))], "x"]
    equation = ["=", at, term(integrand.replace("@", "x"))]
    return [*before, ["equal", "slope", at], ["identity", equation, [k]]]


SQUARE = "(* 2 @)", "(^ @ 2)"
INVERSE = "(/ 1 @)", "(ln @)"


def test_an_integral_is_the_difference_of_a_primitive() -> None:
    found = primitive(*SQUARE, slope(*SQUARE, 0))
    assert (found.rejected, found.supposed) == ("", ())
    two = primitive(*SQUARE, slope(*SQUARE, 0), says="(B (=> 1 (* 2 (# 0))) a b) = 1")
    assert two.rejected
    backwards = "(B (=> 1 (* 2 (# 0))) a b) = (+ (^ a 2) (- (^ b 2)))"
    assert primitive(*SQUARE, slope(*SQUARE, 0), says=backwards).rejected
    assert primitive("(* 2 @)", "(^ @ 3)", slope("(* 2 @)", "(^ @ 3)", 0)).rejected
    assert primitive("(* 2 @)", "(* @ a)", slope("(* 2 @)", "(* @ a)", 0)).rejected
    assert primitive(*SQUARE, []).rejected


@pytest.mark.parametrize(
    "declared",
    [
        {"is": "endless"},
        {"is": "sum"},
        {"is": "integral"},
        {"is": ""},
        {"takes": [1, 0, 0, 0]},
        {"ranges": [["<", "0", ["#", 0]]]},
    ],
    ids=str,
)
def test_nothing_else_has_limits(declared: dict[str, Any]) -> None:
    others = FUNCTIONS | {"B": BETWEEN | declared}
    assert primitive(*SQUARE, slope(*SQUARE, 0), functions=others).rejected


def test_at_every_place_between_the_limits() -> None:
    """1/x has the primitive ln x where x > 0, which it is from a > 0 to b >= a."""
    known = ["combination", relation("0 < x"), [["1", 0], ["1", 2]], []]
    steps = slope(*INVERSE, 5, known)
    found = primitive(*INVERSE, steps, ("0 < a", "a <= b"))
    assert (found.rejected, found.supposed) == ("", ())
    assert not primitive(*INVERSE, steps, ("0 < a", "a < b")).rejected
    for given in (("0 < a", "0 <= b"), ("0 <= a", "a <= b"), ("0 < b", "a <= b"), ("0 < a",),
                  ("0 < a", "b <= a")):  # fmt: skip
        assert primitive(*INVERSE, steps, given).rejected
    reached = ["combination", relation("0 < x"), [["1", 1]], []]  # x > a is not known: x >= a is
    assert primitive(*INVERSE, slope(*INVERSE, 4, reached), ("a < b",), ends=("0", "b")).rejected


@pytest.mark.parametrize("whole", ["(abs @)", "(/ (abs @) @)", "(sqrt @)", "(ln @)", "(/ 1 @)"])
def test_what_has_no_slope_somewhere_is_no_primitive(whole: str) -> None:
    """Whatever the value of its derivative there is."""
    integrand = f"(Deriv (=> 1 {whole.replace('@', '(# 0)')}) @)"
    at = term(integrand.replace(" @)", " x)"))
    found = primitive(integrand, whole, [["identity", ["=", at, at], []]])
    assert found.rejected in (
        "no rule differentiates this function",
        "it is differentiated where it may have no derivative",
    )


def test_functions_of_which_nothing_is_known() -> None:
    found = primitive("(f @)", "(F @)", slope("(f @)", "(F @)", 0))
    assert (found.rejected, found.supposed) == ("", ())
    found = primitive("(g @)", "(G @)", slope("(g @)", "(G @)", 0))
    assert found.rejected == ""
    assert found.supposed == (
        "G has a derivative in its argument 1", "what stands under B is integrable"
    )  # fmt: skip
    at = term("(Deriv (=> 1 (h (# 0) a)) x)")
    steps = [["equal", "slope", at], ["identity", ["=", at, at], []]]
    found = primitive("(Deriv (=> 1 (h (# 0) a)) @)", "(h @ a)", steps)
    assert (found.rejected, found.supposed) == ("", ("what stands under B is integrable",))


def test_its_letter_is_new() -> None:
    for name in ("a", "B", "PI", "exp", "2"):
        steps = slope(*SQUARE, 0)
        step = ["primitive", term("(B (=> 1 (* 2 (# 0))) a b)"), term("(^ (# 0) 2)"), [name], steps]
        assert not accepted("0 = 0", [step], (), FUNCTIONS)
    of_letter = ["primitive", term("(B (=> 1 (* 2 (# 0))) a b)"), term("(^ x 2)"), ["x"], []]
    assert not accepted("0 = 0", [of_letter], (), FUNCTIONS)


def test_random_primitives() -> None:
    """Whatever is accepted is what the trapezoids add up to."""
    taken = 0
    for k in range(300):
        chance = random.Random(k)
        body = drawn(chance, 3, (["#", 0], ["#", 0], "2"))
        said = document("0 = 0", [], ("1 <= 2",), FUNCTIONS)["lines"][0]["claim"]
        read = claim(said)
        scope = Scope(read, read.read, Work(10**6))
        scope.known.add(("<=", scope.read("1"), scope.read("2")))
        where = scope.limits(("B", None, *map(scope.read, "12")))
        inner, _, _ = scope.inside([["x"], []], 1, where)
        at = ["Deriv", ["=>", 1, body], "x"]
        positive = ["combination", ["<", "0", "x"], [["1", 1], ["1"]], []]
        steps = [positive, ["equal", "slope", at]]
        try:
            for one in steps:
                fact = inner.step(one)
        except Rejected:
            continue
        integrand = _said(fact[2])
        steps.append(["identity", ["=", at, _at(integrand, "x")], [len(inner.facts) - 1]])
        t = ["B", ["=>", 1, integrand], "1", "2"]
        try:
            _, left, right = scope.step(["primitive", t, body, ["x"], steps])
        except Rejected:
            continue
        try:
            f = [_value(integrand, 1 + i / 2000) for i in range(2001)]
            ends = _value(_said(right), 0)
        except (ValueError, ArithmeticError, AttributeError):  # it has no value somewhere
            continue
        area = (sum(f) - (f[0] + f[-1]) / 2) / 2000
        assert math.isclose(area, ends, rel_tol=1e-4, abs_tol=1e-4), (body, left)
        taken += len({*f}) > 1
    assert taken > 10, taken


def _said(t: Term) -> Any:
    """With the letter x bound."""
    if isinstance(t, tuple):
        return [a if isinstance(a, int) or k == 0 else _said(a) for k, a in enumerate(t)]
    return ["#", 0] if t == "x" else str(t)


def _at(t: Any, x: str) -> Any:
    if t == ["#", 0]:
        return x
    return [_at(a, x) for a in t] if isinstance(t, list) else t


def _value(t: Any, x: float) -> float:
    if isinstance(t, str):
        over, _, under = t.partition("/")
        return math.pi if t == "PI" else float(over) / float(under or 1)
    match t[0]:
        case "#":
            return x
        case "^":
            return _value(t[1], x) ** float(t[2])
    v = [_value(a, x) for a in t[1:]]
    match t[0]:
        case "+":
            return sum(v)
        case "*":
            return math.prod(v)
        case "-":
            return -v[0]
        case "/":
            return v[0] / v[1]
        case "ln":
            return math.log(v[0])
        case "log_gap":
            return v[0] - 1 - math.log(v[0])
        case "normal":
            return math.exp(-((v[0] - v[1]) ** 2) / 2 / v[2]) / math.sqrt(2 * math.pi * v[2])
        case "abs":
            return abs(v[0])
    return float(getattr(math, t[0])(v[0]))
