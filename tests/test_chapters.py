"""What every chapter has, so that a student can learn from it: CONTRIBUTING.md, "A chapter"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genmath import book

ROOT = Path(__file__).resolve().parents[1]
TOPICS = book.topics()
# What trains no model of its own has no boxes that say how.
NO_MODEL = {"divergences", "evaluation", "wasserstein"}
# Mathematics in words: 1 − beta_s, log u <= u − 1.
UNTYPESET = re.compile(r"\w_[\w{]|[\^≤≥√]|[<>]=|\b(?:alpha|beta|gamma|eps|sigma|theta|phi)\b")


def prose(topic: str) -> str:
    lines = (ROOT / "derivations" / f"{topic}.py").read_text("utf-8").splitlines()
    return "\n".join(line[2:] for line in lines if line.startswith("# "))


@pytest.mark.parametrize("topic", TOPICS)
def test_a_chapter_can_be_learned_from(topic: str) -> None:
    text = prose(topic)
    opening = text.partition("\n## ")[0]
    wanted = {
        "a picture of the question, before the first section": "{{ picture" in opening,
        "the formula on the board, before the first section": '!!! board "' in opening,
        "its display from a checked object": re.search(r"^ +\{\{ (define )?\w+\.", opening, re.M),
        "three more pictures": text.count("{{ picture") > 3,
        "an example by hand": '!!! example "' in text,
        "a summary": '!!! summary "' in text,
        "five questions": text.count('??? question "') >= 5,
        "a slip to find": "{{ spot " in text,
        "what the results do not say": "do not say" in text or "does not say" in text,
    }
    if topic not in NO_MODEL:
        wanted["how to train and to sample"] = '!!! train "' in text and '!!! sample "' in text
    assert [what for what, found in wanted.items() if not found] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_parts_and_reasons_are_words_for_a_reader(topic: str) -> None:
    chapter = book.chapter(topic)
    unnamed = {
        f"{d.name}[{c.name}]"
        for d in chapter.derivations
        for c in d.chains
        if c.name and not c.words
    }
    said = [s.by for d in chapter.derivations for s in d.steps]
    said += [c.words for d in chapter.derivations for c in d.chains]
    plain = [re.sub(r"\$[^$]*\$|`[^`]*`", "", words) for words in said]
    assert sorted(unnamed) == []
    assert [words for words in plain if UNTYPESET.search(words)] == []


def test_every_picture_that_is_drawn_is_shown() -> None:
    shown = set(re.findall(r"\{\{ picture ([\w.]+) \}\}", "\n".join(map(prose, TOPICS))))
    pages = (ROOT / "docs").rglob("*.md")
    shown |= {n for p in pages for n in re.findall(r"\{\{ picture ([\w.]+) \}\}", p.read_text())}
    drawn = {
        f"{source.stem}.{name}"
        for source in (ROOT / "docs" / "pictures").glob("*.py")
        for name in re.findall(r"^def ([a-z]\w*)", source.read_text("utf-8"), re.M)
    }
    assert drawn == shown
