"""The pictures of the chapter on EDM and fast solvers: two-peaked data, the exact denoiser."""

from __future__ import annotations

import math

import torch

from genmath.edm import min_snr_weight, preconditioning
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure
from genmath.paths import EDMPath, rho_levels
from genmath.samplers import DDIM, DPMSolver, Heun, Sampler, UniPC, sample
from genmath.toys import GaussianMixture

DATA = GaussianMixture([0.4, 0.6], [-1.2, 0.8], std=0.25)
PATH = EDMPath(sigma_min=0.02, sigma_max=10.0)
START = PATH.sigma_max * torch.special.ndtri((torch.arange(200, dtype=torch.float64) + 0.5) / 200)
SIGMA_D = 0.5


def question() -> Html:
    """What a number of calls buys, by solver."""
    panel = axes(width=5.2, height=2.7, title="mean distance from the exact flow")
    counts = [4, 6, 8, 12, 16, 24, 32, 48]
    found = {}
    for name, sampler, color in (
        ("DDIM", DDIM(), INK),
        ("Heun", Heun(), BLUE),
        ("DPM-Solver++(2M)", DPMSolver(), ORANGE),
        ("UniPC", UniPC(), GREEN),
    ):
        row = [_error(sampler, n // 2 if name == "Heun" else n) for n in counts]
        panel.plot(counts, row, "o-", color=color, markersize=3)
        panel.text(51, row[-1], name, color=color, fontsize=9, va="center")
        found[name] = row
    assert all(found["UniPC"][i] < found["DDIM"][i] for i in range(2, len(counts)))
    assert found["DPM-Solver++(2M)"][-1] < found["Heun"][-1] < found["DDIM"][-1]
    panel.set(xscale="log", yscale="log", xlabel="calls of the network", xlim=(3.6, 160))
    panel.minorticks_off()
    panel.set_xticks([4, 8, 16, 32], ["4", "8", "16", "32"])
    panel.set_yticks([1e-3, 1e-2, 1e-1], ["0.001", "0.01", "0.1"])
    return figure(
        panel,
        alt="Four falling lines on logarithmic axes. DDIM falls slowest; Heun's method, DPM-Solver++(2M) "
        "and UniPC fall faster, in this order, and are far below it at 48 calls.",
        caption="One network, the exact one for data with two peaks, and four ways to use it. Each point is "
        "a whole sampler; what is drawn is how far its samples are from where the exact ODE takes the same "
        "starts. Why do methods of the same price differ so much?",
    )


def weights() -> Html:
    """The same losses, as weights on three errors."""
    levels = torch.linspace(-4, 4, 161, dtype=torch.float64)  # log(alpha/sigma)
    alpha, sigma = torch.sigmoid(2 * levels).sqrt(), torch.sigmoid(-2 * levels).sqrt()
    snr = (2 * levels).exp()
    on_data = {
        "noise, plain": (snr, INK),
        "v, plain": (snr + 1, BLUE),
        "Min-SNR": (min_snr_weight(alpha, sigma, prediction="x0"), ORANGE),
    }
    panels = []
    for title, ratio in (
        ("weight on the error of the data", torch.ones_like(snr)),
        ("of the noise", 1 / snr),
        ("of v", 1 / (snr + 1)),
    ):
        panel = axes(width=2.1 if panels else 2.4, height=2.2, title=title)
        for weight, color in (row for row in on_data.values()):
            panel.plot(levels, weight * ratio, color=color)
        panel.set(yscale="log", ylim=(0.02, 60), xlim=(-3, 3), xlabel="log(α/σ)")
        panel.minorticks_off()
        panel.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        panels.append(panel)
    for height, (name, (_, color)) in zip((0.25, 30, 3), on_data.items(), strict=True):
        panels[0].text(-2.8, height, name, color=color, fontsize=8)
    panels[0].texts[2].set_position((1.25, 2.2))
    shown = min_snr_weight(alpha, sigma, prediction="v")
    assert torch.allclose(shown, on_data["Min-SNR"][0] / (snr + 1))
    return figure(
        *panels,
        alt="Three panels with the same three curves in three scales. On the data, the plain losses of "
        "noise and v rise without end and Min-SNR becomes flat. On the noise, one is flat and Min-SNR falls "
        "at the right. On v, Min-SNR is a hump.",
        caption="Three losses as weights on three errors. Noise is on the left of each panel, data on the "
        "right. Each plain loss is flat in its own unit. Min-SNR (orange) follows the loss of the noise up to its "
        "ceiling.",
    )


def scales() -> Html:
    """The three scales of EDM against the noise level."""
    sigma = torch.logspace(-3, 2, 121, dtype=torch.float64)
    left, right = axes(title="what the network says"), axes(title="how much its error counts")
    skip, out, seen, _ = preconditioning(1.0, sigma, sigma_data=SIGMA_D)
    assert torch.allclose(seen**2 * (SIGMA_D**2 + sigma**2), torch.ones_like(sigma))
    left.plot(sigma, skip, color=BLUE)
    left.plot(sigma, 1 - skip, color=ORANGE)
    left.text(0.0013, 0.9, "free: c_skip", color=BLUE, fontsize=9)
    left.text(4, 0.86, "the rest", color=ORANGE, fontsize=9)
    right.plot(sigma, sigma, color=INK, lw=1)
    right.plot(sigma, torch.ones_like(sigma), color=PURPLE, lw=1)
    right.plot(sigma, out / SIGMA_D, color=GREEN, lw=2)
    right.plot(sigma, sigma / SIGMA_D, color=INK, lw=1)
    right.lines[0].remove()
    right.text(0.0013, 0.03, "noise", color=INK, fontsize=9)
    right.text(0.0013, 1.25, "data", color=PURPLE, fontsize=9)
    right.text(3, 0.45, "EDM: c_out", color=GREEN, fontsize=9)
    right.set(yscale="log", ylim=(0.004, 20))
    right.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    assert bool((out / SIGMA_D < torch.minimum(sigma / SIGMA_D, torch.ones_like(sigma))).all())
    for panel in (left, right):
        panel.set(xscale="log", xlabel="noise level σ")
        panel.minorticks_off()
        panel.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    return figure(
        left,
        right,
        alt="Left: a curve that falls from one to zero around the level 0.5, and its complement. Right: a "
        "rising line for a network that says the noise, a level line for one that says the data, and a "
        "curve below both.",
        caption="Data of standard deviation 0.5. Left: the share of the noisy point that is kept in the guess. "
        "Right: what an error of 1 in the network's answer makes in the guess of the data, in units of their "
        "spread, for a network that says the noise, one that says the data, and EDM's.",
    )


def levels() -> Html:
    """Where the levels stand, for four spacings."""
    panel = axes(width=6.0, height=2.2, title="15 noise levels from 80 to 0.002")
    rows = [("ρ = 1", 1.0), ("ρ = 3", 3.0), ("ρ = 7", 7.0), ("ρ = 1000", 1000.0)]
    for i, (name, rho) in enumerate(rows):
        at = rho_levels(80.0, 0.002, 15, rho=rho)
        color = ORANGE if rho == 7 else BLUE
        panel.plot(at, torch.full_like(at, -i), "o", color=color, markersize=4)
        panel.text(0.0007, -i, name, color=color, fontsize=9, va="center", ha="right")
    even = rho_levels(80.0, 0.002, 15, rho=1e9).log().diff()
    assert torch.allclose(even, even[:1].expand(14), rtol=1e-6)
    panel.set(xscale="log", yticks=[], ylim=(-3.6, 0.6), xlim=(0.0001, 130), xlabel="noise level σ")
    panel.minorticks_off()
    panel.spines["left"].set_visible(False)
    panel.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    return figure(
        panel,
        alt="Four rows of dots on a logarithmic axis. In the first nearly all dots are at high noise; in the "
        "following they move to the left, and in the last they are evenly spaced.",
        caption="Each row has fifteen levels. With ρ = 1 they are even in σ, which leaves one for everything "
        "below 5. With a large ρ they are even in log σ. EDM takes ρ = 7.",
    )


def line() -> Html:
    """The guess of the data along a curve, what three solvers take it for, and the weights."""
    panel = axes(width=5.4, height=2.7, title="guess of the data along one curve")
    clock = torch.linspace(-1.4, 1.2, 111, dtype=torch.float64)
    curve = _guesses(clock)
    before, now, after = -0.6, -0.1, 0.35
    known = {
        place: _guesses(torch.tensor([place], dtype=torch.float64)).item()
        for place in (before, now, after)
    }
    panel.plot(clock, curve, color=INK)
    step = torch.linspace(now, after, 40, dtype=torch.float64)
    panel.plot(step, torch.full_like(step, known[now]), color=BLUE)
    slope = (known[now] - known[before]) / (now - before)
    ahead = torch.linspace(before, after, 40, dtype=torch.float64)
    panel.plot(ahead, known[now] + slope * (ahead - now), color=ORANGE)
    parabola = _through(known, step)
    panel.plot(step, parabola, color=GREEN)
    true = _guesses(step)
    errors = [
        (other - true).abs().mean()
        for other in (known[now], known[now] + slope * (step - now), parabola)
    ]
    assert errors[2] < errors[1] < errors[0]
    for place, value in known.items():
        panel.plot(place, value, "o", color=INK, markersize=5)
    panel.text(0.4, known[now], "kept: DDIM", color=BLUE, fontsize=9, va="center")
    panel.text(
        0.4, known[now] + slope * (after - now), "line: 2M", color=ORANGE, fontsize=9, va="center"
    )
    panel.text(
        0.3,
        known[after] + 0.03,
        "parabola: UniPC",
        color=GREEN,
        fontsize=9,
        va="bottom",
        ha="right",
    )
    panel.set(xlabel="λ = log(α/σ)", xlim=(-1.4, 1.3))
    panel.set_xticks([before, now, after], ["before", "now", "next"])
    return figure(
        panel,
        alt="A curve that rises and bends, with three dots. From the middle dot to the right go a level line, "
        "a straight line through the first two dots that goes on, and a parabola through all three.",
        caption="The curve is what the exact network would say along the way. Known are the dots. For the step from "
        "now to next DDIM keeps the guess, 2M continues the line through the last two, and UniPC puts a "
        "parabola through these and the answer at the place to which 2M leads.",
    )


def heun() -> Html:
    """An Euler step as a trial, the second slope at its end, and the step with the mean."""
    panel = axes(width=4.6, height=2.7, title="one step of Heun's method")
    high, low = 1.0, 0.5
    sigma = torch.linspace(1.15, 0.38, 60, dtype=torch.float64)
    x = _exact(sigma, 0.62)
    panel.plot(sigma, x, color=INK)
    start = _exact(torch.tensor([high], dtype=torch.float64), 0.62)
    first = _slope(start, high)
    trial = start + (low - high) * first
    second = _slope(trial, low)
    end = start + (low - high) * (first + second) / 2
    true = _exact(torch.tensor([low], dtype=torch.float64), 0.62)
    assert abs(end - true) < abs(trial - true) / 2
    panel.plot([high, low], [start, trial], "o-", color=BLUE, lw=1, markersize=4)
    panel.plot(
        [low + 0.07, low - 0.07], [trial + 0.07 * second, trial - 0.07 * second], color=PURPLE, lw=2
    )
    panel.plot([high, low], [start, end], "o-", color=ORANGE, lw=1.4, markersize=4)
    panel.text(0.47, float(trial), " trial (Euler)", color=BLUE, fontsize=9, va="center")
    panel.text(0.53, float(end), "mean of both", color=ORANGE, fontsize=9, ha="right", va="bottom")
    panel.text(0.42, float(trial) + 0.045, "second slope", color=PURPLE, fontsize=9)
    panel.set(xlim=(1.18, 0.18), xlabel="noise level σ")
    panel.set_xticks([1, 0.5], ["1", "0.5"])
    return figure(
        panel,
        alt="A bent curve. A straight step from its start ends beside it; a short piece at the end of that step "
        "shows another slope; a second straight step from the same start, with the mean slope, ends nearer to "
        "the curve.",
        caption="Noise falls to the right. Euler's step (blue) keeps the slope of its start. At its end the "
        "network is asked again (purple). The step with the mean of both slopes (orange) ends nearer to the "
        "exact curve.",
    )


def churn() -> Html:
    """Noise levels of a sampler with churn, and places of one sample."""
    panel = axes(width=4.8, height=2.4, title="noise level against the calls of the network")
    levels_ = rho_levels(10.0, 0.05, 8).tolist()
    gamma, calls, heights = 0.35, [0.0], [levels_[0]]
    for i, level in enumerate(levels_[1:], start=1):
        calls += [float(i), float(i)]
        heights += [level, level * (1 + gamma) if i < 7 else level]
    for i in range(7):
        panel.plot(calls[2 * i : 2 * i + 2], heights[2 * i : 2 * i + 2], color=BLUE)
        panel.plot(calls[2 * i + 1 : 2 * i + 3], heights[2 * i + 1 : 2 * i + 3], color=ORANGE, lw=2)
    panel.text(1.3, 7.2, "noise thrown in", color=ORANGE, fontsize=9)
    panel.text(4.3, 1.6, "the solver takes it out", color=BLUE, fontsize=9)
    panel.set(yscale="log", xlabel="steps", xticks=[0, 2, 4, 6])
    panel.minorticks_off()
    panel.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    return figure(
        panel,
        alt="A saw: the noise level falls along each step, jumps up by a constant ratio, and falls again, "
        "down to the last level.",
        caption="A sampler with churn goes two steps forward and one back. Each rise adds fresh noise of just "
        "the variance that the new level asks for.",
    )


def _model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return DATA.denoiser(x, *PATH.coefficients(t, x))


def _cdf(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """The distribution function of the noisy data."""
    spread = math.hypot(0.25, sigma)
    parts = torch.special.ndtr((x[:, None] - DATA.means) / spread)
    return parts @ DATA.weights


def _end(x: torch.Tensor, sigma: float, to: float) -> torch.Tensor:
    """The exact flow on the line keeps every quantile: where it takes x, by bisection."""
    share = _cdf(x, sigma)
    low, high = torch.full_like(x, -60.0), torch.full_like(x, 60.0)
    for _ in range(80):
        middle = (low + high) / 2
        above = _cdf(middle, to) > share
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return (low + high) / 2


def _error(sampler: Sampler, n: int) -> float:
    end = sample(_model, START.shape, PATH, sampler, steps=n, prediction="x0", start=START,
                 dtype=torch.float64)  # fmt: skip
    return (end - _end(START, PATH.sigma_max, 0.0)).abs().mean().item()


def _exact(sigma: torch.Tensor, start: float) -> torch.Tensor:
    """One exact curve, through this place at the level 3."""
    x = torch.tensor([start], dtype=torch.float64)
    return torch.cat([_end(x, 3.0, float(s)) for s in sigma])


def _slope(x: torch.Tensor, sigma: float) -> torch.Tensor:
    return (x - DATA.denoiser(x, 1.0, sigma)) / sigma


def _guesses(clock: torch.Tensor) -> torch.Tensor:
    sigma = (-clock).exp()
    return DATA.denoiser(_exact(sigma, 0.62), torch.ones_like(sigma), sigma)


def _through(known: dict[float, float], at: torch.Tensor) -> torch.Tensor:
    """Lagrange's parabola through three points."""
    total = torch.zeros_like(at)
    for place, value in known.items():
        others = [p for p in known if p != place]
        total += (
            value
            * (at - others[0])
            * (at - others[1])
            / ((place - others[0]) * (place - others[1]))
        )
    return total
