"""Words inside formulas, such as a hypothesis has them, in another language.

The catalogue has what is said around the parts of a formula: <x1/> for every <x2/>.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache

from maths import MARKED

SAID = (
    "<x1/> for every <x2/>",
    "<x1/> wherever <x2/>",
    "<x1/> onto, <x2/>",
    "invertible, with a slope <x1/>",
    "increasing, with a slope <x1/>",
    "<x1/> of length one",
    "<x1/> in a finite set",
    "<x1/> convex",
    "<x1/> orthogonal",
    "<x1/> diagonal",
    "guided score",
    "used score",
    "slope of the drift",
    "score",
    "noise",
    "cosine",
    "difference",
    "text",
)
NAMES = {"simple"}
WORDS = re.compile(r"\\text\{([^{}]*[a-z]{3}[^{}]*)\}")
PART = re.compile(r"(<x\d/>)")
Say = Callable[[str], str]


def rewrite(page: str, say: Say) -> tuple[str, list[str]]:
    """The page with words in formulas as `say` says them, and those that have no message."""
    left: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        tex = html.unescape(found["tex"])
        said = _said(tex, say)
        left.update(dict.fromkeys(set(WORDS.findall(said)) - NAMES))
        return found[0].replace(found["tex"], html.escape(said, quote=False), 1)

    return MARKED.sub(put, page), list(left)


def _said(tex: str, say: Say) -> str:
    if not WORDS.search(tex):
        return tex
    for english in SAID:
        if found := _pattern(english).fullmatch(tex):
            parts = {f"<{name}/>": _said(part, say) for name, part in found.groupdict().items()}
            pieces = PART.split(say(english))
            return "".join(parts.get(piece) or rf"\text{{{piece}}}" for piece in pieces if piece)
        if not PART.search(english) and (word := rf"\text{{{english}}}") in tex:
            tex = tex.replace(word, rf"\text{{{say(english)}}}")
    return tex


@cache
def _pattern(english: str) -> re.Pattern[str]:
    pieces = (
        f"(?P<{piece[1:-2]}>.+?)"
        if PART.fullmatch(piece)
        else rf"\s*\\text\{{\s*{re.escape(piece.strip())}\s*\}}\s*"
        for piece in PART.split(english)
        if piece
    )
    return re.compile("".join(pieces), re.DOTALL)
