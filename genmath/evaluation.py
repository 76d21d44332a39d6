"""Is it good? Distances between samples and data in features, and how sure one is of them.

Every measure takes two sets of features and no model:

    features = partial(embed, network)  # or any function of pictures
    real, fake = features(data), features(samples)
    fid, score = frechet_distance(real, fake), prdc(real, fake)
    sure = bootstrap(partial(frechet_distance, real), (fake,), generator=generator)

All is computed in float64. The sliced distance is `genmath.wasserstein.sliced_wasserstein`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

from genmath._base import checks
from genmath._base.checks import (
    batched,
    describe,
    finite,
    flag,
    function,
    instance,
    integer,
    positive,
    refuse,
    rng,
    some,
)
from genmath._base.shapes import Data, Scalar
from genmath._base.torch import Float, Tensor, nn, torch
from genmath._base.transport import distances
from genmath.wasserstein import gaussian_w2_squared

__all__ = [
    "C2ST",
    "PRDC",
    "FewSamples",
    "Interval",
    "bootstrap",
    "c2st",
    "embed",
    "frechet_distance",
    "gaussian_kernel",
    "inception_score",
    "kid",
    "mmd",
    "polynomial_kernel",
    "prdc",
]

Logits = Float[Tensor, "n K"]
Features = Float[Tensor, "n d"]
Kernel = Callable[[Features, Features], Float[Tensor, "n m"]]
Statistic = Callable[..., Scalar]


class FewSamples(UserWarning):
    """There are no more samples than dimensions: their covariance is singular, and the Fréchet
    distance says more about their number than about the model."""


class PRDC(NamedTuple):
    """Shares of samples near data and of data near samples; how densely the samples lie in the
    balls of the data, which may exceed one; and the share of those balls that are not empty."""

    precision: Scalar
    recall: Scalar
    density: Scalar
    coverage: Scalar


class C2ST(NamedTuple):
    """The share of held-out points that were told apart; the total variation that such an accuracy
    needs, 2 accuracy - 1 but not below 0; and how probable so many right answers or more would be
    from tossing a coin."""

    accuracy: Scalar
    tv: Scalar
    p_value: Scalar


class Interval(NamedTuple):
    """A statistic of all samples, the ends of its interval, and its bias, estimated: the mean over
    the resampled sets less the value."""

    value: Scalar
    low: Scalar
    high: Scalar
    bias: Scalar


# Features


@torch.no_grad()
def embed(model: Callable[[Tensor], Tensor], x: Data, *, batch: int = 256) -> Features:
    """Features of x, taken in batches without a graph; a module is put into eval() and back.

    Shapes: x (n, *event); the model maps (b, *event) to (b, …), which is flattened to (n, d).
    Errors: ValueError for no sample, batch < 1, or a model that does not give one row a sample.
    """
    function("model", model)
    size = integer("batch", batch, 1)
    parts = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [part for part in parts if part.training]
    for part in training:
        part.training = False
    try:
        found = [_rows(model(chunk), len(chunk)) for chunk in torch.split(some("x", x), size)]
    finally:
        for part in training:
            part.training = True
    return torch.cat(found)


def _rows(out: object, n: int) -> Tensor:
    fits = isinstance(out, Tensor) and out.dtype.is_floating_point and out.shape[:1] == (n,)
    if not isinstance(out, Tensor) or not fits:
        refuse("model output", describe(out), f"one row of features a sample: shape ({n}, …)")
    return out.reshape(n, math.prod(out.shape[1:]))


# Fréchet distance


def frechet_distance(real: Data, fake: Data) -> Scalar:
    """W_2² of the two normal densities that have the moments of the features: of Inception's, FID.

    The covariances are divided by n - 1. Differentiable where there are more samples than
    dimensions. It is biased: two halves of one set have a distance above 0, so compare for equal
    numbers.

    Result: wasserstein.w2_normal, evaluation.mean_bias, evaluation.fid_bias
    Shapes: real (n, …) and fake (m, …), the same event, which is flattened. The dtype follows real.
    Errors: ValueError for events that differ, fewer than two points in a set, points that are not
        finite. Warns `FewSamples` where a set has no more points than dimensions.
    Source: Heusel et al. 2017, equation 6.
    """
    sets = _two(real, fake)
    d = sets[0].shape[1]
    for name, points in zip(("real", "fake"), sets, strict=True):
        if len(points) <= d:
            warnings.warn(
                f"{name}: {len(points)} points in {d} dimensions, their covariance is singular",
                FewSamples,
                stacklevel=2,
            )
    (m_p, l_p), (m_q, l_q) = (_moments(points) for points in sets)
    return gaussian_w2_squared(m_p, l_p, m_q, l_q).to(real.dtype)


def _moments(points: Tensor) -> tuple[Tensor, Tensor]:
    """The mean, and a factor L of the covariance L Lᵀ without forming it: half the digits would be
    lost."""
    n, d = points.shape
    mean = points.mean(0)
    triangle = torch.linalg.qr((points - mean) / math.sqrt(n - 1)).R
    missing = triangle.new_zeros(d - len(triangle), d)
    return mean, torch.cat([triangle, missing]).mT


# Inception score


def inception_score(logits: Logits) -> Scalar:
    """exp of the mean KL divergence from a classifier's answer for one sample to its mean answer.

    Between 1 and K, the number of classes. The data do not occur.

    Result: evaluation.inception
    Shapes: logits (n, K) of the samples. In the dtype of the logits.
    Errors: ValueError for another shape, no sample, or logits that are not finite.
    Source: Salimans et al. 2016, section 4.
    """
    if some("logits", logits).ndim != 2 or logits.shape[1] == 0:
        refuse("logits", describe(logits), "shape (n, K), a logit for every class")
    log_each = finite("logits", logits).double().log_softmax(1)
    log_mean = log_each.logsumexp(0) - math.log(len(logits))
    information = (log_each.exp() * (log_each - log_mean)).sum(1).mean()
    return information.exp().to(logits.dtype)


# Kernels


def gaussian_kernel(bandwidth: float) -> Kernel:
    """k(x, y) = exp(-‖x - y‖² / (2 bandwidth²)): it sees every difference of two laws.

    Result: evaluation.gaussian_kernel
    Shapes: the kernel takes (n, d) and (m, d) to (n, m).
    Errors: ValueError for bandwidth <= 0.
    Source: Gretton et al. 2012.
    """
    h = positive("bandwidth", bandwidth)
    return lambda x, y: (-(distances(x, y) / h).square() / 2).exp()


def polynomial_kernel(degree: int = 3) -> Kernel:
    """k(x, y) = (⟨x, y⟩/d + 1)^degree: it sees the moments up to its degree, and no more.

    Result: evaluation.cubic_kernel
    Shapes: the kernel takes (n, d) and (m, d) to (n, m).
    Errors: ValueError for degree < 1.
    Source: Bińkowski et al. 2018.
    """
    power = integer("degree", degree, 1)
    return lambda x, y: (x @ y.mT / x.shape[1] + 1) ** power


def mmd(
    real: Data, fake: Data, kernel: Kernel, *, biased: bool = False, block: int = 1024
) -> Scalar:
    """The squared maximum mean discrepancy, of which the unbiased estimate may be below 0.

    ``biased`` keeps the pairs of a point with itself: the squared distance of two means in the
    kernel's features, never below 0.

    Result: evaluation.mmd, evaluation.mmd_estimates
    Shapes: real (n, …) and fake (m, …), the same event, which is flattened. The dtype follows real.
        Differentiable; no more than block × max(n, m) kernel values are made at once.
    Errors: ValueError for events that differ, fewer than two points in a set, points that are not
        finite, or a kernel that does not give one number a pair.
    Source: Gretton et al. 2012, lemma 6 and equation 5.
    """
    function("kernel", kernel)
    flag("biased", biased)
    size = integer("block", block, 1)
    x, y = _two(real, fake)
    within = _mean_within(kernel, x, biased, size) + _mean_within(kernel, y, biased, size)
    across = torch.stack([_gram(kernel, part, y).sum() for part in torch.split(x, size)]).sum()
    return (within - 2 * across / (len(x) * len(y))).to(real.dtype)


def _mean_within(kernel: Kernel, x: Tensor, biased: bool, size: int) -> Tensor:
    total = x.new_zeros(())
    for begin in range(0, len(x), size):
        values = _gram(kernel, x[begin : begin + size], x)
        total = total + values.sum()
        if not biased:
            total = total - values.diagonal(begin).sum()
    return total / (len(x) * (len(x) - (not biased)))


def _gram(kernel: Kernel, x: Tensor, y: Tensor) -> Tensor:
    values = kernel(x, y)
    shape = (len(x), len(y))
    if not isinstance(values, Tensor) or values.shape != shape or values.dtype != x.dtype:
        refuse("kernel output", describe(values), f"a {x.dtype} tensor of shape {shape}")
    return values


def kid(real: Data, fake: Data, *, block: int = 1024) -> Scalar:
    """The kernel inception distance: `mmd` with the cubic kernel, unbiased, over all pairs.

    Result: evaluation.cubic_kernel, evaluation.mmd_estimates
    Shapes, Errors: as for `mmd`.
    Source: Bińkowski et al. 2018.
    """
    return mmd(real, fake, polynomial_kernel(), block=block)


# Nearest neighbours


def prdc(real: Data, fake: Data, k: int = 5, *, block: int = 1024) -> PRDC:
    """Precision, recall, density and coverage, from the balls up to each point's k-th neighbour.

    A ball contains its edge, and a point is no neighbour of itself.

    Result: evaluation.recall, evaluation.nearest
    Shapes: real (n, …) and fake (m, …), the same event, which is flattened; four numbers in the
        dtype of real. No more than block × max(n, m) distances are held.
    Errors: ValueError for events that differ, points that are not finite, or k at least the number
        of points in a set.
    Source: Kynkäänniemi et al. 2019; Naeem et al. 2020.
    """
    x, y = _two(real, fake)
    k, size = integer("k", k, 1, min(len(x), len(y)) - 1), integer("block", block, 1)
    of_x, of_y = _radii(x, k, size), _radii(y, k, size)
    inside = x.new_zeros(len(y))  # in how many balls of the data each sample lies
    filled, recalled = 0, 0
    for part, radii in zip(torch.split(x, size), torch.split(of_x, size), strict=True):
        apart = distances(part, y)
        hit = apart <= radii.unsqueeze(1)
        inside += hit.sum(0)
        filled += int(hit.any(1).sum())
        recalled += int((apart <= of_y).any(1).sum())
    shares = (inside > 0).double().mean(), recalled / len(x), inside.mean() / k, filled / len(x)
    return PRDC(*(torch.as_tensor(share).to(real) for share in shares))


def _radii(x: Tensor, k: int, size: int) -> Tensor:
    return torch.cat(
        [distances(part, x).kthvalue(k + 1, dim=1).values for part in torch.split(x, size)]
    )


# Classifier two-sample test


def c2st(
    real: Data,
    fake: Data,
    k: int | None = None,
    *,
    test_fraction: float = 0.5,
    generator: torch.Generator,
) -> C2ST:
    """How well the nearest neighbours tell samples from data, on points that were held out.

    The majority among k neighbours answers: k is by default the root of the number of
    points that it is given, made odd. Any other classifier's held-out accuracy is
    1 - `genmath.gan.error_rate`.

    Result: evaluation.accuracy
    Shapes: real (n, …) and fake (n, …), the same event and as many of each, so that guessing is
        right half of the time; three numbers in the dtype of real.
    Errors: ValueError for sets that differ in shape, points that are not finite, an even k, one
        above the number of points that are left, or a fraction that leaves a set without points.
    Source: Lopez-Paz, Oquab 2017, section 3.
    """
    x, y = _two(real, fake)
    if len(x) != len(y):
        refuse("fake", describe(fake), f"as many points as in real, {len(x)}")
    fraction = checks.real("test_fraction", test_fraction, "a number between 0 and 1", 0.0, 1.0)
    held = round(fraction * len(x))
    if not 0 < held < len(x):
        refuse("test_fraction", fraction, f"one that leaves points on both sides, of {len(x)}")
    known = 2 * (len(x) - held)
    if k is None:
        k = math.isqrt(known) | 1
    elif (k := integer("k", k, 1, known)) % 2 == 0:
        refuse("k", k, "an odd number, so that no vote is a tie")
    orders = [
        torch.randperm(len(x), generator=rng(generator, x.device), device=x.device) for _ in "xy"
    ]
    train = torch.cat([x[orders[0][held:]], y[orders[1][held:]]])
    made = torch.arange(known, device=x.device) >= known // 2
    right = 0
    for points, order, label in ((x, orders[0], False), (y, orders[1], True)):
        nearest = distances(points[order[:held]], train).topk(k, largest=False).indices
        votes = made[nearest].sum(1)
        right += int(((2 * votes > k) == label).sum())
    accuracy = right / (2 * held)
    values = accuracy, max(0.0, 2 * accuracy - 1), _coin(right, 2 * held)
    return C2ST(*(torch.tensor(value).to(real) for value in values))


def _coin(right: int, n: int) -> float:
    """The probability of that many heads or more among n."""
    heads = torch.arange(right, n + 1, dtype=torch.float64)
    whole = torch.tensor(n + 1.0, dtype=torch.float64)
    choose = whole.lgamma() - (heads + 1).lgamma() - (whole - heads).lgamma()
    return min(1.0, float((choose - n * math.log(2)).exp().sum()))


# How sure


def bootstrap(
    statistic: Statistic,
    samples: Sequence[Data],
    *,
    repeats: int = 1000,
    level: float = 0.95,
    generator: torch.Generator,
) -> Interval:
    """The basic bootstrap interval of a statistic: each set is drawn anew from itself, repeatedly.

    It reflects the resampled values at the value, so that a bias which resampling repeats is
    counted in the right direction, as that of `frechet_distance`. Statistics of nearest neighbours
    must not see one point twice: resample only the set that is asked for, as the samples of a
    precision.

    Result: evaluation.mean_bias
    Shapes: samples is a list of sets (n, …), each resampled by itself; the statistic maps them to
        one number. In its dtype.
    Errors: ValueError for no set, an empty set, repeats < 1, a level outside (0, 1), or a statistic
        that is not one number.
    Source: Davison, Hinkley 1997, section 5.2.
    """
    function("statistic", statistic)
    instance("samples", samples, (tuple, list), "a list of sets, such as (real, fake)")
    if not samples:
        refuse("samples", describe(samples), "at least one set")
    sets = [some(f"samples[{i}]", points) for i, points in enumerate(samples)]
    count = integer("repeats", repeats, 1)
    tail = (1 - checks.real("level", level, "a number between 0 and 1", 0.0, 1.0)) / 2
    if tail in (0.0, 0.5):
        refuse("level", level, "a number between 0 and 1")
    rng(generator)
    value = _one(statistic(*sets))
    found = torch.stack(
        [_one(statistic(*(_again(points, generator) for points in sets))) for _ in range(count)]
    )
    ends = torch.tensor([tail, 1 - tail], dtype=torch.float64, device=found.device)
    low, high = found.double().quantile(ends)
    wide = value.double()
    ready = (wide, 2 * wide - high, 2 * wide - low, found.double().mean() - wide)
    return Interval(*(part.to(value.dtype) for part in ready))


def _again(points: Tensor, generator: torch.Generator) -> Tensor:
    n = len(points)
    return points[
        torch.randint(n, (n,), generator=rng(generator, points.device), device=points.device)
    ]


def _one(value: object) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim or not value.dtype.is_floating_point:
        refuse(
            "statistic output", describe(value), "one number: a floating-point tensor of shape ()"
        )
    return value.detach()


# Helpers


def _two(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets, of two points or more, flattened to rows, in float64."""
    event = batched("real", real).shape[1:]
    if batched("fake", fake).shape[1:] != event:
        refuse("fake", describe(fake), f"events of the shape of real, {tuple(event)}")
    size = math.prod(event)
    for name, points in (("real", real), ("fake", fake)):
        if len(points) < 2 or size == 0:
            refuse(name, describe(points), "at least 2 points of one feature or more")
    x, y = (
        finite(n, p).double().reshape(len(p), size) for n, p in (("real", real), ("fake", fake))
    )
    return x, y
