"""A run that was stopped, at any point, goes on as if it had not been."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from genmath.train import Diverged, Run, fit, tensors
from genmath.train.checkpoints import MANIFEST, Unusable
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


def half(folder: Path, steps: int = 8) -> Run:
    """A run of which the last steps are missing."""
    run = Run(folder / "half")
    fit(FLOW, run=run, save_every=EVERY)
    for checkpoint in run.checkpoints.iterdir():
        if int(checkpoint.name) > steps:
            shutil.rmtree(checkpoint)
    return run


def test_what_a_run_leaves(tmp_path: Path) -> None:
    steps = ("00000008", "00000012")
    inner = ("adam.safetensors", "average.safetensors", MANIFEST, LOSSES, "model.safetensors")
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


@pytest.mark.parametrize("times", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_killed_while_it_writes_it_goes_on_to_the_same_bits(tmp_path: Path, times: int) -> None:
    expected = whole(tmp_path, FLOW)
    for number in random.Random(times).sample(range(80), times):
        run = Run(tmp_path / f"killed-{number}")
        code = children.ended(children.killed_at_file, FLOW, run, EVERY, number)
        assert code == -signal.SIGKILL, number
        goes_on(run, FLOW)
        assert left(run) == expected, number


def test_what_a_killed_process_had_begun_is_removed(tmp_path: Path) -> None:
    run = half(tmp_path)
    for name in ("00000012.part", "00000004.old.part"):
        (run.checkpoints / name).mkdir()
        (run.checkpoints / name / "model.safetensors").write_bytes(b"half of i")
    (run.folder / f"{WEIGHTS}.part").write_bytes(b"half of i")
    goes_on(run, FLOW)
    assert left(run) == whole(tmp_path, FLOW)


def test_after_its_last_step_nothing_is_trained_and_all_is_there(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    before, expected = fit(FLOW, run=run, save_every=EVERY), left(run)
    (run.folder / WEIGHTS).unlink()  # killed before these were written
    (run.folder / LOSSES).unlink()
    after = fit(FLOW, run=run, resume=True)
    assert left(run) == expected
    assert after.losses == before.losses
    for first, second in zip(before.model.parameters(), after.model.parameters(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_and_says_how_to_go_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    run, said = Run(tmp_path / "run"), tmp_path / "said"
    assert children.ended(children.asked_to_stop, FLOW, run, 5, [number], said) == 0
    assert said.read_text() == (
        f"Stopped: stopped after step 6 of 12; the last checkpoint is {run.checkpoints}/00000006; "
        "with resume=True it goes on from there"
    )
    goes_on(run, FLOW)
    assert (run.folder / WEIGHTS).read_bytes() == whole(tmp_path, FLOW)[WEIGHTS]


def test_asked_twice_it_ends_at_once(tmp_path: Path) -> None:
    run, said = Run(tmp_path / "run"), tmp_path / "said"
    twice = [signal.SIGINT, signal.SIGINT]
    assert children.ended(children.asked_to_stop, FLOW, run, 5, twice, said) == 0
    assert said.read_text() == "KeyboardInterrupt: "
    assert run.last() == run.checkpoints / "00000004"


def test_without_a_run_there_is_nothing_to_save_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    assert children.ended(children.asked_to_stop, FLOW, None, 5, [signal.SIGINT], said) == 0
    assert said.read_text() == "KeyboardInterrupt: "


def test_signals_are_the_callers_again(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    fit(FLOW, run=Run(tmp_path / "run"))
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# ---- what cannot go on ------------------------------------------------------------------------


def test_a_run_is_begun_once(tmp_path: Path) -> None:
    run = half(tmp_path)
    with pytest.raises(ValueError, match=r"run: got .*half, expected a folder without a run"):
        fit(FLOW, run=run)
    with pytest.raises(ValueError, match=f"expected the folder of a run \\({SETTINGS}"):
        fit(FLOW, run=Run(tmp_path / "none"), resume=True)


@pytest.mark.parametrize(
    ("recipe", "options", "named"),
    [
        (Flow(steps=12, micro=8, dropout=0.2, rate=1e-3), {}, "rate: got 0.001, expected 0.002"),
        (Flow(steps=24, micro=8, dropout=0.2), {}, "steps: got 24, expected 12"),
        (FLOW, {"data": "spirals"}, "data: got 'spirals', expected 'moons'"),
        (FLOW, {"precision": "bf16"}, "precision: got 'bf16', expected 'no'"),
        (GAME, {}, "rate: got 0.05, expected 0.002, with which .*half was begun"),
    ],
)
def test_a_changed_setting_is_named(
    tmp_path: Path, recipe: Flow | Game, options: dict[str, Any], named: str
) -> None:
    run = half(tmp_path)
    before = left(run)
    with pytest.raises(ValueError, match=named):
        fit(recipe, run=run, resume=True, **options)
    assert left(run) == before


def changed(file: Path) -> None:
    found = bytearray(file.read_bytes())
    found[len(found) // 2] ^= 1
    file.write_bytes(found)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def away(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        *((name, harm) for name in ("model.safetensors", LOSSES) for harm in (changed, cut, away)),
        (MANIFEST, cut),
        (MANIFEST, away),
    ],
    ids=lambda of: of if isinstance(of, str) else of.__name__,
)
def test_a_checkpoint_that_is_not_whole_is_named_and_so_is_the_way_on(
    tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    run = half(tmp_path, steps=12)
    last = run.checkpoints / "00000012"
    harm(last / name)
    with pytest.raises(Unusable, match=f"00000012: {name} .*training goes on from step 8"):
        goes_on(run, FLOW)
    shutil.rmtree(last)
    goes_on(run, FLOW)
    assert left(run) == whole(tmp_path, FLOW)


def test_the_checkpoint_of_another_run_is_named(tmp_path: Path) -> None:
    run, other = half(tmp_path), Run(tmp_path / "other")
    fit(FLOW.changed({"seed": 1}), run=other, save_every=EVERY)
    shutil.copytree(other.checkpoints / "00000012", run.checkpoints / "00000012")
    with pytest.raises(
        ValueError, match=r"seed: got 0, expected 1, with which .*00000012 was writ"
    ):
        goes_on(run, FLOW)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    tensors.keep(torch.nn.Linear(2, 3), tmp_path / "weights")
    for model in (torch.nn.Linear(2, 4), torch.nn.Bilinear(2, 2, 3)):
        with pytest.raises(ValueError, match="weights: not the weights of this model"):
            tensors.take(model, tmp_path / "weights")


def test_reading_a_checkpoint_runs_nothing(tmp_path: Path) -> None:
    """Whoever writes a file can write its digest too; a pickle then must not be one to us."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    run = half(tmp_path)
    for name in ("model", "average", "adam"):
        file = run.checkpoints / "00000008" / f"{name}.safetensors"
        before = file.read_bytes()
        file.write_bytes(pickle.dumps(Trap()))
        manifest = file.with_name(MANIFEST)
        facts = json.loads(manifest.read_text())
        facts["files"][file.name] = children.digest(file)
        manifest.write_text(json.dumps(facts))
        with pytest.raises(ValueError, match=f"{name}.safetensors: "):
            goes_on(run, FLOW)
        file.write_bytes(before)
        facts["files"][file.name] = children.digest(file)
        manifest.write_text(json.dumps(facts))
    assert not (tmp_path / "sprung").exists()
    goes_on(run, FLOW)  # put back, all is well


