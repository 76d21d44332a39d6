"""The exponential moving average of weights, with which samples are drawn."""

from __future__ import annotations

import copy

from genmath._base.torch import Tensor, nn, torch


class Average(nn.Module):
    """Follows a model: its first weights, then of itself the share (1 + n)/(10 + n) after n
    updates, where that is less than the decay: the first weights mean nothing, and are soon
    forgotten.

    ``module`` is a copy of the model in eval(); its buffers are those of the model, not averaged.
    """

    # torch's AveragedModel costs a small network a fifth of its step: it sorts the weights by
    # device and type at every update.

    n_averaged: Tensor

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.module, self.decay = copy.deepcopy(model).eval().requires_grad_(False), decay
        self.register_buffer("n_averaged", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """One update."""
        n = int(self.n_averaged)
        keep = min(self.decay, (1 + n) / (10 + n)) if n else 0.0
        mine: list[Tensor] = list(self.module.parameters())
        torch._foreach_lerp_(mine, list[Tensor](model.parameters()), 1 - keep)
        for mine_, its_ in zip(self.module.buffers(), model.buffers(), strict=True):
            mine_.copy_(its_)
        self.n_averaged += 1
