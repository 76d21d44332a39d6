"""The pictures of the chapter on flow matching: two-peaked data on the line, its exact velocity."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure
from genmath.flow_matching import conditional_path, ot_pairing, reflow_pairs
from genmath.paths import (
    LinearPath,
    logit_normal_density,
    shifted_density,
)
from genmath.samplers import Euler, Heun, sample
from genmath.toys import GaussianMixture

PATH = LinearPath()
DATA = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.2)
GRID = torch.linspace(-3, 3, 301, dtype=torch.float64)


def question() -> Html:
    """Lines from data to noise, and a place where several meet."""
    panel = axes(width=6.4, height=2.9)
    _ends(panel)
    data, noise = _pairs(26, seed=5)
    panel.plot([0, 1], torch.stack([data, noise]), color=INK, lw=0.5, alpha=0.35)
    place, t = 0.15, 0.5
    for start in (-1.7, -1.2, 0.7, 1.3):
        slope = (place - start) / t
        x = torch.tensor([start, start + slope], dtype=torch.float64)
        line = conditional_path(x[:1], x[1:], t)
        assert math.isclose(float(line.x_t), place, abs_tol=1e-12)
        assert math.isclose(float(line.velocity), slope, abs_tol=1e-12)
        arrow = {"arrowstyle": "->", "lw": 1.3, "color": GREEN}
        panel.annotate("", (t + 0.22, place + 0.22 * slope), (t, place), arrowprops=arrow)
    panel.plot(t, place, "o", color=GREEN, markersize=5)
    panel.plot([t, t], [place, 2.25], color=GREEN, lw=0.6)
    panel.text(t, 2.35, "which arrow here?", color=GREEN, fontsize=9, ha="center")
    return figure(
        panel,
        alt="Straight lines join points of a density with two peaks on the left with points of a bell on the right. "
        "They cross; at one place four of them leave with four velocities.",
        caption="Each line joins a data point (left) with a draw of noise (right) and has a constant velocity. At the green "
        "place many lines meet, each with a velocity of its own (arrows). A network can give only one answer there: which?",
    )


def mean() -> Html:
    """The velocities of two data points at one moment, and their weighted mean."""
    left, right = axes(title="weights of the two data points"), axes(title="velocity")
    two = GaussianMixture([0.5, 0.5], [-1.0, 1.0], std=0.0)
    at = PATH.coefficients(0.5, GRID)
    share = two.responsibilities(GRID, *at)
    velocity = two.velocity(GRID, *at, *PATH.derivatives(0.5, GRID))
    lines = [conditional_path(p.expand(301), 2 * GRID - p, 0.5).velocity for p in two.means]
    assert torch.allclose(share[:, 0] * lines[0] + share[:, 1] * lines[1], velocity)
    for k, (color, name) in enumerate(((BLUE, "from −1"), (PURPLE, "from 1"))):
        left.plot(GRID, share[:, k], color=color)
        right.plot(GRID, lines[k], color=color, lw=1)
        left.text((-1.45, 0.75)[k], 1.04, name, color=color, fontsize=9)
        right.text((-0.7, 0.9)[k], (2.9, -2.9)[k], name, color=color, fontsize=9)
    right.plot(GRID, velocity, color=ORANGE, lw=2)
    right.text(0.55, 0.45, "mean", color=ORANGE, fontsize=9)
    for panel in (left, right):
        panel.set(xlim=(-1.6, 1.6), xlabel="place x at t = 1/2")
    left.set_ylim(-0.03, 1.15)
    right.set_ylim(-4, 4)
    return figure(
        left,
        right,
        alt="Left: two weights that sum to one and exchange their places around zero. Right: two parallel rising lines, "
        "and an S-shaped curve that runs along the upper one on the left and along the lower one on the right.",
        caption="Data at −1 and 1. Seen from each data point the velocity is a rising line; the field is their mean "
        "(orange), with the weights on the left. Far from the middle only one data point is likely, and the mean runs along its "
        "line; at 0 both are equally likely, and their velocities cancel.",
    )


def crossing() -> Html:
    """Lines that cross, and the flow of their mean velocity, which never does."""
    left, right = axes(title="the lines"), axes(title="the flow of their mean velocity")
    data, noise = _pairs(22, seed=2)
    times = torch.linspace(1, 0, 41, dtype=torch.float64)
    ways = _flow(noise.sort().values, 80, trajectory=True)[::2]
    assert bool((ways.diff(dim=1) > 0).all())  # no two paths of the flow meet
    order = (data[:, None] - data) * (noise[:, None] - noise)
    assert bool((order < 0).any())  # but lines do
    left.plot([0, 1], torch.stack([data, noise]), color=BLUE, lw=0.8)
    right.plot(times, ways, color=ORANGE, lw=0.9)
    for panel in (left, right):
        _ends(panel)
    return figure(
        left,
        right,
        alt="Left: straight lines between a density with two peaks and a bell; many cross. Right: smooth curves between "
        "the same two densities; none cross, they bend away from the gap between the peaks.",
        caption="Left: single lines, straight, crossing. Right: what a sampler does that follows the exact mean velocity from the "
        "noise. At every time both have the same density; but paths of a flow cannot cross, so they bend.",
    )


def regression() -> Html:
    """Velocities of single lines at one moment, and what squared error makes of them."""
    panel = axes(width=4.8, height=2.6, title="velocity of a line, against its place at t = 0.6")
    data, noise = _pairs(400, seed=1)
    line = conditional_path(data, noise, 0.6)
    panel.plot(*line, "o", color=GREEN, markersize=1.6)
    exact = DATA.velocity(GRID, *PATH.coefficients(0.6, GRID), *PATH.derivatives(0.6, GRID))
    panel.plot(GRID, exact, color=ORANGE, lw=2)
    at_lines = DATA.velocity(
        line.x_t, *PATH.coefficients(0.6, line.x_t), *PATH.derivatives(0.6, line.x_t)
    )
    assert abs(float((line.velocity - at_lines).mean())) < 0.15
    assert float(((line.velocity - at_lines) ** 2).mean()) > 0.5  # the loss that remains
    panel.set(xlim=(-2.2, 2.2), ylim=(-4.2, 4.6), xlabel="x")
    panel.text(1.15, -1.7, "best network", color=ORANGE, fontsize=9)
    return figure(
        panel,
        alt="A cloud of points in two slanted bands, and a curve through the mean of the cloud at each place.",
        caption="Each dot is a training target: the velocity of one random line. The curve is the mean at each place, "
        "where squared error is least. The dots scatter around it, and that scatter is the loss that stays.",
    )


def euler() -> Html:
    """Where few Euler steps end, for the exact velocity."""
    panels = []
    share = (torch.arange(1500, dtype=torch.float64) + 0.5) / 1500
    start = math.sqrt(2) * torch.erfinv(2 * share - 1)
    clean = DATA.log_prob(GRID).exp()
    for steps in (1, 4, 16):
        ends = sample(
            _velocity, start.shape, PATH, Euler(), steps=steps, prediction="velocity",
            start=start, dtype=torch.float64,
        )  # fmt: skip
        panel = axes(width=2.1, height=1.9, title=f"{steps} step{'s' * (steps > 1)}")
        panel.fill_between(GRID[::3], clean[::3], color=INK, alpha=0.2, lw=0)
        if steps == 1:
            assert float((ends - DATA.mean).abs().max()) < 1e-9
            panel.plot([float(DATA.mean)] * 2, [0, 1.3], color=ORANGE, lw=2)
        else:
            heights = torch.histc(ends, 60, -3, 3) / (1500 * 0.1)
            panel.stairs(heights, torch.linspace(-3, 3, 61), color=ORANGE)
        panel.set(xlim=(-2.6, 2.2), ylim=(0, 1.8), yticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="The density of the data with two peaks in grey. One Euler step puts all samples at one point between the "
        "peaks; four steps make two peaks that are not right; sixteen nearly fit.",
        caption="Samples (orange) of Euler's method with the exact velocity, data in grey. One step from the noise sends "
        "every sample to the mean of the data, where there are none; sixteen steps nearly arrive.",
    )


def reflow() -> Html:
    """Random pairs and the pairs of the flow."""
    left, right = axes(title="random pairs"), axes(title="pairs of the flow")
    data, noise = _pairs(22, seed=2)
    pairs = reflow_pairs(_velocity, noise, steps=60)
    many = _pairs(4000, seed=7)
    new = reflow_pairs(_velocity, many[1], steps=60)
    costs = [float(((a - b) ** 2).mean()) for a, b in (many, new)]
    assert costs[1] < costs[0]
    left.plot([0, 1], torch.stack([data, noise]), color=BLUE, lw=0.8)
    right.plot([0, 1], torch.stack([pairs.x0, noise]), color=ORANGE, lw=0.8)
    for panel, cost in zip((left, right), costs, strict=True):
        _ends(panel)
        panel.set_xlabel(f"mean squared length {cost:.2f}")
    order = (pairs.x0[:, None] - pairs.x0) * (noise[:, None] - noise)
    assert bool((order >= 0).all())
    return figure(
        left,
        right,
        alt="Left: random pairs joined by lines that cross. Right: each noise joined with the data point to which the "
        "flow carried it; no lines cross.",
        caption="Left: random pairs. Right: each noise with the point to which the flow carries it. On the line the new "
        "lines do not cross at all, so a second model runs straight. In more dimensions they may cross, but cost no more.",
    )


def pairing() -> Html:
    """A batch in the plane, paired at random and by least squared distance."""
    generator = torch.Generator().manual_seed(4)
    data = GaussianMixture.ring(6, radius=2.2, std=0.2).sample(
        36, generator=generator, dtype=torch.float64
    )
    noise = torch.randn(36, 2, generator=generator, dtype=torch.float64)
    panels = []
    for title, order in (("as drawn", torch.arange(36)), ("optimal", ot_pairing(data, noise))):
        panel = axes(width=2.9, height=2.7, title=title)
        ends = torch.stack([data, noise[order]])
        panel.plot(ends[..., 0], ends[..., 1], color=INK, lw=0.6, alpha=0.5)
        panel.plot(*data.T, "o", color=BLUE, markersize=4)
        panel.plot(*noise.T, "o", color=ORANGE, markersize=4)
        cost = float(((ends[0] - ends[1]) ** 2).sum(-1).mean())
        panel.set(xticks=[], yticks=[], xlabel=f"mean squared length {cost:.2f}", aspect="equal")
        panels.append(panel)
    return figure(
        *panels,
        alt="Points on a ring and points of a bell in its middle. As drawn, the lines between pairs run through the "
        "middle and cross; paired optimally, each is short and they hardly cross.",
        caption="The same batch twice: data (blue) and noise (orange). Either way each point is used once. Paired by least "
        "squared distance, the lines are short, so at each place the targets differ less.",
    )


def times() -> Html:
    """Densities of training times."""
    panel = axes(width=4.6, height=2.4, title="density of the training time")
    t = torch.linspace(0.004, 0.996, 249, dtype=torch.float64)
    panel.plot(t, logit_normal_density(t), color=BLUE)
    panel.plot(t, shifted_density(t, 3.0), color=ORANGE)
    panel.axhline(1, color=INK, lw=0.8)
    panel.text(0.2, 2.0, "logit-normal", color=BLUE, fontsize=9)
    panel.text(0.66, 2.75, "shifted, s = 3", color=ORANGE, fontsize=9, ha="center")
    panel.text(0.27, 0.8, "uniform", color=INK, fontsize=9)
    panel.set(xlabel="t (data at 0, noise at 1)", ylim=(0, 3.2))
    return figure(
        panel,
        alt="Three densities on the unit interval: constant, a hump in the middle, and one that rises towards the noise.",
        caption="Three ways to draw the training time. Uniform: all times alike. Logit-normal: the middle often, both ends rarely. "
        "Shifted: uniform times that were moved towards the noise.",
    )


def _pairs(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    data = DATA.sample(n, generator=generator, dtype=torch.float64, stratified=True)
    return data, torch.randn(n, generator=generator, dtype=torch.float64)


def _ends(panel) -> None:
    """The density of the data at the left end and that of the noise at the right."""
    panel.fill_betweenx(
        GRID[::2], 0, -0.13 * DATA.log_prob(GRID[::2]).exp(), color=BLUE, alpha=0.3, lw=0
    )
    bell = torch.exp(-(GRID[::2] ** 2) / 2) / math.sqrt(2 * math.pi)
    panel.fill_betweenx(GRID[::2], 1, 1 + 0.3 * bell, color=ORANGE, alpha=0.3, lw=0)
    panel.set(ylim=(-3, 3), yticks=[], xlim=(-0.17, 1.14))
    panel.set_xticks([0, 1], ["data, t = 0", "noise, t = 1"])


def _velocity(x, t):
    """The exact field; at the noise, where the kernels have no data left, its limit."""
    return DATA.velocity(x, 1 - t, t, -1.0, 1.0)


def _flow(noise, steps: int, *, trajectory: bool) -> torch.Tensor:
    return sample(
        _velocity, noise.shape, PATH, Heun(), steps=steps, prediction="velocity",
        start=noise, dtype=torch.float64, trajectory=trajectory,
    )  # fmt: skip
