"""Attention: each place asks, and takes the average of what others hold that its question picks."""

from __future__ import annotations

from genmath._base.torch import Tensor, nn, torch

Held = tuple[Tensor, Tensor]  # keys and values, (B, heads, n, size)


class Attention(nn.Module):
    """softmax(q kᵀ/√size) v in each of the heads, with the projections around it.

    The questions are of x, the keys and values of ``source``, or of x itself. Axes of x between
    the batch and the last of its places are a batch too: (B, T, n, width) attends within each T.

    Shapes: x (B, …, n, width), source (B, m, its width); a mask broadcasts with (B, heads, n, m)
        and is True where a place may look. The output is shaped like x.
    Source: Vaswani et al. 2017, section 3.2.
    """

    def __init__(self, width: int, heads: int, source: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.hold = Hold(source or width, width, heads)
        self.answer = nn.Linear(width, width)

    def forward(
        self, x: Tensor, source: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        flat = x.flatten(0, -3)
        k, v = self.hold(flat if source is None else source)
        out: Tensor = self.answer(attend(self.asked(flat), k, v, mask))
        return out.reshape(x.shape)

    def asked(self, x: Tensor) -> Tensor:
        """Queries, (B, heads, n, size)."""
        return _split(self.ask(x), self.heads)


class Hold(nn.Module):
    """The keys and the values of what is asked."""

    def __init__(self, source: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.layer = heads, nn.Linear(source, 2 * width)

    def forward(self, source: Tensor) -> Held:
        k, v = self.layer(source).chunk(2, -1)
        return _split(k, self.heads), _split(v, self.heads)


def _split(x: Tensor, heads: int) -> Tensor:
    """Features to heads: (B, n, heads · size) to (B, heads, n, size)."""
    return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(1, 2)


def attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """The averages that the heads take, side by side: (B, n, heads · size)."""
    taken: Tensor = nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal
    )
    return taken.transpose(1, 2).flatten(2)


def joined(a: Held, b: Held) -> Held:
    """What both hold, one after the other."""
    return torch.cat([a[0], b[0]], 2), torch.cat([a[1], b[1]], 2)
