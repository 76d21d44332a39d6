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
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import zip_longest
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
)
from genmath._base.draws import Generators, draw_, normal, rngs
from genmath._base.exponential import weights
from genmath._base.shapes import Array, Coefficient, Data, Time
from genmath._base.steps import Model, check_start, even_steps, output
from genmath._base.torch import Tensor, torch
from genmath.paths import CosinePath, EDMPath, LinearPath, Path, Schedule, VEPath, VPPath
from genmath.predictions import PREDICTIONS, coefficients

__all__ = [
    "DDIM",
    "Amplified",
    "Ancestral",
    "Churn",
    "Correction",
    "DPMSolver",
    "Euler",
    "Grid",
    "Heun",
    "Langevin",
    "Move",
    "ReverseSDE",
    "Sampler",
    "UniPC",
    "sample",
    "steps_inside",
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
        else:
            inside = [
                t if type(t) is float and 0.0 <= t <= 1.0  # the usual case, quickly
                else real("steps", t, "times in [0, 1]", 0.0, 1.0)
                for t in numbers
            ]  # fmt: skip
            self.times = torch.tensor(inside, dtype=torch.float64, device="cpu")

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def alpha(self) -> Tensor:
        return self._of("alpha")

    @cached_property
    def sigma(self) -> Tensor:
        return self._of("sigma")

    @cached_property
    def half_log_snr(self) -> Tensor:
        return self._of("half_log_snr")

    @cached_property
    def log_alpha(self) -> Tensor:
        if isinstance(self.path, Schedule):
            return self.path.log_alpha_bar[self.times] / 2
        return self.alpha.log()

    def _of(self, name: str) -> Tensor:
        """A table of the schedule, or a function of the path, at the times."""
        of = getattr(self.path, name)
        return of[self.times] if isinstance(of, Tensor) else _wide(of, self.times)

    @property
    def continuous(self) -> Path:
        """The path, for the samplers that need derivatives in t.

        Errors: ValueError for a discrete schedule, which has none.
        """
        if not isinstance(self.path, Path):
            refuse("path", describe(self.path), "a Path in continuous time, such as VPPath()")
        return self.path

    @cached_property
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
            c if isinstance(c, Tensor) else torch.full_like(self.alpha, c) for c in pair
        )
        return first, second, first.isfinite() & second.isfinite()

    def _count(self, count: int | None) -> int:
        return len(self) if count is None else integer("count", count, 0, len(self))

    def _slopes(self, source: str, target: str) -> dict[str, Tensor]:
        one_of("source", source, PREDICTIONS)
        one_of("target", target, PREDICTIONS)
        if source == target or "velocity" not in (source, target):
            return {}
        return {"d_alpha": self._d_alpha, "d_sigma": self._d_sigma}

    @cached_property
    def _d_alpha(self) -> Tensor:
        return _wide(self.continuous.d_alpha, self.times)

    @cached_property
    def _d_sigma(self) -> Tensor:
        return _wide(self.continuous.d_sigma, self.times)


class Correction(NamedTuple):
    """A second look: the network is asked at (trial, time) and the x before becomes
    x * x + predicted * predicted + again * again + noise * noise.

    ``at`` is the place of the time among those that the sampler visits.
    """

    at: int
    x: float
    predicted: float
    again: float
    noise: float = 0.0


class Move(NamedTuple):
    """x ← x * x + predicted * predicted + noise * noise, the network asked at one time of the grid.

    ``at`` is the place of the time among those that the sampler visits. With a ``correct``ion the
    result is only a trial. What a sampler remembers is of_predicted * predicted + of_x * x, where
    ``remember`` gives the two; ``before`` are the coefficients of what it remembered at the moves
    before, the latest first, which are added to x.
    """

    at: int
    x: float
    predicted: float
    noise: float = 0.0
    correct: Correction | None = None
    remember: tuple[float, float] | None = None
    before: tuple[float, ...] = ()


