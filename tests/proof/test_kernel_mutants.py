"""No certificate is written for a claim of the book that was broken, and none is accepted."""

from __future__ import annotations

import contextlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pytest

from genmath import book
from genmath.proof import Normal, equal, integral, numeric, positives, reals, sqrt, variables
from genmath.proof.certificate import files, said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.written import certificate, readings
from genmath.proof.language.derivation import Step
from genmath.proof.mutate import mutants
from tests.proof.alterations import outcome
from tests.proof.certificates import written

FEW = ("ddim", "gan", "flow_matching")


def steps(*topics: str) -> Iterator[tuple[Step, Any]]:
    """Those that have a certificate, with their proofs."""
    for derivation, one in chain(*map(written, topics)):
        lines = json.loads(one.text)["lines"]
        for step, line in zip(files.steps_of(derivation), lines, strict=True):
            if "proof" in line:
                yield step, line["proof"]


def undefined(found: numeric.Outcome) -> bool:
    """Refuted since a side has no value: for the kernel even sqrt(-1) is some number."""
    where = found.counterexample or {}
    return "undefined" in (where.get("lhs"), where.get("rhs"))


def test_only_a_side_without_a_value_excuses_a_refuted_mutant() -> None:
    a, x, v = reals("a"), variables("x"), positives("v")
    total = integral(Normal(x, sqrt(a), v), x)
    assert undefined(numeric.compare(equal(total, 1)))
    false = numeric.compare(equal(integral(Normal(x, a, v), x), 2))
    assert false.verdict == "refuted"
    assert not undefined(false)


def fates(steps: Iterable[tuple[Step, Any]], each: int) -> Counter[str]:
    """Of some mutants of each step: a new certificate is asked for, and the old proof is tried."""
    counts = Counter[str]()
    for k, (step, proof) in enumerate(steps):
        made = [broken for _, broken in mutants(step.claim)]
        for broken in random.Random(k).sample(made, min(each, len(made))):
            accepted: list[str] = []
            with contextlib.suppress(NoProof):
                for claim in readings(broken, step.because):
                    tried = outcome({"claim": said.claim(claim), "proof": proof})
                    accepted += ["the old proof"] * (tried is not None and not tried.rejected)
                    with contextlib.suppress(NoProof):
                        accepted += ["a new proof"] * bool(certificate(claim))
            counts["broken"] += 1
            if accepted:
                counts[accepted[-1]] += 1
                found = numeric.compare(broken)
                counts[f"accepted, {found.verdict}"] += 1
                assert found.verdict != "refuted" or undefined(found), (accepted, broken)
    return counts


def test_a_broken_claim_has_no_certificate() -> None:
    found = fates(steps(*FEW), 3)
    assert found["broken"] > 100
    assert found["accepted, agree"] < 0.1 * found["broken"]  # a mutant may be true


@pytest.mark.slow
def test_nor_has_any_of_the_book() -> None:
    assert fates(steps(*book.topics()), 1)["broken"] > 400
