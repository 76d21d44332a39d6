"""A hostile reader's claims: lemmas where they do not apply, and hypotheses that speak of one value
only. Each false claim stands beside a true neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import numeric
from genmath.proof.check import check, judge
from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.derivation import Derivation, derivation
from genmath.proof.language.notation import (
    Bernoulli,
    Beta,
    Categorical,
    Density,
    E,
    Exponential,
    FiniteSet,
    Function,
    Normal,
    NotationError,
    Poisson,
    Sequence,
    absolute,
    attained,
    define,
    det,
    diff,
    exp,
    identity,
    infimum,
    integral,
    log,
    matrices,
    mean_vectors,
    naturals,
    norm2,
    number,
    positives,
    reals,
    sqrt,
    supremum,
    total,
    trace,
    transpose,
    variables,
)
from genmath.proof.language.tree import Node, Relation
from genmath.proof.symbolic.judge import prove

a, b, c = reals("a b c")
s = positives("s")
i, n = naturals("i n")
x = variables("x")
p = Density("p", x, positive=True)
f, g = Function("f"), Function("g")
M = Sequence("M")
Y = FiniteSet("Y")
k = Y.members("k")
share = Function("share", probability=Y)
u, v = mean_vectors("u v", domain="direction")
Q, R = matrices("Q R", domain="orthogonal")


def lemma(lhs: Any, rhs: Any, takes: Any = (), given: Any = (), dims: Any = (1,)) -> Derivation:
    """A derivation of one line."""

    def build(d: Derivation) -> None:
        for hypothesis in given:
            d.given_that(hypothesis)
        d.start(lhs)
        d.equals(rhs, by="it is")

    return derivation("A line", takes=takes, dims=dims)(build)


def proved(claim: Any, *because: Any, given: Any = (), dims: Any = (1,)) -> bool:
    relations = tuple(
        Relation(h.lhs, h.relation, h.rhs) if isinstance(h, Claim) else h for h in given
    )
    stated = as_claim(claim)
    return prove(Claim(stated.lhs, stated.relation, stated.rhs, relations, dims), because).proved


# --- a hypothesis of an index speaks of the free one, of a member of every one --------------------

under_share = Categorical(k, share(k))


def test_one_index_is_not_every_index() -> None:
    claim = total(M[i] * absolute(b - i), i, 1, n) >= total(M[i] * (b - i), i, 1, n)
    assert not proved(claim, given=(M[i] >= 0,))


@pytest.mark.parametrize("claim", [integral(f(k), k), E(under_share, f(k))], ids=str)
def test_a_member_is_every_member(claim: Node) -> None:
    assert proved(claim >= 0, given=(f(k) >= 0,))
    assert not proved(claim <= 0, given=(f(k) >= 0,))


@pytest.mark.parametrize(
    ("claim", "hypothesis"),
    [
        (total(M[i], i, 1, n) >= 0, M[i] >= 0),
        (M[n + 1] >= 0, M[n] >= 0),
        (M[n] >= 0, M[1] >= 0),
        (f(b) >= 0, f(a) >= 0),
        (f(a + 1) >= 0, f(a) >= 0),
        (f(0) <= 0, f(1) <= 0),
    ],
    ids=str,
)
def test_worlds_where_a_hypothesis_holds_of_one_value(
    claim: Relation, hypothesis: Relation
) -> None:
    broken = Claim(claim.left, claim.sign, claim.right, given=(hypothesis,))
    assert numeric.compare(broken).verdict == "refuted"
    itself = Claim(hypothesis.left, hypothesis.sign, hypothesis.right, given=(hypothesis,))
    assert numeric.compare(itself).verdict == "agree"


def test_every_value_of_a_random_variable_is_spoken_of() -> None:
    mean = E(p(x), f(x)) >= 0
    assert proved(mean, given=(f(x) >= 0,))
    stated = Claim(mean.left, mean.sign, mean.right, given=(f(x) >= 0,))
    assert numeric.compare(stated).verdict == "agree"
    bars = E(p(x), f(x) * absolute(b - x)) >= E(p(x), f(x) * (b - x))
    assert proved(bars, given=(f(x) >= 0,))
    assert proved(total(absolute(b - i), i, 1, n) >= total(b - i, i, 1, n))
    assert proved(M[i] * absolute(b) >= M[i] * b, given=(M[i] >= 0,))


# --- lemmas ---------------------------------------------------------------------------------------


def test_a_slope_looks_at_other_values_than_a_hypothesis() -> None:
    one, same = equal(a, 1), equal(f(a), g(a))
    square = lemma(a**2, 1, given=(one,))
    assert proved(equal(a**2 * f(b), f(b)), square(), given=(one,))
    assert not proved(equal(diff(a**2, a), 0), square(), given=(one,))
    there = lemma(f(a), g(a), given=(same,))
    assert proved(equal(exp_of(f(a)), exp_of(g(a))), there(), given=(same,))
    assert not proved(equal(diff(f(a), a), diff(g(a), a)), there(), given=(same,))
    size = lemma(absolute(a - 1), a - 1, given=(a >= 1,))
    assert not proved(equal(diff(absolute(a - 1), a), 1), size(), given=(a >= 1,))


def exp_of(e: Any) -> Any:
    return number(2) ** e


def test_there_is_no_slope_by_what_keeps_its_length() -> None:
    unit = lemma(norm2(u), 1, takes=(u,), dims=(2,))
    slope = diff(norm2(v), v)
    assert not proved(equal(norm2(slope), 0), unit(v), dims=(2,))
    assert not proved(equal(norm2(slope), 4), dims=(2,))


def test_a_lemma_of_a_dimension_that_its_hypothesis_speaks_of() -> None:
    volume = equal(a, det(2 * identity))
    two = lemma(a, 2, given=(volume,))
    assert proved(equal(a + 1, 3), two(), given=(volume,))
    assert not proved(equal(a, 2), two(), given=(volume,), dims=(2,))


def test_a_denominator_in_the_letters_of_hypotheses() -> None:
    def whole(at: Any) -> Any:
        return sqrt(at) ** 2 * (at - 1) / (at - 1)

    cancelled = lemma(whole(a), a, takes=(a,), given=(a > 0,))
    for at in (n, s / s):  # which may be 1, or is
        assert not proved(equal(f(whole(at)), f(at)), cancelled(at))
    apart = lemma(whole(a), a, takes=(a,), given=(a > 0, absolute(a - 1) > 0))
    assert proved(equal(f(whole(1 + s)), f(1 + s)), apart(1 + s))
    assert not proved(equal(f(whole(n)), f(n)), apart(n))


def test_lemmas_take_directions_orthogonal_matrices_and_letters_of_an_interval() -> None:
    unit = lemma(norm2(u), 1, takes=(u,), dims=(2,))
    assert proved(equal(f(norm2(v)), f(1)), unit(v), dims=(2,))
    assert not proved(equal(f(norm2(v)), f(2)), unit(v), dims=(2,))
    turn = lemma(trace(Q * transpose(Q)), 2, takes=(Q,), dims=(2,))
    assert proved(equal(f(trace(R * transpose(R))), f(2)), turn(R), dims=(2,))
    y = variables("y", domain=(0, s))
    length = lemma(absolute(y), y, takes=(y,))
    assert proved(equal(f(absolute(y)), f(y)), length(y))


def test_a_letter_of_a_lemma_beside_hypotheses_that_redeclare_it() -> None:
    given = (a >= 1, b >= 0)
    root = lemma(sqrt(a) ** 2, a, given=(a >= 1,))
    assert proved(a * b + sqrt(b) >= b + sqrt(b), (a - 1) * b, root(), given=given)


# --- hypotheses -----------------------------------------------------------------------------------


def test_an_equality_case_that_the_hypotheses_exclude() -> None:
    def bound(hypothesis: Relation, at: Any) -> Derivation:
        def build(d: Derivation) -> None:
            d.given_that(hypothesis)
            d.start(a * (a - 1))
            d.at_least(0, by="both factors are >= 0")
            d.tight_when(a, at)

        return derivation("A bound", takes=(a,))(build)

    assert check(bound(a >= 1, 1)).ok
    for hypothesis, at in ((a >= 1, 0), (a > 1, 1), (a >= 2, 1)):
        judged = check(bound(hypothesis, at))
        assert not judged.ok
        assert "exclude" in judged.problems[0]


def test_a_hypothesis_of_a_defined_letter() -> None:
    named = define("h", a - b)
    assert proved(equal(a, b + 2), given=(equal(named, 2),))
    assert proved(equal(named, 2), given=(equal(named, 2),))
    assert not proved(equal(a, 2), given=(equal(named, 2),))


def test_only_numbers_are_ordered_in_a_hypothesis() -> None:
    m, w = mean_vectors("m w")

    @derivation("Vectors")
    def stated(d: Derivation) -> None:
        d.given_that(equal(m, w))
        d.start(norm2(m))
        d.equals(norm2(w), by="they are one")

    with pytest.raises(NotationError, match="only numbers are ordered"):

        @derivation("Vectors")
        def ordered(d: Derivation) -> None:
            d.given_that(m >= w)


# --- letters and numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [(2, 1), (1, 1), (number(1) / 3, number(1) / 3), (s, s)], ids=str)
def test_an_interval_with_nothing_in_it(ends: Any) -> None:
    with pytest.raises(NotationError, match="there is nothing"):
        variables("y", domain=ends)
    assert variables("y", domain=(1, 2)).domain == "interval"


def test_a_bit_that_is_free_and_bound() -> None:
    bit = variables("o", domain="bit")
    assert proved(equal(bit + integral(bit, bit), bit + 1))
    assert not proved(equal(bit + integral(bit, bit), 1))


def test_huge_numbers_are_refused_before_they_are_written_out() -> None:
    with pytest.raises(NotationError, match="digits"):
        number("1e99999999")
    assert number("1.5e3") == number(1500)
    tower = ((number(10) ** 1000) ** 1000) ** 1000
    assert not prove(equal(tower + a, a + tower)).proved
    assert prove(equal((number(2) ** 10) ** 100, number(2) ** 1000)).proved
    assert judge(equal(tower, tower), timeout=20.0).verdict == "open"
    assert numeric.compare(equal(log(number(2) ** 1000), 1000 * log(2))).verdict == "agree"


def test_a_derivation_is_what_was_called() -> None:
    for name, value in (("given", ()), ("chains", ()), ("dims", (1, 2)), ("slips", ())):
        with pytest.raises(NotationError, match="cannot be set"):

            @derivation("Less said", takes=(a,))
            def less(d: Derivation, name: str = name, value: object = value) -> None:
                d.given_that(a >= 1)
                d.start(a)
                d.at_least(1, by="it is")
                setattr(d, name, value)


def test_a_letter_of_any_space_has_no_known_value() -> None:
    assert proved(equal(infimum(a**2, a), 0), attained(a, 0))
    assert not proved(equal(infimum(x**2, x), 0), attained(x, 0))
    assert not proved(equal(supremum(exp(-(x**2)), x), 1), attained(x, 0))
    near = variables("e", domain="positive")
    assert proved(equal(infimum((near - 1) ** 2, near), 0), attained(near, 1))


def about(letter: Any, law: Any, hypothesis: Relation | Claim) -> Derivation:
    def build(d: Derivation) -> None:
        d.given_that(hypothesis)
        d.start(E(law, letter**2))
        d.at_least(0, by="a square")

    return derivation("A mean")(build)


positive, unit = variables("y", domain="positive"), variables("z", domain="unit")
count, whole = variables("m", domain="count"), variables("l", domain="integer")
flag = variables("o", domain="bit")
laws = {
    positive: Exponential(positive, s),
    unit: Beta(unit, s, s),
    count: Poisson(count, s),
    whole: Density("q", whole)(whole),
    flag: Bernoulli(flag, number(1) / 2),
    x: Normal(x, 0, 1),
}


@pytest.mark.parametrize(
    ("letter", "hypothesis"),
    [
        (positive, positive >= 0),
        (positive, 1 / positive > 0),
        (positive, log(positive) <= positive - 1),
        (unit, unit <= 1),
        (count, count >= 0),
        (count, count**2 >= count),
        (whole, whole**2 >= whole),
        (flag, flag <= 1),
        (flag, equal(flag**2, flag)),
        (x, exp(x) >= 1 + x),
    ],
    ids=str,
)
def test_what_holds_of_every_value_contradicts_nothing(letter: Any, hypothesis: Any) -> None:
    assert check(about(letter, laws[letter], hypothesis)).problems == []


@pytest.mark.parametrize(
    ("letter", "hypothesis"),
    [
        (positive, positive >= 1),
        (positive, positive <= 5),
        (unit, unit >= number(1) / 2),
        (count, count >= 1),
        (whole, whole >= 0),
        (flag, flag >= 1),
        (x, x**3 >= 0),
    ],
    ids=str,
)
def test_what_fails_at_a_value_is_no_hypothesis(letter: Any, hypothesis: Any) -> None:
    problems = check(about(letter, laws[letter], hypothesis)).problems
    assert any("contradictory" in p for p in problems)
