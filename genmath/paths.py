"""Paths from data to noise, x_t = alpha(t) x_0 + sigma(t) noise: in continuous time, and as tables.

A `Path` runs over t in [0, 1], data at t = 0 and noise at t = 1. A `Schedule` holds tables over the
steps 1..T of a discrete diffusion, and index 0 is clean data. Of both, ``coefficients(t, x)`` are
the (alpha, sigma) that multiply data shaped like x. All are computed in float64 and cast last.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from genmath._base.batch import Table, affine, check_step, check_time, per_event, work_dtype
from genmath._base.checks import (
    batched,
    between,
    describe,
    flag,
    float_dtype,
    instance,
    integer,
    listed,
    positive,
    read,
    real,
    refuse,
    rng,
    same_shape,
)
from genmath._base.normal import log_normal
from genmath._base.shapes import Coefficient, Data, PerSample, PerStep, Step, Time
from genmath._base.torch import Float, Tensor, torch

__all__ = [
    "CosinePath",
    "EDMPath",
    "LinearPath",
    "Path",
    "Schedule",
    "VEPath",
    "VPPath",
    "cosine_schedule",
    "linear_schedule",
    "logit_normal_density",
    "logit_normal_time",
    "reverse_time",
    "rho_levels",
    "shift_time",
    "shifted_density",
]


Levels = Float[Tensor, "levels"]
_Formula = Callable[[Tensor], Tensor]


# Continuous time


class Path(ABC):
    """x_t = alpha(t) x_0 + sigma(t) noise for t in [0, 1], data at t = 0 and noise at t = 1.

    A path gives its formulas on float64 tensors (the methods with an underscore); the rest is here.

    Shapes: t is a number, or a tensor with any number of times; a number gives a number, a tensor
        one of its shape and dtype (float32 at least). The values in a tensor are not read.
    Errors: ValueError for a number outside [0, 1], or a tensor that is not floating-point.
    """

    @abstractmethod
    def _alpha(self, t: Tensor) -> Tensor: ...
    @abstractmethod
    def _sigma(self, t: Tensor) -> Tensor: ...
    @abstractmethod
    def _d_alpha(self, t: Tensor) -> Tensor: ...
    @abstractmethod
    def _d_sigma(self, t: Tensor) -> Tensor: ...
    @abstractmethod
    def _half_log_snr(self, t: Tensor) -> Tensor: ...
    @abstractmethod
    def _time_of_half_log_snr(self, h: Tensor) -> Tensor: ...
    @abstractmethod
    def _drift(self, t: Tensor) -> Tensor: ...
    @abstractmethod
    def _squared_diffusion(self, t: Tensor) -> Tensor: ...

    def alpha(self, t: Time) -> Coefficient:
        """What multiplies the data; 1 at t = 0."""
        return _at(self._alpha, t)

    def sigma(self, t: Time) -> Coefficient:
        """The standard deviation of the noise; 0 at t = 0."""
        return _at(self._sigma, t)

    def d_alpha(self, t: Time) -> Coefficient:
        """d alpha/dt."""
        return _at(self._d_alpha, t)

    def d_sigma(self, t: Time) -> Coefficient:
        """d sigma/dt; infinite at t = 0 where sigma grows like a square root (VP, VE)."""
        return _at(self._d_sigma, t)

    def snr(self, t: Time) -> Coefficient:
        """alpha²/sigma², infinite at t = 0."""
        return _at(lambda s: (self._alpha(s) / self._sigma(s)) ** 2, t)

    def half_log_snr(self, t: Time) -> Coefficient:
        """log(alpha/sigma), infinite at t = 0 and, where alpha(1) = 0, -infinite at t = 1."""
        return _at(self._half_log_snr, t)

    def time_of_snr(self, snr: Time) -> Coefficient:
        """The t with that alpha²/sigma², the inverse of `snr`; infinity gives 0.

        Errors: ValueError for a number that the path does not reach; in a tensor t is then outside
            [0, 1].
        """
        return self._time_of("snr", snr, lambda r: r.log() / 2)

    def time_of_half_log_snr(self, half_log_snr: Time) -> Coefficient:
        """The t with that log(alpha/sigma), the inverse of `half_log_snr`."""
        return self._time_of("half_log_snr", half_log_snr, lambda h: h)

    def _time_of(self, name: str, value: Time, to_half_log: _Formula) -> Coefficient:
        def formula(v: Tensor) -> Tensor:
            return self._time_of_half_log_snr(to_half_log(v))

        if isinstance(value, Tensor):
            if (number := read(value)) is not None:
                self._time_of(name, number, to_half_log)  # refuses what the path does not reach
            return _at(formula, value, name, high=math.inf)
        if not (isinstance(value, float) and math.isinf(value)):
            value = real(name, value, "a number", -math.inf)
        elif name == "snr" and value < 0:
            refuse(name, describe(value), "a number >= 0")
        t = float(formula(torch.tensor(value, dtype=torch.float64, device="cpu")).item())
        if not -1e-12 <= t <= 1 + 1e-12:
            ends = (getattr(self, name)(0.0), getattr(self, name)(1.0))
            refuse(name, value, f"a value on the path, between {min(ends):.6g} and {max(ends):.6g}")
        return min(max(t, 0.0), 1.0)  # what is outside here is rounding

    def drift(self, t: Time) -> Coefficient:
        """f(t) = d log alpha/dt of the forward SDE dx = f x dt + g dW that has these marginals.

        Result: sde.linear_sde
        Source: Song et al. 2021 (score SDE), equation 5 and appendix B.
        """
        return _at(self._drift, t)

    def squared_diffusion(self, t: Time) -> Coefficient:
        """g(t)² = d sigma²/dt - 2 f sigma² of the same SDE; g itself is its root.

        Result: sde.linear_sde, sde.linear_marginal
        """
        return _at(self._squared_diffusion, t)

    def coefficients(self, t: Time, like: Tensor) -> tuple[Coefficient, Coefficient]:
        """(alpha, sigma) at time t, to be multiplied with data shaped like ``like``.

        Shapes: Python floats for a Python t; for a tensor t of shape () or (B,), tensors (B, 1, …)
            in float64 where ``like`` is and in float32 otherwise, whatever the dtype of t.
        Errors: ValueError for a number outside [0, 1], a t that is not floating-point or does not
            fit ``like``, or another device.
        """
        return self._pair(self._alpha, self._sigma, t, like)

    def derivatives(self, t: Time, like: Tensor) -> tuple[Coefficient, Coefficient]:
        """(d_alpha, d_sigma) at time t, as `coefficients` are given."""
        return self._pair(self._d_alpha, self._d_sigma, t, like)

    def forward_sde(self, t: Time, like: Tensor) -> tuple[Coefficient, Coefficient]:
        """(drift, squared_diffusion) at time t, as `coefficients` are given."""
        return self._pair(self._drift, self._squared_diffusion, t, like)

    def interpolate(self, x0: Data, noise: Data, t: Time) -> Data:
        """x_t = alpha x_0 + sigma noise.

        Shapes: x0 and noise alike, (B,) to (B, C, H, W) and beyond. The dtype follows x0; in half
            precision the result is the float32 one, rounded once.
        """
        return self._mix(self.coefficients(t, batched("x0", x0)), x0, noise)

    def velocity(self, x0: Data, noise: Data, t: Time) -> Data:
        """d x_t/dt = d_alpha x_0 + d_sigma noise, of the one pair (x_0, noise)."""
        return self._mix(self.derivatives(t, batched("x0", x0)), x0, noise)

    def line(self, x0: Data, noise: Data, t: Time) -> tuple[Data, Data]:
        """(`interpolate`, `velocity`), x_t and d x_t/dt, of the same pair at once."""
        return self.interpolate(x0, noise, t), self.velocity(x0, noise, t)

    def steps(self, n: int) -> tuple[float, ...]:
        """n + 1 times from noise to data, what `genmath.samplers.sample` takes for ``steps=n``.

        Evenly, unless a path says otherwise.
        """
        n = integer("n", n, 1)
        return tuple(i / n for i in range(n, -1, -1))

    @staticmethod
    def _mix(pair: tuple[Coefficient, Coefficient], x0: Data, noise: Data) -> Data:
        same_shape("noise", noise, "x0", x0)
        return affine(x0, pair[0], noise, pair[1])

    def _pair(
        self, first: _Formula, second: _Formula, t: Time, like: Tensor
    ) -> tuple[Coefficient, Coefficient]:
        t = check_time(t, batched("like", like))
        if not isinstance(t, Tensor):
            return _at(first, t), _at(second, t)
        wide, work = t.double(), work_dtype(like)
        return per_event(first(wide).to(work), like), per_event(second(wide).to(work), like)


@dataclass(frozen=True)
class VPPath(Path):
    """Variance-preserving, beta(t) = beta_min + t (beta_max - beta_min): a diffusion in the limit.

    alpha² = exp(-∫beta) and sigma² = 1 - alpha²; noise is reached only nearly, alpha(1) = 0.0066.

    Result: sde.vp_kernel
    Errors: ValueError unless 0 < beta_min <= beta_max.
    Source: Song et al. 2021 (score SDE), equations 11, 32 and 33.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        low = positive("beta_min", self.beta_min)
        real("beta_max", self.beta_max, f"a number >= beta_min = {low}", low)

    def _beta(self, t: Tensor) -> Tensor:
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def _integral(self, t: Tensor) -> Tensor:
        return t * (self.beta_min + t * ((self.beta_max - self.beta_min) / 2))

    def _alpha(self, t: Tensor) -> Tensor:
        return torch.exp(self._integral(t) / -2)

    def _sigma(self, t: Tensor) -> Tensor:
        # 1 - exp(-b) would lose every digit near the data.
        return torch.sqrt(0.0 - torch.expm1(-self._integral(t)))

    def _d_alpha(self, t: Tensor) -> Tensor:
        return self._beta(t) / -2 * self._alpha(t)

    def _d_sigma(self, t: Tensor) -> Tensor:
        grown = torch.expm1(self._integral(t))  # exp(-b) / sqrt(1 - exp(-b)) by exp(b) - 1
        return self._beta(t) / 2 * torch.rsqrt(grown * (grown + 1))

    def _half_log_snr(self, t: Tensor) -> Tensor:
        b = self._integral(t)
        return (b + torch.log(0.0 - torch.expm1(-b))) / -2

    def _time_of_half_log_snr(self, h: Tensor) -> Tensor:
        b = torch.logaddexp(torch.zeros_like(h), -2 * h)  # ∫beta = log(1 + 1/snr)
        # The positive root of its quadratic, in the form that divides by a sum.
        slope = self.beta_max - self.beta_min
        return 2 * b / (self.beta_min + torch.sqrt(self.beta_min**2 + 2 * slope * b))

    def _drift(self, t: Tensor) -> Tensor:
        return self._beta(t) / -2

    def _squared_diffusion(self, t: Tensor) -> Tensor:
        return self._beta(t)


