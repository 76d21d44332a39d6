"""What a certificate may cost: the kernel never computes for long, and ends with one sentence."""

from __future__ import annotations

from typing import Any

CHARACTERS, LINES = 1_000_000, 1000  # of a file; of a derivation
DEEPEST, LARGEST, HIGHEST = 60, 3000, 64  # levels and parts of a term; exponents
GROWN = 10 * LARGEST  # parts of a term that a rule gives
STEPS, NESTED = 4000, 12  # of a proof; proofs within proofs
EFFORT = 1_000_000  # work for a file
BITS = 4096  # of a coefficient
MOST = 400  # letters, functions, hypotheses, results of a claim: of each


class Rejected(ValueError):
    """Why a certificate proves nothing."""


class Work:
    """How much may still be done."""

    def __init__(self, most: int) -> None:
        self.left = most

    def spend(self, cost: int = 1) -> None:
        self.left -= cost
        if self.left < 0:
            raise Rejected("it takes too much work")


def sized(term: Any, work: Work) -> int:
    """How many parts a term has, if that is no more than may be done."""
    work.spend()
    return 1 + sum(sized(part, work) for part in term) if isinstance(term, tuple) else 1
