"""The pictures of the chapter on adversarial networks: densities on the line, summed on a grid."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure
from genmath.gan import bilinear_orbit, missing_mode_js, optimal_discriminator
from genmath.toys import GaussianMixture

X = torch.linspace(-7, 7, 701, dtype=torch.float64)
DX = float(X[1] - X[0])
DATA = GaussianMixture([0.6, 0.4], [-1.6, 1.6], std=0.5)


def question() -> Html:
    """Noise, the map that makes samples of it, and the discriminator between both densities."""
    panel = axes(width=6.0, height=3.3)
    p, q = DATA.log_prob(X), _log_normal(X, 0.9, 0.8)
    panel.fill_between(X, p.exp(), color=INK, alpha=0.2, lw=0)
    panel.plot(X, q.exp(), color=ORANGE)
    panel.plot(X, 0.75 * optimal_discriminator(p, q), color=BLUE)
    for z in torch.linspace(-1.6, 1.6, 9, dtype=torch.float64):
        arrow = {"arrowstyle": "->", "color": ORANGE, "lw": 0.7}
        panel.annotate("", (0.9 + 0.8 * float(z), -0.03), (float(z), -0.42), arrowprops=arrow)
    panel.axhline(0, color=INK, lw=0.6)
    panel.axhline(-0.45, color=INK, lw=0.6)
    panel.text(-3.9, -0.41, "noise z", fontsize=9)
    panel.text(2.5, -0.12, "samples G(z)", fontsize=9, color=ORANGE)
    panel.text(-2.2, 0.46, "data p", fontsize=9, ha="right")
    panel.text(0.9, 0.52, "generator q", fontsize=9, color=ORANGE, ha="center")
    panel.text(-3.9, 0.79, "discriminator D, the probability of being data", fontsize=9, color=BLUE)
    panel.set(xlim=(-4, 4.2), ylim=(-0.5, 0.9), xticks=[])
    panel.set_yticks([0, 0.375, 0.75], ["0", "½", "1"])
    panel.spines["bottom"].set_visible(False)
    return figure(
        panel,
        alt="Below, a line of noise whose points arrows carry to samples on the line above. Over that line the data have "
        "two peaks, the samples one bell to the right of the middle, and the discriminator falls and rises between 0 and 1.",
        caption="The generator carries noise to samples (orange), which should be spread like the data (grey). All that it is "
        "told is the discriminator (blue, with the axis on the left): near 1 where data are denser, near 0 where samples are denser.",
    )


def losses() -> Html:
    """Both losses of the generator and how hard they push, against the logit."""
    a = torch.linspace(-6, 6, 121, dtype=torch.float64)
    left, right = axes(title="loss"), axes(title="push on the logit")
    softplus = torch.nn.functional.softplus
    left.plot(a, -softplus(a), color=ORANGE)
    left.plot(a, softplus(-a), color=BLUE)
    right.plot(a, torch.sigmoid(a), color=ORANGE)
    right.plot(a, torch.sigmoid(-a), color=BLUE)
    left.text(-5.9, -1.6, "minimax", color=ORANGE, fontsize=9)
    left.text(-3.6, 4.4, "non-saturating", color=BLUE, fontsize=9)
    right.text(3.1, 0.82, "D", color=ORANGE, fontsize=10, style="italic")
    right.text(-4.4, 0.82, "1 − D", color=BLUE, fontsize=10)
    for panel in (left, right):
        panel.axvline(0, color=INK, lw=0.5, alpha=0.5)
        panel.set_xlabel("logit a: rejected ← → accepted")
    return figure(
        left,
        right,
        alt="Left: two falling curves; the minimax loss is flat at the left end, the other is steep there. Right: the "
        "slopes D and 1 − D, mirror images.",
        caption="At the start of training samples are rejected: they are on the left. There the minimax loss (orange) is flat, and its push D "
        "is nearly 0; the non-saturating loss (blue) pushes with full strength, 1 − D is nearly 1.",
    )


def disjoint() -> Html:
    """Two unit intervals and the distance between them: what JS sees, and what W1 sees."""
    left, right = axes(title="a perfect discriminator"), axes(title="distance of the two")
    at = torch.linspace(-0.5, 4, 901, dtype=torch.float64)
    p, q = _log_uniform(at, 0), _log_uniform(at, 2.2)
    left.fill_between(at, p.exp(), color=INK, alpha=0.2, lw=0, step="mid")
    left.fill_between(at, q.exp(), color=ORANGE, alpha=0.3, lw=0, step="mid")
    D = optimal_discriminator(p, q)
    for where in (p.isfinite(), q.isfinite()):
        left.plot(at[where], D[where], color=BLUE, lw=2.2)
    left.text(0.5, 0.45, "data", ha="center", fontsize=9)
    left.text(2.7, 0.45, "samples", ha="center", fontsize=9, color=ORANGE)
    left.text(0.5, 1.06, "D = 1", ha="center", fontsize=9, color=BLUE)
    left.text(2.7, 0.06, "D = 0", ha="center", fontsize=9, color=BLUE)
    left.text(1.6, 1.06, "no slope", ha="center", fontsize=9, color=BLUE)
    left.set(yticks=[], xticks=[], ylim=(-0.03, 1.25))
    shifts = torch.linspace(0, 3, 61, dtype=torch.float64)
    # Where both densities are one they are equal; elsewhere one of them is zero.
    js = math.log(2) * shifts.clamp(max=1)
    assert (
        abs(_js(_log_uniform(at, 0), _log_uniform(at, 0.5), float(at[1] - at[0])) - js[10]) < 1e-2
    )
    right.plot(shifts, shifts, color=GREEN)
    right.plot(shifts, js, color=PURPLE)
    right.text(1.15, 1.9, "Wasserstein", color=GREEN, fontsize=9, ha="right")
    right.text(1.5, 0.86, "Jensen–Shannon", color=PURPLE, fontsize=9)
    right.set(xlabel="shift of the samples")
    right.set_yticks([0, math.log(2), 2, 3], ["0", "log 2", "2", "3"])
    return figure(
        left,
        right,
        alt="Left: two separate blocks, the discriminator is 1 over one and 0 over the other. Right: against the shift, "
        "Jensen–Shannon rises to log 2 at shift one and stays there; the Wasserstein distance keeps rising.",
        caption="Two blocks of width one. As soon as they are apart, the best discriminator is flat over both and "
        "Jensen–Shannon stays at log 2, wherever the samples are. The Wasserstein distance (another chapter) still says how far they have to go.",
    )


def modes() -> Html:
    """Two-peaked data and the best normal, for what a GAN measures and for maximum likelihood."""
    means = torch.linspace(-2.4, 2.4, 97, dtype=torch.float64)
    stds = torch.linspace(0.3, 2.2, 58, dtype=torch.float64)
    q = _log_normal(X, means[:, None, None], stds[:, None])
    p = DATA.log_prob(X)
    m = torch.logaddexp(p, q) - math.log(2)
    forward = (p.exp() * (p - q)).sum(-1) * DX
    reverse = (q.exp() * (q - p)).sum(-1) * DX
    js = (p.exp() * (p - m) + q.exp() * (q - m)).sum(-1) * DX / 2
    found = {}
    for name, values in (("likelihood", forward), ("gan", reverse - 2 * js), ("js", js)):
        i, j = divmod(int(values.argmin()), len(stds))
        found[name] = (float(means[i]), float(stds[j]))
    one_peak = js[int((means + 1.6).abs().argmin()), int((stds - 0.5).abs().argmin())]
    assert abs(found["gan"][0] + 1.6) < 0.03
    assert abs(found["gan"][1] - 0.5) < 0.05
    assert abs(found["js"][0] - found["likelihood"][0]) < 0.1
    assert abs(js.min() - 0.145) < 5e-4
    assert abs(one_peak - 0.163) < 5e-4
    panel = axes(width=5.4, height=2.6, title="the best normal")
    panel.fill_between(X, p.exp(), color=INK, alpha=0.2, lw=0)
    panel.plot(X, _log_normal(X, *found["likelihood"]).exp(), color=GREEN)
    panel.plot(X, _log_normal(X, *found["gan"]).exp(), color=ORANGE)
    panel.text(-0.95, 0.7, "what the non-saturating\nloss follows", color=ORANGE, fontsize=9)
    panel.text(2.5, 0.16, "maximum\nlikelihood", color=GREEN, fontsize=9)
    panel.text(1.6, 0.36, "data", fontsize=9, ha="center")
    panel.set(xlim=(-4.2, 4.8), yticks=[], xlabel="x")
    return figure(
        panel,
        alt="Grey: data with a larger peak on the left and a smaller one on the right. Green: one wide bell over both. Orange: a narrow "
        "bell that is the left peak alone.",
        caption="One bell for two peaks. Maximum likelihood must cover both, and puts samples into the gap. What the "
        "non-saturating loss follows (reverse KL minus 2 JS) is least on the larger peak alone: sharp, and incomplete.",
    )


def price() -> Html:
    """What it costs not to make a part of the data that lies apart."""
    missed = torch.linspace(0, 0.9, 91, dtype=torch.float64)
    panel = axes(width=4.8, height=2.5, title="cost")
    for values, color, name, at in (
        (-torch.log1p(-missed), BLUE, "reverse KL", (0.78, 1.62)),
        (missed, GREEN, "total variation", (0.92, 0.87)),
        (missing_mode_js(1 - missed), PURPLE, "Jensen–Shannon", (0.92, 0.48)),
    ):
        panel.plot(missed, values, color=color)
        panel.text(*at, name, color=color, fontsize=9, ha="right" if at[0] < 0.9 else "left")
    panel.plot([0.004, 0.004], [0.02, 2], color=ORANGE)
    panel.text(0.02, 1.8, "forward KL: infinite", color=ORANGE, fontsize=9)
    panel.set_xticks([0, 0.2, 0.4, 0.6, 0.8])
    panel.set(xlabel="share of the data that is missed", ylim=(0, 2), xlim=(-0.02, 1.3))
    return figure(
        panel,
        alt="Three curves that start at zero and rise slowly with the missed share; a vertical line at zero says that the "
        "forward KL is infinite at once.",
        caption="The generator makes a part of the data perfectly and misses the rest. For a small missed share the three curves are low: the cost is "
        "small. Only the forward KL, which maximum likelihood minimises, is infinite as soon as anything is missed.",
    )


def judge() -> Html:
    """Two sets that a Fréchet distance cannot tell apart."""
    std = math.sqrt(1.6**2 + 0.5**2)
    p = GaussianMixture([0.5, 0.5], [-1.6, 1.6], std=0.5).log_prob(X).exp()
    q = _log_normal(X, 0, std).exp()
    moments = [((f * X).sum() * DX, (f * X**2).sum() * DX) for f in (p, q)]
    assert all(abs(float(a - b)) < 0.01 for a, b in zip(*moments, strict=True))
    panel = axes(width=4.6, height=2.3, title="density of a feature")
    panel.fill_between(X, p, color=INK, alpha=0.2, lw=0)
    panel.plot(X, q, color=ORANGE)
    panel.text(2.45, 0.3, "data", fontsize=9)
    panel.text(0, 0.27, "samples", color=ORANGE, fontsize=9, ha="center")
    panel.set(xlim=(-4.6, 4.6), yticks=[], xlabel="feature")
    return figure(
        panel,
        alt="Grey: two separate peaks. Orange: one wide bell of the same mean and variance, highest where the data have nothing.",
        caption="The same mean and the same variance, so the Fréchet distance is zero; and the samples are most frequent where there are "
        "hardly any data. A score sees what its features and its moments see.",
    )


def spiral() -> Html:
    """The three ways to play the bilinear game, from one start."""
    panels = []
    for kind, color, title in (
        ("simultaneous", ORANGE, "both at once"),
        ("alternating", BLUE, "in turn"),
        ("extragradient", GREEN, "looking ahead"),
    ):
        orbit = bilinear_orbit(1, 0, steps=40, eta_x=0.2, kind=kind)
        panel = axes(width=2.25, height=2.4, title=title)
        panel.plot(*orbit.T, "o-", color=color, markersize=2.2, lw=0.7)
        panel.plot([0], [0], "+", color=INK, markersize=7)
        panel.plot([1], [0], "o", color=INK, markersize=4)
        panel.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), xticks=[], yticks=[], aspect="equal")
        panel.set_xlabel("x", style="italic")
        panels.append(panel)
        end = float(orbit[-1].square().sum())
        if kind == "simultaneous":
            assert abs(end / 1.04**40 - 1) < 1e-9
    panels[0].set_ylabel("y", style="italic")
    return figure(
        *panels,
        alt="Three panels with forty steps from the same start: a spiral outwards, a closed ring, a spiral inwards.",
        caption="Forty steps of size 0.2 from the black dot; the cross is the equilibrium. All three use exact gradients, but both at once goes "
        "away from it, in turn goes round it, and only looking ahead comes nearer.",
    )


def _log_normal(x, mean, std):
    return -(((x - mean) / std) ** 2) / 2 - torch.log(torch.as_tensor(std * math.sqrt(2 * math.pi)))


def _log_uniform(x, start):
    inside = (x > start) & (x < start + 1)
    return torch.where(inside, 0.0, -math.inf).to(torch.float64)


def _js(p, q, step):
    m = torch.logaddexp(p, q) - math.log(2)
    parts = [torch.where(f.isfinite(), f.exp() * (f - m), 0.0).sum() * step for f in (p, q)]
    return float(sum(parts)) / 2
