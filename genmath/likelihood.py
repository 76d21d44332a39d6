"""Maximum likelihood in closed form and by EM, densities from bumps, bits, and how good a score is.

Log-densities are those of `torch.distributions`, and a fit returns one of its objects. A mixture
is the `genmath.toys.GaussianMixture` that the book has as ground truth. Fits are computed in
float64. All values are in nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from genmath._base.batch import work_dtype
from genmath._base.checks import (
    batched,
    describe,
    finite,
    floating,
    function,
    instance,
    integer,
    numeric,
    one_of,
    positive,
    real,
    refuse,
    rng,
    some,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.normal import log_normal
from genmath._base.shapes import Array, Data, PerSample, Scalar
from genmath._base.steps import one_each
from genmath._base.torch import Float, Int, Tensor, torch
from genmath.toys import GaussianMixture

__all__ = [
    "PCA",
    "ROC",
    "KMeans",
    "MixtureFit",
    "bits_per_dim",
    "dequantization_bound",
    "fit",
    "fit_mixture",
    "fit_ppca",
    "kde_log_prob",
    "kmeans",
    "pca",
    "roc",
]

Points = Float[Tensor, "n d"]
Rows = Float[Tensor, "k d"]
Vector = Float[Tensor, "d"]
Labels = Int[Tensor, "n"]
Curve = Float[Tensor, "steps"]  # a number at the start and after each step
Scores = Float[Tensor, "n"]
Thresholds = Float[Tensor, "thresholds"]
FAMILIES = ("normal", "bernoulli", "categorical", "exponential", "poisson")
COVARIANCES = ("full", "diagonal", "spherical")
Proposal = Callable[[Tensor, Generators], tuple[Tensor, Tensor]]


# Families


def fit(x: Array, family: str = "normal") -> torch.distributions.Distribution:
    """The member of a family under which the data are most probable, each coordinate by itself.

    Result: likelihood.normal_ml, likelihood.coin_ml, likelihood.die_ml, likelihood.exponential_ml, likelihood.poisson_ml
    Shapes: x (n, *event), the examples first, gives a distribution with batch shape event, in the
        dtype of x (float32 for integers). "categorical" takes integers (n,), the sides 0, 1, 2, …
    Errors: ValueError for another family, no example, values that the family cannot have, or data
        that no member of it makes most probable: equal numbers for a normal, zeros alone for an
        exponential or a Poisson.
    Source: Fisher 1922; the normal variance is the biased one, divided by n.
    """  # noqa: E501
    one_of("family", family, FAMILIES)
    data = numeric("x", x)
    if data.ndim == 0 or len(data) == 0:
        refuse("x", describe(x), "examples along the first dimension, at least one")
    out = data.dtype if data.dtype.is_floating_point else torch.float32
    wide = finite("x", data.double())
    if family == "categorical":
        return _die(data, out)
    mean = wide.mean(0)
    if family == "normal":
        variance = (wide - mean).square().mean(0)
        _each(x, variance > 0, "numbers that are not all equal, in each coordinate")
        return torch.distributions.Normal(mean.to(out), variance.sqrt().to(out))
    if family == "bernoulli":
        _each(x, (wide == 0) | (wide == 1), "zeros and ones")
        return torch.distributions.Bernoulli(probs=mean.to(out))
    _each(x, wide >= 0, "numbers >= 0")
    _each(x, mean > 0, "numbers that are not all zero, in each coordinate")
    if family == "exponential":
        return torch.distributions.Exponential((1 / mean).to(out))
    _each(x, wide == wide.floor(), "whole numbers")
    return torch.distributions.Poisson(mean.to(out))


def _each(x: Tensor, right: Tensor, expected: str) -> None:
    if not bool(right.all()):
        refuse("x", describe(x), expected)


def _die(x: Tensor, dtype: torch.dtype) -> torch.distributions.Distribution:
    if x.dtype not in (torch.int64, torch.int32) or x.ndim != 1 or int(x.min()) < 0:
        refuse("x", describe(x), "integers of shape (n,), the sides 0, 1, 2, …")
    if int(x.max()) >= 10**6:
        refuse("x", describe(x), "sides below a million")
    return torch.distributions.Categorical(probs=(torch.bincount(x).double() / len(x)).to(dtype))


# Mixtures


class KMeans(NamedTuple):
    """Centres, the nearest centre of each example, and the distortion: the mean squared distance
    to it, at the start and after each step. It never rises."""

    centres: Rows
    labels: Labels
    distortion: Curve


class MixtureFit(NamedTuple):
    """A mixture, the mean log-likelihood of an example at the start and after each step, in nats,
    and whether its last rise was below the tolerance."""

    mixture: GaussianMixture
    log_likelihood: Curve
    converged: bool


def kmeans(
    x: Points,
    components: int,
    *,
    generator: torch.Generator | None = None,
    start: Rows | None = None,
    steps: int = 100,
) -> KMeans:
    """Centres that lower the distortion, until no example changes its centre.

    They start at ``start``, or at examples drawn as k-means++ does: each next one with a
    probability in proportion to its squared distance from the nearest of those there are.

    Result: likelihood.kmeans_step
    Shapes: x (n, d); centres (components, d) in the dtype of x.
    Errors: ValueError for fewer different examples than components, shapes that do not fit, unless
        exactly one of generator and start is given, or where a centre has lost all its examples:
        it is named.
    Source: Lloyd 1982; Arthur, Vassilvitskii 2007.
    """
    data, k = _points(x), integer("components", components, 1)
    steps = integer("steps", steps, 1)
    if (generator is None) == (start is None):
        which = "neither" if start is None else "both"
        refuse("generator, start", which, "exactly one of the two")
    if start is None:
        centres = _spread_out(data, k, rng(generator, x.device))
    else:
        centres = finite("start", floating("start", start).double())
        if centres.shape != (k, data.shape[1]):
            refuse("start", describe(start), f"centres of shape {(k, data.shape[1])}")
    labels, distortion = _nearest(data, centres)
    found = [distortion]
    for _ in range(steps):
        counts = torch.bincount(labels, minlength=k)
        if not bool(counts.all()):
            lost = int(counts.argmin())
            expected = "fewer of them, or another start"
            refuse("components", f"centre {lost}, which is nearest to no example", expected)
        centres = torch.zeros_like(centres).index_add_(0, labels, data) / counts.unsqueeze(1)
        before = labels
        labels, distortion = _nearest(data, centres)
        found.append(distortion)
        if torch.equal(labels, before):
            break
    return KMeans(centres.to(x.dtype), labels, torch.stack(found))


def _nearest(data: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Who is nearest, by a matrix product of what has mean 0, and the exact distortion."""
    middle = data.mean(0)
    near = centres - middle
    labels = (near.square().sum(1) - 2 * (data - middle) @ near.mT).argmin(1)
    return labels, (data - centres[labels]).square().sum(1).mean()


