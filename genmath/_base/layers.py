"""Invertible maps with their log-determinants: what a layer of a flow is, and layers in a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from genmath._base.checks import describe, floating, listed, refuse
from genmath._base.shapes import Data, PerSample
from genmath._base.torch import Float, Tensor, nn

__all__ = ["Chain", "Inverse", "Layer", "Moved", "check_context", "check_layer"]

Context = Float[Tensor, "batch c"]


class Moved(NamedTuple):
    """Where a map takes its argument, and log |det| of its Jacobian there, in nats."""

    to: Data
    log_det: PerSample


class Layer(nn.Module, ABC):
    """An invertible map x → z of data of one shape, which may depend on a context.

    ``shape`` is that of one event, ``context`` how many numbers the context has, 0 for none.
    """

    shape: tuple[int, ...]
    context: int = 0

    def forward(self, x: Data, context: Context | None = None) -> Moved:
        """z, and log |det ∂z/∂x|.

        Shapes: x (B, *shape), context (B, c); z like x, the log-determinant (B,).
        Errors: ValueError for an x or a context that does not fit.
        """
        self._check("x", x, context)
        return _finished(x, self._forward(x, context))

    def inverse(self, z: Data, context: Context | None = None) -> Moved:
        """x, and log |det ∂x/∂z|: minus what `forward` says at x.

        Shapes and errors: as for `forward`.
        """
        self._check("z", z, context)
        return _finished(z, self._inverse(z, context))

    @abstractmethod
    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        """The same for what was checked; the log-determinant in float32 at least."""

    @abstractmethod
    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved: ...

    def _check(self, name: str, x: object, context: object) -> None:
        tensor = floating(name, x)
        if tensor.ndim == 0 or tuple(tensor.shape[1:]) != self.shape:
            refuse(name, describe(x), f"samples of shape {self.shape}, the batch first")
        check_context(self, context)
        if isinstance(context, Tensor) and context.shape[:-1] != tensor.shape[:1]:
            wanted = f"one for each of {name}: shape {(len(tensor), self.context)}"
            refuse("context", describe(context), wanted)


def check_context(layer: Layer, context: object) -> None:
    """A context whose last dimension is the layer's, or none where the layer takes none."""
    if layer.context == 0:
        if context is not None:
            refuse("context", describe(context), "None: the layer was made without a context")
    elif floating("context", context).ndim == 0 or context.shape[-1] != layer.context:  # type: ignore[attr-defined]
        refuse("context", describe(context), f"a context of {layer.context} numbers")


def _finished(x: Tensor, moved: Moved) -> Moved:
    return moved if moved.log_det.dtype == x.dtype else Moved(moved.to, moved.log_det.to(x.dtype))


class Chain(Layer):
    """Layers one after the other: the log-determinants add up.

    Result: normalizing_flow.composition
    Errors: ValueError without layers, or for layers of different shapes or contexts.
    """

    def __init__(self, parts: Sequence[Layer]) -> None:
        super().__init__()
        parts = listed("parts", parts, "a list of layers")
        if not parts or not all(isinstance(part, Layer) for part in parts):
            refuse("parts", describe(parts), "at least one layer, and layers only")
        self.parts = nn.ModuleList(parts)
        self.shape = parts[0].shape
        self.context = max(part.context for part in parts)
        for part in parts:
            if part.shape != self.shape or part.context not in (0, self.context):
                given = f"events of shape {part.shape} and a context of {part.context}"
                refuse("parts", given, f"events of {self.shape} and a context of {self.context}")

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        return self._run(x, context, backwards=False)

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        return self._run(z, context, backwards=True)

    def _run(self, x: Tensor, context: Tensor | None, backwards: bool) -> Moved:
        total: Tensor | None = None
        for part in reversed(self.parts) if backwards else self.parts:
            assert isinstance(part, Layer)
            own = context if part.context else None
            x, log_det = part._inverse(x, own) if backwards else part._forward(x, own)
            total = log_det if total is None else total + log_det
        assert total is not None
        return Moved(x, total)


class Inverse(Layer):
    """A layer read the other way: its inverse carries data to noise.

    Result: normalizing_flow.change_of_variables
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = check_layer(layer)
        self.shape, self.context = layer.shape, layer.context

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        return self.layer._inverse(x, context)

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        return self.layer._forward(z, context)


def check_layer(layer: object) -> Layer:
    if not isinstance(layer, Layer):
        refuse("layer", describe(layer), "a Layer, such as RealNVP(2)")
    return layer
