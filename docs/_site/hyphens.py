"""Names in code with a hyphen, such as --seconds, stay in one line where a line of a phone holds
them. A browser would part them after any hyphen, and no style of a page asks it not to.
"""

from __future__ import annotations

import re

INLINE = re.compile(r"<code>([^<\n]+)</code>")
HYPHENATED = re.compile(r"(?<!\S)(?=\S*-)\S{3,30}(?!\S)")


def kept_together(page: str) -> str:
    return INLINE.sub(lambda code: f"<code>{HYPHENATED.sub(_whole, code[1])}</code>", page)


def _whole(word: re.Match[str]) -> str:
    return f'<span class="whole">{word[0]}</span>'
