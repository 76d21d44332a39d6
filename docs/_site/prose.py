"""What the site adds to Markdown.

- `vae.elbo` in backticks becomes a link to the result, with its number; `genmath.vae.elbo` a link
  to the API reference. A name that does not exist fails the build.
- A paragraph {{ vae.elbo }} becomes what that derivation shows, as a numbered display.
- A paragraph {{ check docs/examples/swapped_kl.py }} becomes that file's derivations with the
  verdict on every step, checked while the site is built.
- A fence marked `console` holds commands, `$ genmath ...`; they are run and their output is added.
"""

from __future__ import annotations

import html
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable

import maths
from results import ROOT, SiteError, mention, slip_ids

from genmath import book
from genmath.proof.language.latex import latex_claim
from genmath.proof.report import check_derivation

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<info>[^\n]*)\n(?P<body>.*?)"
    r"^(?P=indent)(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
CODE = re.compile(r"(?<![`\w])`(?P<name>[\w.\[\]-]+)`(?!`)")
DISPLAY = re.compile(r"^\{\{ *(?P<check>check +)?(?P<name>[\w./\[\]]+) *\}\}$", re.MULTILINE)


def expand(markdown: str, slot: Callable[[str], str]) -> str:
    """Prose with its names linked, its displays and its console output in place.

    `slot` keeps a piece of HTML away from Markdown, and returns what holds its place.
    """
    pieces, at = [], 0
    for fence in FENCE.finditer(markdown):
        pieces.append(_prose(markdown[at : fence.start()], slot))
        pieces.append(_console(fence) if fence["info"].strip() == "console" else fence[0])
        at = fence.end()
    return "".join([*pieces, _prose(markdown[at:], slot)])


def _prose(markdown: str, slot: Callable[[str], str]) -> str:
    def show(found: re.Match[str]) -> str:
        shown = judged(found["name"]) if found["check"] else display(found["name"])
        return f"\n\n{slot(shown)}\n\n"

    return link_names(DISPLAY.sub(show, markdown))


def link_names(text: str) -> str:
    return CODE.sub(lambda found: _link(found["name"]) or found[0], text)


def display(name: str) -> str:
    """What a derivation shows, with its number."""
    known = mention(name)
    if known is None:
        raise SiteError(f"{{{{ {name} }}}}: there is no such result")
    label = f"{known.result.derivation.title}, result {known.number}"
    return (
        f'<div class="result" role="group" aria-label="{html.escape(label)}">'
        f"{maths.display(latex_claim(known.claim))}<p>{_link(name)}</p></div>"
    )


def judged(path: str) -> str:
    """The derivations of a file, as the checker judges them now."""
    from rendering import judgement  # it links names by this module

    chapter = book.load_file(ROOT / path)
    return "".join(judgement(check_derivation(d), d) for d in chapter.derivations)


def _link(name: str) -> str | None:
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
        f"<code>{name}</code> {number}</autoref>"
    )


def _console(fence: re.Match[str]) -> str:
    indent = fence["indent"]
    lines = []
    for line in fence["body"].splitlines():
        line = line.strip()
        if line.startswith("$ genmath "):
            lines += [line, *_output(line.removeprefix("$ genmath "))]
        elif line.startswith("$ ") or not line:
            lines.append(line)
        else:
            raise SiteError(f"a console fence holds only commands, not {line!r}")
    body = "\n".join(indent + line for line in lines)
    return f"{indent}{fence['fence']} console\n{body}\n{indent}{fence['fence']}"


def _output(arguments: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-m", "genmath.cli", *shlex.split(arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    # A page may show how an unreadable file is refused, not that it names one that does not exist.
    files = [word for word in shlex.split(arguments) if word.endswith(".py")]
    readable = (0, 1, 2) if files and all((ROOT / f).is_file() for f in files) else (0, 1)
    if run.returncode not in readable:
        raise SiteError(f"genmath {arguments}: {run.stderr.strip()}")
    return (run.stdout + run.stderr).rstrip().splitlines()
