r"""The scales of EDM and a step of DPM-Solver++(2M), in code.

For any path (EDM's has $\alpha = 1$) write the share of the input that is free and the scale of the network's answer; then a step of the multistep solver from level $t$ to $s$, from the guess of the data now and the
one before. Compared with `edm.weight` and `edm.multistep`.
"""

import math


def c_skip(alpha, sigma, sigma_d):  # fill
    """The share of x_t that is the best linear guess of the data."""
    return alpha * sigma_d**2 / (alpha**2 * sigma_d**2 + sigma**2)


def c_out(alpha, sigma, sigma_d):  # fill
    """The size of what is left to say."""
    return sigma * sigma_d / math.sqrt(alpha**2 * sigma_d**2 + sigma**2)


def step(x_t, guess, before, r, alpha_s, sigma_s, alpha_t, sigma_t):  # fill
    """x_s; the step before was r times as long in log(alpha/sigma)."""
    h = math.log(alpha_s / sigma_s) - math.log(alpha_t / sigma_t)
    line = guess + (guess - before) / (2 * r)
    return sigma_s / sigma_t * x_t + alpha_s * (1 - math.exp(-h)) * line


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

edm = chapter("edm")
alpha, sigma, sigma_d, r = positives("alpha sigma sigma_d r")
alpha_s, sigma_s, alpha_t, sigma_t = positives("alpha_s sigma_s alpha_t sigma_t")
x_t, now, before = variables("x_t"), *reals("D_t D_u")
V = alpha**2 * sigma_d**2 + sigma**2
gain = (alpha_s * sigma_t) / (sigma_s * alpha_t)
swapped = recorded(edm.multistep, "kdiffusion-2m-h-last")


def letter(name):
    return next(n.body for n in edm.weight.conclusion.rhs.walk() if getattr(n, "name", "") == name and hasattr(n, "body"))


GRADES = [
    Grade(
        "c_skip", letter("c_skip"), ("alpha", "sigma", "sigma_d"), of=edm.weight,
        wrong={"this is the share of the noise, what is left of 1": sigma**2 / V},
    ),
    Grade(
        "c_out", letter("c_out"), ("alpha", "sigma", "sigma_d"), of=edm.weight,
        wrong={"this is its square, the variance of what is left": sigma**2 * sigma_d**2 / V},
    ),
    Grade(
        "step", edm.multistep, ("x_t", "D_t", "D_u", "r", "alpha_s", "sigma_s", "alpha_t", "sigma_t"), side="lhs",
        wrong={
            f"the length of the step before stands in the place of this one: {swapped.why}":
                sigma_s / sigma_t * x_t + alpha_s * (1 - exp(-r * log(gain))) * (now + (now - before) / (2 * r)),
            "the guess before has the sign of the guess now: the line is continued backwards":
                sigma_s / sigma_t * x_t + alpha_s * (1 - 1 / gain) * (now - (now - before) / (2 * r)),
        },
    ),
]
