"""A recurrent network as a law of sequences: its state is all that it keeps of what it saw."""

from __future__ import annotations

from genmath._base.checks import integer
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.sequences import Sequences
from genmath.nets.weights import initialize, undrawn

__all__ = ["GRULM"]


class GRULM(Sequences):
    """A language model of gated recurrent units.

    It has the `log_prob`, of any length, and `sample` of `Autoregressive`, which carries the state
    along; set ``length`` for another.

    Shapes: x (B, T) of integers in 0..vocabulary - 1; logits (B, T, vocabulary).
    Errors: ValueError for sizes < 1 and those of `Autoregressive`.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: Cho et al. 2014, section 2.3.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        hidden: int = 128,
        layers: int = 1,
        *,
        classes: int | None = None,
        cond_dim: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        width, layers = integer("hidden", hidden, 1), integer("layers", layers, 1, 1000)
        with undrawn(generator):
            super().__init__(vocabulary, length, width, classes, cond_dim)
            self.cells = nn.GRU(width, width, layers, batch_first=True)
            self.head = nn.Linear(width, self.levels)
        initialize(self, generator)

    def _run(self, h: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor]:
        out: tuple[Tensor, Tensor] = self.cells(h, memory)
        return out
