"""A small U-Net: images to images of the same size, told the time, a class and a text."""

from __future__ import annotations

from genmath._base.checks import batched, describe, integer, refuse
from genmath._base.shapes import Data, Step, Time
from genmath._base.torch import Tensor, nn, torch
from genmath.nets.blocks import Block
from genmath.nets.context import Context, Mask, Tokens, tell
from genmath.nets.time import Labels, TimeAndClass
from genmath.nets.weights import initialize, undrawn

__all__ = ["UNet"]


class UNet(nn.Module):
    """Images to images: down by halves, up again, with what was on the way down laid beside it.

    net(x, t), with ``classes`` net(x, t, label), with ``context_dim`` net(x, t, label, context,
    mask). The label ``classes``, no label, a context all masked, and no context mean "of none": a
    network that was trained on some of both can be guided. At each size there is a residual block
    of two convolutions down and one up; time, class and the mean of the context set the scale and
    the shift of its second norm. With ``heads`` the places of the smallest size then look at one
    another and at the context, in a block that begins as the identity. It is zero at first.

    Shapes: x (B, channels, h, w), h and w multiples of 2^depth; t one time or (B,), or, with
        ``steps`` T, integer steps in 0..T; label (B,) of integers, which are not read; context
        (B, m, context_dim), mask (B, m), True where there is a token. The output is shaped like x,
        or has ``out`` channels. x and context have the dtype of the parameters.
    Errors: ValueError for sizes < 1 (hidden < 2), a smallest size whose hidden · 2^depth features
        are no multiple of ``heads``, an x that does not fit, times where steps are counted and the
        reverse, and what was not asked for or has another shape.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device; without
        it torch's global state does.
    Source: Ronneberger, Fischer, Brox 2015; as a denoiser Ho, Jain, Abbeel 2020, appendix B; scale
        and shift: Dhariwal, Nichol 2021, section 3.1; looking at a text: Rombach et al. 2022,
        section 3.3.
    """

    def __init__(
        self,
        channels: int = 1,
        hidden: int = 32,
        depth: int = 2,
        *,
        classes: int | None = None,
        heads: int | None = None,
        context_dim: int | None = None,
        steps: int | None = None,
        out: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.hidden = integer("channels", channels, 1), integer("hidden", hidden, 2)
        self.depth = integer("depth", depth, 0, 10)
        last = self.channels if out is None else integer("out", out, 1)
        widths = [self.hidden * 2**i for i in range(self.depth + 1)]
        told, low = 4 * self.hidden, widths[-1]
        if heads is not None and low % integer("heads", heads, 1):
            refuse("heads", heads, f"a divisor of {low}, the features at the smallest size")
        if context_dim is not None and heads is None:
            refuse("heads", heads, "an integer >= 1, where there is a context_dim")
        with undrawn(generator):
            self.told = TimeAndClass(self.hidden, told, classes, steps)
            self.classes, self.steps = self.told.classes, self.told.steps
            self.first = nn.Conv2d(channels, hidden, 3, padding=1)
            self.down = nn.ModuleList(_Block(w, w, told) for w in widths)
            seen = None if context_dim is None else low
            self.context = None if context_dim is None else Context(context_dim, low, told)
            self.middle = None if heads is None else Block(low, heads, told, seen)
            self.shrink = nn.ModuleList(
                nn.Conv2d(w, 2 * w, 3, stride=2, padding=1) for w in widths[:-1]
            )
            self.widen = nn.ModuleList(nn.Conv2d(2 * w, w, 3, padding=1) for w in widths[:-1])
            self.up = nn.ModuleList(_Block(2 * w, w, told) for w in widths[:-1])
            self.norm = _norm(hidden)
            self.last = nn.Conv2d(hidden, last, 3, padding=1)
        initialize(self, generator)
        nn.init.zeros_(self.last.weight)

    def forward(
        self,
        x: Data,
        t: Step | Time,
        label: Labels | None = None,
        context: Tokens | None = None,
        mask: Mask | None = None,
    ) -> Data:
        self._check(x)
        told, tokens, sees = tell(self.told, self.context, x, t, label, context, mask)
        x, seen = self.first(x), []
        for i, block in enumerate(self.down):
            x = block(x, told)
            if i < self.depth:
                seen.append(x)
                x = self.shrink[i](x)
        if self.middle is not None:
            places = x.flatten(2).mT
            places = self.middle(places, nn.functional.silu(told), tokens, sees)
            x = places.mT.reshape(x.shape)
        for i in reversed(range(self.depth)):
            x = self.widen[i](nn.functional.interpolate(x, scale_factor=2.0))
            x = self.up[i](torch.cat([x, seen[i]], 1), told)
        result: Tensor = self.last(nn.functional.silu(self.norm(x)))
        return result

    def _check(self, x: Tensor) -> None:
        side = 2**self.depth
        *_, height, width = (1, 1, *batched("x", x).shape)
        fits = x.ndim == 4 and x.shape[1] == self.channels and height * width > 0
        if not fits or height % side or width % side:
            wanted = f"shape (B, {self.channels}, h, w), h and w multiples of {side}"
            refuse("x", describe(x), wanted)


class _Block(nn.Module):
    """x + two convolutions, the second after a norm whose scale and shift it is told."""

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_norm(before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.norm = _norm(after)
        self.scale_and_shift = nn.Sequential(nn.SiLU(), nn.Linear(told, 2 * after))
        self.second = nn.Sequential(nn.SiLU(), nn.Conv2d(after, after, 3, padding=1))
        self.beside = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.scale_and_shift(told)[:, :, None, None].chunk(2, 1)
        within = self.norm(self.first(x)) * (1 + scale) + shift
        result: Tensor = self.beside(x) + self.second(within)
        return result


def _norm(channels: int) -> nn.GroupNorm:
    """As many groups as divide the channels, at most 8, of at least two channels each."""
    groups = max(n for n in range(1, 9) if channels % n == 0 and (n == 1 or channels // n > 1))
    return nn.GroupNorm(groups, channels)
