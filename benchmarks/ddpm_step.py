"""What a DDPM sampling step costs beside the loop a careful person would write without a library.

    python benchmarks/ddpm_step.py

`sample`, and a loop of one's own over `ancestral_step` ("step"), each beside two loops without the
library: "bare", in place with everything hoisted, and "plain", as most tutorials write it. All draw
the same noise, call the same model, which costs next to nothing, and must end in the same sample.
They take turns within one process; printed is the median over rounds of the ratio.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from genmath.ddpm import ancestral_step, sample
from genmath.paths import Schedule, linear_schedule

Model = Callable[[Tensor, Tensor], Tensor]
Run = Callable[[], Tensor]


def bare_loop(model: Model, shape: tuple[int, ...], schedule: Schedule, seed: int) -> Tensor:
    """DDPM, algorithm 2, in place, its coefficients Python floats made before the loop."""
    beta, sigma = schedule.beta.tolist(), schedule.sigma.tolist()
    keep = [1 / math.sqrt(1 - b) for b in beta]
    of_eps = [-k * b / s if s else 0.0 for k, b, s in zip(keep, beta, sigma, strict=True)]
    noise_scale = [math.sqrt(b) for b in beta]
    generator = torch.Generator().manual_seed(seed)
    steps = torch.arange(schedule.T + 1).unsqueeze(1).expand(-1, shape[0]).unbind()
    with torch.no_grad():
        x = torch.randn(shape, generator=generator)
        noise = torch.empty(shape)
        for t in range(schedule.T, 0, -1):
            eps = model(x, steps[t])
            x = x * keep[t]
            x.add_(eps, alpha=of_eps[t])
            if t > 1:
                noise.normal_(generator=generator)
                x.add_(noise, alpha=noise_scale[t])
    return x


def plain_loop(model: Model, shape: tuple[int, ...], schedule: Schedule, seed: int) -> Tensor:
    """The same as most tutorials write it: one expression a line, nothing in place."""
    beta, sigma = schedule.beta.tolist(), schedule.sigma.tolist()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        x = torch.randn(shape, generator=generator)
        for t in range(schedule.T, 0, -1):
            eps = model(x, torch.full((shape[0],), t))
            x = (x - beta[t] / sigma[t] * eps) / math.sqrt(1 - beta[t])
            if t > 1:
                x = x + math.sqrt(beta[t]) * torch.randn(shape, generator=generator)
    return x


def step_loop(model: Model, shape: tuple[int, ...], schedule: Schedule, seed: int) -> Tensor:
    """A loop of one's own over the public step function."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        x = torch.randn(shape, generator=generator)
        for t in range(schedule.T, 0, -1):
            eps = model(x, torch.full((shape[0],), t))
            x = ancestral_step(eps, x, t, schedule, generator=generator)
    return x


def seconds(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(shape: tuple[int, ...], steps: int, rounds: int) -> dict[str, float]:
    """Medians over rounds: our time over each loop's, and microseconds a step."""
    schedule = linear_schedule(steps)
    eps = torch.randn(shape, generator=torch.Generator().manual_seed(1))

    def model(x: Tensor, t: Tensor) -> Tensor:
        return eps

    def ours() -> Tensor:
        return sample(model, shape, schedule, generator=torch.Generator().manual_seed(0))

    runs: dict[str, Run] = {
        "sample": ours,
        "step": lambda: step_loop(model, shape, schedule, 0),
        "bare": lambda: bare_loop(model, shape, schedule, 0),
        "plain": lambda: plain_loop(model, shape, schedule, 0),
    }
    expected = runs["bare"]()
    for name, run in runs.items():  # a warm-up, and proof that the work is the same
        torch.testing.assert_close(run(), expected, rtol=1e-3, atol=1e-3, msg=name)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(rounds):
        order = list(runs)
        for name in order if i % 2 else reversed(order):
            taken[name].append(seconds(runs[name]))
    ratios = {
        f"{name}/{other}": statistics.median(
            a / b for a, b in zip(taken[name], taken[other], strict=True)
        )
        for name in ("sample", "step")
        for other in ("bare", "plain")
    }
    return {**ratios, "us/step": statistics.median(taken["sample"]) / steps * 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, threads: {options.threads}, rounds: {options.rounds}")
    columns = ("sample/bare", "sample/plain", "step/bare", "step/plain", "us/step")
    print(f"{'shape':>16}", *(f"{name:>12}" for name in columns), "  bar")
    for shape, steps, bar in (((4, 2), 1000, 2.0), ((64, 3, 32, 32), 50, 1.2)):
        got = compare(shape, steps, options.rounds)
        print(f"{shape!s:>16}", *(f"{got[name]:12.2f}" for name in columns), f"  <= {bar}")


if __name__ == "__main__":
    main()
