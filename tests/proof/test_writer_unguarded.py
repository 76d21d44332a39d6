"""A writer that takes everything for granted writes certificates of false claims, and the kernel
refuses them: with each of its guards removed, and with all of them."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from genmath import book
from genmath.proof import NotationError
from genmath.proof.certificate.files import steps_of
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.written import stated
from genmath.proof.coq.theorem import Statement
from genmath.proof.language.claims import as_claim
from genmath.proof.language.derivation import Lemma, Step
from genmath.proof.mutate import mutants, reversed_claim
from tests.proof import (
    test_binders,
    test_domains,
    test_guards,
    test_hostile_abstract,
    test_hostile_algebra,
    test_hostile_derivatives,
    test_hostile_rules,
    worlds,
)
from tests.proof.alterations import outcome
from tests.proof.credulous import GUARDS, attempts, without

Build = Callable[[], Any]


def hostile() -> dict[str, Statement]:
    """Claims that are false, or without a meaning in some world, as the kernel is told them; none
    that rests on an earlier result, which may say the same."""
    plain = {**test_guards.FALSE, **test_hostile_derivatives.FALSE, **test_binders.FALSE}
    tables: dict[str, Build] = {
        **test_hostile_abstract.FALSE, **test_hostile_algebra.FALSE, **test_hostile_rules.FALSE,
        **{name: lambda c=claim: c for name, claim in plain.items()},
        **{str(k): lambda c=claim: c for k, claim in enumerate(test_domains.FALSE)},
    }  # fmt: skip
    found = {}
    for name, build in tables.items():
        try:
            made = build()
            claim, because = made if isinstance(made, tuple) else (made, ())
            because = because if isinstance(because, tuple) else (because,)
            if not any(isinstance(b, Lemma) for b in because):
                found[name] = stated(as_claim(claim), because)
        except (NoProof, NotationError):
            continue
    return found


def fates(claims: Iterable[tuple[str, Statement]], guard: str) -> Counter[str]:
    """What becomes of them, with one guard removed: none that is false in a world is accepted."""
    counts = Counter[str]()
    for name, claim in claims:
        with without(guard):
            tried = [outcome(one) for one in attempts(claim)]
        counts["claims"] += 1
        counts["with a certificate"] += bool(tried)
        for found in tried:
            counts["certificates"] += 1
            if found is None or found.rejected or found.claim is None:
                counts["rejected"] += 1
                continue
            chance = random.Random(name)
            is_ = worlds.truth(found.claim, chance, found.supposed)
            counts[f"accepted, {is_}"] += 1
            assert is_ != "FALSE", (name, guard, found.supposed)
    return counts


HOSTILE = hostile()
FEW = sorted(HOSTILE)[::9]
REJECTED = {"positive": 8, "denominators": 10, "signs of arguments": 30, "all": 60,
            "whether terms are equal": 60, "all of signs": 20}  # fmt: skip


@pytest.mark.parametrize("guard", REJECTED)
def test_what_a_credulous_writer_writes_is_refused(guard: str) -> None:
    found = fates([(n, HOSTILE[n]) for n in FEW], guard)
    assert found["rejected"] > REJECTED[guard], found


@pytest.mark.slow
@pytest.mark.parametrize("guard", GUARDS)
def test_and_so_is_all_of_it(guard: str) -> None:
    found = fates(HOSTILE.items(), guard)
    assert found["certificates"] > 200, found


# --- the claims of the book, broken


MORE = [*(g for g in GUARDS if g != "all"), *["all"] * 6]


def broken(step: Step, chance: random.Random, each: int) -> Iterator[tuple[str, Statement]]:
    """With a slip, with the relation turned, or with less known of its letters."""
    made = [claim for _, claim in mutants(step.claim)]
    made = chance.sample(made, min(each, len(made)))
    if step.claim.relation != "=":
        made.append(reversed_claim(step.claim))
    for claim in made:
        with contextlib.suppress(NoProof, NotationError):
            yield repr(claim), stated(claim, step.because)
    with contextlib.suppress(NoProof, NotationError):
        claim = stated(step.claim, step.because)
        own = len(claim.conditions) - len(claim.results)
        if own:
            del claim.conditions[chance.randrange(own)]
            yield "a condition less", claim


def fuzzed(topics: Iterable[str], each: int) -> Counter[str]:
    counts = Counter[str]()
    for derivation in (d for topic in topics for d in book.chapter(topic).derivations):
        for k, step in enumerate(steps_of(derivation)):
            chance = random.Random(f"{derivation.name} {k}")
            for what, claim in [] if step.unfilled else broken(step, chance, each):
                counts += fates([(f"{derivation.name} {k}: {what}", claim)], chance.choice(MORE))
    return counts


def test_no_broken_claim_of_the_book_is_accepted_unless_it_is_true() -> None:
    found = fuzzed(("autoregressive",), 2)
    assert found["rejected"] > 50, found
    assert found["accepted, true"] > 2, found
    assert found["accepted, not evaluated"] < 0.2 * found["accepted, true"], found


@pytest.mark.slow
def test_nor_is_one_of_any_chapter() -> None:
    found = fuzzed(book.topics(), 1)
    assert found["rejected"] > 2000, found
