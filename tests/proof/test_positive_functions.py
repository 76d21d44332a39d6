"""`Function(..., positive=True)`: values > 0 are a hypothesis, of that function alone."""

from __future__ import annotations

import pytest

from genmath.proof import numeric
from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.derivation import derivation
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    Normal,
    NotationError,
    absolute,
    diff,
    log,
    reals,
    sqrt,
    variables,
)
from genmath.proof.report import hypotheses_latex
from genmath.proof.symbolic.judge import prove

x = variables("x")
a, t = reals("a t")
sigma, f = Function("sigma", positive=True), Function("f")
namesake = Function("sigma+")  # no mark of the prover's may be a name of the author's
r = Density("r", x)

TRUE = {
    "sign": as_claim(sigma(a) >= 0),
    "cancels": equal(sigma(a) / sigma(a), 1),
    "root": equal(sqrt(sigma(a) ** 2), sigma(a)),
    "size": equal(absolute(sigma(a)), sigma(a)),
    "logarithm": equal(diff(log(sigma(t)), t), sigma.prime(t) / sigma(t)),
    "several arguments": equal(absolute(sigma(a, t)), sigma(a, t)),
    "a variance": equal(E(Normal(x, 0, sigma(t) ** 2), x**2), sigma(t) ** 2),
    "in a table": equal(E(r(x), absolute(sigma(x))), E(r(x), sigma(x))),
    "mean": as_claim(E(r(x), sigma(x)) >= 0),
}
FALSE = {
    "its slope": as_claim(sigma.prime(a) >= 0),
    "the slope of two arguments": as_claim(diff(sigma(a, t), t) >= 0),
    "size of its slope": equal(absolute(sigma.prime(a)), sigma.prime(a)),
    "another function": as_claim(f(a) >= 0),
    "a namesake": equal(absolute(namesake(a)), namesake(a)),
    "at least one": as_claim(sigma(a) >= 1),
    "growing": as_claim(sigma(2 * a) >= sigma(a)),
}
SILENT = {  # true almost everywhere, but not to be divided by
    "another function cancels": equal(f(a) / f(a), 1),
    "its slope cancels": equal(sigma.prime(a) / sigma.prime(a), 1),
    "a namesake cancels": equal(namesake(a) / namesake(a), 1),
    "a difference cancels": equal((sigma(a) - sigma(t)) / (sigma(a) - sigma(t)), 1),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_follows_is_proved(name: str) -> None:
    claim: Claim = TRUE[name]
    assert prove(claim).proved
    assert numeric.compare(claim).verdict == "agree"


@pytest.mark.parametrize("name", FALSE)
def test_what_does_not_follow_is_refuted_and_not_proved(name: str) -> None:
    assert not prove(FALSE[name]).proved
    assert numeric.compare(FALSE[name]).verdict == "refuted"


@pytest.mark.parametrize("name", SILENT)
def test_nothing_else_is_positive(name: str) -> None:
    assert not prove(SILENT[name]).proved


def test_the_hypothesis_is_listed() -> None:
    @derivation("A test")
    def example(d):
        d.start(sigma(a) / sigma(a) + f(a))
        d.equals(1 + f(a), by="cancels")

    assert hypotheses_latex(example) == [r"\sigma > 0"]


def test_one_name_has_one_meaning() -> None:
    both = equal(sigma(a), Function("sigma")(a))
    assert not prove(both).proved
    with pytest.raises(NotationError):
        numeric.compare(both)
    with pytest.raises(NotationError, match="not supported"):
        Function("f", convex=True, positive=True)
