"""Answers to a task, judged one after the other: no program meets another's verdict."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genmath.cli import console, workers
from genmath.cli.apart import File
from genmath.cli.reports import Report

Line = dict[str, Any]  # one answer, as `--json` says it


@dataclass(frozen=True)
class Answer:
    """A file as it is called, and what is in it, or why that cannot be read."""

    name: str
    file: File | None
    problem: str = ""


def judged(
    asked: File, answers: Sequence[Answer], jobs: int | None, timeout: float
) -> Iterator[tuple[Line, list[Report]]]:
    """One answer after the other; a worker that has judged one has run none of its code."""
    _import_all()
    limit = 10 * timeout
    with workers.Pool(jobs or min(workers.cores(), len(answers))) as pool:
        ask = workers.Task(("task", asked, timeout), timeout, None)
        ((_, outcome),) = [done for done in pool.run([ask]) if done]
        if outcome.status != "done":
            refused = outcome.status == "refused"
            raise console.Unreadable(
                outcome.value if refused else f"{asked.path}: reading it {outcome.status}"
            )
        read = [(at, each.file) for at, each in enumerate(answers) if each.file]
        tasks = [
            workers.Task(("judge", file, outcome.value, timeout), limit, None) for _, file in read
        ]
        done: dict[int, tuple[Line, list[Report]]] = {
            at: (_empty(each, 0.0, each.problem), [])
            for at, each in enumerate(answers)
            if not each.file
        }
        shown = 0
        for found in itertools.chain(pool.run(tasks), [None]):
            if found:
                at = read[found[0]][0]
                done[at] = _line(answers[at], found[1], limit)
            while shown in done:
                yield done.pop(shown)
                shown += 1


def _import_all() -> None:
    """The checker and the book, before a program runs that could change their files: what is forked
    from here reads them no more."""
    from genmath import book
    from genmath.cli import answers  # noqa: F401

    for topic in book.topics():
        book.chapter(topic)


def _empty(answer: Answer, seconds: float, problem: str | None) -> Line:
    return {
        "schema": 1,
        "file": answer.name,
        "ok": False,
        "problem": problem,
        "derivations": [],
        "seconds": round(seconds, 2),
    }


def _line(answer: Answer, result: workers.Outcome, limit: float) -> tuple[Line, list[Report]]:
    from genmath.cli.tasks import judgement

    line = _empty(answer, result.seconds, None)
    if result.status != "done":
        line["problem"] = {
            "timeout": f"not judged within {limit:g} s",
            "died": f"the checking process ended ({workers.how_it_ended(result.value)})",
        }.get(result.status, f"the checker failed: {result.value}")
        return line, []
    reports = []
    for entry in result.value:
        report = entry["report"]
        problems = list(entry["problems"])
        if report is not None:
            bad = [step for step in report["steps"] if step["verdict"] != "proved"]
            wrong = [f"line {s['line']}: {s['verdict']}: {s['reason']}".rstrip(": ") for s in bad]
            reports.append(judgement(entry))
            problems = [*problems, *report["problems"], *([] if entry["ok"] else wrong)]
        line["derivations"].append(
            {
                "name": entry["name"],
                "ok": entry["ok"],
                "label": report and report["label"],
                "steps": Counter(step["verdict"] for step in report["steps"]) if report else {},
                "problems": problems,
                "left_out": entry["left_out"],
                "right": entry["right"],
            }
        )
    line["ok"] = all(entry["ok"] for entry in result.value)
    return line, reports
