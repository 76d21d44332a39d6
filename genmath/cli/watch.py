"""Files that a person saves while they write them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from time import sleep

PAUSE = 0.3  # seconds between two looks


def saved(files: Sequence[str]) -> Iterator[None]:
    """At once, and again whenever one of the files has been saved. For a moment a file may be gone:
    many editors write another one and rename it."""
    seen: list[tuple[int, int] | None] | None = None
    while True:
        now = [_stamp(file) for file in files]
        if now != seen and (seen is None or None not in now):
            seen = now
            yield
        sleep(PAUSE)


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
