"""The pictures of the chapter on text to picture and clip: the shapes world, and laws with formulas."""

from __future__ import annotations

import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure
from genmath.multimodal import guide_two, mu_law, score_distillation, volume_weights
from genmath.paths import CosinePath
from genmath.samplers import Heun, sample
from genmath.shapes import Scene, Thing, caption, draw, film, scenes
from genmath.toys import GaussianMixture

double = torch.float64


def _framed(panel, image, left, *, color, lw):
    """A picture with its left edge there, as wide as high, and a line around it."""
    ink = ((image + 1) / 2).clamp(0, 1).permute(1, 2, 0)
    panel.imshow(ink.tolist(), extent=(left, left + 1, 0, 1), interpolation="none")
    panel.plot([left, left + 1, left + 1, left, left], [0, 0, 1, 1, 0], color=color, lw=lw)


def question() -> Html:
    """Two captions, and how noise becomes what they ask for, with the exact velocity given each."""
    panels = []
    wanted = [
        Scene(Thing("large", "red", "circle"), "top left"),
        Scene(Thing("small", "blue", "square"), "left of", Thing("large", "green", "triangle")),
    ]
    generator = torch.Generator().manual_seed(4)
    for scene in wanted:
        panel = axes(width=3.3, height=1.1, title=f"“{caption(scene)}”")
        data = draw([scene] * 12, 16, generator=generator, dtype=double)
        x = torch.randn(1, *data.shape[1:], generator=generator, dtype=double)
        shown, steps = {}, 50
        for k in range(steps):
            t = 1 - k / steps
            if k % 12 == 0:
                shown[t] = x
            far = ((x - (1 - t) * data) ** 2).flatten(1).sum(1) / (2 * t**2)
            mean = torch.einsum("i,i...->...", (-far).softmax(0), data)
            x = x - (x - mean) / t / steps
        shown[0.0] = x
        assert float((x - data).flatten(1).pow(2).mean(1).min()) < 1e-3
        for column, (_, image) in enumerate(shown.items()):
            _framed(panel, image[0], 1.2 * column, color=INK, lw=0.5)
        panel.text(0, -0.45, "noise", fontsize=9, color=INK)
        panel.text(6, -0.45, "picture", fontsize=9, color=INK)
        panel.set(xlim=(-0.1, 7.2), ylim=(-0.6, 1.1), aspect="equal")
        panel.axis("off")
        panels.append(panel)
    return figure(
        *panels,
        alt="Two rows. Above each row a caption. The row begins with coloured noise, and from picture to picture the thing that the "
        "caption names comes out: a large red circle at the top left, and a small blue square left of a large green triangle.",
        caption="A text, and noise that becomes a picture of it. Here the velocity is the exact one for a dozen pictures with this caption; "
        "a model has to learn it, for all captions at once.",
    )


def system() -> Html:
    """The whole system as boxes and arrows, numbered as the table below it."""
    panel = axes(width=4.4, height=4.2)
    places = {
        "text": (0.8, 6, BLUE),
        "tokens": (4.2, 6, BLUE),
        "text encoder\n(frozen)": (8.0, 6, PURPLE),
        "noise": (0.8, 4, BLUE),
        "velocity\nnetwork": (4.2, 4, GREEN),
        "with and\nwithout text": (8.0, 4, ORANGE),
        "a picture\nis given": (0.8, 2, BLUE),
        "guided\nstep": (8.0, 2, ORANGE),
        "picture\nor clip": (0.8, 0, BLUE),
        "decoder\n(frozen)": (4.2, 0, PURPLE),
        "code": (8.0, 0, BLUE),
    }
    for name, (x, y, color) in places.items():
        frame = {"boxstyle": "round,pad=0.35", "facecolor": "none", "edgecolor": color}
        panel.text(x, y, name, ha="center", va="center", fontsize=9, bbox=frame)
    for start, end, mark, at in (
        ((1.6, 6), (3.1, 6), "1", (2.35, 6.25)),
        ((5.3, 6), (6.4, 6), "2", (5.85, 6.25)),
        ((7.2, 5.3), (5.3, 4.6), "5", (6.1, 5.2)),
        ((1.75, 4), (2.9, 4), "4", (2.3, 4.25)),
        ((2.0, 2.4), (3.3, 3.3), "9", (2.5, 3.1)),
        ((5.4, 4), (6.4, 4), "6", (5.9, 4.25)),
        ((8.0, 3.3), (8.0, 2.7), "7", (8.3, 3.0)),
        ((6.9, 2.3), (5.1, 3.3), "8: again", (5.4, 2.4)),
        ((8.0, 1.3), (8.0, 0.5), "", (0, 0)),
        ((7.3, 0), (5.4, 0), "3", (6.3, 0.25)),
        ((3.0, 0), (1.95, 0), "11: of several", (2.45, 0.62)),
    ):
        panel.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": INK, "lw": 1})
        panel.text(*at, mark, fontsize=9, color=ORANGE, ha="center", va="center")
    panel.text(4.2, 4.9, "10: clips", fontsize=9, color=ORANGE, ha="center", va="center")
    panel.set(xlim=(-0.5, 9.7), ylim=(-0.7, 6.7))
    panel.axis("off")
    return figure(
        panel,
        alt="A diagram. A text becomes tokens and goes through a frozen text encoder into a velocity network, which also takes noise or a given picture. Its answers with and without the "
        "text are combined to a guided step, which is repeated and ends in a code. A frozen decoder makes the code a picture or a clip. Numbers from 1 to 11 mark the parts.",
        caption="The whole system. The table names for each number what it rests on.",
    )


