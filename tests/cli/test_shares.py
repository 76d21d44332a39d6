"""Certificates that are written and verified by several processes: what they say, one would say."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from genmath.cli import certificates, shares
from tests.cli.command import COMMAND, environment, run

CHAPTERS = ("normalizing_flow", "translation", "vq")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chapters; a file of the first is altered, one of the last is of another derivation."""
    folder = tmp_path_factory.mktemp("book")
    assert run("check", *CHAPTERS, "--certificates", str(folder)).returncode == 0
    first, *_, last = sorted(folder.iterdir())
    text = first.read_text("utf-8").replace('"proof":[[', '"proof":[["no",', 1)
    first.write_text(text, encoding="utf-8")
    last.rename(folder / f"vq.zzz-{last.stem[-16:]}.json")
    return folder


def processes(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(certificates, "LITTLE", (0, 0))
    monkeypatch.setattr(certificates, "cores", lambda: cores)


@pytest.mark.parametrize("options", [(), ("--alone",), ("--show",)], ids=str)
def test_several_processes_say_what_one_says_in_its_order(
    options: tuple[str, ...], book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes(monkeypatch, 1)
    one = run("verify", str(book), *options)
    processes(monkeypatch, 3)
    assert run("verify", str(book), *options) == one
    assert one.returncode == 1
    assert "it is not what its name says" in one.stderr
    assert "1 REJECTED" in one.stdout
    assert ("which its name does not say" in one.stderr) == (options != ("--alone",))


def test_several_processes_write_what_one_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for cores in (1, 3):
        processes(monkeypatch, cores)
        folder = tmp_path / str(cores)
        done = run("check", *CHAPTERS, "--certificates", str(folder))
        files = {file.name: file.read_bytes() for file in folder.iterdir()}
        found.append((files, done.stdout.partition(";")[0]))
    assert found[0] == found[1]
    assert len(found[0][0]) > len(CHAPTERS)


def test_the_certificates_of_a_derivation_are_the_same_in_each_process(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        command = [*COMMAND, "check", "cnf.hutchinson", "--certificates", str(tmp_path / seed)]
        subprocess.run(command, env=environment(PYTHONHASHSEED=seed), check=True)
    one, other = ([f.name for f in (tmp_path / seed).iterdir()] for seed in ("1", "2"))
    assert one == other


def test_a_process_that_ends_verifies_nothing(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object) -> None:
        os._exit(3)

    processes(monkeypatch, 2)
    monkeypatch.setattr(shares, "verify", end)
    done = run("verify", str(book), "--alone")
    assert done.returncode == 1
    assert done.stdout.startswith("0 certificates, 0 lines")
    assert done.stderr.count("the process ended (exit code 3)") == len(CHAPTERS)


@pytest.mark.parametrize("cores", [1, 2])
def test_where_none_can_be_written_is_said(
    cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    processes(monkeypatch, cores)
    monkeypatch.setattr(shares, "write", full)
    done = run("check", *CHAPTERS, "--certificates", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == f"genmath: --certificates {tmp_path}: No space left on device\n"
