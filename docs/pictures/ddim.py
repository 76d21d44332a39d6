"""The pictures of the chapter on implicit diffusion: two-peaked data on the line, the exact network."""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from genmath.ddim import ddim_step, step_variance
from genmath.figures import BLUE, GREEN, INK, ORANGE, Html, axes, figure
from genmath.paths import cosine_schedule
from genmath.samplers import DDIM, sample
from genmath.toys import GaussianMixture

DATA = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.25)
GRID = torch.linspace(-3, 3, 301, dtype=torch.float64)
SCHEDULE = cosine_schedule(1000)
# The exact network, from where the schedule has all but no signal left.
TOP = 990


def question() -> Html:
    """The same network and the same starts: many small random steps, and eight long ones."""
    generator = torch.Generator().manual_seed(6)
    start = torch.tensor([-1.6, -0.5, 0.1, 0.7, 1.5], dtype=torch.float64)
    many = torch.arange(TOP, -1, -6).tolist()
    few = _steps(8)
    panels = []
    for title, steps, eta, color in (
        (f"{len(many) - 1} steps with fresh noise", many, 1.0, BLUE),
        (f"{len(few) - 1} steps without", few, 0.0, ORANGE),
    ):
        ways = _run(start, steps, eta=eta, generator=generator, trajectory=True)
        panel = axes(title=title)
        panel.fill_betweenx(
            GRID, 0, -90 * DATA.log_prob(GRID).exp(), color=INK, alpha=0.2, lw=0
        )  # fmt: skip
        marker = {"marker": "o", "markersize": 3} if eta == 0 else {}
        every = 2 if eta else 1
        panel.plot(steps[::every], ways[::every], color=color, lw=0.9, **marker)
        panel.set(xlim=(-130, 1030), ylim=(-3, 3), yticks=[])
        panel.set_xticks([0, TOP], ["data", "noise"])
        panels.append(panel)
    return figure(
        *panels,
        alt="Left: five jagged paths from noise on the right to one of two peaks on the left. Right: five smooth paths "
        "of eight straight pieces from the same starts to the same two peaks.",
        caption="One network, the same five starts. Left, DDPM: many small steps, each with fresh noise. Right, DDIM: "
        "eight steps and no fresh noise. Both end at the peaks of the data (grey). Why may the network be used in this way?",
    )


def joint() -> Html:
    """The later and the earlier point, given the data: one pair of marginals, three joint laws."""
    t, s = 600, 300
    generator = torch.Generator().manual_seed(0)
    noise, fresh = torch.randn(2, 200, generator=generator, dtype=torch.float64)
    x0 = torch.ones(200, dtype=torch.float64)
    x_t = SCHEDULE.alpha[t] * x0 + SCHEDULE.sigma[t] * noise
    panels = []
    for eta, color in ((0.0, ORANGE), (0.6, GREEN), (1.0, BLUE)):
        x_s = ddim_step(noise, x_t, t, s, SCHEDULE, eta=eta, noise=fresh if eta else None)
        variance = float(step_variance(t, s, SCHEDULE, eta=eta))
        kept = math.sqrt(float(SCHEDULE.sigma[s]) ** 2 - variance)
        assert torch.allclose(
            x_s, SCHEDULE.alpha[s] * x0 + kept * noise + math.sqrt(variance) * fresh
        )
        panel = axes(width=2.1, height=2.0, title=f"η = {eta:g}")
        panel.plot(x_t, x_s, "o", color=color, markersize=2)
        panel.set(xlim=(-2.6, 3.2), ylim=(-0.9, 2.7), xlabel="later point")
        if eta == 0:
            panel.set_ylabel("earlier point")
        panels.append(panel)
    return figure(
        *panels,
        alt="Three scatter plots of the earlier point against the later one: a straight line for no fresh noise, a "
        "narrow cloud for some, a wide cloud for as much as in DDPM.",
        caption="Each dot is a later point x_t and the earlier point x_s drawn from it, for one known data point. "
        "Without fresh noise (left) the earlier is a function of the later. "
        "With more of it the cloud is wider. But take the horizontal places alone, or the vertical places alone: they are "
        "distributed in the same way in all three.",
    )


def few() -> Html:
    """Samples after few steps, with and without fresh noise."""
    clean = DATA.log_prob(GRID).exp()
    panels, widths = [], []
    for steps in (5, 20):
        for eta, color in ((0.0, ORANGE), (1.0, BLUE)):
            ends = _ends(steps, eta)
            widths.append(float(ends[ends > 0].std()))
            panel = axes(width=2.7, height=1.7, title=f"{steps} steps, η = {eta:g}")
            panel.fill_between(GRID[::3], clean[::3], color=INK, alpha=0.2, lw=0)
            heights = torch.histc(ends, 60, -3, 3) / (len(ends) * 0.1)
            panel.stairs(heights, torch.linspace(-3, 3, 61), color=color)
            panel.set(xlim=(-2.6, 2.2), ylim=(0, 1.8), yticks=[])
            panels.append(panel)
    assert widths[1] < widths[0] < widths[2] < 0.25, widths
    assert widths[1] < widths[3] < widths[2], widths
    return figure(
        *panels,
        alt="Four histograms over the density of the data. After five steps without fresh noise the two peaks are "
        "too narrow, with fresh noise they are narrower still; after twenty steps both are better.",
        caption="Histograms of samples, made with the exact network; the density of the data in grey. "
        "What few steps lose is width: the peaks are too narrow. Fresh "
        "noise (blue) loses more than none (orange), and both improve with more steps.",
    )


