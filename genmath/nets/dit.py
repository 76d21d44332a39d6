"""A diffusion transformer: patches in, patches out, told the time, a class and a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genmath._base.checks import flag, integer, refuse
from genmath._base.shapes import Data, Step, Time
from genmath._base.torch import nn, torch
from genmath.nets.blocks import Block, JointBlock, Norm, width_and_heads
from genmath.nets.context import Context, Mask, Tokens, tell
from genmath.nets.patches import check_patches, from_patches, patch_sizes, to_patches
from genmath.nets.positions import sinusoids
from genmath.nets.time import Labels, TimeAndClass
from genmath.nets.weights import Zero, initialize, undrawn

__all__ = ["DiT"]


class DiT(nn.Module):
    """Images, clips or series to the same, by a transformer over their patches.

    net(x, t), with ``classes`` net(x, t, label), with ``context_dim`` net(x, t, label, context,
    mask). Time, class and the mean of the context set scale, shift and gate of every block, all
    zero at first (adaLN-zero); so is the output. The tokens of the context are looked at by
    cross-attention, or, with ``joint``, stand beside the patches in one attention, each kind with
    weights of its own (MM-DiT). The label ``classes``, no label, a context all masked, and no
    context mean "of none": a network that was trained on some of both can be guided.

    ``patch`` is the side of a square, or one size an axis: (1, 2, 2) for clips, (4,) for series.
    With ``factorised`` the blocks attend in turn within each frame and along the first axis, n·m²
    + n²·m pairs of tokens in place of (n·m)². Places are told by waves, so any size will do.

    Shapes: x (B, channels, …), each size a multiple of its patch; t one time or (B,), or, with
        ``steps`` T, integer steps in 0..T; label (B,) of integers, which are not read; context
        (B, m, context_dim), mask (B, m), True where there is a token. The output is shaped like x,
        or has ``out`` channels. x and context have the dtype of the parameters.
    Errors: ValueError for sizes < 1, a ``hidden`` that is no multiple of ``heads`` or less than 2
        an axis, an x that does not fit, times where steps are counted and the reverse, and what was
        not asked for or has another shape.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device; without
        it torch's global state does.
    Source: Peebles, Xie 2023, section 3.2; cross-attention: Chen et al. 2024 (PixArt-α), section
        2.3; joint: Esser et al. 2024, figure 2; factorised: Ma et al. 2024 (Latte), section 3.2.
    """

    def __init__(
        self,
        channels: int = 1,
        hidden: int = 64,
        layers: int = 4,
        heads: int = 4,
        patch: int | Sequence[int] = 2,
        *,
        classes: int | None = None,
        context_dim: int | None = None,
        joint: bool = False,
        factorised: bool = False,
        steps: int | None = None,
        out: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.patch = integer("channels", channels, 1), patch_sizes(patch)
        self.joint, self.factorised = flag("joint", joint), flag("factorised", factorised)
        layers, axes = integer("layers", layers, 1, 1000), len(self.patch)
        width, heads = width_and_heads(hidden, heads, axes=axes)
        if joint and (context_dim is None or factorised):
            refuse("joint", joint, "False, where there is no context_dim, or factorised attention")
        if factorised and axes < 2:
            refuse("factorised", factorised, "False, where there is one axis")
        last = self.channels if out is None else integer("out", out, 1)
        size = math.prod(self.patch)
        with undrawn(generator):
            self.told = TimeAndClass(width, width, classes, steps)
            self.classes, self.steps = self.told.classes, self.told.steps
            self.context = None if context_dim is None else Context(context_dim, width, width)
            self.first = nn.Linear(self.channels * size, width)
            if joint:
                self.blocks = nn.ModuleList(
                    JointBlock(width, heads, width, last=i == layers - 1) for i in range(layers)
                )
            else:
                seen = None if context_dim is None else width
                self.blocks = nn.ModuleList(Block(width, heads, width, seen) for _ in range(layers))
            self.norm = Norm(width, width, gated=False)
            self.last = Zero(width, last * size)
        initialize(self, generator)

    def forward(
        self,
        x: Data,
        t: Step | Time,
        label: Labels | None = None,
        context: Tokens | None = None,
        mask: Mask | None = None,
    ) -> Data:
        check_patches(x, self.channels, self.patch)
        told, tokens, sees = tell(self.told, self.context, x, t, label, context, mask)
        told = nn.functional.silu(told)
        h = self.first(to_patches(x, self.patch))
        grid = h.shape[1:-1]
        h = h.flatten(1, -2) + sinusoids(grid, h.shape[-1], h)
        if self.factorised:
            h = h.unflatten(1, (grid[0], h.shape[1] // grid[0]))
        for i, block in enumerate(self.blocks):
            if self.joint:
                h, tokens = block(h, tokens, told, sees)
            elif self.factorised and i % 2:
                h = block(h.transpose(1, 2), told, tokens, sees).transpose(1, 2)
            else:
                h = block(h, told, tokens, sees)
        h, _ = self.norm(h.reshape(len(h), *grid, h.shape[-1]), told)
        return from_patches(self.last(h), self.patch)
