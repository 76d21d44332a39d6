"""Names in backticks: `vae.elbo` becomes a link to the result, with its number; `genmath.vae.elbo`
one to the API reference; a slip's name one to where it stands. A name that does not exist fails the
build.
"""

from __future__ import annotations

import html
import re

from results import mention, slip_ids

CODE = re.compile(r"(?<![`\w])`(?P<name>[\w.\[\]-]+)`(?!`)")


def link_names(text: str) -> str:
    return CODE.sub(lambda found: link(found["name"]) or found[0], text)


def link(name: str) -> str | None:
    if name in slip_ids():
        return f'<autoref identifier="slip-{name}"><code>{name}</code></autoref>'
    if name.startswith("genmath.") and not name.endswith(".py"):
        return f'<autoref identifier="{name}"><code>{name}</code></autoref>'
    if name.endswith(".py") or (known := mention(name)) is None:
        return None
    title = html.escape(known.result.derivation.title)
    number = f'<span class="number">({known.number})</span>'
    return (
        f'<autoref identifier="{known.anchor}" title="{title}">'
        f"<code>{name.replace('.', '.<wbr>')}</code> {number}</autoref>"
    )
