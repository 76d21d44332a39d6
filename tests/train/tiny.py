"""Recipes that take milliseconds, for the tests of the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.samplers import Euler, sample
from genmath.train import Batch, Recipe, Turn
from genmath.train.data import Event


@dataclass(frozen=True, kw_only=True)
class Flow(Recipe):
    """Flow matching in the plane, with dropout before the network where it is asked for."""

    title = "Flow"
    shows = "points"
    data = "moons"

    steps: int = 20
    batch: int = 16
    width: int = 8
    dropout: float = 0.0
    bursts: int = -1  # the step whose loss is not a number
    steep: int = -1  # the step whose loss has a slope that is not finite

    def turn(self, step: int) -> Turn:
        def steep(model: Any, batch: Batch, generator: Generator) -> Tensor:
            weight = next(iter(model.parameters()))
            return self.loss(model, batch, generator) + (weight * 0).square().sum().sqrt()

        def bursts(model: Any, batch: Batch, generator: Generator) -> Tensor:
            return self.loss(model, batch, generator) * float("nan")

        return Turn({self.steep: steep, self.bursts: bursts}.get(step, self.loss))

    def build(self, event: Event, generator: Generator) -> nn.Module:
        net = MLP(event.shape[0], self.width, 1, generator=generator)
        return Thinned(net, nn.Dropout(self.dropout))

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        return cfm_loss(model, batch.x, generator=generator)

    def sample(
        self, model: nn.Module, event: Event, n: int, generator: Generator, *, steps: int = 4
    ) -> Tensor:
        return sample(model, (n, *event.shape), sampler=Euler(), steps=steps, generator=generator)


class Thinned(nn.Module):
    def __init__(self, net: nn.Module, dropout: nn.Module) -> None:
        super().__init__()
        self.net, self.dropout = net, dropout

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.net(self.dropout(x), t)


@dataclass(frozen=True, kw_only=True)
class Game(Recipe):
    """Two players in turn, a guess of the mean and one of the distance from it."""

    title = "Game"
    shows = "two losses"
    data = "moons"

    steps: int = 20
    batch: int = 16
    rate: float = 0.05
    quiet: bool = False  # draws nothing

    def build(self, event: Event, generator: Generator) -> nn.Module:
        players = {"mean": nn.Linear(1, event.shape[0]), "spread": nn.Linear(1, 1)}
        for player in players.values():
            for weight in player.parameters():
                nn.init.normal_(weight, generator=generator)
        return nn.ModuleDict(players)

    def turn(self, step: int) -> Turn:
        return Turn(self.nearer, "mean") if step % 2 else Turn(self.measured, "spread")

    def nearer(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        noise = torch.randn(batch.x.shape, generator=generator)
        return self.distance(model, batch.x + (0 if self.quiet else 0.1) * noise).mean()

    def measured(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        far = self.distance(model, batch.x).detach()
        return ((model["spread"](far[:, None])[:, 0] - far) ** 2).mean()

    def distance(self, model: Any, x: Tensor) -> Tensor:
        return ((model["mean"](torch.ones(len(x), 1)) - x) ** 2).sum(1)

    def sample(self, model: Any, event: Event, n: int, generator: Generator) -> Tensor:
        return model["mean"](torch.ones(n, 1))