def _spread_out(data: Tensor, k: int, generator: torch.Generator) -> Tensor:
    if k > len(data):
        refuse("components", k, f"at most one for each of {len(data)} examples")
    weight = data.new_ones(len(data))
    chosen: list[Tensor] = []
    for _ in range(k):
        if not bool(weight.any()):
            refuse(
                "components", k, f"at most {len(chosen)}, as many as there are different examples"
            )
        chosen.append(data[torch.multinomial(weight, 1, generator=generator)])
        away = (data - chosen[-1]).square().sum(1)
        weight = away if len(chosen) == 1 else torch.minimum(weight, away)
    return torch.cat(chosen)


def fit_mixture(
    x: Points,
    components: int,
    *,
    covariance: str = "full",
    generator: torch.Generator | None = None,
    start: GaussianMixture | None = None,
    steps: int = 200,
    tolerance: float = 1e-6,
    floor: float = 0.0,
) -> MixtureFit:
    """A mixture of Gaussians by EM, from ``start`` or from the groups of `kmeans`.

    The likelihood of a mixture has no maximum: a component on one example may have a variance as
    small as it likes. EM then runs into it, and this says which component it was. A ``floor`` is
    added to all variances in each step; what is maximised is then no longer the likelihood, which
    without one never falls.

    Result: likelihood.em_bound, likelihood.responsibilities, likelihood.m_step
    Shapes: x (n, d). ``covariance`` is "full", "diagonal" or "spherical" (one variance each).
    Errors: ValueError as for `kmeans`, and where a component has lost all examples or all volume.
    Source: Dempster, Laird, Rubin 1977.
    """
    one_of("covariance", covariance, COVARIANCES)
    data, k = _points(x), integer("components", components, 1)
    steps, tolerance = integer("steps", steps, 1), positive("tolerance", tolerance)
    floor = real("floor", floor, "a number >= 0", 0.0)
    if start is None:
        labels = kmeans(x, k, generator=rng(generator, x.device)).labels
        given = torch.nn.functional.one_hot(labels, k).double()
        mixture = _maximise(data, given, covariance, floor)
    else:
        instance("start", start, GaussianMixture, "a genmath.toys.GaussianMixture")
        if start.means.shape != (k, data.shape[1]):
            refuse("start", start, f"one of {k} components in {data.shape[1]} dimensions")
        if generator is not None:
            refuse("generator", describe(generator), "None: with a start nothing is drawn")
        mixture = start
    log_joint = mixture.log_joint(data)
    found = [log_joint.logsumexp(1).mean()]
    converged = False
    while not converged and len(found) <= steps:
        mixture = _maximise(data, log_joint.softmax(1), covariance, floor)
        log_joint = mixture.log_joint(data)
        found.append(log_joint.logsumexp(1).mean())
        converged = bool(found[-1] - found[-2] < tolerance)
    return MixtureFit(mixture, torch.stack(found), converged)


