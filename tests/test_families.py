"""The page of all families side by side: every chapter, every family twice, and true years."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genmath._topics import TOPICS, Topic

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "models.md").read_text("utf-8")


def section(title: str) -> str:
    found = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found
    return found


def families(title: str) -> list[str]:
    return re.findall(r"^\| \*\*(.+?)\*\*", section(title), re.MULTILINE)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_chapter_is_led_to(topic: Topic) -> None:
    tables = section("Cost and failure") + section("Maps and choice")
    assert f"`{topic.name}." in tables or f"(derivations/{topic.name}.py)" in tables


def test_every_family_has_its_row_in_both_tables() -> None:
    assert len(families("Cost and failure")) > 20
    assert families("Cost and failure") == families("Maps and choice")


def test_the_timeline_has_the_years_of_its_references_in_order() -> None:
    entries = re.split(r"^@\w+\{", (DOCS / "references.bib").read_text("utf-8"), flags=re.MULTILINE)
    years = {
        entry.partition(",")[0]: found[1]
        for entry in entries
        if (found := re.search(r"^ *year += \{(\d+)\}", entry, re.MULTILINE))
    }
    lines = re.findall(r"^- \*\*(\d+)\*\*\. .*\[@(.+?)\]: ", section("A timeline"), re.MULTILINE)
    assert len(lines) == section("A timeline").count("\n- ") > 30
    for year, keys in lines:
        assert {years[key] for key in keys.split("; @")} == {year}
    assert [year for year, _ in lines] == sorted(year for year, _ in lines)
