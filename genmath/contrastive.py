"""Learning without labels: losses of pairs, averages of weights, and what reads the result.

Two views of one thing are a *pair*: row i of x and row i of y. Losses of similarities norm their
rows, take cosines, and divide by a temperature; a mean over the rows, in nats.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

from genmath._base.batch import widened
from genmath._base.checks import (
    batched,
    describe,
    finite,
    flag,
    floating,
    integer,
    labels,
    module,
    one_of,
    positive,
    read,
    real,
    refuse,
    rng,
    same_shape,
    some,
)
from genmath._base.shapes import Array, Data, PerSample, Scalar, Tokens
from genmath._base.torch import Float, Tensor, nn, torch

__all__ = [
    "LinearProbe",
    "MemoryQueue",
    "MomentumEncoder",
    "VICReg",
    "align_uniform",
    "augment",
    "clip_loss",
    "dino_loss",
    "info_nce",
    "linear_probe",
    "mutual_information_bound",
    "nt_xent",
    "similarities",
    "vicreg_loss",
]

Rows = Float[Tensor, "batch features"]
Temperature = float | Tensor

# Contrast


def similarities(x: Rows, y: Rows, *, temperature: Temperature = 1.0) -> Array:
    """The cosines of all rows of x with all rows of y, over the temperature.

    Shapes: x (B, d), y (N, d); (B, N). The temperature is a number, or a tensor with one number
        that may be trained. A row of zeros has the cosine 0 with all.
    Errors: ValueError for shapes that do not fit, or a temperature that is no number > 0.
    """
    _rows("x", x)
    if _rows("y", y).shape[1] != x.shape[1] or y.dtype != x.dtype:
        refuse("y", describe(y), f"a {x.dtype} tensor of shape (N, {x.shape[1]}), as wide as x")
    return _directions(x) @ _directions(y).mT / _temperature(temperature)


def _directions(x: Tensor) -> Tensor:
    """Rows of length one, of any length that has no square, too; a row of zeros stays."""
    x = widened(x)
    largest = x.detach().abs().amax(1, keepdim=True)
    return nn.functional.normalize(x / largest.masked_fill(largest == 0, 1.0), dim=1)


def info_nce(scores: Array) -> Scalar:
    """The mean of -log softmax(scores)_ii: row i has its partner in column i, the rest are others.

    Columns beyond the rows are further others, those of a `MemoryQueue` say.

    Result: contrastive.classification, contrastive.ceiling, contrastive.slopes
    Shapes: scores (B, N) with B ≤ N, of any critic, such as `similarities`; a number ≥ 0.
    Errors: ValueError for other shapes.
    Source: van den Oord, Li, Vinyals 2018, equation 4.
    """
    return _of_partner(scores).mean().neg()


def mutual_information_bound(scores: Array) -> Scalar:
    """log N - `info_nce`: in expectation at most the mutual information of the pairs, and log N.

    For this every other of a row has to be drawn independently of it, from the marginal: images
    of a batch that was drawn so.

    Result: contrastive.classification, contrastive.positions
    Shapes: scores (B, N) with B ≤ N; nats.
    Errors: ValueError for other shapes.
    Source: van den Oord, Li, Vinyals 2018, section 2.3; Poole et al. 2019, equation 10.
    """
    return math.log(_scores(scores).shape[1]) - info_nce(scores)


def nt_xent(x: Rows, y: Rows, *, temperature: float = 0.5) -> Scalar:
    """The loss of SimCLR: each of 2N views has to find its partner among the 2N - 1 others.

    Result: contrastive.nt_xent
    Shapes: x, y (N, d), two views of N images; a number: the mean over all 2N views.
    Errors: ValueError for shapes that differ, or a temperature that is no number > 0.
    Source: Chen, Kornblith, Norouzi, Hinton 2020, equation 1 and algorithm 1.
    """
    both = torch.cat([x, _pair(x, y)])
    scores = similarities(both, both, temperature=temperature)
    itself = torch.eye(len(both), dtype=torch.bool, device=both.device)
    scores = scores.masked_fill(itself, -torch.inf)
    partner = torch.arange(len(both), device=both.device).roll(len(x))
    return nn.functional.cross_entropy(scores, partner)


def clip_loss(x: Rows, y: Rows, *, temperature: Temperature = 0.07) -> Scalar:
    """Half the loss of finding y by x, half that of finding x by y: images and their captions.

    Result: contrastive.nt_xent
    Shapes: x, y (B, d), pairs row by row. The temperature is a number, or a tensor with one number
        that is trained too, such as ``log_temperature.exp()``.
    Errors: ValueError for shapes that differ, or a temperature that is no number > 0.
    Source: Radford et al. 2021, figure 3.
    """
    scores = similarities(x, _pair(x, y), temperature=temperature)
    return (info_nce(scores) + info_nce(scores.mT)) / 2


class AlignUniform(NamedTuple):
    """How far partners are apart, and how evenly all lie on the sphere: both are minimised."""

    alignment: Scalar
    uniformity: Scalar


def align_uniform(x: Rows, y: Rows, *, temperature: float = 0.5) -> AlignUniform:
    """Minus the mean score of partners, and the mean over x of log mean_y exp(score).

    Their sum is what `info_nce` less log N tends to with many others.

    Result: contrastive.limit_of_many
    Shapes: x, y (B, d), pairs row by row; the mean over y is over the other B - 1 rows.
    Errors: ValueError for shapes that differ, one row, or a temperature that is no number > 0.
    Source: Wang, Isola 2020, theorem 1.
    """
    if len(_pair(x, y)) < 2:
        refuse("y", describe(y), "two rows or more, so that there is another")
    scores = similarities(x, y, temperature=positive("temperature", temperature))
    partners = scores.diagonal()
    others = scores.masked_fill(
        torch.eye(len(x), dtype=torch.bool, device=x.device), -torch.inf
    ).logsumexp(1)
    return AlignUniform(-partners.mean(), (others - math.log(len(x) - 1)).mean())


# Without others


def dino_loss(
    student: Rows,
    teacher: Rows,
    centre: Array,
    *,
    student_temperature: float = 0.1,
    teacher_temperature: float = 0.04,
) -> Scalar:
    """The cross-entropy of the student's softmax from that of the teacher, centred and sharpened.

    The teacher gets no gradient. After each batch the caller moves the centre,
    ``centre.lerp_(teacher.detach().mean(0), 0.1)``, and the teacher, by a `MomentumEncoder`.

    Result: contrastive.dino
    Shapes: student, teacher (B, K), what both say of two views; centre (K,). The mean over B.
    Errors: ValueError for shapes that do not fit, or a temperature that is no number > 0.
    Source: Caron et al. 2021, algorithm 1.
    """
    _rows("student", student)
    _rows("teacher", teacher)
    same_shape("teacher", teacher, "student", student)
    if floating("centre", centre).shape != student.shape[1:]:
        refuse("centre", describe(centre), f"shape {tuple(student.shape[1:])}, one for each output")
    mine = widened(student) / positive("student_temperature", student_temperature)
    sharp = positive("teacher_temperature", teacher_temperature)
    theirs = (widened(teacher) - centre).detach() / sharp
    return -(theirs.softmax(1) * mine.log_softmax(1)).sum(1).mean()


class VICReg(NamedTuple):
    """The three terms, each without its weight, and their weighted sum."""

    invariance: Scalar
    variance: Scalar
    covariance: Scalar
    total: Scalar


def vicreg_loss(
    x: Rows,
    y: Rows,
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    epsilon: float = 1e-4,
) -> VICReg:
    """Partners near, every feature spread by 1 or more, no two features alike.

    Invariance is the mean squared distance of partners. Variance is the mean over features of
    max(0, 1 - sqrt(Var + epsilon)), covariance the sum of the squared covariances of different
    features over their number, both for x and y.

    Result: contrastive.vicreg
    Shapes: x, y (B, d), two views of B > 1 images.
    Errors: ValueError for shapes that differ, one image, a weight < 0 or an epsilon not > 0.
    Source: Bardes, Ponce, LeCun 2022, equations 1 to 6.
    """
    if len(_pair(x, y)) < 2:
        refuse("y", describe(y), "two rows or more, so that there is a variance")
    epsilon = positive("epsilon", epsilon)
    x, y = widened(x), widened(y)
    near = (x - y).square().sum(1).mean()
    spread = _too_narrow(x, epsilon) + _too_narrow(y, epsilon)
    alike = _alike(x) + _alike(y)
    total = (
        real("invariance", invariance, "a number >= 0", 0.0) * near
        + real("variance", variance, "a number >= 0", 0.0) * spread
        + real("covariance", covariance, "a number >= 0", 0.0) * alike
    )
    return VICReg(near, spread, alike, total)


def _too_narrow(x: Tensor, epsilon: float) -> Tensor:
    return (1 - (x.var(0) + epsilon).sqrt()).relu().mean()


def _alike(x: Tensor) -> Tensor:
    x = x - x.mean(0)
    table = x.mT @ x / (len(x) - 1)
    return (table.square().sum() - table.diagonal().square().sum()) / x.shape[1]


# A slow teacher, and a memory


class MomentumEncoder(nn.Module):
    """A copy of a network that follows it slowly and gets no gradient.

    `update` moves each weight to decay · its own + (1 - decay) · that of the network, and copies
    what is no floating-point number. The weight of the network k steps ago is
    (1 - decay) · decay^k.

    Result: contrastive.ema
    Shapes: as the network.
    Errors: ValueError for a decay outside [0, 1], or another network in `update`.
    Source: He et al. 2020, equation 2.
    """

    def __init__(self, model: nn.Module, *, decay: float = 0.99) -> None:
        super().__init__()
        module("model", model)
        self.decay = real("decay", decay, "a number in [0, 1]", 0.0, 1.0)
        self.model = copy.deepcopy(model).requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """One step towards the network."""
        module("model", model)
        own, new = self.model.state_dict(), model.state_dict()
        shapes = {name: value.shape for name, value in own.items()}
        if shapes != {name: value.shape for name, value in new.items()}:
            refuse("model", describe(model), "a network like the one that was copied")
        for name, value in own.items():
            if value.dtype.is_floating_point:
                value.lerp_(new[name].to(value), 1 - self.decay)
            else:
                value.copy_(new[name])

    @torch.no_grad()
    def forward(self, x: Data) -> Tensor:
        """What the slow network says."""
        said: Tensor = self.model(batched("x", x))
        return said


class MemoryQueue(nn.Module):
    """The last ``size`` keys, of many batches: others for a loss, first in, first out.

    Shapes: keys (n, dim), where n ≤ size is how many it has seen so far.
    Errors: ValueError for a size or dim < 1.
    Source: He et al. 2020, section 3.2.
    """

    table: Tensor
    seen: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        size, dim = integer("size", size, 1), integer("dim", dim, 1)
        self.register_buffer("table", torch.zeros(size, dim))
        self.register_buffer("seen", torch.tensor(0))

    @torch.no_grad()
    def push(self, keys: Rows) -> None:
        """Add keys (B, dim), in the place of the oldest."""
        if _rows("keys", keys).shape[1] != self.table.shape[1]:
            refuse("keys", describe(keys), f"shape (B, {self.table.shape[1]})")
        size, start = len(self.table), int(self.seen)
        last = keys[-size:].detach().to(self.table)
        at = torch.arange(start + len(keys) - len(last), start + len(keys)) % size
        self.table[at.to(self.table.device)] = last
        self.seen += len(keys)

    def forward(self) -> Rows:
        """The keys that are in it, in no order that matters."""
        return self.table[: int(self.seen)]


# Views


def augment(
    x: Data,
    *,
    crop: float = 1.0,
    rotate: float = 0.0,
    flip: bool = False,
    brightness: float = 0.0,
    contrast: float = 0.0,
    noise: float = 0.0,
    generator: torch.Generator,
) -> Data:
    """Another view of each image: a part of it, turned, mirrored, with other light, and noise.

    Of each image its own draws are taken: the side of the part, uniform between ``crop`` of the
    image's and all of it, and its place inside; an angle within ±``rotate`` degrees; a mirror in
    half of the cases; a factor within 1 ± ``contrast`` about the image's mean; a shift within
    ±``brightness``; and normal noise of deviation ``noise``. What a turned part sees outside is
    the nearest pixel. Left out, all are 0: the image as it is.

    Shapes: images (B, C, H, W).
    Errors: ValueError for other shapes, a crop outside (0, 1], a contrast outside [0, 1], a number
        < 0.
    Random: ``generator``, on the data's device.
    """
    if batched("x", x).ndim != 4 or 0 in x.shape[1:]:
        refuse("x", describe(x), "images (B, C, H, W)")
    crop = positive("crop", real("crop", crop, "a number in (0, 1]", 0.0, 1.0))
    rotate = real("rotate", rotate, "a number of degrees >= 0", 0.0)
    brightness = real("brightness", brightness, "a number >= 0", 0.0)
    contrast = real("contrast", contrast, "a number in [0, 1]", 0.0, 1.0)
    noise = real("noise", noise, "a number >= 0", 0.0)
    flag("flip", flip)
    rng(generator, x.device)
    out = widened(x)
    u = torch.rand(7, len(x), generator=generator, dtype=out.dtype, device=x.device)
    sign = 2 * u - 1
    if len(x) and (crop < 1 or rotate or flip):
        side = crop + (1 - crop) * u[0]
        angle = math.radians(rotate) * sign[1]
        mirror = torch.where(u[2] < 0.5, -1.0, 1.0) if flip else torch.ones_like(side)
        # Between the middles of the outer pixels, so that the part lies inside.
        inside = torch.tensor([[1 - 1 / x.shape[3]], [1 - 1 / x.shape[2]]]).to(side)
        place = (1 - side) * sign[3:5] * inside
        ratio = x.shape[2] / x.shape[3]
        rows = (
            torch.stack([side * mirror * angle.cos(), -side * angle.sin() * ratio, place[0]], 1),
            torch.stack([side * mirror * angle.sin() / ratio, side * angle.cos(), place[1]], 1),
        )
        grid = nn.functional.affine_grid(torch.stack(rows, 1), list(out.shape), align_corners=False)
        out = nn.functional.grid_sample(out, grid, padding_mode="border", align_corners=False)
    if contrast or brightness:
        middle = out.mean((1, 2, 3), keepdim=True)
        factor, shift = ((1 + contrast * sign[5]), brightness * sign[6])
        out = middle + (out - middle) * factor[:, None, None, None] + shift[:, None, None, None]
    if noise:
        drawn = torch.randn(out.shape, generator=generator, dtype=out.dtype, device=x.device)
        out = out + noise * drawn
    return out.to(x.dtype)


# What reads the result


class LinearProbe(NamedTuple):
    """Scores of the classes, x @ weight.T + bias: weight (K, d), bias (K,)."""

    weight: Float[Tensor, "classes features"]
    bias: Array

    def scores(self, x: Rows) -> Array:
        """One score a class: (B, K)."""
        if _rows("x", x).shape[1] != self.weight.shape[1]:
            refuse("x", describe(x), f"shape (B, {self.weight.shape[1]})")
        return x.to(self.weight) @ self.weight.mT + self.bias

    def accuracy(self, x: Rows, y: Tokens) -> float:
        """The share of rows whose class y has the largest score."""
        found = self.scores(x).argmax(1) == labels("y", y, x)
        return float(found.double().mean())


def linear_probe(x: Rows, y: Tokens, *, ridge: float = 1.0, kind: str = "logistic") -> LinearProbe:
    """The best linear classifier of frozen features: the minimum itself, not some steps towards it.

    "logistic" minimises the cross-entropy summed over the rows, "ridge" half the sum of squared
    errors against 0 and 1; both plus ridge/2 times the sum of squares of the weight. The bias pays
    nothing.

    Result: contrastive.probe
    Shapes: x (B, d), y (B,) integers in 0..K-1, where K - 1 is the largest; float64 inside.
    Errors: ValueError for other shapes, features that are not finite, a label < 0, a ridge not > 0
        or another kind.
    """
    finite("x", _rows("x", x))
    y = labels("y", y, x).long()
    if int(y.min()) < 0:
        refuse("y", describe(y), "labels >= 0")
    ridge = positive("ridge", ridge)
    one_of("kind", kind, ("logistic", "ridge"))
    classes = int(y.max()) + 1
    middle = x.detach().double().mean(0)
    wide = x.detach().double() - middle  # a bias is free, so this changes no minimum
    hot = nn.functional.one_hot(y, classes).double()
    solve = _logistic if kind == "logistic" else _ridge
    weight, bias = solve(wide, hot, ridge)
    return LinearProbe(weight, bias - weight @ middle)


def _ridge(x: Tensor, hot: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    share = hot.mean(0)
    eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    weight = torch.linalg.solve(x.mT @ x + ridge * eye, x.mT @ (hot - share)).mT
    return weight, share


def _logistic(x: Tensor, hot: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Newton's method in no more coordinates than there are rows, halving steps that go too far."""
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    seen = torch.cat([u * s, torch.ones_like(x[:, :1])], 1)
    k, d = hot.shape[1], seen.shape[1]
    price = torch.full((d,), ridge, dtype=x.dtype, device=x.device)
    price[-1] = 0
    w = x.new_zeros(k, d)
    eye = torch.eye(k, dtype=x.dtype, device=x.device)

    def loss(w: Tensor) -> Tensor:
        at = seen @ w.mT
        return (at.logsumexp(1) - (at * hot).sum(1)).sum() + (price * w.square()).sum() / 2

    for _ in range(100):
        p = (seen @ w.mT).softmax(1)
        slope = (p - hot).mT @ seen + price * w
        if float(slope.abs().max()) < 1e-10 * len(x):
            break
        bend = torch.einsum("bi,ij,bc,bd->icjd", p, eye, seen, seen)
        bend = bend - torch.einsum("bi,bj,bc,bd->icjd", p, p, seen, seen)
        bend = bend.reshape(k * d, k * d) + torch.diag(price.repeat(k))
        # All biases may rise together: a direction without slope, which gets none of the step.
        free = torch.zeros(k, d, dtype=x.dtype, device=x.device)
        free[:, -1] = 1
        bend = bend + torch.outer(free.flatten(), free.flatten())
        step = torch.linalg.solve(bend, slope.flatten()).reshape(k, d)
        size, before = 1.0, loss(w)
        while size > 1e-10 and not loss(w - size * step) <= before:
            size /= 2
        w = w - size * step
    return w[:, :-1] @ vh, w[:, -1]


