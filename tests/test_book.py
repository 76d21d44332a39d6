"""The key under which a chapter's verdicts are recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from genmath import book

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
    book.forget()
    yield tmp_path
    book.forget()


def test_the_key_changes_with_the_chapter_and_with_what_it_builds_on(three: Path) -> None:
    before = {topic: book.chapter(topic).key for topic in "abc"}
    assert book.chapter("c").builds_on == {"a", "b"}
    (three / "b.py").write_text((three / "b.py").read_text() + "\n# a comment\n")
    book.forget()
    after = {topic: book.chapter(topic).key for topic in "abc"}
    assert before["a"] == after["a"]
    assert before["b"] != after["b"]
    assert before["c"] != after["c"]


def test_the_report_carries_the_key() -> None:
    command = [sys.executable, "-m", "genmath.cli", "check", "divergences.kl_nonnegative", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    (report,) = json.loads(run.stdout)["derivations"]
    assert report["key"] == book.chapter("divergences").key
