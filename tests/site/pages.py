"""Every page of the built site, by the address under which it is served."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from genmath import book

SITE = Path(__file__).parents[2] / "site"


def addresses() -> list[str]:
    """`derivations/vae/`, ... and `404.html`; the landing page is the empty address."""
    if not (SITE / "index.html").is_file():
        raise RuntimeError("there is no site to test: run make site")
    found = [str(f.parent.relative_to(SITE)) for f in sorted(SITE.rglob("index.html"))]
    return ["" if place == "." else f"{place}/" for place in found] + ["404.html"]


def some(of: list[str], every: int = 4) -> list[str]:
    """All; in CI every fourth, and others for another text of the site: for what takes seconds
    each, and looks at what all have in common."""
    if "CI" not in os.environ:
        return of
    return of[zlib.crc32((SITE / "search" / "search_index.json").read_bytes()) % every :: every]


def some_topics() -> list[str]:
    return some(book.topics())


def opened() -> list[str]:
    """The pages that a browser opens whole."""
    found = addresses()
    korean = [address for address in found if address.startswith("ko/")]
    return [*(a for a in found if a not in korean), *some(korean)]


def file_of(address: str) -> Path:
    return SITE / (address if address.endswith(".html") else f"{address}index.html")
