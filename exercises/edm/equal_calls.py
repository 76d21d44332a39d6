r"""DDIM, Heun and DPM-Solver++(2M) at equal calls.

One exact network, data with two peaks on the line, and EDM's path. Fill in the three formulas; they are compared with `edm.rho_grid` and `edm.multistep`. Then `python equal_calls.py` draws the distance from the exact flow over the number of network calls. On the line the exact flow is known: it keeps
every quantile.

Questions. Which solver is best at 6 calls, and which at 40? Replace $\rho = 7$ by 1 and by 100: who gains, who loses? Let the network be wrong by a fixed wave, `guess + 0.05 * torch.sin(3 * x)`: from how many calls on is the choice of the solver of no importance any more?
"""

import math
from itertools import pairwise

import torch

from genmath.toys import GaussianMixture

DATA = GaussianMixture([0.4, 0.6], [-1.2, 0.8], std=0.25)


def level(u, A, B, rho):  # fill
    """The noise level at the place u from 0 to 1 of the list; A and B are the rho-th roots of its ends."""
    return ((1 - u) * A + u * B) ** rho


def ddim(x_t, guess, alpha_s, sigma_s, alpha_t, sigma_t):  # fill
    """x_s by DDIM, from the guess of the data."""
    return alpha_s * guess + sigma_s * (x_t - alpha_t * guess) / sigma_t


def extrapolated(guess, before, r):  # fill
    """The guess of the data that 2M uses: half a step ahead on the line through the last two."""
    return guess + (guess - before) / (2 * r)


def network(x, sigma):
    return DATA.denoiser(x, 1.0, sigma)


def levels(n, rho=7.0, high=10.0, low=0.02):
    ends = high ** (1 / rho), low ** (1 / rho)
    return [level(i / (n - 1), *ends, rho) for i in range(n)] + [0.0]


def run(method, x, sigmas):
    before = last = None
    for now, then in pairwise(sigmas):
        guess = network(x, now)
        if method == "2M" and before is not None and then:
            used = extrapolated(guess, before, math.log(last / now) / math.log(now / then))
        else:
            used = guess
        if method == "Heun" and then:
            trial = ddim(x, guess, 1.0, then, 1.0, now)
            slopes = (x - guess) / now, (trial - network(trial, then)) / then
            x = x + (then - now) * (slopes[0] + slopes[1]) / 2
        else:
            x = ddim(x, used, 1.0, then, 1.0, now)
        before, last = guess, now
    return x


def share(x, sigma):
    return torch.special.ndtr((x[:, None] - DATA.means) / math.hypot(0.25, sigma)) @ DATA.weights


def exact(x, sigma):
    """Where the flow takes x at clean data: to the same quantile."""
    wanted = share(x, sigma)
    low, high = torch.full_like(x, -90.0), torch.full_like(x, 90.0)
    for _ in range(90):
        middle = (low + high) / 2
        above = share(middle, 0.0) > wanted
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return (low + high) / 2


def main(steps=41):
    import matplotlib.pyplot as plt

    counts = [n for n in (3, 5, 7, 9, 11, 15, 21, 31, 41) if n <= steps]
    x = 10.0 * torch.special.ndtri((torch.arange(200, dtype=torch.float64) + 0.5) / 200)
    for method in ("DDIM", "Heun", "2M"):
        found = []
        for n in counts:
            steps = (n + 1) // 2 if method == "Heun" else n
            found.append((run(method, x, levels(steps)) - exact(x, 10.0)).abs().mean().item())
        print(f"{method:6s}", *(f"{value:.4f}" for value in found))
        plt.loglog(counts, found, "o-", label=method)
    plt.xlabel("network calls")
    plt.ylabel("mean distance from the exact flow")
    plt.legend()
    plt.savefig("equal_calls.png")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade, recorded
from genmath.proof import *

edm = chapter("edm")
now, before, r = *reals("D_t D_u"), positives("r")
ddim_step = recorded(edm.multistep, "kdiffusion-2m-h-last").right.rhs


def letter(side, name):
    return next(n.body for n in side.walk() if getattr(n, "name", "") == name and hasattr(n, "body"))


GRADES = [
    Grade("level", letter(edm.rho_grid.conclusion.rhs, "sigma"), ("u", "A", "B", "rho"), of=edm.rho_grid),
    Grade("ddim", ddim_step, ("x_t", "D_t", "alpha_s", "sigma_s", "alpha_t", "sigma_t"), of=edm.multistep),
    Grade(
        "extrapolated", letter(edm.multistep.conclusion.lhs, "D_bar"), ("D_t", "D_u", "r"), of=edm.multistep,
        wrong={"the line is continued backwards": now - (now - before) / (2 * r),
               "that is the guess at the end of the step; the step wants its middle": now + (now - before) / r},
    ),
]