def _maximise(data: Tensor, given: Tensor, covariance: str, floor: float) -> GaussianMixture:
    """The M-step: shares, weighted means, weighted covariances."""
    size = given.sum(0)
    if not bool((size > 0).all()):
        k = int(size.argmin())
        _lost(k, "which is responsible for no example")
    means = given.mT @ data / size.unsqueeze(1)
    away = data.unsqueeze(1) - means
    if covariance == "full":
        weighted = (given / size).unsqueeze(2) * away
        scatter = torch.einsum("nki,nkj->kij", weighted, away)
        covariances = (scatter + scatter.mT) / 2 + floor * torch.eye(data.shape[1]).to(data)
    else:
        variances = torch.einsum("nk,nki->ki", given / size, away.square()) + floor
        if covariance == "spherical":
            variances = variances.mean(1, keepdim=True).expand_as(variances)
        covariances = torch.diag_embed(variances)
    scale = data.var(0, correction=0).sum()
    for k, least in enumerate(torch.linalg.eigvalsh(covariances)[:, 0].tolist()):
        if least <= 1e-13 * float(scale):
            _lost(k, "whose examples fill no volume, so that its likelihood has no bound")
    return GaussianMixture(size / size.sum(), means, covariances=covariances)


def _lost(k: int, why: str) -> NoReturn:
    refuse("components, floor", f"component {k}, {why}", "fewer, another start, or a floor > 0")


def _points(x: Tensor) -> Tensor:
    if floating("x", x).ndim != 2 or 0 in x.shape:
        refuse("x", describe(x), "shape (n, d), at least one example")
    return finite("x", x.detach().double())


# Principal components


class PCA(NamedTuple):
    """The mean, the directions (orthonormal rows, the most variance first), the variance along
    each, divided by n, and the mean variance of the directions that are left out."""

    mean: Vector
    directions: Rows
    variances: Vector
    rest: Scalar


