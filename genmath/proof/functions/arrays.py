"""Arithmetic on arrays; Python numbers among them stay as they are."""

from __future__ import annotations

import importlib
import math
from typing import Any

from genmath.proof.functions.numbers import Numbers
from genmath.proof.language.elementary import TABLE, Elementary, call


class Arrays(Numbers):
    """What numpy and torch have in common. `array` is the module, loaded when it is asked for;
    `types` is what its arrays are."""

    array: Any
    types: tuple[type, ...]

    def __init__(self) -> None:
        self.array = importlib.import_module(self.library)

    def is_array(self, u: Any) -> bool:
        return isinstance(u, self.types)

    def function(self, name: str, u: Any) -> Any:
        if not self.is_array(u):  # as Python's own numbers are: numpy has no log-gamma
            return Numbers().function(name, u)
        return self.entries(TABLE[name], u)

    def entries(self, row: Elementary, u: Any) -> Any:
        """An elementary function of every entry; nan outside its domain."""
        return call(row, self.library, self.array, u)

    def power(self, base: Any, exponent: Any) -> Any:
        if not self.is_array(base) and not self.is_array(exponent):
            return super().power(base, exponent)
        if self.is_array(base) and not self.is_real(base):
            base = self.as_real(base)
        return base**exponent

    def is_real(self, u: Any) -> bool:
        """Whether an array holds floats of some precision."""
        raise NotImplementedError

    def as_real(self, u: Any) -> Any:
        raise NotImplementedError

    def total(self, u: Any, axis: int) -> Any:
        return u.sum(axis, keepdims=True)

    def moved(self, u: Any, order: list[int]) -> Any:
        """With the axes in another order."""
        raise NotImplementedError

    def like(self, u: Any) -> dict[str, Any]:
        """How to make an array of the same kind."""
        return {"dtype": u.dtype}


def total_function(row: Elementary) -> Any:
    """A function of floats that is nan where it is not defined, and infinite where too large."""

    def at(u: float) -> float:
        if not row.defined(u):
            return math.nan
        try:
            return float(call(row, "math", math, float(u)))
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    return at
