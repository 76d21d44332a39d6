"""The pictures of the chapter on style and image translation: digits, textures, and normal data."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp, slider
from genmath.paths import CosinePath
from genmath.toys import digits
from genmath.translation import adain, style_loss

double = torch.float64


def _show(panel, image, left, bottom, size=2.0):
    extent = (left, left + size, bottom, bottom + size)
    panel.imshow(
        image.tolist(), extent=extent, cmap=ramp(BLUE), vmin=0, vmax=1, interpolation="none"
    )


def _ink():
    """Two digits, as the share of ink in each pixel."""
    all_ = digits()
    chosen = [int((all_.train_labels == k).nonzero()[1]) for k in (3, 8)]
    return [((all_.train[i, 0] + 1) / 2).clamp(0, 1) for i in chosen]


def question() -> Html:
    """Two digits, the same inverted, and the arrows of two translators."""
    panel = axes(width=5.4, height=2.3)
    for row, image in enumerate(_ink()):
        bottom = 2.5 * (1 - row)
        _show(panel, image, 0.0, bottom)
        _show(panel, 1 - image, 6.0, bottom)
        for other, color, style in ((bottom, BLUE, "-"), (2.5 - bottom, ORANGE, "--")):
            panel.annotate(
                "",
                (5.8, other + 1),
                (2.2, bottom + 1),
                arrowprops={"arrowstyle": "<->", "color": color, "ls": style},
            )
    panel.text(1, 4.7, "domain A", ha="center", fontsize=9)
    panel.text(7, 4.7, "domain B", ha="center", fontsize=9)
    panel.set(xlim=(-0.1, 8.2), ylim=(-0.1, 5.1), aspect="equal")
    panel.axis("off")
    return figure(
        panel,
        alt="Two digits on the left, the same two inverted on the right. Straight arrows join each digit with its "
        "own inverse, crossed dashed arrows with the inverse of the other.",
        caption="Nobody says which picture of B belongs to which of A. Both translators, the straight one and the crossed one, make perfect pictures of B, and both "
        "can be undone.",
    )


def moments() -> Html:
    """A channel's values, and the same with the mean and deviation of the style."""
    panel = axes(width=4.8, title="how often a value occurs")
    g = torch.Generator().manual_seed(0)
    content = torch.cat(
        [
            torch.randn(3000, generator=g, dtype=double) * 0.25 - 1,
            torch.randn(1500, generator=g, dtype=double) * 0.4 + 0.6,
        ]
    )
    style = torch.randn(4500, generator=g, dtype=double) * 0.45 + 3
    moved = adain(content[None, None], style[None, None]).flatten()
    for values, color, name, at in (
        (content, BLUE, "content", (-2.1, 0.9)),
        (style, GREEN, "style", (3.75, 0.62)),
        (moved, ORANGE, "after AdaIN", (0.9, 1.5)),
    ):
        found = torch.histogram(values, bins=90, range=(-2.5, 5.0), density=True)
        panel.plot((found.bin_edges[:-1] + found.bin_edges[1:]) / 2, found.hist, color=color)
        panel.text(*at, name, color=color, fontsize=9)
    panel.set(xlim=(-2.5, 5), ylim=(0, 1.9), yticks=[])
    panel.set_xlabel("value of the channel")
    return figure(
        panel,
        alt="Three histograms: the content has two peaks, the style is one bell farther right, and the moved content has "
        "two peaks at the place and with the width of the bell.",
        caption="AdaIN gives the content the mean and the deviation of the style. The shape, two peaks, stays that of the content.",
    )


def _texture(seed, kind):
    """Stripes, or blots, of 24 × 24 numbers with mean 0 and variance 1."""
    noise = torch.randn(24, 24, generator=torch.Generator().manual_seed(seed), dtype=double)
    up, across = torch.meshgrid(*[torch.fft.fftfreq(24, dtype=double)] * 2, indexing="ij")
    length = (up**2 + across**2).sqrt()
    if kind == "stripes":
        filtered = torch.exp(
            -(((up - across).abs() - 0.25) ** 2) / 0.002 - (up + across) ** 2 / 0.004
        )
    else:
        filtered = torch.exp(-((length - 0.12) ** 2) / 0.001)
    out = torch.fft.ifft2(torch.fft.fft2(noise) * filtered).real
    return (out - out.mean()) / out.std()


