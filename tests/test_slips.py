"""Published mistakes of these chapters: recorded where a claim can express them, else in prose."""

from __future__ import annotations

from pathlib import Path

import pytest

from genmath import book

RECORDED = {
    "likelihood": {
        "bios8366-e-step", "classic-ml-variance-unbiased", "ros-normal-log-score",
        "sml-normal-loglik-sign",
    },
    "divergences": {
        "classic-js-no-half", "d2l-mi-sign", "statproof-wishart-kl", "udl-gauss-kl-bracket",
    },
    "vae": {
        "classic-kl-swap", "elbo-minimise", "elbo-prior-symbol", "fa-pytorch-vae-sign",
        "fa-pytorchvae-69", "fa-wiseodd-43", "iwae-weights-not-detached",
        "notes-vae-kl-comment-sign", "udl-1726-stray-dz", "vae-kl-logsigma-squared",
        "vae-kl-missing-half", "vae-sigma-optimal",
    },
    "ddpm": {
        "classic-mu-alpha", "digress-betabar", "hf-cov-sqrt", "hf-noise-scaled-beta",
        "labml-beta-tilde", "notes-ddpm-elbo-sign", "notes-lsimple-by-substitution",
        "pidm-sigma-choice", "varun-posterior-variance",
    },
    "ddim": {
        "coursia-ddim-variance", "inbarhub-eta-direction", "lucid-ddim-prev", "sd-ddim-encode-t",
    },
    "flow_matching": {
        "fmguide-total-derivative", "fmguide-ve-vp-swapped", "mit-pinit-factor2",
        "notes-rf-sampler-direction", "notes-rf-sde-euler",
    },
    "edm": {"af3-loss-weight", "hf-minsnr-v", "kdiffusion-2m-h-last", "smea-churn-max"},
    "latent": {
        "monai-scale-outside", "pml2-elbo-q-without-log", "vqgan-weight-without-norms",
    },
    "autoregressive": {"pixelcnn-rgb-maskA", "uvadlc-gumbel-cdf"},
    "normalizing_flow": {
        "maf-inverse-logdet", "planar-double-slope", "planar-uhat-norm",
        "udl-elementwise-jacobian",
    },
    "cnf": {"cnf-upper-limit"},
    "consistency": {
        "classic-consistency-boundary", "classic-consistency-training-unbiased",
        "classic-meanflow-without-stop", "notes-consistency-boundary",
    },
    "gan": {
        "cs236-gan-log-inside", "datasetgan-js-logits", "labml-r1-square", "notes-gan-error-game",
        "notes-gan-generator-minimises-error", "pml2-jsd-critic-log", "pytorch-dcgan-lossD",
        "udl-gan-loss-sign",
    },
    "score": {
        "acids-dsm-sign", "classic-langevin-step", "fa-acids-5", "fa-scoresde-26",
        "lebellig-sm-sign", "notes-score-marginal", "pml2-dsm-gradient-variable",
    },
    "sde": {
        "flowgrpo-velocity-sde", "mit-lab2-double-nabla", "mit-lab2-t1-value", "mit-ou-variance",
    },
    "attention": {
        "cs336-rope-exponent", "dit-gflops", "labml-softmax-axis", "vit-pytorch-scale",
    },
    "wasserstein": {
        "labml-wgan-marginals", "udl-lipschitz-eigenvalue", "wgangp-alpha-per-pixel",
        "wgangp-channel-norm",
    },
    "contrastive": {"cebra-logsumexp-broadcast", "classic-infonce-bound", "contrastive-norm"},
    "vq": {"fsq-tan-shift", "taming-vq-beta", "vq-detach-reversed"},
    "multimodal": {"m3d-logit-scale", "sdf-sds-sign", "truxify-inclusive-cumprod"},
    "translation": {"deeplearningai-gram-reshape", "torchgan-identity-swapped"},
}  # fmt: skip
# What is no formula: a name in a hypothesis, an index into a table, a line of a sampler.
IN_PROSE = {
    "likelihood": {"ciml-variance-norm"},
    "divergences": {"statproof-norm-kl-gam"},
    "vae": set(),
    "ddpm": {"udl-nb-t-plus-1", "labml-ddpm-last-noise"},
    "ddim": set(),
    "flow_matching": {"cfm-broadcast"},
    "edm": {"physicsnemo-sigma-data"},
    "latent": set(),
    "autoregressive": {"pixelcnn-1x1-mask"},
    "normalizing_flow": set(),
    "cnf": set(),
    "consistency": set(),
    "gan": {"pml2-bigan-indices", "udl-gan-toy-args"},
    "score": set(),
    "sde": set(),
    "attention": set(),
    "wasserstein": {"wgangp-sqrt-nan"},
    "contrastive": {"notes-dino-name"},
    "vq": set(),
    "multimodal": set(),
    "translation": set(),
}


@pytest.mark.parametrize("topic", RECORDED)
def test_every_slip_is_recorded(topic: str) -> None:
    found = {slip.id for d in book.chapter(topic).derivations for slip in d.slips}
    assert found == RECORDED[topic]


@pytest.mark.parametrize("topic", IN_PROSE)
def test_the_others_are_said_in_prose(topic: str) -> None:
    text = Path(book.chapter(topic).file).read_text("utf-8")
    assert {slip for slip in IN_PROSE[topic] if slip not in text} == set()


def test_the_page_of_slips_tells_them_too() -> None:
    text = (Path(__file__).parents[1] / "docs" / "slips.md").read_text("utf-8")
    assert {slip for told in IN_PROSE.values() for slip in told if slip not in text} == set()
