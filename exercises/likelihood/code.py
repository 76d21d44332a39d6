r"""Responsibilities and information, in code.

Two components on the line, with weights $w$ and $1 - w$, means $\mu_1, \mu_2$ and variances $v_1, v_2$: how probable is it that the first one made $x$? And how much does one throw of a coin tell about its $\theta$? Plain Python numbers; what you
return is compared with `likelihood.responsibilities` and `likelihood.fisher_information`.
"""

import math


def responsibility(w, mu_1, mu_2, v_1, v_2, x):  # fill
    """The probability that the first component made x."""
    first = w * math.exp(-((x - mu_1) ** 2) / (2 * v_1)) / math.sqrt(v_1)
    second = (1 - w) * math.exp(-((x - mu_2) ** 2) / (2 * v_2)) / math.sqrt(v_2)
    return first / (first + second)


def information(theta):  # fill
    """The Fisher information of one throw of a coin that shows heads with probability theta."""
    return 1 / (theta * (1 - theta))


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

likelihood = chapter("likelihood")
theta, w = fractions("theta w")
x, mu_1, mu_2 = reals("x mu_1 mu_2")
v_1, v_2 = positives("v_1 v_2")
first, second = Normal(x, mu_1, v_1), Normal(x, mu_2, v_2)

GRADES = [
    Grade(
        "responsibility", likelihood.responsibilities["first"], ("w", "mu_1", "mu_2", "v_1", "v_2", "x"),
        wrong={
            "the weights are exchanged: w belongs to the first component": (1 - w) * first / ((1 - w) * first + w * second),
            "the weights are missing: this is right for equal weights only": first / (first + second),
        },
    ),
    Grade(
        "information", likelihood.fisher_information["coin"], ("theta",),
        wrong={"this is the variance of a throw; the information is one over it": theta * (1 - theta)},
    ),
]
