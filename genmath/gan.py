"""Adversarial training: losses in the logit, exact answers, a training step.

A discriminator's output a is a logit: D = sigmoid(a) is the probability of being data, and the best
a is log p/q. Both losses are minimised. ``generator`` is a network in `GAN`, and a random generator
in every keyword ``generator=``.

    gan = GAN(Generator(), Discriminator(), 32)  # of genmath.nets, or any two modules
    for x in batches:
        training_step(gan, x, optimizer_d, optimizer_g, generator=generator)
    samples = gan.sample(64, generator=generator)
"""

from __future__ import annotations

import math
from typing import NamedTuple

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    apart,
    batched,
    between,
    describe,
    float_dtype,
    floating,
    instance,
    integer,
    labels,
    module,
    one_of,
    real,
    refuse,
    same_shape,
    some,
)
from genmath._base.draws import Generators, normal, rngs
from genmath._base.players import check_owner, held_fixed
from genmath._base.shapes import Array, Data, PerSample, Scalar
from genmath._base.slopes import slope
from genmath._base.torch import Float, Int, Tensor, nn, torch
from genmath.divergences import FDivergence, fenchel_bound

__all__ = [
    "GAN",
    "LOSSES",
    "Losses",
    "bilinear_orbit",
    "discriminator_loss",
    "error_rate",
    "generator_loss",
    "missing_mode_js",
    "optimal_discriminator",
    "r1_penalty",
    "slerp",
    "training_step",
]

Labels = Int[Tensor, "batch"]
LOSSES = ("minimax", "non_saturating", "least_squares")


class Losses(NamedTuple):
    """Both losses of a training step, each before its own update; nats, but for least squares."""

    discriminator: Scalar
    generator: Scalar


# Losses


def discriminator_loss(
    real_logits: PerSample,
    fake_logits: PerSample,
    loss: str | FDivergence = "non_saturating",
) -> Scalar:
    """What the discriminator minimises, from its outputs at data and at generated samples.

    "minimax" and "non_saturating" differ in the generator only: here both are minus the mean
    log-probability of the right answer. "least_squares" is half the squared error against the
    labels 1 and 0, and there the output is D itself. With an `FDivergence` the critic is T =
    f'(exp a), whose values are always allowed, and the loss is minus the Fenchel bound. (For
    Jensen-Shannon "minimax" is the same game: half of it less log 2; it is the one to use, since
    T saturates, in float32 at a = 16.)

    Result: gan.minimax_value, gan.least_squares, gan.fgan
    Shapes: (B,) or (B, 1), not necessarily as many of both. Nats but for "least_squares". Exact
        for every logit: no probability is formed.
    Errors: ValueError for other shapes, no samples, or another loss.
    Source: Goodfellow et al. 2014, equation 1; Mao et al. 2017, section 3; Nowozin, Cseke,
        Tomioka 2016, equation 4.
    """
    dtype, a = _outputs("real_logits", real_logits)
    b = _outputs("fake_logits", fake_logits)[1]
    if isinstance(loss, FDivergence):
        return -fenchel_bound(loss, loss.slope(a), loss.slope(b)).to(dtype)
    _check_loss(loss)
    if loss == "least_squares":
        return (((a - 1) ** 2).mean() + (b**2).mean()).div(2).to(dtype)
    return -(_log_sigmoid(a).mean() + _log_sigmoid(-b).mean()).to(dtype)


