"""Samplers as data: lists of moves x ← a x + b predicted + c noise, and one loop that runs them.

Between two times of a path x_t = alpha x_0 + sigma eps every sampler here is linear in x, in what
the network predicts and in fresh noise; what sets them apart is the three numbers. They follow in
float64 from the path (a `Path`, or a discrete `Schedule`) and the kind of prediction, before the
loop begins. A sampler of your own is a subclass of `Sampler` with one method, `moves`.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from genmath._base.checks import (
    all_finite,
    describe,
    flag,
    function,
    instance,
    integer,
    listed,
    one_of,
    positive,
    real,
    refuse,
    rng,
)
from genmath._base.shapes import Array, Coefficient, Data, Time
from genmath._base.steps import Model, affine, call, check_start, even_steps
from genmath._base.torch import Tensor, torch
from genmath.paths import Path, Schedule
from genmath.predictions import PREDICTIONS, coefficients

__all__ = [
    "DDIM",
    "Amplified",
    "Ancestral",
    "Correction",
    "Euler",
    "Grid",
    "Heun",
    "Langevin",
    "Move",
    "ReverseSDE",
    "Sampler",
    "sample",
]


class Amplified(UserWarning):
    """A sampler starts where the prediction does not say what the data are.

    "eps" and "score" leave σ/α times their error in x_0, which a sampler without noise keeps.
    """


Callback = Callable[[int, int, Data], None]
Columns = tuple[Tensor, Tensor, Tensor]
VARIANCES = ("beta", "posterior")


def _wide(of: Callable[[Time], Coefficient], times: Tensor) -> Tensor:
    return cast(Tensor, of(times))  # of a tensor it is one


class Grid:
    """A path at the times a sampler visits, in that order: float64 vectors on the CPU.

    ``alpha``, ``sigma``, ``log_alpha`` and ``half_log_snr`` are known on every path; on a `Path`
    also ``times`` as a vector of float64, which a `Schedule` has as integers.

    Errors: ValueError for another path, or times that are not on it.
    """

    def __init__(self, path: Path | Schedule, steps: Sequence[float] | Tensor) -> None:
        instance("path", path, (Path, Schedule), "a Path, such as LinearPath(), or a Schedule")
        self.path = path
        numbers = _numbers(steps)
        if not numbers:
            refuse("steps", describe(steps), "at least one time")
        if isinstance(path, Schedule):
            whole = [integer("steps", t, 0, path.T) for t in numbers]
            self.times = torch.tensor(whole, dtype=torch.long, device="cpu")
            self.alpha, self.sigma = path.alpha[self.times], path.sigma[self.times]
            self.log_alpha = path.log_alpha_bar[self.times] / 2
            self.half_log_snr = path.half_log_snr[self.times]
        else:
            inside = [real("steps", t, "times in [0, 1]", 0.0, 1.0) for t in numbers]
            self.times = torch.tensor(inside, dtype=torch.float64, device="cpu")
            self.alpha, self.sigma = _wide(path.alpha, self.times), _wide(path.sigma, self.times)
            self.log_alpha = self.alpha.log()
            self.half_log_snr = _wide(path.half_log_snr, self.times)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def continuous(self) -> Path:
        """The path, for the samplers that need derivatives in t.

        Errors: ValueError for a discrete schedule, which has none.
        """
        if not isinstance(self.path, Path):
            refuse("path", describe(self.path), "a Path in continuous time, such as VPPath()")
        return self.path

    @property
    def gap(self) -> Tensor:
        """half_log_snr at a time less that at the next: negative on the way to the data."""
        return self.half_log_snr[:-1] - self.half_log_snr[1:]

    def forward_sde(self, count: int | None = None) -> tuple[Tensor, Tensor]:
        """(f, g²) of dx = f x dt + g dW at the first ``count`` times.

        Errors: ValueError on a discrete schedule, or at the first of them where one is infinite.
        """
        path, times = self.continuous, self.times[: self._count(count)]
        f, g2 = _wide(path.drift, times), _wide(path.squared_diffusion, times)
        finite = f.isfinite() & g2.isfinite()
        if not bool(finite.all()):
            i = int((~finite).nonzero()[0])
            refuse("steps", times[i].item(), "times at which drift and diffusion are finite")
        return f, g2

    def convert(self, source: str, target: str, count: int | None = None) -> tuple[Tensor, Tensor]:
        """(first, second) with target = first * source + second * x, at the first ``count`` times.

        Errors: ValueError at the first of them where the prediction does not determine the target.
        """
        first, second, finite = self.convert_where_possible(source, target)
        n = self._count(count)
        if not bool(finite[:n].all()):
            i = int((~finite[:n]).nonzero()[0])
            slopes = self._slopes(source, target)
            slope = {name: values[i].item() for name, values in slopes.items()}
            coefficients(  # says why
                self.alpha[i].item(), self.sigma[i].item(), source=source, target=target, **slope
            )
            wanted = f"times at which {source!r} gives a finite {target!r}"
            refuse("steps", self.times[i].item(), wanted)
        return first[:n], second[:n]

    def convert_where_possible(self, source: str, target: str) -> tuple[Tensor, Tensor, Tensor]:
        """The same at every time, and where it is finite."""
        slopes = self._slopes(source, target)
        pair = coefficients(self.alpha, self.sigma, source=source, target=target, **slopes)
        first, second = (
            torch.as_tensor(c, dtype=torch.float64, device="cpu").expand(len(self)) for c in pair
        )
        return first, second, first.isfinite() & second.isfinite()

    def _count(self, count: int | None) -> int:
        return len(self) if count is None else integer("count", count, 0, len(self))

    def _slopes(self, source: str, target: str) -> dict[str, Tensor]:
        one_of("source", source, PREDICTIONS)
        one_of("target", target, PREDICTIONS)
        if source == target or "velocity" not in (source, target):
            return {}
        path = self.continuous
        return {
            "d_alpha": _wide(path.d_alpha, self.times),
            "d_sigma": _wide(path.d_sigma, self.times),
        }


class Correction(NamedTuple):
    """A second look: the network is asked at (trial, time) and the x before becomes
    x * x + predicted * predicted + again * again.

    ``at`` is the place of the time in the grid.
    """

    at: int
    x: float
    predicted: float
    again: float


class Move(NamedTuple):
    """x ← x * x + predicted * predicted + noise * noise, the network asked at one time of the grid.

    ``at`` is the place of the time in the grid. With a ``correct``ion the result is only a trial.
    """

    at: int
    x: float
    predicted: float
    noise: float = 0.0
    correct: Correction | None = None


class Sampler(ABC):
    """What a sampler does, as moves over a grid of times."""

    @abstractmethod
    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        """The moves that carry x along the grid, given what kind of thing the network predicts.

        Errors: ValueError where the prediction does not determine what the sampler needs.
        """


@dataclass(frozen=True)
class Ancestral(Sampler):
    """A draw of p(x_s | x_t): the mean of q(x_s | x_t, x_0) at the predicted x_0, plus noise.

    The variance is that of q(x_t | x_s), "beta", or that of q(x_s | x_t, x_0), "posterior". The
    move to clean data adds none. With all steps of a `Schedule` this is DDPM.

    Errors: ValueError for another variance; in use, for times that do not lead towards the data.
    Source: Ho, Jain, Abbeel 2020, algorithm 2, from one step to any; equation 7 with
        alpha_t/alpha_s for √(1-beta).
    """

    variance: str = "beta"

    def __post_init__(self) -> None:
        one_of("variance", self.variance, VARIANCES)

    def columns(self, grid: Grid, prediction: str) -> Columns:
        """The three numbers of every move, as float64 vectors."""
        _towards_data(grid, prediction, least=2)
        n = len(grid) - 1
        sigma, after = grid.sigma[:-1], grid.sigma[1:]
        ratio = torch.exp(grid.log_alpha[:-1] - grid.log_alpha[1:])  # alpha_t / alpha_s
        # The variance of q(x_t | x_s), sigma_t² - ratio² sigma_s², and its share of sigma_t²
        fresh = 0.0 - torch.expm1(2 * grid.gap)
        variance = fresh * sigma**2
        if prediction in ("eps", "score"):
            # The direct form: through x0 it would divide by alpha and multiply by it again.
            grid.convert(prediction, "score", n)
            if bool((ratio == 0).any()):
                grid.convert(prediction, "x0", n)  # says why not
            of_x = 1 / ratio
            of_predicted = (
                variance / ratio if prediction == "score" else -variance / (ratio * sigma)
            )
        else:
            first, second = grid.convert(prediction, "x0", n)
            of_x0 = grid.alpha[1:] * fresh
            of_x = ratio * (after / sigma) ** 2 + of_x0 * second
            of_predicted = of_x0 * first
        std = torch.sqrt(variance) if self.variance == "beta" else torch.sqrt(fresh) * after
        return of_x, of_predicted, torch.where(after > 0, std, torch.zeros_like(std))

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        return _moves(self.columns(grid, prediction))


@dataclass(frozen=True)
class DDIM(Sampler):
    """x_s = alpha_s x0_hat + √(sigma_s² - c²) eps_hat + c noise, c² = eta² · posterior variance.

    It is c that is proportional to eta, and the variance c² to eta². eta = 0 draws nothing and may
    run either way; eta = 1 is `Ancestral` with variance "posterior".

    Result: ddim.step, ddim.euler, ddim.marginal, ddim.gaussian_step
    Errors: ValueError unless eta is in [0, 1]; in use with eta > 0, for times that do not lead
        towards the data.
    Source: Song, Meng, Ermon 2021, equations 12 and 16.
    """

    eta: float = 0.0

    def __post_init__(self) -> None:
        real("eta", self.eta, "a number in [0, 1]", 0.0, 1.0)

    def columns(self, grid: Grid, prediction: str) -> Columns:
        """The three numbers of every move, as float64 vectors."""
        _towards_data(grid, prediction, least=2, either_way=self.eta == 0.0)
        n = len(grid) - 1
        data, noise = (grid.convert(prediction, target, n) for target in ("x0", "eps"))
        return self.between(data, noise, grid.alpha[1:], grid.sigma[1:], grid.gap)

    def between(
        self,
        x0: tuple[Coefficient, Coefficient],
        eps: tuple[Coefficient, Coefficient],
        alpha: Tensor,
        sigma: Tensor,
        gap: Tensor,
    ) -> Columns:
        """The three numbers of a move to (alpha, sigma) over a gap of half_log_snr.

        ``x0`` and ``eps`` say what these are made of: (of the prediction, of x).
        """
        fresh, kept = self.fresh(sigma, gap), sigma
        if self.eta:  # √(sigma² - fresh²), without the cancellation
            kept = sigma * torch.sqrt(1 - self.eta**2 + self.eta**2 * torch.exp(2 * gap))
        of_predicted, of_x = (alpha * a + kept * b for a, b in zip(x0, eps, strict=True))
        return of_x, of_predicted, fresh

    def fresh(self, sigma: Tensor, gap: Tensor) -> Tensor:
        """c = eta sigma √(1 - snr_t/snr_s), the standard deviation of the fresh noise."""
        return self.eta * sigma * torch.sqrt(-torch.expm1(2 * gap)) if self.eta else 0 * sigma

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        return _moves(self.columns(grid, prediction))


@dataclass(frozen=True)
class Euler(Sampler):
    """x + (s - t) velocity: the probability-flow ODE in t, first order; either way.

    Errors: in use, ValueError on a discrete schedule.
    Source: Song et al. 2021 (score SDE), equation 13; Liu, Gong, Liu 2022, algorithm 1.
    """

    def columns(self, grid: Grid, prediction: str) -> Columns:
        """The three numbers of every move, as float64 vectors."""
        _towards_data(grid, prediction, least=2, either_way=True)
        _ = grid.continuous  # refuses a schedule
        h = grid.times.diff()
        first, second = grid.convert(prediction, "velocity", len(grid) - 1)
        return 1 + h * second, h * first, torch.zeros_like(h)

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        return _moves(self.columns(grid, prediction))


@dataclass(frozen=True)
class Heun(Sampler):
    """An Euler step as a trial, then the mean of the two velocities: second order; either way.

    Two network calls a step, or one if the last time is one at which the prediction does not
    determine a finite velocity (often the clean data): there the step is Euler's.

    Errors: in use, ValueError on a discrete schedule.
    Source: Karras, Aittala, Aila, Laine 2022, algorithm 1, in t and for any path.
    """

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        trials = a, b, _ = Euler().columns(grid, prediction)
        c, d, finite = grid.convert_where_possible(prediction, "velocity")
        half = grid.times.diff() / 2
        # x + h/2 (c p + d x + c' q + d' (a x + b p)), with p and q the two predictions
        x = 1 + half * (d[:-1] + d[1:] * a)
        predicted, again = half * (c[:-1] + d[1:] * b), half * c[1:]
        seconds = zip(x.tolist(), predicted.tolist(), again.tolist(), strict=True)
        looks = zip(_moves(trials), seconds, finite[1:].tolist(), strict=True)
        return [
            Move(*trial[:4], Correction(i, *second)) if possible else trial
            for i, (trial, second, possible) in enumerate(looks, start=1)
        ]


@dataclass(frozen=True)
class ReverseSDE(Sampler):
    """Euler-Maruyama for dx = (f x - (1 + noise²)/2 g² score) dt + noise g dW, towards the data.

    noise = 1 is Anderson's reverse SDE and noise = 0 the probability-flow ODE; every value has the
    same marginals, not the same paths. The last step draws noise like every other.

    Result: sde.reverse_family
    Errors: ValueError unless noise >= 0; in use, for times that do not lead towards the data, a
        discrete schedule, or a time at which f and g are infinite.
    Source: Anderson 1982; Song et al. 2021 (score SDE), equation 6; the family: Huang, Lim,
        Courville 2021, equation 22.
    """

    noise: float = 1.0

    def __post_init__(self) -> None:
        real("noise", self.noise, "a number >= 0", 0.0)

    def columns(self, grid: Grid, prediction: str) -> Columns:
        """The three numbers of every move, as float64 vectors."""
        _towards_data(grid, prediction, least=2)
        _ = grid.continuous  # refuses a schedule
        h = -grid.times.diff()
        f, g2 = grid.forward_sde(len(h))
        first, second = grid.convert(prediction, "score", len(h))
        pull = h * g2 * (1 + self.noise**2) / 2
        return 1 - h * f + pull * second, pull * first, self.noise * torch.sqrt(g2 * h)

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        return _moves(self.columns(grid, prediction))


@dataclass(frozen=True)
class Langevin(Sampler):
    """x + h score + √(2h) noise, ``repeats`` times at each time of the grid.

    h is ``step``, or step · sigma² if ``annealed``. At one time it walks in that density; over
    several, from noisy to clean, it is annealed Langevin dynamics. It has a bias of order h, and
    carries nothing from a level to the next but its last x.

    Errors: ValueError unless step > 0 and repeats >= 1; in use, for times that do not lead towards
        the data, or sigma = 0 where annealed.
    Source: Song, Ermon 2019, equation 4 and algorithm 1, with h for half their step: their
        ε/(2 sigma_L²) is ``step``.
    """

    step: float
    repeats: int = 1
    annealed: bool = False

    def __post_init__(self) -> None:
        positive("step", self.step)
        integer("repeats", self.repeats, 1)
        flag("annealed", self.annealed)

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        _towards_data(grid, prediction, least=1)
        h = torch.full_like(grid.sigma, self.step)
        if self.annealed:
            if bool((grid.sigma == 0).any()):
                refuse("steps", grid.times.tolist(), "times with sigma > 0, which scales the step")
            h = h * grid.sigma**2
        first, second = grid.convert(prediction, "score")
        once = _moves((1 + h * second, h * first, torch.sqrt(2 * h)))
        return [move for move in once for _ in range(self.repeats)]


@torch.no_grad()
def sample(
    model: Model,
    shape: tuple[int, ...],
    path: Path | Schedule,
    sampler: Sampler,
    *,
    steps: int | Sequence[float] | Tensor | None = None,
    prediction: str = "eps",
    generator: torch.Generator | None = None,
    start: Data | None = None,
    dtype: torch.dtype = torch.float32,
    threshold: float | None = None,
    trajectory: bool = False,
    callback: Callback | None = None,
) -> Array:
    """x at the last of the times, carried there from the first by a sampler, without gradients.

    Shapes: (B, …) as given; with ``trajectory``, (moves + 1, B, …): x at the start and after each
        move. The model is called as model(x, t), x in ``dtype`` and t (B,): integers on a
        `Schedule`, else in the dtype of the data, float32 at least. Between the moves x is kept in
        float32 at least, where half precision would round small steps away.
    Options: ``steps`` is their number n, for n + 1 times evenly from noise to data; or these times
        themselves, any decreasing sub-sequence of 0..T on a `Schedule`, of [0, 1] on a `Path`; left
        out, all of a `Schedule`. Samplers that draw nothing also run from data to noise.
        With a ``threshold`` the x_0 that a prediction means is cut to ± threshold before each move:
        no longer the sampler's own equation, and only for data in that range.
        ``start`` is x at the first time; left out, it is drawn from N(0, alpha² + sigma²), the
        marginal of standard normal data. ``generator`` is needed where something is drawn, and is
        then on the device of the data. ``callback(done, total, x)`` is called at the start, with
        done = 0, and after each move; it may keep x, and must not change it.
    Errors: ValueError for what is not of its kind, times that are not on the path or not in order,
        a prediction that does not determine what the sampler needs, a missing generator, a start
        that is not finite or does not fit, a model whose output or result is not, or a start left
        out on the way from data to noise. Warns `Amplified` where the first move multiplies the
        model's error by more than 25, or by 100 where noise is added and forgets it again.
    """
    one_of("prediction", prediction, PREDICTIONS)
    function("model", model)
    instance("sampler", sampler, Sampler, "a Sampler, such as DDIM() or Heun()")
    trajectory = flag("trajectory", trajectory)
    if callback is not None:
        function("callback", callback)
    shape = check_start(shape, dtype, "start", start)
    grid = Grid(path, _times(path, steps))
    moves = sampler.moves(grid, prediction)
    if not isinstance(sampler, Langevin):  # which stays at its noise
        _warn_if_amplified(grid, moves, prediction)
    cut = None if threshold is None else _Cut(positive("threshold", threshold), grid, prediction)
    if start is None and len(grid) > 1 and bool(grid.gap[0] > 0):
        refuse("start", None, "the data to start from: these times lead away from them")
    device = None if start is None else start.device
    if start is None or any(move.noise for move in moves):
        device = rng(generator, device).device
    elif generator is not None:
        rng(generator)  # though nothing is drawn
    work = torch.float64 if dtype == torch.float64 else torch.float32
    times = grid.times if isinstance(path, Schedule) else grid.times.to(work)
    labels = times.to(device).unsqueeze(1).expand(-1, shape[0]).unbind()
    kept: list[Tensor] = []

    def report(done: int, x: Tensor) -> None:
        if trajectory:
            kept.append(x.to(dtype))
        if callback is not None:
            callback(done, len(moves), x.to(dtype))

    def begin() -> Tensor:
        if start is not None:
            return start.to(work)
        x = torch.randn(shape, generator=generator, dtype=work, device=device)
        std = math.hypot(grid.alpha[0].item(), grid.sigma[0].item())
        return x if abs(std - 1) < 1e-12 else x.mul_(std)

    # The start is handed over and not kept, so that its memory serves the second move.
    told = report if trajectory or callback else None
    x = _run(model, begin(), moves, labels, generator, dtype, cut, told)
    return torch.stack(kept) if trajectory else x.to(dtype)


class _Cut:
    """A prediction made to mean an x_0 within ± threshold, at one of the grid's times."""

    def __init__(self, threshold: float, grid: Grid, prediction: str) -> None:
        self.threshold = threshold
        first, second, finite = grid.convert_where_possible(prediction, "x0")
        rows = zip(first.tolist(), second.tolist(), finite.tolist(), strict=True)
        # Where x_t is x_0, or holds nothing of it, there is nothing to cut.
        self.pairs = [(a, b) if possible and a else None for a, b, possible in rows]

    def __call__(self, predicted: Tensor, x: Tensor, at: int) -> Tensor:
        pair = self.pairs[at]
        if pair is None:
            return predicted
        of_predicted, of_x = pair
        x0 = of_predicted * predicted.to(x.dtype) + of_x * x
        beyond = x0 - x0.clamp(-self.threshold, self.threshold)
        kept: Tensor = predicted.to(x.dtype) - beyond / of_predicted  # what is within is untouched
        return kept


