"""What a newcomer types first, and what the message tells them to write."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from genmath.proof import (
    Density,
    Derivation,
    E,
    Function,
    derivation,
    log,
    plus,
    times,
    variables,
)
from genmath.proof.language.tree import NotationError

x, z = variables("x z")
p, q, f = Density("p", x), Density("q", z), Function("f")
TYPED: list[tuple[Callable[[], Any], str]] = [
    (lambda: math.log(p(x)), "write log(...)"),
    (lambda: math.sqrt(x) + 1, "sqrt(...) of genmath.proof"),
    (lambda: np.log(p(x)), "write that of genmath.proof"),
    (lambda: np.float64(0.5) * x, "write number(1) / 2"),
    (lambda: x ^ 2, "write a**b"),
    (lambda: 2 ^ x, "write a**b"),
    (lambda: abs(x), "write absolute"),
    (lambda: E(q(z) * f(z)), "E(q(z), f(z))"),
    (lambda: log(p), "as in p(x)"),
    (lambda: x + f, "as in p(x)"),
    (lambda: plus([]), "plus([]): expected a list of one or more"),
    (lambda: times(()), "times([]): expected a list of one or more"),
]


def test_a_list_is_added_and_multiplied_as_if_it_were_typed() -> None:
    assert plus([x, 2, z]) == x + 2 + z
    assert times(u for u in (x, 2, z)) == x * 2 * z
    assert plus([x]) == times([x]) == x


@pytest.mark.parametrize(("typed", "said"), TYPED, ids=[said for _, said in TYPED])
def test_an_expression_says_what_to_write(typed: Callable[[], Any], said: str) -> None:
    with pytest.raises(NotationError) as caught:
        typed()
    assert said in str(caught.value)


STEPS: list[tuple[Callable[[Derivation], Any], str]] = [
    (lambda d: d.start(x == z), "write equal(a, b)"),
    (lambda d: d.equals(x == x, by="so"), "d.start(a) and then d.equals(b)"),
    (lambda d: d.given_that(x == z), "equal(a, b), not a == b"),
    (lambda d: d.equals(x), 'every step states its reason, by="..."'),
    (lambda d: d.at_most(x), 'every step states its reason, by="..."'),
    (lambda d: d.equal(x, by="so"), "did you mean d.equals?"),
    (lambda d: d.atleast(x, by="so"), "did you mean d.at_least?"),
    (lambda d: d.given_tha(x > 0), "did you mean d.given_that?"),
]


@pytest.mark.parametrize(("typed", "said"), STEPS, ids=[said for _, said in STEPS])
def test_a_derivation_says_what_to_write(typed: Callable[[Derivation], Any], said: str) -> None:
    def build(d: Derivation) -> None:
        d.start(x)
        typed(d)

    with pytest.raises((NotationError, AttributeError)) as caught:
        derivation("t")(build)
    assert said in str(caught.value)


def test_a_derivation_has_no_attribute_by_accident() -> None:
    @derivation("t")
    def found(d: Derivation) -> None:
        d.start(x + z)
        d.equals(z + x, by="order")

    assert not hasattr(found, "__wrapped__")
    assert not hasattr(found, "elbo")
    assert found.topic
