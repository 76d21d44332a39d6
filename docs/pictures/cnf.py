"""The pictures of the chapter on continuous flows: exact fields, so that only the steps err."""

from __future__ import annotations

import itertools
import math

import torch

from genmath.cnf import log_prob
from genmath.figures import BLUE, GREEN, INK, ORANGE, Html, axes, figure
from genmath.paths import LinearPath
from genmath.solvers import EULER, MIDPOINT, RK4, FixedSteps, carry, transport
from genmath.toys import GaussianMixture

PATH = LinearPath()
DATA = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.3)
PLANE = GaussianMixture([0.4, 0.6], [[-1.1, -0.5], [1.0, 0.6]], std=[0.4, 0.55])
GRID = torch.linspace(-3, 3, 241, dtype=torch.float64)
POINTS = torch.tensor([-1.9, -1.5, -1.1, -0.4, 0.3, 0.7, 1.0, 1.3, 1.7], dtype=torch.float64)
TIMES = torch.linspace(0, 1, 41, dtype=torch.float64)


def question() -> Html:
    """A flow from data to noise: points on their way, and the density that they carry."""
    panel = axes(width=6.4, height=3.0)
    for t in (0.0, 0.25, 0.5, 0.75, 1.0):
        density = _density(DATA, GRID, t)
        panel.fill_betweenx(GRID, t, t + 0.16 * density, color=ORANGE, alpha=0.35, lw=0)
        panel.plot(t + 0.16 * density, GRID, color=ORANGE, lw=0.9)
    panel.plot(TIMES, _ways(), color=INK, lw=0.7, alpha=0.7)
    panel.plot([0] * len(POINTS), POINTS, "o", color=INK, markersize=3)
    panel.text(0.0, 3.15, "data", fontsize=9, color=ORANGE)
    panel.text(1.2, 3.15, "noise: density known", fontsize=9, color=ORANGE, ha="right")
    panel.set(xlim=(-0.03, 1.2), ylim=(-3, 3.6), yticks=[], xlabel="time")
    panel.set_xticks([0, 1], ["0", "1"])
    return figure(
        panel,
        alt="From left to right nine paths leave two narrow peaks and spread out into one bell; the density is drawn at five times.",
        caption="The flow carries every data point to a place in the noise, where the density has a formula. To know the density at the "
        "data one only has to know how much it changed on the way.",
    )


def cells() -> Html:
    """A grid in the data and where the flow carries it: area times density stays."""
    lines = torch.linspace(-1.8, 2.0, 11, dtype=torch.float64)
    fine = torch.linspace(-1.8, 2.0, 41, dtype=torch.float64)
    rows = torch.stack(torch.meshgrid(fine, lines, indexing="xy"), -1)
    grid = torch.cat([rows, rows.flip(-1)]).reshape(-1, 2)
    low, high = lines[7], lines[8]
    side = torch.linspace(float(low), float(high), 8, dtype=torch.float64)
    edge = torch.cat(
        [torch.stack([side, low.expand(8)], 1), torch.stack([high.expand(8), side], 1)]
    )
    edge = torch.cat([edge, (low + high) - edge])
    middle = ((low + high) / 2).expand(1, 2)
    panels, products = [], []
    for t, title in ((0.0, "data"), (1.0, "noise")):
        there = [
            carry(_plane, x, FixedSteps(40), start=0, end=t) if t else x
            for x in (grid, edge, middle)
        ]
        density = float(PLANE.log_prob(there[2], PATH.alpha(t), PATH.sigma(t)).exp())
        area = _area(there[1])
        products.append(area * density)
        panel = axes(2.9, 2.9, title=f"{title}: area {area:.2f}, density {density:.3f}")
        panel.plot(*there[0].reshape(22, 41, 2).permute(2, 1, 0), color=BLUE, lw=0.6)
        panel.fill(*there[1].T, color=ORANGE, alpha=0.6, lw=0)
        panel.set(xlim=(-2.9, 2.9), ylim=(-2.9, 2.9), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    assert abs(products[0] / products[1] - 1) < 0.05
    return figure(
        *panels,
        alt="Left a square grid over the data with one cell marked; right the same grid bent and stretched by the flow, the marked cell larger.",
        caption="The same grid before and after the flow. The marked cell grows, and the density in it falls by the same factor: what is in "
        "the cell stays in the cell.",
    )


def square() -> Html:
    """The unit square after a small step: what its area gains, to first order and exactly."""
    a = torch.tensor([[0.8, 0.6], [0.5, 0.6]], dtype=torch.float64)
    corners = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=torch.float64)
    panels = []
    for h in (0.5, 0.1):
        step = torch.eye(2, dtype=torch.float64) + h * a
        exact, first = float(torch.linalg.det(step)), 1 + h * 1.4
        assert abs(exact - first - h**2 * float(torch.linalg.det(a))) < 1e-12
        panel = axes(2.9, 2.5, title=f"h = {h:g}: area {exact:.4g}, 1 + h tr A = {first:.4g}")
        panel.fill(*corners.T, color=INK, alpha=0.2, lw=0)
        panel.plot(*(corners @ step.T).T, color=ORANGE)
        panel.set(xlim=(-0.1, 1.9), ylim=(-0.1, 1.7), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="A unit square and the parallelogram that a step makes of it, for a long and for a short step.",
        caption="Grey: a unit square. Orange: where a step along a linear field takes it. For the short step the trace alone gives the "
        "area with an error of two thousandths.",
    )


