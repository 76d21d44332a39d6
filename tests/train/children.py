"""Trainings in processes of their own, for tests that end them or want several."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
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


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def during(recipe: Recipe, step: int, act: Callable[[], object]) -> None:
    """Of this kind of recipe, act in the midst of a step."""
    turned = type(recipe).turn

    def turn(self: Recipe, now: int) -> Turn:
        said = turned(self, now)

        def loss(model: Any, batch: Batch, generator: Any) -> Any:
            if now == step:
                act()
            return said.loss(model, batch, generator)

        return Turn(loss, said.trains)

    type(recipe).turn = turn  # type: ignore[method-assign]


def killed_at_step(recipe: Recipe, run: Run, every: int, step: int) -> None:
    during(recipe, step, lambda: os.kill(os.getpid(), signal.SIGKILL))
    fit(recipe, run=run, save_every=every)


def killed_at_file(recipe: Recipe, run: Run, every: int, number: int) -> None:
    """At the so-many-th time that Python is about to touch a file of the run."""
    count = 0

    def audit(event: str, given: tuple[object, ...]) -> None:
        nonlocal count
        touched = any(str(run.folder) in str(one) for one in given)
        if touched and event.split(".")[0] in ("open", "os", "shutil"):
            count += 1
            if count > number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)
    fit(recipe, run=run, save_every=every)


def how(said: Path, train: Callable[[], object]) -> None:
    """Write how a training ends."""
    try:
        train()
        said.write_text("it ended")
    except BaseException as error:
        said.write_text(f"{type(error).__name__}: {error}")


def asked_to_stop(
    recipe: Recipe, run: Run | None, step: int, signals: list[signal.Signals], said: Path
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a fork server does not have
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def ask() -> None:
        if not said.exists():  # at one micro-batch only
            said.touch()
            for number in signals:
                os.kill(os.getpid(), number)

    during(recipe, step, ask)
    how(said, lambda: fit(recipe, run=run, save_every=4))


def full(recipe: Recipe, run: Run, every: int, room: int, said: Path) -> None:
    """No file can be longer from step 5 on."""

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def more() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    during(recipe, 5, fill)

    def train() -> None:
        try:
            fit(recipe, run=run, save_every=every)
        finally:
            more()

    how(said, train)


def one_of_several(
    place: dict[str, str],
    all_said: Barrier,
    said: Path,
    recipe: Recipe,
    runs: list[Run] | None,
    asks: dict[str, Any],
) -> None:
    """One process of a training, at its place among the others."""
    os.environ.update(place)
    rank = int(place["RANK"])
    options: dict[str, Any] = {"save_every": asks.get("save_every", 0)}
    if "stops" in asks and rank == 1:  # whoever is asked, all stop
        during(recipe, asks["stops"], lambda: os.kill(os.getpid(), signal.SIGTERM))
    if "full" in asks and rank == 0:
        limit = (asks["full"], resource.RLIM_INFINITY)
        during(recipe, 2, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    if "steps" in asks:
        recipe = recipe.changed({"steps": asks["steps"]})
    if "shows" in asks:
        options["saved"] = lambda run, fitted: 1 / 0
    result: dict[str, Any] = {}
    try:
        fitted = fit(recipe, run=runs and runs[rank], **options)
        weights = [value for w in fitted.model.parameters() for value in w.flatten().tolist()]
        result = {"losses": fitted.losses, "weights": weights}
    except Exception as error:
        result["ends"] = f"{type(error).__name__}: {error}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    said.write_text(json.dumps(result))
    all_said.wait()
