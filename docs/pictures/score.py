"""The pictures of the chapter on score matching: mixtures, whose scores are known at every level."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, slider
from genmath.score import (
    annealed_langevin,
    geometric_levels,
    langevin_step,
    langevin_variance,
    tweedie,
)
from genmath.toys import GaussianMixture

THREE = GaussianMixture([0.5, 0.3, 0.2], [[-1.1, -0.8], [1.2, -0.7], [0.2, 1.2]], std=0.3)
RING = GaussianMixture.ring(components=40, radius=1.0, std=0.0)
LINE = torch.linspace(-4, 4, 401, dtype=torch.float64)


def question() -> Html:
    """Samples, and the field of arrows that is to be learned from them."""
    left, right = (axes(title=title) for title in ("given: samples", "wanted: the way uphill"))
    generator = torch.Generator().manual_seed(4)
    left.plot(*THREE.sample(130, generator=generator).T, "o", color=INK, markersize=3)
    _hills(right)
    side = torch.linspace(-2.1, 2.1, 7, dtype=torch.float64)
    places = torch.cartesian_prod(side, side)
    _arrows(right, places, _short(THREE.score(places, 1.0, 0.4), 0.5), INK)
    x = torch.tensor([[0.2, -2.2]], dtype=torch.float64)
    way = [x]
    for _ in range(40):
        x = langevin_step(THREE.score(x, 1.0, 0.4), x, 0.02, generator=generator)
        way.append(x)
    right.plot(*torch.cat(way).T, color=BLUE)
    right.plot(*x.T, "o", color=BLUE)
    for panel in (left, right):
        panel.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal")
        panel.set_axis_off()
    return figure(
        left,
        right,
        alt="Left: points in three clouds. Right: three hills of density, with arrows that all point uphill, and a "
        "wandering line that follows them from a corner to a hill.",
        caption="Nobody knows the density (orange) behind the samples. The score is the field of arrows that point "
        "uphill, and a walker that follows them with some noise (blue) ends as a new sample. Long arrows are drawn "
        "shorter than they are.",
    )


def target() -> Html:
    """One noisy point, the data it may have come from, and the average of the ways back."""
    panel = axes(width=4.6, height=2.9)
    data = GaussianMixture(
        [0.2] * 5, [[-1.4, 0.1], [-0.9, 0.9], [0.3, 1.2], [-0.1, -0.1], [1.3, 0.7]], std=0.0
    )
    x, sigma = torch.tensor([[0.9, -1.3]], dtype=torch.float64), 0.9
    share = data.responsibilities(x, 1.0, sigma)[0]
    best = data.denoiser(x, 1.0, sigma)
    assert torch.allclose(best[0], share @ data.means)
    for weight, place in zip(share, data.means, strict=True):
        panel.annotate(
            "",
            place.tolist(),
            x[0].tolist(),
            arrowprops={"arrowstyle": "->", "color": BLUE, "lw": 6 * float(weight)},
        )
        panel.text(
            float(place[0]) - 0.08,
            float(place[1]) + 0.2,
            f"{100 * float(weight):.0f} %",
            color=BLUE,
            fontsize=9,
            ha="center",
            va="center",
        )
    panel.plot(*data.means.T, "o", color=INK, markersize=4)
    panel.annotate(
        "",
        best[0].tolist(),
        x[0].tolist(),
        arrowprops={"arrowstyle": "-|>", "color": ORANGE, "lw": 2.5},
    )
    panel.plot(*x.T, "o", color=ORANGE, markersize=7)
    panel.text(1.05, -1.35, "x", color=ORANGE, fontsize=11, style="italic")
    panel.set(xlim=(-2.2, 2.2), ylim=(-1.5, 1.6), aspect="equal")
    panel.set_axis_off()
    return figure(
        panel,
        alt="From one noisy point five blue arrows lead to five data points, thicker where the data point is more "
        "probable; one short orange arrow is their average.",
        caption="The noisy point may have come from any of five data points, with the probabilities shown. Each blue "
        "arrow is one possible training target; the network cannot know which, so it learns their average (orange): "
        "the score of the noisy density, times the variance of the noise.",
    )


def denoiser() -> Html:
    """Noisy points around a ring, each with the step that Tweedie's formula takes."""
    panels = []
    for sigma in (0.2, 0.6):
        generator = torch.Generator().manual_seed(1)
        x0 = RING.sample(26, generator=generator, dtype=torch.float64)
        x = x0 + sigma * torch.randn(x0.shape, generator=generator, dtype=torch.float64)
        best = tweedie(RING.score(x, 1.0, sigma), x, 1.0, sigma)
        assert torch.allclose(best, RING.denoiser(x, 1.0, sigma))
        panel = axes(title=f"noise of size {sigma}")
        angle = torch.linspace(0, 2 * math.pi, 61)
        panel.plot(angle.cos(), angle.sin(), color=INK, lw=0.7)
        _arrows(panel, x, best - x, BLUE)
        panel.plot(*x.T, "o", color=ORANGE, markersize=3)
        panel.set(xlim=(-2.4, 2.4), ylim=(-2.2, 2.2), aspect="equal")
        panel.set_axis_off()
        panels.append(panel)
    return figure(
        *panels,
        alt="Points scattered around a circle. With little noise each arrow ends on the circle; with much noise the "
        "arrows end well inside it.",
        caption="The data lie on the circle. Each arrow leads from a noisy point (orange) to the average of the data "
        "that may have produced it. With little noise that is nearly on the circle; with much it is inside, where "
        "no data are: a best guess, and no sample.",
    )


