"""The exponential moving average of weights, with which samples are drawn."""

from __future__ import annotations

import copy

from genmath._base.torch import Tensor, nn, torch


class Average(nn.Module):
    """Follows a model: its first weights, then of itself the share (1 + n)/(10 + n) after n
    updates, where that is less than the decay: the first weights mean nothing, and are soon
    forgotten.

    ``module`` is a copy of the model in eval(), whose buffers are those of the model once `settle`
    was called.
    """

    # torch's AveragedModel costs a small network a fifth of its step: it sorts the weights by
    # device and type at every update.

    n_averaged: Tensor

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.module, self.decay = copy.deepcopy(model).eval().requires_grad_(False), decay
        self.register_buffer("n_averaged", torch.zeros((), dtype=torch.long))
        self._mine: list[Tensor] = list(self.module.parameters())
        self._its: list[Tensor] = list(model.parameters())  # not their data, which may yet move

    @torch.no_grad()
    def follow(self) -> None:
        """One update."""
        n = int(self.n_averaged)
        keep = min(self.decay, (1 + n) / (10 + n)) if n else 0.0
        torch._foreach_lerp_(self._mine, self._its, 1 - keep)
        self.n_averaged += 1

    @torch.no_grad()
    def settle(self, model: nn.Module) -> nn.Module:
        """The averaged weights with the buffers of the model."""
        for mine, its in zip(self.module.buffers(), model.buffers(), strict=True):
            mine.copy_(its)
        return self.module
