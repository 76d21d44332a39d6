"""Docstrings of the implementations, for the API reference: fields and the checked equation."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import griffe

sys.path.insert(0, str(Path(__file__).parent))

import links
from breaking import broken
from maths import COLUMN
from results import mention

from genmath.proof.language.latex import latex_claim

FIELDS = ("Result", "Shapes", "Options", "Accuracy", "Random", "Errors", "Source")
FIELD = re.compile(rf"^(?P<name>{'|'.join(FIELDS)}): (?P<text>.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)


class Fields(griffe.Extension):
    """`Result: vae.elbo` becomes the checked equation; the other fields a list."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring:
            obj.docstring.value = written_out(obj.docstring.value)


def written_out(docstring: str) -> str:
    text = FIELD.sub(_field, docstring.replace("``", "`"))
    return links.link_names(text)


def _field(found: re.Match[str]) -> str:
    words = re.sub(r"\n[ \t]+", "\n    ", found["text"])
    if found["name"] != "Result":
        return f"\n{found['name']}\n:   {words}\n"
    names = re.split(r",\s*", found["text"].strip())
    shown = "\n\n".join(_equation(name) for name in names)
    return f"\nResult\n:   {shown}\n"


def _equation(name: str) -> str:
    known = mention(name)
    if known is None:
        return f"`{name}`"
    return f"`{name}`\n\n    $${broken(latex_claim(known.claim), COLUMN)}$$"
