"""Variational autoencoders: the evidence lower bound and its pieces, and small modules.

All values are in nats, one a sample. The bound is maximised; a loss is its negative mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    batched,
    between,
    describe,
    float_dtype,
    floating,
    function,
    integer,
    module,
    numeric,
    one_of,
    real,
    refuse,
    rng,
    same_shape,
    some,
)
from genmath._base.draws import Generators, normal, rngs
from genmath._base.normal import log_normal
from genmath._base.shapes import Array, Data, PerSample, Scalar
from genmath._base.steps import one_each
from genmath._base.torch import Tensor, nn, torch
from genmath.divergences import gaussian_kl

__all__ = [
    "VAE",
    "Autoencoder",
    "Elbo",
    "bernoulli_log_likelihood",
    "elbo",
    "gaussian_log_likelihood",
    "interpolate",
    "iwae_bound",
    "reparameterize",
]


class Elbo(NamedTuple):
    """The bound and its parts, one value a sample: total = reconstruction - beta · kl."""

    reconstruction: PerSample
    kl: PerSample
    total: PerSample


def elbo(
    log_likelihood: Array,
    mean: Array,
    log_var: Array,
    *,
    beta: float = 1.0,
) -> Elbo:
    """E_q log p(x|z) - beta · KL(q(z|x) ‖ N(0, I)), a lower bound of log p(x) where beta ≥ 1.

    For beta < 1 the total is in general no bound. The first term is the caller's estimate, usually
    one draw from `reparameterize`; the second is exact.

    Result: vae.elbo
    Shapes: log_likelihood (B,) or any batch shape; mean and log_var of q alike, with that batch
        shape in front. Nats.
    Errors: ValueError for shapes that do not fit or a beta that is no number ≥ 0.
    Source: Kingma, Welling 2014, equation 3; with beta: Higgins et al. 2017, equation 4.
    """
    beta = real("beta", beta, "a number >= 0", 0.0)
    floating("log_likelihood", log_likelihood)
    same_shape("log_var", log_var, "mean", batched("mean", mean))
    if log_likelihood.ndim == 0 and mean.ndim > 1:
        # Beside the KL of each sample it would count as often as there are samples.
        refuse("log_likelihood", describe(log_likelihood), "one value a sample, not their sum")
    kl = gaussian_kl(mean, log_var, batch_dims=min(log_likelihood.ndim, mean.ndim))
    same_shape("log_likelihood", log_likelihood, "the batch of mean", kl)
    return Elbo(log_likelihood, kl, log_likelihood - beta * kl)


def bernoulli_log_likelihood(
    logits: Array,
    x: Array,
    *,
    batch_dims: int = 1,
) -> Array:
    """log p(x) of independent Bernoulli coordinates with P(x = 1) = sigmoid(logits).

    Exact in both tails. For x strictly between 0 and 1 this is a cross-entropy, not a density.

    Result: vae.bernoulli_likelihood
    Shapes: alike; the first ``batch_dims`` dimensions are kept, the others summed. x may be of an
        integer dtype; the dtype follows the logits. Nats.
    Errors: ValueError for shapes that differ or, on the CPU, an x outside [0, 1], where this is no
        likelihood and has no least value. (Elsewhere `VAE` looks at the first batch.)
    Source: Kingma, Welling 2014, equation 11 (appendix C.1).
    """
    _within_unit(numeric("x", x), x.is_cpu)
    if x.shape != floating("logits", logits).shape:
        refuse("x", describe(x), f"the shape of logits, {tuple(logits.shape)}")
    work = work_dtype(logits)
    l, x = logits.to(work), x.to(work)
    log_sigmoid = nn.functional.logsigmoid
    return sum_event(x * log_sigmoid(l) + (1 - x) * log_sigmoid(-l), batch_dims).to(logits.dtype)


def _within_unit(x: Tensor, look: bool) -> None:
    """Both ends in one pass, a hundredth of the time of the likelihood."""
    if not look or x.numel() == 0 or x.dtype == torch.bool:
        return
    low, high = (float(end) for end in x.detach().aminmax())
    if low < 0 or high > 1:
        expected = "values in [0, 1]: rescale them, or take a Gaussian likelihood"
        refuse("x", f"{describe(x)} with values in [{low:g}, {high:g}]", expected)


def gaussian_log_likelihood(
    mean: Array,
    x: Array,
    *,
    log_var: float | Array,
    batch_dims: int = 1,
) -> Array:
    """log N(x; mean, diag(exp(log_var))), the constant included.

    Over log_var alone it is largest where the *variance* is the mean squared error.

    Result: vae.gaussian_likelihood
    Shapes: mean and x alike; log_var a number or a tensor that broadcasts to them. The first
        ``batch_dims`` dimensions are kept, the others summed. The dtype follows mean. Nats.
    Errors: ValueError for shapes that do not fit.
    Source: Kingma, Welling 2014, equation 12 (appendix C.2).
    """
    floating("mean", mean)
    same_shape("x", floating("x", x), "mean", mean)
    work = work_dtype(mean)
    difference = x.to(work) - mean.to(work)
    if isinstance(log_var, Tensor):
        between("log_var", floating("log_var", log_var), "a finite number")
        if log_var.ndim > mean.ndim or any(
            size not in (1, of_mean)
            for size, of_mean in zip(log_var.shape[::-1], mean.shape[::-1], strict=False)
        ):
            refuse("log_var", describe(log_var), f"a shape that broadcasts to {tuple(mean.shape)}")
        log_var = log_var.to(work)
        scaled = difference * torch.exp(log_var / -2)
    else:
        log_var = real("log_var", log_var, "a finite number", -math.inf)
        scaled = difference * math.exp(log_var / -2)
    return sum_event(log_normal(scaled, log_var), batch_dims).to(mean.dtype)


def reparameterize(mean: Array, log_var: Array, *, generator: Generators) -> Array:
    """z = mean + exp(log_var / 2) · eps with eps ~ N(0, I): a draw that gradients pass through.

    Result: vae.reparameterization_gradient
    Shapes: alike. The dtype follows mean.
    Errors: ValueError for shapes that differ or a missing generator.
    Source: Kingma, Welling 2014, equation 10.
    """
    same_shape("log_var", floating("log_var", log_var), "mean", floating("mean", mean))
    rngs(generator, len(mean) if mean.ndim else 1, mean.device)
    work = work_dtype(mean)
    noise = normal(mean.shape, generator, work, mean.device)
    return (mean.to(work) + torch.exp(log_var.to(work) / 2) * noise).to(mean.dtype)


def iwae_bound(log_weights: Array, *, dim: int = 0) -> Array:
    """log of the mean of k weights w = p(x, z)/q(z|x): a bound of log p(x), the ELBO at k = 1.

    Its gradient is Σ (w/Σw) ∇ log w, the normalised weights held fixed, without further ado.

    Result: vae.iwae
    Shapes: log-weights (k, B), the k draws along ``dim``, which is reduced. Nats.
    Errors: ValueError for k = 0.
    Source: Burda, Grosse, Salakhutdinov 2016, section 3.
    """
    floating("log_weights", log_weights)
    if log_weights.ndim == 0:
        refuse("log_weights", describe(log_weights), "at least one dimension, the k draws")
    dim = integer("dim", dim, -log_weights.ndim, log_weights.ndim - 1)
    k = log_weights.shape[dim]
    if k == 0:
        refuse("log_weights", describe(log_weights), "k >= 1 draws")
    wide = log_weights.to(work_dtype(log_weights))
    return (torch.logsumexp(wide, dim) - math.log(k)).to(log_weights.dtype)


def interpolate(
    source: Array,
    target: Array,
    n: int,
    *,
    kind: str = "linear",
) -> Array:
    """n points from source to target, both ends included.

    "linear" is (1-w) source + w target. "gaussian" is cos(πw/2) source + sin(πw/2) target: for
    independent N(0, I) ends every point is again N(0, I), where the linear midpoint has half the
    variance and decodes as something the decoder never saw.

    Shapes: source and target alike; the result stacks n of them in front.
    Errors: ValueError for shapes that differ, n < 2 or another kind.
    """
    one_of("kind", kind, ("linear", "gaussian"))
    same_shape("target", floating("target", target), "source", floating("source", source))
    points = []
    for i in range(integer("n", n, 2)):
        w = i / (n - 1)
        a, b = 1 - w, w
        if kind == "gaussian":
            a, b = math.sin(a * math.pi / 2), math.sin(b * math.pi / 2)
        points.append(a * source + b * target)
    return torch.stack(points)


class Autoencoder(nn.Module):
    """x → decoder(encoder(x)): the deterministic ancestor, with any two modules.

    `loss` is the squared error, summed over the event and averaged over the batch.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        module("encoder", encoder)
        module("decoder", decoder)
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Data) -> Data:
        """The reconstruction."""
        batched("x", x)
        out: Tensor = self.decoder(self.encoder(x))
        return out

    def loss(self, x: Data) -> Scalar:
        """Mean over the batch of ‖x - reconstruction‖²; ValueError for an empty batch."""
        some("x", x)
        reconstruction = self(x)
        same_shape("decoder output", reconstruction, "x", x)
        return sum_event((x - reconstruction) ** 2, 1).mean()


