"""A stack of linear layers, with the time beside the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from genmath._base.checks import batched, describe, flag, integer, refuse, rng
from genmath._base.shapes import Data, Step, Time
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.time import as_time

__all__ = ["MLP"]


class MLP(nn.Module):
    """A vector field: data of ``dim`` numbers, and the time beside them, to ``dim`` numbers.

    net(x, t), or net(x) where ``time=False``. The time enters as one more input, as it is: it
    should be of order 1. With ``steps`` T it counts the steps 0..T, and enters as t/T.

    Shapes: x (B, *event) with ``dim`` numbers an event; t one number, or (B,). The output is shaped
        like x (``out`` numbers an event, if given, come as (B, out)). x has the dtype of the
        parameters, and t is cast to it.
    Errors: ValueError for sizes < 1, an x that does not hold ``dim`` numbers, a time that is
        missing, was not asked for, or does not fit; times where steps are counted, and the reverse.
    Random: ``generator`` draws the initial weights; without it torch's global state does, as for
        any module. They are uniform in ±1/√fan_in, which is torch's own choice for linear layers.
    """

    def __init__(
        self,
        dim: int,
        hidden: int = 64,
        layers: int = 3,
        time: bool = True,
        *,
        steps: int | None = None,
        out: int | None = None,
        activation: Callable[[], nn.Module] = nn.SELU,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dim, self.time = integer("dim", dim, 1), flag("time", time)
        self.steps = None if steps is None else integer("steps", steps, 1)
        if steps is not None and not time:
            refuse("steps", steps, "None, where time=False")
        self.out = None if out is None else integer("out", out, 1)
        width, depth = integer("hidden", hidden, 1), integer("layers", layers, 1, 1000)
        if not callable(activation) or not isinstance(activation(), nn.Module):
            refuse("activation", describe(activation), "what makes a module, such as nn.SiLU")
        sizes = [self.dim + self.time, *[width] * depth, self.out or self.dim]
        stack: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            stack += [_linear(fan_in, fan_out, generator), activation()]
        self.stack = nn.Sequential(*stack[:-1])

    def forward(self, x: Data, t: Step | Time | None = None) -> Data:
        if batched("x", x).numel() != len(x) * self.dim:
            refuse("x", describe(x), f"{self.dim} numbers a sample, the batch first")
        if (t is not None) != self.time:
            refuse("t", describe(t), "a time" if self.time else "no time: time=False was asked for")
        rows = x if x.ndim == 2 else x.reshape(len(x), self.dim)
        if t is not None:
            rows = torch.cat([rows, as_time(t, x, self.steps, x.dtype).unsqueeze(1)], 1)
        result: Tensor = self.stack(rows)
        return result.reshape(x.shape) if self.out is None and x.ndim != 2 else result


def _linear(fan_in: int, fan_out: int, generator: torch.Generator | None) -> nn.Linear:
    if generator is None:
        return nn.Linear(fan_in, fan_out)
    layer = nn.Linear(fan_in, fan_out, device="meta").to_empty(device=rng(generator).device)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer
