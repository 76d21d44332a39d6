"""A course: what is handed out, what comes back, and the points. Without torch: the derivations."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import genmath
from genmath.cli import course, exercises, points
from genmath.cli.course import Assignment
from genmath.cli.exercises import Exercise
from tests.cli import command
from tests.cli.command import Done

COURSE = course.assignments()
PROOFS = [e for a in COURSE for e in a.exercises if e.has_derivations]
SCHEMA = json.loads((Path(genmath.__file__).parent / "schemas" / "points.json").read_text("utf-8"))


def name(thing: Assignment | Exercise) -> str:
    return thing.name


def run(*arguments: str, cwd: Path) -> Done:
    return command.run("exercise", *arguments, cwd=cwd)


def lines(done: Done) -> dict[str, Any]:
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["student"]: line for line in found}


def marks(line: dict[str, Any]) -> dict[str, float]:
    return {each["exercise"]: each["points"] for each in line["exercises"]}


def answer(exercise: Exercise, source: str = "") -> str:
    return f"{exercise.header}\n{source or exercise.solution}"


def exercise(of: str) -> Exercise:
    return next(each for each in exercises.exercises() if each.name == of)


def slipped(exercise: Exercise) -> str:
    """The solution with its last part wrong: one more in a line, a certificate's sign."""
    begin, end, _ = exercises.gaps(exercise.source)[-1]
    source = exercise.source.encode()
    right = source[begin:end].decode()
    certificate = source[:begin].rstrip().endswith(b"because=")
    wrong = f"-({right})" if certificate else f"({right}) + 1"
    if certificate and "kl_nonnegative" in right:
        wrong = "0"
    text = (source[:begin] + wrong.encode() + source[end:]).decode()
    return exercises._unmarked(text)


# ---- the data ------------------------------------------------------------------------------------


def test_five_assignments_of_a_hundred_points() -> None:
    assert len(COURSE) == 5
    for each in COURSE:
        assert (each.by_program, each.by_hand) == (70, 30)
        assert all(question.answer and question.text for question in each.questions)


@pytest.mark.parametrize("assignment", COURSE, ids=name)
def test_points_divide_by_what_is_left_out(assignment: Assignment) -> None:
    """In halves and quarters, so that no table rounds."""
    for each in assignment.exercises:
        share = assignment.points[each.name] / len(exercises.gaps(each.source))
        assert share * 4 % 1 == 0, each.name


@pytest.mark.parametrize("assignment", COURSE, ids=name)
def test_an_assignment_derives_programs_and_trains(assignment: Assignment) -> None:
    assert any(each.has_derivations for each in assignment.exercises)
    assert any(course.curve(each) for each in assignment.exercises)
    files = [course.file_name(each) for each in assignment.exercises]
    assert len(set(files)) == len(files)
    assert not {file.removesuffix(".py") for file in files} & set(sys.stdlib_module_names)


def test_no_curve_is_left_over() -> None:
    made = {path for a in COURSE for e in a.exercises if (path := course.curve(e))}
    assert made == set((exercises.folder() / "_curves").iterdir())


# ---- what is handed out --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("course")
    for arguments in (["--to", "task"], ["--to", "solved", "--solutions"]):
        done = run("start", "--course", *arguments, cwd=here)
        assert done.returncode == 0, done
        assert done.stdout.startswith(f"{arguments[1]}: 5 assignments, ")
    return here


@pytest.mark.parametrize("version", ["task", "solved"])
def test_every_page_links_to_what_is_there(handed_out: Path, version: str) -> None:
    pages = sorted((handed_out / version).rglob("README.md"))
    assert len(pages) == 6
    linked = {page for page in pages if page.parent.name == version}
    for page in pages:
        text = page.read_text("utf-8")
        assert not re.search(r"\{\w*\}", text)
        assert "\n\n\n" not in text
        linked |= {page.parent / link for link in re.findall(r"\]\(([^)]+)\)", text)}
    assert linked == {path for path in (handed_out / version).rglob("*") if path.is_file()}


