"""The pictures of the chapter on denoising diffusion: two-peaked data on the line, all of it exact."""

from __future__ import annotations

import math

import torch

from genmath import ddpm
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, slider
from genmath.paths import Schedule, cosine_schedule, linear_schedule
from genmath.toys import GaussianMixture

DATA = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.25)
GRID = torch.linspace(-3.5, 3.5, 351, dtype=torch.float64)


def question() -> Html:
    """Forward and back: the density at five times, and single points on their way."""
    schedule = cosine_schedule(200)
    generator = torch.Generator().manual_seed(3)
    panel = axes(width=6.6, height=2.9)
    for t in (0, 45, 90, 135, 180):
        density = _marginal(schedule, t)
        panel.fill_betweenx(GRID, t, t + 32 * density, color=ORANGE, alpha=0.35, lw=0)
        panel.plot(t + 32 * density, GRID, color=ORANGE, lw=0.9)
    points = DATA.sample(6, generator=generator, dtype=torch.float64, stratified=True)
    ways = [points]
    for beta in schedule.beta[1:181]:
        noise = torch.randn(6, generator=generator, dtype=torch.float64)
        ways.append(torch.sqrt(1 - beta) * ways[-1] + torch.sqrt(beta) * noise)
    panel.plot(range(0, 181, 4), torch.stack(ways)[::4], color=INK, lw=0.5, alpha=0.5)
    arrow = {"arrowstyle": "->", "lw": 1.2}
    panel.annotate("", (178, 3.9), (4, 3.9), arrowprops={**arrow, "color": BLUE})
    panel.annotate("", (4, -3.9), (178, -3.9), arrowprops={**arrow, "color": GREEN})
    panel.text(90, 4.05, "add a little noise: known", color=BLUE, ha="center", fontsize=9)
    panel.text(
        100, -4.65, "take a little noise away: to be learned", color=GREEN, ha="center", fontsize=9
    )
    panel.set(xlim=(-4, 205), ylim=(-4.8, 4.7), yticks=[])
    panel.set_xticks([0, 180], ["data", "noise"])
    return figure(
        panel,
        alt="From left to right a density with two peaks melts into one bell, and six points "
        "wander from the peaks into the bell; an arrow back is to be learned.",
        caption="A density with two peaks (orange, at five times) becomes noise step by step, and six points with it. "
        "The way to the right is known; the way back is the question.",
    )


def signal() -> Html:
    """What is left of the data along three schedules."""
    panel = axes(width=4.4, height=2.3, title="share of the data's variance")
    for name, schedule, color, at in (
        ("cosine", cosine_schedule(1000), BLUE, 560),
        ("linear", linear_schedule(1000), ORANGE, 260),
    ):
        panel.plot(range(0, 1001, 10), schedule.alpha_bar[::10], color=color)
        panel.text(at + 25, float(schedule.alpha_bar[at]), name, color=color, fontsize=9)
    panel.set(xlabel="step t of 1000", ylim=(-0.02, 1.04))
    return figure(
        panel,
        alt="Two falling curves from one to nearly zero: the linear schedule falls early, the "
        "cosine schedule evenly.",
        caption="What is left of the data's variance after t steps, the product of all 1 - β so far. The linear schedule has "
        "destroyed most of it by the middle; the cosine schedule spreads the loss evenly.",
    )


def posterior() -> Html:
    """Two sources for the previous point, and their product."""
    schedule = cosine_schedule(10)
    panel = axes(width=4.6, height=2.5, title="density of the point at step t − 1")
    x0, x_t = torch.tensor([1.0], dtype=torch.float64), torch.tensor([-0.5], dtype=torch.float64)
    frames = {}
    for t in range(2, 10):
        beta = float(schedule.beta[t])
        from_data = _normal(GRID, float(schedule.alpha[t - 1]), float(schedule.sigma[t - 1]) ** 2)
        from_next = _normal(GRID, -0.5 / math.sqrt(1 - beta), beta / (1 - beta))
        mean, variance = ddpm.posterior(x_t, x0, t, schedule)
        both = _normal(GRID, float(mean), float(variance))
        frames[f"t = {t}"] = [
            *panel.plot(GRID, from_data, color=BLUE),
            *panel.plot(GRID, from_next, color=GREEN),
            panel.fill_between(GRID, both, color=ORANGE, alpha=0.3, lw=0),
            *panel.plot(GRID, both, color=ORANGE),
        ]
    for height, name, color in (
        (2.35, "where the data lead", BLUE),
        (2.1, "where the next point came from", GREEN),
        (1.85, "both: the posterior", ORANGE),
    ):
        panel.text(-2.9, height, name, color=color, fontsize=9)
    panel.set(xlim=(-3, 3), ylim=(0, 2.6), yticks=[], xlabel="x")
    return slider(
        panel,
        frames=frames,
        label="step",
        start=3,
        alt="Two bells, one from the data point and one from the later point; their normalised "
        "product lies between them and is narrower than either.",
        caption="Where is the point at step t - 1, if the data point is 1 and the point at step t is -0.5? Move the slider. At "
        "small t the data say more (blue is narrower), in the middle both say as much, and at the end the next point "
        "is nearly pure noise and says little (green is flat). What both say together, the posterior, is always "
        "narrower than each.",
    )


