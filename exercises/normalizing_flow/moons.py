r"""A flow on two moons, and what more layers bring.

Fill in the five formulas; they are compared with `normalizing_flow.coupling`, `normalizing_flow.change_of_variables` and `normalizing_flow.autoregressive`. Then `python moons.py` trains flows of 1, 2, 4 and 8 coupling layers on two moons, writes the loss on points that were held out to moons.csv, and draws its curves beside the entropy of the data,
which no model can get below, and samples. The first rows are those of an autoregressive model with normal factors, which has to describe the second coordinate by one bump.

Questions. Why is one coupling layer worse than the model of normal factors? What does the gap to the entropy mean, in words of a divergence? What can the autoregressive model of normal factors not say about the moons? Which of the two is faster to sample from, and which faster to train?
"""

import math

import torch

from genmath.nets import MLP
from genmath.toys import moons

ENTROPY = 2.3504  # nats, of the density that moons draws from


def couple(x, s, t):  # fill
    """From data to noise: where a coupling layer takes the coordinate x that it maps."""
    return s.exp() * x + t


def uncouple(z, s, t):  # fill
    """The way back."""
    return (z - t) * (-s).exp()


def log_slope(s):  # fill
    """The logarithm of the slope of couple."""
    return 1 * s


def log_normal(z):  # fill
    """The logarithm of the standard normal density of one coordinate."""
    return -(z**2 + math.log(2 * math.pi)) / 2


def factor(x, m, a):  # fill
    """log N(x; m, exp(a)²), a factor of the autoregressive model."""
    return -(((x - m) * (-a).exp()) ** 2 + math.log(2 * math.pi)) / 2 - a


class Couplings(torch.nn.Module):
    def __init__(self, layers, generator):
        super().__init__()
        nets = [MLP(1, hidden=64, layers=2, time=False, out=2, generator=generator) for _ in range(layers)]
        self.nets = torch.nn.ModuleList(nets)
        for net in nets:  # at the start every layer changes nothing, but for the turns
            torch.nn.init.zeros_(net.stack[-1].weight)
            torch.nn.init.zeros_(net.stack[-1].bias)

    def forward(self, x):
        """log p(x) of each point."""
        total = 0
        for net in self.nets:
            kept, mapped = x.chunk(2, 1)
            s, t = net(kept).chunk(2, 1)
            total = total + log_slope(torch.tanh(s) * 2)
            x = torch.cat([couple(mapped, torch.tanh(s) * 2, t), kept], 1)  # they take turns
        return (total + log_normal(x).sum(1, keepdim=True)).squeeze(1)

    def sample(self, z):
        for net in reversed(self.nets):
            mapped, kept = z.chunk(2, 1)
            s, t = net(kept).chunk(2, 1)
            z = torch.cat([kept, uncouple(mapped, torch.tanh(s) * 2, t)], 1)
        return z


class Autoregressive(torch.nn.Module):
    def __init__(self, generator):
        super().__init__()
        self.first = torch.nn.Parameter(torch.zeros(2))
        self.second = MLP(1, hidden=64, layers=2, time=False, out=2, generator=generator)

    def forward(self, x):
        one, two = x.chunk(2, 1)
        m, a = self.second(one).chunk(2, 1)
        return (factor(one, *self.first) + factor(two, m, a)).squeeze(1)


def train(model, generator, steps):
    """The mean loss of held-out points, ten times in training."""
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    held_out, found = moons(4000, generator=torch.Generator().manual_seed(1)), []
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        (-model(moons(256, generator=generator)).mean()).backward()
        optimiser.step()
        schedule.step()
        if step % max(steps // 10, 1) == 0:
            with torch.no_grad():
                found.append((step, -model(held_out).mean().item()))
    return found


def main(steps=1000):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    rows = ["model,step,nats_held_out"]
    for layers in (0, 1, 2, 4, 8):
        generator = torch.Generator().manual_seed(0)
        model = Couplings(layers, generator) if layers else Autoregressive(generator)
        name = f"{layers} couplings" if layers else "normal factors"
        found = train(model, generator, steps)
        rows += [f"{name},{step},{loss:.4f}" for step, loss in found]
        left.plot(*zip(*found, strict=True), "o-", label=name)
    with torch.no_grad():
        right.plot(*model.sample(torch.randn(2000, 2, generator=generator)).T, ".", markersize=2)
    left.axhline(ENTROPY, color="grey", label="entropy of the data")
    left.set(xlabel="training steps", ylabel="nats, held out", ylim=(2.3, 3.2))
    left.legend()
    right.set(aspect="equal", title=f"samples, {name}")
    figure.savefig("moons.png")
    with open("moons.csv", "w") as file:
        file.write("\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

flow = chapter("normalizing_flow")
x, s, t, z, m, a = reals("x s t z m a")

GRADES = [
    Grade("couple", exp(s) * x + t, ("x", "s", "t"), wrong={"the scale is exp(s), so that it is positive": s * x + t}, of=flow.coupling),
    Grade("uncouple", (z - t) * exp(-s), ("z", "s", "t"), wrong={"undo the shift first, then the scale": z * exp(-s) - t}, of=flow.coupling),
    Grade(
        "log_slope", log(exp(s)), ("s",), of=flow.coupling,
        wrong={"this is the slope; its logarithm is what is added": exp(s), "that is the way from noise to data": -s},
    ),
    Grade(
        "log_normal", log(Normal(z, 0, 1)), ("z",), of=flow.change_of_variables,
        wrong={"the constant log(2π)/2 belongs to the density": -(z**2) / 2, "this is minus the logarithm": -log(Normal(z, 0, 1))},
    ),
    Grade(
        "factor", log(Normal(x, m, exp(a) ** 2)), ("x", "m", "a"), of=flow.autoregressive,
        wrong={"the density is divided by its standard deviation: minus a, in logarithms": log(Normal((x - m) / exp(a), 0, 1)),
               "that is the log-slope of the other way: minus a": log(Normal((x - m) / exp(a), 0, 1)) + a},
    ),
]
