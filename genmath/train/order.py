"""Which samples make which batch, as a function of the seed and the step alone.

A batch is cut into micro-batches, and these are shared out among processes. Nothing that is drawn
for a micro-batch depends on who computes it or on what was drawn before: so one process and eight
see the same data and the same noise, and a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from torch.utils.data import Sampler

from genmath._base.torch import torch


def seed_of(*words: object) -> int:
    """A number below 2^63 for what the words name."""
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def seeded(device: torch.device | str, *words: object) -> torch.Generator:
    """A generator of its own for what the words name."""
    return torch.Generator(device).manual_seed(seed_of(*words))


@dataclass
class Order(Sampler[list[int]]):
    """The indices of micro-batch after micro-batch for one process, without an end.

    ``size`` samples are gone through in a new random order each time; 0 stands for data without an
    end, whose samples are numbered 0, 1, 2, …
    """

    size: int
    batch: int
    micro: int
    seed: int
    start: int = 0
    process: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        self._epoch, self._places = -1, torch.empty(0)

    def __iter__(self) -> Iterator[list[int]]:
        for step in count(self.start):
            for part in range(self.process, self.batch // self.micro, self.processes):
                first = step * self.batch + part * self.micro
                yield self._at(first, first + self.micro)

    def _at(self, first: int, end: int) -> list[int]:
        """What stands at the places first, ..., end - 1 of the whole training."""
        found: list[int] = []
        while self.size and first < end:
            epoch, within = divmod(first, self.size)
            if epoch != self._epoch:
                own = seeded("cpu", self.seed, "order", epoch)
                self._epoch, self._places = epoch, torch.randperm(self.size, generator=own)
            found += self._places[within : within + end - first].tolist()
            first = epoch * self.size + min(self.size, within + end - first)
        return found or list(range(first, end))
