"""An MLP whose outputs see only the coordinates before their own, and a context."""

from __future__ import annotations

from genmath._base.torch import Tensor, nn, torch
from genmath.nets.masks import made_masks
from genmath.nets.weights import MaskedLinear, initialize, undrawn


class MaskedMLP(nn.Module):
    """Outputs that belong to coordinate i see the coordinates before i, and the context.

    The context is to the masks one more coordinate, before the first.

    Source: Germain, Gregor, Murray, Larochelle 2015 (MADE).
    """

    def __init__(
        self,
        dim: int,
        owners: Tensor,
        hidden: int,
        layers: int,
        *,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        before = 1 if context else 0
        first, *inner, last = made_masks(dim + before, hidden, layers)
        if context:
            first = torch.cat([first[:, :1].expand(-1, context), first[:, 1:]], 1)
        with undrawn(generator):
            stack: list[nn.Module] = [MaskedLinear(first)]
            for mask in [*inner, last[before:][owners]]:
                stack += [nn.SiLU(), MaskedLinear(mask)]
            self.stack = nn.Sequential(*stack)
        initialize(self, generator)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        seen = x if context is None else torch.cat([context, x], 1)
        result: Tensor = self.stack(seen)
        return result
