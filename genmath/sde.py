"""Diffusions dx = f x dt + g dW: their moments, the way back to the data, and likelihoods.

A `Path` has one such forward equation, with f = path.drift(t) and g² = path.squared_diffusion(t),
from data at t = 0 to noise at t = 1. Backwards a whole family of equations has the same marginals:
`genmath.samplers.ReverseSDE` runs each, `Euler` and `Heun` its noiseless member.

    x = sample(model, shape, VPPath(), ReverseSDE(), steps=500, prediction="score", ...)
    nats = log_likelihood(model, x, VPPath(), FixedSteps(100))

A score is that of the noisy marginal. Half precision is computed in float32 and cast last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

from genmath._base.batch import affine, check_time, per_event, per_sample, sum_event, work_dtype
from genmath._base.checks import apart, batched, function, one_of, read, real, refuse, same_shape
from genmath._base.draws import Generators
from genmath._base.normal import Moments, log_normal
from genmath._base.shapes import Coefficient, Data, PerSample, Time
from genmath._base.slopes import slope
from genmath._base.steps import Model, call, check_path, one_each, one_noise
from genmath._base.torch import Tensor, torch
from genmath.paths import Path
from genmath.predictions import PREDICTIONS, convert
from genmath.solvers import FixedSteps, Solver, Trace, transport

__all__ = [
    "Moments",
    "forward_step",
    "linear_sde_moments",
    "log_likelihood",
    "ornstein_uhlenbeck_moments",
    "probability_flow_velocity",
    "reverse_drift",
]

Prior = Callable[[Tensor], Tensor]
HUNDRED = FixedSteps(100)


# Forward


def ornstein_uhlenbeck_moments(x0: Data, rate: float, diffusion: float, t: Coefficient) -> Moments:
    """Mean and variance at time t of dX = -rate X dt + diffusion dW from X = x_0; a normal law.

    It forgets x_0 and settles at the variance diffusion²/(2 rate), which t = math.inf gives. With
    rate = 0 it is Brownian motion, of variance diffusion² t.

    Result: sde.ornstein_uhlenbeck
    Shapes: x0 (B, …); t a number or one value a sample, of any size. The variance is a scalar for
        one t, (B, 1, …, 1) for one a sample. The dtype follows x0.
    Errors: ValueError for negative numbers, or rate = 0 without end; tensors are not read.
    Source: Uhlenbeck, Ornstein 1930.
    """
    batched("x0", x0)
    rate = real("rate", rate, "a number >= 0", 0.0)
    g = real("diffusion", diffusion, "a number >= 0", 0.0)
    settled = isinstance(t, float) and t == math.inf
    if settled and rate == 0:
        refuse("rate", rate, "a number > 0: without one the variance never settles")
    t = t if settled else per_sample("t", t, x0)
    wide = torch.as_tensor(t, dtype=torch.float64, device=x0.device)
    # 1 - exp(-u) would lose every digit where little has happened yet; expm1(-u)/-u is 1 at least
    # from u = 1e-300 down.
    u = (2 * rate * wide).clamp(min=1e-300)
    time = 1 / u.new_tensor(2 * rate) if settled else wide * (torch.expm1(-u) / -u)
    return _moments(x0, torch.exp(-rate * wide), g**2 * time)


def linear_sde_moments(
    x: Data, t: Time, path: Path, *, start: Time = 0.0, variance: Coefficient = 0.0
) -> Moments:
    """Mean and variance at t of what had mean x and this variance at ``start``.

    The solution of the moment equations m' = f m and v' = 2 f v + g² of the path's forward SDE:
    with r = alpha(t)/alpha(start), r x and r² variance + sigma(t)² - r² sigma(start)². As it
    stands it is the perturbation kernel p(x_t | x_0), and with a ``start`` the transition kernel.

    Result: sde.moment_equations
    Shapes: x (B, …); the times and the variance numbers or one value a sample. The variance that
        is returned is a scalar or (B, 1, …, 1). The dtype follows x.
    Accuracy: the relative error of the variance is below 1e-15/(t - start).
    Errors: ValueError for a negative variance, and for numbers unless 0 <= start <= t <= 1, or
        where nothing of the data is left at the start; tensors are not read.
    Source: Särkkä, Solin 2019, equations 5.50 and 5.51; Song et al. 2021 (score SDE), equation 29.
    """
    _check_path(path)
    t, start = check_time(t, batched("x", x)), check_time(start, x, "start")
    if not isinstance(start, Tensor):
        if path.alpha(start) == 0.0:
            refuse("start", start, "a time at which something of the data is left")
        if not isinstance(t, Tensor) and t < start:
            refuse("t", t, f"a time >= start = {start:g}")
    late, early = (torch.as_tensor(u, dtype=torch.float64, device=x.device) for u in (t, start))
    ratio, sigma = _wide(path.alpha, late) / _wide(path.alpha, early), _wide(path.sigma, late)
    # sigma² - ratio² sigma(start)² by way of log(alpha/sigma), which is infinite at clean data
    now, then = _wide(path.half_log_snr, late), _wide(path.half_log_snr, early)
    gap = torch.where(now == then, 0.0, now - then)
    fresh = sigma**2 * (0.0 - torch.expm1(2 * gap))
    before = per_sample("variance", variance, x)
    return _moments(x, per_event(ratio, x), per_event(ratio, x) ** 2 * before + per_event(fresh, x))


def forward_step(
    x: Data,
    t: Time,
    h: Coefficient,
    path: Path,
    *,
    generator: Generators | None = None,
    noise: Data | None = None,
) -> Data:
    """x + h f x + √h g noise, an Euler-Maruyama step of the forward SDE.

    DDPM steps by √(1 - beta) x + √beta noise, with beta = h g² on the `VPPath`: the same noise, and
    a factor that is smaller than 1 - beta/2 by about beta²/8. For a step without error draw from
    `linear_sde_moments`.

    Result: sde.ito, sde.ddpm_step
    Shapes: x and noise alike; t and h numbers or one value a sample. The dtype follows x.
    Errors: ValueError for shapes that differ, h < 0, numbers with t + h > 1, a number t at which f
        or g is infinite, or unless exactly one of ``noise`` and ``generator`` is given.
    Source: Kloeden, Platen 1992, section 9.1; Song et al. 2021 (score SDE), appendix B.
    """
    f, g2 = _coefficients(path, t, batched("x", x))
    step = per_sample("h", h, x)
    _check_end(t, h)
    z = one_noise(noise, generator, x, "x")
    variance = step * g2
    std = variance.sqrt() if isinstance(variance, Tensor) else math.sqrt(variance)
    return affine(x, 1 + step * f, z, std)


def _check_end(t: Time, h: Coefficient) -> None:
    """A step does not lead past t = 1, where the path ends; numbers are read, tensors are not."""
    now, length = (read(c) if isinstance(c, Tensor) else float(c) for c in (t, h))
    if now is not None and length is not None and now + length > 1 + 1e-12:
        refuse("h", length, f"a step of at most {1 - now:g}: the path ends at t = 1")


# Backward


def reverse_drift(score: Data, x: Data, t: Time, path: Path, stochasticity: float = 1.0) -> Data:
    """f x - (1 + stochasticity²)/2 g² score, from the value of the marginal score at x.

    With noise of size stochasticity · g, and run from t = 1 to t = 0, every member of the family
    has the marginals of the forward SDE. Only 1, Anderson's reverse SDE, has its paths
    too; 0 is the probability-flow ODE. `genmath.samplers.ReverseSDE` steps with it.

    Result: sde.reverse_family, sde.path_laws
    Shapes: score and x alike; t a number or one value a sample. The dtype follows x.
    Errors: ValueError for shapes that differ, stochasticity < 0, a number t at which f or g is
        infinite, or a path that runs from noise to data.
    Source: Anderson 1982; Song et al. 2021 (score SDE), equations 6 and 13; the family: Huang, Lim,
        Courville 2021, equation 22.
    """
    share = (1 + real("stochasticity", stochasticity, "a number >= 0", 0.0) ** 2) / 2
    f, g2 = _coefficients(path, t, batched("x", x))
    same_shape("score", score, "x", x)
    return affine(x, f, score, -share * g2)


def probability_flow_velocity(score: Data, x: Data, t: Time, path: Path) -> Data:
    """f x - g²/2 score, the velocity dx/dt of the ODE that has the marginals of the forward SDE.

    It is `reverse_drift` without noise, and what `genmath.predictions.convert` calls "velocity";
    in this form it is finite at the data, wherever the score is.

    Result: sde.reverse_family, sde.likelihood
    Shapes: as for `reverse_drift`.
    Errors: as there.
    Source: Song et al. 2021 (score SDE), equation 13; Maoutsa, Reich, Opper 2020.
    """
    return reverse_drift(score, x, t, path, 0.0)


# Likelihood


def log_likelihood(
    model: Model,
    x: Data,
    path: Path,
    solver: Solver = HUNDRED,
    *,
    start: float = 0.0,
    end: float = 1.0,
    prediction: str = "score",
    prior: Prior | None = None,
    trace: Trace | None = None,
    probe: Data | None = None,
    generator: Generators | None = None,
) -> PerSample:
    """log p(x) in nats of the density that the probability-flow ODE makes of the prior.

    x is carried from data to noise by `genmath.solvers.transport`; to the log-density of the prior
    there, the integral of the velocity's divergence along the way is added. That is a likelihood of
    the *model*: whatever it predicts, it integrates to one. It is log p_0(x) where the prediction
    is exact and the prior the true marginal at the end.

    Result: sde.likelihood
    Shapes: x (B, …) gives (B,), differentiable by x and by the parameters of the model, unless
        called under ``torch.no_grad()``. The model is called as model(x, t), t (B,), as `sample`
        does. The dtype follows x.
    Options: ``solver``, ``probe`` and ``generator`` as for `transport`: the divergence is exact
        without the last two. ``trace(x, t)`` is that of what the model *predicts*, where it is
        known in closed form; the velocity's follows. ``start`` and ``end`` lead from data to noise.
        At t = 0 "score" and, on some paths, "velocity" is determined; a noise is not, nor at t = 1
        a score where no data are left: begin or end a little inside. ``prior`` takes x at the end
        and returns (B,); left out, it is the normal density of variance alpha² + sigma².
    Errors: as for `transport`; ValueError for times that are not on the path or not in order, and
        where at one of them the prediction does not determine a velocity.
    Source: Song et al. 2021 (score SDE), appendix D.2; Grathwohl et al. 2019, section 3.1.
    """
    one_of("prediction", prediction, PREDICTIONS)
    function("model", model)
    apart("model", model)
    check_path(path)
    start = real("start", start, "a time in [0, 1]", 0.0, 1.0)
    end = real("end", end, "a time in [0, 1]", 0.0, 1.0)
    if not path.half_log_snr(start) > path.half_log_snr(end):
        refuse("end", end, f"a time further from the data than start = {start:g}")
    z = batched("x", x).to(work_dtype(x))
    for t in (start, end):  # numbers, which are read, unlike the times along the way
        _velocity(z[:0], t, z[:0], path, prediction)
    first, last = sorted((start, end))

    followed = False

    def field(z: Tensor, t: Tensor) -> Tensor:
        nonlocal followed
        t = t.clamp(first, last)  # a solver may look a little further
        said = call(model, z.to(x.dtype), t)
        if not followed and z.requires_grad and len(z):  # where its slope will be taken
            slope(said.sum(), z, keep=False)  # z enters beside it, and would hide a lost graph
            followed = True
        return _velocity(z, t, said.to(z.dtype), path, prediction)

    def spread(z: Tensor, t: Tensor) -> Tensor:
        assert trace is not None
        t = t.clamp(first, last)
        known = one_each("trace output", trace(z.to(x.dtype), t), z).to(z.dtype)
        none, one = torch.zeros_like(known), torch.ones_like(known)
        # The velocity is a(t) x + b(t) times what the model says.
        a, b = (_velocity(z, t, said, path, prediction) for z, said in ((one, none), (none, one)))
        return a * math.prod(z.shape[1:]) + b * known

    if trace is not None:
        function("trace", trace)
    z, log_det = transport(
        field, z, solver, start=start, end=end,
        trace=None if trace is None else spread, probe=probe, generator=generator,
    )  # fmt: skip
    return (_log_prior(prior, z, path, end) + log_det).to(x.dtype)


def _velocity(x: Tensor, t: Time, said: Tensor, path: Path, prediction: str) -> Tensor:
    if prediction == "velocity":
        return said
    if prediction == "score":  # finite at the data, where a conversion is not
        return probability_flow_velocity(said, x, t, path)
    slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(t, x), strict=True))
    level = path.coefficients(t, x)
    return convert(said, x, *level, source=prediction, target="velocity", **slopes)


def _log_prior(prior: Prior | None, z: Tensor, path: Path, end: float) -> Tensor:
    if prior is None:
        variance = path.alpha(end) ** 2 + path.sigma(end) ** 2
        return sum_event(log_normal(z / math.sqrt(variance), math.log(variance)), 1)
    function("prior", prior)
    return one_each("prior output", prior(z), z)


# Checks


def _check_path(path: object) -> None:
    check_path(path)
    cast(Path, path).drift(0.0)  # refuses one that is reversed


def _coefficients(path: Path, t: Time, x: Tensor) -> tuple[Coefficient, Coefficient]:
    """f and g² of the forward SDE, shaped to multiply x."""
    _check_path(path)
    f, g2 = path.forward_sde(t, x)
    if not isinstance(f, Tensor) and not (math.isfinite(f) and math.isfinite(g2)):
        refuse("t", t, "a time at which drift and diffusion are finite")
    return f, g2


def _moments(x: Tensor, ratio: Tensor, variance: Tensor) -> Moments:
    mean = ratio.to(work_dtype(x)) * x.to(work_dtype(x))
    return Moments(mean.to(x.dtype), variance.to(x.dtype))


def _wide(of: Callable[[Time], Coefficient], t: Tensor) -> Tensor:
    return cast(Tensor, of(t))  # of a tensor it is one
