"""What the steps of every diffusion sampler share: one linear combination, one noise, one model."""

from __future__ import annotations

from collections.abc import Callable

from genmath._base.batch import affine, work_dtype
from genmath._base.checks import batched, describe, integer, refuse, rng, same_shape
from genmath._base.torch import Tensor, torch
from genmath.paths import Schedule

__all__ = [
    "PREDICTIONS",
    "Model",
    "affine",
    "call",
    "check_schedule",
    "check_start",
    "even_steps",
    "one_noise",
]

# What a model on a schedule may predict: no velocity, since a table has no derivative in t.
PREDICTIONS = ("x0", "eps", "v", "score")
Model = Callable[[Tensor, Tensor], Tensor]


def check_schedule(schedule: object) -> None:
    """A `Schedule`, and not its table."""
    if not isinstance(schedule, Schedule):
        refuse("schedule", describe(schedule), "a Schedule, such as linear_schedule(1000)")


def even_steps(first: int, last: int, n: int) -> list[int]:
    """n + 1 whole numbers from first up to last: the nearest to even spacing, halves up."""
    return [first + (2 * (last - first) * i + n) // (2 * n) for i in range(n + 1)]


def call(model: Model, x_t: Tensor, t: Tensor) -> Tensor:
    """The model's output, which is shaped like x_t."""
    out = model(x_t, t)
    if out.shape != x_t.shape:
        same_shape("model output", out, "x_t", x_t)
    return out


def one_noise(noise: Tensor | None, generator: torch.Generator | None, x: Tensor) -> Tensor:
    """The noise that was given, or a draw: exactly one of ``noise`` and ``generator``."""
    if (noise is None) == (generator is None):
        refuse("noise, generator", "both" if noise is not None else "neither", "exactly one")
    if noise is None:
        rng(generator, x.device)
        noise = torch.empty_like(x, dtype=work_dtype(x), memory_format=torch.contiguous_format)
        return noise.normal_(generator=generator)
    same_shape("noise", noise, "x_t", x)
    return noise


def check_start(
    shape: tuple[int, ...], dtype: torch.dtype, name: str, start: Tensor | None
) -> tuple[int, ...]:
    """The shape, if it has a batch dimension and the start, if given, has it and finite values."""
    if not isinstance(shape, (tuple, list)):
        refuse("shape", shape, "a tuple of sizes, the batch first")
    shape = tuple(integer("shape", size, 0) for size in shape)
    if not shape or not dtype.is_floating_point:
        refuse("shape, dtype", (shape, dtype), "a batch dimension first, a floating-point dtype")
    if start is not None:
        if batched(name, start).shape != shape:
            refuse(name, describe(start), f"shape {shape}")
        if not bool(torch.isfinite(start).all()):
            refuse(name, f"{describe(start)} that is not finite", "finite values")
    return shape
