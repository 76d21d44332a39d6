"""A transformer that reads texts: a vector for each token, and one for the whole."""

from __future__ import annotations

from typing import NamedTuple

from genmath._base.checks import describe, integer, masked, refuse, whole
from genmath._base.torch import Float, Int, Tensor, nn, torch
from genmath.nets.blocks import Block, width_and_heads
from genmath.nets.context import Mask
from genmath.nets.positions import sinusoids
from genmath.nets.weights import initialize, undrawn

__all__ = ["Encoded", "TextEncoder"]


class Encoded(NamedTuple):
    """What a text became: a vector for each token (B, m, hidden), one for the whole (B, out)."""

    tokens: Float[Tensor, "batch m hidden"]
    pooled: Float[Tensor, "batch out"]


class TextEncoder(nn.Module):
    """Texts to vectors: each token looks at all others that are there, before it and after it.

    net(x), or net(x, mask) where texts are filled up to one length, at their ends; what fills them
    changes nothing. Its tokens and the same mask are the context of `UNet` and `DiT`. The vector of
    the whole is the mean over the tokens and a learned start, through a layer: an empty text has
    one too. Places are told by waves.

    Shapes: x (B, m) of integers in 0..vocabulary - 1; mask (B, m), True where there is a token;
        tokens (B, m, hidden), 0 where there is none, and pooled (B, out), by default hidden.
    Errors: ValueError for sizes < 1, a ``hidden`` that is no multiple of ``heads`` or less than 2,
        or an x or a mask that does not fit.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device; without
        it torch's global state does.
    Source: a text tower as in Radford et al. 2021 (CLIP), section 2.4, but looking both ways as
        Devlin et al. 2019.
    """

    def __init__(
        self,
        vocabulary: int,
        hidden: int = 64,
        layers: int = 2,
        heads: int = 4,
        *,
        out: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        width, heads = width_and_heads(hidden, heads)
        if width < 2:
            refuse("hidden", hidden, "at least 2: a wave up and one down")
        self.vocabulary = integer("vocabulary", vocabulary, 2)
        layers = integer("layers", layers, 1, 1000)
        with undrawn(generator):
            self.embed = nn.Embedding(self.vocabulary, width)
            self.start = nn.Embedding(1, width)
            self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, width if out is None else integer("out", out, 1))
        initialize(self, generator)

    def forward(self, x: Int[Tensor, "batch m"], mask: Mask | None = None) -> Encoded:
        if whole("x", x, self.vocabulary).ndim != 2:
            refuse("x", describe(x), "shape (B, m)")
        if mask is None:
            mask = torch.ones_like(x, dtype=torch.bool)
        there = nn.functional.pad(masked("mask", mask, x.shape), (1, 0), value=True)
        h = torch.cat([self.start.weight.expand(len(x), 1, -1), self.embed(x.long())], 1)
        h = h + sinusoids([h.shape[1]], h.shape[2], h)
        for block in self.blocks:
            h = block(h, mask=there[:, None, None])
        h = self.norm(h) * there.unsqueeze(2)
        mean = h.sum(1) / there.sum(1, keepdim=True)
        return Encoded(h[:, 1:], self.head(mean))
