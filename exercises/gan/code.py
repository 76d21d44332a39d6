r"""A discriminator and its generator, in code.

The loss of a generator that does not saturate, from the logit, without ever taking the logarithm of a rounded number; and a step of the bilinear game.
Compared with `gan.logit_losses` and `gan.alternating_steps`.
"""

import math


def non_saturating(a):  # fill
    """-log sigmoid(a), exact also at a = -800."""
    return math.log1p(math.exp(-a)) if a > 0 else math.log1p(math.exp(a)) - a


def y_after(x, y, eta_x, eta_y):  # fill
    """The new y, when x has stepped against its slope in x y and y then steps along its own."""
    return y + eta_y * (x - eta_x * y)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

gan = chapter("gan")
x, y = reals("x y")
eta_x, eta_y = positives("eta_x eta_y")

GRADES = [
    Grade("non_saturating", gan.logit_losses["non_saturating_loss"], ("a",)),
    Grade(
        "y_after", gan.alternating_steps["step"], ("x", "y", "eta_x", "eta_y"),
        wrong={"y steps with the old x: that is the simultaneous game": y + eta_y * x},
    ),
]
