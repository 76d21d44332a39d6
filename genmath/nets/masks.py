"""Who may look at whom: masks that keep every output from its own input and from later ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from genmath._base.checks import describe, integer, listed, one_of, refuse
from genmath._base.torch import Tensor, torch

__all__ = ["causal_mask", "made_degrees", "made_masks", "pixelcnn_mask"]


def made_degrees(
    dim: int, hidden: int, layers: int = 1, *, order: Sequence[int] | None = None
) -> list[Tensor]:
    """How much each unit may know: of input, hidden layers and output, one tensor each.

    Entry order[i] comes (i + 1)-th, which is its degree at both ends. A hidden unit of degree m
    knows the first m entries; degrees 1..dim - 1 are dealt out in turn.

    Errors: ValueError for sizes < 1, an order that is no permutation, or fewer hidden units than
        dim - 1: some output would then not see some earlier input.
    Source: Germain, Gregor, Murray, Larochelle 2015, section 4, with degrees in turn.
    """
    dim, width = integer("dim", dim, 1), integer("hidden", hidden, 1)
    layers = integer("layers", layers, 1, 1000)
    if width < dim - 1:
        refuse("hidden", hidden, f"at least dim - 1 = {dim - 1}: one of each degree")
    given = range(dim) if order is None else listed("order", order, f"a permutation of {dim}")
    turns = [integer("order", i, 0, dim - 1) for i in given]
    if sorted(turns) != list(range(dim)):
        refuse("order", describe(order), f"a permutation of 0..{dim - 1}")
    ends = torch.empty(dim, dtype=torch.long, device="cpu")
    ends[torch.tensor(turns, device="cpu")] = torch.arange(1, dim + 1, device="cpu")
    within = 1 + torch.arange(width, device="cpu") % max(1, dim - 1)
    return [ends, *[within] * layers, ends]


def made_masks(
    dim: int, hidden: int, layers: int = 1, *, order: Sequence[int] | None = None
) -> list[Tensor]:
    """One mask for each layer of weights, True where a weight stays.

    A hidden unit sees what has no larger degree than it, an output what has a smaller one. So their
    product is strictly triangular in the given order.

    Result: autoregressive.masks
    Shapes: (hidden, dim), (hidden, hidden), …, (dim, hidden).
    Errors: those of `made_degrees`.
    Source: Germain, Gregor, Murray, Larochelle 2015, section 4.
    """
    *inner, last = pairwise(made_degrees(dim, hidden, layers, order=order))
    masks = [after[:, None] >= before for before, after in inner]
    return [*masks, last[1][:, None] > last[0]]


def pixelcnn_mask(kind: str, k: int, *, channels: int = 1, into: int = 1, out: int = 1) -> Tensor:
    """The mask of a k × k convolution over pixels in raster order, True where a weight stays.

    All pixels above and to the left are seen. Of the pixel itself a feature of channel c sees
    channels before c (kind "A", for a first layer), or those up to c ("B"). Features belong to
    channels in equal runs: the first ``out``/``channels`` outputs to the first channel, …

    Shapes: (out, into, k, k).
    Errors: ValueError for another kind, an even k, or features that do not divide into channels.
    Source: van den Oord, Kalchbrenner, Kavukcuoglu 2016, section 3.4.
    """
    one_of("kind", kind, ("A", "B"))
    channels = integer("channels", channels, 1)
    if integer("k", k, 1, 1000) % 2 == 0:
        refuse("k", k, "an odd size, which has a middle")
    of_out, of_in = _owners("out", out, channels), _owners("into", into, channels)
    mask = torch.zeros(len(of_out), len(of_in), k, k, dtype=torch.bool, device="cpu")
    mask[:, :, : k // 2] = True
    mask[:, :, k // 2, : k // 2] = True
    earlier = of_in < of_out[:, None] if kind == "A" else of_in <= of_out[:, None]
    mask[:, :, k // 2, k // 2] = earlier
    return mask


def _owners(name: str, features: int, channels: int) -> Tensor:
    """The channel to which each feature belongs."""
    if integer(name, features, 1, 10**6) % channels:
        refuse(name, features, f"a multiple of the {channels} channels")
    return torch.arange(features, device="cpu") * channels // features


def causal_mask(length: int, before: int = 0) -> Tensor:
    """True where a place may look: at itself, at earlier ones, and at all ``before`` them.

    Shapes: (length, before + length), as `scaled_dot_product_attention` of torch takes it.
    Errors: ValueError for a negative size.
    """
    length, before = integer("length", length, 0, 10**5), integer("before", before, 0, 10**5)
    return torch.ones(length, before + length, dtype=torch.bool, device="cpu").tril(before)
