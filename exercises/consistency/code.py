r"""Targets, in code.

What a mean velocity is trained on, from the velocity of a line and the two derivatives of the network; what the student of two steps has to guess; and how much of an error of the variance is left after a round of noising and answering.
Compared with `consistency.mean_flow_loss`, `consistency.progressive` and `consistency.multistep`.
"""


def mean_flow_target(V, t, s, u_x, u_t):  # fill
    """V less (t - s) times the change of u along the line; u_x, u_t: its slopes in place and time."""
    return V - (t - s) * (V * u_x + u_t)


def weight_of_the_first(rho_t, rho_m, rho_s):  # fill
    """The weight of the teacher's first guess, from alpha/sigma at the start, middle and end."""
    return (rho_m - rho_t) / (rho_s - rho_t)


def share_left(alpha, sigma, c):  # fill
    """What is left of an error of the variance after one round, for normal data of variance c."""
    return alpha**2 * c / (alpha**2 * c + sigma**2)


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

consistency = chapter("consistency")
V, u_x, u_t = variables("V u_x u_t")
t, s = reals("t s")
r_t, r_m, r_s = positives("rho_t rho_m rho_s")
alpha, sigma, c = positives("alpha sigma c")

GRADES = [
    Grade(
        "mean_flow_target", V - (t - s) * (V * u_x + u_t), ("V", "t", "s", "u_x", "u_t"), of=consistency.mean_flow_loss,
        wrong={"the place moves, too: its slope is multiplied by the velocity": V - (t - s) * u_t},
    ),
    Grade(
        "weight_of_the_first", (r_m - r_t) / (r_s - r_t), ("rho_t", "rho_m", "rho_s"), of=consistency.progressive,
        wrong={"this is the weight of the second guess": (r_s - r_m) / (r_s - r_t)},
    ),
    Grade(
        "share_left", alpha**2 * c / (alpha**2 * c + sigma**2), ("alpha", "sigma", "c"), of=consistency.multistep,
        wrong={"this is what is left of an error of the mean, squared once less": sqrt(alpha**2 * c / (alpha**2 * c + sigma**2))},
    ),
]
