"""Normal laws: their log-density, which is written here and nowhere else."""

from __future__ import annotations

import math

from genmath._base.shapes import Coefficient
from genmath._base.torch import Tensor

__all__ = ["log_normal"]

LOG_TWO_PI = math.log(2 * math.pi)


def log_normal(z: Tensor, log_variance: Coefficient = 0.0) -> Tensor:
    """log N(x; mean, variance) of each coordinate, from z = (x - mean)/√variance, in nats."""
    return (z**2 + (log_variance + LOG_TWO_PI)) / -2
