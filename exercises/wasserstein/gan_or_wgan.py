r"""A GAN and a WGAN, side by side.

The same data (eight clusters on a circle), the same two networks, the same number of steps; what differs is what the second network is asked. Fill in the six formulas; they are compared with `gan.logit_losses`,
`wasserstein.weak_duality`, `wasserstein.penalty_points`, `wasserstein.penalty_bias` and `wasserstein.generator_gradient`. Then `python gan_or_wgan.py` trains both, writes the exact $W_2$ to the data and the number of clusters that were found to gan_or_wgan.csv, and draws both.

Questions. Which of the two losses tells how good the samples are, and why does the other one not? What does it mean that a cluster is missing, and which of the two notices? What happens to the WGAN if the weight of the penalty is 0, and what if it is 100?
"""

import torch
from torch.nn import functional

from genmath.nets import MLP
from genmath.toys import GaussianMixture

RING = GaussianMixture.ring(8)


def discriminator_loss(real, fake):  # fill
    """-log D(x) - log(1 - D(y)) of one pair, from the logits of a data point and of a sample."""
    return functional.softplus(-real) + functional.softplus(fake)


def generator_loss(fake):  # fill
    """-log D(y), the loss that does not saturate, from the logit of a sample."""
    return functional.softplus(-fake)


def critic_loss(real, fake):  # fill
    """What a critic of slope one minimises, from its values for a data point and for a sample."""
    return fake - real


def between(x, y, eps):  # fill
    """The point on the way from the sample y (eps = 0) to the data point x (eps = 1)."""
    return eps * x + (1 - eps) * y


def penalty(slope, weight):  # fill
    """What a critic pays for a gradient of this length."""
    return weight * (slope - 1) ** 2


def critic_generator_loss(fake):  # fill
    """What the generator of a WGAN minimises, from the critic's value for a sample."""
    return -fake


def gan_judge(net, x, y, generator):
    return discriminator_loss(net(x), net(y)).mean()


def wgan_judge(net, x, y, generator):
    eps = torch.rand(len(x), 1, generator=generator)
    middle = between(x, y, eps).requires_grad_()
    (slopes,) = torch.autograd.grad(net(middle).sum(), middle, create_graph=True)
    return (critic_loss(net(x), net(y)) + penalty(slopes.norm(dim=1, keepdim=True), 1.0)).mean()


def distance(a, b):
    """The exact W2 between two sets of points: the best pairing."""
    from scipy.optimize import linear_sum_assignment

    squares = torch.cdist(a, b) ** 2
    return squares[linear_sum_assignment(squares)].mean().sqrt().item()


def clusters(samples):
    """How many clusters have at least a quarter of their share of the samples within 3 standard deviations."""
    near = torch.cdist(samples, RING.means.to(samples)) < 0.5
    return int((near.sum(0) >= len(samples) / 32).sum())


def train(judge_loss, maker_loss, rounds, steps):
    generator = torch.Generator().manual_seed(0)
    maker = MLP(2, hidden=64, layers=3, time=False, activation=torch.nn.ReLU, generator=generator)
    judge = MLP(2, hidden=64, layers=3, time=False, out=1, activation=torch.nn.LeakyReLU, generator=generator)
    optimisers = [torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.9)) for net in (judge, maker)]
    data, noise = RING.sample(500, generator=generator, stratified=True), torch.randn(500, 2, generator=generator)
    found = []
    for step in range(1, steps + 1):
        for _ in range(rounds):
            x, z = RING.sample(128, generator=generator), torch.randn(128, 2, generator=generator)
            optimisers[0].zero_grad()
            judged = judge_loss(judge, x, maker(z).detach(), generator)
            judged.backward()
            optimisers[0].step()
        optimisers[1].zero_grad()
        maker_loss(judge(maker(torch.randn(128, 2, generator=generator)))).mean().backward()
        optimisers[1].step()
        if step % max(steps // 10, 1) == 0:
            with torch.no_grad():
                samples = maker(noise)
            found.append((step, judged.item(), distance(samples, data), clusters(samples)))
    return found, samples


def main(steps=1000):
    import matplotlib.pyplot as plt

    figure, (left, *right) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    rows = ["model,step,judge_loss,w2,clusters"]
    for name, losses, panel in (
        ("GAN", (gan_judge, generator_loss, 1), right[0]),
        ("WGAN", (wgan_judge, critic_generator_loss, 4), right[1]),
    ):
        found, samples = train(*losses, steps)
        rows += [f"{name},{step},{loss:.4f},{w2:.4f},{many}" for step, loss, w2, many in found]
        left.plot([row[0] for row in found], [row[2] for row in found], "o-", label=name)
        panel.plot(*samples.T, ".", markersize=3)
        panel.set(aspect="equal", title=name, xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    left.set(xlabel="steps of the generator", ylabel="W2 to the data")
    left.legend()
    figure.savefig("gan_or_wgan.png")
    with open("gan_or_wgan.csv", "w") as file:
        file.write("\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

gan, wasserstein = chapter("gan"), chapter("wasserstein")
a, b, u, v = reals("a b u v")
s, lam = positives("s lambda")
eps = fractions("epsilon")

GRADES = [
    Grade(
        "discriminator_loss", softplus(-a) + softplus(b), ("a", "b"), of=gan.logit_losses,
        wrong={"this is the reward, which is maximised; the loss is its negative": -softplus(-a) - softplus(b),
               "data and samples have changed places: a data point's logit shall be large": softplus(a) + softplus(-b)},
    ),
    Grade(
        "generator_loss", gan.logit_losses["non_saturating_loss"], ("a",),
        wrong={"this is the minimax loss, which saturates": -softplus(a), "this is the discriminator's loss for a sample": softplus(a)},
    ),
    Grade(
        "critic_loss", b - a, ("a", "b"), of=wasserstein.weak_duality,
        wrong={"this is what the critic sees, which is maximised; the loss is its negative": a - b},
    ),
    Grade(
        "between", eps * u + (1 - eps) * v, ("u", "v", "epsilon"), of=wasserstein.penalty_points,
        wrong={"eps is the share of the data point": (1 - eps) * u + eps * v},
    ),
    Grade(
        "penalty", lam * (s - 1) ** 2, ("s", "lambda"), of=wasserstein.penalty_bias,
        wrong={"a slope is a length, with its root; this compares its square with one": lam * (s**2 - 1) ** 2,
               "this is the other side of what the critic sees: a price is not negative": -lam * (s - 1) ** 2},
    ),
    Grade(
        "critic_generator_loss", -a, ("a",), of=wasserstein.generator_gradient,
        wrong={"the generator wants its samples to be valued highly, and a loss is minimised": a},
    ),
]
