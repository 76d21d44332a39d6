"""Exercises: every solution is right, every gap is missing, every wrong fill is noticed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from genmath import book
from genmath.cli import exercises, tasks
from genmath.cli.apart import File
from genmath.cli.exercises import Exercise
from genmath.proof.report import check_derivation
from tests.cli import command
from tests.cli.command import Done

EXERCISES = exercises.exercises()
DERIVATIONS = [e for e in EXERCISES if e.has_derivations]
FUNCTIONS = [e for e in EXERCISES if e.has_functions and "import torch" not in e.source]


def name(exercise: Exercise) -> str:
    return exercise.name


def load(folder: Path, file: str, source: str) -> book.Chapter:
    (folder / file).write_text(source, "utf-8")
    return book.load_file(folder / file)


def filled(source: str, at: int, text: str) -> str:
    """The solution with one marked part replaced."""
    begin, end, _ = exercises.gaps(source)[at]
    return (source.encode()[:begin] + text.encode() + source.encode()[end:]).decode()


def part(source: str, at: int) -> str:
    begin, end, _ = exercises.gaps(source)[at]
    return source.encode()[begin:end].decode()


# ---- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", book.topics())
def test_every_chapter_has_three(topic: str) -> None:
    assert sum(e.name.startswith(f"{topic}/") for e in EXERCISES) >= 3


def test_the_five_of_the_lecture_notes_are_there() -> None:
    five = {"vae/two_ways", "vae/mixture", "gan/optimal_discriminator", "ddpm/recursion"}
    assert five | {"flow_matching/against_ddpm"} <= {e.name for e in EXERCISES}


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_it_is_whole(exercise: Exercise) -> None:
    assert exercise.title
    assert exercise.text
    assert exercise.has_derivations != exercise.has_functions
    assert exercises.gaps(exercise.source)
    for text in (exercise.task, exercise.solution):
        compile(text, exercise.name, "exec")
        assert "# fill" not in text
        assert "GRADES" not in text


def test_a_started_file_knows_what_it_answers() -> None:
    for exercise in EXERCISES:
        assert exercises.exercise_of(exercise.task) == exercise


# ---- derivations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", DERIVATIONS, ids=name)
def test_the_solution_is_proved_and_is_what_was_asked(exercise: Exercise, tmp_path: Path) -> None:
    task = load(tmp_path, "task.py", exercise.task)
    solution = load(tmp_path, "solution.py", exercise.solution)
    wanted = frozenset(tasks.marked(exercise.task, tasks.WANTED))
    for asked, answer in zip(task.derivations, solution.derivations, strict=True):
        assert list(tasks.missing_steps(asked, answer, wanted)) == []
        assert list(tasks.differences(asked, answer, task.builds_on)) == []
        report = check_derivation(answer)
        assert report["ok"], report
    assert not any(chain.steps[-1].missing for d in task.derivations for chain in d.chains)


@pytest.mark.parametrize("exercise", DERIVATIONS, ids=name)
def test_what_is_not_filled_is_missing(exercise: Exercise, tmp_path: Path) -> None:
    task = load(tmp_path, "task.py", exercise.task)
    reports = [check_derivation(d) for d in task.derivations]
    verdicts = [step["verdict"] for r in reports for step in r["steps"]]
    tight = sum(bool(c.tight) for d in task.derivations for c in d.chains)
    assert verdicts.count("missing") == len(exercises.gaps(exercise.source)) + tight
    assert "refuted" not in verdicts
    assert not any(report["ok"] for report in reports)


def deleted(source: str, at: int) -> str:
    """The solution without the statement that holds a marked part."""
    begin = exercises.gaps(source)[at][0]
    line = source.encode()[:begin].decode().count("\n") + 1
    spans = [
        (n.lineno, n.end_lineno or n.lineno)
        for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.Expr) and n.lineno <= line <= (n.end_lineno or 0)
    ]
    first, last = max(spans)
    lines = source.splitlines(keepends=True)
    return "".join([*lines[: first - 1], *lines[last:]])


@pytest.mark.parametrize("exercise", DERIVATIONS, ids=name)
def test_deleting_what_is_left_out_solves_nothing(exercise: Exercise, tmp_path: Path) -> None:
    task = load(tmp_path, "task.py", exercise.task)
    wanted = frozenset(tasks.marked(exercise.task, tasks.WANTED))
    for at in range(len(exercises.gaps(exercise.source))):
        source = exercises._unmarked(deleted(exercise.source, at))
        try:
            mine = load(tmp_path, f"mine_{at}.py", source)
        except book.ChapterError:
            continue  # a chain without a step, a bound that is none
        pairs = list(zip(task.derivations, mine.derivations, strict=True))
        gone = [p for pair in pairs for p in tasks.missing_steps(*pair, wanted)]
        other = [p for pair in pairs for p in tasks.differences(*pair, task.builds_on)]
        assert gone or other, (exercise.name, part(exercise.source, at))


WRONG = [(e, at) for e in DERIVATIONS for at in range(len(exercises.gaps(e.source)))]


@pytest.mark.parametrize(("exercise", "at"), WRONG, ids=lambda v: getattr(v, "name", v))
def test_a_wrong_fill_is_noticed(exercise: Exercise, at: int, tmp_path: Path) -> None:
    """One is added to a line: refuted. A certificate with a sign changed: not proved."""
    source, right = exercise.source, part(exercise.source, at)
    line = source.encode()[: exercises.gaps(source)[at][0]].decode().rstrip()
    certificate = line.endswith("because=")
    wrong = f"-({right})" if certificate and "kl_nonnegative" not in right else f"({right}) + 1"
    if certificate and "kl_nonnegative" in right:
        wrong = "0"
    chapter = load(tmp_path, "wrong.py", exercises._unmarked(filled(source, at, wrong)))
    reports = [check_derivation(d) for d in chapter.derivations]
    assert sum(not report["ok"] for report in reports) == 1
    verdicts = {step["verdict"] for report in reports for step in report["steps"]}
    assert ("open" if certificate else "refuted") in verdicts


# ---- functions -----------------------------------------------------------------------------------


def graded(exercise: Exercise, source: str, seconds: float = 60) -> dict[str, dict[str, Any]]:
    mine = File("mine.py", source.encode())
    found = exercises.grade(mine, exercise.grades(), seconds, exercise.on_tensors)
    return {entry["name"]: entry for entry in found}


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=name)
def test_the_solution_computes_the_results(exercise: Exercise) -> None:
    found = graded(exercise, exercise.solution)
    assert all(entry["ok"] for entry in found.values()), found
    assert len(found) == len(exercises.gaps(exercise.source))
    found = graded(exercise, exercise.task)
    assert {entry["problem"] for entry in found.values()} == {"missing"}


@pytest.mark.parametrize("wrong", ["1.000001 * ({})", "None  # {}"])
def test_functions_that_are_off_fail(wrong: str) -> None:
    """By a part in a million, by no number at all: every function of every exercise."""
    for exercise in FUNCTIONS:
        source = exercise.source
        for at in range(len(exercises.gaps(source))):
            before, _, value = part(source, at).rpartition("return ")
            source = filled(source, at, f"{before}return {wrong.format(value)}")
        found = graded(exercise, source)
        assert not any(entry["ok"] for entry in found.values()), found


SLIPS = {  # exercise, function, what it returns, a word of the hint
    ("divergences/code", "kl", "math.log(sigma_2 / sigma_1) + (sigma_1 + (mu_1 - mu_2) ** 2) / (2 * sigma_2**2) - 0.5", "dropped power"),
    ("divergences/code", "kl_from_log_variance", "(math.exp(kappa - ell) - 1 - (kappa - ell) + (mu - nu) ** 2 * math.exp(-ell)) / 2", "not symmetric"),
    ("ddpm/code", "noise_once", "math.sqrt(1 - beta) * x + beta * eps", "beta where its root belongs"),
    ("ddpm/code", "noise_at_once", "math.sqrt(alpha_bar) * x_0 + (1 - alpha_bar) * eps", "dropped sqrt"),
    ("ddpm/code", "posterior_variance", "1 - alpha_bar_prev", "of all steps together"),
    ("ddpm/code", "posterior_variance", "beta", "the variance of the step forward"),
    ("ddpm/code", "posterior_variance", "((1 - alpha_bar_prev) / (1 - (1 - beta) * alpha_bar_prev) * beta) ** 0.5", "the root of what is asked"),
    ("ddpm/code", "posterior_mean", "(x_t - beta / math.sqrt(1 - (1 - beta) * alpha_bar_prev) * eps) / math.sqrt((1 - beta) * alpha_bar_prev)", "undo all steps at once"),
    ("ddim/code", "step", "alpha_s * (x_t - sigma_s * eps) / alpha_s + sigma_s * eps", "the level that is left"),
    ("ddim/code", "fresh_variance", "eta * (1 - alpha_bar_s) / (1 - (1 - beta) * alpha_bar_s) * beta", "eta squared"),
    ("score/code", "kernel_score", "(x - alpha * x_0) / sigma**2", "points back to the data"),
    ("score/code", "target", "-eps", "dropped denominator"),
    ("score/code", "variance_after", "(1 - 2 * c) ** 2 * variance + 2 * c * sigma**2", "adds 2h"),
    ("edm/code", "c_skip", "sigma**2 / (alpha**2 * sigma_d**2 + sigma**2)", "the share of the noise"),
    ("edm/code", "c_out", "sigma**2 * sigma_d**2 / (alpha**2 * sigma_d**2 + sigma**2)", "its square"),
    ("edm/code", "step", "sigma_s / sigma_t * x_t + alpha_s * (1 - (alpha_t * sigma_s / (alpha_s * sigma_t)) ** r) * (guess + (guess - before) / (2 * r))", "the step before"),
    ("multimodal/code", "guide_two", "null + u * (first - null) + s * (both - null)", "starts at the first answer"),
    ("multimodal/code", "price", "math.log(n)", "this is the bound"),
    ("multimodal/code", "saved", "4 * n * m * d * (n * m - n - m)", "matrices of its own"),
    ("flow_matching/code", "euler", "x_t + h * v", "the wrong way"),
    ("flow_matching/code", "shift", "t / (s + (1 - s) * t)", "the other way"),
}  # fmt: skip


@pytest.mark.parametrize(("exercise", "function", "wrong", "word"), sorted(SLIPS))
def test_a_hint_names_the_slip(exercise: str, function: str, wrong: str, word: str) -> None:
    found = next(e for e in EXERCISES if e.name == exercise)
    at = [g.function for g in found.grades()].index(function)
    entry = graded(found, filled(found.source, at, f"return {wrong}"))[function]
    assert not entry["ok"]
    assert word in entry["hint"]


def test_a_function_that_hangs_or_ends_fails_alone() -> None:
    """Behind one that hangs stands one that only comes late, and one that ends the process."""
    exercise = next(e for e in EXERCISES if e.name == "ddpm/code")
    source, hung = exercise.source, "while True: pass"
    for at, body in reversed(list(enumerate([hung, None, "import os; os._exit(0)", None]))):
        source = filled(source, at, body) if body else source
    found = graded(exercise, exercises._unmarked(source), 1)
    assert [entry["ok"] for entry in found.values()] == [False, True, False, True]
    assert "longer than 1 s" in found["noise_once"]["problem"]
    assert "ended the process" in found["posterior_variance"]["problem"]


@pytest.mark.parametrize("fork", ["import os; os.fork(); ", ""])
def test_what_is_no_number_and_what_forks(fork: str) -> None:
    exercise = next(e for e in EXERCISES if e.name == "divergences/code")
    source = filled(exercise.source, 1, f"{fork}return 10**100000")
    found = graded(exercise, exercises._unmarked(f"{fork}\n{source}"))
    assert found["kl"]["ok"]
    assert "OverflowError" in found["kl_from_log_variance"]["problem"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("def kl(*_):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def kl(a):\n    return a\n", "TypeError"),
        ("x = 1\n", "there is no function kl"),
        ("kl = 1\n", "TypeError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("import os\nos._exit(0)\n", "ended the process"),
        ("while True: pass\n", "longer than"),
        ("import os, json\nfor said in ('loaded', {'values': [0.0] * 16}):\n    os.write(3, json.dumps(said).encode() + b'\\n')\nos._exit(0)\n", "is 0.0, but"),
    ],
)  # fmt: skip
def test_what_cannot_be_graded_says_why(text: str, word: str) -> None:
    exercise = next(e for e in EXERCISES if e.name == "divergences/code")
    found = graded(exercise, text, 1)["kl"]
    assert not found["ok"]
    assert word in found["problem"]


# ---- the command ---------------------------------------------------------------------------------


def run(*arguments: str, cwd: Path) -> Done:
    return command.run("exercise", *arguments, cwd=cwd)


def test_list_names_all(tmp_path: Path) -> None:
    done = run("list", cwd=tmp_path)
    assert done.returncode == 0
    for exercise in EXERCISES:
        assert f"{exercise.name} " in done.stdout
        assert exercise.title in done.stdout


@pytest.mark.parametrize("which", ["vae/prior_kl", "score/code"])
def test_from_missing_to_solved(which: str, tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.name == which)
    file = exercise.file.name
    assert run("start", which, cwd=tmp_path).returncode == 0
    assert (tmp_path / file).read_text("utf-8") == exercise.task
    done = run("check", file, cwd=tmp_path)
    assert done.returncode == 1
    assert "missing" in done.stdout
    assert done.stdout.endswith(f"{which}: not solved yet\n")
    (tmp_path / file).write_text(f"{exercise.header}\n{exercise.solution}", "utf-8")
    done = run("check", file, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{which}: solved\n")


def test_start_names_the_file_it_wrote(tmp_path: Path) -> None:
    done = run("start", "vae/prior_kl", "--to", "mine.py", cwd=tmp_path)
    assert done.stdout.endswith("genmath exercise check mine.py\n")
    first = (tmp_path / "mine.py").read_text("utf-8").splitlines()[0]
    assert first == "# Exercise vae/prior_kl. Check it: genmath exercise check mine.py"


def test_a_wrong_answer_shows_its_counterexample(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.name == "vae/prior_kl")
    wrong = exercise.solution.replace("- ell / 2)", "+ ell / 2)")
    (tmp_path / "mine.py").write_text(f"{exercise.header}\n{wrong}", "utf-8")
    done = run("check", "mine.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "counterexample: lhs = " in done.stdout


def test_another_claim_does_not_solve_it(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.name == "vae/prior_kl")
    easier = exercise.solution.replace("Normal(z, mu, exp(ell))", "Normal(z, 0, 1)")
    (tmp_path / "mine.py").write_text(f"{exercise.header}\n{easier}", "utf-8")
    assert run("check", "mine.py", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start", "vae/two_wys"], "did you mean 'vae/two_ways'"),
        (["start", "nothing"], "no exercise called"),
        (["start", "ddim"], "there are ddim/code, ddim/eta_one, ddim/marginal"),
        (["start", "vae/two_ways", "--to", "there.py"], "is there already"),
        (["start", "vae/two_ways", "--to", "no/where.py"], "cannot write"),
        (["check", "nobody.py"], "no such file"),
        (["check", "there.py"], "does not say which exercise"),
        (["check", "."], "is a folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "there.py").write_text("x = 1\n", "utf-8")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.startswith("genmath: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "there.py").read_text() == "x = 1\n"
