"""Argument checks shared by the implementations: shapes and numbers, never the values of data."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Sequence
from typing import Any, NoReturn, SupportsIndex

from genmath._base.torch import Tensor, nn, torch


def refuse(name: str, value: object, expected: str) -> NoReturn:
    """Raise the one error this package raises for a bad argument."""
    raise ValueError(f"{name}: got {value}, expected {expected}")


def describe(value: object) -> str:
    """A tensor by its dtype and shape, anything else by a short repr, with its type if it has a
    length."""
    if isinstance(value, Tensor):
        shown = f"a {value.dtype} tensor of shape {tuple(value.shape)} on {value.device}"
        number = read(value)
        return shown if number is None else f"{shown}, {number:g}"
    short = reprlib.repr(value)
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return short
    return f"{type(value).__name__} {short}"


def read(value: Tensor) -> float | None:
    """The number in a real tensor of no dimension on the CPU, where that costs nothing.

    None for any other: one on a GPU, or inside `torch.func.vmap` or `torch.compile`, is not looked
    at.
    """
    if value.ndim or not value.is_cpu or value.dtype.is_complex or torch.compiler.is_compiling():
        return None
    try:
        return float(value.detach())
    except RuntimeError:
        return None


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


def some(name: str, value: object) -> Tensor:
    """The same with at least one sample, since the mean over none is undefined."""
    tensor = batched(name, value)
    if len(tensor) == 0:
        refuse(name, describe(value), "at least one sample: the mean over none is undefined")
    return tensor


def same_shape(name: str, value: object, other_name: str, other: Tensor) -> Tensor:
    """A floating-point tensor of an equal shape: broadcasting data against data hides mistakes."""
    tensor = floating(name, value)
    if tensor.shape != other.shape:
        refuse(name, describe(value), f"the shape of {other_name}, {tuple(other.shape)}")
    return tensor


def all_finite(value: Tensor) -> bool:
    """By the sum, at a hundredth of the time of the whole; only a sum that overflows needs that."""
    total = value.detach().sum(dtype=torch.float32 if value.itemsize < 4 else None)
    return math.isfinite(total.item()) or bool(value.isfinite().all())


def finite(name: str, value: Tensor) -> Tensor:
    """A tensor without infinity and NaN; its values are read."""
    if not all_finite(value):
        refuse(name, f"{describe(value)} that is not finite", "finite values")
    return value


def not_negative(name: str, table: Tensor) -> None:
    """Probabilities, on the CPU, where to look costs a few µs: logits are given so easily."""
    if table.is_cpu and table.numel():
        try:
            low = float(table.detach().amin())
        except RuntimeError:  # inside torch.func.vmap
            return
        if low < 0:
            refuse(name, f"{describe(table)} with {low:g}", "probabilities, softmax(logits) say")


def instance(name: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    if not isinstance(value, kind):
        refuse(name, describe(value), expected)


def function(name: str, value: object) -> None:
    """Something to call: a module, a function. A class is none: calling it makes another thing."""
    if not callable(value) or isinstance(value, type):
        refuse(name, describe(value), "a function or a module")


def module(name: str, value: object) -> None:
    """A module itself: behind a lambda its parameters are neither trained nor saved."""
    if not isinstance(value, nn.Module):
        refuse(name, describe(value), "an nn.Module, whose parameters are trained and saved")


def apart(name: str, model: object) -> None:
    """A function that treats each sample for itself, as one must whose slopes are taken for all
    samples at once: a batch norm that is training mixes them."""
    if isinstance(model, nn.Module):
        for part in model.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm) and (
                part.training or part.running_mean is None
            ):
                mixed = f"one with {describe(part)}, which mixes the samples of a batch"
                refuse(name, mixed, "no batch norm, or one in eval()")


def labels(name: str, value: Tensor, x: Tensor, of: str = "x") -> Tensor:
    """Integers, one a sample."""
    whole = isinstance(value, Tensor) and value.dtype in (torch.int64, torch.int32)
    if not whole or value.shape != x.shape[:1]:
        wanted = f"integers of shape {tuple(x.shape[:1])}, one for each of {of}"
        refuse(name, describe(value), wanted)
    return value


def whole(name: str, value: object, levels: int) -> Tensor:
    """An integer tensor with values in 0..levels - 1, which on the CPU are read."""
    expected = f"an integer tensor with values in 0..{levels - 1}"
    plain = isinstance(value, Tensor) and not value.dtype.is_complex
    if not isinstance(value, Tensor) or not plain or value.dtype.is_floating_point:
        refuse(name, describe(value), expected)
    if value.dtype == torch.bool or value.ndim == 0:
        refuse(name, describe(value), expected)
    if value.is_cpu and value.numel() and not torch.compiler.is_compiling():
        low, high = (int(end) for end in value.aminmax())
        if low < 0 or high >= levels:
            refuse(name, f"{describe(value)} with values in {low}..{high}", expected)
    return value


def masked(name: str, value: object, shape: tuple[int, ...]) -> Tensor:
    """True where something is."""
    if not isinstance(value, Tensor) or value.dtype != torch.bool or value.shape != shape:
        refuse(name, describe(value), f"a tensor of booleans of shape {tuple(shape)}")
    return value


def flag(name: str, value: object) -> bool:
    """True or False themselves: any other object would count as one of them."""
    if not isinstance(value, bool):
        refuse(name, describe(value), "True or False")
    return value


def float_dtype(dtype: object) -> torch.dtype:
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        refuse("dtype", describe(dtype), "a floating-point dtype, such as torch.float32")
    return dtype


def broadcastable(tensors: dict[str, Tensor]) -> None:
    """Shapes that broadcast together; the first that does not fit those before it is named."""
    joint: list[int] = []  # sizes, the last dimension first
    before: list[str] = []
    for name, x in tensors.items():
        for i, size in enumerate(reversed(x.shape)):
            if i == len(joint):
                joint.append(size)
            elif joint[i] == 1:
                joint[i] = size
            elif size not in (1, joint[i]):
                others = f"that of {', '.join(before)}, {tuple(joint[::-1])}"
                refuse(name, describe(x), f"a shape that broadcasts with {others}")
        before.append(name)


def one_of(name: str, value: object, options: tuple[str, ...]) -> None:
    """One of a closed list of names."""
    if not isinstance(value, str) or value not in options:
        refuse(name, describe(value), "one of " + ", ".join(map(repr, options)))


def listed(name: str, value: object, expected: str) -> list[Any]:
    """The members of a sequence, or of a table of one dimension; a string is none."""
    if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        refuse(name, describe(value), expected)
    return list(value)


MANY = 10**8  # No count of steps, samples or layers is larger; a slip of the finger may be.


def integer(name: str, value: SupportsIndex, least: int, most: int = MANY) -> int:
    """An integer between bounds (booleans are not integers here)."""
    expected = f"an integer >= {least}" if most == MANY else f"an integer in {least}..{most}"
    try:
        number = operator.index(value)
    except TypeError:
        refuse(name, describe(value), expected)
    if isinstance(value, bool) or number < least:
        refuse(name, describe(value), expected)
    if number > most:
        refuse(name, describe(value), f"an integer in {least}..{most}")
    return number


def real(name: str, value: float, expected: str, low: float, high: float = math.inf) -> float:
    """A finite number with low <= value <= high, of Python, numpy or a tensor of no dimension."""
    number = value if type(value) is float else _number(value)
    if not (low <= number <= high and abs(number) != math.inf):  # as torch.compile can follow
        refuse(name, describe(value), expected)
    return number


def _number(value: object) -> float:
    """NaN for what is no real number, though float() might read it: strings, arrays, booleans."""
    if isinstance(value, Tensor):
        fits = value.ndim == 0 and value.dtype != torch.bool and not value.dtype.is_complex
    else:
        fits = not isinstance(value, (bool, str, bytes)) and not hasattr(value, "__len__")
    try:
        return float(value) if fits else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return math.nan


def positive(name: str, value: float) -> float:
    """A finite Python number > 0."""
    number = real(name, value, "a number > 0", 0.0)
    if number == 0.0:
        refuse(name, describe(value), "a number > 0")
    return number


def between(
    name: str, value: Tensor, expected: str, low: float = -math.inf, high: float = math.inf
) -> None:
    """What is refused as a number is refused as a tensor of no dimension, where it can be read."""
    number = read(value)
    if number is not None and not (math.isfinite(number) and low <= number <= high):
        refuse(name, describe(value), expected)


def rng(generator: object, device: torch.device | None = None) -> torch.Generator:
    """An explicit random generator, on the data's device where there are data."""
    if isinstance(generator, torch.Generator):
        if device in (None, generator.device) or device.type == generator.device.type:
            return generator
        given = f"one on {generator.device}"
    else:
        given = describe(generator)
    where = "cpu" if device is None else device.type
    refuse(
        "generator",
        given,
        f"a torch.Generator, as in torch.Generator({where!r}).manual_seed(0)",
    )
