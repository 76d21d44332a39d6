"""DDIM: a step of any length with any share of fresh noise, sub-sequences of steps, inversion.

The sampler is `genmath.samplers.DDIM`, run by `genmath.samplers.sample` on any path; here are its
step on a `Schedule`, to build on, and what belongs to it. A step goes from t to s; each is a Python
integer or an integer tensor, one a sample, whose values are not read. Half precision is computed in
float32 and cast last. Nothing is clipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from genmath._base.batch import Table, check_step, work_dtype
from genmath._base.checks import (
    batched,
    function,
    integer,
    listed,
    one_of,
    read,
    refuse,
    same_shape,
)
from genmath._base.draws import Generators
from genmath._base.shapes import Coefficient, Data, Step
from genmath._base.steps import (
    PREDICTIONS,
    Model,
    affine,
    call,
    check_schedule,
    even_steps,
    one_noise,
)
from genmath._base.torch import Tensor, torch
from genmath.paths import Schedule
from genmath.predictions import coefficients, convert
from genmath.samplers import DDIM, Grid

__all__ = ["ddim_invert", "ddim_step", "step_variance", "subsequence"]

SPACINGS = ("trailing", "leading", "linspace")


def step_variance(t: Step, s: Step, schedule: Schedule, *, eta: float = 1.0) -> Coefficient:
    """The variance of the fresh noise of a step, eta² sigma_s² (1 - snr_t/snr_s); 0 where s is 0.

    What eta scales is the standard deviation: the variance is not eta times another. For eta = 1
    and s = t - 1 it is DDPM's posterior variance.

    Result: ddim.step_variance
    Shapes: a float for Python t and s; else float64, one a sample.
    Errors: ValueError for eta outside [0, 1], a t or s that is out of range or no integer, or,
        where both are Python numbers, unless s < t. Where tensors do not keep that order it is NaN.
    Source: Song, Meng, Ermon 2021, equation 16 (the square of their sigma).
    """
    check_schedule(schedule)
    sampler = DDIM(eta)
    given = t if isinstance(t, Tensor) else s
    like = torch.empty(1)
    if isinstance(given, Tensor):
        like = torch.empty(given.shape[:1] or (1,), device=given.device)
    t = check_step(t, like, 1, schedule.T)
    s = check_step(s, like, 0, schedule.T, "s")
    _check_order(t, s, either_way=False)
    sigma, gap = _sigma_and_gap(schedule, t, s, like)
    variance = sampler.fresh(sigma, gap) ** 2
    return variance if isinstance(given, Tensor) else variance.item()


def ddim_step(
    predicted: Data,
    x_t: Data,
    t: Step,
    s: Step,
    schedule: Schedule,
    *,
    eta: float = 0.0,
    prediction: str = "eps",
    generator: Generators | None = None,
    noise: Data | None = None,
) -> Data:
    """x_s for an earlier s, given what the network predicted at (x_t, t).

    With eta = 0 it is a function of x_t: nothing is drawn, and s > t goes back up the same ODE.
    With eta = 1 it is a draw from DDPM's posterior at the predicted data. s = 0 returns them.

    Result: ddim.step, ddim.posterior
    Shapes: predicted, x_t and noise alike; t and s in 0..T. The dtype follows x_t. NaNs are passed
        on.
    Errors: ValueError for shapes that differ, a t or s out of range or no integer, an eta outside
        [0, 1], s = t, s > t where eta > 0, an unknown prediction, or one that says nothing at
        t = 0; and, where there is noise to add, unless exactly one of ``generator`` and ``noise``
        is given (with eta = 0 or s = 0 neither is read). Tensors are not read: there s > t with
        eta > 0 and what is undetermined at t = 0 come out NaN.
    Source: Song, Meng, Ermon 2021, equations 12, 13 and 16.
    """
    check_schedule(schedule)
    one_of("prediction", prediction, PREDICTIONS)
    t = check_step(t, batched("x_t", x_t), 0, schedule.T)
    s = check_step(s, x_t, 0, schedule.T, "s")
    same_shape("predicted", predicted, "x_t", x_t)
    of_x, of_predicted, std = _coefficients(schedule, t, s, x_t, DDIM(eta), prediction)
    drawn = None if isinstance(std, float) and std == 0.0 else one_noise(noise, generator, x_t)
    return affine(x_t, of_x, predicted, of_predicted, drawn, std)


def subsequence(n: int, schedule: Schedule, *, spacing: str = "trailing") -> tuple[int, ...]:
    """n + 1 steps, decreasing and ending at 0, clean data: the n steps of a sampler.

    "trailing" begins at T and is even over 0..T (what `genmath.samplers.sample` does with
    ``steps=n``). "linspace" begins at T and is even over 1..T, with a last step from 1 to 0.
    "leading" takes every (T // n)-th step from 1 on; unless n = T it begins *before* T, where x_t
    still holds data, so its samples start from the wrong noise.

    Errors: ValueError unless 1 <= n <= T, or for another name.
    Source: Lin, Liu, Li, Yang 2024 ("Common diffusion noise schedules and sample steps are
        flawed"), table 2; their steps are 1..T too.
    """
    check_schedule(schedule)
    one_of("spacing", spacing, SPACINGS)
    T, n = schedule.T, integer("n", n, 1, schedule.T)
    if spacing == "trailing":
        up = even_steps(0, T, n)
    elif spacing == "linspace":
        up = [0, *(even_steps(1, T, n - 1) if n > 1 else [T])]
    else:
        up = [0, *(1 + (T // n) * i for i in range(n))]
    return tuple(reversed(up))


@torch.no_grad()
def ddim_invert(
    model: Model,
    x: Data,
    schedule: Schedule,
    *,
    steps: Sequence[int],
    iterations: int = 1,
    prediction: str = "eps",
) -> Data:
    """The noise from which the sampler DDIM() with the same ``steps`` ends in x.

    Each step is an equation for x_t, since the network guessed the noise at x_t; it is solved by
    putting the last answer into the guess, ``iterations`` times. 1 is what most code calls DDIM
    inversion; with more the result tends to the exact inverse where a step is short enough for the
    iteration to contract (always, for normal data). It does not check that it does.

    Another inversion runs the ODE up, with the noise guessed at x_s: it is the sampler DDIM() with
    the steps reversed. It is exact only in the limit of small steps, and asks the network at step
    0.

    Result: ddim.inversion
    Shapes: x (B, …), clean if the last step is 0. The dtype follows x. The model is called as
        model(x_t, t), t an integer tensor (B,), ``iterations`` times a step, and never at the last
        of ``steps``.
    Errors: ValueError for steps that are not two or more decreasing ones in 0..T, iterations < 1,
        or an unknown prediction.
    Source: Pan, Gherardi, Xie, Huang 2023 ("Effective real image editing with accelerated
        iterative diffusion inversion"); the ODE run up: Song, Meng, Ermon 2021, section 4.3.
    """
    one_of("prediction", prediction, PREDICTIONS)
    check_schedule(schedule)
    steps = _check_steps(steps, schedule)
    iterations = integer("iterations", iterations, 1)
    function("model", model)
    dtype, work = batched("x", x).dtype, work_dtype(x)
    x = x.to(work)
    for s, t in pairwise(reversed(steps)):
        alpha, sigma = schedule.coefficients(t, x)
        of_x, of_eps, _ = _floats(schedule, s, t, DDIM(), "eps")  # the step up
        when = torch.full((len(x),), t, device=x.device)
        guess = x
        for _ in range(iterations):
            out = call(model, guess.to(dtype), when).to(work)
            eps = convert(out, guess, alpha, sigma, source=prediction, target="eps")
            guess = affine(x, of_x, eps, of_eps)
        x = guess
    return x.to(dtype)


# x_s = first · x_t + second · predicted + third · noise

_Row = tuple[Coefficient, Coefficient, Coefficient]


def _coefficients(
    schedule: Schedule, t: Step, s: Step, x: Tensor, sampler: DDIM, prediction: str
) -> _Row:
    """The formula of `DDIM`, at two Python steps or at one pair a sample."""
    _check_order(t, s, either_way=sampler.eta == 0.0)
    if not isinstance(t, Tensor) and not isinstance(s, Tensor):
        return _floats(schedule, t, s, sampler, prediction)
    like = _wide(x)
    now = [_tensor(c, x) for c in schedule.coefficients(t, like)]
    data, noise = (coefficients(*now, source=prediction, target=target) for target in ("x0", "eps"))
    alpha = _tensor(schedule.coefficients(s, like)[0], x)
    sigma, gap = _sigma_and_gap(schedule, t, s, x)
    row = sampler.between(data, noise, alpha, sigma, gap)
    of_x, of_predicted, std = (c.to(work_dtype(x)) for c in row)
    return of_x, of_predicted, std if sampler.eta else 0.0


@lru_cache(maxsize=8192)
def _floats(schedule: Schedule, t: int, s: int, sampler: DDIM, prediction: str) -> _Row:
    of_x, of_predicted, std = sampler.columns(Grid(schedule, (t, s)), prediction)
    return of_x.item(), of_predicted.item(), std.item()


def _sigma_and_gap(schedule: Schedule, t: Step, s: Step, x: Tensor) -> tuple[Tensor, Tensor]:
    """sigma at s, and half_log_snr at t less that at s, in float64."""
    like = _wide(x)
    sigma = schedule.coefficients(s, like)[1]
    before, after = (_half_log_snr(schedule).at(step, like) for step in (t, s))
    return _tensor(sigma, x), _tensor(before - after, x)


@lru_cache(maxsize=32)
def _half_log_snr(schedule: Schedule) -> Table:
    return Table(schedule.half_log_snr)


def _wide(x: Tensor) -> Tensor:
    """What reads a table as it would be read for x, in float64."""
    return x.new_empty((len(x), *[1] * (x.ndim - 1)), dtype=torch.float64)


def _tensor(c: Coefficient, x: Tensor) -> Tensor:
    return torch.as_tensor(c, dtype=torch.float64, device=x.device)


def _check_order(t: Step, s: Step, *, either_way: bool) -> None:
    now, then = (read(step) if isinstance(step, Tensor) else step for step in (t, s))
    if now is None or then is None:
        return
    t, s = int(now), int(then)
    if s == t or (s > t and not either_way):
        refuse("s", s, f"{'another step than' if either_way else 'a step before'} t = {t}")


def _check_steps(steps: Sequence[int], schedule: Schedule) -> list[int]:
    wanted = f"two or more decreasing steps in 0..{schedule.T}"
    whole = [integer("steps", step, 0, schedule.T) for step in listed("steps", steps, wanted)]
    if len(whole) < 2 or not all(t > s for t, s in pairwise(whole)):
        refuse("steps", whole, wanted)
    return whole
