"""What a sampling step costs beside the loop a careful person would write without a library.

    python benchmarks/samplers.py

"bare" is that loop: in place, with everything hoisted; "plain" is DDPM as most tutorials write it.
"step" is a loop of one's own over `ddpm.ancestral_step`. All draw the same noise, call the same
model, which costs next to nothing, and must end in the same sample. They take turns within one
process; printed is the median over rounds of the time over that of the bare loop, setting up (some
0.2 ms a run) included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from _turns import Run, ratios, rounds_asked_for
from torch import Tensor

from genmath import ddpm
from genmath.paths import LinearPath, Schedule, linear_schedule
from genmath.samplers import DDIM, Euler, Heun, sample

Model = Callable[[Tensor, Tensor], Tensor]
Shape = tuple[int, ...]
BARS = {(4, 2): 2.0, (64, 3, 32, 32): 1.2}
STEPS = {(4, 2): 1000, (64, 3, 32, 32): 200}


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def labels(times: Tensor, batch: int) -> tuple[Tensor, ...]:
    return times.unsqueeze(1).expand(-1, batch).unbind()


@torch.no_grad()
def bare_ddpm(model: Model, shape: Shape, schedule: Schedule) -> Tensor:
    """DDPM, algorithm 2, its coefficients Python floats made before the loop."""
    beta, sigma = schedule.beta.tolist(), schedule.sigma.tolist()
    keep = [1 / math.sqrt(1 - b) for b in beta]
    of_eps = [-k * b / s if s else 0.0 for k, b, s in zip(keep, beta, sigma, strict=True)]
    noise_scale = [math.sqrt(b) for b in beta]
    generator, steps = rng(), labels(torch.arange(schedule.T + 1), shape[0])
    x, noise = torch.randn(shape, generator=generator), torch.empty(shape)
    for t in range(schedule.T, 0, -1):
        eps = model(x, steps[t])
        x = x * keep[t]
        x.add_(eps, alpha=of_eps[t])
        if t > 1:
            noise.normal_(generator=generator)
            x.add_(noise, alpha=noise_scale[t])
    return x


@torch.no_grad()
def plain_ddpm(model: Model, shape: Shape, schedule: Schedule) -> Tensor:
    """The same as most tutorials write it: one expression a line, nothing in place."""
    beta, sigma = schedule.beta.tolist(), schedule.sigma.tolist()
    generator = rng()
    x = torch.randn(shape, generator=generator)
    for t in range(schedule.T, 0, -1):
        eps = model(x, torch.full((shape[0],), t))
        x = (x - beta[t] / sigma[t] * eps) / math.sqrt(1 - beta[t])
        if t > 1:
            x = x + math.sqrt(beta[t]) * torch.randn(shape, generator=generator)
    return x


@torch.no_grad()
def step_ddpm(model: Model, shape: Shape, schedule: Schedule) -> Tensor:
    """A loop of one's own over the public step function."""
    generator = rng()
    x = torch.randn(shape, generator=generator)
    for t in range(schedule.T, 0, -1):
        eps = model(x, torch.full((shape[0],), t))
        x = ddpm.ancestral_step(eps, x, t, schedule, generator=generator)
    return x


@torch.no_grad()
def bare_ddim(model: Model, shape: Shape, schedule: Schedule) -> Tensor:
    """DDIM with eta = 0; nothing is drawn after the start."""
    alpha, sigma = schedule.alpha.tolist(), schedule.sigma.tolist()
    keep = [a / b for a, b in pairwise(alpha)]
    of_eps = [s - k * z for s, k, z in zip(sigma[:-1], keep, sigma[1:], strict=True)]
    steps = labels(torch.arange(schedule.T + 1), shape[0])
    x = torch.randn(shape, generator=rng())
    for t in range(schedule.T, 0, -1):
        eps = model(x, steps[t])
        x = x * keep[t - 1]
        x.add_(eps, alpha=of_eps[t - 1])
    return x


@torch.no_grad()
def bare_euler(model: Model, shape: Shape, n: int) -> Tensor:
    """dx = v dt from t = 1 to 0."""
    steps, h = labels(torch.linspace(1, 0, n + 1), shape[0]), 1 / n
    x = torch.randn(shape, generator=rng())
    for i in range(n):
        x = torch.sub(x, model(x, steps[i]), alpha=h)
    return x


@torch.no_grad()
def bare_heun(model: Model, shape: Shape, n: int) -> Tensor:
    steps, h = labels(torch.linspace(1, 0, n + 1), shape[0]), 1 / n
    x = torch.randn(shape, generator=rng())
    for i in range(n):
        first = model(x, steps[i])
        second = model(torch.sub(x, first, alpha=h), steps[i + 1])
        x = torch.sub(x, first, alpha=h / 2)
        x.sub_(second, alpha=h / 2)
    return x


def contests(shape: Shape) -> dict[str, dict[str, Run]]:
    n, path = STEPS[shape], LinearPath()
    schedule = linear_schedule(n)
    said = torch.randn(shape, generator=torch.Generator().manual_seed(1))

    def model(x: Tensor, t: Tensor) -> Tensor:
        return said

    def ours(sampler: Euler | Heun) -> Tensor:
        return sample(model, shape, path, sampler, steps=n, prediction="velocity", generator=rng())

    return {
        "DDPM": {
            "ours": lambda: ddpm.sample(model, shape, schedule, generator=rng()),
            "step": lambda: step_ddpm(model, shape, schedule),
            "plain": lambda: plain_ddpm(model, shape, schedule),
            "bare": lambda: bare_ddpm(model, shape, schedule),
        },
        "DDIM": {
            "ours": lambda: sample(model, shape, schedule, DDIM(), generator=rng()),
            "bare": lambda: bare_ddim(model, shape, schedule),
        },
        "Euler": {
            "ours": lambda: ours(Euler()),
            "bare": lambda: bare_euler(model, shape, n),
        },
        "Heun": {
            "ours": lambda: ours(Heun()),
            "bare": lambda: bare_heun(model, shape, n),
        },
    }


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    columns = ("ours", "step", "plain")
    print(f"{'over the bare loop':24}", *(f"{name:>7}" for name in columns), "  bar")
    for shape, bar in BARS.items():
        for name, runs in contests(shape).items():
            got = ratios(runs, rounds)
            row = (f"{got[c]:7.2f}" if c in got else " " * 7 for c in columns)
            print(f"{name:6}{list(shape)!s:18}", *row, f"  <= {bar}", flush=True)


if __name__ == "__main__":
    main()
