"""What a training tells: how far it is, and what went wrong in one line."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from genmath.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from genmath.train import Recipe
    from genmath.train.loop import Progress

FAILED = 1
LINES = 20  # that tell of a training where no bar can
LIBRARIES = ("accelerate", "safetensors", "PIL", "matplotlib")
MISSING = "is not installed; run: pip install accelerate safetensors pillow matplotlib"


def main() -> bool:
    """Whether this is the process that speaks, of those that `torchrun` or `accelerate` started."""
    return os.environ.get("RANK", "0") == "0"


def look_for_libraries() -> None:
    """One that is missing is missed before a training, not at its first save."""
    for library in LIBRARIES:
        importlib.import_module(library)


@contextlib.contextmanager
def plainly(file: str = "") -> Iterator[None]:
    """What can go wrong, in one line and an exit code; what is a fault of ours keeps its trace."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note
            yield
    except (console.Unreadable, typer.Exit, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in (*LIBRARIES, "torch", "jaxtyping"):
            raise
        checkout = '(or, in a checkout of genmath, pip install ".[torch,train]")'
        raise console.Unreadable(f"{missing} {MISSING} {checkout}") from None
    except ImportError as error:
        raise console.Unreadable(str(error)) from None
    except Exception as error:
        code, said = _said(error)
        where = _line_of(error, file)
        if not code and not where:
            raise
        typer.echo(f"genmath: {where}{said}", err=True)
        raise typer.Exit(code or FAILED) from None


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    if main():
        typer.echo(f"genmath: {message}", err=True)


def _said(error: Exception) -> tuple[int, str]:
    """The exit code, 0 for what nobody foresaw, and a line."""
    from genmath.train import Diverged, Stopped

    said = str(error)
    if "Original Traceback" in said:  # of a worker: what it says comes last
        said = said.strip().splitlines()[-1].partition(": ")[2] or said
    if isinstance(error, Stopped):
        return console.INTERRUPTED, f"{said}; it is saved, and --resume goes on"
    if isinstance(error, Diverged):
        return FAILED, f"{said}; the last checkpoint is kept. A smaller --rate may help"
    if isinstance(error, OSError):
        return (
            FAILED,
            f"cannot write or read {error.filename or 'a file'}: {error.strerror or said}",
        )
    if isinstance(error, ValueError) and ": " in said:  # as ours all name what they refuse
        return console.UNREADABLE, said
    return 0, f"{type(error).__name__}: {said}"


def _line_of(error: Exception, file: str) -> str:
    """Where in a recipe of one's own it happened."""
    if not file.endswith(".py"):
        return ""
    path = str(Path(file).resolve())
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    return f"{file}, line {lines[-1]}: " if lines else ""


class Show:
    """How far a training is: a bar where a person looks on, else a line every so often."""

    def __init__(self, steps: int, bar: Bar | None) -> None:
        self.bar, self.told = bar, 0
        self.first: tuple[int, float] | None = None  # a step, and when it was done
        self.every = max(1, steps // LINES)
        self.task = bar.add_task("", total=steps) if bar else None

    def say(self, words: str) -> None:
        if main():
            typer.echo(words)

    def step(self, at: Progress) -> None:
        self.first = self.first or (at.step, time.monotonic())
        words = f"loss {at.loss:<9.4g} rate {at.rate:.1e}" + f"  {at.trains}" * bool(at.trains)
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=at.step, description=words, refresh=True)
        elif at.step // self.every > self.told or at.step == at.steps:
            self.told = at.step // self.every
            left = _left(at, *self.first)
            typer.echo(f"step {at.step:>{len(str(at.steps))}}/{at.steps}  {words}  {left}")
            sys.stdout.flush()


def _left(at: Progress, first: int, began: float) -> str:
    """The time that is left, as long as the steps since the first; nothing at the first."""
    if at.step == first:
        return ""
    left = round((time.monotonic() - began) / (at.step - first) * (at.steps - at.step))
    return f"{left // 60}:{left % 60:02} left"


@contextlib.contextmanager
def shown(recipe: Recipe) -> Iterator[Show]:
    if not console.wants_progress() or not main():
        yield Show(recipe.steps, None)
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.description}"),
        progress.TimeRemainingColumn(),
    )
    # No thread redraws it: workers fork beside it.
    with progress.Progress(*columns, console=Console(stderr=True), auto_refresh=False) as bar:
        yield Show(recipe.steps, bar)
