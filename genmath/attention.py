"""Attention, places, norms that are told the time, masks, and what a transformer costs.

Functions without weights, on tensors of heads and tokens; networks are in `genmath.nets`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from genmath._base.checks import (
    describe,
    flag,
    floating,
    function,
    integer,
    numeric,
    positive,
    refuse,
    same_shape,
)
from genmath._base.shapes import Array
from genmath._base.torch import Tensor, nn, torch

__all__ = [
    "BlockCost",
    "adaln_branch",
    "attention",
    "attention_weights",
    "block_cost",
    "group_mask",
    "image_tokens",
    "local_mask",
    "modulate",
    "rope",
    "sinusoids",
    "video_tokens",
]

# Averages that choose


def attention(
    q: Array, k: Array, v: Array, *, mask: Tensor | None = None, temperature: float | None = None
) -> Array:
    """Σ_j softmax_j(⟨q, k_j⟩ / temperature) v_j, by torch's `scaled_dot_product_attention`.

    Not to be confused with its ``scale``, which is one over the temperature.

    Result: attention.average, attention.scaling, attention.slopes
    Shapes: q (…, n, d), k (…, m, d), v (…, m, e) with equal dimensions before; the result
        (…, n, e). ``mask`` broadcasts with (…, n, m) and is True where a query may look; a query
        that may look nowhere gets what torch gives it. The temperature is √d where none is said.
    Errors: ValueError for shapes that do not fit, a mask that is not boolean, a temperature that is
        no number > 0.
    Source: Vaswani et al. 2017, equation 1.
    """
    _scored(q, k, mask)
    if floating("v", v).shape[:-1] != k.shape[:-1] or v.dtype != k.dtype:
        refuse("v", describe(v), f"a {k.dtype} tensor of shape (…, m, e), one value for each of k")
    scale = 1 / _temperature(q, temperature)
    return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)


def attention_weights(
    q: Array, k: Array, *, mask: Tensor | None = None, temperature: float | None = None
) -> Array:
    """The weights themselves, softmax(q kᵀ / temperature): rows that add up to one.

    Of all weights they have the largest mean score + temperature · entropy.

    Result: attention.average, attention.softmax, attention.mask
    Shapes: q (…, n, d), k (…, m, d); the weights (…, n, m): a matrix that `attention` need not
        store. 0 where a mask is False.
    Errors: ValueError as for `attention`.
    """
    _scored(q, k, mask)
    scores = q @ k.transpose(-1, -2) / _temperature(q, temperature)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1)


def _scored(q: Tensor, k: Tensor, mask: Tensor | None) -> None:
    wide = floating("q", q)
    if wide.ndim < 2 or 0 in wide.shape[-2:]:
        refuse("q", describe(q), "shape (…, n, d): a token or more, of a feature or more")
    keys = floating("k", k)
    fits = keys.ndim == wide.ndim and keys.shape[:-2] == wide.shape[:-2]
    if (
        not fits
        or keys.shape[-1] != wide.shape[-1]
        or not keys.shape[-2]
        or keys.dtype != wide.dtype
    ):
        refuse("k", describe(k), f"a {wide.dtype} tensor, (…, m, d) with … and d as in q")
    if mask is not None:
        scores = (*wide.shape[:-1], keys.shape[-2])
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            refuse("mask", describe(mask), "booleans, True where a query may look")
        ends = zip(reversed(mask.shape), reversed(scores), strict=False)
        if mask.ndim > len(scores) or any(a not in (1, b) for a, b in ends):
            wanted = f"a shape that broadcasts to {tuple(scores)}, the scores of q and k"
            refuse("mask", describe(mask), wanted)


def _temperature(q: Tensor, temperature: float | None) -> float:
    return math.sqrt(q.shape[-1]) if temperature is None else positive("temperature", temperature)


# Places


def sinusoids(places: Array, dim: int, *, base: float = 1e4) -> Array:
    """Waves that tell a place: sines in the first half of the features, cosines in the second.

    Pair i turns by base^(-2i/dim) a place, i = 0..dim/2 - 1; two places that are δ apart have the
    product Σ_i cos(δ · rate_i) wherever they are.

    Result: attention.sinusoids, attention.rates
    Shapes: places (…), of any numbers; the result (…, dim), floating point.
    Errors: ValueError for an odd dim, or a base that is no number > 0.
    Source: Vaswani et al. 2017, section 3.5, which lays sines and cosines in turn.
    """
    angle = _angles(_places(places), _even("dim", dim), base)
    made = torch.cat([angle.sin(), angle.cos()], -1)
    return made.to(places.dtype) if places.dtype.is_floating_point else made.float()


def rope(x: Array, places: Array, *, base: float = 1e4) -> Array:
    """Queries or keys turned by their places: the pair (i, i + d/2) by place · base^(-2i/d).

    The product of a query and a key then depends on the difference of their places. With several
    axes each has an equal share of the features, the first share the first axis.

    Result: attention.rope
    Shapes: x (…, n, d); places (n,), or (n, axes) for rows, columns, times. The result like x.
    Errors: ValueError for a d that is no multiple of 2 · axes, places that are not n, a base that
        is no number > 0.
    Source: Su et al. 2021, section 3.2, with the pairs laid half the features apart.
    """
    wide = floating("x", x)
    if wide.ndim < 2:
        refuse("x", describe(x), "shape (…, n, d)")
    n, d = wide.shape[-2:]
    stand = _places(places)
    if stand.ndim not in (1, 2) or len(stand) != n or 0 in stand.shape:
        refuse("places", describe(places), f"shape ({n},) or ({n}, axes), one for each token of x")
    columns = stand.reshape(n, -1).unbind(1)
    if not d or d % (2 * len(columns)):
        pairs = f"a multiple of {2 * len(columns)} features, pairs for each axis of places"
        refuse("x", describe(x), pairs)
    turned = []
    for share, place in zip(wide.chunk(len(columns), -1), columns, strict=True):
        angle = _angles(place.to(wide.device), share.shape[-1], base)
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        a, b = share.chunk(2, -1)
        turned += [a * cos - b * sin, a * sin + b * cos]
    return torch.cat(turned, -1)


def _angles(places: Tensor, dim: int, base: float) -> Tensor:
    """place · base^(-2i/dim), (…, dim/2), in float64: angles of far places need the digits."""
    base = positive("base", base)
    rates = base ** (torch.arange(0, dim, 2, dtype=torch.float64, device=places.device) / -dim)
    return places.to(torch.float64)[..., None] * rates


def _places(places: Array) -> Tensor:
    if numeric("places", places).dtype == torch.bool:
        refuse("places", describe(places), "numbers, the place of each token")
    return places


def _even(name: str, value: int) -> int:
    if integer(name, value, 2, 10**6) % 2:
        refuse(name, value, "an even number: pairs of a sine and a cosine")
    return value


# Norms that are told the time


def modulate(x: Array, shift: Array, scale: Array) -> Array:
    """shift + (1 + scale) · the layer norm of x, without weights of its own: adaLN.

    Result: attention.norms
    Shapes: x (…, d); shift and scale broadcast to it: (B, 1, d) for tokens (B, n, d). The result
        like x.
    Errors: ValueError for shapes that do not broadcast to x.
    Source: Peebles, Xie 2023, section 3.2.
    """
    wide = floating("x", x)
    if wide.ndim == 0 or not wide.shape[-1]:
        refuse("x", describe(x), "shape (…, d), a feature or more")
    for name, told in (("shift", shift), ("scale", scale)):
        _told(name, told, wide)
    return torch.addcmul(shift, nn.functional.layer_norm(wide, wide.shape[-1:]), 1 + scale)


def adaln_branch(
    branch: Callable[[Array], Array], x: Array, shift: Array, scale: Array, gate: Array
) -> Array:
    """x + gate · branch(modulate(x, shift, scale)): with the gate at 0 the identity.

    Then the slope by what is inside the branch is 0, that by the gate is what the branch says: the
    gates open first.

    Result: attention.adaln
    Shapes: x (…, d); shift, scale and gate broadcast to it; the branch keeps the shape.
    Errors: ValueError for shapes that do not fit.
    Source: Peebles, Xie 2023, section 3.2 (adaLN-zero).
    """
    function("branch", branch)
    normed = modulate(x, shift, scale)
    _told("gate", gate, x)
    return torch.addcmul(x, gate, same_shape("branch", branch(normed), "x", x))


def _told(name: str, value: object, x: Tensor) -> None:
    told = floating(name, value)
    ends = zip(reversed(told.shape), reversed(x.shape), strict=False)
    if not 0 < told.ndim <= x.ndim or any(a not in (1, b) for a, b in ends):
        refuse(name, describe(value), f"a shape that broadcasts to that of x, {tuple(x.shape)}")


# Who may look


def local_mask(n: int, radius: int, *, causal: bool = False) -> Tensor:
    """True within ``radius`` places to both sides, or to the left alone.

    Shapes: (n, n), as `attention` takes it.
    Errors: ValueError for negative sizes.
    """
    places = torch.arange(integer("n", n, 0, 10**5), device="cpu")
    apart = places[:, None] - places
    near = apart.abs() <= integer("radius", radius, 0)
    return near & (apart >= 0) if flag("causal", causal) else near


def group_mask(groups: Tensor) -> Tensor:
    """True where two tokens are of one group: a window, a frame, a place in all frames.

    For t frames of s tokens ``arange(t * s) // s`` are the frames and ``arange(t * s) % s`` the
    places, and the two masks together have n (s + t) pairs.

    Result: attention.factorised
    Shapes: groups (n,), integers; the mask (n, n).
    Errors: ValueError for another shape, or floating-point groups.
    """
    given = numeric("groups", groups)
    if given.ndim != 1 or given.dtype.is_floating_point or given.dtype == torch.bool:
        refuse("groups", describe(groups), "integers of shape (n,), the group of each token")
    return given[:, None] == given


# What it costs


class BlockCost(NamedTuple):
    """Numbers of a block; a multiplication and an addition are two FLOPs."""

    parameters: int
    flops: int  # of the matrix products, forward, for all tokens
    pair_flops: int  # those of them that grow with the square of the tokens
    activations: int  # numbers that backward needs, what the layers read; not the weights
    scores: int  # numbers in the matrices of weights, if they are stored
    cache: int  # numbers in keys and values, which sampling token by token keeps


def block_cost(
    tokens: int,
    width: int,
    *,
    heads: int = 1,
    ratio: int = 4,
    context: int = 0,
    adaln: bool = False,
    bias: bool = True,
) -> BlockCost:
    """What a transformer block costs: attention, a perceptron of ``ratio`` times the width.

    With ``context`` tokens of the same width there is a cross-attention besides, behind a norm.
    ``adaln``: the other two norms have no weights of their own, but six vectors are made of a told
    one; the FLOPs of that are of one token. ``bias``: every matrix has one, and every norm that has
    weights has two vectors. Backward costs about twice as much as forward; what it needs besides
    ``activations`` is of the order of tokens · heads, if the weights are not stored.

    Result: attention.cost
    Errors: ValueError for sizes < 1 (context < 0), or a width that the heads do not divide.
    """
    n, d = integer("tokens", tokens, 1), integer("width", width, 1)
    if d % integer("heads", heads, 1):
        refuse("width", width, f"a multiple of the {heads} heads")
    r, m = integer("ratio", ratio, 1, 10**4), integer("context", context, 0)
    of_n = [(d, 3 * d), (d, d), (d, r * d), (r * d, d)]
    of_n += [(d, d), (d, d)] if m else []
    of_m = [(d, 2 * d)] if m else []
    of_one = [(d, 6 * d)] if flag("adaln", adaln) else []
    matrices = of_n + of_m + of_one
    parameters = sum(a * b for a, b in matrices)
    if flag("bias", bias):
        norms = (0 if adaln else 2) + (1 if m else 0)
        parameters += sum(b for _, b in matrices) + 2 * d * norms
    pairs = 4 * n * (n + m) * d
    linear = sum(2 * t * a * b for t, of in ((n, of_n), (m, of_m), (1, of_one)) for a, b in of)
    # The stream and its norm, twice; q, k, v; averages; the hidden layer, twice. With adaLN besides
    # the norms as they were, and what the gates multiply; the same for a context.
    kept = (8 + 2 * r + (4 if m else 0) + (4 if adaln else 0)) * n * d + 3 * m * d
    scores, cache = heads * n * (n + m), 2 * (n + m) * d
    return BlockCost(parameters, linear + pairs, pairs, kept, scores, cache)


def image_tokens(height: int, width: int, *, compression: int = 8, patch: int = 2) -> int:
    """How many tokens a picture has, whose code is ``compression`` times smaller each way.

    Result: attention.tokens
    Errors: ValueError for sizes < 1, or sides that compression · patch does not divide.
    """
    side = integer("compression", compression, 1, 10**4) * integer("patch", patch, 1, 10**4)
    for name, value in (("height", height), ("width", width)):
        if integer(name, value, 1) % side:
            refuse(name, value, f"a multiple of compression · patch = {side}")
    return height // side * (width // side)


def video_tokens(
    frames: int, height: int, width: int, *, stride: int = 4, compression: int = 8, patch: int = 2
) -> int:
    """The same of a video: its first frame alone, then ``stride`` frames made one.

    Result: attention.tokens
    Errors: ValueError as for `image_tokens`, or frames that are not 1 + a multiple of ``stride``.
    """
    step = integer("stride", stride, 1, 10**4)
    if (integer("frames", frames, 1) - 1) % step:
        refuse("frames", frames, f"1 + a multiple of stride = {step}")
    picture = image_tokens(height, width, compression=compression, patch=patch)
    return (1 + (frames - 1) // step) * picture
