"""Images pixel by pixel: two stacks of convolutions that together see all that came before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genmath._base.checks import describe, integer, listed, refuse
from genmath._base.shapes import Array
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.autoregressive import Autoregressive, Condition, Entries, Numbers, Told
from genmath.nets.masks import pixelcnn_mask
from genmath.nets.weights import MaskedConv2d, initialize, undrawn

__all__ = ["PixelCNN"]


class PixelCNN(Autoregressive):
    """A gated PixelCNN: pixels in raster order, the channels of a pixel in turn.

    The vertical stack sees the rows above, the horizontal one the row itself to the left, and what
    the first found. Masked squares alone would leave a blind spot to the right above. With
    r = layers · (k // 2) a pixel sees r + 1 rows up, each to r columns on its right and at least as
    many on its left, and r columns back in its own row: all of an image of r + 1 columns and r + 2
    rows. It has the `log_prob` and `sample` of `Autoregressive`.

    Shapes: x (B, channels, h, w) = (B, *event) of integers in 0..levels - 1, which enter as numbers
        in [-1, 1]; logits (B, channels, h, w, levels).
    Errors: ValueError for sizes < 1, an even k, features that do not divide into channels, and
        those of `Autoregressive`.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders",
        section 2 and figure 2.
    """

    def __init__(
        self,
        event: Sequence[int],
        levels: int = 256,
        hidden: int = 64,
        layers: int = 7,
        k: int = 3,
        *,
        classes: int | None = None,
        cond_dim: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = listed("event", event, "(channels, height, width)")
        if len(sizes) != 3:
            refuse("event", describe(event), "(channels, height, width)")
        self.shape = tuple(integer("event", size, 1, 10**5) for size in sizes)
        self.levels, width = integer("levels", levels, 2), integer("hidden", hidden, 1)
        channels, layers = self.shape[0], integer("layers", layers, 1, 1000)
        if integer("k", k, 3, 1000) % 2 == 0:
            refuse("k", k, "an odd size, which has a middle")
        if width % channels:
            refuse("hidden", hidden, f"a multiple of the {channels} channels")
        with undrawn(generator):
            self.embed = Numbers(self.levels)
            # One gate a layer and a stack, but for the last of the vertical one, which none asks.
            self.told = Told(2 * width * (2 * layers - 1), classes, cond_dim)
            self.stacks = nn.ModuleList(
                _Gated(width, k, channels, first) for first in [True] + [False] * (layers - 1)
            )
            self.head = nn.Sequential(
                nn.SiLU(),
                _within(width, width, 1, channels),
                nn.SiLU(),
                _within(width, channels * self.levels, 1, channels),
            )
        initialize(self, generator)

    @property
    def event(self) -> tuple[int, ...]:
        return self.shape

    @property
    def order(self) -> list[int]:
        channels, height, width = self.shape
        return [c * height * width + i for i in range(height * width) for c in range(channels)]

    def forward(self, x: Entries, cond: Condition | None = None) -> Array:
        return self._logits(self._checked(x, cond), cond)

    def _logits(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Of as many rows as x has; what is below them is not asked."""
        across = self.embed(x)
        above = torch.cat([across, self._coordinates(across)], 1)
        beside = self.told(cond, after=2)
        count = len(self.stacks)
        if isinstance(beside, float):
            parts: list[Tensor | float] = [0.0] * (2 * count)
        else:
            parts = [*beside.chunk(2 * count - 1, 1), 0.0]
        for stack, *told in zip(self.stacks, parts[count:], parts[:count], strict=True):
            above, across = stack(above, across, *told)
        out: Tensor = self.head(across)
        n, channels, height, width = x.shape
        return out.reshape(n, channels, self.levels, height, width).movedim(2, -1)

    def _coordinates(self, like: Tensor) -> Tensor:
        """Where a pixel is: row, column, and that it is one, which beyond the rim it is not."""
        _, height, width = self.shape
        down = torch.linspace(-1, 1, height, dtype=like.dtype, device=like.device)
        right = torch.linspace(-1, 1, width, dtype=like.dtype, device=like.device)
        row, column = torch.meshgrid(down, right, indexing="ij")
        here = torch.stack([row, column, torch.ones_like(row)])
        return here[:, : like.shape[2]].expand(len(like), -1, -1, -1)

    def _next(self, x: Tensor, i: int, cond: Tensor | None, memory: Any) -> tuple[Tensor, Any]:
        channels, _, width = self.shape
        (row, column), channel = divmod(i // channels, width), i % channels
        return self._logits(x[:, :, : row + 1], cond)[:, channel, row, column], None


class _Gated(nn.Module):
    """One layer of both stacks; what the vertical one found goes one row down, and is added."""

    def __init__(self, width: int, k: int, channels: int, first: bool) -> None:
        super().__init__()
        self.reach, self.first = k // 2, first
        above = channels + 3 if first else width
        self.down = nn.Conv2d(above, 2 * width, (self.reach + 1, k))
        self.over = nn.Conv2d(2 * width, 2 * width, 1)
        into, kind = (channels, "A") if first else (width, "B")
        self.right = _within(into, width, k, channels, kind, twice=True)
        self.out = _within(width, width, 1, channels)

    def forward(
        self, above: Tensor, across: Tensor, for_above: Tensor | float, for_across: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        r, pad = self.reach, nn.functional.pad
        found = self.down(pad(above, (r, r, r, 0)))
        handed = self.over(pad(found, (0, 0, 1, -1)))
        within = self.right(pad(across, (r, 0, 0, 0))) + handed + for_across
        new_above, new_across = _gate(found + for_above), self.out(_gate(within))
        if self.first:
            return new_above, new_across
        return above + new_above, across + new_across


def _within(
    into: int, out: int, k: int, channels: int, kind: str = "B", *, twice: bool = False
) -> MaskedConv2d:
    """A masked square's own row: pixels to the left, and earlier channels of the pixel itself."""
    mask = pixelcnn_mask(kind, k, channels=channels, into=into, out=out)
    mask = mask[:, :, k // 2 : k // 2 + 1, : k // 2 + 1]
    return MaskedConv2d(torch.cat([mask, mask]) if twice else mask)  # twice: what a gate takes


def _gate(x: Tensor) -> Tensor:
    a, b = x.chunk(2, 1)
    return a.tanh() * b.sigmoid()
