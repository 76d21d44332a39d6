"""Small networks for the laboratories: plain ``torch.nn`` modules."""

from __future__ import annotations

import math
from itertools import pairwise

from genmath._base.checks import batched, describe, integer, refuse, rng
from genmath._base.shapes import Data
from genmath._base.torch import Float, Tensor, nn, torch

__all__ = ["MLP"]


class MLP(nn.Module):
    """A vector field: data of ``dim`` numbers, and the time beside them, to ``dim`` numbers.

    net(x, t), or net(x) where ``time=False``. The time enters as one more input as it is, so it
    should be of order 1: give t/T where t counts steps.

    Shapes: x (B, *event) with ``dim`` numbers an event; t one number, or (B,). The output is shaped
        like x (``out`` numbers an event, if given, come as (B, out)). x has the dtype of the
        parameters, and t is cast to it.
    Errors: ValueError for sizes < 1, an x that does not hold ``dim`` numbers, or a time that is
        missing, was not asked for, or does not fit.
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
        out: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dim, self.time = integer("dim", dim, 1), bool(time)
        self.out = None if out is None else integer("out", out, 1)
        width, depth = integer("hidden", hidden, 1), integer("layers", layers, 1)
        sizes = [self.dim + self.time, *[width] * depth, self.out or self.dim]
        stack: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            stack += [_linear(fan_in, fan_out, generator), nn.SELU()]
        self.stack = nn.Sequential(*stack[:-1])

    def forward(self, x: Data, t: float | Float[Tensor, "#batch"] | None = None) -> Data:
        if batched("x", x).numel() != len(x) * self.dim:
            refuse("x", describe(x), f"{self.dim} numbers a sample, the batch first")
        if (t is not None) != self.time:
            refuse("t", describe(t), "a time" if self.time else "no time: time=False was asked for")
        rows = x.reshape(len(x), self.dim)
        if t is not None:
            when = torch.as_tensor(t, dtype=x.dtype, device=x.device)
            if when.shape not in ((), x.shape[:1]):
                refuse("t", describe(t), f"one time, or one a sample: shape {tuple(x.shape[:1])}")
            rows = torch.cat([rows, when.expand(len(x)).unsqueeze(1)], 1)
        result: Tensor = self.stack(rows)
        return result.reshape(x.shape) if self.out is None else result


def _linear(fan_in: int, fan_out: int, generator: torch.Generator | None) -> nn.Linear:
    if generator is None:
        return nn.Linear(fan_in, fan_out)
    layer = nn.Linear(fan_in, fan_out, device="meta").to_empty(device=rng(generator).device)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer
