"""The exercises that train: their formulas are graded like the others, and their pictures drawn."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
import torch

from genmath.cli import exercises
from genmath.cli.apart import File
from genmath.cli.exercises import Exercise

TRAINING = [e for e in exercises.exercises() if "import torch" in e.source]


def graded(exercise: Exercise, source: str) -> list[dict[str, Any]]:
    mine = File("mine.py", source.encode())
    return exercises.grade(mine, exercise.grades(), 60, exercise.on_tensors)


@pytest.mark.parametrize("exercise", TRAINING, ids=lambda e: e.name)
def test_the_solution_computes_the_results(exercise: Exercise) -> None:
    found = graded(exercise, exercise.solution)
    assert all(entry["ok"] for entry in found), found
    assert len(found) == len(exercises.gaps(exercise.source))
    found = graded(exercise, exercise.task)
    assert {entry["problem"] for entry in found} == {"missing"}


@pytest.mark.parametrize(
    ("exercise", "wrong", "word"),
    [
        ("vae/mixture", ("(log_var / 2).exp()", "log_var.exp()"), "scales by the variance"),
        ("vae/mixture", ("return -log_likelihood + beta", "return log_likelihood - beta"), "maximised"),
        ("vae/mixture", ("return (mean**2 + log_var.exp() - 1 - log_var) / 2", "return -(mean**2 + log_var.exp() - 1 - log_var) / 2"), "lost its minus sign"),
        ("edm/equal_calls", ("return guess + (guess - before) / (2 * r)", "return guess + (guess - before) / r"), "the step wants its middle"),
        ("flow_matching/against_ddpm", ("return eps - x_0", "return x_0 - eps"), "from the noise to the data"),
    ],
)  # fmt: skip
def test_a_hint_names_the_slip(exercise: str, wrong: tuple[str, str], word: str) -> None:
    found = next(e for e in TRAINING if e.name == exercise)
    assert found.solution.count(wrong[0]) == 1
    (bad,) = [e for e in graded(found, found.solution.replace(*wrong)) if not e["ok"]]
    assert word in bad["hint"]


RIGHT = "(mean**2 + log_var.exp() - 1 - log_var) / 2"
ONCE = "return -((x - mean) ** 2"


@pytest.mark.parametrize(
    ("right", "wrong", "word"),
    [
        (RIGHT, f"({RIGHT}).mean()", "shape [] for a batch of shape [8, 2]"),
        (RIGHT, f"({RIGHT}).sum(-1)", "shape [8] for a batch"),
        (RIGHT, f"torch.mean({RIGHT}, -1, keepdim=True).expand_as(mean)" , "mixes its entries"),
        (ONCE, f"assert x.ndim == 0\n    {ONCE}", "called with a batch, raises AssertionError"),
    ],
)  # fmt: skip
def test_functions_are_called_with_batches(right: str, wrong: str, word: str) -> None:
    """Each of these is right for one number."""
    exercise = next(e for e in TRAINING if e.name == "vae/mixture")
    assert exercise.solution.count(right) == 1
    source = exercise.solution.replace(right, wrong)
    (bad,) = [e for e in graded(exercise, source) if not e["ok"]]
    assert word in bad["problem"]


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
