"""Functions on a half-line have an integral or not: where one has none, nothing is refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Function,
    diff,
    equal,
    infinity,
    integral,
    number,
    positives,
    reals,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.tree import Node

x, w = variables("x w")
r = variables("r", domain="positive")
a = reals("a")
s = positives("s")
f, g = Function("f"), Function("g")
more = number(101) / 100


def up_to(end: Node) -> Node:
    return integral(f(x), x, between=(-infinity, end))


def from_(start: Node) -> Node:
    return integral(f(x), x, between=(start, infinity))


half, scaled = (integral(u, w, between=(0, infinity)) for u in (g(w), g(w / s) / s))
TRUE = {
    "its upper end": equal(diff(up_to(a), a), f(a)),
    "its lower end": equal(diff(from_(a), a), -f(a)),
    "another scale": equal(half, scaled),
    "another scale of the line": equal(integral(g(w), w), integral(g(w / s) / s, w)),
}
FALSE = {
    "its upper end, the sign": equal(diff(up_to(a), a), -f(a)),
    "its upper end, a factor": equal(diff(up_to(a), a), more * f(a)),
    "its lower end, the sign": equal(diff(from_(a), a), f(a)),
    "another end": equal(diff(up_to(2 * a), a), f(2 * a)),
    "another scale": equal(half, s * scaled),
    "another scale of the line": equal(integral(g(w), w), integral(g(w / s), w)),
}


@pytest.mark.parametrize("what", TRUE)
def test_what_holds_wherever_an_integral_is_is_proved(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


def test_a_letter_of_the_half_line() -> None:
    assert judge(equal(integral(g(r), r), integral(g(r / s) / s, r))).verdict != "refuted"
    assert judge(equal(integral(g(r), r), 2 * integral(g(r / s) / s, r))).verdict == "refuted"


def test_that_a_slope_has_an_integral_does_not_make_its_function_decay() -> None:
    whole = integral(diff(f(x), x), x, between=(0, infinity))
    assert judge(equal(whole, -f(number(0)))).verdict != "proved"
