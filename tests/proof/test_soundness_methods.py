"""Random false claims about slopes, strict bounds, sums, induction, extremes, limits and classical
inequalities, each with the reason that a true neighbour has, or with one made for it: of all of
them, none is proved. A claim counts as false when random worlds refute it, which share no code with
the proofs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from genmath.proof import (
    arctan,
    diff,
    exp,
    induction,
    integral,
    log,
    number,
    numeric,
    positives,
    reals,
    sigmoid,
    sqrt,
    tanh,
    text,
)
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.methods import Method
from genmath.proof.language.tree import Node, NotationError
from genmath.proof.mutate import mutants
from genmath.proof.symbolic.judge import prove
from tests.proof import test_inequalities, test_methods, test_slopes, test_strict, test_sums

Because = tuple[Node, ...]
Case = tuple[Claim, Because]
FALSE = 125  # of each kind, in each part
PARTS = range(2)

u, v, t = positives("u"), *reals("v t")


def false(claim: Claim) -> bool:
    for look in (numeric.compare, numeric.judge.farther):
        try:
            if look(claim).verdict == "refuted":
                return True
        except (ValueError, numeric.Unsupported):
            return False
    return False


def curves(letter: Node) -> list[Node]:
    """Functions that are 0 at 0."""
    return [letter, letter**2, exp(letter) - 1, tanh(letter), arctan(letter), letter * exp(letter),
            2 * sigmoid(letter) - 1, letter / sqrt(1 + letter**2), letter**3]  # fmt: skip


def slopes(r: random.Random) -> Iterator[Case]:
    """Bounds between two curves, with the integral of the slope of the very gap."""
    while True:
        letter = r.choice((u, v))
        pool = curves(letter) + ([log(1 + u), u / (1 + u), sqrt(1 + u) - 1] if letter == u else [])
        scales = (number(1), number(1), number(2), number(1) / 2, number(101) / 100)
        lhs, rhs = (r.choice(scales) * r.choice(pool) for _ in range(2))
        if r.random() < 0.4:
            rhs = rhs + r.choice((-1, 1)) * r.choice(scales) * r.choice(pool)
        relation = r.choice((">=", "<=", ">", "<"))
        gap = lhs - rhs if relation[0] == ">" else rhs - lhs
        along = diff(instantiate(gap, ((letter, t),)), t)
        yield Claim(lhs, relation, rhs), (integral(along, t, between=(0, letter)),)


def broken(r: random.Random, cases: list[Case]) -> Iterator[Case]:
    """One slip in a true claim; its reason stays, or is dropped, or has a slip as well."""
    known = {case: list(mutants(case[0])) for case in cases}
    while True:
        case = r.choice(cases)
        because = case[1]
        if not known[case]:
            continue
        slip = r.choice(known[case])[1]
        certificates = [i for i, b in enumerate(because) if not isinstance(b, Method)]
        if certificates and r.random() < 0.5:
            i = r.choice(certificates)
            other = list(mutants(Claim(because[i], "=", because[i])))
            if other:
                because = (*because[:i], r.choice(other)[1].lhs, *because[i + 1 :])
        if slip.relation in (">=", "<=") and r.random() < 0.2:
            strict = Claim(slip.lhs, slip.relation[0], slip.rhs, slip.given)
            slip = strict
        yield slip, because


def cases_of(table: dict[str, tuple[object, object]]) -> list[Case]:
    found = []
    for statement, because in table.values():
        reasons = because if isinstance(because, tuple) else () if because is None else (because,)
        found.append((as_claim(statement), reasons))  # type: ignore[arg-type]
    return found


def by_induction() -> list[Case]:
    n = test_sums.n
    claims = [c for c in test_sums.TRUE.values() if n in set(c.lhs.walk())]
    return [(c, (induction(n),)) for c in claims]


KINDS = {
    "slopes": slopes,
    "certificates of slopes": lambda r: broken(r, cases_of(test_slopes.TRUE)),  # type: ignore[arg-type]
    "strict": lambda r: broken(r, cases_of(test_strict.TRUE)),  # type: ignore[arg-type]
    "sums": lambda r: broken(r, [(c, ()) for c in test_sums.TRUE.values()]),
    "induction": lambda r: broken(r, by_induction()),
    "methods": lambda r: broken(r, cases_of(test_methods.TRUE)),  # type: ignore[arg-type]
    "limits": lambda r: broken(r, [(c, ()) for c in test_methods.LIMITS.values()]),
    "inequalities": lambda r: broken(r, cases_of(test_inequalities.TRUE)),  # type: ignore[arg-type]
}


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_random_false_claim_is_proved(kind: str, part: int) -> None:
    r = random.Random(f"{kind} {part}")
    refuted = 0
    for claim, because in itertools.islice(KINDS[kind](r), 20 * FALSE):
        if refuted >= FALSE:
            break
        try:
            if not false(claim):
                continue
            refuted += 1
            proved = prove(claim, because).proved
        except NotationError:
            continue
        assert not proved, f"{text(claim.lhs)} {claim.relation} {text(claim.rhs)}, by {because!r}"
    assert refuted >= FALSE