def _neighbours(image):
    """A pixel and its neighbours in a square of 3 × 3, as nine channels."""
    return torch.stack([image.roll((i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)])[None]


def shuffled() -> Html:
    """Textures and a shuffled one, with the style loss of the pixel and of neighbourhoods."""
    first, second, other = (
        _texture(0, "stripes"),
        _texture(1, "stripes"),
        _texture(0, "blots"),
    )
    order = torch.randperm(24 * 24, generator=torch.Generator().manual_seed(2))
    mixed = first.flatten()[order].reshape(24, 24)
    panel = axes(width=5.6, height=2.3)
    for k, (name, image) in enumerate(
        (
            ("a texture", first),
            ("shuffled", mixed),
            ("the same kind", second),
            ("another kind", other),
        )
    ):
        _show(panel, ((image + 2.2) / 4.4).clamp(0, 1), 2.4 * k, 0.0)
        alone = float(style_loss(image[None, None], first[None, None]))
        near = float(style_loss(_neighbours(image), _neighbours(first)))
        panel.text(2.4 * k + 1, 2.15, name, ha="center", fontsize=9)
        panel.text(2.4 * k + 1, -0.45, f"{alone:.2f}", ha="center", fontsize=9, color=BLUE)
        panel.text(2.4 * k + 1, -0.9, f"{near:.1f}", ha="center", fontsize=9, color=ORANGE)
    panel.text(-0.2, -0.45, "pixels", ha="right", fontsize=9, color=BLUE)
    panel.text(-0.2, -0.9, "of 3 × 3", ha="right", fontsize=9, color=ORANGE)
    panel.set(xlim=(-1.9, 9.4), ylim=(-1.1, 2.6), aspect="equal")
    panel.axis("off")
    return figure(
        panel,
        alt="Four squares: diagonal stripes, the same pixels shuffled, other stripes of the same kind, and blots. Below "
        "each is its style loss to the first, of single pixels and of neighbourhoods.",
        caption="Style loss to the first texture. Of single pixels it is zero for all four, as all have mean square one. Of nine channels, a pixel and its neighbours, it is "
        "small for stripes from another seed and large for the others.",
    )


def pixel() -> Html:
    """The mean loss of the shown value, for a pixel that is white with probability 0.3."""
    panel = axes(width=4.6, title="mean loss, if white has probability 0.3")
    c = torch.linspace(0, 1, 101, dtype=double)
    for name, loss, color, best, at in (
        ("squared error", 0.21 + (c - 0.3) ** 2, BLUE, (0.3, 0.21), (0.62, 0.24)),
        ("absolute error", 0.3 + 0.4 * c, ORANGE, (0.0, 0.3), (0.28, 0.55)),
    ):
        panel.plot(c, loss, color=color)
        panel.plot(*best, "o", color=color, clip_on=False)
        panel.text(*at, name, color=color, fontsize=9)
    panel.set(xlim=(0, 1), ylim=(0, 0.75), xticks=[0, 0.3, 1])
    panel.set_xlabel("value that is shown: 0 black, 1 white")
    return figure(
        panel,
        alt="A parabola with its lowest point at 0.3 and a rising straight line, lowest at zero.",
        caption="The squared error is least at a grey that never occurs, the absolute error at the more frequent of the two values.",
    )


def cycle() -> Html:
    """A round and a long cloud, turned: what the critic sees and what it does not."""
    left, right = axes(2.7, 2.6, title="B is round"), axes(2.7, 2.6, title="B is long")
    g = torch.Generator().manual_seed(0)
    frames = {}
    z = torch.randn(160, 2, generator=g, dtype=double)
    marks = [z[:, 0] >= 0, z[:, 0] < 0]
    for degrees in (0, 45, 90, 180):
        turn = math.radians(degrees)
        rotation = torch.tensor(
            [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], dtype=double
        )
        artists = []
        for panel, width in ((left, 1.0), (right, 0.35)):
            points = (z * torch.tensor([1.0, width], dtype=double)) @ rotation.T
            for mark, color in zip(marks, (BLUE, ORANGE), strict=True):
                artists += panel.plot(*points[mark].T, "o", color=color, markersize=3)
        cost = math.sin(turn) ** 2 * (1 - 0.35**2) ** 2 / (2 * 0.35**2)
        frames[f"{degrees}°: KL {0.0:.2f} and {cost:.2f}"] = artists
    angle = torch.linspace(0, 2 * math.pi, 100, dtype=double)
    for panel, width in ((left, 1.0), (right, 0.35)):
        panel.plot(2 * angle.cos(), 2 * width * angle.sin(), color=INK, lw=1)
        panel.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    return slider(
        left,
        right,
        frames=frames,
        label="the translator is followed by a turn of",
        start=2,
        alt="Left: a round cloud of points in two colours; turned, the colours move and the cloud stays in its circle. "
        "Right: a long cloud, which leaves its ellipse when turned by 90 degrees.",
        caption="Translations to B, coloured by the half of A that they come from; the line holds most of B. Turn them all, and undo it on the way back: the cycle closes. For a round B the critic sees "
        "nothing (the first KL is zero). For a long one it sees a quarter turn, and not half a turn.",
    )


def entropy() -> Html:
    """The bound, and the entropy of normal translations with noise, against the cycle loss."""
    panel = axes(width=4.6, title="mean entropy of x given y, nats")
    ell = torch.linspace(0.01, 0.6, 200, dtype=double)
    panel.plot(ell, 1 + torch.log(2 * ell), color=ORANGE)
    deviation = ell * math.sqrt(math.pi / 2)  # of a normal error with this mean absolute value
    panel.plot(ell, 0.5 * torch.log(2 * math.pi * math.e * deviation**2), color=BLUE)
    panel.plot(ell, torch.log(4 * ell), color=GREEN)  # uniform on an interval of four times ℓ
    panel.text(0.1, 0.75, "bound: 1 + log 2ℓ", color=ORANGE, fontsize=9, ha="center")
    panel.text(0.3, -0.35, "uniform errors", color=GREEN, fontsize=9)
    panel.text(0.3, -0.85, "normal errors, next to the bound", color=BLUE, fontsize=9)
    panel.set(xlim=(0, 0.6), ylim=(-3, 1.4))
    panel.set_xlabel("cycle loss ℓ, the mean absolute error")
    return figure(
        panel,
        alt="Three curves that rise steeply from minus infinity and flatten: the bound on top, the entropy for normal errors just below it, that for uniform errors farther below.",
        caption="The entropy, if errors of the way back have one density whatever y is: normal (0.05 below the bound) or uniform (0.31 below). A Laplace density of errors reaches the bound.",
    )


def _flow(mean, deviation, x, t, path):
    """Where the flow of normal data carries the datum x."""
    alpha, sigma = path.alpha(t), path.sigma(t)
    return alpha * mean + (alpha**2 * deviation**2 + sigma**2).sqrt() / deviation * (x - mean)


def bridge() -> Html:
    """Five data of A run up to their noise, and down to B."""
    panel = axes(width=5.4, height=2.6)
    path = CosinePath()
    t = torch.linspace(0, 1, 101, dtype=double)
    for place, color in zip(
        (-1.6, -0.8, 0.0, 0.8, 1.6), (PURPLE, BLUE, GREEN, ORANGE, INK), strict=True
    ):
        up = _flow(-1.0, 0.4, torch.tensor(-1.0 + 0.4 * place, dtype=double), t, path)
        down = _flow(1.5, 0.9, torch.tensor(1.5 + 0.9 * place, dtype=double), t, path)
        panel.plot(torch.cat([t, 2 - t.flip(0)]), torch.cat([up, down.flip(0)]), color=color)
    panel.axvline(1, color=INK, lw=0.6, ls=":")
    for at, name in ((0.0, "A"), (1.0, "noise"), (2.0, "B")):
        panel.text(at, 3.25, name, ha="center", fontsize=9)
    panel.set(xlim=(-0.02, 2.02), ylim=(-2.6, 3.1), xticks=[], yticks=[-2, 0, 2])
    return figure(
        panel,
        alt="Five curves that begin close together at the left, spread to standard normal noise in the middle, and run on to "
        "wider places at the right, never crossing.",
        caption="The exact flows of two normal domains, joined at pure noise. Each datum of A is carried to the one of B with the same noise. The order is kept, and the map from left to right is AdaIN.",
    )


def truncation() -> Html:
    """A cloud of styles, pulled to its mean."""
    panel = axes(width=3.4, height=2.8, title="styles")
    g = torch.Generator().manual_seed(1)
    z = torch.randn(220, 2, generator=g, dtype=double)
    w = torch.stack([z[:, 0] + 0.35 * z[:, 1] ** 2, 0.8 * z[:, 1]], 1)
    mean = w.mean(0)
    frames = {}
    for psi in (1.0, 0.7, 0.4):
        cut = mean + psi * (w - mean)
        share = float(cut.var(0).sum() / w.var(0).sum())
        frames[f"{psi:g}: variance × {share:.2f}"] = panel.plot(
            *cut.T, "o", color=BLUE, markersize=3
        )
    panel.plot(*mean[:, None], "+", color=ORANGE, markersize=10, mew=2)
    panel.set(xlim=(-3.2, 4.2), ylim=(-2.6, 2.6), aspect="equal", xticks=[], yticks=[])
    return slider(
        panel,
        frames=frames,
        label="ψ",
        start=1,
        alt="A curved cloud of points with a cross at its mean. With a smaller factor the cloud shrinks towards the cross.",
        caption="Truncation pulls every style towards the mean (cross). The mean stays, the variance is multiplied by ψ².",
    )


def walks() -> Html:
    """A straight walk in the noise and one in the styles, seen in the picture."""
    panel = axes(width=4.6, title="picture u on the way")
    t = torch.linspace(0, 1, 101, dtype=double)
    a = 2.0
    panel.plot(t, torch.exp(a * t), color=ORANGE)
    panel.plot(t, 1 + t * (math.exp(a) - 1), color=BLUE)
    panel.text(0.52, 2.0, "straight in the noise z", color=ORANGE, fontsize=9)
    panel.text(0.08, 4.6, "straight in the styles w", color=BLUE, fontsize=9)
    panel.set(xlim=(0, 1), ylim=(0, 7.8))
    panel.set_xlabel("time t")
    ratio = a / 2 * (math.exp(a) + 1) / (math.exp(a) - 1)
    return figure(
        panel,
        alt="A straight line and an exponential curve between the same two ends.",
        caption=f"The same two pictures, two walks. The one that is straight in the noise dawdles and then hurries: its energy is {ratio:.2f} times that of the other.",
    )


def correlation() -> Html:
    """A correlated content, after AdaIN and after whitening and colouring, beside the style."""
    g = torch.Generator().manual_seed(3)
    z = torch.randn(220, 2, generator=g, dtype=double)

    def root(matrix):
        values, vectors = torch.linalg.eigh(matrix)
        return vectors @ values.sqrt().diag() @ vectors.T

    first = torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=double)
    second = torch.tensor([[0.4, -0.5], [-0.5, 1.2]], dtype=double)
    content = z @ root(first)
    content = content - content.mean(0)
    content = content @ torch.linalg.inv(root(content.T @ content / len(z))) @ root(first)
    each = content * (second.diag() / first.diag()).sqrt()
    whole = content @ torch.linalg.inv(root(first)) @ root(second)
    panels = []
    angle = torch.linspace(0, 2 * math.pi, 100, dtype=double)
    ring = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    for name, points, color in (
        ("content", content, INK),
        ("AdaIN", each, ORANGE),
        ("whitened, coloured", whole, BLUE),
    ):
        panel = axes(1.9, 2.1, title=name)
        panel.plot(*points.T, "o", color=color, markersize=2.5)
        panel.plot(*(ring @ root(second)).T, color=GREEN, lw=1.5)
        panel.set(xlim=(-3.1, 3.1), ylim=(-3.1, 3.1), aspect="equal", xticks=[], yticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="Three clouds and the ellipse of the style. The content leans right; after AdaIN it has the size of the ellipse but still leans right; "
        "whitened and coloured it fills the ellipse, which leans left.",
        caption="Two channels. The ellipse holds most of the style. AdaIN sets both sizes and leaves the correlation of the content; the matrix version sets all three numbers.",
    )
