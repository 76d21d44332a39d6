"""Benchmarks are run by hand, and a renamed argument broke one unseen: their calls are checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "benchmarks").glob("*.py"))


def wrong_calls(files: list[Path], where: Path) -> list[str]:
    """Calls of what is not there, or with arguments that it does not take. Other types of a script
    are its own affair."""
    cache = f"--cache-dir={where / 'mypy'}"
    said, broke, _ = api.run(["--follow-imports=silent", cache, *map(str, files)])
    assert not broke
    kinds = ("[call-arg]", "[attr-defined]", "[name-defined]")
    return [line for line in said.splitlines() if line.endswith(kinds)]


def test_benchmarks_call_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(ROOT)
    assert len(FILES) > 8
    broken = tmp_path / "broken.py"
    broken.write_text("from genmath import ddpm\nddpm.sample(lambda x, t: x, x_T=1)\n")
    found = wrong_calls([*FILES, broken], tmp_path)
    assert [line for line in found if "broken.py" not in line] == []
    assert found