def along() -> Html:
    """The divergence on the way of two points, and what it does to their log-density."""
    left, right = (
        axes(title="divergence of the field"),
        axes(title="log-density of the moving point"),
    )
    for start, color, name in ((1.0, ORANGE, "from a peak"), (-0.4, BLUE, "from the gap")):
        x = torch.tensor([start], dtype=torch.float64)
        places, logs, summed = [x], [_log(x, 0.0)], [_log(x, 0.0)]
        for t, later in itertools.pairwise(TIMES):
            moved = transport(_line, places[-1], FixedSteps(4), start=float(t), end=float(later))
            places.append(moved.x.detach())
            logs.append(_log(moved.x, float(later)))
            summed.append(summed[-1] - float(moved.log_det.detach()))
        assert max(abs(a - b) for a, b in zip(logs, summed, strict=True)) < 1e-3
        if start == 1.0:  # the example by hand
            lost = summed[0] - summed[-1]
            assert abs(float(places[-1]) - 0.524) < 5e-4
            assert abs(lost - 0.831) < 1e-3
        slopes = [_divergence(x, float(t)) for x, t in zip(places, TIMES, strict=True)]
        left.plot(TIMES, slopes, color=color)
        right.plot(TIMES, logs, color=color, label=name)
    left.axhline(0, color=INK, lw=0.5)
    right.legend(frameon=False, fontsize=9)
    for panel in (left, right):
        panel.set(xlabel="time")
    return figure(
        left,
        right,
        alt="Left: the divergence along two paths, mostly positive for one and far below zero for the other. Right: the log-density of the first "
        "falls, that of the second rises and then falls.",
        caption="Two data points on their way to the noise: one starts at a peak of the data, one in the gap between the peaks. Where the divergence (left) is "
        "positive the log-density of the moving point (right) falls, at exactly that rate; where it is negative the log-density rises.",
    )


