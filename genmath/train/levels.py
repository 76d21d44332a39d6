"""Grey levels: pictures in [-1, 1] as whole numbers, and back."""

from __future__ import annotations

from genmath._base.torch import Tensor, torch


def to_levels(x: Tensor, levels: int) -> Tensor:
    """The nearest of ``levels`` levels, 0 for -1 and levels - 1 for 1; of int64."""
    return ((x + 1) / 2 * (levels - 1)).round().clamp(0, levels - 1).long()


def from_levels(n: Tensor, levels: int) -> Tensor:
    """Levels as values in [-1, 1]."""
    return 2 * n.float() / (levels - 1) - 1


def spread(x: Tensor, levels: int, generator: torch.Generator) -> Tensor:
    """Uniform in the bin of each value, whose width is 2/(levels - 1): a density of this bounds
    the probability of the levels (`genmath.likelihood.dequantization_bound`)."""
    noise = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return x + (2 * noise - 1) / (levels - 1)
