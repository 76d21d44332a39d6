"""The exercises that train: their formulas are graded like the others, and their pictures drawn."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
import torch

from genmath.cli import course, exercises
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
        ("wasserstein/gan_or_wgan", ("return functional.softplus(-real) + functional.softplus(fake)", "return functional.softplus(real) + functional.softplus(-fake)"), "changed places"),
        ("wasserstein/gan_or_wgan", ("return functional.softplus(-fake)", "return -functional.softplus(fake)"), "which saturates"),
        ("wasserstein/gan_or_wgan", ("return fake - real", "return real - fake"), "which is maximised"),
        ("wasserstein/gan_or_wgan", ("eps * x + (1 - eps) * y", "(1 - eps) * x + eps * y"), "share of the data point"),
        ("wasserstein/gan_or_wgan", ("(slope - 1) ** 2", "(slope**2 - 1) ** 2"), "with its root"),
        ("wasserstein/gan_or_wgan", ("return -fake", "return 1 * fake"), "valued highly"),
        ("ddpm/plane", ("(x_t - (1 - alpha_bar) ** 0.5 * eps) /", "(x_t + (1 - alpha_bar) ** 0.5 * eps) /"), "taken out, not added"),
        ("ddpm/plane", ("/ alpha_t + sigma_s * eps", "/ alpha_t + sigma_t * eps"), "of the cleaner level"),
        ("ddpm/plane", ("(1 - beta) * (1 - alpha_bar_prev))", "(1 - beta) * (1 - (1 - beta) * alpha_bar_prev))"), "the variance beta"),
        ("normalizing_flow/moons", ("return (z - t) * (-s).exp()", "return z * (-s).exp() - t"), "undo the shift first"),
        ("normalizing_flow/moons", ("return 1 * s", "return s.exp()"), "its logarithm is what is added"),
        ("normalizing_flow/moons", ("/ 2 - a", "/ 2 + a"), "the other way: minus a"),
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
    if expected := course.curve(exercise):
        assert outline(tmp_path / expected.name) == outline(expected)


def rows(path: Path) -> tuple[list[str], list[list[str]]]:
    head, *found = csv.reader(path.read_text("utf-8").splitlines())
    return head, found


def outline(path: Path) -> tuple[list[str], list[str]]:
    """The columns, and which curves there are."""
    head, found = rows(path)
    return head, list(dict.fromkeys(row[0] for row in found))


# The training of a GAN follows every rounding, so its curves have no numbers to hold it to.
CURVES = [e for e in TRAINING if course.curve(e) and e.name != "wasserstein/gan_or_wgan"]


@pytest.mark.slow
@pytest.mark.parametrize("exercise", CURVES, ids=lambda e: e.name)
def test_the_solution_makes_the_expected_curves(
    exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a fifth, at the end of each curve: machines round differently."""
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    runpy.run_path(str(exercise.file))["main"]()
    expected = course.curve(exercise)
    assert expected is not None
    (_, made), (_, known) = rows(tmp_path / expected.name), rows(expected)
    ends = [{row[0]: row for row in found} for found in (made, known)]
    assert ends[0].keys() == ends[1].keys()
    for name, row in ends[1].items():
        assert row[1] == ends[0][name][1]
        numbers = [[float(value) for value in each[2:]] for each in (ends[0][name], row)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.2, abs=0.05), name
