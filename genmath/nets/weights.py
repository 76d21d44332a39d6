"""The first weights of a network, drawn from a generator that one passes."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

from genmath._base.checks import rng
from genmath._base.torch import nn, torch


def undrawn(generator: torch.Generator | None) -> AbstractContextManager[object]:
    """Within, layers are made without weights, so that nothing comes from torch's global state.

    Without a generator they are made as ever. `initialize` then draws.
    """
    if generator is None:
        return nullcontext()
    rng(generator)
    return torch.device("meta")


def initialize(net: nn.Module, generator: torch.Generator | None) -> None:
    """Uniform weights in ±1/√fan_in and biases 0, from an explicit generator if there is one."""
    if generator is not None:
        net.to_empty(device=generator.device)
    for layer in net.modules():
        if isinstance(layer, nn.GroupNorm):
            layer.reset_parameters()
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, generator=generator)
        if not isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            continue
        fan_in = layer.weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):  # each output sees a part of the kernel
            fan_in = layer.in_channels * layer.weight[0, 0].numel() // math.prod(layer.stride)
        with torch.no_grad():
            layer.weight.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
