"""The pictures of the chapter on latent diffusion: digits as data, and densities with formulas."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp, slider
from genmath.latent import cost_ratio
from genmath.paths import CosinePath
from genmath.toys import digits

double = torch.float64


def _components():
    """Digits, their mean, the directions of largest variance, and the variance along each."""
    x = digits(dtype=double).train.flatten(1)
    mean = x.mean(0)
    _, singular, directions = torch.linalg.svd(x - mean, full_matrices=False)
    return x, mean, directions, singular**2 / len(x)


def question() -> Html:
    """Two digits, their codes of 12 numbers, and what is rebuilt."""
    x, mean, directions, _ = _components()
    panel = axes(width=5.4, height=2.6)
    for row, index in enumerate((11, 30)):
        code = directions[:12] @ (x[index] - mean)
        rebuilt = mean + code @ directions[:12]
        for left, image in ((0.0, x[index]), (6.2, rebuilt)):
            ink = ((image + 1) / 2).clamp(0, 1).reshape(8, 8)
            extent = (left, left + 2, 2.4 * (1 - row), 2.4 * (1 - row) + 2)
            panel.imshow(
                ink.tolist(), extent=extent, cmap=ramp(BLUE), vmin=0, vmax=1, interpolation="none"
            )
        height = 2.4 * (1 - row) + 1
        bars = (code / code.abs().max() * 0.9).tolist()
        panel.bar([3.15 + 0.16 * i for i in range(12)], bars, 0.12, bottom=height, color=ORANGE)
        panel.annotate("", (3.0, height), (2.1, height), arrowprops={"arrowstyle": "->"})
        panel.annotate("", (6.1, height), (5.15, height), arrowprops={"arrowstyle": "->"})
    for at, text, color in (
        (1, "data, 64 numbers", INK),
        (4.05, "code, 12 numbers", ORANGE),
        (7.2, "decoded", INK),
    ):
        panel.text(at, 4.75, text, ha="center", fontsize=9, color=color)
    panel.set(xlim=(-0.1, 8.4), ylim=(-0.1, 5.1), aspect="equal")
    panel.axis("off")
    return figure(
        panel,
        alt="Two rows: a handwritten digit of 8 by 8 pixels, a bar chart of twelve numbers, and the "
        "digit rebuilt from them, a little blurred.",
        caption="Two digits, the 12 numbers that a linear first stage keeps of each, and what it rebuilds. A "
        "diffusion model of the codes has 12 numbers to draw in place of 64, and the decoder does the rest.",
    )


def gaps() -> Html:
    """Entropy, the decoder's gap and the prior's gap, for normal data and a linear first stage."""
    *_, variances = _components()
    variances = variances + 0.01  # a density needs some spread along every direction
    noise = 0.1
    panel = axes(width=5.2, height=2.7, title="negative bound, in nats")
    entropy = 0.5 * float((math.log(2 * math.pi * math.e) + variances.log()).sum())
    place = 0.0
    for k in (4, 12, 32):
        codes = variances[:k] + noise
        left = torch.cat([variances[:k] * noise / codes, variances[k:]])  # given the code
        decoder = 0.5 * float(64 * left.mean().log() - left.log().sum())
        for name, gap in (
            ("learned", 0.0),
            ("N(0, 1)", 0.5 * float((codes - 1 - codes.log()).sum())),
        ):
            heights = (entropy, decoder, gap)
            for i, color in enumerate((BLUE, ORANGE, PURPLE)):
                panel.bar(place, heights[i], 0.8, bottom=sum(heights[:i]), color=color, alpha=0.75)
            panel.text(place, -5.5, name, ha="center", fontsize=8)
            place += 1
        panel.text(place - 1.5, -10.5, f"{k} numbers", ha="center", fontsize=9)
        place += 0.6
    panel.text(6.9, 0.35 * entropy, "entropy", color=BLUE, fontsize=9)
    panel.text(6.9, 1.3 * entropy, "decoder's gap", color=ORANGE, fontsize=9)
    panel.text(6.9, 2.1 * entropy, "prior's gap", color=PURPLE, fontsize=9)
    panel.set(xlim=(-0.6, 9.3), xticks=[], ylim=(0, 42))
    return figure(
        panel,
        alt="Six stacked bars. The lowest part, the entropy, is the same in all. The decoder's gap shrinks with the "
        "length of the code. The prior's gap is there only under the standard normal prior, and grows with the length.",
        caption="Normal data with the covariance of digits, a linear encoder of 4, 12 or 32 numbers, a linear decoder with one variance for all pixels. The "
        "prior is learned, or a standard normal. A longer code helps the decoder; a better prior closes the prior's gap and no other.",
    )


def compression() -> Html:
    """The share of the digits' variance that is lost, by the length of the code."""
    *_, variances = _components()
    left = axes(width=4.6, title="share of the variance that is thrown away")
    lost = 1 - torch.cat([torch.zeros(1, dtype=double), variances.cumsum(0)]) / variances.sum()
    left.plot(range(65), lost, color=BLUE)
    for k in (4, 12, 32):
        left.plot(k, lost[k], "o", color=ORANGE)
        left.text(k + 1, lost[k] + 0.03, f"{k} numbers: {lost[k]:.1%}", fontsize=9, color=ORANGE)
    left.set(xlabel="numbers in the code", xlim=(0, 64), ylim=(0, 1))
    return figure(
        left,
        alt="A curve that falls steeply: a code of 4 numbers loses half of the variance, one of 12 a fifth, "
        "one of 32 almost nothing.",
        caption="Digits of 64 pixels with a linear code: the last half of the numbers carry almost no variance.",
    )


