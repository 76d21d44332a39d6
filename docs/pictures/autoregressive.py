"""The pictures of the chapter on autoregressive models: small tables, in which all is counted."""

from __future__ import annotations

import math
from itertools import product

import torch

from genmath.autoregressive import DiscretizedLogisticMixture, acceptance_rate, truncate_logits
from genmath.divergences import tv
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp, slider

FIRST, SAME = 0.5, 0.8  # of the example by hand
THIRD = {(1, 1): 0.9, (0, 0): 0.1, (0, 1): 0.5, (1, 0): 0.5}


def _branch(before: tuple[int, ...], letter: int) -> float:
    """The probability of a pixel, when those before it are known."""
    one = (
        FIRST
        if not before
        else (SAME if before[0] else 1 - SAME)
        if len(before) == 1
        else THIRD[before]
    )
    return one if letter else 1 - one


def _probability(pixels: tuple[int, ...]) -> float:
    return math.prod(_branch(pixels[:i], pixel) for i, pixel in enumerate(pixels))


def _bare(panel):
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_visible(False)
    return panel


def question() -> Html:
    """The tree of three pixels, with the probability of each branch and of each end."""
    panel = _bare(axes(width=6.6, height=3.4))
    places: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, 3.5)}
    for pixels in product((0, 1), repeat=3):
        places[pixels] = (3.0, 7.0 - sum(4 // 2**i * pixel for i, pixel in enumerate(pixels)))
    for depth in (2, 1):
        for start in product((0, 1), repeat=depth):
            ends = [places[(*start, pixel)][1] for pixel in (0, 1)]
            places[start] = (float(depth), sum(ends) / 2)
    path = (1, 1, 0)
    for pixels, (x, y) in places.items():
        if not pixels:
            continue
        share = _branch(pixels[:-1], pixels[-1])
        from_x, from_y = places[pixels[:-1]]
        taken = pixels == path[: len(pixels)]
        color = ORANGE if taken else BLUE
        panel.plot([from_x, x], [from_y, y], color=color, lw=0.6 + 4 * share, solid_capstyle="butt")
        panel.text(
            0.42 * from_x + 0.58 * x,
            0.42 * from_y + 0.58 * y + (0.14 if y > from_y else -0.14),
            f"{share:g}",
            color=color if taken else INK,
            fontsize=9,
            ha="center",
            va="bottom" if y > from_y else "top",
        )
    total = 0.0
    for pixels in product((0, 1), repeat=3):
        x, y = places[pixels]
        for i, pixel in enumerate(pixels):
            face = INK if pixel else "none"
            panel.plot(x + 0.16 + 0.14 * i, y, "s", markersize=9, mfc=face, mec=INK, mew=0.8)
        chance = _probability(pixels)
        total += chance
        panel.text(
            x + 0.62,
            y,
            f"{chance:.2f}",
            fontsize=9,
            va="center",
            color=ORANGE if pixels == path else INK,
        )
    assert abs(total - 1) < 1e-12
    for depth, words in enumerate(("first pixel", "second pixel", "third pixel")):
        panel.text(depth + 0.5, 7.75, words, fontsize=9, ha="center")
    panel.text(3.3, 7.75, "picture", fontsize=9, ha="center")
    panel.text(3.75, 7.75, "probability", fontsize=9, ha="center")
    panel.set(xlim=(-0.1, 4.05), ylim=(-0.6, 8.2))
    return figure(
        panel,
        alt="A tree with three forks in a row. At each fork the two branches carry probabilities that add up to one; the "
        "eight ends are the eight pictures of three pixels, with the products of the probabilities on the way.",
        caption="Three pixels, an empty square for 0 and a filled one for 1: one fork for each pixel. A branch is as thick as its probability, and an end "
        "has the product along its path: 0.5 · 0.8 · 0.1 = 0.04 for the orange one. The eight ends add up to one.",
    )


def _errors(length: int, wrong: float) -> tuple[list[float], list[float]]:
    """A chain of two states against one whose step is wrong: TV of the joint laws, and the sum."""
    true = torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=torch.float64)
    made = true + wrong * torch.tensor([[-1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
    p = q = torch.full((2,), 0.5, dtype=torch.float64)
    exact, bound, last = [0.0], [0.0], p
    for _ in range(length):
        p, q = (p[..., None] * true).reshape(-1, 2), (q[..., None] * made).reshape(-1, 2)
        bound.append(bound[-1] + float((last * tv(true, made)).sum()))
        last = last @ true
        exact.append(float(tv(p.flatten(), q.flatten())))
    return exact, bound


def errors() -> Html:
    """The total variation of whole sequences, exactly, and the sum of the errors of the letters."""
    panel = axes(width=5.0, height=2.6, title="total variation")
    for wrong, color in ((0.02, BLUE), (0.05, ORANGE)):
        exact, bound = _errors(16, wrong)
        assert all(a <= b + 1e-12 for a, b in zip(exact, bound, strict=True))
        panel.plot(range(17), bound, color=color, ls="--", lw=1)
        panel.plot(range(17), exact, color=color)
        panel.text(16.2, exact[-1], f"{wrong:g} a letter", color=color, fontsize=9, va="center")
    panel.text(8.6, 0.52, "sum of the errors", fontsize=9, ha="right")
    panel.set(xlim=(0, 16), ylim=(0, 0.6), xlabel="letters", xticks=[0, 4, 8, 12, 16])
    return figure(
        panel,
        alt="Two curves, the error of whole sequences for a smaller and a larger error of a letter; each begins along a dashed straight "
        "line, the sum of the errors, and stays below it.",
        caption="A chain of two states, each kept with probability 0.9, and models that make one of the two too probable by 0.02 or by 0.05. "
        "The total variation of whole sequences (solid, summed over all of them) grows with their length and stays below the sum of the "
        "errors (dashed).",
    )


def race() -> Html:
    """Exponential clocks for three letters, over and over: who rings first."""
    logits = torch.tensor([1.0, 0.2, -0.8], dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    times = torch.empty(24, 3, dtype=torch.float64).exponential_(generator=generator)
    times = times / logits.exp()
    first = times.argmin(1)
    left, right = axes(width=3.9, title="24 races"), axes(width=2.6, title="who is first")
    colors = (BLUE, ORANGE, GREEN)
    for race_, (row, winner) in enumerate(zip(times, first, strict=True)):
        left.plot([0, float(row.min())], [race_, race_], color=INK, lw=0.5, alpha=0.4)
        for k in range(3):
            won = k == int(winner)
            face = colors[k] if won else "none"
            left.plot(
                float(row[k]), race_, "o", markersize=5 if won else 4, mfc=face, mec=colors[k]
            )
    left.set(xlim=(0, 3), yticks=[], xlabel="time")
    many = torch.empty(20_000, 3, dtype=torch.float64).exponential_(generator=generator)
    counted = torch.bincount((many / logits.exp()).argmin(1), minlength=3) / 20_000
    softmax = logits.softmax(-1)
    assert (counted - softmax).abs().max() < 0.012
    for k in range(3):
        right.bar(k, float(counted[k]), 0.6, color=colors[k], alpha=0.35)
        right.plot([k - 0.3, k + 0.3], [float(softmax[k])] * 2, color=colors[k], lw=2)
    right.set(xticks=[0, 1, 2], xticklabels=["ℓ = 1", "0.2", "−0.8"], ylim=(0, 0.7))
    return figure(
        left,
        right,
        alt="Left: rows with three dots each, the first dot of a row is filled. Right: how often each colour was first, as bars, "
        "with lines at the softmax of the logits.",
        caption="Three clocks with the rates exp ℓ. Left: each row is a race; the filled dot rings first. Right: how often each was first in "
        "20 000 races (bars), and the softmax of the logits (lines).",
    )


def temperature() -> Html:
    """A law of eight letters at four temperatures, and what a nucleus keeps of it."""
    p = torch.tensor([0.30, 0.22, 0.16, 0.11, 0.08, 0.06, 0.04, 0.03], dtype=torch.float64)
    panel, right = (
        axes(title="probability at temperature τ"),
        axes(title="entropy and log-probability"),
    )
    frames = {}
    curve = []
    for tau in torch.linspace(0.1, 4, 79, dtype=torch.float64).tolist():
        q = truncate_logits(p.log(), temperature=tau).softmax(-1)
        curve.append((-float((q * q.log()).nan_to_num().sum()), float((q * p.log()).sum())))
    right.plot(*zip(*curve, strict=True), color=INK, lw=1)
    right.set(xlabel="entropy of what is drawn", ylabel="mean log-probability")
    for tau in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0):
        q = truncate_logits(p.log(), temperature=tau).softmax(-1)
        entropy, score = -float((q * q.log()).sum()), float((q * p.log()).sum())
        frames[f"{tau:g}"] = [
            *panel.bar(range(8), q.tolist(), 0.7, color=ORANGE, alpha=0.5),
            *right.plot(entropy, score, "o", color=ORANGE, markersize=6),
        ]
    panel.step([-0.5, *[k + 0.5 for k in range(8)]], [p[0], *p.tolist()], color=BLUE, lw=1)
    panel.text(2.4, 0.55, "model: the line", color=BLUE, fontsize=9)
    panel.text(2.4, 0.48, "drawn: the bars", color=ORANGE, fontsize=9)
    panel.set(xticks=[], ylim=(0, 0.7), xlabel="eight letters")
    return slider(
        panel,
        right,
        frames=frames,
        label="temperature",
        start=1,
        alt="Left: bars of eight letters, steeper than the model's for a low temperature and flatter for a high one. Right: a "
        "curve of mean log-probability against entropy; the dot moves along it.",
        caption="Left: the model (line) and what is drawn at temperature τ (bars). Right: no law has a higher mean log-probability for its "
        "entropy than the tempered ones, which make up the curve; τ = 1 is the model itself.",
    )


def speculative() -> Html:
    """Draft and target as bars: what they share is kept, what the target has more is drawn."""
    p = torch.tensor([0.42, 0.28, 0.14, 0.10, 0.06], dtype=torch.float64)
    q = torch.tensor([0.25, 0.33, 0.22, 0.06, 0.14], dtype=torch.float64)
    kept = torch.minimum(p, q)
    more, less = ((law - kept).tolist() for law in (p, q))
    rate = float(acceptance_rate(p, q))
    assert abs(rate - (1 - float(tv(p, q)))) < 1e-12
    left, right = axes(title="draft"), axes(title="target")
    for panel, rest, color in ((left, less, ORANGE), (right, more, GREEN)):
        panel.bar(range(5), kept.tolist(), 0.7, color=BLUE, alpha=0.5)
        panel.bar(range(5), rest, 0.7, bottom=kept.tolist(), color=color, alpha=0.5)
    left.text(1.6, 0.41, f"thrown away: {1 - rate:.2f}", color=ORANGE, fontsize=9)
    left.text(1.6, 0.36, f"kept: {rate:.2f}", color=BLUE, fontsize=9)
    right.text(1.2, 0.41, f"drawn instead: {1 - rate:.2f}", color=GREEN, fontsize=9)
    for panel in (left, right):
        panel.set(xticks=[], ylim=(0, 0.46), xlabel="five letters")
    return figure(
        left,
        right,
        alt="Two bar charts of five letters. Their common part is blue in both. What the draft has above it is orange, what the "
        "target has above it is green, and the two coloured areas are equal.",
        caption="What draft and target have in common (blue) is kept. What the draft has too much (orange) is thrown away, and as much is drawn "
        "from what the target has more (green). Blue and green together are the target.",
    )


def _seen(kind: str, layers: int, size: int) -> torch.Tensor:
    """Which pixels the one in the middle of the bottom row sees, by walking the masks backwards."""
    seen = torch.zeros(size, size, dtype=torch.bool)
    start = (size - 1, size // 2)
    plain = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
    if kind == "one stack":
        frontier = {start}
        for layer in range(layers):
            steps = plain if layer == 0 else [*plain, (0, 0)]
            frontier = {(r + i, c + j) for r, c in frontier for i, j in steps}
        reached = frontier
    else:  # the rows above by a vertical stack, this row by a horizontal one
        above = {(start[0] - 1, start[1] + j) for j in (-1, 0, 1)}
        row = {(start[0], start[1] - 1)}
        for _ in range(layers - 1):
            above |= {(r + i, c + j) for r, c in above for i in (-1, 0) for j in (-1, 0, 1)}
            row |= {(r, c - 1) for r, c in row}
            # The horizontal stack is told at each of its places what the vertical one knows.
            above |= {(r - 1, c + j) for r, c in row for j in (-1, 0, 1)}
        reached = above | row
    for r, c in reached:
        if 0 <= r < size and 0 <= c < size:
            seen[r, c] = True
    return seen


def blind_spot() -> Html:
    """The pixels that a stack of masked convolutions sees, with and without a vertical stack."""
    size, layers = 9, 8
    panels = []
    for kind in ("one stack", "two stacks"):
        panel = _bare(axes(width=2.9, height=2.9, title=f"{kind}, {layers} layers"))
        seen = _seen(kind, layers, size)
        before = torch.arange(size * size).reshape(size, size) < size * (size - 1) + size // 2
        assert not (seen & ~before).any()
        hidden = before & ~seen
        assert bool(hidden.any()) == (kind == "one stack")
        for mask, color in ((seen, BLUE), (hidden, ORANGE)):
            panel.imshow(mask.float().numpy(), cmap=ramp(color), vmin=0, vmax=1.6)
        panel.plot(size // 2, size - 1, "s", color=INK, markersize=9)
        for i in range(size + 1):
            panel.plot([-0.5, size - 0.5], [i - 0.5] * 2, color=INK, lw=0.3, alpha=0.3)
            panel.plot([i - 0.5] * 2, [-0.5, size - 0.5], color=INK, lw=0.3, alpha=0.3)
        if hidden.any():
            panel.text(6.6, 5.2, "never\nseen", color=INK, fontsize=9, ha="center")
        panels.append(panel)
    return figure(
        *panels,
        alt="Two grids of pixels. With one stack a triangle to the upper right of the pixel in the bottom row is not seen; with two "
        "stacks all rows above are seen.",
        caption="What the marked pixel sees (blue) through eight masked 3 × 3 convolutions. With one stack a triangle on the right stays out of sight "
        "(orange), and more layers do not help. A vertical stack beside the horizontal one sees all of it.",
    )


def dilations() -> Html:
    """Four causal layers whose dilations double, and the sixteen numbers one output sees."""
    panel = _bare(axes(width=6.4, height=2.4))
    length, layers = 20, 4
    for layer in range(layers + 1):
        panel.plot(range(length), [layer] * length, "o", color=INK, markersize=2.5, alpha=0.35)
    here = {length - 1}
    for layer in range(layers, 0, -1):
        gap = 2 ** (layer - 1)
        after = {at - back for at in here for back in (0, gap)}
        for at in here:
            for back in (0, gap):
                panel.plot([at - back, at], [layer - 1, layer], color=BLUE, lw=0.9)
        panel.plot(sorted(here), [layer] * len(here), "o", color=BLUE, markersize=4)
        panel.text(length - 0.2, layer - 0.5, f"dilation {gap}", fontsize=9, va="center")
        here = after
    assert len(here) == 16
    panel.plot(sorted(here), [0] * len(here), "o", color=ORANGE, markersize=5)
    panel.text(length - 9, -0.55, "16 inputs", color=ORANGE, fontsize=9, ha="center")
    panel.set(xlim=(-0.5, length + 3), ylim=(-0.9, layers + 0.3))
    return figure(
        panel,
        alt="Five rows of dots. From one dot in the top row lines go down, two from each dot, with gaps of 8, 4, 2 and 1; in the "
        "bottom row sixteen neighbouring dots are reached.",
        caption="Kernels of two numbers with the dilations 1, 2, 4, 8: one output sees 1 + (1 + 2 + 4 + 8) = 16 inputs, each by one path.",
    )


def bins() -> Html:
    """A mixture of two logistic densities on sixteen levels, and its bins."""
    law = DiscretizedLogisticMixture(
        torch.tensor([0.4, 0.6], dtype=torch.float64).log(),
        torch.tensor([3.2, 14.2], dtype=torch.float64),
        torch.tensor([0.9, 1.3], dtype=torch.float64).log(),
        levels=16,
    )
    probabilities = law.log_probs().exp()
    assert abs(float(probabilities.sum()) - 1) < 1e-12
    panel = axes(width=5.4, height=2.4, title="probability of a level")
    at = torch.linspace(-1.5, 18.5, 401, dtype=torch.float64)
    density = sum(
        w * torch.sigmoid((at - m) / s) * torch.sigmoid(-(at - m) / s) / s
        for w, m, s in ((0.4, 3.2, 0.9), (0.6, 14.2, 1.3))
    )
    panel.bar(range(16), probabilities.tolist(), 0.92, color=BLUE, alpha=0.4)
    panel.plot(at, density, color=ORANGE)
    panel.text(4.9, 0.1, "density", color=ORANGE, fontsize=9)
    panel.annotate(
        "all that is beyond",
        (15.2, float(probabilities[15]) * 0.93),
        xytext=(8.2, 0.15),
        fontsize=9,
        color=PURPLE,
        arrowprops={"arrowstyle": "-", "color": PURPLE, "lw": 0.8},
    )
    panel.set(xlim=(-1.6, 18.4), xticks=[0, 5, 10, 15], xlabel="level", yticks=[0, 0.1])
    return figure(
        panel,
        alt="Bars on sixteen levels under a curve with two bumps. The last bar is higher than the curve, since it also has the part "
        "of the curve to its right.",
        caption="A mixture of two logistic densities (orange) and the probabilities of sixteen levels (bars): the integral over each bin. The first and "
        "the last bin take what is beyond them.",
    )
