"""The blocks of all transformers here: attention and perceptron, each added to what it reads."""

from __future__ import annotations

from genmath._base.checks import integer, refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.attention import Attention, Hold, attend, joined
from genmath.nets.weights import Zero


def width_and_heads(hidden: int, heads: int, each: int = 1, axes: int = 0) -> tuple[int, int]:
    """Sizes of which every head has an equal share of the features, a multiple of ``each``; and
    enough of them for a wave up and one down an axis."""
    width, heads = integer("hidden", hidden, 1), integer("heads", heads, 1)
    if width % (each * heads):
        wanted = "pairs in each head" if each == 2 else "an equal share for each head"
        refuse("hidden", hidden, f"a multiple of {each * heads}: {wanted}")
    if width < 2 * axes:
        refuse("hidden", hidden, f"at least {2 * axes}: a wave up and one down for each axis")
    return width, heads


class Block(nn.Module):
    """x + attention of its norm, + cross-attention where there is a context, + perceptron.

    With ``told`` features the norms' scales and shifts, and a gate of what is added, are linear in
    what it is told, and zero at first; so is what the context adds: it begins as the identity.

    Shapes: x (B, …, n, width), attention along the last axis of places; told (B, told); context
        (B, m, context), and a mask that broadcasts with (B, heads, n, m) for it.
    Source: norms before: Radford et al. 2019, section 2.3; adaLN-zero: Peebles, Xie 2023,
        section 3.2; cross-attention without a gate: Chen et al. 2024 (PixArt-α), section 2.3.
    """

    def __init__(
        self, width: int, heads: int, told: int | None = None, context: int | None = None
    ) -> None:
        super().__init__()
        self.norm = Norm(width, told)
        self.attention = Attention(width, heads)
        self.look = None if context is None else Look(width, heads, context)
        self.before = Norm(width, told)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(
        self,
        x: Tensor,
        told: Tensor | None = None,
        context: Tensor | None = None,
        sees: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """``sees`` says which of the context is seen, ``mask`` which of the places."""
        h, gate = self.norm(x, told)
        x = x + gate * self.attention(h, mask=mask)
        if self.look is not None and context is not None:
            x = x + self.look(x, context, sees)
        return self.think(x, told)

    def think(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        h, gate = self.before(x, told)
        out: Tensor = x + gate * self.perceptron(h)
        return out


class Norm(nn.Module):
    """A layer norm, and a gate for what is made of it; ``told`` features set both, from 0 on."""

    def __init__(self, width: int, told: int | None, gated: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=told is None)
        self.gated = gated
        self.tell = None if told is None else Zero(told, (2 + gated) * width)

    def forward(self, x: Tensor, told: Tensor | None = None) -> tuple[Tensor, Tensor | float]:
        if self.tell is None:
            return self.norm(x), 1.0
        said = self.tell(told).unflatten(-1, (*[1] * (x.ndim - 2), -1))
        shift, scale, *gate = said.chunk(2 + self.gated, -1)
        return torch.addcmul(shift, self.norm(x), 1 + scale), gate[0] if gate else 1.0


class Look(nn.Module):
    """What is seen of a context, zero at first: places of all axes ask the same context."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, context)
        self.attention.answer = Zero(width, width)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.attention(self.norm(x).flatten(1, -2), context, mask)
        return out.reshape(x.shape)


class JointBlock(nn.Module):
    """Two streams, each with norms, projections and a perceptron of its own, in one attention.

    The ``last`` one only reads the context: nothing comes after that would use it.

    Shapes: x (B, n, width), context (B, m, width), told (B, told), and a mask of the context
        (B, 1, 1, m).
    Source: Esser et al. 2024 (MM-DiT), figure 2.
    """

    def __init__(self, width: int, heads: int, told: int, last: bool = False) -> None:
        super().__init__()
        self.own, self.last = Block(width, heads, told), last
        if last:
            self.norm, self.hold = Norm(width, told, gated=False), Hold(width, width, heads)
        else:
            self.other = Block(width, heads, told)

    def forward(
        self, x: Tensor, context: Tensor, told: Tensor, sees: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        a, gate = self.own.norm(x, told)
        own, n = self.own.attention, x.shape[1]
        mask = None if sees is None else nn.functional.pad(sees, (n, 0), value=True)
        if self.last:
            b, _ = self.norm(context, told)
            taken = attend(own.asked(a), *joined(own.hold(a), self.hold(b)), mask)
            return self.own.think(x + gate * own.answer(taken), told), context
        b, gate_b = self.other.norm(context, told)
        other = self.other.attention
        asked = torch.cat([own.asked(a), other.asked(b)], 2)
        taken = attend(asked, *joined(own.hold(a), other.hold(b)), mask)
        x = self.own.think(x + gate * own.answer(taken[:, :n]), told)
        return x, self.other.think(context + gate_b * other.answer(taken[:, n:]), told)
