"""EDM: how much an error counts, and what a network sees and says at each noise level.

Weights of a loss are weights of one kind of error: an error of the noise is not one of the data,
and `weight_ratio` says what a weight becomes. A `Preconditioned` network sees its input at unit
variance and is asked for a target of unit variance, at every noise level of any path; with its loss
`edm_loss` it predicts "x0". The solvers that belong to it are in `genmath.samplers`, the noise
levels they visit in `genmath.paths.EDMPath`.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

from genmath._base.batch import check_time, per_event, sum_event, work_dtype
from genmath._base.checks import (
    batched,
    between,
    describe,
    floating,
    instance,
    module,
    one_of,
    positive,
    real,
    refuse,
    some,
)
from genmath._base.draws import Generators, draw_
from genmath._base.shapes import Coefficient, Data, Scalar, Time
from genmath._base.steps import check_draws, check_path, one_noise, output
from genmath._base.torch import Tensor, nn, torch
from genmath.paths import Path
from genmath.predictions import PREDICTIONS, coefficients

__all__ = [
    "Preconditioned",
    "Preconditioning",
    "edm_loss",
    "edm_weight",
    "min_snr_weight",
    "preconditioning",
    "weight_ratio",
]


# Weights


def weight_ratio(
    alpha: Coefficient,
    sigma: Coefficient,
    *,
    source: str,
    target: str,
    d_alpha: Coefficient | None = None,
    d_sigma: Coefficient | None = None,
) -> Coefficient:
    """w_target / w_source for two weighted losses that are the same loss.

    w_source ‖error of source‖² = w_target ‖error of target‖² at every x_t, for a model whose two
    predictions mean the same.

    Result: edm.errors
    Shapes: as for `genmath.predictions.coefficients`.
    Errors: ValueError for an unknown name, or where an error of the target is none of the source.
    """
    one_of("source", source, PREDICTIONS)
    one_of("target", target, PREDICTIONS)
    first, _ = coefficients(
        alpha, sigma, source=target, target=source, d_alpha=d_alpha, d_sigma=d_sigma
    )
    return first**2


def min_snr_weight(
    alpha: Coefficient, sigma: Coefficient, *, gamma: float = 5.0, prediction: str = "eps"
) -> Coefficient:
    """min(snr, gamma) on the error of the data, said of the error of the prediction.

    On a variance-preserving path that is min(snr, gamma)/snr for "eps" and min(snr, gamma)/(snr +
    1) for "v", and not min(snr + 1, gamma)/(snr + 1). Where snr is infinite, it is the limit.

    Result: edm.min_snr
    Shapes: alpha and sigma numbers, or tensors that broadcast; the dtype follows them.
    Errors: ValueError unless gamma > 0, alpha and sigma are >= 0 and not both 0, or for another
        prediction than "x0", "eps", "v" and "score".
    Source: Hang et al. 2023, equation 8 and appendix.
    """
    gamma = positive("gamma", gamma)
    one_of("prediction", prediction, ("x0", "eps", "v", "score"))
    a, s = _level("alpha", alpha), _level("sigma", sigma)
    if not isinstance(a, Tensor) and not isinstance(s, Tensor):
        if a == s == 0:
            refuse("alpha, sigma", (alpha, sigma), "one of them above 0")
        return float(_min_snr(_wide(a), _wide(s), gamma, prediction))
    return _min_snr(_wide(a), _wide(s), gamma, prediction)


def _min_snr(alpha: Tensor, sigma: Tensor, gamma: float, prediction: str) -> Tensor:
    # Each divides by nothing that is 0 where the weight itself is finite.
    a2, s2 = alpha**2, sigma**2
    if prediction == "x0":
        return torch.clamp(a2 / s2, max=gamma)
    if prediction == "v":
        return torch.minimum(a2, gamma * s2) / (a2 + s2) ** 2
    of_eps = torch.clamp(gamma * s2 / a2, max=1.0)
    return of_eps if prediction == "eps" else of_eps * s2


def edm_weight(alpha: Coefficient, sigma: Coefficient, *, sigma_data: float) -> Coefficient:
    """1/c_out², the weight on the error of the data with which every level counts alike.

    An untrained network, which answers 0, has then a loss of 1 at every noise level, for data of
    standard deviation ``sigma_data`` around 0.

    Result: edm.weight
    Errors: ValueError unless sigma_data > 0; numbers that are not >= 0, or sigma = 0.
    Source: Karras, Aittala, Aila, Laine 2022, table 1, λ(σ).
    """
    _, c_out, _, _ = preconditioning(alpha, sigma, sigma_data=sigma_data)
    if not isinstance(c_out, Tensor) and c_out == 0:
        refuse("sigma", describe(sigma), "a number > 0: without noise no error is left to weigh")
    return c_out**-2


# Preconditioning


class Preconditioning(NamedTuple):
    """x0 = c_skip x_t + c_out · network(c_in x_t, c_noise)."""

    c_skip: Coefficient
    c_out: Coefficient
    c_in: Coefficient
    c_noise: Coefficient


def preconditioning(
    alpha: Coefficient, sigma: Coefficient, *, sigma_data: float
) -> Preconditioning:
    """The four coefficients for data of standard deviation ``sigma_data`` around 0.

    With V = alpha² sigma_data² + sigma², the variance of x_t: c_skip = alpha sigma_data²/V, c_out =
    sigma sigma_data/√V, c_in = 1/√V, c_noise = log(sigma/alpha)/4. alpha = 1 is EDM.

    Result: edm.scaled, edm.least
    Shapes: alpha and sigma numbers, or tensors that broadcast; tensors are not read.
    Errors: ValueError unless sigma_data > 0, alpha and sigma are >= 0 and not both 0.
    Source: Karras, Aittala, Aila, Laine 2022, table 1 and appendix B.6.
    """
    data = positive("sigma_data", sigma_data)
    a, s = _level("alpha", alpha), _level("sigma", sigma)
    if isinstance(a, Tensor) or isinstance(s, Tensor):
        return _scales(_wide(a), _wide(s), data)
    if a == s == 0:
        refuse("alpha, sigma", (alpha, sigma), "one of them above 0")
    return Preconditioning(*(float(cast(Tensor, c)) for c in _scales(_wide(a), _wide(s), data)))


def _scales(alpha: Tensor, sigma: Tensor, data: float) -> Preconditioning:
    root = torch.hypot(alpha * data, sigma)
    share = alpha * (data / root) ** 2
    return Preconditioning(share, sigma * data / root, 1 / root, torch.log(sigma / alpha) / 4)


def _level(name: str, value: Coefficient) -> Coefficient:
    if not isinstance(value, Tensor):
        return real(name, value, "a number >= 0", 0.0)
    between(name, floating(name, value), "a number >= 0", 0.0)
    return value


def _wide(value: Coefficient) -> Tensor:
    """A tensor as it is; a number in float64, without a dimension, so that it decides no dtype."""
    if isinstance(value, Tensor):
        return value
    return torch.tensor(value, dtype=torch.float64, device="cpu")


class Preconditioned(nn.Module):
    """A denoiser: a network that sees and says numbers of unit variance, at every noise level.

    x0 = c_skip x_t + c_out · model(c_in x_t, c_noise), with `preconditioning` at the level of t. It
    predicts "x0", and `genmath.samplers.sample` takes it as it is.

    Result: edm.scaled
    Shapes: x_t (B, …), t a number or (B,); the model is called as model(x, c_noise), c_noise (B,),
        and returns what is shaped like x.
    Errors: ValueError unless model is a module, path a `Path` and sigma_data > 0; in use, for a t
        that does not fit or a model output that does not.
    Source: Karras, Aittala, Aila, Laine 2022, equation 7.
    """

    def __init__(self, model: nn.Module, path: Path, *, sigma_data: float) -> None:
        super().__init__()
        module("model", model)
        check_path(path)
        self.model, self.path = model, path
        self.sigma_data = positive("sigma_data", sigma_data)

    def forward(self, x_t: Data, t: Time) -> Data:
        c = self.coefficients(t, batched("x_t", x_t))
        return (c.c_skip * x_t + c.c_out * self._said(x_t, c)).to(x_t.dtype)

    def coefficients(self, t: Time, like: Tensor) -> Preconditioning:
        """`preconditioning` at t, each a tensor that multiplies data shaped like ``like``."""
        t = check_time(t, batched("like", like))
        if not isinstance(t, Tensor):
            t = torch.tensor(t, dtype=torch.float64, device=like.device)
        wide = t.double().expand(len(like)) if t.ndim == 0 else t.double()
        alpha, sigma = (cast(Tensor, of(wide)) for of in (self.path.alpha, self.path.sigma))
        made = preconditioning(alpha, sigma, sigma_data=self.sigma_data)
        work = work_dtype(like)
        return Preconditioning(*(per_event(cast(Tensor, c).to(work), like) for c in made))

    def _said(self, x_t: Tensor, c: Preconditioning) -> Tensor:
        """What the network itself says, of unit size."""
        seen = (c.c_in * x_t).to(x_t.dtype)
        level = cast(Tensor, c.c_noise).reshape(-1).to(x_t.dtype)
        return output("model", self.model(seen, level), "x_t", x_t)


def edm_loss(
    model: Preconditioned,
    x0: Data,
    *,
    t: Time | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    mean: float = -1.2,
    std: float = 1.2,
) -> Scalar:
    """edm_weight · ‖model(x_t, t) - x0‖², summed over the event and averaged over the batch.

    Computed as the error of the network itself, which is the same and of unit size at each level.
    What is not given is drawn: standard normal noise, and times at which log(sigma/alpha) is
    normal with this mean and std (those beyond the path's end at its end).

    Result: edm.weight
    Shapes: x0 and noise (B, …) alike; t a number or (B,). The dtype follows x0.
    Errors: ValueError unless model is `Preconditioned`; for an empty batch, shapes that differ,
        std <= 0, or unless a generator is given exactly where something is drawn.
    Source: Karras, Aittala, Aila, Laine 2022, equation 8 and table 1.
    """
    instance("model", model, Preconditioned, "a Preconditioned network")
    some("x0", x0)
    mean, std = real("mean", mean, "a finite number", -math.inf), positive("std", std)
    check_draws(generator, x0, t, noise)
    if t is not None:
        t = check_time(t, x0)
        if not isinstance(t, Tensor) and t == 0:
            refuse("t", t, "a time > 0: without noise nothing is left to say")
    noise = one_noise(noise, generator if noise is None else None, x0, "x0")
    if t is None:
        z = torch.empty(len(x0), dtype=torch.float64, device=x0.device)
        level = mean + std * draw_(z, cast(Generators, generator))
        times = cast(Tensor, model.path.time_of_half_log_snr(-level))
        t = times.clamp(0.0, 1.0).to(work_dtype(x0))
    x_t = model.path.interpolate(x0, noise, t)
    c = model.coefficients(t, x_t)
    work = work_dtype(x0)
    target = (x0.to(work) - c.c_skip * x_t.to(work)) / c.c_out
    errors = sum_event((model._said(x_t, c).to(work) - target) ** 2, 1)
    return errors.mean().to(x0.dtype)
