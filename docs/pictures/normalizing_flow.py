"""The pictures of the chapter on normalizing flows: exact maps, and two small flows that are trained."""

from __future__ import annotations

import math
from functools import cache

import torch
from matplotlib.collections import PolyCollection

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp
from genmath.normalizing_flow import (
    NSF,
    Affine,
    Autoregressive,
    Coupling,
    Flow,
    Layer,
    Planar,
    RealNVP,
    Spline,
)
from genmath.toys import GaussianMixture, moons

DATA = GaussianMixture([0.4, 0.6], [-1.3, 1.1], std=[0.35, 0.5])
GRID = torch.linspace(-3.2, 3.2, 641, dtype=torch.float64)
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))
NORMAL = torch.distributions.Normal(
    torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
)


def question() -> Html:
    """Data and noise, and where an invertible map carries each point."""
    panel = axes(width=6.4, height=3.0)
    panel.fill_betweenx(GRID, 0, -0.45 * _density(GRID), color=ORANGE, alpha=0.35, lw=0)
    panel.plot(-0.45 * _density(GRID), GRID, color=ORANGE, lw=0.9)
    bell = NORMAL.log_prob(GRID).exp()
    panel.fill_betweenx(GRID, 1, 1 + 0.45 * bell, color=BLUE, alpha=0.35, lw=0)
    panel.plot(1 + 0.45 * bell, GRID, color=BLUE, lw=0.9)
    x = torch.tensor([-2.0, -1.6, -1.3, -1.0, -0.6, 0.1, 0.6, 1.0, 1.4, 1.8, 2.4]).double()
    for start, end in zip(x, _map(x), strict=True):
        panel.plot([0, 1], [start, end], color=INK, lw=0.7, alpha=0.7)
        panel.plot([0, 1], [start, end], "o", color=INK, markersize=3)
    panel.text(-0.3, 3.3, "data $x$", fontsize=10, color=ORANGE)
    panel.text(1.02, 3.3, "noise $z = f(x)$: density known", fontsize=10, color=BLUE)
    panel.set(xlim=(-0.36, 1.6), ylim=(-3.2, 3.7), xticks=[], yticks=[])
    panel.spines[["left", "bottom"]].set_visible(False)
    return figure(
        panel,
        alt="Two peaks on the left and one bell on the right; lines carry each data point to its place in the noise and never cross.",
        caption="Each data point has its own place in the noise. At the two peaks the lines spread: the map stretches. Between the peaks, where data are rare, they come together.",
    )


def slope() -> Html:
    """Two intervals under the map, and the density that follows."""
    left, right = axes(title="the map $z = f(x)$"), axes(title="densities")
    left.plot(GRID, _map(GRID), color=INK)
    right.plot(GRID, _density(GRID), color=ORANGE)
    right.plot(GRID, NORMAL.log_prob(GRID).exp(), color=BLUE, lw=0.9)
    right.text(1.75, 0.46, "data", color=ORANGE, fontsize=9)
    right.text(-0.35, 0.42, "noise", color=BLUE, fontsize=9)
    masses = []
    for low, color in ((-1.5, GREEN), (-0.45, PURPLE)):
        ends = torch.tensor([low, low + 0.5], dtype=torch.float64)
        images = _map(ends)
        left.fill_between(ends, -3, images, color=color, alpha=0.2, lw=0)
        left.fill_betweenx(images, -3, ends, color=color, alpha=0.2, lw=0)
        inside = (ends[0] <= GRID) & (ends[1] >= GRID)
        right.fill_between(GRID[inside], _density(GRID)[inside], color=color, alpha=0.3, lw=0)
        masses.append(NORMAL.cdf(images).diff().item() - _cdf(ends).diff().item())
    assert max(map(abs, masses)) < 1e-12
    left.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="$x$", ylabel="$z$")
    right.set(xlim=(-3, 3), ylim=(0, 0.6), yticks=[], xlabel="$x$")
    return figure(
        left,
        right,
        alt="Left a rising curve, steep at two places and flat between; two intervals of x of equal length have a long and a short image. Right: the data are dense over the first and thin over the second.",
        caption="Two intervals of the same length. The green one lies where the map is steep: its image is long, so it catches much of the noise. The purple one lies where the map is flat.",
    )


