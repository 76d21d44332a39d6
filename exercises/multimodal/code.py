r"""The whole system, in code.

Guidance with two scales: the answers to nothing, to the first condition, and to both; by how many nats the best of $n$ is away from the model; what both kinds of attention in a block save, for $n$ frames of $m$ tokens and the width $d$; and the slope of the $\mu$-law at a sample $x > 0$. Compared with `multimodal.two_conditions`, `multimodal.best_of`, `multimodal.clip_cost` and `multimodal.mu_law`.
"""

import math


def guide_two(null, first, both, u, s):  # fill
    """u times from the null to the first answer, and s times from there to the answer told both."""
    return null + u * (first - null) + s * (both - first)


def price(n):  # fill
    """Nats from the model to the best of n."""
    return math.log(n) - 1 + 1 / n


def saved(n, m, d):  # fill
    """FLOPs of a block over the whole clip, less those of a block with both kinds of attention."""
    return 4 * n * m * d * (n * m - n - m - 2 * d)


def slope(x, mu):  # fill
    """The slope of the mu-law."""
    return mu / ((1 + mu * x) * math.log(1 + mu))


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

multimodal = chapter("multimodal")
null, first, both, u, s = reals("null first both u s")
n = at_least_one("n")
m, d = positives("m d")
x, mu = positives("x mu")

GRADES = [
    Grade(
        "guide_two", null + u * (first - null) + s * (both - first), ("null", "first", "both", "u", "s"), of=multimodal.two_conditions,
        wrong={"the second push is for someone who knows the first: it starts at the first answer": null + u * (first - null) + s * (both - null),
               "this starts at the first answer: at u = s = 0 nothing is told": first + u * (first - null) + s * (both - first)},
    ),
    Grade(
        "price", log(n) - 1 + 1 / n, ("n",), of=multimodal.best_of,
        wrong={"the best of one is the model itself: the price is zero at n = 1": log(n) - 1 - 1 / n,
               "this is the bound, which is reached by no n > 1": log(n)},
    ),
    Grade(
        "saved", 4 * n * m * d * (n * m - n - m - 2 * d), ("n", "m", "d"), of=multimodal.clip_cost,
        wrong={"a second attention has matrices of its own, 4 d² numbers": 4 * n * m * d * (n * m - n - m)},
    ),
    Grade(
        "slope", multimodal.mu_law["slope"], ("x", "mu"),
        wrong={"the inner derivative is missing": 1 / ((1 + mu * x) * log(1 + mu))},
    ),
]
