"""Every laboratory runs to its end: its assertions hold and its figures can be drawn."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

LABS = sorted((Path(__file__).resolve().parents[1] / "docs" / "labs").glob("[!_]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("file", LABS, ids=lambda file: file.stem)
def test_a_laboratory_runs_to_its_end(file: Path) -> None:
    dtype = torch.get_default_dtype()
    try:
        runpy.run_path(str(file))
    finally:
        torch.set_default_dtype(dtype)


def test_there_are_laboratories() -> None:
    assert LABS