def collapse() -> Html:
    """The least denoising loss, and the whole bound, against the size of the codes."""
    left, right = axes(title="least denoising loss"), axes(title="whole bound, in nats")
    v = torch.logspace(-3, 2, 200, dtype=double)
    for sigma, color, at in ((0.3, BLUE, 0.22), (0.7, GREEN, 2.0), (0.95, PURPLE, 6.0)):
        alpha2 = 1 - sigma**2
        loss = alpha2 * v / (alpha2 * v + sigma**2)
        left.semilogx(v, loss, color=color)
        here = alpha2 * at / (alpha2 * at + sigma**2)
        left.text(at * 1.25, here - 0.05, f"σ = {sigma:g}", color=color, fontsize=9)
    left.minorticks_off()
    left.set(xlim=(1e-3, 100), ylim=(0, 1.02))
    left.set_xlabel("variance of the codes")
    m = torch.logspace(-2.5, 0, 200, dtype=double)
    for eta2, color, up in ((0.04, BLUE, 1.1), (0.2, ORANGE, -1.7)):
        bound = -0.5 * (math.log(2 * math.pi * eta2) + m / eta2 - torch.log(m))
        right.semilogx(m, bound, color=color)
        best = -0.5 * (math.log(2 * math.pi * eta2) + 1 - math.log(eta2))
        right.plot(eta2, best, "o", color=color)
        right.text(0.0036, float(bound[0]) + up, f"η² = {eta2:g}", color=color, fontsize=9)
        right.plot(1, float(bound[-1]), "s", color=color, markersize=5)
    right.minorticks_off()
    right.set(xlim=(0.003, 1.15), ylim=(-13, 0.6))
    right.set_xlabel("error m of the code; 1: it says nothing")
    return figure(
        left,
        right,
        alt="Left: for three noise levels the least denoising loss rises from zero with the variance of the codes. "
        "Right: the whole bound has its top where the error equals the decoder's variance, and is far lower at the "
        "error of a code that says nothing.",
        caption="Left: normal codes. The smaller the codes, the less there is to lose: followed by itself, this loss makes codes "
        "vanish. Right: data of variance 1. The whole bound is best (dots) at the error m = η², and a collapsed code (squares, m = 1) pays.",
    )


