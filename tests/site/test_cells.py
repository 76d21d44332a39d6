"""Formulas in tables come from the book, and stay in their cells; needs no built site."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from markdown import markdown

from genmath import book
from genmath.proof.language.latex import latex, latex_claim
from tests.site.conftest import ROOT

prose: Any = importlib.import_module("prose")
breaking: Any = importlib.import_module("breaking")
hooks: Any = importlib.import_module("hooks")

HEAD = "| a | b | c |\n|---|---|---|\n"


def expanded(text: str) -> tuple[str, list[str]]:
    kept: list[str] = []

    def slot(html: str) -> str:
        kept.append(html)
        return f'<div data-slot="{len(kept) - 1}"></div>'

    return prose.expand(text, slot), kept


def tex(html: str) -> str:
    found = re.fullmatch(r'<span class="arithmatex">\\\(\\displaystyle {(.*)}\\\)</span>', html)
    assert found
    return str(breaking.unbroken(found[1].replace("&amp;", "&")))


def test_a_cell_shows_the_checked_formula_and_its_name() -> None:
    row = "| first | {{ ddpm.loss_weight[simple] }} | so:<br>{{ define ddpm.noisy }} |\n"
    text, kept = expanded(HEAD + row)
    chapter = book.chapter("ddpm")
    (derivation,) = (d for d in chapter.derivations if d.name == "ddpm.loss_weight")
    letter: Any = chapter.names["noisy"]
    claim = latex_claim(derivation.result(derivation["simple"].chain))
    assert list(map(tex, kept)) == [claim, f"{latex(letter)} = {latex(letter.body)}"]

    page = markdown(text, extensions=["tables", "md_in_html", "attr_list"])
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert len(cells) == 3
    shown = [hooks.SLOT.sub(lambda found: kept[int(found[1])], cell) for cell in cells]
    assert shown[1].startswith(f"{kept[0]}<br")
    assert 'identifier="ddpm.loss_weight-simple"' in shown[1]
    assert shown[2].endswith(kept[1])
    assert not hooks.SLOT.search("".join(shown))


@pytest.mark.parametrize("name", ["ddpm.no_such", "ddpm.loss_weight[no_such]", "no_chapter.elbo"])
def test_a_cell_names_nothing_that_is_not_there(name: str) -> None:
    with pytest.raises(prose.SiteError, match="no"):
        expanded(f"{HEAD}| a | {{{{ {name} }}}} | c |\n")


def test_the_page_of_families_names_what_the_book_has() -> None:
    text, kept = expanded((ROOT / "docs" / "models.md").read_text("utf-8"))
    assert "{{" not in text
    assert len(kept) >= 15
    assert re.findall(r"`[a-z_]+\.[a-z_0-9]+(?:\[\w+\])?`", text) == []  # all of them are links
