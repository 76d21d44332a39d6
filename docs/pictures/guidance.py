"""The pictures of the chapter on guidance: normal laws and mixtures, all of it exact."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure
from genmath.guidance import Guided, Measured, guide, inpaint
from genmath.paths import CosinePath, VPPath
from genmath.samplers import DDIM, Ancestral, Heun, sample
from genmath.toys import GaussianMixture

PATH = CosinePath()
MEAN, SHARE = 0.8, 0.64  # two standard normal numbers of correlation 0.8, the second known to be 1
REST = 1 - SHARE
GRID = torch.linspace(-3, 3, 601, dtype=torch.float64)
CLASSES = [[-1.1, 0.0], [1.1, 0.0], [0.0, 1.0]]


def question() -> Html:
    """Three classes in the plane, and what the sampler makes of one at three scales."""
    panels = []
    laws = [GaussianMixture([1.0], [centre], std=0.75) for centre in CLASSES]
    every = GaussianMixture([1 / 3] * 3, CLASSES, std=0.75)
    start = torch.randn(350, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    labels = torch.zeros(350, dtype=torch.long)

    def net(x: torch.Tensor, t: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        at = PATH.coefficients(t, x)
        return torch.where((label == 0).unsqueeze(1), _v(laws[1], x, at), _v(every, x, at))

    spreads = []
    for scale in (0.0, 1.0, 4.0):
        panel = axes(width=2.0, height=1.75, title=f"scale {scale:g}")
        guided = Guided(net, labels, 1, scale=scale)
        ends = sample(
            guided, (350, 2), PATH, Heun(), steps=24, prediction="v", start=start, dtype=start.dtype
        )
        for law, color in zip(laws, (BLUE, ORANGE, PURPLE), strict=True):
            panel.plot(*_circle(law.means[0], 1.5 * 0.75), color=color, lw=1)
        panel.plot(*ends.T, "o", color=INK, markersize=1.1)
        panel.set(xlim=(-3.2, 4.4), ylim=(-2.6, 3.2), xticks=[], yticks=[])
        spreads.append(float(ends.var(0).sum()))
        panels.append(panel)
    assert spreads == sorted(spreads, reverse=True)
    return figure(
        *panels,
        alt="Three times the same three overlapping circles, one for each class, with dots. At scale 0 the dots fill all circles, "
        "at scale 1 those of the right class, at scale 4 they crowd in a small spot beyond its centre, away from the others.",
        caption="Three classes that overlap, as circles. The dots are what a sampler with exact scores draws when it is asked for the orange "
        "one. Scale 0 ignores the wish; scale 1 draws the class; scale 4 draws a small crowd, shifted away from the other classes.",
    )


def line() -> Html:
    """Guessed noise as points on one line: the null, the condition, and what is beyond."""
    panel = axes(width=4.6, height=1.9)
    null, wished = torch.tensor([[0.3, 0.2]]), torch.tensor([[0.9, 0.55]])
    ends = [guide(wished, null, s)[0] for s in (-0.25, 3.35)]
    panel.plot(*torch.stack(ends).T, color=INK, lw=0.7)
    for s, color, name in (
        (0, BLUE, "null, s = 0"),
        (1, GREEN, "condition, s = 1"),
        (2, ORANGE, "s = 2"),
        (3, ORANGE, "s = 3"),
    ):
        x, y = guide(wished, null, float(s))[0].tolist()
        panel.plot(x, y, "o", color=color, markersize=6)
        panel.text(x + 0.05, y - 0.2, name, color=color, fontsize=9)
    panel.set(xlim=(0, 2.9), ylim=(-0.25, 1.5), xticks=[], yticks=[])
    return figure(
        panel,
        alt="Four points at equal distances on a rising line: the null, the condition, and scales 2 and 3 beyond it.",
        caption="Two guesses of the same noise are two points. Guidance goes along the line through both: to the condition at scale 1, and beyond.",
    )


def levels() -> Html:
    """The variance of the tilted law at each level, and of the noised one."""
    left = axes(title="variance at each level")
    right = axes(title="densities at u² = ½")
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    w = 2.0
    tilted = (1 - SHARE * u**2) / (1 + w * SHARE * u**2)
    noised = u**2 * REST / (1 + w * SHARE) + 1 - u**2
    assert bool((noised >= tilted - 1e-12).all())
    left.plot(u, noised, color=BLUE)
    left.plot(u, tilted, color=ORANGE)
    left.plot(u, 1 - SHARE * u**2, color=GREEN, lw=1)
    left.text(0.02, 0.35, "tilted law\nof the level", color=ORANGE, fontsize=9)
    left.text(0.55, 0.93, "scale 1", color=GREEN, fontsize=9)
    left.set(xlabel="u: noise at 0, data at 1", ylim=(0, 1.08))
    half = math.sqrt(0.5)
    clean = 3 * MEAN / (1 + w * SHARE), REST / (1 + w * SHARE)
    n = 1 + w * SHARE * 0.5
    for law, color in (
        ((half * clean[0], 0.5 * clean[1] + 0.5), BLUE),
        ((3 * half * MEAN / n, (1 - SHARE * 0.5) / n), ORANGE),
    ):
        right.plot(GRID, _bell(*law), color=color)
    right.text(-1.95, 0.3, "tilted,\nthen noised", color=BLUE, fontsize=9)
    right.text(1.75, 0.45, "tilted law\nof the level", color=ORANGE, fontsize=9)
    right.set(xlim=(-2, 3), yticks=[], xlabel="x")
    return figure(
        left,
        right,
        alt="Left: three curves of a variance that fall from 1 at noise; the tilted law of the level is lowest, the tilted law that was "
        "noised lies above it, and they meet only at both ends. Right: two bells, one narrower and farther to the right.",
        caption="Scale 3 on normal data. Tilting at a level (orange) and tilting clean data and then noising them (blue) agree at the ends only: "
        "half way the tilted law of the level is narrower, and farther out.",
    )


def samples() -> Html:
    """Four laws for one wish: conditional, tilted, and what two samplers make."""
    panel = axes(width=5.4, height=2.6, title="scale 3")
    s, c, m = 3, REST, MEAN
    laws = (
        ("conditional law", GREEN, m, c, -0.9),
        ("tilted law", BLUE, s * m / (s - (s - 1) * c), c / (s - (s - 1) * c), -0.55),
        ("with noise", PURPLE, m * (1 - c**s) / (1 - c), (c - c ** (2 * s)) / ((2 * s - 1) * (1 - c)), -0.55),
        ("without noise", ORANGE, m * (1 + 2 * c), c**s, 0.25),
    )  # fmt: skip
    for name, color, mean, variance, shift in laws:
        curve = _bell(mean, variance)
        panel.plot(GRID, curve, color=color)
        top = float(curve.max())
        panel.text(
            mean + shift,
            0.92 * top,
            name,
            color=color,
            fontsize=9,
            ha="right" if shift < 0 else "left",
        )
    panel.plot(GRID, _bell(0.0, 1.0), color=INK, lw=0.7)
    panel.text(-1.9, 0.2, "all data", color=INK, fontsize=9)
    panel.set(xlim=(-2.2, 2.6), ylim=(0, 2.2), yticks=[])
    return figure(
        panel,
        alt="Five bells: all data, wide, at 0; the conditional law at 0.8; the tilted law at 1.05; the sampler with noise at 1.19; and the "
        "sampler without noise, at 1.38, high and narrow.",
        caption="All data and the conditional law of the example, and what is made at scale 3: the tilted law, which no sampler draws; with noise in the "
        "steps; and without. All by formula.",
    )


def interval() -> Html:
    """How the spread of samples shrinks on the way, by where one guides."""
    left = axes(title="conditional variance v")
    right = axes(title="variance of the samples on the way")
    u = torch.linspace(0, 1, 201, dtype=torch.float64)
    v = 1 - 0.9 * u**2
    left.plot(u, v, color=GREEN)
    left.set(xlabel="u", ylim=(0, 1.05))
    s = 3.0
    for low, high, color, name, at in (
        (0.0, 0.0, GREEN, "never", (0.6, 0.78)),
        (0.0, 1.0, ORANGE, "always", (0.05, 0.55)),
        (0.5, 0.85, PURPLE, "0.5 < u < 0.85", (0.02, 0.1)),
    ):
        inside = (u[:-1] >= low) & (u[1:] <= high + 1e-9)
        rate = torch.where(inside, s, 1.0)
        path = torch.cat([torch.zeros(1, dtype=u.dtype), (rate * v.log().diff()).cumsum(0)]).exp()
        right.plot(u, path, color=color)
        right.text(*at, name, color=color, fontsize=9)
    right.set(xlabel="u", ylim=(0, 1.05))
    return figure(
        left,
        right,
        alt="Left: the conditional variance falls from 1 to 0.1, slowly at first. Right: three falling curves; always guided is lowest, never "
        "guided is highest, guided on an interval lies between.",
        caption="A label that explains nine tenths of the variance, scale 3. Where the conditional variance falls (left), guidance shrinks the samples (right): "
        "always, never, and on an interval.",
    )


def inpainting() -> Html:
    """Where the known part pulls, and what is drawn."""
    left, right = (
        axes(title="the place that the score pulls to"),
        axes(title="law of the unknown part"),
    )
    rho = 0.8
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    left.plot(u, u * rho, color=GREEN)
    left.plot(u, u**3 * rho, color=ORANGE)
    left.text(0.3, 0.42, "wanted", color=GREEN, fontsize=9)
    left.text(0.62, 0.13, "used", color=ORANGE, fontsize=9)
    left.set(xlabel="u", ylim=(0, 0.9))
    pair = GaussianMixture([1.0], [[0.0, 0.0]], covariances=[[[1, rho], [rho, 1]]])
    known = torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(6000, 2)

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return _v(pair, x, PATH.coefficients(t, x))

    drawn = inpaint(
        model, known, torch.tensor([False, True]), PATH, Ancestral(), steps=60, prediction="v",
        generator=torch.Generator().manual_seed(0),
    )[:, 0]  # fmt: skip
    mean, variance = (1 - 0.6) / rho, 0.36 * math.atanh(rho) / rho
    assert abs(float(drawn.mean()) - mean) < 0.05
    assert abs(float(drawn.var()) - variance) < 0.05
    heights = (torch.histc(drawn, 40, -2, 3) / len(drawn) / 0.125).tolist()
    right.bar(
        [-2 + 0.125 * (i + 0.5) for i in range(40)], heights, 0.125, color=ORANGE, alpha=0.35, lw=0
    )
    right.plot(GRID, _bell(mean, variance), color=ORANGE)
    right.plot(GRID, _bell(rho, 1 - rho**2), color=GREEN)
    right.text(1.15, 0.62, "right", color=GREEN, fontsize=9)
    right.text(-1.75, 0.3, "by\nreplacement", color=ORANGE, fontsize=9)
    right.set(xlim=(-2, 3), yticks=[])
    return figure(
        left,
        right,
        alt="Left: a straight line, and below it a curve that is flat at first and reaches it only at the end. Right: two bells; the one by "
        "replacement, with a histogram, is wider and lies nearer to zero.",
        caption="Two numbers of correlation 0.8, the second known to be 1. Left: while there is noise, the score that replacement uses pulls too little. Right: "
        "what it draws (bars; the curve is the formula), and what is right.",
    )


def dps() -> Html:
    """Mean and variance against the signal-to-noise ratio of the measurement."""
    left, right = axes(title="mean, in units of y/a"), axes(title="variance")
    q = torch.linspace(0.05, 6, 120, dtype=torch.float64)
    left.plot(q, q / (1 + q), color=GREEN)
    left.plot(q, 1 - torch.exp(-q), color=PURPLE)
    right.plot(q, 1 / (1 + q), color=GREEN)
    right.plot(q, (1 - torch.exp(-2 * q)) / (2 * q), color=PURPLE)
    right.plot(q, torch.exp(-q), color=ORANGE)
    path, law = VPPath(), GaussianMixture([1.0], [[0.0]], std=1.0)

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return law.eps(x, *path.coefficients(t, x))

    start = torch.randn(2000, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    start = (start - start.mean()) / start.std()
    for ratio in (1.0, 3.0, 5.0):
        for prior, color, exact in ((0.0, ORANGE, math.exp(-ratio)), (1.0, GREEN, 1 / (1 + ratio))):
            measured = Measured(
                model, path, torch.ones(1, 1), torch.ones(2000, 1), std=ratio**-0.5, prior=prior
            )
            ends = sample(
                measured, (2000, 1), path, DDIM(), steps=150, start=start, dtype=start.dtype
            )
            assert abs(float(ends.var()) - exact) < 0.03
            right.plot(ratio, float(ends.var()), "o", color=color, markersize=4)
    left.text(3.2, 0.66, "right", color=GREEN, fontsize=9)
    left.text(0.05, 0.96, "DPS, with noise", color=PURPLE, fontsize=9)
    right.text(2.2, 0.42, "right: ΠGDM", color=GREEN, fontsize=9)
    right.text(1.6, 0.03, "DPS", color=ORANGE, fontsize=9)
    right.text(0.02, 0.06, "DPS,\nwith noise", color=PURPLE, fontsize=9)
    for panel in (left, right):
        panel.set(xlabel="q: squared signal over noise", ylim=(0, 1.05))
    return figure(
        left,
        right,
        alt="Left: two rising curves, the one of DPS above the right one. Right: three falling curves of a variance; the right one is "
        "highest, DPS with noise below it, DPS without noise lowest and soon near zero. Dots lie on the curves.",
        caption="Standard normal data and one measurement. Without the covariance (DPS) the mean goes past the right one and the variance is too small. Dots: "
        "samples, without noise in the steps.",
    )


def editing() -> Html:
    """What is kept of a sketch, by the level where one starts."""
    panel = axes(width=4.6, height=2.4)
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    kept = u * torch.sqrt(0.25 / (u**2 * 0.25 + 1 - u**2))
    panel.plot(u, kept, color=BLUE)
    panel.plot(u, kept**2, color=BLUE, lw=0.8)
    panel.plot(u, 1 - kept**2, color=ORANGE)
    panel.text(0.55, 0.42, "kept of the sketch", color=BLUE, fontsize=9, ha="right")
    panel.text(0.62, 0.02, "the same, with noise", color=BLUE, fontsize=8)
    panel.text(0.05, 0.82, "share of the variance that is new", color=ORANGE, fontsize=9)
    panel.set(
        xlabel="u at the level where one starts: noise at 0, the sketch itself at 1", ylim=(0, 1.05)
    )
    return figure(
        panel,
        alt="A rising curve of what is kept of the sketch, a second one below it, and a falling curve of what is new.",
        caption="Normal data of standard deviation ½. The trade-off of editing is one curve: what is kept of the sketch falls as noise is added, and variety rises.",
    )


def _v(law: GaussianMixture, x: torch.Tensor, at: tuple) -> torch.Tensor:  # type: ignore[type-arg]
    """The exact v prediction, which is finite at pure noise too."""
    return at[0] * law.eps(x, *at) - at[1] * law.denoiser(x, *at)


def _bell(mean: float, variance: float) -> torch.Tensor:
    return torch.exp(-((GRID - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def _circle(centre: torch.Tensor, radius: float) -> tuple[torch.Tensor, torch.Tensor]:
    angle = torch.linspace(0, 2 * math.pi, 80, dtype=torch.float64)
    return centre[0] + radius * angle.cos(), centre[1] + radius * angle.sin()
