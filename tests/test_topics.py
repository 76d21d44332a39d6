"""One declaration a topic: the table, the rooms, and what is made of them."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from genmath import book
from genmath._topics import PARTS, TOPICS, Topic
from genmath.cli import exercises
from tests.newcomer import ROOMS, checkout, python

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """docs/_site/topics.py, which needs nothing of the site's tools."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_site"))
    spec = importlib.util.spec_from_file_location("topics", ROOT / "docs" / "_site" / "topics.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("results", None)


def heading(file: str) -> str:
    found = re.search(r"^# # (.+)$", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_one_title(topic: Topic) -> None:
    assert book.chapter(topic.name).title == topic.title
    assert heading(f"docs/labs/{topic.name}.py") == f"Laboratory: {topic.title}"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_chapter_uses_only_what_its_line_says(topic: Topic) -> None:
    lines = {line.name: line for line in TOPICS}
    below, todo = set(), list(topic.builds_on)
    while todo:
        name = todo.pop()
        below.add(name)
        todo += lines[name].builds_on
    assert book.chapter(topic.name).builds_on <= below


def test_the_book_has_no_faults(site: ModuleType) -> None:
    assert list(site.faults()) == []


def test_order(site: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    early = Topic("Games", "early", "Early", "", ("late",))
    late = Topic("Foundations", "late", "Late", "")
    monkeypatch.setattr(site, "TOPICS", (early, late))
    said = "; ".join(site.faults())
    assert "early builds on late, which does not stand before it" in said
    assert "do not follow the parts" in said
    assert "derivations/vae.py belongs to no line" in said
    assert "exercises/vae belongs to no line" in said


def test_navigation(site: ModuleType) -> None:
    topics = [Topic("Games", "a", "A", ""), Topic("Games", "b", "B", "")]
    nav = ["index.md", {"Read": [{"<part>": ["<topic>.py"]}, {"More": "more.md"}]}]
    assert site.navigation(nav, topics) == [
        "index.md",
        {"Read": [{"Games": [{"A": "a.py"}, {"B": "b.py"}]}, {"More": "more.md"}]},
    ]


def test_a_part_without_a_topic_does_not_show(site: ModuleType) -> None:
    shown = [next(iter(part)) for part in site.navigation([{"<part>": ["<topic>"]}])]
    assert shown == [part for part in PARTS if part in {topic.part for topic in TOPICS}]


def test_exercises_follow_the_book() -> None:
    order = list(dict.fromkeys(e.file.parent.name for e in exercises.exercises()))
    assert order == [topic.name for topic in TOPICS]


WITHOUT = """
import sys
from pathlib import Path
import topics
print(list(topics.faults()))
for room in sys.argv[1:]:
    away = Path(room).rename("away")
    print(list(topics.faults()))
    away.rename(room)
"""


def test_five_rooms_and_a_line_are_a_topic(tmp_path: Path) -> None:
    here = checkout(tmp_path)
    listed = python(here, "-m", "genmath.cli", "list")
    assert listed.returncode == 0, listed.stderr
    games = listed.stdout.partition("GAMES")[2].partition("DIFFUSION AND FLOWS")[0]
    assert "dice  Throwing dice" in games
    assert "dice.throw" in games
    checked = python(here, "-m", "genmath.cli", "check", "dice", "--mutants")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "dice/whole" in python(here, "-m", "genmath.cli", "exercise", "list").stdout
    tests = [
        "tests/test_dice.py",
        "tests/test_ties.py",
        "tests/test_house.py",
        "-k",
        "(dice and not indices) or throw",
    ]
    tested = python(here, "-m", "pytest", "-q", *tests)
    assert tested.returncode == 0, tested.stdout
    assert "6 passed" in tested.stdout
    rooms = {name.removesuffix("/whole.py") for name in ROOMS}
    assert python(here, "-c", WITHOUT, *rooms).stdout.split("\n") == [
        "[]",
        *(str([f"dice lacks {room}"]) for room in rooms),
        "",
    ]
    (here / "derivations" / "dice.py").unlink()
    said = python(here, "-m", "genmath.cli", "list")
    assert said.returncode == 2
    assert "names dice, but there is no" in said.stderr
