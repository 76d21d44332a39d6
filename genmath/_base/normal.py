"""Normal laws: their moments, and their log-density, which is written nowhere else."""

from __future__ import annotations

import math
from typing import NamedTuple

from genmath._base.shapes import Array, Coefficient, Data
from genmath._base.torch import Tensor

__all__ = ["Moments", "log_normal"]

LOG_TWO_PI = math.log(2 * math.pi)


class Moments(NamedTuple):
    """A mean, and a variance a coordinate that broadcasts over it."""

    mean: Data
    variance: Array


def log_normal(z: Tensor, log_variance: Coefficient = 0.0) -> Tensor:
    """log N(x; mean, variance) of each coordinate, from z = (x - mean)/√variance, in nats."""
    return (z**2 + (log_variance + LOG_TWO_PI)) / -2
