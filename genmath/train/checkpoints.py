"""Where a run stands, on disk: written beside, made safe, then renamed; the last two are kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "checkpoint.json"
KEPT = 2


class Unusable(ValueError):
    """A checkpoint that is not whole, or not of this run."""


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Where to write instead of to a file: it becomes the file when all of it is on disk."""
    part = file.with_name(f"{file.name}.part")
    try:
        yield part
        _to_disk(part)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def writing(folder: Path, step: int, facts: dict[str, Any]) -> Iterator[Path]:
    """An empty folder to fill, which then becomes the checkpoint of its step.

    Errors: whatever is raised while it is filled, or by the file system. What was begun is removed
        and the checkpoints of before are as they were.
    """
    final, part = folder / f"{step:08}", folder / f"{step:08}.part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        written = sorted(file for file in part.rglob("*") if file.is_file())
        files = {file.relative_to(part).as_posix(): _digest(file) for file in written}
        text = json.dumps({"step": step, **facts, "files": files}, indent=1)
        (part / MANIFEST).write_text(text + "\n", encoding="utf-8")
        for path in [*part.rglob("*"), part]:
            _to_disk(path)
        _remove(final)
        part.rename(final)
        _to_disk(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    tidy(folder)


def tidy(folder: Path) -> None:
    """Without what a killed process had begun, and what it had still to remove."""
    for old in whole(folder)[:-KEPT]:
        _remove(old)
    for part in folder.glob("*.part"):
        shutil.rmtree(part)


def whole(folder: Path) -> list[Path]:
    """The checkpoints of a folder, from the first to the last step."""
    return sorted(p for p in folder.glob("[0-9]" * 8) if p.is_dir())


def manifest(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, when all its files are as they were written.

    Errors: `Unusable` with the file that is not, and the way on.
    """
    facts, fault = {}, ""
    try:
        facts = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        int(facts["step"]), facts["settings"].items()
        for name, digest in facts["files"].items():
            if not (checkpoint / name).is_file():
                fault = f"{name} is missing"
            elif _digest(checkpoint / name) != digest:
                fault = f"{name} is not as it was written"
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        fault = f"{MANIFEST} cannot be read ({type(error).__name__}: {error})"
    if fault:
        before = [p.name for p in whole(checkpoint.parent) if p.name < checkpoint.name]
        way = f"goes on from step {int(before[-1])}" if before else "begins anew"
        raise Unusable(f"{checkpoint}: {fault}; without that folder training {way}")
    return facts


def _remove(checkpoint: Path) -> None:
    """Renamed first: what is half removed must not look like a checkpoint."""
    if checkpoint.exists():
        gone = checkpoint.with_name(f"{checkpoint.name}.old.part")
        checkpoint.rename(gone)
        shutil.rmtree(gone)


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