class Sampler(ABC):
    """What a sampler does, as moves over a grid of times."""

    @abstractmethod
    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        """The moves that carry x along the grid, given what kind of thing the network predicts.

        Errors: ValueError where the prediction does not determine what the sampler needs.
        """

    def visits(self, grid: Grid) -> Grid:
        """The times at which the network may be asked: those of the grid, unless it says others."""
        instance("grid", grid, Grid, "a Grid of times on a path")
        return grid


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
        _towards_data(grid, prediction, least=2, either_way=True)
        _ = grid.continuous  # refuses a schedule
        first, second, finite = grid.convert_where_possible(prediction, "velocity")
        possible = finite.tolist()
        if not all(possible[:-1]):
            grid.convert(prediction, "velocity", len(grid) - 1)  # says why not
        halves, c, d = (values.tolist() for values in (grid.times.diff() / 2, first, second))
        moves = []
        for i, half in enumerate(halves):
            j, look = i + 1, None
            a, b = 1 + 2 * half * d[i], 2 * half * c[i]
            if possible[j]:
                # x + h/2 (c p + d x + c' q + d' (a x + b p)), with p and q the two predictions
                x, predicted = 1 + half * (d[i] + d[j] * a), half * (c[i] + d[j] * b)
                look = Correction(j, x, predicted, half * c[j])
            moves.append(Move(i, a, b, 0.0, look))
        return moves


@dataclass(frozen=True)
class DPMSolver(Sampler):
    """DPM-Solver++(2M): DDIM plus what the guess of the data has changed since the last answer.

    Second order in half_log_snr for one network call a step; either way. Order 1 is DDIM. The first
    step, and one from or to an infinite half_log_snr, such as to clean data, are of order 1.

    Result: edm.multistep
    Errors: ValueError unless order is 1 or 2.
    Source: Lu et al. 2022 (DPM-Solver++), algorithm 2.
    """

    order: int = 2

    def __post_init__(self) -> None:
        integer("order", self.order, 1, 2)

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        _towards_data(grid, prediction, least=2, either_way=True)
        x, predicted, _ = DDIM().columns(grid, prediction)
        n = len(grid) - 1
        first, second = grid.convert(prediction, "x0", n)
        change = torch.zeros_like(x)
        if self.order == 2:
            # alpha (1 - exp(-h)) / 2 times the change, brought from the last step to this one
            ahead = grid.alpha[1:] * torch.expm1(grid.gap) / -2
            change[1:] = ahead[1:] * (grid.gap[1:] / grid.gap[:-1])
            usable = change.isfinite() & grid.gap.isfinite()
            change = torch.where(usable, change, torch.zeros_like(change))
        rows = (x + change * second, predicted + change * first, change, first, second)
        moves = [
            Move(i, a, b, remember=(c, d), before=(-e,) if e else ())
            for i, (a, b, e, c, d) in enumerate(zip(*(row.tolist() for row in rows), strict=True))
        ]
        return _forget(moves)


