"""Variables of an interval, of finitely many numbers and of the integers: what a textbook states is
proved, its false neighbours are not, and the ends stay what they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    Normal,
    NotationError,
    absolute,
    copies,
    define,
    derivation,
    diff,
    equal,
    exp,
    infimum,
    infinity,
    integral,
    limit,
    log,
    naturals,
    number,
    positives,
    reals,
    sqrt,
    supremum,
    total,
    variables,
)
from genmath.proof.check import check, judge
from genmath.proof.language.claims import Claim
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.instantiate import instantiate, redeclare
from genmath.proof.language.tree import Node, Symbol, free_symbols, transform
from genmath.proof.mutate import mutants
from genmath.proof.report import hypotheses_latex, hypotheses_text
from genmath.proof.symbolic.judge import prove

a, b, c = reals("a b c")
s = positives("s")
x = variables("x", domain=(a, b))
y = variables("y", domain=(-1, 2))
u, v = variables("u", domain=(a, infinity)), variables("v", domain=(-infinity, b))
sign = variables("e", domain={-1, 1})
n = variables("n", domain="integer")
t, w, z = variables("t", domain="unit"), variables("w", domain="positive"), variables("z")
f = Function("f")
p, q = Density("p", y), Density("q", y, positive=True)
of_sign, of_integer, of_unit = Density("r", sign), Density("v_n", n), Density("k", t)
half_line = Density("h", variables("m", domain=(1, infinity)))


def where(claim: Claim, *given: Any) -> Claim:
    return replace(claim, given=given)


def apart(left: Any, right: Any) -> Claim:
    return where(equal(left, right), a < b)


TRUE = [
    apart(integral(1, x), b - a),
    apart(integral(x, x) / (b - a), (a + b) / 2),
    apart(-integral(1 / (b - a) * log(1 / (b - a)), x), log(b - a)),
    apart(integral(f(x), x), integral(f(c), c, between=(a, b))),
    apart(integral(diff(f(x), x), x), f(b) - f(a)),
    apart(diff(integral(f(x), x), b), f(b)),
    apart(diff(integral(f(x), x), a), -f(a)),
    apart(absolute(x - a), x - a),
    apart(integral(absolute(x - a), x), (b - a) ** 2 / 2),
    equal(integral(1, y), 3),
    equal(integral(y**2, y), 3),
    equal(integral(exp(y), y), exp(number(2)) - exp(-number(1))),
    equal(integral(p(y), y), 1),
    equal(E(p(y), 2 * f(y) + 1), 2 * E(p(y), f(y)) + 1),
    equal(KL(p(y), q(y)), E(p(y), log(p(y) / q(y)))),
    equal(absolute(y + 1), y + 1),
    equal(sqrt((y - 2) ** 2), 2 - y),
    equal(diff(y**3, y), 3 * y**2),
    equal(integral(f(y) * y, y), integral(f(y) * (y + 1), y) - integral(f(y), y)),
    equal(integral(exp(-u), u), exp(-a)),
    equal(integral(exp(v), v), exp(b)),
    equal(integral(half_line(half_line.events[0]), half_line.events[0]), 1),
    equal(integral(sign, sign), 0),
    equal(integral(f(sign), sign), f(1) + f(-1)),
    equal(sign**2, 1),
    equal(E(Normal(z, 0, s), integral((sign * z) ** 2, sign)), 2 * s),
    equal(integral(of_sign(sign), sign), 1),
    equal(integral(of_integer(n), n), 1),
    equal(E(of_integer(n), n + 1), E(of_integer(n), n) + 1),
    equal(integral(of_unit(t), t), 1),
    equal(integral(f(t), t), integral(f(c), c, between=(0, 1))),
    equal(integral(diff(f(t), t), t), f(1) - f(0)),
    equal(integral(f(t) * diff(f(t), t), t), (f(1) ** 2 - f(0) ** 2) / 2),
    equal(integral(f(1 - t), t), integral(f(t), t)),
    equal(integral(exp(t), t), exp(number(1)) - 1),
    equal(integral(log(t), t), -1),
]
FALSE = [
    apart(integral(1, x), b),
    apart(integral(1, x), a - b),
    apart(integral(x, x) / (b - a), b / 2),
    apart(integral(f(x), x), f(b) - f(a)),
    apart(diff(integral(f(x), x), a), f(a)),
    apart(diff(x, a), 1),
    apart(absolute(x - b), x - b),
    apart(absolute(x), x),
    equal(integral(1, y), 2),
    equal(integral(p(y), y), 3),
    equal(integral(p(y) ** 2, y), 1),
    equal(integral(p(y), y), integral(p(y) * y, y)),
    equal(E(p(y), y), number(1) / 2),
    equal(KL(p(y), q(y)), 0),
    equal(absolute(y), y),
    equal(absolute(y - 2), y - 2),
    equal(log(y + 1), log(y + 2)),
    equal(integral(exp(-u), u), 1),
    equal(integral(exp(v), v), 1),
    equal(integral(sign, sign), 1),
    equal(integral(sign**2, sign), 1),
    equal(sign, 1),
    equal(E(of_sign(sign), sign), 0),
    equal(E(of_sign(sign), sign), 1),
    equal(n, n**2),
    equal(E(of_integer(n), n), 0),
    equal(E(of_integer(n), n**2), E(of_integer(n), n) ** 2),
    equal(integral(f(t), t), f(1)),
    equal(integral(f(t), t), integral(f(w), w)),
    equal(integral(f(1 - t), t), -integral(f(t), t)),
    equal(integral(diff(f(t), t), t), f(0) - f(1)),
]
MEANINGLESS = [
    equal(integral(1, x), b - a),  # of what is unknown whether it is from a to b
    where(equal(integral(1, x), b - a), a > b),
    where(equal(integral(1, x), a - b), a > b),
    equal(integral(1 / y, y), log(number(2))),  # a pole on the way
    equal(E(of_integer(n), f(n)), f(E(of_integer(n), n))),
]


@pytest.mark.parametrize("claim", TRUE, ids=[f"{c.lhs} {c.rhs}" for c in TRUE])
def test_what_a_textbook_states(claim: Claim) -> None:
    verdict = judge(claim)
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("claim", FALSE, ids=[f"{c.lhs} {c.rhs}" for c in FALSE])
def test_a_false_neighbour_is_refuted(claim: Claim) -> None:
    assert judge(claim).verdict == "refuted"


@pytest.mark.parametrize("claim", MEANINGLESS, ids=[f"{c.lhs} {c.rhs}" for c in MEANINGLESS])
def test_what_means_nothing_is_not_proved(claim: Claim) -> None:
    assert not prove(claim).proved


def test_usual_intervals_have_their_names() -> None:
    assert variables("t", domain=(0, 1)) == t
    assert variables("w", domain=(0, infinity)) == w
    assert variables("z", domain=(-infinity, infinity)) == z
    assert variables("e", domain={number(1), -1}) == sign
    assert copies(y, 2)[1].args == y.args


@pytest.mark.parametrize(
    "domain",
    [
        (1, 2, 3), (1,), (infinity, 1), (1, -infinity), (0, z), (0, f(a)), (0, define("d", a)),
        {1}, set(), {1, a}, {"x"}, [0, 1], "interval", "values", "elsewhere",
    ],
)  # fmt: skip
def test_what_is_no_domain(domain: Any) -> None:
    with pytest.raises(NotationError):
        variables("x", domain=domain)


def test_a_density_does_not_depend_on_its_ends() -> None:
    with pytest.raises(NotationError, match="depends on its ends"):
        Density("p", x)
    for elsewhere in ((-1, 3), (0, 1), {-1, 2}, "integer", "real"):
        with pytest.raises(NotationError, match="is declared"):
            p(variables("y", domain=elsewhere))
    with pytest.raises(NotationError, match="no slopes"):
        diff(f(sign), sign)


def test_no_letter_is_bound_at_which_a_free_variable_ends() -> None:
    inside = variables("x", domain=(0, s))
    for write in (
        lambda: limit(inside, s, 0),
        lambda: supremum(inside / s, s),
        lambda: infimum(1 + inside, s),
        lambda: integral(x, a, between=(0, 1)),
    ):
        with pytest.raises(NotationError, match="use another letter"):
            write()
    with pytest.raises(NotationError, match="use another letter"):
        transform(
            limit(c * y, c, a), lambda n: variables("u", domain=(c, infinity)) if n == y else None
        )
    over_an_end = equal(limit(a * y, a, 1) * u, u)
    assert any(what == "u for y" for what, _ in mutants(equal(y * u, u)))
    assert not any(what == "u for y" for what, _ in mutants(over_an_end))
    with pytest.raises(NotationError, match="rename one"):
        instantiate(limit(c * u, c, 0), ((a, c),))
    whole = limit(integral(inside, inside), s, 0)
    assert free_symbols(whole) == frozenset()
    assert prove(equal(limit(integral(1, inside), s, 0), 0)).proved


def test_the_ends_are_letters_of_the_tree() -> None:
    assert free_symbols(integral(1, x)) == {a, b}
    assert free_symbols(f(x)) == {x, a, b}
    moved = instantiate(integral(f(x) * a, x), ((a, c + 1),))
    assert moved == integral(f(there := variables("x", domain=(c + 1, b))) * (c + 1), there)
    later = reals("a")
    declared = Symbol("a", domain="positive")
    assert free_symbols(redeclare(integral(f(x), x), later, declared)) == {declared, b}
    whole = integral(f(x), x)
    assert transform(whole, lambda m: c if m == a else None) == whole
    for actual in (z, f(a), total(a, naturals("i"), 1, 2)):
        with pytest.raises(NotationError):
            instantiate(whole, ((a, actual),))


def test_a_lemma_moves_the_ends_everywhere() -> None:
    @derivation("The mean of a uniform letter", takes=(a, b))
    def middle(d: Any) -> None:
        d.given_that(a < b)
        d.start(integral(x, x))
        d.equals((b**2 - a**2) / 2, by="the primitive")

    here, there = variables("x", domain=(0, s)), variables("x", domain=(s, 0))

    @derivation("From 0 on")
    def from_0(d: Any) -> None:
        d.start(integral(here, here))
        d.equals(s**2 / 2, by="the mean", because=middle(0, s))

    @derivation("Backwards")
    def backwards(d: Any) -> None:
        d.start(integral(there, there))
        d.equals(-(s**2) / 2, by="the mean", because=middle(s, 0))

    judged = check(from_0)
    assert judged.ok, judged.problems
    assert not check(backwards).ok


def test_how_it_reads() -> None:
    @derivation("The length")
    def length(d: Any) -> None:
        d.given_that(a < b)
        d.start(integral(1, x) * integral(1, sign) + integral(1 + 0 * n * s, y))
        d.equals(2 * (b - a) + 3, by="lengths")

    assert {"x in (a, b)", "e one of -1, 1", "y in (-1, 2)"} <= set(hypotheses_text(length))
    assert {r"x \in (a,\, b)", r"e \in \{-1,\, 1\}"} <= set(hypotheses_latex(length))
    assert "n is an integer" in hypotheses_text(length)
    for node in (integral(f(x), x), integral(f(sign), sign), f(u), E(p(y), n)):
        assert decode_tree(encode_tree(node)) == node


def test_mutants_leave_the_ends_alone() -> None:
    claim = apart(integral(f(x) * x, x), integral(x * f(x), x))
    for _, broken in mutants(claim):
        for m in broken.lhs.walk():
            assert not isinstance(m, Symbol) or m.name != "x" or m.args == (a, b)


def test_a_supremum_over_an_interval_is_not_one_over_the_line() -> None:
    assert not prove(equal(supremum(f(y), y), supremum(f(z), z))).proved


def test_a_derivation_of_a_student() -> None:
    @derivation("The variance of a sign")
    def variance(d: Any) -> None:
        d.start(integral(sign**2, sign) / 2 - (integral(sign, sign) / 2) ** 2)
        d.equals(1, by="the mean is 0")

    judged = check(variance, with_mutants=True)
    assert judged.ok, judged.problems
    assert all(j.mutants and not j.mutants["survived"] for j in judged.steps)
    assert isinstance(variance.steps[0].lhs, Node)