def trained() -> Html:
    """Moons, carried through a flow, and its density."""
    model = _moons()
    generator = torch.Generator().manual_seed(5)
    x = moons(1200, generator=generator, stratified=True)
    with torch.no_grad():
        half = x
        for part in model.parts[:2]:
            assert isinstance(part, Layer)
            half = part(half).to
        z = model(x).to
        side = torch.linspace(-3, 3, 90)
        places = torch.cartesian_prod(side, side)
        density = Flow(model).log_prob(places).exp().reshape(90, 90).T
    upper = x[:, 1] > -0.25 + 0.9 * torch.sin(x[:, 0])
    panels = []
    for points, title in ((x, "data"), (half, "after two layers"), (z, "after four: noise")):
        panel = axes(2.3, 2.3, title=title)
        for which, color in ((upper, ORANGE), (~upper, BLUE)):
            panel.plot(*points[which].T, ".", color=color, markersize=1.5)
        panel.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    panel = axes(2.3, 2.3, title="density of the flow")
    levels = [0.01 + 0.04 * i for i in range(9)]
    panel.contourf(side, side, density, levels=levels, cmap=ramp(PURPLE), extend="max")
    panel.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    return figure(
        *panels,
        panel,
        alt="Two crescents of points are bent step by step into one round cloud; the learned density shows the two crescents.",
        caption="A small spline flow after 500 steps of maximum likelihood. To make the data likely it makes them look like noise: after four layers only the colours tell the two moons apart.",
    )


