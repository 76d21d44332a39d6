"""The pictures of the chapter on likelihood: all fits are those of the library, all densities exact."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, slider
from genmath.likelihood import fit, fit_mixture, kde_log_prob, pca
from genmath.toys import GaussianMixture

GRID = torch.linspace(-6, 6, 241, dtype=torch.float64)
ROWS = [-2.6, -2.1, -1.9, -1.4, -1.2, 0.4, 0.9, 1.3, 1.6, 2.2, 2.5]
DATA = torch.tensor(ROWS, dtype=torch.float64)


def _normal(x, mean, variance):
    return torch.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def question() -> Html:
    """Examples on a line, and three densities that they might speak for."""
    panel = axes(width=6.2, height=2.6)
    mixture = fit_mixture(DATA.unsqueeze(1), 2, generator=torch.Generator().manual_seed(0)).mixture
    curves = [
        ("too narrow", _normal(GRID, 0.3, 0.5), GREEN, (0.4, 0.58)),
        ("too wide", _normal(GRID, 0.0, 16.0), PURPLE, (3.6, 0.1)),
        ("two groups", mixture.log_prob(GRID.unsqueeze(1)).exp(), ORANGE, (-4.2, 0.3)),
    ]
    for name, height, color, at in curves:
        panel.plot(GRID, height, color=color)
        panel.text(*at, name, color=color, fontsize=9)
    panel.plot(DATA, torch.zeros(len(DATA)), "o", color=INK, markersize=5)
    panel.set(ylim=(-0.03, 0.66), yticks=[], xlim=(-6, 6), xlabel="x")
    return figure(
        panel,
        alt="Eleven points on a line in two groups, under three curves: a high narrow bell that misses many of "
        "them, a low wide one, and a curve with two peaks over the two groups.",
        caption="Eleven examples (dots), and three densities. The narrow one gives most examples next to nothing. The wide one spends "
        "its mass where nothing is. The orange one, a mixture of two bells fitted by EM, makes the examples most probable of the three.",
    )


def competition() -> Html:
    """Two classes, the density of everything, and the classifier, far away from all data."""
    top, bottom = axes(3.3, 2.3, title="densities"), axes(3.3, 2.3, title="probability of class 1")
    one, zero = _normal(GRID, 1.0, 1.0), _normal(GRID, -1.0, 1.0)
    top.plot(GRID, zero / 2, color=BLUE)
    top.plot(GRID, one / 2, color=ORANGE)
    top.fill_between(GRID, (one + zero) / 2, color=INK, alpha=0.15, lw=0)
    top.text(-3.9, 0.17, "class 0", color=BLUE, fontsize=9)
    top.text(2.0, 0.17, "class 1", color=ORANGE, fontsize=9)
    bottom.plot(GRID, one / (one + zero), color=ORANGE)
    for panel, height in ((top, 0), (bottom, 1)):
        panel.plot([5.5], [height], "s", color=PURPLE, markersize=6, clip_on=False)
        panel.set(xlim=(-6, 6), xlabel="x")
    top.set(yticks=[], ylim=(0, 0.26))
    bottom.set(ylim=(0, 1.05), yticks=[0, 0.5, 1])
    bottom.text(2.0, 0.86, "sure of class 1", color=PURPLE, fontsize=9)
    top.text(3.6, 0.03, "nothing here", color=PURPLE, fontsize=9)
    return figure(
        top,
        bottom,
        alt="Left: two bells, one for each class, with their sum in grey; a square stands far to the right where the sum is nearly zero. "
        "Right: the probability of class 1 rises from zero to one and is nearly one at the square.",
        caption="The square is far from all data. The generative model (left) says so: its density is nearly zero there. The classifier "
        "made from the same two bells (right) must name a class, and is nearly certain.",
    )


def scarce() -> Html:
    """What a second peak takes from the first, for peaks of several weights."""
    panel = axes(width=5.4, height=2.4)
    before = _normal(GRID, -1.0, 0.8)
    cell = float(GRID[1] - GRID[0])
    panel.plot(GRID, before, color=INK, lw=0.8, ls=":")
    frames = {}
    for share in (0.1, 0.25, 0.4, 0.55):
        after = (1 - share) * before + share * _normal(GRID, 2.2, 0.3)
        gained = float((after - before).clamp(min=0).sum()) * cell
        lost = float((before - after).clamp(min=0).sum()) * cell
        assert abs(gained - lost) < 1e-6
        frames[f"{share:g}"] = [
            *panel.plot(GRID, after, color=BLUE),
            panel.fill_between(
                GRID, before, after, where=after > before, color=GREEN, alpha=0.4, lw=0
            ),
            panel.fill_between(
                GRID, before, after, where=after < before, color=ORANGE, alpha=0.4, lw=0
            ),
            panel.text(3.2, 0.3, f"gained {gained:.3f}", color=GREEN, fontsize=9),
            panel.text(-4.8, 0.3, f"lost {lost:.3f}", color=ORANGE, fontsize=9),
        ]
    panel.set(xlim=(-5, 5.5), ylim=(0, 0.5), yticks=[], xlabel="x")
    return slider(
        panel,
        frames=frames,
        label="weight of the new peak",
        start=2,
        alt="A dotted bell; a blue curve that is lower than the bell on the left and has a second peak on the right. The area that was gained and the area that was lost are shaded, with the same number in both.",
        caption="A model was the dotted bell. To make place for the data on the right it has to sink on the left. What is gained is what is lost.",
    )


def taxonomy() -> Html:
    """The map of generative models, as a tree."""
    panel = axes(width=6.8, height=3.0)
    nodes = {
        "generative models": (5.0, 3.0, INK),
        "explicit density": (2.9, 2.0, BLUE),
        "implicit": (8.6, 2.0, ORANGE),
        "exact": (1.35, 1.0, BLUE),
        "a bound, or a slope": (5.0, 1.0, GREEN),
        "sampled directly": (8.6, 1.0, ORANGE),
    }
    for name, (x, y, color) in nodes.items():
        panel.text(x, y, name, color=color, ha="center", va="center", fontsize=10)
    leaves = [
        (1.35, "mixtures\nautoregressive models*\nnormalizing flows\nflow matching*", BLUE),
        (3.9, "variational\nautoencoders", GREEN),
        (6.2, "diffusion*\nscore matching*", GREEN),
        (8.6, "adversarial networks\nWasserstein GAN", ORANGE),
    ]
    for x, text, color in leaves:
        panel.text(x, 0.0, text, color=color, ha="center", va="center", fontsize=9)
    lines = [
        ((5.0, 3.0), (2.9, 2.0)), ((5.0, 3.0), (8.6, 2.0)), ((2.9, 2.0), (1.35, 1.0)),
        ((2.9, 2.0), (5.0, 1.0)), ((8.6, 2.0), (8.6, 1.0)), ((1.35, 1.0), (1.35, 0.42)),
        ((5.0, 1.0), (3.9, 0.22)), ((5.0, 1.0), (6.2, 0.22)), ((8.6, 1.0), (8.6, 0.22)),
    ]  # fmt: skip
    for (a, b), (c, d) in lines:
        panel.plot([a, c], [b - 0.18, d + 0.18], color=INK, lw=0.6)
    panel.set(xlim=(0, 10), ylim=(-0.6, 3.3), xticks=[], yticks=[])
    for side in ("left", "bottom"):
        panel.spines[side].set_visible(False)
    return figure(
        panel,
        alt="A tree: generative models split into those with an explicit density and implicit ones; explicit ones into exact and "
        "those with a bound or a slope. The families of models hang below.",
        caption="The families of models. Those with a star are sampled in many steps, the others in one pass. The table below has the "
        "links.",
    )


def surface() -> Html:
    """The log-likelihood of a normal density as a landscape, and its top."""
    left, right = (
        axes(3.1, 2.9, title="mean log-likelihood"),
        axes(3.3, 2.9, title="mean fixed at best"),
    )
    means = torch.linspace(-2.5, 2.5, 81, dtype=torch.float64)
    widths = torch.linspace(0.8, 4.0, 81, dtype=torch.float64)
    best = fit(DATA)
    square = ((DATA.unsqueeze(1) - means) ** 2).mean(0)
    height = -torch.log(2 * math.pi * widths**2)[:, None] / 2 - square / (2 * widths[:, None] ** 2)
    top = float(best.log_prob(DATA).mean())
    assert float(height.max()) <= top + 1e-12
    levels = [top - drop for drop in (1.2, 0.8, 0.5, 0.3, 0.15, 0.05)]
    left.contour(
        means, widths, height, levels=levels, colors=[BLUE], linewidths=0.9, linestyles="solid"
    )
    left.plot([float(best.mean)], [float(best.stddev)], "o", color=ORANGE, markersize=6)
    left.set(xlabel="mean", ylabel="standard deviation")
    variance = float(best.stddev) ** 2
    profile = -torch.log(2 * math.pi * widths**2) / 2 - variance / (2 * widths**2)
    ratio = variance / widths**2
    right.plot(widths, profile, color=BLUE)
    right.axhline(top, color=ORANGE, lw=0.8)
    right.fill_between(widths, profile, top, color=ORANGE, alpha=0.2, lw=0)
    assert float((top - profile - (ratio - 1 - ratio.log()) / 2).abs().max()) < 1e-12
    right.text(2.75, top - 0.12, "½(u − 1 − log u)", color=ORANGE, fontsize=9)
    right.set(xlabel="standard deviation", xlim=(0.8, 4), ylim=(top - 0.8, top + 0.06))
    return figure(
        left,
        right,
        alt="Left: contour lines of one hill over mean and standard deviation, with a dot on its top. Right: a cut through the hill at the best mean; "
        "the curve touches a line at its top, and the gap to the line is shaded.",
        caption="The mean log-likelihood of the eleven examples under one normal density. Lines join points of equal height. The dot is mean and standard deviation of the data. "
        "On the right the gap to the top is one half of u − 1 − log u, where u is the variance of the data over that of the model: never negative.",
    )


def codes() -> Html:
    """A tree of code words and the share of it that each uses up."""
    panel = axes(width=5.4, height=2.2)
    words = [("0", 0.5, "a: ½"), ("10", 0.25, "b: ¼"), ("11", 0.25, "c: ¼")]
    start = 0.0
    for (word, share, name), color in zip(words, (BLUE, ORANGE, GREEN), strict=True):
        assert share == 2.0 ** -len(word)
        panel.bar([start + share / 2], [1], share * 0.97, color=color, alpha=0.35)
        middle = start + share / 2
        panel.text(middle, 0.68, word, ha="center", fontsize=12, family="monospace")
        panel.text(middle, 0.38, name, ha="center", fontsize=9, color=color)
        panel.text(
            middle, 0.14, f"{len(word)} bit" + "s" * (len(word) > 1), ha="center", fontsize=9
        )
        start += share
    panel.set(xlim=(0, 1), ylim=(0, 1.05), yticks=[])
    panel.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    panel.set_xlabel("share of all words that begin like this one")
    return figure(
        panel,
        alt="A bar from zero to one, cut in three: the word 0 takes the left half, the words 10 and 11 a quarter each.",
        caption="A code without gaps. Each word uses up the share of all longer words that begin with it: a word of ℓ bits uses "
        "up 2 to the power −ℓ, and the shares cannot add up to more than one. Short words are scarce, as probability is.",
    )


def dequantization() -> Html:
    """Whole numbers, spikes, and the same with noise."""
    left, right = axes(title="whole numbers"), axes(title="with noise")
    counts = torch.tensor([2.0, 5.0, 9.0, 6.0, 3.0])
    share = counts / counts.sum()
    spikes = torch.linspace(-0.5, 5.5, 1201, dtype=torch.float64)
    places = torch.repeat_interleave(torch.arange(5), counts.long()).double()
    for width, color, alpha in ((0.2, BLUE, 0.5), (0.05, ORANGE, 1.0)):
        height = kde_log_prob(spikes, places, bandwidth=width).exp()
        left.plot(spikes, height, color=color, alpha=alpha, lw=1)
    left.set(yticks=[], xlabel="x", xticks=range(5), ylim=(0, 3.2))
    left.text(2.9, 2.6, "as high\nas you like", color=ORANGE, fontsize=9)
    edges = torch.linspace(-0.2, 5.2, 271, dtype=torch.float64)
    right.bar([0.5, 1.5, 2.5, 3.5, 4.5], share.tolist(), 1.0, color=INK, alpha=0.15)
    right.plot(edges, _normal(edges, 2.62, 1.35), color=BLUE)
    right.set(yticks=[], xlabel="x + u", xticks=range(6), ylim=(0, 0.42))
    return figure(
        left,
        right,
        alt="Left: a density with a spike on each of the numbers 0 to 4; narrower spikes are higher. Right: bars of width one, and "
        "a smooth bell over them.",
        caption="Left: a density fitted to whole numbers can become spikes, and its log-likelihood grows without limit. Right: noise "
        "between 0 and 1 fills the bins. The mass that the smooth density has in a bin is the probability of the whole number.",
    )


def em() -> Html:
    """EM from a bad start: the densities after some steps, and the log-likelihood."""
    left, right = axes(3.4, 2.6, title="the mixture"), axes(3.2, 2.6, title="mean log-likelihood")
    x = DATA.unsqueeze(1)
    start = GaussianMixture([0.5, 0.5], [[-0.5], [0.2]], std=[1.5, 1.5])
    whole = fit_mixture(x, 2, start=start, steps=200, tolerance=1e-9).log_likelihood
    right.plot(range(21), whole[:21], color=INK, lw=1)
    right.set(xlabel="step of EM", xlim=(0, 20))
    left.set(xlim=(-5, 5), ylim=(-0.03, 0.5), yticks=[], xlabel="x")
    frames = {}
    for steps in (0, 1, 8, 12, 14, 15, 16, 17, 20):
        fitted = fit_mixture(x, 2, start=start, steps=steps).mixture if steps else start
        joint = fitted.log_joint(GRID.unsqueeze(1)).exp()
        share = fitted.responsibilities(x)[:, 0]
        artists = [
            *left.plot(GRID, joint[:, 0], color=BLUE),
            *left.plot(GRID, joint[:, 1], color=ORANGE),
            *right.plot([steps], [float(whole[min(steps, len(whole) - 1)])], "o", color=PURPLE),
        ]
        for place, r in zip(DATA.tolist(), share.tolist(), strict=True):
            artists += left.plot([place], [0], "o", color=BLUE, markersize=6, alpha=max(r, 0.02))
            artists += left.plot(
                [place], [0], "o", color=ORANGE, markersize=6, alpha=max(1 - r, 0.02)
            )
        frames[f"{steps}"] = artists
    return slider(
        left,
        right,
        frames=frames,
        label="step of EM",
        start=2,
        alt="Left: two weighted bells that begin in the middle and move to the two groups of points, which take the colour of the bell that is "
        "responsible for them. Right: the log-likelihood rises and levels off.",
        caption="EM on the eleven examples. Each takes the colours of the two components in the shares of their responsibilities. The log-likelihood "
        "never falls, but it may hardly move for a while before the components part.",
    )


def principal() -> Html:
    """Points in the plane, their best line, and what another line loses."""
    left, right = axes(3.1, 3.0, title="projected"), axes(3.2, 3.0, title="share of the variance")
    generator = torch.Generator().manual_seed(4)
    raw = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    points = (
        raw * torch.tensor([1.6, 0.5]).double() @ torch.tensor([[0.8, 0.6], [-0.6, 0.8]]).double()
    )
    points = points - points.mean(0)
    found = pca(points, 1)
    direction = found.directions[0]
    ends = torch.stack([-4 * direction, 4 * direction])
    kept = (points @ direction).unsqueeze(1) * direction
    left.plot(*ends.T, color=BLUE)
    for a, b in zip(points, kept, strict=True):
        left.plot([float(a[0]), float(b[0])], [float(a[1]), float(b[1])], color=ORANGE, lw=0.7)
    left.plot(*points.T, "o", color=INK, markersize=3)
    left.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xticks=[], yticks=[])
    angles = torch.linspace(0, math.pi, 181, dtype=torch.float64)
    along = torch.stack([angles.cos(), angles.sin()])
    share = (points @ along).square().mean(0) / points.square().sum(1).mean()
    right.plot(angles * 180 / math.pi, share, color=BLUE)
    right.plot(angles * 180 / math.pi, 1 - share, color=ORANGE)
    best = math.degrees(math.atan2(float(direction[1]), float(direction[0])))
    right.axvline(best, color=INK, lw=0.6)
    right.text(best + 4, 0.99, "PCA", fontsize=9)
    right.text(112, 0.16, "kept", color=BLUE, fontsize=9)
    right.text(112, 0.8, "lost", color=ORANGE, fontsize=9)
    right.set(xlabel="angle of the line", ylim=(0, 1.06), xlim=(0, 180), xticks=[0, 90, 180])
    return figure(
        left,
        right,
        alt="Left: a long cloud of points, a line through it, and short segments from the points to the line. Right: against the angle of the line, "
        "the share of the variance that it keeps and the share that it loses, adding up to one; the kept share is largest at the line of PCA.",
        caption="Left: what is lost is the mean squared length of the orange segments. Right: kept and lost add up to one at every angle, so the line "
        "that keeps most loses least.",
    )


def bumps() -> Html:
    """A kernel density estimate for five bandwidths."""
    panel = axes(width=5.2, height=2.5)
    panel.plot(DATA, torch.zeros(len(DATA)), "o", color=INK, markersize=5)
    frames = {}
    for width in (0.1, 0.25, 0.5, 1.0, 2.0):
        whole = kde_log_prob(GRID, DATA, bandwidth=width).exp()
        artists = [*panel.plot(GRID, whole, color=ORANGE)]
        for place in DATA:
            each = _normal(GRID, place, width**2) / len(DATA)
            artists += panel.plot(GRID[::2], each[::2], color=BLUE, lw=0.6, alpha=0.7)
        frames[f"{width:g}"] = artists
    panel.set(xlim=(-6, 6), yticks=[], ylim=(-0.02, 0.75), xlabel="x")
    return slider(
        panel,
        frames=frames,
        label="bandwidth",
        start=2,
        alt="Eleven points on a line, a small bell over each, and the sum of the bells; narrow bells give a spike for each point, wide ones a single hill.",
        caption="A bump on each example (blue), and their mean (orange). Too narrow: the examples themselves. Too wide: everything is one hill. This is "
        "also what becomes of the data when noise of this size is added.",
    )


def shell() -> Html:
    """How long a draw from a standard normal is, in three dimensions of space."""
    panel = axes(width=5.4, height=2.5)
    length = torch.linspace(0.01, 14, 700, dtype=torch.float64)
    for d, color, at in (
        (1, BLUE, (0.5, 0.72)),
        (10, GREEN, (3.4, 0.6)),
        (100, ORANGE, (10.2, 0.6)),
    ):
        log_shell = (
            (d - 1) * length.log() - length**2 / 2 - (d / 2 - 1) * math.log(2) - math.lgamma(d / 2)
        )
        height = log_shell.exp()
        total = float(torch.trapezoid(height, length))
        assert abs(total - 1) < 0.02, (d, total)
        panel.plot(length, height, color=color)
        panel.text(*at, f"d = {d}", color=color, fontsize=9)
        panel.plot([math.sqrt(d)] * 2, [0, 0.05], color=color, lw=2)
    panel.text(5.2, 0.3, "highest density:\nat the origin", fontsize=9)
    panel.set(
        xlim=(0, 14), ylim=(0, 0.85), yticks=[], xlabel="length of a draw from a standard normal"
    )
    return figure(
        panel,
        alt="Three curves over the length of a draw: for one dimension highest at zero, for ten a bell near three, for a hundred a bell of about the same width near ten.",
        caption="The length of a draw has nearly the same spread in every dimension, but its middle moves out, to about the root of d (marks). In a hundred dimensions no draw comes near "
        "the origin, where the density is highest.",
    )
