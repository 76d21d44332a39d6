"""A run that was stopped, at any point, goes on as if it had not been."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from genmath.train import Run, Stopped, fit
from genmath.train.runs import LOSSES, SETTINGS, WEIGHTS
from tests.train import children
from tests.train.tiny import Flow, Game

FLOW = Flow(steps=12, micro=8, dropout=0.2)
GAME = Game(steps=12, micro=8)
EVERY = 4


@pytest.fixture(params=[FLOW, GAME], ids=["flow", "game"])
def recipe(request: pytest.FixtureRequest) -> Flow | Game:
    return request.param


def left(run: Run) -> dict[str, bytes]:
    """All that a run leaves, by the names of files."""
    files = [file for file in run.folder.rglob("*") if file.is_file()]
    return {file.relative_to(run.folder).as_posix(): file.read_bytes() for file in files}


def whole(folder: Path, recipe: Flow | Game) -> dict[str, bytes]:
    run = Run(folder / "whole")
    fit(recipe, run=run, save_every=EVERY)
    return left(run)


def goes_on(run: Run, recipe: Flow | Game) -> None:
    """As a user does who finds a folder: what is a run goes on, what is none yet begins."""
    fit(recipe, run=run, save_every=EVERY, resume=(run.folder / SETTINGS).is_file())


def test_what_a_run_leaves(tmp_path: Path) -> None:
    steps = ("00000008", "00000012")
    inner = (
        "adam.safetensors",
        "average.safetensors",
        "checkpoint.json",
        LOSSES,
        "model.safetensors",
    )
    expected = {SETTINGS, WEIGHTS, LOSSES, *(f"checkpoints/{s}/{i}" for s in steps for i in inner)}
    assert set(whole(tmp_path, FLOW)) == expected


@pytest.mark.parametrize("step", [0, 3, 4, 11])
def test_killed_at_a_step_it_goes_on_to_the_same_bits(
    tmp_path: Path, recipe: Flow | Game, step: int
) -> None:
    run = Run(tmp_path / "killed")
    assert children.ended(children.killed_at_step, recipe, run, EVERY, step) == -signal.SIGKILL
    assert len(list(run.checkpoints.glob("*"))) == min(step // EVERY, 2)
    goes_on(run, recipe)
    assert left(run) == whole(tmp_path, recipe)
