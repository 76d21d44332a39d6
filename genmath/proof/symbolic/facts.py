"""What the hypotheses say of the sign of an expression, while one claim is proved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

Fact = tuple[Any, bool]  # an expression, and whether it is > 0 or only >= 0
FACTS: ContextVar[tuple[Fact, ...]] = ContextVar("facts", default=())


@contextlib.contextmanager
def assuming(facts: tuple[Fact, ...]) -> Iterator[None]:
    token = FACTS.set(facts)
    try:
        yield
    finally:
        FACTS.reset(token)
