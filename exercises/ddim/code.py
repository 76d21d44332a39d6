r"""A step of DDIM, in code.

The deterministic step from noise level $t$ to $s$, given the predicted noise; the variance of the fresh noise for $\eta > 0$; and the variance that is left for
the old noise. Compared with `ddim.euler` and `ddim.step_variance`.
"""

import math


def step(x_t, eps, alpha_s, sigma_s, alpha_t, sigma_t):  # fill
    """x_s by the deterministic step: guess the data, then noise them to level s with the same noise."""
    x_0 = (x_t - sigma_t * eps) / alpha_t
    return alpha_s * x_0 + sigma_s * eps


def fresh_variance(eta, alpha_bar_s, beta):  # fill
    """The variance of the fresh noise, where alpha_bar_t = (1 - beta) alpha_bar_s."""
    alpha_bar_t = (1 - beta) * alpha_bar_s
    return eta**2 * (1 - alpha_bar_s) / (1 - alpha_bar_t) * beta


def room(eta, alpha_bar_s, beta):  # fill
    """The variance that is left for the old noise at level s."""
    return 1 - alpha_bar_s - fresh_variance(eta, alpha_bar_s, beta)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

ddim = chapter("ddim")
eta, abar_s, beta = fractions("eta alpha_bar_s beta")
fresh = (1 - abar_s) / (1 - (1 - beta) * abar_s) * beta
late = recorded(ddim.step, "lucid-ddim-prev")
alpha_s, sigma_s, alpha_t, sigma_t = positives("alpha_s sigma_s alpha_t sigma_t")
x_t, eps = variables("x_t"), reals("eps_hat")
early = (x_t - sigma_s * eps) / alpha_s

GRADES = [
    Grade(
        "step", ddim.euler, ("x_t", "eps_hat", "alpha_s", "sigma_s", "alpha_t", "sigma_t"),
        wrong={f"the data are guessed with the coefficients of the level that is left, t: {late.why}": alpha_s * early + sigma_s * eps},
    ),
    Grade(
        "fresh_variance", ddim.step_variance, ("eta", "alpha_bar_s", "beta"),
        wrong={"this is the standard deviation of the fresh noise": eta * sqrt(fresh),
               "eta scales the standard deviation, so eta squared the variance": eta * fresh},
    ),
    Grade(
        "room", ddim.step_variance["room"], ("eta", "alpha_bar_s", "beta"), side="lhs",
        wrong={"with eta in the place of eta squared the variances of old and fresh noise do not add up": 1 - abar_s - eta * fresh,
               "this is the scale of the old noise, the root of its variance": sqrt(1 - abar_s - eta**2 * fresh)},
    ),
]