# Checks


def _rows(name: str, value: object) -> Tensor:
    rows = some(name, value)
    if rows.ndim != 2 or rows.shape[1] == 0:
        refuse(name, describe(value), "rows of features, (B, d)")
    return rows


def _pair(x: Tensor, y: Tensor) -> Tensor:
    """y, if it has a row for each of x."""
    _rows("x", x)
    if _rows("y", y).shape != x.shape or y.dtype != x.dtype:
        refuse(
            "y", describe(y), f"a {x.dtype} tensor of shape {tuple(x.shape)}, a row for each of x"
        )
    return y


def _scores(scores: Tensor) -> Tensor:
    rows = _rows("scores", scores)
    if rows.shape[0] > rows.shape[1]:
        refuse(
            "scores", describe(scores), "shape (B, N) with B <= N, the partner of row i in column i"
        )
    return rows


def _of_partner(scores: Tensor) -> PerSample:
    return widened(_scores(scores)).log_softmax(1).diagonal()


def _temperature(temperature: Temperature) -> Temperature:
    if not isinstance(temperature, Tensor):
        return positive("temperature", temperature)
    if floating("temperature", temperature).numel() != 1:
        refuse("temperature", describe(temperature), "one number > 0")
    one = temperature.reshape(())
    number = read(one)
    if number is not None and not (0 < number < math.inf):
        refuse("temperature", describe(one), "one number > 0")
    return one