def scale() -> Html:
    """How much of the noisy code is signal, along a path, for three scales of the codes."""
    panel = axes(width=4.6, title="share of the code in the variance of the noisy code")
    t = torch.linspace(0, 1, 200, dtype=double)
    path = CosinePath()
    alpha2, sigma2 = path.alpha(t) ** 2, path.sigma(t) ** 2
    for deviation, color, at in ((0.2, PURPLE, 20), (1.0, GREEN, 100), (5.0, ORANGE, 176)):
        signal = alpha2 * deviation**2
        share = signal / (signal + sigma2)
        panel.plot(t, share, color=color)
        panel.text(
            float(t[at]) + 0.02,
            float(share[at]) + 0.02,
            f"deviation {deviation:g}",
            color=color,
            fontsize=9,
        )
    panel.set(xlabel="time t", xlim=(0, 1.12), ylim=(0, 1.03), xticks=[0, 0.5, 1])
    return figure(
        panel,
        alt="Three falling curves over time: codes of deviation 0.2 vanish at once, those of deviation 1 evenly, "
        "those of deviation 5 only at the very end.",
        caption="The same path (cosine), three scales of the codes. Only with deviation 1 the signal leaves at an even "
        "pace. The others waste most of the times: nothing is left to see, or nothing is hidden yet.",
    )


def cost() -> Html:
    """The cost after compression, over that before, against the factor."""
    panel = axes(width=4.6, title="cost on codes, over cost on pixels")
    factors = [1 + 31 * i / 120 for i in range(121)]
    n = 256.0**2
    for quadratic, color, name, at in (
        (0.0, BLUE, "places: 1/F²", 60),
        (1 / 256, GREEN, "both", 24),
        (1e9, ORANGE, "pairs: 1/F⁴", 3),
    ):
        linear = 1.0 if quadratic < 1 else 0.0
        ratios = [cost_ratio(n, F, linear=linear, quadratic=quadratic) for F in factors]
        panel.loglog(factors, ratios, color=color)
        panel.text(
            factors[at] * (0.72 if linear == 0 else 1.06),
            ratios[at] * (0.04 if linear == 0 else 1.3),
            name,
            color=color,
            fontsize=9,
        )
    panel.minorticks_off()
    panel.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
    panel.set(xlim=(1, 32), ylim=(1e-6, 1.2))
    panel.set_xlabel("factor F by which each side shrinks")
    return figure(
        panel,
        alt="On logarithmic axes two straight lines fall from one, that for pairs of places twice as steep; a curve for "
        "a network with both kinds of cost runs between them.",
        caption="A 256 × 256 image. A network of convolutions follows the blue line, one that is all attention the orange "
        "one; a network with both starts along the orange line, while pairs dominate, and bends towards the slope of the blue one.",
    )


X = torch.linspace(-3, 3, 601, dtype=double)


def _two_peaks(width):
    def bell(x, m, s):
        return torch.exp(-(((x - m) / s) ** 2) / 2) / (s * math.sqrt(2 * math.pi))

    return bell, (bell(X, -1, width) + bell(X, 1, width)) / 2


def blur() -> Html:
    """Data with two peaks, codes with noise: the density of what is decoded, and the numbers."""
    bell, data = _two_peaks(0.25)
    panel = axes(width=5.0, height=2.6, title="density of the data, and of what is decoded")
    frames = {}
    z = torch.linspace(-12, 12, 4801, dtype=double)
    dx, dz = float(X[1] - X[0]), float(z[1] - z[0])
    for tau in (0.3, 0.6, 1.0, 2.0):
        joint = data[:, None] * bell(X[:, None], z, tau)
        of_z = joint.sum(0) * dx
        mean = (joint * X[:, None]).sum(0) * dx / of_z
        decoded = torch.histogram(mean, bins=120, range=(-3.0, 3.0), weight=of_z * dz)
        heights = decoded.hist / 0.05
        left_out = float((joint * (X[:, None] - mean) ** 2).sum() * dx * dz)
        shown = float((of_z * mean**2).sum() * dz)
        whole = float((data * X**2).sum() * dx)
        assert abs(left_out + shown - whole) < 1e-3
        frames[f"{tau:g}: variance {whole:.3f} = {shown:.3f} decoded + {left_out:.3f} lost"] = [
            *panel.plot(decoded.bin_edges[:-1] + 0.025, heights.clamp(max=2.6), color=ORANGE)
        ]
    panel.fill_between(X, data, color=BLUE, alpha=0.2, lw=0)
    panel.plot(X, data, color=BLUE)
    panel.text(1.65, 0.55, "data", color=BLUE, fontsize=9)
    panel.text(-2.9, 2.2, "conditional means", color=ORANGE, fontsize=9)
    panel.set(xlim=(-3, 3), ylim=(0, 2.65), yticks=[])
    panel.set_xlabel("x", style="italic")
    return slider(
        panel,
        frames=frames,
        label="noise of the code",
        start=1,
        alt="Data with two peaks. As the noise of the code grows, the density of the conditional means first gets narrow "
        "peaks, then fills the gap between them, and at last gathers in the middle, where no data are.",
        caption="Codes are data plus noise. With little noise the decoder shows the data, with more it shows what never "
        "occurs: values between the peaks. The variance that is missing is the mean variance of x given its code.",
    )


