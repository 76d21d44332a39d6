"""Several processes on the CPU, which hand one another their gradients by gloo."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genmath.train import Run, fit
from tests.train import children
from tests.train.tiny import Flow, Game

ROOT = Path(__file__).parents[2]
FLOW = Flow(steps=12, micro=4, dropout=0.2, clip=0.1)
GAME = Game(steps=12, micro=4, clip=0.1)


def together(folder: Path, *given: Any, processes: int = 2) -> list[dict[str, Any]]:
    """What each of several processes says of one training."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = []
    all_said = children.CONTEXT.Barrier(processes)  # by the first the others find one another
    for rank in range(processes):
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": processes}
        place |= {"RANK": rank, "LOCAL_RANK": rank, "ACCELERATE_USE_CPU": "true"}
        said = folder / f"said-{rank}"
        process = children.CONTEXT.Process(
            target=children.one_of_several,
            args=({key: str(value) for key, value in place.items()}, all_said, said, *given),
        )
        process.start()
        running.append((process, said))
    for process, _ in running:
        process.join()
    return [json.loads(said.read_text()) for _, said in running]


@pytest.mark.parametrize("recipe", [FLOW, GAME], ids=["flow", "game"])
def test_two_processes_train_as_one_does(tmp_path: Path, recipe: Flow | Game) -> None:
    """Two micro-batches each, dropout, clipped gradients; in the game one player at a time."""
    alone = fit(recipe)
    first, second = together(tmp_path, recipe, None, {})
    assert first["losses"] == second["losses"] == pytest.approx(alone.losses, rel=1e-5)
    weights = [value for w in alone.model.parameters() for value in w.flatten().tolist()]
    assert first["weights"] == second["weights"] == pytest.approx(weights, rel=1e-4, abs=1e-6)


def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    """And of two folders the main process's counts."""
    runs = [Run(tmp_path / "main"), Run(tmp_path / "other")]
    asks = {"stops": 5, "save_every": 4}
    first, second = together(tmp_path, FLOW, runs, asks)
    assert (
        first["ends"]
        == second["ends"]
        == (
            f"Stopped: stopped after step 8 of 12; the last checkpoint is {runs[0].checkpoints}"
            "/00000008; with resume=True it goes on from there"
        )
    )
    assert not runs[1].folder.exists()
    alone = fit(FLOW, run=runs[0], resume=True)
    assert alone.losses == pytest.approx(fit(FLOW).losses, rel=1e-5)


def test_what_fails_on_the_main_process_ends_all(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    first, second = together(tmp_path, FLOW, [run, run], {"full": 0, "save_every": 4})
    assert first["ends"].startswith("OSError: step 4 could not be saved (")
    assert second["ends"].startswith("OSError: step 4 could not be saved (on the main process: ")
    first, second = together(tmp_path, FLOW, [run, run], {"steps": 3, "shows": True})
    assert first["ends"] == "ZeroDivisionError: division by zero"
    assert second["ends"] == "RuntimeError: on the main process: division by zero"


def test_a_batch_that_cannot_be_shared_out_says_what_can(tmp_path: Path) -> None:
    for micro, batch, way in ((0, 16, "8, or less, of a batch of 16"), (5, 15, "another batch")):
        recipe = Flow(micro=micro, batch=batch)
        ends = {one["ends"] for one in together(tmp_path, recipe, None, {})}
        (said,) = ends
        assert said.startswith(f"ValueError: micro: got {micro or batch}, expected what shares a")
        assert f"batch out among 2 processes: {way}" in said


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_what_launched_them_is_asked_to_stop_they_save(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "tests.train.launched", str(tmp_path / "run")),
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as launched:
        assert launched.stdout is not None
        for line in launched.stdout:
            if "under way" in line:
                os.killpg(launched.pid, number)
                break
        said = launched.stdout.read()
    assert said.count("with resume=True it goes on from there") == 2
    last = Run(tmp_path / "run").last()
    assert last is not None
    assert f"the last checkpoint is {last}" in said
