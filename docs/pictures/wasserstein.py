"""The pictures of the chapter on Wasserstein distances: heaps on the line, moved exactly."""

from __future__ import annotations

import math

import torch

from genmath import wasserstein
from genmath.figures import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    Html,
    axes,
    figure,
    ramp,
    slider,
)

GAP = 0.35  # between the heaps, for the ways
X = torch.linspace(-5, 7, 241, dtype=torch.float64)
# The example of the chapter: four grains at these places, and where they are wanted.
HERE = torch.tensor([0.0, 0.0, 1.0, 4.0], dtype=torch.float64)
THERE = torch.tensor([1.0, 3.0, 3.0, 5.0], dtype=torch.float64)


def _normal(x, mean, std):
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def question() -> Html:
    """A heap, a place where it is wanted, and the ways of its grains."""
    panel = axes(width=6.2, height=2.7)
    here = 0.6 * _normal(X, -2, 0.5) + 0.4 * _normal(X, 0, 0.6)
    there = 0.5 * _normal(X, 2.6, 0.5) + 0.5 * _normal(X, 4.4, 0.5)
    panel.fill_between(X, GAP + here, GAP, color=BLUE, alpha=0.3, lw=0)
    panel.fill_between(X, -GAP - there, -GAP, color=ORANGE, alpha=0.3, lw=0)
    shares = (torch.arange(12, dtype=torch.float64) + 0.5) / 12
    starts, ends = ((d.cumsum(0) / d.sum()).contiguous() for d in (here, there))
    ways = [(X[torch.searchsorted(c, shares)]).tolist() for c in (starts, ends)]
    for start, end in zip(*ways, strict=True):
        panel.annotate("", (end, -GAP), (start, GAP),
                       arrowprops={"arrowstyle": "-", "lw": 0.8, "color": INK, "alpha": 0.6})  # fmt: skip
        panel.plot([start], [GAP], "o", color=BLUE, markersize=3)
        panel.plot([end], [-GAP], "o", color=ORANGE, markersize=3)
    panel.text(-1.1, 0.75, "here it lies", color=BLUE, fontsize=9)
    panel.text(0.0, -0.62, "there it is wanted", color=ORANGE, fontsize=9)
    panel.set(yticks=[], xlabel="x", xlim=(-4, 6.2))
    return figure(
        panel,
        alt="A heap with two humps on the left, above the axis, and the wanted heap on the right, below it; lines join grains here to places there.",
        caption="Each grain of the blue heap has to go to a place of the orange one. Who should go where, so that the ways are short on average? On the line the "
        "answer is: keep the order.",
    )


def costs() -> Html:
    """Every plan costs at least what every critic sees."""
    panel = axes(width=5.6, height=2.0)
    generator = torch.Generator().manual_seed(5)
    least = float(wasserstein.wasserstein_1d(HERE, THERE, 1.0))
    apart = wasserstein.pairwise_costs(HERE, THERE, 1.0)
    assert abs(least - 1.75) < 1e-12
    plans = [float(apart.mean())]
    for _ in range(40):
        weights = torch.rand(3, generator=generator, dtype=torch.float64)
        orders = [torch.randperm(4, generator=generator) for _ in range(3)]
        paid = torch.stack([apart[range(4), order].mean() for order in orders])
        plans.append(float((weights / weights.sum()) @ paid))
    knots = torch.arange(0, 6, dtype=torch.float64)
    seen = []
    for _ in range(40):
        slopes = 2 * torch.rand(5, generator=generator, dtype=torch.float64) ** 0.4 - 1
        heights = torch.cat([torch.zeros(1, dtype=torch.float64), -slopes.cumsum(0)])
        at = [heights[(place[:, None] == knots).double().argmax(1)] for place in (HERE, THERE)]
        seen.append(float(at[0].mean() - at[1].mean()))
    assert max(seen) <= least <= min(plans)
    for values, height, color in ((plans, 1, ORANGE), (seen, 0, BLUE)):
        panel.plot(values, [height] * len(values), "o", color=color, markersize=4, alpha=0.5)
    panel.plot([least, least], [-0.3, 1.3], color=GREEN)
    panel.text(least - 0.05, 1.1, "W₁ = 1.75", color=GREEN, fontsize=9, ha="right")
    panel.text(2.2, 0.55, "a dot: a plan", color=ORANGE, fontsize=9)
    panel.text(0.3, 0.3, "a dot: a critic", color=BLUE, fontsize=9)
    panel.set(yticks=[], ylim=(-0.4, 1.4), xlabel="cost, or what is seen")
    return figure(
        panel,
        alt="On one axis: dots of plans, all to the right of the green line, and dots of critics, all to the left of it.",
        caption="The four grains of the example. Upper dots: what 41 plans cost, the independent one among them. Lower dots: what 40 random critics of slope at most one "
        "see. No critic sees more than a plan costs; the best of both meet at W₁, the green line.",
    )


