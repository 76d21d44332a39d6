# ruff: noqa: E501, SIM905
"""One valid call of every public function, constructor and method, and what each argument takes.

An argument's kind goes by its name: one word means one thing everywhere, or `TAKES` has to say
where it does not. A kind is the set of members of the `ZOO` that are fine there.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from genmath import samplers, shapes
from genmath.autoregressive import DiscretizedLogisticMixture
from genmath.cnf import standard_normal
from genmath.consistency import ConsistencyModel
from genmath.contrastive import MemoryQueue, MomentumEncoder
from genmath.divergences import KL
from genmath.edm import Preconditioned
from genmath.evaluation import gaussian_kernel
from genmath.gan import GAN
from genmath.latent import FirstStage, LatentDiffusion
from genmath.nets import (
    GPT,
    MADE,
    MLP,
    Captioned,
    ConvDecoder,
    ConvEncoder,
    Discriminator,
    DiT,
    Generator,
    PixelCNN,
    TextEncoder,
    UNet,
    ViT,
)
from genmath.normalizing_flow import MAF, ActNorm, Affine, Coupling, Flow, Mapping, RealNVP
from genmath.paths import EDMPath, LinearPath, VPPath, linear_schedule
from genmath.samplers import DDIM, Churn, Grid, Heun
from genmath.solvers import DOPRI5, MIDPOINT, FixedSteps
from genmath.toys import GaussianMixture
from genmath.translation import CycleGAN, ImageBuffer, StyleGenerator
from genmath.vae import VAE, Autoencoder, gaussian_log_likelihood
from genmath.vq import FSQ, VQVAE, GumbelSoftmax, TwoStage, VectorQuantizer
from genmath.wasserstein import sinkhorn

MODULES = [
    "attention",
    "autoregressive",
    "cnf",
    "consistency",
    "contrastive",
    "ddim",
    "ddpm",
    "divergences",
    "edm",
    "evaluation",
    "flow_matching",
    "gan",
    "guidance",
    "latent",
    "likelihood",
    "multimodal",
    "nets",
    "normalizing_flow",
    "paths",
    "predictions",
    "samplers",
    "score",
    "sde",
    "shapes",
    "solvers",
    "toys",
    "translation",
    "vae",
    "vq",
    "wasserstein",
]


def public() -> Iterator[tuple[str, Any]]:
    """Every function, constructor and method that `__all__` offers, with its full name.

    Not those of the tuples that functions return, nor what comes from torch or abstract classes.
    """
    for module in MODULES:
        home = importlib.import_module(f"genmath.{module}")
        for name in home.__all__:
            thing = getattr(home, name)
            if inspect.isfunction(thing):
                yield f"{module}.{name}", thing
            elif inspect.isclass(thing) and not issubclass(thing, (tuple, Warning)):
                if not inspect.isabstract(thing) and inspect.signature(thing).parameters:
                    yield f"{module}.{name}", thing
                for method, value in vars(thing).items():
                    taken = inspect.isroutine(value) and not isinstance(value, cached_property)
                    taken = taken and not method.startswith("_")
                    if taken and not getattr(value, "__isabstractmethod__", False):
                        yield f"{module}.{name}.{method}", getattr(thing, method)


class Thing:
    """Nothing that any argument is."""

    def __repr__(self) -> str:
        return "Thing()"


PLAIN = (0, 1, 2, 3, -1, 10**9, 0.5, 2.5, -1.5, math.inf, -math.inf, math.nan)
NUMBERS: dict[str, Any] = {"10**400": 10**400, **{str(n): n for n in PLAIN}}
SCALARS = {f"0-dim {n}": torch.tensor(float(n)) for n in (0.5, 2.5, -1.5, math.nan)}
TENSORS: dict[str, Any] = {
    "wrong shape": torch.full((5, 7, 3), 0.25),
    "no samples": torch.zeros(0),
    "wrong batch": torch.full((3, 2), 0.25),
}
ZOO: dict[str, Any] = {
    **NUMBERS,
    **SCALARS,
    **TENSORS,
    "0-dim integer": torch.tensor(2),
    "integers": torch.ones(4, 2, dtype=torch.long),
    "booleans": torch.ones(4, 2, dtype=torch.bool),
    "complex": torch.ones(4, 2, dtype=torch.complex64),
    "None": None,
    "True": True,
    "string": "x",
    "empty string": "",
    "number as string": "0.5",
    "bytes": b"2",
    "list": [0.5, 0.25],
    "empty list": [],
    "nested list": [[0.5, 0.25]] * 4,
    "tuple": (0.5, 2.5),
    "tuple of strings": ("a", "b"),
    "huge tuple": (10**9, 10**9),
    "dict": {"a": 1.0},
    "set": {1, 2},
    "numpy": np.full((4, 2), 0.5, dtype=np.float32),
    "numpy number": np.float64(-1.5),
    "numpy integer": np.int64(-1),
    "complex number": 1j,
    "function of nothing": lambda: None,
    "function to None": lambda *given: None,
    "function to a tuple": lambda *given: given,
    "function to a dict": lambda *given: {"sample": given[0]},
    "function to numpy": lambda *given: np.zeros((4, 2)),
    "function to a number": lambda *given: 1.0,
    "function to one number": lambda *given: torch.tensor(1.0),
    "function to integers": lambda *given: torch.zeros(4, 2).long(),
    "module": nn.Linear(3, 3),
    "class": int,
    "dtype": torch.long,
    "device": torch.device("cpu"),
    "generator": torch.Generator,
    "python module": math,
    "slice": slice(2),
    "thing": Thing(),
}

Kind = frozenset[str]


def numbers(low: float, high: float = math.inf, *, above: bool = False) -> Kind:
    """Finite numbers from low to high, or above low; as numbers of Python, numpy or torch."""

    def fine(n: float) -> bool:
        return (not isinstance(n, int) or n < 10**300) and (
            math.isfinite(n) and (low < n if above else low <= n) and n <= high
        )

    named = {**NUMBERS, **{name: x.item() for name, x in SCALARS.items()}, "0-dim integer": 2}
    named |= {"numpy number": -1.5, "numpy integer": -1}
    return frozenset(name for name, n in named.items() if fine(n))


def whole(low: int, high: int = 10**8) -> Kind:
    named = {name: n for name, n in NUMBERS.items() if isinstance(n, int)}
    named |= {"0-dim integer": 2, "numpy integer": -1}
    return frozenset(name for name, n in named.items() if low <= n <= high)


def either(*kinds: Kind | set[str]) -> Kind:
    return frozenset().union(*kinds)


NOTHING: Kind = frozenset()
NONE = {"None"}
POSITIVE, AT_LEAST_0, ANY_NUMBER = numbers(0, above=True), numbers(0), numbers(-math.inf)
UNIT = numbers(0, 1)
# One value a sample is (B,), so that only single values are among the zoo's that fit.
LEVEL = AT_LEAST_0
ANY_SHAPE = {*TENSORS, *SCALARS}
BATCH = set(TENSORS)  # any event, any number of samples

# What a name takes of the zoo, wherever it is an argument; a name that is not here, nothing.
KINDS: dict[str, Kind] = {
    **dict.fromkeys(["alpha", "sigma", "h", "weight"], LEVEL),
    **dict.fromkeys(["d_alpha", "d_sigma"], ANY_NUMBER),
    **dict.fromkeys(["t", "eta", "test_fraction"], UNIT),
    **dict.fromkeys(["max_beta", "beta_start", "beta_end"], UNIT - {"0", "1"}),
    **dict.fromkeys(
        [
            "gamma",
            "friction",
            "rate",
            "diffusion",
            "spread",
            "stochasticity",
            "s",
            "radius",
            "eta_x",
            "eta_y",
        ],
        AT_LEAST_0,
    ),
    **dict.fromkeys(
        [
            "epsilon",
            "tolerance",
            "anneal_from",
            "step",
            "rho",
            "shift",
            "sigma_data",
            "sigma_min",
            "sigma_max",
            "duration",
            "bound",
            "temperature",
            "decoder_variance",
            "rtol",
            "atol",
            "threshold",
        ],
        POSITIVE,
    ),
    **dict.fromkeys(["n", "batch", "seed"], whole(0)),
    **dict.fromkeys(
        [
            "steps",
            "iterations",
            "block",
            "repeats",
            "k",
            "dims",
            "max_calls",
            "order",
            "directions",
            "dim",
            "hidden",
            "layers",
            "out",
            "classes",
            "channels",
            "latent",
            "latent_shape",
            "components",
            "cond_dim",
            "context_dim",
            "heads",
            "length",
            "top_k",
            "transforms",
        ],
        whole(1),
    ),
    **dict.fromkeys(["levels", "vocabulary"], whole(2)),
    "top_p": numbers(0, 1, above=True),
    **dict.fromkeys(
        [
            "one_sided",
            "stratified",
            "annealed",
            "time",
            "scaled",
            "strict",
            "cached",
            "joint",
            "factorised",
            "clips",
            "turned",
        ],
        frozenset({"True"}),
    ),
    "trajectory": frozenset({"True"}),
}


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Echo(nn.Module):
    """A network that sees a level too."""

    def forward(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return x


X, Z, TABLE = draw(4, 2), draw(4, 2, seed=1), draw(4, 2).softmax(1)
TEN = draw(10, 2)
ROW, IMAGES, LABELS = draw(4), draw(4, 1, 8, 8), torch.tensor([0, 1, 2, 1])
CHOL = torch.linalg.cholesky(torch.eye(2) + 0.5)
STEPS10, LINE, VP = linear_schedule(10), LinearPath(), VPPath()
GRID = Grid(VP, [1.0, 0.5, 0.1])
MIXTURE = GaussianMixture([0.5, 0.5], [[0.0, 1.0], [1.0, 0.0]], std=0.5)
TEXT = draw(4, 3, 2)
LAW, PAIRS = MADE(2, 3, 4, classes=3), torch.tensor([[0, 1], [2, 0], [1, 1], [0, 2]])
NET, CRITIC = MLP(2, generator=rng()), nn.Linear(2, 1)
VAE2 = VAE(nn.Linear(2, 4), nn.Linear(2, 2), 2, partial(gaussian_log_likelihood, log_var=0.0))
BOOK, MIXED, ROUNDED = (
    VectorQuantizer(3, 2, generator=rng()),
    GumbelSoftmax(3, 2, generator=rng()),
    FSQ([3, 2]),
)
TOKENS = VQVAE(
    nn.Linear(2, 2), nn.Linear(2, 2), BOOK, partial(gaussian_log_likelihood, log_var=0.0)
)
TOLD = GPT(3 + 2, 2 + 1, 8, 1, 2, classes=3, generator=rng())
STAGES = TwoStage(TOKENS, TOLD, words=2)
CAPTIONED = Captioned(TextEncoder(3, 4, 1, 2), UNet(1, 4, 1, heads=2, context_dim=4))
LAYER, ACTNORM = RealNVP(2, 2, hidden=4, context=2, generator=rng()), ActNorm(2)
FLOW = Flow(MAF(2, 2, hidden=4, generator=rng()))
AE = Autoencoder(nn.Linear(2, 1), nn.Linear(1, 2))
SCALED = Preconditioned(Echo(), EDMPath(), sigma_data=0.5)
PAIR = GAN(nn.Linear(2, 2), CRITIC, 2)
CYCLE = CycleGAN(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 1))
KEPT = ImageBuffer(2)  # with pictures, for an empty one takes any
KEPT.swap(draw(4, 2), generator=rng())
STYLED = StyleGenerator(2, hidden=4, generator=rng())
W = draw(4, 3, 2)
LAST = nn.Linear(2, 1)
QUEUE = MemoryQueue(3, 2)
QUEUE.push(draw(2, 2))
STAGE = FirstStage(nn.Linear(2, 4), nn.Linear(2, 2), kl=0.1, features=nn.Linear(2, 3))
ADAM_D, ADAM_G = (torch.optim.SGD(n.parameters()) for n in (PAIR.discriminator, PAIR.generator))


SEEN = torch.ones(1, 1, dtype=torch.bool)  # each token may look at all, however many


class Told(nn.Module):
    """A network of codes that are told a label."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, z: torch.Tensor, t: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return self.scale * z + label.reshape(len(z), *[1] * (z.ndim - 1))


