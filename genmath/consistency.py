"""Few steps and one: consistency models, average velocities, and how they are distilled.

Data at t = 0 and noise at t = 1, and s <= t is the earlier time, where a step ends. Three kinds of
model are called here, each shaped like x: a consistency model as model(x, t), which answers where
the flow ends at t = 0; an average velocity as model(x, s, t), which answers the mean velocity from
s to t; and teachers, velocities or scores, as everywhere, as model(x, t).

    model = ConsistencyModel(net)
    loss = training_loss(model, x0, steps=20, generator=generator)
    x0 = sample(model, shape, steps=2, generator=generator)

    loss = mean_flow_loss(u, x0, generator=generator)
    x0 = sample_mean_flow(u, shape, steps=1, generator=generator)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

from genmath._base.batch import affine, check_time, per_event, per_sample, sum_event, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    function,
    instance,
    integer,
    listed,
    module,
    one_of,
    positive,
    read,
    real,
    refuse,
    some,
)
from genmath._base.draws import Generators, draw_, normal, rngs
from genmath._base.shapes import Coefficient, Data, PerSample, Scalar, Time
from genmath._base.steps import Model, call, check_draws, check_path, check_start, one_noise, output
from genmath._base.torch import Tensor, nn, torch
from genmath.paths import LinearPath, Path
from genmath.toys import GaussianMixture

__all__ = [
    "ConsistencyModel",
    "distillation_loss",
    "dmd_loss",
    "line_flow_map",
    "mean_flow_loss",
    "normal_flow_map",
    "progressive_target",
    "sample",
    "sample_mean_flow",
    "shortcut_target",
    "training_loss",
]

AverageVelocity = Callable[[Tensor, Tensor, Tensor], Tensor]
STRAIGHT = LinearPath()


class ConsistencyModel(nn.Module):
    """c_skip x + c_out model(c_in x, t): at t = 0 it is x, whatever the network answers.

    With the deviation ``std`` of the data, n² = alpha² std² + sigma² is the variance of x_t. Then
    c_skip = alpha std²/n², c_out = sigma std/n and c_in = 1/n; for normal data of that deviation
    and mean 0, c_skip x is the best guess of the data, and the network adds the rest at scale 1.

    Result: consistency.boundary
    Shapes: x_t (B, …); t a number or (B,). The output is shaped and typed like x_t.
    Errors: ValueError unless the model is a module and std > 0.
    Source: Song et al. 2023, equation 5; with any path, and data at t = 0.
    """

    def __init__(self, model: nn.Module, path: Path = STRAIGHT, *, std: float = 1.0) -> None:
        super().__init__()
        module("model", model)
        check_path(path)
        self.model, self.path, self.std = model, path, positive("std", std)

    def forward(self, x_t: Data, t: Time) -> Data:
        alpha, sigma = self.path.coefficients(t, batched("x_t", x_t))
        size = (alpha**2 * self.std**2 + sigma**2) ** 0.5
        inner = (x_t * (1 / size)).to(x_t.dtype)
        out = call(cast(Model, self.model), inner, _one_a_sample(t, x_t))
        return affine(x_t, alpha * self.std**2 / size**2, out, sigma * self.std / size)


# Consistency losses


def distillation_loss(
    model: Model,
    x0: Data,
    path: Path = STRAIGHT,
    *,
    teacher: Model,
    steps: int,
    order: int = 2,
    target: Model | None = None,
    t: Time | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    weight: float | PerSample = 1.0,
) -> Scalar:
    """weight · ‖model(x_t, t) - target(x_s, s)‖², where the teacher's flow leads from x_t to x_s.

    s is t - 1/steps. What is not given is drawn: standard normal noise, and t uniformly from
    1/steps, 2/steps, …, 1. The target is held fixed: no gradient flows through it.

    Result: consistency.distillation_error
    Shapes: x0 and noise (B, …) alike; t a number or (B,); weight a number or one a sample.
    Options: ``teacher`` predicts the velocity. ``order`` 1 takes a step of Euler, 2 one of Heun.
        ``target``, a slowly moving average of the model, say, is the model itself if left out.
    Errors: ValueError for an empty batch, shapes that differ, steps < 1, another order, or unless a
        generator is given exactly where something is drawn.
    Source: Song et al. 2023, algorithm 2.
    """
    order = integer("order", order, 1, 2)
    x_t, t, s, _ = _pair(x0, path, steps, t, noise, generator)
    with torch.no_grad():
        x_s = _walk(teacher, x_t, t, s, order)
    return _against(model, x_t, t, _held(model, target, x_s, s), weight)


def training_loss(
    model: Model,
    x0: Data,
    path: Path = STRAIGHT,
    *,
    steps: int,
    target: Model | None = None,
    t: Time | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    weight: float | PerSample = 1.0,
) -> Scalar:
    """weight · ‖model(x_t, t) - target(x_s, s)‖² with x_t and x_s of the same data and noise.

    The same with x_s = alpha_s x_0 + sigma_s noise in place of a teacher: consistency training.

    Result: consistency.training_target, consistency.training_normal
    Shapes, options, errors: as for `distillation_loss`.
    Source: Song et al. 2023, algorithm 3.
    """
    x_t, t, s, noise = _pair(x0, path, steps, t, noise, generator)
    x_s = path.interpolate(x0, noise, s)
    return _against(model, x_t, t, _held(model, target, x_s, s), weight)


def _pair(
    x0: Tensor,
    path: Path,
    steps: int,
    t: Time | None,
    noise: Tensor | None,
    generator: Generators | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x_t, the times t and s = t - 1/steps (at least 0), one a sample, and the noise."""
    some("x0", x0)
    check_path(path)
    n = integer("steps", steps, 1)
    check_draws(generator, x0, t, noise)
    noise = one_noise(noise, generator if noise is None else None, x0, "x0")
    if t is None:
        t = _uniform(x0, generator).mul_(n).floor_().add_(1).clamp_(max=n).div_(n)
    t = _one_a_sample(check_time(t, x0), x0)
    s = (t - 1 / n).clamp(min=0.0)
    s = torch.where(s < 1e-6, 0.0, s)  # the first step ends at the data, and not beside them
    return path.interpolate(x0, noise, t), t, s, noise


