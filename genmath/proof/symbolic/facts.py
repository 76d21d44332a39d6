"""What the hypotheses say of the sign of an expression, while one claim is proved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from genmath.proof.symbolic.atoms import AbsAtom
from genmath.proof.symbolic.polynomials import expand

Fact = tuple[Any, bool]  # an expression, and whether it is > 0 or only >= 0
FACTS: ContextVar[tuple[Fact, ...]] = ContextVar("facts", default=())


@contextlib.contextmanager
def assuming(facts: tuple[Fact, ...]) -> Iterator[None]:
    token = FACTS.set(facts)
    try:
        yield
    finally:
        FACTS.reset(token)


def stated_positive(f: Any) -> bool:
    return any(_above(f, e, strict) for e, strict in FACTS.get())


def stated_nonnegative(f: Any) -> bool:
    return any(_above(f, e, True) for e, _ in FACTS.get())


def stated_nonzero(f: Any) -> bool:
    sides = (f, -f)
    if any(_above(s, e, strict) for e, strict in FACTS.get() for s in sides):
        return True
    apart = [e.args[0] for e, strict in FACTS.get() if strict and isinstance(e, AbsAtom)]
    return any(expand(s - u) == 0 for u in apart for s in sides)


def _above(f: Any, e: Any, strict: bool) -> bool:
    """f > 0, since f is no less than e, or by a positive amount more."""
    from genmath.proof.symbolic.algebra import is_nonnegative, is_positive

    over = expand(f - e)
    return is_nonnegative(over) if strict else is_positive(over)
