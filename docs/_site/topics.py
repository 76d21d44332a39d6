"""What is made from the table of topics: navigation, pages that say the same of each, lists."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from results import ROOT

from genmath._topics import PARTS, TOPICS, Topic

ROOMS = (
    *("derivations/{}.py", "genmath/{}.py", "tests/test_{}.py", "docs/labs/{}.py"),
    "exercises/{}",
)
PAGES = {
    "api/{name}.md": "# {title}\n\n::: genmath.{name}\n",
    "exercises/{name}.md": (
        "# Exercises: {title}\n\nOn the chapter [{title}](../derivations/{name}.py). "
        "[How to do them](index.md).\n\n{{{{ exercises {name} }}}}\n"
    ),
}


def faults() -> Iterator[str]:
    """Rooms that a topic lacks, lines that are out of order, rooms that belong to no topic."""
    before: set[str] = set()
    for topic in TOPICS:
        for room in ROOMS:
            if not (ROOT / room.format(topic.name)).exists():
                yield f"{topic.name} lacks {room.format(topic.name)}"
        for below in set(topic.builds_on) - before:
            yield f"{topic.name} builds on {below}, which does not stand before it"
        before.add(topic.name)
    places = [PARTS.index(topic.part) if topic.part in PARTS else -1 for topic in TOPICS]
    if -1 in places or places != sorted(places):
        yield f"the topics do not follow the parts of the book: {', '.join(PARTS)}"
    for room in ("derivations/*.py", "docs/labs/*.py", "exercises/[!_]*"):
        for found in sorted(ROOT.glob(room)):
            if found.stem not in before and found.suffix in ("", ".py"):
                yield f"{found.relative_to(ROOT)} belongs to no line of genmath/_topics.py"


def navigation(nav: Sequence[Any], topics: Sequence[Topic] = TOPICS) -> list[Any]:
    """The navigation of mkdocs.yml with an entry a topic for <topic>, one a part for <part>."""
    made: list[Any] = []
    for entry in nav:
        match entry:
            case str() if "<topic>" in entry:
                made += [{t.title: entry.replace("<topic>", t.name)} for t in topics]
            case {"<part>": inner}:
                for part in PARTS:
                    if mine := [t for t in topics if t.part == part]:
                        made.append({part: navigation(inner, mine)})
            case dict():
                made.append(
                    {
                        title: navigation(inner, topics) if isinstance(inner, list) else inner
                        for title, inner in entry.items()
                    }
                )
            case _:
                made.append(entry)
    return made


def pages() -> dict[str, str]:
    """The pages of which every topic has one, and nothing to say in them: address and Markdown."""
    return {
        address.format(name=topic.name): text.format(name=topic.name, title=topic.title)
        for topic in TOPICS
        for address, text in PAGES.items()
    }


def chapters_table(up: str = "../") -> str:
    """What one may want to know, and the chapter to read: a row a topic. `up` leads from the page
    that shows it to the top of the site."""
    rows = ["| | you want to know | read |", "|---|---|---|"]
    part = ""
    for topic in TOPICS:
        shown = topic.part if topic.part != part else ""
        part = topic.part
        after = f"; after {links(topic.builds_on, up + 'derivations/')}" if topic.builds_on else ""
        link = f"[{topic.title}]({up}derivations/{topic.name}.py)"
        rows.append(f"| {shown} | {topic.asks} | {link}{after} |")
    return "\n".join(rows)


def modules_table() -> str:
    """The module of each topic, with the first line of what it says of itself."""
    rows = ["| module | what it holds | chapter |", "|---|---|---|"]
    for topic in TOPICS:
        source = (ROOT / "genmath" / f"{topic.name}.py").read_text("utf-8")
        said = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0].rstrip(".")
        link = f"[{topic.title}](../derivations/{topic.name}.py)"
        rows.append(f"| `genmath.{topic.name}` | {said} | {link} |")
    return "\n".join(rows)


def links(names: Sequence[str], folder: str = "") -> str:
    """The chapters on these topics, as links from a page beside them or from elsewhere."""
    titles = {topic.name: topic.title for topic in TOPICS}
    return ", ".join(f"[{titles[name]}]({folder}{name}.py)" for name in names)
