"""The pictures of the chapter on learning without labels: games, weights and collapses, computed."""

from __future__ import annotations

import math

import torch

from genmath.contrastive import augment, info_nce, mutual_information_bound, nt_xent
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp
from genmath.toys import digits

F64 = torch.float64


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _bare(panel):
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_visible(False)
    return panel


def question() -> Html:
    """An anchor and four candidates: views of digits, one of them of the same digit."""
    images = digits(low=0.0).train[[3, 0, 7, 12]]
    large = torch.nn.functional.interpolate(images, scale_factor=4, mode="nearest")
    first = augment(large, crop=0.85, rotate=14, contrast=0.3, generator=_rng(2))
    second = augment(large, crop=0.85, rotate=14, contrast=0.3, generator=_rng(5))
    panels = []
    for image, title in [
        (first[0], "anchor"),
        *zip(second[[2, 1, 0, 3]], ["1", "2", "3", "4"], strict=True),
    ]:
        panel = _bare(axes(width=1.25, height=1.45, title=title))
        panel.imshow(image[0].numpy(), cmap=ramp(ORANGE if title == "anchor" else BLUE))
        panels.append(panel)
    return figure(
        *panels,
        alt="Five small handwritten digits, turned and cropped: the anchor, and four candidates of which the third shows the same digit as the anchor.",
        caption="Views of four pictures. Which of the four candidates is the partner of the anchor? (The third.) Nobody had to say which digit it is.",
    )


