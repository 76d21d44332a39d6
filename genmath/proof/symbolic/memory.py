"""What was worked out is remembered: a mutant differs from its claim along one path only, and the
next line of a derivation repeats parts of the one before."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from genmath.proof.symbolic.facts import FACTS, SHOWN, noting
from genmath.proof.symbolic.supports import Rules


class Memory:
    """Results, with what they rely on and what was shown on the way. They may depend on what is
    stated, and on which densities of which letters are positive where which others are; all else is
    in the key."""

    def __init__(self, size: int = 20_000) -> None:
        self._size, self._found = size, dict[Hashable, tuple[Any, Rules, set[Any]]]()

    def recall(self, key: Hashable, rules: Rules, work: Callable[[Rules], Any]) -> Any:
        known = (frozenset(rules.dominates.items()), frozenset(rules.slots.items()))
        whole = (key, FACTS.get(), *known)
        found = self._found.get(whole)
        if found is None:
            inner = Rules(dominates=dict(rules.dominates), slots=dict(rules.slots))
            with noting(set(SHOWN.get() or ())) as noted:
                found = work(inner), inner, noted
            if len(self._found) >= self._size:
                self._found.clear()
            self._found[whole] = found
        rules.absorb(found[1])
        if (heard := SHOWN.get()) is not None:
            heard |= found[2]
        return found[0]