def levels() -> Html:
    """Density and score of two peaks at five levels of noise."""
    data = GaussianMixture([0.7, 0.3], [-1.8, 1.8], std=0.2)
    left, right = axes(title="noisy density"), axes(title="its score")
    frames = {}
    for sigma in (0.05, 0.3, 0.7, 1.4, 3.0):
        density = data.log_prob(LINE, 1.0, sigma).exp()
        slope = data.score(LINE, 1.0, sigma)
        frames[f"σ = {sigma:g}"] = [
            left.fill_between(LINE[::4], density[::4], color=ORANGE, alpha=0.3, lw=0),
            *left.plot(LINE[::4], density[::4], color=ORANGE),
            *right.plot(LINE[::4], slope[::4], color=BLUE),
        ]
    left.set(yticks=[], xlabel="x", ylim=(0, None))
    right.axhline(0, color=INK, lw=0.6)
    right.set(xlabel="x", ylim=(-8, 8))
    return slider(
        left,
        right,
        frames=frames,
        label="noise",
        start=2,
        alt="With little noise the density has two sharp peaks and the score is steep, with a jump between them; with "
        "much noise the density is one bell and the score a flat line.",
        caption="Move the slider: left the noisy density (orange), right its score (blue). Little noise: a score close to "
        "that of the data, steep, with a jump between the peaks, where no data are. Much noise: a simple score that "
        "shows the way from everywhere, but to a blurred density.",
    )


def walk() -> Html:
    """Langevin dynamics on two far modes: plain, and annealed."""
    data = GaussianMixture([0.8, 0.2], [-4.0, 4.0], std=1.0)
    generator = torch.Generator().manual_seed(0)
    n = 4000
    start = 10 * torch.randn(n, generator=generator, dtype=torch.float64)
    plain = start
    for _ in range(400):
        plain = langevin_step(data.score(plain), plain, 0.05, generator=generator)
    steps = annealed_langevin(
        lambda x, sigma: data.score(x, 1.0, sigma),
        (n,),
        geometric_levels(10.0, 0.1, 30),
        step=0.1,
        repeats=40,
        generator=generator,
        start=start,
        dtype=torch.float64,
    )
    shares = [float((x < 0).double().mean()) for x in (plain, steps)]
    assert abs(shares[0] - 0.5) < 0.05, shares
    assert abs(shares[1] - 0.8) < 0.05, shares
    panels = []
    grid = torch.linspace(-8, 8, 161, dtype=torch.float64)
    for x, title, share in zip((plain, steps), ("plain", "annealed"), shares, strict=True):
        panel = axes(title=f"{title}: {100 * share:.0f} % on the left")
        panel.hist(x, bins=48, range=(-8, 8), density=True, color=BLUE, alpha=0.4)
        panel.plot(grid, data.log_prob(grid).exp(), color=ORANGE)
        panel.set(yticks=[], xlabel="x", ylim=(0, 0.35))
        panels.append(panel)
    return figure(
        *panels,
        alt="Two histograms over a density with a large left and a small right peak. Left: both peaks of the histogram "
        "are equally high. Right: the histogram follows the density.",
        caption="The density (orange) has 80 % of its weight on the left. 4000 walkers start far and wide, half of them on "
        "each side, and use the exact score (blue: where they end). Plain Langevin steps find both peaks, but wrong "
        "weights, because hardly any walker crosses the gap. Annealed walkers find the right weights while the noise "
        "still joins the peaks.",
    )


