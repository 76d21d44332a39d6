"""Conditional generation and control: guidance, inpainting, linear measurements, editing.

What is wrapped here is called as model(x, t) again, as every sampler calls it. A conditional model
is called as model(x, t, condition), the condition one a sample, and some value of it, the null,
means "nothing is said". ``scale`` is 0 without a condition and 1 with it; papers write w for
scale - 1.

    kept = drop_labels(labels, 10, 0.1, generator=generator)  # in training
    guided = Guided(net, labels, 10, scale=3.0)  # afterwards
    x0 = sample(guided, shape, path, DDIM(), steps=50, generator=generator)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

from genmath._base.batch import affine, per_event, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    finite,
    floating,
    function,
    instance,
    integer,
    listed,
    one_of,
    real,
    refuse,
    same_shape,
)
from genmath._base.draws import Generators, draw_, normal, rngs
from genmath._base.shapes import Array, Coefficient, Data, PerSample, Time
from genmath._base.slopes import slope
from genmath._base.steps import Model, call, even_steps, one_each, output
from genmath._base.torch import Tensor, torch
from genmath.paths import Path, Schedule
from genmath.predictions import PREDICTIONS, coefficients
from genmath.samplers import Grid, Sampler, sample

__all__ = [
    "ClassifierGuided",
    "Guided",
    "Measured",
    "drop_labels",
    "edit",
    "guide",
    "inpaint",
    "rescaled",
]

ConditionalModel = Callable[[Tensor, Tensor, Tensor], Tensor]
PATH = "a Path, such as LinearPath(), or a Schedule"


# Classifier-free guidance


def guide(conditional: Data, unconditional: Data, scale: float) -> Data:
    """unconditional + scale (conditional - unconditional), of two predictions of one kind.

    The coefficients sum to one, so it does not matter which of the `PREDICTIONS` it is.
    "Unconditional" may be any other prediction to lead away from: of a negative prompt, or of a
    worse model.

    Result: guidance.classifier_free, guidance.every_prediction
    Shapes: both alike, the batch first; the dtype follows the conditional one.
    Errors: ValueError for shapes that differ or a scale that is not finite.
    Source: Ho, Salimans 2022, equation 6, with w = scale - 1.
    """
    same_shape("unconditional", unconditional, "conditional", batched("conditional", conditional))
    scale = real("scale", scale, "a finite number", -math.inf)
    return affine(conditional, scale, unconditional, 1.0 - scale)


def rescaled(guided: Data, conditional: Data, share: float) -> Data:
    """guided · (1 - share + share · r), where r · guided spreads as the conditional one does.

    The spread is the standard deviation over the numbers of an event. This is no affine
    combination: what it does depends on which of the `PREDICTIONS` it is done to.

    Result: guidance.rescaling
    Shapes: both (B, …) alike, two numbers an event or more; a sample of ``guided`` that does not
        spread stays.
    Errors: ValueError for shapes that differ, events of one number, or a share outside [0, 1].
    Source: Lin, Liu, Li, Yang 2024, section 3.4.
    """
    same_shape("conditional", conditional, "guided", batched("guided", guided))
    share = real("share", share, "a number in [0, 1]", 0.0, 1.0)
    if math.prod(guided.shape[1:]) < 2:
        refuse("guided", describe(guided), "events of two numbers or more, which can spread")
    work = work_dtype(guided)
    now, wanted = (x.to(work).flatten(1).std(1, correction=0) for x in (guided, conditional))
    ratio = torch.where(now > 0, wanted / now, torch.ones_like(now))
    return (guided.to(work) * per_event(1 - share + share * ratio, guided)).to(guided.dtype)


class Guided:
    """model(x, t, condition) and model(x, t, null) as one model(x, t), with more of the difference.

    Both are asked in one batch of two; with ``against`` the second comes from that model. Outside
    the ``interval`` of t there is no guidance, the condition alone, and one call; so it is with
    scale 1, and with scale 0 there is the null alone. To know where it is, t is read.

    Result: guidance.tilted, guidance.samples, guidance.noisy_samples, guidance.interval
    Shapes: condition (B, …), one a sample; the null like it, or like one of it, or the integer that
        stands for it among labels. ``interval`` is (first, last) in t, or in steps on a `Schedule`.
    Options: ``rescale`` is the share of `rescaled`. The null may be a negative prompt;
        ``against`` a worse model, asked with the null, or with the condition where this is given as
        the null.
    Errors: ValueError for what does not fit; in use, for a batch of another size than the
        condition's, or a model whose output is not like x.
    Source: Ho, Salimans 2022, algorithm 2; the interval: Kynkäänniemi et al. 2024; ``against``:
        Karras et al. 2024 (autoguidance).
    """

    def __init__(
        self,
        model: ConditionalModel,
        condition: Tensor,
        null: Tensor | int,
        *,
        scale: float,
        interval: Sequence[float] | None = None,
        rescale: float = 0.0,
        against: ConditionalModel | None = None,
    ) -> None:
        function("model", model)
        if against is not None:
            function("against", against)
        self.model, self.against = model, against
        self.condition = _condition("condition", condition)
        self.null = _null(null, self.condition)
        self.scale = real("scale", scale, "a finite number", -math.inf)
        self.interval = None if interval is None else _interval(interval)
        self.rescale = real("rescale", rescale, "a number in [0, 1]", 0.0, 1.0)

    def __call__(self, x: Data, t: Tensor) -> Data:
        if len(batched("x", x)) != len(self.condition):
            refuse("x", describe(x), f"{len(self.condition)} samples, as many as conditions")
        inside = self._inside(t)
        scale = self.scale if inside is None or bool(inside.any()) else 1.0
        if scale == 1.0:
            return self._ask(self.model, x, t, self.condition)
        if scale == 0.0 and inside is None:
            return self._ask(self.against or self.model, x, t, self.null)
        conditional, unconditional = self._both(x, t)
        guided = guide(conditional, unconditional, scale)
        if self.rescale:
            guided = rescaled(guided, conditional, self.rescale)
        if inside is None or bool(inside.all()):
            return guided
        return torch.where(per_event(inside, x), guided, conditional)

    def _inside(self, t: Tensor) -> Tensor | None:
        """Whether each sample is in the interval; None where all are, for want of one."""
        if self.interval is None:
            return None
        low, high = self.interval
        return (t >= low) & (t <= high)

    def _both(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        if self.against is not None:
            return (
                self._ask(self.model, x, t, self.condition),
                self._ask(self.against, x, t, self.null),
            )
        condition = torch.cat([self.condition, self.null])
        first, second = self._ask(
            self.model, torch.cat([x, x]), torch.cat([t, t]) if t.ndim else t, condition
        ).chunk(2)
        return first, second

    @staticmethod
    def _ask(model: ConditionalModel, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return output("model", model(x, t, condition), "x_t", x)


def drop_labels(
    labels: Tensor, null: Tensor | int, rate: float, *, generator: Generators
) -> Tensor:
    """The conditions of a batch, each replaced by the null with the probability ``rate``.

    A network trained on what comes out learns the conditional and the unconditional prediction.

    Result: guidance.dropout
    Shapes: labels (B, …), one a sample, of any kind; the null as for `Guided`.
    Errors: ValueError for a rate outside [0, 1], a null that does not fit, or a missing generator.
    Source: Ho, Salimans 2022, algorithm 1.
    """
    labels = _condition("labels", labels)
    nulls = _null(null, labels, "labels")
    rate = real("rate", rate, "a number in [0, 1]", 0.0, 1.0)
    device = rngs(generator, len(labels), labels.device)
    u = draw_(torch.empty(len(labels), 1, device=device), generator, "uniform_").squeeze(1)
    return torch.where(per_event(u < rate, labels), nulls, labels)


# Guidance by the gradient of a likelihood


class ClassifierGuided:
    """A model whose score has scale · ∇ log_likelihood(x, t) added, whatever it predicts.

    log_likelihood(x, t) is one number a sample: how likely what is wanted is at this noisy x, for
    example the log-probability of a label by a classifier trained on noisy data.

    Result: guidance.bayes
    Errors: ValueError for what does not fit, a likelihood that autograd cannot follow back to x, or
        a prediction that is not determined there.
    Source: Dhariwal, Nichol 2021, algorithms 1 and 2; Song et al. 2021 (score SDE), section 5.
    """

    def __init__(
        self,
        model: Model,
        path: Path | Schedule,
        log_likelihood: Callable[[Tensor, Tensor], PerSample],
        *,
        scale: float = 1.0,
        prediction: str = "eps",
    ) -> None:
        function("model", model)
        function("log_likelihood", log_likelihood)
        self.model, self.log_likelihood = model, log_likelihood
        self.path = _path(path, prediction)
        self.scale = real("scale", scale, "a finite number", -math.inf)
        self.prediction = prediction

    def __call__(self, x: Data, t: Tensor) -> Data:
        predicted = call(self.model, x, t)
        with torch.enable_grad():
            here = x.detach().requires_grad_()
            each = one_each("log_likelihood output", self.log_likelihood(here, t), here)
            gradient = slope(each.sum(), here, keep=False)
        return _with_score(predicted, gradient, self.scale, x, t, self.path, self.prediction)


class Measured:
    """A model of data of which y = matrix · x_0 + std · noise was measured.

    Adds the score of the measurement, ∇ log N(y; A x̂, A C Aᵀ + std²), where x̂ is the model's guess
    of the data at x_t and C what x_t leaves open of them: their covariance given x_t. That is
    computed from ``prior``, the covariance that normal data would have. For normal data and
    their covariance it is exact; a number v stands for v times the identity, and is ΠGDM; 0 leaves
    C out, and is DPS.
    Where alpha = 0 the score does not determine "x0", "v" or "velocity": begin nearer to the data,
    with `genmath.samplers.steps_inside`. So it is for `ClassifierGuided`.

    Result: guidance.measurement, guidance.left_out
    Shapes: matrix (m, d), d the size of the event; y (B, m); prior a number or (d, d).
    Errors: ValueError for shapes that do not fit, a prior that is not symmetric or has an
        eigenvalue below 0, std = 0 where the prior is 0; in use, a model that autograd cannot
        follow back to x.
    Source: Chung et al. 2023 (DPS), without the step size of its algorithm 1; Song et al. 2023
        (ΠGDM).
    """

    def __init__(
        self,
        model: Model,
        path: Path | Schedule,
        matrix: Array,
        y: Data,
        *,
        std: float,
        prior: float | Array = 1.0,
        prediction: str = "eps",
    ) -> None:
        function("model", model)
        self.model, self.path, self.prediction = model, _path(path, prediction), prediction
        if floating("matrix", matrix).ndim != 2 or 0 in matrix.shape:
            refuse("matrix", describe(matrix), "a matrix (m, d)")
        self.matrix = finite("matrix", matrix)
        if batched("y", y).ndim != 2 or y.shape[1] != len(matrix):
            refuse("y", describe(y), f"(B, {len(matrix)}), a number for each row of matrix")
        self.y = finite("y", y)
        self.std = real("std", std, "a number >= 0", 0.0)
        self.prior = _covariance("prior", prior, matrix.shape[1])
        if self.std == 0 and not isinstance(self.prior, Tensor) and self.prior == 0:
            refuse("std", 0.0, "a number > 0 where the prior is 0: nothing would be open")

    def __call__(self, x: Data, t: Tensor) -> Data:
        if len(batched("x", x)) != len(self.y):
            refuse("x", describe(x), f"{len(self.y)} samples, as many as measurements")
        if math.prod(x.shape[1:]) != self.matrix.shape[1]:
            refuse("x", describe(x), f"events of {self.matrix.shape[1]} numbers, as matrix has")
        alpha, sigma = self.path.coefficients(t, x)
        slopes = _slopes(self.path, t, x, self.prediction, "x0")
        pair = coefficients(alpha, sigma, source=self.prediction, target="x0", **slopes)
        with torch.enable_grad():
            here = x.detach().requires_grad_()
            predicted = call(self.model, here, t)
            guess = affine(predicted.detach(), pair[0], here.detach(), pair[1])
            pulled = self._pull(guess, alpha, sigma)
            # Not of the guess, which depends on x even where the model's graph was lost
            of_model = slope(predicted, here, (pair[0] * pulled).to(predicted.dtype), keep=False)
        gradient = of_model + pair[1] * pulled
        return _with_score(predicted.detach(), gradient, 1.0, x, t, self.path, self.prediction)

    def _pull(self, guess: Tensor, alpha: Coefficient, sigma: Coefficient) -> Tensor:
        """Aᵀ (A C Aᵀ + std² I)⁻¹ (y - A x̂), shaped like the guess."""
        wide = torch.float64
        A, y = self.matrix.to(guess.device, wide), self.y.to(guess.device, wide)
        residual = y - guess.flatten(1).to(wide) @ A.mT
        a2, s2 = (_square(c, guess) for c in (alpha, sigma))
        if isinstance(self.prior, Tensor):
            P = self.prior.to(guess.device, wide)
            eye = torch.eye(len(P), dtype=wide, device=guess.device)
            open_ = A @ (s2 * torch.linalg.solve(a2 * P + s2 * eye, P)) @ A.mT
        else:
            open_ = s2 * self.prior / (a2 * self.prior + s2) * (A @ A.mT)
        spread = open_ + self.std**2 * torch.eye(len(A), dtype=wide, device=guess.device)
        pulled = torch.linalg.solve(spread, residual.unsqueeze(2)).squeeze(2) @ A
        pulled_back: Tensor = pulled.reshape(guess.shape).to(guess.dtype)
        return pulled_back


# Inpainting and editing


@torch.no_grad()
def inpaint(
    model: Model,
    x0: Data,
    mask: Tensor,
    path: Path | Schedule,
    sampler: Sampler,
    *,
    steps: int | Sequence[float] | Tensor,
    prediction: str = "eps",
    repeats: int = 1,
    generator: Generators,
) -> Data:
    """x_0 where the mask is True, and a guess of the rest: by replacement, or by RePaint.

    After every move the known part is replaced by itself, noised to the level that was reached.
    That does not draw the law of the rest given the known part: see `guidance.replaced`. With
    ``repeats`` each move is made so often, with the noise of the move put back in between, so that
    the two parts can agree.

    Result: guidance.replaced, guidance.replacement
    Shapes: x0 (B, …); mask of booleans like it, or like one event.
    Options: ``steps`` as `genmath.samplers.sample` takes them, towards the data.
    Errors: ValueError for what does not fit, and as `sample` has them.
    Source: Song et al. 2021 (score SDE), appendix I; Lugmayr et al. 2022 (RePaint), algorithm 1.
    """
    finite("x0", batched("x0", x0))
    known = _mask(mask, x0)
    repeats = integer("repeats", repeats, 1)
    times = _times(_path(path, prediction), steps)
    rngs(generator, len(x0), x0.device)
    work = work_dtype(x0)
    data = x0.to(work)

    def draw() -> Tensor:
        return normal(x0.shape, generator, work, x0.device)

    def put_back(x: Tensor, t: float) -> Tensor:
        alpha, sigma = _level(path, t)
        return torch.where(known, alpha * data + sigma * draw() if sigma else data, x)

    alpha, sigma = _level(path, times[0])
    x = put_back(math.hypot(alpha, sigma) * draw(), times[0])
    for t, s in pairwise(times):
        for again in range(repeats, 0, -1):
            x = sample(
                model, tuple(x.shape), path, sampler, steps=[t, s], prediction=prediction,
                generator=generator, start=x, dtype=work,
            )  # fmt: skip
            x = put_back(x, s)
            if again > 1:
                x = _noised_further(x, path, s, t, draw())
    return x.to(x0.dtype)


@torch.no_grad()
def edit(
    model: Model,
    x0: Data,
    t: float,
    path: Path | Schedule,
    sampler: Sampler,
    *,
    steps: int,
    prediction: str = "eps",
    generator: Generators,
) -> Data:
    """x_0 noised to the level t and brought back in so many steps: SDEdit, or image to image.

    The larger t, the more of a sample of the model and the less of x_0 it is.

    Result: guidance.editing
    Shapes: like x0 (B, …). t is a number in (0, 1] on a `Path`, a step in 1..T on a `Schedule`.
    Errors: ValueError for a t outside, and as `genmath.samplers.sample` has them.
    Source: Meng et al. 2022 (SDEdit), algorithm 1.
    """
    finite("x0", batched("x0", x0))
    _path(path, prediction)
    if isinstance(path, Schedule):
        t = integer("t", cast(int, t), 1, path.T)
        times: list[float] = [*even_steps(0, t, integer("steps", steps, 1, t))[::-1]]
    else:
        if real("t", t, "a number in (0, 1]", 0.0, 1.0) == 0:
            refuse("t", t, "a number in (0, 1]")
        n = integer("steps", steps, 1)
        times = [float(t) * (n - i) / n for i in range(n + 1)]
    rngs(generator, len(x0), x0.device)
    noise = normal(x0.shape, generator, work_dtype(x0), x0.device)
    alpha, sigma = _level(path, times[0])
    return sample(
        model, tuple(x0.shape), path, sampler, steps=times, prediction=prediction,
        generator=generator, start=affine(x0, alpha, noise, sigma), dtype=x0.dtype,
    )  # fmt: skip


# What they share


def _path(path: Path | Schedule, prediction: str) -> Path | Schedule:
    instance("path", path, (Path, Schedule), PATH)
    one_of("prediction", prediction, PREDICTIONS)
    return path


def _condition(name: str, condition: object) -> Tensor:
    if not isinstance(condition, Tensor) or condition.ndim == 0:
        refuse(name, describe(condition), "a tensor with one condition a sample, the batch first")
    return condition


def _null(null: object, condition: Tensor, name: str = "condition") -> Tensor:
    """The null as often as there are samples."""
    if not isinstance(null, Tensor) and condition.dtype in (torch.int64, torch.int32):
        value = integer("null", cast(int, null), -(2**31), 2**31 - 1)
        return torch.full_like(condition, value)
    fits = isinstance(null, Tensor) and null.shape in (condition.shape, condition.shape[1:])
    if not isinstance(null, Tensor) or not fits or null.dtype != condition.dtype:
        refuse("null", describe(null), f"a {condition.dtype} tensor like {name}, or like one of it")
    return null.to(condition.device).expand_as(condition)


def _interval(interval: object) -> tuple[float, float]:
    expected = "(first, last) in t, first <= last"
    ends = listed("interval", interval, expected)
    if len(ends) != 2:
        refuse("interval", describe(interval), expected)
    low, high = (real("interval", end, expected, -math.inf) for end in ends)
    if low > high:
        refuse("interval", describe(interval), expected)
    return low, high


def _covariance(name: str, prior: object, d: int) -> float | Tensor:
    if not isinstance(prior, Tensor) or prior.ndim == 0:
        return real(name, cast(float, prior), f"a number >= 0, or a covariance ({d}, {d})", 0.0)
    if not prior.dtype.is_floating_point or prior.shape != (d, d):
        refuse(name, describe(prior), f"a number >= 0, or a covariance ({d}, {d})")
    wide = finite(name, prior).double()
    size = wide.abs().max()
    if bool(((wide - wide.mT).abs() > 1e-6 * size).any()):
        refuse(name, "a matrix that is not symmetric", "a covariance")
    if bool((torch.linalg.eigvalsh(wide) < -1e-6 * size).any()):
        refuse(name, "a matrix with an eigenvalue below 0", "a covariance")
    return wide


def _mask(mask: object, x0: Tensor) -> Tensor:
    fits = isinstance(mask, Tensor) and mask.shape in (x0.shape, x0.shape[1:])
    if not isinstance(mask, Tensor) or not fits or mask.dtype != torch.bool:
        refuse("mask", describe(mask), f"booleans of shape {tuple(x0.shape)}, or of one event")
    return mask.to(x0.device).expand_as(x0)


def _times(path: Path | Schedule, steps: object) -> list[float]:
    """The times of so many even steps towards the data, or these times."""
    if isinstance(steps, int) and not isinstance(steps, bool):
        if isinstance(path, Schedule):
            return [*even_steps(0, path.T, integer("steps", steps, 1, path.T))[::-1]]
        n = integer("steps", steps, 1)
        return [i / n for i in range(n, -1, -1)]
    wanted = "a number of steps, or two or more times in order"
    times = Grid(path, listed("steps", steps, wanted)).times.tolist()
    if len(times) < 2:
        refuse("steps", describe(steps), wanted)
    return cast(list[float], times)


def _level(path: Path | Schedule, t: float) -> tuple[float, float]:
    alpha, sigma = path.coefficients(cast(int, t), torch.empty(1, dtype=torch.float64))
    return float(alpha), float(sigma)


def _noised_further(x: Tensor, path: Path | Schedule, s: float, t: float, noise: Tensor) -> Tensor:
    """A draw of q(x_t | x_s), t the noisier."""
    (a, b), (c, d) = _level(path, s), _level(path, t)
    ratio = c / a
    return ratio * x + math.sqrt(max(d**2 - (ratio * b) ** 2, 0.0)) * noise


def _slopes(
    path: Path | Schedule, t: Time, x: Tensor, source: str, target: str
) -> dict[str, Coefficient]:
    if "velocity" not in (source, target) or source == target:
        return {}
    if isinstance(path, Schedule):
        refuse("prediction", "velocity", "another one on a Schedule, which has no derivative in t")
    d_alpha, d_sigma = path.derivatives(t, x)
    return {"d_alpha": d_alpha, "d_sigma": d_sigma}


def _with_score(
    predicted: Tensor,
    gradient: Tensor,
    scale: float,
    x: Tensor,
    t: Time,
    path: Path | Schedule,
    prediction: str,
) -> Tensor:
    """The prediction that means a score larger by scale · gradient."""
    alpha, sigma = path.coefficients(t, x)  # type: ignore[arg-type]
    of_score, _ = coefficients(
        alpha, sigma, source="score", target=prediction,
        **_slopes(path, t, x, "score", prediction),
    )  # fmt: skip
    return affine(predicted, 1.0, gradient, scale * of_score)


def _square(c: Coefficient, x: Tensor) -> Coefficient:
    """c², to multiply matrices, one a sample."""
    return c.double().reshape(-1, 1, 1) ** 2 if isinstance(c, Tensor) else c**2
