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

from torch.distributions import Independent, Normal, TransformedDistribution, constraints
from torch.distributions.transforms import Transform

from genmath._base.batch import sum_event, widened, work_dtype
from genmath._base.checks import describe, floating, integer, listed, refuse, rng, same_shape
from genmath._base.layers import Chain, Inverse, Layer, Moved, check_context, check_layer
from genmath._base.masked import MaskedMLP
from genmath._base.monotone import Affine, Monotone, Shift, Spline, monotone
from genmath._base.normal import log_normal
from genmath._base.shapes import Array, Data
from genmath._base.torch import Float, Tensor, nn, torch
from genmath.nets import MLP

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
    "Inverse",
    "Layer",
    "Mapping",
    "Mixing",
    "Monotone",
    "Moved",
    "Planar",
    "RealNVP",
    "Reverse",
    "Shift",
    "Spline",
]

AFFINE, SPLINE = Affine(), Spline()


# Triangular maps


class Coupling(Layer):
    """Half of the coordinates stay; the other half is mapped, by a map that depends on the first.

    z = (f(x_b; net(x_a)), x_a): the halves change places, so that the next layer maps the other
    one. ``kind`` is the map f of one coordinate: `Affine` (RealNVP), `Shift` (NICE) or `Spline`
    (NSF).

    Result: normalizing_flow.coupling
    Shapes: x (B, dim), dim >= 2; the first ⌊dim/2⌋ numbers stay.
    Errors: ValueError for sizes that are too small, or a ``kind`` that is no monotone map.
    Random: ``generator`` draws the initial weights; the last layer of the network is zero at first.
    Source: Dinh et al. 2017, equations 4 to 8; splines: Durkan et al. 2019, section 3.
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
        self.shape = (integer("dim", dim, 2),)
        self.kind, self.context = monotone("kind", kind), integer("context", context, 0)
        self.kept = dim // 2
        out = kind.count * (dim - self.kept)
        self.net = MLP(
            self.kept + context, hidden, layers, time=False, out=out,
            activation=nn.SiLU, generator=generator,
        )  # fmt: skip
        _zero(self.net.stack[-1])

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        a, b = x.tensor_split([self.kept], 1)
        z, log_slope = self.kind._forward(widened(b), self._given(a, context))
        return Moved(torch.cat([z.to(x.dtype), a], 1), log_slope.sum(1))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        b, a = z.tensor_split([z.shape[1] - self.kept], 1)
        x, log_slope = self.kind._inverse(widened(b), self._given(a, context))
        return Moved(torch.cat([a, x.to(z.dtype)], 1), log_slope.sum(1))

    def _given(self, a: Tensor, context: Tensor | None) -> Tensor:
        seen = a if context is None else torch.cat([a, context], 1)
        return widened(self.net.stack(seen))


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


# Without a network


class Reverse(Layer):
    """The coordinates in the opposite order: it keeps volume.

    Shapes: x (B, dim).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1),)

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        return Moved(x.flip(1), x.new_zeros(len(x), dtype=work_dtype(x)))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        return self._forward(z, context)


