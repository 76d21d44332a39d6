"""Coefficients against a batch: one number for all samples, or one number a sample."""

from __future__ import annotations

import math

from genmath._base.checks import between, describe, integer, real, refuse
from genmath._base.shapes import Coefficient, Step, Time
from genmath._base.torch import Tensor, torch


def work_dtype(x: Tensor) -> torch.dtype:
    """Arithmetic is done in float32 at least: half precision is cast last, never computed in."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def widened(x: Tensor) -> Tensor:
    """The data in that dtype."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def sum_event(elementwise: Tensor, batch_dims: int) -> Tensor:
    """Sum over all dimensions after the first ``batch_dims``."""
    integer("batch_dims", batch_dims, 0, elementwise.ndim)
    # torch reads a sum over no dimension as a sum over all of them.
    return elementwise.flatten(batch_dims).sum(-1) if batch_dims < elementwise.ndim else elementwise


def check_step(t: Step, x: Tensor, first: int, last: int, name: str = "t") -> Step:
    """A Python integer in first..last, or an integer tensor, one step a sample of x."""
    if type(t) is int and first <= t <= last:  # the usual case of a sampling loop, quickly
        return t
    if not isinstance(t, Tensor):
        return integer(name, t, first, last)
    if t.dtype.is_floating_point or t.dtype.is_complex or t.dtype == torch.bool:
        refuse(name, describe(t), f"integer steps in {first}..{last}")
    _within(name, t, first, last)
    _one_a_sample(name, t, x, "step")
    return t


def _within(name: str, t: Tensor, first: int, last: int) -> None:
    """On the CPU the steps are read: it costs 5 µs, and most code draws them from randint(0, T)."""
    if t.is_cpu and t.numel() and not torch.compiler.is_compiling():
        try:
            low, high = (int(end) for end in t.aminmax())
        except RuntimeError:  # inside torch.func.vmap
            return
        if low < first or high > last:
            said = f"{describe(t)} with steps in {low}..{high}" if t.ndim else describe(t)
            refuse(name, said, f"steps in {first}..{last}")


def check_time(t: Time, x: Tensor, name: str = "t") -> Time:
    """A Python number in [0, 1], or a floating-point tensor, one time for all or one a sample."""
    if not isinstance(t, Tensor):
        return real(name, t, "a number in [0, 1]", 0.0, 1.0)
    if not t.dtype.is_floating_point:
        refuse(name, describe(t), "a floating-point tensor of times in [0, 1]")
    if not t.ndim:
        between(name, t, "times in [0, 1]", 0.0, 1.0)
    _one_a_sample(name, t, x, "time")
    return t


def _one_a_sample(name: str, t: Tensor, x: Tensor, what: str) -> None:
    if t.ndim and (t.ndim > 1 or t.shape[0] != x.shape[0]):
        refuse(name, describe(t), f"one {what}, or one a sample: shape {tuple(x.shape[:1])}")
    if t.device != x.device:
        refuse(name, describe(t), f"a tensor on {x.device}, like the data")


def per_event(value: Tensor, x: Tensor) -> Tensor:
    """One value for all as it is; one a sample in the shape (B, 1, …, 1) that multiplies x."""
    if value.ndim == 1 and x.ndim == 2:  # the usual case, quickly
        return value.unsqueeze(1)
    return value.reshape(-1, *[1] * (x.ndim - 1)) if value.ndim else value


def affine(
    x: Tensor,
    a: Coefficient,
    y: Tensor,
    b: Coefficient,
    z: Tensor | None = None,
    c: Coefficient = 0.0,
) -> Tensor:
    """a x + b y + c z, in float32 at least, in the dtype of x."""
    dtype = x.dtype
    if dtype != torch.float32:
        x = x.to(work_dtype(x))
    if isinstance(b, Tensor):
        out = x * a
        out = out + b * y.to(out.dtype)
    elif type(a) is float and a == 1.0 and y.dtype == x.dtype:
        out = torch.add(x, y, alpha=b)
    else:
        out = (x * a).add_(y, alpha=b)  # one pass over memory, and no temporary
    if z is not None:
        out = out + c * z.to(out.dtype) if isinstance(c, Tensor) else out.add_(z, alpha=c)
    return out if dtype == out.dtype else out.to(dtype)


def per_sample(name: str, value: Coefficient, x: Tensor, low: float = 0.0) -> Coefficient:
    """A number >= low, or a tensor with one value for all or one a sample, shaped to multiply x.

    Tensors of shape (B, 1, …, 1) pass as they are. Their own dtype is kept: cast the product.
    """
    expected = "a finite number" if low == -math.inf else f"a number >= {low:g}"
    if not isinstance(value, Tensor):
        return real(name, value, expected, low)
    if value.dtype.is_complex or value.dtype == torch.bool:
        refuse(name, describe(value), "real numbers")
    between(name, value, expected, low)
    full = (*x.shape[:1], *[1] * (x.ndim - 1))
    if value.shape not in ((), x.shape[:1], full):
        refuse(name, describe(value), f"one value, or one a sample: shape {tuple(x.shape[:1])}")
    if value.device != x.device and value.ndim:
        refuse(name, describe(value), f"a tensor on {x.device}, like the data")
    if value.dtype != torch.float64:
        value = value.float()
    return value.reshape(full) if value.ndim else value


class Table:
    """A float64 table over the steps 0..T, read at one step or at one step a sample."""

    __slots__ = ("_copies", "floats", "values")

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.floats: tuple[float, ...] = tuple(values.tolist())
        self._copies: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def at(self, t: Step, x: Tensor) -> Coefficient:
        """A Python float for a Python t; else a tensor that broadcasts over the samples of x.

        Negative steps do not wrap round to the end of the table.
        """
        if not isinstance(t, Tensor):
            return self.floats[t]
        key = (x.device, work_dtype(x))
        table = self._copies.get(key)
        if table is None:
            table = self._copies[key] = self.values.to(device=key[0], dtype=key[1])
        picked = table.index_select(0, t.reshape(-1).long())
        return per_event(picked, x) if t.ndim else picked.reshape(())
