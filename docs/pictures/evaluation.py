"""The pictures of the chapter on evaluation: small sets of points, measured with its own functions."""

from __future__ import annotations

import math

import torch

from genmath.evaluation import frechet_distance, gaussian_kernel, inception_score, prdc
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp
from genmath.toys import GaussianMixture

DATA = GaussianMixture.ring(5, radius=1.4, std=0.22)


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def question() -> Html:
    """Three models of one ring of five: all of it, some of it sharply, all of it with rubbish."""
    real = DATA.sample(120, generator=_rng(), stratified=True, dtype=torch.float64)
    good = DATA.sample(120, generator=_rng(1), stratified=True, dtype=torch.float64)
    three = GaussianMixture([1 / 3] * 3, DATA.means[:3], std=0.22)
    some = three.sample(120, generator=_rng(2), stratified=True, dtype=torch.float64)
    noise = 1.3 * torch.randn(60, 2, generator=_rng(3), dtype=torch.float64)
    mixed = torch.cat([good[:60], noise])
    panels = []
    for name, fake in (("good", good), ("three of five", some), ("half of it noise", mixed)):
        score, fid = prdc(real, fake), float(frechet_distance(real, fake))
        panel = axes(width=2.2, height=2.75, title=name)
        panel.plot(*real.T, ".", color=INK, alpha=0.25, markersize=3)
        panel.plot(*fake.T, ".", color=ORANGE, markersize=3)
        said = f"Fréchet {fid:.2f}\nprecision {score.precision:.2f}\nrecall {score.recall:.2f}"
        panel.set_xlabel(said, fontsize=9)
        panel.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
        panels.append(panel)
    return figure(
        *panels,
        alt="Three panels with a grey ring of five spots, the data, and orange samples: on all five spots; on three of them; on all five and, for half of the samples, "
        "scattered everywhere.",
        caption="Data (grey) and samples (orange) of three models. Precision and recall tell the second and the third apart: one misses data, the other makes what is no data. The Fréchet distance gives one number for either fault.",
    )


def blind() -> Html:
    """Two laws with the same mean and variance, and what a Fréchet distance makes of both."""
    x = torch.linspace(-3.6, 3.6, 361, dtype=torch.float64)
    bell = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    flat = (x.abs() < math.sqrt(3)).double() / math.sqrt(12)
    panel = axes(width=5.2, height=2.3)
    panel.fill_between(x, bell, color=INK, alpha=0.2, lw=0)
    panel.plot(x, flat, color=ORANGE)
    panel.text(-3.5, 0.13, "data: normal", fontsize=9)
    panel.text(1.95, 0.27, "samples: uniform", fontsize=9, color=ORANGE)
    panel.set(yticks=[], ylim=(0, 0.42))
    panel.set_xticks([-math.sqrt(3), 0, math.sqrt(3)], ["−√3", "0", "√3"])
    return figure(
        panel,
        alt="A bell in grey and a flat block in orange over the same line, from minus root three to root three.",
        caption="Mean 0 and variance 1, both. The Fréchet distance of the two laws is 0, and so is their KID with this feature.",
    )


def bias() -> Html:
    """The mean Fréchet distance of two equal normal laws, over the number of points."""
    counts = [8, 16, 32, 64, 128, 256]
    panel = axes(width=5.2, height=2.8, title="Fréchet distance of a perfect model")
    for d, color in ((1, BLUE), (4, GREEN), (16, ORANGE)):
        kept, found = [n for n in counts if n > d], []
        for n in kept:
            draws = torch.randn(30, 2, n, d, generator=_rng(n), dtype=torch.float64)
            found.append(sum(float(frechet_distance(*pair)) for pair in draws) / 30)
        rule = [(2 * d + d * (d + 1) / 2) / n for n in kept]
        panel.loglog(kept, found, "o", color=color, markersize=4)
        panel.loglog(kept, rule, color=color, lw=1)
        name = "1 feature" if d == 1 else f"{d} features"
        panel.text(counts[-1] * 1.12, rule[-1], name, color=color, fontsize=9, va="center")
    panel.set(xlim=(7, 900))
    panel.set_xticks(counts, [str(n) for n in counts])
    panel.minorticks_off()
    panel.set_xlabel("points in each of the two sets")
    return figure(
        panel,
        alt="Three falling lines on logarithmic axes, for 1, 4 and 16 features; dots of the simulation follow them.",
        caption="Two sets of the same normal law. Dots: the mean of 30 computed distances. Lines: the rule of thumb for d features, 2d/N for the means and d(d+1)/(2N) for both spreads. The truth is 0 everywhere.",
    )


