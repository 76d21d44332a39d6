"""The pictures of the chapter on stochastic differential equations: paths, and densities that move."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, slider
from genmath.paths import VPPath
from genmath.sde import linear_sde_moments, reverse_drift
from genmath.toys import GaussianMixture

PATH = VPPath()
DATA = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.25)
GRID = torch.linspace(-3.5, 3.5, 351, dtype=torch.float64)
N = 400  # steps of a path; every eighth is drawn


def question() -> Html:
    """The way out, and two ways back: with noise and without."""
    generator = torch.Generator().manual_seed(12)
    start = DATA.sample(7, generator=generator, dtype=torch.float64, stratified=True)
    noise = math.sqrt(2) * torch.erfinv(torch.linspace(-0.86, 0.86, 7, dtype=torch.float64))
    out = _run(start, lambda x, t: PATH.drift(t) * x, 1.0, 0.0, 1.0, generator)
    panels = []
    for title, times, way, color in (
        ("the way out", (0.0, 1.0), out, INK),
        ("back, with noise", (1.0, 0.0), _back(noise, 1.0, generator), BLUE),
        ("back, without", (1.0, 0.0), _back(noise, 0.0, generator), GREEN),
    ):
        panel = axes(width=2.1, height=2.5, title=title)
        for t, sign in ((0.0, -1), (1.0, 1)):
            density = DATA.log_prob(GRID, PATH.alpha(t), PATH.sigma(t)).exp()
            panel.fill_betweenx(
                GRID[::5], t, t + sign * 0.3 * density[::5], color=ORANGE, alpha=0.35, lw=0
            )
        panel.plot(torch.linspace(*times, len(way[::8])), way[::8], color=color, lw=0.7)
        panel.set(xlim=(-0.3, 1.15), ylim=(-3.3, 3.3), yticks=[])
        panel.set_xticks([0, 1], ["data", "noise"])
        panels.append(panel)
    return figure(
        *panels,
        alt="Three panels with densities at both ends. Left: trembling lines from two peaks into one bell. Middle: "
        "trembling lines from the bell back to the peaks. Right: smooth lines from the same points to the peaks.",
        caption="Each line is the path of one point; the density at both ends is orange. Data become noise along trembling "
        "paths. Both ways back begin at the same points, and both have the same density at every time: one trembles as "
        "much as the way out did, the other not at all.",
    )


def drift() -> Html:
    """Drift alone, noise alone, and both."""
    generator = torch.Generator().manual_seed(2)
    start = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0], dtype=torch.float64)
    panels = []
    for title, pull, g, color in (
        ("drift alone", 2.0, 0.0, GREEN),
        ("noise alone", 0.0, 1.0, BLUE),
        ("both", 2.0, 1.0, INK),
    ):
        way, h = [start], 1.5 / N
        for _ in range(N):
            noise = torch.randn(5, generator=generator, dtype=torch.float64)
            way.append(way[-1] - pull * way[-1] * h + g * math.sqrt(h) * noise)
        panel = axes(width=2.1, height=2.3, title=title)
        panel.plot(torch.linspace(0, 1.5, N // 8 + 1), torch.stack(way)[::8], color=color, lw=0.8)
        panel.set(ylim=(-3.2, 3.2), xlabel="time")
        panels.append(panel)
    return figure(
        *panels,
        alt="Left: five curves that run smoothly together at zero. Middle: five trembling lines that spread. Right: "
        "trembling lines that come together and stay in a band.",
        caption="Five paths, with x upwards. Drift towards 0 alone (left): all paths come to 0. Noise alone (middle): the "
        "paths spread more and more. Both (right): the paths stay in a band, where drift and noise are in balance.",
    )


def squares() -> Html:
    """The squares of a path's steps, added up, for three sizes of step."""
    panel = axes(width=4.6, height=2.5, title="sum of the squared steps so far")
    generator = torch.Generator().manual_seed(5)
    for n, color in ((20, PURPLE), (200, BLUE), (20_000, ORANGE)):
        steps = torch.randn(n, generator=generator, dtype=torch.float64) / math.sqrt(n)
        sums = torch.cat([torch.zeros(1), (steps**2).cumsum(0)])
        shown = slice(None, None, max(1, n // 100))
        panel.plot(torch.linspace(0, 1, n + 1)[shown], sums[shown], color=color, label=f"{n} steps")
    panel.legend(frameon=False, fontsize=8)
    panel.set(xlabel="time")
    return figure(
        panel,
        alt="Three rising lines: with 20 steps a rough staircase, with 200 a wavy line, with 20,000 nearly the diagonal.",
        caption="Noise of variance 1 per unit of time, in steps of three sizes. Each line is the sum of the squared steps up "
        "to a time. It does not vanish for small steps: it comes close to the time itself, and the smaller the steps, "
        "the less random it is.",
    )


def density() -> Html:
    """The density at five times, and its rate of change as drift plus diffusion."""
    left, right = axes(title="the density"), axes(title="its rate of change")
    frames = {}
    dx = float(GRID[1] - GRID[0])
    for t in (0.1, 0.2, 0.3, 0.45, 0.7):
        p = _density(t)
        score = DATA.score(GRID, PATH.alpha(t), PATH.sigma(t))
        moving = -torch.gradient(PATH.drift(t) * GRID * p, spacing=dx)[0]
        g2 = PATH.squared_diffusion(t)
        spreading = g2 / 2 * torch.gradient(p * score, spacing=dx)[0]
        rate = (_density(t + 1e-4) - _density(t - 1e-4)) / 2e-4
        error = (moving + spreading - rate)[4:-4].abs().max()
        assert float(error / spreading.abs().max()) < 0.003
        frames[f"t = {t:g}"] = [
            left.fill_between(GRID[::5], p[::5], color=ORANGE, alpha=0.3, lw=0),
            *left.plot(GRID[::5], p[::5], color=ORANGE),
            *right.plot(GRID[4:-4:5], moving[4:-4:5], color=GREEN),
            *right.plot(GRID[4:-4:5], spreading[4:-4:5], color=BLUE),
            *right.plot(GRID[4:-4:5], rate[4:-4:5], color=ORANGE),
        ]
    left.set(yticks=[], xlabel="x", ylim=(0, None), xlim=(-3.5, 3.5))
    right.axhline(0, color=INK, lw=0.6)
    right.set(xlabel="x", yticks=[], xlim=(-3.5, 3.5), ylim=(-4.5, 4.5))
    for y, name, color in ((3.9, "drift", GREEN), (3.2, "diffusion", BLUE), (2.5, "sum", ORANGE)):
        right.text(-3.4, y, name, color=color, fontsize=9)
    return slider(
        left,
        right,
        frames=frames,
        label="time",
        start=1,
        alt="A density with two peaks melts into one bell. Beside it the rate of change: the drift carries mass inwards, "
        "the diffusion takes from the peaks and fills the valleys, and both add up to the rate.",
        caption="Move the slider. Left: the density. Right: the rate at which it changes (orange) is the sum of what the drift "
        "does (green: it carries mass towards 0) and what diffusion does (blue: it takes from peaks and gives to "
        "valleys). At the end the two cancel: noise stays noise.",
    )


def marginals() -> Html:
    """Many ways back, one density half-way."""
    panels = []
    generator = torch.Generator().manual_seed(0)
    for noise, title in ((0.0, "no noise"), (1.0, "as much as forwards"), (2.0, "twice as much")):
        x = torch.randn(3000, generator=generator, dtype=torch.float64)
        way = _back(x, noise, generator, end=0.2)
        p = _density(0.2)
        panel = axes(width=2.1, height=2.2, title=title)
        panel.hist(way[-1], bins=30, range=(-3, 3), density=True, color=BLUE, alpha=0.4)
        panel.plot(GRID[::5], p[::5], color=ORANGE)
        share = float((way[-1] < -0.2).double().mean())
        exact = float(torch.trapezoid(p[GRID < -0.2], GRID[GRID < -0.2]))
        assert abs(share - exact) < 0.04, (share, exact)
        panel.set(yticks=[], xlabel="x", xlim=(-3, 3))
        panels.append(panel)
    return figure(
        *panels,
        alt="Three histograms, each of them on the same curve with two peaks.",
        caption="3000 particles from pure noise back to t = 0.2, with the exact score, with noise of three sizes "
        "(λ = 0, 1, 2). The histograms agree with the exact density (orange), and so with each other.",
    )


def memory() -> Html:
    """Where particles were against where they are, for two processes with the same marginals."""
    panels = []
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(250, generator=generator, dtype=torch.float64)
    z = torch.randn(250, generator=generator, dtype=torch.float64)
    keep = 0.5
    for title, later in (
        ("the flow", x),
        ("the process", keep * x + math.sqrt(1 - keep**2) * z),
    ):
        panel = axes(width=2.6, height=2.6, title=title)
        panel.plot(x, later, "o", color=BLUE, markersize=2.5)
        panel.set(
            xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="before", ylabel="later"
        )
        panels.append(panel)
    return figure(
        *panels,
        alt="Left: all points on the diagonal. Right: a round cloud, slightly tilted along the diagonal.",
        caption="Each dot is one particle: where it was before, and where it is later. On either axis alone both pictures show "
        "the same standard normal. Along the flow every particle stays where it is; in the process its later place is on "
        "average only half of the earlier one, plus noise.",
    )


def grid() -> Html:
    """A path of the SDE, and the chain that one sees when one looks ten times."""
    generator = torch.Generator().manual_seed(21)
    start = torch.tensor([1.0], dtype=torch.float64)
    way = _run(start, lambda x, t: PATH.drift(t) * x, 1.0, 0.0, 1.0, generator)[:, 0]
    times = torch.linspace(0, 1, N + 1, dtype=torch.float64)
    panel = axes(width=5.0, height=2.5)
    panel.plot(times[::2], way[::2], color=INK, lw=0.5, alpha=0.5)
    panel.plot(times[::40], way[::40], "o-", color=BLUE, lw=1)
    mean = [float(linear_sde_moments(start, float(t), PATH).mean) for t in times[::10]]
    panel.plot(times[::10], mean, color=ORANGE)
    panel.text(0.24, 1.15, "mean", color=ORANGE, fontsize=9)
    panel.set(xlabel="t", yticks=[])
    return figure(
        panel,
        alt="A trembling grey line with eleven blue dots on it, joined by straight lines, and a smooth falling mean.",
        caption="Grey: a path of the variance preserving SDE. Orange: the mean of all paths from this start. Blue: the same "
        "path, seen only at eleven times. Seen like this it is a DDPM chain of ten steps, exactly, whatever happened in "
        "between.",
    )


def _density(t: float) -> torch.Tensor:
    return DATA.log_prob(GRID, PATH.alpha(t), PATH.sigma(t)).exp()


def _run(
    x: torch.Tensor,
    velocity: Callable[[torch.Tensor, float], torch.Tensor],
    noise: float,
    begin: float,
    end: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Euler steps from one time to the other, all places on the way."""
    h, way = (end - begin) / N, [x]
    for i in range(N):
        t = begin + h * i
        size = noise * math.sqrt(PATH.squared_diffusion(t) * abs(h))
        fresh = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = x + h * velocity(x, t) + size * fresh
        way.append(x)
    return torch.stack(way)


def _back(
    x: torch.Tensor, noise: float, generator: torch.Generator, end: float = 0.0
) -> torch.Tensor:
    def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
        score = DATA.score(x, PATH.alpha(t), PATH.sigma(t))
        return reverse_drift(score, x, t, PATH, noise)

    return _run(x, velocity, noise, 1.0, end, generator)
