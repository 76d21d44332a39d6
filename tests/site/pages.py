"""Every page of the built site, by the address under which it is served."""

from __future__ import annotations

from pathlib import Path

SITE = Path(__file__).parents[2] / "site"


def addresses() -> list[str]:
    """`derivations/vae/`, ... and `404.html`; the landing page is the empty address."""
    if not (SITE / "index.html").is_file():
        raise RuntimeError("there is no site to test: run make site")
    found = [str(f.parent.relative_to(SITE)) for f in sorted(SITE.rglob("index.html"))]
    return ["" if place == "." else f"{place}/" for place in found] + ["404.html"]


def file_of(address: str) -> Path:
    return SITE / (address if address.endswith(".html") else f"{address}index.html")