def _uniform(x0: Tensor, generator: Generators | None) -> Tensor:
    u = torch.empty(len(x0), dtype=work_dtype(x0), device=x0.device)
    return draw_(u, cast(Generators, generator), "uniform_")


def _one_a_sample(t: Time, x: Tensor) -> Tensor:
    if not isinstance(t, Tensor):
        t = torch.tensor(t, dtype=work_dtype(x), device=x.device)
    return t if t.ndim else t.expand(len(x))


def _walk(teacher: Model, x: Tensor, t: Tensor, s: Tensor, order: int) -> Tensor:
    """A step of Euler or Heun from t to s along a velocity."""
    h = per_event(s - t, x)
    first = call(teacher, x, t, "teacher").to(work_dtype(x))
    ahead = x + h * first
    if order == 1:
        return ahead.to(x.dtype)
    second = call(teacher, ahead.to(x.dtype), s, "teacher").to(first.dtype)
    return (x + h * (first + second) / 2).to(x.dtype)


@torch.no_grad()
def _held(model: Model, target: Model | None, x_s: Tensor, s: Tensor) -> Tensor:
    return call(model, x_s, s) if target is None else call(target, x_s, s, "target")


def _against(
    model: Model, x_t: Tensor, t: Tensor, target: Tensor, weight: float | Tensor
) -> Tensor:
    return _squared(call(model, x_t, t), target, weight)


def _squared(out: Tensor, target: Tensor, weight: float | Tensor) -> Tensor:
    errors = sum_event((out.to(work_dtype(out)) - target.to(work_dtype(out))) ** 2, 1)
    return (per_sample("weight", weight, errors) * errors).mean().to(out.dtype)


# Average velocities


def mean_flow_loss(
    model: AverageVelocity,
    x0: Data,
    path: Path = STRAIGHT,
    *,
    s: Time | None = None,
    t: Time | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    equal: float = 0.5,
    weight: float | PerSample = 1.0,
) -> Scalar:
    """weight · ‖u - target‖², u = model(x_t, s, t), target = v - (t - s) du/dt held fixed.

    v is the velocity of the pair (x_0, noise), and du/dt the rate of u along it, as t and x_t move
    and s stays: one Jacobian-vector product. Where s = t the target is v: flow matching.

    Result: consistency.mean_flow, consistency.mean_flow_loss
    Shapes: x0 and noise (B, …) alike; s and t numbers or (B,), both or neither.
    Options: times that are not given are two uniform numbers in order, and with probability
        ``equal`` both are the later one.
    Errors: ValueError for an empty batch, shapes that differ, s > t (numbers), equal outside
        [0, 1], or unless a generator is given exactly where something is drawn.
    Source: Geng et al. 2025, section 4 and algorithm 1; their r is s.
    """
    some("x0", x0)
    check_path(path)
    function("model", model)
    equal = real("equal", equal, "a number in [0, 1]", 0.0, 1.0)
    if (s is None) != (t is None):
        refuse("s, t", "one of the two", "both times, or neither")
    check_draws(generator, x0, t, noise)
    noise = one_noise(noise, generator if noise is None else None, x0, "x0")
    if s is None or t is None:
        one, other, chance = (_uniform(x0, generator) for _ in range(3))
        t = torch.maximum(one, other)
        s = torch.where(chance < equal, t, torch.minimum(one, other))
    s, t = _times(s, t, x0)
    t = t.contiguous()  # a number for all is written once a sample: a derivative is taken in it
    x_t, v = path.line(x0, noise, t)
    along = torch.func.jvp(
        lambda x, t: output("model", model(x, s, t), "x_t", x_t),
        (x_t, t),
        (v, torch.ones_like(t)),
    )
    out, rate = cast(tuple[Tensor, Tensor], along)
    return _squared(out, (v - per_event(t - s, v) * rate).detach(), weight)


