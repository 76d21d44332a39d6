"""The pictures of the chapter on variational autoencoders: one number as code, all sums on a grid."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, slider

Z = torch.linspace(-7, 7, 1401, dtype=torch.float64)
DZ = float(Z[1] - Z[0])


def _normal(x, mean, std):
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def _curve(z):
    """A decoder: where a code is sent in the plane."""
    return torch.stack([1.6 * torch.sin(1.3 * z), 0.75 * z], -1)


def _log_likelihood(x, std=0.35):
    distance = ((x - _curve(Z)) ** 2).sum(-1)
    return -distance / (2 * std**2) - math.log(2 * math.pi * std**2)


def _integral(values):
    return float(values.sum() * DZ)


X = torch.tensor([0.8, 1.1], dtype=torch.float64)
PRIOR = _normal(Z, 0, 1)
JOINT = PRIOR * _log_likelihood(X).exp()
EVIDENCE = _integral(JOINT)
POSTERIOR = JOINT / EVIDENCE


def question() -> Html:
    """Codes on a line, the curve they are sent to, and the codes one observation may have come from."""
    left, right = axes(title="codes"), axes(title="observations")
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(300, generator=generator, dtype=torch.float64)
    cloud = _curve(drawn) + 0.35 * torch.randn(300, 2, generator=generator, dtype=torch.float64)
    right.plot(*cloud.T, "o", color=INK, markersize=2, alpha=0.35)
    right.plot(*_curve(Z[400:-400:4]).T, color=BLUE)
    right.plot(*X, "o", color=ORANGE, markersize=7)
    right.text(
        float(X[0]) + 0.15, float(X[1]) - 0.05, "x", color=ORANGE, fontsize=11, style="italic"
    )
    left.fill_between(Z[::4], PRIOR[::4], color=BLUE, alpha=0.2, lw=0)
    left.plot(Z[::4], PRIOR[::4], color=BLUE)
    left.plot(Z[::4], POSTERIOR[::4], color=ORANGE)
    left.text(-3.4, 0.42, "prior", color=BLUE, fontsize=9)
    left.text(-3.3, 0.95, "posterior:\nwhich codes can\nhave made x?", color=ORANGE, fontsize=9)
    left.set(yticks=[], ylim=(0, 1.5), xlim=(-3.5, 3.6))
    left.set_xlabel("z", style="italic")
    right.set(xticks=[], yticks=[])
    return figure(
        left,
        right,
        alt="Left: a bell of codes and, over it, a posterior with two peaks. Right: the decoder sends the line of "
        "codes to a curve in the plane, data scatter around it, and one observation lies between two of its bends.",
        caption="Right: the decoder sends each code z to a point of the blue curve, and data (dots) scatter around it. Which "
        "codes can have made the orange point x? Left: before we see x, the codes have the blue density; after, the orange one. "
        "For a neural network this posterior has no formula, and training needs it.",
    )


def gap() -> Html:
    """The log-evidence as bound plus gap, for encoders that fit better and better."""
    left, right = axes(title="encoder and posterior"), axes(title="nats")
    mean = _integral(POSTERIOR * Z)
    std = math.sqrt(_integral(POSTERIOR * (Z - mean) ** 2))
    log_evidence = math.log(EVIDENCE)
    frames = {}
    for i, s in enumerate((0.0, 0.35, 0.7, 1.0)):
        m, w = s * mean, 1.0 + s * (std - 1.0)
        q = _normal(Z, m, w)
        gap = _integral(q * torch.log(q / POSTERIOR))
        bound = _integral(q * torch.log(JOINT / q))
        assert abs(bound + gap - log_evidence) < 1e-6
        frames[("the prior", "closer", "closer still", "the best normal")[i]] = [
            *left.plot(Z[::4], q[::4], color=BLUE),
            *right.bar([0], [bound - log_evidence], 0.5, color=GREEN, alpha=0.35),
            right.text(
                0,
                (bound - log_evidence) / 2,
                f"gap {gap:.2f}",
                ha="center",
                va="center",
                fontsize=9,
            ),
            *right.plot([-0.45, 0.45], [bound - log_evidence] * 2, color=BLUE),
            right.text(
                0.5,
                bound - log_evidence,
                f"bound −{-bound:.2f}",
                color=BLUE,
                fontsize=9,
                va="center",
            ),
        ]
    left.fill_between(Z[::4], POSTERIOR[::4], color=ORANGE, alpha=0.25, lw=0)
    left.set(yticks=[], xlim=(-3.2, 3.2))
    left.set_xlabel("z", style="italic")
    right.axhline(0, color=ORANGE)
    right.text(-0.95, 0.06, f"log-evidence −{-log_evidence:.2f}", color=ORANGE, fontsize=9)
    right.set(xlim=(-1, 1.5), xticks=[], yticks=[])
    right.set_ylim(top=0.35)
    return slider(
        left,
        right,
        frames=frames,
        label="encoder",
        start=1,
        alt="Left: a normal encoder moves onto the posterior. Right: the bound rises towards the log-evidence, which "
        "stays where it is, and the gap between them shrinks.",
        caption="Left: the posterior (orange area) and a normal encoder (blue). Right: the log-evidence (orange line) does "
        "not depend on the encoder. Move the slider: a better encoder raises the bound (blue) by exactly what the gap (green) "
        "loses. A normal encoder cannot close the gap here, since this posterior has two peaks.",
    )


def tempered() -> Html:
    """The best encoder for three prices of the KL term."""
    panel = axes(width=4.6, height=2.4, title="the best encoder")
    for beta, color in ((0.3, PURPLE), (1.0, ORANGE), (4.0, GREEN)):
        weight = PRIOR * (_log_likelihood(X) / beta).exp()
        weight = weight / _integral(weight)
        panel.plot(Z[::4], weight[::4], color=color, label=f"β = {beta:g}")
    panel.fill_between(Z[::4], PRIOR[::4], color=BLUE, alpha=0.15, lw=0)
    panel.text(-3.2, 0.2, "prior", color=BLUE, fontsize=9)
    panel.set(yticks=[], xlim=(-3.5, 3.5))
    panel.set_xlabel("z", style="italic")
    panel.legend(frameon=False, fontsize=9)
    return figure(
        panel,
        alt="Three densities of the code: a sharp one for a small β, the posterior for β = 1, and one that is nearly "
        "the prior for β = 4.",
        caption="The best of all encoders for three values of β. For β = 1 it is the posterior. For β = 4 the KL term costs "
        "more, and the best encoder is nearly the prior: it forgets the observation. For β = 0.3 it is sharper than the posterior.",
    )


def gradients() -> Html:
    """Single-draw gradients of both estimators, as histograms."""
    generator = torch.Generator().manual_seed(0)
    mu, sigma, n = 1.0, 0.5, 20_000
    eps = torch.randn(n, generator=generator, dtype=torch.float64)
    z = mu + sigma * eps
    path, score = 2 * z, z**2 * eps / sigma
    assert abs(float(path.mean()) - 2 * mu) < 0.05
    panel = axes(width=4.6, height=2.3, title="gradient from one draw")
    for values, color, name, height in (
        (score, ORANGE, "score function", 0.22),
        (path, BLUE, "path (reparameterised)", 0.42),
    ):
        panel.hist(
            values.clamp(-8, 12),
            bins=60,
            range=(-8, 12),
            density=True,
            histtype="stepfilled",
            color=color,
            alpha=0.4,
        )
        panel.text(4.4, height, name, color=color, fontsize=9)
    panel.axvline(2 * mu, color=INK, lw=0.8)
    panel.set(yticks=[], xlim=(-8, 12))
    return figure(
        panel,
        alt="Two histograms around the same mean: the one of the path gradient is narrow, the one of the score gradient "
        "spreads over many times its mean.",
        caption="Draw z from a normal with μ = 1 and σ = 0.5, and estimate from this one draw the derivative by μ of the mean of "
        "z². Done 20,000 times in both ways: both histograms have the mean 2 (line), but the path gradients (blue) are much closer to it.",
    )


def blur() -> Html:
    """What a normal decoder makes of two answers, and what a mode-seeking model makes of them."""
    x = torch.linspace(-3, 3, 301, dtype=torch.float64)
    truth = 0.5 * _normal(x, -1.2, 0.3) + 0.5 * _normal(x, 1.2, 0.3)
    std = math.sqrt(1.2**2 + 0.3**2)
    panel = axes(width=4.8, height=2.4, title="density of a pixel, given the code")
    panel.fill_between(x, truth, color=INK, alpha=0.2, lw=0)
    panel.plot(x, _normal(x, 0, std), color=BLUE)
    panel.plot(x, _normal(x, 1.2, 0.3), color=ORANGE)
    panel.plot([0], [0], "o", color=BLUE, clip_on=False)
    panel.text(-0.55, 0.36, "maximum\nlikelihood", color=BLUE, fontsize=9, ha="center")
    panel.text(1.7, 1.0, "one mode", color=ORANGE, fontsize=9)
    panel.set(yticks=[], xlim=(-3, 3), xlabel="value of the pixel: dark or light, never grey")
    return figure(
        panel,
        alt="Grey: two peaks, dark and light. Blue: one wide bell over both, whose mean lies between them. Orange: a narrow "
        "bell on one peak.",
        caption="The code does not say whether the pixel is dark or light: the data have two peaks (grey area). The normal of "
        "maximum likelihood (blue) covers both, and its mean (dot) is a grey value that never occurs: blur. A model that takes "
        "one peak only (orange) is sharp.",
    )


def draws() -> Html:
    """The importance-weighted bound against the number of draws, with the prior as encoder."""
    generator = torch.Generator().manual_seed(2)
    ks, bounds = [1, 2, 4, 8, 16, 32, 64], []
    for k in ks:
        z = torch.randn(20_000, k, generator=generator, dtype=torch.float64)
        distance = ((X - _curve(z)) ** 2).sum(-1)
        log_w = -distance / (2 * 0.35**2) - math.log(2 * math.pi * 0.35**2)
        bounds.append(float((log_w.logsumexp(1) - math.log(k)).mean()))
    assert bounds == sorted(bounds)
    panel = axes(width=4.4, height=2.3, title="bound, nats")
    panel.semilogx(ks, bounds, "o-", color=BLUE, markersize=4)
    panel.axhline(math.log(EVIDENCE), color=ORANGE)
    panel.text(1, math.log(EVIDENCE) + 0.15, "log-evidence", color=ORANGE, fontsize=9)
    panel.set_xticks(ks, [str(k) for k in ks])
    panel.minorticks_off()
    panel.set(xlabel="draws k")
    panel.set_ylim(top=math.log(EVIDENCE) + 1)
    return figure(
        panel,
        alt="The bound rises with the number of draws and comes close to the log-evidence.",
        caption="The observation x of the first picture, with a bad encoder, the prior itself. With one draw the bound is far "
        "below the log-evidence; when k weights are averaged before the logarithm is taken, it comes close.",
    )
