"""What stands beside the data as a sequence, a text say: tokens to be looked at, and their mean."""

from __future__ import annotations

from typing import NamedTuple

from genmath._base.checks import describe, integer, masked, refuse
from genmath._base.shapes import Step, Time
from genmath._base.torch import Bool, Float, Tensor, nn, torch
from genmath.nets.time import Labels, TimeAndClass

Tokens = Float[Tensor, "batch m context_dim"]
Mask = Bool[Tensor, "batch m"]


class Seen(NamedTuple):
    """The tokens (B, 1 + m, width), which of them are seen (B, 1, 1, 1 + m), and their mean."""

    tokens: Tensor
    sees: Tensor | None
    mean: Tensor


class Context(nn.Module):
    """A context behind a learned token of its own, which every sample sees.

    A sample all of whose tokens are masked, and one without a context, see that token alone: they
    mean "of no text", so a network that was trained on some of both can be guided.

    Shapes: context (B, m, context_dim), m ≥ 0; mask (B, m), True where there is a token; the mean
        of what is seen, through a layer, (B, told).
    Source: sequence and summary both told: Esser et al. 2024, figure 2.
    """

    def __init__(self, context_dim: int, width: int, told: int) -> None:
        super().__init__()
        self.dim = integer("context_dim", context_dim, 1)
        self.project = nn.Linear(self.dim, width)
        self.none = nn.Embedding(1, width)
        self.summary = nn.Linear(width, told)

    def forward(self, x: Tensor, context: Tokens | None, mask: Mask | None) -> Seen:
        tokens = self.none.weight.expand(len(x), 1, -1)
        if context is None:
            return Seen(tokens, None, self.summary(tokens[:, 0]))
        tokens = torch.cat([tokens, self.project(context)], 1)
        if mask is None:
            return Seen(tokens, None, self.summary(tokens.mean(1)))
        seen = nn.functional.pad(mask, (1, 0), value=True)
        weight = seen.to(tokens.dtype).unsqueeze(2)
        mean = (tokens * weight).sum(1) / weight.sum(1)
        return Seen(tokens, seen[:, None, None], self.summary(mean))


def tell(
    time: TimeAndClass,
    layer: Context | None,
    x: Tensor,
    t: Step | Time,
    label: Labels | None,
    context: Tokens | None,
    mask: Mask | None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """What blocks are told, the tokens that they look at, and which of these are seen."""
    time.check(x, label)
    _check(x, context, mask, layer)
    told: Tensor = time(x, t, label)
    if layer is None:
        return told, None, None
    tokens, sees, mean = layer(x, context, mask)
    return told + mean, tokens, sees


def _check(x: Tensor, context: Tokens | None, mask: Mask | None, layer: Context | None) -> None:
    if context is None:
        if mask is not None:
            refuse("mask", describe(mask), "no mask, where there is no context")
        return
    if layer is None:
        expected = "no context: the network was made without context_dim"
        refuse("context", describe(context), expected)
    fits = isinstance(context, Tensor) and context.dtype.is_floating_point and context.ndim == 3
    if not fits or len(context) != len(x) or context.shape[2] != layer.dim:
        refuse("context", describe(context), f"a floating tensor ({len(x)}, m, {layer.dim})")
    if mask is not None:
        masked("mask", mask, context.shape[:2])