@dataclass(frozen=True)
class UniPC(Sampler):
    """A predictor through the last answers, corrected by the next: one network call a step.

    The answer at the predicted place corrects the step that led there before the next one is made;
    it costs nothing, since that answer is needed anyway. As it is all linear, what is carried along
    is the predicted place. The predictor of order 2 is DPM-Solver++(2M). Steps from or to an
    infinite half_log_snr are of order 1 and not corrected; the first steps have the order that
    their answers allow.

    Result: edm.corrected
    Errors: ValueError unless order is 1, 2 or 3; in use, for times that do not lead towards the
        data.
    Source: Zhao et al. 2023 (UniPC), algorithms 1 and 2, for data prediction, B(h) = exp(h) - 1.
    """

    order: int = 2

    def __post_init__(self) -> None:
        integer("order", self.order, 1, 3)

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        _towards_data(grid, prediction, least=2)
        n = len(grid) - 1
        first, second = (pair.tolist() for pair in grid.convert(prediction, "x0", n))
        sigma, alpha, level = (of.tolist() for of in (grid.sigma, grid.alpha, grid.half_log_snr))
        # What the correction adds to the place that was predicted: of the newest answer, and before
        extra: list[float] = []
        moves = []
        for i in range(n):
            h, scale = level[i + 1] - level[i], sigma[i + 1] / sigma[i]
            known = min(self.order, i + 1) if math.isfinite(h) else 1
            places = [(level[i - j] - level[i]) / h for j in range(known)]
            if not all(map(math.isfinite, places)):
                places = [0.0]
            predicted = [alpha[i + 1] * w for w in weights(places, h)]
            total = _sum(predicted, [scale * w for w in extra])
            a, b = scale + total[0] * second[i], total[0] * first[i]
            before = tuple(total[1:])
            moves.append(Move(i, a, b, remember=(first[i], second[i]), before=before))
            extra = []
            if math.isfinite(h):
                corrected = [alpha[i + 1] * w for w in weights([1.0, *places], h)]
                extra = _sum(corrected, [0.0, *(-w for w in predicted)])
        return _forget(moves)


def _sum(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip_longest(one, other, fillvalue=0.0)]


def _forget(moves: Sequence[Move]) -> list[Move]:
    """The same moves, which remember only what a later one reads."""
    read = {i - j for i, move in enumerate(moves) for j, c in enumerate(move.before, 1) if c}
    return [m if i in read else m._replace(remember=None) for i, m in enumerate(moves)]


MOST_CHURN = math.sqrt(2) - 1


@dataclass(frozen=True)
class Churn(Sampler):
    """Between the steps of another sampler, fresh noise that lifts sigma/alpha by 1 + gamma.

    gamma = min(amount / number of steps, √2 - 1) where low <= sigma/alpha <= high, else 0: the
    variance at most doubles. ``noise`` multiplies the standard deviation of what is added, and 1
    keeps the marginals. Nothing is added at the first time, where there is noise alone, nor at the
    last; and nowhere is more noise than at the first.

    Result: edm.churn
    Errors: ValueError unless amount, low and noise are >= 0, high >= low, and the sampler is one of
        single steps without noise, DDIM(), Euler() or Heun(); in use, on a discrete schedule, or
        for times that do not lead towards the data.
    Source: Karras, Aittala, Aila, Laine 2022, algorithm 2, for any path; they add noise at the
        first time too.
    """

    sampler: Sampler
    amount: float
    low: float = 0.0
    high: float = math.inf
    noise: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        inner = self.sampler
        if not (isinstance(inner, (Euler, Heun)) or (isinstance(inner, DDIM) and inner.eta == 0)):
            refuse("sampler", describe(self.sampler), "DDIM(), Euler() or Heun()")
        real("amount", self.amount, "a number >= 0", 0.0)
        low = real("low", self.low, "a number >= 0", 0.0)
        if not (type(self.high) is float and self.high == math.inf):
            real("high", self.high, f"a number >= low = {low}", low)
        real("noise", self.noise, "a number >= 0", 0.0)

    def visits(self, grid: Grid) -> Grid:
        """Each time between the ends twice: as reached, and with its fresh noise."""
        path = super().visits(grid).continuous
        gamma = min(self.amount / max(len(grid) - 1, 1), MOST_CHURN)
        times, level = grid.times.tolist(), grid.half_log_snr
        ratio = torch.exp(-level)
        churned = (ratio >= self.low) & (ratio <= self.high)
        lifted = torch.maximum(level - math.log1p(gamma), level[0])
        both = times[:1]
        for i in range(1, len(times) - 1):
            back = bool(churned[i]) and gamma > 0
            both += [times[i], _time_of(path, lifted[i].item()) if back else times[i]]
        return Grid(path, [*both, *times[1:][-1:]])

    def moves(self, grid: Grid, prediction: str) -> list[Move]:
        _towards_data(grid, prediction, least=2)
        all_ = self.visits(grid)
        alpha, sigma, times = all_.alpha.tolist(), all_.sigma.tolist(), all_.times.tolist()
        moves = []
        for start in range(0, len(all_) - 1, 2):
            (move,) = self.sampler.moves(Grid(all_.path, times[start : start + 2]), prediction)
            end, look = start + 1, move.correct
            lifted = end + 1 if end + 1 < len(all_) else end
            # From (alpha, sigma) up to a noisier pair: what is there is scaled with the data.
            scale = alpha[lifted] / alpha[end] if lifted != end else 1.0
            fresh = math.sqrt(max(sigma[lifted] ** 2 - (scale * sigma[end]) ** 2, 0.0))
            fresh = self.noise * fresh if times[lifted] != times[end] else 0.0
            if look:
                look = look._replace(
                    at=end, x=scale * look.x, predicted=scale * look.predicted,
                    again=scale * look.again, noise=fresh,
                )  # fmt: skip
                moves.append(move._replace(at=start, correct=look))
            else:
                moves.append(Move(start, scale * move.x, scale * move.predicted, fresh))
        return moves


