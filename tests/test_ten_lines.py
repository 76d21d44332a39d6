"""A model in ten lines: the lines of the page are those of its program, which runs and learns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from genmath.toys import GaussianMixture, eight_gaussians
from genmath.wasserstein import wasserstein

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("vae", "gan", "ddpm", "flow_matching")


def program(model: str) -> str:
    return (ROOT / "docs" / "examples" / f"ten_{model}.py").read_text("utf-8")


def ran(model: str, steps: int | None = None) -> dict[str, Any]:
    """The names of the program at its end, after fewer steps of training if given."""
    text = program(model)
    if steps is not None:
        text, found = re.subn(r"(?m)^(steps\b[^=]*=) \d+", rf"\1 {steps}", text)
        assert found == 1
    names: dict[str, Any] = {}
    exec(compile(text, f"ten_{model}.py", "exec"), names)
    return names


@pytest.mark.parametrize("model", MODELS)
def test_the_lines_of_a_page_are_those_of_its_program(model: str) -> None:
    page = (ROOT / "docs" / "ten" / f"{model}.md").read_text("utf-8")
    lines = []
    for box in ("train", "sample"):
        numbered = re.search(rf'^!!! {box} "\w+"\n((?:\n|    .*\n)+)', page, re.M)
        assert numbered
        lines += [f"{box} {n}" for n in re.findall(r"^    (\d+)\. ", numbered[1], re.M)]
    assert lines == re.findall(r"# ((?:train|sample) \d+)$", program(model), re.M)
    assert len(lines) <= 10
    assert f'--8<-- "docs/examples/ten_{model}.py"' in page


@pytest.mark.parametrize("model", MODELS)
def test_a_program_runs_and_a_little_training_helps(model: str) -> None:
    start, later = (ran(model, steps) for steps in (1, 120))
    data = eight_gaussians(1024, generator=torch.Generator().manual_seed(1))
    for end in (start, later):
        assert end["x"].shape == (1024, 2)
        assert end["x"].isfinite().all()
    assert wasserstein(data, later["x"]) < wasserstein(data, start["x"]) / 2
    if model != "gan":  # where both losses depend on how well the opponent plays
        assert later["loss"] < 0.8 * start["loss"]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "near"), [*((m, 0.8) for m in MODELS[1:]), ("vae", 0.65)])
def test_a_program_learns_the_eight_gaussians(model: str, near: float) -> None:
    modes = GaussianMixture.ring().means.float()
    noise = torch.randn(1024, 2, generator=torch.Generator().manual_seed(1))

    def shares(x: torch.Tensor) -> tuple[float, int]:
        """How many are near a mode, and how many have the mode that has the fewest."""
        distance, nearest = torch.cdist(x, modes).min(1)
        least = torch.bincount(nearest, minlength=len(modes)).min()
        return (distance < 0.5).float().mean().item(), int(least)

    found, least = shares(ran(model)["x"])
    assert found > near > shares(noise)[0] + 0.2
    assert least > 1024 / 8 / 3
