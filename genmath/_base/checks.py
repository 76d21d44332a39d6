"""Argument checks shared by the implementations: shapes and Python numbers, never tensor values."""

from __future__ import annotations

import math
import reprlib
from typing import NoReturn, SupportsIndex

from genmath._base.torch import Tensor, torch


def refuse(name: str, value: object, expected: str) -> NoReturn:
    """Raise the one error this package raises for a bad argument."""
    raise ValueError(f"{name}: got {value}, expected {expected}")


def describe(value: object) -> str:
    """A tensor by its dtype and shape, anything else by a short repr."""
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)} on {value.device}"
    return (
        f"{type(value).__name__} {reprlib.repr(value)}"
        if hasattr(value, "__len__")
        else repr(value)
    )


def floating(name: str, value: object) -> Tensor:
    """A real floating-point tensor."""
    if not (isinstance(value, Tensor) and value.dtype.is_floating_point):
        refuse(name, describe(value), "a floating-point tensor")
    return value


def numeric(name: str, value: object) -> Tensor:
    """A real tensor, integers included."""
    if not isinstance(value, Tensor) or value.dtype.is_complex:
        refuse(name, describe(value), "a real tensor")
    return value


def batched(name: str, value: object) -> Tensor:
    """A floating-point tensor whose first dimension is the batch."""
    tensor = floating(name, value)
    if tensor.ndim == 0:
        refuse(name, describe(value), "a batch dimension first: (B,), (B, d), (B, C, H, W), …")
    return tensor


def same_shape(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Equal shapes: broadcasting data against data hides mistakes."""
    if value.shape != other.shape:
        refuse(name, describe(value), f"the shape of {other_name}, {tuple(other.shape)}")


def broadcastable(tensors: dict[str, Tensor]) -> None:
    """Shapes that broadcast together; the first that does not fit those before it is named."""
    joint: list[int] = []  # sizes, the last dimension first
    for name, x in tensors.items():
        for i, size in enumerate(reversed(x.shape)):
            if i == len(joint):
                joint.append(size)
            elif joint[i] == 1:
                joint[i] = size
            elif size not in (1, joint[i]):
                refuse(name, describe(x), f"a shape that broadcasts with {tuple(joint[::-1])}")


def one_of(name: str, value: str, options: tuple[str, ...]) -> None:
    """One of a closed list of names."""
    if value not in options:
        refuse(name, repr(value), "one of " + ", ".join(map(repr, options)))


def integer(name: str, value: SupportsIndex, least: int, most: int | None = None) -> int:
    """A Python integer between bounds (booleans are not integers here)."""
    expected = f"an integer >= {least}" if most is None else f"an integer in {least}..{most}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        refuse(name, repr(value), expected)
    number = value.__index__()
    if number < least or (most is not None and number > most):
        refuse(name, number, expected)
    return number


def real(name: str, value: float, expected: str, low: float, high: float = math.inf) -> float:
    """A finite Python number with low <= value <= high."""
    if isinstance(value, (str, bytes, bytearray)):  # which float() would read
        refuse(name, repr(value), expected)
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        refuse(name, describe(value), expected)
    if isinstance(value, bool) or not (math.isfinite(number) and low <= number <= high):
        refuse(name, repr(value), expected)
    return number


def positive(name: str, value: float) -> float:
    """A finite Python number > 0."""
    number = real(name, value, "a number > 0", 0.0)
    if number == 0.0:
        refuse(name, value, "a number > 0")
    return number


def rng(generator: object, device: torch.device | None = None) -> torch.Generator:
    """An explicit random generator, on the data's device where there are data."""
    if isinstance(generator, torch.Generator):
        if device in (None, generator.device) or device.type == generator.device.type:
            return generator
        generator = f"one on {generator.device}"
    where = "cpu" if device is None else device.type
    refuse(
        "generator",
        generator,
        f"a torch.Generator, as in torch.Generator({where!r}).manual_seed(0)",
    )
