"""Images, clips and series to codes on a coarser grid, and back: the halves of an autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from genmath._base.checks import batched, describe, integer, listed, refuse
from genmath._base.shapes import Data
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.patches import check_patches
from genmath.nets.weights import CONVOLUTIONS, TRANSPOSED, initialize, undrawn

__all__ = ["ConvDecoder", "ConvEncoder"]

Halves = list[tuple[list[int], list[int]]]  # kernel and stride of each layer


class _Convolutions(nn.Module):
    """What both halves are made of: layers along as many axes as there are factors."""

    body: nn.Sequential

    def __init__(
        self,
        channels: int = 3,
        codes: int = 16,
        factor: int | Sequence[int] = 8,
        hidden: int = 64,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.codes = integer("channels", channels, 1), integer("codes", codes, 1)
        self.factor = _factors(factor)
        widths = _widths(self.channels, hidden, self.factor)
        with undrawn(generator):
            self.body = nn.Sequential(*self._layers(widths, _halves(self.factor)))
        initialize(self, generator, 3**0.5)

    def _layers(self, widths: list[int], halves: Halves) -> list[nn.Module]:
        """From the data on, of these widths, or back to them; kernel and stride of each."""
        raise NotImplementedError


class ConvEncoder(_Convolutions):
    """Data on a grid to codes on a coarser one: each layer halves the axes that are too long still.

    ``factor`` says by how much, a power of two for each axis: (8, 8) for images, (2, 4, 4) for
    clips, whose codes so have a time, (16,) for series; one number is for both sides of an image.
    A code sees what is near its place, along all axes. With one number a code the same network is
    a judge of patches, for the adversarial part of a first stage.

    Shapes: x (B, channels, …), each size a multiple of its factor; codes (B, codes, …), each size
        divided by it.
    Errors: ValueError for sizes < 1, a factor that is no power of two, more than three axes, and
        an x that does not fit.
    Random: ``generator`` draws the initial weights, uniform in ±√(3/fan_in), on its device; without
        it torch's global state does.
    Source: Rombach et al. 2022, section 3.1, without attention or residual blocks; over time as
        well: Yan et al. 2021 (VideoGPT), section 3.1; a judge of patches: Isola et al. 2017,
        section 3.2.2.
    """

    def _layers(self, widths: list[int], halves: Halves) -> list[nn.Module]:
        conv: Any = CONVOLUTIONS[len(self.factor) - 1]
        found = list[nn.Module]()
        for (a, b), (kernel, stride) in zip(pairwise(widths), halves, strict=True):
            found += [conv(a, b, kernel, stride, 1), nn.SiLU()]
        return [*found, conv(widths[-1], self.codes, 1)]

    def forward(self, x: Data) -> Data:
        check_patches(x, self.channels, self.factor)
        z: Tensor = self.body(x)
        return z


class ConvDecoder(_Convolutions):
    """Codes on a grid to data on a finer one: the way of a `ConvEncoder` back, layer by layer.

    Shapes: z (B, codes, …), x (B, channels, …), each size multiplied by its factor.
    Errors: ValueError for sizes < 1, a factor that is no power of two, more than three axes, and
        a z that does not fit.
    Random: ``generator`` draws the initial weights, uniform in ±√(3/fan_in), on its device; without
        it torch's global state does.
    """

    def _layers(self, widths: list[int], halves: Halves) -> list[nn.Module]:
        conv: Any = CONVOLUTIONS[len(self.factor) - 1]
        back: Any = TRANSPOSED[len(self.factor) - 1]
        found = list[nn.Module]()
        for (a, b), (kernel, stride) in zip(pairwise(widths), halves, strict=True):
            found = [nn.SiLU(), back(b, a, kernel, stride, 1), *found]
        return [conv(self.codes, widths[-1], 1), *found]

    def forward(self, z: Data) -> Data:
        shape, axes = batched("z", z).shape, len(self.factor)
        if len(shape) != 2 + axes or shape[1] != self.codes:
            refuse("z", describe(z), f"shape (B, {', '.join([str(self.codes), *['n'] * axes])})")
        x: Tensor = self.body(z)
        return x


def _factors(factor: int | Sequence[int]) -> tuple[int, ...]:
    expected = "a power of two, or one for each of 1 to 3 axes"
    sizes = [factor, factor] if isinstance(factor, int) else listed("factor", factor, expected)
    if not 1 <= len(sizes) <= 3:
        refuse("factor", describe(factor), expected)
    found = tuple(integer("factor", size, 1) for size in sizes)
    if any(size & (size - 1) for size in found):
        refuse("factor", describe(factor), expected)
    return found


def _widths(channels: int, hidden: int, factor: tuple[int, ...]) -> list[int]:
    """Of the data, and behind each layer: twice as wide as the one before, the last ``hidden``."""
    hidden, layers = integer("hidden", hidden, 1), max(factor).bit_length() - 1
    return [channels, *(max(1, hidden >> layers - 1 - i) for i in range(layers))]


def _halves(factor: tuple[int, ...]) -> Halves:
    """Kernel and stride of each layer: 4 and 2 along an axis that is halved, else 3 and 1."""
    layers = [[size >> i > 1 for size in factor] for i in range(max(factor).bit_length() - 1)]
    return [([3 + halved for halved in axes], [1 + halved for halved in axes]) for axes in layers]
