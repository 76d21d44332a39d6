"""What has no meaning ends in a sentence that says so: in a refusal, or in a verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genmath.proof import (
    Density,
    FiniteSet,
    Function,
    NotationError,
    Poisson,
    Sequence,
    attained,
    derivation,
    equal,
    exp,
    fenchel_gap,
    identity_of,
    infinity,
    limit,
    matrices,
    mean_vectors,
    naturals,
    number,
    plus,
    product,
    reals,
    supremum,
    tangent_gap,
    transpose,
    variables,
    vectors,
)
from genmath.proof.check import check
from genmath.proof.language.derivation import Derivation
from genmath.proof.report import report

a = reals("a")
i = naturals("i")
x = variables("x")
X = vectors("X")
f = Function("f")
p = Density("p", x)
W = matrices("W", rows=2, columns=3)
Q = matrices("Q", domain="orthogonal")
letters: Any = [3, None, ["x"], b"x"]

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no text": (lambda: reals(letters[0]), "names=3: expected text"),
    "none": (lambda: variables(letters[1]), "names=None: expected text"),
    "a list": (lambda: reals(letters[2]), r"names=\['x'\]: expected text"),
    "bytes": (lambda: FiniteSet("L").members(letters[3]), "names=b'x': expected text"),
    "a domain": (lambda: mean_vectors("m", domain=letters[2]), r"domain=\['x'\]: expected one of"),
    "of a sequence": (lambda: Sequence("b", domain=letters[2]), "is not one of its domains"),
    "f alone": (lambda: f + 1, "f .Function. is not a mathematical expression: write it with"),
    "1 + p": (lambda: 1 + p, "p .Density. is not a mathematical expression"),
    "p/p": (lambda: p / p(x), "p .Density. is not a mathematical expression"),
    "//": (lambda: a // 2, "write a / b"),
    "%": (lambda: 3 % a, "write a / b"),
    "an entry": (lambda: X[0], r"X\[0\]: X has no members"),
    "a number": (lambda: tangent_gap(letters[0], a, a), r"tangent_gap\(3, ...\): expected a Fun"),
    "nothing": (lambda: fenchel_gap(letters[1], a, a), "expected a Function"),
    "no list": (lambda: plus(letters[0]), r"plus\(3\): expected a list"),
    "a letter": (lambda: plus(a), r"plus\(a\): expected a list"),  # type: ignore[arg-type]
    "a map of the line": (
        lambda: Function("F", increasing=True)(X), r"F\(X\): expected a number",
    ),
    "a conjugate": (
        lambda: Function("h", convex=True).conjugate(X), r"h\(X\): expected a number",
    ),
    "no function": (lambda: derivation("t")(letters[0]), "stands above a def; it was given 3"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_typed_is_refused(what: str) -> None:
    build, said = REFUSED[what]
    with pytest.raises(NotationError, match=said):
        build()


def test_members_of_a_sequence_and_products_of_maps_are_as_before() -> None:
    assert repr(Sequence("b")[i]) == "b[i]"
    with pytest.raises(TypeError, match="not iterable"):
        list(a)


TRIED: dict[str, tuple[Any, str]] = {
    "a mass at a half": (
        equal(Poisson(number(1) / 2, 1), 0),
        r"Poisson\(1/2; 1\): 1/2 is not known to be a count; expected a letter declared by "
        r"variables\(..., domain='count'\)",
    ),
    "infinity": (a < infinity, "infinity is no number"),
    "a supremum": (supremum(f(x), x) <= 1, r"sup\[x\] f\(x\) has no value in a world"),
    "a limit": (equal(limit(f(a), a, infinity), 0), "has no value in a world"),
    "a half-th member": (Sequence("b")[number(1) / 2] > 0, "1/2 is no index"),
    "a function of a matrix": (equal(exp(Q), 1), r"expected a number, found a matrix: Q"),
    "too many columns": (
        equal(transpose(W) * W, identity_of(3)),
        "W: 3 orthonormal vectors of 2 entries",
    ),
    "no square": (equal(transpose(W), W), "no world found in which the hypotheses hold"),
    "long": (product(i, i, 1, number(10) ** 7) > 0, "not decided within 0.5 s"),
}


@pytest.mark.parametrize("what", TRIED)
def test_a_hypothesis_that_cannot_be_tried_is_a_problem_of_the_derivation(what: str) -> None:
    hypothesis, said = TRIED[what]

    @derivation("t")
    def stated(d: Derivation) -> None:
        d.given_that(hypothesis)
        d.start(a + a)
        d.equals(2 * a, by="twice")

    judged = check(stated, timeout=0.5)
    assert not judged.ok
    with pytest.raises(AssertionError, match=said):
        raise AssertionError("; ".join(judged.problems))


def test_sides_of_a_hypothesis_are_alike() -> None:
    with pytest.raises(NotationError, match="one side is a number, the other is not"):

        @derivation("t")
        def stated(d: Derivation) -> None:
            d.given_that(equal(X, a))

    @derivation("t")
    def zero(d: Derivation) -> None:
        d.given_that(equal(mean_vectors("m"), 0))
        d.start(a + mean_vectors("m") - mean_vectors("m") - a)
        d.equals(0, by="nothing is left")

    assert zero.given


def test_a_residual_that_sympy_cannot_print_is_left_out() -> None:
    @derivation("t")
    def large(d: Derivation) -> None:
        d.start(a**2)
        d.at_least(0, by="no gap", because=exp(exp(exp(exp(number(10))))))
        d.start(supremum(-(a**2), a))
        d.equals(0, by="no gap", because=(attained(a, 0), exp(exp(exp(exp(number(10)))))))

    shown = report(check(large), strict=False)
    assert [s["verdict"] for s in shown["steps"]] == ["open", "open"]
    assert not any(s["residual"] for s in shown["steps"])
