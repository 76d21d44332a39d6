"""Layers that treat all samples alike: other orders, scales, mixtures of the coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genmath._base.batch import widened, work_dtype
from genmath._base.checks import describe, integer, listed, refuse, rng
from genmath._base.layers import Layer, Moved, check_layer
from genmath._base.shapes import Data
from genmath._base.torch import Tensor, nn, torch

__all__ = ["ActNorm", "Mixing", "Reverse", "Squeezed", "check_sites"]


def check_sites(sites: object) -> tuple[int, ...]:
    """The sizes of what stands behind the channels: (height, width), or nothing."""
    sizes = listed("sites", sites, "sizes such as (8, 8), or none")
    return tuple(integer("sites", n, 1, 10**5) for n in sizes)


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

    Shapes: x (B, dim, *sites); all sites, such as pixels, have the same s and t.
    Errors: ValueError for sizes < 1.
    Source: Kingma, Dhariwal 2018 (Glow), section 3.1.
    """

    def __init__(self, dim: int, sites: Sequence[int] = ()) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1), *check_sites(sites))
        self.log_scale, self.shift = (nn.Parameter(torch.zeros(dim)) for _ in range(2))

    def calibrate(self, x: Data) -> None:
        """Set scale and shift so that these data come out with mean 0 and variance 1.

        Errors: ValueError for an x that does not fit or has fewer than two samples.
        """
        self._check("x", x, None)
        if len(x) < 2:
            refuse("x", describe(x), "at least two samples: one has no variance")
        with torch.no_grad():
            others = [i for i in range(x.ndim) if i != 1]
            variance, mean = torch.var_mean(widened(x), others, correction=0)
            self.log_scale.copy_(-0.5 * (variance + 1e-12).log())
            self.shift.copy_(-mean * self.log_scale.exp())

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        s = widened(self.log_scale)
        z = widened(x) * self._wide(s.exp()) + self._wide(widened(self.shift))
        return Moved(z.to(x.dtype), self._total(s).expand(len(x)))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        s = widened(self.log_scale)
        x = (widened(z) - self._wide(widened(self.shift))) * self._wide((-s).exp())
        return Moved(x.to(z.dtype), -self._total(s).expand(len(z)))

    def _wide(self, row: Tensor) -> Tensor:
        return row.reshape(-1, *[1] * (len(self.shape) - 1))

    def _total(self, s: Tensor) -> Tensor:
        return s.sum() * math.prod(self.shape[1:])


class Mixing(Layer):
    """z = P L U x, with a fixed permutation P and triangular L and U; det L = 1.

    The log-determinant is the sum of the logarithms of U's diagonal, at the cost of dim numbers. A
    convolution with a 1 × 1 kernel is this at every pixel.

    Result: normalizing_flow.triangular
    Shapes: x (B, dim, *sites); every site, such as a pixel, is multiplied by the same matrix.
    Errors: ValueError for sizes < 1.
    Random: ``generator`` draws a rotation to start from; without it torch's global state does.
    Source: Kingma, Dhariwal 2018 (Glow), section 3.2.
    """

    order: Tensor
    sign: Tensor

    def __init__(
        self,
        dim: int,
        sites: Sequence[int] = (),
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1), *check_sites(sites))
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
        z = (low @ (up @ widened(x).reshape(len(x), len(up), -1)))[:, self.order]
        return Moved(z.reshape(x.shape).to(x.dtype), self._total().expand(len(x)))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        low, up = self._factors()
        y = widened(z).reshape(len(z), len(up), -1)[:, self.order.argsort()]
        x = torch.linalg.solve_triangular(low, y, upper=False, unitriangular=True)
        x = torch.linalg.solve_triangular(up, x, upper=True)
        return Moved(x.reshape(z.shape).to(z.dtype), -self._total().expand(len(z)))

    def _total(self) -> Tensor:
        return widened(self.log_scale).sum() * math.prod(self.shape[1:])

    def _factors(self) -> tuple[Tensor, Tensor]:
        low, up = widened(self.low), widened(self.up)
        diagonal = widened(self.sign) * widened(self.log_scale).exp()
        return low.tril(-1) + torch.eye(len(low), device=low.device, dtype=low.dtype), (
            up.triu(1) + torch.diag(diagonal)
        )


class Squeezed(Layer):
    """A layer for images of a quarter of the pixels and four times the channels.

    Each square of 2 × 2 pixels becomes one pixel; afterwards they are laid out again.

    Shapes: x (B, C, h, w), where the layer is one for (4C, h/2, w/2).
    Errors: ValueError for a layer of another shape.
    Source: Dinh et al. 2017, section 3.6.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = check_layer(layer)
        if len(layer.shape) != 3 or layer.shape[0] % 4:
            refuse("layer", f"one for shape {layer.shape}", "images of a multiple of 4 channels")
        channels, height, width = layer.shape
        self.shape, self.context = (channels // 4, 2 * height, 2 * width), layer.context

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        z, log_det = self.layer._forward(nn.functional.pixel_unshuffle(x, 2), context)
        return Moved(nn.functional.pixel_shuffle(z, 2), log_det)

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        x, log_det = self.layer._inverse(nn.functional.pixel_unshuffle(z, 2), context)
        return Moved(nn.functional.pixel_shuffle(x, 2), log_det)
