r"""Denoising diffusion in the plane: train it, then sample in few steps and in many.

Fill in the six formulas; they are compared with `ddpm.forward_marginal`, `ddpm.posterior_mean_from_eps`, `ddpm.posterior`, `ddpm.loss_weight` and `ddim.step`. Then `python plane.py` trains a network to guess the noise in points of two moons, writes the loss in training and the exact $W_2$ of samples of
DDPM and of DDIM with 2 to 100 steps to plane.csv, and draws both curves.

Questions. Why does the loss not go to zero, and what would it mean if it did? Which of the two samplers is better with few steps, and why? Write the loss once more with the weight of the bound: which times then count most?
"""

import torch

from genmath.nets import MLP
from genmath.paths import linear_schedule
from genmath.toys import moons


def noised(x_0, eps, alpha_bar):  # fill
    """x_t from the data, in one jump."""
    return alpha_bar**0.5 * x_0 + (1 - alpha_bar) ** 0.5 * eps


def guess_of_data(x_t, eps, alpha_bar):  # fill
    """The data that go with x_t and with the noise that is guessed to be in it."""
    return (x_t - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5


def mean_before(x_t, eps, beta, alpha_bar_prev):  # fill
    """The mean of q(x_{t-1} | x_t, x_0), where eps is the noise in x_t."""
    alpha_bar = (1 - beta) * alpha_bar_prev
    return (x_t - beta / (1 - alpha_bar) ** 0.5 * eps) / (1 - beta) ** 0.5


def variance_before(beta, alpha_bar_prev):  # fill
    """The variance of q(x_{t-1} | x_t, x_0)."""
    return (1 - alpha_bar_prev) / (1 - (1 - beta) * alpha_bar_prev) * beta


def ddim(x_t, eps, alpha_t, sigma_t, alpha_s, sigma_s):  # fill
    """A step of DDIM without fresh noise, from level t to the cleaner level s."""
    return alpha_s * (x_t - sigma_t * eps) / alpha_t + sigma_s * eps


def bound_weight(beta, alpha_bar_prev):  # fill
    """The weight of the squared error of the noise in the bound, where the variance is that of the posterior."""
    return beta / (2 * (1 - beta) * (1 - alpha_bar_prev))


T = 1000
table = linear_schedule(T).alpha_bar.float()  # entry 0 is 1


def train(steps):
    generator = torch.Generator().manual_seed(0)
    net = MLP(2, hidden=96, layers=3, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    curve = []
    for _ in range(steps):
        x_0 = moons(256, generator=generator)
        eps = torch.randn(x_0.shape, generator=generator)
        t = torch.randint(1, T + 1, (len(x_0),), generator=generator)
        optimiser.zero_grad()
        loss = ((net(noised(x_0, eps, table[t][:, None]), t / T) - eps) ** 2).sum(1).mean()
        loss.backward()
        optimiser.step()
        curve.append(loss.item())
    return net, curve


@torch.no_grad()
def samples(net, x, n, fresh):
    generator = torch.Generator().manual_seed(2)
    steps = torch.linspace(0, T, n + 1).round().long()
    for s, t in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        eps = net(x, torch.full((len(x),), t / T))
        if fresh:
            beta = 1 - table[t] / table[s]
            noise = torch.randn(x.shape, generator=generator)
            x = mean_before(x, eps, beta, table[s]) + variance_before(beta, table[s]) ** 0.5 * noise
        else:
            x = ddim(x, eps, table[t] ** 0.5, (1 - table[t]) ** 0.5, table[s] ** 0.5, (1 - table[s]) ** 0.5)
    return x


def distance(a, b):
    """The exact W2 between two sets of points: the best pairing."""
    from scipy.optimize import linear_sum_assignment

    squares = torch.cdist(a, b) ** 2
    return squares[linear_sum_assignment(squares)].mean().sqrt().item()


def main(steps=3000):
    import matplotlib.pyplot as plt

    net, curve = train(steps)
    generator = torch.Generator().manual_seed(1)
    data, start = moons(800, generator=generator, stratified=True), torch.randn(800, 2, generator=generator)
    rows, every = ["curve,at,value"], max(steps // 10, 1)
    means = [(i + every, sum(curve[i : i + every]) / every) for i in range(0, every * (steps // every), every)]
    rows += [f"loss,{step},{value:.4f}" for step, value in means]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(*zip(*means, strict=True), "o-")
    left.set(xlabel="training steps", ylabel="mean squared error of the noise")
    counts = [2, 5, 10, 20, 50, 100]
    for name, fresh in (("DDPM", True), ("DDIM", False)):
        found = [distance(samples(net, start, n, fresh), data) for n in counts]
        rows += [f"{name},{n},{value:.4f}" for n, value in zip(counts, found, strict=True)]
        right.loglog(counts, found, "o-", label=name)
    right.set(xlabel="steps", ylabel="W2 to the data")
    right.legend()
    figure.savefig("plane.png")
    with open("plane.csv", "w") as file:
        file.write("\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

ddpm, ddim_ = chapter("ddpm"), chapter("ddim")
beta, abar, abar_prev = fractions("beta_t alpha_bar_t alpha_bar_{t-1}")
x_t, eps = reals("x_t eps")
alpha_t, alpha_s, sigma_t, sigma_s = positives("alpha_t alpha_s sigma_t sigma_s")

GRADES = [
    Grade(
        "noised", ddpm.forward_marginal["noise"].claim.lhs.body.args[0], ("x_0", "eps", "alpha_bar_t"),
        domains={"alpha_bar_t": "unit"}, of=ddpm.forward_marginal,
    ),
    Grade(
        "guess_of_data", (x_t - sqrt(1 - abar) * eps) / sqrt(abar), ("x_t", "eps", "alpha_bar_t"), of=ddim_.step,
        wrong={"the noise is taken out, not added": (x_t + sqrt(1 - abar) * eps) / sqrt(abar)},
    ),
    Grade("mean_before", ddpm.posterior_mean_from_eps, ("x_t", "eps", "beta_t", "alpha_bar_{t-1}")),
    Grade(
        "variance_before", ddpm.posterior["variance"], ("beta_t", "alpha_bar_{t-1}"),
        wrong={"this is beta, the variance of the step forward; the posterior's is smaller": beta},
    ),
    Grade(
        "ddim", alpha_s * (x_t - sigma_t * eps) / alpha_t + sigma_s * eps, ("x_t", "eps", "alpha_t", "sigma_t", "alpha_s", "sigma_s"),
        of=ddim_.step,
        wrong={"the noise that is put back is that of the cleaner level": alpha_s * (x_t - sigma_t * eps) / alpha_t + sigma_t * eps,
               "this only takes noise out, and puts none back": alpha_s * (x_t - sigma_t * eps) / alpha_t},
    ),
    Grade(
        "bound_weight", ddpm.loss_weight["posterior"], ("beta_t", "alpha_bar_{t-1}"),
        wrong={"this is the weight for the variance beta": beta / (2 * (1 - beta) * (1 - (1 - beta) * abar_prev))},
    ),
]