def shortcut_target(model: AverageVelocity, x_t: Data, s: Time, t: Time) -> Data:
    """The mean of two half steps, held fixed: what one step from t to s has to answer.

    The first half goes from t to the middle, the second on from where the first has led.

    Result: consistency.shortcut
    Shapes: x_t (B, …); s and t numbers or (B,).
    Errors: ValueError for a model whose output is not shaped like x_t, or s > t (numbers).
    Source: Frans et al. 2025, section 3, where time runs from noise to data.
    """
    function("model", model)
    s, t = _times(s, t, batched("x_t", x_t))
    m = (s + t) / 2
    with torch.no_grad():
        first = output("model", model(x_t, m, t), "x_t", x_t)
        x_m = _step(x_t, first, m, t)
        second = output("model", model(x_m, s, m), "x_t", x_t)
        return affine(first, 0.5, second, 0.5)


def _times(s: Time, t: Time, x: Tensor, least: float = 0.0) -> tuple[Tensor, Tensor]:
    s, t = check_time(s, x, "s"), check_time(t, x)
    early, late = (read(r) if isinstance(r, Tensor) else r for r in (s, t))
    if early is not None and late is not None and not late - early >= least:
        wanted = "s < t" if least else "s <= t"
        refuse("s, t", f"{early:g}, {late:g}", f"{wanted}: a step ends nearer to the data")
    return _one_a_sample(s, x), _one_a_sample(t, x)


def _step(x: Tensor, u: Tensor, s: Tensor, t: Tensor) -> Tensor:
    return affine(x, 1.0, u, per_event((s - t).to(work_dtype(x)), x))


# Other ways to distil


def progressive_target(
    model: Model, x_t: Data, s: Time, t: Time, path: Path = STRAIGHT, *, prediction: str = "x0"
) -> Data:
    """What one DDIM step from t to s has to be told to land where two of the teacher's land.

    The teacher steps from t to the middle and on to s. Its two guesses of the data are averaged,
    with the growth of alpha/sigma over each half as weights.

    Result: consistency.progressive
    Shapes: x_t (B, …); s and t numbers or (B,). Without gradients.
    Options: ``prediction`` is what teacher and student predict: "x0", or "v".
    Errors: ValueError for another prediction, or s >= t (numbers).
    Source: Salimans, Ho 2022, algorithm 2.
    """
    one_of("prediction", prediction, ("x0", "v"))
    check_path(path)
    s, t = _times(s, t, batched("x_t", x_t), least=1e-9)
    m = (s + t) / 2
    with torch.no_grad():
        first = _data_of(model, x_t, t, path, prediction)
        x_m = _ddim(x_t, first, t, m, path)
        second = _data_of(model, x_m, m, path, prediction)
        at_t, at_m, at_s = (path.coefficients(r, x_t) for r in (t, m, s))
        # The growths of alpha/sigma, times all three sigmas: sigma is 0 at the data.
        late = _turn(at_t, at_m) * at_s[1]
        early = _turn(at_m, at_s) * at_t[1]
        share = late / (late + early)
        x0 = affine(first, share, second, 1 - share)
        if prediction == "x0":
            return x0
        alpha, sigma = at_t
        return affine(x_t, alpha / sigma, x0, -(alpha**2 + sigma**2) / sigma)


def _turn(late: tuple[Coefficient, Coefficient], early: tuple[Coefficient, Coefficient]) -> Tensor:
    """sigma sigma' times the growth of alpha/sigma between two times."""
    return cast(Tensor, early[0] * late[1] - early[1] * late[0])


def _data_of(model: Model, x: Tensor, t: Tensor, path: Path, prediction: str) -> Tensor:
    out = call(model, x, t)
    if prediction == "x0":
        return out
    alpha, sigma = path.coefficients(t, x)
    size = alpha**2 + sigma**2
    return affine(x, alpha / size, out, -sigma / size)


