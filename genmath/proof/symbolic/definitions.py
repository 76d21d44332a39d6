"""What the letters of definitions stand for."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import (
    is_positive,
    substitute,
)
from genmath.proof.symbolic.atoms import (
    Binder,
    Int,
    Rho,
    Unknown,
)
from genmath.proof.symbolic.supports import Unsupported

MEANING: dict[Any, Any] = {}


@lru_cache(maxsize=5000)
def definition_letter(name: str, value: Any) -> Any:
    """A letter for a defined quantity; it knows the sign of what it stands for."""
    if value.is_Symbol or value.is_Number:
        return value
    if not is_positive(value):
        letter = sp.Dummy(name, real=True)
        MEANING[letter] = value
        return letter
    letter = sp.Dummy(name, positive=True)
    if is_positive(1 - value):
        MEANING[letter] = value / (1 - value)
        return letter / (1 + letter)
    MEANING[letter] = value
    return letter


def resolve(e: Any) -> Any:
    """Put the meaning of defined letters back."""
    if any(i.free_symbols & MEANING.keys() for i in e.atoms(Int, Unknown, Rho, Binder)):
        raise Unsupported("a definition inside an integral")
    return substitute(e, MEANING)