def bound() -> Html:
    """log N less the loss of the exact critic, for normal pairs, against what they share."""
    panel = axes(width=4.8, height=2.8, title="nats")
    counts = [2**k for k in range(1, 11)]
    generator = _rng(0)
    for rho, color in ((0.9, BLUE), (0.999, ORANGE), (0.999999, GREEN)):
        shared = -math.log(1 - rho**2) / 2
        found = []
        for n in counts:
            seen = []
            anchors = min(n, 32)
            for _ in range(1024 // anchors):
                x = torch.randn(n, generator=generator, dtype=F64)
                noise = torch.randn(n, generator=generator, dtype=F64)
                y = rho * x + math.sqrt(1 - rho**2) * noise
                scores = -((y - rho * x[:anchors, None]) ** 2) / (2 * (1 - rho**2)) + y**2 / 2
                seen.append(mutual_information_bound(scores))
            found.append(torch.stack(seen).mean())
        panel.plot(counts, found, color=color)
        panel.plot([2, 1024], [shared, shared], color=color, lw=0.8, ls="--")
        panel.text(1100, shared - 0.1, f"I = {shared:.2f}", color=color, fontsize=9)
    panel.plot(counts, [math.log(n) for n in counts], color=INK, lw=0.8)
    panel.text(90, 5.1, "log N", fontsize=9, ha="right")
    panel.set(xscale="log", xlabel="candidates N", ylim=(0, 7.4), xlim=(2, 1024))
    return figure(
        panel,
        alt="Three rising curves against the number of candidates, each below its dashed level and below the curve log N. The lowest reaches its level soon, the highest follows log N all the way.",
        caption="Pairs of normal numbers, of which the mutual information I is known (dashed), and the exact critic. The bound is below I and below log N; where I is large, it says little but N.",
    )


def weights() -> Html:
    """The softmax weights of others by their cosine, at three temperatures."""
    left = axes(width=3.2, title="weight of an other")
    right = axes(width=3.2, title="share of the nearest other")
    cosines = torch.linspace(-0.6, 0.8, 15, dtype=F64)
    for tau, color, at in (
        (1.0, GREEN, (-0.5, 0.1)),
        (0.3, BLUE, (0.18, 0.2)),
        (0.1, ORANGE, (0.3, 0.5)),
    ):
        scores = torch.cat([torch.tensor([0.9], dtype=F64), cosines])[None] / tau
        scores.requires_grad_()
        (slope,) = torch.autograd.grad(info_nce(scores), scores)
        share = slope[0, 1:] / slope[0, 1:].sum()
        left.plot(cosines, share, color=color)
        left.text(*at, f"τ = {tau:g}", color=color, fontsize=9)
    temperatures = torch.logspace(-2, 1, 61, dtype=F64)
    nearest = [float((cosines / t).softmax(0)[-1]) for t in temperatures]
    right.plot(temperatures, nearest, color=INK)
    right.plot([0.01, 10], [1 / 15, 1 / 15], color=INK, lw=0.8, ls="--")
    right.text(0.011, 0.09, "one of fifteen", fontsize=9)
    left.set(xlabel="its cosine with the anchor", ylim=(0, 0.68))
    right.set(xscale="log", xlabel="temperature", ylim=(0, 1.03))
    return figure(
        left,
        right,
        alt="Left: shares of the push against the cosine, steep for a low temperature and nearly flat for a high one. Right: the share of the nearest falls from 1 to a fifteenth as the temperature rises.",
        caption="Fifteen others with cosines from −0.6 to 0.8. Left: how the push is shared among them. Right: what the nearest gets; at a high temperature all get the same.",
    )


def circle() -> Html:
    """Features of six pictures, two views each, after descent on three losses."""
    panels = []
    for title, kind in (
        ("alignment alone", "align"),
        ("uniformity alone", "uniform"),
        ("NT-Xent", "both"),
    ):
        angle = (2 * math.pi * torch.rand(2, 6, generator=_rng(3), dtype=F64)).requires_grad_()
        optimizer = torch.optim.Adam([angle], lr=0.1)
        for _ in range(120):
            x, y = (torch.stack([a.cos(), a.sin()], 1) for a in angle)
            if kind == "align":
                loss = (x - y).square().sum(1).mean() + (x - x.mean(0)).square().sum(1).mean()
            elif kind == "uniform":
                both = torch.cat([x, y])
                scores = both @ both.mT / 0.3
                loss = (
                    scores.masked_fill(torch.eye(12, dtype=torch.bool), -torch.inf)
                    .logsumexp(1)
                    .mean()
                )
            else:
                loss = nt_xent(x, y, temperature=0.3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        panel = _bare(axes(width=2.15, height=2.35, title=title))
        turn = torch.linspace(0, 2 * math.pi, 200)
        panel.plot(turn.cos(), turn.sin(), color=INK, lw=0.6)
        colors = [BLUE, ORANGE, GREEN, PURPLE, INK, "#8a8a8a"]
        for k, color in enumerate(colors):
            for view, marker in ((0, "o"), (1, "s")):
                a = float(angle[view, k].detach())
                r = 1.0 + 0.08 * view
                panel.plot([r * math.cos(a)], [r * math.sin(a)], marker, color=color, ms=6)
        panel.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
        panels.append(panel)
    return figure(
        *panels,
        alt="Three circles with twelve marks in six colours. Left: all at one place. Middle: spread evenly, colours mixed. Right: spread evenly, with the two marks of each colour together.",
        caption="Six pictures (colours), two views each (a disc, and a square a little outside), after descent. For alignment alone one point would do for all (the loss on the left also pulls them together); uniformity alone spreads views without regard to pictures; both together put partners together and pictures apart.",
    )


def collapse() -> Html:
    """How encoder and predictor move, with a stop-gradient and without."""
    v, c, eta = 1.0, 0.9, 0.05
    panels = []
    for title, stop in (("with stop-gradient", True), ("without", False)):
        panel = axes(width=3.1, height=2.9, title=title)
        for start in (
            (0.2, 0.9),
            (0.9, 0.15),
            (1.2, 1.2),
            (0.25, 0.25),
            (0.04, 0.2),
            (0.03, 0.04),
            (1.2, 0.5),
        ):
            w, p = start
            path = [start]
            for _ in range(6000):
                pull = p * w * (p * v - c) if stop else w * (p * p * v - 2 * p * c + v)
                w, p = w - 0.02 * (pull + eta * w), p - 0.02 * (w * w * (p * v - c) + eta * p)
                path.append((w, p))
            alive = w > 0.1
            panel.plot(*zip(*path, strict=True), color=BLUE if alive else ORANGE)
            panel.plot([w], [p], "o", color=BLUE if alive else ORANGE, ms=6)
            panel.plot([start[0]], [start[1]], ".", color=INK, ms=5)
        panel.set(
            xlim=(-0.03, 1.5),
            ylim=(-0.03, 1.3),
            xlabel="encoder w",
            xticks=[0, 0.5, 1],
            yticks=[0, 0.5, 1],
        )
        panels.append(panel)
    panels[0].set(ylabel="predictor p")
    return figure(
        *panels,
        alt="Paths in the plane of encoder and predictor. With stop-gradient most end in a point near 0.84, 0.84, and those that start small end in the origin; without it all end at the origin.",
        caption="Spread 1, shared 0.9, decay 0.05, from seven beginnings (dots). With a stop-gradient most paths (blue) end where the feature is alive; those that begin too small collapse (orange). Without it every one of them collapses.",
    )


def dino() -> Html:
    """A teacher that follows a student that agrees, for three settings."""
    panel = axes(width=4.8, height=2.7, title="mean entropy of the teacher's outputs")
    outputs, pictures = 8, 64
    for name, centring, ratio, color, at in (
        ("sharpening alone", False, 2.0, ORANGE, (26, 0.15)),
        ("centring alone", True, 1.0, GREEN, (24, 1.85)),
        ("neither", False, 1.0, INK, (2, 1.65)),
    ):
        bias = 0.3 * torch.randn(outputs, generator=_rng(1), dtype=F64)
        teacher = bias.expand(pictures, outputs).clone()
        entropy = []
        for _ in range(61):
            shown = teacher - teacher.mean(0) if centring else teacher
            entropy.append(float(torch.special.entr((shown / 0.5).softmax(1)).sum(1).mean()))
            student = ratio * shown
            teacher = 0.9 * teacher + 0.1 * student
        panel.plot(range(61), entropy, color=color)
        panel.text(*at, name, color=color, fontsize=9)
    panel.plot([0, 60], [math.log(outputs)] * 2, color=INK, lw=0.8, ls="--")
    panel.text(60, math.log(outputs) + 0.05, "log 8", fontsize=9, ha="right")
    panel.set(xlabel="rounds", ylim=(0, 2.35), xlim=(0, 60))
    return figure(
        panel,
        alt="Entropy against rounds: with sharpening alone it falls to zero, with centring alone it is at log 8 from the start, with neither it stays where it began.",
        caption="A network that says the same of all pictures; in each round the student agrees with the teacher, which moves a tenth of the way. Sharpening alone ends in one choice, centring alone in a uniform output; with neither nothing moves.",
    )


def ema() -> Html:
    """The weights of past students in the teacher, for two decays."""
    panel = axes(width=4.8, height=2.5, title="weight of a student in the teacher")
    ages = list(range(1, 301))
    for m, color, at in ((0.99, BLUE, (125, 0.0042)), (0.97, ORANGE, (18, 0.02))):
        panel.plot(ages, [(1 - m) * m ** (age - 1) for age in ages], color=color)
        panel.text(*at, f"m = {m}", color=color, fontsize=9)
        panel.plot([1 / (1 - m)] * 2, [0, (1 - m) / math.e], color=color, lw=0.8, ls="--")
    panel.set(xlabel="age in steps", ylim=(0, 0.031), xlim=(0, 300))
    return figure(
        panel,
        alt="Two falling curves of weights against age; the one of the larger decay starts lower and reaches farther.",
        caption="Each step back multiplies the weight by m. Dashed: the mean age, 100 steps and 33 steps.",
    )