def blind() -> Html:
    """Two mixtures that differ in their weights only, and their scores."""
    left, right = axes(title="two densities"), axes(title="their scores")
    where = LINE * 1.75
    losses = []
    for w, color, name in ((0.5, INK, "equal weights"), (0.1, PURPLE, "90 to 10")):
        law = GaussianMixture([1 - w, w], [-4.0, 4.0], std=1.0)
        left.plot(where[::4], law.log_prob(where).exp()[::4], color=color)
        right.plot(where[::4], law.score(where)[::4], color=color, label=name)
        losses.append((law.log_prob(where).exp(), law.score(where)))
    (p, s), (_, other) = losses
    loss = float(torch.trapezoid(p * (s - other) ** 2, where))
    assert 0 < loss < (0.8 * 4) ** 2 * math.exp(-8) / (4 * 0.9 * 0.1) < 0.01
    left.set(yticks=[], xlabel="x", ylim=(0, None))
    right.set(xlabel="x", ylim=(-4.5, 6.5))
    right.legend(frameon=False, fontsize=8, loc="upper right")
    return figure(
        left,
        right,
        alt="Left: two densities with the same two peaks, of very different heights. Right: their scores are the same "
        "curve except for a short stretch in the middle.",
        caption="Black: the data. Purple: a wrong model. Very different densities, nearly the same score: the scores differ "
        "only around the middle, where there are hardly any data. The loss of the wrong model is "
        f"{loss:.4f} above that of the right one.",
    )


def bias() -> Html:
    """The variance that Langevin steps of three sizes settle at."""
    panel = axes(width=4.6, height=2.4, title="variance after k steps")
    for h, color, at, height in (
        (0.05, BLUE, 14, 0.6),
        (0.2, GREEN, 40, 1.17),
        (0.8, PURPLE, 40, 1.72),
    ):
        ks = range(0, 61, 2)
        panel.plot(ks, [langevin_variance(h, steps=k) for k in ks], color=color)
        panel.text(at, height, f"h = {h:g}", color=color, fontsize=9)
    panel.axhline(1, color=ORANGE, lw=0.8)
    panel.text(62, 0.86, "target", color=ORANGE, fontsize=9)
    panel.set(xlim=(0, 74), xlabel="step k", ylim=(0, 1.95), xticks=range(0, 61, 20))
    return figure(
        panel,
        alt="Three curves rise from zero: with large steps fast and to 1.67, with small steps slowly and to nearly one.",
        caption="Many walkers start at one point; the target is normal with variance 1 (orange line). The curves show the "
        "variance of the walkers after k steps of size h. Large steps arrive soon at a wrong variance, small ones late "
        "at nearly the right one.",
    )


def _hills(panel) -> None:
    side = torch.linspace(-2.4, 2.4, 31, dtype=torch.float64)
    x, y = torch.meshgrid(side, side, indexing="xy")
    height = THREE.log_prob(torch.stack([x, y], -1).reshape(-1, 2), 1.0, 0.4).exp().reshape(x.shape)
    top = float(height.max())
    panel.contourf(
        x, y, height, levels=[s * top for s in (0.15, 0.4, 0.7, 1)], colors=ORANGE, alpha=0.18
    )


def _short(arrows, longest):
    """Arrows of the same direction, none longer than that."""
    length = arrows.norm(dim=-1, keepdim=True)
    return arrows * (longest * torch.tanh(length / 2) / length)


def _arrows(panel, places, arrows, color) -> None:
    """Shafts as one broken line, heads as another: a few kilobytes for a hundred arrows."""
    ends = places + arrows
    back = -arrows / arrows.norm(dim=-1, keepdim=True) * 0.11
    turn = torch.tensor([[0.9, -0.45], [0.45, 0.9]], dtype=torch.float64)
    gap = torch.full_like(places, math.nan)
    lines = torch.stack([places, ends, ends + back @ turn, ends, ends + back @ turn.T, gap], 1)
    panel.plot(*lines.reshape(-1, 2).T, color=color, lw=0.8)
