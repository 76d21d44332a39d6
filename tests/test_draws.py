"""One generator a sample: what is drawn for it is the same alone, in any batch and at any place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from genmath import (
    autoregressive,
    cnf,
    ddim,
    ddpm,
    edm,
    flow_matching,
    gan,
    latent,
    likelihood,
    samplers,
    score,
    sde,
    solvers,
    vae,
)
from genmath import wasserstein as w1
from genmath.paths import EDMPath, LinearPath, VPPath, linear_schedule

EVENT = (3, 4, 5)
MANY = torch.randn(4, *EVENT, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
S = linear_schedule(5)
FLAT = nn.Flatten()


def field(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return -torch.sin(x) * (1 + t.reshape(-1, *[1] * (x.ndim - 1)))


def critic(x: torch.Tensor) -> torch.Tensor:
    return (x**3).flatten(1).sum(1)


def autoencoder() -> vae.VAE:
    torch.manual_seed(0)
    encoder = nn.Sequential(FLAT, nn.Linear(60, 4))
    return vae.VAE(
        encoder, nn.Linear(2, 60), 2, lambda out, x: -(out - x.flatten(1)).square().sum(1)
    )


def latent_diffusion() -> latent.LatentDiffusion:
    torch.manual_seed(0)
    stage = latent.FirstStage(nn.Identity(), nn.Identity())
    return latent.LatentDiffusion(stage, Field(), EVENT).double()


class Field(nn.Module):
    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return field(x, t)


CODES = latent_diffusion()
SCALED = edm.Preconditioned(Field(), EDMPath(), sigma_data=0.5)
AE, PAIR = autoencoder().double(), gan.GAN(nn.Linear(2, 3), nn.Linear(3, 1), 2)
F64: dict[str, Any] = {"dtype": torch.float64}
# Each of some samples x, their place in the batch, and the generators; a row a sample, or the mean.
DRAWN: dict[str, Callable[[torch.Tensor, Any], Any]] = {
    "autoregressive.sample_logits": lambda x, g: autoregressive.sample_logits(x, generator=g),
    "autoregressive.accept_or_resample": lambda x, g: torch.stack(
        autoregressive.accept_or_resample(
            x[:, 0, 0].softmax(1), x[:, 1, 0].softmax(1), x[:, 2, 0].argmax(1), generator=g
        ),
        1,
    ),
    "autoregressive.DiscretizedLogisticMixture.sample": lambda x, g: (
        autoregressive.DiscretizedLogisticMixture(x, x, x).sample(generator=g)
    ),
    "samplers.sample": lambda x, g: samplers.sample(
        field, tuple(x.shape), VPPath(), samplers.ReverseSDE(), steps=3, generator=g,
        prediction="score", **F64,
    ),
    "samplers.sample, churned": lambda x, g: samplers.sample(
        field, tuple(x.shape), EDMPath(), samplers.Churn(samplers.Heun(), 2.0), steps=4,
        generator=g, start=x, prediction="x0", **F64,
    ),
    "samplers.sample, from a start": lambda x, g: samplers.sample(
        field, tuple(x.shape), S, samplers.Ancestral(), generator=g, start=x, **F64
    ),
    "samplers.sample, of images in another layout": lambda x, g: samplers.sample(
        field, tuple(x.shape), S, samplers.Ancestral(), generator=g,
        start=x.to(memory_format=torch.channels_last), **F64,
    ),
    "ddpm.sample": lambda x, g: ddpm.sample(field, tuple(x.shape), S, generator=g, **F64),
    "cnf.sample": lambda x, g: cnf.sample(field, tuple(x.shape), generator=g, **F64),
    "score.annealed_langevin": lambda x, g: score.annealed_langevin(
        field, tuple(x.shape), [1.0, 0.5], step=0.1, repeats=2, generator=g, **F64
    ),
    "ddpm.ancestral_step": lambda x, g: ddpm.ancestral_step(x, x, 3, S, generator=g),
    "ddim.ddim_step": lambda x, g: ddim.ddim_step(x, x, 3, 1, S, eta=0.5, generator=g),
    "sde.forward_step": lambda x, g: sde.forward_step(x, 0.5, 0.1, VPPath(), generator=g),
    "score.langevin_step": lambda x, g: score.langevin_step(-x, x, 0.1, generator=g),
    "ddpm.draw_steps": lambda x, g: ddpm.draw_steps(len(x), S, generator=g),
    "ddpm.bound_terms": lambda x, g: ddpm.bound_terms(field, x, S, generator=g).total,
    "flow_matching.conditional_path": lambda x, g: flow_matching.conditional_path(
        x, -x, 0.5, LinearPath(), spread=0.5, generator=g
    ).x_t,
    "solvers.transport": lambda x, g: solvers.transport(field, x, generator=g)[1],
    "likelihood.dequantization_bound": lambda x, g: likelihood.dequantization_bound(
        critic, x, generator=g, k=2
    ),
    "vae.reparameterize": lambda x, g: vae.reparameterize(x, x, generator=g),
    "latent.LatentDiffusion.loss": lambda x, g: CODES.loss(x, generator=g),
    "latent.LatentDiffusion.sample": lambda x, g: CODES.sample(
        len(x), samplers.Heun(), steps=2, generator=g, **F64
    ),
    "latent.LatentDiffusion.img2img": lambda x, g: CODES.img2img(
        x, 0.5, samplers.Heun(), steps=2, generator=g
    ),
    "latent.LatentDiffusion.inpaint": lambda x, g: CODES.inpaint(
        x, torch.zeros_like(x[:1, :1], dtype=torch.bool)[0], samplers.Heun(), steps=2, generator=g
    ),
    "vae.VAE.sample": lambda x, g: AE.sample(len(x), generator=g, **F64),
    "vae.VAE.elbo": lambda x, g: AE.elbo(x, generator=g).total,
    "gan.GAN.sample": lambda x, g: PAIR.sample(len(x), generator=g),
    "ddpm.denoising_loss": lambda x, g: ddpm.denoising_loss(field, x, S, generator=g),
    "edm.edm_loss": lambda x, g: edm.edm_loss(SCALED, x, generator=g),
    "flow_matching.cfm_loss": lambda x, g: flow_matching.cfm_loss(field, x, generator=g),
    "score.denoising_loss": lambda x, g: score.denoising_loss(field, x, 1.0, 0.5, generator=g),
    "score.sliced_loss": lambda x, g: score.sliced_loss(torch.sin, x, generator=g),
    "vae.VAE.loss": lambda x, g: AE.loss(x, generator=g),
    "wasserstein.gradient_penalty": lambda x, g: w1.gradient_penalty(
        critic, x, 2 * x, weight=1.0, generator=g
    ),
}  # fmt: skip


FEW = ("ddpm.draw_steps", "autoregressive.accept_or_resample")  # two may be alike


def own(places: Sequence[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(100 + i) for i in places]


@pytest.mark.parametrize("name", DRAWN)
def test_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    draw = DRAWN[name]
    with torch.no_grad() if "penalty" not in name else torch.enable_grad():
        alone = torch.stack([draw(MANY[[i]], own([i])).squeeze(0) for i in range(4)])
        together = draw(MANY, own(range(4)))
        turned = draw(MANY[[2, 0]], tuple(own([2, 0])))
    if together.ndim == 0:
        together, turned, alone, few = together, turned, alone.mean(), alone[[2, 0]].mean()
    else:
        few = alone[[2, 0]]
        assert not torch.equal(together[0], together[1]) or name in FEW
    # What is drawn is the same to the last digit; a matrix product may round by its size.
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(turned, few, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", DRAWN)
def test_generators_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^generator: got a list of 3, expected one .* 4 samples"):
        DRAWN[name](MANY, own(range(3)))
    with pytest.raises(ValueError, match=r"^generator: got one twice"):
        DRAWN[name](MANY, own(range(1)) * 4)
    with pytest.raises(ValueError, match=r"^generator: got 7, expected a torch.Generator"):
        DRAWN[name](MANY, [*own(range(3)), 7])


def test_importance_weights_take_one_generator() -> None:
    """Their first dimension is that of the draws, however many samples there are."""
    with pytest.raises(ValueError, match=r"^generator: got list"):
        AE.log_weights(MANY, 4, generator=own(range(4)))  # type: ignore[arg-type]


def test_what_is_drawn_for_a_sample_does_not_depend_on_the_layout_of_the_batch() -> None:
    draw = DRAWN["samplers.sample, from a start"]
    turned = MANY.to(memory_format=torch.channels_last)
    assert not turned.is_contiguous()
    torch.testing.assert_close(draw(turned, own(range(4))), draw(MANY, own(range(4))))
