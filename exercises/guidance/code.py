r"""Guidance, in code.

The combination of two guesses, with $w = s - 1$; the variance that the sampler without noise makes of normal data, of which a label leaves the share $c$ open, guided with the scale $s$ on an interval of levels only; and the variance of a linear measurement
$y = a x_0 + \tau \cdot \text{noise}$ at a noisy point, when $C$ is the variance of the data that is still open. Compared with `guidance.classifier_free`, `guidance.interval` and `guidance.measurement`.
"""


def guide(conditional, unconditional, w):  # fill
    """The guided guess, with the paper's w."""
    return (1 + w) * conditional - w * unconditional


def variance(early, late, c, s):  # fill
    """The variance in the end, guided with scale s where the conditional variance falls from early to late, and not elsewhere."""
    return c * (late / early) ** (s - 1)


def measured_variance(a, C, tau):  # fill
    """The variance of y at a noisy point."""
    return a**2 * C + tau**2


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

guidance = chapter("guidance")
P_y, P_n, s, a = reals("P_y P_n s a")
w = nonnegatives("w")
v_1, v_2, c, C, tau = positives("v_1 v_2 c C tau")
_, _, spread = guidance.measurement["likelihood"].claim.rhs.args

GRADES = [
    Grade(
        "guide", (1 + w) * P_y - w * P_n, ("P_y", "P_n", "w"), of=guidance.classifier_free,
        wrong={"the coefficients must sum to one: where both guesses agree, guidance changes nothing": (1 + w) * P_y + w * P_n,
               "this has the scale w: the conditional guess comes out at w = 1, not at w = 0": w * P_y + (1 - w) * P_n},
    ),
    Grade(
        "variance", guidance.interval["variance"], ("v_1", "v_2", "c", "s"),
        wrong={"the samples have the variance c without guidance, at s = 1": c * (v_2 / v_1) ** s,
               "this widens: the conditional variance falls on the way, so its ratio is below one": c * (v_1 / v_2) ** (s - 1)},
    ),
    Grade(
        "measured_variance", spread, ("a", "C", "tau"), of=guidance.measurement,
        wrong={"this is DPS: what is open about the data is left out": tau**2,
               "variances are multiplied by the square of a factor": a * C + tau**2},
    ),
]