def _time_of(path: Path, level: float) -> float:
    return cast(float, path.time_of_half_log_snr(level))


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
    generator: Generators | None = None,
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
    Options: ``steps`` is their number n, for the n + 1 times of ``path.steps(n)``, on a `Schedule`
        evenly from noise to data; or these times themselves, any decreasing sub-sequence of 0..T on
        a `Schedule`, of [0, 1] on a `Path`; left out, all of a `Schedule`. Samplers that draw
        nothing also run from data to noise.
        With a ``threshold`` the x_0 that a prediction means is cut to ± threshold before each move:
        no longer the sampler's own equation, and only for data in that range.
        ``start`` is x at the first time; left out, it is drawn from N(0, alpha² + sigma²), the
        marginal of standard normal data. ``generator`` is needed where something is drawn, and is
        then on the device of the data; a list has one generator a sample, which is then the same in
        every batch. ``callback(done, total, x)`` is called at the start, with
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
    bound = None if threshold is None else positive("threshold", threshold)
    route = _route(path, sampler, steps, prediction, bound)
    if route.amplified:
        warnings.warn(route.amplified, Amplified, stacklevel=3)  # past the wrapper of no_grad
    if start is None and route.leaves_data:
        refuse("start", None, "the data to start from: these times lead away from them")
    device = None if start is None else start.device
    if start is None or route.draws:
        device = rngs(generator, shape[0], device)
    elif generator is not None:
        rngs(generator, shape[0])  # though nothing is drawn
    work = torch.float64 if dtype == torch.float64 else torch.float32
    told_as = torch.long if isinstance(path, Schedule) else work
    times = torch.tensor(route.times, dtype=told_as, device=device)
    labels = times.unsqueeze(1).expand(-1, shape[0]).unbind()
    kept: list[Tensor] = []

    def report(done: int, x: Tensor) -> None:
        if trajectory:
            kept.append(x.to(dtype))
        if callback is not None:
            callback(done, len(route.moves), x.to(dtype))

    def begin() -> Tensor:
        if start is not None:
            return start.to(work)
        x = normal(shape, cast(Generators, generator), work, cast(torch.device, device))
        return x if abs(route.std - 1) < 1e-12 else x.mul_(route.std)

    # The start is handed over and not kept, so that its memory serves the second move.
    told = report if trajectory or callback else None
    x = _run(model, begin(), route, labels, generator, dtype, told)
    return torch.stack(kept) if trajectory else x.to(dtype)


class _Route(NamedTuple):
    """What a sampler does along its times, as plain numbers."""

    times: list[float]
    moves: list[Move]
    depth: int  # how many answers it remembers
    cut: _Cut | None
    draws: bool  # noise, at some move
    leaves_data: bool
    std: float  # of the marginal of standard normal data, at the first time
    amplified: str | None  # what there is to warn of


