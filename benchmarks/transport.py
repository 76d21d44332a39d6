"""What distances cost beside the libraries that compute the same, side by side in one run.

    python benchmarks/transport.py

"W1" is the distance of two samples of 100,000 points on the line, sorted; "uneven" of samples that
differ in size. "Sinkhorn" takes 200 steps for 300 points in the plane with the squared distance,
against POT's log-domain solver on the same torch tensors and on numpy arrays, and the plain loop in
torch; "to" an error of the marginals that all reach, against POT's default solver, which is not in
the log domain. "pairs" is the best assignment of eight batches, distances included, and "plan" an
exact plan between weights. All take turns within one process; printed is the median over rounds of
the time over that of the first.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import ot
import torch
from _turns import Run, ratios, rounds_asked_for
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance
from torch import Tensor

from genmath.flow_matching import ot_pairing
from genmath.wasserstein import pairwise_costs, sinkhorn, transport_plan, wasserstein_1d


def points(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def line(n: int, m: int) -> dict[str, Run]:
    x, y = points(n, seed=0), points(m, seed=1) + 1
    a, b = x.numpy(), y.numpy()
    runs: dict[str, Run] = {
        "scipy": lambda: torch.tensor(wasserstein_distance(a, b)),
        "ours": lambda: wasserstein_1d(x, y, 1),
        "POT, torch": lambda: ot.wasserstein_1d(x, y),
    }
    if n == m:
        runs["numpy sort"] = lambda: torch.tensor(np.abs(np.sort(a) - np.sort(b)).mean())
    return runs


def entropic(n: int, epsilon: float, steps: int = 200) -> dict[str, Run]:
    costs = pairwise_costs(points(n, 2, seed=0), points(n, 2, seed=1) + 1)
    even = torch.full((n,), 1 / n, dtype=torch.float64)
    options = {"numItermax": steps, "stopThr": 0.0, "warn": False}

    def plain() -> Tensor:
        kernel, f, g = costs / -epsilon, torch.zeros(n), torch.zeros(n)
        for _ in range(steps):
            f = math.log(n) - torch.logsumexp(kernel + g, 1)
            g = math.log(n) - torch.logsumexp(kernel + f[:, None], 0)
        return torch.exp(kernel + f[:, None] + g) / n**2

    def numpy() -> Tensor:
        arrays = (even.numpy(), even.numpy(), costs.numpy())
        return torch.from_numpy(ot.bregman.sinkhorn_log(*arrays, epsilon, **options))

    return {
        "POT, torch": lambda: ot.bregman.sinkhorn_log(even, even, costs, epsilon, **options),
        "ours": lambda: sinkhorn(costs, epsilon, tolerance=None, steps=steps).plan,
        "plain loop": plain,
        "POT, numpy": numpy,
    }


def default(n: int, epsilon: float, tolerance: float) -> dict[str, Run]:
    """POT's default solver, in the linear domain, stopped where its marginals are as right."""
    costs = pairwise_costs(points(n, 2, seed=0), points(n, 2, seed=1) + 1)
    even, table = np.full(n, 1 / n), costs.numpy()

    def of_pot(threshold: float) -> Tensor:
        options = {"stopThr": threshold, "numItermax": 10**5}
        return torch.from_numpy(ot.sinkhorn(even, even, table, epsilon, **options))

    def error(plan: Tensor) -> float:  # of the side that its last step has left wrong
        return max((plan.sum(side) - 1 / n).abs().sum().item() for side in (0, 1))

    threshold = 10 * tolerance
    while error(of_pot(threshold)) > tolerance:
        threshold /= 2
    return {
        "POT, default": lambda: of_pot(threshold),
        "ours": lambda: sinkhorn(costs, epsilon, tolerance=tolerance).plan,
    }


def pairs(n: int, d: int = 2) -> dict[str, Run]:
    """The distances of eight batches, and who goes with whom."""
    batches = [(points(n, d, seed=i), points(n, d, seed=i + 50)) for i in range(8)]
    even = np.full(n, 1 / n)

    def all_by(pairing: Callable[[Tensor, Tensor], Tensor]) -> Run:
        return lambda: torch.cat([pairing(x, y) for x, y in batches])

    def of_pot(x: Tensor, y: Tensor) -> Tensor:
        return torch.from_numpy(ot.emd(even, even, ot.dist(x.numpy(), y.numpy())).argmax(1))

    def of_scipy(x: Tensor, y: Tensor) -> Tensor:
        return torch.from_numpy(linear_sum_assignment(ot.dist(x.numpy(), y.numpy()))[1])

    return {"POT": all_by(of_pot), "ours": all_by(ot_pairing), "scipy": all_by(of_scipy)}


def plans(n: int) -> dict[str, Run]:
    costs = pairwise_costs(points(n, 2, seed=0), points(n, 2, seed=1))
    a, b = (points(n, seed=s).abs() + 0.1 for s in (2, 3))
    a, b = a / a.sum(), b / b.sum()
    arrays = a.numpy(), b.numpy(), costs.numpy()
    return {
        "POT": lambda: torch.from_numpy(ot.emd(*arrays)),
        "ours": lambda: transport_plan(costs, a, b).plan,
    }


def main() -> None:
    warnings.filterwarnings("ignore", category=UserWarning, module="ot")
    rounds = rounds_asked_for(__doc__)
    print(f"POT {ot.__version__}")
    contests = {
        "W1, n = 100,000": (line(100_000, 100_000), "<= 1"),
        "W1, uneven": (line(100_000, 90_000), "<= 1"),
        "Sinkhorn, epsilon 0.5": (entropic(300, 0.5), "<= 0.5"),
        "Sinkhorn, epsilon 0.05": (entropic(300, 0.05), "<= 0.5"),
        "Sinkhorn to 1e-6, n = 100": (default(100, 0.5, 1e-6), "<= 1"),
        "Sinkhorn to 1e-6, n = 300": (default(300, 0.5, 1e-6), "<= 1"),
        "epsilon 0.05 to 1e-5": (default(300, 0.05, 1e-5), "<= 1"),
        "pairs, n = 256": (pairs(256), "<= 1"),
        "pairs, n = 256, d = 64": (pairs(256, 64), "<= 1"),
        "plan, n = 256": (plans(256), ""),
    }
    for name, (runs, bar) in contests.items():
        first = next(iter(runs))
        got = ratios(runs, rounds, to=first)
        others = ", ".join(f"{k} {v:.2f}" for k, v in got.items() if k not in (first, "ours"))
        print(f"{name:24} {got['ours']:5.2f} of {first:11} {bar:8} {others}", flush=True)


if __name__ == "__main__":
    main()
