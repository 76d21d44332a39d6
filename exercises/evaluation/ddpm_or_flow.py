r"""DDPM against flow matching: the table.

One command, `python ddpm_or_flow.py`, trains a small classifier of digits, and on the same digits a DDPM and a flow with the same network and the same number of training steps. Then it draws samples of both with 2 to 32 steps, prints
the table (steps, seconds, FID, inception score, with digits that were held out as the first row), and draws FID against steps as ddpm_or_flow.png; the numbers but the seconds are in ddpm_or_flow.csv. Before that fill in two formulas; they are compared with `wasserstein.w2_line` and `evaluation.gaussian_kernel`.

Questions. From how many steps on does a model get hardly better? Why is FID not zero for the digits that were held out? Do FID and inception score put the rows into the same order? What does this
table *not* show?
"""

import time

import torch

from genmath.ddpm import denoising_loss
from genmath.evaluation import embed, frechet_distance, inception_score
from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.paths import LinearPath, linear_schedule
from genmath.samplers import Ancestral, Euler, sample
from genmath.toys import digits


def one_feature(mean_real, mean_fake, std_real, std_fake):  # fill
    """The Fréchet distance of two normal laws of one feature."""
    return (mean_real - mean_fake) ** 2 + (std_real - std_fake) ** 2


def mean_kernel(mean_real, mean_fake, std_real, std_fake, bandwidth):  # fill
    """The mean of the Gaussian kernel for a point of the one and a point of the other normal law."""
    wide = bandwidth**2 + std_real**2 + std_fake**2
    return bandwidth / wide**0.5 * torch.exp(-((mean_real - mean_fake) ** 2) / (2 * wide))


def network(out, hidden, generator, time):
    return MLP(64, hidden=hidden, layers=3, out=out, time=time, generator=generator)


def train(net, loss, data, steps):
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(steps):
        which = torch.randint(len(data), (128,), generator=generator)
        optimiser.zero_grad()
        loss(which, generator).backward()
        optimiser.step()


def main(steps=3000):
    import matplotlib.pyplot as plt

    generator = torch.Generator().manual_seed(0)
    data = digits(test_fraction=0.5)
    x, labels, held_out = data.train.flatten(1), data.train_labels, data.test.flatten(1)

    classifier = torch.nn.Sequential(network(16, 64, generator, False), torch.nn.Tanh(), MLP(16, hidden=32, layers=1, out=10, time=False, generator=generator))
    train(classifier, lambda i, g: torch.nn.functional.cross_entropy(classifier(x[i]), labels[i]), x, steps // 3)

    schedule, line = linear_schedule(1000), LinearPath()
    noise_net, flow_net = (network(64, 256, generator, True) for _ in range(2))

    def told(x, t):  # the network takes a time between 0 and 1
        return noise_net(x, t / 1000)

    train(noise_net, lambda i, g: denoising_loss(told, x[i], schedule, generator=g), x, steps)
    train(flow_net, lambda i, g: cfm_loss(flow_net, x[i], line, generator=g), x, steps)

    rows = ["model,steps,fid,inception_score"]

    def row(name, count, seconds, samples):
        real, fake = embed(classifier[:2], x), embed(classifier[:2], samples)
        fid, score = frechet_distance(real, fake).item(), inception_score(embed(classifier, samples)).item()
        print(f"{name:14s} {count!s:>5} {seconds:8.2f} {fid:8.3f} {score:6.2f}")
        rows.append(f"{name},{count},{fid:.4f},{score:.4f}")
        return fid

    print("model          steps  seconds      FID     IS")
    floor = row("held out", "", 0.0, held_out)
    counts = [2, 4, 8, 16, 32]
    for name, net, path, sampler, word in (
        ("DDPM", told, schedule, Ancestral(), "eps"),
        ("flow matching", flow_net, line, Euler(), "velocity"),
    ):
        found = []
        for count in counts:
            begin = time.perf_counter()
            made = sample(net, held_out.shape, path, sampler, steps=count, prediction=word, generator=generator)
            found.append(row(name, count, time.perf_counter() - begin, made.clamp(-1, 1)))
        plt.loglog(counts, found, "o-", label=name)
    grey = [(pictures.mean(1).mean(), pictures.mean(1).std()) for pictures in (x, held_out)]
    (m_1, s_1), (m_2, s_2) = grey
    apart = mean_kernel(m_1, m_1, s_1, s_1, 0.1) + mean_kernel(m_2, m_2, s_2, s_2, 0.1) - 2 * mean_kernel(m_1, m_2, s_1, s_2, 0.1)
    print(f"one feature, the mean grey, held out: FID {one_feature(m_1, m_2, s_1, s_2):.6f}, MMD² of normal laws {apart:.6f}")
    plt.axhline(floor, color="grey", label="held out")
    plt.xticks(counts, [str(count) for count in counts])
    plt.minorticks_off()
    plt.xlabel("steps")
    plt.ylabel("FID in the classifier's features")
    plt.legend()
    plt.savefig("ddpm_or_flow.png")
    with open("ddpm_or_flow.csv", "w") as file:
        file.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

evaluation, wasserstein = chapter("evaluation"), chapter("wasserstein")
mu_1, mu_2 = reals("mu_1 mu_2")
s_1, s_2 = positives("sigma_1 sigma_2")

GRADES = [
    Grade(
        "one_feature", wasserstein.w2_line["reached"], ("mu_1", "mu_2", "sigma_1", "sigma_2"),
        wrong={"the deviations are subtracted, not the variances": (mu_1 - mu_2) ** 2 + (s_1**2 - s_2**2) ** 2},
    ),
    Grade(
        "mean_kernel", evaluation.gaussian_kernel, ("mu_1", "mu_2", "sigma_1", "sigma_2", "h"),
        domains={"mu_1": "unit", "mu_2": "unit"},
    ),
]
