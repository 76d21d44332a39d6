"""What is drawn for a batch: from one generator, or each sample from a generator of its own.

With its own generator a sample is the same alone and in any batch; with one for all of them it
depends on how many stand before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from genmath._base.checks import refuse, rng
from genmath._base.torch import Tensor, torch

Generators = torch.Generator | Sequence[torch.Generator]


def rngs(generator: object, batch: int, device: torch.device | None = None) -> torch.device:
    """The device of one generator, or of as many as there are samples, all different."""
    if not isinstance(generator, (list, tuple)):
        return rng(generator, device).device
    if len(generator) != batch:
        wanted = f"one torch.Generator, or one for each of {batch} samples"
        refuse("generator", f"a {type(generator).__name__} of {len(generator)}", wanted)
    devices = {rng(own, device).device for own in generator}
    if len({id(own) for own in generator}) < batch or len(devices) > 1:
        refuse("generator", "one twice, or several devices", "one for each sample, on one device")
    return devices.pop() if devices else device or torch.device("cpu")


def draw_(out: Tensor, generator: Generators, law: str = "normal_", *numbers: float) -> Tensor:
    """Fill a tensor by a law of torch, such as "normal_" or "uniform_", row by row if need be."""
    if isinstance(generator, torch.Generator):
        filled: Tensor = getattr(out, law)(*numbers, generator=generator)
        return filled
    for row, own in zip(out, generator, strict=True):
        # What torch draws depends on the layout, and that of a row may be the batch's.
        plain = torch.empty_like(row, memory_format=torch.contiguous_format)
        row.copy_(getattr(plain, law)(*numbers, generator=own))
    return out


def normal(
    shape: Sequence[int], generator: Generators, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Standard normal noise, on a device that was checked."""
    return draw_(torch.empty(tuple(shape), dtype=dtype, device=device), generator)
