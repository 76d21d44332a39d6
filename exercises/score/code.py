r"""Scores and Langevin steps, in code.

One coordinate. The score of the kernel $N(\alpha x_0, \sigma^2)$, from the place and from the noise; and, for a normal target of variance $\sigma^2$, how one Langevin step of size $h = 2 c \sigma^2$ changes the variance.
Compared with `score.kernel_score` and `score.langevin_bias`.
"""


def kernel_score(x, x_0, alpha, sigma):  # fill
    """The derivative of log N(x; alpha x_0, sigma²) by x."""
    return -(x - alpha * x_0) / sigma**2


def target(eps, sigma):  # fill
    """The same, by the noise in x = alpha x_0 + sigma eps: what a score network is trained on."""
    return -eps / sigma


def variance_after(variance, c, sigma):  # fill
    """The variance after x ← x + h · score(x) + √(2h) z with h = 2 c sigma², for the target N(0, sigma²)."""
    return (1 - 2 * c) ** 2 * variance + 4 * c * sigma**2


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

score = chapter("score")
v, sigma = positives("v_k sigma")
c = fractions("c")

GRADES = [
    Grade("kernel_score", score.kernel_score["place"], ("x", "x_0", "alpha", "sigma")),
    Grade("target", score.kernel_score["noise"], ("eps", "sigma")),
    Grade(
        "variance_after", score.langevin_bias["step"].claim.rhs.args[2], ("v_k", "c", "sigma"), of=score.langevin_bias,
        wrong={"the noise is √(2h), so it adds 2h: this adds h": (1 - 2 * c) ** 2 * v + 2 * c * sigma**2},
    ),
]
