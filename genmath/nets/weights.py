"""The first weights of a network, drawn from a generator that one passes."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

from genmath._base.checks import rng
from genmath._base.torch import Tensor, nn, torch

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def undrawn(generator: torch.Generator | None) -> AbstractContextManager[object]:
    """Within, layers are made without weights, so that nothing comes from torch's global state.

    Without a generator they are made as ever. `initialize` then draws.
    """
    if generator is None:
        return nullcontext()
    rng(generator)
    return torch.device("meta")


def initialize(net: nn.Module, generator: torch.Generator | None, gain: float = 1.0) -> None:
    """Uniform weights in ±gain/√fan_in and biases 0, from an explicit generator if there is one.

    With the gain √3 a linear layer keeps the spread of what goes through it: it is for networks
    without norms.
    """
    if generator is not None:
        known = {name: b for name, b in net.named_buffers() if not b.is_meta}  # such as masks
        net.to_empty(device=generator.device)
        for name, buffer in known.items():
            net.get_buffer(name).copy_(buffer)
    for layer in net.modules():
        if isinstance(layer, (nn.GroupNorm, nn.LayerNorm)):
            layer.reset_parameters()
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, generator=generator)
        elif isinstance(layer, nn.GRU):
            bound = layer.hidden_size**-0.5
            for weight in layer.parameters():
                nn.init.uniform_(weight, -bound, bound, generator=generator)
        elif isinstance(layer, Zero):
            layer.reset_parameters()
            continue
        if not isinstance(layer, (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)):
            continue
        fan_in = layer.weight[0].numel()
        if isinstance(layer, TRANSPOSED):  # each output sees a part of the kernel
            fan_in = layer.in_channels * layer.weight[0, 0].numel() // math.prod(layer.stride)
        with torch.no_grad():
            bound = gain * fan_in**-0.5
            layer.weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()


class Zero(nn.Linear):
    """A linear layer whose weights are zero at first, so that nothing is drawn for it."""

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


class MaskedLinear(nn.Linear):
    """A linear layer of which the mask, (out, in), leaves some weights."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        keep(self, "mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


class MaskedConv2d(nn.Conv2d):
    """A convolution, without padding, of which the mask, (out, in, h, w), leaves some weights."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0], (mask.shape[2], mask.shape[3]))
        keep(self, "mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight * self.mask, self.bias)


def keep(layer: nn.Module, name: str, value: Tensor) -> None:
    """What stands beside the weights and is known at once: it is not drawn, nor saved with them."""
    home = torch.get_default_device()
    value = value.to("cpu" if home.type == "meta" else home)
    layer.register_buffer(name, value, persistent=False)
