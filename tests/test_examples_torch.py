"""The quick start's torch code runs as printed, learns its data, and is refused as printed."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from genmath import samplers
from genmath.wasserstein import wasserstein

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "start" / "code.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", PAGE, re.M | re.S)


def test_the_page_prints_the_files_that_are_tested_below() -> None:
    printed = [block.strip() for block in blocks("python")]
    files = [f"docs/examples/train_{name}.py" for name in ("vae", "ddpm")]
    assert printed == [(ROOT / file).read_text("utf-8").strip() for file in files]


def ran(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "examples" / f"{name}.py"))


@pytest.mark.slow
def test_the_vae_of_the_page_learns_the_parabola() -> None:
    end = ran("train_vae")
    first, second = end["samples"].unbind(1)
    assert (second - (first**2 - 1)).abs().median() < 0.1  # half the noise of the data
    assert end["samples"].std(0) == pytest.approx(end["data"].std(0), rel=0.35)
    assert end["elbo"].total.mean() > -2.3
    assert end["tighter"].mean() > end["elbo"].total.mean()


@pytest.mark.slow
def test_the_diffusion_model_of_the_page_finds_all_eight_modes() -> None:
    end = ran("train_ddpm")
    distance, nearest = torch.cdist(end["samples"], end["centres"]).min(1)
    assert (distance < 0.4).float().mean() > 0.9
    assert torch.bincount(nearest, minlength=8).min() > 1024 / 8 / 2
    # The prediction that is trained serves every sampler.
    for steps in (10, 20, 50):
        fast = samplers.sample(
            end["model"], (1024, 2), end["schedule"], samplers.DDIM(), steps=steps,
            prediction="v", generator=torch.Generator().manual_seed(1),
        )  # fmt: skip
        assert wasserstein(end["draw_data"](1024), fast) < 0.5


def test_every_session_of_the_page_goes_as_printed() -> None:
    sessions = blocks("pycon")
    assert len(sessions) > 5
    names: dict[str, Any] = {}
    for number, session in enumerate(sessions):
        test = doctest.DocTestParser().get_doctest(session, names, f"session {number}", None, 0)
        runner = doctest.DocTestRunner(verbose=False)
        shown: list[str] = []
        runner.run(test, out=shown.append, clear_globs=False)
        names = test.globs
        assert runner.failures == 0, "".join(shown)
        assert runner.tries > 0
