"""Claims judged in the same worlds share their sums: each is computed once in a world, and comes to
what it does by itself."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    Normal,
    absolute,
    diff,
    exp,
    indicator,
    integral,
    log,
    naturals,
    positive_part,
    positives,
    reals,
    sigmoid,
    sin,
    sqrt,
    total,
    variables,
)
from genmath.proof.language.claims import Claim
from genmath.proof.mutate import mutants
from genmath.proof.numeric import compare, make_worlds
from genmath.proof.numeric.arithmetic import EVERY, EXACT, FLOAT
from genmath.proof.numeric.compiled import Program, Sums, Total
from genmath.proof.numeric.hypotheses import assignments
from genmath.proof.numeric.shared import Shared
from genmath.proof.numeric.worlds import World

x, z = variables("x z")
a, b = reals("a b")
s = positives("s")
n, k = naturals("n k")
f, h = Function("f"), Function("h")
p, q = Density("p", x), Density("q", z, given=x)

CLAIMS = {
    "tables": Claim(E(q(z | x), log(q(z | x)) * f(z)), "=", KL(q(z | x), q(z | x)) * f(x)),
    "nested": Claim(E(p(x), E(q(z | x), f(z)) ** 2), "=", E(p(x), f(x)) + a),
    "a line": Claim(E(Normal(x, a, s), f(x)), "=", integral(Normal(x, b, s) * f(x), x) * s),
    "a slope": Claim(diff(E(Normal(x, a, s), x**3), a), "=", 3 * E(Normal(x, b, s), x**2)),
    "no sum": Claim(
        sqrt(a**2 + s) / (a - b) + s**a, "=", sigmoid(a * b) - log(s) * h(a) + sin(b) ** 7
    ),
    "ends": Claim(positive_part(a) * absolute(b) / b, "=", indicator(a > b) * a**5 / (s - s)),
    "ranges": Claim(total(a**k * exp(k), k, 1, n), "=", total(b**k, k, 1, n)),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_shared_sums_come_to_the_same(name: str) -> None:
    claim = CLAIMS[name]
    worlds = make_worlds(claim)
    sides = (claim.lhs, claim.rhs)
    shared: dict[tuple[int, str], Sums] = {}
    for world in worlds.members:
        where = (worlds.survey, world.dim, world.family)
        sums = shared.setdefault(where[1:], Sums(*where))
        Shared(sides[::-1], worlds.survey, sums)  # another claim came before
        apart, together = Program(sides, *where), Shared(sides, worlds.survey, sums)
        assert together.chains == apart.chains
        assert together.has_grid == apart.has_grid
        assert together.keys == apart.keys
        assert [key for _, key in together.free] == [key for _, key in apart.free]
        for free in assignments(apart, world, 4):
            for arithmetic in (FLOAT, EXACT):
                assert together.run(world, arithmetic, 0, free) == apart.run(
                    world, arithmetic, 0, free
                )


def test_what_mutants_say_is_what_they_say_by_themselves() -> None:
    for claim in CLAIMS.values():
        worlds = make_worlds(claim)
        for what, broken in list(mutants(claim))[::5]:
            together = compare(broken, worlds=worlds)
            apart = compare(broken, worlds=make_worlds(claim))
            assert (together.verdict, together.counterexample) == (
                apart.verdict,
                apart.counterexample,
            ), what


def test_a_sum_is_computed_once_in_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[World, str]] = []
    compute = Total.compute

    def counted(self: Total, world: World, *how: Any) -> Any:
        seen.append((world, how[0].name))
        return compute(self, world, *how)

    monkeypatch.setattr(Total, "compute", counted)
    claim = Claim(E(p(x), f(x)) + a, "=", E(p(x), f(x)) + b)
    worlds = make_worlds(claim)
    for other in (a, 2 * a, a**2):
        compare(Claim(claim.lhs, "=", E(p(x), f(x)) + other), worlds=worlds)
    assert {world for world, _ in seen} == set(worlds.members)
    assert len(seen) == len(set(seen))


def test_a_world_whose_letters_moved_is_read_anew() -> None:
    claim = Claim(total(a * k, k, 1, 3), "=", a)
    world = make_worlds(claim).members[0]
    where = (world.survey, world.dim, world.family)
    sums = Sums(*where)
    for value in (2.0, 5.0):
        world.move(("param", "a", "real"), value)
        shared = Shared((claim.lhs, claim.rhs), world.survey, sums)
        for arithmetic in EVERY:
            ((whole,), _) = shared.run(world, arithmetic, 0, {})
            assert whole == 6 * value


def test_claims_that_read_a_function_otherwise_share_nothing() -> None:
    """f is a table of numbers where it is only taken at points, and a curve where it is not."""
    claim = Claim(E(p(x), f(x)), "=", a)
    worlds = make_worlds(claim)
    for right in (E(p(x), f(x)) + a - a, E(p(x), f(x + a)), E(p(x), f(x)) + f(a) - f(a)):
        other = Claim(claim.lhs, "=", right)
        together, apart = (compare(other, worlds=w) for w in (worlds, make_worlds(claim)))
        assert (together.verdict, together.counterexample) == (apart.verdict, apart.counterexample)