def area() -> Html:
    """The distance on the line as the area between two distribution functions."""
    left, right = axes(title="mass to the left of t"), axes(title="a best critic")
    grid = torch.linspace(-1, 6, 701, dtype=torch.float64)
    F = (HERE[:, None] <= grid).double().mean(0)
    G = (THERE[:, None] <= grid).double().mean(0)
    distance = float(wasserstein.wasserstein_1d(HERE, THERE, 1.0))
    assert abs(float((F - G).abs().sum() * 0.01) - distance) < 0.02
    left.fill_between(grid, F, G, color=GREEN, alpha=0.25, lw=0)
    left.plot(grid, F, color=BLUE)
    left.plot(grid, G, color=ORANGE)
    left.text(0.05, 0.8, "F", color=BLUE, fontsize=11, style="italic")
    left.text(3.15, 0.38, "G", color=ORANGE, fontsize=11, style="italic")
    left.text(1.55, 0.55, "area\n1.75", color=GREEN, fontsize=9)
    left.set(xlabel="t", yticks=[0, 0.5, 1], xlim=(-0.7, 5.7))
    critic = wasserstein.potential_1d(HERE, THERE, grid)
    at = [wasserstein.potential_1d(HERE, THERE, place) for place in (HERE, THERE)]
    assert abs(float(at[0].mean() - at[1].mean()) - distance) < 1e-12
    right.plot(grid, critic, color=GREEN)
    for place, values, color, up in ((HERE, at[0], BLUE, 0.25), (THERE, at[1], ORANGE, -0.45)):
        for k, (x, f) in enumerate(zip(place.tolist(), values.tolist(), strict=True)):
            twice = place.tolist()[:k].count(x)
            right.plot(
                [x], [f + up + 0.25 * twice * math.copysign(1, up)], "o", color=color, markersize=5
            )
    right.set(xlabel="x", xlim=(-0.7, 5.7))
    return figure(
        left,
        right,
        alt="Left: two staircases, F above G, and the area between them. Right: a critic that falls with slope one where F is larger and is flat elsewhere; dots mark the masses.",
        caption="The four grains of the example. Left: the two staircases are F and G. What must go by t is their distance there, and the area between them is W₁. Right: where mass "
        "goes to the right, the best critic falls with slope one.",
    )


