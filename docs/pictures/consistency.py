"""The pictures of the chapter on few steps: flows on the line that are known exactly."""

from __future__ import annotations

import math

import torch

from genmath.consistency import line_flow_map, normal_flow_map
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure
from genmath.paths import LinearPath
from genmath.toys import GaussianMixture

PATH = LinearPath()
DATA = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.2)
GRID = torch.linspace(-2.4, 2.4, 241, dtype=torch.float64)
TIMES = torch.linspace(1, 0, 41, dtype=torch.float64)


def question() -> Html:
    """Paths of a flow, and the leap from the noise to where one of them ends."""
    panel = axes(width=6.4, height=2.9)
    starts = torch.linspace(-1.9, 1.9, 15, dtype=torch.float64)
    ways = torch.stack([line_flow_map(starts, 1.0, float(t), mixture=DATA) for t in TIMES])
    panel.plot(TIMES, ways, color=INK, lw=0.6, alpha=0.5)
    one = ways[:, 4]
    panel.plot(TIMES, one, color=BLUE, lw=1.6)
    looks = one[::8]
    panel.plot(TIMES[::8], looks, "o", color=BLUE, markersize=4)
    leap = {"arrowstyle": "->", "lw": 1.6, "color": ORANGE, "connectionstyle": "arc3,rad=-0.35"}
    panel.annotate("", (0.01, float(one[-1])), (1, float(one[0])), arrowprops=leap)
    panel.text(0.5, -2.3, "one call", color=ORANGE, fontsize=9, ha="center")
    panel.text(0.62, 0.15, "many calls", color=BLUE, fontsize=9, ha="center")
    _ends(panel)
    return figure(
        panel,
        alt="Curved paths lead from a bell on the right to a density with two peaks on the left. Along one of them are "
        "dots; an arrow leaps from its start to its end.",
        caption="A flow carries noise (right) to data (left). A solver follows a path by many looks at the velocity (dots). Could a "
        "network answer at once where the path ends (arrow)?",
    )


def end() -> Html:
    """The exact consistency function of two-peaked data at four times."""
    panel = axes(width=4.8, height=2.7, title="where the path through x ends")
    for t, color, name in (
        (0.0, INK, "t = 0"),
        (0.2, GREEN, "t = 0.2"),
        (0.5, BLUE, "t = 0.5"),
        (1.0, ORANGE, "t = 1"),
    ):
        ends = GRID if t == 0 else line_flow_map(GRID, t, 0.0, mixture=DATA)
        panel.plot(GRID, ends, color=color, lw=1 if t == 0 else 1.6, label=name)
    panel.legend(frameon=False, fontsize=9, loc="upper left")
    panel.set(xlim=(-2.4, 2.4), xlabel="x at time t", ylim=(-2.5, 2.5))
    return figure(
        panel,
        alt="Four rising curves: a diagonal, and three with two flat parts at the heights of the two peaks; the later "
        "the time, the flatter the parts and the steeper the rise between them.",
        caption="The exact consistency function of data with two peaks, at −1.5 and 1. At the data it is the diagonal: the point itself. At later times "
        "it is nearly a step: left of a border all paths end at one peak. There a network has to be steep.",
    )


def coarse() -> Html:
    """The fixed points of consistency training on grids of 1, 2, 4, 16 and 64 intervals."""
    panel = axes(width=4.8, height=2.7, title="answer at the noise, data at −1 and 1")
    exact = torch.where(GRID < 0, -1.0, 1.0)
    panel.plot(GRID, exact, color=INK, lw=0.8)
    spreads = []
    for n, color in ((1, PURPLE), (2, BLUE), (4, GREEN), (64, ORANGE)):
        answer = _fixed_point(n)
        spreads.append(float((answer**2).mean()))
        panel.plot(GRID, answer, color=color, label=f"{n} step{'s' * (n > 1)}")
    assert spreads == sorted(spreads)
    assert spreads[0] == 0
    panel.legend(frameon=False, fontsize=9, loc="upper left")
    panel.set(xlabel="noise", ylim=(-1.15, 1.4))
    return figure(
        panel,
        alt="Answers at the noise: zero for one step, then rising curves that come nearer to a step from minus one to one.",
        caption="Where consistency training stops, for data at −1 and 1, computed exactly on grids of 1 to 64 steps. With one step the answer is the mean of the "
        "data, whatever the noise. With more it comes near to the flow, which sends each noise to the nearer point (grey).",
    )


def _fixed_point(n: int) -> torch.Tensor:
    """f(x, 1) on the grid, if at each time f is the mean of its answers a step before."""
    wide = torch.linspace(-6, 6, 2401, dtype=torch.float64)
    points = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    answer = wide
    for i in range(1, n + 1):
        t, s = i / n, (i - 1) / n
        log = -((wide[:, None] - (1 - t) * points) ** 2) / (2 * t * t)
        share = log.softmax(1)
        before = (1 - s) * points + s * (wide[:, None] - (1 - t) * points) / t
        if i == 1:
            answer = (share * points).sum(1)
        else:
            answer = (share * _read(answer, wide, before)).sum(1)
    return _read(answer, wide, GRID)


