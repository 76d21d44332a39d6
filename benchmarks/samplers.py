"""What sampling costs beside the loop a careful person would write without a library.

    python benchmarks/samplers.py

Whole calls of `sample` with 50 steps, from a given start and with a generator: what a user pays,
setting up included; DDPM takes all steps of its schedule. "bare" is the loop by hand: coefficients
made before it as Python floats, and one new tensor a step, since the model may keep the one it was
given (for 2M and UniPC a copy of each answer too, since the model may use its output again).
"ours" remembers the numbers of an earlier call, "first" has made none; "step" is a loop of
one's own over `ddpm.ancestral_step`, "plain" DDPM as most tutorials write it, and "in place" the
bare loop that overwrites what the model was given. All call the same model, which costs next to
nothing, and must end in the same sample. They take turns within one process; printed is the median
over rounds of the time over that of the bare loop, and at last what setting up takes by itself.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from itertools import pairwise

import torch
from _turns import Run, clock, ratios, rounds_asked_for
from torch import Tensor

from genmath import ddpm
from genmath.paths import EDMPath, LinearPath, Path, Schedule, VPPath, linear_schedule
from genmath.samplers import (
    DDIM,
    DPMSolver,
    Euler,
    Heun,
    Sampler,
    UniPC,
    _new_route,
    _remembered,
    sample,
)

Model = Callable[[Tensor, Tensor], Tensor]
Shape = tuple[int, ...]
BARS = {(4, 2): 2.0, (64, 3, 32, 32): 1.2}
LONG = {(4, 2): linear_schedule(1000), (64, 3, 32, 32): linear_schedule(200)}
SCHEDULE, LINE, VP, EDM, N = linear_schedule(1000), LinearPath(), VPPath(), EDMPath(), 50
ROUTES: dict[str, tuple[Path | Schedule, Sampler, str]] = {
    "DDIM": (SCHEDULE, DDIM(), "eps"),
    "Euler": (LINE, Euler(), "velocity"),
    "Heun VP": (VP, Heun(), "v"),
    "2M EDM": (EDM, DPMSolver(), "x0"),
    "UniPC EDM": (EDM, UniPC(), "x0"),
}


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def labels(times: Tensor, batch: int) -> tuple[Tensor, ...]:
    return times.unsqueeze(1).expand(-1, batch).unbind()


@torch.no_grad()
def bare_ddpm(model: Model, start: Tensor, schedule: Schedule) -> Tensor:
    """DDPM, algorithm 2."""
    beta, sigma = schedule.beta.tolist(), schedule.sigma.tolist()
    keep = [1 / math.sqrt(1 - b) for b in beta]
    of_eps = [-k * b / s if s else 0.0 for k, b, s in zip(keep, beta, sigma, strict=True)]
    noise_scale = [math.sqrt(b) for b in beta]
    generator, steps = rng(), labels(torch.arange(schedule.T + 1), len(start))
    x, noise = start, torch.empty_like(start)
    for t in range(schedule.T, 0, -1):
        eps = model(x, steps[t])
        x = x * keep[t]
        x.add_(eps, alpha=of_eps[t])
        if t > 1:
            noise.normal_(generator=generator)
            x.add_(noise, alpha=noise_scale[t])
    return x


@torch.no_grad()
def plain_ddpm(model: Model, x: Tensor, schedule: Schedule) -> Tensor:
    """The same as most tutorials write it: one expression a line."""
    beta, sigma = schedule.beta.tolist(), schedule.sigma.tolist()
    generator = rng()
    for t in range(schedule.T, 0, -1):
        eps = model(x, torch.full((len(x),), t))
        x = (x - beta[t] / sigma[t] * eps) / math.sqrt(1 - beta[t])
        if t > 1:
            x = x + math.sqrt(beta[t]) * torch.randn(x.shape, generator=generator)
    return x


@torch.no_grad()
def step_ddpm(model: Model, x: Tensor, schedule: Schedule) -> Tensor:
    """A loop of one's own over the public step function."""
    generator = rng()
    for t in range(schedule.T, 0, -1):
        eps = model(x, torch.full((len(x),), t))
        x = ddpm.ancestral_step(eps, x, t, schedule, generator=generator)
    return x


