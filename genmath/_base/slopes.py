"""Slopes and divergences of a field by automatic differentiation, exact or along a probe.

The samples of a batch must not meet inside the field: its slopes are taken for all of them at once.
"""

from __future__ import annotations

import math

from genmath._base.batch import sum_event
from genmath._base.checks import refuse
from genmath._base.shapes import Data, PerSample
from genmath._base.torch import Tensor, torch

__all__ = ["divergence", "slope"]


LOST = "model output", "one that autograd cannot follow back to x"
FOLLOWED = (
    "a differentiable function of x, no torch.no_grad, detach or numpy; a constant as c + 0 * x"
)


def slope(
    value: Tensor, x: Tensor, direction: Tensor | None = None, *, keep: bool = True
) -> Tensor:
    """∂ value/∂x, shaped like x; of direction · value where a direction is given.

    ``keep`` makes the slope differentiable in its turn; the graph of the value stays either way.

    Errors: ValueError for a value without a graph that leads to x, since the slope of a model whose
        graph was lost would come out zero; so it would under ``torch.inference_mode()``.
    """
    if torch.is_inference_mode_enabled():
        refuse("torch.inference_mode", "enabled", "torch.no_grad(): here derivatives are taken")
    if not value.requires_grad:
        refuse(*LOST, FOLLOWED)
    (found,) = torch.autograd.grad(
        value, x, direction, create_graph=keep, retain_graph=True, allow_unused=True
    )
    if found is None:
        refuse(*LOST, FOLLOWED)
    return found


def divergence(out: Data, x: Data, probe: Data | None = None, *, keep: bool = True) -> PerSample:
    """Σ_i ∂out_i/∂x_i of each sample, where ``out`` was computed from x, which requires a gradient.

    It takes one backward pass for each of the d numbers of an event, in which many run side by side
    where no graph is kept. With a ``probe`` w it is the single number w·∂(w·out)/∂x instead, whose
    mean is the divergence if E[w wᵀ] = I.

    Shapes: out, x and probe (B, …) alike; (B,), in the dtype of ``out``.
    Source: Hutchinson 1990, the mean over random signs.
    """
    if probe is not None:
        return sum_event(probe * slope((probe * out).sum(), x, keep=keep), 1).to(out.dtype)
    event = math.prod(x.shape[1:])
    flat = out.reshape(len(x), event)
    eye = torch.eye(event, dtype=out.dtype, device=out.device)
    total = torch.zeros(len(x), dtype=out.dtype, device=out.device)
    if torch.is_inference_mode_enabled() or not out.requires_grad:
        slope(out, x)  # refuses
    if event >= MANY and len(x) and not keep:
        try:
            return _side_by_side(flat, x, eye)
        except RuntimeError:  # a backward of one's own that vmap cannot run
            pass
    for i, direction in enumerate(eye):
        rows = slope(flat, x, direction.expand_as(flat), keep=keep).reshape(len(x), event)
        total = total + rows[:, i].to(out.dtype)
    return total


MANY = 16  # numbers in an event, from which on one pass for several of them saves time
AT_ONCE = 2**18  # numbers in the slopes that are taken together, so that they stay in the cache


def _side_by_side(out: Tensor, x: Tensor, eye: Tensor) -> Tensor:
    """The divergence without a graph, by backward passes that run several rows of slopes each."""
    batch, event = out.shape
    total, first = torch.zeros_like(out[:, 0]), 0
    for some in torch.split(eye, max(MANY, AT_ONCE // out.numel())):
        directions = some.unsqueeze(1).expand(-1, batch, -1)
        (rows,) = torch.autograd.grad(
            out, x, directions, retain_graph=True, is_grads_batched=True, allow_unused=True
        )
        if rows is None:
            refuse(*LOST, FOLLOWED)
        rows = rows.reshape(len(some), batch, event)[:, :, first : first + len(some)]
        total += rows.diagonal(dim1=0, dim2=2).sum(1)
        first += len(some)
    return total.detach()
