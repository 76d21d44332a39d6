"""Markdown of a chapter for a notebook, which knows none of what the site adds to it.

Displays become formulas, pictures stay, boxes become quotations and folds HTML; what needs the site
is left out.
"""

from __future__ import annotations

import html
import re
import textwrap

import pictures
import prose
from results import SiteError, mention

from genmath.proof.language.latex import latex_claim

BOX = re.compile(
    r'^(?P<mark>!!!|\?\?\?) (?P<kind>\w+) "(?P<title>[^\n]*)"\n(?P<body>(?:\n|    [^\n]*\n?)+)',
    re.MULTILINE,
)
MARKER = re.compile(r"^( *)\{\{ *(?P<said>[^}]+?) *\}\}$", re.MULTILINE)
DIV = re.compile(r"^</?div[^>]*>\n?", re.MULTILINE)
ATTRIBUTES = re.compile(r"(?<=\S) \{ \.\w+ \}$", re.MULTILINE)
CHAPTER = re.compile(r"\]\((\w+)\.py\)")


def plain(markdown: str) -> str:
    text = MARKER.sub(lambda found: found[1] + _shown(found["said"].split()), markdown)
    text = ATTRIBUTES.sub("", DIV.sub("", text))
    return BOX.sub(_box, CHAPTER.sub(r"](\1.ipynb)", text)).strip()


def _shown(said: list[str]) -> str:
    match said:
        case ["picture", name]:
            return pictures.picture(name)
        case ["define", name]:
            return f"$${prose.definition(name)}$$"
        case ["explorer" | "spot", *_]:
            return ""
        case [name] if known := mention(name):
            return f"$${latex_claim(known.claim)}$$"
    raise SiteError(f"{{{{ {' '.join(said)} }}}}: a notebook does not know it")


def _box(found: re.Match[str]) -> str:
    body = textwrap.dedent(found["body"]).strip()
    if found["mark"] == "???":
        title = html.escape(found["title"], quote=False)
        return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>\n\n"
    return textwrap.indent(f"**{found['title']}**\n\n{body}", "> ", lambda _: True) + "\n\n"
