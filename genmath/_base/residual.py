"""Layers x + g(x): one direction with a determinant of one number, and networks that contract."""

from __future__ import annotations

import math

from genmath._base.batch import widened
from genmath._base.checks import describe, floating, integer, real, refuse, rng
from genmath._base.layers import Layer, Moved
from genmath._base.shapes import PerSample
from genmath._base.torch import Float, Tensor, nn, torch
from genmath.nets import MLP

__all__ = ["Planar", "Residual", "log_det_series"]


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


class Residual(Layer):
    """z = x + g(x), where g changes less than its argument: by at most ``bound`` times as much.

    Every matrix of the network g is divided by its largest singular value where that is too large,
    and tanh stands between them. The way back repeats x ← z - g(x) until float64 knows no better.
    The Jacobian is written out, so that the log-determinant is exact: this is for few coordinates.

    Result: normalizing_flow.residual
    Shapes: x (B, dim).
    Errors: ValueError for sizes < 1, or unless 0 < bound < 1.
    Random: ``generator`` draws the initial weights.
    Source: Behrmann et al. 2019, algorithm 1, theorem 1; Chen et al. 2019.
    """

    def __init__(
        self,
        dim: int,
        bound: float = 0.9,
        *,
        hidden: int = 64,
        layers: int = 2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape = (integer("dim", dim, 1),)
        self.bound = real("bound", bound, "a number in (0, 1)", 1e-6, 1 - 1e-6)
        self.net = MLP(dim, hidden, layers, time=False, activation=nn.Tanh, generator=generator)

    def _forward(self, x: Tensor, context: Tensor | None) -> Moved:
        moved, jacobian = self._contract(widened(x))
        return Moved((widened(x) + moved).to(x.dtype), self._log_det(jacobian))

    def _inverse(self, z: Tensor, context: Tensor | None) -> Moved:
        wide = widened(z)
        with torch.no_grad():
            x = wide
            for _ in range(math.ceil(-37 / math.log(self.bound)) + 1):  # e^-37 is a rounding error
                x = wide - self._contract(x)[0]
        # One step of Newton's method, which also carries the gradient of the solution.
        moved, jacobian = self._contract(x)
        step = jacobian.detach() + torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        x = x - torch.linalg.solve(step, x + moved - wide)
        return Moved(x.to(z.dtype), -self._log_det(self._contract(x)[1]))

    def _contract(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """g and its Jacobian (B, dim, dim), row by row of the network."""
        linears = [layer for layer in self.net.stack if isinstance(layer, nn.Linear)]
        most = self.bound ** (1 / len(linears))
        jacobian: Tensor | None = None
        for i, linear in enumerate(linears):
            weight = widened(linear.weight)
            size = torch.linalg.matrix_norm(weight, 2)
            weight = weight * (most / torch.clamp(size, min=most))
            if i:
                x = torch.tanh(x)
                assert jacobian is not None
                jacobian = weight @ ((1 - x**2).unsqueeze(2) * jacobian)
            else:
                jacobian = weight.expand(len(x), -1, -1)
            x = x @ weight.mT + widened(linear.bias)
        assert jacobian is not None
        return x, jacobian

    @staticmethod
    def _log_det(jacobian: Tensor) -> Tensor:
        one = torch.eye(jacobian.shape[-1], dtype=jacobian.dtype, device=jacobian.device)
        log_det: Tensor = torch.linalg.slogdet(one + jacobian).logabsdet
        return log_det


def log_det_series(jacobian: Float[Tensor, "batch d d"], terms: int) -> PerSample:
    """tr A - tr A²/2 + tr A³/3 - …, cut after ``terms``: what log det(I + A) is near, in nats.

    For an A of size L < 1 the error is at most d L^(terms + 1)/((terms + 1)(1 - L)).

    Result: normalizing_flow.residual
    Shapes: jacobian (B, d, d) gives (B,).
    Errors: ValueError for matrices that are not square, or terms < 1.
    Source: Behrmann et al. 2019, equation 4.
    """
    A = floating("jacobian", jacobian)
    if A.ndim != 3 or A.shape[1] != A.shape[2]:
        refuse("jacobian", describe(jacobian), "square matrices, one a sample: shape (B, d, d)")
    wide = widened(A)
    power, total = wide, wide.new_zeros(len(wide))
    for k in range(1, integer("terms", terms, 1, 10_000) + 1):
        total = total + power.diagonal(dim1=1, dim2=2).sum(1) * (1 if k % 2 else -1) / k
        power = power @ wide
    return total.to(A.dtype)
