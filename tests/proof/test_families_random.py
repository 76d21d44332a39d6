"""Random expectations under random members of families: wherever judge A finds a closed form and
asks for nothing more, its value is the one that judge B integrates."""

from __future__ import annotations

import math
import random
from typing import Any

import mpmath
import pytest
import sympy as sp

from genmath.proof import (
    KL,
    Bernoulli,
    Beta,
    E,
    Exponential,
    Gamma,
    Geometric,
    H,
    Laplace,
    Logistic,
    Normal,
    NotationError,
    Poisson,
    Student,
    Uniform,
    absolute,
    diff,
    exp,
    fractions,
    integral,
    log,
    number,
    positives,
    reals,
    sigmoid,
    softplus,
    sqrt,
    variables,
)
from genmath.proof.language.tree import Node
from genmath.proof.numeric.arithmetic import FLOAT
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.survey import Survey
from genmath.proof.numeric.survey import Unsupported as NoValue
from genmath.proof.numeric.worlds import World
from genmath.proof.symbolic.atoms import AbsAtom, Bell, Binder, Fun, Int, Log, Recip, Root
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.supports import Rules, Unsupported

TRIED, LEAST = 150, 40  # expressions in each run; of which A must know some
DOMAINS = ("positive", "unit", "bit", "count", "real")
FIRST = {d: variables(name, domain=d) for d, name in zip(DOMAINS, "xtunz", strict=True)}
SECOND = {d: variables(name, domain=d) for d, name in zip(DOMAINS, "yswiv", strict=True)}
a, b, c, k, lam = positives("a b c k lambda")
mu, m = reals("mu m")
p, q = fractions("p q")


def positive(rng: random.Random) -> Node:
    u, w = rng.choice((a, b, c, k, lam)), rng.choice((a, b, c, k, lam))
    return rng.choice((u, u + w, u * 2, u / 2, u**2, u + 1, 1 / u, number(3), u * w, u - w, u - 1))


def real(rng: random.Random) -> Node:
    return rng.choice((mu, m, mu + m, -mu, number(0), number(1), a, b - a, 2 * mu))


def unit(rng: random.Random) -> Node:
    return rng.choice((p, q, 1 - p, p * q, p / 2, sqrt(p), p + q, 2 * p, sigmoid(mu)))


def law(rng: random.Random, domain: str, at: Node, given: Node | None = None) -> Node:
    one, two = given or positive(rng), positive(rng)
    place = given or real(rng)
    match domain:
        case "positive":
            return rng.choice((Exponential(at, one), Gamma(at, two, one)))
        case "unit":
            return Beta(at, positive(rng), two)
        case "bit":
            return Bernoulli(at, given or unit(rng))
        case "count":
            return rng.choice((Poisson(at, one), Geometric(at, unit(rng))))
    high = rng.choice((real(rng), mu + a, a + b, number(2)))
    tails = two + rng.choice((0, 0, 1, 2, 3))
    return rng.choice((
        Uniform(at, real(rng), high), Laplace(at, place, two), Logistic(at, place, two),
        Student(at, tails, place, positive(rng)), Normal(at, place, two),
    ))  # fmt: skip


def body(rng: random.Random, domain: str, at: Node, depth: int = 2) -> Node:
    leaves = [at, at, at**2, at * real(rng), number(2), real(rng), 1 - at, at + 1]
    if domain in ("positive", "unit"):
        leaves += [log(at), 1 / at, sqrt(at), at ** positive(rng), log(1 + at), 1 / (1 + at)]
        leaves += [exp(-positive(rng) * at)]
    if domain == "unit":
        leaves += [log(1 - at), 1 / (1 - at), (1 - at) ** positive(rng)]
    if domain == "real":
        leaves += [absolute(at), absolute(at - real(rng)), exp(-positive(rng) * absolute(at))]
        leaves += [sigmoid(at), softplus(at), log(1 + at**2), (at - mu) / a, exp(at), exp(at / 3)]
    if domain == "count":
        leaves += [at * (at - 1), exp(-positive(rng) * at), positive(rng) ** at, (1 - p) ** at]
    if domain == "bit":
        leaves += [exp(real(rng) * at), absolute(at - mu), log(1 + at), p**at]
    if depth == 0:
        return rng.choice(leaves)
    more, leaf = body(rng, domain, at, depth - 1), rng.choice(leaves)
    whole = (leaf, more + leaf, more * leaf, -more, more**2)
    return rng.choice((*whole, log(law(rng, domain, at)), law(rng, domain, at)))


