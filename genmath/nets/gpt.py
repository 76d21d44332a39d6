"""A small transformer as a law of sequences: each token looks at itself and at all before it."""

from __future__ import annotations

from genmath._base.checks import integer
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.attention import Held, attend, joined
from genmath.nets.blocks import Block, width_and_heads
from genmath.nets.masks import causal_mask
from genmath.nets.positions import Turn, angles, rotate
from genmath.nets.sequences import Sequences
from genmath.nets.weights import initialize, undrawn

__all__ = ["GPT"]


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
        width, heads = width_and_heads(hidden, heads, 2)
        layers = integer("layers", layers, 1, 1000)
        with undrawn(generator):
            super().__init__(vocabulary, length, width, classes, cond_dim)
            self.heads = heads
            self.blocks = nn.ModuleList(_Causal(width, heads) for _ in range(layers))
            self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, self.levels))
        initialize(self, generator)

    def _run(self, h: Tensor, memory: list[Held] | None) -> tuple[Tensor, list[Held]]:
        before, after = memory[0][0].shape[2] if memory else 0, []
        turn = angles(before, h.shape[1], h.shape[2] // self.heads, h)
        for i, block in enumerate(self.blocks):
            h, past = block(h, turn, None if memory is None else memory[i])
            after.append(past)
        return h, after


class _Causal(nn.Module):
    """A block in which each place looks at itself and back, and hands on what is looked at."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.own = Block(width, heads)

    def forward(self, h: Tensor, turn: Turn, past: Held | None) -> tuple[Tensor, Held]:
        attention, asking = self.own.attention, self.own.norm(h)[0]
        q, (k, v) = rotate(attention.asked(asking), turn), attention.hold(asking)
        k, mask = rotate(k, turn), None
        if past is not None:
            k, v = joined(past, (k, v))
            if h.shape[1] > 1:
                mask = causal_mask(h.shape[1], past[0].shape[2]).to(h.device)
        taken = attend(q, k, v, mask, causal=past is None)
        return self.own.think(h + attention.answer(taken)), (k, v)