Likelihood = Callable[[Tensor, Tensor], Tensor]


class VAE(nn.Module):
    """A variational autoencoder from any encoder and decoder, with prior N(0, I).

    The encoder returns mean and log-variance of q(z|x) side by side in dimension 1: (B, 2d) for
    latents (B, d), (B, 2c, h, w) for (B, c, h, w). The decoder returns the parameter of p(x|z)
    that ``likelihood(parameter, x) -> (B,)`` takes: logits by default; for a Gaussian pass
    ``functools.partial(gaussian_log_likelihood, log_var=…)``.

    Result: vae.elbo
    Source: Kingma, Welling 2014.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_shape: int | tuple[int, ...],
        likelihood: Likelihood = bernoulli_log_likelihood,
    ) -> None:
        super().__init__()
        shape = latent_shape if isinstance(latent_shape, tuple) else (latent_shape,)
        self.latent_shape = tuple(integer("latent_shape", size, 1) for size in shape)
        module("encoder", encoder)
        module("decoder", decoder)
        function("likelihood", likelihood)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self._looked = False

    def encode(self, x: Data) -> tuple[Data, Data]:
        """Mean and log-variance of q(z|x)."""
        both: Tensor = self.encoder(batched("x", x))
        first, *rest = self.latent_shape
        if not isinstance(both, Tensor) or both.shape != (len(x), 2 * first, *rest):
            refuse("encoder output", describe(both), f"shape {(len(x), 2 * first, *rest)}")
        mean, log_var = both.chunk(2, dim=1)
        return mean, log_var

    def decode(self, z: Data) -> Data:
        """The parameter of p(x|z): logits, or a mean."""
        out: Tensor = self.decoder(batched("z", z))
        return out

    def forward(self, x: Data, *, generator: Generators) -> Data:
        """The parameter of p(x|z) for one z drawn from q(z|x)."""
        return self.decode(reparameterize(*self.encode(x), generator=generator))

    def elbo(self, x: Data, *, generator: Generators, beta: float = 1.0) -> Elbo:
        """The bound for each sample of x, from one draw of z."""
        mean, log_var = self.encode(x)
        z = reparameterize(mean, log_var, generator=generator)
        return elbo(self._likelihood(self.decode(z), x), mean, log_var, beta=beta)

    def _likelihood(self, decoded: Tensor, x: Tensor) -> PerSample:
        if not self._looked:
            _within_unit(x, self.likelihood is bernoulli_log_likelihood)
            self._looked = True
        return one_each("likelihood output", self.likelihood(decoded, x), x)

    def loss(self, x: Data, *, generator: Generators, beta: float = 1.0) -> Scalar:
        """The negative bound, averaged over the batch; ValueError for an empty batch."""
        some("x", x)
        return -self.elbo(x, generator=generator, beta=beta).total.mean()

    def log_weights(self, x: Data, k: int, *, generator: torch.Generator) -> Array:
        """log p(x, z) - log q(z|x) at k draws of z from q(z|x), for `iwae_bound`."""
        k = integer("k", k, 1)
        rng(generator)  # one: the first dimension is that of the draws
        mean, log_var = (part.expand(k, *part.shape) for part in self.encode(x))
        z = reparameterize(mean, log_var, generator=generator)
        decoded = self.decode(z.flatten(0, 1))
        repeated = x.expand(k, *x.shape).flatten(0, 1)
        log_likelihood = self._likelihood(decoded, repeated).reshape(k, len(x))
        log_prior = gaussian_log_likelihood(torch.zeros_like(z), z, log_var=0.0, batch_dims=2)
        log_q = gaussian_log_likelihood(mean, z, log_var=log_var, batch_dims=2)
        return log_likelihood + log_prior - log_q

    def sample(
        self,
        n: int,
        *,
        generator: Generators,
        dtype: torch.dtype = torch.float32,
    ) -> Data:
        """The parameter of p(x|z) at n draws of z from the prior, on the generator's device."""
        n, dtype = integer("n", n, 0), float_dtype(dtype)
        z = normal((n, *self.latent_shape), generator, dtype, rngs(generator, n))
        return self.decode(z)