def _ddim(x: Tensor, x0: Tensor, t: Tensor, s: Tensor, path: Path) -> Tensor:
    (alpha, sigma), (alpha_s, sigma_s) = path.coefficients(t, x), path.coefficients(s, x)
    ratio = sigma_s / sigma
    return affine(x, ratio, x0, alpha_s - ratio * alpha)


def dmd_loss(
    score: Model,
    x0: Data,
    path: Path = STRAIGHT,
    *,
    fake_score: Model,
    t: Time | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    weight: float | PerSample = 1.0,
) -> Scalar:
    """A number whose gradient in x0 is that of the reverse KL at noise level t: no KL itself.

    The gradient is weight · alpha (fake_score - score) at x_t, over the batch. ``x0`` is what a
    generator made, with its gradient; the scores are of its noised samples, ``fake_score``, learned
    beside it, and of the noised data, ``score``; neither gets a gradient.

    Result: consistency.matching
    Shapes: x0 and noise (B, …) alike; t a number or (B,).
    Options: what is not given is drawn: standard normal noise, and t uniform on [0, 1].
    Errors: ValueError for an empty batch, shapes that differ, or unless a generator is given
        exactly where something is drawn.
    Source: Yin et al. 2024 (DMD), section 3.2.
    """
    some("x0", x0)
    check_path(path)
    check_draws(generator, x0, t, noise)
    noise = one_noise(noise, generator if noise is None else None, x0, "x0")
    if t is None:
        t = _uniform(x0, generator)
    t = _one_a_sample(check_time(t, x0), x0)
    with torch.no_grad():
        x_t = path.interpolate(x0, noise, t)
        real, fake = call(score, x_t, t, "score"), call(fake_score, x_t, t, "fake_score")
        alpha, _ = path.coefficients(t, x0)
        push = alpha * (fake.to(work_dtype(x0)) - real.to(work_dtype(x0)))
    errors = sum_event(x0.to(push.dtype) * push, 1)
    return (per_sample("weight", weight, errors) * errors).mean().to(x0.dtype)


# Sampling


