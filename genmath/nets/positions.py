"""Where a token stands: waves added to it, or turns of its queries and keys."""

from __future__ import annotations

from collections.abc import Sequence

from genmath._base.batch import work_dtype
from genmath._base.torch import Tensor, nn, torch

Turn = tuple[Tensor, Tensor]  # cos and sin, (n, size/2)


def angles(before: int, length: int, size: int, like: Tensor) -> Turn:
    """cos and sin of place · 10000^(-2i/size), (T, size/2), for the places from ``before`` on."""
    angle = _angle(before, length, size // 2, like)
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Each pair (i, i + size/2) of features turned by its angle: RoPE.

    Source: Su et al. 2021, section 3.2, with the pairs laid half the features apart.
    """
    (cos, sin), (a, b) = turn, x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def sinusoids(grid: Sequence[int], width: int, like: Tensor) -> Tensor:
    """The places of a grid as waves, (n, width): each axis has an equal share of the features.

    Half of a share are sines, half cosines, of place · 10000^(-i/m), i < m = width // (2 axes).
    What is left over is zero.

    Source: Vaswani et al. 2017, section 3.5; one share an axis as Dosovitskiy et al. 2021,
        appendix D.4.
    """
    m, axes = width // (2 * len(grid)), len(grid)
    shares = []
    for i, length in enumerate(grid):
        angle = _angle(0, length, m, like)
        waves = torch.cat([angle.sin(), angle.cos()], 1)
        around = [1] * i + [length] + [1] * (axes - i - 1)
        shares.append(waves.reshape(*around, 2 * m).expand(*grid, 2 * m))
    places = torch.cat(shares, -1).flatten(0, -2).to(like.dtype)
    return nn.functional.pad(places, (0, width - 2 * m * axes))


def _angle(before: int, length: int, m: int, like: Tensor) -> Tensor:
    """place · 10000^(-i/m), (length, m), in float32 at least."""
    work = work_dtype(like)
    rates = 1e4 ** (torch.arange(m, dtype=work, device=like.device) / -m)
    return torch.arange(before, before + length, dtype=work, device=like.device)[:, None] * rates
