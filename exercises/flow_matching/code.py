r"""Velocities, in code.

Time runs from data at 0 to noise at 1. Write the velocity of a general path from the place and the data, Euler's step of a sampler, which walks from noise to data, and shifted times.
Compared with `flow_matching.predictions`, `flow_matching.rectified_flow` and `flow_matching.shift_time`.
"""


def velocity(x_t, x_0, alpha, sigma, alpha_prime, sigma_prime):  # fill
    """The velocity alpha' x_0 + sigma' eps, where x_t = alpha x_0 + sigma eps."""
    eps = (x_t - alpha * x_0) / sigma
    return alpha_prime * x_0 + sigma_prime * eps


def euler(x_t, v, h):  # fill
    """The place at time t - h, by one step of Euler's method."""
    return x_t - h * v


def shift(t, s):  # fill
    """The time whose odds t / (1 - t) are s times those of t."""
    return s * t / (1 + (s - 1) * t)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

flow_matching = chapter("flow_matching")
backward = recorded(flow_matching.rectified_flow, "notes-rf-sampler-direction")
tau, s = fractions("tau"), positives("s")

GRADES = [
    Grade(
        "velocity", flow_matching.predictions["velocity_from_x0"],
        ("x_t", "x_0", "alpha", "sigma", "alpha_prime", "sigma_prime"),
    ),
    Grade(
        "euler", backward.right.rhs, ("X_t", "V", "h"), of=flow_matching.rectified_flow,
        wrong={f"this walks the wrong way: {backward.why}": backward.wrong.rhs},
    ),
    Grade(
        "shift", flow_matching.shift_time["log_odds"].claim.lhs.args[0].args[0], ("tau", "s"), of=flow_matching.shift_time,
        wrong={"this shifts the other way: the factor belongs to the noise": tau / (s + (1 - s) * tau)},
    ),
]
