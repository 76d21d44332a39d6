r"""Latent diffusion, in code.

Four formulas on plain numbers: a code as the diffusion sees it, what compression leaves of the cost, the least denoising loss of normal codes, and what a collapsed code pays. They are
compared with `latent.scale`, `latent.cost`, `latent.collapse` and `latent.joint_bound`.
"""

import math


def scaled(z, mean, deviation):  # fill
    """The code of mean 0 and deviation 1, from a code z of this mean and deviation."""
    return (z - mean) / deviation


def cost_after(n, factor, linear, quadratic):  # fill
    """What linear · places + quadratic · places² is, when an encoder shrinks both sides of an image of n places by the factor."""
    places = n / factor**2
    return linear * places + quadratic * places**2


def least_loss(v, alpha, sigma):  # fill
    """The least mean squared error of a guess of the noise in alpha z + sigma eps, for normal codes z of variance v."""
    return alpha**2 * v / (alpha**2 * v + sigma**2)


def price_of_collapse(c, eta):  # fill
    """By how much the whole bound is lower with a collapsed code than at its best, in nats: data of variance c, a decoder of deviation eta."""
    u = c / eta**2
    return (u - 1 - math.log(u)) / 2


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

latent = chapter("latent")
z = variables("z")
mean = reals("M")
S, v, alpha, sigma, c, eta = positives("S v alpha sigma c eta")
code = next(node for node in latent.scale["unit"].claim.lhs.walk() if getattr(node, "name", "") == "u")

GRADES = [
    Grade(
        "scaled", code, ("z", "M", "S"), of=latent.scale,
        wrong={"this divides by the variance: what has the unit of a code is its deviation": (z - mean) / S**2,
               "divide by the deviation; to multiply with it is to undo the scale": (z - mean) * S},
    ),
    Grade(
        "cost_after", latent.cost["most"].claim.lhs, ("n", "F", "c_1", "c_2"), of=latent.cost,
    ),
    Grade(
        "least_loss", latent.collapse["normal"].claim.rhs, ("v", "alpha", "sigma"), of=latent.collapse,
        wrong={"this is the variance of the code when the noisy code is known, and not that of the noise": v * sigma**2 / (alpha**2 * v + sigma**2)},
    ),
    Grade(
        "price_of_collapse", latent.joint_bound["price"].claim.rhs, ("c", "eta"), of=latent.joint_bound,
        wrong={"eta is a deviation: the bound compares c with its square": (c / eta - 1 - log(c / eta)) / 2},
    ),
]
