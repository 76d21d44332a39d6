r"""One call against many.

The same data, the same network: a velocity by flow matching, and a consistency model without a teacher. Fill in the formulas; they are compared with `flow_matching.rectified_flow` and `consistency.boundary`. Then `python few_steps.py` trains both, samples with 1 to 32
calls, prints the exact distance $W_2$ to the data and draws it as few_steps.png.

Questions. From how many calls on is the flow better? Each further call makes the consistency model worse here; with exact answers it would not, as `consistency.multistep` shows for normal data. What adds up? Train with 4 steps on the grid in place of 32: what becomes of the samples of one call, and which result says so?
"""

import torch

from genmath.nets import MLP
from genmath.toys import GaussianMixture


def point(x_0, eps, t):  # fill
    """x_t on the straight path: data at t = 0, noise at t = 1."""
    return (1 - t) * x_0 + t * eps


def euler(x_t, v, h):  # fill
    """From time t to t - h."""
    return x_t - h * v


def c_skip(alpha, sigma, std):  # fill
    """What multiplies x in the consistency model; std is the deviation of the data."""
    return alpha * std**2 / (alpha**2 * std**2 + sigma**2)


def c_out(alpha, sigma, std):  # fill
    """What multiplies the network's answer."""
    return sigma * std / (alpha**2 * std**2 + sigma**2) ** 0.5


def answer(net, x, t):
    """The consistency model: at t = 0 it is x."""
    at = t[:, None]
    return c_skip(1 - at, at, 1.0) * x + c_out(1 - at, at, 1.0) * net(x, t)


def flow_loss(net, x_0, eps, generator, grid):
    t = torch.rand(len(x_0), generator=generator)
    return ((net(point(x_0, eps, t[:, None]), t) - (eps - x_0)) ** 2).mean()


def consistency_loss(net, x_0, eps, generator, grid):
    n = torch.randint(1, grid + 1, (len(x_0),), generator=generator)
    t, s = n / grid, (n - 1) / grid
    with torch.no_grad():
        target = answer(net, point(x_0, eps, s[:, None]), s)  # the same noise, held fixed
    return ((answer(net, point(x_0, eps, t[:, None]), t) - target) ** 2).mean()


def train(loss, steps, grid=32):
    generator = torch.Generator().manual_seed(0)
    ring = GaussianMixture.ring(5, radius=1.3, std=0.16)
    net = MLP(2, hidden=96, layers=3, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(steps):
        x_0 = ring.sample(256, generator=generator)
        eps = torch.randn(x_0.shape, generator=generator)
        optimiser.zero_grad()
        loss(net, x_0, eps, generator, grid).backward()
        optimiser.step()
    return net


@torch.no_grad()
def flow_samples(net, x, n):
    for i in range(n, 0, -1):
        x = euler(x, net(x, torch.full((len(x),), i / n)), 1 / n)
    return x


@torch.no_grad()
def consistency_samples(net, x, n):
    generator = torch.Generator().manual_seed(2)
    for i in range(n, 0, -1):
        if i < n:
            x = point(x, torch.randn(x.shape, generator=generator), i / n)
        x = answer(net, x, torch.full((len(x),), i / n))
    return x


def distance(a, b):
    """The exact W2 between two sets of points: the best pairing."""
    from scipy.optimize import linear_sum_assignment

    squares = torch.cdist(a, b) ** 2
    return squares[linear_sum_assignment(squares)].mean().sqrt().item()


def main(steps=3000):
    import matplotlib.pyplot as plt

    calls = (1, 2, 4, 8, 32)
    generator = torch.Generator().manual_seed(1)
    data = GaussianMixture.ring(5, radius=1.3, std=0.16).sample(500, generator=generator, stratified=True)
    start = torch.randn(500, 2, generator=generator)
    for name, loss, sample in (("flow", flow_loss, flow_samples), ("consistency", consistency_loss, consistency_samples)):
        net = train(loss, steps)
        found = [distance(sample(net, start, n), data) for n in calls]
        print(f"{name:12s}", *(f"{value:.3f}" for value in found))
        plt.loglog(calls, found, "o-", label=name)
    plt.xlabel("network calls")
    plt.ylabel("distance $W_2$ to the data")
    plt.legend()
    plt.savefig("few_steps.png")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

consistency, flow_matching = chapter("consistency"), chapter("flow_matching")
rectified = flow_matching.rectified_flow
backward = recorded(rectified, "notes-rf-sampler-direction")
alpha, sigma, std = positives("alpha sigma std")
x_0, eps = variables("x_0 eps")
t = fractions("t")

GRADES = [
    Grade("point", (1 - t) * x_0 + t * eps, ("x_0", "eps", "t"), of=rectified, wrong={"data are at time 0": t * x_0 + (1 - t) * eps}),
    Grade(
        "euler", backward.right.rhs, ("X_t", "V", "h"), of=rectified,
        wrong={f"this walks the wrong way: {backward.why}": backward.wrong.rhs},
    ),
    Grade("c_skip", alpha * std**2 / (alpha**2 * std**2 + sigma**2), ("alpha", "sigma", "std"), of=consistency.boundary),
    Grade("c_out", sigma * std / sqrt(alpha**2 * std**2 + sigma**2), ("alpha", "sigma", "std"), of=consistency.boundary),
]
