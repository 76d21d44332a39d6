"""The pictures of the chapter on discrete codes: small codebooks, in which all is computed."""

from __future__ import annotations

import math

import torch

from genmath.autoregressive import log_prob
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp, slider
from genmath.likelihood import kmeans
from genmath.toys import GaussianMixture, digits
from genmath.vq import FSQ, VectorQuantizer, code_perplexity, nearest_code

COLORS = (BLUE, ORANGE, GREEN, PURPLE)


def _bare(panel):
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_visible(False)
    return panel


def _patches(images: torch.Tensor) -> torch.Tensor:
    """(N, 1, 8, 8) to (N, 16, 4): the 4 x 4 grid of patches of 2 x 2 pixels, row by row."""
    return images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).flatten(1, 3)


def _codebook() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sixteen codes for patches of digits, darkest last, and the tokens of both halves."""
    data = digits(low=0.0)
    train, test = _patches(data.train), _patches(data.test)
    generator = torch.Generator().manual_seed(0)
    codes = kmeans(train.flatten(0, 1), 16, generator=generator).centres
    codes = codes[codes.sum(1).argsort()]
    return codes, nearest_code(train, codes), nearest_code(test, codes)


def _picture(patches: torch.Tensor) -> torch.Tensor:
    """(16, 4) to (8, 8)."""
    return patches.reshape(4, 4, 2, 2).permute(0, 2, 1, 3).reshape(8, 8)


def question() -> Html:
    """A digit, its tokens, the book in which they are looked up, and what comes back."""
    codes, _, tokens = _codebook()
    which = 7
    image = digits(low=0.0).test[which, 0]
    panels = [
        _bare(axes(width=1.65, height=1.75, title=title))
        for title in ("64 pixels", "16 tokens", "16 codes", "rebuilt")
    ]
    shown = ramp(BLUE)
    panels[0].imshow(image.numpy(), cmap=shown, vmin=0, vmax=1)
    for place, token in enumerate(tokens[which].tolist()):
        row, column = divmod(place, 4)
        panels[1].text(column, row, str(token), ha="center", va="center", fontsize=10)
    panels[1].set(xlim=(-0.5, 3.5), ylim=(3.5, -0.5), aspect="equal")
    for k, code in enumerate(codes):
        row, column = divmod(k, 4)
        box = (3 * column, 3 * column + 2, 3 * row + 2, 3 * row)
        panels[2].imshow(
            code.reshape(2, 2).numpy(), cmap=shown, vmin=0, vmax=1, extent=box, interpolation="none"
        )
        panels[2].plot(
            [box[0], box[1], box[1], box[0], box[0]],
            [box[2], box[2], box[3], box[3], box[2]],
            color=INK,
            lw=0.3,
        )
        panels[2].text(box[1] + 0.1, box[2], str(k), fontsize=7)
    panels[2].set(xlim=(-0.2, 12), ylim=(11.5, -0.3), aspect="equal")
    back = _picture(codes[tokens[which]])
    panels[3].imshow(back.numpy(), cmap=shown, vmin=0, vmax=1)
    for panel in panels[:2]:
        for edge in range(5):
            at = 2 * edge - 0.5 if panel is panels[0] else edge - 0.5
            ends = (-0.5, 7.5) if panel is panels[0] else (-0.5, 3.5)
            panel.plot(ends, (at, at), color=INK, lw=0.4, alpha=0.5)
            panel.plot((at, at), ends, color=INK, lw=0.4, alpha=0.5)
    return figure(
        *panels,
        alt="A handwritten digit of eight by eight pixels under a grid of four by four patches, the sixteen numbers of its "
        "patches, the book of sixteen patches that the numbers mean, and the digit put together from it.",
        caption="A digit is cut into 16 patches of 2 × 2 pixels. Each becomes the number of the nearest of 16 codes, which k-means found for "
        "patches of other digits. From the 16 numbers, 64 bits, the digit is rebuilt. In this chapter a network takes the place of the cutting.",
    )


def voronoi() -> Html:
    """Codes in the plane, their cells, and points with the colour of their code."""
    panel = axes(width=4.2, height=3.4)
    generator = torch.Generator().manual_seed(4)
    mixture = GaussianMixture.ring(5, radius=1.6, std=0.45)
    x = mixture.sample(220, generator=generator).double()
    codes = kmeans(x, 7, generator=generator).centres
    side = torch.linspace(-3, 3, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    cells = nearest_code(grid, codes).reshape(401, 401).T
    for k in range(7):
        mask = (cells == k).double().numpy()
        panel.contour(side, side, mask, levels=[0.5], colors=[INK], linewidths=0.6)
    tokens = nearest_code(x, codes)
    for k in range(7):
        own = x[tokens == k]
        panel.plot(*own.T, "o", color=COLORS[k % 4], markersize=2.5)
        panel.plot(*codes[k], "o", color=COLORS[k % 4], markersize=9, mec=INK)
    panel.set(xlim=(-3, 3), ylim=(-2.6, 2.6), aspect="equal", xticks=[], yticks=[])
    return figure(
        panel,
        alt="Seven large dots in the plane with straight borders between their cells, and small points that have the colour of "
        "the large dot of their cell.",
        caption="Seven codes (large) and their cells. Every vector (small) of a cell is replaced by its code. All borders are straight, and no "
        "cell has a dent.",
    )


def straight() -> Html:
    """The loss as a function of the encoder's output: steps, and the slopes that are handed back."""
    left, right = axes(title="what the encoder is told"), axes(title="where it goes")
    a = 0.3
    z = torch.linspace(-0.6, 2.2, 561, dtype=torch.float64)
    codes = torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)

    def code(at: torch.Tensor) -> torch.Tensor:
        return codes[nearest_code(at.unsqueeze(1), codes), 0]

    left.plot(z, (z - a) ** 2, color=INK, lw=0.8, ls="--")
    for k in range(3):
        low, high = max(k - 0.5, -0.6), min(k + 0.5, 2.2)
        left.plot([low, high], [(k - a) ** 2] * 2, color=BLUE)
    for at in (-0.25, 0.3, 0.75, 1.25, 1.8):
        e = float(code(torch.tensor([at], dtype=torch.float64)))
        slope, height = 2 * (e - a), (e - a) ** 2
        step = 0.17
        left.plot(
            [at - step, at + step], [height - step * slope, height + step * slope], color=ORANGE
        )
        left.plot(at, height, "o", color=ORANGE, markersize=4)
    left.text(1.25, 2.6, "loss at the code", color=BLUE, fontsize=9, ha="right")
    left.text(1.25, 2.2, "slope handed on", color=ORANGE, fontsize=9, ha="right")
    left.set(xlim=(-0.6, 2.2), ylim=(-0.3, 3.2), xticks=[0, 1, 2])
    left.set_xlabel("z", style="italic")
    at, path, taken = 1.8, [], []
    for _ in range(1010):
        e = float(code(torch.tensor([at], dtype=torch.float64)))
        path.append(at)
        taken.append(e)
        at -= 0.05 * 2 * (e - a)
    share = sum(taken[10:]) / 1000
    assert abs(share - a) < 0.01
    right.plot(path[:40], "o-", color=ORANGE, lw=1, markersize=3)
    right.plot(taken[:40], "o", color=BLUE, markersize=4)
    right.axhline(0.5, color=INK, lw=0.8, ls=":")
    right.text(12, 1.13, f"code e, in the mean {share:.2f}", color=BLUE, fontsize=9)
    right.text(2.6, 1.55, "z", color=ORANGE, fontsize=9, style="italic")
    right.set(xlim=(-1, 40), ylim=(-0.1, 2.1), xlabel="gradient step")
    return figure(
        left,
        right,
        alt="Left: a loss that is constant on three steps, with tilted short lines on it, and a dashed parabola. Right: the encoder's "
        "output falls to the border one half and stays there; the code jumps between 0 and 1.",
        caption="Codes 0, 1, 2 and the loss (e − 0.3)². Left: the loss is constant in each cell (blue); the slope that is handed to z is that of the "
        "parabola (dashed) at the code (orange). Right: steps with it. The output hovers about the border ½, and the mean of the codes is 0.3.",
    )