SCENE = shapes.parse("a small red circle left of a large blue square")
CLIP = shapes.parse("a small red circle bouncing")


CODES = LatentDiffusion(FirstStage(nn.Linear(2, 2), nn.Linear(2, 2)), Told(), 2)
PATCHES = LatentDiffusion(
    FirstStage(nn.Conv2d(1, 2, 4, stride=4), nn.ConvTranspose2d(2, 1, 4, stride=4)),
    Told(),
    (2, 2, 2),
)
MASK = (torch.arange(8) > 4).expand(4, 1, 8, 8)


SHARPER = {"temperature": 0.8, "top_k": 2, "top_p": 0.9}
CHOICES = torch.tensor([[0, 2], [1, 1], [2, 0], [1, 2]])
BINS = DiscretizedLogisticMixture(draw(4, 2), Z, Z, levels=4)


def letters(x: torch.Tensor) -> torch.Tensor:
    return -((torch.arange(3) - x.unsqueeze(-1)) ** 2).float()


def field(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return -x


class Away(nn.Module):
    """A field of any shape, as a module."""

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return -x


def chord(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return -x


def score(x: torch.Tensor) -> torch.Tensor:
    return -x


def energy(x: torch.Tensor) -> torch.Tensor:
    return (x**2).reshape(len(x), math.prod(x.shape[1:])).sum(1) / 2


def energy_of(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return -energy(x)


def wished(x: torch.Tensor, t: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
    return -x * condition.reshape(-1, *[1] * (x.ndim - 1))


def valid() -> dict[str, dict[str, Any]]:
    """The arguments of one valid call each; what is left out keeps its default."""
    # fmt: off
    few, g = FixedSteps(2), rng()
    noisy = {"x_t": X, "alpha": 0.8, "sigma": 0.6, "d_alpha": -1.0, "d_sigma": 1.0}
    at_level = {"x": X, "alpha": 0.8, "sigma": 0.6}
    gaussians = {"mean_p": X[0], "chol_p": CHOL, "mean_q": Z[0], "chol_q": CHOL}
    of_net = {"hidden": 4, "layers": 1, "context": 1, "generator": g}
    points = {"n": 5, "generator": g, "stratified": True, "dtype": torch.float64}
    on_path = {"t": 0.5, "like": X}
    given = {"cond": LABELS, "text": PAIRS.clamp(max=1)}
    return {
        "attention.adaln_branch": {
            "branch": lambda h: 2 * h, "x": X, "shift": X, "scale": X, "gate": X,
        },
        "attention.attention": {"q": X, "k": X, "v": X, "mask": SEEN, "temperature": 2.0},
        "attention.attention_weights": {"q": X, "k": X, "mask": SEEN, "temperature": 2.0},
        "attention.block_cost": {
            "tokens": 4, "width": 8, "heads": 2, "ratio": 4, "context": 2, "adaln": True,
            "bias": True,
        },
        "attention.group_mask": {"groups": LABELS},
        "attention.image_tokens": {"height": 64, "width": 32, "compression": 8, "patch": 2},
        "attention.local_mask": {"n": 4, "radius": 1, "causal": True},
        "attention.modulate": {"x": X, "shift": X, "scale": X},
        "attention.rope": {"x": X, "places": ROW, "base": 100.0},
        "attention.sinusoids": {"places": ROW, "dim": 4, "base": 100.0},
        "attention.video_tokens": {
            "frames": 9, "height": 64, "width": 32, "stride": 4, "compression": 8, "patch": 2,
        },
        "autoregressive.DiscretizedLogisticMixture": {
            "logits": X,
            "mean": Z,
            "log_scale": Z,
            "levels": 4,
        },
        "autoregressive.DiscretizedLogisticMixture.log_prob": {"self": BINS, "x": LABELS},
        "autoregressive.DiscretizedLogisticMixture.log_probs": {"self": BINS},
        "autoregressive.DiscretizedLogisticMixture.sample": {"self": BINS, "generator": g},
        "autoregressive.acceptance_rate": {"p": TABLE, "q": TABLE, "dim": 1},
        "autoregressive.accept_or_resample": {
            "p": TABLE,
            "q": TABLE,
            "x": LABELS.clamp(max=1),
            "generator": g,
        },
        "autoregressive.inverse_transform": {"p": TABLE, "u": TABLE[:, 0]},
        "autoregressive.log_prob": {"logits": draw(4, 2, 3), "x": CHOICES, "batch_dims": 1},
        "autoregressive.nll": {"logits": draw(4, 2, 3), "x": CHOICES},
        "autoregressive.perplexity": {"log_prob": ROW, "n": 3},
        "autoregressive.receptive_field": {"kernel": 3, "dilations": [1, 2]},
        "autoregressive.sample_logits": {"logits": X, **SHARPER, "generator": g},
        "autoregressive.speculative_sample": {
            "model": letters,
            "n": 4,
            "draft": letters,
            "length": 5,
            "prefix": CHOICES,
            "block": 2,
            **SHARPER,
            "generator": g,
        },
        "autoregressive.tokens_per_call": {"rate": 0.8, "block": 4},
        "autoregressive.truncate_logits": {"logits": X, **SHARPER},
        "cnf.log_prob": {
            "model": field,
            "x": X,
            "solver": few,
            "start": 0.0,
            "end": 0.5,
            "prior": standard_normal,
            "probe": Z,
        },
        "cnf.sample": {
            "model": field,
            "shape": (4, 2),
            "solver": few,
            "generator": g,
            "dtype": torch.float64,
        },
        "cnf.standard_normal": {"x": X},
        "consistency.ConsistencyModel": {"model": NET, "path": LINE, "std": 0.5},
        "consistency.ConsistencyModel.forward": {"self": ConsistencyModel(Away()), "x_t": X, "t": 0.5},
        **{
            f"consistency.{name}": {
                "model": field,
                "x0": X,
                "path": LINE,
                "steps": 4,
                "target": field,
                "t": 0.5,
                "noise": Z,
                "weight": 2.0,
                **more,
            }
            for name, more in {
                "training_loss": {},
                "distillation_loss": {"teacher": field, "order": 1},
            }.items()
        },
        "consistency.dmd_loss": {
            "score": field,
            "x0": X,
            "path": LINE,
            "fake_score": field,
            "t": 0.5,
            "noise": Z,
            "weight": 2.0,
        },
        "consistency.mean_flow_loss": {
            "model": chord,
            "x0": X,
            "path": LINE,
            "s": 0.25,
            "t": 0.5,
            "noise": Z,
            "equal": 0.5,
            "weight": 2.0,
        },
        "consistency.line_flow_map": {
            "x": ROW,
            "t": 0.5,
            "s": 0.25,
            "path": LINE,
            "mixture": GaussianMixture([0.5, 0.5], [0.0, 1.0], std=1.0),
        },
        "consistency.normal_flow_map": {
            "x": X,
            "t": 0.5,
            "s": 0.25,
            "path": LINE,
            "mean": 0.5,
            "variance": 2.0,
        },
        "consistency.progressive_target": {
            "model": field,
            "x_t": X,
            "s": 0.25,
            "t": 0.5,
            "path": VP,
            "prediction": "v",
        },
        "consistency.sample": {
            "model": field,
            "shape": (4, 2),
            "path": LINE,
            "steps": 2,
            "generator": g,
            "start": X,
            "dtype": torch.float64,
        },
        "consistency.sample_mean_flow": {
            "model": chord,
            "shape": (4, 2),
            "steps": 2,
            "generator": g,
            "dtype": torch.float64,
        },
        "consistency.shortcut_target": {"model": chord, "x_t": X, "s": 0.25, "t": 0.5},
        "contrastive.MemoryQueue": {"size": 3, "dim": 2},
        "contrastive.MemoryQueue.forward": {"self": QUEUE},
        "contrastive.MemoryQueue.push": {"self": MemoryQueue(3, 2), "keys": X},
        "contrastive.MomentumEncoder": {"model": CRITIC, "decay": 0.9},
        "contrastive.MomentumEncoder.forward": {"self": MomentumEncoder(CRITIC), "x": X},
        "contrastive.MomentumEncoder.update": {"self": MomentumEncoder(CRITIC), "model": CRITIC},
        "contrastive.align_uniform": {"x": X, "y": Z, "temperature": 0.5},
        "contrastive.augment": {
            "x": IMAGES, "crop": 0.5, "rotate": 10.0, "flip": True, "brightness": 0.1,
            "contrast": 0.5, "noise": 0.1, "generator": g,
        },
        "contrastive.clip_loss": {"x": X, "y": Z, "temperature": 0.5},
        "contrastive.dino_loss": {
            "student": X, "teacher": Z, "centre": X[0], "student_temperature": 0.1,
            "teacher_temperature": 0.05,
        },
        "contrastive.info_nce": {"scores": draw(4, 6)},
        "contrastive.linear_probe": {"x": X, "y": LABELS, "ridge": 1.0, "kind": "ridge"},
        "contrastive.mutual_information_bound": {"scores": draw(4, 6)},
        "contrastive.nt_xent": {"x": X, "y": Z, "temperature": 0.5},
        "contrastive.similarities": {"x": X, "y": Z, "temperature": 0.5},
        "contrastive.vicreg_loss": {
            "x": X, "y": Z, "invariance": 1.0, "variance": 1.0, "covariance": 1.0,
            "epsilon": 1e-4,
        },
        "ddim.ddim_invert": {
            "model": field,
            "x": X,
            "schedule": STEPS10,
            "steps": [10, 5, 1],
            "iterations": 2,
            "prediction": "eps",
        },
        "ddim.ddim_step": {
            "predicted": Z,
            "x_t": X,
            "t": 5,
            "s": 3,
            "schedule": STEPS10,
            "eta": 0.5,
            "prediction": "x0",
            "noise": Z,
        },
        "ddim.step_variance": {"t": 5, "s": 2, "schedule": STEPS10, "eta": 1.0},
        "ddim.subsequence": {"n": 5, "schedule": STEPS10, "spacing": "leading"},
        "ddpm.add_noise": {"x0": X, "t": 3, "noise": Z, "schedule": STEPS10},
        "ddpm.ancestral_step": {
            "predicted": Z,
            "x_t": X,
            "t": 3,
            "schedule": STEPS10,
            "prediction": "eps",
            "variance": "beta",
            "generator": g,
        },
        "ddpm.bound_terms": {
            "model": field,
            "x0": X,
            "schedule": STEPS10,
            "generator": g,
            "prediction": "eps",
            "variance": "beta",
            "decoder": "gaussian",
            "decoder_variance": 0.1,
        },
        "ddpm.denoising_loss": {
            "model": field,
            "x0": X,
            "schedule": STEPS10,
            "t": 3,
            "noise": Z,
            "prediction": "v",
            "weight": 2.0,
        },
        "ddpm.discretized_log_likelihood": {"x": X, "mean": Z, "sigma": 0.5, "levels": 256},
        "ddpm.draw_steps": {"batch": 4, "schedule": STEPS10, "generator": g},
        "ddpm.loss_weight": {"t": 3, "schedule": STEPS10, "variance": "beta"},
        "ddpm.posterior": {"x_t": X, "x0": Z, "t": 3, "schedule": STEPS10},
        "ddpm.posterior_mean_from_eps": {"x_t": X, "eps": Z, "t": 3, "schedule": STEPS10},
        "ddpm.prior_term": {"x0": X, "schedule": STEPS10},
        "ddpm.reconstruction_term": {
            "eps": X,
            "eps_hat": Z,
            "schedule": STEPS10,
            "decoder_variance": 0.1,
        },
        "ddpm.reverse_variance": {"schedule": STEPS10, "variance": "beta"},
        "ddpm.sample": {
            "model": field,
            "shape": (4, 2),
            "schedule": STEPS10,
            "generator": g,
            "prediction": "eps",
            "variance": "beta",
            "start": X,
            "dtype": torch.float32,
        },
        "ddpm.snr_weight": {"t": 3, "schedule": STEPS10},
        "ddpm.transition_term": {
            "eps": X,
            "eps_hat": Z,
            "t": 3,
            "schedule": STEPS10,
            "variance": "beta",
        },
        "divergences.FDivergence": {
            "name": "mine",
            "value": torch.abs,
            "slope": torch.sign,
            "conjugate": torch.abs,
            "at_zero": 0.0,
            "at_infinity": 1.0,
        },
        "divergences.f_divergence": {"f": KL, "p": TABLE, "q": TABLE, "dim": 1},
        "divergences.f_divergence_from_samples": {"f": KL, "log_p": X, "log_q": Z, "dim": 0},
        "divergences.fenchel_bound": {"f": KL, "critic_p": X, "critic_q": Z, "dim": 0},
        "divergences.gaussian_kl": {
            "mean_p": X,
            "log_var_p": Z,
            "mean_q": Z,
            "log_var_q": X,
            "batch_dims": 1,
        },
        "divergences.gaussian_kl_full": gaussians,
        **{
            f"divergences.{name}": {"p": TABLE, "q": TABLE, "dim": 1} for name in ("kl", "js", "tv")
        },
        "edm.Preconditioned": {"model": CRITIC, "path": VP, "sigma_data": 0.5},
        "edm.Preconditioned.coefficients": {"self": SCALED, "t": 0.5, "like": X},
        "edm.Preconditioned.forward": {"self": SCALED, "x_t": X, "t": 0.5},
        "edm.edm_loss": {
            "model": SCALED, "x0": X, "t": 0.5, "generator": g, "mean": -1.2, "std": 1.2,
        },
        "edm.edm_weight": {"alpha": 0.8, "sigma": 0.6, "sigma_data": 0.5},
        "edm.min_snr_weight": {"alpha": 0.8, "sigma": 0.6, "gamma": 5.0, "prediction": "v"},
        "edm.preconditioning": {"alpha": 0.8, "sigma": 0.6, "sigma_data": 0.5},
        "edm.weight_ratio": {
            "alpha": 0.8, "sigma": 0.6, "d_alpha": -1.0, "d_sigma": 1.0, "source": "eps",
            "target": "velocity",
        },
        "evaluation.bootstrap": {
            "statistic": torch.mean, "samples": (ROW,), "repeats": 4, "level": 0.9, "generator": g,
        },
        "evaluation.c2st": {
            "real": TEN, "fake": TEN + 1, "k": 3, "test_fraction": 0.5, "generator": g,
        },
        "evaluation.embed": {"model": CRITIC, "x": X, "batch": 3},
        "evaluation.frechet_distance": {"real": TEN, "fake": X},
        "evaluation.gaussian_kernel": {"bandwidth": 1.0},
        "evaluation.inception_score": {"logits": X},
        "evaluation.kid": {"real": TEN, "fake": X, "block": 3},
        "evaluation.mmd": {
            "real": TEN, "fake": X, "kernel": gaussian_kernel(1.0), "biased": True, "block": 3,
        },
        "evaluation.polynomial_kernel": {"degree": 2},
        "evaluation.prdc": {"real": TEN, "fake": X, "k": 2, "block": 3},
        "flow_matching.cfm_loss": {
            "model": field,
            "x0": X,
            "t": 0.5,
            "path": LINE,
            "noise": Z,
            "spread": 0.1,
            "generator": g,
            "weight": 2.0,
        },
        "flow_matching.conditional_path": {
            "x0": X,
            "noise": Z,
            "t": 0.5,
            "path": LINE,
            "spread": 0.1,
            "generator": g,
        },
        "flow_matching.ot_pairing": {"x0": X, "noise": Z},
        "flow_matching.path_energy": {"trajectory": draw(3, 4, 2), "duration": 1.0},
        "flow_matching.random_pairing": {"n": 4, "generator": g},
        "flow_matching.reflow_pairs": {
            "model": field,
            "noise": X,
            "steps": 2,
            "path": LINE,
            "sampler": Heun(),
        },
        "gan.GAN": {"generator": nn.Linear(2, 2), "discriminator": CRITIC, "latent_shape": 2},
        "gan.GAN.forward": {"self": PAIR, "x": X},
        "gan.GAN.sample": {"self": PAIR, "n": 3, "generator": g, "dtype": torch.float32},
        "gan.bilinear_orbit": {
            "x": 1.0,
            "y": 0.0,
            "steps": 3,
            "eta_x": 0.1,
            "eta_y": 0.1,
            "kind": "alternating",
            "friction": 0.1,
        },
        "gan.discriminator_loss": {"real_logits": ROW, "fake_logits": ROW, "loss": "minimax"},
        "gan.error_rate": {"real_probs": ROW.sigmoid(), "fake_probs": ROW.sigmoid()},
        "gan.generator_loss": {"fake_logits": ROW, "loss": "minimax"},
        "gan.missing_mode_js": {"kept": ROW.sigmoid()},
        "gan.optimal_discriminator": {"log_p": ROW, "log_q": ROW},
        "gan.r1_penalty": {"discriminator": CRITIC, "x": X, "gamma": 1.0},
        "gan.slerp": {"source": X, "target": Z, "n": 3},
        "gan.training_step": {
            "gan": PAIR,
            "x": X,
            "optimizer_d": ADAM_D,
            "optimizer_g": ADAM_G,
            "loss": "minimax",
            "gamma": 0.1,
            "generator": g,
        },
        "guidance.ClassifierGuided": {
            "model": field,
            "path": VP,
            "log_likelihood": energy_of,
            "scale": 2.0,
            "prediction": "eps",
        },
        "guidance.Guided": {
            "model": wished,
            "condition": LABELS,
            "null": 3,
            "scale": 2.0,
            "interval": (0.2, 0.8),
            "rescale": 0.5,
            "against": wished,
        },
        "guidance.Measured": {
            "model": field,
            "path": VP,
            "matrix": CHOL,
            "y": X,
            "std": 0.5,
            "prior": 1.0,
            "prediction": "eps",
        },
        "guidance.drop_labels": {"labels": LABELS, "null": 3, "rate": 0.5, "generator": g},
        "guidance.edit": {
            "model": field,
            "x0": X,
            "t": 0.5,
            "path": VP,
            "sampler": DDIM(),
            "steps": 3,
            "prediction": "eps",
            "generator": g,
        },
        "guidance.guide": {"conditional": X, "unconditional": Z, "scale": 2.0},
        "guidance.inpaint": {
            "model": field,
            "x0": X,
            "mask": torch.tensor([True, False]),
            "path": VP,
            "sampler": DDIM(),
            "steps": 3,
            "prediction": "eps",
            "repeats": 2,
            "generator": g,
        },
        "guidance.rescaled": {"guided": X, "conditional": Z, "share": 0.5},
        "latent.FirstStage": {
            "encoder": nn.Linear(2, 4),
            "decoder": nn.Linear(2, 2),
            "kl": 0.1,
            "features": nn.Linear(2, 3),
            "feature_weight": 1.0,
            "adversarial_weight": 1.0,
        },
        "latent.FirstStage.decode": {"self": STAGE, "z": X},
        "latent.FirstStage.encode": {"self": STAGE, "x": X},
        "latent.FirstStage.forward": {"self": STAGE, "x": X},
        "latent.FirstStage.loss": {
            "self": STAGE,
            "x": X,
            "discriminator": CRITIC,
            "generator": g,
        },
        "latent.LatentDiffusion": {
            "autoencoder": FirstStage(nn.Linear(2, 2), nn.Linear(2, 2)),
            "model": Told(),
            "latent_shape": 2,
            "path": LINE,
            "prediction": "velocity",
        },
        "latent.LatentDiffusion.calibrate": {"self": CODES, "x": X},
        "latent.LatentDiffusion.decode": {"self": CODES, "z": X},
        "latent.LatentDiffusion.encode": {"self": CODES, "x": X},
        "latent.LatentDiffusion.img2img": {
            "self": CODES,
            "x": X,
            "t": 0.5,
            "sampler": Heun(),
            "steps": 2,
            "condition": LABELS,
            "null": 3,
            "scale": 2.0,
            "generator": g,
        },
        "latent.LatentDiffusion.inpaint": {
            "self": PATCHES,
            "x": IMAGES,
            "mask": MASK,
            "repeats": 1,
            "sampler": Heun(),
            "steps": 2,
            "condition": LABELS,
            "null": 3,
            "scale": 2.0,
            "generator": g,
        },
        "latent.LatentDiffusion.loss": {
            "self": CODES,
            "x": X,
            "condition": LABELS,
            "generator": g,
        },
        "latent.LatentDiffusion.sample": {
            "self": CODES,
            "n": 4,
            "sampler": Heun(),
            "steps": 2,
            "condition": LABELS,
            "null": 3,
            "scale": 2.0,
            "generator": g,
            "dtype": torch.float32,
        },
        "latent.LatentDiffusion.train": {"self": CODES, "mode": False},
        "latent.adaptive_weight": {
            "loss": LAST.weight.square().sum(),
            "other": LAST.weight.sum(),
            "at": LAST.weight,
            "delta": 1e-6,
            "most": 1e4,
        },
        "latent.cost_ratio": {"n": 64, "factor": 2.0, "linear": 1.0, "quadratic": 0.5},
        "likelihood.bits_per_dim": {"nats": ROW, "dims": 2, "width": 0.5},
        "likelihood.dequantization_bound": {
            "model": energy,
            "x": LABELS.reshape(4, 1),
            "generator": g,
            "k": 2,
            "proposal": lambda x, generator: (torch.full_like(x, 0.5), torch.zeros(len(x))),
        },
        "likelihood.fit": {"x": X, "family": "normal"},
        "likelihood.fit_mixture": {
            "x": TEN,
            "components": 2,
            "covariance": "full",
            "steps": 3,
            "tolerance": 1e-3,
            "floor": 0.1,
            "start": MIXTURE,
        },
        "likelihood.fit_ppca": {"x": TEN, "latent": 1},
        "likelihood.kde_log_prob": {"x": X, "samples": TEN, "bandwidth": 0.5, "block": 3},
        "likelihood.kmeans": {"x": TEN, "components": 2, "start": Z[:2], "steps": 3},
        "likelihood.pca": {"x": X, "components": 1},
        "likelihood.roc": {"fault": ROW, "good": ROW},
        "multimodal.best_of": {"samples": draw(4, 2, 3), "scores": X},
        "multimodal.clip_cost": {"frames": 8, "tokens": 4, "width": 16, "attention": "both"},
        "multimodal.guide_two": {
            "at_null": X, "at_first": Z, "at_both": X, "first": 1.5, "second": 7.0,
        },
        "multimodal.inverse_mu_law": {"x": X, "mu": 255.0},
        "multimodal.mu_law": {"x": X, "mu": 255.0},
        "multimodal.score_distillation": {"x": X, "predicted": Z, "noise": X, "weight": 0.5},
        "multimodal.volume_weights": {"density": TABLE, "lengths": TABLE},
        "nets.Autoregressive.log_prob": {"self": LAW, "x": PAIRS, "cond": LABELS},
        "nets.Autoregressive.sample": {
            "self": LAW,
            "n": 4,
            "temperature": 0.5,
            "top_k": 2,
            "top_p": 0.9,
            "cond": LABELS,
            "prefix": PAIRS[:, :1],
            "cached": True,
            "generator": g,
        },
        "nets.Captioned": {
            "encoder": TextEncoder(3, 4, 1, 2), "model": UNet(1, 4, 1, heads=2, context_dim=4),
            "prediction": "x0",
        },
        "nets.Captioned.forward": {"self": CAPTIONED, "x": IMAGES, "t": 0.5, "tokens": PAIRS},
        "nets.ConvDecoder": {
            "channels": 1, "codes": 2, "factor": 2, "hidden": 4, "generator": g,
        },
        "nets.ConvDecoder.forward": {
            "self": ConvDecoder(1, 1, 2, 4, generator=rng()), "z": IMAGES,
        },
        "nets.ConvEncoder": {
            "channels": 1, "codes": 2, "factor": 2, "hidden": 4, "generator": g,
        },
        "nets.ConvEncoder.forward": {
            "self": ConvEncoder(1, 2, 2, 4, generator=rng()), "x": IMAGES,
        },
        "nets.DiT": {
            "channels": 1,
            "hidden": 4,
            "layers": 1,
            "heads": 1,
            "patch": 2,
            "classes": 3,
            "context_dim": 2,
            "joint": False,
            "factorised": False,
            "steps": 3,
            "out": 1,
            "generator": g,
        },
        "nets.DiT.forward": {
            "self": DiT(hidden=4, layers=1, heads=2, classes=3, context_dim=2),
            "x": IMAGES,
            "t": 0.5,
            "label": LABELS,
            "context": TEXT,
            "mask": TEXT[..., 0] > 0,
        },
        "nets.Discriminator": {"size": 8, "channels": 1, "hidden": 4, "classes": 3, "generator": g},
        "nets.Discriminator.forward": {
            "self": Discriminator(hidden=4, classes=3),
            "x": IMAGES,
            "y": LABELS,
        },
        "nets.GPT": {
            "vocabulary": 3,
            "length": 2,
            "hidden": 4,
            "layers": 1,
            "heads": 1,
            "classes": 3,
            "cond_dim": None,
            "generator": g,
        },
        "nets.GRULM": {
            "vocabulary": 3,
            "length": 2,
            "hidden": 4,
            "layers": 1,
            "classes": 3,
            "cond_dim": None,
            "generator": g,
        },
        "nets.Generator": {
            "latent": 2,
            "size": 8,
            "channels": 1,
            "hidden": 4,
            "classes": 3,
            "generator": g,
        },
        "nets.Generator.forward": {"self": Generator(2, hidden=4, classes=3), "z": X, "y": LABELS},
        "nets.MADE": {
            "dim": 2,
            "levels": 3,
            "hidden": 4,
            "layers": 1,
            "order": [1, 0],
            "classes": 3,
            "cond_dim": None,
            "generator": g,
        },
        "nets.MADE.forward": {"self": LAW, "x": PAIRS, "cond": LABELS},
        "nets.MLP": {
            "dim": 2,
            "hidden": 4,
            "layers": 1,
            "time": True,
            "steps": 3,
            "out": 2,
            "activation": nn.Tanh,
            "generator": g,
        },
        "nets.MLP.forward": {"self": NET, "x": X, "t": 0.5},
        "nets.PixelCNN": {
            "event": (1, 2, 2),
            "levels": 3,
            "hidden": 4,
            "layers": 1,
            "k": 3,
            "classes": 3,
            "cond_dim": None,
            "generator": g,
        },
        "nets.PixelCNN.forward": {
            "self": PixelCNN((1, 2, 2), 3, 4, 1, classes=3),
            "x": PAIRS.reshape(4, 1, 2, 1).expand(4, 1, 2, 2),
            "cond": LABELS,
        },
        "nets.TextEncoder": {
            "vocabulary": 3,
            "hidden": 4,
            "layers": 1,
            "heads": 1,
            "out": 2,
            "generator": g,
        },
        "nets.TextEncoder.forward": {
            "self": TextEncoder(3, 4, 1, 2),
            "x": PAIRS,
            "mask": torch.tensor([[True, False]] * 4),
        },
        "nets.UNet": {
            "channels": 1,
            "hidden": 4,
            "depth": 1,
            "classes": 3,
            "heads": 2,
            "context_dim": 2,
            "steps": 3,
            "out": 1,
            "generator": g,
        },
        "nets.UNet.forward": {
            "self": UNet(hidden=4, classes=3, heads=2, context_dim=2),
            "x": IMAGES,
            "t": 0.5,
            "label": LABELS,
            "context": TEXT,
            "mask": TEXT[..., 0] > 0,
        },
        "nets.ViT": {
            "channels": 1,
            "hidden": 4,
            "layers": 1,
            "heads": 1,
            "patch": 2,
            "out": 2,
            "generator": g,
        },
        "nets.ViT.forward": {"self": ViT(1, 4, 1, 2), "x": IMAGES},
        "nets.ViT.tokens": {"self": ViT(1, 4, 1, 2), "x": IMAGES, "places": PAIRS},
        "nets.WaveNet": {
            "levels": 3,
            "length": 2,
            "hidden": 4,
            "dilations": (1, 2),
            "k": 2,
            "classes": 3,
            "cond_dim": None,
            "generator": g,
        },
        "nets.causal_mask": {"length": 3, "before": 2},
        **{
            f"nets.{name}": {"dim": 2, "hidden": 4, "layers": 1, "order": [1, 0]}
            for name in ("made_degrees", "made_masks")
        },
        "nets.pixelcnn_mask": {"kind": "A", "k": 3, "channels": 1, "into": 2, "out": 2},
        "paths.EDMPath": {"sigma_min": 0.002, "sigma_max": 80.0, "rho": 7.0},
        "paths.EDMPath.steps": {"self": EDMPath(), "n": 3},
        "paths.LinearPath.interpolate": {"self": LINE, "x0": X, "noise": Z, "t": 0.5},
        "paths.LinearPath.line": {"self": LINE, "x0": X, "noise": Z, "t": 0.5},
        "paths.LinearPath.velocity": {"self": LINE, "x0": X, "noise": Z, "t": 0.5},
        **{
            f"paths.Path.{name}": {"self": VP, "t": 0.5}
            for name in ["alpha", "sigma", "d_alpha", "d_sigma", "snr", "half_log_snr", "drift", "squared_diffusion"]
        },
        "paths.Path.steps": {"self": VP, "n": 3},
        "paths.Path.time_of_snr": {"self": VP, "snr": 1.0},
    "paths.Path.time_of_half_log_snr": {"self": VP, "half_log_snr": 0.0},
        **{
            f"paths.Path.{name}": {"self": VP, **on_path}
            for name in ["coefficients", "derivatives", "forward_sde"]
        },
        **{
            f"paths.Path.{name}": {"self": VP, "x0": X, "noise": Z, "t": 0.5}
            for name in ["interpolate", "line", "velocity"]
        },
        "paths.Schedule": {"beta": [0.0, 0.1, 0.2]},
        "paths.Schedule.from_steps": {"beta": [0.1, 0.2]},
        "paths.Schedule.coefficients": {"self": STEPS10, "t": 3, "like": X},
        "paths.VEPath": {"sigma_min": 0.01, "sigma_max": 50.0},
        "paths.VPPath": {"beta_min": 0.1, "beta_max": 20.0},
        "paths.cosine_schedule": {"T": 10, "s": 0.008, "max_beta": 0.999},
        "paths.linear_schedule": {"T": 10, "beta_start": 1e-4, "beta_end": 0.002, "scaled": True},
        "paths.logit_normal_density": {"t": 0.5, "mean": 0.0, "std": 1.0},
        "paths.logit_normal_time": {
            "n": 4,
            "generator": g,
            "mean": 0.0,
            "std": 1.0,
            "dtype": torch.float32,
        },
        "paths.rho_levels": {"sigma_max": 80.0, "sigma_min": 0.002, "n": 3, "rho": 7.0},
        "paths.reverse_time": {"path": LINE},
        "paths.shift_time": {"t": 0.5, "shift": 2.0},
        "paths.shifted_density": {"t": 0.5, "shift": 2.0},
        "predictions.coefficients": {
            "alpha": 0.8,
            "sigma": 0.6,
            "d_alpha": -1.0,
            "d_sigma": 1.0,
            "source": "eps",
            "target": "velocity",
        },
        "predictions.convert": {**noisy, "prediction": Z, "source": "eps", "target": "velocity"},
        "samplers.Churn": {
            "sampler": Heun(), "amount": 1.0, "low": 0.1, "high": 2.0, "noise": 1.0,
        },
        "samplers.DPMSolver": {"order": 2},
        "samplers.UniPC": {"order": 2},
        "samplers.Ancestral": {"variance": "beta"},
        "samplers.DDIM": {"eta": 0.5},
        "samplers.Grid": {"path": VP, "steps": [1.0, 0.5]},
        "samplers.Langevin": {"step": 0.1, "repeats": 2, "annealed": True},
        "samplers.ReverseSDE": {"noise": 1.0},
        "samplers.steps_inside": {"n": 3, "path": STEPS10, "ratio": 25.0},
        "samplers.sample": {
            "model": field,
            "shape": (4, 2),
            "path": VP,
            "sampler": DDIM(),
            "steps": 3,
            "prediction": "eps",
            "generator": g,
            "start": X,
            "dtype": torch.float32,
            "threshold": 3.0, "trajectory": True,
            "callback": lambda *given: None,
        },
        **{
            f"samplers.{name}.{method}": {
                "self": getattr(samplers, name)(*given),
                "grid": GRID,
                "prediction": "x0",
            }
            for name, *given in [
                ("Ancestral",),
                ("DDIM",),
                ("Euler",),
                ("Heun",),
                ("ReverseSDE",),
                ("Langevin", 0.1),
                ("DPMSolver",),
                ("UniPC",),
                ("Churn", Heun(), 1.0),
            ]
            for method in ("columns", "moves")
            if hasattr(getattr(samplers, name), method)
        },
        "samplers.Churn.visits": {"self": Churn(Heun(), 1.0), "grid": GRID},
        "samplers.Sampler.visits": {"self": DDIM(), "grid": GRID},
        "samplers.Grid.convert": {"self": GRID, "source": "x0", "target": "eps", "count": 2},
        "samplers.Grid.convert_where_possible": {"self": GRID, "source": "x0", "target": "eps"},
        "samplers.Grid.forward_sde": {"self": GRID, "count": 2},
        "score.annealed_langevin": {
            "score": field,
            "shape": (4, 2),
            "levels": [1.0, 0.1],
            "step": 0.1,
            "repeats": 2,
            "generator": g,
            "start": X,
            "dtype": torch.float32,
        },
        "score.contrastive_loss": {"energy": energy, "x": X, "samples": Z},
        "score.denoising_loss": {
            "score": field,
            "x0": X,
            "alpha": 0.8,
            "sigma": 0.6,
            "weight": 1.0,
            "noise": Z,
        },
        "score.energy_score": {"energy": energy, "x": X},
        "score.geometric_levels": {"sigma_max": 10.0, "sigma_min": 0.1, "n": 3},
        "score.hyvarinen_loss": {"score": score, "x": X},
        "score.kernel_score": {"x0": Z, **at_level},
        "score.langevin_step": {"score": Z, "x": X, "h": 0.1, "noise": Z},
        "score.langevin_variance": {"h": 0.1, "sigma": 1.0, "steps": 3, "start": 0.0},
        "score.sliced_loss": {"score": score, "x": X, "noise": Z},
        "score.tweedie": {"score": Z, **at_level},
        "score.tweedie_covariance": {"score": score, **at_level},
        "sde.forward_step": {"x": X, "t": 0.5, "h": 0.1, "path": VP, "noise": Z},
        "sde.linear_sde_moments": {"x": X, "path": VP, "t": 0.5, "start": 0.1, "variance": 0.2},
        "sde.log_likelihood": {
            "model": field,
            "x": X,
            "path": VP,
            "solver": few,
            "start": 0.1,
            "end": 0.9,
            "prediction": "score",
            "prior": standard_normal,
            "probe": Z,
        },
        "sde.ornstein_uhlenbeck_moments": {"x0": X, "rate": 1.0, "diffusion": 1.0, "t": 0.5},
        "sde.probability_flow_velocity": {"x": X, "t": 0.5, "score": Z, "path": VP},
        "sde.reverse_drift": {"x": X, "t": 0.5, "score": Z, "path": VP, "stochasticity": 0.5},
        "solvers.Adaptive": {"rtol": 1e-5, "atol": 1e-5, "tableau": DOPRI5, "max_calls": 10},
        "solvers.FixedSteps": {"steps": 2, "tableau": MIDPOINT},
        "solvers.Tableau": {"stages": ((), (0.5,)), "weights": (0.0, 1.0), "order": 2,
            "errors": (0.5, -0.5),
        },
        "solvers.carry": {"model": field, "x": X, "solver": few, "start": 0.1, "end": 0.9},
        "solvers.transport": {
            "model": field,
            "x": X,
            "solver": few,
            "start": 0.1,
            "end": 0.9,
            "probe": Z,
        },
        **{
            f"normalizing_flow.{name}": {"dim": 2, "transforms": 2, **of_net}
            for name in ("RealNVP", "NSF", "MAF", "IAF")
        },
        "normalizing_flow.NSF": {"dim": 2, "transforms": 2, "bins": 4, "bound": 3.0, **of_net},
        **{
            f"normalizing_flow.{name}": {"dim": 2, "transforms": 2, "kind": Affine(), **of_net}
            for name in ("MAF", "IAF")
        },
        **{
            f"normalizing_flow.{name}": {"dim": 2, "kind": Affine(), **of_net}
            for name in ("Coupling", "Autoregressive")
        },
        "normalizing_flow.Coupling": {
            "dim": 2, "kind": Affine(), "sites": (2, 2), "hidden": 4, "layers": 1, "context": 1,
            "generator": g,
        },
        "normalizing_flow.Glow": {
            "channels": 1, "size": 4, "levels": 2, "transforms": 1, **of_net,
        },
        "normalizing_flow.ActNorm": {"dim": 2, "sites": (2,)},
        "normalizing_flow.Mixing": {"dim": 2, "sites": (2,), "generator": g},
        "normalizing_flow.Planar": {"dim": 2, "generator": g},
        "normalizing_flow.Reverse": {"dim": 2},
        "normalizing_flow.Residual": {
            "dim": 2, "bound": 0.5, "hidden": 4, "layers": 1, "generator": g,
        },
        "normalizing_flow.Squeezed": {"layer": ActNorm(4, (2, 2))},
        "normalizing_flow.log_det_series": {"jacobian": draw(4, 2, 2) / 4, "terms": 3},
        "normalizing_flow.ActNorm.calibrate": {"self": ACTNORM, "x": X},
        "normalizing_flow.Affine": {"bound": 2.0},
        "normalizing_flow.Spline": {"bins": 4, "bound": 3.0},
        "normalizing_flow.Chain": {"parts": [ActNorm(2), Coupling(2)]},
        "normalizing_flow.Inverse": {"layer": LAYER},
        "normalizing_flow.Layer.forward": {"self": LAYER, "x": X, "context": Z},
        "normalizing_flow.Layer.inverse": {"self": LAYER, "z": X, "context": Z},
        "normalizing_flow.Mapping": {"layer": LAYER, "context": Z},
        "normalizing_flow.Mapping.log_abs_det_jacobian": {
            "self": Mapping(LAYER, Z), "x": X, "y": Z,
        },
        "normalizing_flow.Flow": {"layer": LAYER, "context": Z},
        "normalizing_flow.Flow.log_prob": {"self": FLOW, "value": X},
        "normalizing_flow.Flow.expand": {"self": FLOW, "batch_shape": (3,)},
        **{
            f"normalizing_flow.Flow.{name}": {"self": FLOW, "sample_shape": (3,), "generator": g}
            for name in ("sample", "rsample", "rsample_and_log_prob")
        },
        "shapes.caption": {"scene": SCENE, "language": "ko", "turned": True},
        "shapes.draw": {
            "scenes": [SCENE], "side": 16, "spread": 0.01, "generator": g, "dtype": torch.float64,
        },
        "shapes.film": {
            "scenes": [CLIP], "side": 16, "spread": 0.01, "generator": g, "dtype": torch.float64,
        },
        "shapes.parse": {"text": "a small red circle in the middle"},
        "shapes.read": {"x": torch.ones(2, 3, 16, 16)},
        "shapes.scenes": {"clips": True},
        "shapes.split": {"share": 0.2, "together": "thing", "clips": True, "generator": g},
        "shapes.tokenise": {"texts": ["a small red circle", ""]},
        "toys.GaussianMixture": {
            "weights": [0.5, 0.5],
            "means": [[0.0, 1.0], [1.0, 0.0]],
            "std": 0.5,
        },
        "toys.GaussianMixture.ring": {"components": 3, "radius": 1.0, "std": 0.1},
        "toys.GaussianMixture.sample": {"self": MIXTURE, **points},
        **{
            f"toys.GaussianMixture.{name}": {"self": MIXTURE, **at_level}
            for name in ["log_prob", "log_joint", "responsibilities", "score", "eps", "denoiser"]
        },
        "toys.GaussianMixture.velocity": {
            "self": MIXTURE,
            **at_level,
            "d_alpha": -1.0,
            "d_sigma": 1.0,
        },
        **{
            f"toys.{name}": points
            for name in ["checkerboard", "eight_gaussians", "moons", "s_curve", "spirals"]
        },
        "toys.moons_density": {},
        "toys.digits": {"low": -1.0, "test_fraction": 0.2, "seed": 0, "dtype": torch.float32},
        "translation.CycleGAN": {
            **dict.fromkeys(("to_y", "to_x"), nn.Linear(2, 2)),
            **dict.fromkeys(("critic_x", "critic_y"), CRITIC),
            "cycle_weight": 10.0,
            "identity_weight": 0.5,
            "loss": "minimax",
        },
        "translation.CycleGAN.back": {"self": CYCLE, "y": X},
        "translation.CycleGAN.discriminator_loss": {
            "self": CYCLE, "x": X, "y": Z, "made_x": Z, "made_y": X,
        },
        "translation.CycleGAN.forward": {"self": CYCLE, "x": X},
        "translation.CycleGAN.generator_loss": {"self": CYCLE, "x": X, "y": Z},
        "translation.ImageBuffer": {"size": 3},
        "translation.ImageBuffer.swap": {"self": KEPT, "x": X, "generator": g},
        "translation.StyleGenerator": {
            "latent": 2, "size": 8, "channels": 1, "hidden": 4, "depth": 1, "generator": g,
        },
        "translation.StyleGenerator.forward": {"self": STYLED, "z": X},
        "translation.StyleGenerator.mean_style": {"self": STYLED, "n": 5, "generator": g},
        "translation.StyleGenerator.styles": {"self": STYLED, "z": X},
        "translation.StyleGenerator.synthesize": {"self": STYLED, "styles": W},
        "translation.adain": {"x": IMAGES, "style": IMAGES + 1},
        "translation.cycle_loss": {"x": X, "back": Z},
        "translation.ddib": {
            "model_x": field, "model_y": field, "x": X, "schedule": STEPS10, "steps": [10, 5, 0],
            "iterations": 2, "prediction": "v",
        },
        "translation.gram": {"x": IMAGES},
        "translation.path_lengths": {"model": lambda w: 2 * w, "styles": X, "generator": g},
        "translation.style_loss": {"x": IMAGES, "style": IMAGES + 1},
        "translation.training_step": {
            "model": CYCLE,
            "x": X,
            "y": Z,
            "optimizer_d": torch.optim.SGD(CYCLE.critics.parameters(), 0.0),  # called often
            "optimizer_g": torch.optim.SGD(CYCLE.translators.parameters(), 0.0),
            "buffers": (ImageBuffer(2), ImageBuffer(2)),
            "generator": g,
        },
        "translation.truncate": {"styles": W, "mean": torch.zeros(2), "psi": 0.5},
        "vae.Autoencoder": {"encoder": nn.Linear(2, 1), "decoder": nn.Linear(1, 2)},
        "vae.Autoencoder.forward": {"self": AE, "x": X},
        "vae.Autoencoder.loss": {"self": AE, "x": X},
        "vae.VAE": {
            "encoder": nn.Linear(2, 4),
            "decoder": nn.Linear(2, 2),
            "latent_shape": 2,
            "likelihood": gaussian_log_likelihood,
        },
        "vae.VAE.decode": {"self": VAE2, "z": X},
        "vae.VAE.encode": {"self": VAE2, "x": X},
        "vae.VAE.elbo": {"self": VAE2, "x": X, "generator": g, "beta": 1.0},
        "vae.VAE.loss": {"self": VAE2, "x": X, "generator": g, "beta": 1.0},
        "vae.VAE.forward": {"self": VAE2, "x": X, "generator": g},
        "vae.VAE.log_weights": {"self": VAE2, "x": X, "k": 3, "generator": g},
        "vae.VAE.sample": {"self": VAE2, "n": 3, "generator": g, "dtype": torch.float32},
        "vae.bernoulli_log_likelihood": {"logits": X, "x": TABLE, "batch_dims": 1},
        "vae.elbo": {"log_likelihood": ROW, "mean": X, "log_var": Z, "beta": 1.0},
        "vae.gaussian_log_likelihood": {"mean": X, "x": Z, "log_var": 0.0, "batch_dims": 1},
        "vae.interpolate": {"source": X, "target": Z, "n": 3, "kind": "linear"},
        "vae.iwae_bound": {"log_weights": X, "dim": 0},
        "vae.reparameterize": {"mean": X, "log_var": Z, "generator": g},
        "vq.FSQ": {"levels": [3, 2]},
        "vq.FSQ.forward": {"self": ROUNDED, "z": X},
        "vq.GumbelSoftmax": {"codes": 3, "dim": 2, "temperature": 1.0, "hard": False, "generator": g},
        "vq.GumbelSoftmax.forward": {"self": MIXED, "z": draw(4, 3), "generator": g},
        "vq.Quantizer.embed": {"self": BOOK, "tokens": LABELS},
        "vq.TwoStage": {"first": TOKENS, "prior": TOLD, "words": 2},
        "vq.TwoStage.bound": {"self": STAGES, "x": X, **given},
        "vq.TwoStage.log_prior": {"self": STAGES, "tokens": LABELS, **given},
        "vq.TwoStage.loss": {"self": STAGES, "x": X, **given},
        "vq.TwoStage.sample": {"self": STAGES, "n": 4, "shape": (), **given, **SHARPER, "generator": g},
        "vq.VQVAE": {
            "encoder": nn.Linear(2, 2),
            "decoder": nn.Linear(2, 2),
            "quantizer": BOOK,
            "likelihood": partial(gaussian_log_likelihood, log_var=0.0),
        },
        "vq.VQVAE.decode": {"self": TOKENS, "tokens": LABELS},
        "vq.VQVAE.encode": {"self": TOKENS, "x": X},
        "vq.VQVAE.forward": {"self": TOKENS, "x": X},
        "vq.VQVAE.log_likelihood": {"self": TOKENS, "x": X, "tokens": LABELS},
        "vq.VQVAE.loss": {"self": TOKENS, "x": X},
        "vq.VectorQuantizer": {
            "codes": 3,
            "dim": 2,
            "beta": 0.25,
            "decay": 0.9,
            "restart": 0.1,
            "metric": "cosine",
            "generator": g,
        },
        "vq.VectorQuantizer.forward": {"self": BOOK, "z": X},
        "vq.VectorQuantizer.start": {"self": BOOK, "z": TEN, "generator": g},
        "vq.code_perplexity": {"tokens": LABELS, "codes": 3},
        "vq.nearest_code": {"z": X, "codes": TEN, "metric": "squared"},
        "vq.straight_through": {"z": X, "target": Z},
        "wasserstein.assignment": {"costs": draw(4, 4)},
        "wasserstein.clip_weights": {"module": nn.Linear(2, 2), "bound": 0.1},
        "wasserstein.critic_loss": {"real_scores": ROW, "fake_scores": ROW},
        "wasserstein.gaussian_w2_squared": gaussians,
        "wasserstein.generator_loss": {"fake_scores": ROW},
        "wasserstein.gradient_penalty": {
            "critic": CRITIC,
            "real": X,
            "fake": Z,
            "generator": g,
            "weight": 10.0,
            "one_sided": True,
        },
        "wasserstein.lipschitz_bound": {"module": nn.Linear(2, 2)},
        "wasserstein.pairwise_costs": {"x": X, "y": Z, "p": 2.0},
        "wasserstein.potential_1d": {
            "x": ROW,
            "y": ROW + 1,
            "at": ROW,
            "x_weights": TABLE[:, 0],
            "y_weights": TABLE[:, 1],
        },
        "wasserstein.sinkhorn": {
            "costs": draw(4, 4).abs(),
            "epsilon": 1.0,
            "x_weights": TABLE[:, 0],
            "y_weights": TABLE[:, 1],
            "tolerance": 1e-3,
            "steps": 100,
            "start": sinkhorn(draw(4, 4).abs(), 1.0),
            "anneal_from": 4.0,
            "block": 3,
            "strict": False,
        },
        "wasserstein.sinkhorn_divergence": {
            "x": X,
            "y": Z,
            "epsilon": 1.0,
            "p": 2.0,
            "x_weights": TABLE[:, 0],
            "y_weights": TABLE[:, 1],
            "tolerance": 3.0,  # what one step reaches
            "steps": 100,
            "anneal_from": 4.0,
            "block": 3,
        },
        "wasserstein.sliced_wasserstein": {
            "x": X,
            "y": Z,
            "p": 2.0,
            "directions": 3,
            "generator": g,
        },
        "wasserstein.transport_plan": {
            "costs": draw(4, 4),
            "x_weights": TABLE[:, 0],
            "y_weights": TABLE[:, 1],
        },
        "wasserstein.wasserstein": {
            "x": X,
            "y": Z,
            "p": 2.0,
            "x_weights": TABLE[:, 0],
            "y_weights": TABLE[:, 1],
        },
        "wasserstein.wasserstein_1d": {
            "x": ROW,
            "y": ROW + 1,
            "p": 2.0,
            "x_weights": TABLE[:, 0],
            "y_weights": TABLE[:, 1],
        },
    }

    # fmt: on


# Where a name means something else.
ANY_WHOLE = whole(-(10**9), 10**9)
TIME_OF_PATH = UNIT | BATCH  # a path takes a tensor of times of any shape
CALLED = frozenset(name for name in ZOO if name.startswith("function")) | {"module"}
INTO: dict[str, dict[str, Kind | set[str]]] = {
    "attention.attention": {"q": {"wrong batch"}},
    "attention.attention_weights": {"q": {"wrong batch"}, "k": {"wrong batch"}},
    "attention.block_cost": {
        "tokens": whole(1),
        "width": whole(1),
        "ratio": whole(1, 10**4),
        "context": whole(0),
        "adaln": {"True"},
        "bias": {"True"},
    },
    **{
        f"attention.{name}": {"height": whole(1), "width": whole(1), "frames": whole(1)}
        | dict.fromkeys(("compression", "patch", "stride"), whole(1, 10**4))
        for name in ("image_tokens", "video_tokens")
    },
    "attention.local_mask": {"causal": {"True"}},
    "attention.rope": {"base": POSITIVE},
    "attention.sinusoids": {"base": POSITIVE, "places": {*ANY_SHAPE, "integers", "0-dim integer"}},
    "autoregressive.DiscretizedLogisticMixture": {"levels": whole(2)},
    "autoregressive.acceptance_rate": {"dim": ANY_WHOLE},
    "autoregressive.log_prob": {"x": {"integers"}, "batch_dims": whole(0, 2)},
    "autoregressive.nll": {"x": {"integers"}},
    "autoregressive.perplexity": {"log_prob": BATCH, "n": whole(1)},
    "autoregressive.receptive_field": {
        "kernel": whole(1),
        "dilations": {"empty list", "no samples"},
    },
    **{
        f"autoregressive.{name}": {
            "logits": BATCH - {"no samples"},
            "temperature": POSITIVE,
            "top_k": whole(1),
            "top_p": UNIT - {"0"},
        }
        for name in ("sample_logits", "truncate_logits")
    },
    "autoregressive.speculative_sample": {
        "length": whole(0, 100),
        "prefix": {"integers"},
        "temperature": POSITIVE,
        "top_k": whole(1),
        "top_p": UNIT - {"0"},
    },
    "autoregressive.tokens_per_call": {"rate": UNIT, "block": whole(0)},
    "cnf.log_prob": {"start": ANY_NUMBER, "end": ANY_NUMBER},
    "cnf.standard_normal": {"x": BATCH},
    "consistency.ConsistencyModel": {"model": {"module"}, "std": POSITIVE},
    "consistency.ConsistencyModel.forward": {"x_t": BATCH},
    "consistency.distillation_loss": {"order": whole(1, 2)},
    "consistency.line_flow_map": {"x": {"no samples"}, "s": UNIT},
    "consistency.mean_flow_loss": {"s": numbers(0, 0.5), "t": numbers(0.25, 1), "equal": UNIT},
    "consistency.normal_flow_map": {
        "x": BATCH,
        "s": UNIT,
        "mean": ANY_NUMBER,
        "variance": POSITIVE,
    },
    "consistency.progressive_target": {
        "x_t": BATCH,
        "s": numbers(0, 0.49),
        "t": numbers(0.3, 1),
    },
    "consistency.shortcut_target": {"x_t": BATCH, "s": numbers(0, 0.5), "t": numbers(0.25, 1)},
    **{
        f"consistency.{name}": {"steps": whole(1) | {"list"}}
        for name in ("sample", "sample_mean_flow")
    },
    "contrastive.MemoryQueue": {"size": whole(1)},
    "contrastive.MemoryQueue.push": {"keys": {"wrong batch"}},
    "contrastive.MomentumEncoder": {"model": {"module"}, "decay": UNIT},
    "contrastive.MomentumEncoder.forward": {"x": BATCH},
    "contrastive.augment": {
        "crop": UNIT - {"0"},
        "rotate": AT_LEAST_0,
        "flip": {"True"},
        "brightness": AT_LEAST_0,
        "contrast": UNIT,
        "noise": AT_LEAST_0,
    },
    "contrastive.dino_loss": dict.fromkeys(
        ["student_temperature", "teacher_temperature"], POSITIVE
    ),
    **{
        f"contrastive.{name}": {"scores": {"wrong batch"}}
        for name in ("info_nce", "mutual_information_bound")
    },
    "contrastive.linear_probe": {"ridge": POSITIVE},
    "contrastive.similarities": {"x": {"wrong batch"}, "y": {"wrong batch"}},
    "contrastive.vicreg_loss": dict.fromkeys(["invariance", "variance", "covariance"], AT_LEAST_0),
    "ddim.ddim_invert": {"x": BATCH},
    "ddim.ddim_step": {"t": whole(0, 10), "s": whole(0, 10)},
    "ddim.step_variance": {"t": whole(1, 10), "s": whole(0, 10)},
    "ddpm.bound_terms": {"x0": BATCH},
    "ddpm.prior_term": {"x0": BATCH},
    **{
        f"ddpm.{name}": {"t": whole(0, 10)}
        for name in (
            "add_noise ancestral_step denoising_loss loss_weight posterior posterior_mean_from_eps "
            "snr_weight transition_term"
        ).split()
    },
    "divergences.FDivergence": {
        "name": {"string", "empty string", "number as string"},
        **dict.fromkeys(["value", "slope", "conjugate"], CALLED),
        **dict.fromkeys(["at_zero", "at_infinity"], ANY_NUMBER | {"inf"}),
    },
    **{
        f"divergences.{name}": {"dim": ANY_WHOLE}
        for name in ("f_divergence", "f_divergence_from_samples", "js", "kl", "tv")
    },
    "divergences.fenchel_bound": {"dim": ANY_WHOLE, "critic_p": BATCH, "critic_q": BATCH},
    "divergences.gaussian_kl": {
        "batch_dims": whole(0, 2),
        **{key: {*SCALARS} for key in ["mean_p", "mean_q", "log_var_p", "log_var_q"]},
    },
    # leading dimensions broadcast
    "divergences.gaussian_kl_full": {key: {"wrong batch"} for key in ["mean_p", "mean_q"]},
    "edm.Preconditioned": {"model": {"module"}},
    "edm.Preconditioned.coefficients": {"like": BATCH},
    "edm.Preconditioned.forward": {"x_t": BATCH},
    "edm.edm_loss": {
        "x0": BATCH - {"no samples"},
        "t": UNIT - {"0"},
        "mean": ANY_NUMBER,
        "std": POSITIVE,
    },
    **{
        f"edm.{name}": {
            **dict.fromkeys(["alpha", "sigma"], LEVEL | ANY_SHAPE),
            **dict.fromkeys(["d_alpha", "d_sigma"], ANY_NUMBER | ANY_SHAPE),
        }
        for name in ("edm_weight", "min_snr_weight", "preconditioning", "weight_ratio")
    },
    "evaluation.bootstrap": {
        "level": UNIT - {"0", "1"},
        "statistic": {"function to one number"},
    },
    "evaluation.c2st": {"k": {"1", "3"}, "test_fraction": UNIT - {"0", "1"}},
    "evaluation.embed": {"x": BATCH - {"no samples"}, "model": {"module"}, "batch": whole(1)},
    "evaluation.gaussian_kernel": {"bandwidth": POSITIVE},
    "evaluation.inception_score": {"logits": {"wrong batch"}},
    **{
        f"evaluation.{name}": {key: {"wrong batch"} for key in ["real", "fake"]}
        for name in ("frechet_distance", "kid")
    },
    "evaluation.mmd": {"real": {"wrong batch"}, "fake": {"wrong batch"}, "biased": {"True"}},
    "evaluation.polynomial_kernel": {"degree": whole(1)},
    "evaluation.prdc": {"real": {"wrong batch"}, "fake": {"wrong batch"}, "k": whole(1, 3)},
    "flow_matching.path_energy": {"trajectory": BATCH},
    "flow_matching.reflow_pairs": {"noise": BATCH, "steps": whole(1) | {"list"}},
    "gan.GAN": {key: {"module"} for key in ["generator", "discriminator"]},
    "gan.GAN.forward": {"x": BATCH},
    "gan.bilinear_orbit": {"x": ANY_NUMBER, "y": ANY_NUMBER, "steps": whole(0)},
    "gan.missing_mode_js": {"kept": ANY_SHAPE},
    "gan.r1_penalty": {"x": BATCH},
    "gan.training_step": {"x": BATCH},
    "guidance.ClassifierGuided": {
        **dict.fromkeys(["model", "log_likelihood"], CALLED),
        "scale": ANY_NUMBER,
    },
    "guidance.Guided": {
        **dict.fromkeys(["model", "against"], CALLED),
        "condition": {"integers"},
        "null": ANY_WHOLE,
        "scale": ANY_NUMBER,
        "interval": {"tuple", "huge tuple"},
        "rescale": UNIT,
    },
    "guidance.Measured": {
        "model": CALLED,
        "matrix": {"wrong batch"},
        "y": {"wrong batch"},
        **dict.fromkeys(["std", "prior"], AT_LEAST_0),
    },
    "guidance.drop_labels": {"labels": {"integers"}, "null": ANY_WHOLE, "rate": UNIT},
    "guidance.edit": {"x0": BATCH},
    "guidance.guide": {"scale": ANY_NUMBER},
    "guidance.inpaint": {"mask": {"booleans"}, "steps": whole(1) | {"list"}, "x0": BATCH},
    "guidance.rescaled": {"share": UNIT},
    "latent.FirstStage": {
        **{key: {"module"} for key in ["encoder", "decoder", "features"]},
        **dict.fromkeys(["kl", "feature_weight", "adversarial_weight"], AT_LEAST_0),
    },
    "latent.FirstStage.decode": {"z": BATCH},
    **{f"latent.FirstStage.{name}": {"x": BATCH} for name in ("encode", "forward", "loss")},
    "latent.LatentDiffusion": {"model": {"module"}},
    **{f"latent.LatentDiffusion.{name}": {"x": BATCH} for name in ("calibrate", "encode")},
    "latent.LatentDiffusion.decode": {"z": BATCH},
    "latent.LatentDiffusion.img2img": {"t": UNIT - {"0"}, "null": ANY_WHOLE, "scale": ANY_NUMBER},
    "latent.LatentDiffusion.inpaint": {
        "null": ANY_WHOLE,
        "scale": ANY_NUMBER,
        "steps": whole(1) | {"list"},
    },
    "latent.LatentDiffusion.sample": {"null": ANY_WHOLE, "scale": ANY_NUMBER},
    "latent.LatentDiffusion.train": {"mode": {"True"}},
    "latent.adaptive_weight": {"delta": POSITIVE, "most": POSITIVE},
    "latent.cost_ratio": {
        "n": POSITIVE,
        "factor": numbers(1),
        "linear": AT_LEAST_0,
        "quadratic": AT_LEAST_0,
    },
    "likelihood.bits_per_dim": {"nats": ANY_SHAPE, "width": POSITIVE},
    "likelihood.dequantization_bound": {
        "model": CALLED,
        "proposal": CALLED,
        "x": BATCH | {"integers", "booleans"},
    },
    "likelihood.fit_mixture": {"floor": AT_LEAST_0, "x": {"wrong batch"}},
    **{f"likelihood.{name}": {"x": {"wrong batch"}} for name in ("kmeans", "pca")},
    "likelihood.kde_log_prob": {"x": BATCH, "samples": BATCH, "bandwidth": POSITIVE},
    **{f"nets.{name}": {"x": {"integers"}} for name in ("Autoregressive.log_prob", "MADE.forward")},
    "multimodal.clip_cost": dict.fromkeys(("frames", "tokens", "width"), whole(1)),
    "multimodal.guide_two": {"first": ANY_NUMBER, "second": ANY_NUMBER},
    "multimodal.inverse_mu_law": {"x": ANY_SHAPE, "mu": POSITIVE},
    "multimodal.mu_law": {"x": ANY_SHAPE, "mu": POSITIVE},
    "nets.Autoregressive.sample": {"prefix": {"integers"}},
    "nets.Captioned": {"model": {"module"}},
    "nets.Captioned.forward": {"t": ANY_NUMBER, "tokens": {"integers"}},
    "nets.ConvDecoder": {"factor": {"1", "2"}, "codes": whole(1)},
    "nets.ConvEncoder": {"factor": {"1", "2"}, "codes": whole(1)},
    "nets.DiT": {"patch": whole(1)},
    "nets.DiT.forward": {"t": ANY_NUMBER},
    "nets.MLP.forward": {"x": BATCH, "t": ANY_NUMBER},
    "nets.TextEncoder.forward": {"x": {"integers"}, "mask": {"booleans"}},
    "nets.ViT": {"patch": whole(1)},
    "nets.ViT.tokens": {"places": {"integers"}},
    "nets.UNet": {"depth": whole(0), "heads": whole(1, 2)},
    "nets.UNet.forward": {"t": ANY_NUMBER},
    "nets.causal_mask": dict.fromkeys(["length", "before"], whole(0)),
    "nets.pixelcnn_mask": {"into": whole(1)},
    **{
        f"paths.Path.{name}": {"t": TIME_OF_PATH}
        for name in "alpha sigma d_alpha d_sigma snr half_log_snr drift squared_diffusion".split()
    },
    **{
        f"paths.Path.{name}": {"like": BATCH}
        for name in "coefficients derivatives forward_sde".split()
    },
    **{
        f"normalizing_flow.{name}": {"context": whole(0), "dim": whole(2)}
        for name in ("RealNVP", "NSF", "Coupling")
    },
    **{
        f"normalizing_flow.{name}": {"context": whole(0)}
        for name in ("MAF", "IAF", "Autoregressive")
    },
    "normalizing_flow.Coupling": {
        "context": whole(0),
        "dim": whole(2),
        "sites": {"empty list", "no samples"},
    },
    **{
        f"normalizing_flow.{name}": {"sites": {"empty list", "no samples"}}
        for name in ("ActNorm", "Mixing")
    },
    "normalizing_flow.Glow": {
        "context": whole(0),
        "size": whole(4, 4),
        "levels": whole(1, 3),
    },
    "normalizing_flow.Residual": {"bound": numbers(1e-3, 0.9)},
    "normalizing_flow.log_det_series": {"terms": whole(1, 10_000)},
    "normalizing_flow.Spline": {"bins": whole(2)},
    "normalizing_flow.Flow.log_prob": {"value": {"wrong batch"}},
    "normalizing_flow.NSF": {"context": whole(0), "dim": whole(2), "bins": whole(2)},
    **{
        f"normalizing_flow.{name}": {argument: {"wrong batch"}}
        for name, argument in (
            ("ActNorm.calibrate", "x"),
            ("Mapping", "context"),
            ("Flow", "context"),
        )
    },
    "normalizing_flow.Flow.expand": {"batch_shape": {"empty list", "no samples"}},
    **{
        f"normalizing_flow.Flow.{name}": {"sample_shape": {"empty list", "no samples"}}
        for name in ("sample", "rsample", "rsample_and_log_prob")
    },
    **{f"paths.{name}.steps": {"n": whole(1)} for name in ("EDMPath", "Path")},
    "paths.rho_levels": {"n": whole(2)},
    "paths.Path.time_of_half_log_snr": {"half_log_snr": ANY_NUMBER | BATCH | {"inf", "-inf"}},
    "paths.Path.time_of_snr": {"snr": AT_LEAST_0 | BATCH | {"inf"}},
    "paths.Schedule.coefficients": {"t": whole(0, 10), "like": BATCH},
    "paths.Schedule.from_steps": {"beta": {"list"}},
    "paths.VPPath": dict.fromkeys(["beta_min", "beta_max"], POSITIVE),
    **{key: {"T": whole(1, 10**6)} for key in ["paths.cosine_schedule", "paths.linear_schedule"]},
    "paths.logit_normal_density": {"t": TIME_OF_PATH, "mean": ANY_NUMBER, "std": POSITIVE},
    "paths.logit_normal_time": {"mean": ANY_NUMBER, "std": POSITIVE},
    **{key: {"t": TIME_OF_PATH} for key in ["paths.shift_time", "paths.shifted_density"]},
    "predictions.coefficients": dict.fromkeys(["alpha", "sigma"], AT_LEAST_0 | BATCH)
    | dict.fromkeys(["d_alpha", "d_sigma"], ANY_NUMBER | BATCH),
    "samplers.Churn": {
        "amount": AT_LEAST_0,
        "low": AT_LEAST_0,
        "high": AT_LEAST_0 | {"inf"},
        "noise": AT_LEAST_0,
    },
    "samplers.DPMSolver": {"order": whole(1, 2)},
    "samplers.UniPC": {"order": whole(1, 3)},
    "samplers.Grid": {"steps": {"list"}},
    "samplers.Grid.convert": {"count": whole(0, 3)},
    "samplers.Grid.forward_sde": {"count": whole(0, 3)},
    "samplers.ReverseSDE": {"noise": AT_LEAST_0},
    "samplers.steps_inside": {"n": whole(1, 10), "ratio": POSITIVE},
    "samplers.sample": {"steps": whole(1) | {"list"}, "callback": CALLED},
    "score.annealed_langevin": {"levels": {"list"}},
    **{key: {"x": BATCH, "samples": BATCH} for key in ["score.contrastive_loss"]},
    **{f"score.{name}": {"x": BATCH} for name in ("energy_score", "hyvarinen_loss")},
    "score.langevin_variance": {
        "h": POSITIVE,
        "sigma": POSITIVE,
        "start": AT_LEAST_0,
        "steps": whole(0),
    },
    "score.tweedie_covariance": {"x": BATCH},
    "sde.linear_sde_moments": {"x": BATCH, "start": UNIT, "variance": AT_LEAST_0},
    "sde.log_likelihood": {"start": UNIT, "end": UNIT},
    "sde.ornstein_uhlenbeck_moments": {"x0": BATCH, "t": AT_LEAST_0 | {"inf"}},
    **{
        key: {"x": BATCH, "start": ANY_NUMBER, "end": ANY_NUMBER}
        for key in ["solvers.carry", "solvers.transport"]
    },
    **{f"shapes.{name}": {"spread": numbers(0, 0.03)} for name in ("draw", "film")},
    "shapes.split": {"share": {"0.5", "0-dim 0.5"}},
    "shapes.tokenise": {"texts": {"empty list", "no samples", "tuple of strings"}},
    "toys.GaussianMixture": {
        "std": AT_LEAST_0 | {"list", "tuple", "huge tuple"},
        "means": {"list", "tuple", "huge tuple"},
    },
    "toys.GaussianMixture.ring": {"std": AT_LEAST_0, "components": whole(1)},
    **{
        f"toys.GaussianMixture.{name}": {"x": BATCH}
        for name in "log_prob log_joint responsibilities score eps denoiser velocity".split()
    },
    "toys.digits": {"low": numbers(-1, 0), "seed": whole(0, 2**63)},
    "translation.CycleGAN": {
        **{key: {"module"} for key in ["to_y", "to_x", "critic_x", "critic_y"]},
        **dict.fromkeys(["cycle_weight", "identity_weight"], AT_LEAST_0),
    },
    **{
        f"translation.{name}": {key: {"wrong batch"} for key in ["x", "y", "made_x", "made_y"]}
        for name in [
            "training_step",
            *(
                f"CycleGAN.{part}"
                for part in "back discriminator_loss forward generator_loss".split()
            ),
        ]
    },
    "translation.ImageBuffer": {"size": whole(1)},
    "translation.ImageBuffer.swap": {"x": {"wrong batch"}},
    "translation.StyleGenerator": {"depth": whole(1)},
    "translation.StyleGenerator.mean_style": {"n": whole(1)},
    **{
        f"translation.StyleGenerator.{name}": {"z": {"wrong batch"}}
        for name in ("forward", "styles")
    },
    "translation.ddib": {"x": BATCH},
    "translation.gram": {"x": {"wrong shape"}},
    "translation.path_lengths": {"styles": {"wrong shape", "wrong batch"}},
    "translation.truncate": {
        "psi": AT_LEAST_0,
        "styles": {"wrong batch"},
        "mean": {*SCALARS, "wrong batch"},
    },
    **{
        key: {"encoder": {"module"}, "decoder": {"module"}, "likelihood": CALLED}
        for key in ["vae.Autoencoder", "vae.VAE"]
    },
    **{f"vae.Autoencoder.{name}": {"x": BATCH} for name in ("forward", "loss")},
    "vae.VAE.decode": {"z": BATCH},
    **{f"vae.VAE.{name}": {"x": BATCH} for name in "encode forward log_weights".split()},
    **{key: {"x": BATCH, "beta": AT_LEAST_0} for key in ["vae.VAE.elbo", "vae.VAE.loss"]},
    "vae.elbo": {"beta": AT_LEAST_0},
    "vae.bernoulli_log_likelihood": {"x": {"integers", "booleans"}, "batch_dims": whole(0, 2)},
    "vae.gaussian_log_likelihood": {"log_var": ANY_NUMBER, "batch_dims": whole(0, 2)},
    "vae.iwae_bound": {"log_weights": BATCH, "dim": ANY_WHOLE},
    "vq.FSQ": {"levels": NOTHING},
    **{f"vq.{name}.forward": {"z": {"wrong batch"}} for name in ("FSQ", "VectorQuantizer")},
    **{
        key: {"codes": whole(1), "beta": AT_LEAST_0, "decay": UNIT - {"1"}, "restart": UNIT}
        | {"hard": {"True"}}
        for key in ["vq.GumbelSoftmax", "vq.VectorQuantizer"]
    },
    "vq.Quantizer.embed": {"tokens": {"integers"}},
    "vq.TwoStage": {"words": {"2", "0-dim integer"}},
    **{f"vq.TwoStage.{name}": {"x": BATCH, "text": {"integers"}} for name in ("bound", "loss")},
    "vq.TwoStage.log_prior": {"text": {"integers"}},
    "vq.TwoStage.sample": {"shape": {"empty list", "no samples"}, "text": {"integers"}},
    "vq.VQVAE": {"encoder": {"module"}, "decoder": {"module"}, "likelihood": CALLED},
    **{f"vq.VQVAE.{name}": {"x": BATCH} for name in ("encode", "forward", "loss")},
    "vq.VQVAE.decode": {"tokens": {"integers"}},
    "vq.VQVAE.log_likelihood": {"x": BATCH, "tokens": {"integers"}},
    "vq.VectorQuantizer.start": {"z": {"wrong batch"}},
    "vq.code_perplexity": {"tokens": {"integers"}, "codes": whole(1)},
    "vq.nearest_code": {"z": {"wrong batch"}, "codes": {"wrong batch"}},
    "wasserstein.clip_weights": {"module": {"module"}},
    "wasserstein.critic_loss": dict.fromkeys(["real_scores", "fake_scores"], BATCH),
    "wasserstein.generator_loss": {"fake_scores": BATCH},
    "wasserstein.gaussian_w2_squared": {key: {"wrong batch"} for key in ["mean_p", "mean_q"]},
    "wasserstein.lipschitz_bound": {"module": {"module"}},
    "wasserstein.pairwise_costs": {"x": BATCH, "y": BATCH, "p": POSITIVE},
    "wasserstein.potential_1d": {"at": ANY_SHAPE},
    "wasserstein.sinkhorn_divergence": {"p": numbers(1, 2)},
    "wasserstein.sliced_wasserstein": {"x": BATCH, "y": BATCH, "p": numbers(1)},
    "wasserstein.wasserstein": {"p": numbers(1)},
    "wasserstein.wasserstein_1d": {"p": numbers(1)},
}
TAKES = {
    f"{name}:{argument}": kind for name, kinds in INTO.items() for argument, kind in kinds.items()
}
