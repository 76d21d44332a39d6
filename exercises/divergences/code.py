r"""Two normal densities, in code.

Write KL between $N(\mu_1, \sigma_1^2)$ and $N(\mu_2, \sigma_2^2)$ twice: from standard deviations, and from log-variances $\ell = \log \sigma^2$ as networks put
them out. Plain Python numbers; what you return is compared with the checked results `divergences.gaussian_kl` and
`divergences.gaussian_kl_log_variance`.
"""

import math


def kl(mu_1, sigma_1, mu_2, sigma_2):  # fill
    """KL(N(mu_1, sigma_1²) ‖ N(mu_2, sigma_2²)) in nats, from standard deviations."""
    return math.log(sigma_2 / sigma_1) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / (2 * sigma_2**2) - 0.5


def kl_from_log_variance(mu, ell, nu, kappa):  # fill
    """KL(N(mu, exp(ell)) ‖ N(nu, exp(kappa))) in nats."""
    return (math.exp(ell - kappa) - 1 - (ell - kappa) + (mu - nu) ** 2 * math.exp(-kappa)) / 2


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

divergences = chapter("divergences")
mu, nu, ell, kappa = reals("mu nu ell kappa")

GRADES = [
    Grade("kl", divergences.gaussian_kl, ("mu_1", "sigma_1", "mu_2", "sigma_2")),
    Grade(
        "kl_from_log_variance",
        divergences.gaussian_kl_log_variance["pair"],
        ("mu", "ell", "nu", "kappa"),
        wrong={
            "this reads the log-variance as the logarithm of the standard deviation":
                (exp(2 * (ell - kappa)) - 1 - 2 * (ell - kappa) + (mu - nu) ** 2 * exp(-2 * kappa)) / 2,
            "these are the arguments in the other order: KL is not symmetric":
                (exp(kappa - ell) - 1 - (kappa - ell) + (mu - nu) ** 2 * exp(-ell)) / 2,
        },
    ),
]
