r"""Score distillation does not sample.

A model of pictures that are one number: seven tenths near $-1.2$, three tenths near $1.2$. The exact guess of the noise is given. Fill in the noisy rendering and the push, compared with `multimodal.distillation`. Then run the file: `python distilled.py` moves 400 scenes, of which each has one parameter, its own rendering, and draws where they end beside samples of the model.

Questions. How wide are the heaps, and how wide are the samples? Which share of the scenes ends on the right, and on what does it depend? Start all scenes at 0 (`START`): what changes? Use large noise levels only (`LEVELS`): where do the scenes go, and why?
"""

import torch

from genmath.paths import CosinePath
from genmath.samplers import Heun, sample
from genmath.toys import GaussianMixture

PATH = CosinePath()
MODEL = GaussianMixture([0.7, 0.3], [[-1.2], [1.2]], std=0.6)
START = torch.linspace(-3, 3, 400, dtype=torch.float64).unsqueeze(1)
LEVELS = (0.2, 0.35, 0.5)


def noised(g, epsilon, alpha, sigma):  # fill
    """The noisy rendering."""
    return alpha * g + sigma * epsilon


def push(guess, epsilon, alpha):  # fill
    """What the rendering is moved against: the slope of the network is left out."""
    return (guess - epsilon) * alpha


def distil(steps):
    generator, g = torch.Generator().manual_seed(0), START.clone()
    for step in range(steps):
        sigma = torch.full_like(g, LEVELS[step % len(LEVELS)])
        alpha = (1 - sigma**2).sqrt()
        epsilon = torch.randn(g.shape, generator=generator, dtype=g.dtype)
        x_t = noised(g, epsilon, alpha, sigma)
        rate = 0.05 if step < steps // 2 else 0.005
        g = g - rate * push(MODEL.eps(x_t, alpha, sigma), epsilon, alpha)
    return g


def predict(x, t):
    alpha, sigma = PATH.coefficients(t, x)
    return alpha * MODEL.eps(x, alpha, sigma) - sigma * MODEL.denoiser(x, alpha, sigma)


def main(steps=1000):
    import matplotlib.pyplot as plt

    ends = distil(steps)
    generator = torch.Generator().manual_seed(1)
    drawn = sample(predict, (400, 1), PATH, Heun(), steps=30, prediction="v", generator=generator)
    figure, panels = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharex=True)
    for panel, x, title in zip(panels, (ends, drawn), ("distilled", "sampled"), strict=True):
        panel.hist(x.flatten().tolist(), bins=60, range=(-3.2, 3.2))
        panel.set(title=f"{title}: {float((x > 0).double().mean()):.0%} on the right")
    figure.savefig("distilled.png")
    print("distilled.png")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

multimodal = chapter("multimodal")
g, epsilon, guess = reals("g epsilon guess")
alpha, sigma = positives("alpha sigma")

GRADES = [
    Grade(
        "noised", alpha * g + sigma * epsilon, ("g", "epsilon", "alpha", "sigma"), of=multimodal.distillation,
        wrong={"the noise has the standard deviation sigma, not the variance": alpha * g + sigma**2 * epsilon},
    ),
    Grade(
        "push", (guess - epsilon) * alpha, ("guess", "epsilon", "alpha"), of=multimodal.distillation,
        wrong={"the scene moves against this: it would climb away from what the model finds likely": (epsilon - guess) * alpha},
    ),
]
