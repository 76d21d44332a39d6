r"""There and back, in code.

One coordinate. What is left of the start of an Ornstein–Uhlenbeck process after a time $t$, as a factor of its mean, and the variance at which it settles; the variance that Euler steps of such a process keep; and the score from the velocity of a straight path with data at 0.
Compared with `sde.ornstein_uhlenbeck`, `sde.ddpm_step` and `sde.velocity_score`.
"""

import math


def memory(theta, t):  # fill
    """What is left of the start after a time t of dx = -theta x dt + g dw: the factor of its mean."""
    return math.exp(-theta * t)


def settled(theta, g):  # fill
    """The variance at which that process settles."""
    return g**2 / (2 * theta)


def euler_variance(c):  # fill
    """The variance that Euler steps of length b = 4c keep, for dx = -x/2 dt + dw, whose own variance is 1."""
    return 1 / (1 - c)


def kernel_score(x_t, V, t):  # fill
    """The score -eps/t on the path x_t = (1 - t) x_0 + t eps, from x_t and the velocity V = eps - x_0."""
    return -(x_t + (1 - t) * V) / t


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

sde = chapter("sde")
theta, g = positives("theta g")
x_t, V, t = reals("x_t V t")
memory_and_variance = sde.ornstein_uhlenbeck["memory"].claim.rhs.args

GRADES = [
    Grade("memory", memory_and_variance[0], ("theta", "t"), of=sde.ornstein_uhlenbeck),
    Grade(
        "settled", memory_and_variance[1], ("theta", "g"), of=sde.ornstein_uhlenbeck,
        wrong={"the pull acts twice on a variance": g**2 / theta},
    ),
    Grade("euler_variance", sde.ddpm_step["fixed"].claim.rhs.args[2], ("c",), of=sde.ddpm_step),
    Grade(
        "kernel_score", sde.velocity_score["score"], ("x_t", "V", "t"),
        wrong={"this is for the other direction of time: with data at 1 the velocity points the other way": -(x_t - (1 - t) * V) / t},
    ),
]