def ema() -> Html:
    """Codes that follow running means of small batches, to where k-means stands still."""
    left, right = axes(title="codes"), axes(title="mean squared error")
    generator = torch.Generator().manual_seed(1)
    mixture = GaussianMixture.ring(4, radius=1.5, std=0.35)
    x = mixture.sample(400, generator=generator)
    start = 0.4 * torch.randn(4, 2, generator=generator)
    best = kmeans(x.double(), 4, start=start.double())
    left.plot(*x.T, "o", color=INK, markersize=1.2, alpha=0.35)
    for decay, color in ((0.9, BLUE), (0.99, ORANGE)):
        quantizer = VectorQuantizer(4, 2, decay=decay, generator=generator)
        quantizer._put(slice(None), start, 16.0)
        places, errors = [], []
        for _ in range(300):
            places.append(quantizer.table.detach().clone())
            away = x - quantizer.table[nearest_code(x, quantizer.table)]
            errors.append(float(away.square().sum(1).mean().detach()))
            batch = x[torch.randint(0, 400, (64,), generator=generator)]
            quantizer(batch)
        for k in range(4):
            left.plot(*torch.stack(places[::4])[:, k].T, color=color, lw=0.8)
        right.plot(errors, color=color)
        right.text(296, errors[-1] + 0.28, f"γ = {decay}", color=color, fontsize=9, ha="right")
        right.texts[-1].set_position((70 if decay == 0.9 else 190, 0.55 if decay == 0.9 else 0.9))
    least = float(best.distortion[-1])
    assert abs(errors[-1] - least) < 0.1
    right.axhline(least, color=INK, lw=0.8, ls=":")
    right.text(296, least - 0.16, "k-means", fontsize=9, ha="right")
    left.plot(*best.centres.T, "x", color=INK, markersize=7)
    left.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", xticks=[], yticks=[])
    right.set(xlim=(0, 300), ylim=(0, None), xlabel="batch of 64")
    return figure(
        left,
        right,
        alt="Left: four groups of points; from the middle four paths lead to the crosses in them. Right: two falling curves of the "
        "error, the one with the longer memory later, that end at a dotted line.",
        caption="Four codes follow running means of batches of 64. With a decay of 0.9 they are quick and tremble, with 0.99 slow and quiet. "
        "Crosses and the dotted line: k-means on all points, from the same start.",
    )