def _warn_if_amplified(grid: Grid, moves: list[Move], prediction: str) -> None:
    """By what the first move multiplies the error of a model that is right to its own size."""
    if len(grid) < 2 or not moves:
        return
    alpha, sigma = grid.alpha[:2].tolist(), grid.sigma[:2].tolist()
    size = 1.0
    if prediction == "score" and sigma[0]:
        size = 1 / sigma[0]
    elif prediction == "v":
        size = math.hypot(alpha[0], sigma[0])
    elif prediction == "velocity":
        path, t = grid.continuous, grid.times[0].item()
        size = math.hypot(*(float(of(t)) for of in (path.d_alpha, path.d_sigma)))
    gain = abs(moves[0].predicted) * size / math.hypot(alpha[1], sigma[1])
    if gain > (100 if moves[0].noise else 25):
        warnings.warn(
            f"prediction: {prediction!r} hardly says what the data are at step "
            f"{grid.times[0].item():g}, where sigma/alpha = "
            f"{sigma[0] / alpha[0] if alpha[0] else math.inf:.3g}: the first "
            f"move multiplies an error of the model by {gain:.3g}. Train for 'v' or 'x0', begin "
            "nearer to the data (steps), or cut x0 to their range (threshold)",
            Amplified,
            stacklevel=3,
        )


