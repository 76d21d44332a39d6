"""Taking turns: the time of several ways to do one thing, as ratios within one process."""

from __future__ import annotations

import argparse
import ctypes
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

Run = Callable[[], Tensor]


def ratios(runs: dict[str, Run], rounds: int, to: str = "bare") -> dict[str, float]:
    """The median over rounds of each run's time over that of the run named ``to``.

    They must end in the same tensor: that is checked first, and serves as the warm-up.
    """
    expected = runs[to]()
    for name, run in runs.items():
        torch.testing.assert_close(
            run(), expected, rtol=1e-3, atol=1e-3, msg=lambda m, n=name: n + m
        )
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(rounds):
        order = list(runs)
        for name in order if i % 2 else reversed(order):
            start = clock()
            runs[name]()
            taken[name].append(clock() - start)
    return {
        name: statistics.median(a / b for a, b in zip(taken[name], taken[to], strict=True))
        for name in runs
    }


def rounds_asked_for(description: str) -> int:
    """Read --rounds and --threads, set the threads, and say with what is measured."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, threads: {options.threads}, rounds: {options.rounds}")
    _keep_freed_memory()
    return int(options.rounds)


def clock() -> float:
    """Seconds: with one thread of the processor, where others on the machine do not count."""
    return time.thread_time() if torch.get_num_threads() == 1 else time.perf_counter()


def _keep_freed_memory() -> None:
    """Large tensors that are freed stay with the process, which fetches them page by page anew
    otherwise, or does not, as the layout of the heap has it: a ratio of 1.5 by luck."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # not glibc
    mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD
    mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
