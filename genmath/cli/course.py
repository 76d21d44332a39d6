"""A course: assignments made of exercises. What is in it is data, `exercises/_course.py`.

`exercises/_curves` has what the solutions that train write; see `curve`.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genmath.cli import console, exercises
from genmath.cli.exercises import Exercise


@dataclass(frozen=True)
class Question:
    """What a person marks, and what full marks ask for."""

    points: int
    text: str
    answer: str


@dataclass(frozen=True)
class Assignment:
    """`points` has the exercises and what each is worth where a program marks it."""

    name: str
    title: str
    text: str
    points: dict[str, int]
    questions: tuple[Question, ...]

    @cached_property
    def exercises(self) -> list[Exercise]:
        known = {each.name: each for each in exercises.exercises()}
        return [known[name] for name in self.points]

    @property
    def by_program(self) -> int:
        return sum(self.points.values())

    @property
    def by_hand(self) -> int:
        return sum(question.points for question in self.questions)


def assignments() -> list[Assignment]:
    found: list[Assignment] = _data()["COURSE"]
    return found


def _data() -> dict[str, Any]:
    return runpy.run_path(str(exercises.folder() / "_course.py"))


def file_name(exercise: Exercise) -> str:
    """What an exercise is called in the folder of an assignment: no file may be called as a module
    that Python itself looks for, as `code` is."""
    stem = exercise.file.parent.name if exercise.file.stem == "code" else exercise.file.stem
    return f"{stem}.py"


def curve(exercise: Exercise) -> Path | None:
    """The numbers that the solution writes when it is run, if it trains something."""
    path = exercises.folder() / "_curves" / f"{exercise.file.stem}.csv"
    return path if path.is_file() else None


# ---- the folder that is handed out ---------------------------------------------------------------


def write(to: Path, solutions: bool) -> list[Path]:
    """Make the folder, which must not be there, and all that is in it: the files, as they are
    made. OSError where that cannot be done."""
    to.mkdir(parents=True)
    made = []
    for path, text in _files(solutions):
        (to / path).parent.mkdir(exist_ok=True, parents=True)
        (to / path).write_text(text, "utf-8")
        made.append(to / path)
    return made


def _files(solutions: bool) -> Iterator[tuple[Path, str]]:
    data = _data()
    yield Path("README.md"), _course_page(data, solutions)
    for assignment in data["COURSE"]:
        here = Path(assignment.name)
        yield here / "README.md", _page(data["ASSIGNMENT_PAGE"], assignment, solutions)
        for exercise in assignment.exercises:
            name = file_name(exercise)
            yield here / name, exercise.solution_in(name) if solutions else exercise.task_in(name)
            if path := curve(exercise):
                yield here / "expected" / path.name, path.read_text("utf-8")


def _course_page(data: dict[str, Any], solutions: bool) -> str:
    rows = [
        f"| [{each.title}]({each.name}/README.md) | {each.by_program} | {each.by_hand} |"
        for each in data["COURSE"]
    ]
    page: str = data["PAGE"]
    return page.format(
        whose=" (for the teacher)" if solutions else "",
        assignments="\n".join(rows),
        how=data["TEACHER" if solutions else "STUDENT"],
    )


def _page(page: str, assignment: Assignment, solutions: bool) -> str:
    tasks, curves = [], []
    for each in assignment.exercises:
        name, gaps = file_name(each), len(exercises.gaps(each.source))
        asked = console.count(gaps, "line" if each.has_derivations else "function")
        worth = assignment.points[each.name]
        tasks.append(f"| [{name}]({name}) | {each.title} | {asked} | {worth} |")
        if path := curve(each):
            made = f"`{path.stem}.png` and `{path.name}`"
            curves.append(f"- `python {name}` makes {made}: [expected](expected/{path.name})")
    rubric = [
        f"| {each.points} | {each.text} |" + f" {each.answer} |" * solutions
        for each in assignment.questions
    ]
    return page.format(
        title=assignment.title,
        text=assignment.text,
        whole=assignment.by_program + assignment.by_hand,
        tasks="\n".join(tasks),
        questions=len(assignment.questions),
        by_hand=assignment.by_hand,
        curves="\n".join(curves),
        columns="question | full marks for" if solutions else "question",
        rule="---|---" if solutions else "---",
        rubric="\n".join(rubric),
    )