def usage() -> Html:
    """How often each of 64 codes is used, with and without restarts."""
    panels = []
    generator = torch.Generator().manual_seed(0)
    mixture = GaussianMixture.ring(8, radius=3.0, std=0.4)
    first = 0.3 * torch.randn(64, 2, generator=generator)
    for restart, title, color in ((0.0, "no restarts", ORANGE), (0.1, "with restarts", BLUE)):
        quantizer = VectorQuantizer(64, 2, decay=0.9, restart=restart, generator=generator)
        quantizer._put(slice(None), first, 1.0)
        own = torch.Generator().manual_seed(1)
        for _ in range(60):
            quantizer(mixture.sample(512, generator=own))
        quantizer.eval()
        tokens = quantizer(mixture.sample(4096, generator=own)).tokens
        share = torch.bincount(tokens, minlength=64).sort(descending=True).values / 4096
        found = float(code_perplexity(tokens, 64))
        panel = axes(width=3.1, height=2.3, title=title)
        panel.bar(range(64), share.tolist(), 1.0, color=color)
        used = int((share > 0).sum())
        panel.text(63, 0.07, f"{used} of 64 used\nperplexity {found:.1f}", fontsize=9, ha="right")
        panel.set(xlim=(-1, 64), ylim=(0, 0.1), xlabel="codes, the most used first", xticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="Two bar charts of how often each code is used. Without restarts a third of the codes carries everything, with them nearly all "
        "are used.",
        caption="64 codes that start in the middle of a ring of eight clusters, after 60 batches. Without restarts (left) the codes that were never "
        "nearest stay where they are. A code with less than a tenth of the even share is put on the farthest example of the batch (right).",
    )