def slope() -> Html:
    """What a discriminator and a critic say where two densities hardly meet."""
    panel = axes(width=4.8, height=2.6)
    grid = X[::2]
    real, fake = _normal(grid, -2.0, 0.6), _normal(grid, 3.5, 0.6)
    best = real / (real + fake)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(2, 400, generator=generator, dtype=torch.float64)
    samples = -2 + 0.6 * noise[0], 3.5 + 0.6 * noise[1]
    critic = wasserstein.potential_1d(*samples, grid)
    flat = best[(grid > 2.5) & (grid < 4.5)]
    assert float(flat.max() - flat.min()) < 1e-3
    panel.fill_between(grid, real, color=INK, alpha=0.2, lw=0)
    panel.fill_between(grid, fake, color=ORANGE, alpha=0.25, lw=0)
    panel.plot(grid, best, color=PURPLE)
    middle = critic[(grid - 0.75).abs().argmin()]
    panel.plot(grid, 0.5 + 0.2 * (critic - middle), color=BLUE)
    panel.text(-4.9, 0.91, "discriminator", color=PURPLE, fontsize=9, va="top")
    panel.text(0.85, 0.72, "critic, scaled", color=BLUE, fontsize=9)
    panel.text(-2, 0.2, "data", ha="center", fontsize=9)
    panel.text(3.5, 0.2, "samples", color=ORANGE, ha="center", fontsize=9)
    panel.set(yticks=[0, 1], xlim=(-5, 6), ylim=(-0.7, 1.5), xlabel="x")
    return figure(
        panel,
        alt="Data on the left and samples on the right, far apart. The best discriminator is one, then steeply zero, and flat at the samples. The critic is a straight line that falls from data to samples.",
        caption="The best discriminator is certain, and therefore flat where the samples are: no sample is told where to go. The best critic (drawn at a fifth of its slope) falls at "
        "the same rate everywhere in between.",
    )


def clipped() -> Html:
    """How far a shift of length one is, by a critic of slope one and by a clipped one."""
    panel = axes(width=3.0, height=2.9)
    angle = torch.linspace(0, 2 * math.pi, 121, dtype=torch.float64)
    x, y = angle.cos(), angle.sin()
    seen = x.abs() + y.abs()
    assert abs(float(seen.max()) - math.sqrt(2)) < 1e-3
    panel.plot(x, y, color=BLUE)
    panel.plot(seen * x, seen * y, color=ORANGE)
    panel.plot([0], [0], "o", color=INK, markersize=3)
    panel.text(0, 0.55, "W₁", color=BLUE, ha="center", fontsize=9)
    panel.text(0, 1.42, "clipped", color=ORANGE, ha="center", fontsize=9)
    panel.set(
        aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1], xlim=(-1.5, 1.5), ylim=(-1.4, 1.7)
    )
    return figure(
        panel,
        alt="A circle, and a four-leaved curve that touches it on the axes and is further out on the diagonals.",
        caption="In each direction, the distance of the curve from the centre says how large a shift of length one is. W₁ (circle) is the same in all; a critic whose weights are clipped at 1 (outer curve) sees √2 times as "
        "much on the diagonals.",
    )


def entropic() -> Html:
    """The best plan between two heaps, for a rising weight of the divergence."""
    panel = axes(width=3.4, height=3.1)
    x = torch.linspace(-3, 3, 31, dtype=torch.float64)
    p, q = _normal(x, -0.9, 0.6), 0.5 * _normal(x, -1, 0.5) + 0.5 * _normal(x, 1.6, 0.5)
    p, q = p / p.sum(), q / q.sum()
    apart = wasserstein.pairwise_costs(x, x, 2.0)
    frames, paid = {}, []
    for epsilon in (0.03, 0.3, 1.0, 3.0, 30.0):
        found = wasserstein.sinkhorn(apart, epsilon, p, q, anneal_from=30.0)
        paid.append(float(found.cost))
        frames[f"ε = {epsilon:g}"] = [
            panel.imshow(
                (found.plan.T / found.plan.max()).numpy(),
                origin="lower",
                extent=(-3.1, 3.1, -3.1, 3.1),
                cmap=ramp(BLUE),
                interpolation="nearest",
            ),
            panel.text(2.95, -2.85, f"cost {paid[-1]:.2f}", ha="right", fontsize=9),
        ]
    assert paid == sorted(paid)
    panel.set(xlabel="from x", ylabel="to y", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    return slider(
        panel,
        frames=frames,
        label="weight of the divergence",
        start=1,
        alt="A table of the plan: for a small epsilon a thin rising curve, for a large one a blurred block, the independent plan.",
        caption="A plan as a table: one axis is where mass comes from, the other where it goes, and strong blue is much mass. For small ε it is nearly the best plan, a thin curve that never falls; for large ε it is spread out, and in the end independent. Its cost rises.",
    )