def expression(rng: random.Random) -> Node:
    domain = rng.choice(DOMAINS)
    at = FIRST[domain]
    one = law(rng, domain, at)
    match rng.randint(0, 7):
        case 0:
            return H(one)
        case 1:
            return KL(one, law(rng, domain, at))
        case 2:
            return integral(body(rng, domain, at) * one, at)
        case 3:
            return integral(one * law(rng, domain, at), at)
        case 4:
            slope = diff(log(law(rng, domain, at)), rng.choice((a, b, lam, mu)))
            return E(one, slope ** rng.choice((1, 2)))
        case 5:
            further = rng.choice(DOMAINS)
            fits = {"positive": ("positive", "count"), "real": ("real",), "unit": ("bit",)}
            given = at if further in fits.get(domain, ()) else None
            two = law(rng, further, SECOND[further], given)
            both = (one, two) if rng.random() < 0.5 else (two, one)
            return E(both, body(rng, further, SECOND[further], 1) * body(rng, domain, at, 0))
    return E(one, body(rng, domain, at))


def closed_form(e: Node) -> Any:
    """What A makes of it; None where an integral is left, or something would have to be shown."""
    rules = Rules()
    try:
        found = Lowering(rules, 1)(e)
    except (Unsupported, NotationError):
        return None
    left = rules.needs or found.has(Int, Recip, Binder) or found.atoms(sp.Dummy)
    return None if left else found


def number_of(e: Any, at: dict[str, Any]) -> Any:
    if e.is_Symbol:
        return at[e.name]
    parts = [number_of(u, at) for u in e.args if isinstance(u, sp.Expr)]
    if e.is_Add:
        return mpmath.fsum(parts)
    if e.is_Mul:
        return mpmath.fprod(parts)
    if isinstance(e, sp.exp):
        return mpmath.exp(parts[0])
    if e.is_Pow or isinstance(e, Root):
        return mpmath.power(*parts)
    if isinstance(e, Log):
        return mpmath.log(parts[0])
    if isinstance(e, AbsAtom):
        return abs(parts[0])
    if isinstance(e, Bell):
        return mpmath.npdf(parts[0], parts[1], mpmath.sqrt(parts[2]))
    if isinstance(e, Fun):
        if e.row.name == "trigamma":
            return mpmath.psi(1, parts[-1])
        name = {"gamma": "gamma", "digamma": "digamma", "erf": "erf"}[e.row.name]
        return getattr(mpmath, name)(parts[-1])
    return mpmath.mpf(sp.N(e, 30)._to_mpmath(100))


def integrated(e: Node, world: World) -> list[float]:
    program = Program((e,), world.survey, 1)
    levels = [level for level in (2, 3, 4, 5) if program.cost(world, level) < 60_000]
    found = [program.run(world, FLOAT, level, {})[0][0] for level in levels]
    return [float(v) for v in found if math.isfinite(v)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_closed_forms_are_what_is_integrated(seed: int) -> None:
    rng, compared = random.Random(seed), 0
    for _ in range(TRIED):
        try:
            e = expression(rng)
            found = closed_form(e)
            if found is None:
                continue
            survey = Survey((e,))
            world = World(survey, seed, rng.randint(0, 5), 1)
            values = integrated(e, world)
        except (NotationError, NoValue):
            continue
        letters = {}
        for s in survey.symbols.values():
            if not s.is_variable:
                raw = mpmath.mpf(world.raw("param", s.name, s.domain))
                letters[s.name] = raw / (1 - raw) if s.domain == "unit" else raw
        exact = number_of(found, letters)
        assert isinstance(exact, mpmath.mpf), e
        if len(values) < 2:
            continue
        drift = 3 * abs(values[-1] - values[-2])  # where a tail is long
        assert abs(values[-1] - exact) <= 1e-5 * (1 + abs(exact)) + drift, (e, values, exact)
        compared += 1
    assert compared > LEAST