def function() -> Html:
    """The sample against the noise it started from."""
    panel = axes(width=4.8, height=2.5, title="sample against the noise it began with")
    start = torch.linspace(-2.4, 2.4, 161, dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    steps = _steps(100)
    random = _run(start, steps, eta=1.0, generator=generator)
    exact = _run(start, steps, eta=0.0)
    assert torch.equal(exact, _run(start, steps, eta=0.0))
    assert bool((exact.diff() > 0).all())
    panel.plot(start, random, "o", color=BLUE, markersize=2)
    panel.plot(start, exact, color=ORANGE, lw=1.8)
    panel.text(-2.4, 0.1, "η = 0", color=ORANGE, fontsize=9)
    panel.text(-2.4, -0.4, "η = 1", color=BLUE, fontsize=9)
    panel.set(xlabel="noise")
    return figure(
        panel,
        alt="A rising curve with a steep piece between two plateaus, and dots that lie on both plateaus whatever the "
        "noise at the start.",
        caption="100 steps. Without fresh noise the sample is a function of the start (curve), and the order of the starts is kept. "
        "With the noise of DDPM (dots) the same start may end at either peak.",
    )


def straight() -> Html:
    """The exact curves in two pairs of coordinates."""
    left, right = axes(title="x against the step"), axes(title="x/α against ρ = σ/α")
    steps = list(range(TOP, -1, -6))
    start = torch.tensor([-1.6, -0.7, 0.0, 0.7, 1.5], dtype=torch.float64)
    ways = _run(start, steps, eta=0.0, trajectory=True)
    alpha, sigma = SCHEDULE.alpha[steps], SCHEDULE.sigma[steps]
    rho = sigma / alpha
    near = rho < 4
    left.plot(steps, ways, color=ORANGE, lw=0.9)
    right.plot(rho[near], (ways / alpha[:, None])[near], color=ORANGE, lw=0.9)
    left.set(ylim=(-3, 3))
    left.set_xticks([0, TOP], ["data", "noise"])
    right.set(xlim=(0, 4), xlabel="ρ")
    return figure(
        left,
        right,
        alt="Left: five curves that bend between data and noise. Right: the same curves, nearly straight except close to "
        "the data, where they turn to one of two peaks.",
        caption="The same curves twice. In the coordinates on the right the slope is the guessed noise itself. Far from the "
        "data (large ρ) it hardly changes, so one long step is enough; close to the data the curve turns to one of the peaks.",
    )


def loss() -> Html:
    """What is left of the standard deviation of normal data."""
    panel = axes(width=4.8, height=2.6, title="missing share of the standard deviation")
    counts = [2, 3, 4, 5, 7, 10, 14, 20, 30, 50, 100]
    for eta, color in ((0.0, ORANGE), (0.7, GREEN), (1.0, BLUE)):
        panel.plot(
            counts, [1 - _normal_std(n, eta) for n in counts], color=color, label=f"η = {eta:g}"
        )
    panel.set(xscale="log", yscale="log", xlabel="number of steps")
    panel.minorticks_off()
    panel.set_yticks([0.01, 0.1, 0.5], ["1 %", "10 %", "50 %"])
    panel.set_xticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    panel.legend(frameon=False, fontsize=9, loc="lower left")
    assert abs(_normal_std(10, 0.0) - math.cos(math.pi / 20) ** 10) < 1e-12
    return figure(
        panel,
        alt="Three falling lines on logarithmic axes: without fresh noise the missing share is least at every number of "
        "steps above two, with the noise of DDPM largest.",
        caption="Standard normal data, the exact network, and steps that turn through equal angles (explained below). Few steps give too "
        "little spread, and fresh noise loses more. Twice as many steps lose about half as much.",
    )


def _exact(x, t):
    return DATA.eps(x, *SCHEDULE.coefficients(t, x))


def _steps(n: int) -> list[int]:
    steps: list[int] = torch.linspace(TOP, 0, n + 1).round().int().tolist()
    return steps


def _run(start, steps, *, eta: float, generator=None, trajectory: bool = False) -> torch.Tensor:
    return sample(
        _exact, start.shape, SCHEDULE, DDIM(eta), steps=steps, prediction="eps",
        generator=generator if eta else None, start=start, dtype=torch.float64, trajectory=trajectory,
    )  # fmt: skip


def _ends(steps: int, eta: float) -> torch.Tensor:
    share = (torch.arange(3000, dtype=torch.float64) + 0.5) / 3000
    start = math.sqrt(2) * torch.erfinv(2 * share - 1)
    return _run(start, _steps(steps), eta=eta, generator=torch.Generator().manual_seed(0))


def _normal_std(n: int, eta: float) -> float:
    """By `ddim.gaussian_step` with m = 0 and omega = 1, n steps of equal angle from pure noise."""
    variance = 1.0
    for t, s in pairwise(math.pi / 2 * (1 - i / n) for i in range(n + 1)):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = ((math.cos(u), math.sin(u)) for u in (t, s))
        lost = (alpha_t * sigma_s / (alpha_s * sigma_t)) ** 2  # the ratio of the SNRs
        fresh = eta**2 * sigma_s**2 * (1 - lost)
        slope = alpha_s * alpha_t + math.sqrt(sigma_s**2 - fresh) * sigma_t
        variance = slope**2 * variance + fresh
    return math.sqrt(variance)
