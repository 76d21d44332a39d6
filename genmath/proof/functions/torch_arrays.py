"""Arithmetic on torch's tensors: values have gradients."""

from __future__ import annotations

from typing import Any

from genmath.proof.functions.arrays import Arrays


class TorchArrays(Arrays):
    library = "torch"

    def __init__(self) -> None:
        super().__init__()
        self.types = (self.array.Tensor,)

    def letter(self, value: Any) -> Any:
        if isinstance(value, (int, float)):
            return float(value)
        tensor = self.array.as_tensor(value)
        return tensor if self.is_real(tensor) else self.as_real(tensor)

    def is_real(self, u: Any) -> bool:
        return bool(u.is_floating_point())

    def as_real(self, u: Any) -> Any:
        return u.to(self.array.get_default_dtype())

    def count(self, value: Any) -> Any:
        if isinstance(value, int):
            return value
        tensor = self.array.as_tensor(value)
        if self.is_real(tensor):
            raise ValueError("expected integers")
        return tensor

    def finish(self, value: Any) -> Any:
        return self.array.as_tensor(value if self.is_array(value) else float(value))

    def moved(self, u: Any, order: list[int]) -> Any:
        return u.permute(order)

    def like(self, u: Any) -> dict[str, Any]:
        return {"dtype": u.dtype, "device": u.device}