def uniform() -> Html:
    """The distribution function, and what it makes of samples."""
    left, middle, right = (
        axes(2.15, 2.1, title=title) for title in ("density", "distribution function", "$u = F(x)$")
    )
    x = DATA.sample(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left.hist(x, bins=50, density=True, color=ORANGE, alpha=0.35)
    left.plot(GRID, _density(GRID), color=ORANGE)
    middle.plot(GRID, _cdf(GRID), color=INK)
    for a, color in ((-1.6, GREEN), (0.9, GREEN)):
        ends = torch.tensor([a, a + 0.5], dtype=torch.float64)
        middle.fill_betweenx(_cdf(ends), -3.2, ends, color=color, alpha=0.3, lw=0)
        middle.fill_between(ends, 0, _cdf(ends), color=color, alpha=0.3, lw=0)
    right.hist(_cdf(x), bins=20, range=(0, 1), density=True, color=BLUE, alpha=0.4)
    for panel in (left, middle):
        panel.set(xlim=(-3.2, 3.2), xlabel="$x$")
    left.set(yticks=[])
    right.set(ylim=(0, 1.5), xlabel="$u$", yticks=[0, 1])
    return figure(
        left,
        middle,
        right,
        alt="A histogram with two peaks; its rising distribution function; and the flat histogram of the values of that function.",
        caption="The distribution function is steep where data are dense, so it spreads exactly these data out. The result is uniform, whatever the data were.",
    )


def coupling() -> Html:
    """A grid through one coupling layer and through two, with log-determinants as colours."""
    one, two = _bent(0), _bent(1)
    side = torch.linspace(-2, 2, 17, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    panels = []
    with torch.no_grad():
        first = one(grid)
        second = two(first.to)
    steps = [
        (grid, torch.zeros(len(grid)).double(), "before"),
        (first.to.flip(1), first.log_det, "one layer: $x_1$ kept"),
        (second.to, first.log_det + second.log_det, "two layers"),
    ]
    for points, log_det, title in steps:
        panel = axes(2.15, 2.15, title=title)
        knots = points.reshape(17, 17, 2)
        shade = log_det.reshape(17, 17)
        mean = (shade[1:, 1:] + shade[:-1, 1:] + shade[1:, :-1] + shade[:-1, :-1]) / 4
        for color, sign in ((ORANGE, 1), (BLUE, -1)):
            cells = (sign * mean > 0.2).nonzero().tolist()
            around = [[knots[i + p, j + q].tolist() for p, q in CORNERS] for i, j in cells]
            panel.add_collection(PolyCollection(around, facecolor=color, alpha=0.4, lw=0))
        panel.plot(*knots.permute(2, 1, 0), color=INK, lw=0.5)
        panel.plot(*knots.permute(2, 0, 1), color=INK, lw=0.5)
        panel.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="A square grid; the same with its vertical lines kept vertical but shifted and stretched; and after a second layer bent in both directions.",
        caption="One layer moves points only upwards and downwards, by an amount that depends on where they are across. The second does it the other way. Orange: cells that have grown; blue: cells that have shrunk.",
    )


def spline() -> Html:
    """A monotone spline with its knots, and its slope."""
    kind = Spline(5, 3.0)
    parameters = torch.tensor(
        [[0.2, 0.9, -0.3, 0.4, 0.0, 0.3, -0.6, 1.2, -0.4, 0.2, -1.0, 1.5, 0.2, 1.0]]
    ).double()
    x = torch.linspace(-4, 4, 801, dtype=torch.float64).unsqueeze(1)
    z, log_slope = kind._forward(x, parameters.expand(801, -1))
    left, right = axes(title="the map of one coordinate"), axes(title="its slope")
    left.plot(x, z, color=BLUE)
    right.plot(x, log_slope.exp(), color=BLUE)
    knots = _knots(kind, parameters)
    at, slopes = kind._forward(knots, parameters.expand(len(knots), -1))
    left.plot(knots, at, "o", color=ORANGE, markersize=4)
    right.plot(knots, slopes.exp(), "o", color=ORANGE, markersize=4)
    left.plot([-4, 4], [-4, 4], color=INK, lw=0.5, ls=":")
    left.set(xlim=(-4, 4), ylim=(-4, 4), xlabel="$x$", aspect="equal")
    right.set(xlim=(-4, 4), ylim=(0, None), xlabel="$x$")
    assert (log_slope > -5).all()
    return figure(
        left,
        right,
        alt="A rising curve of five pieces that joins the diagonal at both ends, and its positive, continuous slope.",
        caption="Five pieces between six knots (dots). The slope is positive and has no jumps; outside the spline is the identity (dotted).",
    )


def passes() -> Html:
    """Who depends on whom: Jacobians of three layers, and the passes each needs."""
    panels = []
    cases: list[tuple[str, Layer]] = [
        ("a coupling layer", Coupling(6, generator=_rng())),
        ("autoregressive", Autoregressive(6, Affine(), generator=_rng())),
        ("three couplings", RealNVP(6, 3, generator=_rng())),
    ]
    for title, layer in cases:
        _shake(layer)
        x = torch.randn(64, 6, generator=_rng(), dtype=torch.float64)
        rows = torch.func.vmap(
            torch.func.jacrev(lambda v, f=layer: f._forward(v[None], None).to[0])
        )
        size = rows(x).abs().mean(0).detach()
        if title == "a coupling layer":
            size = size[[3, 4, 5, 0, 1, 2]]  # the halves back in their places
            assert (size.triu(1) == 0).all()
        panel = axes(2.1, 2.1, title=title)
        panel.pcolormesh(size.clamp(max=1).sqrt().numpy(), cmap=ramp(BLUE), vmin=0, vmax=1)
        panel.invert_yaxis()
        panel.set(xlabel="input", ylabel="output", aspect="equal")
        places = [i + 0.5 for i in range(6)]
        panel.set_xticks(places, range(1, 7))
        panel.set_yticks(places, range(1, 7))
        panels.append(panel)
    return figure(
        *panels,
        alt="Three square tables: for a coupling layer a diagonal and one block below it; for an autoregressive layer everything up to the diagonal; for three couplings everything.",
        caption="How strongly each output depends on each input (mean size of the Jacobian's entries). A coupling layer and an autoregressive layer are triangular; a few of them in a row are not, and their log-determinants still add.",
    )


def planar() -> Html:
    """What planar maps do to a grid."""
    panels = []
    for along, title in ((2.0, "stretches: $c = 2$"), (-0.9, "presses: $c = -0.9$")):
        layer = Planar(2, generator=_rng()).double()
        w = torch.tensor([1.2, 0.8], dtype=torch.float64)
        raw = math.log(math.expm1(along + 1))  # what the layer moves to `along`
        with torch.no_grad():
            layer.w.copy_(w)
            layer.u.copy_(raw * w / (w @ w))
        side = torch.linspace(-2, 2, 17, dtype=torch.float64)
        fine = torch.linspace(-2, 2, 60, dtype=torch.float64)
        rows = torch.stack(torch.meshgrid(fine, side, indexing="xy"), -1)
        grid = torch.cat([rows, rows.flip(-1)]).reshape(-1, 2)
        with torch.no_grad():
            z, log_det = layer(grid)
        assert abs(log_det.exp().max().item() - max(1 + along, 1)) < 0.3
        panel = axes(2.7, 2.7, title=title)
        panel.plot(*z.reshape(34, 60, 2).permute(2, 1, 0), color=BLUE, lw=0.6)
        panel.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="A grid that is pulled apart along a line, and one that is pressed together along it.",
        caption="A planar map changes space along one direction only, at one line. Pressed further, beyond minus one, it would fold.",
    )


