"""Answers to a task, of which nothing is believed.

An answer is a program, and programs can cheat: replace the checker, print a report, end everything.
So it is run apart (`genmath.cli.apart`), and only what it *claims* is taken from it, as data. The
claim is compared with the task and checked here, where the answer's code never runs.
"""

from __future__ import annotations

from typing import Any

from genmath.cli import apart, exchange, tasks
from genmath.cli.apart import File
from genmath.cli.rechecked import rechecked
from genmath.cli.tasks import Task, TaskError
from genmath.proof.report import check_derivation


def load_task(file: File, seconds: float) -> Task:
    heard = apart.read(file, seconds)
    if "error" in heard:
        raise TaskError(heard["error"])
    source = file.source.decode("utf-8")
    return tasks.task(file.path, source, heard["derivations"], heard["builds_on"])


def judge(file: File, task: Task, seconds: float) -> list[dict[str, Any]]:
    """What `genmath.cli.tasks.judge` says of a file."""
    heard = apart.read(file, seconds)
    return tasks.judge(task, file.path, heard.get("derivations"), heard.get("error"), seconds)


def check_claims(file: File, kernel: bool, seconds: float) -> list[dict[str, Any]]:
    """Reports on what a file claims, by a checker that its code has never met, and by the kernel if
    that is asked. ValueError in a line for a file that claims nothing."""
    heard = apart.read(file, seconds)
    if "error" in heard:
        raise ValueError(heard["error"])
    claims = exchange.decode(heard.get("derivations"), file.path)
    reports = ((check_derivation(d, timeout=seconds, strict=False), d) for d in claims)
    return [rechecked(report, d) if kernel else report for report, d in reports]
