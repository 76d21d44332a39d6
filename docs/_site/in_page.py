"""What runs in the reader's browser when a cell is checked; the worker calls `check`, and shows
what it returns. Needs what Pyodide has and genmath's checker, nothing else of the site.

The browser goes on from the memory of a Python that has run `prepare` (docs/_site/memory.mjs).
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import sys
import tempfile
import zipimport
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from genmath import book
from genmath.cli import exchange, tasks
from genmath.cli.reports import import_trouble, plain, why
from genmath.proof.report import check_derivation

HERE = Path(__file__).parent
LIBRARIES = Path("/libraries.zip")  # sympy and mpmath
PRINTED = 10_000  # characters of what a cell prints that are shown
# What sympy imports when it first comes to it, which in some chapter it does.
LATE = (
    "assumptions.wrapper",
    "sets.setexpr",
    "polys.domains.old_fractionfield",
    "polys.domains.old_polynomialring",
)


def check(cell: str | None, name: str = "", exercise: str = "") -> str:
    """The verdicts on the derivations of a cell, as JSON.

    With `name`, vae.elbo, the cell stands in place of that derivation: it finds what the chapter
    defined before it. Without, the cell is a file of its own; with `exercise`, vae/two_ways, the
    answer to it, and compared with what it asks. No cell, None, is what the book has there.
    """
    if cell is None:
        name = name or ("" if exercise else book.chapter(book.topics()[0]).derivations[0].name)
        cell = _task_file(exercise).read_text("utf-8") if exercise else _printed(name)
    said: dict[str, Any] = {}
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        path = Path(folder).resolve() / f"{name.partition('.')[0] or 'yours'}.py"
        path.write_text(cell, "utf-8")
        try:
            chapter = book.load_file(path, _before(name) if name else None)
            if exercise:
                said.update(_answered(chapter, exercise))
            else:
                said["reports"] = [
                    _report(check_derivation(d, timeout=None, strict=False))
                    for d in chapter.derivations
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
    topic, derivation = name.partition(".")[0], _derivation(name)
    names: dict[str, Any] = {"__name__": f"_genmath_before_{topic}"}
    earlier = "".join(_lines(derivation.file)[: derivation.line - 1])
    exec(compile(earlier, derivation.file, "exec"), names)
    return {key: value for key, value in names.items() if not key.startswith("__")}


def _printed(name: str) -> str:
    """A derivation as its chapter has it."""
    derivation = _derivation(name)
    return "".join(inspect.getblock(_lines(derivation.file)[derivation.line - 1 :]))


def _derivation(name: str) -> Any:
    topic, _, short = name.partition(".")
    return getattr(book.chapter(topic), short)


def _lines(file: str) -> list[str]:
    return Path(file).read_text("utf-8").splitlines(keepends=True)


def _answered(chapter: book.Chapter, exercise: str) -> dict[str, Any]:
    """Whether an exercise is solved, as the command line judges it."""
    entries = tasks.judge(_task(exercise), chapter.file, _claims(chapter), None, None)
    reports = [tasks.judgement(entry) for entry in entries]
    return {
        "exercise": exercise,
        "reports": [_report(report) for report in reports],
        "solved": all(entry["ok"] for entry in entries),
    }


@cache
def _task(exercise: str) -> tasks.Task:
    file = _task_file(exercise)
    asked = book.load_file(file)
    return tasks.task(str(file), file.read_text("utf-8"), _claims(asked), asked.builds_on)


def _task_file(exercise: str) -> Path:
    return HERE / "exercises" / f"{exercise}.py"


def _claims(chapter: book.Chapter) -> Any:
    return exchange.encode([d for d in chapter.derivations if d.file == chapter.file])


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """The report with the words of the command line for whatever is not proved."""
    for step in report["steps"]:
        step["why"] = [] if step["verdict"] == "proved" else list(why(step))
    return report


# ---- the memory that the browser goes on from ----------------------------------------------------


def prepare() -> None:
    """Load what any check needs: the book, and what a check imports on its way."""
    for topic in book.topics():
        book.chapter(topic)
    check(None)
    _before.cache_clear()
    for module in LATE:
        import_module(f"sympy.{module}")
    sys.path.remove(str(LIBRARIES))
    sys.meta_path.append(_Rest())
    _look_again()


class _Rest:
    """Finds what a cell wants of the libraries and the memory lacks: it is fetched then."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in ("sympy", "mpmath") or LIBRARIES.exists():
            return None
        from js import XMLHttpRequest  # type: ignore[import-not-found]

        request = XMLHttpRequest.new()
        request.open("GET", "../pyodide/libraries.zip", False)  # beside the worker
        request.responseType = "arraybuffer"
        request.send()
        LIBRARIES.write_bytes(request.response.to_bytes())
        _look_again()
        return PathFinder.find_spec(name, path, target)


def _look_again() -> None:
    for path in [path for path in sys.path_importer_cache if path.startswith(str(LIBRARIES))]:
        del sys.path_importer_cache[path]
    zipimport._zip_directory_cache.clear()  # type: ignore[attr-defined]
