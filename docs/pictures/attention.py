"""The pictures of the chapter on attention: small scenes in which every weight is computed."""

from __future__ import annotations

import math

import torch

from genmath.attention import (
    attention,
    attention_weights,
    block_cost,
    group_mask,
    local_mask,
    sinusoids,
)
from genmath.figures import BLUE, GREEN, INK, ORANGE, Html, axes, figure, ramp
from genmath.nets import causal_mask

F64 = torch.float64


def _bare(panel):
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_visible(False)
    return panel


def question() -> Html:
    """Words and patches of a small scene: how much each patch takes from each word."""
    words = ["a", "red", "ball", "on", "a", "blue", "box"]
    # Features: article or preposition, red, blue, round, square.
    keys = torch.tensor(
        [
            [1, 0, 0, 0, 0],
            [0, 3, 0, 1, 0],
            [0, 1, 0, 3, 0],
            [1, 0, 0, 0, 0],
            [1, 0, 0, 0, 0],
            [0, 0, 3, 0, 1],
            [0, 0, 1, 0, 3],
        ],
        dtype=F64,
    )
    asks = {"the ball": [0, 1.6, 0, 1.6, 0], "the box": [0, 0, 1.6, 0, 1.6], "the wall": [0.0] * 5}
    queries = torch.tensor(list(asks.values()), dtype=F64)
    weights = attention_weights(queries, keys)
    panel = _bare(axes(width=6.4, height=2.6))
    places = {"the ball": 1.5, "the box": 4.5, "the wall": 6.0}
    for (patch, x), row, color in zip(places.items(), weights, (ORANGE, BLUE, INK), strict=True):
        for i, weight in enumerate(row.tolist()):
            panel.plot([x, i], [1, 0], color=color, lw=0.3 + 6 * weight, solid_capstyle="butt")
        panel.text(x, 1.1, patch, ha="center", fontsize=10, color=color)
    for i, word in enumerate(words):
        panel.text(i, -0.1, word, ha="center", va="top", fontsize=10)
    panel.set(xlim=(-0.5, 6.7), ylim=(-0.35, 1.3))
    return figure(
        panel,
        alt="Three patches of a picture above the words of a caption, joined by lines. The ball has thick lines to red and "
        "ball, the box to blue and box, the wall thin ones to all words alike.",
        caption="How much a patch takes from each word: the thickness of a line is the weight, a softmax of the scores. The wall asks for nothing, "
        "and takes from all alike.",
    )


def kernel() -> Html:
    """A curve guessed from samples, by bells of three widths, with keys of one length."""
    generator = torch.Generator().manual_seed(3)
    at = torch.linspace(-2.8, 2.8, 24, dtype=F64)
    noise = 0.15 * torch.randn(24, generator=generator, dtype=F64)
    measured = torch.sin(1.6 * at) + noise

    def on_circle(angle: torch.Tensor) -> torch.Tensor:
        return torch.stack([angle.cos(), angle.sin()], -1)

    fine = torch.linspace(-3, 3, 241, dtype=F64)
    panel = axes(width=5.2, height=2.7)
    panel.plot(at, measured, "o", color=INK, markersize=3)
    for tau, color, low in ((0.003, GREEN, 0.1), (0.04, BLUE, -0.12), (1.0, ORANGE, 0)):
        keys = on_circle(at)
        guess = attention(on_circle(fine), keys, measured[:, None], temperature=tau)[:, 0]
        bell = torch.exp(-(torch.cdist(on_circle(fine), keys) ** 2) / (2 * tau))
        assert (guess - bell @ measured / bell.sum(1)).abs().max() < 1e-9
        panel.plot(fine, guess, color=color)
        end = float(guess[-1]) - low
        panel.text(3.08, end, f"τ = {tau:g}", color=color, fontsize=9, va="center")
    panel.set(xlim=(-3, 3.6), ylim=(-1.3, 1.2), xticks=[], yticks=[-1, 0, 1])
    return figure(
        panel,
        alt="Dots along a wave and three curves: one runs through every dot, one follows the wave smoothly, one is nearly flat.",
        caption="Attention as a guess of a curve: the dots are keys (points of a circle, so all equally long) with their values, the query runs along. A low temperature "
        "repeats single dots, a high one averages all.",
    )


