"""Run the laboratories that changed, or that import what changed: python docs/_site/laboratories.py

One process a core, the longest texts first. A page that is built shows what was kept here, and runs
its laboratory itself only where nothing current is.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from mkdocs_jupyter.nbconvert2 import get_nbconvert_app
from nbconvert.preprocessors import CoalesceStreamsPreprocessor, ExecutePreprocessor
from results import ROOT

from genmath._imports import closure, fingerprint, read_by
from genmath.cli.workers import cores

CACHE = ROOT / ".cache" / "labs"


def outputs(path: Path) -> Any:
    """The laboratory as a notebook with its outputs."""
    kept = _kept(path)
    return nbformat.read(kept if kept.is_file() else _run(path), as_version=4)


def _kept(path: Path) -> Path:
    """Where its outputs are, under a key of its text and of all that it imports and reads."""
    key = fingerprint(closure([path], ROOT) | read_by(path, ROOT), ROOT)
    return CACHE / f"{path.stem}-{key[:16]}.ipynb"


def _run(path: Path) -> Path:
    kept, notebook = _kept(path), jupytext.read(path)
    app = get_nbconvert_app(execute=True, kernel_name="", allow_errors=False)
    app.config.ConnectionFileMixin.transport = "ipc"  # or every run is warned of open ports
    resources = {"metadata": {"path": str(ROOT)}}
    with tempfile.TemporaryDirectory() as own:
        # Two kernels with sockets of the same name would hear each other's messages.
        app.config.ConnectionFileMixin.ip = str(Path(own) / "kernel")
        ExecutePreprocessor(config=app.config, timeout=3600).preprocess(notebook, resources)
    # How prints are cut into outputs is a matter of timing; a cell's are shown as one.
    CoalesceStreamsPreprocessor().preprocess(notebook, resources)
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{path.stem}-*.ipynb"):
        old.unlink()
    nbformat.write(notebook, kept)
    return kept


def main() -> int:
    stale = [path for path in ROOT.glob("docs/labs/*.py") if not _kept(path).is_file()]
    stale.sort(key=lambda path: -path.stat().st_size)
    began, failed = time.perf_counter(), 0
    with ProcessPoolExecutor(cores()) as pool:
        running = {pool.submit(_run, path): path for path in stale}
        for done in as_completed(running):
            name, error = running[done].stem, done.exception()
            seconds = time.perf_counter() - began
            print(f"laboratory {name}: {error or 'run'} ({seconds:.0f} s)", flush=True)
            failed += error is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
