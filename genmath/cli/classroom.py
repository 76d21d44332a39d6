"""What the command line does for a class: answers compared with a task, exercises."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genmath.cli import console
from genmath.cli.apart import File
from genmath.cli.judged import Answer, Line, judged
from genmath.cli.reports import Report, plain

if TYPE_CHECKING:
    from genmath.cli.exercises import Exercise
    from genmath.cli.points import Student

FAILED = 1  # the exit code


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
        for line, reports in judged(asked, handed_in, jobs, timeout):
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


def _handed_in(path: str, task: File) -> Answer | None:
    """None for the task itself, which `class/*.py` may well name, or a copy of that name."""
    try:
        file = File(os.path.abspath(path), console.readable(path))
    except console.Unreadable as error:
        return Answer(path, None, str(error))
    copied = file.source == task.source and Path(path).name == Path(task.path).name
    if copied or os.path.samefile(path, task.path):
        typer.echo(f"{path}: the task itself, left out", err=True)
        return None
    return Answer(path, file)


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
    name: Annotated[
        str | None,
        typer.Argument(help="An exercise, such as vae/two_ways.", show_default=False),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="WHERE", help="Where to write it.", show_default="its name"),
    ] = None,
    course: Annotated[
        bool, typer.Option("--course", help="A folder with a course of five assignments.")
    ] = False,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="With --course: the teacher's version, solved.")
    ] = False,
) -> None:
    """Write an exercise into a file, to be filled in; or a course into a folder.

    \b
    Examples:
      genmath exercise start vae/two_ways
      genmath exercise start vae/two_ways --to mine.py
      genmath exercise start --course
      genmath exercise start --course --solutions --to teacher
    """
    with console.complaints():
        if course and name is not None:
            raise console.Unreadable(f"--course writes all of it: leave out {name}")
        if solutions and not course:
            raise console.Unreadable("--solutions goes with --course")
        if course:
            said = _start_course(Path(to or "course"), solutions)
        elif name is not None:
            said = _start_exercise(_exercise(name), to)
        else:
            raise console.Unreadable("name an exercise (genmath exercise list), or --course")
    typer.echo("\n".join(said))


def _start_exercise(exercise: Exercise, to: str | None) -> list[str]:
    path = to or exercise.file.name
    try:
        with open(path, "x", encoding="utf-8") as stream:
            stream.write(exercise.task_in(Path(path).name))
    except FileExistsError:
        said = f"{path} is there already; choose another name by --to FILE.py"
        raise console.Unreadable(said) from None
    except OSError as error:
        raise _cannot_write(path, error) from None
    fill_in = f"Fill in what is left out, then: genmath exercise check {path}"
    return [f"{path}: {exercise.title}", fill_in]


def _start_course(to: Path, solutions: bool) -> list[str]:
    from genmath.cli import course

    try:
        made = course.write(to, solutions)
    except FileExistsError:
        said = f"{to} is there already; choose another name by --to FOLDER"
        raise console.Unreadable(said) from None
    except OSError as error:
        raise _cannot_write(str(to), error) from None
    many = console.count(len(course.assignments()), "assignment")
    then = "the point scheme and the answers are" if solutions else "what is asked is"
    return [f"{to}: {many}, {console.count(len(made), 'file')}", f"{then} in each README.md"]


def _cannot_write(path: str, error: OSError) -> console.Unreadable:
    return console.Unreadable(f"cannot write {path}: {error.strerror or error}")


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
            ((line, reports),) = judged(asked, [Answer(file, mine)], 1, timeout)
            typer.echo("\n".join(_shown(line, reports)))
            solved = line["ok"]
        if exercise.has_functions:
            for entry in exercises.grade(mine, exercise.grades(), timeout, exercise.on_tensors):
                typer.echo("\n".join(_graded(entry)))
                solved = solved and entry["ok"]
    typer.echo(f"{exercise.name}: {'solved' if solved else 'not solved yet'}")
    raise typer.Exit(0 if solved else FAILED)


@app.command()
def grade(
    folders: Annotated[
        list[str], typer.Argument(metavar="FOLDER", help="One a student, called as the student.")
    ],
    assignment: Annotated[
        list[str] | None,
        typer.Option(
            "--assignment",
            metavar="NAME",
            help="Which; may be repeated.",
            show_default="what was handed in",
        ),
    ] = None,
    proofs: Annotated[
        bool, typer.Option("--proofs", help="The derivations alone, which need no PyTorch.")
    ] = False,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help="A row a student, a column an exercise."),
    ] = None,
    nbgrader: Annotated[
        str | None,
        typer.Option("--nbgrader", metavar="FILE", help="CSV with the columns of nbgrader export."),
    ] = None,
    gradescope: Annotated[
        str | None,
        typer.Option("--gradescope", metavar="FILE", help="results.json of Gradescope and otter."),
    ] = None,
    github: Annotated[
        str | None,
        typer.Option("--github", metavar="FILE", help="Results for GitHub Classroom's reporter."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON a student.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Files judged at a time.", show_default="all cores"),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            callback=console.seconds,
            metavar="S",
            help="Seconds of processor time a step or a file may take.",
        ),
    ] = 60.0,
) -> None:
    """Give points to what students handed in of the course.

    A file is known by its first line, wherever it lies in the folder. Every answer is run apart,
    as by `genmath check --against`. --gradescope and --github write one student's results; for
    more, put {student} into the name of the file.

    \b
    Examples:
      genmath exercise grade .
      genmath exercise grade class/* --csv points.csv
      genmath exercise grade class/* --assignment assignment1_vae --nbgrader grades.csv
      genmath exercise grade class/* --gradescope "results/{student}.json"

    \b
    Exit code:
      0  every student has all points
      1  some are missing
      2  an argument that cannot be read, or nothing to grade
    """
    from genmath.cli import course, points

    tables = [(csv, points.as_csv), (nbgrader, points.as_nbgrader)]
    single = [(gradescope, points.as_gradescope), (github, points.as_github)]
    with console.complaints():
        students = points.handed_in(folders)
        chosen = points.wanted(assignment or [], course.assignments(), students)
        named = [path for path in (csv, nbgrader, gradescope, github) if path is not None]
        _can_be_written(named, [path for path, _ in single if path], students)
        points.mark(students, chosen, proofs, jobs, timeout)
        for path, table in tables:
            if path is not None:
                _write(path, table(students))
        for path, results in single:
            if path is not None:
                for student in students:
                    _write(path.replace("{student}", student.name), results(student))
    for student in students:
        if as_json:
            typer.echo(json.dumps(plain(student.as_data()), ensure_ascii=False))
        else:
            typer.echo("\n".join(_marks(student)))
    raise typer.Exit(0 if all(each.points == each.of for each in students) else FAILED)


def _can_be_written(paths: list[str], single: list[str], students: list[Student]) -> None:
    """Before anything is judged, which takes long."""
    if len(set(paths)) < len(paths):
        raise console.Unreadable("two tables cannot be written to one file")
    for path in paths:
        if path in single and len(students) > 1 and "{student}" not in path:
            said = f"{len(students)} students: put {{student}} into the name {path}"
            raise console.Unreadable(said)
        folder = Path(path).parent
        if not folder.is_dir() or Path(path).is_dir():
            what = "it is a folder" if Path(path).is_dir() else f"there is no folder {folder}"
            raise console.Unreadable(f"cannot write {path}: {what}")


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise _cannot_write(path, error) from None


def _marks(student: Student) -> Iterator[str]:
    name = "".join(c if c.isprintable() else " " for c in student.name)
    yield f"{console.paint(name, '1')}  {student.points:g} of {student.of:g}"
    width = max(len(each.exercise) for each in student.marked)
    for each in student.marked:
        yield f"  {each.exercise:{width}}  {each.points:g} of {each.of:g}  {each.problem}".rstrip()
        for part in each.parts:
            if part.problem:
                yield f"    {part.name}: {part.problem}"
    for problem in student.problems:
        yield f"  {problem}"


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