def denoiser() -> Html:
    """Five data on a line: what the exact denoiser says at three levels of noise, as attention."""
    data = torch.tensor([-2.0, -1.2, 0.3, 1.0, 2.4], dtype=F64)
    fine = torch.linspace(-4, 4, 321, dtype=F64)
    panel = axes(width=5.2, height=2.8, title="guess of the clean number")
    for sigma, color, low in ((0.25, GREEN, -0.15), (0.8, BLUE, 0.2), (2.5, ORANGE, 0)):
        v = sigma**2
        # The square of a key off its score: one more feature, a query of 1.
        query = torch.stack([fine, torch.ones_like(fine)], 1)
        keys = torch.stack([data, -(data**2) / 2], 1)
        guess = attention(query, keys, data[:, None], temperature=v)[:, 0]
        bell = torch.exp(-((fine[:, None] - data) ** 2) / (2 * v))
        assert (guess - bell @ data / bell.sum(1)).abs().max() < 1e-9
        panel.plot(fine, guess, color=color)
        end = float(guess[-1]) - low
        panel.text(4.1, end, f"σ = {sigma:g}", color=color, fontsize=9, va="center")
    panel.plot([-4.0] * 5, data, ">", color=INK, markersize=5, clip_on=False)
    panel.set(xlim=(-4, 5), ylim=(-2.8, 2.8), xlabel="noisy number", xticks=[-4, -2, 0, 2, 4])
    return figure(
        panel,
        alt="Three rising curves against the noisy number: for little noise a staircase whose steps are the five data, for more noise a smooth "
        "curve, for much noise a nearly flat one.",
        caption="Five data (arrowheads at the left) and the best guess of the clean number, computed by attention over them. With little noise it returns the nearest one; "
        "with much noise it stays near their mean.",
    )


def saturation() -> Html:
    """Sixteen scores of three spreads: the weights, sorted, and what is left of the slopes."""
    generator = torch.Generator().manual_seed(1)
    left = axes(width=3.4, title="weights, sorted")
    right = axes(width=3.2, title="mean slope a(1 − a) of the largest")
    scores = torch.randn(4000, 16, generator=generator, dtype=F64)
    for spread, color in ((1.0, BLUE), (4.0, GREEN), (16.0, ORANGE)):
        weights = (spread * scores).softmax(-1).sort(-1, descending=True)[0].mean(0)
        left.plot(range(1, 17), weights, color=color)
        left.text(
            *{1.0: (8, 0.06), 4.0: (2.2, 0.25), 16.0: (1.4, 0.85)}[spread],
            f"deviation {spread:g}",
            color=color,
            fontsize=9,
        )
    spreads = torch.logspace(-1, 1.5, 41, dtype=F64)
    largest = [(float(s) * scores).softmax(-1).amax(-1) for s in spreads]
    right.plot(spreads, [float((a * (1 - a)).mean()) for a in largest], color=INK)
    right.set(xscale="log", xlabel="deviation of the scores", ylim=(0, 0.26))
    left.set(xlabel="place, by its weight", ylim=(0, 1.02), xticks=[1, 4, 8, 12, 16])
    return figure(
        left,
        right,
        alt="Left: three falling curves of sorted weights, nearly flat for a small deviation of the scores, a single one near 1 for a large "
        "deviation. Right: the slope rises with the deviation to a top near 2 and then falls towards zero.",
        caption="Sixteen normal scores. Left: with the deviation 16, that of 256 features without the division, nearly all weight is on one place. Right: the slope of that weight by its own "
        "score; at its right end the softmax has ceased to learn.",
    )


def waves() -> Html:
    """Places as waves, and the products of all with one: a curve of the distance alone."""
    left = axes(width=3.2, height=2.6, title="features of 48 places")
    right = axes(width=3.2, height=2.6, title="product with the place in the middle")
    table = sinusoids(torch.arange(48, dtype=F64), 32, base=100.0)
    for color, sign in ((BLUE, 1), (ORANGE, -1)):
        left.imshow(
            (sign * table.T).clamp(min=0).numpy(), cmap=ramp(color), vmin=0, vmax=1, aspect="auto"
        )
    left.set(xlabel="place", ylabel="feature", yticks=[0, 15, 31], xticks=[0, 24, 47])
    products = table @ table.T
    for middle, color, width in ((12, ORANGE, 5), (24, BLUE, 1.2)):
        around = range(-12, 13)
        right.plot(around, products[middle, middle - 12 : middle + 13], color=color, lw=width)
    assert (products[12, :25] - products[24, 12:37]).abs().max() < 1e-9
    right.text(2.2, 14.6, "place 12: thick", color=ORANGE, fontsize=9)
    right.text(4.4, 12.8, "place 24: thin", color=BLUE, fontsize=9)
    right.set(xlabel="distance", xticks=[-12, -6, 0, 6, 12])
    return figure(
        left,
        right,
        alt="Left: a table of colours, stripes that are narrow in the first features and broad in the last, once for sines and once for cosines. Right: two curves "
        "that lie on one another, highest at distance zero.",
        caption="Left: sines (upper half) and cosines (lower half) of 48 places, blue above zero, orange below. Right: the product of two places against their distance; it is the same wherever they are.",
    )


