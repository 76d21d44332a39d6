"""The table of the notation prints what the checker prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from genmath import proof
from genmath.proof.language import notation

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "conventions.md").read_text("utf-8")
ROWS = re.findall(r"^\| \$(.+?)\$ \| `(.+?)` \|", PAGE.split("## Notation")[1], re.M)


def letters() -> dict[str, Any]:
    (declarations,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    names: dict[str, Any] = {name: getattr(proof, name) for name in proof.__all__}
    exec(declarations, names)
    return names


def plain(latex: str) -> str:
    """Without what only sets sizes, and without bars, which would end a cell of the table."""
    latex = latex.replace(r"\left|", r"\lvert ").replace(r"\right|", r"\rvert")
    latex = latex.replace(r"\middle\|", r"\Vert").replace(r"\left\|", r"\Vert ")
    latex = latex.replace(r"\right\|", r"\Vert")
    return re.sub(r"\\(left|right)(?![a-z])", "", latex)


def test_the_table_is_found() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize(("shown", "typed"), ROWS, ids=[typed for _, typed in ROWS])
def test_what_is_typed_prints_what_is_shown(shown: str, typed: str) -> None:
    assert plain(proof.latex(eval(typed, letters()))) == shown


def test_every_word_of_the_notation_is_on_the_page() -> None:
    section = PAGE.split("## Notation")[1]
    typed = re.findall(r"^```python\n(.*?)^```$|`([^`\n]+)`", section, re.M | re.S)
    words = set(notation.__all__) - {"Number", "NotationError"}  # nobody types these
    assert words - set(re.findall(r"\w+", str(typed))) == set()
