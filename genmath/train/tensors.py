"""Weights, and what Adam remembers of them, as safetensors: reading such a file runs nothing."""

from __future__ import annotations

from pathlib import Path

from genmath._base.torch import nn, torch


def keep(module: nn.Module, file: Path) -> None:
    from safetensors.torch import save_model

    save_model(module, str(file))


def take(module: nn.Module, file: Path) -> None:
    """Errors: ValueError for the weights of another module."""
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    try:
        load_model(module, file)
    except (RuntimeError, SafetensorError) as error:
        raise ValueError(f"{file}: not the weights of this model: {error}") from None


def keep_memory(optimizer: torch.optim.Optimizer, file: Path) -> None:
    from safetensors.torch import save_file

    memory = optimizer.state_dict()["state"]
    found = {f"{i}.{name}": value for i, of in memory.items() for name, value in of.items()}
    save_file({name: value.contiguous() for name, value in found.items()}, str(file))


def take_memory(optimizer: torch.optim.Optimizer, file: Path) -> None:
    """Errors: ValueError for a file that is no safetensors."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    memory: dict[int, dict[str, torch.Tensor]] = {}
    try:
        read = load_file(file)
    except SafetensorError as error:
        raise ValueError(f"{file}: {error}") from None
    for key, value in read.items():
        number, _, name = key.partition(".")
        memory.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": memory})
