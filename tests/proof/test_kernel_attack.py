"""Altered certificates: the kernel rejects them, or they still prove what they claim."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from genmath import book
from tests.proof.alterations import attack
from tests.proof.certificates import written

FEW = ("ddim", "vae", "gan")
TIMES, OFTEN = 8, 10  # alterations of a line


def lines(topic: str) -> list[tuple[str, dict[str, Any]]]:
    """The lines of a chapter that have a certificate."""
    found = []
    for derivation, one in written(topic):
        for line in json.loads(one.text)["lines"]:
            if "proof" in line:
                found.append((f"{derivation.name} {line['line']}", line))
    return found


def altered(topics: tuple[str, ...], times: int) -> Counter[str]:
    total = Counter[str]()
    for topic in topics:
        for name, line in lines(topic):
            total += attack(line, times, name)
    return total


def test_no_altered_certificate_proves_something_false() -> None:
    found = altered(FEW, TIMES)
    assert found["another claim, FALSE"] == 0
    assert found["rejected"] > 0.5 * found.total()
    assert found["same claim"] > 0  # such as a step that is not needed, or is there twice
    assert found["another claim, true"] > 0


@pytest.mark.slow
def test_nor_does_any_of_the_book() -> None:
    found = altered(tuple(t for t in book.topics() if t not in FEW), OFTEN)
    assert found["another claim, FALSE"] == 0
    assert found["rejected"] > 0.5 * found.total()
