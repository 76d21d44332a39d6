"""Images, clips and series as sequences of patches, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genmath._base.checks import batched, describe, integer, listed, refuse
from genmath._base.torch import Tensor


def patch_sizes(patch: int | Sequence[int]) -> tuple[int, ...]:
    """One size an axis; one number is the side of a square."""
    expected = "an integer >= 1, or one for each of 1 to 4 axes"
    sizes = [patch, patch] if isinstance(patch, int) else listed("patch", patch, expected)
    if not 1 <= len(sizes) <= 4:
        refuse("patch", describe(patch), expected)
    return tuple(integer("patch", size, 1) for size in sizes)


def check_patches(x: Tensor, channels: int, patch: Sequence[int]) -> None:
    """x (B, channels, …) with an axis for each size, a multiple of it."""
    shape, k = batched("x", x).shape, len(patch)
    if (
        x.ndim != 2 + k
        or shape[1] != channels
        or not all(n and n % p == 0 for n, p in zip(shape[2:], patch, strict=True))
    ):
        sizes = ", ".join("a multiple of " + str(p) for p in patch)
        refuse("x", describe(x), f"shape (B, {channels}, {sizes})")


def to_patches(x: Tensor, patch: Sequence[int]) -> Tensor:
    """(B, C, g·p, …) to (B, g, …, C · p · …): the places of a grid, each with its patch."""
    k = len(patch)
    sizes = [n for g, p in zip(x.shape[2:], patch, strict=True) for n in (g // p, p)]
    places, within = range(2, 2 + 2 * k, 2), range(3, 3 + 2 * k, 2)
    apart = x.reshape(*x.shape[:2], *sizes)
    return apart.permute(0, *places, 1, *within).flatten(1 + k)


def from_patches(h: Tensor, patch: Sequence[int]) -> Tensor:
    """The way back: (B, g, …, C · p · …) to (B, C, g·p, …)."""
    k, grid = len(patch), h.shape[1:-1]
    channels = h.shape[-1] // math.prod(patch)
    order = [axis for i in range(k) for axis in (1 + i, 2 + k + i)]
    sizes = [g * p for g, p in zip(grid, patch, strict=True)]
    apart = h.reshape(*h.shape[:-1], channels, *patch).permute(0, 1 + k, *order)
    return apart.reshape(len(h), channels, *sizes)