def features() -> Html:
    """The mean loss of a decoded pixel: squared error, and squared error of the contrast."""
    panel = axes(width=4.6, title="mean loss of what is shown")
    shown = torch.linspace(-1.6, 1.6, 161, dtype=double)
    squared = ((shown - 1) ** 2 + (shown + 1) ** 2) / 2
    contrast = (1 - shown.abs()) ** 2
    panel.plot(shown, squared, color=BLUE)
    panel.plot(shown, contrast, color=ORANGE)
    panel.plot([0], [1], "o", color=BLUE)
    panel.plot([-1, 1], [0, 0], "o", color=ORANGE)
    panel.text(0.0, 1.35, "squared error", color=BLUE, fontsize=9, ha="center")
    panel.text(0.32, 0.62, "of the contrast |x|", color=ORANGE, fontsize=9)
    panel.set(ylim=(-0.05, 2.4), xlim=(-1.6, 1.6), xticks=[-1, 0, 1], yticks=[0, 1, 2])
    panel.set_xlabel("value that the decoder shows, when the pixel is −1 or 1")
    return figure(
        panel,
        alt="Two curves. The squared error has one lowest point, at grey. The error of the contrast has two, at minus one "
        "and at one, and grey is a peak between them.",
        caption="A pixel is −1 or 1 with equal chance. The squared error is least for grey, which never occurs. The squared error "
        "of the feature |x| is least for −1 and for 1, and does not care which.",
    )


def weight() -> Html:
    """Two gradients, before and after the adaptive weight, and their sum."""
    left, right = axes(2.6, 2.6, title="as they come"), axes(2.6, 2.6, title="weighted")
    frames = {}
    first = torch.tensor([3.0, 4.0])
    for degrees in (0, 60, 120, 180):
        turn = math.radians(degrees)
        turned = torch.stack(
            [
                first[0] * math.cos(turn) + first[1] * math.sin(turn),
                -first[0] * math.sin(turn) + first[1] * math.cos(turn),
            ]
        )
        total = first + turned
        length = float(total.norm())
        other = turned / 4
        frames[f"{degrees}°: length of the sum {length:.2f}"] = [
            *left.plot([0, other[0]], [0, other[1]], color=ORANGE, lw=2),
            *right.plot([0, turned[0]], [0, turned[1]], color=ORANGE, lw=2),
            *right.plot([0, total[0]], [0, total[1]], color=INK, lw=1.2, ls="--"),
            *right.plot(*total[:, None], "o", color=INK, markersize=4),
        ]
    for panel in (left, right):
        panel.plot([0, 3], [0, 4], color=BLUE, lw=2)
        panel.plot(0, 0, "o", color=INK, markersize=3)
        panel.set(xlim=(-5.5, 8.5), ylim=(-5.5, 8.5), aspect="equal", xticks=[], yticks=[])
    left.text(-5.0, 6.9, "reconstruction", color=BLUE, fontsize=9)
    left.text(-5.0, 5.6, "adversarial", color=ORANGE, fontsize=9)
    right.text(-5.0, 6.9, "sum", fontsize=9)
    return slider(
        left,
        right,
        frames=frames,
        label="angle between the gradients",
        start=1,
        alt="Left: a long arrow and a short one. Right: both have the same length, and a dashed line shows their sum, "
        "which is shorter the more they oppose each other.",
        caption="The gradients of two losses. Left, the adversarial one is four times as short. Right, after the adaptive weight both are "
        "equally long. Their sum (dashed) shrinks as they turn against each other; opposed, nothing is left.",
    )