def _nats(counts: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """log-probabilities of x (N, T) under smoothed counts (T, 16), each place by itself."""
    logits = (counts + 0.5).log()
    return log_prob(logits.expand(len(x), *logits.shape), x)


def bound() -> Html:
    """Bits of the tokens of unseen digits under priors that know more and more."""
    _, train, test = _codebook()
    one_hot = torch.nn.functional.one_hot(train, 16).double()
    alike = one_hot.sum((0, 1)).expand(16, 16)
    placed = one_hot.sum(0)
    # Each token given the one to its left and the one above it, leaning on the place alone.
    given = torch.zeros(16, 17, 17, 16, dtype=torch.float64)

    def neighbours(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        square = x.reshape(-1, 4, 4)
        left = torch.nn.functional.pad(square, (1, 0), value=16)[:, :, :4]
        above = torch.nn.functional.pad(square, (0, 0, 1, 0), value=16)[:, :4]
        return left.flatten(1), above.flatten(1)

    place = torch.arange(16).expand_as(train)
    index = (place, *neighbours(train), train)
    given.index_put_(index, torch.ones((), dtype=torch.float64), accumulate=True)
    lean = (placed + 0.5) / (placed + 0.5).sum(1, keepdim=True)
    left, above = neighbours(test)
    seen = given[torch.arange(16).expand_as(test), left, above]
    law = ((seen + 4 * lean) / (seen.sum(-1, keepdim=True) + 4)).log()
    bits = {
        "uniform": 16 * math.log2(16),
        "one law for all places": -float(_nats(alike, test).mean()) / math.log(2),
        "a law for each place": -float(_nats(placed, test).mean()) / math.log(2),
        "given left and above": -float(log_prob(law, test).mean()) / math.log(2),
    }
    assert list(bits.values()) == sorted(bits.values(), reverse=True)
    panel = axes(width=5.4, height=2.2, title="bits for the tokens of a digit")
    for row, (name, value) in enumerate(bits.items()):
        panel.barh(-row, value, 0.65, color=COLORS[row], alpha=0.6)
        panel.text(value + 0.6, -row, f"{value:.1f}", fontsize=9, va="center")
        panel.text(0.8, -row, name, fontsize=9, va="center")
    panel.set(xlim=(0, 70), yticks=[])
    panel.spines["left"].set_visible(False)
    return figure(
        panel,
        alt="Four bars, each shorter than the one above: the bits that a digit's tokens take under a uniform prior, one law, a law for each "
        "place, and a law given two neighbours.",
        caption="The tokens of the digits above, on digits that were not seen: the cross-entropy under four priors, the last three counted. The first "
        "stage is the same, so each bit less is a bit more of the bound of log p(x).",
    )


def fsq() -> Html:
    """tanh cut into five equal pieces, and the codes of two channels."""
    left, right = axes(title="one channel, L = 5"), axes(width=2.9, title="two channels, 5 × 4")
    z = torch.linspace(-2.6, 2.6, 521)
    out = FSQ([5])(z.unsqueeze(1)).z[:, 0]
    left.plot(z, z.tanh(), color=INK, lw=0.8, ls="--")
    for k in range(5):
        middle = (2 * k + 1) / 5 - 1
        own = z[(out - middle).abs() < 1e-6]
        left.plot([own.min(), own.max()], [middle] * 2, color=BLUE)
        left.axhline(2 * k / 5 - 1, color=INK, lw=0.3, alpha=0.5)
    assert float((out - z.tanh()).abs().max()) <= 0.2 + 1e-6
    left.set(xlim=(-2.6, 2.6), ylim=(-1, 1))
    left.set_xlabel("z", style="italic")
    quantizer = FSQ([5, 4])
    x = torch.randn(160, 2, generator=torch.Generator().manual_seed(0)) * 0.8
    found = quantizer(x)
    for at, code in zip(x.tanh(), found.z, strict=True):
        right.plot([at[0], code[0]], [at[1], code[1]], color=INK, lw=0.4, alpha=0.5)
    right.plot(*x.tanh().T, "o", color=ORANGE, markersize=2)
    right.plot(*quantizer.embed(torch.arange(20)).T, "o", color=BLUE, markersize=6)
    right.set(
        xlim=(-1, 1),
        ylim=(-1, 1),
        aspect="equal",
        xticks=[2 * k / 5 - 1 for k in range(6)],
        yticks=[k / 2 - 1 for k in range(5)],
    )
    right.grid(lw=0.4)
    return figure(
        left,
        right,
        alt="Left: a staircase of five steps along the curve of the hyperbolic tangent. Right: a square with five by four cells, a dot in the "
        "middle of each, and points joined to the dot of their cell.",
        caption="Left: tanh (dashed) and the middle of the piece in which it falls (blue). Right: two channels make a grid of 20 codes; each vector "
        "goes to the code of its cell.",
    )


def gumbel() -> Html:
    """The density of the weight of one of two codes, at falling temperatures."""
    panel, right = axes(title="density of the weight"), axes(title="its mean")
    p = 0.75
    logit = math.log(p / (1 - p))
    y = torch.linspace(0.002, 0.998, 400, dtype=torch.float64)
    odds = (y / (1 - y)).log()
    noise = torch.linspace(1e-5, 1 - 1e-5, 100_001, dtype=torch.float64).logit()

    def mean(tau: float) -> float:
        return float(torch.sigmoid((logit + noise) / tau).mean())

    exact = 1.5 - 0.75 * math.log(3)
    assert abs(mean(1.0) - exact) < 1e-4
    taus = torch.logspace(-1.3, 1, 60, dtype=torch.float64).tolist()
    right.semilogx(taus, [mean(tau) for tau in taus], color=BLUE)
    right.axhline(p, color=INK, lw=0.8, ls=":")
    right.text(10, p - 0.015, "of the draw", fontsize=9, ha="right", va="top")
    right.set(xlim=(0.05, 10), ylim=(0.5, 0.8), xlabel="temperature")
    right.minorticks_off()
    right.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    frames = {}
    for tau in (3.0, 2.0, 1.0, 0.7, 0.5, 0.3, 0.15):
        at = tau * odds - logit
        density = tau * torch.sigmoid(at) * torch.sigmoid(-at) / (y * (1 - y))
        frames[f"{tau:g}"] = [
            *panel.plot(y, density, color=ORANGE),
            *right.plot(tau, mean(tau), "o", color=ORANGE, markersize=6),
        ]
    panel.set(xlim=(0, 1), ylim=(0, 5), xlabel="weight of the code", yticks=[])
    return slider(
        panel,
        right,
        frames=frames,
        label="temperature",
        start=2,
        alt="Left: a density between 0 and 1 that has one hill for high temperatures and two steep ends for low ones. Right: a curve of the mean "
        "weight that rises to a dotted line as the temperature falls.",
        caption="Two codes, the first with probability 0.75. Left: the density of its weight in the mixture. Right: the mean weight, which is 0.75 "
        "only in the limit of temperature 0.",
    )


def rate() -> Html:
    """Error against bits for codebooks of 1 to 64 codes, and the least error there can be."""
    panel = axes(width=5.2, height=3.0, title="squared error")
    generator = torch.Generator().manual_seed(0)
    x = torch.special.ndtri((torch.arange(4000, dtype=torch.float64) + 0.5) / 4000).unsqueeze(1)
    x = x / x.square().mean().sqrt()
    plain, entropy = [], []
    for k in (1, 2, 4, 8, 16, 32, 64):
        runs = (kmeans(x, k, generator=generator, steps=300) for _ in range(3))
        best = min(runs, key=lambda m: m.distortion[-1])
        plain.append((math.log2(k), float(best.distortion[-1])))
        entropy.append((math.log2(float(code_perplexity(best.labels, k))), plain[-1][1]))
    assert abs(plain[1][1] - (1 - 2 / math.pi)) < 5e-3
    assert all(error > 2 ** (-2 * bits_) - 1e-3 for bits_, error in entropy)
    panel.semilogy([0, 6], [1, 2**-12], color=INK, lw=0.8, ls=":")
    panel.semilogy(*zip(*plain, strict=True), "o-", color=BLUE, markersize=4)
    panel.semilogy(*zip(*entropy, strict=True), "o-", color=ORANGE, markersize=4)
    panel.text(4.0, 0.03, "uniform prior: log₂ K bits", color=BLUE, fontsize=9)
    panel.text(0.9, 0.003, "no quantiser is below", fontsize=9)
    panel.text(2.55, 0.09, "best prior: entropy of the codes", color=ORANGE, fontsize=9)
    ticks = [1.0, 0.1, 0.01, 0.001]
    panel.set(xlim=(-0.1, 6.4), ylim=(3e-4, 1.3), xlabel="bits")
    panel.minorticks_off()
    panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    return figure(
        panel,
        alt="Three falling curves of the squared error against bits: the uniform prior above, the best prior below it, and a dotted straight line "
        "under both.",
        caption="A standard normal on the line, quantised by k-means with 1 to 64 codes. Against log₂ K, the bits with a uniform prior (blue), and against "
        "the entropy of the codes, the bits with the best one (orange). Dotted: 4 to the power of minus the bits, the least error that any scheme for many numbers "
        "at once can reach. A bit divides the error by about four.",
    )
