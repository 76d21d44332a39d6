"""Paths from data to noise, x_t = alpha(t) x + sigma(t) eps, as tables over discrete steps.

Index 0 of every table is clean data (alpha = 1, sigma = 0); the steps are 1..T.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from genmath._batch import Table, check_step
from genmath._checks import batched, describe, integer, real, refuse
from genmath._shapes import Coefficient, PerStep, Step
from genmath._torch import Tensor, torch

__all__ = ["Schedule", "cosine_schedule", "linear_schedule"]


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

    def coefficients(self, t: Step, x: Tensor) -> tuple[Coefficient, Coefficient]:
        """(alpha, sigma) at step t in 0..T, to be multiplied with data shaped like x.

        Shapes: Python floats for a Python t; for a tensor t of shape (B,), tensors (B, 1, …, 1) on
            the device of x, in float64 where x is float64 and in float32 otherwise.
        Errors: ValueError for a Python t outside 0..T, a t that is not integer, another shape or
            device. The values in a tensor t are not read here: beyond the table, torch raises.
        """
        t = check_step(t, batched("x", x), 0, self.T)
        return self._alpha.at(t, x), self._sigma.at(t, x)

    def __repr__(self) -> str:
        return f"Schedule(T={self.T}, alpha_bar_T={float(self.alpha_bar[-1]):.3g})"


def linear_schedule(T: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> Schedule:
    """Noise variances that grow linearly from beta_start at step 1 to beta_end at step T.

    Errors: ValueError unless T >= 1 and both ends are in (0, 1).
    Source: Ho, Jain, Abbeel 2020, section 4 (T = 1000 and the default ends).
    """
    T = integer("T", T, 1)
    for name, value in (("beta_start", beta_start), ("beta_end", beta_end)):
        _inside_unit(name, value)
    return Schedule.from_steps(
        torch.linspace(beta_start, beta_end, T, dtype=torch.float64, device="cpu")
    )


def cosine_schedule(T: int, s: float = 0.008, max_beta: float = 0.999) -> Schedule:
    """alpha_bar_t = f(t) / f(0), f(t) = cos²(π/2 · (t/T + s)/(1 + s)), with beta at most max_beta.

    The cap is part of the published schedule; without it beta_T = 1: the last step keeps nothing.

    Errors: ValueError unless T >= 1, s >= 0 and max_beta in (0, 1).
    Source: Nichol, Dhariwal 2021, equation 17 and the text below it.
    """
    T = integer("T", T, 1)
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
        refuse(name, repr(value), "a number in (0, 1)")
    return number


def _floats(beta: object) -> list[float]:
    try:
        return [float(b) for b in (beta.tolist() if isinstance(beta, Tensor) else beta)]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        refuse("beta", describe(beta), "a one-dimensional table of numbers in (0, 1)")


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
