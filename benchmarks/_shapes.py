"""The shapes world as a training set with captions, and the share of what is drawn as captioned."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from genmath.shapes import LENGTH, Scene, caption, draw, film, read, tokenise

BATCH, RATE = 64, 2e-3
NULL = torch.zeros(LENGTH, dtype=torch.int64)
Draw = Callable[[Tensor, torch.Generator], Tensor]  # captions as tokens to pictures


class World:
    """Scenes, and what is drawn and said of them."""

    def __init__(self, scenes: list[Scene], side: int, language: str, clips: bool) -> None:
        self.scenes, self.side, self.draw = scenes, side, film if clips else draw
        ways = [(False, True)[: 1 + (scene.other is not None)] for scene in scenes]
        self.texts = [
            tokenise([caption(scene, language, turned=turned) for turned in way])
            for scene, way in zip(scenes, ways, strict=True)
        ]
        self.alone = [i for i, scene in enumerate(scenes) if scene.other is None]

    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures and a caption of each; a fifth at least are of one thing, of which are few."""
        which = [
            random.choice(self.alone if random.random() < 0.2 else range(len(self.scenes)))
            for _ in range(n)
        ]
        x = self.draw([self.scenes[i] for i in which], self.side, generator=generator)
        return x, torch.stack([random.choice(self.texts[i]) for i in which])

    def some(self, n: int, generator: torch.Generator) -> list[int]:
        """n different scenes, by their numbers, or all that there are."""
        return torch.randperm(len(self.scenes), generator=generator)[:n].tolist()

    def captions(self, which: list[int]) -> Tensor:
        return torch.stack([self.texts[i][0] for i in which])


def right(made: Draw, world: World, n: int) -> Tensor:
    """The shares that show what is said, and nothing that can be read."""
    generator = torch.Generator().manual_seed(1)
    which = world.some(n, generator)
    return compared(made(world.captions(which), generator), [world.scenes[i] for i in which])


def compared(x: Tensor, wanted: list[Scene]) -> Tensor:
    """The shares of pictures that are read as what was wanted, and as nothing at all."""
    seen = list(zip(read(x), wanted, strict=True))
    return torch.tensor([[a == b, a is None] for a, b in seen]).double().mean(0)


class Budget:
    """Processor time of training, without what is spent on looking."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.spent, self.began = seconds, 0.0, 0.0

    def __enter__(self) -> None:
        self.began = time.process_time()

    def __exit__(self, *raised: object) -> None:
        self.spent += time.process_time() - self.began

    @property
    def share(self) -> float:
        return self.spent / self.seconds


def train(
    parameters: list[nn.Parameter],
    loss: Callable[[], Tensor],
    budget: Budget,
    after: Callable[[int, Tensor], object] = lambda *_: None,
    rate: float = RATE,
) -> int:
    """Adam, its rate even at first and falling to 0 over the last 40 % of the time; the steps."""
    optimizer = torch.optim.Adam(parameters, rate, betas=(0.9, 0.99), fused=True)
    steps = 0
    while budget.share < 1:
        with budget:
            steps += 1
            slower = min(1.0, steps / 100, max(0.02, (1 - budget.share) / 0.4))
            optimizer.param_groups[0]["lr"] = rate * slower
            value = loss()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        after(steps, value.detach())
    return steps
