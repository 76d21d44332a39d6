r"""Learning without labels, in code.

Four small functions in plain Python, compared with `contrastive.nt_xent`, `contrastive.slopes`, `contrastive.ema` and `contrastive.collapse`. Then run the file: `python code.py` lets encoder and predictor of the smallest model move, from several beginnings.

Questions. From which beginnings does the feature survive? Double the decay, `DECAY = 0.1`, and then 0.25: what happens to the two numbers where it stands still? What if the views share less, `SHARED = 0.5`? And without a stop-gradient, `STOP = False`?
"""

import math

SPREAD, SHARED, DECAY, STOP = 1.0, 0.9, 0.05, True


def anchor_loss(a, s, t, tau):  # fill
    """The loss of an anchor: the partner has the cosine a, two others have s and t."""
    return -a / tau + math.log(math.exp(a / tau) + math.exp(s / tau) + math.exp(t / tau))


def push(s, R, tau):  # fill
    """The slope of the loss by the cosine s of an other; R is the sum of the exponentials of all other candidates."""
    return math.exp(s / tau) / (math.exp(s / tau) + R) / tau


def teacher(m, old, new):  # fill
    """A weight of the slow teacher after a step, from its old one and the student's."""
    return m * old + (1 - m) * new


def speed(p, v, c, eta):  # fill
    """How encoder and predictor move once both are p, with a stop-gradient."""
    return -(p**2) * (p * v - c) - eta * p


def both(w, p):
    """How w and p move."""
    if STOP:
        slope_w, slope_p = p * w * (p * SPREAD - SHARED), w**2 * (p * SPREAD - SHARED)
    else:
        slope_w, slope_p = w * (p**2 * SPREAD - 2 * p * SHARED + SPREAD), w**2 * (p * SPREAD - SHARED)
    return -slope_w - DECAY * w, -slope_p - DECAY * p


def main():
    print(f"the loss of the chapter's example: {anchor_loss(math.cos(math.pi / 6), 0.0, -0.5, 0.5):.3f}")
    for start in ((0.5, 0.2), (0.2, 0.5), (0.1, 0.1), (0.03, 0.03), (0.05, 0.9)):
        w, p = start
        for _ in range(40_000):
            dw, dp = both(w, p)
            w, p = w + 0.02 * dw, p + 0.02 * dp
        print(f"from {start}: w {w:.4f}, p {p:.4f}")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

contrastive = chapter("contrastive")
a, s, t, old, new = reals("a s t theta w")
tau, R, p, v, c, eta = positives("tau R p v c eta")
m = fractions("m")

GRADES = [
    Grade(
        "anchor_loss", -a / tau + log(exp(a / tau) + exp(s / tau) + exp(t / tau)), ("a", "s", "t", "tau"), of=contrastive.nt_xent,
        wrong={"the partner is a candidate, too: it belongs to the sum": -a / tau + log(exp(s / tau) + exp(t / tau)),
               "the partner's cosine is divided by the temperature, too": -a + log(exp(a / tau) + exp(s / tau) + exp(t / tau))},
    ),
    Grade(
        "push", contrastive.slopes["other"], ("s", "R", "tau"),
        wrong={"this is the weight: the cosine was divided by the temperature": exp(s / tau) / (exp(s / tau) + R)},
    ),
    Grade(
        "teacher", m * old + (1 - m) * new, ("m", "theta", "w"), of=contrastive.ema,
        wrong={"the decay belongs to the old weight": m * new + (1 - m) * old},
    ),
    Grade(
        "speed", contrastive.collapse["together"], ("p", "v", "c", "eta"),
        wrong={"down the slope: the sign of the first term": p**2 * (p * v - c) - eta * p},
    ),
]