def worth() -> Html:
    """What captions of the shapes world say, by how much of it they mention."""
    panel = axes(width=5.2, height=2.3, title="entropy of the captions, in nats")
    alone = [scene for scene in scenes() if scene.other is None]
    said = (
        ("a circle", lambda s: s.thing.shape),
        ("a red circle", lambda s: (s.thing.shape, s.thing.colour)),
        ("a small red circle", lambda s: s.thing),
        ("… at the top left", lambda s: s),
    )
    for row, (text, of) in enumerate(said):
        groups = [of(scene) for scene in alone]
        shares = torch.tensor([groups.count(g) for g in set(groups)], dtype=double) / len(groups)
        nats = -float((shares * shares.log()).sum())
        panel.barh(-row, nats, 0.6, color=BLUE, alpha=0.75)
        panel.text(nats + 0.08, -row, f"{nats:.2f}   {text}", va="center", fontsize=9)
    panel.set(xlim=(0, 9), yticks=[], xticks=range(6))
    return figure(
        panel,
        alt="Four bars that grow with the length of the caption: the shape alone is worth 1.1 nats, with the colour 2.5, with the size 3.2, and with the place 5.4.",
        caption="Pictures of one thing in the shapes world, all equally frequent. What a caption is worth at most, by what it mentions.",
    )


def joint() -> Html:
    """Densities of pictures given three texts, and what two softmaxes of the fits say."""
    left, right = (
        axes(title="pictures, given each text"),
        axes(title="probability of the third text"),
    )
    x = torch.linspace(-4, 5, 361, dtype=double)
    shares = torch.tensor([0.6, 0.35, 0.05], dtype=double)
    laws = torch.stack([_bell(x, m, v) for m, v in ((-1.0, 1.0), (1.0, 0.7), (2.4, 0.4))])
    fits = (laws / (shares @ laws)).log() + x.sin()  # up to a number of each picture
    weighted = (fits + shares.log().unsqueeze(1)).softmax(0)[2]
    bare = fits.softmax(0)[2]
    torch.testing.assert_close(weighted, shares[2] * laws[2] / (shares @ laws))
    for law, share, color in zip(laws, shares, (BLUE, GREEN, ORANGE), strict=True):
        left.plot(x, law, color=color)
        left.text(
            float(x[law.argmax()]),
            float(law.max()) + 0.02,
            f"{share:.0%}",
            color=color,
            fontsize=9,
            ha="center",
        )
    right.plot(x, weighted, color=ORANGE)
    right.plot(x, bare, color=PURPLE)
    right.text(0.1, 0.72, "without\nweights", color=PURPLE, fontsize=9)
    right.text(2.6, 0.25, "the posterior", color=ORANGE, fontsize=9)
    left.set(yticks=[], ylim=(0, 1.12), xlabel="picture (one number)")
    right.set(xlabel="picture (one number)", ylim=(0, 1.05))
    return figure(
        left,
        right,
        alt="Left: three bells, one for each text, marked 60, 35 and 5 per cent. Right: two rising curves; the one without weights rises much earlier than the posterior.",
        caption="Three texts with their frequencies. The softmax of exact fits, weighted with them, is the posterior; without weights the rare text is believed far too early.",
    )


