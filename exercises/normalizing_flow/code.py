r"""A flow in code.

Four small functions: a coupling layer with the scale $e^s$ and the shift $t$, and its way back; the slope of a rational-quadratic spline in a bin of width $w$ and height $h$, at the place $u$ between 0 and 1, with the slopes $d_0$ and $d_1$ at the ends; and the
log-slope of one coordinate of an autoregressive flow that goes *from noise to data*, $x = m + e^{a} z$. Compared with `normalizing_flow.coupling`, `normalizing_flow.spline` and `normalizing_flow.autoregressive`. Experiment: try your spline with negative $d_0$ and find where
its slope changes sign.
"""

import numpy as np


def couple(x, s, t):  # fill
    """Where a coupling layer takes the mapped coordinate x."""
    return np.exp(s) * x + t


def uncouple(z, s, t):  # fill
    """The way back."""
    return (z - t) * np.exp(-s)


def spline_slope(u, w, h, d_0, d_1):  # fill
    """The slope of one piece of a rational-quadratic spline."""
    m = h / w
    below = m + (d_0 + d_1 - 2 * m) * u * (1 - u)
    return m**2 * (d_1 * u**2 + 2 * m * u * (1 - u) + d_0 * (1 - u) ** 2) / below**2


def back_log_slope(a):  # fill
    """The log-slope of the map from noise to data."""
    return a


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

flow = chapter("normalizing_flow")
x, s, t, z, a = reals("x s t z a")
u = fractions("u")
h, w, d_0, d_1 = positives("h w d_0 d_1")
m = h / w

GRADES = [
    Grade("couple", exp(s) * x + t, ("x", "s", "t"), wrong={"the scale is exp(s), so that it is positive": s * x + t}, of=flow.coupling),
    Grade("uncouple", (z - t) * exp(-s), ("z", "s", "t"), wrong={"undo the shift first, then the scale": z * exp(-s) - t}, of=flow.coupling),
    Grade(
        "spline_slope", flow.spline["slope"], ("u", "w", "h", "d_0", "d_1"),
        wrong={"the denominator is squared": m**2 * (d_1 * u**2 + 2 * m * u * (1 - u) + d_0 * (1 - u) ** 2) / (m + (d_0 + d_1 - 2 * m) * u * (1 - u))},
    ),
    Grade("back_log_slope", flow.autoregressive["inverse"], ("a",), wrong={"that is the way from data to noise": -a}),
]
