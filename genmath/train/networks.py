"""A network for what a sample is: a perceptron for points, a U-Net for pictures."""

from __future__ import annotations

import math

from genmath._base.torch import Tensor, nn, torch
from genmath.nets import MLP, UNet
from genmath.train.data import Event


def network(
    event: Event,
    width: int,
    generator: torch.Generator,
    *,
    beside: int = 0,
    steps: int | None = None,
    classes: int | None = None,
) -> nn.Module:
    """net(x, t), shaped like x, with three layers of 2 · width for points.

    ``beside`` are further numbers a point, or channels a picture, that x has and the answer has
    not. With ``steps`` t counts them. A network of pictures can be told ``classes``, too.
    """
    one = math.prod(event.shape)
    if event.kind == "points":
        return MLP(one + beside, 2 * width, steps=steps, out=one, generator=generator)
    channels, *sides = event.shape
    return UNet(
        channels + beside, width, 2 if all(side % 4 == 0 for side in sides) else 0,
        classes=classes, steps=steps, out=channels, generator=generator,
    )  # fmt: skip


SLOW = 0.02  # so that the fastest of a U-Net's waves, at 1000 to a unit of t, turns three times


class Chord(nn.Module):
    """net(x, s, t): the length t - s of the step stands beside x.

    What it answers is told by its own slope in t, which fast waves of t would fill with noise: a
    U-Net sees the time slowed down.
    """

    def __init__(self, event: Event, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.net = network(event, width, generator, beside=1)
        self.pace = 1.0 if event.kind == "points" else SLOW

    def forward(self, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
        length = (t - s).reshape(-1, *[1] * (x.ndim - 1)).expand(-1, 1, *x.shape[2:])
        out: Tensor = self.net(torch.cat([x, length.to(x.dtype)], 1), self.pace * t)
        return out
