"""A file is checked again whenever it is saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genmath.cli import watch
from tests.cli.command import run
from tests.cli.texts import FALSE, TRUE


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What a person does between two looks; at the end Ctrl-C."""

    def do(*deeds: Callable[[], object]) -> None:
        left = iter(deeds)

        def sleep(_: float) -> None:
            deed = next(left, None)
            if deed is None:
                raise KeyboardInterrupt
            deed()

        monkeypatch.setattr(watch, "sleep", sleep)

    return do


def test_saving_checks_again_and_ctrl_c_ends_it(here: Path, then: Callable[..., None]) -> None:
    file = here / "homework.py"
    file.write_text(FALSE, "utf-8")
    then(
        lambda: None,  # nothing is saved, nothing is checked
        lambda: file.write_text(TRUE + "# mended\n", "utf-8"),
        file.unlink,  # as an editor does that renames
        lambda: file.write_text("x = (", "utf-8"),
    )
    done = run("check", "homework.py", "--watch", cwd=here)
    codes = [line for line in done.stdout.splitlines() if line.startswith("-- exit code")]
    assert [code.split()[3] for code in codes] == ["1;", "0;", "2;"]
    assert "refuted" in done.stdout
    assert "SyntaxError" in done.stderr
    assert done.stderr.endswith("genmath: interrupted\n")
    assert done.returncode == 130


def test_a_save_of_the_same_length_is_seen(tmp_path: Path, then: Callable[..., None]) -> None:
    file = tmp_path / "a.py"
    file.write_text("a", "utf-8")
    then(lambda: os.utime(file, ns=(1, 1)))
    looks: Iterator[None] = watch.saved([str(file)])
    next(looks)
    next(looks)
    with pytest.raises(KeyboardInterrupt):
        next(looks)


@pytest.mark.parametrize(
    "arguments", [["vae"], [], ["true.py", "--json"], ["true.py", "--against", "false.py"]]
)
def test_what_cannot_be_watched_is_said(here: Path, arguments: list[str]) -> None:
    done = run("check", "--watch", *arguments, cwd=here)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--watch goes with a file" in done.stderr