def tilt() -> Html:
    """The tilted law and the best of 16, equally far from the model."""
    panel = axes(width=4.8, height=2.4)
    x = torch.linspace(-3.5, 5, 400, dtype=double)
    n = 16
    price = math.log(n) - 1 + 1 / n
    strength = math.sqrt(2 * price)  # the judge is x itself: the tilted law is N(strength, 1)
    normal = _bell(x, 0.0, 1.0)
    below = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    best = n * below ** (n - 1) * normal
    kept = torch.where(best > 0, best * (best / normal).log(), torch.zeros_like(best))
    assert abs(float(torch.trapezoid(kept, x)) - price) < 0.01
    panel.plot(x, normal, color=INK, lw=0.8)
    panel.plot(x, _bell(x, strength, 1.0), color=BLUE)
    panel.plot(x, best, color=ORANGE)
    panel.text(-2.2, 0.3, "model", fontsize=9)
    panel.text(3.05, 0.3, "tilted", color=BLUE, fontsize=9)
    panel.text(0.1, 0.62, "best of 16", color=ORANGE, fontsize=9, ha="right")
    panel.set(yticks=[], xlabel="score")
    return figure(
        panel,
        alt="Three bells: the model around 0, and to the right of it the tilted law and, narrower and higher, the best of sixteen.",
        caption=f"Scores are standard normal under the model. The best of 16, and the tilted law that is as far from the model, {price:.2f} nats: its mean score is "
        "higher, as no law at this price can have a higher one.",
    )


PATH = CosinePath()
CORNERS = [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]  # top left, top right, bottom …


def scales() -> Html:
    """Two conditions in the plane, with a scale for each."""
    laws = [
        GaussianMixture([0.25] * 4, CORNERS, std=0.75),
        GaussianMixture([0.5] * 2, [CORNERS[0], CORNERS[2]], std=0.75),
        GaussianMixture([1.0], CORNERS[:1], std=0.75),
    ]
    start = torch.randn(300, 2, generator=torch.Generator().manual_seed(1), dtype=double)
    panels = []
    for first, second in ((1.0, 1.0), (5.0, 1.0), (1.0, 5.0)):
        panel = axes(width=2.0, height=1.9, title=f"u = {first:g}, s = {second:g}")

        def model(
            x: torch.Tensor, t: torch.Tensor, u: float = first, s: float = second
        ) -> torch.Tensor:
            at = PATH.coefficients(t, x)
            guesses = [at[0] * law.eps(x, *at) - at[1] * law.denoiser(x, *at) for law in laws]
            return guide_two(*guesses, u, s)

        ends = sample(
            model, (300, 2), PATH, Heun(), steps=24, prediction="v", start=start, dtype=double
        )
        for place, color in zip(CORNERS, (ORANGE, BLUE, GREEN, BLUE), strict=True):
            angle = torch.linspace(0, 2 * math.pi, 60, dtype=double)
            panel.plot(place[0] + angle.cos(), place[1] + angle.sin(), color=color, lw=1)
        panel.plot(*ends.T, "o", color=INK, markersize=1.1)
        panel.set(xlim=(-3.4, 2.6), ylim=(-2.6, 3.4), xticks=[], yticks=[])
        panels.append(panel)
    return figure(
        *panels,
        alt="Three times four overlapping circles at the corners of a square, with dots. At scales 1 and 1 the dots fill the top left one. With the first scale at 5 "
        "they crowd to the left and keep their height, with the second at 5 they crowd upwards and keep their breadth.",
        caption="The first condition asks for the left, the second for the top. A scale for each: (1, 1) draws the law given both; a large first scale pushes to the left "
        "and narrows there, a large second one pushes up.",
    )


