r"""Distances, in code.

On the line: the squared $W_2$ of two normal densities, from their means and standard deviations. In the plane: what a critic $f(x) = w_1 x_1 + w_2 x_2$ sees at most of a shift $\theta$ if its weights are clipped at $c$.
Compared with `wasserstein.w2_line` and `wasserstein.clipping`.
"""


def w2_squared(mu_1, mu_2, sigma_1, sigma_2):  # fill
    """The squared 2-Wasserstein distance of N(mu_1, sigma_1²) and N(mu_2, sigma_2²)."""
    return (mu_1 - mu_2) ** 2 + (sigma_1 - sigma_2) ** 2


def clipped(c, theta_1, theta_2):  # fill
    """The most that a critic with both weights in [-c, c] sees of the shift (theta_1, theta_2)."""
    return c * (abs(theta_1) + abs(theta_2))


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

wasserstein = chapter("wasserstein")
mu_1, mu_2, theta_1, theta_2 = reals("mu_1 mu_2 theta_1 theta_2")
sigma_1, sigma_2, c = positives("sigma_1 sigma_2 c")

GRADES = [
    Grade(
        "w2_squared", wasserstein.w2_line["reached"], ("mu_1", "mu_2", "sigma_1", "sigma_2"),
        wrong={"these are differences of variances: a length is compared with the root of one": (mu_1 - mu_2) ** 2 + (sigma_1**2 - sigma_2**2) ** 2},
    ),
    Grade(
        "clipped", wasserstein.clipping["bound"], ("c", "theta_1", "theta_2"),
        wrong={"this is what the best critic of slope c sees, with a free direction": c * sqrt(theta_1**2 + theta_2**2)},
    ),
]
