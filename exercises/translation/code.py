r"""Style and translation, in code.

Four formulas on plain numbers: a value after AdaIN, the bound of the entropy by the cycle loss, a truncated style, and a picture of one normal domain in another, by way of a noise level. They are compared with `translation.adain`, `translation.cycle_entropy`,
`translation.truncation` and `translation.ddib`.
"""

import math


def restyled(x, mean, std, new_mean, new_std):  # fill
    """The value x of a channel of this mean and deviation, with a new mean and deviation."""
    return new_mean + new_std / std * (x - mean)


def entropy_bound(loss, scale):  # fill
    """The bound of the mean entropy of x given y, by a Laplace density of this scale, when the mean absolute error is the loss; in nats."""
    return loss / scale + math.log(2 * scale)


def truncated(w, mean, psi):  # fill
    """The style w, pulled towards the mean."""
    return mean + psi * (w - mean)


def by_noise(x, m_1, omega_1, m_2, omega_2, sigma):  # fill
    """Up from N(m_1, omega_1²) to pure noise of deviation sigma, and down to N(m_2, omega_2²)."""
    z = sigma / omega_1 * (x - m_1)
    return m_2 + omega_2 / sigma * z


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

translation = chapter("translation")
x, w = variables("x w")
mu_1, mu_2, m, m_1, m_2 = reals("mu_1 mu_2 m m_1 m_2")
S, sigma_2, psi, omega_1, omega_2 = positives("S sigma_2 psi omega_1 omega_2")

GRADES = [
    Grade(
        "restyled", mu_2 + sigma_2 / S * (x - mu_1), ("x", "mu_1", "S", "mu_2", "sigma_2"), of=translation.adain,
        wrong={"deviations have the unit of x; variances have its square": mu_2 + sigma_2**2 / S**2 * (x - mu_1),
               "the old mean has to be taken away first": mu_2 + sigma_2 / S * x},
    ),
    Grade("entropy_bound", translation.cycle_entropy["scale"].claim.lhs, ("ell", "b"), of=translation.cycle_entropy),
    Grade(
        "truncated", m + psi * (w - m), ("w", "m", "psi"), of=translation.truncation,
        wrong={"this pulls towards zero, and not towards the mean": psi * w},
    ),
    Grade(
        "by_noise", translation.ddib["noise"].claim.rhs, ("x", "m_1", "omega_1", "m_2", "omega_2", "sigma"), of=translation.ddib,
    ),
]
