"""What the page is served to check with: all that it imports, and nothing of the checkout."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.newcomer import ROOT, python

runtime: Any = importlib.import_module("runtime")

ARCHIVE = "import runtime; print(runtime.ours())"
# As in the reader's browser: the archive, sympy, and no other genmath on the path.
CHECK = """
import json
import sys
from pathlib import Path
import in_page
from genmath import book
derivation = book.chapter("vae").elbo
lines = Path(derivation.file).read_text("utf-8").splitlines(keepends=True)
import inspect
cell = "".join(inspect.getblock(lines[derivation.line - 1:]))
said = json.loads(in_page.check(cell, "vae.elbo"))
assert said["reports"][0]["ok"], said
assert len(book.chapter("vae").key) == 64
steps = lambda said: [step["verdict"] for step in said["reports"][0]["steps"]]
as_it_is = lambda *place: json.loads(in_page.check(None, *place))
assert steps(as_it_is("vae.elbo")) == steps(said)
assert "missing" in steps(as_it_is("", "vae/two_ways"))
assert as_it_is()["reports"][0]["name"] == book.chapter(book.topics()[0]).derivations[0].name
ours = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "genmath"]
assert all(f.startswith(sys.argv[1]) for f in ours), ours
print(len(ours))
"""


def test_the_archive_holds_what_the_page_imports_and_runs_alone(tmp_path: Path) -> None:
    made = python(ROOT, "-c", ARCHIVE)
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(made.stdout.strip()) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path)
    rooms = ("language/tree", "language/latex", "symbolic/judge", "numeric/judge")
    assert {f"genmath/proof/{room}.py" for room in rooms} < names
    assert {f"derivations/{file.name}" for file in ROOT.glob("derivations/*.py")} < names
    joints = ("genmath/cli/reports.py", "genmath/_imports.py", "genmath/_topics.py")
    assert {"in_page.py", "genmath/book.py", *joints} < names
    assert not {"genmath/vae.py", "genmath/cli/console.py", "genmath/figures.py"} & names
    run = subprocess.run(
        [sys.executable, "-c", CHECK, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


def test_the_pages_find_implementations_in_every_room() -> None:
    said = python(ROOT, "-c", "import results; print(results.implementations())")
    assert said.returncode == 0, said.stderr
    named = ast.literal_eval(said.stdout)
    found = {path.rpartition(".")[2] for paths in named.values() for path in paths}
    recipes = {*(ROOT / "genmath/train/recipes").glob("*.py")}  # they implement nothing
    for file in {*(ROOT / "genmath").glob("*/**/*.py")} - recipes:
        for node in ast.parse(file.read_text("utf-8")).body:
            documented = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if documented and "\nResult: " in (ast.get_docstring(node) or ""):
                assert node.name in found, f"{file.name}: {node.name}"
    assert "clip_weights" in found


FAKE = """import { appendFileSync, writeFileSync } from "node:fs";
const [out, of] = process.argv.slice(2);
writeFileSync(out, of);
appendFileSync(new URL("made", import.meta.url), of);
if (of === "bad") throw new Error("not of this");
"""


def test_trees_that_share_a_folder_keep_what_each_made_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is used stays, however old; what is not is thrown away; half a file is nobody's."""
    monkeypatch.setattr(runtime, "HERE", tmp_path)
    monkeypatch.setattr(runtime, "CACHE", tmp_path / "cache")
    (tmp_path / "fake.mjs").write_text(FAKE, "utf-8")

    def kept(of: str) -> Path:
        made: Path = runtime._in_node("memory", ".bin", of.encode(), "fake.mjs", of)
        for file in made.parent.iterdir():  # time passes
            os.utime(file, (file.stat().st_mtime - 60,) * 2)
        return made

    ours = kept("a")
    for other in "bcdefg":  # trees that are tried once each, as tests/test_topics.py makes them
        theirs = kept(other)
        assert kept("a") == ours
        assert (ours.read_text("utf-8"), theirs.read_text("utf-8")) == ("a", other)
    assert (tmp_path / "made").read_text("utf-8") == "abcdefg"
    assert len(list(ours.parent.iterdir())) == 3
    with pytest.raises(runtime.SiteError, match="not of this"):
        kept("bad")
    with pytest.raises(runtime.SiteError, match="not of this"):
        kept("bad")
    assert len(list(ours.parent.glob("*.bin"))) == 3