def _run(
    model: Model,
    x: Tensor,
    moves: Sequence[Move],
    labels: Sequence[Tensor],
    generator: torch.Generator | None,
    dtype: torch.dtype,
    cut: _Cut | None,
    report: Callable[[int, Tensor], None] | None,
) -> Tensor:
    """The loop. Nothing is drawn where the noise would be multiplied by 0."""
    same = dtype == x.dtype
    noise = torch.empty_like(x)
    if report:
        report(0, x)
    for done, (at, a, b, c, correct) in enumerate(moves, start=1):
        predicted = call(model, x if same else x.to(dtype), labels[at])
        if cut:
            predicted = cut(predicted, x, at)
        if c:
            noise.normal_(generator=generator)
        if correct is None:
            x = affine(x, a, predicted, b, noise if c else None, c)
        else:
            fresh = noise if c else None
            # The trial has no name, so that its memory is free for what follows.
            trial = affine(x, a, predicted, b, fresh, c)
            again = call(model, trial.to(dtype), labels[correct.at])
            if cut:
                again = cut(again, trial, correct.at)
            del trial
            x = affine(x, correct.x, predicted, correct.predicted, again, correct.again)
        if report:
            report(done, x)
        # Twice, and not at each move: a model that is broken from the start, and all the rest.
        if (done == 1 or done == len(moves)) and not all_finite(x):
            made = f"{describe(x)} that is not finite after move {done} of {len(moves)}"
            refuse("model output", made, "finite values at every time")
    return x


