"""Increasing maps of the line, one a coordinate: what couplings and MAF are made of.

A map has ``count`` parameters a coordinate, which a network gives; any numbers will do, and with
zeros it is the identity. It works in float32 at least.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from genmath._base.checks import integer, positive, refuse
from genmath._base.torch import Tensor, nn, torch

__all__ = ["Affine", "Monotone", "Shift", "Spline"]


class Monotone(ABC):
    """An increasing map of the line onto itself, with `count` parameters.

    Shapes: x (B, d, …), parameters (B, count d, …); `owners` says whose each of them is.
    """

    count: int

    @abstractmethod
    def _forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """z and the logarithm of the slope dz/dx."""

    @abstractmethod
    def _inverse(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """x and the logarithm of the slope dx/dz."""

    def _owners(self, dim: int) -> Tensor:
        """Which coordinate each of count × dim parameters belongs to."""
        return torch.arange(dim).repeat(self.count)


class Shift(Monotone):
    """z = x + t. Its slope is 1: a flow of shifts keeps volume.

    Result: normalizing_flow.coupling
    Source: Dinh, Krueger, Bengio 2015 (NICE), section 3.2.
    """

    count = 1

    def _forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return x + parameters, torch.zeros_like(x)

    def _inverse(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return z - parameters, torch.zeros_like(z)

    def __repr__(self) -> str:
        return "Shift()"


class Affine(Monotone):
    """z = exp(s) x + t, with |s| < ``bound`` by a tanh, so that no layer can grow without limit.

    Result: normalizing_flow.coupling
    Errors: ValueError unless bound > 0.
    Source: Dinh, Sohl-Dickstein, Bengio 2017 (RealNVP), equation 5; the tanh: section 4.1.
    """

    count = 2

    def __init__(self, bound: float = 3.0) -> None:
        self.bound = positive("bound", bound)

    def _forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        shift, log_scale = self._read(parameters)
        return torch.addcmul(shift, x, log_scale.exp()), log_scale

    def _inverse(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        shift, log_scale = self._read(parameters)
        down = -log_scale
        return (z - shift) * down.exp(), down

    def _read(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        shift, raw = parameters.chunk(2, 1)
        return shift, torch.tanh(raw / self.bound) * self.bound

    def __repr__(self) -> str:
        return f"Affine(bound={self.bound:g})"


class Spline(Monotone):
    """A monotone rational-quadratic spline on [-bound, bound], and the identity outside.

    In each of its ``bins`` it is a ratio of two quadratics, given by its width and height and
    the slopes at its two ends; the slope is continuous everywhere.

    Result: normalizing_flow.spline
    Errors: ValueError unless 2 <= bins <= 500 and bound > 0.
    Source: Durkan, Bekasov, Murray, Papamakarios 2019, equations 4 to 8; Gregory, Delbourgo 1982.
    """

    least = 1e-3  # share of a width or height, and slope at a knot

    def __init__(self, bins: int = 8, bound: float = 5.0) -> None:
        self.bins = integer("bins", bins, 2, 500)
        self.bound = positive("bound", bound)
        self.count = 3 * self.bins - 1

    def _forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        inside, at, (left, low), (width, height), (d_0, d_1) = self._bin(x, parameters, 0)
        mean = height / width
        u = (at - left) / width
        v = u * (1 - u)
        bend = d_0 + d_1 - 2 * mean
        below = mean + bend * v
        z = low + height * (mean * u * u + d_0 * v) / below
        log_slope = self._log_slope(u, v, mean, d_0, d_1, below)
        return torch.where(inside, z, x), torch.where(inside, log_slope, 0.0)

    def _inverse(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        inside, at, (left, low), (width, height), (d_0, d_1) = self._bin(z, parameters, 1)
        mean = height / width
        bend = d_0 + d_1 - 2 * mean
        risen = at - low
        a = height * (mean - d_0) + risen * bend
        b = height * d_0 - risen * bend
        c = -mean * risen
        u = 2 * c / (-b - torch.sqrt((b * b - 4 * a * c).clamp(min=0)))
        v = u * (1 - u)
        log_slope = self._log_slope(u, v, mean, d_0, d_1, mean + bend * v)
        x = left + u * width
        return torch.where(inside, x, z), torch.where(inside, -log_slope, 0.0)

    @staticmethod
    def _log_slope(
        u: Tensor, v: Tensor, mean: Tensor, d_0: Tensor, d_1: Tensor, below: Tensor
    ) -> Tensor:
        above = d_1 * u * u + 2 * mean * v + d_0 * (1 - u) * (1 - u)
        return 2 * (mean.log() - below.log()) + above.log()

    def _bin(
        self, at: Tensor, parameters: Tensor, side: int
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
        """The bin that each number is in: its corner, its two sizes, the slopes at its ends."""
        k, edge = self.bins, self.bound
        split = parameters.reshape(len(at), at.shape[1], self.count, *at.shape[2:])
        if split.ndim > 3:
            split = split.movedim(2, -1)
        sizes = split[..., : 2 * k].reshape(*split.shape[:-1], 2, k).softmax(-1)
        sizes = sizes * (2 * edge * (1 - k * self.least)) + 2 * edge * self.least
        knots = sizes.cumsum(-1)  # right ends, from 0
        inside = at.abs() < edge
        at = torch.where(inside, at, 0.0)
        which = (knots[..., side, :-1] <= at.unsqueeze(-1) + edge).sum(-1, keepdim=True)
        pair = which.unsqueeze(-1).expand(*which.shape[:-1], 2, 1)
        size = sizes.gather(-1, pair).squeeze(-1)
        corner = knots.gather(-1, pair).squeeze(-1) - size - edge
        ends = torch.cat([which - 1, which], -1)
        raw = split[..., 2 * k :].gather(-1, ends.clamp(0, k - 2))
        slopes = nn.functional.softplus(raw + self._one) + self.least
        slopes = torch.where((ends < 0) | (ends > k - 2), 1.0, slopes)
        return inside, at, corner.unbind(-1), size.unbind(-1), slopes.unbind(-1)

    @property
    def _one(self) -> float:
        """What the softplus takes to 1 less the least slope."""
        return math.log(math.expm1(1 - self.least))

    def _owners(self, dim: int) -> Tensor:
        return torch.arange(dim).repeat_interleave(self.count)

    def __repr__(self) -> str:
        return f"Spline(bins={self.bins}, bound={self.bound:g})"


def monotone(name: str, value: object) -> Monotone:
    if not isinstance(value, Monotone):
        refuse(name, repr(value), "a monotone map, such as Affine() or Spline()")
    return value
