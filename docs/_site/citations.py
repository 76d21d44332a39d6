"""References from one file: `[@key]` in prose, the full reference where it begins a list item."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text
from results import SiteError

BIB = Path(__file__).parents[1] / "references.bib"
CITATION = re.compile(
    r"(?P<item>^[ ]*[-*] )?\[@(?P<keys>[\w:-]+(?:[;,]\s*@[\w:-]+)*)\]", re.MULTILINE
)


@cache
def entries() -> dict[str, Entry]:
    return dict(parse_file(str(BIB), "bibtex").entries.items())


def cite(markdown: str, references: str | None) -> str:
    """Markdown with its citations written out, linked if given the path of the references."""

    def replace(found: re.Match[str]) -> str:
        keys = [key.strip().lstrip("@") for key in re.split("[;,]", found["keys"])]
        if found["item"] and len(keys) == 1:
            return f"{found['item']}{full(keys[0])}"
        names = [f"[{short(k)}]({references}#{k})" if references else short(k) for k in keys]
        return f"{found['item'] or ''}({'; '.join(names)})"

    return CITATION.sub(replace, markdown)


def short(key: str) -> str:
    """Kingma and Welling 2014."""
    entry = _entry(key)
    names = [_last(person) for person in entry.persons.get("author", [])]
    if len(names) > 2:
        names = [f"{names[0]} et al."]
    return f"{' and '.join(names)} {entry.fields['year']}"


def full(key: str) -> str:
    """D. P. Kingma, M. Welling, *Auto-encoding variational Bayes*, ICLR, 2014 (arXiv 1312.6114)."""
    entry = _entry(key)
    people = [_name(person) for person in entry.persons.get("author", [])]
    if len(people) > 6:
        people = [*people[:5], "et al."]
    fields = {name: _plain(value) for name, value in entry.fields.items()}
    venue = fields.get("journal") or fields.get("booktitle") or fields.get("publisher")
    if venue and fields.get("volume"):
        number = f"({fields['number']})" if fields.get("number") else ""
        pages = f":{fields['pages'].replace('--', '–')}" if fields.get("pages") else ""
        venue = f"{venue} {fields['volume']}{number}{pages}"
    parts = [", ".join(people), f"*{fields['title']}*", venue, fields["year"]]
    arxiv = f" (arXiv:{fields['eprint']})" if fields.get("eprint") else ""
    return ", ".join(part for part in parts if part) + arxiv


def bibliography() -> str:
    """Markdown: every entry, by author and year, each with its anchor."""
    ordered = sorted(entries(), key=lambda key: (short(key).casefold(), key))
    return "\n".join(
        f'- <span id="{html.escape(key)}"></span><span lang="en">{full(key)}</span>'
        for key in ordered
    )


def _entry(key: str) -> Entry:
    if key not in entries():
        raise SiteError(f"[@{key}] is cited, but {BIB.name} has no such entry")
    return entries()[key]


def _plain(bibtex: str) -> str:
    return str(Text.from_latex(bibtex)).replace("*", r"\*").replace("_", r"\_")


def _last(person: Person) -> str:
    return _plain(" ".join([*person.prelast_names, *person.last_names, *person.lineage_names]))


def _name(person: Person) -> str:
    initials = [
        "-".join(f"{part[0]}." for part in name.split("-") if part)
        for name in map(_plain, [*person.first_names, *person.middle_names])
    ]
    return " ".join([*initials, _last(person)])
