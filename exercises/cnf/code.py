r"""A flow in code.

Where a step of length $h$ leads from $x$ in the field $f(x) = a x$ in one coordinate, by the midpoint rule and by the classical Runge–Kutta method; and the variance of Hutchinson's estimate of the trace of a symmetric matrix
with the entries $a, b, b, c$, for normal directions.
Compared with `cnf.steps` and `score.sliced`.
"""


def midpoint(x, a, h):  # fill
    """Where a midpoint step of length h leads from x."""
    return x + h * a * (x + h / 2 * a * x)


def rk4(x, a, h):  # fill
    """Where a step of the classical Runge-Kutta method of length h leads from x."""
    k_1 = a * x
    k_2 = a * (x + h / 2 * k_1)
    k_3 = a * (x + h / 2 * k_2)
    k_4 = a * (x + h * k_3)
    return x + h * (k_1 + 2 * k_2 + 2 * k_3 + k_4) / 6


def spread(a, b, c):  # fill
    """The variance of w'Aw, w two standard normal numbers."""
    return 2 * (a**2 + 2 * b**2 + c**2)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

cnf, score = chapter("cnf"), chapter("score")
a, b, c, x = reals("a b c x")
h = positives("h")

GRADES = [
    Grade(
        "midpoint", cnf.steps["midpoint"], ("x", "a", "h"),
        wrong={"this is Euler's step: the slope at the start": x + h * a * x},
    ),
    Grade("rk4", cnf.steps["rk4"], ("x", "a", "h")),
    Grade(
        "spread", score.sliced["spread"], ("a", "b", "c"),
        wrong={"b stands twice in the matrix": 2 * (a**2 + b**2 + c**2), "this is for random signs": 4 * b**2},
    ),
]