def masks() -> Html:
    """Who may look at whom, in six ways."""
    frames, places = torch.arange(16) // 4, torch.arange(16) % 4
    joint = torch.ones(16, 16, dtype=torch.bool)
    shown = {
        "all": joint,
        "causal": causal_mask(16),
        "window": local_mask(16, 2),
        "own frame": group_mask(frames),
        "own place": group_mask(places),
        "text, picture": (torch.arange(16)[:, None] >= 5) | (torch.arange(16) < 5),
    }
    panels = []
    for name, mask in shown.items():
        panel = axes(width=1.75, height=1.95, title=name)
        panel.imshow(mask.float().numpy(), cmap=ramp(BLUE), vmin=0, vmax=1.6)
        panel.set(xticks=[], yticks=[])
        panel.set_xlabel(f"{int(mask.sum())} pairs", fontsize=9)
        panels.append(panel)
    return figure(
        *panels,
        alt="Six square grids: all filled; the lower triangle; a band along the diagonal; four blocks along the diagonal; a pattern of repeated diagonals; all but the upper right corner.",
        caption="Each row is a token that asks, each column one that may be looked at. Sixteen tokens: all look at all, a text that is written, a window of two to both sides, four frames of four places (within a frame, "
        "and across frames), and last five tokens of text before eleven of a picture: the text does not look at the picture, which looks at both.",
    )


def depth() -> Html:
    """The variance of a stream through layers of random weights, as they are and scaled."""
    generator = torch.Generator().manual_seed(0)
    width, layers = 128, 64
    panel = axes(width=4.8, height=2.6, title="variance of the stream")

    def run(scale: float, norm: bool) -> list[float]:
        x = torch.randn(256, width, generator=generator, dtype=F64)
        seen = [float(x.var())]
        for _ in range(layers):
            matrix = torch.randn(width, width, generator=generator, dtype=F64) / math.sqrt(width)
            read = torch.nn.functional.layer_norm(x, (width,)) if norm else x
            x = x + scale * read @ matrix
            seen.append(float(x.var()))
        return seen

    for scale, norm, color, name, at in (
        (1.0, True, BLUE, "normed: 1 more each time", (30, 13)),
        (1 / math.sqrt(layers), True, GREEN, "normed and scaled", (34, 2.7)),
        (1.0, False, ORANGE, "as it is: doubled each time", (11, 900)),
    ):
        seen = run(scale, norm)
        panel.plot(range(layers + 1), seen, color=color)
        panel.text(*at, name, color=color, fontsize=9)
    panel.set(yscale="log", ylim=(0.8, 3e3), xlim=(0, layers), xlabel="layers")
    return figure(
        panel,
        alt="Three curves of the variance on a logarithmic scale against the number of layers: one rises steeply out of the picture, one rises to about 65, one stays near 2.",
        caption="Random layers, each added to what it reads. Without norms the variance doubles with each; with norms before, each adds 1; scaled by one over the root of the 64 layers, the end has 2.",
    )


def costs() -> Html:
    """FLOPs of a block of width 1152 against the tokens: matrices and pairs."""
    panel = axes(width=4.8, height=2.8, title="GFLOP of a block")
    tokens = [2**k for k in range(6, 18)]
    made = [block_cost(n, 1152) for n in tokens]
    panel.plot(tokens, [(c.flops - c.pair_flops) / 1e9 for c in made], color=BLUE)
    panel.plot(tokens, [c.pair_flops / 1e9 for c in made], color=ORANGE)
    even = 6 * 1152
    at = block_cost(even, 1152)
    assert at.flops == 2 * at.pair_flops
    panel.plot([even], [at.pair_flops / 1e9], "o", color=INK, markersize=5)
    panel.text(even * 0.75, at.pair_flops / 1e9 * 1.5, f"n = 6d = {even}", fontsize=9, ha="right")
    panel.text(70, 9, "matrices", color=BLUE, fontsize=9)
    panel.text(420, 0.07, "pairs", color=ORANGE, fontsize=9)
    for n, name in ((256, "256²"), (4096, "1024²"), (118_800, "video")):
        panel.plot([n, n], [6e-3, 1.2e-2], color=INK, lw=0.8)
        panel.text(n, 1.5e-2, name, fontsize=9, ha="center")
    panel.set(xscale="log", yscale="log", ylim=(6e-3, 2e5), xlabel="tokens")
    return figure(
        panel,
        alt="Two straight lines on logarithmic axes against the number of tokens; that of the pairs is twice as steep and crosses that of the matrices near 7000 tokens.",
        caption="A block of width 1152. For a picture of 256 or of 1024 pixels a side (8 × smaller codes, patches of two) the matrices cost more; for a video of 129 frames the pairs do.",
    )
