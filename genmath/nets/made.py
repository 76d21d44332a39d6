"""A multilayer perceptron whose weights are masked, so that it is a law: MADE."""

from __future__ import annotations

from collections.abc import Sequence

from genmath._base.checks import integer
from genmath._base.shapes import Array
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.autoregressive import Autoregressive, Condition, Entries, Numbers, Told
from genmath.nets.masks import made_degrees, made_masks
from genmath.nets.weights import MaskedLinear, initialize, undrawn

__all__ = ["MADE"]


class MADE(Autoregressive):
    """All factors of a law of ``dim`` integers in one pass; drawing takes ``dim`` passes.

    Entry order[i] comes (i + 1)-th; the layers between the first and the last are residual. It has
    the `log_prob` and `sample` of `Autoregressive`.

    Shapes: x (B, dim) = (B, *event) of integers in 0..levels - 1, which enter as numbers in
        [-1, 1]; logits (B, dim, levels).
    Errors: ValueError for sizes < 1, an order that is no permutation, hidden < dim - 1, where some
        output would miss some earlier input, and those of `Autoregressive`.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: Germain, Gregor, Murray, Larochelle 2015.
    """

    def __init__(
        self,
        dim: int,
        levels: int = 2,
        hidden: int = 512,
        layers: int = 2,
        *,
        order: Sequence[int] | None = None,
        classes: int | None = None,
        cond_dim: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dim, self.levels = integer("dim", dim, 1), integer("levels", levels, 2)
        first, *inner, last = made_masks(self.dim, hidden, layers, order=order)
        self.width = len(first)
        self.degrees = made_degrees(self.dim, hidden, layers, order=order)[0].tolist()
        with undrawn(generator):
            self.embed = Numbers(self.levels)
            self.told = Told(self.width + self.dim * self.levels, classes, cond_dim)
            self.first = MaskedLinear(first)
            self.inner = nn.ModuleList(MaskedLinear(mask) for mask in inner)
            self.last = MaskedLinear(last.repeat_interleave(self.levels, 0))
        initialize(self, generator)

    @property
    def event(self) -> tuple[int, ...]:
        return (self.dim,)

    @property
    def order(self) -> list[int]:
        return sorted(range(self.dim), key=self.degrees.__getitem__)

    def forward(self, x: Entries, cond: Condition | None = None) -> Array:
        x = self._checked(x, cond)
        told = self.told(cond)
        within, ends = (0.0, 0.0) if isinstance(told, float) else told.tensor_split([self.width], 1)
        h = self.first(self.embed(x)) + within
        silu = nn.functional.silu
        for layer in self.inner:
            h = silu(h)
            h = h + layer(h)
        out: Tensor = self.last(silu(h)) + ends
        return out.reshape(len(x), self.dim, self.levels)
