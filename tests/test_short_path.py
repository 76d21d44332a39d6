"""The short path names sections that its chapters have, and says what has no chapter yet."""

from __future__ import annotations

import re
from pathlib import Path

from genmath._topics import TOPICS

ROOT = Path(__file__).resolve().parents[1]
PATH = (ROOT / "docs" / "start" / "path.md").read_text("utf-8")
ROWS = re.findall(r"^\|.*\]\(\.\./derivations/(\w+)\.py\) \| (.*?) \|", PATH, re.M)


def test_every_section_on_the_way_is_one_of_its_chapter() -> None:
    assert len(ROWS) >= 4
    for topic, read in ROWS:
        chapter = (ROOT / "derivations" / f"{topic}.py").read_text("utf-8")
        has = re.findall(r"^# ## (.+?)(?: \{.*\})?$", chapter, re.M)
        sections = re.findall(r"\*(.+?)\*", read)
        assert sections
        assert [s for s in sections if s not in has] == []
        assert sections == sorted(sections, key=has.index)  # in the order of the chapter


def test_the_day_follows_the_book_and_asks_for_no_chapter_that_it_skips() -> None:
    seen: set[str] = set()
    topics = {topic.name: topic for topic in TOPICS}
    for name, _ in ROWS:
        assert seen.issuperset(topics[name].builds_on)
        seen.add(name)
    assert [name for name, _ in ROWS] == [name for name in topics if name in seen]


def test_guidance_comes_when_it_has_a_chapter() -> None:
    written = "guidance" in {topic.name for topic in TOPICS}
    assert ("(../derivations/guidance.py)" in PATH) == written
    assert ("no chapter yet" in PATH) != written