def steps() -> Html:
    """The error of the log-density against calls of the field, for three methods."""
    panel = axes(width=4.8, height=2.7, title="mean error of the log-density, nats")
    x = DATA.sample(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = DATA.log_prob(x)
    for method, stages, color, name in (
        (EULER, 1, ORANGE, "Euler"),
        (MIDPOINT, 2, BLUE, "midpoint"),
        (RK4, 4, GREEN, "RK4"),
    ):
        counts = [8, 16, 32, 64, 128]
        errors = [
            float((log_prob(_line, x, FixedSteps(n, method)) - truth).abs().mean().detach())
            for n in counts
        ]
        order = math.log2(errors[-2] / errors[-1])
        assert abs(order - {"Euler": 1, "midpoint": 2, "RK4": 4}[name]) < 0.3
        panel.loglog([n * stages for n in counts], errors, "o-", color=color, markersize=3)
        panel.text(
            counts[-1] * stages * 1.15, errors[-1], name, color=color, fontsize=9, va="center"
        )
    panel.set(xlabel="calls of the field", xlim=(6, 1500))
    return figure(
        panel,
        alt="Three falling lines on logarithmic axes: Euler falls slowly, midpoint faster, the classical method fastest.",
        caption="Across: how often the field was evaluated; up: the error of the log-density in nats, the unit of natural logarithms. The field is the exact "
        "one of two-peaked data. Twice as many steps divide the error by about 2 (Euler), 4 (midpoint) or 16 (RK4).",
    )


def directions() -> Html:
    """Estimates of one trace from single directions."""
    a = torch.tensor([[1.0, 2.0], [0.0, 3.0]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(20_000, 2, generator=generator, dtype=torch.float64)
    values = (w @ a * w).sum(1)
    assert abs(float(values.mean()) - 4) < 0.1
    assert abs(float(values.var()) - 24) < 1.5
    panel = axes(width=4.8, height=2.4, title="one estimate of a trace of 4")
    panel.hist(
        values,
        bins=50,
        range=(0, 25),
        weights=torch.full((20_000,), 1 / 20_000),
        color=BLUE,
        alpha=0.4,
    )
    panel.plot([2, 2], [0, 0.5], color=ORANGE, lw=2)
    panel.plot([6, 6], [0, 0.5], color=ORANGE, lw=2)
    panel.axvline(4, color=INK, lw=0.8)
    panel.text(6.5, 0.44, "signs: 2 or 6, half each", color=ORANGE, fontsize=9)
    panel.text(8.5, 0.12, "normal directions", color=BLUE, fontsize=9)
    panel.set(yticks=[], ylim=(0, 0.52))
    return figure(
        panel,
        alt="A wide, skew histogram for normal directions and two bars at 2 and 6 for random signs; a line marks 4.",
        caption="How often which estimate comes out, for the matrix of the example (trace 4). Both kinds of directions are right on average. Signs give only 2 or 6 "
        "(variance 4); normal directions scatter more (variance 24; a few lie beyond the right edge).",
    )


def cost() -> Html:
    """What one data point costs in a training step: the calls of a solver, and one random time."""
    left, right = axes(title="likelihood: a whole path"), axes(title="flow matching: one time")
    calls: list[tuple[float, float]] = []

    def counted(x, t):
        calls.append((float(t[0]), float(x[0])))
        return _line(x, t)

    start = torch.tensor([1.3], dtype=torch.float64)
    carry(counted, start, FixedSteps(10, RK4))
    assert len(calls) == 40
    left.plot(*zip(*calls, strict=True), "o", color=ORANGE, markersize=2.6)
    left.text(0.1, -1.6, "40 calls in a row,\nand the way back", color=ORANGE, fontsize=9)
    noise, t = -0.9, 0.37
    right.plot([0, 1], [1.3, noise], color=INK, lw=0.7)
    right.plot([t], [1.3 + t * (noise - 1.3)], "o", color=GREEN, markersize=5)
    right.text(0.1, -1.6, "1 call, at a random time\nof a random line", color=GREEN, fontsize=9)
    for panel in (left, right):
        panel.plot([0], [1.3], "o", color=INK, markersize=4)
        panel.set(xlim=(-0.05, 1.05), ylim=(-2, 2), yticks=[], xlabel="time")
        panel.set_xticks([0, 1], ["data", "noise"])
    return figure(
        left,
        right,
        alt="Left: forty dots along a curved path from a data point to the noise. Right: a straight line from the same point with one dot on it.",
        caption="The places where the network is called for one data point. Ten steps of RK4 are forty calls, one after the other (two of each step at the same time), "
        "and ten more for the divergences, two a step; flow matching needs one call.",
    )


def _line(x, t):
    return DATA.velocity(x, *PATH.coefficients(t, x), *PATH.derivatives(t, x))


def _plane(x, t):
    return PLANE.velocity(x, *PATH.coefficients(t, x), *PATH.derivatives(t, x))


def _density(data, x, t):
    return data.log_prob(x, PATH.alpha(t), PATH.sigma(t)).exp()


def _log(x, t):
    return float(DATA.log_prob(x.detach(), PATH.alpha(t), PATH.sigma(t)))


def _divergence(x, t):
    h = 1e-5
    ahead, behind = (_line(x + s * h, torch.full((1,), t, dtype=torch.float64)) for s in (1, -1))
    return float((ahead - behind).detach()) / (2 * h)


def _ways():
    places = [POINTS]
    for t, later in itertools.pairwise(TIMES):
        places.append(carry(_line, places[-1], FixedSteps(4), start=float(t), end=float(later)))
    return torch.stack(places)


def _area(x):
    u, v = x.unbind(1)
    return float((u * v.roll(-1) - v * u.roll(-1)).sum().abs()) / 2
