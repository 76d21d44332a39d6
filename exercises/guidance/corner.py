r"""Guidance on a class with two modes.

Fill in the three functions; the first is compared with `guidance.classifier_free`, the others with `guidance.interval` and `guidance.editing`. Then run the file: `python corner.py` draws what the exact sampler makes of a class with two modes, of which one lies near another class, for four scales.

Questions. Which of the two modes loses samples, and why that one? At which scale is it empty? Guide on an interval of levels instead (`INTERVAL`): when does the lost mode come back? The laboratory on guidance answers the last one.
"""

import torch

from genmath.paths import CosinePath
from genmath.samplers import Heun, sample
from genmath.toys import GaussianMixture

PATH = CosinePath()
CLASS = GaussianMixture([0.5, 0.5], [[-0.4, 0.9], [1.4, 0.0]], std=0.3)  # the first mode lies near the others
EVERY = GaussianMixture([0.25, 0.25, 0.5], [[-0.4, 0.9], [1.4, 0.0], [-1.0, 0.2]], std=0.3)
INTERVAL = (0.0, 1.0)


def guide(conditional, unconditional, s):  # fill
    """The guided prediction, with scale s."""
    return s * conditional + (1 - s) * unconditional


def variance(early, late, c, s):  # fill
    """For normal data: the variance in the end, guided where the conditional variance falls from early to late."""
    return c * (late / early) ** (s - 1)


def fresh(V, kept):  # fill
    """For normal data of variance V: the variance that is new after editing, if the share kept of the sketch is left."""
    return V * (1 - kept**2)


def predict(law, x, t):
    alpha, sigma = PATH.coefficients(t, x)
    return alpha * law.eps(x, alpha, sigma) - sigma * law.denoiser(x, alpha, sigma)


def draw(scale, steps, n=600):
    def model(x, t):
        s = scale if INTERVAL[0] <= t[0] <= INTERVAL[1] else 1.0
        return guide(predict(CLASS, x, t), predict(EVERY, x, t), s)

    generator = torch.Generator().manual_seed(0)
    return sample(model, (n, 2), PATH, Heun(), steps=steps, prediction="v", generator=generator)


def main(steps=40):
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(13, 3.4), layout="constrained")
    for panel, scale in zip(panels, (1.0, 2.0, 4.0, 8.0), strict=True):
        panel.plot(*EVERY.means.T, "+", color="black")
        panel.plot(*draw(scale, steps).T, ".", markersize=3)
        panel.set(xlim=(-2.5, 3.5), ylim=(-2, 3), title=f"scale {scale:g}")
    figure.savefig("corner.png")
    print("corner.png")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

guidance = chapter("guidance")
P_y, P_n, s, kappa = reals("P_y P_n s kappa")
v_1, v_2, c, V = positives("v_1 v_2 c V")

GRADES = [
    Grade(
        "guide", s * P_y + (1 - s) * P_n, ("P_y", "P_n", "s"), of=guidance.classifier_free,
        wrong={"this is the scale 1 + s: at s = 1 the conditional prediction has to come out": (1 + s) * P_y - s * P_n},
    ),
    Grade("variance", guidance.interval["variance"], ("v_1", "v_2", "c", "s")),
    Grade(
        "fresh", V * (1 - kappa**2), ("V", "kappa"), of=guidance.editing,
        wrong={"what is kept is a factor of the deviation, so its square is the share of the variance": V * (1 - kappa)},
    ),
]
