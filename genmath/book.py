"""Finds chapters: in a wheel, in a checkout, in the browser, or in a file of the reader's own."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from genmath._imports import closure, fingerprint
from genmath._topics import TOPICS
from genmath.proof.language.derivation import Derivation, recording


class ChapterError(Exception):
    """A file that is no chapter; the message is one line, `details` may hold a traceback."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


PACKAGE = Path(__file__).resolve().parent
# The faces of the checker name its printers, which no judge asks.
PRINTERS = ("proof/language/latex.py", "proof/language/typeset.py")


def judges() -> set[Path]:
    """The files that decide a verdict: what says it, and all that this imports."""
    printers = [PACKAGE / file for file in PRINTERS]
    return closure([PACKAGE / "proof" / "check.py"], PACKAGE.parent, printers)


@dataclass(frozen=True)
class Chapter:
    """The derivations made while a file was loaded, in their order; `chapter.elbo` is one."""

    topic: str
    title: str
    file: str
    derivations: tuple[Derivation, ...]
    builds_on: frozenset[str] = frozenset()  # the chapters it asked for, directly or through others
    names: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> str:
        """A fingerprint of all that its verdicts depend on: the code of the chapter and of those it
        builds on, without their prose, and the judges. A verdict recorded under another key is
        stale."""
        digest = hashlib.sha256(fingerprint(judges(), PACKAGE.parent).encode())
        others = sorted(folder() / f"{topic}.py" for topic in self.builds_on)
        for file in [Path(self.file), *others]:
            digest.update(ast.dump(ast.parse(file.read_bytes())).encode())
        return digest.hexdigest()

    def __getattr__(self, name: str) -> Derivation:
        for d in sorted(self.derivations, key=lambda d: d.file != self.file):  # its own first
            if d.short_name == name:
                return d
        if name.startswith("__"):
            raise AttributeError(name)
        known = ", ".join(d.short_name for d in self.derivations)
        raise AttributeError(f"{self.topic} has no derivation {name!r}; it has {known}")


def folder() -> Path:
    """Where the shipped chapters are: inside the package, else beside it in a checkout."""
    inside = PACKAGE / "derivations"
    return inside if inside.is_dir() else PACKAGE.parent / "derivations"


def topics() -> list[str]:
    """The chapters of the book, in reading order. ChapterError where table and files disagree."""
    named = [topic.name for topic in TOPICS]
    found = {p.stem for p in folder().glob("*.py") if not p.stem.startswith("_")}
    for name in sorted(found.symmetric_difference(named)):
        file = folder() / f"{name}.py"
        if name in found:
            raise ChapterError(f"{file} has no line in the table of topics, genmath/_topics.py")
        raise ChapterError(f"the table of topics names {name}, but there is no {file}")
    return named


_being_loaded: list[set[str]] = []  # for every file now running, the chapters it asked for


def chapter(topic: str) -> Chapter:
    """A shipped chapter; importing it builds trees and checks nothing."""
    if topic not in topics():
        raise LookupError(f"no chapter {topic!r}; there are {', '.join(topics())}")
    found = _shipped(topic)
    for asked in _being_loaded:
        asked.update({topic}, found.builds_on)
    return found


def forget() -> None:
    """Read the shipped chapters anew: their files may have changed."""
    _shipped.cache_clear()


@cache
def _shipped(topic: str) -> Chapter:
    return load_file(folder() / f"{topic}.py")


def load_file(path: str | Path, defined: Mapping[str, Any] | None = None) -> Chapter:
    """The chapter in a file. The file is run, with all the rights of whoever calls this.

    `defined` holds what the file finds already there, as the cell of a notebook does.
    """
    path = Path(path).resolve()
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ChapterError(f"{path}: {error.strerror or error}") from error
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ChapterError(f"{path}: not UTF-8 (byte {error.start})") from error
    name = f"_genmath_chapter_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ChapterError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    vars(module).update(defined or {})
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    asked: set[str] = set()
    _being_loaded.append(asked)
    try:
        with recording(apart=path.parent == folder()) as record:
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ChapterError(_one_line(path, error), _own_traceback(path, error)) from error
    finally:
        _being_loaded.pop()
        sys.path.remove(str(path.resolve().parent))
    # whatever became of their names: lost in a list, deleted, made in a function or another file
    for d in record.derivations:
        if not d.finished:
            raise ChapterError(f"{d.file}, line {d.line}: {d.name} was begun and not finished")
    if not record.derivations:
        raise ChapterError(f"{path}: holds no derivation (a function decorated with @derivation)")
    found = tuple(record.derivations)
    title = _title(module, path)
    return Chapter(path.stem, title, str(path), found, frozenset(asked), vars(module))


def _title(module: Any, path: Path) -> str:
    """The first heading of a percent-format script."""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("# # "):
            return line[4:].strip()
    return str(getattr(module, "title", path.stem))


def _one_line(path: Path, error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
    if isinstance(error, SyntaxError):
        where = f", line {error.lineno}"
        return f"{path}{where}: {type(error).__name__}: {error.msg}"
    where = f", line {frames[-1].lineno}" if frames else ""
    return f"{path}{where}: {type(error).__name__}: {error}"


def _own_traceback(path: Path, error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
    return "".join(
        [*traceback.format_list(frames), *traceback.format_exception_only(type(error), error)]
    )
