"""Change of variables by a declared map of vectors: what a textbook states is proved for d = 1, 2
and 3, and its false neighbours (no determinant, its sign, the wrong way up, the wrong place) are
not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    H,
    Map,
    NotationError,
    absolute,
    derivation,
    det,
    diff,
    equal,
    identity,
    integral,
    latex,
    log,
    mean_vectors,
    norm2,
    reals,
    text,
    trace,
    transpose,
    variables,
    vectors,
)
from genmath.proof.check import check, judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.tree import Node
from genmath.proof.mutate import mutants
from genmath.proof.report import hypotheses_latex, hypotheses_text
from genmath.proof.symbolic.judge import prove

x, y = vectors("x y")
a, m = mean_vectors("a m")
p, q = Density("p", x, positive=True), Density("q", x, positive=True)
r, of_two = Density("r", x), Density("s", vectors("w", size=2))
T, S = Map("T"), Map("S")
k = Function("k")


def pushed(density: Density, t: Map, at: Any) -> Node:
    """The density of t(x) at a place."""
    return density(t.inverse(at)) * absolute(det(t.inverse.jacobian(at)))


def size(t: Map, at: Any) -> Node:
    return absolute(det(t.jacobian(at)))


def over(claim: Claim, *dims: int) -> Claim:
    return replace(claim, dims=dims or (1, 2, 3))


POINTWISE = {
    "a map after its inverse": over(equal(T(T.inverse(a)), a)),
    "an inverse after the map": over(equal(T.inverse(T(a)), a)),
    "the inverse of two": over(equal(S.inverse(T.inverse(T(S(a)))), a)),
    "det of the inverse": over(equal(det(T.inverse.jacobian(T(a))), 1 / det(T.jacobian(a))), 1, 2),
    "inverse matrices": over(equal(T.inverse.jacobian(a) * T.jacobian(T.inverse(a)), identity),
                             1, 2),
    "log-determinants": over(equal(log(absolute(det(T.inverse.jacobian(T(a))))),
                                   -log(size(T, a)))),
    "log-determinants add": over(equal(log(absolute(det(diff(S(T(m)), m)))),
                                       log(size(S, T(m))) + log(size(T, m)))),
    "the chain rule": over(equal(diff(S(T(m)), m), S.jacobian(T(m)) * T.jacobian(m))),
    "slopes": over(equal(diff(T(m), m), T.jacobian(m))),
    "slopes of the inverse": over(equal(diff(T.inverse(m), m), T.inverse.jacobian(m)), 1, 2),
    "the log-density": over(equal(log(pushed(p, T, T(x))), log(p(x)) - log(size(T, x)))),
}  # fmt: skip
INTEGRALS = {
    "mass": over(equal(integral(pushed(r, T, x), x), 1)),
    "a mean": over(equal(integral(k(x) * pushed(r, T, x), x), E(r(x), k(T(x))))),
    "forward": over(equal(integral(r(T(x)) * size(T, x), x), 1)),
    "entropy": over(equal(-integral(pushed(p, T, x) * log(pushed(p, T, x)), x),
                          H(p(x)) + E(p(x), log(size(T, x)))), 1, 2),
    "KL stays": over(equal(KL(pushed(p, T, x), pushed(q, T, x), over=x), KL(p(x), q(x))), 1, 2),
    "two in a row": over(equal(
        integral(r(S.inverse(T.inverse(x)))
                 * absolute(det(S.inverse.jacobian(T.inverse(x)) * T.inverse.jacobian(x))), x),
        1), 1, 2),
}  # fmt: skip
FALSE = {
    "not the same map": over(equal(S.inverse(T(a)), a)),
    "the same twice": over(equal(T(T(a)), a)),
    "in the other order": over(equal(T.inverse(S.inverse(T(S(a)))), a), 2),
    "det at the wrong place": over(equal(det(T.inverse.jacobian(a)), 1 / det(T.jacobian(a))), 2),
    "det the wrong way up": over(equal(det(T.inverse.jacobian(T(a))), det(T.jacobian(a))), 2),
    "the sign of det": over(equal(det(T.jacobian(a)), size(T, a)), 2),
    "trace for det": over(equal(log(absolute(det(T.jacobian(a)))), trace(T.jacobian(a))), 2),
    "the chain rule turned": over(equal(diff(S(T(m)), m), T.jacobian(m) * S.jacobian(T(m))), 2),
    "the chain rule elsewhere": over(equal(diff(S(T(m)), m), S.jacobian(m) * T.jacobian(m)), 2),
    "transposed": over(equal(T.jacobian(a), transpose(T.jacobian(a))), 2, 3),
    "an isometry": over(equal(norm2(T(a)), norm2(a)), 2),
    "volume": over(equal(size(T, a), 1), 2),
    "log-density, wrong sign": over(equal(log(pushed(p, T, T(x))), log(p(x)) + log(size(T, x))), 2),
    "log-density, no det": over(equal(log(p(T.inverse(T(x)))), log(p(x)) - log(size(T, x))), 2),
}  # fmt: skip
FALSE_INTEGRALS = {
    "no det": over(equal(integral(r(T.inverse(x)), x), 1), 2),
    "det the wrong way up": over(
        equal(integral(r(T.inverse(x)) * size(T, T.inverse(x)), x), 1), 2),
    "no |.|": over(equal(integral(r(T.inverse(x)) * det(T.inverse.jacobian(x)), x), 1), 2),
    "forward, no det": over(equal(integral(r(T(x)), x), 1), 2),
    "forward, another map": over(equal(integral(r(T(x)) * size(S, x), x), 1), 2),
    "the other mean": over(equal(integral(k(x) * pushed(r, T, x), x), E(r(x), k(T.inverse(x)))), 2),
    "entropy stays": over(
        equal(-integral(pushed(p, T, x) * log(pushed(p, T, x)), x), H(p(x))), 2),
    "entropy, wrong sign": over(
        equal(-integral(pushed(p, T, x) * log(pushed(p, T, x)), x),
              H(p(x)) - E(p(x), log(size(T, x)))), 2),
    "KL with one pushed": over(equal(KL(pushed(p, T, x), q(x), over=x), KL(p(x), q(x))), 2),
}  # fmt: skip


@pytest.mark.parametrize("what", POINTWISE)
def test_what_a_textbook_states(what: str) -> None:
    verdict = judge(POINTWISE[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", INTEGRALS)
def test_what_a_textbook_integrates(what: str) -> None:
    verdict = judge(INTEGRALS[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


@pytest.mark.parametrize("what", FALSE_INTEGRALS)
def test_a_false_integral_is_not_proved(what: str) -> None:
    assert not prove(FALSE_INTEGRALS[what]).proved
    line = replace(FALSE_INTEGRALS[what], dims=(1,))
    assert not prove(line).proved


@pytest.mark.parametrize("what", ["det the wrong way up", "no |.|", "forward, another map"])
def test_a_false_integral_is_refuted_on_the_line(what: str) -> None:
    assert judge(replace(FALSE_INTEGRALS[what], dims=(1,))).verdict == "refuted"


def test_mutants_of_what_is_true_are_not_proved_where_they_are_refuted() -> None:
    """`mutate` raises where the judges disagree."""
    for what in ("det of the inverse", "log-determinants", "slopes of the inverse"):
        claim = replace(POINTWISE[what], dims=(2,))
        for name, broken in mutants(claim):
            try:
                verdict = judge(broken).verdict
            except NotationError:
                continue
            assert verdict != "proved" or "sign" in name or "swapped" in name, (name, broken)


def test_what_is_written_wrongly() -> None:
    z = variables("z")
    wrong: tuple[Any, ...] = (
        lambda: T(z),
        lambda: T(1),
        lambda: T.jacobian(reals("b")),
        lambda: T(T.jacobian(a)),
        lambda: Map("det"),
        lambda: p(z),
        lambda: p(T.jacobian(a)),
        lambda: of_two(T(a)),
    )
    for make in wrong:
        with pytest.raises(NotationError):
            make()
    assert not prove(equal(Function("T")(z), Function("T")(z) + 0 * norm2(T(a)))).proved
    assert judge(over(equal(norm2(T(mean_vectors("c", size=4))), 0), 1)).verdict != "proved"


def test_how_it_reads() -> None:
    for node in (T(x), T.inverse.jacobian(T(a)), pushed(p, T, x)):
        assert decode_tree(encode_tree(node)) == node
    assert text(det(T.inverse.jacobian(a))) == "det(J_T⁻¹(a))"
    assert latex(T.inverse(T(a))) == "T^{-1}(T(a))"
    assert latex(T.inverse.jacobian(a)) == r"\mathrm{J}_{T^{-1}}(a)"


def test_a_derivation_of_a_student() -> None:
    @derivation("The density of an image", dims=(1, 2))
    def image(d: Any) -> None:
        d.start(log(pushed(p, T, T(x))))
        d.equals(log(p(x)) + log(absolute(1 / det(T.jacobian(x)))), by="the inverse's slopes")
        d.equals(log(p(x)) - log(size(T, x)), by="a quotient")

    judged = check(image)
    assert judged.ok, judged.problems
    assert judged.standing.label == "proved for d ≤ 2"
    assert "T is invertible, det J ≠ 0" in hypotheses_text(image)
    assert any(r"\mathbb{R}^d \to \mathbb{R}^d" in h for h in hypotheses_latex(image))
