"""Trainings in processes of their own, for tests that end them or want several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from genmath.train import Batch, Recipe, Run, Turn, fit

# Forked from a process that has loaded torch and computed nothing: that costs milliseconds.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["accelerate", "tests.train.children"])


def ended(target: Callable[..., object], *given: object) -> int | None:
    """How a process ends that calls a function."""
    process = CONTEXT.Process(target=target, args=given)
    process.start()
    process.join()
    return process.exitcode


def killed_at_step(recipe: Recipe, run: Run, every: int, step: int) -> None:
    counted = type(recipe).turn

    def turn(self: Recipe, now: int) -> Turn:
        said = counted(self, now)

        def loss(model: Any, batch: Batch, generator: Any) -> Any:
            if now == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return said.loss(model, batch, generator)

        return Turn(loss, said.trains)

    type(recipe).turn = turn  # type: ignore[method-assign]
    fit(recipe, run=run, save_every=every)


def killed_at_file(recipe: Recipe, run: Run, every: int, number: int) -> None:
    """At the so-many-th time that Python is about to touch a file of the run."""
    count = 0

    def audit(event: str, given: tuple[object, ...]) -> None:
        nonlocal count
        if event.split(".")[0] in ("open", "os", "shutil") and str(run.folder) in map(str, given):
            count += 1
            if count > number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)
    fit(recipe, run=run, save_every=every)
