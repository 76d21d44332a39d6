"""The catalogues of the Korean edition, and what their translations are held to.

docs/ko/<page>.po holds a page, docs/ko/common.po what stands around every page. Each message is
keyed by its English paragraph, so that a paragraph that changes has no translation any more.

    python docs/_site/translating.py start/read

makes the catalogue of a page that was built, or brings it up to date: what changed is marked fuzzy,
beside the old translation. A page is published in Korean where its catalogue exists, and the build
fails as long as a message of it is missing, fuzzy, no longer on the page, or at fault. What is not
whole yet waits in docs/ko/drafts.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import worded
import wording
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from results import ROOT
from segments import HOLE, messages, rewrite
from segments import Message as Said

CATALOGUES = ROOT / "docs" / "ko"
FINISHED = ROOT / ".cache" / "finished"
COMMON = "common"
DRAFTS = "drafts/"
PARTICLE = re.compile(r"<m\d+/>[가-힣]+")  # stays on the line of its formula
JOINED = r'<span class="joined">\g<0></span>'
_used: set[str] = set()  # of the common catalogue


def published() -> list[str]:
    """The pages that have a catalogue: start/read, ..."""
    found = [str(po.relative_to(CATALOGUES).with_suffix("")) for po in CATALOGUES.rglob("*.po")]
    return sorted(page for page in found if page != COMMON and not page.startswith(DRAFTS))


def catalogue_file(page: str) -> Path:
    return CATALOGUES / f"{page}.po"


def forget() -> None:
    _read.cache_clear()
    _used.clear()


def translated(page: str, html: str) -> tuple[str, list[str]]:
    """A finished page in Korean, and what its catalogues lack or have wrong, a line each."""
    own, common = _read(page), _read(COMMON)
    faults: dict[str, None] = {}
    used: set[str] = set()

    def say(said: Said) -> str:
        source = page if own.get(said.key) else COMMON
        entry = own.get(said.key) or common.get(said.key)
        (used if source == page else _used).add(said.key)
        wrong = _wrong(entry, said)
        if wrong:
            home = page if said.own and source == COMMON and not entry else source
            faults.update(dict.fromkeys(_line(home, entry, f"{w}: {said.key}") for w in wrong))
        return said.text if entry is None or wrong else PARTICLE.sub(JOINED, str(entry.string))

    korean, unsaid = worded.rewrite(
        rewrite(html, say), lambda english: say(Said(english, own=False))
    )
    faults.update(dict.fromkeys(_line(page, None, f"words in a formula: {w}") for w in unsaid))
    gone = [entry for entry in own if entry.id and entry.id not in used]
    return korean, [*faults, *(_line(page, e, f"no longer on the page: {e.id}") for e in gone)]


def unused() -> list[str]:
    """What no page that was built asked of the common catalogue."""
    return [
        _line(COMMON, entry, f"on no page: {entry.id}")
        for entry in _read(COMMON)
        if entry.id and entry.id not in _used
    ]


def _line(page: str, entry: Message | None, words: str) -> str:
    where = catalogue_file(page).relative_to(ROOT)
    return f"{where}:{entry.lineno}: {words}" if entry else f"{where}: {words}"


def _wrong(entry: Message | None, said: Said) -> list[str]:
    if entry is None or not entry.string:
        return ["no translation"]
    if entry.fuzzy:
        return ["stale, the English has changed"]
    korean = str(entry.string)
    return _holes(korean, said) or wording.faults(said.key, korean, entry.user_comments)


def _holes(korean: str, said: Said) -> list[str]:
    """Each hole of the English once, tags around words properly nested, and no other markup."""
    found = [hole[0] for hole in HOLE.finditer(korean)]
    expected = [hole[0] for hole in HOLE.finditer(said.key)]
    if lost := sorted(set(expected) - set(found)):
        return [f"without {' '.join(lost)}"]
    if more := sorted({h for h in found if h not in expected or found.count(h) > 1}):
        return [f"{' '.join(more)} is not in the English, or stands twice"]
    opened: list[str] = []
    for hole in HOLE.finditer(korean):
        if hole["close"] and (not opened or opened.pop() != hole["name"]):
            return [f"{hole[0]} closes what is not open"]
        if not hole["close"] and not hole["empty"]:
            opened.append(hole["name"])
    if re.search(r"[<>\"]|&(?!#?\w+;)", HOLE.sub("", korean)):
        return ["markup that is no hole"]
    return []


@cache
def _read(page: str) -> Catalog:
    path = catalogue_file(page)
    if not path.is_file():
        return Catalog(locale="ko")
    with path.open("rb") as file:
        return read_po(file, locale="ko", abort_invalid=True)


def update(page: str) -> list[Path]:
    """Bring the page's catalogue up to date, and the common one with what it lacks.

    Common is what the common catalogue has, and what is said on any two other pages as well, but
    not what this page says in its own way: a score of attention is no score of a density.
    """
    said = messages(_finished(page))
    others = [p for p in sorted(FINISHED.rglob("*.html")) if p != FINISHED / f"{page}.html"][:2]
    around = [{m.key for m in messages(p.read_text("utf-8"))} for p in others]
    common = set.intersection(*around) if around else set()
    common |= {str(entry.id) for entry in _read(COMMON)}
    common -= {str(entry.id) for entry in _read(page)}
    theirs = {m.key: m for m in said if m.key in common}
    ours = {m.key: m for m in reversed(said) if m.key not in common}
    ours = {m.key: ours[m.key] for m in said if m.key in ours}
    return [_write(page, ours, keep=False), _write(COMMON, theirs, keep=True)]


def _finished(page: str) -> str:
    return (FINISHED / f"{page}.html").read_text("utf-8")


def _write(page: str, said: dict[str, Said], keep: bool) -> Path:
    """`keep` what is not said, too; what a hole of that stands for, each page says otherwise."""
    old, path = _read(page), catalogue_file(page)
    for entry in old:  # Babel takes what it wrote of a former English for a comment
        entry.user_comments = [c for c in entry.user_comments if not c.startswith("|")]
    template = Catalog(locale="ko")
    for entry in old if keep else ():
        template.add(entry.id)
    for key, message in said.items():
        explained = [_explained(message)] if message.holes and not keep else ()
        template.add(key, auto_comments=explained)
    old.update(template, update_header_comment=False, update_creation_date=False)
    old.header_comment = f"# {page} in Korean"
    old.fuzzy, old.project, old.version = False, "genmath", ""
    old.last_translator, old.language_team = "The genmath authors", "Korean"
    old.msgid_bugs_address, old.revision_date = "", old.creation_date
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, old, width=100, ignore_obsolete=True, include_previous=True)
    return path


def _explained(message: Said) -> str:
    """What the holes of a message stand for, in short."""
    shown = {
        name: " ".join(re.sub("<[^>]*>", "", raw[0]).split()) for name, raw in message.holes.items()
    }
    return "; ".join(f"{name} {text[:60]}" for name, text in shown.items() if text)


def main() -> int:
    for page in sys.argv[1:] or published():
        if not (FINISHED / f"{page}.html").is_file():
            print(f"{page}: no page of this name was built, as start/read is", file=sys.stderr)
            return 2
        for path in update(page):
            print(path.relative_to(ROOT))
        forget()
    return 0


if __name__ == "__main__":
    sys.exit(main())
