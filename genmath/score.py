"""Score matching in four forms, Tweedie's formulas, energies, and Langevin steps.

Data x_0 are seen through noise, x = alpha x_0 + sigma eps. A score is a function of x that returns
a tensor like x, and an energy one that returns a number a sample; what is trained on many noise
levels is called as score(x, sigma) with sigma (B,). The samples of a batch must not meet inside
such a function (no batch norm): the derivatives taken here rely on it.

    levels = geometric_levels(10.0, 0.01, 20)
    sigma = levels[torch.randint(20, (len(x0),), generator=generator)]
    loss = denoising_loss(model, x0, 1.0, sigma, generator=generator)
    x = annealed_langevin(model, shape, levels, step=0.1, repeats=50, generator=generator)

A network's noise becomes a score by `genmath.predictions.convert`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from genmath._base.batch import affine, per_sample, sum_event, work_dtype
from genmath._base.checks import (
    apart,
    batched,
    describe,
    function,
    integer,
    listed,
    positive,
    real,
    refuse,
    same_shape,
    some,
)
from genmath._base.draws import Generators
from genmath._base.shapes import Array, Coefficient, Data, PerSample, Scalar
from genmath._base.slopes import divergence, slope
from genmath._base.steps import Model, call, one_each, one_noise, output
from genmath._base.torch import Float, Tensor, torch
from genmath.paths import VEPath
from genmath.predictions import convert
from genmath.samplers import Langevin, sample

__all__ = [
    "annealed_langevin",
    "contrastive_loss",
    "denoising_loss",
    "energy_score",
    "geometric_levels",
    "hyvarinen_loss",
    "kernel_score",
    "langevin_step",
    "langevin_variance",
    "sliced_loss",
    "tweedie",
    "tweedie_covariance",
]

Field = Callable[[Tensor], Tensor]
Levels = Float[Tensor, "levels"]


# Denoising


def kernel_score(x: Data, x0: Data, alpha: Coefficient, sigma: Coefficient) -> Data:
    """-(x - alpha x_0)/sigma², the slope by x of log p(x | x_0), and not of log p(x).

    Result: score.kernel_score
    Shapes: x and x0 alike; alpha and sigma numbers or one value a sample. The dtype follows x.
    Errors: ValueError for shapes that differ, or sigma = 0; a tensor is not read, and gives
        infinity or NaN there.
    Source: Vincent 2011, section 4.3.
    """
    same_shape("x0", x0, "x", batched("x", x))
    return convert(x0, x, alpha, sigma, source="x0", target="score")


def denoising_loss(
    score: Model,
    x0: Data,
    alpha: Coefficient,
    sigma: Coefficient,
    *,
    weight: Coefficient | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
) -> Scalar:
    """weight · ‖score(x, sigma) + eps/sigma‖², summed over the event and averaged over the batch.

    The weight is sigma² unless given, which makes it the squared error of the noise. Its least
    value is not zero, but the part of the noise that x does not determine.

    Result: score.denoising, score.noise_levels
    Shapes: x0 and noise (B, …) alike; sigma, alpha and weight numbers or one value a sample. The
        dtype follows x0.
    Errors: ValueError for an empty batch, shapes that differ, a number sigma = 0, or unless exactly
        one of ``noise`` and ``generator`` is given.
    Source: Vincent 2011, equation 9; the weight: Song, Ermon 2019, section 4.2.
    """
    some("x0", x0)
    s = _above_zero("sigma", sigma, x0)
    a = per_sample("alpha", alpha, x0)
    eps = one_noise(noise, generator, x0, "x0")
    work = work_dtype(x0)
    x = affine(x0, _cast(a, work), eps, _cast(s, work))
    level = torch.as_tensor(sigma, dtype=work, device=x0.device)
    out = call(score, x, level.reshape(-1).expand(len(x0)), "score")
    s = _cast(s, work)
    errors = sum_event((s * out.to(work) + eps.to(work)) ** 2, 1)  # times sigma²
    if weight is not None:
        w = _cast(per_sample("weight", weight, errors), work)
        errors = w / (s.reshape(-1) if isinstance(s, Tensor) else s) ** 2 * errors
    return errors.mean().to(x0.dtype)


def geometric_levels(sigma_max: float, sigma_min: float, n: int) -> Levels:
    """n standard deviations from sigma_max down to sigma_min, each the same share of the last.

    Shapes: (n,), float64.
    Errors: ValueError unless 0 < sigma_min < sigma_max and n >= 2.
    Source: Song, Ermon 2019, section 4.1; how many: Song, Ermon 2020, technique 2.
    """
    n, low = integer("n", n, 2), positive("sigma_min", sigma_min)
    high = positive("sigma_max", sigma_max)
    if high <= low:
        refuse("sigma_max", describe(sigma_max), f"a number > sigma_min = {low}")
    share = torch.linspace(0, 1, n, dtype=torch.float64, device="cpu")
    levels = high * torch.exp(share * math.log(low / high))
    levels[-1] = low  # to the last digit
    return levels


# Tweedie


def tweedie(score: Data, x: Data, alpha: Coefficient, sigma: Coefficient) -> Data:
    """E[x_0 | x] = (x + sigma² score)/alpha, from the value of the marginal score at x.

    Result: score.tweedie
    Shapes: score and x alike; alpha and sigma numbers or one value a sample. The dtype follows x.
    Errors: ValueError for shapes that differ, or alpha = 0; a tensor is not read, and gives
        infinity or NaN there.
    Source: Efron 2011, equation 2.8; Robbins 1956.
    """
    same_shape("score", score, "x", batched("x", x))
    return convert(score, x, alpha, sigma, source="score", target="x0")


def tweedie_covariance(
    score: Field, x: Data, alpha: Coefficient, sigma: Coefficient
) -> Float[Tensor, "batch d d"]:
    """Cov[x_0 | x] = sigma²/alpha² (I + sigma² J), J the Jacobian of the marginal score at x.

    It takes one backward pass for each of the d numbers of an event. Where the noise is large
    beside the answer the two terms nearly cancel: use float64. With an inexact score it need be
    neither symmetric nor positive.

    Result: score.tweedie_covariance
    Shapes: x (B, …) with d numbers a sample; (B, d, d), of the flattened event, without a graph.
        J[:, i, j] is the slope of score i along coordinate j.
    Errors: ValueError for a score of another shape, or a number alpha that is 0.
    Source: Efron 2011, equation 2.8; Meng, Song, Li, Ermon 2021, theorem 1.
    """
    a, s = _above_zero("alpha", alpha, batched("x", x)), per_sample("sigma", sigma, x)
    a, s = (c.double().reshape(-1, 1, 1) if isinstance(c, Tensor) else c for c in (a, s))
    with torch.enable_grad():
        at, out = _field(score, x)
        flat = out.reshape(len(x), math.prod(x.shape[1:]))
        rows = [slope(column.sum(), at).reshape(flat.shape) for column in flat.unbind(1)]
    jacobian = torch.stack(rows, 1).detach().double()
    unit = torch.eye(len(rows), dtype=torch.float64, device=x.device)
    covariance: Tensor = (s / a) ** 2 * (unit + s**2 * jacobian)
    return covariance.to(x.dtype)


# Without noise


def hyvarinen_loss(score: Field, x: Data) -> Scalar:
    """The mean of ‖score‖² + 2 div score: explicit score matching up to a constant.

    The divergence is exact, with one backward pass for each of the d numbers of an event.

    Result: score.hyvarinen
    Shapes: x (B, …). The dtype follows x; differentiable by the parameters of the score.
    Errors: ValueError for an empty batch or a score of another shape.
    Source: Hyvärinen 2005, equation 4, without its factor 1/2.
    """
    some("x", x)
    with torch.enable_grad():
        at, out = _field(score, x)
        losses = sum_event(out**2, 1) + 2 * divergence(out, at)
    return losses.mean().to(x.dtype)


def sliced_loss(
    score: Field,
    x: Data,
    *,
    noise: Data | None = None,
    generator: Generators | None = None,
) -> Scalar:
    """The mean of (w · score)² + 2 w · ∇(w · score) over directions w, one a sample.

    The directions are ``noise``. Over standard normal ones, as drawn, its mean is that of
    `hyvarinen_loss`, at a single backward pass; in return it is noisy.

    Result: score.sliced
    Shapes: x and noise (B, …) alike. The dtype follows x; differentiable by the parameters.
    Errors: ValueError for an empty batch, a score of another shape, or unless exactly one of
        ``noise`` and ``generator`` is given.
    Source: Song, Garg, Shi, Ermon 2019, equation 8, without its factor 1/2.
    """
    some("x", x)
    w = one_noise(noise, generator, x, "x").to(work_dtype(x))
    with torch.enable_grad():
        at, out = _field(score, x)
        losses = sum_event(w * out, 1) ** 2 + 2 * divergence(out, at, w)
    return losses.mean().to(x.dtype)


# Energies


def energy_score(energy: Field, x: Data) -> Data:
    """-∇ energy(x), the score of exp(-energy)/Z; the normaliser Z is not needed.

    Result: score.energy_gradient
    Shapes: energy takes (B, …) and returns (B,). Like x; differentiable by the parameters of the
        energy, unless called under ``torch.no_grad()``.
    Errors: ValueError for an energy of another shape.
    Source: LeCun et al. 2006; Song, Ermon 2019, section 2.
    """
    keep = torch.is_grad_enabled()
    with torch.enable_grad():
        apart("energy", energy)
        at = batched("x", x)
        at = at if at.requires_grad else at.detach().requires_grad_()
        return -slope(_energies(energy, at).sum(), at, keep=keep)


def contrastive_loss(energy: Field, x: Data, samples: Data) -> Scalar:
    """Mean energy of data less mean energy of the model's samples.

    Its gradient by the parameters is that of -log p(x), if the samples are draws of the model; its
    value is no likelihood. Samples count as fixed: no gradient flows into how they were made.

    Result: score.energy_gradient
    Shapes: x and samples (B, …), not necessarily as many.
    Errors: ValueError for an empty batch or an energy of another shape.
    Source: Hinton 2002, equation 3.
    """
    some("x", x)
    some("samples", samples)
    data, model = (_energies(energy, batch) for batch in (x, samples.detach()))
    return (data.mean() - model.mean()).to(x.dtype)


# Langevin dynamics


def langevin_step(
    score: Data,
    x: Data,
    h: Coefficient,
    *,
    generator: Generators | None = None,
    noise: Data | None = None,
) -> Data:
    """x + h score + √(2h) noise, from the value of the score at x.

    Result: score.langevin
    Shapes: score, x and noise alike; h a number or one value a sample. The dtype follows x.
    Errors: ValueError for shapes that differ, h < 0, or unless exactly one of ``noise`` and
        ``generator`` is given.
    Source: Roberts, Tweedie 1996, section 1.4.1 (the unadjusted algorithm), with h for half their
        step.
    """
    same_shape("score", score, "x", batched("x", x))
    z = one_noise(noise, generator, x, "x")
    step = _cast(per_sample("h", h, x), work_dtype(x))
    root = step.sqrt() if isinstance(step, Tensor) else math.sqrt(step)
    return affine(x, 1.0, score, step, z, math.sqrt(2) * root)


def langevin_variance(
    h: float, sigma: float = 1.0, *, steps: int | None = None, start: float = 0.0
) -> float:
    """The variance that Langevin steps of size h have on a normal target of deviation sigma.

    After ``steps`` of them from a normal law of variance ``start``; or, left out, in the limit:
    sigma²/(1 - h/(2 sigma²)), larger than sigma² by about h/2.

    Result: score.langevin_bias
    Errors: ValueError unless 0 < h < 2 sigma² (else the steps diverge), start >= 0, steps >= 0.
    """
    variance = positive("sigma", sigma) ** 2
    h = positive("h", h)
    if h >= 2 * variance:
        refuse("h", h, f"a number < 2 sigma² = {2 * variance:g}: larger steps diverge")
    first = real("start", start, "a number >= 0", 0.0)
    limit = variance / (1 - h / (2 * variance))
    if steps is None:
        return limit
    return limit + (1 - h / variance) ** (2 * integer("steps", steps, 0)) * (first - limit)


def annealed_langevin(
    score: Model,
    shape: tuple[int, ...],
    levels: Sequence[float] | Levels,
    *,
    step: float,
    repeats: int,
    generator: Generators,
    start: Data | None = None,
    dtype: torch.dtype = torch.float32,
) -> Array:
    """``repeats`` Langevin steps of size step · sigma² at each of the levels, from large to small.

    This is `genmath.samplers.sample` with ``Langevin(step, repeats, annealed=True)``, on the levels
    as a path with alpha = 1 and with a score that is told sigma. What is returned has the noise of
    the last level; `tweedie` takes it out.

    Result: score.annealed_steps
    Shapes: x of the shape, (B, …), without gradients. Left out, the start is drawn from
        N(0, 1 + levels[0]²).
    Errors: ValueError for levels that are not positive and decreasing; else as for `sample`.
    Source: Song, Ermon 2019, algorithm 1; their ε/(2 sigma_L²) is ``step``.
    """
    wanted = "decreasing numbers > 0, at least one"
    sigmas = [positive("levels", sigma) for sigma in listed("levels", levels, wanted)]
    if not sigmas or not all(a > b for a, b in pairwise(sigmas)):
        refuse("levels", describe(sigmas), wanted)
    function("score", score)
    path = VEPath(sigmas[-1], 2 * sigmas[0])
    known = torch.tensor(sigmas, dtype=torch.float64, device="cpu")
    times = path.time_of_half_log_snr(-known.log())

    def model(x: Tensor, t: Tensor) -> Tensor:
        out = score(x, torch.as_tensor(path.sigma(t.double())).to(t.dtype))
        return output("score", out, "x", x)

    return sample(
        model, shape, path, Langevin(step, repeats, annealed=True), steps=torch.as_tensor(times),
        prediction="score", generator=generator, start=start, dtype=dtype,
    )  # fmt: skip


# Derivatives and checks


def _field(score: Field, x: Tensor) -> tuple[Tensor, Tensor]:
    """A place to differentiate by and the score there, in float32 at least."""
    function("score", score)
    apart("score", score)
    at = x.detach().requires_grad_()
    return at, output("score", score(at), "x", x).to(work_dtype(x))


def _energies(energy: Field, x: Tensor) -> PerSample:
    function("energy", energy)
    return one_each("energy output", energy(x), x).to(work_dtype(x))


def _above_zero(name: str, value: Coefficient, x: Tensor) -> Coefficient:
    c = per_sample(name, value, x)
    if not isinstance(c, Tensor) and c == 0.0:
        refuse(name, c, "a number > 0")
    return c


def _cast(c: Coefficient, dtype: torch.dtype) -> Coefficient:
    return c.to(dtype) if isinstance(c, Tensor) else c
