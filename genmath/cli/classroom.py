"""What the command line does for a class: answers compared with a task, exercises."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genmath.cli import console, workers
from genmath.cli.apart import File
from genmath.cli.reports import Report, plain

if TYPE_CHECKING:
    from genmath.cli.exercises import Exercise

FAILED = 1  # the exit code
Line = dict[str, Any]  # one answer, as `--json` says it


def check_against(
    task: str, answers: Sequence[str], jobs: int | None, timeout: float, as_json: bool
) -> int:
    """Print how every answer does, in the order named; the exit code."""
    with console.complaints():
        # All bytes are read before the first program runs, so that none can change another's.
        asked = File(os.path.abspath(task), console.readable(task))
        handed_in = [each for path in answers if (each := _handed_in(path, asked)) is not None]
        if not handed_in:
            raise console.Unreadable("--against TASK.py needs answers to compare with it")
        lines = []
        for line, reports in _judged(asked, handed_in, jobs, timeout):
            lines.append(line)
            if as_json:
                typer.echo(json.dumps(plain(line), ensure_ascii=False))
            else:
                typer.echo("\n".join(_shown(line, reports)))
            sys.stdout.flush()
    passed = sum(line["ok"] for line in lines)
    if not as_json:
        typer.echo(f"{passed} of {console.count(len(lines), 'answer')} as asked")
    return 0 if passed == len(lines) else FAILED


@dataclass(frozen=True)
class _Answer:
    """A file as it is called, and what is in it, or why that cannot be read."""

    name: str
    file: File | None
    problem: str = ""


def _handed_in(path: str, task: File) -> _Answer | None:
    """None for the task itself, which `class/*.py` may well name, or a copy of that name."""
    try:
        file = File(os.path.abspath(path), console.readable(path))
    except console.Unreadable as error:
        return _Answer(path, None, str(error))
    copied = file.source == task.source and Path(path).name == Path(task.path).name
    if copied or os.path.samefile(path, task.path):
        typer.echo(f"{path}: the task itself, left out", err=True)
        return None
    return _Answer(path, file)


def _judged(
    asked: File, answers: Sequence[_Answer], jobs: int | None, timeout: float
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


def _empty(answer: _Answer, seconds: float, problem: str | None) -> Line:
    return {
        "schema": 1,
        "file": answer.name,
        "ok": False,
        "problem": problem,
        "derivations": [],
        "seconds": round(seconds, 2),
    }


def _line(answer: _Answer, result: workers.Outcome, limit: float) -> tuple[Line, list[Report]]:
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
            }
        )
    line["ok"] = all(entry["ok"] for entry in result.value)
    return line, reports


def _shown(line: Line, reports: list[Report]) -> Iterator[str]:
    mark = console.paint("ok  ", "32") if line["ok"] else console.paint("FAIL", "31;1")
    said = [line["problem"]] if line["problem"] else []
    for each in line["derivations"]:
        counted = ", ".join(f"{count} {verdict}" for verdict, count in each["steps"].items())
        said.append(f"{each['name']}: {counted or each['problems'][0]}")
    yield f"{mark}  {line['file']}  {'; '.join(said)}"
    for report in reports:
        if not report["ok"]:
            yield from console.failures(report)


# ---- exercises -----------------------------------------------------------------------------------

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    help="Exercises: derivations with lines left out, functions to write.",
)  # fmt: skip


@app.command("list")
def list_() -> None:
    """List the exercises.

    \b
    Examples:
      genmath exercise list
      genmath exercise list | grep vae
    """
    from genmath.cli import exercises

    found = exercises.exercises()
    width = max((len(e.name) for e in found), default=0)
    for exercise in found:
        typer.echo(f"{exercise.name:{width}}  {exercise.title}")


@app.command()
def start(
    name: Annotated[str, typer.Argument(help="An exercise, such as vae/two_ways.")],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FILE.py", help="Where to write it.", show_default="its name"),
    ] = None,
) -> None:
    """Write an exercise into a file, to be filled in.

    \b
    Examples:
      genmath exercise start vae/two_ways
      genmath exercise start vae/two_ways --to mine.py
    """
    with console.complaints():
        exercise = _exercise(name)
        path = to or exercise.file.name
        try:
            with open(path, "x", encoding="utf-8") as stream:
                stream.write(exercise.task_in(Path(path).name))
        except FileExistsError:
            said = f"{path} is there already; choose another name by --to FILE.py"
            raise console.Unreadable(said) from None
        except OSError as error:
            raise console.Unreadable(f"cannot write {path}: {error.strerror or error}") from None
    typer.echo(f"{path}: {exercise.title}")
    typer.echo(f"Fill in what is left out, then: genmath exercise check {path}")


@app.command("check")
def check_(
    file: Annotated[str, typer.Argument(metavar="FILE.py", help="An exercise that was started.")],
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            callback=console.seconds,
            metavar="S",
            help="Seconds of processor time a step may take.",
        ),
    ] = 60.0,
) -> None:
    """Check an exercise: what is missing, what is wrong, and by which slip.

    \b
    Example:
      genmath exercise check two_ways.py

    \b
    Exit code:
      0  it is solved
      1  something is missing or wrong
      2  a file that cannot be read, or that is no exercise
    """
    from genmath.cli import exercises

    with console.complaints():
        mine = File(os.path.abspath(file), console.readable(file))
        exercise = exercises.exercise_of(mine.source.decode("utf-8"))
        if exercise is None:
            said = f"{file} does not say which exercise it is; its first line came from"
            raise console.Unreadable(f"{said} genmath exercise start")
        solved = True
        if exercise.has_derivations:
            asked = File(str(exercise.file), exercise.task.encode())
            ((line, reports),) = _judged(asked, [_Answer(file, mine)], 1, timeout)
            typer.echo("\n".join(_shown(line, reports)))
            solved = line["ok"]
        if exercise.has_functions:
            for entry in exercises.grade(mine, exercise.grades(), timeout, exercise.on_tensors):
                typer.echo("\n".join(_graded(entry)))
                solved = solved and entry["ok"]
    typer.echo(f"{exercise.name}: {'solved' if solved else 'not solved yet'}")
    raise typer.Exit(0 if solved else FAILED)


def _graded(entry: dict[str, Any]) -> Iterator[str]:
    mark = console.paint("ok  ", "32") if entry["ok"] else console.paint("FAIL", "31;1")
    yield f"{mark}  {entry['name']}  {entry['problem']}".rstrip()
    if entry["hint"]:
        yield f"      hint: {entry['hint']}"


def _exercise(name: str) -> Exercise:
    from genmath.cli import exercises

    known = {e.name: e for e in exercises.exercises()}
    if name not in known:
        of_topic = [each for each in known if each.startswith(f"{name}/")]
        hint = f"; there are {', '.join(of_topic)}" if of_topic else console.nearest(name, known)
        raise console.Unreadable(f"no exercise called {name!r}{hint} (genmath exercise list)")
    return known[name]
