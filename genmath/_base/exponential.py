"""Weights of exponential integrators: what a polynomial through some answers adds to a step.

In the half log-SNR l the data end of a step of length h is ∫ exp(-(h - u)) D(l + u) du, D the
guess of the data. With D a polynomial through known answers this is a sum of them with weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# k!/(m + k + 1)!, the last m first
SERIES = [
    [math.factorial(k) / math.factorial(m + k + 1) for m in reversed(range(20))] for k in range(4)
]


def moments(h: float, count: int) -> list[float]:
    """∫ h exp(-h (1 - u)) u^k du over [0, 1] for k < count, for 0 < h, infinity included."""
    if h > 1:
        found = [-math.expm1(-h)]
        for k in range(1, count):
            found.append(1 - k / h * found[-1])
        return found
    # Below that the recursion loses digits; as a series in h all terms are small.
    found = []
    for series in SERIES[:count]:
        total = 0.0
        for coefficient in series:
            total = coefficient - h * total
        found.append(h * total)
    return found


def weights(places: Sequence[float], h: float) -> list[float]:
    """What each answer counts, for answers at these places: in units of the step, 0 its beginning.

    Exact for the polynomial through them, save that through two answers half of the weight of a
    constant stands for that of u: both are h/2, and this is what DPM-Solver++ and UniPC publish.
    """
    n = len(places)
    found = moments(h, n)
    if n == 2:
        found[1] = found[0] / 2
    # The Vandermonde system Σ_j w_j places_j^k = found_k, by Newton's divided differences.
    for k in range(n - 1):
        for i in range(n - 1, k, -1):
            found[i] -= places[k] * found[i - 1]
    for k in range(n - 2, -1, -1):
        for i in range(k + 1, n):
            found[i] /= places[i] - places[i - k - 1]
        for i in range(k, n - 1):
            found[i] -= found[i + 1]
    return found