def pca(x: Points, components: int) -> PCA:
    """The directions of the most variance, which lose least when data are projected on them.

    Of each direction the entry of largest size is positive, since the sign means nothing.

    Result: likelihood.reconstruction, likelihood.best_direction
    Shapes: x (n, d), components at most d. In the dtype of x.
    Errors: ValueError for shapes that do not fit.
    Source: Bishop 2006, section 12.1.
    """
    data = _points(x)
    n, d = data.shape
    k = integer("components", components, 1, d)
    mean = data.mean(0)
    _, sizes, rows = torch.linalg.svd(data - mean, full_matrices=n < d)
    variances = data.new_zeros(d)
    variances[: len(sizes)] = sizes.square() / n
    rows = rows[:k]
    largest = rows.abs().argmax(1, keepdim=True)
    rows = rows * rows.gather(1, largest).sign()
    rest = variances[k:].mean() if k < d else data.new_zeros(())
    return PCA(*(part.to(x.dtype) for part in (mean, rows, variances[:k], rest)))


def fit_ppca(x: Points, latent: int) -> torch.distributions.LowRankMultivariateNormal:
    """Probabilistic PCA: x = W z + mean + noise of one variance, z standard normal (latent,).

    Result: likelihood.ppca_noise
    Shapes: x (n, d), latent below d. In the dtype of x; the columns of W are orthogonal.
    Errors: ValueError for shapes that do not fit, or data without variance in what is left out.
    Source: Tipping, Bishop 1999, with the rotation left out, of which the density knows nothing.
    """
    data = _points(x)
    k = integer("latent", latent, 1, max(1, data.shape[1] - 1))
    if data.shape[1] < 2:
        refuse("x", describe(x), "at least two dimensions")
    found = pca(data, k)
    if float(found.rest) <= 1e-13 * float(found.variances.sum()):
        refuse("x", describe(x), f"variance outside {k} dimensions; without it there is no density")
    factor = found.directions.mT * (found.variances - found.rest).sqrt()
    mean, factor, diagonal = (
        part.to(x.dtype) for part in (found.mean, factor, found.rest.expand(data.shape[1]))
    )
    return torch.distributions.LowRankMultivariateNormal(mean, factor, diagonal)


# Densities from bumps


def kde_log_prob(x: Data, samples: Data, *, bandwidth: float, block: int = 1024) -> PerSample:
    """log of the mean of normal bumps of standard deviation ``bandwidth`` on the samples.

    Result: likelihood.kernel_density
    Shapes: x (B, *event), samples (n, *event) gives (B,), in the dtype of x; differentiable in
        both. The samples are taken in blocks, so that no more than B × block × event numbers are
        held. Nats.
    Errors: ValueError for events that differ, no sample, or bandwidth <= 0.
    Source: Parzen 1962.
    """
    batched("x", x)
    if some("samples", samples).shape[1:] != x.shape[1:]:
        refuse("samples", describe(samples), f"samples of shape {tuple(x.shape[1:])}, as x has")
    h, block = positive("bandwidth", bandwidth), integer("block", block, 1)
    work = work_dtype(x)
    at, bumps = x.to(work).flatten(1) if x.ndim > 1 else x.to(work).unsqueeze(1), samples.to(work)
    bumps = bumps.flatten(1) if bumps.ndim > 1 else bumps.unsqueeze(1)
    found = at.new_full((len(at),), -math.inf)
    for part in torch.split(bumps, block):
        z = (at.unsqueeze(1) - part) / h
        found = torch.logaddexp(found, log_normal(z, 2 * math.log(h)).sum(2).logsumexp(1))
    return (found - math.log(len(bumps))).to(x.dtype)


# Bits


