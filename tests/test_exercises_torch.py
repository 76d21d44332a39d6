"""The exercises that train: their formulas are graded like the others, and their pictures drawn."""

from __future__ import annotations

import runpy
from pathlib import Path

import matplotlib as mpl
import pytest
import torch

from genmath.cli import exercises
from genmath.cli.exercises import Exercise

TRAINING = [e for e in exercises.exercises() if "import torch" in e.source]


@pytest.mark.parametrize("exercise", TRAINING, ids=lambda e: e.name)
def test_the_solution_computes_the_results(exercise: Exercise, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(exercise.solution, "utf-8")
    found = exercises.grade(str(mine), exercise.grades(), 60)
    assert all(entry["ok"] for entry in found), found
    assert len(found) == len(exercises.gaps(exercise.source))
    mine.write_text(exercise.task, "utf-8")
    found = exercises.grade(str(mine), exercise.grades(), 60)
    assert {entry["problem"] for entry in found} == {"missing"}


@pytest.mark.parametrize(
    ("exercise", "wrong", "word"),
    [
        ("vae/mixture", ("(log_var / 2).exp()", "log_var.exp()"), "scales by the variance"),
        ("vae/mixture", ("return -log_likelihood + beta", "return log_likelihood - beta"), "maximised"),
        ("vae/mixture", ("return (mean**2 + log_var.exp() - 1 - log_var) / 2", "return -(mean**2 + log_var.exp() - 1 - log_var) / 2"), "lost its minus sign"),
        ("flow_matching/against_ddpm", ("return eps - x_0", "return x_0 - eps"), "from the noise to the data"),
    ],
)  # fmt: skip
def test_a_hint_names_the_slip(
    exercise: str, wrong: tuple[str, str], word: str, tmp_path: Path
) -> None:
    found = next(e for e in TRAINING if e.name == exercise)
    assert found.solution.count(wrong[0]) == 1
    mine = tmp_path / "mine.py"
    mine.write_text(found.solution.replace(*wrong), "utf-8")
    (bad,) = [e for e in exercises.grade(str(mine), found.grades(), 60) if not e["ok"]]
    assert word in bad["hint"]


@pytest.mark.parametrize("exercise", TRAINING, ids=lambda e: e.name)
def test_the_pictures_are_drawn(
    exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    state = torch.random.get_rng_state()
    runpy.run_path(str(exercise.file))["main"](steps=3)
    assert (tmp_path / f"{exercise.file.stem}.png").stat().st_size > 10_000
    assert torch.equal(torch.random.get_rng_state(), state)
