"""What the steps of every diffusion sampler share: one linear combination, one noise, one model."""

from __future__ import annotations

import math
from collections.abc import Callable

from genmath._base.batch import affine, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    finite,
    float_dtype,
    function,
    instance,
    integer,
    refuse,
    same_shape,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.torch import Tensor, torch
from genmath.paths import Path, Schedule

__all__ = [
    "PREDICTIONS",
    "Model",
    "affine",
    "call",
    "check_draws",
    "check_path",
    "check_schedule",
    "check_shape",
    "check_start",
    "even_steps",
    "one_each",
    "one_noise",
    "output",
]

# What a model on a schedule may predict: no velocity, since a table has no derivative in t.
PREDICTIONS = ("x0", "eps", "v", "score")
Model = Callable[[Tensor, Tensor], Tensor]
LARGEST = 2**34  # numbers in a tensor that is drawn; 64 GiB in float32


def check_schedule(schedule: object) -> None:
    """A `Schedule`, and not its table."""
    instance("schedule", schedule, Schedule, "a Schedule, such as linear_schedule(1000)")


def check_path(path: object) -> None:
    """A `Path`, and not a schedule."""
    instance("path", path, Path, "a Path in continuous time, such as VPPath()")


def even_steps(first: int, last: int, n: int) -> list[int]:
    """n + 1 whole numbers from first up to last: the nearest to even spacing, halves up."""
    return [first + (2 * (last - first) * i + n) // (2 * n) for i in range(n + 1)]


def call(model: Model, x_t: Tensor, t: Tensor, name: str = "model") -> Tensor:
    """The model's output, which is shaped like x_t."""
    function(name, model)
    return output(name, model(x_t, t), "x_t", x_t)


def output(name: str, out: object, like_name: str, like: Tensor) -> Tensor:
    """What a function returned, if it is a tensor like another."""
    if not isinstance(out, Tensor):
        refuse(f"{name} output", describe(out), f"a tensor shaped like {like_name}")
    if out.shape != like.shape or out.device != like.device or not out.dtype.is_floating_point:
        where = f"of shape {tuple(like.shape)} on {like.device}, like {like_name}"
        refuse(f"{name} output", describe(out), f"a floating-point tensor {where}")
    return out


def one_each(name: str, out: object, x: Tensor) -> Tensor:
    """What a function returned, if it is one number a sample: (B,)."""
    if not isinstance(out, Tensor) or out.shape != x.shape[:1] or not out.dtype.is_floating_point:
        refuse(name, describe(out), f"one number a sample: shape {tuple(x.shape[:1])}")
    return out


def one_noise(
    noise: Tensor | None, generator: Generators | None, x: Tensor, name: str = "x_t"
) -> Tensor:
    """The noise that was given, or a draw: exactly one of ``noise`` and ``generator``."""
    if noise is None and generator is not None:
        rngs(generator, len(x), x.device)
        noise = torch.empty_like(x, dtype=work_dtype(x), memory_format=torch.contiguous_format)
        return draw_(noise, generator)
    if noise is not None and generator is None:
        return same_shape("noise", noise, name, x)
    which = "both" if noise is not None else "neither"
    return refuse("noise, generator", which, "exactly one of the two")


def check_draws(
    generator: Generators | None,
    x: Tensor,
    t: object,
    noise: Tensor | None,
    besides: bool = False,
) -> None:
    """A loss draws the t and the noise it is not given: a generator exactly where it does."""
    if t is None or noise is None or besides:
        rngs(generator, len(x), x.device)
    elif generator is not None:
        refuse("generator", generator, "None: with t and noise given nothing is drawn")


def check_shape(shape: object) -> tuple[int, ...]:
    """Sizes, the batch first."""
    if not isinstance(shape, (tuple, list)) or not shape:
        refuse("shape", describe(shape), "a tuple of sizes, the batch first")
    sizes = tuple(integer("shape", size, 0) for size in shape)
    if math.prod(sizes) > LARGEST:
        refuse("shape", describe(shape), f"at most {LARGEST} numbers")
    return sizes


def check_start(
    shape: tuple[int, ...], dtype: torch.dtype, name: str, start: Tensor | None
) -> tuple[int, ...]:
    """The shape, if it has a batch dimension and the start, if given, has it and finite values."""
    shape, dtype = check_shape(shape), float_dtype(dtype)
    if start is not None:
        if batched(name, start).shape != shape:
            refuse(name, describe(start), f"the shape, {shape}")
        finite(name, start)
    return shape
