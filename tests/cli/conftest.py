"""`here`: a folder with a file that is right and one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.texts import FALSE, TRUE


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, text in {"true.py": TRUE, "false.py": FALSE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path