def bits_per_dim(nats: Array, dims: int, *, width: float = 1.0) -> Array:
    """Minus a log-likelihood in nats as bits a dimension, nats / (dims · log 2), for bins of one.

    A network that sees values in [0, 1] of 256 levels sees bins of width 1/256; the density then
    is one for another unit, and - log2(width) = 8 bits are added.

    Result: likelihood.change_of_unit
    Errors: ValueError unless dims is an integer >= 1 and width a number > 0.
    """
    per_bit = integer("dims", dims, 1) * math.log(2)
    return floating("nats", nats) / per_bit - math.log2(positive("width", width))


def dequantization_bound(
    model: Callable[[Tensor], Tensor],
    x: Array,
    *,
    generator: Generators,
    k: int = 1,
    proposal: Proposal | None = None,
) -> PerSample:
    """The mean over k draws of log p(x + u) - log q(u): a lower bound of log P(x), on average.

    P(x) is what the density p of the model has in the bin from x to x + 1. Without a proposal u is
    uniform. A proposal gets x and the generator, and returns u in [0, 1] and log q(u).

    Result: likelihood.dequantization
    Shapes: x (B, *event), whole numbers; the model maps (B, *event) to (B,), a proposal to
        (B, *event) and (B,). In float32, or the dtype of x where that is a floating one. Nats.
    Errors: ValueError for shapes that do not fit, k < 1, or a missing generator.
    Source: Theis, van den Oord, Bethge 2016, for uniform noise; Ho et al. 2019 for a proposal.
    """
    function("model", model)
    if numeric("x", x).ndim == 0:
        refuse("x", describe(x), "a batch dimension first")
    rngs(generator, len(x), x.device)
    k = integer("k", k, 1)
    if proposal is not None:
        function("proposal", proposal)
    levels = x if x.dtype.is_floating_point else x.float()
    found = []
    for _ in range(k):
        if proposal is None:
            noise, log_q = (
                draw_(torch.empty_like(levels), generator, "uniform_"),
                levels.new_zeros(1),
            )
        else:
            noise, log_q = _proposed(proposal(levels, generator), levels)
        found.append(one_each("model output", model(levels + noise), levels) - log_q)
    return torch.stack(found).mean(0)


def _proposed(out: object, x: Tensor) -> tuple[Tensor, Tensor]:
    if not isinstance(out, tuple) or len(out) != 2:
        refuse("proposal output", describe(out), "a pair: u, shaped like x, and log q(u)")
    noise, log_q = out
    if not isinstance(noise, Tensor) or noise.shape != x.shape:
        refuse("proposal output", describe(noise), f"u of shape {tuple(x.shape)}, as x has")
    return noise, one_each("proposal output", log_q, x)


# How good a score is


class ROC(NamedTuple):
    """The share of faults found against the share of false alarms, for every threshold from high
    to low, and the area under it: the probability that a fault scores higher than a good example,
    ties counting half."""

    false_alarms: Thresholds
    found: Thresholds
    area: Scalar


def roc(fault: Scores, good: Scores) -> ROC:
    """The ROC curve of a score that should be high for faults.

    Examples with equal scores pass the threshold together: the curve has one point for each value.

    Shapes: scores (n,) and (m,); curves from (0, 0) to (1, 1), in float64.
    Errors: ValueError for another shape, no score, or one that is NaN.
    Source: Neyman, Pearson 1933, for what no score can exceed.
    """
    for name, scores in (("fault", fault), ("good", good)):
        if floating(name, scores).ndim != 1 or len(scores) == 0 or bool(scores.isnan().any()):
            refuse(name, describe(scores), "scores of shape (n,), at least one, none NaN")
    both = torch.cat([fault.detach().double(), good.detach().double()])
    order = both.argsort(descending=True)
    both, faulty = both[order], (order < len(fault)).double()
    last = torch.cat([both[1:] != both[:-1], both.new_ones(1, dtype=torch.bool)])
    zero = both.new_zeros(1)
    hits = torch.cat([zero, faulty.cumsum(0)[last] / len(fault)])
    alarms = torch.cat([zero, (1 - faulty).cumsum(0)[last] / len(good)])
    return ROC(alarms, hits, torch.trapezoid(hits, alarms))
