"""What networks of sequences share: a start, a length that is free, and a memory."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from genmath._base.checks import describe, integer, refuse, whole
from genmath._base.shapes import Array
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.autoregressive import Autoregressive, Condition, Entries, Told

__all__ = ["Sequences"]


class Sequences(Autoregressive):
    """Embedded tokens behind a learned start go in; what comes out at a place is of the next one.

    `_run` takes features and a memory of what came before them, or None, and returns features and
    the memory after them: all of a sequence, or one token at a time, by the same lines.
    """

    head: nn.Module

    def __init__(
        self, vocabulary: int, length: int, width: int, classes: int | None, cond_dim: int | None
    ) -> None:
        super().__init__()
        self.levels = integer("vocabulary", vocabulary, 2)
        self.length = integer("length", length, 1)
        self.embed = nn.Embedding(self.levels, width)
        self.start = nn.Embedding(1, width)
        self.told = Told(width, classes, cond_dim)

    @property
    def event(self) -> tuple[int, ...]:
        """How long a sample is: set ``length`` for another."""
        return (integer("length", self.length, 1),)

    def forward(self, x: Entries, cond: Condition | None = None) -> Array:
        if whole("x", x, self.levels).ndim != 2 or x.shape[1] == 0:
            refuse("x", describe(x), "shape (B, T), T >= 1")
        self.told.check(cond, x)
        out: Tensor = self.head(self._run(self._before(x.long(), cond), None)[0])
        return out

    def _before(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """At each place the token before it, or the start."""
        start = self.start.weight.expand(len(x), 1, -1)
        out: Tensor = torch.cat([start, self.embed(x)[:, :-1]], 1) + self.told(cond, before=1)
        return out

    @abstractmethod
    def _run(self, h: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Features (B, T, width) to features (B, T, width), with the memory before and after."""

    def _next(self, x: Tensor, i: int, cond: Tensor | None, memory: Any) -> tuple[Tensor, Any]:
        if memory is None:
            h = self._before(x[:, : i + 1], cond)
        else:
            h = self.embed(x[:, i - 1 : i]) + self.told(cond, before=1)
        features, memory = self._run(h, memory)
        out: Tensor = self.head(features[:, -1])
        return out, memory
