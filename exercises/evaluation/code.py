r"""Measures, in code.

The Fréchet distance of one feature; the mean of a Gaussian kernel over two normal laws, of which three make an MMD²; and by how much the log-likelihood may fall if a share $w$ of the samples becomes noise.
Compared with the chapter's `evaluation.gaussian_kernel` and `evaluation.noise_mixture`, and with `wasserstein.w2_line`.
"""

import math


def frechet(mu_1, mu_2, sigma_1, sigma_2):  # fill
    """The squared distance of two normal laws on the line, by means and standard deviations."""
    return (mu_1 - mu_2) ** 2 + (sigma_1 - sigma_2) ** 2


def mean_kernel(mu_1, mu_2, sigma_1, sigma_2, h):  # fill
    """The mean of exp(-(x - y)² / (2 h²)) for x of the one and y of the other law."""
    wide = h**2 + sigma_1**2 + sigma_2**2
    return h / math.sqrt(wide) * math.exp(-((mu_1 - mu_2) ** 2) / (2 * wide))


def change(w):  # fill
    """What is added to the bound of a log-likelihood, if a share w of the samples becomes noise."""
    return math.log(1 - w)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

evaluation, wasserstein = chapter("evaluation"), chapter("wasserstein")
mu_1, mu_2 = reals("mu_1 mu_2")
s_1, s_2 = positives("sigma_1 sigma_2")
w = fractions("w")

GRADES = [
    Grade(
        "frechet", wasserstein.w2_line["reached"], ("mu_1", "mu_2", "sigma_1", "sigma_2"),
        wrong={"the deviations are subtracted, not the variances": (mu_1 - mu_2) ** 2 + (s_1**2 - s_2**2) ** 2},
    ),
    Grade("mean_kernel", evaluation.gaussian_kernel, ("mu_1", "mu_2", "sigma_1", "sigma_2", "h")),
    Grade(
        "change", evaluation.noise_mixture.conclusion.rhs.args[1], ("w",), of=evaluation.noise_mixture,
        wrong={"a share 1 - w is left, and its logarithm is negative": -log(1 - w)},
    ),
]
