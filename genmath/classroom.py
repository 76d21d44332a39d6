"""What the command line does for a class: answers compared with a task, exercises."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from genmath import cli

Line = dict[str, Any]  # one answer, as `--json` says it


def check_against(
    task: str, answers: Sequence[str], jobs: int | None, timeout: float, as_json: bool
) -> int:
    """Print how every answer does, in the order named; the exit code."""
    with cli._complaints():
        if not answers:
            raise cli._Unreadable("--against TASK.py needs answers to compare with it")
        for path in (task, *answers):
            if not os.path.isfile(path):
                raise cli._Unreadable(f"no such file: {path}")
        lines = []
        for line, reports in _judged(task, answers, jobs, timeout):
            lines.append(line)
            if as_json:
                typer.echo(json.dumps(cli._plain(line), ensure_ascii=False))
            else:
                typer.echo("\n".join(_shown(line, reports)))
            sys.stdout.flush()
    passed = sum(line["ok"] for line in lines)
    if not as_json:
        typer.echo(f"{passed} of {cli._count(len(lines), 'answer')} as asked")
    return 0 if passed == len(lines) else cli.FAILED


def _judged(
    task: str, answers: Sequence[str], jobs: int | None, timeout: float
) -> Iterator[tuple[Line, list[cli.Report]]]:
    """One answer after the other; a worker that has judged one has run none of its code."""
    paths = [os.path.abspath(path) for path in (task, *answers)]
    limit = 10 * timeout + cli.GRACE
    tasks = [cli._Task(("judge", path, paths[0], timeout), limit, None) for path in paths[1:]]
    done: dict[int, tuple[Line, list[cli.Report]]] = {}
    shown = 0
    with cli._Pool(jobs or min(cli._cores(), len(answers))) as pool:
        for outcome in pool.run(tasks):
            if outcome:
                index, result = outcome
                done[index] = _line(answers[index], result, limit)
            while shown in done:
                yield done.pop(shown)
                shown += 1


def _line(path: str, result: cli._Outcome, limit: float) -> tuple[Line, list[cli.Report]]:
    line: Line = {"schema": 1, "file": path, "ok": False, "problem": None, "derivations": []}
    line["seconds"] = round(result.seconds, 2)
    if result.status == "refused":
        raise cli._Unreadable(result.value)
    if result.status != "done":
        line["problem"] = {
            "timeout": f"not judged within {limit:g} s",
            "died": f"the checking process ended ({cli._how_it_ended(result.value)})",
        }.get(result.status, f"the checker failed: {result.value}")
        return line, []
    reports = []
    for entry in result.value:
        report = entry["report"]
        problems = list(entry["problems"])
        if report is not None:
            bad = [step for step in report["steps"] if step["verdict"] != "proved"]
            wrong = [f"line {s['line']}: {s['verdict']}: {s['reason']}".rstrip(": ") for s in bad]
            reports.append(
                {**report, "ok": entry["ok"], "problems": [*problems, *report["problems"]]}
            )
            problems = [*problems, *report["problems"], *([] if entry["ok"] else wrong)]
        line["derivations"].append(
            {
                "name": entry["name"],
                "ok": entry["ok"],
                "label": report and report["label"],
                "steps": Counter(step["verdict"] for step in report["steps"]) if report else {},
                "problems": problems,
            }
        )
    line["ok"] = all(entry["ok"] for entry in result.value)
    return line, reports


def _shown(line: Line, reports: list[cli.Report]) -> Iterator[str]:
    mark = cli._paint("ok  ", "32") if line["ok"] else cli._paint("FAIL", "31;1")
    said = [line["problem"]] if line["problem"] else []
    for each in line["derivations"]:
        counted = ", ".join(f"{count} {verdict}" for verdict, count in each["steps"].items())
        said.append(f"{each['name']}: {counted or each['problems'][0]}")
    yield f"{mark}  {line['file']}  {'; '.join(said)}"
    for report in reports:
        if not report["ok"]:
            yield from cli._failures(report)