@pytest.mark.parametrize("assignment", COURSE, ids=name)
def test_answers_are_on_the_teachers_page_alone(handed_out: Path, assignment: Assignment) -> None:
    task, solved = (
        (handed_out / version / assignment.name / "README.md").read_text("utf-8")
        for version in ("task", "solved")
    )
    for question in assignment.questions:
        assert question.text in task
        assert question.text in solved
        assert question.answer not in task
        assert question.answer in solved
    for each in assignment.exercises:
        file = course.file_name(each)
        assert f"| [{file}]({file}) |" in task
        text = (handed_out / "task" / assignment.name / file).read_text("utf-8")
        assert text == each.task_in(file)
        assert "# fill" not in (handed_out / "solved" / assignment.name / file).read_text("utf-8")


# ---- what comes back -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graded(handed_out: Path) -> Path:
    """A class of three: untouched, solved, and with a slip in every derivation."""
    slips = handed_out / "slips"
    slips.mkdir()
    for each in PROOFS:
        (slips / f"{each.name.replace('/', '_')}.py").write_text(
            answer(each, slipped(each)), "utf-8"
        )
    tables = ["--csv", "points.csv", "--nbgrader", "grades.csv"]
    single = ["--gradescope", "{student}-gradescope.json", "--github", "{student}-github.json"]
    students = ["task", "solved", "slips"]
    done = run("grade", *students, "--proofs", "--json", *tables, *single, cwd=handed_out)
    assert done.returncode == 1, done
    (handed_out / "lines.json").write_text(done.stdout, "utf-8")
    return handed_out


def line(graded: Path, student: str) -> dict[str, Any]:
    found = map(json.loads, (graded / "lines.json").read_text("utf-8").splitlines())
    return next(each for each in found if each["student"] == student)


@pytest.mark.parametrize("assignment", COURSE, ids=name)
def test_the_task_has_no_points_the_solution_all_and_a_slip_some(
    graded: Path, assignment: Assignment
) -> None:
    for each in assignment.exercises:
        if each.has_derivations:
            of = assignment.points[each.name]
            task, solved, slips = (
                marks(line(graded, student))[each.name] for student in ("task", "solved", "slips")
            )
            assert task == 0
            assert solved == of
            left_out = len(exercises.gaps(each.source))
            assert slips <= of * (left_out - 1) / left_out
            assert slips > 0 or left_out < 3


