"""When a network is asked: a time in [0, 1], or a step of T, and it knows which."""

from __future__ import annotations

import math
from typing import cast

from genmath._base.batch import check_step, work_dtype
from genmath._base.checks import between, describe, integer, labels, real, refuse
from genmath._base.shapes import Step, Time
from genmath._base.torch import Int, Tensor, nn, torch

Labels = Int[Tensor, "batch"]


class TimeAndClass(nn.Module):
    """The time, as waves through a perceptron, and the class beside it, as features to be told.

    The label ``classes`` itself, and no label at all, mean "of no class".

    Shapes: (B, told), of n waves up and n down.
    Source: Ho, Jain, Abbeel 2020, appendix B; the class: Dhariwal, Nichol 2021, section 3.1.
    """

    def __init__(self, n: int, told: int, classes: int | None, steps: int | None) -> None:
        super().__init__()
        self.n = n
        self.classes = None if classes is None else integer("classes", classes, 1)
        self.steps = None if steps is None else integer("steps", steps, 1)
        self.time = nn.Sequential(nn.Linear(2 * n, told), nn.SiLU(), nn.Linear(told, told))
        self.label = None if self.classes is None else nn.Embedding(self.classes + 1, told)

    def check(self, x: Tensor, label: Labels | None) -> None:
        if label is None:
            return
        if self.classes is None:
            refuse("label", describe(label), "no label: the network was made without classes")
        labels("label", label, x)

    def forward(self, x: Tensor, t: Step | Time, label: Labels | None = None) -> Tensor:
        time = waves(as_time(t, x, self.steps, work_dtype(x)), self.n).to(x.dtype)
        told: Tensor = self.time(time)
        if self.label is not None:
            none = torch.full((1,), self.classes or 0, device=x.device)
            told = told + self.label(none if label is None else label)
        return told


def waves(t: Tensor, n: int) -> Tensor:
    """cos and sin of t at n frequencies, in proportion from 1 to 1000: (B, 2n)."""
    rates = torch.exp(torch.linspace(0, math.log(1000), n, dtype=t.dtype, device=t.device))
    angle = t.unsqueeze(1) * rates
    return torch.cat([angle.cos(), angle.sin()], 1)


def as_time(t: Step | Time, x: Tensor, steps: int | None, dtype: torch.dtype) -> Tensor:
    """One time a sample of x, (B,): t as it is, or t/steps where the network counts steps."""
    if steps is not None:
        step = check_step(cast(Step, t), x, 0, steps)
        return torch.as_tensor(step, device=x.device).to(dtype).div(steps).expand(len(x))
    if not isinstance(t, Tensor):
        t = real("t", t, "a finite number", float("-inf"))
    elif not t.dtype.is_floating_point:
        refuse("t", describe(t), "floating-point times; a network with steps=T takes steps in 0..T")
    elif t.ndim > 1 or (t.ndim and len(t) != len(x)):
        refuse("t", describe(t), f"one time, or one a sample: shape {tuple(x.shape[:1])}")
    elif t.ndim and t.dtype == dtype and t.device == x.device:
        return t
    if isinstance(t, Tensor):
        between("t", t, "a finite number")
    return torch.as_tensor(t, dtype=dtype, device=x.device).expand(len(x))
