"""Limits by which terms outgrow the others: of logarithms, powers, roots and quotients near 0."""

from __future__ import annotations

import random

import mpmath
import pytest
import sympy as sp

from genmath.proof import (
    absolute,
    equal,
    exp,
    fractions,
    infinity,
    limit,
    log,
    naturals,
    number,
    positives,
    reals,
    sin,
    softplus,
    sqrt,
    tanh,
)
from genmath.proof.check import judge
from genmath.proof.functions import compile_tree
from genmath.proof.language.claims import Claim
from genmath.proof.language.text import text
from genmath.proof.language.tree import Node, Symbol
from genmath.proof.symbolic.atoms import Binder
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.supports import Rules, Unsupported
from tests.proof.test_kernels import number as evaluated

n = naturals("n")
a, b = reals("a b")
s, t, r, tau = positives("s t r tau")
p = fractions("p")
two = exp(a / tau) + exp(b / tau)
mixed = log(p * exp(a * t) + (1 - p) * exp(b * t)) / t

TRUE: dict[str, Claim] = {
    "a logarithm": equal(limit(log(s) / s, s, infinity), 0),
    "of whole numbers": equal(limit(log(n) / n, n, infinity), 0),
    "against a root": equal(limit(log(s) ** 2 / sqrt(s), s, infinity), 0),
    "entropy at 0": equal(limit(s * log(s), s, 0), 0),
    "a power of itself": equal(limit(s**s, s, 0), 1),
    "compound interest": equal(limit((1 + a / n) ** n, n, infinity), exp(a)),
    "twice as often": equal(limit((1 + a / n) ** (2 * n), n, infinity), exp(2 * a)),
    "what is left": equal(limit((1 - s / n) ** n, n, infinity), exp(-s)),
    "an even power": equal(limit((s / n - 1) ** (2 * n), n, infinity), exp(-2 * s)),
    "its sign": equal(limit((-1) ** n * (s / n - 1) ** n, n, infinity), exp(-s)),
    "a root of n": equal(limit(n ** (1 / n), n, infinity), 1),
    "a geometric term": equal(limit(n * p**n, n, infinity), 0),
    "a slope": equal(limit((exp(a) - 1) / a, a, 0), 1),
    "a slope, from above": equal(limit((1 - exp(-s)) / s, s, 0), 1),
    "of a root": equal(limit((sqrt(1 + s) - 1) / s, s, 0), number(1) / 2),
    "of a logarithm": equal(limit(log(1 + s) / s, s, 0), 1),
    "a difference of roots": equal(limit(s * (sqrt(s**2 + 1) - s), s, infinity), number(1) / 2),
    "softplus": equal(limit(softplus(s) / s, s, infinity), 1),
    "a function with an end": equal(limit(tanh(s) * s / (s + 1), s, infinity), 1),
    "a size": equal(limit(absolute(1 - s) / s, s, infinity), 1),
    "Tsallis to Shannon": equal(limit((s**t - 1) / t, t, 0), log(s)),
    "a mean of exponents": equal(limit(mixed, t, 0), p * a + (1 - p) * b),
    "a power mean": equal(limit(((s**t + r**t) / 2) ** (1 / t), t, 0), sqrt(s * r)),
    "cold": Claim(limit(tau * log(two), tau, 0), "=", b, given=(b > a,)),
    "cold, softmax": Claim(limit(exp(b / tau) / two, tau, 0), "=", 1 + 0 * a, given=(b > a,)),
    "hot, softmax": equal(limit(exp(b / tau) / two, tau, infinity), number(1) / 2),
}
FALSE: dict[str, Claim] = {
    "a logarithm is no number": equal(limit(log(s) / s, s, infinity), 1),
    "twice the rate": equal(limit((1 + a / n) ** n, n, infinity), exp(2 * a)),
    "two terms of it": equal(limit((1 + a / n) ** n, n, infinity), 1 + a),
    "too small a rate": equal(limit((1 + s / n**2) ** n, n, infinity), exp(s)),
    "entropy": equal(limit(s * log(s), s, 0), 1),
    "no slope": equal(limit((exp(a) - 1) / a, a, 0), 0),
    "a root stays": equal(limit(sqrt(s + 1) - sqrt(s), s, infinity), 1),
    "half of it": equal(limit(s * (sqrt(s**2 + 1) - s), s, infinity), 0),
    "any of two": equal(limit(tau * log(two), tau, 0), b),
    "the plain mean": equal(limit(mixed, t, 0), (a + b) / 2),
    "the other end": equal(limit(mixed, t, infinity), a),
    "a second slope": equal(limit((exp(s) - 1 - s) / s**2, s, 0), 1),
    "0 to the 0": equal(limit(s**s, s, 0), 0),
    "a size has a corner": equal(limit((absolute(a + b) - absolute(b)) / a, a, 0), 1),
}
OPEN: dict[str, Claim] = {  # and never proved
    "a wave": equal(limit(sin(1 / a), a, 0), 0),
    "a jump": equal(limit(absolute(a) / a, a, 0), 1),
    "another from below": equal(limit((exp(a) - 1) / a**2, a, 0), 1),
    "any base": equal(limit(a**n, n, infinity), 0),
    "to and fro": equal(limit((-1) ** n, n, infinity), 1),
    "to and fro, far": equal(limit((s / n - 1) ** n, n, infinity), exp(-s)),
    "no number": equal(limit(log(s), s, 0), 0),
    "which is larger": equal(limit(exp(a * s) / (exp(a * s) + exp(b * s)), s, infinity), 1),
    "a product of infinities": equal(limit(exp(a * s) * s, s, infinity), 0),
}


@pytest.mark.parametrize("what", TRUE)
def test_what_a_textbook_states(what: str) -> None:
    verdict = judge(TRUE[what])
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


@pytest.mark.parametrize("what", OPEN)
def test_what_is_not_decided_is_not_proved(what: str) -> None:
    assert judge(OPEN[what]).verdict in ("open", "refuted")


def grown(rng: random.Random, depth: int, u: Symbol) -> Node:
    """A random expression in one letter."""
    if not depth:
        return rng.choice([u, 1 / u, number(rng.randint(1, 5)) / rng.randint(1, 4), u])
    inner, other = (grown(rng, depth - 1, u) for _ in range(2))
    make = [
        lambda: inner + other, lambda: inner - other, lambda: inner * other,
        lambda: inner / (1 + other**2), lambda: log(1 + inner**2), lambda: exp(-inner),
        lambda: sqrt(1 + inner**2), lambda: inner / u, lambda: u * inner, lambda: tanh(inner),
        lambda: (1 + inner / u) ** u, lambda: log(1 + exp(inner)),
    ]  # fmt: skip
    return rng.choice(make)()


@pytest.mark.parametrize("seed", range(3))
def test_values_are_come_near_to(seed: int) -> None:
    """Each limit that is found is where a random expression goes, at 400 digits."""
    rng, found = random.Random(seed), 0
    for _ in range(60):
        u = rng.choice([s, n])
        to = infinity if u is n or rng.random() < 0.7 else number(0)
        e = grown(rng, rng.randint(1, 3), u)
        rules = Rules()
        try:
            value = Lowering(rules, 1)(limit(e, u, to))
        except Unsupported:
            continue
        if rules.needs or value.has(Binder):
            continue
        found += 1
        f = compile_tree(e, "mpmath")
        with mpmath.workdps(400):
            wanted = evaluated(value)
            places = (mpmath.mpf(10) ** (k if to is infinity else -k) for k in (12, 24, 48))
            off = [
                abs(f(**{u.name: at} if u.name in f.arguments else {}) - wanted) for at in places
            ]
            assert off[2] < 1e-3 * (1 + abs(wanted)), (text(e), value)
            assert off[2] <= off[0] + mpmath.mpf(10) ** -36 * (1 + abs(wanted)), (text(e), value)
    assert found > 15


def test_an_exponential_and_its_reciprocal_however_written() -> None:
    """They are one letter of a polynomial and its inverse, not its square."""
    claim = sqrt(1 + tanh(tanh(s)) ** 2)
    value = Lowering(Rules(), 1)(claim)
    (letter,) = value.free_symbols
    inner = mpmath.tanh(mpmath.tanh(1))
    assert abs(sp.N(value.xreplace({letter: sp.Integer(1)})) - mpmath.sqrt(1 + inner**2)) < 1e-12