def inception() -> Html:
    """Answers of a classifier for four sets of samples, and their score."""
    eye = torch.eye(4, dtype=torch.float64)
    sets = {
        "sharp, varied": 0.04 / 3 + (0.96 - 0.04 / 3) * eye,
        "one class": (0.04 / 3 + (0.96 - 0.04 / 3) * eye[:1]).expand(4, 4),
        "never sure": (0.15 + 0.4 * eye),
    }
    panels = []
    for name, answers in sets.items():
        score = inception_score(answers.log())
        panel = axes(width=2.2, height=2.2, title=name)
        panel.imshow(answers.tolist(), cmap=ramp(ORANGE), vmin=0, vmax=1)
        panel.set_xlabel(f"class\nscore {score:.2f} of 4", fontsize=9)
        panel.set_xticks([0, 1, 2, 3], ["1", "2", "3", "4"])
        panel.set(yticks=[])
        panels.append(panel)
    panels[0].set_ylabel("samples", fontsize=9)
    return figure(
        *panels,
        alt="Three tables of four samples by four classes: dark on the diagonal; dark in one column; pale everywhere with a slightly darker diagonal.",
        caption="Each row is the classifier's answer for one sample. Only answers that are sharp and differ from one another give a high score.",
    )


def witness() -> Html:
    """Mean features of two sets under a Gaussian kernel, and where they differ."""
    x = torch.linspace(-4, 4, 321, dtype=torch.float64).unsqueeze(1)
    real = torch.cat(
        [torch.randn(30, 1, generator=_rng(), dtype=torch.float64) * 0.5 + c for c in (-1.4, 1.4)]
    )
    fake = torch.randn(60, 1, generator=_rng(1), dtype=torch.float64) * 1.4
    panel = axes(width=5.6, height=2.7)
    colors = {"real": INK, "fake": ORANGE}
    means = {}
    for name, points in (("real", real), ("fake", fake)):
        means[name] = gaussian_kernel(0.4)(x, points).mean(1)
        panel.plot(x[:, 0], means[name], color=colors[name], lw=1.2)
        level = -0.36 if name == "real" else -0.42
        panel.plot(
            points[:, 0], torch.full((60,), level), "|", color=colors[name], markersize=6, alpha=0.7
        )
    gap = means["real"] - means["fake"]
    panel.fill_between(x[:, 0], gap, color=PURPLE, alpha=0.35, lw=0)
    panel.axhline(0, color=INK, lw=0.5)
    panel.text(-3.9, 0.36, "mean kernel of the data", fontsize=9)
    panel.text(2.2, 0.18, "of the samples", fontsize=9, color=ORANGE)
    panel.text(-0.1, -0.27, "difference", fontsize=9, color=PURPLE, ha="center")
    panel.set(yticks=[], xlim=(-4, 4), ylim=(-0.47, 0.48))
    return figure(
        panel,
        alt="Two curves over a line: one with two humps over the data, one with a single hump over the samples; their difference is shaded, positive at the humps and negative between.",
        caption="A bump on each point, averaged: the mean features of both sets at each place. Their difference (violet) says where samples are missing and where there are too many; MMD is its size, measured in the kernel's own way.",
    )


def balls() -> Html:
    """The balls around data up to the third neighbour, and samples inside and outside."""
    import matplotlib.patches

    real = DATA.sample(40, generator=_rng(4), stratified=True, dtype=torch.float64)
    inside = DATA.sample(14, generator=_rng(5), stratified=True, dtype=torch.float64)
    fake = torch.cat(
        [
            inside,
            torch.tensor([[0.0, 0.1], [-0.3, 0.3], [2.3, 2.0], [0.2, -0.4]], dtype=torch.float64),
        ]
    )
    k = 3
    radii = torch.cdist(real, real).sort(1).values[:, k]
    near = (torch.cdist(fake, real) <= radii).any(1)
    score = prdc(real, fake, k)
    assert abs(near.double().mean() - score.precision) < 1e-12
    panel = axes(width=3.6, height=3.4)
    for (u, v), r in zip(real.tolist(), radii.tolist(), strict=True):
        panel.add_patch(matplotlib.patches.Circle((u, v), r, color=BLUE, alpha=0.1, lw=0))
    panel.plot(*real.T, ".", color=BLUE, markersize=4)
    panel.plot(*fake[near].T, "o", color=GREEN, markersize=4)
    panel.plot(*fake[~near].T, "x", color=ORANGE, markersize=6)
    panel.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), xticks=[], yticks=[], aspect="equal")
    panel.set_xlabel(f"precision {score.precision:.2f}, coverage {score.coverage:.2f}", fontsize=9)
    return figure(
        panel,
        alt="Blue points in five groups with pale discs around them; green samples in the discs, and orange crosses outside.",
        caption="Data (blue) with their balls, up to the third neighbour. Samples in a ball (green) count for precision, the crosses do not. Coverage is the share of the balls with a sample in them.",
    )


