"""Inequalities by calculus: the gap is its value at a point plus the integral of its slope, whose
sign is seen. False neighbours first; none is proved, whatever the certificate."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Function,
    absolute,
    arctan,
    diff,
    equal,
    exp,
    fractions,
    indicator,
    infinity,
    integral,
    log,
    number,
    numeric,
    positives,
    reals,
    sqrt,
    tanh,
)
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.tree import Node, Relation
from genmath.proof.symbolic.judge import prove

u, w = positives("u w")
v, t, a = reals("v t a")
p, q, taken = fractions("p q w_{0}")
f = Function("f")


def along(e: Node, low: object, high: object) -> Node:
    return integral(e, t, between=(low, high))


def kl(p: Node, q: Node) -> Node:
    return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))


pinsker = along((t - p) * (1 - 2 * t) ** 2 / (t * (1 - t)), p, q)
TRUE: dict[str, tuple[Claim | Relation, Node | None]] = {
    "log(1 + u) is at least u/(1 + u)": (log(1 + u) >= u / (1 + u), along(t / (1 + t) ** 2, 0, u)),
    "log(1 + u) is at most u": (log(1 + u) <= u, along(t / (1 + t), 0, u)),
    "and at least u - u^2/2": (log(1 + u) >= u - u**2 / 2, along(t**2 / (1 + t), 0, u)),
    "exp by its slope, both ways": (exp(v) >= 1 + v, along(exp(t) - 1, 0, v)),
    "exp by the rest of Taylor": (exp(v) >= 1 + v, along((v - t) * exp(t), 0, v)),
    "exp about another point": (exp(v) >= exp(a) * (1 + v - a), along(exp(t) - exp(a), a, v)),
    "tanh": (tanh(u) <= u, along(tanh(t) ** 2, 0, u)),
    "arctan": (arctan(u) <= u, along(t**2 / (1 + t**2), 0, u)),
    "Pinsker of two points": (kl(p, q) >= 2 * (p - q) ** 2, pinsker),
    "a slope that is not worked out": (log(1 + u) <= u, along(diff(t - log(1 + t), t), 0, u)),
    "nor that one, both ways": (exp(v) >= 1 + v, along(diff(exp(t) - 1 - t, t), 0, v)),
    "a second slope": (equal(along(diff(diff(t**3, t), t), 0, v), 3 * v**2), None),
    "a logarithm is an integral": (equal(along(1 / t, 1, u), log(u)), None),
    "backwards": (equal(along(1 / t, u, w), log(w / u)), None),
    "times the letter": (equal(v * along(exp(t), 0, v), v * (exp(v) - 1)), None),
}
FALSE: dict[str, tuple[Claim | Relation, Node | None]] = {
    "Pinsker with 4": (kl(p, q) >= 4 * (p - q) ** 2, pinsker),
    "Pinsker with 4, its own slope": (
        kl(p, q) >= 4 * (p - q) ** 2,
        along((t - p) * (1 / (t * (1 - t)) - 8), p, q),
    ),
    "Pinsker with a little more": (
        kl(p, q) >= number(201) / 100 * (p - q) ** 2,
        along((t - p) * (1 / (t * (1 - t)) - number(402) / 100), p, q),
    ),
    "Pinsker the wrong way": (kl(p, q) <= 2 * (p - q) ** 2, pinsker),
    "exp and a steeper line": (
        exp(v) >= 1 + number(101) / 100 * v,
        along(exp(t) - number(101) / 100, 0, v),
    ),
    "the value at 0 forgotten": (log(2 + u) <= u, along((1 + t) / (2 + t), 0, u)),
    "log on the whole line": (log(1 + v) >= v / (1 + v), along(t / (1 + t) ** 2, 0, v)),
    "a slope of the wrong sign": (log(1 + u) >= u, along(-t / (1 + t), 0, u)),
    "a slope of the wrong sign, not worked out": (
        log(1 + u) >= u,
        along(diff(log(1 + t) - t, t), 0, u),
    ),
    "a slope of another bound": (log(1 + u) <= u / 2, along(diff(t / 2 - log(1 + t), t), 0, u)),
    "limits swapped": (log(1 + u) <= u, along(t / (1 + t), u, 0)),
    "across a pole": (equal(along(1 / t**2, -1, v), -1 / v - 1), None),
    "across a pole, logarithm": (equal(along(1 / t, 1, v), log(absolute(v))), None),
    "across a jump": (equal(along(indicator(t > 0), -1, v), 0), None),
    "another constant": (equal(along(exp(t), 0, v), exp(v)), None),
    "another lower limit": (equal(along(exp(t), 1, v), exp(v) - 1), None),
    "slope alone": (equal(along(f(t), 0, v), along(f(t), a, v)), None),
    "sign at the end only": (v**3 >= 0, along(3 * t**2, 0, v)),
    "a bound of a letter on the way": (along(t, w - 1, u) >= 0, None),
    "a name that the checker would take": (along(t - taken, 0, 1) >= 0, None),
}


@pytest.mark.parametrize("name", FALSE)
def test_false_is_not_proved(name: str) -> None:
    statement, certificate = FALSE[name]
    assert not prove(as_claim(statement), () if certificate is None else (certificate,)).proved


@pytest.mark.parametrize("name", TRUE)
def test_true_is_proved(name: str) -> None:
    statement, certificate = TRUE[name]
    result = prove(as_claim(statement), () if certificate is None else (certificate,))
    assert result.proved, result.reason
    assert numeric.compare(as_claim(statement)).verdict == "agree"


def test_what_holds_of_the_end_does_not_hold_on_the_way() -> None:
    """v is far from 0, but the way to it leads past 0."""
    claim = Claim(along(1 / t**2, -1, v), "=", -1 / v - 1, (absolute(v) >= 1, v**2 >= 1))
    assert not prove(claim).proved
    claim = Claim(along(1 / (t**2 - 2), 1, v), ">=", as_claim(v >= 0).rhs, (v**2 > 2, v >= 2))
    assert not prove(claim).proved


def test_hypotheses_become_domains() -> None:
    claim = Claim(log(1 + v), "<=", v, (v > 0,))
    assert prove(claim, (along(t / (1 + t), 0, v),)).proved
    claim = Claim(sqrt(1 + v), "<=", 1 + v / 2, (v >= 0,))
    assert prove(claim, (along(number(1) / 2 - 1 / (2 * sqrt(1 + t)), 0, v),)).proved is False
    assert not prove(Claim(log(1 + v), ">=", v, (v > 0,)), (along(t / (1 + t), 0, v),)).proved


def test_a_half_line() -> None:
    assert prove(as_claim(along(exp(-t) * t**2, 0, infinity) >= 0)).proved
    assert not prove(as_claim(along(exp(-t) * t, -infinity, 0) >= 0)).proved
    assert prove(as_claim(along(exp(t) * t, -infinity, 0) <= 0)).proved


r, s, y = reals("r s y")
moved = integral(f(r), r, between=(0, y))
NESTED = {
    "an integral of an integral": (
        equal(integral(moved, y, between=(0, u)), integral((u - r) * f(r), r, between=(0, u))),
        equal(integral(moved, y, between=(0, u)), integral(r * f(r), r, between=(0, u))),
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_what_is_integrated_may_be_an_integral(name: str) -> None:
    true, false = NESTED[name]
    assert prove(true).proved
    assert numeric.compare(true).verdict == "agree"
    assert not prove(false).proved
    assert numeric.compare(false).verdict == "refuted"


def test_a_pole_on_the_way_of_an_inner_integral_is_seen() -> None:
    inner = integral(1 / (r - s), r, between=(0, y))
    whole = integral(inner, y, between=(0, u))
    turned = integral((u - r) / (r - s), r, between=(0, u))
    assert not prove(equal(whole, turned)).proved


def ends(low: Node, high: Node) -> Node:
    return integral(f(r, a), r, between=(low, high))


g, h = Function("g"), Function("h")
inside = integral(diff(f(r, a), a), r, between=(g(a), h(a)))
above, below = f(h(a), a) * h.prime(a), f(g(a), a) * g.prime(a)
decay = integral(exp(-u * (w - r)) * f(r), r, between=(0, w))
LEIBNIZ = {
    "both ends move": (diff(ends(g(a), h(a)), a), above - below + inside),
    "one end": (diff(integral(f(r), r, between=(0, g(a))), a), f(g(a)) * g.prime(a)),
    "the lower one": (diff(integral(f(r), r, between=(a, 1)), a), -f(a)),
    "a tail": (diff(integral(exp(-(r**2)), r, between=(a, infinity)), a), -exp(-(a**2))),
    "a response that decays": (diff(decay, w), f(w) - u * decay),
}
NO_LEIBNIZ = {
    "ends forgotten": (diff(ends(g(a), h(a)), a), inside),
    "a sign": (diff(ends(g(a), h(a)), a), above + below + inside),
    "speeds forgotten": (diff(ends(g(a), h(a)), a), f(h(a), a) - f(g(a), a) + inside),
    "a response, its end forgotten": (diff(decay, w), -u * decay),
}


@pytest.mark.parametrize("name", LEIBNIZ)
def test_ends_that_move(name: str) -> None:
    claim = equal(*LEIBNIZ[name])
    assert prove(claim).proved
    assert numeric.compare(claim).verdict == "agree"


@pytest.mark.parametrize("name", NO_LEIBNIZ)
def test_what_moves_is_not_forgotten(name: str) -> None:
    claim = equal(*NO_LEIBNIZ[name])
    assert not prove(claim).proved
    assert numeric.compare(claim).verdict == "refuted"


SIZES = [(log(1 + u), True), (log(1 + a**2), True), (log(u), False), (log(u + a**2), False)]


@pytest.mark.parametrize(("e", "known"), SIZES, ids=repr)
def test_a_logarithm_of_at_least_one_is_its_size(e: Node, known: bool) -> None:
    assert prove(equal(absolute(e), e)).proved == known
