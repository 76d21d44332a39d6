"""The exponential moving average of weights, with which samples are drawn."""

from __future__ import annotations

from torch.optim.swa_utils import AveragedModel

from genmath._base.torch import Tensor, nn, torch

Tensors = list[Tensor] | tuple[Tensor, ...]


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Follows a model: after n updates by (1 + n)/(10 + n) where that is less than the decay, so
    that the first weights, which mean nothing, are soon forgotten."""

    @torch.no_grad()
    def follow(old: Tensors, new: Tensors, n: Tensor | int) -> None:
        keep = min(decay, (1 + int(n)) / (10 + int(n)))
        torch._foreach_lerp_(old, new, 1 - keep)

    return AveragedModel(model, multi_avg_fn=follow, use_buffers=False)