def generator_loss(fake_logits: PerSample, loss: str | FDivergence = "non_saturating") -> Scalar:
    """What the generator minimises, from the discriminator's outputs at its samples.

    "minimax" is log(1 - D), flat where samples are rejected; "non_saturating" is -log D;
    "least_squares" is (D - 1)²/2, the output being D; an `FDivergence` gives -f*(f'(exp a)), the
    part of the Fenchel bound that depends on the generator.

    Result: gan.logit_losses, gan.frozen_gradient, gan.least_squares, gan.fgan
    Shapes: (B,) or (B, 1). Nats but for "least_squares". Exact for every logit.
    Errors: ValueError for other shapes, no samples, or another loss.
    Source: Goodfellow et al. 2014, section 3; Mao et al. 2017, section 3; Nowozin, Cseke,
        Tomioka 2016, equation 4.
    """
    dtype, a = _outputs("fake_logits", fake_logits)
    if isinstance(loss, FDivergence):
        return -loss.conjugate(loss.slope(a)).mean().to(dtype)
    _check_loss(loss)
    if loss == "least_squares":
        return ((a - 1) ** 2).mean().div(2).to(dtype)
    return (_log_sigmoid(-a) if loss == "minimax" else -_log_sigmoid(a)).mean().to(dtype)


def r1_penalty(
    discriminator: nn.Module, x: Data, y: Labels | None = None, *, gamma: float
) -> Scalar:
    """gamma/2 times the mean squared norm of the logit's gradient, at data.

    Result: gan.remedies
    Shapes: x (B, …); labels (B,) if the discriminator takes them. The norm is over the whole event.
        Differentiable in the parameters, and without NaN where the gradient is zero.
    Errors: ValueError for gamma < 0, an empty batch or a discriminator without one logit a sample.
    Source: Mescheder, Geiger, Nowozin 2018, equation 9.
    """
    gamma = real("gamma", gamma, "a number >= 0", 0.0)
    module("discriminator", discriminator)
    apart("discriminator", discriminator)
    at = some("x", x).detach().requires_grad_(True)
    with torch.enable_grad():
        logit = _outputs("discriminator output", _call(discriminator, at, y))[1]
        slopes = slope(logit.sum(), at)
    wide = slopes.to(work_dtype(slopes))
    return (gamma / 2 * sum_event(wide**2, 1).mean()).to(x.dtype)


# Exact answers


def optimal_discriminator(log_p: Array, log_q: Array) -> Array:
    """The best discriminator p/(p + q) from log-densities of data and generator.

    Its logit is log_p - log_q. 1 where q = 0, 0 where p = 0; NaN where both are, as there no answer
    is better than another.

    Result: gan.optimal_discriminator
    Shapes: alike, and so is the result.
    Errors: ValueError for shapes that differ.
    Source: Goodfellow et al. 2014, proposition 1.
    """
    same_shape("log_q", floating("log_q", log_q), "log_p", floating("log_p", log_p))
    dtype = torch.promote_types(log_p.dtype, log_q.dtype)
    work = torch.float64 if dtype == torch.float64 else torch.float32
    return torch.sigmoid(log_p.to(work) - log_q.to(work)).to(dtype)


def error_rate(real_probs: PerSample, fake_probs: PerSample) -> Scalar:
    """Half of (the mean of 1 - D over data + the mean of D over samples): the rate of mistakes.

    With decisions, D in {0, 1}, that of a classifier; never below (1 - TV)/2 in the mean.

    Result: gan.error_game
    Shapes: (B,) or (B, 1), not necessarily as many of both.
    Errors: ValueError for other shapes or no samples.
    Source: the definition, for data and samples equally frequent.
    """
    dtype, a = _outputs("real_probs", real_probs)
    b = _outputs("fake_probs", fake_probs)[1]
    return (((1 - a).mean() + b.mean()) / 2).to(dtype)


def missing_mode_js(kept: Array) -> Array:
    """JS between data and a perfect generator of a part of them, whose share is ``kept``.

    The part left out does not overlap with the part made. From log 2 at kept = 0 down to 0 at 1.

    Result: gan.missing_mode
    Shapes: any; shares in [0, 1], taken as they are. Nats.
    """
    between("kept", floating("kept", kept), "shares in [0, 1]", 0.0, 1.0)
    w = kept.to(work_dtype(kept))
    lost = 1 - w  # in terms of which a small loss keeps its digits
    shared = torch.xlogy(w, w) - (1 + w) * torch.log1p(-lost / 2)
    return ((shared + lost * math.log(2)) / 2).to(kept.dtype)


