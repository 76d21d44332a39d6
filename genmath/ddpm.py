"""Denoising diffusion: the forward marginal, the posterior, the bound, its losses and the sampler.

Steps are 1..T on the tables of a `Schedule`, and index 0 is clean data. t is a Python integer or an
integer tensor, one step a sample; the values in a tensor are not read, and step 0 where there is
none gives NaN. Half precision is computed in float32 and cast last. Nothing is clipped. A
``generator`` may be a list of them, one a sample, which is then the same in every batch.

`sample` takes all T steps of Ho, Jain, Abbeel 2020. `genmath.samplers.sample` runs the same model
in fewer, by any sampler, and can record the way, call back, or threshold x_0.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from genmath import samplers
from genmath._base.batch import Table, check_step, per_sample, sum_event, work_dtype
from genmath._base.checks import (
    batched,
    integer,
    one_of,
    positive,
    refuse,
    same_shape,
    some,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.normal import Moments, log_normal
from genmath._base.shapes import Array, Coefficient, Data, PerSample, PerStep, Scalar, Step, Steps
from genmath._base.steps import (
    PREDICTIONS,
    Model,
    affine,
    call,
    check_draws,
    check_schedule,
    check_start,
    one_noise,
)
from genmath._base.torch import Tensor, torch
from genmath.paths import Schedule
from genmath.predictions import convert

__all__ = [
    "BoundTerms",
    "Moments",
    "add_noise",
    "ancestral_step",
    "bound_terms",
    "denoising_loss",
    "discretized_log_likelihood",
    "draw_steps",
    "loss_weight",
    "posterior",
    "posterior_mean_from_eps",
    "prior_term",
    "reconstruction_term",
    "reverse_variance",
    "sample",
    "snr_weight",
    "transition_term",
]

VARIANCES = ("beta", "posterior")


# The forward process


def add_noise(
    x0: Data,
    noise: Data,
    t: Step,
    schedule: Schedule,
) -> Data:
    """x_t = alpha_t x0 + sigma_t noise, a draw of q(x_t | x_0) where noise ~ N(0, I).

    Result: ddpm.forward_marginal
    Shapes: x0 and noise alike, (B,) to (B, C, H, W) and beyond; t in 0..T. The dtype follows x0; in
        half precision the result is the float32 one, rounded once.
    Errors: ValueError for shapes that differ, or a t that is out of range or no integer.
    Source: Ho, Jain, Abbeel 2020, equation 4.
    """
    check_schedule(schedule)
    alpha, sigma = schedule.coefficients(t, batched("x0", x0))
    same_shape("noise", noise, "x0", x0)
    return affine(x0, alpha, noise, sigma)


def draw_steps(batch: int, schedule: Schedule, *, generator: Generators) -> Steps:
    """One step a sample, uniform on 1..T, on the generator's device.

    Errors: ValueError for a negative batch or a missing generator.
    Source: Ho, Jain, Abbeel 2020, algorithm 1, line 3.
    """
    check_schedule(schedule)
    batch = integer("batch", batch, 0)
    steps = torch.empty(batch, dtype=torch.long, device=rngs(generator, batch))
    return draw_(steps, generator, "random_", 1, schedule.T + 1)


# The posterior q(x_{t-1} | x_t, x_0)


class _PosteriorTables(NamedTuple):
    x0: Table
    x_t: Table
    variance: Table


@lru_cache(maxsize=32)
def _posterior_tables(schedule: Schedule) -> _PosteriorTables:
    beta = schedule.beta[1:]
    alpha_before = schedule.alpha[:-1]
    variance_before = schedule.sigma[:-1] ** 2
    # sigma_t² as a sum of positive terms: the coefficients at t = 1 come out as exactly 1, 0 and 0.
    variance = beta + (1 - beta) * variance_before
    return _PosteriorTables(
        x0=_from_step_1(alpha_before * beta / variance),
        x_t=_from_step_1(torch.sqrt(1 - beta) * variance_before / variance),
        variance=_from_step_1(beta * variance_before / variance),
    )


def posterior(
    x_t: Data,
    x0: Data,
    t: Step,
    schedule: Schedule,
) -> Moments:
    """Mean and variance of q(x_{t-1} | x_t, x_0), for t in 1..T.

    Result: ddpm.posterior
    Shapes: x_t and x0 alike; the variance is a scalar for one t, (B, 1, …, 1) for one a sample.
        At t = 1 the posterior is a point: mean x0, variance 0. The dtype follows x_t.
    Errors: ValueError for shapes that differ, or a t that is out of range or no integer.
    Source: Ho, Jain, Abbeel 2020, equations 6 and 7.
    """
    check_schedule(schedule)
    t = check_step(t, batched("x_t", x_t), 1, schedule.T)
    same_shape("x0", x0, "x_t", x_t)
    tables = _posterior_tables(schedule)
    work = work_dtype(x_t)
    mean = tables.x0.at(t, x_t) * x0.to(work) + tables.x_t.at(t, x_t) * x_t.to(work)
    variance = torch.as_tensor(tables.variance.at(t, x_t), dtype=x_t.dtype, device=x_t.device)
    return Moments(mean.to(x_t.dtype), variance)


def posterior_mean_from_eps(
    x_t: Data,
    eps: Data,
    t: Step,
    schedule: Schedule,
) -> Data:
    """The mean of q(x_{t-1} | x_t, x_0) in terms of the noise: (x_t - beta/sigma · eps)/√(1-beta).

    Result: ddpm.posterior_mean_from_eps
    Shapes: x_t and eps alike; t in 1..T. The dtype follows x_t.
    Errors: ValueError for shapes that differ, or a t that is out of range or no integer.
    Source: Ho, Jain, Abbeel 2020, equations 10 and 11 (there √(1-beta_t) is √alpha_t).
    """
    check_schedule(schedule)
    t = check_step(t, batched("x_t", x_t), 1, schedule.T)
    same_shape("eps", eps, "x_t", x_t)
    tables = _step_tables(schedule, "eps", "posterior")
    return affine(x_t, tables.x_t.at(t, x_t), eps, tables.predicted.at(t, x_t), None, 0.0)


def reverse_variance(schedule: Schedule, variance: str) -> PerStep:
    """The variance of p(x_{t-1}|x_t) at every step: "beta", or "posterior", the true one given x0.

    "beta" is optimal for x_0 ~ N(0, I), "posterior" for data that are a single point.

    Result: ddpm.optimal_variance
    Shapes: float64, length T + 1, NaN at index 0; "posterior" is 0 at step 1.
    Errors: ValueError for another name.
    Source: Ho, Jain, Abbeel 2020, section 3.2.
    """
    check_schedule(schedule)
    one_of("variance", variance, VARIANCES)
    return _reverse_variance(schedule, variance).values.clone()


@lru_cache(maxsize=32)
def _reverse_variance(schedule: Schedule, variance: str) -> Table:
    one_of("variance", variance, VARIANCES)
    if variance == "posterior":
        return _posterior_tables(schedule).variance
    return _from_step_1(schedule.beta[1:])


# The bound: -log p(x_0) ≤ E[L_T + Σ L_{t-1} + L_0], the *negative* ELBO


def loss_weight(t: Step, schedule: Schedule, *, variance: str = "beta") -> Coefficient:
    """The weight of ‖eps - eps_hat‖² in L_{t-1}, beta²/(2 s² (1-beta) sigma²), s² by `variance`.

    L_simple is the bound with this weight replaced by 1: a reweighted bound, not the bound.

    Result: ddpm.loss_weight
    Shapes: a float for a Python t, a float64 tensor shaped like t otherwise. Nats.
    Errors: ValueError for t outside 1..T, for t = 1 with variance "posterior" (there s² = 0; in a
        tensor the weight is infinite), or another name.
    Source: Ho, Jain, Abbeel 2020, equation 12.
    """
    check_schedule(schedule)
    one_of("variance", variance, VARIANCES)
    return _read(_weights(schedule, variance), t, schedule)


def snr_weight(t: Step, schedule: Schedule) -> Coefficient:
    """(snr_{t-1} - snr_t)/2, the weight of ‖x0 - x0_hat‖² in L_{t-1} with the posterior variance.

    Result: ddpm.snr_weight
    Shapes: a float for a Python t, a float64 tensor shaped like t otherwise. Nats.
    Errors: ValueError for t outside 1..T, or t = 1, where snr_0 is infinite (as it is in a tensor).
    Source: Kingma, Salimans, Poole, Ho 2021 (variational diffusion models), discrete-time loss.
    """
    check_schedule(schedule)
    return _read(_snr_weights(schedule), t, schedule)


@lru_cache(maxsize=32)
def _weights(schedule: Schedule, variance: str) -> Table:
    beta = schedule.beta[1:]
    s2 = _reverse_variance(schedule, variance).values[1:]
    return _from_step_1(beta**2 / (2 * s2 * (1 - beta) * schedule.sigma[1:] ** 2))


@lru_cache(maxsize=32)
def _snr_weights(schedule: Schedule) -> Table:
    # snr_{t-1} - snr_t without the cancellation: alpha_bar_{t-1} beta_t / (sigma_{t-1} sigma_t)².
    both = schedule.sigma[:-1] * schedule.sigma[1:]
    return _from_step_1(schedule.alpha_bar[:-1] * schedule.beta[1:] / (2 * both**2))


def prior_term(x0: Data, schedule: Schedule) -> PerSample:
    """L_T = KL(q(x_T | x_0) ‖ N(0, I)), the part no network changes.

    Result: ddpm.prior_term
    Shapes: (B, …) gives (B,). Nats.
    Errors: ValueError unless x0 is floating-point with a batch dimension.
    Source: Ho, Jain, Abbeel 2020, equation 5.
    """
    check_schedule(schedule)
    work = work_dtype(batched("x0", x0))
    alpha_bar = schedule.alpha_bar[-1].item()
    # sigma² - 1 - log sigma², where sigma² = 1 - alpha_bar is nearly 1 or, of few steps, nearly 0.
    near_one = alpha_bar < 0.5
    log_variance = math.log1p(-alpha_bar) if near_one else 2 * math.log(schedule.sigma[-1].item())
    per_dim = -alpha_bar - log_variance
    total = alpha_bar * sum_event(x0.to(work) ** 2, 1) + math.prod(x0.shape[1:]) * per_dim
    return (total / 2).to(x0.dtype)


def transition_term(
    eps: Data,
    eps_hat: Data,
    t: Step,
    schedule: Schedule,
    *,
    variance: str = "beta",
) -> PerSample:
    """L_{t-1} = KL(q(x_{t-1} | x_t, x_0) ‖ p(x_{t-1} | x_t)), from the noise and its prediction.

    It is loss_weight · ‖eps - eps_hat‖² + constant, the constant 0 only for variance "posterior".

    Result: ddpm.loss_weight, ddpm.negative_elbo
    Shapes: eps and eps_hat alike, (B, …) gives (B,). The dtype follows eps. Nats.
    Errors: ValueError for shapes that differ, a Python t outside 2..T, or another variance. Step 1
        has `reconstruction_term` instead: there a tensor t gives infinity or NaN.
    Source: Ho, Jain, Abbeel 2020, equations 5 and 12.
    """
    check_schedule(schedule)
    one_of("variance", variance, VARIANCES)
    t = check_step(t, batched("eps", eps), 2, schedule.T)
    same_shape("eps_hat", eps_hat, "eps", eps)
    errors = _squared_error(eps, eps_hat)
    weight = _weights(schedule, variance).at(t, errors)
    constant = _transition_constants(schedule, variance).at(t, errors)
    return (weight * errors + math.prod(eps.shape[1:]) * constant).to(eps.dtype)


@lru_cache(maxsize=32)
def _transition_constants(schedule: Schedule, variance: str) -> Table:
    # (r - 1 - log r)/2 a dimension, r = posterior variance / s². For "beta" r is
    # sigma²_{t-1}/sigma²_t, so that r - 1 = -alpha_bar_{t-1} beta_t / sigma²_t.
    if variance == "posterior":
        return _from_step_1(torch.zeros_like(schedule.beta[1:]))
    u = -schedule.alpha_bar[:-1] * schedule.beta[1:] / schedule.sigma[1:] ** 2
    return _from_step_1((u - torch.log1p(u)) / 2)


def reconstruction_term(
    eps: Data,
    eps_hat: Data,
    schedule: Schedule,
    *,
    decoder_variance: float | None = None,
) -> PerSample:
    """L_0 = -log p(x_0 | x_1) of a Gaussian decoder, from the noise in x_1 and its prediction.

    Result: ddpm.reconstruction_term
    Shapes: eps and eps_hat alike, (B, …) gives (B,). Nats; of a density, so it can be negative.
        ``decoder_variance`` is beta_1 unless given.
    Errors: ValueError for shapes that differ or a variance that is not positive.
    Source: Ho, Jain, Abbeel 2020, equation 5 (their decoder, equation 13, is discretised: see
        `discretized_log_likelihood`).
    """
    check_schedule(schedule)
    same_shape("eps_hat", eps_hat, "eps", batched("eps", eps))
    s2 = _decoder_variance(schedule, decoder_variance)
    beta = schedule.beta[1].item()
    work = work_dtype(eps)
    z = math.sqrt(beta / ((1 - beta) * s2)) * (eps.to(work) - eps_hat.to(work))
    return -sum_event(log_normal(z, math.log(s2)), 1).to(eps.dtype)


def discretized_log_likelihood(
    mean: Data,
    x: Data,
    sigma: float,
    *,
    levels: int = 256,
) -> PerSample:
    """log probability of data on a grid of levels in [-1, 1] under a Gaussian rounded to that grid.

    The outermost levels take the tails, so the probabilities of all levels sum to one.

    Shapes: x and mean alike, (B, …) gives (B,), in the dtype of x; x = 2 i/(levels - 1) - 1. Nats.
    Errors: ValueError for shapes that differ, sigma ≤ 0 or levels < 2. That x lies on the grid is
        taken on trust.
    Source: Ho, Jain, Abbeel 2020, equation 13.
    """
    same_shape("mean", mean, "x", batched("x", x))
    sigma = positive("sigma", sigma)
    half = 1 / (integer("levels", levels, 2) - 1)
    # Half a bin is small against sigma, and the difference of two logarithms then loses digits.
    difference = x.double() - mean.double()
    low, high = (difference - half) / sigma, (difference + half) / sigma
    log_cdf = torch.special.log_ndtr
    # Reflect into the lower tail, where Φ(high) - Φ(low) does not cancel.
    upper = difference > 0
    a, b = torch.where(upper, -high, low), torch.where(upper, -low, high)
    log_a, log_b = log_cdf(a), log_cdf(b)
    inside = log_b + torch.log(-torch.expm1(log_a - log_b))
    log_p = torch.where(x >= 1 - half, log_cdf(-low), inside)
    log_p = torch.where(x <= half - 1, log_cdf(high), log_p)
    return sum_event(log_p, 1).to(x.dtype)


class BoundTerms(NamedTuple):
    """The terms of -log p(x_0) ≤ E[L_T + Σ L_{t-1} + L_0], one column a sample, in nats."""

    prior: PerSample  # L_T
    transitions: Array  # row i is L_{t-1} at step t = i + 2
    reconstruction: PerSample  # L_0

    @property
    def total(self) -> PerSample:
        """The bound: the negative ELBO, to be minimised."""
        return self.prior + self.transitions.sum(0) + self.reconstruction


def bound_terms(
    model: Model,
    x0: Data,
    schedule: Schedule,
    *,
    generator: Generators,
    prediction: str = "eps",
    variance: str = "beta",
    decoder: str = "gaussian",
    decoder_variance: float | None = None,
) -> BoundTerms:
    """An unbiased estimate of every term of the bound: one draw of noise a step, T model calls.

    Result: ddpm.negative_elbo
    Shapes: (B, …) gives BoundTerms over (B,), nats. The model is called as model(x_t, t), t an
        integer tensor (B,).
    Options: decoder "gaussian" (x0 continuous) or "discretized" (x0 on 256 levels in [-1, 1]);
        ``decoder_variance``, of p(x_0 | x_1), is beta_1 unless given; with variance "posterior"
        it must be given, since the posterior variance of step 1 is 0.
    Errors: ValueError for unknown names, shapes that differ, or a missing generator.
    Source: Ho, Jain, Abbeel 2020, equations 5, 12 and 13.
    """
    one_of("prediction", prediction, PREDICTIONS)
    one_of("variance", variance, VARIANCES)
    one_of("decoder", decoder, ("gaussian", "discretized"))
    check_schedule(schedule)
    if variance == "posterior" and decoder_variance is None:
        refuse("decoder_variance", None, "a number > 0: the posterior variance of step 1 is 0")
    s2 = _decoder_variance(schedule, decoder_variance)
    rngs(generator, len(batched("x0", x0)), x0.device)

    def noise_and_prediction(t: int) -> tuple[Tensor, Tensor, Tensor]:
        eps = one_noise(None, generator, x0).to(x0.dtype)
        x_t = add_noise(x0, eps, t, schedule)
        out = call(model, x_t, torch.full((len(x0),), t, device=x0.device))
        alpha, sigma = schedule.coefficients(t, x0)
        return x_t, eps, convert(out, x_t, alpha, sigma, source=prediction, target="eps")

    transitions = []
    for t in range(schedule.T, 1, -1):
        _, eps, eps_hat = noise_and_prediction(t)
        transitions.append(transition_term(eps, eps_hat, t, schedule, variance=variance))
    x_1, eps, eps_hat = noise_and_prediction(1)
    if decoder == "gaussian":
        last = reconstruction_term(eps, eps_hat, schedule, decoder_variance=s2)
    else:
        mean = posterior_mean_from_eps(x_1, eps_hat, 1, schedule)
        last = -discretized_log_likelihood(mean, x0, math.sqrt(s2))
    rows = torch.stack(transitions[::-1]) if transitions else last.new_zeros((0, len(x0)))
    return BoundTerms(prior_term(x0, schedule), rows, last)


# Training


def denoising_loss(
    model: Model,
    x0: Data,
    schedule: Schedule,
    *,
    t: Step | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    prediction: str = "eps",
    weight: float | PerSample = 1.0,
) -> Scalar:
    """weight · ‖target - model(x_t, t)‖², summed over the event and averaged over the batch.

    With "eps" and weight 1 it is L_simple; with ``weight=loss_weight(t, schedule)`` it is L_{t-1}
    of the bound, up to its constant. Another prediction is another target, with weights of its own.
    What is not given is drawn: standard normal noise, and steps uniform on 1..T.

    Result: ddpm.loss_weight
    Shapes: x0 (B, …); t in 1..T (step 0 in a tensor gives NaN: there is nothing to denoise);
        weight a number or one a sample. The dtype follows x0, whatever that of the weight.
    Errors: ValueError for an empty batch, shapes that differ, an unknown prediction, or unless a
        generator is given exactly where something is drawn.
    Source: Ho, Jain, Abbeel 2020, equation 14 and algorithm 1.
    """
    one_of("prediction", prediction, PREDICTIONS)
    check_schedule(schedule)
    check_draws(generator, some("x0", x0), t, noise)
    if t is None:
        assert generator is not None
        t = draw_steps(len(x0), schedule, generator=generator)
    t = check_step(t, x0, 1, schedule.T)
    noise = one_noise(noise, generator if noise is None else None, x0, "x0")
    work = work_dtype(x0)
    clean, noise = x0.to(work), noise.to(work)
    alpha, sigma = (table.at(t, x0) for table in _noisy_tables(schedule))
    x_t = (alpha * clean + sigma * noise).to(x0.dtype)
    steps = t if isinstance(t, Tensor) else torch.tensor(t, device=x0.device)
    out = call(model, x_t, steps.expand(len(x0))).to(work)
    # The targets from x0 and the noise themselves: nothing is recovered from x_t.
    if prediction == "eps":
        target = noise
    elif prediction == "x0":
        target = clean
    elif prediction == "v":
        target = alpha * noise - sigma * clean
    else:
        target = -noise / sigma
    errors = sum_event((target - out) ** 2, 1)
    factor = per_sample("weight", weight, errors)
    return (factor * errors).mean().to(x0.dtype)


# Sampling


class _StepTables(NamedTuple):
    x_t: Table
    predicted: Table
    noise: Table


@lru_cache(maxsize=32)
def _step_tables(schedule: Schedule, prediction: str, variance: str) -> _StepTables:
    """x_{t-1} = first · x_t + second · predicted + third · noise, the third 0 at the last step."""
    grid = samplers.Grid(schedule, range(schedule.T, -1, -1))
    columns = samplers.Ancestral(variance).columns(grid, prediction)
    return _StepTables(*(_from_step_1(column.flip(0)) for column in columns))


def ancestral_step(
    predicted: Data,
    x_t: Data,
    t: Step,
    schedule: Schedule,
    *,
    prediction: str = "eps",
    variance: str = "beta",
    generator: Generators | None = None,
    noise: Data | None = None,
) -> Data:
    """A draw of x_{t-1} from p(x_{t-1} | x_t), given what the network predicted at (x_t, t).

    At t = 1 the mean is returned and no noise is drawn.

    Result: ddpm.posterior_mean_from_eps
    Shapes: predicted, x_t and noise alike; t in 1..T. The dtype follows x_t. NaNs are passed on.
    Errors: ValueError for shapes that differ, a t out of range or no integer, unknown names, or
        unless exactly one of ``generator`` and ``noise`` is given (at t = 1 neither is read).
    Source: Ho, Jain, Abbeel 2020, algorithm 2.
    """
    check_schedule(schedule)
    t = check_step(t, batched("x_t", x_t), 1, schedule.T)
    same_shape("predicted", predicted, "x_t", x_t)
    one_of("prediction", prediction, PREDICTIONS)
    one_of("variance", variance, VARIANCES)
    tables = _step_tables(schedule, prediction, variance)
    std = tables.noise.at(t, x_t)
    last = not isinstance(t, Tensor) and t == 1
    noise = None if last else one_noise(noise, generator, x_t)
    return affine(x_t, tables.x_t.at(t, x_t), predicted, tables.predicted.at(t, x_t), noise, std)


def sample(
    model: Model,
    shape: tuple[int, ...],
    schedule: Schedule,
    *,
    generator: Generators,
    prediction: str = "eps",
    variance: str = "beta",
    start: Data | None = None,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """x_0 by T ancestral steps from x_T ~ N(0, I), on the generator's device, without gradients.

    It is `genmath.samplers.sample` by `Ancestral`, which also takes fewer steps. x_T is ``start``,
    where that is given.

    Shapes: (B, …) as given. The model is called as model(x_t, t), x_t in ``dtype`` and t an integer
        tensor (B,); between the steps x is kept in float32 at least, where half precision would
        round the small steps away.
    Errors: ValueError for unknown names, a missing generator, a shape without a batch dimension, or
        a start that is not finite or does not fit.
    Source: Ho, Jain, Abbeel 2020, algorithm 2.
    """
    one_of("prediction", prediction, PREDICTIONS)
    one_of("variance", variance, VARIANCES)
    check_schedule(schedule)
    shape = check_start(shape, dtype, "start", start)
    rngs(generator, shape[0])
    return samplers.sample(
        model,
        shape,
        schedule,
        samplers.Ancestral(variance),
        prediction=prediction,
        generator=generator,
        start=start,
        dtype=dtype,
    )


# Shared


def _from_step_1(values: Tensor) -> Table:
    """A table whose entry 0 is NaN: there is no step 0."""
    return Table(torch.cat([values.new_full((1,), math.nan), values]))


@lru_cache(maxsize=32)
def _noisy_tables(schedule: Schedule) -> tuple[Table, Table]:
    return _from_step_1(schedule.alpha[1:]), _from_step_1(schedule.sigma[1:])


def _read(weight: Table, t: Step, schedule: Schedule) -> Coefficient:
    """One weight, or one a step in t."""
    if not isinstance(t, Tensor):
        t = integer("t", t, 1, schedule.T)
        if math.isinf(weight.floats[t]):
            refuse("t", t, "a step >= 2: the weight of step 1 is infinite")
        return weight.floats[t]
    like = torch.empty(t.shape[:1] or (1,), dtype=torch.float64, device=t.device)
    return weight.at(check_step(t, like, 1, schedule.T), like)


def _squared_error(eps: Tensor, eps_hat: Tensor) -> Tensor:
    work = work_dtype(eps)
    return sum_event((eps.to(work) - eps_hat.to(work)) ** 2, 1)


def _decoder_variance(schedule: Schedule, given: float | None) -> float:
    return schedule.beta[1].item() if given is None else positive("decoder_variance", given)
