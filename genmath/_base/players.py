"""Networks that train against one another: whose weights an optimizer moves, who holds still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from genmath._base.checks import instance, refuse
from genmath._base.torch import nn, torch

__all__ = ["check_owner", "held_fixed"]


def check_owner(
    name: str, optimizer: object, own: nn.Module, player: str, other: nn.Module
) -> None:
    """The optimizer of a player updates all of its parameters, and none of the other's."""
    instance(name, optimizer, torch.optim.Optimizer, f"an optimizer of the {player}'s parameters")
    assert isinstance(optimizer, torch.optim.Optimizer)
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    mine = {id(p) for p in own.parameters() if p.requires_grad}
    others = moved & {id(p) for p in other.parameters()} - mine
    if others or not moved >= mine:
        which = f"moves {len(others)} tensors of the other player and " if others else ""
        held = f"one that {which}holds {len(moved & mine)} of the {len(mine)} of the {player}"
        refuse(name, held, f"an optimizer of the {player}'s parameters, all of them and no others")


@contextmanager
def held_fixed(net: nn.Module) -> Iterator[None]:
    """Within, no gradient reaches the parameters."""
    free = [p for p in net.parameters() if p.requires_grad]
    try:
        for p in free:
            p.requires_grad_(False)
        yield
    finally:
        for p in free:
            p.requires_grad_(True)