def fools() -> Html:
    """One outlier among the data: precision says that the samples are good, density does not."""
    real = torch.randn(60, 2, generator=_rng(), dtype=torch.float64)
    fake = 3.2 + 0.4 * torch.randn(40, 2, generator=_rng(1), dtype=torch.float64)
    outlier = torch.tensor([[6.5, 6.5]], dtype=torch.float64)
    panels = []
    for name, points in (("without the outlier", real), ("with it", torch.cat([real, outlier]))):
        score = prdc(points, fake)
        panel = axes(width=3.1, height=2.9, title=name)
        panel.plot(*points.T, ".", color=BLUE, markersize=4)
        panel.plot(*fake.T, ".", color=ORANGE, markersize=4)
        said = f"precision {score.precision:.2f}, density {score.density:.2f},\ncoverage {score.coverage:.2f}"
        panel.set_xlabel(said, fontsize=9)
        panel.set(xlim=(-3, 7), ylim=(-3, 7), xticks=[], yticks=[], aspect="equal")
        panels.append(panel)
    return figure(
        *panels,
        alt="Twice the same blue cloud of data and an orange cloud of samples away from it; on the right one more blue point, far out beyond the samples.",
        caption="The samples (orange) are nowhere near the data (blue). One outlier is enough for a perfect precision, since its ball is huge. Density counts it as one ball of many; coverage is not impressed.",
    )


def mixture() -> Html:
    """Log-likelihood and quality of samples, for a good model, a spoiled one and a memory."""
    test = DATA.sample(2000, generator=_rng(), stratified=True, dtype=torch.float64)
    noise = GaussianMixture([1.0], [[0.0, 0.0]], std=2.0)
    shares = [0.0, 0.5, 0.9, 0.99]
    falls = []
    for share in shares:
        model = DATA.log_prob(test) + math.log(1 - share) if share else DATA.log_prob(test)
        spoiled = torch.logaddexp(model, noise.log_prob(test) + math.log(share)) if share else model
        falls.append(float(DATA.log_prob(test).mean() - spoiled.mean()))
    bound = [-math.log(1 - share) for share in shares]
    assert all(fall <= most + 1e-12 for fall, most in zip(falls, bound, strict=True))
    left, right = axes(title="nats lost by noise"), axes(title="samples with 90 % noise")
    at = torch.arange(len(shares))
    left.bar(at, falls, 0.5, color=BLUE)
    left.plot(at, bound, "_", color=ORANGE, markersize=26, markeredgewidth=2)
    left.set_xticks(at, ["0", "50 %", "90 %", "99 %"])
    left.set_xlabel("share of noise")
    left.text(1.6, 4.2, "at most", fontsize=9, color=ORANGE)
    drawn = torch.cat([noise.sample(270, generator=_rng(1)), DATA.sample(30, generator=_rng(2))])
    right.plot(*test[:400].T, ".", color=INK, alpha=0.25, markersize=3)
    right.plot(*drawn.T, ".", color=ORANGE, markersize=3)
    right.set(xlim=(-5, 5), ylim=(-5, 5), xticks=[], yticks=[], aspect="equal")
    return figure(
        left,
        right,
        alt="Left: four bars that grow with the share of noise, each below its bound; the last is below log 100. Right: orange samples scattered over the whole plane around a small grey ring of data.",
        caption="A good model that returns noise most of the time. Its log-likelihood falls by less than the bound, and less than 5 nats even for 99 %; its samples are worthless.",
    )
