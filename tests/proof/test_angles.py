"""The addition theorem and what it gives of rotations, positions and characteristic functions; its
false neighbours are refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    FiniteSet,
    Function,
    Normal,
    Sequence,
    cos,
    diff,
    equal,
    exp,
    infinity,
    integral,
    naturals,
    number,
    pi,
    positives,
    reals,
    sin,
    sqrt,
    tan,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.tree import Node
from genmath.proof.symbolic.judge import prove

a, b, c, w, theta = reals("a b c w theta")
s, t = positives("s t")
n, m, k, d = naturals("n m k d")
x, y = variables("x y")
p = Density("p", x)
f, omega = Function("f"), Function("omega")
i = FiniteSet("Y").members("i")
rate = Sequence("w")
q1, q2, k1, k2 = reals("q_1 q_2 k_1 k_2")


def turned(u: Node, v: Node, angle: Node) -> tuple[Node, Node]:
    return u * cos(angle) - v * sin(angle), u * sin(angle) + v * cos(angle)


(u1, u2), (v1, v2) = turned(q1, q2, m * theta), turned(k1, k2, n * theta)
(r1, r2), (s1, s2) = turned(q1, q2, a), turned(k1, k2, a)
positions = total(
    sin(rate[k] * m) * sin(rate[k] * n) + cos(rate[k] * m) * cos(rate[k] * n), k, 1, d
)
steps = cos(a - b) * (cos(a) * q1 + sin(a) * q2) + sin(a - b) * (sin(a) * q1 - cos(a) * q2)
noise = Normal(x, a, s)

TRUE = {
    "sine of a sum": equal(sin(a + b), sin(a) * cos(b) + cos(a) * sin(b)),
    "cosine of a difference": equal(cos(a - b), cos(a) * cos(b) + sin(a) * sin(b)),
    "double": equal(sin(2 * a), 2 * sin(a) * cos(a)),
    "triple": equal(sin(3 * a), 3 * sin(a) - 4 * sin(a) ** 3),
    "half": equal(sin(a / 2) ** 2, (1 - cos(a)) / 2),
    "product to sum": equal(2 * sin(a) * cos(b), sin(a + b) + sin(a - b)),
    "sum to product": equal(sin(a) + sin(b), 2 * sin((a + b) / 2) * cos((a - b) / 2)),
    "tangent": equal(tan(2 * a), 2 * tan(a) / (1 - tan(a) ** 2)),
    "half a turn": equal(sin(a + pi), -sin(a)),
    "a quarter": equal(sin(a + pi / 2), cos(a)),
    "whole turns": equal(cos(a + 2 * pi * n), cos(a)),
    "no turn": equal(sin(pi * n), 0),
    "a sixth": equal(cos(pi / 3), number(1) / 2),
    "an eighth": equal(sin(a + pi / 4), (sin(a) + cos(a)) / sqrt(number(2))),
    "over a number": equal(sin((a + b) / s), sin(a / s) * cos(b / s) + cos(a / s) * sin(b / s)),
    "in an exponent": equal(exp(cos(a + b)), exp(cos(a) * cos(b)) * exp(-sin(a) * sin(b))),
    "a rotation keeps a dot product": equal(r1 * s1 + r2 * s2, q1 * k1 + q2 * k2),
    "positions that are turned": equal(
        u1 * v1 + u2 * v2,
        (q1 * k1 + q2 * k2) * cos((m - n) * theta) + (q1 * k2 - q2 * k1) * sin((m - n) * theta)),
    "positions that are added": equal(positions, total(cos(rate[k] * (m - n)), k, 1, d)),
    "over a set": equal(
        total(cos(omega(i) * (a - b)), i),
        total(cos(omega(i) * a) * cos(omega(i) * b) + sin(omega(i) * a) * sin(omega(i) * b), i)),
    "a step of a sampler": equal(steps, cos(b) * q1 + sin(b) * q2),
    "velocity": equal(
        diff(cos(a * t) * b + sin(a * t) * c, t), a * (cos(a * t) * c - sin(a * t) * b)),
    "a mean": equal(E(p(x), cos(x + a)), cos(a) * E(p(x), cos(x)) - sin(a) * E(p(x), sin(x))),
    "the mean of a square": equal(E(p(x), sin(x) ** 2), (1 - E(p(x), cos(2 * x))) / 2),
    "between limits": equal(
        integral(sin(x) ** 2, x, between=(0, s)), s / 2 - sin(2 * s) / 4),
    "characteristic function": equal(E(noise, cos(w * x)), exp(-(w**2) * s / 2) * cos(w * a)),
    "its sine": equal(E(noise, sin(w * x + b)), exp(-(w**2) * s / 2) * sin(w * a + b)),
    "random features": equal(E(Normal(x, 0, 1), cos(x * (a - b))), exp(-((a - b) ** 2) / 2)),
    "tilted": equal(
        E(Normal(x, 0, 1), exp(a * x) * cos(b * x)), exp((a**2 - b**2) / 2) * cos(a * b)),
    "two in a row": equal(
        integral(Normal(x, 0, 1) * Normal(y, x, 1) * cos(y), x, y), exp(-number(1))),
    "a kernel that is typed": equal(
        integral(exp(-(x**2) / 2) * cos(x), x, between=(-infinity, infinity)),
        sqrt(2 * pi) * exp(-number(1) / 2)),
}  # fmt: skip
FALSE = {
    "sine of a sum, a sign": equal(sin(a + b), sin(a) * cos(b) - cos(a) * sin(b)),
    "cosine of a sum, a sign": equal(cos(a + b), cos(a) * cos(b) + sin(a) * sin(b)),
    "double": equal(sin(2 * a), 2 * sin(a)),
    "double, a square": equal(cos(2 * a), 1 - sin(a) ** 2),
    "triple": equal(sin(3 * a), 3 * sin(a) - 4 * sin(a) ** 2),
    "half": equal(sin(a / 2) ** 2, (1 + cos(a)) / 2),
    "half a turn": equal(cos(a + pi), cos(a)),
    "half turns": equal(cos(pi * n), 1),
    "quarter turns": equal(sin(pi * n / 2), 0),
    "turns of any size": equal(sin(pi * a * n), 0),
    "a third": equal(cos(2 * pi / 3), number(1) / 2),
    "positions that are turned, the other way": equal(
        u1 * v1 + u2 * v2,
        (q1 * k1 + q2 * k2) * cos((m - n) * theta) - (q1 * k2 - q2 * k1) * sin((m - n) * theta)),
    "positions, the sum": equal(positions, total(cos(rate[k] * (m + n)), k, 1, d)),
    "a mean, a sign": equal(
        E(p(x), cos(x + a)), cos(a) * E(p(x), cos(x)) + sin(a) * E(p(x), sin(x))),
    "a mean of a product": equal(E(p(x), sin(2 * x)), 2 * E(p(x), sin(x)) * E(p(x), cos(x))),
    "characteristic function, no width": equal(E(noise, cos(w * x)), cos(w * a)),
    "characteristic function, a deviation": equal(
        E(noise, cos(w * x)), exp(-(w**2) * s**2 / 2) * cos(w * a)),
    "tilted, no phase": equal(E(Normal(x, 0, 1), exp(a * x) * cos(b * x)), exp((a**2 - b**2) / 2)),
    "times its letter": equal(E(Normal(x, 0, 1), x * sin(x)), 0),
    "no integral": equal(integral(cos(x), x, between=(-infinity, infinity)), 0),
    "no integral, tilted": equal(
        integral(exp(a * x) * cos(x), x, between=(-infinity, infinity)), 0),
}  # fmt: skip
nothing = sin(a + b) - sin(a) * cos(b) - cos(a) * sin(b)
MEANINGLESS = {
    "divided by nothing": equal(1 / nothing - 1 / nothing, 0),
    "nothing by nothing": equal(nothing / nothing, 1),
    "nothing by twice nothing": equal(nothing / (2 * nothing), number(1) / 2),
    "divided by the sine of whole turns": equal(sin(pi * n) / sin(pi * n), 1),
}


@pytest.mark.parametrize("what", TRUE)
def test_what_angles_that_add_give(what: str) -> None:
    found = judge(TRUE[what])
    assert found.verdict == "proved", found.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


@pytest.mark.parametrize("what", MEANINGLESS)
def test_what_is_divided_by_nothing_is_not_proved(what: str) -> None:
    assert not prove(MEANINGLESS[what]).proved
    assert judge(MEANINGLESS[what]).verdict != "proved"
