"""Somebody's file is run apart: in a process and a folder of its own, and only data come back.

The process drops what it does not need (`genmath.cli.confine`) before the first line of the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from genmath import book
from genmath.cli import confine, exchange, limits

LARGEST = 4_000_000  # bytes that the reading of one file may return
BATCH = (-1, 2)  # the shape in which the functions of an exercise on tensors get all their points


@dataclass(frozen=True)
class File:
    """A file as it was when it was read; what becomes of it later changes nothing."""

    path: str
    source: bytes


@dataclass(frozen=True)
class Call:
    """A function, and the points at which it is called: one by one, then all in a batch."""

    function: str
    points: Sequence[Sequence[float]]


def read(file: File, seconds: float) -> dict[str, Any]:
    """What a file claims: {"derivations": data, "builds_on": chapters}, or {"error": one line}."""
    heard, error = _run("claims", file, None, seconds)
    found = heard[0] if heard and isinstance(heard[0], dict) else {}
    return {"error": error} if error else found


def call(file: File, calls: Sequence[Call], seconds: float) -> list[dict[str, Any]]:
    """For each call {"values": [...], "batch": ...}, where a value that is none is {"error": line};
    or {"error": line}, of a function that ends or outlasts the process: the others go on in a new
    one."""
    found: list[dict[str, Any]] = []
    while rest := calls[len(found) :]:
        heard, error = _run("values", file, [vars(c) for c in rest], seconds)
        error = error or "it says nothing that can be read"
        if heard[:1] != ["loaded"]:  # it is not the function
            return found + [{"error": error}] * len(rest)
        answers = [each for each in heard[1:] if isinstance(each, dict)]
        # Cut off behind others it may only have come late: alone it has all the time.
        found += answers[: len(rest)] or [{"error": error}]
    return found


def _run(what: str, file: File, request: Any, seconds: float) -> tuple[list[Any], str]:
    """The lines of JSON that the process says; and what is wrong with it, if anything is."""
    # A file, since a pipe stays open as long as some process that the answer left behind.
    above = str(Path(__file__).parents[2])
    path_ = os.pathsep.join(filter(None, [above, os.environ.get("PYTHONPATH")]))
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as asked,
    ):
        there = Path(folder, "file", Path(file.path).name)  # not where we start: it may be json.py
        there.parent.mkdir()
        there.write_bytes(file.source)
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "genmath.cli.apart", what, str(there), str(seconds), folder],
            stdin=asked,
            stdout=said,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": path_,
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": folder,
                "OMP_NUM_THREADS": "1",
            },
            start_new_session=True,
        )
        error = ""
        try:
            process.wait(limits.patience(seconds))
        except subprocess.TimeoutExpired:
            error = f"running it took longer than {seconds:g} s, most of it asleep"
        finally:
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(process.pid, 9)
            process.kill()
            process.wait()
        said.seek(0)
        heard = said.read(LARGEST + 1)
    ended = process.returncode if process.returncode <= 128 else 128 - process.returncode
    if limits.spent(ended):
        error = f"running it took longer than {seconds:g} s"
    if len(heard) > LARGEST:
        return [], f"it says more than {LARGEST} bytes"
    found = list(_lines(heard))
    last = found.pop() if found else None
    if last == "done":
        return found, error
    if isinstance(last, dict) and "failed" in last:
        return found, str(last["failed"])
    return [*found, last], error or f"it ended the process that ran it (exit code {ended})"


def _lines(heard: bytes) -> Iterator[Any]:
    for line in heard.splitlines():
        try:
            yield _printable(json.loads(line))
        except (ValueError, RecursionError):
            return


def _printable(data: Any) -> Any:
    """The same, where no text can move a cursor or begin a line of its own."""
    if isinstance(data, str):
        return "".join(c if c.isprintable() else " " for c in data)
    if isinstance(data, list):
        return [_printable(each) for each in data]
    if isinstance(data, dict):
        return {_printable(key): _printable(value) for key, value in data.items()}
    return data


# ---- in the process apart ------------------------------------------------------------------------


def _main(what: str, path: str, seconds: str, folder: str) -> None:
    """Run the file, and say in lines of JSON what it holds; the last says that this is all."""
    limits.allow(float(seconds))
    limits.forbid_more()
    answer_to, request = os.dup(1), json.load(sys.stdin)
    os.dup2(2, 1)  # what the file prints is not what it claims
    confine.confine(folder)
    process = os.getpid()

    def say(data: Any) -> None:
        _no_copy(process)
        os.write(answer_to, json.dumps(data).encode() + b"\n")

    try:
        for each in _claims(path) if what == "claims" else _values(path, request):
            say(each)
        said: Any = "done"
    except BaseException as error:
        kind = "" if isinstance(error, book.ChapterError) else f"{type(error).__name__}: "
        said = {"failed": f"{kind}{error}".replace(str(Path(path).resolve()), Path(path).name)}
    say(said)
    os._exit(0)  # nothing that the file has left to be done at the end


def _no_copy(process: int) -> None:
    """Where the file has forked, the copy has nothing to say."""
    if os.getpid() != process:
        os._exit(0)


def _claims(path: str) -> Iterator[dict[str, Any]]:
    chapter = book.load_file(path)
    claims = exchange.encode([d for d in chapter.derivations if d.file == chapter.file])
    yield {"derivations": claims, "builds_on": sorted(chapter.builds_on)}


def _values(path: str, calls: list[dict[str, Any]]) -> Iterator[Any]:
    import runpy

    functions = runpy.run_path(path, run_name="answer")
    torch = sys.modules.get("torch")  # code for tensors is called with tensors
    number: Any = partial(torch.tensor, dtype=torch.float64) if torch else float
    yield "loaded"
    for each in calls:
        function = functions.get(each["function"])
        if function is None:
            yield {"error": f"there is no function {each['function']}"}
            continue
        values = [_number(function, map(number, point)) for point in each["points"]]
        columns = zip(*each["points"], strict=True)
        batch = _batch(function, map(number, columns)) if torch else None
        yield {"values": values, "batch": batch}


def _number(function: Any, arguments: Any) -> Any:
    process = os.getpid()
    try:
        return float(function(*arguments))
    except Exception as error:
        return {"error": _said(error)}
    finally:
        _no_copy(process)


def _batch(function: Any, columns: Any) -> Any:
    """What it makes of all points at once, each argument of one shape; or the wrong shape."""
    try:
        arguments = [column.reshape(BATCH) for column in columns]
        found = function(*arguments)
        if getattr(found, "shape", ()) != arguments[0].shape:
            return {
                "shape": list(getattr(found, "shape", ())),
                "expected": list(arguments[0].shape),
            }
        return [float(value) for value in found.flatten()]
    except Exception as error:
        return {"error": _said(error)}


def _said(error: Exception) -> str:
    return (
        "missing" if isinstance(error, NotImplementedError) else f"{type(error).__name__}: {error}"
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])