class ActNorm(Layer):
    """z = exp(s) x + t, one s and t a coordinate; `calibrate` sets them by data.

    Shapes: x (B, dim).
    Source: Kingma, Dhariwal 2018 (Glow), section 3.1.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1),)
        self.log_scale, self.shift = (nn.Parameter(torch.zeros(dim)) for _ in range(2))

    def calibrate(self, x: Data) -> None:
        """Set scale and shift so that these data come out with mean 0 and variance 1.

        Errors: ValueError for an x that does not fit or has fewer than two samples.
        """
        self._check("x", x, None)
        if len(x) < 2:
            refuse("x", describe(x), "at least two samples: one has no variance")
        with torch.no_grad():
            variance, mean = torch.var_mean(widened(x), 0, correction=0)
            self.log_scale.copy_(-0.5 * (variance + 1e-12).log())
            self.shift.copy_(-mean * self.log_scale.exp())

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        s = widened(self.log_scale)
        return Moved((x * s.exp() + self.shift).to(x.dtype), s.sum().expand(len(x)))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        s = widened(self.log_scale)
        return Moved(((z - self.shift) * (-s).exp()).to(z.dtype), -s.sum().expand(len(z)))


class Mixing(Layer):
    """z = P L U x, with a fixed permutation P and triangular L and U; det L = 1.

    The log-determinant is the sum of the logarithms of U's diagonal, at the cost of dim numbers. A
    convolution with a 1 × 1 kernel is this at every pixel.

    Result: normalizing_flow.triangular
    Shapes: x (B, dim).
    Random: ``generator`` draws a rotation to start from; without it torch's global state does.
    Source: Kingma, Dhariwal 2018 (Glow), section 3.2.
    """

    order: Tensor
    sign: Tensor

    def __init__(self, dim: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1),)
        if generator is not None:
            rng(generator)
        device = "cpu" if generator is None else generator.device
        drawn = torch.randn(dim, dim, generator=generator, dtype=torch.float64, device=device)
        p, low, up = torch.linalg.lu(torch.linalg.qr(drawn).Q)
        self.register_buffer("order", p.argmax(1))
        self.register_buffer("sign", up.diagonal().sign().to(torch.get_default_dtype()))
        self.low = nn.Parameter(low.tril(-1).to(torch.get_default_dtype()))
        self.up = nn.Parameter(up.triu(1).to(torch.get_default_dtype()))
        self.log_scale = nn.Parameter(up.diagonal().abs().log().to(torch.get_default_dtype()))

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        low, up = self._factors()
        z = (widened(x) @ up.mT @ low.mT)[:, self.order]
        return Moved(z.to(x.dtype), widened(self.log_scale).sum().expand(len(x)))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        low, up = self._factors()
        y = widened(z)[:, self.order.argsort()].mT
        x = torch.linalg.solve_triangular(low, y, upper=False, unitriangular=True)
        x = torch.linalg.solve_triangular(up, x, upper=True).mT
        return Moved(x.to(z.dtype), -widened(self.log_scale).sum().expand(len(z)))

    def _factors(self) -> tuple[Tensor, Tensor]:
        low, up = widened(self.low), widened(self.up)
        diagonal = widened(self.sign) * widened(self.log_scale).exp()
        return low.tril(-1) + torch.eye(len(low), device=low.device, dtype=low.dtype), (
            up.triu(1) + torch.diag(diagonal)
        )


class Planar(Layer):
    """z = x + u tanh(w·x + b): space is stretched or pressed along one direction.

    u is moved along w until w·u > -1, which makes the map invertible; the inverse finds w·x, one
    number a sample, by bisection and a step of Newton's method.

    Result: normalizing_flow.planar, normalizing_flow.planar_positive
    Shapes: x (B, dim).
    Random: ``generator`` draws the initial weights; without it torch's global state does.
    Source: Rezende, Mohamed 2015, equations 10 to 12 and appendix A.1, where w must be divided
        by its squared norm.
    """

    def __init__(self, dim: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1),)
        if generator is not None:
            rng(generator)
        device = "cpu" if generator is None else generator.device
        drawn = torch.randn(2, dim, generator=generator, device=device) / math.sqrt(dim)
        self.u, self.w = nn.Parameter(0.1 * drawn[0]), nn.Parameter(drawn[1])
        self.b = nn.Parameter(torch.zeros((), device=device))

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        u, w, along = self._vectors()
        bent = torch.tanh(widened(x) @ w + widened(self.b))
        z = widened(x) + u * bent.unsqueeze(1)
        return Moved(z.to(x.dtype), torch.log1p(along * (1 - bent**2)))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        u, w, along = self._vectors()
        b, goal = widened(self.b), widened(z) @ w
        with torch.no_grad():
            low, high = goal - along.abs(), goal + along.abs()
            for _ in range(60):
                middle = (low + high) / 2
                beyond = middle + along * torch.tanh(middle + b) > goal
                low, high = torch.where(beyond, low, middle), torch.where(beyond, middle, high)
            found = (low + high) / 2
        # One step of Newton's method, which also carries the gradient of the solution.
        bent = torch.tanh(found + b)
        slope = (1 + along * (1 - bent**2)).detach()
        found = found - (found + along * bent - goal) / slope
        bent = torch.tanh(found + b)
        x = widened(z) - u * bent.unsqueeze(1)
        return Moved(x.to(z.dtype), -torch.log1p(along * (1 - bent**2)))

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        """u moved so that w·u > -1, w, and w·u."""
        u, w = widened(self.u), widened(self.w)
        along = u @ w
        allowed = nn.functional.softplus(along) - 1
        return u + (allowed - along) * w / (w @ w), w, allowed


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


# As torch.distributions has them


class Mapping(Transform):
    """A layer, with its context, as a transform of torch.distributions; from x to z.

    Shapes: x (…, *event); the context (…, c) broadcasts with what stands before the event.
    Errors: ValueError for a layer that is none, or a context that is missing or does not fit.
    """

    bijective = True

    def __init__(self, layer: Layer, context: Float[Tensor, "*batch c"] | None = None) -> None:
        super().__init__()
        self.layer, self.given = check_layer(layer), context
        check_context(layer, context)
        self.domain = self.codomain = constraints.independent(  # type: ignore[no-untyped-call]
            constraints.real, len(layer.shape)
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

    def __repr__(self) -> str:
        return f"Mapping({type(self.layer).__name__})"


class Flow(TransformedDistribution):
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
        noise = Normal(zeros, torch.ones_like(zeros), validate_args=False)
        prior = Independent(noise, len(layer.shape), validate_args=False)
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
