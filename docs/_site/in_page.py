"""What runs in the reader's browser when a cell is checked; the worker calls `check`, and shows
what it returns. Needs what Pyodide has and genmath's checker, nothing else of the site."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from genmath import book
from genmath.cli.reports import import_trouble, plain, why
from genmath.proof.report import check_derivation

PRINTED = 10_000  # characters of what a cell prints that are shown


def check(cell: str, name: str = "") -> str:
    """The verdicts on the derivations of a cell, as JSON.

    With `name`, vae.elbo, the cell stands in place of that derivation: it finds what the chapter
    defined before it. Without, the cell is a file of its own.
    """
    said: dict[str, Any] = {}
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        path = Path(folder).resolve() / f"{name.partition('.')[0] or 'yours'}.py"
        path.write_text(cell, "utf-8")
        try:
            found = book.load_file(path, _before(name) if name else None).derivations
            said["reports"] = [
                _report(check_derivation(d, timeout=None, strict=False)) for d in found
            ]
        except book.ChapterError as error:
            words = import_trouble(error).replace(f"{path}, ", "")
            said["error"] = words.replace(str(path), "the cell")
        except Exception as error:
            said["error"] = f"the checker failed: {type(error).__name__}: {error}"
    said["printed"] = printed.getvalue()[:PRINTED]
    return json.dumps(plain(said), allow_nan=False)


@cache
def _before(name: str) -> dict[str, Any]:
    """What a chapter has defined when it comes to a derivation."""
    topic, _, short = name.partition(".")
    derivation = getattr(book.chapter(topic), short)
    lines = Path(derivation.file).read_text("utf-8").splitlines(keepends=True)
    names: dict[str, Any] = {"__name__": f"_genmath_before_{topic}"}
    earlier = "".join(lines[: derivation.line - 1])
    exec(compile(earlier, derivation.file, "exec"), names)
    return {key: value for key, value in names.items() if not key.startswith("__")}


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """The report with the words of the command line for whatever is not proved."""
    for step in report["steps"]:
        step["why"] = [] if step["verdict"] == "proved" else list(why(step))
    return report