@dataclass(frozen=True)
class CosinePath(Path):
    """Variance-preserving, alpha = cos(πt/2) and sigma = sin(πt/2): a quarter circle at even speed.

    Source: Salimans, Ho 2022, section 4 (t ↦ angle); the cosine of Nichol, Dhariwal 2021 without
        its offset.
    """

    def _alpha(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * (1 - t))  # exactly 0 at t = 1, where cos(π/2) is 6e-17

    def _sigma(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * t)

    def _d_alpha(self, t: Tensor) -> Tensor:
        return -math.pi / 2 * self._sigma(t)

    def _d_sigma(self, t: Tensor) -> Tensor:
        return math.pi / 2 * self._alpha(t)

    def _half_log_snr(self, t: Tensor) -> Tensor:
        return torch.log(self._alpha(t) / self._sigma(t))

    def _time_of_half_log_snr(self, h: Tensor) -> Tensor:
        return 2 / math.pi * torch.atan(torch.exp(-h))

    def _drift(self, t: Tensor) -> Tensor:
        return self._d_alpha(t) / self._alpha(t)

    def _squared_diffusion(self, t: Tensor) -> Tensor:
        return -2 * self._drift(t)


@dataclass(frozen=True)
class VEPath(Path):
    """Variance-exploding: alpha = 1 and sigma² = sigma_min² ((sigma_max/sigma_min)^2t - 1).

    This is the exact kernel of the SDE, so that x_0 is clean data; sigma_min is a scale near the
    data and no floor, and sigma(1) falls short of sigma_max by a factor √(1 - (min/max)²).

    Result: sde.ve_kernel
    Errors: ValueError unless 0 < sigma_min < sigma_max.
    Source: Song et al. 2021 (score SDE), equations 29 to 31; there sigma(t)² - sigma(0)² is in the
        end replaced by sigma(t)².
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        _two_levels(self.sigma_max, self.sigma_min)

    @property
    def _rate(self) -> float:
        return 2 * math.log(self.sigma_max / self.sigma_min)

    def _alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def _sigma(self, t: Tensor) -> Tensor:
        return self.sigma_min * torch.sqrt(torch.expm1(self._rate * t))

    def _d_alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def _d_sigma(self, t: Tensor) -> Tensor:
        return self._squared_diffusion(t) / (2 * self._sigma(t))

    def _half_log_snr(self, t: Tensor) -> Tensor:
        return -torch.log(self._sigma(t))

    def _time_of_half_log_snr(self, h: Tensor) -> Tensor:
        return torch.log1p(torch.exp(-2 * h) / self.sigma_min**2) / self._rate

    def _drift(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def _squared_diffusion(self, t: Tensor) -> Tensor:
        return self.sigma_min**2 * self._rate * torch.exp(self._rate * t)


@dataclass(frozen=True)
class EDMPath(Path):
    """x_t = x_0 + sigma noise with sigma = sigma_max t: the noise level itself is the time.

    ``sigma_min`` and ``rho`` choose the times of a sampler and nothing else: `steps`.

    Result: edm.exact
    Errors: ValueError unless 0 < sigma_min < sigma_max and rho > 0.
    Source: Karras, Aittala, Aila, Laine 2022, table 1, with their time divided by sigma_max.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        _two_levels(self.sigma_max, self.sigma_min)
        positive("rho", self.rho)

    def steps(self, n: int) -> tuple[float, ...]:
        """The times of n of the `rho_levels`, the last of which leads to clean data."""
        n = integer("n", n, 1)
        if n == 1:
            return 1.0, 0.0
        levels = rho_levels(self.sigma_max, self.sigma_min, n, rho=self.rho).tolist()
        return (*(level / self.sigma_max for level in levels), 0.0)

    def _alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def _sigma(self, t: Tensor) -> Tensor:
        return self.sigma_max * t

    def _d_alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def _d_sigma(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.sigma_max)

    def _half_log_snr(self, t: Tensor) -> Tensor:
        return -torch.log(self._sigma(t))

    def _time_of_half_log_snr(self, h: Tensor) -> Tensor:
        return torch.exp(-h) / self.sigma_max

    def _drift(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def _squared_diffusion(self, t: Tensor) -> Tensor:
        return 2 * self.sigma_max**2 * t


def rho_levels(sigma_max: float, sigma_min: float, n: int, *, rho: float = 7.0) -> Levels:
    """n noise levels from sigma_max down to sigma_min whose rho-th roots are evenly spaced.

    rho = 1 is even in sigma, and a large rho nearly geometric. The length of a step is
    about proportional to sigma^(1 - 1/rho).

    Result: edm.rho_grid
    Shapes: (n,), float64.
    Errors: ValueError unless 0 < sigma_min < sigma_max, n >= 2 and rho > 0.
    Source: Karras, Aittala, Aila, Laine 2022, equation 5.
    """
    high, low = _two_levels(sigma_max, sigma_min)
    n, rho = integer("n", n, 2), positive("rho", rho)
    share = torch.linspace(0, 1, n, dtype=torch.float64, device="cpu")
    # As a share of the largest, so that no power overflows
    levels = high * (1 - share * -math.expm1(math.log(low / high) / rho)) ** rho
    levels[-1] = low  # to the last digit
    return levels


def _two_levels(sigma_max: float, sigma_min: float) -> tuple[float, float]:
    low, high = positive("sigma_min", sigma_min), positive("sigma_max", sigma_max)
    if high <= low:
        refuse("sigma_max", sigma_max, f"a number > sigma_min = {low}")
    return high, low


@dataclass(frozen=True)
class LinearPath(Path):
    """alpha = 1 - t and sigma = t: straight lines from data to noise, of constant velocity.

    Source: Liu, Gong, Liu 2022 (rectified flow), equation 1, with data at t = 0; Lipman et al. 2022
        have the same in the other direction, see `reverse_time`.
    """

    def _alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def _sigma(self, t: Tensor) -> Tensor:
        return t

    def _d_alpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, -1.0)

    def _d_sigma(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def _half_log_snr(self, t: Tensor) -> Tensor:
        return torch.log1p(-t) - torch.log(t)

    def _time_of_half_log_snr(self, h: Tensor) -> Tensor:
        return torch.sigmoid(-h)

    def _drift(self, t: Tensor) -> Tensor:
        return -1 / (1 - t)

    def _squared_diffusion(self, t: Tensor) -> Tensor:
        return 2 * t / (1 - t)

    # Here one operation in the dtype of the data is as exact as float64, and training does many.

    def interpolate(self, x0: Data, noise: Data, t: Time) -> Data:
        if not _ready(t, x0, noise):
            return super().interpolate(x0, noise, t)
        return torch.lerp(x0, noise, per_event(t, x0))  # exact at both ends

    def velocity(self, x0: Data, noise: Data, t: Time) -> Data:
        if _ready(t, x0, noise):
            return noise - x0
        check_time(t, batched("x0", x0))
        same_shape("noise", noise, "x0", x0)
        work = work_dtype(x0)
        return (noise.to(work) - x0.to(work)).to(x0.dtype)

    def line(self, x0: Data, noise: Data, t: Time) -> tuple[Data, Data]:
        if not _ready(t, x0, noise):
            return super().line(x0, noise, t)
        return torch.lerp(x0, noise, per_event(t, x0)), noise - x0


def _ready(t: Time, x0: object, noise: object) -> TypeGuard[Tensor]:
    """Whether there is nothing to convert and nothing to refuse: one time a sample of the pair."""
    return (
        isinstance(x0, Tensor)
        and isinstance(noise, Tensor)
        and isinstance(t, Tensor)
        and t.dtype == noise.dtype == x0.dtype
        and x0.dtype in (torch.float32, torch.float64)
        and noise.shape == x0.shape
        and t.ndim == 1
        and x0.ndim > 0
        and t.shape[0] == x0.shape[0]
        and t.device == x0.device
    )


@dataclass(frozen=True)
class _Reversed(Path):
    """The same path run from noise at t = 0 to data at t = 1."""

    path: Path

    def steps(self, n: int) -> tuple[float, ...]:
        return tuple(1 - t for t in self.path.steps(n))

    def _alpha(self, t: Tensor) -> Tensor:
        return self.path._alpha(1 - t)

    def _sigma(self, t: Tensor) -> Tensor:
        return self.path._sigma(1 - t)

    def _d_alpha(self, t: Tensor) -> Tensor:
        return -self.path._d_alpha(1 - t)

    def _d_sigma(self, t: Tensor) -> Tensor:
        return -self.path._d_sigma(1 - t)

    def _half_log_snr(self, t: Tensor) -> Tensor:
        return self.path._half_log_snr(1 - t)

    def _time_of_half_log_snr(self, h: Tensor) -> Tensor:
        return 1 - self.path._time_of_half_log_snr(h)

    def _drift(self, t: Tensor) -> Tensor:
        refuse("path", self, "one that runs from data to noise, as its forward SDE does")

    def _squared_diffusion(self, t: Tensor) -> Tensor:
        return self._drift(t)


def reverse_time(path: Path) -> Path:
    """The same path with the clock turned round: noise at t = 0 and data at t = 1.

    Lipman et al. and the torchcfm package count time so. Derivatives change sign; reversed twice, a
    path is itself again. The reversed path has no forward SDE: `drift` is refused.

    Result: flow_matching.reverse_time
    Errors: ValueError unless path is a Path.
    """
    instance("path", path, Path, "a Path, such as LinearPath()")
    return path.path if isinstance(path, _Reversed) else _Reversed(path)


# Which times to train at, and to sample at


def shift_time(t: Time, shift: float) -> Coefficient:
    """shift·t/(1 + (shift - 1) t): more time near the noise for shift > 1, and both ends kept.

    Its logit is that of t plus log(shift). So shifts compose, shift_time(shift_time(t, a), b) being
    shift_time(t, a·b), and on the `LinearPath` alpha/sigma is divided by ``shift`` at every t.

    Result: flow_matching.shift_time
    Shapes: a number, or a tensor of any shape, as for a `Path`.
    Errors: ValueError unless shift > 0.
    Source: Esser et al. 2024 (Stable Diffusion 3), equation 23, shift = √(m/n).
    """
    shift = positive("shift", shift)
    # 1 - t + shift·t, and not 1 + (shift - 1) t, so that t = 1 gives exactly 1
    return _at(lambda s: shift * s / ((1 - s) + shift * s), t)


def shifted_density(t: Time, shift: float) -> Coefficient:
    """The density of shift_time(u, shift) for u uniform on [0, 1], at t in [0, 1].

    Result: flow_matching.shift_time
    Errors: ValueError unless shift > 0.
    """
    shift = positive("shift", shift)
    return _at(lambda s: shift / (s + shift * (1 - s)) ** 2, t)


def logit_normal_time(
    n: int,
    *,
    generator: torch.Generator,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: torch.dtype = torch.float32,
) -> PerSample:
    """n times with logit(t) ~ N(mean, std²), on the generator's device.

    Shifted by `shift_time` they are again such times, with mean + log(shift).

    Errors: ValueError for a negative n, an infinite mean, std <= 0 or a missing generator.
    Source: Esser et al. 2024 (Stable Diffusion 3), equation 19.
    """
    n, device = integer("n", n, 0), rng(generator).device
    mean, std = real("mean", mean, "a finite number", -math.inf), positive("std", std)
    dtype = float_dtype(dtype)
    z = torch.randn(n, generator=generator, dtype=torch.float64, device=device)
    return torch.sigmoid(mean + std * z).to(dtype)


def logit_normal_density(t: Time, mean: float = 0.0, std: float = 1.0) -> Coefficient:
    """The density of `logit_normal_time` at t in [0, 1]; 0 at both ends.

    Result: flow_matching.logit_normal_time
    Errors: ValueError for an infinite mean or std <= 0.
    Source: Esser et al. 2024 (Stable Diffusion 3), equation 19.
    """
    mean, std = real("mean", mean, "a finite number", -math.inf), positive("std", std)

    def density(s: Tensor) -> Tensor:
        z = (torch.logit(s) - mean) / std
        p = torch.exp(log_normal(z)) / (std * s * (1 - s))
        return torch.where((s > 0) & (s < 1), p, torch.zeros_like(s))

    return _at(density, t)


def _at(formula: _Formula, t: Time, name: str = "t", high: float = 1.0) -> Coefficient:
    """A formula on float64 tensors, at a number in [0, 1] or at a tensor."""
    if isinstance(t, Tensor):
        if not t.dtype.is_floating_point:
            refuse(name, describe(t), "a floating-point tensor")
        if high == 1.0:
            between(name, t, "times in [0, 1]", 0.0, 1.0)
        return formula(t.double()).to(work_dtype(t))
    t = real(name, t, "a number in [0, 1]", 0.0, 1.0)
    return float(formula(torch.tensor(t, dtype=torch.float64, device="cpu")).item())


# Discrete steps

MOST_STEPS = 10**6


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """The variance-preserving path of a discrete diffusion, from its noise variances beta.

    Result: ddpm.forward_marginal
    Shapes: every table is float64, on the CPU, of length T + 1; ``beta[0]`` is 0.
    Accuracy: sigma comes from expm1 of the summed log1p(-beta), so it is exact near the data too.
    Errors: ValueError unless beta is one-dimensional, starts with 0, and is in (0, 1) after that.
    Source: Ho, Jain, Abbeel 2020, equation 4. Their alpha_t is 1 - beta_t, which has no name here;
        here alpha = sqrt(alpha_bar).
    """

    beta: PerStep
    T: int = field(init=False)  # the number of steps
    log_alpha_bar: PerStep = field(init=False)
    alpha_bar: PerStep = field(init=False)
    alpha: PerStep = field(init=False)
    sigma: PerStep = field(init=False)
    snr: PerStep = field(init=False)
    half_log_snr: PerStep = field(init=False)
    _alpha: Table = field(init=False)
    _sigma: Table = field(init=False)

    def __post_init__(self) -> None:
        beta = _beta_table(self.beta)
        log_alpha_bar = torch.tensor(
            _running_sums(math.log1p(-b) for b in beta.tolist()), dtype=torch.float64, device="cpu"
        )
        alpha_bar = torch.exp(log_alpha_bar)
        variance = 0.0 - torch.expm1(log_alpha_bar)  # 0.0 - 0.0 is 0.0, where -(0.0) is -0.0
        set_field = object.__setattr__
        set_field(self, "beta", beta)
        set_field(self, "T", len(beta) - 1)
        set_field(self, "log_alpha_bar", log_alpha_bar)
        set_field(self, "alpha_bar", alpha_bar)
        set_field(self, "alpha", torch.exp(log_alpha_bar / 2))
        set_field(self, "sigma", torch.sqrt(variance))
        set_field(self, "snr", alpha_bar / variance)
        set_field(self, "half_log_snr", (log_alpha_bar - torch.log(variance)) / 2)
        set_field(self, "_alpha", Table(self.alpha))
        set_field(self, "_sigma", Table(self.sigma))

    @classmethod
    def from_steps(cls, beta: Sequence[float] | Tensor) -> Schedule:
        """The schedule of beta_1, …, beta_T, given without the leading 0."""
        return cls(torch.tensor([0.0, *_floats(beta)], dtype=torch.float64, device="cpu"))

    def coefficients(self, t: Step, like: Tensor) -> tuple[Coefficient, Coefficient]:
        """(alpha, sigma) at step t in 0..T, to be multiplied with data shaped like ``like``.

        Shapes: Python floats for a Python t; for a tensor t of shape (B,), tensors (B, 1, …, 1) on
            its device, in float64 where ``like`` is and in float32 otherwise.
        Errors: ValueError for a Python t outside 0..T, a t that is not integer, another shape or
            device. The values in a tensor t are not read here: beyond the table, torch raises.
        """
        t = check_step(t, batched("like", like), 0, self.T)
        return self._alpha.at(t, like), self._sigma.at(t, like)

    def __repr__(self) -> str:
        return f"Schedule(T={self.T}, alpha_bar_T={float(self.alpha_bar[-1]):.3g})"


def linear_schedule(
    T: int, beta_start: float = 1e-4, beta_end: float = 0.02, *, scaled: bool = False
) -> Schedule:
    """Noise variances that grow linearly from beta_start at step 1 to beta_end at step T.

    The default ends are those of T = 1000. With fewer steps they leave data at the end (alpha_bar_T
    = 0.36 for T = 100), where a sampler begins with noise alone: ``scaled`` multiplies both ends by
    1000/T, so that about as much is left as at T = 1000.

    Errors: ValueError unless T >= 1 and both ends are in (0, 1), once scaled.
    Source: Ho, Jain, Abbeel 2020, section 4 (T = 1000 and the default ends).
    """
    T = integer("T", T, 1, MOST_STEPS)
    ends = (("beta_start", beta_start), ("beta_end", beta_end))
    times = 1000 / T if flag("scaled", scaled) else 1.0
    beta_start, beta_end = (
        _inside_unit(name, _inside_unit(name, value) * times) for name, value in ends
    )
    return Schedule.from_steps(
        torch.linspace(beta_start, beta_end, T, dtype=torch.float64, device="cpu")
    )


def cosine_schedule(T: int, s: float = 0.008, max_beta: float = 0.999) -> Schedule:
    """alpha_bar_t = f(t) / f(0), f(t) = cos²(π/2 · (t/T + s)/(1 + s)), with beta at most max_beta.

    The cap is part of the published schedule; without it beta_T = 1: the last step keeps nothing.

    Errors: ValueError unless T >= 1, s >= 0 and max_beta in (0, 1).
    Source: Nichol, Dhariwal 2021, equation 17 and the text below it.
    """
    T = integer("T", T, 1, MOST_STEPS)
    s = real("s", s, "a number >= 0", 0.0)
    max_beta = _inside_unit("max_beta", max_beta)
    return Schedule.from_steps([min(_cosine_beta(t, T, s), max_beta) for t in range(1, T + 1)])


def _cosine_beta(t: int, T: int, s: float) -> float:
    # 1 - f(t)/f(t-1) loses twelve digits near t = 1. With c the angle left to π/2, f = sin²(c) and
    # 1 - sin²(c)/sin²(c') = sin(c' - c) sin(c' + c) / sin²(c'), which loses none.
    unit = math.pi / (2 * T * (1 + s))
    before = unit * (T - t + 1)
    both = unit * min(2 * T - 2 * t + 1, 2 * t - 1 + 2 * s * T)  # sin(c' + c), from the nearer end
    return math.sin(unit) * math.sin(both) / math.sin(before) ** 2


def _running_sums(terms: Iterable[float]) -> list[float]:
    # Neumaier's compensation: plain sums are off by 5e-13 after 20,000 steps.
    sums, total, lost = [], 0.0, 0.0
    for term in terms:
        new = total + term
        big, small = (total, term) if abs(total) >= abs(term) else (term, total)
        lost += (big - new) + small
        total = new
        sums.append(total + lost)
    return sums


def _inside_unit(name: str, value: float) -> float:
    number = real(name, value, "a number in (0, 1)", 0.0, 1.0)
    if number in (0.0, 1.0):
        refuse(name, describe(value), "a number in (0, 1)")
    return number


def _floats(beta: object) -> list[float]:
    expected = "a one-dimensional table of numbers in (0, 1)"
    return [real("beta", b, expected, -math.inf) for b in listed("beta", beta, expected)]


def _beta_table(beta: object) -> Tensor:
    numbers = _floats(beta)
    if len(numbers) < 2 or numbers[0] != 0.0:
        refuse(
            "beta",
            describe(beta),
            "T + 1 numbers, beta[0] = 0 for clean data (Schedule.from_steps takes the T alone)",
        )
    for t, b in enumerate(numbers[1:], start=1):
        if not 0.0 < b < 1.0:
            refuse(f"beta[{t}]", b, "a number in (0, 1)")
    return torch.tensor(numbers, dtype=torch.float64, device="cpu")
