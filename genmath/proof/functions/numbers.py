"""Arithmetic on single numbers: Python's floats, or mpmath's."""

from __future__ import annotations

import importlib
import math
from contextlib import nullcontext
from fractions import Fraction
from typing import Any

from genmath.proof.language.elementary import DOMAINS, TABLE, call


class Numbers:
    """Floats. `module` has the constants and the elementary functions."""

    module: Any = math
    library = "math"

    def quiet(self) -> Any:
        return nullcontext()

    def real(self, value: Any) -> Any:
        return float(value)

    def number(self, value: Fraction) -> Any:
        if value.denominator == 1:
            return self.exact(value.numerator)
        return self.real(value.numerator) / value.denominator

    def exact(self, value: Any) -> Any:
        """An integer that may be divided."""
        return value

    def is_array(self, u: Any) -> bool:
        return False

    def letter(self, value: Any) -> Any:
        return self.real(value)

    def count(self, value: Any) -> Any:
        """An integer letter."""
        if int(value) != value:
            raise ValueError("expected an integer")
        return int(value)

    def finish(self, value: Any) -> Any:
        return self.real(value)

    def power(self, base: Any, exponent: Any) -> Any:
        if base < 0 and exponent != int(exponent):
            raise ValueError(f"a negative number to the power {exponent}")
        return base**exponent

    def function(self, name: str, u: Any) -> Any:
        """An elementary function at u."""
        row = TABLE[name]
        if row.domain != "real" and u < 0:
            raise ValueError(f"{name}({u}): expected {DOMAINS[row.domain]}")
        try:
            return call(row, self.library, self.module, u)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f"{name}({u}): expected {DOMAINS[row.domain]}") from error


class MpmathNumbers(Numbers):
    """Numbers of mpmath, with the digits that are set there."""

    library = "mpmath"

    def __init__(self) -> None:
        self.module = importlib.import_module(self.library)

    def real(self, value: Any) -> Any:
        return self.module.mpf(value)

    def exact(self, value: Any) -> Any:
        """1/3 has more than a float's digits."""
        return self.real(value)
