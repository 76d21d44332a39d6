"""Latent diffusion: a first stage that turns data into codes, and a diffusion model of the codes.

First the stage is trained, and then, with the stage as it is, the model of its codes.

    stage = FirstStage(encoder, decoder, kl=1e-4)
    stage.loss(x, generator=generator).total.backward()  # until it rebuilds well
    model = LatentDiffusion(stage, network, (4, 2, 2), LinearPath())
    model.calibrate(x)  # codes of mean 0 and variance 1
    model.loss(x, generator=generator).backward()  # the stage is frozen
    samples = model.sample(64, Heun(), steps=20, generator=generator)
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    flag,
    float_dtype,
    floating,
    instance,
    integer,
    module,
    one_of,
    positive,
    real,
    refuse,
    same_shape,
    some,
)
from genmath._base.draws import Generators
from genmath._base.shapes import Array, Data, Scalar
from genmath._base.steps import PREDICTIONS, Model
from genmath._base.torch import Tensor, nn, torch
from genmath.ddpm import denoising_loss
from genmath.divergences import gaussian_kl
from genmath.flow_matching import cfm_loss
from genmath.gan import generator_loss
from genmath.guidance import Guided, edit, inpaint
from genmath.paths import LinearPath, Path, Schedule
from genmath.samplers import Sampler, sample
from genmath.vae import reparameterize

__all__ = ["FirstStage", "LatentDiffusion", "StageLoss", "adaptive_weight", "cost_ratio"]

STRAIGHT = LinearPath()


class StageLoss(NamedTuple):
    """What a first stage is trained on, each without its weight, and their weighted sum."""

    reconstruction: Scalar
    kl: Scalar
    features: Scalar
    adversarial: Scalar
    total: Scalar


def adaptive_weight(
    loss: Scalar,
    other: Scalar,
    at: Array,
    *,
    delta: float = 1e-6,
    most: float = 1e4,
) -> Scalar:
    """‖∂loss/∂at‖ / (‖∂other/∂at‖ + delta), at most ``most``: with it ``other`` pulls as hard.

    A number without a graph, to multiply ``other`` with. ``at`` is what both losses go through,
    usually the last weights of the decoder.

    Result: latent.adaptive_weight
    Shapes: two losses (), and any tensor ``at`` that they depend on.
    Errors: ValueError unless both are single numbers that depend on ``at``; delta or most not > 0.
    Source: Esser, Rombach, Ommer 2021, equation 7, where the two norms are not written.
    """
    delta, most = positive("delta", delta), positive("most", most)
    norms = [_norm_of_slope(name, value, at) for name, value in (("loss", loss), ("other", other))]
    weight: Tensor = norms[0] / (norms[1] + delta)
    return weight.clamp(max=most)


def _norm_of_slope(name: str, value: Tensor, at: Tensor) -> Tensor:
    if floating(name, value).ndim:
        refuse(name, describe(value), "one number")
    if not floating("at", at).requires_grad:
        refuse("at", describe(at), "a tensor that requires a gradient, such as a weight")
    slope = None
    if value.requires_grad:
        (slope,) = torch.autograd.grad(value, at, retain_graph=True, allow_unused=True)
    if slope is None:
        refuse(name, describe(value), "a loss that depends on at")
    norm: Tensor = slope.detach().to(work_dtype(slope)).norm()
    return norm.to(slope.dtype)


def cost_ratio(
    n: float,
    factor: float,
    *,
    linear: float = 1.0,
    quadratic: float = 0.0,
) -> float:
    """What a network costs on n/factor² places, over its cost linear · n + quadratic · n² on n.

    ``factor`` is by how much an encoder shrinks each side of an image. Between 1/factor⁴, where
    attention is all the cost, and 1/factor², where convolutions are.

    Result: latent.cost
    Errors: ValueError unless n > 0, factor >= 1, both costs are >= 0 and one is > 0.
    """
    n, factor = positive("n", n), real("factor", factor, "a number >= 1", 1.0)
    linear = real("linear", linear, "a number >= 0", 0.0)
    quadratic = real("quadratic", quadratic, "a number >= 0", 0.0)
    before = linear + quadratic * n
    if not before > 0:
        refuse("linear", linear, "a cost > 0, here or in quadratic")
    fewer = 1 / factor**2
    return fewer * (linear + quadratic * n * fewer) / before


class FirstStage(nn.Module):
    """An autoencoder to be trained and then frozen: data to codes, codes to data.

    Without ``kl`` the encoder returns the code. With a price ``kl`` >= 0 it returns mean and
    log-variance of a normal code side by side in dimension 1, as that of a `genmath.vae.VAE`.
    ``features`` is a network that is never trained, and in whose outputs the reconstruction is
    compared, too.

    Result: latent.best_decoder, latent.features
    Source: Rombach et al. 2022, section 3.1 and appendix G; Esser, Rombach, Ommer 2021, section 3.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        kl: float | None = None,
        features: nn.Module | None = None,
        feature_weight: float = 1.0,
        adversarial_weight: float = 1.0,
    ) -> None:
        super().__init__()
        module("encoder", encoder)
        module("decoder", decoder)
        self.encoder, self.decoder = encoder, decoder
        self.kl = None if kl is None else real("kl", kl, "a number >= 0", 0.0)
        if features is not None:
            module("features", features)
            features.requires_grad_(False)
        self.features = features
        self.feature_weight = real("feature_weight", feature_weight, "a number >= 0", 0.0)
        self.adversarial_weight = real(
            "adversarial_weight", adversarial_weight, "a number >= 0", 0.0
        )

    def encode(self, x: Data) -> Data:
        """The code; of a normal one, its mean."""
        return self._law(x)[0]

    def decode(self, z: Data) -> Data:
        """The data that a code is decoded to."""
        out: Tensor = self.decoder(batched("z", z))
        return out

    def forward(self, x: Data) -> Data:
        """The reconstruction."""
        return self.decode(self.encode(x))

    def loss(
        self,
        x: Data,
        *,
        discriminator: nn.Module | None = None,
        generator: Generators | None = None,
    ) -> StageLoss:
        """The parts of the loss, and their sum to be minimised, averaged over the batch.

        Squared error, summed over the event; the KL divergence to N(0, I), times its price; the
        squared error of the features; and, with a ``discriminator`` of logits, its generator's loss
        (non-saturating), weighed by `adaptive_weight` at the last weights of the decoder. The
        discriminator is held fixed; its own loss is `genmath.gan.discriminator_loss`.

        Errors: ValueError for an empty batch, networks whose outputs do not fit, unless a generator
            is given exactly where a code is drawn; a discriminator under no_grad.
        """
        mean, log_var = self._law(some("x", x))
        zero = torch.zeros((), dtype=x.dtype, device=x.device)
        kl = features = adversarial = zero
        z = mean
        if log_var is not None:
            z = reparameterize(mean, log_var, generator=cast(Generators, generator))
            kl = gaussian_kl(mean, log_var).mean()
        elif generator is not None:
            refuse("generator", describe(generator), "None: without kl no code is drawn")
        made = self.decode(z)
        reconstruction = _error("decoder output", made, "x", x)
        if self.features is not None:
            seen = self.features(x), self.features(made)
            features = _error("features output", seen[1], "that of x", seen[0])
        total = reconstruction + self.feature_weight * features
        if discriminator is not None:
            module("discriminator", discriminator)
            held = {name: p.detach() for name, p in discriminator.named_parameters()}
            logits = torch.func.functional_call(discriminator, held, (made,))
            adversarial = generator_loss(logits)
            last = [p for p in self.decoder.parameters() if p.ndim > 1 and p.requires_grad]
            if not last:
                refuse("decoder", "one without weights", "weights that the losses go through")
            weight = adaptive_weight(total, adversarial, last[-1])
            total = total + self.adversarial_weight * weight * adversarial
        return StageLoss(reconstruction, kl, features, adversarial, total + (self.kl or 0.0) * kl)

    def _law(self, x: Data) -> tuple[Data, Data | None]:
        out = self.encoder(batched("x", x))
        if not isinstance(out, Tensor) or out.ndim == 0 or len(out) != len(x):
            refuse("encoder output", describe(out), f"a tensor of {len(x)} codes")
        if self.kl is None:
            return out, None
        if out.ndim < 2 or out.shape[1] % 2:
            refuse("encoder output", describe(out), "mean and log-variance in dimension 1")
        mean, log_var = out.chunk(2, dim=1)
        return mean, log_var


