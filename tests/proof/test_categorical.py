"""Probabilities on a finite set: what a textbook states of a categorical law is proved, its false
neighbours are refuted, and weights that do not sum to 1 are no law."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import (
    KL,
    TV,
    Categorical,
    E,
    FiniteSet,
    Function,
    H,
    Laplace,
    Normal,
    NotationError,
    absolute,
    derivation,
    diff,
    equal,
    exp,
    indicator,
    integral,
    latex,
    log,
    log_gap,
    number,
    positive_part,
    positives,
    product,
    reals,
    text,
    total,
    variables,
)
from genmath.proof.check import check, judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.obligations import obligations
from genmath.proof.language.tree import Node
from genmath.proof.report import hypotheses_latex, hypotheses_text
from genmath.proof.symbolic.judge import prove
from tests.proof.latex_parser import parse

Y, Z = FiniteSet("Y"), FiniteSet("Z")
k, j, l = Y.members("k j l")
other = Z.members("m")
p, r, q = (Function(name, probability=Y) for name in "prq")
n, f, mu, logit = Function("n", positive=True), Function("f"), Function("mu"), Function("l")
x, s, theta = variables("x"), positives("s"), reals("theta")
law, rival = Categorical(k, p(k)), Categorical(k, r(k))
count = total(n(k), k)


def softmax(member: Node) -> Node:
    return exp(logit(member)) / total(exp(logit(j)), j)


def given(member: Node) -> Node:
    return Categorical(k, q(member, theta))


TRUE = [
    equal(total(p(k), k), 1),
    equal(integral(law, k), 1),
    equal(E(law, indicator(equal(k, j))), p(j)),
    equal(E(law, (indicator(equal(k, j)) - p(j)) ** 2), p(j) * (1 - p(j))),
    equal(E((law, Categorical(j, r(j))), indicator(equal(k, j))), total(p(k) * r(k), k)),
    equal(E(law, f(k)), total(p(k) * f(k), k)),
    equal(H(law), -total(p(k) * log(p(k)), k)),
    equal(KL(law, rival), total(p(k) * log(p(k) / r(k)), k)),
    equal(TV(law, rival), total(absolute(p(k) - r(k)), k) / 2),
    equal(H(Categorical(k, 1 / Y.size)), log(Y.size)),
    equal(H(law), log(Y.size) - KL(law, Categorical(k, 1 / Y.size))),
    equal(H(Categorical(k, softmax(k))),
          log(total(exp(logit(j)), j)) - total(softmax(k) * logit(k), k)),
    equal(-E(law, log(Categorical(k, r(k)))), H(law) + KL(law, rival)),
    equal(product(p(k) ** indicator(equal(k, j)), k), p(j)),
    equal(E((law, Normal(x, mu(k), s)), x), total(p(k) * mu(k), k)),
    equal(E((law, Normal(x, mu(k), s)), x**2), s + total(p(k) * mu(k) ** 2, k)),
    equal(E((Normal(x, 0, s), Categorical(k, q(k, x))), 1), 1),
    equal(total(diff(q(k, theta), theta), k), 0),
    equal(E(given(k), diff(log(q(k, theta)), theta)), 0),
    equal(diff(E(given(k), f(k)), theta), E(given(k), f(k) * diff(log(q(k, theta)), theta))),
]  # fmt: skip
FALSE = [
    equal(total(n(k), k), 1),
    equal(total(p(k) ** 2, k), 1),
    equal(total(q(j, f(k)), k), 1),
    equal(total(q(k, f(k)), k), 1),
    equal(total(diff(q(k, theta), theta) * f(k), k), 0),
    equal(E(law, indicator(equal(k, j))), p(j) ** 2),
    equal(E(law, indicator(equal(k, j))), 1 / Y.size),
    equal(E(law, (indicator(equal(k, j)) - p(j)) ** 2), p(j) ** 2),
    equal(E((law, Categorical(j, r(j))), indicator(equal(k, j))), 1 / Y.size),
    equal(indicator(equal(k, j)), 0),
    equal(indicator(equal(k, j)), 1),
    equal(indicator(equal(k, j)) * f(k), indicator(equal(k, j)) * f(l)),
    equal(total(indicator(equal(k, j)) * f(k), k), f(l)),
    equal(E(law, f(k)), total(f(k), k) / Y.size),
    equal(H(law), total(p(k) * log(p(k)), k)),
    equal(H(law), log(Y.size)),
    equal(KL(law, rival), KL(rival, law)),
    equal(TV(law, rival), total(absolute(p(k) - r(k)), k)),
    equal(product(p(k) ** indicator(equal(k, j)), k), p(j) ** Y.size),
    equal(E((law, Normal(x, mu(k), s)), x**2), s + total(p(k) * mu(k), k) ** 2),
    equal(diff(E(given(k), f(k)), theta), E(given(k), diff(log(q(k, theta)), theta))),
]  # fmt: skip
NO_LAW = [
    equal(E(Categorical(k, n(k)), 1), 1),
    equal(E(Categorical(k, 2 * p(k)), f(k)), 2 * E(law, f(k))),
    equal(E(Categorical(k, 2 * p(k)), 1), 2),
    equal(total(Categorical(k, p(j)), k), 1),
    equal(E(Categorical(k, 2 * p(k) - r(k)), 1), 1),
    equal(H(Categorical(k, p(k) * r(k))), -total(p(k) * r(k) * log(p(k) * r(k)), k)),
    equal(total(Categorical(k, n(k)), k), total(n(k), k)),
]
FITTED = Claim(total(n(k) * log(p(k)), k), "<=", total(n(k) * log(n(k) / count), k))


@pytest.mark.parametrize("claim", TRUE, ids=[str(c.lhs) for c in TRUE])
def test_what_a_textbook_states(claim: Claim) -> None:
    verdict = judge(claim)
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("claim", FALSE, ids=[f"{c.lhs} {c.rhs}" for c in FALSE])
def test_a_false_neighbour_is_refuted(claim: Claim) -> None:
    assert judge(claim).verdict == "refuted"


@pytest.mark.parametrize("claim", NO_LAW, ids=[str(c.lhs) for c in NO_LAW])
def test_what_does_not_sum_to_1_is_no_law(claim: Claim) -> None:
    assert not prove(claim).proved
    assert judge(claim).verdict != "proved"


def test_why_it_is_no_law() -> None:
    assert "not seen to sum to 1" in judge(NO_LAW[0]).reason


def test_shares_maximise_the_likelihood() -> None:
    gap = total(n(k) * log_gap(p(k) * count / n(k)), k)
    assert judge(FITTED, (gap,)).verdict == "proved"
    turned = Claim(FITTED.lhs, ">=", FITTED.rhs)
    assert judge(turned, (gap,)).verdict == "refuted"
    for wrong in (-gap, 2 * gap, total(n(k) * log_gap(n(k) / (p(k) * count)), k)):
        assert judge(FITTED, (wrong,)).verdict != "proved"


def test_a_finite_sum_needs_no_analysis() -> None:
    assert obligations((E(law, f(k)), KL(law, rival), H(law), diff(E(given(k), f(k)), theta))) == []
    assert obligations((E((law, Normal(x, mu(k), s)), f(x)),)) != []


def test_what_is_written_wrongly() -> None:
    for wrong in (
        lambda: Categorical(x, p(k)),
        lambda: Categorical(theta, p(k)),
        lambda: indicator(equal(k, other)),
        lambda: indicator(equal(x, theta)),
        lambda: p(theta),
        lambda: p(other),
        lambda: p.prime(k),
        lambda: Function("p", probability="Y"),  # type: ignore[arg-type]
        lambda: Function("p", probability=Y, convex=True),
    ):
        with pytest.raises(NotationError):
            wrong()


def test_how_it_reads() -> None:
    claim = E(law, indicator(equal(k, j)) * q(k, theta))
    assert decode_tree(encode_tree(claim)) == claim
    assert text(claim) == "E[Categorical(k; p(k))] (indicator(k = j)·q(k, θ))"
    declared: dict[str, Any] = {"k": k, "j": j, "p": p, "q": q, "theta": theta, "Y": Y}
    assert parse(latex(claim), declared) == claim


def test_a_derivation_of_a_student() -> None:
    @derivation("The mean of an indicator")
    def share(d: Any) -> None:
        d.start(E(law, indicator(equal(k, j))))
        d.equals(total(p(k) * indicator(equal(k, j)), k), by="the mean, written out")
        d.equals(p(j), by="one term is left")

    judged = check(share, with_mutants=True)
    assert judged.ok, judged.problems
    assert judged.standing.label == "proved"
    assert "p > 0 is a probability on Y" in hypotheses_text(share)
    assert r"p > 0 \text{ a probability on } Y" in hypotheses_latex(share)


beside = Normal(x, mu(k), s)
OPEN = [  # true, and A does not see it
    equal(integral(total(p(k) * beside, k), x), 1),
    equal(integral(x * E(law, beside), x), E(law, mu(k))),
    equal(integral(total(p(k) * indicator(x > mu(k)) * beside, k), x), number(1) / 2),
    equal(integral(total(p(k) * Laplace(x, mu(k), s), k), x), 1),
    Claim(E(Normal(x, 0, s), positive_part(x - f(k))), ">=", -f(k)),
]


@pytest.mark.parametrize("claim", OPEN, ids=[str(c.lhs) for c in OPEN])
def test_what_lies_where_a_member_says_is_not_refuted_for_want_of_a_look(claim: Claim) -> None:
    """Far from where the points of a quadrature are a law with such a place looked like zero."""
    assert judge(claim).verdict in ("open", "proved")


def test_a_hypothesis_on_a_member_is_on_every_member() -> None:
    """As both judges read it; said of one member, the first of these would be false."""

    def about_all(d: Any) -> None:
        d.given_that(f(k) >= 0)
        d.start(E(law, f(k)))
        d.at_least(0, by="each is", because=E(law, f(k)))

    task = derivation("A mean of what is not negative")(about_all)
    assert check(task).standing.label == "proved"
    assert "f(k) >= 0 for every k" in hypotheses_text(task)
    assert r"f(k) \ge 0 \text{ for every } k" in hypotheses_latex(task)
