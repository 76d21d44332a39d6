"""Integrals with limits, finite sets, suprema and limits: what is false is not proved, what is easy
is, and what has no value in random worlds is said to have none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genmath.proof import (
    Density,
    E,
    FiniteSet,
    Function,
    Normal,
    NotationError,
    absolute,
    diff,
    equal,
    exp,
    infimum,
    infinity,
    integral,
    latex,
    limit,
    log,
    maximum,
    minimum,
    naturals,
    number,
    pi,
    positives,
    product,
    reals,
    sqrt,
    supremum,
    text,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.tree import Node, Relation, free_symbols
from genmath.proof.mutate import mutants
from genmath.proof.numeric.judge import compare
from genmath.proof.symbolic.judge import prove

a, b, c, s, u = reals("a b c s u")
r, h = positives("r h")
n = naturals("n")
x, y = variables("x y")
p = Density("p", x)
Y, Z = FiniteSet("Y"), FiniteSet("Z")
j, k = Y.members("j k")
i = FiniteSet("real").members("i")
m = Z.members("m")
f, g = Function("f"), Function("g")
above = Function("w", positive=True)

ONE_OF_EACH: list[Node] = [
    integral(f(s), s, between=(a, b)),
    integral(f(s) * a, s, between=(0, infinity)),
    integral(f(s) + a, s, between=(-infinity, b)),
    total(f(k) * a, k),
    product(f(k) + a, k),
    maximum(f(k) - a, k),
    minimum(f(k) - a, k),
    supremum(f(x) * a, x),
    infimum(f(r) * a, r),
    limit(f(h) * a, h, 0),
    limit(f(s), s, a),
    limit(f(n), n, infinity),
    Y.size,
]

TRUE: dict[str, Claim | Relation] = {
    "a constant comes out of an integral": equal(
        integral(a * f(s), s, between=(b, c)), a * integral(f(s), s, between=(b, c))
    ),
    "an integral of a sum": equal(
        integral(f(s) + 2 * g(s), s, between=(0, a)),
        integral(f(s), s, between=(0, a)) + 2 * integral(g(u), u, between=(0, a)),
    ),
    "of a constant": equal(integral(a, s, between=(b, c)), a * (c - b)),
    "of a power": equal(integral(s**2, s, between=(0, a)), a**3 / 3),
    "backwards": equal(integral(f(s), s, between=(b, a)), -integral(f(s), s, between=(a, b))),
    "over nothing": equal(integral(f(s), s, between=(a, a)), 0),
    "on a half line": equal(
        integral(3 * exp(-s), s, between=(0, infinity)),
        3 * integral(exp(-s), s, between=(0, infinity)),
    ),
    "a constant comes out of a sum": equal(total(a * f(k), k), a * total(f(j), j)),
    "a sum of sums": equal(total(f(k) - g(k), k), total(f(k), k) - total(g(k), k)),
    "a sum of ones": equal(total(number(1), k), Y.size),
    "a mean": equal(total(f(k) + a, k) / Y.size, total(f(k), k) / Y.size + a),
    "sums change places": equal(total(total(f(k) * g(m), m), k), total(f(k), k) * total(g(m), m)),
    "a product": equal(product(f(k) * g(k), k), product(f(k), k) * product(g(k), k)),
    "a product of a constant": equal(product(r, k) / r**Y.size, 1),
    "a maximum moves along": equal(maximum(2 * f(k) + a, k), 2 * maximum(f(k), k) + a),
    "a minimum is a maximum": equal(minimum(f(k), k), -maximum(-f(k), k)),
    "a maximum of a constant": equal(maximum(a, k), a),
    "a positive factor": equal(maximum(r * f(k), k), r * maximum(f(k), k)),
    "a sum of what is positive": total(exp(f(k)), k) >= 0,
    "so it has a logarithm": equal(exp(log(total(exp(f(k)), k))), total(exp(f(k)), k)),
}  # fmt: skip
OUT_OF_REACH_OF_B: dict[str, Claim | Relation] = {
    "a supremum moves along": equal(supremum(2 * f(x) + a, x), 2 * supremum(f(x), x) + a),
    "an infimum is a supremum": equal(infimum(f(x), x), -supremum(-f(x), x)),
    "a limit is linear": equal(
        limit(a * f(h) + g(h), h, 0), a * limit(f(h), h, 0) + limit(g(h), h, 0)
    ),
    "a limit of a polynomial": equal(limit(h**2 + a * h + 3, h, 0), 3),
    "a limit elsewhere": equal(limit(s**2, s, a), a**2),
    "a limit of a constant": equal(limit(f(a), n, infinity), f(a)),
}
FALSE: dict[str, Claim | Relation] = {
    "a sum over a set of one": equal(total(f(k), k), f(k)),
    "a sum of ones is not one": equal(total(number(1), k), 1),
    "two sets are not one": equal(total(f(k), k), total(f(m), m)),
    "nor of one size": equal(Y.size, Z.size),
    "a sum of products": equal(total(f(k) * g(k), k), total(f(k), k) * total(g(k), k)),
    "a constant added": equal(total(f(k) + a, k), total(f(k), k) + a),
    "a constant comes out of a product": equal(product(a * f(k), k), a * product(f(k), k)),
    "a product of sums": equal(product(f(k) + g(k), k), product(f(k), k) + product(g(k), k)),
    "backwards is not the same": equal(
        integral(f(s), s, between=(a, b)), integral(f(s), s, between=(b, a))
    ),
    "limits do not matter": equal(
        integral(f(s), s, between=(a, b)), integral(f(s), s, between=(a, c))
    ),
    "the letter comes out": equal(
        integral(s * f(s), s, between=(0, 1)), s * integral(f(s), s, between=(0, 1))
    ),
    "positive integrand, any limits": integral(exp(s), s, between=(a, b)) >= 0,
    "a half line is the other": equal(
        integral(exp(-(s**2)) * s, s, between=(0, infinity)),
        integral(exp(-(s**2)) * s, s, between=(-infinity, 0)),
    ),
    "a maximum of a sum": equal(maximum(f(k) + g(k), k), maximum(f(k), k) + maximum(g(k), k)),
    "a negative factor": equal(maximum(-f(k), k), -maximum(f(k), k)),
    "any factor": equal(maximum(a * f(k), k), a * maximum(f(k), k)),
    "a maximum is a minimum": equal(maximum(f(k), k), minimum(f(k), k)),
    "a maximum is no more than a member": maximum(f(k), k) <= f(j),
    "a minimum is no less": minimum(f(k), k) >= f(j),
    "a member is one of another set": maximum(f(k), k) >= f(a),
    "a maximum is constant under an expectation": equal(
        E(Normal(x, 0, 1), maximum(f(k) * x, k)), maximum(f(k), k) * E(Normal(x, 0, 1), x)
    ),
    "an integral up to a letter is constant": equal(
        E(Normal(x, 0, 1), x * integral(f(s), s, between=(0, x))), 0
    ),
    "a sum is its own slope": equal(
        E(Normal(x, 0, 1), x * total(f(k * x), k)), E(Normal(x, 0, 1), total(f(k * x), k))
    ),
    "a maximum of squares": equal(maximum(f(k) ** 2, k), maximum(f(k), k) ** 2),
}
FALSE_OUT_OF_REACH_OF_B: dict[str, Claim | Relation] = {
    "a supremum is no more than a member": supremum(f(x), x) <= f(y),
    "a negative factor": equal(supremum(-f(x), x), -supremum(f(x), x)),
    "a factor that may be 0": equal(
        supremum(absolute(a) * f(x), x), absolute(a) * supremum(f(x), x)
    ),
    "over a set that is called so": equal(
        supremum(f(s), s), supremum(f(i), i)
    ),
    "over another random variable": equal(supremum(f(x), x), supremum(f(y), y)),
    "over other values": equal(supremum(f(x), x), supremum(f(r), r)),
    "an infimum of what is positive is positive": equal(
        absolute(infimum(above(x), x)) / infimum(above(x), x), 1
    ),
    "a limit of what is positive is positive": equal(
        exp(log(limit(above(h), h, 0))), limit(above(h), h, 0)
    ),
    "a limit of a product of limits": equal(
        limit(f(h) * g(h), h, 0), limit(f(h), h, 0) * limit(g(h), h, 0)
    ),
    "a limit exchanged with a product": equal(
        limit(product(f(n * k), k), n, infinity), product(limit(f(n * k), n, infinity), k)
    ),
    "a limit exchanged with a supremum": equal(
        limit(supremum(f(h * x), x), h, 0), supremum(limit(f(h * x), h, 0), x)
    ),
    "a limit is the value": equal(limit(f(h), h, 0), f(0)),
    "a limit from where there is nothing": equal(limit(h, h, -1), -1),
    "a limit at infinity": equal(limit(h, h, infinity), limit(2 * h, h, infinity) * 2),
    "a limit that is no number": equal(limit(1 / h, h, 0) * 0, h - h + infinity * 0),
    "limits of different letters": equal(limit(f(h), h, 0), limit(f(s), s, 0)),
    "divided by what may be 0": equal(
        (limit(f(h) * g(h), h, 0) - limit(f(h), h, 0) * limit(g(h), h, 0))
        / (limit(f(h) * g(h), h, 0) - limit(f(h), h, 0) * limit(g(h), h, 0)),
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_what_is_easy_is_proved(name: str) -> None:
    claim = as_claim(TRUE[name])
    proof = prove(claim)
    assert proof.proved, proof.reason
    assert compare(claim).verdict == "agree"


@pytest.mark.parametrize("name", OUT_OF_REACH_OF_B)
def test_what_has_no_value_is_proved_and_not_confirmed(name: str) -> None:
    claim = as_claim(OUT_OF_REACH_OF_B[name])
    proof = prove(claim)
    assert proof.proved, proof.reason
    assert compare(claim).verdict == "silent"


@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_is_refuted(name: str) -> None:
    claim = as_claim(FALSE[name])
    assert not prove(claim).proved
    assert compare(claim).verdict == "refuted"


@pytest.mark.parametrize("name", FALSE_OUT_OF_REACH_OF_B)
def test_what_may_be_false_is_not_proved(name: str) -> None:
    claim = as_claim(FALSE_OUT_OF_REACH_OF_B[name])
    assert not prove(claim).proved
    assert compare(claim).verdict in ("silent", "refuted")


@pytest.mark.parametrize(
    "claim",
    [
        equal(integral(exp(-s), s, between=(0, infinity)), 1),
        equal(integral(exp(s), s, between=(-infinity, a)), exp(a)),
        equal(integral(exp(-s), s, between=(infinity, a)), -exp(-a)),
        equal(integral(exp(-(s**2)), s, between=(-infinity, infinity)), sqrt(pi)),
        equal(integral(1 / (1 + s) ** 2, s, between=(0, infinity)), 1),
        equal(integral(1 / sqrt(s), s, between=(0, 1)), 2),
        equal(integral(log(s), s, between=(0, 1)), -1),
        equal(
            integral(Normal(s, 0, 1), s, between=(-infinity, a))
            + integral(Normal(s, 0, 1), s, between=(a, infinity)),
            1,
        ),
        maximum(f(k), k) >= f(j),
        minimum(f(k), k) <= f(j),
        equal(maximum(absolute(f(k)), k), maximum(maximum(f(k), k) * 0 + absolute(f(j)), j)),
    ],
    ids=lambda claim: text(as_claim(claim).lhs),
)  # fmt: skip
def test_random_worlds_agree_with_what_is_true(claim: Claim | Relation) -> None:
    assert compare(as_claim(claim)).verdict == "agree"


@pytest.mark.parametrize("node", ONE_OF_EACH, ids=text)
def test_there_and_back_as_data(node: Node) -> None:
    assert decode_tree(json.loads(json.dumps(encode_tree(node)))) == node


@pytest.mark.parametrize(
    "data",
    [
        ["Over", ["mean", encode_tree(k)], encode_tree(a)],
        ["Over", ["sum", encode_tree(a)], encode_tree(a)],
        ["Over", ["max", encode_tree(n)], encode_tree(a)],
        ["Between", [encode_tree(r)], encode_tree(a), encode_tree(a), encode_tree(b)],
        ["Between", [[encode_tree(a), encode_tree(b)]], *map(encode_tree, (a, a, b))],
        ["Limit", [encode_tree(n)], encode_tree(a), encode_tree(b)],
        ["Size", [3]],
    ],
)  # fmt: skip
def test_what_no_author_writes_is_refused(data: Any) -> None:
    with pytest.raises((NotationError, LookupError, TypeError, AttributeError)):
        decode_tree(data)


@pytest.mark.parametrize("node", [e for e in ONE_OF_EACH if e.bound], ids=text)
def test_nothing_is_captured(node: Node) -> None:
    (letter,) = node.bound
    assert letter not in free_symbols(node) or letter in free_symbols(node.args[-1])
    for free in free_symbols(node) - {letter}:
        if not free.is_variable:
            with pytest.raises(NotationError, match="rename one"):
                instantiate(node, ((free, letter + 1),))
    with pytest.raises(NotationError, match="the lemma binds"):
        instantiate(node, ((letter, a),))


@pytest.mark.parametrize(
    ("lhs", "rhs", "letter"),
    [
        (integral(absolute(s), s, between=(-1, 1)), integral(s, s, between=(-1, 1)), s),
        (total(absolute(k), k), total(k, k), k),
        (maximum(absolute(k), k), maximum(k, k), k),
        (supremum(absolute(s) * f(a), s), supremum(s * f(a), s), s),
        (limit(absolute(s), s, a), limit(s, s, a), s),
    ],
    ids=text,
)
def test_a_hypothesis_does_not_speak_of_a_bound_letter(lhs: Node, rhs: Node, letter: Any) -> None:
    assert not prove(Claim(lhs, "=", rhs, given=(letter > 0,))).proved


def test_limits_are_outside_the_scope() -> None:
    assert free_symbols(integral(f(s), s, between=(0, s))) == {s}
    assert free_symbols(limit(f(s), s, s)) == {s}
    outer = integral(f(s), s, between=(0, s))
    assert prove(equal(outer + s - s, integral(f(u), u, between=(0, s)))).proved
    assert compare(equal(outer, integral(f(u), u, between=(0, s)))).verdict == "agree"


def test_mutants_know_limits_signs_and_members() -> None:
    whole = integral(f(s), s, between=(a, b))
    found = {what: m.lhs for what, m in mutants(equal(whole, c))}
    assert found["limits swapped"] == integral(f(s), s, between=(b, a))
    assert found["lower limit dropped"] == integral(f(s), s, between=(0, b))
    found = {what: m.lhs for what, m in mutants(equal(maximum(f(k), k), c))}
    assert found["min for max"] == minimum(f(k), k)
    assert found["one member"] in (f(k), k)
    found = {what: m.lhs for what, m in mutants(equal(limit(f(h), h, infinity), c))}
    assert found["1 for infinity"] == limit(f(h), h, 1)
    assert found["limit dropped"] == f(h)


BEYOND = ("over nothing", "on a half line")  # of roots of negative numbers; of known integrals


@pytest.mark.parametrize("name", TRUE)
def test_mutants_are_refuted_or_equivalent(name: str) -> None:
    claim = as_claim(TRUE[name])
    if claim.relation != "=":
        return
    for what, mutant in mutants(claim):
        verdict, proved = compare(mutant).verdict, prove(mutant).proved
        assert not (proved and verdict == "refuted"), (what, mutant)
        if verdict == "agree" and name not in BEYOND:
            assert proved, (what, mutant)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: total(f(a), a), "declare it by FiniteSet"),
        (lambda: total(f(n), n, 1), "expected both limits, or none"),
        (lambda: maximum(f(x), x), "declare it by FiniteSet"),
        (lambda: integral(f(r), r, between=(0, 1)), "expected a real letter"),
        (lambda: integral(f(s), s, between=(0, 1, 2)), "expected two limits"),
        (lambda: integral(f(s), s, between=3), "expected two limits"),
        (lambda: limit(f(n), n, 3), "a whole number goes to infinity only"),
        (lambda: limit(f(s), 3, 3), "expected a letter for a number"),  # type: ignore[arg-type]
        (lambda: diff(f(k), k), "what is counted has no slopes"),
        (lambda: Density("q", k), "is a parameter"),
        (lambda: FiniteSet("1"), "a name is one word"),
        (lambda: Y.members(""), "expected at least one name"),
    ],
)
def test_what_has_no_meaning_is_refused(write: Any, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        write()


def test_they_read_as_in_a_textbook() -> None:
    assert latex(integral(f(s), s, between=(0, infinity))) == r"\int_{0}^\infty f(s)\,\mathrm{d}s"
    assert latex(total(f(k), k)) == r"\sum_{k \in Y} f(k)"
    assert latex(minimum(f(k), k) / Y.size) == r"\frac{\min_{k \in Y} f(k)}{\left|Y\right|}"
    assert latex(supremum(f(x), x)) == r"\sup_{x} f(x)"
    assert latex(limit(f(h), h, 0)) == r"\lim_{h \to 0} f(h)"
    assert text(limit(f(h), h, 0)) == "lim[h→0] f(h)"
    assert text(integral(f(s) + 1, s, between=(a, b))) == "∫[a..b] (f(s) + 1) ds"
    assert text(maximum(f(k), k)) == "max[k∈Y] f(k)"


@pytest.mark.parametrize("node", ONE_OF_EACH, ids=text)
def test_slopes_are_known_or_refused(node: Node) -> None:
    """By a letter that it does not hold, 0; by another, no more than is shown."""
    assert prove(equal(diff(node, c), 0)).proved
    by_a = prove(equal(diff(node + a**2, a), 2 * a))
    assert not by_a.proved or a not in free_symbols(node)


WHERE = (
    (x, "x ranges over the real line, or any space"),
    (a, "a ranges over the real line"),
    (r, "r ranges over the numbers > 0"),
    (variables("q", domain="unit"), "q ranges over the numbers between 0 and 1"),
)


@pytest.mark.parametrize(("letter", "where"), WHERE)
def test_the_message_says_over_what_a_supremum_is(letter: Any, where: str) -> None:
    top = supremum(f(letter), letter)
    same, more, open_ = (equal(top, top), equal(top, top + 1), as_claim(top >= f(number(1))))
    for claim, verdict in ((same, "proved"), (more, "refuted"), (open_, "open")):
        found = judge(claim)
        assert found.verdict == verdict
        assert found.reason.split("; ")[-1] == where


def test_the_message_names_an_interval() -> None:
    z = variables("z", domain=(-1, 2))
    found = judge(as_claim(supremum(f(z), z) >= f(number(1))))
    assert found.verdict == "open"
    assert found.reason.endswith("; z ranges over the interval (-1, 2)")