def _route(
    path: Path | Schedule,
    sampler: Sampler,
    steps: int | Sequence[float] | Tensor | None,
    prediction: str,
    threshold: float | None,
) -> _Route:
    """Remembered for so many steps of a path and a sampler of this package, which cannot change."""
    fixed = type(path) is Schedule or _never_changes(path)
    if fixed and _never_changes(sampler) and (steps is None or type(steps) is int):
        return _remembered(path, sampler, steps, prediction, threshold)
    return _new_route(path, sampler, steps, prediction, threshold)


def _never_changes(thing: object) -> bool:
    return type(thing) in FIXED and all(
        type(v) in PLAIN or _never_changes(v) for v in vars(thing).values()
    )


PLAIN = (float, int, str, bool)
FIXED = {
    *(VPPath, CosinePath, VEPath, LinearPath, EDMPath),
    *(Ancestral, DDIM, Euler, Heun, ReverseSDE, Langevin, DPMSolver, UniPC, Churn),
}


def _new_route(
    path: Path | Schedule,
    sampler: Sampler,
    steps: int | Sequence[float] | Tensor | None,
    prediction: str,
    threshold: float | None,
) -> _Route:
    grid = _grid(path, steps)
    moves = sampler.moves(grid, prediction)
    grid = sampler.visits(grid)
    stays = isinstance(sampler, Langevin)  # at its noise, which forgets the error
    return _Route(
        times=grid.times.tolist(),
        moves=moves,
        depth=max((len(move.before) for move in moves), default=0),
        cut=None if threshold is None else _Cut(threshold, grid, prediction),
        draws=any(move.noise or (move.correct and move.correct.noise) for move in moves),
        leaves_data=len(grid) > 1 and bool(grid.gap[0] > 0),
        std=math.hypot(grid.alpha[0].item(), grid.sigma[0].item()),
        amplified=None if stays else _amplified(grid, moves, prediction),
    )


_remembered = lru_cache(maxsize=32, typed=True)(_new_route)


def steps_inside(
    n: int, path: Path | Schedule, *, ratio: float = 25.0
) -> tuple[int, ...] | tuple[float, ...]:
    """n + 1 times for ``steps``, evenly to the data from where sigma/alpha is at most ``ratio``.

    They leave out the end at which x_t holds nothing of the data, where "eps" and "score" say
    nothing of them either: their error is in x_0 at most ``ratio`` times. In return the noise that
    a sampler begins with lacks the share 1/ratio of the data that is there at the first time.

    Errors: ValueError for n < 1 or, on a `Schedule`, more steps than there are; ratio <= 0.
    """
    instance("path", path, (Path, Schedule), "a Path, such as LinearPath(), or a Schedule")
    level = -math.log(positive("ratio", ratio))
    if isinstance(path, Schedule):
        last = int((path.half_log_snr[1:] >= level).sum())
        return tuple(even_steps(0, last, integer("n", n, 1, last))[::-1])
    n = integer("n", n, 1)
    levels = path.half_log_snr(0.0), path.half_log_snr(1.0)
    data = float(levels[0] < levels[1])  # 1 as `reverse_time` has it
    first = path.time_of_half_log_snr(level) if level > min(levels) else 1 - data
    first = cast(float, first)
    return tuple(data + (first - data) * (n - i) / n for i in range(n + 1))


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


def _amplified(grid: Grid, moves: Sequence[Move], prediction: str) -> str | None:
    """A warning, by what the first move multiplies the error of a model right to its own size."""
    if len(grid) < 2 or not moves:
        return None
    alpha, sigma = grid.alpha[:2].tolist(), grid.sigma[:2].tolist()
    size = 1.0
    if prediction == "score" and sigma[0]:
        size = 1 / sigma[0]
    elif prediction == "v":
        size = math.hypot(alpha[0], sigma[0])
    elif prediction == "velocity":
        path, t = grid.continuous, grid.times[:1]
        size = math.hypot(*(_wide(of, t).item() for of in (path.d_alpha, path.d_sigma)))
    gain = abs(moves[0].predicted) * size / math.hypot(alpha[1], sigma[1])
    if not gain > (100 if moves[0].noise else 25):
        return None
    return (
        f"prediction: {prediction!r} hardly says what the data are at step "
        f"{grid.times[0].item():g}, where sigma/alpha = "
        f"{sigma[0] / alpha[0] if alpha[0] else math.inf:.3g}: the first "
        f"move multiplies an error of the model by {gain:.3g}. Train for 'v' or 'x0', begin "
        "nearer to the data (steps=steps_inside(n, path)), or cut x0 to their range (threshold)"
    )