def window() -> Html:
    """A thing that bounces: two frames that are alike, and what comes after each."""
    panel = axes(width=6.4, height=1.5)
    scene = Scene(Thing("small", "blue", "circle"), "bouncing")
    (clip,) = film([scene], 16, generator=torch.Generator().manual_seed(2), dtype=double)
    torch.testing.assert_close(clip[:, 2], clip[:, 5])
    for frame in range(8):
        left, alike = 1.2 * frame, frame in (2, 5)
        color, width = (ORANGE, 2.5) if alike else (INK, 0.6)
        _framed(panel, clip[:, frame], left, color=color, lw=width)
        panel.text(left + 0.5, -0.3, str(frame + 1), ha="center", fontsize=9)
    panel.set(xlim=(-0.1, 9.6), ylim=(-0.5, 1.15), aspect="equal")
    panel.axis("off")
    return figure(
        panel,
        alt="Eight frames of a blue circle that falls and rises again. The third and the sixth are marked: the circle is at the same height in both.",
        caption=f"“{caption(scene)}”. Frames 3 and 6 are the same picture. Who sees one of them alone cannot know whether the circle goes down or up.",
    )


def drift() -> Html:
    """What the errors of frames add up to."""
    panel = axes(width=4.8, height=2.4, title="error of the n-th frame, b = 0.01")
    n = torch.arange(0, 49)
    for a, color in ((0.5, BLUE), (0.9, GREEN), (1.0, ORANGE)):
        total = 0.01 * n if a == 1 else 0.01 * (1 - a**n) / (1 - a)
        panel.plot(n, total, color=color)
        panel.text(48.5, float(total[-1]), f"a = {a:g}", color=color, fontsize=9, va="center")
    panel.set(xlabel="frame", xlim=(0, 56), ylim=(0, 0.5))
    return figure(
        panel,
        alt="Three curves over 48 frames: for a = 0.5 and 0.9 they level off at 0.02 and 0.1, for a = 1 the error grows in a straight line to 0.48.",
        caption="A small error in every frame. Where a part of it is forgotten it comes to rest; where nothing is, it grows with the clip.",
    )


def ray() -> Html:
    """Density, light and weights along a ray."""
    left, right = axes(title="matter along the ray"), axes(title="light left, and weights")
    place = torch.linspace(0, 4, 41, dtype=double)
    density = 1.2 * _bell(place, 1.2, 0.05) + 4 * (place > 2.6).to(double)
    lengths = torch.full_like(density, 0.1)
    weights = volume_weights(density, lengths)
    light = 1 - torch.cat([torch.zeros(1, dtype=double), weights.cumsum(0)])
    left.bar(place.tolist(), density.tolist(), 0.1, color=BLUE, alpha=0.6, lw=0)
    right.bar(
        place.tolist(), (weights / weights.max()).tolist(), 0.1, color=ORANGE, alpha=0.6, lw=0
    )
    right.plot(torch.cat([place, place[-1:] + 0.1]), light, color=BLUE)
    left.set(xlabel="distance from the eye", yticks=[])
    right.set(xlabel="distance from the eye", ylim=(0, 1.05))
    right.text(0.1, 0.88, "light", color=BLUE, fontsize=9)
    right.text(3.3, 0.5, "weights", color=ORANGE, fontsize=9)
    return figure(
        left,
        right,
        alt="Left: a thin cloud, and behind it a wall of matter. Right: the light falls in the cloud and to nothing in the wall; the weights are large in the cloud and at "
        "the front of the wall, and vanish inside it.",
        caption=f"A cloud and a wall. The weights (orange, the largest drawn as 1) are what the light (blue) loses in each segment; their sum is {float(weights.sum()):.3f}. Behind the front of the "
        "wall nothing is seen.",
    )


