"""English that is left on a page in Korean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The text of each element that has text of its own, without programs, formulas, names and what is
# said of a publication.
TEXTS = """() => {
  const kept = "pre, code, .katex, .filename, body [lang=en], script, style, noscript, .prism-code-editor, "
    + "a[href*='references/#'], li > em";
  const texts = [];
  for (const each of document.body.querySelectorAll("*")) {
    if (each.closest(kept)) continue;
    const own = [...each.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join(" ");
    if (own.trim()) texts.push(own.replace(/\\([^)]*\\)/g, " "));
    for (const name of ["alt", "title", "aria-label", "placeholder"])
      if (each.getAttribute(name)) texts.push(each.getAttribute(name));
  }
  return [document.title, ...texts];
}"""  # noqa: E501


def korean(text: str) -> bool:
    return bool(re.search("[가-힣]", text))


def english(text: str) -> bool:
    """Words of English, two at least and no Korean beside them; names are single words."""
    return bool(re.search(r"\b[A-Za-z][a-z]+,? [a-z]{2,}\b", text)) and not korean(text)


def in_korean(page: Page) -> tuple[int, list[str]]:
    """How many texts are Korean, and which are English."""
    texts: list[str] = page.evaluate(TEXTS)
    return sum(map(korean, texts)), sorted({text.strip() for text in texts if english(text)})
