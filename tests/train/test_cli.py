"""The commands that train: what they write, what they refuse, and in which words."""

from __future__ import annotations

import errno
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from genmath.train import Run, names, recipe
from genmath.train.measured import measured
from tests.cli.command import ROOT, Done, environment, run

MINE = """
import math
import signal
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.paths import LinearPath
from genmath.samplers import DPMSolver, Euler, sample
from genmath.train import Recipe

KNOWN = {"euler": Euler(), "dpm": DPMSolver()}


@dataclass(frozen=True, kw_only=True)
class Mine(Recipe):
    title = "Mine"
    shows = "points"
    data = "moons"

    steps: int = 20
    batch: int = 16
    width: int = 8

    def build(self, event, generator):
        return MLP(2, self.width, 1, generator=generator)

    def loss(self, model, batch, generator):
        return cfm_loss(model, batch.x, generator=generator)

    def after(self, model, step):
        {AFTER}

    def sample(
        self, model, event, n, generator, *,
        steps: int = 4, sampler: str = "euler", scale: float = 1.0,
    ):
        if sampler not in KNOWN:
            raise ValueError(f"sampler: got {sampler}, expected one of {', '.join(KNOWN)}")
        x = sample(
            model, (n, 2), LinearPath(), KNOWN[sampler], steps=steps, prediction="velocity",
            generator=generator,
        )
        return scale * x
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, after: str = "pass") -> None:
    (folder / "mine.py").write_text(MINE.replace("{AFTER}", after), encoding="utf-8")


def weights(folder: Path) -> torch.Tensor:
    return torch.cat([w.flatten() for w in load_file(folder / "weights.safetensors").values()])


def train(folder: Path, *options: str) -> Done:
    """Saved once at the end."""
    return run("train", "mine.py", "--save-every", "200", *options, cwd=folder)


def refused(done: Done, code: int = 2) -> str:
    """The one line of a command that could not do what was asked."""
    assert done.returncode == code, done
    (line,) = done.stderr.splitlines()
    assert line.startswith("genmath: ")
    return line


def test_list_names_each_recipe_and_says_what_it_shows() -> None:
    done = run("train", "list")
    assert done.returncode == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:-1]}
    assert sorted(rows) == names()
    for name, row in rows.items():
        assert recipe(name).shows in row
        assert str(recipe(name).steps) in row.split()
        found = measured(recipe(name))
        assert found is None or f" {found.time} " in row


def test_a_run_is_a_folder_with_all_that_it_takes_to_do_it_again(here: Path) -> None:
    done = train(here, "--steps", "30", "--set", "width=4", "--save-every", "20")
    assert done.returncode == 0, done
    first = here / "runs" / "mine-001"
    assert json.loads((first / "settings.json").read_text())["settings"]["width"] == 4
    for name in ("loss.csv", "samples-000020.png", "samples-000030.png", "loss.png", "recipe.py"):
        assert (first / name).is_file(), name
    assert len((first / "loss.csv").read_text().splitlines()) == 31
    again, resumed, sampled, measured = (first / "commands.txt").read_text().splitlines()
    assert run(*shlex.split(again)[1:], "--save-every", "30", cwd=here).returncode == 0
    assert torch.equal(weights(first), weights(here / "runs" / "mine-002"))
    for command in (resumed, sampled, measured):
        assert run(*shlex.split(command)[1:], cwd=here).returncode == 0, command
    assert [line in done.stdout for line in (sampled, measured)] == [True, True]


def test_a_line_tells_of_the_training_every_so_often_and_of_its_end(here: Path) -> None:
    lines = train(here, "--steps", "200").stdout.splitlines()
    told = [line for line in lines if line.startswith("step")]
    assert len(told) == 20
    assert told[-1].startswith("step 200/200  loss ")


def test_a_folder_of_ones_own_is_used_once(here: Path) -> None:
    assert train(here, "--out", "own").returncode == 0
    assert (here / "own" / "weights.safetensors").is_file()
    assert "own" in refused(train(here, "--out", "own"))


def test_ctrl_c_saves_and_resume_gives_the_weights_of_a_run_without_it(here: Path) -> None:
    stop = "step == 13 and Path('stop').exists() and signal.raise_signal(signal.SIGINT)"
    write(here, stop)
    assert train(here, "--steps", "40").returncode == 0
    (here / "stop").touch()
    done = train(here, "--steps", "40")
    assert "stopped after step" in refused(done, 130)
    assert "--resume" in done.stderr
    assert not (here / "runs/mine-002/samples-000040.png").exists()
    done = train(here, "--resume")
    assert done.returncode == 0, done
    assert torch.equal(weights(here / "runs" / "mine-001"), weights(here / "runs" / "mine-002"))


def test_resume_refuses_what_the_run_was_not_begun_with(here: Path) -> None:
    assert train(here).returncode == 0
    assert "'moons'" in refused(train(here, "--resume", "--data", "spirals"))
    assert "16" in refused(train(here, "--resume", "--batch", "8"))
    write(here, "return None")
    assert "mine.py is not what" in refused(train(here, "--resume"))
    other = run("train", "ddpm", "--out", "runs/mine-001", "--resume", cwd=here)
    assert "a run of mine, not of ddpm" in refused(other)
    assert "no run of ddpm" in refused(run("train", "ddpm", "--resume", cwd=here))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mien",), "no recipe called 'mien'"),
        (("ddmp",), "did you mean 'ddpm'"),
        (("no.py",), "no such file: no.py"),
        (("mine.py", "--data", "sun"), "moons"),
        (("mine.py", "--set", "width"), "NAME=VALUE"),
        (("mine.py", "--set", "witdh=3"), "width"),
        (("mine.py", "--set", "width=wide"), "int"),
        (("mine.py", "--rate", "nan"), "rate"),
        (("mine.py", "--steps", "0"), "steps"),
        (("mine.py", "--precision", "fp8"), "bf16"),
    ],
)
def test_what_cannot_be_read_is_named_and_leaves_no_folder(
    here: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(run("train", *arguments, cwd=here))
    assert not list(here.glob("runs/*"))


def test_a_loss_that_is_not_finite_ends_it_with_a_line(here: Path) -> None:
    write(here, "step == 12 and next(model.parameters()).data.fill_(math.nan)")
    done = train(here, "--steps", "40", "--save-every", "10")
    assert "at step 13 of 40" in refused(done, 1)
    assert torch.isfinite(weights(here / "runs" / "mine-001")).all()


def test_a_full_disk_is_a_line(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/mine-001/loss.csv")

    monkeypatch.setattr(Run, "keep_losses", full)
    said = refused(train(here), 1)
    assert "No space left on device: 'runs/mine-001/loss.csv'" in said


def test_a_fault_in_a_recipe_of_ones_own_is_told_with_its_line(here: Path) -> None:
    write(here, "return model.nothing")
    said = refused(train(here), 1)
    line = (here / "mine.py").read_text().splitlines().index("        return model.nothing") + 1
    assert f"mine.py, line {line}: AttributeError: " in said
    (here / "bad.py").write_text("x = 1 / 0\n")
    assert "bad.py, line 1: ZeroDivisionError" in refused(run("train", "bad.py", cwd=here), 1)
    (here / "none.py").write_text("x = 1\n")
    assert "one subclass of Recipe" in refused(run("train", "none.py", cwd=here))


@pytest.mark.parametrize("library", ["accelerate", "safetensors", "PIL", "matplotlib"])
def test_a_library_that_is_missing_is_a_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    said = refused(train(here))
    assert f"{library} is not installed; run: pip install" in said


# ---- samples and figures -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    write(folder)
    for out, seed in (("a", "0"), ("b", "1")):
        assert train(folder, "--out", out, "--seed", seed).returncode == 0
    done = train(folder, "--out", "c", "--data", "spirals")
    assert done.returncode == 0
    return folder


def picture(folder: Path, *options: str) -> bytes:
    done = run("sample", "a", "--out", "x.png", *options, cwd=folder)
    assert done.returncode == 0, done
    return (folder / "x.png").read_bytes()


def wide(file: Path) -> int:
    with Image.open(file) as image:
        return image.width


def test_samples_are_those_of_the_seed_and_the_options(trained: Path) -> None:
    plain = picture(trained)
    assert picture(trained) == plain
    assert picture(trained, "--seed", "1") != plain
    assert picture(trained, "--scale", "0.5") != plain
    assert picture(trained, "--sampler=dpm", "--steps", "2") != plain
    assert wide(trained / "x.png") > 300


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "the folder of a run"),
        (("a", "--text", "a circle"), "--steps (4), --sampler ('euler'), --scale (1.0)"),
        (("a", "--sampler", "pdm"), "dpm"),
        (("a", "--steps", "some"), "int"),
        (("a", "20"), "--NAME VALUE"),
        (("a", "--out", "x.gif"), "only clips move"),
        (("a", "--out", "x.jpg"), ".png"),
    ],
)
def test_samples_that_cannot_be_had(trained: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(run("sample", *arguments, cwd=trained))


def test_evaluate_prints_and_keeps_figures(trained: Path) -> None:
    done = run("evaluate", "a", cwd=trained)
    figures = json.loads((trained / "a" / "evaluation.json").read_text())["figures"]
    assert set(figures) == {"W2", "W2 of training data"}
    assert 0 < figures["W2 of training data"] < figures["W2"]
    for name, value in figures.items():
        assert f"{value:.4g}" in done.stdout
        assert name in done.stdout


def test_compare_counts_calls_and_measures_each_number_of_steps(trained: Path) -> None:
    done = run("compare", "a", "b", "--steps", "1,3", cwd=trained)
    assert done.returncode == 0, done
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[:3] for row in rows[1:5]] == [
        ["a", "1", "1"], ["a", "3", "3"], ["b", "1", "1"], ["b", "3", "3"],
    ]  # fmt: skip
    assert rows[1][4] != rows[3][4]
    assert wide(trained / "compare.png") > 600


def test_runs_of_other_data_are_not_compared(trained: Path) -> None:
    assert "c is of spirals, a of moons" in refused(run("compare", "a", "c", cwd=trained))
    assert "--steps 1,x" in refused(run("compare", "a", "--steps", "1,x", cwd=trained))


@pytest.mark.slow
def test_of_two_processes_one_speaks(here: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "genmath.cli", "train", "mine.py"]
    command += ["--set", "micro=8"]
    done = subprocess.run(
        command, cwd=here, env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained; the last loss is") == 1
    assert done.stdout.count("step 20/20") == 1
    assert [path.name for path in (here / "runs").iterdir()] == ["mine-001"]


def test_without_torch_a_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no', name='torch')\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "genmath.cli", "train", "list"],
        cwd=tmp_path, env=environment(PYTHONPATH=path), capture_output=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("genmath: torch is not installed; run: pip install torch")
    assert len(done.stderr.splitlines()) == 1
