"""Dilated convolutions that look back only: a long reach by few layers."""

from __future__ import annotations

from collections.abc import Sequence

from genmath._base.checks import integer, listed, refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.sequences import Sequences
from genmath.nets.weights import initialize, undrawn

__all__ = ["WaveNet"]

Past = list[Tensor]


class WaveNet(Sequences):
    """A law of sequences in which each entry depends on the `receptive_field` entries before it.

    Each layer is a causal convolution with ``k`` weights that lie a dilation apart, gated, with a
    residual to the next and a skip to the end. It has the `log_prob`, of any length, and `sample`
    of `Autoregressive`, which keeps the last inputs of each layer; set ``length`` for another.

    Shapes: x (B, T) of integers in 0..levels - 1; logits (B, T, levels).
    Errors: ValueError for sizes < 1, dilations that are no integers ≥ 1, and those of
        `Autoregressive`.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: van den Oord et al. 2016, "WaveNet", sections 2.1 to 2.5.
    """

    def __init__(
        self,
        levels: int,
        length: int,
        hidden: int = 64,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32),
        k: int = 2,
        *,
        classes: int | None = None,
        cond_dim: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        width, k = integer("hidden", hidden, 1), integer("k", k, 1, 1000)
        wanted = "integers >= 1"
        steps = [integer("dilations", d, 1, 10**6) for d in listed("dilations", dilations, wanted)]
        if not steps:
            refuse("dilations", "none", wanted)
        integer("levels", levels, 2)
        with undrawn(generator):
            super().__init__(levels, length, width, classes, cond_dim)
            self.k, self.dilations = k, tuple(steps)
            self.layers = nn.ModuleList(_Dilated(width, k, step) for step in steps)
            self.head = nn.Sequential(
                nn.SiLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, self.levels)
            )
        initialize(self, generator)

    @property
    def receptive_field(self) -> int:
        """How many entries before it each entry depends on: 1 + (k - 1) · sum of the dilations.

        Result: autoregressive.receptive_field
        """
        return 1 + (self.k - 1) * sum(self.dilations)

    def _run(self, h: Tensor, memory: Past | None) -> tuple[Tensor, Past]:
        h = h.mT
        skips, after = torch.zeros_like(h), []
        for i, layer in enumerate(self.layers):
            h, skip, past = layer(h, None if memory is None else memory[i])
            skips = skips + skip
            after.append(past)
        return skips.mT, after


class _Dilated(nn.Module):
    def __init__(self, width: int, k: int, step: int) -> None:
        super().__init__()
        self.back = (k - 1) * step
        self.conv = nn.Conv1d(width, 2 * width, k, dilation=step)
        self.out = nn.Conv1d(width, 2 * width, 1)

    def forward(self, h: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        if past is None:
            past = h.new_zeros(*h.shape[:2], self.back)
        seen = torch.cat([past, h], 2)
        a, b = self.conv(seen).chunk(2, 1)
        residual, skip = self.out(a.tanh() * b.sigmoid()).chunk(2, 1)
        return h + residual, skip, seen[..., seen.shape[2] - self.back :]