@pytest.mark.parametrize("room", [0, 300, 1000])
def test_a_full_disk_ends_it_and_the_last_checkpoint_is_kept(tmp_path: Path, room: int) -> None:
    run, said = Run(tmp_path / "run"), tmp_path / "said"
    assert children.ended(children.full, FLOW, run, EVERY, room, said) == 0
    assert said.read_text().startswith("OSError: step 8 could not be saved (")
    assert said.read_text().endswith(f"; the last checkpoint is {run.checkpoints}/00000004")
    assert [p.name for p in run.checkpoints.iterdir()] == ["00000004"]
    assert [p.name for p in run.folder.glob("*.part")] == []
    goes_on(run, FLOW)
    assert left(run) == whole(tmp_path, FLOW)


# ---- what is not finite -----------------------------------------------------------------------


def test_a_loss_that_is_not_finite_is_said_and_the_last_checkpoint_kept(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    with pytest.raises(
        Diverged, match=r"the loss is nan at step 6 of 12; the last checkpoint is .*00000004$"
    ):
        fit(Flow(steps=12, bursts=6), run=run, save_every=EVERY)
    assert [p.name for p in run.checkpoints.iterdir()] == ["00000004"]


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    """The loss of step 7 is finite, its gradient is not, and step 8 saves."""
    run = Run(tmp_path / "run")
    with pytest.raises(Diverged, match=r"weights are not finite after step 7 of 12; .*00000004$"):
        fit(Flow(steps=12, steep=7), run=run, save_every=EVERY)
    assert [p.name for p in run.checkpoints.iterdir()] == ["00000004"]
