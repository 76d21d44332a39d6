"""What is printed is what is meant; what is too deep or too large is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genmath.proof import (
    Density,
    Function,
    NotationError,
    Sequence,
    copies,
    define,
    derivation,
    exp,
    log,
    number,
    pi,
    positives,
    reals,
    variables,
)
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.tree import Node
from genmath.proof.report import check_derivation

a = reals("a")
x = variables("x")


@pytest.mark.parametrize(
    "name",
    ["0", "2", "1.5", "-a", "a+b", "a-b", "a,b", "a b", "a*b", "", "infinity", "inf", "nan", "log",
     "exp", "E", "KL", "π", "x_{}", "a\u0660", "x_\u0430", "2(x)", "log(a)"],
)  # fmt: skip
@pytest.mark.parametrize(
    "declare",
    [
        lambda n: define(n, a),
        lambda n: Sequence(n),
        lambda n: Function(n),
        lambda n: Density(n, x),
    ],
)
def test_a_name_is_no_number_and_nothing_known(declare: Callable[[str], Any], name: str) -> None:
    with pytest.raises(NotationError, match="name="):
        declare(name)


@pytest.mark.parametrize("name", ["0", "2", "a+b", "infinity", "log", "E", "x_{}"])
def test_nor_is_a_letter(name: str) -> None:
    with pytest.raises(NotationError, match="name="):
        reals(name)


@pytest.mark.parametrize("name", ["beta_t", "x_{t-1}", "sigma_+", "q_{+-}", "p_{0|sigma}", "x'"])
def test_a_word_is_a_name(name: str) -> None:
    assert positives(name).name == name
    assert define(name, a).name == name


@pytest.mark.parametrize("name", ["beta(t)", "g(t)^2", "p_t(x|x_0,z)", "p(x,0)"])
def test_a_defined_letter_may_be_called_after_what_it_is(name: str) -> None:
    assert define(name, a).name == name


def problems(left: Node, right: Node) -> list[str]:
    @derivation("alike")
    def alike(d: Derivation) -> None:
        d.start(left)
        d.equals(right, by="so")

    return list(check_derivation(alike)["problems"])


f, p, c = Function("f"), Density("p", x), Sequence("x")
ALIKE = {
    "pi and a letter": (reals("pi") * pi, pi * reals("pi")),
    "a number called pi": (number(3) + a, a + define("pi", number(3))),
    "two spellings": (reals("eps") + 1, 1 + define("epsilon", 2 * reals("eps"))),
    "a prime and an accent": (reals("x'") + reals("x_prime"), reals("x_prime") + reals("x'")),
    "a member and a letter": (c[2] + reals("x_2"), reals("x_2") + c[2]),
    "a value and its name": (f(a) + define("f(a)", a), define("f(a)", a) + f(a)),
    "a density and its name": (p(x) + define("p(x)", a), define("p(x)", a) + p(x)),
    "a power and its name": (a**2 + define("a^2", exp(a)), define("a^2", exp(a)) + a**2),
    "a function and a factor": (f(a) + reals("f") * (a + 1), reals("f") * (a + 1) + f(a)),
}


@pytest.mark.parametrize("what", ALIKE)
def test_what_looks_alike_is_the_same(what: str) -> None:
    assert any(
        "two meanings" in p or "a letter and a function" in p for p in problems(*ALIKE[what])
    )


def test_an_abbreviation_is_no_second_meaning() -> None:
    short, called = define("f", f(a)), define("f(a)", f(a))
    assert problems(short + called, called + short) == []
    z1, _ = copies(x, 2)
    assert problems(z1 + x, x + z1) == []


def test_a_sign_in_a_name_is_no_hypothesis() -> None:
    plus = positives("sigma_+")
    assert problems(log(plus) + 1, 1 + log(plus)) == []


def test_what_is_too_deep_or_too_large_is_refused() -> None:
    def nested(levels: int) -> Node:
        e: Node = a
        for _ in range(levels):
            e = -e
        return e

    assert problems(nested(140), a + 0) == []
    with pytest.raises(NotationError, match="150 levels deep"):
        nested(3000)
    assert problems(number(10**900) * a, a * number(10**900)) == []
    for large in (10**6000, -(10**1001), f"1/{10**1001}"):
        with pytest.raises(NotationError, match="1000 digits"):
            number(large)