def bilinear_orbit(
    x: float,
    y: float,
    *,
    steps: int,
    eta_x: float,
    eta_y: float | None = None,
    kind: str = "simultaneous",
    friction: float = 0.0,
) -> Float[Tensor, "steps+1 2"]:
    """The players x, who minimises x y, and y, who maximises x y - friction y²/2, step by step.

    "simultaneous" steps use the old pair, "alternating" ones the new x for y, "extragradient" ones
    the gradients at a trial step. Without eta_y both step sizes are eta_x.

    Result: gan.simultaneous_steps, gan.alternating_steps, gan.remedies
    Shapes: (steps + 1, 2) in float64, the start first.
    Errors: ValueError for steps < 0, a step size or friction < 0, or another kind.
    Source: Mescheder, Geiger, Nowozin 2018, section 2, for the game; Korpelevich 1976 for the
        trial step.
    """
    one_of("kind", kind, ("simultaneous", "alternating", "extragradient"))
    a = real("eta_x", eta_x, "a number >= 0", 0.0)
    b = a if eta_y is None else real("eta_y", eta_y, "a number >= 0", 0.0)
    c = real("friction", friction, "a number >= 0", 0.0)
    x = real("x", x, "a finite number", -math.inf)
    y = real("y", y, "a finite number", -math.inf)
    orbit = [(x, y)]
    for _ in range(integer("steps", steps, 0)):
        if kind == "extragradient":
            at_x, at_y = x - a * y, y + b * (x - c * y)
        else:
            at_x, at_y = x, y
        x = x - a * at_y
        seen = x if kind == "alternating" else at_x
        y = y + b * (seen - c * at_y)
        orbit.append((x, y))
    return torch.tensor(orbit, dtype=torch.float64)


def slerp(source: Data, target: Data, n: int) -> Float[Tensor, "n batch *event"]:
    """n points from source to target along great circles, both ends included, sample by sample.

    Directions turn at an even rate and lengths change linearly. Normal latents of many dimensions
    lie near a sphere, and a straight line (`genmath.vae.interpolate`) cuts through its inside.

    Shapes: source and target (B, …) alike; the result stacks n of them in front.
    Errors: ValueError for shapes that differ or n < 2. NaN for a zero vector or opposite
        directions, between which there is no one shortest way.
    Source: Shoemake 1985; White 2016, for latents.
    """
    same_shape("target", floating("target", target), "source", batched("source", source))
    n = integer("n", n, 2)
    dtype = torch.promote_types(source.dtype, target.dtype)
    work = torch.float64 if dtype == torch.float64 else torch.float32
    a, b = (x.to(work).reshape(len(x), math.prod(x.shape[1:])) for x in (source, target))
    long_a, long_b = (x.norm(dim=1, keepdim=True) for x in (a, b))
    a, b = a / long_a, b / long_b
    apart, together = ((a + s * b).norm(dim=1, keepdim=True) for s in (-1, 1))
    angle = 2 * torch.atan2(apart, together)  # exact for small angles, where acos is not
    # sin(w θ)/sin θ as w sinc(w θ/π)/sinc(θ/π), which is w at θ = 0
    whole = torch.where(together > 0, torch.sinc(angle / math.pi), math.nan)
    points = []
    for i in range(n):
        w = i / (n - 1)
        turned = sum(
            s * torch.sinc(s * angle / math.pi) / whole * x for s, x in ((1 - w, a), (w, b))
        )
        points.append(((1 - w) * long_a + w * long_b) * turned)
    return torch.stack(points).reshape(n, *source.shape).to(dtype)


# Training


