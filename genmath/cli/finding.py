"""Which of the book's derivations a name stands for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from genmath.cli.console import Unreadable, is_file, nearest, readable
from genmath.cli.reports import import_trouble

if TYPE_CHECKING:
    from genmath import book
    from genmath.proof import Derivation


def find(name: str) -> list[tuple[str, Derivation]]:
    """The shipped derivations that a topic or a full name stands for."""
    known_topics = topics()
    topic, _, rest = name.partition(".")
    if topic not in known_topics:
        if os.path.exists(name):
            raise Unreadable(f"{name} is no topic, no derivation and no file ending in .py")
        if os.path.isfile(f"{topic}.py"):
            raise Unreadable(f"no topic called {topic!r}; a file is named in full: {topic}.py")
        known = [d.name for t in known_topics for d in shipped(t).derivations]
        hint = nearest(name, known_topics) if not rest else ""
        hint = f"{hint or nearest(name, known)} (`genmath list` shows them all)"
        raise Unreadable(f"no topic or derivation called {name!r}{hint}")
    derivations = shipped(topic).derivations
    if not rest:
        return [(topic, d) for d in derivations]
    for derivation in derivations:
        if derivation.name == name:
            return [(topic, derivation)]
    known = [d.name for d in derivations]
    hint = f"{nearest(name, known)} (`genmath show {topic}` shows the chapter's)"
    raise Unreadable(f"no derivation called {name!r}{hint}")


def loaded(name: str) -> list[Derivation]:
    """The derivations that a topic, a full name or a file stands for; a file is run."""
    from genmath import book

    if not is_file(name):
        return [d for _, d in find(name)]
    readable(name)
    try:
        return list(book.load_file(os.path.abspath(name)).derivations)
    except book.ChapterError as error:
        said = import_trouble(error).replace(os.path.abspath(name), name)
        raise Unreadable(said) from None


def topics() -> list[str]:
    from genmath import book

    try:
        return book.topics()
    except book.ChapterError as error:
        raise Unreadable(str(error)) from None


def shipped(topic: str) -> book.Chapter:
    from genmath import book

    try:
        return book.chapter(topic)
    except book.ChapterError as error:
        raise Unreadable(import_trouble(error)) from None
