"""The example in the README is one that the checker accepts."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.command import run

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_example_of_the_readme_proves(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 1, "the README has one python block: the example"
    (tmp_path / "homework.py").write_text(blocks[0], encoding="utf-8")
    done = run("check", "homework.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ok\s+homework\.homework\s+proved\s", done.stdout, re.M), done.stdout
