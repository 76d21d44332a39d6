"""Letters for what is bound."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from functools import cache
from typing import Any

import sympy as sp


def fresh(name: str) -> Any:
    """A letter that is used nowhere."""
    return sp.Dummy(name, real=True)


def unused(name: str, taken: Collection[Any], **assumptions: Any) -> Any:
    """A letter that nothing around uses, and the same one whenever it is asked for: so that what
    was worked out of a formula is recognised when the formula comes again."""
    known = tuple(assumptions.items()) or (("real", True),)
    return next(s for s in (_nth(name, n, known) for n in itertools.count()) if s not in taken)


@cache
def _nth(name: str, n: int, assumptions: tuple[tuple[str, Any], ...]) -> Any:
    return sp.Dummy(name, **dict(assumptions))