@torch.no_grad()
def sample(
    model: Model,
    shape: tuple[int, ...],
    path: Path = STRAIGHT,
    *,
    steps: int | Sequence[float] = 1,
    generator: Generators | None = None,
    start: Data | None = None,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """Guess the data, noise the guess again to the next time, guess again: one call a step.

    Exact answers keep the law of the data only if data with fresh noise have, at each time, the law
    of the model's flow: not after reflow, where samples of a second step come out too narrow.

    Result: consistency.multistep, consistency.after_reflow
    Shapes: (B, …) as given, without gradients.
    Options: ``steps`` is their number n, for the times 1, (n - 1)/n, …, 1/n; or these times
        themselves, decreasing from noise. ``start`` is x at the first, else standard normal noise.
    Errors: ValueError for times that do not fall or are not in (0, 1], or without a generator
        where something is drawn.
    Source: Song et al. 2023, algorithm 1.
    """
    function("model", model)
    check_path(path)
    shape = check_start(shape, dtype, "start", start)
    times = _falling(steps)
    if start is None or len(times) > 1:
        device = rngs(generator, shape[0], None if start is None else start.device)
    elif generator is not None:
        refuse("generator", generator, "None: with one step and a start nothing is drawn")
    x = _begin(shape, start, generator, dtype)
    for i, t in enumerate(times):
        if i:
            noise = normal(shape, cast(Generators, generator), work_dtype(x), device)
            x = path.interpolate(x, noise, t)
        x = call(model, x, _one_a_sample(t, x)).to(dtype)
    return x


@torch.no_grad()
def sample_mean_flow(
    model: AverageVelocity,
    shape: tuple[int, ...],
    *,
    steps: int | Sequence[float] = 1,
    generator: Generators | None = None,
    start: Data | None = None,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """x - (t - s) model(x, s, t) from each time to the next, from noise at 1 to data at 0.

    Result: consistency.mean_flow
    Shapes: (B, …) as given, without gradients.
    Options: ``steps`` is their number n, for even times; or the times at which a step begins.
    Errors: as for `sample`, or unless exactly one of ``generator`` and ``start`` is given.
    Source: Geng et al. 2025, section 4.1.
    """
    function("model", model)
    if (generator is None) == (start is None):
        refuse("generator, start", "neither" if start is None else "both", "exactly one of the two")
    shape = check_start(shape, dtype, "start", start)
    times = _falling(steps)
    if start is None:
        rngs(generator, shape[0])
    x = _begin(shape, start, generator, dtype)
    for t, s in pairwise([*times, 0.0]):
        at_s, at_t = (_one_a_sample(r, x) for r in (s, t))
        x = _step(x, output("model", model(x, at_s, at_t), "x_t", x), at_s, at_t)
    return x


def _falling(steps: int | Sequence[float]) -> list[float]:
    if isinstance(steps, int) and not isinstance(steps, bool):
        n = integer("steps", steps, 1, 10**6)
        return [i / n for i in range(n, 0, -1)]
    wanted = "a number of steps, or falling times in (0, 1]"
    times = [real("steps", t, wanted, 0.0, 1.0) for t in listed("steps", steps, wanted)]
    if not times or not all(a > b for a, b in pairwise([*times, 0.0])):
        refuse("steps", describe(steps), wanted)
    return times


def _begin(
    shape: tuple[int, ...],
    start: Tensor | None,
    generator: Generators | None,
    dtype: torch.dtype,
) -> Tensor:
    if start is not None:
        return start.to(dtype)
    work = torch.float64 if dtype == torch.float64 else torch.float32
    generator = cast(Generators, generator)
    return normal(shape, generator, work, rngs(generator, shape[0])).to(dtype)


# Flows that are known


def normal_flow_map(
    x: Data,
    t: Time,
    s: Time,
    path: Path = STRAIGHT,
    *,
    mean: float = 0.0,
    variance: float = 1.0,
) -> Data:
    """Where the flow of normal data carries x from time t to time s, either way, each coordinate.

    Result: consistency.flow_map
    Shapes: x (B, …); s and t numbers or (B,). With s = 0 it is the exact consistency function.
    Errors: ValueError unless variance > 0.
    """
    mean, c = real("mean", mean, "a number", -math.inf), positive("variance", variance)
    check_path(path)
    s = check_time(s, batched("x", x), "s")
    at_t, at_s = path.coefficients(t, x), path.coefficients(s, x)
    ratio = ((at_s[0] ** 2 * c + at_s[1] ** 2) / (at_t[0] ** 2 * c + at_t[1] ** 2)) ** 0.5
    return ((x - at_t[0] * mean) * ratio + at_s[0] * mean).to(x.dtype)


def line_flow_map(
    x: PerSample, t: float, s: float, path: Path = STRAIGHT, *, mixture: GaussianMixture
) -> PerSample:
    """Where the flow of a mixture on the line carries x from time t to time s.

    The share of the mass to the left of a point is the same all along its way; so the end is found
    by bisection, to the rounding of float64.

    Result: consistency.line
    Shapes: x (B,), and like it.
    Errors: ValueError for a mixture that is not of single numbers or, at time 0, has points in it,
        or an x so far out that one side of it holds no mass.
    """
    instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    check_path(path)
    if mixture.event != ():
        refuse("mixture", mixture, "a mixture of single numbers: event=()")
    if batched("x", x).ndim != 1:
        refuse("x", describe(x), "points on the line, (B,)")
    t, s = (real(n, r, "a number in [0, 1]", 0.0, 1.0) for n, r in (("t", t), ("s", s)))
    wide = x.double()
    left, right = _sides(wide, t, path, mixture)
    if bool(((left == 0) | (right == 0)).any()):
        refuse("x", describe(x), "points between the mass of the mixture at time t")
    reach = 40 * (float(mixture.means.abs().max()) + float(mixture.covariance.max()) ** 0.5 + 1)
    low, high = torch.full_like(wide, -reach), torch.full_like(wide, reach)
    for _ in range(80):
        middle = (low + high) / 2
        here = _sides(middle, s, path, mixture)
        # In a tail the smaller share has all the digits.
        further = torch.where(left < right, here[0] < left, here[1] > right)
        low, high = torch.where(further, middle, low), torch.where(further, high, middle)
    return ((low + high) / 2).to(x.dtype)


def _sides(x: Tensor, t: float, path: Path, mixture: GaussianMixture) -> tuple[Tensor, Tensor]:
    """The mass to the left of x at time t, and to its right."""
    alpha, sigma = path.coefficients(t, x)
    log_w, means, variances, _ = mixture._on(x.device)
    spread = (alpha**2 * variances[:, 0] + sigma**2).sqrt()
    if not bool((spread > 0).all()):
        refuse("mixture", mixture, "one with a density: std > 0, where t or s is 0")
    z = (x.unsqueeze(1) - alpha * means[:, 0]) / (spread * math.sqrt(2))
    share = log_w.exp() / 2
    return torch.erfc(-z) @ share, torch.erfc(z) @ share
