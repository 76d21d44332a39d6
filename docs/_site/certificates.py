"""The certificates that the site serves: one a derivation, kept until the chapter or its writer is
another."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from results import ROOT, Result

from genmath import book
from genmath._imports import closure, fingerprint
from genmath.proof.certificate import files
from genmath.proof.kernel import Certificate, check

CACHE = ROOT / ".cache" / "certificates"


def served() -> list[Path]:
    return [file for topic in book.topics() for file in of_chapter(topic).values()]


@cache
def of_chapter(topic: str) -> dict[str, Path]:
    """The file of each derivation, by its name."""
    chapter = book.chapter(topic)
    writer = fingerprint(closure([Path(files.__file__)], ROOT), ROOT)
    folder = CACHE / f"{topic}-{chapter.key[:16]}-{writer[:16]}"
    if not folder.is_dir():
        made = folder.with_suffix(".part")
        files.write(chapter.derivations, made)
        made.rename(folder)
    parts = ((file, files.NAME.fullmatch(file.name)) for file in sorted(folder.iterdir()))
    found = {name[1]: file for file, name in parts if name}
    return {d.name: found[files.plain(d.name)] for d in chapter.derivations}


def of(result: Result) -> tuple[Path, Certificate]:
    """The file, and what the kernel says of it."""
    file = of_chapter(result.derivation.topic)[result.anchor]
    return file, check(file.read_text("utf-8"))
