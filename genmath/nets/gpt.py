"""A small transformer as a law of sequences: each token looks at itself and at all before it."""

from __future__ import annotations

from genmath._base.batch import work_dtype
from genmath._base.checks import integer, refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.masks import causal_mask
from genmath.nets.sequences import Sequences
from genmath.nets.weights import initialize, undrawn

__all__ = ["GPT"]

Past = tuple[Tensor, Tensor]  # keys and values, (B, heads, T, size)


class GPT(Sequences):
    """Causal attention and perceptrons in turn, each after a norm and added to what it reads.

    Places are told by rotating queries and keys, so that their products know distances only. It has
    the `log_prob`, of any length, and `sample` of `Autoregressive`, which keeps the keys and values
    of the tokens before; set ``length`` for another.

    Shapes: x (B, T) of integers in 0..vocabulary - 1; logits (B, T, vocabulary).
    Errors: ValueError for sizes < 1, a ``hidden`` that is no even multiple of ``heads``, and those
        of `Autoregressive`.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: Radford et al. 2019, section 2.3 (norms before); rotation: Su et al. 2021, section 3.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        hidden: int = 64,
        layers: int = 2,
        heads: int = 4,
        *,
        classes: int | None = None,
        cond_dim: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        width, layers = integer("hidden", hidden, 1), integer("layers", layers, 1, 1000)
        if width % (2 * integer("heads", heads, 1)):
            refuse("hidden", hidden, f"a multiple of 2 · {heads}: pairs in each head")
        with undrawn(generator):
            super().__init__(vocabulary, length, width, classes, cond_dim)
            self.heads = heads
            self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(layers))
            self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, self.levels))
        initialize(self, generator)

    def _run(self, h: Tensor, memory: list[Past] | None) -> tuple[Tensor, list[Past]]:
        before, after = memory[0][0].shape[2] if memory else 0, []
        turn = angles(before, h.shape[1], h.shape[2] // self.heads, h)
        for i, block in enumerate(self.blocks):
            h, past = block(h, turn, None if memory is None else memory[i])
            after.append(past)
        return h, after


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, h: Tensor, turn: Past, past: Past | None) -> tuple[Tensor, Past]:
        asked = self.ask(self.norm(h)).unflatten(2, (3, self.heads, self.size))
        q, k, v = asked.permute(2, 0, 3, 1, 4)
        q, k = _rotate(q, turn), _rotate(k, turn)
        mask = None
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
            if h.shape[1] > 1:
                mask = causal_mask(h.shape[1], past[0].shape[2]).to(h.device)
        attend = nn.functional.scaled_dot_product_attention
        seen = attend(q, k, v, attn_mask=mask, is_causal=past is None)
        h = h + self.answer(seen.transpose(1, 2).flatten(2))
        return h + self.think(h), (k, v)


def angles(before: int, length: int, size: int, like: Tensor) -> Past:
    """cos and sin of place · 10000^(-2i/size), (T, size/2), for the places from ``before`` on."""
    work = work_dtype(like)
    rates = 1e4 ** -torch.arange(0, 1, 2 / size, dtype=work, device=like.device)
    places = torch.arange(before, before + length, dtype=work, device=like.device)
    angle = places[:, None] * rates
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def _rotate(x: Tensor, turn: Past) -> Tensor:
    """Each pair (i, i + size/2) of features turned by its angle."""
    (cos, sin), (a, b) = turn, x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