def _moves(columns: Columns) -> list[Move]:
    x, predicted, noise = (column.tolist() for column in columns)
    return list(map(Move, range(len(x)), x, predicted, noise))


def _towards_data(grid: Grid, prediction: str, least: int, either_way: bool = False) -> None:
    """Refuse times that do not go from noise to data (or, either way, that turn round)."""
    instance("grid", grid, Grid, "a Grid of times on a path")
    one_of("prediction", prediction, PREDICTIONS)
    up = bool((grid.gap < 0).all())
    if len(grid) < least or not (up or (either_way and bool((grid.gap > 0).all()))):
        order = "one way" if either_way else "towards the data"
        refuse("steps", grid.times.tolist(), f"{least} or more times that lead {order}")


def _numbers(times: object) -> list[Any]:
    return listed("steps", times, "a number of steps, or the times themselves in order")


def _times(path: Path | Schedule, steps: int | Sequence[float] | Tensor | None) -> list[float]:
    instance("path", path, (Path, Schedule), "a Path, such as LinearPath(), or a Schedule")
    if isinstance(path, Schedule):
        n = path.T if steps is None else steps
        if isinstance(n, int) and not isinstance(n, bool):
            n = integer("steps", n, 1, path.T)
            return list(reversed(even_steps(0, path.T, n)))
    elif isinstance(steps, int) and not isinstance(steps, bool) and isinstance(path, Path):
        n = integer("steps", steps, 1)
        evenly = [i / n for i in range(n + 1)]
        noise_first = path.half_log_snr(0.0) < path.half_log_snr(1.0)  # as `reverse_time` makes it
        return evenly if noise_first else evenly[::-1]
    return _numbers(steps)