def distilled() -> Html:
    """Where score distillation ends, and what samples would be."""
    law = GaussianMixture([0.7, 0.3], [[-1.2], [1.2]], std=0.6)
    theta = torch.linspace(-3, 3, 61, dtype=double).unsqueeze(1).requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=0.05)
    generator = torch.Generator().manual_seed(0)
    for step in range(800):
        sigma = torch.full((61, 1), 0.2 + 0.15 * (step % 3), dtype=double)
        alpha = (1 - sigma**2).sqrt()
        noise = torch.randn(61, 1, generator=generator, dtype=double)
        guess = law.eps((alpha * theta + sigma * noise).detach(), alpha, sigma)
        optimizer.zero_grad()
        (61 * score_distillation(theta, guess, noise, weight=alpha.squeeze(1))).backward()
        if step == 500:
            optimizer.param_groups[0]["lr"] = 0.005
        optimizer.step()
    panel = axes(width=4.8, height=2.4)
    x = torch.linspace(-3.4, 3.4, 300, dtype=double)
    panel.plot(x, 0.7 * _bell(x, -1.2, 0.36) + 0.3 * _bell(x, 1.2, 0.36), color=BLUE)
    ends = theta.detach().squeeze(1)
    heights = torch.histc(ends, 68, -3.4, 3.4) / len(ends)
    panel.bar([-3.35 + 0.1 * i for i in range(68)], heights.tolist(), 0.1, color=ORANGE, alpha=0.7)
    panel.text(-3.2, 0.4, "the model's\npictures", color=BLUE, fontsize=9)
    panel.text(1.55, 0.3, "where 61 scenes\nend (shares)", color=ORANGE, fontsize=9)
    panel.set(yticks=[], xlabel="rendering (one number)")
    return figure(
        panel,
        alt="A density with two hills, the left one larger. Orange bars, narrow and high, stand near the top of the hills, and hardly anything beside them.",
        caption="A model whose pictures are one number, with two kinds. 61 scenes from evenly spaced starts, moved by score distillation at three noise levels: nearly all end in narrow heaps at tops, not "
        "spread as the pictures are.",
    )


def symmetric() -> Html:
    """A field that does not turn with its argument, and its mean over eight turns."""
    generator = torch.Generator().manual_seed(3)
    weights = (
        torch.randn(2, 6, generator=generator, dtype=double),
        torch.randn(6, 2, generator=generator, dtype=double),
    )

    def net(x: torch.Tensor) -> torch.Tensor:
        return -x + 0.35 * torch.tanh(x @ weights[0]) @ weights[1]

    turns = [_turn(2 * math.pi * k / 8) for k in range(8)]

    def averaged(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([net(x @ q.T) @ q for q in turns]).mean(0)

    angle = torch.arange(16, dtype=double) * 2 * math.pi / 16
    points = torch.cat([r * torch.stack([angle.cos(), angle.sin()], 1) for r in (0.8, 1.6)])
    torch.testing.assert_close(averaged(points @ turns[1].T), averaged(points) @ turns[1].T)
    panels = []
    for title, field in (("a network", net), ("its mean over eight turns", averaged)):
        panel = axes(width=2.6, height=2.5, title=title)
        arrows = 0.35 * field(points)
        panel.quiver(
            *points.T, *arrows.T, color=BLUE, angles="xy", scale_units="xy", scale=1, width=0.008
        )
        panel.set(xlim=(-2.3, 2.3), ylim=(-2.3, 2.3), xticks=[], yticks=[], aspect="equal")
        panels.append(panel)
    return figure(
        *panels,
        alt="Two panels with arrows on two rings. Left they point in uneven directions. Right all arrows of a ring are the same up to a turn of an eighth.",
        caption="Left: a field that does not turn with its argument. Right: asked at eight turned places, the answers turned back, and the mean: it turns with its argument.",
    )


def sound() -> Html:
    """The mu-law, and what is left of two averaged tones."""
    left, right = axes(title="the μ-law, μ = 255"), axes(title="squared size of the mean")
    x = torch.linspace(-1, 1, 401, dtype=double)
    left.plot(x, mu_law(x), color=BLUE)
    left.plot([-1, 1], [-1, 1], color=INK, lw=0.6)
    angle = torch.linspace(0, 2 * math.pi, 200, dtype=double)
    right.plot(angle, (1 + angle.cos()) / 2, color=ORANGE)
    right.axhline(0.5, color=GREEN, lw=1)
    right.text(2.3, 0.53, "mean: ½", color=GREEN, fontsize=9)
    left.set(xlabel="sample", ylabel="squeezed")
    right.set(xlabel="difference of phases", ylim=(0, 1.05))
    right.set_xticks([0, math.pi, 2 * math.pi], ["0", "π", "2π"])
    return figure(
        left,
        right,
        alt="Left: an odd curve that is steep at 0 and flat at the ends, with the diagonal. Right: a wave from 1 down to 0 at opposed phases and back, with a line at one half.",
        caption="Left: soft sounds get most of the scale. Right: two tones of size 1, averaged as waves: opposed ones leave nothing.",
    )


def _bell(x: torch.Tensor, mean: float, variance: float) -> torch.Tensor:
    return torch.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def _turn(angle: float) -> torch.Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s], [s, c]], dtype=double)
