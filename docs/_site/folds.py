"""What is folded waits as the text of a <noscript>: one node, until docs/assets/folds.js builds it
where the reader opens it. A browser without scripts shows it as it is, and so does a search engine.
"""

from __future__ import annotations

import re

from results import SiteError

TAG = re.compile(r"<details\b[^>]*>\s*<summary\b.*?</summary>|</details>", re.DOTALL)


def fold(page: str) -> str:
    """The page with what stands in each outermost <details> kept for later."""
    pieces, at, depth = [], 0, 0
    for tag in TAG.finditer(page):
        if tag[0] == "</details>":
            depth -= 1
            if depth == 0:
                inner = page[at : tag.start()]
                if script := re.search(r"</?(?:no)?script", inner):
                    raise SiteError(f"{script[0]} in a fold would not run where it is built later")
                pieces += ["<noscript>", inner, "</noscript>"]
                at = tag.start()
            continue
        if depth == 0:
            pieces.append(page[at : tag.end()])
            at = tag.end()
        depth += 1
    return "".join([*pieces, page[at:]])
