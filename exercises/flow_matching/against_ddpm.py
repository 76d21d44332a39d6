r"""Flow matching against DDPM, on the same data.

The same data, the same network, the same number of training steps. Fill in the six formulas; they are compared with `flow_matching.rectified_flow`,
`ddpm.forward_marginal`, `ddpm.posterior_mean_from_eps` and `ddpm.posterior`. Then `python against_ddpm.py` trains both, samples with 2 to 128 steps and draws the exact distance $W_2$ to the data over the number of network
calls (the numbers are in against_ddpm.csv).

Questions. How many steps does each need for good samples? Why is DDPM poor with few? What is left with many? The laboratory on flow matching makes the same comparison with more
samplers and three distances, and says what such a comparison does not show.
"""

import torch

from genmath.nets import MLP
from genmath.paths import linear_schedule
from genmath.toys import GaussianMixture


def point(x_0, eps, t):  # fill
    """x_t on the straight path: data at t = 0, noise at t = 1."""
    return (1 - t) * x_0 + t * eps


def velocity(x_0, eps):  # fill
    """The velocity of that line, what the flow's network is trained on."""
    return eps - x_0


def euler(x_t, v, h):  # fill
    """From time t to t - h."""
    return x_t - h * v


def noised(x_0, eps, alpha_bar):  # fill
    """x_t of DDPM, in one jump."""
    return alpha_bar**0.5 * x_0 + (1 - alpha_bar) ** 0.5 * eps


def mean_before(x_t, eps, beta, alpha_bar_prev):  # fill
    """DDPM's mean of x_{t-1}, from the noise in x_t."""
    alpha_bar = (1 - beta) * alpha_bar_prev
    return (x_t - beta / (1 - alpha_bar) ** 0.5 * eps) / (1 - beta) ** 0.5


def variance_before(beta, alpha_bar_prev):  # fill
    """DDPM's variance of x_{t-1}, that of the posterior."""
    return (1 - alpha_bar_prev) / (1 - (1 - beta) * alpha_bar_prev) * beta


def train(loss, steps):
    generator = torch.Generator().manual_seed(0)
    ring = GaussianMixture.ring(5, radius=1.3, std=0.16)
    net = MLP(2, hidden=64, layers=3, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(steps):
        x_0 = ring.sample(256, generator=generator)
        eps = torch.randn(x_0.shape, generator=generator)
        optimiser.zero_grad()
        loss(net, x_0, eps, generator).backward()
        optimiser.step()
    return net


def flow_loss(net, x_0, eps, generator):
    t = torch.rand(len(x_0), generator=generator)
    x_t = point(x_0, eps, t[:, None])
    return ((net(x_t, t) - velocity(x_0, eps)) ** 2).mean()


table = linear_schedule(1000).alpha_bar.float()  # entry 0 is 1


def ddpm_loss(net, x_0, eps, generator):
    t = torch.randint(1, 1001, (len(x_0),), generator=generator)
    return ((net(noised(x_0, eps, table[t][:, None]), t / 1000) - eps) ** 2).mean()


@torch.no_grad()
def flow_samples(net, x, n):
    for i in range(n, 0, -1):
        x = euler(x, net(x, torch.full((len(x),), i / n)), 1 / n)
    return x


@torch.no_grad()
def ddpm_samples(net, x, n):
    generator = torch.Generator().manual_seed(2)
    steps = torch.linspace(0, 1000, n + 1).round().long()
    for before, now in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        beta = 1 - table[now] / table[before]
        mean = mean_before(x, net(x, torch.full((len(x),), now / 1000)), beta, table[before])
        noise = torch.randn(x.shape, generator=generator)
        x = mean + variance_before(beta, table[before]) ** 0.5 * noise
    return x


def distance(a, b):
    """The exact W2 between two sets of points: the best pairing."""
    from scipy.optimize import linear_sum_assignment

    squares = torch.cdist(a, b) ** 2
    return squares[linear_sum_assignment(squares)].mean().sqrt().item()


def main(steps=3000):
    import matplotlib.pyplot as plt

    generator = torch.Generator().manual_seed(1)
    data = GaussianMixture.ring(5, radius=1.3, std=0.16).sample(800, generator=generator, stratified=True)
    start = torch.randn(800, 2, generator=generator)
    counts, rows = [2, 4, 8, 16, 32, 64, 128], ["model,calls,w2"]
    for name, loss, sample in (("flow matching", flow_loss, flow_samples), ("DDPM", ddpm_loss, ddpm_samples)):
        net = train(loss, steps)
        found = [distance(sample(net, start, n), data) for n in counts]
        rows += [f"{name},{n},{value:.4f}" for n, value in zip(counts, found, strict=True)]
        print(f"{name:14s}", *(f"{value:.3f}" for value in found))
        plt.loglog(counts, found, "o-", label=name)
    plt.xlabel("network calls")
    plt.ylabel("W2 to the data")
    plt.legend()
    plt.savefig("against_ddpm.png")
    with open("against_ddpm.csv", "w") as file:
        file.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

ddpm, flow_matching = chapter("ddpm"), chapter("flow_matching")
rectified = flow_matching.rectified_flow
backward = recorded(rectified, "notes-rf-sampler-direction")
X, Z = variables("X Z")
beta = fractions("beta_t")

GRADES = [
    Grade("point", rectified["target"].claim.lhs.body.body, ("X", "Z", "t"), domains={"t": "unit"}, of=rectified),
    Grade(
        "velocity", rectified["target"].claim.rhs.body, ("X", "Z"), of=rectified,
        wrong={"this points from the noise to the data; time runs from data to noise": X - Z},
    ),
    Grade(
        "euler", backward.right.rhs, ("X_t", "V", "h"), of=rectified,
        wrong={f"this walks the wrong way: {backward.why}": backward.wrong.rhs},
    ),
    Grade(
        "noised", ddpm.forward_marginal["noise"].claim.lhs.body.args[0], ("x_0", "eps", "alpha_bar_t"),
        domains={"alpha_bar_t": "unit"}, of=ddpm.forward_marginal,
    ),
    Grade("mean_before", ddpm.posterior_mean_from_eps, ("x_t", "eps", "beta_t", "alpha_bar_{t-1}")),
    Grade(
        "variance_before", ddpm.posterior["variance"], ("beta_t", "alpha_bar_{t-1}"),
        wrong={"this is beta, the variance of the step forward; the posterior's is smaller": beta},
    ),
]