def _read(values: torch.Tensor, grid: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """A table read between its entries."""
    place = ((at - grid[0]) / (grid[1] - grid[0])).clamp(0, len(grid) - 1.001)
    left = place.floor().long()
    return torch.lerp(values[left], values[left + 1], place - left)


def same_noise() -> Html:
    """The earlier points of lines through one place, with the same noise and with fresh noise."""
    panels = []
    generator = torch.Generator().manual_seed(2)
    t, s, place = 0.6, 0.5, 0.1
    data = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    log = -((place - (1 - t) * data) ** 2) / (2 * t * t)
    x0 = data[torch.multinomial(log.softmax(0), 24, True, generator=generator)]
    same = (1 - s) * x0 + s * (place - (1 - t) * x0) / t
    # Given x_0 and x_t, the earlier point of a chain that forgets: normal, by Bayes' rule.
    ratio = (1 - t) / (1 - s)
    added = t * t - ratio**2 * s * s
    mean = (s * s * ratio * place + added * (1 - s) * x0) / (t * t)
    fresh = mean + math.sqrt(s * s * added / (t * t)) * torch.randn(
        24, generator=generator, dtype=torch.float64
    )
    assert float(same.std()) < 0.5 * float(fresh.std())
    for title, before in (("the same noise", same), ("fresh noise", fresh)):
        panel = axes(width=2.9, height=2.3, title=title)
        panel.plot(
            [s, t], torch.stack([before, torch.full_like(before, place)]), color=GREEN, lw=0.7
        )
        panel.plot([s] * 24, before, "o", color=GREEN, markersize=3)
        panel.plot(t, place, "o", color=BLUE, markersize=6)
        panel.set(xlim=(0.47, 0.62), ylim=(-1.4, 1.4))
        panel.set_xticks([s, t], ["s", "t"])
        panels.append(panel)
    return figure(
        *panels,
        alt="From one point at time t lines lead to earlier points: on the left to two places near each other, on the right "
        "to places scattered widely.",
        caption="Earlier points that may have led to the blue one. With the same noise there is one for each data point, and they lie close together: their distances shrink with "
        "the step. With fresh noise they scatter with its root.",
    )


def rounds() -> Html:
    """How a wrong first answer is mended by rounds of noising and answering."""
    panel = axes(width=4.4, height=2.4, title="standard deviation of the samples")
    c = 1.0
    for t, color in ((0.3, PURPLE), (0.5, BLUE), (0.7, GREEN)):
        share = (1 - t) ** 2 * c / ((1 - t) ** 2 * c + t * t)
        variances = [0.16]
        for _ in range(6):
            variances.append(c + share * (variances[-1] - c))
        x = torch.tensor([1.0], dtype=torch.float64)
        stretched = normal_flow_map(x, t, 0.0, variance=c)  # of a number of one deviation
        noised = (1 - t) ** 2 * variances[0] + t * t
        assert math.isclose(float(stretched) ** 2 * noised, variances[1], rel_tol=1e-12)
        panel.plot(
            range(7),
            [math.sqrt(v) for v in variances],
            "o-",
            color=color,
            markersize=4,
            label=f"t = {t}",
        )
    panel.legend(frameon=False, fontsize=9, loc="lower right")
    panel.axhline(1, color=INK, lw=0.7)
    panel.set(xlabel="rounds", xlim=(-0.2, 6.2), ylim=(0.3, 1.08))
    return figure(
        panel,
        alt="Three rising curves from 0.4 towards 1; the one with the most noise is nearly there after one round.",
        caption="Samples that come out too narrow (0.4 where the data have 1), noised to time t and answered again by the exact model. Each round mends a part; more noise mends more.",
    )


def chord() -> Html:
    """A path, its slope at a point, and the slope of its chord."""
    panel = axes(width=4.6, height=2.5)
    ways = _way(0.35)
    panel.plot(TIMES, ways, color=BLUE, lw=1.6)
    t, s = 1.0, 0.3
    x_t, x_s = (
        float(line_flow_map(torch.tensor([0.35], dtype=torch.float64), 1.0, r, mixture=DATA))
        for r in (t, s)
    )
    u = (x_t - x_s) / (t - s)
    v = float(DATA.velocity(torch.tensor([x_t], dtype=torch.float64), 0.0, 1.0, -1.0, 1.0))
    panel.plot([t, s], [x_t, x_t - (t - s) * u], color=ORANGE, lw=1.4)
    panel.plot([t, s], [x_t, x_t - (t - s) * v], color=INK, lw=1, ls="--")
    panel.plot([t, s], [x_t, x_s], "o", color=BLUE, markersize=5)
    panel.text(0.72, x_t - 0.28 * u + 0.12, "u: the chord", color=ORANGE, fontsize=9, ha="right")
    panel.text(
        s - 0.01, x_t - (t - s) * v, "v: the slope", color=INK, fontsize=9, ha="right", va="center"
    )
    panel.text(t + 0.02, x_t, "x", color=BLUE, fontsize=10, va="center")
    panel.text(s - 0.03, x_s + 0.1, "Φ", color=BLUE, fontsize=10)
    panel.set(xlim=(-0.02, 1.08), xlabel="time")
    return figure(
        panel,
        alt="A curved path. From its right end a straight line follows the slope there and misses the path; another joins "
        "two points of it.",
        caption="A path of the flow (blue). The velocity at x is its slope there: one long step along it (dashed) misses. The mean velocity is the slope of the chord: "
        "one step along it arrives, however bent the path is.",
    )


def straight() -> Html:
    """The velocity along curved and straight paths, and one Euler step from the noise."""
    left, right = axes(title="a curved flow"), axes(title="a straight flow")
    starts = torch.linspace(-1.6, 1.6, 9, dtype=torch.float64)
    curved = torch.stack([line_flow_map(starts, 1.0, float(t), mixture=DATA) for t in TIMES])
    ends = curved[-1]
    lines = torch.lerp(ends, starts, TIMES[:, None])
    at_noise = DATA.velocity(starts, 0.0, 1.0, -1.0, 1.0)
    assert torch.allclose(starts - at_noise, DATA.mean.expand(9))
    for panel, ways, slopes in ((left, curved, at_noise), (right, lines, starts - ends)):
        panel.plot(TIMES, ways, color=BLUE, lw=1)
        panel.plot([1, 0], torch.stack([starts, starts - slopes]), color=ORANGE, lw=0.8, ls="--")
        _ends(panel)
    return figure(
        left,
        right,
        alt="Left: curved paths to two peaks; dashed straight steps from the noise all meet in one point between the peaks. "
        "Right: straight paths to the same ends; the dashed steps lie on them.",
        caption="Paths (blue) and one Euler step from the noise (dashed). Left, the flow of random pairs: every step ends at the mean of the data. Right, the flow that reflow tends "
        "to: the same ends, straight paths, and one step is exact.",
    )


def matching() -> Html:
    """Densities of samples and data, and the difference of their scores."""
    left, right = axes(title="densities"), axes(title="which way a sample is pushed")
    samples = GaussianMixture([1.0], [0.3], std=0.5)
    at = 0.6, 0.4
    densities = [law.log_prob(GRID, *at).exp() for law in (DATA, samples)]
    scores = [law.score(GRID, *at) for law in (DATA, samples)]
    for density, color, name, place in zip(
        densities, (BLUE, ORANGE), ("data", "samples"), ((-1.9, 0.5), (0.5, 0.75)), strict=True
    ):
        left.plot(GRID, density, color=color)
        left.text(*place, name, color=color, fontsize=9)
    push = scores[0] - scores[1]
    right.plot(GRID, push, color=GREEN)
    right.axhline(0, color=INK, lw=0.6)
    right.plot(GRID, scores[0], color=BLUE, lw=0.8, ls="--")
    right.plot(GRID, -scores[1], color=ORANGE, lw=0.8, ls="--")
    left.set(xlim=(-2.4, 2.4), yticks=[])
    right.set(xlim=(-2.4, 2.4), ylim=(-6, 6))
    return figure(
        left,
        right,
        alt="Left: a density with two peaks and a single peak between them. Right: two dashed curves and their sum, which "
        "is positive to the right of the samples' peak and negative far to its left.",
        caption="Noised data (blue) and noised samples (orange). A descent step moves a sample by the score of the data minus that of the samples (green, the sum of the dashed ones): "
        "towards the peaks of the data, and away from where samples crowd.",
    )


def _way(start: float) -> torch.Tensor:
    x = torch.tensor([start], dtype=torch.float64)
    return torch.cat([line_flow_map(x, 1.0, float(t), mixture=DATA) for t in TIMES])


def _ends(panel) -> None:
    """The density of the data at the left end and that of the noise at the right."""
    wide = torch.linspace(-3, 3, 151, dtype=torch.float64)
    panel.fill_betweenx(wide, 0, -0.13 * DATA.log_prob(wide).exp(), color=BLUE, alpha=0.3, lw=0)
    bell = torch.exp(-(wide**2) / 2) / math.sqrt(2 * math.pi)
    panel.fill_betweenx(wide, 1, 1 + 0.3 * bell, color=ORANGE, alpha=0.3, lw=0)
    panel.set(ylim=(-2.8, 2.8), yticks=[], xlim=(-0.17, 1.14))
    panel.set_xticks([0, 1], ["data, t = 0", "noise, t = 1"])
