r"""How many components?

Fill in the formula, and check it; it is compared with the log-density that `likelihood.normal_slopes` differentiates. Then run the file: `python components.py` draws data from three normal densities on a line, fits mixtures with one to eight
components by EM, from five starts each, and draws the mean log-likelihood of an example: on the data that were used, and on new data.

Questions. Which of the two curves hardly ever falls, and why? Where is the other one largest? Change the number of examples from 60 to 600 and look again. Do the five starts end at the same place?
"""

import math

import torch


def log_density(x, mu, v):  # fill
    """log N(x; mu, v), v the variance."""
    return -((x - mu) ** 2 / v + torch.log(2 * math.pi * v)) / 2


def em(x, components, generator, steps=100, floor=0.01):
    means = x[torch.randperm(len(x), generator=generator)[:components]]
    variances, weights = torch.full((components,), float(x.var())), torch.full((components,), 1 / components)
    for _ in range(steps):
        joint = weights.log() + log_density(x[:, None], means, variances)
        given = joint.softmax(1)
        size = given.sum(0)
        weights, means = size / len(x), given.T @ x / size
        variances = (given * (x[:, None] - means) ** 2).sum(0) / size + floor
    return weights, means, variances


def mean_log_likelihood(x, fitted):
    weights, means, variances = fitted
    return (weights.log() + log_density(x[:, None], means, variances)).logsumexp(1).mean().item()


def main(steps=100, n=60, starts=5):
    import matplotlib.pyplot as plt

    generator = torch.Generator().manual_seed(0)

    def draw(count):
        centre = torch.tensor([-3.0, 0.0, 2.5])[torch.randint(0, 3, (count,), generator=generator)]
        return centre + 0.6 * torch.randn(count, generator=generator)

    used, new, numbers = draw(n), draw(2000), range(1, 9)
    fits = [[em(used, components, generator, steps) for _ in range(starts)] for components in numbers]
    figure, panel = plt.subplots(layout="constrained")
    for data, name, color in ((used, "used", "C0"), (new, "new", "C1")):
        heights = [[mean_log_likelihood(data, fitted) for fitted in each] for each in fits]
        panel.plot(numbers, heights, ".", color=color)
        panel.plot(numbers, [max(each) for each in heights], color=color, label=name)
    panel.set(xlabel="components", ylabel="mean log-likelihood, nats")
    panel.legend()
    figure.savefig("components.png")
    print("components.png")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

likelihood = chapter("likelihood")
x, mu = reals("x mu")
v = positives("v")

GRADES = [
    Grade(
        "log_density", log(Normal(x, mu, v)), ("x", "mu", "v"), of=likelihood.normal_slopes,
        wrong={
            "this takes the variance for the standard deviation": log(Normal(x, mu, v**2)),
            "the normaliser is added; it stands in the denominator, so its logarithm is subtracted": log(2 * pi * v) / 2 - (x - mu) ** 2 / (2 * v),
        },
    ),
]
