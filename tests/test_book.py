"""The key under which a chapter's verdicts are recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genmath import book
from genmath._imports import imports_of
from genmath._topics import Topic

ROOT = Path(__file__).resolve().parents[1]

BASE = """
from genmath.proof import *

x = variables("x")
p = Density("p", x)

@derivation("Normalisation")
def whole(d):
    d.start(integral(p(x), x))
    d.equals(1, by="p is a density")
"""


def test_a_chapter_knows_what_it_builds_on() -> None:
    assert book.chapter("divergences").builds_on == frozenset()
    assert book.chapter("vae").builds_on == {"divergences"}


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Chapters a, b on top of a, c on top of b, in a folder of their own."""
    uses = "from genmath.book import chapter\nbelow = chapter({!r}).whole\n"
    (tmp_path / "a.py").write_text(BASE)
    (tmp_path / "b.py").write_text(uses.format("a") + BASE)
    (tmp_path / "c.py").write_text(uses.format("b") + BASE)
    monkeypatch.setattr(book, "folder", lambda: tmp_path)
    monkeypatch.setattr(book, "TOPICS", [Topic("Part", name, name, "") for name in "abc"])
    book.forget()
    yield tmp_path
    book.forget()


def test_the_key_changes_with_the_chapter_and_with_what_it_builds_on(three: Path) -> None:
    before = {topic: book.chapter(topic).key for topic in "abc"}
    assert book.chapter("c").builds_on == {"a", "b"}
    (three / "b.py").write_text((three / "b.py").read_text() + "\n# %% [markdown]\n# prose\n")
    book.forget()
    assert {topic: book.chapter(topic).key for topic in "abc"} == before
    (three / "b.py").write_text((three / "b.py").read_text() + "\nn = 3\n")
    book.forget()
    after = {topic: book.chapter(topic).key for topic in "abc"}
    assert before["a"] == after["a"]
    assert before["b"] != after["b"]
    assert before["c"] != after["c"]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package and the chapters in a folder of their own, where they can be edited."""
    for room in ("genmath", "derivations"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(book, "PACKAGE", tmp_path / "genmath")
    book.forget()
    yield tmp_path
    book.forget()


def edit(file: Path) -> None:
    file.write_text(file.read_text("utf-8") + "\n# edited\n", "utf-8")


def keys() -> dict[str, str]:
    book.forget()
    return {topic: book.chapter(topic).key for topic in book.topics()}


def test_no_verdict_depends_on_what_only_shows_it(copied: Path) -> None:
    before = keys()
    for file in ("cli/console.py", "cli/commands.py", "book.py", "gan.py", "proof/report.py"):
        edit(copied / "genmath" / file)
    for file in ("latex.py", "typeset.py"):
        edit(copied / "genmath" / "proof" / "language" / file)
    assert keys() == before


def test_every_verdict_depends_on_the_judges(copied: Path) -> None:
    chapter = book.chapter("score")
    found = {chapter.key}
    edited = [
        *("check.py", "mutate.py", "language/tree.py", "language/notation.py"),
        *("symbolic/judge.py", "symbolic/polynomials.py", "numeric/judge.py", "numeric/linear.py"),
    ]
    for file in edited:
        edit(copied / "genmath" / "proof" / file)
        found.add(chapter.key)
    assert len(found) == len(edited) + 1


def test_a_verdict_depends_on_the_chapters_below(copied: Path) -> None:
    before = keys()
    chapter = copied / "derivations" / "divergences.py"
    chapter.write_text(chapter.read_text() + "\nn = 3\n")
    changed = {topic for topic, key in keys().items() if key != before[topic]}
    assert changed == {t for t in book.topics() if "divergences" in {t, *book.chapter(t).builds_on}}
    assert len(changed) < len(before)


def test_the_judges_ask_no_printer() -> None:
    """Only the faces of the checker name them: so a verdict may leave them out of its key."""
    printers = {f"genmath.proof.language.{Path(file).stem}" for file in book.PRINTERS}
    assert all((book.PACKAGE / file).is_file() for file in book.PRINTERS)
    for file in book.judges():
        if file.name != "__init__.py":
            names = imports_of(file, ROOT)
            assert not {n for n in names for p in printers if n == p or n.startswith(f"{p}.")}
            assert not {"genmath.proof.latex", "genmath.proof.*"} & names, file


def test_a_chapter_without_a_line_and_a_line_without_a_chapter_are_named(three: Path) -> None:
    (three / "stray.py").write_text(BASE)
    with pytest.raises(book.ChapterError, match=r"stray\.py has no line in the table of topics"):
        book.topics()
    (three / "stray.py").unlink()
    (three / "b.py").unlink()
    with pytest.raises(book.ChapterError, match=r"names b, but there is no .*b\.py"):
        book.topics()


def test_the_report_carries_the_key() -> None:
    command = [sys.executable, "-m", "genmath.cli", "check", "divergences.kl_nonnegative", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    (report,) = json.loads(run.stdout)["derivations"]
    assert report["key"] == book.chapter("divergences").key