def bridge() -> Html:
    """A flow on two separate clusters keeps a bridge between them."""
    data = GaussianMixture([0.5, 0.5], [[-1.8, -0.6], [1.8, 0.6]], std=0.25)
    model = NSF(2, 4, hidden=32, generator=_rng())
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    generator = _rng(1)
    for _ in range(350):
        optimizer.zero_grad()
        (-Flow(model).log_prob(data.sample(256, generator=generator)).mean()).backward()
        optimizer.step()
    side = torch.linspace(-3, 3, 121)
    places = torch.cartesian_prod(side, side)
    with torch.no_grad():
        learned = Flow(model).log_prob(places).reshape(121, 121).T
    true = data.log_prob(places.double()).reshape(121, 121).T
    panels = []
    for title, log_p in (("true, log-density", true), ("learned, log-density", learned)):
        panel = axes(2.9, 2.9, title=title)
        panel.contourf(
            side, side, log_p.clamp(min=-15.9), levels=[-16 + 2 * i for i in range(10)], cmap=ramp(PURPLE)
        )  # fmt: skip
        panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    line = torch.linspace(-1, 1, 201).unsqueeze(1) * torch.tensor([[1.8, 0.6]])
    with torch.no_grad():
        along = Flow(model).log_prob(line)
    panel = axes(2.9, 2.5, title="along the line between the two")
    panel.plot(torch.linspace(-1, 1, 201), data.log_prob(line.double()), color=INK, label="true")
    panel.plot(torch.linspace(-1, 1, 201), along, color=PURPLE, label="learned")
    panel.legend(frameon=False, fontsize=9)
    panel.set(xticks=[-1, 1], ylim=(-30, 2))
    return figure(
        *panels,
        panel,
        alt="Two round clusters: the true log-density falls off around each; the learned one has a thin bridge that joins them.",
        caption="A trained flow on two separate clusters, log-densities on one scale. The learned density keeps thin bridges where the true one is practically zero: the image of a connected space is connected.",
    )


@cache
def _moons() -> NSF:
    model = NSF(2, 4, hidden=32, generator=_rng())
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    generator = _rng(1)
    for _ in range(500):
        optimizer.zero_grad()
        (-Flow(model).log_prob(moons(256, generator=generator)).mean()).backward()
        optimizer.step()
    return model


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _shake(layer: Layer) -> None:
    layer.double()
    generator = _rng(3)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.2 * torch.randn(
                parameter.shape, generator=generator, dtype=torch.float64
            )


def _bent(seed: int) -> Coupling:
    layer = Coupling(2, Affine(), hidden=8, layers=1, generator=_rng(seed)).double()
    generator = _rng(seed + 2)
    with torch.no_grad():
        for parameter in layer.net[-1].parameters():
            parameter += 0.2 * torch.randn(
                parameter.shape, generator=generator, dtype=torch.float64
            )
        layer.net[0].weight.mul_(2)
    return layer


def _knots(kind: Spline, parameters: torch.Tensor) -> torch.Tensor:
    widths = parameters[0, : kind.bins].softmax(0) * (1 - kind.bins * kind.least) + kind.least
    right = 2 * kind.bound * widths.cumsum(0) - kind.bound
    ends = torch.cat([-right[-1:], right])
    return (ends * (1 - 1e-9)).unsqueeze(1)


def _density(x: torch.Tensor) -> torch.Tensor:
    return DATA.log_prob(x).exp()


def _cdf(x: torch.Tensor) -> torch.Tensor:
    std = torch.tensor([0.35, 0.5], dtype=torch.float64)
    return (DATA.weights * NORMAL.cdf((x.unsqueeze(-1) - DATA.means) / std)).sum(-1)


def _map(x: torch.Tensor) -> torch.Tensor:
    """The increasing map that makes the data standard normal."""
    return NORMAL.icdf(_cdf(x))
