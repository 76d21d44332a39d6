"""A course with its code: each function counts for itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch  # noqa: F401  (without it there is nothing to mark here)

from genmath.cli import course, exercises
from genmath.cli.course import Assignment
from genmath.cli.exercises import Exercise
from tests.cli import command

COURSE = course.assignments()


def code(assignment: Assignment) -> list[Exercise]:
    return [each for each in assignment.exercises if each.has_functions]


def filled(exercise: Exercise, bodies: dict[int, str]) -> str:
    """The solution with other bodies in its functions."""
    source = exercise.source.encode()
    for at, (begin, end, _) in reversed(list(enumerate(exercises.gaps(exercise.source)))):
        if at in bodies:
            source = source[:begin] + bodies[at].encode() + source[end:]
    return exercises._unmarked(source.decode())


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A class of four: untouched; solved; the first function negated, the last one crashing; and
    with a file that ends the process when it is read."""
    here = tmp_path_factory.mktemp("code")
    for assignment in COURSE:
        for each in code(assignment):
            begin, end, _ = exercises.gaps(each.source)[0]
            returned = each.source.encode()[begin:end].decode().rpartition("return ")
            slip = f"{returned[0]}return -1 * ({returned[2]})"
            last = len(exercises.gaps(each.source)) - 1
            for student, text in {
                "task": each.task,
                "solved": each.solution,
                "slips": filled(each, {0: slip, last: "return 1 / 0"}),
                "leaves": f"import os\nos._exit(0)\n{each.solution}",
            }.items():
                folder = here / student / assignment.name
                folder.mkdir(exist_ok=True, parents=True)
                file = folder / course.file_name(each)
                file.write_text(f"{each.header}\n{text}", "utf-8")
    only = [
        Assignment(
            a.name, a.title, a.text, {e.name: a.points[e.name] for e in code(a)}, a.questions
        )
        for a in COURSE
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(course, "assignments", lambda: only)
        arguments = ["task", "solved", "slips", "leaves", "--json", "--csv", "points.csv"]
        done = command.run("exercise", "grade", *arguments, cwd=here)
    found = {line["student"]: line for line in map(json.loads, done.stdout.splitlines())}
    with open(Path(here, "points.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert float(row["points"]) == found[row["student"]]["points"]
    return found


@pytest.mark.parametrize("assignment", COURSE, ids=lambda a: a.name)
def test_each_function_counts_for_itself(graded: dict[str, Any], assignment: Assignment) -> None:
    for each in code(assignment):
        of, functions = assignment.points[each.name], len(each.grades())
        points = {
            student: next(e for e in line["exercises"] if e["exercise"] == each.name)["points"]
            for student, line in graded.items()
        }
        assert points["task"] == points["leaves"] == 0
        assert points["solved"] == of
        assert points["slips"] == of * (functions - 2) / functions


def test_what_is_wrong_is_said(graded: dict[str, Any]) -> None:
    by_name = {each["exercise"]: each for each in graded["slips"]["exercises"]}
    parts = {part["name"]: part["problem"] for part in by_name["wasserstein/gan_or_wgan"]["parts"]}
    assert "this is the reward, which is maximised" in parts["discriminator_loss"]
    assert "ZeroDivisionError" in parts["critic_generator_loss"]
    assert "ended the process" in json.dumps(graded["leaves"])
