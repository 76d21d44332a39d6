"""What is known of signs while one claim is proved: what the hypotheses say, and what was shown on
the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

Fact = tuple[Any, bool]  # an expression, and whether it is > 0 or only >= 0
FACTS: ContextVar[tuple[Fact, ...]] = ContextVar("facts", default=())
# irreducible, and > 0 for all values of their letters
SHOWN: ContextVar[set[Any] | None] = ContextVar("shown", default=None)


@contextlib.contextmanager
def noting(known: set[Any]) -> Iterator[set[Any]]:
    """What is shown from here on; who began it decides who else hears of it."""
    token = SHOWN.set(known)
    try:
        yield known
    finally:
        SHOWN.reset(token)


def shown(e: Any) -> bool:
    return e in (SHOWN.get() or ())


@contextlib.contextmanager
def assuming(facts: tuple[Fact, ...]) -> Iterator[None]:
    token = FACTS.set(facts)
    try:
        yield
    finally:
        FACTS.reset(token)
