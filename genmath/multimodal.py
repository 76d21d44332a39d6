"""From a text to a picture, a clip, a scene: what the whole system adds to its parts.

The parts are `genmath.nets`, `genmath.guidance` and `genmath.latent`; here is what joins them.

    guided = guide_two(at_null, at_sketch, at_both, 1.5, 7.0)  # one prediction of three
    picture = best_of(pictures, scores)  # of several drawn for one text
    clip_cost(16, 256, 512, attention="alternating")  # FLOPs of a block
    colour = (volume_weights(density, lengths).unsqueeze(-1) * colours).sum(-2)
"""

from __future__ import annotations

import math

from genmath._base.batch import affine, per_sample, sum_event, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    floating,
    integer,
    one_of,
    positive,
    real,
    refuse,
    same_shape,
    some,
)
from genmath._base.shapes import Array, Data, PerSample, Scalar
from genmath._base.torch import Float, Tensor, torch

__all__ = [
    "best_of",
    "clip_cost",
    "guide_two",
    "inverse_mu_law",
    "mu_law",
    "score_distillation",
    "volume_weights",
]

ATTENTIONS = ("whole", "alternating", "both")


# Steering


def guide_two(at_null: Data, at_first: Data, at_both: Data, first: float, second: float) -> Data:
    """at_null + first (at_first - at_null) + second (at_both - at_first), of three predictions.

    ``at_null`` is told nothing, ``at_first`` the one condition (a picture to be changed), and
    ``at_both`` this and another (what to change). The coefficients sum to one, so it does not
    matter which of the `PREDICTIONS` it is. (1, 1) is the law given both.

    Result: multimodal.two_conditions
    Shapes: all alike, the batch first; the dtype follows ``at_both``.
    Errors: ValueError for shapes that differ or a scale that is not finite.
    Source: Brooks, Holynski, Efros 2023, equation 3.
    """
    same_shape("at_null", at_null, "at_both", batched("at_both", at_both))
    same_shape("at_first", at_first, "at_both", at_both)
    first = real("first", first, "a finite number", -math.inf)
    second = real("second", second, "a finite number", -math.inf)
    return affine(at_both, second, at_first, first - second, at_null, 1.0 - first)


def best_of(samples: Float[Tensor, "batch n *event"], scores: Float[Tensor, "batch n"]) -> Data:
    """Of the n samples for each text the one of the highest score; the first of equal ones.

    The law of what is kept is at most log n - 1 + 1/n nats from that of the samples.

    Result: multimodal.best_of
    Shapes: samples (B, n, …), scores (B, n).
    Errors: ValueError for n = 0, or shapes that do not fit.
    """
    if floating("samples", samples).ndim < 2 or not samples.shape[1]:
        refuse("samples", describe(samples), "shape (B, n, …) with n > 0")
    if floating("scores", scores).shape != samples.shape[:2]:
        refuse("scores", describe(scores), f"shape {tuple(samples.shape[:2])}, one each of samples")
    rows = torch.arange(len(samples), device=samples.device)
    return samples[rows, scores.argmax(1).to(samples.device)]


# What a clip costs


def clip_cost(frames: int, tokens: int, width: int, *, attention: str = "whole") -> int:
    """FLOPs of a transformer block, forward, on frames of so many tokens each.

    "whole": every token looks at all of the clip. "alternating": blocks look within the frame and
    at the same place of all frames in turn, as `genmath.nets.DiT` with ``factorised``, and this is
    the mean of the two kinds. "both": each block has an attention of either kind, and so matrices
    for two.

    Result: multimodal.clip_cost
    Errors: ValueError for sizes < 1, or an unknown attention.
    """
    n, m, d = integer("frames", frames, 1), integer("tokens", tokens, 1), integer("width", width, 1)
    one_of("attention", attention, ATTENTIONS)
    matrices = 32 if attention == "both" else 24
    pairs = {"whole": 4 * n * m, "alternating": 2 * (n + m), "both": 4 * (n + m)}[attention]
    return n * m * d * (matrices * d + pairs)


# From pictures to scenes


def volume_weights(
    density: Float[Tensor, "... n"], lengths: Float[Tensor, "... n"]
) -> Float[Tensor, "... n"]:
    """How much of what a ray carries to the eye comes from each of its n segments.

    The share that a segment takes, 1 - exp(-density · length), of the light that the segments
    before it let through. The sum is 1 - the light that is left behind the last one.

    Result: multimodal.volume
    Shapes: both (…, n), from the eye outwards; float32 at least inside.
    Errors: ValueError for shapes that differ, or none. Values are not read: they should be >= 0.
    Source: Max 1995; Mildenhall et al. 2020, equation 3.
    """
    if floating("density", density).ndim == 0:
        refuse("density", describe(density), "shape (…, n)")
    same_shape("lengths", lengths, "density", density)
    work = work_dtype(density)
    depth = density.to(work) * lengths.to(work)
    # Summed without the segment itself: to take it away again leaves nothing before a wall.
    before = torch.cat([torch.zeros_like(depth[..., :1]), depth[..., :-1]], -1).cumsum(-1)
    return (-torch.expm1(-depth) * torch.exp(-before)).to(density.dtype)


def score_distillation(
    x: Data, predicted: Data, noise: Data, *, weight: float | PerSample = 1.0
) -> Scalar:
    """A number whose gradient by x is weight · (predicted - noise), averaged over the batch.

    x is what a scene was rendered to, ``predicted`` a network's guess of the noise in
    alpha · x + sigma · noise, told a text and guided. Nothing flows through the network. The value
    means nothing: only its gradient does.

    Result: multimodal.distillation
    Shapes: x, predicted, noise (B, …) alike; weight a number or one a sample, such as alpha.
    Errors: ValueError for an empty batch or shapes that differ.
    Source: Poole et al. 2023, equation 3.
    """
    some("x", x)
    same_shape("predicted", predicted, "x", x)
    same_shape("noise", noise, "x", x)
    work = work_dtype(x)
    push = (predicted.to(work) - noise.to(work)).detach()
    along = sum_event(push * x.to(work), 1)
    return (per_sample("weight", weight, along) * along).mean().to(x.dtype)


# Sound


def mu_law(x: Array, mu: float = 255.0) -> Array:
    """sign(x) log(1 + mu |x|) / log(1 + mu): small sounds get more of the scale.

    Result: multimodal.mu_law
    Shapes: any; x in [-1, 1] goes to [-1, 1].
    Errors: ValueError unless mu > 0.
    Source: ITU-T G.711 in its continuous form; as in van den Oord et al. 2016, section 2.2.
    """
    mu = positive("mu", mu)
    work = floating("x", x).to(work_dtype(x))
    return (work.sign() * torch.log1p(mu * work.abs()) / math.log1p(mu)).to(x.dtype)


def inverse_mu_law(x: Array, mu: float = 255.0) -> Array:
    """sign(x) ((1 + mu)^|x| - 1) / mu: what `mu_law` takes to x.

    Result: multimodal.mu_law
    Shapes: any.
    Errors: ValueError unless mu > 0.
    """
    mu = positive("mu", mu)
    work = floating("x", x).to(work_dtype(x))
    return (work.sign() * torch.expm1(work.abs() * math.log1p(mu)) / mu).to(x.dtype)
