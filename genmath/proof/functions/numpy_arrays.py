"""Arithmetic on numpy's arrays."""

from __future__ import annotations

from typing import Any

from genmath.proof.functions.arrays import Arrays, total_function
from genmath.proof.language.elementary import Elementary


class NumpyArrays(Arrays):
    library = "numpy"

    def __init__(self) -> None:
        super().__init__()
        self.types = (self.array.ndarray, self.array.generic)

    def quiet(self) -> Any:
        return self.array.errstate(all="ignore")

    def letter(self, value: Any) -> Any:
        array = self.array.asarray(value)
        return array if self.is_real(array) else self.as_real(array)

    def is_real(self, u: Any) -> bool:
        return bool(u.dtype.kind == "f")

    def as_real(self, u: Any) -> Any:
        return u.astype(float)

    def count(self, value: Any) -> Any:
        if isinstance(value, int):
            return value
        array = self.array.asarray(value)
        if array.dtype.kind not in "iu":
            raise ValueError("expected integers")
        return array

    def finish(self, value: Any) -> Any:
        return self.array.asarray(value if self.is_array(value) else float(value))[()]

    def entries(self, row: Elementary, u: Any) -> Any:
        if row.code.get(self.library, row.name) is None:
            kind = u.dtype if self.is_real(u) else float
            return self.array.vectorize(total_function(row), otypes=[kind])(u)
        return super().entries(row, u)

    def moved(self, u: Any, order: list[int]) -> Any:
        return u.transpose(order)
