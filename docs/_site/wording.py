"""What a translation may not change, as far as its words tell: numbers, relations, negations, and
the terms of docs/glossary.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from results import ROOT
from segments import HOLE, bare

GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(
    r"^\| (?P<english>[^|]+?) \{ lang=en \} \| (?P<korean>[^|]+?) \{ lang=ko \} \|", re.MULTILINE
)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
COUNT = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SIGN = re.compile(r"[=≠<>≤≥≈∞→]|&[lg]t;")
HANGUL = re.compile("[가-힣]")
# What is said in English, and of what Korean must then say something.
RELATIONS = (
    (r"\bat least\b", r"이상|적어도|최소"),
    (r"\bat most\b", r"이하|많아야|최대|기껏해야"),
    (
        r"\b(?:not|no|never|nothing|nobody|none|neither|nor|cannot|without)\b|n't\b",
        r"않|아니|아닌|아님|없|못|말[고라아]|누구도|모르|몰라|안 |제외|금지",
    ),
)
COMPARES = re.compile(
    r"\b(?:at least|at most|less|greater|larger|smaller|above|below|exceeds?)\b", re.I
)
OTHER_SENSE = "other sense:"


def faults(english: str, korean: str, comments: Iterable[str] = ()) -> list[str]:
    """What is wrong with a translation, in short. Of a term that is meant in another sense than
    the glossary's the translator says so in a comment, `# other sense: step, code`."""
    said, meant = bare(korean), bare(english)
    found = []
    numbers, given = Counter(NUMBER.findall(said)), Counter(NUMBER.findall(meant))
    spelt = {str(COUNT.index(w)) for w in re.findall(r"[a-z]+", meant.lower()) if w in COUNT}
    if given - numbers or set(numbers - given) - spelt:  # two may be 2, and not the other way
        found.append(f"numbers {NUMBER.findall(said)} for {NUMBER.findall(meant)}")
    if Counter(SIGN.findall(_open(korean))) != Counter(SIGN.findall(_open(english))):
        found.append("other signs than = < ≥ … of the English")
    if not HANGUL.search(said) and (said.split() != meant.split() or len(meant.split()) > 3):
        found.append("not Korean")
    for there, here in RELATIONS:
        if re.search(there, meant, re.I) and not re.search(here, said):
            found.append(f"nothing that says {re.search(there, meant, re.I)[0]!r}")  # type: ignore[index]
    if COMPARES.search(meant) and _formulas(korean) != _formulas(english):
        found.append("a comparison whose formulas stand in another order")
    other = {
        term.strip().lower()
        for comment in comments
        if comment.strip().startswith(OTHER_SENSE)
        for term in comment.strip().removeprefix(OTHER_SENSE).split(",")
    }
    squeezed = said.replace(" ", "")
    for term in _terms_of(meant):
        if term not in other and not any(k in squeezed for k in terms()[term]):
            found.append(f"{term!r} without {' or '.join(sorted(terms()[term]))}")
    return found


def _open(text: str) -> str:
    return HOLE.sub(" ", text)


def _formulas(text: str) -> list[str]:
    return [hole[0] for hole in HOLE.finditer(text) if hole["name"].startswith("m")]


@cache
def terms() -> dict[str, set[str]]:
    """Every term of the glossary in lower case, with its Korean words without spaces."""
    found: dict[str, set[str]] = {}
    for row in ROW.finditer(GLOSSARY.read_text("utf-8")):
        if not HANGUL.search(row["korean"]):
            continue
        english = _split(row["english"])
        korean = _split(row["korean"])
        paired = len(english) == len(korean)
        for at, name in enumerate(english):
            words = [korean[at]] if paired else _split(re.sub(r"[()]", ",", row["korean"]))
            found.setdefault(name.lower(), set()).update(w.replace(" ", "") for w in words)
    return found


def _split(cell: str) -> list[str]:
    """Without what is in brackets, at its commas."""
    return [part.strip() for part in re.sub(r"\([^)]*\)", "", cell).split(",") if part.strip()]


@cache
def _pattern() -> re.Pattern[str]:
    longest = sorted(terms(), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest))})(?:s|es)?(?![\w-])", re.I)


def _terms_of(english: str) -> list[str]:
    return [found[1].lower() for found in _pattern().finditer(english)]