class GAN(nn.Module):
    """A generator and a discriminator, any two modules, with noise N(0, I).

    generator(z) makes samples and discriminator(x) one logit each; given labels, both are called
    with them as a second argument.

    Source: Goodfellow et al. 2014.
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_shape: int | tuple[int, ...]
    ) -> None:
        super().__init__()
        shape = latent_shape if isinstance(latent_shape, tuple) else (latent_shape,)
        self.latent_shape = tuple(integer("latent_shape", size, 1) for size in shape)
        module("generator", generator)
        module("discriminator", discriminator)
        self.generator = generator
        self.discriminator = discriminator

    def forward(self, x: Data, y: Labels | None = None) -> PerSample:
        """The discriminator's logits."""
        batched("x", x)
        return _call(self.discriminator, x, y)

    def sample(
        self,
        n: int,
        y: Labels | None = None,
        *,
        generator: Generators,
        dtype: torch.dtype = torch.float32,
    ) -> Data:
        """n samples, differentiable in the parameters, on the random generator's device."""
        n, dtype = integer("n", n, 0), float_dtype(dtype)
        z = normal((n, *self.latent_shape), generator, dtype, rngs(generator, n))
        return _call(self.generator, z, y)


def training_step(
    gan: GAN,
    x: Data,
    optimizer_d: torch.optim.Optimizer,
    optimizer_g: torch.optim.Optimizer,
    y: Labels | None = None,
    *,
    loss: str | FDivergence = "non_saturating",
    gamma: float = 0.0,
    average: torch.optim.swa_utils.AveragedModel | None = None,
    generator: Generators,
) -> Losses:
    """One step of each player in turn: the discriminator, then the generator, on fresh noise.

    The generator's step sees the new discriminator and holds it fixed. With ``gamma`` the
    discriminator pays `r1_penalty`. ``average`` follows the generator; for the exponential moving
    average that one samples from, give
    AveragedModel(gan.generator, multi_avg_fn=get_ema_multi_avg_fn(0.999)) of torch.optim.swa_utils.

    Result: gan.generator_gradient
    Shapes: x (B, …), labels y (B,) that serve both players; the losses are detached, and that of
        the discriminator is without the penalty.
    Errors: ValueError for an empty batch or another loss.
    Source: Goodfellow et al. 2014, algorithm 1 with k = 1.
    """
    instance("gan", gan, GAN, "a GAN")
    some("x", x)
    _check_loss(loss)
    real("gamma", gamma, "a number >= 0", 0.0)
    check_owner("optimizer_d", optimizer_d, gan.discriminator, "discriminator", gan.generator)
    check_owner("optimizer_g", optimizer_g, gan.generator, "generator", gan.discriminator)
    if average is not None:
        instance("average", average, torch.optim.swa_utils.AveragedModel, "an AveragedModel")
    with torch.no_grad():
        made = gan.sample(len(x), y, generator=generator, dtype=x.dtype)
    loss_d = discriminator_loss(gan(x, y), gan(made, y), loss)
    penalty = r1_penalty(gan.discriminator, x, y, gamma=gamma) if gamma else 0.0
    optimizer_d.zero_grad()
    (loss_d + penalty).backward()  # type: ignore[no-untyped-call]
    optimizer_d.step()
    with held_fixed(gan.discriminator):
        made = gan.sample(len(x), y, generator=generator, dtype=x.dtype)
        loss_g = generator_loss(gan(made, y), loss)
        optimizer_g.zero_grad()
        loss_g.backward()  # type: ignore[no-untyped-call]
    optimizer_g.step()
    if average is not None:
        average.update_parameters(gan.generator)
    return Losses(loss_d.detach(), loss_g.detach())


# Shared

_log_sigmoid = nn.functional.logsigmoid


def _outputs(name: str, value: Tensor) -> tuple[torch.dtype, Tensor]:
    """The dtype, and one number a sample in the dtype to compute in."""
    x = batched(name, value)
    if x.shape not in ((len(x),), (len(x), 1)) or len(x) == 0:
        refuse(name, describe(value), "one number a sample, (B,) or (B, 1), and at least one")
    return x.dtype, x.reshape(-1).to(work_dtype(x))


def _check_loss(loss: object) -> None:
    if not isinstance(loss, FDivergence):
        one_of("loss", loss, LOSSES)


def _call(net: nn.Module, x: Tensor, y: Tensor | None) -> Tensor:
    out: Tensor = net(x) if y is None else net(x, labels("y", y, x))
    return out