def test_lines_are_as_written_down(graded: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    judge = jsonschema.Draft202012Validator(SCHEMA)
    for student in ("task", "solved", "slips"):
        found = line(graded, student)
        judge.validate(found)
        assert set(found) == set(SCHEMA["properties"])
        assert found["points"] == sum(marks(found).values())
        for each in found["exercises"]:
            assert each["points"] == sum(part["points"] for part in each["parts"])
            assert each["of"] == sum(part["of"] for part in each["parts"])


def test_the_table_reads_back(graded: Path) -> None:
    with open(graded / "points.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["task", "solved", "slips"]
    for row in rows:
        found = line(graded, row["student"])
        columns = [key for key in row if ": " in key]
        assert [key.split(": ")[1] for key in columns] == [each.name for each in PROOFS]
        assert [float(row[key]) for key in columns] == [*marks(found).values()]
        assert (float(row["points"]), float(row["of"])) == (found["points"], found["of"])


def test_the_table_of_nbgrader_reads_back(graded: Path) -> None:
    with open(graded / "grades.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == points.NBGRADER
    assert len(rows) == 15
    for student in ("task", "solved", "slips"):
        mine = [row for row in rows if row["student_id"] == student]
        assert [row["assignment"] for row in mine] == [each.name for each in COURSE]
        assert sum(float(row["score"]) for row in mine) == line(graded, student)["points"]
        assert sum(float(row["max_score"]) for row in mine) == line(graded, student)["of"]
        assert all(row["score"] == row["raw_score"] for row in mine)


@pytest.mark.parametrize("student", ["task", "solved", "slips"])
def test_the_results_of_one_student_read_back(graded: Path, student: str) -> None:
    found = line(graded, student)
    whole = json.loads((graded / f"{student}-gradescope.json").read_text("utf-8"))
    assert set(whole) == {"tests"}
    assert sum(test["score"] for test in whole["tests"]) == found["points"]
    assert sum(test["max_score"] for test in whole["tests"]) == found["of"]
    assert all(bool(t["output"]) == (t["score"] < t["max_score"]) for t in whole["tests"])

    results = json.loads((graded / f"{student}-github.json").read_text("utf-8"))
    assert results["version"] == 1
    assert results["max_score"] == found["of"]
    assert results["status"] == ("pass" if student == "solved" else "fail")
    assert [test["name"] for test in results["tests"]] == [test["name"] for test in whole["tests"]]
    assert sum(test["score"] for test in results["tests"]) == found["points"]
    for test, same in zip(results["tests"], whole["tests"], strict=True):
        assert test["status"] == ("pass" if same["score"] == same["max_score"] else "fail")
        assert (test["message"] or "") == same["output"]


# ---- part of the points --------------------------------------------------------------------------

FIRST = 'd.equals(E(q(z | x), log(p(x))), by="q integrates to one")'
SECOND = 'd.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes\' rule")'
THIRD = 'd.equals(E(q(z | x), log(w)) + KL(q(z | x), p(z | x)), by="multiply and divide by q inside the logarithm")'
CERTIFICATE = 'by="KL is not negative", because=kl_nonnegative(q(z | x), p(z | x))'
PARTLY = {  # what is changed in the first derivation of vae/two_ways, and its points of 12
    "solved": ({}, 12),
    "other_words": ({'by="q integrates to one"': 'by="a constant"'}, 12),
    "first_line_wrong": ({FIRST: FIRST.replace("log(p(x))", "-log(p(x))")}, 4.5),
    "a_sign_in_the_middle": ({SECOND: SECOND.replace("/ p(z | x)", "* p(z | x)")}, 4.5),
    "third_line_wrong": ({THIRD: THIRD.replace("+ KL", "- KL")}, 3),
    "no_certificate": ({CERTIFICATE: 'by="..."'}, 0),
    "half_done": ({SECOND: 'd.equals(..., by="Bayes\' rule")', THIRD: 'd.equals(..., by="multiply")'}, 3),
    "one_line_left_out": ({SECOND: ""}, 4.5),
    "the_first_line_again": ({FIRST: FIRST.replace("E(q(z | x), log(p(x)))", "log(p(x))")}, 4.5),
    "nothing_but_the_goal": ({FIRST: "", SECOND: "", THIRD: ""}, 1.5),
    "easier": ({"d.start(log(p(x)))": "d.given_that(log(p(x)) >= E(q(z | x), log(w)))\n    d.start(log(p(x)))"}, 0),
    "another_goal": ({f"d.at_least(E(q(z | x), log(w)), {CERTIFICATE})": ""}, 0),
}  # fmt: skip


@pytest.fixture(scope="module")
def partly(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    here = tmp_path_factory.mktemp("partly")
    two_ways = exercise("vae/two_ways")
    for student, (changes, _) in PARTLY.items():
        source = two_ways.solution
        for old, new in changes.items():
            assert old in source, student
            source = source.replace(old, new, 1)
        (here / student).mkdir()
        (here / student / "mine.py").write_text(answer(two_ways, source), "utf-8")
    return lines(run("grade", *PARTLY, "--proofs", "--json", cwd=here))


@pytest.mark.parametrize("student", PARTLY)
def test_what_is_right_in_a_derivation_counts_half_until_it_is_done(
    partly: dict[str, Any], student: str
) -> None:
    found = next(e for e in partly[student]["exercises"] if e["exercise"] == "vae/two_ways")
    parts = {part["name"]: part for part in found["parts"]}
    assert parts["by_kl"]["of"] == 12
    assert parts["by_kl"]["points"] == PARTLY[student][1], parts["by_kl"]
    assert (parts["by_jensen"]["points"], parts["one_gap"]["points"]) == (6, 3)


# ---- each costs itself alone ---------------------------------------------------------------------

LETTERS = exercise("autoregressive/code")
PRIOR = exercise("vae/prior_kl")
FAKE = "{'name': 'prior_kl', 'ok': True, 'problems': [], 'report': None, 'right': 2, 'left_out': 2}"
SPOILING = f"""
import genmath.cli.apart, genmath.cli.answers, genmath.cli.exercises, genmath.cli.points, genmath.cli.tasks
genmath.cli.answers.judge = genmath.cli.tasks.judge = lambda *_: [{FAKE}]
genmath.cli.exercises.grade = genmath.cli.points.mark = genmath.cli.apart.call = lambda *_: None
genmath.cli.exercises.gaps = lambda _: []
"""
HOSTILE = {  # what is handed in for a derivation and for functions, and a word of what is said
    "crashing": ("1 / 0\n", "ZeroDivisionError"),
    "endless": ("while True: pass\n", "longer than 2 s"),
    "leaving": ("import os\nos._exit(0)\n", "ended the process"),
    "saying": (f"import os, json\nos.write(1, json.dumps({FAKE}).encode())\nos._exit(0)\n", "ended the process"),
    "empty": ("", ""),
    "no_python": ("this is no Python\n", "SyntaxError"),
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    here = tmp_path_factory.mktemp("hostile")
    texts = {student: (text, text) for student, (text, _) in HOSTILE.items()}
    texts["spoiling"] = (SPOILING + PRIOR.task, SPOILING + LETTERS.task)
    texts["honest"] = (PRIOR.solution, LETTERS.solution)
    for student, sources in texts.items():
        (here / student / "deep").mkdir(parents=True)
        for each, source in zip((PRIOR, LETTERS), sources, strict=True):
            path = here / student / "deep" / f"{each.file.stem}.py"
            path.write_text(f"{each.header}\n{source}", "utf-8")
    with pytest.MonkeyPatch.context() as patched:
        small = Assignment("small", "", "", {PRIOR.name: 10, LETTERS.name: 10}, ())
        patched.setattr(course, "assignments", lambda: [small])
        return lines(run("grade", *texts, "--json", "--timeout", "2", cwd=here))


@pytest.mark.parametrize("student", [*HOSTILE, "spoiling"])
def test_whoever_cheats_has_nothing(hostile: dict[str, Any], student: str) -> None:
    assert marks(hostile[student]) == {PRIOR.name: 0, LETTERS.name: 0}
    said = json.dumps(hostile[student])
    assert HOSTILE.get(student, ("", "missing"))[1] in said


def test_and_costs_nobody_else_anything(hostile: dict[str, Any]) -> None:
    assert marks(hostile["honest"]) == {PRIOR.name: 10, LETTERS.name: 10}


def test_a_function_that_hangs_costs_itself(tmp_path: Path) -> None:
    source = LETTERS.source
    begin, end, _ = exercises.gaps(source)[1]
    source = exercises._unmarked(source[:begin] + "while True: pass" + source[end:])
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "letters.py").write_text(answer(LETTERS, source), "utf-8")
    [anna] = points.handed_in([str(tmp_path / "anna")])
    small = Assignment("small", "", "", {LETTERS.name: 10}, ())
    points.mark([anna], [small], False, 1, 1)
    assert [part.points for part in anna.marked[0].parts] == [2.5, 0, 2.5, 2.5]


def test_a_student_is_a_folder_and_a_file_is_known_by_its_first_line(tmp_path: Path) -> None:
    """What is hidden, linked, no text or of no exercise is not looked at, or said."""
    anna, ben = tmp_path / "anna", tmp_path / "ben"
    for each in (anna, ben, anna / ".git", anna / "__pycache__"):
        each.mkdir()
    for each in (anna / "renamed (1).py", anna / ".git/old.py", anna / "__pycache__/old.py"):
        each.write_text(answer(PRIOR), "utf-8")
    (anna / "linked.py").symlink_to(anna / "renamed (1).py")
    (anna / "mine.py").write_text("1 / 0\n", "utf-8")
    (anna / "binary.py").write_bytes(bytes(range(7)))
    for file in ("one.py", "two.py"):
        (ben / file).write_text(answer(PRIOR), "utf-8")
    (tmp_path / "points.csv").write_text("")
    arguments = ["anna", "ben", "points.csv", "--proofs", "--json"]
    done = run("grade", *arguments, "--assignment", "assignment1_vae", cwd=tmp_path)
    found = lines(done)
    assert done.stderr == "points.csv: no folder, left out\n"
    assert marks(found["anna"]) == {"vae/two_ways": 0, "vae/prior_kl": 10, "vae/beta": 0}
    assert [each["file"] for each in found["anna"]["exercises"]] == [None, "renamed (1).py", None]
    assert found["anna"]["problems"] == ["binary.py is no text in UTF-8, but binary"]
    assert found["ben"]["exercises"][1]["problem"] == "several files answer it: one.py, two.py"
    assert marks(found["ben"])["vae/prior_kl"] == 0


def test_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "prior.py").write_text(answer(PRIOR), "utf-8")
    done = run("grade", ".", "--proofs", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{tmp_path.name}  10 of 46\n")
    assert "  vae/prior_kl  10 of 10\n" in done.stdout
    assert "  vae/beta      0 of 15  not handed in\n" in done.stdout


def test_all_points_end_well(tmp_path: Path) -> None:
    for each in PROOFS:
        if each.name.startswith("vae/"):
            (tmp_path / f"{each.file.stem}.py").write_text(answer(each), "utf-8")
    assert run("grade", ".", "--proofs", cwd=tmp_path).returncode == 0


def test_without_torch_it_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prior.py").write_text(answer(PRIOR), "utf-8")
    monkeypatch.setattr(points, "find_spec", lambda name: None)
    done = run("grade", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "vae/mixture is marked with PyTorch, which is not installed; --proofs" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start"], "name an exercise (genmath exercise list), or --course"),
        (["start", "vae/beta", "--course"], "leave out vae/beta"),
        (["start", "vae/beta", "--solutions"], "--solutions goes with --course"),
        (["start", "--course", "--to", "anna"], "anna is there already; choose another name by --to FOLDER"),
        (["start", "--course", "--to", "anna/prior.py/x"], "cannot write anna/prior.py/x"),
        (["grade", "nobody"], "no such folder: nobody"),
        (["grade", "empty"], "no file of an assignment in empty"),
        (["grade", "anna", "./anna"], "two folders are called anna: anna, ./anna"),
        (["grade", "anna", "--assignment", "assignment_vae"], "did you mean 'assignment1_vae'?"),
        (["grade", "anna", "--assignment", "7"], "there are assignment1_vae, assignment2_gan"),
        (["grade", "anna", "--csv", "no/where.csv"], "cannot write no/where.csv: there is no folder no"),
        (["grade", "anna", "--csv", "empty"], "cannot write empty: it is a folder"),
        (["grade", "anna", "--csv", "a", "--nbgrader", "a"], "two tables cannot be written to one file"),
        (["grade", "anna", "empty", "--github", "a.json"], "2 students: put {student} into the name a.json"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    for folder in ("anna", "empty"):
        (tmp_path / folder).mkdir()
    (tmp_path / "anna" / "prior.py").write_text(answer(PRIOR), "utf-8")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.startswith("genmath: ")
    assert done.stderr.count("\n") == 1