def reverse_step() -> Html:
    """The true step back, for a long and a short chain."""
    panels = []
    for T in (4, 40):
        schedule, t = cosine_schedule(T), T // 2
        x_t = _undecided(schedule, t)
        beta = float(schedule.beta[t])
        true = _marginal(schedule, t - 1) * _normal(x_t, math.sqrt(1 - beta) * GRID, beta)
        true = true / torch.trapezoid(true, GRID)
        mean = float(torch.trapezoid(GRID * true, GRID))
        variance = float(torch.trapezoid((GRID - mean) ** 2 * true, GRID))
        panel = axes(title=f"a step back, of {T}")
        panel.fill_between(GRID, true, color=INK, alpha=0.2, lw=0)
        panel.plot(GRID, _normal(GRID, mean, variance), color=ORANGE)
        panel.set(xlim=(-2.5, 2.5), yticks=[], xlabel="x one step earlier")
        panels.append(panel)
    return figure(
        *panels,
        alt="Left, of a chain of four steps: the true step back has two peaks and the best normal "
        "covers both badly. Right, of forty steps: the true step is nearly the normal.",
        caption="Grey: the true step back from a point that may have come from either peak. Orange: the best "
        "normal. With 4 steps it is wrong, with 40 nearly right: this is why there are many steps, and why a "
        "sampler of this kind cannot simply skip some.",
    )


def weights() -> Html:
    """What the bound multiplies the squared error of the noise with, against the weight one."""
    panel = axes(width=4.6, height=2.4, title="weight of the squared error of the noise")
    schedule = linear_schedule(1000)
    steps = torch.arange(2, 1001)
    panel.plot(steps, ddpm.loss_weight(steps, schedule, variance="posterior"), color=ORANGE)
    panel.axhline(1, color=BLUE)
    panel.set(yscale="log", xlabel="step t of 1000")
    panel.text(420, 1.2, "simple loss: 1", color=BLUE, fontsize=9)
    panel.text(420, 0.012, "the bound", color=ORANGE, fontsize=9)
    return figure(
        panel,
        alt="On a logarithmic axis the weight of the bound falls from 0.6 at the second step to less than "
        "a hundredth and rises a little at the end; the simple loss has weight one throughout.",
        caption="How much one error of the noise costs at each step. In the bound (orange) it costs most at the very first steps, "
        "where there is hardly any noise to see. The simple loss (blue) counts all steps alike, and so moves the effort "
        "to the later ones, which decide what a sample looks like.",
    )


def prediction() -> Html:
    """What the best network answers, as a guess of the noise and as a guess of the data."""
    schedule = cosine_schedule(100)
    left, right = axes(title="guess of the noise"), axes(title="guess of the data")
    for t, color in ((10, BLUE), (50, ORANGE), (90, PURPLE)):
        at = schedule.coefficients(t, GRID)
        left.plot(GRID, DATA.eps(GRID, *at), color=color)
        right.plot(GRID, DATA.denoiser(GRID, *at), color=color, label=f"t = {t}")
    for panel in (left, right):
        panel.set(xlabel="x at step t", xlim=(-3, 3))
    right.legend(frameon=False, fontsize=8, loc="upper left")
    left.set_ylim(-3, 3)
    return figure(
        left,
        right,
        alt="Left: the guessed noise against the noisy point, at three steps. Right: the guessed "
        "data, a staircase between the two peaks early and nearly constant late.",
        caption="The best network, asked at three steps. Both sides show the same function: from a guess of the noise "
        "follows one of the data. Late (purple) the guess of the data is only their mean, while the guess "
        "of the noise is nearly the input itself: an easy target of size one at every step.",
    )


def _normal(x, mean, variance):
    x, mean = torch.as_tensor(x), torch.as_tensor(mean)
    return torch.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def _marginal(schedule: Schedule, t: int) -> torch.Tensor:
    return DATA.log_prob(GRID, *schedule.coefficients(t, GRID)).exp()


def _undecided(schedule: Schedule, t: int) -> torch.Tensor:
    """The point that has come from either peak with the same probability."""
    share = DATA.responsibilities(GRID, *schedule.coefficients(t, GRID))[:, 0]
    return GRID[int((share - 0.5).abs().argmin())]
