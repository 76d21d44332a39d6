"""When a network is asked: a time in [0, 1], or a step of T, and it knows which."""

from __future__ import annotations

from typing import cast

from genmath._base.batch import check_step
from genmath._base.checks import between, describe, real, refuse
from genmath._base.shapes import Step, Time
from genmath._base.torch import Tensor, torch


def as_time(t: Step | Time, x: Tensor, steps: int | None, dtype: torch.dtype) -> Tensor:
    """One time a sample of x, (B,): t as it is, or t/steps where the network counts steps."""
    if steps is not None:
        step = check_step(cast(Step, t), x, 0, steps)
        return torch.as_tensor(step, device=x.device).to(dtype).div(steps).expand(len(x))
    if not isinstance(t, Tensor):
        t = real("t", t, "a finite number", float("-inf"))
    elif not t.dtype.is_floating_point:
        refuse("t", describe(t), "floating-point times; a network with steps=T takes steps in 0..T")
    elif t.shape not in ((), x.shape[:1]):
        refuse("t", describe(t), f"one time, or one a sample: shape {tuple(x.shape[:1])}")
    elif t.ndim and t.dtype == dtype and t.device == x.device:
        return t
    if isinstance(t, Tensor):
        between("t", t, "a finite number")
    return torch.as_tensor(t, dtype=dtype, device=x.device).expand(len(x))
