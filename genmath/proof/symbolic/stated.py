"""What the hypotheses state is of one value of each letter: not of a bound letter of the same name,
nor of the other values that a letter is to have."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from genmath.proof.language.tree import Symbol
from genmath.proof.symbolic.definitions import MEANING
from genmath.proof.symbolic.facts import FACTS, Fact


def without(*letters: Symbol) -> tuple[Fact, ...]:
    """What is stated, but of these letters."""
    own = {s.name for s in letters}
    return tuple(f for f in FACTS.get() if own.isdisjoint(_names(f[0])))


def around(letter: Symbol) -> tuple[Fact, ...]:
    """What is stated for one value of a parameter holds of those near it only by a strict sign."""
    if letter.is_variable:
        return FACTS.get()
    return tuple(f for f in FACTS.get() if f[1] or letter.name not in _names(f[0]))


@lru_cache(4096)
def _names(e: Any) -> frozenset[str]:
    """Of which letters it speaks, be it by the name of a definition."""
    found = set[str]()
    for s in e.free_symbols:
        found |= _names(MEANING[s]) if s in MEANING else {s.name.split("[")[0]}
    return frozenset(found)