def _error(name: str, made: Tensor, like_name: str, like: Tensor) -> Scalar:
    same_shape(name, made, like_name, like)
    return sum_event((like - made) ** 2, 1).mean()


class LatentDiffusion(nn.Module):
    """A diffusion or flow model of the codes of a frozen autoencoder, and its decoder after it.

    ``autoencoder`` has encode(x) and decode(z), as `FirstStage` and `genmath.vae.VAE` have; of a
    pair that encode returns the first is the code. It is frozen, and stays in eval mode. ``model``
    is called as model(z_t, t), or as model(z_t, t, condition) where conditions are given. On a
    `Path` it predicts the "velocity", on a `Schedule` the "eps" or what ``prediction`` says.

    Codes are shifted and scaled before the model sees them, and back before they are decoded:
    `calibrate` measures both. They are saved with the model.

    Result: latent.scale
    Source: Rombach et al. 2022, sections 3.1 and 3.2; the scale: appendix G.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        autoencoder: nn.Module,
        model: nn.Module,
        latent_shape: int | tuple[int, ...],
        path: Path | Schedule = STRAIGHT,
        *,
        prediction: str | None = None,
    ) -> None:
        super().__init__()
        module("autoencoder", autoencoder)
        for wanted in ("encode", "decode"):
            if not callable(getattr(autoencoder, wanted, None)):
                refuse("autoencoder", describe(autoencoder), f"a module with a method {wanted}")
        module("model", model)
        shape = latent_shape if isinstance(latent_shape, tuple) else (latent_shape,)
        self.latent_shape = tuple(integer("latent_shape", size, 1) for size in shape)
        instance("path", path, (Path, Schedule), "a Path, such as LinearPath(), or a Schedule")
        allowed: tuple[str, ...] = PREDICTIONS if isinstance(path, Schedule) else ("velocity",)
        if isinstance(path, Path) and path.sigma(0.0) > path.sigma(1.0):
            refuse("path", path, "one with the data at t = 0")
        if prediction is not None:
            one_of("prediction", prediction, allowed)
        self.path = path
        self.prediction = prediction or ("eps" if isinstance(path, Schedule) else "velocity")
        self.autoencoder = autoencoder.requires_grad_(False).eval()
        self.model = model
        self.register_buffer("shift", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def train(self, mode: bool = True) -> LatentDiffusion:
        """The model's mode; the autoencoder stays as it was frozen."""
        super().train(flag("mode", mode))
        self.autoencoder.eval()
        return self

    @torch.no_grad()
    def calibrate(self, x: Data) -> None:
        """Set shift and scale so that the codes of x have mean 0 and variance 1, all entries alike.

        Errors: ValueError for codes that are all the same, or not finite: nothing can scale them.
        """
        z = self._codes(some("x", x)).double()
        spread = z.std(correction=0)
        if not bool(spread > 0) or not bool(torch.isfinite(spread)):
            refuse("x", f"data whose codes have the deviation {float(spread):g}", "codes that vary")
        self.shift.copy_(z.mean())
        self.scale.copy_(1 / spread)

    @torch.no_grad()
    def encode(self, x: Data) -> Data:
        """Codes as the model sees them: shifted and scaled."""
        z = self._codes(batched("x", x))
        return (z - self.shift.to(z.dtype)) * self.scale.to(z.dtype)

    @torch.no_grad()
    def decode(self, z: Data) -> Data:
        """Data, from codes as the model makes them."""
        if batched("z", z).shape[1:] != self.latent_shape:
            refuse("z", describe(z), f"shape (B, {', '.join(map(str, self.latent_shape))})")
        out: Tensor = self.autoencoder.decode(z / self.scale.to(z.dtype) + self.shift.to(z.dtype))  # type: ignore[operator]
        return out

    def loss(self, x: Data, condition: Tensor | None = None, *, generator: Generators) -> Scalar:
        """The denoising loss of the model at the codes of x, which the encoder does not follow.

        `genmath.flow_matching.cfm_loss`, or `genmath.ddpm.denoising_loss` on a `Schedule`. For
        guidance later on, hide some conditions: `genmath.guidance.drop_labels`.

        Result: latent.cross_entropy
        Errors: ValueError for an empty batch, or not one condition a sample.
        """
        z, model, path = self.encode(some("x", x)), self._told(len(x), condition), self.path
        if isinstance(path, Schedule):
            return denoising_loss(model, z, path, prediction=self.prediction, generator=generator)
        return cfm_loss(model, z, path, generator=generator)

    def sample(
        self,
        n: int,
        sampler: Sampler,
        *,
        steps: int,
        condition: Tensor | None = None,
        null: Tensor | int | None = None,
        scale: float = 1.0,
        generator: Generators,
        dtype: torch.dtype = torch.float32,
    ) -> Data:
        """n samples: codes drawn by the model, then decoded; without gradients.

        Shapes: (n, *event) as the decoder makes them, on the generator's device; one condition a
            sample. With a ``null`` the model is `genmath.guidance.Guided` by ``scale``.
        Errors: as for `genmath.samplers.sample`.
        """
        n, dtype, steps = integer("n", n, 0), float_dtype(dtype), integer("steps", steps, 1)
        model, shape = self._told(n, condition, null, scale), (n, *self.latent_shape)
        options: Any = {"prediction": self.prediction, "generator": generator, "dtype": dtype}
        return self.decode(sample(model, shape, self.path, sampler, steps=steps, **options))

    def img2img(
        self,
        x: Data,
        t: float,
        sampler: Sampler,
        *,
        steps: int,
        condition: Tensor | None = None,
        null: Tensor | int | None = None,
        scale: float = 1.0,
        generator: Generators,
    ) -> Data:
        """x noised in its code up to t, and carried back: `genmath.guidance.edit` of the code.

        Shapes: as x; t as there: in (0, 1] on a `Path`, a step on a `Schedule`. Condition, null and
            scale as in `sample`.
        """
        z, model = self.encode(batched("x", x)), self._told(len(x), condition, null, scale)
        options: Any = {"prediction": self.prediction, "generator": generator}
        return self.decode(edit(model, z, t, self.path, sampler, steps=steps, **options))

    def inpaint(
        self,
        x: Data,
        mask: Tensor,
        sampler: Sampler,
        *,
        steps: int,
        repeats: int = 1,
        condition: Tensor | None = None,
        null: Tensor | int | None = None,
        scale: float = 1.0,
        generator: Generators,
    ) -> Data:
        """x where the mask is True, and a guess of the rest: `genmath.guidance.inpaint` of codes.

        A code is known if all of its pixels are. The known pixels are pasted at the end: the
        decoder would change them, too.

        Shapes: images x (B, C, H, W) and codes (c, h, w), H and W multiples of h and w; mask of
            booleans (B, 1, H, W) or (1, H, W). Condition, null and scale as in `sample`.
        Errors: ValueError for other shapes; as for `genmath.guidance.inpaint`.
        """
        z, model = self.encode(batched("x", x)), self._told(len(x), condition, null, scale)
        if z.ndim != 4 or x.ndim != 4:
            refuse("x", describe(x), "images with codes that are images")
        one = (1, *x.shape[2:])
        fits = isinstance(mask, Tensor) and mask.shape in (one, (len(x), *one))
        if not fits or mask.dtype != torch.bool:
            refuse("mask", describe(mask), f"booleans of shape {(len(x), *one)} or {one}")
        known = mask.expand(len(x), *one)
        hidden = nn.functional.adaptive_max_pool2d((~known).to(z.dtype), self.latent_shape[1:])
        options: Any = {"prediction": self.prediction, "generator": generator, "repeats": repeats}
        seen = (hidden == 0).expand_as(z)
        made = self.decode(inpaint(model, z, seen, self.path, sampler, steps=steps, **options))
        return torch.where(known, x, made)

    def _told(
        self,
        n: int,
        condition: Tensor | None,
        null: Tensor | int | None = None,
        scale: float = 1.0,
    ) -> Model:
        """The model with its conditions, and with guidance where there is a null."""
        if condition is None:
            if null is not None:
                refuse("null", describe(null), "None, where there is no condition")
            told = cast(Model, self.model)
        else:
            if not isinstance(condition, Tensor) or condition.ndim == 0 or len(condition) != n:
                refuse("condition", describe(condition), f"{n}, one for each sample of x or n")
            if null is not None:
                return Guided(self.model, condition, null, scale=scale)
            told = lambda z, t: self.model(z, t, condition)  # noqa: E731
        real("scale", scale, "1, where there is no null", 1.0, 1.0)
        return told

    def _codes(self, x: Data) -> Data:
        out = self.autoencoder.encode(x)  # type: ignore[operator]
        z = out[0] if isinstance(out, tuple) else out
        if not isinstance(z, Tensor) or z.shape != (len(x), *self.latent_shape):
            refuse("encoder output", describe(z), f"shape {(len(x), *self.latent_shape)}")
        return z
