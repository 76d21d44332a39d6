"""Points of a class: every file judged apart, and tables that other programs read."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from genmath.cli import console, exercises, workers
from genmath.cli.apart import File
from genmath.cli.course import Assignment
from genmath.cli.exercises import Exercise
from genmath.cli.judged import Answer, judged

MOST = 200  # files of one student that are looked at
UNFINISHED = 0.5  # the share of its points that a right line has while its derivation is not done


@dataclass(frozen=True)
class Part:
    """A derivation or a function."""

    name: str
    points: float
    of: float
    problem: str


@dataclass(frozen=True)
class Marked:
    """What a student has for an exercise; `problem` is why nothing could be judged."""

    assignment: str
    exercise: str
    file: str | None
    parts: list[Part]
    of: float
    problem: str = ""

    @property
    def points(self) -> float:
        return _rounded(sum(part.points for part in self.parts))


@dataclass
class Student:
    name: str
    files: dict[str, list[File]] = field(default_factory=dict)  # by exercise
    problems: list[str] = field(default_factory=list)  # of files that cannot be read
    marked: list[Marked] = field(default_factory=list)

    @property
    def points(self) -> float:
        return _rounded(sum(each.points for each in self.marked))

    @property
    def of(self) -> float:
        return _rounded(sum(each.of for each in self.marked))

    def as_data(self) -> dict[str, Any]:
        """A line of `--json`."""
        return {
            "schema": 1,
            "student": self.name,
            "points": self.points,
            "of": self.of,
            "exercises": [{**asdict(each), "points": each.points} for each in self.marked],
            "problems": self.problems,
        }


# ---- what was handed in --------------------------------------------------------------------------


def handed_in(folders: Sequence[str]) -> list[Student]:
    """The students, by the names of their folders. All bytes are read before the first program
    runs, so that none can change another's. Unreadable where a name stands for two."""
    found: dict[str, tuple[str, Student]] = {}
    for folder in folders:
        path = Path(folder)
        if not path.is_dir():
            if not path.exists():
                raise console.Unreadable(f"no such folder: {folder}")
            typer.echo(f"{folder}: no folder, left out", err=True)
            continue
        name = path.resolve().name
        if name in found:
            raise console.Unreadable(f"two folders are called {name}: {found[name][0]}, {folder}")
        found[name] = folder, _student(name, path)
    if not found:
        raise console.Unreadable("expected folders, one a student")
    return [student for _, student in found.values()]


def _student(name: str, folder: Path) -> Student:
    student = Student(name)
    for path in _python_files(folder):
        shown = path.relative_to(folder).as_posix()
        try:
            source = console.readable(str(path))
        except console.Unreadable as error:
            student.problems.append(str(error).replace(str(path), shown))
            continue
        exercise = exercises.exercise_of(source.decode("utf-8"))
        if exercise is not None:
            student.files.setdefault(exercise.name, []).append(File(shown, source))
    return student


def _python_files(folder: Path) -> list[Path]:
    """Not what is hidden, and no links: they may lead to somebody else's file."""
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__")))
        paths = [Path(here, each) for each in sorted(files) if each.endswith(".py")]
        found += [path for path in paths if not path.is_symlink()]
        if len(found) > MOST:
            break
    return found[:MOST]


def wanted(
    names: Sequence[str], course: list[Assignment], students: list[Student]
) -> list[Assignment]:
    """The assignments of these names; of none, those of which anybody has handed in a file."""
    known = {each.name: each for each in course}
    for name in names:
        if name not in known:
            hint = console.nearest(name, known) or f"; there are {', '.join(known)}"
            raise console.Unreadable(f"no assignment called {name!r}{hint}")
    seen = {exercise for student in students for exercise in student.files}
    chosen = [
        each for each in course if (each.name in names if names else seen & each.points.keys())
    ]
    if not chosen:
        raise console.Unreadable(
            "no file of an assignment in " + ", ".join(each.name for each in students)
        )
    return chosen


# ---- judging -------------------------------------------------------------------------------------


