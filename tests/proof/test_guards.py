"""Guards of soundness, each with a false claim that would be proved without it; and facts about
letters, which no spelling of a name makes or breaks."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    NotationError,
    Sequence,
    absolute,
    at_least_one,
    copies,
    derivation,
    equal,
    exp,
    fractions,
    integral,
    log,
    naturals,
    nonnegatives,
    number,
    positives,
    reals,
    sqrt,
    total,
    variables,
)
from genmath.proof.check import check
from genmath.proof.language.claims import Claim
from genmath.proof.numeric.judge import compare
from genmath.proof.symbolic.atoms import Key
from genmath.proof.symbolic.judge import prove

x, y, z = variables("x y z")
n, t = naturals("n t")
p, q, joint = Density("p", x), Density("q", y), Density("p", x, z)
positive = Density("r", x, z, positive=True)
s, kernel, above = Density("s", x), Density("k", z, given=x), Density("a", x, dominates=p)
(x_1,) = copies(x, 1)


@derivation("a letter that stays", takes=p(x))
def constant(d: Any) -> None:
    d.start(E(p(x), x * y))
    d.equals(y * E(p(x), x), by="y is constant")


@derivation("a letter that is bound already", takes=p(x))
def within(d: Any) -> None:
    d.start(E(p(x), integral(q(y) * x, y)))
    d.equals(E(p(x), x), by="q integrates to one")


@derivation("a slope", takes=p(x))
def slope(d: Any) -> None:
    d.start(E(p(x), x) + y - y)
    d.equals(E(p(x), x), by="y - y = 0")


@pytest.mark.parametrize("lemma", [constant, within, slope])
def test_no_letter_comes_to_be_bound(lemma: Any) -> None:
    """E_q[y y] = y E_q[y] is false: y stayed, and would now be bound."""
    with pytest.raises(NotationError, match="both use y: rename one"):
        lemma(q(y))
    assert lemma(Density("s", z)(z)).claim.lhs != lemma.conclusion.lhs


FALSE = {
    "a marginal does not carry the joint": Claim(
        E(joint(x), log(joint(x, z) / joint(z | x))), "=", E(joint(x), log(joint(x)))
    ),
    "nor a quotient of it": Claim(E(joint(x), joint(x, z) / joint(x, z)), "=", E(joint(x), 1)),
    "nor that of the other letter": Claim(E(joint(x), joint(z) / joint(z)), "=", E(joint(x), 1)),
    "nor does another density": Claim(E(p(x), q(y) / q(y)), "=", E(p(x), 1)),
    "nor does another density at the same point": Claim(E(p(x), s(x) / s(x)), "=", E(p(x), 1)),
    "nor a kernel given another letter": Claim(
        E(kernel(z | x), kernel(z | x_1) / kernel(z | x_1)), "=", number(1)
    ),
    "nor one that dominates it, elsewhere": Claim(E(p(x), above(x_1) / above(x_1)), "=", number(1)),
    "nor under an integral": Claim(integral(joint(x, z) * joint(z) / joint(z), x), "=", joint(x)),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_density_supports_only_what_it_cannot_be_positive_without(name: str) -> None:
    assert not prove(FALSE[name]).proved


def test_what_a_density_does_support() -> None:
    assert prove(equal(E(joint(x, z), joint(x) / joint(x)), 1)).proved
    assert prove(equal(E(p(x), above(x) / above(x)), 1)).proved
    assert prove(equal(E(kernel(z | x), kernel(z | x) / kernel(z | x)), 1)).proved
    assert prove(equal(E(positive(x), positive(x, z) / positive(x, z)), 1)).proved
    assert not prove(equal(E(joint(x), joint(x, z) / joint(x, z)), 1)).proved


# --- facts are declared, not spelled -------------------------------------------------------------

NAMES = ["sigma_+", "sigma_0", "x_+", "beta_{t+}", "s'"]


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_is_what_it_is_declared(name: str) -> None:
    real, above, least = reals(name), positives(name), nonnegatives(name)
    assert prove(equal(sqrt(above * above), above)).proved
    assert prove(equal(absolute(least), least)).proved
    assert prove(equal(exp(log(fractions(name))), fractions(name))).proved
    assert prove(equal(absolute(at_least_one(name)), at_least_one(name))).proved
    assert not prove(equal(sqrt(real * real), real)).proved
    assert compare(equal(sqrt(real * real), real)).verdict == "refuted"
    assert not prove(equal(exp(log(real)), real)).proved


@pytest.mark.parametrize("name", NAMES)
def test_so_are_sequences_functions_and_densities(name: str) -> None:
    real, above, least = (Sequence(name, domain) for domain in ("real", "positive", "nonnegative"))
    assert prove(equal(absolute(above[t]), above[t])).proved
    assert prove(equal(absolute(least[t]), least[t])).proved
    assert prove(equal(exp(log(above[t])), above[t])).proved
    assert not prove(equal(exp(log(least[t])), least[t])).proved
    assert not prove(equal(absolute(real[t]), real[t])).proved
    assert not prove(equal(total(absolute(real[t]), t, 1, n), total(real[t], t, 1, n))).proved
    f, g = Function(name), Function(name, positive=True)
    assert prove(equal(absolute(g(x)), g(x))).proved
    assert not prove(equal(absolute(f(x)), f(x))).proved
    some, every = Density(name, x), Density(name, x, positive=True)
    assert prove(equal(every(x) / every(x), 1)).proved
    assert not prove(equal(some(x) / some(x), 1)).proved


def test_a_convex_function_is_not_its_conjugate() -> None:
    f = Function("f", convex=True)
    assert not prove(equal(f(x), f.conjugate(x))).proved


def test_a_sequence_is_no_letter_of_the_same_name() -> None:
    b, seq = positives("b"), Sequence("b", "positive")
    assert not prove(equal(b, seq[t])).proved
    assert Key("b", "positive") != Key("b")
    assert pickle.loads(pickle.dumps(Key("b", "positive"))) == Key("b", "positive")


def test_a_plus_in_a_name_is_no_hypothesis() -> None:
    a = positives("sigma_+")
    p_plus = Density("p_+", x, positive=True)

    @derivation("a square")
    def square(d: Any) -> None:
        d.start(sqrt(a * a))
        d.equals(a, by="a is positive")

    @derivation("an unused hypothesis")
    def idle(d: Any) -> None:
        d.start(E(p_plus(x), a))
        d.equals(a, by="a is constant")

    assert check(square).ok
    assert check(idle).remarks == ["unused hypothesis: p_+ is positive"]
