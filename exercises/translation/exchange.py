r"""Does a closed cycle find the right translation?

Both domains have two peaks, at $-1$ and at $1$; the share of the right peak is $\rho$ in both. The translation that we have in mind keeps each peak. Fill in what an exchange of the peaks costs and the error of the cycle; they are compared with `translation.symmetry` and with the cycle loss of the chapter. Then `python exchange.py` trains a small CycleGAN from ten starts, for $\rho = 0.5$ and for $\rho = 0.8$, prints
how many of them keep the peaks, and draws, for each $\rho$, one that does not (if there is one) as exchange.png.

Questions. For which $\rho$ do the losses know which peak belongs to which? Do all runs with $\rho = 0.8$ keep the peaks? What may hold a run in the wrong translation though a better one exists? What does the identity loss (`identity=1.0` in the call of `train`) do to the runs with $\rho = 0.5$, and why would it do harm if the second domain were the first one times $-1$?
"""

import torch

from genmath.nets import MLP


def charge(rho):  # fill
    """The total variation between two peaks with the shares 1 - rho and rho, and the same exchanged."""
    return abs(2 * rho - 1)


def cycle_error(x, back):  # fill
    """The absolute error of what came back, of one number."""
    return abs(x - back)


def draw(n, rho, generator):
    right = (torch.rand(n, 1, generator=generator) < rho).float()
    return 2 * right - 1 + 0.15 * torch.randn(n, 1, generator=generator)


def train(seed, rho, steps, identity=0.0):
    generator = torch.Generator().manual_seed(seed)
    there, back, critic_x, critic_y = (MLP(1, 24, 2, time=False, out=1, generator=generator) for _ in range(4))
    players = torch.optim.Adam([*there.parameters(), *back.parameters()], 2e-3, betas=(0.5, 0.99))
    critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], 2e-3, betas=(0.5, 0.99))
    for _ in range(steps):
        x, y = draw(128, rho, generator), draw(128, rho, generator)
        made_y, made_x = there(x), back(y)
        fooled = ((critic_y(made_y) - 1) ** 2).mean() + ((critic_x(made_x) - 1) ** 2).mean()
        cycle = cycle_error(x, back(made_y)).mean() + cycle_error(y, there(made_x)).mean()
        kept = cycle_error(y, there(y)).mean() + cycle_error(x, back(x)).mean()
        players.zero_grad()
        (fooled + 3 * cycle + identity * kept).backward()
        players.step()
        critics.zero_grad()
        seen = sum(
            ((critic(real) - 1) ** 2).mean() + (critic(made.detach()) ** 2).mean()
            for critic, real, made in ((critic_x, x, made_x), (critic_y, y, made_y))
        )
        seen.backward()
        critics.step()
    return there, back, cycle.item()


def main(steps=300, starts=10):
    import matplotlib.pyplot as plt

    grid = torch.linspace(-1.6, 1.6, 200)[:, None]
    for rho in (0.5, 0.8):
        kept, shown = 0, None
        for seed in range(starts):
            there, _, _ = train(seed, rho, steps)
            with torch.no_grad():
                right = there(torch.ones(1, 1)).item() > 0 > there(-torch.ones(1, 1)).item()
                kept += right
                if not right or shown is None:
                    shown = there(grid).squeeze(1)
        print(f"share {rho}: {kept} of {starts} keep the peaks; an exchange would cost {charge(rho):.1f}")
        plt.plot(grid, shown, label=f"share {rho}")
    plt.xlabel("x")
    plt.ylabel("translation of x")
    plt.legend()
    plt.savefig("exchange.png")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

translation = chapter("translation")
x, back = reals("x back")

GRADES = [
    Grade("charge", translation.symmetry["two_points"].claim.rhs, ("rho",), of=translation.symmetry),
    Grade("cycle_error", absolute(x - back), ("x", "back"), of=translation.cycle_entropy, wrong={"the loss of the chapter is the absolute error": (x - back) ** 2}),
]
