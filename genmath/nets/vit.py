"""A transformer that reads images: one vector each, or one for every patch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genmath._base.checks import describe, integer, refuse, whole
from genmath._base.shapes import Data
from genmath._base.torch import Float, Int, Tensor, nn, torch
from genmath.nets.blocks import Block, width_and_heads
from genmath.nets.patches import check_patches, patch_sizes, to_patches
from genmath.nets.positions import sinusoids
from genmath.nets.weights import initialize, undrawn

__all__ = ["ViT"]

Vector = Float[Tensor, "batch out"]
Features = Float[Tensor, "batch n hidden"]
Places = Int[Tensor, "batch k"]


class ViT(nn.Module):
    """Images, clips or series to vectors, by a transformer over their patches.

    net(x) is one vector a sample: the mean over the patches, through a layer where ``out`` is
    given. `tokens` is a vector for every patch. ``patch`` is the side of a square, or one size an
    axis. Places are told by waves, so any size will do.

    Shapes: x (B, channels, …), each size a multiple of its patch; (B, out), or (B, hidden). x has
        the dtype of the parameters.
    Errors: ValueError for sizes < 1, a ``hidden`` that is no multiple of ``heads`` or less than 2
        an axis, or an x that does not fit.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device; without
        it torch's global state does.
    Source: Dosovitskiy et al. 2021, section 3.1; the mean and fixed waves in place of a class token
        and learned places: Beyer, Zhai, Kolesnikov 2022.
    """

    def __init__(
        self,
        channels: int = 1,
        hidden: int = 64,
        layers: int = 4,
        heads: int = 4,
        patch: int | Sequence[int] = 2,
        *,
        out: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.patch = integer("channels", channels, 1), patch_sizes(patch)
        width, heads = width_and_heads(hidden, heads, axes=len(self.patch))
        layers = integer("layers", layers, 1, 1000)
        with undrawn(generator):
            self.first = nn.Linear(self.channels * math.prod(self.patch), width)
            self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
            self.norm = nn.LayerNorm(width)
            self.head = None if out is None else nn.Linear(width, integer("out", out, 1))
        initialize(self, generator)

    def forward(self, x: Data) -> Vector:
        mean = self.tokens(x).mean(1)
        out: Tensor = mean if self.head is None else self.head(mean)
        return out

    def tokens(self, x: Data, places: Places | None = None) -> Features:
        """A vector for each patch, row by row, or for those at ``places``, which alone are seen.

        Shapes: x as of the network, places (B, k) in 0..n - 1; (B, n, hidden) or (B, k, hidden).
        Errors: ValueError for an x or for places that do not fit.
        Source: patches that are left out: He et al. 2022 (MAE), section 3.
        """
        check_patches(x, self.channels, self.patch)
        h = self.first(to_patches(x, self.patch))
        h = h.flatten(1, -2) + sinusoids(h.shape[1:-1], h.shape[-1], h)
        if places is not None:
            if whole("places", places, h.shape[1]).ndim != 2 or len(places) != len(x):
                refuse("places", describe(places), f"shape ({len(x)}, k)")
            h = h.gather(1, places.long().unsqueeze(2).expand(-1, -1, h.shape[-1]))
        for block in self.blocks:
            h = block(h)
        out: Tensor = self.norm(h)
        return out
