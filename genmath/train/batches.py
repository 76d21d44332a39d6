"""What is trained on: batches, what one sample is, and what is held out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from torch.utils.data import Dataset

from genmath._base.torch import Tensor, torch


class Batch(NamedTuple):
    """Samples x (B, *event) and what they are of: labels (B,), tokens of a text (B, L), or None."""

    x: Tensor
    y: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        move = partial(Tensor.to, device=device, non_blocking=True)
        return Batch(move(self.x), None if self.y is None else move(self.y))


@dataclass(frozen=True)
class Event:
    """What one sample is: all that a network must know of the data to be built, or drawn from.

    ``kind`` is "points", "pictures" or "clips"; pictures are in [-1, 1], channels first, and a clip
    (channels, frames, h, w).
    """

    kind: str
    shape: tuple[int, ...]
    classes: int = 0  # labels are 0..classes-1
    words: tuple[str, ...] = ()  # what tokens stand for; the first fills a text up


@dataclass(frozen=True)
class Data:
    """What is trained on, and what is held out.

    ``train`` gives a `Batch` for a list of indices (``__getitems__``) and has a length, or none if
    it has no end.
    """

    name: str
    event: Event
    train: Dataset[Batch]
    test: Batch

    @property
    def size(self) -> int:
        """The number of training samples; 0 if there is no end of them."""
        return len(self.train) if hasattr(self.train, "__len__") else 0

    def batch(self, n: int, seed: int) -> Batch:
        """Some training samples, for what wants a look at the data before it trains."""
        rng = random.Random(seed)
        indices = [rng.randrange(self.size or 2**31) for _ in range(n)]
        return self.train.__getitems__(indices)  # type: ignore[attr-defined, no-any-return]