@torch.no_grad()
def bare_ddim(model: Model, start: Tensor, in_place: bool = False) -> Tensor:
    """DDIM with eta = 0 on every twentieth step."""
    times = torch.arange(SCHEDULE.T, -1, -SCHEDULE.T // N)
    alpha, sigma = SCHEDULE.alpha[times].tolist(), SCHEDULE.sigma[times].tolist()
    keep = [b / a for a, b in pairwise(alpha)]
    of_eps = [s - k * z for k, (z, s) in zip(keep, pairwise(sigma), strict=True)]
    steps, x = labels(times, len(start)), start.clone() if in_place else start
    for t, k, e in zip(steps, keep, of_eps, strict=False):
        eps = model(x, t)
        x = x.mul_(k) if in_place else x * k
        x.add_(eps, alpha=e)
    return x


@torch.no_grad()
def bare_euler(model: Model, start: Tensor, in_place: bool = False) -> Tensor:
    """dx = v dt from t = 1 to 0."""
    steps, h = labels(torch.linspace(1, 0, N + 1), len(start)), 1 / N
    x = start.clone() if in_place else start
    for t in steps[:-1]:
        v = model(x, t)
        x = x.sub_(v, alpha=h) if in_place else torch.sub(x, v, alpha=h)
    return x


@torch.no_grad()
def bare_heun(model: Model, start: Tensor, in_place: bool = False) -> Tensor:
    """Heun's method on the probability flow of `VPPath`, for a model of v, whose dx/dt is
    beta/2 · alpha/sigma · v; at t = 0 that is infinite, and the last step is Euler's."""
    times = torch.linspace(1, 0, N + 1, dtype=torch.float64)
    integral = times * (0.1 + times * 9.95)
    speed = (0.05 + times * 9.95) * torch.exp(-integral / 2) / (-torch.expm1(-integral)).sqrt()
    g, h = speed.tolist(), 1 / N
    steps, x = labels(times.float(), len(start)), start.clone() if in_place else start
    for i in range(N):
        first = model(x, steps[i])
        if i + 1 == N:
            return torch.sub(x, first, alpha=h * g[i])
        second = model(torch.sub(x, first, alpha=h * g[i]), steps[i + 1])
        x = x.sub_(first, alpha=h / 2 * g[i]) if in_place else x.sub(first, alpha=h / 2 * g[i])
        x.sub_(second, alpha=h / 2 * g[i + 1])
    return x


@torch.no_grad()
def bare_2m(model: Model, start: Tensor, in_place: bool = False) -> Tensor:
    """DPM-Solver++(2M) on EDM's path, for a model of the data."""
    times = EDM.steps(N)
    sigma = [EDM.sigma_max * t for t in times]
    h = [math.log(a / b) for a, b in pairwise(sigma[:-1])]
    steps = labels(torch.tensor(times), len(start))
    x, before = start.clone() if in_place else start, start
    for i in range(N):
        guess = model(x, steps[i])
        last = i + 1 == N
        keep = sigma[i + 1] / sigma[i]
        change = 0.0 if i == 0 or last else (1 - keep) * h[i] / (2 * h[i - 1])
        x = x.mul_(keep) if in_place else x * keep
        x.add_(guess, alpha=1 - keep + change)
        if change:
            x.add_(before, alpha=-change)
        before = guess.clone()
    return x


@torch.no_grad()
def bare_unipc(model: Model, start: Tensor, in_place: bool = False) -> Tensor:
    """UniPC of order 2 on EDM's path, for a model of the data: predict, ask, correct, predict."""
    times = EDM.steps(N)
    sigma = [EDM.sigma_max * t for t in times]
    h = [math.log(a / b) for a, b in pairwise(sigma[:-1])]
    steps = labels(torch.tensor(times), len(start))
    x, place, guesses = start, start, []
    for i in range(N):
        guesses = [model(place, steps[i]).clone(), *guesses[:2]]
        if i:
            j, keep = i - 1, sigma[i] / sigma[i - 1]
            first = 1 - keep
            if i == 1:
                parts = [first / 2, first / 2]
            else:
                r, second = h[j - 1] / h[j], 1 - first / h[j]
                third = 1 - 2 * second / h[j]
                new = (third + r * second) / (1 + r)
                old = (third - second) / (r * (1 + r))
                parts = [new, first - new - old, old]
            x = x.mul_(keep) if in_place and i > 1 else x * keep
            for guess, part in zip(guesses, parts, strict=False):
                x.add_(guess, alpha=part)
        keep = sigma[i + 1] / sigma[i]
        change = 0.0 if i == 0 or i + 1 == N else (1 - keep) * h[i] / (2 * h[i - 1])
        place = (x * keep).add_(guesses[0], alpha=1 - keep + change)
        if change:
            place.add_(guesses[1], alpha=-change)
    return place


def contests(shape: Shape) -> dict[str, dict[str, Run]]:
    said, start = (torch.randn(shape, generator=rng().manual_seed(seed)) for seed in (1, 2))
    long = LONG[shape]

    def model(x: Tensor, t: Tensor) -> Tensor:
        return said

    def ours(path: Path | Schedule, sampler: Sampler, prediction: str) -> dict[str, Run]:
        def again() -> Tensor:
            return sample(
                model, shape, path, sampler, steps=N, prediction=prediction, start=start,
                generator=rng(),
            )  # fmt: skip

        def first() -> Tensor:
            _remembered.cache_clear()
            return again()

        return {"ours": again, "first": first}

    def bare(loop: Callable[[Model, Tensor, bool], Tensor]) -> dict[str, Run]:
        return {
            "bare": lambda: loop(model, start, False),
            "in place": lambda: loop(model, start, True),
        }

    return {
        "DDPM": {
            "ours": lambda: ddpm.sample(model, shape, long, start=start, generator=rng()),
            "step": lambda: step_ddpm(model, start, long),
            "plain": lambda: plain_ddpm(model, start, long),
            "bare": lambda: bare_ddpm(model, start, long),
        },
        "DDIM": {**ours(*ROUTES["DDIM"]), **bare(bare_ddim)},
        "Euler": {**ours(*ROUTES["Euler"]), **bare(bare_euler)},
        "Heun VP": {**ours(*ROUTES["Heun VP"]), **bare(bare_heun)},
        "2M EDM": {**ours(*ROUTES["2M EDM"]), **bare(bare_2m)},
        "UniPC EDM": {**ours(*ROUTES["UniPC EDM"]), **bare(bare_unipc)},
    }


def set_up(path: Path | Schedule, sampler: Sampler, prediction: str, rounds: int) -> float:
    """Microseconds to make the numbers of 50 steps."""
    taken = []
    for _ in range(20 * rounds):
        start = clock()
        _new_route(path, sampler, N, prediction, None)
        taken.append(clock() - start)
    return 1e6 * statistics.median(taken)


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    columns = ("ours", "first", "step", "plain", "in place")
    print(f"{'over the bare loop':26}", *(f"{name:>8}" for name in columns), "  bar")
    for shape, bar in BARS.items():
        for name, runs in contests(shape).items():
            got = ratios(runs, rounds * (10 if len(shape) == 2 and name != "DDPM" else 1))
            row = (f"{got[c]:8.2f}" if c in got else " " * 8 for c in columns)
            print(f"{name:10}{list(shape)!s:16}", *row, f"  <= {bar}", flush=True)
    for name, route in ROUTES.items():
        print(f"set-up of {name:10} {set_up(*route, rounds):5.0f} µs", flush=True)


if __name__ == "__main__":
    main()