def _run(
    model: Model,
    x: Tensor,
    route: _Route,
    labels: Sequence[Tensor],
    generator: Generators | None,
    dtype: torch.dtype,
    report: Callable[[int, Tensor], None] | None,
) -> Tensor:
    """The loop. Nothing is drawn where the noise would be multiplied by 0.

    What the model, the callback or the caller has seen is not written to again: they may keep it.
    """
    same, cut, last = dtype == x.dtype, route.cut, len(route.moves)
    noise = torch.empty_like(x if route.draws else x[:0])
    if report:
        report(0, x)

    def ask(x: Tensor, at: int) -> Tensor:
        predicted = output("model", model(x if same else x.to(dtype), labels[at]), "x_t", x)
        return cut(predicted, x, at) if cut else predicted

    answers: deque[Tensor] = deque(maxlen=route.depth)  # the latest first
    for done, (at, a, b, c, correct, remember, before) in enumerate(route.moves, start=1):
        predicted = ask(x, at)
        answer = _answer(x, predicted, *remember) if remember else None
        if correct is None:
            x = _combine(x, a, predicted, b)
        else:
            # The trial has no name, so that its memory is free for what follows.
            trial = _combine(x, a, predicted, b)
            if c:
                trial.add_(draw_(noise, cast(Generators, generator)), alpha=c)
            again = ask(trial, correct.at)
            del trial
            x = _combine(x, correct.x, predicted, correct.predicted)
            x.add_(again, alpha=correct.again)
            c = correct.noise
        if c:
            x.add_(draw_(noise, cast(Generators, generator)), alpha=c)
        if before:
            for coefficient, old in zip(before, answers, strict=False):
                x.add_(old, alpha=coefficient)
        if answer is not None:
            answers.appendleft(answer)
        if report:
            report(done, x)
        # Twice, and not at each move: a model that is broken from the start, and all the rest.
        if (done == 1 or done == last) and not all_finite(x):
            made = f"{describe(x)} that is not finite after move {done} of {last}"
            refuse("model output", made, "finite values at every time")
    return x


def _answer(x: Tensor, predicted: Tensor, of_predicted: float, of_x: float) -> Tensor:
    """What is remembered, in a tensor of its own: a model may use its output again."""
    if of_x:
        return _combine(x, of_x, predicted, of_predicted)
    return torch.mul(predicted.to(x.dtype), of_predicted)


def _combine(x: Tensor, a: float, predicted: Tensor, b: float) -> Tensor:
    """a x + b predicted, in a tensor of its own and in the dtype of x."""
    if a == 1.0 and predicted.dtype == x.dtype:
        return torch.add(x, predicted, alpha=b)
    return (x * a).add_(predicted, alpha=b)  # one pass over memory, and no temporary


def _grid(path: Path | Schedule, steps: int | Sequence[float] | Tensor | None) -> Grid:
    """The grid of the times that were given, or of so many even steps from noise to data."""
    instance("path", path, (Path, Schedule), "a Path, such as LinearPath(), or a Schedule")
    n = path.T if steps is None and isinstance(path, Schedule) else steps
    if not isinstance(n, int) or isinstance(n, bool):
        return Grid(path, _numbers(steps))
    if isinstance(path, Schedule):
        return Grid(path, even_steps(0, path.T, integer("steps", n, 1, path.T))[::-1])
    return Grid(path, path.steps(integer("steps", n, 1)))


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
