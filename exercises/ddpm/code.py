r"""Denoising diffusion, in code.

Four formulas that every implementation needs, on plain numbers. `beta` is the variance that one step adds and `alpha_bar_prev` the $\bar\alpha$ of the step before.
They are compared with `ddpm.forward_marginal`, `ddpm.posterior` and `ddpm.posterior_mean_from_eps`; the hints know the slips that were published.
"""

import math


def noise_once(x, beta, eps):  # fill
    """x_t from x_{t-1}: one step of the forward process, with standard normal noise eps."""
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * eps


def noise_at_once(x_0, alpha_bar, eps):  # fill
    """x_t from x_0, in one jump."""
    return math.sqrt(alpha_bar) * x_0 + math.sqrt(1 - alpha_bar) * eps


def posterior_variance(beta, alpha_bar_prev):  # fill
    """The variance of q(x_{t-1} | x_t, x_0)."""
    alpha_bar = (1 - beta) * alpha_bar_prev
    return (1 - alpha_bar_prev) / (1 - alpha_bar) * beta


def posterior_mean(x_t, eps, beta, alpha_bar_prev):  # fill
    """The mean of q(x_{t-1} | x_t, x_0), where eps is the noise in x_t."""
    alpha_bar = (1 - beta) * alpha_bar_prev
    return (x_t - beta / math.sqrt(1 - alpha_bar) * eps) / math.sqrt(1 - beta)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

ddpm = chapter("ddpm")
scaled = recorded(ddpm.forward_marginal, "hf-noise-scaled-beta")
beta, abar_prev = fractions("beta_t alpha_bar_{t-1}")

GRADES = [
    Grade(
        "noise_once", scaled.right.lhs.body.args[0], ("x_{t-1}", "beta_t", "eps"), of=ddpm.forward_marginal,
        wrong={"this is beta where its root belongs: beta is the variance of the noise": scaled.wrong.lhs.body.args[0]},
    ),
    Grade(
        "noise_at_once", ddpm.forward_marginal["noise"].claim.lhs.body.args[0], ("x_0", "alpha_bar_t", "eps"),
        domains={"alpha_bar_t": "unit"}, of=ddpm.forward_marginal,
    ),
    Grade(
        "posterior_variance", ddpm.posterior["variance"], ("beta_t", "alpha_bar_{t-1}"),
        wrong={"this is beta, the variance of the step forward; the posterior's is smaller": beta},
    ),
    Grade(
        "posterior_mean", ddpm.posterior_mean_from_eps, ("x_t", "eps", "beta_t", "alpha_bar_{t-1}"),
    ),
]