def mark(
    students: list[Student],
    chosen: list[Assignment],
    proofs: bool,
    jobs: int | None,
    timeout: float,
) -> None:
    """Give every student the points; `proofs` leaves out what is not a derivation."""
    if not proofs and find_spec("torch") is None:
        needing = next((e for a in chosen for e in a.exercises if e.on_tensors), None)
        if needing is not None:
            raise console.Unreadable(
                f"{needing.name} is marked with PyTorch, which is not installed; "
                "--proofs marks the derivations alone"
            )
    for assignment in chosen:
        for exercise in assignment.exercises:
            if exercise.has_derivations or not proofs:
                of = float(assignment.points[exercise.name])
                answers = [_one_file(student, exercise) for student in students]
                handed = [each for each in answers if each.file]
                found = _parts(exercise, handed, of, jobs, timeout) if handed else []
                parts = iter(found)
                for student, answer in zip(students, answers, strict=True):
                    got, problem = next(parts) if answer.file else ([], answer.problem)
                    file = answer.name if answer.file else None
                    student.marked.append(
                        Marked(assignment.name, exercise.name, file, got, of, problem)
                    )


def _one_file(student: Student, exercise: Exercise) -> Answer:
    files = student.files.get(exercise.name, [])
    if len(files) == 1:
        return Answer(files[0].path, files[0])
    several = ", ".join(file.path for file in files)
    return Answer("", None, f"several files answer it: {several}" if files else "not handed in")


def _parts(
    exercise: Exercise, answers: list[Answer], of: float, jobs: int | None, timeout: float
) -> list[tuple[list[Part], str]]:
    """For each answer its parts, and why there are none."""
    if exercise.has_derivations:
        asked = File(str(exercise.file), exercise.task.encode())
        share = of / len(exercises.gaps(exercise.source))
        return [
            ([_derivation(each, share) for each in line["derivations"]], line["problem"] or "")
            for line, _ in judged(asked, answers, jobs, timeout)
        ]
    grades = exercise.grades()

    def graded(answer: Answer) -> tuple[list[Part], str]:
        assert answer.file is not None
        entries = exercises.grade(answer.file, grades, timeout, exercise.on_tensors)
        return [_function(each, of / len(grades)) for each in entries], ""

    with ThreadPoolExecutor(jobs or workers.cores()) as pool:
        return list(pool.map(graded, answers))


def _derivation(entry: dict[str, Any], share: float) -> Part:
    worth = 1.0 if entry["ok"] else UNFINISHED
    problem = "" if entry["ok"] else next(iter(entry["problems"]), "not proved")
    points = worth * entry["right"] * share
    return Part(entry["name"], points, entry["left_out"] * share, problem)


def _function(entry: dict[str, Any], share: float) -> Part:
    hint = f"; hint: {entry['hint']}" if entry["hint"] else ""
    return Part(entry["name"], share if entry["ok"] else 0.0, share, entry["problem"] + hint)


def _rounded(points: float) -> float:
    return round(points, 2)


# ---- tables --------------------------------------------------------------------------------------

NBGRADER = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def as_csv(students: list[Student]) -> str:
    """A row a student, a column an exercise."""
    columns = [(each.assignment, each.exercise) for each in students[0].marked]
    rows: list[list[object]] = [
        ["student", *(f"{a}: {e}" for a, e in columns), "points", "of"],
    ]
    rows += [[s.name, *(m.points for m in s.marked), s.points, s.of] for s in students]
    return _csv(rows)


def as_nbgrader(students: list[Student]) -> str:
    """The columns that `nbgrader export` writes: a row a student and assignment. What only its
    database knows stays empty."""
    rows: list[list[object]] = [[*NBGRADER]]
    for name in dict.fromkeys(each.assignment for each in students[0].marked):
        for student in students:
            mine = [each for each in student.marked if each.assignment == name]
            score = _rounded(sum(each.points for each in mine))
            most = _rounded(sum(each.of for each in mine))
            rows.append([name, "", "", student.name, "", "", "", score, 0.0, score, most])
    return _csv(rows)


def as_gradescope(student: Student) -> str:
    """`results.json` of Gradescope's autograders, which otter's are too."""
    tests = [
        {"name": name, "score": part.points, "max_score": part.of, "output": part.problem}
        for name, part in _tests(student)
    ]
    return _json({"tests": tests})


def as_github(student: Student) -> str:
    """What a grader of GitHub Classroom hands to its reporter, which adds up the scores."""
    tests = [
        {
            "name": name,
            "status": "fail" if part.problem else "pass",
            "message": part.problem or None,
            "score": part.points,
        }
        for name, part in _tests(student)
    ]
    whole = "fail" if any(test["status"] == "fail" for test in tests) else "pass"
    return _json({"version": 1, "status": whole, "max_score": student.of, "tests": tests})


def _tests(student: Student) -> list[tuple[str, Part]]:
    found = []
    for each in student.marked:
        if each.parts:
            found += [(f"{each.exercise}: {part.name}", part) for part in each.parts]
        else:
            found.append((each.exercise, Part("", 0.0, each.of, each.problem)))
    return found


def _csv(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
