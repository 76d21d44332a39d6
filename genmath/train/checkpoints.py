"""Where a run stands, on disk: written beside, made safe, then renamed; the last two are kept."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

MANIFEST = "checkpoint.json"
KEPT = 2


class Unusable(ValueError):
    """A checkpoint that is not whole, or not of this run."""


def begin(folder: Path, step: int) -> Path:
    """An empty folder to fill, beside the checkpoints."""
    part = _part(folder, step)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def seal(folder: Path, step: int, facts: dict[str, Any]) -> Path:
    """What was filled becomes the checkpoint of its step, when all of it is on disk.

    Errors: OSError of the file system; the checkpoints of before are then untouched.
    """
    final, part = folder / f"{step:08}", _part(folder, step)
    written = sorted(file for file in part.rglob("*") if file.is_file())
    files = {file.relative_to(part).as_posix(): _digest(file) for file in written}
    text = json.dumps({"step": step, **facts, "files": files}, indent=1)
    (part / MANIFEST).write_text(text + "\n", encoding="utf-8")
    for file in [*part.rglob("*"), part]:
        _to_disk(file)
    shutil.rmtree(final, ignore_errors=True)
    part.rename(final)
    _to_disk(folder)
    for old in whole(folder)[:-KEPT]:
        shutil.rmtree(old)
    return final


def drop(folder: Path, step: int) -> None:
    """What was begun and cannot be finished."""
    shutil.rmtree(_part(folder, step), ignore_errors=True)


def whole(folder: Path) -> list[Path]:
    """The checkpoints of a folder that have their name, from the first to the last step."""
    return sorted(p for p in folder.glob("[0-9]" * 8) if (p / MANIFEST).is_file())


def manifest(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, when all its files are as they were written.

    Errors: `Unusable` with the file that is not.
    """
    try:
        facts: dict[str, Any] = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        files = facts["files"].items()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Unusable(f"{checkpoint}: {MANIFEST} cannot be read ({error})") from None
    for name, digest in files:
        file = checkpoint / name
        if not file.is_file() or _digest(file) != digest:
            raise Unusable(f"{file}: not as it was written")
    return facts


def _part(folder: Path, step: int) -> Path:
    return folder / f"{step:08}.part"


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
