"""Flows of finitely many layers: invertible maps from data to noise, with their log-determinants.

    model = NSF(2, generator=generator)  # the map x → z, a module
    flow = Flow(model)  # the density of x: a `torch.distributions.TransformedDistribution`
    (-flow.log_prob(x).mean()).backward()
    flow.sample((100,))

A layer maps x (B, *event) to z of the same shape, and says log |det ∂z/∂x| in nats; `Layer.inverse`
goes from z back to x and says log |det ∂x/∂z|. Layers may depend on a context (B, c), as in
Flow(model, context). `Mapping` makes of a layer a `torch.distributions.Transform`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genmath._base.batch import sum_event, widened, work_dtype
from genmath._base.checks import describe, floating, integer, listed, refuse, rng, same_shape
from genmath._base.layers import Chain, Inverse, Layer, Moved, check_context, check_layer
from genmath._base.masked import MaskedMLP
from genmath._base.mixing import ActNorm, Mixing, Reverse, Squeezed, check_sites
from genmath._base.monotone import Affine, Monotone, Shift, Spline, monotone
from genmath._base.normal import log_normal
from genmath._base.residual import Planar, Residual, log_det_series
from genmath._base.shapes import Array
from genmath._base.torch import Float, Tensor, nn, torch
from genmath.nets import MLP
from genmath.nets.weights import initialize, undrawn

__all__ = [
    "IAF",
    "MAF",
    "NSF",
    "ActNorm",
    "Affine",
    "Autoregressive",
    "Chain",
    "Coupling",
    "Flow",
    "Glow",
    "Inverse",
    "Layer",
    "Mapping",
    "Mixing",
    "Monotone",
    "Moved",
    "Planar",
    "RealNVP",
    "Residual",
    "Reverse",
    "Shift",
    "Spline",
    "Squeezed",
    "log_det_series",
]

AFFINE, SPLINE = Affine(), Spline()


# Triangular maps


class Coupling(Layer):
    """Half of the coordinates stay; the other half is mapped, by a map that depends on the first.

    z = (f(x_b; net(x_a)), x_a): the halves change places, so that the next layer maps the other
    one. ``kind`` is the map f of one coordinate: `Affine` (RealNVP), `Shift` (NICE) or `Spline`
    (NSF).

    Result: normalizing_flow.coupling
    Shapes: x (B, dim, *sites), dim >= 2; the first ⌊dim/2⌋ numbers stay. With ``sites`` (h, w) they
        are channels of images, and the network is made of convolutions.
    Errors: ValueError for sizes that are too small, or a ``kind`` that is no monotone map.
    Random: ``generator`` draws the initial weights; the last layer of the network is zero at first.
    Source: Dinh et al. 2017, equations 4 to 8; splines: Durkan et al. 2019, section 3.
    """

    def __init__(
        self,
        dim: int,
        kind: Monotone = AFFINE,
        sites: Sequence[int] = (),
        *,
        hidden: int = 64,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 2), *check_sites(sites))
        if len(self.shape) not in (1, 3):
            refuse("sites", describe(sites), "(height, width), or none")
        self.kind, self.context = monotone("kind", kind), integer("context", context, 0)
        self.kept = dim // 2
        out = kind.count * (dim - self.kept)
        make = _convolutions if len(self.shape) == 3 else _mlp
        self.net = make(self.kept + context, out, hidden, layers, generator)
        _zero(self.net[-1])

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        a, b = x.tensor_split([self.kept], 1)
        z, log_slope = self.kind._forward(widened(b), self._given(a, context))
        return Moved(torch.cat([z.to(x.dtype), a], 1), sum_event(log_slope, 1))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        b, a = z.tensor_split([z.shape[1] - self.kept], 1)
        x, log_slope = self.kind._inverse(widened(b), self._given(a, context))
        return Moved(torch.cat([a, x.to(z.dtype)], 1), sum_event(log_slope, 1))

    def _given(self, a: Tensor, context: Tensor | None) -> Tensor:
        if context is not None:
            told = context.reshape(*context.shape, *[1] * (a.ndim - 2))
            a = torch.cat([a, told.expand(-1, -1, *a.shape[2:])], 1)
        return widened(self.net(a))


def _mlp(
    before: int, after: int, hidden: int, layers: int, generator: torch.Generator | None
) -> nn.Sequential:
    return MLP(
        before, hidden, layers, time=False, out=after, activation=nn.SiLU, generator=generator
    ).stack


def _convolutions(
    before: int, after: int, hidden: int, layers: int, generator: torch.Generator | None
) -> nn.Sequential:
    """3 × 3 at both ends, 1 × 1 between."""
    width, depth = integer("hidden", hidden, 1), integer("layers", layers, 1, 1000)
    with undrawn(generator):
        stack: list[nn.Module] = [nn.Conv2d(before, width, 3, padding=1)]
        for _ in range(depth - 1):
            stack += [nn.SiLU(), nn.Conv2d(width, width, 1)]
        net = nn.Sequential(*stack, nn.SiLU(), nn.Conv2d(width, after, 3, padding=1))
    initialize(net, generator)
    return net


class Autoregressive(Layer):
    """Each coordinate is mapped by a map that depends on those before it.

    z_i = f(x_i; net_i(x_1 … x_{i-1})), all at once; `inverse` finds one coordinate after the other,
    in dim passes of the network. With `Affine` this is one layer of MAF: x_i given those before it
    is normal with mean -t exp(-s) and standard deviation exp(-s).

    Result: normalizing_flow.autoregressive
    Shapes: x (B, dim).
    Errors: ValueError for sizes that are too small, or a ``kind`` that is no monotone map.
    Random: ``generator`` draws the initial weights; the last layer of the network is zero at first.
    Source: Papamakarios, Pavlakou, Murray 2017, equations 2 to 5; Germain et al. 2015.
    """

    def __init__(
        self,
        dim: int,
        kind: Monotone = AFFINE,
        *,
        hidden: int = 64,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1),)
        self.kind, self.context = monotone("kind", kind), integer("context", context, 0)
        self.net = MaskedMLP(
            dim, kind._owners(dim), hidden, layers, context=context, generator=generator
        )
        _zero(self.net.stack[-1])

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        z, log_slope = self.kind._forward(widened(x), widened(self.net(x, context)))
        return Moved(z.to(x.dtype), log_slope.sum(1))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        wide = widened(z)
        x, log_slope = torch.zeros_like(wide), torch.zeros_like(wide)
        for i in range(z.shape[1]):  # after pass i the coordinates up to i are right
            parameters = widened(self.net(x.to(z.dtype), context))
            found, slopes = self.kind._inverse(wide, parameters)
            here = torch.arange(z.shape[1], device=z.device) == i
            x, log_slope = torch.where(here, found, x), torch.where(here, slopes, log_slope)
        return Moved(x.to(z.dtype), log_slope.sum(1))


def _zero(layer: nn.Module) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()


# Whole flows


def _couplings(
    dim: int,
    transforms: int,
    kind: Monotone,
    hidden: int,
    layers: int,
    context: int,
    generator: torch.Generator | None,
) -> list[Layer]:
    return [
        Coupling(dim, kind, hidden=hidden, layers=layers, context=context, generator=generator)
        for _ in range(integer("transforms", transforms, 1, 1000))
    ]


def _autoregressive(
    dim: int,
    transforms: int,
    kind: Monotone,
    hidden: int,
    layers: int,
    context: int,
    generator: torch.Generator | None,
) -> list[Layer]:
    return [
        Autoregressive(
            dim, kind, hidden=hidden, layers=layers, context=context, generator=generator
        )
        for _ in range(integer("transforms", transforms, 1, 1000))
    ]


def _turned(maps: list[Layer]) -> list[Layer]:
    """The coordinates put in the opposite order between each two maps."""
    (dim,) = maps[0].shape
    return [part for layer in maps for part in (Reverse(dim), layer)][1:]


class RealNVP(Chain):
    """Affine couplings, one after the other.

    Shapes: x (B, dim), dim >= 2.
    Errors: ValueError for sizes that are too small.
    Random: ``generator`` draws the initial weights; the map is the identity at first, up to the
        order of the coordinates.
    Source: Dinh, Sohl-Dickstein, Bengio 2017.
    """

    def __init__(
        self,
        dim: int,
        transforms: int = 8,
        *,
        hidden: int = 64,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        maps = _couplings(dim, transforms, AFFINE, hidden, layers, context, generator)
        super().__init__(maps)


class NSF(Chain):
    """Couplings by monotone rational-quadratic splines: neural spline flows.

    Outside [-bound, bound] a spline is the identity: scale the data so that they fit inside.

    Shapes: x (B, dim), dim >= 2.
    Errors: ValueError for sizes that are too small.
    Random: ``generator`` draws the initial weights; the map is the identity at first, up to the
        order of the coordinates.
    Source: Durkan, Bekasov, Murray, Papamakarios 2019.
    """

    def __init__(
        self,
        dim: int,
        transforms: int = 4,
        *,
        bins: int = 8,
        bound: float = 5.0,
        hidden: int = 64,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        kind = Spline(bins, bound)
        maps = _couplings(dim, transforms, kind, hidden, layers, context, generator)
        super().__init__(maps)


class MAF(Chain):
    """Masked autoregressive flow: densities in one pass a layer, samples in dim passes.

    Between the layers the coordinates are put in the opposite order.

    Shapes: x (B, dim).
    Errors: ValueError for sizes that are too small.
    Random: ``generator`` draws the initial weights; the map is the identity at first, up to the
        order of the coordinates.
    Source: Papamakarios, Pavlakou, Murray 2017.
    """

    def __init__(
        self,
        dim: int,
        transforms: int = 4,
        *,
        kind: Monotone = AFFINE,
        hidden: int = 64,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        maps = _autoregressive(dim, transforms, kind, hidden, layers, context, generator)
        super().__init__(_turned(maps))


class IAF(Chain):
    """Inverse autoregressive flow: samples in one pass a layer, densities of data in dim passes.

    The same layers as in `MAF`, each read the other way. The density of its own samples costs no
    more than the samples: `Flow.rsample_and_log_prob`.

    Shapes: x (B, dim).
    Errors: ValueError for sizes that are too small.
    Random: ``generator`` draws the initial weights; the map is the identity at first, up to the
        order of the coordinates.
    Source: Kingma, Salimans, Jozefowicz, Chen, Sutskever, Welling 2016.
    """

    def __init__(
        self,
        dim: int,
        transforms: int = 4,
        *,
        kind: Monotone = AFFINE,
        hidden: int = 64,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        maps = _autoregressive(dim, transforms, kind, hidden, layers, context, generator)
        super().__init__(_turned([Inverse(layer) for layer in maps]))


class Glow(Chain):
    """Images: actnorm, a mixing of the channels and an affine coupling, again and again.

    At each level squares of 2 × 2 pixels become channels, ``transforms`` steps follow, and then the
    next level. All numbers go through all levels; in the paper half of them leave after each.

    Shapes: x (B, channels, size, size), size a multiple of 2^levels.
    Errors: ValueError for sizes that are too small or not such a multiple.
    Random: ``generator`` draws the initial weights; the map is a rotation at first.
    Source: Kingma, Dhariwal 2018, sections 2 and 3.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        levels: int = 2,
        transforms: int = 4,
        *,
        hidden: int = 32,
        layers: int = 2,
        context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        dim, side = 4 * integer("channels", channels, 1, 10**5), integer("size", size, 2, 10**5)
        n, deep = integer("transforms", transforms, 1, 1000), integer("levels", levels, 1, 16)
        if side % 2**deep:
            refuse("size", size, f"a multiple of 2^levels, {2**deep}")
        sites, parts = (side // 2, side // 2), list[Layer]()
        each: dict[str, Any] = {"hidden": hidden, "layers": layers, "context": context}
        for _ in range(n):
            parts += [ActNorm(dim, sites), Mixing(dim, sites, generator=generator)]
            parts += [Coupling(dim, AFFINE, sites, **each, generator=generator)]
        if deep > 1:
            parts += [Glow(dim, side // 2, deep - 1, n, **each, generator=generator)]
        super().__init__([Squeezed(Chain(parts))])
        if generator is not None:
            self.to(generator.device)


# As torch.distributions has them


class Mapping(torch.distributions.Transform):
    """A layer, with its context, as a transform of torch.distributions; from x to z.

    Shapes: x (…, *event); the context (…, c) broadcasts with what stands before the event.
    Errors: ValueError for a layer that is none, or a context that is missing or does not fit.
    """

    bijective = True

    def __init__(self, layer: Layer, context: Float[Tensor, "*batch c"] | None = None) -> None:
        super().__init__()
        self.layer, self.given = check_layer(layer), context
        check_context(layer, context)
        self.domain = self.codomain = torch.distributions.constraints.independent(  # type: ignore[no-untyped-call]
            torch.distributions.constraints.real, len(layer.shape)
        )
        self._last: tuple[Tensor, Tensor, Tensor] | None = None

    def log_abs_det_jacobian(self, x: Array, y: Array) -> Array:
        """log |det ∂y/∂x|, as computed when x was mapped to y or y to x, if that was the last."""
        if self._last is None or self._last[0] is not x or self._last[1] is not y:
            z = self._move("x", x, backwards=False)
            same_shape("y", y, "where x is carried", z)
        assert self._last is not None
        return self._last[2]

    def _call(self, x: Tensor) -> Tensor:
        return self._move("x", x, backwards=False)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._move("z", y, backwards=True)

    def _move(self, name: str, x: Tensor, backwards: bool) -> Tensor:
        shape, k = self.layer.shape, len(self.layer.shape)
        if floating(name, x).ndim < k or tuple(x.shape[x.ndim - k :]) != shape:
            refuse(name, describe(x), f"events of shape {shape} in the last dimensions")
        lead, context, full = x.shape[: x.ndim - k], self.given, x
        if context is not None:
            try:
                lead = torch.broadcast_shapes(lead, context.shape[:-1])  # type: ignore[no-untyped-call]
            except RuntimeError:
                refuse(name, describe(x), f"what broadcasts with {tuple(context.shape[:-1])}")
            full = x.expand(*lead, *shape)
            context = context.expand(*lead, self.layer.context)
        if len(lead) != 1:
            full = full.reshape(math.prod(lead), *shape)
            context = None if context is None else context.reshape(len(full), -1)
        move = self.layer._inverse if backwards else self.layer._forward
        to, log_det = move(full, context)
        if len(lead) != 1:
            to, log_det = to.reshape(*lead, *shape), log_det.reshape(lead)
        self._last = (to, x, -log_det) if backwards else (x, to, log_det)
        return to

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()  # type: ignore[no-untyped-call]
        return {**state, "_last": None}  # no graph of the last call in a copy

    def __repr__(self) -> str:
        return f"Mapping({type(self.layer).__name__})"


class Flow(torch.distributions.TransformedDistribution):
    """The density of x when the layer carries x to standard normal z.

    A `torch.distributions.TransformedDistribution`, whose one transform is the inverse of
    `Mapping`; parameters belong to the layer. With a context (…, c) there is one density for each
    of them, and the batch shape is (…).

    Errors: ValueError for a layer that is none, or a context that is missing or does not fit.
    """

    def __init__(self, layer: Layer, context: Float[Tensor, "*batch c"] | None = None) -> None:
        mapping = Mapping(layer, context)
        like = next(iter(layer.parameters()), torch.zeros(()))
        batch = () if context is None else tuple(context.shape[:-1])
        zeros = torch.zeros(batch + layer.shape, device=like.device, dtype=like.dtype)
        noise = torch.distributions.Normal(zeros, torch.ones_like(zeros), validate_args=False)
        prior = torch.distributions.Independent(noise, len(layer.shape), validate_args=False)
        super().__init__(prior, [mapping.inv], validate_args=False)
        self.mapping = mapping

    def log_prob(self, value: Array) -> Array:
        """log p(x) in nats: that of the noise where x is carried, and the log-determinant.

        Result: normalizing_flow.change_of_variables
        Shapes: value (…, *event); what stands before the event broadcasts with the batch shape.
        Errors: ValueError for a value that does not fit.
        """
        return self._score(self.mapping._move("value", value, backwards=False), value.dtype)

    def rsample(
        self, sample_shape: Sequence[int] = (), *, generator: torch.Generator | None = None
    ) -> Array:
        """Noise carried back to data, with gradients for the parameters.

        Shapes: (*sample_shape, *batch, *event), in the dtype and on the device of the parameters.
        Random: from the generator; without it from torch's global state, as for any distribution.
        Errors: ValueError for sizes that are no whole numbers >= 0.
        """
        return self.mapping._move("z", self._noise(sample_shape, generator), backwards=True)

    def sample(
        self, sample_shape: Sequence[int] = (), *, generator: torch.Generator | None = None
    ) -> Array:
        """The same without gradients."""
        with torch.no_grad():
            return self.rsample(sample_shape, generator=generator)

    def rsample_and_log_prob(
        self, sample_shape: Sequence[int] = (), *, generator: torch.Generator | None = None
    ) -> tuple[Array, Array]:
        """Samples and their log-densities, without going back: what a VAE's posterior needs.

        Result: normalizing_flow.posterior
        Shapes and errors: as for `rsample`.
        """
        z = self._noise(sample_shape, generator)
        x = self.mapping._move("z", z, backwards=True)
        return x, self._score(z, x.dtype)

    def expand(self, batch_shape: Sequence[int]) -> Flow:  # type: ignore[override]
        """The same density, as often as the shape says."""
        sizes = _sizes("batch_shape", batch_shape)
        new = self.__new__(type(self))
        new.mapping = self.mapping
        expanded: Flow = super().expand(sizes, new)  # type: ignore[no-untyped-call]
        return expanded

    def _noise(self, sample_shape: object, generator: torch.Generator | None) -> Tensor:
        shape = self._extended_shape(_sizes("sample_shape", sample_shape))
        like = self.base_dist.mean
        if generator is not None:
            rng(generator, like.device)
        work = work_dtype(like)
        z = torch.randn(shape, generator=generator, dtype=work, device=like.device)
        return z.to(like.dtype)

    def _score(self, z: Tensor, dtype: torch.dtype) -> Tensor:
        assert self.mapping._last is not None
        log_det = self.mapping._last[2]
        lead = z.ndim - len(self.event_shape)
        return (sum_event(log_normal(widened(z)), lead) + log_det).to(dtype)


def _sizes(name: str, value: object) -> torch.Size:
    expected = "whole numbers >= 0, such as (100,)"
    return torch.Size(integer(name, n, 0) for n in listed(name, value, expected))
