"""What the site adds to Markdown.

- Names in backticks become links (links.py).
- A paragraph {{ vae.elbo }} becomes what that derivation shows, as a numbered display;
  {{ define ddpm.simple_loss }} a letter that the chapter defines (or any expression of its), and
  {{ picture ddpm.noising }} a picture of docs/pictures. In a row of a table the first two are
  formulas within their cell.
- A paragraph {{ spot published-slip among vae.elbo vae.gap[exact] }} asks which line is false.
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
import pictures
import spot
from links import link, link_names
from rendering import judgement
from results import ROOT, Mention, SiteError, mention

from genmath import book
from genmath.proof.language.latex import latex, latex_claim
from genmath.proof.language.tree import Named, Node
from genmath.proof.report import check_derivation

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<info>[^\n]*)\n(?P<body>.*?)"
    r"^(?P=indent)(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
DISPLAY = re.compile(
    r"^(?P<indent> *)\{\{ *(?:(?P<how>check|define|picture|spot) +)?(?P<name>[\w./\[\]-]+)"
    r"(?: +among +(?P<others>[\w. \[\]]+?))? *\}\}$",
    re.MULTILINE,
)

ROW = re.compile(r"^ *\|.*$", re.MULTILINE)
CELL = re.compile(r"\{\{ *(?P<define>define +)?(?P<name>[\w.\[\]]+) *\}\}")


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
        return f"\n\n{found['indent']}{slot(_shown(found))}\n\n"

    def in_cell(found: re.Match[str]) -> str:
        name = found["name"]
        if found["define"]:
            return slot(maths.cell(definition(name)))
        return f"{slot(maths.cell(latex_claim(_result(name).claim)))}<br>`{name}`"

    markdown = ROW.sub(lambda row: CELL.sub(in_cell, row[0]), markdown)
    return link_names(DISPLAY.sub(show, markdown))


def _shown(found: re.Match[str]) -> str:
    name = found["name"]
    match found["how"]:
        case "check":
            return judged(name)
        case "define":
            return defined(name)
        case "picture":
            return pictures.picture(name)
        case "spot":
            return spot.question(name, (found["others"] or "").split())
        case _:
            return display(name)


def display(name: str) -> str:
    """What a derivation shows, with its number."""
    known = _result(name)
    label = f"{known.result.derivation.title}, result {known.number}"
    return (
        f'<div class="result" role="group" aria-label="{html.escape(label)}">'
        f"{maths.display(latex_claim(known.claim))}<p>{link(name)}</p></div>"
    )


def _result(name: str) -> Mention:
    known = mention(name)
    if known is None:
        raise SiteError(f"{{{{ {name} }}}}: there is no such result")
    return known


def defined(name: str) -> str:
    return f'<div class="defined">{maths.display(definition(name))}</div>'


def definition(name: str) -> str:
    """A letter that a chapter defines, beside its definition; or an expression alone."""
    topic, _, attribute = name.partition(".")
    if topic not in book.topics():
        raise SiteError(f"{{{{ define {name} }}}}: there is no chapter {topic!r}")
    found = book.chapter(topic).names.get(attribute)
    if not isinstance(found, Node):
        raise SiteError(f"{{{{ define {name} }}}}: the chapter has no such letter or expression")
    return f"{latex(found)} = {latex(found.body)}" if isinstance(found, Named) else latex(found)


def judged(path: str) -> str:
    """The derivations of a file, as the checker judges them now."""
    chapter = book.load_file(ROOT / path)
    return "".join(judgement(check_derivation(d), d) for d in chapter.derivations)


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
